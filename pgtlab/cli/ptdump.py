"""``pgtlab ptdump``: dump the page tables in a memory image as /sys/kernel/debug/kernel_page_tables does.

Print the page tables of the kernel, or with --user of a process, as /sys/kernel/debug/kernel_page_tables does: regions
with the same attributes, and the borders of the kernel's memory map.

example: pgtlab ptdump tests/data/kernel/ptdump/4k-va48-max
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pgtlab.cli.image_options import add_image_options, open_image
from pgtlab.cli.options import address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgtlab.linux.ptdump import Line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab ptdump`` takes."""
    add_image_options(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--kernel", action="store_true", help="the tables at TTBR1_EL1 (default)")
    which.add_argument(
        "--user",
        nargs="?",
        type=address,
        const=True,
        metavar="TTBR",
        help="a process's tables, at TTBR0_EL1 or, after IMAGE, at the given value of it",
    )
    parser.add_argument("--pa", action="store_true", help="say the physical address of each region, too")


def run(args: argparse.Namespace) -> int:
    """Print the lines as they are found."""
    user = args.user is not None or (not args.kernel and (args.pid is not None or args.task is not None))
    if args.user not in (None, True):
        if args.ttbr0 not in (None, args.user):
            raise ValueError(f"--user {args.user:#x} and --ttbr0 {args.ttbr0:#x}: a process has one TTBR0_EL1")
        args.ttbr0 = args.user
    image = open_image(args)
    lines = image.ptdump(user=user, progress=True, pa=args.pa)
    if args.json:
        _print_json(image.name, lines)
        return 0
    if sys.stdout.isatty() and sys.stderr.isatty():
        from pgtlab.progress_bar import tqdm

        for line in lines:
            tqdm.write(str(line))  # which moves the progress bar out of the way
        return 0
    for line in lines:
        print(line)
    return 0


def _print_json(name: str, lines: Iterator[Line]) -> None:
    """Print the lines as one JSON object, each as soon as it is found."""
    import json

    before = f'{{\n  "image": {json.dumps(name)},\n  "lines": [\n'
    for line in lines:
        print(f"{before}    {json.dumps(line.as_dict())}", end="")
        before = ",\n"
    print("\n  ]\n}")
