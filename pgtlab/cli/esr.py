"""``pgtlab esr``: an exception syndrome, field by field."""

from __future__ import annotations

import argparse

from pgtlab.cli.shown import add_svg_option, hexadecimal, show


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab esr`` to the command."""
    parser = subparsers.add_parser(
        "esr",
        help="take a value of ESR_EL1 apart",
        description="Every field of an exception syndrome: the class, the syndrome of that class, the fault status.",
        epilog="example: pgtlab esr 0x96000004",
        allow_abbrev=False,
    )
    parser.add_argument("value", type=hexadecimal, metavar="VALUE", help="hexadecimal, as the log has it: 0x96000004")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    add_svg_option(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """Print the syndrome, and who in Linux sets such a BRK."""
    from pgtlab.arch import esr
    from pgtlab.linux.brk_imm import brk_name

    syndrome = esr.decode(args.value)
    brk = syndrome["Comment"].value if syndrome.ec == esr.BRK64 else None
    linux = None if brk is None else brk_name(brk) or "no breakpoint of the kernel's"
    show(syndrome, args, {"linux": linux})
