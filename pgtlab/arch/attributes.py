"""Attributes of a translation, above all the kind of memory (Arm ARM D8.5); `permissions` says who may do what."""

from __future__ import annotations

from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.arch.memory_type import (
    NORMAL_NON_CACHEABLE,
    NORMAL_NON_CACHEABLE_XS_0,
    NORMAL_WT_XS_0,
    TAGGED_NORMAL,
)
from pgtlab.arch.registers import Shareability


class MemoryAttributes(BitFields):
    """The attributes of a translation, with everything that was inherited from the tables.

    ATTR and SH are the memory type, as a byte of MAIR_EL1, and the shareability that take effect; AP, UXN and PXN
    include the tables' own. With indirect permissions (FEAT_S1PIE) AP, UXN and PXN are zero, since these bits of a leaf
    choose an entry of PIR_EL1 then: `Walk.permissions` says what is allowed.

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

    XS=0 stands in the words where FEAT_XS adds a byte for it: memory for whose accesses a DSB with nXS waits too.

    >>> [memory_type(attr) for attr in (0x00, 0x04, 0x44, 0xff, 0xee, 0x40, 0xf0)]
    ['Device-nGnRnE', 'Device-nGnRE', 'Normal Non-cacheable', 'Normal WB RWA', 'Normal WB RA',
    'Normal Non-cacheable XS=0', 'Tagged Normal WB RWA']
    """
    outer, inner = attr >> 4, attr & 0xF
    if outer == 0 and inner & 0b10 == 0:
        return f"Device-{('nGnRnE', 'nGnRE', 'nGRE', 'GRE')[inner >> 2]}{' XS=0' if inner & 1 else ''}"
    if attr == NORMAL_NON_CACHEABLE:
        return "Normal Non-cacheable"
    if attr == NORMAL_NON_CACHEABLE_XS_0:
        return "Normal Non-cacheable XS=0"
    if attr == NORMAL_WT_XS_0:
        return "Normal WT RA XS=0"
    if attr == TAGGED_NORMAL:
        return "Tagged Normal WB RWA"
    if outer == 0 or inner == 0:  # what reserved bytes mean is UNPREDICTABLE
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


def effective_memory(attr: int, sh: int, *, fetch: bool, cached: bool) -> tuple[int, int]:
    """The memory type, as a byte of MAIR_EL1, and the shareability that an access gets; PAR_EL1 shows them.

    Normal memory is Non-cacheable unless `cached`, which is SCTLR_EL1.C for data and SCTLR_EL1.I for a fetch. A fetch
    from Device memory may end in a Permission fault or take the memory for Normal Non-cacheable: here it does the
    latter, as in QEMU. (Arm ARM J1.3, AArch64.S1Translate.)

    Parameters
    ----------
    attr, sh : int
        The byte of MAIR_EL1 and the shareability that the registers and the leaf give.
    fetch : bool
        Whether an instruction is fetched.
    cached : bool
        Whether SCTLR_EL1 lets the access use caches.

    Examples
    --------
    >>> def shown(*memory, **access):
    ...     attr, sh = effective_memory(*memory, **access)
    ...     return memory_type(attr), int(sh)
    >>> shown(0xff, 3, fetch=False, cached=True), shown(0xff, 3, fetch=False, cached=False)
    (('Normal WB RWA', 3), ('Normal Non-cacheable', 2))
    >>> shown(0x04, 3, fetch=False, cached=True), shown(0x04, 3, fetch=True, cached=True)
    (('Device-nGnRE', 2), ('Normal Non-cacheable', 2))
    """
    device = attr >> 4 == 0
    if fetch if device else not cached:
        attr = NORMAL_NON_CACHEABLE_XS_0 if _has_xs_0(attr) else NORMAL_NON_CACHEABLE
    return attr, effective_shareability(attr, sh)


def _has_xs_0(attr: int) -> bool:
    """Whether a byte of MAIR_EL1 is one of those that FEAT_XS adds.

    With FEAT_XS, Write-Back memory has XS = 0 as well, but its byte does not say whether the CPU has the feature.
    """
    return attr in (NORMAL_NON_CACHEABLE_XS_0, NORMAL_WT_XS_0) or attr & 0xF3 == 0x01


def effective_shareability(attr: int, sh: int) -> int:
    """The shareability of a memory type that takes effect: Device and Non-cacheable memory is Outer Shareable.

    >>> effective_shareability(0x00, 0b11), effective_shareability(0xff, 0b11)
    (<Shareability.OUTER: 2>, 3)
    """
    outer = attr >> 4 == 0 or attr in (NORMAL_NON_CACHEABLE, NORMAL_NON_CACHEABLE_XS_0)
    return Shareability.OUTER if outer else sh
