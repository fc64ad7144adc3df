"""An address space at all scales: its two ranges, and below them one bar after another down to the page of one address.

Each is a part of the one above. A large table has two of them: the whole, and the part of it around the address, whose
entries can be told apart. Where a block ends the way, there are scales of the same sizes inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.mmu import MMU
from pgtlab.arch.table_columns import HOLE, LEAF, TABLE, Column, Kinds
from pgtlab.arch.va_range import VARange

FEW: Final = 64  # entries that are told apart side by side
SHADES: Final = 256  # differences that are shown in a table of more
KINDS: Final = {HOLE: "hole", TABLE: "table", LEAF: "leaf"}


@dataclass(frozen=True)
class Part:
    """A part of a scale: where it begins, its size in bytes, what it is, and a sentence about it.

    `what` is `table`, `leaf` or `hole`, of entries at `level`; `entries` for many of them; `region` for a named part of
    a range; `inside` for a part of what one leaf maps. `run` is the size of each contiguous run, where it is of such.
    """

    va: int
    size: int
    what: str
    label: str = ""
    level: int | None = None
    run: int = 0


@dataclass(frozen=True)
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
    regions : sequence of (name, start, end), optional
        Named parts, in order.

    Examples
    --------
    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> lower, upper = ranges(Mapper.in_ram(TCR_EL1(T0SZ=25)).mmu, [("low", 0, 1 << 20)])
    >>> size_name(lower.size), [part.label for part in lower.parts], upper.parts
    ('512 GiB', ['low', ''], ())
    """
    return _range(mmu, mmu.lower, regions), _range(mmu, mmu.upper, regions)


def _range(mmu: MMU, r: VARange, regions: Sequence[tuple[str, int, int]]) -> Scale:
    name = f"{'upper' if r.upper else 'lower'} range, {r.ttbr}"
    if not mmu.sctlr.M or r.refusal(el=1):
        return Scale(f"{name}: not walked", 0, 0, ())
    size = 1 << r.input_bits
    va = (1 << 64) - size if r.upper else 0
    return Scale(name, va, size, tuple(_tiled(va, va + size, regions)))


def _tiled(at: int, stop: int, regions: Sequence[tuple[str, int, int]]) -> Iterator[Part]:
    """The named parts, and what is between them."""
    for name, start, end in (*regions, ("", stop, stop)):
        start, end = max(at, start), min(end, stop)
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
    >>> from pgtlab.arch.table_columns import table_columns
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
    found = [scale for column in columns for scale in _of_table(column, va)]
    leaf = last.cells[last.opened].descriptor if last.cells else None
    if not isinstance(leaf, Leaf):
        return tuple(found)
    granule = last.granule
    for level in range(last.level, LAST_LEVEL):
        name, size = f"level {level} block" if level == last.level else "part of it", 1 << granule.level_shift(level)
        step = 1 << granule.level_shift(level + 1)
        some = step << _window(granule.bits_per_level)
        unit = "pages" if level + 1 == LAST_LEVEL else f"times {size_name(step)}"
        found.append(_inside(name, last.level, va, size, some))
        found.append(_inside(f"{some // step} {unit}", last.level, va, some, step))
    return (*found, _inside("page", last.level, va, granule.size, granule.size))


def _window(bits: int) -> int:
    """How many entries of a table of `1 << bits` are shown beside each other: as many as there are such parts."""
    return (bits + 1) // 2


def _of_table(column: Column, va: int) -> Iterator[Scale]:
    name, step = f"level {column.level} table", 1 << column.granule.level_shift(column.level)
    if not len(column.kinds):
        yield Scale(
            f"{name}, missing", column.va, column.size, (Part(column.va, column.size, "hole", "not in memory"),)
        )
        return
    if column.entries <= FEW:
        yield Scale(name, column.va, column.size, tuple(_entries(column, 0, column.entries)))
        return
    some = 1 << _window(column.entries.bit_length() - 1)
    first = (va - column.va) // step & -some
    parts = tuple(_many(column, at, some) for at in range(0, column.entries, some))
    yield Scale(name, column.va, column.size, parts, tuple(_shades(column)))
    yield Scale(f"{some} entries", column.va + first * step, some * step, tuple(_entries(column, first, first + some)))


def _entries(column: Column, first: int, last: int) -> Iterator[Part]:
    """Entries one by one; those in a row that are invalid, as one."""
    step = 1 << column.granule.level_shift(column.level)
    for cell in column.cells.within(first, last):
        begin, end = max(cell.index, first), min(cell.index + cell.count, last)
        va, what = column.va + begin * step, KINDS[int(column.kinds[begin])]
        if what == "hole" or cell.count == 1:
            label = f"[{begin:#05x}{f'-{end - 1:#05x}' if end - begin > 1 else ''}] {va:#018x} {cell.kind.split()[1]}"
            to = "" if cell.oa is None else f" {cell.oa:#x}"
            yield Part(va, (end - begin) * step, what, label + to, column.level)
            continue
        name, oa = type(cell.descriptor).__name__, cell.oa or 0
        of_run = f", of a contiguous run of {cell.run}" if cell.run > 1 else ""
        for n in range(begin, end):
            at, to = column.va + n * step, f"{oa + (n - cell.index) * step:#x}"
            run = cell.run * step if cell.run > 1 else 0
            yield Part(at, step, what, f"[{n:#05x}] {at:#018x} {name} {to}{of_run}", column.level, run)


def _many(column: Column, first: int, count: int) -> Part:
    """Some entries of a table, as one part with a count of what they are."""
    step = 1 << column.granule.level_shift(column.level)
    number = np.bincount(column.kinds[first : first + count], minlength=3).tolist()
    what = ", ".join(f"{n} {words}" for n, words in zip(number, ("invalid", "tables", "leaves"), strict=True) if n)
    va = column.va + first * step
    return Part(va, count * step, "entries", f"[{first:#05x}-{first + count - 1:#05x}] {va:#018x} {what}", column.level)


def _shades(column: Column) -> Iterator[Part]:
    """What is in a table, in as many differences as can be seen: leaves before tables before holes."""
    kinds: Kinds = column.kinds.reshape(min(column.entries, SHADES), -1).max(axis=1)
    size = column.size // len(kinds)
    starts = np.flatnonzero(np.append(True, kinds[1:] != kinds[:-1])).tolist()
    for start, end in zip(starts, [*starts[1:], len(kinds)], strict=True):
        if kinds[start] != HOLE:
            what = KINDS[int(kinds[start])]
            yield Part(column.va + start * size, (end - start) * size, what, level=column.level)


def _inside(name: str, level: int, va: int, size: int, step: int) -> Scale:
    """A naturally aligned part of what a leaf maps."""
    start = va & -size
    parts = (
        Part(at, step, "inside", f"{at:#018x} {size_name(step)}", level) for at in range(start, start + size, step)
    )
    return Scale(name, start, size, tuple(parts))


def size_name(size: int) -> str:
    """A power of two in bytes, in words.

    >>> size_name(1 << 52), size_name(1 << 14)
    ('4 PiB', '16 KiB')
    """
    unit = min((size.bit_length() - 1) // 10, 6)
    return f"{size >> 10 * unit} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')[unit]}"
