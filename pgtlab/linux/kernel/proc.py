"""The registers that control translation, as boot sets them on each CPU (`arch/arm64/mm/proc.S`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.arch.registers import MAIR_EL1

if TYPE_CHECKING:
    from pgtlab.arch.registers import TCR_EL1
    from pgtlab.linux.kernel import Kernel

# Normal, Normal (tagged, before MTE is up), Normal Non-cacheable, Device-nGnRnE, Device-nGnRE.
MAIR_EL1_SET = MAIR_EL1(Attr0=0xFF, Attr1=0xFF, Attr2=0x44, Attr3=0x00, Attr4=0x04)


def __cpu_setup(k: Kernel) -> TCR_EL1:
    """Return TCR_EL1: sizes, granules and cacheability of both ranges, for this CPU and configuration."""
    return k.boot.tcr_el1
