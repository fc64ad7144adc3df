"""Reports about page tables: entries that the kernel found wrong, decoded to the bit.

`BUG: Bad page map` (`print_bad_pte()`, `mm/memory.c`) has an entry and those above it, `bad pmd` and its siblings
(`pmd_ERROR()`, `arch/arm64/include/asm/pgtable.h`) an entry that is not a table where one was expected,
`Bad rss-counter` (`check_mm()`, `kernel/fork.c`) a count that does not fit what was unmapped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pgtlab.linux.oops.reading.header import Version
from pgtlab.linux.oops.reading.lines import Line, hex16

_MAP = re.compile(
    r"BUG: Bad page map in process (?P<process>.{1,64}?) {1,2}(?=p..:)"
    r"(?P<entries>(?: ?(?:pgd|p4d|pud|pmd|pte):[0-9a-f]{1,16})+)"
)
_ABOVE = re.compile(r"(?: ?(?:pgd|p4d|pud|pmd):[0-9a-f]{8,16}){1,4}$")
_ENTRY = re.compile(r"(pgd|p4d|pud|pmd|pte):([0-9a-f]{1,16})")
_ADDRESS = re.compile(r"addr:(?:0x)?([0-9a-f]{8,16}) vm_flags:(?:0x)?([0-9a-f]{8,16})")
_BAD = re.compile(r"\S{1,200}:\d{1,7}: bad (pgd|p4d|pud|pmd|pte) ([0-9a-f]{16})(?![(0-9a-zA-Z])")
_COUNTER = re.compile(
    r"BUG: Bad rss-counter state mm:\S{1,24} (?:idx:(?P<index>\d)|type:(?P<type>\w{1,24})) val:(?P<pages>-?\d{1,19})"
)
_BYTES = re.compile(r"BUG: non-zero pgtables_bytes on freeing mm: (-?\d{1,19})")

COUNTERS = ("MM_FILEPAGES", "MM_ANONPAGES", "MM_SWAPENTS", "MM_SHMEMPAGES")  # include/linux/mm_types_task.h
_VM_FLAGS = {  # include/linux/mm.h: those that are the same in every version
    0x1: "read",
    0x2: "write",
    0x4: "exec",
    0x8: "shared",
    0x100: "growsdown",
    0x400: "pfnmap",
    0x2000: "locked",
    0x4000: "io",
    0x20000: "dontcopy",
    0x40000: "dontexpand",
    0x100000: "accounted",
    0x400000: "hugetlb",
    0x10000000: "mixedmap",
}
FEWEST_DIGITS = 8  # of an entry, as the kernel prints it
EXCLUSIVE, NEW_SWAP = (5, 19), (6, 10)  # versions in which the layout of swap entries changed
FEWEST_OTHER_TYPES = 23  # swap types from here on may be migration entries, poisoned pages or markers
LARGEST_SWAP = 1 << 40  # pages of a swap file: no machine has 4 PiB of it


@dataclass(frozen=True)
class SwapFields:
    """An entry that is neither valid nor present, in the layout of a version: type and offset with their bits."""

    type: int
    offset: int
    type_bits: str
    offset_bits: str
    exclusive: bool | None

    @property
    def possible(self) -> bool:
        """Whether a swap file or a frame can have this offset."""
        return self.offset < LARGEST_SWAP or self.type >= FEWEST_OTHER_TYPES


@dataclass(frozen=True)
class TableEntry:
    """One entry that a report prints, at a level by Linux's name."""

    name: str
    value: int
    line: int = 0

    @property
    def kind(self) -> str:
        """`none`, `table`, `block`, `page`, or `invalid`: the lowest two bits decide.

        >>> TableEntry("pmd", 0x0068000080000f01).kind, TableEntry("pte", 0x0a07070a0506090a).kind
        ('block', 'invalid')
        """
        if not self.value:
            return "none"
        if self.value & 3 == 3:
            return "page" if self.name == "pte" else "table"
        return "block" if self.value & 3 == 1 and self.name in ("pmd", "pud") else "invalid"

    @property
    def address(self) -> int:
        """Bits 47:12: where the page, block or table is, with pages of 4K and addresses of 48 bits."""
        return self.value & 0x0000_FFFF_FFFF_F000

    def prot_none(self, version: Version | None) -> bool | None:
        """Whether a page is there that nobody may access (PROT_NONE); `None` if that depends on the version."""
        if self.kind != "invalid" or self.value & 1 or self.name not in ("pte", "pmd"):
            return False
        old, new = bool(self.value >> 58 & 1), bool(self.value >> 11 & 1)
        if version is None:
            return old if old == new else None
        return new if version >= NEW_SWAP else old

    def swap(self, version: Version | None) -> SwapFields | None:
        """The fields of a swap entry; `None` if it is none, or the version is not known (asm/pgtable.h).

        >>> fields = TableEntry("pte", 0x0a07070a0506090a).swap((6, 0))
        >>> fields.type, fields.type_bits, hex(fields.offset), fields.offset_bits
        (1, '7:3', '0x207070a050609', '57:8')
        """
        absent = self.kind == "invalid" and not self.value & 1 and self.name in ("pte", "pmd")
        if version is None or not absent or self.prot_none(version):
            return None
        if version >= NEW_SWAP:
            return self._swap(10, 6, 61, 12, True)
        return self._swap(7, 3, 57, 8, True) if version >= EXCLUSIVE else self._swap(7, 2, 57, 8, False)

    def _swap(self, high: int, low: int, top: int, bottom: int, marked: bool) -> SwapFields:
        def bits(high: int, low: int) -> int:
            return self.value >> low & (1 << high - low + 1) - 1

        exclusive = bool(self.value >> 2 & 1) if marked else None
        return SwapFields(bits(high, low), bits(top, bottom), f"{high}:{low}", f"{top}:{bottom}", exclusive)

    def describe(self, version: Version | None = None) -> str:
        """The entry in words.

        >>> TableEntry("pmd", 0x0800000001801003).describe()
        'table at 0x1801000, PXNTable'
        >>> TableEntry("pmd", 0x0068000080000f01).describe()
        'block at 0x80000000; EL1 writes, not EL0, not executable'
        """
        value = self.value
        if self.kind == "none":
            return "none"
        if self.kind == "table":
            names = ("PXNTable", "UXNTable", "APTable[0]", "APTable[1]", "NSTable")
            return ", ".join(
                [f"table at {self.address:#x}", *(name for n, name in enumerate(names) if value >> 59 + n & 1)]
            )
        if self.kind in ("block", "page"):
            rights = "reads" if value >> 7 & 1 else "writes"
            user = f"EL0 {rights}" if value >> 6 & 1 else "not EL0"
            execute = [f"EL{level} executes" for level, bit in ((1, 53), (0, 54)) if not value >> bit & 1]
            flag = "" if value >> 10 & 1 else ", access flag clear"
            at = f"{self.kind} at {self.address:#x}"
            return f"{at}; EL1 {rights}, {user}, {' and '.join(execute) or 'not executable'}{flag}"
        why = "not valid: bit 0 is 0" if not value & 1 else "reserved: bits 1:0 are 01, which is not a page"
        parts = [why]
        if self.prot_none(version):
            parts.append(f"PROT_NONE, page at {self.address:#x}")
        elif fields := self.swap(version):
            number = ".".join(map(str, version or ()))
            of = "swap file" if fields.type < FEWEST_OTHER_TYPES else "migration entry, poisoned page or marker"
            parts.append(
                f"as a swap entry of v{number}: type {fields.type} ({of}, bits {fields.type_bits}), "
                f"offset {fields.offset:#x} (bits {fields.offset_bits})" + (", exclusive" if fields.exclusive else "")
            )
        return "; ".join(parts)


