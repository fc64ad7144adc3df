"""The lines of a log as the kernel printed them: without prefixes, whole, each once."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from pgtlab.linux.oops.reading.forms import BEGINNINGS, LogText
from pgtlab.linux.oops.reading.prefixes import learned


class Line(NamedTuple):
    """One line of a log.

    Attributes
    ----------
    number : int
        Counted from 1 in the text as it was given.
    text : str
        What the kernel printed, without blanks at either end.
    time : float or None
        The kernel's timestamp in seconds.
    caller : str
        `T123` for a task, `C1` for a CPU in an interrupt (CONFIG_PRINTK_CALLER); empty if it was not printed.
    width : int
        Characters of the line as it was given, with its prefix.
    """

    number: int
    text: str
    time: float | None = None
    caller: str = ""
    width: int = 0


class Lines:
    r"""The lines of a log that may belong to a report, or state a fact.

    Iterating gives every line; after `skip()` it goes on at the next line with words of the kernel.

    >>> from pgtlab.linux.oops.reading.forms import log_text
    >>> [line.text for line in Lines(log_text("| [    1.000000] one\r\n| [    1.100000] two"))]
    ['one', 'two']
    """

    def __init__(self, log: LogText) -> None:
        self.log = log
        self.prefixes = learned(log)
        self._offset, self._counted = 0, 1
        self._offsets = [offset for offset, _ in log.hits]
        self._ahead: deque[Line] = deque()
        self._seen: Counter[tuple[float | None, str, str]] = Counter()
        self._copies, self._widest = 1, 0
        self._in_words = 0  # how many lines were broken within a word, less those that were broken between words
        self._copies = self._consoles()

    def skip(self) -> None:
        """Go on at the next line that may begin a report or state a fact."""
        if self._ahead:
            return
        at = bisect_left(self._offsets, self._offset)
        target = self._offsets[at] if at < len(self._offsets) else len(self.log.plain)
        start = self.log.plain.rfind("\n", self._offset, target) + 1
        if start > self._offset:
            self._counted += self.log.plain.count("\n", self._offset, start)
            self._offset = start
        elif at == len(self._offsets):
            self._offset = len(self.log.plain) + 1

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        line = self._next()
        if line.text.startswith(_FREE_TEXT):
            return self._with_rest(line)
        return self._joined(line) if _BREAKABLE.match(line.text) or line.width >= NARROWEST else line

    def _next(self) -> Line:
        if self._ahead:
            return self._ahead.popleft()
        while True:
            line = self._read()
            if self._copies == 1:
                return line
            key = line.time, line.caller, line.text
            if line.time is None and key not in self._seen:
                self._seen.clear()  # without times only lines next to each other are copies
            seen = self._seen[key]
            self._seen[key] = seen + 1
            if not line.text or not seen % self._copies:
                return line

    def _read(self) -> Line:
        plain, start = self.log.plain, self._offset
        if start > len(plain):
            raise StopIteration
        end = plain.find("\n", start)
        end = len(plain) if end < 0 else end
        self._offset = end + 1
        number, self._counted = self._counted, self._counted + 1
        raw = plain[start:end]
        text, time, caller = self.prefixes.split(raw)
        self._widest = max(self._widest, end - start)
        return Line(self.log.number(number), text, time, caller, end - start)

    def _consoles(self) -> int:
        """How many consoles printed each line into the log, by the lines with words of the kernel."""
        plain, counted = self.log.plain, Counter[tuple[float | None, str, str]]()
        adjacent, seen = 0, -1
        for offset, words in self.log.hits[:MOST_SAMPLES]:
            start = plain.rfind("\n", 0, offset) + 1
            if words in BEGINNINGS and start != seen:
                seen, end = start, plain.find("\n", offset)
                text, time, caller = self.prefixes.split(plain[start : end if end >= 0 else len(plain)])
                if end >= 0 and time is None:
                    following = plain[end + 1 : end + 1 + LONGEST_LINE].partition("\n")[0]
                    adjacent += self.prefixes.split(following)[0] == text
                counted[(time, caller, text)] += 1
        times = [count for (time, _, _), count in counted.items() if time is not None]
        if sum(times) >= FEWEST_SAMPLES:
            copies, lines = Counter(times).most_common(1)[0]
            return copies if copies <= MOST_CONSOLES and lines > MOST_OF * len(times) else 1
        return 2 if adjacent >= FEWEST_SAMPLES and 2.5 * adjacent > counted.total() else 1

    def _joined(self, line: Line) -> Line:
        """The line with what a mail or a terminal put into the lines after it, if it is whole then."""
        whole = next((whole for start, whole in _WHOLE if start.match(line.text)), None)
        if whole is None and _FRAME_START.match(line.text) and line.width >= NARROWEST:
            whole = _FRAME
        if whole is None or whole.match(line.text):
            return self._with_tail(line) if _FRAME.match(line.text) else line
        candidates = [line.text]
        for n in range(MOST_PARTS):
            part = self._peek(n)
            if part is None or part.caller not in ("", line.caller) or not part.text or _BEGINS.match(part.text):
                return line
            candidates = [text + between + part.text for text in candidates for between in ("", " ")]
            for text in candidates:
                if whole.match(text):
                    self._in_words += 1 if text.endswith(candidates[0][-len(part.text) - 1 :]) else -1
                    for _ in range(n + 1):
                        self._ahead.popleft()
                    return self._with_tail(line._replace(text=text))
        return line

    def _with_tail(self, line: Line) -> Line:
        """A frame with the end of its size or its module, if these alone are in the next line, without a prefix."""
        if line.width < NARROWEST or line.width < len(line.text) + SHORTEST_PREFIX or not _FRAME.match(line.text):
            return line
        part = self._peek(0)
        if part is None or not 0 < len(part.text) <= LONGEST_TAIL or part.width > len(part.text) + 1:
            return line
        for between in ("", " ") if line.width == self._widest else (" ",):
            if _WHOLE_FRAME.fullmatch(line.text + between + part.text):
                self._ahead.popleft()
                return line._replace(text=line.text + between + part.text)
        return line

    def _with_rest(self, line: Line) -> Line:
        """A line of any words with the next one, if that has no prefix and this one has: then it is broken."""
        part = self._peek(0) if line.width >= max(NARROWEST, len(line.text) + SHORTEST_PREFIX) else None
        if part is None or not part.text or part.width > len(part.text) + 1 or _BEGINS.match(part.text):
            return line
        self._ahead.popleft()
        between = " " if part.width > len(part.text) or self._in_words <= 0 else ""
        return line._replace(text=line.text + between + part.text)

    def _peek(self, n: int) -> Line | None:
        """The n-th line after this one, from 0; `None` at the end."""
        while len(self._ahead) <= n:
            try:
                following = self._next_raw()
            except StopIteration:
                return None
            self._ahead.append(following)
        return self._ahead[n]

    def _next_raw(self) -> Line:
        kept, self._ahead = self._ahead, deque()
        try:
            return self._next()
        finally:
            self._ahead = kept


FEWEST_SAMPLES, MOST_SAMPLES = 4, 4000  # lines from which is learned how often each is printed
MOST_OF = 0.6  # the part of them that must agree
MOST_CONSOLES = 4
LONGEST_LINE = 2000
MOST_PARTS = 5  # lines that the rest of a line may be in
SHORTEST_PREFIX = 8
_FREE_TEXT = ("Hardware name: ",)
LONGEST_TAIL = 60
NARROWEST = 60  # characters of a line that a terminal may have broken in the middle of a name

_HEX16 = r"[0-9a-f]{16}(?![0-9a-zA-Z])"
_ENTRIES = rf"(?:\*?(?:pgd|p4d|pud|pmd|pte)={_HEX16}(?:, ?|$))+(?<!,)(?<!, )$"
# How a line of the kernel begins that is often broken, and how it is when it is whole.
_WHOLE = tuple(
    (re.compile(start), re.compile(whole))
    for start, whole in (
        (
            r"Unable to handle(?: |$)",
            rf"Unable to handle kernel (?:NULL pointer dereference|[a-z -]{{5,80}}) at virtual address {_HEX16}",
        ),
        (r"(?:swapper|user) pgtable:", rf"\w+ pgtable: \d{{1,3}}k pages, \d\d-bit VAs, pgdp?(?:={_HEX16}| = \S)"),
        (
            r"\[[0-9a-f]{8,16}\](?: \*?pgd=| user| address|$)",
            rf"\[[0-9a-f]{{8,16}}\] (?:{_ENTRIES}|user address but active_mm is|address between user and kernel)",
        ),
        (r"x\d{1,2} {0,2}:", rf"(?:x\d{{1,2}} {{0,2}}: ?{_HEX16} *)+$"),
        (
            r"CPU: \d{1,5}(?: |$)",
            r"CPU: \d{1,5} (?:UID: \d{1,10} )?PID: \d{1,10} Comm: .{1,80} "
            r"(?:Not tainted|Tainted: [A-Z ]{1,40}?) {1,4}\d\S{0,120} #\S",
        ),
        (r"Code:", r"Code:(?: [0-9a-f?]{8}){0,40} \([0-9a-f?]{8}\)|Code: bad PC"),
        (
            r"pstate: ",
            r"pstate: [0-9a-f]{8,16} \([nN][zZ][cC][vV] [dD][aA][iI][fF](?: [+-][A-Z]{1,6})*(?: BTYPE=\S\S)?\)",
        ),
        (r"(?:pc|lr) :(?: \S{1,200}\+0x|$)", r"(?:pc|lr) : \S{1,200}\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}"),
        (r"(?:raw|head): [0-9a-f]{16}", rf"(?:raw|head): (?:{_HEX16} ?){{4}}"),
        (
            r"page:",
            r"page:.{0,30}count:-?\d{1,10} mapcount:-?\d{1,10} mapping: *\S{1,20} index:(?:0x)?[0-9a-f]{1,16}(?: |$)",
        ),
        (r"(?:page )?flags: 0x", r".{1,40}\(.{0,400}\)"),
        (
            r"BUG: Bad page (?:state|map) ",
            r"BUG: Bad page \w+ in process .{1,64} (?:pfn|pte|pmd|pud|p4d|pgd):[0-9a-f]{1,16}",
        ),
        (r"Internal error: ", r"Internal error: [^:]{1,60}(?:: [^:]{1,60})?: [0-9a-f]{1,16} \[#\d"),
        (r"ESR =(?: 0x|$)", r"ESR = 0x(?:[0-9a-f]{16}|[0-9a-f]{8})(?![0-9a-zA-Z])"),
        (r"Kernel Offset: 0x", r"Kernel Offset: 0x[0-9a-f]{1,16} from 0x[0-9a-f]{16}"),
        (r"Linux version ", r"Linux version \S{1,120} \("),
    )
)
_BREAKABLE = re.compile("|".join(start.pattern for start, _ in _WHOLE))
_BEGINS = re.compile(
    _BREAKABLE.pattern + r"|(?:lr|sp|pc) : |Call trace:|Mem abort|Data abort|Hardware|Modules|---|EC = "
)
_WHOLE_FRAME = re.compile(
    r"(?:(?:pc|lr) : )?(?:\[<[0-9a-f]{8,16}>\] )?(?:\? )?[\w.$]{2,200}\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}"
    r"(?: \[[\w-]{1,60}\])?(?: \([A-Z]{1,4}\))?"
)
_FRAME_START = re.compile(r"(?:\[<[0-9a-f]{8,16}>\] )?(?:\? )?[\w.$]{2,200}(?:\+(?:0(?:x[0-9a-f/x]{0,14})?)?)?$")
_FRAME = re.compile(
    r"(?:(?:pc|lr) : )?(?:\[<[0-9a-f]{8,16}>\] )?(?:\? )?[\w.$]{2,200}\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}(?: |$)"
)


def hex16(value: int | None) -> str | None:
    """A number as a log has it, in 16 hexadecimal digits; `None` stays `None`."""
    return None if value is None else f"{value:016x}"
