"""The bisection: the commit graph with tested and remaining commits, for each meaning of "bad"."""

from __future__ import annotations

from typing import Any

import traitlets

from pgtlab.lab.bisection import Bad, Bisection
from pgtlab.lab.bisection_picture import bisection_picture
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.picture import Picture
from pgtlab_widgets.kernel_view import KernelView
from pgtlab_widgets.view import module


class BisectionView(KernelView):
    """linux-next's history in miniature, to bisect by hand or by git's rule.

    Parameters
    ----------
    bad : str
        `PANICS`, `REPORTS` or `PANICS_WITH_ARM64`.
    page_size, va_bits, cpu, pa_bits
        The configuration in which each commit is booted, and the CPU.

    Examples
    --------
    >>> view = BisectionView("REPORTS")
    >>> view.receive({"run": True})
    >>> view.bisection.first_bad.subject
    'arm64: mm: Add support for folding PUDs at runtime'
    """

    _esm = module("bisection_view")

    bad = traitlets.Enum([bad.name for bad in Bad])

    def __init__(
        self,
        bad: str = "PANICS",
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
    ) -> None:
        self.bisection: Bisection | None = None
        super().__init__(page_size, va_bits, cpu, pa_bits, bad=bad)

    def booted(self, before: Boot | NoBoot) -> None:
        """Start over with another kernel."""
        self._start()

    @traitlets.observe("bad")
    def _start(self, change: object = None) -> None:
        """Start with no commit tested."""
        self.bisection = Bisection.start(self.boot, Bad[self.bad]) if isinstance(self.boot, Boot) else None
        self.draw()

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        b = self.bisection
        return {
            "choices": self.toggles(),
            "stuck": self.stuck,
            "bad": [{"label": bad.value, "selected": bad.name == self.bad, "send": {"bad": bad.name}} for bad in Bad],
            "next": b.next.subject if b and b.next else "",
            "status": f"{b.verdict} Tests so far: {len(b.tested) - 2}" if b else "",
            "picture": b and bisection_picture(b).spec(),
        }

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a kernel, a meaning of "bad", a commit to test, or the one that git would test next."""
        b = self.bisection
        match message:
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"bad": bad}:
                self.bad = bad
            case {"start": True}:
                self._start()
            case {"commit": number} if b:
                self._test(b, number)
            case {"next": True} if b and b.next:
                self._test(b, b.next.number)
            case {"run": True} if b:
                while b.next:
                    b = b.test(b.next)
                self.bisection = b
                self.draw()

    def _test(self, b: Bisection, number: int | str) -> None:
        self.bisection = b.test(next(revision for revision in b.revisions if revision.number == int(number)))
        self.draw()

    def picture(self) -> Picture | None:
        """The current graph; None if the kernel does not boot."""
        return None if self.bisection is None else bisection_picture(self.bisection)

    def text(self) -> str:
        """What is known about each commit."""
        picture = self.picture()
        return self.stuck if picture is None else f"{picture.title}\n{picture.description}"
