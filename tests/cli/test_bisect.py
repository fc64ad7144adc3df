"""`pgtlab bisect-repo`, and the exit status of `debug-vm-pgtable --tree-file`, which a bisection reads."""

import json
import shlex
import subprocess

import pytest

from pgtlab.cli import main

LPA2_16K = ["--page-size", "16k", "--va-bits", "52"]
BASE, ARM64, NEXT = "", "fold-puds\n", "fold-puds\ndump-folio\n"


@pytest.fixture
def debug_vm_pgtable(tmp_path):
    """The status of `debug-vm-pgtable` with the text of a tree file."""

    def run(text, *args):
        (tmp_path / "tree.txt").write_bytes(text.encode("latin-1"))
        return main(["debug-vm-pgtable", "--tree-file", str(tmp_path / "tree.txt"), *args])

    return run


@pytest.mark.parametrize(
    ("text", "reports", "panics"), [(BASE, 0, 0), (ARM64, 1, 0), (NEXT, 1, 1)], ids=["base", "arm64", "next"]
)
def test_bad(debug_vm_pgtable, text, reports, panics):
    assert debug_vm_pgtable(text) == debug_vm_pgtable(text, "--bad", "report") == reports
    assert debug_vm_pgtable(text, "--bad", "panic") == panics


def test_bad_with_a_named_tree():
    assert main(["debug-vm-pgtable", "--tree", "arm64-for-next", "--bad", "panic"]) == 0
    assert main(["debug-vm-pgtable", "--bad", "panic", *LPA2_16K, "--cpu", "a64fx"]) == 1  # no boot


def test_bisection_in_another_configuration(debug_vm_pgtable, capsys):
    assert debug_vm_pgtable(BASE, *LPA2_16K) == 0
    capsys.readouterr()
    assert debug_vm_pgtable(NEXT, *LPA2_16K, "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["outcome"], answer["tree"].rpartition("/")[2]) == ("panic", "tree.txt")


@pytest.mark.parametrize(
    ("text", "args", "message"),
    [
        ("fold-pud", [], "line 1: unknown commit 'fold-pud'"),
        ("fold-puds\n0dd4f60a2c76", [], "tree.txt, line 2: fold-puds is already on line 1"),
        ("\xff", [], "line 1: unknown commit '\ufffd'"),
        (BASE, ["--bad", "clean"], "'report', 'panic'"),
        (BASE, ["--tree", "fixed"], "not allowed with"),
        (BASE, ["--va-bits", "49"], "VA_BITS=49"),
        (BASE, [*LPA2_16K, "--cpu", "a64fx"], "no 16K granule"),  # with any commit
        (BASE, ["--pfn", "0x48000", "--va-bits", "39"], "no PUD table"),
    ],
)
def test_usage_errors_in_a_bisection(debug_vm_pgtable, capsys, text, args, message):
    assert debug_vm_pgtable(text, *args) == 128
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


@pytest.mark.parametrize(
    "args", [["debug-vm-pgtable", "--tree-file=nowhere"], ["debug-vm-pgtabel", "--tree-file", "x"], ["--bad=panic"]]
)
def test_missing_file_or_misspelled_command_in_a_bisection(args, capsys):
    assert main(args) == 128
    assert capsys.readouterr().err.startswith("pgtlab")


def test_exception_is_not_a_bad_commit(monkeypatch, debug_vm_pgtable, capsys):
    def fail(*args):
        raise ZeroDivisionError

    monkeypatch.setattr("pgtlab.cli.debug_vm_pgtable.booted", fail)
    assert debug_vm_pgtable(BASE) == 128
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_help_of_debug_vm_pgtable(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    assert main(["debug-vm-pgtable", "--tree-file", "x", "--help"]) == 0
    message = " ".join(capsys.readouterr().out.split())
    for part in ("128, which ends the bisection", "git bisect run pgtlab debug-vm-pgtable --tree-file"):
        assert part in message


def test_bisect_repo_prints_the_next_commands(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "linux next"
    assert main(["bisect-repo", str(folder)]) == 0
    *_, cd, start, run = capsys.readouterr().out.splitlines()
    assert shlex.split(cd) == ["cd", str(folder)]
    subprocess.run(shlex.split(start), cwd=folder, check=True, capture_output=True)
    prefix = "git bisect run pgtlab "
    assert run.strip().startswith(prefix)
    monkeypatch.chdir(folder)
    assert main(shlex.split(run.strip().removeprefix(prefix))) == 0  # git took the arm64 branch out: no panic


def test_bisect_repo_in_a_folder_with_files(tmp_path, capsys):
    (tmp_path / "own").touch()
    assert main(["bisect-repo", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"pgtlab: {tmp_path} is not empty: choose an empty or a new folder\n"
    assert [path.name for path in tmp_path.iterdir()] == ["own"]
