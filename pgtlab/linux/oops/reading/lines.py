"""The lines of a log without what consoles, journals, mail and test systems put before them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """One line of a log.

    >>> read_line(7, "> > <4>[    0.161062][    T1] Modules linked in:")
    Line(number=7, text='Modules linked in:', time=0.161062, caller='T1')

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
    """

    number: int
    text: str
    time: float | None = None
    caller: str = ""


LONGEST_PREFIX = 160  # characters before the kernel's timestamp: a quoted line of a journal with a long host name
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TIMESTAMP = re.compile(r"\[ {0,8}(\d{1,10}\.\d{1,9})\](?: ?\[ {0,6}([TC]\d{1,10})\])?:? ?")
_QUOTE = re.compile(r"^(?:[ \t]*[>|])+ ?")
_LEVEL = re.compile(r"^[ \t]*(?:<\d{1,3}>|(?:kern|user|daemon) *:(?:emerg|alert|crit|err|warn|notice|info|debug) *: ?)")
_CALLER = re.compile(r"^[ \t]*\[ {0,6}([TC]\d{1,10})\] ?")
_HUMAN_TIME = re.compile(r"^[ \t]*\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] ?")
_CLOCK = re.compile(  # a syslog or journal line without the kernel's own timestamp, or a terminal that adds the time
    r"^[ \t]*(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d\S*|[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d(?:\.\d+)?|"
    r"\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?)(?:[ \t]|$)"
)
_DAEMON = re.compile(r"^(?:\S{1,80} )?kernel(?:\[\d{1,10}\])?: ?")


def read_line(number: int, raw: str) -> Line:
    """One line without its prefixes.

    >>> read_line(1, "Mar  1 12:00:00 host kernel: pc : f+0x3c/0x68").text
    'pc : f+0x3c/0x68'
    """
    if "\x1b" in raw:
        raw = _ANSI.sub("", raw)
    timestamp = _TIMESTAMP.search(raw, 0, LONGEST_PREFIX)
    if timestamp:
        caller = timestamp[2] or ""
        text = raw[timestamp.end() :]
        if not caller and text.startswith("["):
            caller, text = _caller(text)
        return Line(number, text.strip(), float(timestamp[1]), caller)
    if not raw or raw[0] not in " \t<>|[0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZkud":
        return Line(number, raw.strip())
    text = raw
    for prefix in (_QUOTE, _LEVEL, _HUMAN_TIME, _CLOCK, _DAEMON, _LEVEL):
        match = prefix.match(text)
        if match and match.end():
            text = text[match.end() :]
    caller, text = _caller(text)
    return Line(number, text.strip(), None, caller)


def clean_lines(text: str) -> Iterator[Line]:
    r"""Every line of a text without its prefixes.

    >>> [line.text for line in clean_lines("| [    1.000000] one\r\n| [    1.100000] two")]
    ['one', 'two']
    """
    for number, raw in enumerate(text.split("\n"), 1):
        yield read_line(number, raw)


def _caller(text: str) -> tuple[str, str]:
    match = _CALLER.match(text)
    return (match[1], text[match.end() :]) if match else ("", text)


def hex16(value: int | None) -> str | None:
    """A number as a log has it, in 16 hexadecimal digits; `None` stays `None`."""
    return None if value is None else f"{value:016x}"
