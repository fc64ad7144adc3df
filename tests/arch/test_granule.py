"""Granules and levels: the formulas against a count of bits, one level at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.granule import G4K, G16K, G64K, GRANULES, GranuleSupport
from pgtlab.arch.registers import ID_AA64MMFR0_EL1, TCR_EL1

# The smallest input that the architecture has: TxSZ of at most 48, with FEAT_TTST, or 47 with the 64K granule.
SMALLEST = {12: 16, 14: 16, 16: 17}


def levels_from_the_leaf(granule, va_bits):
    """Per level, the bits (lo, hi) that it resolves: filled from level 3 upwards until none is left."""
    entries = granule.size // 8
    lo, level, levels = granule.size.bit_length() - 1, 3, {}
    while lo < va_bits:
        bits = 0
        while 1 << bits < entries and lo + bits < va_bits:
            bits += 1
        levels[level] = (lo, lo + bits - 1)
        lo, level = lo + bits, level - 1
    return levels


@pytest.mark.parametrize("granule", GRANULES, ids=str)
def test_the_walk_starts_where_the_bits_run_out(granule):
    for va_bits in range(SMALLEST[granule.shift], 53):
        levels = levels_from_the_leaf(granule, va_bits)
        assert granule.start_level(va_bits) == min(levels)
        assert {level: granule.level_shift(level) for level in levels} == {n: lo for n, (lo, _) in levels.items()}


def test_start_levels_of_the_sizes_that_linux_uses():
    """Arm ARM D8.2, tables of the initial lookup level."""
    found = {(str(g), bits): g.start_level(bits) for g in GRANULES for bits in (36, 39, 42, 47, 48, 52)}
    assert found == {
        ("4K", 36): 1, ("4K", 39): 1, ("4K", 42): 0, ("4K", 47): 0, ("4K", 48): 0, ("4K", 52): -1,
        ("16K", 36): 2, ("16K", 39): 1, ("16K", 42): 1, ("16K", 47): 1, ("16K", 48): 0, ("16K", 52): 0,
        ("64K", 36): 2, ("64K", 39): 2, ("64K", 42): 2, ("64K", 47): 1, ("64K", 48): 1, ("64K", 52): 1,
    }  # fmt: skip


@pytest.mark.parametrize(("granule", "blocks"), [(G4K, {1: "1G", 2: "2M"}), (G16K, {2: "32M"}), (G64K, {2: "512M"})])
def test_block_sizes(granule, blocks):
    units = {"M": 20, "G": 30}
    for level, size in blocks.items():
        assert 1 << granule.level_shift(level) == int(size[:-1]) << units[size[-1]]


@pytest.mark.parametrize("granule", GRANULES, ids=str)
@pytest.mark.parametrize("va_bits", [-1, 0, 11, 53, 64])
def test_illegal_input_sizes_are_refused(granule, va_bits):
    with pytest.raises(ValueError, match=rf"{va_bits} bits.*{granule} granule"):
        granule.start_level(va_bits)


@given(st.sampled_from(GRANULES))
def test_tg0_and_tg1_are_two_encodings_of_one_granule(granule):
    tcr = TCR_EL1(TG0=granule.tg0, TG1=granule.tg1)
    assert tcr.TG0.name == tcr.TG1.name == f"G{granule}"
    assert {int(g.tg0) for g in GRANULES} == {0, 1, 2}
    assert {int(g.tg1) for g in GRANULES} == {1, 2, 3}


@pytest.mark.parametrize(
    ("granule", "field", "meaning"),
    [
        (G4K, "TGRAN4", {0b0000: "SUPPORTED", 0b0001: "LPA2", 0b1000: "NONE", 0b1111: "NONE"}),
        (G16K, "TGRAN16", {0b0000: "NONE", 0b0001: "SUPPORTED", 0b0010: "LPA2"}),
        (G64K, "TGRAN64", {0b0000: "SUPPORTED", 0b1111: "NONE"}),
    ],
)
def test_granule_support(granule, field, meaning):
    """Arm ARM, ID_AA64MMFR0_EL1: TGran16 counts from 1; the other two are signed, and negative for none."""
    for value, name in meaning.items():
        assert granule.support(ID_AA64MMFR0_EL1(**{field: value})) is GranuleSupport[name]
