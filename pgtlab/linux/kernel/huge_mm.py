"""Transparent huge pages, and blocks in the kernel's own mappings (`linux/huge_mm.h`, `mm/pgtable-generic.c`).

A PTE table is kept beside each huge page, deposited with the PMD table, so that the page can always be split.
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
    """There are transparent huge pages: arm64 needs nothing but the option."""
    return bool(k.CONFIG_TRANSPARENT_HUGEPAGE)


@static_inline
def has_transparent_pud_hugepage(k: Kernel) -> bool:
    """And of PUD size: not on arm64."""
    return bool(k.CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD)


def pgtable_trans_huge_deposit(k: Kernel, mm: MmStruct, pmdp: int, pgtable: Page) -> None:
    """Put a PTE table by for the huge page at `pmdp`."""
    k.assert_spin_locked(k.pmd_lockptr(mm, pmdp))
    own, head = pgtable.address + LRU, k.pmd_huge_pte(mm, pmdp)
    if not head:
        pgtable.lru = (own, own)
    else:
        following = k.page_of(head).lru[0]
        pgtable.lru = (following, head + LRU)
        k.page_of(following - LRU).lru = (k.page_of(following - LRU).lru[0], own)
        k.page_of(head).lru = (own, k.page_of(head).lru[1])
    k.set_pmd_huge_pte(mm, pmdp, pgtable.address)


def pgtable_trans_huge_withdraw(k: Kernel, mm: MmStruct, pmdp: int) -> Page:
    """Take back the PTE table that was put by last; those before it follow, the oldest first."""
    k.assert_spin_locked(k.pmd_lockptr(mm, pmdp))
    pgtable: Page = k.page_of(k.pmd_huge_pte(mm, pmdp))
    own, (following, before) = pgtable.address + LRU, map(int, pgtable.lru)
    if following == own:
        k.set_pmd_huge_pte(mm, pmdp, 0)
    else:
        after, prior = k.page_of(following - LRU), k.page_of(before - LRU)
        after.lru = (after.lru[0], before)
        prior.lru = (following, prior.lru[1])
        k.set_pmd_huge_pte(mm, pmdp, following - LRU)
    return pgtable


@static_inline
def pmd_huge_pte(k: Kernel, mm: MmStruct, pmdp: int) -> int:
    """The `struct page *` of the table put by last, in the PMD table's own `struct page`; with two levels in the mm."""
    return int(k.virt_to_page(pmdp).lru[1]) if k.CONFIG_SPLIT_PMD_PTLOCKS else mm.pmd_huge_pte


@static_inline
def set_pmd_huge_pte(k: Kernel, mm: MmStruct, pmdp: int, page: int) -> None:
    """Note it there: `ptdesc->pmd_huge_pte` is where a page in a list has `lru.prev`."""
    if k.CONFIG_SPLIT_PMD_PTLOCKS:
        ptdesc = k.virt_to_page(pmdp)
        ptdesc.lru = (ptdesc.lru[0], page)
    else:
        mm.pmd_huge_pte = page


@static_inline
def page_of(k: Kernel, address: int) -> Page:
    """A `struct page *` followed."""
    return k.pfn_to_page(k.page_to_pfn(k.page_at(address)))


# Blocks for ioremap() and vmalloc() (`arch/arm64/mm/mmu.c`).


@static_inline
def arch_vmap_pmd_supported(k: Kernel, prot: int) -> bool:
    """Blocks of PMD size may be mapped: not where somebody may be reading the tables, for a dump of them."""
    return not k.CONFIG_PTDUMP_DEBUGFS


@static_inline
def arch_vmap_pud_supported(k: Kernel, prot: int) -> bool:
    """Blocks of PUD size may be mapped."""
    return k.pud_sect_supported() and not k.CONFIG_PTDUMP_DEBUGFS


def pmd_set_huge(k: Kernel, pmdp: int, phys: int, prot: int) -> bool:
    """Map a block, unless what is mapped there cannot be changed into it in place."""
    new = k.pfn_pmd(phys >> k.PAGE_SHIFT, k.mk_pmd_sect_prot(prot))
    if not k.pgattr_change_is_safe(k.read64(pmdp), new):
        return False
    k.VM_BUG_ON(phys & k.PMD_SIZE - 1, "phys & ~PMD_MASK")
    k.set_pmd(pmdp, new)
    return True


def pmd_clear_huge(k: Kernel, pmdp: int) -> bool:
    """Unmap a block; no if there is none."""
    if not k.pmd_sect(k.read64(pmdp)):
        return False
    k.pmd_clear(pmdp)
    return True


def pud_set_huge(k: Kernel, pudp: int, phys: int, prot: int) -> bool:
    """Map a block, unless what is mapped there cannot be changed into it in place."""
    new = k.pfn_pud(phys >> k.PAGE_SHIFT, k.mk_pud_sect_prot(prot))
    if not k.pgattr_change_is_safe(k.read64(pudp), new):
        return False
    k.VM_BUG_ON(phys & k.PUD_SIZE - 1, "phys & ~PUD_MASK")
    k.set_pud(pudp, new)
    return True


def pud_clear_huge(k: Kernel, pudp: int) -> bool:
    """Unmap a block; no if there is none."""
    if not k.pud_sect(k.read64(pudp)):
        return False
    k.pud_clear(pudp)
    return True


def pgattr_change_is_safe(k: Kernel, old: int, new: int) -> bool:
    """A live entry may get other permissions and software bits; for anything else it must be made invalid first.

    Not even that while it is one of a contiguous run; and what was not global must not become global.
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
