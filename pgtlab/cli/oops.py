"""``pgtlab oops``: read the reports in a kernel's log.

Find the reports of an arm64 kernel in a log (bad page, Oops, WARNING, BUG, panic) and decode what they print: ESR_EL1,
the page-table walk, registers, code, page dumps. Timestamps, quoting and the prefixes of journals may be there or not.
The exit status is 2 where the log has no such report.

examples: pgtlab oops console.log;
dmesg | pgtlab oops - --json
"""

from __future__ import annotations

import argparse
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

from pgtlab.cli.answer import print_json
from pgtlab.cli.colour import coloured
from pgtlab.cli.standard_input import standard_input

TELLS = {  # by how a line of the answer begins or what is in it
    re.compile(r"\d+\. |[A-Z][a-z ]+$"): "heading",
    re.compile(r".*<- here| +They disagree"): "bad",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``pgtlab oops`` takes."""
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="the log (default: -, standard input)")


def run(args: argparse.Namespace) -> int:
    """Read the log and print what is in it."""
    from pgtlab.linux.oops import read

    log = read(_text(args.file))
    if args.json:
        print_json(log.as_dict())
    else:
        print("\n".join(map(_line, str(log).splitlines())))
    return 0


def _line(text: str) -> str:
    """A line, in the colour of what it tells."""
    return coloured(text, next((how for pattern, how in TELLS.items() if pattern.match(text)), None))


def _text(file: str) -> str:
    """The log; bytes that are no UTF-8, which a serial line may well produce, are replaced. What Windows redirects to a
    file begins with a byte order mark, and may be UTF-16."""
    raw = standard_input().read() if file == "-" else Path(file).read_bytes()
    return raw.decode("utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8", errors="replace")
