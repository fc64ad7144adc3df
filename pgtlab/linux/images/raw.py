"""Physical memory as it was, byte for byte: files whose first byte is at a known address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pgtlab.linux.images.contents import Contents, ImageError
from pgtlab.linux.images.pieces import FileBytes, Piece, contradiction, memory_of

_AT: Final = re.compile(r"(.+)@(0x[0-9a-f]{1,16})", re.IGNORECASE | re.DOTALL)


def file_and_address(name: str) -> tuple[Path, int] | None:
    """The parts of `FILE@ADDRESS`; None where `name` is not one, or is the name of a file.

    >>> file_and_address("DDRCS0_0.BIN@0x80000000")
    (PosixPath('DDRCS0_0.BIN'), 2147483648)
    """
    parts = _AT.fullmatch(name)
    return None if parts is None or Path(name).exists() else (Path(parts[1]), int(parts[2], 16))


def read(files: Sequence[tuple[Path, int]]) -> Contents:
    """The memory in files, each from its physical address on.

    Raises
    ------
    ImageError
        Where memory cannot begin at an address, or a file has no word.
    """
    pieces = []
    for path, base in files:
        content = FileBytes(path)
        if len(content) < 8:
            raise ImageError(f"{path} has {len(content)} bytes: an image of memory has a word of 8 at least")
        if base % 8 or not 0 <= base <= (1 << 52) - len(content):
            raise ImageError(
                f"{path} with base {base:#x}: {len(content)} bytes of memory begin at a multiple of 8, and end below "
                "2**52"
            )
        pieces.append(Piece(base, len(content), content))
    return Contents(memory_of(", ".join(str(path) for path, _ in files), pieces), notes=contradictions(pieces))


def contradictions(pieces: Sequence[Piece]) -> tuple[str, ...]:
    """A note where two pieces have the same memory with different contents."""
    pa = contradiction(pieces)
    if pa is None:
        return ()
    return (f"says twice, and differently, what is at {pa & -8:#x}: the piece that begins at a lower address counts",)
