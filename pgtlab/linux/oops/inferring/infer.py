"""What can be inferred from a log about the kernel that printed it: `infer(report, log)`.

Clues come from every report of the log and from the lines around them, since all are from one kernel; each is looked
for once. They narrow down which kernels it can be (`narrowing`), and addresses follow from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

from pgtlab.arch.word import MASK64
from pgtlab.linux.oops.inferring.clues import (
    boot_clues,
    disagreements,
    fault_clues,
    fault_inferences,
    software_pan,
)
from pgtlab.linux.oops.inferring.inference import DERIVED, MOST_REPORTS, Evidence, Inference
from pgtlab.linux.oops.inferring.layout import ERAS, OLDEST, Layout, layouts
from pgtlab.linux.oops.inferring.memmap import STRAY, Relation, signed, vmemmap_at
from pgtlab.linux.oops.inferring.memmap_clues import (
    address_inferences,
    bad_page_inferences,
    count_clue,
    memmap_clue,
    memstart_inferences,
    page_type_inferences,
    register_inferences,
    relation_evidence,
    relation_of,
)
from pgtlab.linux.oops.inferring.narrowing import Clue, Narrowed, common_values, narrow
from pgtlab.linux.oops.inferring.pointers import (
    base_clue,
    image_inferences,
    linear_clues,
    linear_walk,
    old_walk_clue,
    stack_clue,
)
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.header import Version, kernel_version
from pgtlab.linux.oops.reading.report import PrintedReport


def infer(report: PrintedReport, log: PrintedLog) -> tuple[Inference, ...]:
    """What follows from one report and the log around it.

    Parameters
    ----------
    report : PrintedReport
        One of `log.reports`.
    log : PrintedLog
        The whole log, which is from one kernel.

    Returns
    -------
    tuple of Inference
        The configuration first, then addresses, then what is in registers, then what disagrees.

    Examples
    --------
    >>> from pgtlab.linux import oops
    >>> log = oops.read("swapper pgtable: 4k pages, 39-bit VAs, pgdp=0000000041ef8000\\n"
    ...     "[ffffffc084a1d004] pgd=0000000000000000, p4d=0000000000000000, pud=0000000000000000\\n"
    ...     "Internal error: Oops: 0000000096000005 [#1] PREEMPT SMP")
    >>> infer(log.reports[0], log)[:3]
    (Inference(page_size = 4096, stated), Inference(vabits_actual = 39, stated), Inference(va_bits = 39, derived))
    """
    return LogClues(log).infer(next(number for number, other in enumerate(log.reports) if other is report))


@dataclass(frozen=True, eq=False)
class LogClues:
    """The clues of all reports of a log and of the lines around them, each looked for once."""

    log: PrintedLog

    @cached_property
    def reports(self) -> tuple[ReportClues, ...]:
        """The clues of each report."""
        known = (report.pfn for report in self.log.reports if report.pfn is not None and report.pfn < STRAY)
        pfn = next(known, None)
        return tuple(ReportClues(report, self.log, pfn) for report in self.log.reports)

    @cached_property
    def boot(self) -> tuple[Clue, ...]:
        """What the messages of the boot show."""
        return tuple(boot_clues(self.log))

    @cached_property
    def base(self) -> tuple[Clue, ...]:
        """Where the kernel was linked."""
        return tuple(base_clue(self.log))

    def infer(self, number: int) -> tuple[Inference, ...]:
        """What follows from one report, counted from 0, and from all others of its kernel."""
        own, log = self.reports[number], self.log
        report = own.report
        source, narrowed = self._narrowed(own)
        inferences = [*common_values(narrowed)]
        relation = source.relation
        if relation is not None and relation_evidence(source.report, relation) in (
            clue.evidence for clue in narrowed.used
        ):
            inferences += address_inferences(source.report, log, relation, narrowed.layouts, own.pfn)
            if source is own:
                inferences += register_inferences(report, relation, narrowed.layouts)
        inferences += memstart_inferences(log)
        if not any(inference.name == "memstart_addr" for inference in inferences):
            inferences += linear_walk(report, log, narrowed.layouts)
        inferences += image_inferences(report, log, narrowed.layouts)
        inferences += fault_inferences(report, relation if source is own else None)
        inferences += software_pan(report)
        inferences += bad_page_inferences(report, log)
        inferences += page_type_inferences(report, log)
        return (*inferences, *narrowed.conflicts, *disagreements(report))

    def kernels(self, number: int) -> tuple[Layout, ...]:
        """The kernels that can have printed a report, counted from 0: all that are known, if there is no clue."""
        return self._narrowed(self.reports[number])[1].layouts

    def _narrowed(self, own: ReportClues) -> tuple[ReportClues, Narrowed]:
        """The clues of the report of the same kernel whose registers are related, and what all of its clues leave."""
        others = (other for other in self.reports if other is not own and _same_kernel(other.report, own.report))
        kernel = [own, *islice(others, MOST_REPORTS - 1)]
        source = next((clues for clues in kernel if clues.relation and clues.relation.page), own)
        return source, narrow(self._clues(kernel, source))

    def _clues(self, kernel: Sequence[ReportClues], source: ReportClues) -> Iterator[Clue]:
        """All clues of reports of one kernel; `source` is the one with the relation among registers."""
        for clues in kernel:
            yield from clues.fault
        yield from self.boot
        first = next((clues.report for clues in kernel if clues.report.header.version), None)
        release = first.header.version if first else self.log.facts.version
        version = kernel_version(release)
        if version is not None:
            if minor(version, 1) < OLDEST:
                return  # the memory map of such a kernel is not known
            lines = first.lines_of("header") if first else self.log.facts.lines_of("version")
            yield version_clue(version, release, lines)
        yield from self.base
        for kind in zip(*(clues.addresses for clues in kernel), strict=True):
            yield from chain.from_iterable(kind)
        yield from source.phys_offset


def _same_kernel(report: PrintedReport, other: PrintedReport) -> bool:
    version, other_version = report.header.version, other.header.version
    return not version or not other_version or version == other_version


@dataclass(frozen=True, eq=False)
class ReportClues:
    """The clues of one report. `pfn` is a frame that RAM certainly has: it was bad when it was freed or allocated."""

    report: PrintedReport
    log: PrintedLog
    pfn: int | None

    @cached_property
    def relation(self) -> Relation | None:
        """The relation among the registers."""
        return relation_of(self.report, self.pfn)

    @cached_property
    def fault(self) -> tuple[Clue, ...]:
        """What the fault shows."""
        return tuple(fault_clues(self.report))

    @cached_property
    def addresses(self) -> tuple[tuple[Clue, ...], ...]:
        """What the stack, pointers into the linear map, and the relation among the registers show, in this order."""
        report, relation, memmap = self.report, self.relation, list[Clue]()
        if relation is not None:
            memmap = [memmap_clue(report, relation, self.pfn), *count_clue(report, relation)]
        linear = (*old_walk_clue(report), *linear_clues(report))
        return tuple(stack_clue(report)), linear, tuple(memmap)

    @cached_property
    def phys_offset(self) -> tuple[Clue, ...]:
        """What PHYS_OFFSET shows, together with that relation."""
        return tuple(_phys_offset_clue(self.report, self.relation, self.log, self.pfn))


def version_clue(version: Version, release: str, lines: tuple[int, ...]) -> Clue:
    """Which memory maps a release can have.

    Its number may be off by one: development trees lie between releases, and distributions backport.
    """
    near = [era for era in ERAS if era.since <= minor(version, 1) and minor(version, -1) < era.until]
    text = f"release {release}: the memory map is that of " + " or ".join(era.name for era in near)
    return Clue(Evidence(text, lines), lambda layout: layout.era in near, DERIVED)


def minor(version: Version, step: int) -> Version:
    """The release `step` steps later, or earlier if that is negative."""
    last = {3: 19, 4: 20, 5: 19, 6: 19}  # the last release of each major number
    major, minor = version
    if minor + step < 0:
        return major - 1, last.get(major - 1, 19)
    if major in last and minor + step > last[major]:
        return major + 1, 0
    return major, minor + step


def _phys_offset_clue(
    report: PrintedReport, relation: Relation | None, log: PrintedLog, pfn: int | None
) -> Iterator[Clue]:
    printed = log.facts.phys_offset
    related = relation is not None and relation.page is not None
    if printed is None and log.facts.kaslr_offset == 0 and relation is not None and related:

        def unmoved(layout: Layout) -> bool:
            shorter = layout.linear_start - layout.PAGE_OFFSET  # what a CPU without 52-bit addresses cannot use
            return any(memstart + shorter >= 0 for memstart in relation.memstarts(layout, pfn))

        text = "without KASLR the linear map begins with an address of RAM, at 0 or above, which this vmemmap allows"
        lines = (*log.facts.lines_of("kaslr_offset"), *relation_evidence(report, relation).lines)
        yield Clue(Evidence(text, lines), unmoved, DERIVED)
    if printed is None:
        return
    memstart, line = signed(printed & MASK64), log.facts.lines_of("phys_offset")
    if relation is not None and related:

        def computed(layout: Layout) -> bool:
            return memstart in relation.memstarts(layout, pfn)

        sums = dict.fromkeys(
            f"{vmemmap_at(layout, memstart):#x} + ({printed:#x} >> {layout.page_shift}) * 64 = "
            f"{layout.VMEMMAP_START:#x}, VMEMMAP_START of {layout.page_size >> 10}K pages and VA_BITS {layout.va_bits}"
            for layout in layouts()
            if relation.fits(layout, pfn) and computed(layout)
        )
        text = f"PHYS_OFFSET is {printed:#x}; vmemmap + (memstart_addr >> PAGE_SHIFT) * 64 is " + (
            " or ".join(list(sums)[:2]) or "no VMEMMAP_START"
        )
        yield Clue(Evidence(text, (*line, *relation_evidence(report, relation).lines)), computed, DERIVED)
        return

    def possible(layout: Layout) -> bool:
        return layout.memstart_is_possible(memstart, None if pfn is None else pfn << layout.page_shift)

    text = f"PHYS_OFFSET is {printed:#x}: a multiple of ARM64_MEMSTART_ALIGN from which the linear map reaches RAM"
    yield Clue(Evidence(text, line), possible, DERIVED)


def merged(inferred: Iterable[tuple[Inference, ...]]) -> tuple[tuple[Inference, tuple[int, ...]], ...]:
    """The inferences of several reports, each once, with the numbers (from 1) of the reports that it follows from."""
    once: dict[tuple[str, int | str, str], tuple[Inference, tuple[int, ...]]] = {}
    for number, inferences in enumerate(inferred, 1):
        for inference in inferences:
            key = inference.name, inference.value, inference.claim
            known, numbers = once.get(key, (inference, ()))
            best = max(known, inference, key=lambda inference: len(inference.evidence))
            once[key] = best, (*numbers, number)
    return tuple(once.values())
