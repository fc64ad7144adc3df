"""The views where JupyterLab's theme and manners are not: other front ends' ways, on a page without Jupyter.

The pages here do what was seen of Notebook 7.6, of the classic notebook (nbclassic 1.3, with Bootstrap 3) and in the
sources of VS Code's Jupyter extension; docs/views.md says what was tried.
"""

import pytest
from pgtlab_widgets import Explorer
from playwright.sync_api import expect

#: VS Code's variables as its dark theme sets them, and those of a light JupyterLab, which its widgets bring along.
VSCODE = """
:root { --jp-layout-color0: white; --jp-layout-color1: white; --jp-layout-color2: #eee; --jp-border-color0: #616161;
  --jp-content-font-color1: black; --jp-content-font-color2: #616161; }
html { --vscode-editor-foreground: #cccccc; --vscode-editor-background: #1f1f1f; }
body { background: var(--vscode-editor-background); }
.cell-output-ipywidget-background { background: white !important; }
"""

#: What the classic notebook says of names that a view uses too.
BOOTSTRAP = """
.label { display: inline; padding: .2em .6em .3em; font-size: 75%; line-height: 1; color: #fff; white-space: nowrap; }
.mark { padding: .2em; background-color: #fcf8e3; }
div.error { margin: 2em; text-align: center; }
output { display: block; padding-top: 7px; font-size: 13px; color: #555; }
label { display: inline-block; margin-bottom: 5px; }
summary { display: block; }
"""


@pytest.fixture
def explorer(render):
    return render(Explorer, Explorer(page_size="16k", va_bits=52, address="VMEMMAP_START").drawn())


def style(locator, name):
    return locator.evaluate("(element, name) => getComputedStyle(element)[name]", name)


def test_keys_of_a_view_are_marked_for_notebook_7(explorer):
    page = explorer.page
    page.evaluate(
        """() => { window.taken = []; document.addEventListener("keydown", (event) =>
            event.target.hasAttribute("data-lm-suppress-shortcuts") || window.taken.push(event.key), true); }"""
    )
    explorer.locator("[data-unfold='kernel']").click()
    explorer.get_by_role("button", name="16k", exact=True).focus()
    for key in ("ArrowRight", "d", "Control+s", "Shift+Enter", "ArrowLeft"):
        page.keyboard.press(key)
    assert [key for key in page.evaluate("window.taken") if len(key) == 1 or key == "Enter"] == ["s", "Enter"]
    expect(explorer.get_by_role("button", name="16k", exact=True)).to_be_focused()
    page.evaluate("document.body.append(Object.assign(document.createElement('button'), {id: 'other'}))")
    page.locator("#other").press("ArrowRight")
    assert page.evaluate("window.taken").pop() == "ArrowRight", "keys outside a view are left alone"


def test_bootstrap_of_the_classic_notebook(explorer):
    labels = explorer.locator(".label")
    as_in_lab = labels.evaluate_all("all => all.map((one) => JSON.stringify(one.getBoundingClientRect()))")
    explorer.page.add_style_tag(content=BOOTSTRAP)
    # Theirs comes first on a page of theirs, and so it does here.
    explorer.page.evaluate("document.head.prepend(document.head.lastElementChild)")
    assert {style(label, "color") for label in labels.all()} == {style(explorer, "color")}
    assert labels.evaluate_all("all => all.map((one) => JSON.stringify(one.getBoundingClientRect()))") == as_in_lab
    assert style(explorer.locator("summary").first, "display") == "list-item"


def test_theme_of_vs_code(explorer):
    page = explorer.page
    page.add_style_tag(content=VSCODE)
    page.evaluate(
        """() => { document.querySelector("main").className = "cell-output-ipywidget-background";
                   document.body.dataset.vscodeThemeKind = document.body.className = "vscode-dark"; }"""
    )
    dark, light = "rgb(31, 31, 31)", "rgb(204, 204, 204)"
    assert (style(explorer, "color"), style(explorer, "backgroundColor")) == (light, dark)
    assert style(explorer.locator("svg"), "color") == light
    assert style(explorer.locator("input").first, "backgroundColor") == dark
    assert style(page.locator("main"), "backgroundColor") == "rgba(0, 0, 0, 0)", "no white rim"
