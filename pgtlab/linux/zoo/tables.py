"""The memory of an image of the zoo: tables that have what readers of tables get wrong, and a few pages of data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import SCTLR_EL1, TTBR0_EL1, TTBR1_EL1, PARange
from pgtlab.linux.boot import Boot
from pgtlab.linux.registers import MAIR_EL1_SET

RAM: Final = 0x4000_0000
_RAM_SIZE: Final = 64 << 20
#: Where things are, in pages from RAM on: four pages of data, the process's first table, the kernel's image with
#: swapper_pg_dir, and all other tables.
_USER_ROOT, _KERNEL, _TABLES = 4, 8, 16
_TEXT: Final = 1  # pages of the image before swapper_pg_dir
_FAR: Final = 1 << 44  # a physical address that is not in the image, aligned to blocks of all sizes
_READ_ONLY, _USER, _USER_READ_ONLY = 2, 1, 3  # AP
_NORMAL, _NORMAL_NC, _DEVICE = 0, 2, 4  # AttrIndx of v6.12


@dataclass(frozen=True)
class Tables:
    """Memory, what reads it, and the addresses to ask about.

    Attributes
    ----------
    mmu : MMU
        With its registers.
    kernel, kernel_pa : int
        Where the kernel's image is, in virtual and in physical memory.
    swapper : int
        The virtual address of `swapper_pg_dir`, which is in it.
    addresses : tuple of int
        Virtual addresses: the first and last words of what is mapped, their neighbours, and addresses of no range.
    """

    mmu: MMU
    kernel: int
    kernel_pa: int
    swapper: int
    addresses: tuple[int, ...]

    @property
    def pages(self) -> dict[int, bytes]:
        """The pages of memory that are in the image."""
        memory = self.mmu.memory
        size = 1 << memory.page_shift
        return {pa: memory.read(pa, size // 8).tobytes() for pa in memory.pages}


def tables(boot: Boot) -> Tables:
    """The tables of a kernel and a process, with a mapping of each kind."""
    k, page = boot.config.constants, boot.config.page_size
    memory = Memory(RAM, _RAM_SIZE, boot.config.granule.shift)
    kernel = RAM + _KERNEL * page
    swapper_pa = kernel + _TEXT * page
    root = swapper_pa
    if boot.vabits_actual < k.VA_BITS and not boot.config.ARM64_LPA2:
        root += k.TTBR1_BADDR_4852_OFFSET
    mmu = MMU(
        memory,
        boot.tcr_el1,
        TTBR0_EL1(RAM + _USER_ROOT * page),
        TTBR1_EL1(root),
        MAIR_EL1_SET,
        SCTLR_EL1(M=1, C=1, I=1),
        PARange(min(boot.cpu.mmfr0.PARANGE, PARange.PA52)),
    )
    memory.write64(swapper_pa, 0)  # so that the page is in the image
    mapper = Mapper(mmu, iter(range(RAM + _TABLES * page, RAM + _RAM_SIZE, page)))
    for pa in range(RAM, RAM + _USER_ROOT * page, page):
        memory.write(pa, np.arange(pa, pa + page, 8, dtype=np.uint64))
    mapped = list(_kernel(boot, mapper)) + list(_process(boot, mapper))
    return Tables(mmu, k.KIMAGE_VADDR, kernel, k.KIMAGE_VADDR + _TEXT * page, tuple(sorted(_addresses(boot, mapped))))


def _kernel(boot: Boot, mapper: Mapper) -> Iterator[tuple[int, int]]:
    """Map the kernel's addresses; what is mapped, with its size."""
    k, r = boot.config.constants, mapper.mmu.upper
    page, shift = boot.config.page_size, r.granule.level_shift
    last_table = 1 << shift(2)  # what one last table maps

    def mapped(va: int, pa: int, size: int, **fields: Any) -> tuple[int, int]:
        mapper.map_range(va, pa, size, **{"AttrIndx": _NORMAL, "UXN": 1, "PXN": 1, **fields})
        return va, size

    linear = (1 << 64) - (1 << boot.vabits_actual)
    yield mapped(linear, RAM, 2 * page)
    yield mapped(linear + 2 * page, RAM + 2 * page, page, AP=_READ_ONLY)
    yield mapped(linear + 3 * page, RAM + 3 * page, (64 - 3) * page)
    kernel = RAM + _KERNEL * page
    yield mapped(k.KIMAGE_VADDR, kernel, _TEXT * page, AP=_READ_ONLY, PXN=0)
    yield mapped(k.KIMAGE_VADDR + _TEXT * page, kernel + _TEXT * page, 4 * page)
    assert r.start_level is not None
    for level in range(max(r.format.first_block_level, r.start_level), LAST_LEVEL):
        size = 1 << shift(level)
        at = k.VMALLOC_START + (1 << max(30, shift(level) + 1)) & -size
        if at + size <= boot.constants.VMALLOC_END:
            yield mapped(at, _FAR, size, AttrIndx=_NORMAL_NC, nG=1)
    modules = k.MODULES_VADDR
    yield mapped(modules, RAM, page, PXN=0, AP=_READ_ONLY)
    yield mapped(modules + page, RAM + page, page, AF=0)
    yield mapped(modules + 2 * page, RAM + 2 * page, page)
    _invalidate(mapper.mmu, modules + 2 * page)
    yield mapped(modules + last_table, RAM, page, PXN=0)
    _restrict(mapper.mmu, modules + last_table, Table.PXNTable.mask | 1 << Table.APTable.lo + 1)
    missing = modules + 2 * last_table
    yield mapped(missing, RAM, page)
    _point_elsewhere(mapper.mmu, missing)
    yield mapped(k.PCI_IO_START, 0x3EFF_0000 & -page, page, AttrIndx=_DEVICE)
    if mapper.mmu.upper.output_bits == 52:
        yield mapped(modules + 3 * last_table, 0xA_BCDE_1234_0000 & -page, page)
        yield mapped(modules + 3 * last_table + page, 0xF_FFFF_FFFF_0000 & -page, page)


