"""The walk stepper as a learner meets it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from pgtlab_widgets import WalkStepper
from playwright.sync_api import expect

CELL = "from pgtlab_widgets import WalkStepper\nWalkStepper(page_size='16k', va_bits=52)"


def test_a_walk_goes_on_by_button_and_by_arrow_key_and_back(run_cells):
    page, view = run_cells(CELL)
    told = view.locator(".told")
    expect(told).to_contain_text("TTBR0_EL1 says where the first table is, of level 0")
    step = view.get_by_role("button", name="Step ▶")
    step.click()
    expect(told).to_contain_text("level 0")
    expect(step).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("level 1")
    expect(view.locator("svg").nth(1)).to_contain_text("Table = 0x")
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text("level 0")
    page.keyboard.press("End")
    expect(told).to_contain_text("PA 0x")
    expect(step).to_have_attribute("aria-disabled", "true")


def test_a_level_that_folds_is_the_same_words_under_another_name(run_cells):
    _, view = run_cells(CELL)
    picture = view.locator("svg").first
    expect(picture).to_contain_text("same entry again, folded at compile time")
    view.get_by_role("toolbar", name="LPA2").get_by_role("button", name="off").click()
    expect(picture).to_contain_text("folded at run time")
    expect(picture).to_contain_text("level 1 table")
    expect(picture).not_to_contain_text("level 0 table")


def test_a_fault_is_shown_where_it_happens_with_its_syndrome(run_cells):
    _, view = run_cells(CELL)
    view.get_by_role("button", name="a write to a page that is read-only").click()
    expect(view.locator(".told")).to_contain_text("level 3 permission fault")
    expect(view.locator(".told")).to_contain_text("ESR_EL1 = 0x9200004f")
    expect(view.locator("svg .wrong").first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(run_cells, theme):
    page, view = run_cells(CELL, theme=theme)
    view.get_by_role("button", name="a page that is not mapped").click()
    expect(view.locator(".told")).to_contain_text("translation fault")
    result = Axe().run(page, context=".pgtlab-walk-stepper")
    assert result.violations_count == 0, result.generate_report()


def test_its_javascript_draws_what_it_is_given(render):
    text = {"key": "t", "tag": "text", "attributes": {"x": 1, "y": 2}, "text": "no such walk"}
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": [text]}
    view = render(WalkStepper, {**WalkStepper().view, "picture": made_up, "word": None, "told": "Told."})
    assert view.locator("svg").inner_html() == '<text x="1" y="2">no such walk</text>'
    view.get_by_role("button", name="Step ▶").press("ArrowRight")
    assert view.page.evaluate("window.sent") == [{"forward": True}]
