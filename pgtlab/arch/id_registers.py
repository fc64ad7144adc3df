"""ID registers that say what a CPU is and has, beside the memory model (Arm ARM D24.2)."""

from __future__ import annotations

from pgtlab.arch.bitfield import BitFields, Field


class ID_AA64MMFR3_EL1(BitFields):
    """Memory Model Feature Register 3: TCR2_EL1, permission indirection and permission overlays of stage 1."""

    TCRX = Field(3, 0)
    S1PIE = Field(11, 8)
    S1POE = Field(19, 16)


class ID_AA64PFR0_EL1(BitFields):
    """Processor Feature Register 0: CSV3 is 1 if speculation cannot read what it may not load (Meltdown)."""

    CSV3 = Field(63, 60)


class ID_AA64PFR1_EL1(BitFields):
    """Processor Feature Register 1: MTE is 2 or 3 with memory that holds tags; GCS are guarded control stacks."""

    MTE = Field(11, 8)
    GCS = Field(47, 44)


class MIDR_EL1(BitFields):
    """Main ID Register: who made the CPU, and which it is."""

    Revision = Field(3, 0)
    PartNum = Field(15, 4)
    Architecture = Field(19, 16)
    Variant = Field(23, 20)
    Implementer = Field(31, 24)
