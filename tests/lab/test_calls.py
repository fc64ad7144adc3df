"""Which calls were running, which have a frame, and which a call trace names."""

import re
from pathlib import Path

import pytest

from pgtlab.lab.calls import Calls, calls_at_the_last_report
from pgtlab.lab.crash import STORY, Crash
from pgtlab.lab.trees import Tree

LOG = Path(__file__).parents[1] / "data/seed/next-20240229.log"
FUNCTIONS = ("start", "serve", "parse", "copy")


@pytest.mark.parametrize(
    ("inlined", "leaf", "trace"),
    [
        ((), False, ("copy", "parse", "serve", "start")),
        ((), True, ("copy", "serve", "start")),
        (("serve",), False, ("copy", "parse", "start")),
        (("parse",), True, ("copy", "start")),
    ],
)
def test_a_trace_lacks_what_was_inlined_and_the_caller_of_a_leaf(inlined, leaf, trace):
    calls = Calls.of(FUNCTIONS, inlined, leaf)
    assert calls.trace == trace
    assert set(calls.unnamed) == set(FUNCTIONS) - set(trace)


def test_lr_points_into_the_caller_that_the_trace_lacks():
    calls = Calls.of(FUNCTIONS, leaf=True)
    assert calls.lr == "parse"
    assert calls.lr in calls.unnamed
    assert Calls.of(FUNCTIONS).lr == ""


def test_each_name_after_the_first_is_read_from_the_frame_of_the_function_that_it_called():
    assert [named for _, _, named in Calls.of(FUNCTIONS).rows()] == [
        "named by pc",
        "named by the frame of copy",
        "named by the frame of parse",
        "named by the frame of serve",
    ]


def test_the_calls_of_the_story_have_the_trace_and_lr_of_the_real_log():
    real = LOG.read_text()
    names = re.findall(r"\]  ([\w.]+)\+0x", real.partition("Call trace:")[2])
    calls = Crash(STORY).calls
    assert list(calls.trace) == [name for name in names if not name.endswith(".part.0")]
    assert re.search(r"lr : (\w+)", real)[1] == calls.lr == "__dump_page"
    assert {"pud_free", "__dump_folio", "__dump_page"} <= set(calls.unnamed)


def test_the_picture_has_a_row_for_each_call_and_marks_those_with_a_name():
    calls = Crash(STORY).calls
    keys = {shape.key for shape in calls.picture().shapes}
    assert {f"name {name}" for name in calls.functions} <= keys
    assert {key for key in keys if key.startswith("named ")} == {f"named {name}" for name in calls.trace}
    framed = {key.removeprefix("frame ") for key in keys if key.startswith("frame ")}
    assert framed == set(calls.compiled) - {calls.compiled[0]}


def test_a_kernel_that_reports_nothing_has_no_such_moment():
    with pytest.raises(ValueError, match="reports nothing"):
        calls_at_the_last_report(Tree.named("fixed").start_kernel())
