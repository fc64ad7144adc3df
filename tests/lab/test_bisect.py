"""The bisections of the story, by git itself, as docs/bisection.md shows them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pgtlab.lab.history import ARM64, MM, NEXT, STAGE1_LPA2, RepoError, read_tree, write_repo
from pgtlab.lab.trees import Tree, TreeError

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```(sh|text)\n(.*?)^```$", (ROOT / "docs/bisection.md").read_text(), re.MULTILINE | re.DOTALL)
MAKE, *BISECTIONS = [text for language, text in BLOCKS if language == "sh"]
FOLDING, DUMPING = "arm64: mm: Add support for folding PUDs at runtime", "mm: add __dump_folio()"
SHOWN = [text for language, text in BLOCKS if language == "text"]


@pytest.fixture
def shell(tmp_path):
    """Run a script as someone who has git and pgtlab and no configuration; the folder is a temporary one."""
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "pgtlab").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pgtlab.cli "$@"\n')
    (bin / "pgtlab").chmod(0o755)
    environment = {
        "PATH": f"{bin}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PAGER": "cat",
    }

    def run(script):
        return subprocess.run(
            ["sh", "-e", "-c", script],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )

    return run


def git(folder, *args):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-C", folder, *args], env=environment, check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    return done.stdout


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history") / "linux-next"
    write_repo(folder)
    return folder


@pytest.mark.long
@pytest.mark.parametrize(
    ("script", "shown", "subject"),
    [
        pytest.param(BISECTIONS[0], SHOWN[0], "Merge branch 'for-next/core'", id="panics"),
        pytest.param(BISECTIONS[1], SHOWN[1], FOLDING, id="reports"),
        pytest.param(BISECTIONS[2], SHOWN[2], FOLDING, id="panics, rebased", marks=pytest.mark.sweep),
        pytest.param(BISECTIONS[3], SHOWN[3], DUMPING, id="panics, arm64 merged", marks=pytest.mark.sweep),
    ],
)
def test_git_bisect_finds_the_commits_of_the_thread(shell, script, shown, subject):
    done = shell(f"{MAKE}\n{script}")
    assert done.returncode == 0, done.stdout
    first_bad = done.stdout[re.search(r"^\w+ is the first bad commit$", done.stdout, re.M).start() :]
    assert next(line for line in first_bad.splitlines() if line.startswith("    ")).strip() == subject
    assert [line for line in shown.splitlines() if line not in first_bad.splitlines()] == []


def test_bisections_in_the_document():
    assert len(BISECTIONS) == len(SHOWN) == 4


@pytest.mark.sweep
@pytest.mark.parametrize(("cpu", "found"), [("max", True), ("max,lpa2=off", False)])
def test_bisection_with_other_kernels(shell, cpu, found):
    options = f"--page-size 16k --va-bits 52 --cpu {cpu}"
    done = shell(
        f"{MAKE}\ngit bisect start {NEXT} base\n"
        f"git bisect run pgtlab debug-vm-pgtable --tree-file tree.txt --bad report {options}"
    )
    assert ("Add support for folding PUDs at runtime" in done.stdout.partition("is the first bad commit")[2]) == found


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        "pgtlab debug-vm-pgtable --tree-file tree.txt --bad explosion",
        "pgtlab debug-vm-pgtable --tree-file other.txt",
        "pgtlab debug-vm-pgtable --treefile tree.txt --bad panic",
        "pgtlab debug-vm-pgtable --tree-file tree.txt --page-size 16k --cpu a64fx",
    ],
)
def test_usage_error_ends_a_bisection(shell, command):
    done = shell(f"{MAKE}\ngit bisect start {NEXT} base\ngit bisect run {command} || git bisect log")
    assert "exit code 128" in done.stdout
    assert done.stdout.count("\ngit bisect ") == 1  # in the log: that it was started


def test_branches_are_the_trees_of_the_story(repo):
    for revision, tree in [(STAGE1_LPA2, "arm64-for-next"), (MM, "mm-unstable"), (NEXT, "next-20240229")]:
        file = read_tree(git(repo, "show", f"{revision}:tree.txt"), revision)
        assert file.commits == Tree.named(tree).commits
    assert read_tree(git(repo, "show", "base:tree.txt"), "base").commits == ()


def test_history_has_the_shape_of_linux_next(repo):
    trunk = git(repo, "log", "--first-parent", "--format=%s", f"base..{NEXT}").splitlines()
    assert trunk[1:] == ["Merge branch 'for-next/core'", "Merge branch 'mm-everything'"]
    assert git(repo, "log", "--merges", "--format=%s", f"base..{ARM64}").count("\n") == 1
    for name in (STAGE1_LPA2, ARM64, MM):
        assert git(repo, "merge-base", NEXT, name) == git(repo, "rev-parse", name)  # all of it is in
        assert git(repo, "merge-base", "base", name) == git(repo, "rev-parse", "base")
    assert git(repo, "status", "--porcelain", "--ignored") == ""
    assert git(repo, "fsck", "--strict") == ""


def test_commit_ids_and_authors(repo, tmp_path, monkeypatch):
    hostile = {
        "GIT_DIR": str(tmp_path / "elsewhere"),
        "GIT_AUTHOR_NAME": "Someone",
        "GIT_COMMITTER_DATE": "2001-01-01T00:00:00",
        "GIT_DEFAULT_HASH": "sha256",
        "TZ": "Asia/Tokyo",
    }
    for key, value in hostile.items():
        monkeypatch.setenv(key, value)
    write_repo(tmp_path / "a" / "b")
    assert git(tmp_path / "a" / "b", "show-ref") == git(repo, "show-ref")
    assert not (tmp_path / "elsewhere").exists()
    who = git(repo, "log", "--all", "--format=%an <%ae>%n%cn <%ce>").splitlines()
    assert set(who) == {"The pgtlab authors <pgtlab@pgtlab.invalid>"}


def test_folder_with_files_is_refused(tmp_path):
    (tmp_path / "own").write_text("own")
    with pytest.raises(RepoError, match="is not empty"):
        write_repo(tmp_path)
    with pytest.raises(RepoError, match="is not a folder"):
        write_repo(tmp_path / "own")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("own", "own")]


def test_empty_folder_is_used(repo, tmp_path):
    write_repo(tmp_path)
    assert git(tmp_path, "rev-parse", "HEAD") == git(repo, "rev-parse", NEXT)


def test_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepoError, match="git is not on the PATH"):
        write_repo(tmp_path / "repo")
    assert list(tmp_path.iterdir()) == []


def test_unknown_commit_in_a_tree_file():
    with pytest.raises(TreeError, match=r"tree.txt, line 2: unknown commit '<<<<<<< HEAD': choose from 0dd4f60a2c76"):
        read_tree("fold-puds\n<<<<<<< HEAD\n", "tree.txt")


def test_tree_file_with_ids():
    names = [commit.name for commit in read_tree("\nd67cd9f23139 # one\n  0dd4f60a2c76\n", "x").commits]
    assert names == ["dump-folio", "fold-puds"]


@pytest.mark.parametrize("again", ["fold-puds", "0dd4f60a2c76", "0dd4f60 # by its id"])
def test_repeated_commit_in_a_tree_file(again):
    """A merge that went wrong, as a rule; in the kernel's history a commit is there once."""
    with pytest.raises(TreeError, match=r"^tree.txt, line 4: fold-puds is already on line 1; remove one of them$"):
        read_tree(f"fold-puds\n\ndump-folio\n{again}\n", "tree.txt")
