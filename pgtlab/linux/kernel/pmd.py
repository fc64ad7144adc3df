"""Entries of upper levels that map a block: huge pages (`arch/arm64/include/asm/pgtable.h`).

Most of what a PMD entry is asked is asked of it as a PTE: a block has its attributes in the same places. What differs
is the type: a table has bit 1 set and a block has not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import VmAreaStruct
    from pgtlab.linux.kernel.page import Page


# The words of two levels are the same words.


@static_inline
def pmd_pte(k: Kernel, pmd: int) -> int:
    """A PMD entry read as a PTE."""
    return pmd


@static_inline
def pte_pmd(k: Kernel, pte: int) -> int:
    """And back."""
    return pte


# Making one, and what it maps.


@static_inline
def pfn_pmd(k: Kernel, pfn: int, prot: int) -> int:
    """An entry for frame `pfn` and those after it; a block once it is `pmd_mkhuge()`."""
    return k.phys_to_entry(pfn << k.PAGE_SHIFT) | prot


@static_inline
def mk_pmd(k: Kernel, page: Page, prot: int) -> int:
    """An entry for `page` and those after it."""
    return k.pfn_pmd(k.page_to_pfn(page), prot)


@static_inline
def pmd_pfn(k: Kernel, pmd: int) -> int:
    """The first frame of the block."""
    return (k.table_address(pmd) & -k.PMD_SIZE) >> k.PAGE_SHIFT


@static_inline
def pmd_page(k: Kernel, pmd: int) -> Page:
    """The `struct page` that an entry leads to: of a block, or of a table."""
    return k.phys_to_page(k.table_address(pmd))


@static_inline
def pmd_pgprot(k: Kernel, pmd: int) -> int:
    """All of an entry but the frame."""
    return k.pfn_pmd(k.pmd_pfn(pmd), 0) ^ pmd


@static_inline
def mk_pmd_sect_prot(k: Kernel, prot: int) -> int:
    """A page's protection as a block's."""
    return (prot & ~k.PMD_TABLE_BIT) | k.PMD_TYPE_SECT


# Table or block?


@static_inline
def pmd_table(k: Kernel, pmd: int) -> bool:
    """The entry names a table."""
    return pmd & k.PMD_TYPE_MASK == k.PMD_TYPE_TABLE


@static_inline
def pmd_sect(k: Kernel, pmd: int) -> bool:
    """The entry maps a block, and hardware may use it."""
    return pmd & k.PMD_TYPE_MASK == k.PMD_TYPE_SECT


@static_inline
def pmd_leaf(k: Kernel, pmd: int) -> bool:
    """The entry maps a block, if only for software; in v6.9 still only what `pmd_sect()` says."""
    return k.pmd_present(pmd) and not k.pmd_table(pmd)


@static_inline
def pmd_trans_huge(k: Kernel, pmd: int) -> bool:
    """A transparent huge page: a block, valid or made invalid. Never without CONFIG_TRANSPARENT_HUGEPAGE."""
    if not k.CONFIG_TRANSPARENT_HUGEPAGE:
        return False
    return pmd != 0 and k.pmd_present(pmd) and not k.pmd_table(pmd | k.PTE_VALID)


@static_inline
def pmd_leaf_size(k: Kernel, pmd: int) -> int:
    """How much the TLB may hold in one entry."""
    return k.CONT_PMD_SIZE if k.pmd_cont(pmd) else k.PMD_SIZE


@static_inline
def pmd_cont_addr_end(k: Kernel, addr: int, end: int) -> int:
    """Where the contiguous run that holds `addr` ends, or `end` where that comes first."""
    boundary = addr + k.CONT_PMD_SIZE & -k.CONT_PMD_SIZE
    return boundary if boundary - 1 < end - 1 else end


# Asked and answered as of a PTE.


@static_inline
def pmd_present(k: Kernel, pmd: int) -> bool:
    """The entry maps or names something, for hardware or for software alone."""
    return k.pte_present(k.pmd_pte(pmd))


@static_inline
def pmd_valid(k: Kernel, pmd: int) -> bool:
    """Hardware may use the entry."""
    return k.pte_valid(k.pmd_pte(pmd))


@static_inline
def pmd_same(k: Kernel, a: int, b: int) -> bool:
    """Two entries are one."""
    return a == b


@static_inline
def pmd_young(k: Kernel, pmd: int) -> bool:
    """Accessed."""
    return k.pte_young(k.pmd_pte(pmd))


@static_inline
def pmd_dirty(k: Kernel, pmd: int) -> bool:
    """Written, by software's account or by hardware's."""
    return k.pte_dirty(k.pmd_pte(pmd))


@static_inline
def pmd_write(k: Kernel, pmd: int) -> bool:
    """May be written."""
    return k.pte_write(k.pmd_pte(pmd))


@static_inline
def pmd_user(k: Kernel, pmd: int) -> bool:
    """EL0 may read it."""
    return k.pte_user(k.pmd_pte(pmd))


@static_inline
def pmd_user_exec(k: Kernel, pmd: int) -> bool:
    """EL0 may execute it."""
    return k.pte_user_exec(k.pmd_pte(pmd))


@static_inline
def pmd_cont(k: Kernel, pmd: int) -> bool:
    """One of a contiguous run of blocks."""
    return k.pte_cont(k.pmd_pte(pmd))


@static_inline
def pmd_devmap(k: Kernel, pmd: int) -> bool:
    """A device's memory."""
    return k.pte_devmap(k.pmd_pte(pmd))


