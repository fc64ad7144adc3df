"""What becomes of views that are saved, shown again, or left behind."""

import re

import pytest
from playwright.sync_api import expect

CELL = "from pgtlab_widgets import Explorer\nkept = Explorer('16k', 52)\nheard = []\n"
CELL += "kept.on_msg(lambda view, message, buffers: heard.append(message))\n"
#: Whether an expression is true in the notebook's Python.
IS_TRUE = """async expression => {
    const {kernel} = window.jupyterapp.shell.currentWidget.sessionContext.session;
    const request = kernel.requestExecute({code: "", user_expressions: {value: expression}});
    return (await request.done).content.user_expressions.value.data["text/plain"] === "True";
}"""
LEFT = "len([thing for thing in __import__('gc').get_objects() if isinstance(thing, Explorer)])"
RUN_FIRST = """async times => {
    const {content, sessionContext} = window.jupyterapp.shell.currentWidget;
    content.activeCellIndex = 0;
    const views = () => [...document.querySelectorAll('.pgtlab-view')];
    for (let i = 0; i < times; i++) {
        const before = views();
        await window.jupyterapp.commands.execute('notebook:run-cell');
        const there = () => views().length >= before.length && !views().some((view) => before.includes(view));
        for (const late = Date.now() + 60_000; !there(); await new Promise((done) => setTimeout(done, 20)))
            if (Date.now() > late) throw new Error(document.querySelector('.jp-OutputArea')?.innerText ?? 'no output');
    }
}"""
CLEAR = "window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"

EVERY_VIEW = """
from pgtlab_widgets import *
display(Explorer(), WalkStepper(), TableMap(), FoldLab(), PageInspector(), BugLab(), OopsReader(), BisectionView())
display(TLBView(accesses=100_000))
"""
MODELS = "len(__import__('pgtlab_widgets.view').view.opened())"
DISCONNECTED = "Not connected to Python: run this cell."
RESTART = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"


def wait_until(page, expression):
    """Wait until an expression is true in the notebook's Python."""
    page.wait_for_function(IS_TRUE, arg=expression, polling=100)


def show_again(page, code):
    """Let the first cell be `code`, and run it."""
    page.evaluate(
        "code => window.jupyterapp.shell.currentWidget.content.model.sharedModel.getCell(0).setSource(code)", code
    )
    page.evaluate(RUN_FIRST, 1)


def lpa2(view, name):
    return view.get_by_role("toolbar", name="LPA2").get_by_role("button", name=name)


def test_repeated_cell_leaves_one_view(run_cells):
    page, view = run_cells("from pgtlab_widgets import Explorer\ndisplay(Explorer('16k', 52))")
    page.evaluate(RUN_FIRST, 10)
    expect(page.locator(".pgtlab-view")).to_have_count(1)
    expect(view.locator("svg")).to_contain_text("52 bits in use")
    # A view is closed after a moment; then nothing refers to it.
    wait_until(page, f"__import__('gc').collect() >= 0 and {LEFT} == 1")


@pytest.mark.parametrize("times", [6, pytest.param(30, marks=pytest.mark.sweep)])
def test_repeated_cells_leave_nothing(run_cells, times):
    """Each of the nine views, again and again; twice, since JupyterLab may add something of its own once.

    A view that stayed each time would be more than the bounds: the smallest has 200 nodes and seven listeners. What
    stays are two empty elements for each view, of ipywidgets'.
    """
    page, _ = run_cells(EVERY_VIEW)
    chromium = page.context.new_cdp_session(page)

    def counts():
        wait_until(page, f"{MODELS} == 18")  # nine views with a layout each
        page.wait_for_timeout(1000)  # longer than the page waits before it lets a view go
        elements = chromium.send("Runtime.evaluate", {"expression": "HTMLElement.prototype"})["result"]["objectId"]
        # To list what refers to them, Chromium lets go of all that nothing refers to.
        chromium.send("Runtime.queryObjects", {"prototypeObjectId": elements, "objectGroup": "listed"})
        chromium.send("Runtime.releaseObjectGroup", {"objectGroup": "listed"})
        return chromium.send("Memory.getDOMCounters")

    page.evaluate(RUN_FIRST, 3)
    taken = [counts()]
    for _ in range(2):
        page.evaluate(RUN_FIRST, times)
        taken.append(counts())
    for what, each in (("nodes", 100), ("jsEventListeners", 7)):
        first, second, third = (now[what] for now in taken)
        assert min(second - first, third - second) < times * each, (what, first, second, third)


