"""Trees: commits in order, each the functions that it replaces, and what the order decides."""

import pytest

from pgtlab.lab.matrix import boots, matrix
from pgtlab.lab.trees import TREES, Commit, Tree, TreeError
from pgtlab.linux.boot import Boot, Fold, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel

PUD_REAL = boot(Config("4k", 48), CPU.named("max"))
PUD_FOLDED_AT_RUN_TIME = boot(Config("16k", 52), CPU.named("neoverse-n1"))
PUD_FOLDED_BY_THE_COMPILER = boot(Config("4k", 39), CPU.named("max"))


def test_the_two_trees_differ_in_the_fix_alone():
    buggy, fixed = Tree.named("arm64-for-next"), Tree.named("fixed")
    assert fixed.commits[:-1] == buggy.commits
    assert buggy.commits[-1].subject == "arm64: mm: Add support for folding PUDs at runtime"
    assert buggy.commits[-1].id == "0dd4f60a2c76"
    assert set(fixed.commits[-1].functions) == set(buggy.commits[-1].functions) == {"pud_free"}


def test_the_diff_is_one_line():
    before, after = (
        Tree.named(name).commits[-1].source("pud_free").splitlines() for name in ("arm64-for-next", "fixed")
    )
    assert before[0] == after[0] == "def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:"
    assert [line.strip() for line in before if line not in after] == [
        'k.BUG_ON(pud & k.PAGE_SIZE - 1, "(unsigned long)pud & (PAGE_SIZE-1)")',
        "k.free_page(pud)",
    ]
    assert [line.strip() for line in after if line not in before] == ["k.__pud_free(mm, pud)"]


def test_an_unknown_tree_is_refused_with_those_that_are_known():
    with pytest.raises(TreeError, match="'linus' is not known; there are arm64-for-next and fixed"):
        Tree.named("linus")


def test_the_last_commit_to_a_function_wins():
    def one(k, mm, pud):
        k.printk("one")

    def other(k, mm, pud):
        k.printk("other")

    commits = tuple(Commit(f.__name__, {"pud_free": f}) for f in (one, other))
    for order in (commits, commits[::-1]):
        run = Tree("toy", order).start_kernel(PUD_REAL).run()
        said = [line.split("] ", 1)[1] for line in run.dmesg]
        assert order[-1].subject in said
        assert order[0].subject not in said


def test_a_commit_changes_no_code_that_is_not_compiled():
    """arm64's pud_free() is under CONFIG_PGTABLE_LEVELS > 3; with fewer the empty one of asm-generic is used."""
    for booted in (b for b in boots() if isinstance(b, Boot)):
        in_tree = Tree.named("arm64-for-next").start_kernel(booted).symbols["pud_free"]
        by_itself = Kernel(booted).symbols["pud_free"]
        assert (in_tree is by_itself) == (booted.folded["pud"] is Fold.COMPILE_TIME)


def test_what_a_commit_replaces_is_there_to_be_replaced():
    symbols = Kernel(PUD_REAL).symbols
    for tree in TREES.values():
        for commit in tree.commits:
            assert symbols.keys() >= set(commit.functions)


def test_a_tree_without_the_patch_is_clean_where_no_pud_folds_at_run_time_and_wrong_where_one_does():
    """Which is what the patch is for."""
    nothing = Tree("v6.8", ())
    assert nothing.start_kernel(PUD_REAL).run().outcome == "clean"
    assert nothing.start_kernel(PUD_FOLDED_BY_THE_COMPILER).run().outcome == "clean"
    assert nothing.start_kernel(PUD_FOLDED_AT_RUN_TIME).run().outcome == "panic"
    assert Tree.named("arm64-for-next").start_kernel(PUD_FOLDED_AT_RUN_TIME).run().outcome == "clean"


def test_the_seed_chooses_the_address_and_is_all_that_is_random():
    def dmesg(seed):
        return Tree.named("arm64-for-next").start_kernel(PUD_REAL, seed).run().dmesg

    assert dmesg(1) == dmesg(1)
    one, other = (Tree.named("fixed").start_kernel(PUD_REAL, seed).get_random_vaddr() for seed in (1, 2))
    assert one != other


def test_the_matrix_has_every_configuration_on_every_cpu():
    runs = matrix("arm64-for-next")
    assert len(runs) == 13 * 8
    for booted in boots():
        outcome = runs[booted.config, booted.cpu].outcome
        if isinstance(booted, NoBoot):
            assert outcome == "no boot"
        else:
            assert outcome == ("report" if booted.folded["pud"] is Fold.REAL else "clean")


def test_a_livepatch_goes_into_every_kernel_of_the_matrix():
    def pud_free(k, mm, pud):
        if k.pgtable_l4_enabled():
            k.__pud_free(mm, pud)

    assert {run.outcome for run in matrix("arm64-for-next", pud_free=pud_free).values()} == {"clean", "no boot"}