@static_inline
def pmd_protnone(k: Kernel, pmd: int) -> bool:
    """PROT_NONE; always no without NUMA balancing."""
    return k.pte_protnone(k.pmd_pte(pmd))


@static_inline
def pmd_access_permitted(k: Kernel, pmd: int, write: bool) -> bool:
    """User space may access it so."""
    return k.pte_access_permitted(k.pmd_pte(pmd), write)


# Changed as a PTE.


@static_inline
def pmd_mkhuge(k: Kernel, pmd: int) -> int:
    """A block: bit 1 clear."""
    return pmd & ~k.PMD_TABLE_BIT


@static_inline
def pmd_mkyoung(k: Kernel, pmd: int) -> int:
    """Accessed."""
    return k.pte_pmd(k.pte_mkyoung(k.pmd_pte(pmd)))


@static_inline
def pmd_mkold(k: Kernel, pmd: int) -> int:
    """Not accessed."""
    return k.pte_pmd(k.pte_mkold(k.pmd_pte(pmd)))


@static_inline
def pmd_mkdirty(k: Kernel, pmd: int) -> int:
    """Dirty."""
    return k.pte_pmd(k.pte_mkdirty(k.pmd_pte(pmd)))


@static_inline
def pmd_mkclean(k: Kernel, pmd: int) -> int:
    """Not dirty."""
    return k.pte_pmd(k.pte_mkclean(k.pmd_pte(pmd)))


@static_inline
def pmd_mkwrite(k: Kernel, pmd: int, vma: VmAreaStruct | None) -> int:
    """Writable; `vma` as for `pte_mkwrite()`."""
    return k.pmd_mkwrite_novma(pmd)


@static_inline
def pmd_mkwrite_novma(k: Kernel, pmd: int) -> int:
    """Writable."""
    return k.pte_pmd(k.pte_mkwrite_novma(k.pmd_pte(pmd)))


@static_inline
def pmd_wrprotect(k: Kernel, pmd: int) -> int:
    """Not writable, and as dirty as before."""
    return k.pte_pmd(k.pte_wrprotect(k.pmd_pte(pmd)))


@static_inline
def pmd_mkinvalid(k: Kernel, pmd: int) -> int:
    """Invalid to hardware, and still present: while a huge page is split."""
    return k.pte_pmd(k.pte_mkinvalid(k.pmd_pte(pmd)))


@static_inline
def pmd_mkcont(k: Kernel, pmd: int) -> int:
    """One of a contiguous run of blocks."""
    return pmd | k.PMD_SECT_CONT


@static_inline
def pmd_mkdevmap(k: Kernel, pmd: int) -> int:
    """A device's memory; not marked special as a PTE is."""
    return k.pte_pmd(k.set_pte_bit(k.pmd_pte(pmd), k.PTE_DEVMAP))


@static_inline
def pmd_modify(k: Kernel, pmd: int, newprot: int) -> int:
    """The same with another protection: accessed and dirty stay, and a block stays a block."""
    return k.pte_pmd(k.pte_modify(k.pmd_pte(pmd), newprot))


@static_inline
def pmd_soft_dirty(k: Kernel, pmd: int) -> bool:
    """Never: arm64 has no bit for it."""
    return False


@static_inline
def pmd_mksoft_dirty(k: Kernel, pmd: int) -> int:
    """As it is."""
    return pmd


@static_inline
def pmd_clear_soft_dirty(k: Kernel, pmd: int) -> int:
    """As it is."""
    return pmd
