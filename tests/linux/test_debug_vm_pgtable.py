"""The kernel's own test of its page tables: the bad page that it finds, and the other bugs that it would find."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import KINDS, every_kind

from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe
from pgtlab.linux.boot import Boot, Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel

WITH_PUD = [booted for booted in KINDS if booted.folded["pud"] is Fold.REAL]
WITHOUT_PUD = [booted for booted in KINDS if booted.folded["pud"] is not Fold.REAL]

with_pud = pytest.mark.parametrize("booted", WITH_PUD, ids=describe)
without_pud = pytest.mark.parametrize("booted", WITHOUT_PUD, ids=describe)


def buggy(booted: Boot, seed: int = 0) -> Kernel:
    return Tree.named("arm64-for-next").start_kernel(booted, seed)


def fixed(booted: Boot, seed: int = 0) -> Kernel:
    return Tree.named("fixed").start_kernel(booted, seed)


def free_blocks(kernel: Kernel) -> set[tuple[int, int]]:
    """Every free block as (first pfn, order)."""
    return {(pfn, order) for zone in kernel.node_zones for pfn, order, _ in zone.free_blocks()}


# The bad page.


@with_pud
def test_bad_page_is_the_pud_table(booted):
    kernel = buggy(booted)
    pud_alloc_one, tables = kernel.symbols["pud_alloc_one"], []

    def record_table(k, mm, addr):
        table = pud_alloc_one(k, mm, addr)
        tables.append(k.__pa(table) >> k.PAGE_SHIFT)
        return table

    kernel.livepatch(pud_alloc_one=record_table)
    (report,) = kernel.run().reports
    assert [report.pfn] == tables


@with_pud
def test_words_of_the_bad_page(booted):
    run = buggy(booted).run()
    (report,) = run.reports
    assert (report.mapcount, report.page_type, report.text) == (-512, 0xFFFF_FDFF, "nonzero mapcount")
    flags, lru_next, lru_prev, mapping, index, private, counts, memcg = report.raw
    assert counts == 0x0000_0000_FFFF_FDFF  # _refcount above, page_type below
    assert lru_prev == 0xDEAD_0000_0000_0122  # LIST_POISON2, as in the recorded dumps
    assert (flags, lru_next, mapping, index, private, memcg) == (0,) * 6


@with_pud
def test_bad_page_is_lost_and_counted(booted):
    kernel = buggy(booted)
    before = kernel.nr_free_pages()
    run = kernel.run()
    assert kernel.nr_free_pages() == before - 1
    assert run.nr_page_table_pages == 1
    assert [(o.pfn, o.order) for o in run.lost] == [(run.reports[0].pfn, 0)]
    assert "__pud_alloc" in run.lost[0].trace


@every_kind
def test_fixed_kernel_frees_everything(booted):
    kernel = fixed(booted)
    before = free_blocks(kernel)
    run = kernel.run()
    assert (run.outcome, run.reports, run.lost, run.nr_page_table_pages) == ("clean", (), (), 0)
    assert free_blocks(kernel) == before
    log = "\n".join(run.dmesg)
    no_huge_page = kernel.memory.size < kernel.HPAGE_PMD_SIZE  # with 64K pages it is 512 MiB
    assert ("page allocation failure: order:13, mode:0xcc0(GFP_KERNEL)" in log) == no_huge_page
    assert no_huge_page or len(run.dmesg) <= 2  # the line that it ran, and that of the CPU's feature


@given(seed=st.integers(0, 1 << 32), booted=st.sampled_from(KINDS))
@settings(max_examples=20)
def test_outcome_does_not_depend_on_the_random_address(seed, booted):
    assert len(buggy(booted, seed).run().reports) == (booted in WITH_PUD)
    assert fixed(booted, seed).run().outcome == "clean"


def test_random_address_is_in_user_space():
    for booted in KINDS:
        kernel = fixed(booted)
        addresses = [kernel.get_random_vaddr() for _ in range(50)]
        assert len(set(addresses)) == 50
        assert all(va % booted.config.page_size == 0 for va in addresses)
        assert 1 << booted.vabits_actual > max(addresses) > 1 << booted.vabits_actual - 4


def test_second_run_reports_a_second_page():
    kernel = buggy(boot(Config("4k", 48), CPU.named("max")))
    first, second = kernel.run(), kernel.run()
    assert (first.outcome, second.outcome) == ("report", "report")
    assert first.reports[0].pfn != second.reports[0].pfn
    assert second.nr_page_table_pages == 2


# A correct and several wrong ways to free a PUD table, judged by the run alone and not by their source.


def correct(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.__pud_free(mm, pud)


def without_destructor(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.free_page(pud)


def without_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.pagetable_pud_dtor(k.virt_to_page(pud))


def although_folded(k, mm, pud):
    k.__pud_free(mm, pud)


def although_folded_and_without_destructor(k, mm, pud):
    k.free_page(pud)


def twice(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.__pud_free(mm, pud)
    k.free_page(pud)


def free_before_destructor(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.free_page(pud)
    k.pagetable_pud_dtor(k.virt_to_page(pud))


def destructor_twice(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.pagetable_pud_dtor(k.virt_to_page(pud))
    k.__pud_free(mm, pud)


def not_at_all(k, mm, pud):
    pass


def patched(booted: Boot, pud_free) -> Kernel:
    kernel = buggy(booted)
    kernel.livepatch(pud_free=pud_free)
    return kernel


@every_kind
def test_correct_pud_free(booted):
    run = patched(booted, correct).run()
    assert (run.outcome, run.lost, run.nr_page_table_pages) == ("clean", (), 0)


@with_pud
@pytest.mark.parametrize(
    ("pud_free", "outcome", "kinds", "lost", "counted"),
    [
        (without_destructor, "report", ["Bad page state"], 1, 1),
        (without_free, "clean", [], 1, 0),
        (not_at_all, "clean", [], 1, 1),
        (twice, "panic", ["BUG"], None, 0),
        (destructor_twice, "panic", ["BUG"], None, 0),
        (free_before_destructor, "panic", ["Bad page state", "BUG"], None, 1),
        (although_folded, "clean", [], 0, 0),
    ],
)
def test_wrong_pud_free_where_pud_is_real(booted, pud_free, outcome, kinds, lost, counted):
    run = patched(booted, pud_free).run()
    assert (run.outcome, [report.kind for report in run.reports]) == (outcome, kinds)
    assert run.nr_page_table_pages == counted
    assert lost is None or [(o.order, "__pud_alloc" in o.trace) for o in run.lost] == [(0, True)] * lost


@without_pud
@pytest.mark.parametrize("pud_free", [although_folded, although_folded_and_without_destructor])
def test_freeing_a_folded_pud_panics(booted, pud_free):
    """A folded PUD is in the pgd's page: this was never counted as a PUD table, and is freed again later."""
    run = patched(booted, pud_free).run()
    assert run.outcome == "panic"
    assert {report.kind for report in run.reports} <= {"BUG", "Bad page state"}


