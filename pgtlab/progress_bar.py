"""Progress bars: those of tqdm, or none where it is not installed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

try:
    from tqdm import tqdm
except ModuleNotFoundError:

    class tqdm:  # type: ignore[no-redef]
        """A bar that is not shown.

        >>> with tqdm(unit=" tables") as bar:
        ...     bar.update(3)
        """

        write = staticmethod(print)

        def __init__(self, **options: object) -> None:
            pass

        def __enter__(self) -> tqdm:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def update(self, count: int = 1) -> None:
            """Count what is done."""


def in_a_notebook() -> bool:
    """Whether this process is the kernel of a notebook; that it has loaded IPython says little.

    >>> in_a_notebook()
    False
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


PATIENCE: Final = 2.0  # seconds without a sign


@contextmanager
def counted(total: int, unit: str, *, shown: bool = True) -> Iterator[Callable[[], object]]:
    """Show how much of some work is done, if it takes longer than a moment; give what counts one part as done.

    In a terminal the bar is there after a second. In a notebook it also moves while one part takes long, such as the
    first, for which code is compiled.

    >>> with counted(2, " runs", shown=False) as done:
    ...     done()
    """
    if not shown or not in_a_notebook():
        with tqdm(total=total, unit=unit, delay=1, disable=None if shown else True) as bar:
            yield bar.update
        return
    parts: list[None] = []
    over = threading.Event()

    def show() -> None:
        if over.wait(PATIENCE):
            return
        with tqdm(total=total, unit=unit, leave=False, file=sys.stdout, desc="counting") as bar:
            while not over.wait(PATIENCE / 4):
                bar.n = len(parts)
                bar.refresh()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield lambda: parts.append(None)
    finally:
        over.set()
        thread.join()


__all__ = ["counted", "in_a_notebook", "tqdm"]
