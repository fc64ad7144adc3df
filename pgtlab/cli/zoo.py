"""``pgtlab zoo``: write small memory images of every configuration, with what a debugger must find in them.

Write a folder for each kernel that arm64 can be: the same memory as an ELF core dump, a compressed dump and raw memory,
with the expected ptdump, translations and faults, for tests of debuggers. The files are in the public domain (CC0 1.0).

example: pgtlab zoo /tmp/zoo
"""

from __future__ import annotations

import argparse
from pathlib import Path

JSON = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab zoo`` takes."""
    parser.add_argument("folder", metavar="FOLDER", help="where to write; it is made if it is not there")


def run(args: argparse.Namespace) -> None:
    """Write the images, and print the name of each folder."""
    from pgtlab.linux.zoo import write

    for folder in write(Path(args.folder)):
        print(folder)
