"""What a message from a learner's process may say, and what is made of it: its sender may have meant any harm."""

from __future__ import annotations

import inspect
from typing import Any


def array(items: Any) -> Any:
    """An array of numbers; of anything else, one of objects: texts in it would all take as much room as the longest."""
    import numpy as np

    objects = np.array(items, dtype=object)
    return np.array(items) if all(type(each) in (bool, int, float) for each in objects.flat) else objects


def clean(text: object, longest: int) -> str:
    """The first line of a text, in characters that can be printed."""
    lines = text.strip().splitlines() if isinstance(text, str) else []
    return lines[0][:longest].encode(errors="replace").decode() if lines else ""


def is_index(number: object) -> bool:
    """Whether it can be the number of an object."""
    return type(number) is int and number >= 0


def is_line(number: object) -> bool:
    """Whether it can be the number of a line."""
    return type(number) is int and 0 < number < 1 << 20


def index(number: Any) -> int:
    """The number of an object."""
    if not is_index(number):
        raise ValueError("not the number of an object")
    return int(number)


def signature(parameters: Any) -> inspect.Signature:
    """The signature of a learner's function, from plain data. A default value is not known here, but that it exists."""
    kinds = list(inspect._ParameterKind)
    return inspect.Signature(
        [
            inspect.Parameter(name, kinds[kind], default=... if optional else inspect.Parameter.empty)
            for name, kind, optional in parameters
        ]
    )
