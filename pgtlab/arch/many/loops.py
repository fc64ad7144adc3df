"""The walk of many addresses as one compiled loop: numbers in, numbers out.

Numba keeps a compiled loop until the file of the loop changes, and builds into it all that the loop calls. So loops
that call each other are in one file, and what they know of the architecture they are given, as `Geometry` and `Rules`.
(It finds the classes of these by name: after renaming one, remove `__pycache__`.)

Three observations make it fast. All addresses of a region, which share their last table, share everything above it too,
so the upper levels are walked once for each region and remembered, as a hardware walk cache remembers them. Reading one
word for each of many addresses before looking at any of them lets the cache misses overlap. And what a leaf permits
depends on few of its bits, so that the last answer usually serves the next leaf too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.compiled import compiled
from pgtlab.arch.many.rules import Geometry, Rules
from pgtlab.arch.memory import U64, Banks
from pgtlab.arch.translations import NO_FAULT, Translations

CHUNK = 512  # addresses at a time: their cache misses overlap, and what is kept for each stays in the L1 cache
LARGEST_WALK_CACHE = 1 << 15  # entries of 16 bytes: as much as an L2 cache holds
ENDS = 1 << 10  # entries of 40 bytes, for regions without a last table
GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2**64 over the golden ratio: spreads neighbours (Knuth, TAOCP 6.4)
NO_REGION = np.uint64(0xFFFF_FFFF_FFFF_FFFF)  # the number of no region
LAST_LEVEL = 3
BIT_55 = np.uint64(1 << 55)

# `where` holds the index of a leaf's word, and above it what the leaf inherits: in bits that a leaf has its address in,
# so that both together decide about it.
INHERITED_AT = np.uint64(44)
INDEX = np.uint64((1 << 44) - 1)

LEAF, LAST_TABLE = -1, -2  # what a walk of the upper levels can end in, besides a status code
ADDRESS_SIZE, TRANSLATION, EXTERNAL_ABORT = range(3)  # rows of `Rules.status`
NOWHERE, ZERO = -1, -2  # of `locate`
ZERO_BANK = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
VERDICT = np.uint16(0x3F)  # of an entry of `Rules.leaf`: the kind of fault, or 0
DETAIL = np.uint16(0xFF)  # and of a fault, from bit 6 on, what else is reported
DETAIL_AT = np.uint16(6)


TABLE = np.dtype([("region", np.uint64), ("first", np.uint64)])
END = np.dtype([("region", "u8"), ("end", "i8"), ("level", "i8"), ("word", "u8"), ("inherited", "u8")])


class KnownRegions(NamedTuple):
    """What is known of regions: those with a last table, and those whose walk ends above one or leaves memory.

    `tables` has a region and the first word of its last table, as in `where`; `ends` has how the walk ends.
    """

    tables: NDArray[np.void]
    ends: NDArray[np.void]
    shift: np.uint64  # from a hash of a region down to its place in `tables`

    @classmethod
    def empty(cls, entries: int) -> KnownRegions:
        """With room for `entries` regions, or somewhat fewer."""
        bits = entries.bit_length() - 1
        tables, ends = np.zeros(1 << bits, TABLE), np.zeros(ENDS, END)
        tables["region"] = ends["region"] = NO_REGION
        return cls(tables, ends, np.uint64(64 - bits))


def translate(banks: Banks, g: Geometry, rules: Rules, vas: U64, results: Translations) -> int:
    """Translate the addresses of one range; how many there are of the other one, for which `found` is void."""
    tables = -(-8 * len(banks.words) >> int(g.shift))  # there are no more than fit into memory
    cache = KnownRegions.empty(min(4 * tables, 2 * len(vas), LARGEST_WALK_CACHE))
    return int(_translate_range(banks, g, rules, cache, vas, *results.arrays))


@compiled
def _translate_range(banks, g, rules, cache, vas, pa, fault, levels, attributes, detail):  # type: ignore[no-untyped-def]
    where, words = np.empty(CHUNK, np.uint64), np.empty(CHUNK, np.uint64)
    pending = np.empty(CHUNK, np.int64)  # which addresses of a chunk need a closer look
    ended, ended_at = np.empty(CHUNK, END), np.empty(CHUNK, np.int64)
    latest, its_attributes = NO_REGION, np.uint16(0)  # the deciding bits of the last good leaf
    others = 0
    for start in range(0, len(vas), CHUNK):
        chunk = vas[start : start + CHUNK]
        stop = start + len(chunk)
        out = pa[start:stop], fault[start:stop], levels[start:stop], attributes[start:stop]
        count = _look_up(g, cache.tables, cache.shift, chunk, where, pending)
        ends = _walk_regions(banks, g, rules.status, cache, chunk, where, pending[:count], ended, ended_at)
        for j in range(len(chunk)):
            words[j] = banks.words[where[j] & INDEX]
        count = _all_like(g, latest, its_attributes, chunk, where, words, pending, *out)
        for n in range(count):
            j = pending[n]
            word, inherited = words[j], where[j] >> INHERITED_AT
            is_leaf = word & np.uint64(3) == np.uint64(3)
            end = np.int64(LEAF) if is_leaf else np.int64(rules.status[TRANSLATION, LAST_LEVEL + 1])
            i = start + j
            pa[i], fault[i], attributes[i], detail[i] = _finish(g, rules, end, LAST_LEVEL, word, inherited, chunk[j])
            if fault[i] == NO_FAULT:
                latest, its_attributes = _deciding(g, word, where[j]), attributes[i]
        for n in range(ends):
            va, i = chunk[ended_at[n]], start + ended_at[n]
            end, level, word, inherited = ended[n].end, ended[n].level, ended[n].word, ended[n].inherited
            if end == LAST_TABLE:
                end, word = _read_last(banks, g, rules.status, word, va & g.input_mask)
            levels[i] = level
            pa[i], fault[i], attributes[i], detail[i] = _finish(g, rules, end, level, word, inherited, va)
            others += (va ^ g.flip) & BIT_55 != 0
    return others


@compiled
def _look_up(g, tables, cache_shift, vas, where, pending):  # type: ignore[no-untyped-def]
    """Find the leaves of regions that are known to have a last table; list the others, and return their number."""
    count = 0
    for j in range(len(vas)):
        region = _region(g, vas[j])
        h = (region * GOLDEN) >> cache_shift
        where[j] = tables[h].first + ((vas[j] >> g.shift) & g.index_mask)
        if tables[h].region != region:
            pending[count] = j
            count += 1
    return count


@compiled
def _walk_regions(banks, g, status, cache, vas, where, pending, ended, ended_at):  # type: ignore[no-untyped-def]
    """Find the leaves of the others, or how their walks end: copied to `ended`, whose number is returned."""
    tables, ends = cache.tables, cache.ends
    count = 0
    for j in pending:
        va = vas[j]
        region = _region(g, va)
        h = (region * GOLDEN) >> cache.shift
        e = region & np.uint64(ENDS - 1)
        if tables[h].region != region and ends[e].region != region:
            end, level, word, inherited = _walk_upper(banks, g, status, va)
            first = _whole_table(banks, word, g.index_mask) if end == LAST_TABLE else np.int64(-1)
            if first >= 0:
                tables[h].region, tables[h].first = region, np.uint64(first) | inherited << INHERITED_AT
            else:
                ends[e].region, ends[e].end, ends[e].level = region, end, level
                ends[e].word, ends[e].inherited = word, inherited
        if tables[h].region == region:
            where[j] = tables[h].first + ((va >> g.shift) & g.index_mask)
        else:
            where[j] = 0
            ended[count], ended_at[count] = ends[e], j
            count += 1
    return count


@compiled
def _region(g, va):  # type: ignore[no-untyped-def]
    """The number of the region of an address."""
    return ((va ^ g.flip) & (g.top_bits | g.input_mask)) >> g.region_shift


@compiled
def _deciding(g, word, where):  # type: ignore[no-untyped-def]
    """All that a leaf's attributes and verdict depend on."""
    return (word & g.deciding) | (where & ~INDEX)


