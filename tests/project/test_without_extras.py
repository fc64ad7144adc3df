"""A light installation: what `pip install pgtlab` brings is enough for the shell, and what is missing is named."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

from pgtlab.extras import EXTRAS

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
BLOCKED = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {set(EXTRAS)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""
COMMANDS = """
import contextlib, io, json
from pgtlab.cli import main

answers = []
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    answers.append([status, bool(out.getvalue()), err.getvalue()])
print(json.dumps(answers))
"""
IMAGE = str(DATA / "kernel/ptdump/4k-va48-max")
LOG = str(DATA / "seed/next-20240229.log")


def without_extras(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BLOCKED + code, *arguments], capture_output=True, text=True, cwd=ROOT)


def run(*commands: list[str]) -> list[tuple[int, bool, str]]:
    """Exit status, whether there is output, and what is on standard error, of each command."""
    done = without_extras(COMMANDS, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    return [tuple(answer) for answer in json.loads(done.stdout)]


def test_import_needs_no_extra():
    names = "from pgtlab import *\nimport pgtlab.lab\nprint(len(pgtlab.lab.matrix('fixed')))"
    assert without_extras(names).stdout.strip() == "104"


def test_the_commands_of_the_shell_need_no_extra(tmp_path):
    commands = [
        "config --page-size 16k --va-bits 52",
        "va VMEMMAP_START",
        "pte 0x68000040000f07",
        "esr 0x96000004",
        f"translate {IMAGE} PAGE_OFFSET",
        f"ptdump {IMAGE}",
        f"tables {IMAGE}",
        "trees",
        "show 0dd4f60a2c76",
        "debug-vm-pgtable --tree arm64-for-next",
        "matrix fixed",
        "bugs small-pgd",
        f"bisect-repo {tmp_path / 'history'}",
        f"verify-mmu {DATA / 'mmu/vectors_sample.npz'}",
        "completion bash",
    ]
    for command, (status, answered, errors) in zip(commands, run(*map(str.split, commands)), strict=True):
        assert status in (0, 1), (command, errors)
        assert answered, command
        assert errors == "", command


def test_a_command_names_the_extra_that_it_needs(tmp_path):
    (tmp_path / "vmcore").write_bytes(b"\x7fELF" + bytes(100))
    answers = run(
        ["lab", str(tmp_path / "bench")], ["walk-cost"], ["oops", LOG], ["translate", str(tmp_path / "vmcore"), "0"]
    )
    assert answers == [
        (2, False, "pgtlab: a notebook needs jupytext: pip install 'pgtlab[lab]'\n"),
        (2, False, "pgtlab: counting what a trace costs needs numba: pip install 'pgtlab[fast]'\n"),
        (2, False, "pgtlab: machine code in a log needs capstone: pip install 'pgtlab[oops]'\n"),
        (2, False, "pgtlab: a core dump needs elftools: pip install 'pgtlab[images]'\n"),
    ]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("from pgtlab.plot.walk_cost import plot_walk_costs", "a chart needs matplotlib: pip install 'pgtlab[plot]'"),
        ("from pgtlab_widgets import FoldLab", "FoldLab needs traitlets: pip install 'pgtlab[lab]'"),
    ],
)
def test_so_does_python(statement, sentence):
    done = without_extras(statement)
    assert done.stderr.splitlines()[-1] == f"pgtlab.extras.MissingExtra: {sentence}"


def test_translate_many_needs_no_compiler():
    code = """
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
mapper.map_range(0x1000, 0x4000_0000, 0x1000)
print(hex(mapper.mmu.translate_many([0x1008]).pa[0]))
"""
    assert without_extras(code).stdout.strip() == "0x40000008"


def test_each_package_is_in_one_extra_and_all_has_every_one():
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    extras = dict(project["optional-dependencies"])
    assert extras.pop("all") == [f"pgtlab[{','.join(extras)}]"]
    named = {}
    for extra, requirements in extras.items():
        for requirement in requirements:
            name = requirement.partition(">")[0]
            assert name not in named
            named[name] = extra
            files = distribution(name).files or []
            packages = {path.parts[0].removesuffix(".py") for path in files if path.suffix in (".py", ".so")}
            assert {EXTRAS[package] for package in packages & EXTRAS.keys()} == {extra}, name
    assert set(EXTRAS.values()) == set(extras)
