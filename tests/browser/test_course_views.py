"""The head of a chapter, its summary and the map of the course, as a learner meets them."""

import re

import pytest
from pgtlab_widgets import Chapter, CourseMap
from playwright.sync_api import expect

from pgtlab.lab import chapters
from pgtlab.lab.progress import Progress
from tests.browser.drawing import assert_accessible


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """Chapter 5, for a reader without progress."""
    monkeypatch.chdir(tmp_path)
    return Chapter("05_a_fault")


def right(view):
    """Answer a question right."""
    asked = view.question
    value = asked.answer.right
    view.answer(
        f"{value:#x}" if isinstance(value, int) else value or "words", asked.reasons.right if asked.reasons else ""
    )


def test_a_line_lights_up_when_it_was_answered_for(show, chapter):
    _, view = show(chapter.head)
    line = chapters.log_lines()[7]
    expect(view.locator(".shown")).to_contain_text("0 of the 59 lines")
    bar = view.get_by_role("link", name="Line 7: ESR = 0x0000000096000004")
    expect(bar).to_have_accessible_name("Line 7: ESR = 0x0000000096000004 (not lit yet)")
    for name in line.questions:
        right(chapter.ask(name))
    chapter.head.draw()
    view.page.evaluate("view => window.receive(JSON.parse(view))", chapter.head.get_state()["view"])
    expect(bar).to_have_accessible_name("Line 7: ESR = 0x0000000096000004 (lit)")
    expect(bar).to_have_class("bar evidence lit")


def test_the_strip_is_read_with_arrow_keys(show, chapter):
    page, view = show(chapter.head)
    view.get_by_role("link", name="Line 1:").focus()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(view.get_by_role("link", name="Line 3:")).to_be_focused()
    expect(view.locator(".shown")).to_have_text("3: page does not match folio")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(view.get_by_role("link", name="Line 3:")).to_be_focused()


def test_a_line_under_the_pointer_is_shown_and_leads_to_its_section(show, chapter):
    _, view = show(chapter.head)
    bar = view.get_by_role("link", name="Line 11:")
    bar.hover()
    expect(view.locator(".shown")).to_have_text("11: FSC = 0x04: level 0 translation fault")
    assert bar.get_attribute("href").startswith(f"{chapters.log_lines()[11].chapter}.ipynb#")


def test_questions_from_memory(show, chapter):
    first, second = chapter.recalled
    page, _ = show(first, second)
    expect(page.get_by_text("From memory: chapter")).to_have_count(2)
    assert {first.name.partition("/")[0], second.name.partition("/")[0]} <= set(chapters.plans())


def test_the_summary_counts_and_leads_to_the_exercises(show, chapter):
    right(chapter.ask("exception_class"))
    _, view = show(chapter.summary())
    expect(view).to_contain_text("You have answered 1 of")
    expect(view.get_by_role("link").first).to_have_attribute("href", re.compile(r"\.\./exercises/\w+\.ipynb"))


def test_the_map_says_what_is_next(show, chapter):
    right(chapter.ask("exception_class"))
    _, view = show(CourseMap())
    expect(view.locator("p", has_text="Next: ")).to_have_text("Next: 5. How does it fail?")
    expect(view.locator(".course-map > li", has_text="5. How does it fail?")).to_contain_text("1 of")
    assert view.locator(".course-map > li").count() == sum(plan.written for plan in chapters.plans().values())


def test_a_damaged_file_is_said(show, chapter):
    Progress.of().path.write_text("{")
    _, view = show(Chapter("05_a_fault").head)
    expect(view.get_by_role("alert").first).to_contain_text("progress.json is damaged: it is kept as")


@pytest.mark.long
def test_axe_finds_no_violation(show, chapter):
    right(chapter.ask("exception_class"))
    page, _ = show(chapter.head, chapter.summary(), CourseMap())
    assert_accessible(page, ".pgtlab-course")


@pytest.mark.parametrize(
    "make", [lambda chapter: chapter.head, lambda chapter: chapter.summary(), lambda _: CourseMap()]
)
def test_a_page_without_widgets_has_the_same_words(show, empty_page, chapter, make):
    view = make(chapter)
    data, _ = view._repr_mimebundle_()
    empty_page.set_content(data["text/html"])
    static = empty_page.locator(".pgtlab-course").inner_text()
    _, live = show(view)
    assert static.split() == live.inner_text().split()[: len(static.split())]
