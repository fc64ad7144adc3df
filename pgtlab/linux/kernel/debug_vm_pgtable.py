"""The kernel's test of its page-table helpers, run once at boot (`mm/debug_vm_pgtable.c`, v6.9).

The initcall runs every test in the kernel's order. Some tests take entries as values and touch no table: each of their
lines is a law, such as "an entry that was made young is young". The others change entries in tables. arm64 does not
have CONFIG_MEM_SOFT_DIRTY or, in v6.9, CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD; without these options the tests of
what they add do nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pgtlab.arch.word import MASK64
from pgtlab.linux.kernel.memory import ENOMEM
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct, VmAreaStruct
    from pgtlab.linux.kernel.page import Page

RANDOM_NZVALUE = 0xFF
ULONG_MAX = MASK64

# Bits set in an entry before it is cleared, so that clearing has something to do: all but the lowest four, which hold
# the entry's type on s390, and bit 62, which ppc64 needs. (Since v6.10 the tests set no bits; they check that the entry
# is not none before.)
RANDOM_ORVALUE = ~(0xF | 1 << 62) & MASK64


# Setting up and tearing down: one path through a page table, and pages for it to map.


NULL: Final[Any] = None  # a pointer that is not set yet


@dataclass
class PgtableDebugArgs:
    """`struct pgtable_debug_args`: an address space, its entry for `vaddr` at each level, and the start of each table.

    A pointer that is not set yet is 0 or None, as after the kernel's `memset()`. `pmd_pfn` and `pte_pfn` are allocated
    frames, or None without memory. The fixed frames exist, aligned as far as RAM allows; the tests map them but never
    access them.
    """

    vaddr: int = 0
    page_prot: int = 0
    page_prot_none: int = 0
    mm: MmStruct = NULL
    vma: VmAreaStruct = NULL
    pgdp: int = 0
    p4dp: int = 0
    pudp: int = 0
    pmdp: int = 0
    ptep: int = 0
    start_p4dp: int = 0
    start_pudp: int = 0
    start_pmdp: int = 0
    start_ptep: Page = NULL
    pmd_pfn: int | None = None
    pte_pfn: int | None = None
    fixed_alignment: int = 0
    fixed_pud_pfn: int = 0
    fixed_pmd_pfn: int = 0
    fixed_pte_pfn: int = 0


def init_args(k: Kernel, args: PgtableDebugArgs) -> int:
    """Build one path through a page table, and allocate pages for it to map; return 0, or -ENOMEM."""
    args.vaddr = k.get_random_vaddr()
    args.page_prot = k.vm_get_page_prot(k.VM_ACCESS_FLAGS)
    args.page_prot_none = k.vm_get_page_prot(k.VM_NONE)
    mm = k.mm_alloc()
    if mm is None:
        return k.init_failed(args, "mm struct")
    args.mm = mm
    vma = k.vm_area_alloc(mm)
    if vma is None:
        return k.init_failed(args, "vma")
    args.vma = vma
    args.pgdp = k.pgd_offset(mm, args.vaddr)
    args.p4dp = k.p4d_alloc(mm, args.pgdp, args.vaddr)
    if not args.p4dp:
        return k.init_failed(args, "p4d entries")
    args.start_p4dp = k.p4d_offset(args.pgdp, 0)
    args.pudp = k.pud_alloc(mm, args.p4dp, args.vaddr)
    if not args.pudp:
        return k.init_failed(args, "pud entries")
    args.start_pudp = k.pud_offset(args.p4dp, 0)
    args.pmdp = k.pmd_alloc(mm, args.pudp, args.vaddr)
    if not args.pmdp:
        return k.init_failed(args, "pmd entries")
    args.start_pmdp = k.pmd_offset(args.pudp, 0)
    if k.pte_alloc(mm, args.pmdp):
        return k.init_failed(args, "pte entries")
    args.start_ptep = k.pmd_pgtable(k.pmdp_get(args.pmdp))
    k.init_fixed_pfns(args)

    # A huge page also serves as the small page.
    if k.has_transparent_hugepage():
        page = k.debug_vm_pgtable_alloc_huge_page(args, k.HPAGE_PMD_ORDER)
        if page is not None:
            args.pmd_pfn = args.pte_pfn = page.pfn
            return 0
    page = k.alloc_pages(0)
    args.pte_pfn = page.pfn if page is not None else None
    return 0


@static_inline
def init_failed(k: Kernel, args: PgtableDebugArgs, what: str) -> int:
    """Report what could not be allocated, free what `init_args()` has allocated so far, and return -ENOMEM."""
    k.printk(f"debug_vm_pgtable: [{'init_args':25}]: Failed to allocate {what}")
    k.destroy_args(args)
    return -ENOMEM


@static_inline
def debug_vm_pgtable_alloc_huge_page(k: Kernel, args: PgtableDebugArgs, order: int) -> Page | None:
    """Allocate a block of `1 << order` pages, or return None where that exceeds the allocator's largest block."""
    return k.alloc_pages(order) if order <= k.MAX_PAGE_ORDER else None


