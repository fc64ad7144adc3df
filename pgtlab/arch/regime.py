"""A translation regime, EL1&0 or EL2&0: the registers that translation reads, and the memory that holds the tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Self

from pgtlab.arch.bitfield import BitFields
from pgtlab.arch.fault import Access, AccessDescriptor
from pgtlab.arch.memory import Memory
from pgtlab.arch.permissions import PermissionRules
from pgtlab.arch.registers import (
    HCR_EL2,
    MAIR_EL1,
    PIR_EL1,
    PIRE0_EL1,
    POR_EL0,
    POR_EL1,
    SCTLR_EL1,
    TCR2_EL1,
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
from pgtlab.arch.stage2 import Stage2
from pgtlab.arch.va_range import VARange
from pgtlab.arch.word import is_upper


class UnsupportedRegime(ValueError):
    """Registers that ask for what the model leaves out."""


#: Fields that ask for what the model leaves out, and what that is.
_LEFT_OUT: Final = (
    ("tcr2", "D128", "descriptors of 128 bits (FEAT_D128)"),
    ("tcr2", "AIE", "sixteen memory types, with MAIR2_EL1 (FEAT_AIE)"),
    ("tcr2", "PnCH", "protected descriptors (FEAT_THE)"),
    ("hcr", "DC", "the default memory type of a guest whose translation is off"),
    ("hcr", "NV1", "nested virtualization (FEAT_NV)"),
)
_LEFT_OUT_OF_STAGE_2: Final = (
    ("D128", "descriptors of 128 bits (FEAT_D128)"),
    ("S2PIE", "indirect permissions of stage 2 (FEAT_S2PIE)"),
    ("S2POE", "permission overlays of stage 2 (FEAT_S2POE)"),
    ("AssuredOnly", "assured translations (FEAT_THE)"),
    ("TL0", "protected first tables (FEAT_THE)"),
    ("TL1", "protected first tables (FEAT_THE)"),
    ("HAFT", "an access flag in tables of stage 2 (FEAT_HAFT)"),
)


@dataclass(frozen=True)
class TranslationRegime:
    """The registers and the memory that a translation depends on; `pgtlab.arch.mmu.MMU` translates by them.

    The class of `tcr` decides: with a `TCR_EL2` the regime is EL2&0, that of a host in EL2, and the other registers are
    those of EL2 too. `pa_range` is ID_AA64MMFR0_EL1.PARANGE, and `pan` is PSTATE.PAN. With HCR_EL2.VM = 1 the EL1&0
    regime has a stage 2, by `vtcr` and `vttbr`.

    Raises
    ------
    UnsupportedRegime
        For what the model leaves out, by the name of the field that asks for it.
    """

    memory: Memory
    tcr: TCR_EL1 | TCR_EL2
    ttbr0: TTBR0_EL1 | TTBR0_EL2 = TTBR0_EL1()
    ttbr1: TTBR1_EL1 | TTBR1_EL2 = TTBR1_EL1()
    mair: MAIR_EL1 = MAIR_EL1()
    sctlr: SCTLR_EL1 = SCTLR_EL1(M=1, C=1, I=1)
    pa_range: PARange = PARange.PA52
    pan: bool = False
    tcr2: TCR2_EL1 = TCR2_EL1()
    pir: PIR_EL1 = PIR_EL1()
    pire0: PIRE0_EL1 = PIRE0_EL1()
    por_el1: POR_EL1 = POR_EL1()
    por_el0: POR_EL0 = POR_EL0()
    hcr: HCR_EL2 = HCR_EL2()
    vtcr: VTCR_EL2 = VTCR_EL2()
    vttbr: VTTBR_EL2 = VTTBR_EL2()

    def __post_init__(self) -> None:
        if self.sctlr.EE:
            raise UnsupportedRegime(
                f"SCTLR_EL{self.privileged}.EE=1: tables are read as little-endian only; did you mean EE=0?"
            )
        for register, field, what in _LEFT_OUT:
            word: BitFields = getattr(self, register)
            if (not self.host or register != "hcr") and getattr(word, field):
                raise UnsupportedRegime(
                    f"{self._named(word)}.{field}=1: {what} are not modelled; the model has {field}=0"
                )
        if self.host and not self.hcr.E2H:
            raise UnsupportedRegime(
                "TCR_EL2 with HCR_EL2.E2H=0: the EL2 regime, which has one range, is not modelled; with E2H=1 (and "
                "TGE=1 for EL0) it is EL2&0"
            )
        if not self.host and self.hcr.TGE:
            raise UnsupportedRegime(
                "HCR_EL2.TGE=1: EL0 is not translated by the registers of EL1; give TCR_EL2 and those beside it"
            )
        if self.stage2 is not None:
            for field, what in _LEFT_OUT_OF_STAGE_2:
                if getattr(self.vtcr, field):
                    raise UnsupportedRegime(f"VTCR_EL2.{field}=1: {what} are not modelled; the model has {field}=0")

    def _named(self, word: BitFields) -> str:
        name = type(word).__name__
        return name.replace("_EL1", "_EL2") if self.host else name

    @property
    def host(self) -> bool:
        """Whether the regime is EL2&0, that of a host in EL2 (VHE)."""
        return isinstance(self.tcr, TCR_EL2)

    @property
    def privileged(self) -> int:
        """The exception level of the regime that is not EL0."""
        return 2 if self.host else 1

    @property
    def name(self) -> str:
        """`EL1&0` or `EL2&0`."""
        return f"EL{self.privileged}&0"

    @cached_property
    def stage2(self) -> Stage2 | None:
        """Stage 2, which translates what stage 1 leads to; None where there is none."""
        if self.host or not self.hcr.VM:
            return None
        return Stage2.of(self.vtcr, self.vttbr, self.hcr, self.pa_range)

    @cached_property
    def lower(self) -> VARange:
        """The range that TTBR0 translates."""
        return VARange.of(self.tcr, self.sctlr, self.ttbr0, self.pa_range, self.tcr2, upper=False)

    @cached_property
    def upper(self) -> VARange:
        """The range that TTBR1 translates."""
        return VARange.of(self.tcr, self.sctlr, self.ttbr1, self.pa_range, self.tcr2, upper=True)

    def va_range(self, va: int) -> VARange:
        """The range of `va`, which bit 55 chooses."""
        return self.upper if is_upper(va) else self.lower

    def level(self, el: int | None) -> int:
        """An exception level of the regime; without one, the privileged one.

        Raises
        ------
        ValueError
            Where the regime does not translate for `el`.
        """
        if el is None:
            return self.privileged
        if el not in (0, self.privileged):
            nearest = 0 if el < 1 else self.privileged
            raise ValueError(f"EL{el} is not translated by the {self.name} regime; did you mean EL{nearest}?")
        if el == 0 and self.host and not self.hcr.TGE:
            raise ValueError("EL0 is not translated by the EL2&0 regime with HCR_EL2.TGE=0; did you mean EL2?")
        return el

    def access(self, access: Access, el: int | None) -> AccessDescriptor:
        """A load, a store or a fetch at an exception level of the regime."""
        return AccessDescriptor(access, self.level(el))

    def permission_rules(self, r: VARange, d: AccessDescriptor) -> PermissionRules:
        """The rules by which an access is allowed or not."""
        known = self._permission_rules.get((r.upper, d.pan))
        if known is None:
            known = self._permission_rules[r.upper, d.pan] = self._make_permission_rules(r, d)
        return known

    @cached_property
    def _permission_rules(self) -> dict[tuple[bool, bool], PermissionRules]:
        return {}

    def _make_permission_rules(self, r: VARange, d: AccessDescriptor) -> PermissionRules:
        return PermissionRules(
            hd=r.hd,
            wxn=r.wxn,
            pan=self.pan and d.pan,
            epan=bool(self.sctlr.EPAN),
            pie=bool(self.tcr2.PIE),
            pir=int(self.pir),
            pire0=int(self.pire0),
            poe=bool(self.tcr2.POE),
            e0poe=bool(self.tcr2.E0POE),
            por_el1=int(self.por_el1),
            por_el0=int(self.por_el0),
        )

    def cached(self, access: Access) -> bool:
        """Whether an access to Normal memory may use caches: SCTLR.I for a fetch, SCTLR.C for data."""
        return bool(self.sctlr.I if access is Access.FETCH else self.sctlr.C)

    def walked(self, r: VARange) -> bool:
        """Whether the tables of a range are read: translation is on, and nothing refuses all walks from EL1."""
        return bool(self.sctlr.M) and r.refusal(el=self.privileged) is None

    @cached_property
    def table_memory(self) -> Memory:
        """The memory that tables of stage 1 are in, by the addresses that they have: in a guest intermediate ones."""
        if self.stage2 is None:
            return self.memory
        from pgtlab.arch.tables.guest import guest_memory  # only a guest needs it

        return guest_memory(self.memory, self.stage2)

    def in_handler(self) -> Self:
        """The same in a handler of an exception: PSTATE.PAN is set there, unless SCTLR.SPAN leaves it as it was.

        >>> from pgtlab.arch.mmu import MMU
        >>> guarded = MMU(Memory(0, 0, 12), TCR_EL1(T0SZ=16), sctlr=SCTLR_EL1(M=1, SPAN=0))
        >>> guarded.in_handler().pan, replace(guarded, sctlr=SCTLR_EL1(M=1, SPAN=1)).in_handler().pan
        (True, False)
        """
        return self if self.sctlr.SPAN else replace(self, pan=True)
