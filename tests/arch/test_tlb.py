"""The cost of translation, against a model that shares no code with it, and against what is known of caches."""

from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.arch.cost import walk_cost
from pgtlab.arch.cost.tlb import CORTEX_A53, PLAIN, TLB, Hardware, Replacement, TLBGeometryError, WalkCache
from pgtlab.arch.cost.trace import KINDS, TraceError, strided, trace, uniform
from pgtlab.arch.cost.walk_cost import Cost, costs_so_far, simulate
from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.granule import GRANULES, LAST_LEVEL
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import SCTLR_EL1, TCR_EL1

MIB, GIB = 1 << 20, 1 << 30
MEMORY = 0x8000_0000  # what is mapped to; the tables are elsewhere


def mapper(granule=GRANULES[0], va_bits=48, **registers):
    size = 64 - va_bits
    return Mapper.in_ram(
        TCR_EL1(T0SZ=size, T1SZ=size, TG0=granule.tg0, TG1=granule.tg1, IPS=5, **registers), size=1 << 28
    )


def pages(size, granule=GRANULES[0], va_bits=48, **how):
    made = mapper(granule, va_bits)
    made.map_range(0, MEMORY, size, **{"blocks": False, "contiguous": False} | how)
    return made.mmu


def total(cost):
    return sum(cost.reads)


# A model that shares no code: entries of a set in a list, every entry of a TLB looked at, one `translate` an access.


class Lru:
    def __init__(self, ways):
        self.ways, self.entries = ways, OrderedDict()

    def use(self, entry):
        self.entries.move_to_end(entry)

    def add(self, entry):
        if len(self.entries) == self.ways:
            self.entries.popitem(last=False)
        self.entries[entry] = True


class TreePlru:
    """Halves of the set in halves: `colder` says of each half which half of it was not used last."""

    def __init__(self, ways):
        self.ways, self.entries, self.colder = ways, [], defaultdict(int)

    def use(self, entry):
        way, low, high = self.entries.index(entry), 0, self.ways
        while high - low > 1:
            middle = (low + high) // 2
            in_upper = way >= middle
            self.colder[low, high] = 0 if in_upper else 1
            low, high = (middle, high) if in_upper else (low, middle)

    def add(self, entry):
        if len(self.entries) < self.ways:
            self.entries.append(entry)
        else:
            low, high = 0, self.ways
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if self.colder[low, high] else (low, middle)
            self.entries[low] = entry
        self.use(entry)


