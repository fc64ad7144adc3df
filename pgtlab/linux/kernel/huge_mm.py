"""Transparent huge pages, and blocks in the kernel's own mappings (`linux/huge_mm.h`, `mm/pgtable-generic.c`).

A PTE table is deposited with the PMD table for each huge page, so that the page can be split without allocating memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct
    from pgtlab.linux.kernel.page import Page

LRU = 8  # offsetof(struct page, lru)


@static_inline
def has_transparent_hugepage(k: Kernel) -> bool:
    """Return whether there are transparent huge pages; arm64 needs only the option (`linux/pgtable.h`)."""
    return bool(k.CONFIG_TRANSPARENT_HUGEPAGE)


@static_inline
def has_transparent_pud_hugepage(k: Kernel) -> bool:
    """Return whether there are transparent huge pages of PUD size: on arm64 there are none."""
    return bool(k.CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD)


def pgtable_trans_huge_deposit(k: Kernel, mm: MmStruct, pmdp: int, pgtable: Page) -> None:
    """Deposit the PTE table `pgtable` for the huge page at `pmdp`, under the lock of the PMD table."""
    k.assert_spin_locked(k.pmd_lockptr(mm, pmdp))
    node, head = pgtable.address + LRU, k.pmd_huge_pte(mm, pmdp)
    if not head:
        pgtable.lru = (node, node)
    else:
        next_node = k.page_of(head).lru[0]
        pgtable.lru = (next_node, head + LRU)
        k.page_of(next_node - LRU).lru = (k.page_of(next_node - LRU).lru[0], node)
        k.page_of(head).lru = (node, k.page_of(head).lru[1])
    k.set_pmd_huge_pte(mm, pmdp, pgtable.address)


def pgtable_trans_huge_withdraw(k: Kernel, mm: MmStruct, pmdp: int) -> Page:
    """Withdraw a PTE table deposited for a huge page, under the lock of the PMD table, and return its page.

    The table deposited last comes first, then the others, oldest first.
    """
    k.assert_spin_locked(k.pmd_lockptr(mm, pmdp))
    pgtable: Page = k.page_of(k.pmd_huge_pte(mm, pmdp))
    node, (next_node, prev_node) = pgtable.address + LRU, map(int, pgtable.lru)
    if next_node == node:
        k.set_pmd_huge_pte(mm, pmdp, 0)
    else:
        next_page, prev_page = k.page_of(next_node - LRU), k.page_of(prev_node - LRU)
        next_page.lru = (next_page.lru[0], prev_node)
        prev_page.lru = (next_node, prev_page.lru[1])
        k.set_pmd_huge_pte(mm, pmdp, next_node - LRU)
    return pgtable


@static_inline
def pmd_huge_pte(k: Kernel, mm: MmStruct, pmdp: int) -> int:
    """Return the `struct page *` of the PTE table deposited last, or 0.

    It is kept in the `struct page` of the PMD table or, with two levels, in the mm.
    """
    return int(k.virt_to_page(pmdp).lru[1]) if k.CONFIG_SPLIT_PMD_PTLOCKS else mm.pmd_huge_pte


@static_inline
def set_pmd_huge_pte(k: Kernel, mm: MmStruct, pmdp: int, page: int) -> None:
    """Store the `struct page *` of the PTE table deposited last, or 0.

    In the `struct page` of a PMD table `ptdesc->pmd_huge_pte` has the place of `lru.prev`.
    """
    if k.CONFIG_SPLIT_PMD_PTLOCKS:
        ptdesc = k.virt_to_page(pmdp)
        ptdesc.lru = (ptdesc.lru[0], page)
    else:
        mm.pmd_huge_pte = page


@static_inline
def page_of(k: Kernel, address: int) -> Page:
    """Return the `struct page` at `address`, a pointer into the memmap."""
    return k.pfn_to_page(k.page_to_pfn(k.page_at(address)))


# Blocks for ioremap() and vmalloc() (`arch/arm64/mm/mmu.c`).


@static_inline
def arch_vmap_pmd_supported(k: Kernel, prot: int) -> bool:
    """Return whether vmalloc() and ioremap() may map blocks of PMD size: not with CONFIG_PTDUMP_DEBUGFS.

    A dump of the page tables may be reading the table that the block would replace (`asm/vmalloc.h`).
    """
    return not k.CONFIG_PTDUMP_DEBUGFS


@static_inline
def arch_vmap_pud_supported(k: Kernel, prot: int) -> bool:
    """Return whether vmalloc() and ioremap() may map blocks of PUD size: with 4K pages, without CONFIG_PTDUMP_DEBUGFS.

    A dump of the page tables may be reading the table that the block would replace (`asm/vmalloc.h`).
    """
    return k.pud_sect_supported() and not k.CONFIG_PTDUMP_DEBUGFS


def pmd_set_huge(k: Kernel, pmdp: int, phys: int, prot: int) -> bool:
    """Map a block by a PMD entry and return True; return False if the entry must not change in place."""
    new = k.pfn_pmd(phys >> k.PAGE_SHIFT, k.mk_pmd_sect_prot(prot))
    if not k.pgattr_change_is_safe(k.read64(pmdp), new):
        return False
    k.VM_BUG_ON(phys & k.PMD_SIZE - 1, "phys & ~PMD_MASK")
    k.set_pmd(pmdp, new)
    return True


def pmd_clear_huge(k: Kernel, pmdp: int) -> bool:
    """Set a PMD entry that maps a block to none; return whether it mapped one."""
    if not k.pmd_sect(k.read64(pmdp)):
        return False
    k.pmd_clear(pmdp)
    return True


def pud_set_huge(k: Kernel, pudp: int, phys: int, prot: int) -> bool:
    """Map a block by a PUD entry and return True; return False if the entry must not change in place."""
    new = k.pfn_pud(phys >> k.PAGE_SHIFT, k.mk_pud_sect_prot(prot))
    if not k.pgattr_change_is_safe(k.read64(pudp), new):
        return False
    k.VM_BUG_ON(phys & k.PUD_SIZE - 1, "phys & ~PUD_MASK")
    k.set_pud(pudp, new)
    return True


def pud_clear_huge(k: Kernel, pudp: int) -> bool:
    """Set a PUD entry that maps a block to none; return whether it mapped one."""
    if not k.pud_sect(k.read64(pudp)):
        return False
    k.pud_clear(pudp)
    return True


def pgattr_change_is_safe(k: Kernel, old: int, new: int) -> bool:
    """Return whether entry `old` may be replaced by `new` in place, without break-before-make.

    A live entry may change its permissions, software bits and Normal to Normal Tagged, unless it is one of a contiguous
    run; it must not become global. Anything else must be made invalid first.
    """
    if not k.pte_valid(old) or not k.pte_valid(new):
        return True
    if k.pte_pfn(old) != k.pte_pfn(new) or (old | new) & k.PTE_CONT or old & ~new & k.PTE_NG:
        return False
    mask = k.PTE_PXN | k.PTE_RDONLY | k.PTE_WRITE | k.PTE_NG | k.PTE_SWBITS_MASK
    normal = (k.MT_NORMAL << 2, k.MT_NORMAL_TAGGED << 2)
    if old & k.PTE_ATTRINDX_MASK in normal and new & k.PTE_ATTRINDX_MASK in normal:
        mask |= k.PTE_ATTRINDX_MASK
    return (old ^ new) & ~mask == 0
