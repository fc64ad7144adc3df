"""Swap entries: where a page is that is not mapped (`linux/swapops.h`; arm64's format is in `asm/pgtable.h`).

mm's own swap entry has the type in bits 62:58 and the offset in 57:0. In a page table it must be neither valid to
hardware nor present to software, so arm64 has another format there::

    61:12   11                    10:6  2          1:0
    offset  PTE_PRESENT_INVALID,  type  exclusive  0, invalid
            clear

This is v6.10's format, which the recorded kernels use; v6.9 has the type in 7:3 and the offset in 57:8. The last types
are not swap files: pages under migration, poisoned pages, and markers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.arch.word import MASK64
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


# mm's own format.


@static_inline
def swp_entry(k: Kernel, type: int, offset: int) -> int:
    """Return mm's swap entry for `offset` in swap file `type`."""
    return type << k.SWP_TYPE_SHIFT | offset & k.SWP_OFFSET_MASK


@static_inline
def swp_type(k: Kernel, entry: int) -> int:
    """Return the type of a swap entry: the number of the swap file, or what else the entry stands for."""
    return entry >> k.SWP_TYPE_SHIFT


@static_inline
def swp_offset(k: Kernel, entry: int) -> int:
    """Return the offset of a swap entry: the page's place in the swap file, or a frame number."""
    return entry & k.SWP_OFFSET_MASK


@static_inline
def swp_offset_pfn(k: Kernel, entry: int) -> int:
    """Return the frame number in a swap entry for a frame, without the flags above it."""
    k.VM_BUG_ON(not k.is_pfn_swap_entry(entry), "!is_pfn_swap_entry(entry)")
    return k.swp_offset(entry) & k.SWP_PFN_MASK


@static_inline
def is_pfn_swap_entry(k: Kernel, entry: int) -> bool:
    """Return whether a swap entry stands for a frame: one under migration, or poisoned."""
    return k.is_migration_entry(entry) or k.is_hwpoison_entry(entry)


# arm64's format, in a page table.


@static_inline
def __swp_type(k: Kernel, x: int) -> int:
    """Return the type of a swap entry in arm64's format."""
    return x >> k.__SWP_TYPE_SHIFT & k.__SWP_TYPE_MASK


@static_inline
def __swp_offset(k: Kernel, x: int) -> int:
    """Return the offset of a swap entry in arm64's format."""
    return x >> k.__SWP_OFFSET_SHIFT & k.__SWP_OFFSET_MASK


@static_inline
def __swp_entry(k: Kernel, type: int, offset: int) -> int:
    """Return a swap entry in arm64's format; bits of the offset above its field are lost."""
    return (type << k.__SWP_TYPE_SHIFT | offset << k.__SWP_OFFSET_SHIFT) & MASK64


@static_inline
def __pte_to_swp_entry(k: Kernel, pte: int) -> int:
    """Return a PTE as a swap entry in arm64's format: the word is the same."""
    return pte


@static_inline
def __swp_entry_to_pte(k: Kernel, swp: int) -> int:
    """Return a swap entry in arm64's format as a PTE: the word is the same."""
    return swp


@static_inline
def __pmd_to_swp_entry(k: Kernel, pmd: int) -> int:
    """Return a PMD entry as a swap entry in arm64's format: the word is the same."""
    return pmd


@static_inline
def __swp_entry_to_pmd(k: Kernel, swp: int) -> int:
    """Return a swap entry in arm64's format as a PMD entry: the word is the same."""
    return swp


# Conversion between the two formats.


@static_inline
def is_swap_pte(k: Kernel, pte: int) -> bool:
    """Return whether the PTE is a swap entry: neither none nor present."""
    return not k.pte_none(pte) and not k.pte_present(pte)


@static_inline
def swp_entry_to_pte(k: Kernel, entry: int) -> int:
    """Return the PTE for mm's swap entry `entry`."""
    return k.__swp_entry_to_pte(k.__swp_entry(k.swp_type(entry), k.swp_offset(entry)))


@static_inline
def pte_to_swp_entry(k: Kernel, pte: int) -> int:
    """Return mm's swap entry in a PTE, without the flags that may be beside it."""
    arch_entry = k.__pte_to_swp_entry(k.pte_swp_clear_flags(pte))
    return k.swp_entry(k.__swp_type(arch_entry), k.__swp_offset(arch_entry))


