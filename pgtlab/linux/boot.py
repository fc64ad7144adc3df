"""The result of booting a kernel on a CPU: it stops, or both agree on an address space.

The decisions are those of `arch/arm64/kernel/head.S` (does the CPU have the granule?), `pi/map_kernel.c` (how many bits
of virtual address?), `kernel/cpufeature.c` (KPTI) and `mm/proc.S` (the registers: `pgtlab.linux.registers`), v6.12.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache
from typing import NoReturn

from pgtlab.arch.bitfield import BitFields
from pgtlab.arch.granule import GranuleSupport
from pgtlab.arch.registers import MAIR_EL1, MAIR_EL2, TCR_EL1, TCR_EL2
from pgtlab.linux import cpufeature, headers, registers
from pgtlab.linux.constants import Constants
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config

_AT_MOST = ("TCR_EL1", "TCR_EL2", "MAIR_EL1", "TCR2_EL1", "PIR_EL1", "PIRE0_EL1")  # None where a machine lacks them
LINUX_LEVELS = ("pgd", "p4d", "pud", "pmd", "pte")


class BootError(ValueError):
    """A kernel that its CPU cannot run was used as a booted one."""


class Fold(Enum):
    """Whether one of Linux's levels is real, or how it is folded."""

    REAL = "real"
    COMPILE_TIME = "folded at compile time"
    RUN_TIME = "folded at run time"


@dataclass(frozen=True)
class NoBoot:
    """A kernel that its CPU cannot run: it stops in head.S, before its first message.

    The attributes of a booted kernel raise a `BootError` with the reason.

    >>> boot(Config("16k"), "cortex-a72").vabits_actual
    Traceback (most recent call last):
    pgtlab.linux.boot.BootError: cortex-a72 has no 16K granule (ID_AA64MMFR0_EL1.TGRAN16): the kernel stops in head.S
    before its first message
    """

    config: Config
    cpu: CPU

    @property
    def reason(self) -> str:
        """Why the kernel does not boot, in one sentence."""
        granule = self.config.granule
        return (
            f"{self.cpu.name} has no {granule} granule (ID_AA64MMFR0_EL1.TGRAN{granule.size >> 10}): "
            "the kernel stops in head.S before its first message"
        )

    def __getattr__(self, name: str) -> NoReturn:
        if not name.startswith("_") and hasattr(Boot, name):
            raise BootError(self.reason)
        raise AttributeError(f"a kernel that does not boot has no {name}")

    def as_dict(self) -> dict[str, object]:
        """The kernel as plain data, as `pgtlab config --json` prints it: `runtime` is None, and `reason` says why."""
        return _configured(self) | {"runtime": None, "reason": self.reason}

    def __str__(self) -> str:
        return f"{_named(self)}\ndoes not boot: {self.reason}"

    def __repr__(self) -> str:
        return f"NoBoot({self.config!r} on {self.cpu.name}: it has no {self.config.granule} granule)"