@static_inline
def init_fixed_pfns(k: Kernel, args: PgtableDebugArgs) -> None:
    """Choose frames aligned to the size of a PUD, or else of a PMD, or else those of the kernel image."""
    start, end = k.memory.base, k.memory.base + k.memory.size
    phys, args.fixed_alignment = k.reserved_base, k.PAGE_SIZE
    for size in (k.PUD_SIZE, k.PMD_SIZE):
        aligned = -(-start // size) * size
        if aligned + size <= end:
            phys, args.fixed_alignment = aligned, size
            break
    args.fixed_pud_pfn = (phys & -k.PUD_SIZE) >> k.PAGE_SHIFT
    args.fixed_pmd_pfn = (phys & -k.PMD_SIZE) >> k.PAGE_SHIFT
    args.fixed_pte_pfn = phys >> k.PAGE_SHIFT
    k.WARN_ON(not k.pfn_valid(args.fixed_pte_pfn))


@static_inline
def get_random_vaddr(k: Kernel) -> int:
    """A random page-aligned address of user space."""
    return k.random.randrange(k.TASK_SIZE_64 >> k.PAGE_SHIFT) << k.PAGE_SHIFT


def destroy_args(k: Kernel, args: PgtableDebugArgs) -> None:
    """Free everything that `init_args()` made: the pages, the tables from the PTE table up, the address space."""
    if args.pmd_pfn is not None:
        k.__free_pages(k.pfn_to_page(args.pmd_pfn), k.HPAGE_PMD_ORDER)
    elif args.pte_pfn is not None:
        k.__free_pages(k.pfn_to_page(args.pte_pfn), 0)

    if args.start_ptep is not None:
        k.pmd_clear(args.pmdp)
        k.pte_free(args.mm, args.start_ptep)
        k.mm_dec_nr_ptes(args.mm)
    if args.start_pmdp:
        k.pud_clear(args.pudp)
        k.pmd_free(args.mm, args.start_pmdp)
        k.mm_dec_nr_pmds(args.mm)
    if args.start_pudp:
        k.p4d_clear(args.p4dp)
        k.pud_free(args.mm, args.start_pudp)
        k.mm_dec_nr_puds(args.mm)
    if args.start_p4dp:
        k.pgd_clear(args.pgdp)
        k.p4d_free(args.mm, args.start_p4dp)
    if args.vma is not None:
        k.vm_area_free(args.vma)
    if args.mm is not None:
        k.mmput(args.mm)


def validating(k: Kernel, function: str, what: str, vm_flags: int | None = None) -> None:
    """Print which test runs, as `pr_debug()` does in a kernel booted with `dyndbg="module debug_vm_pgtable +p"`."""
    k.tests_run.setdefault(function)
    if k.CONFIG_DYNAMIC_DEBUG:
        flags = "" if vm_flags is None else f" ({k.format_vm_flags(vm_flags)})"
        k.printk(f"debug_vm_pgtable: [{function:25}]: Validating {what}{flags}")


static_inline(validating)


# The initcall.


def debug_vm_pgtable(k: Kernel) -> int:
    """Run every test of the page-table helpers; a late initcall, which returns 0, or -ENOMEM without memory."""
    k.printk(f"debug_vm_pgtable: [{'debug_vm_pgtable':25}]: Validating architecture page table helpers")
    args = PgtableDebugArgs()
    ret = k.init_args(args)
    if ret:
        return ret

    for idx in range(k.VM_NONE, (k.VM_SHARED | k.VM_ACCESS_FLAGS) + 1):
        k.pte_basic_tests(args, idx)
        k.pmd_basic_tests(args, idx)
        k.pud_basic_tests(args, idx)
    k.p4d_basic_tests(args)
    k.pgd_basic_tests(args)
    k.pmd_leaf_tests(args)
    k.pud_leaf_tests(args)
    k.pte_special_tests(args)
    k.pte_protnone_tests(args)
    k.pmd_protnone_tests(args)
    k.pte_devmap_tests(args)
    k.pmd_devmap_tests(args)
    k.pud_devmap_tests(args)
    k.pte_soft_dirty_tests(args)
    k.pmd_soft_dirty_tests(args)
    k.pte_swap_soft_dirty_tests(args)
    k.pmd_swap_soft_dirty_tests(args)
    k.pte_swap_exclusive_tests(args)
    k.pte_swap_tests(args)
    k.pmd_swap_tests(args)
    k.swap_migration_tests(args)
    k.pmd_thp_tests(args)
    k.pud_thp_tests(args)
    k.hugetlb_basic_tests(args)

    # The tests from here on change tables, so each level's lock is held.
    args.ptep, pte_lock = k.pte_offset_map_lock(args.mm, args.pmdp, args.vaddr)
    k.pte_clear_tests(args)
    k.pte_advanced_tests(args)
    if pte_lock is not None:
        k.pte_unmap_unlock(args.ptep, pte_lock)

    ptl = k.pmd_lock(args.mm, args.pmdp)
    k.pmd_clear_tests(args)
    k.pmd_advanced_tests(args)
    k.pmd_huge_tests(args)
    k.pmd_populate_tests(args)
    k.spin_unlock(ptl)

    ptl = k.pud_lock(args.mm, args.pudp)
    k.pud_clear_tests(args)
    k.pud_advanced_tests(args)
    k.pud_huge_tests(args)
    k.pud_populate_tests(args)
    k.spin_unlock(ptl)

    assert args.mm is not None
    k.spin_lock(args.mm.page_table_lock)
    k.p4d_clear_tests(args)
    k.pgd_clear_tests(args)
    k.p4d_populate_tests(args)
    k.pgd_populate_tests(args)
    k.spin_unlock(args.mm.page_table_lock)

    k.destroy_args(args)
    return 0


# PTEs in a table. Mapping a page that user space may execute cleans it from the data cache and marks it as clean
# (PG_arch_1 in its flags); flush_dcache_page() removes that mark again, so that the page's next user starts without it.


@static_inline
def pte_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Clearing a PTE leaves it empty (none), whatever bits it had."""
    if args.pte_pfn is None:
        return
    validating(k, "pte_clear_tests", "PTE clear")
    if k.WARN_ON(not args.ptep):
        return
    pte = k.pfn_pte(args.pte_pfn, args.page_prot) | RANDOM_ORVALUE
    k.set_pte_at(args.mm, args.vaddr, args.ptep, pte)
    k.flush_dcache_page(k.pfn_to_page(args.pte_pfn))
    k.ptep_clear(args.mm, args.vaddr, args.ptep)
    k.WARN_ON(not k.pte_none(k.ptep_get(args.ptep)))


@static_inline
def pte_advanced_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PTE in a table can be changed in place.

    It is not writable after `ptep_set_wrprotect()`, writable and dirty after `ptep_set_access_flags()` with an entry
    that is both, and not young after `ptep_test_and_clear_young()`. Reading and clearing it leaves it empty.
    """
    if args.pte_pfn is None:
        return
    validating(k, "pte_advanced_tests", "PTE advanced")
    if k.WARN_ON(not args.ptep):
        return
    mm, vma, vaddr, ptep, page = args.mm, args.vma, args.vaddr, args.ptep, k.pfn_to_page(args.pte_pfn)
    pte = k.pfn_pte(args.pte_pfn, args.page_prot)

    k.set_pte_at(mm, vaddr, ptep, pte)
    k.flush_dcache_page(page)
    k.ptep_set_wrprotect(mm, vaddr, ptep)
    k.WARN_ON(k.pte_write(k.ptep_get(ptep)))
    k.ptep_get_and_clear(mm, vaddr, ptep)
    k.WARN_ON(not k.pte_none(k.ptep_get(ptep)))

    clean = k.pte_mkclean(k.pte_wrprotect(pte))
    k.set_pte_at(mm, vaddr, ptep, clean)
    k.flush_dcache_page(page)
    k.ptep_set_access_flags(vma, vaddr, ptep, k.pte_mkdirty(k.pte_mkwrite(clean, vma)), 1)
    now = k.ptep_get(ptep)
    k.WARN_ON(not (k.pte_write(now) and k.pte_dirty(now)))
    k.ptep_get_and_clear_full(mm, vaddr, ptep, 1)
    k.WARN_ON(not k.pte_none(k.ptep_get(ptep)))

    k.set_pte_at(mm, vaddr, ptep, k.pte_mkyoung(pte))
    k.flush_dcache_page(page)
    k.ptep_test_and_clear_young(vma, vaddr, ptep)
    k.WARN_ON(k.pte_young(k.ptep_get(ptep)))
    k.ptep_get_and_clear_full(mm, vaddr, ptep, 1)


# PMD entries in a table: each names a PTE table or maps a huge page.


@static_inline
def pmd_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Clearing a PMD entry leaves it empty (none), whatever bits it had."""
    validating(k, "pmd_clear_tests", "PMD clear")
    k.write64(args.pmdp, k.pmdp_get(args.pmdp) | RANDOM_ORVALUE)
    k.pmd_clear(args.pmdp)
    k.WARN_ON(not k.pmd_none(k.pmdp_get(args.pmdp)))


@static_inline
def pmd_advanced_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A huge page's PMD entry in a table can be changed in place.

    It is not writable after `pmdp_set_wrprotect()`, writable and dirty after `pmdp_set_access_flags()` with an entry
    that is both, and not young after `pmdp_test_and_clear_young()`. Reading and clearing it leaves it empty. The PTE
    table is deposited meanwhile, as it is for every huge page, so that splitting the page needs no memory.
    """
    if not k.has_transparent_hugepage() or args.pmd_pfn is None:
        return
    validating(k, "pmd_advanced_tests", "PMD advanced")
    mm, vma, vaddr, pmdp, page = args.mm, args.vma, args.vaddr, args.pmdp, k.pfn_to_page(args.pmd_pfn)
    vaddr &= -k.HPAGE_PMD_SIZE
    pmd = k.pfn_pmd(args.pmd_pfn, args.page_prot)
    k.pgtable_trans_huge_deposit(mm, pmdp, args.start_ptep)

    k.set_pmd_at(mm, vaddr, pmdp, pmd)
    k.flush_dcache_page(page)
    k.pmdp_set_wrprotect(mm, vaddr, pmdp)
    k.WARN_ON(k.pmd_write(k.pmdp_get(pmdp)))
    k.pmdp_huge_get_and_clear(mm, vaddr, pmdp)
    k.WARN_ON(not k.pmd_none(k.pmdp_get(pmdp)))

    clean = k.pmd_mkclean(k.pmd_wrprotect(pmd))
    k.set_pmd_at(mm, vaddr, pmdp, clean)
    k.flush_dcache_page(page)
    k.pmdp_set_access_flags(vma, vaddr, pmdp, k.pmd_mkdirty(k.pmd_mkwrite(clean, vma)), 1)
    now = k.pmdp_get(pmdp)
    k.WARN_ON(not (k.pmd_write(now) and k.pmd_dirty(now)))
    k.pmdp_huge_get_and_clear_full(vma, vaddr, pmdp, 1)
    k.WARN_ON(not k.pmd_none(k.pmdp_get(pmdp)))

    k.set_pmd_at(mm, vaddr, pmdp, k.pmd_mkyoung(k.pmd_mkhuge(pmd)))
    k.flush_dcache_page(page)
    k.pmdp_test_and_clear_young(vma, vaddr, pmdp)
    k.WARN_ON(k.pmd_young(k.pmdp_get(pmdp)))
    k.pmdp_huge_get_and_clear(mm, vaddr, pmdp)
    k.pgtable_trans_huge_withdraw(mm, pmdp)


@static_inline
def pmd_huge_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """`pmd_set_huge()` maps a block of PMD size for the kernel, and `pmd_clear_huge()` leaves the entry empty.

    Not with CONFIG_PTDUMP_DEBUGFS: a dump of the kernel's page tables may be reading a table that the block replaces.
    """
    if not k.CONFIG_HAVE_ARCH_HUGE_VMAP:
        return
    if not k.arch_vmap_pmd_supported(args.page_prot) or args.fixed_alignment < k.PMD_SIZE:
        return
    validating(k, "pmd_huge_tests", "PMD huge")
    k.write64(args.pmdp, 0)
    k.WARN_ON(not k.pmd_set_huge(args.pmdp, args.fixed_pmd_pfn << k.PAGE_SHIFT, args.page_prot))
    k.WARN_ON(not k.pmd_clear_huge(args.pmdp))
    k.WARN_ON(not k.pmd_none(k.pmdp_get(args.pmdp)))


@static_inline
def pmd_populate_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PMD entry that names a PTE table is not bad."""
    validating(k, "pmd_populate_tests", "PMD populate")
    k.pmd_populate(args.mm, args.pmdp, args.start_ptep)
    k.WARN_ON(k.pmd_bad(k.pmdp_get(args.pmdp)))


# Entries of the upper levels, where these are not folded.


@static_inline
def pud_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Clearing a PUD entry leaves it empty (none), whatever bits it had."""
    if k.CONFIG_PGTABLE_LEVELS <= 3 or k.mm_pmd_folded(args.mm):
        return
    validating(k, "pud_clear_tests", "PUD clear")
    k.write64(args.pudp, k.pudp_get(args.pudp) | RANDOM_ORVALUE)
    k.pud_clear(args.pudp)
    k.WARN_ON(not k.pud_none(k.pudp_get(args.pudp)))


@static_inline
def pud_advanced_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""


@static_inline
def pud_huge_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """`pud_set_huge()` maps a block of PUD size for the kernel, and `pud_clear_huge()` leaves the entry empty.

    Only with 4K pages, with which alone Linux maps such blocks, and only if RAM holds an aligned one. Not with
    CONFIG_PTDUMP_DEBUGFS: a dump of the kernel's page tables may be reading a table that the block replaces.
    """
    if not k.CONFIG_HAVE_ARCH_HUGE_VMAP:
        return
    if not k.arch_vmap_pud_supported(args.page_prot) or args.fixed_alignment < k.PUD_SIZE:
        return
    validating(k, "pud_huge_tests", "PUD huge")
    k.write64(args.pudp, 0)
    k.WARN_ON(not k.pud_set_huge(args.pudp, args.fixed_pud_pfn << k.PAGE_SHIFT, args.page_prot))
    k.WARN_ON(not k.pud_clear_huge(args.pudp))
    k.WARN_ON(not k.pud_none(k.pudp_get(args.pudp)))


@static_inline
def pud_populate_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PUD entry that names a PMD table is not bad."""
    if k.CONFIG_PGTABLE_LEVELS <= 3 or k.mm_pmd_folded(args.mm):
        return
    validating(k, "pud_populate_tests", "PUD populate")
    k.pud_populate(args.mm, args.pudp, args.start_pmdp)
    k.WARN_ON(k.pud_bad(k.pudp_get(args.pudp)))


@static_inline
def p4d_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Clearing a P4D entry leaves it empty (none), whatever bits it had."""
    if k.CONFIG_PGTABLE_LEVELS <= 4 or k.mm_pud_folded(args.mm):
        return
    validating(k, "p4d_clear_tests", "P4D clear")
    k.write64(args.p4dp, k.p4dp_get(args.p4dp) | RANDOM_ORVALUE)
    k.p4d_clear(args.p4dp)
    k.WARN_ON(not k.p4d_none(k.p4dp_get(args.p4dp)))


@static_inline
def p4d_populate_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A P4D entry that names a PUD table is not bad."""
    if k.CONFIG_PGTABLE_LEVELS <= 4 or k.mm_pud_folded(args.mm):
        return
    validating(k, "p4d_populate_tests", "P4D populate")
    k.pud_clear(args.pudp)
    k.p4d_clear(args.p4dp)
    k.p4d_populate(args.mm, args.p4dp, args.start_pudp)
    k.WARN_ON(k.p4d_bad(k.p4dp_get(args.p4dp)))


@static_inline
def pgd_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Clearing a pgd entry leaves it empty (none), whatever bits it had."""
    if k.CONFIG_PGTABLE_LEVELS <= 4 or k.mm_p4d_folded(args.mm):
        return
    validating(k, "pgd_clear_tests", "PGD clear")
    k.write64(args.pgdp, k.pgdp_get(args.pgdp) | RANDOM_ORVALUE)
    k.pgd_clear(args.pgdp)
    k.WARN_ON(not k.pgd_none(k.pgdp_get(args.pgdp)))


@static_inline
def pgd_populate_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A pgd entry that names a P4D table is not bad."""
    if k.CONFIG_PGTABLE_LEVELS <= 4 or k.mm_p4d_folded(args.mm):
        return
    validating(k, "pgd_populate_tests", "PGD populate")
    k.p4d_clear(args.p4dp)
    k.pgd_clear(args.pgdp)
    k.pgd_populate(args.mm, args.pgdp, args.start_p4dp)
    k.WARN_ON(k.pgd_bad(k.pgdp_get(args.pgdp)))


# Tests of entries as values, which touch no table.


# Run for each of the sixteen combinations of VM_READ, VM_WRITE, VM_EXEC and VM_SHARED.


@static_inline
def pte_basic_tests(k: Kernel, args: PgtableDebugArgs, idx: int) -> None:
    """A PTE can be made young or old, dirty or clean, writable or read-only, whatever its protection is.

    A PTE equals itself. A new one is not dirty. Taking away write permission keeps a dirty PTE dirty and a clean one
    clean.
    """
    pte = k.pfn_pte(args.fixed_pte_pfn, k.vm_get_page_prot(idx))
    validating(k, "pte_basic_tests", "PTE basic", idx)
    # On arm64 a writable entry without PTE_RDONLY is dirty (hardware clears that bit at the first write), and
    # pte_wrprotect() keeps that as PTE_DIRTY. So this fails for a protection that makes new entries dirty.
    k.WARN_ON(k.pte_dirty(k.pte_wrprotect(pte)))
    k.WARN_ON(not k.pte_same(pte, pte))
    k.WARN_ON(not k.pte_young(k.pte_mkyoung(k.pte_mkold(pte))))
    k.WARN_ON(not k.pte_dirty(k.pte_mkdirty(k.pte_mkclean(pte))))
    k.WARN_ON(not k.pte_write(k.pte_mkwrite(k.pte_wrprotect(pte), args.vma)))
    k.WARN_ON(k.pte_young(k.pte_mkold(k.pte_mkyoung(pte))))
    k.WARN_ON(k.pte_dirty(k.pte_mkclean(k.pte_mkdirty(pte))))
    k.WARN_ON(k.pte_write(k.pte_wrprotect(k.pte_mkwrite(pte, args.vma))))
    k.WARN_ON(k.pte_dirty(k.pte_wrprotect(k.pte_mkclean(pte))))
    k.WARN_ON(not k.pte_dirty(k.pte_wrprotect(k.pte_mkdirty(pte))))


@static_inline
def pmd_basic_tests(k: Kernel, args: PgtableDebugArgs, idx: int) -> None:
    """A huge page's PMD entry can be made young or old, dirty or clean, writable or read-only.

    That holds whatever its protection is. An entry equals itself. A new one is not dirty. Taking away write permission
    keeps a dirty entry dirty and a clean one clean. The entry of a huge page is bad, because it does not name a table.
    """
    if not k.has_transparent_hugepage():
        return
    validating(k, "pmd_basic_tests", "PMD basic", idx)
    pmd = k.pfn_pmd(args.fixed_pmd_pfn, k.vm_get_page_prot(idx))
    k.WARN_ON(k.pmd_dirty(k.pmd_wrprotect(pmd)))  # as in pte_basic_tests()
    k.WARN_ON(not k.pmd_same(pmd, pmd))
    k.WARN_ON(not k.pmd_young(k.pmd_mkyoung(k.pmd_mkold(pmd))))
    k.WARN_ON(not k.pmd_dirty(k.pmd_mkdirty(k.pmd_mkclean(pmd))))
    k.WARN_ON(not k.pmd_write(k.pmd_mkwrite(k.pmd_wrprotect(pmd), args.vma)))
    k.WARN_ON(k.pmd_young(k.pmd_mkold(k.pmd_mkyoung(pmd))))
    k.WARN_ON(k.pmd_dirty(k.pmd_mkclean(k.pmd_mkdirty(pmd))))
    k.WARN_ON(k.pmd_write(k.pmd_wrprotect(k.pmd_mkwrite(pmd, args.vma))))
    k.WARN_ON(k.pmd_dirty(k.pmd_wrprotect(k.pmd_mkclean(pmd))))
    k.WARN_ON(not k.pmd_dirty(k.pmd_wrprotect(k.pmd_mkdirty(pmd))))
    k.WARN_ON(not k.pmd_bad(k.pmd_mkhuge(pmd)))  # "bad" means: not a table


@static_inline
def pud_basic_tests(k: Kernel, args: PgtableDebugArgs, idx: int) -> None:
    """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""


# Run once.


@static_inline
def p4d_basic_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A P4D entry equals itself."""
    validating(k, "p4d_basic_tests", "P4D basic")
    p4d = RANDOM_NZVALUE * (ULONG_MAX // 0xFF)
    k.WARN_ON(not k.p4d_same(p4d, p4d))


@static_inline
def pgd_basic_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A pgd entry equals itself."""
    validating(k, "pgd_basic_tests", "PGD basic")
    pgd = RANDOM_NZVALUE * (ULONG_MAX // 0xFF)
    k.WARN_ON(not k.pgd_same(pgd, pgd))


@static_inline
def pmd_leaf_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """The PMD entry of a huge page is a leaf."""
    if not k.has_transparent_hugepage():
        return
    validating(k, "pmd_leaf_tests", "PMD leaf")
    pmd = k.pmd_mkhuge(k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot))
    k.WARN_ON(not k.pmd_leaf(pmd))


@static_inline
def pud_leaf_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""


@static_inline
def pte_special_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PTE that was made special is special."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot)
    if not k.CONFIG_ARCH_HAS_PTE_SPECIAL:
        return
    validating(k, "pte_special_tests", "PTE special")
    k.WARN_ON(not k.pte_special(k.pte_mkspecial(pte)))


@static_inline
def pte_protnone_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PTE with the protection PROT_NONE is recognised as such, and is present."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot_none)
    if not k.CONFIG_NUMA_BALANCING:
        return
    validating(k, "pte_protnone_tests", "PTE protnone")
    k.WARN_ON(not k.pte_protnone(pte))
    k.WARN_ON(not k.pte_present(pte))


@static_inline
def pmd_protnone_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A huge page's PMD entry with the protection PROT_NONE is recognised as such, and is present."""
    if not k.CONFIG_NUMA_BALANCING or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_protnone_tests", "PMD protnone")
    pmd = k.pmd_mkhuge(k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot_none))
    k.WARN_ON(not k.pmd_protnone(pmd))
    k.WARN_ON(not k.pmd_present(pmd))