@static_inline
def pte_swp_clear_flags(k: Kernel, pte: int) -> int:
    """Return a PTE that is a swap entry with the exclusive and soft-dirty flags cleared."""
    if k.pte_swp_exclusive(pte):
        pte = k.pte_swp_clear_exclusive(pte)
    return k.pte_swp_clear_soft_dirty(pte) if k.pte_swp_soft_dirty(pte) else pte


@static_inline
def swp_entry_to_pmd(k: Kernel, entry: int) -> int:
    """Return the PMD entry for mm's swap entry `entry`; 0 without CONFIG_ARCH_ENABLE_THP_MIGRATION."""
    if not k.CONFIG_ARCH_ENABLE_THP_MIGRATION:
        return 0
    return k.__swp_entry_to_pmd(k.__swp_entry(k.swp_type(entry), k.swp_offset(entry)))


@static_inline
def pmd_to_swp_entry(k: Kernel, pmd: int) -> int:
    """Return mm's swap entry in a PMD entry; entry 0 without CONFIG_ARCH_ENABLE_THP_MIGRATION."""
    if not k.CONFIG_ARCH_ENABLE_THP_MIGRATION:
        return k.swp_entry(0, 0)
    arch_entry = k.__pmd_to_swp_entry(pmd)
    return k.swp_entry(k.__swp_type(arch_entry), k.__swp_offset(arch_entry))


