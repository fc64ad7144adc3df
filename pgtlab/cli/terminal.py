"""What reaches a terminal: text and line ends, and no commands from a log, a file name or an error.

A terminal obeys control characters: they set its title, write to the clipboard, hide what follows or reverse the order
of letters. Standard output is a `Terminal` while a command runs, and `complain` writes to standard error; both print
such a character as its escape, `\\x1b`. The command's own colours are marked, so that they alone pass.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import Any, Final, TextIO
from unicodedata import category

from pgtlab.limits import shortened

#: Codes of ECMA-48's SGR by meaning, from the colours that every terminal has.
COLOURS: Final = {"good": "32", "suspicious": "33", "bad": "1;31", "aside": "2", "heading": "1"}

_ASCII: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
#: Of Unicode: controls, marks of direction and others without a shape, halves of characters, ends of lines.
_UNSEEN: Final = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_LONG_WORD: Final = re.compile(r"\S{250,}")
_MARK: Final = os.urandom(8).hex()  # before a colour of ours; no text that is printed can know it


def printable(text: str) -> str:
    r"""A text in which control characters, except tabs and line ends, and marks of direction are escapes.

    >>> printable("\x1b]0;title\x07, \x9b31m, \u202edcba"), printable("Käse 0x1f\n")
    ('\\x1b]0;title\\x07, \\x9b31m, \\u202edcba', 'Käse 0x1f\n')
    """
    if text.isascii():
        return _ASCII.sub(lambda control: _escape(control[0]), text)
    return "".join(_escape(c) if category(c) in _UNSEEN and c not in "\t\n" else c for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


class Terminal:
    """A text stream to which only what is `printable` is written, and the colours of `coloured`."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, safe to print."""
        return self.stream.write(printable(text).replace(_MARK, "\033["))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def coloured(text: str, how: str | None) -> str:
    """`text` in the colour of a meaning, if standard output is a `Terminal` and colour is not turned off.

    The environment variable NO_COLOR turns it off (https://no-color.org).

    >>> coloured("panic", "bad")  # captured by the test, so no terminal
    'panic'
    """
    plain = how is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if plain or not isinstance(sys.stdout, Terminal) or not sys.stdout.isatty():
        return text
    return f"{_MARK}{COLOURS[str(how)]}m{text}{_MARK}0m"


def sentence(message: str) -> str:
    """A message of the command's as it is shown: the middle of a very long value is left out.

    >>> sentence("1" * 999 + " is not a tree")
    '111111111111111111111111111111111111...1111111111111111 is not a tree'
    """
    return printable(_LONG_WORD.sub(lambda word: shortened(word[0]), message))


def complain(message: object) -> None:
    """Print a sentence of the command's to standard error; where that is full, the exit status says enough."""
    with suppress(OSError):
        print(sentence(f"pgtlab: {message}"), file=sys.stderr)
