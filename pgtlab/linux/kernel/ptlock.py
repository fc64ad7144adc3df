"""The locks of page tables (`linux/mm.h`, `mm/pgtable-generic.c`, v6.9).

Each PTE table has a lock of its own in its `struct page` (CONFIG_SPLIT_PTE_PTLOCKS), and so has each PMD table with
three levels or more (CONFIG_SPLIT_PMD_PTLOCKS), so that CPUs that work on different parts of an address space do not
wait for each other. The levels above share the lock of the address space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.spinlock import Lock
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct
    from pgtlab.linux.kernel.page import Page


class PtLock:
    """`ptdesc->ptl`, the lock of a table, in the place of `private` of its `struct page`; 1 is locked."""

    def __init__(self, ptdesc: Page) -> None:
        self._ptdesc = ptdesc

    @property
    def locked(self) -> bool:
        """Whether the lock is held."""
        return bool(self._ptdesc.private)

    @locked.setter
    def locked(self, locked: bool) -> None:
        self._ptdesc.private = int(locked)


@static_inline
def ptlock_init(k: Kernel, ptdesc: Page) -> None:
    """Initialise the lock of a new table, not held."""
    k.VM_BUG_ON_PAGE(ptdesc.private != 0, ptdesc, "*(unsigned long *)&ptdesc->ptl")
    PtLock(ptdesc).locked = False


@static_inline
def pte_lockptr(k: Kernel, mm: MmStruct, pmd: int) -> Lock:
    """Return the lock of the PTE table that the PMD entry `pmd` points to."""
    return PtLock(k.pmd_pgtable(pmd)) if k.CONFIG_SPLIT_PTE_PTLOCKS else mm.page_table_lock


@static_inline
def pmd_lockptr(k: Kernel, mm: MmStruct, pmdp: int) -> Lock:
    """Return the lock of the PMD table that the entry at `pmdp` is in."""
    return PtLock(k.virt_to_page(pmdp)) if k.CONFIG_SPLIT_PMD_PTLOCKS else mm.page_table_lock


@static_inline
def pmd_lock(k: Kernel, mm: MmStruct, pmdp: int) -> Lock:
    """Take the lock of the PMD table that the entry at `pmdp` is in, and return it."""
    lock: Lock = k.pmd_lockptr(mm, pmdp)
    k.spin_lock(lock)
    return lock


@static_inline
def pud_lock(k: Kernel, mm: MmStruct, pudp: int) -> Lock:
    """Take the lock for a PUD entry and return it: the address space's, because PUD tables have none."""
    k.spin_lock(mm.page_table_lock)
    return mm.page_table_lock


@static_inline
def pte_offset_map_lock(k: Kernel, mm: MmStruct, pmdp: int, addr: int) -> tuple[int, Lock | None]:
    """Lock the PTE table of `addr`; return the address of its PTE and the lock, or 0 and None without a table."""
    pmd = k.pmdp_get(pmdp)
    if k.pmd_none(pmd) or not k.pmd_present(pmd) or k.pmd_trans_huge(pmd):
        return 0, None
    if k.pmd_bad(pmd):
        k.pmd_clear_bad(pmdp)
        return 0, None
    lock: Lock = k.pte_lockptr(mm, pmd)
    k.spin_lock(lock)
    return k.pte_offset_kernel(pmdp, addr), lock


def pmd_clear_bad(k: Kernel, pmdp: int) -> None:
    """Log a PMD entry that neither points to a table nor maps a block, and set it to none."""
    k.printk(f"mm/pgtable-generic.c: bad pmd {k.pmdp_get(pmdp):016x}.")
    k.pmd_clear(pmdp)


@static_inline
def pte_unmap_unlock(k: Kernel, ptep: int, lock: Lock) -> None:
    """Release the lock of a PTE table that `pte_offset_map_lock()` took."""
    k.spin_unlock(lock)
