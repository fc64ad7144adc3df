"""How much work something is, where a time would depend on the machine."""

import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class _Count:
    work: int = 0
    before: int = 0


def calls(function: Callable[[], object]) -> int:
    """The calls of functions, in Python and in C, that a call of `function` makes in this thread."""
    count = _Count()

    def profile(frame: object, event: str, argument: object) -> None:
        count.work += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count.work


COPIED = 64  # bytes of new memory that count as one step


def steps(function: Callable[[], object]) -> int:
    """The steps of a call of `function` in this thread.

    A step is a line of Python, each time that it runs, a call of a function in C, or `COPIED` bytes of new memory at a
    time: concatenation in a loop is seen, though it is one line. What a function in C does without memory is not seen.
    """
    count = _Count()

    def step(event: str, counted: str) -> None:
        now, peak = tracemalloc.get_traced_memory()
        count.work += (event == counted) + max(0, peak - count.before) // COPIED
        count.before = now
        tracemalloc.reset_peak()

    def profile(frame: object, event: str, argument: object) -> None:
        step(event, "c_call")

    def trace(frame: object, event: str, argument: object) -> object:
        step(event, "line")
        return trace

    before = sys.getprofile(), sys.gettrace()
    tracemalloc.start()
    sys.setprofile(profile)
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before[1])
        sys.setprofile(before[0])
        tracemalloc.stop()
    return count.work


def growth(work: Callable[[int], int], n: int) -> float:
    """How the work for 4n inputs grew beyond that for 2n, compared with how that grew beyond n: linear work is 2.

    >>> growth(lambda n: 100 + 7 * n, 10), growth(lambda n: n * n, 10)
    (2.0, 4.0)
    """
    one, two, four = (work(size) for size in (n, 2 * n, 4 * n))
    return (four - two) / max(1, two - one)
