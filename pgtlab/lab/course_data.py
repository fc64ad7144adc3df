"""The files that the course opens: the real log, and the page tables of two real kernels."""

from __future__ import annotations

import shutil
from pathlib import Path

from pgtlab.lab.course_text import sources
from pgtlab.lab.progress import workbench

#: Each file's name in `data/`, and where the clone has it.
FILES = {
    "next-20240229.log": "tests/data/seed/next-20240229.log",
    "kernel-4k-va48.npz": "tests/data/kernel/tables-4k-va48.npz",
    "kernel-16k-va52.npz": "tests/data/kernel/tables-16k-va52.npz",
}


def data(name: str) -> Path:
    """Return the path of a file of the course: the workbench's own if there is one, else the one that came with it.

    Raises
    ------
    ValueError
        If the course has no such file.

    Examples
    --------
    >>> data("next-20240229.log").read_text().splitlines()[1]
    '[    0.161416] BUG: Bad page state in process swapper/0  pfn:18a65d'
    """
    if name not in FILES:
        raise ValueError(f"the course has no data file {name!r}: choose from {', '.join(FILES)}")
    own = workbench(Path.cwd()) / "data" / name
    return own if own.exists() else origin(name)


def origin(name: str) -> Path:
    """Return the path of a file that came with the course: in an installed package, or in the clone."""
    course = sources()
    installed = course / "data" / name
    return installed if installed.exists() else course / FILES[name]


def place(folder: Path) -> None:
    """Put the files into the `data` folder of a workbench, and overwrite none."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name in FILES:
        target = folder / "data" / name
        if not target.exists():
            shutil.copyfile(origin(name), target)
