"""How long from a click on a toggle to the new picture on the page, in a real JupyterLab.

The explorer patches the nodes of the SVG that is there. Its peers show the same picture by setting the value of an
`ipywidgets.HTML`, which parses it anew, and by drawing a matplotlib figure of about as many shapes into an
`ipywidgets.Image`.

    .venv/bin/python benchmarks/toggle_to_picture.py
"""

import statistics
import sys
import time
from pathlib import Path

import nbformat
import pytest
from pgtlab_widgets import Explorer

ROOT = Path(__file__).resolve().parents[1]
TOGGLES = 40

CELL = """
import io
import ipywidgets
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pgtlab_widgets import Explorer

explorer = Explorer(page_size="16k", va_bits=52)
model = Explorer(page_size="16k", va_bits=52)
html, image = ipywidgets.HTML(model.svg()), ipywidgets.Image()

def toggle():
    model.cpu = "max" if model.cpu.endswith("off") else "max,lpa2=off"

def toggle_html(button):
    toggle()
    html.value = model.svg()

def toggle_image(button):
    toggle()
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
    image.value = buffer.getvalue()

buttons = [ipywidgets.Button(description=name) for name in ("toggle html", "toggle image")]
buttons[0].on_click(toggle_html)
buttons[1].on_click(toggle_image)
toggle_image(None)
html.value = model.svg()
ipywidgets.VBox([explorer, buttons[0], html, buttons[1], image])
"""

# Click the buttons in turn; each time, wait for `target` to change and for the frame that shows it.
MEASURE = """
async ([buttons, target, toggles]) => {
  const times = [];
  for (let i = 0; i < toggles; i++) {
    const node = target();
    const changed = new Promise((done) => {
      const observer = new MutationObserver(() => { observer.disconnect(); done(); });
      observer.observe(node, {subtree: true, childList: true, attributes: true, characterData: true});
    });
    const button = buttons[i % buttons.length]();
    const start = performance.now();
    button.click();
    const late = new Promise((_, no) => setTimeout(() => no("no change in 10 s"), 10_000));
    await Promise.race([changed, late]);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
    await new Promise((done) => setTimeout(done, 250)); // so that no toggle waits for what the last one left to do
  }
  return times;
}
"""

EXPLORER = """
const lpa2 = document.querySelector('.pgtlab-explorer [aria-label=LPA2]');
const buttons = [...lpa2.querySelectorAll('button')].reverse().map((b) => () => b);
return [buttons, () => document.querySelector('.pgtlab-explorer svg')];
"""
PEER = """
const button = [...document.querySelectorAll('button')].find((b) => b.textContent === '%s');
return [[() => button], () => document.querySelector('%s')];
"""
CASES = {
    "pgtlab: SVG nodes patched": EXPLORER,
    "ipywidgets.HTML, same SVG": PEER % ("toggle html", ".widget-html-content"),
    "matplotlib PNG in ipywidgets.Image": PEER
    % ("toggle image", "img.widget-image, .widget-image img, img.jupyter-widgets"),
}


def measure_in_the_page(open_notebook, lab):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / "benchmark.ipynb")
    page = (opened := open_notebook("benchmark.ipynb")).page
    opened.run_all()
    page.wait_for_selector(".pgtlab-explorer svg")
    for name, case in CASES.items():
        times = page.evaluate(
            f"(() => {{ const [b, t] = (() => {{ {case} }})(); return ({MEASURE})([b, t, {TOGGLES}]); }})()"
        )
        report(name, times)


def report(name, times):
    times = sorted(times)
    at95 = times[int(0.95 * len(times))]
    print(
        f"{name:40} median {statistics.median(times):6.1f} ms   95th percentile {at95:6.1f} ms   ({len(times)} toggles)"
    )


@pytest.mark.browser
def test_toggle_to_picture(open_notebook, lab):
    print()
    measure_in_the_page(open_notebook, lab)


def python_part():
    explorer, times = Explorer(page_size="16k", va_bits=52), []
    for i in range(2 * TOGGLES):
        start = time.perf_counter()
        explorer.cpu = "max" if i % 2 else "max,lpa2=off"
        times.append((time.perf_counter() - start) * 1e3)
    report("pgtlab: the Python part of it", times)


if __name__ == "__main__":
    python_part()
    sys.path.insert(0, str(ROOT))
    sys.exit(pytest.main(["-p", "tests.browser.conftest", "-s", "-q", "-p", "no:cacheprovider", __file__]))