@compiled
def _all_like(g, latest, its_attributes, vas, where, words, differing, pa, fault, levels, attributes):  # type: ignore[no-untyped-def]
    """Take every page for one like the last good leaf; list those that are not, and return their number."""
    offset = (np.uint64(1) << g.shift) - np.uint64(1)
    fault[:] = NO_FAULT
    levels[:] = LAST_LEVEL
    attributes[:] = its_attributes
    count = 0
    for j in range(len(vas)):
        oa = (words[j] & g.address_in_place) | ((words[j] >> g.high_from) & g.high_mask) << g.high_to
        pa[j] = oa | (vas[j] & offset)
        if _deciding(g, words[j], where[j]) != latest or oa >> g.output_bits != 0:
            differing[count] = j
            count += 1
    return count


@compiled
def _finish(g, rules, end, level, word, inherited, va):  # type: ignore[no-untyped-def]
    """What the leaf or the status code in which a walk ended gives for `va`: address, status, attributes, detail."""
    if end != LEAF:
        return np.uint64(0), np.uint8(end), np.uint16(0), np.uint8(0)
    low_bit = _level_shift(g, level)
    reached = _output_address(g, word, low_bit) | (va & ((np.uint64(1) << low_bit) - np.uint64(1)))
    if reached >> g.output_bits:  # a block may be larger than the output size
        return np.uint64(0), np.uint8(rules.status[ADDRESS_SIZE, level + 1]), np.uint16(0), np.uint8(0)
    rule = rules.leaf[_rule_index(g, word, inherited)]
    if rule & VERDICT:
        return np.uint64(0), np.uint8((rule & VERDICT) | level), np.uint16(0), np.uint8((rule >> DETAIL_AT) & DETAIL)
    memory_type = rules.memory_types[(word >> np.uint64(2)) & np.uint64(0xFF)]
    return reached, np.uint8(NO_FAULT), np.uint16((rule & ~VERDICT) | memory_type), np.uint8(0)


