"""The compiled loop of `walk_cost`: one access after the other through TLBs, walk caches and tables.

An entry of a cache is one word, its key: the number of the piece of address space that it translates, the ASID, the
kind of the entry and the VA range. The kind is the level, the Contiguous bit where runs are joined, and nG; with the
range it says how large the piece is. A cache is probed once for each kind that it has ever held, which comes to the
same as once for each kind that there is.

Nothing takes longer where there are more ways: an entry is found by a hash of its key, and for LRU the entries of a set
form a ring from the newest to the oldest and on to the newest, so that to replace the oldest is to turn the ring.

All of that is in one array of numbers, `m`, as records that name each other by their places in it, since arrays are
expensive arguments of compiled functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.fault import Access
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import U64
from pgtlab.arch.mmu import MMU
from pgtlab.arch.tlb import Hardware, Replacement
from pgtlab.arch.walk_compiled import (
    LAST_TABLE,
    LEAF,
    Geometry,
    level_shift,
    locate,
    output_address,
    read_last,
    walk_upper,
)
from pgtlab.arch.walk_many import _rule, leaf_rules

I64 = NDArray[np.int64]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`njit` without reference counts, which would cost more than all the rest: these functions make no arrays."""
    jit: Any = njit  # whose types know nothing of _nrt, an option that numba has for itself
    return cast(Callable[..., Any], jit(cache=True, _nrt=False)(function))


LEVELS = LAST_LEVEL + 2  # from -1 on
KINDS = 4 * LEVELS
L1, L2, WALK_CACHES, STAGES = range(4)
EMPTY = -1  # no key: those have 62 bits
_LRU, _PLRU, _RANDOM = range(3)
_POLICY = {Replacement.LRU: _LRU, Replacement.TREE_PLRU: _PLRU, Replacement.RANDOM: _RANDOM}

# Where `m` begins: for each range and kind, how many address bits a piece has; for each stage and level, the cache that
# holds such entries, or 0; where the caches of each stage begin, and where the last ones end.
_SHIFTS = 0
_HOLDERS = _SHIFTS + 2 * KINDS
_FIRST_CACHE = _HOLDERS + STAGES * LEVELS
_CACHES = _FIRST_CACHE + STAGES + 1
# The record of a cache: its first slot and set, and the first head of its chains; its geometry; the key used last; the
# state of its random numbers; its place in the counts; for each range, how many kinds it has held, and which.
_FIRST_SLOT, _FIRST_SET, _FIRST_HEAD, _SET_MASK, _WAYS, _REPLACEMENT, _HASH_SHIFT = range(7)
_LATEST, _RANDOM_STATE, _COUNT, _KINDS = range(7, 11)
_CACHE = _KINDS + 2 * (KINDS + 1)
# The record of a slot: CHAIN is the next slot whose key has the same hash, or 0; OLDER and YOUNGER make the ring.
_KEY, _CHAIN, _OLDER, _YOUNGER, _SLOT = range(5)
# The record of a set: its newest slot; how many are filled, where it is not LRU; the tree of tree-PLRU, whose node n is
# bit n and has the children 2n and 2n + 1.
_NEWEST, _FILLED, _TREE, _SET = range(4)

# Places in the vector of counts. READS and WALK_CACHE_HITS begin with level -1, HITS with the first L1 TLB.
FAULTS, WALKS, READS, WALK_CACHE_HITS, HITS = 0, 1, 2, 2 + LEVELS, 2 + 2 * LEVELS

MEMO_BITS = 12
GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2**64 over the golden ratio: spreads neighbours (Knuth, TAOCP 6.4)
# The record of a region in the memo of where walks of the upper levels end, which counts nothing: PLACE is the word of
# memory at which the last table begins, or -1 where it is not in one piece or the walk ends above.
_REGION, _PLACE, _END, _LEVEL, _WORD, _INHERITED, _MEMO = range(7)


class Ranges(NamedTuple):
    """The VA ranges; in each array the lower one comes first."""

    lower: Geometry
    upper: Geometry
    refused: NDArray[np.bool_]
    top_bits: U64
    input_mask: U64
    rules: NDArray[np.uint16]
    coalesces: bool


