"""An address space at all scales: its two ranges, and below them bar after bar down to the page of one address.

Each is a part of the one above. A large table has two of them: the whole, and the part of it around the address, whose
entries can be told apart. Where a block ends the way, there are scales of the same sizes inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from pgtlab.arch.descriptor import HOLE, LEAF, TABLE, Leaf
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.mmu import MMU
from pgtlab.arch.sizes import size_name
from pgtlab.arch.tables.allowed import ALLOWED, allowed
from pgtlab.arch.tables.columns import Cells, Column, Kinds
from pgtlab.arch.va_range import VARange

FEW: Final = 64  # entries that are told apart side by side
SHADES: Final = 128  # differences that are shown in a table of more
KINDS: Final = {HOLE: "hole", TABLE: "table", LEAF: "leaf"}
WORDS: Final = ("invalid", "tables", "leaves")


@dataclass(frozen=True)
class Part:
    """A part of a scale: where it begins, its size in bytes, what it is, and a sentence about it.

    `what` is `table`, `leaf` or `hole`, of entries at `level`; `entries` for many of them; `region` for a named part of
    a range; `inside` for a part of what one leaf maps. `run` is the size of each contiguous run, where it is of such;
    `allowed` is what a leaf allows, as a number of `pgtlab.arch.tables.allowed`.
    """

    va: int
    size: int
    what: str
    label: str = ""
    level: int | None = None
    run: int = 0
    allowed: int = 0


@dataclass(frozen=True, eq=False)
class Scale:
    """A part of the address space, which `parts` tile: those that one can go to. `shades` are what is seen in them."""

    name: str
    va: int
    size: int
    parts: tuple[Part, ...]
    shades: tuple[Part, ...] = ()


def ranges(mmu: MMU, regions: Sequence[tuple[str, int, int]] = ()) -> tuple[Scale, Scale]:
    """The lower and the upper range; one that is not walked has no parts.

    Parameters
    ----------
    mmu : MMU
        The registers.
    regions : sequence of tuple of str, int, int, optional
        Named parts in order, each with its name, start and end.

    Examples
    --------
    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> lower, upper = ranges(Mapper.in_ram(TCR_EL1(T0SZ=25)).mmu, [("low", 0, 1 << 20)])
    >>> lower.size >> 30, [part.label for part in lower.parts], upper.parts
    (512, ['low', ''], ())
    """
    return _range(mmu, mmu.lower, regions), _range(mmu, mmu.upper, regions)


def _range(mmu: MMU, r: VARange, regions: Sequence[tuple[str, int, int]]) -> Scale:
    name = f"{'upper' if r.upper else 'lower'} range, {r.ttbr}"
    if not mmu.walked(r):
        return Scale(f"{name}: not walked", 0, 0, ())
    size = 1 << r.input_bits
    return Scale(name, r.first, size, tuple(_tiled(r.first, r.first + size, regions)))


def _tiled(at: int, stop: int, regions: Sequence[tuple[str, int, int]]) -> Iterator[Part]:
    """The named parts, and what is between them."""
    for name, start, end in (*regions, ("", stop, stop)):
        start, end = min(max(at, start), stop), min(end, stop)
        if start > at:
            yield Part(at, start - at, "region")
        if end > start:
            yield Part(start, end - start, "region", name)
        at = max(at, end)


def scales(columns: Sequence[Column], va: int) -> tuple[Scale, ...]:
    """The scales from the first of the tables down to the page of `va`, as far as something is mapped there.

    Parameters
    ----------
    columns : sequence of Column
        From `table_columns`, for `va`.
    va : int
        The address.

    Examples
    --------
    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> from pgtlab.arch.tables.columns import table_columns
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x20_0000, 0x8000_0000, 0x20_0000)
    >>> for scale in scales(table_columns(mapper.mmu, 0x20_1234), 0x20_1234):
    ...     print(scale.name, size_name(scale.size))
    level 1 table 512 GiB
    32 entries 32 GiB
    level 2 table 1 GiB
    32 entries 64 MiB
    level 2 block 2 MiB
    32 pages 128 KiB
    page 4 KiB
    """
    if not columns:
        return ()
    root, last = columns[0], columns[-1]
    va = root.va + (va - root.va & root.size - 1)  # without a tag
    bars = [scale for column in columns for scale in _of_table(column, va)]
    leaf = last.cells[last.opened].descriptor if last.cells else None
    if not isinstance(leaf, Leaf):
        return tuple(bars)
    may = int(allowed(np.array([leaf.value], np.uint64), last.inherited, last.rules)[0])
    granule = last.granule
    for level in range(last.level, LAST_LEVEL):
        name, size = f"level {level} block" if level == last.level else "part of it", 1 << granule.level_shift(level)
        step = 1 << granule.level_shift(level + 1)
        shown = step << _window(granule.bits_per_level)
        unit = "pages" if level + 1 == LAST_LEVEL else f"times {size_name(step)}"
        bars.append(_inside(name, last.level, va & -size, size, shown, may))
        bars.append(_inside(f"{shown // step} {unit}", last.level, va & -shown, shown, step, may))
    return (*bars, _inside("page", last.level, va & -granule.size, granule.size, granule.size, may))


def _window(bits: int) -> int:
    """How many entries of a table of `1 << bits` are shown beside each other: as many as there are such parts."""
    return (bits + 1) // 2


def _of_table(column: Column, va: int) -> Iterator[Scale]:
    cells = column.cells
    if not cells:
        missing = Part(column.va, column.size, "hole", "not in memory")
        yield Scale(f"level {column.level} table, missing", column.va, column.size, (missing,))
        return
    yield _whole(cells, column)
    if column.entries > FEW:
        count = 1 << _window(column.entries.bit_length() - 1)
        yield _some(cells, (va - column.va >> cells.shift) & -count, count, column)


@lru_cache(maxsize=64)
def _whole(cells: Cells, column: Column) -> Scale:
    """A table, one entry after another if they are few, else some at a time."""
    entries, size = len(cells.words), len(cells.words) << cells.shift
    name = f"level {cells.level} table"
    if entries <= FEW:
        return Scale(name, cells.va, size, tuple(_entries(cells, 0, entries, column)))
    count = 1 << _window(entries.bit_length() - 1)
    return Scale(name, cells.va, size, tuple(_many(cells, count)), tuple(_shades(cells, size, column)))


@lru_cache(maxsize=64)
def _some(cells: Cells, first: int, count: int, column: Column) -> Scale:
    """Some entries of a table, from `first` on."""
    va, size = cells.va + (first << cells.shift), count << cells.shift
    return Scale(f"{count} entries", va, size, tuple(_entries(cells, first, first + count, column)))


def _entries(cells: Cells, first: int, last: int, column: Column) -> Iterator[Part]:
    """Entries one by one; those in a row that are invalid, as one."""
    level, shift = cells.level, cells.shift
    kinds, addresses = cells.kinds[first:last].tolist(), cells.addresses(first, last).tolist()
    leaf = "Page" if level == LAST_LEVEL else "Block"
    may = allowed(cells.words[first:last], column.inherited, column.rules).tolist()
    n = 0
    while n < len(kinds):
        index, va, kind = first + n, cells.va + (first + n << shift), kinds[n]
        if kind == HOLE:
            end = next((m for m in range(n, len(kinds)) if kinds[m] != HOLE), len(kinds))
            label = f"[{index:#05x}{f'-{first + end - 1:#05x}' if end - n > 1 else ''}] {va:#018x} Invalid"
            yield Part(va, end - n << shift, "hole", label, level)
            n = end
            continue
        label = f"[{index:#05x}] {va:#018x} {leaf if kind == LEAF else 'Table'} {addresses[n]:#x}"
        run = cells.run_at(index) if kind == LEAF else 1
        if run > 1:
            label = f"{label}, {ALLOWED[may[n]]}, of a contiguous run of {run}"
            yield Part(va, 1 << shift, "leaf", label, level, run << shift, may[n])
        elif kind == LEAF:
            yield Part(va, 1 << shift, "leaf", f"{label}, {ALLOWED[may[n]]}", level, allowed=may[n])
        else:
            yield Part(va, 1 << shift, KINDS[kind], label, level)
        n += 1


def _many(cells: Cells, count: int) -> Iterator[Part]:
    """Each `count` entries of a table as one part, which says how many are what."""
    kinds = cells.kinds.reshape(-1, count)
    for n, numbers in enumerate(np.stack([(kinds == kind).sum(1) for kind in KINDS], 1).tolist()):
        first, va = n * count, cells.va + (n * count << cells.shift)
        what = ", ".join([f"{number} {words}" for number, words in zip(numbers, WORDS, strict=True) if number])
        label = f"[{first:#05x}-{first + count - 1:#05x}] {va:#018x} {what}"
        yield Part(va, count << cells.shift, "entries", label, cells.level)


def _shades(cells: Cells, size: int, column: Column) -> Iterator[Part]:
    """What is in a table, in as many differences as can be seen: leaves that allow most, leaves, tables, holes."""
    leaves = LEAF + allowed(cells.words, column.inherited, column.rules)
    looks: Kinds = np.where(cells.kinds == LEAF, leaves, cells.kinds).astype(np.uint8)
    looks = looks.reshape(min(len(cells.words), SHADES), -1).max(axis=1)
    step = size // len(looks)
    starts = np.flatnonzero(np.append(True, looks[1:] != looks[:-1])).tolist()
    for start, end, look in zip(starts, [*starts[1:], len(looks)], looks[starts].tolist(), strict=True):
        if look != HOLE:
            what, may = KINDS[min(look, LEAF)], max(look - LEAF, 0)
            yield Part(cells.va + start * step, (end - start) * step, what, level=cells.level, allowed=may)


@lru_cache(maxsize=64)
def _inside(name: str, level: int, start: int, size: int, step: int, may: int) -> Scale:
    """A part of what a leaf maps."""
    parts = (
        Part(at, step, "inside", f"{at:#018x} {size_name(step)}", level, allowed=may)
        for at in range(start, start + size, step)
    )
    return Scale(name, start, size, tuple(parts))
