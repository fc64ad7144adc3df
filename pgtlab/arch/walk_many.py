"""Many addresses translated at once, each as `walk` would translate it.

Two observations make it fast. All addresses with the same bits above the last table's index share everything above that
table, so the upper levels are walked once for each such region and remembered, as a hardware walk cache remembers them.
And what a leaf permits depends on twelve bits of it and its tables, so the rules in `attributes`, applied to all values
of those bits at once, make one small table to look up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from pgtlab.arch.attributes import MemoryAttributes, effective_shareability, inherit, permitted
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import U64
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import MAIR_EL1
from pgtlab.arch.va_range import VARange
from pgtlab.arch.walk import Translation, Walk, check_arguments, flat_attributes

if TYPE_CHECKING:
    from pgtlab.arch.mmu import MMU

NO_FAULT = 0xFF  # no status code: those have six bits
NO_LEVEL = -2  # with the MMU off nothing is walked

CHUNK = 1024  # addresses in flight: their cache misses overlap, and what is kept for each stays in the L1 cache
LARGEST_WALK_CACHE = 1 << 15  # entries of 16 bytes: as much as an L2 cache holds


@dataclass(frozen=True, eq=False)
class Translations:
    """What `MMU.translate_many` found, element by element.

    `fault` is the six-bit status code, or `NO_FAULT`; `level` that of the leaf or of the fault, or `NO_LEVEL` where the
    MMU is off; `attributes` a `MemoryAttributes` word. A faulting element has zero for its `pa` and `attributes`.
    """

    pa: U64
    fault: NDArray[np.uint8]
    level: NDArray[np.int8]
    attributes: NDArray[np.uint16]

    @classmethod
    def of(cls, walks: Sequence[Walk]) -> Translations:
        """The same arrays from walks of single addresses."""
        rows = [_row(walk.outcome) for walk in walks]
        pa, fault, level, attributes = zip(*rows, strict=True) if rows else ((),) * 4
        return cls(
            np.array(pa, np.uint64),
            np.array(fault, np.uint8),
            np.array(level, np.int8),
            np.array(attributes, np.uint16),
        )

    def __len__(self) -> int:
        return len(self.pa)

    def differs(self, other: Translations) -> NDArray[np.bool_]:
        """True for the elements in which anything differs."""
        same_place = np.equal(self.pa, other.pa) & np.equal(self.level, other.level)
        return ~(same_place & np.equal(self.fault, other.fault) & np.equal(self.attributes, other.attributes))

    @property
    def ok(self) -> NDArray[np.bool_]:
        """True where there is a translation."""
        return np.equal(self.fault, NO_FAULT)

    @property
    def par(self) -> U64:
        """PAR_EL1 as `AT` leaves it, for each element; bit 11 reads as one."""
        attributes = self.attributes.astype(np.uint64)
        found = (attributes & 0xFF) << 56 | self.pa & 0xF_FFFF_FFFF_F000 | (attributes >> 8 & 3) << 7
        return np.where(self.ok, found, self.fault.astype(np.uint64) << 1 | 1) | np.uint64(1 << 11)


def _row(outcome: Translation | Fault) -> tuple[int, int, int, int]:
    if isinstance(outcome, Fault):
        return 0, outcome.status_code, outcome.level, 0
    return outcome.pa, NO_FAULT, NO_LEVEL if outcome.level is None else outcome.level, int(outcome.attributes)


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
_STATUS = np.array(
    [
        [Fault(kind, level, Cause.DESCRIPTOR).status_code for level in range(-1, LAST_LEVEL + 1)]
        for kind in (FaultKind.ADDRESS_SIZE, FaultKind.TRANSLATION, FaultKind.EXTERNAL_ABORT)
    ],
    np.int64,
)
_ADDRESS_SIZE, _TRANSLATION, _EXTERNAL_ABORT = range(3)
_NOWHERE, _ZERO = -1, -2


@njit(cache=True)
def locate(banks, pa):  # type: ignore[no-untyped-def]
    """Index into `banks.words` of the word at `pa`; _ZERO for RAM that was never written, _NOWHERE where none is."""
    low, high = 0, len(banks.base)
    while high - low > 1:
        middle = (low + high) >> 1
        if banks.base[middle] <= pa:
            low = middle
        else:
            high = middle
    if high > 0 and banks.base[low] <= pa < banks.end[low]:
        return np.int64(banks.first[low] + ((pa - banks.base[low]) >> np.uint64(3)))
    return _ZERO if banks.ram_base <= pa < banks.ram_end else _NOWHERE


@njit(cache=True, inline="always")
def output_address(g, word, low_bit):  # type: ignore[no-untyped-def]
    """The address in `word`, whose lowest bit is `low_bit`."""
    in_place = word & g.address_in_place & ~((np.uint64(1) << low_bit) - np.uint64(1))
    return in_place | ((word >> g.high_from) & g.high_mask) << g.high_to


@njit(cache=True)
def level_shift(g, level):  # type: ignore[no-untyped-def]
    """`Granule.level_shift`."""
    return np.uint64(LAST_LEVEL - level) * g.bits_per_level + g.shift


@njit(cache=True)
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
        if where == _NOWHERE:
            return _STATUS[_EXTERNAL_ABORT, level + 1], level, table, inherited
        word = banks.words[where] if where >= 0 else np.uint64(0)
        kind = word & np.uint64(3)
        if kind == 1 and level >= g.first_block_level:
            return LEAF, level, word, inherited
        if kind != 3:
            return _STATUS[_TRANSLATION, level + 1], level, table, inherited
        table = output_address(g, word, g.shift)
        if table >> g.output_bits:
            return _STATUS[_ADDRESS_SIZE, level + 1], level, table, inherited
        inherited |= (word >> np.uint64(59)) & g.inherits
    return LAST_TABLE, LAST_LEVEL, table, inherited


@njit(cache=True)
def read_last(banks, g, table, ia):  # type: ignore[no-untyped-def]
    """The entry for `ia` of the level 3 table at `table`: (LEAF or a status code, the word)."""
    last = (np.uint64(1) << (g.shift + g.bits_per_level)) - np.uint64(1)
    where = locate(banks, table + (((ia & last) >> g.shift) << np.uint64(3)))
    if where == _NOWHERE:
        return _STATUS[_EXTERNAL_ABORT, LAST_LEVEL + 1], np.uint64(0)
    word = banks.words[where] if where >= 0 else np.uint64(0)
    if word & np.uint64(3) != 3:
        return _STATUS[_TRANSLATION, LAST_LEVEL + 1], word
    return LEAF, word


@njit(cache=True, inline="always")
def _rule(rules, word, inherited):  # type: ignore[no-untyped-def]
    """The entry of `rules` for a leaf: bits 54:51, 11:10 and 7:6 of it, below the inherited ones."""
    one = (word >> np.uint64(51)) & np.uint64(0xF)
    two = (word >> np.uint64(10)) & np.uint64(3)
    three = (word >> np.uint64(6)) & np.uint64(3)
    return rules[inherited << np.uint64(8) | one << np.uint64(4) | two << np.uint64(2) | three]


@njit(cache=True)
def _store_leaf(g, rules, memory_types, word, level, inherited, va, i, pa, fault, levels, attributes):  # type: ignore[no-untyped-def]
    """Write what a leaf at `level` gives for element `i`."""
    low_bit = level_shift(g, level)
    oa = output_address(g, word, low_bit)
    rule = _rule(rules, word, inherited)
    levels[i] = level
    if oa >> g.output_bits:
        fault[i] = _STATUS[_ADDRESS_SIZE, level + 1]
    elif rule & np.uint16(0x3F):
        fault[i] = (rule & np.uint16(0x3F)) | level
    else:
        pa[i] = oa | (va & ((np.uint64(1) << low_bit) - np.uint64(1)))
        fault[i] = NO_FAULT
        attributes[i] = (rule & np.uint16(0xFC00)) | memory_types[(word >> np.uint64(2)) & np.uint64(0xFF)]
        return
    pa[i] = 0
    attributes[i] = 0


@njit(cache=True)
def _walk_range(  # type: ignore[no-untyped-def]
    banks, g, rules, memory_types, refused, upper, top_bits, cache_bits, vas, pa, fault, levels, attributes
):
    """Translate the elements of `vas` that are in one range; the number of those that are in the other one."""
    flip = ~np.uint64(0) if upper else np.uint64(0)
    bit_55 = np.uint64(1 << 55)
    input_mask = ~top_bits & (bit_55 - np.uint64(1))
    last_bits = g.shift + g.bits_per_level
    last_mask = (np.uint64(1) << last_bits) - np.uint64(1)
    table_words = np.int64(min(input_mask, last_mask) >> g.shift)
    # Each entry: the region's number, with what it inherits in the low bits; where its last table is, or -1.
    cache = np.full((1 << cache_bits, 2), -1, np.int64)
    cache_shift = np.uint64(64 - cache_bits)
    ends = np.empty((1 << cache_bits, 3), np.int64)  # of the regions without a last table in one piece
    where = np.empty(CHUNK, np.int64)
    inherits = np.empty(CHUNK, np.uint8)
    words = np.empty(CHUNK, np.uint64)
    others = 0
    for start in range(0, len(vas), CHUNK):
        count = min(CHUNK, len(vas) - start)
        for j in range(count):
            va = vas[start + j]
            where[j] = -1
            if (va ^ flip) & top_bits:
                if (va ^ flip) & bit_55:
                    others += 1
                else:
                    _store_fault(_STATUS[_TRANSLATION, 1], 0, start + j, pa, fault, levels, attributes)
                continue
            if refused >= 0:
                _store_fault(refused, 0, start + j, pa, fault, levels, attributes)
                continue
            ia = va & input_mask
            region = ia >> last_bits
            h = np.int64((region * np.uint64(0x9E3779B97F4A7C15)) >> cache_shift)
            if np.uint64(cache[h, 0]) >> np.uint64(4) != region:
                end, level, word, inherited = walk_upper(banks, g, ia)
                cache[h, 0] = np.int64(region << np.uint64(4) | inherited)
                cache[h, 1] = -1
                ends[h, 0], ends[h, 1], ends[h, 2] = end, level, np.int64(word)
                if end == LAST_TABLE:
                    first = locate(banks, word)
                    final = locate(banks, word + np.uint64(8 * (table_words - 1)))
                    if first >= 0 and final - first == table_words - 1:
                        cache[h, 1] = first
            tag = np.uint64(cache[h, 0])
            if cache[h, 1] >= 0:
                where[j] = cache[h, 1] + np.int64((ia & last_mask) >> g.shift)
                inherits[j] = tag & np.uint64(0xF)
                continue
            end, level, word = ends[h, 0], ends[h, 1], np.uint64(ends[h, 2])
            if end == LAST_TABLE:
                end, word = read_last(banks, g, word, ia)
            if end == LEAF:
                _store_leaf(
                    g,
                    rules,
                    memory_types,
                    word,
                    level,
                    tag & np.uint64(0xF),
                    va,
                    start + j,
                    pa,
                    fault,
                    levels,
                    attributes,
                )
            else:
                _store_fault(end, level, start + j, pa, fault, levels, attributes)
        for j in range(count):
            words[j] = banks.words[max(where[j], 0)]
        for j in range(count):
            if where[j] < 0:
                continue
            if words[j] & np.uint64(3) == np.uint64(3):
                _store_leaf(
                    g,
                    rules,
                    memory_types,
                    words[j],
                    LAST_LEVEL,
                    np.uint64(inherits[j]),
                    vas[start + j],
                    start + j,
                    pa,
                    fault,
                    levels,
                    attributes,
                )
            else:
                _store_fault(
                    _STATUS[_TRANSLATION, LAST_LEVEL + 1], LAST_LEVEL, start + j, pa, fault, levels, attributes
                )
    return others


@njit(cache=True)
def _store_fault(code, level, i, pa, fault, levels, attributes):  # type: ignore[no-untyped-def]
    """Write a fault for element `i`."""
    pa[i] = 0
    fault[i] = code
    levels[i] = level
    attributes[i] = 0


@lru_cache
def leaf_rules(access: Access, el: int, ha: bool, hd: bool, wxn: bool) -> NDArray[np.uint16]:
    """For every value of the twelve bits of `_rule`: AP, UXN, PXN, nG and Contiguous in their places of a
    `MemoryAttributes` word, and below them the kind of fault that the leaf makes, or 0."""
    n = np.arange(1 << 12)
    inherited, uxn, pxn, contiguous, dbm = n >> 8, n >> 7 & 1, n >> 6 & 1, n >> 5 & 1, n >> 4 & 1
    ng, af, ap = n >> 3 & 1, n >> 2 & 1, n & 3
    ap, uxn, pxn = inherit(np.where(hd & (dbm == 1), ap & 1, ap), uxn, pxn, inherited)  # type: ignore[arg-type, assignment]
    allowed = permitted(access, el, ap, uxn, pxn, int(wxn))  # type: ignore[arg-type]
    kind = np.where(af | ha, np.where(allowed, 0, FaultKind.PERMISSION), FaultKind.ACCESS_FLAG)
    return (contiguous << 15 | ng << 14 | pxn << 13 | uxn << 12 | ap << 10 | kind).astype(np.uint16)


@lru_cache
def memory_types(mair: MAIR_EL1, sh: int | None) -> NDArray[np.uint16]:
    """ATTR and SH of a `MemoryAttributes` word for every value of a leaf's bits 9:2.

    `sh` replaces the leaf's own where descriptors have none.
    """
    types = []
    for bits in range(1 << 8):
        attr = int(mair) >> 8 * (bits & 7) & 0xFF
        types.append(int(MemoryAttributes(ATTR=attr, SH=effective_shareability(attr, bits >> 6 if sh is None else sh))))
    return np.array(types, np.uint16)


def walk_many(mmu: MMU, vas: ArrayLike, access: Access, el: int) -> Translations:
    """`MMU.translate_many`, which documents it."""
    check_arguments(el)
    addresses = as_addresses(vas)
    flat = np.ascontiguousarray(addresses).reshape(-1)
    found = Translations(
        np.empty(flat.shape, np.uint64),
        np.empty(flat.shape, np.uint8),
        np.empty(flat.shape, np.int8),
        np.empty(flat.shape, np.uint16),
    )
    if len(flat):
        first = mmu.va_range(int(flat[0]))
        if _one_range(mmu, first, flat, access, el, found):
            _one_range(mmu, mmu.lower if first.upper else mmu.upper, flat, access, el, found)
    shape = addresses.shape
    return Translations(
        found.pa.reshape(shape),
        found.fault.reshape(shape),
        found.level.reshape(shape),
        found.attributes.reshape(shape),
    )


def _one_range(mmu: MMU, r: VARange, vas: U64, access: Access, el: int, found: Translations) -> int:
    """Translate the addresses of one range; how many there are of the other one."""
    outputs = found.pa, found.fault, found.level, found.attributes
    if not mmu.sctlr.M:
        return _flat(mmu, r, vas, access, *outputs)
    refusal = r.refusal(el=el)
    return int(
        _walk_range(
            mmu.memory.banks(),
            Geometry.of(r),
            leaf_rules(access, el, r.ha, r.hd, r.wxn),
            memory_types(mmu.mair, r.sh if r.format.packing is OutputAddress.LPA2 else None),
            -1 if refusal is None else refusal.status_code,
            r.upper,
            np.uint64(r.top_bits(fetch=access is Access.FETCH) | 1 << 55),
            min(len(vas), LARGEST_WALK_CACHE).bit_length(),
            vas,
            *outputs,
        )
    )


def _flat(mmu: MMU, r: VARange, vas: U64, access: Access, pa: U64, fault: Any, level: Any, attributes: Any) -> int:
    """As `_one_range` with SCTLR_EL1.M = 0."""
    mine = (vas >> 55 & 1) == r.upper
    address = vas[mine] & np.uint64((1 << r.address_bits(fetch=access is Access.FETCH)) - 1)
    outside = address >> np.uint64(mmu.pa_range.bits) != 0
    pa[mine] = np.where(outside, 0, address)
    fault[mine] = np.where(outside, Fault(FaultKind.ADDRESS_SIZE, 0, Cause.MMU_OFF).status_code, NO_FAULT)
    level[mine] = np.where(outside, 0, NO_LEVEL)
    attributes[mine] = np.where(outside, 0, int(flat_attributes(mmu, access)))
    return int(np.count_nonzero(~mine))


def as_addresses(vas: ArrayLike) -> U64:
    """`vas` as 64-bit addresses.

    >>> as_addresses([0x1000, 0xffff_ffff_ffff_f000])
    array([                4096, 18446744073709547520], dtype=uint64)

    Raises
    ------
    ValueError
        Where an element is not a whole number of 64 bits.
    """
    given = vas if isinstance(vas, np.ndarray) else np.array(vas, object)  # numpy would make floats of a mixed list
    if given.dtype == np.uint64:
        return given
    kinds = {type(va) for va in given.flat} if given.dtype == object else {given.dtype.type}
    if not all(issubclass(kind, int | np.integer) for kind in kinds):
        raise ValueError("addresses are whole numbers: the nearest type of array is uint64")
    if not given.size:
        return given.astype(np.uint64)
    for extreme in (given.min(), given.max()):
        if not 0 <= extreme < 1 << 64:
            raise ValueError(f"{int(extreme):#x} is no 64-bit address: give the upper range as uint64, from 2**63 on")
    return given.astype(np.uint64)
