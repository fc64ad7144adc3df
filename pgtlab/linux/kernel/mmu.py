"""The kernel's own page tables after boot, and the registers that point to them (`arch/arm64/mm/mmu.c`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import (
    HCR_EL2,
    PIR_EL1,
    PIRE0_EL1,
    POR_EL0,
    SCTLR_EL1,
    TCR2_EL1,
    TTBR0_EL1,
    TTBR1_EL1,
    PARange,
)
from pgtlab.linux import registers
from pgtlab.linux.kernel.memblock import MEMMAP
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.placement import RAM_BASE

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

_READ_WRITE_EXECUTE = 7  # an entry of POR_EL0


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
        tcr2=registers.tcr2(k.boot) or TCR2_EL1(),
        pir=registers.pir(k.boot) or PIR_EL1(),
        pire0=registers.pire0(k.boot) or PIRE0_EL1(),
        por_el0=POR_EL0(Perm0=_READ_WRITE_EXECUTE),  # of a process that has asked for no other key
        hcr=HCR_EL2(E2H=1, RW=1, TGE=1) if k.boot.vhe else HCR_EL2(),
    )
    mapper = Mapper(k.mmu, k.early_pages)
    prot: dict[str, Any] = {"AttrIndx": k.MT_NORMAL, "PXN": 1, "UXN": 1, "DBM": 1, "nG": int(k.PTE_MAYBE_NG != 0)}
    page = k.PAGE_SIZE
    mapper.map_range(k.__va(RAM_BASE), RAM_BASE, k.memory.size, **prot)
    memmap = k.pfn_to_page(RAM_BASE >> k.PAGE_SHIFT).address
    mapper.map_range(memmap, k.reserved_base + MEMMAP, -(-k.memmap.nbytes // page) * page, **prot)
    for offset in range(0, k.THREAD_SIZE, page):  # vmalloc maps single pages, which need not be contiguous
        mapper.map_range(k.task_stack + offset, next(k.early_pages), page, **prot)
    if k.boot.kpti:
        map_entry_trampoline(k)


def map_entry_trampoline(k: Kernel) -> None:
    """Set up tramp_pg_dir, which TTBR1 points to while user space runs: it maps a page of code and nothing else.

    That page, at its slot of the fixmap, has the vectors for exceptions from EL0, which switch to swapper_pg_dir.
    """
    k.tramp_pg_dir = next(k.early_pages)
    mapper = Mapper(in_user_space(k, k.mmu), k.early_pages)
    vectors = k.FIXADDR_TOP - (k.FIX_ENTRY_TRAMP_TEXT1 << k.PAGE_SHIFT)
    mapper.map_range(vectors, next(k.early_pages), k.PAGE_SIZE, AttrIndx=k.MT_NORMAL, AP=2, UXN=1, nG=1)


def in_user_space(k: Kernel, mmu: MMU) -> MMU:
    """The MMU while user space runs: with kernel page-table isolation, TTBR1 points to tramp_pg_dir."""
    if not k.boot.kpti:
        return mmu
    top = k.TTBR1_BADDR_4852_OFFSET if k.vabits_actual < k.VA_BITS and not k.CONFIG_ARM64_LPA2 else 0
    return replace(mmu, ttbr1=TTBR1_EL1(k.tramp_pg_dir + top))
