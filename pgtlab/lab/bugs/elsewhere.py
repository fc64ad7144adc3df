"""Bugs of other architectures and other years: the mechanism is theirs, the functions here are arm64's."""

from __future__ import annotations

from typing import Final

from pgtlab.arch.fault import Access, Fault
from pgtlab.lab.bugs.address_space import grow, life, new_mm, some_address, switch_mm
from pgtlab.lab.bugs.bug import Bug
from pgtlab.lab.trees import commit
from pgtlab.linux.boot import Boot, Fold
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import MmStruct, VmAreaStruct
from pgtlab.linux.kernel.page import Page
from pgtlab.linux.kernel.pgtable import ENTRY_SIZE
from pgtlab.linux.placement import RAM_BASE

# Constructors and destructors.


@commit(
    "arm64: mm: Allocate PUD tables with get_zeroed_page()",
    name="pud-without-constructor",
    does="a PUD table is allocated without its constructor, and freed with its destructor as before",
)
def pud_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """Allocate a zeroed PUD table and return its address, or 0 without memory."""
    return k.get_zeroed_page(k.pgtable_gfp(mm))


PUD_WITHOUT_CONSTRUCTOR: Final = Bug(
    pud_alloc_one,
    symptom="Freeing a PUD table stops a kernel with DEBUG_VM; without it NR_PAGETABLE falls below zero.",
    cause="The mirror image of the story: the destructor undoes what no constructor did. It clears a page type that "
    "the page does not have, which only DEBUG_VM checks, and takes the table from a count that it was never in. On "
    "s390 crst_table_upgrade(), which puts a new level on top of a process's tables, allocated them without the "
    "constructor that v6.14 had just given them.",
    where="where PUD tables exist",
    shows=lambda boot: boot.folded["pud"] is Fold.REAL,
    exercise=life,
    upstream="on s390, with the constructors of v6.14 (January 2025); fixed by 502269ab98b5 "
    "s390/mm: add missing ctor/dtor on page table upgrade",
)


@commit(
    "arm64: mm: Free PMD tables directly",
    name="pmd-without-destructor",
    does="pmd_free() frees the page of a PMD table and does not call the destructor",
)
def pmd_free(k: Kernel, mm: MmStruct, pmdp: int) -> None:
    """Free a PMD table."""
    k.BUG_ON(pmdp & k.PAGE_SIZE - 1, "(unsigned long)pmd & (PAGE_SIZE-1)")
    k.free_page(pmdp)


PMD_WITHOUT_DESTRUCTOR: Final = Bug(
    pmd_free,
    symptom="Freeing a PMD table reports a bad page, and the page is lost.",
    cause="Generic mm begins to account PMD tables, by a constructor in the generic pmd_alloc_one() and a destructor "
    "in the generic pmd_free(). An architecture that takes the one and keeps a pmd_free() of its own frees pages that "
    "still have the type of a table. It is the bug of the story one level lower and four years earlier. The type was "
    "another bit then, 0x400, and the report said mapcount:-1024.",
    where="where PMD tables exist",
    shows=lambda boot: boot.folded["pmd"] is Fold.REAL,
    exercise=life,
    upstream="on 32-bit arm in linux-next of August 2020, with 424efe723f77 mm: account PMD tables like PTE tables",
)


@commit(
    "arm64: mm: Call the destructor where the page of a PTE table is freed",
    name="pte-destructor-twice",
    does="pte_free() calls the destructor of a PTE table's page in both of its halves",
)
def pte_free(k: Kernel, mm: MmStruct, pte_page: Page) -> None:
    """Free a PTE table, given by its page, with its destructor."""
    k.pagetable_pte_dtor(pte_page)
    k.pagetable_pte_dtor(pte_page)
    k.pagetable_free(pte_page)


PTE_DESTRUCTOR_TWICE: Final = Bug(
    pte_free,
    symptom="Freeing a PTE table stops a kernel with DEBUG_VM; without it NR_PAGETABLE falls below zero.",
    cause="A destructor that only counts can run twice for years, and nothing but a number is wrong. On 32-bit PowerPC "
    "one function that frees a PTE table called it, and so did the one below. Then v4.18 gave pages of tables a page "
    "type, which is what the story's report shows: the second call clears a type that is no longer there, and with "
    "DEBUG_VM the machine did not boot. The type was the bit 0x400: page_type was fffffbff at the first call and "
    "ffffffff at the second.",
    where="everywhere",
    shows=lambda boot: True,
    exercise=life,
    upstream="on 32-bit PowerPC in v4.18-rc1 (June 2018), with 1d40a5ea01d5 mm: mark pages in use for page tables, as "
    "reported in https://lkml.iu.edu/hypermail/linux/kernel/1806.3/05142.html",
)


# Folding at compile time.


def _pud_set_huge() -> object:
    def pud_clear_huge(k: Kernel, pudp: int) -> bool:
        """Set a PUD entry that maps a block to none; return whether it mapped one."""
        if k.CONFIG_PGTABLE_LEVELS <= 3 or not k.pud_sect(k.read64(pudp)):
            return False
        k.pud_clear(pudp)
        return True

    @commit(
        "mm/pgtable: add stubs for {pmd/pub}_{set/clear}_huge",
        name="huge-stubs",
        does="where the PUD is folded at compile time, pud_set_huge() and pud_clear_huge() are stubs that do nothing",
        also=(pud_clear_huge,),
    )
    def pud_set_huge(k: Kernel, pudp: int, phys: int, prot: int) -> bool:
        """Map a block by a PUD entry and return True; return False if the entry must not change in place."""
        if k.CONFIG_PGTABLE_LEVELS <= 3:
            return False
        new = k.pfn_pud(phys >> k.PAGE_SHIFT, k.mk_pud_sect_prot(prot))
        if not k.pgattr_change_is_safe(k.read64(pudp), new):
            return False
        k.VM_BUG_ON(phys & k.PUD_SIZE - 1, "phys & ~PUD_MASK")
        k.set_pud(pudp, new)
        return True

    return pud_set_huge


