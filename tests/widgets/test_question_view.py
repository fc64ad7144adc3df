"""A question as its Python side and a page without Jupyter show it: before an answer, after each kind, and again."""

import pytest
from pgtlab_widgets.elements import html
from pgtlab_widgets.question_view import QuestionView

from pgtlab.lab.progress import Progress
from pgtlab.lab.question import Choice, Number, Question, UnreadableAnswer, Wrong


def levels(draw):
    return Question(
        "How many levels?",
        Number(4),
        "It is **4**, with 4K pages.",
        (Wrong(3, "no-level-0", "Levels are counted from 0."),),
        steps=("How many bits are the offset?", "How many does each level take?"),
    )


def doubled(draw):
    number = draw.randrange(10, 1000)
    return Question(f"What is twice {number}?", Number(2 * number), f"It is {2 * number}.")


def page(view) -> str:
    """What a page without Jupyter shows, in front of the fold and behind it."""
    return html(view.static())


def folded(view) -> tuple[str, str]:
    before, _, behind = page(view).partition("<details>")
    return before, behind


def test_before_an_answer_the_solution_is_folded():
    view = QuestionView("a/levels", levels)
    before, behind = folded(view)
    assert "How many levels?" in before
    assert "with 4K pages" not in before
    assert "with 4K pages" in behind
    assert view.waits
    assert view.feedback is None
    assert view.view["feedback"] == []
    assert "with 4K pages" not in str(view.view), "the page does not know the answer before"
    assert view.text() == "How many levels?\nAnswer it in a notebook that runs."


def test_after_an_answer_it_stands_beside_the_right_one():
    view = QuestionView("a/levels", levels)
    view.answer("3")
    before, behind = folded(view)
    assert "You said" in behind
    assert "Levels are counted from 0." in behind
    assert "with 4K pages" in behind
    assert "You said" not in before
    assert not view.waits


def test_a_wrong_number_that_no_rule_explains_gets_the_steps_and_not_the_answer():
    view = QuestionView("a/levels", levels)
    view.answer("17")
    before, behind = folded(view)
    assert view.waits
    assert "How many bits are the offset?" in before
    assert "You said" in before
    assert "with 4K pages" not in before
    assert "with 4K pages" in behind
    assert "You said" not in behind


def test_giving_up_shows_the_answer():
    view = QuestionView("a/levels", levels)
    view.give_up()
    assert view.feedback.verdict == "unknown"
    assert not view.waits
    assert "with 4K pages" in folded(view)[1]


def test_what_is_not_an_answer_changes_nothing():
    view = QuestionView("a/levels", levels)
    with pytest.raises(UnreadableAnswer):
        view.answer("many")
    assert view.feedback is None
    assert Progress().answers == view._progress.answers == []


def test_again_asks_with_other_numbers_and_forgets_the_answer():
    view = QuestionView("a/doubled", doubled)
    first = view.question
    view.answer("1")
    view.again()
    assert view.question != first
    assert view.feedback is None
    assert view.waits


def test_a_question_that_was_answered_is_shown_with_its_answer_later(tmp_path):
    """And with the same numbers, in another notebook of the workbench."""
    progress = Progress(tmp_path / "progress.json", reader="r")
    view = QuestionView("a/doubled", doubled, "a", progress)
    view.answer("1")
    again = QuestionView("a/doubled", doubled, "a", Progress(tmp_path / "progress.json", reader="r"))
    assert again.feedback is None, "nothing was read from the file yet"
    kept = Progress(tmp_path / "progress.json")
    kept.read()
    again = QuestionView("a/doubled", doubled, "a", kept)
    assert again.question == view.question
    assert again.feedback == view.feedback


def test_markup_in_an_answer_is_text():
    view = QuestionView(
        "a/choice", lambda draw: Question("Which?", Choice("a <b>", ("c",)), "It is a.", (Wrong("c", "k", "No."),))
    )
    assert "<b>" not in page(view)
    assert "a &lt;b&gt;" in page(view)
