"""The explorer as a learner meets it: what is on the page, not what is in Python."""

import re
from functools import partial

import pytest
from pgtlab_widgets import Explorer
from playwright.sync_api import Locator, expect

from tests.browser.drawing import assert_accessible

BOTH_THEMES = pytest.mark.parametrize("theme", ["light", "dark"])


@pytest.fixture
def explorer(show):
    """Show an explorer in a theme; give the page and its view."""
    made = Explorer(page_size="16k", va_bits=52, cpu="max", address="VMEMMAP_START")
    return partial(show, made)


def option(view: Locator, choice: str, name: str) -> Locator:
    return view.get_by_role("toolbar", name=choice, exact=True).get_by_role("button", name=name, exact=True)


def picture(view: Locator) -> Locator:
    return view.locator("svg")


def expect_selected(view: Locator, *names: str) -> None:
    expect(view.locator("button[aria-pressed=true]")).to_have_text((*names, "minimal"))


def address(view: Locator) -> Locator:
    return view.get_by_label("Address")


# LPA2 and the picture


@BOTH_THEMES
def test_lpa2_off_and_on_again(explorer, theme):
    _, view = explorer(theme=theme)
    mmu = picture(view).get_by_text("level 0", exact=True)
    expect(mmu).to_be_visible()
    expect(picture(view)).to_contain_text("p4d folded at compile time")
    expect(picture(view)).not_to_contain_text("folded at run time")

    expect(picture(view)).to_contain_text("Four levels of tables: the p4d does not exist")

    option(view, "LPA2", "off").click()
    expect(picture(view)).to_contain_text(
        "Three levels of tables: the p4d does not exist, and the pud is folded at run time"
    )
    expect(picture(view)).to_contain_text("47 bits in use, the walk starts at level 1")
    expect(picture(view)).to_contain_text("pud folded at run time")
    expect(mmu).to_have_count(0)
    expect(view.get_by_text("LPA2 on → off changes")).to_be_visible()
    expect(view.locator(".first li")).to_have_text(
        ["vabits_actual 52 → 47", "start_level 0 → 1", "pud real → folded at run time"]
    )
    view.get_by_text(re.compile(r"All \d+ changes")).click()
    expect(view.get_by_role("row", name="vabits_actual 52 47")).to_be_visible()
    expect(view.get_by_role("row", name="pud real folded at run time")).to_be_visible()
    expect_selected(view, "off", "16k", "52", "52", "max")

    option(view, "LPA2", "on").click()
    expect(mmu).to_be_visible()


def test_lpa2_by_keyboard(explorer):
    page, view = explorer()
    on, off = option(view, "LPA2", "on"), option(view, "LPA2", "off")
    on.focus()
    page.keyboard.press("ArrowRight")
    expect(off).to_be_focused()
    expect(on).to_have_attribute("aria-pressed", "true")  # to look at an option is not to choose it
    page.keyboard.press("Space")
    expect(picture(view)).to_contain_text("folded at run time")
    expect(off).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(picture(view)).not_to_contain_text("folded at run time")
    expect(on).to_be_focused()


def test_tab_stops_once_in_each_group(explorer):
    page, view = explorer()
    view.locator("[data-unfold='kernel']").focus()
    stops = []
    for _ in range(9):
        stops.append(page.evaluate("document.activeElement.dataset.item ?? document.activeElement.localName"))
        page.keyboard.press("Tab")
    toolbars = ["LPA2/on", "Page size/16k", "VA_BITS/52", "PA_BITS/52", "CPU/max", "Kernel/minimal"]
    assert stops == ["button", *toolbars, "input", "bit-63"]


def test_choice_without_effect_says_so(show):
    _, view = show(Explorer("16k", 48))
    option(view, "LPA2", "off").click()
    expect(view.get_by_text("LPA2 on → off: nothing changes.")).to_be_visible()
    expect(view.get_by_text("Makes no difference to this kernel: ARM64_LPA2 depends on")).to_be_visible()


def test_all_changes_can_be_unfolded(explorer):
    _, view = explorer()
    option(view, "LPA2", "off").click()
    others = view.get_by_role("row", name="_PAGE_KERNEL_EXEC_CONT")
    expect(others).to_have_count(0)
    view.get_by_text(re.compile(r"All \d+ changes")).click()
    expect(others).to_be_visible()
    option(view, "LPA2", "on").click()  # what was unfolded stays so
    expect(view.get_by_role("row", name="vabits_actual 47 52")).to_be_visible()
    expect(others).to_be_visible()


