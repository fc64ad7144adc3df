"""The options that name an image, and give what the image does not say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pgtlab.cli.options import address
from pgtlab.cli.terminal import complain
from pgtlab.linux.cpu import CPUS

if TYPE_CHECKING:
    from pgtlab.linux.image import Image

REGISTERS: Final = {
    "tcr": "TCR_EL1",
    "ttbr0": "TTBR0_EL1",
    "ttbr1": "TTBR1_EL1",
    "mair": "MAIR_EL1",
    "sctlr": "SCTLR_EL1",
}


def add_image_options(parser: argparse.ArgumentParser, *, several: bool = True) -> None:
    """Add the image, with `several` the other files of its memory, and what it may not say."""
    parser.add_argument(
        "image",
        metavar="IMAGE",
        help="a folder with tables.npz and regs.json, an .npz of pgtlab's, an ELF core dump, a compressed dump of "
        "makedumpfile's or QEMU's, a file of LiME's or AVML's, text of @ADDRESS and words, or raw physical memory as "
        "FILE@ADDRESS, of which there may be several; also in .gz, .bz2, .xz or .zst",
    )
    if several:
        parser.add_argument("others", nargs="*", metavar="FILE@ADDRESS", help="more memory of the same machine")
    group = parser.add_argument_group("what the image does not say")
    group.add_argument("--base", type=address, metavar="PA", help="the file is raw memory that begins at this address")
    group.add_argument("--page-size", metavar="SIZE", help="4k, 16k or 64k")
    group.add_argument("--va-bits", type=int, metavar="N", help="the kernel's VA_BITS: 36, 39, 42, 47, 48 or 52")
    group.add_argument("--pa-bits", type=int, metavar="N", help="the kernel's PA_BITS: 48 or 52")
    group.add_argument("--cpu", metavar="NAME", help=", ".join(CPUS))
    group.add_argument(
        "--register",
        type=named_value,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other register, such as TCR2_EL1, PIR_EL1, HCR_EL2, TCR_EL2 or PSTATE; may be repeated",
    )
    group.add_argument("--release", metavar="VERSION", help="the kernel's version, as uname -r prints it")
    group.add_argument("--symbols", metavar="FILE", help="the kernel's symbols: /proc/kallsyms or System.map")
    group.add_argument("--debug-info", metavar="FILE", help="a vmlinux with debug information, to find a process by")
    process = parser.add_argument_group("whose addresses below the kernel's").add_mutually_exclusive_group()
    process.add_argument("--pid", type=int, metavar="N", help="the process with this number: its TTBR0_EL1 is found")
    process.add_argument("--task", metavar="NAME", help="the process with this name")
    for option, register in REGISTERS.items():
        group.add_argument(f"--{option}", type=address, metavar="VALUE", help=register)


def open_image(args: argparse.Namespace) -> Image:
    """Open the image that the options name; notes about it go to standard error."""
    from pgtlab.linux.image import Image

    registers = {name: getattr(args, option) for option, name in REGISTERS.items()} | dict(args.register)
    image = Image.open(
        args.image,
        *args.others,
        base=args.base,
        page_size=args.page_size,
        va_bits=args.va_bits,
        pa_bits=args.pa_bits,
        cpu=args.cpu,
        release=args.release,
        pid=args.pid,
        task=args.task,
        symbols=_symbols(args.symbols),
        debug_info=args.debug_info,
        **{name: value for name, value in registers.items() if value is not None},
    )
    for note in image.notes:
        complain(f"{image.name}: {note}")
    return image


def _symbols(file: str | None) -> dict[str, int] | None:
    """The symbols in a file, if one is given."""
    if file is None:
        return None
    from pgtlab import limits
    from pgtlab.linux.images.tasks.kallsyms import symbols_in

    return symbols_in(
        limits.read_bytes(Path(file), limits.SYMBOLS, f"the list of symbols {file}").decode("ascii", "replace")
    )


def named_value(text: str) -> tuple[str, int]:
    """A register and its value, of `NAME=VALUE`.

    >>> named_value("hcr_el2=0x488000000")
    ('HCR_EL2', 19461570560)
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as HCR_EL2=0x488000000")
    return name.strip().upper(), address(value.strip())
