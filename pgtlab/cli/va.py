"""``pgtlab va``: take a virtual address apart.

Show the part of the kernel's memory map that an address lies in, the indices that the MMU and Linux take from it, and
what folding does to them.

example: pgtlab va VMEMMAP_START --page-size 16k --va-bits 52 --cpu max,lpa2=off
"""

from __future__ import annotations

import argparse

from pgtlab.cli.answer import add_svg_option, show
from pgtlab.cli.options import add_kernel_options, booted

ALIASES = ["decompose"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab va`` takes."""
    parser.add_argument("address", metavar="ADDRESS", help="hex, decimal, underscores, or a name such as PAGE_OFFSET")
    add_kernel_options(parser)
    add_svg_option(parser)


def run(args: argparse.Namespace) -> None:
    """Print the place and the decomposition."""
    from pgtlab.linux.words import va

    show(va(args.address, booted(args)), args)
