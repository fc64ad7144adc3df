"""Cells and pages take turns: what one does to a view is complete before the other begins.

JupyterLab has messages from the page handled in a thread of their own while a cell runs in the main thread. There is
one lock for all views, because a view may draw others, such as those that follow the fold lab: with a lock for each,
two threads could wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, TypeVar, cast

TURN = RLock()

F = TypeVar("F", bound=Callable[..., Any])


def in_turn(method: F) -> F:
    """Return the method as one that waits for its turn, and keeps it until it returns."""

    @wraps(method)
    def waiting(*given: Any, **named: Any) -> Any:
        with TURN:
            return method(*given, **named)

    return cast(F, waiting)
