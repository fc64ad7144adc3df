"""A question as a learner meets it: answered by keyboard or mouse, and what is said then."""

import json

import pytest
from pgtlab_widgets import QuestionView
from playwright.sync_api import expect

from pgtlab.lab.progress import Progress
from pgtlab.lab.question import Choice, Intermediate, Number, Order, Question, Words, Wrong
from tests.browser.drawing import assert_accessible


def tables(draw):
    pages = draw.randrange(2, 500)
    return Question(
        f"A process maps **{pages}** pages in a row, all in one level 3 table. How many tables does it need there?",
        Number(1, unit="tables"),
        f"The model made **1**: a level 3 table has 512 entries, and {pages} is less.",
        (
            Wrong(
                pages, "one-table-a-page", f"You said {pages}, as if a table held one page. *How many entries* has it?"
            ),
        ),
        Choice(
            "a table has an entry for each of 512 pages", ("each page has a table", "`pgd` and `pud` are <b>shared</b>")
        ),
        (11, 5),
        (Intermediate("How many entries does a table have?", Number(512)), "How many pages does one entry map?"),
    )


def lines(draw):
    return Question("Order the walk.", Order(("read TTBR0", "read level 0", "read level 1")), "From the top.")


def words(draw):
    return Question("What will the kernel do?", Words(), "It **panics**.")


def view_of(make, progress=None):
    return QuestionView("02_a_tree/tables", make, progress=progress)


def test_wrong_number_gets_its_misconception(show):
    widget = view_of(tables)
    _, view = show(widget)
    pages = widget.question.wrong[0].value
    view.get_by_label("Your answer").fill(str(pages))
    view.get_by_label("each page has a table").check()
    view.get_by_role("button", name="Answer").click()
    feedback = view.get_by_role("group", name="Feedback")
    expect(feedback).to_contain_text("Not right.")
    expect(feedback.locator(".said")).to_contain_text(f"{pages} tables")
    expect(feedback.locator(".said")).to_contain_text("because each page has a table")
    expect(feedback.locator(".truth")).to_contain_text("The model made 1")
    expect(feedback).to_contain_text("as if a table held one page")
    expect(feedback).to_be_focused()
    expect(view.get_by_role("button", name="Answer", exact=True)).to_have_count(0)


def test_the_second_half_of_a_double_click_does_not_ask_again(show):
    _, view = show(view_of(tables))
    view.get_by_role("button", name="I don't know").click()
    again = view.get_by_role("button", name="Try with other numbers")
    again.dispatch_event("click", {"detail": 2})
    again.focus()  # after it, the page has done what the click asked for
    expect(view.get_by_role("group", name="Feedback")).to_contain_text("That costs nothing.")
    again.click()
    expect(view.get_by_role("group", name="Feedback")).to_have_count(0)


def test_other_numbers_after_an_answer(show):
    widget = view_of(tables)
    _, view = show(widget)
    before = widget.question.text
    view.get_by_role("button", name="I don't know").click()
    expect(view).to_contain_text("That costs nothing.")
    view.get_by_role("button", name="Try with other numbers").click()
    expect(view.get_by_label("Your answer")).to_have_value("")
    expect(view.get_by_role("group", name="Feedback")).to_have_count(0)
    expect(view.locator(".text")).to_be_focused()
    assert widget.question.text != before


def test_unexplained_number_is_taken_in_steps(show):
    page, view = show(view_of(tables))
    view.get_by_label("a table has an entry").check()
    view.get_by_label("Your answer").fill("1000")
    view.get_by_label("Your answer").press("Enter")
    expect(view.get_by_role("listitem")).to_have_text(
        ["How many entries does a table have?", "How many pages does one entry map?"]
    )
    expect(view).not_to_contain_text("The model made")
    step = view.get_by_label("How many entries does a table have?")
    for typed, said in (("64", "not right"), ("many", "is not a number"), ("512", "right")):
        step.fill(typed)
        page.keyboard.press("Enter")
        expect(view.locator(".came")).to_contain_text(said)
        expect(view.get_by_label("Your answer") if said == "right" else step).to_be_focused()
    assert_accessible(page, ".pgtlab-view")
    view.get_by_label("Your answer").fill("0x1")
    page.keyboard.press("Enter")
    expect(view).to_contain_text("Right.")
    expect(view).to_contain_text(
        "In the log: lines 5, 11 need the answer to another question too, in chapters 5, 6b, 10b."
    )


@pytest.mark.parametrize(
    ("typed", "says"),
    [("", "Type a number first."), ("four", "four is not a number: write one such as 42, 0x2a or 1_000.")],
)
def test_nonsense_gets_one_sentence(show, typed, says):
    widget = view_of(tables)
    _, view = show(widget)
    view.get_by_label("Your answer").fill(typed)
    view.get_by_role("button", name="Answer").click()
    expect(view.get_by_role("alert").first).to_contain_text(says)
    expect(view.get_by_label("Your answer")).to_be_focused()
    expect(view.get_by_label("Your answer")).to_have_value(typed)
    assert widget.feedback is None


