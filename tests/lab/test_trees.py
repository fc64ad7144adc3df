"""Trees: commits in order, each the functions that it replaces, and what the order decides."""

import pytest

from pgtlab.lab.matrix import boots, matrix
from pgtlab.lab.trees import COMMITS, FOLD_PUDS_AT_RUNTIME, TREES, Commit, Tree, TreeError
from pgtlab.linux.boot import Boot, Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel

PUD_REAL = boot(Config("4k", 48), CPU.named("max"))
PUD_FOLDED_AT_RUN_TIME = boot(Config("16k", 52), CPU.named("neoverse-n1"))
PUD_FOLDED_BY_THE_COMPILER = boot(Config("4k", 39), CPU.named("max"))


def test_commits_of_the_trees():
    arm64, mm, following = (Tree.named(name).commits for name in ("arm64-for-next", "mm-unstable", "next-20240229"))
    assert [(c.id, c.subject) for c in (*arm64, *mm)] == [
        ("0dd4f60a2c76", "arm64: mm: Add support for folding PUDs at runtime"),
        ("d67cd9f23139", "mm: add __dump_folio()"),
    ]
    assert following == (*arm64, *mm)
    fixes = [Tree.named(name).commits for name in ("next+fix-dump-page", "next+fix-pud-free")]
    assert all(fix[:-1] == following for fix in fixes)
    assert Tree.named("fixed").commits == (*following, *(fix[-1] for fix in fixes))
    assert set(fixes[1][-1].functions) == set(arm64[-1].functions) == {"pud_free"}


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("next-20240229", ["Bad page state", "Oops"]),
        ("arm64-for-next", ["Bad page state"]),
        ("next+fix-dump-page", ["Bad page state"]),
    ],
)
def test_what_each_tree_reports(name, kinds):
    reports = Tree.named(name).start_kernel(PUD_REAL).run().reports
    assert [report.kind for report in reports] == kinds
    assert (reports[0].page_type, reports[0].text) == (0xFFFF_FDFF, "nonzero mapcount")


def test_fix_of_dump_page_alone():
    """Compared with arm64's branch, whose dump_page() is the one from before."""
    before, after = (
        [line.split("] ", 1)[1] for line in Tree.named(name).start_kernel(PUD_REAL).run().dmesg]
        for name in ("arm64-for-next", "next+fix-dump-page")
    )
    assert [line for line in after if line != "page does not match folio"] == before
    assert after.index("page does not match folio") == 2  # right after the line with the BUG, as in the log


@pytest.mark.parametrize("commit", COMMITS, ids=[commit.name for commit in COMMITS])
def test_commit_by_name_and_id(commit):
    assert Commit.named(commit.name) is commit
    if commit.id:
        assert Commit.named(commit.id) is Commit.named(commit.id[:7]) is Commit.named(f"{commit.id:8<40}") is commit
    lines = commit.diff().splitlines()
    assert [line for line in lines if line.startswith("+++ ")] == [
        f"+++ {name}() of {commit.id or commit.name}" for name in commit.functions
    ]
    changed = [line for line in lines if line[0] in "+-" and not line.startswith(("+++", "---"))]
    assert changed
    for function in commit.functions:  # what the diff adds is in the source of the function, line by line
        assert f"def {function}(" in commit.source(function)
    sources = "".join(map(commit.source, commit.functions)).splitlines()
    assert all(line[1:] in sources for line in changed if line[0] == "+")


@pytest.mark.parametrize("name", ["linus", "0dd", "", "0dd4f60a2c77"])
def test_unknown_commit(name):
    with pytest.raises(TreeError, match="choose from 0dd4f60a2c76, d67cd9f23139, fix-dump-page and fix-pud-free"):
        Commit.named(name)


def test_diff_of_one_line():
    before, after = (
        Tree.named(name).commits[-1].source("pud_free").splitlines() for name in ("arm64-for-next", "fixed")
    )
    assert before[0] == after[0] == "def pud_free(k: Kernel, mm: MmStruct, pud: int) -> None:"
    assert [line.strip() for line in before if line not in after] == [
        'k.BUG_ON(pud & k.PAGE_SIZE - 1, "(unsigned long)pud & (PAGE_SIZE-1)")',
        "k.free_page(pud)",
    ]
    assert [line.strip() for line in after if line not in before] == ["k.__pud_free(mm, pud)"]


def test_unknown_tree():
    with pytest.raises(TreeError, match=r"unknown tree 'linus': choose from next-20240229, .* and fixed"):
        Tree.named("linus")


def test_the_last_commit_to_a_function_wins():
    def one(k, mm, pud):
        k.printk("one")

    def other(k, mm, pud):
        k.printk("other")

    commits = tuple(Commit(f.__name__, {"pud_free": f}) for f in (one, other))
    for order in (commits, commits[::-1]):
        run = Tree("toy", order).start_kernel(PUD_REAL).run()
        lines = [line.split("] ", 1)[1] for line in run.dmesg]
        assert order[-1].subject in lines
        assert order[0].subject not in lines


def test_commit_does_not_change_code_that_is_not_compiled():
    """arm64's pud_free() is under CONFIG_PGTABLE_LEVELS > 3; with fewer the empty one of asm-generic is used."""
    for booted in (b for b in boots() if isinstance(b, Boot)):
        in_tree = Tree.named("arm64-for-next").start_kernel(booted).symbols["pud_free"]
        by_itself = Kernel(booted).symbols["pud_free"]
        assert (in_tree is by_itself) == (booted.folded["pud"] is Fold.COMPILE_TIME)


def test_commits_replace_existing_functions():
    symbols = Kernel(PUD_REAL).symbols
    for tree in TREES.values():
        for commit in tree.commits:
            assert symbols.keys() >= set(commit.functions)


def test_before_fold_puds():
    """Which is what the patch is for."""
    before = Tree("v6.8", (Commit("generic pud_free()", FOLD_PUDS_AT_RUNTIME.before),))
    assert before.start_kernel(PUD_REAL).run().outcome == "clean"
    assert before.start_kernel(PUD_FOLDED_BY_THE_COMPILER).run().outcome == "clean"
    assert before.start_kernel(PUD_FOLDED_AT_RUN_TIME).run().outcome == "panic"
    assert Tree.named("arm64-for-next").start_kernel(PUD_FOLDED_AT_RUN_TIME).run().outcome == "clean"


def test_diff_against_the_function_before():
    before, after = FOLD_PUDS_AT_RUNTIME.diff().splitlines()[:2]
    assert (before, after) == ("--- pud_free() of v6.8", "+++ pud_free() of 0dd4f60a2c76")
    assert "-    k.__pud_free(mm, pud)" in FOLD_PUDS_AT_RUNTIME.diff()
    assert "+    if not k.pgtable_l4_enabled():" in FOLD_PUDS_AT_RUNTIME.diff()


def test_seed():
    def dmesg(seed):
        return Tree.named("arm64-for-next").start_kernel(PUD_REAL, seed).run().dmesg

    assert dmesg(1) == dmesg(1)
    one, other = (Tree.named("fixed").start_kernel(PUD_REAL, seed).get_random_vaddr() for seed in (1, 2))
    assert one != other


def test_matrix_applies_a_livepatch():
    def pud_free(k, mm, pud):
        if k.pgtable_l4_enabled():
            k.__pud_free(mm, pud)

    assert {run.outcome for run in matrix("arm64-for-next", pud_free=pud_free).values()} == {"clean", "no boot"}
