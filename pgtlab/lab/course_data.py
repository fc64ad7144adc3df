"""The files that the course opens: the real log, and the page tables of two real kernels."""

from __future__ import annotations

import filecmp
from pathlib import Path

from pgtlab.files import write_file
from pgtlab.lab.course_text import sources
from pgtlab.lab.progress import workbench

LOG = "next-20240229.log"
FILES = (LOG, "kernel-4k-va48.npz", "kernel-16k-va52.npz")


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
    >>> from pgtlab.linux.image import Image
    >>> hex(Image.open(data("kernel-4k-va48.npz")).translate(0xffff_8000_8000_0000).outcome.pa)
    '0x40200000'
    """
    own = workbench(Path.cwd()) / "data" / name
    return own if name in FILES and own.exists() else origin(name)


def origin(name: str) -> Path:
    """Return the path of a file that came with the course: in an installed package, or in the clone.

    Raises
    ------
    ValueError
        If the course has no such file.
    """
    if name not in FILES:
        raise ValueError(f"the course has no data file {name!r}: choose from {', '.join(FILES)}")
    course = sources()
    path = course / "notebooks" / "data" / name
    return path if path.exists() else course / "tests" / "data" / "seed" / name  # in a clone, the log has one copy


def place(folder: Path, given: Path) -> None:
    """Put the files into the `data` folder of a workbench; one that differs from what was `given` is the learner's."""
    for part in (folder / "data", given):
        part.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        own, last = folder / "data" / name, given / name
        if not own.exists() or (last.exists() and filecmp.cmp(own, last, shallow=False)):
            write_file(own, origin(name).read_bytes())
        write_file(last, origin(name).read_bytes())
