"""The tables on the way to an address, each as runs of entries that are alike: a map with one column for each level.

Only these tables and a few of their neighbours are read, however many others there are; and of a table's entries only
those that are asked for become values.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.descriptor import LEAF, TABLE, Descriptor, DescriptorFormat, Leaf, Table
from pgtlab.arch.fault import Access
from pgtlab.arch.granule import Granule
from pgtlab.arch.memory import U64, PhysicalAddressError, words_there
from pgtlab.arch.mmu import MMU
from pgtlab.arch.permissions import DIRECT, PermissionRules
from pgtlab.arch.va_range import VARange

NEIGHBOURS: Final = 9  # tables beside each other that are looked into
MOST_READ: Final = 1 << 12  # tables read in search of a leaf: some lead back to themselves

Kinds: TypeAlias = NDArray[np.uint8]
_Place: TypeAlias = tuple[int, int, int]  # of a table: its level, where it is, and its first address


@dataclass(frozen=True)
class Cell:
    """`count` neighbouring entries that are alike, from `index` on: all invalid, leaves in step, or one table.

    `run` is how many of them the Contiguous bit joins at a time, and 1 where it joins none.
    """

    index: int
    count: int
    va: int
    size: int
    descriptor: Descriptor
    run: int = 1

    @property
    def kind(self) -> str:
        """The number and kind of the entries, in the Arm ARM's words."""
        name = type(self.descriptor).__name__
        contiguous = ""
        if isinstance(self.descriptor, Leaf) and self.descriptor.Contiguous:
            contiguous = " contiguous" if self.run > 1 else " with Contiguous=1, but in no whole run"
        return f"{self.count} {name}{'s' if self.count > 1 and name != 'Invalid' else ''}{contiguous}"

    @property
    def oa(self) -> int | None:
        """The address in the first of the entries; None where they are invalid."""
        return self.descriptor.oa if isinstance(self.descriptor, Table | Leaf) else None

    def __str__(self) -> str:
        """The indices, the kind and the address of the entries."""
        last = f"-{self.index + self.count - 1:#05x}" if self.count > 1 else ""
        to = "" if self.oa is None else f" {self.oa:#x}"
        return f"[{self.index:#05x}{last}] {self.va:#018x} {self.kind}{to}"


@dataclass(frozen=True, eq=False, repr=False)
class Cells(Sequence[Cell]):
    """The content of a table as cells, which are made when they are asked for.

    `words` are its entries, `kinds` what they are, and `starts` the first ones of the cells.
    """

    format: DescriptorFormat
    level: int
    va: int
    words: U64
    kinds: Kinds
    starts: list[int]

    @property
    def shift(self) -> int:
        """Lowest address bit that an entry resolves."""
        return self.format.granule.level_shift(self.level)

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, at: int) -> Cell: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Cell, ...]: ...

    def __getitem__(self, at: int | slice) -> Cell | tuple[Cell, ...]:
        if isinstance(at, slice):
            return tuple(self[n] for n in range(*at.indices(len(self))))
        start = self.starts[at]
        at %= len(self)
        end = self.starts[at + 1] if at + 1 < len(self) else len(self.words)
        shift = self.shift
        descriptor = self.format.decode(int(self.words[start]), self.level)
        run = 1
        if isinstance(descriptor, Leaf) and descriptor.Contiguous:
            run = self.format.contiguous_entries(self.level)
            if start % run or end % run or descriptor.oa % (run << shift):
                run = 1  # what the architecture calls misprogrammed
        return Cell(start, end - start, self.va + (start << shift), end - start << shift, descriptor, run)

    def addresses(self, first: int, last: int) -> U64:
        """The addresses in the entries from `first` up to, not including, `last`; only those of valid entries count."""
        words = self.words[first:last]
        lowest = self.format.granule.shift
        to: U64 = self.format.packing.unpack(words, lowest)
        return to

    def run_at(self, index: int) -> int:
        """The number of entries in the contiguous run of the leaf at `index`; 1 where there is none."""
        if not int(self.words[index]) & Leaf.Contiguous.mask:
            return 1
        return self[bisect_right(self.starts, index) - 1].run


@dataclass(frozen=True)
class Neighbour:
    """A table that the same table leads to: its place among them, what it covers, and how many entries are valid."""

    number: int
    va: int
    used: int


@dataclass(frozen=True, eq=False)
class Column:
    """A table: where it is, the addresses that it covers, and its cells; `opened` is the cell that the address is in.

    It is the `number`th, from 1 on, of `siblings` tables that the table above leads to; `neighbours` are the nearest of
    them and itself. A table that is not in memory has no cells. `inherited` is bits 62:59 of the tables above, joined
    by OR, which its leaves inherit, and `rules` are those for their permissions.
    """

    granule: Granule
    level: int
    pa: int
    va: int
    entries: int
    cells: Cells
    opened: int
    number: int = 1
    siblings: int = 1
    neighbours: tuple[Neighbour, ...] = ()
    inherited: int = 0
    rules: PermissionRules = DIRECT

    @property
    def size(self) -> int:
        """The number of bytes of address space that the table covers."""
        return self.entries << self.granule.level_shift(self.level)

    @property
    def used(self) -> int:
        """The number of valid entries."""
        return int(np.count_nonzero(self.cells.kinds))


