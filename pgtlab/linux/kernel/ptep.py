"""Changing an entry in its table (`arch/arm64/include/asm/pgtable.h`, `mm/fault.c` and `mm/flush.c` of arm64).

On a real CPU another core, or the MMU itself, may write the same entry at the same time, so the kernel uses compare-
and-swap. The model runs one CPU, and a change is a load and a store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.page_flags import PAGEFLAGS
from pgtlab.linux.kernel.pgtable import ENTRY_SIZE
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct, VmAreaStruct
    from pgtlab.linux.kernel.page import Page

PG_dcache_clean = PAGEFLAGS["arch_1"]


# Reading. With CONFIG_ARM64_CONTPTE (new in v6.9) the accessed and dirty flags of a contiguous run are shared.


@static_inline
def ptep_get(k: Kernel, ptep: int) -> int:
    """Return the entry at `ptep`; in a contiguous run it is young or dirty if any entry of the run is.

    Hardware may set the access flag or the dirty state in any one entry of a run.
    """
    pte: int = k.read64(ptep)
    if not k.CONFIG_ARM64_CONTPTE or not k.pte_valid_cont(pte):
        return pte
    start = ptep & -(k.CONT_PTES * ENTRY_SIZE)
    for entry in map(k.read64, range(start, start + k.CONT_PTES * ENTRY_SIZE, ENTRY_SIZE)):
        if k.pte_dirty(entry):
            pte = k.pte_mkdirty(pte)
        if k.pte_young(entry):
            pte = k.pte_mkyoung(pte)
    return pte


@static_inline
def ptep_get_lockless(k: Kernel, ptep: int) -> int:
    """Return the entry at `ptep` without the lock: the model runs one CPU, so `ptep_get()` does."""
    return k.ptep_get(ptep)


@static_inline
def pmdp_get(k: Kernel, pmdp: int) -> int:
    """Return the PMD entry at `pmdp`."""
    return k.read64(pmdp)


@static_inline
def pudp_get(k: Kernel, pudp: int) -> int:
    """Return the PUD entry at `pudp`."""
    return k.read64(pudp)


@static_inline
def p4dp_get(k: Kernel, p4dp: int) -> int:
    """Return the P4D entry at `p4dp`."""
    return k.read64(p4dp)


@static_inline
def pgdp_get(k: Kernel, pgdp: int) -> int:
    """Return the pgd entry at `pgdp`."""
    return k.read64(pgdp)


# Writing.


@static_inline
def __set_pte(k: Kernel, ptep: int, pte: int) -> None:
    """Store `pte` in the entry at `ptep`, as it is."""
    k.write64(ptep, pte)


@static_inline
def set_pte(k: Kernel, ptep: int, pte: int) -> None:
    """Store `pte` in the entry at `ptep` with PTE_CONT cleared."""
    k.__set_pte(ptep, k.pte_mknoncont(pte))


@static_inline
def set_pte_at(k: Kernel, mm: MmStruct, addr: int, ptep: int, pte: int) -> None:
    """Map one page at `addr`: store `pte` in the entry at `ptep`."""
    k.set_ptes(mm, addr, ptep, pte, 1)


@static_inline
def set_ptes(k: Kernel, mm: MmStruct, addr: int, ptep: int, pte: int, nr: int) -> None:
    """Map `nr` consecutive pages from `addr` on: store `nr` entries from `ptep` on, the first of them `pte`.

    PTE_CONT is cleared: only arm64 itself sets it. With CONFIG_ARM64_CONTPTE the kernel then does so where the entries
    fill a run of a large folio (`contpte_try_fold()`). The model has no large folios.
    """
    k.__set_ptes(mm, addr, ptep, k.pte_mknoncont(pte), nr)


@static_inline
def __set_ptes(k: Kernel, mm: MmStruct, addr: int, ptep: int, pte: int, nr: int) -> None:
    """Store `nr` entries from `ptep` on, each for the frame after that of the entry before it."""
    k.__sync_cache_and_tags(pte, nr)
    for i in range(nr):
        k.__set_pte(ptep + i * ENTRY_SIZE, k.pte_advance_pfn(pte, i) if i else pte)


@static_inline
def __sync_cache_and_tags(k: Kernel, pte: int, nr_pages: int) -> None:
    """Make the instruction cache see the page that an entry maps, if user space may execute it."""
    if k.pte_present(pte) and k.pte_user_exec(pte) and not k.pte_special(pte):
        k.__sync_icache_dcache(pte)


def __sync_icache_dcache(k: Kernel, pte: int) -> None:
    """Clean the page of an entry from the data cache, and mark it clean (PG_dcache_clean; `mm/flush.c`)."""
    page = k.pte_page(pte)
    page.flags |= PG_dcache_clean


def flush_dcache_page(k: Kernel, page: Page) -> None:
    """Mark a page that the kernel wrote to, so that it is cleaned again before it is executed (`mm/flush.c`)."""
    if page.flags & PG_dcache_clean:
        page.flags &= ~PG_dcache_clean


@static_inline
def pte_clear(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> None:
    """Set the entry at `ptep` to none."""
    k.__set_pte(ptep, 0)


@static_inline
def ptep_clear(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> None:
    """Set the entry at `ptep` to none and discard what it was."""
    k.ptep_get_and_clear(mm, addr, ptep)


@static_inline
def ptep_get_and_clear(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> int:
    """Set the entry at `ptep` to none and return what it was."""
    pte: int = k.read64(ptep)
    k.write64(ptep, 0)
    return pte


@static_inline
def ptep_get_and_clear_full(k: Kernel, mm: MmStruct, addr: int, ptep: int, full: int) -> int:
    """Set the entry at `ptep` to none and return what it was.

    `full` says that the whole address space is torn down, which changes nothing here.
    """
    return k.ptep_get_and_clear(mm, addr, ptep)


@static_inline
def ptep_set_wrprotect(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> None:
    """Make the entry at `ptep` read-only, and keep it dirty if hardware marked it so."""
    k.__set_pte(ptep, k.pte_wrprotect(k.read64(ptep)))


@static_inline
def ptep_test_and_clear_young(k: Kernel, vma: VmAreaStruct | None, addr: int, ptep: int) -> bool:
    """Mark the entry at `ptep` not accessed and return whether it was accessed."""
    pte = k.read64(ptep)
    k.__set_pte(ptep, k.pte_mkold(pte))
    return k.pte_young(pte)


@static_inline
def ptep_set_access_flags(k: Kernel, vma: VmAreaStruct | None, addr: int, ptep: int, entry: int, dirty: int) -> bool:
    """Add to the entry at `ptep` what `entry` permits: accessed, dirty and writable; return whether anything changed.

    Nothing is taken away, and of `entry` only these three count.
    """
    return k.__ptep_set_access_flags(vma, addr, ptep, k.pte_mknoncont(entry), dirty)


def __ptep_set_access_flags(k: Kernel, vma: VmAreaStruct | None, addr: int, ptep: int, entry: int, dirty: int) -> bool:
    """Merge accessed, dirty and writable of `entry` into the entry at `ptep`; return whether it changed (`mm/fault.c`).

    PTE_RDONLY permits more where it is clear, so it is inverted before the two are merged with OR, and after.
    """
    pte = k.read64(ptep)
    if k.pte_same(pte, entry):
        return False
    entry = (entry & (k.PTE_RDONLY | k.PTE_AF | k.PTE_WRITE | k.PTE_DIRTY)) ^ k.PTE_RDONLY
    k.__set_pte(ptep, ((pte ^ k.PTE_RDONLY) | entry) ^ k.PTE_RDONLY)
    return True


# Huge pages, by their PMD entries.


@static_inline
def set_pmd(k: Kernel, pmdp: int, pmd: int) -> None:
    """Store `pmd` in the PMD entry at `pmdp`."""
    k.write64(pmdp, pmd)


@static_inline
def set_pmd_at(k: Kernel, mm: MmStruct, addr: int, pmdp: int, pmd: int) -> None:
    """Map a huge page at `addr`: store `pmd` in the PMD entry at `pmdp`."""
    pte = k.pmd_pte(pmd)
    k.__sync_cache_and_tags(pte, k.PMD_SIZE >> k.PAGE_SHIFT)
    k.__set_pte(pmdp, pte)


@static_inline
def pmdp_set_wrprotect(k: Kernel, mm: MmStruct, addr: int, pmdp: int) -> None:
    """Make the huge page of the PMD entry at `pmdp` read-only, and keep it dirty if hardware marked it so."""
    k.ptep_set_wrprotect(mm, addr, pmdp)


@static_inline
def pmdp_set_access_flags(k: Kernel, vma: VmAreaStruct | None, addr: int, pmdp: int, entry: int, dirty: int) -> bool:
    """Add to the PMD entry at `pmdp` what `entry` permits: accessed, dirty and writable.

    Return whether anything changed.
    """
    return k.__ptep_set_access_flags(vma, addr, pmdp, k.pmd_pte(entry), dirty)


@static_inline
def pmdp_test_and_clear_young(k: Kernel, vma: VmAreaStruct | None, addr: int, pmdp: int) -> bool:
    """Mark the huge page at `pmdp` not accessed and return whether it was accessed."""
    return k.ptep_test_and_clear_young(vma, addr, pmdp)


@static_inline
def pmdp_huge_get_and_clear(k: Kernel, mm: MmStruct, addr: int, pmdp: int) -> int:
    """Set the PMD entry of a huge page to none and return what it was."""
    pmd: int = k.read64(pmdp)
    k.write64(pmdp, 0)
    return pmd


@static_inline
def pmdp_huge_get_and_clear_full(k: Kernel, vma: VmAreaStruct, addr: int, pmdp: int, full: int) -> int:
    """Set the PMD entry of a huge page to none and return what it was.

    `full` says that the whole address space is torn down, which changes nothing here.
    """
    return k.pmdp_huge_get_and_clear(vma.vm_mm, addr, pmdp)


@static_inline
def pmdp_establish(k: Kernel, vma: VmAreaStruct | None, addr: int, pmdp: int, pmd: int) -> int:
    """Store `pmd` in the PMD entry at `pmdp` and return what was there."""
    old: int = k.read64(pmdp)
    k.write64(pmdp, pmd)
    return old


def pmdp_invalidate(k: Kernel, vma: VmAreaStruct | None, addr: int, pmdp: int) -> int:
    """Make the PMD entry of a huge page invalid to hardware and return what it was (`mm/pgtable-generic.c`)."""
    return k.pmdp_establish(vma, addr, pmdp, k.pmd_mkinvalid(k.read64(pmdp)))
