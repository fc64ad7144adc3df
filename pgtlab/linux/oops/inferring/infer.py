"""What a log gives away about the kernel that wrote it: `infer(report, log)`.

Clues come from every report of the log and from the lines around them, since all are of one kernel; each is looked for
once. They narrow down which kernels it can be (`narrowing`); addresses follow from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from pgtlab.linux.oops.inferring.boot_messages import boot_clues
from pgtlab.linux.oops.inferring.fault import disagreements, fault_clues, fault_inferences
from pgtlab.linux.oops.inferring.inference import DERIVED, Clue, Evidence, Inference
from pgtlab.linux.oops.inferring.layout import ERAS, OLDEST, U64, Layout, layouts
from pgtlab.linux.oops.inferring.memmap import STRAY, Relation, signed, vmemmap_at
from pgtlab.linux.oops.inferring.memmap_clues import (
    address_inferences,
    bad_page_inferences,
    count_clue,
    memmap_clue,
    memstart_inferences,
    page_type_inferences,
    register_inferences,
    relation_of,
    told,
)
from pgtlab.linux.oops.inferring.narrowing import common_values, narrow
from pgtlab.linux.oops.inferring.pointers import base_clue, image_inferences, linear_clues, stack_clue
from pgtlab.linux.oops.reading.page_dump import Version, kernel_version
from pgtlab.linux.oops.reading.printed import Report
from pgtlab.linux.oops.reading.read import Log

MOST_REPORTS = 16  # of one log: later ones repeat the first


def infer(report: Report, log: Log) -> tuple[Inference, ...]:
    """What follows from one report and the log around it.

    Parameters
    ----------
    report : Report
        One of `log.reports`.
    log : Log
        The whole log: what it says elsewhere is of the same kernel.

    Returns
    -------
    tuple of Inference
        The configuration first, then addresses, then what the report says in registers, then what disagrees.

    Examples
    --------
    >>> from pgtlab.linux.oops.reading.read import read
    >>> log = read("swapper pgtable: 4k pages, 39-bit VAs, pgdp=0000000041ef8000\\n"
    ...     "[ffffffc084a1d004] pgd=0000000000000000, p4d=0000000000000000, pud=0000000000000000\\n"
    ...     "Internal error: Oops: 0000000096000005 [#1] PREEMPT SMP")
    >>> [(one.name, one.value, one.confidence) for one in infer(log.reports[0], log)][:3]
    [('page_size', 4096, 'stated'), ('vabits_actual', 39, 'stated'), ('va_bits', 39, 'derived')]
    """
    pfn = known_pfn(log)
    others = [Clues(one, log, pfn) for one in log.reports if one is not report]
    return _infer(Clues(report, log, pfn), others, _around(log))


def infer_all(log: Log) -> Iterator[tuple[Inference, ...]]:
    """The same of every report of a log, in their order: the clues that they share are looked for once."""
    pfn, around = known_pfn(log), _around(log)
    every = [Clues(report, log, pfn) for report in log.reports]
    return (_infer(one, every, around) for one in every)


def _infer(own: Clues, every: Sequence[Clues], around: _Around) -> tuple[Inference, ...]:
    report, log, pfn = own.report, own.log, own.pfn
    others = (one for one in every if one is not own and _same_kernel(one.report, report))
    same = [own, *islice(others, MOST_REPORTS - 1)]
    source = next((one for one in same if one.relation and one.relation.page), own)
    narrowed = narrow(_clues(same, source, around))
    found = [*common_values(narrowed)]
    relation = source.relation
    if relation is not None and told(source.report, relation) in (clue.evidence for clue in narrowed.used):
        found += address_inferences(source.report, log, relation, narrowed.layouts, pfn)
        if source is own:
            found += register_inferences(report, relation, narrowed.layouts)
    found += memstart_inferences(log)
    found += image_inferences(report, log, narrowed.layouts)
    found += fault_inferences(report, relation if source is own else None)
    found += bad_page_inferences(report, log)
    found += page_type_inferences(report, log)
    return (*found, *narrowed.conflicts, *disagreements(report))


def known_pfn(log: Log) -> int | None:
    """A frame that RAM has for certain: one that was being freed or allocated when it was found bad."""
    pfns = [one.pfn for one in log.reports if one.pfn is not None and one.pfn < STRAY]
    return pfns[0] if pfns else None


def _same_kernel(one: Report, other: Report) -> bool:
    return not (one.header.version and other.header.version) or one.header.version == other.header.version


class _Around(NamedTuple):
    """The clues in the lines around the reports."""

    boot: tuple[Clue, ...]
    base: tuple[Clue, ...]


def _around(log: Log) -> _Around:
    return _Around(tuple(boot_clues(log)), tuple(base_clue(log)))


def _clues(same: Sequence[Clues], source: Clues, around: _Around) -> Iterator[Clue]:
    for one in same:
        yield from one.fault
    yield from around.boot
    log = source.log
    first = next((one.report for one in same if one.report.header.version), None)
    release = first.header.version if first else log.facts.version
    version = kernel_version(release)
    if version is not None:
        if minor(version, 1) < OLDEST:
            return  # addresses were other ones then
        yield version_clue(version, release, first, log)
    yield from around.base
    for one in same:
        yield from one.stack
    for one in same:
        yield from one.linear
    for one in same:
        yield from one.memmap
    yield from source.phys_offset


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


def conclusions(log: Log) -> tuple[tuple[Inference, tuple[int, ...]], ...]:
    """The inferences of all reports, in their order, with the numbers (from 1) of the reports that they follow from."""
    return merged(islice(infer_all(log), MOST_REPORTS))


def merged(inferred: Iterable[tuple[Inference, ...]]) -> tuple[tuple[Inference, tuple[int, ...]], ...]:
    """The same, where the inferences of each report are at hand."""
    found: dict[Inference, list[int]] = {}
    for number, inferences in enumerate(inferred, 1):
        for inference in inferences:
            same = next((one for one in found if _same(one, inference)), None)
            if same is None:
                found[inference] = [number]
                continue
            numbers = found[same]
            if len(inference.evidence) > len(same.evidence):  # the same, better supported
                found = {inference if one is same else one: where for one, where in found.items()}
            numbers.append(number)
    return tuple((inference, tuple(numbers)) for inference, numbers in found.items())


def _same(one: Inference, other: Inference) -> bool:
    return (one.name, one.value, one.claim) == (other.name, other.value, other.claim)
