"""An answer as text, as JSON or as a picture."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pgtlab.picture import Picture


class Shown(Protocol):
    """A value with a text, a picture, and plain data."""

    @property
    def picture(self) -> Picture: ...
    def as_dict(self) -> dict[str, object]: ...


def hexadecimal(text: str) -> int:
    """The type of an argument that is a register or an entry in hexadecimal, as in the kernel's log."""
    from pgtlab.linux.words import WordError, parse_word

    try:
        return parse_word(text)
    except WordError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_svg_option(parser: argparse.ArgumentParser) -> None:
    """Add `--svg`."""
    parser.add_argument("--svg", action="store_true", help="print a picture of it, as SVG")


def show(value: Shown, args: argparse.Namespace) -> None:
    """Print `value` as the options say."""
    if args.json and args.svg:
        raise ValueError("--json and --svg: choose one of them")
    if args.svg:
        print(value.picture.svg())
    elif args.json:
        print_json(value.as_dict())
    else:
        print(value)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=2))
