"""VMCOREINFO: lines of text that a kernel keeps for programs that read its memory after a crash.

`NAME=value`, `NUMBER(name)=value`, `SYMBOL(name)=address` and more: `kernel/vmcore_info.c`, and for arm64
`arch/arm64/kernel/vmcore_info.c`, v6.12. kdump passes the text on as an ELF note of that name. In the kernel's own
memory the same note is there too, so that an image without it can be searched for one.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pgtlab.arch.word import MASK64
from pgtlab.linux.images.contents import Contents
from pgtlab.linux.images.pieces import FileBytes

NAME: Final = b"VMCOREINFO\0\0"  # as an ELF note has it, padded to a multiple of four
NOTE: Final = struct.Struct("<III")  # n_namesz, n_descsz, n_type
LARGEST: Final = 1 << 16  # bytes: VMCOREINFO_BYTES is a page
_LINE: Final = re.compile(r"(?:(NUMBER|SYMBOL)\((\w+)\)|(\w+))=(.*)")
_PIECE: Final = 1 << 24  # bytes searched at a time


@dataclass(frozen=True)
class VmcoreInfo:
    """The part of the text that concerns page tables.

    >>> said = VmcoreInfo.parse("OSRELEASE=6.9.0\\nNUMBER(VA_BITS)=48\\nSYMBOL(swapper_pg_dir)=ffff8000")
    >>> said.numbers, said.symbols, said.osrelease
    ({'VA_BITS': 48}, {'swapper_pg_dir': 4294934528}, '6.9.0')
    """

    numbers: Mapping[str, int] = field(default_factory=dict)
    symbols: Mapping[str, int] = field(default_factory=dict)
    osrelease: str | None = None

    @classmethod
    def parse(cls, text: str) -> VmcoreInfo:
        """The values in the lines of `text`; other lines are skipped.

        NUMBERs are decimal, or hexadecimal with `0x`; SYMBOLs and KERNELOFFSET are hexadecimal without.
        """
        numbers: dict[str, int] = {}
        symbols: dict[str, int] = {}
        osrelease = None
        for line in text.splitlines():
            found = _LINE.fullmatch(line.strip())
            if not found:
                continue
            kind, name, plain, value = found.groups()
            if plain == "OSRELEASE":
                osrelease = value
            elif kind == "SYMBOL" or plain == "KERNELOFFSET":
                _set(symbols if kind else numbers, name or plain, value, 16)
            elif kind == "NUMBER" or plain == "PAGESIZE":
                _set(numbers, name or plain, value, 0)
        return cls(numbers, symbols, osrelease)


def add(contents: Contents, info: VmcoreInfo, *notes: str) -> Contents:
    """`contents` with what the text says."""
    return replace(
        contents,
        numbers=info.numbers,
        symbols=info.symbols,
        osrelease=info.osrelease,
        notes=(*contents.notes, *notes),
    )


def search(read: Callable[[int, int], bytes], spans: Iterable[tuple[int, int]], total: int) -> Iterator[VmcoreInfo]:
    """Every note in the memory of arm64 kernels, wherever it is between the begin and the end of a span.

    `read(place, size)` returns bytes. All are read once, a piece at a time; a bar shows it on a terminal.
    """
    from pgtlab.progress_bar import tqdm

    header = struct.pack("<I", len("VMCOREINFO") + 1)
    overlap = NOTE.size + len(NAME)
    with tqdm(total=total, unit="B", unit_scale=True, delay=1, disable=None, desc="VMCOREINFO?") as bar:
        for begin, end in spans:
            for place in range(begin, end, _PIECE):
                piece = read(place, min(_PIECE + overlap, end - place))
                bar.update(min(_PIECE, end - place))
                at = piece.find(NAME, NOTE.size)
                while at >= 0:
                    if piece.startswith(header, at - NOTE.size):
                        start = place + at + len(NAME)
                        length = min(NOTE.unpack_from(piece, at - NOTE.size)[1], LARGEST, end - start)
                        info = VmcoreInfo.parse(read(start, length).decode("ascii", "replace"))
                        if "kimage_voffset" in info.numbers:
                            yield info
                    at = piece.find(NAME, at + 1)


def in_files(files: Sequence[FileBytes]) -> Iterator[VmcoreInfo]:
    """Every note in files, whose holes are left out."""
    for file in files:
        yield from search(lambda place, size, file=file: file[place : place + size], _written(file), len(file))  # type: ignore[misc]


def _written(content: FileBytes) -> Iterator[tuple[int, int]]:
    """Where a sparse file has content, as far as the file system says so."""
    file, size, end = content.file, len(content), 0
    while end < size:
        try:
            begin = os.lseek(file, end, os.SEEK_DATA)
            end = os.lseek(file, begin, os.SEEK_HOLE)
        except (AttributeError, OSError) as error:
            if getattr(error, "errno", None) != errno.ENXIO:  # which says that no more is written
                yield end, size
            return
        yield begin, end


def _set(values: dict[str, int], name: str, value: str, base: int) -> None:
    try:
        number = int(value, base)
    except ValueError:
        return
    if -(1 << 63) <= number < 1 << 64:
        values[name] = number & MASK64
