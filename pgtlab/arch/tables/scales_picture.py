"""The picture of an address space at all scales: bars, each of which magnifies a part of the one above."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import zip_longest
from typing import Final

from pgtlab.arch.sizes import size_name
from pgtlab.arch.tables.scales import Part, Scale
from pgtlab.arch.word import is_upper
from pgtlab.picture import Shape, line, rect, solid, text

LABEL, ENDS, BAR = 142, 136, 15  # widths of the names and of the last addresses, and the height of a bar
ROW, HIGHEST_ROW = 29, 46  # from bar to bar, at the least and at the most
MOST: Final = 11  # bars: the ranges, five levels of which four take two, and a page
DROP: Final = 8  # by which tables are lower than leaves
BETWEEN: Final = 41  # room for what is between the ranges, which is not to scale
RANGES: Final = ("lower", "upper")
LETTER: Final = 6.5  # the width of a small letter, in the fonts that browsers fall back on
#: The classes of leaves by what they allow: greys, and the colour of what is wrong for memory to write and to execute.
ALLOWS: Final = ("allows-nothing", "allows-reading", "allows-executing", "allows-writing", "allows-both")


def fill(part_level: int | None, allowed: int, by: str) -> str:
    """The class of a part: its level, or what it allows; a table allows nothing by itself.

    >>> fill(2, 3, "level"), fill(2, 3, "permission"), fill(1, 0, "permission")
    ('level-2', 'allows-writing', 'allows-nothing')
    """
    return ALLOWS[allowed] if by == "permission" else f"level-{part_level}"


def scales_picture(
    ranges: Sequence[Scale],
    scales: Sequence[Scale],
    va: int,
    outcome: str,
    place: tuple[float, float, float, float],
    by: str = "level",
) -> Iterator[Shape]:
    """Draw scales as bars below each other, with lines from the part that is magnified to the bar that shows it.

    In each bar the part of the address is marked with `data-here`. Addresses grow to the right; left of a bar is its
    first address, and right of it, where there is room, its last.

    Parameters
    ----------
    ranges : sequence of Scale
        The lower and the upper one, from `pgtlab.arch.tables.scales.ranges`.
    scales : sequence of Scale
        From `pgtlab.arch.scales.scales`.
    va : int
        The address that they are about.
    outcome : str
        How its translation ends.
    place : tuple of float
        Where there is room: left, top, width and height, of which a bar more leaves less for each.
    by : {"level", "permission"}
        What the colours mean.

    Examples
    --------
    >>> lower = Scale("lower range", 0, 1 << 39, (Part(0, 1 << 39, "region", "user space"),))
    >>> nothing = Scale("upper range: not walked", 0, 0, ())
    >>> shapes = list(scales_picture([lower, nothing], [], 0x1000, "", (0, 0, 600, 300)))
    >>> [shape.text for shape in shapes if shape.text]
    ['both ranges', '512 GiB + none', 'user space', 'upper range: not walked', '⋯']
    """
    left, top, width, height = place
    ends = ENDS if width > 800 else 0
    x, full = left + LABEL, width - LABEL - ends
    row = min(HIGHEST_ROW, height // max(1, len(scales) + 1))
    upper = is_upper(va)
    yield from _name("scale 0", "both ranges", " + ".join(map(_size, ranges)), "", left, x, top)
    half = (full - BETWEEN) // 2
    for number, scale_of_range in enumerate(ranges):
        start = x + number * (half + BETWEEN)
        shapes, items = _range(f"scale 0 {RANGES[number]}", scale_of_range, start, top, half)
        yield from _with_here(scale_of_range, va, shapes, items) if number == upper else shapes
    hint = "addresses between the ranges, which nothing translates; not to scale"
    yield rect("between", x + half + 4, top, BETWEEN - 8, BAR, "unused", hint)
    yield text("between dots", x + full // 2, top + 12, "⋯", quiet=True)
    begin = x + upper * (half + BETWEEN)
    if scales:
        yield from _lens("scale 0", begin, begin + half, x, top, full, row)
    for number, (scale, magnified) in enumerate(zip_longest(scales, scales[1:]), 1):
        key, y = f"scale {number}", top + number * row
        va = scale.va + (va - scale.va & scale.size - 1)
        yield from _name(key, scale.name, size_name(scale.size), f"{scale.va:#018x}", left, x, y)
        if ends:
            last = f"{scale.va + scale.size - 1:#018x}"
            yield text(f"{key} last", x + full + 6, y + 11.5, last, "start mono small faint", quiet=True)
        yield from _with_here(scale, va, *_bar(key, scale, x, y, full, by))
        if magnified and magnified.size < scale.size:
            begin, end = (_place(scale, at, x, full) for at in (magnified.va, magnified.va + magnified.size))
            yield from _lens(key, begin, end, x, y, full, row)
    if not outcome:
        return
    if scales and scales[-1].name == "page":
        yield text("outcome", x + 8, y + 11.5, outcome, "start small on-fill strong")
    elif len(scales) < MOST:
        yield text("outcome", x, top + len(scales) * row + BAR + 14, outcome, "start small strong")


def _name(key: str, name: str, size: str, first: str, left: float, x: float, y: float) -> Iterator[Shape]:
    """The name of a bar with its size, and its first address below."""
    yield text(f"{key} name", left, y + 9, name, "start small")
    yield (
        text(f"{key} size", x - 8, y + 9, size, "end small faint")
        if first
        else text(f"{key} size", left, y + 22, size, "start small faint")
    )
    if first:
        yield text(f"{key} first", x - 8, y + 22, first, "end mono small faint", quiet=True)


def _size(scale: Scale) -> str:
    return size_name(scale.size) if scale.size else "none"


def _place(scale: Scale, va: int, x: float, full: float) -> int:
    """Where an address is, in whole pixels: edges are sharp, and numbers short."""
    return round(x + full * (va - scale.va) / scale.size)


def _ends(scale: Scale, part: Part, x: float, full: float) -> tuple[int, int]:
    return _place(scale, part.va, x, full), _place(scale, part.va + part.size, x, full)


def _lens(key: str, begin: float, end: float, x: float, y: float, full: float, row: float) -> Iterator[Shape]:
    """A mark around what is magnified, and lines to where it is."""
    yield rect(f"{key} mark", begin, y, max(end - begin, 3), BAR, "mark")
    yield line(f"{key} left", begin, y + BAR + 1, x, y + row)
    yield line(f"{key} right", end, y + BAR + 1, x + full, y + row)


@lru_cache(maxsize=64)
def _range(key: str, scale: Scale, x: float, y: float, full: float) -> tuple[list[Shape], list[int]]:
    """A range with its named parts; and which shapes those are."""
    shapes, items = list[Shape](), list[int]()
    if not scale.parts:
        shapes.append(rect(key, x, y, full, BAR, "byte", scale.name))
        shapes.append(text(f"{key} name", x + full / 2, y + 11.5, scale.name, "middle small", quiet=True))
    for at, part in enumerate(scale.parts):
        name = part.label or (scale.name if len(scale.parts) == 1 else "")
        left, right = _ends(scale, part, x, full)
        hint = f"{name or 'no part with a name'}: {part.va:#018x}, {size_name(part.size)}"
        classes = "byte unused" if part.label else "byte"
        items.append(len(shapes))
        shapes.append(_item(f"{key} {at}", left, y, right - left, classes, part, hint))
        if right - left > LETTER * len(name):
            shapes.append(text(f"{key} {at} name", (left + right) / 2, y + 11.5, name, "middle small", quiet=True))
    return shapes, items


def _item(
    key: str, x: float, y: float, width: float, classes: str, part: Part, hint: str, height: float = BAR
) -> Shape:
    return rect(key, x, y, width, height, classes, hint, va=f"{part.va:#x}")


@lru_cache(maxsize=64)
def _bar(key: str, scale: Scale, x: float, y: float, full: float, by: str) -> tuple[list[Shape], list[int]]:
    """A bar, first what is seen in it and then where one can go; and which shapes those are."""
    shapes, items = [rect(key, x, y, full, BAR, "byte")], []
    for shade in scale.shades:
        left, right = _ends(scale, shade, x, full)
        drop = DROP if shade.what == "table" else 0
        classes = f"part {fill(shade.level, shade.allowed, by)}"
        shapes.append(rect(f"{key} at {left}", left, y + drop, right - left, BAR - drop, classes))
    for at, part in enumerate(scale.parts):
        left, right = _ends(scale, part, x, full)
        drop = DROP if part.what == "table" else 0
        classes = "cell" if part.what in ("hole", "entries") else f"edged {fill(part.level, part.allowed, by)}"
        items.append(len(shapes))
        shapes.append(_item(f"{key} {at}", left, y + drop, right - left, classes, part, part.label, BAR - drop))
        if part.run and (part.va % part.run == 0 or at == 0):
            shapes += _bracket(f"{key} run {at}", scale, part, x, y + BAR + 1, full)
    return shapes, items


def _with_here(scale: Scale, va: int, shapes: list[Shape], items: list[int]) -> list[Shape]:
    """Mark the part that an address is in."""
    at = bisect_right(scale.parts, va, key=lambda part: part.va) - 1
    if at < 0:
        return shapes
    here = shapes[items[at]]
    marked = replace(here, attributes={**here.attributes, "data-here": "true"})
    return [*shapes[: items[at]], marked, *shapes[items[at] + 1 :]]


def _bracket(key: str, scale: Scale, part: Part, x: float, y: float, full: float) -> Iterator[Shape]:
    """Below a contiguous run, or as much of it as the bar shows; open at an end that it does not show."""
    start, end = part.va & -part.run, (part.va & -part.run) + part.run
    left = _place(scale, max(start, scale.va), x, full) + 1.5
    right = _place(scale, min(end, scale.va + scale.size), x, full) - 1.5
    ends = [(f"{key} begin", left)] * (start >= scale.va) + [(f"{key} end", right)] * (end <= scale.va + scale.size)
    for name, at in ends:
        yield solid(name, at, y, at, y + 3)
    yield solid(key, left, y + 3, right, y + 3)
