"""``pgtlab debug-vm-pgtable``: boot a tree, run the kernel's page-table test, print the log."""

from __future__ import annotations

import argparse

from pgtlab.cli.options import add_kernel_options, booted, print_json
from pgtlab.linux.boot import NoBoot


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab debug-vm-pgtable`` to the command."""
    parser = subparsers.add_parser(
        "debug-vm-pgtable",
        help="boot a tree and run the kernel's test of its page-table helpers",
        description="Boot a tree on a CPU, run debug_vm_pgtable and print the kernel's log. The exit status is 0 where "
        "the kernel found nothing wrong, 1 where it reported anything or did not boot, 2 on misuse.",
        epilog="example: pgtlab debug-vm-pgtable --tree arm64-for-next --page-size 16k --va-bits 52",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--tree",
        default="arm64-for-next",
        metavar="NAME",
        help="arm64-for-next, with the unfixed pud_free(), or fixed (default: arm64-for-next)",
    )
    add_kernel_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Boot, test, print."""
    from pgtlab.lab.trees import Tree  # with numpy behind it, which --help does not need
    from pgtlab.linux.report import Run

    tree = Tree.named(args.tree)
    boot = booted(args)
    if isinstance(boot, NoBoot):
        result = Run("no boot")
        text = f"no boot: {boot.reason}"
    else:
        result = tree.start_kernel(boot).run()
        text = "\n".join(result.dmesg)
    if args.json:
        print_json({"tree": tree.name, "cpu": boot.cpu.name, **result.as_dict()})
    else:
        print(text)
    return 0 if result.outcome == "clean" else 1