def machine(mmu: MMU, hardware: Hardware, seed: int) -> I64:
    """`m` for `hardware` with nothing in it."""
    caches = list(hardware)
    stages = (hardware.l1, hardware.l2, hardware.walk_caches)
    sizes = [(c.entries * _SLOT, c.sets * _SET, 1 << _hash_bits(c.entries)) for c in caches]
    places = np.cumsum([_CACHES + len(caches) * _CACHE, *(size for three in sizes for size in three)])
    m = np.zeros(places[-1], np.int64)
    for i, r in enumerate((mmu.lower, mmu.upper)):
        for kind in range(KINDS):
            m[_SHIFTS + i * KINDS + kind] = _shift(r.format, kind, hardware.coalesces)
    for stage, held in enumerate(stages):
        first = sum(len(before) for before in stages[:stage])
        m[_FIRST_CACHE + stage : _FIRST_CACHE + STAGES + 1] = _CACHES + (first + len(held)) * _CACHE
        m[_FIRST_CACHE + stage] = _CACHES + first * _CACHE
        for i, cache in enumerate(held):
            for level in cache.levels:
                m[_HOLDERS + stage * LEVELS + level + 1] = _CACHES + (first + i) * _CACHE
    random = np.random.default_rng(seed).integers(1, 1 << 63, len(caches))
    for i, cache in enumerate(caches):
        slots, sets, heads = (int(place) for place in places[3 * i : 3 * i + 3])
        record = m[_CACHES + i * _CACHE :]
        record[: _HASH_SHIFT + 1] = (
            *(slots, sets, heads, cache.sets - 1, cache.ways),
            *(_POLICY[cache.replacement], 64 - _hash_bits(cache.entries)),
        )
        record[_LATEST], record[_RANDOM_STATE], record[_COUNT] = EMPTY, random[i], HITS + i
        ring = slots + _SLOT * np.arange(cache.entries).reshape(cache.sets, cache.ways)
        m[ring + _KEY] = EMPTY
        m[ring + _OLDER], m[ring + _YOUNGER] = np.roll(ring, 1, axis=1), np.roll(ring, -1, axis=1)
        m[sets + _SET * np.arange(cache.sets) + _NEWEST] = ring[:, -1]
    return m


def ranges(mmu: MMU, access: Access, el: int, coalesces: bool) -> Ranges:
    """Both ranges of `mmu`."""
    both = mmu.lower, mmu.upper
    return Ranges(
        Geometry.of(mmu.lower),
        Geometry.of(mmu.upper),
        np.array([r.refusal(el=el) is not None for r in both]),
        np.array([r.top_bits(fetch=access is Access.FETCH) for r in both], np.uint64),
        np.array([(1 << r.input_bits) - 1 for r in both], np.uint64),
        np.array([leaf_rules(access, el, r.ha, r.hd, r.wxn) for r in both]),
        coalesces,
    )


def memo() -> I64:
    """A memo that knows nothing."""
    return np.full((1 << MEMO_BITS, _MEMO), -1, np.int64)


def _hash_bits(entries: int) -> int:
    return entries.bit_length() + 1


def _shift(format: DescriptorFormat, kind: int, coalesces: bool) -> int:
    level = (kind >> 2) - 1
    run = format.contiguous_entries(level) if kind & 2 and coalesces else 1
    return format.granule.level_shift(level) + run.bit_length() - 1


@compiled
def simulate(m, banks, ranges, memo, vas, asids, counts):  # type: ignore[no-untyped-def]
    """Run `vas` through the hardware and add to `counts`; without `asids` all have ASID 0."""
    words, top_bits, input_mask, rules = banks.words, ranges.top_bits, ranges.input_mask, ranges.rules
    asid = np.int64(0)
    for i in range(len(vas)):
        va = vas[i]
        if len(asids):
            asid = np.int64(asids[i])
        high = np.int64(va >> np.uint64(55)) & 1
        if va & top_bits[high] != (top_bits[high] if high else np.uint64(0)):
            counts[FAULTS] += 1
            continue
        ia = np.int64(va & input_mask[high])
        tag = asid << 6 | high
        cache, kind = look_up(m, L1, ia, tag)
        if cache:
            counts[m[cache + _COUNT]] += 1
            continue
        cache, kind = look_up(m, L2, ia, tag)
        if cache:
            counts[m[cache + _COUNT]] += 1
            fill(m, L1, kind, ia, tag)
            continue
        if ranges.refused[high]:
            counts[FAULTS] += 1
            continue
        counts[WALKS] += 1
        g = ranges.upper if high else ranges.lower
        at = np.uint64(ia) >> (g.shift + g.bits_per_level) << np.uint64(1) | np.uint64(high)
        known = memo[np.int64(at * GOLDEN >> np.uint64(64 - MEMO_BITS))]
        if known[_REGION] != np.int64(at):
            explore(banks, g, ia, np.int64(at), known)
        end, level, word = known[_END], known[_LEVEL], np.uint64(known[_WORD])
        if known[_PLACE] >= 0:
            word = words[known[_PLACE] + (ia >> np.int64(g.shift) & (1 << np.int64(g.bits_per_level)) - 1)]
            end = LEAF if word & np.uint64(3) == 3 else 0
        elif end == LAST_TABLE:
            end, word = read_last(banks, g, word, np.uint64(ia))
        for n in range(look_up_tables(m, g.start_level, level, ia, tag, counts), level + 1):
            counts[READS + 1 + n] += 1
            if n < level:
                fill(m, WALK_CACHES, table_kind(n), ia, tag)
        if (
            end != LEAF
            or output_address(g, word, level_shift(g, level)) >> g.output_bits
            or rules[high, _rule(word, np.uint64(known[_INHERITED]))] & np.uint16(0x3F)
        ):
            counts[FAULTS] += 1
            continue
        kind = leaf_kind(level, word, ranges.coalesces)
        fill(m, L1, kind, ia, tag)
        fill(m, L2, kind, ia, tag)


