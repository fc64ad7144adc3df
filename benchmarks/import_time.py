"""How long `import pgtlab` takes: the best of ten fresh interpreters, against 0.2 s.

    .venv/bin/python benchmarks/import_time.py

Interpreter start-up is not in it: Python's own `-X importtime` does the measuring.
"""

import subprocess
import sys

LIMIT_MS = 200


def import_ms(module: str) -> float:
    """Import a module in a fresh interpreter and return how long that took, in milliseconds."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        check=True,
        capture_output=True,
        text=True,
    )
    # import time: self [us] | cumulative | imported package
    [took] = [line for line in done.stderr.splitlines() if line.split("|")[-1] == f" {module}"]
    return int(took.split("|")[1]) / 1000


if __name__ == "__main__":
    times = sorted(import_ms("pgtlab") for _ in range(10))
    print(f"import pgtlab: best {times[0]:.0f} ms, worst {times[-1]:.0f} ms, limit {LIMIT_MS} ms")
