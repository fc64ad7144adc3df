"""The compiled loop of `walk_cost`: one access after the other through TLBs and walk caches.

The tables do not change, so how the walk of each address ends is known beforehand, as `Walks`. The loop is about caches
alone.

An entry is known by its key: the number of the piece of address space that it translates, the ASID, the kind of the
entry and the VA range. The kind is the level, the Contiguous bit where runs are joined, and nG; with the range it says
how large the piece is. A cache is probed once for each kind that it has ever held, which has the same result as once
for each possible kind.

All caches are in one array of numbers, `m`, in which `CacheLayout` says what is where. Numba counts references to each
array that a function touches, and with an array for each part that takes three times as long as all the rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.compiled import compiled
from pgtlab.arch.cost.counts import FAULTS, HITS, LEVELS, READS, WALK_CACHE_HITS, WALKS
from pgtlab.arch.cost.tlb import Hardware, Replacement
from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.fault import Access
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.translations import Translations
from pgtlab.arch.va_range import VARange

I64 = NDArray[np.int64]

KINDS = 4 * LEVELS
NG, CONTIGUOUS = 1, 2  # bits of a kind; the level is above them
L1, L2, WALK_CACHES, STAGES = range(4)
NONE, EMPTY = -1, -1  # no cache, and no key: those have 62 bits
FAULT = -1  # in place of a leaf's kind
LRU, TREE_PLRU, RANDOM = range(3)
POLICY = {Replacement.LRU: LRU, Replacement.TREE_PLRU: TREE_PLRU, Replacement.RANDOM: RANDOM}
FIRST_SLOT, FIRST_SET, SETS, WAYS, REPLACEMENT, COLUMNS = range(6)  # of `CacheLayout.caches`
PIECE_SHIFT = 12  # addresses that differ in lower bits only are translated alike, whatever the granule


class CacheLayout(NamedTuple):
    """Where in `m` each part begins."""

    caches: int  # [cache, column]: what they are
    holders: int  # [stage, level]: the cache that holds such entries, or NONE
    stages: int  # where the caches of each stage begin, and where the last ones end
    shifts: int  # [range, kind]: how many address bits a piece has
    kinds: int  # [cache, range]: how many kinds it has held, then these kinds
    trees: int  # [set], for tree-PLRU: node n is bit n and has the children 2n and 2n + 1
    latest: int  # [cache]: the slot that was used last
    random: int  # [cache]: the state of its random numbers
    clock: int  # how many times any slot was used
    keys: int  # [slot]
    used: int  # [slot]: when it was used last, for LRU


class Half(NamedTuple):
    """A VA range as the loop reads it."""

    top_bits: np.uint64
    input_mask: np.uint64
    start_level: np.int64
    refused: np.bool_

    @classmethod
    def of(cls, r: VARange, access: Access, el: int) -> Half:
        """The numbers that follow from a range."""
        return cls(
            np.uint64(r.top_bits(fetch=access is Access.FETCH)),
            np.uint64((1 << r.input_bits) - 1),
            np.int64(0 if r.start_level is None else r.start_level),
            np.bool_(r.refusal(el=el) is not None),
        )


class Walks(NamedTuple):
    """How walks end: at which level, and in a leaf of which kind or a FAULT.

    Accesses in a row whose addresses differ only below bit `PIECE_SHIFT` share one walk.
    """

    level: NDArray[np.int8]
    leaf: NDArray[np.int8]

    @classmethod
    def of(cls, translations: Translations, *, coalesces: bool) -> Walks:
        """What the loop needs of translations."""
        level, attributes = translations.level.astype(np.int64), translations.attributes.astype(np.int64)
        contiguous = attributes >> 15 if coalesces else 0
        kind = np.where(translations.ok, level + 1 << 2 | contiguous << 1 | attributes >> 14 & 1, FAULT)
        return cls(translations.level, kind.astype(np.int8))


def empty_caches(regime: TranslationRegime, hardware: Hardware, seed: int) -> tuple[I64, CacheLayout]:
    """`hardware` with nothing in it."""
    every = list(hardware)
    firsts = np.cumsum([(0, 0), *((cache.entries, cache.sets) for cache in every)], axis=0)
    slots, sets = firsts[-1].tolist()
    held = (hardware.l1, hardware.l2, hardware.walk_caches)
    stages = np.cumsum([0, *map(len, held)])
    holders = np.full((STAGES, LEVELS), NONE)
    for stage, caches in enumerate(held):
        for n, cache in enumerate(caches):
            holders[stage, [level + 1 for level in cache.levels]] = stages[stage] + n
    both = regime.lower, regime.upper
    parts = {
        "caches": [
            (*first, cache.sets, cache.ways, POLICY[cache.replacement])
            for first, cache in zip(firsts.tolist(), every, strict=False)
        ],
        "holders": holders,
        "stages": stages,
        "shifts": [[_shift(r.format, kind, hardware.coalesces) for kind in range(KINDS)] for r in both],
        "kinds": np.zeros((len(every), 2, 1 + KINDS)),
        "trees": np.zeros(sets),
        "latest": firsts[:, 0],
        "random": np.random.default_rng(seed).integers(1, 1 << 63, len(every), np.uint64),
        "clock": [0],
        "keys": np.full(slots, EMPTY),
        "used": np.zeros(slots),
    }
    arrays = {name: np.asarray(part).astype(np.int64).reshape(-1) for name, part in parts.items()}
    begins = np.cumsum([0, *map(len, arrays.values())]).tolist()
    return np.concatenate(list(arrays.values())), CacheLayout(**dict(zip(arrays, begins, strict=False)))


def _shift(format: DescriptorFormat, kind: int, coalesces: bool) -> int:
    level = (kind >> 2) - 1
    run = format.contiguous_entries(level) if kind & CONTIGUOUS and coalesces else 1
    return format.granule.level_shift(level) + run.bit_length() - 1


@compiled
def run_trace(m, at, lower, upper, vas, asids, walks, counts):  # type: ignore[no-untyped-def]
    """Run `vas` through the caches and add to `counts`; without `asids` all have ASID 0."""
    asid, walk, last = np.int64(0), np.int64(-1), ~vas[0] if len(vas) else np.uint64(0)
    levels, leaves = walks.level, walks.leaf
    for i in range(len(vas)):
        va = vas[i]
        if len(asids):
            asid = np.int64(asids[i])
        if (va ^ last) >> np.uint64(PIECE_SHIFT):
            walk, last = walk + 1, va
        high = np.int64(va >> np.uint64(55)) & 1
        half = upper if high else lower
        if va & half.top_bits != (half.top_bits if high else np.uint64(0)):
            counts[FAULTS] += 1
            continue
        ia = np.int64(va & half.input_mask)
        owner = asid << 6 | high
        cache, kind = look_up(m, at, L1, ia, owner)
        if cache != NONE:
            counts[HITS + cache] += 1
            continue
        cache, kind = look_up(m, at, L2, ia, owner)
        if cache != NONE:
            counts[HITS + cache] += 1
            fill(m, at, L1, kind, ia, owner)
            continue
        if half.refused:
            counts[FAULTS] += 1
            continue
        counts[WALKS] += 1
        level, kind = np.int64(levels[walk]), np.int64(leaves[walk])
        for n in range(walk_from(m, at, half.start_level, level, ia, owner, counts), level + 1):
            counts[READS + 1 + n] += 1
            if n < level:
                fill(m, at, WALK_CACHES, table_kind(n), ia, owner)
        if kind == FAULT:
            counts[FAULTS] += 1
            continue
        fill(m, at, L1, kind, ia, owner)
        fill(m, at, L2, kind, ia, owner)


@compiled(inline="always")
def table_kind(level):  # type: ignore[no-untyped-def]
    """Kind of a table descriptor read at `level`: it has no nG bit, and belongs to the ASID."""
    return (level + 1) << 2 | NG


@compiled(inline="always")
def look_up(m, at, stage, ia, owner):  # type: ignore[no-untyped-def]
    """Look in the TLBs of a stage: (the one that has it, the kind that it has there), or (NONE, NONE)."""
    for cache in range(m[at.stages + stage], m[at.stages + stage + 1]):
        kinds = at.kinds + (2 * cache + (owner & 1)) * (1 + KINDS)
        for n in range(1, 1 + m[kinds]):
            kind = m[kinds + n]
            if hits(m, at, cache, kind, ia, owner):
                return cache, kind
    return NONE, NONE


@compiled(inline="always")
def walk_from(m, at, start_level, level, ia, owner, counts):  # type: ignore[no-untyped-def]
    """Look in the walk caches, the deepest level first: the level at which a walk that ends at `level` begins."""
    for n in range(level - 1, start_level - 1, -1):
        cache = m[at.holders + LEVELS * WALK_CACHES + n + 1]
        if cache != NONE and hits(m, at, cache, table_kind(n), ia, owner):
            counts[WALK_CACHE_HITS + 1 + n] += 1
            return n + 1
    return start_level


@compiled(inline="always")
def key_of(kind, number, owner):  # type: ignore[no-untyped-def]
    """The key of an entry of `kind` for the piece `number` of the address space; a global one drops the ASID."""
    return number << 22 | (owner if kind & NG else owner & 1) | kind << 1


@compiled(inline="always")
def hits(m, at, cache, kind, ia, owner):  # type: ignore[no-untyped-def]
    """Whether `cache` has the entry of `kind` for `ia`, which it then has used."""
    number = ia >> m[at.shifts + KINDS * (owner & 1) + kind]
    key = key_of(kind, number, owner)
    if m[at.keys + m[at.latest + cache]] == key:
        return True
    column = at.caches + COLUMNS * cache
    ways = m[column + WAYS]
    set = number & m[column + SETS] - 1
    first = at.keys + m[column + FIRST_SLOT] + set * ways
    for slot in range(np.uint64(first), np.uint64(first + ways)):  # unsigned, for which -1 is not the last element
        if m[slot] == key:
            use(m, at, cache, set, np.int64(slot) - at.keys)
            return True
    return False


@compiled(inline="always")
def fill(m, at, stage, kind, ia, owner):  # type: ignore[no-untyped-def]
    """Put an entry into the cache of the stage that holds its level, if one does."""
    cache = m[at.holders + LEVELS * stage + (kind >> 2)]
    if cache == NONE:
        return
    know_kind(m, at.kinds + (2 * cache + (owner & 1)) * (1 + KINDS), kind)
    number = ia >> m[at.shifts + KINDS * (owner & 1) + kind]
    set = number & m[at.caches + COLUMNS * cache + SETS] - 1
    slot = victim(m, at, cache, set)
    m[at.keys + slot] = key_of(kind, number, owner)
    use(m, at, cache, set, slot)


@compiled(inline="always")
def know_kind(m, kinds, kind):  # type: ignore[no-untyped-def]
    """From now on the cache whose kinds begin at `kinds` is probed for `kind`."""
    count = m[kinds]
    for n in range(1, 1 + count):
        if m[kinds + n] == kind:
            return
    m[kinds] = count + 1
    m[kinds + count + 1] = kind


@compiled(inline="always")
def use(m, at, cache, set, slot):  # type: ignore[no-untyped-def]
    """Note that `slot` was used."""
    m[at.clock] += 1
    m[at.used + slot] = m[at.clock]
    m[at.latest + cache] = slot
    column = at.caches + COLUMNS * cache
    if m[column + REPLACEMENT] == TREE_PLRU:
        # From the leaf to the root, each node points to the half that the way is not in.
        ways = m[column + WAYS]
        tree = at.trees + m[column + FIRST_SET] + set
        node = ways + (slot - m[column + FIRST_SLOT]) % ways
        while node > 1:
            bit = np.int64(1) << (node >> 1)
            m[tree] = m[tree] & ~bit if node & 1 else m[tree] | bit
            node >>= 1


@compiled(inline="always")
def victim(m, at, cache, set):  # type: ignore[no-untyped-def]
    """The slot that is replaced: the first empty one, or the choice of the replacement policy."""
    column = at.caches + COLUMNS * cache
    ways = m[column + WAYS]
    first = m[column + FIRST_SLOT] + set * ways
    # An empty slot was never used, and the first of them is the oldest of all.
    least, oldest = m[at.used + first], at.used + first
    for slot in range(np.uint64(at.used + first + 1), np.uint64(at.used + first + ways)):
        if m[slot] < least:
            least, oldest = m[slot], np.int64(slot)
    oldest -= at.used
    if m[at.keys + oldest] == EMPTY or m[column + REPLACEMENT] == LRU:
        return oldest
    if m[column + REPLACEMENT] == TREE_PLRU:
        tree = m[at.trees + m[column + FIRST_SET] + set]
        node = np.int64(1)
        while node < ways:
            node = 2 * node + (tree >> node & 1)
        return first + node - ways
    # xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2016).
    x = np.uint64(m[at.random + cache])
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    m[at.random + cache] = np.int64(x)
    x = x * np.uint64(0x2545_F491_4F6C_DD1D) >> np.uint64(32)
    return first + np.int64(x * np.uint64(ways) >> np.uint64(32))
