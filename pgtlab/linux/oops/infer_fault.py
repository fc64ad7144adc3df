"""What the fault itself says: the walk that was printed, the level in ESR_EL1, and the instruction."""

from __future__ import annotations

from collections.abc import Iterator

from pgtlab.arch.fault import FaultKind
from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.linux.oops.access import faulting_access
from pgtlab.linux.oops.consistency import ABORTS, fault_of
from pgtlab.linux.oops.inference import DERIVED, STATED, Clue, Evidence, Inference
from pgtlab.linux.oops.layout import Layout, layouts
from pgtlab.linux.oops.relation import Relation
from pgtlab.linux.oops.report import Report

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
    from pgtlab.linux.mm_types import structs

    for struct in structs(True):
        if struct.name == "mem_section":
            for member in struct.members:
                if member.offset == access.offset:
                    return f"mem_section.{member.name}"
    return ""
