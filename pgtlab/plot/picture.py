"""A picture as PNG, for slides and for programs that show no SVG: the same shapes, drawn by matplotlib."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pgtlab.picture import STYLE, Picture, Shape

DPI: Final = 100  # one pixel of the picture is one pixel of the PNG at scale 1
_POINT: Final = 72 / DPI
_INK, _PAPER = "#1a1a1a", "#ffffff"
_ANCHOR: Final = {"start": "left", "middle": "center", "end": "right"}


def png(picture: Picture, scale: float = 2) -> bytes:
    """Draw a picture as a PNG, in the colours of the light theme.

    Parameters
    ----------
    picture : Picture
        What to draw.
    scale : float
        Pixels of the PNG for each of the picture.

    Examples
    --------
    >>> from pgtlab.picture import rect
    >>> png(Picture(20, 10, "A box", "One box.", (rect("box", 1, 1, 18, 8, "level-1"),)))[1:4]
    b'PNG'
    """
    figure = Figure(figsize=(picture.width / DPI, picture.height / DPI), dpi=DPI, facecolor=_PAPER)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, picture.width), ylim=(picture.height, 0))
    axes.axis("off")
    for order, shape in enumerate(picture.shapes):
        _draw(axes, shape, style_of(shape), order)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=DPI * scale)
    return png.getvalue()


def style_of(shape: Shape) -> dict[str, str]:
    """What the style sheet says of a shape, for the theme that a page without one has.

    >>> from pgtlab.picture import rect
    >>> style_of(rect("box", 0, 0, 1, 1, "level-0"))["fill"]
    '#56b4e9'
    """
    own = {shape.tag, *(f".{name}" for name in str(shape.attributes.get("class", "")).split())}
    style: dict[str, str] = {}
    for parts, declarations in _rules():
        if parts <= own:
            style |= declarations
    return style


@cache
def _rules() -> tuple[tuple[frozenset[str], dict[str, str]], ...]:
    """The style sheet's rules for shapes, the less special first: the tag and the classes that each asks for."""
    rules = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"@media.*", "", STYLE)):
        declarations = {}
        for declaration in filter(str.strip, body.split(";")):
            name, value = declaration.split(":", 1)
            declarations[name.strip()] = re.sub(r"var\(--[\w-]+,\s*(.*)\)$", r"\1", value.strip())
        inner = selectors.replace(".pgtlab-picture", "").strip()
        for selector in re.sub(r"^:is\((.*)\)$", r"\1", inner).split(","):
            if "[" not in selector and selector.strip():
                rules.append((frozenset(re.findall(r"\.?[\w-]+", selector)), declarations))
    return tuple(sorted(rules, key=lambda rule: sum(2 if part[0] == "." else 1 for part in rule[0])))


def _draw(axes: Any, shape: Shape, style: dict[str, str], order: int) -> None:
    a: Mapping[str, Any] = shape.attributes
    if shape.tag == "text":
        _write(axes, shape, style, order)
    elif shape.tag == "line":
        axes.plot([a["x1"], a["x2"]], [a["y1"], a["y2"]], zorder=order, **_stroke(style))
    else:
        fill = _colour(style.get("fill", "currentColor"))
        stroke = _stroke(style) if "stroke" in style else {"color": "none"}
        edge = {"edgecolor": stroke.pop("color"), "zorder": order, **stroke}
        axes.add_patch(Rectangle((a["x"], a["y"]), a["width"], a["height"], facecolor=fill, **edge))


def _write(axes: Any, shape: Shape, style: dict[str, str], order: int) -> None:
    a: Mapping[str, Any] = shape.attributes
    xs = [float(x) for x in str(a["x"]).split()]
    turn = re.match(r"rotate\((-?[\d.]+)", str(a.get("transform", "")))
    for x, content in zip(xs, shape.text, strict=True) if len(xs) > 1 else [(xs[0], shape.text)]:
        axes.text(
            x,
            a["y"],
            content.replace("$", r"\$"),
            size=float(style.get("font-size", "12px").removesuffix("px")) * _POINT,
            family="monospace" if "mono" in style.get("font-family", "") else "sans-serif",
            weight="bold" if style.get("font-weight") == "600" else "normal",
            color=_colour(style.get("fill", "currentColor")),
            ha=_ANCHOR[style.get("text-anchor", "start")],
            va="baseline",
            rotation=-float(turn[1]) if turn else 0,
            rotation_mode="anchor",
            zorder=order,
        )


def _stroke(style: dict[str, str]) -> dict[str, Any]:
    width = float(style.get("stroke-width", "1").removesuffix("px")) * _POINT
    dashes = style.get("stroke-dasharray", "none")
    pattern = "-" if dashes == "none" else (0, tuple(float(dash) / max(width, 0.1) * _POINT for dash in dashes.split()))
    alpha = float(style.get("stroke-opacity", "1"))
    return {"color": (_colour(style["stroke"]), alpha), "linewidth": width, "linestyle": pattern}


def _colour(value: str) -> Any:
    if value in ("currentColor", "inherit"):
        return _INK
    if value.startswith("rgba("):
        *rgb, alpha = (float(part) for part in value[5:-1].split(","))
        return (*(part / 255 for part in rgb), alpha)
    return value
