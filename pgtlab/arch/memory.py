"""Physical memory: 64-bit little-endian words by physical address; only pages that were written take space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final, NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgtlab.arch.word import MASK64

U64 = NDArray[np.uint64]

ZEROS: Final = MASK64  # `Banks.first` of a bank that reads as zero and has no words


class PhysicalAddressError(ValueError):
    """An access outside physical memory, or one that is not aligned."""


class Banks(NamedTuple):
    """Memory as compiled loops read it: `words`, and which run of it holds which physical addresses.

    Bank i, in ascending order, holds `base[i]` to `end[i] - 1` from `words[first[i]]` on, or zeros where `first[i]` is
    `ZEROS`; RAM that is in no bank reads as zero.
    """

    words: U64
    base: U64
    end: U64
    first: U64
    ram_base: np.uint64
    ram_end: np.uint64


class Memory:
    """`size` bytes of RAM from `base` on; a page takes space once it is written.

    >>> ram = Memory(base=0x4000_0000, size=1 << 20, page_shift=12)
    >>> ram.write64(0x4000_0008, 0xdead)
    >>> hex(ram.read64(0x4000_0008)), ram.read64(0x4000_1000)
    ('0xdead', 0)
    >>> ram
    Memory(0x40000000 to 0x400fffff, 1 page of 4K written)
    """

    def __init__(self, base: int, size: int, page_shift: int) -> None:
        self.base, self.size, self.page_shift = base, size, page_shift
        self._rows: dict[int, int] = {}  # page frame number -> row of _words
        self._words: U64 = np.zeros((0, 1 << page_shift - 3), np.uint64)
        self._banks: Banks | None = None

    @classmethod
    def of_pages(cls, pages: Mapping[int, ArrayLike], page_shift: int) -> Memory:
        """Memory of these pages, by physical address, and nothing else.

        >>> Memory.of_pages({0x8000: np.arange(512, dtype=np.uint64)}, 12).read64(0x8010)
        2
        """
        memory = cls(0, 0, page_shift)
        for pa in pages:
            if pa & (1 << page_shift) - 1 or not 0 <= pa < 1 << 52:
                raise PhysicalAddressError(f"{pa:#x} is not the physical address of a page of {1 << page_shift} bytes")
        memory._rows = {pa >> page_shift: row for row, pa in enumerate(pages)}
        memory._words = np.array(list(pages.values()), np.uint64).reshape(len(pages), 1 << page_shift - 3)
        return memory

    def __repr__(self) -> str:
        pages = f"{len(self._rows)} page{'' if len(self._rows) == 1 else 's'} of {1 << self.page_shift - 10}K"
        return (
            f"Memory({self.base:#x} to {self.base + self.size - 1:#x}, {pages} written)"
            if self.size
            else f"Memory({pages})"
        )

    def __contains__(self, pa: int) -> bool:
        return self.base <= pa < self.base + self.size or pa >> self.page_shift in self._rows

    @property
    def pages(self) -> Iterator[int]:
        """Physical addresses of the pages that were written, ascending."""
        return (page << self.page_shift for page in sorted(self._rows))

    def read64(self, pa: int) -> int:
        """The word at `pa`; never-written memory reads as zero."""
        page, word = self._locate(pa)
        row = self._rows.get(page)
        return 0 if row is None else int(self._words[row, word])

    def write64(self, pa: int, value: int) -> None:
        """Set the word at `pa`."""
        page, word = self._locate(pa)
        self._writable(page)[word] = value

    def write(self, pa: int, values: U64) -> None:
        """Set the words from `pa` on."""
        for page, word, part in self._pieces(pa, len(values)):
            self._writable(page)[word : word + part.stop - part.start] = values[part]

    def read(self, pa: int, count: int) -> U64:
        """A copy of `count` words from `pa` on."""
        words = np.zeros(count, np.uint64)
        for page, word, part in self._pieces(pa, count):
            if page in self._rows:
                words[part] = self._words[self._rows[page], word : word + part.stop - part.start]
        return words

    def clear_page(self, pa: int) -> None:
        """Zero the page at `pa`."""
        page, _ = self._locate(pa)
        if page in self._rows:
            self._words[self._rows[page]] = 0

    def banks(self) -> Banks:
        """The memory as compiled loops read it: neighbouring pages that lie side by side in the array form one bank."""
        if self._banks is None:
            page = np.array(list(self._rows), np.uint64)
            row = np.array(list(self._rows.values()), np.uint64)
            order = np.argsort(page)
            page, row = page[order], row[order]
            apart = (page[1:] != page[:-1] + 1) | (row[1:] != row[:-1] + 1)
            starts = np.flatnonzero(np.append(True, apart))[: len(page)]
            ends = np.append(starts[1:], len(page))[: len(starts)] - 1
            shift = np.uint64(self.page_shift)
            self._banks = Banks(
                self._words.reshape(-1) if len(page) else np.zeros(1, np.uint64),
                page[starts] << shift,
                (page[ends] + np.uint64(1)) << shift,
                row[starts] << (shift - np.uint64(3)),
                np.uint64(self.base),
                np.uint64(self.base + self.size),
            )
        return self._banks

    def banks_with(self, tables: U64, count: int) -> Banks:
        """`banks()` for a reader of `count` words from each of `tables` on; here those of all memory."""
        return self.banks()

    def _writable(self, page: int) -> U64:
        row = self._rows.get(page)
        if row is None:
            row = len(self._rows)
            if row == len(self._words):  # double, so that the copies cost as much as the pages
                grown = np.zeros((max(16, 2 * row), self._words.shape[1]), np.uint64)
                grown[:row] = self._words
                self._words = grown
            self._rows[page] = row
            self._banks = None
        written: U64 = self._words[row]
        return written

    def _pieces(self, pa: int, count: int) -> Iterator[tuple[int, int, slice]]:
        """A run of `count` words cut at the ends of pages: page, first word in it, and which words of the run."""
        done = 0
        while done < count:
            page, word = self._locate(pa + 8 * done)
            length = min(count - done, self._words.shape[1] - word)
            yield page, word, slice(done, done + length)
            done += length

    def _locate(self, pa: int) -> tuple[int, int]:
        if pa not in self:
            ram = f"{self.base:#x} to {self.base + self.size - 1:#x}" if self.size else f"{len(self._rows)} pages"
            raise PhysicalAddressError(f"{pa:#x} is not in RAM, which is {ram}")
        if pa & 7:
            raise PhysicalAddressError(f"{pa:#x} is not aligned to 8 bytes: the nearest word is at {pa & ~7:#x}")
        return pa >> self.page_shift, (pa & (1 << self.page_shift) - 1) >> 3


def read_tables(memory: Memory | Banks, tables: U64, count: int) -> tuple[U64, NDArray[np.intp]]:
    """The `count` words from each physical address on, and how many of them memory has; the others are zeros.

    >>> read_tables(Memory.of_pages({0x1000: np.ones(512)}, 12), np.array([0x1000, 0x1ff8], np.uint64), 2)
    (array([[1, 1],
           [1, 0]], dtype=uint64), array([2, 1]))
    """
    banks = memory.banks_with(tables, count) if isinstance(memory, Memory) else memory
    words, there = np.zeros((len(tables), count), np.uint64), np.full(len(tables), count)
    inside = np.zeros(len(tables), np.bool_)
    if len(banks.base):
        bank = np.maximum(np.searchsorted(banks.base, tables, side="right"), 1) - 1
        inside = (banks.base[bank] <= tables) & (tables + np.uint64(8 * count) <= banks.end[bank])
        stored = inside & (banks.first[bank] != ZEROS)
        if stored.any():
            where = banks.first[bank] + (tables - banks.base[bank] >> np.uint64(3))
            words[stored] = np.lib.stride_tricks.sliding_window_view(banks.words, count)[where[stored]]
    for i in np.flatnonzero(~inside).tolist():
        words[i], there[i] = _read_part(banks, int(tables[i]), count)
    return words, there


def words_there(memory: Memory, pa: int, count: int) -> U64 | None:
    """`count` words from `pa` on, zeros for those that memory does not have; None where it has none of them.

    >>> words_there(Memory.of_pages({0x1000: np.ones(512)}, 12), 0x1ff0, 4)
    array([1, 1, 0, 0], dtype=uint64)
    """
    words, there = _read_part(memory.banks_with(np.array([pa], np.uint64), count), pa, count)
    return words if there else None


def words_known(memory: Memory, pa: int, count: int) -> NDArray[np.bool_]:
    """Which of the `count` words from `pa` on memory has.

    >>> words_known(Memory.of_pages({0x1000: np.ones(512)}, 12), 0x1ff0, 4)
    array([ True,  True, False, False])
    """
    banks = memory.banks_with(np.array([pa], np.uint64), count)
    known = np.zeros(count, np.bool_)
    first = int(np.searchsorted(banks.end, np.uint64(pa), side="right"))
    past = int(np.searchsorted(banks.base, np.uint64(pa + 8 * count)))
    of_banks = zip(banks.base[first:past].tolist(), banks.end[first:past].tolist(), strict=True)
    for base, end in ((int(banks.ram_base), int(banks.ram_end)), *of_banks):
        known[max(0, base - pa + 7 >> 3) : max(0, end - pa >> 3)] = True
    return known


def _read_part(banks: Banks, pa: int, count: int) -> tuple[U64, int]:
    """One table of `read_tables`, wherever its words are."""
    words, end = np.zeros(count, np.uint64), pa + 8 * count
    in_ram = max(0, min(end, int(banks.ram_end)) - max(pa, int(banks.ram_base))) >> 3
    in_banks = 0
    for bank in range(int(np.searchsorted(banks.end, np.uint64(pa), side="right")), len(banks.base)):
        low, high = max(pa, int(banks.base[bank])), min(end, int(banks.end[bank]))
        if low >= end:
            break
        in_banks += high - low >> 3
        if int(banks.first[bank]) != ZEROS:
            where = int(banks.first[bank]) + (low - int(banks.base[bank]) >> 3)
            words[low - pa >> 3 : high - pa >> 3] = banks.words[where : where + (high - low >> 3)]
    return words, max(in_ram, in_banks)  # banks are in RAM, where there is RAM


class UnwritableMemory(Memory):
    """Memory that can only be read."""

    what: ClassVar[str] = "the memory of an image"  # in the sentence that refuses a write

    def write64(self, pa: int, value: int) -> NoReturn:
        """Refused: the memory is read-only."""
        raise PhysicalAddressError(f"{pa:#x} is in {self.what}, which is read-only")

    def write(self, pa: int, values: U64) -> NoReturn:
        """Refused: the memory is read-only."""
        self.write64(pa, 0)

    def clear_page(self, pa: int) -> NoReturn:
        """Refused: the memory is read-only."""
        self.write64(pa, 0)
