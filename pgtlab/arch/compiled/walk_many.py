"""Many addresses translated at once, each as `walk` would translate it.

Three observations make it fast. All addresses with the same bits above the last table's index share everything above
that table, so the upper levels are walked once for each such region and remembered, as a hardware walk cache remembers
them. Reading one word for each of many addresses before looking at any of them lets the cache misses overlap. And what
a leaf permits depends on twelve bits of it and its tables, so the rules in `attributes`, applied to all values of those
bits at once, make one small table to look up; the last answer usually serves the next leaf too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from pgtlab.arch.attributes import MemoryAttributes, effective_shareability, inherit, permitted
from pgtlab.arch.compiled.walk_compiled import (
    ADDRESS_SIZE,
    LAST_TABLE,
    LEAF,
    STATUS,
    TRANSLATION,
    Geometry,
    bank_of,
    compiled,
    inlined,
    level_shift,
    locate,
    output_address,
    read_last,
    walk_upper,
)
from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import U64
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import MAIR_EL1
from pgtlab.arch.translations import NO_FAULT, NO_LEVEL, Translations
from pgtlab.arch.va_range import VARange
from pgtlab.arch.walk import check_arguments, flat_attributes

if TYPE_CHECKING:
    from pgtlab.arch.mmu import MMU

CHUNK = 512  # addresses at a time: their cache misses overlap, and what is kept for each stays in the L1 cache
LARGEST_WALK_CACHE = 1 << 15  # entries of 16 bytes: as much as an L2 cache holds
ENDS = 1 << 10  # entries of 40 bytes, for regions without a last table
GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2**64 over the golden ratio: spreads neighbours (Knuth, TAOCP 6.4)

# `where` holds the index of a leaf's word, and above it what the leaf inherits. A leaf has PBHA in those bits.
INHERITED_AT = np.uint64(60)
INDEX = (np.uint64(1) << INHERITED_AT) - np.uint64(1)
# The bits of a leaf that decide its attributes and its verdict.
DECIDING = np.uint64(
    Leaf.VALID.mask | Leaf.TYPE.mask | Leaf.AttrIndx.mask | Leaf.AP.mask | 0b11 << 8 | Leaf.AF.mask | Leaf.nG.mask
    | Leaf.DBM.mask | Leaf.Contiguous.mask | Leaf.PXN.mask | Leaf.UXN.mask
)  # fmt: skip
VERDICT = np.uint16(0x3F)  # an entry of `leaf_rules`: the kind of fault, or 0, below the bits of `MemoryAttributes`


@njit(cache=True)
def _walk_range(  # type: ignore[no-untyped-def]
    banks, g, rules, memory_types, refused, upper, top_bits, cache_bits, vas, pa, fault, levels, attributes
):
    """Translate the elements of `vas` that are in one range.

    What it writes for the others is void; it returns how many they are.
    """
    bit_55 = np.uint64(1 << 55)
    flip = ~np.uint64(0) if upper else np.uint64(0)
    input_mask = ~top_bits & (bit_55 - np.uint64(1))
    address_mask = top_bits | input_mask
    region_shift = g.shift + g.bits_per_level
    while input_mask >> (region_shift - np.uint64(1)) == 0:
        region_shift -= np.uint64(1)  # one table, less than full, covers the whole range
    index_mask = ((np.uint64(1) << region_shift) - np.uint64(1)) >> g.shift
    # Walk caches. `tables`: a region's number, and the first word of its last table as in `where`.
    # `ends`: regions whose walk ends above, or whose last table is not in one piece; `no_region` is no region's number.
    no_region = ~np.uint64(0)
    cache_shift = np.uint64(64) - cache_bits
    tables = np.full((np.int64(1) << np.int64(cache_bits), 2), no_region)
    ends = np.full((ENDS, 5), no_region)
    where, words = np.empty(CHUNK, np.uint64), np.empty(CHUNK, np.uint64)
    some, rest = np.empty(CHUNK, np.int64), np.empty((CHUNK, 5), np.uint64)
    others = 0
    same, again = no_region, np.uint16(0)  # the deciding bits of the last good leaf, and its attributes
    for start in range(0, len(vas), CHUNK):
        chunk = vas[start : start + CHUNK]
        stop = start + len(chunk)
        out = pa[start:stop], fault[start:stop], levels[start:stop], attributes[start:stop]
        missing = 0
        for j in range(len(chunk)):
            region = ((chunk[j] ^ flip) & address_mask) >> region_shift
            h = (region * GOLDEN) >> cache_shift
            where[j] = tables[h, 1] + ((chunk[j] >> g.shift) & index_mask)
            if tables[h, 0] != region:
                some[missing] = j
                missing += 1
        left = 0
        for k in range(missing):
            j = some[k]
            va = chunk[j]
            region = ((va ^ flip) & address_mask) >> region_shift
            h = (region * GOLDEN) >> cache_shift
            e = region & np.uint64(ENDS - 1)
            if tables[h, 0] != region and ends[e, 0] != region:
                if (va ^ flip) & top_bits:
                    end, level, word, inherited = STATUS[TRANSLATION, 1], np.int64(0), np.uint64(0), np.uint64(0)
                elif refused >= 0:
                    end, level, word, inherited = refused, np.int64(0), np.uint64(0), np.uint64(0)
                else:
                    end, level, word, inherited = walk_upper(banks, g, va & input_mask)
                first = whole_table(banks, word, index_mask) if end == LAST_TABLE else np.int64(-1)
                if first >= 0:
                    tables[h, 0], tables[h, 1] = region, np.uint64(first) | inherited << INHERITED_AT
                else:
                    ends[e, 0], ends[e, 1], ends[e, 2] = region, np.uint64(end), np.uint64(level)
                    ends[e, 3], ends[e, 4] = word, inherited
            if tables[h, 0] == region:
                where[j] = tables[h, 1] + ((va >> g.shift) & index_mask)
            else:
                others += (va ^ flip) & bit_55 != 0
                where[j] = 0
                rest[left, 0], rest[left, 1], rest[left, 2] = j, ends[e, 1], ends[e, 2]
                rest[left, 3], rest[left, 4] = ends[e, 3], ends[e, 4]
                left += 1
        for j in range(len(chunk)):
            words[j] = banks.words[where[j] & INDEX]
        odd = _same_again(g, same, again, chunk, where, words, some, *out)
        for k in range(odd):
            j = some[k]
            word, inherited = words[j], where[j] >> INHERITED_AT
            kind = LEAF if word & np.uint64(3) == np.uint64(3) else STATUS[TRANSLATION, LAST_LEVEL + 1]
            i = start + j
            pa[i], fault[i], attributes[i] = _finish(
                g, rules, memory_types, kind, LAST_LEVEL, word, inherited, chunk[j]
            )
            if fault[i] == NO_FAULT:
                same, again = _deciding(word, where[j]), attributes[i]
        for k in range(left):
            place = start + np.int64(rest[k, 0])
            end, level = np.int64(rest[k, 1]), np.int64(rest[k, 2])
            word, inherited = rest[k, 3], rest[k, 4]
            if end == LAST_TABLE:
                end, word = read_last(banks, g, word, vas[place] & input_mask)
            levels[place] = level
            pa[place], fault[place], attributes[place] = _finish(
                g, rules, memory_types, end, level, word, inherited, vas[place]
            )
    return others


@compiled
def whole_table(banks, table, last):  # type: ignore[no-untyped-def]
    """Index of the first word of a table whose entries 0 to `last` lie side by side; negative where they do not."""
    first = locate(banks, table)
    whole = first >= 0 and table + (last << np.uint64(3)) < banks.end[bank_of(banks, table)]
    return first if whole else np.int64(-1)


@inlined
def _deciding(word, where):  # type: ignore[no-untyped-def]
    """All that a leaf's attributes and verdict depend on."""
    return (word & DECIDING) | (where & ~INDEX)


