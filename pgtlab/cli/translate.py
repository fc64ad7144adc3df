"""``pgtlab translate``: translate addresses by the page tables in a memory image.

Walk the page tables in an image of memory for each address, and show every entry that was read. The exit status is 0 if
all addresses are mapped, 1 if any is not, 2 for a usage error.

example: pgtlab translate tests/data/kernel/ptdump/4k-va48-max 0xffff800080000000 PAGE_OFFSET
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from pgtlab.arch.word import is_upper
from pgtlab.cli.answer import print_json
from pgtlab.cli.image_options import add_image_options, open_image
from pgtlab.cli.terminal import complain

if TYPE_CHECKING:
    from pgtlab.arch.mmu import MMU
    from pgtlab.arch.walk import Walk

ACCESSES = ("read", "write", "fetch")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab translate`` takes."""
    add_image_options(parser, several=False)
    parser.add_argument(
        "addresses",
        nargs="+",
        metavar="VA",
        help="hex, decimal, a name such as PAGE_OFFSET, or a symbol of the image; FILE@ADDRESS is more of its memory",
    )
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--kernel",
        action="store_const",
        const="kernel",
        dest="who",
        help="access as the kernel does, at EL1, or at EL2 if it runs there",
    )
    who.add_argument(
        "--user",
        action="store_const",
        const="user",
        dest="who",
        help="access as a process does, at EL0 (default: lower addresses at EL0, upper ones as the kernel)",
    )
    parser.add_argument("--access", choices=ACCESSES, default="read", help="the kind of access (default: read)")


def run(args: argparse.Namespace) -> int:
    """Print each walk; 1 if any ends in a fault."""
    from pgtlab.arch.fault import Access, Fault
    from pgtlab.linux.images.raw import file_and_address

    args.others = [text for text in args.addresses if file_and_address(text)]
    args.addresses = [text for text in args.addresses if text not in args.others]
    if not args.addresses:
        raise ValueError("no address to translate: give one after the files, such as 0xffff800080000000")
    image = open_image(args)
    access = Access[args.access.upper()]
    vas = [image.address(text) for text in args.addresses]
    for va in vas:
        address = image.pointer(va)
        if address is not None and not isinstance(image.translate(address, access).outcome, Fault):
            complain(
                f"{va:#x} has bits set above the address, as a pointer authentication code (PAC) does: the address "
                f"in it is {address:#x}"
            )
    kernel = [is_upper(va) if args.who is None else args.who == "kernel" for va in vas]
    walks = [image.translate(va, access, None if own else 0) for va, own in zip(vas, kernel, strict=True)]
    if "PSTATE" not in image.registers and any(_pan_matters(image.mmu, walk) for walk in walks):
        complain(
            "PSTATE.PAN is not known and taken for 0: with PAN the kernel cannot read or write memory that EL0 has "
            "access to (--register PSTATE=0x400000 sets it)"
        )
    if args.json:
        print_json({"image": image.name, "walks": [walk.as_dict() for walk in walks]})
    else:
        print("\n\n".join(map(str, walks)))
    return 1 if any(isinstance(walk.outcome, Fault) for walk in walks) else 0


def _pan_matters(mmu: MMU, walk: Walk) -> bool:
    """Whether a walk by the kernel ends otherwise with PSTATE.PAN."""
    if walk.el == 0:
        return False
    return type(replace(mmu, pan=True).translate(walk.va, walk.access).outcome) is not type(walk.outcome)
