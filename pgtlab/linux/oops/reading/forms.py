r"""The forms that a log comes in: mails, web pages, JSON, terminals with colours, newest line first.

`log_text` turns all of them into plain lines. Where that is possible each stays in its place, so that line numbers are
those of the text as it was given. Only where one line holds many (a JSON string, HTML with `<br>`) is the text
replaced, and lines are counted in what it holds.
"""

from __future__ import annotations

import html
import json
import re
from ast import literal_eval
from base64 import b64decode
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from json import JSONDecoder
from typing import Any

#: Words that a message of the kernel begins with. What stands before them in a line is a prefix.
BEGINNINGS = (
    "Unable to handle",
    "Mem abort info:",
    "ESR = 0x",
    "Internal error: ",
    "Kernel panic - not syncing",
    "------------[ cut here ]",
    "BUG: Bad ",
    "BUG: KASAN: ",
    "kernel BUG at ",
    "Hardware name: ",
    "Modules linked in:",
    "pstate: ",
    "pc : ",
    "Call trace:",
    "page: refcount:",
)
#: Other words that a line must have to begin a report or to state a fact.
OTHERS = (
    "BUG: ", "WARNING: ", "Unhandled ", "unhandled ", "Bad mode in", "Insufficient stack", "SError Interrupt", "Oops",
    ": bad p", "page:", "-bit VAs", "] pgd=", "] *pgd=", "] user address but", "] address between", " PID: ", "x29: ",
    "x26: ", "x23: ", "x20: ", "x17: ", "x14: ", "x11: ", "x8 : ", "x5 : ", "x2 : ", "x1 : ", "PC is at ",
    "Linux version ", "Booting Linux on ", "-- Boot ", "unexpected fatal signal", "-- Reboot ", "Kernel Offset: ",
    "PHYS_OFFSET: ", "CPU features: 0x", "Memory Limit: ", "Kernel command line: ", "blocked for more than",
    "detected stall", "detected expedited stall", "hard LOCKUP", "Panic#", "Oops#",
)  # fmt: skip

_BREAKS = re.compile(r"<(?:br ?/?|/p|/div|/li|/tr|p|div|li|tr)>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:br|p|pre|code|span|div|b|i|em|strong|font|td|th|tr|table|tbody|li|ul|ol|tt|a|body|html|samp|kbd|u|mark|"
    r"line|log|entry|event|item|message|msg|row|text|value|string|data)"
    r"(?:\s[^<>\n]{0,300})?/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:nbsp|lt|gt|amp|quot|apos|#\d{1,6}|#x[0-9a-fA-F]{1,6});")
_ESCAPES = re.compile(  # colours and other sequences of terminals, with the escape byte or what it was printed as
    r"(?:\x1b|\u241b|\^\[|\\(?:e|033|x1b|u001b)|#033|\ufffd)(?:\[[0-9;?]*[A-Za-z]|\][^\x07\n\x1b]{0,200}(?:\x07|\x1b\\)|[()][A-Z0-9])|\x1b"
)
_LOST_ESCAPES = re.compile(r"\[(?:\d{1,3}(?:;\d{1,3}){0,5}m|\d?K(?![a-z]))")
_BASE64 = re.compile(  # the body of a mail, or of a part of one, behind its headers
    r"^(content-transfer-encoding: base64\r?\n(?:[^\r\n]+\r?\n){0,40}\r?\n)"
    r"((?:[A-Za-z0-9+/]{4,100}={0,2}\r?(?:\n|\Z))+)",
    re.IGNORECASE | re.MULTILINE,
)
_MARKDOWN = re.compile(r"\\([][_*<>#()+.!-])")
_SOFT_BREAKS = re.compile(r"^((?:[^\n]*=\r?\n)+)([^\n]*)", re.MULTILINE)
_QUOTED_BYTES = re.compile(rb"=([0-9A-F]{2})")
_JSON_LINE = re.compile(r"\s*(?:-|data:|\x1e)?\s*(\{.*\}),?\s*$")
_ESCAPED_NEWLINE = re.compile(r"(?:\\r)?\\n")
_CONTROL = {ord(character): " " for character in "\u00a0\u202f\u2007\u3000"} | {ord(c): None for c in "\0\ufeff\u200b"}


