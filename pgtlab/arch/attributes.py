"""Attributes of a translation: the kind of memory, and who may do what with it (Arm ARM D8.4, D8.5).

The permission rules are written with bit operations on zeros and ones. They mean the same for numbers and for arrays of
numbers, so the walk of one address and the tables that the walk of many consults come from the same lines.
"""

from __future__ import annotations

from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.arch.fault import Access
from pgtlab.arch.registers import Shareability

NORMAL_NON_CACHEABLE = 0x44


class MemoryAttributes(BitFields):
    """What a translation says of its memory, after everything that was inherited on the way.

    ATTR is the byte of MAIR_EL1, SH the shareability that takes effect; AP, UXN and PXN include the tables' own.

    >>> MemoryAttributes(ATTR=0xff, SH=3, PXN=1, UXN=1)
    MemoryAttributes(0x33ff: PXN=0x1 UXN=0x1 SH=INNER ATTR=0xff)
    """

    ATTR = Field(7, 0)
    SH = Field(9, 8, Shareability)
    AP = Field(11, 10)
    UXN = Field(12)
    PXN = Field(13)
    nG = Field(14)
    Contiguous = Field(15)

    @property
    def memory_type(self) -> str:
        """The memory type that ATTR encodes."""
        return memory_type(self.ATTR)


def memory_type(attr: int) -> str:
    """A byte of MAIR_EL1 in words (Arm ARM D24.2, MAIR_EL1).

    >>> [memory_type(attr) for attr in (0x00, 0x04, 0x44, 0xff, 0xee)]
    ['Device-nGnRnE', 'Device-nGnRE', 'Normal Non-cacheable', 'Normal WB RWA', 'Normal WB RA']
    """
    outer, inner = attr >> 4, attr & 0xF
    if outer == 0:  # of reserved bytes it is UNPREDICTABLE what they mean
        return f"Device-{('nGnRnE', 'nGnRE', 'nGRE', 'GRE')[inner >> 2]}" if inner & 3 == 0 else f"reserved {attr:#04x}"
    if attr == NORMAL_NON_CACHEABLE:
        return "Normal Non-cacheable"
    if inner == 0:
        return f"reserved {attr:#04x}"
    if outer == inner:
        return f"Normal {_cacheability(inner)}"
    return f"Normal inner {_cacheability(inner)}, outer {_cacheability(outer)}"


def _cacheability(bits: int) -> str:
    if bits == 0b0100:
        return "NC"
    policy = "WB" if bits & 0b0100 else "WT"
    hints = ("", "WA", "RA", "RWA")[bits & 3]
    return f"{policy}{'' if bits & 0b1000 else ' transient'} {hints}".rstrip()


def effective_shareability(attr: int, sh: int) -> int:
    """The shareability that hardware uses and PAR_EL1.SH shows: Device and Non-cacheable memory is Outer Shareable.

    >>> effective_shareability(0x00, 0b11), effective_shareability(0xff, 0b11)
    (<Shareability.OUTER: 2>, 3)
    """
    return Shareability.OUTER if attr >> 4 == 0 or attr == NORMAL_NON_CACHEABLE else sh


def inherit(ap: int, uxn: int, pxn: int, table: int) -> tuple[int, int, int]:
    """AP, UXN and PXN of a leaf below tables whose bits 62:59, joined by OR, are `table`.

    APTable[0] takes EL0's access away, which is to clear AP[1]; APTable[1] forbids writes, which is to set AP[2].

    >>> inherit(0b01, 0, 0, 0b0100), inherit(0b01, 0, 0, 0b1010)
    ((0, 0, 0), (3, 1, 0))
    """
    return (ap & ~(table >> 2 & 1)) | (table >> 3 & 1) << 1, uxn | (table >> 1 & 1), pxn | (table & 1)


def permitted(access: Access, el: int, ap: int, uxn: int, pxn: int, wxn: int) -> int:
    """1 where the access is allowed, else 0 (Arm ARM D8.4).

    Nothing that EL0 can write is executable at EL1, and with SCTLR_EL1.WXN nothing that can be written is executable
    by who can write it.

    >>> [permitted(access, 0, ap=0b01, uxn=1, pxn=1, wxn=0) for access in Access]
    [1, 1, 0]
    """
    user, writable = ap & 1, 1 ^ (ap >> 1 & 1)
    if access is Access.READ:
        return 1 if el else user
    if access is Access.WRITE:
        return writable if el else user & writable
    if el:
        return 1 ^ (pxn | (user & writable) | (wxn & writable))
    return 1 ^ (uxn | (wxn & user & writable))
