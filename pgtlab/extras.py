"""Packages that come with an extra: what is missing is named, with the extra that brings it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: The packages that pgtlab imports and does not always bring, with the extra of `pyproject.toml` that does.
EXTRAS: Final = {
    **dict.fromkeys(("anywidget", "ipykernel", "ipywidgets", "jupyterlab", "jupytext"), "lab"),
    **dict.fromkeys(("markdown_it", "nbformat", "traitlets"), "lab"),
    **dict.fromkeys(("matplotlib", "resvg_py"), "plot"),
    "distributed": "dask",
    "numba": "fast",
    "capstone": "oops",
    **dict.fromkeys(("cramjam", "drgn", "elftools", "lzallright", "zstandard"), "images"),
}


class MissingExtra(ImportError):
    """A package is not installed, and its name and what needs it are all that there is to say."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [str(self)]


@contextmanager
def needed_by(what: str) -> Iterator[None]:
    """Say, where an import fails, that `what` needs the package, and how to install it.

    Raises
    ------
    MissingExtra
        If numpy or a package of `EXTRAS` is not installed.

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
        if package not in EXTRAS and package != "numpy":
            raise
        raise MissingExtra(f"{what} needs {package}{_remedy(package)}") from None


def _remedy(package: str) -> str:
    if sys.platform == "emscripten":
        return ", which this browser edition does not have"
    if package == "drgn" and sys.platform != "linux":
        return ", which runs on Linux: there, `Image.open(...).save(...)` writes an .npz that needs nothing"
    return f": pip install 'pgtlab[{EXTRAS[package]}]'" if package in EXTRAS else f": pip install {package}"
