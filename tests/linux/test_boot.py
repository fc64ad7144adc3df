"""The result of booting a configuration on a CPU, compared with real kernels, booted with and without the bug."""

import json
from pathlib import Path

import pytest
from kernels import every_kind

from pgtlab.arch.granule import GranuleSupport
from pgtlab.arch.registers import ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1, TCR_EL1
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, Fold, NoBoot, boot
from pgtlab.linux.cpu import CPU, CPUError
from pgtlab.linux.cpu import RECORDED as CPUS
from pgtlab.linux.kconfig import Config, configurations
from pgtlab.linux.kernel import Kernel

DATA = Path(__file__).parents[1] / "data/kernel"
RECORDED = json.loads((DATA / "boots.json").read_text())["boots"]
MACHINES = json.loads((DATA / "translations.json").read_text())
EVERYWHERE = [(config, cpu) for config in configurations() for cpu in CPUS]
BOOTS = [b for config, cpu in EVERYWHERE if isinstance(b := boot(config, cpu), Boot)]


real_boots = pytest.mark.parametrize(
    "real", [r for r in RECORDED if r["booted"]], ids=lambda r: f"{r['config']} on {r['cpu']}"
)


def config_of(name: str) -> Config:
    page, va = name.split("-va")
    return Config(page, int(va))


def boot_of(real: dict) -> Boot | NoBoot:
    return boot(config_of(real["config"]), CPU.named(real["cpu"]))


# The recorded boots.


@real_boots
def test_address_space(real):
    booted = boot_of(real)
    assert booted.vabits_actual == real["vabits_actual"]
    assert 4 - booted.start_level == real["hw_levels"]
    assert booted.tcr_el1 == TCR_EL1(int(real["TCR_EL1"], 16))


@pytest.mark.parametrize("real", [r for r in RECORDED if not r["booted"]], ids=lambda r: r["cpu"])
def test_kernel_without_its_granule_is_refused(real):
    refused = boot_of(real)
    assert isinstance(refused, NoBoot)
    assert refused.reason.startswith(f"{real['cpu']} has no 16K granule (ID_AA64MMFR0_EL1.TGRAN16)")
    with pytest.raises(ValueError, match="no 16K granule"):
        Kernel(refused)


@real_boots
@pytest.mark.parametrize("tree", ["arm64-for-next", "fixed"])
def test_bad_pages(real, tree):
    run = Tree.named(tree).start_kernel(boot_of(real)).run()
    assert [report.kind for report in run.reports] == ["Bad page state"] * real["bad_pages"][tree]
    # The recorded counter includes the tables of init; the difference is what the test left.
    left_over = real["nr_page_table_pages"][tree] - real["nr_page_table_pages"]["fixed"]
    assert run.nr_page_table_pages == left_over
    assert len(run.lost) == left_over


# The registers of three of those machines.


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m["config"])
def test_registers_of_max(machine):
    cpu = CPU.named(machine["cpu"])
    for name, register in (("MMFR0", cpu.mmfr0), ("MMFR1", cpu.mmfr1), ("MMFR2", cpu.mmfr2)):
        assert int(register) == int(machine["registers"][f"ID_AA64{name}_EL1"], 16)
    assert int(boot(config_of(machine["config"]), cpu).tcr_el1) == int(machine["registers"]["TCR_EL1"], 16)


@pytest.mark.parametrize(("hafdbs", "ha", "hd"), [(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 1, 1)])
def test_hafdbs_decides_ha_and_hd(hafdbs, ha, hd):
    """ID_AA64MMFR1_EL1.HAFDBS: 1 is the access flag, 2 also the dirty state; `__cpu_setup`, `cpu_enable_hw_dbm()`."""
    a57 = CPU.named("cortex-a57")
    cpu = CPU("a57 with HAFDBS", a57.mmfr0, ID_AA64MMFR1_EL1(HAFDBS=hafdbs), a57.mmfr2)
    tcr = boot(Config("4k", 48), cpu).tcr_el1
    assert (ha, hd) == (tcr.HA, tcr.HD)


def test_lpa2_off_changes_only_lpa2():
    cpu, without = CPU.named("max"), CPU.named("max,lpa2=off")
    assert {g: (cpu.has_lpa2(g), without.has_lpa2(g)) for g in {c.granule for c in configurations()}} == {
        Config("4k", 48).granule: (True, False),
        Config("16k", 48).granule: (True, False),
        Config("64k", 48).granule: (False, False),
    }
    lpa2 = ID_AA64MMFR0_EL1.TGRAN4.mask | ID_AA64MMFR0_EL1.TGRAN16.mask
    lpa2 |= ID_AA64MMFR0_EL1.TGRAN4_2.mask | ID_AA64MMFR0_EL1.TGRAN16_2.mask
    assert int(cpu.mmfr0) & ~lpa2 == int(without.mmfr0) & ~lpa2
    assert (without.mmfr1, without.mmfr2, without.has_lva) == (cpu.mmfr1, cpu.mmfr2, True)


def test_unknown_cpu_is_refused_with_the_presets():
    with pytest.raises(CPUError, match="unknown CPU 'cortex-a5': choose from max, max,lpa2=off, cortex-a53"):
        CPU.named("cortex-a5")


