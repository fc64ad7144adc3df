"""Builds translation tables in memory, with the largest leaves that an address range allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pgtlab.arch.descriptor import Invalid, Leaf, Table
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
    """Writes tables for `mmu` into its memory; `frames` yields the physical addresses that new tables are put at."""

    mmu: MMU
    frames: Iterator[int]

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

        Without `mair`, attribute 0 is Normal Write-Back memory.

        >>> Mapper.in_ram(TCR_EL1(T0SZ=16)).mmu.ttbr0
        TTBR0_EL1(0x40000000: BADDR=0x20000000)
        """
        sctlr = SCTLR_EL1(M=1) if sctlr is None else sctlr
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
            Fields of the leaves' descriptors. AF is 1 and SH Inner Shareable unless they are given.

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
        frame = next(self.frames, None)
        if frame is None:
            raise MappingError("no frame is left for another table: give the mapper more RAM")
        self.mmu.memory.write64(address, int(r.format.table(frame, level)))
        return frame


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
