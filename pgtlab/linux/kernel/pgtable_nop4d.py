"""Four levels or fewer: the P4D folded at compile time (`include/asm-generic/pgtable-nop4d.h`).

The P4D has one entry, and it is the pgd's. Nothing to test, nothing to set, nothing to free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct


@static_inline
def p4d_offset(k: Kernel, pgdp: int, addr: int) -> int:
    """The entry above is this one."""
    return pgdp


@static_inline
def p4d_offset_lockless(k: Kernel, pgdp: int, pgd: int, addr: int) -> int:
    """`p4d_offset_lockless_folded()`, v6.11: where the entry is, not where the copy of it is.

    With four levels the PUD may fold at run time, and `pud_offset_lockless()` then counts from the start of this page.
    """
    return k.p4d_offset(pgdp, addr)


@static_inline
def pgd_none(k: Kernel, pgd: int) -> bool:
    """Never: a folded P4D table is always there."""
    return False


@static_inline
def pgd_bad(k: Kernel, pgd: int) -> bool:
    """Never."""
    return False


@static_inline
def pgd_present(k: Kernel, pgd: int) -> bool:
    """Always."""
    return True


@static_inline
def pgd_clear(k: Kernel, pgdp: int) -> None:
    """Nothing to clear: `p4d_clear()` will."""


@static_inline
def pgd_populate(k: Kernel, mm: MmStruct, pgdp: int, p4dp: int) -> None:
    """Nothing to point to."""


@static_inline
def p4d_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """NULL: there is no such table."""
    return 0


@static_inline
def p4d_free(k: Kernel, mm: MmStruct, p4dp: int) -> None:
    """Nothing was allocated."""
