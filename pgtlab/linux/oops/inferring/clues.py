"""What the fault and the messages of the boot show; and where statements about a fault disagree."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pgtlab.arch.fault import FaultKind
from pgtlab.arch.sizes import size_name
from pgtlab.arch.word import is_upper
from pgtlab.linux.headers.mm_types import mem_section
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, STATED, Evidence, Inference
from pgtlab.linux.oops.inferring.layout import Layout, layouts
from pgtlab.linux.oops.inferring.memmap import Relation
from pgtlab.linux.oops.inferring.narrowing import Clue
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.consistency import DATA_ABORTS
from pgtlab.linux.oops.reading.forms import LogText, log_text, places
from pgtlab.linux.oops.reading.registers import UNTAGGED
from pgtlab.linux.oops.reading.report import PrintedReport
from pgtlab.linux.oops.reading.walk import BETWEEN, NO_USER, PrintedWalk

MEM_SECTION_USERS = ("pfnblock", "pageblock", "pfn_valid", "pfn_to_online_page", "section")


def fault_clues(report: PrintedReport) -> Iterator[Clue]:
    """Which kernels can have had this fault."""
    if report.walk is not None:
        yield from _walk_clues(report.walk)
    yield from _level_clue(report)


def _walk_clues(walk: PrintedWalk) -> Iterator[Clue]:
    """Which kernels can print this walk."""
    size, bits, root, address, line = walk.page_size, walk.va_bits, walk.pgdp, walk.address, walk.lines[:1]
    if size is not None:
        text = f"the kernel prints {size >> 10}k pages"
        yield Clue(Evidence(text, line), lambda layout: layout.page_size == size, STATED)
    if any(layout.vabits_actual == bits for layout in layouts()):
        text = f"the kernel prints {bits}-bit VAs"
        yield Clue(Evidence(text, line), lambda layout: layout.vabits_actual == bits, STATED)
    if walk.table == "user" and root:
        text = f"pgdp = {root:#x} is aligned to {root & -root:#x}; a pgd is aligned to its size"
        yield Clue(Evidence(text, line), lambda layout: root % layout.pgd_size == 0, DERIVED)
    if walk.note == BETWEEN and address is not None:

        def between(layout: Layout) -> bool:
            return 1 << layout.vabits_actual <= address < layout.PAGE_OFFSET

        yield Clue(Evidence(f"{address:#x} is {walk.note}", walk.lines[-1:]), between, DERIVED)


def _level_clue(report: PrintedReport) -> Iterator[Clue]:
    """A walk does not end above the level at which it begins; through TTBR0 without user tables it ends right there."""
    address, walk, syndrome = report.address, report.walk, report.syndrome
    if report.fault is None or syndrome is None or address is None or syndrome.FnV or syndrome.S1PTW:
        return
    kind, level = report.fault
    if kind not in (FaultKind.TRANSLATION, FaultKind.ACCESS_FLAG, FaultKind.PERMISSION):
        return
    lines = (*report.lines_of("esr"), *report.lines_of("address"))
    if walk is not None and walk.consistent is False:
        return  # the abort was injected, or it is about other tables
    if kind is FaultKind.TRANSLATION and not is_upper(address) and walk is not None and walk.note == NO_USER:
        if address >> 36:  # with fewer bits of address there would be no walk, and the level would be 0
            return
        text = (
            f"ESR_EL1 = {report.esr:#x} reports a translation fault at level {level}; TTBR0_EL1 of a task without user "
            f"memory points to empty tables, so that the walk for {address:#x} ended at the level where it began"
        )
        yield Clue(Evidence(text, (*lines, *walk.lines[-1:])), lambda layout: layout.start_level == level, DERIVED)
        return

    def reached(layout: Layout) -> bool:
        # An address beyond the range is not walked; the fault is reported at level 0.
        beyond = (address + (1 << layout.vabits_actual) if is_upper(address) else address) & UNTAGGED
        return layout.start_level <= level or (level == 0 and bool(beyond >> layout.vabits_actual))

    fault = f"ESR_EL1 = {report.esr:#x} reports a fault of the walk ({kind}) at level {level}"
    yield Clue(Evidence(f"{fault}: the walk begins there or above", lines), reached, DERIVED)


def fault_inferences(report: PrintedReport, relation: Relation | None = None) -> Iterator[Inference]:
    """The access that faulted, and the field at its offset if the log shows which structure was meant."""
    access, address = report.access, report.address
    if access is None or address is None or report.ec not in DATA_ABORTS or not access.reaches(address):
        return
    text = f"`{access.instruction.text}` at pc; {access.arithmetic}, the faulting address"
    evidence = Evidence(text, report.lines_of("code", "address", access.base))
    verb = "writes to" if access.write else "reads" if access.write is False else "accesses"
    claim = f"the instruction {verb} {address:#x}: {access.base} is {access.base_value:#x}"
    yield Inference("faulting_access", access.instruction.text, claim, (evidence,), DERIVED)
    field = field_of(report, relation)
    if field and relation is not None:
        held = Evidence(
            f"the registers hold the number of a section and that of its root, {relation.root:#x}; {access.base} is "
            "the struct mem_section that was looked up with them"
        )
        claim = f"the field at offset {access.offset} of struct mem_section is {field}; the section does not exist"
        yield Inference("field", f"mem_section.{field}", claim, (evidence, held), DERIVED)


def field_of(report: PrintedReport, relation: Relation | None) -> str:
    """The field of a `struct mem_section` at NULL that was accessed; empty if the log does not show that.

    `relation` shows that the section of a page was looked up, and such code reads the section next. An offset alone
    would fit any structure.
    """
    access, address = report.access, report.address
    if access is None or access.base_value or access.index or address is None or not access.reaches(address):
        return ""
    if relation is None or relation.section is None or relation.root is None or not relation.page:
        return ""
    function = report.registers.pc.function if report.registers.pc else ""
    if not any(part in function for part in MEM_SECTION_USERS):
        return ""
    members = mem_section(page_extension=True).members
    return next((member.name for member in members if member.offset == access.offset), "")


def software_pan(report: PrintedReport) -> Iterator[Inference]:
    """CONFIG_ARM64_SW_TTBR0_PAN, by a headline that a translation fault has only there."""
    if report.empty_user_tables and report.fault is not None:
        text = (
            f"the kernel reports an access outside uaccess routines, and ESR_EL1 a translation fault at level "
            f"{report.fault[1]}: with PAN in hardware that would be a permission fault"
        )
        claim = (
            "CONFIG_ARM64_SW_TTBR0_PAN is set and the CPU has no PAN: TTBR0_EL1 held empty tables, in which the walk "
            "ended at once; the printed walk is that of the task's tables, which hardware did not use"
        )
        yield Inference("sw_ttbr0_pan", 1, claim, (Evidence(text, report.lines_of("message", "esr")),), DERIVED)


def disagreements(report: PrintedReport) -> Iterator[Inference]:
    """Statements that cannot all be true of one fault, each with both sides."""
    walk = report.walk
    if walk is not None and walk.inconsistency:
        yield _disagreement("walk", walk.inconsistency, (*report.lines_of("esr"), *walk.lines))
    for note in report.notes:
        yield _disagreement("report", note, ())
    access, address, syndrome = report.access, report.address, report.syndrome
    if access is None or syndrome is None or report.ec not in DATA_ABORTS:
        return
    # The instruction, FAR_EL1 and ESR_EL1.WnR are from one moment: they differ only in a mixed log.
    instruction, accessed = f"`{access.instruction.text}` at pc", f"{access.address:#x} ({access.arithmetic})"
    if address is not None and not syndrome.FnV and not access.reaches(address):
        text = f"{instruction} has the address {accessed}, but the reported address is {address:#x}"
        yield _disagreement("address", text, report.lines_of("code", access.base, "address"))
    if access.write is not None and report.writes != access.write and not report.maintains_cache:
        text = (
            f"ESR_EL1 reports a {'write' if syndrome.WnR else 'read'} (WnR = {syndrome.WnR}), but "
            f"{instruction} {'writes' if access.write else 'reads'}"
        )
        yield _disagreement("WnR", text, report.lines_of("code", access.base, "esr"))


def _disagreement(about: str, text: str, lines: tuple[int, ...]) -> Inference:
    return Inference("disagreement", about, text, (Evidence(text, tuple(sorted(set(lines)))),), DERIVED)


# alloc_large_system_hash(): `order` is that of the whole table (mm/mm_init.c).
_TABLE = r"hash table entries: \d{1,12} \(order: (?P<order>\d{1,2}), (?P<bytes>\d{1,15}) bytes"
_HUGE = r"HugeTLB: registered (?P<size>\d{1,5})(?:\.\d{1,3})? (?P<unit>KiB|MiB|GiB) page size"
_VA52 = r"CPU features: detected: (?P<va52>52-bit Virtual Addressing(?! for KVM)[^\n\r]{0,40})"
_LPA2 = r"CPU features: detected: (?P<lpa2>52-bit Virtual Addressing for KVM \(LPA2\))"
_MESSAGE = re.compile("|".join((_TABLE, _HUGE, _VA52, _LPA2)))
_MESSAGE_WORDS = ("hash table entries: ", "HugeTLB: registered ", "CPU features: detected: 52-bit ")
_UNITS = {"KiB": 10, "MiB": 20, "GiB": 30}


@dataclass(frozen=True)
class Messages:
    """Values in the messages, each with the line of its first message; page sizes with the division too."""

    page_sizes: dict[int, tuple[int, str]]
    huge_sizes: dict[int, int]
    va52: dict[str, int]
    lpa2: dict[str, int]


def messages(source: LogText, span: tuple[int, int] = (1, sys.maxsize)) -> Messages:
    """The messages of the boot in some lines of a log: from the first of `span` to the one before the second.

    >>> from pgtlab.linux.oops.reading.forms import log_text
    >>> messages(log_text("PID hash table entries: 512 (order: 2, 16384 bytes, linear)")).page_sizes
    {4096: (1, '16384 bytes >> 2 = 4096')}
    """
    values = Messages({}, {}, {}, {})
    for number, match in _all_messages(source):
        if not span[0] <= number < span[1]:
            continue
        if match["bytes"]:
            order, size = int(match["order"]), int(match["bytes"])
            if 0 < order < 20 and not size & size - 1 and size >> order not in values.page_sizes:
                values.page_sizes[size >> order] = number, f"{size} bytes >> {order} = {size >> order}"
        elif match["size"]:
            size = int(match["size"]) << _UNITS[match["unit"]]
            values.huge_sizes.setdefault(size, number)
        elif match["va52"] and not values.va52:
            values.va52[match["va52"].strip()] = number
        elif match["lpa2"] and not values.lpa2:
            values.lpa2[match["lpa2"]] = number
    return values


@lru_cache(maxsize=1)
def _all_messages(source: LogText) -> tuple[tuple[int, re.Match[str]], ...]:
    """Every message in a log, with the number of its line."""
    text, counted, at, matches = source.plain, 1, 0, []
    for start, _ in sorted(places(text, _MESSAGE_WORDS)):
        counted, at = counted + text.count("\n", at, start), start
        if match := _MESSAGE.match(text, start):
            matches.append((source.number(counted), match))
    return tuple(matches)


def boot_clues(log: PrintedLog) -> Iterator[Clue]:
    """One clue for each kind of message."""
    boot = messages(log.source or log_text(log.text), log.span)
    if len(boot.page_sizes) == 1:  # with several the log is from several kernels
        ((size, (number, division)),) = boot.page_sizes.items()
        evidence = Evidence(f"a hash table has 2^order pages: {division}, one page", (number,))
        yield Clue(evidence, lambda layout: layout.page_size == size, DERIVED)
    if boot.huge_sizes:
        names = ", ".join(size_name(size) for size in sorted(boot.huge_sizes))
        evidence = Evidence(f"huge pages of {names}", tuple(sorted(boot.huge_sizes.values())))
        yield Clue(evidence, lambda layout: boot.huge_sizes.keys() <= huge_sizes(layout), LIKELY)
    for text, number in boot.va52.items():
        evidence = Evidence(f"the kernel found and uses: {text}", (number,))
        yield Clue(evidence, lambda layout: layout.vabits_actual == 52, DERIVED)
    for text, number in boot.lpa2.items():
        evidence = Evidence(
            f"the CPU has LPA2 for these pages, so that a kernel for 52 bits would run with 52: {text}", (number,)
        )
        yield Clue(evidence, lambda layout: layout.va_bits < 52 or layout.vabits_actual == 52, DERIVED)


def huge_sizes(layout: Layout) -> set[int]:
    """Sizes that hugetlb may register: blocks of PUD and PMD, and contiguous entries (`mm/hugetlbpage.c`).

    >>> from pgtlab.linux.oops.inferring.layout import ERAS
    >>> sorted(size >> 10 for size in huge_sizes(Layout(16384, 47, 47, 48, ERAS[0], 16)))
    [2048, 32768, 1048576]
    """
    k = layout._constants
    sizes = {int(k.CONT_PTE_SIZE), int(k.PMD_SIZE), int(k.CONT_PMD_SIZE)}
    return sizes | ({1 << 30} if layout.page_shift == 12 else set())
