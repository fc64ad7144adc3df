"""Address spaces: their counters and how they end (`linux/mm_types.h`, `linux/mm.h`, `kernel/fork.c`, v6.9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pgtlab.linux.kernel.pgtable import ENTRY_SIZE
from pgtlab.linux.kernel.spinlock import Spinlock
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


@dataclass
class MmStruct:
    """`struct mm_struct`, an address space: the address of its pgd, its users, and the bytes of its page tables."""

    pgd: int = 0
    mm_users: int = 1
    pgtables_bytes: int = 0
    pmd_huge_pte: int = 0  # with two levels: the PTE table deposited last for a huge page
    page_table_lock: Spinlock = field(default_factory=Spinlock, repr=False)


@dataclass
class VmAreaStruct:
    """`struct vm_area_struct`, a mapping: only the address space, which is all that the helpers here use."""

    vm_mm: MmStruct


def mm_alloc(k: Kernel) -> MmStruct | None:
    """Return a new, empty address space with a pgd, or None without memory."""
    mm = MmStruct()
    mm.pgd = k.pgd_alloc(mm)
    return mm if mm.pgd else None


def vm_area_alloc(k: Kernel, mm: MmStruct) -> VmAreaStruct | None:
    """Return a new mapping of `mm`; the kernel takes it from a cache, which the model leaves out."""
    return VmAreaStruct(mm)


def vm_area_free(k: Kernel, vma: VmAreaStruct) -> None:
    """Free a mapping: nothing to do here, as the model does not allocate mappings from kernel memory."""


def mmput(k: Kernel, mm: MmStruct) -> None:
    """Drop a user of an address space, and free the address space with the last one."""
    mm.mm_users -= 1
    if mm.mm_users == 0:
        k.__mmdrop(mm)


def __mmdrop(k: Kernel, mm: MmStruct) -> None:
    """Free the pgd of an address space, then check its counters."""
    k.pgd_free(mm, mm.pgd)
    k.check_mm(mm)


def check_mm(k: Kernel, mm: MmStruct) -> None:
    """Report an address space that still has page tables when it is freed."""
    if k.mm_pgtables_bytes(mm):
        message = f"BUG: non-zero pgtables_bytes on freeing mm: {k.mm_pgtables_bytes(mm)}"
        k.printk(message)
        k.report("Bad mm", text=message)
    k.VM_BUG_ON(mm.pmd_huge_pte, "mm->pmd_huge_pte")


@static_inline
def mm_pgtables_bytes(k: Kernel, mm: MmStruct) -> int:
    """Return how many bytes of page tables `mm` has, without pgd and P4D tables, which are not counted."""
    return mm.pgtables_bytes


@static_inline
def mm_inc_nr_puds(k: Kernel, mm: MmStruct) -> None:
    """Count a PUD table of `mm`, in bytes; do nothing with the PUD folded."""
    if not k.mm_pud_folded(mm):
        mm.pgtables_bytes += k.PTRS_PER_PUD * ENTRY_SIZE


@static_inline
def mm_dec_nr_puds(k: Kernel, mm: MmStruct) -> None:
    """Subtract a PUD table from the count of `mm`, in bytes; do nothing with the PUD folded."""
    if not k.mm_pud_folded(mm):
        mm.pgtables_bytes -= k.PTRS_PER_PUD * ENTRY_SIZE


@static_inline
def mm_inc_nr_pmds(k: Kernel, mm: MmStruct) -> None:
    """Count a PMD table of `mm`, in bytes; do nothing with the PMD folded."""
    if not k.mm_pmd_folded(mm):
        mm.pgtables_bytes += k.PTRS_PER_PMD * ENTRY_SIZE


@static_inline
def mm_dec_nr_pmds(k: Kernel, mm: MmStruct) -> None:
    """Subtract a PMD table from the count of `mm`, in bytes; do nothing with the PMD folded."""
    if not k.mm_pmd_folded(mm):
        mm.pgtables_bytes -= k.PTRS_PER_PMD * ENTRY_SIZE


@static_inline
def mm_inc_nr_ptes(k: Kernel, mm: MmStruct) -> None:
    """Count a PTE table of `mm`, in bytes."""
    mm.pgtables_bytes += k.PTRS_PER_PTE * ENTRY_SIZE


@static_inline
def mm_dec_nr_ptes(k: Kernel, mm: MmStruct) -> None:
    """Subtract a PTE table from the count of `mm`, in bytes."""
    mm.pgtables_bytes -= k.PTRS_PER_PTE * ENTRY_SIZE
