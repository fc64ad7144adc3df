"""What debug_vm_pgtable sets up for its tests, and gives back after them (`mm/debug_vm_pgtable.c`, v6.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgtlab.linux.memory import ENOMEM
from pgtlab.linux.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.mm import MmStruct, VmAreaStruct
    from pgtlab.linux.page import Page


@dataclass
class PgtableDebugArgs:
    """`struct pgtable_debug_args`: an address space with one entry at each level, and the first entry of each table.

    A pointer that was not reached is 0, as after the kernel's `memset()`. `pmd_pfn` and `pte_pfn` are frames that were
    allocated, None where there were none; the fixed ones exist, aligned as far as RAM allows, and are not touched.
    """

    vaddr: int = 0
    page_prot: int = 0
    page_prot_none: int = 0
    mm: MmStruct | None = None
    vma: VmAreaStruct | None = None
    pgdp: int = 0
    p4dp: int = 0
    pudp: int = 0
    pmdp: int = 0
    ptep: int = 0
    start_p4dp: int = 0
    start_pudp: int = 0
    start_pmdp: int = 0
    start_ptep: Page | None = None
    pmd_pfn: int | None = None
    pte_pfn: int | None = None
    fixed_alignment: int = 0
    fixed_pud_pfn: int = 0
    fixed_pmd_pfn: int = 0
    fixed_pte_pfn: int = 0


def init_args(k: Kernel, args: PgtableDebugArgs) -> int:
    """Build one path through the page table, and get pages for it to map."""
    args.vaddr = k.get_random_vaddr()
    args.page_prot = k.vm_get_page_prot(k.VM_ACCESS_FLAGS)
    args.page_prot_none = k.vm_get_page_prot(k.VM_NONE)
    mm = args.mm = k.mm_alloc()
    if mm is None:
        return k.init_failed(args, "mm struct")
    args.vma = k.vm_area_alloc(mm)
    if args.vma is None:
        return k.init_failed(args, "vma")
    args.pgdp = k.pgd_offset(mm, args.vaddr)
    args.p4dp = k.p4d_alloc(mm, args.pgdp, args.vaddr)
    if not args.p4dp:
        return k.init_failed(args, "p4d entries")
    args.start_p4dp = k.p4d_offset(args.pgdp, 0)
    args.pudp = k.pud_alloc(mm, args.p4dp, args.vaddr)
    if not args.pudp:
        return k.init_failed(args, "pud entries")
    args.start_pudp = k.pud_offset(args.p4dp, 0)
    args.pmdp = k.pmd_alloc(mm, args.pudp, args.vaddr)
    if not args.pmdp:
        return k.init_failed(args, "pmd entries")
    args.start_pmdp = k.pmd_offset(args.pudp, 0)
    if k.pte_alloc(mm, args.pmdp):
        return k.init_failed(args, "pte entries")
    args.start_ptep = k.pmd_pgtable(k.pmdp_get(args.pmdp))
    k.init_fixed_pfns(args)

    # A huge page, if there is one, serves as a small one too. None is larger than the allocator's largest block.
    if k.has_transparent_hugepage():
        page = k.debug_vm_pgtable_alloc_huge_page(args, k.HPAGE_PMD_ORDER)
        if page is not None:
            args.pmd_pfn = args.pte_pfn = page.pfn
            return 0
    page = k.alloc_pages(0)
    args.pte_pfn = page.pfn if page is not None else None
    return 0


@static_inline
def init_failed(k: Kernel, args: PgtableDebugArgs, what: str) -> int:
    """The way out of `init_args()` without memory."""
    k.printk(f"debug_vm_pgtable: [{'init_args':25}]: Failed to allocate {what}")
    k.destroy_args(args)
    return -ENOMEM


@static_inline
def debug_vm_pgtable_alloc_huge_page(k: Kernel, args: PgtableDebugArgs, order: int) -> Page | None:
    """A huge page; None where there is none, or where the allocator has no blocks that large."""
    return k.alloc_pages(order) if order <= k.MAX_PAGE_ORDER else None


@static_inline
def init_fixed_pfns(k: Kernel, args: PgtableDebugArgs) -> None:
    """Find frames aligned to a PUD, or else to a PMD, or else take the kernel's own."""
    start, end = k.memory.base, k.memory.base + k.memory.size
    phys, args.fixed_alignment = k.reserved_base, k.PAGE_SIZE
    for size in (k.PUD_SIZE, k.PMD_SIZE):
        aligned = -(-start // size) * size
        if aligned + size <= end:
            phys, args.fixed_alignment = aligned, size
            break
    args.fixed_pud_pfn = (phys & -k.PUD_SIZE) >> k.PAGE_SHIFT
    args.fixed_pmd_pfn = (phys & -k.PMD_SIZE) >> k.PAGE_SHIFT
    args.fixed_pte_pfn = phys >> k.PAGE_SHIFT
    k.WARN_ON(not k.pfn_valid(args.fixed_pte_pfn))


@static_inline
def get_random_vaddr(k: Kernel) -> int:
    """A random page of user address space."""
    return k.random.randrange(k.TASK_SIZE_64 >> k.PAGE_SHIFT) << k.PAGE_SHIFT


def destroy_args(k: Kernel, args: PgtableDebugArgs) -> None:
    """Give everything back: the pages, then the tables from the leaves up, then the address space."""
    if args.pmd_pfn is not None:
        k.__free_pages(k.pfn_to_page(args.pmd_pfn), k.HPAGE_PMD_ORDER)
    elif args.pte_pfn is not None:
        k.__free_pages(k.pfn_to_page(args.pte_pfn), 0)

    if args.start_ptep is not None:
        k.pmd_clear(args.pmdp)
        k.pte_free(args.mm, args.start_ptep)
        k.mm_dec_nr_ptes(args.mm)
    if args.start_pmdp:
        k.pud_clear(args.pudp)
        k.pmd_free(args.mm, args.start_pmdp)
        k.mm_dec_nr_pmds(args.mm)
    if args.start_pudp:
        k.p4d_clear(args.p4dp)
        k.pud_free(args.mm, args.start_pudp)
        k.mm_dec_nr_puds(args.mm)
    if args.start_p4dp:
        k.pgd_clear(args.pgdp)
        k.p4d_free(args.mm, args.start_p4dp)
    if args.vma is not None:
        k.vm_area_free(args.vma)
    if args.mm is not None:
        k.mmput(args.mm)


def validating(k: Kernel, function: str, what: str, vm_flags: int | None = None) -> None:
    """`pr_debug()`: say which test runs, in a kernel booted with `dyndbg="module debug_vm_pgtable +p"`."""
    k.tests_run.setdefault(function)
    if k.CONFIG_DYNAMIC_DEBUG:
        flags = "" if vm_flags is None else f" ({k.format_vm_flags(vm_flags)})"
        k.printk(f"debug_vm_pgtable: [{function:25}]: Validating {what}{flags}")


static_inline(validating)
