"""The command itself: misuse is one sentence and status 2, and a closed pipe is not an error."""

import os
import subprocess
import sys

import pytest

from pgtlab import cli
from pgtlab.arch.cost.trace_file import read_trace
from pgtlab.cli import GROUPS, main
from pgtlab.linux.image import Image


def pgtlab(*args: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "pgtlab.cli", *args], capture_output=True, text=True, **options)


@pytest.mark.parametrize("args", [[], ["nonsense"], ["lab", "--nonsense"], ["lab", "--port", "x"], ["lab", "a", "b"]])
def test_bad_arguments_are_one_line_and_status_2(args):
    done = pgtlab(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("pgtlab")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "nearest"),
    [(["debug-vm-pgtabel"], "debug-vm-pgtable"), (["translate", "x", "0", "--access", "raed"], "read")],
)
def test_misspelled_choice(args, nearest, capsys):
    assert cli.main(args) == 2
    assert f"; did you mean {nearest}? (see pgtlab" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("48 is odd."), "pgtlab: 48 is odd.\n"),
        (PermissionError(13, "Permission denied", "/x"), "pgtlab: /x: Permission denied\n"),
    ],
)
def test_an_error_in_a_subcommand_is_one_line_and_status_2(monkeypatch, capsys, error, message):
    def fail(args):
        raise error

    monkeypatch.setattr("pgtlab.cli.lab.run", fail)
    assert cli.main(["lab"]) == 2
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize(
    "args",
    [["oops", ""], ["zoo", ""], ["grade", "", "--out", "x"], ["walk-cost", "--trace="], ["config", "--kconfig="]],
)
def test_an_empty_argument_is_not_the_current_folder(args, capsys):
    """As in `pgtlab zoo "$FOLDER"`, where no such variable is set."""
    assert cli.main(args) == 2
    assert " is empty (see pgtlab " in capsys.readouterr().err


@pytest.mark.parametrize(
    "args",
    [
        ["config", "--page-size", "9" * 6000],
        ["debug-vm-pgtable", "--tree", "9" * 6000],
        ["debug-vm-pgtable", "--va-bits", "9" * 6000],
        ["oops", "9" * 6000],
        ["9" * 6000],
    ],
)
def test_a_sentence_shows_the_ends_of_a_long_value(args, capsys):
    assert cli.main(args) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert len(line) < 700
    assert args[-1][:30] in line
    assert f"...{args[-1][-5:]}" in line


def test_a_mark_of_byte_order_is_not_a_part_of_a_file(tmp_path, capsys):
    """As editors of Windows write it."""
    image, trace, tree = (tmp_path / name for name in ("image.txt", "trace.txt", "tree"))
    image.write_text("@0x1000\n0000000000000003\n", encoding="utf-8-sig")
    trace.write_text("0x1000\n0x2000\n", encoding="utf-8-sig")
    tree.write_text("fold-puds\n", encoding="utf-8-sig")
    assert Image.open(image, page_size="4k", va_bits=48).memory.read64(0x1000) == 3
    assert list(read_trace(trace)) == [0x1000, 0x2000]
    assert cli.main(["debug-vm-pgtable", "--tree-file", str(tree)]) in (0, 1)
    assert capsys.readouterr().err == ""


def test_a_word_of_bytes_that_are_not_text(capsys):
    assert cli.main(["exam", "--seed", "\udcff"]) == 2
    assert capsys.readouterr().err == (
        "pgtlab: 'exam \\udcff' cannot be written as text: it has bytes that are not UTF-8\n"
    )


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="no file here that can be opened and not be read")
@pytest.mark.parametrize(
    "args", [["oops"], ["ptdump"], ["translate"], ["walk-cost", "--trace"], ["debug-vm-pgtable", "--tree-file"]]
)
def test_an_error_of_reading_names_the_file(args, capsys):
    address = ["0"] if args == ["translate"] else []
    assert cli.main([*args, "/proc/self/mem", *address]) in (2, 128)
    error = capsys.readouterr().err
    assert error.startswith("pgtlab: ")
    assert error.endswith("/proc/self/mem: Input/output error\n")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full disk here")
@pytest.mark.parametrize(
    ("args", "stream", "status"),
    [
        (["--help"], "stdout", 2),
        (["oops", "--help"], "stdout", 2),
        (["--version"], "stdout", 2),
        (["oops", "no such file"], "stderr", 2),
        (["nonsense"], "stderr", 2),
        (["debug-vm-pgtable", "--bad", "panic", "--va-bits", "9"], "stderr", 128),
    ],
)
def test_the_status_does_not_depend_on_what_can_be_printed(args, stream, status):
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "pgtlab", *args], **{"stdout": -1, "stderr": -1, stream: full})
    assert done.returncode == status


def test_a_reader_that_left_is_not_an_error():
    reader, writer = os.pipe()
    os.close(reader)
    code = (
        "import sys, pgtlab.cli, pgtlab.cli.lab as lab\n"
        "lab.run = lambda args: print('x' * 100_000)\n"
        "sys.exit(pgtlab.cli.main(['lab']))"
    )
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, text=True, env=buffered)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_the_command_starts_without_what_only_a_subcommand_needs():
    done = pgtlab("--help", env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0
    for module in ("matplotlib", "IPython", "jupyterlab", "jupytext", "nbformat", "ipywidgets"):
        assert f"| {module}\n" not in done.stderr


def test_old_name_of_tables_gives_a_hint(capsys):
    assert main(["tree", "image.npz"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "`pgtlab tables`" in err


def test_help_lists_every_command_in_its_group(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    headings = [line.strip(" :") for line in shown.splitlines() if line.endswith(":")]
    assert [heading for heading in headings if heading in GROUPS] == list(GROUPS)
