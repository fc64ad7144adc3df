"""The log of an exam: what the model prints of a crash, and lines that only a real kernel prints, less the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Final

from pgtlab.lab.crash import Crash
from pgtlab.lab.crash_code import code_line, pstate_line

HIDDEN: Final = ("x1", "x4", "x5", "x20", "x24")  # registers that the paper leaves out, to be derived
BLANK: Final = "?" * 16
LEFT_OVER: Final = 16  # bytes of text in x16 and x17


@dataclass(frozen=True)
class ExamLog:
    """The log that a paper shows.

    Attributes
    ----------
    crash : Crash
        The boot that panicked.
    seed : int or str
        Of the exam; it chooses what an earlier function left in x16 and x17.

    Examples
    --------
    >>> from pgtlab.lab.crash import story
    >>> log = ExamLog(story(), 1)
    >>> log.lines[log.line("Code") - 1]
    'Code: d37b1884 f100007f 8b040064 9a831083 (f9400460)'
    """

    crash: Crash
    seed: int | str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines, without times, without the registers that are asked for, and without ESR in words."""
        hidden = re.compile(rf"\b({'|'.join(HIDDEN)})( ?): [0-9a-f]{{16}}")
        lines = (hidden.sub(rf"\1\2: {BLANK}", line) for line in self._printed())
        return tuple(re.sub(r"((?:EC|FSC) = ).*", r"\1????", line) for line in lines)

    def line(self, text: str) -> int:
        """The number of the first line that has `text` in it, counted from 1."""
        return next(number for number, line in enumerate(self.lines, 1) if text in line)

    @cached_property
    def left_over(self) -> str:
        """Text in x16 and x17 that the kernel copied when it printed the page's counts."""
        printed = next(line for line in self._without_times() if line.startswith("page: refcount"))
        start = Random(f"left over {self.seed}").randrange(len(printed) - LEFT_OVER)
        return printed[start : start + LEFT_OVER]

    def _without_times(self) -> Iterator[str]:
        return (line.partition("] ")[2] for line in self.crash.run.dmesg)

    def _printed(self) -> Iterator[str]:
        low, high = (int.from_bytes(self.left_over[at : at + 8].encode(), "little") for at in (0, 8))
        before = {
            "pc :": pstate_line(self.crash),
            "x5 :": f"x17: {high:016x} x16: {low:016x}",
            "---[ end trace": code_line(self.crash.kernel),
        }
        for line in self._without_times():
            yield from (new for start, new in before.items() if line.startswith(start))
            yield line
