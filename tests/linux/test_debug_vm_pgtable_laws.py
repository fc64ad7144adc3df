"""Each test of debug_vm_pgtable: its place in the order, the options that skip it, and the bugs that it finds."""

import inspect
import re
from functools import cache

import pytest
from kernels import every_kind

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel, debug_vm_pgtable
from pgtlab.linux.kernel.symbols import functions_of
from pgtlab.linux.placement import ANYWHERE, Placement

MAX = CPU.named("max")


def started(booted: Boot, placement: Placement = ANYWHERE) -> Kernel:
    return Tree.named("fixed").start_kernel(booted, placement=placement)


@cache
def function_at(location: str) -> str:
    line = location.split(":")[-1]
    for name, function in functions_of(debug_vm_pgtable).items():
        source, first = inspect.getsourcelines(function)
        if first <= int(line) < first + len(source):
            return name
    raise AssertionError(location)


def warned(kernel: Kernel) -> list[str]:
    """The names of the test functions that warned, once each, in order."""
    run = kernel.run()
    assert {report.kind for report in run.reports} <= {"WARNING"}, run
    return list(dict.fromkeys(function_at(report.location) for report in run.reports))


def validated(config: Config, placement: Placement = ANYWHERE) -> list[str]:
    """The names that a kernel with dynamic debug prints as validated, once each, in order."""
    run = started(boot(config, MAX), placement).run()
    assert run.outcome == "clean"
    matches = (re.search(r"\[(\w+) *\]: Validating", line) for line in run.dmesg)
    names = [match[1] for match in matches if match]
    assert names.pop(0) == "debug_vm_pgtable"
    return list(dict.fromkeys(names))


# Which tests there are, in which order.

# The tests that debug_vm_pgtable() of mm/debug_vm_pgtable.c calls.
KERNEL_ORDER = """
pte_basic pmd_basic pud_basic p4d_basic pgd_basic pmd_leaf pud_leaf pte_special pte_protnone pmd_protnone
pte_devmap pmd_devmap pud_devmap pte_soft_dirty pmd_soft_dirty pte_swap_soft_dirty pmd_swap_soft_dirty
pte_swap_exclusive pte_swap pmd_swap swap_migration pmd_thp pud_thp hugetlb_basic pte_clear pte_advanced
pmd_clear pmd_advanced pmd_huge pmd_populate pud_clear pud_advanced pud_huge pud_populate p4d_clear pgd_clear
p4d_populate pgd_populate
"""


@every_kind
def test_order_of_tests(booted):
    kernel, called = started(booted), []
    wanted = [f"{name}_tests" for name in KERNEL_ORDER.split()]
    assert [name for name in kernel.symbols if name.endswith("_tests") and name not in wanted] == []
    for name in wanted:
        function = kernel.symbols[name]
        if "basic" in name and "idx" in inspect.signature(function).parameters:
            kernel.livepatch(**{name: lambda k, args, idx, name=name: called.append(name)})
        else:
            kernel.livepatch(**{name: lambda k, args, name=name: called.append(name)})
    kernel.run()
    assert called[:48] == wanted[:3] * 16
    assert called[45:] == wanted


NEVER = {"pud_basic", "pud_leaf", "pud_devmap", "pud_thp", "pud_advanced"}  # no huge PUDs on arm64
NEVER |= {"pte_soft_dirty", "pmd_soft_dirty", "pte_swap_soft_dirty", "pmd_swap_soft_dirty"}  # no soft-dirty either
HUGE_PMD = {"pmd_basic", "pmd_leaf", "pmd_protnone", "pmd_devmap", "pmd_swap", "pmd_thp", "pmd_advanced"}


