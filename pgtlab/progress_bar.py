"""Progress bars: those of tqdm, or none where it is not installed."""

from __future__ import annotations

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


__all__ = ["tqdm"]