@compiled
def explore(banks, g, ia, region, known):  # type: ignore[no-untyped-def]
    """Walk the upper levels for `region`, and keep where that ends."""
    end, level, word, inherited = walk_upper(banks, g, np.uint64(ia))
    known[_REGION], known[_PLACE], known[_END], known[_LEVEL] = region, -1, end, level
    known[_WORD], known[_INHERITED] = np.int64(word), np.int64(inherited)
    if end == LAST_TABLE:
        rest = (1 << np.int64(g.bits_per_level)) - 1
        first = locate(banks, word)
        if first >= 0 and locate(banks, word + np.uint64(8 * rest)) == first + rest:
            known[_PLACE] = first


@compiled
def table_kind(level):  # type: ignore[no-untyped-def]
    """Kind of a table descriptor read at `level`: it has no nG bit, and belongs to the ASID."""
    return (level + 1) << 2 | 1


@compiled
def leaf_kind(level, word, coalesces):  # type: ignore[no-untyped-def]
    """Kind of a leaf."""
    contiguous = np.int64(word >> np.uint64(52)) & 1 if coalesces else 0
    return (level + 1) << 2 | contiguous << 1 | np.int64(word >> np.uint64(11)) & 1


@compiled
def look_up(m, stage, ia, tag):  # type: ignore[no-untyped-def]
    """Look in the TLBs of a stage: (the one that has it, the kind that it has there), or (0, 0)."""
    kinds = _KINDS + (tag & 1) * (KINDS + 1)
    for cache in range(m[_FIRST_CACHE + stage], m[_FIRST_CACHE + stage + 1], _CACHE):
        for n in range(cache + kinds + 1, cache + kinds + 1 + m[cache + kinds]):
            if hits(m, cache, m[n], ia, tag):
                return cache, m[n]
    return 0, 0


@compiled
def look_up_tables(m, start_level, level, ia, tag, counts):  # type: ignore[no-untyped-def]
    """Look in the walk caches, the deepest level first: the level at which a walk that ends at `level` begins."""
    for n in range(level - 1, start_level - 1, -1):
        cache = m[_HOLDERS + WALK_CACHES * LEVELS + n + 1]
        if cache and hits(m, cache, table_kind(n), ia, tag):
            counts[WALK_CACHE_HITS + 1 + n] += 1
            return n + 1
    return start_level


@compiled
def key_of(kind, number, tag):  # type: ignore[no-untyped-def]
    """The key of an entry of `kind` for the piece `number` of the address space; global ones drop the ASID."""
    return number << 22 | (tag if kind & 1 else tag & 1) | kind << 1


@compiled
def head_of(m, cache, key):  # type: ignore[no-untyped-def]
    """Where the chain of `key` begins."""
    return m[cache + _FIRST_HEAD] + np.int64(np.uint64(key) * GOLDEN >> np.uint64(m[cache + _HASH_SHIFT]))


