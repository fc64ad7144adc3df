"""The picture of a decomposed address: 64 bits over two aligned lanes, the MMU's levels and Linux's.

Columns are bits, 63 on the left, so that what belongs to the same bits is in the same columns. A level that folds at
compile time is a narrow stripe where its bits would be; a level that folds at run time keeps its bits, behind a dashed
border. A line below says what is unusual about a level. The columns are as wide as the room allows.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from pgtlab.linux.boot import Fold
from pgtlab.linux.decompose import Decomposition, LinuxLevel
from pgtlab.picture import Picture, Shape, letters, rect, text

EDGE, MARGIN = 4, 48  # the margin has the names of the lanes
BIT, NARROW_BIT = 15, 9  # the width of a column: as a rule, and where there is little room
HEX_Y, BITS_Y, MMU_Y, LINUX_Y, NOTES_Y = 60, 82, 122, 184, 250
BITS_H, LANE_H, NOTE_H = 24, 42, 17
NOTES, NARROW_NOTES = 3, 4  # the most lines of notes
NARROW = 45  # a block with no room for its label
LABEL = 56  # the width of the label of a narrow block, which stands on its left
SLIVER = 6  # the width of a level without bits
CHARACTER, DIGIT = 6.5, 8  # the widths of a small letter and of a strong digit, in the widest fallback fonts
NUMBERS = ("no", "one", "two", "three", "four", "five")


@dataclass(frozen=True)
class Columns:
    """The columns of the picture, one for each bit, each `width` wide."""

    width: int = BIT

    @classmethod
    def within(cls, room: float) -> Columns:
        """The widest columns that fit, up to the usual ones.

        >>> Columns.within(640), Columns.within(5000)
        (Columns(width=9), Columns(width=15))
        """
        return cls(max(NARROW_BIT, min(BIT, int(room - MARGIN - EDGE) // 64)))

    def left(self, bit: int) -> int:
        """The left edge of a bit's column."""
        return MARGIN + (63 - bit) * self.width

    @property
    def end(self) -> int:
        """The right end of the picture."""
        return MARGIN + 64 * self.width + EDGE


def address_picture(d: Decomposition, columns: Columns | None = None) -> Picture:
    """Draw a decomposition.

    Parameters
    ----------
    d : Decomposition
        The address.
    columns : Columns, optional
        How wide the picture is.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.linux.decompose import decompose
    >>> address_picture(decompose(0, boot(Config("4k", 39), CPU.named("max")))).title
    'Three levels of tables: the p4d and the pud do not exist'
    """
    columns = columns or Columns()
    boot, title, wide = d.boot, answer(d), columns.width == BIT
    facts = (
        f"{boot.config.granule} pages, VA_BITS={boot.config.va_bits} on {boot.cpu.title}. "
        f"{boot.vabits_actual} bits in use, the walk starts at level {boot.start_level}"
    )
    shapes = (
        text("title", EDGE, 16, title, "start strong"),
        text("facts", EDGE, 34, f"{d.va:#018x}: {facts}" if wide else facts, "start small"),
        *_bits(d, columns),
        *_mmu(d, columns),
        *_linux(d, columns),
        *_notes(d, columns),
    )
    height = NOTES_Y + (NOTES if wide else NARROW_NOTES) * NOTE_H
    return Picture(columns.end, height, title, str(d), shapes)


def answer(d: Decomposition) -> str:
    """How many levels the MMU walks, and what becomes of Linux's.

    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.linux.decompose import decompose
    >>> answer(decompose(0, boot(Config("16k", 52), CPU.named("max,lpa2=off"))))
    'Three levels of tables: the p4d does not exist, and the pud is folded at run time'
    """
    walked = f"{NUMBERS[len(d.hardware)].capitalize()} levels of tables"
    if d.ttbr is None:
        return f"A fault: this address is in neither range. {walked} for those that are"
    levels = {fold: [f"the {level.name}" for level in d.linux if level.fold is fold] for fold in Fold}
    absent, late = levels[Fold.COMPILE_TIME], levels[Fold.RUN_TIME]
    parts = [f"{_and(absent)} {'does' if len(absent) == 1 else 'do'} not exist"] * bool(absent)
    parts += [f"{_and(late)} {'is' if len(late) == 1 else 'are'} folded at run time"] * bool(late)
    return f"{walked}: " + (", and ".join(parts) or "all five of Linux's levels exist")


def _and(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1] if names else ""


def field_mark(hi: int, lo: int, columns: Columns) -> Shape:
    """A frame around bits, through all lanes."""
    y = BITS_Y - 3
    return rect("mark", columns.left(hi), y, (hi - lo + 1) * columns.width, LINUX_Y + LANE_H + 3 - y, "mark")


def flip_mark(bit: int, before: int, columns: Columns) -> tuple[Shape, Shape]:
    """A frame around a bit, and below it what it was before."""
    x = columns.left(bit)
    middle = min(x + columns.width / 2, columns.end - 20)
    words = text("flipped-before", middle, BITS_Y + BITS_H + 13, f"was {before}", "middle small")
    return rect("flipped", x, BITS_Y, columns.width, BITS_H, "mark"), words


