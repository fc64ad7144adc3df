"""Page-table entries and the way down through them (`arch/arm64/include/asm/pgtable.h`, v6.9).

An entry is a 64-bit word; a `pXdp` is its address in the linear map. Run-time folding is `pgtable_l4_enabled()` and
`pgtable_l5_enabled()`; compile-time folding replaces whole groups of these functions (`pgtable_nop4d.py` and its kin).
Of that header's other parts, what an entry that maps a page says is in `pte.py`, `pmd.py` and `pud.py`, entries changed
in place are in `ptep.py`, and swap entries in `swapops.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct
    from pgtlab.linux.kernel.page import Page

ENTRY_SIZE = 8
TABLE_BIT = 1 << 1


# Which levels there are.


@static_inline
def pgtable_l4_enabled(k: Kernel) -> bool:
    """The PUD is a level of its own: with four levels and LPA2 configured, only if the CPU has 52-bit addresses."""
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return False
    if k.CONFIG_PGTABLE_LEVELS > 4 or not k.CONFIG_ARM64_LPA2:
        return True
    return k.boot.has_va52


@static_inline
def pgtable_l5_enabled(k: Kernel) -> bool:
    """The P4D is a level of its own."""
    return k.CONFIG_PGTABLE_LEVELS > 4 and k.boot.has_va52


@static_inline
def mm_p4d_folded(k: Kernel, mm: MmStruct) -> bool:
    """The P4D is folded, either way."""
    return not k.pgtable_l5_enabled()


@static_inline
def mm_pud_folded(k: Kernel, mm: MmStruct) -> bool:
    """The PUD is folded, either way."""
    return not k.pgtable_l4_enabled()


@static_inline
def mm_pmd_folded(k: Kernel, mm: MmStruct) -> bool:
    """The PMD is folded: only ever at compile time."""
    return k.CONFIG_PGTABLE_LEVELS <= 2


# Indices.


@static_inline
def pgd_index(k: Kernel, addr: int) -> int:
    """Index of `addr` in the pgd. On fewer bits than configured it still counts as if there were all."""
    return addr >> k.PGDIR_SHIFT & k.PTRS_PER_PGD - 1


@static_inline
def p4d_index(k: Kernel, addr: int) -> int:
    """Index of `addr` in a P4D table."""
    return addr >> k.P4D_SHIFT & k.PTRS_PER_P4D - 1


@static_inline
def pud_index(k: Kernel, addr: int) -> int:
    """Index of `addr` in a PUD table."""
    return addr >> k.PUD_SHIFT & k.PTRS_PER_PUD - 1


@static_inline
def pmd_index(k: Kernel, addr: int) -> int:
    """Index of `addr` in a PMD table."""
    return addr >> k.PMD_SHIFT & k.PTRS_PER_PMD - 1


@static_inline
def pte_index(k: Kernel, addr: int) -> int:
    """Index of `addr` in a PTE table."""
    return addr >> k.PAGE_SHIFT & k.PTRS_PER_PTE - 1


# The way down. Each takes the address of an entry and gives the address of the next level's.


@static_inline
def pgd_offset(k: Kernel, mm: MmStruct, addr: int) -> int:
    """The pgd entry for `addr`."""
    return mm.pgd + k.pgd_index(addr) * ENTRY_SIZE


@static_inline
def p4d_offset(k: Kernel, pgdp: int, addr: int) -> int:
    """The P4D entry for `addr`, in the table that `*pgdp` names, or in the pgd's own page where the P4D is folded."""
    if not k.pgtable_l5_enabled():
        return k.pgd_to_folded_p4d(pgdp, addr)
    return k.__va(k.table_address(k.read64(pgdp))) + k.p4d_index(addr) * ENTRY_SIZE


@static_inline
def pgd_to_folded_p4d(k: Kernel, pgdp: int, addr: int) -> int:
    """With the P4D folded at run time the pgd page *is* the P4D table: back to its start, and index anew."""
    return (pgdp & ~(k.PAGE_SIZE - 1)) + k.p4d_index(addr) * ENTRY_SIZE


@static_inline
def pud_offset(k: Kernel, p4dp: int, addr: int) -> int:
    """The PUD entry for `addr`, in the table that `*p4dp` names, or in the pgd's own page where the PUD is folded."""
    if not k.pgtable_l4_enabled():
        return k.p4d_to_folded_pud(p4dp, addr)
    return k.__va(k.table_address(k.read64(p4dp))) + k.pud_index(addr) * ENTRY_SIZE


@static_inline
def p4d_to_folded_pud(k: Kernel, p4dp: int, addr: int) -> int:
    """With the PUD folded at run time the pgd page *is* the PUD table: back to its start, and index anew."""
    return (p4dp & ~(k.PAGE_SIZE - 1)) + k.pud_index(addr) * ENTRY_SIZE


# A lockless walk has read each entry once and must go on from what it read: `pXdp` tells only where that was. A folded
# level needs the place all the same, for its index is counted from the start of the table. Up to v6.10 the generic
# `p4d_offset_lockless()` gave the address of the copy on the walker's stack: wrong where the PUD folds at run time.


@static_inline
def p4d_offset_lockless(k: Kernel, pgdp: int, pgd: int, addr: int) -> int:
    """The P4D entry for `addr`, where `pgd` was read at `pgdp`."""
    if not k.pgtable_l5_enabled():
        return k.pgd_to_folded_p4d(pgdp, addr)
    return k.__va(k.table_address(pgd)) + k.p4d_index(addr) * ENTRY_SIZE


@static_inline
def pud_offset_lockless(k: Kernel, p4dp: int, p4d: int, addr: int) -> int:
    """The PUD entry for `addr`, where `p4d` was read at `p4dp`."""
    if not k.pgtable_l4_enabled():
        return k.p4d_to_folded_pud(p4dp, addr)
    return k.__va(k.table_address(p4d)) + k.pud_index(addr) * ENTRY_SIZE