def test_view_without_a_kernel_says_so_until_its_cell_runs(run_cells):
    page, view = run_cells("from pgtlab_widgets import Explorer\nExplorer('16k', 52)")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate(RESTART)
    expect(view.get_by_text(DISCONNECTED)).to_be_visible()
    for control in (lpa2(view, "off"), view.get_by_role("switch").first, view.get_by_role("button", name="Pin")):
        expect(control).to_have_attribute("aria-disabled", "true")
    expect(view.get_by_label("Address")).not_to_be_editable()
    lpa2(view, "off").click(force=True)
    expect(view.locator("svg")).to_contain_text("52 bits in use")
    page.evaluate(RUN_FIRST, 1)
    expect(view.get_by_text(DISCONNECTED)).to_have_count(0)
    lpa2(view, "off").click()
    expect(view.locator("svg")).to_contain_text("47 bits in use")
    assert errors == []


def test_one_of_two_views_leaves(run_cells):
    page, view = run_cells(f"{CELL}kept", "kept")
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    page.evaluate("window.jupyterapp.commands.execute('notebook:clear-cell-output')")
    expect(page.locator(".pgtlab-view")).to_have_count(1)
    wait_until(page, "kept.comm is not None")
    page.wait_for_timeout(1000)  # longer than the page waits before it lets a view go
    lpa2(view, "off").click()
    expect(view.locator("svg")).to_contain_text("47 bits in use")


def test_view_is_shown_again_after_it_left_the_page(run_cells):
    page, view = run_cells(f"{CELL}kept")
    lpa2(view, "off").click()
    expect(view.locator("svg")).to_contain_text("47 bits in use")
    page.evaluate(CLEAR)
    expect(page.locator(".pgtlab-view")).to_have_count(0)
    wait_until(page, "kept.comm is None")
    show_again(page, "kept")
    expect(view.locator("svg")).to_contain_text("47 bits in use")
    lpa2(view, "on").click()
    expect(view.locator("svg")).to_contain_text("52 bits in use")


def test_view_in_a_box_is_kept(run_cells):
    page, view = run_cells(f"{CELL}import ipywidgets\nbox = ipywidgets.VBox([kept])\nbox")
    page.evaluate(CLEAR)
    expect(page.locator(".pgtlab-view")).to_have_count(0)
    wait_until(page, "{'gone': True} in heard and kept.comm is not None")
    show_again(page, "box")
    lpa2(view, "off").click()
    expect(view.locator("svg")).to_contain_text("47 bits in use")


IDLE = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


def reopened(page, lab):
    """Save the notebook, and open it again with a new kernel."""
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    lab.stop_kernels()
    page.reload()
    page.wait_for_function(IDLE)


def test_saved_notebook_shows_its_views(run_cells, lab):
    page, view = run_cells(f"{CELL}kept")
    lpa2(view, "off").click()
    expect(view.locator("svg")).to_contain_text("47 bits in use")
    wait_until(page, "kept.number == 1")  # what was foreseen is confirmed
    reopened(page, lab)
    assert "47 bits in use" in (lab.folder / "scratch.ipynb").read_text()
    expect(view.locator("svg")).to_contain_text("47 bits in use")
    expect(view.get_by_text(DISCONNECTED)).to_be_visible()
    expect(lpa2(view, "on")).to_have_attribute("aria-disabled", "true")


DRAW_AGAIN = """() => {
    const [{model: {outputs}}] = window.jupyterapp.shell.currentWidget.content.widgets;
    outputs.fromJSON(outputs.toJSON());
}"""


def test_view_that_jupyterlab_asked_its_kernel_for_too_early_is_shown(run_cells, lab):
    """An output that is drawn when the kernel has answered that it has no views, and the notebook was not asked yet."""
    page, view = run_cells("from pgtlab_widgets import Explorer\nExplorer('16k', 52)")
    held, answers = [], []

    def route(browser):
        kernel = browser.connect_to_server()
        browser.on_message(kernel.send)

        def answer(message):
            text = message if isinstance(message, str) else message.decode("latin1")
            answers.extend(["comm_info_reply"] * ("comm_info_reply" in text))
            if "comm_info_reply" in text and len(answers) == 2:  # the kernel's comms, before those of the notebook
                held.append((browser, message))
            else:
                browser.send(message)

        kernel.on_message(answer)

    page.route_web_socket(re.compile("/channels"), route)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    reopened(page, lab)
    page.wait_for_function("document.body.innerText.includes('Loading widget')")
    while not held:
        page.wait_for_timeout(50)
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.connectionStatusChanged.emit('connected')")
    lost = page.get_by_text("model not found")
    expect(lost).to_be_visible()
    page.evaluate(DRAW_AGAIN)
    expect(lost).to_be_visible()
    for browser, message in held:
        browser.send(message)
    expect(view.get_by_text(DISCONNECTED)).to_be_visible()
    expect(lost).to_have_count(0)
    assert errors == []
    page.unroute_all()
