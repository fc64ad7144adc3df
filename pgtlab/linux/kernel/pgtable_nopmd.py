"""Two levels: the PMD is folded at compile time (`include/asm-generic/pgtable-nopmd.h`).

The only PMD entry is the PUD entry itself, so there is no PMD table to test, to point to, to allocate or to free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct


@static_inline
def pmd_offset(k: Kernel, pudp: int, addr: int) -> int:
    """Return `pudp`: with the PMD folded at compile time, the PUD entry is the PMD entry."""
    return pudp


@static_inline
def pmd_offset_lockless(k: Kernel, pudp: int, pud: int, addr: int) -> int:
    """Return `pudp`: with the PMD folded at compile time, the PUD entry is the PMD entry."""
    return k.pmd_offset(pudp, addr)


@static_inline
def pud_none(k: Kernel, pud: int) -> bool:
    """Return False: with the PMD folded at compile time, there is no table that could be absent."""
    return False


@static_inline
def pud_bad(k: Kernel, pud: int) -> bool:
    """Return False: with the PMD folded at compile time, `pmd_bad()` checks the entry."""
    return False


@static_inline
def pud_present(k: Kernel, pud: int) -> bool:
    """Return True: with the PMD folded at compile time, there is no table that could be absent."""
    return True


@static_inline
def pud_leaf(k: Kernel, pud: int) -> bool:
    """Return False: with the PMD folded at compile time, `pmd_leaf()` says whether the entry maps a block."""
    return False


@static_inline
def pud_valid(k: Kernel, pud: int) -> bool:
    """Return False: with the PMD folded at compile time, hardware has no PUD entries."""
    return False


@static_inline
def pud_user(k: Kernel, pud: int) -> bool:
    """Return False: with the PMD folded at compile time, a PUD entry maps no block."""
    return False


@static_inline
def pud_user_exec(k: Kernel, pud: int) -> bool:
    """Return False: with the PMD folded at compile time, a PUD entry maps no block."""
    return False


@static_inline
def pud_set_huge(k: Kernel, pudp: int, phys: int, prot: int) -> bool:
    """Return False: with the PMD folded at compile time, a PUD entry cannot map a block."""
    return False


@static_inline
def pud_clear_huge(k: Kernel, pudp: int) -> bool:
    """Return False: with the PMD folded at compile time, a PUD entry maps no block to clear."""
    return False


@static_inline
def pud_clear(k: Kernel, pudp: int) -> None:
    """Do nothing: with the PMD folded at compile time, `pmd_clear()` clears the entry."""


@static_inline
def pud_populate(k: Kernel, mm: MmStruct, pudp: int, pmdp: int) -> None:
    """Do nothing: with the PMD folded at compile time, there is no PMD table to point to."""


@static_inline
def pmd_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """Return 0 (NULL): with the PMD folded at compile time, there is no PMD table to allocate."""
    return 0


@static_inline
def pmd_free(k: Kernel, mm: MmStruct, pmdp: int) -> None:
    """Do nothing: with the PMD folded at compile time, there is no PMD table to free."""
