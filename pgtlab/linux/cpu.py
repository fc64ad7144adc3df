"""CPUs as the kernel sees them at boot: their ID registers.

The first eight are the CPUs of QEMU 7.2, on which the kernels of the story were booted; a real CPU of the same name may
differ: an A64FX has more address bits. `source` says where the registers of each come from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from pgtlab.arch.granule import Granule, GranuleSupport
from pgtlab.arch.id_registers import ID_AA64MMFR3_EL1, ID_AA64PFR0_EL1, ID_AA64PFR1_EL1, MIDR_EL1
from pgtlab.arch.registers import ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1, ID_AA64MMFR2_EL1
from pgtlab.limits import quoted

# Fields that say that a feature is missing: what an older CPU has in a register that came later.
_NOTHING_0, _NOTHING_1, _NOTHING_3 = ID_AA64PFR0_EL1(), ID_AA64PFR1_EL1(), ID_AA64MMFR3_EL1()
_NO_MIDR = MIDR_EL1()


class CPUError(ValueError):
    """There is no preset of that name."""


@dataclass(frozen=True)
class CPU:
    """A CPU: its name and its feature registers, as far as the kernel reads them for its page tables.

    >>> CPU.named("neoverse-n1").mmfr0.PARANGE.bits
    48
    >>> CPU.named("max,lpa2=off").mmfr0.TGRAN16
    1
    >>> CPU.named("graviton4").name
    'neoverse-v2'
    """

    name: str
    mmfr0: ID_AA64MMFR0_EL1
    mmfr1: ID_AA64MMFR1_EL1
    mmfr2: ID_AA64MMFR2_EL1
    mmfr3: ID_AA64MMFR3_EL1 = _NOTHING_3
    pfr0: ID_AA64PFR0_EL1 = _NOTHING_0
    pfr1: ID_AA64PFR1_EL1 = _NOTHING_1
    midr: MIDR_EL1 = _NO_MIDR
    has_pauth: bool = False
    source: str = ""

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
        name = ALIASES.get(name, name)
        if name not in CPUS:
            raise CPUError(f"unknown CPU {quoted(name)}: choose from {', '.join(CPUS)}")
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

    @property
    def has_vhe(self) -> bool:
        """FEAT_VHE: a kernel can run at EL2 with the registers' EL1 names."""
        return self.mmfr1.VH >= 1

    @property
    def has_mte(self) -> bool:
        """FEAT_MTE: instructions for tags; with memory that holds tags a kernel uses them."""
        return self.pfr1.MTE >= 1

    def has_lpa2(self, granule: Granule) -> bool:
        """FEAT_LPA2: 52-bit addresses with the 4K or 16K granule, through TCR_EL1.DS."""
        return self.supports(granule) is GranuleSupport.LPA2

    def without_lpa2(self) -> CPU:
        """The same CPU with LPA2 off, in both stages, as QEMU's `lpa2=off` property makes it."""
        mmfr0 = self.mmfr0.replace(TGRAN4=0, TGRAN16=1, TGRAN4_2=2, TGRAN16_2=2)
        return replace(self, name=f"{self.name},lpa2=off", mmfr0=mmfr0)

    def __repr__(self) -> str:
        return f"CPU({self.name!r})"


def _from(source: str) -> Callable[..., CPU]:
    def cpu(
        name: str,
        midr: int,
        mmfr0: int,
        mmfr1: int,
        mmfr2: int,
        mmfr3: int = 0,
        *,
        pfr0: int = 0,
        pfr1: int = 0,
        has_pauth: bool = False,
    ) -> CPU:
        return CPU(
            name,
            ID_AA64MMFR0_EL1(mmfr0),
            ID_AA64MMFR1_EL1(mmfr1),
            ID_AA64MMFR2_EL1(mmfr2),
            ID_AA64MMFR3_EL1(mmfr3),
            ID_AA64PFR0_EL1(pfr0),
            ID_AA64PFR1_EL1(pfr1),
            MIDR_EL1(midr),
            has_pauth,
            source,
        )

    return cpu


