"""The registers that control translation, as boot sets them on each CPU (`arch/arm64/mm/proc.S`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgtlab.arch.registers import TCR_EL1, TCR_EL2
    from pgtlab.linux.kernel import Kernel


def __cpu_setup(k: Kernel) -> TCR_EL1 | TCR_EL2:
    """Return TCR_EL1: sizes, granules and cacheability of both ranges, for this CPU and configuration."""
    return k.boot.tcr
