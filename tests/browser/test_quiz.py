"""Quiz mode as a learner meets it."""

import pytest
from pgtlab_widgets import Explorer, FoldLab, PageInspector, WalkStepper
from playwright.sync_api import expect

from tests.browser.drawing import assert_accessible
from tests.browser.test_readable import assert_readable, forced_colours


def quiz(view):
    return view.get_by_role("group", name="Quiz")


def answer(view, text):
    """Type an answer, or choose it."""
    field = quiz(view).get_by_role("textbox")
    if field.count():
        field.fill(text)
        field.press("Enter")
    else:
        quiz(view).get_by_role("button", name=text, exact=True).click()


def test_address_is_filled_in_by_keyboard(show):
    page, view = show(Explorer("4k", 48, address=0xFFFF_F6C9_A513_3456, quiz=True))
    svg = view.locator("svg")
    expect(svg).not_to_contain_text("level 0")
    expect(quiz(view)).to_contain_text("1 of 7")
    quiz(view).get_by_role("button", name="TTBR1_EL1").press("Enter")
    field = quiz(view).get_by_role("textbox", name="At which level does the walk start?")
    field.focus()
    for text, feedback in (
        ("4", "That is how many levels the walk has"),
        ("0", "Right: 0."),
        ("0xed", "one bit fewer"),
        ("493", "Right: 0x1ed (493)."),
    ):
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(quiz(view).locator(".feedback")).to_contain_text(feedback)
        expect(quiz(view).get_by_role("textbox")).to_be_focused()
    expect(svg).to_contain_text("level 00x1ed (493)")
    expect(svg).not_to_contain_text("level 1")
    expect(quiz(view).get_by_role("textbox")).to_have_value("")


def test_unexplained_number_asks_for_a_step(show):
    _, view = show(Explorer("4k", 48, address=0xFFFF_F6C9_A513_3456, quiz=True))
    for text in ("TTBR1_EL1", "0", "123456"):
        answer(view, text)
    expect(quiz(view)).to_contain_text("One step before it")
    expect(quiz(view)).to_contain_text("Which is the lowest address bit of the index at level 0?")
    answer(view, "27")
    expect(quiz(view)).to_contain_text("You left out the offset in the page")
    answer(view, "39")
    expect(quiz(view)).to_contain_text("Which entry does the address choose at level 0?")


def test_not_a_number_is_not_judged(show):
    widget = Explorer("4k", 48, address=0x1000, quiz=True)
    _, view = show(widget)
    answer(view, "TTBR0_EL1")
    answer(view, "zero")
    expect(quiz(view).get_by_role("alert")).to_contain_text("is not a number")
    assert widget.quiz_answers["start"].said == ()
    quiz(view).get_by_role("textbox").blur()  # leaving the field is not an answer
    quiz(view).get_by_role("textbox").fill("3")
    view.locator("svg").click(position={"x": 2, "y": 2})
    page_answers = widget.quiz_answers["start"].said
    assert page_answers == ()
    quiz(view).get_by_role("button", name="Check").click()
    expect(quiz(view).locator(".feedback")).not_to_be_empty()
    assert widget.quiz_answers["start"].said == ("3",)


def test_everything_told_and_another_address(show):
    widget = Explorer("4k", 48, quiz=True)
    _, view = show(widget)
    for number in range(1, 8):
        expect(quiz(view)).to_contain_text(f"{number} of 7")
        quiz(view).get_by_role("button", name="I don't know").click()
    expect(quiz(view)).to_contain_text("All 7 values are there: 0 right at once, 7 told.")
    expect(view.locator("svg")).to_contain_text("level 3")
    before = view.get_by_label("Address").input_value()
    quiz(view).get_by_role("button", name="Another address").click()
    expect(quiz(view)).to_contain_text("1 of 7")
    expect(view.get_by_label("Address")).not_to_have_value(before)


