"""Allocating and freeing page tables (`asm-generic/pgalloc.h`, `linux/mm.h`, `arch/arm64/mm/pgd.c`, v6.9).

A table that generic mm allocates goes through a constructor, which gives its page the type `table` and counts it in
NR_PAGETABLE. To free the table both must be undone, by the destructor, before the page is freed: the contract that the
bug of February 2024 broke.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.gfp import __GFP_COMP, GFP_PGTABLE_KERNEL, GFP_PGTABLE_USER
from pgtlab.linux.kernel.pgtable import ENTRY_SIZE
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct
    from pgtlab.linux.kernel.page import Page


# Constructors and destructors. Each takes a `struct ptdesc *`, another view of the `struct page` of a table.


@static_inline
def __pagetable_ctor(k: Kernel, ptdesc: Page) -> None:
    """Give a page the type `table` and count it in NR_PAGETABLE: what all constructors of tables share."""
    k.__SetPageTable(ptdesc)
    k.vmstat["nr_page_table_pages"] += 1


@static_inline
def __pagetable_dtor(k: Kernel, ptdesc: Page) -> None:
    """Take the type `table` from a page and the page from NR_PAGETABLE: what all destructors of tables share."""
    k.__ClearPageTable(ptdesc)
    k.vmstat["nr_page_table_pages"] -= 1


@static_inline
def pagetable_pud_ctor(k: Kernel, ptdesc: Page) -> None:
    """Account a PUD table: set its page type and count it in NR_PAGETABLE.

    New in v6.7 (55d2a0bd5ead); the `pud_free()` that arm64 got afterwards did not call the destructor.
    """
    k.__pagetable_ctor(ptdesc)


@static_inline
def pagetable_pud_dtor(k: Kernel, ptdesc: Page) -> None:
    """Undo `pagetable_pud_ctor()`: clear the page type of a PUD table and take it from NR_PAGETABLE."""
    k.__pagetable_dtor(ptdesc)


@static_inline
def pagetable_pmd_ctor(k: Kernel, ptdesc: Page) -> None:
    """Account a PMD table and initialise its lock."""
    k.pmd_ptlock_init(ptdesc)
    k.__pagetable_ctor(ptdesc)


@static_inline
def pagetable_pmd_dtor(k: Kernel, ptdesc: Page) -> None:
    """Undo `pagetable_pmd_ctor()`: check that no PTE table is deposited, and take the PMD table from the account."""
    k.pmd_ptlock_free(ptdesc)
    k.__pagetable_dtor(ptdesc)


@static_inline
def pmd_ptlock_init(k: Kernel, ptdesc: Page) -> None:
    """Initialise the split lock of a PMD table, with no PTE table deposited for a huge page."""
    if not k.CONFIG_SPLIT_PMD_PTLOCKS:
        return
    if k.CONFIG_TRANSPARENT_HUGEPAGE:
        ptdesc.lru = (ptdesc.lru[0], 0)
    k.ptlock_init(ptdesc)


@static_inline
def pmd_ptlock_free(k: Kernel, ptdesc: Page) -> None:
    """Check that no PTE table is still deposited with a PMD table that is about to be freed."""
    if k.CONFIG_TRANSPARENT_HUGEPAGE and k.CONFIG_SPLIT_PMD_PTLOCKS:
        k.VM_BUG_ON_PAGE(ptdesc.lru[1] != 0, ptdesc, "ptdesc->pmd_huge_pte")


@static_inline
def pagetable_pte_ctor(k: Kernel, ptdesc: Page) -> None:
    """Account a PTE table and initialise its lock."""
    if k.CONFIG_SPLIT_PTE_PTLOCKS:
        k.ptlock_init(ptdesc)
    k.__pagetable_ctor(ptdesc)


@static_inline
def pagetable_pte_dtor(k: Kernel, ptdesc: Page) -> None:
    """Undo `pagetable_pte_ctor()`: clear the page type of a PTE table and take it from NR_PAGETABLE."""
    k.__pagetable_dtor(ptdesc)


@static_inline
def pagetable_alloc(k: Kernel, gfp: int) -> Page | None:
    """Allocate a page for a table and return it, or None without memory; the constructor is called next."""
    page: Page | None = k.alloc_pages(0, gfp | __GFP_COMP)
    return page


@static_inline
def pagetable_free(k: Kernel, ptdesc: Page) -> None:
    """Free the page of a table; its destructor must have been called."""
    k.__free_pages(ptdesc, 0)


@static_inline
def pgtable_gfp(k: Kernel, mm: MmStruct) -> int:
    """Return the GFP flags for a zeroed table: charged to the process, unless `mm` is the kernel's own."""
    return GFP_PGTABLE_KERNEL if mm is k.init_mm else GFP_PGTABLE_USER


# The pgd.


@static_inline
def pgdir_is_page_size(k: Kernel) -> bool:
    """Return whether a pgd takes a whole page.

    It does if it has that many entries, or if a level folded at run time uses the rest of the page.
    """
    if k.PTRS_PER_PGD * ENTRY_SIZE == k.PAGE_SIZE:
        return True
    if k.CONFIG_PGTABLE_LEVELS == 4:
        return not k.pgtable_l4_enabled()
    if k.CONFIG_PGTABLE_LEVELS == 5:
        return not k.pgtable_l5_enabled()
    return False


