"""``pgtlab esr``: take a value of ESR_EL1 apart.

Every field of an exception syndrome: the class, the syndrome of that class, the fault status.

example: pgtlab esr 0x96000004
"""

from __future__ import annotations

import argparse

from pgtlab.cli.answer import add_svg_option, hexadecimal, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab esr`` takes."""
    parser.add_argument(
        "value", type=hexadecimal, metavar="VALUE", help="hexadecimal, as in the kernel's log: 0x96000004"
    )
    add_svg_option(parser)


def run(args: argparse.Namespace) -> None:
    """Print the syndrome, and who in Linux sets such a BRK."""
    from pgtlab.linux.words import esr

    show(esr(args.value), args)
