"""Translation tables read as a whole, as a tree: of each table the runs of like entries, and the tables below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np

from pgtlab.arch.descriptor import Descriptor, Leaf, Table
from pgtlab.arch.memory import Memory, read_tables
from pgtlab.arch.mmu import MMU
from pgtlab.arch.va_range import VARange

LARGEST: Final = 1 << 21  # runs of a tree: most of a GiB
AT_ONCE: Final = 1 << 16  # words read together


class TreeTooLarge(ValueError):
    """Tables with more runs than a tree should hold: what was read is probably not a table."""


@dataclass(frozen=True)
class EntryRun:
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
        return f"{indices} {self.va:#018x} {count}{kind}{oa} {attributes_of(self.descriptor)}".rstrip()


@dataclass(frozen=True)
class TableNode:
    """A table and what hangs below it: `children[i]` is the table that `runs[i]` leads to, None where there is none.

    `runs` leaves out invalid entries. A table of which nothing is in memory has no runs, and `missing` is True. One
    that is in the tree already, at the same level, has none where the tree has each table once, and `again` is True.
    """

    va: int
    pa: int
    level: int
    runs: tuple[EntryRun, ...]
    children: tuple[TableNode | None, ...]
    missing: bool = False
    again: bool = False

    def tables(self) -> Iterator[TableNode]:
        """This table and all below it, in the order of their addresses."""
        yield self
        for child in self.children:
            if child is not None:
                yield from child.tables()

    def leaves(self) -> Iterator[EntryRun]:
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
    if not mmu.walked(r):
        return None
    assert r.start_level is not None
    from pgtlab.progress_bar import tqdm

    with tqdm(unit=" tables", delay=1, disable=None if progress else True) as bar:
        reader = _Reader(mmu.table_memory, r, set() if once else None, bar)
        return next(reader.read(r.start_level, [(r.base, r.first)]))


@dataclass
class _Reader:
    """Reads the tables of `r`: each (address, level) in `seen` is read already, and there were so many `runs`."""

    memory: Memory
    r: VARange
    seen: set[tuple[int, int]] | None
    bar: Any
    runs: int = 0

    def read(self, level: int, tables: Sequence[tuple[int, int]]) -> Iterator[TableNode]:
        """The tables at these physical addresses, which map what begins at these virtual addresses."""
        step = max(1, AT_ONCE // self.r.entries(level))
        for start in range(0, len(tables), step):
            yield from self._read_at_once(level, tables[start : start + step])

    def _read_at_once(self, level: int, tables: Sequence[tuple[int, int]]) -> Iterator[TableNode]:
        again = [self._again(pa, level) for pa, _ in tables]
        new = [pa for (pa, _), known in zip(tables, again, strict=True) if not known]
        words, there = read_tables(self.memory, np.array(new, np.uint64), self.r.entries(level))
        runs = self.r.format.runs(words, level).valid
        self.bar.update(len(new))
        self.runs += len(runs.index)
        if self.runs > LARGEST:
            raise TreeTooLarge(f"{self.runs} runs of entries or more: a tree of them has {LARGEST} at most")
        rows = list(zip(runs.index.tolist(), runs.length.tolist(), runs.word.tolist(), strict=True))
        ends = np.searchsorted(runs.table, np.arange(len(new) + 1)).tolist()
        number = 0
        for (pa, va), known in zip(tables, again, strict=True):
            if known:
                yield TableNode(va, pa, level, (), (), again=True)
            else:
                missing = not there[number]
                yield self._node(pa, level, va, rows[ends[number] : ends[number + 1]], missing)
                number += 1

    def _node(self, pa: int, level: int, va: int, rows: list[tuple[int, int, int]], missing: bool) -> TableNode:
        format, shift = self.r.format, self.r.granule.level_shift(level)
        runs = tuple(
            EntryRun(index, count, va + (index << shift), format.decode(word, level)) for index, count, word in rows
        )
        tables = [(run.descriptor.oa, run.va) for run in runs if isinstance(run.descriptor, Table)]
        below = self.read(level + 1, tables)
        children = tuple(next(below) if isinstance(run.descriptor, Table) else None for run in runs)
        return TableNode(va, pa, level, runs, children, missing)

    def _again(self, pa: int, level: int) -> bool:
        """Whether the tree has the table already, and each once."""
        if self.seen is None:
            return False
        known = (pa, level) in self.seen
        self.seen.add((pa, level))
        return known


def attributes_of(descriptor: Descriptor) -> str:
    """The fields of a descriptor that are set, but for its address and its kind."""
    shown = []
    for field in reversed(descriptor.fields):
        value = field.extract(descriptor.value)
        if value and not field.name.startswith("OA") and field.name not in ("VALID", "TYPE"):
            shown.append(field.name if field.width == 1 else f"{field.name}={_value(value)}")
    return " ".join(shown)


def _value(value: int) -> str:
    return value.name if isinstance(value, IntEnum) else f"{value:#x}"
