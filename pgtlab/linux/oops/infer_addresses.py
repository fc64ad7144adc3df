"""Addresses and numbers that follow from the relation among registers, once the kernels that fit are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pgtlab.linux.oops.infer_linear import FAR_INTO_RAM
from pgtlab.linux.oops.infer_memmap import Naming, arithmetic, count_inference, stack_of, told
from pgtlab.linux.oops.inference import DERIVED, LIKELY, POSSIBLE, STATED, Evidence, Inference
from pgtlab.linux.oops.layout import U64, Layout
from pgtlab.linux.oops.memmap import signed, vmemmap_at
from pgtlab.linux.oops.relation import STRAY, Relation
from pgtlab.linux.oops.report import Log, Report

MOST_CANDIDATES = 4  # addresses of one thing: with more, nothing was learned


def address_inferences(
    report: Report, log: Log, relation: Relation, remaining: Sequence[Layout], pfn: int | None
) -> Iterator[Inference]:
    """Where the memmap and the linear map begin."""
    steps = told(report, relation)
    sure = relation.confidence
    printed, where = log.facts.phys_offset, log.facts.where
    found = sorted(
        {
            (vmemmap_at(layout, start), layout.VMEMMAP_START, start, layout.page_shift)
            for layout in remaining
            for start in relation.memstarts(layout, pfn)
        }
    )
    vmemmaps = sorted({one[0] for one in found})
    if len(vmemmaps) <= MOST_CANDIDATES:
        for vmemmap in vmemmaps:
            claim = f"vmemmap, where the struct page of pfn 0 would be, is {vmemmap:#x}"
            yield Inference("vmemmap", vmemmap, claim, (steps,), sure if len(vmemmaps) == 1 else POSSIBLE)
    if len(found) > MOST_CANDIDATES:
        return
    firsts: set[int] = set()
    for vmemmap, first, start, shift in found:
        text = (
            f"VMEMMAP_START - (memstart_addr >> {shift}) * 64 = "
            f"{first:#x} - ({start & U64:#x} >> {shift}) * 64 = {vmemmap:#x}"
        )
        evidence = (steps, Evidence(text, (where["phys_offset"],) if "phys_offset" in where else ()))
        if first not in firsts:
            firsts.add(first)
            how = sure if len({one[1] for one in found}) == 1 else POSSIBLE
            yield Inference("VMEMMAP_START", first, f"the memmap begins at {first:#x}", evidence, how)
        how = sure if len({one[2] for one in found}) == 1 else POSSIBLE
        if printed is None:
            claim = f"PHYS_OFFSET, the physical address that the linear map begins with, is {start & U64:#x}"
            yield Inference("memstart_addr", start & U64, claim, evidence, how)


def memstart_inferences(log: Log) -> Iterator[Inference]:
    printed = log.facts.phys_offset
    if printed is not None:
        line = (log.facts.where["phys_offset"],) if "phys_offset" in log.facts.where else ()
        evidence = Evidence(f"PHYS_OFFSET: {printed:#x}, as a signed number {signed(printed & U64):#x}", line)
        claim = f"the linear map begins with physical address {printed:#x}"
        yield Inference("memstart_addr", printed, claim, (evidence,), STATED)


def register_inferences(report: Report, relation: Relation, remaining: Sequence[Layout]) -> Iterator[Inference]:
    """A page that is on the stack, its pfn that no RAM has, the section of that, and its root."""
    naming = Naming(report)
    steps = told(report, relation)
    stack = stack_of(report, relation.page)
    if stack is not None and relation.page is not None:
        held = naming.of(relation.page)
        name = "sp" if "sp" in report.registers else "x29"
        text = f"{name} = {stack[0]:#x} <= {held} = {relation.page:#x} < {stack[1]:#x}, the next multiple of 16 KiB"
        lines = {*naming.lines(relation.page), report.registers.lines.get(name, 0)} - {0}
        claim = (
            f"the struct page that {held} points to is on the stack, {relation.page - stack[0]:#x} bytes above {name}"
        )
        yield Inference("page_on_stack", relation.page, claim, (Evidence(text, tuple(sorted(lines))), steps), DERIVED)
    if relation.pfn is not None and relation.pfn >= STRAY:
        claim = f"{naming.of(relation.pfn)} is page_to_pfn() of that address, a frame that no RAM has"
        evidence = Evidence(arithmetic(naming, relation)[0], naming.lines(relation.page, relation.pfn))
        yield Inference("bogus_pfn", relation.pfn, claim, (evidence,), DERIVED)
    if relation.section is not None:
        sizes = {(one.section_shift, one.page_size) for one in remaining if relation.fits(one)}
        if len(sizes) == 1:
            ((shift, page_size),) = sizes
            size = page_size << shift
            claim = f"memory comes in sections of {size >> 20} MiB: 2^{shift} pages of {page_size >> 10} KiB"
            yield Inference("section_size", size, claim, (steps,), DERIVED)
        claim = f"{naming.of(relation.section)} is the number of the section that this frame would be in"
        yield Inference("section_nr", relation.section, claim, (steps,), DERIVED)
    if relation.root is not None:
        claim = f"{naming.of(relation.root)} is the number of the root in mem_section[] that would have this section"
        yield Inference("section_root", relation.root, claim, (steps,), DERIVED)
    yield from count_inference(report, relation, remaining)


def bad_page_inferences(report: Report, log: Log) -> Iterator[Inference]:
    """The frame of the page that was found bad, in a register of the report that came while it was dumped."""
    naming = Naming(report)
    for other in log.reports:
        if other is report or other.pfn is None or other.pfn < FAR_INTO_RAM or not naming.names(other.pfn):
            continue
        if other.trace or not other.lines or not report.lines or other.lines[-1] > report.lines[-1]:
            continue  # it was dumped to the end, and is over
        lines = (other.where["message"], *naming.lines(other.pfn))
        evidence = Evidence(f"pfn:{other.pfn:x}, and {naming.of(other.pfn)} = {other.pfn:016x}", lines)
        claim = f"{naming.of(other.pfn)} is the frame of the page that was being dumped"
        yield Inference("dumped_pfn", other.pfn, claim, (evidence,), LIKELY)
        return


def page_type_inferences(report: Report, log: Log) -> Iterator[Inference]:
    """The four bytes behind a map count that is none, and a register that holds them."""
    page = report.page
    for other in log.reports:  # the page may have been dumped in the report that this one cut short
        page = page or (other.page if other.page and other.page.mapcount else None)
    if page is None or page.mapcount is None or page.mapcount >= 0:
        return
    value = page.mapcount - 1 & 0xFFFFFFFF
    kind = page.page_type
    if kind is None or kind.value not in (None, value) or not kind.names:
        return
    naming = Naming(report)
    evidence = [
        Evidence(
            f"mapcount {page.mapcount} is _mapcount + 1; _mapcount = {page.mapcount - 1} = {value:#010x}, the same "
            f"four bytes as page_type, in which {', '.join(f'{bit:#x}' for bit in _cleared(value))} is cleared",
            page.lines[:1],
        )
    ]
    for held in (value, value | 0xFFFFFFFF << 32):
        if naming.names(held):
            evidence.append(Evidence(f"{naming.of(held)} = {held:016x}", naming.lines(held)))
    if report.page is None and len(evidence) == 1:
        return
    names = " or ".join(kind.names)
    yield Inference(
        "page_type", value, f"the page is of type {names}", tuple(evidence), DERIVED if len(kind.names) == 1 else LIKELY
    )


def _cleared(value: int) -> list[int]:
    return [1 << bit for bit in range(32) if not value >> bit & 1]
