"""Inputs of any length that are as much work as a reader can be made to do, by the reader."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import image_files
import numpy as np

Case = Callable[[int], bytes]

LOG = (Path(__file__).parents[1] / "data/seed/next-20240229.log").read_text()
HEAD = "Unable to handle kernel paging request at virtual address dead000000000100\n"
PAGE = (
    "BUG: Bad page state in process swapper/0  pfn:1\npage: refcount:0 mapcount:-1 mapping:0000000000000000 index:0x0\n"
)


def lines(*line: str, head: str = "", end: str = "") -> Case:
    """A case of n times these lines."""
    return lambda n: (head + "".join(line) * n + end).encode()


def archive(n: int) -> bytes:
    """n small arrays."""
    file, array = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros(1, np.uint64))
    with zipfile.ZipFile(file, "w") as made:
        for number in range(n):
            made.writestr(f"a{number}.npy", array.getvalue())
    return file.getvalue()


def pieces(n: int) -> bytes:
    """An image of n pieces of memory that are not neighbours."""
    file = io.BytesIO()
    phys = np.arange(n, dtype=np.uint64) * 0x2000
    np.savez(file, phys=phys, data=np.ones((n, 1), np.uint64), TCR_EL1=np.uint64(0x5_0000_3510), TTBR1_EL1=np.uint64(0))
    return file.getvalue()


def segments(n: int) -> bytes:
    """A core dump of n pieces of memory."""
    return image_files.elf([(0x1000 * i, b"\3" * 8) for i in range(0, 2 * n, 2)], align=8)


def notes(n: int) -> bytes:
    """A core dump with n segments of notes."""
    made = image_files.elf([(0, b"\3" * 8)], image_files.prstatus(), align=8)
    ident, headers, body = made[:64], made[64 : 64 + 112], made[64 + 112 :]
    moved = 56 * (n - 1)

    def at(header: bytes) -> bytes:
        return header[:8] + struct.pack("<Q", struct.unpack_from("<Q", header, 8)[0] + moved) + header[16:]

    ident = ident[:56] + struct.pack("<H", n + 1) + ident[58:]
    return ident + at(headers[:56]) * n + at(headers[56:]) + body


def note(n: int) -> bytes:
    """A core dump whose one segment of notes has n of them."""
    return image_files.elf([(0, b"\3" * 8)], image_files.note(b"CORE", 1, b"") * n, align=8)


def ranges(n: int) -> bytes:
    """A dump of LiME's with n words of memory that are not neighbours."""
    return b"".join(struct.pack("<4sIQQQQ", b"EMiL", 1, 8192 * i, 8192 * i + 7, 0, 3) for i in range(n))


def answers(n: int) -> bytes:
    """The progress of a reader who has answered n times."""
    answer = {"question": "a/b", "asked_in": "a", "seed": "", "verdict": "right", "said": "4", "reason": ""}
    return json.dumps({"reader": "1f", "exercises": {}, "answers": [answer] * n}).encode()


def trace(head: str = HEAD) -> Case:
    return lines(" f+0x10/0x20\n", head=head + "Call trace:\n")


