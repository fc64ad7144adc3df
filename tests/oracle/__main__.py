"""`make oracle`: make a file of fresh cases, and hold pgtlab's MMU against it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import SystemRandom
from time import perf_counter

from oracle import case_file
from oracle.mapped_images import mapped_images
from oracle.qemu import OracleError, ask, missing_tools, version
from oracle.random_images import random_images
from pgtlab.cli import main as pgtlab

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Exit status 0 where both walkers agree with QEMU, 1 where they do not, 2 where there is no oracle."""
    parser = argparse.ArgumentParser(prog="oracle", description=__doc__, allow_abbrev=False)
    parser.add_argument("--seed", type=int, help="repeat an earlier run (default: a new one)")
    parser.add_argument("--images", type=int, default=200, help="with random tables (default: %(default)s)")
    parser.add_argument("--mapped", type=int, default=50, help="with tables of pgtlab's mapper (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="the file to write (default: build/oracle-SEED.npz)")
    args = parser.parse_args()
    if min(args.images, args.mapped) < 0 or args.images + args.mapped == 0:
        parser.error("no images: --images and --mapped must be 0 or more, and one of them 1 at least")
    if problem := missing_tools():
        print(f"oracle: {problem}", file=sys.stderr)
        return 2
    seed = SystemRandom().getrandbits(32) if args.seed is None else args.seed
    path = args.output or ROOT / "build" / f"oracle-{seed}.npz"

    print(f"seed {seed}", flush=True)
    start = perf_counter()
    images = [*random_images(seed, args.images), *(image for image, _ in mapped_images(seed, args.mapped))]
    try:
        answers = ask(images)
    except OracleError as error:
        print(f"oracle: {error}", file=sys.stderr)
        return 2
    case_file.save(path, case_file.arrays(images, answers, version()))
    qemu = ".".join(map(str, version()))
    cases = sum(len(image.va) for image in images)
    print(f"{path}: {len(images)} images, {cases} cases, QEMU {qemu}, {perf_counter() - start:.1f} s")
    return pgtlab(["verify-mmu", str(path)])


if __name__ == "__main__":
    sys.exit(main())