@pytest.mark.parametrize(
    ("options", "skipped"),
    [
        ({}, set()),
        ({"TRANSPARENT_HUGEPAGE": 0}, HUGE_PMD),
        ({"HUGETLBFS": 0}, {"hugetlb_basic"}),
        ({"NUMA_BALANCING": 0}, {"pte_protnone", "pmd_protnone"}),
        ({"PTDUMP_DEBUGFS": 1}, {"pmd_huge"}),
        (
            {"TRANSPARENT_HUGEPAGE": 0, "MIGRATION": 0},
            HUGE_PMD | {"swap_migration", "pte_protnone"},
        ),
        ({"SWAP": 0, "MEMORY_FAILURE": 0, "ARM64_CONTPTE": 0}, set()),
    ],
)
@pytest.mark.parametrize("config", [Config("4k", 48), Config("4k", 52), Config("16k", 36), Config("64k", 52)], ids=repr)
def test_tests_skipped_by_options(config, options, skipped):
    levels = config.PGTABLE_LEVELS
    skipped = NEVER | skipped | {"pud_huge"}  # 128 MiB of RAM hold no PUD block
    skipped |= {"pmd_advanced"} if config.page_size_name == "64k" else set()  # RAM holds no 512 MiB
    skipped |= {"pmd_huge"} if config.page_size_name == "64k" else set()
    skipped |= {f"{level}_{what}" for level in ("p4d", "pgd") for what in ("clear", "populate") if levels < 5}
    skipped |= {f"pud_{what}" for what in ("clear", "populate") if levels < 4}
    with_options = Config(config.page_size, config.va_bits, config.pa_bits, DYNAMIC_DEBUG=1, **options)
    assert validated(with_options) == [f"{name}_tests" for name in KERNEL_ORDER.split() if name not in skipped]


def test_pud_huge_runs_where_ram_holds_a_pud_block():
    config = Config("4k", 48, DYNAMIC_DEBUG=1)
    assert "pud_huge_tests" not in validated(config)
    assert "pud_huge_tests" in validated(config, Placement(pud_pfn=0x80000))  # that makes RAM larger than a gigabyte


def test_dynamic_debug_prints_vm_flags():
    lines = started(boot(Config("4k", 48, DYNAMIC_DEBUG=1), MAX)).run().dmesg
    basic = [line.split("PTE basic ")[1] for line in lines if "PTE basic" in line]
    assert (basic[0], basic[7], basic[15]) == ("()", "(read|write|exec)", "(read|write|exec|shared)")


@every_kind
@pytest.mark.parametrize("kpti", [False, True], ids=["", "kpti"])
def test_correct_kernel_is_clean_with_any_options(booted, kpti):
    """As in the recorded kernels: none of their boots has a WARNING; only the PUD table is reported."""
    c = booted.config
    for options in (
        {},
        {"TRANSPARENT_HUGEPAGE": 0},
        {"TRANSPARENT_HUGEPAGE": 0, "MIGRATION": 0, "HUGETLBFS": 0, "SWAP": 0},
        {"NUMA_BALANCING": 0, "ARM64_CONTPTE": 0, "MEMORY_FAILURE": 0, "PTDUMP_DEBUGFS": 1},
    ):
        kernel = started(boot(Config(c.page_size, c.va_bits, c.pa_bits, **options), booted.cpu, kpti=kpti))
        free = kernel.nr_free_pages()
        run = kernel.run()
        assert (run.outcome, run.lost, run.nr_page_table_pages) == ("clean", (), 0)
        assert kernel.nr_free_pages() == free
        assert not kernel.memmap["flags"].astype(bool)[-100:].any(), "no page is left locked or marked clean"


# Broken helpers, and the tests that notice, in the kernel's order.


def returns_its_argument(k, entry, *args):
    """A helper that does not do its job."""
    return entry


def returns_false(k, *args):
    return False


def returns_true(k, *args):
    return True


def does_nothing(k, *args):
    pass


def reads_without_clearing(k, mm, addr, entryp):
    return k.read64(entryp)


