"""The picture of a register: its bits, and a line for each field."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.registers import ESR_EL1, SCTLR_EL1, TCR_EL1, TTBR1_EL1
from pgtlab.arch.word_picture import word_picture


@given(word=st.integers(0, (1 << 64) - 1), register=st.sampled_from([TCR_EL1, ESR_EL1, SCTLR_EL1, TTBR1_EL1]))
def test_every_bit_and_every_field_is_in_it_once(word, register):
    shapes = word_picture(register(word)).shapes
    texts = {shape.key: shape.text for shape in shapes}
    assert len(texts) == len(shapes)
    assert int("".join(texts[f"digit-{bit}"] for bit in range(63, -1, -1)), 2) == word
    legends = [key for key in texts if key.startswith("legend-")]
    assert legends == [f"legend-{field.name}" for field in reversed(register.fields)]


@pytest.mark.parametrize("register", [TCR_EL1, ESR_EL1, SCTLR_EL1, TTBR1_EL1])
def test_nothing_is_drawn_outside(register):
    picture = word_picture(register((1 << 64) - 1))
    for shape in picture.shapes:
        places = {name[0]: place for name, place in shape.attributes.items() if name in ("x", "y", "x1", "y1")}
        assert 0 <= places["x"] <= picture.width
        assert 0 <= places["y"] <= picture.height


@pytest.mark.parametrize("register", [TCR_EL1, ESR_EL1])
def test_no_colour_of_a_level(register):
    assert not [s for s in word_picture(register(7)).shapes if "level" in str(s.attributes["class"])]


def test_a_notebook_shows_the_picture_and_a_terminal_the_repr():
    word = TCR_EL1(0x10001B5B5503510)
    shown = word._repr_mimebundle_()
    assert shown["text/plain"] == repr(word)
    assert "IPS = 0x5 PA48" in "".join(ElementTree.fromstring(shown["image/svg+xml"]).itertext())
