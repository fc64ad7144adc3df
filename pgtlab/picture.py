"""Pictures as values: a few keyed shapes, which render to an SVG string or patch an SVG that is already on a page.

A `Picture` knows nothing of page tables. Each shape has a key that stays the same while its meaning does, so that a
view can update its nodes instead of replacing them. The style sheet follows JupyterLab's theme through its CSS
variables, with fallbacks where there are none; in VS Code, whose widgets get the variables of a light JupyterLab in any
theme, they are set from VS Code's own. Level colours are Okabe and Ito's, each dark enough for black text and
never the only sign of anything. Where the system forces its colours, text, lines and backgrounds have them, and only
the colours that mean something stay, with black text on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape, quoteattr

STYLE = """
.pgtlab-picture { font: 13px var(--jp-ui-font-family, system-ui, sans-serif); flex: none;
  color: var(--jp-content-font-color1, inherit); fill: currentColor; }
.pgtlab-picture .mono { font-family: var(--jp-code-font-family, ui-monospace, monospace); }
.pgtlab-picture .small { font-size: 12px; }
.pgtlab-picture .strong { font-weight: 600; }
.pgtlab-picture .start { text-anchor: start; }
.pgtlab-picture .middle { text-anchor: middle; }
.pgtlab-picture .end { text-anchor: end; }
.pgtlab-picture .on-fill { fill: #000; }
.pgtlab-picture rect { stroke: var(--jp-layout-color0, #fff); stroke-width: 1; }
.pgtlab-picture .level--1 { fill: #cc79a7; }
.pgtlab-picture .level-0 { fill: #56b4e9; }
.pgtlab-picture .level-1 { fill: #33b08d; }
.pgtlab-picture .level-2 { fill: #f0e442; }
.pgtlab-picture .level-3 { fill: #e69f00; }
.pgtlab-picture .offset { fill: #c8c8c8; }
.pgtlab-picture .unused { fill: var(--jp-layout-color2, rgba(128, 128, 128, 0.2)); }
.pgtlab-picture .edged { stroke: currentColor; stroke-opacity: 0.75; }
.pgtlab-picture .allows-nothing { fill: none; stroke: currentColor; stroke-opacity: 0.6; }
.pgtlab-picture .allows-reading { fill: #dedede; }
.pgtlab-picture .allows-executing { fill: #b8b8b8; }
.pgtlab-picture .allows-writing { fill: #8e8e8e; }
.pgtlab-picture .allows-both { fill: #e8703a; stroke: currentColor; stroke-width: 2; }
.pgtlab-picture .wrong { fill: #e8703a; }
.pgtlab-picture .outline, .pgtlab-picture .frame { fill: none; stroke: currentColor; }
.pgtlab-picture .frame { stroke-opacity: 0.4; }
.pgtlab-picture .field { fill: rgba(128, 128, 128, 0.16); }
.pgtlab-picture .field.odd { fill: rgba(128, 128, 128, 0.34); }
.pgtlab-picture .folded { fill: none; stroke: currentColor; stroke-opacity: 0.55; stroke-dasharray: 2 2; }
.pgtlab-picture .run-time { stroke: currentColor; stroke-width: 2; stroke-dasharray: 5 3; }
.pgtlab-picture .byte { fill: none; stroke: currentColor; stroke-opacity: 0.35; }
.pgtlab-picture .now { stroke: currentColor; stroke-width: 3; stroke-opacity: 1; }
.pgtlab-picture .byte.changed { fill: #ffd97a; stroke-opacity: 1; }
.pgtlab-picture .differs { stroke: #b3261e; stroke-width: 3; }
.pgtlab-picture .mark { fill: none; stroke: currentColor; stroke-width: 3; pointer-events: none; }
.pgtlab-picture .lit { fill: #ffd97a; }
.pgtlab-picture line.edge { stroke-dasharray: none; }
.pgtlab-picture .part { stroke: none; }
.pgtlab-picture .ink { fill: currentColor; }
.pgtlab-picture .cell.part-of-run { stroke-opacity: 0; }
.pgtlab-picture rect.length { stroke: currentColor; }
.pgtlab-picture .partial { fill-opacity: 0.4; stroke-opacity: 0.5; stroke-dasharray: 2 2; }
.pgtlab-picture .row { fill: none; stroke: none; }
.pgtlab-picture .row.odd { fill: rgba(128, 128, 128, 0.12); }
.pgtlab-picture .commit { fill: var(--jp-layout-color0, #fff); stroke: currentColor; rx: 4px; }
.pgtlab-picture .commit.bad { fill: #e8703a; }
.pgtlab-picture .commit.good { fill: #9bd1bd; }
.pgtlab-picture .commit.next { stroke-width: 3; }
.pgtlab-picture .commit.out { stroke-opacity: 0.4; }
.pgtlab-picture .faint { fill: var(--jp-content-font-color2, #5c5c5c); }
.pgtlab-picture .cell { fill: none; stroke: currentColor; stroke-opacity: 0.35; }
.pgtlab-picture .cell.clean { fill: #9bd1bd; }
.pgtlab-picture .cell.report { fill: #f0c05a; }
.pgtlab-picture .cell.panic { fill: #e8703a; }
.pgtlab-picture .cell.none { fill: var(--jp-layout-color2, rgba(128, 128, 128, 0.2)); }
.pgtlab-picture .cell.now { stroke-opacity: 1; }
.pgtlab-picture .cell.part-of-run:hover { stroke-width: 2; stroke-opacity: 0.7; }
.pgtlab-picture :is(.frame, .unused).selected { stroke: currentColor; stroke-width: 3; stroke-opacity: 1; }
.pgtlab-picture .cell.selected, .pgtlab-picture .cell[aria-pressed="true"] { stroke-width: 3; stroke-opacity: 1; }
.pgtlab-picture .cell.part-of-run:is(.selected, [aria-pressed="true"]):not(:hover) { stroke-opacity: 0; }
.pgtlab-picture .row.selected { fill: currentColor; }
.pgtlab-picture line { stroke: currentColor; stroke-dasharray: 3 2; }
.pgtlab-picture path { fill: none; stroke: currentColor; }
.pgtlab-picture .chain { stroke-dasharray: 4 2; }
.pgtlab-picture .elbow { stroke-opacity: 0.55; }
.pgtlab-picture .elbow.now { stroke-width: 2; stroke-opacity: 1; }
.pgtlab-picture .ghost { opacity: 0.5; }
@media (forced-colors: active) {
  .pgtlab-picture, .pgtlab-picture text { color: CanvasText; forced-color-adjust: none; }
  .pgtlab-picture .faint { fill: CanvasText; }
  .pgtlab-picture rect { stroke: CanvasText; }
  .pgtlab-picture :is(.frame, .byte, .cell, .commit) { stroke-opacity: 1; }
  .pgtlab-picture .unused, .pgtlab-picture .commit, .pgtlab-picture .cell.none { fill: Canvas; }
  .pgtlab-picture .row:not(.selected) { fill: Canvas; stroke: none; }
  .pgtlab-picture .ghost { opacity: 0.6; }
  .pgtlab-picture :is(.now, .mark, .differs, .selected) { stroke: Highlight; } }
[data-vscode-theme-kind] [class^="pgtlab-"] {
  --jp-content-font-color1: var(--vscode-editor-foreground);
  --jp-content-font-color2: color-mix(in srgb, var(--vscode-editor-foreground) 80%, var(--vscode-editor-background));
  --jp-border-color0: color-mix(in srgb, var(--vscode-editor-foreground) 60%, var(--vscode-editor-background));
  --jp-layout-color0: var(--vscode-editor-background);
  --jp-layout-color1: var(--vscode-editor-background);
  --jp-layout-color2: color-mix(in srgb, var(--vscode-editor-foreground) 12%, var(--vscode-editor-background));
  --jp-ui-font-family: var(--vscode-font-family);
  --jp-code-font-family: var(--vscode-editor-font-family); }
"""


@dataclass(frozen=True)
class Shape:
    """An SVG element: tag, attributes and text; a key that names what it shows; a hint shown under the pointer."""

    key: str
    tag: str
    attributes: Mapping[str, str | float]
    text: str = ""
    hint: str = ""

    def svg(self) -> str:
        """The element as SVG text."""
        attributes = "".join(f" {name}={quoteattr(str(value))}" for name, value in self.attributes.items())
        hint = f"<title>{escape(self.hint)}</title>" if self.hint else ""
        return f"<{self.tag}{attributes}>{hint}{escape(self.text)}</{self.tag}>"


def rect(key: str, x: float, y: float, width: float, height: float, classes: str, hint: str = "", **data: str) -> Shape:
    """A rectangle. `data` becomes `data-` attributes, which a view may act on."""
    extra = {f"data-{name}": value for name, value in data.items()}
    return Shape(key, "rect", {"x": x, "y": y, "width": width, "height": height, "class": classes, **extra}, hint=hint)


def text(
    key: str, x: float, y: float, content: str, classes: str = "middle", *, turn: float = 0, quiet: bool = False
) -> Shape:
    """A line of text on the baseline `y`, turned about its anchor by `turn` degrees.

    Screen readers skip a quiet one, which repeats what they read elsewhere.
    """
    extra = ({"transform": f"rotate({turn} {x} {y})"} if turn else {}) | ({"aria-hidden": "true"} if quiet else {})
    return Shape(key, "text", {"x": x, "y": y, "class": classes, **extra}, content)


def letters(key: str, xs: Sequence[float], y: float, content: str, classes: str) -> Shape:
    """A line of letters, each at its own `x`. Screen readers skip them."""
    return Shape(
        key, "text", {"x": " ".join(f"{x:g}" for x in xs), "y": y, "class": classes, "aria-hidden": "true"}, content
    )


def line(key: str, x1: float, y1: float, x2: float, y2: float) -> Shape:
    """A dashed leader."""
    return Shape(key, "line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2})


def solid(key: str, x1: float, y1: float, x2: float, y2: float) -> Shape:
    """A line that is not dashed."""
    return Shape(key, "line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": "edge"})


def path(key: str, points: str, classes: str, **data: str) -> Shape:
    """A line through points, written as SVG's `d`."""
    return Shape(
        key, "path", {"d": points, "class": classes, **{f"data-{name}": value for name, value in data.items()}}
    )


@dataclass(frozen=True)
class Picture:
    """Shapes on a canvas, with a title for those who see it and a description for those who do not.

    >>> print(Picture(20, 10, "A box", "One box.", (rect("box", 0, 0, 20, 10, "outline"),)).svg(style="")[:61])
    <svg xmlns="http://www.w3.org/2000/svg" class="pgtlab-picture
    """

    width: float
    height: float
    title: str
    description: str
    shapes: tuple[Shape, ...] = field(repr=False)

    def with_shapes(self, *shapes: Shape) -> Picture:
        """This picture with more shapes drawn over it."""
        return replace(self, shapes=(*self.shapes, *shapes))

    def differing(self, other: Picture) -> Picture:
        """This picture with the rectangles marked that differ from those of `other`, or are missing there.

        Frames are not compared: they are placed where there is room.

        >>> one, two = (Picture(9, 9, "", "", (rect("a", 0, 0, 1, 1, "x"), rect("b", y, 0, 1, 1, "x"))) for y in (0, 5))
        >>> [shape.attributes["class"] for shape in one.differing(two).shapes]
        ['x', 'x differs']
        """
        others = {shape.key: shape.attributes for shape in other.shapes}

        def marked(shape: Shape) -> Shape:
            if shape.tag != "rect" or shape.attributes["class"] == "frame" or others.get(shape.key) == shape.attributes:
                return shape
            return replace(shape, attributes={**shape.attributes, "class": f"{shape.attributes['class']} differs"})

        return replace(self, shapes=tuple(map(marked, self.shapes)))

    def svg(self, style: str = STYLE) -> str:
        """The picture as one SVG element."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="pgtlab-picture" role="img" '
            f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}">'
            f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>"
            f"<style>{escape(style)}</style>{''.join(shape.svg() for shape in self.shapes)}</svg>"
        )

    def spec(self) -> dict[str, object]:
        """The picture as plain data, for a view that patches nodes by key; empty values are left out."""
        return {
            "width": self.width,
            "height": self.height,
            "title": self.title,
            "description": self.description,
            "shapes": [
                {name: value for name, value in vars(shape).items() if value or name == "attributes"}
                for shape in self.shapes
            ],
        }

    def mimebundle(self, plain: str) -> dict[str, str]:
        """What a notebook shows: inline SVG, which follows the theme, with an SVG image and text to fall back on."""
        svg = self.svg()
        return {"text/plain": plain, "text/html": svg, "image/svg+xml": svg}
