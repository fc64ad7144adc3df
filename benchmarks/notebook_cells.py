"""The CPU time of each cell of the course's notebooks: which a reader waits for.

    .venv/bin/python benchmarks/notebook_cells.py [STEM ...]

Every notebook runs in a fresh kernel, as a reader runs it, and the CPU time of the kernel's process is read before and
after each cell. The course promises that no cell takes over two seconds, or says so before and shows progress. Run it
on a machine that does nothing else.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator

import psutil
from nbclient import NotebookClient

from pgtlab.lab import course_text

LIMIT = 2.0  # seconds
SLOWEST = 10


def cells(stem: str) -> Iterator[tuple[float, str, str]]:
    """For each cell of code of a notebook: its seconds of CPU, where it is, and its first line."""
    source = course_text.sources() / "notebooks" / f"{stem}.py"
    notebook = course_text.notebook(source)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": folder}})
        with client.setup_kernel():
            kernel = psutil.Process(client.km.provisioner.pid)
            for number, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                before = sum(kernel.cpu_times()[:2])
                client.execute_cell(cell, number)
                yield sum(kernel.cpu_times()[:2]) - before, f"{stem} cell {number}", cell.source.partition("\n")[0]


if __name__ == "__main__":
    stems = sys.argv[1:] or sorted(path.stem for path in (course_text.sources() / "notebooks").glob("*.py"))
    measured = sorted((cell for stem in stems for cell in cells(stem)), reverse=True)
    for seconds, where, first in measured[:SLOWEST]:
        print(f"{seconds:6.2f} s{'!' if seconds > LIMIT else ' '} {where:36} {first[:60]}")
    print(f"{len(measured)} cells, {sum(each[0] for each in measured):.1f} s of CPU in all")
