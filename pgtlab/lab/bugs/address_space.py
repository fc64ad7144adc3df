"""What triggers bugs: an address space that is built, read by Linux and by the MMU, and freed.

These are paths of mm that `debug_vm_pgtable` does not take, as short as possible.
"""

from __future__ import annotations

from dataclasses import replace

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TTBR0_EL1
from pgtlab.arch.walk import Translation
from pgtlab.lab.bugs.bug import last_report
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.kernel.page import Page


def some_address(k: Kernel) -> int:
    """A user address whose index is not 0 in any table: a third of the way up, 0x5555... in its bits."""
    return k.TASK_SIZE_64 // 3 & -k.PAGE_SIZE


def grow(k: Kernel, mm: MmStruct, va: int) -> tuple[int, int]:
    """The PMD entry and the PTE for `va`, with their tables, as a page fault makes them (`__handle_mm_fault()`)."""
    p4dp = k.p4d_alloc(mm, k.pgd_offset(mm, va), va)
    pmdp = k.pmd_alloc(mm, k.pud_alloc(mm, p4dp, va), va)
    k.pte_alloc(mm, pmdp)
    return pmdp, k.pte_offset_kernel(pmdp, va)


def new_mm(k: Kernel) -> MmStruct:
    """The address space of a new process; a kernel that has just booted has memory for it."""
    mm = k.mm_alloc()
    assert mm is not None
    return mm


def new_page(k: Kernel) -> Page:
    """A page for a process; a kernel that has just booted has one."""
    page = k.alloc_pages(0)
    assert page is not None
    return page


def map_page(k: Kernel, mm: MmStruct, va: int, pfn: int) -> int:
    """Map a frame for user space, shared and writable, and return the address of its PTE."""
    _, ptep = grow(k, mm, va)
    k.set_pte_at(mm, va, ptep, k.pfn_pte(pfn, k.vm_get_page_prot(k.VM_READ | k.VM_WRITE | k.VM_SHARED)))
    return int(ptep)


def switch_mm(k: Kernel, mm: MmStruct) -> MMU:
    """The MMU with TTBR0_EL1 at the pgd of `mm`, while the kernel runs; `in_user_space()` gives that of user space."""
    return replace(k.mmu, ttbr0=TTBR0_EL1(k.__pa(mm.pgd)))


def free_pgtables(k: Kernel, mm: MmStruct, va: int) -> None:
    """Unmap `va`, the only page that is mapped, and free the tables that lead to it (`free_pgd_range()`)."""
    pgdp = k.pgd_offset(mm, va)
    p4dp = k.p4d_offset(pgdp, va)
    pudp = k.pud_offset(p4dp, va)
    pmdp = k.pmd_offset(pudp, va)
    k.pte_clear(mm, va, k.pte_offset_kernel(pmdp, va))

    token = k.pmd_pgtable(k.pmdp_get(pmdp))
    k.pmd_clear(pmdp)
    k.pte_free(mm, token)
    k.mm_dec_nr_ptes(mm)

    table = k.pmd_offset(pudp, 0)
    k.pud_clear(pudp)
    k.pmd_free(mm, table)
    k.mm_dec_nr_pmds(mm)

    table = k.pud_offset(p4dp, 0)
    k.p4d_clear(p4dp)
    k.pud_free(mm, table)
    k.mm_dec_nr_puds(mm)

    table = k.p4d_offset(pgdp, 0)
    k.pgd_clear(pgdp)
    k.p4d_free(mm, table)


def life(k: Kernel) -> str | None:
    """A process maps a page, unmaps it and exits: what the kernel reported, or which page is still not free."""
    before, tables = set(k.page_owner.owners()), k.vmstat["nr_page_table_pages"]
    mm, page, va = new_mm(k), new_page(k), some_address(k)
    map_page(k, mm, va, page.pfn)
    free_pgtables(k, mm, va)
    k.mmput(mm)
    k.__free_pages(page, 0)
    if report := last_report(k):
        return report
    lost = [str(owner) for owner in k.page_owner.owners() if owner not in before]
    left = k.vmstat["nr_page_table_pages"] - tables
    if lost:
        return f"{lost[0]}: never freed, and NR_PAGETABLE is {left} too high"
    off = f"{left} too high" if left > 0 else f"{-left} too low"
    return f"NR_PAGETABLE is {off}, and nothing was reported" if left else None


def both_views(k: Kernel, pfn: int | None = None) -> str | None:
    """Map a frame and look it up as Linux and as the MMU do; what differs, or None."""
    mm, va = new_mm(k), some_address(k)
    pa = (new_page(k).pfn if pfn is None else pfn) << k.PAGE_SHIFT
    map_page(k, mm, va, pa >> k.PAGE_SHIFT)
    outcome = switch_mm(k, mm).translate(va, Access.READ, el=0).outcome
    mapped = f"Linux mapped {va:#x} to {pa:#x}"
    if isinstance(outcome, Fault):
        return f"{mapped}; the MMU has a {outcome}"
    assert isinstance(outcome, Translation)
    if outcome.pa != pa:
        return f"{mapped}; the MMU goes to {outcome.pa:#x}"
    *_, (level, entry) = k.entries_of(mm, va)
    if level != "pte" or k.pte_pfn(entry) != pa >> k.PAGE_SHIFT:
        return f"{mapped}, and so does the MMU; Linux's own walk ends with {level}={entry:016x}"
    return None


def gup_fast(k: Kernel, mm: MmStruct, va: int) -> int:
    """The PTE for `va`, each entry read once and no lock taken (`mm/gup.c`); 0 where a table is absent."""
    pgdp = k.pgd_offset(mm, va)
    if k.pgd_none(pgd := k.pgdp_get(pgdp)):
        return 0
    p4dp = k.p4d_offset_lockless(pgdp, pgd, va)
    if k.p4d_none(p4d := k.p4dp_get(p4dp)):
        return 0
    pudp = k.pud_offset_lockless(p4dp, p4d, va)
    if k.pud_none(pud := k.pudp_get(pudp)):
        return 0
    pmdp = k.pmd_offset_lockless(pudp, pud, va)
    if k.pmd_none(k.pmdp_get(pmdp)):
        return 0
    return k.ptep_get_lockless(k.pte_offset_kernel(pmdp, va))
