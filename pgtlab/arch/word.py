"""64-bit words and addresses: what all of them are masked with, and which half of the address space one is in."""

from __future__ import annotations

from typing import Final

MASK64: Final = (1 << 64) - 1
BIT_55: Final = 1 << 55


def is_upper(va: int) -> bool:
    """Whether bit 55 of an address chooses the upper range, that of TTBR1_EL1 (Arm ARM D8.1.8).

    The bits above it may be a tag.

    >>> is_upper(0xffff_8000_0000_0000), is_upper(0xff00_0000_0000_0000)
    (True, False)
    """
    return bool(va >> 55 & 1)
