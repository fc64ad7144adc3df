"""The picture of a decomposed address: 64 bits over two aligned lanes, the MMU's levels and Linux's.

Columns are bits, 63 on the left, so that what belongs to the same bits is in the same columns. A level that folds at
compile time is a narrow stripe where its bits would be; a level that folds at run time keeps its bits, behind a dashed
border. A note below a level says what is unusual about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pgtlab.linux.boot import Fold
from pgtlab.linux.decompose import Decomposition, LinuxLevel
from pgtlab.picture import Picture, Shape, letters, line, rect, text

MARGIN = 58  # for the names of the lanes
BIT = 15
WIDTH = MARGIN + 64 * BIT + 4
HEX_Y, BITS_Y, MMU_Y, LINUX_Y, NOTES_Y = 40, 62, 98, 150, 208
BITS_H, LANE_H, NOTE_H = 24, 42, 16
NARROW = 3 * BIT  # a block with no room for its label
LABEL = 56  # the width of the label of a narrow block, which stands on its left
SLIVER = 15
CHARACTER = 6.5  # the average width of a character of a note, in the widest fallback font of browsers
HEIGHT = NOTES_Y + 3 * (NOTE_H + 14)


def address_picture(d: Decomposition) -> Picture:
    """Draw a decomposition.

    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.linux.decompose import decompose
    >>> address_picture(decompose(0, boot(Config("4k", 39), CPU.named("max")))).title
    '0x0000000000000000: 4K pages, VA_BITS=39 on max. 39 bits in use, the walk starts at level 1'
    """
    boot = d.boot
    title = (
        f"{d.va:#018x}: {boot.config.granule} pages, VA_BITS={boot.config.va_bits} on {boot.cpu.name}. "
        f"{boot.vabits_actual} bits in use, the walk starts at level {boot.start_level}"
    )
    shapes = (
        text("title", 4, 16, title, "start strong"),
        *_bits(d),
        *_mmu(d),
        *_linux(d),
        *_notes(d),
    )
    return Picture(WIDTH, HEIGHT, title, str(d), shapes)


def field_mark(hi: int, lo: int) -> Shape:
    """A frame around bits, through all lanes."""
    return rect("mark", _x(hi), BITS_Y - 3, (hi - lo + 1) * BIT, LINUX_Y + LANE_H - BITS_Y + 6, "mark")


def _x(bit: int) -> int:
    """Left edge of a bit's column."""
    return MARGIN + (63 - bit) * BIT


def _bits(d: Decomposition) -> Iterator[Shape]:
    yield text("lane-bits", MARGIN - 8, BITS_Y + 17, "bits", "end")
    nibbles = [_x(bit) + 2 * BIT for bit in range(63, 0, -4)]
    yield letters("hex", nibbles, HEX_Y, f"{d.va:016x}", "middle mono strong")
    for what, hi, lo, _ in d.fields:
        name, fill = f"{what} index" if what.startswith("level") else what, _class(what, d)
        for bit in range(hi, lo - 1, -1):
            data = {"bit": str(bit), "value": str(d.va >> bit & 1)}
            yield rect(f"bit-{bit}", _x(bit), BITS_Y, BIT, BITS_H, f"bit {fill}", f"bit {bit}, {name}", **data)
        columns = [_x(bit) + BIT / 2 for bit in range(hi, lo - 1, -1)]
        digits = f"{d.va >> lo & (1 << len(columns)) - 1:0{len(columns)}b}"
        yield letters(f"digits-{what}", columns, BITS_Y + 16, digits, f"middle mono{_ink(fill)}")
        # One label in the middle: numbers at both ends would touch those of the next fields.
        bits = f"{hi}:{lo}" if hi > lo else str(hi)
        yield text(f"range-{what}", _x(hi) + len(columns) * BIT / 2, BITS_Y - 6, bits, "middle small", quiet=True)


def _mmu(d: Decomposition) -> Iterator[Shape]:
    yield text("lane-mmu", MARGIN - 8, MMU_Y + 25, "MMU", "end")
    labels = {
        "tag": ("tag, ignored", f"{d.tag:#04x}"),
        "zeros": ("TTBR0", "all 0") if d.ttbr else ("fault", "not all 0"),
        "ones": ("TTBR1", "all 1") if d.ttbr else ("fault", "not all 1"),
        "offset": ("offset", f"{d.offset:#x}"),
    }
    left = ""
    for (what, hi, lo, value), right in zip(d.fields, (*d.fields[1:], None), strict=True):
        # If the block on the right is too narrow for its label, the label stands in this one.
        taken = LABEL if right and (right[1] - right[2] + 1) * BIT < NARROW else 0
        classes, label = _class(what, d), labels.get(what, (what, str(value)))
        yield from _block(f"mmu-{what}", hi, lo, MMU_Y, classes, label, left, taken)
        left = classes


