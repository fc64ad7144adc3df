"""Swap entries: where a page is that is not mapped (`linux/swapops.h`, and arm64's format of one in `asm/pgtable.h`).

mm's own swap entry has the type in its upper five bits and the offset below. In a page table it has to look neither
valid nor present to software, and so arm64 spreads it out::

    1:0  invalid    2  exclusive    10:6  type    11  PTE_PRESENT_INVALID, clear    61:12  offset

That is v6.10's format and the recorded kernels'; v6.9 has the type in 7:3 and the offset in 57:8. The last types are no
swap files: pages under migration, poisoned pages, and markers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel

_U64 = (1 << 64) - 1


# mm's own entry.


@static_inline
def swp_entry(k: Kernel, type: int, offset: int) -> int:
    """The entry for `offset` in swap file `type`."""
    return type << k.SWP_TYPE_SHIFT | offset & k.SWP_OFFSET_MASK


@static_inline
def swp_type(k: Kernel, entry: int) -> int:
    """The swap file, or what else it is."""
    return entry >> k.SWP_TYPE_SHIFT


@static_inline
def swp_offset(k: Kernel, entry: int) -> int:
    """The place in the swap file, or the frame."""
    return entry & k.SWP_OFFSET_MASK


@static_inline
def swp_offset_pfn(k: Kernel, entry: int) -> int:
    """The frame, of an entry that is about one; there may be flags above it."""
    k.VM_BUG_ON(not k.is_pfn_swap_entry(entry), "!is_pfn_swap_entry(entry)")
    return k.swp_offset(entry) & k.SWP_PFN_MASK


@static_inline
def is_pfn_swap_entry(k: Kernel, entry: int) -> bool:
    """The entry is about a frame: it is under migration, or poisoned."""
    return k.is_migration_entry(entry) or k.is_hwpoison_entry(entry)


# arm64's.


@static_inline
def __swp_type(k: Kernel, x: int) -> int:
    """The type, in a page table's format."""
    return x >> k.__SWP_TYPE_SHIFT & k.__SWP_TYPE_MASK


@static_inline
def __swp_offset(k: Kernel, x: int) -> int:
    """The offset, in a page table's format."""
    return x >> k.__SWP_OFFSET_SHIFT & k.__SWP_OFFSET_MASK


@static_inline
def __swp_entry(k: Kernel, type: int, offset: int) -> int:
    """An entry in a page table's format; of a larger offset than it has room for, the upper bits are lost."""
    return (type << k.__SWP_TYPE_SHIFT | offset << k.__SWP_OFFSET_SHIFT) & _U64


@static_inline
def __pte_to_swp_entry(k: Kernel, pte: int) -> int:
    """The word as it is."""
    return pte


@static_inline
def __swp_entry_to_pte(k: Kernel, swp: int) -> int:
    """The word as it is."""
    return swp


@static_inline
def __pmd_to_swp_entry(k: Kernel, pmd: int) -> int:
    """The word as it is."""
    return pmd


@static_inline
def __swp_entry_to_pmd(k: Kernel, swp: int) -> int:
    """The word as it is."""
    return swp


# From one to the other.


@static_inline
def is_swap_pte(k: Kernel, pte: int) -> bool:
    """Neither none nor present."""
    return not k.pte_none(pte) and not k.pte_present(pte)


@static_inline
def swp_entry_to_pte(k: Kernel, entry: int) -> int:
    """A PTE that says where the page is."""
    return k.__swp_entry_to_pte(k.__swp_entry(k.swp_type(entry), k.swp_offset(entry)))


@static_inline
def pte_to_swp_entry(k: Kernel, pte: int) -> int:
    """And back, without the flags."""
    arch_entry = k.__pte_to_swp_entry(k.pte_swp_clear_flags(pte))
    return k.swp_entry(k.__swp_type(arch_entry), k.__swp_offset(arch_entry))


@static_inline
def pte_swp_clear_flags(k: Kernel, pte: int) -> int:
    """The swap entry alone."""
    if k.pte_swp_exclusive(pte):
        pte = k.pte_swp_clear_exclusive(pte)
    return k.pte_swp_clear_soft_dirty(pte) if k.pte_swp_soft_dirty(pte) else pte


@static_inline
def swp_entry_to_pmd(k: Kernel, entry: int) -> int:
    """A PMD entry that says where the huge page is; with CONFIG_ARCH_ENABLE_THP_MIGRATION."""
    if not k.CONFIG_ARCH_ENABLE_THP_MIGRATION:
        return 0
    return k.__swp_entry_to_pmd(k.__swp_entry(k.swp_type(entry), k.swp_offset(entry)))


@static_inline
def pmd_to_swp_entry(k: Kernel, pmd: int) -> int:
    """And back."""
    if not k.CONFIG_ARCH_ENABLE_THP_MIGRATION:
        return k.swp_entry(0, 0)
    arch_entry = k.__pmd_to_swp_entry(pmd)
    return k.swp_entry(k.__swp_type(arch_entry), k.__swp_offset(arch_entry))


@static_inline
def is_swap_pmd(k: Kernel, pmd: int) -> bool:
    """Neither none nor present (linux/huge_mm.h); no without transparent huge pages."""
    return bool(k.CONFIG_TRANSPARENT_HUGEPAGE) and not k.pmd_none(pmd) and not k.pmd_present(pmd)


@static_inline
def is_pmd_migration_entry(k: Kernel, pmd: int) -> bool:
    """A huge page under migration."""
    if not k.CONFIG_ARCH_ENABLE_THP_MIGRATION:
        return False
    return k.is_swap_pmd(pmd) and k.is_migration_entry(k.pmd_to_swp_entry(pmd))


