"""What a file says about the machine whose memory it has, before anything is derived from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config

if TYPE_CHECKING:
    from pgtlab.arch.memory import Memory
    from pgtlab.linux.images.vmcoreinfo import VmcoreInfo

#: The registers that an image can carry; those of identification say what the CPU has.
REGISTERS: Final[tuple[str, ...]] = (
    "TCR_EL1",
    "TTBR0_EL1",
    "TTBR1_EL1",
    "MAIR_EL1",
    "SCTLR_EL1",
    "TCR2_EL1",
    "PIR_EL1",
    "PIRE0_EL1",
    "POR_EL1",
    "POR_EL0",
    "PSTATE",
    "TCR_EL2",
    "TTBR0_EL2",
    "TTBR1_EL2",
    "MAIR_EL2",
    "SCTLR_EL2",
    "TCR2_EL2",
    "PIR_EL2",
    "PIRE0_EL2",
    "POR_EL2",
    "HCR_EL2",
    "VTCR_EL2",
    "VTTBR_EL2",
    "SCR_EL3",
    "GPCCR_EL3",
    "ID_AA64MMFR0_EL1",
    "ID_AA64MMFR1_EL1",
    "ID_AA64MMFR2_EL1",
)


class ImageError(ValueError):
    """An image that cannot be read, or that lacks something that is needed."""


@dataclass(frozen=True)
class Contents:
    """Memory, and what else the file says: registers by name, the kernel, the CPU, symbols.

    `symbols` and `numbers` are those of a VMCOREINFO note: virtual addresses, and what the kernel calls
    `NUMBER(name)`, with `PAGESIZE` and `KERNELOFFSET`; `physical` has physical addresses of symbols. `notes` are
    sentences for the reader. `infos` are the VMCOREINFOs that the file has as such, `search` looks for others
    in memory.
    """

    memory: Memory
    registers: Mapping[str, int] = field(default_factory=dict)
    config: Config | None = None
    cpu: CPU | None = None
    kpti: bool = False
    symbols: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    physical: Mapping[str, int] = field(default_factory=dict)
    osrelease: str | None = None
    notes: tuple[str, ...] = ()
    infos: tuple[VmcoreInfo, ...] = ()
    search: Callable[[], Iterator[VmcoreInfo]] = lambda: iter(())
