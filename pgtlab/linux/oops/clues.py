"""The clues that one report gives, and its log around it, each looked for once.

What one report of a log gives away counts for all of them, so that every report asks for the clues of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pgtlab.linux.oops.infer_fault import fault_clues
from pgtlab.linux.oops.infer_image import stack_clue
from pgtlab.linux.oops.infer_linear import linear_clues
from pgtlab.linux.oops.infer_memmap import count_clue, memmap_clue, relation_of, told
from pgtlab.linux.oops.inference import DERIVED, Clue, Evidence
from pgtlab.linux.oops.layout import ERAS, U64, Layout, layouts
from pgtlab.linux.oops.memmap import signed, vmemmap_at
from pgtlab.linux.oops.page_type import Version
from pgtlab.linux.oops.relation import Relation
from pgtlab.linux.oops.report import Log, Report


@dataclass(frozen=True, eq=False)
class Clues:
    """A report's clues. `pfn` is a frame that RAM is known to have."""

    report: Report
    log: Log
    pfn: int | None

    @cached_property
    def relation(self) -> Relation | None:
        """The relation among its registers."""
        return relation_of(self.report, self.pfn)

    @cached_property
    def fault(self) -> tuple[Clue, ...]:
        """What its fault says."""
        return tuple(fault_clues(self.report))

    @cached_property
    def stack(self) -> tuple[Clue, ...]:
        """Where its stack is."""
        return tuple(stack_clue(self.report))

    @cached_property
    def linear(self) -> tuple[Clue, ...]:
        """What its pointers into the linear map say."""
        return tuple(linear_clues(self.report))

    @cached_property
    def memmap(self) -> tuple[Clue, ...]:
        """What the relation among its registers says."""
        if self.relation is None:
            return ()
        return memmap_clue(self.report, self.relation, self.pfn), *count_clue(self.report, self.relation)

    @cached_property
    def phys_offset(self) -> tuple[Clue, ...]:
        """What PHYS_OFFSET says, with that relation."""
        return tuple(_phys_offset_clue(self.report, self.relation, self.log, self.pfn))


def version_clue(version: Version, release: str, report: Report | None, log: Log) -> Clue:
    """Which memory maps a release can have: trees between two of them, and what distributions take back, make it say
    one less or more."""
    line = log.facts.where.get("version") if report is None else report.where.get("header")
    near = [era for era in ERAS if era.since <= minor(version, 1) and minor(version, -1) < era.until]
    text = f"release {release}: the memory map is that of " + " or ".join(era.name for era in near)
    return Clue(Evidence(text, (line,) if line else ()), lambda layout: layout.era in near, DERIVED)


def minor(version: Version, step: int) -> Version:
    """The release that many steps later."""
    last = {3: 19, 4: 20, 5: 19, 6: 19}  # the last release of each major number
    major, minor = version
    if minor + step < 0:
        return major - 1, last.get(major - 1, 19)
    if major in last and minor + step > last[major]:
        return major + 1, 0
    return major, minor + step


def _phys_offset_clue(source: Report, relation: Relation | None, log: Log, pfn: int | None) -> Iterator[Clue]:
    printed = log.facts.phys_offset
    if printed is None and log.facts.kaslr_offset == 0 and relation is not None and relation.page is not None:
        known, here = relation, (log.facts.where["kaslr_offset"],) if "kaslr_offset" in log.facts.where else ()

        def unmoved(layout: Layout) -> bool:
            shorter = layout.linear_start - layout.PAGE_OFFSET  # what a CPU without 52 bits takes off
            return any(memstart + shorter >= 0 for memstart in known.memstarts(layout, pfn))

        text = "without KASLR the linear map begins with an address of RAM, none below 0, which that vmemmap allows"
        yield Clue(Evidence(text, (*here, *told(source, relation).lines)), unmoved, DERIVED)
    if printed is None:
        return
    memstart = signed(printed & U64)
    line = (log.facts.where["phys_offset"],) if "phys_offset" in log.facts.where else ()
    if relation is not None and relation.page is not None:
        relation_lines = told(source, relation).lines
        fitting = [one for one in layouts() if relation.fits(one, pfn) and memstart in relation.memstarts(one, pfn)]
        sums = dict.fromkeys(
            f"{vmemmap_at(one, memstart):#x} + ({printed:#x} >> {one.page_shift}) * 64 = {one.VMEMMAP_START:#x}, "
            f"VMEMMAP_START of {one.page_size >> 10}K pages and VA_BITS {one.va_bits}"
            for one in fitting
        )
        text = f"PHYS_OFFSET is {printed:#x}; vmemmap + (memstart_addr >> PAGE_SHIFT) * 64 is " + (
            " or ".join(list(sums)[:2]) or "no VMEMMAP_START"
        )
        lines = (*line, *relation_lines)
        yield Clue(Evidence(text, lines), lambda layout: memstart in relation.memstarts(layout, pfn), DERIVED)
        return

    def possible(layout: Layout) -> bool:
        return layout.memstart_is_possible(memstart, None if pfn is None else pfn << layout.page_shift)

    text = f"PHYS_OFFSET is {printed:#x}: a multiple of ARM64_MEMSTART_ALIGN from which the linear map reaches RAM"
    yield Clue(Evidence(text, line), possible, DERIVED)
