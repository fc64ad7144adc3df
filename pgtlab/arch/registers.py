"""The system registers of stage 1 translation at EL1, as the Arm ARM (DDI 0487, section D24.2) lays them out.

Only the fields that translation, faults or the Linux boot code read are named; the other bits are kept as they are.
"""

from __future__ import annotations

from enum import IntEnum

from pgtlab.arch.bitfield import BitFields, Field


class TG0(IntEnum):
    """TCR_EL1.TG0, the granule of TTBR0_EL1. TG1 numbers the same three differently."""

    G4K = 0b00
    G64K = 0b01
    G16K = 0b10


class TG1(IntEnum):
    """TCR_EL1.TG1, the granule of TTBR1_EL1."""

    G16K = 0b01
    G4K = 0b10
    G64K = 0b11


class PARange(IntEnum):
    """ID_AA64MMFR0_EL1.PARANGE and TCR_EL1.IPS: an encoding of the physical address size."""

    PA32 = 0
    PA36 = 1
    PA40 = 2
    PA42 = 3
    PA44 = 4
    PA48 = 5
    PA52 = 6

    @property
    def bits(self) -> int:
        """Physical address bits.

        >>> PARange.PA44.bits
        44
        """
        return int(self.name[2:])


class Shareability(IntEnum):
    """TCR_EL1.SH0, SH1 and a descriptor's SH."""

    NON_SHAREABLE = 0b00
    OUTER = 0b10
    INNER = 0b11


class TCR_EL1(BitFields):
    """Translation Control Register (EL1), Arm ARM D24.2.

    >>> TCR_EL1(0x10001B5B5503510).T0SZ
    16
    """

    T0SZ = Field(5, 0)
    EPD0 = Field(7)
    IRGN0 = Field(9, 8)
    ORGN0 = Field(11, 10)
    SH0 = Field(13, 12, Shareability)
    TG0 = Field(15, 14, TG0)
    T1SZ = Field(21, 16)
    A1 = Field(22)
    EPD1 = Field(23)
    IRGN1 = Field(25, 24)
    ORGN1 = Field(27, 26)
    SH1 = Field(29, 28, Shareability)
    TG1 = Field(31, 30, TG1)
    IPS = Field(34, 32, PARange)
    AS = Field(36)
    TBI0 = Field(37)
    TBI1 = Field(38)
    HA = Field(39)
    HD = Field(40)
    HPD0 = Field(41)
    HPD1 = Field(42)
    TBID0 = Field(51)
    TBID1 = Field(52)
    NFD0 = Field(53)
    NFD1 = Field(54)
    E0PD0 = Field(55)
    E0PD1 = Field(56)
    TCMA0 = Field(57)
    TCMA1 = Field(58)
    DS = Field(59)


class _TTBR(BitFields):
    CnP = Field(0)
    BADDR = Field(47, 1)
    ASID = Field(63, 48)


class TTBR0_EL1(_TTBR):
    """Translation Table Base Register 0: the lower half of the address space, user space in Linux.

    BADDR holds bits 47:1 of the register; which of them are address bits depends on the granule and on 52-bit PAs.
    """


class TTBR1_EL1(_TTBR):
    """Translation Table Base Register 1: the upper half of the address space, the kernel in Linux."""


class MAIR_EL1(BitFields):
    """Memory Attribute Indirection Register: eight attribute bytes, chosen by a descriptor's AttrIndx.

    >>> hex(MAIR_EL1(0x000000040044FFFF).Attr3)
    '0x0'
    """

    Attr0 = Field(7, 0)
    Attr1 = Field(15, 8)
    Attr2 = Field(23, 16)
    Attr3 = Field(31, 24)
    Attr4 = Field(39, 32)
    Attr5 = Field(47, 40)
    Attr6 = Field(55, 48)
    Attr7 = Field(63, 56)


class SCTLR_EL1(BitFields):
    """System Control Register (EL1): the bits that translation reads."""

    M = Field(0)
    A = Field(1)
    C = Field(2)
    SA = Field(3)
    I = Field(12)  # noqa: E741 - the architecture's name
    WXN = Field(19)
    SPAN = Field(23)
    E0E = Field(24)
    EE = Field(25)
    EPAN = Field(57)


class ID_AA64MMFR0_EL1(BitFields):
    """Memory Model Feature Register 0. TGRAN4 and TGRAN64 count from 0b0000 = present; TGRAN16 from 0b0001.

    The three `_2` fields say the same of stage 2, from 0b0010 = present.
    """

    PARANGE = Field(3, 0, PARange)
    ASIDBITS = Field(7, 4)
    TGRAN16 = Field(23, 20)
    TGRAN64 = Field(27, 24)
    TGRAN4 = Field(31, 28)
    TGRAN16_2 = Field(35, 32)
    TGRAN64_2 = Field(39, 36)
    TGRAN4_2 = Field(43, 40)


class ID_AA64MMFR1_EL1(BitFields):
    """Memory Model Feature Register 1: HAFDBS says whether hardware updates the access flag (1) and dirty state (2)."""

    HAFDBS = Field(3, 0)
    HPDS = Field(15, 12)
    PAN = Field(23, 20)


class ID_AA64MMFR2_EL1(BitFields):
    """Memory Model Feature Register 2: VARANGE is 1 with FEAT_LVA, 52-bit virtual addresses for the 64K granule."""

    CnP = Field(3, 0)
    VARANGE = Field(19, 16)
    ST = Field(31, 28)
    E0PD = Field(63, 60)


class ESR_EL1(BitFields):
    """Exception Syndrome Register (EL1): the class of an exception and what is known of it.

    >>> ESR_EL1(0x96000004)
    ESR_EL1(0x96000004: EC=0x25 IL=0x1 ISS=0x4)
    """

    ISS = Field(24, 0)
    IL = Field(25)
    EC = Field(31, 26)
    ISS2 = Field(55, 32)


class ISSDataAbort(BitFields):
    """ESR_EL1.ISS of a Data Abort, EC 0x24 and 0x25 (Arm ARM D24.2, ESR_EL1)."""

    DFSC = Field(5, 0)
    WnR = Field(6)
    S1PTW = Field(7)
    CM = Field(8)
    EA = Field(9)
    FnV = Field(10)
    SET = Field(12, 11)
    VNCR = Field(13)
    AR = Field(14)
    SF = Field(15)
    SRT = Field(20, 16)
    SSE = Field(21)
    SAS = Field(23, 22)
    ISV = Field(24)


class PAR_EL1(BitFields):
    """Physical Address Register after an `AT` that succeeded (F = 0)."""

    F = Field(0)
    SH = Field(8, 7, Shareability)
    NS = Field(9)
    PA = Field(51, 12)
    ATTR = Field(63, 56)


class PAR_EL1_Fault(BitFields):
    """Physical Address Register after an `AT` that faulted (F = 1): FST is the fault status code."""

    F = Field(0)
    FST = Field(6, 1)
    PTW = Field(8)
    S = Field(9)
