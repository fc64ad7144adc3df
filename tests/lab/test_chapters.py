"""Which questions a chapter brings back, which lines of the log are lit, and how long the short course is."""

import pytest

from pgtlab.lab import chapters
from pgtlab.lab.chapters import ChapterPlan, LogLine
from pgtlab.lab.course_text import sources
from pgtlab.lab.progress import Answered, Progress
from pgtlab.lab.question import Question, QuestionError, Words, recall


@pytest.fixture
def course(monkeypatch):
    """Four chapters, each with a question that comes back and one that does not."""
    stems = ["01_one", "02_two", "03_three", "04_four"]
    plans = {stem: ChapterPlan(stem, stem, 10, "short") for stem in stems}
    monkeypatch.setattr(ChapterPlan, "written", True)
    monkeypatch.setattr(chapters, "plans", lambda: plans)

    @recall
    def returns(draw):
        return Question("", Words(), "")

    def stays(draw):
        return Question("", Words(), "")

    monkeypatch.setattr(chapters, "questions", lambda stem: {"returns": returns, "stays": stays})
    return stems


def progress(*answers: tuple[str, str, str]) -> Progress:
    return Progress(answers=[Answered(question, asked_in, "", verdict) for question, asked_in, verdict in answers])


@pytest.mark.usefixtures("course")
def test_the_first_chapter_brings_nothing_back():
    assert chapters.from_memory("01_one", Progress()) == []
    assert chapters.from_memory("02_two", Progress()) == ["01_one/returns"]


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("reader", range(20))
def test_one_is_at_least_two_chapters_old(reader):
    for stem, old in (("03_three", {"01_one/returns"}), ("04_four", {"01_one/returns", "02_two/returns"})):
        chosen = chapters.from_memory(stem, Progress(reader=f"{reader}"))
        assert len({*chosen}) == 2
        assert old & {*chosen}


@pytest.mark.usefixtures("course")
def test_a_missed_one_comes_first():
    missed = progress(("03_three/returns", "03_three", "wrong"), ("03_three/stays", "03_three", "wrong"))
    first, second = chapters.from_memory("04_four", missed)
    assert first == "03_three/returns"
    assert second in ("01_one/returns", "02_two/returns")
    right_at_last = progress(("03_three/returns", "03_three", "wrong"), ("03_three/returns", "03_three", "right"))
    assert {
        chapters.from_memory("04_four", Progress(reader=f"{n}", answers=right_at_last.answers))[0] for n in range(20)
    } > {"03_three/returns"}


@pytest.mark.usefixtures("course")
def test_the_questions_stay_when_they_have_been_answered():
    before = progress(("02_two/returns", "02_two", "unknown"))
    chosen = chapters.from_memory("04_four", before)
    after = [Answered(name, "04_four", "", "right") for name in chosen]
    assert chapters.from_memory("04_four", Progress(answers=before.answers + after)) == chosen


def test_a_line_is_lit_when_all_its_questions_were_answered_right():
    line = LogLine(5, "text", ("evidence",), "a", "", ("a/x", "b/y"))
    assert not line.lit(progress(("a/x", "a", "right"), ("b/y", "b", "reason")))
    assert line.lit(progress(("a/x", "a", "right"), ("b/y", "c", "right")))
    assert not LogLine(1, "text", ("context",), "a").lit(progress())


def test_numbers_of_chapters():
    numbers = {stem: plan.number for stem, plan in chapters.plans().items()}
    assert numbers["00_hexadecimal"] == "0"
    assert numbers["10b_the_log"] == "10b"
    assert numbers["00_tour"] == numbers["gallery"] == ""


def test_what_does_not_exist_is_named():
    with pytest.raises(ValueError, match="chapter '99_none' does not exist: choose from 00_tour"):
        chapters.plan("99_none")
    with pytest.raises(QuestionError, match="chapter '99_none' has no questions"):
        chapters.question("x", "99_none")
    with pytest.raises(QuestionError, match="chapter '00_hexadecimal' has no question 'x': choose from two_digits"):
        chapters.question("x", "00_hexadecimal")


@pytest.mark.parametrize("page", ["notebooks/index.py", "docs/instructor.md"])
def test_the_time_that_the_short_course_takes_is_the_sum_of_its_chapters(page):
    minutes = sum(plan.minutes for plan in chapters.plans().values() if plan.tier == "short")
    assert f"about {round(minutes / 60)} hours" in (sources() / page).read_text(encoding="utf-8")