class Cache:
    def __init__(self, geometry):
        self.levels = geometry.levels
        kind = {Replacement.LRU: Lru, Replacement.TREE_PLRU: TreePlru}[geometry.replacement]
        self.sets = [kind(geometry.ways) for _ in range(geometry.entries // geometry.ways)]

    def find(self, high, ia, asid, level=None):
        for one in self.sets:
            for entry in one.entries:
                its_level, bits, number, owner, its_high = entry
                mine = owner in (None, asid) and its_high == high and number == ia >> bits
                if mine and level in (None, its_level):
                    one.use(entry)
                    return entry
        return None

    def add(self, entry):
        if entry[0] in self.levels:
            self.sets[entry[2] % len(self.sets)].add(entry)


def reference(mmu, vas, hardware, asids, access=Access.READ, el=1):
    l1, l2, walk_caches = ([Cache(c) for c in stage] for stage in (hardware.l1, hardware.l2, hardware.walk_caches))
    l1_hits, l2_hits, reads, table_hits = [0] * len(l1), [0] * len(l2), [0] * 5, [0] * 5
    walks = faults = 0
    known = {}
    for va, asid in zip(vas, asids, strict=True):
        if va not in known:
            known[va] = mmu.translate(va, access, el)
        walk = known[va]
        r, high = walk.va_range, va >> 55 & 1
        ia = va & (1 << r.input_bits) - 1
        canonical = not isinstance(walk.outcome, Fault) or walk.steps
        hit = False
        for caches, counts in ((l1, l1_hits), (l2, l2_hits)):
            for i, cache in enumerate(caches):
                if canonical and not hit and (entry := cache.find(high, ia, asid)):
                    hit = True
                    counts[i] += 1
                    if caches is l2:
                        for above in l1:
                            above.add(entry)
        if hit:
            continue
        faults += isinstance(walk.outcome, Fault)
        if not walk.steps:
            continue
        walks += 1
        begin = walk.steps[0].level
        for step in reversed(walk.steps[:-1]):
            if any(step.level in c.levels and c.find(high, ia, asid, step.level) for c in walk_caches):
                table_hits[step.level] += 1
                begin = step.level + 1
                break
        for step in walk.steps:
            bits = r.granule.level_shift(step.level)
            if step.level >= begin:
                reads[step.level] += 1
                if isinstance(step.descriptor, Table) and step is not walk.steps[-1]:
                    for cache in walk_caches:
                        cache.add((step.level, bits, ia >> bits, asid, high))
        leaf = walk.steps[-1].descriptor
        if isinstance(leaf, Leaf) and not isinstance(walk.outcome, Fault):
            if leaf.Contiguous and hardware.coalesces:
                bits += {12: 4, 14: 7 if leaf.level == 3 else 5, 16: 5}[r.granule.shift]
            for cache in (*l1, *l2):
                cache.add((leaf.level, bits, ia >> bits, asid if leaf.nG else None, high))
    return Cost(len(vas), tuple(l1_hits), tuple(l2_hits), tuple(table_hits), tuple(reads), walks, faults)


def mixed(granule):
    """Pages, blocks, contiguous runs, global and not, otherwise in the upper range than in the lower; some fault."""
    made = mapper(granule)
    page, block = granule.size, 1 << granule.level_shift(2)
    for base in (0, -1 << 48 & (1 << 64) - 1):
        made.map_range(base, 0, 8 * page, contiguous=False, nG=int(base == 0))
        for n in (0, 1, 3, 5, 6):  # neighbours that differ, and holes
            made.map_range(base + 300 * block + n * page, n * page, page, contiguous=False, nG=n % 2)
        made.map_range(base + 16 * page, 16 * page, 4 * page, contiguous=False)
        made.map_range(base + block, block, 1 << granule.level_shift(3) + 8, blocks=False)
        made.map_range(base + 64 * block, 64 * block, 2 * block, contiguous=False, nG=1)
        made.map_range(base + 128 * block, 128 * block, 32 * block, nG=1)
        made.map_range(base + 200 * block, 0, 4 * page, AF=0)
        made.map_range(base + 201 * block, 0, 4 * page, contiguous=False, AP=0b01)
        made.map_range(base + (1 << 46), 0, 4 * page, contiguous=False)
    starts = [0, 300 * block, 16 * page, block, 64 * block, 128 * block, 200 * block, 201 * block, 1 << 46, 1 << 45]
    pool = [base + start + n * step for base in (0, 0xFFFF << 48) for start in starts for n in range(8)
            for step in (page, block // 2)]  # fmt: skip
    return made.mmu, [va & (1 << 64) - 1 for va in [*pool, 1 << 50, 0xFFF0 << 48]]


MIXED = [mixed(granule) for granule in GRANULES]


@st.composite
def caches(draw, kind, levels):
    replacement = draw(st.sampled_from([Replacement.LRU, Replacement.TREE_PLRU]))
    ways = draw(st.sampled_from([1, 2, 4, 8] if replacement is Replacement.TREE_PLRU else [1, 2, 3, 5, 8]))
    return kind(ways * draw(st.sampled_from([1, 2, 4])), ways, replacement, levels)


@st.composite
def hardware(draw):
    def stage(kind, split):
        return tuple(draw(caches(kind, levels)) for levels in draw(st.sampled_from(split)))

    leaves = [[], [(0, 1, 2, 3)], [(3,), (1, 2)], [(3,)]]
    tables = [[], [(-1, 0, 1, 2)], [(0,), (1,), (2,)], [(2,)], [(0, 2), (1,)]]
    return Hardware(stage(TLB, leaves), stage(TLB, leaves), stage(WalkCache, tables), draw(st.booleans()))


@pytest.mark.slow
@given(st.data(), hardware(), st.sampled_from(MIXED), st.sampled_from([0, 1]), st.sampled_from([1, 7, 1000]))
def test_agrees_with_a_model_that_shares_no_code(data, hardware, tables, el, chunk):
    mmu, pool = tables
    some = data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=30))
    draw = np.random.default_rng(data.draw(st.integers(0, 1000)))
    vas = draw.choice(np.array(some, np.uint64), 150)
    asids = draw.integers(0, data.draw(st.sampled_from([1, 3])), 150)
    cost = simulate(mmu, vas, hardware, asids=asids, el=el, chunk=chunk)
    assert cost == reference(mmu, vas.tolist(), hardware, asids.tolist(), el=el)
    assert [*costs_so_far(mmu, vas, hardware, asids=asids, el=el, compiled=False)] == [cost]


def test_the_pool_has_something_of_everything():
    for mmu, pool in MIXED:
        cost = simulate(mmu, pool, Hardware())
        assert 0 < cost.faults < cost.accesses
        assert cost.walks < cost.accesses  # some fault before any walk
        walks = [mmu.translate(va) for va in pool]
        leaves = [walk.steps[-1].descriptor for walk in walks if not isinstance(walk.outcome, Fault)]
        kinds = {(leaf.level, leaf.Contiguous, leaf.nG) for leaf in leaves}
        assert {(3, 0, 1), (3, 0, 0), (3, 1, 0), (2, 0, 1), (2, 1, 1)} <= kinds


# What is known of caches.


@pytest.mark.parametrize("granule", GRANULES, ids=str)
@pytest.mark.parametrize("va_bits", [39, 42, 47, 48])
def test_without_caches_a_translation_reads_one_descriptor_a_level(granule, va_bits):
    mmu = pages(MIB, granule, va_bits)
    cost = simulate(mmu, uniform(0, MIB, 500), Hardware())
    levels = LAST_LEVEL + 1 - mmu.lower.start_level
    assert cost.reads_per_access == cost.reads_per_walk == levels
    assert [cost.reads[level] for level in range(-1, 4)] == [
        500 * (level >= mmu.lower.start_level) for level in range(-1, 4)
    ]


def test_a_sweep_misses_once_for_each_page():
    mmu = pages(4 * MIB)
    cost = simulate(mmu, np.arange(0, 4 * MIB, 64), Hardware(l1=(TLB(1),)))
    assert cost.walks == cost.misses == 4 * MIB // 4096
    assert cost.l1_hits == (4 * MIB // 64 - 1024,)


def test_what_fits_misses_only_once():
    mmu = pages(4 * MIB)
    for hardware in (Hardware(l1=(TLB(64),)), Hardware(l2=(TLB(64, ways=4),))):
        assert simulate(mmu, trace("chase", 0, 64 * 4096, 20_000), hardware).walks == 64
    # One page more than fits, in turn: LRU has always just let go of the next one.
    assert simulate(mmu, strided(0, 65 * 4096, 6500), Hardware(l1=(TLB(64),))).walks == 6500


@settings(max_examples=20)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 99), st.integers(1, 60))
def test_more_entries_never_miss_more(kind, seed, entries):
    vas = KINDS[kind](0, MIB, 2000, seed=seed)
    mmu = PAGES
    few, more = (simulate(mmu, vas, Hardware(l1=(TLB(n),))).walks for n in (entries, entries + 1))
    assert more <= few


PAGES = pages(4 * MIB)


@pytest.mark.parametrize("replacement", Replacement)
def test_one_way_leaves_nothing_to_choose(replacement):
    vas = uniform(0, MIB, 2000)
    walks = [simulate(PAGES, vas, Hardware(l1=(TLB(16, 1, r),))).walks for r in (replacement, Replacement.LRU)]
    assert walks[0] == walks[1]


def test_random_replacement_repeats_with_its_seed():
    vas, hardware = uniform(0, 4 * MIB, 5000), Hardware(l1=(TLB(48, 12, Replacement.RANDOM),))
    costs = [simulate(PAGES, vas, hardware, seed=seed) for seed in (1, 1, 2)]
    assert costs[0] == costs[1] != costs[2]


def test_random_replacement_chooses_all_ways_alike():
    # N pages in turn through E entries with random replacement miss as often as the closed form for the cycle says:
    # a page survives m misses with probability (1 - 1/E) ** m, and there are m = N * miss of them between its uses.
    entries, count = 64, 96
    vas = strided(0, count * 4096, 200_000)
    rate = simulate(PAGES, vas, Hardware(l1=(TLB(entries, None, Replacement.RANDOM),))).walks / len(vas)
    assert rate == pytest.approx(1 - (1 - 1 / entries) ** (count * rate), abs=0.01)


@pytest.mark.parametrize("granule", GRANULES, ids=str)
def test_a_contiguous_run_is_one_entry(granule):
    size = 1 << granule.level_shift(2)
    plain, runs = pages(size, granule), pages(size, granule, contiguous=True)
    vas = np.arange(0, size, granule.size // 4)
    misses = {
        (name, coalesces): simulate(mmu, vas, Hardware(l1=(TLB(4),), coalesces=coalesces)).misses
        for name, mmu in (("plain", plain), ("runs", runs))
        for coalesces in (True, False)
    }
    every_page = size // granule.size
    assert misses["runs", True] * {12: 16, 14: 128, 16: 32}[granule.shift] == every_page
    assert misses["runs", False] == misses["plain", True] == misses["plain", False] == every_page


def test_a_block_is_one_entry():
    made = mapper()
    made.map_range(0, MEMORY, 8 * MIB, contiguous=False)
    cost = simulate(made.mmu, np.arange(0, 8 * MIB, 4096), Hardware(l1=(TLB(1),)))
    assert (cost.walks, cost.reads) == (4, (4, 4, 4, 0, 0))


def test_asids_do_not_share_what_is_not_global():
    mine, shared = pages(64 * 4096, nG=1), pages(64 * 4096, nG=0)
    vas, asids = np.tile(strided(0, 64 * 4096, 64), 4), np.repeat([1, 2, 1, 2], 64)
    hardware = Hardware(l1=(TLB(256),))
    assert simulate(mine, vas, hardware, asids=asids).walks == 128
    assert simulate(shared, vas, hardware, asids=asids).walks == 64
    assert simulate(mine, vas, hardware).walks == 64


def test_the_two_ranges_have_nothing_in_common():
    made = mapper()
    made.map_range(0, MEMORY, 4096)
    upper = 0xFFFF << 48
    made.map_range(upper + 4096, MEMORY, 4096)
    cost = simulate(made.mmu, [0, upper, 4096, upper + 4096, 0, upper + 4096], Hardware(l1=(TLB(8),)))
    assert (cost.faults, cost.l1_hits) == (2, (2,))


def test_a_tlb_holds_only_the_levels_that_it_is_built_for():
    made = mapper()
    made.map_range(0, MEMORY, 2 * MIB, contiguous=False)
    made.map_range(4 * MIB, MEMORY, 4096, contiguous=False)
    vas = [0, 4 * MIB] * 10
    cost = simulate(made.mmu, vas, Hardware(l1=(TLB(4, levels=(3,)), TLB(4, levels=(1, 2)))))
    assert cost.l1_hits == (9, 9)
    assert simulate(made.mmu, vas, Hardware(l1=(TLB(4, levels=(3,)),))).walks == 11


def test_a_walk_cache_saves_the_levels_above_it():
    mmu, vas = pages(64 * MIB), strided(0, 64 * MIB, 16384)
    for level in (0, 1, 2):
        cost = simulate(mmu, vas, Hardware(walk_caches=(WalkCache(64, levels=(level,)),)))
        tables = 32 if level == 2 else 1
        assert cost.walk_cache_hits[level] == sum(cost.walk_cache_hits) == 16384 - tables
        assert cost.reads == (*(16384 if n > level else tables for n in (0, 1, 2, 3)), 0)


def test_an_l2_hit_fills_l1_and_l2_keeps_it():
    hardware = Hardware(l1=(TLB(1),), l2=(TLB(2),))
    cost = simulate(PAGES, [0, 4096, 0, 0, 4096, 4096], hardware)
    assert (cost.l1_hits, cost.l2_hits, cost.walks) == ((2,), (2,), 2)


@pytest.mark.parametrize("windows", [1, 3, 7])
def test_windows_add_up(windows):
    vas = uniform(0, 8 * MIB, 1000)
    whole, cut = simulate(PAGES, vas), simulate(PAGES, vas, windows=windows, chunk=100)
    assert len(cut.windows) == windows
    for name in ("accesses", "walks", "faults", "l1_hits", "l2_hits", "reads", "walk_cache_hits"):
        assert cut.over_time(name).sum() == np.sum(getattr(whole, name)) == np.sum(getattr(cut, name))
    assert cut.over_time("accesses").max() == -(-1000 // windows)


@pytest.mark.parametrize("chunk", [1, 300, 1000, 5000])
def test_the_costs_so_far_grow_into_the_whole(chunk):
    vas = uniform(0, 8 * MIB, 1000)
    asids = np.arange(1000) // 100 % 3
    costs = list(costs_so_far(PAGES, vas, asids=asids, chunk=chunk))
    assert costs[-1] == simulate(PAGES, vas, asids=asids)
    assert [cost.accesses for cost in costs] == [*range(chunk, 1000, chunk), 1000]
    for cost in costs[:: len(costs) // 4 + 1]:
        assert cost == simulate(PAGES, vas[: cost.accesses], asids=asids[: cost.accesses])


def test_an_empty_trace_costs_nothing():
    assert simulate(PAGES, []) == Cost(0, (0,), (0,), (0,) * 5, (0,) * 5, 0, 0)
    assert simulate(PAGES, [], windows=2).over_time("walks").tolist() == [0, 0]


def test_a_fault_is_counted_each_time():
    cost = simulate(PAGES, [1 << 40] * 5 + [1 << 60] * 3)
    assert (cost.faults, cost.walks, cost.misses) == (8, 5, 8)
    assert cost.reads == (5, 0, 0, 0, 0)


def test_a_range_that_is_not_walked_only_faults():
    made = mapper(EPD0=1)
    cost = simulate(made.mmu, [0, 4096])
    assert (cost.faults, cost.walks, total(cost)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: TLB(0), "entries=0: a whole number from 1 on; did you mean 1"),
        (lambda: TLB(48, ways=5), "5 ways do not divide 48 entries; did you mean ways=6"),
        (lambda: TLB(48, ways=4), "12 sets are not a power of two; did you mean ways=3"),
        (lambda: TLB(64, 64.0), "ways=64.0: a whole number from 1 on"),
        (lambda: TLB(48, None, Replacement.TREE_PLRU), "48 ways make no tree.*; did you mean entries=32, ways=32"),
        (lambda: TLB(128, replacement=Replacement.TREE_PLRU), "at most 64; did you mean ways=64"),
        (lambda: TLB(4, levels=(-1,)), r"levels=\(-1,\).*the choice is \(0, 1, 2, 3\)"),
        (lambda: WalkCache(4, levels=(2, 2)), r"levels=\(2, 2\): a WalkCache has each level once"),
        (lambda: WalkCache(4, levels=(3,)), r"the choice is \(-1, 0, 1, 2\)"),
        (lambda: Hardware(l2=(TLB(4), TLB(4))), "two of l2 hold level 0"),
    ],
)
def test_what_cannot_be_built_is_refused(make, says):
    with pytest.raises(TLBGeometryError, match=says):
        make()


@pytest.mark.parametrize("entries", [1, 6, 48, 1280])
@pytest.mark.parametrize("replacement", Replacement)
def test_suggested_geometry_is_legal(entries, replacement):
    for ways in range(1, 200):
        try:
            TLB(entries, ways, replacement)
        except TLBGeometryError as error:
            offer = dict(pair.split("=") for pair in str(error).rpartition("did you mean ")[2].rstrip("?").split(", "))
            legal = {"entries": entries, "ways": ways} | {name: int(n) for name, n in offer.items()}
            assert TLB(**legal, replacement=replacement).ways == legal["ways"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"asids": [1]}, r"shape \(1,\).*the nearest shape is \(2,\)"),
        ({"asids": [1, 70000]}, "ASID 70000: an ASID has 16 bits; did you mean 65535"),
        ({"asids": [1, -1]}, "ASID -1: an ASID has 16 bits; did you mean 0"),
        ({"asids": [1.0, 2.0]}, "asids has float64"),
        ({"windows": -1}, "windows=-1: it must be at least 0"),
        ({"chunk": 0}, "chunk=0: it must be at least 1"),
        ({"trace": [[0]]}, "2 dimensions: it has one"),
    ],
)
def test_misuse_is_refused(arguments, says):
    with pytest.raises(TraceError, match=says):
        simulate(PAGES, **{"trace": [0, 1]} | arguments)


def test_an_mmu_that_is_off_costs_nothing_and_is_refused():
    with pytest.raises(TraceError, match="did you mean M=1"):
        simulate(Mapper.in_ram(TCR_EL1(T0SZ=16), sctlr=SCTLR_EL1()).mmu, [0])


def test_presets_run():
    for hardware in (PLAIN, CORTEX_A53):
        cost = simulate(PAGES, uniform(0, 4 * MIB, 1000), hardware)
        assert cost.accesses == sum(cost.l1_hits) + sum(cost.l2_hits) + cost.walks


def test_the_progress_bar_is_silent_where_there_is_no_terminal(capsys):
    simulate(PAGES, uniform(0, MIB, 100), progress=True)
    assert capsys.readouterr() == ("", "")


def test_memory_does_not_grow_with_the_trace(monkeypatch):
    sizes = []
    monkeypatch.setattr(walk_cost.np, "ascontiguousarray", lambda a: sizes.append(len(a)) or a)
    simulate(PAGES, np.zeros(3 * walk_cost.CHUNK + 1, np.uint64))
    assert max(sizes) == walk_cost.CHUNK
