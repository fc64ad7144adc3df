"""The instruction specific syndromes of ESR_EL1, one class for each layout (Arm ARM D24.2, ESR_EL1 and ESR_EL2).

A class names its bits and says what their values mean. What is not named is reserved. Fields that came to bits which
were reserved before are named where they are set, so that a word of an older core reads as its own manual has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.arch.esr.fault_status import DEBUG_EXCEPTION
from pgtlab.arch.named_bits import Meaning


def when_set(meaning: str) -> Meaning:
    """The meaning of a bit that says nothing where it is clear."""
    return (None, meaning)


class ISS(BitFields):
    """ISS, 25 bits: nothing but reserved ones, unless a subclass names some."""

    meanings: ClassVar[Mapping[str, Meaning]] = {}

    @property
    def present(self) -> list[Field]:
        """The fields that this value has; some depend on others."""
        return list(self.fields)

    @property
    def meaning(self) -> str | None:
        """The instruction that the syndrome describes, if it does."""
        return None


class ImplementationDefined(ISS):
    """EC 0x1f: what the bits mean is the implementation's."""

    IMPDEF = Field(24, 0)


class Immediate(ISS):
    """SVC, HVC and SMC: the instruction's immediate."""

    imm16 = Field(15, 0)


class Comment(ISS):
    """BRK and BKPT: the immediate, which the Arm ARM calls a comment."""

    Comment = Field(15, 0)


class BTI(ISS):
    """EC 0x0d: PSTATE.BTYPE, how the branch came."""

    BTYPE = Field(1, 0)


class FPAC(ISS):
    """EC 0x1c: which key did not authenticate. The Arm ARM gives the two bits no names; these are ours."""

    BKey = Field(0)
    DataKey = Field(1)
    meanings = {"DataKey": ("Instruction Key", "Data Key"), "BKey": ("A key", "B key")}


class SME(ISS):
    """EC 0x1d."""

    SMTC = Field(2, 0)
    meanings = {
        "SMTC": (
            "Access to SME functionality trapped",
            "Illegal instruction in Streaming SVE mode",
            "SME instruction outside Streaming SVE mode",
            "SME instruction while ZA is off",
            "Access to SME2 ZT0 trapped",
        )
    }


class MOPS(ISS):
    """EC 0x27: a memory copy or set that met a state it cannot continue from."""

    sizereg = Field(4, 0)
    srcreg = Field(9, 5)
    destreg = Field(14, 10)
    OptionA = Field(16)
    WrongOption = Field(17)
    FromEpilogue = Field(18)
    Options = Field(22, 19)
    isSETG = Field(23)
    MemInst = Field(24)
    meanings = {
        "MemInst": ("CPY* instruction", "SET* instruction"),
        "isSETG": when_set("SETG* instruction"),
        "FromEpilogue": ("main or prologue instruction", "epilogue instruction"),
        "WrongOption": when_set("PSTATE.C names an option that this CPU does not use"),
        "OptionA": ("option B", "option A"),
    }


class FloatingPointException(ISS):
    """EC 0x28 and 0x2c: what a trapped floating-point operation met."""

    IOF = Field(0)
    DZF = Field(1)
    OFF = Field(2)
    UFF = Field(3)
    IXF = Field(4)
    IDF = Field(7)
    VECITR = Field(10, 8)
    TFV = Field(23)
    meanings = {
        "TFV": ("the exception bits are not valid", "the exception bits are valid"),
        "IDF": when_set("Input Denormal"),
        "IXF": when_set("Inexact"),
        "UFF": when_set("Underflow"),
        "OFF": when_set("Overflow"),
        "DZF": when_set("Divide by Zero"),
        "IOF": when_set("Invalid Operation"),
    }


