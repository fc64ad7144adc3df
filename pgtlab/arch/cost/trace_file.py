"""Reads traces from files: text with one address a line, or a numpy array, either compressed with gzip or not."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np
from numpy.typing import NDArray

from pgtlab import limits
from pgtlab.arch.array_file import MAGIC, ArrayFileError, read_array
from pgtlab.arch.cost.trace import U64, TraceError
from pgtlab.arch.word import MASK64

_GZIP, _BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
_BLOCK: Final = 1 << 22  # bytes of text that are read at a time
_LINE: Final = re.compile(rb"[ \t\r]*(?:0[xX]0*([0-9a-fA-F]{1,16})|0*([0-9]{1,20}))?[ \t\r]*(?:#.*)?", re.DOTALL)
_RULE: Final = "a line has one whole number of 64 bits, 0x and hex digits or decimal, or a # comment"


def read_trace(path: str | Path) -> U64:
    """A trace from a file, which its content says how to read: text or a `.npy` array, compressed with gzip or not.

    Text has one address a line, hex with `0x` or decimal; `#` begins a comment, and lines may be blank.
    `pgtlab.limits` says how many addresses.

    Raises
    ------
    TraceError
        Where the file is not a trace: names the line, what it holds, the rule and what was probably meant.
    OSError
        Where the file cannot be read.
    """
    path = Path(path)
    with limits.naming(path), open(path, "rb") as file:
        return trace_from(file, path.name)


def trace_from(file: BinaryIO, name: str) -> U64:
    """A trace from an open file, which may be a pipe, as `read_trace` reads it; `name` is for messages."""
    start = file.read(len(_GZIP))
    whole = cast(BinaryIO, _Joined(start, file))
    if start != _GZIP:
        return _read(whole, name)
    try:
        with gzip.open(whole) as unpacked:
            return _read(cast(BinaryIO, unpacked), name)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TraceError(f"{name}: the gzip stream is damaged ({error}): compress the trace again") from None


class _Joined:
    """What was read of a file already, and then the rest of it: a pipe cannot go back to its beginning."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self.start, self.rest = start, rest

    def read(self, size: int) -> bytes:
        """As many bytes, or all that are left."""
        start, self.start = self.start[:size], self.start[size:]
        return start + self.rest.read(size - len(start)) if len(start) < size else start


def _read(file: BinaryIO, name: str) -> U64:
    start = file.read(len(MAGIC))
    whole = cast(BinaryIO, _Joined(start, file))
    trace = _from_array(whole, name) if start == MAGIC else _from_text(whole, name)
    if not len(trace):
        raise TraceError(f"{name} has no address in it: the shortest trace has one")
    return trace


def _from_array(file: BinaryIO, name: str) -> U64:
    try:
        array = read_array(file, 8 * limits.TRACE)
    except ArrayFileError as error:
        raise TraceError(f"{name} is not a whole .npy file of numbers ({error}): save it with numpy.save()") from None
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TraceError(
            f"{name} holds an array of {array.dtype} with {array.ndim} dimensions: a trace has one dimension; "
            "did you mean .ravel().astype(numpy.uint64)?"
        )
    if array.dtype.kind == "i" and (negative := np.flatnonzero(array < 0)).size:
        where = int(negative[0])
        value = int(array[where])
        raise TraceError(
            f"{name}, element {where}: {value} is negative, and addresses are not; did you mean "
            f"{value & MASK64:#x}, as .view(numpy.uint64) reads it?"
        )
    if len(array) > limits.TRACE:
        raise TraceError(_too_long(name))
    return cast(U64, array.astype(np.uint64, copy=False))


def _from_text(file: BinaryIO, name: str) -> U64:
    parse = _parser()
    pieces: list[U64] = []
    numbers = np.empty(_BLOCK, np.uint64)  # more than lines can be, since the shortest has two bytes
    lines, addresses, bytes_read, unread = 0, 0, 0, b""
    while True:
        block = file.read(_BLOCK)
        text = unread + (block or b"\n")
        if not bytes_read:
            text = text.removeprefix(_BOM)
        bytes_read += len(block)
        whole = text.rfind(b"\n") + 1
        if not whole and len(text) >= _BLOCK:
            raise TraceError(f"{name}, line {lines + 1} has more than {_BLOCK} bytes: {_RULE}")
        count, read, wrong = parse(np.frombuffer(text, np.uint8, whole), numbers)
        if wrong >= 0:
            raise TraceError(_refusal(name, lines + read + 1, text[wrong : text.index(b"\n", wrong)]))
        pieces.append(numbers[:count].copy())
        lines, addresses, unread = lines + read, addresses + count, text[whole:]
        if addresses > limits.TRACE or bytes_read > limits.TRACE_AS_TEXT:
            raise TraceError(_too_long(name))
        if not block:
            return _joined(pieces, addresses)


def _joined(pieces: list[U64], addresses: int) -> U64:
    """The pieces one after the other; each leaves memory as soon as it is copied."""
    trace = np.empty(addresses, np.uint64)
    while pieces:
        piece = pieces.pop()
        addresses -= len(piece)
        trace[addresses : addresses + len(piece)] = piece
    return trace


def _too_long(name: str) -> str:
    return (
        f"{name} has more than {limits.TRACE} addresses, or {limits.size(limits.TRACE_AS_TEXT)} of text, which is the "
        "most that is read: take a part of it"
    )


def _parser() -> Callable[[NDArray[np.uint8], U64], tuple[int, int, int]]:
    """The compiled `parse`, or without numba the same in Python."""
    try:
        from pgtlab.arch.cost.trace_lines import parse
    except ModuleNotFoundError as error:
        if error.name != "numba":
            raise
        return _parse
    return cast("Callable[[NDArray[np.uint8], U64], tuple[int, int, int]]", parse)


def _parse(text: NDArray[np.uint8], numbers: U64) -> tuple[int, int, int]:
    lines = text.tobytes().split(b"\n")[:-1]
    count = begin = 0
    for number, line in enumerate(lines):
        match = _LINE.fullmatch(line)
        if match is None or int(match[2] or 0) > MASK64:
            return count, number, begin
        if match[1] or match[2]:
            numbers[count] = int(match[2]) if match[2] else int(match[1], 16)
            count += 1
        begin += len(line) + 1
    return count, len(lines), -1


def _refusal(name: str, line: int, content: bytes) -> str:
    text = content.decode("ascii", "replace").strip()
    shown = text if len(text) <= 40 else text[:37] + "..."
    return f"{name}, line {line}: {shown!r} is not an address: {_RULE}; did you mean {_nearest(shown)}?"


def _nearest(text: str) -> str:
    """What may have been meant.

    >>> _nearest("ffff800012345678"), _nearest("0x1000 0x2000"), _nearest("-8"), _nearest("1" * 30), _nearest("heap")
    ('0xffff800012345678', '0x1000', '0x0', '0xffffffffffffffff', 'a comment, # heap')
    """
    if match := re.match(r"(-)?(0[xX])?([0-9a-fA-F_]*[0-9a-fA-F])\b", text):
        sign, prefix, digits = match.groups()
        decimal = not prefix and digits.replace("_", "").isdigit()
        value = int(digits.replace("_", ""), 10 if decimal else 16)
        return f"{0 if sign else min(value, MASK64):#x}"
    return f"a comment, # {text}"