@without_pud
@pytest.mark.parametrize(
    "pud_free", [without_destructor, without_free, not_at_all, twice, destructor_twice, free_before_destructor]
)
def test_wrong_pud_free_is_harmless_where_pud_is_folded(booted, pud_free):
    run = patched(booted, pud_free).run()
    assert (run.outcome, run.lost) == ("clean", ())


# Bugs in the other helpers that it checks.


def does_nothing(k, *args):
    """A helper that does not do its job."""


FIVE_LEVELS, FOUR_LEVELS, THREE_LEVELS, TWO_LEVELS = (
    boot(Config("4k", va), CPU.named("max")) if va != 36 else boot(Config("16k", va), CPU.named("max"))
    for va in (52, 48, 39, 36)
)
P4D_FOLDED = boot(Config("4k", 52), CPU.named("max,lpa2=off"))
PUD_FOLDED = boot(Config("16k", 52), CPU.named("max,lpa2=off"))


@pytest.mark.parametrize(
    ("name", "broken", "caught_by"),
    [
        ("ptep_clear", does_nothing, [FIVE_LEVELS, FOUR_LEVELS, THREE_LEVELS, TWO_LEVELS, P4D_FOLDED, PUD_FOLDED]),
        ("pmd_clear", does_nothing, [FIVE_LEVELS, FOUR_LEVELS, THREE_LEVELS, TWO_LEVELS, P4D_FOLDED, PUD_FOLDED]),
        ("pud_clear", does_nothing, [FIVE_LEVELS, FOUR_LEVELS, P4D_FOLDED, PUD_FOLDED]),
        ("p4d_clear", does_nothing, [FIVE_LEVELS, P4D_FOLDED]),
        ("pgd_clear", does_nothing, [FIVE_LEVELS]),
    ],
)
def test_broken_clear_helper(name, broken, caught_by):
    for booted in (FIVE_LEVELS, FOUR_LEVELS, THREE_LEVELS, TWO_LEVELS, P4D_FOLDED, PUD_FOLDED):
        kernel = fixed(booted)
        kernel.livepatch(**{name: broken})
        run = kernel.run()
        warnings = [report for report in run.reports if report.kind == "WARNING"]
        assert bool(warnings) == (booted in caught_by), (booted, run.reports)
        for report in warnings:
            assert report.trace == (
                "debug_vm_pgtable",
                "do_one_initcall",
                "kernel_init_freeable",
                "kernel_init",
                "ret_from_fork",
            )
            assert "debug_vm_pgtable.py:" in report.location


RANDOM_ORVALUE = 0xBFFF_FFFF_FFFF_FFF0  # all but bits 3:0, which s390 needs, and bit 62, which ppc64 needs


