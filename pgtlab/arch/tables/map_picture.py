"""The picture of an address space: at all scales, and the tables on the way to an address.

Above are bars, from both ranges down to the page, and the named places of one of the ranges. Below is a column for each
level: the tables beside the one on the way, filled as far as their entries are used, and a cell for entries that are
alike. With little room the columns go on below each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.permissions import PermissionRules
from pgtlab.arch.sizes import size_name
from pgtlab.arch.tables.allowed import ALLOWED, allowed
from pgtlab.arch.tables.columns import Cells, Column, Neighbour
from pgtlab.arch.tables.scales import Scale, scales
from pgtlab.arch.tables.scales_picture import ALLOWS, LABEL, LETTER, MOST, fill, scales_picture
from pgtlab.arch.tables.scales_picture import ROW as SCALE
from pgtlab.picture import Picture, Shape, line, rect, text

LEFT, CELLS, GAP = 4, 190, 12
NARROW_CELLS, NARROW_GAP = 148, 8  # four of them fit where there is least room
WIDEST: Final = 1012
NARROWEST: Final = 628
TITLE_LINE, LEGEND_LINE = 18, 20
PLACE_H: Final = 22
SCALES_H: Final = MOST * SCALE + 8
HEAD_H: Final = 80  # above the cells of a column
ROW, ROWS, MORE = 20, 9, 72
COLUMN_H: Final = HEAD_H + ROWS * ROW + 10
BESIDE, BESIDE_H = 15, 20  # a table beside others
DIGIT: Final = 7.25  # the width of a digit
LISTED = 64  # cells in the description
HEIGHTS: Final = ("high: mapped", "low: leads to a table", "empty: nothing", "bracket: a contiguous run")


def table_map_picture(
    columns: Sequence[Column],
    va: int,
    first: Mapping[int, int] | None = None,
    ranges: Sequence[Scale] = (),
    outcome: str = "",
    room: float = WIDEST,
    by: str = "level",
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
    room : float
        The width that there is for the picture.
    by : {"level", "permission"}
        What the colours of leaves mean.
    """
    width = max(NARROWEST, min(WIDEST, int(room)))
    title, bars = answer(columns, va), scales(columns, va)
    legend, y = _legend(columns, by, TITLE_LINE + 6.0, width)
    shapes: list[Shape] = [text("title", LEFT, 16, title, "start strong"), *legend]
    named, y = _places(ranges, va, y, width)
    shapes += named
    shapes += scales_picture(ranges, bars, va, outcome, (LEFT, y, width - 2 * LEFT, SCALES_H), by)
    y += SCALES_H
    cells, gap = (CELLS, GAP) if width >= 2 * LEFT + 5 * (CELLS + GAP) - GAP else (NARROW_CELLS, NARROW_GAP)
    across = (width - 2 * LEFT + gap) // (cells + gap)
    for number, column in enumerate(columns):
        row, place = divmod(number, across)
        at = LEFT + place * (cells + gap), y + row * COLUMN_H + HEAD_H
        start = window(column, (first or {}).get(column.level))
        into = gap if number < len(columns) - 1 and place < across - 1 else 0
        shapes += _column(column, at, cells, into, start, by)
    lines = [f"{scale.name}: {scale.va:#018x}, {size_name(scale.size)}" for scale in (*ranges, *bars) if scale.size]
    lines += [f"level {c.level} table at {c.pa:#x}, {_which(c)}: {_used(c)}" for c in columns]
    for c in columns[-1:]:
        begin = max(0, min(c.opened - LISTED // 2, len(c.cells) - LISTED))
        shown = c.cells[begin : begin + LISTED]
        lines += [f"  {'>' if n == c.opened else ' '} {cell}" for n, cell in enumerate(shown, begin)]
        lines += [f"  ({len(c.cells) - len(shown)} more)"] * (len(c.cells) > len(shown))
    lines += [outcome] * (outcome != "")
    height = y + -(-max(1, len(columns)) // across) * COLUMN_H
    return Picture(width, height, title, "\n".join(lines), tuple(shapes))


def answer(columns: Sequence[Column], va: int) -> str:
    """What the way to an address ends with.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> from pgtlab.arch.tables.columns import table_columns
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
    >>> mapper.map_range(0x20_0000, 0x8000_0000, 0x20_0000)
    >>> answer(table_columns(mapper.mmu, 0x20_1234), 0x20_1234)
    'The way to 0x0000000000201234: 2 tables, then a block of 2 MiB at 0x80000000'
    """
    way = f"The way to {va:#018x}"
    if not columns:
        return f"{way}: no table is read"
    tables, cells = f"{len(columns)} table{'s' * (len(columns) > 1)}", columns[-1].cells
    descriptor = cells[columns[-1].opened].descriptor if cells else None
    if not isinstance(descriptor, Leaf):
        return f"{way}: {tables}, and nothing is mapped" if cells else f"{way}: {tables}, of which the last is missing"
    size = 1 << cells.shift
    kind = "a page" if columns[-1].level == LAST_LEVEL else "a block"
    at = (
        descriptor.oa
        + ((va - columns[-1].va & columns[-1].size - 1) & -size)
        - cells[columns[-1].opened].va
        + columns[-1].va
    )
    return f"{way}: {tables}, then {kind} of {size_name(size)} at {at:#x}"


def _legend(columns: Sequence[Column], by: str, y: float, width: float) -> tuple[list[Shape], float]:
    """What colours and heights mean, in as many lines as they need; and where it ends."""
    if by == "permission":
        entries = [(ALLOWS[number], words) for number, words in ALLOWED.items()]
    else:
        entries = [(f"level-{column.level}", f"level {column.level}") for column in columns]
    shapes, x = list[Shape](), float(LEFT)
    for classes, words in (*entries, *(("", words) for words in HEIGHTS)):
        wide = (20 if classes else 0) + LETTER * len(words) + 14
        if x + wide > width:
            x, y = LEFT, y + LEGEND_LINE
        if classes:
            shapes.append(rect(f"legend {words}", x, y, 14, 12, f"edged {classes}"))
        shapes.append(text(f"legend name {words}", x + (20 if classes else 0), y + 10, words, "start small"))
        x += wide
    return shapes, y + LEGEND_LINE + 2


def _places(ranges: Sequence[Scale], va: int, y: float, width: float) -> tuple[list[Shape], float]:
    """The named parts of the ranges side by side, not to scale: each is large enough for its name."""
    named = [part for scale in ranges for part in scale.parts if part.label]
    times = Counter(part.label for part in named)
    parts = [part for part in named if times[part.label] == 1]
    if len(parts) < 2:
        return [], y
    shapes = [
        text("places name", LEFT, y + 9, "places", "start small"),
        text("places note", LEFT, y + 22, "not to scale", "start small faint"),
    ]
    x, full = float(LEFT + LABEL), width - 2 * LEFT - LABEL
    needs = [LETTER * len(part.label) + 10 for part in parts]
    spare = max(0, full - sum(needs)) / len(parts)
    for part, need in zip(parts, needs, strict=True):
        hint = f"{part.label}: {part.va:#018x} to {part.va + part.size - 1:#018x}, {size_name(part.size)}"
        here = {"here": "true"} if part.va <= va < part.va + part.size else {}
        classes = "cell place selected" if here else "cell place"
        shapes.append(
            rect(f"place {part.label}", x, y - 2, need + spare - 2, PLACE_H, classes, hint, region=part.label, **here)
        )
        shapes.append(
            text(
                f"place name {part.label}",
                x + (need + spare) / 2 - 1,
                y + 13,
                part.label,
                quiet=True,
                classes="middle small",
            )
        )
        x += need + spare
    return shapes, y + PLACE_H + 12


def window(column: Column, first: int | None) -> int:
    """The first cell to show: as asked for, else so that the opened one is in the middle."""
    start = column.opened - ROWS // 2 if first is None else first
    return max(0, min(start, len(column.cells) - ROWS))


def _which(column: Column) -> str:
    return f"table {column.number} of {column.siblings}" if column.neighbours else "the root"


def _used(column: Column) -> str:
    return f"{column.used} of {column.entries} entries used"


def _column(column: Column, at: tuple[float, float], width: float, into: float, start: int, by: str) -> Iterator[Shape]:
    """A table; `into` is the length of the line to the next one."""
    level, (x, top) = column.level, at
    used = f"{column.used} of {column.entries} used"
    yield text(f"head {level}", x, top - 62, f"level {level}, {_which(column)}", "start small strong")
    yield text(f"used {level}", x, top - 48, f"{column.pa:#x}: {used}" if width == CELLS else used, "start small")
    for n, neighbour in enumerate(column.neighbours):
        yield from _beside(f"{level} {n}", column, neighbour, x + n * BESIDE, top - 42, by)
    if column.neighbours and column.siblings > len(column.neighbours):
        dots = f"… {column.siblings}"
        beside = x + len(column.neighbours) * BESIDE + 4
        yield text(f"dots {level}", min(beside, x + width - 30), top - 28, dots, "start small", quiet=True)
    shown = min(ROWS, len(column.cells) - start)
    if not column.cells:
        yield text(f"missing {level}", x + 6, top + 14, "not in memory", "start small")
    for row in range(shown):
        opened = start + row == column.opened
        yield from _cell(
            column.cells, start + row, (x, top + row * ROW, width), opened, column.inherited, column.rules, by
        )
    hidden_before, hidden_after = start, len(column.cells) - start - shown
    if hidden_before:
        yield from _more(f"up {level}", x, top, f"▲ {hidden_before} more", level, max(0, start - ROWS))
    if hidden_after:
        yield from _more(f"down {level}", x + MORE + 4, top, f"▼ {hidden_after} more", level, start + ROWS)
    if into and start <= column.opened < start + ROWS:
        y = top + (column.opened - start) * ROW + ROW / 2
        yield line(f"into {level}", x + width, y, x + width + into, y)


def _beside(key: str, column: Column, neighbour: Neighbour, x: float, y: float, by: str) -> Iterator[Shape]:
    """One of the tables that the table above leads to, filled as far as its entries are used."""
    here = neighbour.number == column.number
    full = max(4, round(BESIDE_H * neighbour.used / column.entries)) if neighbour.used else 0
    if neighbour.used:
        yield rect(
            f"fill {key}",
            x,
            y + BESIDE_H - full,
            BESIDE - 2,
            full,
            f"part level-{column.level}" if by == "level" else "part ink",
        )
    hint = f"table {neighbour.number} of {column.siblings}: {neighbour.va:#018x}, {neighbour.used} entries used"
    data = {"va": f"{neighbour.va:#x}"} | ({"here": "true"} if here else {})
    yield rect(f"beside {key}", x, y, BESIDE - 2, BESIDE_H, "cell selected" if here else "cell", hint, **data)


def _more(key: str, x: float, top: float, words: str, level: int, first: int) -> Iterator[Shape]:
    yield rect(key, x, top - 18, MORE, 15, "cell", words, scroll=f"{level} {first}")
    yield text(f"{key} text", x + MORE / 2, top - 6, words, "middle small", quiet=True)


@lru_cache(maxsize=256)
def _cell(
    cells: Cells,
    number: int,
    place: tuple[float, float, float],
    opened: bool,
    inherited: int,
    rules: PermissionRules,
    by: str,
) -> tuple[Shape, ...]:
    (x, y, width), cell, key = place, cells[number], f"{cells.level} {number}"
    label, name, may = str(cell), cell.kind.split()[1], 0
    to = label.rsplit(" ", 1)[1]
    if isinstance(cell.descriptor, Leaf):
        may = int(allowed(np.array([cell.descriptor.value], np.uint64), inherited, rules)[0])
        label = f"{label}, {ALLOWED[may]}"
    data = {"va": f"{cell.va:#x}"} | ({"here": "true"} if opened else {})
    if cell.run > 1:
        label = f"{label}: {cell.count // cell.run} × {cell.run} entries, each run as one in a TLB"
    classes, ink = ("entry byte", "") if name == "Invalid" else (f"entry {fill(cells.level, may, by)}", " on-fill")
    if by == "permission" and not may:
        ink = ""
    count = f"{cell.count // cell.run}×{cell.run} " if cell.run > 1 else f"{cell.count} " if cell.count > 1 else ""
    index = f"[{cell.index:#05x}]"
    words = {"Invalid": f"{index} {count}Invalid", "Table": f"{index} → {to}"}.get(name, f"{index} {count}{name} {to}")
    if DIGIT * len(words) > width - 8:
        words = f"{index} {to}"
    return (
        rect(f"cell {key}", x, y, width, ROW - 1, f"{classes} now" if opened else classes, label, **data),
        text(f"text {key}", x + 5, y + 14, words, f"start mono small{ink}", quiet=True),
        *(_bracket(f"run {key}", x + width - 4, y + 3) if cell.run > 1 else ()),
    )


def _bracket(key: str, x: float, y: float) -> Iterator[Shape]:
    """At the end of a cell: its entries belong together."""
    high, thick = ROW - 7, 1.5
    yield rect(key, x - thick, y, thick, high, "part on-fill")
    yield rect(f"{key} top", x - 5, y, 5, thick, "part on-fill")
    yield rect(f"{key} end", x - 5, y + high - thick, 5, thick, "part on-fill")