# Bits


def test_click_flips_a_bit(explorer):
    _, view = explorer()
    bit = view.get_by_role("switch", name="bit 14, level 3 index")
    bit.click()
    expect(bit).to_have_attribute("aria-checked", "true")
    expect(bit).to_be_focused()
    expect(address(view)).to_have_value("0xfffff03fc0004000")
    expect(view.get_by_text("VMEMMAP_START + 0x4000")).to_be_visible()
    was = picture(view).get_by_text("was 0", exact=True)
    expect(was).to_be_visible()
    option(view, "LPA2", "off").click()  # the same address in another kernel
    expect(was).to_have_count(0)


def test_bit_can_be_seen_to_be_a_switch(explorer):
    _, view = explorer()
    bit = view.get_by_role("switch", name="bit 14, level 3 index")
    expect(view.get_by_text("Flip a bit, or choose another kernel")).to_be_visible()
    at_rest = bit.evaluate("bit => getComputedStyle(bit).stroke")
    bit.hover()
    assert bit.evaluate("bit => getComputedStyle(bit).stroke") != at_rest
    expect(bit).to_have_css("cursor", "pointer")


def test_indices_are_hexadecimal_first(explorer):
    _, view = explorer()
    expect(picture(view).get_by_text("0x703 (1795)", exact=True)).to_have_count(2)  # the MMU's, and Linux's
    hint = picture(view).locator("title", has_text="level 1: index 0x703 (1795), bits 46:36")
    expect(hint).to_have_count(1)


def test_flip_bits_by_keyboard(explorer):
    page, view = explorer()
    bits = view.get_by_role("switch")
    expect(bits).to_have_count(64)
    bits.first.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    bit = view.get_by_role("switch", name="bit 1, offset")
    expect(bit).to_be_focused()
    for key, checked in (("Space", "true"), ("Enter", "false"), ("Space", "true")):
        page.keyboard.press(key)
        expect(bit).to_have_attribute("aria-checked", checked)
        expect(bit).to_be_focused()
    expect(address(view)).to_have_value("0xfffff03fc0000002")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # past the last there is nowhere to go
    expect(view.get_by_role("switch", name="bit 0, offset")).to_be_focused()
    page.keyboard.press("Home")
    expect(bits.first).to_be_focused()


# Choices that are not legal


def test_illegal_choice_is_greyed_and_names_its_rule(explorer):
    page, view = explorer()
    no = option(view, "VA_BITS", "39")
    rule = "VA_BITS=39 with 16k pages: ARM64_VA_BITS_39 depends on PAGE_SIZE_4KB"
    expect(no).to_have_attribute("aria-disabled", "true")
    expect(no).to_have_accessible_description(f"{rule}; the nearest legal choice is VA_BITS=36 with PA_BITS=48")
    line = view.locator(".says")
    expect(line).to_have_text("")

    no.hover()
    expect(line).to_have_text(rule)
    picture(view).hover()
    expect(line).to_have_text("")

    option(view, "VA_BITS", "52").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect(no).to_be_focused()
    expect(line).to_contain_text(rule)
    expect_selected(view, "on", "16k", "52", "52", "max")


def test_illegal_choice_has_a_remedy(explorer):
    page, view = explorer()
    option(view, "VA_BITS", "39").click(force=True)
    expect_selected(view, "on", "16k", "52", "52", "max")  # nothing changed by itself

    way = view.get_by_role("button", name="Use VA_BITS=39 with 4k pages and PA_BITS=48")
    expect(way).to_be_focused()
    page.keyboard.press("Enter")
    expect(picture(view)).to_contain_text("39 bits in use, the walk starts at level 1")
    expect_selected(view, "on", "4k", "39", "48", "max")
    expect(way).to_have_count(0)
    expect(option(view, "VA_BITS", "39")).to_be_focused()

    option(view, "Page size", "16k").click(force=True)
    expect(view.locator(".says")).to_contain_text("ARM64_VA_BITS_39 depends on PAGE_SIZE_4KB")
    view.get_by_role("button", name="Use 16k pages with VA_BITS=36").click()
    expect(picture(view)).to_contain_text("36 bits in use, the walk starts at level 2")


