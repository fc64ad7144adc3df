"""The options that say what page tables are used for: as recorded kernels were configured, and as Kconfig has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import MINIMAL, Config, ConfigError
from pgtlab.linux.kernel import Kernel

# From the .config of two recorded kernels: what was asked for, and what was `=y` of what follows from that.
ASKED = {
    "NUMA_BALANCING": 0,
    "MEMORY_FAILURE": 0,
    "ARM64_CONTPTE": 0,
    "PTDUMP_DEBUGFS": 1,
    "ZONE_DMA": 0,
    "ZONE_DMA32": 0,
}
RECORDED = """
TRANSPARENT_HUGEPAGE HUGETLBFS SWAP MIGRATION PTDUMP_DEBUGFS ARCH_HAS_PTE_DEVMAP ARCH_HAS_PTE_SPECIAL
HAVE_ARCH_HUGE_VMAP HUGETLB_PAGE ARCH_ENABLE_THP_MIGRATION SPLIT_PMD_PTLOCKS SPLIT_PTE_PTLOCKS
DEBUG_VM UNMAP_KERNEL_AT_EL0 ARM64_HW_AFDBM ARM64_E0PD ARM64_PAN ARM64_EPAN NR_CPUS
"""
GEOMETRY = {"PGTABLE_LEVELS", "ARM64_PA_BITS", "ARM64_LPA2", "ARM64_CONT_PTE_SHIFT", "ARM64_CONT_PMD_SHIFT"}


@pytest.mark.parametrize("config", [Config("4k", 48, **ASKED), Config("16k", 52, **ASKED)], ids=repr)
def test_what_follows_from_the_options_of_recorded_kernels(config):
    constants = {name.removeprefix("CONFIG_"): value for name, value in config.constants.items() if "CONFIG_" in name}
    assert {name for name, value in constants.items() if value and name not in GEOMETRY} == set(RECORDED.split())


def test_a_configuration_says_which_options_it_changes():
    plain, without = Config("4k", 48), Config("4k", 48, NUMA_BALANCING=False)
    assert repr(without) == "Config('4k', va_bits=48, pa_bits=48, NUMA_BALANCING=0)"
    assert eval(repr(without)) == without != plain
    assert Config("4k", 48, NUMA_BALANCING=True) == plain
    assert hash(Config("4k", 48, SWAP=1)) == hash(plain)
    assert repr(plain) == "Config('4k', va_bits=48, pa_bits=48)"
    assert sorted([without, plain]) == [plain, without]


def test_an_option_whose_dependency_is_missing_is_off():
    k = Config("4k", 48, TRANSPARENT_HUGEPAGE=0, MIGRATION=0).constants
    assert (k.CONFIG_ARM64_CONTPTE, k.CONFIG_NUMA_BALANCING, k.CONFIG_ARCH_ENABLE_THP_MIGRATION) == (0, 0, 0)
    assert k.MAX_SWAPFILES == 32 - 1 - 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"MIGRATION": 0}, "MIGRATION=0: TRANSPARENT_HUGEPAGE selects it; the nearest legal choice is TRANSPARENT_HUG"),
        ({"TRANSPARENT_HUGEPAGE": 0, "ARM64_CONTPTE": 1}, "ARM64_CONTPTE=1: it depends on TRANSPARENT_HUGEPAGE"),
        (
            {"TRANSPARENT_HUGEPAGES": 0},
            r"unknown option TRANSPARENT_HUGEPAGES: did you mean TRANSPARENT_HUGEPAGE\? Choose",
        ),
        ({"FOO": 1}, "unknown option FOO: choose from TRANSPARENT_HUGEPAGE"),
        ({"": 1}, "unknown option '': choose from"),
        ({"MEM_SOFT_DIRTY": 1}, "MEM_SOFT_DIRTY: never set on arm64 in v6.9, and not configurable"),
        ({"ARCH_HAS_PTE_SPECIAL": 0}, "ARCH_HAS_PTE_SPECIAL: always set on arm64"),
        ({"SWAP": "y"}, r"SWAP='y': an option is on \(1\) or off \(0\)"),
        ({"SWAP": 2}, "SWAP=2: an option is on"),
    ],
)
def test_contradicting_options(options, message):
    with pytest.raises(ConfigError, match=message):
        Config("4k", 48, **options)


@given(st.dictionaries(st.sampled_from(sorted(MINIMAL)), st.booleans()))
def test_any_choice_boots_and_round_trips(options):
    try:
        config = Config("4k", 48, **options)
    except ConfigError:
        return
    assert Config("4k", 48, **dict(config.options)) == config
    assert all(config.constants[f"CONFIG_{name}"] == value for name, value in options.items() if value)


def test_without_migration_there_are_no_such_entries():
    k = Kernel(boot(Config("4k", 48, TRANSPARENT_HUGEPAGE=0, MIGRATION=0, MEMORY_FAILURE=0), CPU.named("max")))
    made = {k.make_readable_migration_entry(7), k.make_writable_migration_entry(7), k.make_hwpoison_entry(7)}
    assert made == {k.make_readable_exclusive_migration_entry(7)} == {0}
    assert not any(k.is_migration_entry(k.swp_entry(type, 0)) for type in range(32))
    assert not k.pmd_trans_huge(k.pmd_mkhuge(k.pfn_pmd(0, k._PAGE_READONLY)))
    assert not k.pte_protnone(k.vm_get_page_prot(k.VM_NONE))
