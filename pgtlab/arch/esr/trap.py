"""The syndromes of trapped instructions: ISS of ESR_EL1 (Arm ARM D24.2, ESR_EL1 and ESR_EL2)."""

from __future__ import annotations

from collections.abc import Mapping

from pgtlab.arch.bitfield import Field
from pgtlab.arch.esr.iss import ISS
from pgtlab.arch.named_bits import Meaning

# Traps from AArch32 carry the condition of the instruction.
_CONDITION: Mapping[str, Meaning] = {"CV": ("COND is not valid", "COND is valid")}


class Conditional(ISS):
    """EC 0x07, SVE, Advanced SIMD and floating point: the condition alone."""

    COND = Field(23, 20)
    CV = Field(24)
    meanings = _CONDITION


class SMC32(Conditional):
    """EC 0x13."""

    CCKNOWNPASS = Field(19)
    meanings = {**_CONDITION, "CCKNOWNPASS": ("unconditional, or it passed its condition check", "conditional")}


class WFx(Conditional):
    """EC 0x01: the instruction that would wait, and the register of its timeout."""

    TI = Field(1, 0)
    RV = Field(2)
    RN = Field(9, 5)
    meanings = {**_CONDITION, "TI": ("WFI", "WFE", "WFIT", "WFET"), "RV": ("RN is not valid", "RN is valid")}


_DIRECTION = "Direction"


class MCR(Conditional):
    """EC 0x03, 0x05 and 0x08: MCR and MRC of AArch32."""

    Direction = Field(0)
    CRm = Field(4, 1)
    Rt = Field(9, 5)
    CRn = Field(13, 10)
    Opc1 = Field(16, 14)
    Opc2 = Field(19, 17)
    meanings = {**_CONDITION, _DIRECTION: ("write to System register (MCR)", "read from System register (MRC or VMRS)")}


class MCRR(Conditional):
    """EC 0x04 and 0x0c: MCRR and MRRC of AArch32."""

    Direction = Field(0)
    CRm = Field(4, 1)
    Rt = Field(9, 5)
    Rt2 = Field(14, 10)
    Opc1 = Field(19, 16)
    meanings = {**_CONDITION, _DIRECTION: ("write to System register (MCRR)", "read from System register (MRRC)")}


class LDC(Conditional):
    """EC 0x06: LDC and STC of AArch32."""

    Direction = Field(0)
    AM = Field(3, 1)
    Offset = Field(4)
    Rn = Field(9, 5)
    imm8 = Field(19, 12)
    meanings = {
        **_CONDITION,
        _DIRECTION: ("write to memory (STC)", "read from memory (LDC)"),
        "AM": (
            "immediate unindexed",
            "immediate post-indexed",
            "immediate offset",
            "immediate pre-indexed",
            "literal unindexed",
            None,
            "literal offset",
        ),
        "Offset": ("subtract offset", "add offset"),
    }


class OtherInstruction(ISS):
    """EC 0x0a: a number for the instruction."""

    ISS = Field(24, 0)
    meanings = {"ISS": ("ST64BV trapped", "ST64BV0 trapped", "LD64B or ST64B trapped")}


class MSR(ISS):
    """EC 0x18: MSR, MRS and system instructions of AArch64; and 0x14, their 128-bit kin."""

    Direction = Field(0)
    CRm = Field(4, 1)
    Rt = Field(9, 5)
    CRn = Field(13, 10)
    Op1 = Field(16, 14)
    Op2 = Field(19, 17)
    Op0 = Field(21, 20)
    meanings = {_DIRECTION: ("write or system instruction (MSR)", "read (MRS)")}

    @property
    def meaning(self) -> str | None:
        from pgtlab.arch.sysregs import Encoding  # reads a file of names, which other syndromes need not wait for

        encoding = Encoding(self.Op0, self.Op1, self.CRn, self.CRm, self.Op2)
        return encoding.instruction(self.Rt, read=bool(self.Direction))


class MSRR(ISS):
    """EC 0x14: a pair of registers, the even one named."""

    Direction = Field(0)
    CRm = Field(4, 1)
    Rt = Field(9, 6)
    CRn = Field(13, 10)
    Op1 = Field(16, 14)
    Op2 = Field(19, 17)
    Op0 = Field(21, 20)
    meanings = {_DIRECTION: ("write or system instruction (MSRR)", "read (MRRS)"), "Rt": lambda rt: f"X{2 * rt}"}


class ERET(ISS):
    """EC 0x1a, at EL2."""

    ERETA = Field(0)
    ERET = Field(1)
    meanings = {"ERET": ("ERET", "ERETAA or ERETAB"), "ERETA": ("ERETAA", "ERETAB")}


class TSTART(ISS):
    """EC 0x1b."""

    Rd = Field(9, 5)
