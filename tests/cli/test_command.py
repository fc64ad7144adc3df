"""The command among other programs: pipes, closed and full outputs, Ctrl-C, colour, completion, and what it loads."""

import os
import pty
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # it starts Python many times
ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
FETCHES = str(DATA / "mmu" / "exec_sample.npz")
REAL = str(DATA / "kernel" / "ptdump" / "4k-va48-max")
LOG = str(DATA / "seed" / "next-20240229.log")


def environment(**more):
    """Ours, but with outputs buffered as they are for a user."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**ours, "PYTHONPATH": str(ROOT), "PGTLAB": f"{sys.executable} -m pgtlab.cli", **more}


def shell(script, **more):
    """Run a line of bash, in which $PGTLAB is the command."""
    return subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment(**more), capture_output=True, text=True, timeout=900
    )


def test_version_is_that_of_the_project():
    with open(ROOT / "pyproject.toml", "rb") as file:
        version = tomllib.load(file)["project"]["version"]
    done = shell("$PGTLAB --version")
    assert (done.stdout, done.returncode) == (f"pgtlab {version}\n", 0)


def test_help_says_what_the_statuses_are():
    message = " ".join(shell("$PGTLAB --help").stdout.split())
    for words in ("0: all is well", "1: the answer is no", "2: usage error"):
        assert words in message


# Standard input, output and error.


@pytest.mark.parametrize(
    ("answer", "head"),
    [
        (f"ptdump {REAL}", "head -1"),
        (f"ptdump {REAL} --json", "head -c 1"),
        (f"tables {REAL}", "head -1"),
        (f"tables {REAL} --json", "head -c 1"),
        ("debug-vm-pgtable --tree next-20240229", "head -1"),
        ("matrix fixed --json", "head -c 1"),
        ("esr 0x96000004", "true"),
        ("--help", "true"),
    ],
)
def test_closed_pipe(answer, head):
    done = shell(f"$PGTLAB {answer} | {head}; exit ${{PIPESTATUS[0]}}")
    assert done.stderr == ""
    assert done.returncode in (0, 1, 141)  # an answer that fits into the pipe is never refused


def test_closed_pipe_in_a_large_answer():
    large = (
        "import pgtlab.cli.trees as t, pgtlab.cli as c; t.run = lambda args: [print('x' * 99) for _ in range(99999)]"
    )
    done = shell(f"{sys.executable} -c \"{large}; exit(c.main(['trees']))\" | head -1; exit ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr, done.returncode) == ("x" * 99 + "\n", "", 141)


def test_closed_standard_output():
    done = shell("$PGTLAB esr 0x96000004 >&-")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("pgtlab: standard output is closed")


@pytest.mark.parametrize("reader", ["oops", "debug-vm-pgtable --tree-file -", "walk-cost --trace -"])
def test_closed_standard_input(reader):
    done = shell(f"$PGTLAB {reader} <&-")
    assert done.stdout == ""
    assert done.stderr == "pgtlab: standard input is closed, so there is nothing to read\n"
    assert done.returncode == (128 if "--tree-file" in reader else 2)


def test_closed_standard_error():
    done = shell("$PGTLAB esr nonsense 2>&-")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 2)
    done = shell("$PGTLAB oops nowhere.log 2>&-")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    ("accesses", "message"),
    [
        (0, "a trace has 1 or more"),
        (-5, "a trace has 1 or more"),
        (99999999999, "an array in memory, of 268435456 addresses at most"),
    ],
)
def test_length_of_a_trace(accesses, message):
    done = shell(f"$PGTLAB walk-cost --trace uniform --accesses {accesses}")
    assert (done.stdout, done.returncode, done.stderr.count("\n")) == ("", 2, 1)
    assert message in done.stderr


@pytest.mark.parametrize("answer", ["esr 0x96000004", f"tables {REAL} --json", "config"])
def test_full_disk(answer):
    done = shell(f"$PGTLAB {answer} >/dev/full")
    assert (done.stderr, done.returncode) == ("pgtlab: No space left on device\n", 2)


def test_terminal_without_unicode():
    log = "Unable to handle kernel paging request at virtual address dead0000000000\nHardware name: Käse (DT)\n"
    done = shell(f"printf '{log}' | $PGTLAB oops -", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.stderr, done.returncode) == ("", 0)
    assert "paging request" in done.stdout


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (f"$PGTLAB oops - <{LOG}", 0),
        (f"$PGTLAB oops <{LOG}", 0),
        ("echo fold-puds | $PGTLAB debug-vm-pgtable --tree-file -", 1),
        ("seq 0 4096 400000 | $PGTLAB walk-cost --trace -", 0),
        ("seq 0 4096 400000 | gzip | $PGTLAB walk-cost --trace -", 0),
    ],
)
def test_text_is_read_from_standard_input(script, status):
    done = shell(script)
    assert (done.stderr, done.returncode) == ("", status)
    assert done.stdout


# Colour.


def on_a_terminal(*args, **more):
    """What the command prints on a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "pgtlab.cli", *args],
        env=environment(TERM="xterm", **more),
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ):
        os.close(theirs)
        printed = b""
        try:
            while part := os.read(ours, 1 << 16):
                printed += part
        except OSError:  # how Linux says that the other end is closed
            pass
    os.close(ours)
    return printed