def _linux(d: Decomposition) -> Iterator[Shape]:
    yield text("lane-linux", MARGIN - 8, LINUX_Y + 25, "Linux", "end")
    for level in d.linux:
        if level.hi is None or level.lo is None:
            continue
        classes = "outline" if level.level is None else f"level-{level.level}"
        name = level.name
        if level.fold is Fold.RUN_TIME:
            classes, name = f"{classes} run-time", f"{name}, folded"
        yield from _block(f"linux-{level.name}", level.hi, level.lo, LINUX_Y, classes, (name, str(level.index)))
    shift = d.boot.config.granule.shift
    yield from _block("linux-offset", shift - 1, 0, LINUX_Y, "offset", ("offset", f"{d.offset:#x}"))
    # The collapsed levels, as narrow stripes between blocks.
    collapsed = [level for level in d.linux if level.hi is None]
    for pleat, level in enumerate(collapsed):
        x = _seam(d, level) + (pleat - len(collapsed) / 2) * SLIVER
        yield rect(f"linux-{level.name}", x + 0.5, LINUX_Y - 4, SLIVER - 1, LANE_H + 8, "folded")
        x, y = x + SLIVER / 2 + 3.5, LINUX_Y + LANE_H / 2
        yield text(f"linux-{level.name}-name", x, y, level.name, "middle small", turn=-90)


def _notes(d: Decomposition) -> Iterator[Shape]:
    """Notes on unusual levels: a frame for each place in the lane, from the right, so that no leader crosses one."""
    noted = sorted((level for level in d.linux if level.note), key=lambda level: -_seam(d, level))
    if not noted:
        yield text(
            "note-none",
            MARGIN,
            NOTES_Y + 12,
            "no level is folded: each of the five has tables of its own",
            "start small",
        )
    y = NOTES_Y
    for x, levels in groupby(noted, key=lambda level: _seam(d, level)):
        lines = [(level.name, _note(level)) for level in levels]
        width, height = CHARACTER * max(len(note) for _, note in lines) + 12, len(lines) * NOTE_H + 6
        left = min(x - 8, WIDTH - width - 2)
        names = "-".join(name for name, _ in lines)
        yield line(f"leader-{names}", x, LINUX_Y + LANE_H + 5, x, y)
        yield rect(f"frame-{names}", left, y, width, height, "frame")
        for row, (name, note) in enumerate(lines):
            yield text(f"note-{name}", left + 6, y + 14 + row * NOTE_H, note, "start small")
        y += height + 8


def _note(level: LinuxLevel) -> str:
    subject = level.name if level.fold is Fold.REAL else f"{level.name} {level.fold.value}"
    return f"{subject}: {level.note}"


def _seam(d: Decomposition, level: LinuxLevel) -> int:
    """Where the note of a level points: into its block, or for a collapsed level below the last level with a block."""
    if level.hi is not None:
        return _x(level.hi) + 2 * BIT
    above = d.linux[: d.linux.index(level)]
    lo = next(one.lo for one in reversed(above) if one.lo is not None)
    return _x(lo) + BIT


def _block(
    key: str, hi: int, lo: int, y: float, classes: str, label: tuple[str, str], left: str = "", taken: float = 0
) -> Iterator[Shape]:
    """A block over its bits, with a label of two lines in the free part of it, or in the block on its left."""
    width = (hi - lo + 1) * BIT
    yield rect(key, _x(hi), y, width, LANE_H, classes)
    narrow = width < NARROW
    x = _x(hi) - 6 if narrow else _x(hi) + (width - taken) / 2
    align = f"end{_ink(left)}" if narrow else f"middle{_ink(classes)}"
    yield text(f"{key}-name", x, y + 17, label[0], align)
    yield text(f"{key}-value", x, y + 34, label[1], f"{align} mono strong")


def _class(what: str, d: Decomposition) -> str:
    if what in ("zeros", "ones"):
        return "unused" if d.ttbr else "wrong"
    if what == "tag":
        return "unused"
    return what.replace(" ", "-")


def _ink(classes: str) -> str:
    """Black on a colour, elsewhere the colour of the page's text."""
    return " on-fill" if classes.startswith(("level", "offset", "wrong")) else ""
