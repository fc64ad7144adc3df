"""How long the `pgtlab` command takes from start to exit: the median of 21 runs of each line, against 0.3 s.

    .venv/bin/python benchmarks/cli_startup.py

Python's own start-up is included, as it is for a user who waits. The lines take turns, so that a busy moment of the
machine does not fall on one of them alone.
"""

import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MS = 300
RUNS = 21
LINES = (
    "--help",
    "--version",
    "esr 0x96000004",
    "esr 0x96000004 --json",
    "pte 0x68000040000f07",
    "va VMEMMAP_START --page-size 16k --va-bits 52",
    "config --page-size 16k --va-bits 52",
    "oops tests/data/seed/next-20240229.log",
    "translate tests/data/kernel/ptdump/4k-va48-max PAGE_OFFSET",
    "tree tests/data/kernel/ptdump/4k-va48-max",
    "trees",
    "show fix-pud-free",
    "debug-vm-pgtable --tree fixed",
)


def run_ms(line: str) -> float:
    """Run the installed command once and return how long that took, in milliseconds."""
    start = time.perf_counter()
    subprocess.run([Path(sys.executable).with_name("pgtlab"), *shlex.split(line)], cwd=ROOT, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    times: dict[str, list[float]] = {line: [] for line in LINES}
    for _ in range(RUNS):
        for line in LINES:
            times[line].append(run_ms(line))
    for line, taken in times.items():
        median = statistics.median(taken)
        print(f"{median:6.0f} ms  best {min(taken):4.0f}  {'  ' if median < LIMIT_MS else '! '}pgtlab {line}")