@static_inline
def pte_devmap_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PTE that was made to map a device's memory is recognised as such."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot)
    if not k.CONFIG_ARCH_HAS_PTE_DEVMAP:
        return
    validating(k, "pte_devmap_tests", "PTE devmap")
    k.WARN_ON(not k.pte_devmap(k.pte_mkdevmap(pte)))


@static_inline
def pmd_devmap_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PMD entry that was made to map a huge page of a device's memory is recognised as such."""
    if not k.CONFIG_ARCH_HAS_PTE_DEVMAP or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_devmap_tests", "PMD devmap")
    pmd = k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot)
    k.WARN_ON(not k.pmd_devmap(k.pmd_mkdevmap(pmd)))


@static_inline
def pud_devmap_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""


@static_inline
def pte_soft_dirty_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A PTE can be made soft-dirty and not soft-dirty: with CONFIG_MEM_SOFT_DIRTY, which arm64 does not have."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot)
    if not k.CONFIG_MEM_SOFT_DIRTY:
        return
    validating(k, "pte_soft_dirty_tests", "PTE soft dirty")
    k.WARN_ON(not k.pte_soft_dirty(k.pte_mksoft_dirty(pte)))
    k.WARN_ON(k.pte_soft_dirty(k.pte_clear_soft_dirty(pte)))


