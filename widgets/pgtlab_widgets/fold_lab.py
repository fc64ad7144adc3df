"""The fold lab: which of Linux's levels fold, in every configuration on every CPU."""

from __future__ import annotations

import weakref
from typing import Any

from pgtlab.lab.blanks import fold_blanks
from pgtlab.lab.fill_in import Blank
from pgtlab.lab.matrix import boots
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.fold_picture import cell_key, cell_name, fold_line, fold_picture
from pgtlab.picture import Picture
from pgtlab_widgets.choices import traits
from pgtlab_widgets.kernel_view import KernelView, on_the_page
from pgtlab_widgets.quiz import Quiz
from pgtlab_widgets.synced import ahead
from pgtlab_widgets.turns import in_turn
from pgtlab_widgets.view import module


class FoldLab(Quiz, KernelView):
    """All kernels at a glance. A click on a cell chooses one.

    Parameters
    ----------
    *views : KernelView
        The views that follow the choice, such as an explorer; without any, all views with toggles that cells show.
    page_size, va_bits, cpu, pa_bits
        The kernel that is chosen first.
    quiz : bool
        Hide what the cells say; the reader fills in one cell after the other. `quiz_answers` has what was said about
        the chosen one.

    Examples
    --------
    >>> from pgtlab_widgets import Explorer
    >>> explorer = Explorer()
    >>> FoldLab(explorer).receive({"cell": "16k/52/52/max,lpa2=off"})
    >>> explorer.boot.vabits_actual
    47
    """

    _esm = module("fold_lab")
    foresees = ahead(overtaking=("cell",))
    reflows = True

    def __init__(
        self,
        *views: KernelView,
        page_size: str = "4k",
        va_bits: int = 52,
        cpu: str = "max",
        pa_bits: int | None = None,
        quiz: bool = False,
    ) -> None:
        self._solved: set[str] = set()  # the cells that were filled in
        self._boots = {cell_key(boot): boot for boot in boots()}
        self._views = weakref.WeakSet(views)
        super().__init__(page_size, va_bits, cpu, pa_bits, quiz=quiz)
        self.resized()

    def resized(self) -> None:
        """Draw the matrix for another room, or with more cells filled in."""
        self.base_view = {"picture": self._matrix().spec()}

    def _matrix(self, selected: Boot | NoBoot | None = None) -> Picture:
        """The matrix; in a quiz with those cells alone that were filled in."""
        known = self._solved if self.quiz else None
        return fold_picture(list(self._boots.values()), selected, self.room, known)

    def booted(self, before: Boot | NoBoot) -> None:
        """Ask about the cell that was chosen."""
        self.ask()
        self.draw()

    def blanks(self) -> tuple[Blank, ...]:
        """What the chosen cell says."""
        return () if cell_key(self.boot) in self._solved else fold_blanks(self.boot)

    def answered(self) -> None:
        """Show the cell when all of it is filled in."""
        if self.quiz and not self.hidden:
            self._solved.add(cell_key(self.boot))
        self.resized()
        self.draw()

    def _followers(self) -> list[KernelView]:
        return [*self._views] or on_the_page()

    def _twin(self) -> FoldLab:
        """A copy that nothing follows."""
        twin = super()._twin()
        twin._followers = list  # type: ignore[method-assign]
        return twin

    def drawn(self) -> dict[str, Any]:
        """Which cell is chosen, and how the levels fold there."""
        status = cell_name(self.boot) if self.hidden else fold_line(self.boot)
        return {"selected": cell_key(self.boot), "status": status, "quiz": self.quiz_drawn()}

    @in_turn
    def receive(self, message: dict[str, Any]) -> None:
        """Handle an answer, or a cell that was clicked."""
        if "blank" in message:
            self.hear(message)
            return
        boot = self._boots[message["cell"]]
        for view in (self, *self._followers()):
            view.choose(**traits(boot.config), cpu=boot.cpu.name)

    def picture(self) -> Picture:
        """The matrix, with the chosen cell marked."""
        return self._matrix(self.boot)

    def text(self) -> str:
        """A line for each cell."""
        return self.picture().description
