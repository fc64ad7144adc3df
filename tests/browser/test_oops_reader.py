"""The oops reader as a learner meets it."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from pgtlab_widgets import OopsReader
from playwright.sync_api import expect

POSTED = Path(__file__).parents[1] / "data" / "oops" / "syzkaller"

PASTE = """(area, text) => {
    area.focus();
    area.value = text;
    area.dispatchEvent(new InputEvent("input", {inputType: "insertFromPaste", bubbles: true}));
}"""


def expect_lit(view, numbers):
    expect(view.locator(".annotated li.lit .number")).to_have_text(numbers)


def test_claim_and_line(show):
    page, view = show(OopsReader())
    expect(view.get_by_role("button", name="freed in destroy_args() without its destructor")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect_lit(view, ["3", "4", "39"])
    claim = view.get_by_role("button", name="vmemmap, where the struct page of pfn 0 would be")
    claim.click()
    expect(view.locator(".because")).to_contain_text("x1 = (x20 - vmemmap) >> 6")
    expect_lit(view, ["27", "28", "29"])
    expect(view.locator(".annotated li.lit").first).to_be_in_viewport()  # scrolled to
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(view.get_by_role("button", name="the memmap begins at")).to_have_attribute("aria-pressed", "true")
    line = view.get_by_role("button", name="ESR = 0x0000000096000004")
    line.click()
    expect(view.locator(".because")).to_contain_text("Read from line 7:")
    expect(view.locator("svg")).to_contain_text("Translation fault, level 0.")
    expect(view.locator(".claim.lit")).to_have_text("the MMU walks 4 levels of tables, from level 0 derived")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(view.locator(".because")).to_contain_text("Nothing was read from line 6.")


@pytest.mark.parametrize("width", [1280, 700])
def test_chosen_claim_is_in_sight_and_choices_move_nothing(show, width):
    reader = OopsReader()
    reader.chosen = next(claim["key"] for claim in reader.base_view["claims"] if "vmemmap, where" in claim["text"])
    page, view = show(reader)
    log = view.locator(".annotated")
    page.wait_for_function("document.querySelector('.annotated').scrollTop > 0")  # and not the page
    in_sight = "(log, line) => line.offsetTop >= log.scrollTop && line.offsetTop < log.scrollTop + log.clientHeight"
    assert log.evaluate(in_sight, log.locator("li.lit").first.element_handle())
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("width => innerWidth === width", arg=width)
    tops = "view => [...view.children].map((part) => part.offsetTop - view.offsetTop).concat(view.offsetHeight)"
    before = view.evaluate(tops)
    for n in range(view.locator(".claim").count()):
        view.locator(".claim").nth(n).click()
        expect(view.locator(".claim").nth(n)).to_have_attribute("aria-pressed", "true")
        assert view.evaluate(tops) == before


def test_paste_a_log(show):
    _, view = show(OopsReader())
    area = view.get_by_label("Or paste a log")
    area.evaluate(PASTE, (POSTED / "report-238.log").read_text())
    expect(view.get_by_role("alert").first).to_have_text(
        "this report is from arm (32 bits): pgtlab reads only those from arm64"
    )
    expect(view.locator(".annotated")).to_have_count(0)
    noise = "[    1.000000] usb 1-1: new high-speed USB device number 2 using xhci_hcd\n" * 14_000
    area.evaluate(PASTE, noise + (POSTED / "report-45.log").read_text())
    expect(view.get_by_role("button", name="0xdead000000000108 is LIST_POISON1")).to_be_visible()
    expect(area).to_have_value("")
    fold = view.get_by_role("button", name="more lines").first
    rows = view.locator(".annotated li")
    expect(fold).to_be_visible()
    few = rows.count()
    assert few < 100
    fold.click()
    expect(rows).to_have_count(few + 100)
    view.get_by_role("button", name="The story's log").click()
    expect(view.get_by_role("status")).to_contain_text("3 reports: bad page, oops, panic")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(show, theme):
    page, view = show(OopsReader(), theme=theme)
    view.get_by_role("button", name="ESR = 0x0000000096000004").click()
    expect(view.locator("svg")).to_contain_text("Translation fault, level 0.")
    result = Axe().run(page, context=".pgtlab-oops-reader")
    assert result.violations_count == 0, result.generate_report()
    page.set_viewport_size({"width": 700, "height": 900})
    assert view.evaluate("view => view.scrollWidth <= view.clientWidth")


def test_javascript_draws_its_data(render):
    made_up = {
        "samples": ["One"],
        "claims": [{"key": "claim 7", "text": "Said.", "sure": "sure", "lines": [9], "diagnosis": True}],
        "rows": [{"from": 1, "text": "all before"}, {"number": 9, "text": "A line.", "remarks": ["Made of it."]}],
        "log": {"text": "typed", "error": "Wrong."},
        "status": "A status.",
        "chosen": "claim 7",
        "lit": [9],
        "because": {"title": "Why.", "items": ["So."]},
        "pictures": [],
    }
    view = render(OopsReader, made_up)
    expect(view.locator(".annotated li.lit")).to_contain_text("▸9A line.Made of it.")
    expect(view.get_by_label("Or paste a log")).to_have_value("typed")
    expect(view.get_by_role("alert").first).to_have_text("Wrong.")
    for name in ("One", "Said. sure", "all before", "A line."):
        view.get_by_role("button", name=name).click()
    sent = [{"sample": "One"}, {"chosen": "claim 7"}, {"unfold": 1}, {"chosen": "line 9"}]
    assert view.page.evaluate("window.sent") == sent
