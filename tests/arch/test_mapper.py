"""What is mapped is translated, with the largest leaves that fit, and nothing else is."""

import numpy as np
import pytest
import reference_walk
from hypothesis import given
from hypothesis import strategies as st
from reference_walk import Registers

from pgtlab.arch.bitfield import FieldError
from pgtlab.arch.fault import Fault, FaultKind
from pgtlab.arch.mapper import Mapper, MappingError
from pgtlab.arch.registers import TCR_EL1
from pgtlab.arch.tables.tree import table_tree
from pgtlab.arch.walk import Translation

TG0_TG1 = {"4K": (0, 2), "16K": (2, 1), "64K": (1, 3)}


@st.composite
def regimes(draw):
    """TCR_EL1 with any granule and any legal size for each range."""
    granules = draw(st.sampled_from(sorted(TG0_TG1))), draw(st.sampled_from(sorted(TG0_TG1)))
    ds = draw(st.integers(0, 1))
    sizes = [
        draw(st.integers(12 if ds or granule == "64K" else 16, 47 if granule == "64K" else 48)) for granule in granules
    ]
    return TCR_EL1(T0SZ=sizes[0], T1SZ=sizes[1], TG0=TG0_TG1[granules[0]][0], TG1=TG0_TG1[granules[1]][1], DS=ds, IPS=6)


@given(regimes(), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_map_then_translate_is_identity(tcr, upper, blocks, contiguous, data):
    mapper = Mapper.in_ram(tcr)
    r = mapper.mmu.upper if upper else mapper.mmu.lower
    granule, first = r.granule.size, (1 << 64) - (1 << r.input_bits) if upper else 0
    last = (1 << r.input_bits) // granule - 1
    # Near an aligned address, so that blocks happen.
    near = data.draw(st.integers(0, last)) >> (shift := data.draw(st.integers(0, 26))) << shift
    start = min(max(near + data.draw(st.integers(-3, 3)), 0), last)
    count = min(data.draw(st.integers(1, 3000)), last - start + 1)
    frames = (1 << r.output_bits) // granule
    frame = data.draw(st.integers(0, frames - count)) >> shift << shift
    frame = min(frame + data.draw(st.sampled_from([0, 0, start % (1 << shift)])), frames - count)
    va, pa, size = first + start * granule, frame * granule, count * granule
    mapper.map_range(va, pa, size, blocks=blocks, contiguous=contiguous)
    registers = Registers(int(tcr), int(mapper.mmu.ttbr0), int(mapper.mmu.ttbr1), int(mapper.mmu.mair), 1)
    everywhere = np.uint64(va) + np.arange(0, size, size // 200 + 1, dtype=np.uint64)
    assert (mapper.mmu.translate_many(everywhere).pa - everywhere == pa - va & (1 << 64) - 1).all()
    for offset in {0, size - 1, data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))}:
        assert reference_walk.translate(registers, mapper.mmu.memory.read64, va + offset, "r", 1).pa == pa + offset
        outcome = mapper.mmu.translate(va + offset).outcome
        assert isinstance(outcome, Translation)
        assert outcome.pa == pa + offset
        assert blocks or outcome.level == 3
        assert contiguous or not outcome.attributes.Contiguous
    for outside in {va - 1, va + size}:
        if 0 <= outside < 1 << 64:
            outcome = mapper.mmu.translate(outside).outcome
            assert isinstance(outcome, Fault)
            assert outcome.kind is FaultKind.TRANSLATION
            assert reference_walk.translate(registers, mapper.mmu.memory.read64, outside, "r", 1).pa is None
            assert not mapper.mmu.translate_many(outside).ok


