"""The printed walk: what `show_pte()` found in Linux's tables (`arch/arm64/mm/fault.c`).

Two lines, which every version spells a little differently::

    swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041ef8000
    [fffffe000024d588] pgd=0000000000000000, p4d=0000000000000000

Before v5.5 p4d is missing; before v5.0 `pgdp` is a pointer, usually hashed; before v4.14 the first line is
`pgd = ffffffc0a39a0000`, and the entries are `*pgd=...`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgtlab.arch.descriptor import Descriptor, DescriptorFormat, Invalid, Leaf
from pgtlab.arch.granule import GRANULES, Granule
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.word import is_upper
from pgtlab.linux.oops.reading.lines import Line, hex16

#: The level of each table when all five exist.
LEVELS = {"pgd": -1, "p4d": 0, "pud": 1, "pmd": 2, "pte": 3}
NO_USER = "user address but active_mm is swapper"
BETWEEN = "address between user and kernel address ranges"

_PGTABLE = re.compile(r"(swapper|user) pgtable: (\d{1,3})k pages, (\d{1,2})-bit VAs, pgdp?( ?)= ?(\S{1,20})")
_ADDRESS = re.compile(r"\[([0-9a-f]{8,16})\] (?=\*?pgd=|user address|address between)")
_ENTRY = re.compile(r"\*?(pgd|p4d|pud|pmd|pte)=([0-9a-f]{16})(?![0-9a-zA-Z])")
_CONTINUED = re.compile(r",? ?\*?(?:p4d|pud|pmd|pte)=[0-9a-f]{16}")
ACCESS_FLAG = 10  # the bit, set in every entry that the kernel uses itself
_FAR_APART = 16  # lines between the two lines of one walk, or between the parts of a line


@dataclass(frozen=True)
class PrintedEntry:
    """One entry of the printed walk.

    Attributes
    ----------
    name : str
        `pgd`, `p4d`, `pud`, `pmd` or `pte`: the level by Linux's name.
    value : int
        The word.
    level : int or None
        The Arm level that the word belongs to, -1 to 3; `None` if the page size was not printed.
    folded : bool
        The level does not exist, so that hardware does not read this word. A level that is folded at compile time
        repeats the entry above. For one that is folded at run time (a kernel for 52 bits that runs with fewer:
        `p4d_to_folded_pud()`) Linux prints the word at another index, and the entry that hardware reads follows.
    descriptor : Descriptor or None
        The decoded word; `None` if the page size was not printed.
    format : DescriptorFormat or None
        How the word was decoded.
    """

    name: str
    value: int
    level: int | None = None
    folded: bool = False
    descriptor: Descriptor | None = None
    format: DescriptorFormat | None = None

    @property
    def valid(self) -> bool:
        """Whether hardware follows the entry or uses its address."""
        return bool(self.value & 1) if self.descriptor is None else not isinstance(self.descriptor, Invalid)

    @property
    def whole(self) -> Leaf | None:
        """The page or block that the entry would be with its valid bit; `None` if it is valid, or not whole without it.

        The kernel clears that bit alone (`set_memory_valid()`, arch/arm64/mm/pageattr.c), so that the address, the
        access flag and the rights are still there.
        """
        if self.valid or self.format is None or self.level is None or not self.value >> ACCESS_FLAG & 1:
            return None
        descriptor = self.format.decode(self.value | 1, self.level)
        return descriptor if isinstance(descriptor, Leaf) and descriptor.oa else None

    @property
    def leaf(self) -> bool:
        """Whether the entry is a page or a block."""
        return isinstance(self.descriptor, Leaf)


@dataclass(frozen=True)
class PrintedWalk:
    """The lines of `show_pte()`: what Linux found in its tables after the fault.

    Attributes
    ----------
    address : int or None
        The address in brackets.
    table : str
        `swapper` for the kernel's tables, `user` for the task's; empty if the line is missing.
    page_size : int or None
        Bytes.
    va_bits : int or None
        Bits of virtual address in use at run time.
    pgdp : int or None
        Physical address of the top table; `None` if it was not printed, or was printed as a pointer (before v5.0).
    entries : tuple of PrintedEntry
        Top first.
    note : str
        Why no walk is printed, in the kernel's words: `user address but active_mm is swapper`, or `address between
        user and kernel address ranges`.
    first_invalid_level : int or None
        The Arm level of the entry at which hardware stops; `None` if every entry is valid, or it cannot be known.
    consistent : bool or None
        Whether the walk and ESR_EL1 agree; `None` if one of them is missing, or they cannot be compared.
    inconsistency : str
        If they do not agree: what each says, and what that may mean.
    lines : tuple of int
        Line numbers.
    """

    address: int | None = None
    table: str = ""
    page_size: int | None = None
    va_bits: int | None = None
    pgdp: int | None = None
    entries: tuple[PrintedEntry, ...] = ()
    note: str = ""
    first_invalid_level: int | None = None
    consistent: bool | None = None
    inconsistency: str = ""
    lines: tuple[int, ...] = ()

    @property
    def start_level(self) -> int | None:
        """The first level that hardware walks for `va_bits`: -1 to 2."""
        return self.entries[0].level if self.entries else None

    @property
    def walked(self) -> tuple[PrintedEntry, ...]:
        """The entries that hardware reads, one for each level."""
        return tuple(entry for entry in self.entries if not entry.folded)

    def as_dict(self) -> dict[str, Any]:
        """The walk as plain data."""
        return {
            "address": hex16(self.address),
            "table": self.table or None,
            "page_size": self.page_size,
            "va_bits": self.va_bits,
            "pgdp": hex16(self.pgdp),
            "entries": {entry.name: f"{entry.value:016x}" for entry in self.entries},
            "levels": {entry.name: entry.level for entry in self.entries},
            "folded": [entry.name for entry in self.entries if entry.folded],
            "note": self.note or None,
            "first_invalid_level": self.first_invalid_level,
            "consistent": self.consistent,
            "inconsistency": self.inconsistency or None,
        }


def is_walk_line(text: str) -> bool:
    """Whether a line is one of the walk's.

    >>> is_walk_line("[0000000000000008] user address but active_mm is swapper"), is_walk_line("pgd = 5")
    (True, False)
    """
    if "pgtable: " in text:
        return _PGTABLE.match(text) is not None
    return text.startswith("[") and _ADDRESS.match(text) is not None


def walk_address(text: str) -> int | None:
    """The address that a line of entries is about; `None` for any other line.

    >>> walk_address("[0000000000000030] pgd=0000000000000000")
    48
    """
    match = _ADDRESS.match(text) if text.startswith("[") else None
    return int(match[1], 16) if match else None


def without_root(text: str) -> str:
    """The line with the page size, without the address of the top table.

    >>> without_root("user pgtable: 4k pages, 48-bit VAs, pgdp=0000000041234000")
    'user pgtable: 4k pages, 48-bit VAs, pgdp=?'
    """
    return re.sub(r"pgdp? ?=.*", "pgdp=?", text)


def read_walk(lines: Sequence[Line]) -> PrintedWalk | None:
    """The walk that the lines print, or `None`. It is decoded if the page size is known.

    `reading.consistency` compares it with ESR_EL1.

    >>> walk = read_walk([Line(1, "user pgtable: 4k pages, 39-bit VAs, pgdp=000000000685d000"),
    ...     Line(2, "[0000000000000008] pgd=0000000000000000, p4d=0000000000000000, pud=0000000000000000")])
    >>> walk.first_invalid_level, [(entry.name, entry.level, entry.folded) for entry in walk.entries]
    (1, [('pgd', 1, False), ('p4d', 1, True), ('pud', 1, True)])
    """
    walk: PrintedWalk | None = None
    for line in lines:
        text = line.text
        if "pgtable: " in text and (match := _PGTABLE.match(text)):
            if walk is not None:
                break  # a second walk belongs to another fault
            size, va_bits = int(match[2]) << 10, int(match[3])
            walk = PrintedWalk(
                table=match[1],
                page_size=size if any(size == granule.size for granule in GRANULES) else None,
                va_bits=va_bits,
                pgdp=None if match[4] else _hex(match[5]),  # with blanks around the sign it was a hashed pointer
                lines=(line.number,),
            )
        elif text.startswith("[") and (match := _ADDRESS.match(text)):
            if walk is not None and walk.address is not None:
                break
            after_address = text[match.end() :]
            note = next((note for note in (NO_USER, BETWEEN) if after_address.startswith(note)), "")
            walk = walk or PrintedWalk()
            walk = replace(walk, address=int(match[1], 16), note=note, lines=(*walk.lines, line.number))
            walk = _with_entries(walk, after_address)
        elif walk is not None and walk.entries and _CONTINUED.match(text):
            walk = _with_entries(replace(walk, lines=(*walk.lines, line.number)), text)
        elif walk is not None and line.number - walk.lines[-1] > _FAR_APART:
            break
    return decoded(walk) if walk is not None else None


def _with_entries(walk: PrintedWalk, text: str) -> PrintedWalk:
    entries = list(walk.entries)
    for name, value in _ENTRY.findall(text):
        if not entries or LEVELS[name] > LEVELS[entries[-1].name]:  # each level once, downwards
            entries.append(PrintedEntry(name, int(value, 16)))
    return replace(walk, entries=tuple(entries))


def decoded(walk: PrintedWalk) -> PrintedWalk:
    """The walk with each entry's level and descriptor, and the first level at which hardware stops."""
    if walk.page_size is None or walk.va_bits is None or not walk.entries:
        return walk
    granule = Granule(walk.page_size.bit_length() - 1)
    if not granule.smallest_input <= walk.va_bits <= 52:
        return walk
    start = granule.start_level(walk.va_bits)
    format = DescriptorFormat(granule, packing(granule, walk.va_bits))
    # Several names may stand for the first level: hardware reads the word that Linux read last.
    top = [entry for entry in walk.entries if LEVELS[entry.name] <= start]
    real = next((entry for entry in top if entry.value == top[-1].value), None)
    entries = []
    for entry in walk.entries:
        level = max(LEVELS[entry.name], start)
        folded = entry in top and entry is not real
        entries.append(
            replace(entry, level=level, folded=folded, descriptor=format.decode(entry.value, level), format=format)
        )
    walk = replace(walk, entries=tuple(entries))
    return replace(walk, first_invalid_level=next((entry.level for entry in walk.walked if not entry.valid), None))


def packing(granule: Granule, va_bits: int) -> OutputAddress:
    """How the entries hold their address.

    With 64K pages bits 15:12 are address bits or zero, so that LPA fits both. Smaller pages have 52 bits of physical
    address only with 52 bits of virtual address.

    >>> from pgtlab.arch.granule import G4K
    >>> packing(G4K, 52).name, packing(G4K, 48).name
    ('LPA2', 'PLAIN')
    """
    if granule.shift == 16:
        return OutputAddress.LPA
    return OutputAddress.LPA2 if va_bits == 52 else OutputAddress.PLAIN


def _hex(text: str) -> int | None:
    text = text.removeprefix("0x").rstrip(",.;")
    return int(text, 16) if re.fullmatch(r"[0-9a-f]{16}", text) else None  # with fewer digits it is cut off


_LINEAR = re.compile(r"(pgd) = ([0-9a-f]{16})(?![0-9a-zA-Z])|(task): ([0-9a-f]{16})(?![0-9a-zA-Z])")
SWAPPER = 0  # the PID of the idle task, whose `struct task_struct` is in the image


def linear_pointers(lines: Sequence[Line], address: int | None, pid: int | None) -> tuple[tuple[int, int], ...]:
    """Pointers into the linear map: the task, and for an address of user space its top table."""
    pointers = []
    for line in lines:
        match = _LINEAR.match(line.text)
        if match and (pid not in (None, SWAPPER) if match[3] else address is not None and not is_upper(address)):
            pointers.append((int(match[2] or match[4], 16), line.number))
    return tuple(pointers)
