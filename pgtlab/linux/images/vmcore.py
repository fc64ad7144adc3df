"""ELF core dumps of a whole machine: from kdump (`/proc/vmcore`), QEMU's `dump-guest-memory`, or `/proc/kcore`.

Each PT_LOAD is a piece of physical memory at `p_paddr`; what `p_memsz` has beyond `p_filesz` is zeros, which is how
makedumpfile leaves pages of zeros out. kdump has a note VMCOREINFO, QEMU only with its device of that name. Neither
has the registers of translation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pgtlab.extras import needed_by
from pgtlab.linux.images.contents import Contents, ImageError
from pgtlab.linux.images.pieces import Content, FileBytes, Piece, memory_of
from pgtlab.linux.images.raw import contradictions
from pgtlab.linux.images.vmcoreinfo import NOTE, VmcoreInfo

MAGIC: Final = b"\x7fELF"
PHDR_SIZE: Final = 56  # of an Elf64_Phdr
NOT_IN_RAM: Final = (1 << 64) - 1  # p_paddr of what /proc/kcore has of vmalloc() and the like
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
    content = FileBytes(path)
    loads, places = _segments(path, content)
    if not loads:
        raise ImageError(f"{path} has no memory: a core dump has it in PT_LOAD segments")
    physical = [load for load in loads if load.pa != NOT_IN_RAM]  # what vmalloc() maps is elsewhere too
    if not physical or (len(loads) > 1 and not any(load.pa for load in loads)):
        raise ImageError(
            f"{path} is the core dump of a process, or a /proc/kcore from before v4.19: its segments have no physical "
            "addresses"
        )
    pieces, missing = _pieces(content, physical)
    notes = (f"cut off: {missing} bytes of its memory are not in the file",) if missing else ()
    texts = (text for place in places for name, text in _notes(place) if name == b"VMCOREINFO")
    infos = tuple(VmcoreInfo.parse(text.decode("ascii", "replace")) for text in dict.fromkeys(texts))
    return Contents(memory_of(path, pieces), notes=notes + contradictions(pieces), infos=infos)


def _segments(path: Path, content: Content) -> tuple[list[_Load], list[bytes]]:
    """The pieces of memory, and the bytes of each segment of notes."""
    with needed_by("a core dump"):
        from elftools.elf.elffile import ELFFile  # which no other kind of image needs

    loads: list[_Load] = []
    places: set[tuple[int, int]] = set()  # two segments of notes at the same place are read once
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
            elif header.p_type == "PT_NOTE":
                places.add((header.p_offset, min(header.p_offset + header.p_filesz, len(content))))
    except ImageError:
        raise
    except Exception as error:  # a damaged file fails anywhere in elftools
        raise ImageError(f"{path} is not a readable ELF file: {error or type(error).__name__}") from None
    finally:
        file.close()
    return loads, [content[start:end] for start, end in _apart(places)]


def _apart(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The places without those that lie in one before: all of them together are no longer than the file."""
    past = 0
    for start, end in sorted(places):
        if start >= past and start < end <= start + LARGEST_NOTES:
            yield start, end
            past = end


def _pieces(content: Content, loads: list[_Load]) -> tuple[list[Piece], int]:
    """The pieces of memory, and how many bytes of them are beyond the end of the file."""
    pieces, missing = [], 0
    for load in loads:
        size = min(load.in_file, load.size)
        there = max(0, min(size, len(content) - load.offset))
        missing += size - there
        pieces.append(Piece(load.pa, there, content, load.offset))
        pieces.append(Piece(load.pa + size, load.size - size, None))
    return pieces, missing


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
