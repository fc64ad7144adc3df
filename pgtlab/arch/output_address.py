"""Where a descriptor keeps its output address: plain, 64K with LPA, or LPA2 (Arm ARM D8.3.1).

48 bits of address fit between the attribute fields. The four more that 52-bit addresses need are put where a
descriptor has room: with the 64K granule in bits 15:12, which a 64K-aligned address leaves free; with TCR_EL1.DS = 1
and a smaller granule bits 49:48 stay in place and bits 51:50 take over bits 9:8, where SH was.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from pgtlab.arch.granule import Granule


class OutputAddressError(ValueError):
    """A physical address that a descriptor cannot hold."""


class OutputAddress(Enum):
    """The three packings of an output address into a descriptor.

    >>> hex(OutputAddress.LPA2.pack(0xF_0000_4000_0000))
    '0x3000040000300'
    >>> hex(OutputAddress.LPA.unpack(0x4001_F000, 16))
    '0xf000040010000'
    """

    PLAIN = "48 bits, in place"
    LPA = "64K granule: bits 51:48 in descriptor bits 15:12"
    LPA2 = "DS = 1: bits 51:50 in descriptor bits 9:8"

    @classmethod
    def of(cls, granule: Granule, *, ds: bool, pa_bits: int) -> OutputAddress:
        """The packing in force for a granule, TCR_EL1.DS and the physical address size.

        The 64K granule has no use for DS: with 52-bit addresses it packs them its own way, whatever DS says.

        >>> OutputAddress.of(Granule(16), ds=True, pa_bits=52).name
        'LPA'
        """
        if granule.shift == 16:
            return cls.LPA if pa_bits == 52 else cls.PLAIN
        return cls.LPA2 if ds else cls.PLAIN

    @property
    def bits(self) -> int:
        """Physical address bits that it has room for."""
        return 48 if self is OutputAddress.PLAIN else 52

    def pack(self, pa: int) -> int:
        """The descriptor bits that hold `pa`, the address of a table, a page or a block.

        Raises
        ------
        OutputAddressError
            Where `pa` has more bits than there is room for, or is not aligned to a page.
        """
        low_bit = 16 if self is OutputAddress.LPA else 12
        if not 0 <= pa < 1 << self.bits or pa & _bits(low_bit - 1, 0):
            nearest = min(max(pa, 0), (1 << self.bits) - 1) & ~_bits(low_bit - 1, 0)
            raise OutputAddressError(
                f"{pa:#x} is not an output address of {self.bits} bits, aligned to {1 << low_bit - 10}K: "
                f"the nearest below is {nearest:#x}"
            )
        return int(self.place(pa))

    def place(self, pa: Any) -> Any:
        """`pack` without its checks, for a number or for an array of uint64."""
        if self is OutputAddress.PLAIN:
            return pa
        if self is OutputAddress.LPA:
            return (pa & _bits(47, 16)) | (pa >> 48 & 0xF) << 12
        return (pa & _bits(49, 12)) | (pa >> 50 & 0x3) << 8

    def unpack(self, descriptor: Any, low_bit: int) -> Any:
        """The address in a table, block or page descriptor, whose lowest address bit is `low_bit`.

        `descriptor` is a number, or an array of uint64.
        """
        if self is OutputAddress.PLAIN:
            return descriptor & _bits(47, low_bit)
        if self is OutputAddress.LPA:
            return (descriptor & _bits(47, low_bit)) | (descriptor >> 12 & 0xF) << 48
        return (descriptor & _bits(49, low_bit)) | (descriptor >> 8 & 0x3) << 50


def _bits(hi: int, lo: int) -> int:
    return (1 << (hi + 1)) - (1 << lo)
