"""What stands before the kernel's text in a line: known prefixes, and those that a log itself shows.

Consoles, journals, vendors and containers all put something of their own there. A form that is not known is learned
from the lines with words that a message of the kernel begins with: where the same form stands before several of them,
it is the prefix of the other lines too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgtlab.linux.oops.reading.forms import BEGINNINGS, LogText

LONGEST_PREFIX = 160  # characters before the kernel's timestamp: a quoted line of a journal with a long host name
LONGEST_LEARNED = 240
MOST_SAMPLES = 4000  # lines that prefixes are learned from
_TIMESTAMP = re.compile(  # with what Amlogic, HiSilicon, LGE and `dmesg -d` add to it
    r"\[ {0,8}(\d{1,10}\.\d{1,9})(?:@\d{1,3}|s| ?/ ?[\d :.-]{5,30}| {0,2}<[ \d.+]{3,20}>)?\]"
    r"(?: ?\[ {0,6}([TC]\d{1,10})\])?:? ?"
)
_QUOTE = re.compile(r"^(?:[ \t]*[>|])+ ?")
_LEVEL = re.compile(r"^[ \t]*(?:<\d{1,3}>|(?:kern|user|daemon) *:(?:emerg|alert|crit|err|warn|notice|info|debug) *: ?)")
_CALLER = re.compile(r"^[ \t]*\[ {0,6}([TC]\d{1,10})\] ?")
_HUMAN_TIME = re.compile(
    r"^[ \t]*\[(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}|[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d"
    r"| {0,6}\+\d{1,6}\.\d{3,9})\] ?"
)
_CLOCK = re.compile(  # a syslog or journal line without the kernel's own timestamp, or a terminal that adds the time
    r"^[ \t]*(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d\S*|[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d(?:\.\d+)?|"
    r"\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?)(?:[ \t]|$)"
)
_DAEMON = re.compile(r"^(?:\S{1,80} )?kernel(?:\[\d{1,10}\])?: ?")
_FIRST_CHARACTERS = frozenset(" \t<>|[0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZkud")
# A message whose prefix is believed even if no other line has it: no prose is like this.
_UNMISTAKABLE = re.compile(r"Unable to handle kernel .{5,80} at virtual address [0-9a-f]{8}|Internal error: .*\[#\d")
_PIECE = re.compile(r"[A-Za-z0-9]+|[ \t]+|[^A-Za-z0-9 \t]")
_WORD = re.compile(r"[A-Za-z0-9]")
_QUOTED = re.compile(r"((?:[^\"\\]|\\.|\"\")*)\"(?=\s*(?:[,;}\])]|$))")

_CLOSING = ('"', '",', '";', "',")
_CLOSED = re.compile(r"""[^"]*(?="[,;]?$)|[^']*(?=',$)""")


def known_prefixes(raw: str) -> tuple[str, float | None, str]:
    """A line without the prefixes that are known, the kernel's timestamp in seconds, and the caller.

    >>> known_prefixes("> > <4>[    0.161062][    T1] Modules linked in:")
    ('Modules linked in:', 0.161062, 'T1')
    >>> known_prefixes("Mar  1 12:00:00 host kernel:   ESR = 0x96000004")
    ('  ESR = 0x96000004', None, '')
    """
    if raw.endswith(("|", "\u2502")) and raw.startswith(("|", " ", "\u2502")):
        raw = raw[:-1]  # a row of a table, or a line in a pane of a terminal
    timestamp = _TIMESTAMP.search(raw, 0, LONGEST_PREFIX)
    if timestamp:
        caller = timestamp[2] or ""
        text = raw[timestamp.end() :]
        if raw.startswith('"', timestamp.start() - 1) and timestamp.start():  # a column of a table
            text = _unquoted(text)
        if not caller and text.startswith("["):
            caller, text = _caller(text)
        return text, float(timestamp[1]), caller
    if not raw or raw[0] not in _FIRST_CHARACTERS:
        return raw, None, ""
    text = raw
    for prefix in (_QUOTE, _LEVEL, _HUMAN_TIME, _CLOCK, _DAEMON, _LEVEL):
        match = prefix.match(text)
        if match and match.end():
            text = text[match.end() :]
    caller, text = _caller(text)
    return text, None, caller


def _caller(text: str) -> tuple[str, str]:
    match = _CALLER.match(text)
    return (match[1], text[match.end() :]) if match else ("", text)


@dataclass(frozen=True)
class Prefixes:
    """The forms of prefix that a log has besides the known ones, the most common first."""

    forms: tuple[re.Pattern[str], ...] = ()

    def split(self, raw: str) -> tuple[str, float | None, str]:
        """The kernel's text in a line without blanks at either end, its timestamp, and the caller.

        >>> form = Prefixes((form_of([" c1"]),))
        >>> form.split("<1>[   12.345678] c0   ESR = 0x96000006")
        ('ESR = 0x96000006', 12.345678, '')
        """
        text, time, caller = known_prefixes(raw)
        for form in self.forms:
            if match := form.match(text):
                start = match.end()
                opened = start and text[start - 1] == '"'
                text = text[start:]
                if opened:
                    text = _unquoted(text)
                inner, inner_time, inner_caller = known_prefixes(text)
                if time is None and inner_time is not None:
                    text, time, caller = inner, inner_time, inner_caller
                break
        return _without_closing_mark(text.strip()), time, caller


def learned(log: LogText) -> Prefixes:
    """The forms of prefix that stand before the kernel's words in a log, and are not known.

    >>> from pgtlab.linux.oops.reading.forms import log_text
    >>> log = log_text("board-1  | Mem abort info:\\nboard-1  |   ESR = 0x96000006\\nboard-1  |   SET = 0, FnV = 0")
    >>> learned(log).split("board-1  |   SET = 0, FnV = 0")[0]
    'SET = 0, FnV = 0'
    """
    by_shape: dict[str, list[str]] = {}
    named, certain = set[str](), set[str]()
    for prefix, text in _samples(log):
        shape = "".join("w" if _WORD.match(piece) else " " if piece.isspace() else piece for piece in _pieces(prefix))
        by_shape.setdefault(shape, []).append(prefix)
        if not text.startswith("ESR = "):  # which drivers print too
            named.add(shape)
        if _UNMISTAKABLE.match(text):
            certain.add(shape)
    common = sorted(by_shape.items(), key=lambda item: -len(item[1]))
    sure = ((shape in named and len(prefixes) > 1) or shape in certain for shape, prefixes in common)
    return Prefixes(tuple(form_of(prefixes) for (_, prefixes), is_sure in zip(common, sure, strict=True) if is_sure))


def _samples(log: LogText) -> Iterator[tuple[str, str]]:
    """What stands before the kernel's words and is not known, with the text from those words on."""
    seen, plain, taken = -1, log.plain, 0
    for offset, words in log.hits:
        if words not in BEGINNINGS:
            continue
        start = plain.rfind("\n", 0, offset) + 1
        if start == seen or offset - start > LONGEST_LEARNED + LONGEST_PREFIX:
            continue  # only the first words of a line
        seen = start
        rest = known_prefixes(plain[start:offset])[0]
        if rest.strip() and len(rest) <= LONGEST_LEARNED and not rest.endswith("---[ end "):
            yield rest.rstrip(), plain[offset : offset + 200].partition("\n")[0]
            taken += 1
            if taken == MOST_SAMPLES:
                return