def _process(boot: Boot, mapper: Mapper) -> Iterator[tuple[int, int]]:
    """Map a process's addresses; what is mapped, with its size."""
    page = boot.config.page_size
    high = boot.constants.TASK_SIZE_64 - (1 << mapper.mmu.lower.granule.level_shift(2))
    mappings: tuple[tuple[int, dict[str, Any]], ...] = (
        (0x40_0000, {"AP": _USER_READ_ONLY, "PXN": 1}),
        (0x40_0000 + page, {"AP": _USER, "PXN": 1, "UXN": 1}),
        (0x40_0000 + 2 * page, {"AP": _READ_ONLY, "PXN": 1, "UXN": 0}),  # execute-only
        (high, {"AP": _USER, "PXN": 1, "UXN": 1, "DBM": 1}),
    )
    for va, fields in mappings:
        mapper.map_range(va, RAM + page, page, AttrIndx=_NORMAL, nG=1, **fields)
        yield va, page


def _addresses(boot: Boot, mapped: list[tuple[int, int]]) -> set[int]:
    """Words at the edges of what is mapped, and addresses that no table translates."""
    edges = {va + offset for va, size in mapped for offset in (-8, 0, size // 2 + 0x128 & -8, size - 8, size)}
    outside = {0, 1 << boot.vabits_actual, (1 << 64) - (1 << boot.vabits_actual) - 8, 1 << 55}
    return {va for va in edges | outside if 0 <= va < 1 << 64}


def _entries(mmu: MMU, va: int) -> list[tuple[int, int]]:
    """Address and word of each entry on the way to `va`."""
    return [(step.address, step.descriptor.value) for step in mmu.translate(va).steps if step.descriptor is not None]


def _invalidate(mmu: MMU, va: int) -> None:
    """Clear the valid bit of the entry for `va`, as debug_pagealloc does."""
    address, word = _entries(mmu, va)[-1]
    mmu.memory.write64(address, word & ~Leaf.VALID.mask)


def _restrict(mmu: MMU, va: int, bits: int) -> None:
    """Restrict what the last table on the way to `va` allows."""
    address, word = _entries(mmu, va)[-2]
    mmu.memory.write64(address, word | bits)


def _point_elsewhere(mmu: MMU, va: int) -> None:
    """Let the entry above the last table lead to memory that is not in the image."""
    r = mmu.va_range(va)
    address, word = _entries(mmu, va)[-2]
    table = r.format.packing.unpack(word, r.granule.shift)
    mmu.memory.write64(address, word - table + (RAM + _RAM_SIZE))
