"""What the fault itself says: the printed walk, the level in ESR_EL1, the instruction; and where these disagree."""

from __future__ import annotations

from collections.abc import Iterator

from pgtlab.arch.fault import FaultKind
from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.linux.oops.inferring.inference import DERIVED, STATED, Clue, Evidence, Inference
from pgtlab.linux.oops.inferring.layout import Layout, layouts
from pgtlab.linux.oops.inferring.memmap import Relation
from pgtlab.linux.oops.reading.code import faulting_access
from pgtlab.linux.oops.reading.printed import Report
from pgtlab.linux.oops.reading.walk import ABORTS, fault_of

NO_USER = "user address but active_mm is swapper"
BETWEEN = "address between user and kernel address ranges"
MEM_SECTION_USERS = ("pfnblock", "pageblock", "pfn_valid", "pfn_to_online_page", "section")


def fault_clues(report: Report) -> Iterator[Clue]:
    """Which kernels can have had this fault."""
    walk = report.walk
    line = walk.lines[:1] if walk else ()
    if walk is not None and walk.page_size is not None:
        size = walk.page_size
        yield Clue(Evidence(f"the kernel prints {size >> 10}k pages", line), lambda one: one.page_size == size, STATED)
    if walk is not None and walk.va_bits is not None:
        bits = walk.va_bits
        if any(one.vabits_actual == bits for one in layouts()):
            text = f"the kernel prints {bits}-bit VAs"
            yield Clue(Evidence(text, line), lambda one: one.vabits_actual == bits, STATED)
    if walk is not None and walk.table == "user" and walk.pgdp:
        root = walk.pgdp
        text = f"pgdp = {root:#x} is a multiple of {root & -root:#x}; a pgd is a multiple of its size"
        yield Clue(Evidence(text, line), lambda one: root % one.pgd_size == 0, DERIVED)
    if walk is not None and walk.note == BETWEEN and walk.address is not None:
        address = walk.address
        text = f"{address:#x} is {walk.note}"

        def between(one: Layout) -> bool:
            return 1 << one.vabits_actual <= address < one.PAGE_OFFSET

        yield Clue(Evidence(text, walk.lines[-1:]), between, DERIVED)
    yield from _level_clue(report)


def _level_clue(report: Report) -> Iterator[Clue]:
    """No walk ends above the level that it begins with; one through TTBR0 without user tables ends right there."""
    fault = fault_of(report.esr) if report.esr is not None else None
    address, walk = report.address, report.walk
    if fault is None or report.esr is None or address is None:
        return
    kind, level = fault
    if kind not in (FaultKind.TRANSLATION, FaultKind.ACCESS_FLAG, FaultKind.PERMISSION):
        return
    syndrome = ISSDataAbort(ESR_EL1(report.esr).ISS)
    if syndrome.FnV or syndrome.S1PTW:
        return
    lines = tuple(report.where[name] for name in ("esr", "address") if name in report.where)
    if walk is not None and walk.consistent is False:
        return  # an abort that somebody else made, or of other tables
    if kind is FaultKind.TRANSLATION and not address >> 55 & 1 and walk is not None and walk.note == NO_USER:
        if address >> 36:  # every kernel walks this far: shorter ones would have refused it without a walk
            return
        text = (
            f"ESR_EL1 = {report.esr:#x} reports a translation fault at level {level}; TTBR0_EL1 of a task without user "
            f"memory points to empty tables, so that the walk for {address:#x} ended at the level where it began"
        )
        yield Clue(Evidence(text, (*lines, *walk.lines[-1:])), lambda one: one.start_level == level, DERIVED)
        return

    def reached(one: Layout) -> bool:
        # Beyond the range there is no walk, and the fault counts as one of level 0.
        beyond = (address + (1 << one.vabits_actual) if address >> 55 & 1 else address) & (1 << 56) - 1
        return one.start_level <= level or (level == 0 and bool(beyond >> one.vabits_actual))

    text = f"ESR_EL1 = {report.esr:#x} reports a fault of the walk ({kind}) at level {level}: it begins there or above"
    yield Clue(Evidence(text, lines), reached, DERIVED)


