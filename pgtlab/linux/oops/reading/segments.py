"""Where reports begin and end in a log.

With CONFIG_PRINTK_CALLER each line says which task or CPU printed it. The lines of each are read separately, so that
reports that are printed at the same time come apart. Without that mark all lines are one stream, and lines that do not
belong to a report are skipped; two reports at the same time are taken apart as far as their numbers show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pgtlab.arch.word import is_upper
from pgtlab.linux.oops.reading.architectures import is_sign
from pgtlab.linux.oops.reading.code import CALL_TRACE, is_bare_name, read_symbol
from pgtlab.linux.oops.reading.header import FactReader
from pgtlab.linux.oops.reading.lines import Line, Lines
from pgtlab.linux.oops.reading.page_dump import is_dump_line, is_page_line
from pgtlab.linux.oops.reading.walk import is_walk_line, walk_address, without_root

FOREIGN = 64  # lines in a row that do not belong to a report: it has ended
LONGEST = 4000  # lines: a stack that overflowed has a thousand frames
PREAMBLE = 12  # lines between `cut here` and the headline: the text of a WARN
SILENT = 4000  # lines of the log in which a task printed nothing: its report has ended

CUT_HERE = re.compile(r"-{5,30}\[ cut here \]-{5,30}")
END_TRACE = re.compile(r"---\[ end (?:trace|Kernel panic)")
HEADLESS = "unknown"  # the kind of a report whose headline is missing

# The first pattern that fits says which kind of report a line begins; `reading.read_report` uses the named groups.
_HEADLINES = (
    ("bad page", r"BUG: Bad page state in process (?P<process>.{1,64}?)  ?pfn:(?P<pfn>[0-9a-f]{1,16})"),
    ("panic", r"Kernel panic - not syncing(?:: |$)"),
    ("warning", r"WARNING: CPU: \d{1,5} PID: \d{1,10} at (?P<location>\S{1,200}:\d{1,7})?"),
    ("warning", r"WARNING: (?:\[.{1,200}\] )?(?:at )?(?P<location>\S{1,200}\.[chSr][s]?:\d{1,7}) at "),
    ("warning", r"WARNING: at (?P<location>\S{1,200}:\d{1,7})"),
    ("warning", r"WARNING: (?:possible|suspicious|bad unlock|held lock|inconsistent lock|lock held|Nested lock)"),
    ("bug", r"kernel BUG at (?:\[.{1,200}\] ?)?(?P<location>\S{1,200}?)!"),
    ("bug", r"(?P<location>\S{1,200}\.[ch]:\d{1,7}): bad (?:pgd|p4d|pud|pmd|pte) [0-9a-f]{16}(?![(0-9a-zA-Z])"),
    ("stall", r"(?:watchdog: )?Watchdog detected hard LOCKUP on cpu"),
    ("stall", r"(?:rcu: )?INFO: rcu\w* (?:self-)?detected .{0,20}stall"),
    ("dump", r"NMI backtrace for cpu|Task dump for CPU|sysrq: (?:SysRq : )?(?:Show|CPU\d)"),
    ("hung task", r"INFO: task .{1,80} blocked for more than"),
    ("bug", r"(?:watchdog: |\[ )?BUG: (?!Bad page state: )"),
    ("oops", r"(?:CPU \d{1,4} )?Unable to handle kernel "),
    ("oops", r"Unhandled fault(?: at|: )|Unhandled \d\d-bit el\d\w? .{1,40} exception on CPU"),
    ("oops", r"Bad mode in .{1,80} handler detected|Unexpected kernel (?:BRK|single-step) exception at EL1"),
    ("oops", r"Insufficient stack space to handle exception|SError Interrupt on CPU"),
    ("oops", r"Internal error: |Oops(?: - .{1,80})?: "),
    ("user fault", r"\S{1,64}\[\d{1,10}\]: unhandled |potentially unexpected fatal signal \d"),
    (HEADLESS, r"CPU: \d{1,5} (?:UID: \d{1,10} )?PID: |(?:pc|PC) (?:: |is at )\S|pstate: [0-9a-f]{8}|Call trace:$"),
    (HEADLESS, r"x\d{1,2} {0,2}: ?[0-9a-f]{16} +x"),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _HEADLINES)
_FIRST_WORDS = re.compile(
    r"BUG: |Kernel panic|WARNING: |kernel BUG|watchdog: |Unable|Unhandled|CPU \d{1,4} Unable|Bad mode|Insufficient|"
    r"SError|Internal error|Oops|\S{1,64}\[\d{1,10}\]: unhandled |\S{1,200}\.[ch]:\d{1,7}: bad p|---|Mem abort|"
    r"ESR = |page:|swapper pg|user pg|\[|Unexpected kernel|Watchdog|rcu: |INFO: |NMI back|Task dump|sysrq: |CPU: \d|"
    r"[pP][cC] [:i]|pstate: |Call trace:|x\d|potentially"
)
# Continues the open report, though it could begin another.
_GOES_ON = {"Internal error: ": ("oops", "bug"), "Oops": ("oops", "bug"), "Unhandled fault": ("oops",)}
# The kinds of report that a tentative one turns out to be.
_TAKES_OVER = {"bad page": ("bug", "warning", "bad page"), "oops": ("oops",), HEADLESS: ()}
STACK_WORDS = re.compile(  # a stack, and what Android adds around registers
    r"[0-9a-f]{4}: (?:[0-9a-f]{16} ?){1,4}$|[0-9a-f]{4,16}:? {1,2}(?:(?:[0-9a-f]{8}|\*{8}) ?){1,8}$|"
    r"(?:PC|LR|SP|[xX]\d{1,2}): (?:0x)?[0-9a-f]{8,16}:$|Exception stack\(0x"
)
_BELONGS = re.compile(
    r"Modules linked in|CPU: \d|Hardware name:|pstate ?: |[Pp][Cc] (?:: |is at)|[Ll][Rr] (?:: |is at)|sp : |"
    r"x\d{1,2} {0,2}: |Call [tT]race:|Code: |Data abort info|Mem abort info|E[CAS][ R:=]|FSC = |FAR: |SET = |"
    r"ISV = |CM = |GCS = |Internal error|KASAN: |pmr_save|Tainted: |task: |Process |Stack: |Workqueue: |pgd ?= |, |"
    r"Allocated by|Freed by|The buggy address|page_owner|Dumping ftrace|SMP: stopping|Kernel Offset: |PHYS_OFFSET: |"
    r"CPU features: 0x|Memory Limit: |(?:Read|Write) (?:of size |at addr )|\*?(?:p4d|pud|pmd|pte)=|Exception class|"
    r"Pointer tag: |addr:|file:|pgd:[0-9a-f]|(?:Task|IRQ|Overflow) stack: |"
    r"(?:Out-of-bounds|Use-after-free|Invalid|Corrupted memory) .{0,40}(?:at|of) 0x|kfence-#"
)
_BODY = (
    "Internal error: ",
    "Modules linked in",
    "CPU: ",
    "Hardware name:",
    "pstate: ",
    "pc : ",
    "Call trace:",
    "x29: ",
)


@dataclass
class Segment:
    """The lines of one report, without foreign ones, and how it began.

    It is `tentative` as long as the line that shows its kind is missing. `boot` counts the boots of the log from 0.
    `mixed` has the lines that are of this report or of another that was printed at the same time. In a `tangled` one
    the registers, the trace and the code are of several reports.
    """

    kind: str
    headline: Line
    groups: dict[str, str]
    preamble: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    tentative: bool = False
    ended: bool = False
    foreign: int = 0
    boot: int = 0
    mixed: tuple[int, ...] = ()
    tangled: bool = False

    def has(self, *beginnings: str) -> bool:
        """Whether a line begins with one of some words."""
        return any(line.text.startswith(beginnings) for line in self.lines)


@dataclass
class _Stream:
    """The lines of one caller: the open report, the one that it interrupted, and where the last line was."""

    open: Segment | None = None
    interrupted: Segment | None = None
    preamble: list[Line] | None = None
    last: int = 0

    @property
    def idle(self) -> bool:
        return self.open is None and self.preamble is None


def segments(lines: Lines, facts: FactReader) -> list[Segment]:
    """The reports of a log, in the order in which they begin; `facts` reads the lines that are about a whole boot.

    >>> from pgtlab.linux.oops.reading.forms import log_text
    >>> text = "Internal error: Oops: 96000004 [#1]\\n---[ end trace 0 ]---\\nKernel panic - not syncing: Oops"
    >>> [segment.kind for segment in segments(Lines(log_text(text)), FactReader())]
    ['oops', 'panic']
    """
    reports: list[Segment] = []
    streams: dict[str, _Stream] = {}
    active: set[str] = set()
    for place, line in enumerate(lines):
        if facts.seen(line):
            streams.clear()
            active.clear()
        if line.text:
            stream = streams.get(line.caller)
            starts = _FIRST_WORDS.match(line.text)
            if starts or (stream is not None and not stream.idle):
                if stream is None:
                    stream = streams[line.caller] = _Stream()
                count = len(reports)
                stream.last = place
                _take(line, stream, reports, bool(starts))
                for report in reports[count:]:
                    report.boot = facts.boot
                (active.discard if stream.idle else active.add)(line.caller)
        if active and not place % SILENT:
            for caller in [caller for caller in active if place - streams[caller].last > SILENT]:
                del streams[caller]
                active.discard(caller)
        if not active:
            lines.skip()
    return list(_untangled([report for report in reports if not report.tentative or report.kind != HEADLESS]))


def _take(line: Line, stream: _Stream, reports: list[Segment], may_start: bool) -> None:
    """Use one line: for the report that it begins, for the open one, or not at all."""
    if may_start:
        if CUT_HERE.match(line.text):
            stream.preamble = []
            if stream.open is not None and not (stream.open.tentative and stream.open.kind == "bad page"):
                stream.interrupted = stream.open if _is_dying(stream.open) else None
                stream.open = None
            return
        begun = _begin(line, stream.open)
        if begun is not None:
            if stream.preamble:
                begun.preamble = stream.preamble
            stream.preamble = None
            if begun is not stream.open:
                reports.append(begun)
                if stream.open is not None:
                    stream.interrupted = stream.open if _is_dying(stream.open) else None
                if stream.interrupted is not None and not _soon_after(stream.interrupted, line):
                    stream.interrupted = None
                stream.open = begun
            return
    if stream.preamble is not None:
        stream.preamble.append(line)
        if len(stream.preamble) > PREAMBLE:
            stream.preamble = None
    if stream.interrupted is not None and stream.open is not None:
        # Nobody else comes to `die()` before the one in it is done.
        waits = stream.open.headline.text.startswith(_HEAD) and not stream.open.has("Internal error: ")
        stack = STACK_WORDS.match(line.text) is not None and not stream.open.has("Stack: ")
        if stack or (waits and _is_of_body(line.text)):
            if not _add(line, stream.interrupted):
                stream.interrupted = None
            return
        if _cannot_own(stream.open, line.text):
            if _alike(stream.open.lines[-1].text, line.text):
                stream.open.tangled = stream.interrupted.tangled = True
            stream.open, stream.interrupted = stream.interrupted, None
    if stream.open is not None and not _add(line, stream.open):
        stream.open, stream.interrupted = stream.interrupted, None


def _is_of_body(text: str) -> bool:
    """Whether `die()` prints a line, after its first one."""
    known = text.startswith((*_BODY[1:], "lr : ", "sp : ", "Code: ", "---[ end"))
    return known or _REGISTERS.match(text) is not None or read_symbol(text) is not None


_REGISTERS = re.compile(r"x\d{1,2} {0,2}: ")


def _alike(text: str, other: str) -> bool:
    """Whether two lines are the same part of two reports: then these were printed line by line at the same time."""
    return text[:4] == other[:4]


def _soon_after(segment: Segment, line: Line) -> bool:
    """Whether a line was printed so soon after those of a report that the report may go on after it."""
    last = segment.lines[-1]
    near = last.time is None or line.time is None or line.time - last.time < INTERRUPTION
    return near and abs(line.number - last.number) < FOREIGN


INTERRUPTION = 10.0  # seconds


def _is_dying(segment: Segment) -> bool:
    """Whether `die()` has begun to print the report, and its last line is missing."""
    coded = segment.has("Code: ") and not segment.lines[-1].text.startswith("Code: ")
    return segment.has("Internal error: ", "Oops") and not coded


def _cannot_own(segment: Segment, text: str) -> bool:
    """Whether a line is from the report that this one interrupted.

    The code and the registers are printed by `die()` alone, in one piece, and a trace once.
    """
    if text.startswith(CALL_TRACE):
        return segment.has(CALL_TRACE)
    if text.startswith(("CPU: ", "pstate: ", "pc : ", "lr : ", "sp : ", "x29: ")) and segment.has(CALL_TRACE):
        return True  # the task and the registers come before the trace
    return text.startswith(("Code: ", "x29: ", "---[ end trace")) and not segment.has("pc : ", "PC is at", "pstate: ")


def _begin(line: Line, current: Segment | None) -> Segment | None:
    """The report that a line begins; or the open one, as a page is dumped before the BUG that it belongs to."""
    kind, groups, tentative = "", {}, False
    for kind_of, pattern in _COMPILED:
        if match := pattern.match(line.text):
            kind, groups = kind_of, {name: text for name, text in match.groupdict().items() if text}
            break
    if kind == HEADLESS:
        if current is not None:
            return None
        tentative = line.text.startswith(("CPU: ", CALL_TRACE))
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
            if line.text.startswith(start) and current.kind in kinds and not current.has("Internal error: ", "Oops"):
                _add(line, current)
                return current
        if current.tentative and kind in _TAKES_OVER[current.kind]:
            current.kind, current.headline, current.groups, current.tentative = kind, line, groups, False
            _add(line, current)
            return current
    return Segment(kind, line, groups, lines=[line], tentative=tentative)


def _add(line: Line, segment: Segment) -> bool:
    """Add a line to a report; `False` if the report has ended."""
    text = line.text
    if END_TRACE.match(text):
        segment.lines.append(line)
        segment.ended, segment.tentative = True, False
        return False
    if segment.kind == "user fault" and text == CALL_TRACE:
        return False  # of another report: `dump_backtrace()` does not print the stack of user space
    known = (
        _BELONGS.match(text) is not None
        or is_dump_line(text)
        or is_walk_line(text)
        or read_symbol(text) is not None
        or STACK_WORDS.match(text) is not None
        or is_sign(text)
        or (is_bare_name(text) and segment.foreign == 0 and _in_bare_trace(segment))
    )
    segment.foreign = 0 if known else segment.foreign + 1
    if known:
        segment.lines.append(line)
        segment.tentative &= segment.kind != HEADLESS or not text.startswith(_OF_A_FAULT)
    return segment.foreign < FOREIGN and len(segment.lines) < LONGEST


_OF_A_FAULT = ("pc : ", "PC is at", "pstate: ", "x29: ", "Code: ")  # what no trace without a report has


def _in_bare_trace(segment: Segment) -> bool:
    """Whether the line before is the heading of a trace, or a frame that is only a name."""
    before = segment.lines[-1].text if segment.lines else ""
    return before == CALL_TRACE or is_bare_name(before)


# CPUs that fault at once print headlines, syndromes and walks in any order: only `die()` takes a lock.
MOST_AT_ONCE = 16  # faults whose lines are taken apart
_HEAD = "Unable to handle kernel "
_ONCE = (("Mem abort info:",), ("ESR = 0x",), ("swapper pgtable", "user pgtable"))


def _untangled(reports: list[Segment]) -> Iterator[Segment]:
    """The reports, with those taken apart whose beginnings were printed at the same time."""
    at = 0
    while at < len(reports):
        last = at
        while last + 1 < min(len(reports), at + MOST_AT_ONCE) and _runs_into(reports[last], reports[last + 1]):
            last += 1
        group = reports[at : last + 1]
        if len(group) > 1 and any(map(_is_mixed, group)):
            yield from _apart(group)
            for following in reports[last + 1 : last + len(group)]:
                if not following.headline.text.startswith("Internal error: "):
                    break
                following.mixed = (following.headline.number,)  # of one of these faults
        else:
            yield from group
        at = last + 1


def _runs_into(segment: Segment, following: Segment) -> bool:
    """Whether a fault begins before `die()` has printed anything about the one before."""
    both = segment.headline.text.startswith(_HEAD) and following.headline.text.startswith(_HEAD)
    alike = segment.headline.caller == following.headline.caller and segment.boot == following.boot
    return both and alike and not segment.has(*_BODY)


def _is_mixed(segment: Segment) -> bool:
    """Whether something that a fault prints once is there twice before `die()`, or the walk is of another address."""
    head = _head(segment)
    twice = any(sum(line.text.startswith(words) for line in head) > 1 for words in _ONCE)
    walks = [address for line in head if (address := walk_address(line.text)) is not None]
    return twice or len(walks) > 1 or any(f"{address:x}" not in segment.headline.text for address in walks)


def _head(segment: Segment) -> list[Line]:
    end = next((n for n, line in enumerate(segment.lines) if line.text.startswith(_BODY)), len(segment.lines))
    return segment.lines[:end]


def _geometry(lines: list[Line], at: int, among: list[Line], upper: bool) -> list[Line]:
    """The line with the page size that belongs to a walk: the only one for its tables, or the one just before it.

    If several stand together, only what they agree on is of this walk.
    """
    fitting = [line for line in among if line.text.startswith("swapper" if upper else "user")]
    if len(fitting) == 1:
        return fitting
    if at and lines[at - 1] in fitting and (at < 2 or lines[at - 2] not in among):
        return [lines[at - 1]]
    texts = {without_root(line.text) for line in fitting}
    return [fitting[0]._replace(text=texts.pop())] if len(texts) == 1 else []


def _apart(group: list[Segment]) -> Iterator[Segment]:
    """Faults that were printed at the same time: each with its headline and its walk, what follows as reports.

    A walk names its address. Which syndrome, registers and code belong to which headline is not printed anywhere.
    """
    lines = [line for segment in group for line in _head(segment)]
    body = group[-1].lines[len(_head(group[-1])) :]
    loose = [line for line in lines if not line.text.startswith(_HEAD) and walk_address(line.text) is None]
    syndromes = {line.text for line in loose if line.text.startswith("ESR = 0x")}
    geometry = [line for line in loose if "pgtable: " in line.text]
    shared = [line for line in loose if line.text.startswith("ESR = 0x")][:1] if len(syndromes) == 1 else []
    tangled = group[-1].tangled
    for segment in group:
        own = [segment.headline, *shared]
        for n, line in enumerate(lines):
            address = walk_address(line.text)
            if address is not None and segment.headline.text.endswith(f"{address:016x}"):
                own += [*_geometry(lines, n, geometry, is_upper(address)), line]
        segment.tangled = False
        segment.lines, segment.mixed = own, tuple(line.number for line in loose if line not in own)
        yield segment
    if body:
        first = body[0]
        whole = replace(group[-1], kind="oops", headline=first, groups={}, preamble=[], lines=body)
        yield replace(whole, mixed=(first.number,), tangled=tangled)
