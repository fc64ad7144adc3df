"""The bug lab's matrix: the outcome of the patched tree in every configuration on every CPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pgtlab.lab.matrix import boots
from pgtlab.lab.matrix_picture import matrix_picture
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.fold_picture import cell_key
from pgtlab.picture import Picture
from pgtlab_widgets.kernel_run import PatchRuns
from pgtlab_widgets.steps import Steps


class OutcomeMatrix:
    """The outcomes so far, by `cell_key`. Message: to fill the matrix.

    Attributes
    ----------
    boots : dict
        The `Boot` or `NoBoot` of each cell.
    outcomes : dict
        The outcome of each cell that has run.
    """

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.boots = {cell_key(booted): booted for booted in boots()}
        self.reset("")

    def reset(self, tree: str) -> None:
        """Drop the outcomes: another tree or patch is chosen."""
        self._title = f"{tree}, everywhere"
        self.outcomes: dict[str, str] = {}
        self._drawn: tuple[int, dict[str, Any]] | None = None

    def receive(self, message: dict[str, Any], patched: PatchRuns) -> None:
        """Begin to fill the matrix, or go on."""
        match message:
            case {"fill": True}:
                self._steps.start("fill", self.fill(patched))

    def fill(self, patched: PatchRuns) -> Iterator[str]:
        """Run the tree in the cells that are still empty, one after another."""
        for key, booted in self.boots.items():
            if key not in self.outcomes:
                self.outcomes[key] = patched.run(booted).run.outcome
                if isinstance(booted, Boot):
                    yield key

    def picture(self, selected: Boot | NoBoot | None = None) -> Picture:
        """The matrix with the outcomes so far."""
        return matrix_picture(list(self.boots.values()), self.outcomes, self._title, selected)

    def spec(self) -> dict[str, Any]:
        """The picture with nothing selected: the same object until another cell is filled."""
        if self._drawn is None or self._drawn[0] != len(self.outcomes):
            self._drawn = len(self.outcomes), self.picture().spec()
        return self._drawn[1]

    def drawn(self) -> dict[str, Any]:
        """How many cells are filled."""
        return {"filled": len(self.outcomes)}
