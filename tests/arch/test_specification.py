"""The smallest cases in which QEMU differs from Arm's specification, or its recordings show nothing.

The answers are those of Arm's A-profile specification (its pseudocode of 2023-03, in J1.3 of the Arm ARM).
"""

import pytest
from reference_walk import ON, Registers
from test_walk_many import ACCESSES, assert_one_answer, translate_with_numpy

from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import MAIR_EL1, SCTLR_EL1, TCR_EL1, TTBR0_EL1, Shareability
from pgtlab.arch.tables.columns import first_mapped
from pgtlab.arch.tables.mappings import mapping_table, mappings

TABLE = 0x4000_0000
GIB_BLOCK = 0x8000_0701  # 4K granule, 39 bits: a block of level 1, Inner Shareable
THREE_LEVELS = 0x5_0000_0019


def mmu_of(word, tcr=THREE_LEVELS, mair=0xFF, sctlr=ON):
    """An MMU with `word` as the only entry of its first table; and the same for the reference."""
    shift = {0: 12, 1: 16, 2: 14}[TCR_EL1(tcr).TG0]
    mmu = MMU(
        Memory.of_pages({TABLE: [word] + [0] * ((1 << shift - 3) - 1)}, shift),
        TCR_EL1(tcr),
        TTBR0_EL1(TABLE),
        mair=MAIR_EL1(mair),
        sctlr=SCTLR_EL1(sctlr),
    )
    return mmu, Registers(tcr, TABLE, 0, mair, sctlr), {TABLE: word}.get


@pytest.mark.parametrize(
    ("mair", "sctlr", "access", "attr", "sh"),
    [
        (0x04, ON, "x", 0x44, Shareability.OUTER),  # Device memory is fetched from as from Non-cacheable
        (0x05, ON, "x", 0x40, Shareability.OUTER),  # and keeps XS = 0
        (0x04, ON, "r", 0x04, Shareability.OUTER),
        (0xFF, 0x30D0_1801, "r", 0x44, Shareability.OUTER),  # C = 0
        (0xFF, 0x30D0_1801, "w", 0x44, Shareability.OUTER),
        (0xFF, 0x30D0_1801, "x", 0xFF, Shareability.INNER),
        (0xFF, 0x30D0_0805, "x", 0x44, Shareability.OUTER),  # I = 0
        (0xFF, 0x30D0_0805, "r", 0xFF, Shareability.INNER),
        (0x04, 0x30D0_1801, "r", 0x04, Shareability.OUTER),
        (0xA0, 0x30D0_1801, "r", 0x40, Shareability.OUTER),
        (0x40, ON, "r", 0x40, Shareability.OUTER),  # FEAT_XS
        (0xA0, ON, "r", 0xA0, Shareability.INNER),
        (0x01, ON, "r", 0x01, Shareability.OUTER),
    ],
)
def test_memory_type_that_an_access_gets(mair, sctlr, access, attr, sh):
    mmu, *reference = mmu_of(GIB_BLOCK, mair=mair, sctlr=sctlr)
    assert_one_answer(mmu, *reference, [0x1000], access, 1)
    walk = mmu.translate(0x1000, ACCESSES[access])
    assert (walk.outcome.pa, walk.outcome.attributes.ATTR, walk.outcome.attributes.SH) == (0x8000_1000, attr, sh)
    assert (int(walk.par) >> 56, int(walk.par) >> 7 & 3) == (attr, sh)
    if access != "x":
        assert mapping_table(mmu)[["attr", "sh"]].tolist() == [(attr, sh)]


#: Blocks larger than the 32 bits of TCR_EL1.IPS: 512G with 4K and LPA2, 64G with 16K and LPA2, 4T with 64K.
LARGE_BLOCKS = {
    "4K": (0x800_0000_0000_0010, 0x401, 0, 39),
    "16K": (0x800_0000_0000_8011, 0x401, 1, 36),
    "64K": (0x4010, 0x701, 1, 42),
}


@pytest.mark.parametrize(("tcr", "word", "level", "shift"), LARGE_BLOCKS.values(), ids=LARGE_BLOCKS)
@pytest.mark.parametrize("flaw", [0, 1 << 10, 1 << 7], ids=["sound", "AF clear", "read-only"])
def test_block_beyond_the_output_size_faults_first(tcr, word, level, shift, flaw):
    mmu, *reference = mmu_of(word ^ flaw, tcr)
    beyond = [1 << 32, 0x1_2345_6000, (1 << shift) - 1]
    assert_one_answer(mmu, *reference, [0, 0xFFFF_FFFF, *beyond], "w", 1)
    size_fault = Fault(FaultKind.ADDRESS_SIZE, level, Cause.OUTPUT_ADDRESS)
    assert [mmu.translate(va, Access.WRITE).outcome for va in beyond] == [size_fault] * 3
    assert mmu.translate_many(beyond, Access.WRITE).par.tolist() == [0x801 | level << 1] * 3
    assert translate_with_numpy(mmu, beyond, Access.WRITE, 1).par.tolist() == [0x801 | level << 1] * 3
    within = mmu.translate(0xFFFF_FFFF, Access.WRITE).outcome
    assert within.kind is (FaultKind.ACCESS_FLAG if flaw == 1 << 10 else FaultKind.PERMISSION) if flaw else within.pa


@pytest.mark.parametrize(("tcr", "word", "level", "shift"), LARGE_BLOCKS.values(), ids=LARGE_BLOCKS)
def test_block_across_the_output_size_maps_what_is_within(tcr, word, level, shift):
    mmu, *_ = mmu_of(word, tcr)
    assert mapping_table(mmu)[["va", "size", "pa", "level"]].tolist() == [(0, 1 << 32, 0, level)]
    [only] = mappings(mmu)
    assert (only.va, only.size) == (0, 1 << 32)
    assert first_mapped(mmu, 0x1234_5000, 1 << shift) == 0x1234_5000
    assert first_mapped(mmu, 1 << 32, 1 << shift) is None
    whole, *_ = mmu_of(word, int(TCR_EL1(tcr).replace(IPS=6)))
    assert mapping_table(whole)["size"].tolist() == [1 << shift]
    assert first_mapped(whole, 1 << 32, 1 << shift) == 1 << 32
