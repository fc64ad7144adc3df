"""The kernel's test of its page-table helpers, run once at boot (`mm/debug_vm_pgtable.c`, v6.9).

Here are the initcall, which runs every test in the kernel's order, and the tests that change entries in tables. What
they need is set up in `debug_vm_pgtable_args.py`; those that take entries as values are in
`debug_vm_pgtable_values.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.debug_vm_pgtable_args import PgtableDebugArgs, validating
from pgtlab.linux.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

# Bits to find in an entry before it is cleared: all but four that s390 folds levels by, and one of ppc64. (Since v6.10
# the tests look whether the entry is not none before, and add nothing to it.)
RANDOM_ORVALUE = ~(0xF | 1 << 62) & (1 << 64) - 1


def debug_vm_pgtable(k: Kernel) -> int:
    """Validate the page-table helpers: a late initcall."""
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

    # Tables may be changed by those alone who hold their lock.
    args.ptep, ptl = k.pte_offset_map_lock(args.mm, args.pmdp, args.vaddr)
    k.pte_clear_tests(args)
    k.pte_advanced_tests(args)
    if args.ptep:
        k.pte_unmap_unlock(args.ptep, ptl)

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


# One page. What user space may execute is cleaned from the cache when it is mapped and marked so, which must not stay.


@static_inline
def pte_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Whatever an entry holds, cleared it is none."""
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
    """An entry in a table: write taken away, write and dirty given, young taken away, and cleared each time."""
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


# The PMD: a table, or a huge page.


@static_inline
def pmd_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Whatever a PMD entry holds, cleared it is none."""
    validating(k, "pmd_clear_tests", "PMD clear")
    k.write64(args.pmdp, k.pmdp_get(args.pmdp) | RANDOM_ORVALUE)
    k.pmd_clear(args.pmdp)
    k.WARN_ON(not k.pmd_none(k.pmdp_get(args.pmdp)))


@static_inline
def pmd_advanced_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A huge page in a table, as `pte_advanced_tests()`; the PTE table is put by meanwhile."""
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
    """A block of the kernel's own can be mapped and unmapped; not with CONFIG_PTDUMP_DEBUGFS, for fear of a reader."""
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


# The upper levels, where they are not folded.


@static_inline
def pud_clear_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Whatever a PUD entry holds, cleared it is none."""
    if k.CONFIG_PGTABLE_LEVELS <= 3 or k.mm_pmd_folded(args.mm):
        return
    validating(k, "pud_clear_tests", "PUD clear")
    k.write64(args.pudp, k.pudp_get(args.pudp) | RANDOM_ORVALUE)
    k.pud_clear(args.pudp)
    k.WARN_ON(not k.pud_none(k.pudp_get(args.pudp)))


@static_inline
def pud_advanced_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""


@static_inline
def pud_huge_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A block of the kernel's own can be mapped and unmapped: with 4K pages, and RAM enough for an aligned one."""
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
    """Whatever a P4D entry holds, cleared it is none."""
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
    """Whatever a pgd entry holds, cleared it is none."""
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
