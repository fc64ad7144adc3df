"""The syndromes of aborts: ISS and ISS2 of ESR_EL1 (Arm ARM D24.2, ESR_EL1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.arch.esr.fault_status import EXTERNAL_ABORT, fault_status, walk_fault_kind
from pgtlab.arch.esr.iss import FAR, ISS, UPDATED, when_set
from pgtlab.arch.fault import FaultKind
from pgtlab.arch.named_bits import Meaning
from pgtlab.arch.registers import ISSDataAbort


class GranuleProtection(ISS):
    """EC 0x1e, at EL3."""

    xFSC = Field(5, 0)
    WnR = Field(6)
    S1PTW = Field(7)
    CM = Field(8)
    VNCR = Field(13)
    GPCSC = Field(19, 14)
    InD = Field(20)
    S2PTW = Field(21)
    meanings = {"InD": ("data access", "instruction access"), "xFSC": fault_status}


_ERROR_STATE = ("Recoverable state (UER)", None, "Uncontainable (UC)", "Restartable state (UEO)")


class InstructionAbort(ISS):
    """EC 0x20 and 0x21."""

    IFSC = Field(5, 0)
    S1PTW = Field(7)
    EA = Field(9)
    FnV = Field(10)
    SET = Field(12, 11)
    PFV = Field(14)
    meanings = {
        "SET": _ERROR_STATE,
        "FnV": FAR,
        "PFV": when_set("PFAR_EL1 is valid"),
        "S1PTW": when_set("a stage 2 fault on a stage 1 walk"),
        "IFSC": fault_status,
    }

    @property
    def present(self) -> list[Field]:
        absent = set() if self.IFSC == EXTERNAL_ABORT else {"SET"}
        absent |= set() if self.PFV else {"PFV"}
        return [field for field in self.fields if field.name not in absent]


class _LoadStoreType(BitFields):
    LST = Field(12, 11)  # in the place of SET


# The faults of which LST may tell what instruction met them.
_OF_ANY_ACCESS = (FaultKind.TRANSLATION, FaultKind.ACCESS_FLAG, FaultKind.PERMISSION)


class _NoSyndrome(BitFields):
    PFV = Field(14)
    FnP = Field(15)
    WU = Field(17, 16)  # in the place of SAS to AR


class DataAbort(ISSDataAbort, ISS):
    """EC 0x24 and 0x25."""

    meanings = {
        "ISV": ("No valid instruction syndrome", "Valid instruction syndrome"),
        "SAS": ("byte", "halfword", "word", "doubleword"),
        "SSE": when_set("sign-extended"),
        "SF": ("32-bit wide register", "64-bit wide register"),
        "AR": ("No acquire/release semantics", "Acquire/release semantics"),
        "WU": UPDATED,
        "FnP": when_set("FAR is an address in the granule of the one that faulted"),
        "PFV": when_set("PFAR_EL1 is valid"),
        "SET": _ERROR_STATE,
        "LST": (None, "ST64BV", "LD64B or ST64B", "ST64BV0"),
        "FnV": FAR,
        "CM": when_set("by a cache maintenance or address translation instruction"),
        "S1PTW": when_set("a stage 2 fault on a stage 1 walk"),
        "WnR": ("Abort caused by reading from memory", "Abort caused by writing to memory"),
        "DFSC": fault_status,
    }

    @property
    def present(self) -> list[Field]:
        fields = {field.name: field for field in self.fields}
        if not self.ISV:
            for name in ("SAS", "SSE", "SRT", "SF", "AR"):
                del fields[name]
            fields |= {field.name: field for field in _NoSyndrome.fields if field.extract(self.value)}
        if self.DFSC != EXTERNAL_ABORT:
            del fields["SET"]
            if walk_fault_kind(self.DFSC) in _OF_ANY_ACCESS and _LoadStoreType.LST.extract(self.value):
                fields["LST"] = _LoadStoreType.LST
        return list(fields.values())


class ISS2(BitFields):
    """ISS2, 24 bits: all reserved, but in aborts."""

    meanings: ClassVar[Mapping[str, Meaning]] = {}


class ISS2InstructionAbort(ISS2):
    """ISS2 of an abort: whether permissions by overlay or by stage 2 caused it."""

    Overlay = Field(6)
    AssuredOnly = Field(7)
    meanings = {
        "Overlay": when_set("Overlay permissions forbid it"),
        "AssuredOnly": when_set("stage 2 allows assured translations only"),
    }


class ISS2DataAbort(ISS2InstructionAbort):
    """ISS2 of a data abort: also what was accessed; Xs is the status register of ST64BV."""

    Xs = Field(4, 0)
    DirtyBit = Field(5)
    GCS = Field(8)
    TagAccess = Field(9)
    TnD = Field(10)
    meanings = {
        **ISS2InstructionAbort.meanings,
        "DirtyBit": when_set("the dirty state forbids it"),
        "GCS": when_set("by a Guarded control stack data access"),
        "TagAccess": when_set("the NoTagAccess attribute forbids it"),
        "TnD": when_set("by a write of an Allocation Tag to Canonically Tagged memory"),
    }
