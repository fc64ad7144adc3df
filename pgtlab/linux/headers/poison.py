"""Values that the kernel writes where nothing should be read (`include/linux/poison.h`, v6.9)."""

from __future__ import annotations

from typing import Final

POISON_POINTER_DELTA: Final = 0xDEAD_0000_0000_0000  # CONFIG_ILLEGAL_POINTER_VALUE of arm64

LIST_POISON1: Final = POISON_POINTER_DELTA + 0x100
LIST_POISON2: Final = POISON_POINTER_DELTA + 0x122
TIMER_ENTRY_STATIC: Final = POISON_POINTER_DELTA + 0x300
TAIL_MAPPING: Final = POISON_POINTER_DELTA + 0x400

# Bytes, of which whole objects and pages are filled.
POISON_INUSE: Final = 0x5A
POISON_FREE: Final = 0x6B
PAGE_POISON: Final = 0xAA
POISON_FREE_INITMEM: Final = 0xCC


def word_of(byte: int) -> int:
    """A word that is filled with one byte.

    >>> hex(word_of(PAGE_POISON))
    '0xaaaaaaaaaaaaaaaa'
    """
    return byte * 0x0101_0101_0101_0101
