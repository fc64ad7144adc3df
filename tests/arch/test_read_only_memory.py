"""Memory that is given: the words of its extents where they say, nothing elsewhere, and both walkers read it alike."""

import mmap
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_tables import random_machine

from pgtlab.arch.memory import PhysicalAddressError
from pgtlab.arch.read_only_memory import Extent, ReadOnlyMemory
from pgtlab.arch.translations import Translations

WORDS = np.arange(100, 200, dtype=np.uint64)
BASE = 0x8000
extents = st.lists(
    st.builds(
        Extent, st.integers(0, 80).map(lambda i: BASE + 8 * i), st.none() | st.integers(0, 60), st.integers(1, 40)
    ),
    max_size=6,
)


def model(given):
    """The words by address: where extents overlap, those of the lower one, or of the first where both begin alike."""
    words = {}
    for extent in sorted(given, key=lambda extent: extent.pa):
        for i in range(extent.length):
            words.setdefault(extent.pa + 8 * i, 0 if extent.first is None else int(WORDS[extent.first + i]))
    return words


@given(extents)
def test_read_only_memory_has_the_words_of_its_extents(given):
    memory, words = ReadOnlyMemory(WORDS, given), model(given)
    for pa in range(BASE - 16, BASE + 8 * 130, 8):
        assert (pa in memory) == (pa in words)
        if pa in words:
            assert memory.read64(pa) == words[pa]
        else:
            with pytest.raises(PhysicalAddressError, match=f"{pa:#x} is not in the image"):
                memory.read64(pa)
    runs = [(extent.pa, extent.length) for extent in memory.extents]
    assert sum(length for _, length in runs) == len(words)
    for pa, length in runs:
        assert memory.read(pa, length).tolist() == [words[pa + 8 * i] for i in range(length)]


@given(extents)
def test_banks_are_the_same_memory(given):
    memory, words, found = ReadOnlyMemory(WORDS, given), model(given), {}
    banks = memory.banks()
    for base, end, first in zip(banks.base.tolist(), banks.end.tolist(), banks.first.tolist(), strict=True):
        for pa in range(base, end, 8):
            found[pa] = 0 if first == (1 << 64) - 1 else int(banks.words[first + (pa - base) // 8])
    assert found == words


def in_a_file(memory, path, shift):
    """The same memory in a mapped file, from byte `shift` of it on; RAM that was never written is zeros."""
    pages, size = list(memory.pages), 1 << memory.page_shift
    path.write_bytes(bytes(shift) + b"".join(memory.read(pa, size >> 3).tobytes() for pa in pages))
    extents, end = [], memory.base
    for i, pa in enumerate(pages):
        extents.append(Extent(pa, i * size >> 3, size >> 3))
        if memory.size and pa > end:
            extents.append(Extent(end, None, pa - end >> 3))
        end = pa + size
    if memory.size and memory.base + memory.size > end:
        extents.append(Extent(end, None, memory.base + memory.size - end >> 3))
    return ReadOnlyMemory(np.frombuffer(mapped(path), "<u8", offset=shift), extents)


def mapped(path):
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


@pytest.mark.slow
@given(seed=st.integers(0, 1 << 32))
@pytest.mark.parametrize("shift", [8, 4], ids=["aligned", "not aligned"])
def test_both_walkers_read_a_mapped_file_as_they_read_memory(tmp_path_factory, shift, seed):
    machine = random_machine(seed, addresses=60)
    memory = in_a_file(machine.mmu.memory, tmp_path_factory.mktemp("mapped") / "ram", shift)
    image = replace(machine.mmu, memory=memory)
    walks = [machine.mmu.translate(va) for va in machine.vas]
    assert [image.translate(va).outcome for va in machine.vas] == [walk.outcome for walk in walks]
    assert not Translations.of(walks).differs(image.translate_many(machine.vas)).any()


def test_read_only_memory_refuses_writes():
    memory = ReadOnlyMemory(WORDS, [Extent(BASE, 0, 100)])
    for change in (memory.clear_page, lambda pa: memory.write64(pa, 1), lambda pa: memory.write(pa, WORDS)):
        with pytest.raises(PhysicalAddressError, match="0x8000 is in the memory of an image, which is read-only"):
            change(BASE)
    with pytest.raises(PhysicalAddressError, match="0x8001 is not aligned to 8 bytes: the nearest word is at 0x8000"):
        memory.read64(BASE + 1)


@pytest.mark.parametrize("extent", [Extent(4, 0, 1), Extent(-8, 0, 1), Extent((1 << 52) - 8, 0, 2)])
def test_an_extent_is_of_words_below_2_to_the_52(extent):
    with pytest.raises(PhysicalAddressError, match="words are at multiples of 8, below 2"):
        ReadOnlyMemory(WORDS, [extent])


def test_the_pages_of_many_gibibytes_are_named_one_by_one():
    memory = ReadOnlyMemory(WORDS, [Extent(0x8008, 0, 1), Extent(0x8010, 1, 1), Extent(1 << 40, None, 1 << 40)])
    assert list(islice(memory.pages, 3)) == [0x8000, 1 << 40, (1 << 40) + 4096]