@compiled
def _same_again(g, same, again, vas, where, words, odd, pa, fault, levels, attributes):  # type: ignore[no-untyped-def]
    """Take every page for one like the last good leaf; list those that are not in `odd`, and return their number."""
    offset = (np.uint64(1) << g.shift) - np.uint64(1)
    fault[:] = NO_FAULT
    levels[:] = LAST_LEVEL
    attributes[:] = again
    count = 0
    for j in range(len(vas)):
        oa = (words[j] & g.address_in_place) | ((words[j] >> g.high_from) & g.high_mask) << g.high_to
        pa[j] = oa | (vas[j] & offset)
        if _deciding(words[j], where[j]) != same or oa >> g.output_bits != 0:
            odd[count] = j
            count += 1
    return count


@compiled
def _finish(g, rules, memory_types, end, level, word, inherited, va):  # type: ignore[no-untyped-def]
    """What the leaf or the status code in which a walk ended gives for `va`: address, status code, attributes."""
    if end != LEAF:
        return np.uint64(0), np.uint8(end), np.uint16(0)
    low_bit = level_shift(g, level)
    oa = output_address(g, word, low_bit)
    if oa >> g.output_bits:
        return np.uint64(0), np.uint8(STATUS[ADDRESS_SIZE, level + 1]), np.uint16(0)
    rule = rules[rule_index(word, inherited)]
    if rule & VERDICT:
        return np.uint64(0), np.uint8((rule & VERDICT) | level), np.uint16(0)
    offset = va & ((np.uint64(1) << low_bit) - np.uint64(1))
    memory_type = memory_types[(word >> np.uint64(2)) & np.uint64(0xFF)]
    return oa | offset, np.uint8(NO_FAULT), np.uint16((rule & ~VERDICT) | memory_type)


