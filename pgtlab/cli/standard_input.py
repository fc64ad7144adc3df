"""Standard input as bytes, for the commands that read a file from it."""

from __future__ import annotations

import sys
from typing import BinaryIO


def standard_input() -> BinaryIO:
    """Standard input.

    Raises
    ------
    ValueError
        If it is closed (`<&-` in a shell).
    """
    if sys.stdin is None:
        raise ValueError("standard input is closed, so there is nothing to read")
    return sys.stdin.buffer
