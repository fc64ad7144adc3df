"""Memory in pieces: each is bytes of a file, or zeros, at a physical address."""

from __future__ import annotations

import mmap
import os
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from pgtlab.arch.fetched_memory import FetchedMemory
from pgtlab.arch.memory import U64, Memory, PhysicalAddressError
from pgtlab.arch.read_only_memory import Extent, ReadOnlyMemory
from pgtlab.linux.images.contents import ImageError

_COMPARED: Final = 1 << 20  # bytes at a time
_MOST_COMPARED: Final = 1 << 31  # bytes in all: more overlap than that only in a file that is made to take long


class FileBytes:
    """The bytes of a file, each slice read when it is asked for, also once the file has no name any more.

    Raises
    ------
    ImageError
        At a slice that is not in the file any more.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._size = os.lseek(self.file, 0, os.SEEK_END)

    def __del__(self) -> None:
        with suppress(AttributeError):  # where it could not be opened
            os.close(self.file)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: slice) -> bytes:
        start = place.start or 0
        size = max(0, min(place.stop, self._size) - start)
        content = bytearray()
        while len(content) < size and (piece := _read_at(self.file, start + len(content), size - len(content))):
            content += piece
        if len(content) < size:
            self.is_whole()
        return bytes(content)

    def is_whole(self) -> None:
        """`ImageError` where the file has become shorter since it was opened."""
        now = os.lseek(self.file, 0, os.SEEK_END)
        if now < self._size:
            raise ImageError(
                f"{self.name} had {self._size} bytes when it was opened, and has {now} now: open it again when nothing "
                "writes to it"
            )

    def words(self, offset: int) -> U64 | None:
        """The words from byte `offset` on, in place, without an odd number of bytes at the end.

        None where the file cannot be mapped, as /proc/kcore. A look at a word that is not in the file any more ends
        the process (SIGBUS): ask `is_whole()` before.
        """
        count = max(0, self._size - offset) >> 3
        if not count:
            return np.zeros(0, np.uint64)
        try:
            return np.frombuffer(mmap.mmap(self.file, 0, access=mmap.ACCESS_READ), "<u8", count, offset)
        except (OSError, ValueError):
            return None


def _read_at(file: int, place: int, size: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file, size, place)
    os.lseek(file, place, os.SEEK_SET)
    return os.read(file, size)


Content: TypeAlias = bytes | FileBytes


class Piece(NamedTuple):
    """`size` bytes at physical address `pa`: those of `content` from `offset` on, or zeros without."""

    pa: int
    size: int
    content: Content | None
    offset: int = 0


def memory_of(name: Path | str, pieces: Sequence[Piece]) -> Memory:
    """The memory that the pieces make; where they overlap, the one that begins lower counts.

    Pieces of one file whose words are all aligned alike stay in it, mapped. Others are read page by page.

    Raises
    ------
    ImageError
        Where a piece is beyond the largest physical address.
    """
    whole = [_whole_words(piece) for piece in pieces]
    pieces = sorted((piece for piece in whole if piece.size > 0), key=lambda piece: piece.pa)
    for piece in pieces:
        if not 0 <= piece.pa <= (1 << 52) - piece.size:
            raise ImageError(
                f"{name}: {piece.size >> 3} words at {piece.pa:#x}: words are at multiples of 8, below 2**52"
            )
    in_file = [piece for piece in pieces if piece.content is not None]
    contents = {id(piece.content): piece.content for piece in in_file}
    content = next(iter(contents.values()), b"")
    starts = {piece.offset % 8 for piece in in_file} or {0}
    start = min(starts)
    words = content.words(start) if isinstance(content, FileBytes) else np.zeros(0, np.uint64)
    if len(contents) > 1 or len(starts) > 1 or words is None:
        return _fetched(pieces)
    extents = [
        Extent(piece.pa, None if piece.content is None else piece.offset - start >> 3, piece.size >> 3)
        for piece in pieces
    ]
    try:
        return ReadOnlyMemory(words, extents, is_whole=content.is_whole if isinstance(content, FileBytes) else None)
    except PhysicalAddressError as error:
        raise ImageError(f"{name}: {error}") from None


def _whole_words(piece: Piece) -> Piece:
    """The piece without the bytes at its ends that are not whole words."""
    skip = -piece.pa % 8
    return piece._replace(pa=piece.pa + skip, size=max(0, piece.size - skip) & -8, offset=piece.offset + skip)


def _fetched(pieces: Sequence[Piece]) -> FetchedMemory:
    kept: list[Piece] = []
    for piece in pieces:
        covered = max(0, kept[-1].pa + kept[-1].size - piece.pa) if kept else 0
        if covered < piece.size:
            kept.append(Piece(piece.pa + covered, piece.size - covered, piece.content, piece.offset + covered))
    bases = [piece.pa for piece in kept]
    borders = 0
    for piece in kept:
        borders |= piece.pa | piece.size

    def fetch(pa: int, size: int) -> bytes | None:
        at = bisect_right(bases, pa) - 1
        if at < 0 or pa >= kept[at].pa + kept[at].size:
            return None
        content = _bytes_at(kept[at], pa, size)
        return content if len(content) == size else None

    return FetchedMemory(fetch, min(12, (borders & -borders).bit_length() - 1))  # no page is in two pieces


def contradiction(pieces: Sequence[Piece]) -> int | None:
    """The first address found that two pieces have with different contents; None where all agree.

    >>> contradiction([Piece(0x1000, 16, bytes(16)), Piece(0x1008, 16, bytes([0, 1]) + bytes(14))])
    4105
    """
    kept: list[Piece] = []
    budget = _MOST_COMPARED
    for piece in sorted(pieces, key=lambda piece: piece.pa):
        for before in reversed(kept):
            overlap = min(before.pa + before.size, piece.pa + piece.size) - piece.pa
            if before.pa + before.size <= piece.pa or budget <= 0:
                break
            budget -= max(0, overlap)
            different = _difference(before, piece, max(before.pa, piece.pa), piece.pa + overlap)
            if different is not None:
                return different
        if not kept or piece.pa + piece.size > kept[-1].pa + kept[-1].size:
            kept.append(piece)
    return None


def _difference(one: Piece, other: Piece, start: int, end: int) -> int | None:
    """The first address from `start` to `end` at which two pieces differ."""
    if one.content is other.content and one.offset - one.pa == other.offset - other.pa:
        return None
    for pa in range(start, end, _COMPARED):
        size = min(_COMPARED, end - pa)
        left, right = (_bytes_at(piece, pa, size) for piece in (one, other))
        if left != right:
            length = min(len(left), len(right))
            a, b = (np.frombuffer(side, np.uint8, length) for side in (left, right))
            differs = np.flatnonzero(a != b)
            return pa + (int(differs[0]) if len(differs) else length)
    return None


def _bytes_at(piece: Piece, pa: int, size: int) -> bytes:
    place = piece.offset + pa - piece.pa
    return bytes(size) if piece.content is None else piece.content[place : place + size]
