"""What LiME and AVML write: a header of 32 bytes before each range of memory, with its first and last address.

LiME's ranges (version 1) are as they were. AVML's (version 2) are compressed: a stream in Snappy's framing format and,
after it, the size of the stream.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pgtlab.extras import needed_by
from pgtlab.linux.images.contents import Contents, ImageError
from pgtlab.linux.images.pieces import Content, FileBytes, Piece, memory_of
from pgtlab.linux.images.raw import contradictions
from pgtlab.linux.images.sparse import Sparse

MAGIC: Final = b"EMiL"
AVML_MAGIC: Final = b"AVML"
_HEADER: Final = struct.Struct("<4sIQQQ")
_COMPRESSED, _PLAIN = 0, 1  # kinds of chunks with content


def read(path: Path) -> Contents:
    """The memory in a file of LiME's.

    Raises
    ------
    ImageError
        Where a header is damaged.
    """
    content = FileBytes(path)
    pieces, missing = [], 0
    for place, start, size in _ranges(path, content):
        there = min(size, len(content) - place)
        missing += size - there
        pieces.append(Piece(start, there, content, place))
    cut_off = (f"cut off: {missing} bytes of its memory are not in the file",) if missing else ()
    return Contents(memory_of(path, pieces), notes=cut_off + contradictions(pieces))


def _ranges(path: Path, content: Content) -> Iterator[tuple[int, int, int]]:
    """Where each range is in the file, its first address and its size."""
    place = 0
    while place + _HEADER.size <= len(content):
        magic, version, first, last, _ = _HEADER.unpack(content[place : place + _HEADER.size])
        if (magic, version) != (MAGIC, 1) or last < first:
            raise ImageError(
                f"{path} is damaged: at offset {place:#x} is no header of LiME's, which has EMiL, version 1, and the "
                "first and the last address of a range"
            )
        place += _HEADER.size
        yield place, first, last + 1 - first
        place += last + 1 - first


def unpack_avml(path: Path, out: Sparse) -> None:
    """Write the memory in a file of AVML's as LiME writes it.

    Raises
    ------
    ImageError
        Where it is damaged.
    """
    with needed_by("a compressed dump of AVML's"):
        from cramjam import DecompressionError

    content = FileBytes(path)
    place = 0
    while place + _HEADER.size <= len(content):
        magic, version, first, last, _ = _HEADER.unpack(content[place : place + _HEADER.size])
        end = last + 1 & -2  # AVML writes the last address, other tools the one after it
        start = place + _HEADER.size
        if end <= first or (magic, version) not in ((AVML_MAGIC, 2), (MAGIC, 1)):
            raise ImageError(f"{path} is damaged: at offset {place:#x} is no header of AVML's, version 2")
        out.write(_HEADER.pack(MAGIC, 1, first, end - 1, 0))
        if magic == MAGIC:  # a range that is not compressed
            place = start + end - first
            out.write(content[start:place])
            continue
        try:
            place = _unpack_range(content, start, end - first, out) + 8  # the size of the stream is after it
        except (DecompressionError, ValueError) as error:
            raise ImageError(f"{path} is damaged in the range at offset {place:#x}: {error}") from None


def _unpack_range(content: Content, place: int, size: int, out: Sparse) -> int:
    """Write `size` bytes, of which the stream begins at `place`; where it ends."""
    from cramjam import snappy

    while size > 0:
        head = content[place : place + 8]
        if len(head) < 8:
            raise ValueError("it is cut off")
        end = place + 4 + int.from_bytes(head[1:4], "little")
        if head[0] in (_COMPRESSED, _PLAIN):  # others are the stream's name, and padding
            chunk = content[place + 8 : end]  # four bytes of checksum come first
            memory = bytes(snappy.decompress_raw(chunk)) if head[0] == _COMPRESSED else chunk
            out.write(memory[:size])
            size -= len(memory)
        place = end
    return place
