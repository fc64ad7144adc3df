"""The bisection as a learner meets it."""

import re

import pytest
from pgtlab_widgets import BisectionView
from playwright.sync_api import expect

from tests.browser.drawing import assert_accessible


def bad_is(view, name):
    return view.get_by_role("toolbar", name="Bad is").get_by_role("button", name=name, exact=True)


def test_bisect_two_meanings_of_bad(show):
    page, view = show(BisectionView())
    status = view.get_by_role("status")
    expect(status).to_contain_text("24 commits are left")
    view.get_by_role("button", name="Run to the end").click()
    expect(status).to_contain_text("The first bad commit: Merge branch 'for-next/core'")
    bad_is(view, "it reports anything").click()
    expect(status).to_contain_text("24 commits are left")
    commit = view.get_by_role("button", name="arm64: mm: Add support for folding PUDs at runtime")
    commit.click()
    expect(view.get_by_role("button", name="folding PUDs at runtime, tested: bad")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(status).to_contain_text("Tests so far: 2")
    view.get_by_role("button", name="Start over").click()
    expect(status).to_contain_text("Tests so far: 0")
    bad_is(view, "it panics").click()
    expect(status).to_contain_text("The first bad commit: Merge branch 'for-next/core'")


def test_culprits_are_kept_side_by_side(show):
    _, view = show(BisectionView())
    found = view.get_by_role("region", name="The first bad commits")
    expect(found.get_by_role("listitem")).to_have_text([re.compile("not found yet$")] * 3)
    for name in ("it panics", "it reports anything", "it panics once the arm64 branch is merged"):
        bad_is(view, name).click()
        view.get_by_role("button", name="Run to the end").click()
    expect(found.get_by_role("listitem")).to_have_text(
        [
            "it panics: Merge branch 'for-next/core'",
            "it reports anything: arm64: mm: Add support for folding PUDs at runtime",
            "it panics once the arm64 branch is merged: mm: add __dump_folio()",
        ]
    )
    expect(found).to_contain_text(
        'They differ because each takes something else. "it panics" takes fold-puds and dump-folio'
    )
    marks = view.locator("svg > text.on-fill", has_text=re.compile("^[123]$"))
    expect(marks).to_have_text(["1", "2", "3"])
    rows = [
        view.get_by_role("button", name=name)
        for name in ("Merge branch 'for-next/core'", "Add support for folding PUDs", "mm: add __dump_folio()")
    ]
    for mark, row in zip(marks.all(), rows, strict=True):
        top, at = row.bounding_box(), mark.bounding_box()
        assert top["y"] < at["y"] < at["y"] + at["height"] < top["y"] + top["height"]
        assert at["x"] < 80, "in the margin"


def test_a_whole_row_can_be_clicked(show):
    _, view = show(BisectionView())
    row = view.get_by_role("button", name="mm: make dump_page() take a const argument")
    box = row.bounding_box()
    assert box["height"] >= 24
    row.click(position={"x": box["width"] - 4, "y": 4})  # far from its node
    expect(view.get_by_role("status")).to_contain_text("Tests so far: 1")
    for item in view.locator("svg [data-item]").all():
        assert item.bounding_box()["height"] >= 24


def test_legend_and_order(show):
    page, view = show(BisectionView())
    expect(view.locator("svg")).to_contain_text("may be the first bad")
    expect(view.locator("svg")).to_contain_text("git tests it next")
    tops = [view.locator(part).first.bounding_box()["y"] for part in (".choice", "svg", ".controls")]
    assert tops == sorted(tops), "what is bad is on top, and the kernel below"
    page.set_viewport_size({"width": 1280, "height": 720})
    assert view.locator("svg").bounding_box()["y"] < 120


@pytest.mark.long
def test_axe_finds_no_violation(show):
    page, view = show(BisectionView())
    view.get_by_role("button", name="Test git's choice").click()
    expect(view.get_by_role("status")).to_contain_text("Tests so far: 1")
    assert_accessible(page, ".pgtlab-bisection-view")
    page.set_viewport_size({"width": 700, "height": 900})
    assert view.locator("svg").bounding_box()["width"] <= view.bounding_box()["width"]


def test_javascript_draws_its_data(render):
    view = BisectionView().view
    shape = {
        "key": "c",
        "tag": "rect",
        "attributes": {"x": 1, "y": 2, "width": 3, "height": 4, "data-commit": "7"},
        "hint": "C",
    }
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": [shape]}
    found = [{"number": 1, "bad": "It is odd", "subject": "No such commit", "note": " (made up)"}]
    page = render(BisectionView, {**view, "picture": made_up, "status": "A status.", "found": found, "why": "Because."})
    page.get_by_role("button", name="C", exact=True).press("Enter")
    assert page.page.evaluate("window.sent") == [{"commit": "7"}]
    expect(page.get_by_role("status")).to_have_text("A status.")
    expect(page.get_by_role("listitem")).to_have_text("It is odd: No such commit (made up)")
    expect(page.get_by_text("Because.")).to_be_visible()