def pgd_alloc(k: Kernel, mm: MmStruct) -> int:
    """Allocate a pgd and return its address: a page, or an object of `pgd_cache` if it is smaller."""
    return k.get_zeroed_page(GFP_PGTABLE_USER) if k.pgdir_is_page_size() else k.kmem_cache_zalloc(k.pgd_cache)


def pgd_free(k: Kernel, mm: MmStruct, pgdp: int) -> None:
    """Free a pgd, as a page or to `pgd_cache`."""
    if k.pgdir_is_page_size():
        k.free_page(pgdp)
    else:
        k.kmem_cache_free(k.pgd_cache, pgdp)


@static_inline
def pgd_populate(k: Kernel, mm: MmStruct, pgdp: int, p4dp: int) -> None:
    """Make the pgd entry at `pgdp` point to the P4D table at `p4dp`; do nothing with the P4D folded."""
    if k.pgtable_l5_enabled():
        k.write64(pgdp, k.phys_to_entry(k.__pa(p4dp)) | k.PGD_TYPE_TABLE | k.PGD_TABLE_PXN)


# The P4D. It has no constructor in v6.9.


@static_inline
def p4d_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """Allocate a zeroed P4D table and return its address, or 0 without memory."""
    return k.get_zeroed_page(k.pgtable_gfp(mm))


@static_inline
def p4d_free(k: Kernel, mm: MmStruct, p4dp: int) -> None:
    """Free a P4D table; do nothing with the P4D folded."""
    if not k.pgtable_l5_enabled():
        return
    k.BUG_ON(p4dp & k.PAGE_SIZE - 1, "(unsigned long)p4d & (PAGE_SIZE-1)")
    k.free_page(p4dp)


@static_inline
def p4d_populate(k: Kernel, mm: MmStruct, p4dp: int, pudp: int) -> None:
    """Make the P4D entry at `p4dp` point to the PUD table at `pudp`; do nothing with the PUD folded."""
    if k.pgtable_l4_enabled():
        k.write64(p4dp, k.phys_to_entry(k.__pa(pudp)) | k.P4D_TYPE_TABLE | k.P4D_TABLE_PXN)


# The PUD.


@static_inline
def pud_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """Allocate a PUD table with its constructor and return its address, or 0 without memory."""
    ptdesc = k.pagetable_alloc(k.pgtable_gfp(mm))
    if ptdesc is None:
        return 0
    k.pagetable_pud_ctor(ptdesc)
    return k.page_address(ptdesc)


@static_inline
def __pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
    """Free a PUD table with its destructor."""
    k.BUG_ON(pud & k.PAGE_SIZE - 1, "(unsigned long)pud & (PAGE_SIZE-1)")
    ptdesc = k.virt_to_page(pud)
    k.pagetable_pud_dtor(ptdesc)
    k.pagetable_free(ptdesc)


@static_inline
def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
    """Free a PUD table with its destructor; do nothing with the PUD folded."""
    if not k.pgtable_l4_enabled():
        return
    k.__pud_free(mm, pud)


@static_inline
def pud_populate(k: Kernel, mm: MmStruct, pudp: int, pmdp: int) -> None:
    """Make the PUD entry at `pudp` point to the PMD table at `pmdp`."""
    k.write64(pudp, k.phys_to_entry(k.__pa(pmdp)) | k.PUD_TYPE_TABLE | k.PUD_TABLE_PXN)


# The PMD and the PTE tables.


@static_inline
def pmd_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """Allocate a PMD table with its constructor and return its address, or 0 without memory."""
    ptdesc = k.pagetable_alloc(k.pgtable_gfp(mm))
    if ptdesc is None:
        return 0
    k.pagetable_pmd_ctor(ptdesc)
    return k.page_address(ptdesc)


@static_inline
def pmd_free(k: Kernel, mm: MmStruct, pmdp: int) -> None:
    """Free a PMD table with its destructor."""
    k.BUG_ON(pmdp & k.PAGE_SIZE - 1, "(unsigned long)pmd & (PAGE_SIZE-1)")
    ptdesc = k.virt_to_page(pmdp)
    k.pagetable_pmd_dtor(ptdesc)
    k.pagetable_free(ptdesc)


@static_inline
def pmd_populate(k: Kernel, mm: MmStruct, pmdp: int, pte_page: Page) -> None:
    """Make the PMD entry at `pmdp` point to the PTE table whose page is `pte_page`."""
    k.write64(pmdp, k.phys_to_entry(pte_page.pfn << k.PAGE_SHIFT) | k.PMD_TYPE_TABLE | k.PMD_TABLE_PXN)


@static_inline
def pte_alloc_one(k: Kernel, mm: MmStruct) -> Page | None:
    """Allocate a PTE table with its constructor and return its page, or None without memory."""
    ptdesc: Page | None = k.pagetable_alloc(GFP_PGTABLE_USER)
    if ptdesc is not None:
        k.pagetable_pte_ctor(ptdesc)
    return ptdesc


@static_inline
def pte_free(k: Kernel, mm: MmStruct, pte_page: Page) -> None:
    """Free a PTE table, given by its page, with its destructor."""
    k.pagetable_pte_dtor(pte_page)
    k.pagetable_free(pte_page)