@dataclass(frozen=True)
class Boot:
    """A kernel configuration that runs on a CPU: the bits of virtual address in use, and which levels are real.

    >>> b = boot(Config("16k", 52), CPU.named("max,lpa2=off"))
    >>> b.vabits_actual, b.start_level, b.folded["pud"].value
    (47, 1, 'folded at run time')
    """

    config: Config
    cpu: CPU
    kpti: bool = False
    kaslr: bool = False
    el2: bool = False
    mte: bool = False

    def __repr__(self) -> str:
        folds = "".join(f", {name} {fold.value}" for name, fold in self.folded.items() if fold is not Fold.REAL)
        return (
            f"Boot({self.config!r} on {self.cpu.name}: {self.vabits_actual} bits, "
            f"the walk starts at level {self.start_level}{folds})"
        )

    def __str__(self) -> str:
        return "\n".join(
            [
                _named(self),
                f"vabits_actual {self.vabits_actual}, the walk starts at level {self.start_level}",
                *(f"{name} {fold.value}" for name, fold in self.folded.items()),
                *(["kernel page-table isolation: at EL0 TTBR1_EL1 is tramp_pg_dir"] if self.kpti else []),
                *(["the kernel runs at EL2 (VHE): TCR_EL1 is what it left there"] if self.vhe else []),
                *(repr(value).replace(type(value).__name__, name, 1) for name, value in self.registers.items()),
            ]
        )

    def as_dict(self) -> dict[str, object]:
        """The kernel as plain data, as `pgtlab config --json` prints it; `runtime` has what the boot decided."""
        return _configured(self) | {
            "runtime": {
                "vabits_actual": self.vabits_actual,
                "kpti": self.kpti,
                "ttbr1_at_el0": self.ttbr1_at_el0,
                **{name.lower(): None for name in _AT_MOST},
                **{name.lower(): f"{value.value:#x}" for name, value in self.registers.items()},
                "start_level": self.start_level,
                "folded": {name: fold.value for name, fold in self.folded.items()},
                **self.runtime_constants.as_dict(),
            }
        }

    @cached_property
    def has_va52(self) -> bool:
        """The capability ARM64_HAS_VA52: the kernel was built for 52-bit addresses and the CPU has them."""
        if self.config.va_bits != 52:
            return False
        granule = self.config.granule
        return self.cpu.has_lpa2(granule) if self.config.ARM64_LPA2 else self.cpu.has_lva

    @property
    def lpa2_is_enabled(self) -> bool:
        """Whether TCR_EL1.DS is set."""
        return self.config.ARM64_LPA2 and self.has_va52

    @cached_property
    def vabits_actual(self) -> int:
        """Bits of virtual address in use: VA_BITS, or VA_BITS_MIN if the CPU does not have 52-bit addresses."""
        k = self.config.constants
        return k.VA_BITS if self.config.va_bits < 52 or self.has_va52 else k.VA_BITS_MIN

    @cached_property
    def start_level(self) -> int:
        """The level at which the MMU starts."""
        return self.config.granule.start_level(self.vabits_actual)

    @property
    def vhe(self) -> bool:
        """Whether the kernel runs at EL2: it was started there, and the CPU has FEAT_VHE."""
        return self.el2 and self.cpu.has_vhe

    @cached_property
    def tcr(self) -> TCR_EL1 | TCR_EL2:
        """The TCR that controls the kernel's translations: TCR_EL1, or TCR_EL2 with VHE."""
        return TCR_EL2(registers.tcr(self).value) if self.vhe else registers.tcr(self)

    @cached_property
    def tcr_el1(self) -> TCR_EL1:
        """TCR_EL1; with VHE what the kernel left there when it moved to EL2, and `tcr` is what counts."""
        return registers.tcr(self, at_setup=self.vhe)

    @property
    def tcr_el2(self) -> TCR_EL2 | None:
        """TCR_EL2 of a kernel at EL2; None for one at EL1, where it is not the kernel's or 0."""
        return TCR_EL2(self.tcr.value) if self.vhe else None

    @property
    def mair(self) -> MAIR_EL1:
        """The memory types of the kernel's translations: MAIR_EL1, or MAIR_EL2 with VHE."""
        return registers.mair(self)

    @cached_property
    def registers(self) -> dict[str, BitFields]:
        """The registers that boot leaves, under their names, as far as this CPU has them.

        >>> print(*boot(Config.named("debian-6.12"), "max-11.1").registers)
        TCR_EL1 MAIR_EL1 TCR2_EL1 PIR_EL1 PIRE0_EL1
        """
        found: dict[str, BitFields | None] = {"TCR_EL1": self.tcr_el1, "TCR_EL2": self.tcr_el2}
        found["MAIR_EL1"] = registers.MAIR_EL1_SET if self.vhe else self.mair
        found["MAIR_EL2"] = MAIR_EL2(self.mair.value) if self.vhe else None
        found["TCR2_EL1"] = registers.tcr2(self, at_setup=self.vhe)
        found["TCR2_EL2"] = registers.tcr2(self) if self.vhe else None
        for name, value in (("PIR", registers.pir(self)), ("PIRE0", registers.pire0(self))):
            found[f"{name}_EL1"], found[f"{name}_EL2"] = value, value if self.vhe else None
        return {name: value for name, value in found.items() if value is not None}

    @cached_property
    def folded(self) -> dict[str, Fold]:
        """For p4d, pud and pmd: real, folded at compile time, or folded at run time."""
        present = self.config.PGTABLE_LEVELS
        fallback = self.vabits_actual < self.config.va_bits
        lost = present - (4 - self.start_level) if fallback else 0
        fold = {}
        for name, needs in (("p4d", 5), ("pud", 4), ("pmd", 3)):
            if present < needs:
                fold[name] = Fold.COMPILE_TIME
            elif needs > present - lost:
                fold[name] = Fold.RUN_TIME
            else:
                fold[name] = Fold.REAL
        return fold

    @cached_property
    def constants(self) -> Constants:
        """Every constant of the running kernel under its kernel name, of compile time and of run time.

        >>> b = boot(Config("16k", 52), "max,lpa2=off")
        >>> hex(b.constants.PAGE_OFFSET), b.constants.vabits_actual
        ('0xfff0000000000000', 47)
        """
        return Constants({**self.config.constants, **self.runtime_constants})

    @cached_property
    def runtime_constants(self) -> Constants:
        """The constants that the boot decides, such as `vabits_actual`, VMALLOC_END, PHYS_MASK and PROT_NORMAL."""
        decided = headers.run_time(
            self.config.constants,
            vabits_actual=self.vabits_actual,
            lpa2=self.lpa2_is_enabled,
            ng=self.use_ng_mappings,
        )
        signed = self.cpu.has_pauth and self.config.option("ARM64_PTR_AUTH")
        pac = (1 << 64) - (1 << self.vabits_actual) if signed else 0
        return Constants({**decided, "TCR_EL1_T1SZ": 64 - self.vabits_actual, "KERNELPACMASK": pac})

    @property
    def ttbr1_at_el0(self) -> str:
        """The table that TTBR1 (TTBR1_EL1, or TTBR1_EL2 with VHE) points to while user space runs.

        With kernel page-table isolation it has the trampoline's code and nothing else of the kernel.
        """
        return "tramp_pg_dir" if self.kpti else "swapper_pg_dir"

    @property
    def use_ng_mappings(self) -> bool:
        """Whether the kernel's mappings are not global (`arm64_use_ng_mappings`)."""
        return cpufeature.use_ng_mappings(self.config, self.cpu, kpti=self.kpti, kaslr=self.kaslr)


