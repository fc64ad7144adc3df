"""Kernels of distributions and of our own, as they booted: registers, KPTI and VMCOREINFO, compared with the model."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from pgtlab.arch.fault import Access
from pgtlab.arch.walk import Translation
from pgtlab.cli import main
from pgtlab.lab.bugs.address_space import new_mm, switch_mm
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, BootError, boot
from pgtlab.linux.cpu import CPU, CPUS
from pgtlab.linux.kconfig import Config, ConfigError
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mmu import in_user_space
from pgtlab.linux.memory_map import memory_map
from pgtlab.linux.placement import RAM_BASE
from pgtlab.linux.presets import PRESETS
from pgtlab.linux.version import COMPARED, VERSIONS, VersionError, version_code, version_of

DATA = Path(__file__).parents[1] / "data/kernel"
ROWS = json.loads((DATA / "distributions.json").read_text())
COMPILED = json.loads((DATA / "constants-by-version.json").read_text())


def predicted(row: dict) -> Boot:
    """The boot that the command's options of a row describe."""
    options = iter(row["options"])
    known = {"kernel": "minimal", "cpu": "max"}
    kconfig, flags = {}, {}
    for option in options:
        match option.removeprefix("--"):
            case "kaslr" | "el2" | "mte" as flag:
                flags[flag] = True
            case "kconfig":
                name, _, value = next(options).partition("=")
                kconfig[name] = int(value == "y")
            case name:
                known[name.replace("-", "_")] = next(options)
    cpu, kernel = known.pop("cpu"), known.pop("kernel")
    if "va_bits" in known:
        known["va_bits"] = int(known["va_bits"])
    booted = boot(Config.named(kernel, **known, **kconfig), cpu, **flags)
    assert isinstance(booted, Boot)
    return booted


every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["recorded"])


@every_row
def test_registers(row):
    booted = predicted(row)
    for name, value in (row["registers"] or {}).items():
        ours = booted.registers.get(name)
        assert (None if ours is None else f"{ours.value:#x}") == value, name


@every_row
def test_kpti(row):
    booted = predicted(row)
    assert booted.kpti == row["kpti"]
    assert {bool(v) for n, v in booted.constants.items() if n == "PTE_MAYBE_NG"} == {row["kpti"]}
    symbols = {name: int(address, 16) for name, address in row["symbols"].items()}
    if row["ttbr1_el1_at_el0"] and "tramp_pg_dir" in symbols and not booted.vhe:
        table = int(row["ttbr1_el1_at_el0"], 16) & (1 << 48) - 2
        assert table - 0x4020_0000 == symbols[booted.ttbr1_at_el0] - symbols["_text"]  # QEMU loads the image there


@every_row
def test_vmcoreinfo(row):
    """Every number that the model has: those about addresses, sections, sizes, flags and page types."""
    k, compared = predicted(row).constants, 0
    for name, value in row["vmcoreinfo"].items():
        _, kind, of = re.fullmatch(r"((\w+)\()?([\w.]+)\)?", name).groups()
        ours = {
            "PAGESIZE": "PAGE_SIZE",
            "LENGTH(mem_section)": "NR_SECTION_ROOTS",
            "SIZE(page)": "sizeof(struct page)",
            "SIZE(mem_section)": "sizeof(struct mem_section)",
        }.get(name, f"offsetof(struct {of.replace('.', ',')})" if kind == "OFFSET" else of)
        if ours in k:
            compared += 1
            number = int(value, 0)
            assert k[ours] == (number & (1 << 64) - 1 if ours not in k or k[ours] >= 0 else number), name
    assert compared >= 30 if row["vmcoreinfo"] else compared == 0


@pytest.mark.parametrize("preset", COMPILED)
def test_constants_of_compiled_kernels(preset):
    """What a compiler makes of the headers of 6.1, 6.12 and 7.3 with the choices of Debian and of arm64's defconfig."""
    k = Config.named(preset).constants
    compiled = {name: int(str(value), 0) for name, value in COMPILED[preset].items()}
    assert len(compiled) > 190
    assert {name: (k[name], value) for name, value in compiled.items() if k[name] != value} == {}


def test_every_preset_boots_on_every_cpu_that_has_its_granule():
    for name in PRESETS:
        for page_size in ("4k", "16k", "64k"):
            config = Config.named(name, page_size)
            for cpu in CPUS.values():
                booted = boot(config, cpu)
                assert isinstance(booted, Boot) == bool(cpu.supports(config.granule).value), (name, cpu)


