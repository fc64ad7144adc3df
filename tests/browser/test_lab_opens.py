"""What someone sees who types `make lab`: the first notebook, and nothing on top of it."""

import pytest
from playwright.sync_api import expect

from pgtlab.cli.lab import FIRST


def test_the_address_that_lab_prints_opens_the_first_notebook(chromium, lab):
    page = chromium.new_page()
    page.goto(f"{lab.url}/lab/tree/{FIRST}?token={lab.token}")
    expect(page.get_by_role("tab", name="00_tour.ipynb", selected=True)).to_be_visible(timeout=60_000)
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.wait_for_timeout(2000)  # long enough for a pop-up that wants attention
    assert page.locator(".Toastify__toast, .jp-Dialog").count() == 0
    page.close()


def test_without_the_token_there_is_a_login_page(chromium, lab):
    page = chromium.new_page()
    page.goto(f"{lab.url}/lab/tree/{FIRST}")
    assert "/login" in page.url
    page.close()


@pytest.mark.parametrize(("theme", "dark"), [("light", False), ("dark", True)])
def test_the_first_notebook_runs_in_either_theme(open_notebook, theme, dark):
    notebook = open_notebook(FIRST, theme=theme)
    background = notebook.page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    notebook.run_all()
    assert (int(background.strip("rgba()").split(",")[0]) < 128) == dark
