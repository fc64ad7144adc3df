"""ELF core dumps of a whole machine: from kdump (`/proc/vmcore`), or from QEMU's `dump-guest-memory`.

Each PT_LOAD is a piece of physical memory at `p_paddr`; what `p_memsz` has beyond `p_filesz` is zeros, which is how
makedumpfile leaves pages of zeros out. kdump has a note VMCOREINFO, QEMU only with its device of that name. Neither
has the registers of translation.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pgtlab.arch.memory import PhysicalAddressError
from pgtlab.arch.read_only_memory import Extent, ReadOnlyMemory
from pgtlab.extras import needed_by
from pgtlab.linux.images import raw
from pgtlab.linux.images.contents import Contents, ImageError
from pgtlab.linux.images.vmcoreinfo import NOTE, VmcoreInfo, add

MAGIC: Final = b"\x7fELF"
PHDR_SIZE: Final = 56  # of an Elf64_Phdr
LARGEST_NOTES: Final = 1 << 26  # bytes: what thousands of CPUs have is a few MiB


@dataclass(frozen=True)
class _Load:
    """A PT_LOAD with memory in it."""

    offset: int
    pa: int
    size: int
    in_file: int


def read(path: Path) -> Contents:
    """The machine in `path`.

    Raises
    ------
    ImageError
        Where it is not a core dump of an arm64 machine, or is too damaged.
    """
    content = raw.mapped(path)
    loads, notes = _segments(path, content)
    if not loads:
        raise ImageError(f"{path} has no memory: a core dump has it in PT_LOAD segments")
    if len(loads) > 1 and not any(load.pa for load in loads):
        raise ImageError(f"{path} is the core dump of a process: its segments have no physical addresses")
    memory, missing = _memory(path, content, loads)
    found = (text for name, text in _notes(notes) if name == b"VMCOREINFO")
    text = next(found, None)
    cut_off = (f"cut off: {missing} bytes of its memory are not in the file",) if missing else ()
    contents = Contents(memory, notes=cut_off)
    return contents if text is None else add(contents, VmcoreInfo.parse(text.decode("ascii", "replace")))


def _segments(path: Path, content: mmap.mmap | bytes) -> tuple[list[_Load], bytes]:
    """The pieces of memory, and the notes one after the other."""
    with needed_by("a core dump"):
        from elftools.elf.elffile import ELFFile  # which no other kind of image needs

    loads, notes = [], b""
    file = path.open("rb")
    try:
        elf = ELFFile(file)
        kind = elf.elfclass, elf.little_endian, elf["e_machine"], elf["e_type"]
        if kind != (64, True, "EM_AARCH64", "ET_CORE"):
            order = "little-endian" if elf.little_endian else "big-endian"
            raise ImageError(
                f"{path} is {elf.elfclass}-bit {order} {elf['e_machine']} {elf['e_type']}; the core dump of an arm64 "
                "machine is 64-bit little-endian EM_AARCH64 ET_CORE"
            )
        count = elf.num_segments()
        if elf["e_phentsize"] != PHDR_SIZE or count * PHDR_SIZE > len(content):
            raise ImageError(f"{path} is damaged: {count} program headers of {elf['e_phentsize']} bytes are not in it")
        for segment in map(elf.get_segment, range(count)) if count else ():
            header = segment.header
            if header.p_type == "PT_LOAD" and header.p_memsz:
                loads.append(_Load(header.p_offset, header.p_paddr, header.p_memsz, header.p_filesz))
            elif header.p_type == "PT_NOTE" and header.p_filesz <= LARGEST_NOTES - len(notes):
                notes += content[header.p_offset : header.p_offset + header.p_filesz]
    except ImageError:
        raise
    except Exception as error:  # a damaged file fails anywhere in elftools
        raise ImageError(f"{path} is not a readable ELF file: {error or type(error).__name__}") from None
    finally:
        file.close()
    return loads, notes


def _memory(path: Path, content: mmap.mmap | bytes, loads: list[_Load]) -> tuple[ReadOnlyMemory, int]:
    """The memory, and how many bytes of it are beyond the end of the file."""
    start = max(loads, key=lambda load: load.in_file).offset % 8
    extents, missing = [], 0
    for load in loads:
        skip = -load.pa % 8  # a word begins at a multiple of eight
        offset, pa = load.offset + skip, load.pa + skip
        if load.in_file and offset % 8 != start:
            raise ImageError(f"{path}: the words at offset {offset:#x} are not aligned as those of other segments are")
        size = min(load.in_file, load.size)
        there = max(0, min(size, len(content) - load.offset))
        missing += size - there
        words, zeros = max(0, there - skip) >> 3, load.size - size >> 3
        if words:
            extents.append(Extent(pa, offset - start >> 3, words))
        if zeros:
            extents.append(Extent(pa + (size - skip & -8), None, zeros))
    try:
        return ReadOnlyMemory(raw.words_of(content, start), extents), missing
    except PhysicalAddressError as error:
        raise ImageError(f"{path}: {error}") from None


def _notes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and text of each note; sizes are rounded up to multiples of four, and an empty note is the last."""
    place = 0
    while place + NOTE.size <= len(content):
        name_size, size, _ = NOTE.unpack_from(content, place)
        if not name_size and not size:
            return
        name = place + NOTE.size
        text = name + (name_size + 3 & -4)
        yield content[name : name + name_size].rstrip(b"\0"), content[text : text + size]
        place = text + (size + 3 & -4)