def fault_inferences(report: Report, relation: Relation | None = None) -> Iterator[Inference]:
    """The access that faulted, and what lies at its offset where the log shows what the base was to be."""
    access = faulting_access(report)
    if access is None or report.address is None or report.esr is None:
        return
    if ESR_EL1(report.esr).EC not in ABORTS[2:] or not access.reaches(report.address):
        return
    lines = tuple(
        sorted(
            {report.where[name] for name in ("code", "address") if name in report.where}
            | {report.registers.lines[name] for name in (access.base,) if name in report.registers.lines}
        )
    )
    evidence = Evidence(f"`{access.instruction.text}` at pc; {access.arithmetic}, the faulting address", lines)
    what = "writes to" if access.write else "reads" if access.write is False else "accesses"
    claim = f"the instruction {what} {report.address:#x}: {access.base} is {access.base_value:#x}"
    yield Inference("faulting_access", access.instruction.text, claim, (evidence,), DERIVED)
    name = field_of(report, relation)
    if name and relation is not None:
        held = Evidence(
            f"the registers hold the number of a section and that of its root, {relation.root:#x}; {access.base} is "
            "the struct mem_section that was looked up with them"
        )
        claim = f"{access.offset} bytes into struct mem_section is {name.rpartition('.')[2]}; there is no such section"
        yield Inference("field", name, claim, (evidence, held), DERIVED)


def field_of(report: Report, relation: Relation | None) -> str:
    """The field of a structure that pgtlab knows, of which NULL was taken for the start; empty where it cannot say.

    The section of a page is looked up in registers that `relation` has found; and code that has just done so reads the
    section next. An offset alone would fit any structure.
    """
    access = faulting_access(report)
    if (
        access is None
        or access.base_value
        or access.index
        or report.address is None
        or not access.reaches(report.address)
    ):
        return ""
    if relation is None or relation.section is None or relation.root is None or not relation.page:
        return ""
    function = report.registers.pc.function if report.registers.pc else ""
    if not any(part in function for part in MEM_SECTION_USERS):
        return ""
    from pgtlab.linux.headers.mm_types import structs

    for struct in structs(True):
        if struct.name == "mem_section":
            for member in struct.members:
                if member.offset == access.offset:
                    return f"mem_section.{member.name}"
    return ""


def disagreements(report: Report) -> Iterator[Inference]:
    """What disagrees, each with both sides."""
    walk = report.walk
    if walk is not None and walk.inconsistency:
        lines = (*(report.where[name] for name in ("esr",) if name in report.where), *walk.lines)
        yield _disagreement("walk", walk.inconsistency, lines)
    for note in report.notes:
        yield _disagreement("report", note, ())
    yield from _access(report)


def _access(report: Report) -> Iterator[Inference]:
    """The instruction against FAR_EL1 and ESR_EL1.WnR: they are of one moment, and nothing but a mixed log differs."""
    access = faulting_access(report)
    esr = report.esr
    if access is None or esr is None or ESR_EL1(esr).EC not in ABORTS[2:]:
        return
    syndrome = ISSDataAbort(ESR_EL1(esr).ISS)
    code, address = _lines(report, "code", access.base), report.address
    if address is not None and not syndrome.FnV and not access.reaches(address):
        text = (
            f"`{access.instruction.text}` at pc has the address {access.address:#x} ({access.arithmetic}), but the "
            f"report is of {address:#x}"
        )
        yield _disagreement("address", text, (*code, *_lines(report, "address")))
    if access.write is not None and syndrome.WnR != access.write:
        text = (
            f"ESR_EL1 reports a {'write' if syndrome.WnR else 'read'} (WnR = {syndrome.WnR}), but "
            f"`{access.instruction.text}` at pc {'writes' if access.write else 'reads'}"
        )
        yield _disagreement("WnR", text, (*code, *_lines(report, "esr")))


def _lines(report: Report, *names: str) -> tuple[int, ...]:
    where = {**report.registers.lines, **report.where}
    return tuple(where[name] for name in names if name in where)


def _disagreement(about: str, text: str, lines: tuple[int, ...]) -> Inference:
    return Inference("disagreement", about, text, (Evidence(text, tuple(sorted(set(lines)))),), DERIVED)
