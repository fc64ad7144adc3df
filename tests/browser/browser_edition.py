"""The browser edition, built without numpy, in a Chromium that reaches only this machine: `make test-lite`."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from pgtlab.lab.exercise import read

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "lite-alone"
PATIENCE = 300_000  # milliseconds: the first cell waits until Python has started
RUN = """async number => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = number;
    await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
ADD = """source => {
    const { model } = window.jupyterapp.shell.currentWidget.content;
    model.sharedModel.addCell({ cell_type: 'code', source });
}"""
CELLS = "window.jupyterapp.shell.currentWidget.content.model.toJSON().cells"


class Quiet(SimpleHTTPRequestHandler):
    """A web server that serves files and nothing else, as any that a site is published on."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site, built from this tree."""
    subprocess.run([sys.executable, "lite/make_site.py", str(SITE), "--alone"], cwd=ROOT, check=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def tour(chromium: Browser, site: str) -> Iterator[Page]:
    """The course's tour, open in JupyterLite, which asks no other machine for anything."""
    nowhere = {"server": "http://127.0.0.1:9", "bypass": "127.0.0.1"}  # a proxy that is not there
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, proxy=nowhere)
    context.set_default_timeout(PATIENCE)
    asked_elsewhere = []

    def only_here(route: Route) -> None:
        if route.request.url.startswith(site):
            route.fallback()
        else:
            asked_elsewhere.append(route.request.url)
            route.abort()

    def show_the_app(route: Route) -> None:
        settings = route.fetch().json()
        settings["jupyter-config-data"]["exposeAppInBrowser"] = True  # as window.jupyterapp
        route.fulfill(json=settings)

    context.route(f"{site}/jupyter-lite.json", show_the_app)
    context.route("**/*", only_here)
    page = context.new_page()
    page.goto(f"{site}/lab/index.html?path=notebooks/00_tour.ipynb")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel")
    yield page
    context.close()
    assert asked_elsewhere == []


def run(page: Page, source: str) -> str:
    """Run the first cell whose source contains `source`, or a new one; return what is printed or raised."""
    sources = ["".join(cell["source"]) for cell in page.evaluate(CELLS)]
    number = next((n for n, text in enumerate(sources) if source in text), len(sources))
    if number == len(sources):
        page.evaluate(ADD, source)
    page.evaluate(RUN, number)
    shown = []
    for output in page.evaluate(CELLS)[number]["outputs"]:
        text = output.get("text", output.get("traceback", output.get("data", {}).get("text/plain", "")))
        shown.append(text if isinstance(text, str) else "\n".join(text))
    return "\n".join(shown).strip()


def test_the_explorer_follows_a_click(tour):
    run(tour, "from pgtlab import CPU")
    run(tour, "from pgtlab_widgets import Explorer")
    view = tour.locator(".pgtlab-view").first
    view.scroll_into_view_if_needed()
    picture = view.locator("svg").first
    expect(picture).to_contain_text("52 bits in use, the walk starts at level 0")
    expect(picture).to_contain_text("level 0")
    before = picture.inner_html()
    view.get_by_role("button", name="off", exact=True).click()
    expect(picture).to_contain_text("47 bits in use, the walk starts at level 1")
    expect(picture).to_contain_text("pud folded at run time")
    assert picture.inner_html() != before


@pytest.mark.parametrize(("view", "shows"), [("FoldLab", "a64fx"), ("BisectionView", "24 commits are left")])
def test_the_views_that_need_no_numpy_are_drawn(tour, view, shows):
    run(tour, f"import pgtlab_widgets\npgtlab_widgets.{view}()")
    expect(tour.locator(".jp-Cell").last.locator(".pgtlab-view svg").first).to_contain_text(shows)


def test_what_needs_numpy_says_so_in_one_sentence(tour):
    run(tour, "from pgtlab import CPU")
    said = "needs numpy, which this browser edition does not have"
    assert run(tour, "from pgtlab.lab import Tree\nTree.named('fixed').start_kernel()") == f"a running kernel {said}"
    assert run(tour, "from pgtlab_widgets import WalkStepper") == f"WalkStepper {said}"


def test_a_chapter_keeps_the_answers_to_its_questions(tour):
    code = """
from pgtlab.lab import chapters
from pgtlab.lab.progress import Progress
from pgtlab_widgets import Chapter
chapter = Chapter("00_hexadecimal")
chapter.ask(next(iter(chapters.questions("00_hexadecimal")))).give_up()
kept = Progress.of()
print(kept.path, [answer.verdict for answer in kept.answers], len(kept.reader))
"""
    assert run(tour, code) == "/drive/progress.json ['unknown'] 8"
    run(tour, "chapter.head  # its log strip")
    expect(tour.locator(".jp-Cell").last.locator(".pgtlab-course")).to_be_visible()


def test_an_exercise_is_judged(tour):
    task = read(ROOT / "exercises" / "01_indices.py")
    code = f"""
{task.code("solution")}
from pgtlab.lab import check
print(check("{task.name}", {task.answer}).passed, check("{task.name}", lambda va, boot: None).passed)
"""
    assert run(tour, code) == "True False"


def test_a_notebook_keeps_files_beside_it(tour):
    code = """
from pathlib import Path
answers = Path("answers.json")
answers.write_text('{"asked": 1}')
print(answers.read_text(), answers.resolve().parent.name, len([*Path("..").glob("exercises/*.ipynb")]))
"""
    exercises = len([*(ROOT / "exercises").glob("*.py")])
    assert run(tour, code) == f"{json.dumps({'asked': 1})} notebooks {exercises}"
