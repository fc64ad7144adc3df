"""How values travel from a learner's process: as JSON, so that reading them runs nothing.

What has no JSON of its own is an object with one key, the name of its type. This module imports nothing of pgtlab: the
learner's process reads it too.
"""

from __future__ import annotations

import base64
import builtins
import json
import struct
from collections.abc import Callable
from typing import Any, Protocol

# What follows does not notice when a learner's code replaces some of them.
globals()["__builtins__"] = dict(vars(builtins))
LARGEST = 1 << 24  # bytes of one message from a learner's process
ITEMS = 1_000_000  # and numbers, texts and so on in it
KEYS = 4096  # of a set or a dictionary: with chosen hashes, its time grows with their square
PRINTED = 100_000  # characters that a learner's code may print
_LENGTH = struct.Struct(">I")


class WireError(ValueError):
    """A message that is not one, or a value that cannot travel."""


class Reads(Protocol):
    """What messages are read from."""

    def read(self, length: int, /) -> bytes: ...


class Writes(Protocol):
    """What messages are written to."""

    def write(self, data: bytes, /) -> object: ...
    def flush(self) -> None: ...


class Unusable:
    """What stands for a value that is not plain data: only the name of its type is known."""

    def __repr__(self) -> str:
        return f"<an object of the type {type(self).__name__}>"


def unusable(kind: str) -> Unusable:
    """Something that has no more than the name of a type.

    >>> unusable("generator")
    <an object of the type generator>
    """
    made: Unusable = type(kind, (Unusable,), {})()
    return made


def write_frame(stream: Writes, data: bytes) -> None:
    """Write one message with its length before it."""
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read_frame(stream: Reads, largest: int | None = None) -> bytes:
    """Read one message.

    Raises
    ------
    EOFError
        If the other side has closed the stream.
    WireError
        If the message is longer than `largest` bytes.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    [length] = _LENGTH.unpack(head)
    if largest is not None and length > largest:
        raise WireError(f"a message of {length} bytes, and {largest} are the most")
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def encode(value: object, other: Callable[[object], dict[str, object]]) -> Any:
    """Turn a value into what JSON has; `other` encodes what is not plain data.

    Only exact types count as plain data, so that no method of a learner's class runs.

    >>> encode((1, {2: b"x"}), lambda value: {"unusable": type(value).__name__})
    {'tuple': [1, {'dict': [[2, {'bytes': 'eA=='}]]}]}
    """
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return value if -(1 << 64) < value < 1 << 64 else {"int": hex(value)}  # type: ignore[operator, arg-type]
    if kind is float:
        return {"float": float.hex(value)}  # type: ignore[arg-type]  # JSON has no infinity
    if kind in (tuple, list, set, frozenset):
        return {kind.__name__: [encode(item, other) for item in value]}  # type: ignore[attr-defined]
    if kind is dict:
        return {"dict": [[encode(key, other), encode(item, other)] for key, item in value.items()]}  # type: ignore[attr-defined]
    if kind in (bytes, bytearray):
        return {"bytes": base64.b64encode(value).decode()}  # type: ignore[arg-type]
    return other(value)


def decode(data: Any, other: Callable[[str, Any], object]) -> Any:
    """The value that `encode` was given; `other` decodes what is not plain data.

    >>> decode({"tuple": [1, {"dict": [[2, {"bytes": "eA=="}]]}]}, lambda kind, value: Unusable(value))
    (1, {2: b'x'})
    """
    if not isinstance(data, dict):
        if isinstance(data, (list, float)):
            raise WireError("a list or a float that does not say its type")
        return data
    [(kind, content)] = data.items()
    if kind == "int":
        return int(content, 16)
    if kind == "float":
        return float.fromhex(content)
    if kind in ("set", "frozenset", "dict") and len(content) > KEYS:
        return unusable(f"{kind} of {len(content)} entries, more than {KEYS},")
    if kind in ("tuple", "list", "set", "frozenset"):
        items = [decode(item, other) for item in content]
        return {"tuple": tuple, "list": list, "set": set, "frozenset": frozenset}[kind](items)
    if kind == "dict":
        return {decode(key, other): decode(item, other) for key, item in content}
    if kind == "bytes":
        return base64.b64decode(content)
    return other(kind, content)


def too_large(data: bytes) -> bool:
    """Whether a message has more bytes or items than a learner's process may send."""
    return len(data) > LARGEST or data.count(b",") > ITEMS


def to_json(message: object) -> bytes:
    """A message as bytes."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()


def from_json(data: bytes) -> Any:
    """A message from bytes that nobody vouches for.

    Raises
    ------
    WireError
        If they are not JSON, or have too many items.
    """
    if too_large(data):
        raise WireError("a message that is too large")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise WireError("a message that is not JSON") from error
