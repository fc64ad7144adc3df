"""An address taken apart: laws for every address and kernel, and the two views on the same page tables."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernels import KINDS, kernel

from pgtlab.arch.output_address import OutputAddress
from pgtlab.linux.address import AddressError
from pgtlab.linux.boot import Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel

BOOTS = st.sampled_from(KINDS)
ADDRESSES = st.one_of(
    st.integers(0, (1 << 64) - 1),
    st.integers(0, (1 << 52) - 1),
    st.integers(0, (1 << 52) - 1).map(lambda low: low | 0xFFF << 52),
    # Bits that differ in a run, so that the edges of every field are met.
    st.tuples(st.integers(0, 64), st.integers(0, 64)).map(lambda ends: (1 << max(ends)) - (1 << min(ends))),
)


@st.composite
def mapped(draw):
    """A booted kernel, and an address of one of its two halves."""
    booted = draw(BOOTS)
    low = draw(st.integers(0, (1 << booted.vabits_actual) - 1))
    upper_half = draw(st.booleans())
    return booted, (low - (1 << booted.vabits_actual)) % (1 << 64) if upper_half else low


def test_there_are_17_kinds_of_page_table():
    assert len(KINDS) == 17


@given(va=ADDRESSES, booted=BOOTS)
def test_fields_tile_64_bits(va, booted):
    next_bit, total = 63, 0
    for _, hi, lo, value in decompose(va, booted).fields:
        assert hi == next_bit
        assert 0 <= value < 1 << hi - lo + 1
        next_bit, total = lo - 1, total | value << lo
    assert next_bit == -1
    assert total == va


@given(va=ADDRESSES, booted=BOOTS)
def test_the_mmus_indices_and_the_offset_are_the_address(va, booted):
    d = decompose(va, booted)
    below = sum(h.index << h.lo for h in d.hardware) + d.offset
    assert below == va % (1 << booted.vabits_actual)
    assert [h.level for h in d.hardware] == list(range(booted.start_level, 4))
    assert d.hardware[-1].lo == booted.config.granule.shift
    assert all(h.index < booted.config.page_size // 8 for h in d.hardware)


@given(va=ADDRESSES, booted=BOOTS)
def test_which_half_an_address_is_in(va, booted):
    """The ranges of `TASK_SIZE` and `PAGE_OFFSET`; only the lower half has a top byte to ignore (TBI0, not TBI1)."""
    size = 1 << booted.vabits_actual
    untagged = va % (1 << 56)
    expected = "TTBR1_EL1" if va >= (1 << 64) - size else "TTBR0_EL1" if untagged < size else None
    d = decompose(va, booted)
    assert d.ttbr == expected
    assert d.top_byte_ignored == (untagged < 1 << 55)
    assert d.tag == va >> 56


@given(va=ADDRESSES, booted=BOOTS)
def test_linux_computes_the_indices_that_its_macros_do(va, booted):
    k = kernel(booted)
    indices = {level.name: level.index for level in decompose(va, booted).linux}
    assert list(indices) == ["pgd", "p4d", "pud", "pmd", "pte"]
    for name, index in indices.items():
        assert index == getattr(k, f"{name}_index")(va)


@given(va=ADDRESSES, booted=BOOTS)
def test_a_level_takes_bits_unless_it_was_folded_by_the_compiler(va, booted):
    for level in decompose(va, booted).linux:
        assert (level.hi is None) == (level.lo is None) == (level.fold is Fold.COMPILE_TIME)
        assert level.hi is None or level.index == va >> level.lo & (1 << level.hi - level.lo + 1) - 1
        assert bool(level.note) or level.fold is Fold.REAL


# The two views on the same memory.


def build(k: Kernel, va: int) -> tuple[int, dict[str, int]]:
    """Page tables for `va`, by the kernel's own functions: the pgd, and the entry that Linux uses at each level."""
    mm = k.mm_alloc()
    entries = {"pgd": k.pgd_offset(mm, va)}
    entries["p4d"] = k.p4d_alloc(mm, entries["pgd"], va)
    entries["pud"] = k.pud_alloc(mm, entries["p4d"], va)
    entries["pmd"] = k.pmd_alloc(mm, entries["pud"], va)
    assert k.pte_alloc(mm, entries["pmd"]) == 0
    entries["pte"] = k.pte_offset_kernel(entries["pmd"], va)
    page = k.alloc_pages(0)
    k.set_pte_at(mm, va, entries["pte"], k.pfn_pte(page.pfn, k._PAGE_SHARED))
    return mm.pgd, {name: k.__pa(entry) for name, entry in entries.items()}


def walk(k: Kernel, root: int, va: int) -> list[int]:
    """The addresses of the words that an MMU reads, written from the Arm ARM alone: TCR_EL1, and the root."""
    tcr, granule = k.boot.tcr_el1, k.boot.config.granule
    bits, table = 64 - tcr.T0SZ, root
    step, shift = granule.size.bit_length() - 4, granule.size.bit_length() - 1
    words = []
    for below in reversed(range(math.ceil((bits - shift) / step))):
        lo = shift + below * step
        index = (va % (1 << min(bits, lo + step))) >> lo
        words.append(table + 8 * index)
        descriptor = k.memory.read64(words[-1])
        assert descriptor & 0b11 == 0b11, f"{descriptor:#x} names no table or page"
        packing = OutputAddress.of(granule, ds=bool(tcr.DS), pa_bits=tcr.IPS.bits)
        table = packing.unpack(descriptor, shift)
    return [*words, table + va % granule.size]


