"""Fixtures for the browser tests: views on a page of their own, and a JupyterLab.

Most tests ask what a view does. `show` puts it on a page without Jupyter, drawn by its own JavaScript and
connected to its own Python, in this process:

    def test_something(show):
        page, view = show(Explorer("16k", 52), theme="dark")
        view.get_by_role("button", name="off").click()

What depends on Jupyter is tested in the JupyterLab that `pgtlab lab` starts, so what these tests see is what a user
gets; only its folders are temporary. Each worker that needs one starts its own.

    def test_something(open_notebook):
        notebook = open_notebook("notebooks/00_tour.ipynb", theme="dark")
        notebook.run_all()
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from pgtlab_widgets.view import View
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.browser.drawing import Theme, blank, draw
from tests.browser.get_chromium import find

HERE = Path(__file__).parent
# A busy machine may take long over a picture; a test that passes never waits for these.
expect.set_options(timeout=60_000)
PATIENCE = 120_000  # milliseconds, for what else a page waits for
THEMES: dict[Theme, str] = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
# All but the first keep Chromium from asking the network for what no test needs.
ARGUMENTS = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
ARGUMENTS += ["--disable-sync", "--disable-quic"]


@pytest.hookimpl(tryfirst=True)  # before `-m browser` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens a browser, and as long what opens JupyterLab in it."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "chromium" in names and HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if "lab" in names:
                item.add_marker(pytest.mark.long)


@cache
def chromium_path() -> str:
    return find() or "none: no Chromium here; `make test` gets one where it may"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip where there is no Chromium: here and not in a fixture, so that pytest folds all into one line."""
    if item.get_closest_marker("browser") and chromium_path().startswith("none"):
        pytest.skip(f"no browser tests: {chromium_path().removeprefix('none: ')}")


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, the token that opens it, and the workbench folder."""

    url: str
    token: str
    folder: Path

    def request(self, path: str, method: str = "GET") -> bytes:
        """Ask its REST API."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}/{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def wait_until_up(self, process: subprocess.Popen[str]) -> None:
        """Return when it answers."""
        deadline = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < deadline:
            try:
                self.request("api/status")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("JupyterLab did not start")

    def stop_kernels(self) -> None:
        """Forget what the notebooks computed, so that the next test starts afresh."""
        for session in json.loads(self.request("api/sessions")):
            self.request(f"api/sessions/{session['id']}", "DELETE")


@dataclass(frozen=True)
class Notebook:
    """A notebook that is open in JupyterLab, by itself on `page`."""

    page: Page

    def run_all(self, timeout_s: float = 600) -> None:
        """Run every cell; raise what a cell raised or wrote to stderr."""
        self.page.evaluate(
            """async seconds => {
                const late = new Promise((_, no) => setTimeout(() => no(`not done in ${seconds} s`), seconds * 1000));
                await Promise.race([late, window.jupyterapp.commands.execute('notebook:run-all-cells')]);
            }""",
            timeout_s,
        )
        assert not (errors := self.errors()), "\n\n".join(errors)

    def errors(self) -> list[str]:
        """Return what went wrong in its cells, seen in the model: the page holds only visible cells."""
        cells = self.page.evaluate("window.jupyterapp.shell.currentWidget.content.model.toJSON().cells")
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        raised = ["\n".join(output["traceback"]) for output in outputs if output["output_type"] == "error"]
        return raised + ["".join(output["text"]) for output in outputs if output.get("name") == "stderr"]

    def set_theme(self, theme: Theme) -> None:
        """Switch JupyterLab's theme and wait until the page has it."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", THEMES[theme]
        )
        light = "true" if theme == "light" else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else ARGUMENTS  # root has no sandbox
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """`pgtlab lab` over a workbench that it has just built, for the whole session."""
    home = tmp_path_factory.mktemp("lab")
    config = home / ".jupyter" / "jupyter_lab_config.json"
    config.parent.mkdir()
    config.write_text('{"LabApp": {"expose_app_in_browser": true}}')  # as window.jupyterapp
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "XDG"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "pgtlab.cli", "lab", "--no-browser"],
        cwd=home,
        env={**outside, "HOME": str(home), "MPLCONFIGDIR": str(home)},
        stdout=subprocess.PIPE,
        stderr=(home / "stderr.log").open("w"),
        text=True,
    )
    try:
        printed = "".join(iter(process.stdout.readline, "Ctrl-C stops it.\n"))
        url, token = re.search(r"(http://[^/]+)/\S+\?token=(\w+)", printed).groups()
        started = Lab(url, token, home / "workbench")
        started.wait_until_up(process)
        yield started
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def lab_url(lab: Lab) -> str:
    """The address of `lab`, without a slash at its end."""
    return lab.url


@contextmanager
def window(chromium: Browser, lab: Lab) -> Iterator[Page]:
    """Open a fresh browser window that may open anything of `lab`."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{lab.url}/api/status?token={lab.token}")  # leaves the cookie that opens the rest
    yield page
    context.close()
    lab.stop_kernels()


