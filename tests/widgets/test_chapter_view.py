"""The title line and the summary of a chapter, in a workbench of its own."""

import pytest
from pgtlab_widgets import Chapter

from pgtlab.lab import chapters
from pgtlab.lab.progress import FILE, Answered, Progress

STEM = "02_a_tree"


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """A chapter in an empty workbench."""
    monkeypatch.chdir(tmp_path)
    return lambda: Chapter(STEM)


def test_the_title_line_has_the_facts_and_all_lines_of_the_log(chapter):
    facts, strip = chapter().head.elements()
    plan = chapters.plan(STEM)
    text = chapter().head.text()
    assert text.startswith(f"{plan.minutes} minutes")
    assert all(chapters.plan(stem).title in text or chapters.plan(stem).number in text for stem in plan.needs)
    assert dict(facts.attributes)["class"] == "facts"
    assert len(strip.content) == 59, "the lines of the real log"
    assert dict(strip.attributes)["aria-label"] == "The log of 29 February 2024: 0 of its 59 lines are lit"


def test_without_a_page_the_caption_is_below(chapter):
    *above, caption = chapter().head.static()
    assert len(above) == 2
    assert str(caption.content).startswith("0 of the 59 lines of the log are lit.")


def test_damaged_progress_is_told(chapter, tmp_path):
    (tmp_path / FILE).write_text("{")
    *_, note = chapter().head.elements()
    assert dict(note.attributes)["role"] == "alert"
    assert "progress.json is damaged: it is kept as progress-damaged.json" in str(note.content)


def test_the_summary_counts_the_right_answers(chapter):
    names = chapters.names(STEM)
    assert f"You have answered 0 of {len(names)} questions right." in chapter().summary().text()
    for name, verdict in ((names[0], "right"), (names[1], "wrong")):
        Progress.of().add(Answered(name, STEM, "seed", verdict, "4"))
    assert f"You have answered 1 of {len(names)} questions right." in chapter().summary().text()


def test_what_the_reader_writes_is_not_counted_as_right(tmp_path, monkeypatch):
    """The last chapter keeps two texts, and judges none."""
    monkeypatch.chdir(tmp_path)
    assert "questions right" not in Chapter("13_your_own_case").summary().text()
