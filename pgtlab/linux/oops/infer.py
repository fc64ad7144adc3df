"""What a log gives away about the kernel that wrote it: `infer(report, log)`.

Clues come from every report of the log and from the lines around them, since all are of one kernel. They narrow down
which kernels it can be (`narrowing`); addresses follow from that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from pgtlab.linux.oops.clues import Clues, minor, version_clue
from pgtlab.linux.oops.disagreements import disagreements
from pgtlab.linux.oops.infer_addresses import (
    address_inferences,
    bad_page_inferences,
    memstart_inferences,
    page_type_inferences,
    register_inferences,
)
from pgtlab.linux.oops.infer_boot import boot_clues
from pgtlab.linux.oops.infer_fault import fault_inferences
from pgtlab.linux.oops.infer_image import base_clue, image_inferences
from pgtlab.linux.oops.infer_memmap import told
from pgtlab.linux.oops.inference import Clue, Inference
from pgtlab.linux.oops.layout import OLDEST
from pgtlab.linux.oops.narrowing import conclusions, narrow
from pgtlab.linux.oops.page_type import kernel_version
from pgtlab.linux.oops.relation import STRAY
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
    found = [*conclusions(narrowed)]
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