@dataclass(frozen=True, eq=False)
class LogText:
    """A log in plain lines.

    Attributes
    ----------
    text : str
        What line numbers are about: the text as it was given, or what it holds.
    plain : str
        The same lines without what mail, web pages and terminals added, in the order in which the kernel printed them.
    backwards : bool
        Whether `plain` has the lines of `text` in the opposite order.
    order : tuple of int
        The number in `text` of each line of `plain`, if it has them in some other order.
    """

    text: str
    plain: str
    backwards: bool = False
    order: tuple[int, ...] = ()

    @cached_property
    def hits(self) -> tuple[tuple[int, str], ...]:
        """Every place of `BEGINNINGS` and `OTHERS`, in order, with the words that are there."""
        return tuple(sorted(places(self.plain, BEGINNINGS + OTHERS)))

    @cached_property
    def newlines(self) -> int:
        """How many lines end in the text."""
        return self.plain.count("\n")

    def number(self, counted: int) -> int:
        """The number of a line in `text`, from its place in `plain`, counted from 1."""
        if self.order:
            return self.order[min(counted, len(self.order)) - 1]
        return self.newlines + 2 - counted if self.backwards else counted

    def number_at(self, offset: int) -> int:
        """The number of the line with a character of `plain`."""
        return self.number(self.plain.count("\n", 0, offset) + 1)


def log_text(text: str) -> LogText:
    r"""A log in plain lines.

    >>> log_text("Mem abort info:=20\nESR =3D 0x96000=\n004").plain.splitlines()
    ['Mem abort info: ', 'ESR = 0x96000004']
    >>> log_text('"Mem abort info:\\n  ESR = 0x96000004"').plain
    'Mem abort info:\n  ESR = 0x96000004'
    """
    text = unpacked(text)
    plain = _without_markup(text)
    return _in_order(LogText(text, plain))


def unpacked(text: str) -> str:
    """The text itself, or the lines that it holds if it is JSON, or HTML without line breaks."""
    if "ransfer-encoding: base64" in text or "ransfer-Encoding: base64" in text:
        text = _BASE64.sub(lambda match: match[1] + _from_base64(match[2]), text)
    start = text[:100].lstrip("\ufeff \t\r\n\x1e")
    if start[:1] in ('"', "{", "[") and (held := _from_json(text)) is not None:
        return held
    if start[:2] == "['" and (held := _from_python(text)) is not None:
        return held
    if ("<br" in text or "</" in text) and len(_BREAKS.findall(text)) > 4 + 2 * text.count("\n"):
        return _BREAKS.sub("\n", text)
    if "\\n" in text and text.count("\\n") > 4 + 4 * text.count("\n"):
        return _ESCAPED_NEWLINE.sub("\n", text).replace("\\t", " ").replace('\\"', '"')
    if "\r" in text and "\n" not in text:
        return text.replace("\r", "\n")
    return text


def _from_python(text: str) -> str | None:
    """The lines in a list as Python prints it; `None` if it is not one."""
    try:
        lines = literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    whole = isinstance(lines, list) and all(isinstance(line, str) for line in lines)
    return "\n".join(line.rstrip("\r\n") for line in lines) if whole else None


def _from_base64(text: str) -> str:
    """The text of a mail's body; as it is if it is damaged."""
    try:
        return b64decode(text.encode(), validate=False).decode(errors="replace") + "\n"
    except ValueError:
        return text