def open_in(page: Page, lab: Lab, path: str, theme: Theme = "light") -> Notebook:
    """Open a notebook of the workbench, its kernel ready, in either theme."""
    page.goto(f"{lab.url}/doc/tree/{path}?reset")  # /doc: one document; reset: no old layout
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.wait_for_function(
        "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    )
    notebook = Notebook(page)
    notebook.set_theme(theme)
    return notebook


@pytest.fixture
def page(chromium: Browser, lab: Lab) -> Iterator[Page]:
    """A window of its own for a test."""
    with window(chromium, lab) as page:
        yield page


@pytest.fixture
def open_notebook(page: Page, lab: Lab) -> Callable[..., Notebook]:
    """`open_in` the test's own window."""
    return partial(open_in, page, lab)


def with_cells(*cells: str) -> dict[str, Any]:
    """A notebook of code cells."""
    empty = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    return {
        "cells": [{**empty, "id": f"cell-{number}", "source": cell.strip()} for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.fixture(scope="module")
def scratch(chromium: Browser, lab: Lab) -> Iterator[Notebook]:
    """A notebook that is opened once and filled by each test with `run_cells`."""
    (lab.folder / "scratch.ipynb").write_text(json.dumps(with_cells()))
    with window(chromium, lab) as page:
        yield open_in(page, lab, "scratch.ipynb")


@pytest.fixture
def run_cells(scratch: Notebook) -> Callable[..., tuple[Page, Locator]]:
    """Fill the scratch notebook with cells and run them, in a theme; give the page and the first view on it."""

    def run(*cells: str, theme: Theme = "light") -> tuple[Page, Locator]:
        page = scratch.page
        page.set_viewport_size({"width": 1280, "height": 900})
        scratch.set_theme(theme)
        fill = "cells => window.jupyterapp.shell.currentWidget.context.model.fromJSON(cells)"
        page.evaluate(fill, with_cells(*cells))
        scratch.run_all()
        view = page.locator(".pgtlab-view").first
        expect(view).to_be_visible()
        return page, view

    return run


@contextmanager
def new_window(chromium: Browser) -> Iterator[BrowserContext]:
    """Open a window, which stays while its tabs come and go."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    context.new_page()  # a window without a tab is closed
    yield context
    context.close()


@pytest.fixture(scope="session")
def tabs(chromium: Browser) -> Iterator[BrowserContext]:
    """The window for the pages without Jupyter: a tab takes a third of the work of a window.

    Tabs share cookies and Playwright's clock, no more: a test that sets the clock takes `show_with_clock`.
    """
    with new_window(chromium) as context:
        yield context


@contextmanager
def page_alone(tabs: BrowserContext) -> Iterator[Page]:
    """Open a page without Jupyter; raise what it raised."""
    page = tabs.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


@contextmanager
def connected(page: Page) -> Iterator[Callable[..., tuple[Page, Locator]]]:
    """Give what shows views on `page`, connected to their Python, and returns the page and the first view on it.

    A message is handled at once, and its answer is all that the views sent since the last one, as their comms send it;
    `window.unanswered` counts the messages that are under way. A test that wants to stop in the middle replaces a
    view's `receive`. The toolbars of what can be chosen are unfolded, unless a test says otherwise.
    """
    shown: list[View] = []
    outbox: list[tuple[int, dict[str, Any]]] = []

    def publish(number: int, kind: str, data: object = None, **others: object) -> None:
        if kind == "comm_msg":
            outbox.append((number, json.loads(json.dumps(data))))

    def to_python(sent: tuple[int, dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
        number, message = sent
        shown[number]._handle_custom_msg(message, [])
        answer = outbox[:]
        outbox.clear()
        return answer

    def show(*widgets: View, theme: Theme = "light", unfold: bool = True) -> tuple[Page, Locator]:
        blank(page, theme)
        page.expose_function("toPython", to_python)
        for number, widget in enumerate(widgets):
            shown.append(widget)
            widget.comm.publish_msg = partial(publish, number)
            draw(page, widget, widget.get_state(), number)
        for button in page.locator(".controls .unfold").all() if unfold else ():
            button.click()
        return page, page.locator(".pgtlab-view").first

    yield show
    for widget in shown:
        widget.close()


@pytest.fixture
def empty_page(tabs: BrowserContext) -> Iterator[Page]:
    """A page for one test, without Jupyter."""
    with page_alone(tabs) as page:
        yield page


@pytest.fixture
def show(empty_page: Page) -> Iterator[Callable[..., tuple[Page, Locator]]]:
    """Show views on a page for one test, connected to their Python."""
    with connected(empty_page) as show:
        yield show


@pytest.fixture
def show_with_clock(chromium: Browser) -> Iterator[Callable[..., tuple[Page, Locator]]]:
    """Show views as `show` does, in a window of its own, whose clock the test may set."""
    with new_window(chromium) as context, page_alone(context) as page, connected(page) as show:
        yield show


@pytest.fixture
def render(empty_page: Page) -> Callable[[type[View], dict[str, Any]], Locator]:
    """Draw a `view` that no model made, by a widget's own JavaScript, on a page without Jupyter.

    What it sends is in `window.sent`; `window.receive(view)` gives it another view.
    """

    def render(widget: type[View], view: dict[str, Any]) -> Locator:
        empty_page.set_content("<!DOCTYPE html><main></main>")
        draw(empty_page, widget, {"view": json.dumps(view)})
        return empty_page.locator(".pgtlab-view")

    return render
