"""The bisection as a learner meets it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from pgtlab_widgets import BisectionView
from playwright.sync_api import expect


def test_bisect_two_meanings_of_bad(show):
    page, view = show(BisectionView())
    status = view.get_by_role("status")
    expect(status).to_contain_text("24 commits are left")
    view.get_by_role("button", name="Run to the end").click()
    expect(status).to_contain_text("The first bad commit: Merge branch 'for-next/core'")
    view.get_by_role("toolbar", name="Bad is").get_by_role("button", name="it reports anything").click()
    expect(status).to_contain_text("24 commits are left")
    commit = view.get_by_role("button", name="arm64: mm: Add support for folding PUDs at runtime")
    commit.click()
    expect(view.get_by_role("button", name="folding PUDs at runtime, tested: bad")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # the next in the picture: its child, bad as well
    expect(status).to_contain_text("Tests so far: 2")
    view.get_by_role("button", name="Start over").click()
    expect(status).to_contain_text("Tests so far: 0")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(show, theme):
    page, view = show(BisectionView(), theme=theme)
    view.get_by_role("button", name="Test git's choice").click()
    expect(view.get_by_role("status")).to_contain_text("Tests so far: 1")
    result = Axe().run(page, context=".pgtlab-bisection-view")
    assert result.violations_count == 0, result.generate_report()


def test_javascript_draws_its_data(render):
    view = BisectionView().view
    shape = {
        "key": "c",
        "tag": "rect",
        "attributes": {"x": 1, "y": 2, "width": 3, "height": 4, "data-commit": "7"},
        "hint": "C",
    }
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": [shape]}
    page = render(BisectionView, {**view, "picture": made_up, "status": "A status."})
    page.get_by_role("button", name="C", exact=True).press("Enter")
    assert page.page.evaluate("window.sent") == [{"commit": "7"}]
    expect(page.get_by_role("status")).to_have_text("A status.")
