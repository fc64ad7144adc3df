"""`import pgtlab` is quick, because it loads nothing that a picture or a notebook needs.

benchmarks/import_time.py measures the time; a test can tell reliably only what was loaded.
"""

import subprocess
import sys

HEAVY = {
    *("matplotlib", "numpy", "numba", "scipy", "pandas"),
    *("IPython", "ipykernel", "ipywidgets", "anywidget", "traitlets", "jupyterlab"),
    *("jupyter_core", "jupyter_client", "jupyter_server", "jupytext", "nbformat"),
}


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a statement loads into a fresh interpreter."""
    code = f"{statement}; import sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_import_pgtlab_loads_neither_arrays_nor_pictures_nor_jupyter():
    assert not loaded_by("import pgtlab") & HEAVY


def test_the_command_begins_before_anything_is_loaded():
    """Until then Ctrl-C is answered by a traceback of Python's."""
    ours = subprocess.run(
        [
            sys.executable,
            "-c",
            "import pgtlab.__main__, sys; print(*(m for m in sys.modules if m.startswith('pgtlab')))",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(ours.stdout.split()) == {"pgtlab", "pgtlab.__main__"}
    assert "typing" not in loaded_by("import pgtlab.__main__")


def test_the_measure_can_fail():
    assert "numpy" in loaded_by("import numpy")
