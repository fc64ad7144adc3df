"""How `pgtlab.linux.oops` is built: four wings, each importing only those before it, small modules, no circles."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import pgtlab
from pgtlab.linux import oops

ROOT = Path(pgtlab.__file__).parent / "linux" / "oops"
WINGS = ("reading", "inferring", "diagnosis", "showing")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
    if path != ROOT / "__init__.py"
}


def imported(path: Path) -> set[str]:
    """The modules of oops that a file imports, wherever in the file."""
    modules = (node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom))
    names = (module.removeprefix("pgtlab.linux.oops.") for module in modules if module)
    return {name for name in names if name in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_a_wing_imports_only_those_before_it(module):
    wing = WINGS.index(module.split(".")[0])
    assert all(WINGS.index(other.split(".")[0]) <= wing for other in imported(MODULES[module]))


def test_no_circle_of_imports():
    order = TopologicalSorter({module: imported(path) for module, path in MODULES.items()}).static_order()
    assert {*order} == MODULES.keys()


def test_size_of_the_package():
    assert len(MODULES) + 1 <= 32
    assert max(len(path.read_text().splitlines()) for path in MODULES.values()) <= 400


def test_what_the_package_exports():
    assert oops.read("Internal error: Oops: 96000004 [#1]").diagnosis.name == "not-enough-evidence"
    with pytest.raises(oops.OopsError):
        oops.read("")
