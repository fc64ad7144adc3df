"""The picture of a 64-bit word with named bits: the bits above, a line for each field below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Protocol

from pgtlab.picture import Picture, Shape, rect, solid, text


class BitRange(Protocol):
    """Bits `hi` to `lo` of a word."""

    @property
    def hi(self) -> int: ...
    @property
    def lo(self) -> int: ...


class NamedRange(BitRange, Protocol):
    """A `Field`: bits with a name, which can be taken out of a word."""

    name: str

    @property
    def bits(self) -> str: ...
    def extract(self, word: int) -> int: ...


class Word(Protocol):
    """`BitFields`: a value and the fields of its class."""

    value: int

    @property
    def fields(self) -> Sequence[NamedRange]: ...


BIT = 15
MARGIN = 8
COLUMNS = 4
COLUMN_WIDTH = 64 * BIT / COLUMNS
BITS_Y, LEGEND_Y, LINE = 42, 112, 19
LETTER = 8  # the width of a letter of a name below the bits, in any font
FILLS = ("field", "field odd")  # greys, of which neighbours differ: a colour is always a level


def word_picture(word: Word) -> Picture:
    """Draw a register or a descriptor.

    >>> from pgtlab.arch.registers import ESR_EL1
    >>> word_picture(ESR_EL1(0x96000004)).title
    'ESR_EL1 = 0x0000000096000004'
    """
    fields = list(reversed(word.fields))
    rows = -(-len(fields) // COLUMNS)
    title = f"{type(word).__name__} = {word.value:#018x}"
    shapes = [text("title", MARGIN, 18, title, "start strong"), *bit_row(word.value, fields)]
    for i, field in enumerate(fields):
        shapes += _legend(field, word, i, rows)
    return Picture(2 * MARGIN + 64 * BIT, LEGEND_Y + rows * LINE, title, repr(word), tuple(shapes))


def bit_mark(hi: int, lo: int) -> Shape:
    """A frame around bits of the row."""
    return rect("mark", MARGIN + (63 - hi) * BIT, BITS_Y - 2, (hi - lo + 1) * BIT, 28, "mark")


def bit_row(value: int, ranges: Sequence[BitRange], size: int = 64) -> Iterator[Shape]:
    """The bits of a word of `size` bits in their places, those of a range in the same grey."""
    for bit in range(size - 1, -1, -1):
        x = MARGIN + (size - 1 - bit) * BIT
        of = next((i for i, range in enumerate(ranges) if range.lo <= bit <= range.hi), None)
        fill = "byte" if of is None else FILLS[of % 2]
        yield rect(f"bit-{bit}", x, BITS_Y, BIT, 24, fill)
        yield text(f"digit-{bit}", x + BIT / 2, BITS_Y + 16, str(value >> bit & 1), "middle mono")
        if bit % 8 == 0 or bit == size - 1:
            yield text(f"number-{bit}", x + BIT / 2, BITS_Y - 6, str(bit), "middle small")
    for bits in ranges:
        yield from _bracket(bits, size)


def _bracket(bits: BitRange, size: int) -> Iterator[Shape]:
    """A line below the bits of a range, and its name where there is room for it."""
    name = getattr(bits, "name", "")
    left, right, y = MARGIN + (size - 1 - bits.hi) * BIT + 2, MARGIN + (size - bits.lo) * BIT - 2, BITS_Y + 28
    key = f"bracket-{bits.hi}-{bits.lo}"
    yield solid(key, left, y, right, y)
    yield solid(f"{key} begin", left, y - 3, left, y)
    yield solid(f"{key} end", right, y - 3, right, y)
    if LETTER * len(name) < right - left + 4:
        yield text(f"{key} name", (left + right) / 2, y + 15, name, "middle small", quiet=True)


def _legend(field: NamedRange, word: Word, i: int, rows: int) -> list[Shape]:
    x, y = MARGIN + i // rows * COLUMN_WIDTH, LEGEND_Y + i % rows * LINE
    value = field.extract(word.value)
    shown = f"{value:#x} {value.name}" if isinstance(value, IntEnum) else f"{value:#x}"
    return [text(f"legend-{field.name}", x, y, f"{field.bits:>5}  {field.name} = {shown}", "start mono small")]
