"""A picture as PNG: the shapes are where they are in the SVG, in the colours of the style sheet."""

import io

import matplotlib.image
import pytest

from pgtlab import CPU, Config, boot
from pgtlab.linux.address_picture import address_picture
from pgtlab.linux.decompose import decompose
from pgtlab.picture import STYLE, Picture, line, rect
from pgtlab.plot.picture import png, style_of

SCALE = 2


def pixels(picture: Picture):
    return matplotlib.image.imread(io.BytesIO(png(picture, SCALE)), format="png")


def colour(image, x, y):
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in image[round(y * SCALE), round(x * SCALE)][:3])


def test_a_boxes_pixels_have_the_style_sheets_colour():
    picture = address_picture(decompose(0xFFFF_8000_0123_4567, boot(Config("16k", 52), CPU.named("max"))))
    image = pixels(picture)
    assert image.shape[:2] == (picture.height * SCALE, picture.width * SCALE)
    blocks = [s for s in picture.shapes if s.key.startswith("mmu-level") and s.tag == "rect"]
    assert len(blocks) == 4
    for block in blocks:
        a = block.attributes
        assert colour(image, a["x"] + 3, a["y"] + 3) == style_of(block)["fill"]


def test_later_shapes_lie_over_earlier_ones():
    boxes = (rect("a", 0, 0, 20, 20, "level-0"), line("l", 0, 10, 20, 10), rect("b", 5, 5, 10, 10, "level-3"))
    assert colour(pixels(Picture(20, 20, "", "", boxes)), 10, 10) == "#e69f00"


@pytest.mark.parametrize(
    ("classes", "name", "value"),
    [
        ("frame", "fill", "none"),  # the second of two selectors
        ("outline", "fill", "none"),
        ("byte changed", "fill", "#ffd97a"),  # the more special rule
        ("cell selected", "stroke-width", "3"),  # inside :is()
        ("unused", "fill", "rgba(128, 128, 128, 0.2)"),  # what a variable falls back on
        ("level-2", "stroke", "#fff"),  # from the rule for all rectangles
    ],
)
def test_the_style_sheet_is_read_as_a_browser_reads_it(classes, name, value):
    assert style_of(rect("x", 0, 0, 1, 1, classes))[name] == value


def test_every_rule_of_the_sheet_is_read():
    for name in ("level--1", "level-0", "folded", "run-time", "differs", "mark", "commit", "wrong"):
        assert f".{name}" in STYLE
        assert style_of(rect("x", 0, 0, 1, 1, name)) != style_of(rect("x", 0, 0, 1, 1, "no-such-class"))
