"""A walk shows what was read, and the registers that it ends in say what hardware would say."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.descriptor import Invalid, Leaf, Table
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind, status_code_name
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.regime import UnsupportedRegime
from pgtlab.arch.registers import MAIR_EL1, SCTLR_EL1, TCR_EL1, TTBR0_EL1, TTBR1_EL1, PARange
from pgtlab.arch.translations import NO_FAULT, NO_LEVEL, Translations

DATA = Path(__file__).parents[1] / "data"
FOUR_LEVELS = TCR_EL1(T0SZ=16, T1SZ=16, TG1=2, IPS=5)
FIVE_LEVELS = TCR_EL1(T0SZ=12, T1SZ=12, TG1=2, IPS=6, DS=1)


class Recording(Memory):
    """Memory that keeps the addresses of all reads."""

    def __init__(self, *args):
        super().__init__(*args)
        self.reads = []

    def read64(self, pa):
        self.reads.append(pa)
        return super().read64(pa)


def test_every_step_is_shown():
    mapper = Mapper.in_ram(FIVE_LEVELS, base=0x8000_0000)
    mapper.map_range(0xF_8040_3020_1000, 0x1000, 0x1000, contiguous=False)
    walk = mapper.mmu.translate(0xF_8040_3020_1ABC)
    assert [(step.level, step.table, step.index) for step in walk.steps] == [
        (-1, 0x8000_0000, 0xF),
        (0, 0x8000_2000, 0x100),
        (1, 0x8000_3000, 0x100),
        (2, 0x8000_4000, 0x181),
        (3, 0x8000_5000, 0x1),
    ]
    for step in walk.steps:
        assert step.address == step.table + 8 * step.index
        assert step.descriptor.value == mapper.mmu.memory.read64(step.address)
    assert [type(step.descriptor).__mro__[1] for step in walk.steps[:-1]] == [Table] * 4
    assert walk.outcome.pa == 0x1ABC
    assert walk.outcome.level == 3


@given(st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=40), st.integers(0, (1 << 48) - 1), st.data())
def test_a_walk_reads_only_the_tables_that_it_was_given(words, va, data):
    """Whatever is in memory: each read is where TTBR or the last descriptor points, one a level, and then no more."""
    memory = Recording(0, 1 << 22, 12)
    for word in words:
        memory.write64(8 * data.draw(st.integers(0, 4095)), word & 0x3F_FFFF | data.draw(st.sampled_from([0, 1, 3])))
    for level in range(4):  # and a way for this address to go down
        memory.write64(0x1000 * level + 8 * (va >> 39 - 9 * level & 511), 0x1000 * (level + 1) | 0x403)
    walk = MMU(memory, FOUR_LEVELS, TTBR0_EL1(0)).translate(va)
    assert memory.reads == [step.address for step in walk.steps]
    expected = 0
    for level, step in enumerate(walk.steps):
        assert step.level == level
        assert step.table == expected
        assert step.index == va >> 39 - 9 * level & 511
        if isinstance(step.descriptor, Table):
            expected = step.descriptor.oa
        else:
            assert step is walk.steps[-1]


def test_what_tables_hand_down_is_shown_where_it_begins():
    mapper = Mapper.in_ram(FOUR_LEVELS)
    mapper.map_range(0x1000, 0x1000, 0x1000, AP=1)
    step = mapper.mmu.translate(0x1000).steps[1]
    mapper.mmu.memory.write64(step.address, int(step.descriptor.replace(APTable=2, UXNTable=1)))
    walk = mapper.mmu.translate(0x1000)
    assert [step.inherited for step in walk.steps] == [0, 0b1010, 0b1010, 0b1010]
    assert (walk.outcome.attributes.AP, walk.outcome.attributes.UXN, walk.outcome.attributes.PXN) == (3, 1, 0)
    assert mapper.mmu.translate(0x1000, Access.WRITE).outcome.kind is FaultKind.PERMISSION


@pytest.mark.parametrize(
    ("access", "el", "fields", "before", "after"),
    [
        (Access.READ, 1, {"AF": 0}, 0, {"AF": 1}),
        (Access.WRITE, 1, {"AP": 2, "DBM": 1}, 2, {"AP": 0}),
        (Access.WRITE, 0, {"AP": 3, "DBM": 1, "AF": 0}, 3, {"AP": 1, "AF": 1}),
        (Access.READ, 1, {"AP": 2, "DBM": 1}, 2, None),
        (Access.WRITE, 1, {"AP": 0, "DBM": 1}, 0, None),
    ],
)
def test_hardware_update_is_reported_and_not_written(access, el, fields, before, after):
    mapper = Mapper.in_ram(FOUR_LEVELS.replace(HA=1, HD=1))
    mapper.map_range(0x1000, 0x1000, 0x1000, **fields)
    walk = mapper.mmu.translate(0x1000, access, el)
    leaf = walk.steps[-1].descriptor
    assert walk.outcome.pa == 0x1000
    assert before == leaf.AP
    if after is None:
        assert walk.update is None
    else:
        assert (walk.update.address, walk.update.before) == (walk.steps[-1].address, leaf.value)
        assert walk.update.after == int(leaf.replace(**after))
    assert mapper.mmu.memory.read64(walk.steps[-1].address) == leaf.value


def test_status_codes_are_those_of_the_architecture():
    """Each code that another decoder knows for a stage 1 walk (tests/data/README.md), and no other."""
    known = json.loads((DATA / "esr" / "status_codes.json").read_text())
    kinds = {str(kind): kind for kind in FaultKind}
    for code, (kind, level) in known.items():
        assert Fault(kinds[kind], level, Cause.DESCRIPTOR).status_code == int(code, 0)
        assert status_code_name(int(code, 0)) == f"{kind} fault, level {level}"
    others = set(range(64)) - {int(code, 0) for code in known}
    assert all(status_code_name(code).startswith("status code") for code in others)


@pytest.mark.parametrize(
    ("access", "el", "ec", "wnr"),
    [
        (Access.READ, 1, 0x25, 0),
        (Access.WRITE, 1, 0x25, 1),
        (Access.FETCH, 1, 0x21, 0),
        (Access.READ, 0, 0x24, 0),
        (Access.WRITE, 0, 0x24, 1),
        (Access.FETCH, 0, 0x20, 0),
    ],
)
@pytest.mark.parametrize("level", [-1, 0, 1, 2, 3])
def test_esr_of_a_fault(access, el, ec, wnr, level):
    fault = Fault(FaultKind.TRANSLATION, level, Cause.DESCRIPTOR)
    code = 0b101011 if level == -1 else 0b000100 + level
    assert int(fault.esr(access, el)) == ec << 26 | 1 << 25 | wnr << 6 | code
    assert int(fault.par) == 1 << 11 | code << 1 | 1


def test_five_levels_fault_at_level_minus_one():
    empty = Mapper.in_ram(FIVE_LEVELS)
    walk = empty.mmu.translate(0)
    assert (walk.outcome.level, walk.outcome.cause) == (-1, Cause.DESCRIPTOR)
    assert int(walk.esr) == 0x9600_002B
    outside = MMU(Memory(0, 4096, 12), FIVE_LEVELS, TTBR0_EL1(0x8000))
    assert int(outside.translate(0).esr) == 0x9600_0013
    large = Mapper.in_ram(FIVE_LEVELS.replace(IPS=PARange.PA32))
    large.mmu.memory.write64(int(large.mmu.ttbr0), 0x1_0000_0003)
    assert int(large.mmu.translate(0).esr) == 0x9600_0029


def test_without_translation_addresses_are_physical_addresses():
    mmu = MMU(Memory(0, 4096, 12), FOUR_LEVELS, sctlr=SCTLR_EL1(I=1), pa_range=PARange.PA40)
    walk = mmu.translate(0xFF_FFFF_FFFF)
    assert (walk.outcome.pa, walk.outcome.level, walk.steps) == (0xFF_FFFF_FFFF, None, ())
    assert walk.outcome.attributes.memory_type == "Device-nGnRnE"
    assert mmu.translate(0, Access.FETCH).outcome.attributes.memory_type == "Normal WT RA"
    assert mmu.translate(0x100_0000_0000).outcome == Fault(FaultKind.ADDRESS_SIZE, 0, Cause.MMU_OFF)


def test_big_endian_tables_are_refused():
    with pytest.raises(UnsupportedRegime, match=r"^SCTLR_EL1.EE=1: tables are read as little-endian only"):
        MMU(Memory(0, 4096, 12), FOUR_LEVELS, sctlr=SCTLR_EL1(M=1, EE=1))


def test_reserved_granules_are_taken_for_4k():
    mmu = MMU(Memory(0, 4096, 12), TCR_EL1(TG0=3, TG1=0))
    assert [r.granule.name for r in (mmu.lower, mmu.upper)] == ["4K", "4K"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((-1,), r"-0x1 is not a 64-bit address; did you mean 0x0"),
        ((1 << 64,), r"0x10000000000000000 is not a 64-bit address; did you mean 0xffffffffffffffff"),
        ((0, Access.READ, 2), "EL2 is not translated by the EL1&0 regime; did you mean EL1"),
        ((0, "READ"), "'READ' is not an access: there are Access.READ, Access.WRITE, Access.FETCH"),
        ((0, 3), "3 is not an access"),
    ],
)
def test_misuse_is_refused_in_one_sentence(arguments, sentence):
    mmu = Mapper.in_ram(FOUR_LEVELS).mmu
    for translate in mmu.translate, lambda va, *rest: mmu.translate_many([va], *rest):
        with pytest.raises(ValueError, match=sentence if arguments[1:] else "is not a 64-bit address"):
            translate(*arguments)


@pytest.mark.parametrize("va", [0x1000, np.uint64(0x1000), np.int64(0x1000), np.uint16(0x1000)])
def test_numpy_integers_are_addresses(va):
    mapper = Mapper.in_ram(FOUR_LEVELS)
    mapper.map_range(0x1000, 0x8000, 0x1000)
    walk = mapper.mmu.translate(va, 1)
    assert walk == mapper.mmu.translate(0x1000, Access.WRITE)
    assert type(walk.va) is type(walk.outcome.pa) is int
    assert walk.access is Access.WRITE
    assert mapper.mmu.translate_many(va, 1).pa == 0x8000


@pytest.mark.parametrize("va", [4096.0, "0x1000", None])
def test_addresses_must_be_whole_numbers(va):
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        Mapper.in_ram(FOUR_LEVELS).mmu.translate(va)


@pytest.mark.parametrize(
    ("vas", "sentence"),
    [
        ([0.5], "addresses are whole numbers"),
        (np.array([0.0]), "addresses are whole numbers"),
        (["0x1000"], "addresses are whole numbers"),
        ([-1], "-0x1 is not a 64-bit address: give the upper range as uint64"),
        (np.array([-1]), "-0x1 is not a 64-bit address: give the upper range as uint64"),
        ([1 << 64], "is not a 64-bit address"),
    ],
)
def test_arrays_of_anything_else_are_refused(vas, sentence):
    with pytest.raises(ValueError, match=sentence):
        Mapper.in_ram(FOUR_LEVELS).mmu.translate_many(vas)


@pytest.mark.parametrize("vas", [0x1000, [], [0x1000], [[0x1000, 0xFFFF_FFFF_FFFF_FFFF], [0, 1 << 50]]])
def test_arrays_keep_their_shape(vas):
    mapper = Mapper.in_ram(FOUR_LEVELS)
    mapper.map_range(0x1000, 0x8000, 0x1000)
    found = mapper.mmu.translate_many(vas)
    assert all(array.shape == np.shape(vas) for array in found.arrays)
    walks = [mapper.mmu.translate(va) for va in np.array(vas, object).reshape(-1).tolist()]
    assert not Translations.of(walks).reshape(np.shape(vas)).differs(found).any()


def test_arrays_say_what_a_walk_says():
    mapper = Mapper.in_ram(FOUR_LEVELS, mair=MAIR_EL1(Attr0=0xFF, Attr1=0x04))
    mapper.map_range(0x20_0000, 0x8000_0000, 0x20_0000, AttrIndx=1, nG=1)
    found = mapper.mmu.translate_many([0x20_1234, 0x40_0000])
    assert found.pa.tolist() == [0x8000_1234, 0]
    assert found.fault.tolist() == [NO_FAULT, 0b000110]
    assert found.level.tolist() == [2, 2]
    assert found.ok.tolist() == [True, False]
    assert found.par.tolist() == [int(mapper.mmu.translate(va).par) for va in (0x20_1234, 0x40_0000)]
    off = MMU(mapper.mmu.memory, FOUR_LEVELS, TTBR0_EL1(), TTBR1_EL1(), sctlr=SCTLR_EL1())
    assert off.translate_many([0x1000]).level.tolist() == [NO_LEVEL]


def test_memory_that_changes_between_calls_is_read_again():
    mapper = Mapper.in_ram(FOUR_LEVELS)
    mapper.map_range(0x1000, 0x8000, 0x1000)
    assert mapper.mmu.translate_many([0x1000]).pa.tolist() == [0x8000]
    entry = mapper.mmu.translate(0x1000).steps[-1]
    mapper.mmu.memory.write64(entry.address, int(entry.descriptor.replace(OA=0x9)))
    assert mapper.mmu.translate_many([0x1000]).pa.tolist() == [0x9000]
    mapper.map_range(0x4000_0000, 0xA000, 0x1000)
    assert mapper.mmu.translate_many([0x1000, 0x4000_0000]).pa.tolist() == [0x9000, 0xA000]


def test_a_walk_can_be_read_as_text():
    mapper = Mapper.in_ram(FOUR_LEVELS)
    mapper.map_range(0x20_0000, 0x8000_0000, 0x20_0000)
    text = str(mapper.mmu.translate(0x1000, Access.WRITE, 0))
    assert text.splitlines() == [
        "0x1000 write at EL0: lower range, 48 bits, 4K granule, TTBR0_EL1",
        "  level 0  0x40000000[0x000] = 0x0000000040002003  Table 0x40002000",
        "  level 1  0x40002000[0x000] = 0x0000000040003003  Table 0x40003000",
        "  level 2  0x40003000[0x000] = 0x0000000000000000  Invalid",
        "level 2 translation fault: the descriptor is invalid",
    ]
    assert isinstance(mapper.mmu.translate(0).steps[-1].descriptor, Invalid)
    assert isinstance(mapper.mmu.translate(0x20_0000).steps[-1].descriptor, Leaf)
