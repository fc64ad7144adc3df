"""A virtual address as the MMU cuts it: the bits above, one index for each level, and the offset in the page."""

from __future__ import annotations

from dataclasses import dataclass

from pgtlab.arch.granule import GRANULES, LAST_LEVEL, Granule
from pgtlab.arch.word import MASK64
from pgtlab.picture import Picture, Shape, rect, text

BIT, MARGIN, STRIP_Y, STRIP_H = 15, 8, 46, 30
CHARACTER = 7


@dataclass(frozen=True)
class AddressPart:
    """Bits `hi` to `lo` of an address. `level` is None for the bits above those in use, and for the offset."""

    name: str
    hi: int
    lo: int
    value: int
    level: int | None

    def __str__(self) -> str:
        return f"bits {self.hi:>2}:{self.lo:<2}  {self.name:<8} = {self.value:#x} ({self.value})"


@dataclass(frozen=True)
class AddressCut:
    """An address cut for a granule and a number of bits in use; made by `cut`."""

    va: int
    granule: Granule
    bits: int

    @property
    def start_level(self) -> int:
        """The level at which a walk begins."""
        return self.granule.start_level(self.bits)

    @property
    def parts(self) -> tuple[AddressPart, ...]:
        """The parts of the address, from bit 63 down."""
        edges: list[tuple[str, int | None, int]] = [("above", None, self.bits)]
        edges += [
            (f"level {level}", level, self.granule.level_shift(level))
            for level in range(self.start_level, LAST_LEVEL + 1)
        ]
        parts, hi = [], 63
        for name, level, lo in [*edges, ("offset", None, 0)]:
            parts.append(AddressPart(name, hi, lo, self.va >> lo & (1 << hi - lo + 1) - 1, level))
            hi = lo - 1
        return tuple(parts)

    def part(self, level: int) -> AddressPart:
        """The part of the address that is the index of a level.

        >>> str(cut(0x7f00_1234_5678).part(2))
        'bits 29:21  level 2  = 0x91 (145)'
        """
        return next(part for part in self.parts if part.level == level)

    @property
    def indices(self) -> dict[int, int]:
        """The index at each level, start level first."""
        return {part.level: part.value for part in self.parts if part.level is not None}

    @property
    def offset(self) -> int:
        """The offset in the page, in bytes."""
        return self.parts[-1].value

    def __str__(self) -> str:
        title = f"{self.va:#018x} with {self.granule} pages and {self.bits} bits in use"
        return "\n".join([title, *(f"  {part}" for part in self.parts)])

    def picture(self) -> Picture:
        """The 64 bits as one strip, cut where the MMU cuts them."""
        title = f"{self.va:#018x}: {self.granule} pages, {self.bits} bits in use"
        shapes: list[Shape] = [text("title", MARGIN, 16, title, "start strong")]
        for part in self.parts:
            width, x = (part.hi - part.lo + 1) * BIT, MARGIN + (63 - part.hi) * BIT
            classes = {"above": "unused", "offset": "offset"}.get(part.name, f"level-{part.level}")
            ink = "" if part.name == "above" else " on-fill"
            shapes.append(rect(part.name, x, STRIP_Y, width, STRIP_H, classes, str(part)))
            middle = x + width / 2
            shapes.append(text(f"{part.name} bits", middle, STRIP_Y - 7, f"{part.hi}:{part.lo}", "middle"))
            value = f"{part.value:#x}"
            label = f"{part.name}: {value}"
            if CHARACTER * len(label) < width:
                shapes.append(text(f"{part.name} label", middle, STRIP_Y + 19, label, f"middle{ink}"))
            else:
                fits = CHARACTER * len(value) < width
                below = part.name if fits else label
                shapes.append(text(f"{part.name} name", middle, STRIP_Y + STRIP_H + 16, below, "middle"))
                if fits:
                    shapes.append(text(f"{part.name} label", middle, STRIP_Y + 19, value, f"middle{ink}"))
        return Picture(2 * MARGIN + 64 * BIT, STRIP_Y + STRIP_H + 24, title, str(self), tuple(shapes))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.picture().mimebundle(str(self))


def cut(va: int, granule: str = "4k", bits: int = 48) -> AddressCut:
    """Cut an address as the MMU does.

    Parameters
    ----------
    va : int
        The address, 64 bits.
    granule : str
        The page size: `4k`, `16k` or `64k`.
    bits : int
        The number of low bits in use; those above are not part of any index.

    Raises
    ------
    ValueError
        If one of them is out of range; the message says what is legal.

    Examples
    --------
    >>> print(cut(0x7f00_1234_5678))
    0x00007f0012345678 with 4K pages and 48 bits in use
      bits 63:48  above    = 0x0 (0)
      bits 47:39  level 0  = 0xfe (254)
      bits 38:30  level 1  = 0x0 (0)
      bits 29:21  level 2  = 0x91 (145)
      bits 20:12  level 3  = 0x145 (325)
      bits 11:0   offset   = 0x678 (1656)

    Notes
    -----
    Source: Arm ARM D8.2.
    """
    if not 0 <= va <= MASK64:
        raise ValueError(f"{va:#x} is not an address: an address has 64 bits, 0 to {MASK64:#x}")
    of = granule_of(granule)
    of.start_level(bits)  # raises where no walk resolves them
    return AddressCut(va, of, bits)


def granule_of(name: str) -> Granule:
    """The granule called `4k`, `16k` or `64k`.

    >>> granule_of("16k").size
    16384
    """
    for granule in GRANULES:
        if granule.name == name.upper():
            return granule
    raise ValueError(f"{name!r} is not a page size of arm64: there are 4k, 16k and 64k")
