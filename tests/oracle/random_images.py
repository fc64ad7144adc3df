"""Random tables, and addresses that mostly hit what was built.

What the architecture leaves open (CONSTRAINED UNPREDICTABLE, IMPLEMENTATION DEFINED, reserved values) is not generated.
What only QEMU has wrong is, with a note: 0b01 at a level without blocks is a Translation fault, and until version 10 it
was a block. What crashes QEMU 7.2 is not: at level -1, such a block or a read without memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import numpy as np

from oracle.case_file import Note
from oracle.qemu import LOWEST_TABLE, Image, Words
from oracle.registers import SHAREABILITY, Format, random_registers

# No RAM and no device of QEMU's `virt` answers here: a hole below RAM that 32 bits reach, and all that is far above it.
HOLE, BEYOND_RAM = range(0x0E00_0000, 0x0F00_0000), 42
TABLE_BITS = 40  # tables lie below this
CASES = 150  # of each image, or up to three more


@dataclass
class Table:
    """A table in memory. `below` are the tables that its entries point at, `notes` what is special about entries."""

    address: int
    index_bits: int
    words: dict[int, int] = field(default_factory=dict)
    below: dict[int, Table] = field(default_factory=dict)
    notes: dict[int, int] = field(default_factory=dict)


@dataclass
class Frames:
    """Places for tables: pages anywhere in RAM that `bits` of address reach, with tables anywhere in them."""

    rng: Random
    page_bytes: int
    bits: int
    used: dict[int, list[range]] = field(default_factory=dict)

    def take(self, size: int) -> int:
        """The address of a table of `size` bytes, aligned to it."""
        page = self.rng.choice([*self.used]) if self.used and self.rng.random() < 0.5 else self._new_page()
        start = page + self.rng.randrange(0, self.page_bytes, size)
        if any(start < other.stop and other.start < start + size for other in self.used[page]):
            page = self._new_page()
            start = page + self.rng.randrange(0, self.page_bytes, size)
        self.used[page].append(range(start, start + size))
        return start

    def _new_page(self) -> int:
        end = 1 << self.rng.randint(32, self.bits)
        page = self.rng.randrange(LOWEST_TABLE, end) // self.page_bytes * self.page_bytes
        if page < LOWEST_TABLE or page in self.used:
            return self._new_page()
        self.used[page] = []
        return page


class Half:
    """The tables below one TTBR, made at random.

    Some halves are `recursive`: entries of the first table point back at it, so that tables are also read as tables of
    a lower level and, at level 3, as pages. All their entries must make sense both ways, so they have no blocks.
    """

    def __init__(self, rng: Random, format: Format, frames: Frames) -> None:
        self.rng, self.format, self.frames = rng, format, frames
        self.tables: list[tuple[int, Table]] = []
        self.budget = rng.randint(2, 9)
        level = format.start_level
        index_bits = format.input_bits - format.entry_shift(level)
        self.recursive = index_bits == format.shift - 3 and level < 3 and rng.random() < 0.2
        self.root = self._table(level, index_bits)

    def _table(self, level: int, index_bits: int) -> Table:
        rng, size = self.rng, 8 << index_bits
        table = Table(self.frames.take(size), index_bits)
        self.tables.append((level, table))
        self.budget -= 1
        if rng.random() < 0.5:
            self._add_run(table, level)
        if level < 3:
            self._add_table(table, level, rng.randrange(1 << index_bits))
        ends = (0, (1 << index_bits) - 1)
        chosen = {*ends, *(rng.randrange(1 << index_bits) for _ in range(rng.randint(4, 16)))}
        for index in sorted(chosen - {*table.words}):
            self._add_entry(table, level, index)
        return table

    def _add_entry(self, table: Table, level: int, index: int) -> None:
        rng, fmt = self.rng, self.format
        if level == 3:
            kinds = {"leaf": 12, "far leaf": 1, "reserved": 1, "invalid": 1}
        else:
            kinds = {"table": 6, "far table": 1, "lost table": 1, "invalid": 1}
            if self.recursive:
                kinds["recursion"] = 3
            elif not fmt.has_blocks(level) and level >= 0:  # a block at level -1 crashes QEMU 7.2
                kinds["illegal block"] = 1
            elif fmt.has_blocks(level) and fmt.entry_shift(level) <= fmt.output_bits:  # a larger one would pass it
                kinds |= {"leaf": 6, "far leaf": 1}
        if not fmt.can_exceed:
            kinds = {kind: weight for kind, weight in kinds.items() if not kind.startswith("far")}
        kind = rng.choices([*kinds], [*kinds.values()])[0]
        if kind == "table":
            self._add_table(table, level, index)
        elif kind == "recursion":
            self._point(table, index, self.tables[0][1])
        elif kind.endswith(" table"):
            pa = self._far(3) if kind.startswith("far") else self._lost(fmt.shift, rng.choice(self.tables)[1])
            table.words[index] = self._table_word(pa)
        elif kind == "invalid":
            table.words[index] = rng.getrandbits(63) << 1
        elif kind == "illegal block":
            table.words[index] = self._leaf_word(3, 0) & ~0b10
            table.notes[index] = Note.BLOCK_ILLEGAL.mask
        elif kind == "reserved":
            table.words[index] = self._leaf_word(3, self._output(3)) & ~0b10
        else:
            pa = self._far(level) if kind.startswith("far") else self._output(level)
            table.words[index] = self._leaf_word(level, pa)
            if level < 3 and rng.random() < 0.2:
                # Bits below a block's address are RES0, except nT (bit 16), and hardware ignores them.
                junk = rng.getrandbits(fmt.entry_shift(level)) >> fmt.shift << fmt.shift & ~(1 << 16)
                table.words[index] |= junk
                table.notes[index] = Note.RES0_JUNK.mask if junk else 0

    def _add_table(self, table: Table, level: int, index: int) -> None:
        """Point an entry at a new table, or at one that is there already."""
        there = [other for of_level, other in self.tables if of_level == level + 1]
        new = not there or (self.budget > 0 and self.rng.random() < 0.7)
        self._point(table, index, self._table(level + 1, self.format.shift - 3) if new else self.rng.choice(there))

    def _point(self, table: Table, index: int, below: Table) -> None:
        table.below[index] = below
        table.words[index] = self._table_word(below.address)

    def _add_run(self, table: Table, level: int) -> None:
        """A contiguous run as it should be: all entries alike, their addresses consecutive and aligned."""
        fmt, run = self.format, self.format.run(level)
        size = run << fmt.entry_shift(level)
        if run == 1 or run > 1 << table.index_bits or size > 1 << fmt.output_bits or (self.recursive and level < 3):
            return
        first = self.rng.randrange(0, 1 << table.index_bits, run)
        address = self._output(level) // size * size
        word = self._leaf_word(level, 0) | 1 << 52
        for i in range(run):
            table.words[first + i] = word | fmt.place(address + (i << fmt.entry_shift(level)))

    def _table_word(self, address: int) -> int:
        rng, fmt = self.rng, self.format
        ignored = rng.getrandbits(4) << 55 | rng.getrandbits(2) << 53 | rng.getrandbits(1) << 51
        ignored |= rng.getrandbits(2) << 10 | rng.getrandbits(6) << 2
        if not fmt.lpa2:
            ignored |= rng.choice(SHAREABILITY) << 8  # no reserved value, for when a recursion makes it a page
        hierarchical = sum((rng.random() < 0.15) << bit for bit in range(59, 64))
        return hierarchical | ignored | fmt.place(address) | 0b11

    def _leaf_word(self, level: int, address: int) -> int:
        """A leaf that is mostly usable: its access flag is set more often than not, EL0 is let in half of the time."""
        rng, fmt = self.rng, self.format
        upper = rng.getrandbits(11) << 53 | rng.getrandbits(2) << 50  # XN, software, PBHA; DBM and GP
        lower = rng.getrandbits(1) << 11 | (rng.random() < 0.85) << 10 | rng.getrandbits(6) << 2
        if not fmt.lpa2:
            lower |= rng.choice(SHAREABILITY) << 8
        return upper | lower | fmt.place(address) | (0b11 if level == 3 else 0b01)

    def _output(self, level: int) -> int:
        """An output address for a leaf of `level`, small or large."""
        shift, rng = self.format.entry_shift(level), self.rng
        bits = rng.choice([self.format.output_bits, rng.randint(min(30, shift), self.format.output_bits)])
        return rng.getrandbits(bits) >> shift << shift

    def _far(self, level: int) -> int:
        """An output address that is out of range, where `Format.can_exceed` says that there are any."""
        fmt = self.format
        return self._output(level) | 1 << self.rng.randrange(fmt.output_bits, fmt.address_bits_in_place)

    def _lost(self, shift: int, table: Table) -> int:
        """An address in range without memory: that of `table` but for one high bit, which nobody must ignore."""
        bits, rng = self.format.output_bits, self.rng
        if bits <= BEYOND_RAM or rng.random() < 0.2:
            return rng.choice(HOLE) >> shift << shift
        return (1 << rng.randrange(BEYOND_RAM, bits) | table.address) >> shift << shift

    def ttbr(self) -> int:
        """The register: an ASID, the base, CnP. Now and then the base is out of range or where there is no memory.

        More often with 52 bits, where nothing else shows that bits 51:48 of the base are read.
        """
        rng, fmt = self.rng, self.format
        shift = self.root.index_bits + 3
        address = self.root.address
        wide = fmt.lpa2 or fmt.output_bits == 52
        lost = 0.15 if fmt.output_bits == 52 else 0.03
        if rng.random() < lost and fmt.start_level >= 0:  # an external abort at level -1 crashes QEMU 7.2
            address = self._lost(max(shift, 6), self.root)
        elif rng.random() < 0.03 and fmt.output_bits < 48:
            address |= 1 << rng.randrange(fmt.output_bits, 48)
        base = address & (1 << 48) - 1 | ((address >> 48) << 2 if wide else 0)
        return rng.getrandbits(16) << 48 | base | rng.getrandbits(1)

    def address(self) -> int:
        """A virtual address: down through random entries, then perhaps spoilt."""
        rng, fmt, table, level, ia = self.rng, self.format, self.root, self.format.start_level, 0
        while True:
            index = rng.choice([*table.words]) if rng.random() < 0.95 else rng.randrange(1 << table.index_bits)
            shift = fmt.entry_shift(level)
            ia |= index << shift
            if level == 3 or index not in table.below:
                break
            table, level = table.below[index], level + 1
        ia |= rng.choice([0, (1 << shift) - 1, *(rng.getrandbits(shift) for _ in range(4))])
        top = (1 << 64) - (1 << fmt.input_bits)
        va = ia | top if fmt.upper else ia
        spoilt = rng.random()
        if spoilt < 0.15:  # a tag; it may or may not be ignored
            va = va & (1 << 56) - 1 | rng.getrandbits(8) << 56
        elif spoilt < 0.20:
            va ^= 1 << rng.randrange(fmt.input_bits, 64)
        elif spoilt < 0.23:
            va = rng.getrandbits(64)
        return va

    def met(self, va: int) -> int:
        """The notes on the entries that `va` meets."""
        table, level, ia, note = self.root, self.format.start_level, va & (1 << self.format.input_bits) - 1, 0
        while True:
            index, ia = divmod(ia, 1 << self.format.entry_shift(level))
            note |= table.notes.get(index, 0)
            if level == 3 or index not in table.below:
                return note
            table, level = table.below[index], level + 1


def random_images(seed: int, count: int) -> list[Image]:
    """The first `count` images of a seed."""
    return [_image(Random(f"random {seed} {i}")) for i in range(count)]


def _image(rng: Random) -> Image:
    """Each address is asked with one operation or with all four."""
    registers = random_registers(rng)
    frames = Frames(rng, registers.page_bytes, min(TABLE_BITS, registers.pa_bits))
    halves = [Half(rng, fmt, frames) for fmt in registers.formats]
    questions: list[tuple[int, int]] = []
    while len(questions) < CASES:
        va = rng.choice(halves).address()
        questions += [(va, op) for op in ([0, 1, 2, 3] if rng.random() < 0.5 else [rng.randrange(4)])]
    page_base = np.array(sorted(frames.used), np.uint64)
    return Image(
        tcr=registers.tcr,
        ttbr0=halves[0].ttbr(),
        ttbr1=halves[1].ttbr(),
        mair=registers.mair,
        sctlr=registers.sctlr,
        granules=registers.granules,
        page_base=page_base,
        words=_words(page_base, registers.page_bytes, [table for half in halves for _, table in half.tables]),
        va=np.array([va for va, _ in questions], np.uint64),
        op=np.array([op for _, op in questions], np.uint8),
        note=np.array([halves[va >> 55 & 1].met(va) for va, _ in questions], np.uint32),
    )


def _words(page_base: Words, page_bytes: int, tables: list[Table]) -> Words:
    words = np.zeros((len(page_base), page_bytes // 8), np.uint64)
    row = {int(base): i for i, base in enumerate(page_base)}
    for table in tables:
        base = table.address // page_bytes * page_bytes
        for index, word in table.words.items():
            words[row[base], (table.address - base) // 8 + index] = word
    return words
