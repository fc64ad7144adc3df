"""A bar in a notebook: it is there while the first part takes long, and gone at the end."""

import io
import sys
import threading
from contextlib import redirect_stdout
from types import SimpleNamespace

import pytest

from pgtlab import progress_bar


class Written(io.StringIO):
    """A stream that says when something was written."""

    def __init__(self):
        super().__init__()
        self.something = threading.Event()

    def write(self, text):
        self.something.set()
        return super().write(text)


@pytest.fixture(autouse=True)
def in_a_notebook(monkeypatch):
    shell = SimpleNamespace(kernel="a notebook's")
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(progress_bar, "PATIENCE", 0.02)


def test_the_bar_is_there_before_the_first_part_is_done():
    written = Written()
    with redirect_stdout(written), progress_bar.counted(2, " runs") as done:
        assert written.something.wait(60)
        done()
    assert "counting:   0%" in written.getvalue()
    assert written.getvalue().split("\r")[-2].strip() == ""


def test_who_wants_no_bar_has_none():
    written = Written()
    with redirect_stdout(written), progress_bar.counted(2, " runs", shown=False) as done:
        done()
    assert written.getvalue() == ""


def test_a_program_that_has_loaded_ipython_is_not_a_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not progress_bar.in_a_notebook()
