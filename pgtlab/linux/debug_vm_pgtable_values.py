"""The tests of debug_vm_pgtable that take entries as values: each line a law (`mm/debug_vm_pgtable.c`, v6.9).

They touch no table. Which of them run the kernel's options decide. arm64 never has CONFIG_MEM_SOFT_DIRTY, nor (in
v6.9) CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, without which the compiler sees empty functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.debug_vm_pgtable_args import PgtableDebugArgs, validating
from pgtlab.linux.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

RANDOM_NZVALUE = 0xFF
ULONG_MAX = (1 << 64) - 1


# For each of the sixteen combinations of read, write, exec and shared.


@static_inline
def pte_basic_tests(k: Kernel, args: PgtableDebugArgs, idx: int) -> None:
    """Young, dirty and writable, made and unmade, whatever the protection was; taking away write keeps dirty."""
    pte = k.pfn_pte(args.fixed_pte_pfn, k.vm_get_page_prot(idx))
    validating(k, "pte_basic_tests", "PTE basic", idx)
    k.WARN_ON(k.pte_dirty(k.pte_wrprotect(pte)))  # no protection begins dirty
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
    """The same of a huge page; and it is no table."""
    if not k.has_transparent_hugepage():
        return
    validating(k, "pmd_basic_tests", "PMD basic", idx)
    pmd = k.pfn_pmd(args.fixed_pmd_pfn, k.vm_get_page_prot(idx))
    k.WARN_ON(k.pmd_dirty(k.pmd_wrprotect(pmd)))
    k.WARN_ON(not k.pmd_same(pmd, pmd))
    k.WARN_ON(not k.pmd_young(k.pmd_mkyoung(k.pmd_mkold(pmd))))
    k.WARN_ON(not k.pmd_dirty(k.pmd_mkdirty(k.pmd_mkclean(pmd))))
    k.WARN_ON(not k.pmd_write(k.pmd_mkwrite(k.pmd_wrprotect(pmd), args.vma)))
    k.WARN_ON(k.pmd_young(k.pmd_mkold(k.pmd_mkyoung(pmd))))
    k.WARN_ON(k.pmd_dirty(k.pmd_mkclean(k.pmd_mkdirty(pmd))))
    k.WARN_ON(k.pmd_write(k.pmd_wrprotect(k.pmd_mkwrite(pmd, args.vma))))
    k.WARN_ON(k.pmd_dirty(k.pmd_wrprotect(k.pmd_mkclean(pmd))))
    k.WARN_ON(not k.pmd_dirty(k.pmd_wrprotect(k.pmd_mkdirty(pmd))))
    k.WARN_ON(not k.pmd_bad(k.pmd_mkhuge(pmd)))


@static_inline
def pud_basic_tests(k: Kernel, args: PgtableDebugArgs, idx: int) -> None:
    """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""


# Once.


@static_inline
def p4d_basic_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """An entry is itself."""
    validating(k, "p4d_basic_tests", "P4D basic")
    p4d = RANDOM_NZVALUE * (ULONG_MAX // 0xFF)
    k.WARN_ON(not k.p4d_same(p4d, p4d))


@static_inline
def pgd_basic_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """An entry is itself."""
    validating(k, "pgd_basic_tests", "PGD basic")
    pgd = RANDOM_NZVALUE * (ULONG_MAX // 0xFF)
    k.WARN_ON(not k.pgd_same(pgd, pgd))


@static_inline
def pmd_leaf_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A huge page is a leaf."""
    if not k.has_transparent_hugepage():
        return
    validating(k, "pmd_leaf_tests", "PMD leaf")
    pmd = k.pmd_mkhuge(k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot))
    k.WARN_ON(not k.pmd_leaf(pmd))


@static_inline
def pud_leaf_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""


@static_inline
def pte_special_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Special, once made so."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot)
    if not k.CONFIG_ARCH_HAS_PTE_SPECIAL:
        return
    validating(k, "pte_special_tests", "PTE special")
    k.WARN_ON(not k.pte_special(k.pte_mkspecial(pte)))


@static_inline
def pte_protnone_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """PROT_NONE is told from the rest, and present."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot_none)
    if not k.CONFIG_NUMA_BALANCING:
        return
    validating(k, "pte_protnone_tests", "PTE protnone")
    k.WARN_ON(not k.pte_protnone(pte))
    k.WARN_ON(not k.pte_present(pte))


@static_inline
def pmd_protnone_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """So is a huge page's."""
    if not k.CONFIG_NUMA_BALANCING or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_protnone_tests", "PMD protnone")
    pmd = k.pmd_mkhuge(k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot_none))
    k.WARN_ON(not k.pmd_protnone(pmd))
    k.WARN_ON(not k.pmd_present(pmd))


@static_inline
def pte_devmap_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A device's memory, once made so."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot)
    if not k.CONFIG_ARCH_HAS_PTE_DEVMAP:
        return
    validating(k, "pte_devmap_tests", "PTE devmap")
    k.WARN_ON(not k.pte_devmap(k.pte_mkdevmap(pte)))


@static_inline
def pmd_devmap_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """So is a huge page of it."""
    if not k.CONFIG_ARCH_HAS_PTE_DEVMAP or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_devmap_tests", "PMD devmap")
    pmd = k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot)
    k.WARN_ON(not k.pmd_devmap(k.pmd_mkdevmap(pmd)))


