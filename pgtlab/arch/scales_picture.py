"""The picture of an address space at all scales: bars, each a part of the one above, as if seen through a lens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from pgtlab.arch.scales import Part, Scale, size_name
from pgtlab.picture import Shape, line, rect, text

LABEL, BAR, ROW = 104, 16, 32
MOST = 7  # scales: a range, tables of five levels, and a page
LEAST = 3.0  # a part that is narrower is drawn with its neighbours of the same kind
LETTER = 6.5  # the width of a character, in the fonts that browsers fall back on


def scales_picture(scales: Sequence[Scale], va: int, left: float, top: float, width: float) -> Iterator[Shape]:
    """Draw scales as bars below each other, with lines from the part that is magnified to the bar that shows it.

    Parameters
    ----------
    scales : sequence of Scale
        From `pgtlab.arch.scales.scales`.
    va : int
        The address that they are about.
    left, top, width : float
        Where there is room; `MOST * ROW` high at the most.

    Examples
    --------
    >>> part = Part(0, 1 << 39, "region", "user space")
    >>> shapes = list(scales_picture([Scale("range", 0, 1 << 39, (part,))], 0x1000, 0, 0, 600))
    >>> [shape.text for shape in shapes if shape.text]
    ['range', '512 GiB', 'user space']
    """
    x, full = left + LABEL, width - LABEL
    for number, (scale, magnified) in enumerate(zip_longest(scales, scales[1:])):
        key, y = f"scale {number}", top + number * ROW
        yield text(f"{key} name", x - 8, y + 7, scale.name, "end small")
        yield text(f"{key} size", x - 8, y + 19, size_name(scale.size), "end small faint")
        yield rect(key, x, y, full, BAR, "byte")
        for at, run in enumerate(_runs(scale, full)):
            yield from _run(f"{key} {at}", scale, run, x, y, full)
        here = _place(scale, va, x, full)
        yield line(f"{key} here", here, y - 3, here, y + BAR + 3)
        if magnified and magnified.size < scale.size:
            begin, end = (_place(scale, at, x, full) for at in (magnified.va, magnified.va + magnified.size))
            yield rect(f"{key} mark", begin, y, max(end - begin, 2), BAR, "mark")
            yield line(f"{key} left", begin, y + BAR, x, y + ROW)
            yield line(f"{key} right", end, y + BAR, x + full, y + ROW)


def _place(scale: Scale, va: int, x: float, full: float) -> float:
    return round(x + full * (va - scale.va) / scale.size, 2)


def _runs(scale: Scale, full: float) -> Iterator[list[Part]]:
    """What is to be drawn: parts that are too narrow to be seen apart, of one kind and beside each other, as one."""
    run: list[Part] = []
    for part in scale.parts:
        if part.what == "hole":
            continue
        if run:
            apart = (part.va - run[-1].va - run[-1].size) * full / scale.size
            narrow = max(part.size, run[-1].size) * full / scale.size < LEAST
            if narrow and apart < 1 and part.what == run[-1].what != "region":
                run.append(part)
                continue
            yield run
        run = [part]
    if run:
        yield run


def _run(key: str, scale: Scale, run: list[Part], x: float, y: float, full: float) -> Iterator[Shape]:
    """A rectangle that leads to its first address: low for tables, which lead further, high for what is mapped."""
    first, last = run[0], run[-1]
    left = _place(scale, first.va, x, full)
    wide = _place(scale, last.va + last.size, x, full) - left
    hint = first.label if len(run) == 1 else f"{first.label}, and {len(run) - 1} more up to {last.label}"
    if first.what == "region":
        yield rect(key, left, y, wide, BAR, "byte unused" if first.label else "byte", hint, va=f"{first.va:#x}")
        if wide > LETTER * len(first.label):
            yield text(f"{key} name", left + wide / 2, y + 12, first.label, "middle small", quiet=True)
        return
    drop = BAR / 2 if first.what == "table" else 0
    classes = f"level-{first.level}" if wide > LEAST else f"part level-{first.level}"
    yield rect(key, left, y + drop, max(wide, 1.5), BAR - drop, classes, hint, va=f"{first.va:#x}")
