"""Traces: the virtual addresses that a program uses, one after the other, as arrays of uint64.

The functions here make traces, always the same one from the same arguments. `KINDS` has them by name. Each visits
`size` bytes from `base` on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pgtlab import limits
from pgtlab.arch.word import MASK64

U64 = NDArray[np.uint64]
LINE: Final = 64  # bytes in a cache line of most cores
_AT_ONCE = 1 << 20  # random numbers in flight, so that a long trace needs little memory besides itself


class TraceError(ValueError):
    """A trace that cannot be made or read."""


def strided(base: int, size: int, accesses: int, *, stride: int = 4096, seed: int = 0) -> U64:
    """Every `stride` bytes of the area, and at its end from the beginning again.

    All kinds take a `seed`; this one ignores it.

    >>> [hex(va) for va in strided(0x1000, 0x3000, 4)]
    ['0x1000', '0x2000', '0x3000', '0x1000']

    Raises
    ------
    TraceError
        Where an argument is out of range.
    """
    _check(base, size, accesses, stride, "stride")
    turn = _places(size, stride)
    trace = np.arange(accesses, dtype=np.uint64)
    trace %= np.uint64(turn)
    trace *= np.uint64(stride)
    trace += np.uint64(base)
    return trace


def sequential(base: int, size: int, accesses: int, *, step: int = 8, seed: int = 0) -> U64:
    """One word of `step` bytes after the other, as in a loop over an array, and at the end from the beginning again.

    >>> [hex(va) for va in sequential(0x1000, 0x1000, 3)]
    ['0x1000', '0x1008', '0x1010']
    """
    _check(base, size, accesses, step, "step")
    return strided(base, size, accesses, stride=step)


def uniform(base: int, size: int, accesses: int, *, step: int = 8, seed: int = 0) -> U64:
    """Random words of the area, all equally likely, as in a large hash table.

    >>> np.array_equal(uniform(0, 1 << 20, 100, seed=1), uniform(0, 1 << 20, 100, seed=1))
    True
    """
    _check(base, size, accesses, step, "step")
    draw = np.random.default_rng(seed)
    trace: U64 = draw.integers(0, _places(size, step), accesses, np.uint64)
    trace *= np.uint64(step)
    trace += np.uint64(base)
    return trace


def chase(base: int, size: int, accesses: int, *, step: int = LINE, seed: int = 0) -> U64:
    """A chain of pointers: each piece of `step` bytes, by default a cache line, leads to the next, in one random cycle.

    >>> sorted(chase(0x1000, 256, 4).tolist()) == [0x1000, 0x1040, 0x1080, 0x10c0]
    True
    """
    _check(base, size, accesses, step, "step")
    # To follow a cycle through all places, each cycle as likely, is to visit them in one random order again and again.
    order = np.random.default_rng(seed).permutation(_places(size, step)).astype(np.uint64)
    order *= np.uint64(step)
    order += np.uint64(base)
    return np.resize(order, accesses)


def zipf(base: int, size: int, accesses: int, *, step: int = 4096, exponent: float = 1.0, seed: int = 0) -> U64:
    """Some pages much more often than others: the page of rank k in proportion to k ** -exponent.

    The ranks are spread over the area at random, `step` bytes each.

    >>> trace = zipf(0, 1 << 20, 1000, exponent=1.2)
    >>> bool(np.unique(trace, return_counts=True)[1].max() > 1000 / 256 * 10)
    True
    """
    _check(base, size, accesses, step, "step")
    if not 0 <= exponent < 100:
        raise TraceError(
            f"exponent={exponent}: from 0, all alike, to less than 100; did you mean {min(max(exponent, 0), 99)}?"
        )
    draw = np.random.default_rng(seed)
    places = _places(size, step)
    upto = np.cumsum(np.arange(1, places + 1, dtype=np.float64) ** -exponent)
    where = draw.permutation(places).astype(np.uint64) * np.uint64(step) + np.uint64(base)
    trace = np.empty(accesses, np.uint64)
    for start in range(0, accesses, _AT_ONCE):
        piece = trace[start : start + _AT_ONCE]
        rank = np.searchsorted(upto, draw.random(len(piece)) * upto[-1], side="right")
        np.take(where, rank, out=piece)
    return trace


KINDS: Final[dict[str, Callable[..., U64]]] = {
    "sequential": sequential,
    "strided": strided,
    "uniform": uniform,
    "chase": chase,
    "zipf": zipf,
}


def trace(kind: str, base: int, size: int, accesses: int, seed: int = 0) -> U64:
    """A trace by the name of its kind.

    >>> len(trace("zipf", 0x10_0000, 1 << 20, 10))
    10

    Raises
    ------
    TraceError
        Where no kind has that name, or an argument is out of range.
    """
    if kind not in KINDS:
        raise TraceError(f"{kind!r} is not a kind of trace: there are {', '.join(KINDS)}")
    return KINDS[kind](base, size, accesses, seed=seed)


def _places(size: int, step: int) -> int:
    return -(-size // step)


def _check(base: int, size: int, accesses: int, step: int, name: str) -> None:
    for what, value, least in ("size", size, 1), ("accesses", accesses, 0), (name, step, 1):
        if value < least:
            raise TraceError(f"{what}={value}: it must be at least {least}")
    if accesses > limits.TRACE_MADE:
        raise TraceError(
            f"accesses={accesses}: a trace is an array in memory, of {limits.TRACE_MADE} addresses at most"
        )
    if not 0 <= base < 1 << 64:
        raise TraceError(f"base={base:#x} is not a 64-bit address; did you mean {min(max(base, 0), MASK64):#x}?")
    if base + size > 1 << 64:
        raise TraceError(
            f"{size:#x} bytes from {base:#x} on leave 64 bits of address; did you mean size={(1 << 64) - base:#x}?"
        )
