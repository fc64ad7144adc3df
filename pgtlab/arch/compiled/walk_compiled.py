"""The walk of one address as compiled loops use it: numbers in, numbers out, the rules of `walk`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from pgtlab.arch.fault import Cause, Fault, FaultKind
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import ZEROS
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.va_range import VARange


def _forget_stale_loops() -> None:
    """Drop compiled loops that are older than any source here.

    Numba keeps a loop until its own file changes, whatever it took in from others: their functions, their constants.
    """
    here = Path(__file__).parents[1]
    newest = max(source.stat().st_mtime for source in here.rglob("*.py"))
    for kept in here.rglob("__pycache__/*.nb[ic]"):
        with suppress(OSError):  # gone already, or in an installation that cannot be written to, nor change
            if kept.stat().st_mtime < newest:
                kept.unlink()


_forget_stale_loops()


def compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """`njit` without reference counts, which can cost more than all the rest: for functions that make no arrays."""
    jit: Any = njit
    try:
        result: Callable[..., Any] = jit(cache=True, _nrt=False, **options)(function)
    except KeyError:  # an option that numba keeps for itself, and may drop
        result = jit(cache=True, **options)(function)
    return result


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """`compiled` into its callers: arrays are expensive arguments."""
    return compiled(function, inline="always")


class Geometry(NamedTuple):
    """A `VARange` as compiled loops read it."""

    base: np.uint64
    start_level: np.int64
    first_block_level: np.int64
    shift: np.uint64
    bits_per_level: np.uint64
    output_bits: np.uint64
    address_in_place: np.uint64
    high_from: np.uint64
    high_mask: np.uint64
    high_to: np.uint64
    inherits: np.uint64

    @classmethod
    def of(cls, r: VARange) -> Geometry:
        """The numbers that follow from a range."""
        high_from, high_mask, high_to = {
            OutputAddress.PLAIN: (0, 0, 0),
            OutputAddress.LPA: (12, 0xF, 48),
            OutputAddress.LPA2: (8, 0x3, 50),
        }[r.format.packing]
        top = 50 if r.format.packing is OutputAddress.LPA2 else 48
        return cls(
            np.uint64(r.base),
            np.int64(LAST_LEVEL if r.start_level is None else r.start_level),
            np.int64(r.format.first_block_level),
            np.uint64(r.granule.shift),
            np.uint64(r.granule.bits_per_level),
            np.uint64(r.output_bits),
            np.uint64((1 << top) - (1 << r.granule.shift)),
            np.uint64(high_from),
            np.uint64(high_mask),
            np.uint64(high_to),
            np.uint64(0 if r.hpd else 0xF),
        )


LEAF, LAST_TABLE = -1, -2  # what a walk of the upper levels can end in, besides a status code
STATUS = np.array(
    [
        [Fault(kind, level, Cause.DESCRIPTOR).status_code for level in range(-1, LAST_LEVEL + 1)]
        for kind in (FaultKind.ADDRESS_SIZE, FaultKind.TRANSLATION, FaultKind.EXTERNAL_ABORT)
    ],
    np.int64,
)
ADDRESS_SIZE, TRANSLATION, EXTERNAL_ABORT = range(3)
NOWHERE, ZERO = -1, -2
ZERO_BANK = np.uint64(ZEROS)


@inlined
def bank_of(banks, pa):  # type: ignore[no-untyped-def]
    """The bank that holds `pa` if any does: the last one that begins at or below it, or else the first."""
    low, high = 0, len(banks.base)
    while high - low > 1:
        middle = (low + high) >> 1
        if banks.base[middle] <= pa:
            low = middle
        else:
            high = middle
    return low


@inlined
def locate(banks, pa):  # type: ignore[no-untyped-def]
    """Index into `banks.words` of the word at `pa`; ZERO for RAM without words, NOWHERE where there is none."""
    bank = bank_of(banks, pa)
    if len(banks.base) > 0 and banks.base[bank] <= pa < banks.end[bank]:
        if banks.first[bank] == ZERO_BANK:
            return ZERO
        return np.int64(banks.first[bank] + ((pa - banks.base[bank]) >> np.uint64(3)))
    return ZERO if banks.ram_base <= pa < banks.ram_end else NOWHERE


@inlined
def output_address(g, word, low_bit):  # type: ignore[no-untyped-def]
    """The address in `word`, whose lowest bit is `low_bit`."""
    in_place = word & g.address_in_place & ~((np.uint64(1) << low_bit) - np.uint64(1))
    return in_place | ((word >> g.high_from) & g.high_mask) << g.high_to


@compiled
def level_shift(g, level):  # type: ignore[no-untyped-def]
    """`Granule.level_shift`."""
    return np.uint64(LAST_LEVEL - level) * g.bits_per_level + g.shift


@compiled
def walk_upper(banks, g, ia):  # type: ignore[no-untyped-def]
    """Walk from the first table to the last one, level 3, or to where the walk ends before.

    Returns (end, level, word, inherited): `end` is LEAF, LAST_TABLE or a status code; `word` is the block descriptor or
    the physical address of the last table.
    """
    table, inherited = g.base, np.uint64(0)
    for level in range(g.start_level, LAST_LEVEL):
        shift = level_shift(g, level)
        where = locate(banks, table + ((ia >> shift) << np.uint64(3)))
        ia &= (np.uint64(1) << shift) - np.uint64(1)
        if where == NOWHERE:
            return STATUS[EXTERNAL_ABORT, level + 1], level, table, inherited
        word = banks.words[where] if where >= 0 else np.uint64(0)
        kind = word & np.uint64(3)
        if kind == 1 and level >= g.first_block_level:
            return LEAF, level, word, inherited
        if kind != 3:
            return STATUS[TRANSLATION, level + 1], level, table, inherited
        table = output_address(g, word, g.shift)
        if table >> g.output_bits:
            return STATUS[ADDRESS_SIZE, level + 1], level, table, inherited
        inherited |= (word >> np.uint64(59)) & g.inherits
    return LAST_TABLE, LAST_LEVEL, table, inherited


@compiled
def read_last(banks, g, table, ia):  # type: ignore[no-untyped-def]
    """The entry for `ia` of the level 3 table at `table`: (LEAF or a status code, the word)."""
    last = (np.uint64(1) << (g.shift + g.bits_per_level)) - np.uint64(1)
    where = locate(banks, table + (((ia & last) >> g.shift) << np.uint64(3)))
    if where == NOWHERE:
        return STATUS[EXTERNAL_ABORT, LAST_LEVEL + 1], np.uint64(0)
    word = banks.words[where] if where >= 0 else np.uint64(0)
    if word & np.uint64(3) != 3:
        return STATUS[TRANSLATION, LAST_LEVEL + 1], word
    return LEAF, word
