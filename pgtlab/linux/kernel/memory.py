"""Adding a table where the entry above it is none (`mm/memory.c`, `linux/mm.h`).

Two threads may fault at the same address at once. Each allocates a table, takes the lock, and frees its table again if
the entry is not none any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct
    from pgtlab.linux.kernel.page import Page

ENOMEM = 12


@static_inline
def p4d_alloc(k: Kernel, mm: MmStruct, pgdp: int, addr: int) -> int:
    """Return the address of the P4D entry for `addr`, with its table allocated if need be; 0 without memory."""
    if k.pgd_none(k.read64(pgdp)) and k.__p4d_alloc(mm, pgdp, addr):
        return 0
    return k.p4d_offset(pgdp, addr)


def __p4d_alloc(k: Kernel, mm: MmStruct, pgdp: int, addr: int) -> int:
    """Allocate a P4D table and make `*pgdp` point to it, unless it is set; return 0, or -ENOMEM."""
    new = k.p4d_alloc_one(mm, addr)
    if not new:
        return -ENOMEM
    k.spin_lock(mm.page_table_lock)
    if k.pgd_present(k.read64(pgdp)):
        k.p4d_free(mm, new)
    else:
        k.pgd_populate(mm, pgdp, new)
    k.spin_unlock(mm.page_table_lock)
    return 0


@static_inline
def pud_alloc(k: Kernel, mm: MmStruct, p4dp: int, addr: int) -> int:
    """Return the address of the PUD entry for `addr`, with its table allocated if need be; 0 without memory."""
    if k.p4d_none(k.read64(p4dp)) and k.__pud_alloc(mm, p4dp, addr):
        return 0
    return k.pud_offset(p4dp, addr)


def __pud_alloc(k: Kernel, mm: MmStruct, p4dp: int, addr: int) -> int:
    """Allocate a PUD table and make `*p4dp` point to it, unless it is set; return 0, or -ENOMEM."""
    new = k.pud_alloc_one(mm, addr)
    if not new:
        return -ENOMEM
    k.spin_lock(mm.page_table_lock)
    if k.p4d_present(k.read64(p4dp)):
        k.pud_free(mm, new)
    else:
        k.mm_inc_nr_puds(mm)
        k.p4d_populate(mm, p4dp, new)
    k.spin_unlock(mm.page_table_lock)
    return 0


@static_inline
def pmd_alloc(k: Kernel, mm: MmStruct, pudp: int, addr: int) -> int:
    """Return the address of the PMD entry for `addr`, with its table allocated if need be; 0 without memory."""
    if k.pud_none(k.read64(pudp)) and k.__pmd_alloc(mm, pudp, addr):
        return 0
    return k.pmd_offset(pudp, addr)


def __pmd_alloc(k: Kernel, mm: MmStruct, pudp: int, addr: int) -> int:
    """Allocate a PMD table and make `*pudp` point to it, unless it is set; return 0, or -ENOMEM."""
    new = k.pmd_alloc_one(mm, addr)
    if not new:
        return -ENOMEM
    ptl = k.pud_lock(mm, pudp)
    if k.pud_present(k.read64(pudp)):
        k.pmd_free(mm, new)
    else:
        k.mm_inc_nr_pmds(mm)
        k.pud_populate(mm, pudp, new)
    k.spin_unlock(ptl)
    return 0


@static_inline
def pte_alloc(k: Kernel, mm: MmStruct, pmdp: int) -> int:
    """Allocate a PTE table under `*pmdp` if need be; return 0, or nonzero without memory."""
    return k.__pte_alloc(mm, pmdp) if k.pmd_none(k.read64(pmdp)) else 0


def __pte_alloc(k: Kernel, mm: MmStruct, pmdp: int) -> int:
    """Allocate a PTE table and make `*pmdp` point to it, unless it is set; return 0, or -ENOMEM."""
    new = k.pte_alloc_one(mm)
    if new is None:
        return -ENOMEM
    if not k.pmd_install(mm, pmdp, new):
        k.pte_free(mm, new)
    return 0


def pmd_install(k: Kernel, mm: MmStruct, pmdp: int, pte_page: Page) -> bool:
    """Make `*pmdp` point to the PTE table `pte_page` if it is none, under the lock; return whether it was."""
    ptl = k.pmd_lock(mm, pmdp)
    none: bool = k.pmd_none(k.read64(pmdp))
    if none:
        k.mm_inc_nr_ptes(mm)
        k.pmd_populate(mm, pmdp, pte_page)
    k.spin_unlock(ptl)
    return none