@static_inline
def pmd_soft_dirty_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A huge page's PMD entry can be made soft-dirty and not: with CONFIG_MEM_SOFT_DIRTY, which arm64 does not have."""
    if not k.CONFIG_MEM_SOFT_DIRTY or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_soft_dirty_tests", "PMD soft dirty")
    pmd = k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot)
    k.WARN_ON(not k.pmd_soft_dirty(k.pmd_mksoft_dirty(pmd)))
    k.WARN_ON(k.pmd_soft_dirty(k.pmd_clear_soft_dirty(pmd)))


@static_inline
def pte_swap_soft_dirty_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A swap entry can be made soft-dirty and not: with CONFIG_MEM_SOFT_DIRTY, which arm64 does not have."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot)
    if not k.CONFIG_MEM_SOFT_DIRTY:
        return
    validating(k, "pte_swap_soft_dirty_tests", "PTE swap soft dirty")
    k.WARN_ON(not k.pte_swp_soft_dirty(k.pte_swp_mksoft_dirty(pte)))
    k.WARN_ON(k.pte_swp_soft_dirty(k.pte_swp_clear_soft_dirty(pte)))


@static_inline
def pmd_swap_soft_dirty_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A huge page's migration entry can be made soft-dirty and not: with CONFIG_MEM_SOFT_DIRTY, not on arm64."""
    if not k.CONFIG_MEM_SOFT_DIRTY or not k.CONFIG_ARCH_ENABLE_THP_MIGRATION or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_swap_soft_dirty_tests", "PMD swap soft dirty")
    pmd = k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot)
    k.WARN_ON(not k.pmd_swp_soft_dirty(k.pmd_swp_mksoft_dirty(pmd)))
    k.WARN_ON(k.pmd_swp_soft_dirty(k.pmd_swp_clear_soft_dirty(pmd)))


