"""A picture as PNG: the shapes are where they are in the SVG, in the colours of the style sheet."""

import io
import re
import sys

import matplotlib.image
import pytest

from pgtlab import CPU, Config, boot
from pgtlab.linux.address_picture import address_picture
from pgtlab.linux.decompose import decompose
from pgtlab.picture import STYLE, Picture, line, rect, text
from pgtlab.plot.png import png

SCALE = 2


def pixels(picture: Picture):
    return matplotlib.image.imread(io.BytesIO(png(picture, SCALE)), format="png")


def colour(image, x, y):
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in image[round(y * SCALE), round(x * SCALE)][:3])


def box(classes):
    """The pixels of one rectangle, from 10 to 30, in a picture of 40 by 40."""
    return pixels(Picture(40, 40, "", "", (rect("box", 10, 10, 20, 20, classes),)))


def test_boxes_have_the_colours_of_the_style_sheet():
    picture = address_picture(decompose(0xFFFF_8000_0123_4567, boot(Config("16k", 52), CPU.named("max"))))
    image = pixels(picture)
    assert image.shape[:2] == (picture.height * SCALE, picture.width * SCALE)
    blocks = [s for s in picture.shapes if s.key.startswith("mmu-level") and s.tag == "rect"]
    assert len(blocks) == 4
    for block in blocks:
        level = next(name for name in str(block.attributes["class"]).split() if name.startswith("level-"))
        fill = re.search(rf"\.{level} {{ fill: (#\w+)", STYLE)[1]
        assert colour(image, block.attributes["x"] + 3, block.attributes["y"] + 3) == fill


def test_later_shapes_lie_over_earlier_ones():
    boxes = (rect("a", 0, 0, 20, 20, "level-0"), line("l", 0, 10, 20, 10), rect("b", 5, 5, 10, 10, "level-3"))
    assert colour(pixels(Picture(20, 20, "", "", boxes)), 10, 10) == "#e69f00"


@pytest.mark.parametrize(
    ("classes", "inside"),
    [
        ("frame", "#ffffff"),  # the second of two selectors
        ("byte changed", "#ffd97a"),  # the more special rule
        ("unused", "#e6e6e6"),  # what a variable falls back on: a fifth of grey
        ("level-2", "#f0e442"),
        ("cell panic", "#e8703a"),
    ],
)
def test_fill(classes, inside):
    assert colour(box(classes), 20, 20) == inside


@pytest.mark.parametrize(("classes", "width"), [("outline", 1), ("cell selected", 3), ("differs", 3)])
def test_stroke_width(classes, width):
    """A stroke lies half within the edge at 10 and half outside."""
    row = box(classes)[20 * SCALE, :, :3].sum(axis=1)
    middle = row[20 * SCALE]
    assert (row[: 20 * SCALE] != row[0]).argmax() == (10 - width / 2) * SCALE
    assert (row[: 20 * SCALE] == middle)[::-1].argmin() == (10 - width / 2) * SCALE


def test_letters_are_drawn_without_system_fonts():
    image = pixels(Picture(40, 20, "", "", (text("a", 20, 15, "AB", "middle mono"),)))
    assert image[..., :3].min() < 0.2


@pytest.mark.parametrize("missing", ["resvg_py", "matplotlib"])
def test_missing_dependency_names_the_extra(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"^a PNG needs {missing}: pip install 'pgtlab\[plot\]'$"):
        png(Picture(1, 1, "", "", ()))