def _bits(d: Decomposition, columns: Columns) -> Iterator[Shape]:
    width = columns.width
    yield text("lane-bits", MARGIN - 8, BITS_Y + 17, "bits", "end")
    nibbles = [columns.left(bit) + 2 * width for bit in range(63, 0, -4)]
    yield letters("hex", nibbles, HEX_Y, f"{d.va:016x}", "middle mono strong")
    for what, hi, lo, _ in d.fields:
        name, fill = f"{what} index" if what.startswith("level") else what, _class(what, d)
        for bit in range(hi, lo - 1, -1):
            data = {"bit": str(bit), "value": str(d.va >> bit & 1)}
            yield rect(
                f"bit-{bit}", columns.left(bit), BITS_Y, width, BITS_H, f"bit {fill}", f"bit {bit}, {name}", **data
            )
        middles = [columns.left(bit) + width / 2 for bit in range(hi, lo - 1, -1)]
        digits = f"{d.va >> lo & (1 << len(middles)) - 1:0{len(middles)}b}"
        small = "" if width == BIT else " small"
        yield letters(f"digits-{what}", middles, BITS_Y + 16, digits, f"middle mono{small}{_ink(fill)}")
        # One label in the middle: numbers at both ends would touch those of the next fields.
        bits = f"{hi}:{lo}" if hi > lo else str(hi)
        middle = columns.left(hi) + len(middles) * width / 2
        yield text(f"range-{what}", middle, BITS_Y - 6, bits, "middle small", quiet=True)


def _mmu(d: Decomposition, columns: Columns) -> Iterator[Shape]:
    yield text("lane-mmu", MARGIN - 8, MMU_Y + 25, "MMU", "end")
    labels = {
        "tag": ("tag, ignored" if columns.width == BIT else "tag", f"{d.tag:#04x}"),
        "zeros": ("TTBR0", "all 0") if d.ttbr else ("fault", "not all 0"),
        "ones": ("TTBR1", "all 1") if d.ttbr else ("fault", "not all 1"),
        "offset": ("offset", f"{d.offset:#x}"),
    }
    left = ""
    for (what, hi, lo, value), right in zip(d.fields, (*d.fields[1:], None), strict=True):
        # If the block on the right is too narrow for its label, the label stands in this one.
        taken = LABEL if right and (right[1] - right[2] + 1) * columns.width < NARROW else 0
        classes, label = _class(what, d), labels.get(what, (what, _index(value, hi - lo + 1, columns)))
        hint = f"{what}: index {value:#x} ({value}), bits {hi}:{lo}" if what not in labels else ""
        yield from _block(f"mmu-{what}", columns, hi, lo, MMU_Y, classes, label, hint, left, taken)
        left = classes


def _linux(d: Decomposition, columns: Columns) -> Iterator[Shape]:
    yield text("lane-linux", MARGIN - 8, LINUX_Y + 25, "Linux", "end")
    for level in d.linux:
        if level.hi is None or level.lo is None:
            continue
        classes = "outline" if level.level is None else f"level-{level.level}"
        name = level.name
        if level.fold is Fold.RUN_TIME:
            classes, name = f"{classes} run-time", f"{name}, folded"
        label = name, _index(level.index, level.hi - level.lo + 1, columns)
        hint = f"{level.name}: index {level.index:#x} ({level.index}), bits {level.hi}:{level.lo}"
        yield from _block(f"linux-{level.name}", columns, level.hi, level.lo, LINUX_Y, classes, label, hint)
    shift = d.boot.config.granule.shift
    yield from _block("linux-offset", columns, shift - 1, 0, LINUX_Y, "offset", ("offset", f"{d.offset:#x}"))
    # The collapsed levels, as narrow stripes between blocks, with their names above: in them would be no room.
    collapsed = [level for level in d.linux if level.hi is None]
    for pleat, level in enumerate(collapsed):
        x = _seam(d, level, columns) + (pleat - len(collapsed) / 2) * SLIVER
        yield rect(f"linux-{level.name}", x + 0.5, LINUX_Y - 3, SLIVER - 1, LANE_H + 6, "folded")
    if collapsed:
        names = " ".join(level.name for level in collapsed)
        yield text("linux-collapsed", _seam(d, collapsed[0], columns), LINUX_Y - 7, names, "middle small")


def _notes(d: Decomposition, columns: Columns) -> Iterator[Shape]:
    """A line on each unusual level, which begins with its name."""
    noted = [_note(level) for level in d.linux if level.note]
    lines = noted or ["no level is folded: each of the five has tables of its own"]
    fit = int((columns.end - EDGE) / CHARACTER)
    row = 0
    for note in lines:
        for part in textwrap.wrap(note, fit, subsequent_indent="      "):
            yield text(f"note-{row}", EDGE, NOTES_Y + row * NOTE_H, part, "start small")
            row += 1


def _note(level: LinuxLevel) -> str:
    subject = level.name if level.fold is Fold.REAL else f"{level.name} {level.fold.value}"
    return f"{subject}: {level.note}"


def _seam(d: Decomposition, level: LinuxLevel, columns: Columns) -> int:
    """Where a collapsed level is: at the end of the last level with a block."""
    above = d.linux[: d.linux.index(level)]
    return columns.left(next(one.lo for one in reversed(above) if one.lo is not None)) + columns.width


def _index(value: int, bits: int, columns: Columns) -> str:
    """An index in hexadecimal, as everywhere; and in decimal where there is room for both."""
    both = f"{value:#x} ({value})"
    return both if value > 9 and DIGIT * len(both) < bits * columns.width else f"{value:#x}"


def _block(
    key: str,
    columns: Columns,
    hi: int,
    lo: int,
    y: float,
    classes: str,
    label: tuple[str, str],
    hint: str = "",
    left: str = "",
    taken: float = 0,
) -> Iterator[Shape]:
    """A block over its bits, with a label of two lines in the free part of it, or in the block on its left."""
    width, start = (hi - lo + 1) * columns.width, columns.left(hi)
    yield rect(key, start, y, width, LANE_H, classes, hint)
    narrow = width < NARROW
    x = start - 6 if narrow else start + (width - taken) / 2
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
