"""What is proved of every exercise: the solution passes, nothing trivial gets a point, each wrong answer is known."""

import json
import re
from functools import cache

import pytest

from pgtlab.lab import chapters, course_text
from pgtlab.lab.exercise import paths, read
from pgtlab.lab.judge import define, judge, prelude
from pgtlab.lab.result import Result
from pgtlab.lab.variants import seed_of
from pgtlab.linux.kernel import Kernel

EXERCISES = [read(source) for source in paths().values()]
WRONG = [(exercise, wrong) for exercise in EXERCISES for wrong in exercise.tagged("wrong")]
SEED, OTHER = "practice", seed_of("a course", "a student")

each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
each_wrong = pytest.mark.parametrize(
    ("exercise", "wrong"),
    [
        pytest.param(e, w, id=f"{e.name}: {w.title}", marks=[pytest.mark.long] if e.about.kind == "fix" else [])
        for e, w in WRONG
    ],
)


@cache
def result(exercise, source: str, seed: str = SEED) -> Result:
    """What comes of an answer that is written like this, in a notebook with this seed."""
    return judge(exercise, define(prelude(exercise, seed) + source, "<answer>")[exercise.answer], seed)


def test_the_instructors_table_has_them_all():
    table = (course_text.sources() / "exercises" / "README.md").read_text()
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == [exercise.name for exercise in EXERCISES]


@each
def test_it_says_what_it_is(exercise):
    about = exercise.about
    assert about.kind in ("compute", "predict", "build", "diagnose", "fix", "order")
    assert chapters.plan(about.chapter).number, "a chapter of the course"
    assert about.difficulty in (1, 2, 3)
    assert 0 < about.minutes <= 12
    code = f"{exercise.code('check')}\n{exercise.code('hidden')}"
    assert re.findall(r"^def check_(\w+)\(", code, re.MULTILINE) == [*about.points], "in the order of judging"
    assert all(points > 0 for points in about.points.values())
    assert len(exercise.tagged("hint")) >= 2, "hints in steps"
    assert exercise.tagged("hidden")


@pytest.mark.slow
@each
def test_the_solution_passes(exercise):
    right = result(exercise, exercise.code("solution"))
    assert right.passed, str(right)
    assert (right.state, right.feedback, right.points) == ("solved", "", sum(exercise.about.points.values()))


@pytest.mark.slow
@each
def test_the_students_form_judges_too_while_the_learner_waits_and_says_what_is_judged_later(exercise, monkeypatch):
    """What takes time is to start kernels: some three milliseconds each."""
    started, start = [], Kernel.__init__
    monkeypatch.setattr(Kernel, "__init__", lambda k, *args, **named: (started.append(k), start(k, *args, **named))[1])
    answer = define(prelude(exercise, OTHER) + exercise.code("solution"), "<answer>")[exercise.answer]
    seen = judge(exercise.for_students(), answer, OTHER)
    assert seen.passed, str(seen)
    assert seen.later > 0
    assert seen.of + seen.later == sum(exercise.about.points.values())
    assert len(started) < 200


@each
def test_the_stub_is_not_written_yet(exercise):
    stub = result(exercise, exercise.code("stub"))
    assert (stub.state, stub.points) == ("not written", 0)
    assert stub.feedback.endswith("is not written yet.")


@each
def test_at_least_three_wrong_answers_are_known(exercise):
    assert len(exercise.tagged("wrong")) >= 3


@each_wrong
def test_a_wrong_answer_gets_its_mark_and_its_feedback(exercise, wrong):
    judged = result(exercise, wrong.source)
    assert not judged.passed
    assert judged.points == wrong.mark, str(judged)
    assert wrong.feedback
    assert wrong.feedback in judged.feedback


@each
@pytest.mark.sweep
@pytest.mark.parametrize("seed", [f"seed {number}" for number in range(20)])
def test_every_variant_is_judged_alike(exercise, seed):
    assert result(exercise, exercise.code("solution"), seed).passed
    for wrong in exercise.tagged("wrong"):
        judged = result(exercise, wrong.source, seed)
        assert judged.points == wrong.mark, f"{wrong.title}: {judged}"
        assert wrong.feedback in judged.feedback, wrong.title


@each_wrong
def test_there_is_one_piece_of_feedback_about_the_first_thing_that_is_wrong(exercise, wrong):
    states = [finding.state for finding in result(exercise, wrong.source).findings]
    first = states.index("wrong")
    assert states == ["right"] * first + ["wrong"] + ["not judged"] * (len(states) - first - 1)


@each_wrong
def test_no_other_wrong_answer_gets_that_feedback(exercise, wrong):
    others = [other for other in exercise.tagged("wrong") if other is not wrong]
    assert [other.title for other in others if wrong.feedback in result(exercise, other.source).feedback] == []


@each_wrong
def test_a_misconception_is_one_of_the_courses(exercise, wrong):
    assert result(exercise, wrong.source).misconception in ("", *chapters.misconceptions())


@each
def test_hints_do_not_contain_the_solution(exercise):
    lines = [line.strip() for line in exercise.code("solution").splitlines() if len(line.strip()) > len("return page")]
    given = "\n".join(result(exercise, wrong.source).feedback for wrong in exercise.tagged("wrong"))
    given += "\n".join(cell.source for cell in exercise.tagged("hint"))
    assert [line for line in lines if line in given] == []


@each
def test_every_check_says_what_is_right(exercise):
    for finding in result(exercise, exercise.code("solution")).findings:
        assert finding.says.endswith(".")


@each
def test_a_result_is_plain_data_for_a_grader(exercise):
    data = json.loads(json.dumps(result(exercise, exercise.code("stub"), OTHER).as_dict()))
    assert (data["exercise"], data["seed"], data["passed"], data["points"]) == (exercise.name, OTHER, False, 0)
    assert data["checks"][0].keys() == {"check", "says", "state", "hint"}