@given(regimes(), st.booleans(), st.booleans(), st.data())
def test_map_range_uses_the_largest_leaves_and_runs(tcr, blocks, contiguous, data):
    """By trying, for each, all that the Arm ARM lists (D8.3.1, D8.7.1): is the whole of it mapped, and aligned?"""
    mapper = Mapper.in_ram(tcr)
    r = mapper.mmu.lower
    granule, end = r.granule.size, 1 << r.input_bits
    sizes = {
        ("4K", 48): {3: 4 << 10, 2: 2 << 20, 1: 1 << 30},
        ("4K", 52): {3: 4 << 10, 2: 2 << 20, 1: 1 << 30, 0: 512 << 30},
        ("16K", 48): {3: 16 << 10, 2: 32 << 20},
        ("16K", 52): {3: 16 << 10, 2: 32 << 20, 1: 64 << 30},
        ("64K", 52): {3: 64 << 10, 2: 512 << 20, 1: 4 << 40},
    }[str(r.granule), 52 if tcr.DS or granule == 1 << 16 else 48]
    runs = {
        "4K": {3: 64 << 10, 2: 32 << 20, 1: 16 << 30},
        "16K": {3: 2 << 20, 2: 1 << 30},
        "64K": {3: 2 << 20, 2: 16 << 30},
    }[str(r.granule)]
    sizes = {level: size for level, size in sizes.items() if size < end}  # an entry is a part of the range
    units = [size for size in [*sizes.values(), *runs.values()] if size <= end]
    delta = data.draw(st.sampled_from([0, 0, *sizes.values()]))
    size = data.draw(st.sampled_from(units)) * data.draw(st.integers(1, 3)) + granule * data.draw(st.integers(-3, 3))
    most = 3000 * (max(leaf for leaf in sizes.values() if delta % leaf == 0) if blocks else granule)
    size = max(granule, min(size, end, most))  # not too many leaves
    va = min(data.draw(st.sampled_from([0, granule, 3 * granule, end])), end - size)
    pa = va + delta if va + delta + size <= 1 << r.output_bits else va
    mapper.map_range(va, pa, size, blocks=blocks, contiguous=contiguous)

    def fits(leaf):
        return va <= at // leaf * leaf and at // leaf * leaf + leaf <= va + size and (va - pa) % leaf == 0

    places = {0, 1, 3, 15, 16, 17, 127, 128, *data.draw(st.lists(st.integers(0, size // granule), max_size=5))}
    for place in places:
        for at in va + place * granule, va + size - (place + 1) * granule:
            if va <= at < va + size:
                found = mapper.mmu.translate(at).outcome
                level = min(level for level, leaf in sizes.items() if fits(leaf)) if blocks else 3
                assert found.level == level
                assert found.attributes.Contiguous == (contiguous and level in runs and fits(runs[level]))


@given(regimes(), st.data())
def test_leaves_are_as_large_as_they_can_be(tcr, data):
    """For each leaf: no larger one would fit; and Contiguous is set on whole aligned runs inside the range, only."""
    mapper = Mapper.in_ram(tcr)
    r = mapper.mmu.lower
    granule = r.granule.size
    last = (1 << r.input_bits) // granule
    shift = data.draw(st.integers(0, 20))
    start = data.draw(st.integers(0, last - 1)) >> shift << shift
    count = min(data.draw(st.integers(1, 6000)), last - start)
    aligned = data.draw(st.booleans())
    va, size = start * granule, count * granule
    pa = va if aligned and va + size <= 1 << r.output_bits else (data.draw(st.integers(0, 1 << 30)) * granule) >> 1
    pa = pa // granule * granule % ((1 << r.output_bits) - size + granule)
    mapper.map_range(va, pa, size)
    tree = table_tree(mapper.mmu)
    covered = 0
    for run in tree.leaves():
        level, entry = run.descriptor.level, run.entry_size
        covered += run.size
        delta = run.va - run.descriptor.oa
        assert delta == va - pa
        if level > r.format.first_block_level and level - 1 >= r.start_level:
            larger = 1 << r.granule.level_shift(level - 1)
            for base in range(run.va // larger * larger, run.va + run.size, larger):
                assert delta % larger or base < va or base + larger > va + size
        group = entry * r.format.contiguous_entries(level)
        if run.descriptor.Contiguous:
            assert group > entry
            assert run.va % group == run.size % group == delta % group == 0
        elif group > entry and delta % group == 0:
            table_end = run.va // (t := 1 << r.granule.level_shift(level - 1)) * t + t
            end = min(run.va + run.size, table_end)
            whole = -(-run.va // group) * group
            assert whole + group > end  # no whole run is left without the bit
    assert covered == size


@pytest.mark.parametrize(
    ("granule", "entry", "run"),
    [
        ("4K", 4 << 10, 16),
        ("4K", 2 << 20, 16),
        ("4K", 1 << 30, 16),
        ("16K", 16 << 10, 128),
        ("16K", 32 << 20, 32),
        ("64K", 64 << 10, 32),
        ("64K", 512 << 20, 32),
    ],
)
def test_only_whole_runs_are_contiguous(granule, entry, run):
    """Arm ARM D8.7.1. Twice a run but for the last entry, from the second run on."""
    m = Mapper.in_ram(TCR_EL1(T0SZ=16, TG0=TG0_TG1[granule][0], IPS=5))
    m.map_range(run * entry, 3 * run * entry, (2 * run - 1) * entry)
    found = [m.mmu.translate((run + i) * entry).outcome for i in range(2 * run - 1)]
    assert [outcome.attributes.Contiguous for outcome in found] == [1] * run + [0] * (run - 1)
    assert len({outcome.level for outcome in found}) == 1


def mapper():
    return Mapper.in_ram(TCR_EL1(T0SZ=25, T1SZ=25, TG1=2, IPS=2))


def test_the_fields_of_the_leaves_are_those_given():
    m = mapper()
    m.map_range(0x1000, 0x2000, 0x1000, AF=0, SH=2, AttrIndx=3, nG=1, software=5)
    page = m.mmu.translate(0x1000).steps[-1].descriptor
    assert (page.AF, page.SH, page.AttrIndx, page.nG, page.software, page.UXN) == (0, 2, 3, 1, 5, 0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((0x1001, 0, 0x1000), "va=0x1001 is not a multiple of the 4K granule: the nearest below is 0x1000"),
        ((0, 0x10, 0x1000), "pa=0x10 is not a multiple of the 4K granule: the nearest below is 0x0"),
        ((0, 0, 0), "size=0 maps nothing: the smallest is one granule, 0x1000"),
        ((0, 0, -0x1000), "size=-0x1000 is not a multiple"),
        ((0x80_0000_0000, 0, 0x1000), "is not inside the lower range, which is 0x0 to 0x7fffffffff"),
        ((0x7F_FFFF_F000, 0, 0x2000), "is not inside the lower range"),
        ((0xFFFF_FF7F_FFFF_F000, 0, 0x1000), "is not inside the upper range, which is 0xffffff8000000000 to 0xf{16}"),
        ((0, 0xFF_FFFF_F000, 0x2000), "more than 40 bits of physical address: the highest .* is 0xffffffe000"),
    ],
)
def test_map_range_refuses_illegal_ranges(arguments, sentence):
    m = mapper()
    with pytest.raises(MappingError, match=sentence):
        m.map_range(*arguments)
    assert list(m.mmu.memory.pages) == []


@pytest.mark.parametrize("second", [0x1000, 0x20_0000], ids=["page over page", "page under block"])
def test_a_mapping_is_not_replaced(second):
    m = mapper()
    m.map_range(0x1000, 0x1000, 0x1000)
    m.map_range(0x20_0000, 0x20_0000, 0x20_0000)
    with pytest.raises(MappingError, match="map_range does not replace mappings"):
        m.map_range(second, 0x8000_0000, 0x1000)
    assert m.mmu.translate(second).outcome.pa == second


def test_unknown_fields_are_refused():
    with pytest.raises(FieldError, match="has no field colour"):
        mapper().map_range(0x1000, 0, 0x1000, colour=1)


def test_tables_need_frames():
    with pytest.raises(MappingError, match="no frame is left for another table: give the mapper more RAM"):
        Mapper.in_ram(TCR_EL1(T0SZ=16), size=4 * 4096).map_range(0, 0, 0x1000)


def tables_and_frames(mapper):
    """How many tables the first tables lead to, and how many frames were taken and are not free."""
    trees = [table_tree(mapper.mmu, upper=upper) for upper in (False, True)]
    taken = (next(mapper.frames) - mapper.mmu.memory.base >> mapper.mmu.memory.page_shift) - len(mapper.free)
    return sum(len(list(tree.tables())) for tree in trees), taken


def placed(data, r, unit, largest):
    """An address and a size, in multiples of the granule, that begin and end near multiples of `unit`."""
    pages = (1 << r.input_bits) // r.granule.size
    start = data.draw(st.integers(0, pages - 1)) // unit * unit + data.draw(st.integers(-2, 2))
    start = min(max(start, 0), pages - 1)
    count = data.draw(st.integers(1, largest)) // unit * unit + data.draw(st.integers(1, 3))
    return r.first + start * r.granule.size, min(count, pages - start) * r.granule.size


@given(regimes(), st.booleans(), st.data())
def test_map_then_unmap_restores(tcr, blocks, data):
    """Every word of every table is as it was, and all frames but those of the first mapping are free."""
    mapper = Mapper.in_ram(tcr)
    r = data.draw(st.sampled_from([mapper.mmu.lower, mapper.mmu.upper]))
    va, size = placed(data, r, data.draw(st.sampled_from([1, 16, r.entries(3)])), 3000)
    mapper.map_range(va, 0x10_0000_0000, size, blocks=blocks)
    memory = mapper.mmu.memory
    before = {pa: memory.read(pa, 512) for pa in memory.pages}
    other = data.draw(st.sampled_from([mapper.mmu.lower, mapper.mmu.upper]))
    second, length = placed(data, other, data.draw(st.sampled_from([1, 16, other.entries(3)])), 3000)
    if other is r and va < second + length and second < va + size:
        return
    mapper.map_range(second, 0x20_0000_0000, length, blocks=blocks)
    mapper.unmap_range(second, length)
    assert all(np.array_equal(memory.read(pa, 512), words) for pa, words in before.items())
    assert not any(memory.read(pa, 512).any() for pa in set(memory.pages) - set(before))
    tables, taken = tables_and_frames(mapper)
    assert tables == taken


@given(regimes(), st.booleans(), st.data())
def test_unmap_range_unmaps_its_range_only(tcr, contiguous, data):
    mapper = Mapper.in_ram(tcr)
    r = data.draw(st.sampled_from([mapper.mmu.lower, mapper.mmu.upper]))
    granule, unit = r.granule.size, data.draw(st.sampled_from([1, r.entries(3), r.entries(3) * 16]))
    va, size = placed(data, r, unit, 4 * unit)
    pa = data.draw(st.sampled_from([va - r.first & (1 << 40) - 1, 0x10_0000 * granule]))
    pa = min(pa, (1 << r.output_bits) - size)
    mapper.map_range(va, pa, size, contiguous=contiguous, AP=3, AttrIndx=1, nG=1, software=5)
    pages = size // granule
    first = data.draw(st.integers(0, pages - 1))
    count = data.draw(st.integers(1, pages - first))
    every = {0, pages - 1, first, first - 1, first + count, first + count - 1, *range(0, pages, pages // 50 + 1)}
    vas = np.array([va + page * granule for page in sorted(every) if 0 <= page < pages], np.uint64)
    before = mapper.mmu.translate_many(vas)
    mapper.unmap_range(va + first * granule, count * granule)
    after = mapper.mmu.translate_many(vas)
    gone = (vas >= va + first * granule) & (vas < np.uint64(va + first * granule) + np.uint64(count * granule - 1))
    assert (after.ok == ~gone).all()
    assert np.array_equal(after.pa[~gone], before.pa[~gone])
    but_contiguous = 0x7FFF
    assert np.array_equal(after.attributes[~gone] & but_contiguous, before.attributes[~gone] & but_contiguous)
    for run in table_tree(mapper.mmu, upper=r.upper).leaves():
        whole = run.descriptor.format.contiguous_entries(run.descriptor.level)
        assert not run.descriptor.Contiguous or run.index % whole == run.count % whole == 0
    tables, taken = tables_and_frames(mapper)
    assert tables == taken
    mapper.unmap_range(va, size)
    assert not mapper.mmu.translate_many(vas).ok.any()
    assert tables_and_frames(mapper)[0] == 2  # the first ones of both ranges


def test_unmap_range_without_a_frame_changes_nothing():
    m = Mapper.in_ram(TCR_EL1(T0SZ=25, T1SZ=25, TG1=2), size=3 << 12)  # two first tables, and one more
    m.map_range(0x4000_0000, 0x8000_0000, 0x4000_0000)
    m.frames.__next__()
    with pytest.raises(MappingError, match="no frame is left for another table"):
        m.unmap_range(0x4000_0000, 0x1000)
    assert m.mmu.translate(0x4000_0000).outcome.pa == 0x8000_0000


def test_split_drops_bits_that_only_blocks_have():
    m = mapper()
    m.map_range(0x20_0000, 0x40_0000, 0x20_0000, nT=1)
    m.unmap_range(0x20_0000, 0x1000)
    assert m.mmu.translate(0x20_1000).outcome.pa == 0x40_1000


def test_freed_tables_are_used_again():
    m = mapper()
    m.map_range(0x1000, 0x1000, 0x1000)
    m.unmap_range(0x1000, 0x1000)
    freed = set(m.free)
    m.map_range(0x5000_0000, 0x1000, 0x1000)
    assert len(freed) == 2
    assert m.free == []
    assert freed < {table.pa for table in table_tree(m.mmu).tables()}


def test_unmap_range_of_unmapped_addresses():
    m = mapper()
    m.unmap_range(0x1000, 0x20_0000)
    assert list(m.mmu.memory.pages) in ([], [m.mmu.lower.base])
    assert m.mmu.translate(0x1000).outcome.level == 1
