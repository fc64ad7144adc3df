"""``pgtlab tables``: show the page tables in a memory image as a tree.

Show every page table of the kernel, or with --user of the process, and where its entries lead. Neighbouring entries
that continue each other are one line; a table that several entries lead to is shown once.

example: pgtlab tables tests/data/kernel/ptdump/4k-va48-max --user
"""

from __future__ import annotations

import argparse

from pgtlab.cli.answer import print_json
from pgtlab.cli.image_options import add_image_options, open_image
from pgtlab.cli.terminal import complain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab tables`` takes."""
    add_image_options(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--kernel", action="store_true", help="the tables at TTBR1_EL1 (default)")
    which.add_argument("--user", action="store_true", help="the tables at TTBR0_EL1 (default with --pid or --task)")


def run(args: argparse.Namespace) -> int:
    """Print the tree."""
    image = open_image(args)
    user = args.user or (not args.kernel and (args.pid is not None or args.task is not None))
    tree = image.tree(user=user, progress=True)
    if image.mmu.tcr2.PIE:
        complain("permissions are indirect (PIE): UXN, PXN, DBM and AP[1] of a leaf are its PIIndex")
    if args.json:
        print_json({"image": image.name, "tree": None if tree is None else tree.as_dict()})
    elif tree is None:
        print(f"the registers do not allow a walk of {'TTBR0_EL1' if user else 'TTBR1_EL1'}")
    else:
        for line in tree.lines():
            print(line)
    return 0