WORST_CASES: dict[str, dict[str, Case]] = {
    "trace": {
        "addresses": lines("0x1000\n"),
        "comments": lines("#\n"),
        "blanks": lines(" " * 40),
        "digits": lines("0"),
        "members of a gzip file": lambda n: gzip.compress(b"1\n") * n,
    },
    "vectors": {"arrays": archive},
    "image_npz": {"arrays": archive, "pieces": pieces},
    "image_text": {
        "pieces": lambda n: "".join(f"@{0x2000 * i:#x}\n0x1\n" for i in range(n)).encode(),
        "pieces, the last first": lambda n: "".join(f"@{0x2000 * i:#x}\n0x1\n" for i in range(n, 0, -1)).encode(),
        "words in a line": lines("0x1 ", head="@0\n"),
        "words": lines("0x1\n", head="@0\n"),
        "runs": lines("0x1*2+1\n", head="@0\n"),
        "runs of zeros": lines("0x0*64\n", head="@0\n"),
        "blanks": lines(" ", head="@0\n0x1", end="x"),
        "stars": lines("*", head="@0\n0x1"),
        "values": lambda n: "".join(f"@VALUE(a{i})\n1\n" for i in range(n)).encode() + b"@0\n0x1\n",
        "comments": lines("# @0\n", head="@0\n0x1\n"),
        "headers": lines("@0\n"),
    },
    "image_elf": {"pieces": segments, "segments of notes": notes, "notes": note},
    "image_packed": {"members": lambda n: gzip.compress(b"@0\n0x1\n") + gzip.compress(b"#\n") * n},
    "image_lime": {"ranges": ranges},
    "image_raw": {"words": lambda n: bytes(8 * n)},
    "registers_of_a_capture": {
        "registers": lambda n: json.dumps({f"a{i}": "0x1" for i in range(n)}).encode(),
        "symbols": lambda n: json.dumps({"symbols_phys": {f"a{i}": "0x1" for i in range(n)}}).encode(),
        "brackets": lambda n: b"[" * n + b"]" * n,
        "digits": lambda n: b'{"variant": "' + b"1" * n + b'k-va48"}',
    },
    "symbols_of_a_capture": {
        "symbols": lambda n: "".join(f"{i:016x} T a{i}\n" for i in range(n)).encode(),
        "words": lines("a ", head="0000000000000000 T "),
    },
    "log": {
        "BUG": lines("BUG: x\n"),
        "BUG after a report": lines("BUG: x\n", head=PAGE),
        "WARNING": lines("WARNING: x\n", head=PAGE),
        "bad pages": lines(PAGE),
        "oopses": lines(HEAD, "Internal error: Oops: 96000004 [#1] SMP\n"),
        "the whole log": lines(LOG[:2000]),
        "calls": trace(),
        "calls on one line": lines(" f+0x10/0x20", head=HEAD + "Call trace:"),
        "code": lines(" d503201f", head=HEAD + "Code:"),
        "modules": lines(" a", head=HEAD + "Modules linked in:"),
        "registers": lines("x0 : 0000000000000000 ", head=HEAD),
        "lines of registers": lines("x29: 0000000000000000 x28: 0000000000000000\n", head=HEAD),
        "page dumps": lines("page: refcount:0 mapcount:-1 mapping:0000000000000000 index:0x0 pfn:0x1\n", head=PAGE),
        "raw words": lines("raw: 0000000000000000 0000000000000000\n", head=PAGE),
        "timestamps on one line": lines("[    0.100000] ", head=PAGE),
        "quotes": lines("> ", head=PAGE),
        "blanks": lines(" ", head=PAGE),
        "blank lines": lines("\n", head=PAGE),
        "one word": lines("x", head=PAGE),
        "one word of digits": lines("0", head=PAGE),
        "cut here": lines("------------[ cut here ]------------\n", head=PAGE),
        "end of trace": lines("---[ end trace 0000000000000000 ]---\n", head=PAGE),
        "brackets": lines("[", head=PAGE),
        "escapes": lines("\x1b[", head=PAGE),
        "titles of terminals": lines("\x1b]0;", head=PAGE),
        "colours": lines("\x1b[0m", head=PAGE),
        "tags": lines("<br>", head=PAGE),
        "open tags": lines("<a ", head=PAGE),
        "entities": lines("&lt;", head=PAGE),
        "soft breaks": lines("=\n", head=PAGE),
        "objects of JSON": lines('{"MESSAGE": "x"}\n', head=PAGE),
        "brackets of JSON": lines('{"a":', head=PAGE),
        "ends of lines in JSON": lambda n: json.dumps({"log": (PAGE + "x\n") * n}).encode(),
        "versions": lines("Linux version 6.8.0\n", head=PAGE),
        "prefixes": lambda n: "".join(f"host{i} kernel: x\n" for i in range(n)).encode() + PAGE.encode(),
        "boots": lines("[    0.000000] Booting Linux on physical CPU 0x0\n", PAGE),
        "times that go back": lambda n: b"".join(b"[%5d.000000] x\n" % (n - i) for i in range(n)) + PAGE.encode(),
        "carriage returns": lines("\r", head=PAGE),
        "nulls": lines("\0", head=PAGE),
    },
    "log_file": {
        "members of a gzip file": lambda n: gzip.compress(PAGE.encode()) + gzip.compress(b"x") * n,
        "streams of a bzip2 file": lambda n: bz2.compress(PAGE.encode()) + bz2.compress(b"x") * n,
    },
    "tree_file": {"comments": lines("#\n"), "blanks": lines(" "), "a name": lines("x"), "lines": lines("\n")},
    "word": {
        "digits": lines("1"),
        "terms": lines("+1", head="0x1"),
        "underscores": lines("_", head="1"),
        "a name": lines("A"),
    },
    "share_string": {"parts": lines("/", head="pgtlab:/"), "a name": lines("a", head="pgtlab://16k/52/lpa2/")},
    "command_line": {  # of many options, argparse makes work that is quadratic
        "words": lines("\0x", head="esr"),
        "a word": lines("1", head="esr\0"),
    },
    "progress": {"answers": answers, "brackets": lines("[")},
}  # fmt: skip
