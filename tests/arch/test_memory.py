"""Physical memory: the word that was written last, zero where none was, and nothing outside RAM."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.memory import Memory, PhysicalAddressError

BASE, SIZE = 0x4000_0000, 1 << 20
WORD_ADDRESSES = st.integers(0, SIZE // 8 - 1).map(lambda i: BASE + 8 * i)


@given(st.sampled_from([12, 14, 16]), st.lists(st.tuples(WORD_ADDRESSES, st.integers(0, (1 << 64) - 1))))
def test_memory_is_what_was_written(page_shift, writes):
    ram = Memory(BASE, SIZE, page_shift)
    for pa, value in writes:
        ram.write64(pa, value)
    for pa, value in dict(writes).items():
        assert ram.read64(pa) == value
    assert ram.read64(BASE + SIZE - 8) == dict(writes).get(BASE + SIZE - 8, 0)


@given(st.sampled_from([12, 14, 16]), WORD_ADDRESSES, WORD_ADDRESSES)
def test_clearing_a_page_clears_that_page(page_shift, one, other):
    ram = Memory(BASE, SIZE, page_shift)
    ram.write64(one, 1)
    ram.write64(other, 2)
    ram.clear_page(one)
    assert ram.read64(one) == 0
    assert ram.read64(other) == (0 if one >> page_shift == other >> page_shift else 2)


@pytest.mark.parametrize("pa", [0, BASE - 8, BASE + SIZE, 1 << 52])
def test_outside_ram_there_is_nothing(pa):
    ram = Memory(BASE, SIZE, 12)
    assert pa not in ram
    for access in (ram.read64, ram.clear_page, lambda pa: ram.write64(pa, 1)):
        with pytest.raises(PhysicalAddressError, match=rf"{pa:#x} is not in RAM, which is 0x40000000 to 0x400fffff"):
            access(pa)


@pytest.mark.parametrize("pa", [BASE + 1, BASE + 4, BASE + 15])
def test_a_word_is_aligned(pa):
    with pytest.raises(PhysicalAddressError, match=rf"not aligned to 8 bytes: the nearest word is at {pa & ~7:#x}"):
        Memory(BASE, SIZE, 12).read64(pa)