def test_colour_is_for_terminals_and_never_in_json():
    assert b"\033[32magree with the record\033[0m" in on_a_terminal("verify-mmu", FETCHES, NO_COLOR="")
    assert b"\033" not in on_a_terminal("verify-mmu", FETCHES, "--json", NO_COLOR="")


# Completion, by a real bash.


@pytest.fixture(scope="module")
def completions(tmp_path_factory):
    """What the Tab key would offer after these words."""
    script = tmp_path_factory.mktemp("completion") / "pgtlab.bash"
    script.write_text(shell("$PGTLAB completion bash").stdout)

    def offered(*words):
        done = subprocess.run(
            [
                "bash",
                "--norc",
                "-c",
                'source "$1"; shift; function=$(complete -p pgtlab | sed "s/.*-F \\([^ ]*\\).*/\\1/"); '
                'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); $function; printf "%s\\n" "${COMPREPLY[@]}"',
                "bash",
                str(script),
                "pgtlab",
                *words,
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    return offered


def test_bash_completes_subcommands(completions):
    assert {"lab", "va", "pte", "esr", "debug-vm-pgtable", "oops", "completion"} <= set(completions(""))
    assert completions("debug") == ["debug-vm-pgtable"]


def test_bash_completes_options(completions):
    assert completions("debug-vm-pgtable", "--tr") == ["--tree", "--tree-file"]
    assert "--json" in completions("esr", "0x96000004", "--")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["debug-vm-pgtable", "--tree", "next"], {"next-20240229", "next+fix-pud-free", "next+fix-dump-page"}),
        (["matrix", "fixed", "mm"], {"mm-unstable"}),
        (["config", "--page-size", ""], {"4k", "16k", "64k"}),
        (["config", "--page-size", "16k", "--va-bits", "4"], {"42", "47", "48"}),
        (
            ["va", "PAGE_OFFSET", "--cpu", "cortex"],
            {f"cortex-{core}" for core in ("a53", "a57", "a72", "a76", "a78", "a710", "x4")},
        ),
        (["config", "--kconfig", "SWAP"], {"SWAP=y", "SWAP=n"}),
        (["translate", REAL, "PAGE_OFFSET", "--access", ""], {"read", "write", "fetch"}),
        (["pte", "0x0", "--level", "p"], {"pgd", "p4d", "pud", "pmd", "pte"}),
        (["bugs", "small"], {"small-pgd"}),
        (["show", "fix-p"], {"fix-pud-free"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["oops", "READ"], {"README.md"}),
        (["lab", "pgt"], {"pgtlab"}),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_bash_completes_what_an_argument_takes(completions, words, offered):
    assert set(completions(*words)) == offered


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_the_other_shells_understand_their_scripts(name, tmp_path):
    if not shutil.which(name):
        pytest.skip(f"no {name} here")
    (tmp_path / "script").write_text(shell(f"$PGTLAB completion {name}").stdout)
    subprocess.run([name, "-n", str(tmp_path / "script")], check=True)


# Start-up: benchmarks/cli_startup.py measures the time; a test can tell reliably only what was loaded.

HEAVY = {"numpy", "numba", "matplotlib", "IPython", "jupyterlab", "ipywidgets", "tqdm", "elftools", "shtab"}


@pytest.mark.parametrize(
    "args",
    [
        "--help",
        "--version",
        "config --page-size 16k --va-bits 52",
        "va VMEMMAP_START --json",
        "pte 0x68000040000f07",
        "pte 0xf0e0 --svg",
        "esr 0x96000004",
        "esr 0x96000004 --svg",
        f"oops {LOG}",
        "translate --help",
        "walk-cost --help",
        "esr nonsense",
    ],
)
def test_what_needs_no_array_loads_neither_numpy_nor_pictures(args):
    run = f"import sys, pgtlab.cli; pgtlab.cli.main({args.split()!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", run], env=environment(), capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())
