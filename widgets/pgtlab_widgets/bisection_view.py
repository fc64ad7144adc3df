"""The bisection: the commit graph with tested and remaining commits, for each meaning of "bad"."""

from __future__ import annotations

from typing import Any

import traitlets

from pgtlab.lab.bisection import Bad, Bisection, why_they_differ
from pgtlab.lab.bisection_picture import bisection_picture
from pgtlab.lab.history import Revision
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.picture import Picture
from pgtlab_widgets.kernel_view import KernelView
from pgtlab_widgets.synced import ahead
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
    foresees = ahead("choose", "bad")

    bad = traitlets.Enum([bad.name for bad in Bad])

    def __init__(
        self,
        bad: str = "PANICS",
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
    ) -> None:
        self._bisections: dict[Bad, Bisection] = {}
        super().__init__(page_size, va_bits, cpu, pa_bits, bad=bad)

    @property
    def bisection(self) -> Bisection | None:
        """The bisection for the chosen meaning of "bad"; None if the kernel does not boot."""
        return self._bisections.get(Bad[self.bad])

    @property
    def found(self) -> dict[Bad, Revision]:
        """The first bad commit for each meaning of "bad" for which it is found."""
        return {bad: b.first_bad for bad, b in self._bisections.items() if b.first_bad}

    def booted(self, before: Boot | NoBoot) -> None:
        """Start over with another kernel."""
        boot = self.boot
        self._bisections = {bad: Bisection.start(boot, bad) for bad in Bad} if isinstance(boot, Boot) else {}
        self.draw()

    @traitlets.observe("bad")
    def _look(self, change: object) -> None:
        """Show the bisection for another meaning of "bad"."""
        if self.view:  # else it was not booted yet: Python calls the observers of the first values in any order
            self.draw()

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        b, picture = self.bisection, self.picture()
        return {
            "choices": self.toggles(),
            "stuck": self.stuck,
            "bad": [{"label": bad.value, "selected": bad.name == self.bad, "send": {"bad": bad.name}} for bad in Bad],
            "next": b.next.subject if b and b.next else "",
            "status": f"{b.verdict} Tests so far: {len(b.tested) - 2}" if b else "",
            "picture": picture and picture.spec(),
            "found": [self._found(number, bad) for number, bad in enumerate(Bad, 1)],
            "why": why_they_differ(self._bisections.values()),
        }

    def _found(self, number: int, bad: Bad) -> dict[str, Any]:
        """The first bad commit for one meaning of "bad"."""
        found = self.found.get(bad)
        if found is None:
            return {"number": number, "bad": bad.value, "subject": "", "note": "not found yet"}
        end = found.number == self._bisections[bad].revisions[-1].number
        note = " (the end, which was not tested: a bisection assumes that it is bad)" if end else ""
        return {"number": number, "bad": bad.value, "subject": found.subject, "note": note}

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a kernel, a meaning of "bad", a commit to test, or the one that git would test next."""
        b = self.bisection
        match message:
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"bad": bad}:
                self.bad = bad
            case {"start": True} if b:
                self._show(Bisection.start(b.boot, b.bad))
            case {"commit": number} if b:
                self._show(b.test(next(revision for revision in b.revisions if revision.number == int(number))))
            case {"next": True} if b and b.next:
                self._show(b.test(b.next))
            case {"run": True} if b:
                self._show(b.to_the_end())

    def _show(self, b: Bisection) -> None:
        self._bisections[b.bad] = b
        self.draw()

    def picture(self) -> Picture | None:
        """The current graph; None if the kernel does not boot."""
        return None if self.bisection is None else bisection_picture(self.bisection, self.found)

    def text(self) -> str:
        """What is known about each commit."""
        picture = self.picture()
        return self.stuck if picture is None else picture.description
