"""What the kernel decides from the ID registers (`arch/arm64/kernel/cpufeature.c` and `asm/mmu.h`, 6.1 to 7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pgtlab.arch.id_registers import MIDR_EL1
    from pgtlab.linux.cpu import CPU
    from pgtlab.linux.kconfig import Config

# Implementer and part of the CPUs that do not need KPTI and do not say so in CSV3: ThunderX2 and Vulcan, Brahma B53,
# Cortex A35, A53, A55, A57, A72 and A73, TSV110, Carmel, and Kryo 2xx, 3xx and 4xx.
_KPTI_SAFE: Final = {
    *((0x43, 0x0AF), (0x42, 0x516), (0x42, 0x100)),
    *((0x41, part) for part in (0xD04, 0xD03, 0xD05, 0xD07, 0xD08, 0xD09)),
    *((0x48, 0xD01), (0x4E, 0x004)),
    *((0x51, part) for part in (0x800, 0x801, 0x803, 0x805)),
}
_A64FX: Final = (0x46, 0x001)  # FUJITSU_ERRATUM_010001 is about its first revisions, which these CPUs are


def model(midr: MIDR_EL1) -> tuple[int, int]:
    """Implementer and part number."""
    return midr.Implementer, midr.PartNum


def kaslr_requires_kpti(config: Config, cpu: CPU) -> bool:
    """Whether only KPTI hides where KASLR put the kernel: E0PD does the same where the CPU has it."""
    return not (config.option("ARM64_E0PD") and cpu.mmfr2.E0PD >= 1)


def unmap_kernel_at_el0(config: Config, cpu: CPU, *, kaslr: bool) -> bool:
    """Kernel page-table isolation: user space runs without the kernel's tables.

    On by itself for a CPU that speculation can read through (Meltdown), or where KASLR needs it.

    >>> from pgtlab import CPU, Config
    >>> a72 = CPU.named("cortex-a72")
    >>> [unmap_kernel_at_el0(Config.named("debian-6.12"), a72, kaslr=kaslr) for kaslr in (False, True)]
    [False, True]
    """
    if not config.option("UNMAP_KERNEL_AT_EL0"):
        return False
    if kaslr and kaslr_requires_kpti(config, cpu):
        return True
    return cpu.pfr0.CSV3 == 0 and model(cpu.midr) not in _KPTI_SAFE


def use_ng_mappings(config: Config, cpu: CPU, *, kpti: bool, kaslr: bool) -> bool:
    """Whether kernel mappings are not global (nG): `arm64_use_ng_mappings`, which KASLR sets by itself too."""
    return kpti or (kaslr and kaslr_requires_kpti(config, cpu))


def no_fault_disable(cpu: CPU, config: Config) -> bool:
    """Whether TCR_EL1.NFD0 and NFD1 have to stay clear: `FUJITSU_ERRATUM_010001`."""
    return bool(config.option("FUJITSU_ERRATUM_010001")) and model(cpu.midr) == _A64FX
