"""Compiles loops with numba, and keeps what was compiled for the next process where that is possible.

numba refuses to begin where it finds no folder to keep it in: an installation that cannot be written, and no home. It
also fails over a cache that is damaged, or that a full disk has no room for. None of these is a reason not to run.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F | None = None, **options: Any) -> Any:
    """Compile a function when it is first called, as numba's `njit` does.

    >>> @compiled
    ... def twice(number):
    ...     return 2 * number
    >>> twice(21)
    42
    """
    if function is None:
        return lambda function: compiled(function, **options)
    try:
        made: Any = njit(cache=True, **options)(function)
    except RuntimeError:  # no locator available for the file
        return njit(**options)(function)
    cache = made._cache
    cache.load_overload = _or_without(cache.load_overload, cache)
    cache.save_overload = _or_without(cache.save_overload, cache)
    return made


def _or_without(use: Callable[..., Any], cache: Any) -> Callable[..., Any]:
    """Use the cache, or where that fails begin a new one, and go on without it."""

    def used(*args: Any) -> Any:
        try:
            return use(*args)
        except Exception:
            with suppress(Exception):
                cache.flush()
            return None

    return used