ACROSS = ["pte_basic_tests", "pmd_basic_tests", "hugetlb_basic_tests", "pte_advanced_tests", "pmd_advanced_tests"]
MUTATIONS = {
    "pte_mkold": (
        returns_its_argument,
        ["pte_basic_tests", "pmd_basic_tests", "pte_advanced_tests", "pmd_advanced_tests"],
    ),
    "pte_mkyoung": (returns_its_argument, ["pte_basic_tests", "pmd_basic_tests"]),
    "pte_young": (returns_true, ["pte_basic_tests", "pmd_basic_tests", "pte_advanced_tests", "pmd_advanced_tests"]),
    "pte_mkdirty": (returns_its_argument, ACROSS),
    "pte_mkclean": (returns_its_argument, ["pte_basic_tests", "pmd_basic_tests"]),
    "pte_mkwrite_novma": (returns_its_argument, ACROSS),
    "pte_mkwrite": (returns_its_argument, ["pte_basic_tests", "pte_advanced_tests"]),
    "pmd_mkwrite": (returns_its_argument, ["pmd_basic_tests", "pmd_advanced_tests"]),
    "pte_wrprotect": (returns_its_argument, ["pte_basic_tests", "pmd_basic_tests", "hugetlb_basic_tests"]),
    "pte_same": (returns_false, ["pte_basic_tests"]),
    "pmd_same": (returns_false, ["pmd_basic_tests"]),
    "p4d_same": (returns_false, ["p4d_basic_tests"]),
    "pgd_same": (returns_false, ["pgd_basic_tests"]),
    "pmd_mkhuge": (returns_its_argument, ["pmd_basic_tests", "pmd_leaf_tests", "pmd_thp_tests"]),
    "pmd_leaf": (returns_false, ["pmd_leaf_tests", "pmd_thp_tests"]),
    "pte_mkspecial": (returns_its_argument, ["pte_special_tests"]),
    "pte_protnone": (returns_false, ["pte_protnone_tests", "pmd_protnone_tests"]),
    "pmd_protnone": (returns_false, ["pmd_protnone_tests"]),
    "pte_mkdevmap": (returns_its_argument, ["pte_devmap_tests"]),
    "pmd_mkdevmap": (returns_its_argument, ["pmd_devmap_tests"]),
    "pte_swp_mkexclusive": (returns_its_argument, ["pte_swap_exclusive_tests"]),
    "pte_swp_clear_exclusive": (returns_its_argument, ["pte_swap_exclusive_tests"]),
    "is_swap_pte": (returns_false, ["pte_swap_exclusive_tests"]),
    "__swp_type": (lambda k, x: x >> 3 & 31, ["pte_swap_exclusive_tests"]),  # where v6.9 has it
    "__swp_entry_to_pte": (lambda k, swp: swp & ~0xFFFF_F000, ["pte_swap_tests"]),
    "__swp_entry_to_pmd": (lambda k, swp: swp & ~0xFFFF_F000, ["pmd_swap_tests"]),
    "is_migration_entry": (returns_false, ["swap_migration_tests"]),
    "is_writable_migration_entry": (returns_true, ["swap_migration_tests"]),
    "pmd_trans_huge": (returns_false, ["pmd_thp_tests"]),
    "pmd_mkinvalid": (lambda k, pmd: pmd & ~(k.PTE_VALID | k.PTE_PRESENT_INVALID), ["pmd_thp_tests"]),
    "huge_pte_mkdirty": (returns_its_argument, ["hugetlb_basic_tests"]),
    "huge_pte_wrprotect": (returns_its_argument, ["hugetlb_basic_tests"]),
    "ptep_get_and_clear": (reads_without_clearing, ["pte_clear_tests", "pte_advanced_tests"]),
    "ptep_set_access_flags": (returns_false, ["pte_advanced_tests"]),
    "ptep_test_and_clear_young": (returns_false, ["pte_advanced_tests", "pmd_advanced_tests"]),
    "pmdp_huge_get_and_clear": (reads_without_clearing, ["pmd_advanced_tests"]),
    "pmdp_set_access_flags": (returns_false, ["pmd_advanced_tests"]),
    "pmd_set_huge": (returns_false, ["pmd_huge_tests"]),
    "pmd_clear_huge": (returns_false, ["pmd_huge_tests"]),
    "pgattr_change_is_safe": (returns_false, ["pmd_huge_tests"]),
    "pmd_bad": (returns_true, ["pte_clear_tests", "pte_advanced_tests", "pmd_populate_tests"]),
    "pud_bad": (returns_true, ["pud_populate_tests"]),
}
WHERE = [boot(Config(*c), MAX) for c in (("4k", 48), ("16k", 52), ("4k", 52))]


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
def test_broken_helper_is_reported_by_its_tests(name):
    broken, noticed_by = MUTATIONS[name]
    for booted in WHERE:
        kernel = started(booted)
        kernel.livepatch(**{name: broken})
        assert warned(kernel) == sorted(noticed_by, key=[f"{n}_tests" for n in KERNEL_ORDER.split()].index), booted


