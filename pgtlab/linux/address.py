"""Addresses as text: hexadecimal, decimal, with underscores, or by the kernel's name for them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache
from operator import index
from types import MappingProxyType

from pgtlab.arch.word import MASK64
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.constants import Constants

_NUMBER = re.compile(r"0[xX][0-9a-fA-F_]+|[0-9][0-9_]*")
_LOGGED = re.compile(r"(?=.*[a-f])[0-9a-f]{16}")  # ffff800080001234, as in the kernel's log
LONGEST = 200  # characters of an address as text
_SUM = re.compile(r"(?P<base>[^+-]+?)\s*(?:(?P<sign>[+-])\s*(?P<offset>[^+-]+?))?")
_IMAGE = 1 << 31  # more than the kernel's image, since modules are within 2 GiB of it

# The constants that are addresses; PAGE_SIZE, for example, is not.
_PLACES = re.compile(r"_?(PAGE_(OFFSET|END)|\w+_(START|END|TOP|VADDR))(\(\w+\))?")


class AddressError(ValueError):
    """A virtual address does not fit in 64 bits, or a name is not that of an address."""


def as_address(address: int | str, boot: Boot | NoBoot | None = None) -> int:
    """An address given as a number or as `parse_address` reads it; without a kernel there are no names.

    Raises
    ------
    AddressError
        If it does not fit in 64 bits, or the kernel has no address of that name.

    Examples
    --------
    >>> from pgtlab import Config, boot
    >>> hex(as_address("VMEMMAP_START", boot(Config())))
    '0xfffffdffc0000000'
    """
    if isinstance(address, str):
        return parse_address(address, boot)
    va = index(address)
    if not 0 <= va <= MASK64:
        raise AddressError(f"{va:#x} is not a 64-bit address: the largest is {MASK64:#x}")
    return va


@lru_cache(maxsize=32)
def address_names(boot: Boot | NoBoot) -> Mapping[str, int]:
    """The addresses that have a name in a kernel, lowest first. Some exist only if it boots.

    >>> from pgtlab import CPU, Config, boot
    >>> list(address_names(boot(Config("4k", 48), CPU.named("max"))))[:3]
    ['PAGE_OFFSET', '_PAGE_OFFSET(VA_BITS_MIN)', 'PAGE_END']
    """
    places = {name: value for name, value in constants_of(boot).items() if value >> 63 and _PLACES.fullmatch(name)}
    return MappingProxyType(dict(sorted(places.items(), key=lambda item: item[1])))


def address_name(va: int, boot: Boot | NoBoot) -> str:
    """An address relative to the nearest name at or below it, a start rather than an end; empty if there is none.

    >>> from pgtlab import CPU, Config, boot
    >>> address_name(0xffff_8000_0000_1000, boot(Config("4k", 48), CPU.named("max")))
    'MODULES_VADDR + 0x1000'
    """
    below = [(name, place) for name, place in address_names(boot).items() if place <= va]
    if not below:
        return ""
    if va - boot.config.constants.KIMAGE_VADDR >= _IMAGE:
        below = [(name, place) for name, place in below if name != "KIMAGE_VADDR"]
    name, place = max(below, key=lambda named: (named[1], not named[0].startswith("_"), not named[0].endswith("_END")))
    return f"{name} + {va - place:#x}" if va > place else name


def is_number(text: str) -> bool:
    """Whether `text` is an address in any kernel: a number, or 16 digits as the kernel's log prints them."""
    return bool(_NUMBER.fullmatch(text) or _LOGGED.fullmatch(text))


def parse_address(text: str, boot: Boot | NoBoot | None) -> int:
    """Read an address.

    Parameters
    ----------
    text : str
        Hex (`0x...`, or the 16 digits that the kernel's log prints), decimal, underscores anywhere between digits, or a
        name such as `PAGE_OFFSET`; `+ 0x10` or `- PMD_SIZE` may follow.
    boot : Boot or NoBoot
        The kernel whose names may be used; None for numbers only.

    Raises
    ------
    AddressError
        If it is none of these, or not a 64-bit address.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> hex(parse_address("PAGE_END + 0x1_000", boot(Config("4k", 48), CPU.named("max"))))
    '0xffff800000001000'
    """
    if len(text) > LONGEST:
        raise AddressError(
            f"{text[:16]!r}... with {len(text):,} characters is not a 64-bit address; the last is {MASK64:#x}"
        )
    match = _SUM.fullmatch(text.strip())
    if match is None:
        raise AddressError(f"{text!r} is not an address: write hex, decimal, or a name such as PAGE_OFFSET")
    va = _term(match["base"], address_names(boot) if boot else {})
    if match["offset"]:
        offset = _term(match["offset"], constants_of(boot) if boot else {})
        va += offset if match["sign"] == "+" else -offset
    if not 0 <= va <= MASK64:
        nearest = 0 if va < 0 else MASK64
        raise AddressError(f"{text!r} is not a 64-bit address; did you mean {nearest:#x}?")
    return va


def constants_of(boot: Boot | NoBoot) -> Constants:
    """The constants of a kernel; without those of run time if it does not boot."""
    return boot.constants if isinstance(boot, Boot) else boot.config.constants


def _term(word: str, names: Mapping[str, int]) -> int:
    if _NUMBER.fullmatch(word):
        digits = word.replace("_", "")
        if digits.lower() != "0x":
            return int(digits, 16) if digits[:2].lower() == "0x" else int(digits)
    if _LOGGED.fullmatch(word):
        return int(word, 16)
    if word in names:
        return names[word]
    near = difflib.get_close_matches(word.upper(), names, n=1)
    hint = f"did you mean {near[0]}?" if near else "write hex (0x...), decimal, or a name such as PAGE_OFFSET"
    raise AddressError(f"{word!r} is not an address or the name of one: {hint}")
