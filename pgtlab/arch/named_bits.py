"""A word taken apart by name: each range of bits, its value, and what that value means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pgtlab.arch.bitfield import Field

#: What each value of a field means: by position, by value, or by a function of it.
Meaning = Sequence[str | None] | Mapping[int, str] | Callable[[int], str | None]

RES0 = "RES0"
NOT_ZERO = "reserved, yet not 0"


@dataclass(frozen=True)
class NamedBits:
    """Bits `hi` to `lo` of a word.

    Attributes
    ----------
    name : str
        The architecture's name, `RES0` for reserved bits.
    hi, lo : int
        The range, highest first.
    value : int
        What the bits hold, as an unsigned number.
    meaning : str or None
        What that value means; None where the name says all.
    parts : tuple of NamedBits
        The ranges that these bits are made of, highest first.
    """

    name: str
    hi: int
    lo: int
    value: int
    meaning: str | None = None
    parts: tuple[NamedBits, ...] = ()

    @property
    def bits(self) -> str:
        """The range as the Arm ARM writes it."""
        return f"{self.hi}:{self.lo}" if self.hi > self.lo else f"{self.lo}"

    @property
    def digits(self) -> str:
        """The value as text: one bit as it is, more in hexadecimal."""
        return f"{self.value}" if self.hi == self.lo else f"{self.value:#x}"

    def flat(self) -> Iterator[NamedBits]:
        """This range, then all that it is made of."""
        yield self
        for part in self.parts:
            yield from part.flat()

    def leaves(self) -> Iterator[NamedBits]:
        """The ranges that are not made of others."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The range as a line of text, and its parts set off below it."""
        yield f"{'  ' * depth}{self.bits:<7}{self.name:<16}{self.digits:<12}{self.meaning or ''}".rstrip()
        for part in self.parts:
            yield from part.lines(depth + 1)

    def as_dict(self) -> dict[str, object]:
        """The range as plain data, without its parts; a value that JSON readers may round is a hex string."""
        return {
            "name": self.name,
            "start": self.lo,
            "width": self.hi - self.lo + 1,
            "value": self.value if self.value <= 1 << 53 else f"{self.value:#x}",
            "description": self.meaning,
        }


def name_bits(
    word: int, fields: Iterable[Field], meanings: Mapping[str, Meaning], hi: int, at: int = 0, gap: str = RES0
) -> tuple[NamedBits, ...]:
    """Bits `hi` to 0 of `word` by `fields`, highest first; what no field covers is `gap`.

    >>> low = Field(3, 0)
    >>> low.name = "LOW"
    >>> [(bits.name, bits.bits, bits.meaning) for bits in name_bits(0x85, [low], {"LOW": {5: "five"}}, hi=7)]
    [('RES0', '7:4', 'reserved, yet not 0'), ('LOW', '3:0', 'five')]

    Parameters
    ----------
    word : int
        The bits to name.
    fields : iterable of Field
        Their ranges, none over another.
    meanings : mapping
        By a field's name, what its values mean.
    hi : int
        The highest bit to name.
    at : int
        Where bit 0 of `word` is in the word that it was taken from.
    gap : str
        The name of the bits between the fields.
    """
    named: list[NamedBits] = []
    above = hi + 1

    def leave_out(down_to: int) -> None:
        if above > down_to:
            value = word >> down_to & ((1 << above - down_to) - 1)
            note = NOT_ZERO if gap == RES0 and value else None
            named.append(NamedBits(gap, above - 1 + at, down_to + at, value, note))

    for field in sorted(fields, key=lambda field: -field.lo):
        leave_out(field.hi + 1)
        value = int(field.extract(word))
        meaning = _meaning(meanings.get(field.name), value)
        named.append(NamedBits(field.name, field.hi + at, field.lo + at, value, meaning))
        above = field.lo
    leave_out(0)
    return tuple(named)


def _meaning(meaning: Meaning | None, value: int) -> str | None:
    if meaning is None:
        return None
    if callable(meaning):
        return meaning(value)
    if isinstance(meaning, Mapping):
        return meaning.get(value)
    return (meaning[value] or None) if value < len(meaning) else None
