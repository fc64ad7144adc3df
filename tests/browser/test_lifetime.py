"""What becomes of views that are saved, shown again, or left behind."""

import re

from playwright.sync_api import expect

CELL = "from pgtlab_widgets import Explorer\nExplorer('16k', 52)"
COUNT = """
import gc, ipywidgets
gc.collect()
print(sum(isinstance(thing, Explorer) for thing in gc.get_objects()), 'left')
"""
EXECUTE = "code => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code}).done"
RUN_FIRST = """async times => {
    const {content, sessionContext} = window.jupyterapp.shell.currentWidget;
    content.activeCellIndex = 0;
    for (let i = 0; i < times; i++) {
        const before = document.querySelector('.pgtlab-view');
        await window.jupyterapp.commands.execute('notebook:run-cell');
        const there = () => { const now = document.querySelector('.pgtlab-view'); return now && now !== before; };
        while (!there()) await new Promise((done) => setTimeout(done, 20));
    }
}"""


def test_a_cell_that_runs_again_and_again_leaves_one_view(run_cells):
    page, view = run_cells("from pgtlab_widgets import Explorer\ndisplay(Explorer('16k', 52))", COUNT)
    page.evaluate(RUN_FIRST, 30)
    expect(page.locator(".pgtlab-view")).to_have_count(1)
    expect(view.locator("svg")).to_contain_text("52 bits in use")
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    left = page.locator(".jp-OutputArea-output pre").last
    for _ in range(20):  # a view waits before it is given up
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
        page.wait_for_timeout(500)
        if left.inner_text().strip() == "1 left":
            break
    expect(left).to_have_text(re.compile(r"^1 left\s*$"))


def test_a_view_that_left_the_page_is_itself_when_it_is_shown_again(run_cells):
    page, view = run_cells(f"{CELL.replace(chr(10), chr(10) + 'kept = ')}\nkept")
    view.get_by_role("toolbar", name="LPA2").get_by_role("button", name="off").click()
    expect(view.locator("svg")).to_contain_text("47 bits in use")
    page.evaluate("window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    expect(page.locator(".pgtlab-view")).to_have_count(0)
    page.wait_for_timeout(1000)
    page.evaluate("window.jupyterapp.shell.currentWidget.content.model.sharedModel.getCell(0).setSource('kept')")
    page.evaluate(RUN_FIRST, 1)
    expect(view.locator("svg")).to_contain_text("47 bits in use")
    view.get_by_role("toolbar", name="LPA2").get_by_role("button", name="on").click()
    expect(view.locator("svg")).to_contain_text("52 bits in use")


def test_a_view_in_a_box_stays_with_it(run_cells):
    make = "import ipywidgets\nfrom pgtlab_widgets import Explorer\nbox = ipywidgets.VBox([Explorer('16k', 52)])\nbox"
    page, view = run_cells(make)
    page.evaluate("window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    expect(page.locator(".pgtlab-view")).to_have_count(0)
    page.wait_for_timeout(1000)
    page.evaluate("window.jupyterapp.shell.currentWidget.content.model.sharedModel.getCell(0).setSource('box')")
    page.evaluate(RUN_FIRST, 1)
    view.get_by_role("toolbar", name="LPA2").get_by_role("button", name="off").click()
    expect(view.locator("svg")).to_contain_text("47 bits in use")


def test_a_saved_notebook_shows_its_views_before_anything_runs(run_cells, lab):
    page, view = run_cells(CELL)
    view.get_by_role("toolbar", name="LPA2").get_by_role("button", name="off").click()
    expect(view.locator("svg")).to_contain_text("47 bits in use")
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    assert "47 bits in use" in (lab.folder / "scratch.ipynb").read_text()
    lab.stop_kernels()
    for _ in range(3):  # where the kernel starts late, ipywidgets 8.1 may ask it for the view, and not the notebook
        page.reload()
        page.wait_for_selector(".pgtlab-view svg, .jp-OutputArea-output:has-text('model not found')")
        page.wait_for_timeout(1000)
        if view.is_visible():
            break
    expect(view.locator("svg")).to_contain_text("47 bits in use")
