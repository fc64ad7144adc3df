"""Which registers count: those of EL1, or of EL2 where the kernel runs there, and whether a guest is below.

A kernel that starts in EL2 on a CPU with VHE stays there. Its TCR_EL1 keeps what it had when it moved, so that a
debugger shows a stale value; HCR_EL2.E2H says that TCR_EL2 and those beside it are in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import (
    HCR_EL2,
    ID_AA64MMFR0_EL1,
    MAIR_EL1,
    MAIR_EL2,
    PIR_EL1,
    PIRE0_EL1,
    POR_EL0,
    POR_EL1,
    SCTLR_EL1,
    SCTLR_EL2,
    TCR2_EL1,
    TCR2_EL2,
    TCR_EL1,
    TCR_EL2,
    TTBR0_EL1,
    TTBR0_EL2,
    TTBR1_EL1,
    TTBR1_EL2,
    VTCR_EL2,
    VTTBR_EL2,
    PARange,
)
from pgtlab.linux.images.contents import ImageError

if TYPE_CHECKING:
    from pgtlab.arch.memory import Memory

#: The registers that EL1 and EL2 have each.
BANKED: Final = ("TCR", "TTBR0", "TTBR1", "MAIR", "SCTLR", "TCR2", "PIR", "PIRE0", "POR")
_EVERYTHING: Final = 0x7777_7777_7777_7777  # of POR_EL1 and POR_EL0: overlays that take nothing away
_PAN: Final = 1 << 22  # of PSTATE
_NSE: Final = 1 << 62  # of SCR_EL3: the realm world, or the root world
_GRANULE_PROTECTION: Final = 1 << 16  # GPCCR_EL3.GPC


def runs_in_el2(registers: Mapping[str, int]) -> bool:
    """Whether the kernel runs in EL2, so that the registers of EL2 count.

    >>> runs_in_el2({"TCR_EL1": 0x3510, "TCR_EL2": 0x350c, "HCR_EL2": 0x488000000}), runs_in_el2({"TCR_EL1": 0x3510})
    (True, False)
    """
    if "HCR_EL2" in registers:
        return bool(HCR_EL2(registers["HCR_EL2"]).E2H)
    return "TCR_EL2" in registers and "TCR_EL1" not in registers


def in_force(registers: Mapping[str, int]) -> dict[str, int]:
    """The registers that count; those of a kernel in EL2 under the names of EL1, and without HCR_EL2."""
    if not runs_in_el2(registers):
        return dict(registers)
    stale = {f"{name}_EL1" for name in BANKED}
    counting = {name: value for name, value in registers.items() if name not in stale and name != "HCR_EL2"}
    for name in BANKED:
        if f"{name}_EL2" in registers:
            counting[f"{name}_EL1"] = counting.pop(f"{name}_EL2")
    return counting


def by_own_names(counting: Mapping[str, int], registers: Mapping[str, int]) -> dict[str, int]:
    """What counts under its own names again, beside what the image has of the other level."""
    if not runs_in_el2(registers):
        return dict(counting)
    names = {f"{name}_EL1": f"{name}_EL2" for name in BANKED}
    host = {"HCR_EL2": int(HCR_EL2(E2H=1, TGE=1))}
    return host | dict(registers) | {names.get(name, name): value for name, value in counting.items()}


def mmu_by(memory: Memory, registers: Mapping[str, int], pa_range: PARange, mair: MAIR_EL1) -> MMU:
    """The MMU that reads `memory` with these registers, with zero for a root that is not known.

    `registers` are under their own names, or as `in_force` has them; `mair` counts where they have none.

    Raises
    ------
    ImageError
        Where the registers ask for what the model leaves out.
    """
    host = runs_in_el2(registers)
    counting = in_force(registers)

    def value(name: str) -> int:
        return counting.get(name, 0)

    if value("SCR_EL3") & _NSE or value("GPCCR_EL3") & _GRANULE_PROTECTION:
        which = "SCR_EL3.NSE" if value("SCR_EL3") & _NSE else "GPCCR_EL3.GPC"
        raise ImageError(f"{which}=1: realms and granule protection (FEAT_RME) are not modelled")
    hcr = HCR_EL2(registers.get("HCR_EL2", int(HCR_EL2(E2H=1, TGE=1)) if host else 0))
    if hcr.VM and not host and SCTLR_EL2(value("SCTLR_EL2")).EE:
        raise ImageError("SCTLR_EL2.EE=1: the tables of stage 2 are big-endian, and pgtlab reads little-endian ones")
    extended = TCR2_EL1(value("TCR2_EL1"))
    if extended.PIE and not {"PIR_EL1", "PIRE0_EL1"} <= counting.keys():
        raise ImageError(
            f"{'TCR2_EL2' if host else 'TCR2_EL1'}.PIE=1: what is allowed is in PIR and PIRE0, and the image does not "
            f"say them: give {'PIR_EL2 and PIRE0_EL2' if host else 'PIR_EL1 and PIRE0_EL1'} (--register NAME=VALUE)"
        )
    tcr, ttbr0, ttbr1, types, sctlr, tcr2 = (
        (TCR_EL2, TTBR0_EL2, TTBR1_EL2, MAIR_EL2, SCTLR_EL2, TCR2_EL2)
        if host
        else (TCR_EL1, TTBR0_EL1, TTBR1_EL1, MAIR_EL1, SCTLR_EL1, TCR2_EL1)
    )
    try:
        mmu = MMU(
            memory,
            tcr(value("TCR_EL1")),
            ttbr0(value("TTBR0_EL1")),
            ttbr1(value("TTBR1_EL1")),
            types(counting.get("MAIR_EL1", int(mair))),
            sctlr(value("SCTLR_EL1")),
            pa_range,
            pan=bool(value("PSTATE") & _PAN),
            tcr2=tcr2(value("TCR2_EL1")),
            pir=PIR_EL1(value("PIR_EL1")),
            pire0=PIRE0_EL1(value("PIRE0_EL1")),
            por_el1=POR_EL1(counting.get("POR_EL1", _EVERYTHING)),
            por_el0=POR_EL0(counting.get("POR_EL0", _EVERYTHING)),
            hcr=hcr,
            vtcr=VTCR_EL2(value("VTCR_EL2")),
            vttbr=VTTBR_EL2(value("VTTBR_EL2")),
        )
    except ValueError as error:
        raise ImageError(str(error)) from None
    if hcr.VM and not host and not {"VTCR_EL2", "VTTBR_EL2"} <= registers.keys():
        raise ImageError(
            "HCR_EL2.VM=1: there is a second stage, and the image does not say its registers: give VTCR_EL2 and "
            "VTTBR_EL2 (--register NAME=VALUE)"
        )
    return mmu


def pa_range_of(mmfr0: int) -> PARange:
    """The size of physical addresses that ID_AA64MMFR0_EL1 says; more than 52 bits count as 52."""
    return PARange(min(ID_AA64MMFR0_EL1(mmfr0).PARANGE, PARange.PA52))


def regime_notes(registers: Mapping[str, int]) -> tuple[str, ...]:
    """What a reader should know of the choice of registers, and of what is taken for granted."""
    notes = []
    if runs_in_el2(registers):
        stale = ", and TCR_EL1 is stale" if "TCR_EL1" in registers and "TCR_EL2" in registers else ""
        notes.append(f"the kernel runs in EL2 (HCR_EL2.E2H=1), so TCR_EL2 and those beside it count{stale}")
    counting = in_force(registers)
    extended = TCR2_EL1(counting.get("TCR2_EL1", 0))
    if extended.E0POE and "POR_EL0" not in counting:
        notes.append("TCR2.E0POE=1, and the image has no POR_EL0: overlays are taken to forbid nothing to EL0")
    if extended.POE and "POR_EL1" not in counting:
        notes.append("TCR2.POE=1, and the image has no POR_EL1: overlays are taken to forbid nothing to the kernel")
    return tuple(notes)