@dataclass(frozen=True)
class TablesReport:
    """What a report about page tables prints.

    Attributes
    ----------
    about : str
        `Bad page map`, `bad pmd` (or another level), `rss-counter`, or `pgtables_bytes`.
    entries : tuple of TableEntry
        The entry that is wrong first, then those above it.
    address : int or None
        The virtual address.
    vm_flags : int or None
        The flags of its mapping.
    counter : str
        What was counted, such as `MM_ANONPAGES`.
    count : int or None
        Pages, or bytes of page tables, that were left.
    lines : tuple of int
        Line numbers.
    """

    about: str
    entries: tuple[TableEntry, ...] = ()
    address: int | None = None
    vm_flags: int | None = None
    counter: str = ""
    count: int | None = None
    lines: tuple[int, ...] = ()

    @property
    def vm_flag_names(self) -> tuple[str, ...]:
        """The flags of the mapping in words, as far as every version has them."""
        return tuple(name for bit, name in _VM_FLAGS.items() if (self.vm_flags or 0) & bit)

    def as_dict(self, version: Version | None) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "about": self.about,
            "entries": [
                {"name": entry.name, "value": hex16(entry.value), "kind": entry.kind, "text": entry.describe(version)}
                for entry in self.entries
            ],
            "address": hex16(self.address),
            "vm_flags": None if self.vm_flags is None else f"{self.vm_flags:#x}",
            "counter": self.counter or None,
            "count": self.count,
        }


def read_tables(lines: Sequence[Line]) -> TablesReport | None:
    """The report about page tables that the lines are, or `None`.

    >>> report = read_tables([Line(1, "mm/pgtable-generic.c:50: bad pmd 0068000080000f01.")])
    >>> report.about, report.entries[0].kind
    ('bad pmd', 'block')
    """
    first = lines[0] if lines else Line(0, "")
    for line in lines[:4]:
        if match := _MAP.match(line.text):
            return _page_map(match, line, lines)
        if match := _BAD.match(line.text):
            entry = TableEntry(match[1], int(match[2], 16), line.number)
            return TablesReport(f"bad {match[1]}", (entry,), lines=(line.number,))
    if match := _COUNTER.match(first.text):
        index = int(match["index"] or 0)
        name = match["type"] or (COUNTERS[index] if index < len(COUNTERS) else "")
        return TablesReport("rss-counter", counter=name, count=int(match["pages"]), lines=(first.number,))
    if match := _BYTES.match(first.text):
        return TablesReport("pgtables_bytes", count=int(match[1]), lines=(first.number,))
    return None


def _page_map(match: re.Match[str], headline: Line, lines: Sequence[Line]) -> TablesReport:
    printed = _ENTRY.findall(match["entries"])
    if len(lines) < 2 or len(printed[-1][1]) < FEWEST_DIGITS:
        printed = printed[:-1]  # the line is cut off, or may be
    entries = [TableEntry(name, int(value, 16), headline.number) for name, value in printed]
    address = flags = None
    used = [headline.number]
    for line in lines:
        if _ABOVE.match(line.text):
            known = {entry.name for entry in entries}
            above = [TableEntry(name, int(value, 16), line.number) for name, value in _ENTRY.findall(line.text)]
            entries += [entry for entry in reversed(above) if entry.name not in known]
            used.append(line.number)
        elif address is None and (place := _ADDRESS.match(line.text)):
            address, flags = int(place[1], 16), int(place[2], 16)
            used.append(line.number)
    return TablesReport("Bad page map", tuple(entries), address, flags, lines=tuple(used))
