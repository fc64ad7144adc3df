"""The kernel's test of its page-table helpers, run once at boot (`mm/debug_vm_pgtable.c`, v6.9).

Here are its set-up, the tests that clear and populate entries, and its tear-down: the part that frees a PUD table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgtlab.linux.memory import ENOMEM
from pgtlab.linux.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.mm import MmStruct
    from pgtlab.linux.page import Page


@dataclass
class PgtableDebugArgs:
    """`struct pgtable_debug_args`: an address space with one entry at each level, and the first entry of each table.

    A pointer that was not reached is 0, as after the kernel's `memset()`.
    """

    vaddr: int
    page_prot: int
    mm: MmStruct | None = None
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


def init_args(k: Kernel, args: PgtableDebugArgs) -> int:
    """Build one path through the page table, and get pages for it to map."""
    mm = args.mm = k.mm_alloc()
    if mm is None:
        return k.init_failed(args, "mm struct")
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
    args.start_ptep = k.pmd_pgtable(k.read64(args.pmdp))

    page = k.alloc_pages(k.HPAGE_PMD_ORDER) if k.HPAGE_PMD_ORDER <= k.MAX_PAGE_ORDER else None
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
def pte_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PTE that was set is not none; cleared it is."""
    if args.pte_pfn is None:
        return
    pte = k.pfn_pte(args.pte_pfn, args.page_prot)
    k.set_pte_at(args.mm, args.vaddr, args.ptep, pte)
    k.WARN_ON(k.pte_none(pte))
    k.ptep_clear(args.mm, args.vaddr, args.ptep)
    k.WARN_ON(not k.pte_none(k.read64(args.ptep)))


@static_inline
def pmd_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A populated PMD entry is not none; cleared it is."""
    k.WARN_ON(k.pmd_none(k.read64(args.pmdp)))
    k.pmd_clear(args.pmdp)
    k.WARN_ON(not k.pmd_none(k.read64(args.pmdp)))


@static_inline
def pmd_populate_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PMD entry that names a PTE table is not bad."""
    k.pmd_populate(args.mm, args.pmdp, args.start_ptep)
    k.WARN_ON(k.pmd_bad(k.read64(args.pmdp)))


@static_inline
def pud_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A populated PUD entry is not none; cleared it is."""
    if k.CONFIG_PGTABLE_LEVELS <= 3 or k.mm_pmd_folded(args.mm):
        return
    k.WARN_ON(k.pud_none(k.read64(args.pudp)))
    k.pud_clear(args.pudp)
    k.WARN_ON(not k.pud_none(k.read64(args.pudp)))


@static_inline
def pud_populate_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PUD entry that names a PMD table is not bad."""
    if k.CONFIG_PGTABLE_LEVELS <= 3 or k.mm_pmd_folded(args.mm):
        return
    k.pud_populate(args.mm, args.pudp, args.start_pmdp)
    k.WARN_ON(k.pud_bad(k.read64(args.pudp)))


@static_inline
def p4d_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A populated P4D entry is not none; cleared it is."""
    if k.CONFIG_PGTABLE_LEVELS <= 4 or k.mm_pud_folded(args.mm):
        return
    k.WARN_ON(k.p4d_none(k.read64(args.p4dp)))
    k.p4d_clear(args.p4dp)
    k.WARN_ON(not k.p4d_none(k.read64(args.p4dp)))


@static_inline
def p4d_populate_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A P4D entry that names a PUD table is not bad."""
    if k.CONFIG_PGTABLE_LEVELS <= 4 or k.mm_pud_folded(args.mm):
        return
    k.pud_clear(args.pudp)
    k.p4d_clear(args.p4dp)
    k.p4d_populate(args.mm, args.p4dp, args.start_pudp)
    k.WARN_ON(k.p4d_bad(k.read64(args.p4dp)))


@static_inline
def pgd_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A populated pgd entry is not none; cleared it is."""
    if k.CONFIG_PGTABLE_LEVELS <= 4 or k.mm_p4d_folded(args.mm):
        return
    k.WARN_ON(k.pgd_none(k.read64(args.pgdp)))
    k.pgd_clear(args.pgdp)
    k.WARN_ON(not k.pgd_none(k.read64(args.pgdp)))


@static_inline
def pgd_populate_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A pgd entry that names a P4D table is not bad."""
    if k.CONFIG_PGTABLE_LEVELS <= 4 or k.mm_p4d_folded(args.mm):
        return
    k.p4d_clear(args.p4dp)
    k.pgd_clear(args.pgdp)
    k.pgd_populate(args.mm, args.pgdp, args.start_p4dp)
    k.WARN_ON(k.pgd_bad(k.read64(args.pgdp)))


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
    if args.mm is not None:
        k.mmput(args.mm)


def debug_vm_pgtable(k: Kernel) -> int:
    """Validate the page-table helpers: a late initcall."""
    k.printk(f"debug_vm_pgtable: [{'debug_vm_pgtable':25}]: Validating architecture page table helpers")
    args = PgtableDebugArgs(vaddr=k.get_random_vaddr(), page_prot=k.vm_get_page_prot(k.VM_ACCESS_FLAGS))
    ret = k.init_args(args)
    if ret:
        return ret

    args.ptep = k.pte_offset_kernel(args.pmdp, args.vaddr)
    k.pte_clear_tests(args)

    k.pmd_clear_tests(args)
    k.pmd_populate_tests(args)

    k.pud_clear_tests(args)
    k.pud_populate_tests(args)

    k.p4d_clear_tests(args)
    k.pgd_clear_tests(args)
    k.p4d_populate_tests(args)
    k.pgd_populate_tests(args)

    k.destroy_args(args)
    return 0


@static_inline
def get_random_vaddr(k: Kernel) -> int:
    """A random page of user address space."""
    return k.random.randrange(k.TASK_SIZE_64 >> k.PAGE_SHIFT) << k.PAGE_SHIFT
