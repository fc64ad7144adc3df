"""``pgtlab decompose``: a virtual address, level by level."""

from __future__ import annotations

import argparse

from pgtlab.cli.options import add_kernel_options, print_json, running
from pgtlab.linux.address import parse_address
from pgtlab.linux.decompose import decompose


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab decompose`` to the command."""
    parser = subparsers.add_parser(
        "decompose",
        help="take a virtual address apart",
        description="The indices that the MMU and Linux take from a virtual address, and what folding does to them.",
        epilog="example: pgtlab decompose VMEMMAP_START --page-size 16k --va-bits 52 --cpu max,lpa2=off",
        allow_abbrev=False,
    )
    parser.add_argument("address", help="hex, decimal, underscores, or a name such as PAGE_OFFSET")
    add_kernel_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the decomposition."""
    kernel = running(args)
    answer = decompose(parse_address(args.address, kernel), kernel)
    if args.json:
        print_json(answer.as_dict())
    else:
        print(answer)
    return 0
