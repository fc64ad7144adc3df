"""The bug lab's judge: the patched kernel, judged in one configuration after another."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from pgtlab.lab.kernel_checks import judging
from pgtlab.lab.result import Result
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.kernel import Kernel
from pgtlab_widgets.kernel_run import PatchRuns
from pgtlab_widgets.steps import Steps


class KernelJudge:
    """Progress and result of judging. Message: to judge.

    Attributes
    ----------
    result : Result or None
        What `check()` returns, once all kernels are judged.
    judged : int
        How many kernels have been judged so far.
    """

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.reset()

    def reset(self) -> None:
        """Drop the result."""
        self.result: Result | None = None
        self.judged = 0

    def receive(self, message: dict[str, Any], patched: PatchRuns, booted: Boot | NoBoot) -> None:
        """Begin to judge."""
        match message:
            case {"judge": True}:
                self.reset()
                self._steps.start("judge", self._judge(patched.start_kernel(booted)))

    def _judge(self, kernel: Kernel) -> Iterator[int]:
        def result() -> Generator[int, None, None]:
            self.result = yield from judging(kernel)

        for self.judged in result():
            yield self.judged

    def drawn(self) -> dict[str, Any]:
        """The progress, and the findings, or why there are none."""
        findings: list[str] = []
        if self.result is not None:
            findings = [self.result.headline] if self.result.reason else list(map(str, self.result.findings))
        return {"judged": self.judged, "findings": findings}
