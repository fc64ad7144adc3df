"""The result of booting a kernel on a CPU: it stops, or both agree on an address space.

The decisions are those of `arch/arm64/kernel/head.S` (does the CPU have the granule?), `pi/map_kernel.c` (how many bits
of virtual address?) and `mm/proc.S` (TCR_EL1), v6.12.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache
from typing import NoReturn

from pgtlab.arch.granule import GranuleSupport
from pgtlab.arch.registers import TCR_EL1, PARange, Shareability
from pgtlab.linux import headers
from pgtlab.linux.constants import Constants
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config

LINUX_LEVELS = ("pgd", "p4d", "pud", "pmd", "pte")
_WRITE_BACK_WRITE_ALLOCATE = 1


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
                repr(self.tcr_el1),
            ]
        )

    def as_dict(self) -> dict[str, object]:
        """The kernel as plain data, as `pgtlab config --json` prints it; `runtime` has what the boot decided."""
        return _configured(self) | {
            "runtime": {
                "vabits_actual": self.vabits_actual,
                "tcr_el1": f"{self.tcr_el1.value:#x}",
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

    @cached_property
    def tcr_el1(self) -> TCR_EL1:
        """TCR_EL1 once all CPU features are up (`mm/proc.S`, `__cpu_setup`, and `cpufeature.c` for HD and E0PD1).

        This is a kernel without RANDOMIZE_BASE, which sets NFD1, and without ARM64_MTE, which sets TBI1 and TBID1.
        """
        granule, size = self.config.granule, 64 - self.vabits_actual
        hafdbs = self.cpu.mmfr1.HAFDBS
        return TCR_EL1(
            T0SZ=size,
            T1SZ=size,
            TG0=granule.tg0,
            TG1=granule.tg1,
            IRGN0=_WRITE_BACK_WRITE_ALLOCATE,
            ORGN0=_WRITE_BACK_WRITE_ALLOCATE,
            SH0=Shareability.INNER,
            IRGN1=_WRITE_BACK_WRITE_ALLOCATE,
            ORGN1=_WRITE_BACK_WRITE_ALLOCATE,
            SH1=Shareability.INNER,
            A1=1,
            IPS=self._ips,
            AS=1,
            TBI0=1,
            HA=int(hafdbs >= 1),
            HD=int(hafdbs >= 2),
            E0PD1=int(self.cpu.mmfr2.E0PD >= 1),
            DS=int(self.lpa2_is_enabled),
        )

    @property
    def _ips(self) -> PARange:
        """`tcr_compute_pa_size`: the size that the CPU supports, limited by the configuration and LPA2."""
        most = PARange.PA52 if self.config.pa_bits == 52 else PARange.PA48
        if self.config.ARM64_LPA2 and not self.has_va52:
            most = PARange.PA48
        return PARange(min(self.cpu.mmfr0.PARANGE, most))

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
        return headers.run_time(
            self.config.constants,
            vabits_actual=self.vabits_actual,
            lpa2=self.lpa2_is_enabled,
            ng=self.kpti,
        )


@lru_cache(maxsize=256)  # more than all configurations on all CPUs
def boot(config: Config, cpu: CPU | str = "max", *, kpti: bool = False) -> Boot | NoBoot:
    """Boot `config` on `cpu`.

    Parameters
    ----------
    config : Config
        The kernel.
    cpu : CPU or str
        The machine, or the name of a preset.
    kpti : bool
        Kernel page-table isolation is on, so that kernel mappings have nG.

    Returns
    -------
    Boot or NoBoot

    Examples
    --------
    >>> boot(Config())
    Boot(Config('4k', va_bits=48, pa_bits=48) on max: 48 bits, the walk starts at level 0, p4d folded at compile time)
    >>> boot(Config("16k", 52), "cortex-a72").reason
    'cortex-a72 has no 16K granule (ID_AA64MMFR0_EL1.TGRAN16): the kernel stops in head.S before its first message'
    """
    cpu = CPU.named(cpu) if isinstance(cpu, str) else cpu
    if cpu.supports(config.granule) is GranuleSupport.NONE:
        return NoBoot(config, cpu)
    return Boot(config, cpu, kpti)


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
    return boot.config.as_dict() | {"cpu": boot.cpu.name, "constants": boot.config.constants.as_dict()}


def _named(boot: Boot | NoBoot) -> str:
    config = boot.config
    return f"{config.granule} pages, VA_BITS={config.va_bits}, PA_BITS={config.pa_bits} on {boot.cpu.name}"
