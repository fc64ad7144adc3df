"""The table map as a learner meets it."""

import re

import pytest
from pgtlab_widgets import TableMap
from playwright.sync_api import expect

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from tests.browser.drawing import assert_accessible

FOCUSED = "document.activeElement.dataset.item"


def lpa2():
    return TableMap(page_size="4k", va_bits=52)


def test_root_to_entry_by_click_and_key(show):
    page, view = show(lpa2())
    picture = view.locator("svg")
    expect(picture).to_contain_text("level -1, the root")
    expect(picture).to_contain_text("4 PiB + 4 PiB")
    view.get_by_role("button", name=re.compile("^linear map: .* to 0x")).click()
    expect(picture).to_contain_text("The way to 0xfff0000000000000")
    expect(picture).to_contain_text("level 2, table 1 of 1")
    expect(picture).to_contain_text("level 2 block")
    view.get_by_role("button", name=re.compile(r"^\[0x00f\] .* 1 Table")).last.focus()
    page.keyboard.press("Enter")
    expect(picture).to_contain_text("The way to 0xffff000000000000")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(picture).to_contain_text("The way to 0xfff1000000000000")


def test_plus_and_minus(show):
    page, view = show(lpa2())
    picture = view.locator("svg")
    view.get_by_role("button", name=re.compile("^linear map: .* to 0x")).click()
    expect(picture).to_contain_text("The way to 0xfff0000000000000")
    expect(picture).to_contain_text("PA 0x40000000")
    view.locator("[data-item='scale 1 0']").focus()
    for bar in range(2, 11):  # the last is the page
        page.keyboard.press("+")
        page.wait_for_function(f"{FOCUSED}.startsWith('scale {bar} ')")
    page.keyboard.press("-")
    page.wait_for_function(f"{FOCUSED}.startsWith('scale 9 ')")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")  # another page: it is gone to, and the reader with it
    page.wait_for_function(f"{FOCUSED}.startsWith('scale 10 ')")
    expect(picture).to_contain_text("The way to 0xfff0000000001000")
    page.keyboard.press("ArrowUp")
    expect(view.locator("[data-item='scale 9 1']")).to_be_focused()


def test_magnify_by_click_and_wheel(show):
    page, view = show(lpa2())
    picture = view.locator("svg")
    pages = view.locator("[data-item^='scale 9 ']")
    expect(pages).to_have_count(32)
    pages.nth(31).click()
    expect(picture).to_contain_text("The way to 0xffffc1ffc001f000")
    view.locator("[data-item^='scale 8 ']").nth(15).hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function(f"{FOCUSED}.startsWith('scale 9 ')")
    expect(picture).to_contain_text("The way to 0xffffc1ffc01e0000")


def test_colours_by_permission_have_a_legend(show):
    _, view = show(lpa2())
    picture = view.locator("svg")
    expect(picture).to_contain_text("level -1")
    expect(picture).not_to_contain_text("writable and executable")
    view.get_by_role("toolbar", name="Colour by").get_by_role("button", name="permission").click()
    expect(picture).to_contain_text("writable and executable")
    expect(picture.locator(".allows-writing").first).to_be_visible()
    expect(picture.locator("[class*=level-]")).to_have_count(0)


@pytest.mark.parametrize("width", [660, 1280])
def test_map_follows_the_room(show, width):
    page, view = show(lpa2())
    page.set_viewport_size({"width": width, "height": 900})
    box = view.locator(".scroll").first
    page.wait_for_function("box => box.scrollWidth <= box.clientWidth && !window.unanswered", arg=box.element_handle())
    expect(view.locator("svg").get_by_text("0xffffc1ffc0000000", exact=True).first).to_be_visible()


def test_named_places_are_large_enough_to_press(show):
    _, view = show(lpa2())
    for name in ("fixmap", "vmemmap", "modules"):
        box = view.get_by_role("button", name=re.compile(f"^{name}: 0x.* to 0x")).bounding_box()
        assert min(box["width"] / 2, box["height"]) > 20
    view.get_by_role("button", name=re.compile("^vmalloc: .* to 0x")).click()
    expect(view.locator("svg")).to_contain_text("The way to 0xffff8000")
    expect(view.get_by_role("button", name=re.compile("^vmalloc: .* to 0x"))).to_have_attribute(
        "aria-current", "location"
    )


def test_click_on_a_neighbouring_table(show):
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
    for n in range(300):
        mapper.map_range(n << 21, 0x4000_0000 + (n << 16), n % 16 + 1 << 12)
    _, view = show(TableMap(mapper.mmu))
    picture = view.locator("svg")
    expect(picture).to_contain_text("level 3, table 1 of 300")
    view.get_by_role("button", name=re.compile("^table 8 of 300: .* 8 entries used")).click()
    expect(picture).to_contain_text("level 3, table 8 of 300")
    expect(picture).to_contain_text("The way to 0x0000000000e00000")


@pytest.mark.long
def test_axe_finds_no_violation(show):
    page, _ = show(lpa2())
    assert_accessible(page, ".pgtlab-table-map")


def test_javascript_draws_its_data(render):
    cell = {"x": 1, "y": 2, "width": 3, "height": 4, "data-va": "0x7", "data-here": "true"}
    shapes = [{"key": "scale 1 0", "tag": "rect", "attributes": cell, "hint": "C"}]
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": shapes}
    view = render(TableMap, {**TableMap().view, "picture": made_up})
    item = view.get_by_role("button", name="C", exact=True)
    expect(item).to_have_attribute("aria-current", "location")
    item.press("Enter")
    assert view.page.evaluate("window.sent") == [{"va": "0x7"}]
    item.press("+")  # there is nothing below
    assert view.page.evaluate("window.sent") == [{"va": "0x7"}]
