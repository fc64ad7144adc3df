"""What the nine views have in common: one line of controls, pictures of one size, errors that look like errors."""

import pytest
from pgtlab_widgets import Explorer, TableMap
from playwright.sync_api import expect

from tests.browser.test_readable import NINE

KERNEL_VIEWS = [name for name in NINE if name not in ("fold lab", "oops reader", "tlb", "small tlb")]


@pytest.mark.parametrize("name", KERNEL_VIEWS)
def test_controls_are_one_line_that_unfolds(show, name):
    _, view = show(NINE[name](), unfold=False)
    line = view.locator(".controls", has=view.page.locator("[data-unfold='kernel']"))
    unfold = line.locator("[data-unfold='kernel']")
    expect(unfold).to_have_attribute("aria-expanded", "false")
    assert line.bounding_box()["height"] < 40
    page_size = view.get_by_role("toolbar", name="Page size")
    expect(page_size).to_have_count(0)
    unfold.press("Enter")
    expect(page_size).to_be_visible()
    expect(unfold).to_be_focused()
    unfold.click()
    expect(page_size).to_have_count(0)


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


@pytest.mark.parametrize("name", NINE)
@pytest.mark.parametrize("width", [1280, 660])
def test_letters_have_at_least_12_pixels(show, name, width):
    page, view = show(NINE[name]())
    page.set_viewport_size({"width": width, "height": 900})
    smallest = view.evaluate(
        """view => Math.min(...[...view.querySelectorAll("svg.pgtlab-picture text")].map((text) => {
            const { a, b } = text.getScreenCTM();
            return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
        }))"""
    )
    assert smallest >= 12


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


@pytest.mark.parametrize("name", NINE)
@pytest.mark.parametrize(("width", "height"), [(960, 610), (660, 450)], ids=["file browser open", "at 200 %"])
def test_picture_is_above_the_fold(show, name, width, height):
    """1280 x 720 with JupyterLab's file browser, and at twice the size: what the view is about is in sight."""
    page, view = show(NINE[name](), unfold=False)
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("() => !window.unanswered")
    about = view.locator(".diagnosis" if name == "oops reader" else "svg.pgtlab-picture").first
    expect(about).to_be_visible()
    assert about.bounding_box()["y"] < height - 120


@pytest.mark.parametrize("name", NINE)
def test_no_frame_is_empty(show, name):
    _, view = show(NINE[name]())
    empty = view.evaluate(
        """view => [...view.querySelectorAll("div, pre, ul, ol, p, section")].filter((each) => {
            const { borderTopWidth, borderBottomWidth } = getComputedStyle(each);
            return each.checkVisibility() && each.offsetHeight > 30 && !each.textContent.trim()
                && !each.querySelector("svg, input, textarea, progress")
                && borderTopWidth !== "0px" && borderBottomWidth !== "0px";
        }).map((each) => `${each.localName}.${each.className}`)"""
    )
    assert empty == []


def test_bars_have_an_edge_that_can_be_seen(show):
    """Yellow on white has a contrast of 1.3: without an edge, the end of a bar is not seen."""
    _, view = show(TableMap(page_size="4k", va_bits=52))
    bar = view.locator("svg rect.edged.level-2").first
    assert bar.evaluate("bar => getComputedStyle(bar).stroke === getComputedStyle(bar.ownerSVGElement).color")


@pytest.mark.parametrize("name", ["explorer", "fold lab", "map"])
def test_title_of_the_picture_is_an_answer(show, name):
    _, view = show(NINE[name]())
    title = view.locator("svg.pgtlab-picture").first.get_attribute("aria-label")
    assert len(title.split()) > 6
    assert "=" not in title
