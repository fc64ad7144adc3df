"""An address space, its counters, and its end (`linux/mm_types.h`, `linux/mm.h`, `kernel/fork.c`, v6.9)."""

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
    """`struct mm_struct`: the address of its pgd, its users, and how many bytes its page tables take."""

    pgd: int = 0
    mm_users: int = 1
    pgtables_bytes: int = 0
    pmd_huge_pte: int = 0  # with two levels: a PTE table put by for a huge page
    page_table_lock: Spinlock = field(default_factory=Spinlock, repr=False)


@dataclass
class VmAreaStruct:
    """`struct vm_area_struct`: a mapping, as far as the page-table helpers ask for one."""

    vm_mm: MmStruct


def mm_alloc(k: Kernel) -> MmStruct | None:
    """A new, empty address space."""
    mm = MmStruct()
    mm.pgd = k.pgd_alloc(mm)
    return mm if mm.pgd else None


def vm_area_alloc(k: Kernel, mm: MmStruct) -> VmAreaStruct | None:
    """A new mapping. (It comes from a cache that boot has filled, which the model leaves out.)"""
    return VmAreaStruct(mm)


def vm_area_free(k: Kernel, vma: VmAreaStruct) -> None:
    """Give it back."""


def mmput(k: Kernel, mm: MmStruct) -> None:
    """Drop a user; the last one takes the address space along."""
    mm.mm_users -= 1
    if mm.mm_users == 0:
        k.__mmdrop(mm)


def __mmdrop(k: Kernel, mm: MmStruct) -> None:
    """Free the pgd, and look at the books."""
    k.pgd_free(mm, mm.pgd)
    k.check_mm(mm)


def check_mm(k: Kernel, mm: MmStruct) -> None:
    """An address space must end with all its page tables given back."""
    if k.mm_pgtables_bytes(mm):
        message = f"BUG: non-zero pgtables_bytes on freeing mm: {k.mm_pgtables_bytes(mm)}"
        k.printk(message)
        k.report("Bad mm", text=message)
    k.VM_BUG_ON(mm.pmd_huge_pte, "mm->pmd_huge_pte")


@static_inline
def mm_pgtables_bytes(k: Kernel, mm: MmStruct) -> int:
    """How many bytes the page tables take, by the account; pgd and P4D tables are not in it."""
    return mm.pgtables_bytes


@static_inline
def mm_inc_nr_puds(k: Kernel, mm: MmStruct) -> None:
    """Account a PUD table, if there are such tables."""
    if not k.mm_pud_folded(mm):
        mm.pgtables_bytes += k.PTRS_PER_PUD * ENTRY_SIZE


@static_inline
def mm_dec_nr_puds(k: Kernel, mm: MmStruct) -> None:
    """Take a PUD table off the account."""
    if not k.mm_pud_folded(mm):
        mm.pgtables_bytes -= k.PTRS_PER_PUD * ENTRY_SIZE


@static_inline
def mm_inc_nr_pmds(k: Kernel, mm: MmStruct) -> None:
    """Account a PMD table."""
    if not k.mm_pmd_folded(mm):
        mm.pgtables_bytes += k.PTRS_PER_PMD * ENTRY_SIZE


@static_inline
def mm_dec_nr_pmds(k: Kernel, mm: MmStruct) -> None:
    """Take a PMD table off the account."""
    if not k.mm_pmd_folded(mm):
        mm.pgtables_bytes -= k.PTRS_PER_PMD * ENTRY_SIZE


@static_inline
def mm_inc_nr_ptes(k: Kernel, mm: MmStruct) -> None:
    """Account a PTE table."""
    mm.pgtables_bytes += k.PTRS_PER_PTE * ENTRY_SIZE


@static_inline
def mm_dec_nr_ptes(k: Kernel, mm: MmStruct) -> None:
    """Take a PTE table off the account."""
    mm.pgtables_bytes -= k.PTRS_PER_PTE * ENTRY_SIZE
