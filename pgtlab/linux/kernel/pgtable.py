"""Page-table entries and the walk from level to level (`arch/arm64/include/asm/pgtable.h`, `linux/pgtable.h`, v6.9).

An entry is a 64-bit word, and a `pXdp` is its address in the linear map. `pgtable_l4_enabled()` and
`pgtable_l5_enabled()` decide folding at run time; folding at compile time replaces groups of these functions by those
of `pgtable_nop4d.py`, `pgtable_nopud.py` and `pgtable_nopmd.py`. The rest of the arm64 header is in `pte.py`, `pmd.py`
and `pud.py` (entries that map a page or a block), `ptep.py` (changing an entry in its table) and `swapops.py` (swap
entries).
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


# Folded levels.


@static_inline
def pgtable_l4_enabled(k: Kernel) -> bool:
    """Return whether the PUD is a level of the page table.

    It is folded at compile time with three levels or fewer, and at run time with four levels and LPA2 configured on a
    CPU without 52-bit addresses.
    """
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return False
    if k.CONFIG_PGTABLE_LEVELS > 4 or not k.CONFIG_ARM64_LPA2:
        return True
    return k.boot.has_va52


@static_inline
def pgtable_l5_enabled(k: Kernel) -> bool:
    """Return whether the P4D is a level: with five levels configured, on a CPU with 52-bit addresses."""
    return k.CONFIG_PGTABLE_LEVELS > 4 and k.boot.has_va52


@static_inline
def mm_p4d_folded(k: Kernel, mm: MmStruct) -> bool:
    """Return whether the P4D is folded, at compile time or at run time."""
    return not k.pgtable_l5_enabled()


@static_inline
def mm_pud_folded(k: Kernel, mm: MmStruct) -> bool:
    """Return whether the PUD is folded, at compile time or at run time."""
    return not k.pgtable_l4_enabled()


@static_inline
def mm_pmd_folded(k: Kernel, mm: MmStruct) -> bool:
    """Return whether the PMD is folded, which happens only at compile time, with two levels."""
    return k.CONFIG_PGTABLE_LEVELS <= 2


# A virtual address with 4K pages and 48 bits: four 9-bit indices and an offset.
#
#     63:48                           47:39  38:30  29:21  20:12  11:0
#     all 0 (user) or all 1 (kernel)  pgd    pud    pmd    pte    offset


@static_inline
def pgd_index(k: Kernel, addr: int) -> int:
    """Return the index of `addr` in the pgd, counted for VA_BITS even where `vabits_actual` is smaller."""
    return addr >> k.PGDIR_SHIFT & k.PTRS_PER_PGD - 1


@static_inline
def p4d_index(k: Kernel, addr: int) -> int:
    """Return the index of `addr` in a P4D table."""
    return addr >> k.P4D_SHIFT & k.PTRS_PER_P4D - 1


@static_inline
def pud_index(k: Kernel, addr: int) -> int:
    """Return the index of `addr` in a PUD table."""
    return addr >> k.PUD_SHIFT & k.PTRS_PER_PUD - 1


@static_inline
def pmd_index(k: Kernel, addr: int) -> int:
    """Return the index of `addr` in a PMD table."""
    return addr >> k.PMD_SHIFT & k.PTRS_PER_PMD - 1


@static_inline
def pte_index(k: Kernel, addr: int) -> int:
    """Return the index of `addr` in a PTE table."""
    return addr >> k.PAGE_SHIFT & k.PTRS_PER_PTE - 1


# The walk. Each function takes the address of an entry and returns the address of the entry one level down.


@static_inline
def pgd_offset(k: Kernel, mm: MmStruct, addr: int) -> int:
    """Return the address of the pgd entry for `addr` in the address space `mm`."""
    return mm.pgd + k.pgd_index(addr) * ENTRY_SIZE


@static_inline
def p4d_offset(k: Kernel, pgdp: int, addr: int) -> int:
    """Return the address of the P4D entry for `addr`.

    It is in the table that `*pgdp` points to or, with the P4D folded at run time, in the page of the pgd.
    """
    if not k.pgtable_l5_enabled():
        return k.pgd_to_folded_p4d(pgdp, addr)
    return k.__va(k.table_address(k.read64(pgdp))) + k.p4d_index(addr) * ENTRY_SIZE


@static_inline
def pgd_to_folded_p4d(k: Kernel, pgdp: int, addr: int) -> int:
    """Return the address of the P4D entry for `addr` in the page of the pgd, where the P4D is folded at run time.

    The page of the pgd then is the P4D table: `pgdp` is aligned down to its start, and the P4D index is added.
    """
    return (pgdp & ~(k.PAGE_SIZE - 1)) + k.p4d_index(addr) * ENTRY_SIZE


@static_inline
def pud_offset(k: Kernel, p4dp: int, addr: int) -> int:
    """Return the address of the PUD entry for `addr`.

    It is in the table that `*p4dp` points to or, with the PUD folded at run time, in the page of the pgd.
    """
    if not k.pgtable_l4_enabled():
        return k.p4d_to_folded_pud(p4dp, addr)
    return k.__va(k.table_address(k.read64(p4dp))) + k.pud_index(addr) * ENTRY_SIZE


@static_inline
def p4d_to_folded_pud(k: Kernel, p4dp: int, addr: int) -> int:
    """Return the address of the PUD entry for `addr` in the page of the pgd, where the PUD is folded at run time.

    The page of the pgd then is the PUD table: `p4dp` is aligned down to its start, and the PUD index is added.
    """
    return (p4dp & ~(k.PAGE_SIZE - 1)) + k.pud_index(addr) * ENTRY_SIZE


# A lockless walk reads each entry once and must continue with the value it read; `pXdp` only says where it was read. A
# folded level needs that address, because its index counts from the start of the table. Up to v6.10 the generic
# `p4d_offset_lockless()` passed the address of the copy on the walker's stack: wrong with the PUD folded at run time.


@static_inline
def p4d_offset_lockless(k: Kernel, pgdp: int, pgd: int, addr: int) -> int:
    """Return the address of the P4D entry for `addr`, given the value `pgd` that was read at `pgdp`."""
    if not k.pgtable_l5_enabled():
        return k.pgd_to_folded_p4d(pgdp, addr)
    return k.__va(k.table_address(pgd)) + k.p4d_index(addr) * ENTRY_SIZE


@static_inline
def pud_offset_lockless(k: Kernel, p4dp: int, p4d: int, addr: int) -> int:
    """Return the address of the PUD entry for `addr`, given the value `p4d` that was read at `p4dp`."""
    if not k.pgtable_l4_enabled():
        return k.p4d_to_folded_pud(p4dp, addr)
    return k.__va(k.table_address(p4d)) + k.pud_index(addr) * ENTRY_SIZE


@static_inline
def pmd_offset_lockless(k: Kernel, pudp: int, pud: int, addr: int) -> int:
    """Return the address of the PMD entry for `addr`, given the value `pud` that was read at `pudp`."""
    return k.__va(k.table_address(pud)) + k.pmd_index(addr) * ENTRY_SIZE


@static_inline
def pmd_offset(k: Kernel, pudp: int, addr: int) -> int:
    """Return the address of the PMD entry for `addr`, in the table that `*pudp` points to."""
    return k.__va(k.table_address(k.read64(pudp))) + k.pmd_index(addr) * ENTRY_SIZE


@static_inline
def pte_offset_kernel(k: Kernel, pmdp: int, addr: int) -> int:
    """Return the address of the PTE for `addr`, in the table that `*pmdp` points to."""
    return k.__va(k.table_address(k.read64(pmdp))) + k.pte_index(addr) * ENTRY_SIZE


# Entries: none, bad, present, clear. The entry above a folded level is never none: it belongs to the level below.


@static_inline
def pgd_none(k: Kernel, pgd: int) -> bool:
    """Return whether the pgd entry is empty, so that there is no P4D table; always False with the P4D folded."""
    return k.pgtable_l5_enabled() and pgd == 0


@static_inline
def pgd_bad(k: Kernel, pgd: int) -> bool:
    """Return whether the pgd entry does not point to a table; always False with the P4D folded."""
    return k.pgtable_l5_enabled() and not pgd & TABLE_BIT


@static_inline
def pgd_present(k: Kernel, pgd: int) -> bool:
    """Return whether the pgd entry points to a P4D table; always True with the P4D folded."""
    return not k.pgd_none(pgd)


@static_inline
def pgd_same(k: Kernel, a: int, b: int) -> bool:
    """Return whether two pgd entries are equal."""
    return a == b


@static_inline
def pgd_leaf(k: Kernel, pgd: int) -> bool:
    """Return False: Linux on arm64 maps no blocks by pgd entries, so the generic stub is used."""
    return False


@static_inline
def pgd_devmap(k: Kernel, pgd: int) -> bool:
    """Return False: a pgd entry maps no block, so it cannot map ZONE_DEVICE memory."""
    return False


@static_inline
def pgd_clear(k: Kernel, pgdp: int) -> None:
    """Set the pgd entry at `pgdp` to none; do nothing with the P4D folded."""
    if k.pgtable_l5_enabled():
        k.write64(pgdp, 0)


@static_inline
def p4d_none(k: Kernel, p4d: int) -> bool:
    """Return whether the P4D entry is empty, so that there is no PUD table; always False with the PUD folded."""
    return k.pgtable_l4_enabled() and p4d == 0


@static_inline
def p4d_bad(k: Kernel, p4d: int) -> bool:
    """Return whether the P4D entry does not point to a table; always False with the PUD folded."""
    return k.pgtable_l4_enabled() and not p4d & TABLE_BIT


@static_inline
def p4d_present(k: Kernel, p4d: int) -> bool:
    """Return whether the P4D entry points to a PUD table; always True with the PUD folded."""
    return not k.p4d_none(p4d)


@static_inline
def p4d_same(k: Kernel, a: int, b: int) -> bool:
    """Return whether two P4D entries are equal."""
    return a == b


@static_inline
def p4d_leaf(k: Kernel, p4d: int) -> bool:
    """Return False: Linux maps no blocks by P4D entries, though LPA2 has 512 GiB blocks (generic stub)."""
    return False


@static_inline
def p4d_clear(k: Kernel, p4dp: int) -> None:
    """Set the P4D entry at `p4dp` to none; do nothing with the PUD folded."""
    if k.pgtable_l4_enabled():
        k.write64(p4dp, 0)


@static_inline
def pud_none(k: Kernel, pud: int) -> bool:
    """Return whether the PUD entry is empty: it maps no block, and there is no PMD table."""
    return pud == 0


@static_inline
def pud_bad(k: Kernel, pud: int) -> bool:
    """Return whether the PUD entry does not point to a table."""
    return pud & k.PUD_TYPE_MASK != k.PUD_TYPE_TABLE


@static_inline
def pud_present(k: Kernel, pud: int) -> bool:
    """Return whether the PUD entry is valid, or invalid to hardware and present to software."""
    return k.pte_present(pud)


@static_inline
def set_pud(k: Kernel, pudp: int, pud: int) -> None:
    """Store `pud` in the PUD entry at `pudp`."""
    k.write64(pudp, pud)


@static_inline
def pud_clear(k: Kernel, pudp: int) -> None:
    """Set the PUD entry at `pudp` to none."""
    k.write64(pudp, 0)


@static_inline
def pmd_none(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry is empty: it maps no block, and there is no PTE table."""
    return pmd == 0