class GCS(ISS):
    """EC 0x2d: Guarded Control Stack (as Linux 6.13 has it in `asm/esr.h`)."""

    IT = Field(4, 0)
    Rn = Field(9, 5)
    ExType = Field(23, 20)
    meanings = {
        "ExType": ("GCS Data Check Exception", "EXLOCK Exception", "GCSSTR or GCSSTTR trapped"),
        "IT": (
            "procedure return without authentication",
            "GCSPOPM",
            "procedure return with key A",
            "procedure return with key B",
            "GCSSS1",
            "GCSSS2",
            "GCSPOPCX",
            "GCSPOPX",
        ),
    }

    @property
    def present(self) -> list[Field]:
        by_type = {0: [GCS.IT, GCS.Rn], 2: list(TrappedGCSStore.fields)}
        return [GCS.ExType, *by_type.get(self.ExType, [])]


class TrappedGCSStore(BitFields):
    """The registers of a GCSSTR that was trapped: the value and the address."""

    Rvalue = Field(9, 5)
    Raddr = Field(14, 10)


_SERROR_STATE = (
    "Uncontainable (UC)",
    "Unrecoverable state (UEU)",
    "Restartable state (UEO)",
    "Recoverable state (UER)",
    None,
    None,
    "Corrected (CE)",
)


UPDATED: Meaning = (None, None, "the store did not update the location", "the store updated the location")


class SError(ISS):
    """EC 0x2f."""

    DFSC = Field(5, 0)
    EA = Field(9)
    AET = Field(12, 10)
    IESB = Field(13)
    IDS = Field(24)
    meanings = {
        "IDS": ("the rest is as the architecture defines it", "the rest is IMPLEMENTATION DEFINED"),
        "IESB": when_set("taken and synchronized by an implicit error synchronization event"),
        "AET": _SERROR_STATE,
        "WU": UPDATED,
        "VFV": when_set("FAR_EL1 is valid"),
        "PFV": when_set("PFAR_EL1 is valid"),
        "DFSC": {0: "Uncategorized error", 0b010001: "Asynchronous SError interrupt"},
    }

    @property
    def present(self) -> list[Field]:
        if self.IDS:
            return [SError.IDS, *ImplementationDefinedError.fields]
        return [*self.fields, *(field for field in LaterError.fields if field.extract(self.value))]


class LaterError(BitFields):
    """The fields that FEAT_RASv2 and FEAT_PFAR added."""

    PFV = Field(14)
    VFV = Field(15)
    WU = Field(17, 16)


class ImplementationDefinedError(BitFields):
    """The syndrome with IDS = 1, which is IMPLEMENTATION DEFINED."""

    IMPDEF = Field(23, 0)


_DEBUG: Meaning = {DEBUG_EXCEPTION: "Debug exception"}


class Breakpoint(ISS):
    """EC 0x30 and 0x31, and vector catch (0x3a)."""

    IFSC = Field(5, 0)
    meanings = {"IFSC": _DEBUG}


class SoftwareStep(ISS):
    """EC 0x32 and 0x33."""

    IFSC = Field(5, 0)
    EX = Field(6)
    ISV = Field(24)
    meanings = {
        "ISV": ("EX bit is RES0", "EX bit is valid"),
        "EX": ("not a Load-Exclusive instruction", "a Load-Exclusive instruction"),
        "IFSC": _DEBUG,
    }

    @property
    def present(self) -> list[Field]:
        return [field for field in self.fields if self.ISV or field.name != "EX"]


FAR = ("FAR is valid", "FAR is not valid, it holds an unknown value")


class Watchpoint(ISS):
    """EC 0x34 and 0x35."""

    DFSC = Field(5, 0)
    WnR = Field(6)
    CM = Field(8)
    FnV = Field(10)
    VNCR = Field(13)
    FnP = Field(15)
    WPF = Field(16)
    WPTV = Field(17)
    WPT = Field(23, 18)
    meanings = {
        "WPTV": ("WPT is not valid", "WPT is the number of the watchpoint"),
        "WPF": when_set("may be a false positive"),
        "FnP": ("FAR is the address that matched", "FAR is an address near the one that matched"),
        "FnV": FAR,
        "CM": when_set("by a cache maintenance instruction"),
        "WnR": ("Watchpoint caused by reading from memory", "Watchpoint caused by writing to memory"),
        "DFSC": _DEBUG,
    }


class PMU(ISS):
    """EC 0x3d, a profiling exception."""

    SYNC = Field(0)
    meanings = {"SYNC": ("asynchronous", "synchronous")}
