"""Four levels or fewer: the P4D is folded at compile time (`include/asm-generic/pgtable-nop4d.h`).

The only P4D entry is the pgd entry itself, so there is no P4D table to test, to point to, to allocate or to free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct


@static_inline
def p4d_offset(k: Kernel, pgdp: int, addr: int) -> int:
    """Return `pgdp`: with the P4D folded at compile time, the pgd entry is the P4D entry."""
    return pgdp


@static_inline
def p4d_offset_lockless(k: Kernel, pgdp: int, pgd: int, addr: int) -> int:
    """Return `pgdp`, where the pgd entry was read: with the P4D folded at compile time it is the P4D entry.

    This is v6.11's `p4d_offset_lockless_folded()`. With four levels the PUD may be folded at run time, and
    `pud_offset_lockless()` then counts from the start of the page that holds the entry.
    """
    return k.p4d_offset(pgdp, addr)


@static_inline
def pgd_none(k: Kernel, pgd: int) -> bool:
    """Return False: with the P4D folded at compile time, there is no table that could be absent."""
    return False


@static_inline
def pgd_bad(k: Kernel, pgd: int) -> bool:
    """Return False: with the P4D folded at compile time, `p4d_bad()` checks the entry."""
    return False


@static_inline
def pgd_present(k: Kernel, pgd: int) -> bool:
    """Return True: with the P4D folded at compile time, there is no table that could be absent."""
    return True


@static_inline
def pgd_clear(k: Kernel, pgdp: int) -> None:
    """Do nothing: with the P4D folded at compile time, `p4d_clear()` clears the entry."""


@static_inline
def pgd_populate(k: Kernel, mm: MmStruct, pgdp: int, p4dp: int) -> None:
    """Do nothing: with the P4D folded at compile time, there is no P4D table to point to."""


@static_inline
def p4d_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """Return 0 (NULL): with the P4D folded at compile time, there is no P4D table to allocate."""
    return 0


@static_inline
def p4d_free(k: Kernel, mm: MmStruct, p4dp: int) -> None:
    """Do nothing: with the P4D folded at compile time, there is no P4D table to free."""
