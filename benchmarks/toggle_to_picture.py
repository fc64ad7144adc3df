"""How long from a click to the new picture on the page, in a real JupyterLab: each view, and two peers.

The views patch the nodes of the picture that is there. The peers show the explorer's picture after the same toggle: by
setting the value of an `ipywidgets.HTML`, which parses the SVG again, and by drawing a matplotlib figure of about as
many shapes into an `ipywidgets.Image`.

    .venv/bin/python benchmarks/toggle_to_picture.py
"""

import statistics
import sys
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pgtlab_widgets
import pytest

ROOT = Path(__file__).resolve().parents[1]
CLICKS = 40

PEER = """
import io
import ipywidgets
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pgtlab_widgets import Explorer

model = Explorer(page_size="16k", va_bits=52)
shown, button = ipywidgets.{kind}(), ipywidgets.Button(description="toggle")

def as_svg():
    return model.svg()

def as_png():
    figure = Figure(figsize=(10.2, 3))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1022), ylim=(296, 0))
    axes.axis("off")
    for a, text in ((shape.attributes, shape.text) for shape in model.picture().shapes):
        if "width" in a:
            axes.add_patch(Rectangle((a["x"], a["y"]), a["width"], a["height"], edgecolor="white"))
        elif text:
            axes.text(float(str(a["x"]).split()[0]), a["y"], text, fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

@button.on_click
def toggle(button):
    model.cpu = "max" if model.cpu.endswith("off") else "max,lpa2=off"
    shown.value = {draw}()

shown.value = {draw}()
display(ipywidgets.VBox([button, shown]), Explorer())
"""


@dataclass(frozen=True)
class Case:
    """What is on the page, what is clicked in turn (a selector, and a text), and where the picture is."""

    cell: str
    clicks: tuple[tuple[str, str], ...]
    target: str = ".pgtlab-view svg"


def view(made: str, *clicks: tuple[str, str], target: str = ".pgtlab-view svg") -> Case:
    return Case(f"from pgtlab_widgets import *\n{made}", clicks, target)


def option(toolbar: str, *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"[aria-label='{toolbar}'] button", name) for name in names)


LPA2 = option("LPA2", "off", "on")
CASES = {
    "explorer: LPA2": view("Explorer(page_size='16k', va_bits=52)", *LPA2),
    "  ipywidgets.HTML, same SVG": Case(
        PEER.format(kind="HTML", draw="as_svg"), ((".widget-button", "toggle"),), ".widget-html-content"
    ),
    "  ipywidgets.Image, matplotlib": Case(
        PEER.format(kind="Image", draw="as_png"), ((".widget-button", "toggle"),), "img.widget-image, .widget-image img"
    ),
    "explorer: a bit": view("Explorer(page_size='16k', va_bits=52)", ("[data-item=bit-20]", "")),
    "walk stepper: LPA2": view("WalkStepper(page_size='16k', va_bits=52)", *LPA2),
    "walk stepper: a step": view(
        "WalkStepper(page_size='16k', va_bits=52)", ("button", "Step ▶"), ("button", "◀ Back")
    ),
    "table map: LPA2": view("TableMap(page_size='4k', va_bits=52)", *LPA2),
    "fold lab: a cell": view(
        "FoldLab()", ("[data-item='cell 16k/52/52/max']", ""), ("[data-item='cell 16k/52/52/max,lpa2=off']", "")
    ),
    "page inspector: alloc, start over": view(
        "PageInspector()", ("button", "alloc_pages(0)"), ("button", "start over")
    ),
    "bug lab: LPA2": view("BugLab(page_size='16k', va_bits=52)", *LPA2),
    "oops reader: a line": view(
        "OopsReader()", ("[data-item='line 7']", ""), ("[data-item='line 8']", ""), target=".pgtlab-view .because"
    ),
    "bisection: bad": view("BisectionView()", *option("Bad is", "it reports anything", "it panics")),
    "TLB: walk cache": view(
        "TLBView(accesses=100_000, part='costs')", *option("Walk cache", "each level", "last tables")
    ),
}

# Click in turn; each time, wait for the target to change and for the frame that shows it.
MEASURE = """
async ([clicks, target, times]) => {
  const took = [];
  const find = ([selector, text]) =>
    [...document.querySelectorAll(selector)].find((it) => !text || it.textContent === text);
  for (let i = 0; i < times; i++) {
    const node = document.querySelector(target);
    const changed = new Promise((done) => {
      const observer = new MutationObserver((records) => {
        if (records.every(({attributeName}) => attributeName === "tabindex")) return; // only the focus moved
        observer.disconnect();
        done();
      });
      observer.observe(node, {subtree: true, childList: true, attributes: true, characterData: true});
    });
    const one = find(clicks[i % clicks.length]);
    if (!one) throw `nothing to click: ${clicks[i % clicks.length]}`;
    const start = performance.now();
    one.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
    const late = new Promise((_, no) => setTimeout(() => no(`no change in 10 s of ${target}`), 10_000));
    await Promise.race([changed, late]);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    took.push(performance.now() - start);
    await new Promise((done) => setTimeout(done, 250)); // so that no click waits for what the last one left to do
  }
  return took;
}
"""


@pytest.mark.browser
@pytest.mark.parametrize("name", CASES)
def test_click_to_picture(run_cells, name):
    measure(run_cells, name, CASES[name])


def measure(run_cells, name, case):
    page, _ = run_cells(case.cell)
    page.wait_for_selector(case.target)
    page.wait_for_timeout(1000)  # until JupyterLab has done what it does after cells ran
    times = page.evaluate(MEASURE, [case.clicks, case.target, len(case.clicks) + CLICKS])
    report(name, times[len(case.clicks) :])  # the first of each is what only the first of each costs


def report(name, times):
    at95 = sorted(times)[int(0.95 * len(times))]
    print(f"\r{name:36} median {statistics.median(times):6.1f} ms   95th percentile {at95:6.1f} ms", flush=True)


def python_part():
    """What a toggle of LPA2 costs in Python: to a kernel that was not there before, and back and forth.

    Each view runs in its own process, since a kernel that one boots would be ready for the next.
    """
    for name in ("Explorer", "WalkStepper", "TableMap", "BugLab"):
        with get_context("spawn").Pool(1) as process:
            first, again = process.apply(in_python, (name,))
        report(f"{name}, in Python, the first time", first)
        report(f"{name}, in Python, again", again)


def in_python(name):
    first, again = [], []
    for page_size in ("4k", "16k"):
        shown = getattr(pgtlab_widgets, name)()
        shown.choose(page_size=page_size, va_bits=52, pa_bits=52)
        for i in range(CLICKS):
            start = time.perf_counter()
            shown.cpu = "max" if i % 2 else "max,lpa2=off"
            (again if i else first).append((time.perf_counter() - start) * 1e3)
    return first, again


def in_the_browser(file):
    """Run the cases of a benchmark."""
    sys.path.insert(0, str(ROOT))
    options = ["-s", "-q", "--no-header", "-p", "no:cacheprovider", *sys.argv[1:]]
    sys.exit(pytest.main(["-p", "tests.browser.conftest", *options, file]))


if __name__ == "__main__":
    python_part()
    in_the_browser(__file__)