def test_pa_bits_follows_va_bits_with_a_note(explorer):
    _, view = explorer()
    option(view, "VA_BITS", "47").click()
    expect(picture(view)).to_contain_text("VA_BITS=47")
    expect_selected(view, "on", "16k", "47", "48", "max")
    expect(view.locator(".says")).to_contain_text(
        "PA_BITS becomes 48 as well. PA_BITS=52 with 16k pages and VA_BITS=47:"
    )


def test_cpu_without_the_granule_does_not_boot(explorer):
    _, view = explorer()
    option(view, "CPU", "cortex-a72").click()
    stuck = view.get_by_text("cortex-a72 has no 16K granule (ID_AA64MMFR0_EL1.TGRAN16)")
    expect(stuck).to_have_count(1)
    expect(stuck).to_be_visible()
    expect(picture(view)).to_have_count(0)
    expect(view.get_by_text("boots yes → no")).to_be_visible()
    expect(view.get_by_text("Why these bits?")).to_have_count(0)

    on = option(view, "LPA2", "on")
    expect(on).to_have_attribute("aria-disabled", "true")
    on.hover()
    expect(view.locator(".says")).to_contain_text("cortex-a72 has no LPA2")

    option(view, "Page size", "4k").click()
    expect(picture(view)).to_contain_text("4K pages, VA_BITS=52 on cortex-a72. 48 bits in use")
    expect(stuck).to_have_count(0)


def test_button_to_a_cpu_on_which_it_boots(explorer):
    _, view = explorer()
    option(view, "CPU", "cortex-a53").click()
    buttons = view.locator(".stuck").get_by_role("button")
    expect(buttons).to_have_text(["max", "cortex-a76", "neoverse-n1"])
    buttons.last.click()
    expect(picture(view)).to_contain_text("on neoverse-n1")


# Addresses


@pytest.mark.parametrize(
    ("typed", "message"),
    [("VMEMAP_START", "did you mean VMEMMAP_START?"), ("0xzz", "'0xzz'"), ("0x1_0000_0000_0000_0000", "64-bit")],
)
def test_bad_address_shows_error(explorer, typed, message):
    page, view = explorer()
    field = address(view)
    field.fill(typed)
    page.keyboard.press("Enter")
    error = view.get_by_role("alert")
    expect(error).to_contain_text(message)
    beside = error.bounding_box()["x"] - field.bounding_box()["x"] - field.bounding_box()["width"]
    assert 0 < beside < 20
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value(typed)
    expect(picture(view)).to_contain_text("0xfffff03fc0000000")

    field.fill("0xffff_c000_0000_0000")
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(error).to_be_empty()
    expect(picture(view)).to_contain_text("0xffffc00000000000")
    expect(field).to_be_focused()


def test_address_by_name(explorer):
    page, view = explorer()
    address(view).fill("PAGE_OFFSET + 0x1000")
    page.keyboard.press("Enter")
    expect(picture(view)).to_contain_text("0xfff0000000001000")
    option(view, "VA_BITS", "47").click()
    expect(picture(view)).to_contain_text("0xffff800000001000")
    expect(address(view)).to_have_value("PAGE_OFFSET + 0x1000")


# Comparing, sharing, explaining


def test_pinned_kernel_is_compared(explorer):
    _, view = explorer()
    view.get_by_role("button", name="Pin this kernel to compare").click()
    option(view, "LPA2", "off").click()
    expect(picture(view)).to_have_count(2)
    first, second = picture(view).all()
    expect(first).to_contain_text("47 bits in use")
    expect(second).to_contain_text("52 bits in use")
    expect(second.locator(".differs").first).to_be_visible()
    for words, svg in (("Now", first), ("Pinned", second)):
        label = view.locator(".which", has_text=words).bounding_box()
        assert 0 < svg.bounding_box()["y"] - label["y"] < 40
    left = [svg.locator("rect.bit").first.bounding_box()["x"] for svg in (first, second)]
    assert left[0] == left[1]
    view.get_by_role("button", name="Unpin").click()
    expect(picture(view)).to_have_count(1)


def test_share_string_round_trip(explorer):
    page, view = explorer()
    share = view.get_by_label("Share").input_value()
    option(view, "Page size", "64k").click()
    expect(picture(view)).to_contain_text("64K pages")
    address(view).fill(share)
    page.keyboard.press("Enter")
    expect(picture(view)).to_contain_text("16K pages, VA_BITS=52 on max")
    expect(address(view)).to_have_value("VMEMMAP_START")


