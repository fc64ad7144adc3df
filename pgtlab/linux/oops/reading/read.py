"""Reading a log: from its text to its reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pgtlab.linux.oops.reading.architectures import ARM64, SOME_OTHER, architecture_of, declined, foreign_sign
from pgtlab.linux.oops.reading.code import read_code, read_trace
from pgtlab.linux.oops.reading.consistency import compared
from pgtlab.linux.oops.reading.header import FactReader, LogFacts, read_header
from pgtlab.linux.oops.reading.lines import Line, clean_lines
from pgtlab.linux.oops.reading.page_dump import kernel_version, page_notes, read_page
from pgtlab.linux.oops.reading.registers import pstate_note, read_pstate, read_registers
from pgtlab.linux.oops.reading.report import PrintedReport
from pgtlab.linux.oops.reading.segments import Segment, segments
from pgtlab.linux.oops.reading.walk import read_walk

# The lines that print ESR_EL1, the surest first.
_ESR = (
    re.compile(r"ESR = 0x([0-9a-f]{16}|[0-9a-f]{8})(?![0-9a-zA-Z])"),
    re.compile(r"ESR: 0x([0-9a-f]{16}|[0-9a-f]{8})(?![0-9a-zA-Z])"),
    re.compile(r"(?:Internal error: .{1,100}|Oops(?: - .{1,80})?): ([0-9a-f]{16}|[0-9a-f]{8}) \[#"),
    re.compile(r"(?:Bad mode in|SError Interrupt).{1,80}, code 0x([0-9a-f]{16}|[0-9a-f]{8})(?![0-9a-zA-Z])"),
    re.compile(r".{1,120}\b[Ee][Ss][Rr] 0x([0-9a-f]{16}|[0-9a-f]{8})(?![0-9a-zA-Z])"),
    re.compile(r"Unhandled fault.{1,80} \(0x([0-9a-f]{16}|[0-9a-f]{8})\)"),
)
_ESR_WORDS = re.compile(r"ESR|esr|Internal error|Oops|, code 0x|Unhandled fault")
_ADDRESS = (
    re.compile(r".{0,120}\bat virtual address ([0-9a-f]{8,16})(?![0-9a-zA-Z])"),
    re.compile(r"FAR: 0x([0-9a-f]{8,16})(?![0-9a-zA-Z])"),
    re.compile(r".{1,120}\) at (?:0x)?([0-9a-f]{8,16})(?![0-9a-zA-Z])"),
)
_ADDRESS_WORDS = re.compile(r"virtual address|FAR: |\) at ")
# Reports that may be a single line, such as those of `check_mm()` (kernel/fork.c). A mail about a BUG does not have
# their numbers.
_WHOLE = re.compile(
    r"(?:watchdog: )?BUG: (?:non-zero pgtables_bytes on freeing mm: -?\d|Bad rss-counter state mm:"
    r"|Bad page map in process \S{1,64} +pte:[0-9a-f]{1,16}|soft lockup - CPU#\d{1,4} stuck for \d{1,6}s"
    r"|KASAN: \S+ in \w|KFENCE: [\w -]+ in \w|sleeping function called from invalid context at \S+:\d)"
)
_DETAIL = re.compile(
    r"(?:Internal error: |KASAN: |(?:Read|Write) of size |Unhandled fault|Insufficient stack|page->|Oops)"
)


class OopsError(ValueError):
    """A text without a report of an arm64 kernel."""


@dataclass(frozen=True, repr=False)
class PrintedLog:
    """A log, as values.

    Attributes
    ----------
    reports : tuple of PrintedReport
        In the order in which they begin.
    facts : LogFacts
        Of the whole log.
    declined : tuple of str
        A sentence for each other architecture whose reports were left out.
    text : str
        The log itself.
    """

    reports: tuple[PrintedReport, ...]
    facts: LogFacts = field(default_factory=LogFacts)
    declined: tuple[str, ...] = ()
    text: str = ""

    def __repr__(self) -> str:
        count = f"{len(self.reports)} report{'s' if len(self.reports) > 1 else ''}"
        more = ", ..." if len(self.reports) > 10 else ""
        return f"{type(self).__name__}({count}: {', '.join(report.kind for report in self.reports[:10])}{more})"

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Every line without its prefixes."""
        return tuple(clean_lines(self.text))


def read_log(text: str) -> PrintedLog:
    r"""The reports in a kernel's log.

    Timestamps, callers, quoting, prefixes of syslog, journals and terminals are taken off. What is missing stays
    missing; lines that do not belong to a report are skipped. The time is proportional to the length of the text.

    >>> log = read_log("> [    0.1] BUG: Bad page state in process swapper/0  pfn:18a65d\n"
    ...     "> [    0.2] page: refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x18a65d")
    >>> [(report.kind, report.page.mapcount) for report in log.reports]
    [('bad page', -512)]

    Raises
    ------
    OopsError
        If the text has no report in it, or only reports of other architectures.
    """
    facts = FactReader()
    found_segments = segments(map(facts.seen, clean_lines(text)))
    version = facts.version or next(
        filter(None, (read_header(segment.lines, {}).version for segment in found_segments)), ""
    )
    architectures = _architectures(found_segments, text)
    ours = [
        read_report(segment, version)
        for segment, architecture in zip(found_segments, architectures, strict=True)
        if architecture in (None, ARM64)
    ]
    reports = tuple(report for report in ours if report.kind != "bug" or _has_body(report))
    others = tuple(dict.fromkeys(declined(name) for name in architectures if name not in (None, ARM64)))
    if reports:
        return PrintedLog(reports, facts.facts(version), others, text)
    if not others and (architecture := foreign_sign(text)):
        others = (declined(architecture),)
    nothing = "there is no kernel report in this text: "
    if ours:
        nothing += f"line {ours[0].lines[0]} has a BUG, but no kernel printed the lines below it"
    else:
        nothing += "no BUG, Oops, WARNING or panic"
    raise OopsError(others[0] if others else nothing)


