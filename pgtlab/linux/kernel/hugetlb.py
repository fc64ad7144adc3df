"""Huge pages of hugetlb (`asm-generic/hugetlb.h`, `arch/arm64/mm/hugetlbpage.c`).

Their entries are handled as PTEs, at whichever level they are. Besides the sizes of a block arm64 has those of a
contiguous run of pages or of blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.pgtable import ENTRY_SIZE
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct, VmAreaStruct
    from pgtlab.linux.kernel.page import Page


@static_inline
def mk_huge_pte(k: Kernel, page: Page, prot: int) -> int:
    """Return an entry for a huge page; `arch_make_huge_pte()` then gives it the type for its size."""
    return k.mk_pte(page, prot)


@static_inline
def huge_pte_write(k: Kernel, pte: int) -> bool:
    """Return whether a huge page is writable."""
    return k.pte_write(pte)


@static_inline
def huge_pte_dirty(k: Kernel, pte: int) -> bool:
    """Return whether a huge page was written, as marked by software or by hardware."""
    return k.pte_dirty(pte)


@static_inline
def huge_pte_mkwrite(k: Kernel, pte: int) -> int:
    """Return the entry of a huge page made writable."""
    return k.pte_mkwrite_novma(pte)


@static_inline
def huge_pte_wrprotect(k: Kernel, pte: int) -> int:
    """Return the entry of a huge page made read-only, and kept dirty if it was."""
    return k.pte_wrprotect(pte)


@static_inline
def huge_pte_mkdirty(k: Kernel, pte: int) -> int:
    """Return the entry of a huge page made dirty."""
    return k.pte_mkdirty(pte)


@static_inline
def huge_pte_modify(k: Kernel, pte: int, newprot: int) -> int:
    """Return the entry of a huge page with protection `newprot`; the frame, accessed and dirty stay."""
    return k.pte_modify(pte, newprot)


@static_inline
def huge_pte_none(k: Kernel, pte: int) -> bool:
    """Return whether the entry of a huge page is empty."""
    return k.pte_none(pte)


def arch_make_huge_pte(k: Kernel, entry: int, shift: int, flags: int) -> int:
    """Return `entry` with the type and PTE_CONT of a huge page of `1 << shift` bytes."""
    size = 1 << shift
    entry = k.pte_mkhuge(entry)
    if size == k.CONT_PTE_SIZE:
        return k.pte_mkcont(entry)
    if size == k.CONT_PMD_SIZE:
        return k.pmd_pte(k.pmd_mkcont(k.pte_pmd(entry)))
    if size not in (k.PUD_SIZE, k.PMD_SIZE):
        k.printk(f"arch_make_huge_pte: unrecognized huge page size {size:#x}")
    return entry


def arch_hugetlb_valid_size(k: Kernel, size: int) -> bool:
    """Return whether there are huge pages of `size` bytes in this configuration."""
    if size == k.PUD_SIZE and k.CONFIG_PGTABLE_LEVELS > 2:
        return k.pud_sect_supported()
    return size in (k.CONT_PMD_SIZE, k.PMD_SIZE, k.CONT_PTE_SIZE)


@static_inline
def num_contig_ptes(k: Kernel, size: int) -> tuple[int, int]:
    """Return how many entries a huge page of `size` bytes has, and how many bytes each of them maps."""
    if size == k.CONT_PMD_SIZE:
        return k.CONT_PMDS, k.PMD_SIZE
    if size == k.CONT_PTE_SIZE:
        return k.CONT_PTES, k.PAGE_SIZE
    k.WARN_ON(not k.arch_hugetlb_valid_size(size))
    return 1, size


# Changes in the table, to all entries of a contiguous run at once, because the TLB may hold them as one.


@static_inline
def find_num_contig(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> tuple[int, int]:
    """Return how many entries the contiguous run at `ptep` has, and how many bytes each of them maps.

    They are blocks if `ptep` is the PMD entry of `addr`, and pages otherwise.
    """
    pudp = k.pud_offset(k.p4d_offset(k.pgd_offset(mm, addr), addr), addr)
    if k.pmd_offset(pudp, addr) == ptep:
        return k.CONT_PMDS, k.PMD_SIZE
    return k.CONT_PTES, k.PAGE_SIZE


@static_inline
def get_clear_contig(k: Kernel, ptep: int, ncontig: int) -> int:
    """Set the `ncontig` entries of a run to none and return what the first was.

    It is returned young or dirty if any entry of the run was: hardware may mark any.
    """
    entries = [k.read64(ptep + i * ENTRY_SIZE) for i in range(ncontig)]
    for i in range(ncontig):
        k.write64(ptep + i * ENTRY_SIZE, 0)
    pte = entries[0]
    if k.pte_present(pte):
        pte = k.pte_mkdirty(pte) if any(map(k.pte_dirty, entries)) else pte
        pte = k.pte_mkyoung(pte) if any(map(k.pte_young, entries)) else pte
    return pte


@static_inline
def set_contig(k: Kernel, mm: MmStruct, addr: int, ptep: int, pte: int, ncontig: int, pgsize: int) -> None:
    """Store the `ncontig` entries of a run, each mapping `pgsize` bytes, with the protection of `pte`.

    It is the loop at the end of several functions of `hugetlbpage.c`.
    """
    pfn, hugeprot = k.pte_pfn(pte), k.pte_pgprot(pte)
    for i in range(ncontig):
        entry = k.pfn_pte(pfn + i * (pgsize >> k.PAGE_SHIFT), hugeprot)
        k.__set_ptes(mm, addr + i * pgsize, ptep + i * ENTRY_SIZE, entry, 1)


def set_huge_pte_at(k: Kernel, mm: MmStruct, addr: int, ptep: int, pte: int, sz: int) -> None:
    """Map a huge page of `sz` bytes at `addr`: store all its entries.

    An entry that is not present, a swap entry, is stored unchanged in each place of the run.
    """
    ncontig, pgsize = k.num_contig_ptes(sz)
    if not k.pte_present(pte):
        for i in range(ncontig):
            k.__set_ptes(mm, addr + i * pgsize, ptep + i * ENTRY_SIZE, pte, 1)
    elif not k.pte_cont(pte):
        k.__set_ptes(mm, addr, ptep, pte, 1)
    else:
        k.get_clear_contig(ptep, ncontig)
        k.set_contig(mm, addr, ptep, pte, ncontig, pgsize)


def huge_pte_clear(k: Kernel, mm: MmStruct, addr: int, ptep: int, sz: int) -> None:
    """Set all entries of a huge page of `sz` bytes to none."""
    ncontig, pgsize = k.num_contig_ptes(sz)
    for i in range(ncontig):
        k.pte_clear(mm, addr + i * pgsize, ptep + i * ENTRY_SIZE)


def huge_ptep_get_and_clear(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> int:
    """Set all entries of a huge page to none and return what the first was."""
    if not k.pte_cont(k.read64(ptep)):
        return k.ptep_get_and_clear(mm, addr, ptep)
    ncontig, _ = k.find_num_contig(mm, addr, ptep)
    return k.get_clear_contig(ptep, ncontig)


def huge_ptep_set_wrprotect(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> None:
    """Make all entries of a huge page read-only, and keep the page dirty if it was."""
    if not k.pte_cont(k.read64(ptep)):
        k.ptep_set_wrprotect(mm, addr, ptep)
        return
    ncontig, pgsize = k.find_num_contig(mm, addr, ptep)
    k.set_contig(mm, addr, ptep, k.pte_wrprotect(k.get_clear_contig(ptep, ncontig)), ncontig, pgsize)


def huge_ptep_set_access_flags(k: Kernel, vma: VmAreaStruct, addr: int, ptep: int, pte: int, dirty: int) -> bool:
    """Give a huge page the accessed, dirty and writable flags of `pte`; return whether anything changed.

    An accessed or dirty page stays so.
    """
    if not k.pte_cont(pte):
        return k.__ptep_set_access_flags(vma, addr, ptep, pte, dirty)
    ncontig, pgsize = k.find_num_contig(vma.vm_mm, addr, ptep)
    run = [k.read64(ptep + i * ENTRY_SIZE) for i in range(ncontig)]
    if k.pte_write(pte) == k.pte_write(run[0]) and all(
        (k.pte_dirty(pte), k.pte_young(pte)) == (k.pte_dirty(entry), k.pte_young(entry)) for entry in run
    ):
        return False
    before = k.get_clear_contig(ptep, ncontig)
    pte = k.pte_mkdirty(pte) if k.pte_dirty(before) else pte
    pte = k.pte_mkyoung(pte) if k.pte_young(before) else pte
    k.set_contig(vma.vm_mm, addr, ptep, pte, ncontig, pgsize)
    return True
