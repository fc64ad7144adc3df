"""The TLB view as a learner meets it."""

import re

import pytest
from pgtlab_widgets import TLBView
from playwright.sync_api import expect

from tests.browser.drawing import assert_accessible, hold_steps


def option(view, choice, name):
    return view.get_by_role("toolbar", name=choice, exact=True).get_by_role("button", name=name, exact=True)


def counted(view):
    expect(view.get_by_role("status")).to_contain_text("% more.")


# A small TLB.


def test_an_entry_is_filled_hit_and_evicted(show):
    page, view = show(TLBView())
    title, row = view.locator("svg [class~=strong]").first, view.locator("svg rect.changed")
    expect(title).to_have_text("Access 33 of 48: 0x20020000 misses, and evicts 0x20000000")
    expect(row).to_have_count(1)
    expect(view.locator("svg")).to_contain_text("was 0x20000000")
    view.get_by_role("button", name="Step ▶").click()
    expect(title).to_have_text("Access 34 of 48: 0x20021000 hits entry 0")
    expect(row).to_have_count(0)
    expect(view.locator("svg rect[class^=level-]")).to_have_count(8)  # those of the entries: nothing is walked
    view.get_by_role("button", name="|◀ Start").click()
    expect(title).to_have_text("Access 1 of 48: 0x20000000 misses, and fills entry 0")
    expect(view.locator("svg > text", has_text=re.compile("^empty$"))).to_have_count(7)
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text("Access 2 of 48: 0x20001000 hits entry 0")
    page.keyboard.press("End")
    expect(title).to_contain_text("Access 48 of 48")
    view.get_by_role("button", name="access 5, 0x20004000").click()
    expect(title).to_have_text("Access 5 of 48: 0x20004000 misses, and fills entry 1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(title).to_contain_text("Access 6 of 48")
    assert view.get_by_role("status").text_content() == title.text_content()


def test_play_and_pause(show_with_clock):
    tlb = TLBView()
    tlb.access = 45
    page, view = show_with_clock(tlb)
    page.clock.install()
    status = view.get_by_role("status")
    view.get_by_role("button", name="Play").click()
    page.clock.run_for(800)
    expect(status).to_contain_text("Access 46 of 48")
    page.clock.run_for(1600)
    expect(status).to_contain_text("Access 47 of 48")
    view.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    expect(status).to_contain_text("Access 47 of 48")
    view.get_by_role("button", name="Play").click()
    page.clock.run_for(800)
    expect(status).to_contain_text("Access 48 of 48")
    page.clock.run_for(1600)
    view.get_by_role("button", name="Play").click()  # again from the start
    expect(status).to_contain_text("Access 1 of 48")


def test_blocks_and_processes(show):
    _, view = show(TLBView())
    option(view, "Trace", "two processes").click()
    expect(view.locator("svg")).to_contain_text("all")
    option(view, "Mapped by", "blocks").click()
    expect(view.locator("svg")).to_contain_text("32 MiB")
    option(view, "TLB entries", "4 sets of 2").click()
    expect(view.locator("svg")).to_contain_text("set 3, 1")


# The costs.


def test_47_bits_against_48(show):
    page, view = show(TLBView(accesses=100_000, part="costs"))
    status = view.get_by_role("status")
    counted(view)
    expect(view.get_by_role("progressbar")).to_have_count(0)
    expect(view.locator("svg")).not_to_contain_text("no such level")
    option(view, "Walk cache", "last tables").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # each level
    expect(status).to_contain_text(": 0.00% more.")
    option(view, "Mapped by", "blocks").click()
    expect(view.locator("pre")).to_contain_text("mapped by blocks, 100,000 accesses")
    option(view, "Page size", "4k").click()
    expect(option(view, "Address bits", "48 and 52")).to_have_attribute("aria-pressed", "true")
    expect(status).to_contain_text("4K/52 LPA2 reads")


def test_long_trace_shows_progress_and_can_be_left(show, monkeypatch):
    monkeypatch.setattr("pgtlab_widgets.tlb_costs.MOMENT", 0)  # steps that do not depend on time
    tlb = TLBView(accesses=100_000, part="costs")
    _, view = show(tlb)
    counted(view)
    hold_steps(tlb, after=4)  # the first make the trace
    option(view, "Accesses", "10,000,000").click()
    title = view.locator("svg text").first
    expect(title).to_have_text("So far, 65,536 of 10,000,000: 16K/48 reads 3.25 for each access, 16K/47 2.50")
    expect(view.get_by_role("progressbar", name="Accesses so far")).to_be_visible()
    expect(view.locator("svg .length:not(.partial)")).to_have_count(0)
    del tlb._attempt
    option(view, "Accesses", "100,000").click()
    counted(view)
    expect(title).to_have_text("16K/48 reads 3.25 descriptors for each access, 16K/47 2.50: 30.0% more")
    expect(view.locator("svg .partial")).to_have_count(0)
    assert view.locator("svg .length").count() > 7


def test_nothing_is_counted_while_the_small_tlb_is_shown(show):
    tlb = TLBView(accesses=100_000, part="costs")
    _, view = show(tlb)
    hold_steps(tlb, after=1)
    view.get_by_role("button", name="What a TLB holds").click()
    expect(view.locator("svg")).to_contain_text("Access 33 of 48")
    assert "next" not in tlb.view
    del tlb._attempt
    view.get_by_role("button", name="What a level costs").click()
    counted(view)


# Both.


@pytest.mark.parametrize("part", ["entries", "costs"])
@pytest.mark.long
def test_axe_finds_no_violation(show, part):
    page, view = show(TLBView(accesses=100_000, part=part))
    if part == "costs":
        counted(view)
    assert_accessible(page, ".pgtlab-tlb")
    page.set_viewport_size({"width": 700, "height": 900})
    assert view.evaluate("view => view.scrollWidth <= view.clientWidth")
    assert view.locator("svg").bounding_box()["width"] <= 616, "as wide as the view at most"


def test_javascript_draws_its_data_and_asks_for_each_step_once(render):
    text = {"key": "t", "tag": "text", "attributes": {"x": 1, "y": 2}, "text": "no such trace"}
    option = {"label": "One", "selected": False, "send": {"choose": {"a": 1}}, "note": "Noted."}
    made_up = {
        "part": "costs",
        "parts": [{**option, "label": "Other", "send": {"part": "x"}}],
        "choices": [{"label": "Choice", "short": "", "options": [option]}],
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
    view.locator(".unfold").click()
    page.wait_for_function("window.sent.length === 1")
    page.evaluate("view => window.receive(view)", made_up)
    view.get_by_role("button", name="One", exact=True).press("Enter")
    page.evaluate("view => window.receive(view)", {**made_up, "next": {"step": 5}})
    page.wait_for_function("window.sent.length === 3")
    page.evaluate("view => window.receive(view)", {**made_up, "next": None})
    expect(view.get_by_role("progressbar")).to_have_count(0)
    expect(view.get_by_text("About it.")).to_be_visible()
    assert page.evaluate("window.sent") == [{"step": 4}, {"choose": {"a": 1}}, {"step": 5}]