# Everywhere: 13 configurations on 8 CPUs.


def test_kernel_boots_if_the_cpu_has_its_granule():
    for config, cpu in EVERYWHERE:
        refused = isinstance(boot(config, cpu), NoBoot)
        assert refused == (cpu.supports(config.granule) is GranuleSupport.NONE)
        assert refused == (config.page_size_name == "16k" and cpu.mmfr0.TGRAN16 == 0)
    assert len(BOOTS) == 88


def test_virtual_address_bits():
    for booted in BOOTS:
        config, cpu = booted.config, booted.cpu
        has_52 = cpu.mmfr2.VARANGE >= 1 if config.page_size_name == "64k" else cpu.has_lpa2(config.granule)
        fallback = {"4k": 48, "16k": 47, "64k": 48}[config.page_size_name]
        assert booted.vabits_actual == (fallback if config.va_bits == 52 and not has_52 else config.va_bits)
        tcr = booted.tcr_el1
        assert tcr.T0SZ == tcr.T1SZ == 64 - booted.vabits_actual
        assert (booted.vabits_actual == 52 and config.page_size_name != "64k") == tcr.DS


def test_physical_address_bits():
    """With VA fallback, 64K keeps 52 physical bits; 4K and 16K drop to 48."""
    for booted in BOOTS:
        lost = booted.vabits_actual < booted.config.va_bits and booted.config.page_size_name != "64k"
        possible = 48 if lost else booted.config.pa_bits
        assert possible == booted.constants.PHYS_MASK_SHIFT
        assert booted.tcr_el1.IPS.bits == min(possible, booted.cpu.mmfr0.PARANGE.bits)


def test_real_levels_are_walked_by_the_mmu():
    for booted in BOOTS:
        real = 2 + sum(fold is Fold.REAL for fold in booted.folded.values())  # the pgd and the pte always exist
        assert real == 4 - booted.start_level
        # A level folds at run time only where fewer bits are in use than configured; the others fold at compile time.
        at_run_time = [name for name, fold in booted.folded.items() if fold is Fold.RUN_TIME]
        assert len(at_run_time) == booted.config.PGTABLE_LEVELS - real
        assert at_run_time in ([], ["p4d"], ["pud"])


def test_folded_levels():
    def folds(page_size, va_bits, cpu):
        return [fold.name for fold in boot(Config(page_size, va_bits), CPU.named(cpu)).folded.values()]

    assert folds("4k", 52, "max") == ["REAL", "REAL", "REAL"]
    assert folds("4k", 52, "max,lpa2=off") == ["RUN_TIME", "REAL", "REAL"]
    assert folds("4k", 48, "max") == ["COMPILE_TIME", "REAL", "REAL"]
    assert folds("4k", 39, "max") == ["COMPILE_TIME", "COMPILE_TIME", "REAL"]
    assert folds("16k", 52, "max") == ["COMPILE_TIME", "REAL", "REAL"]
    assert folds("16k", 52, "neoverse-n1") == ["COMPILE_TIME", "RUN_TIME", "REAL"]
    assert folds("16k", 36, "max") == folds("64k", 42, "max") == ["COMPILE_TIME"] * 3
    assert folds("64k", 52, "cortex-a72") == folds("64k", 52, "max") == ["COMPILE_TIME", "COMPILE_TIME", "REAL"]


@pytest.mark.parametrize("kpti", [False, True], ids=["", "kpti"])
def test_kpti_makes_kernel_mappings_not_global(kpti):
    for booted in BOOTS:
        k = boot(booted.config, booted.cpu, kpti=kpti).constants
        assert {bool(k[name] & booted.config.constants.PTE_NG) for name in k if name.startswith("PROT_")} == {kpti}


def test_kpti_leaves_e0pd_to_the_cpu():
    """cpu_enable_e0pd() depends only on the CPU's feature; KPTI does not switch it off."""
    for name, has in (("max", 1), ("cortex-a76", 0)):
        for kpti in (False, True):
            assert has == boot(Config("4k", 48), CPU.named(name), kpti=kpti).tcr_el1.E0PD1


# The story as one law.


@every_kind
def test_bad_page_where_the_pud_is_real(booted):
    pud_is_real = booted.folded["pud"] is Fold.REAL
    run = Tree.named("arm64-for-next").start_kernel(booted).run()
    assert [report.kind for report in run.reports] == ["Bad page state"] * pud_is_real
    assert (run.outcome, run.nr_page_table_pages) == (("report", 1) if pud_is_real else ("clean", 0))
    fixed = Tree.named("fixed").start_kernel(booted).run()
    assert (fixed.outcome, fixed.reports, fixed.lost, fixed.nr_page_table_pages) == ("clean", (), (), 0)


def test_kinds_with_a_bad_page():
    kinds = {(b.config.page_size_name, b.vabits_actual, bool(b.lpa2_is_enabled)): b for b in BOOTS}
    bad = {kind for kind, b in kinds.items() if Tree.named("arm64-for-next").start_kernel(b).run().reports}
    assert bad == {("4k", 48, False), ("4k", 52, True), ("16k", 48, False), ("16k", 52, True)}
