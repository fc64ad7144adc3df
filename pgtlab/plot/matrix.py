"""The outcome of a tree over configurations and CPUs, as a chart."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pgtlab.lab.matrix import Matrix

# Okabe and Ito's colours, each with a word of its own in the cell.
FILL = {"clean": "#33b08d", "report": "#e69f00", "panic": "#d55e00", "no boot": "#c8c8c8"}


def plot_matrix(runs: Matrix, title: str) -> Figure:
    """Draw one cell a run: rows are configurations, columns are CPUs.

    Parameters
    ----------
    runs : Matrix
        From `pgtlab.lab.matrix.matrix()`.
    title : str
        What was run.
    """
    configs = list(dict.fromkeys(config for config, _ in runs))
    cpus = list(dict.fromkeys(cpu for _, cpu in runs))
    figure, axes = plt.subplots(figsize=(1.0 + 0.95 * len(cpus), 0.7 + 0.28 * len(configs)), layout="constrained")
    plt.close(figure)  # a notebook shows the figure that is returned, and not a second time by itself
    for row, config in enumerate(configs):
        for column, cpu in enumerate(cpus):
            outcome = runs[config, cpu].outcome
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=FILL[outcome], edgecolor="white"))
            axes.text(column + 0.5, row + 0.5, outcome, ha="center", va="center", fontsize=8)
    axes.set(xlim=(0, len(cpus)), ylim=(len(configs), 0), title=title)
    axes.set_xticks([i + 0.5 for i in range(len(cpus))], [cpu.name for cpu in cpus], fontsize=8)
    names = [f"{c.granule} VA {c.va_bits} PA {c.pa_bits}" for c in configs]
    axes.set_yticks([i + 0.5 for i in range(len(configs))], names, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure
