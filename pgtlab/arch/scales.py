"""An address space at all scales: from the whole range down to the page of one address, each a part of the one above.

The scales below the range are the tables on the way, so there is one for each level; where a block ends the way, there
are scales of the same sizes inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.table_columns import Cell, Column

SIXTEENTHS = 16  # what a scale inside a block is divided into, for want of entries


@dataclass(frozen=True)
class Part:
    """A part of a scale: where it begins, its size in bytes, what it is, and the level of the entries that make it so.

    `what` is `table`, `leaf` or `hole`, or `region` for a named part of the range, which has no level.
    """

    va: int
    size: int
    what: str
    label: str
    level: int | None = None


@dataclass(frozen=True)
class Scale:
    """A part of the address space, which its own parts tile."""

    name: str
    va: int
    size: int
    parts: tuple[Part, ...]


def scales(columns: Sequence[Column], va: int, regions: Sequence[tuple[str, int, int]] = ()) -> tuple[Scale, ...]:
    """The scales from the range of `columns` down to the page of `va`, as far as something is mapped there.

    Parameters
    ----------
    columns : sequence of Column
        From `table_columns`, for `va`.
    va : int
        The address.
    regions : sequence of (name, start, end), optional
        Named parts of the range, in order.

    Examples
    --------
    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> from pgtlab.arch.table_columns import table_columns
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x20_0000, 0x8000_0000, 0x20_0000)
    >>> for scale in scales(table_columns(mapper.mmu, 0x20_1234), 0x20_1234):
    ...     print(scale.name, size_name(scale.size))
    range 512 GiB
    level 1 table 512 GiB
    level 2 table 1 GiB
    level 2 block 2 MiB
    page 4 KiB
    """
    if not columns:
        return ()
    root, last = columns[0], columns[-1]
    found = [Scale("range", root.va, root.size, tuple(_tiled(root, regions)))]
    found += [
        Scale(f"level {c.level} table", c.va, c.size, tuple(_part(cell, c.level) for cell in c.cells)) for c in columns
    ]
    leaf = last.cells[last.opened].descriptor if last.cells else None
    if not isinstance(leaf, Leaf):
        return tuple(found)
    level, granule = last.level, last.granule
    for below in range(level, LAST_LEVEL):
        size = 1 << granule.level_shift(below)
        name = f"level {level} block" if below == level else f"{size_name(size)} of it"
        found.append(_inside(name, level, va, size, SIXTEENTHS))
    return (*found, _inside("page", level, va, granule.size, 1))


def _inside(name: str, level: int, va: int, size: int, count: int) -> Scale:
    """A naturally aligned part of what a leaf maps, in `count` parts."""
    start, step = va & -size, size // count
    parts = (Part(at, step, "leaf", f"{at:#018x} {size_name(step)}", level) for at in range(start, start + size, step))
    return Scale(name, start, size, tuple(parts))


def _tiled(root: Column, regions: Sequence[tuple[str, int, int]]) -> Iterator[Part]:
    """The named parts, and what is between them."""
    at, stop = root.va, root.va + root.size
    for name, start, end in (*regions, ("", stop, stop)):
        start, end = max(at, start), min(end, stop)
        if start > at:
            yield Part(at, start - at, "region", "")
        if end > start:
            yield Part(start, end - start, "region", name)
        at = max(at, end)


def _part(cell: Cell, level: int) -> Part:
    what = "hole" if cell.oa is None else "table" if isinstance(cell.descriptor, Table) else "leaf"
    return Part(cell.va, cell.size, what, str(cell), level)


def size_name(size: int) -> str:
    """A power of two in bytes, in words.

    >>> size_name(1 << 52), size_name(1 << 14)
    ('4 PiB', '16 KiB')
    """
    unit = min((size.bit_length() - 1) // 10, 6)
    return f"{size >> 10 * unit} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')[unit]}"