def test_dirty_protection():
    """The first law of the basic tests: a protection that is shared and writable, without PTE_RDONLY."""
    kernel = started(WHERE[0])
    kernel.protection_map = [prot & ~kernel.PTE_RDONLY for prot in kernel.protection_map]
    assert warned(kernel) == ["pte_basic_tests", "pmd_basic_tests"]


def test_wrprotect_that_loses_hardware_dirty():
    """As before "arm64: pgtable: Ensure dirty bit is preserved across pte_wrprotect()": only PTE_RDONLY tells dirty."""
    kernel = started(WHERE[0])
    kernel.livepatch(
        pte_mkdirty=lambda k, pte: k.clear_pte_bit(k.set_pte_bit(pte, k.PTE_WRITE), k.PTE_RDONLY),
        pte_wrprotect=lambda k, pte: k.set_pte_bit(k.clear_pte_bit(pte, k.PTE_WRITE), k.PTE_RDONLY),
    )
    assert warned(kernel)[:2] == ["pte_basic_tests", "pmd_basic_tests"]


def test_shareability_bits_under_lpa2():
    """With PTE_SHARED left in the protections, its bits are read as an address far outside RAM."""
    kernel = started(boot(Config("16k", 52), MAX))
    kernel.protection_map = [prot | kernel.PTE_SHARED for prot in kernel.protection_map]
    run = kernel.run()
    assert run.outcome == "panic"
    assert run.reports[-1].kind == "Oops"
    assert run.reports[-1].trace[0] == "__sync_icache_dcache"


def test_deposited_table_that_is_not_withdrawn():
    kernel = started(WHERE[0])
    kernel.livepatch(pgtable_trans_huge_withdraw=does_nothing)
    run = kernel.run()
    assert (run.outcome, run.reports[-1].kind) == ("panic", "BUG")
    assert run.reports[-1].text == "VM_BUG_ON_PAGE(ptdesc->pmd_huge_pte)"


def test_withdraw_order():
    for booted in (WHERE[0], boot(Config("16k", 36), MAX)):  # the list is in the PMD table's page, or in the mm
        k = started(booted)
        mm = k.mm_alloc()
        table = k.pmd_alloc_one(mm, 0) or mm.pgd
        pages = [k.pte_alloc_one(mm) for _ in range(4)]
        k.pmd_lock(mm, table)
        for page in pages:
            k.pgtable_trans_huge_deposit(mm, table, page)
        assert [k.pgtable_trans_huge_withdraw(mm, table) for _ in pages] == [pages[-1], *pages[:-1]]
        assert k.pmd_huge_pte(mm, table) == 0


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_question_about_a_migration_entry_is_asked(which):
    """The kernel asks three times whether an entry is of migration: a helper that is wrong once is reported once."""
    kernel = started(WHERE[0])
    original, answers = kernel.symbols["is_migration_entry"], []

    def wrong_once(k, entry):
        answers.append(original(k, entry))
        return answers[-1] and len(answers) != which + 1

    kernel.livepatch(is_migration_entry=wrong_once)
    assert warned(kernel) == ["swap_migration_tests"]
    assert len(answers) == 3
    assert all(answers)
