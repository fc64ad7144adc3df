"""The picture of the tables on the way to an address: a column for each level, a cell for entries that are alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pgtlab.arch.descriptor import Table
from pgtlab.arch.table_columns import Cell, Column
from pgtlab.picture import Picture, Shape, line, rect, text

LEFT, STRIP, CELLS, GAP = 4, 12, 206, 18
COLUMN: Final = STRIP + 4 + CELLS + GAP
TOP, ROW, ROWS = 96, 20, 20
OVERVIEW_Y, OVERVIEW_H = 28, 20
SCALE: Final = ROWS * ROW


def table_map_picture(
    columns: Sequence[Column],
    va: int,
    first: Mapping[int, int] | None = None,
    regions: Sequence[tuple[str, int, int]] = (),
) -> Picture:
    """Draw the columns.

    Parameters
    ----------
    columns : sequence of Column
        From `table_columns`.
    va : int
        The address that they lead to.
    first : mapping of int to int, optional
        For a level the number of the cell to begin with, where a table has more cells than fit.
    regions : sequence of (name, start, end), optional
        Named parts of the address space, for the strip on top.
    """
    width = LEFT + max(len(columns), 4) * COLUMN
    title = f"The tables on the way to {va:#018x}"
    shapes: list[Shape] = [text("title", LEFT, 16, title, "start strong"), *_overview(columns, va, regions, width)]
    for number, column in enumerate(columns):
        x = LEFT + number * COLUMN
        start = window(column, (first or {}).get(column.level))
        shapes += _column(column, x, start, last=number == len(columns) - 1)
    lines = [f"level {c.level} table at {c.pa:#x}: {c.used} of {c.entries} entries are used" for c in columns]
    lines += [
        f"  {'>' if n == c.opened else ' '} {cell_line(cell)}" for c in columns[-1:] for n, cell in enumerate(c.cells)
    ]
    return Picture(width, TOP + SCALE + 8, title, "\n".join(lines), tuple(shapes))


def window(column: Column, first: int | None) -> int:
    """The first cell to show: as asked for, else so that the opened one is in the middle."""
    start = column.opened - ROWS // 2 if first is None else first
    return max(0, min(start, len(column.cells) - ROWS))


def cell_line(cell: Cell) -> str:
    """A cell as text: which entries, what they are, and where they lead."""
    last = f"-{cell.index + cell.count - 1:#05x}" if cell.count > 1 else ""
    to = "" if cell.oa is None else f" {cell.oa:#x}"
    return f"[{cell.index:#05x}{last}] {cell.va:#018x} {cell.kind}{to}"


def _overview(
    columns: Sequence[Column], va: int, regions: Sequence[tuple[str, int, int]], width: float
) -> Iterator[Shape]:
    """The whole range as a strip, what is where in it, and where we are."""
    if not columns:
        return
    root = columns[0]
    covered = root.cells[-1].va + root.cells[-1].size - root.va if root.cells else 1
    full = width - 2 * LEFT

    def place(address: int) -> float:
        return LEFT + max(0.0, min(1.0, (address - root.va) / covered)) * full

    yield rect("overview", LEFT, OVERVIEW_Y, full, OVERVIEW_H, "byte")
    for name, start, end in regions:
        left, right = place(start), place(end)
        if right - left >= 2:
            yield rect(f"region {start:#x}", left, OVERVIEW_Y, right - left, OVERVIEW_H, "byte unused", name)
        if right - left > 6.5 * len(name):
            yield text(f"region name {start:#x}", (left + right) / 2, OVERVIEW_Y + 14, name, "middle small")
    x = place(va)
    yield line("here", x, OVERVIEW_Y - 4, x, OVERVIEW_Y + OVERVIEW_H + 4)
    yield text(
        "here name",
        min(max(x, LEFT + 60), width - 64),
        OVERVIEW_Y + OVERVIEW_H + 15,
        f"{va:#018x}",
        "middle mono small",
    )


def _column(column: Column, x: float, start: int, *, last: bool) -> Iterator[Shape]:
    level = column.level
    head = f"level {level} table at {column.pa:#x}"
    yield text(f"head {level}", x, TOP - 20, head, "start small strong")
    yield text(f"used {level}", x, TOP - 6, f"{column.used} of {column.entries} entries used", "start small")
    yield from _strip(column, x)
    x += STRIP + 4
    shown = column.cells[start : start + ROWS]
    if not column.cells:
        yield text(f"missing {level}", x + 6, TOP + 14, "not in memory", "start small")
    for row, cell in enumerate(shown):
        yield from _cell(column, start + row, cell, x, TOP + row * ROW, start + row == column.opened)
    hidden_before, hidden_after = start, len(column.cells) - start - len(shown)
    if hidden_before:
        yield _more(f"up {level}", x + CELLS - 58, TOP - 17, f"▲ {hidden_before} more", level, max(0, start - ROWS))
        yield text(f"up text {level}", x + CELLS - 29, TOP - 6, f"▲ {hidden_before} more", "middle small", quiet=True)
    if hidden_after:
        yield _more(f"down {level}", x + CELLS - 58, TOP - 32, f"▼ {hidden_after} more", level, start + ROWS)
        yield text(f"down text {level}", x + CELLS - 29, TOP - 21, f"▼ {hidden_after} more", "middle small", quiet=True)
    if not last and start <= column.opened < start + ROWS:
        y = TOP + (column.opened - start) * ROW + ROW / 2
        yield line(f"into {level}", x + CELLS, y, x + CELLS + GAP, y)


def _more(key: str, x: float, y: float, hint: str, level: int, first: int) -> Shape:
    return rect(key, x, y, 58, 15, "cell", hint, scroll=f"{level} {first}")


def _strip(column: Column, x: float) -> Iterator[Shape]:
    """The whole table at a glance, each used part at its place; parts too near each other to be told apart are one."""
    yield rect(f"strip {column.level}", x, TOP, STRIP, SCALE, "byte")
    parts: list[list[float]] = []
    for cell in column.cells:
        if cell.oa is None:
            continue
        top = TOP + SCALE * cell.index / column.entries
        height = max(1.5, SCALE * cell.count / column.entries)
        if parts and top - (parts[-1][0] + parts[-1][1]) < 1:
            parts[-1][1] = top + height - parts[-1][0]
        else:
            parts.append([top, height])
    for number, (top, height) in enumerate(parts):
        yield rect(
            f"part {column.level} {number}", x, top, STRIP, min(height, TOP + SCALE - top), f"part level-{column.level}"
        )


def _cell(column: Column, number: int, cell: Cell, x: float, y: float, opened: bool) -> Iterator[Shape]:
    key = f"{column.level} {number}"
    valid = cell.oa is not None
    classes = f"entry level-{column.level}" if valid else "entry byte"
    if opened:
        classes += " now"
    yield rect(f"cell {key}", x, y, CELLS, ROW - 1, classes, cell_line(cell), va=f"{cell.va:#x}")
    to = f" → {cell.oa:#x}" if isinstance(cell.descriptor, Table) else f" {cell.oa:#x}" if valid else ""
    ink = " on-fill" if valid else ""
    yield text(
        f"text {key}", x + 6, y + 14, f"[{cell.index:#05x}] {cell.kind}{to}", f"start mono small{ink}", quiet=True
    )
