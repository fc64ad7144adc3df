"""Standard input as bytes, for the commands that read a file from it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
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
    if not sys.stdin.readable():
        raise ValueError("standard input is open for writing only, so there is nothing to read")
    with suppress(OSError, ValueError):  # in a test it is not a file
        os.set_blocking(sys.stdin.fileno(), True)  # else a pipe that is empty for a moment looks as if it had ended
    return sys.stdin.buffer