@static_inline
def pmd_bad(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry does not point to a table."""
    return pmd & k.PMD_TYPE_MASK != k.PMD_TYPE_TABLE


@static_inline
def pmd_clear(k: Kernel, pmdp: int) -> None:
    """Set the PMD entry at `pmdp` to none."""
    k.write64(pmdp, 0)


# The address in an entry: of the next table, or of a frame. A table entry with 4K pages and 48-bit addresses:
#
#     59        47:12       1:0
#     PXNTable  next table  11
#
# A 52-bit address keeps bits 49:PAGE_SHIFT in place. With 64K pages its bits 51:48 are in bits 15:12 of the entry (a
# shift by 36); with LPA2 its bits 51:50 are in bits 9:8 (a shift by 42), the shareability of a page without LPA2.


@static_inline
def phys_to_entry(k: Kernel, phys: int) -> int:
    """Return physical address `phys` as an entry holds it (`__phys_to_pte_val()`, and the same for other levels).

    The layout is fixed when the kernel is compiled: a kernel for 52-bit physical addresses uses it on any CPU.
    """
    if k.CONFIG_ARM64_PA_BITS == 52:
        return (phys | phys >> k.PTE_ADDR_HIGH_SHIFT) & k.PHYS_TO_PTE_ADDR_MASK
    return phys


@static_inline
def table_address(k: Kernel, entry: int) -> int:
    """Return the physical address that `entry` holds (`__pte_to_phys()`; of a table, `pXd_page_paddr()`)."""
    if k.CONFIG_ARM64_PA_BITS == 52:
        entry &= ~k.PTE_MAYBE_SHARED  # SH, or 0 where LPA2 has address bits in its place
        return (entry & k.PTE_ADDR_LOW) | (entry & k.PTE_ADDR_HIGH) << k.PTE_ADDR_HIGH_SHIFT
    return entry & k.PTE_ADDR_LOW


@static_inline
def pmd_pgtable(k: Kernel, pmd: int) -> Page:
    """Return the page of the PTE table that the PMD entry `pmd` points to."""
    return k.phys_to_page(k.table_address(pmd))