def test_options_override_a_preset():
    config = Config.named("debian-6.12", "16k", 47, NR_CPUS=8, ARM64_MTE=0, linux="7.3")
    assert (config.page_size, config.va_bits, config.pa_bits, config.linux) == (16384, 47, 48, "7.3")
    assert (config.option("NR_CPUS"), config.option("ARM64_MTE"), config.option("RANDOMIZE_BASE")) == (8, 0, 1)
    older = Config.named("debian-7.3", va_bits=48, linux="6.1")
    assert (older.option("ARM64_GCS"), older.option("ARM64_POE")) == (0, 0)


@pytest.mark.parametrize(
    ("name", "kpti"),
    [
        *((name, True) for name in ("cortex-a72", "cortex-a76", "neoverse-n1", "neoverse-v1", "a64fx")),
        *((name, False) for name in ("neoverse-n2", "apple-m1", "max")),
    ],
)
def test_kaslr_turns_kpti_on_where_e0pd_is_missing(name, kpti):
    config = Config.named("debian-6.12")
    assert boot(config, name, kaslr=True).kpti == kpti
    assert boot(config, name).kpti == (name == "a64fx")
    without = Config.named("debian-6.12", UNMAP_KERNEL_AT_EL0=0)
    assert not boot(without, name, kaslr=True).kpti


def test_only_a_cpu_with_vhe_stays_at_el2():
    config = Config.named("debian-6.12")
    for name in ("cortex-a72", "neoverse-n1"):
        booted = boot(config, name, el2=True)
        assert booted.vhe == (name == "neoverse-n1") == ("TCR_EL2" in booted.registers)
        assert booted.tcr.value == boot(config, name).tcr.value
        assert (booted.tcr_el1.value == booted.tcr.value) == (not booted.vhe)


def test_under_kpti_user_space_sees_a_page_of_the_kernel():
    kernel = Kernel(boot(Config.named("debian-6.12"), "cortex-a72", kaslr=True))
    user = in_user_space(kernel, switch_mm(kernel, new_mm(kernel)))
    ram = kernel.__va(RAM_BASE)
    assert isinstance(kernel.mmu.translate(ram).outcome, Translation)
    assert str(user.translate(ram).outcome) == "level 0 translation fault: the descriptor is invalid"
    vectors = kernel.FIXADDR_TOP - (kernel.FIX_ENTRY_TRAMP_TEXT1 << kernel.PAGE_SHIFT)
    assert isinstance(user.translate(vectors, Access.FETCH).outcome, Translation)
    assert "permission fault" in str(user.translate(vectors, el=0).outcome)


def test_a_kernel_at_el2_runs_the_story():
    booted = boot(Config.named("debian-6.12"), "max-11.1", el2=True, mte=True)
    kernel = Tree.named("arm64-for-next").start_kernel(booted)
    assert kernel.mmu.host
    assert kernel.mmu.tcr2.PIE
    assert kernel.run().outcome == "report"  # INIT_ON_ALLOC_DEFAULT_ON has pages checked; defconfig has not
    assert Tree.named("arm64-for-next").start_kernel(boot(Config.named("defconfig"))).run().outcome == "clean"


@pytest.mark.parametrize(
    ("linux", "options", "bits"),
    [
        ("6.12", {}, {"TBI1": 0, "TBID1": 0, "NFD1": 0, "TCMA1": 0}),
        ("6.12", {"RANDOMIZE_BASE": 1}, {"TBI1": 0, "NFD1": 1}),
        ("6.18", {"ARM64_MTE": 1}, {"TBI1": 1, "TBID1": 1, "TCMA1": 0}),
        ("6.19", {"ARM64_MTE": 1}, {"TBI1": 1, "TBID1": 1, "TCMA1": 1}),
        ("6.12", {"ARM64_MTE": 1, "KASAN": 1, "KASAN_HW_TAGS": 1}, {"TBI1": 1, "TBID1": 1, "TCMA1": 1}),
        ("6.12", {"KASAN": 1, "KASAN_SW_TAGS": 1}, {"TBI1": 1, "TBID1": 1, "TCMA1": 0}),
        ("6.12", {"ARM64_HW_AFDBM": 0, "ARM64_E0PD": 0}, {"HA": 0, "HD": 0, "E0PD1": 0}),
    ],
)
def test_the_configuration_decides_bits_of_tcr(linux, options, bits):
    tcr = boot(Config("4k", 48, linux=linux, **options)).tcr_el1
    assert {name: getattr(tcr, name) for name in bits} == bits


