"""The names that Arm's pseudocode has for what the model does (Arm ARM J1.3, release of March 2023).

Names only, so that a reader can look a rule up where it is defined. Later releases renamed some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pgtlab.arch.descriptor import Descriptor, Leaf, Stage2Leaf, Stage2Table, Table
from pgtlab.arch.fault import Cause, Fault

if TYPE_CHECKING:
    from pgtlab.arch.steps import Translation

#: Before the first table is read: the half of the address space, the registers' fields, the first table.
BEFORE_TABLES: Final = (
    "AArch64.TranslateAddress",
    "AArch64.S1Enabled",
    "AArch64.GetVARange",
    "AArch64.GetS1TTWParams",
    "AArch64.S1TTBaseAddress",
    "AArch64.S1StartLevel",
)

#: The function that finds each fault, in stage 1; in stage 2 where that is another one.
_FINDS: Final = {
    Cause.INPUT_ADDRESS: ("AArch64.VAIsOutOfRange", "AArch64.IPAIsOutOfRange"),
    Cause.START_LEVEL: ("", "AArch64.S2InvalidSL"),
    Cause.DISABLED: ("AArch64.S1EPD", ""),
    Cause.MMU_OFF: ("AArch64.S1DisabledOutput", ""),
    Cause.E0PD: ("AArch64.S1Translate", ""),
    Cause.BASE_ADDRESS: ("AArch64.OAOutOfRange", "AArch64.OAOutOfRange"),
    Cause.READ: ("HandleExternalTTWAbort", "HandleExternalTTWAbort"),
    Cause.DESCRIPTOR: ("AArch64.DecodeDescriptorType", "AArch64.DecodeDescriptorType"),
    Cause.OUTPUT_ADDRESS: ("AArch64.OAOutOfRange", "AArch64.OAOutOfRange"),
    Cause.ACCESS_FLAG: ("AArch64.S1Walk", "AArch64.S2Walk"),
    Cause.PERMISSIONS: ("AArch64.S1CheckPermissions", "AArch64.S2CheckPermissions"),
    Cause.PAN: ("AArch64.S1DirectBasePermissions", ""),
    Cause.OVERLAY: ("AArch64.S1OverlayPermissions", ""),
    Cause.DIRTY_STATE: ("AArch64.S1CheckPermissions", ""),
    Cause.DEVICE_TABLE: ("", "AArch64.S2CheckPermissions"),
}


def of_read(descriptor: Descriptor | None, *, stage: int, first: bool) -> tuple[str, ...]:
    """The functions that decide where a descriptor is, what it is, and what follows from it."""
    entry = f"AArch64.S{stage}SLTTEntryAddress" if first else "AArch64.TTEntryAddress"
    read = (entry, "FetchDescriptor")
    if descriptor is None:
        return read
    decoded = (*read, "AArch64.DecodeDescriptorType")
    match descriptor:
        case Table():
            return (*decoded, "AArch64.S1NextWalkStateTable", "AArch64.NextTableBase", "AArch64.S1ApplyTablePerms")
        case Stage2Table():
            return (*decoded, "AArch64.S2NextWalkStateTable", "AArch64.NextTableBase")
        case Leaf():
            return (*decoded, "AArch64.S1NextWalkStateLeaf", "AArch64.LeafBase", "AArch64.S1ApplyOutputPerms")
        case Stage2Leaf():
            return (*decoded, "AArch64.S2NextWalkStateLeaf", "AArch64.LeafBase", "AArch64.S2ApplyOutputPerms")
    return decoded


def of_outcome(outcome: Translation | Fault) -> tuple[str, ...]:
    """The function that finds a fault, or those that a good walk ends with.

    >>> from pgtlab.arch.fault import FaultKind
    >>> of_outcome(Fault(FaultKind.TRANSLATION, 0, Cause.DISABLED))
    ('AArch64.S1EPD',)
    """
    if isinstance(outcome, Fault):
        return (_FINDS[outcome.cause][outcome.stage - 1],)
    if outcome.level is None:
        return ("AArch64.S1DisabledOutput",)
    ends = ("StageOA", "AArch64.S1CheckPermissions", "S1DecodeMemAttrs")
    return (
        (*ends, "EffectiveShareability")
        if outcome.ipa is None
        else (*ends, "AArch64.S2Translate", "S2CombineS1MemAttrs")
    )
