"""Long work in steps: the page asks for each one when it has drawn the last, and so stays responsive."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any


class Steps:
    """One piece of work at a time, with a name. Messages: a step, or to stop.

    Parameters
    ----------
    seconds : float
        The length of a step, which ends with the next item of the work; 0 for one item in each step.

    Examples
    --------
    >>> steps = Steps(0)
    >>> steps.start("count", iter(range(2)))
    >>> steps.drawn()
    {'doing': 'count', 'next': {'step': 0}}
    >>> for _ in range(3):
    ...     steps.receive(steps.drawn()["next"])
    >>> steps.drawn()
    {'doing': '', 'next': None}
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._work: Iterator[object] | None = None
        self._name = ""
        self._number = 0

    def start(self, name: str, work: Iterator[object]) -> None:
        """Begin, in place of any other work."""
        self._name, self._work = name, work

    def stop(self) -> None:
        """Drop the rest of the work."""
        self._work = None

    def finish(self) -> bool:
        """Do the rest of the work in one go; False if there is none."""
        work, self._work = self._work, None
        for _ in work or ():
            pass
        return work is not None

    def receive(self, message: dict[str, Any]) -> None:
        """Take a step, or stop. A step is taken once, even if two pages show the view and ask for it."""
        match message:
            case {"step": number} if number == self._number:
                self._number += 1
                self._take()
            case {"stop": True}:
                self.stop()

    def _take(self) -> None:
        work, self._work = self._work, None  # work that fails does not go on
        until = monotonic() + self._seconds
        for _ in work or ():
            if monotonic() >= until:
                self._work = work
                break

    def drawn(self) -> dict[str, Any]:
        """The name of the work, and the step to ask for."""
        working = self._work is not None
        return {"doing": self._name if working else "", "next": {"step": self._number} if working else None}
