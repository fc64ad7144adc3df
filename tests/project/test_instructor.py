"""docs/instructor.md: its tables are those that the chapters and their questions give."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_the_tables_are_those_of_the_chapters():
    spec = importlib.util.spec_from_file_location("write_instructor", ROOT / "docs" / "write_instructor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.PAGE.read_text(encoding="utf-8")
    assert module.written(page) == page, "run `make docs`"
