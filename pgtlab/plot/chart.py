"""A chart that a notebook shows as SVG: it follows the page's theme, has its numbers as text, and prints."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from xml.sax.saxutils import escape

from pgtlab.extras import needed_by

# On a slow machine matplotlib says that it looks for fonts: nothing that a reader of charts can act on.
logging.getLogger("matplotlib.font_manager").addFilter(lambda record: "font cache" not in record.getMessage())

with needed_by("a chart"):
    import matplotlib
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

INK: Final = "#010203"  # stands for the colour of the page's text
GRID: Final = (0.5, 0.5, 0.5, 0.4)  # seen on white and on black
PRINTED: Final = "@media print { .pgtlab-chart { max-width: 100%; height: auto; } }"
SMALL: Final = 9  # points: 12 pixels of the page
_COLOURED: Final = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
_STYLE: Final[dict[Any, Any]] = {
    "font.size": SMALL,
    "axes.titlesize": SMALL,
    "legend.fontsize": SMALL,
    **dict.fromkeys(_COLOURED, INK),
}
_SAVED: Final[dict[Any, Any]] = {"svg.fonttype": "none", "svg.hashsalt": "pgtlab"}


class Chart(Figure):
    """A matplotlib figure with a title and the numbers that it shows, as text.

    Attributes
    ----------
    alt : str
        The title in the first line, and a line for each row of numbers.
    """

    alt = ""

    def svg(self) -> str:
        """The chart as an SVG element whose letters and lines have the colour of the text around it."""
        file = io.StringIO()
        with matplotlib.rc_context(_SAVED):
            self.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        drawn = re.sub(r"^.*?(?=<svg)|<metadata>.*?</metadata>", "", file.getvalue(), flags=re.S)
        title, _, numbers = self.alt.partition("\n")
        named = f"<title>{escape(title)}</title><desc>{escape(numbers)}</desc><style>{PRINTED}</style>"
        attributes = 'role="img" class="pgtlab-chart" style="color: var(--jp-content-font-color1, inherit)"'
        return re.sub(r"<svg ([^>]*)>", rf"<svg {attributes} \1>{named}", drawn.replace(INK, "currentColor"), count=1)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        svg = self.svg()
        return {"text/plain": self.alt, "text/html": svg, "image/svg+xml": svg}


def new_chart(**size: Any) -> Chart:
    """A chart without axes; the keywords are those of a figure."""
    figure = plt.figure(FigureClass=Chart, layout="constrained", **size)
    plt.close(figure)  # otherwise a notebook shows it twice, when it is made and when it is returned
    assert isinstance(figure, Chart)
    return figure


@contextmanager
def styled() -> Iterator[None]:
    """Letters and lines in `INK`, and letters of 12 pixels, for what is drawn inside."""
    with matplotlib.rc_context(_STYLE):
        yield
