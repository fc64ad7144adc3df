"""What the registers of a report, or the words of a page dump, say of the memmap: clues, with the arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pgtlab.linux.oops.inference import LIKELY, Clue, Evidence, Inference
from pgtlab.linux.oops.layout import PAGE_BITS, Layout, layouts
from pgtlab.linux.oops.memmap import vmemmap_at
from pgtlab.linux.oops.relation import POINTER, Relation, find_relation
from pgtlab.linux.oops.report import Report


class Naming:
    """Registers by the values that they hold, and the lines they are in.

    >>> from pgtlab.linux.oops.report import Registers
    >>> naming = Naming(Report("oops", registers=Registers({"x19": 8, "x20": 8, "x1": 2}, lines={"x1": 3})))
    >>> naming.of(8), naming.of(2), naming.lines(2, 8)
    ('x19 = x20', 'x1', (3,))
    """

    def __init__(self, report: Report) -> None:
        self.report = report

    def names(self, value: int) -> list[str]:
        """Every numbered register that holds the value, x0 first."""
        held = self.report.registers.values.items()
        return sorted((name for name, v in held if v == value and name[1:].isdecimal()), key=lambda name: int(name[1:]))

    def of(self, value: int) -> str:
        """The same in words, or the number where none does."""
        return " = ".join(self.names(value)) or f"{value:#x}"

    def lines(self, *values: int | None) -> tuple[int, ...]:
        """The lines of the registers that hold the values."""
        names = [name for value in values if value is not None for name in self.names(value)]
        return tuple(
            sorted({self.report.registers.lines[name] for name in names if name in self.report.registers.lines})
        )


def relation_of(report: Report, pfn: int | None = None) -> Relation | None:
    """The relation among the registers of a report."""
    numbered = {name: value for name, value in report.registers.values.items() if name[1:].isdecimal()}
    found = find_relation(numbered, pfn, stack_bounds(report)) if numbered else None
    if found is None or found.page is None:
        address, _ = dumped_address(report)
        if address is not None and report.page is not None and report.page.pfn is not None:
            dumped = Relation(address, report.page.pfn)
            if any(dumped.fits(layout, report.page.pfn) for layout in layouts()):
                return dumped
    return found


def dumped_address(report: Report) -> tuple[int | None, str]:
    """Where the `struct page` of a dump is, as far as its own words tell, and how they do.

    A list head that is on no list points to itself, and `lru` is 8 bytes into the page.
    """
    raw = report.page.raw if report.page and report.page.raw_at == 0 else ()
    if len(raw) > 2 and raw[1] == raw[2] and raw[1] >= POINTER and raw[1] % (1 << PAGE_BITS) == 8:
        return raw[1] - 8, f"lru.next = lru.prev = {raw[1]:#x}, so that the page is at {raw[1] - 8:#x}"
    return None, ""


def memmap_clue(report: Report, relation: Relation, pfn: int | None = None) -> Clue:
    """Which kernels compute these values, with the arithmetic."""
    return Clue(told(report, relation), partial(relation.fits, pfn=pfn), relation.confidence)


def told(report: Report, relation: Relation) -> Evidence:
    """The relation as evidence: every step, and the lines of the registers."""
    naming = Naming(report)
    steps, lines = arithmetic(naming, relation), naming.lines(*relation.values)
    address, how = dumped_address(report)
    if relation.page is not None and relation.page == address and relation.pfn is not None and not relation.section:
        steps, lines = [how, *steps], report.page.lines if report.page else lines
    return Evidence("; ".join(steps), lines)


def arithmetic(naming: Naming, relation: Relation) -> list[str]:
    """Each step, with the numbers."""
    page, pfn, section, root = relation.page, relation.pfn, relation.section, relation.root
    at, frame, nr = ("" if value is None else naming.of(value) for value in (page, pfn, section))
    shift, root_shift = relation.section_shift, relation.root_shift
    steps = []
    if page is not None and pfn is not None:
        steps.append(f"{frame} = ({at} - vmemmap) >> 6: ({page:#x} - {relation.vmemmap:#x}) >> 6 = {pfn:#x}")
    if section is not None and pfn is not None:
        steps.append(f"{nr} = {frame} >> {shift}: {pfn:#x} >> {shift} = {section:#x}")
    elif section is not None and page is not None:
        fitting = [
            (layout, start) for layout in layouts() if relation.fits(layout) for start in relation.memstarts(layout)
        ]
        vmemmaps = sorted({(vmemmap_at(layout, start), layout.section_shift) for layout, start in fitting})
        for vmemmap, down in vmemmaps[:2]:
            steps.append(
                f"{nr} = ({at} - vmemmap) >> 6 >> {down}: ({page:#x} - {vmemmap:#x}) >> 6 >> {down} = {section:#x}"
            )
    if section is not None and root is not None:
        steps.append(f"{naming.of(root)} = {nr} >> {root_shift}: {section:#x} >> {root_shift} = {root:#x}")
    return steps


def count_clue(report: Report, relation: Relation) -> Iterator[Clue]:
    """A register with NR_MEM_SECTIONS - 1 or NR_SECTION_ROOTS beside them, against which their code compares."""
    for _, value, number, told in _counts(report, relation, layouts()):
        yield Clue(told, partial(_has_count, number=number, value=value), LIKELY)
        return


def count_inference(report: Report, relation: Relation, remaining: Sequence[Layout]) -> Iterator[Inference]:
    """That register, once the kernels that fit are known and all have that number."""
    for what, value, number, told in _counts(report, relation, remaining):
        if all(_has_count(layout, number, value) for layout in remaining):
            compared = "root" if "ROOTS" in what else "section"
            claim = f"{Naming(report).of(value)} is {what}, with which the number of the {compared} is compared"
            yield Inference("section_count", value, claim, (told,), LIKELY)
            return


def _counts(
    report: Report, relation: Relation, among: Sequence[Layout]
) -> Iterator[tuple[str, int, Callable[[Layout], int], Evidence]]:
    """Each count that a register holds: its name, its value, what it is in a kernel, and the arithmetic."""
    if relation.root_shift is None:
        return
    naming = Naming(report)
    for what, number in _COUNTS.items():
        for layout in among:
            value = number(layout)
            if layout.root_shift == relation.root_shift and naming.names(value):
                text = (
                    f"{naming.of(value)} = {value:#x} is {what} where sections have 2^{layout.section_bits} bytes and "
                    f"physical addresses {layout.pa_bits} bits"
                )
                yield what, value, number, Evidence(text, naming.lines(value))


_COUNTS: dict[str, Callable[[Layout], int]] = {
    "NR_MEM_SECTIONS - 1": lambda layout: layout.NR_MEM_SECTIONS - 1,
    "NR_SECTION_ROOTS - 1": lambda layout: (layout.NR_MEM_SECTIONS >> layout.root_shift) - 1,
    "NR_SECTION_ROOTS": lambda layout: layout.NR_MEM_SECTIONS >> layout.root_shift,
}


def _has_count(layout: Layout, number: Callable[[Layout], int], value: int) -> bool:
    return number(layout) == value


def stack_bounds(report: Report) -> tuple[int, int] | None:
    """From where `sp` points to the end of that stack, as far as every kernel has one.

    A stack has 16 KiB, or a page where that is more, and begins at a multiple of its size (THREAD_SIZE). What is used
    lies above `sp`; where that is missing, the innermost frame that x29 points to is nearly as low.
    """
    sp = report.registers.get("sp", report.registers.get("x29"))
    if sp is None or sp < POINTER:
        return None
    return sp, (sp | (1 << 14) - 1) + 1


def stack_of(report: Report, value: int | None) -> tuple[int, int] | None:
    """The same where an address is between them; `None` where it is not."""
    bounds = stack_bounds(report)
    return bounds if bounds and value is not None and bounds[0] <= value < bounds[1] else None