def _pieces(prefix: str) -> list[str]:
    return _PIECE.findall(prefix)


def form_of(prefixes: Sequence[str]) -> re.Pattern[str]:
    """The pattern of prefixes of one shape: numbers vary, and so do words that differ between them.

    >>> form_of(["[1][321][worker]", "[0][7][init]"]).match("[12][9][sh] pc : f+0x8/0x10").end()
    11
    """
    columns = list(zip(*map(_pieces, prefixes), strict=True))
    parts = []
    for n, column in enumerate(columns):
        piece = column[0]
        if piece.isspace():
            between_words = 0 < n < len(columns) - 1 and _is_word(columns[n - 1]) and _is_word(columns[n + 1])
            parts.append(r"[ \t]+" if between_words else r"[ \t]*")
        elif not _WORD.match(piece):
            parts.append(re.escape(piece) + "?" * (piece == " "))
        elif len({re.sub(r"\d+", "0", word) for word in column}) == 1:
            blank = r"[ \t]*" if n and not columns[n - 1][0].isspace() and piece.isdecimal() else ""
            parts.append(blank + re.sub(r"\d+", lambda _: r"\d+", piece))
        else:
            parts.append(r"[A-Za-z0-9]+")
    end = r"(?=[ \t]|$)" if columns and _is_word(columns[-1]) else ""
    return re.compile("".join(parts) + end)


def _is_word(column: Sequence[str]) -> bool:
    return _WORD.match(column[0]) is not None


def _without_closing_mark(text: str) -> str:
    """A text without the quotation mark behind it, as in a list or a table, whose other mark was not found before it.

    >>> _without_closing_mark('ESR = 0x96000006",'), _without_closing_mark('comm="init"')
    ('ESR = 0x96000006', 'comm="init"')
    """
    match = _CLOSED.match(text) if text.endswith(_CLOSING) else None
    return match[0] if match else text


def _unquoted(text: str) -> str:
    """A text up to the quotation mark that ends it, without the marks that escape others."""
    match = _QUOTED.match(text)
    return re.sub(r"\\(.)|\"(\")", r"\1\2", match[1]) if match else text
