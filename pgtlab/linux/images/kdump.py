"""kdump-compressed dumps, of makedumpfile and of QEMU (`dump-guest-memory -z`, `-l`, `-s`), flattened or not.

A header, a bitmap of the blocks that are in the file, a descriptor for each of them, and their content, each compressed
by itself. libkdumpfile, through drgn, reads such files as well, but not those of QEMU without a VMCOREINFO; and it maps
the file, so that one that is cut off ends the process (SIGBUS). The tests compare with it.

Source: `IMPLEMENTATION` and `diskdump_mod.h` of makedumpfile.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from pgtlab.arch.fetched_memory import FetchedMemory
from pgtlab.extras import needed_by
from pgtlab.linux.images.contents import Contents, ImageError
from pgtlab.linux.images.flattened import as_it_was
from pgtlab.linux.images.pieces import Content, FileBytes
from pgtlab.linux.images.vmcoreinfo import LARGEST, VmcoreInfo, search

MAGIC: Final = b"KDUMP   "
_MACHINE: Final = slice(0x110, 0x151)  # of struct disk_dump_header: its new_utsname says for which machine
#: block_size, then sub_hdr_size and bitmap_blocks, in blocks, and max_mapnr.
_HEADER: Final = struct.Struct("<428xIIII")
#: Whether it is split, where its VMCOREINFO is and of what size, and from version 6 on max_mapnr_64.
_SUB_HEADER: Final = struct.Struct("<8x4xi16xQQ48xQ")
_DESCRIPTOR: Final = struct.Struct("<QII8x")  # where a block is, of what size, and how it is compressed
_ZLIB, _LZO, _SNAPPY, _ZSTD = 0x1, 0x2, 0x4, 0x20
_COUNTED: Final = 1 << 12  # bytes of the bitmap that are counted together


def read(path: Path) -> Contents:
    """The machine in `path`.

    Raises
    ------
    ImageError
        Where it is of another machine than an arm64 one, or is damaged.
    """
    blocks = _Blocks(path, as_it_was(FileBytes(path)))
    return Contents(
        FetchedMemory(blocks.fetch, blocks.shift),
        notes=blocks.notes,
        infos=(VmcoreInfo.parse(blocks.vmcoreinfo),) if blocks.vmcoreinfo else (),
        search=lambda: search(blocks.read, blocks.spans(), blocks.count << blocks.shift),
    )


class _Blocks:
    """The blocks of memory in a dump, by address."""

    def __init__(self, path: Path, content: Content) -> None:
        self._path, self._content = path, content
        head = content[: _HEADER.size]
        if len(head) < _HEADER.size or not head.startswith(MAGIC):
            raise ImageError(f"{path} is damaged: a compressed dump begins with a header of {_HEADER.size} bytes")
        machine = head[_MACHINE].split(b"\0")[0].decode("ascii", "replace")
        if machine not in ("", "Unknown", "aarch64"):  # QEMU does not know it
            raise ImageError(f"{path} is a dump of a machine that is {machine!r}; pgtlab reads those of aarch64")
        size, sub_header, bitmap, fewer = _HEADER.unpack(head)
        if size not in (1 << 12, 1 << 14, 1 << 16):
            raise ImageError(f"{path} is damaged: its blocks have {size} bytes, which is no size of a page")
        self.shift = size.bit_length() - 1
        following = content[size : size + _SUB_HEADER.size].ljust(_SUB_HEADER.size, b"\0")
        split, place, length, more = _SUB_HEADER.unpack(following)
        if split:
            raise ImageError(
                f"{path} is one part of a dump that is split: `makedumpfile --reassemble` puts the parts together"
            )
        self.vmcoreinfo = content[place : place + min(length, LARGEST)].decode("ascii", "replace") if length else ""
        self.count = min(max(more, fewer), bitmap * size * 4)  # of two bitmaps the second says what is in the file
        self._bitmap = (1 + sub_header) * size + bitmap * size // 2
        self._descriptors = (1 + sub_header + bitmap) * size
        if self._descriptors > len(content):
            raise ImageError(f"{path} is damaged or cut off: its bitmap of {bitmap} blocks is not in it")
        self._before = [0]  # blocks in the file before each part of the bitmap
        for start in range(0, self.count, 8 * _COUNTED):
            self._before.append(self._before[-1] + int(np.bitwise_count(self._bits(start)).sum()))
        self.notes = self._cut_off()

    def _bits(self, first: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """The bytes of the bitmap that begin with block `first`, as far as they are counted together."""
        place = self._bitmap + first // 8
        size = min(_COUNTED, -(-(self.count - first) // 8))
        bits = np.frombuffer(self._content[place : place + size], np.uint8).copy()
        if 8 * size > self.count - first:
            bits[-1:] &= 0xFF >> -self.count % 8
        return bits

    def _cut_off(self) -> tuple[str, ...]:
        """A note where the end of the file is missing, with the number of blocks without a descriptor or content."""
        count = self._before[-1]
        there = max(0, min(count, (len(self._content) - self._descriptors) // _DESCRIPTOR.size))
        if there:
            place, size, _ = self._descriptor(there - 1)
            if there == count and place + size <= len(self._content):
                return ()
        return (f"cut off: not all of its {count} blocks of memory are in the file",) if count else ()

    def _descriptor(self, number: int) -> tuple[int, int, int]:
        place = self._descriptors + number * _DESCRIPTOR.size
        content = self._content[place : place + _DESCRIPTOR.size]
        return _DESCRIPTOR.unpack(content) if len(content) == _DESCRIPTOR.size else (0, 0, 0)

    def fetch(self, pa: int, size: int) -> bytes | None:
        """The block at `pa`, None where the dump does not have it or it is damaged."""
        block = pa >> self.shift
        if block >= self.count:
            return None
        part, within = divmod(block, 8 * _COUNTED)
        bits = self._bits(part * 8 * _COUNTED)
        byte, bit = divmod(within, 8)
        if byte >= len(bits) or not bits[byte] >> bit & 1:
            return None
        number = self._before[part] + int(np.bitwise_count(bits[:byte]).sum())
        number += (int(bits[byte]) & (1 << bit) - 1).bit_count()
        place, length, flags = self._descriptor(number)
        if not 0 < length <= size:
            return None
        content = _unpacked(self._content[place : place + length], flags, size)
        return content if len(content) == size else None

    def read(self, pa: int, size: int) -> bytes:
        """`size` bytes from `pa` on, up to the first block that is not there."""
        out = bytearray()
        for start in range(pa >> self.shift << self.shift, pa + size, 1 << self.shift):
            block = self.fetch(start, 1 << self.shift)
            if block is None:
                break
            out += block[max(0, pa - start) : pa + size - start]
        return bytes(out)

    def spans(self) -> Iterator[tuple[int, int]]:
        """Where the dump has blocks side by side."""
        for first in range(0, self.count, 8 * _COUNTED):
            there = np.unpackbits(self._bits(first), bitorder="little")
            edges = np.flatnonzero(np.diff(there, prepend=0, append=0).astype(bool)).tolist()
            for begin, end in zip(edges[::2], edges[1::2], strict=True):
                yield first + begin << self.shift, first + end << self.shift


def _unpacked(content: bytes, flags: int, size: int) -> bytes:
    """A block as it was, empty where it is damaged."""
    if not flags & (_ZLIB | _LZO | _SNAPPY | _ZSTD):
        return content
    try:
        return _decompressor(flags)(content, size)
    except ImportError:
        raise
    except Exception:  # each library has its own errors
        return b""


def _decompressor(flags: int) -> Callable[[bytes, int], bytes]:
    if flags & _ZLIB:
        return lambda content, size: zlib.decompressobj().decompress(content, size)
    with needed_by("this compressed dump"):
        if flags & _LZO:
            from lzallright import LZOCompressor

            return lambda content, size: LZOCompressor().decompress(content, size)
        if flags & _SNAPPY:
            from cramjam import snappy

            return lambda content, size: bytes(snappy.decompress_raw(content))
        from zstandard import ZstdDecompressor

        return lambda content, size: ZstdDecompressor().decompress(content, size)
