"""The two ranges: which addresses are in them, how they are walked, and who is turned away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.fault import Access, Cause, FaultKind
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import SCTLR_EL1, TCR_EL1, TTBR0_EL1, TTBR1_EL1, PARange
from pgtlab.arch.va_range import VARange

TG0 = {"4K": 0, "64K": 1, "16K": 2}
TG1 = {"16K": 1, "4K": 2, "64K": 3}
NOWHERE = Memory(0, 0, 12)


def ranges(ttbr=0, pa_range=PARange.PA52, *, granule="4K", size=16, **fields):
    """Both ranges with the same settings; a field's name is completed with the range's number."""
    tcr = TCR_EL1(TG0=TG0[granule], TG1=TG1[granule], T0SZ=size, T1SZ=size, **{"IPS": 6} | fields)
    return [
        VARange.of(tcr, SCTLR_EL1(M=1), TTBR0_EL1(ttbr), pa_range, upper=False),
        VARange.of(tcr, SCTLR_EL1(M=1), TTBR1_EL1(ttbr), pa_range, upper=True),
    ]


@pytest.mark.parametrize(
    ("granule", "ds", "smallest", "largest"),
    [
        ("4K", 0, 16, 48),
        ("4K", 1, 12, 48),
        ("16K", 0, 16, 48),
        ("16K", 1, 12, 48),
        ("64K", 0, 12, 47),
        ("64K", 1, 12, 47),
    ],
)
def test_legal_sizes(granule, ds, smallest, largest):
    """Arm ARM D8.2, with FEAT_LPA2, FEAT_LVA and FEAT_TTST."""
    for size in range(64):
        legal = [r.start_level is not None for r in ranges(granule=granule, size=size, DS=ds)]
        assert legal == [smallest <= size <= largest] * 2


@given(st.integers(0, (1 << 64) - 1), st.integers(12, 48), st.integers(12, 48), *[st.booleans()] * 4, st.booleans())
def test_va_range_holds(va, size0, size1, tbi0, tbi1, tbid0, tbid1, fetch):
    """Below the end of the lower range, or from the beginning of the upper one; a tag, where allowed, is no part."""
    fields = {"TBI0": tbi0, "TBI1": tbi1, "TBID0": tbid0, "TBID1": tbid1}
    mmu = MMU(NOWHERE, TCR_EL1(DS=1, T0SZ=size0, T1SZ=size1, TG1=2, IPS=6, **fields))
    upper = va >> 55 & 1
    tagged = [tbi0 and not (tbid0 and fetch), tbi1 and not (tbid1 and fetch)][upper]
    address = va & (1 << 56) - 1 | (0xFF << 56 if upper else 0) if tagged else va
    inside = address >= (1 << 64) - (1 << 64 - size1) if upper else address < 1 << 64 - size0
    walk = mmu.translate(va, Access.FETCH if fetch else Access.READ)
    assert walk.va_range.upper == bool(upper)
    assert (walk.outcome.cause is not Cause.INPUT_ADDRESS) == inside


@pytest.mark.parametrize("size", [16, 25, 39, 48])
def test_the_edges_of_both_ranges(size):
    mmu = MMU(NOWHERE, TCR_EL1(T0SZ=size, T1SZ=size, TG1=2, IPS=5))
    end, begin = 1 << 64 - size, (1 << 64) - (1 << 64 - size)
    causes = [mmu.translate(va).outcome.cause for va in (0, end - 1, end, begin - 1, begin, (1 << 64) - 1)]
    assert causes == [Cause.READ, Cause.READ, Cause.INPUT_ADDRESS, Cause.INPUT_ADDRESS, Cause.READ, Cause.READ]


@pytest.mark.parametrize(
    ("settings", "ips", "pa_range", "bits"),
    [
        ({}, PARange.PA40, PARange.PA52, 40),
        ({}, PARange.PA48, PARange.PA44, 44),
        ({}, PARange.PA52, PARange.PA52, 48),  # 4K descriptors have no room for more
        ({"DS": 1}, PARange.PA52, PARange.PA52, 52),
        ({"DS": 1}, PARange.PA52, PARange.PA48, 48),
        ({"granule": "16K", "DS": 1}, PARange.PA52, PARange.PA52, 52),
        ({"granule": "64K"}, PARange.PA52, PARange.PA52, 52),
        ({"granule": "64K"}, PARange.PA52, PARange.PA48, 48),
        ({"granule": "64K"}, PARange.PA42, PARange.PA52, 42),
        ({}, 7, PARange.PA36, 36),  # reserved
    ],
)
def test_output_bits(settings, ips, pa_range, bits):
    assert [r.output_bits for r in ranges(pa_range=pa_range, IPS=ips, **settings)] == [bits, bits]


@pytest.mark.parametrize(
    ("settings", "ttbr", "base"),
    [
        # 0xABCD is an ASID, and bit 0 is CnP: neither is address.
        ({}, 0xABCD_1234_5678_9001, 0x1234_5678_9000),
        ({"IPS": 5}, 0xABCD_1234_5678_9FFF, 0x1234_5678_9000),  # a full table: bits 11:0 are RES0
        ({"size": 24}, 0x0000_0000_0001_003F, 0x1_0030),  # 40 bits: two entries at level 0, 16 bytes
        ({"size": 25}, 0x0000_0000_0001_F03F, 0x1_F000),
        ({"granule": "16K"}, 0x0000_0000_0001_403F, 0x1_4030),  # 48 bits: two entries at level 0
        ({"granule": "64K", "IPS": 5}, 0x0000_0000_0001_FE3F, 0x1_FE00),  # 64 entries at level 1, 512 bytes
        ({"granule": "64K"}, 0x0000_0000_0001_FE3F, 0xF_0000_0001_FE00),  # bits 5:2 are bits 51:48
        ({"granule": "64K", "size": 12}, 0x0000_0000_0001_FE24, 0x9_0000_0001_E000),
        ({"DS": 1}, 0x0000_0000_0001_F03C, 0xF_0000_0001_F000),
        ({"DS": 1, "IPS": 5}, 0x0000_0000_0001_F03C, 0xF_0000_0001_F000),  # DS alone decides
        ({"DS": 1, "size": 24}, 0x0000_0000_0001_007C, 0xF_0000_0001_0040),  # 16 bytes, aligned to 64 nevertheless
        ({"DS": 1, "size": 12}, 0x0000_0000_0001_00FC, 0xF_0000_0001_0080),  # 16 entries at level -1, 128 bytes
    ],
)
def test_the_first_table_is_aligned_to_its_size(settings, ttbr, base):
    """Arm ARM D8.2.3."""
    assert [hex(r.base) for r in ranges(ttbr, **settings)] == [hex(base)] * 2


@pytest.mark.parametrize("granule", TG0)
@given(st.integers(0, (1 << 64) - 1), st.integers(12, 47), st.integers(0, 1), st.sampled_from(PARange))
def test_no_entry_of_the_first_table_is_outside_of_it(granule, ttbr, size, ds, ips):
    for r in ranges(ttbr, granule=granule, size=size, DS=ds, IPS=ips):
        if r.start_level is not None:
            entries = 1 << r.input_bits - r.granule.level_shift(r.start_level)
            assert 1 < entries <= r.granule.size // 8
            assert r.base % (8 * entries) == 0
            assert r.base < 1 << 52


def causes(mmu, va=0):
    """Who is refused, and why: EL1 and EL0."""
    outcomes = [mmu.translate(va, el=el).outcome for el in (1, 0)]
    assert all(outcome.kind is FaultKind.TRANSLATION and outcome.level == 0 for outcome in outcomes)
    return [outcome.cause for outcome in outcomes]


def test_refusal():
    empty = Memory(0, 1 << 16, 12)  # RAM of zeros: an invalid descriptor, at level 0
    tcr = TCR_EL1(T0SZ=16, T1SZ=16, TG1=2, IPS=5)
    kernel = (1 << 64) - 0x1000
    assert causes(MMU(empty, tcr)) == [Cause.DESCRIPTOR, Cause.DESCRIPTOR]
    assert causes(MMU(empty, tcr.replace(EPD0=1))) == [Cause.DISABLED, Cause.DISABLED]
    assert causes(MMU(empty, tcr.replace(EPD0=1)), kernel) == [Cause.DESCRIPTOR, Cause.DESCRIPTOR]
    assert causes(MMU(empty, tcr.replace(E0PD1=1)), kernel) == [Cause.DESCRIPTOR, Cause.E0PD]
    assert causes(MMU(empty, tcr.replace(E0PD1=1)), 0) == [Cause.DESCRIPTOR, Cause.DESCRIPTOR]
    assert causes(MMU(empty, tcr.replace(T0SZ=15, EPD0=1))) == [Cause.INPUT_ADDRESS, Cause.INPUT_ADDRESS]
    assert causes(MMU(empty, tcr.replace(EPD0=1)), 1 << 48) == [Cause.INPUT_ADDRESS, Cause.INPUT_ADDRESS]


def test_base_beyond_ips_faults_at_level_0():
    tcr = TCR_EL1(T0SZ=28, IPS=PARange.PA32, E0PD0=1)  # 36 bits: walks start at level 1
    mmu = MMU(NOWHERE, tcr, TTBR0_EL1(1 << 32))
    fault = mmu.translate(0).outcome
    assert (fault.kind, fault.level, fault.cause) == (FaultKind.ADDRESS_SIZE, 0, Cause.BASE_ADDRESS)
    assert mmu.translate(0, el=0).outcome.cause is Cause.E0PD
    assert mmu.translate(1 << 36).outcome.cause is Cause.INPUT_ADDRESS
    assert MMU(NOWHERE, tcr, TTBR0_EL1((1 << 32) - 4096)).translate(0).outcome.cause is Cause.READ


def test_each_range_has_settings_of_its_own():
    tcr = TCR_EL1(T0SZ=28, TG0=1, TBI0=1, HPD0=1, T1SZ=16, TG1=1, EPD1=1, E0PD1=1, TBID1=1, DS=0, IPS=5)
    mmu = MMU(NOWHERE, tcr)
    for r, granule, bits, level, name in (
        (mmu.lower, "64K", 36, 2, "TTBR0_EL1"),
        (mmu.upper, "16K", 48, 0, "TTBR1_EL1"),
    ):
        assert (str(r.granule), r.input_bits, r.start_level, r.ttbr) == (granule, bits, level, name)
    assert [(r.tbi, r.hpd, r.epd, r.e0pd, r.tbid) for r in (mmu.lower, mmu.upper)] == [
        (True, True, False, False, False),
        (False, False, True, True, True),
    ]
