"""Three levels or fewer: the PUD folded at compile time (`include/asm-generic/pgtable-nopud.h`).

The PUD has one entry, and it is the P4D's. Nothing to test, nothing to set, nothing to free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct


@static_inline
def pud_offset(k: Kernel, p4dp: int, addr: int) -> int:
    """The entry above is this one."""
    return p4dp


@static_inline
def pud_offset_lockless(k: Kernel, p4dp: int, p4d: int, addr: int) -> int:
    """The entry above is this one."""
    return k.pud_offset(p4dp, addr)


@static_inline
def p4d_none(k: Kernel, p4d: int) -> bool:
    """Never: a folded PUD table is always there."""
    return False


@static_inline
def p4d_bad(k: Kernel, p4d: int) -> bool:
    """Never."""
    return False


@static_inline
def p4d_present(k: Kernel, p4d: int) -> bool:
    """Always."""
    return True


@static_inline
def p4d_clear(k: Kernel, p4dp: int) -> None:
    """Nothing to clear: `pud_clear()` will."""


@static_inline
def p4d_populate(k: Kernel, mm: MmStruct, p4dp: int, pudp: int) -> None:
    """Nothing to point to."""


@static_inline
def pud_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """NULL: there is no such table."""
    return 0


@static_inline
def pud_free(k: Kernel, mm: MmStruct, pudp: int) -> None:
    """Nothing was allocated."""