def table_columns(mmu: MMU, va: int) -> tuple[Column, ...]:
    """The tables on the way to `va`, as far as they go; none where nothing is walked for it.

    Time goes with the size of these few tables, however many others there are.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x20_0000, 0x8000_0000, 0x40_0000)
    >>> [(column.level, [cell.kind for cell in column.cells]) for column in table_columns(mapper.mmu, 0x20_0000)]
    [(1, ['1 Table', '511 Invalid']), (2, ['1 Invalid', '2 Blocks', '509 Invalid'])]
    """
    r = mmu.va_range(va)
    if not mmu.walked(r) or not r.holds(va):
        return ()
    assert r.start_level is not None
    columns: list[Column] = []
    # A page that hardware may make dirty is shown as what it is now.
    rules = replace(mmu.permission_rules(r, mmu.access(Access.READ, None)), hd=False, pan=False)
    level, pa, first = r.start_level, r.base, r.first
    number, siblings, neighbours, inherited = 1, 1, tuple[Neighbour, ...](), 0
    while True:
        shift, entries = r.granule.level_shift(level), r.entries(level)
        cells = _cells(r.format, level, first, _read(mmu, pa, entries).tobytes())
        index = (va - first) >> shift & entries - 1
        opened = max(bisect_right(cells.starts, index) - 1, 0)
        columns.append(
            Column(r.granule, level, pa, first, entries, cells, opened, number, siblings, neighbours, inherited, rules)
        )
        descriptor = cells[opened].descriptor if cells else None
        if not isinstance(descriptor, Table) or descriptor.oa >> r.output_bits:
            return tuple(columns)
        inherited |= 0 if r.hpd else descriptor.value >> 59 & 0xF
        number, siblings, neighbours = _beside(mmu, r, columns[-1], index)
        level, pa, first = level + 1, descriptor.oa, first + (index << shift)


def first_mapped(mmu: MMU, start: int, end: int) -> int | None:
    """The first address from `start` on, and before `end`, that a leaf maps; None where none is found.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x20_0000, 0x8000_0000, 0x40_0000)
    >>> hex(first_mapped(mapper.mmu, 0, 1 << 39)), first_mapped(mapper.mmu, 0x60_0000, 1 << 39)
    ('0x200000', None)
    """
    r = mmu.va_range(start)
    if not mmu.walked(r):
        return None
    assert r.start_level is not None
    root = r.start_level, r.base, r.first
    return next(_leaves(mmu, r, root, start, end, iter(range(MOST_READ))), None)


def _leaves(mmu: MMU, r: VARange, table: _Place, start: int, end: int, budget: Iterator[int]) -> Iterator[int]:
    """The first address from `start` on of each leaf that maps some before `end`, while tables may be read for it."""
    if next(budget, None) is None:
        return
    level, pa, first = table
    shift = r.granule.level_shift(level)
    words = words_there(mmu.table_memory, pa, r.entries(level))
    if words is None:
        return
    kinds = r.format.kinds(words, level)
    low, high = max(start - first >> shift, 0), max(-(first - end >> shift), 0)
    for index in (np.flatnonzero(kinds[low:high]) + low).tolist():
        va = first + (index << shift)
        if kinds[index] == LEAF:
            address = max(start, va)
            if not r.format.packing.unpack(int(words[index]), shift) + address - va >> r.output_bits:
                yield address
            continue
        child = r.format.packing.unpack(int(words[index]), r.granule.shift)
        if not child >> r.output_bits:
            yield from _leaves(mmu, r, (level + 1, child, va), start, end, budget)


def _read(mmu: MMU, pa: int, entries: int) -> U64:
    """A table's entries; none where it is not in memory."""
    try:
        return mmu.table_memory.read(pa, entries)
    except PhysicalAddressError:
        return np.zeros(0, np.uint64)


@lru_cache(maxsize=64)  # neighbouring addresses share most of their tables
def _cells(format: DescriptorFormat, level: int, va: int, entries: bytes) -> Cells:
    """A table's cells, which are the runs of its entries."""
    words: U64 = np.frombuffer(entries, np.uint64)
    return Cells(format, level, va, words, format.kinds(words, level), format.runs(words, level).index.tolist())


def _beside(mmu: MMU, r: VARange, above: Column, index: int) -> tuple[int, int, tuple[Neighbour, ...]]:
    """Which of how many tables below `above` the one of entry `index` is, and those around it."""
    tables = np.flatnonzero(above.cells.kinds == TABLE)
    at = int(np.searchsorted(tables, index))
    begin = max(0, min(at - NEIGHBOURS // 2, len(tables) - NEIGHBOURS))
    entries = tables[begin : begin + NEIGHBOURS].tolist()
    words = np.zeros((len(entries), r.entries(above.level + 1)), np.uint64)
    for n, entry in enumerate(entries):
        there = _read(mmu, r.format.packing.unpack(int(above.cells.words[entry]), r.granule.shift), words.shape[1])
        words[n, : len(there)] = there
    used = np.count_nonzero(r.format.kinds(words, above.level + 1), axis=1).tolist()
    nearest = [
        Neighbour(begin + n + 1, above.va + (entry << above.cells.shift), used[n]) for n, entry in enumerate(entries)
    ]
    return at + 1, len(tables), tuple(nearest)
