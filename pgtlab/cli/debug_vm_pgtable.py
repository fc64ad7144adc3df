"""``pgtlab debug-vm-pgtable``: boot a tree and run the kernel's test of its page-table helpers.

Boot a tree on a CPU, run debug_vm_pgtable and print the kernel's log. The exit status is 0 if the kernel found
nothing wrong, 1 if it reported anything or did not boot, 2 for a usage error. With --tree-file it is what
`git bisect run` expects: 0 is good, 1 is bad, and 128, which ends the bisection, a usage error.

examples: pgtlab debug-vm-pgtable --tree next-20240229 --phys-offset 0xfffff76180000000 --page-copy
0xffff80008007b950 --pfn 0x18a65d;
git bisect run pgtlab debug-vm-pgtable --tree-file tree.txt --bad panic
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pgtlab import limits
from pgtlab.cli.answer import print_json
from pgtlab.cli.options import add_kernel_options, address, booted
from pgtlab.cli.standard_input import standard_input
from pgtlab.cli.terminal import complain

OUTCOMES = ("clean", "report", "panic")  # from good to bad


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab debug-vm-pgtable`` takes."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--tree",
        default="arm64-for-next",
        metavar="NAME",
        help="a tree that `pgtlab trees` lists (default: arm64-for-next)",
    )
    which.add_argument(
        "--tree-file",
        metavar="FILE",
        help="a file with the names of the tree's commits, one a line; - is standard input",
    )
    parser.add_argument(
        "--bad",
        choices=OUTCOMES[1:],
        default="report",
        help="the outcome that exits with 1: the kernel reports anything (default), or it panics",
    )
    add_kernel_options(parser)
    where = parser.add_argument_group("addresses of this boot", "chosen by the kernel by default")
    where.add_argument("--phys-offset", type=address, metavar="ADDR", help="PHYS_OFFSET, the kernel's memstart_addr")
    where.add_argument("--page-copy", type=address, metavar="ADDR", help="the copy of a struct page on the stack")
    where.add_argument("--pfn", type=address, metavar="PFN", help="the frame of the PUD table")


def run(args: argparse.Namespace) -> int:
    """Boot, test, print."""
    from pgtlab.lab.history import read_tree  # this imports numpy, which --help does not need
    from pgtlab.lab.linux_versions import why_silent
    from pgtlab.lab.trees import Tree
    from pgtlab.linux.boot import NoBoot, running
    from pgtlab.linux.kernel.report import Run
    from pgtlab.linux.placement import Placement

    if args.tree_file is None:
        tree = Tree.named(args.tree)
    else:
        file = standard_input() if args.tree_file == "-" else Path(args.tree_file)
        raw = limits.read_bytes(file, limits.SMALL_TEXT, f"the tree file {args.tree_file}")
        tree = read_tree(raw.decode("utf-8-sig", errors="replace"), args.tree_file)
    # If the CPU does not run this kernel, no commit can change that: in a bisection it is a usage error.
    boot = booted(args) if args.tree_file is None else running(booted(args))
    if isinstance(boot, NoBoot):
        result = Run("no boot")
        text = f"no boot: {boot.reason}"
    else:
        placement = Placement(args.phys_offset, args.page_copy, args.pfn)
        result = tree.start_kernel(boot, placement=placement).run()
        text = "\n".join(result.dmesg)
        if why := why_silent(boot, result):
            complain(why)
    if args.json:
        print_json({"tree": tree.name, "cpu": boot.cpu.name, **result.as_dict()})
    else:
        print(text)
    return int(result.outcome not in OUTCOMES[: OUTCOMES.index(args.bad)])
