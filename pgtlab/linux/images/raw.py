"""Physical memory as it was, byte for byte: a file whose first byte is at a known address."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np

from pgtlab.arch.memory import U64, PhysicalAddressError
from pgtlab.arch.read_only_memory import Extent, ReadOnlyMemory
from pgtlab.linux.images.contents import Contents, ImageError


def read(path: Path, base: int) -> Contents:
    """The memory in `path`, from physical address `base` on.

    Raises
    ------
    ImageError
        Where memory cannot begin at `base`, or the file has no word.
    """
    content = mapped(path)
    words = words_of(content, 0)
    if not len(words):
        raise ImageError(f"{path} has {len(content)} bytes: an image of memory has a word of 8 at least")
    try:
        memory = ReadOnlyMemory(words, [Extent(base, 0, len(words))])
    except PhysicalAddressError as error:
        raise ImageError(f"{path} with base {base:#x}: {error}") from None
    return Contents(memory)


def mapped(path: Path) -> mmap.mmap | bytes:
    """The bytes of a file, mapped: they are read as they are looked at."""
    with path.open("rb") as file:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file has nothing to map
            return b""


def words_of(content: mmap.mmap | bytes, offset: int) -> U64:
    """The words from byte `offset` of a mapped file on, to its end; an odd number of bytes there is left out."""
    count = max(0, len(content) - offset) >> 3
    return np.frombuffer(content, "<u8", count, offset) if count else np.zeros(0, np.uint64)
