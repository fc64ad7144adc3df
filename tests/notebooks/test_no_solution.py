"""No chapter prints the solution of an exercise: not in its text and code, and not in what a question says."""

import pytest

from pgtlab.lab import chapters
from pgtlab.lab.exercise import paths, read
from tests.notebooks.course import FOLDER, PAGES, question, words_of
from tests.notebooks.solutions import SOLUTIONS, shown_in

STEMS = ["index", "gallery", *(plan.stem for plan in PAGES)]


@pytest.mark.parametrize("stem", dict.fromkeys(STEMS))
def test_a_chapter_has_no_solution(stem):
    assert shown_in((FOLDER / f"{stem}.py").read_text()) == []


@pytest.mark.sweep
@pytest.mark.parametrize("stem", [plan.stem for plan in PAGES])
def test_a_question_has_no_solution(stem):
    assert shown_in("\n".join(text for name in chapters.names(stem) for text in words_of(question(name)))) == []


def test_a_solution_is_found_where_it_is():
    """In code, in prose, and indented as a comment is."""
    exercises = {exercise.name: exercise for exercise in (read(source) for source in paths().values())}
    assert len(SOLUTIONS) > 10
    for name in SOLUTIONS:
        source = exercises[name].code("solution")
        assert name in shown_in(source)
        assert name in shown_in("# Look:\n#\n" + "".join(f"#     {line}\n" for line in source.splitlines()))
