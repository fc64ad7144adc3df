"""Pictures of the course's small machine: which page is in which frame, and the tables of a process as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.sizes import size_name
from pgtlab.arch.tables.tree import TableNode
from pgtlab.arch.va_range import VARange
from pgtlab.picture import Picture, Shape, line, rect, text

ROW, TOP, PAGE_WIDTH, FRAME_X, FRAME_WIDTH = 30, 54, 210, 420, 170


def spaces_picture(spaces: Mapping[str, Mapping[int, int]], page_size: int) -> Picture:
    """Draw the pages of each process on the left, and the frames of RAM that they are in on the right.

    Parameters
    ----------
    spaces : mapping
        For each process, by its name, the physical address of the frame of each page, by the page's address.
    page_size : int
        In bytes.

    Examples
    --------
    >>> spaces_picture({"a": {0x40_0000: 0x8000_0000}, "b": {0x40_0000: 0x8000_1000}}, 4096).title
    '2 pages in 2 frames of 4 KiB'
    """
    pages = [(name, page, frame) for name, space in spaces.items() for page, frame in sorted(space.items())]
    frames = {frame: row for row, frame in enumerate(sorted({frame for *_, frame in pages}))}
    title = f"{_count(len(pages), 'page')} in {_count(len(frames), 'frame')} of {size_name(page_size)}"
    shapes: list[Shape] = [
        text("title", 8, 16, title, "start strong"),
        text("pages", 8, 42, "virtual: pages of the processes", "start"),
        text("frames", FRAME_X, 42, "physical: frames of RAM", "start"),
    ]
    for row, (name, page, frame) in enumerate(pages):
        y, to = TOP + row * ROW, TOP + frames[frame] * ROW
        shapes.append(rect(f"page {name} {page:#x}", 8, y, PAGE_WIDTH, ROW - 6, "byte"))
        shapes.append(text(f"page {name} {page:#x} text", 18, y + 16, f"{name}: {page:#x}", "start mono"))
        shapes.append(line(f"arrow {name} {page:#x}", 8 + PAGE_WIDTH, y + ROW / 2 - 3, FRAME_X, to + ROW / 2 - 3))
    for frame, row in frames.items():
        y = TOP + row * ROW
        shapes.append(rect(f"frame {frame:#x}", FRAME_X, y, FRAME_WIDTH, ROW - 6, "byte"))
        shapes.append(text(f"frame {frame:#x} text", FRAME_X + 10, y + 16, f"{frame:#x}", "start mono"))
    rows = max(len(pages), len(frames), 1)
    lines = [f"{name}: page {page:#x} is in frame {frame:#x}" for name, page, frame in pages]
    return Picture(FRAME_X + FRAME_WIDTH + 8, TOP + rows * ROW, title, "\n".join(lines), tuple(shapes))


TABLE, GAP, HEIGHT, SPACE, MOST = 132, 52, 78, 34, 8


def tables_picture(tree: TableNode, title: str, va_range: VARange) -> Picture:
    """Draw tables as boxes, a column for each level, with a bar for each entry that is in use.

    Of the tables of one level the first `MOST` are drawn; the others are counted.

    Parameters
    ----------
    tree : TableNode
        The first table and those below it.
    title : str
        What the tables are.
    va_range : VARange
        The range of addresses that they translate.
    """
    by_level: dict[int, list[TableNode]] = {level: [] for level in range(tree.level, LAST_LEVEL + 1)}
    for table in tree.tables():
        by_level[table.level].append(table)
    place = {
        id(table): (8 + (level - tree.level) * (TABLE + GAP), TOP + 10 + row * (HEIGHT + SPACE))
        for level, tables in by_level.items()
        for row, table in enumerate(tables[:MOST])
    }
    total = sum(map(len, by_level.values()))
    heading = f"{title}: {_count(total, 'table')}"
    shapes: list[Shape] = [text("title", 8, 16, heading, "start strong")]
    for level, tables in by_level.items():
        x = 8 + (level - tree.level) * (TABLE + GAP)
        shapes.append(text(f"level {level}", x, 42, f"level {level}: {_count(len(tables), 'table')}", "start"))
        for row, table in enumerate(tables[:MOST]):
            shapes += _table(table, f"{level} {row}", place, va_range.entries(level))
        if len(tables) > MOST:
            y = TOP + 14 + MOST * (HEIGHT + SPACE)
            shapes.append(text(f"more {level}", x, y, f"and {len(tables) - MOST} more", "start"))
    rows = max(min(len(tables), MOST) + (len(tables) > MOST) / 3 for tables in by_level.values())
    width = 16 + len(by_level) * (TABLE + GAP) + 60
    return Picture(width, round(TOP + 10 + rows * (HEIGHT + SPACE)), heading, str(tree), tuple(shapes))


def _table(table: TableNode, key: str, place: Mapping[int, tuple[float, float]], entries: int) -> Iterator[Shape]:
    x, y = place[id(table)]
    yield rect(f"table {key}", x, y, TABLE, HEIGHT, "byte", f"the level {table.level} table at {table.pa:#x}")
    yield text(f"table {key} at", x, y + HEIGHT + 15, f"{table.pa:#x}", "start mono")
    if not table.runs:
        yield text(f"table {key} empty", x + TABLE / 2, y + HEIGHT / 2 + 4, "empty", "middle")
    for run, child in zip(table.runs, table.children, strict=True):
        bar = max(4, HEIGHT * run.count / entries)
        top = y + min(HEIGHT * run.index / entries, HEIGHT - bar)
        hint = (
            f"entry {run.index:#x}" if run.count == 1 else f"entries {run.index:#x} to {run.index + run.count - 1:#x}"
        )
        yield rect(f"entry {key} {run.index}", x, top, TABLE, bar, f"level-{table.level}", hint)
        if child is not None and id(child) in place:
            to_x, to_y = place[id(child)]
            yield line(f"arrow {key} {run.index}", x + TABLE, top + bar / 2, to_x, to_y)
    if table.level == LAST_LEVEL and table.runs:
        pages = sum(run.count for run in table.runs)
        yield text(f"table {key} pages", x + TABLE + 8, y + HEIGHT / 2 + 4, _count(pages, "page"), "start")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def halves_picture(bits: int) -> Picture:
    """Draw the 64-bit addresses from 0 up: the lower half, the gap that no table translates, and the upper half.

    The gap is far larger than the halves; it is drawn torn.

    >>> halves_picture(48).title
    '48 bits in use: two halves of 256 TiB, and a gap that nothing translates'
    """
    half = 1 << bits
    title = f"{bits} bits in use: two halves of {size_name(half)}, and a gap that nothing translates"
    top = (1 << 64) - half
    parts = [
        ("lower half: TTBR0_EL1", "programs", 0, half - 1, "byte", 300),
        ("in neither half", "refused", half, top - 1, "unused", 260),
        ("upper half: TTBR1_EL1", "the kernel", top, (1 << 64) - 1, "byte", 300),
    ]
    shapes: list[Shape] = [text("title", 8, 16, title, "start strong")]
    x = 8
    for name, whose, first, last, classes, width in parts:
        shapes.append(rect(name, x, 34, width, 44, classes, f"{first:#018x} to {last:#018x}"))
        shapes.append(text(f"{name} name", x + width / 2, 53, name, "middle"))
        shapes.append(text(f"{name} whose", x + width / 2, 70, whose, "middle"))
        shapes.append(text(f"{name} first", x + 4, 96, f"{first:#018x}", "start mono"))
        shapes.append(text(f"{name} last", x + width - 4, 114, f"{last:#018x}", "end mono"))
        x += width
    description = "\n".join(f"{first:#018x} to {last:#018x}: {name}, {whose}" for name, whose, first, last, *_ in parts)
    return Picture(x + 8, 124, title, description, tuple(shapes))
