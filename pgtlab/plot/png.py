"""A picture as PNG, for slides and for programs that do not show SVG: drawn by resvg, with the fonts of matplotlib."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pgtlab.extras import needed_by
from pgtlab.picture import STYLE, Picture

#: `var(--name, fallback)`, which resvg does not read.
_VARIABLE: Final = re.compile(r"var\((--[\w-]+),\s*((?:[^()]|\([^()]*\))*)\)")

#: JupyterLab's variables that the style sheet follows, as they are on a dark page.
_DARK: Final = {
    "--jp-content-font-color1": "#fff",
    "--jp-content-font-color2": "#c8c8c8",
    "--jp-layout-color0": "#111",
    "--jp-layout-color2": "#424242",
}


def fixed_style(*, dark: bool = False) -> str:
    """The style sheet of pictures with the colours of one theme instead of variables, for a file of its own.

    >>> "var(" in fixed_style(dark=True)
    False
    """
    sheet = STYLE.partition("[data-vscode-theme-kind]")[0]  # what follows sets the variables from those of an editor
    return _VARIABLE.sub(lambda match: _DARK.get(match[1], match[2]) if dark else match[2], sheet)


def png(picture: Picture, scale: float = 2, *, dark: bool = False) -> bytes:
    """Draw a picture as a PNG, in the colours of the light theme, or of the dark one.

    Parameters
    ----------
    picture : Picture
        What to draw.
    scale : float
        Pixels of the PNG for each of the picture.
    dark : bool
        White on black, for a dark page.

    Raises
    ------
    MissingExtra
        Where resvg-py or matplotlib is not installed.

    Examples
    --------
    >>> from pgtlab.picture import rect
    >>> png(Picture(20, 10, "A box", "One box.", (rect("box", 1, 1, 18, 8, "level-1"),)))[1:4]
    b'PNG'
    """
    with needed_by("a PNG"):
        import matplotlib
        import resvg_py
    return resvg_py.svg_to_bytes(
        svg_string=picture.svg(fixed_style(dark=dark)),
        zoom=scale,
        background="#111" if dark else "white",
        skip_system_fonts=True,  # so that the letters are the same on every machine
        font_dirs=[str(Path(matplotlib.get_data_path(), "fonts", "ttf"))],
        font_family="DejaVu Sans",
        sans_serif_family="DejaVu Sans",
        monospace_family="DejaVu Sans Mono",
    )
