"""``pgtlab oops``: read the reports in a kernel's log.

Find the reports of an arm64 kernel in a log (bad page, Oops, WARNING, BUG, panic) and decode what they print: ESR_EL1,
the page-table walk, registers, code, page dumps. The log may be compressed (gz, bz2, xz, zst), quoted or wrapped in a
mail, JSON, or HTML, and have any prefix that stands before most lines. The exit status is 2 if the log has no such
report.

examples: pgtlab oops console.log;
dmesg | pgtlab oops - --json
"""

from __future__ import annotations

import argparse
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import IO

from pgtlab import limits
from pgtlab.cli.answer import print_json
from pgtlab.cli.standard_input import standard_input
from pgtlab.cli.terminal import coloured, printable

COLOURS = {  # of a line of the answer, by a pattern
    re.compile(r"\d+\. |[A-Z][a-z ]+$"): "heading",
    re.compile(r".*<- here| +They disagree"): "bad",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``pgtlab oops``."""
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="the log (default: -, standard input)")


def run(args: argparse.Namespace) -> int:
    """Read the log and print what is in it."""
    from pgtlab.linux.oops import read

    log = read(log_text(args.file))
    if args.json:
        print_json(log.as_dict())
    else:
        print("\n".join(map(_line, printable(str(log)).split("\n"))))
    return 0


def _line(text: str) -> str:
    """A line of the answer, in its colour."""
    return coloured(text, next((colour for pattern, colour in COLOURS.items() if pattern.match(text)), None))


def log_text(file: str) -> str:
    """The text of the log.

    Bytes that are not UTF-8, which a serial line may produce, are replaced. A file that Windows wrote begins with a
    byte order mark, and may be UTF-16.
    """
    raw = limits.read_bytes(standard_input() if file == "-" else Path(file), limits.LOG, f"the log {file}")
    raw = _unpacked(raw, f"the log {file}")
    return raw.decode("utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8", errors="replace")


def _unpacked(raw: bytes, what: str) -> bytes:
    """What a compressed file holds; other bytes as they are. A file that is cut off gives what is left of it."""
    for magic, module in {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma"}.items():
        if raw.startswith(magic):
            return _all_of(import_module(module).open(BytesIO(raw)), what)
    if raw.startswith(b"\x28\xb5\x2f\xfd"):
        try:
            from zstandard import ZstdDecompressor
        except ModuleNotFoundError:
            raise ValueError(
                f"{what} is compressed with zstd: `pip install zstandard`, or `zstd -dc FILE | pgtlab oops -`"
            ) from None
        return limits.read_bytes(ZstdDecompressor().stream_reader(raw, read_across_frames=True), limits.LOG, what)
    return raw


def _all_of(file: IO[bytes], what: str) -> bytes:
    """What a compressed file holds, as far as it is whole."""
    content = bytearray()
    while len(content) <= limits.LOG:
        try:
            piece = file.read1(limits.PIECE)  # type: ignore[attr-defined]
        except Exception as error:  # each module has its own
            if content:
                break
            raise ValueError(f"{what} is compressed, and damaged: {error}") from None
        if not piece:
            return bytes(content)
        content += piece
    if len(content) > limits.LOG:
        raise limits.TooLargeError(f"{what} has more than {limits.size(limits.LOG)}, which is the most that is read")
    return bytes(content)
