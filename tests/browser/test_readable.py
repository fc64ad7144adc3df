"""What is written in the pictures can be read."""

import pytest
from pgtlab_widgets import Explorer, OopsReader, WalkStepper

#: The gaps between neighbouring numbers and ranges of bits, in the widths of a small letter of the same picture.
GAPS = """view => {
    const gaps = [];
    for (const svg of view.querySelectorAll("svg")) {
        const boxes = [...svg.querySelectorAll("text.small.middle")]
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