@static_inline
def pte_swap_exclusive_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """The exclusive mark of a swap entry can be set and cleared without changing its type and offset.

    The entry has the largest type and the largest offset, so every bit that they can use is set. A new entry is not
    exclusive, and the mark is not taken for the soft-dirty one.
    """
    validating(k, "pte_swap_exclusive_tests", "PTE swap exclusive")
    max_swap_offset = k.swp_offset(k.pte_to_swp_entry(k.swp_entry_to_pte(k.swp_entry(0, ULONG_MAX))))
    entry = k.swp_entry((1 << k.MAX_SWAPFILES_SHIFT) - 1, max_swap_offset)

    pte = k.swp_entry_to_pte(entry)
    k.WARN_ON(k.pte_swp_exclusive(pte))
    k.WARN_ON(not k.is_swap_pte(pte))
    k.WARN_ON(k.pte_to_swp_entry(pte) != entry)

    pte = k.pte_swp_mkexclusive(pte)
    k.WARN_ON(not k.pte_swp_exclusive(pte))
    k.WARN_ON(not k.is_swap_pte(pte))
    k.WARN_ON(k.pte_swp_soft_dirty(pte))
    k.WARN_ON(k.pte_to_swp_entry(pte) != entry)

    pte = k.pte_swp_clear_exclusive(pte)
    k.WARN_ON(k.pte_swp_exclusive(pte))
    k.WARN_ON(not k.is_swap_pte(pte))
    k.WARN_ON(k.pte_to_swp_entry(pte) != entry)


