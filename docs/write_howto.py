"""Run the commands in docs/howto.md and docs/json.md and write what they print into them.

    .venv/bin/python docs/write_howto.py

A block of `sh` is run, and the block of `text` after it is what it printed. Each task (`## ...`) begins in an empty
folder, but for `docs` and `tests`, which are those of the clone.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "docs" / "howto.md", ROOT / "docs" / "json.md"]
BLOCKS = re.compile(r"^```sh\n(.*?)^```\n\n^```text\n.*?^```$", re.MULTILINE | re.DOTALL)


def tasks(page: str) -> list[str]:
    """The page in parts: what stands before the first task, and each task."""
    return re.split(r"(?=^## )", page, flags=re.MULTILINE)


def run(task: str) -> str:
    """A task with what its commands print now."""
    with tempfile.TemporaryDirectory(prefix="pgtlab-") as scratch:
        bin, home = Path(scratch, "bin"), Path(scratch, "home")
        bin.mkdir()
        home.mkdir()
        for name, words in {"pgtlab": "-m pgtlab.cli", "python": ""}.items():
            (bin / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
            (bin / name).chmod(0o755)
        for name in ("docs", "tests"):
            (home / name).symlink_to(ROOT / name)
        environment = {
            "PATH": f"{bin}:{os.environ['PATH']}",
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
        }

        def printed(block: re.Match[str]) -> str:
            done = subprocess.run(
                ["bash", "-c", block[1]],
                cwd=home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            return f"```sh\n{block[1]}```\n\n```text\n{done.stdout.rstrip()}\n```"

        return BLOCKS.sub(printed, task)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text("".join(map(run, tasks(page.read_text(encoding="utf-8")))), encoding="utf-8")
