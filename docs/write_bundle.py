"""Write what only instructors have: the exercises with solutions, wrong answers and hidden checks, and as notebooks.

A grader reads the texts: ``read(folder / "exercises" / "03_pud_free.py")``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nbformat

from pgtlab.lab.exercise import paths, solution_notebook


def write(folder: Path) -> list[Path]:
    """Write the bundle into a folder, and return its files."""
    texts, notebooks = folder / "exercises", folder / "notebooks"
    for made in (texts, notebooks):
        made.mkdir(parents=True, exist_ok=True)
    written = []
    for name, source in paths().items():
        written.append(Path(shutil.copy(source, texts)))
        notebook = notebooks / f"{name}.solution.ipynb"
        nbformat.write(solution_notebook(source), notebook)
        written.append(notebook)
    written.append(Path(shutil.copy(next(iter(paths().values())).with_name("README.md"), texts)))
    return written


if __name__ == "__main__":
    target = Path(sys.argv[1])
    print(f"{target}: {len(write(target))} files")
