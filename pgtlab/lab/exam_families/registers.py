"""Claims about registers: frames, who wrote what, the five instructions and the flags, and what is left over."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import permutations
from random import Random
from typing import Final

from pgtlab.lab.crash import Crash, flags_after_cmp
from pgtlab.lab.crash_code import flags, four_could_have_run, instructions
from pgtlab.lab.exam_claims import Draft
from pgtlab.lab.exam_log import ExamLog

FLAGS: Final = "pstate"
CODE: Final = "Code"


def whose_frame(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whose frame x29 points to."""
    for name in log.crash.calls.compiled[:3]:
        yield Draft(
            f"x29 points to the frame of `{name}`.",
            lambda c: c.calls.compiled[c.calls.leaf],
            name,
            "the function that faulted is a leaf: it has no frame, its caller is only in lr, and x29 is that caller's",
            ("lr :", "x29:", "Call trace"),
            "every-call-has-a-frame",
        )


def return_address(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Where the innermost frame returns to."""
    for name in log.crash.calls.compiled[1:3]:
        yield Draft(
            f"The word at x29 + 8 is an address in `{name}`.",
            lambda c: c.calls.compiled[c.calls.leaf + 1],
            name,
            "a frame holds the address that its own function returns to, and this frame is that of lr's function",
            ("lr :", "Call trace"),
            "lr-is-in-the-trace",
        )


def function_of_lr(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What lr says about a function that the trace does not name."""
    name = log.crash.calls.lr
    for words, inlined in (("was inlined", True), ("has machine code of its own and had not returned", False)):
        yield Draft(
            f"`{name}`, which is not in the call trace, {words}.",
            lambda c: name not in c.calls.compiled,
            inlined,
            "the function that faulted returns to it, so it is neither inlined nor finished; the caller of a leaf is "
            "not in a trace",
            ("lr :",),
            "lr-is-in-the-trace",
        )


def argument(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether x0 still is the first argument."""
    for words, same in (("still holds", True), ("no longer holds", False)):
        yield Draft(
            f"x0 {words} the first argument of the function that faulted.",
            lambda c: c["x0"] == c["x20"],
            same,
            "the first argument is the address of a page, and x0 is the largest number of a section",
            ("x0 :",),
            "registers-are-arguments",
        )


def number_of_x22(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What the number in x22 tells."""
    for text, register in (
        ("A function that was still running had the true number of the bad page's frame.", "x22"),
        ("The frame whose section was looked up is the one that x22 names.", "x1"),
    ):
        yield Draft(
            text,
            lambda c: c.run.reports[0].pfn,
            log.crash[register],
            "x22 is callee-saved and holds a caller's value, the true pfn; page_to_pfn() of the copy was looked up",
            ("x22:", "Bad page state"),
            "any-register-survives",
        )


def meaning_of_x0(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What x0 holds."""
    k = log.crash.kernel
    for words, value in (
        ("the largest number that a section can have in this kernel", k.NR_MEM_SECTIONS - 1),
        ("the number of sections that this kernel can have", k.NR_MEM_SECTIONS),
        ("the largest number that a root can have in this kernel", k.NR_SECTION_ROOTS - 1),
    ):
        yield Draft(
            f"x0 is {words}.",
            lambda c: c["x0"],
            value,
            f"2^({log.crash.boot.config.pa_bits} - {k.SECTION_SIZE_BITS}) sections, counted from 0; the load put "
            "nothing into x0",
            ("x0 :",),
            "read-from-the-target",
        )


def ran(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether the instructions before pc ran on the way to it."""
    shown = draw.choice(instructions(log.crash.kernel)[:4]).text
    for words, it_ran in (("ran", True), ("did not run", False)):
        yield Draft(
            f"`{shown}` in the line `Code:` {words} on the way to the fault.",
            four_could_have_run,
            it_ran,
            "whichever of them ran, `csel` ran last, and with these flags it would have copied x4 to x3, which is 0",
            (CODE, FLAGS, "x3 :"),
            "words-before-ran",
        )


def comparison(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Which comparison left the flags."""
    for left, right in (("x3", "#0"), ("x4", "x0")):
        yield Draft(
            f"The flags of line {log.line(FLAGS)} can be those of `cmp {left}, {right}`.",
            partial(_fits, left=left, right=right),
            True,
            "x3 is 0 and would have set Z; x4, the section, is larger than x0, which sets C and nothing else",
            (FLAGS, f"{left} :"),
            "words-before-ran",
        )


def which_comparison(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Whether the log shows which comparison left the flags."""
    yield Draft(
        f"The flags of line {log.line(FLAGS)} come from comparing x4 with x0.",
        lambda c: None if len(list(_that_fit(c))) > 1 else _fits(c, "x4", "x0"),
        True,
        "they fit, but other comparisons leave the same flags, and the instruction is not in the log",
        (),
        "fits-is-proved",
    )


def result_of_comparison(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What the flags say about the two values that were compared."""
    for words, of_two in (
        ("two equal values", flags_after_cmp(1, 1)),
        ("a first value that is smaller than the second, both without a sign", flags_after_cmp(1, 2)),
        ("a first value that is larger than the second, both without a sign", flags_after_cmp(2, 1)),
    ):
        yield Draft(
            f"The last comparison before the fault had found {words}.",
            flags,
            of_two,
            "C is set where nothing had to be borrowed, and Z where the two are equal",
            (FLAGS,),
            "z-means-different" if "equal" in words else "c-is-a-borrow",
        )


def _fits(crash: Crash, left: str, right: str) -> bool:
    """Whether a comparison leaves the flags of the log."""
    return flags_after_cmp(crash[left], 0 if right == "#0" else crash[right]) == flags(crash)


def _that_fit(crash: Crash) -> Iterator[tuple[str, str]]:
    """Pairs of registers whose comparison leaves the flags of the log."""
    names = [name for name in crash.registers if name.startswith("x")]
    return (pair for pair in permutations(names, 2) if _fits(crash, *pair))


def left_over(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What x16 and x17 hold."""
    low, high = log.left_over[:8], log.left_over[8:]
    for text in (high, high[::-1]):
        yield Draft(
            f"Read as text, x17 is `{text}`.",
            lambda c: high,
            text,
            f"the lowest byte is the first: x16 and x17 are `{low}` and `{high}`, left over from printing",
            ("x17:",),
            "big-endian-text",
        )
    yield Draft(
        "x16 and x17 hold what the function that faulted was working on.",
        lambda c: any(log.left_over in line for line in log.lines),
        False,
        f"`{low}{high}` is a piece of a line that was printed before: it is left over",
        ("x17:", "page: refcount"),
        "everything-is-evidence",
    )


FAMILIES: Final = (
    whose_frame,
    return_address,
    function_of_lr,
    argument,
    number_of_x22,
    meaning_of_x0,
    ran,
    comparison,
    which_comparison,
    result_of_comparison,
    left_over,
)