@compiled
def rule_index(word, inherited):  # type: ignore[no-untyped-def]
    """Index into `leaf_rules`: bits 54:51, 11:10 and 7:6 of a leaf, below what it inherits."""
    upper, middle, lower = word >> np.uint64(51), word >> np.uint64(10), word >> np.uint64(6)
    own = (upper & np.uint64(0xF)) << np.uint64(4) | (middle & np.uint64(3)) << np.uint64(2) | (lower & np.uint64(3))
    return inherited << np.uint64(8) | own


@lru_cache
def leaf_rules(access: Access, el: int, ha: bool, hd: bool, wxn: bool) -> NDArray[np.uint16]:
    """For every value of the twelve bits of `rule_index`: AP, UXN, PXN, nG and Contiguous in their places of a
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
    flat = np.require(addresses, requirements=["C", "W"]).reshape(-1)  # which is what the loop is compiled for
    found = Translations.empty(len(flat))
    if len(flat):
        first = mmu.va_range(int(flat[0]))
        if _one_range(mmu, first, flat, access, el, found):
            second = mmu.lower if first.upper else mmu.upper
            mine = (flat >> 55 & 1) == second.upper
            part = Translations.empty(int(np.count_nonzero(mine)))
            _one_range(mmu, second, flat[mine], access, el, part)
            for whole, some in zip(found.arrays, part.arrays, strict=True):
                whole[mine] = some
    return found.reshape(addresses.shape)


def _one_range(mmu: MMU, r: VARange, vas: U64, access: Access, el: int, found: Translations) -> int:
    """Translate the addresses of one range; how many there are of the other one, for which `found` is void."""
    if not mmu.sctlr.M:
        return _flat(mmu, r, vas, access, found)
    refusal = r.refusal(el=el)
    banks = mmu.memory.banks()
    tables = -(-8 * len(banks.words) // r.granule.size)  # there are no more than fit into memory
    return int(
        _walk_range(
            banks,
            Geometry.of(r),
            leaf_rules(access, el, r.ha, r.hd, r.wxn),
            memory_types(mmu.mair, r.sh if r.format.packing is OutputAddress.LPA2 else None),
            -1 if refusal is None else refusal.status_code,
            r.upper,
            np.uint64(r.top_bits(fetch=access is Access.FETCH) | 1 << 55),
            np.uint64(min(4 * tables, 2 * len(vas), LARGEST_WALK_CACHE).bit_length() - 1),
            vas,
            *found.arrays,
        )
    )


def _flat(mmu: MMU, r: VARange, vas: U64, access: Access, found: Translations) -> int:
    """As `_one_range` with SCTLR_EL1.M = 0."""
    address = vas & np.uint64((1 << r.address_bits(fetch=access is Access.FETCH)) - 1)
    outside = address >> np.uint64(mmu.pa_range.bits) != 0
    found.pa[:] = np.where(outside, 0, address)
    found.fault[:] = np.where(outside, Fault(FaultKind.ADDRESS_SIZE, 0, Cause.MMU_OFF).status_code, NO_FAULT)
    found.level[:] = np.where(outside, 0, NO_LEVEL)
    found.attributes[:] = np.where(outside, 0, int(flat_attributes(mmu, access)))
    return int(np.count_nonzero((vas >> 55 & 1) != r.upper))


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
