"""The pictures of the documentation, taken from a running JupyterLab: `make screenshots`.

Not a test: pytest runs it only when it is named, for the fixtures of the browser tests.
"""

from pathlib import Path

import pytest
from playwright.sync_api import expect

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"

#: The code of the cell for each view.
VIEWS = {
    "fold-lab": "from pgtlab_widgets import FoldLab\nFoldLab(page_size='16k', cpu='max,lpa2=off')",
    "walk-stepper": "from pgtlab_widgets import WalkStepper\nstepper = WalkStepper(page_size='16k', va_bits=52)\n"
    "stepper.step = 2\nstepper",
    "walk-stepper-fault": "from pgtlab_widgets import WalkStepper\n"
    "stepper = WalkStepper(page_size='16k', va_bits=52, cpu='max,lpa2=off')\n"
    "stepper.try_out('write to a read-only page')\nstepper",
    "table-map": "from pgtlab_widgets import TableMap\nTableMap(page_size='4k', va_bits=52)",
    "page-inspector": "from pgtlab_widgets import PageInspector\ninspector = PageInspector()\n"
    "inspector.do('alloc_pages(0)')\ninspector.do('pagetable_pud_ctor(page)')\n"
    "inspector.do('__free_pages(page, 0)')\ninspector",
    "bug-lab": "from pgtlab_widgets import BugLab\nBugLab()",
    "bisection": "from pgtlab_widgets import BisectionView\nview = BisectionView()\nview.receive({'next': True})\n"
    "view.receive({'next': True})\nview",
    "oops-reader": "from pgtlab_widgets import OopsReader\nOopsReader()",
    "quiz": "from pgtlab_widgets import Explorer\n"
    "explorer = Explorer('4k', 48, address=0xfffff6c9a5133456, quiz=True)\n"
    "for text in ('TTBR1_EL1', '0', '0xed'):\n    explorer.say(text)\nexplorer",
    "tlb": "from pgtlab_widgets import TLBView\nTLBView()",
    "tlb-costs": "from pgtlab_widgets import TLBView\nTLBView(part='costs')",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_take(open_notebook, page, theme):
    notebook = open_notebook("notebooks/00_tour.ipynb", theme=theme)
    notebook.run_all()
    page.set_viewport_size({"width": 1280, "height": 1800})  # room for a whole view
    explorer = page.locator(".pgtlab-explorer").first
    shot(explorer, f"explorer-{theme}")
    explorer.get_by_role("toolbar", name="LPA2").get_by_role("button", name="off").click()
    expect(explorer.locator("svg")).to_contain_text("folded at run time")
    shot(explorer, f"fallback-{theme}")
    log = page.locator(".jp-OutputArea-output", has_text="BUG: Bad page state").first
    shot(log, f"bad-page-{theme}")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("window.jupyterapp.shell.currentWidget.content.scrollToItem(0)")
    page.wait_for_timeout(500)
    page.screenshot(path=FOLDER / f"tour-{theme}.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", VIEWS)
def test_take_view(run_cells, name, theme):
    page, view = run_cells(VIEWS[name], theme=theme)
    page.set_viewport_size({"width": 1280, "height": 2600})  # room for a whole view
    if name == "tlb-costs":
        expect(view.get_by_role("status")).to_contain_text("% more.")  # all is counted
    shot(view, f"{name}-{theme}")


def shot(locator, name):
    """Save what `locator` shows, after its transitions."""
    locator.scroll_into_view_if_needed()
    locator.page.wait_for_timeout(300)
    locator.screenshot(path=FOLDER / f"{name}.png")
