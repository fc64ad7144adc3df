"""Reading a log: from its text to its reports.

`read_log` is the whole way; each module does one part of it, in the order `forms`, `prefixes`, `lines`, `segments`, and
then one module for each thing that a report prints.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise

from pgtlab.arch.word import is_upper
from pgtlab.linux.oops.reading.architectures import ARM64, SOME_OTHER, architecture_of, declined, foreign_sign
from pgtlab.linux.oops.reading.code import CALL_TRACE, read_code, read_trace
from pgtlab.linux.oops.reading.consistency import compared
from pgtlab.linux.oops.reading.forms import BEGINNINGS, LogText, log_text
from pgtlab.linux.oops.reading.header import FactReader, LogFacts, Version, kernel_version, read_header
from pgtlab.linux.oops.reading.lines import Line, Lines
from pgtlab.linux.oops.reading.page_dump import page_notes, read_page
from pgtlab.linux.oops.reading.registers import Registers, pstate_note, read_pstate, read_registers, read_tags
from pgtlab.linux.oops.reading.report import PrintedReport, is_empty
from pgtlab.linux.oops.reading.segments import HEADLESS, MOST_AT_ONCE, Segment, segments
from pgtlab.linux.oops.reading.table_entries import read_tables
from pgtlab.linux.oops.reading.walk import linear_pointers, read_walk

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
    re.compile(
        r"(?:Out-of-bounds|Use-after-free|Invalid|Corrupted memory) [a-z ]{0,20}at 0x([0-9a-f]{16})(?![0-9a-zA-Z])"
    ),
    re.compile(r"(?:Read|Write)(?: of size \d{1,6})? at addr (?:0x)?([0-9a-f]{16})(?![0-9a-zA-Z])"),
)
_OLD_WORDS = re.compile(
    r"pgd = |task: |PC is at|Exception class|\[[0-9a-f]{8}\] \*pgd|Internal error: .{1,80}: [0-9a-f]{8} \["
)
ALL_DIGITS = (4, 19)  # since this version every address of a fault has 16 digits; before it had at least 8
_ADDRESS_WORDS = re.compile(r"virtual address|FAR: |\) at |at addr | at 0x")
# Reports that may be a single line, such as those of `check_mm()` (kernel/fork.c). A mail about a BUG does not have
# their numbers.
_WHOLE = re.compile(
    r"(?:watchdog: )?BUG: (?:non-zero pgtables_bytes on freeing mm: -?\d|Bad rss-counter state mm:"
    r"|Bad page map in process \S{1,64} +pte:[0-9a-f]{1,16}|soft lockup - CPU#\d{1,4} stuck for \d{1,6}s"
    r"|KASAN: \S+ in \w|KFENCE: [\w -]+ in \w|sleeping function called from invalid context at \S+:\d)"
)
_DETAIL = re.compile(
    r"(?:Internal error: |KASAN: |(?:Read|Write) (?:of size |at addr )|Pointer tag|Unhandled fault|"
    r"Insufficient stack|page->|Oops)"
)


FEWEST_PFN = 5  # digits that the kernel prints
_STACKS = re.compile(r"(?:Task|IRQ|Overflow) stack: ")


class OopsError(ValueError):
    """A text without a report of an arm64 kernel."""


@dataclass(frozen=True, repr=False)
class PrintedLog:
    """A log, or the part of it that is from one boot, as values.

    Attributes
    ----------
    reports : tuple of PrintedReport
        In the order in which they begin.
    facts : LogFacts
        Of the boot; if the log holds several, of the last one with a report.
    declined : tuple of str
        A sentence for each other architecture whose reports were left out, and for what is not a fault.
    text : str
        The log itself: as it was given, or what it holds if that was JSON or HTML in one line.
    source : LogText or None
        The log in plain lines.
    span : tuple of int
        The numbers of the first line of the boot, and of the first after it, in `source.plain`.
    boots : tuple of PrintedLog
        The boots that have reports, if there are several.
    """

    reports: tuple[PrintedReport, ...]
    facts: LogFacts = field(default_factory=LogFacts)
    declined: tuple[str, ...] = ()
    text: str = ""
    source: LogText | None = None
    span: tuple[int, int] = (1, sys.maxsize)
    boots: tuple[PrintedLog, ...] = ()

    def __repr__(self) -> str:
        count = f"{len(self.reports)} report{'s' if len(self.reports) > 1 else ''}"
        more = ", ..." if len(self.reports) > 10 else ""
        return f"{type(self).__name__}({count}: {', '.join(report.kind for report in self.reports[:10])}{more})"

    @property
    def parts(self) -> tuple[PrintedLog, ...]:
        """The boots, or the log itself if it is from one."""
        return self.boots or (self,)


def read_log(text: str) -> PrintedLog:
    r"""The reports in a kernel's log.

    The log may have come through mail, web pages, JSON or terminals (`reading.forms`), and have any prefix
    (`reading.prefixes`). What is missing stays missing; lines that do not belong to a report are skipped. The time is
    proportional to the length of the text.

    >>> log = read_log("> [    0.1] BUG: Bad page state in process swapper/0  pfn:18a65d\n"
    ...     "> [    0.2] page: refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x18a65d")
    >>> [(report.kind, report.page.mapcount) for report in log.reports]
    [('bad page', -512)]

    Raises
    ------
    OopsError
        If the text has no report in it, or only reports of other architectures.
    """
    source = log_text(text)
    lines, facts = Lines(source), FactReader()
    begun = segments(lines, facts)
    stalls = tuple(_not_faults(begun))
    begun = [segment for segment in begun if segment.kind not in NOT_FAULTS]
    architectures = _architectures(begun, source.plain)
    others = tuple(dict.fromkeys(declined(name) for name in architectures if name not in (None, ARM64)))
    ours = [
        segment
        for segment, architecture in zip(begun, architectures, strict=True)
        if architecture in (None, ARM64) and (architecture or segment.kind != HEADLESS or segment.has("Code: "))
    ]
    boots, spans = [], facts.spans(source.backwards)
    for boot, group in groupby(ours, lambda segment: segment.boot):
        own, span = list(group), spans[boot]
        own_facts = facts.facts(boot, *_release(own))
        whole = (segment for segment in own if segment.kind != "bug" or len(segment.lines) > 1 or _is_whole(segment))
        read = _paired([read_report(segment, own_facts.version) for segment in whole])
        reports = tuple(report for report in read if report.kind != "bug" or _has_body(report))
        if reports:
            boots.append(PrintedLog(reports, own_facts, (), source.text, source, span))
    if boots:
        every = tuple(report for boot in boots for report in boot.reports)
        several = tuple(boots) if len(boots) > 1 else ()
        span = boots[0].span if not several else (1, sys.maxsize)
        return PrintedLog(every, boots[-1].facts, (*others, *stalls), source.text, source, span, several)
    if not others and (architecture := foreign_sign(source.plain)):
        others = (declined(architecture),)
    raise OopsError((*others, *stalls, _nothing(ours, lines))[0])


NOT_FAULTS = {  # what the kernel reports without a fault or a page, by kind
    "stall": "the report of a CPU that made no progress",
    "hung task": "the report of a task that made no progress",
    "dump": "a dump of registers or a stack that was asked for",
}


def _not_faults(reports: Sequence[Segment]) -> Iterator[str]:
    """A sentence for each kind of report that has neither a fault nor a page."""
    for kind, what in NOT_FAULTS.items():
        lines = [segment.headline.number for segment in reports if segment.kind == kind]
        if lines:
            more = f"; {len(lines) - 1} more in the log" if len(lines) > 1 else ""
            yield f"line {lines[0]} begins {what} ({kind}{more}): it has neither a fault nor a page, and is not read"


def _release(reports: Sequence[Segment]) -> tuple[str, int | None]:
    """The first release that reports name, and its line."""
    for segment in reports:
        where: dict[str, int] = {}
        if version := read_header(segment.lines, where).version:
            return version, where["header"]
    return "", None


def _paired(reports: Sequence[PrintedReport]) -> list[PrintedReport]:
    """The reports, in which faults that were printed at the same time have what surely belongs together."""
    kept = list(reports)
    for n, body in enumerate(reports):
        if body.mixed and body.address is None and body.access is not None:
            address, near = body.access.address, kept[max(0, n - 2 * MOST_AT_ONCE) : n + 1]
            heads = [head for head in near if head.mixed and head.address == address and not head.registers]
            if len(heads) == 1 and heads[0].esr in (None, body.esr):
                (head,) = heads
                lines = tuple(sorted({*head.lines, *body.lines}))
                where = {**body.where, **head.where}
                walk = head.walk and compared(head.walk, body.esr, body.pstate)
                whole = replace(body, message=head.message, address=address, walk=walk, where=where, lines=lines)
                kept[kept.index(head)] = replace(whole, kind=head.kind)
                kept.remove(body)
    return kept


def _nothing(ours: Sequence[Segment], lines: Lines) -> str:
    """Why there is no report to read, in a sentence."""
    nothing, source = "there is no kernel report in this text: ", lines.log
    if ours:
        return f"{nothing}line {ours[0].lines[0].number} has a BUG, but no kernel printed the lines below it"
    for offset, words in source.hits:
        start, end = source.plain.rfind("\n", 0, offset) + 1, source.plain.find("\n", offset)
        text = lines.prefixes.split(source.plain[start : end if end >= 0 else len(source.plain)])[0]
        if words in BEGINNINGS:
            at = f"line {source.number_at(offset)} has `{words.strip()}`"
            if text.startswith(words.strip()):
                return f"{nothing}{at}, but no line says what happened, and there are no registers"
            before = source.plain[start:offset][:60]
            return f"{nothing}{at}, but behind a prefix that is not understood: {before!r}"
    if match := _WORDS.search(source.plain):
        at = f"line {source.number_at(match.start())} has `{match[0]}`"
        return f"{nothing}{at}, but not in the form in which a kernel of arm64 prints it"
    return f"{nothing}no BUG, Oops, WARNING or panic"


_WORDS = re.compile(r"Unable to handle|Internal error|\b(?:[Kk]ernel )?[Pp]anic|\b[Oo]ops\b|\bWARNING\b|\bBUG\b")


def read_report(segment: Segment, version: str = "") -> PrintedReport:
    """The values in the lines of one report; `version` is the release if these lines do not name it."""
    lines = segment.lines
    where: dict[str, int] = {"message": segment.headline.number}
    header = read_header(lines, where)
    release = kernel_version(header.version or version)
    esr, esr_note = _read_esr(lines, where)
    address, hashed = _read_address(lines, where, release), ""
    if address is not None and " KFENCE: " in segment.headline.text and not is_upper(address):
        hashed = f"{address:#x} is a hash of the address, as %p prints one, and not the address itself"
        address, _ = None, where.pop("address")
    walk = read_walk(lines)
    if address is None and walk is not None and walk.address is not None:
        address, where["address"] = walk.address, walk.lines[-1]
    registers, mixed = read_registers(lines)
    if not mixed and _is_mixed(segment):
        mixed = "another report was printed at the same time: whose registers, trace and code these are is not known"
    if mixed:
        lines = [line for line in lines if line is segment.headline or not _SINGLE.match(line.text)]
        header, registers = replace(read_header([segment.headline], {}), version=header.version), Registers()
        where.pop("header", None)
    pstate = read_pstate(lines)
    if pstate is not None:
        where["pstate"] = pstate[2]
    if walk is not None:
        walk = compared(walk, esr, pstate[0] if pstate else None, empty=is_empty(segment.headline.text, esr))
    code, code_line = read_code(lines, registers.pc)
    if code_line is not None:
        where["code"] = code_line
    trace = read_trace(lines)
    if trace:
        where["trace"] = trace[0].line
    page = read_page(lines, release)
    cut = f"{page.pfn:x}" if page is not None and page.pfn is not None else ""
    if page is not None and cut and cut != (pfn := segment.groups.get("pfn", cut)) and pfn.startswith(cut):
        page = replace(page, pfn=None)
    if segment.ended:
        where["end"] = lines[-1].number
    notes = [esr_note, pstate_note(pstate[0], pstate[1]) if pstate else "", *(page_notes(page) if page else ())]
    if mixed:
        notes.append(mixed)
    notes.append(hashed)
    if segment.mixed:
        notes.append("another report was printed at the same time: which lines are of which is known only in part")
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
        pfn=int(groups["pfn"], 16) if len(groups.get("pfn", "")) >= FEWEST_PFN else None,
        process=groups.get("process", ""),
        location=groups.get("location", ""),
        notes=tuple(note for note in notes if note),
        where=where,
        lines=tuple(sorted({line.number for line in lines})),
        mixed=segment.mixed,
        linear=linear_pointers(lines, address, header.pid),
        tables=read_tables(lines),
        tags=read_tags(lines),
        release=release,
        stacks=tuple((line.text, line.number) for line in lines if _STACKS.match(line.text)),
    )


def _read_address(lines: Sequence[Line], where: dict[str, int], release: Version | None) -> int | None:
    """The faulting address from the surest line. A number with too few digits is a broken line, not an address."""
    recent = release >= ALL_DIGITS if release else not any(_OLD_WORDS.match(line.text) for line in lines[1:])
    for digits, number in _digits(lines, _ADDRESS, _ADDRESS_WORDS):
        ends = any(line.number == number and f"{digits}," in line.text for line in lines)
        if len(digits) == 16 or ends or (not recent and (len(digits) == 8 or digits[0] != "0")):
            where["address"] = number
            return int(digits, 16)
    return None


def _read_esr(lines: Sequence[Line], where: dict[str, int]) -> tuple[int | None, str]:
    """ESR_EL1 from the surest line, and a sentence if another line has another value.

    If lines of one form have several values, they are of several faults: then there is none.
    """
    # Before v5.15 `die()` printed 0 where there was no syndrome.
    known = [(int(digits, 16), line) for digits, line in _digits(lines, _ESR, _ESR_WORDS) if int(digits, 16)]
    if not known:
        return None, ""
    same = {match[1] for line in lines if (match := _ESR[0].match(line.text))}
    if len(same) > 1:
        values = " and ".join(f"{int(digits, 16):#x}" for digits in sorted(same))
        return None, f"ESR_EL1 is printed as {values}: the lines are of several faults"
    esr, where["esr"] = known[0]
    note = next((f", but {value:#x} in line {line}" for value, line in known if value != esr), "")
    return esr, note and f"ESR_EL1 is {esr:#x} in line {where['esr']}{note}"


def _digits(
    lines: Sequence[Line], patterns: Sequence[re.Pattern[str]], words: re.Pattern[str]
) -> list[tuple[str, int]]:
    """The first digits that each pattern finds, with their line, in the order of the patterns."""
    by_rank: dict[int, tuple[str, int]] = {}
    for line in lines:
        if words.search(line.text[:400]):
            for rank, pattern in enumerate(patterns):
                if rank not in by_rank and (match := pattern.match(line.text)):
                    by_rank[rank] = match[1], line.number
    return [digits for _, digits in sorted(by_rank.items())]


_SINGLE = re.compile(
    r"CPU: \d|pstate|[pP][cC] (?:: |is at)|[lL][rR] (?:: |is at)|sp : |x\d{1,2} ?: |Code: |Call trace:|\S+\+0x"
)
_TASK = re.compile(r"(?:WARNING: )?CPU: (\d{1,5}) (?:UID: \d{1,10} )?PID: (\d{1,10})")


def _is_mixed(segment: Segment) -> bool:
    """Whether lines that a report has once are of several reports: the task, or the heading of the trace."""
    tasks = {match.groups() for line in segment.lines if (match := _TASK.match(line.text))}
    headings = [line.text == CALL_TRACE for line in segment.lines]
    return segment.tangled or len(tasks) > 1 or any(one and other for one, other in pairwise(headings))


def _details(segment: Segment) -> tuple[str, ...]:
    """The text of a WARN, and what the kernel adds to the headline."""
    own = [line.text for line in segment.preamble]
    own += [line.text for line in segment.lines if line is not segment.headline and _DETAIL.match(line.text)]
    return tuple(own)


def _is_whole(segment: Segment) -> bool:
    """Whether a report may be this one line."""
    return "location" in segment.groups or _WHOLE.match(segment.headline.text) is not None


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
