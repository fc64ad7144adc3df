"""The picture of an address space: at all scales, and the tables on the way to an address.

Above are bars, from the whole range down to the page. Below is a column for each level, with a cell for entries that
are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pgtlab.arch.descriptor import Table
from pgtlab.arch.scales import scales, size_name
from pgtlab.arch.scales_picture import MOST, scales_picture
from pgtlab.arch.scales_picture import ROW as SCALE
from pgtlab.arch.table_columns import Cell, Column
from pgtlab.picture import Picture, Shape, line, rect, text

LEFT, CELLS, GAP = 4, 203, 18
COLUMN: Final = CELLS + GAP
WIDTH: Final = LEFT + 5 * COLUMN - GAP + LEFT
SCALES_Y = 30
TOP: Final = SCALES_Y + MOST * SCALE + 50
ROW, ROWS, MORE = 20, 16, 66


def table_map_picture(
    columns: Sequence[Column],
    va: int,
    first: Mapping[int, int] | None = None,
    regions: Sequence[tuple[str, int, int]] = (),
) -> Picture:
    """Draw the columns, below the scales that they are part of.

    Parameters
    ----------
    columns : sequence of Column
        From `table_columns`.
    va : int
        The address that they lead to.
    first : mapping of int to int, optional
        For a level the number of the cell to begin with, where a table has more cells than fit.
    regions : sequence of (name, start, end), optional
        Named parts of the address space, for the first of the bars.
    """
    title = f"The way to {va:#018x}, at all scales and by the tables"
    bars = scales(columns, va, regions)
    shapes: list[Shape] = [
        text("title", LEFT, 16, title, "start strong"),
        *scales_picture(bars, va, LEFT, SCALES_Y, WIDTH - 2 * LEFT),
    ]
    for number, column in enumerate(columns):
        x = LEFT + number * COLUMN
        start = window(column, (first or {}).get(column.level))
        above = columns[number - 1] if number else None
        shapes += _column(column, _which(above), x, start, last=number == len(columns) - 1)
    lines = [f"{scale.name}: {scale.va:#018x}, {size_name(scale.size)}" for scale in bars]
    lines += [f"level {c.level} table at {c.pa:#x}: {c.used} of {c.entries} entries are used" for c in columns]
    lines += [f"  {'>' if n == c.opened else ' '} {cell}" for c in columns[-1:] for n, cell in enumerate(c.cells)]
    return Picture(WIDTH, TOP + ROWS * ROW + 8, title, "\n".join(lines), tuple(shapes))


def window(column: Column, first: int | None) -> int:
    """The first cell to show: as asked for, else so that the opened one is in the middle."""
    start = column.opened - ROWS // 2 if first is None else first
    return max(0, min(start, len(column.cells) - ROWS))


def _which(above: Column | None) -> str:
    """Which of the tables that the same table leads to."""
    if above is None:
        return "the root"
    tables = [n for n, cell in enumerate(above.cells) if isinstance(cell.descriptor, Table)]
    return f"table {tables.index(above.opened) + 1} of {len(tables)}"


def _column(column: Column, which: str, x: float, start: int, *, last: bool) -> Iterator[Shape]:
    level = column.level
    yield text(f"head {level}", x, TOP - 34, f"level {level}, {which}", "start small strong")
    used = f"{column.pa:#x}, {column.used} of {column.entries} entries used"
    yield text(f"used {level}", x, TOP - 21, used, "start small")
    shown = column.cells[start : start + ROWS]
    if not column.cells:
        yield text(f"missing {level}", x + 6, TOP + 14, "not in memory", "start small")
    for row, cell in enumerate(shown):
        yield from _cell(column, start + row, cell, x, TOP + row * ROW, start + row == column.opened)
    hidden_before, hidden_after = start, len(column.cells) - start - len(shown)
    if hidden_before:
        yield from _more(f"up {level}", x, f"▲ {hidden_before} more", level, max(0, start - ROWS))
    if hidden_after:
        yield from _more(f"down {level}", x + MORE + 4, f"▼ {hidden_after} more", level, start + ROWS)
    if not last and start <= column.opened < start + ROWS:
        y = TOP + (column.opened - start) * ROW + ROW / 2
        yield line(f"into {level}", x + CELLS, y, x + CELLS + GAP, y)


def _more(key: str, x: float, words: str, level: int, first: int) -> Iterator[Shape]:
    yield rect(key, x, TOP - 17, MORE, 15, "cell", words, scroll=f"{level} {first}")
    yield text(f"{key} text", x + MORE / 2, TOP - 6, words, "middle small", quiet=True)


def _cell(column: Column, number: int, cell: Cell, x: float, y: float, opened: bool) -> Iterator[Shape]:
    key = f"{column.level} {number}"
    valid = cell.oa is not None
    classes = f"entry level-{column.level}" if valid else "entry byte"
    if opened:
        classes += " now"
    yield rect(f"cell {key}", x, y, CELLS, ROW - 1, classes, str(cell), va=f"{cell.va:#x}")
    to = f" → {cell.oa:#x}" if isinstance(cell.descriptor, Table) else f" {cell.oa:#x}" if valid else ""
    ink = " on-fill" if valid else ""
    yield text(
        f"text {key}", x + 6, y + 14, f"[{cell.index:#05x}] {cell.kind}{to}", f"start mono small{ink}", quiet=True
    )
