"""The picture of an address space: at all scales, and the tables on the way to an address.

Above are bars, from both ranges down to the page. Below is a column for each level: the tables beside the one on the
way, filled as far as their entries are used, and a cell for entries that are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from pgtlab.arch.sizes import size_name
from pgtlab.arch.tables.columns import Cells, Column, Neighbour
from pgtlab.arch.tables.scales import Scale, scales
from pgtlab.arch.tables.scales_picture import LEGEND, MOST, scales_picture
from pgtlab.arch.tables.scales_picture import ROW as SCALE
from pgtlab.picture import Picture, Shape, line, rect, text

LEFT, CELLS, GAP = 4, 203, 18
COLUMN: Final = CELLS + GAP
WIDTH: Final = LEFT + 5 * COLUMN - GAP + LEFT
SCALES_Y = 30
TOP: Final = SCALES_Y + MOST * SCALE + 76
ROW, ROWS, MORE = 20, 13, 66
LETTERS: Final = 27  # in a cell
BESIDE, BESIDE_H = 15, 20  # a table beside others
LISTED = 64  # cells in the description


def table_map_picture(
    columns: Sequence[Column],
    va: int,
    first: Mapping[int, int] | None = None,
    ranges: Sequence[Scale] = (),
    outcome: str = "",
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
    ranges : sequence of Scale, optional
        From `pgtlab.arch.tables.scales.ranges`, for the first of the bars.
    outcome : str, optional
        How the translation of `va` ends.
    """
    title = f"The way to {va:#018x}, at all scales and by the tables"
    bars = scales(columns, va)
    shapes: list[Shape] = [
        text("title", LEFT, 16, title, "start strong"),
        text("legend", WIDTH - LEFT, 16, LEGEND, "end small faint"),
        *scales_picture(ranges, bars, va, outcome, LEFT, SCALES_Y, WIDTH - 2 * LEFT),
    ]
    for number, column in enumerate(columns):
        x = LEFT + number * COLUMN
        start = window(column, (first or {}).get(column.level))
        shapes += _column(column, x, start, last=number == len(columns) - 1)
    lines = [f"{scale.name}: {scale.va:#018x}, {size_name(scale.size)}" for scale in (*ranges, *bars) if scale.size]
    lines += [f"level {c.level} table at {c.pa:#x}, {_which(c)}: {_used(c)}" for c in columns]
    for c in columns[-1:]:
        begin = max(0, min(c.opened - LISTED // 2, len(c.cells) - LISTED))
        shown = c.cells[begin : begin + LISTED]
        lines += [f"  {'>' if n == c.opened else ' '} {cell}" for n, cell in enumerate(shown, begin)]
        lines += [f"  ({len(c.cells) - len(shown)} more)"] * (len(c.cells) > len(shown))
    lines += [outcome] * (outcome != "")
    return Picture(WIDTH, TOP + ROWS * ROW + 8, title, "\n".join(lines), tuple(shapes))


def window(column: Column, first: int | None) -> int:
    """The first cell to show: as asked for, else so that the opened one is in the middle."""
    start = column.opened - ROWS // 2 if first is None else first
    return max(0, min(start, len(column.cells) - ROWS))


def _which(column: Column) -> str:
    return f"table {column.number} of {column.siblings}" if column.neighbours else "the root"


def _used(column: Column) -> str:
    return f"{column.used} of {column.entries} entries used"


def _column(column: Column, x: float, start: int, *, last: bool) -> Iterator[Shape]:
    level = column.level
    yield text(f"head {level}", x, TOP - 62, f"level {level}, {_which(column)}", "start small strong")
    yield text(f"used {level}", x, TOP - 49, f"{column.pa:#x}, {_used(column)}", "start small")
    for n, neighbour in enumerate(column.neighbours):
        yield from _beside(f"{level} {n}", column, neighbour, x + n * BESIDE, TOP - 42)
    if column.neighbours and column.siblings > len(column.neighbours):
        dots = f"… {column.siblings}"
        yield text(f"dots {level}", x + len(column.neighbours) * BESIDE + 4, TOP - 28, dots, "start small", quiet=True)
    shown = min(ROWS, len(column.cells) - start)
    if not column.cells:
        yield text(f"missing {level}", x + 6, TOP + 14, "not in memory", "start small")
    for row in range(shown):
        yield from _cell(column.cells, start + row, x, TOP + row * ROW, start + row == column.opened)
    hidden_before, hidden_after = start, len(column.cells) - start - shown
    if hidden_before:
        yield from _more(f"up {level}", x, f"▲ {hidden_before} more", level, max(0, start - ROWS))
    if hidden_after:
        yield from _more(f"down {level}", x + MORE + 4, f"▼ {hidden_after} more", level, start + ROWS)
    if not last and start <= column.opened < start + ROWS:
        y = TOP + (column.opened - start) * ROW + ROW / 2
        yield line(f"into {level}", x + CELLS, y, x + CELLS + GAP, y)


def _beside(key: str, column: Column, neighbour: Neighbour, x: float, y: float) -> Iterator[Shape]:
    """One of the tables that the table above leads to, filled as far as its entries are used."""
    here = neighbour.number == column.number
    full = max(4, round(BESIDE_H * neighbour.used / column.entries)) if neighbour.used else 0
    if neighbour.used:
        yield rect(f"fill {key}", x, y + BESIDE_H - full, BESIDE - 2, full, f"part level-{column.level}")
    hint = f"table {neighbour.number} of {column.siblings}: {neighbour.va:#018x}, {neighbour.used} entries used"
    data = {"va": f"{neighbour.va:#x}"} | ({"here": "true"} if here else {})
    yield rect(f"beside {key}", x, y, BESIDE - 2, BESIDE_H, "cell selected" if here else "cell", hint, **data)


def _more(key: str, x: float, words: str, level: int, first: int) -> Iterator[Shape]:
    yield rect(key, x, TOP - 18, MORE, 15, "cell", words, scroll=f"{level} {first}")
    yield text(f"{key} text", x + MORE / 2, TOP - 7, words, "middle small", quiet=True)


@lru_cache(maxsize=256)
def _cell(cells: Cells, number: int, x: float, y: float, opened: bool) -> tuple[Shape, ...]:
    cell, key = cells[number], f"{cells.level} {number}"
    label = str(cell)
    name, to = cell.kind.split()[1], label.rsplit(" ", 1)[1]
    data = {"va": f"{cell.va:#x}"} | ({"here": "true"} if opened else {})
    hint = (
        label if cell.run == 1 else f"{label}: {cell.count // cell.run} × {cell.run} entries, each run as one in a TLB"
    )
    classes, ink = ("entry byte", "") if name == "Invalid" else (f"entry level-{cells.level}", " on-fill")
    count = f"{cell.count // cell.run}×{cell.run} " if cell.run > 1 else f"{cell.count} " if cell.count > 1 else ""
    leads = "" if name == "Invalid" else f" → {to}" if name == "Table" else f" {to}"
    words = f"[{cell.index:#05x}] {count}{name}{leads}"
    if len(words) > LETTERS:
        words = f"[{cell.index:#05x}] {name}{leads}"
    return (
        rect(f"cell {key}", x, y, CELLS, ROW - 1, f"{classes} now" if opened else classes, hint, **data),
        text(f"text {key}", x + 6, y + 14, words, f"start mono small{ink}", quiet=True),
        *(_bracket(f"run {key}", x + CELLS - 4, y + 3) if cell.run > 1 else ()),
    )


def _bracket(key: str, x: float, y: float) -> Iterator[Shape]:
    """At the end of a cell: its entries belong together."""
    high, thick = ROW - 7, 1.5
    yield rect(key, x - thick, y, thick, high, "part on-fill")
    yield rect(f"{key} top", x - 5, y, 5, thick, "part on-fill")
    yield rect(f"{key} end", x - 5, y + high - thick, 5, thick, "part on-fill")
