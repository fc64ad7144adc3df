"""The TLB view as a learner meets it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from pgtlab_widgets import TLBView
from playwright.sync_api import expect

from tests.browser.drawing import hold_steps


def option(view, choice, name):
    return view.get_by_role("toolbar", name=choice, exact=True).get_by_role("button", name=name, exact=True)


def test_47_bits_against_48(show):
    page, view = show(TLBView(accesses=100_000))
    status = view.get_by_role("status")
    expect(status).to_contain_text("16K/48 reads")
    expect(status).to_contain_text("% more.")
    expect(view.locator("svg")).to_contain_text("no such level")
    option(view, "Walk cache", "last tables").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # each level
    expect(status).to_contain_text(": 0.00% more.")
    option(view, "Mapped by", "blocks").click()
    expect(view.locator("svg")).to_contain_text("mapped by blocks, 100,000 accesses")
    option(view, "Page size", "4k").click()
    expect(option(view, "Address bits", "48 and 52")).to_have_attribute("aria-pressed", "true")
    expect(status).to_contain_text("4K/52 LPA2 reads")


def test_long_trace_shows_progress_and_can_be_left(show):
    tlb = TLBView(accesses=100_000)
    _, view = show(tlb)
    status = view.get_by_role("status")
    expect(status).to_contain_text("% more.")
    hold_steps(tlb, after=4)  # the first make the trace
    option(view, "Accesses", "10,000,000").click()
    expect(status).to_contain_text(" of 10,000,000 accesses")
    expect(status).not_to_have_text("0 of 10,000,000 accesses")
    expect(view.get_by_role("progressbar", name="Accesses so far")).to_be_visible()
    del tlb.receive
    option(view, "Accesses", "100,000").click()
    expect(status).to_contain_text("% more.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(show, theme):
    page, view = show(TLBView(accesses=100_000), theme=theme)
    expect(view.get_by_role("status")).to_contain_text("% more.")
    result = Axe().run(page, context=".pgtlab-tlb")
    assert result.violations_count == 0, result.generate_report()
    page.set_viewport_size({"width": 700, "height": 900})
    assert view.evaluate("view => view.scrollWidth <= view.clientWidth")


def test_javascript_draws_its_data_and_asks_for_each_step_once(render):
    text = {"key": "t", "tag": "text", "attributes": {"x": 1, "y": 2}, "text": "no such trace"}
    option = {"label": "One", "selected": False, "send": {"choose": {"a": 1}}, "note": "Noted."}
    made_up = {
        "choices": [{"label": "Choice", "options": [option]}],
        "note": "About it.",
        "status": "A status.",
        "done": 3,
        "accesses": 7,
        "next": {"step": 4},
        "picture": {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": [text]},
    }
    view = render(TLBView, made_up)
    assert view.locator("svg").inner_html() == '<text x="1" y="2">no such trace</text>'
    expect(view.get_by_role("progressbar")).to_have_js_property("value", 3)
    page = view.page
    page.wait_for_function("window.sent.length === 1")
    page.evaluate("view => window.receive(view)", made_up)
    view.get_by_role("button", name="One").press("Enter")
    page.evaluate("view => window.receive(view)", {**made_up, "next": {"step": 5}})
    page.wait_for_function("window.sent.length === 3")
    page.evaluate("view => window.receive(view)", {**made_up, "next": None})
    expect(view.get_by_role("progressbar")).to_have_js_property("value", 7)
    assert page.evaluate("window.sent") == [{"step": 4}, {"choose": {"a": 1}}, {"step": 5}]
