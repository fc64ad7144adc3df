"""The options for a kernel and its CPU."""

from __future__ import annotations

import argparse

from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPUS
from pgtlab.linux.kconfig import Config
from pgtlab.linux.options import MINIMAL
from pgtlab.linux.presets import PRESETS


def add_kernel_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which kernel is booted on which machine."""
    parser.add_argument(
        "--kernel",
        default="minimal",
        metavar="NAME",
        help=f"whose choices: {', '.join(PRESETS)} (default: minimal, the configuration of the model); the options "
        "below override them",
    )
    parser.add_argument("--linux", metavar="VERSION", help="6.1 to 7.3 (default: that of --kernel)")
    parser.add_argument("--page-size", metavar="SIZE", help="4k, 16k or 64k (default: 4k)")
    parser.add_argument("--va-bits", type=int, metavar="N", help="36, 39, 42, 47, 48 or 52 (default: 48 in `minimal`)")
    parser.add_argument("--pa-bits", type=int, metavar="N", help="48 or 52 (default: 52 with VA_BITS 52, else 48)")
    parser.add_argument(
        "--kconfig",
        type=option,
        action="append",
        default=[],
        metavar="NAME=y|n",
        help=f"an option to turn on or off, or NR_CPUS=N, of {', '.join(MINIMAL)}; may be repeated",
    )
    parser.add_argument("--cpu", default="max", metavar="NAME", help=f"{', '.join(CPUS)} (default: max)")
    parser.add_argument("--kaslr", action="store_true", help="the boot loader passes a seed for KASLR")
    parser.add_argument("--el2", action="store_true", help="the kernel starts at EL2, and stays there with VHE")
    parser.add_argument("--mte", action="store_true", help="the machine's memory holds tags")


def address(text: str) -> int:
    """An address or a frame number, in hexadecimal after `0x`."""
    try:
        value = int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, such as 0xffff80008007b950") from None
    if not 0 <= value < 1 << 64:
        raise argparse.ArgumentTypeError(f"{text} has more than 64 bits, or a sign")
    return value


def option(text: str) -> tuple[str, int]:
    """An option as in a `.config`.

    >>> option("CONFIG_SWAP=n"), option("NR_CPUS=512")
    (('SWAP', 0), ('NR_CPUS', 512))
    """
    name, _, value = text.removeprefix("CONFIG_").partition("=")
    if not (value in ("y", "n") or value.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not an option and its value, such as SWAP=n")
    return name, int(value) if value.isdecimal() else int(value == "y")


def configured(args: argparse.Namespace) -> Config:
    """The configuration that the options name."""
    return Config.named(args.kernel, args.page_size, args.va_bits, args.pa_bits, linux=args.linux, **dict(args.kconfig))


def booted(args: argparse.Namespace) -> Boot | NoBoot:
    """Boot the kernel that the options name on the machine that they name."""
    return boot(configured(args), args.cpu, kaslr=args.kaslr, el2=args.el2, mte=args.mte)
