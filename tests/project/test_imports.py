"""The plan of the house, drawn from the source: picture <- arch <- linux <- lab <- {plot, cli} <- widgets.

Below the views nothing imports matplotlib or Jupyter. For the direction every import counts, those inside functions and
those for type checkers too. For circles an import counts if it runs when its module is imported: what a function
imports when it is called, or what only a type checker reads, makes no module wait for another.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # `make check` runs them
ROOT = Path(__file__).resolve().parents[2]

#: What each part may import of the others, besides itself. `pgtlab` is the façade, __init__.py.
BELOW = {
    "pgtlab.extras": set(),
    "pgtlab.files": set(),
    "pgtlab.limits": set(),
    "pgtlab.picture": set(),
    "pgtlab.progress_bar": set(),
    "pgtlab.terms": set(),
    "pgtlab.arch": {"pgtlab.extras", "pgtlab.files", "pgtlab.limits", "pgtlab.picture", "pgtlab.progress_bar"},
    "pgtlab": {"pgtlab.picture", "pgtlab.arch", "pgtlab.linux"},
}
BELOW["pgtlab.linux"] = {*BELOW["pgtlab.arch"], "pgtlab.arch"}
BELOW["pgtlab.lab"] = {*BELOW["pgtlab.linux"], "pgtlab", "pgtlab.terms", "pgtlab.linux"}
BELOW["pgtlab.plot"] = BELOW["pgtlab.cli"] = {*BELOW["pgtlab.lab"], "pgtlab.lab"}
BELOW["pgtlab.cli"] = {*BELOW["pgtlab.cli"], "pgtlab.__main__"}
BELOW["pgtlab.__main__"] = {"pgtlab.cli"}
BELOW["pgtlab_widgets"] = {*BELOW["pgtlab.cli"], "pgtlab.plot", "pgtlab.cli"}

VIEWS = {
    *("matplotlib", "IPython", "ipykernel", "ipywidgets", "anywidget", "traitlets"),
    *("jupyterlab", "jupyter_core", "jupyter_client", "jupyter_server", "jupytext", "nbformat"),
}
MAY_IMPORT_VIEWS = ("pgtlab.plot", "pgtlab.cli", "pgtlab_widgets")
# What makes notebooks below them, and imports these inside its functions.
MAKES_NOTEBOOKS = {
    "pgtlab.lab.course_text": {"jupytext"},
    "pgtlab.lab.course": {"nbformat"},
    "pgtlab.lab.grading.release": {"nbformat"},
}


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


@cache
def trees() -> dict[str, ast.Module]:
    """The source of each module, parsed: when a test asks, for every worker collects this file."""
    return {module: ast.parse(path.read_text()) for module, path in MODULES.items()}


@cache
def imported() -> dict[str, set[str]]:
    """What each module imports, anywhere in it."""
    return {module: {*imports(module, tree)} for module, tree in trees().items()}


def test_imports_run_one_way():
    assert [module for module in MODULES if not part(module)] == [], "in no part that the layout knows"
    ours = {m: {n for n in names if n.split(".")[0] in ("pgtlab", "pgtlab_widgets")} for m, names in imported().items()}
    allowed = {module: BELOW[part(module)] | {part(module)} for module in MODULES}
    assert [f"{m} must not import {n}" for m in ours for n in ours[m] if part(n) not in allowed[m]] == []


def test_nothing_below_the_views_imports_matplotlib_or_jupyter():
    for module, tree in trees().items():
        if part(module) not in MAY_IMPORT_VIEWS:
            used = {name.split(".")[0] for name in imported()[module]} & VIEWS
            assert used <= MAKES_NOTEBOOKS.get(module, set()), module
            at_the_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
            names = {name.split(".")[0] for node in at_the_top for name in imports(module, node)}
            assert not names & VIEWS, f"{module}: import it inside the function that needs it"


def test_the_layout_is_there():
    assert {"pgtlab", "pgtlab.arch", "pgtlab.linux", "pgtlab.lab", "pgtlab.cli"} <= {*MODULES}


# Inside pgtlab/linux: what a kernel is before it runs <- the running kernel <- our views of it.

BEFORE_IT_RUNS = {
    f"pgtlab.linux.{name}"
    for name in (
        *("boot", "constants", "cpu", "cpufeature", "headers", "kconfig", "options", "placement", "presets"),
        *("registers", "version"),
    )
}
RUNNING = "pgtlab.linux.kernel"


def floor(module: str) -> int:
    """How high a module of pgtlab/linux lies: the lower floors are below the running kernel, the highest above it."""
    if inside(module, RUNNING):
        return 1
    return 0 if any(inside(module, name) for name in BEFORE_IT_RUNS) else 2


def test_the_running_kernel_knows_no_view_of_it():
    for module in MODULES:
        if inside(module, "pgtlab.linux"):
            inside_linux = {name for name in imported()[module] if inside(name, "pgtlab.linux")} - {"pgtlab.linux"}
            assert [f"{module} must not import {n}" for n in inside_linux if floor(n) > floor(module)] == []


def when_imported(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run when a module does."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from when_imported(ast.Module(child.orelse, []))
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from when_imported(child)


def graph() -> dict[str, set[str]]:
    """What each module imports of the others when it is imported."""
    found: dict[str, set[str]] = {}
    for module, tree in trees().items():
        nodes = when_imported(tree)
        found[module] = {name for node in nodes for name in imports(module, node)} & MODULES.keys() - {module}
    return found


def test_no_modules_import_each_other_in_a_circle():
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_a_circle_is_found():
    assert len([*when_imported(ast.parse("if TYPE_CHECKING:\n    import a\nelse:\n    import b\nimport c"))]) == 2
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


# The size of the rooms.


@pytest.mark.parametrize(("folder", "pattern", "most"), [("linux", "*.py", 30), ("linux/oops", "**/*.py", 32)])
def test_a_folder_has_as_many_files_as_a_reader_can_keep_apart(folder, pattern, most):
    assert len([*(ROOT / "pgtlab" / folder).glob(pattern)]) <= most


def test_no_module_is_longer_than_400_lines():
    lines = {module: len(path.read_text().splitlines()) for module, path in MODULES.items()}
    assert lines.pop("pgtlab.linux.kernel.debug_vm_pgtable") < 1400, "the kernel's own file has about as many"
    assert {module: count for module, count in lines.items() if count > 400} == {}


def test_no_two_public_classes_have_one_name():
    modules = defaultdict(list)
    for module, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].append(module)
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}