_CSV3: Final = ID_AA64PFR0_EL1(CSV3=1).value
_qemu = _from("QEMU 7.2; MTE as with `-M virt,mte=on`")
_max = _qemu(
    *("max", 0x000F0510, 0x0000032310201126, 0x0000011010211122, 0x1021011010011011),
    pfr0=_CSV3,
    pfr1=0x0000000001000321,
    has_pauth=True,
)
_newer = _from("QEMU 11.1.3; MTE as with `-M virt,mte=on`")
_max_11 = _newer(
    *("max-11.1", 0x000F0510, 0x2100032310201126, 0x0110112010312122, 0x1221011112011011, 0x1000000011001111),
    pfr0=_CSV3,
    pfr1=0x0010101012000321,
    has_pauth=True,
)
_later = _from("the Arm core's manual, as QEMU 11.1 has it (`target/arm/tcg/cpu64.c`)")
_read = _from("read on the machine: github.com/lelegard/arm-cpusysregs")
_fields = _from(
    "features of the Arm core, not compared with its manual or a machine; only the fields that this model reads"
)
_m2 = _from("read on an M2 Max: VirtualBox's CPU database (`ARM_Apple_M2_Max.h`)")

#: The CPUs that the kernels of the story were booted on.
RECORDED: Final = (
    _max,
    _max.without_lpa2(),
    _qemu("cortex-a53", 0x410FD034, 0x1122, 0, 0, pfr0=0x2222),
    _qemu("cortex-a57", 0x411FD070, 0x1124, 0, 0, pfr0=0x2222),
    _qemu("cortex-a72", 0x410FD083, 0x1124, 0, 0, pfr0=0x2222),
    _qemu("cortex-a76", 0x414FD0B1, 0x101122, 0x10212122, 0x1011, pfr0=0x1100000010111112, pfr1=0x10),
    _qemu("neoverse-n1", 0x414FD0C1, 0x101125, 0x10212122, 0x1011, pfr0=0x1100000010111112, pfr1=0x20),
    _qemu("a64fx", 0x461F0010, 0x1122, 0x11212100, 0x1011, pfr0=0x0000000101111111),
)

CPUS: Final = {
    cpu.name: cpu
    for cpu in (
        *RECORDED,
        _max_11,
        _max_11.without_lpa2(),
        _fields("cortex-a78", 0x411FD412, 0x101122, 0x10212122, 0x100001011, pfr0=0x1100000010111112, pfr1=0x10),
        _later(
            *("cortex-a710", 0x412FD471, 0x0000022200101122, 0x10212122, 0x1221011110101011),
            pfr0=0x1201111120111112,
            pfr1=0x221,
            has_pauth=True,
        ),
        _fields(
            *("cortex-x4", 0x410FD821, 0x0000022200101122, 0x10312122, 0x1221011110101011),
            pfr0=0x1201111120111112,
            pfr1=0x321,
            has_pauth=True,
        ),
        _later(
            *("neoverse-v1", 0x411FD402, 0x0000000000101125, 0x10212122, 0x0220011102101011),
            pfr0=0x1101110120111112,
            pfr1=0x20,
            has_pauth=True,
        ),
        _later(
            *("neoverse-n2", 0x410FD493, 0x0000022200101125, 0x10212122, 0x1221011112101011),
            pfr0=0x1201111120111112,
            pfr1=0x221,
            has_pauth=True,
        ),
        _fields(
            *("neoverse-v2", 0x410FD4F1, 0x0000022200101125, 0x10212122, 0x1221011112101011),
            pfr0=0x1201111120111112,
            pfr1=0x321,
            has_pauth=True,
        ),
        _read(
            *("apple-m1", 0x611F0231, 0x000012120F100001, 0x11212100, 0x1201111100001011),
            pfr0=0x1101000010110111,
            pfr1=0x20,
            has_pauth=True,
        ),
        _m2(
            *("apple-m2", 0x611F0390, 0x110012120F100003, 0x0000001111212100, 0x1201111102001011),
            pfr0=0x1101000010110111,
            pfr1=0x21,
            has_pauth=True,
        ),
    )
}

#: Machines named after the core that they have.
ALIASES: Final = {
    "graviton2": "neoverse-n1",
    "graviton3": "neoverse-v1",
    "graviton4": "neoverse-v2",
    "ampere-altra": "neoverse-n1",
    "cobalt-100": "neoverse-n2",
    "nvidia-grace": "neoverse-v2",
}
