"""Claims about a log of the panic: true, false, or not to be decided from it, with the lines that decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pgtlab.lab.crash import Crash

Verdict = Literal["true", "false", "not decidable"]
LineOf = Callable[[str], int]


@dataclass(frozen=True)
class ExamClaim:
    """A sentence about a log, whether it is true, the lines that decide it, and why."""

    text: str
    verdict: Verdict
    why: str
    lines: tuple[int, ...] = ()


def claims(crash: Crash, line: LineOf) -> Iterator[ExamClaim]:
    """Twenty claims about the log of a crash: seven true, seven false, six that the log does not decide.

    `line` finds the number of the line that contains a text.
    """
    yield from _true(crash, line)
    yield from _false(crash, line)
    yield from _open()


def _true(crash: Crash, line: LineOf) -> Iterator[ExamClaim]:
    assert crash["x4"] > crash["x0"]
    assert crash["sp"] < crash["x20"]
    yield ExamClaim(
        "The kernel itself made the access that faulted.",
        "true",
        "EC = 0x25: a data abort from the current exception level",
        (line("ESR ="),),
    )
    yield ExamClaim("The access was a read.", "true", "WnR = 0", (line("WnR"),))
    yield ExamClaim(
        "A table of the level at which the fault is reported existed and was read.",
        "true",
        "the level is that of the entry that stopped the walk",
        (line("ESR ="), line("active_mm")),
    )
    yield ExamClaim(
        "The page that was being freed still had the type of a page table.",
        "true",
        "mapcount:-512 is stored as -513 = 0xfffffdff: the bit of a table is cleared",
        (line("mapcount:"),),
    )
    yield ExamClaim(
        "The report of the bad page ends before it is complete.",
        "true",
        "no line with the flags follows the line with the counts; the fault comes first",
        (line("mapcount:"), line("Unable to handle")),
    )
    yield ExamClaim(
        "The number of a section that was looked up is larger than any that this kernel can have.",
        "true",
        "x4, the section of x1, is above x0, the largest number of a section: so NULL came back",
        (line("x0 :"), line("x4 :")),
    )
    yield ExamClaim(
        "The machine stopped because the task that died was PID 1.",
        "true",
        "an oops ends a task; without init the kernel panics",
        (line("PID: 1"), line("Attempted to kill init")),
    )


def _false(crash: Crash, line: LineOf) -> Iterator[ExamClaim]:
    assert crash.kernel.memstart_addr < 0
    assert crash["x3"] == 0
    yield ExamClaim(
        "RAM begins at the address that PHYS_OFFSET names.",
        "false",
        "it is negative: it is where the linear map begins, which KASLR has moved",
        (line("PHYS_OFFSET"),),
    )
    yield ExamClaim(
        "The NULL pointer was the pointer to the page that was being freed.",
        "false",
        "that page has a pfn and was printed; NULL was the mem_section of a pfn that does not exist",
        (line("mapcount:"), line("x3 :")),
    )
    yield ExamClaim(
        "The number 8 was stored in a pointer.",
        "false",
        "x3 is 0; 8 is the place of a field in the structure",
        (line("Unable to handle"), line("x3 :")),
    )
    yield ExamClaim(
        "The line `page does not match folio` says that the page which was freed is damaged.",
        "false",
        "the index was computed from a copy on the stack: the line is about the copy",
        (line("page does not match folio"),),
    )
    yield ExamClaim(
        "The task swapper/0 had an address space of its own, in which address 8 was not mapped.",
        "false",
        "active_mm is the kernel's own, which is also called swapper",
        (line("active_mm"), line("PID: 1")),
    )
    yield ExamClaim(
        "The page had been mapped 512 times too few.",
        "false",
        "the field is not a count here; the same four bytes hold the page's type",
        (line("mapcount:"),),
    )
    yield ExamClaim(
        "The call trace names every function that had been called and had not returned.",
        "false",
        "the function that lr points into is missing, and so are inlined ones",
        (line("lr :"), line("Call trace")),
    )


def _open() -> Iterator[ExamClaim]:
    yield ExamClaim("The machine has more than 16 GiB of RAM.", "not decidable", "no line says how much RAM there is")
    yield ExamClaim(
        "The mistake in the code that frees the table is older than the mistake in the code that prints the page.",
        "not decidable",
        "a log says nothing about the history of the source",
    )
    yield ExamClaim(
        "The frame of the bad page had been a page table more than once.",
        "not decidable",
        "the page's type says what it is now; nothing counts how often it was that",
    )
    yield ExamClaim(
        "At the time of the fault another CPU was freeing a page as well.",
        "not decidable",
        "nothing says what the other CPUs did",
    )
    yield ExamClaim("This was the first boot of this kernel.", "not decidable", "nothing counts boots")
    yield ExamClaim(
        "Before it was a page table, the frame of the bad page had held other data of the kernel.",
        "not decidable",
        "the log says what the page's type is, and not what it was before",
    )