@static_inline
def pmd_offset_lockless(k: Kernel, pudp: int, pud: int, addr: int) -> int:
    """The PMD entry for `addr`, where `pud` was read at `pudp`."""
    return k.__va(k.table_address(pud)) + k.pmd_index(addr) * ENTRY_SIZE


@static_inline
def pmd_offset(k: Kernel, pudp: int, addr: int) -> int:
    """The PMD entry for `addr`."""
    return k.__va(k.table_address(k.read64(pudp))) + k.pmd_index(addr) * ENTRY_SIZE


@static_inline
def pte_offset_kernel(k: Kernel, pmdp: int, addr: int) -> int:
    """The PTE for `addr`."""
    return k.__va(k.table_address(k.read64(pmdp))) + k.pte_index(addr) * ENTRY_SIZE


# Entries: none, bad, present, cleared. A folded level is never none: what it asks about is the level below.


@static_inline
def pgd_none(k: Kernel, pgd: int) -> bool:
    """The P4D table is absent."""
    return k.pgtable_l5_enabled() and pgd == 0


@static_inline
def pgd_bad(k: Kernel, pgd: int) -> bool:
    """Not an entry that names a table."""
    return k.pgtable_l5_enabled() and not pgd & TABLE_BIT


@static_inline
def pgd_present(k: Kernel, pgd: int) -> bool:
    """The P4D table is there."""
    return not k.pgd_none(pgd)


@static_inline
def pgd_same(k: Kernel, a: int, b: int) -> bool:
    """Two entries are one."""
    return a == b


@static_inline
def pgd_leaf(k: Kernel, pgd: int) -> bool:
    """The entry maps a block: never at this level."""
    return False


@static_inline
def pgd_devmap(k: Kernel, pgd: int) -> bool:
    """Never."""
    return False


@static_inline
def pgd_clear(k: Kernel, pgdp: int) -> None:
    """Make an entry none."""
    if k.pgtable_l5_enabled():
        k.write64(pgdp, 0)


@static_inline
def p4d_none(k: Kernel, p4d: int) -> bool:
    """The PUD table is absent."""
    return k.pgtable_l4_enabled() and p4d == 0


@static_inline
def p4d_bad(k: Kernel, p4d: int) -> bool:
    """Not an entry that names a table."""
    return k.pgtable_l4_enabled() and not p4d & TABLE_BIT


@static_inline
def p4d_present(k: Kernel, p4d: int) -> bool:
    """The PUD table is there."""
    return not k.p4d_none(p4d)


@static_inline
def p4d_same(k: Kernel, a: int, b: int) -> bool:
    """Two entries are one."""
    return a == b


@static_inline
def p4d_leaf(k: Kernel, p4d: int) -> bool:
    """The entry maps a block: never at this level, though LPA2 has 512 GiB blocks."""
    return False


@static_inline
def p4d_clear(k: Kernel, p4dp: int) -> None:
    """Make an entry none."""
    if k.pgtable_l4_enabled():
        k.write64(p4dp, 0)


@static_inline
def pud_none(k: Kernel, pud: int) -> bool:
    """The PMD table is absent."""
    return pud == 0


@static_inline
def pud_bad(k: Kernel, pud: int) -> bool:
    """Not an entry that names a table."""
    return pud & k.PUD_TYPE_MASK != k.PUD_TYPE_TABLE


@static_inline
def pud_present(k: Kernel, pud: int) -> bool:
    """The entry is valid, or kept by software."""
    return k.pte_present(pud)


@static_inline
def set_pud(k: Kernel, pudp: int, pud: int) -> None:
    """Store an entry."""
    k.write64(pudp, pud)


@static_inline
def pud_clear(k: Kernel, pudp: int) -> None:
    """Make an entry none."""
    k.write64(pudp, 0)


@static_inline
def pmd_none(k: Kernel, pmd: int) -> bool:
    """The PTE table is absent."""
    return pmd == 0


@static_inline
def pmd_bad(k: Kernel, pmd: int) -> bool:
    """Not an entry that names a table."""
    return pmd & k.PMD_TYPE_MASK != k.PMD_TYPE_TABLE


@static_inline
def pmd_clear(k: Kernel, pmdp: int) -> None:
    """Make an entry none."""
    k.write64(pmdp, 0)


# What an entry holds: the next table, or a frame.


@static_inline
def phys_to_entry(k: Kernel, phys: int) -> int:
    """`__phys_to_pte_val()` and its kin: an address as a descriptor packs it.

    Decided when the kernel is compiled: a kernel for 52 bits packs what it has the same way on any CPU.
    """
    if k.CONFIG_ARM64_PA_BITS == 52:
        return (phys | phys >> k.PTE_ADDR_HIGH_SHIFT) & k.PHYS_TO_PTE_ADDR_MASK
    return phys


@static_inline
def table_address(k: Kernel, entry: int) -> int:
    """`pXd_page_paddr()`, which is `__pte_to_phys()`: the physical address of the table that an entry names."""
    if k.CONFIG_ARM64_PA_BITS == 52:
        entry &= ~k.PTE_MAYBE_SHARED  # without LPA2 these bits are SH
        return (entry & k.PTE_ADDR_LOW) | (entry & k.PTE_ADDR_HIGH) << k.PTE_ADDR_HIGH_SHIFT
    return entry & k.PTE_ADDR_LOW


@static_inline
def pmd_pgtable(k: Kernel, pmd: int) -> Page:
    """The PTE table that an entry names, as its page."""
    return k.phys_to_page(k.table_address(pmd))
