"""``pgtlab pte``: one entry of a page table, by the hardware's names and by Linux's."""

from __future__ import annotations

import argparse

from pgtlab.cli.options import add_kernel_options, running
from pgtlab.cli.shown import add_svg_option, hexadecimal, show


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab pte`` to the command."""
    parser = subparsers.add_parser(
        "pte",
        help="take an entry of a page table apart",
        description="What one entry of a page table says: every bit by the hardware's name and by Linux's, the address "
        "and the frame, memory type and permissions; of an entry that is not valid, where the page is instead.",
        epilog="example: pgtlab pte 0x68000040000f07 --level pte --page-size 4k --va-bits 48",
        allow_abbrev=False,
    )
    parser.add_argument("value", type=hexadecimal, metavar="VALUE", help="hexadecimal, as the log has it")
    parser.add_argument(
        "--level", default="pte", metavar="LEVEL", help="pgd, p4d, pud, pmd or pte, or -1 to 3 (default: pte)"
    )
    add_kernel_options(parser)
    add_svg_option(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """Print the entry."""
    from pgtlab.linux.entry import decode_entry

    show(decode_entry(args.value, args.level, running(args)), args)