def test_field_is_explained_by_register_bits(explorer):
    page, view = explorer()
    view.get_by_text("Why these bits?").click()
    view.get_by_role("button", name="level 0").click()
    expect(view.get_by_role("row", name="level 0")).to_contain_text("TCR_EL1.T1SZ[21:16] = 0xc")
    expect(picture(view)).to_have_count(4)  # the address, and TCR_EL1 for T1SZ, TG1 and DS
    expect(picture(view).nth(1)).to_contain_text("T1SZ = 0xc")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(view.get_by_role("row", name="level 1 46:36")).to_contain_text("a table of 16K holds 2^11 descriptors")
    expect(picture(view)).to_have_count(2)


# Views


@pytest.mark.parametrize("width", [1280, 700])
def test_choices_move_nothing(explorer, width):
    page, view = explorer()
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function("width => document.querySelector('.pgtlab-view').offsetWidth < width", arg=width)
    places = [_places(view)]
    for choice, name in (
        ("LPA2", "off"),
        ("Page size", "64k"),
        ("VA_BITS", "39"),  # greyed out
        ("Page size", "4k"),
        ("VA_BITS", "48"),
        ("VA_BITS", "52"),
        ("CPU", "cortex-a72"),
        ("Page size", "16k"),  # which does not boot
    ):
        option(view, choice, name).click(force=True)
        expect(option(view, choice, name)).to_have_attribute("aria-pressed", "false" if name == "39" else "true")
        places.append(_places(view))
    moved = [max(at) - min(at) for at in zip(*places, strict=True)]
    assert max(moved) < 1, moved


def _places(view: Locator) -> tuple[float, ...]:
    """Where the address and the list of changes are in the view, and where it ends."""
    boxes = [view.locator(part).first.bounding_box() for part in (".field", ".changed")]
    whole = view.bounding_box()
    return (*(box["y"] - whole["y"] for box in boxes), whole["height"])


@pytest.mark.long
def test_axe_finds_no_violation(explorer):
    page, view = explorer()
    option(view, "LPA2", "off").click()
    option(view, "VA_BITS", "39").click(force=True)
    address(view).fill("nowhere")
    page.keyboard.press("Enter")
    expect(view.get_by_role("alert")).to_contain_text("'nowhere'")
    assert_accessible(page, ".pgtlab-explorer")


@pytest.mark.parametrize("width", [660, 900, 1280])
def test_picture_follows_the_room(explorer, width):
    page, view = explorer()
    page.set_viewport_size({"width": width, "height": 900})
    box = view.locator(".scroll").first
    page.wait_for_function("box => box.scrollWidth <= box.clientWidth && !window.unanswered", arg=box.element_handle())
    assert view.evaluate("view => view.scrollWidth <= view.clientWidth")
    last = view.get_by_role("switch", name="bit 0, offset").bounding_box()
    assert last["x"] + last["width"] <= width


def test_javascript_draws_its_data(render):
    """A picture that no model made."""
    explorer = Explorer("16k", 52)
    shapes = [
        {
            "key": "bit-7",
            "tag": "rect",
            "attributes": {"x": 1, "width": 5, "height": 4, "data-bit": "7", "data-value": "1"},
            "hint": "seven",
        },
        {"key": "words", "tag": "text", "attributes": {"x": "3 4", "y": 2, "class": "mono"}, "text": "no such address"},
    ]
    made_up = {"width": 10, "height": 5, "title": "A title", "description": "Described.", "shapes": shapes}
    view = render(Explorer, {**explorer.view, "picture": made_up})
    svg = view.locator("svg")
    assert svg.get_attribute("viewBox") == "0 0 10 5"
    assert svg.inner_html() == (
        '<rect x="1" width="5" height="4" data-bit="7" data-value="1" data-item="bit-7" tabindex="0" '
        'aria-label="seven" role="switch" aria-checked="true" data-send="{&quot;flip&quot;:&quot;7&quot;}">'
        "<title>seven</title></rect>"
        '<text x="3 4" y="2" class="mono">no such address</text>'
    )
    expect(view.locator("pre")).to_have_text("Described.")
    svg.get_by_role("switch").press("Enter")
    assert view.page.evaluate("window.sent") == [{"flip": "7"}]


def test_python_exception_is_shown(show):
    explorer = Explorer()
    explorer.receive = lambda message: 1 / 0
    _, view = show(explorer)
    option(view, "LPA2", "off").click()
    expect(view.locator(".failed")).to_have_text("ZeroDivisionError('division by zero')")
