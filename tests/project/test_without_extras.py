"""A light installation: what `pip install pgtlab` brings is enough for the shell, and what is missing is named."""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

from pgtlab.extras import EXTRAS

pytestmark = pytest.mark.long  # it starts Python many times
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
BLOCKED = f"import sys\nsys.modules.update(dict.fromkeys({[*EXTRAS]}))\n"  # as if they were not installed
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
        "walk-cost --trace uniform --accesses 100",
        f"oops {LOG}",
        "completion bash",
    ]
    for command, (status, answered, errors) in zip(commands, run(*map(str.split, commands)), strict=True):
        assert status in (0, 1), (command, errors)
        assert answered, command
        assert errors == "", command


def test_a_command_names_the_extra_that_it_needs(tmp_path):
    (tmp_path / "vmcore").write_bytes(b"\x7fELF" + bytes(100))
    answers = run(["lab", str(tmp_path / "bench")], ["translate", str(tmp_path / "vmcore"), "0"])
    assert answers == [
        (2, False, "pgtlab: a notebook needs jupytext: pip install 'pgtlab[lab]'\n"),
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


VIEWS = """
import pgtlab_widgets
for name in pgtlab_widgets.__all__:
    if name not in ("Chapter", "CourseMap", "QuestionView"):
        view = getattr(pgtlab_widgets, name)()
        bundle, _ = view._repr_mimebundle_()
        assert bundle["image/svg+xml"].startswith("<svg"), name
        assert view.view, name
chapter = pgtlab_widgets.Chapter("02_a_tree")
for view in pgtlab_widgets.CourseMap(), chapter.head, *chapter.recalled, chapter.summary():
    assert "<" in view._repr_mimebundle_()[0]["text/html"], view
print("all are drawn")
"""
# What a Python in a browser has, and what it does not have.
IN_A_BROWSER = {"anywidget", "ipykernel", "ipywidgets", "markdown_it", "traitlets"}


def blocked(code: str, *packages: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys\nsys.modules.update(dict.fromkeys({packages}))\n{code}"
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'widgets'}"}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **paths})


def test_all_views_are_drawn_without_numba_capstone_pyelftools_and_tqdm():
    done = blocked(VIEWS, "tqdm", *EXTRAS.keys() - IN_A_BROWSER)
    assert (done.stderr, done.stdout) == ("", "all are drawn\n")


def test_views_of_configurations_need_no_numpy():
    code = """
from pgtlab_widgets import BisectionView, Explorer, FoldLab
explorer, bisection = Explorer("16k", 52), BisectionView()
before = explorer.svg()
explorer.cpu = "max,lpa2=off"
assert explorer.svg() != before
print(len(FoldLab(explorer).svg()) > 10_000, bisection.drawn()["status"])
bisection._on_message(None, {"next": True}, [])
print(bisection.view["failed"])
"""
    done = blocked(code, "numpy", *EXTRAS.keys() - IN_A_BROWSER)
    assert (done.stderr, done.stdout.splitlines()) == (
        "",
        ["True 24 commits are left. Tests so far: 0", "a running kernel needs numpy: pip install numpy"],
    )


NEED_NUMPY = ["BugLab", "CourseMap", "OopsReader", "PageInspector", "TLBView", "TableMap", "WalkStepper"]


def test_the_other_views_say_that_they_need_numpy():
    code = f"""
import pgtlab.extras, pgtlab_widgets
for name in {NEED_NUMPY}:
    try:
        getattr(pgtlab_widgets, name)()
    except pgtlab.extras.MissingExtra as error:
        print(name, error, sep=": ")
"""
    done = blocked(code, "numpy")
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert list(said) == NEED_NUMPY
    assert all(sentence.endswith(" needs numpy: pip install numpy") for sentence in said.values()), said


def test_a_notebook_shows_the_sentence_and_no_traceback():
    code = """
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell().run_cell("from pgtlab_widgets import TableMap")
"""
    done = blocked(code, "numpy")
    assert done.stdout.strip() == "TableMap needs numpy: pip install numpy"


def test_code_in_a_log_is_shown_without_capstone():
    code = f"""
from pgtlab.linux import oops
from pgtlab_widgets import OopsReader
log = open({LOG!r}).read()
text = str(oops.read(log))
print(text.count("not disassembled: needs capstone"), text in OopsReader(log).text())
"""
    done = blocked(code, "capstone")
    assert (done.stderr, done.stdout) == ("", "1 True\n")


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
    assert extras.pop("dask") == ["distributed>=2025.1"]  # for those who have a cluster: not in `all`, nor in the lock
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
    assert set(EXTRAS.values()) == {*extras, "dask"}
