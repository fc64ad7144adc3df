"""What all nine views have in common, each shown once and then looked at in many ways."""

import re

import pytest
from pgtlab_widgets import (
    BisectionView,
    BugLab,
    Explorer,
    FoldLab,
    OopsReader,
    PageInspector,
    TableMap,
    TLBView,
    WalkStepper,
)
from playwright.sync_api import expect

from pgtlab import terms
from tests.browser.conftest import connected, page_alone
from tests.browser.test_readable import assert_readable, forced_colours

#: The nine views, in states that have marks, faults and folded levels.
NINE = {
    "explorer": lambda: Explorer("16k", 52, "max,lpa2=off"),
    "stepper": lambda: tried(WalkStepper(page_size="16k", va_bits=52, cpu="max,lpa2=off"), "write to a read-only page"),
    "map": lambda: TableMap(page_size="4k", va_bits=52),
    "fold lab": lambda: FoldLab(page_size="16k", cpu="max,lpa2=off"),
    "inspector": lambda: done(PageInspector(), "alloc_pages(0)", "pagetable_pud_ctor(page)"),
    "bug lab": BugLab,
    "oops reader": OopsReader,
    "bisection": lambda: sent(BisectionView(), {"next": True}, {"next": True}),
    "tlb": lambda: TLBView(accesses=100_000, part="costs"),
    "small tlb": lambda: TLBView(short_trace="two processes", small_tlb="4 sets of 2"),
}


def tried(stepper, trial):
    stepper.try_out(trial)
    return stepper


def done(inspector, *calls):
    for call in calls:
        inspector.do(call)
    return inspector


def sent(view, *messages):
    for message in messages:
        view.receive(message)
    return view


#: The views of one kernel.
OF_A_KERNEL = [name for name in NINE if name not in ("fold lab", "oops reader", "tlb", "small tlb")]


@pytest.fixture(scope="module", params=NINE)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def view_alone(tabs, name):
    with page_alone(tabs) as page, connected(page) as show:
        page, view = show(NINE[name](), unfold=False)
        yield page, view


@pytest.fixture
def shown(view_alone):
    """A page with a view on it, as wide as a laptop's and on a screen; its controls are folded."""
    page, view = view_alone
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(media="null", forced_colors="null", color_scheme="null")
    return page, view


@pytest.mark.parametrize("name", OF_A_KERNEL, indirect=True)
def test_controls_are_one_line_that_unfolds(shown):
    _, view = shown
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


def test_letters_have_at_least_12_pixels(shown):
    page, view = shown
    for width in (1280, 660):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("() => !window.unanswered")
        smallest = view.evaluate(
            """view => Math.min(...[...view.querySelectorAll("svg.pgtlab-picture text")].map((text) => {
                const { a, b } = text.getScreenCTM();
                return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
            }))"""
        )
        assert smallest >= 12, width


def test_picture_is_above_the_fold(shown, name):
    """1280 x 720 with JupyterLab's file browser, and at twice the size: what the view is about is in sight."""
    page, view = shown
    about = view.locator(".diagnosis" if name == "oops reader" else "svg.pgtlab-picture").first
    for width, height in ((960, 610), (660, 450)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("() => !window.unanswered")
        expect(about).to_be_visible()
        assert about.bounding_box()["y"] < height - 120, width


def test_no_frame_is_empty(shown):
    _, view = shown
    empty = view.evaluate(
        """view => [...view.querySelectorAll("div, pre, ul, ol, p, section")].filter((each) => {
            const { borderTopWidth, borderBottomWidth } = getComputedStyle(each);
            return each.checkVisibility() && each.offsetHeight > 30 && !each.textContent.trim()
                && !each.querySelector("svg, input, textarea, progress")
                && borderTopWidth !== "0px" && borderBottomWidth !== "0px";
        }).map((each) => `${each.localName}.${each.className}`)"""
    )
    assert empty == []


@pytest.mark.parametrize("name", ["explorer", "fold lab", "map"], indirect=True)
def test_title_of_the_picture_is_an_answer(shown):
    _, view = shown
    title = view.locator("svg.pgtlab-picture").first.get_attribute("aria-label")
    assert len(title.split()) > 6
    assert "=" not in title


def test_view_is_named_by_its_question(shown):
    page, view = shown
    question = view.locator(".asks").inner_text()
    assert question.endswith("?")
    expect(page.get_by_role("group", name=question, exact=True)).to_have_count(1)
    how = view.get_by_role("button", name="How to read this")
    how.click()
    expect(how).to_have_attribute("aria-expanded", "true")
    expect(view.locator(".about-view")).to_contain_text(re.compile(r"\w+\."))
    how.click()
    expect(view.locator(".about-view")).to_have_count(0)


def test_words_have_their_sentence_on_hover_and_focus(shown):
    page, view = shown
    words = view.get_by_role("toolbar", name="Words of this view").get_by_role("button")
    names = words.all_inner_texts()
    assert len(names) >= 5
    height = view.bounding_box()["height"]
    for word, text in zip(words.all()[:3], names, strict=False):
        word.hover()
        expect(view.get_by_role("tooltip")).to_have_text(terms.sentence(text))
        expect(word).to_have_accessible_description(terms.sentence(text))
    view.locator(".asks").hover()
    expect(view.get_by_role("tooltip")).to_have_count(0)
    words.first.focus()
    page.keyboard.press("ArrowRight")
    expect(view.get_by_role("tooltip")).to_have_text(terms.sentence(names[1]))
    assert view.bounding_box()["height"] == height


def test_nothing_is_cut_off_in_print(shown):
    page, view = shown
    page.set_viewport_size({"width": 700, "height": 900})
    page.emulate_media(media="print")
    cut = view.evaluate(
        """view => [...view.querySelectorAll("*")].filter((each) => each.checkVisibility() && (
            each.getBoundingClientRect().right > view.getBoundingClientRect().right + 1
            || getComputedStyle(each).overflowY !== "visible" && each.scrollHeight > each.clientHeight + 1)
            && !each.matches("input, textarea, .unseen")
        ).map((each) => `${each.localName}.${each.getAttribute("class")}`)"""
    )
    assert cut == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_in_forced_colours(shown, name, scheme):
    """Also where the system's colours are the opposite of JupyterLab's theme."""
    page, view = shown
    forced_colours(page, scheme)
    if name == "tlb":
        expect(view.get_by_role("status")).to_contain_text("% more.")
    assert_readable(page)