# Flags beside the entry.


@static_inline
def pte_swp_mkexclusive(k: Kernel, pte: int) -> int:
    """The anonymous page is this process's alone."""
    return k.set_pte_bit(pte, k.PTE_SWP_EXCLUSIVE)


@static_inline
def pte_swp_exclusive(k: Kernel, pte: int) -> bool:
    """Whether it is."""
    return pte & k.PTE_SWP_EXCLUSIVE != 0


@static_inline
def pte_swp_clear_exclusive(k: Kernel, pte: int) -> int:
    """It may be shared."""
    return k.clear_pte_bit(pte, k.PTE_SWP_EXCLUSIVE)


@static_inline
def pte_swp_soft_dirty(k: Kernel, pte: int) -> bool:
    """Never: arm64 has no bit for it."""
    return False


@static_inline
def pte_swp_mksoft_dirty(k: Kernel, pte: int) -> int:
    """As it is."""
    return pte


@static_inline
def pte_swp_clear_soft_dirty(k: Kernel, pte: int) -> int:
    """As it is."""
    return pte


@static_inline
def pmd_swp_soft_dirty(k: Kernel, pmd: int) -> bool:
    """Never."""
    return False


@static_inline
def pmd_swp_mksoft_dirty(k: Kernel, pmd: int) -> int:
    """As it is."""
    return pmd


@static_inline
def pmd_swp_clear_soft_dirty(k: Kernel, pmd: int) -> int:
    """As it is."""
    return pmd


# Pages under migration. Without CONFIG_MIGRATION there are none.


@static_inline
def make_readable_migration_entry(k: Kernel, offset: int) -> int:
    """The page was read-only."""
    return k.swp_entry(k.SWP_MIGRATION_READ, offset) if k.CONFIG_MIGRATION else k.swp_entry(0, 0)


@static_inline
def make_readable_exclusive_migration_entry(k: Kernel, offset: int) -> int:
    """The page was read-only and this process's alone."""
    return k.swp_entry(k.SWP_MIGRATION_READ_EXCLUSIVE, offset) if k.CONFIG_MIGRATION else k.swp_entry(0, 0)


@static_inline
def make_writable_migration_entry(k: Kernel, offset: int) -> int:
    """The page was writable."""
    return k.swp_entry(k.SWP_MIGRATION_WRITE, offset) if k.CONFIG_MIGRATION else k.swp_entry(0, 0)


@static_inline
def is_migration_entry(k: Kernel, entry: int) -> bool:
    """A page under migration."""
    if not k.CONFIG_MIGRATION:
        return False
    return k.swp_type(entry) in (k.SWP_MIGRATION_READ, k.SWP_MIGRATION_READ_EXCLUSIVE, k.SWP_MIGRATION_WRITE)


@static_inline
def is_readable_migration_entry(k: Kernel, entry: int) -> bool:
    """Read-only, and it may be shared."""
    return bool(k.CONFIG_MIGRATION) and k.swp_type(entry) == k.SWP_MIGRATION_READ


@static_inline
def is_readable_exclusive_migration_entry(k: Kernel, entry: int) -> bool:
    """Read-only, and this process's alone."""
    return bool(k.CONFIG_MIGRATION) and k.swp_type(entry) == k.SWP_MIGRATION_READ_EXCLUSIVE


@static_inline
def is_writable_migration_entry(k: Kernel, entry: int) -> bool:
    """Writable."""
    return bool(k.CONFIG_MIGRATION) and k.swp_type(entry) == k.SWP_MIGRATION_WRITE


@static_inline
def migration_entry_supports_ad(k: Kernel) -> bool:
    """The offset has room above the frame for accessed and dirty."""
    return bool(k.CONFIG_MIGRATION and k.CONFIG_SWAP) and k.__SWP_OFFSET_BITS >= k.SWP_MIG_TOTAL_BITS


@static_inline
def make_migration_entry_young(k: Kernel, entry: int) -> int:
    """Accessed before it was moved."""
    return entry | k.SWP_MIG_YOUNG if k.migration_entry_supports_ad() else entry


@static_inline
def is_migration_entry_young(k: Kernel, entry: int) -> bool:
    """Whether it was; without room for it, no."""
    return k.migration_entry_supports_ad() and k.swp_offset(entry) & k.SWP_MIG_YOUNG != 0


@static_inline
def make_migration_entry_dirty(k: Kernel, entry: int) -> int:
    """Dirty before it was moved."""
    return entry | k.SWP_MIG_DIRTY if k.migration_entry_supports_ad() else entry


@static_inline
def is_migration_entry_dirty(k: Kernel, entry: int) -> bool:
    """Whether it was; without room for it, no."""
    return k.migration_entry_supports_ad() and k.swp_offset(entry) & k.SWP_MIG_DIRTY != 0


@static_inline
def is_hwpoison_entry(k: Kernel, entry: int) -> bool:
    """A page whose memory failed; with CONFIG_MEMORY_FAILURE."""
    return bool(k.CONFIG_MEMORY_FAILURE) and k.swp_type(entry) == k.SWP_HWPOISON


@static_inline
def make_hwpoison_entry(k: Kernel, pfn: int) -> int:
    """The page of that frame is lost."""
    return k.swp_entry(k.SWP_HWPOISON, pfn) if k.CONFIG_MEMORY_FAILURE else k.swp_entry(0, 0)
