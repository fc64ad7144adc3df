"""Measure the memory of a student on a class's server: the server's, and a kernel's with one and with nine views.

Run it after `make test-hub`, which installs the hub: .venv/bin/python benchmarks/class_memory.py --users 2. Of what
processes share, Pss counts a part for each of them, and Private nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "hub"))
from class_server import ClassServer, class_server, descendants, memory

GALLERY, COSTS = "notebooks/gallery.ipynb", "notebooks/12_the_cost_of_a_walk.ipynb"
MACHINE, RESERVED = 24 << 20, 1 << 20  # KiB
PAGES = [f"lab/api/{name}" for name in ("settings", "themes", "translations")]
PAGES += ["lab", "api/kernelspecs", "api/contents", "api/nbconvert"]


def kib(pids: list[int], name: str) -> int:
    """Return one kind of memory of some processes."""
    return sum(memory(pid)[name] for pid in pids)


def show(what: str, groups: list[list[int]]) -> None:
    """Print the memory of a group of processes in MiB, on average over the groups."""
    used = {"Pss": ["Pss"], "Rss": ["Rss"], "Private": ["Private_Clean", "Private_Dirty"]}
    means = {
        name: sum(kib(pids, part) for pids in groups for part in parts) / len(groups) for name, parts in used.items()
    }
    print(f"{what:53}" + "".join(f"  {name} {mean / 1024:4.0f}" for name, mean in means.items()), flush=True)


async def measure(hub: ClassServer, users: list[str]) -> None:
    """Let each user open one view, then all nine, then the notebook about costs, and print the memory."""
    shared = [hub.process.pid, *descendants(hub.process.pid)]
    show("the hub, its proxy and its services", [shared])
    await hub.answer("hub/api/users", "POST", {"usernames": users})
    for user in users:
        await hub.start(user)
    servers = [pid for pid in descendants(hub.process.pid) if pid not in shared]
    show("a student's server, started", [[pid] for pid in servers])
    for user in users:
        await hub.ask(f"user/{user}/pgtlab/open/{GALLERY}")
        for page in PAGES:
            await hub.ask(f"user/{user}/{page}")
    show("  with JupyterLab open", [[pid] for pid in servers])
    kernels = [(await hub.run(user, f"page-tables/{GALLERY}", ["1 + 1"]))[0] for user in users]
    show("a student's kernel in which nothing ran", [descendants(pid) for pid in servers])
    nine = await hub.code_cells(users[0], f"page-tables/{GALLERY}")
    costs = await hub.code_cells(users[0], f"page-tables/{COSTS}")
    steps = {"one view": nine[:1], "nine views": nine[1:], "nine views and the notebook about costs": costs}
    for what, cells in steps.items():
        for user, kernel in zip(users, kernels, strict=True):
            errors = await hub.run_in(user, kernel, cells)
            assert not errors, errors
        students = [[pid, *descendants(pid)] for pid in servers]
        show(f"a kernel with {what}", [pids[1:] for pids in students])
        show("  with the student's server", students)
        each = sum(kib(pids, "Pss") for pids in students) / len(students)
        print(f"  students in 24 GiB, of which 1 GiB for the system and the hub: {(MACHINE - RESERVED) / each:.0f}")


def main() -> None:
    """Start the class's server and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=2)
    users = [f"student-{number}" for number in range(parser.parse_args().users)]
    with tempfile.TemporaryDirectory() as folder, class_server(Path(folder) / "hub") as hub:
        asyncio.run(measure(hub, users))


if __name__ == "__main__":
    main()