def read_report(segment: Segment, version: str = "") -> PrintedReport:
    """The values in the lines of one report; `version` is the release if these lines do not name it."""
    lines = segment.lines
    where: dict[str, int] = {"message": segment.headline.number}
    header = read_header(lines, where)
    release = kernel_version(header.version or version)
    esr, esr_note = _read_esr(lines, where)
    address = None
    if addresses := _numbers(lines, _ADDRESS, _ADDRESS_WORDS):
        address, where["address"] = addresses[0]
    walk = read_walk(lines)
    if address is None and walk is not None and walk.address is not None:
        address, where["address"] = walk.address, walk.lines[-1]
    registers = read_registers(lines)
    pstate = read_pstate(lines)
    if pstate is not None:
        where["pstate"] = pstate[2]
    if walk is not None:
        walk = compared(walk, esr, pstate[0] if pstate else None)
    code, code_line = read_code(lines, registers.pc)
    if code_line is not None:
        where["code"] = code_line
    trace = read_trace(lines)
    if trace:
        where["trace"] = trace[0].line
    page = read_page(lines, release)
    if segment.ended:
        where["end"] = lines[-1].number
    notes = [esr_note, pstate_note(pstate[0], pstate[1]) if pstate else "", *(page_notes(page) if page else ())]
    if walk is not None and address is not None and walk.address not in (None, address):
        notes.append(f"the walk is for {walk.address:#x}, but the report is about {address:#x}")
    groups = segment.groups
    return PrintedReport(
        kind=segment.kind,
        message=segment.headline.text,
        details=_details(segment),
        address=address,
        esr=esr,
        registers=registers,
        trace=trace,
        walk=walk,
        page=page,
        pstate=pstate[0] if pstate else None,
        pstate_text=pstate[1] if pstate else "",
        code=code,
        header=header,
        pfn=int(groups["pfn"], 16) if "pfn" in groups else None,
        process=groups.get("process", ""),
        location=groups.get("location", ""),
        notes=tuple(note for note in notes if note),
        where=where,
        lines=tuple(line.number for line in lines),
    )


def _read_esr(lines: Sequence[Line], where: dict[str, int]) -> tuple[int | None, str]:
    """ESR_EL1 from the surest line, and a sentence if another line has another value."""
    # Before v5.15 `die()` printed 0 where there was no syndrome.
    known = [(value, line) for value, line in _numbers(lines, _ESR, _ESR_WORDS) if value]
    if not known:
        return None, ""
    esr, where["esr"] = known[0]
    note = next((f", but {value:#x} in line {line}" for value, line in known if value != esr), "")
    return esr, note and f"ESR_EL1 is {esr:#x} in line {where['esr']}{note}"


def _numbers(
    lines: Sequence[Line], patterns: Sequence[re.Pattern[str]], words: re.Pattern[str]
) -> list[tuple[int, int]]:
    """The first number that each pattern finds, with its line, in the order of the patterns."""
    by_rank: dict[int, tuple[int, int]] = {}
    for line in lines:
        if words.search(line.text[:400]):
            for rank, pattern in enumerate(patterns):
                if rank not in by_rank and (match := pattern.match(line.text)):
                    by_rank[rank] = int(match[1], 16), line.number
    return [number for _, number in sorted(by_rank.items())]


def _details(segment: Segment) -> tuple[str, ...]:
    """The text of a WARN, and what the kernel adds to the headline."""
    own = [line.text for line in segment.preamble]
    own += [line.text for line in segment.lines if line is not segment.headline and _DETAIL.match(line.text)]
    return tuple(own)


def _has_body(report: PrintedReport) -> bool:
    """Whether a line that begins with `BUG:` is from a kernel, and not from a mail about one."""
    return bool(
        _WHOLE.match(report.message)
        or report.trace
        or report.registers
        or report.header.version
        or report.page
        or report.location
        or report.esr
    )


def _architectures(reports: Sequence[Segment], text: str) -> list[str | None]:
    """The architecture of each report. One without a sign has that of the report before it, or of the whole log."""
    known = [architecture_of(line.text for line in segment.lines) for segment in reports]
    for n, own in enumerate(known):
        if own is None and n:
            known[n] = known[n - 1]
    first = next(filter(None, known), None)
    if first in (None, SOME_OTHER):
        first = foreign_sign(text) or first
    return [first if own in (None, SOME_OTHER) else own for own in known]
