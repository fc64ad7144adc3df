"""What is written in the pictures can be read."""

import pytest
from pgtlab_widgets import Explorer, OopsReader, WalkStepper
from playwright.sync_api import expect

from pgtlab.lab.matrix import boots
from pgtlab.lab.matrix_picture import OUTCOMES, matrix_picture
from pgtlab.linux.fold_picture import cell_key
from tests.browser.drawing import blank

#: The gaps between neighbouring numbers and ranges of bits, in the widths of a small letter of the same picture.
GAPS = """view => {
    const gaps = [];
    for (const svg of view.querySelectorAll("svg")) {
        const boxes = [...svg.querySelectorAll("text.small.middle:not(.mono)")]
            .filter((text) => /^\\d+(:\\d+)?$/.test(text.textContent))
            .map((text) => [text.getBoundingClientRect(), text.textContent.length]);
        boxes.sort(([a], [b]) => a.top - b.top || a.left - b.left);
        for (let i = 1; i < boxes.length; i++) {
            const [[a, length], [b]] = [boxes[i - 1], boxes[i]];
            if (a.top === b.top) gaps.push((b.left - a.right) / (a.width / length));
        }
    }
    return gaps;
}"""

VIEWS = {
    "explorer 4k/52": lambda: Explorer("4k", 52),
    "explorer 16k/48": lambda: Explorer("16k", 48),
    "explorer 64k/52, a tag": lambda: Explorer("64k", 52, address="0x1200000000000000"),
    "a register": lambda: WalkStepper(page_size="16k", va_bits=52),
    "a log": OopsReader,
}


@pytest.mark.parametrize("name", VIEWS)
def test_numbers_of_bits_stay_apart(show, name):
    page, view = show(VIEWS[name]())
    for width in (1280, 700):
        page.set_viewport_size({"width": width, "height": 900})
        gaps = view.evaluate(GAPS)
        assert len(gaps) >= 3
        assert min(gaps) > 1, (width, gaps)


#: How many letters the pictures have, and those whose contrast with what is behind them is less than 4.5.
#: Behind a letter is the last rectangle with a fill that was drawn before it, else the page.
CONTRASTS = """page => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const over = ([r, g, b, a = 1], below) => [r, g, b].map((part, i) => part * a + below[i] * (1 - a));
    const light = (colour) => {
        const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = colour.map((part) => linear(part / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const canvas = numbers(getComputedStyle(page).backgroundColor);
    const failed = [];
    let letters = 0;
    for (const svg of page.querySelectorAll("svg")) {
        const filled = [];
        for (const shape of svg.querySelectorAll("rect, text")) {
            const fill = getComputedStyle(shape).fill;
            if (shape.localName === "rect") {
                if (fill !== "none") filled.push([shape.getBoundingClientRect(), numbers(fill)]);
                continue;
            }
            const ink = numbers(fill), matrix = shape.getScreenCTM();
            const words = shape.textContent.trim().replace(/\\s+/g, " ");
            for (let i = 0; i < shape.getNumberOfChars(); i++) {
                if (!words[i].trim()) continue;
                const { x, y, width, height } = shape.getExtentOfChar(i);
                const at = new DOMPoint(x + width / 2, y + height / 2).matrixTransform(matrix);
                const behind = filled
                    .filter(([box]) => box.left <= at.x && at.x <= box.right && box.top <= at.y && at.y <= box.bottom)
                    .reduce((below, [, colour]) => over(colour, below), canvas);
                letters++;
                const found = contrast(over(ink, behind), behind);
                if (!(found >= 4.5)) failed.push(`${words[i]} of ${words}: ${ink} on ${behind}, ${found.toFixed(2)}`);
            }
        }
    }
    return [letters, failed];
}"""


def forced_colours(page, scheme):
    """Let the system force its colours, dark or light, and wait until the page has them."""
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    expect(page.locator("body")).to_have_css(
        "background-color", "rgb(0, 0, 0)" if scheme == "dark" else "rgb(255, 255, 255)"
    )


def assert_readable(page):
    """Every letter of every picture stands out from what is behind it."""
    page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")
    letters, failed = page.locator("body").evaluate(CONTRASTS)
    assert failed == []
    assert letters > 100


def test_text_where_the_system_forces_a_light_page_on_a_dark_theme(show):
    page, _ = show(Explorer("16k", 52, "max,lpa2=off"), theme="dark")
    forced_colours(page, "light")
    assert_readable(page)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_of_every_outcome_in_forced_colours(empty_page, scheme):
    blank(empty_page)
    forced_colours(empty_page, scheme)
    kernels = list(boots())
    outcomes = {cell_key(boot): outcome for boot, outcome in zip(kernels, OUTCOMES, strict=False)}
    picture = matrix_picture(kernels, outcomes, "Outcomes", kernels[0])
    empty_page.locator("main").evaluate("(main, svg) => { main.innerHTML = svg; }", picture.svg())
    assert_readable(empty_page)
