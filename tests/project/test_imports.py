"""Imports run one way: picture <- arch <- linux <- lab <- {plot, cli} <- widgets.

And below the views nothing imports matplotlib or Jupyter. Imports inside functions count too.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: What each part may import of the others, besides itself. `pgtlab` is the façade, __init__.py.
BELOW = {
    "pgtlab.extras": set(),
    "pgtlab.picture": set(),
    "pgtlab.arch": {"pgtlab.extras", "pgtlab.picture"},
    "pgtlab.linux": {"pgtlab.extras", "pgtlab.picture", "pgtlab.arch"},
    "pgtlab.lab": {"pgtlab", "pgtlab.extras", "pgtlab.picture", "pgtlab.arch", "pgtlab.linux"},
    "pgtlab": {"pgtlab.picture", "pgtlab.arch", "pgtlab.linux"},
}
BELOW["pgtlab.plot"] = BELOW["pgtlab.cli"] = {*BELOW["pgtlab.lab"], "pgtlab.lab"}
BELOW["pgtlab_widgets"] = {*BELOW["pgtlab.cli"], "pgtlab.plot", "pgtlab.cli"}

VIEWS = {
    *("matplotlib", "IPython", "ipykernel", "ipywidgets", "anywidget", "traitlets"),
    *("jupyterlab", "jupyter_core", "jupyter_client", "jupyter_server", "jupytext", "nbformat"),
}
MAY_IMPORT_VIEWS = ("pgtlab.plot", "pgtlab.cli", "pgtlab_widgets")
# What makes notebooks below them, and imports these inside its functions.
MAKES_NOTEBOOKS = {"pgtlab.lab.course_text": {"jupytext"}, "pgtlab.lab.course": {"nbformat"}}


def modules() -> dict[str, Path]:
    """Every module of the two packages, by its dotted name."""
    found = {}
    for folder in (ROOT, ROOT / "widgets"):
        for path in sorted(folder.glob("pgtlab*/**/*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def part(module: str) -> str:
    """The part of the project that a module belongs to: `pgtlab.arch.walk` is in `pgtlab.arch`."""
    return next((name for name in sorted(BELOW, key=len, reverse=True) if inside(module, name)), "")


def inside(module: str, package: str) -> bool:
    return module == package if package == "pgtlab" else f"{module}.".startswith(f"{package}.")


def imports(module: str, tree: ast.AST) -> Iterator[str]:
    """The dotted names that a module imports, relative ones resolved."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")
            if MODULES[module].name != "__init__.py":
                package.pop()
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            # `from pgtlab import arch` imports a module, `from pgtlab.arch import Granule` does not.
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                yield submodule if submodule in MODULES else base


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module):
    assert part(module), f"{module} is in no part that the layout knows"
    allowed = BELOW[part(module)] | {part(module)}
    tree = ast.parse(MODULES[module].read_text())
    for name in imports(module, tree):
        if name.split(".")[0] in ("pgtlab", "pgtlab_widgets"):
            assert part(name) in allowed, f"{module} must not import {name}"


@pytest.mark.parametrize("module", [m for m in MODULES if part(m) not in MAY_IMPORT_VIEWS])
def test_nothing_below_the_views_imports_matplotlib_or_jupyter(module):
    tree = ast.parse(MODULES[module].read_text())
    used = {name.split(".")[0] for name in imports(module, tree)} & VIEWS
    assert used <= MAKES_NOTEBOOKS.get(module, set())
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            at_the_top = {name.split(".")[0] for name in imports(module, node)}
            assert not at_the_top & VIEWS, "import it inside the function that needs it"


def test_the_layout_is_there():
    assert {"pgtlab", "pgtlab.arch", "pgtlab.linux", "pgtlab.lab", "pgtlab.cli"} <= {*MODULES}
