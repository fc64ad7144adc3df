"""An answer as text, as JSON or as a picture."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pgtlab.picture import Picture

_HEX = re.compile(r"(0[xX])?[0-9a-fA-F]+(_[0-9a-fA-F]+)*")


class Shown(Protocol):
    """A value with a text, a picture, and plain data."""

    @property
    def picture(self) -> Picture: ...
    def as_dict(self) -> dict[str, object]: ...


def hexadecimal(text: str) -> int:
    """A register or an entry as the kernel's log writes it: hexadecimal, with `0x` or without.

    >>> hexadecimal("0000000096000004") == hexadecimal("0x9600_0004")
    True
    """
    if not _HEX.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a hexadecimal number, such as 0x96000004 or 96000004")
    value = int(text, 16)
    if value >> 64:
        raise argparse.ArgumentTypeError(f"{text} has more than 64 bits")
    return value


def add_svg_option(parser: argparse.ArgumentParser) -> None:
    """Add `--svg`."""
    parser.add_argument("--svg", action="store_true", help="print a picture of it, as SVG")


def show(value: Shown, args: argparse.Namespace, more: Mapping[str, str | None] = MappingProxyType({})) -> None:
    """Print `value` as the options say, and what there is `more` to say of it: lines of text, keys of JSON."""
    if args.json and args.svg:
        raise ValueError("--json and --svg: one answer has one format, so leave out either")
    if args.svg:
        print(value.picture.svg())
    elif args.json:
        print_json(value.as_dict() | dict(more))
    else:
        print(value, *(f"{name}: {words}" for name, words in more.items() if words), sep="\n")


def print_json(value: object) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=2))
