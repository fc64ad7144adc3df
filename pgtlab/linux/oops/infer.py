"""What a log gives away about the kernel that wrote it: `infer(report, log)`.

Clues come from every report of the log and from the lines around them, since all are of one kernel. They narrow down
which kernels it can be (`narrowing`); addresses follow from that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgtlab.linux.oops.disagreements import disagreements
from pgtlab.linux.oops.infer_addresses import (
    address_inferences,
    memstart_inferences,
    page_type_inferences,
    register_inferences,
)
from pgtlab.linux.oops.infer_boot import boot_clues
from pgtlab.linux.oops.infer_fault import fault_clues, fault_inferences
from pgtlab.linux.oops.infer_image import base_clue, image_inferences, stack_clue
from pgtlab.linux.oops.infer_linear import linear_clues
from pgtlab.linux.oops.infer_memmap import count_clue, memmap_clue, relation_of, told
from pgtlab.linux.oops.inference import DERIVED, Clue, Evidence, Inference
from pgtlab.linux.oops.layout import ERAS, OLDEST, U64, Layout, layouts
from pgtlab.linux.oops.memmap import signed, vmemmap_at
from pgtlab.linux.oops.narrowing import conclusions, narrow
from pgtlab.linux.oops.page_type import Version, kernel_version
from pgtlab.linux.oops.relation import STRAY, Relation
from pgtlab.linux.oops.report import Log, Report

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
    >>> from pgtlab.linux.oops.read import read
    >>> log = read("swapper pgtable: 4k pages, 39-bit VAs, pgdp=0000000041ef8000\\n"
    ...     "[ffffffc084a1d004] pgd=0000000000000000, p4d=0000000000000000, pud=0000000000000000\\n"
    ...     "Internal error: Oops: 0000000096000005 [#1] PREEMPT SMP")
    >>> [(one.name, one.value, one.confidence) for one in infer(log.reports[0], log)][:3]
    [('page_size', 4096, 'stated'), ('vabits_actual', 39, 'stated'), ('va_bits', 39, 'derived')]
    """
    pfn = known_pfn(log)
    same = [report, *(one for one in log.reports if one is not report and _same_kernel(one, report))][:MOST_REPORTS]
    relations = [(one, relation_of(one, pfn)) for one in same]
    clues = list(_clues(relations, log, pfn))
    narrowed = narrow(clues)
    found = [*conclusions(narrowed)]
    source, relation = next(((one, which) for one, which in relations if which and which.page), relations[0])
    if relation is not None and told(source, relation) in (clue.evidence for clue in narrowed.used):
        found += address_inferences(source, log, relation, narrowed.layouts, pfn)
        if source is report:
            found += register_inferences(report, relation, narrowed.layouts)
    found += memstart_inferences(log)
    found += image_inferences(report, log, narrowed.layouts)
    found += fault_inferences(report, relation if source is report else None)
    found += page_type_inferences(report, log)
    return (*found, *narrowed.conflicts, *disagreements(report))


def known_pfn(log: Log) -> int | None:
    """A frame that RAM has for certain: one that was being freed or allocated when it was found bad."""
    pfns = [one.pfn for one in log.reports if one.pfn is not None and one.pfn < STRAY]
    return pfns[0] if pfns else None


def _same_kernel(one: Report, other: Report) -> bool:
    return not (one.header.version and other.header.version) or one.header.version == other.header.version


def _clues(relations: Sequence[tuple[Report, Relation | None]], log: Log, pfn: int | None) -> Iterator[Clue]:
    for one, _ in relations:
        yield from fault_clues(one)
    yield from boot_clues(log)
    release = next((one.header.version for one, _ in relations if one.header.version), log.facts.version)
    version = kernel_version(release)
    if version is not None:
        if _minor(version, 1) < OLDEST:
            return  # addresses were other ones then
        yield _version_clue(version, release, next((one for one, _ in relations if one.header.version), None), log)
    yield from base_clue(log)
    for one, _ in relations:
        yield from stack_clue(one)
    for one, _ in relations:
        yield from linear_clues(one)
    for one, relation in relations:
        if relation is not None:
            yield memmap_clue(one, relation, pfn)
            yield from count_clue(one, relation)
    yield from _phys_offset_clue(relations, log, pfn)


def _version_clue(version: Version, release: str, report: Report | None, log: Log) -> Clue:
    """Trees between two releases, and what distributions take back, make a release say one less or more."""
    line = log.facts.where.get("version") if report is None else report.where.get("header")
    near = [era for era in ERAS if era.since <= _minor(version, 1) and _minor(version, -1) < era.until]
    text = f"release {release}: the memory map is that of " + " or ".join(era.name for era in near)
    return Clue(Evidence(text, (line,) if line else ()), lambda layout: layout.era in near, DERIVED)


def _minor(version: Version, step: int) -> Version:
    last = {3: 19, 4: 20, 5: 19, 6: 19}  # the last release of each major number
    major, minor = version
    if minor + step < 0:
        return major - 1, last.get(major - 1, 19)
    if major in last and minor + step > last[major]:
        return major + 1, 0
    return major, minor + step


def _phys_offset_clue(relations: Sequence[tuple[Report, Relation | None]], log: Log, pfn: int | None) -> Iterator[Clue]:
    source, relation = next(((one, which) for one, which in relations if which and which.page), relations[0])
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