@compiled
def hits(m, cache, kind, ia, tag):  # type: ignore[no-untyped-def]
    """Whether `cache` has the entry of `kind` for `ia`, which it then has used."""
    number = ia >> m[_SHIFTS + (tag & 1) * KINDS + kind]
    key = key_of(kind, number, tag)
    if m[cache + _LATEST] == key:  # the newest of its set already
        return True
    slot = m[head_of(m, cache, key)]
    while slot and m[slot + _KEY] != key:
        slot = m[slot + _CHAIN]
    if slot == 0:
        return False
    m[cache + _LATEST] = key
    use(m, cache, m[cache + _FIRST_SET] + _SET * (number & m[cache + _SET_MASK]), slot)
    return True


@compiled
def fill(m, stage, kind, ia, tag):  # type: ignore[no-untyped-def]
    """Put an entry into the cache of the stage that holds its level, if one does."""
    cache = m[_HOLDERS + stage * LEVELS + (kind >> 2)]
    if cache == 0:
        return
    know_kind(m, cache + _KINDS + (tag & 1) * (KINDS + 1), kind)
    number = ia >> m[_SHIFTS + (tag & 1) * KINDS + kind]
    set = number & m[cache + _SET_MASK]
    first = m[cache + _FIRST_SLOT] + _SLOT * set * m[cache + _WAYS]
    set = m[cache + _FIRST_SET] + _SET * set
    slot = victim(m, cache, set, first)
    if m[slot + _KEY] != EMPTY:
        link = head_of(m, cache, m[slot + _KEY])
        while m[link] != slot:
            link = m[link] + _CHAIN
        m[link] = m[slot + _CHAIN]
    key = key_of(kind, number, tag)
    head = head_of(m, cache, key)
    m[slot + _KEY], m[slot + _CHAIN], m[head], m[cache + _LATEST] = key, m[head], slot, key
    use(m, cache, set, slot)


@compiled
def know_kind(m, kinds, kind):  # type: ignore[no-untyped-def]
    """Have the list at `kinds` name `kind`: from now on it is probed."""
    for n in range(kinds + 1, kinds + 1 + m[kinds]):
        if m[n] == kind:
            return
    m[kinds] += 1
    m[kinds + m[kinds]] = kind


@compiled
def use(m, cache, set, slot):  # type: ignore[no-untyped-def]
    """Make `slot` the newest of its set."""
    if m[cache + _REPLACEMENT] == _LRU:
        newest = m[set + _NEWEST]
        if slot == newest:
            return
        m[set + _NEWEST] = slot
        older, younger = m[slot + _OLDER], m[slot + _YOUNGER]
        if older == newest:  # the oldest: the ring turns
            return
        m[older + _YOUNGER], m[younger + _OLDER] = younger, older
        oldest = m[newest + _YOUNGER]
        m[slot + _OLDER], m[slot + _YOUNGER] = newest, oldest
        m[newest + _YOUNGER], m[oldest + _OLDER] = slot, slot
    elif m[cache + _REPLACEMENT] == _PLRU:
        # From the leaf to the root, each node points to the half that the way is not in.
        ways, tree = m[cache + _WAYS], np.uint64(m[set + _TREE])
        node = ways + ((slot - m[cache + _FIRST_SLOT]) // _SLOT & ways - 1)
        while node > 1:
            bit = np.uint64(1) << np.uint64(node >> 1)
            tree = tree & ~bit if node & 1 else tree | bit
            node >>= 1
        m[set + _TREE] = np.int64(tree)


@compiled
def victim(m, cache, set, first):  # type: ignore[no-untyped-def]
    """The slot that makes room: the first empty one, or the choice of the replacement; `first` is that of the set."""
    if m[cache + _REPLACEMENT] == _LRU:  # empty ones are the oldest, the first of them the oldest of all
        return m[m[set + _NEWEST] + _YOUNGER]
    ways, filled = m[cache + _WAYS], m[set + _FILLED]
    if filled < ways:
        m[set + _FILLED] += 1
        return first + _SLOT * filled
    if m[cache + _REPLACEMENT] == _PLRU:
        tree, node = np.uint64(m[set + _TREE]), np.int64(1)
        while node < ways:
            node = 2 * node + (np.int64(tree >> np.uint64(node)) & 1)
        return first + _SLOT * (node - ways)
    # xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2016).
    x = np.uint64(m[cache + _RANDOM_STATE])
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    m[cache + _RANDOM_STATE] = np.int64(x)
    x = x * np.uint64(0x2545_F491_4F6C_DD1D) >> np.uint64(32)
    return first + _SLOT * np.int64(x * np.uint64(ways) >> np.uint64(32))