@static_inline
def is_swap_pmd(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry is a swap entry: neither none nor present (`linux/huge_mm.h`).

    It is always False without CONFIG_TRANSPARENT_HUGEPAGE.
    """
    return bool(k.CONFIG_TRANSPARENT_HUGEPAGE) and not k.pmd_none(pmd) and not k.pmd_present(pmd)


@static_inline
def is_pmd_migration_entry(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry is for a huge page under migration."""
    if not k.CONFIG_ARCH_ENABLE_THP_MIGRATION:
        return False
    return k.is_swap_pmd(pmd) and k.is_migration_entry(k.pmd_to_swp_entry(pmd))


# Flags beside a swap entry.


@static_inline
def pte_swp_mkexclusive(k: Kernel, pte: int) -> int:
    """Return the swap entry marked exclusive: the anonymous page belongs to one process only."""
    return k.set_pte_bit(pte, k.PTE_SWP_EXCLUSIVE)


@static_inline
def pte_swp_exclusive(k: Kernel, pte: int) -> bool:
    """Return whether the swap entry is marked exclusive: the page belongs to one process only."""
    return pte & k.PTE_SWP_EXCLUSIVE != 0


@static_inline
def pte_swp_clear_exclusive(k: Kernel, pte: int) -> int:
    """Return the swap entry not marked exclusive: the page may be shared."""
    return k.clear_pte_bit(pte, k.PTE_SWP_EXCLUSIVE)


@static_inline
def pte_swp_soft_dirty(k: Kernel, pte: int) -> bool:
    """Return False: arm64 does not support soft-dirty, so the generic stub is used."""
    return False


@static_inline
def pte_swp_mksoft_dirty(k: Kernel, pte: int) -> int:
    """Return the PTE unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    return pte


@static_inline
def pte_swp_clear_soft_dirty(k: Kernel, pte: int) -> int:
    """Return the PTE unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    return pte


@static_inline
def pmd_swp_soft_dirty(k: Kernel, pmd: int) -> bool:
    """Return False: arm64 does not support soft-dirty, so the generic stub is used."""
    return False


@static_inline
def pmd_swp_mksoft_dirty(k: Kernel, pmd: int) -> int:
    """Return the PMD entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    return pmd


@static_inline
def pmd_swp_clear_soft_dirty(k: Kernel, pmd: int) -> int:
    """Return the PMD entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    return pmd


# Pages under migration. Without CONFIG_MIGRATION there are none, and the functions that make an entry return entry 0.


@static_inline
def make_readable_migration_entry(k: Kernel, offset: int) -> int:
    """Return a migration entry for frame `offset`, which was mapped read-only."""
    return k.swp_entry(k.SWP_MIGRATION_READ, offset) if k.CONFIG_MIGRATION else k.swp_entry(0, 0)


@static_inline
def make_readable_exclusive_migration_entry(k: Kernel, offset: int) -> int:
    """Return a migration entry for frame `offset`, mapped read-only by one process only."""
    return k.swp_entry(k.SWP_MIGRATION_READ_EXCLUSIVE, offset) if k.CONFIG_MIGRATION else k.swp_entry(0, 0)


@static_inline
def make_writable_migration_entry(k: Kernel, offset: int) -> int:
    """Return a migration entry for frame `offset`, which was mapped writable."""
    return k.swp_entry(k.SWP_MIGRATION_WRITE, offset) if k.CONFIG_MIGRATION else k.swp_entry(0, 0)


@static_inline
def is_migration_entry(k: Kernel, entry: int) -> bool:
    """Return whether a swap entry is for a page under migration; always False without CONFIG_MIGRATION."""
    if not k.CONFIG_MIGRATION:
        return False
    return k.swp_type(entry) in (k.SWP_MIGRATION_READ, k.SWP_MIGRATION_READ_EXCLUSIVE, k.SWP_MIGRATION_WRITE)


@static_inline
def is_readable_migration_entry(k: Kernel, entry: int) -> bool:
    """Return whether a swap entry is for a page under migration that was read-only and may be shared."""
    return bool(k.CONFIG_MIGRATION) and k.swp_type(entry) == k.SWP_MIGRATION_READ


@static_inline
def is_readable_exclusive_migration_entry(k: Kernel, entry: int) -> bool:
    """Return whether a swap entry is for a page under migration, read-only and of one process only."""
    return bool(k.CONFIG_MIGRATION) and k.swp_type(entry) == k.SWP_MIGRATION_READ_EXCLUSIVE


@static_inline
def is_writable_migration_entry(k: Kernel, entry: int) -> bool:
    """Return whether a swap entry is for a page under migration that was writable."""
    return bool(k.CONFIG_MIGRATION) and k.swp_type(entry) == k.SWP_MIGRATION_WRITE


@static_inline
def migration_entry_supports_ad(k: Kernel) -> bool:
    """Return whether a migration entry has room above the frame for the accessed and dirty flags."""
    return bool(k.CONFIG_MIGRATION and k.CONFIG_SWAP) and k.__SWP_OFFSET_BITS >= k.SWP_MIG_TOTAL_BITS


@static_inline
def make_migration_entry_young(k: Kernel, entry: int) -> int:
    """Return the migration entry marked accessed, if it has room for that flag."""
    return entry | k.SWP_MIG_YOUNG if k.migration_entry_supports_ad() else entry


@static_inline
def is_migration_entry_young(k: Kernel, entry: int) -> bool:
    """Return whether the page was accessed before migration; False without room for that flag."""
    return k.migration_entry_supports_ad() and k.swp_offset(entry) & k.SWP_MIG_YOUNG != 0


@static_inline
def make_migration_entry_dirty(k: Kernel, entry: int) -> int:
    """Return the migration entry marked dirty, if it has room for that flag."""
    return entry | k.SWP_MIG_DIRTY if k.migration_entry_supports_ad() else entry


@static_inline
def is_migration_entry_dirty(k: Kernel, entry: int) -> bool:
    """Return whether the page was dirty before migration; False without room for that flag."""
    return k.migration_entry_supports_ad() and k.swp_offset(entry) & k.SWP_MIG_DIRTY != 0


@static_inline
def is_hwpoison_entry(k: Kernel, entry: int) -> bool:
    """Return whether a swap entry is for a page whose memory failed; False without CONFIG_MEMORY_FAILURE."""
    return bool(k.CONFIG_MEMORY_FAILURE) and k.swp_type(entry) == k.SWP_HWPOISON


@static_inline
def make_hwpoison_entry(k: Kernel, pfn: int) -> int:
    """Return the swap entry for frame `pfn`, whose memory failed; entry 0 without CONFIG_MEMORY_FAILURE."""
    return k.swp_entry(k.SWP_HWPOISON, pfn) if k.CONFIG_MEMORY_FAILURE else k.swp_entry(0, 0)
