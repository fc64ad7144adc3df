"""Entries changed where they are, in a table (`arch/arm64/include/asm/pgtable.h`, `mm/fault.c`, `mm/flush.c`).

On a real CPU another core, or the MMU itself, may write the same entry at the same time, so that the kernel compares
and swaps. Here one CPU runs, and a change is a load and a store.
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


# Reading. With CONFIG_ARM64_CONTPTE (new in v6.9) any entry of a contiguous run speaks for all of it.


@static_inline
def ptep_get(k: Kernel, ptep: int) -> int:
    """The entry; of a contiguous run it is young or dirty if any of the run is, for hardware may mark any."""
    pte: int = k.read64(ptep)
    if not k.CONFIG_ARM64_CONTPTE or not k.pte_valid_cont(pte):
        return pte
    start = ptep & -(k.CONT_PTES * ENTRY_SIZE)
    for other in map(k.read64, range(start, start + k.CONT_PTES * ENTRY_SIZE, ENTRY_SIZE)):
        if k.pte_dirty(other):
            pte = k.pte_mkdirty(pte)
        if k.pte_young(other):
            pte = k.pte_mkyoung(pte)
    return pte


@static_inline
def ptep_get_lockless(k: Kernel, ptep: int) -> int:
    """The same without the lock: nobody interferes here."""
    return k.ptep_get(ptep)


@static_inline
def pmdp_get(k: Kernel, pmdp: int) -> int:
    """The entry."""
    return k.read64(pmdp)


@static_inline
def pudp_get(k: Kernel, pudp: int) -> int:
    """The entry."""
    return k.read64(pudp)


@static_inline
def p4dp_get(k: Kernel, p4dp: int) -> int:
    """The entry."""
    return k.read64(p4dp)


@static_inline
def pgdp_get(k: Kernel, pgdp: int) -> int:
    """The entry."""
    return k.read64(pgdp)


# Writing.


@static_inline
def __set_pte(k: Kernel, ptep: int, pte: int) -> None:
    """Store an entry."""
    k.write64(ptep, pte)


@static_inline
def set_pte(k: Kernel, ptep: int, pte: int) -> None:
    """Store an entry by itself."""
    k.__set_pte(ptep, k.pte_mknoncont(pte))


@static_inline
def set_pte_at(k: Kernel, mm: MmStruct, addr: int, ptep: int, pte: int) -> None:
    """Map one page."""
    k.set_ptes(mm, addr, ptep, pte, 1)


@static_inline
def set_ptes(k: Kernel, mm: MmStruct, addr: int, ptep: int, pte: int, nr: int) -> None:
    """Map `nr` pages in a row; the caller's entry never has PTE_CONT, which is arm64's own affair.

    With CONFIG_ARM64_CONTPTE the kernel then sets it where they fill a run of a large folio (`contpte_try_fold()`). The
    model has no large folios.
    """
    k.__set_ptes(mm, addr, ptep, k.pte_mknoncont(pte), nr)


@static_inline
def __set_ptes(k: Kernel, mm: MmStruct, addr: int, ptep: int, pte: int, nr: int) -> None:
    """Store `nr` entries, each for the frame after the last."""
    k.__sync_cache_and_tags(pte, nr)
    for i in range(nr):
        k.__set_pte(ptep + i * ENTRY_SIZE, k.pte_advance_pfn(pte, i) if i else pte)


@static_inline
def __sync_cache_and_tags(k: Kernel, pte: int, nr_pages: int) -> None:
    """What user space will execute, the instruction cache must see."""
    if k.pte_present(pte) and k.pte_user_exec(pte) and not k.pte_special(pte):
        k.__sync_icache_dcache(pte)


def __sync_icache_dcache(k: Kernel, pte: int) -> None:
    """Clean the page's data from the cache, and note that it is clean."""
    page = k.pte_page(pte)
    page.flags |= PG_dcache_clean


def flush_dcache_page(k: Kernel, page: Page) -> None:
    """The kernel wrote to the page: it is to be cleaned again before anyone executes it."""
    if page.flags & PG_dcache_clean:
        page.flags &= ~PG_dcache_clean