def _from_json(text: str) -> str | None:
    """The messages in one or more JSON documents; `None` if the text is not JSON, or has no words of a kernel."""
    decoder, at, documents, starts = JSONDecoder(), 0, list[Any](), list[int]()
    skip = re.compile(r"[\s\x1e\ufeff,]*")
    try:
        while (at := skip.match(text, at).end()) < len(text):  # type: ignore[union-attr]
            starts.append(at)
            document, at = decoder.raw_decode(text, at)
            documents.append(document)
        hits = sorted({bisect_right(starts, offset) - 1 for offset, _ in places(text, BEGINNINGS)})
        path = _message_path([documents[hit] for hit in hits[:MOST_SAMPLES]] or documents[: 10 * MOST_SAMPLES])
        if path is None:
            return None
        messages = [message for document in documents for message in _at(document, path)]
    except (ValueError, RecursionError):  # also a number of more digits than Python converts
        return None
    return "\n".join(message.rstrip("\r\n") for message in messages)


MOST_SAMPLES = 200  # documents in which the name of the message is looked for


def _message_path(documents: Sequence[Any]) -> tuple[str, ...] | None:
    """The names that lead to the kernel's messages: those of the strings that have its words most often."""
    count: Counter[tuple[str, ...]] = Counter()
    for document in documents:
        for path, string in _strings(document):
            if any(words in string for words in BEGINNINGS):
                count[path] += 1
    return count.most_common(1)[0][0] if count else None


