"""Addresses as people write them: hex, decimal, with underscores, or by the name that the kernel gives them."""

from __future__ import annotations

import difflib
import re

from pgtlab.linux.boot import Boot
from pgtlab.linux.decompose import AddressError

_NUMBER = re.compile(r"0[xX][0-9a-fA-F_]+|[0-9][0-9_]*")
_SUM = re.compile(r"(?P<base>[^+-]+?)\s*(?:(?P<sign>[+-])\s*(?P<offset>[^+-]+?))?")
_LARGEST = (1 << 64) - 1

# Constants that are places. PAGE_SIZE is a number too, but nobody would call it an address.
_PLACES = re.compile(r"_?(PAGE_(OFFSET|END)|\w+_(START|END|TOP|VADDR))(\(\w+\))?")


def address_names(boot: Boot) -> dict[str, int]:
    """The addresses that have a name in a booted kernel, lowest first.

    >>> from pgtlab import CPU, Config, boot
    >>> list(address_names(boot(Config("4k", 48), CPU.named("max"))))[:3]
    ['PAGE_OFFSET', '_PAGE_OFFSET(VA_BITS_MIN)', 'PAGE_END']
    """
    constants = {**boot.config.constants, **boot.constants}
    places = {name: value for name, value in constants.items() if _PLACES.fullmatch(name) and value >> 63}
    return dict(sorted(places.items(), key=lambda item: item[1]))


def parse_address(text: str, boot: Boot) -> int:
    """The address that `text` writes, in a booted kernel.

    Parameters
    ----------
    text : str
        Hex, decimal, underscores anywhere between digits, or a name such as `PAGE_OFFSET`; `+ 0x10` may follow.
    boot : Boot
        The kernel whose names count.

    Raises
    ------
    AddressError
        Where it is none of these, or not a 64-bit address.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> hex(parse_address("PAGE_END + 0x1_000", boot(Config("4k", 48), CPU.named("max"))))
    '0xffff800000001000'
    """
    match = _SUM.fullmatch(text.strip())
    if match is None:
        raise AddressError(f"{text!r} is not an address: write hex, decimal, or a name such as PAGE_OFFSET")
    va = _term(match["base"], boot)
    if match["offset"]:
        offset = _term(match["offset"], boot)
        va += offset if match["sign"] == "+" else -offset
    if not 0 <= va <= _LARGEST:
        nearest = 0 if va < 0 else _LARGEST
        raise AddressError(f"{text!r} is not a 64-bit address: the nearest that is one is {nearest:#x}")
    return va


def _term(word: str, boot: Boot) -> int:
    if _NUMBER.fullmatch(word):
        digits = word.replace("_", "")
        if digits.lower() != "0x":
            return int(digits, 16) if digits[:2].lower() == "0x" else int(digits)
    names = address_names(boot)
    if word in names:
        return names[word]
    near = difflib.get_close_matches(word.upper(), names, n=1)
    hint = f"did you mean {near[0]}?" if near else "write hex (0x...), decimal, or a name such as PAGE_OFFSET"
    raise AddressError(f"{word!r} is not an address or the name of one: {hint}")
