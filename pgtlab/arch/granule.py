"""Translation granules and the geometry that follows from them (Arm ARM D8.2).

A table fills one granule with 8-byte descriptors, so a level resolves `shift - 3` bits; level 3 ends at a page. All
else is that sentence, written as formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pgtlab.arch.registers import ID_AA64MMFR0_EL1, TG0, TG1

LAST_LEVEL = 3
LARGEST_INPUT = 52  # TCR_EL1.TxSZ is 12 or more


class InputSizeError(ValueError):
    """A size of virtual address that no walk resolves."""


class GranuleSupport(IntEnum):
    """The support that a CPU has for a granule."""

    NONE = 0
    SUPPORTED = 1
    LPA2 = 2  # with 52-bit addresses, through TCR_EL1.DS


@dataclass(frozen=True)
class Granule:
    """A translation granule of `1 << shift` bytes.

    >>> G16K.level_shift(1), G16K.bits_per_level
    (36, 11)
    """

    shift: int

    @property
    def size(self) -> int:
        """Bytes in a page and in a full table."""
        return 1 << self.shift

    @property
    def name(self) -> str:
        """`4K`, `16K` or `64K`."""
        return f"{self.size >> 10}K"

    @property
    def bits_per_level(self) -> int:
        """Address bits that a full table resolves: it has `size / 8` descriptors."""
        return self.shift - 3

    @property
    def smallest_input(self) -> int:
        """The fewest bits of virtual address: TxSZ is at most 48, or 47 with the 64K granule (FEAT_TTST)."""
        return 17 if self.shift == 16 else 16

    def level_shift(self, level: int) -> int:
        """Lowest address bit that `level` resolves.

        Below an entry of level n lie `3 - n` whole levels and a page: (3 - n) * (shift - 3) + shift.

        >>> [G4K.level_shift(level) for level in (-1, 0, 1, 2, 3)]
        [48, 39, 30, 21, 12]
        """
        return (LAST_LEVEL - level) * self.bits_per_level + self.shift

    def start_level(self, va_bits: int) -> int:
        """The first level walked for an input of `va_bits` bits: as few levels as can resolve them.

        >>> G4K.start_level(52), G4K.start_level(48), G16K.start_level(48), G16K.start_level(47), G64K.start_level(42)
        (-1, 0, 0, 1, 2)

        Raises
        ------
        InputSizeError
            Where TCR_EL1.TxSZ cannot say `va_bits`, which would be 64 - `va_bits`.
        """
        if not self.smallest_input <= va_bits <= LARGEST_INPUT:
            nearest = min(max(va_bits, self.smallest_input), LARGEST_INPUT)
            raise InputSizeError(
                f"{va_bits} bits of address: with the {self} granule a walk resolves {self.smallest_input} to "
                f"{LARGEST_INPUT}; did you mean {nearest}?"
            )
        levels = -(-(va_bits - self.shift) // self.bits_per_level)
        return LAST_LEVEL + 1 - levels

    @property
    def tg0(self) -> TG0:
        """Encoding in TCR_EL1.TG0."""
        return TG0[f"G{self.name}"]

    @property
    def tg1(self) -> TG1:
        """Encoding in TCR_EL1.TG1."""
        return TG1[f"G{self.name}"]

    def support(self, mmfr0: ID_AA64MMFR0_EL1) -> GranuleSupport:
        """The support for this granule in ID_AA64MMFR0_EL1.TGRAN4, TGRAN16 or TGRAN64.

        TGRAN4 and TGRAN64 are signed, with 0 for "supported" and negative for "not"; TGRAN16 is unsigned, with 0 for
        "not supported" (Arm ARM D24.2, and Linux's `arch/arm64/include/asm/sysreg.h`).

        >>> G16K.support(ID_AA64MMFR0_EL1(0x1124)).name
        'NONE'
        """
        field = {12: mmfr0.TGRAN4, 14: mmfr0.TGRAN16, 16: mmfr0.TGRAN64}[self.shift]
        if self.shift == 14:
            return GranuleSupport(min(field, GranuleSupport.LPA2))
        if field >= 8:
            return GranuleSupport.NONE
        return GranuleSupport.LPA2 if field >= 1 and self.shift == 12 else GranuleSupport.SUPPORTED

    def __str__(self) -> str:
        return self.name


G4K = Granule(12)
G16K = Granule(14)
G64K = Granule(16)
GRANULES = (G4K, G16K, G64K)
