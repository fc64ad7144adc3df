"""Physical memory: the word that was written last, zero where none was, and nothing outside RAM."""

import numpy as np
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


@given(st.sampled_from([12, 14, 16]), WORD_ADDRESSES, st.lists(st.integers(0, (1 << 64) - 1), max_size=3000))
def test_runs_of_words_are_words(page_shift, start, values):
    """A run may cross pages; words that were never written read as zero."""
    values = values[: (BASE + SIZE - start) // 8]
    ram = Memory(BASE, SIZE, page_shift)
    ram.write(start, np.array(values, np.uint64))
    assert [ram.read64(start + 8 * i) for i in range(len(values))] == values
    before = min(start - BASE, 64)
    assert ram.read(start - before, before // 8 + len(values)).tolist() == [0] * (before // 8) + values


def test_memory_of_pages_has_these_pages_alone():
    pages = {0x8000: np.full(512, 8, np.uint64), 0xF_FFFF_FFFF_F000: np.full(512, 9, np.uint64)}
    memory = Memory.of_pages(pages, 12)
    assert list(memory.pages) == sorted(pages)
    assert (memory.read64(0x8FF8), memory.read64(0xF_FFFF_FFFF_F000)) == (8, 9)
    for outside in 0, 0x7FF8, 0x9000, 0xF_FFFF_FFFF_E000:
        assert outside not in memory
        with pytest.raises(PhysicalAddressError, match=rf"^{outside:#x} is not in RAM, which is 2 pages$"):
            memory.read64(outside)
    with pytest.raises(PhysicalAddressError):
        memory.read(0x8800, 512)
    pages[0x8000][0] = 1
    assert memory.read64(0x8000) == 8


@pytest.mark.parametrize("pa", [0x8800, -0x1000, 1 << 52])
def test_a_page_is_at_a_pages_address(pa):
    with pytest.raises(PhysicalAddressError, match=rf"{pa:#x} is not the physical address of a page of 4096 bytes"):
        Memory.of_pages({pa: np.zeros(512, np.uint64)}, 12)


@given(st.lists(st.integers(0, 255), unique=True))
def test_banks_are_the_same_memory(pages):
    """Ascending, apart from each other, and each word where its address says; written later, still the same."""
    memory = Memory(BASE, SIZE, 12)
    for page in pages:
        memory.write64(BASE + 4096 * page, page + 1)
    banks = memory.banks()
    for page in pages:
        memory.write64(BASE + 4096 * page + 8, page + 2)
    base, end, first = (array.tolist() for array in (banks.base, banks.end, banks.first))
    assert all(start < stop for start, stop in zip(base, end, strict=True))
    assert all(stop <= start for stop, start in zip(end, base[1:], strict=False))
    found = {}
    for start, stop, word in zip(base, end, first, strict=True):
        for pa in range(start, stop, 4096):
            found[(pa - BASE) // 4096] = banks.words[word + (pa - start) // 8 :][:2].tolist()
    assert found == {page: [page + 1, page + 2] for page in pages}
    assert (int(banks.ram_base), int(banks.ram_end)) == (BASE, BASE + SIZE)
