"""``pgtlab config``: boot a kernel configuration on a CPU.

Show the result of booting a kernel configuration on a CPU: bits of virtual address, real and folded levels, TCR_EL1,
and the kernel's constants.

example: pgtlab config --page-size 16k --va-bits 52 --cpu neoverse-n1
"""

from __future__ import annotations

import argparse

from pgtlab.cli.answer import print_json
from pgtlab.cli.options import add_kernel_options, booted
from pgtlab.linux.address import constants_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab config`` takes."""
    add_kernel_options(parser)


def run(args: argparse.Namespace) -> None:
    """Print the configuration, and its constants below."""
    result = booted(args)
    if args.json:
        print_json(result.as_dict())
        return
    constants = constants_of(result)
    width = max(map(len, constants))
    print(result, "", *(f"{name:{width}}  {value:#x}" for name, value in constants.items()), sep="\n")
