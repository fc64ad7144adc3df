"""The immediates of BRK as arm64 has them (`asm/brk-imm.h`, v6.9): which of them are whose, at both ends."""

import pytest

from pgtlab.linux.headers.brk_imm import brk_name

#: From the first to the last immediate: the mask is in the header.
RANGES = {
    "KASAN_BRK_IMM": (0x900, 0x9FF),  # KASAN_BRK_MASK 0x0ff
    "UBSAN_BRK_IMM": (0x5500, 0x55FF),  # UBSAN_BRK_MASK 0x00ff
    "CFI_BRK_IMM_BASE": (0x8000, 0x83FF),  # CFI_BRK_IMM_MASK: five bits of target, five of type
}


@pytest.mark.parametrize("name", RANGES)
def test_the_range_of_a_checker(name):
    first, last = RANGES[name]
    for imm in (first, first + 1, first + 0x7F, last - 1, last):
        assert brk_name(imm).startswith(f"{name}: "), hex(imm)
    for imm in (first - 1, last + 1, first + 0x10000):
        assert not (brk_name(imm) or "").startswith(name), hex(imm)


@pytest.mark.parametrize(
    ("imm", "access"),
    [
        (0x900, "a load of 1 bytes"),  # KASAN_ESR_SIZE_MASK 0x0f: the size is a power of two
        (0x903, "a load of 8 bytes"),
        (0x914, "a store of 16 bytes"),  # KASAN_ESR_WRITE 0x10
        (0x933, "a store of 8 bytes"),  # KASAN_ESR_RECOVER 0x20
        (0x922, "a load of 4 bytes"),
    ],
)
def test_what_kasan_checked(imm, access):
    assert access in brk_name(imm)


def test_registers_of_cfi():
    """The target of the call in bits 4:0, its type in bits 9:5."""
    assert brk_name(0x8000 | 9 << 5 | 17) == "CFI_BRK_IMM_BASE: CFI, target in x17, type in w9"


@pytest.mark.parametrize(
    ("imm", "name"),
    [
        (4, "KPROBES_BRK_IMM"),
        (5, "UPROBES_BRK_IMM"),
        (6, "KPROBES_BRK_SS_IMM"),
        (0x100, "FAULT_BRK_IMM"),
        (0x400, "KGDB_DYN_DBG_BRK_IMM"),
        (0x401, "KGDB_COMPILED_DBG_BRK_IMM"),
        (0x800, "BUG_BRK_IMM"),
    ],
)
def test_those_of_one_immediate(imm, name):
    assert name in brk_name(imm)


def test_others_have_no_name():
    assert [brk_name(imm) for imm in (0, 2, 0x101, 0x402, 0x801, 0xFFFF)] == [None] * 6
