"""The options for a kernel and its CPU."""

from __future__ import annotations

import argparse

from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPUS
from pgtlab.linux.kconfig import MINIMAL, Config


def add_kernel_options(parser: argparse.ArgumentParser) -> None:
    """Add `--page-size`, `--va-bits`, `--pa-bits`, `--kconfig` and `--cpu`."""
    parser.add_argument("--page-size", default="4k", metavar="SIZE", help="4k, 16k or 64k (default: 4k)")
    parser.add_argument("--va-bits", type=int, metavar="N", help="36, 39, 42, 47, 48 or 52 (default: 48)")
    parser.add_argument("--pa-bits", type=int, metavar="N", help="48 or 52 (default: 52 with VA_BITS 52, else 48)")
    parser.add_argument(
        "--kconfig",
        type=option,
        action="append",
        default=[],
        metavar="NAME=y|n",
        help=f"an option to turn on or off, of {', '.join(MINIMAL)}; may be repeated (default: as in `minimal`, the "
        "configuration of the model)",
    )
    parser.add_argument("--cpu", default="max", metavar="NAME", help=f"{', '.join(CPUS)} (default: max)")


def address(text: str) -> int:
    """An address or a frame number, in hexadecimal after `0x`."""
    try:
        value = int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, such as 0xffff80008007b950") from None
    if not 0 <= value < 1 << 64:
        raise argparse.ArgumentTypeError(f"{text} has more than 64 bits, or a sign")
    return value


def option(text: str) -> tuple[str, bool]:
    """An option as in a `.config`.

    >>> option("CONFIG_SWAP=n")
    ('SWAP', False)
    """
    name, _, value = text.removeprefix("CONFIG_").partition("=")
    if value not in ("y", "n"):
        raise argparse.ArgumentTypeError(f"{text!r} is not an option and its value, such as SWAP=n")
    return name, value == "y"


def booted(args: argparse.Namespace) -> Boot | NoBoot:
    """Boot the kernel that the options name on the CPU that they name."""
    return boot(Config(args.page_size, args.va_bits, args.pa_bits, **dict(args.kconfig)), args.cpu)
