"""The fold lab: which of Linux's levels fold, in every configuration on every CPU."""

from __future__ import annotations

import weakref
from typing import Any

import traitlets

from pgtlab.lab.matrix import boots
from pgtlab.linux.fold_picture import cell_key, fold_line, fold_picture
from pgtlab.picture import Picture
from pgtlab_widgets.choices import traits
from pgtlab_widgets.kernel_view import KernelView, on_the_page
from pgtlab_widgets.view import module


class FoldLab(KernelView):
    """All kernels at a glance. A click on a cell chooses one.

    Parameters
    ----------
    *views : KernelView
        The views that follow the choice, such as an explorer; without any, all views with toggles that cells show.
    page_size, va_bits, cpu, pa_bits
        The kernel that is chosen first.

    Examples
    --------
    >>> from pgtlab_widgets import Explorer
    >>> explorer = Explorer()
    >>> FoldLab(explorer).receive({"cell": "16k/52/52/max,lpa2=off"})
    >>> explorer.boot.vabits_actual
    47
    """

    _esm = module("fold_lab")
    foresees = traitlets.Dict({"cell": True}).tag(sync=True)

    def __init__(
        self,
        *views: KernelView,
        page_size: str = "4k",
        va_bits: int = 52,
        cpu: str = "max",
        pa_bits: int | None = None,
    ) -> None:
        self._boots = {cell_key(boot): boot for boot in boots()}
        self._views = weakref.WeakSet(views)
        super().__init__(page_size, va_bits, cpu, pa_bits)
        self.base_view = {"picture": fold_picture(list(self._boots.values())).spec()}

    def _followers(self) -> list[KernelView]:
        return [*self._views] or on_the_page()

    def _twin(self) -> FoldLab:
        """A copy that nothing follows."""
        twin = super()._twin()
        twin._followers = list  # type: ignore[method-assign]
        return twin

    def drawn(self) -> dict[str, Any]:
        """Which cell is chosen, and how the levels fold there."""
        return {"selected": cell_key(self.boot), "status": fold_line(self.boot)}

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a cell that was clicked."""
        boot = self._boots[message["cell"]]
        for view in (self, *self._followers()):
            view.choose(**traits(boot.config), cpu=boot.cpu.name)

    def picture(self) -> Picture:
        """The matrix, with the chosen cell marked."""
        return fold_picture(list(self._boots.values()), self.boot)

    def text(self) -> str:
        """A line for each cell."""
        return self.picture().description
