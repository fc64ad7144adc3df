"""`make fuzz`: mutated inputs for every reader, and what became of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from random import Random, SystemRandom
from time import process_time

from fuzz.mutations import mutated
from fuzz.readers import READERS, Counts, outcome

FAILURES = Path(__file__).parents[2] / "build" / "fuzz"


def inputs(name: str, seed: int, number: int, folder: Path) -> bytes:
    """The `number`-th mutated input of a reader."""
    samples = READERS[name].samples(folder)
    return mutated(Random(f"{name} {seed} {number}"), samples)


def fuzz(name: str, seed: int, count: int, folder: Path) -> Counts:
    """Give a reader so many inputs."""
    counts = Counts()
    for number in range(count):
        content = inputs(name, seed, number, folder)
        try:
            if outcome(READERS[name], content, folder) == "refused":
                counts.refused += 1
            else:
                counts.accepted += 1
        except Exception as error:
            counts.failed.append((number, content, error))
    return counts


def main() -> int:
    """Exit status 0 where every input was read or refused in one sentence, else 1."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*", choices=[[], *READERS], help="(default: all)")
    parser.add_argument("--count", type=int, default=5000, help="of inputs for each reader (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SystemRandom().getrandbits(32), help="(default: a new one)")
    args = parser.parse_args()
    print(f"seed {args.seed}\n{'':24}accepted  refused  failed   CPU", flush=True)
    failed = False
    for name in args.readers or READERS:
        with tempfile.TemporaryDirectory() as folder:
            start = process_time()
            counts = fuzz(name, args.seed, args.count, Path(folder))
            print(f"{name:24}{counts}{process_time() - start:6.0f} s", flush=True)
        for number, content, error in counts.failed[:3]:
            FAILURES.mkdir(parents=True, exist_ok=True)
            path = FAILURES / f"{name}-{args.seed}-{number}"
            path.write_bytes(content)
            print(f"  {path}: {type(error).__name__}: {str(error)[:200]}")
        failed |= bool(counts.failed)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
