"""Allocating and freeing page tables (`asm-generic/pgalloc.h`, `linux/mm.h`, `arch/arm64/mm/pgd.c`, v6.9).

A table that generic mm allocates goes through a constructor, which gives its page the type `table` and counts it in
NR_PAGETABLE. Freeing it must undo both, in the destructor, before the page goes back: that is the contract that the
story breaks.
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


# Constructors and destructors. (Each takes a `struct ptdesc *`, which is the page by another name.)


@static_inline
def __pagetable_ctor(k: Kernel, ptdesc: Page) -> None:
    """What the constructors share: the type, and the count."""
    k.__SetPageTable(ptdesc)
    k.vmstat["nr_page_table_pages"] += 1


@static_inline
def __pagetable_dtor(k: Kernel, ptdesc: Page) -> None:
    """What the destructors share."""
    k.__ClearPageTable(ptdesc)
    k.vmstat["nr_page_table_pages"] -= 1


@static_inline
def pagetable_pud_ctor(k: Kernel, ptdesc: Page) -> None:
    """Account a PUD table: new in v6.7 (55d2a0bd5ead), and what arm64's `pud_free()` was not told of."""
    k.__pagetable_ctor(ptdesc)


@static_inline
def pagetable_pud_dtor(k: Kernel, ptdesc: Page) -> None:
    """Undo `pagetable_pud_ctor()`."""
    k.__pagetable_dtor(ptdesc)


@static_inline
def pagetable_pmd_ctor(k: Kernel, ptdesc: Page) -> None:
    """Account a PMD table, and give it a lock."""
    k.pmd_ptlock_init(ptdesc)
    k.__pagetable_ctor(ptdesc)


@static_inline
def pagetable_pmd_dtor(k: Kernel, ptdesc: Page) -> None:
    """Undo `pagetable_pmd_ctor()`."""
    k.pmd_ptlock_free(ptdesc)
    k.__pagetable_dtor(ptdesc)


@static_inline
def pmd_ptlock_init(k: Kernel, ptdesc: Page) -> None:
    """No PTE table is put by yet for a huge page."""
    if not k.CONFIG_SPLIT_PMD_PTLOCKS:
        return
    if k.CONFIG_TRANSPARENT_HUGEPAGE:
        ptdesc.lru = (ptdesc.lru[0], 0)
    k.ptlock_init(ptdesc)


@static_inline
def pmd_ptlock_free(k: Kernel, ptdesc: Page) -> None:
    """Nor any more."""
    if k.CONFIG_TRANSPARENT_HUGEPAGE and k.CONFIG_SPLIT_PMD_PTLOCKS:
        k.VM_BUG_ON_PAGE(ptdesc.lru[1] != 0, ptdesc, "ptdesc->pmd_huge_pte")


@static_inline
def pagetable_pte_ctor(k: Kernel, ptdesc: Page) -> None:
    """Account a PTE table, and give it a lock."""
    if k.CONFIG_SPLIT_PTE_PTLOCKS:
        k.ptlock_init(ptdesc)
    k.__pagetable_ctor(ptdesc)


@static_inline
def pagetable_pte_dtor(k: Kernel, ptdesc: Page) -> None:
    """Undo `pagetable_pte_ctor()`."""
    k.__pagetable_dtor(ptdesc)


@static_inline
def pagetable_alloc(k: Kernel, gfp: int) -> Page | None:
    """A page for a table."""
    page: Page | None = k.alloc_pages(0, gfp | __GFP_COMP)
    return page


@static_inline
def pagetable_free(k: Kernel, ptdesc: Page) -> None:
    """Free a table's page. The destructor comes first."""
    k.__free_pages(ptdesc, 0)


@static_inline
def pgtable_gfp(k: Kernel, mm: MmStruct) -> int:
    """How to ask for a page of zeroes: tables of a process are charged to it."""
    return GFP_PGTABLE_KERNEL if mm is k.init_mm else GFP_PGTABLE_USER


# The pgd.


@static_inline
def pgdir_is_page_size(k: Kernel) -> bool:
    """The pgd takes a page: because it has that many entries, or because a folded level below uses the whole page."""
    if k.PTRS_PER_PGD * ENTRY_SIZE == k.PAGE_SIZE:
        return True
    if k.CONFIG_PGTABLE_LEVELS == 4:
        return not k.pgtable_l4_enabled()
    if k.CONFIG_PGTABLE_LEVELS == 5:
        return not k.pgtable_l5_enabled()
    return False


def pgd_alloc(k: Kernel, mm: MmStruct) -> int:
    """A pgd: a page, or a smaller object from its own cache."""
    return k.get_zeroed_page(GFP_PGTABLE_USER) if k.pgdir_is_page_size() else k.kmem_cache_zalloc(k.pgd_cache)


