"""Wrong answers and the rules that compute them."""

import pytest

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Fault
from pgtlab.lab import misconceptions
from pgtlab.lab.misconceptions import fate, fates
from pgtlab.lab.tables_to_walk import small_process
from pgtlab.lab.variants import addresses, distinct_boots
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config

VA = 0xFFFF_F6C9_A513_3456
FALLBACK = boot(Config("16k", 52), CPU.named("max,lpa2=off"))  # built for 52 bits, runs with 47


def usual():
    return boot(Config("4k", 48), CPU.named("max"))


def test_a_number_of_two_rules_is_left_out():
    rules = [(1, "a"), (1, "b"), (2, "c"), (2, "c"), (3, "d")]
    assert misconceptions.explained(3, rules) == {2: "c"}


@pytest.mark.parametrize("booted", distinct_boots(), ids=repr)
def test_right_answers_are_never_wrong(booted):
    for seed in range(3):
        for va in addresses(booted, seed):
            d = decompose(va, booted)
            for level in d.hardware:
                assert level.index not in misconceptions.index(va, level.level, booted)
                assert level.lo not in misconceptions.lowest_bit(level.level, booted)
            for level in d.linux:
                assert level.index not in misconceptions.linux_index(va, level.name, booted)
                assert fate(level) not in fates(level.name, booted)
                assert len(fates(level.name, booted)) == 3
            assert d.offset not in misconceptions.offset(va, booted)
            assert int(d.ttbr[4]) not in misconceptions.ttbr(va, booted)
    assert booted.start_level not in misconceptions.start_level(booted)


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (VA >> 30 & 0xFF, "one bit fewer"),
        (VA >> 30 & 0x3FF, "one bit more"),
        (VA >> 31 & 0x1FF, "one bit too high"),
        (VA >> 29 & 0x1FF, "one bit too low"),
        (VA >> 21 & 0x1FF, "the index of level 2"),
        (VA >> 36 & 0x7FF, "with pages of 16K"),
        (VA >> 36 & 0xFFF, "as if an entry had one byte"),
        (VA >> 18 & 0x1FF, "left out the offset"),
        (VA & 0x1FF << 30, "still in their places"),
    ],
)
def test_index_of_a_wrong_rule(value, rule):
    assert rule in misconceptions.index(VA, 1, usual())[value]


def test_start_level_has_fewer_bits_than_a_table():
    booted = boot(Config("4k", 52), CPU.named("max"))
    va = 0xFFF7_7777_7777_7777
    assert "the walk starts here" in misconceptions.index(va, -1, booted)[va >> 48 & 0x1FF]


def test_index_at_a_level_that_is_not_walked():
    with pytest.raises(ValueError, match="no level 0: the walk has levels 1 to 3"):
        misconceptions.index(0, 0, FALLBACK)


def test_fallback_from_52_bits():
    va = 0xFFFF_F6C9_A513_3456
    assert "always 0" in misconceptions.linux_index(va, "pud", FALLBACK)[0]
    assert "reads 3 tables" in fates("pud", FALLBACK)["real"]
    assert "never folds" in fates("pgd", FALLBACK)["folded at run time"]
    assert "right for 52 bits" in misconceptions.start_level(FALLBACK)[0]


def test_bit_63_is_a_tag():
    tagged = 0x8000_0000_0000_1000
    assert "bit 63" in misconceptions.ttbr(tagged, usual())[1]
    assert misconceptions.ttbr(0x1000, usual()) == {}


def test_walk():
    space = small_process(usual())
    for trial in space.trials:
        walk = space.translate(trial.va, trial.access, trial.el)
        for step in walk.steps:
            assert step.address not in misconceptions.entry_address(step)
            assert getattr(step.descriptor, "oa", None) not in misconceptions.table_address(step)
        if isinstance(walk.outcome, Fault):
            assert walk.outcome.level not in misconceptions.fault_level(walk)
            assert misconceptions.physical_address(walk) == {}
        else:
            assert walk.outcome.pa not in misconceptions.physical_address(walk)
            assert misconceptions.fault_level(walk) == {}
    walk = space.translate(space.trials[0].va | 0x123, el=0)
    table, page = walk.steps[0], walk.steps[-1]
    assert "once more" in misconceptions.table_address(table)[table.descriptor.oa << 12]
    assert "whole word" in misconceptions.table_address(table)[int(table.descriptor)]
    word = int(page.descriptor)  # 4K and 48 bits: the address is bits 47:12
    assert "low bits" in misconceptions.table_address(page)[word & 0x0000_FFFF_FFFF_FFFF]
    assert "high bits" in misconceptions.table_address(page)[word & 0xFFFF_FFFF_FFFF_F000]
    assert "8 bytes" in misconceptions.entry_address(page)[page.table + page.index]
    assert isinstance(page.descriptor, Leaf)
    assert "page or block begins" in misconceptions.physical_address(walk)[page.descriptor.oa]
    ends = space.translate(space.trials[2].va, el=0)  # at level 1, after two entries
    assert misconceptions.fault_level(ends)[0].startswith("The entry of that level was valid")


def test_a_page():
    assert "what is stored" in misconceptions.printed_mapcount(-513)[-513]
    assert "without a sign" in misconceptions.stored_mapcount(-513)[0xFFFFFDFF]
    assert -512 not in misconceptions.stored_mapcount(-513)  # printed plus one; or every bit turned over
    assert "clears its own" in misconceptions.page_type(0xFFFFFFFF, 0xFFFFFDFF)[0x200]
    assert "_mapcount" in misconceptions.refcount(1, 1, -513)[-513]
