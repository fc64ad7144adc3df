"""Claims about the fault: what the walk read, what other accesses would report, and what NULL was."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Final

from pgtlab.arch.fault import Access, Fault
from pgtlab.lab.crash import Crash
from pgtlab.lab.exam_claims import Draft
from pgtlab.lab.exam_log import ExamLog
from pgtlab.lab.machine import Machine
from pgtlab.linux.boot import Fold

ESR: Final = "ESR ="
AT: Final = "Unable to handle"
MM: Final = "active_mm"
NAMES: Final = {0: "no entry", 1: "one entry", 3: "three entries", 4: "four entries", 5: "five entries"}


def entries_read(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """How many entries the walk of the address read."""
    for number in (0, 1, 4):
        yield Draft(
            f"For the access that faulted, the MMU read {NAMES[number]} of a page table.",
            lambda c: len(c.kernel.mmu.translate(_address(c), el=1).steps),
            number,
            "the level of a fault is that of the entry that stopped the walk, and walks begin at level 0 here",
            (ESR, MM),
            "fault-level-is-depth" if number else "level-0-table-missing",
        )


def a_whole_walk(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """How many entries a walk to a page reads."""
    for number in (3, 4, 5):
        yield Draft(
            f"To translate an address of a mapped page, the MMU of this kernel reads {NAMES[number]}.",
            lambda c: 4 - c.boot.start_level,
            number,
            "where the first entry is missing the fault is where walks begin: levels 0 to 3 are four",
            (ESR, MM),
            "five-names-five-tables",
        )


def the_table(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """Which register the walk of the address began with, and whether its level is folded."""
    for register in ("TTBR0_EL1", "TTBR1_EL1"):
        yield Draft(
            f"The walk that ended in the fault began at the table that {register} names.",
            lambda c: f"TTBR{_address(c) >> 55 & 1}_EL1",
            register,
            "bit 55 of the address chooses, and not who makes the access",
            (AT,),
            "the-kernel-has-one-register",
        )


def folded(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """How many of Linux's levels are folded."""
    for number, words in ((1, "One of Linux's five levels is"), (2, "Two of Linux's five levels are")):
        yield Draft(
            f"{words} folded in this kernel.",
            lambda c: sum(f is not Fold.REAL for f in c.boot.folded.values()),
            number,
            "level 0 is the first of four: of pgd, p4d, pud, pmd and pte one has no table of its own",
            (ESR, MM),
            "the-nearest-level-folds",
        )
    yield Draft(
        "The level that the fault names is a level that is folded in this kernel.",
        lambda c: c.boot.start_level > 0,
        True,
        "level 0 is the pgd's, whose entry was read; a level that is folded has no entry that the MMU could read",
        (ESR, MM),
        "the-pgd-folds",
    )


def other_access(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What ESR would be for another access to the same address."""
    esr = log.crash.run.reports[-1].esr
    assert esr is not None
    for text, access, level, wrong in (
        ("a write of address {:#x} by the kernel", Access.WRITE, 1, (esr | 1, esr & ~(1 << 26))),
        ("a read of address {:#x} by a program", Access.READ, 0, (esr, esr ^ 0x0200_0000)),
    ):
        right = int(_esr(log.crash, access, level))
        for value in (right, draw.choice([each for each in wrong if each != right])):
            yield Draft(
                f"With the same tables, {text.format(_address(log.crash))} would have given ESR = {value:#010x}.",
                partial(_esr, access=access, el=level),
                value,
                f"WnR is bit 6, and the EC of a data abort is 0x25 from EL1, 0x24 from EL0: {right:#010x}",
                (ESR,),
                "wnr-is-read" if access is Access.WRITE else "ec-does-not-say-who",
            )


def neighbour(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """The level of a fault on the first page if the page after it is mapped."""
    for level in (0, 3):
        yield Draft(
            "In the task of a program whose second page is mapped, and whose first page is not, the same read by the "
            f"kernel would have been reported at level {level}.",
            _level_beside_a_page,
            level,
            "the tables down to level 3 exist for the second page, and the first page shares them",
            (ESR, AT),
            "null-is-always-level-0",
        )


def whose_null(log: ExamLog, draw: Random) -> Iterator[Draft]:
    """What NULL was a pointer to."""
    yield Draft(
        "The pointer that was NULL is the pointer to the page that was being freed.",
        lambda c: c["x3"] == c.kernel.pfn_to_page(c["x22"]).address,
        True,
        "the record of that page was read and printed; NULL is the mem_section of a frame that does not exist",
        ("page: refcount", "x3 :"),
        "free-page-was-null",
    )
    for kind in ("struct mem_section", "struct page"):
        yield Draft(
            f"The pointer that was NULL was to lead to a `{kind}`.",
            _read_through,
            kind,
            "the load reads `usage`, at offset 8, of the mem_section that the lookup returned",
            (AT, "Code"),
            "free-page-was-null",
        )


def _read_through(crash: Crash) -> str:
    """The structure whose field was read."""
    usage = crash.kernel["offsetof(struct mem_section,usage)"]
    return "struct mem_section" if crash["x3"] + usage == _address(crash) else "another structure"


def _address(crash: Crash) -> int:
    address = crash.run.reports[-1].address
    assert address is not None
    return address


def _esr(crash: Crash, access: Access, el: int) -> int:
    esr = crash.kernel.mmu.translate(_address(crash), access, el=el).esr
    assert esr is not None
    return int(esr)


def _level_beside_a_page(crash: Crash) -> int:
    machine = Machine(crash.config.page_size_name, crash.boot.vabits_actual)
    process = machine.process("a program")
    process.map(machine.page_size, machine.frame())
    outcome = process.mmu.translate(_address(crash), el=1).outcome
    assert isinstance(outcome, Fault)
    return outcome.level


FAMILIES: Final = (
    entries_read,
    a_whole_walk,
    the_table,
    folded,
    other_access,
    neighbour,
    whose_null,
)
