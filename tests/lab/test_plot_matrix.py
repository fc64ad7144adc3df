"""The chart of a tree's outcomes."""

from collections import Counter

from matplotlib.patches import Rectangle

from pgtlab.lab.matrix import matrix
from pgtlab.plot.matrix import FILL, plot_matrix


def test_each_outcome_has_a_word_and_a_colour_of_its_own():
    runs = matrix("next-20240229")
    (axes,) = plot_matrix(runs, "next-20240229").axes
    drawn = [text.get_text() for text in axes.texts]
    outcomes = [run.outcome for run in runs.values()]
    assert Counter(drawn) == Counter(outcomes)
    assert set(outcomes) == {"clean", "panic", "no boot"}
    colours = {cell.get_facecolor() for cell in axes.patches if isinstance(cell, Rectangle)}
    assert len(colours) == 3
    assert len(set(FILL.values())) == len(FILL)
