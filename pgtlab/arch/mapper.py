"""Writes translation tables: maps ranges of addresses with the largest leaves that they allow, and unmaps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pgtlab.arch.descriptor import LEAF, TABLE, Descriptor, Invalid, Leaf, Table
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import U64, Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import MAIR_EL1, SCTLR_EL1, TCR_EL1, TTBR0_EL1, TTBR1_EL1, PARange, Shareability
from pgtlab.arch.va_range import VARange


class MappingError(ValueError):
    """A range of addresses that cannot be mapped."""


@dataclass(frozen=True)
class Mapper:
    """Writes tables for `mmu` into its memory; `frames` yields the physical addresses that new tables are put at.

    `free` has those of tables that became empty, which are used first.
    """

    mmu: MMU
    frames: Iterator[int]
    free: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.mmu.stage2 is not None:
            raise MappingError("HCR_EL2.VM=1: the mapper writes tables of one stage only; map without stage 2")

    @classmethod
    def in_ram(
        cls,
        tcr: TCR_EL1,
        *,
        base: int = 0x4000_0000,
        size: int = 1 << 32,
        mair: MAIR_EL1 | None = None,
        sctlr: SCTLR_EL1 | None = None,
        pa_range: PARange = PARange.PA52,
    ) -> Mapper:
        """A mapper in RAM of its own, `size` bytes from `base` on: empty first tables, and TTBRs that point at them.

        Without `mair`, attribute 0 is Normal Write-Back memory; without `sctlr`, translation and caches are on.

        >>> Mapper.in_ram(TCR_EL1(T0SZ=16)).mmu.ttbr0
        TTBR0_EL1(0x40000000: BADDR=0x20000000)
        """
        sctlr = MMU.sctlr if sctlr is None else sctlr
        ranges = [VARange.of(tcr, sctlr, TTBR0_EL1(), pa_range, upper=upper) for upper in (False, True)]
        shift = max(r.granule.shift for r in ranges)
        frames = iter(range(base, base + size, 1 << shift))
        mmu = MMU(
            Memory(base, size, shift),
            tcr,
            TTBR0_EL1(next(frames)),
            TTBR1_EL1(next(frames)),
            MAIR_EL1(Attr0=0xFF) if mair is None else mair,
            sctlr,
            pa_range,
        )
        return cls(mmu, frames)

    def map_range(
        self, va: int, pa: int, size: int, *, blocks: bool = True, contiguous: bool = True, **fields: int
    ) -> None:
        """Map `size` bytes from `va` on to those from `pa` on.

        Parameters
        ----------
        va, pa, size : int
            In bytes, multiples of the granule; `va` lies in the lower or in the upper range.
        blocks : bool
            Use blocks where both addresses are aligned to one; otherwise pages only.
        contiguous : bool
            Set the Contiguous bit on runs of leaves that may have it.
        **fields
            Fields of the leaves' descriptors. AF is 1 and SH is Inner Shareable by default.

        Raises
        ------
        MappingError
            Where the range is not aligned, not inside one VA range or one physical address space: then nothing is
            changed. Where a part of it is mapped already: what lies before that part is mapped then.
        FieldError
            Where a field is unknown or too large.

        Examples
        --------
        >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
        >>> mapper.map_range(0x4000_0000, 0x8000_0000, 0x4000_0000, AP=1)
        >>> mapper.mmu.translate(0x4000_1234, el=0).steps[-1].descriptor
        Block(0x80000741: OA=0x2 AF=0x1 SH=INNER AP=0x1 VALID=0x1)
        """
        r = self.mmu.va_range(va)
        _check(r, va, pa, size)
        assert r.start_level is not None
        if "SH" not in fields and r.format.packing is not OutputAddress.LPA2:
            fields = fields | {"SH": Shareability.INNER}
        run = _Run(r, blocks, contiguous, {"AF": 1} | fields)
        self._fill(run, r.base, r.start_level, va & (1 << r.input_bits) - 1, pa, size)

    def _fill(self, run: _Run, table: int, level: int, ia: int, pa: int, size: int) -> None:
        """Map a range of input addresses that one table of `level` covers; `ia` counts from where the table begins."""
        shift = run.r.granule.level_shift(level)
        while size:
            whole = run.leaves(level, ia, pa, size)
            if whole:
                covered = whole << shift
                self._write_leaves(run, table, level, ia >> shift, pa, whole)
            else:
                covered = min(size, (1 << shift) - (ia & (1 << shift) - 1))
                child = self._child(run.r, table + 8 * (ia >> shift), level)
                self._fill(run, child, level + 1, ia & (1 << shift) - 1, pa, covered)
            ia, pa, size = ia + covered, pa + covered, size - covered

    def _write_leaves(self, run: _Run, table: int, level: int, index: int, pa: int, count: int) -> None:
        old = self.mmu.memory.read(table + 8 * index, count)
        if (old & 1).any():
            raise MappingError(
                f"entries {index} to {index + count - 1} of the table at {table:#x} are not all invalid: "
                "map_range does not replace mappings"
            )
        self.mmu.memory.write(table + 8 * index, run.words(level, index, pa, count))

    def _child(self, r: VARange, address: int, level: int) -> int:
        """The table below the entry at `address`, made where there is none."""
        match descriptor := r.format.decode(self.mmu.memory.read64(address), level):
            case Table():
                return descriptor.oa
            case Leaf():
                raise MappingError(
                    f"{descriptor!r} at {address:#x} maps part of this already: map_range does not replace mappings"
                )
        assert isinstance(descriptor, Invalid)
        frame = self._frame()
        self.mmu.memory.write64(address, int(r.format.table(frame, level)))
        return frame

    def _frame(self) -> int:
        frame = self.free.pop() if self.free else next(self.frames, None)
        if frame is None:
            raise MappingError("no frame is left for another table: give the mapper more RAM")
        return frame

    def unmap_range(self, va: int, size: int) -> None:
        """Unmap `size` bytes from `va` on, as far as they are mapped: the inverse of `map_range`.

        A block that is unmapped in part is split: a table of smaller leaves takes its place. Where a part of a
        contiguous run is unmapped, the rest of the run loses the Contiguous bit. Tables that become empty are freed.

        On hardware each of these changes needs break-before-make (Arm ARM D8.16.1), since a TLB may hold the old entry.
        Here nothing is remembered from one translation to the next.

        Parameters
        ----------
        va, size : int
            In bytes, multiples of the granule; `va` lies in the lower or in the upper range.

        Raises
        ------
        MappingError
            Where the range is not aligned or not inside one VA range, or no frame is left for the table that a block is
            split into: then nothing is unmapped.

        Examples
        --------
        >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=25))
        >>> mapper.map_range(0x4000_0000, 0x8000_0000, 0x20_0000)
        >>> mapper.unmap_range(0x4000_1000, 0x1000)
        >>> print(mapper.mmu.translate(0x4000_0000).outcome)
        PA 0x80000000, Normal WB RWA, Inner Shareable
        >>> print(mapper.mmu.translate(0x4000_1000).outcome)
        level 3 translation fault: the descriptor is invalid
        """
        r = self.mmu.va_range(va)
        _check(r, va, 0, size)
        assert r.start_level is not None
        ia = va & (1 << r.input_bits) - 1
        for end in (ia, ia + size):
            if end < 1 << r.input_bits:
                self._cut(r, end)
        self._clear(r, r.base, r.start_level, ia, size)

    def _cut(self, r: VARange, ia: int) -> None:
        """Make leaves and contiguous runs end at `ia`, which changes no translation."""
        table = r.base
        assert r.start_level is not None
        for level in range(r.start_level, LAST_LEVEL + 1):
            index, ia = divmod(ia, 1 << r.granule.level_shift(level))
            descriptor = r.format.decode(self.mmu.memory.read64(table + 8 * index), level)
            if isinstance(descriptor, Leaf):
                run = r.format.contiguous_entries(level)
                if descriptor.Contiguous and (ia or index % run):
                    self._end_run(r, table, level, index // run * run, run)
                if ia:
                    descriptor = self._split(r, table + 8 * index, level)
            if not isinstance(descriptor, Table) or not ia:
                return
            table = descriptor.oa

    def _end_run(self, r: VARange, table: int, level: int, first: int, count: int) -> None:
        """Clear the Contiguous bit of all leaves of a run."""
        words = self.mmu.memory.read(table + 8 * first, min(count, r.entries(level) - first))
        words[r.format.kinds(words, level) == LEAF] &= ~np.uint64(Leaf.Contiguous.mask)
        self.mmu.memory.write(table + 8 * first, words)

    def _split(self, r: VARange, address: int, level: int) -> Descriptor:
        """Put a table of smaller leaves in the place of the block at `address`."""
        memory, format, below = self.mmu.memory, r.format, level + 1
        block = np.uint64(memory.read64(address))
        oas = format.packing.unpack(block, r.granule.level_shift(level)) + (
            np.arange(r.entries(below), dtype=np.uint64) << np.uint64(r.granule.level_shift(below))
        )
        attributes = block & format.attribute_bits(level) & format.attribute_bits(below)
        page = np.uint64(Leaf.TYPE.mask if below == LAST_LEVEL else 0)
        frame = self._frame()
        memory.write(frame, format.packing.place(oas) | attributes | page)
        table = format.table(frame, level)
        memory.write64(address, int(table))
        return table

    def _clear(self, r: VARange, table: int, level: int, ia: int, size: int) -> None:
        """Unmap a range that one table of `level` covers, and that begins and ends where leaves do."""
        memory, shift = self.mmu.memory, r.granule.level_shift(level)
        first, last = ia >> shift, ia + size - 1 >> shift
        words = memory.read(table + 8 * first, last - first + 1)
        kinds = r.format.kinds(words, level)
        for i in np.flatnonzero(kinds == TABLE).tolist():
            child, entry = int(r.format.packing.unpack(words[i], r.granule.shift)), first + i << shift
            start, end = max(ia, entry), min(ia + size, entry + (1 << shift))
            self._clear(r, child, level + 1, start - entry, end - start)
            if not memory.read(child, r.entries(level + 1)).any():
                self.free.append(child)
                words[i] = 0
        words[kinds == LEAF] = 0
        memory.write(table + 8 * first, words)


@dataclass(frozen=True)
class _Run:
    """How the leaves of one call are made."""

    r: VARange
    blocks: bool
    contiguous: bool
    fields: dict[str, int]

    def leaves(self, level: int, ia: int, pa: int, size: int) -> int:
        """How many leaves of `level` can map what comes next; 0 where smaller ones must."""
        entry = 1 << self.r.granule.level_shift(level)
        highest = self.r.format.first_block_level if self.blocks else LAST_LEVEL
        return 0 if level < highest or (ia | pa) & entry - 1 else size // entry

    def words(self, level: int, index: int, pa: int, count: int) -> U64:
        """`count` neighbouring leaves, from entry `index` and physical address `pa` on."""
        format, shift = self.r.format, np.uint64(self.r.granule.level_shift(level))
        addresses = np.uint64(pa) + (np.arange(count, dtype=np.uint64) << shift)
        words: U64 = format.packing.place(addresses) | np.uint64(int(format.leaf(0, level, **self.fields)))
        run = format.contiguous_entries(level)
        if self.contiguous and run > 1 and (index - (pa >> int(shift))) % run == 0:
            first, last = -(-index // run) * run - index, (index + count) // run * run - index
            words[first : max(first, last)] |= np.uint64(Leaf.Contiguous.mask)
        return words


def _check(r: VARange, va: int, pa: int, size: int) -> None:
    granule = r.granule.size
    for name, value in ("va", va), ("pa", pa), ("size", size):
        if value % granule or value < 0:
            raise MappingError(
                f"{name}={value:#x} is not a multiple of the {r.granule} granule: the nearest below is "
                f"{max(value, 0) // granule * granule:#x}"
            )
    if size == 0:
        raise MappingError(f"size=0 maps nothing: the smallest is one granule, {granule:#x}")
    if r.start_level is None or not r.holds(va, fetch=True) or (va - r.first) + size > 1 << r.input_bits:
        raise MappingError(
            f"{va:#x} to {va + size - 1:#x} is not inside the {'upper' if r.upper else 'lower'} range, which is "
            f"{r.first:#x} to {r.first + (1 << r.input_bits) - 1:#x}"
        )
    if pa + size > 1 << r.output_bits:
        raise MappingError(
            f"{pa:#x} to {pa + size - 1:#x} has more than {r.output_bits} bits of physical address: "
            f"the highest that maps {size:#x} bytes is {max(0, (1 << r.output_bits) - size):#x}"
        )
