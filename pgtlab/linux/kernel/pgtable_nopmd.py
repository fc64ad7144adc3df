"""Two levels: the PMD folded at compile time (`include/asm-generic/pgtable-nopmd.h`).

The PMD has one entry, and it is the PUD's. Nothing to test, nothing to set, nothing to free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct


@static_inline
def pmd_offset(k: Kernel, pudp: int, addr: int) -> int:
    """The entry above is this one."""
    return pudp


@static_inline
def pmd_offset_lockless(k: Kernel, pudp: int, pud: int, addr: int) -> int:
    """The entry above is this one."""
    return k.pmd_offset(pudp, addr)


@static_inline
def pud_none(k: Kernel, pud: int) -> bool:
    """Never: a folded PMD table is always there."""
    return False


@static_inline
def pud_bad(k: Kernel, pud: int) -> bool:
    """Never."""
    return False


@static_inline
def pud_present(k: Kernel, pud: int) -> bool:
    """Always."""
    return True


@static_inline
def pud_leaf(k: Kernel, pud: int) -> bool:
    """Never: a block here is the PMD's."""
    return False


@static_inline
def pud_valid(k: Kernel, pud: int) -> bool:
    """Never: hardware's entry is the PMD's."""
    return False


@static_inline
def pud_user(k: Kernel, pud: int) -> bool:
    """Never."""
    return False


@static_inline
def pud_user_exec(k: Kernel, pud: int) -> bool:
    """Never."""
    return False


@static_inline
def pud_set_huge(k: Kernel, pudp: int, phys: int, prot: int) -> bool:
    """Nothing to map."""
    return False


@static_inline
def pud_clear_huge(k: Kernel, pudp: int) -> bool:
    """Nothing to unmap."""
    return False


@static_inline
def pud_clear(k: Kernel, pudp: int) -> None:
    """Nothing to clear: `pmd_clear()` will."""


@static_inline
def pud_populate(k: Kernel, mm: MmStruct, pudp: int, pmdp: int) -> None:
    """Nothing to point to."""


@static_inline
def pmd_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """NULL: there is no such table."""
    return 0


@static_inline
def pmd_free(k: Kernel, mm: MmStruct, pmdp: int) -> None:
    """Nothing was allocated."""
