"""The picture of an address: what stands over the same bits is the same bits, and no key means two things."""

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import KINDS

from pgtlab.linux.address_picture import BIT, Columns, address_picture, answer
from pgtlab.linux.boot import Boot, Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config

ADDRESSES = st.one_of(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 36) - 1))
laws = settings(max_examples=40)


def drawn(va: int, booted: Boot) -> dict[str, dict]:
    """The shapes by key: attributes and text. Fails where a key is used twice."""
    shapes = address_picture(decompose(va, booted)).shapes
    by_key = {shape.key: {**shape.attributes, "text": shape.text} for shape in shapes}
    assert len(by_key) == len(shapes)
    return by_key


@laws
@given(va=ADDRESSES, booted=st.sampled_from(KINDS))
def test_the_bits_are_those_of_the_address(va, booted):
    shapes = drawn(va, booted)
    digits = [shape for key, shape in shapes.items() if key.startswith("digits-")]
    assert int(shapes["hex"]["text"], 16) == int("".join(shape["text"] for shape in digits), 2) == va
    left = [shapes[f"bit-{bit}"]["x"] for bit in range(63, -1, -1)]
    assert left == [left[0] + BIT * column for column in range(64)]
    assert [float(x) - BIT / 2 for shape in digits for x in shape["x"].split()] == left


@laws
@given(va=ADDRESSES, booted=st.sampled_from(KINDS))
def test_every_block_stands_over_its_bits(va, booted):
    shapes, d = drawn(va, booted), decompose(va, booted)

    def over(key: str) -> tuple[float, float]:
        return shapes[key]["x"], shapes[key]["x"] + shapes[key]["width"]

    def columns(hi: int, lo: int) -> tuple[float, float]:
        return shapes[f"bit-{hi}"]["x"], shapes[f"bit-{lo}"]["x"] + BIT

    for what, hi, lo, _ in d.fields:
        assert over(f"mmu-{what}") == columns(hi, lo)
    for level in d.linux:
        if level.hi is not None:
            assert over(f"linux-{level.name}") == columns(level.hi, level.lo)


@laws
@given(va=ADDRESSES, booted=st.sampled_from(KINDS))
def test_what_is_folded_says_so_in_words(va, booted):
    shapes, d = drawn(va, booted), decompose(va, booted)
    texts = [shape["text"] for shape in shapes.values()]
    for level in d.linux:
        told = [text for text in texts if text.startswith(f"{level.name} folded at ")]
        assert len(told) == (level.fold is not Fold.REAL)
        if told:
            assert told[0].startswith(f"{level.name} {level.fold.value}")


@laws
@given(va=ADDRESSES, booted=st.sampled_from(KINDS))
def test_nothing_is_drawn_outside(va, booted):
    for columns in (Columns(), Columns.within(640)):
        picture = address_picture(decompose(va, booted), columns)
        assert picture.width <= (640 if columns != Columns() else 1024)
        assert_inside(picture)


def assert_inside(picture):
    """All rectangles and baselines are within the picture."""
    for shape in picture.shapes:
        if shape.tag == "text":
            assert 0 < shape.attributes["y"] <= picture.height
        if shape.tag == "rect":
            a = shape.attributes
            assert 0 <= a["x"] <= a["x"] + a["width"] <= picture.width
            assert 0 <= a["y"] <= a["y"] + a["height"] <= picture.height


@pytest.mark.parametrize("booted", KINDS, ids=repr)
def test_the_svg_is_well_formed_and_says_what_it_shows(booted):
    d = decompose(0xFFFF_8000_8000_1234, booted)
    svg = ElementTree.fromstring(address_picture(d).svg())
    names = {"svg": "http://www.w3.org/2000/svg"}
    assert svg.find("svg:title", names).text == answer(d)
    assert svg.find("svg:desc", names).text == str(d)
    assert svg.get("role") == "img"


def test_a_notebook_shows_the_picture_and_a_terminal_the_table():
    d = decompose(0xFFFF_8000_8000_1234, boot(Config("4k", 48), CPU.named("max")))
    shown = d._repr_mimebundle_()
    assert shown["text/plain"] == str(d)
    assert ElementTree.fromstring(shown["image/svg+xml"]).tag.endswith("svg")


@laws
@given(va=ADDRESSES, one=st.sampled_from(KINDS), other=st.sampled_from(KINDS))
def test_a_key_keeps_its_kind_of_node_from_picture_to_picture(va, one, other):
    """So that a view may change the nodes that it has."""
    tags = [{s.key: s.tag for s in address_picture(decompose(va, b)).shapes} for b in (one, other)]
    assert all(tags[0][key] == tags[1][key] for key in tags[0].keys() & tags[1].keys())


@laws
@given(va=ADDRESSES, booted=st.sampled_from(KINDS))
def test_every_range_of_bits_has_one_label_over_its_middle(va, booted):
    shapes, d = drawn(va, booted), decompose(va, booted)
    labels = {key.removeprefix("range-"): shape for key, shape in shapes.items() if key.startswith("range-")}
    assert [(what, label["text"]) for what, label in labels.items()] == [
        (what, f"{hi}:{lo}" if hi > lo else f"{hi}") for what, hi, lo, _ in d.fields
    ]
    for what, hi, lo, _ in d.fields:
        assert labels[what]["x"] == (shapes[f"bit-{hi}"]["x"] + shapes[f"bit-{lo}"]["x"] + BIT) / 2
