"""Three levels or fewer: the PUD is folded at compile time (`include/asm-generic/pgtable-nopud.h`).

The only PUD entry is the P4D entry itself, so there is no PUD table to test, to point to, to allocate or to free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import MmStruct


@static_inline
def pud_offset(k: Kernel, p4dp: int, addr: int) -> int:
    """Return `p4dp`: with the PUD folded at compile time, the P4D entry is the PUD entry."""
    return p4dp


@static_inline
def pud_offset_lockless(k: Kernel, p4dp: int, p4d: int, addr: int) -> int:
    """Return `p4dp`: with the PUD folded at compile time, the P4D entry is the PUD entry."""
    return k.pud_offset(p4dp, addr)


@static_inline
def p4d_none(k: Kernel, p4d: int) -> bool:
    """Return False: with the PUD folded at compile time, there is no table that could be absent."""
    return False


@static_inline
def p4d_bad(k: Kernel, p4d: int) -> bool:
    """Return False: with the PUD folded at compile time, `pud_bad()` checks the entry."""
    return False


@static_inline
def p4d_present(k: Kernel, p4d: int) -> bool:
    """Return True: with the PUD folded at compile time, there is no table that could be absent."""
    return True


@static_inline
def p4d_clear(k: Kernel, p4dp: int) -> None:
    """Do nothing: with the PUD folded at compile time, `pud_clear()` clears the entry."""


@static_inline
def p4d_populate(k: Kernel, mm: MmStruct, p4dp: int, pudp: int) -> None:
    """Do nothing: with the PUD folded at compile time, there is no PUD table to point to."""


@static_inline
def pud_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
    """Return 0 (NULL): with the PUD folded at compile time, there is no PUD table to allocate."""
    return 0


@static_inline
def pud_free(k: Kernel, mm: MmStruct, pudp: int) -> None:
    """Do nothing: with the PUD folded at compile time, there is no PUD table to free."""