@lru_cache(maxsize=512)  # more than all configurations on all recorded CPUs
def boot(
    config: Config,
    cpu: CPU | str = "max",
    *,
    kpti: bool | None = None,
    kaslr: bool = False,
    el2: bool = False,
    mte: bool = False,
) -> Boot | NoBoot:
    """Boot `config` on `cpu`.

    Parameters
    ----------
    config : Config
        The kernel.
    cpu : CPU or str
        The machine, or the name of a preset.
    kpti : bool, optional
        Kernel page-table isolation is on, so that kernel mappings have nG; by default the kernel decides.
    kaslr : bool
        The boot loader passes a seed, and the kernel moves itself.
    el2 : bool
        The kernel is started at EL2, and stays there if the CPU has FEAT_VHE.
    mte : bool
        The machine's memory holds tags.

    Returns
    -------
    Boot or NoBoot

    Raises
    ------
    BootError
        If the kernel or the CPU lacks what is asked for.

    Examples
    --------
    >>> boot(Config())
    Boot(Config('4k', va_bits=48, pa_bits=48) on max: 48 bits, the walk starts at level 0, p4d folded at compile time)
    >>> boot(Config("16k", 52), "cortex-a72").reason
    'cortex-a72 has no 16K granule (ID_AA64MMFR0_EL1.TGRAN16): the kernel stops in head.S before its first message'
    >>> boot(Config.named("debian-6.12"), "cortex-a72", kaslr=True).kpti
    True
    """
    cpu = CPU.named(cpu) if isinstance(cpu, str) else cpu
    if cpu.supports(config.granule) is GranuleSupport.NONE:
        return NoBoot(config, cpu)
    if kaslr and not config.option("RANDOMIZE_BASE"):
        raise BootError(
            "KASLR: the kernel is built with RANDOMIZE_BASE=n; the nearest legal choice is RANDOMIZE_BASE=y"
        )
    if mte and not cpu.has_mte:
        raise BootError(f"MTE: {cpu.name} has no FEAT_MTE (ID_AA64PFR1_EL1.MTE); leave it out, or choose the CPU max")
    if kpti is None:
        kpti = cpufeature.unmap_kernel_at_el0(config, cpu, kaslr=kaslr)
    return Boot(config, cpu, kpti, kaslr, el2, mte)


def running(kernel: Boot | NoBoot | Config | None = None) -> Boot:
    """A booted kernel: the given one, or a configuration booted on the CPU `max`; by default `Config()`.

    Raises
    ------
    BootError
        If the kernel does not boot.

    Examples
    --------
    >>> running(Config("16k", 52)).vabits_actual
    52
    """
    booted = boot(kernel or Config()) if not isinstance(kernel, Boot | NoBoot) else kernel
    if isinstance(booted, NoBoot):
        raise BootError(booted.reason)
    return booted


def _configured(boot: Boot | NoBoot) -> dict[str, object]:
    config = boot.config
    about = {"linux": config.linux or None, "options": dict(config.options), "cpu": boot.cpu.name}
    return config.as_dict() | about | {"constants": config.constants.as_dict()}


def _named(boot: Boot | NoBoot) -> str:
    config = boot.config
    linux = f"Linux {config.linux}, " if config.linux else ""
    return f"{linux}{config.granule} pages, VA_BITS={config.va_bits}, PA_BITS={config.pa_bits} on {boot.cpu.name}"
