"""The walk stepper as a learner meets it."""

import pytest
from pgtlab_widgets import Explorer, WalkStepper
from playwright.sync_api import expect

from tests.browser.drawing import assert_accessible


def stepper():
    return WalkStepper(page_size="16k", va_bits=52)


def option(view, choice, name):
    return view.get_by_role("toolbar", name=choice, exact=True).get_by_role("button", name=name, exact=True)


def trial(view, name):
    unfolded(view)
    return view.locator("#" + view.locator("[data-unfold=asked]").get_attribute("aria-controls")).get_by_role(
        "button", name=name, exact=True
    )


def unfolded(view):
    """Unfold what says how the address is used."""
    fold = view.locator("[data-unfold=asked]")
    if fold.get_attribute("aria-expanded") == "false":
        fold.click()
        expect(fold).to_have_attribute("aria-expanded", "true")
    return view


def test_step_by_button_and_arrow_key(show):
    page, view = show(stepper())
    status, step = view.locator(".status"), view.get_by_role("button", name="Step ▶")
    expect(status).to_contain_text("Level 0: bits 51:47 of the address choose entry")
    step.click()
    expect(status).to_contain_text("Level 1: bits 46:36")
    expect(step).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(status).to_contain_text("Level 2: bits 35:25")
    expect(view.get_by_role("table")).to_contain_text("Table 0800 0000")
    page.keyboard.press("ArrowLeft")
    expect(status).to_contain_text("Level 1")
    page.keyboard.press("End")
    expect(status).to_contain_text("PA 0x")
    expect(step).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Home")
    expect(status).to_contain_text("TTBR0_EL1 has the level 0 table")


