"""The printed handout and the figures for slides: made of the course's own questions and pictures."""

import importlib.util
from pathlib import Path

import pytest

from pgtlab.lab import chapters
from pgtlab.lab.question import Choice, Number, Question

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.long


def script(name):
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sheets_are_pdfs_and_the_same_seed_gives_the_same(tmp_path):
    pytest.importorskip("fpdf")
    handout = script("write_handout")
    plan = chapters.plan("00_hexadecimal")
    first, again = (bytes(handout.written([plan], "7")[0].output()) for _ in range(2))
    assert first.startswith(b"%PDF")
    assert first == again
    assert first != bytes(handout.written([plan], "8")[0].output())


def test_a_right_answer_is_on_the_answer_sheet_and_not_in_the_question():
    pytest.importorskip("fpdf")
    handout = script("write_handout")
    question = Question(
        "How many?", Number(4097, base=16), "It is so.", reasons=Choice("a table at each level", ("one table",))
    )
    assert "0x1001" in handout.answered(question)
    assert "Because a table at each level." in handout.answered(question)
    shown = handout.options(question, "7")
    assert "0x1001" not in shown
    assert {"\u2610 a table at each level", "\u2610 one table"} <= set(shown.splitlines())


def test_the_figures_are_drawn_for_both_themes():
    figures = script("write_figures")
    made = figures.figures()
    assert len({picture.description for picture in made.values()}) == len(made)
    for picture in made.values():
        light, dark = (picture.svg(figures.fixed_style(dark=dark)) for dark in (False, True))
        assert light != dark
        assert "var(" not in light + dark