@static_inline
def pte_clear(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> None:
    """Make an entry none."""
    k.__set_pte(ptep, 0)


@static_inline
def ptep_clear(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> None:
    """Make an entry none, whatever it was."""
    k.ptep_get_and_clear(mm, addr, ptep)


@static_inline
def ptep_get_and_clear(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> int:
    """Make an entry none, and say what it was."""
    pte: int = k.read64(ptep)
    k.write64(ptep, 0)
    return pte


@static_inline
def ptep_get_and_clear_full(k: Kernel, mm: MmStruct, addr: int, ptep: int, full: int) -> int:
    """The same; `full` says that the whole address space goes."""
    return k.ptep_get_and_clear(mm, addr, ptep)


@static_inline
def ptep_set_wrprotect(k: Kernel, mm: MmStruct, addr: int, ptep: int) -> None:
    """Take the right to write away, and keep what hardware knew of dirty."""
    k.__set_pte(ptep, k.pte_wrprotect(k.read64(ptep)))


@static_inline
def ptep_test_and_clear_young(k: Kernel, vma: VmAreaStruct | None, addr: int, ptep: int) -> bool:
    """Make an entry old, and say whether it was young."""
    pte = k.read64(ptep)
    k.__set_pte(ptep, k.pte_mkold(pte))
    return k.pte_young(pte)


@static_inline
def ptep_set_access_flags(k: Kernel, vma: VmAreaStruct | None, addr: int, ptep: int, entry: int, dirty: int) -> bool:
    """Allow more: of `entry` only accessed, dirty and writable count, and none of them is taken away."""
    return k.__ptep_set_access_flags(vma, addr, ptep, k.pte_mknoncont(entry), dirty)


def __ptep_set_access_flags(k: Kernel, vma: VmAreaStruct | None, addr: int, ptep: int, entry: int, dirty: int) -> bool:
    """PTE_RDONLY means less where it is set, so it is turned around before the two are joined, and back."""
    pte = k.read64(ptep)
    if k.pte_same(pte, entry):
        return False
    entry = (entry & (k.PTE_RDONLY | k.PTE_AF | k.PTE_WRITE | k.PTE_DIRTY)) ^ k.PTE_RDONLY
    k.__set_pte(ptep, ((pte ^ k.PTE_RDONLY) | entry) ^ k.PTE_RDONLY)
    return True


# Huge pages: the same, one level up.


@static_inline
def set_pmd(k: Kernel, pmdp: int, pmd: int) -> None:
    """Store an entry."""
    k.write64(pmdp, pmd)


@static_inline
def set_pmd_at(k: Kernel, mm: MmStruct, addr: int, pmdp: int, pmd: int) -> None:
    """Map a huge page."""
    pte = k.pmd_pte(pmd)
    k.__sync_cache_and_tags(pte, k.PMD_SIZE >> k.PAGE_SHIFT)
    k.__set_pte(pmdp, pte)


@static_inline
def pmdp_set_wrprotect(k: Kernel, mm: MmStruct, addr: int, pmdp: int) -> None:
    """Take the right to write away."""
    k.ptep_set_wrprotect(mm, addr, pmdp)


@static_inline
def pmdp_set_access_flags(k: Kernel, vma: VmAreaStruct | None, addr: int, pmdp: int, entry: int, dirty: int) -> bool:
    """Allow more."""
    return k.__ptep_set_access_flags(vma, addr, pmdp, k.pmd_pte(entry), dirty)


@static_inline
def pmdp_test_and_clear_young(k: Kernel, vma: VmAreaStruct | None, addr: int, pmdp: int) -> bool:
    """Make an entry old, and say whether it was young."""
    return k.ptep_test_and_clear_young(vma, addr, pmdp)


@static_inline
def pmdp_huge_get_and_clear(k: Kernel, mm: MmStruct, addr: int, pmdp: int) -> int:
    """Make an entry none, and say what it was."""
    pmd: int = k.read64(pmdp)
    k.write64(pmdp, 0)
    return pmd


@static_inline
def pmdp_huge_get_and_clear_full(k: Kernel, vma: VmAreaStruct, addr: int, pmdp: int, full: int) -> int:
    """The same; `full` says that the whole address space goes."""
    return k.pmdp_huge_get_and_clear(vma.vm_mm, addr, pmdp)


@static_inline
def pmdp_establish(k: Kernel, vma: VmAreaStruct | None, addr: int, pmdp: int, pmd: int) -> int:
    """Put another entry in the place of one, and say what that was."""
    old: int = k.read64(pmdp)
    k.write64(pmdp, pmd)
    return old


def pmdp_invalidate(k: Kernel, vma: VmAreaStruct | None, addr: int, pmdp: int) -> int:
    """Make a huge page's entry invalid to hardware, and say what it was (`mm/pgtable-generic.c`)."""
    return k.pmdp_establish(vma, addr, pmdp, k.pmd_mkinvalid(k.read64(pmdp)))
