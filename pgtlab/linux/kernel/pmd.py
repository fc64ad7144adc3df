"""PMD entries that map a block: huge pages (`arch/arm64/include/asm/pgtable.h`).

A block has its attributes in the same bits as a page, so most functions treat the PMD entry as a PTE. The type differs:
bit 1 is set in an entry that points to a table, and clear in one that maps a block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import VmAreaStruct
    from pgtlab.linux.kernel.page import Page


# Conversion between levels.


@static_inline
def pmd_pte(k: Kernel, pmd: int) -> int:
    """Return a PMD entry as a PTE, to use the PTE functions on it: the word is the same."""
    return pmd


@static_inline
def pte_pmd(k: Kernel, pte: int) -> int:
    """Return a PTE as a PMD entry: the word is the same."""
    return pte


# Making an entry, and what it maps.


@static_inline
def pfn_pmd(k: Kernel, pfn: int, prot: int) -> int:
    """Return a PMD entry for a block from frame `pfn` on; `pmd_mkhuge()` gives it the type of a block."""
    return k.phys_to_entry(pfn << k.PAGE_SHIFT) | prot


@static_inline
def mk_pmd(k: Kernel, page: Page, prot: int) -> int:
    """Return a PMD entry for a block from `page` on; `pmd_mkhuge()` gives it the type of a block."""
    return k.pfn_pmd(k.page_to_pfn(page), prot)


@static_inline
def pmd_pfn(k: Kernel, pmd: int) -> int:
    """Return the number of the first frame of the block that a PMD entry maps."""
    return (k.table_address(pmd) & -k.PMD_SIZE) >> k.PAGE_SHIFT


@static_inline
def pmd_page(k: Kernel, pmd: int) -> Page:
    """Return the `struct page` that a PMD entry leads to: of a PTE table, or the first of a block."""
    return k.phys_to_page(k.table_address(pmd))


@static_inline
def pmd_pgprot(k: Kernel, pmd: int) -> int:
    """Return the protection of a PMD entry that maps a block: all its bits but the frame."""
    return k.pfn_pmd(k.pmd_pfn(pmd), 0) ^ pmd


@static_inline
def mk_pmd_sect_prot(k: Kernel, prot: int) -> int:
    """Return the protection of a page, `prot`, with the type of a block."""
    return (prot & ~k.PMD_TABLE_BIT) | k.PMD_TYPE_SECT


# Table or block?


@static_inline
def pmd_table(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry points to a PTE table."""
    return pmd & k.PMD_TYPE_MASK == k.PMD_TYPE_TABLE


