"""The system registers of address translation, as the Arm ARM (DDI 0487, section D24.2) lays them out.

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


class _TCR(BitFields):
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
    MTX0 = Field(60)
    MTX1 = Field(61)


class TCR_EL1(_TCR):
    """Translation Control Register (EL1), Arm ARM D24.2.

    >>> TCR_EL1(0x10001B5B5503510).T0SZ
    16
    """


class TCR_EL2(_TCR):
    """Translation Control Register (EL2) as a host with HCR_EL2.E2H = 1 has it: laid out as TCR_EL1 is.

    >>> TCR_EL2(0x95001F6B54C350C).DS
    1
    """


class TCR2_EL1(BitFields):
    """Extended Translation Control Register (EL1): what came with FEAT_S1PIE, FEAT_S1POE, FEAT_HAFT and others."""

    PnCH = Field(0)
    PIE = Field(1)
    E0POE = Field(2)
    POE = Field(3)
    AIE = Field(4)
    D128 = Field(5)
    PTTWI = Field(10)
    HAFT = Field(11)
    DisCH0 = Field(14)
    DisCH1 = Field(15)


class TCR2_EL2(TCR2_EL1):
    """Extended Translation Control Register (EL2) with HCR_EL2.E2H = 1: its fields are those of TCR2_EL1."""


class HCR_EL2(BitFields):
    """Hypervisor Configuration Register: the bits that choose a regime or change a translation.

    >>> HCR_EL2(0x488000000)
    HCR_EL2(0x488000000: E2H=0x1 RW=0x1 TGE=0x1)
    """

    VM = Field(0)
    PTW = Field(2)
    DC = Field(12)
    TGE = Field(27)
    RW = Field(31)
    CD = Field(32)
    ID = Field(33)
    E2H = Field(34)
    NV = Field(42)
    NV1 = Field(43)
    FWB = Field(46)
    DCT = Field(57)


class VTCR_EL2(BitFields):
    """Virtualization Translation Control Register: stage 2 of the EL1&0 regime.

    >>> VTCR_EL2(0x80022558).T0SZ
    24
    """

    T0SZ = Field(5, 0)
    SL0 = Field(7, 6)
    IRGN0 = Field(9, 8)
    ORGN0 = Field(11, 10)
    SH0 = Field(13, 12, Shareability)
    TG0 = Field(15, 14, TG0)
    PS = Field(18, 16, PARange)
    VS = Field(19)
    HA = Field(21)
    HD = Field(22)
    DS = Field(32)
    SL2 = Field(33)
    AssuredOnly = Field(34)
    TL1 = Field(35)
    S2PIE = Field(36)
    S2POE = Field(37)
    D128 = Field(38)
    GCSH = Field(40)
    TL0 = Field(41)
    HAFT = Field(44)


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


class TTBR0_EL2(_TTBR):
    """Translation Table Base Register 0 (EL2): the lower half, that of a host's processes."""


class TTBR1_EL2(_TTBR):
    """Translation Table Base Register 1 (EL2): the upper half, that of a host's kernel."""


class VTTBR_EL2(BitFields):
    """Virtualization Translation Table Base Register: the first table of stage 2, and the guest's number."""

    CnP = Field(0)
    BADDR = Field(47, 1)
    VMID = Field(63, 48)


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


class MAIR_EL2(MAIR_EL1):
    """Memory Attribute Indirection Register (EL2)."""


class _FourBitEntries(BitFields):
    """Sixteen entries of four bits, as the permission registers have them."""

    Perm0 = Field(3, 0)
    Perm1 = Field(7, 4)
    Perm2 = Field(11, 8)
    Perm3 = Field(15, 12)
    Perm4 = Field(19, 16)
    Perm5 = Field(23, 20)
    Perm6 = Field(27, 24)
    Perm7 = Field(31, 28)
    Perm8 = Field(35, 32)
    Perm9 = Field(39, 36)
    Perm10 = Field(43, 40)
    Perm11 = Field(47, 44)
    Perm12 = Field(51, 48)
    Perm13 = Field(55, 52)
    Perm14 = Field(59, 56)
    Perm15 = Field(63, 60)


class PIR_EL1(_FourBitEntries):
    """Permission Indirection Register 1: what EL1 may do, by a leaf's PIIndex (FEAT_S1PIE)."""


class PIRE0_EL1(_FourBitEntries):
    """Permission Indirection Register 0: what EL0 may do, by a leaf's PIIndex (FEAT_S1PIE)."""


class POR_EL1(_FourBitEntries):
    """Permission Overlay Register 1: what is left of EL1's permissions, by a leaf's POIndex (FEAT_S1POE)."""


class POR_EL0(_FourBitEntries):
    """Permission Overlay Register 0: what is left of EL0's permissions, by a leaf's POIndex (FEAT_S1POE)."""


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


class SCTLR_EL2(SCTLR_EL1):
    """System Control Register (EL2) with HCR_EL2.E2H = 1: the bits that translation reads, placed as in SCTLR_EL1."""


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
    VH = Field(11, 8)
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
    """Physical Address Register after an `AT` that faulted (F = 1): FST is the fault status code.

    S is set for a fault of stage 2, and PTW if it came while stage 1 was walked.
    """

    F = Field(0)
    FST = Field(6, 1)
    PTW = Field(8)
    S = Field(9)
    AssuredOnly = Field(12)
    TopLevel = Field(13)
    Overlay = Field(14)
    DirtyBit = Field(15)
