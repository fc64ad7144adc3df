"""How long from a click to the finished picture, in a real JupyterLab: each view, and two peers.

Three times: to the first frame that changed, to the last one that changed the picture, and to the end of all motion:
where a level folds, a copy of its old box fades over the new picture. Each choice is made at once, and again after the
focus was on it for a moment, as before most choices, so that the page has foreseen what follows.

The peers show the explorer's picture after the same toggle: by setting the value of an `ipywidgets.HTML`, which parses
the SVG again, and by drawing a matplotlib figure of about as many shapes into an `ipywidgets.Image`. No view of ours is
in their kernels.

    .venv/bin/python benchmarks/toggle_to_picture.py
"""

import os
import statistics
import sys
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pgtlab_widgets
import pytest

ROOT = Path(__file__).resolve().parents[1]
CLICKS = 20

PEER = """
import io
import ipywidgets
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from IPython.display import HTML
from pgtlab import CPU, Config, boot
from pgtlab.linux.address import parse_address
from pgtlab.linux.address_picture import address_picture
from pgtlab.linux.decompose import decompose

kernels = [boot(Config("16k", 52), CPU.named(name)) for name in ("max", "max,lpa2=off")]
shown, button = ipywidgets.{kind}(), ipywidgets.Button(description="toggle")

def picture():
    return address_picture(decompose(parse_address("KIMAGE_VADDR + 0x1234567", kernels[0]), kernels[0]))

def as_svg():
    return picture().svg()

def as_png():
    figure = Figure(figsize=(10.2, 3))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1022), ylim=(296, 0))
    axes.axis("off")
    for a, text in ((shape.attributes, shape.text) for shape in picture().shapes):
        if "width" in a:
            axes.add_patch(Rectangle((a["x"], a["y"]), a["width"], a["height"], edgecolor="white"))
        elif text:
            axes.text(float(str(a["x"]).split()[0]), a["y"], text, fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

@button.on_click
def toggle(button):
    kernels.reverse()
    shown.value = {draw}()

shown.value = {draw}()
display(ipywidgets.VBox([button, shown]), HTML("<div class='pgtlab-view'>.</div>"))
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
    "page inspector: alloc, undo": view("PageInspector()", ("button", "alloc_pages(0)"), ("button", "↶ Undo")),
    "bug lab: LPA2": view("BugLab(page_size='16k', va_bits=52)", *LPA2),
    "oops reader: a line": view(
        "OopsReader()", ("[data-item='line 7']", ""), ("[data-item='line 8']", ""), target=".pgtlab-view .because"
    ),
    "bisection: bad": view("BisectionView()", *option("Bad is", "it reports anything", "it panics")),
    "TLB: walk cache": view(
        "TLBView(accesses=100_000, part='costs')", *option("Walk cache", "each level", "last tables")
    ),
}

# Click in turn, and look at each frame until nothing has changed in the cell's output for a while.
MEASURE = """
async ([clicks, target, times, before]) => {
  const [took, quiet] = [[], 200];
  const find = ([selector, text]) =>
    [...document.querySelectorAll(selector)].find((item) => !text || item.textContent === text);
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  for (let i = 0; i < times; i++) {
    const item = find(clicks[i % clicks.length]);
    if (!item) throw `nothing to click: ${clicks[i % clicks.length]}`;
    if (before) {
      item.focus({preventScroll: true});
      await wait(before);
    }
    const output = document.querySelector(target).closest(".jp-OutputArea");
    // What belongs to the focus and the keys is not seen; a copy that fades is motion, and not the picture.
    const unseen = ({attributeName}) => ["tabindex", "data-lm-suppress-shortcuts"].includes(attributeName);
    const fading = ({addedNodes, removedNodes}) => {
      const nodes = [...addedNodes, ...removedNodes];
      return nodes.length && nodes.every((node) => node.dataset?.fading);
    };
    const records = [];
    const observer = new MutationObserver((more) => records.push(...more));
    observer.observe(output, {subtree: true, childList: true, attributes: true, characterData: true});
    const start = performance.now();
    item.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
    let [first, last, still] = [0, 0, 0];
    while (!last || performance.now() - still < quiet) {
      if (performance.now() - start > 10_000) throw `no change in 10 s of ${target}`;
      await new Promise((done) => requestAnimationFrame(done));
      records.push(...observer.takeRecords());
      const seen = records.splice(0).filter((record) => !unseen(record));
      const moves = document.getAnimations().some(({effect}) => output.contains(effect?.target));
      if (!seen.length && !moves) continue;
      await new Promise((done) => setTimeout(done)); // until the frame is painted
      still = performance.now();
      if (!seen.every(fading)) last = still;
      first ||= last;
    }
    observer.disconnect();
    took.push([first - start, last - start, still - start]);
    await wait(50);
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
    for unfold in page.locator(".controls .unfold").all():
        unfold.click()
    page.wait_for_timeout(1000)  # until JupyterLab has done what it does after cells ran
    for how, before in (("", 0), ("foreseen", 200)):
        if how and name.startswith(" "):
            continue  # the peers foresee nothing
        times = page.evaluate(MEASURE, [case.clicks, case.target, len(case.clicks) + CLICKS, before])
        report(f"{name} {how}", *zip(*times[len(case.clicks) :], strict=True))  # only the first of each boots


def report(name, *series):
    """The median, the 95th percentile and the minimum of each, in ms, and the load: others may use the machine."""
    figures = (
        f"{statistics.median(times):7.1f} {sorted(times)[int(0.95 * len(times))]:7.1f} {min(times):7.1f}"
        for times in series
    )
    print(f"\r{name:46} {' | '.join(figures)} | load {os.getloadavg()[0]:.1f}", flush=True)


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
