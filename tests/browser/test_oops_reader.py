"""The oops reader as a learner meets it."""

from pathlib import Path

import pytest
from pgtlab_widgets import Explorer, OopsReader, TableMap, WalkStepper
from playwright.sync_api import expect

from tests.browser.drawing import assert_accessible
from tests.browser.test_readable import forced_colours

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
    expect_lit(view, ["4", "39"])
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


@pytest.mark.long
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
    expect(view.get_by_role("status").first).to_contain_text("3 reports: bad page, oops, panic")


CLIPBOARD = """(area, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text", text);
    area.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""
NOISE = "[    1.000000] usb 1-1: new high-speed USB device number 2 using xhci_hcd\n"


def test_long_paste_shows_how_far_it_is_and_the_first_report_early(show):
    reader = OopsReader()
    _, view = show(reader)
    receive, publish, taken = reader.receive, reader.comm.publish_msg, []

    def stop_after_two(message):
        if "piece" in message:
            taken.append(message["piece"])
        if len(taken) < 3:
            receive(message)
        else:
            reader.comm.publish_msg = lambda *_, **__: None  # Python is busy: it does not answer

    reader.receive = stop_after_two
    posted = (POSTED / "report-45.log").read_text()
    text = NOISE * 8_000 + posted + NOISE * 30_000
    view.get_by_label("Or paste a log").evaluate(CLIPBOARD, text)
    expect(view.get_by_role("progressbar")).to_be_visible()
    expect(view.get_by_role("button", name="0xdead000000000108 is LIST_POISON1")).to_be_visible()
    expect(view.locator(".busy")).to_contain_text(f"of {len(text) / 1e6:.1f} million characters")
    expect(view.get_by_label("Or paste a log")).to_have_value("")
    reader.receive, reader.comm.publish_msg = receive, publish
    view.get_by_role("button", name="Cancel").click()
    expect(view.get_by_role("progressbar")).to_have_count(0)
    expect(view.get_by_role("button", name="0xdead000000000108 is LIST_POISON1")).to_be_visible()


def test_whole_long_paste_is_read(show):
    _, view = show(OopsReader())
    text = NOISE * 20_000 + (POSTED / "report-45.log").read_text()
    view.get_by_label("Or paste a log").evaluate(CLIPBOARD, text)
    expect(view.get_by_role("status").first).to_contain_text(f"{text.count(chr(10)):,} lines, 1 report")
    expect(view.get_by_role("progressbar")).to_have_count(0)


def test_line_out_of_sight_has_an_arrow_and_a_button(show):
    _, view = show(OopsReader())
    jump = view.get_by_role("button", name="line 39")
    expect(jump).to_have_attribute("data-where", "down")
    jump.click()
    expect(view.locator("[data-item='line 39']")).to_be_in_viewport()
    expect(jump).to_have_attribute("data-where", "")
    expect(view.locator("[data-jump='line 4']")).to_have_attribute("data-where", "up")


def test_confidence_has_a_column_and_a_legend(show):
    _, view = show(OopsReader())
    columns = view.locator(".follows .sure").evaluate_all("all => all.map((sure) => sure.getBoundingClientRect().left)")
    assert len(columns) > 5
    assert len(set(columns)) == 1
    expect(view.locator(".legend dt")).to_have_text(["stated", "derived", "likely", "possible"])


@pytest.mark.usefixtures("no_other_views")
def test_kernel_and_address_of_the_log_open_in_other_views(show):
    others = Explorer(), WalkStepper(), TableMap()
    for view in others:
        view.displayed = True
    page, reader = show(OopsReader(), *others, unfold=False)
    line = reader.locator("[data-unfold='openings']")
    expect(line).to_have_text("4k · VA 48 · max · 0x8, the faulting address")
    line.click()
    expect(reader.get_by_role("toolbar", name="In registers").get_by_role("button").first).to_be_visible()
    reader.get_by_role("toolbar", name="Addresses").get_by_role("button", name="a struct page on the stack").click()
    copy = reader.get_by_label("Share", exact=True)
    expect(copy).to_have_value("pgtlab://4k/48/lpa2/0xffff80008007b950")
    explorer = page.locator(".pgtlab-explorer").get_by_label("Address")
    explorer.fill(copy.input_value())
    explorer.press("Enter")
    expect(explorer).to_have_value("0xffff80008007b950")
    reader.get_by_role("button", name="the faulting address").last.click()
    reader.get_by_role("button", name="Open in the other views").click()
    expect(reader.get_by_text("Opened in ")).to_have_text("Opened in Explorer, TableMap, WalkStepper.")
    for name in ("explorer", "walk-stepper", "table-map"):
        expect(page.locator(f".pgtlab-{name}").get_by_label("Address")).to_have_value("0x0000000000000008")


def test_what_is_lit_stands_out_in_forced_colours(show):
    """The system takes the background away that marks it."""
    page, view = show(OopsReader())
    view.get_by_role("button", name="ESR = 0x0000000096000004").click()
    forced_colours(page, "dark")
    lit, other = view.locator(".claim.lit").first, view.locator(".claim:not(.lit, [aria-pressed=true])").first
    width = "claim => parseFloat(getComputedStyle(claim).borderLeftWidth)"
    assert lit.evaluate(width) > other.evaluate(width)
    view.get_by_role("button", name="freed in destroy_args() without its destructor").click()
    expect(view.locator("li.lit > .log-line").first).to_have_css("outline-style", "solid")


def test_word_of_a_log_is_not_cut_off_on_a_laptop(show):
    page, view = show(OopsReader(), unfold=False)
    page.set_viewport_size({"width": 872, "height": 900})
    for name in ("page: refcount:0 mapcount:-512", "ESR = 0x0000000096000004"):
        view.get_by_role("button", name=name).first.click()
        page.wait_for_function("!window.unanswered")
        box = view.locator(".pictures .scroll").first
        expect(box).to_be_visible()
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


@pytest.mark.long
def test_axe_finds_no_violation(show):
    page, view = show(OopsReader())
    view.get_by_role("button", name="ESR = 0x0000000096000004").click()
    expect(view.locator("svg")).to_contain_text("Translation fault, level 0.")
    assert_accessible(page, ".pgtlab-oops-reader")
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
