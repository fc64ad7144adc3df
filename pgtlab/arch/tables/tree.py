"""Translation tables read as a whole: as a tree of tables, and as the list of what they map.

Neighbouring entries that continue each other, with the same attributes and addresses in step, are one run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final

import numpy as np

from pgtlab.arch.descriptor import Descriptor, Leaf, Table
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import U64, Memory, words_there
from pgtlab.arch.mmu import MMU
from pgtlab.arch.va_range import VARange

LARGEST: Final = 1 << 21  # runs of a tree: most of a GiB


class TreeTooLarge(ValueError):
    """Tables with more runs than a tree should hold: what was read is hardly a table at all."""


@dataclass(frozen=True)
class Run:
    """`count` neighbouring entries of one table that continue each other; `descriptor` is the first of them."""

    index: int
    count: int
    va: int
    descriptor: Descriptor

    @property
    def entry_size(self) -> int:
        """Bytes of address space that one entry covers."""
        return 1 << self.descriptor.format.granule.level_shift(self.descriptor.level)

    @property
    def size(self) -> int:
        """Bytes of address space that the run covers."""
        return self.count * self.entry_size

    def as_dict(self) -> dict[str, object]:
        """The run as plain data."""
        return {
            "index": self.index,
            "count": self.count,
            "va": f"{self.va:#x}",
            "size": self.size,
            "descriptor": f"{self.descriptor.value:#018x}",
            "kind": type(self.descriptor).__name__,
            "oa": f"{getattr(self.descriptor, 'oa', 0):#x}",
        }

    def __str__(self) -> str:
        indices = (
            f"[{self.index:#05x}]" if self.count == 1 else f"[{self.index:#05x}-{self.index + self.count - 1:#05x}]"
        )
        kind = type(self.descriptor).__name__ + ("s" if self.count > 1 else "")
        oa = f" {self.descriptor.oa:#x}" if isinstance(self.descriptor, Table | Leaf) else ""
        count = f"{self.count} " if self.count > 1 else ""
        return f"{indices} {self.va:#018x} {count}{kind}{oa} {_attributes(self.descriptor)}".rstrip()


@dataclass(frozen=True)
class TableNode:
    """A table and what hangs below it: `children[i]` is the table that `runs[i]` leads to, None where there is none.

    `runs` leaves out invalid entries. A table of which nothing is in memory has no runs, and `missing` is True. One
    that is in the tree already, at the same level, has none where the tree has each table once, and `again` is True.
    """

    va: int
    pa: int
    level: int
    runs: tuple[Run, ...]
    children: tuple[TableNode | None, ...]
    missing: bool = False
    again: bool = False

    def tables(self) -> Iterator[TableNode]:
        """This table and all below it, in the order of their addresses."""
        yield self
        for child in self.children:
            if child is not None:
                yield from child.tables()

    def leaves(self) -> Iterator[Run]:
        """All runs of blocks and pages, in the order of their addresses."""
        for run, child in zip(self.runs, self.children, strict=True):
            if isinstance(run.descriptor, Leaf):
                yield run
            elif child is not None:
                yield from child.leaves()

    def as_dict(self) -> dict[str, object]:
        """The table as plain data, with those below it, as `pgtlab tables --json` prints it."""
        entries = (
            run.as_dict() | ({} if child is None else {"table": child.as_dict()})
            for run, child in zip(self.runs, self.children, strict=True)
        )
        return {
            "level": self.level,
            "pa": f"{self.pa:#x}",
            "va": f"{self.va:#x}",
            "missing": self.missing,
            "again": self.again,
            "entries": list(entries),
        }

    def lines(self, indent: int = 0) -> Iterator[str]:
        """The tree as text, two more spaces for each level."""
        space = "  " * indent
        note = ", not in memory" if self.missing else ", as above" if self.again else ""
        yield f"{space}level {self.level} table at {self.pa:#x}{note}"
        for run, child in zip(self.runs, self.children, strict=True):
            yield f"{space}  {run}"
            if child is not None:
                yield from child.lines(indent + 2)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


@dataclass(frozen=True)
class Mapping:
    """A range of addresses that is mapped alike: one attribute set, one size of entry, physical addresses in step."""

    va: int
    size: int
    first: Leaf

    @property
    def pa(self) -> int:
        """Physical address of the first byte."""
        return self.first.oa

    @property
    def level(self) -> int:
        """The level of its leaves."""
        return self.first.level

    def continues(self, other: Mapping) -> bool:
        """Whether this begins where `other` ends, alike."""
        return (
            type(self.first) is type(other.first)
            and self.va == other.va + other.size
            and self.pa == other.pa + other.size
            and _attributes(self.first) == _attributes(other.first)
        )

    def __str__(self) -> str:
        unit = _size(1 << self.first.format.granule.level_shift(self.level))
        return (
            f"{self.va:#018x}-{self.va + self.size - 1:#018x} {_size(self.size):>7} "
            f"{unit:>4} {type(self.first).__name__:5} {self.pa:#014x} {_attributes(self.first)}"
        )


def table_tree(mmu: MMU, *, upper: bool = False, once: bool = False, progress: bool = False) -> TableNode | None:
    """All tables of one range as a tree; None where the range is not walked at all.

    With `once`, a table that several entries of a level lead to is followed the first time only: time then goes with
    the tables, not with what they map. With `progress` a bar counts them on a terminal, after a second.

    Raises
    ------
    TreeTooLarge
        Where it would have more than `LARGEST` runs.

    Examples
    --------
    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x1f_e000, 0x7f_e000, 0x40_2000)
    >>> print(table_tree(mapper.mmu))
    level 1 table at 0x40000000
      [0x000] 0x0000000000000000 Table 0x40002000
        level 2 table at 0x40002000
          [0x000] 0x0000000000000000 Table 0x40003000
            level 3 table at 0x40003000
              [0x1fe-0x1ff] 0x00000000001fe000 2 Pages 0x7fe000 AF SH=INNER
          [0x001-0x002] 0x0000000000200000 2 Blocks 0x800000 AF SH=INNER
    """
    r = mmu.upper if upper else mmu.lower
    if r.start_level is None or not mmu.sctlr.M or r.epd:
        return None
    first_va = (1 << 64) - (1 << r.input_bits) if upper else 0
    entries = 1 << r.input_bits - r.granule.level_shift(r.start_level)
    from tqdm import tqdm

    with tqdm(unit=" tables", delay=1, disable=None if progress else True) as bar:
        reader = _Reader(mmu.memory, r, set() if once else None, bar)
        return reader.read(r.base, r.start_level, entries, first_va)


def mappings(mmu: MMU, *, upper: bool = False) -> Iterator[Mapping]:
    """What the tables of one range map, in the order of addresses, neighbours that continue each other joined.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x1f_e000, 0x7f_e000, 0x40_4000)
    >>> for mapping in mappings(mapper.mmu):
    ...     print(mapping)
    0x00000000001fe000-0x00000000001fffff      8K   4K Page  0x0000007fe000 AF SH=INNER
    0x0000000000200000-0x00000000005fffff      4M   2M Block 0x000000800000 AF SH=INNER
    0x0000000000600000-0x0000000000601fff      8K   4K Page  0x000000c00000 AF SH=INNER
    """
    tree = table_tree(mmu, upper=upper)
    last: Mapping | None = None
    for run in tree.leaves() if tree else ():
        assert isinstance(run.descriptor, Leaf)
        mapping = Mapping(run.va, run.size, run.descriptor)
        if last is not None and mapping.continues(last):
            last = replace(last, size=last.size + mapping.size)
            continue
        if last is not None:
            yield last
        last = mapping
    if last is not None:
        yield last


@dataclass
class _Reader:
    """Reads the tables of `r`: each (address, level) in `seen` is read already, and there were so many `runs`."""

    memory: Memory
    r: VARange
    seen: set[tuple[int, int]] | None
    bar: Any
    runs: int = 0

    def read(self, pa: int, level: int, entries: int, va: int) -> TableNode:
        if self.seen is not None:
            if (pa, level) in self.seen:
                return TableNode(va, pa, level, (), (), again=True)
            self.seen.add((pa, level))
        self.bar.update()
        words = words_there(self.memory, pa, entries)
        if words is None:
            return TableNode(va, pa, level, (), (), missing=True)
        granule, runs, children = self.r.granule, [], []
        found = _runs(self.r, words, level)
        self.runs += len(found)
        if self.runs > LARGEST:
            raise TreeTooLarge(f"{self.runs} runs of entries or more: a tree of them has {LARGEST} at most")
        for index, count in found:
            descriptor = self.r.format.decode(int(words[index]), level)
            run = Run(index, count, va + (index << granule.level_shift(level)), descriptor)
            runs.append(run)
            child = None
            if isinstance(descriptor, Table):
                child = self.read(descriptor.oa, level + 1, 1 << granule.bits_per_level, run.va)
            children.append(child)
        return TableNode(va, pa, level, tuple(runs), tuple(children))


def _runs(r: VARange, words: U64, level: int) -> list[tuple[int, int]]:
    """Index and length of every run of valid entries; each table descriptor is a run of its own."""
    kind = words & np.uint64(3)
    leaf = kind == (3 if level == LAST_LEVEL else 1)
    if level < r.format.first_block_level:
        leaf[:] = False
    table = np.equal(kind, 3) & (level < LAST_LEVEL)
    shift = r.granule.level_shift(level)
    address: U64 = r.format.packing.unpack(words, shift)
    attributes = words & ~np.uint64(r.format.packing.place((1 << r.format.packing.bits) - (1 << shift)))
    goes_on = leaf[1:] & leaf[:-1] & (attributes[1:] == attributes[:-1]) & (address[1:] - address[:-1] == 1 << shift)
    starts = np.flatnonzero((leaf | table) & ~np.append(False, goes_on))
    ends = np.flatnonzero((leaf | table) & ~np.append(goes_on, False)) + 1
    return list(zip(starts.tolist(), (ends - starts).tolist(), strict=True))


def _attributes(descriptor: Descriptor) -> str:
    """The fields of a descriptor that are set, but for its address and its kind."""
    shown = []
    for field in reversed(descriptor.fields):
        value = field.extract(descriptor.value)
        if value and not field.name.startswith("OA") and field.name not in ("VALID", "TYPE"):
            shown.append(field.name if field.width == 1 else f"{field.name}={_value(value)}")
    return " ".join(shown)


def _value(value: int) -> str:
    return value.name if isinstance(value, IntEnum) else f"{value:#x}"


def _size(size: int) -> str:
    """A size in the largest unit that divides it.

    >>> _size(1 << 21), _size(3 << 12), _size(1 << 52)
    ('2M', '12K', '4P')
    """
    unit = min((size & -size).bit_length() - 1, 50) // 10
    return f"{size >> 10 * unit}{'BKMGTP'[unit]}"