@static_inline
def pte_swap_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """The page frame number in a PTE survives the conversion to a swap entry and back."""
    validating(k, "pte_swap_tests", "PTE swap")
    swp = k.__pte_to_swp_entry(k.pfn_pte(args.fixed_pte_pfn, args.page_prot))
    k.WARN_ON(args.fixed_pte_pfn != k.pte_pfn(k.__swp_entry_to_pte(swp)))


@static_inline
def pmd_swap_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """The page frame number in a huge page's PMD entry survives the conversion to a swap entry and back."""
    if not k.CONFIG_ARCH_ENABLE_THP_MIGRATION or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_swap_tests", "PMD swap")
    swp = k.__pmd_to_swp_entry(k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot))
    k.WARN_ON(args.fixed_pmd_pfn != k.pmd_pfn(k.__swp_entry_to_pmd(swp)))


@static_inline
def swap_migration_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A migration entry is recognised as such, and keeps whether the page was writable.

    The page is locked meanwhile, as migration requires, and is one that nothing else uses.
    """
    if not k.CONFIG_MIGRATION or args.pte_pfn is None:
        return
    validating(k, "swap_migration_tests", "swap migration")
    page = k.pfn_to_page(args.pte_pfn)
    k.__SetPageLocked(page)
    swp = k.make_writable_migration_entry(k.page_to_pfn(page))
    k.WARN_ON(not k.is_migration_entry(swp))
    k.WARN_ON(not k.is_writable_migration_entry(swp))

    swp = k.make_readable_migration_entry(k.swp_offset(swp))
    k.WARN_ON(not k.is_migration_entry(swp))
    k.WARN_ON(k.is_writable_migration_entry(swp))

    swp = k.make_readable_migration_entry(k.page_to_pfn(page))
    k.WARN_ON(not k.is_migration_entry(swp))
    k.WARN_ON(k.is_writable_migration_entry(swp))
    k.__ClearPageLocked(page)


@static_inline
def pmd_thp_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A transparent huge page stays huge, present and a leaf after `pmd_mkinvalid()`.

    The kernel invalidates the entry while it splits the page, and code that walks the table then must still see a huge
    page there.
    """
    if not k.has_transparent_hugepage():
        return
    validating(k, "pmd_thp_tests", "PMD based THP")
    pmd = k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot)
    k.WARN_ON(not k.pmd_trans_huge(k.pmd_mkhuge(pmd)))
    k.WARN_ON(not k.pmd_trans_huge(k.pmd_mkinvalid(k.pmd_mkhuge(pmd))))
    k.WARN_ON(not k.pmd_present(k.pmd_mkinvalid(k.pmd_mkhuge(pmd))))
    k.WARN_ON(not k.pmd_leaf(k.pmd_mkinvalid(k.pmd_mkhuge(pmd))))


@static_inline
def pud_thp_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""


@static_inline
def hugetlb_basic_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """The PTE of a HugeTLB page can be made dirty, and writable or read-only.

    (CONFIG_ARCH_WANT_GENERAL_HUGETLB, which arm64 does not have, adds another check.)
    """
    if not k.CONFIG_HUGETLB_PAGE:
        return
    validating(k, "hugetlb_basic_tests", "HugeTLB basic")
    pte = k.mk_huge_pte(k.pfn_to_page(args.fixed_pmd_pfn), args.page_prot)
    k.WARN_ON(not k.huge_pte_dirty(k.huge_pte_mkdirty(pte)))
    k.WARN_ON(not k.huge_pte_write(k.huge_pte_mkwrite(k.huge_pte_wrprotect(pte))))
    k.WARN_ON(k.huge_pte_write(k.huge_pte_wrprotect(k.huge_pte_mkwrite(pte))))
