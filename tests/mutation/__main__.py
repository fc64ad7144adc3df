"""`make mutation`: put small faults into the code, one at a time, and count those that no test notices.

The tests of a fault are first those that name its module or function, then all that use its part. None takes long, and
none needs a browser.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom

from mutation.faults import Fault, faults

ROOT = Path(__file__).parents[2]
PARTS = {
    "linux": ROOT / "pgtlab" / "linux",
    "lab": ROOT / "pgtlab" / "lab",
    "widgets": ROOT / "widgets" / "pgtlab_widgets",
}
FOLDERS = {  # of tests, those of the part first
    "linux": ("tests/linux", "pgtlab/linux", "tests/cli", "tests/inputs", "tests/lab"),
    "lab": (
        "tests/lab",
        "pgtlab/lab",
        "tests/exercises",
        "tests/grading",
        "tests/cli",
        "tests/notebooks",
        "tests/widgets",
    ),
    "widgets": ("tests/widgets", "widgets/pgtlab_widgets"),
}
ELSEWHERE = (
    "browser",
    "oracle",
    "project",
    "mutation",
    "fuzz",
    "hub",
    "nbgrader",
)  # what reads the tree as text, or takes long
NO_TESTS = 5  # pytest's exit status where all that was named is deselected
CPU, TIME = 900, 3600  # seconds: a fault that makes a loop endless, or waits for ever, is noticed


def candidates(part: str) -> list[tuple[Path, Fault]]:
    """Every fault of a part, with its file."""
    found = []
    for path in sorted(PARTS[part].rglob("*.py")):
        drawing = "picture" in path.stem
        found += [
            (path.relative_to(ROOT), fault)
            for fault in faults(path.read_text(encoding="utf-8"))
            if not (drawing and fault.before.isdecimal())  # a point further is another drawing, and not a wrong one
        ]
    return found


def asked_about(part: str, path: Path, fault: Fault) -> Iterator[list[str]]:
    """The tests to ask: those that name the module or the function, wherever they are, then all that use the part."""
    module = path.parent.name if path.stem == "__init__" else path.stem
    names = re.compile(rf"\b({'|'.join(filter(None, (module, *fault.within)))})\b")
    named = [
        str(test.relative_to(ROOT))
        for test in sorted((ROOT / "tests").rglob("test_*.py"))
        if test.parent.name not in ELSEWHERE and names.search(test.read_text(encoding="utf-8"))
    ]
    yield [str(path), *named]
    yield list(FOLDERS[part])


def noticed(copy: Path, tests: list[str]) -> bool:
    """Whether a test fails in a copy of the repository."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    command += ["-m", "not browser and not oracle and not long and not sweep and not site", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env={**os.environ, "PYTHONPATH": f"{copy}:{copy / 'widgets'}", "CI": "true"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU)),
            capture_output=True,
            text=True,
            timeout=TIME,
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1, 2, NO_TESTS) and done.returncode >= 0:
        raise SystemExit(f"pytest: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.returncode not in (0, NO_TESTS)


def main() -> int:
    """Exit status 0 where every fault was noticed, else 1."""
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="(default: all)")
    parser.add_argument("--count", type=int, default=20, help="of faults in each part (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SystemRandom().getrandbits(32), help="(default: a new one)")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    missed = total = 0
    with tempfile.TemporaryDirectory(prefix="pgtlab-mutation-") as folder:
        copy = Path(folder)
        for name in subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
        for part in args.parts or PARTS:
            killed, chosen = 0, Random(f"{args.seed} {part}").sample(candidates(part), args.count)
            for path, fault in chosen:
                whole = (ROOT / path).read_text(encoding="utf-8")
                (copy / path).write_text(fault.put_into(whole), encoding="utf-8")
                known = any(noticed(copy, tests) for tests in asked_about(part, path, fault))
                (copy / path).write_text(whole, encoding="utf-8")
                killed += known
                print(f"  {'noticed' if known else 'MISSED '}  {path}:{fault}", flush=True)
            print(f"{part}: {killed} of {len(chosen)} faults are noticed, {killed / len(chosen):.0%}", flush=True)
            missed, total = missed + len(chosen) - killed, total + len(chosen)
    print(f"all: {total - missed} of {total}, {1 - missed / max(1, total):.0%}")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
