"""Packages that come with an extra: what is missing is named, with the extra that brings it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: The packages that pgtlab imports and does not always bring, with the extra of `pyproject.toml` that does.
EXTRAS: Final = {
    **dict.fromkeys(("anywidget", "ipykernel", "ipywidgets", "jupyterlab", "jupytext"), "lab"),
    **dict.fromkeys(("markdown_it", "nbformat", "traitlets"), "lab"),
    **dict.fromkeys(("matplotlib", "resvg_py"), "plot"),
    "numba": "fast",
    "capstone": "oops",
    "elftools": "images",
}


class MissingExtra(ImportError):
    """A package that an extra would bring is not installed."""


@contextmanager
def needed_by(what: str) -> Iterator[None]:
    """Say, where an import fails, which extra brings the package that `what` needs.

    Raises
    ------
    MissingExtra
        If a package of `EXTRAS` is not installed.

    Examples
    --------
    >>> with needed_by("a chart"):
    ...     raise ModuleNotFoundError(name="matplotlib.pyplot")
    Traceback (most recent call last):
        ...
    pgtlab.extras.MissingExtra: a chart needs matplotlib: pip install 'pgtlab[plot]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package not in EXTRAS:
            raise
        raise MissingExtra(f"{what} needs {package}: pip install 'pgtlab[{EXTRAS[package]}]'") from None