def test_click_and_keys_on_a_table(show):
    page, view = show(stepper())
    view.get_by_role("button", name="step 3: level 2").click()
    expect(view.locator(".status")).to_contain_text("Level 2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(view.get_by_role("button", name="step 5: outcome")).to_be_focused()
    page.keyboard.press("Enter")
    expect(view.locator(".status")).to_contain_text("PA 0x")


def test_later_steps_are_pale(show):
    _, view = show(stepper())
    later = view.locator("text.ghost", has_text="level 2 table")
    expect(later).to_have_css("opacity", "0.5")
    view.get_by_role("button", name="step 3: level 2").click()
    expect(later).to_have_count(0)


def test_field_of_the_address_goes_to_its_entry(show):
    """The field, its line and its entry are lit together, by the pointer and by the focus."""
    page, view = show(stepper())
    field = view.get_by_role("button", name="bits 46:36, level 1")
    line, entry = view.locator('path[data-level="1"]'), view.get_by_role("button", name="step 2: level 1")
    expect(line).to_have_css("stroke-width", "1px")
    field.hover()
    expect(line).to_have_css("stroke-width", "3px")
    expect(entry).to_have_css("stroke-width", "3px")
    page.mouse.move(0, 0)
    expect(line).to_have_css("stroke-width", "1px")
    view.get_by_role("button", name="bits 51:47, level 0").focus()
    page.keyboard.press("ArrowRight")
    expect(field).to_be_focused()
    expect(line).to_have_css("stroke-width", "3px")
    field.press("Enter")
    expect(view.locator(".status")).to_contain_text("Level 1")


def test_play_to_the_end_and_pause(show_with_clock):
    page, view = show_with_clock(stepper())
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # from here on time passes only as the test says
    view.get_by_role("button", name="Speed 1×").click()
    expect(view.get_by_role("button", name="Speed 2×")).to_be_visible()
    view.get_by_role("button", name="▶ Play").click()
    page.clock.run_for(500)
    expect(view.get_by_text("Step 2 of 5")).to_be_visible()
    page.clock.run_for(800)
    expect(view.get_by_text("Step 3 of 5")).to_be_visible()
    view.get_by_role("button", name="Pause").click()
    page.clock.run_for(8000)
    expect(view.get_by_text("Step 3 of 5")).to_be_visible()
    view.get_by_role("button", name="▶ Play").click()
    for _ in range(3):
        page.clock.run_for(800)
    expect(view.get_by_text("Step 5 of 5")).to_be_visible()
    expect(view.get_by_role("button", name="▶ Play")).to_be_visible()


def test_step_is_shown_before_python_answers(show):
    """All steps are known ahead: the page has them when the reader asks for one."""
    widget = stepper()
    page, view = show(widget)
    page.wait_for_function("!window.unanswered")
    page.evaluate("() => { window.toPython = () => new Promise(() => {}); }")  # which never answers
    for step, level in ((2, 1), (3, 2), (4, 3)):
        view.get_by_role("button", name=f"step {step}: level {level}").click()
        expect(view.locator(".status")).to_contain_text(f"Level {level}: bits")
    assert widget.step == 1


def test_run_to_the_fault(show):
    _, view = show(stepper())
    expect(view.get_by_role("button", name="Run to the end")).to_be_visible()
    trial(view, "nothing at level 2").click()
    view.get_by_role("button", name="Start").click()
    view.get_by_role("button", name="Run to the fault").click()
    expect(view.locator(".status")).to_contain_text("Level 2 translation fault")


def test_folded_level_shows_the_same_words(show):
    _, view = show(stepper())
    view.get_by_role("button", name="Run to the end").click()
    picture = view.locator("svg").first
    expect(picture).to_contain_text("same entry, folded at compile time")
    option(view, "LPA2", "off").click()
    expect(picture).to_contain_text("folded at run time")
    expect(picture).to_contain_text("level 1 table")
    expect(picture).not_to_contain_text("level 0 table")


def test_fault_and_its_syndrome(show):
    _, view = show(stepper())
    trial(view, "write to a read-only page").click()
    expect(view.locator(".status")).to_contain_text("Level 3 permission fault")
    expect(view.locator(".status")).to_contain_text("ESR_EL1 = 0x9200004f")
    expect(view.get_by_role("table")).to_contain_text("Permission fault, level 3.")
    expect(option(view, "Access", "write")).to_have_attribute("aria-pressed", "true")
    option(view, "Access", "read").click()
    expect(view.locator(".status")).to_contain_text("PA 0x")


def test_entry_is_changed_and_changed_back(show):
    _, view = show(WalkStepper(cpu="cortex-a72"))
    view.get_by_role("button", name="step 4: level 3").click()
    change = view.get_by_role("group", name="Change this entry")
    change.get_by_role("button", name="set AF = 0").press("Enter")
    expect(view.get_by_role("row", name="10 AF")).to_contain_text("not accessed yet")
    expect(view.locator("svg")).to_contain_text("level 3 access flag fault")
    view.get_by_role("button", name="Undo: set AF = 0").press("Enter")
    expect(view.get_by_role("row", name="10 AF")).to_contain_text("accessed: PTE_AF")
    expect(view.get_by_role("button", name="Undo")).to_have_count(0)


def test_typed_name_of_an_address(show):
    page, view = show(stepper())
    address = view.get_by_label("Address")
    address.fill("VMEMAP_START")
    page.keyboard.press("Enter")
    expect(view.get_by_role("alert").first).to_contain_text("did you mean VMEMMAP_START?")
    address.fill("VMEMMAP_START")
    page.keyboard.press("Enter")
    option(unfolded(view), "From", "EL1").click()
    view.get_by_role("button", name="Start").click()
    expect(view.locator(".status")).to_contain_text("TTBR1_EL1 has the level 0 table")


def test_share_string_of_the_explorer(show):
    _, view = show(stepper())
    view.get_by_label("Address").fill(Explorer("4k", 39, "cortex-a72", "PAGE_OFFSET").share)
    view.get_by_label("Address").press("Enter")
    expect(view.locator("svg")).to_contain_text("level 1 table")
    expect(view.get_by_label("Address")).to_have_value("PAGE_OFFSET")


@pytest.mark.parametrize("width", [1280, 700])
def test_steps_move_nothing(show, width):
    page, view = show(stepper())
    page.set_viewport_size({"width": width, "height": 900})
    view.get_by_role("button", name="Start").click()
    heights = []
    for step in range(6):
        expect(view.get_by_text(f"Step {step} of 5")).to_be_visible()
        heights.append(view.bounding_box()["height"])
        page.keyboard.press("ArrowRight")
    assert len(set(heights)) == 1, heights


def test_nothing_is_cut_off_on_a_narrow_page(show):
    page, view = show(WalkStepper(page_size="4k", va_bits=52))
    page.set_viewport_size({"width": 664, "height": 900})  # 640 for the view
    for box in view.locator(".scroll").all():
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


@pytest.mark.long
def test_axe_finds_no_violation_on_a_narrow_page(show):
    page, view = show(stepper())
    page.set_viewport_size({"width": 700, "height": 900})
    trial(view, "nothing at level 2").click()
    expect(view.locator(".status")).to_contain_text("translation fault")
    box = view.bounding_box()
    assert box["x"] + box["width"] <= 700
    assert_accessible(page, ".pgtlab-walk-stepper")


def test_javascript_draws_its_data(render):
    text = {"key": "t", "tag": "text", "attributes": {"x": 1, "y": 2}, "text": "no such walk"}
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": [text]}
    view = render(WalkStepper, {**WalkStepper().view, "picture": made_up, "word": None, "status": "A status."})
    assert view.locator("svg").inner_html() == '<text x="1" y="2">no such walk</text>'
    assert view.locator(".status").inner_text() == "A status."
    step = view.get_by_role("button", name="Step ▶")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End"):
        step.press(key)
    assert view.page.evaluate("window.sent") == [{"step": 2}, {"by": 1}, {"by": -1}, {"step": 5}]


@pytest.mark.parametrize("width", [1280, 1000, 872, 664])
def test_picture_stays_where_it_is_from_step_to_step(show, width):
    stepper = WalkStepper(page_size="16k", va_bits=52)
    stepper.try_out("write to a read-only page")
    stepper.step = 0
    page, view = show(stepper, unfold=False)
    page.set_viewport_size({"width": width, "height": 900})
    tops = set()
    for step in range(stepper.last + 1):
        expect(view.get_by_text(f"Step {step} of {stepper.last}", exact=True)).to_be_visible()
        page.wait_for_function("!window.unanswered")
        tops.add(view.locator("svg").first.bounding_box()["y"])
        view.get_by_role("button", name="Step ▶").click(force=True)  # at the end it is disabled
    assert len(tops) == 1