def pgd_free(k: Kernel, mm: MmStruct, pgdp: int) -> None:
    """Free a pgd."""
    if k.pgdir_is_page_size():
        k.free_page(pgdp)
    else:
        k.kmem_cache_free(k.pgd_cache, pgdp)


@static_inline
def pgd_populate(k: Kernel, mm: MmStruct, pgdp: int, p4dp: int) -> None:
    """Point a pgd entry to a P4D table."""
    if k.pgtable_l5_enabled():
        k.write64(pgdp, k.phys_to_entry(k.__pa(p4dp)) | k.PGD_TYPE_TABLE | k.PGD_TABLE_PXN)


# The P4D. It has no constructor in v6.9.


@static_inline
def p4d_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """A P4D table."""
    return k.get_zeroed_page(k.pgtable_gfp(mm))


@static_inline
def p4d_free(k: Kernel, mm: MmStruct, p4dp: int) -> None:
    """Free a P4D table, if there are such tables."""
    if not k.pgtable_l5_enabled():
        return
    k.BUG_ON(p4dp & k.PAGE_SIZE - 1, "(unsigned long)p4d & (PAGE_SIZE-1)")
    k.free_page(p4dp)


@static_inline
def p4d_populate(k: Kernel, mm: MmStruct, p4dp: int, pudp: int) -> None:
    """Point a P4D entry to a PUD table."""
    if k.pgtable_l4_enabled():
        k.write64(p4dp, k.phys_to_entry(k.__pa(pudp)) | k.P4D_TYPE_TABLE | k.P4D_TABLE_PXN)


# The PUD.


@static_inline
def pud_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """A PUD table, through its constructor."""
    ptdesc = k.pagetable_alloc(k.pgtable_gfp(mm))
    if ptdesc is None:
        return 0
    k.pagetable_pud_ctor(ptdesc)
    return k.page_address(ptdesc)


@static_inline
def __pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
    """Free a PUD table, through its destructor."""
    k.BUG_ON(pud & k.PAGE_SIZE - 1, "(unsigned long)pud & (PAGE_SIZE-1)")
    ptdesc = k.virt_to_page(pud)
    k.pagetable_pud_dtor(ptdesc)
    k.pagetable_free(ptdesc)


@static_inline
def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:
    """Free a PUD table, as an architecture does that folds no PUD at run time."""
    if not k.pgtable_l4_enabled():
        return
    k.__pud_free(mm, pud)


@static_inline
def pud_populate(k: Kernel, mm: MmStruct, pudp: int, pmdp: int) -> None:
    """Point a PUD entry to a PMD table."""
    k.write64(pudp, k.phys_to_entry(k.__pa(pmdp)) | k.PUD_TYPE_TABLE | k.PUD_TABLE_PXN)


# The PMD and the PTE tables.


@static_inline
def pmd_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """A PMD table, through its constructor."""
    ptdesc = k.pagetable_alloc(k.pgtable_gfp(mm))
    if ptdesc is None:
        return 0
    k.pagetable_pmd_ctor(ptdesc)
    return k.page_address(ptdesc)


@static_inline
def pmd_free(k: Kernel, mm: MmStruct, pmdp: int) -> None:
    """Free a PMD table, through its destructor."""
    k.BUG_ON(pmdp & k.PAGE_SIZE - 1, "(unsigned long)pmd & (PAGE_SIZE-1)")
    ptdesc = k.virt_to_page(pmdp)
    k.pagetable_pmd_dtor(ptdesc)
    k.pagetable_free(ptdesc)


@static_inline
def pmd_populate(k: Kernel, mm: MmStruct, pmdp: int, pte_page: Page) -> None:
    """Point a PMD entry to a PTE table."""
    k.write64(pmdp, k.phys_to_entry(pte_page.pfn << k.PAGE_SHIFT) | k.PMD_TYPE_TABLE | k.PMD_TABLE_PXN)


@static_inline
def pte_alloc_one(k: Kernel, mm: MmStruct) -> Page | None:
    """A PTE table, through its constructor, as its page."""
    ptdesc: Page | None = k.pagetable_alloc(GFP_PGTABLE_USER)
    if ptdesc is not None:
        k.pagetable_pte_ctor(ptdesc)
    return ptdesc


@static_inline
def pte_free(k: Kernel, mm: MmStruct, pte_page: Page) -> None:
    """Free a PTE table, through its destructor."""
    k.pagetable_pte_dtor(pte_page)
    k.pagetable_free(pte_page)
