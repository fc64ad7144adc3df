"""The views in JupyterLab: what depends on its kernels, its keys and its themes."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

IN_KERNEL = """code =>
    window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code}).done"""
MAKE = """
from pgtlab_widgets import Explorer
explorer = Explorer(page_size="16k", va_bits=52, cpu="max", address="VMEMMAP_START")
explorer
"""
ALL = """
from pgtlab_widgets import *
display(Explorer("16k", 52), FoldLab(), PageInspector(), BisectionView(), OopsReader(), BugLab())
display(WalkStepper(page_size="16k", va_bits=52), TLBView(accesses=100_000), TableMap(page_size="4k", va_bits=52))
"""
#: A button of each view, and what it brings. The fold lab loads its kernel into the others: it is the last.
ANSWERS = {
    "explorer": ("^off$", "folded at run time"),
    "page-inspector": (r"alloc_pages\(0\)", "_refcount = 1 (was 0)"),
    "bisection-view": ("Test git's choice", "Tests so far: 1"),
    "oops-reader": ("ESR = 0x0000000096000004", "Translation fault, level 0."),
    "walk-stepper": ("Step ▶", "of the address choose entry"),
    "tlb": ("Step ▶", "Access 34 of 48"),
    "bug-lab": ("^off$", "next-20240229 on max without LPA2: panic"),
    "table-map": ("^linear map$", "The way to 0x"),
    "fold-lab": ("^16K pages, VA_BITS=52, PA_BITS=52 on max without LPA2", "47 bits in use"),
}


def lpa2(view, name):
    return view.get_by_role("toolbar", name="LPA2").get_by_role("button", name=name, exact=True)


def unfold(page):
    """Open the toolbars of what can be chosen."""
    for button in page.locator(".controls .unfold").all():
        button.click()


def test_views_answer_and_axe_finds_no_violation(run_cells, scratch):
    page, _ = run_cells(ALL)
    unfold(page)
    for name, (button, answer) in ANSWERS.items():
        view = page.locator(f".pgtlab-{name}")
        view.get_by_role("button", name=re.compile(button)).first.click()
        expect(view).to_contain_text(answer)
    # Two views of a log have a region "Diagnosis" each; alone, as their own tests have them, names are unique.
    unique = {"rules": {"landmark-unique": {"enabled": False}}}
    for theme, options in (("light", unique), ("dark", {"runOnly": ["color-contrast"]})):
        scratch.set_theme(theme)
        result = Axe().run(page, context=".pgtlab-view", options=options)
        assert result.violations_count == 0, result.generate_report()


def test_flips_are_queued_while_python_is_busy(run_cells, tmp_path):
    page, view = run_cells(MAKE)
    busy = f"import pathlib\nwhile not pathlib.Path({str(tmp_path / 'enough')!r}).exists(): pass"
    page.evaluate(f"code => void ({IN_KERNEL})(code)", busy)
    for bit in (0, 1, 2, 2):
        view.get_by_role("switch", name=f"bit {bit}, offset").click()
    (tmp_path / "enough").touch()
    expect(view.get_by_label("Address")).to_have_value("0xfffff03fc0000003")


def test_keys_of_a_view_do_not_reach_jupyterlab(run_cells):
    page, view = run_cells(MAKE, "1 + 1")
    view.get_by_role("switch").first.focus()
    for key in ("ArrowRight", "ArrowDown", "Enter", "Space", "b", "End"):
        page.keyboard.press(key)
    expect(view.get_by_role("switch").last).to_be_focused()
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex") == 0
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == 2


def test_typed_letters_do_not_reach_jupyterlab(run_cells):
    page, view = run_cells("from pgtlab_widgets import BugLab\nBugLab()", "1 + 1")
    view.get_by_role("button", name="3 Change").click()
    view.get_by_role("textbox", name="Your own patch").press_sequentially("# adds")  # dd would delete a cell
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == 2


def test_two_views_of_one_explorer(run_cells):
    page, view = run_cells(MAKE, "explorer")
    other = page.locator(".pgtlab-explorer").nth(1)
    expect(other.locator("svg")).to_contain_text("52 bits in use")
    lpa2(view, "off").click()
    expect(other.locator("svg")).to_contain_text("folded at run time")
    expect(lpa2(other, "off")).to_have_attribute("aria-pressed", "true")
    other.get_by_label("Address").fill("PAGE_END")
    page.keyboard.press("Enter")
    expect(view.get_by_label("Address")).to_have_value("PAGE_END")


def test_python_and_page_stay_in_sync(run_cells):
    page, view = run_cells(MAKE)
    unfold(page)
    lpa2(view, "off").click()
    expect(view.locator("svg")).to_contain_text("folded at run time")
    page.evaluate(IN_KERNEL, "explorer.choose(page_size='64k', va_bits=42, pa_bits=explorer.boot.vabits_actual + 1)")
    expect(view.locator("svg")).to_contain_text("64K pages, VA_BITS=42 on max without LPA2")
    expect(view.locator("[data-unfold='kernel']")).to_have_text("64k · VA 42 · PA 48 · max")
    expect(view.locator("button[aria-pressed=true]")).to_have_text(["off", "64k", "42", "48", "max", "minimal"])


def test_page_without_widgets(run_cells):
    page, _ = run_cells(MAKE)
    output = page.evaluate("window.jupyterapp.shell.currentWidget.content.model.toJSON().cells[0].outputs[0].data")
    assert "pgtlab-picture" in "".join(output["text/html"])
    assert "TTBR1_EL1" in "".join(output["text/plain"])


@pytest.mark.parametrize("width", [1280, 700])
def test_choices_move_nothing_below(run_cells, width):
    page, view = run_cells("from pgtlab_widgets import WalkStepper\nWalkStepper(page_size='16k', va_bits=52)")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("width => document.querySelector('.pgtlab-view').offsetWidth < width", arg=width)
    height = view.bounding_box()["height"]
    for name, table in (("off", "level 1 table"), ("on", "level 0 table")):
        lpa2(view, name).click()
        expect(view.locator("svg").first).to_contain_text(table)
        assert abs(view.bounding_box()["height"] - height) < 1
