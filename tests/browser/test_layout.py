"""No jumps: what follows a view on the page stays where it is, whatever is chosen in the view."""

import pytest
from pgtlab_widgets import BisectionView, FoldLab, PageInspector, TableMap, TLBView, WalkStepper
from playwright.sync_api import expect

CHOICES = [
    (
        lambda: WalkStepper(page_size="16k", va_bits=52),
        [("LPA2", "off"), ("Page size", "4k"), ("Page size", "64k"), ("CPU", "cortex-a72")],
    ),
    (PageInspector, ["alloc_pages(0)", "__free_pages(page, 0)", "__free_pages(page, 0)", ("Page size", "64k")]),
    (TableMap, ["linear map: ", ("Colour by", "permission"), ("LPA2", "off"), ("Page size", "64k"), "user space: "]),
    (FoldLab, ["16K pages, VA_BITS=48, PA_BITS=48 on cortex-a72"]),
    (BisectionView, ["Test git's choice", "Run to the end", ("Bad is", "it reports anything"), ("LPA2", "off")]),
    (
        lambda: TLBView(short_trace="loop"),
        ["Step ▶", ("Trace", "two processes"), ("Page size", "4k"), ("Mapped by", "blocks"), ("Replaced", "random")],
    ),
    (lambda: TLBView(accesses=100_000, part="costs"), [("Trace", "processes"), ("Mapped by", "blocks")]),
]


@pytest.mark.long
@pytest.mark.parametrize(
    ("make", "choices"), CHOICES, ids=["walk", "page", "map", "fold", "bisection", "tlb entries", "tlb costs"]
)
def test_view_keeps_its_height(show, make, choices):
    page, view = show(make())
    for width in (1280, 700):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => document.querySelector('.pgtlab-view').offsetWidth < width", arg=width)
        # The view says how much room it has in the frame after, and Python answers with a picture that fits.
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")
        page.wait_for_function("!window.unanswered")
        heights = [view.bounding_box()["height"]]
        for choice in choices:
            toolbar, label = choice if isinstance(choice, tuple) else (None, choice)
            within = view if toolbar is None else view.get_by_role("toolbar", name=toolbar, exact=True)
            button = within.get_by_role("button", name=label, exact=toolbar is not None).first
            button.click()
            page.wait_for_function("!window.unanswered")
            if toolbar:
                expect(button).to_have_attribute("aria-pressed", "true")
            heights.append(view.bounding_box()["height"])
        assert max(heights) - min(heights) < 1, (width, heights)