@static_inline
def pmd_sect(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry maps a block and is valid to hardware."""
    return pmd & k.PMD_TYPE_MASK == k.PMD_TYPE_SECT


@static_inline
def pmd_leaf(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry maps a block, for hardware or for software only; v6.9 asks `pmd_sect()`."""
    return k.pmd_present(pmd) and not k.pmd_table(pmd)


@static_inline
def pmd_trans_huge(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry maps a transparent huge page: a block, valid or made invalid.

    It is always False without CONFIG_TRANSPARENT_HUGEPAGE.
    """
    if not k.CONFIG_TRANSPARENT_HUGEPAGE:
        return False
    return pmd != 0 and k.pmd_present(pmd) and not k.pmd_table(pmd | k.PTE_VALID)


@static_inline
def pmd_leaf_size(k: Kernel, pmd: int) -> int:
    """Return how many bytes the TLB may hold in one entry: a block, or a contiguous run of blocks."""
    return k.CONT_PMD_SIZE if k.pmd_cont(pmd) else k.PMD_SIZE


@static_inline
def pmd_cont_addr_end(k: Kernel, addr: int, end: int) -> int:
    """Return the end address of the contiguous run of blocks that holds `addr`, or `end` if that is lower."""
    boundary = addr + k.CONT_PMD_SIZE & -k.CONT_PMD_SIZE
    return boundary if boundary - 1 < end - 1 else end


# Queries, answered by the PTE functions.


@static_inline
def pmd_present(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry maps a block or points to a table, for hardware or for software only."""
    return k.pte_present(k.pmd_pte(pmd))


@static_inline
def pmd_valid(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry is valid to hardware (PTE_VALID)."""
    return k.pte_valid(k.pmd_pte(pmd))


@static_inline
def pmd_same(k: Kernel, a: int, b: int) -> bool:
    """Return whether two PMD entries are equal."""
    return a == b


@static_inline
def pmd_young(k: Kernel, pmd: int) -> bool:
    """Return whether the huge page was accessed (PTE_AF, the access flag)."""
    return k.pte_young(k.pmd_pte(pmd))


@static_inline
def pmd_dirty(k: Kernel, pmd: int) -> bool:
    """Return whether the huge page was written, as marked by software or by hardware."""
    return k.pte_dirty(k.pmd_pte(pmd))


@static_inline
def pmd_write(k: Kernel, pmd: int) -> bool:
    """Return whether the huge page is writable (PTE_WRITE), if only after a fault that marks it dirty."""
    return k.pte_write(k.pmd_pte(pmd))


@static_inline
def pmd_user(k: Kernel, pmd: int) -> bool:
    """Return whether EL0 may read the huge page (PTE_USER)."""
    return k.pte_user(k.pmd_pte(pmd))


@static_inline
def pmd_user_exec(k: Kernel, pmd: int) -> bool:
    """Return whether EL0 may execute the huge page (PTE_UXN is clear)."""
    return k.pte_user_exec(k.pmd_pte(pmd))


@static_inline
def pmd_cont(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry is one of a contiguous run of blocks."""
    return k.pte_cont(k.pmd_pte(pmd))


@static_inline
def pmd_devmap(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry maps ZONE_DEVICE memory (PTE_DEVMAP)."""
    return k.pte_devmap(k.pmd_pte(pmd))


@static_inline
def pmd_protnone(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry is PROT_NONE; always False without CONFIG_NUMA_BALANCING."""
    return k.pte_protnone(k.pmd_pte(pmd))


@static_inline
def pmd_access_permitted(k: Kernel, pmd: int, write: bool) -> bool:
    """Return whether EL0 may access the huge page through this entry: read it, and write it if `write`."""
    return k.pte_access_permitted(k.pmd_pte(pmd), write)


# Changes, made by the PTE functions.


@static_inline
def pmd_mkhuge(k: Kernel, pmd: int) -> int:
    """Return the PMD entry with the type of a block (bit 1 clear)."""
    return pmd & ~k.PMD_TABLE_BIT


@static_inline
def pmd_mkyoung(k: Kernel, pmd: int) -> int:
    """Return the PMD entry marked accessed (PTE_AF)."""
    return k.pte_pmd(k.pte_mkyoung(k.pmd_pte(pmd)))


@static_inline
def pmd_mkold(k: Kernel, pmd: int) -> int:
    """Return the PMD entry marked not accessed (PTE_AF clear)."""
    return k.pte_pmd(k.pte_mkold(k.pmd_pte(pmd)))


@static_inline
def pmd_mkdirty(k: Kernel, pmd: int) -> int:
    """Return the PMD entry made dirty: PTE_DIRTY is set, and PTE_RDONLY cleared if it is writable."""
    return k.pte_pmd(k.pte_mkdirty(k.pmd_pte(pmd)))


@static_inline
def pmd_mkclean(k: Kernel, pmd: int) -> int:
    """Return the PMD entry made clean: PTE_DIRTY is cleared, and PTE_RDONLY set."""
    return k.pte_pmd(k.pte_mkclean(k.pmd_pte(pmd)))


@static_inline
def pmd_mkwrite(k: Kernel, pmd: int, vma: VmAreaStruct | None) -> int:
    """Return the PMD entry made writable; `vma` is for architectures with shadow stacks, and unused here."""
    return k.pmd_mkwrite_novma(pmd)


@static_inline
def pmd_mkwrite_novma(k: Kernel, pmd: int) -> int:
    """Return the PMD entry made writable: PTE_WRITE is set, and PTE_RDONLY cleared if it is dirty already."""
    return k.pte_pmd(k.pte_mkwrite_novma(k.pmd_pte(pmd)))


@static_inline
def pmd_wrprotect(k: Kernel, pmd: int) -> int:
    """Return the PMD entry made read-only; if hardware marked it dirty, PTE_DIRTY is set to keep that."""
    return k.pte_pmd(k.pte_wrprotect(k.pmd_pte(pmd)))


@static_inline
def pmd_mkinvalid(k: Kernel, pmd: int) -> int:
    """Return the PMD entry made invalid to hardware and still present to software, as to split a huge page."""
    return k.pte_pmd(k.pte_mkinvalid(k.pmd_pte(pmd)))


@static_inline
def pmd_mkcont(k: Kernel, pmd: int) -> int:
    """Return the PMD entry as one of a contiguous run of blocks."""
    return pmd | k.PMD_SECT_CONT


@static_inline
def pmd_mkdevmap(k: Kernel, pmd: int) -> int:
    """Return the PMD entry marked as ZONE_DEVICE memory; unlike a PTE it is not marked special."""
    return k.pte_pmd(k.set_pte_bit(k.pmd_pte(pmd), k.PTE_DEVMAP))


@static_inline
def pmd_modify(k: Kernel, pmd: int, newprot: int) -> int:
    """Return the PMD entry with protection `newprot`; the frame, accessed, dirty and the type of a block stay."""
    return k.pte_pmd(k.pte_modify(k.pmd_pte(pmd), newprot))


@static_inline
def pmd_soft_dirty(k: Kernel, pmd: int) -> bool:
    """Return False: arm64 does not support soft-dirty, so the generic stub is used."""
    return False


@static_inline
def pmd_mksoft_dirty(k: Kernel, pmd: int) -> int:
    """Return the PMD entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    return pmd


@static_inline
def pmd_clear_soft_dirty(k: Kernel, pmd: int) -> int:
    """Return the PMD entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    return pmd
