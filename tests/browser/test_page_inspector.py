"""The page inspector as a learner meets it."""

import pytest
from pgtlab_widgets import PageInspector
from playwright.sync_api import expect

from tests.browser.drawing import assert_accessible


def call(view, name):
    return view.get_by_role("toolbar", name="Actions").get_by_role("button", name=name, exact=True)


def done(view, name):
    return view.get_by_role("toolbar", name="History").get_by_role("button", name=name)


def test_table_freed_without_its_destructor(show):
    page, view = show(PageInspector())
    svg = view.locator("svg")
    expect(svg).to_contain_text("_mapcount = -129")  # a free page of the buddy allocator
    call(view, "alloc_pages(0)").click()
    expect(svg).to_contain_text("_refcount = 1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # pagetable_pud_ctor(page)
    expect(svg).to_contain_text("_mapcount = -513")
    expect(svg).to_contain_text("printed plus one: -512, was -1")
    expect(svg).to_contain_text("page_type = 0xfffffdff")
    call(view, "__free_pages(page, 0)").click()
    expect(view.locator(".log")).to_contain_text("BUG: Bad page state in process swapper/0")
    expect(view.locator(".log")).to_contain_text("mapcount:-512")
    expect(done(view, "__free_pages(page, 0)")).to_have_attribute("aria-current", "step")
    view.get_by_role("button", name="Start over").click()
    expect(view.locator(".log")).to_contain_text("What the kernel prints appears here")


def test_two_names_are_framed_from_the_start(show):
    _, view = show(PageInspector())
    frame = view.locator("rect.mark").bounding_box()
    for text in ("page_type", "_mapcount"):
        box = view.locator("text", has_text=text).first.bounding_box()
        assert frame["y"] < box["y"]
        assert box["y"] + box["height"] < frame["y"] + frame["height"]


@pytest.mark.parametrize("width", [1280, 700])
def test_map_count_in_the_log_is_marked_explained_and_in_sight(show, width):
    page, view = show(PageInspector())
    page.set_viewport_size({"width": width, "height": 720})
    for name in ("alloc_pages(0)", "pagetable_pud_ctor(page)", "__free_pages(page, 0)"):
        call(view, name).click()
    line = view.locator(".log .lit")
    expect(line).to_contain_text("mapcount:-512")
    expect(line).to_contain_text("stored -513, printed plus one: -512")
    box, log = line.bounding_box(), view.locator(".log").bounding_box()
    assert log["y"] <= box["y"]
    assert box["y"] + box["height"] <= log["y"] + log["height"]


def test_next_action_is_suggested(show):
    _, view = show(PageInspector())
    suggested, why = view.locator("button.next"), view.locator(".why")
    story = (
        ("alloc_pages(0)", "Take it"),
        ("pagetable_pud_ctor(page)", "Make it"),
        ("__free_pages(page, 0)", "What will"),
    )
    for name, reason in story:
        expect(suggested).to_have_text(name)
        expect(why).to_contain_text(reason)
        suggested.click()
    expect(suggested).to_have_count(0)
    expect(why).to_contain_text("call the destructor first")


def test_history_goes_back_and_forward(show):
    page, view = show(PageInspector())
    for name in ("alloc_pages(0)", "pagetable_pud_ctor(page)", "__free_pages(page, 0)"):
        call(view, name).click()
    view.get_by_role("button", name="Undo").click()
    expect(view.locator("svg")).to_contain_text("_mapcount = -513")
    expect(done(view, "__free_pages(page, 0)")).to_have_class("mono later")
    done(view, "free page").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(done(view, "alloc_pages(0)")).to_have_attribute("aria-current", "step")
    expect(view.locator("svg")).to_contain_text("_mapcount = -1")
    done(view, "__free_pages(page, 0)").click()
    expect(view.locator(".log")).to_contain_text("mapcount:-512")
    done(view, "pagetable_pud_ctor(page)").click()
    call(view, "pagetable_pud_dtor(page)").click()  # in place of what was taken back
    expect(view.get_by_role("toolbar", name="History").get_by_role("button")).to_have_text(
        ["free page", "alloc_pages(0)", "pagetable_pud_ctor(page)", "pagetable_pud_dtor(page)"]
    )


def test_buttons_are_disabled_after_a_panic(show):
    _, view = show(PageInspector())
    for name in ("alloc_pages(0)", "__free_pages(page, 0)", "__free_pages(page, 0)"):
        call(view, name).click()
    expect(view.locator(".log")).to_contain_text("Kernel panic - not syncing")
    expect(view.locator(".why")).to_contain_text("The kernel has panicked")
    expect(call(view, "alloc_pages(0)")).to_have_attribute("aria-disabled", "true")
    view.get_by_role("button", name="Undo").click()
    expect(call(view, "alloc_pages(0)")).not_to_have_attribute("aria-disabled", "true")
    expect(view.get_by_role("button", name="Start over")).not_to_have_class("mono")  # it is not a kernel function


IN_JUPYTERLAB = 872  # CSS pixels for a view in a window of 1280 with the file browser open, and this page's margins
BELOW = 514  # CSS pixels from the top of the view to the end of a window of 720, below one short cell


def test_the_two_names_are_above_the_fold_of_a_laptop(show):
    page, view = show(PageInspector(), unfold=False)
    page.set_viewport_size({"width": IN_JUPYTERLAB, "height": 720})
    frame = view.locator("rect.mark")
    for name in ("alloc_pages(0)", "pagetable_pud_ctor(page)", "__free_pages(page, 0)"):
        call(view, name).click()
        box = frame.bounding_box()
        assert box["y"] + box["height"] - view.bounding_box()["y"] < BELOW


@pytest.mark.parametrize("width", [1280, IN_JUPYTERLAB, 664])
def test_history_takes_one_line_and_shows_where_it_is(show, width):
    page, view = show(PageInspector(), unfold=False)
    page.set_viewport_size({"width": width, "height": 720})
    top = view.locator("svg").bounding_box()["y"]
    for name in ("alloc_pages(0)", *["pagetable_pud_ctor(page)", "pagetable_pud_dtor(page)"] * 4):
        call(view, name).click()
    current, line = view.locator("[aria-current=step]"), view.get_by_role("toolbar", name="History")
    expect(current).to_have_text("pagetable_pud_dtor(page)")
    page.wait_for_function("!window.unanswered")
    box, room = current.bounding_box(), line.bounding_box()
    assert room["x"] <= box["x"]
    assert box["x"] + box["width"] <= room["x"] + room["width"] + 1
    assert view.locator("svg").bounding_box()["y"] == top


def test_nothing_is_cut_off_on_a_narrow_page(show):
    page, view = show(PageInspector())
    page.set_viewport_size({"width": 664, "height": 900})
    assert view.locator(".scroll").evaluate("box => box.scrollWidth <= box.clientWidth")


@pytest.mark.long
def test_axe_finds_no_violation(show):
    page, view = show(PageInspector())
    for name in ("alloc_pages(0)", "pagetable_pud_ctor(page)", "__free_pages(page, 0)"):
        call(view, name).click()
    expect(view.locator(".lit")).to_be_visible()
    assert_accessible(page, ".pgtlab-page-inspector")


def test_javascript_draws_its_data(render):
    inspector = PageInspector()
    text = {"key": "t", "tag": "text", "attributes": {"x": 1, "y": 2}, "text": "no such page"}
    made_up = {"width": 9, "height": 5, "title": "T", "description": "D", "shapes": [text]}
    actions = [{"label": "one", "next": False}, {"label": "two", "next": True}]
    view = render(
        PageInspector, {**inspector.view, "picture": made_up, "actions": actions, "history": ["a", "b"], "at": 1}
    )
    assert view.locator("svg").inner_html() == '<text x="1" y="2">no such page</text>'
    view.get_by_role("button", name="one").press("Enter")
    view.get_by_role("button", name="Undo").press("Enter")
    assert view.page.evaluate("window.sent") == [{"do": "one"}, {"go": 0}]