def test_walk_opens_step_by_step(show):
    widget = WalkStepper(quiz=True)
    _, view = show(widget)
    svg = view.locator("svg")
    table = f"{widget.walk.steps[0].descriptor.oa:#x}"
    answer(view, "TTBR0_EL1")
    answer(view, f"{widget.walk.steps[0].index:#x}")
    expect(view.get_by_text("Step 1 of 5")).to_be_visible()
    expect(svg).not_to_contain_text(table)
    answer(view, f"{int(widget.walk.steps[0].descriptor):#x}")
    expect(quiz(view)).to_contain_text("That is the whole word.")
    answer(view, table)
    expect(svg).to_contain_text(table)
    expect(view.get_by_role("table")).to_have_count(0)  # the fields of the word would say the rest
    for name in ("Step ▶", "Run to the end"):  # nothing can be seen before it is known
        expect(view.get_by_role("button", name=name)).to_have_attribute("aria-disabled", "true")
    view.get_by_role("button", name="◀ Back").click()
    expect(view.get_by_text("Step 0 of 5")).to_be_visible()
    view.get_by_role("button", name="Step ▶").click()
    expect(view.get_by_text("Step 1 of 5")).to_be_visible()


def test_cells_are_filled_in(show):
    _, view = show(FoldLab(page_size="16k", cpu="max,lpa2=off", quiz=True))
    said = view.locator("svg").get_by_text("47 bits", exact=True)
    expect(said).to_have_count(0)
    for text in ("yes", "47", "computed, not read", "folded at compile time", "folded at run time", "real"):
        answer(view, text)
    expect(quiz(view)).to_contain_text("6 right at once")
    expect(said).to_have_count(1)


def test_page_is_filled_in(show):
    _, view = show(PageInspector(quiz=True))
    call = view.get_by_role("toolbar", name="Actions").get_by_role("button", name="alloc_pages(0)")
    call.click()
    expect(call).to_have_attribute("aria-disabled", "true")
    expect(view.locator("svg")).to_contain_text("_refcount = ?")
    for text in ("0xffffffff", "-1", "1"):
        answer(view, text)
    expect(view.locator("svg")).to_contain_text("_refcount = 1")
    expect(call).not_to_have_attribute("aria-disabled", "true")
    view.get_by_role("toolbar", name="Actions").get_by_role("button", name="pagetable_pud_ctor(page)").click()
    answer(view, "0xfffffdff")
    field = quiz(view).get_by_role("textbox", name="The same four bytes as _mapcount?")
    expect(field).to_be_focused()
    expect(field).to_have_value("")


QUIZZES = {
    "explorer": lambda: Explorer(quiz=True),
    "walk stepper": lambda: WalkStepper(quiz=True),
    "fold lab": lambda: FoldLab(quiz=True),
    "page inspector": lambda: called(PageInspector(quiz=True)),
}


def called(inspector):
    inspector.do("alloc_pages(0)")
    return inspector


@pytest.mark.parametrize("name", QUIZZES)
@pytest.mark.long
def test_axe_finds_no_violation(show, name):
    page, view = show(QUIZZES[name]())
    quiz(view).get_by_role("button", name="I don't know").click()
    expect(quiz(view).locator(".feedback")).to_contain_text("It is")
    field = quiz(view).get_by_role("textbox")
    field.fill("77")
    field.press("Enter")
    expect(quiz(view).locator(".feedback")).to_contain_text("not right")
    assert_accessible(page, ".pgtlab-view")


@pytest.mark.parametrize("name", QUIZZES)
def test_text_in_forced_colours(show, name):
    page, view = show(QUIZZES[name]())
    forced_colours(page, "dark")
    assert_readable(page)
    questions = quiz(view).locator("p, label, button")
    assert set(questions.evaluate_all("all => all.map(each => getComputedStyle(each).color)")) <= {
        "rgb(255, 255, 255)",
        "rgb(0, 0, 0)",
    }
