"""What is proved of every exercise: the solution passes, the stub does not, each wrong answer is known."""

import json
import re
from functools import cache

import pytest

from pgtlab.lab import course_text
from pgtlab.lab.exercise import read
from pgtlab.lab.judge import define, judge
from pgtlab.lab.result import Result
from pgtlab.linux.kernel import Kernel

SOURCES = sorted((course_text.sources() / "exercises").glob("[!_]*.py"))
EXERCISES = [read(source) for source in SOURCES]
WRONG = [(exercise, wrong) for exercise in EXERCISES for wrong in exercise.tagged("wrong")]

each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
each_wrong = pytest.mark.parametrize(("exercise", "wrong"), WRONG, ids=[f"{e.name}: {w.title}" for e, w in WRONG])


@cache
def result(exercise, source: str, seed: int | str = 0) -> Result:
    """What comes of an answer that is written like this."""
    return judge(exercise, define(source, "<answer>")[exercise.function], seed)


def hints(exercise, source: str) -> str:
    return "\n".join(finding.hint for finding in result(exercise, source).findings)


def test_the_instructors_table_has_them_all():
    table = (course_text.sources() / "exercises" / "README.md").read_text()
    assert EXERCISES
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [exercise.name for exercise in EXERCISES]


@each
@pytest.mark.parametrize("seed", [0, "ada"])
def test_the_solution_passes(exercise, seed):
    right = result(exercise, exercise.code("solution"), seed)
    assert right.passed, str(right)
    assert right.score == 1


@each
def test_the_stub_is_not_written_yet(exercise):
    first, *others = result(exercise, exercise.code("stub")).findings
    assert (first.state, first.hint) == ("wrong", f"`{exercise.function}()` is not written yet.")
    assert {finding.state for finding in others} == {"not judged"}


@each
def test_at_least_two_wrong_answers_are_known(exercise):
    assert len(exercise.tagged("wrong")) >= 2


@each_wrong
def test_a_wrong_answer_is_wrong_but_gets_credit_for_what_is_right(exercise, wrong):
    assert not result(exercise, wrong.source).passed
    assert 0 < result(exercise, wrong.source).score < 1


@each_wrong
def test_a_wrong_answer_gets_its_feedback(exercise, wrong):
    assert wrong.feedback
    assert wrong.feedback in hints(exercise, wrong.source)


@each_wrong
def test_no_other_wrong_answer_gets_that_feedback(exercise, wrong):
    others = [other for other in exercise.tagged("wrong") if other is not wrong]
    assert [other.title for other in others if wrong.feedback in hints(exercise, other.source)] == []


@each
def test_hints_do_not_contain_the_solution(exercise):
    lines = [line.strip() for line in exercise.code("solution").splitlines() if len(line.strip()) > len("return")]
    given = "\n".join(hints(exercise, wrong.source) for wrong in exercise.tagged("wrong"))
    assert [line for line in lines if line in given] == []


@each
def test_every_check_says_what_is_right_and_is_failed_by_some_wrong_answer(exercise):
    failed = {
        finding.check
        for wrong in exercise.tagged("wrong")
        for finding in result(exercise, wrong.source).findings
        if finding.state == "wrong"
    }
    for finding in result(exercise, exercise.code("solution")).findings:
        assert finding.says.endswith(".")
        if finding.check != "offset":  # who gets the levels wrong gets the offset right
            assert finding.check in failed


@each
def test_a_result_is_plain_data_for_a_grader(exercise):
    data = json.loads(json.dumps(result(exercise, exercise.code("stub"), "ada").as_dict()))
    assert (data["exercise"], data["seed"], data["passed"], data["score"]) == (exercise.name, "ada", False, 0)
    assert data["checks"][0].keys() == {"check", "says", "state", "hint"}


@each
def test_the_answer_comes_while_the_learner_waits(exercise, monkeypatch):
    """What takes time is to start kernels: some three milliseconds each."""
    started, start = [], Kernel.__init__
    monkeypatch.setattr(Kernel, "__init__", lambda k, *args, **named: (started.append(k), start(k, *args, **named))[1])
    judge(exercise, define(exercise.code("solution"), "<answer>")[exercise.function])
    assert len(started) < 200
