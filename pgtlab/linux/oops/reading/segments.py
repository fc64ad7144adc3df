"""Where reports begin and end in a log.

With CONFIG_PRINTK_CALLER each line says which task or CPU printed it. The lines of each are read separately, so that
reports that are printed at the same time come apart. Without that mark all lines are one stream, and lines that do not
belong to a report are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pgtlab.linux.oops.reading.architectures import is_sign
from pgtlab.linux.oops.reading.code import CALL_TRACE, is_bare_name, read_symbol
from pgtlab.linux.oops.reading.lines import Line
from pgtlab.linux.oops.reading.page_dump import is_dump_line, is_page_line
from pgtlab.linux.oops.reading.walk import is_walk_line

FOREIGN = 64  # lines in a row that do not belong to a report: it has ended
LONGEST = 4000  # lines: a stack that overflowed has a thousand frames
PREAMBLE = 12  # lines between `cut here` and the headline: the text of a WARN

CUT_HERE = re.compile(r"-{5,30}\[ cut here \]-{5,30}")
END_TRACE = re.compile(r"---\[ end (?:trace|Kernel panic)")

# The first pattern that fits says which kind of report a line begins; `reading.read` uses the named groups.
_HEADLINES = (
    ("bad page", r"BUG: Bad page state in process (?P<process>.{1,64}?)  ?pfn:(?P<pfn>[0-9a-f]{1,16})"),
    ("panic", r"Kernel panic - not syncing(?:: |$)"),
    ("warning", r"WARNING: CPU: \d{1,5} PID: \d{1,10} at (?P<location>\S{1,200}:\d{1,7})?"),
    ("warning", r"WARNING: (?:at )?(?P<location>\S{1,200}\.[chS]:\d{1,7}) at "),
    ("warning", r"WARNING: at (?P<location>\S{1,200}:\d{1,7})"),
    ("warning", r"WARNING: (?:possible|suspicious|bad unlock|held lock|inconsistent lock|lock held|Nested lock)"),
    ("bug", r"kernel BUG at (?P<location>\S{1,200}?)!"),
    ("bug", r"(?P<location>\S{1,200}\.[ch]:\d{1,7}): bad (?:pgd|p4d|pud|pmd|pte) [0-9a-f]{16}"),
    ("bug", r"(?:watchdog: |\[ )?BUG: (?!Bad page state: )"),
    ("oops", r"(?:CPU \d{1,4} )?Unable to handle kernel "),
    ("oops", r"Unhandled fault(?: at|: )"),
    ("oops", r"Bad mode in .{1,80} handler detected"),
    ("oops", r"Unhandled \d\d-bit el\d\w? .{1,40} exception on CPU"),
    ("oops", r"Insufficient stack space to handle exception"),
    ("oops", r"SError Interrupt on CPU"),
    ("oops", r"Internal error: "),
    ("oops", r"Oops(?: - .{1,80})?: "),
    ("user fault", r"\S{1,64}\[\d{1,10}\]: unhandled "),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _HEADLINES)
_FIRST_WORDS = re.compile(
    r"BUG: |Kernel panic|WARNING: |kernel BUG|watchdog: BUG|Unable|Unhandled|CPU \d{1,4} Unable|Bad mode|Insufficient|"
    r"SError|Internal error|Oops|\S{1,64}\[\d{1,10}\]: unhandled |\S{1,200}\.[ch]:\d{1,7}: bad p|---|Mem abort|"
    r"ESR = |page:|swapper pg|user pg|\["
)
# Continues the open report, though it could begin another.
_GOES_ON = {"Internal error: ": ("oops", "bug"), "Oops": ("oops", "bug"), "Unhandled fault": ("oops",)}
# The kinds of report that a tentative one turns out to be.
_TAKES_OVER = {"bad page": ("bug", "warning", "bad page"), "oops": ("oops",)}
_BELONGS = re.compile(
    r"Modules linked in|CPU: \d|Hardware name:|pstate: |[Pp][Cc] (?:: |is at)|[Ll][Rr] (?:: |is at)|sp : |"
    r"x\d{1,2} {0,2}: |Call [tT]race:|Code: |Data abort info|Mem abort info|E[CAS][ R:=]|FSC = |FAR: |SET = |"
    r"ISV = |CM = |GCS = |Internal error|KASAN: |pmr_save|Tainted: |task: |Process |Stack: |Workqueue: |pgd = |, |"
    r"Allocated by|Freed by|The buggy address|page_owner|Dumping ftrace|SMP: stopping|Kernel Offset: |PHYS_OFFSET: |"
    r"CPU features: 0x|Memory Limit: |(?:Read|Write) of size |p4d=|pud=|pmd=|pte="
)


@dataclass
class Segment:
    """The lines of one report, without foreign ones, and how it began.

    It is `tentative` as long as the line that shows its kind is missing.
    """

    kind: str
    headline: Line
    groups: dict[str, str]
    preamble: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    tentative: bool = False
    ended: bool = False
    foreign: int = 0


@dataclass
class _Context:
    open: Segment | None = None
    preamble: list[Line] | None = None


def segments(lines: Iterable[Line]) -> list[Segment]:
    """The reports of a log, in the order in which they begin.

    >>> [segment.kind for segment in segments([Line(1, "Internal error: Oops: 96000004 [#1]"),
    ...     Line(2, "---[ end trace 0 ]---"), Line(3, "Kernel panic - not syncing: Oops")])]
    ['oops', 'panic']
    """
    reports: list[Segment] = []
    streams: dict[str, _Context] = {}
    for line in lines:
        if not line.text:
            continue
        stream = streams.get(line.caller)
        starts = _FIRST_WORDS.match(line.text)
        if starts is None and (stream is None or (stream.open is None and stream.preamble is None)):
            continue  # nearly all lines of a long log
        if stream is None:
            stream = streams[line.caller] = _Context()
        _take(line, stream, reports, bool(starts))
    return reports


def _take(line: Line, stream: _Context, reports: list[Segment], may_start: bool) -> None:
    """Use one line: for the report that it begins, for the open one, or not at all."""
    if may_start:
        if CUT_HERE.match(line.text):
            stream.preamble = []
            if stream.open is not None and not (stream.open.tentative and stream.open.kind == "bad page"):
                stream.open = None
            return
        begun = _begin(line, stream.open)
        if begun is not None:
            if stream.preamble:
                begun.preamble = stream.preamble
            stream.preamble = None
            if begun is not stream.open:
                reports.append(begun)
                stream.open = begun
            return
    if stream.preamble is not None:
        stream.preamble.append(line)
        if len(stream.preamble) > PREAMBLE:
            stream.preamble = None
    if stream.open is not None and not _add(line, stream.open):
        stream.open = None


def _begin(line: Line, current: Segment | None) -> Segment | None:
    """The report that a line begins; or the open one, as a page is dumped before the BUG that it belongs to."""
    kind, groups, tentative = "", {}, False
    for kind_of, pattern in _COMPILED:
        if match := pattern.match(line.text):
            kind, groups = kind_of, {name: text for name, text in match.groupdict().items() if text}
            break
    if not kind:
        if current is not None:
            return None
        if line.text.startswith(("Mem abort info", "ESR = 0x")) or is_walk_line(line.text):
            kind, tentative = "oops", True
        elif is_page_line(line.text):
            kind, tentative = "bad page", True
        else:
            return None
    if current is not None:
        for start, kinds in _GOES_ON.items():
            if line.text.startswith(start) and current.kind in kinds and not _has_internal_error(current):
                _add(line, current)
                return current
        if current.tentative and kind in _TAKES_OVER[current.kind]:
            current.kind, current.headline, current.groups, current.tentative = kind, line, groups, False
            _add(line, current)
            return current
    return Segment(kind, line, groups, lines=[line], tentative=tentative)


def _has_internal_error(segment: Segment) -> bool:
    return any(line.text.startswith(("Internal error: ", "Oops")) for line in segment.lines)


def _add(line: Line, segment: Segment) -> bool:
    """Add a line to a report; `False` if the report has ended."""
    if END_TRACE.match(line.text):
        segment.lines.append(line)
        segment.ended = True
        return False
    if segment.kind == "user fault" and line.text == CALL_TRACE:
        return False  # of another report: `dump_backtrace()` does not print the stack of user space
    known = (
        _BELONGS.match(line.text) is not None
        or is_dump_line(line.text)
        or is_walk_line(line.text)
        or read_symbol(line.text) is not None
        or is_sign(line.text)
        or (is_bare_name(line.text) and segment.foreign == 0 and _in_bare_trace(segment))
    )
    segment.foreign = 0 if known else segment.foreign + 1
    if known:
        segment.lines.append(line)
    return segment.foreign < FOREIGN and len(segment.lines) < LONGEST


def _in_bare_trace(segment: Segment) -> bool:
    """Whether the line before is the heading of a trace, or a frame that is only a name."""
    before = segment.lines[-1].text if segment.lines else ""
    return before == CALL_TRACE or is_bare_name(before)
