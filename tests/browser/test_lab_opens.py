"""What someone sees who types `make lab`: the first notebook, and nothing on top of it."""

import pytest
from playwright.sync_api import expect

from pgtlab.cli.lab import FIRST


def test_printed_address_opens_the_first_notebook(chromium, lab):
    page = chromium.new_page()
    page.goto(f"{lab.url}/lab/tree/{FIRST}?token={lab.token}")
    expect(page.get_by_role("tab", name="index.ipynb", selected=True)).to_be_visible(timeout=120_000)
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.evaluate("window.jupyterapp.restored")
    page.wait_for_load_state("networkidle")  # nothing more is asked of the server: a pop-up would be there
    expect(page.locator(".Toastify__toast, .jp-Dialog")).to_have_count(0)
    page.close()


def test_login_page_without_the_token(chromium, lab):
    page = chromium.new_page()
    page.goto(f"{lab.url}/lab/tree/{FIRST}")
    assert "/login" in page.url
    page.close()


def test_first_notebook_runs_in_both_themes(open_notebook):
    notebook = open_notebook(FIRST)
    notebook.run_all()
    for theme, dark in (("light", False), ("dark", True)):
        notebook.set_theme(theme)
        background = notebook.page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert (int(background.strip("rgba()").split(",")[0]) < 128) == dark


@pytest.mark.parametrize("path", [FIRST, "notebooks/gallery.ipynb", "exercises/03_pud_free.ipynb"])
def test_opening_a_notebook_does_not_change_it(open_notebook, path):
    notebook = open_notebook(path)
    notebook.page.wait_for_load_state("networkidle")
    assert not notebook.page.evaluate("window.jupyterapp.shell.currentWidget.context.model.dirty")


def test_map_leads_to_a_chapter_without_loading_the_page_again(page, lab):
    page.goto(f"{lab.url}/lab/tree/{FIRST}?reset")
    idle = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_function(idle)
    page.evaluate("window.loaded = 'once'")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.locator(".course-map").get_by_role("link", name="The tour").click()
    expect(page.get_by_role("tab", name="00_tour.ipynb", selected=True)).to_be_visible()
    assert page.evaluate("window.loaded") == "once"
