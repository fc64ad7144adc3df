"""The questions of every chapter: the right answer is right, and each foreseen wrong answer gets its own feedback."""

from collections import Counter
from collections.abc import Iterator

import pytest

from pgtlab.lab import chapters
from pgtlab.lab.answers import Choice, Number, Said, Words
from pgtlab.lab.case import GATE
from pgtlab.lab.course_text import sources
from pgtlab.lab.question import Intermediate, Question, Wrong
from tests.notebooks.course import CHAPTERS, PAGES, cells, question

NAMES = {plan.stem: names for plan in PAGES if (names := chapters.names(plan.stem))}
ALL = [name for names in NAMES.values() for name in names]
FEW = pytest.mark.parametrize(
    "seeds", [pytest.param(range(4), id="4 seeds"), pytest.param(range(4, 20), id="16 more", marks=pytest.mark.sweep)]
)
#: Where so few of a chapter's questions have options that one more or less decides.
FEW_CHOICES = {"01_two_programs", "02_a_tree", "04_the_walk", "11_who_did_it"}
EXERCISES = {path.stem for path in (sources() / "exercises").glob("[!_]*.py")}


def given(asked: Question, value: object) -> Said:
    """An answer as a reader gives it: a number is typed."""
    if isinstance(asked.answer, Number):
        return asked.answer.show(value)
    return value  # type: ignore[return-value]


def answers(asked: Question, wrong: Wrong) -> tuple[Said, str]:
    """The answer and the reason of a reader who has a misconception."""
    if asked.reasons and wrong.value in asked.reasons.others:
        return given(asked, asked.answer.right), str(wrong.value)
    return given(asked, wrong.value), asked.reasons.right if asked.reasons else ""


def drawn(stem: str, seeds: range) -> Iterator[tuple[str, Question]]:
    """Every question of a chapter with the numbers of some seeds; the name says which."""
    return ((f"{name}, seed {seed}", question(name, seed)) for name in NAMES[stem] for seed in seeds)


@pytest.mark.slow
@FEW
@pytest.mark.parametrize("stem", NAMES)
def test_right_answer_is_right(stem, seeds):
    for name, asked in drawn(stem, seeds):
        reason = asked.reasons.right if asked.reasons else ""
        if isinstance(asked.answer, Words):
            assert asked.judge("I do not know yet.", reason).verdict == "kept", name
        else:
            assert asked.judge(given(asked, asked.answer.right), reason).verdict == "right", name


@FEW
@pytest.mark.parametrize("stem", NAMES)
def test_each_wrong_answer_gets_its_own_feedback(stem, seeds):
    for name, asked in drawn(stem, seeds):
        for wrong in asked.wrong:
            feedback = asked.judge(*answers(asked, wrong))
            assert feedback.verdict in ("wrong", "reason"), (name, wrong)
            assert (feedback.key, feedback.text) == (wrong.key, wrong.feedback), name


@pytest.mark.parametrize("stem", NAMES)
def test_the_number_of_each_step_can_be_typed(stem):
    for name, asked in drawn(stem, range(4)):
        for step in asked.steps:
            if isinstance(step, Intermediate):
                assert step.judge(step.answer.show(step.answer.value)).verdict == "right", (name, step.text)


def choices(stem: str) -> Iterator[tuple[str, Choice, set[object]]]:
    """Every choice of a chapter, of an answer or a reason, and what gets feedback."""
    for name in NAMES[stem]:
        asked = question(name)
        for choice in (asked.answer, asked.reasons):
            if isinstance(choice, Choice):
                yield name, choice, {wrong.value for wrong in asked.wrong}


@pytest.mark.parametrize("stem", NAMES)
def test_every_wrong_option_has_its_feedback(stem):
    assert [(name, {*choice.others} - said) for name, choice, said in choices(stem) if {*choice.others} - said] == []


@pytest.mark.parametrize("stem", sorted({*NAMES} - FEW_CHOICES))
def test_the_right_option_is_seldom_the_longest(stem):
    several = [choice for _, choice, _ in choices(stem) if len(choice.others) > 1]
    longest = [choice.right for choice in several if len(choice.right) > max(map(len, choice.others))]
    assert 3 * len(longest) <= len(several), longest


@pytest.mark.slow
@pytest.mark.parametrize("stem", NAMES)
def test_its_misconceptions_are_listed_and_all_of_the_chapter_are_caught(stem):
    named = {wrong.key for _, asked in drawn(stem, range(4)) for wrong in asked.wrong}
    assert named - chapters.misconceptions().keys() == set()
    elsewhere = {wrong.key for name in ALL for wrong in question(name).wrong}
    assert chapters.misconceptions(stem).keys() - named - elsewhere == set()


@pytest.mark.parametrize("stem", NAMES)
def test_other_numbers_have_another_answer(stem):
    """Else "Try with other numbers" repeats the answer. Where a reason is asked for too, the reason is what counts."""
    same = {"10a_registers/the_register_that_was_null"}  # NULL, whatever the offset: that is what it asks
    for name in {*NAMES[stem]} - same:
        asked = [question(name, seed) for seed in range(4)]
        if isinstance(asked[0].answer, Number) and not asked[0].reasons and len({each.text for each in asked}) > 1:
            assert len({each.answer.right for each in asked}) > 1, name


def test_a_misconception_has_one_key():
    keys = Counter(key for plan in chapters.plans() for key in chapters.misconceptions(plan))
    assert [key for key, times in keys.items() if times > 1] == []


@pytest.mark.parametrize("plan", CHAPTERS, ids=lambda plan: plan.stem)
def test_a_chapter_asks_its_questions_and_has_a_gate(plan):
    asked = {name if "/" in name else f"{plan.stem}/{name}" for cell in cells(plan.stem) for name in cell.asks}
    assert asked - {*ALL} == set(), "asked, but in no file"
    assert {*NAMES[plan.stem]} - asked == set(), "in the file, but never asked"
    assert f"{plan.stem}/{plan.gate}" in ALL or plan.gate in (*EXERCISES, GATE), "the gate"


# The lines of the log.


def test_a_line_of_the_log_is_lit_by_the_questions_that_name_it():
    lines = chapters.log_lines()
    assert [*lines] == [*range(1, 60)]
    named = {number: {name for name in ALL if number in question(name).lines} for number in lines}
    assert {number: {*line.questions} for number, line in lines.items()} == named


def test_an_evidence_line_has_a_question():
    evidence = [line for line in chapters.log_lines().values() if "evidence" in line.verdict]
    assert [line.number for line in evidence if not line.questions] == []
    verdicts = {verdict for line in chapters.log_lines().values() for verdict in line.verdict}
    assert verdicts == {"evidence", "context", "empty", "leftover"}
