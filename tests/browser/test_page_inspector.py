"""The page inspector as a learner meets it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from pgtlab_widgets import PageInspector
from playwright.sync_api import expect


def test_table_freed_without_its_destructor(show):
    page, view = show(PageInspector())
    svg = view.locator("svg")
    expect(svg).to_contain_text("_mapcount = -1")
    view.get_by_role("button", name="alloc_pages(0)").click()
    expect(svg).to_contain_text("_refcount = 1 (was 0)")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # pagetable_pud_ctor(page)
    expect(svg).to_contain_text("_mapcount = -513 (was -1)")
    expect(svg).to_contain_text("page_type = 0xfffffdff table")
    view.get_by_role("button", name="__free_pages(page, 0)").click()
    expect(view.locator(".log")).to_contain_text("BUG: Bad page state in process swapper/0")
    expect(view.locator(".log")).to_contain_text("mapcount:-512")
    expect(view.get_by_role("status")).to_contain_text("pagetable_pud_ctor(page) → __free_pages(page, 0)")
    view.get_by_role("button", name="start over").click()
    expect(view.locator(".log")).to_be_empty()


def test_buttons_are_disabled_after_a_panic(show):
    _, view = show(PageInspector())
    for name in ("alloc_pages(0)", "__free_pages(page, 0)", "__free_pages(page, 0)"):
        view.get_by_role("button", name=name).click()
    expect(view.locator(".log")).to_contain_text("Kernel panic - not syncing")
    expect(view.get_by_role("status")).to_contain_text("the kernel has panicked")
    expect(view.get_by_role("button", name="alloc_pages(0)")).to_have_attribute("aria-disabled", "true")
    view.get_by_role("button", name="start over").click()
    expect(view.get_by_role("button", name="alloc_pages(0)")).not_to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(show, theme):
    page, view = show(PageInspector(), theme=theme)
    view.get_by_role("button", name="alloc_pages(0)").click()
    expect(view.locator("svg")).to_contain_text("_refcount = 1")
    result = Axe().run(page, context=".pgtlab-page-inspector")
    assert result.violations_count == 0, result.generate_report()


def test_javascript_draws_its_data(render):
    inspector = PageInspector()
    text = {"key": "t", "tag": "text", "attributes": {"x": 1, "y": 2}, "text": "no such page"}
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": [text]}
    view = render(PageInspector, {**inspector.view, "picture": made_up, "log": "A log.", "actions": ["one", "two"]})
    assert view.locator("svg").inner_html() == '<text x="1" y="2">no such page</text>'
    view.get_by_role("button", name="one").press("Enter")
    assert view.page.evaluate("window.sent") == [{"do": "one"}]