def _strings(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The strings in a JSON document, each with the names that lead to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(inner, (*path, name))
    elif isinstance(value, list):
        if (message := _from_bytes(value)) is not None:
            yield path, message
        for inner in value:
            yield from _strings(inner, path)


def _at(value: Any, path: tuple[str, ...]) -> list[str]:
    """The strings that some names lead to, in their order."""
    if isinstance(value, list):
        message = _from_bytes(value)
        return [message] if message is not None else [string for inner in value for string in _at(inner, path)]
    if isinstance(value, dict):
        return _at(value[path[0]], path[1:]) if path and path[0] in value else []
    return [value] if isinstance(value, str) and not path else []


def _from_bytes(value: list[Any]) -> str | None:
    """A message of a journal that is not UTF-8: its bytes as numbers."""
    if value and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
        return bytes(value).decode(errors="replace")
    return None


def _without_markup(text: str) -> str:
    """The text with every line in its place, and without what the kernel did not print."""
    if "=3D" in text:
        text = _from_quoted_printable(text)
    if any(character in text for character in "\0\u00a0\u202f\u2007\u3000\ufeff\u200b"):
        text = text.translate(_CONTROL)
    if "&" in text and _ENTITY.search(text):
        text = _ENTITY.sub(lambda match: html.unescape(match[0]).replace("\u00a0", " "), _TAG.sub("", text))
    elif "<br" in text or "</" in text:
        text = _TAG.sub("", text)
    if any(
        sign in text for sign in ("\x1b", "\u241b[", "^[[", "\\e[", "\\033[", "\\x1b[", "\\u001b[", "#033[", "\ufffd[")
    ):
        text = _ESCAPES.sub("", text)
    if "\\[" in text or "\\_" in text:
        text = _MARKDOWN.sub(r"\1", text)
    if "[0m" in text or "[0;" in text:
        text = _LOST_ESCAPES.sub("", text)
    if '"}' in text or '":' in text:
        text = _json_lines(text)
    if ",ncfrag=" in text:
        text = _FRAGMENTS.sub(_whole, text)
    return text


_FRAGMENTS = re.compile(  # of a long line that netconsole sent in several packets, each with the same head
    r"^(\d{1,5},\d{1,12},\d{1,20},[^;\n]{0,80}),ncfrag=0/(\d{1,6});[^\n]*(?:\n\1,ncfrag=\d{1,6}/\2;[^\n]*)*",
    re.MULTILINE,
)


def _whole(match: re.Match[str]) -> str:
    """The whole line, and an empty one for each further packet."""
    texts = [line.partition(";")[2] for line in match[0].split("\n")]
    return f"{match[1]};{''.join(texts)}" + "\n" * (len(texts) - 1)


def _from_quoted_printable(text: str) -> str:
    """The text as it was before a mail encoded it; lines that are joined leave empty ones behind them."""
    text = _SOFT_BREAKS.sub(
        lambda match: re.sub(r"=\r?\n", "", match[1]) + match[2] + "\n" * match[1].count("\n"), text
    )
    return _QUOTED_BYTES.sub(lambda match: bytes([int(match[1], 16)]), text.encode()).decode(errors="replace")


def _json_lines(text: str) -> str:
    """The text in which each line that is a JSON object is only its message."""
    lines = text.split("\n")
    starts = line_starts(text)
    numbers = sorted({bisect_right(starts, offset) - 1 for offset, _ in places(text, BEGINNINGS)})
    samples = [document for number in numbers[:MOST_SAMPLES] if (document := _object(lines[number])) is not None]
    path = _message_path(samples)
    if path is None:
        return text
    for number, line in enumerate(lines):
        document = _object(line)
        if document is not None:
            lines[number] = " ".join(_at(document, path)).rstrip("\r\n").replace("\n", " ")
    return "\n".join(lines)


def _object(line: str) -> Any:
    if "{" not in line[:40] or (match := _JSON_LINE.match(line)) is None:
        return None
    try:
        return json.loads(match[1])
    except (ValueError, RecursionError):  # also a number of more digits than Python converts
        return None


def line_starts(text: str) -> list[int]:
    """Where each line of a text begins.

    >>> line_starts("a\\nbc\\n")
    [0, 2, 5]
    """
    starts, at = [0], text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return starts


def places(text: str, among: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Every place of some words in a text, one after the other."""
    for words in among:
        at = text.find(words)
        while at >= 0:
            yield at, words
            at = text.find(words, at + len(words))


_ORDER = ("Mem abort info:", "Internal error: ", "Hardware name: ", "pstate: ", "pc : ", "Call trace:")
_PART = re.compile(r"(?P<dump>[A-Z][a-z]{2,12}#\d{1,9}) Part(?P<part>\d{1,6})\s*$", re.MULTILINE)
_TIME = re.compile(r"\[ {0,8}(\d{1,10}\.\d{1,9})")


def _in_order(log: LogText) -> LogText:
    """The log with its oldest line first."""
    if "#" in log.plain and len(_PART.findall(log.plain)) > 1:
        return _parts_in_order(log)
    if not _is_backwards(log):
        return log
    return LogText(log.text, "\n".join(reversed(log.plain.split("\n"))), True)


def _parts_in_order(log: LogText) -> LogText:
    r"""The log with the parts of each dump that pstore kept in the order in which they were printed.

    The kernel counts the parts from the newest lines on, so that files in the order of their names are the wrong way
    round.

    >>> _parts_in_order(LogText("", "Oops#1 Part1\n3\n4\nOops#1 Part2\n1\n2")).plain.split()
    ['Oops#1', 'Part2', '1', '2', '3', '4']
    """
    lines = log.plain.split("\n")
    heads = [(n, match) for n, line in enumerate(lines) if (match := _PART.match(line))]
    order = [*range(heads[0][0])]
    ends = [n for n, _ in heads[1:]] + [len(lines)]
    parts = [(match["dump"], int(match["part"]), range(n, end)) for (n, match), end in zip(heads, ends, strict=True)]
    for _, same in groupby(parts, lambda part: part[0]):
        for n, (_, _, of) in enumerate(sorted(same, key=lambda part: -part[1])):
            order += of
            if n:
                lines[of[0]] = ""  # so that one report may go on behind it
    return LogText(log.text, "\n".join(lines[n] for n in order), order=tuple(n + 1 for n in order))


def _is_backwards(log: LogText) -> bool:
    """Whether the newest line is the first: by the timestamps, or by the order within a report."""
    places = [offset for offset, words in log.hits if words in BEGINNINGS][:400]
    times = []
    for place in places:
        start = log.plain.rfind("\n", 0, place) + 1
        if match := _TIME.search(log.plain, start, min(place, start + 200)):
            times.append(float(match[1]))
    steps = [later - earlier for earlier, later in pairwise(times) if later != earlier]
    if len(steps) >= 3:
        return sum(step < 0 for step in steps) > 0.7 * len(steps)
    first = [next((offset for offset, words in log.hits if words == name), None) for name in _ORDER]
    known = [offset for offset in first if offset is not None]
    return len(known) >= 4 and known == sorted(known, reverse=True)
