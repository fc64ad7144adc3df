"""Colour for a word on a terminal, and nowhere else; the text means the same without."""

from __future__ import annotations

import os
import sys
from typing import Final

#: Codes of ECMA-48's SGR by meaning, from the colours that every terminal has.
COLOURS: Final = {"good": "32", "suspicious": "33", "bad": "1;31", "aside": "2", "heading": "1"}


def coloured(text: str, how: str | None) -> str:
    """`text` in the colour of a meaning, if standard output is a terminal and colour is not turned off.

    The environment variable NO_COLOR turns it off (https://no-color.org).

    >>> coloured("panic", "bad")  # captured by the test, so no terminal
    'panic'
    """
    if how is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return text
    return f"\033[{COLOURS[how]}m{text}\033[0m"
