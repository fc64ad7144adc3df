"""The tables on the way to an address, each as runs of entries that are alike: a map with one column for each level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pgtlab.arch.descriptor import Descriptor, Leaf, Table
from pgtlab.arch.granule import LAST_LEVEL, Granule
from pgtlab.arch.memory import U64, PhysicalAddressError
from pgtlab.arch.mmu import MMU
from pgtlab.arch.va_range import VARange


@dataclass(frozen=True)
class Cell:
    """`count` neighbouring entries that are alike, from `index` on: all invalid, leaves in step, or one table."""

    index: int
    count: int
    va: int
    size: int
    descriptor: Descriptor

    @property
    def kind(self) -> str:
        """What the entries are, in the Arm ARM's words."""
        name = type(self.descriptor).__name__
        contiguous = " contiguous" if isinstance(self.descriptor, Leaf) and self.descriptor.Contiguous else ""
        return f"{self.count} {name}{'s' if self.count > 1 and name != 'Invalid' else ''}{contiguous}"

    @property
    def oa(self) -> int | None:
        """Where the first of them leads; None where they are invalid."""
        return self.descriptor.oa if isinstance(self.descriptor, Table | Leaf) else None

    def __str__(self) -> str:
        """Which entries, what they are, and where they lead."""
        last = f"-{self.index + self.count - 1:#05x}" if self.count > 1 else ""
        to = "" if self.oa is None else f" {self.oa:#x}"
        return f"[{self.index:#05x}{last}] {self.va:#018x} {self.kind}{to}"


@dataclass(frozen=True)
class Column:
    """A table: where it is, the addresses that it covers, and its cells; `opened` is the cell that the address is in.

    A table that memory has not got has no cells.
    """

    granule: Granule
    level: int
    pa: int
    va: int
    entries: int
    cells: tuple[Cell, ...]
    opened: int

    @property
    def size(self) -> int:
        """How many bytes of address its entries cover."""
        return self.entries << self.granule.level_shift(self.level)

    @property
    def used(self) -> int:
        """How many entries are valid."""
        return sum(cell.count for cell in self.cells if cell.oa is not None)


def table_columns(mmu: MMU, va: int) -> tuple[Column, ...]:
    """The tables on the way to `va`, as far as they go; none where its range is not walked.

    Time goes with the size of these few tables, however many others there are.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x20_0000, 0x8000_0000, 0x40_0000)
    >>> [(column.level, [cell.kind for cell in column.cells]) for column in table_columns(mapper.mmu, 0x20_0000)]
    [(1, ['1 Table', '511 Invalid']), (2, ['1 Invalid', '2 Blocks', '509 Invalid'])]
    """
    r = mmu.va_range(va)
    if r.start_level is None or not mmu.sctlr.M:
        return ()
    columns: list[Column] = []
    level, pa = r.start_level, r.base
    first = ((1 << 64) - (1 << r.input_bits)) if r.upper else 0
    entries = 1 << r.input_bits - r.granule.level_shift(level)
    while True:
        shift = r.granule.level_shift(level)
        try:
            cells = _cells(r, mmu.memory.read(pa, entries), level, first)
        except PhysicalAddressError:
            cells = ()
        index = (va - first) >> shift & entries - 1
        opened = next((n for n, cell in enumerate(cells) if cell.index <= index < cell.index + cell.count), 0)
        columns.append(Column(r.granule, level, pa, first, entries, cells, opened))
        descriptor = cells[opened].descriptor if cells else None
        if not isinstance(descriptor, Table):
            return tuple(columns)
        level, pa, first, entries = level + 1, descriptor.oa, cells[opened].va, 1 << r.granule.bits_per_level


def first_mapped(mmu: MMU, start: int, end: int) -> int | None:
    """The first address from `start` on, and before `end`, that a leaf maps; None where there is none.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x20_0000, 0x8000_0000, 0x40_0000)
    >>> hex(first_mapped(mapper.mmu, 0, 1 << 39)), first_mapped(mapper.mmu, 0x60_0000, 1 << 39)
    ('0x200000', None)
    """
    va = start
    while va < end:
        columns = table_columns(mmu, va)
        if not columns or not columns[-1].cells:
            return None
        cell = columns[-1].cells[columns[-1].opened]
        if cell.oa is not None:
            return va
        va = cell.va + cell.size
    return None


def _cells(r: VARange, words: U64, level: int, va: int) -> tuple[Cell, ...]:
    shift = r.granule.level_shift(level)
    kind = words & np.uint64(3)
    leaf = kind == (3 if level == LAST_LEVEL else 1)
    if level < r.format.first_block_level:
        leaf[:] = False
    table = np.equal(kind, 3) & (level < LAST_LEVEL)
    invalid = ~(leaf | table)
    address: U64 = r.format.packing.unpack(words, shift)
    attributes = words & ~np.uint64(r.format.packing.place((1 << r.format.packing.bits) - (1 << shift)))
    in_step = (attributes[1:] == attributes[:-1]) & (address[1:] - address[:-1] == 1 << shift)
    goes_on = (invalid[1:] & invalid[:-1]) | (leaf[1:] & leaf[:-1] & in_step)
    starts = np.flatnonzero(np.append(True, ~goes_on)).tolist()
    ends = [*starts[1:], len(words)]
    return tuple(
        Cell(start, end - start, va + (start << shift), end - start << shift, r.format.decode(int(words[start]), level))
        for start, end in zip(starts, ends, strict=True)
    )
