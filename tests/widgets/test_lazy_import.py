"""`import pgtlab_widgets` imports no view, and a view whose dependency is missing names the extra that brings it."""

import subprocess
import sys
from pathlib import Path

import pgtlab_widgets
import pytest

import pgtlab

PATHS = [str(Path(package.__file__).parents[1]) for package in (pgtlab, pgtlab_widgets)]


def python(code):
    code = f"import sys\nsys.path[:0] = {PATHS!r}\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900)


def test_import_is_light():
    heavy = {"numpy", "numba", "capstone", "elftools", "matplotlib", "anywidget", "ipywidgets", "traitlets"}
    done = python(f"import pgtlab_widgets\nprint(sorted({heavy!r} & {{*sys.modules}}))")
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("missing", "view", "extra"),
    [("anywidget", "Explorer", "lab"), ("ipywidgets", "FoldLab", "lab"), ("traitlets", "BugLab", "lab")],
)
def test_missing_dependency_names_the_extra(missing, view, extra):
    done = python(f"sys.modules[{missing!r}] = None\nfrom pgtlab_widgets import {view}")
    assert (
        done.stderr.splitlines()[-1]
        == f"pgtlab.extras.MissingExtra: {view} needs {missing}: pip install 'pgtlab[{extra}]'"
    )


def test_all_views_are_exported():
    assert {getattr(pgtlab_widgets, name).__name__ for name in pgtlab_widgets.__all__} == {*dir(pgtlab_widgets)}
    with pytest.raises(AttributeError, match="no attribute 'Explore'"):
        _ = pgtlab_widgets.Explore
