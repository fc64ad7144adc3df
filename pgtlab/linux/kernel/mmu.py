"""The kernel's own page tables after boot, and the registers that point to them (`arch/arm64/mm/mmu.c`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import SCTLR_EL1, TTBR0_EL1, TTBR1_EL1, PARange
from pgtlab.linux.kernel.memblock import MEMMAP
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.placement import RAM_BASE

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


def paging_init(k: Kernel) -> None:
    """Set up swapper_pg_dir and reserved_pg_dir, and map all memory that the kernel's pointers use.

    That is RAM in the linear map, the memmap at vmemmap, and the stack of the running task in the vmalloc area. The
    kernel image is left out: the model has no code to fetch or read.
    """
    swapper, reserved = k.reserved_base, k.reserved_base + k.PAGE_SIZE
    k.init_mm = MmStruct(pgd=k.__va(swapper))
    ttbr1 = swapper
    if k.vabits_actual < k.VA_BITS and not k.CONFIG_ARM64_LPA2:
        ttbr1 += k.TTBR1_BADDR_4852_OFFSET  # the last 64 entries of a 52-bit pgd are a 48-bit pgd
    k.mmu = MMU(
        k.memory,
        k.__cpu_setup(),
        TTBR0_EL1(reserved),  # empty: there is no user space yet
        TTBR1_EL1(ttbr1),
        k.boot.mair,
        SCTLR_EL1(M=1, C=1, I=1),
        PARange(k.boot.cpu.mmfr0.PARANGE),
    )
    mapper = Mapper(k.mmu, k.early_pages)
    prot: dict[str, Any] = {"AttrIndx": k.MT_NORMAL, "PXN": 1, "UXN": 1, "DBM": 1, "nG": int(k.PTE_MAYBE_NG != 0)}
    page = k.PAGE_SIZE
    mapper.map_range(k.__va(RAM_BASE), RAM_BASE, k.memory.size, **prot)
    memmap = k.pfn_to_page(RAM_BASE >> k.PAGE_SHIFT).address
    mapper.map_range(memmap, k.reserved_base + MEMMAP, -(-k.memmap.nbytes // page) * page, **prot)
    for offset in range(0, k.THREAD_SIZE, page):  # vmalloc maps single pages, which need not be contiguous
        mapper.map_range(k.task_stack + offset, next(k.early_pages), page, **prot)