def test_a_reason_is_needed(show):
    page, view = show(view_of(tables))
    view.get_by_label("Your answer").fill("1")
    page.keyboard.press("Enter")
    expect(view.get_by_role("alert").first).to_have_text("Choose a reason as well.")


def test_markup_in_a_question_stays_text(show):
    _, view = show(view_of(tables))
    option = view.locator(".option", has_text="shared")
    expect(option).to_have_text("pgd and pud are <b>shared</b>")
    expect(option.locator("code").first).to_have_text("pgd")


def test_lines_are_ordered_by_keyboard(show):
    widget = view_of(lines)
    page, view = show(widget)
    for wanted, line in enumerate(("read TTBR0", "read level 0")):
        rows = view.locator(".order code").all_text_contents()
        view.get_by_role("button", name=f"Move up: {line}").focus()
        for _ in range(rows.index(line) - wanted):
            page.keyboard.press("Enter")
            page.wait_for_function("!window.unanswered")
    expect(view.locator(".order code")).to_have_text(["read TTBR0", "read level 0", "read level 1"])
    view.get_by_role("button", name="Answer", exact=True).click()
    expect(view).to_contain_text("Right.")


def test_the_focus_moves_with_a_line(show):
    widget = view_of(lines)
    page, view = show(widget)
    line = widget.drawn()["lines"][0]
    view.get_by_role("button", name=f"Move down: {line}").focus()
    page.keyboard.press("Enter")
    expect(view.get_by_role("button", name=f"Move down: {line}")).to_be_focused()


def test_a_prediction_is_kept_beside_the_truth(show):
    _, view = show(view_of(words))
    view.get_by_label("Your answer").fill("It boots.\nProbably.")
    view.get_by_role("button", name="Answer").click()
    expect(view.locator(".said pre")).to_have_text("It boots.\nProbably.")
    expect(view.locator(".truth")).to_contain_text("It panics.")
    expect(view).not_to_contain_text("Right.")
    expect(view.get_by_role("button", name="Answer again")).to_be_visible()


def test_answer_is_there_when_the_cell_runs_again(show, tmp_path):
    progress = Progress(tmp_path / "progress.json")
    view_of(tables, progress).answer("1", "each page has a table")
    _, view = show(view_of(tables, Progress.of(tmp_path)))
    expect(view).to_contain_text("The answer is right, and the reason is not.")
    expect(view.locator(".said")).to_contain_text("1 table")


def test_a_page_without_widgets_has_the_answer_folded(empty_page):
    data, _ = view_of(tables)._repr_mimebundle_()
    empty_page.set_content(data["text/html"])
    expect(empty_page.get_by_text("How many tables does it need there")).to_be_visible()
    expect(empty_page.get_by_text("The model made")).not_to_be_visible()
    empty_page.get_by_text("Answer", exact=True).click()
    expect(empty_page.get_by_text("The model made")).to_be_visible()


@pytest.mark.parametrize("make", [tables, lines, words])
@pytest.mark.long
def test_axe_finds_no_violation(show, make):
    page, view = show(view_of(make))
    for _ in range(2):
        assert_accessible(page, ".pgtlab-question")
        if view.get_by_role("button", name="I don't know").count():
            view.get_by_role("button", name="I don't know").click()
            expect(view.get_by_role("group", name="Feedback")).to_be_visible()


def test_javascript_draws_its_data(render):
    view = render(QuestionView, {**view_of(words).drawn(), "text": [], "typed": "made up"})
    expect(view.get_by_role("textbox")).to_have_value("made up")
    view.get_by_role("button", name="I don't know").press("Enter")
    assert json.loads(view.page.evaluate("JSON.stringify(window.sent)")) == [{"unknown": True}]


def test_what_was_typed_for_a_step_is_there_again(show, tmp_path):
    progress = Progress(tmp_path / "progress.json")
    page, view = show(view_of(tables, progress))
    view.get_by_label("a table has an entry").check()
    view.get_by_label("Your answer").fill("1000")
    page.keyboard.press("Enter")
    view.get_by_label("How many entries").fill("512")
    view.get_by_label("Your answer").focus()
    expect(view.locator(".step.right .came")).to_have_text("right")
    later = view_of(tables, Progress.of(tmp_path))
    drawn = later.drawn()["steps"]
    assert [(step["typed"], step["verdict"]) for step in drawn] == [("512", "right"), ("", "")]
    assert "512" in later._repr_mimebundle_()[0]["text/html"].split("<details>")[0].split("<ol>")[1]
