"""Sizes in bytes as words."""

from __future__ import annotations

from typing import Final

_UNITS: Final = "BKMGTPE"


def short_size(size: int) -> str:
    """A size in the largest unit that divides it.

    >>> short_size(1 << 21), short_size(3 << 12), short_size(1 << 52)
    ('2M', '12K', '4P')
    """
    unit = min(((size & -size).bit_length() - 1) // 10, 6)
    return f"{size >> 10 * unit}{_UNITS[unit]}"


def size_name(size: int) -> str:
    """A size in its largest unit, with four digits of what is not whole.

    >>> size_name(1 << 52), size_name(1 << 14), size_name(3 << 29), size_name(100)
    ('4 PiB', '16 KiB', '1.5 GiB', '100 bytes')
    """
    unit = min(max(size.bit_length() - 1, 0) // 10, 6)
    return f"{size / (1 << 10 * unit):.4g} {_UNITS[unit]}iB" if unit else f"{size} bytes"
