"""What goes between a view and its Python: foreseen answers, stale ones, and a Python that is gone."""

from pgtlab_widgets import Explorer, WalkStepper
from playwright.sync_api import expect

#: Count how often the text of the address field changes.
WATCH = """view => {
    window.drawn = 0;
    new MutationObserver((records) => (window.drawn += records.length)).observe(
        view.querySelector("[data-field=address]"), {attributes: true, attributeFilter: ["data-value"]});
}"""
FLIP = """([view, bits]) => bits.forEach((bit) =>
    view.querySelector(`[data-item=bit-${bit}]`).dispatchEvent(new MouseEvent("click", {bubbles: true})))"""


def lpa2(view, name):
    return view.get_by_role("toolbar", name="LPA2").get_by_role("button", name=name)


def answered(page):
    page.wait_for_function("!window.unanswered")


def test_foreseen_choice_is_shown_before_python_answers(show):
    explorer = Explorer("16k", 52)
    page, view = show(explorer)
    lpa2(view, "off").hover()
    answered(page)
    explorer.receive = lambda message: None  # from now on Python does nothing, and its answer is that nothing changed
    shown = view.evaluate(
        """view => {
            view.querySelector("[aria-label=LPA2] button[aria-pressed=false]").click();
            return view.querySelector("svg").textContent;
        }"""
    )
    assert "47 bits in use" in shown
    expect(view.locator("svg").first).to_contain_text("52 bits in use")  # Python has the last word
    del explorer.receive
    lpa2(view, "off").click()
    expect(view.locator("svg").first).to_contain_text("47 bits in use")


def test_lpa2_is_foreseen_before_it_is_pointed_at(show):
    page, view = show(Explorer("16k", 52))
    answered(page)
    assert "47 bits" in view.evaluate(
        """view => {
            view.querySelector("[aria-label=LPA2] button[aria-pressed=false]").click();
            return view.querySelector("svg").textContent;
        }"""
    )


def test_focus_is_enough_to_foresee(show):
    page, view = show(Explorer("16k", 52))
    view.get_by_role("toolbar", name="VA_BITS").get_by_role("button", name="52").focus()
    page.keyboard.press("ArrowLeft")
    answered(page)
    assert "48 bits" in view.evaluate(
        "view => { document.activeElement.click(); return view.querySelector('svg').textContent; }"
    )


def test_stale_answers_are_not_drawn(show):
    page, view = show(Explorer("16k", 52, address="0xffff000000000000"))
    view.evaluate(WATCH)
    handle = view.element_handle()
    page.evaluate(FLIP, [handle, [0, 1, 2, 3, 4, 5, 6, 7]])
    expect(view.get_by_label("Address")).to_have_value("0xffff0000000000ff")
    answered(page)
    # The first answer, because nothing was under way when the view was drawn before; then only the last.
    assert page.evaluate("window.drawn") == 2


def test_missed_state_brings_the_whole(show):
    explorer = Explorer("16k", 52)
    _, view = show(explorer)
    publish, explorer.comm.publish_msg = explorer.comm.publish_msg, lambda *_, **__: None
    explorer.address = "PAGE_END"  # this does not reach the page
    explorer.comm.publish_msg = publish
    lpa2(view, "off").click()
    expect(view.get_by_label("Address")).to_have_value("PAGE_END")
    expect(view.locator("svg").first).to_contain_text("47 bits in use")


def test_connection_that_is_lost(show):
    page, view = show(WalkStepper())
    page.evaluate("window.models[0].trigger('comm_live_update')")
    expect(view.get_by_role("status").first).to_have_text("Not connected to Python: run this cell.")
    expect(view.get_by_role("button", name="Step ▶")).to_have_attribute("aria-disabled", "true")
    sent = page.evaluate("window.sent.length")
    view.get_by_role("button", name="Step ▶").click(force=True)
    view.get_by_role("button", name="Step ▶").press("ArrowRight")
    assert page.evaluate("window.sent.length") == sent


def test_view_that_leaves_takes_all_with_it(show):
    page, _ = show(Explorer())
    page.evaluate("window.models[0].cleanup()")
    expect(page.locator(".pgtlab-view")).to_have_count(0)
    page.evaluate("window.models[0].update({view: '{}'})")
    page.wait_for_function("window.sent.some(({gone}) => gone)")


def test_all_steps_of_a_walk_are_foreseen(show):
    stepper = WalkStepper(page_size="16k", va_bits=52)
    page, view = show(stepper)
    answered(page)
    stepper.receive = lambda message: None
    counts = view.evaluate(
        """view => {
            const [shown, step] = [[], view.querySelector("[aria-keyshortcuts=ArrowRight]")];
            for (let i = 0; i < 4; i++) {
                step.click();
                shown.push(view.querySelector("[data-steps]").textContent.match(/Step (\\d+) of/)[1]);
            }
            return shown;
        }"""
    )
    assert counts == ["2", "3", "4", "5"]


FADING = """view => {
    view.querySelector("[aria-label=LPA2] button[aria-pressed=false]").click();
    return view.querySelectorAll("[data-fading]").length;
}"""


def test_only_levels_that_fold_move(show):
    page, view = show(Explorer("16k", 52))
    lpa2(view, "off").hover()
    answered(page)
    assert 1 <= view.evaluate(FADING) <= 6
    assert page.evaluate("document.getAnimations().length") <= 6
    expect(view.locator("[data-fading]")).to_have_count(0)
    page.emulate_media(reduced_motion="reduce")
    lpa2(view, "on").hover()
    answered(page)
    assert view.evaluate(FADING) == 0
