"""Trees on other versions of Linux: what happens there, and that each difference does what it says."""

import json

import pytest

from pgtlab.cli import main
from pgtlab.lab.bugs.address_space import life
from pgtlab.lab.linux_versions import IN_WORDS, SINCE, VERSION_COMMITS, differences
from pgtlab.lab.trees import Commit, Tree
from pgtlab.linux.boot import boot
from pgtlab.linux.kconfig import Config
from pgtlab.linux.version import VERSIONS


def outcome(tree: str, linux: str) -> tuple[str, int]:
    run = Tree.named(tree).start_kernel(boot(Config("4k", 48, linux=linux))).run()
    return run.outcome, run.nr_page_table_pages


@pytest.mark.parametrize(
    ("linux", "outcomes"),
    [
        ("", [("panic", 1), ("report", 1), ("clean", 0)]),
        ("6.6", [("clean", 0), ("clean", 0), ("clean", 0)]),  # PUD tables are not accounted yet
        ("6.7", [("panic", 1), ("report", 1), ("clean", 0)]),
        ("6.16", [("panic", 1), ("report", 1), ("clean", 0)]),
        ("6.17", [("clean", 1), ("clean", 1), ("clean", 0)]),  # nothing is reported, and a table is counted for ever
        ("7.3", [("clean", 1), ("clean", 1), ("clean", 0)]),  # as the recorded kernel of 7.3: no bad page
    ],
)
def test_the_story_on_other_versions(linux, outcomes):
    assert [outcome(tree, linux) for tree in ("next-20240229", "arm64-for-next", "fixed")] == outcomes


def test_since_6_17_only_the_counter_tells():
    for linux, says in (("6.16", "Bad page state: nonzero mapcount"), ("7.3", "NR_PAGETABLE is 1 too high")):
        kernel = Tree.named("arm64-for-next").start_kernel(boot(Config("4k", 48, linux=linux)))
        assert life(kernel).startswith(says)
        assert kernel.release == f"{linux}.0-pgtlab"


@pytest.mark.parametrize("linux", ["", *VERSIONS])
def test_the_fixed_tree_is_clean_on_every_version(linux):
    assert outcome("fixed", linux) == ("clean", 0)


def test_a_table_entry_has_an_access_flag_since_6_13():
    for linux, flag in (("6.12", 0), ("6.13", 1), ("7.3", 1)):
        kernel = Tree.named("fixed").start_kernel(boot(Config("4k", 48, linux=linux)))
        mm = kernel.mm_alloc()
        pgdp = kernel.pgd_offset(mm, 0)
        kernel.pud_alloc(mm, kernel.p4d_alloc(mm, pgdp, 0), 0)
        assert kernel.read64(pgdp) >> 10 & 1 == flag


def test_differences_add_up():
    assert [len(differences(linux)) for linux in ("", "6.1", "6.9", "6.12", "6.13", "7.3")] == [0, 1, 0, 5, 6, 10]
    names = {commit.name for linux in ("6.1", "7.3") for commit in differences(linux)}
    assert {commit.name for commit in VERSION_COMMITS} == names
    assert {version for version, _ in SINCE} | {*IN_WORDS} < {*VERSIONS}
    for commit in VERSION_COMMITS:
        assert Commit.named(commit.name) == commit
        assert commit.diff()


def test_the_command_lists_a_version(capsys):
    main(["trees", "--linux", "7.3"])
    out = capsys.readouterr().out
    assert "free-clears-type: mm/page_alloc: let page freeing clear any set page type" in out
    assert "before 6.9" not in out
    main(["trees", "--linux", "6.1", "--json"])
    assert [tree["commits"][0]["name"] for tree in json.loads(capsys.readouterr().out)] == ["pud-is-not-accounted"]


def test_debug_vm_pgtable_says_what_the_log_does_not(capsys):
    main(["debug-vm-pgtable", "--linux", "7.3"])
    captured = capsys.readouterr()
    assert "BUG" not in captured.out
    assert "In Linux 7.3 freeing a page clears its type before it is checked (since 6.17): nothing is" in captured.err
    main(["debug-vm-pgtable", "--kernel", "defconfig"])
    assert "This kernel does not check pages that are freed (DEBUG_VM and" in capsys.readouterr().err
    main(["debug-vm-pgtable", "--kernel", "debian-6.12"])
    captured = capsys.readouterr()
    assert "BUG: Bad page state" in captured.out
    assert captured.err == ""