def ttbr(k: Kernel, pgd: int, va: int) -> int:
    """The root of a walk: the pgd, or for the upper half of a 64K kernel on fewer bits, its last entries."""
    fallback_64k = k.boot.config.page_size == 65536 and k.boot.vabits_actual < k.VA_BITS
    return k.__pa(pgd) + (k.TTBR1_BADDR_4852_OFFSET if va >> 55 & 1 and fallback_64k else 0)


@given(mapped())
def test_linux_and_the_mmu_read_the_same_words(kernel_and_address):
    booted, va = kernel_and_address
    k = Kernel(booted)
    pgd, entries = build(k, va)
    *visited, pa = walk(k, ttbr(k, pgd, va), va)

    d = decompose(va, booted)
    assert len(visited) == len(d.hardware)
    word_of = dict(zip((h.level for h in d.hardware), visited, strict=True))
    read_by_linux = {level.level: entries[level.name] for level in d.linux if level.level is not None}
    assert read_by_linux == word_of
    for level, above in zip(d.linux[1:], d.linux, strict=False):
        if level.fold is Fold.COMPILE_TIME:
            assert entries[level.name] == entries[above.name]
    pte = k.memory.read64(entries["pte"])
    assert pa == k.table_address(pte) + d.offset  # and both find the page


@given(mapped())
def test_the_mmus_index_is_the_place_in_its_table(kernel_and_address):
    booted, va = kernel_and_address
    k = Kernel(booted)
    pgd, _ = build(k, va)
    table = ttbr(k, pgd, va)
    for h in decompose(va, booted).hardware:
        word = k.memory.read64(table + 8 * h.index)
        assert word & 0b11 == 0b11
        table = k.table_address(word)


def test_a_64k_kernel_for_52_bits_on_48_keeps_its_pgd_and_moves_ttbr1():
    booted = boot(Config("64k", 52), CPU.named("cortex-a72"))
    upper = decompose(0xFFFF_8000_8000_0000, booted)
    offset = booted.config.constants.TTBR1_BADDR_4852_OFFSET
    assert upper.linux[0].index == upper.hardware[0].index + offset // 8
    assert f"TTBR1_EL1 points {offset} bytes into the pgd" in upper.linux[0].note
    lower = decompose(0x0000_8000_8000_0000, booted)
    assert lower.linux[0].index == lower.hardware[0].index
    assert lower.linux[0].note == ""


def test_what_run_time_folding_does_to_an_address():
    """16K pages, configured for 52 bits, on 47: the pud is found in the page of the pgd."""
    booted = boot(Config("16k", 52), CPU.named("max,lpa2=off"))
    d = decompose(0xFFFF_C000_8000_1234, booted)
    assert {level.name: level.level for level in d.linux} == {"pgd": None, "p4d": None, "pud": 1, "pmd": 2, "pte": 3}
    pgd, p4d, pud, _, _ = d.linux
    assert pgd.note == "computed but not read: the level below indexes this page again"
    assert p4d.fold is Fold.COMPILE_TIME
    assert "goes back to the start of the pgd's page" in pud.note
    assert (pud.hi, pud.lo) == (46, 36)


@pytest.mark.parametrize("va", [-1, 1 << 64])
def test_an_address_has_64_bits(va):
    with pytest.raises(AddressError, match="is not a 64-bit address: the largest is 0xffffffffffffffff"):
        decompose(va, KINDS[0])


@given(va=ADDRESSES, booted=BOOTS)
def test_the_plain_data_says_the_same(va, booted):
    d = decompose(va, booted)
    data = json.loads(json.dumps(d.as_dict()))
    assert int(data["va"], 16) == va
    assert [(h["level"], *h["bits"], h["index"]) for h in data["hardware"]] == [
        (h.level, h.hi, h.lo, h.index) for h in d.hardware
    ]
    assert [(level["name"], level["index"], level["level"]) for level in data["linux"]] == [
        (level.name, level.index, level.level) for level in d.linux
    ]
    assert data["tag"] == (va >> 56 if d.top_byte_ignored else None)


@given(va=ADDRESSES, booted=BOOTS)
def test_the_table_has_a_line_for_each_level(va, booted):
    d = decompose(va, booted)
    lines = str(d).splitlines()
    assert lines[0].startswith(f"{va:#018x}  {d.ttbr or 'neither TTBR'}")
    rows = lines[1 + d.top_byte_ignored : -1]
    assert [row.split("index")[0].split()[-1] for row in rows] == ["pgd", "p4d", "pud", "pmd", "pte"]
    assert lines[-1].endswith(f"offset {d.offset:#x}")