def test_haft_needs_hafdbs_3():
    cpu = CPU.named("max-11.1")
    with_haft = CPU("HAFT", cpu.mmfr0, cpu.mmfr1.replace(HAFDBS=3), cpu.mmfr2, cpu.mmfr3)
    for linux, of, haft in (("6.18", with_haft, 1), ("6.18", cpu, 0), ("6.12", with_haft, 0)):
        registers = boot(Config.named("debian-6.18", linux=linux), of).registers
        assert haft == registers["TCR2_EL1"].HAFT


@pytest.mark.parametrize(
    ("config", "regions"),
    [
        (Config.named("debian-6.1"), "linear map, modules, vmalloc, fixmap, PCI I/O, vmemmap"),
        (Config.named("debian-7.3"), "linear map, modules, vmalloc, vmemmap, PCI I/O, fixmap"),
        (Config(KASAN=1), "linear map, KASAN shadow, modules, vmalloc, vmemmap, PCI I/O, fixmap"),
    ],
    ids=["6.1", "7.3", "KASAN"],
)
def test_the_map_of_memory(config, regions):
    booted = boot(config)
    regions_of = memory_map(booted)
    assert ", ".join(r.name for r in regions_of if r.name not in ("user space", "guard region")) == regions
    assert all(one.end == two.start for one, two in pairwise(regions_of[1:]))
    assert regions_of[-1].end == 1 << 64


def test_kasan_takes_the_top_of_the_linear_map():
    """The offsets of arch/arm64/Kconfig, and an eighth or a sixteenth of the kernel's addresses."""
    for page_size, va_bits, generic, tags in (
        ("4k", 39, 0xDFFFFFC000000000, 0xEFFFFFC000000000),
        ("4k", 48, 0xDFFF800000000000, 0xEFFF800000000000),
        ("16k", 36, 0xDFFFFFF800000000, 0xEFFFFFF800000000),
        ("16k", 47, 0xDFFFC00000000000, 0xEFFFC00000000000),
        ("16k", 52, 0xDFFFC00000000000, 0xEFFFC00000000000),
        ("64k", 42, 0xDFFFFE0000000000, 0xEFFFFE0000000000),
        ("64k", 52, 0xDFFF800000000000, 0xEFFF800000000000),
    ):
        for options, offset, part in (({}, generic, 8), ({"KASAN_SW_TAGS": 1}, tags, 16)):
            k = boot(Config(page_size, va_bits, KASAN=1, **options)).constants
            assert offset == k.KASAN_SHADOW_OFFSET
            assert (k.KASAN_SHADOW_END - k.PAGE_END) * part == 1 << k.vabits_actual
            assert k.MODULES_VADDR == k.KASAN_SHADOW_END
    hw_tags = Config(KASAN=1, ARM64_MTE=1, KASAN_HW_TAGS=1)
    assert boot(hw_tags).constants.PAGE_END == boot(Config()).constants.PAGE_END


def test_what_a_machine_lacks_is_refused():
    with pytest.raises(BootError, match="RANDOMIZE_BASE=n; the nearest legal choice is RANDOMIZE_BASE=y"):
        boot(Config(), kaslr=True)
    with pytest.raises(BootError, match="cortex-a72 has no FEAT_MTE"):
        boot(Config(), "cortex-a72", mte=True)
    with pytest.raises(ConfigError, match=r"unknown kernel 'debian-6.2': did you mean debian-6.12"):
        Config.named("debian-6.2")
    with pytest.raises(ConfigError, match=r"VA_BITS=52 with 4k pages and Linux 6.8: ARM64_VA_BITS_52 depends on"):
        Config("4k", 52, linux="6.8")
    with pytest.raises(ConfigError, match="NR_CPUS=5000: a number from 2 to 4096"):
        Config(NR_CPUS=5000)


def test_versions():
    assert [version_of(f"v{version}.1-rc2") for version in VERSIONS] == [*VERSIONS]
    assert sorted(VERSIONS, key=version_code) == [*VERSIONS]
    assert {*COMPARED} < {*VERSIONS}
    with pytest.raises(VersionError, match=r"Linux 5.4: the versions from 6.1 to 7.3"):
        version_of("5.4")


def test_the_command_says_what_a_distribution_does(capsys):
    assert main(["config", "--kernel", "debian-6.12", "--cpu", "cortex-a72", "--kaslr", "--json"]) in (None, 0)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["linux"], answer["options"]["NR_CPUS"]) == ("6.12", 512)
    runtime = answer["runtime"]
    assert (runtime["kpti"], runtime["tcr_el1"], runtime["tcr_el2"]) == (True, "0x500074b5503510", None)