@every_kind
def test_entry_has_random_bits_when_cleared(booted):
    """In v6.9; a PTE without PTE_CONT, which arm64 clears. A level folded at compile time has no such test."""
    kernel, cleared = fixed(booted), {}
    for name, entry in (("ptep_clear", 2), ("pmd_clear", 0), ("pud_clear", 0), ("p4d_clear", 0), ("pgd_clear", 0)):

        def clear(k, *args, name=name, entry=entry, original=kernel.symbols[name]):
            cleared.setdefault(name, []).append(k.read64(args[entry]) | (1 << 52 if name == "ptep_clear" else 0))
            original(k, *args)

        kernel.livepatch(**{name: clear})
    assert kernel.run().outcome == "clean"
    pud, p4d = booted.folded["pud"], booted.folded["p4d"]
    expected = {
        "ptep_clear": True,
        "pmd_clear": True,
        "pud_clear": pud is not Fold.COMPILE_TIME,
        "p4d_clear": p4d is not Fold.COMPILE_TIME and pud is Fold.REAL,
        "pgd_clear": p4d is Fold.REAL,
    }
    full = {name for name, words in cleared.items() if any(word & RANDOM_ORVALUE == RANDOM_ORVALUE for word in words)}
    assert full == {name for name, tested in expected.items() if tested}


@pytest.mark.parametrize(
    ("level", "folds_with", "caught_by"),
    [
        ("pmd", None, [FIVE_LEVELS, FOUR_LEVELS, THREE_LEVELS, TWO_LEVELS, P4D_FOLDED, PUD_FOLDED]),
        ("pud", "pmd", [FIVE_LEVELS, FOUR_LEVELS, P4D_FOLDED, PUD_FOLDED]),
        ("p4d", "pud", [FIVE_LEVELS, P4D_FOLDED]),
        ("pgd", "p4d", [FIVE_LEVELS]),
    ],
)
def test_broken_populate_helper(level, folds_with, caught_by):
    for booted in (FIVE_LEVELS, FOUR_LEVELS, THREE_LEVELS, TWO_LEVELS, P4D_FOLDED, PUD_FOLDED):
        if folds_with and booted.folded[folds_with] is not Fold.REAL:
            continue
        kernel = fixed(booted)
        populate = kernel.symbols[f"{level}_populate"]

        def populate_as_a_block(k, mm, entryp, table, populate=populate):
            populate(k, mm, entryp, table)
            k.write64(entryp, k.read64(entryp) & ~0b10)

        kernel.livepatch(**{f"{level}_populate": populate_as_a_block})
        run = kernel.run()
        assert {report.kind for report in run.reports} == ({"WARNING"} if booted in caught_by else set()), booted
        if level == "pmd":  # the tests of PTEs have no table to work in, and warn
            assert len(run.reports) == 3


def test_run_continues_after_a_warning():
    kernel = fixed(FOUR_LEVELS)
    kernel.livepatch(ptep_clear=does_nothing)
    run = kernel.run()
    assert (run.outcome, len(run.reports), run.lost, run.nr_page_table_pages) == ("report", 1, (), 0)


def test_unbalanced_table_counter():
    kernel = fixed(FOUR_LEVELS)
    kernel.livepatch(mm_dec_nr_pmds=does_nothing)
    run = kernel.run()
    assert [report.kind for report in run.reports] == ["Bad mm"]
    assert run.dmesg[-1].endswith("BUG: non-zero pgtables_bytes on freeing mm: 4096")


@pytest.mark.parametrize(
    ("booted", "tables"),
    [
        (FIVE_LEVELS, ["p4d entries", "pud entries", "pmd entries", "pte entries"]),
        (FOUR_LEVELS, ["pud entries", "pmd entries", "pte entries"]),
        (P4D_FOLDED, ["pud entries", "pmd entries", "pte entries"]),
        (PUD_FOLDED, ["pmd entries", "pte entries"]),
        (TWO_LEVELS, ["pte entries"]),
    ],
    ids=lambda value: describe(value) if isinstance(value, Boot) else "",
)
def test_without_memory(booted, tables):
    """With n free pages, the allocation of the n-th table from the top fails."""
    for pages, missing in enumerate(["mm struct", *tables]):
        kernel = fixed(booted)
        leave_free(kernel, pages)
        run = kernel.run()
        assert run.dmesg[-1].endswith(f"]: Failed to allocate {missing}")
        assert (run.outcome, run.lost, kernel.nr_free_pages()) == ("clean", (), pages)


def leave_free(kernel: Kernel, pages: int) -> None:
    kept = [kernel.alloc_pages(0) for _ in range(pages)]
    for order in range(kernel.MAX_PAGE_ORDER, -1, -1):
        while kernel.alloc_pages(order) is not None:
            pass
    for page in kept:
        kernel.__free_pages(page, 0)


def test_without_a_huge_page():
    kernel = fixed(FOUR_LEVELS)
    leave_free(kernel, 5)  # four tables, and one page to map
    assert kernel.run().outcome == "clean"
