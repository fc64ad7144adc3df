"""The registers of translation as a kernel sets them, to the bit (`arch/arm64/mm/proc.S` and `cpufeature.c`).

`__cpu_setup` writes them at EL1 before the MMU is on. Later the features of the CPU are enabled: hardware dirty state,
E0PD, permission overlays and tags. A kernel at EL2 (VHE) moves there in between, so that the registers named EL1 keep
what they had at that moment; what counts from then on is in those of EL2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pgtlab.arch.registers import (
    MAIR_EL1,
    PIR_EL1,
    PIRE0_EL1,
    TCR2_EL1,
    TCR_EL1,
    PARange,
    Shareability,
)
from pgtlab.linux.cpufeature import no_fault_disable
from pgtlab.linux.version import since

if TYPE_CHECKING:
    from pgtlab.linux.boot import Boot

_WRITE_BACK_WRITE_ALLOCATE: Final = 1
_TAGGED: Final = 0xF0
# Normal, Normal that becomes tagged, Normal Non-cacheable, Device-nGnRnE, Device-nGnRE.
MAIR_EL1_SET: Final = MAIR_EL1(Attr0=0xFF, Attr1=0xFF, Attr2=0x44, Attr3=0x00, Attr4=0x04)

# Permission encodings of stage 1 (Arm ARM D8.4.2); `_O`: an overlay applies.
_NONE_O, _R_O, _X_O, _RX_O, _RW_O, _RWX_O, _R, _GCS, _RX, _RW, _RWX = 0, 1, 2, 3, 5, 7, 8, 9, 0xA, 0xC, 0xE


def tcr(boot: Boot, *, at_setup: bool = False) -> TCR_EL1:
    """TCR_EL1 (with VHE: TCR_EL2) once all features are up; `at_setup`: before they are, when a kernel moves to EL2."""
    config, cpu, size = boot.config, boot.cpu, 64 - boot.vabits_actual
    k, hafdbs = config.constants, cpu.mmfr1.HAFDBS
    mte, hw_tags = config.option("ARM64_MTE"), config.option("KASAN_HW_TAGS")
    top_byte = int(mte or config.option("KASAN_SW_TAGS"))
    update = config.option("ARM64_HW_AFDBM")
    return TCR_EL1(
        T0SZ=64 - k.IDMAP_VA_BITS if at_setup else size,
        T1SZ=size,
        TG0=config.granule.tg0,
        TG1=config.granule.tg1,
        IRGN0=_WRITE_BACK_WRITE_ALLOCATE,
        ORGN0=_WRITE_BACK_WRITE_ALLOCATE,
        SH0=Shareability.INNER,
        IRGN1=_WRITE_BACK_WRITE_ALLOCATE,
        ORGN1=_WRITE_BACK_WRITE_ALLOCATE,
        SH1=Shareability.INNER,
        A1=1,
        IPS=physical_size(boot),
        AS=1,
        TBI0=1,
        TBI1=top_byte,
        HA=int(update and hafdbs >= 1),
        HD=int(update and hafdbs >= 2 and not at_setup),
        TBID1=top_byte,
        NFD1=int(config.option("RANDOMIZE_BASE") and not no_fault_disable(cpu, config)),
        E0PD1=int(config.option("ARM64_E0PD") and cpu.mmfr2.E0PD >= 1 and not at_setup),
        TCMA1=int(hw_tags or (mte and since(k, "6.19"))),
        DS=int(boot.lpa2_is_enabled),
    )


def physical_size(boot: Boot) -> PARange:
    """`tcr_compute_pa_size`: the size that the CPU supports, limited by the configuration and LPA2."""
    config = boot.config
    most = PARange.PA52 if config.pa_bits == 52 else PARange.PA48
    if config.ARM64_LPA2 and not boot.has_va52:
        most = PARange.PA48
    return PARange(min(boot.cpu.mmfr0.PARANGE, most))


def mair(boot: Boot) -> MAIR_EL1:
    """MAIR_EL1: `mte_cpu_setup()` makes the memory type of tagged mappings Tagged if the machine has tag memory."""
    tagged = boot.mte and boot.config.option("ARM64_MTE")
    return MAIR_EL1_SET.replace(Attr1=_TAGGED) if tagged else MAIR_EL1_SET


def tcr2(boot: Boot, *, at_setup: bool = False) -> TCR2_EL1 | None:
    """TCR2_EL1: permission indirection, overlays for user space, and the access flag of tables; None without TCR2."""
    config, cpu = boot.config, boot.cpu
    if not cpu.mmfr3.TCRX:
        return None
    overlays = config.option("ARM64_POE") and cpu.mmfr3.S1POE and not at_setup
    haft = config.option("ARM64_HAFT") and cpu.mmfr1.HAFDBS >= 3
    return TCR2_EL1(PIE=int(uses_pie(boot)), E0POE=int(bool(overlays)), HAFT=int(bool(haft)))


def uses_pie(boot: Boot) -> bool:
    """Permissions are indirect: Linux uses FEAT_S1PIE where the CPU has it, since v6.5."""
    return boot.cpu.mmfr3.S1PIE >= 1 and since(boot.config.constants, "6.5")


def pire0(boot: Boot) -> PIRE0_EL1 | None:
    """PIRE0_EL1: what EL0 may do, by a page's PIIndex; None without FEAT_S1PIE, 0 if the kernel does not use it."""
    if not boot.cpu.mmfr3.S1PIE:
        return None
    if not uses_pie(boot):
        return PIRE0_EL1()
    gcs = {"Perm11": _GCS, "Perm9": _R} if since(boot.config.constants, "6.13") else {}
    return PIRE0_EL1(Perm4=_X_O, Perm5=_RX_O, Perm7=_RWX_O, Perm13=_R_O, Perm15=_RW_O, **gcs)


def pir(boot: Boot) -> PIR_EL1 | None:
    """PIR_EL1: what EL1 may do, by a page's PIIndex; None without FEAT_S1PIE, 0 if the kernel does not use it."""
    if not boot.cpu.mmfr3.S1PIE:
        return None
    if not uses_pie(boot):
        return PIR_EL1()
    user = {"Perm4": _NONE_O, "Perm5": _R, "Perm7": _RW, "Perm13": _R, "Perm15": _RW}
    return PIR_EL1(Perm8=_RX, Perm10=_RWX, Perm12=_R, Perm14=_RW, **user)
