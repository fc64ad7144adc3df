"""The compiled loop of `walk_cost`: one access after the other through TLBs, walk caches and tables.

An entry is known by its key: the number of the piece of address space that it translates, the ASID, the kind of the
entry and the VA range. The kind is the level, the Contiguous bit where runs are joined, and nG; with the range it says
how large the piece is. A cache is probed once for each kind that it has ever held, which comes to the same as once for
each kind that there is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.compiled.walk_compiled import (
    LAST_TABLE,
    LEAF,
    Geometry,
    compiled,
    inlined,
    level_shift,
    output_address,
    read_last,
    walk_upper,
)
from pgtlab.arch.compiled.walk_many import VERDICT, leaf_rules, rule_index
from pgtlab.arch.cost.tlb import Hardware, Replacement
from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.fault import Access
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import U64
from pgtlab.arch.mmu import MMU

I64 = NDArray[np.int64]

LEVELS = LAST_LEVEL + 2  # from -1 on
KINDS = 4 * LEVELS
NG, CONTIGUOUS = 1, 2  # bits of a kind; the level is above them
L1, L2, WALK_CACHES, STAGES = range(4)
NONE, EMPTY = -1, -1  # no cache, and no key: those have 62 bits
LRU, TREE_PLRU, RANDOM = range(3)
POLICY = {Replacement.LRU: LRU, Replacement.TREE_PLRU: TREE_PLRU, Replacement.RANDOM: RANDOM}
FIRST_SLOT, FIRST_SET, SETS, WAYS, REPLACEMENT = range(5)  # columns of `State.caches`

# Places in the vector of counts. READS and WALK_CACHE_HITS begin with level -1, HITS with the first L1 TLB.
FAULTS, WALKS, READS, WALK_CACHE_HITS, HITS = 0, 1, 2, 2 + LEVELS, 2 + 2 * LEVELS


class State(NamedTuple):
    """All caches, one after the other: what they are, and what they hold."""

    caches: I64
    holders: I64  # [stage, level]: the cache that holds such entries, or NONE
    stages: I64  # where the caches of each stage begin, and where the last ones end
    keys: I64  # [slot]
    used: I64  # [slot]: when it was used last, for LRU
    trees: I64  # [set], for tree-PLRU: node n is bit n and has the children 2n and 2n + 1
    latest: I64  # [cache]: the slot that was used last
    kinds: I64  # [cache, range]: how many kinds it has held, then these kinds
    clock: I64  # one number: how many times any slot was used
    random: U64  # [cache]: the state of its random numbers


class Ranges(NamedTuple):
    """The VA ranges; in each array the lower one comes first."""

    lower: Geometry
    upper: Geometry
    refused: NDArray[np.bool_]
    top_bits: U64
    input_mask: U64
    rules: NDArray[np.uint16]
    shifts: I64  # [range, kind]: how many address bits a piece has
    coalesces: bool


def state(hardware: Hardware, seed: int) -> State:
    """`hardware` with nothing in it."""
    every = list(hardware)
    sizes = [(0, 0), *((cache.entries, cache.sets) for cache in every)]
    firsts = np.cumsum(sizes, axis=0)
    slots, sets = firsts[-1]
    rows = [
        (*first, cache.sets, cache.ways, POLICY[cache.replacement])
        for first, cache in zip(firsts.tolist(), every, strict=False)
    ]
    held = (hardware.l1, hardware.l2, hardware.walk_caches)
    stages = np.cumsum([0, *map(len, held)])
    holders = np.full((STAGES, LEVELS), NONE)
    for stage, caches in enumerate(held):
        for n, cache in enumerate(caches):
            holders[stage, [level + 1 for level in cache.levels]] = stages[stage] + n
    return State(
        np.array(rows, np.int64).reshape(len(every), 5),
        holders,
        stages,
        np.full(slots, EMPTY),
        np.zeros(slots, np.int64),
        np.zeros(sets, np.int64),
        firsts[:, 0].copy(),
        np.zeros((len(every), 2, KINDS + 1), np.int64),
        np.zeros(1, np.int64),
        np.random.default_rng(seed).integers(1, 1 << 63, len(every), np.uint64),
    )


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
        np.array([[_shift(r.format, kind, coalesces) for kind in range(KINDS)] for r in both]),
        coalesces,
    )


def _shift(format: DescriptorFormat, kind: int, coalesces: bool) -> int:
    level = (kind >> 2) - 1
    run = format.contiguous_entries(level) if kind & CONTIGUOUS and coalesces else 1
    return format.granule.level_shift(level) + run.bit_length() - 1


@compiled
def simulate(s, banks, ranges, vas, asids, counts):  # type: ignore[no-untyped-def]
    """Run `vas` through the hardware and add to `counts`; without `asids` all have ASID 0."""
    asid = np.int64(0)
    latest = ~np.uint64(0)  # no region's number
    above = np.int64(0), np.int64(0), np.uint64(0), np.uint64(0)
    for i in range(len(vas)):
        va = vas[i]
        if len(asids):
            asid = np.int64(asids[i])
        high = np.int64(va >> np.uint64(55)) & 1
        if va & ranges.top_bits[high] != (ranges.top_bits[high] if high else np.uint64(0)):
            counts[FAULTS] += 1
            continue
        ia = np.int64(va & ranges.input_mask[high])
        owner = asid << 6 | high
        cache, kind = look_up(s, ranges, L1, ia, owner)
        if cache != NONE:
            counts[HITS + cache] += 1
            continue
        cache, kind = look_up(s, ranges, L2, ia, owner)
        if cache != NONE:
            counts[HITS + cache] += 1
            fill(s, ranges, L1, kind, ia, owner)
            continue
        if ranges.refused[high]:
            counts[FAULTS] += 1
            continue
        counts[WALKS] += 1
        g = ranges.upper if high else ranges.lower
        region = np.uint64(ia) >> (g.shift + g.bits_per_level) << np.uint64(1) | np.uint64(high)
        if region != latest:  # the tables do not change, so that the upper levels need no second look
            above, latest = walk_upper(banks, g, np.uint64(ia)), region
        end, level, word, inherited = above
        if end == LAST_TABLE:
            end, word = read_last(banks, g, word, np.uint64(ia))
        for n in range(walk_from(s, ranges, g.start_level, level, ia, owner, counts), level + 1):
            counts[READS + 1 + n] += 1
            if n < level:
                fill(s, ranges, WALK_CACHES, table_kind(n), ia, owner)
        if (
            end != LEAF
            or output_address(g, word, level_shift(g, level)) >> g.output_bits
            or ranges.rules[high, rule_index(word, inherited)] & VERDICT
        ):
            counts[FAULTS] += 1
            continue
        kind = leaf_kind(level, word, ranges.coalesces)
        fill(s, ranges, L1, kind, ia, owner)
        fill(s, ranges, L2, kind, ia, owner)


@inlined
def table_kind(level):  # type: ignore[no-untyped-def]
    """Kind of a table descriptor read at `level`: it has no nG bit, and belongs to the ASID."""
    return (level + 1) << 2 | NG


@inlined
def leaf_kind(level, word, coalesces):  # type: ignore[no-untyped-def]
    """Kind of a leaf."""
    contiguous = np.int64(word >> np.uint64(52)) & 1 if coalesces else 0
    return (level + 1) << 2 | contiguous << 1 | np.int64(word >> np.uint64(11)) & 1


@inlined
def look_up(s, ranges, stage, ia, owner):  # type: ignore[no-untyped-def]
    """Look in the TLBs of a stage: (the one that has it, the kind that it has there), or (NONE, NONE)."""
    high = owner & 1
    for cache in range(s.stages[stage], s.stages[stage + 1]):
        for n in range(1, 1 + s.kinds[cache, high, 0]):
            kind = s.kinds[cache, high, n]
            if hits(s, ranges, cache, kind, ia, owner):
                return cache, kind
    return NONE, NONE


@inlined
def walk_from(s, ranges, start_level, level, ia, owner, counts):  # type: ignore[no-untyped-def]
    """Look in the walk caches, the deepest level first: the level at which a walk that ends at `level` begins."""
    for n in range(level - 1, start_level - 1, -1):
        cache = s.holders[WALK_CACHES, n + 1]
        if cache != NONE and hits(s, ranges, cache, table_kind(n), ia, owner):
            counts[WALK_CACHE_HITS + 1 + n] += 1
            return n + 1
    return start_level


@inlined
def key_of(kind, number, owner):  # type: ignore[no-untyped-def]
    """The key of an entry of `kind` for the piece `number` of the address space; a global one drops the ASID."""
    return number << 22 | (owner if kind & NG else owner & 1) | kind << 1


@inlined
def hits(s, ranges, cache, kind, ia, owner):  # type: ignore[no-untyped-def]
    """Whether `cache` has the entry of `kind` for `ia`, which it then has used."""
    number = ia >> ranges.shifts[owner & 1, kind]
    key = key_of(kind, number, owner)
    if s.keys[s.latest[cache]] == key:
        return True
    ways = s.caches[cache, WAYS]
    set = number & s.caches[cache, SETS] - 1
    first = s.caches[cache, FIRST_SLOT] + set * ways
    found = np.int64(NONE)
    for slot in range(np.uint64(first), np.uint64(first + ways)):  # unsigned, for which -1 is not the last element
        if s.keys[slot] == key:
            found = np.int64(slot)
            break
    if found != NONE:
        use(s, cache, set, found)
    return found != NONE


@inlined
def fill(s, ranges, stage, kind, ia, owner):  # type: ignore[no-untyped-def]
    """Put an entry into the cache of the stage that holds its level, if one does."""
    cache = s.holders[stage, kind >> 2]
    if cache == NONE:
        return
    know_kind(s, cache, owner & 1, kind)
    number = ia >> ranges.shifts[owner & 1, kind]
    set = number & s.caches[cache, SETS] - 1
    slot = victim(s, cache, set)
    s.keys[slot] = key_of(kind, number, owner)
    use(s, cache, set, slot)


@inlined
def know_kind(s, cache, high, kind):  # type: ignore[no-untyped-def]
    """From now on `cache` is probed for `kind`."""
    count = s.kinds[cache, high, 0]
    for n in range(1, 1 + count):
        if s.kinds[cache, high, n] == kind:
            return
    s.kinds[cache, high, 0] = count + 1
    s.kinds[cache, high, count + 1] = kind


@inlined
def use(s, cache, set, slot):  # type: ignore[no-untyped-def]
    """Note that `slot` was used."""
    s.clock[0] += 1
    s.used[slot] = s.clock[0]
    s.latest[cache] = slot
    if s.caches[cache, REPLACEMENT] == TREE_PLRU:
        # From the leaf to the root, each node points to the half that the way is not in.
        ways = s.caches[cache, WAYS]
        place = s.caches[cache, FIRST_SET] + set
        node = ways + (slot - s.caches[cache, FIRST_SLOT]) % ways
        while node > 1:
            bit = np.int64(1) << (node >> 1)
            s.trees[place] = s.trees[place] & ~bit if node & 1 else s.trees[place] | bit
            node >>= 1


@inlined
def victim(s, cache, set):  # type: ignore[no-untyped-def]
    """The slot that makes room: the first empty one, or the choice of the replacement."""
    ways = s.caches[cache, WAYS]
    first = s.caches[cache, FIRST_SLOT] + set * ways
    least, oldest = s.used[first], first  # an empty slot was never used, and the first of them is the oldest of all
    for slot in range(np.uint64(first + 1), np.uint64(first + ways)):
        if s.used[slot] < least:
            least, oldest = s.used[slot], np.int64(slot)
    if s.keys[oldest] == EMPTY or s.caches[cache, REPLACEMENT] == LRU:
        return oldest
    if s.caches[cache, REPLACEMENT] == TREE_PLRU:
        node = np.int64(1)
        while node < ways:
            node = 2 * node + (s.trees[s.caches[cache, FIRST_SET] + set] >> node & 1)
        return first + node - ways
    # xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2016).
    x = s.random[cache]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    s.random[cache] = x
    x = x * np.uint64(0x2545_F491_4F6C_DD1D) >> np.uint64(32)
    return first + np.int64(x * np.uint64(ways) >> np.uint64(32))
