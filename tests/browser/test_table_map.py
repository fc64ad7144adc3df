"""The table map as a learner meets it."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from pgtlab_widgets import TableMap
from playwright.sync_api import expect

CELL = "from pgtlab_widgets import TableMap\nTableMap(page_size='4k', va_bits=52)"


def test_from_the_root_to_an_entry_by_click_and_by_key(run_cells):
    page, view = run_cells(CELL)
    picture = view.locator("svg")
    expect(picture).to_contain_text("level -1, the root")
    expect(picture).to_contain_text("4 PiB")
    view.get_by_role("button", name="linear map", exact=True).first.click()
    expect(picture).to_contain_text("The way to 0xfff0000000000000")
    expect(picture).to_contain_text("level 2, table 1 of 1")
    expect(picture).to_contain_text("level 2 block")
    view.get_by_role("button", name=re.compile(r"^\[0x00f\] .* 1 Table")).last.focus()
    page.keyboard.press("Enter")
    expect(picture).to_contain_text("The way to 0xffff000000000000")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(picture).to_contain_text("The way to 0xfff1000000000000")


def test_a_part_of_a_bar_is_magnified_by_a_click_down_to_the_page(run_cells):
    _, view = run_cells(CELL)
    picture = view.locator("svg")
    sixteenths = view.locator("rect[data-item^='scale 5 ']").and_(view.locator("[data-va]"))
    expect(sixteenths).to_have_count(16)
    sixteenths.nth(15).click()
    expect(picture).to_contain_text("The way to 0xffffc1ffc01e0000")
    view.get_by_role("button", name="linear map", exact=True).first.click()
    expect(picture).to_contain_text("The way to 0xfff0000000000000")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(run_cells, theme):
    page, _ = run_cells(CELL, theme=theme)
    result = Axe().run(page, context=".pgtlab-table-map")
    assert result.violations_count == 0, result.generate_report()


def test_its_javascript_draws_what_it_is_given(render):
    cell = {"x": 1, "y": 2, "width": 3, "height": 4, "data-va": "0x7"}
    shapes = [{"key": "c", "tag": "rect", "attributes": cell, "hint": "C"}]
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": shapes}
    view = render(TableMap, {**TableMap().view, "picture": made_up})
    view.get_by_role("button", name="C", exact=True).press("Enter")
    assert view.page.evaluate("window.sent") == [{"va": "0x7"}]
