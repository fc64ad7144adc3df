"""The walk stepper as a learner meets it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from pgtlab_widgets import WalkStepper
from playwright.sync_api import expect


def stepper():
    return WalkStepper(page_size="16k", va_bits=52)


def option(view, choice, name):
    return view.get_by_role("toolbar", name=choice, exact=True).get_by_role("button", name=name, exact=True)


def test_step_by_button_and_arrow_key(show):
    page, view = show(stepper())
    status, step = view.locator(".status"), view.get_by_role("button", name="Step ▶")
    expect(status).to_contain_text("TTBR0_EL1 has the level 0 table")
    step.click()
    expect(status).to_contain_text("Level 0: bits 51:47 of the address choose entry")
    expect(step).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(status).to_contain_text("Level 1: bits 46:36")
    expect(view.locator("svg").nth(1)).to_contain_text("Table = 0x")
    page.keyboard.press("ArrowLeft")
    expect(status).to_contain_text("Level 0")
    page.keyboard.press("End")
    expect(status).to_contain_text("PA 0x")
    expect(step).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Home")
    expect(status).to_contain_text("TTBR0_EL1 has")


def test_click_and_keys_on_a_table(show):
    page, view = show(stepper())
    view.get_by_role("button", name="step 3: level 2").click()
    expect(view.locator(".status")).to_contain_text("Level 2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(view.get_by_role("button", name="step 5: outcome")).to_be_focused()
    page.keyboard.press("Enter")
    expect(view.locator(".status")).to_contain_text("PA 0x")


def test_folded_level_shows_the_same_words(show):
    _, view = show(stepper())
    view.get_by_role("button", name="End").click()
    picture = view.locator("svg").first
    expect(picture).to_contain_text("same entry, folded at compile time")
    option(view, "LPA2", "off").click()
    expect(picture).to_contain_text("folded at run time")
    expect(picture).to_contain_text("level 1 table")
    expect(picture).not_to_contain_text("level 0 table")


def test_fault_and_its_syndrome(show):
    _, view = show(stepper())
    option(view, "Try", "write to a read-only page").click()
    expect(view.locator(".status")).to_contain_text("Level 3 permission fault")
    expect(view.locator(".status")).to_contain_text("ESR_EL1 = 0x9200004f")
    expect(view.locator("svg").nth(1)).to_contain_text("Permission fault, level 3.")
    expect(option(view, "Access", "write")).to_have_attribute("aria-pressed", "true")
    option(view, "Access", "read").click()
    expect(view.locator(".status")).to_contain_text("PA 0x")


def test_typed_name_of_an_address(show):
    page, view = show(stepper())
    address = view.get_by_label("Address")
    address.fill("VMEMAP_START")
    page.keyboard.press("Enter")
    expect(view.get_by_role("alert").first).to_contain_text("did you mean VMEMMAP_START?")
    address.fill("VMEMMAP_START")
    page.keyboard.press("Enter")
    option(view, "From", "EL1").click()
    expect(view.locator(".status")).to_contain_text("TTBR1_EL1 has the level 0 table")


def test_steps_move_nothing(show):
    page, view = show(stepper())
    view.get_by_role("button", name="Start").focus()
    heights = []
    for _ in range(6):
        heights.append(view.bounding_box()["height"])
        page.keyboard.press("ArrowRight")
        expect(view.get_by_text(f"Step {len(heights)} of 5").or_(view.get_by_text("Step 5 of 5"))).to_be_visible()
    assert len(set(heights)) == 1, heights


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_on_a_narrow_page(show, theme):
    page, view = show(stepper(), theme=theme)
    page.set_viewport_size({"width": 700, "height": 900})
    option(view, "Try", "nothing at level 2").click()
    expect(view.locator(".status")).to_contain_text("translation fault")
    box = view.bounding_box()
    assert box["x"] + box["width"] <= 700
    result = Axe().run(page, context=".pgtlab-walk-stepper")
    assert result.violations_count == 0, result.generate_report()


def test_javascript_draws_its_data(render):
    text = {"key": "t", "tag": "text", "attributes": {"x": 1, "y": 2}, "text": "no such walk"}
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": [text]}
    view = render(WalkStepper, {**WalkStepper().view, "picture": made_up, "word": None, "status": "A status."})
    assert view.locator("svg").inner_html() == '<text x="1" y="2">no such walk</text>'
    assert view.locator(".status").inner_text() == "A status."
    step = view.get_by_role("button", name="Step ▶")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End"):
        step.press(key)
    assert view.page.evaluate("window.sent") == [{"by": 1}, {"by": 1}, {"by": -1}, {"step": 5}]
