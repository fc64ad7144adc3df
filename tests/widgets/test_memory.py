"""What views hold in memory: nothing that no reader asked for, and no more after a thousand toggles than after ten."""

import gc
import subprocess
import sys
import tracemalloc
from functools import cache

import ipywidgets
import pgtlab_widgets
import pytest
from pgtlab_widgets.choices import traits

from pgtlab import CPU, Config, boot

pytestmark = pytest.mark.long  # it makes each view many times

VIEWS = [name for name in pgtlab_widgets.__all__ if name not in ("Chapter", "CourseMap", "QuestionView")]


def kernel(*config, cpu="max"):
    booted = boot(Config(*config), CPU.named(cpu))
    return {"choose": {**traits(booted.config), "cpu": booted.cpu.name}}


TWO_KERNELS = [kernel("16k", 52), kernel("4k", 48, cpu="neoverse-n1")]
#: What a reader does, again and again; at the end each view is as it was.
TOGGLES = {
    "BisectionView": [*TWO_KERNELS, {"next": True}, {"bad": "report"}, {"bad": "panic"}, {"start": True}],
    "BugLab": [{"tree": "arm64-for-next"}, {"tree": "next-20240229"}, {"chosen": "pfn"}, {"chosen": "pfn"}],
    "Explorer": [*TWO_KERNELS, {"flip": 12}, {"flip": 12}, {"pin": True}, {"pin": False}, {"address": "x"}],
    "FoldLab": [],
    "OopsReader": [{"unfold": 3}, {"unfold": 3}, {"log": "no log"}, {"sample": "next-20240229"}],
    "PageInspector": [*TWO_KERNELS, {"go": 0}],
    "TLBView": [{"by": 1}, {"by": -1}],
    "TableMap": [*TWO_KERNELS, {"va": "0xffff800080000000"}, {"va": "0x400000"}],
    "WalkStepper": [*TWO_KERNELS, {"by": 1}, {"by": -1}, {"el": 1}, {"el": 0}],
}


@cache
def show_all() -> subprocess.CompletedProcess:
    code = f"""
import sys, pgtlab_widgets
views = [getattr(pgtlab_widgets, name)() for name in {VIEWS}]
for view in views:
    view._repr_mimebundle_(), view.drawn()
print(*sys.modules)
print(int(open("/proc/self/status").read().partition("VmRSS:")[2].split()[0]) >> 10)
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_showing_all_views_loads_neither_compilers_nor_charts():
    loaded = set(show_all().stdout.splitlines()[-2].split())
    assert "numpy" in loaded
    assert not loaded & {
        "numba",
        "llvmlite",
        "matplotlib",
        "pandas",
        "scipy",
        "capstone",
        "jupyterlab",
        "nbformat",
        "PIL",
    }


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems count memory in other units")
def test_all_views_together_take_little_memory():
    """Some 75 MiB, half of which is Python with numpy and ipywidgets; it was 220 when numba was loaded for a chart."""
    assert int(show_all().stdout.splitlines()[-1]) < 110


#: Bytes: attribute names that Python keeps for the next time, and what pictures of the last tables have in common.
CHANCE = 400_000


def stays(view, messages, times: int) -> int:
    """How many bytes are held more after going through the messages so many times again."""
    tracemalloc.start()
    held = []
    for rounds in (2, times, times):  # what is kept for the next time is there after the first
        for _ in range(rounds):
            for message in messages:
                view.handle(dict(message))
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return held[2] - held[1]


@pytest.mark.parametrize("times", [2, pytest.param(200, marks=pytest.mark.sweep)])
@pytest.mark.parametrize("name", VIEWS)
def test_toggles_leave_nothing_behind(name, times):
    view = getattr(pgtlab_widgets, name)()
    messages = TOGGLES[name] or [{"cell": key} for key in list(view._boots)[:2]]
    assert stays(view, messages, times) < CHANCE


def test_view_leaves_while_a_cell_makes_widgets():
    """Messages from the page are handled in a thread of their own: here each look at another widget makes one."""

    class Making(ipywidgets.Label):
        @property
        def children(self):
            ipywidgets.Label()
            return ()

        def get_state(self, *args, **kwargs):
            ipywidgets.Label()
            return super().get_state(*args, **kwargs)

    busy, view = Making(), pgtlab_widgets.Explorer()
    view._on_message(view, {"gone": True}, [])
    assert (view.comm, view.layout.comm) == (None, None)
    assert busy.comm is not None


def test_what_stays_is_seen():
    class Leaky:
        def __init__(self):
            self.seen = []

        def handle(self, message):
            self.seen.append(bytearray(250_000))

    assert stays(Leaky(), [{"a": 1}], 2) > CHANCE