def _map_a_huge_block(k: Kernel) -> str | None:
    """Map the first gigabyte of RAM with one block, as debug_vm_pgtable and the linear map do."""
    if not k.arch_vmap_pud_supported(0):
        return None
    mm, va = new_mm(k), some_address(k)
    pudp = k.pud_alloc(mm, k.p4d_alloc(mm, k.pgd_offset(mm, va), va), va)
    k.write64(pudp, 0)
    if not k.WARN_ON(not k.pud_set_huge(pudp, RAM_BASE, k.PROT_NORMAL)):
        return None
    return f"WARNING: pud_set_huge() maps nothing: the entry for 1 GiB at {RAM_BASE:#x} is {k.read64(pudp):016x}"


def _pud_folds_with_4k_pages(boot: Boot) -> bool:
    return boot.config.page_size_name == "4k" and boot.folded["pud"] is Fold.COMPILE_TIME


HUGE_STUBS: Final = Bug(
    _pud_set_huge(),  # type: ignore[arg-type]
    symptom="A gigabyte of the linear map is a hole, and the first access to it is a fatal data abort.",
    cause="A level that is folded at compile time seems to need no function that writes its entries. But the entries "
    "exist, in the level above: with 39 bits a PUD entry is an entry of the pgd, which may map a block of 1 GiB. With "
    "the stub the block is never mapped, and the caller that builds the linear map does not look at what it returns.",
    where="with 4K pages where the PUD is folded at compile time: 39 bits",
    shows=_pud_folds_with_4k_pages,
    exercise=_map_a_huge_block,
    upstream="c742199a014d mm/pgtable: add stubs for {pmd/pub}_{set/clear}_huge (v5.14-rc1), reverted in d8a719059b9d",
)


# Contiguous entries.


@commit(
    "arm64: contpte: Compare with the flags of the whole run",
    name="gathered-flags",
    does="ptep_set_access_flags() does nothing if the run of contiguous entries, taken together, has the flags already",
)
def ptep_set_access_flags(k: Kernel, vma: VmAreaStruct | None, addr: int, ptep: int, entry: int, dirty: int) -> bool:
    """Add to the entry at `ptep` what `entry` permits: accessed, dirty, writable; return whether anything changed."""
    if k.pte_same(k.pte_mknoncont(k.ptep_get(ptep)), k.pte_mknoncont(entry)):
        return False
    return k.__ptep_set_access_flags(vma, addr, ptep, k.pte_mknoncont(entry), dirty)


def _write_beside_a_dirty_page(k: Kernel) -> str | None:
    """In a run of contiguous entries the first page is dirty; user space writes to the second."""
    if not k.CONFIG_ARM64_CONTPTE:
        return None
    mm, va = new_mm(k), some_address(k) & -k.CONT_PTE_SIZE
    _, ptep = grow(k, mm, va)
    block = k.alloc_pages(k.CONT_PTE_SHIFT - k.PAGE_SHIFT)
    assert block is not None
    prot = k.vm_get_page_prot(k.VM_READ | k.VM_WRITE | k.VM_SHARED) | k.PTE_CONT
    for number in range(k.CONT_PTES):
        k.write64(ptep + number * ENTRY_SIZE, k.pfn_pte(block.pfn + number, prot))
    k.write64(ptep, k.pte_mkdirty(k.read64(ptep)))
    va, ptep = va + k.PAGE_SIZE, ptep + ENTRY_SIZE
    for _ in range(2):
        outcome = switch_mm(k, mm).translate(va, Access.WRITE, el=0).outcome
        if not isinstance(outcome, Fault):
            return None
        entry = k.pte_mkdirty(k.pte_mkyoung(k.ptep_get(ptep)))  # handle_pte_fault()
        k.ptep_set_access_flags(None, va, ptep, entry, 1)
    return f"after each page fault the write faults again: {outcome}; the entry is still {k.read64(ptep):016x}"


GATHERED_FLAGS: Final = Bug(
    ptep_set_access_flags,
    symptom="A process writes to a page and never gets on: it takes the same page fault for ever.",
    cause="In a run of contiguous entries hardware may mark any one as accessed or dirty, so ptep_get() gathers the "
    "flags of all. Compared with what a page fault wants, that makes an entry look writable because its neighbour is, "
    "and nothing is written. What reads each entry by itself still finds PTE_RDONLY: a CPU that does not manage the "
    "dirty state, or an SMMU beside one that does, where it was found.",
    where="on CPUs without hardware management of the dirty state (TCR_EL1.HD = 0)",
    shows=lambda boot: boot.tcr.HD == 0,
    exercise=_write_beside_a_dirty_page,
    upstream="since v6.9, with contiguous entries for user space; fixed by 97c5550b7631 "
    "arm64: contpte: fix set_access_flags() no-op check for SMMU/ATS faults (v7.0-rc3)",
)
