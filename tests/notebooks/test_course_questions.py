"""The questions of every chapter: the right answer is right, and each foreseen wrong answer gets its own feedback."""

from collections import Counter

import pytest

from pgtlab.lab import chapters
from pgtlab.lab.answers import Number, Order, Said, Words
from pgtlab.lab.question import Question, Wrong
from tests.notebooks.course import CHAPTERS, PAGES, SEEDS, cells, question

NAMES = [name for plan in PAGES for name in chapters.names(plan.stem)]
EXERCISES = {path.stem for path in (chapters.sources() / "exercises").glob("[!_]*.py")}


def given(asked: Question, value: object) -> Said:
    """An answer as a reader gives it: a number is typed."""
    if isinstance(asked.answer, Number):
        return f"{value:#x}"
    return value  # type: ignore[return-value]


def answers(asked: Question, wrong: Wrong) -> tuple[Said, str]:
    """The answer and the reason of a reader who has a misconception."""
    if asked.reasons and wrong.value in asked.reasons.others:
        return given(asked, asked.answer.right), str(wrong.value)
    return given(asked, wrong.value), asked.reasons.right if asked.reasons else ""


@pytest.mark.parametrize("name", NAMES)
def test_right_answer_is_right(name):
    for seed in SEEDS:
        asked = question(name, seed)
        reason = asked.reasons.right if asked.reasons else ""
        if isinstance(asked.answer, Words):
            assert asked.judge("I do not know yet.", reason).verdict == "kept"
        else:
            assert asked.judge(given(asked, asked.answer.right), reason).verdict == "right"
        if isinstance(asked.answer, Number):
            assert asked.judge(
                f"{asked.answer.right}" if asked.answer.base == 10 else f"{asked.answer.right:#x}", reason
            )


@pytest.mark.parametrize("name", NAMES)
def test_each_wrong_answer_gets_its_own_feedback(name):
    for seed in SEEDS:
        asked = question(name, seed)
        for wrong in asked.wrong:
            feedback = asked.judge(*answers(asked, wrong))
            assert feedback.verdict in ("wrong", "reason"), wrong
            assert (feedback.key, feedback.text) == (wrong.key, wrong.feedback)


@pytest.mark.parametrize("name", NAMES)
def test_misconceptions_of_a_question_are_listed(name):
    keys = {wrong.key for seed in SEEDS for wrong in question(name, seed).wrong}
    assert keys <= chapters.misconceptions().keys()


def test_a_misconception_has_one_key():
    keys = Counter(key for plan in chapters.plans() for key in chapters.misconceptions(plan))
    assert [key for key, times in keys.items() if times > 1] == []


@pytest.mark.parametrize("stem", [plan.stem for plan in CHAPTERS])
def test_every_misconception_of_a_chapter_is_caught(stem):
    caught = {wrong.key for name in NAMES for seed in SEEDS for wrong in question(name, seed).wrong}
    assert chapters.misconceptions(stem).keys() - caught == set()


@pytest.mark.parametrize("name", NAMES)
def test_an_order_can_be_shuffled(name):
    asked = question(name)
    if isinstance(asked.answer, Order):
        assert asked.answer.shown("seed") != asked.answer.right


@pytest.mark.parametrize("stem", [plan.stem for plan in CHAPTERS])
def test_a_chapter_asks_its_questions(stem):
    asked = {name for cell in cells(stem) for name in cell.asks}
    assert {name if "/" in name else f"{stem}/{name}" for name in asked} <= {*NAMES}
    assert {name.partition("/")[2] for name in chapters.names(stem)} <= asked, "a question that the chapter never asks"


@pytest.mark.parametrize("plan", CHAPTERS, ids=lambda plan: plan.stem)
def test_a_chapter_has_a_gate_that_exists(plan):
    assert plan.gate, "no gate yet: a question or an exercise"
    assert f"{plan.stem}/{plan.gate}" in NAMES or plan.gate in EXERCISES


# The lines of the log.


@pytest.mark.parametrize("line", chapters.log_lines().values(), ids=lambda line: f"{line.number}")
def test_a_line_of_the_log_is_lit_by_its_questions(line):
    assert {*line.verdict} <= {"evidence", "context", "empty", "leftover"}
    assert line.chapter in chapters.plans()
    lighting = {name for name in NAMES if line.number in question(name).lines}
    listed = {name for name in line.questions if chapters.plan(name.partition("/")[0]).written}
    assert listed == lighting, "log_lines.toml and the questions' `lines` disagree"


def test_the_log_has_all_its_lines():
    assert [*chapters.log_lines()] == [*range(1, 60)]


@pytest.mark.parametrize("line", chapters.log_lines().values(), ids=lambda line: f"{line.number}")
def test_an_evidence_line_has_a_question(line):
    if "evidence" in line.verdict and all(plan.written for plan in map(chapters.plan, [line.chapter, "10b_the_log"])):
        assert line.questions
