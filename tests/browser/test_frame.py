"""What is around a view: its share string, and its picture as a file."""

from xml.etree import ElementTree

import pytest
from pgtlab_widgets import BisectionView, Explorer, FoldLab, PageInspector, TableMap, WalkStepper
from playwright.sync_api import expect


def test_one_share_string_for_all_views_of_a_kernel(show):
    views = Explorer("16k", 52, "max,lpa2=off", "VMEMMAP_START + 0x40"), TableMap(), WalkStepper(), FoldLab()
    page, explorer = show(*views)
    text = explorer.get_by_label("Share", exact=True).input_value()
    assert text == "pgtlab://16k/52/no-lpa2/VMEMMAP_START+0x40"
    for name in ("table-map", "walk-stepper"):
        field = page.locator(f".pgtlab-{name}").get_by_label("Address")
        field.fill(text)
        field.press("Enter")
        expect(field).to_have_value("VMEMMAP_START + 0x40")
        expect(page.locator(f".pgtlab-{name}").get_by_label("Share", exact=True)).to_have_value(text)
    matrix = page.locator(".pgtlab-fold-lab").get_by_label("Share", exact=True)
    matrix.fill(text)
    matrix.press("Enter")
    expect(matrix).to_have_value("pgtlab://16k/52/no-lpa2")


@pytest.mark.parametrize("view", [PageInspector, BisectionView], ids=["page", "bisection"])
def test_share_string_that_is_not_one(show, view):
    _, view = show(view())
    field = view.get_by_label("Share", exact=True)
    shown = field.input_value()
    field.fill("pgtlab://4k/47/lpa2")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(view.get_by_role("alert").and_(view.locator(".foot .error"))).to_contain_text("PAGE_SIZE_16KB")
    field.fill(shown)
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "false")


def test_copy(show):
    _, view = show(Explorer("16k", 52, address="PAGE_OFFSET"))
    copy = view.get_by_role("button", name="Copy")
    copy.click()
    expect(view.get_by_role("button", name="Copied")).to_be_visible()
    address = view.get_by_label("Address")
    address.fill("")
    address.press("Control+v")
    expect(address).to_have_value("pgtlab://16k/52/lpa2/PAGE_OFFSET")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_picture_as_a_file(show, theme):
    page, view = show(Explorer("16k", 52), theme=theme)
    with page.expect_download() as svg:
        view.get_by_role("button", name="SVG").click()
    assert svg.value.suggested_filename == "pgtlab-explorer.svg"
    root = ElementTree.parse(svg.value.path()).getroot()
    background, *shapes = root.iter("{http://www.w3.org/2000/svg}rect")
    assert background.get("fill") == ("rgb(255, 255, 255)" if theme == "light" else "rgb(17, 17, 17)")
    fills = {shape.get("fill") for shape in shapes}
    assert {"rgb(86, 180, 233)", "none"} <= fills
    assert not any("class" in shape.attrib or "data-bit" in shape.attrib for shape in shapes)
    with page.expect_download() as png:
        view.get_by_role("button", name="PNG").click()
    assert png.value.path().read_bytes()[:4] == b"\x89PNG"
