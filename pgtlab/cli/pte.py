"""``pgtlab pte``: take an entry of a page table apart.

Decode an entry of a page table: every bit by the hardware's name and by Linux's, the address and the frame, memory type
and permissions; for an entry that is not valid, where the page is.

example: pgtlab pte 0x68000040000f07 --level pte --page-size 4k --va-bits 48
"""

from __future__ import annotations

import argparse

from pgtlab.cli.answer import add_svg_option, hexadecimal, show
from pgtlab.cli.image_options import named_value
from pgtlab.cli.options import add_kernel_options, booted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab pte`` takes."""
    parser.add_argument("value", type=hexadecimal, metavar="VALUE", help="hexadecimal, as in the kernel's log")
    parser.add_argument(
        "--level", default="pte", metavar="LEVEL", help="pgd, p4d, pud, pmd or pte, or -1 to 3 (default: pte)"
    )
    add_kernel_options(parser)
    parser.add_argument(
        "--register",
        type=named_value,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a register with another value than the kernel sets: TCR2_EL1, PIR_EL1, PIRE0_EL1, MAIR_EL1 or POR_EL0",
    )
    add_svg_option(parser)


def run(args: argparse.Namespace) -> None:
    """Print the entry."""
    from pgtlab.linux.words import pte

    show(pte(args.value, args.level, booted(args), **dict(args.register)), args)
