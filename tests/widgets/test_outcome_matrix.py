"""The bug lab's matrix while it is filled: its picture is the same object until another cell has an outcome."""

from types import SimpleNamespace

from pgtlab_widgets.outcome_matrix import OutcomeMatrix
from pgtlab_widgets.steps import Steps

from pgtlab.linux.boot import Boot, NoBoot


class Runs:
    """Runs of a tree that panics everywhere."""

    def run(self, booted):
        return SimpleNamespace(run=SimpleNamespace(outcome="panic" if isinstance(booted, Boot) else "no boot"))


def test_the_picture_changes_with_the_outcomes_only():
    matrix = OutcomeMatrix(Steps(0))
    matrix.reset("a tree")
    empty = matrix.spec()
    assert empty["shapes"]
    assert matrix.spec() is empty
    key = next(matrix.fill(Runs()))
    assert matrix.outcomes[key] == "panic"
    filled = matrix.spec()
    assert filled != empty
    assert matrix.spec() is filled
    matrix.reset("another tree")
    assert matrix.spec() is not filled


def test_every_cell_is_filled_once():
    """Also those where no kernel boots, about which nothing is told."""
    matrix = OutcomeMatrix(Steps(0))
    told = [*matrix.fill(Runs())]
    assert set(matrix.outcomes) == set(matrix.boots)
    assert set(told) == {key for key, booted in matrix.boots.items() if not isinstance(booted, NoBoot)}
    assert [*matrix.fill(Runs())] == []
