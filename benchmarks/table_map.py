"""The table map among many tables: how long a step takes in Python, and from a click to the new picture in JupyterLab.

Each table of level 3 has one page, at every third entry of level 2, so that no two tables can be described together.
The peer shows the very same picture after the same step by setting the value of an `ipywidgets.HTML`, which parses it
again.

    .venv/bin/python benchmarks/table_map.py
"""

import json
import time

import pytest
from pgtlab_widgets import TableMap
from toggle_to_picture import Case, in_the_browser, measure, report

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1

MANY_TABLES = """
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab_widgets import TableMap

mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
for n in range(10_000):
    mapper.map_range(3 * n << 21, 0x4000_0000 + (n << 12), 1 << 12)
"""

PEER = """
import ipywidgets

model = TableMap(mapper.mmu, 0)
shown, button = ipywidgets.HTML(model.svg()), ipywidgets.Button(description="step")

@button.on_click
def step(button):
    model.go("0x0" if model.address != "0x0" else f"{3 * 2 << 21:#x}")
    shown.value = model.svg()

display(ipywidgets.VBox([button, shown]), TableMap(mapper.mmu, 0))
"""

CASES = {
    "10 000 tables: a cell": Case(
        f"{MANY_TABLES}\nTableMap(mapper.mmu, 0)", (("[data-item='cell 2 4']", ""), ("[data-item='cell 2 0']", ""))
    ),
    "10 000 tables: a part of a bar": Case(
        f"{MANY_TABLES}\nTableMap(mapper.mmu, 0)", (("[data-item='scale 5 9']", ""), ("[data-item='scale 5 0']", ""))
    ),
    "10 000 tables: ipywidgets.HTML": Case(
        f"{MANY_TABLES}\n{PEER}", ((".widget-button", "step"),), ".widget-html-content"
    ),
}


@pytest.mark.browser
@pytest.mark.parametrize("name", CASES)
def test_click_to_picture(run_cells, name):
    measure(run_cells, name, CASES[name])


def python_part():
    """Steps among few tables and among many: to the next table, and to one far away, each time one that is new."""
    for count in (100, 10_000):
        mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
        for n in range(count):
            mapper.map_range(3 * n << 21, 0x4000_0000 + (n << 12), 1 << 12)
        for what, stride in (("the next table", 1), ("far away", count // 99)):
            tables = TableMap(mapper.mmu, 0)
            took = []
            for n in range(1, 99):
                start = time.perf_counter()
                tables.go(f"{3 * n * stride << 21:#x}")
                took.append((time.perf_counter() - start) * 1e3)
            report(f"{count} tables, in Python: {what}", took)
        picture = tables.picture()
        print(f"  {len(picture.shapes)} shapes, {len(json.dumps(tables.view)) >> 10} KiB for the page")


if __name__ == "__main__":
    python_part()
    in_the_browser(__file__)
