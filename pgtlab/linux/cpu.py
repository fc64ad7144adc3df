"""CPUs as the kernel sees them at boot: their ID registers.

The presets are those of QEMU 7.2, on which the recorded boots ran (`cpu64.c`; the registers of `max` were read from a
running kernel). The real CPU of the same name may differ: an A64FX has more address bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pgtlab.arch.granule import Granule, GranuleSupport
from pgtlab.arch.registers import ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1, ID_AA64MMFR2_EL1


class CPUError(ValueError):
    """There is no preset of that name."""


@dataclass(frozen=True)
class CPU:
    """A CPU: its name and its memory-model feature registers.

    >>> CPU.named("neoverse-n1").mmfr0.PARANGE.bits
    48
    >>> CPU.named("max,lpa2=off").mmfr0.TGRAN16
    1
    """

    name: str
    mmfr0: ID_AA64MMFR0_EL1
    mmfr1: ID_AA64MMFR1_EL1
    mmfr2: ID_AA64MMFR2_EL1

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the presets."""
        return tuple(CPUS)

    @classmethod
    def named(cls, name: str) -> CPU:
        """The preset of that name; `max,lpa2=off` is `max` without LPA2.

        Raises
        ------
        CPUError
            If there is none.
        """
        if name not in CPUS:
            raise CPUError(f"unknown CPU {name!r}: choose from {', '.join(CPUS)}")
        return CPUS[name]

    @property
    def title(self) -> str:
        """Its name in words.

        >>> CPU.named("max,lpa2=off").title
        'max without LPA2'
        """
        return self.name.replace(",lpa2=off", " without LPA2")

    def supports(self, granule: Granule) -> GranuleSupport:
        """Whether this CPU supports a granule, and with LPA2 or without."""
        return granule.support(self.mmfr0)

    @property
    def has_lva(self) -> bool:
        """FEAT_LVA: 52-bit virtual addresses with the 64K granule."""
        return self.mmfr2.VARANGE >= 1

    def has_lpa2(self, granule: Granule) -> bool:
        """FEAT_LPA2: 52-bit addresses with the 4K or 16K granule, through TCR_EL1.DS."""
        return self.supports(granule) is GranuleSupport.LPA2

    def without_lpa2(self) -> CPU:
        """The same CPU with LPA2 off, in both stages, as QEMU's `lpa2=off` property makes it."""
        mmfr0 = self.mmfr0.replace(TGRAN4=0, TGRAN16=1, TGRAN4_2=2, TGRAN16_2=2)
        return CPU(f"{self.name},lpa2=off", mmfr0, self.mmfr1, self.mmfr2)

    def __repr__(self) -> str:
        return f"CPU({self.name!r})"


def _cpu(name: str, mmfr0: int, mmfr1: int, mmfr2: int) -> CPU:
    return CPU(name, ID_AA64MMFR0_EL1(mmfr0), ID_AA64MMFR1_EL1(mmfr1), ID_AA64MMFR2_EL1(mmfr2))


_MAX = _cpu("max", 0x0000032310201126, 0x0000011010211122, 0x1021011010011011)

CPUS: Final = {
    cpu.name: cpu
    for cpu in (
        _MAX,
        _MAX.without_lpa2(),
        _cpu("cortex-a53", 0x1122, 0, 0),
        _cpu("cortex-a57", 0x1124, 0, 0),
        _cpu("cortex-a72", 0x1124, 0, 0),
        _cpu("cortex-a76", 0x101122, 0x10212122, 0x1011),
        _cpu("neoverse-n1", 0x101125, 0x10212122, 0x1011),
        _cpu("a64fx", 0x1122, 0x11212100, 0x1011),
    )
}
