"""How views look: a line that says what is chosen, edges, errors that look like errors."""

import pytest
from pgtlab_widgets import Explorer, TableMap
from playwright.sync_api import expect


def test_line_says_what_is_chosen(show):
    _, view = show(Explorer("16k", 52), unfold=False)
    unfold = view.locator("[data-unfold='kernel']")
    expect(unfold).to_have_text("16k · VA 52 · PA 52 · max")
    lpa2 = view.get_by_role("toolbar", name="LPA2")  # stays in the line
    expect(lpa2.locator("[aria-pressed=true]")).to_have_text("on")
    unfold.click()
    view.get_by_role("toolbar", name="VA_BITS").get_by_role("button", name="47").click()
    expect(unfold).to_have_text("16k · VA 47 · PA 48 · max")


@pytest.mark.parametrize("width", [1280, 660])
def test_refused_choice_takes_no_room(show, width):
    page, view = show(Explorer("16k", 52))
    page.set_viewport_size({"width": width, "height": 900})
    before = view.locator("svg").bounding_box()["y"]
    view.get_by_role("toolbar", name="VA_BITS").get_by_role("button", name="39").click(force=True)
    remedy = view.get_by_role("button", name="Use VA_BITS=39 with 4k pages and PA_BITS=48")
    expect(remedy).to_be_focused()
    assert view.locator("svg").bounding_box()["y"] == before


def test_edge_of_a_wide_picture_shows_that_there_is_more(render):
    wide = {"width": 3000, "height": 50, "title": "Wide", "description": "", "shapes": []}
    view = render(Explorer, {**Explorer().view, "picture": wide})
    edges = view.locator(".edges").first
    right = "edges => getComputedStyle(edges, '::after').opacity"
    left = "edges => getComputedStyle(edges, '::before').opacity"
    expect(edges).to_have_attribute("data-right", "")
    assert (edges.evaluate(left), edges.evaluate(right)) == ("0", "1")
    edges.locator(".scroll").evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    expect(edges).to_have_attribute("data-left", "")
    assert (edges.evaluate(left), edges.evaluate(right)) == ("1", "0")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_error_is_beside_its_field_in_the_colour_of_errors(show, theme):
    _, view = show(Explorer(), theme=theme)
    field = view.get_by_label("Address")
    before = view.locator("svg").bounding_box()["y"]
    field.fill("VMEMAP_START")
    field.press("Enter")
    error = view.get_by_role("alert").and_(view.locator(".error"))
    expect(error).to_contain_text("did you mean VMEMMAP_START?")
    assert error.bounding_box()["x"] > field.bounding_box()["x"]
    assert error.evaluate("e => getComputedStyle(e, '::before').content") == '"⚠ "'
    assert error.evaluate("e => getComputedStyle(e).color != getComputedStyle(e.parentElement).color")
    assert view.locator("svg").bounding_box()["y"] == before


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_folded_level_is_not_filled(show, theme):
    _, view = show(Explorer("16k", 52, "max,lpa2=off"), theme=theme)
    folded = view.locator("svg rect.folded").first
    expect(folded).to_have_css("fill", "none")
    assert folded.evaluate("e => getComputedStyle(e).stroke == getComputedStyle(e.ownerSVGElement).color")


def test_bars_have_an_edge_that_can_be_seen(show):
    """Yellow on white has a contrast of 1.3: without an edge, the end of a bar is not seen."""
    _, view = show(TableMap(page_size="4k", va_bits=52))
    bar = view.locator("svg rect.edged.level-2").first
    assert bar.evaluate("bar => getComputedStyle(bar).stroke === getComputedStyle(bar.ownerSVGElement).color")
