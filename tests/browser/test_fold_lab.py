"""The fold lab as a learner meets it."""

import pytest
from pgtlab_widgets import Explorer, FoldLab
from playwright.sync_api import expect

from tests.browser.drawing import assert_accessible


def cell(view, name):
    return view.get_by_role("button", name=name)


def test_click_loads_a_cell_in_all_views(show):
    explorer = Explorer()
    page, view = show(FoldLab(explorer), explorer)
    cell(view, "16K pages, VA_BITS=52, PA_BITS=52 on max without LPA2").click()
    chosen = cell(view, "16K pages, VA_BITS=52, PA_BITS=52 on max without LPA2")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    expect(view.get_by_role("status")).to_contain_text("47 bits in use")
    other = page.locator(".pgtlab-explorer").first
    expect(other.locator("svg")).to_contain_text("47 bits in use, the walk starts at level 1")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(other.locator("svg")).to_contain_text("16K pages, VA_BITS=52 on max. 52 bits in use")
    expect(chosen).to_have_attribute("aria-pressed", "false")
    expect(view.locator("[data-item='cell 16k/52/52/max']")).to_be_focused()


def test_outline_is_around_all_cells_with_the_outcome_of_the_chosen_one(show):
    _, view = show(FoldLab())
    chosen = view.locator("[data-cell='4k/48/48/cortex-a72']")
    chosen.click()
    outline = view.locator("rect.frame.selected")
    expect(outline).to_have_count(1)
    expect(outline).to_have_css("stroke-width", "3px")
    run, column = outline.bounding_box(), chosen.bounding_box()
    assert run["width"] > 3 * column["width"]
    assert run["x"] <= column["x"]
    assert column["x"] + column["width"] <= run["x"] + run["width"] + 1


@pytest.mark.long
def test_axe_finds_no_violation(show):
    page, _ = show(FoldLab())
    assert_accessible(page, ".pgtlab-fold-lab")


def test_javascript_draws_its_data(render):
    shapes = [
        {
            "key": "a",
            "tag": "rect",
            "attributes": {"x": 1, "y": 1, "width": 3, "height": 3, "data-cell": "one"},
            "hint": "A",
        },
        {
            "key": "b",
            "tag": "rect",
            "attributes": {"x": 5, "y": 1, "width": 3, "height": 3, "data-cell": "two"},
            "hint": "B",
        },
    ]
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": shapes}
    view = render(FoldLab, {"picture": made_up, "selected": "two", "status": "A status."})
    pressed = view.locator("rect").evaluate_all("all => all.map((one) => one.getAttribute('aria-pressed'))")
    assert pressed == ["false", "true"]
    cell(view, "A").press("Enter")
    assert view.page.evaluate("window.sent") == [{"cell": "one"}]
    expect(view.get_by_role("status")).to_have_text("A status.")
