"""Taking an answer out of a notebook: IPython's own commands go, and nothing else."""

import time

import pytest
from grading.a_class import notebook

from pgtlab.lab.grading.notebook import Notebook, _clean
from pgtlab.lab.result import Finding, Result


@pytest.mark.parametrize(
    ("cell", "cleaned"),
    [
        ("%load_ext x\ndef f(): pass", "pass\ndef f(): pass"),
        ("def f(va, size):\n    return (va\n        % size)", None),
        ("def f(va, size):\n    return va \\\n        % size", None),
        ('TEXT = """\n% of\n!"""', None),
        ("%load_ext x\nf = (1\n    % 2)\n", "pass\nf = (1\n    % 2)\n"),
        ("!ls\nf = 7 \\\n    % 2\n", "pass\nf = 7 \\\n    % 2\n"),
        ('!ls\nTEXT = """\n% (of\n"""\n%time f', 'pass\nTEXT = """\n% (of\n"""\npass'),
        ("!echo it's (\n%time\nx = 1", "pass\npass\nx = 1"),
        ("!echo a \\\n  b\nx = 1", "pass\n\nx = 1"),
        ("# it's\n  !ls\n", "# it's\n  pass\n"),
        ("files, rest = !ls\n", "files, rest = None\n"),
        ("k.virt_to_page?\n?k\nx = '?'\n", "pass\npass\nx = '?'\n"),
        ("%%time\nx = {'(': '%'}\n", "pass\nx = {'(': '%'}\n"),
    ],
)
def test_a_magic_is_one_only_where_a_statement_begins(cell, cleaned):
    assert _clean(cell) == (cell if cleaned is None else cleaned)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["\n" * 400_000, "'" * 200_001, "(\n" * 100_000, '"""' + "\\" * 200_000, "x\t" * 200_000, " " * 200_000]
)
def test_a_long_cell_takes_no_long_time(text):
    before = time.process_time()
    Notebook.read(notebook("!ls\n" + text))
    _clean("!ls\n" + text)
    assert time.process_time() - before < 20, "as the square of its length it would take minutes"


def test_only_what_was_handed_out_is_not_written():
    """An answer that says so in an exception of its own, or has points, was written."""

    def state(hint, points):
        done = (Finding("a", "A.", "right", points=points),) if points else ()
        return Result("x", 0, (*done, Finding("b", "B.", "wrong", hint, stopped=True)), unit="points").state

    assert state("`f()` is not written yet.", 0) == "not written"
    assert state("`f()` stopped in line 1: ValueError: is not written yet.", 0) == "stopped"
    assert state("`f()` is not written yet.", 2) == "stopped"
