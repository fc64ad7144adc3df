"""``pgtlab va``: a virtual address, where it lies and level by level. ``decompose`` is its older name."""

from __future__ import annotations

import argparse

from pgtlab.cli.options import add_kernel_options, running
from pgtlab.cli.shown import add_svg_option, show


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab va`` to the command."""
    parser = subparsers.add_parser(
        "va",
        aliases=["decompose"],
        help="take a virtual address apart",
        description="Which part of the kernel's memory map an address lies in, the indices that the MMU and Linux take "
        "from it, and what folding does to them.",
        epilog="example: pgtlab va VMEMMAP_START --page-size 16k --va-bits 52 --cpu max,lpa2=off",
        allow_abbrev=False,
    )
    parser.add_argument("address", metavar="ADDRESS", help="hex, decimal, underscores, or a name such as PAGE_OFFSET")
    add_kernel_options(parser)
    add_svg_option(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """Print the place and the decomposition."""
    from pgtlab.linux.address import parse_address
    from pgtlab.linux.memory_map import locate

    kernel = running(args)
    show(locate(parse_address(args.address, kernel), kernel), args)
