"""The EL1&0 translation regime: the registers that translation reads, and the memory that holds the tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pgtlab.arch.fault import Access
from pgtlab.arch.memory import Memory
from pgtlab.arch.registers import MAIR_EL1, SCTLR_EL1, TCR_EL1, TTBR0_EL1, TTBR1_EL1, PARange
from pgtlab.arch.va_range import VARange
from pgtlab.arch.word import is_upper


class UnsupportedRegime(ValueError):
    """Registers that ask for what the model leaves out."""


@dataclass(frozen=True)
class TranslationRegime:
    """The registers and the memory that a translation depends on; `pgtlab.arch.mmu.MMU` translates by them.

    `pa_range` is ID_AA64MMFR0_EL1.PARANGE.

    Raises
    ------
    UnsupportedRegime
        For big-endian tables, SCTLR_EL1.EE = 1.
    """

    memory: Memory
    tcr: TCR_EL1
    ttbr0: TTBR0_EL1 = TTBR0_EL1()
    ttbr1: TTBR1_EL1 = TTBR1_EL1()
    mair: MAIR_EL1 = MAIR_EL1()
    sctlr: SCTLR_EL1 = SCTLR_EL1(M=1, C=1, I=1)
    pa_range: PARange = PARange.PA52

    def __post_init__(self) -> None:
        if self.sctlr.EE:
            raise UnsupportedRegime("SCTLR_EL1.EE=1: tables are read as little-endian only; did you mean EE=0?")

    @cached_property
    def lower(self) -> VARange:
        """The range that TTBR0_EL1 translates."""
        return VARange.of(self.tcr, self.sctlr, self.ttbr0, self.pa_range, upper=False)

    @cached_property
    def upper(self) -> VARange:
        """The range that TTBR1_EL1 translates."""
        return VARange.of(self.tcr, self.sctlr, self.ttbr1, self.pa_range, upper=True)

    def va_range(self, va: int) -> VARange:
        """The range of `va`, which bit 55 chooses."""
        return self.upper if is_upper(va) else self.lower

    def cached(self, access: Access) -> bool:
        """Whether an access to Normal memory may use caches: SCTLR_EL1.I for a fetch, SCTLR_EL1.C for data."""
        return bool(self.sctlr.I if access is Access.FETCH else self.sctlr.C)

    def walked(self, r: VARange) -> bool:
        """Whether the tables of a range are read: translation is on, and nothing refuses all walks from EL1."""
        return bool(self.sctlr.M) and r.refusal(el=1) is None
