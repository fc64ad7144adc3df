"""Memory as text, in the style of libkdumpfile's tests: `@` and an address, then the words from there on.

::

    # level 2 table
    @0xbffd0000
    0000000000000000*7057
    18000000BFFC0003*4-10000
    @NUMBER(VA_BITS)
    30

A word is 16 hexadecimal digits, or any number of them after `0x`; 2, 4 or 8 digits are 1, 2 or 4 bytes, lowest first.
`*n` repeats it n times, adding what stands after `+` or `-`, in hexadecimal, each time. `@VALUE(name)`,
`@NUMBER(name)` and `@REG(name)` are followed by the address of a symbol, a number of VMCOREINFO, or a register, in
hexadecimal; such lines may also be in a file beside, with the ending `.sym`. Addresses are hexadecimal, `#` begins a
comment.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from pgtlab import limits
from pgtlab.arch.memory import U64, PhysicalAddressError
from pgtlab.arch.read_only_memory import Extent, ReadOnlyMemory
from pgtlab.linux.images.contents import REGISTERS, Contents, ImageError

LEAST_ZEROS: Final = 64  # words of zeros that are worth a piece of their own
AT_ONCE: Final = 1 << 16  # words that are counted up at a time
_ADDRESS: Final = re.compile(r"(?:0x)?([0-9a-f]{1,16})(?:\s.*)?", re.IGNORECASE)
_NAMED: Final = re.compile(r"(VALUE|SYMBOL|NUMBER|REG)\((\w+)\)")
_WORD: Final = re.compile(
    r"(0x[0-9a-f]{1,16}|[0-9a-f]{16}|[0-9a-f]{8}|[0-9a-f]{4}|[0-9a-f]{2})"
    r"(?:\s*\*\s*([0-9]{1,12})(?:([+-])(?:0x)?([0-9a-f]{1,16}))?)?(?:\s+|$)",
    re.IGNORECASE,
)


def is_text(head: bytes) -> bool:
    """Whether a file that begins so is of this format: its first line that says anything begins with `@`.

    >>> is_text(b"# tables\\n\\n@0x1000\\n0000000000000003"), is_text(b"[0.0] Linux")
    (True, False)
    """
    lines = (line.strip() for line in head.removeprefix(BOM_UTF8).splitlines())
    return next((line.startswith(b"@") for line in lines if line and not line.startswith(b"#")), False)


def read(path: Path) -> Contents:
    """The memory that `path` writes out.

    Raises
    ------
    ImageError
        Where a line is not of the format; the message has its number.
    """
    reader = _Reader(path)
    beside = path.with_suffix(".sym")
    for file in (path, beside) if beside != path and beside.is_file() else (path,):
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            try:
                reader.read(file, limits.read_lines(lines, limits.IMAGE_AS_TEXT, str(file)))
            except limits.TooLargeError as error:
                raise ImageError(str(error)) from None
    return Contents(reader.memory(), reader.named["REG"], symbols=reader.named["VALUE"], numbers=reader.named["NUMBER"])


@dataclass
class _Piece:
    """`size` bytes from address `pa` on: those from `first` on in what was read, or zeros without."""

    pa: int
    first: int | None
    size: int


class _Reader:
    """What has been read so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.named: dict[str, dict[str, int]] = {"VALUE": {}, "NUMBER": {}, "REG": {}}
        self.content = bytearray()
        self.extents: list[_Piece] = []

    def read(self, path: Path, lines: Iterable[str]) -> None:
        """Take in the lines of one file."""
        at: int | None = None
        name: tuple[str, str] | None = None
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            try:
                if text.startswith("@"):
                    at, name = self._header(text[1:].strip())
                elif text and name:
                    self._name(name, text)
                elif text and at is not None:
                    at = self._words(at, text)
                elif text:
                    raise ImageError("words before any @address")
            except ImageError as error:
                raise ImageError(f"{path}, line {number}: {error}") from None

    def _header(self, text: str) -> tuple[int | None, tuple[str, str] | None]:
        """The address, or the kind and name of a value, of the lines that follow."""
        if named := _NAMED.fullmatch(text):
            return None, ("VALUE" if named[1] == "SYMBOL" else named[1], named[2])
        if not (address := _ADDRESS.fullmatch(text)):
            raise ImageError(
                f"@{text[:40]} is not an @address in hexadecimal, @VALUE(name), @NUMBER(name) or @REG(name)"
            )
        return int(address[1], 16), None

    def _name(self, name: tuple[str, str], text: str) -> None:
        value = _ADDRESS.fullmatch(text)
        if not value:
            raise ImageError(f"{text[:40]!r} is not a value of {name[1]}, in hexadecimal of at most 64 bits")
        if name[0] == "REG" and name[1] not in REGISTERS:
            raise ImageError(f"{name[1]} is not a register of an image, which has {', '.join(REGISTERS)}")
        self.named[name[0]][name[1]] = int(value[1], 16)

    def _words(self, at: int, text: str) -> int:
        """Take in the words of a line, the first of them for address `at`; the address after them."""
        place = 0
        while place < len(text):
            match = _WORD.match(text, place)
            if not match:
                raise ImageError(
                    f"{text[place : place + 40]!r} is not a word: 16 hexadecimal digits, or any number of them after "
                    "0x, with *n to repeat it"
                )
            place = match.end()
            digits, count = match[1], int(match[2] or 1)
            step = int(match[4] or "0", 16) * (-1 if match[3] == "-" else 1)
            at += self._repeat(at, digits, count, step)
        return at

    def _repeat(self, at: int, digits: str, count: int, step: int) -> int:
        """Append a word `count` times; the bytes that it took."""
        size = 8 if digits[:2] in ("0x", "0X") else len(digits) // 2
        word = int(digits, 16)
        if not count:
            return 0
        if word == step == 0 and size == 8 and at % 8 == 0 and count >= LEAST_ZEROS:
            self.extents.append(_Piece(at, None, size * count))
            return size * count
        if size * count > limits.WORDS_AS_TEXT - len(self.content):
            raise ImageError(
                f"{size * count} bytes more: an image as text has {limits.size(limits.WORDS_AS_TEXT)} at most, "
                "besides words of zeros"
            )
        last = self.extents[-1] if self.extents else None
        if last is None or last.first is None or last.pa + last.size != at:
            self.content += bytes(-len(self.content) % 8)
            last = _Piece(at, len(self.content), 0)
            self.extents.append(last)
        if not step:
            self.content += word.to_bytes(size, "little") * count
        else:
            for first in range(0, count, AT_ONCE):
                steps = np.arange(first, min(first + AT_ONCE, count), dtype=np.uint64)
                steps = steps * np.uint64(step % (1 << 64)) + np.uint64(word)
                self.content += steps.astype(f"<u{size}").tobytes()
        last.size += size * count
        return size * count

    def memory(self) -> ReadOnlyMemory:
        """All that was read."""
        pieces = sorted(self.extents, key=lambda piece: piece.pa)
        for piece in pieces:
            if piece.pa % 8 or piece.size % 8:
                raise ImageError(f"{self.path}: {piece.size} bytes at {piece.pa:#x} are not whole words of 8 bytes")
        for piece, following in pairwise(pieces):
            if following.pa < piece.pa + piece.size:
                raise ImageError(f"{self.path} says twice what is at {following.pa:#x}")
        self.content += bytes(-len(self.content) % 8)
        words: U64 = np.frombuffer(self.content, "<u8")
        extents = [
            Extent(piece.pa, None if piece.first is None else piece.first >> 3, piece.size >> 3) for piece in pieces
        ]
        try:
            return ReadOnlyMemory(words, extents)
        except PhysicalAddressError as error:
            raise ImageError(f"{self.path}: {error}") from None
