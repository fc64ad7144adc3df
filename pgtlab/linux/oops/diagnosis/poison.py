"""Values that should never be used as addresses, and what it means that one was: poison, errors, KASAN's shadow."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from pgtlab.arch.word import MASK64
from pgtlab.linux.headers.poison import (
    LIST_POISON1,
    LIST_POISON2,
    PAGE_POISON,
    POISON_FREE,
    POISON_FREE_INITMEM,
    POISON_INUSE,
    POISON_POINTER_DELTA,
    TAIL_MAPPING,
    TIMER_ENTRY_STATIC,
    word_of,
)
from pgtlab.linux.oops.reading.header import Version
from pgtlab.linux.oops.reading.registers import UNTAGGED

NEAR = 0x1000  # the largest offset of a field from such a value
MAX_ERRNO = 4095


@dataclass(frozen=True)
class Poison:
    """A value, its name in the kernel's source, and what its use means."""

    value: int
    name: str
    meaning: str


_OFF_ITS_LIST = "a list entry was used after it was removed from its list"
POISONS = (
    Poison(LIST_POISON1, "LIST_POISON1", _OFF_ITS_LIST),
    Poison(LIST_POISON2, "LIST_POISON2", _OFF_ITS_LIST),
    Poison(POISON_POINTER_DELTA + 0x200, "LIST_POISON2", _OFF_ITS_LIST),  # in older kernels
    Poison(TIMER_ENTRY_STATIC, "TIMER_ENTRY_STATIC", "a timer that is not queued was used as a queued one"),
    Poison(TAIL_MAPPING, "TAIL_MAPPING", "the mapping of a tail page was used"),
    Poison(word_of(POISON_FREE), "POISON_FREE", "an object was used after kfree()"),
    Poison(word_of(POISON_INUSE), "POISON_INUSE", "an object was used before it was initialized"),
    Poison(word_of(PAGE_POISON), "PAGE_POISON", "a page was used after it was freed"),
    Poison(word_of(POISON_FREE_INITMEM), "POISON_FREE_INITMEM", "memory of __init was used after the boot"),
)


def poison_of(value: int) -> tuple[Poison, int] | None:
    """The poison from which a value is at most the offset of a field away, and that offset; or `None`.

    >>> poison, offset = poison_of(0xdead000000000108)
    >>> poison.name, offset
    ('LIST_POISON1', 8)
    >>> poison_of(0x006b6b6b6b6b6b73)[0].name
    'POISON_FREE'
    """
    best: tuple[Poison, int] | None = None
    for poison in POISONS:
        for whole in (poison.value, poison.value & UNTAGGED):
            offset = value - whole
            if -0x100 < offset < NEAR and (best is None or abs(offset) < abs(best[1])) and whole >> 48:
                best = poison, offset
    return best


def error_pointer(value: int) -> str | None:
    """The name of the error that a pointer stands for (`ERR_PTR()`), or `None`.

    >>> error_pointer(0xfffffffffffffff4), error_pointer(0)
    ('-ENOMEM', None)
    """
    number = (1 << 64) - value
    if not 0 < number <= MAX_ERRNO:
        return None
    # The kernel has errors that the C library does not have, from 512 on.
    name = {512: "ERESTARTSYS", 517: "EPROBE_DEFER"}.get(number, errno.errorcode.get(number))
    return f"-{name}" if name else f"-{number}"


@dataclass(frozen=True)
class Shadow:
    """A shadow of KASAN: its offset, log2 of the bytes that one byte of it covers, and the bits of virtual address."""

    offset: int
    scale: int
    va_bits: int

    def address_of(self, shadow: int) -> int:
        """The first of the bytes that a byte of the shadow covers."""
        return (shadow - self.offset << self.scale) & MASK64


# CONFIG_KASAN_SHADOW_OFFSET (arch/arm64/Kconfig, v6.12; before v5.11 it was 1/8 or 1/16 of the upper half higher).
SHADOWS = tuple(
    Shadow((top - (1 << (va_bits - 1)) & MASK64), scale, va_bits)
    for scale, top in ((3, 0xE000000000000000), (4, 0xF000000000000000))
    for va_bits in (48, 47, 42, 39, 36)
) + tuple(
    Shadow((0xE000000000000000 - (1 << (va_bits - 1)) + (1 << va_bits - 3)), 3, va_bits) for va_bits in (48, 42, 39, 36)
)


def shadows_of(version: Version | None, va_bits: int, scale: int) -> list[Shadow]:
    """The shadows that kernels of a version with so many bits of virtual address may have; of all, without a version.

    CONFIG_KASAN_SHADOW_OFFSET (`arch/arm64/Kconfig`) moved in v5.4 and in v5.11.

    >>> [hex(shadow.offset) for shadow in shadows_of(None, 48, 3)]
    ['0xdfff800000000000', '0xdfffa00000000000', '0xdfff200000000000']
    """
    top = (1 << 64) - (1 << 64 - scale)
    half, part = 1 << va_bits - 1, 1 << va_bits - scale
    offsets = {(5, 11): top - half, (5, 4): top - half + part, (0, 0): top - 2 * half + part}
    if version is not None:
        offsets = {since: offset for since, offset in offsets.items() if since <= version}
        offsets = dict([max(offsets.items())])
    return [Shadow(offset & MASK64, scale, va_bits) for offset in offsets.values()]


def shadow_of(address: int, most: int = 1 << 20) -> tuple[Shadow, int] | None:
    """The KASAN shadow that an address lies in, and the address that it covers, if that is below `most`.

    KASAN reads the shadow before an access: with a pointer near NULL the read of the shadow faults.

    >>> shadow, address = shadow_of(0xdfff800000000003)
    >>> shadow.va_bits, hex(address)
    (48, '0x18')
    >>> [hex(shadow_of(address)[1]) for address in (0xefff800000000137, 0xdfffa00000000000)]
    ['0x1370', '0x0']
    """
    for shadow in SHADOWS:
        behind = shadow.address_of(address)
        if address >= shadow.offset and address - shadow.offset < most >> shadow.scale:
            return shadow, behind
    return None
