"""Files that makedumpfile and QEMU send through a pipe: records, each with the offset where its bytes belong."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pgtlab.linux.images.pieces import Content, FileBytes
from pgtlab.linux.images.sparse import Sparse

MAGIC: Final = b"makedumpfile"
HEADER: Final = 4096  # bytes before the first record
RECORD: Final = struct.Struct(">qq")  # where its bytes belong, and how many


def is_flattened(content: Content) -> bool:
    """Whether a file is one of such records."""
    return content[: len(MAGIC)] == MAGIC


def as_it_was(content: Content) -> Content:
    """The bytes of a file; of one that is flattened, those that it was made of."""
    return Unflattened(content) if is_flattened(content) else content  # type: ignore[return-value]


def unflatten(path: Path, out: Sparse) -> None:
    """Write what a flattened file was made of."""
    content = FileBytes(path)
    for offset, length, at in _records(content):
        out.seek(offset)
        out.write(content[at : at + length])


class Unflattened:
    """The bytes that a flattened file was made of: where two records have the same ones, the last counts."""

    def __init__(self, content: Content) -> None:
        self._content = content
        records = list(_records(content))
        order = sorted(range(len(records)), key=lambda number: records[number][0])  # which keeps that of the file
        self._records = [(*records[number], number) for number in order]
        self._offsets = [offset for offset, *_ in self._records]
        self._longest = max((length for _, length, _ in records), default=0)
        self._size = max((offset + length for offset, length, _ in records), default=0)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: slice) -> bytes:
        start, stop = place.start or 0, min(place.stop, self._size)
        out = bytearray(max(0, stop - start))
        first, last = bisect_left(self._offsets, start - self._longest), bisect_left(self._offsets, stop)
        for offset, length, at, _ in sorted(self._records[first:last], key=lambda record: record[3]):
            begin, end = max(start, offset), min(stop, offset + length)
            if begin < end:
                out[begin - start : end - start] = self._content[at + begin - offset : at + end - offset]
        return bytes(out)


def _records(content: Content) -> Iterator[tuple[int, int, int]]:
    """Of each record where its bytes belong, how many they are, and where they are."""
    at = HEADER
    while at + RECORD.size <= len(content):
        offset, length = RECORD.unpack(content[at : at + RECORD.size])
        at += RECORD.size
        if offset < 0 or length <= 0:
            break
        length = min(length, len(content) - at)
        yield offset, length, at
        at += length
