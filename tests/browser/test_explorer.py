"""The explorer as a learner meets it: what is on the page, not what is in Python."""

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

CELL = """
from pgtlab_widgets import Explorer
explorer = Explorer(page_size="16k", va_bits=52, cpu="max", address="VMEMMAP_START")
explorer
"""


@pytest.fixture
def explorer(open_notebook, lab):
    """Open a notebook with one explorer, in a theme; give the page and the explorer on it."""

    def show(theme="light", cells=(CELL,)):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, lab.folder / "explorer.ipynb")
        opened = open_notebook("explorer.ipynb", theme=theme)
        opened.run_all()
        view = opened.page.locator(".pgtlab-explorer").first
        expect(view.get_by_role("button", name="16k", exact=True)).to_be_visible()
        return opened.page, view

    return show


def button(view: Locator, group: str, name: str) -> Locator:
    return view.get_by_role("group", name=group, exact=True).get_by_role("button", name=name, exact=True)


def picture(view: Locator) -> Locator:
    return view.locator("svg.pgtlab-picture")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_switching_lpa2_off_takes_a_level_away_and_back(explorer, theme):
    _, view = explorer(theme)
    expect(picture(view)).to_contain_text("level 0: 31")
    expect(picture(view)).not_to_contain_text("folded at run time")

    button(view, "LPA2", "off").click()
    expect(picture(view)).to_contain_text("47 bits in use, the walk starts at level 1")
    expect(picture(view)).to_contain_text("pud folded at run time")
    expect(picture(view)).not_to_contain_text("level 0:")
    expect(view.get_by_role("row", name="vabits_actual 52 47")).to_be_visible()
    expect(view.get_by_role("row", name="pud real folded at run time")).to_be_visible()

    button(view, "LPA2", "on").click()
    expect(picture(view)).to_contain_text("level 0: 31")


def test_the_keyboard_does_all_that_the_mouse_does(explorer):
    page, view = explorer()
    off = button(view, "LPA2", "off")
    off.focus()
    page.keyboard.press("Space")
    expect(picture(view)).to_contain_text("folded at run time")
    expect(off).to_be_focused()

    bits = view.get_by_role("switch")
    expect(bits).to_have_count(64)
    bits.first.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    bit = view.get_by_role("switch", name="bit 1, offset")
    expect(bit).to_be_focused()
    expect(bit).to_have_attribute("aria-checked", "false")
    page.keyboard.press("Space")
    expect(bit).to_have_attribute("aria-checked", "true")
    expect(bit).to_be_focused()
    expect(view.get_by_label("Address")).to_have_value("0xfffff03fc0000002")


def test_a_click_flips_a_bit(explorer):
    _, view = explorer()
    bit = view.get_by_role("switch", name="bit 14, level 3")
    bit.click()
    expect(bit).to_have_attribute("aria-checked", "true")
    expect(bit).to_be_focused()
    expect(picture(view)).to_contain_text("pte 1")


def test_an_illegal_choice_is_greyed_and_says_by_which_rule(explorer):
    _, view = explorer()
    no = button(view, "VA_BITS", "39")
    expect(no).to_have_attribute("aria-disabled", "true")
    no.click(force=True)
    rule = view.get_by_text("ARM64_VA_BITS_39 depends on PAGE_SIZE_4KB")
    expect(rule).to_be_visible()
    expect(button(view, "VA_BITS", "52")).to_have_attribute("aria-pressed", "true")  # nothing changed by itself
    expect(button(view, "Page size", "16k")).to_have_attribute("aria-pressed", "true")

    view.get_by_role("button", name="Use 4k pages, VA_BITS=39, PA_BITS=48").click()
    expect(button(view, "Page size", "4k")).to_have_attribute("aria-pressed", "true")
    expect(button(view, "VA_BITS", "39")).to_have_attribute("aria-pressed", "true")
    expect(picture(view)).to_contain_text("39 bits in use, the walk starts at level 1")


def test_a_choice_that_takes_another_along_says_so(explorer):
    _, view = explorer()
    button(view, "VA_BITS", "47").click()
    expect(view.get_by_text("PA_BITS is 48 now.")).to_be_visible()
    expect(button(view, "PA_BITS", "48")).to_have_attribute("aria-pressed", "true")


def test_a_cpu_without_the_granule_does_not_boot_and_says_why(explorer):
    _, view = explorer()
    button(view, "CPU", "cortex-a72").click()
    expect(view.get_by_text("cortex-a72 has no 16K granule")).to_be_visible()
    expect(picture(view)).to_be_hidden()
    expect(button(view, "LPA2", "on")).to_have_attribute("aria-disabled", "true")
    button(view, "Page size", "4k").click()
    expect(picture(view)).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "told"),
    [("VMEMAP_START", "did you mean VMEMMAP_START?"), ("0xzz", "'0xzz'"), ("0x1_0000_0000_0000_0000", "64-bit")],
)
def test_a_bad_address_is_named_under_the_field_and_changes_nothing(explorer, typed, told):
    _, view = explorer()
    field = view.get_by_label("Address")
    field.fill(typed)
    expect(view.get_by_text(told)).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value(typed)
    expect(picture(view)).to_contain_text("0xfffff03fc0000000")
    field.fill("0xffff_c000_0000_0000")
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(picture(view)).to_contain_text("0xffffc00000000000")


def test_two_views_of_one_explorer_stay_in_step(explorer):
    page, view = explorer(cells=(CELL, "explorer"))
    other = page.locator(".pgtlab-explorer").nth(1)
    expect(picture(other)).to_contain_text("level 0: 31")
    button(view, "LPA2", "off").click()
    expect(picture(other)).to_contain_text("folded at run time")
    other.get_by_label("Address").fill("PAGE_END")
    expect(view.get_by_label("Address")).to_have_value("PAGE_END")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(explorer, theme):
    page, view = explorer(theme)
    button(view, "VA_BITS", "39").click(force=True)
    result = Axe().run(page, context=".pgtlab-explorer")
    assert result.violations_count == 0, result.generate_report()