@static_inline
def pud_devmap_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""


@static_inline
def pte_soft_dirty_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Soft-dirty, made and unmade: with CONFIG_MEM_SOFT_DIRTY, which arm64 has not."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot)
    if not k.CONFIG_MEM_SOFT_DIRTY:
        return
    validating(k, "pte_soft_dirty_tests", "PTE soft dirty")
    k.WARN_ON(not k.pte_soft_dirty(k.pte_mksoft_dirty(pte)))
    k.WARN_ON(k.pte_soft_dirty(k.pte_clear_soft_dirty(pte)))


@static_inline
def pmd_soft_dirty_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """The same of a huge page."""
    if not k.CONFIG_MEM_SOFT_DIRTY or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_soft_dirty_tests", "PMD soft dirty")
    pmd = k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot)
    k.WARN_ON(not k.pmd_soft_dirty(k.pmd_mksoft_dirty(pmd)))
    k.WARN_ON(k.pmd_soft_dirty(k.pmd_clear_soft_dirty(pmd)))


@static_inline
def pte_swap_soft_dirty_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """The same of a swap entry."""
    pte = k.pfn_pte(args.fixed_pte_pfn, args.page_prot)
    if not k.CONFIG_MEM_SOFT_DIRTY:
        return
    validating(k, "pte_swap_soft_dirty_tests", "PTE swap soft dirty")
    k.WARN_ON(not k.pte_swp_soft_dirty(k.pte_swp_mksoft_dirty(pte)))
    k.WARN_ON(k.pte_swp_soft_dirty(k.pte_swp_clear_soft_dirty(pte)))


@static_inline
def pmd_swap_soft_dirty_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """The same of a huge page's migration entry."""
    if not k.CONFIG_MEM_SOFT_DIRTY or not k.CONFIG_ARCH_ENABLE_THP_MIGRATION or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_swap_soft_dirty_tests", "PMD swap soft dirty")
    pmd = k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot)
    k.WARN_ON(not k.pmd_swp_soft_dirty(k.pmd_swp_mksoft_dirty(pmd)))
    k.WARN_ON(k.pmd_swp_soft_dirty(k.pmd_swp_clear_soft_dirty(pmd)))


@static_inline
def pte_swap_exclusive_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """The exclusive mark comes and goes without touching the entry, even one that uses every bit it has."""
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
    """A word is the same word after a turn as a swap entry."""
    validating(k, "pte_swap_tests", "PTE swap")
    swp = k.__pte_to_swp_entry(k.pfn_pte(args.fixed_pte_pfn, args.page_prot))
    k.WARN_ON(args.fixed_pte_pfn != k.pte_pfn(k.__swp_entry_to_pte(swp)))


@static_inline
def pmd_swap_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """So is a huge page's."""
    if not k.CONFIG_ARCH_ENABLE_THP_MIGRATION or not k.has_transparent_hugepage():
        return
    validating(k, "pmd_swap_tests", "PMD swap")
    swp = k.__pmd_to_swp_entry(k.pfn_pmd(args.fixed_pmd_pfn, args.page_prot))
    k.WARN_ON(args.fixed_pmd_pfn != k.pmd_pfn(k.__swp_entry_to_pmd(swp)))


@static_inline
def swap_migration_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """A migration entry is one, and says whether the page was writable. The page is locked meanwhile."""
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
    """A huge page that was made invalid is huge, present and a leaf still: so it can be split without a gap."""
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
    """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""


@static_inline
def hugetlb_basic_tests(k: Kernel, args: PgtableDebugArgs) -> None:
    """Dirty and writable, made and unmade, of a huge page that was asked for."""
    if not k.CONFIG_HUGETLB_PAGE:
        return
    validating(k, "hugetlb_basic_tests", "HugeTLB basic")
    pte = k.mk_huge_pte(k.pfn_to_page(args.fixed_pmd_pfn), args.page_prot)
    k.WARN_ON(not k.huge_pte_dirty(k.huge_pte_mkdirty(pte)))
    k.WARN_ON(not k.huge_pte_write(k.huge_pte_mkwrite(k.huge_pte_wrprotect(pte))))
    k.WARN_ON(k.huge_pte_write(k.huge_pte_wrprotect(k.huge_pte_mkwrite(pte))))