@compiled
def _rule_index(g, word, inherited):  # type: ignore[no-untyped-def]
    """Index into `Rules.leaf`: bits 54:51, 11:10 and 7:6 of a leaf, below what it inherits, below its POIndex."""
    upper, middle, lower = word >> np.uint64(51), word >> np.uint64(10), word >> np.uint64(6)
    own = (upper & np.uint64(0xF)) << np.uint64(4) | (middle & np.uint64(3)) << np.uint64(2) | (lower & np.uint64(3))
    return ((word >> np.uint64(60)) & g.po_mask) << np.uint64(12) | inherited << np.uint64(8) | own


@compiled
def _bank_of(banks, pa):  # type: ignore[no-untyped-def]
    """The bank that holds `pa` if any does: the last one that begins at or below it, or else the first."""
    low, high = 0, len(banks.base)
    while high - low > 1:
        middle = (low + high) >> 1
        if banks.base[middle] <= pa:
            low = middle
        else:
            high = middle
    return low


@compiled
def _locate(banks, pa):  # type: ignore[no-untyped-def]
    """Index into `banks.words` of the word at `pa`; ZERO for RAM without words, NOWHERE where there is none."""
    bank = _bank_of(banks, pa)
    if len(banks.base) > 0 and banks.base[bank] <= pa < banks.end[bank]:
        if banks.first[bank] == ZERO_BANK:
            return ZERO
        return np.int64(banks.first[bank] + ((pa - banks.base[bank]) >> np.uint64(3)))
    return ZERO if banks.ram_base <= pa < banks.ram_end else NOWHERE


@compiled
def _whole_table(banks, table, last):  # type: ignore[no-untyped-def]
    """Index of the first word of a table whose entries 0 to `last` lie side by side; negative where they do not."""
    first = _locate(banks, table)
    whole = first >= 0 and table + (last << np.uint64(3)) < banks.end[_bank_of(banks, table)]
    return first if whole else np.int64(-1)


@compiled
def _output_address(g, word, low_bit):  # type: ignore[no-untyped-def]
    """The address in `word`, whose lowest bit is `low_bit`."""
    in_place = word & g.address_in_place & ~((np.uint64(1) << low_bit) - np.uint64(1))
    return in_place | ((word >> g.high_from) & g.high_mask) << g.high_to


@compiled
def _level_shift(g, level):  # type: ignore[no-untyped-def]
    """`Granule.level_shift`."""
    return np.uint64(LAST_LEVEL - level) * g.bits_per_level + g.shift


@compiled
def _walk_upper(banks, g, status, va):  # type: ignore[no-untyped-def]
    """Walk from the first table to the last one, level 3, or to where the walk ends before.

    Returns (end, level, word, inherited): `end` is LEAF, LAST_TABLE or a status code; `word` is the block descriptor or
    the physical address of the last table.
    """
    if (va ^ g.flip) & g.top_bits:
        return np.int64(status[TRANSLATION, 1]), np.int64(0), np.uint64(0), np.uint64(0)
    if g.refused >= 0:
        return np.int64(g.refused), np.int64(0), np.uint64(0), np.uint64(0)
    ia, table, inherited = va & g.input_mask, g.base, np.uint64(0)
    for level in range(g.start_level, LAST_LEVEL):
        shift = _level_shift(g, level)
        where = _locate(banks, table + ((ia >> shift) << np.uint64(3)))
        ia &= (np.uint64(1) << shift) - np.uint64(1)
        if where == NOWHERE:
            return np.int64(status[EXTERNAL_ABORT, level + 1]), level, table, inherited
        word = banks.words[where] if where >= 0 else np.uint64(0)
        kind = word & np.uint64(3)
        if kind == 1 and level >= g.first_block_level:
            return np.int64(LEAF), level, word, inherited
        if kind != 3:
            return np.int64(status[TRANSLATION, level + 1]), level, table, inherited
        table = _output_address(g, word, g.shift)
        if table >> g.output_bits:
            return np.int64(status[ADDRESS_SIZE, level + 1]), level, table, inherited
        inherited |= (word >> np.uint64(59)) & g.inherits
    return np.int64(LAST_TABLE), np.int64(LAST_LEVEL), table, inherited


@compiled
def _read_last(banks, g, status, table, ia):  # type: ignore[no-untyped-def]
    """The entry for `ia` of the level 3 table at `table`: (LEAF or a status code, the word)."""
    where = _locate(banks, table + (((ia >> g.shift) & g.index_mask) << np.uint64(3)))
    if where == NOWHERE:
        return np.int64(status[EXTERNAL_ABORT, LAST_LEVEL + 1]), np.uint64(0)
    word = banks.words[where] if where >= 0 else np.uint64(0)
    if word & np.uint64(3) != 3:
        return np.int64(status[TRANSLATION, LAST_LEVEL + 1]), word
    return np.int64(LEAF), word
