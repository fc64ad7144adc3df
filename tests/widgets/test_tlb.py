"""The TLB view's Python side: its figures are those of `walk_costs`, however they came about."""

import json
import sys
from threading import Event
from types import ModuleType

import pytest
from pgtlab_widgets import TLBView, tlb_costs

from pgtlab.arch.cost import walk_cost
from pgtlab.arch.cost.tlb import Hardware
from pgtlab.arch.cost.walk_cost import is_compiled
from pgtlab.lab.cost_comparison import HARDWARE, MAPPINGS, TLBS, WORKLOADS, regimes, walk_costs, workload
from pgtlab.lab.small_tlb import SHORT_TRACES, small_tlb, watch

SHORT = 100_000


@pytest.fixture(autouse=True)
def shortest_steps(monkeypatch):
    """Steps that do not depend on time."""
    monkeypatch.setattr(tlb_costs, "MOMENT", 0)


def costs(*choices, **more):
    return TLBView(*choices, part="costs", **more)


def send(view, **content):
    view._on_message(view, content, [])


def finish(view):
    """What a page does: ask for the next step once it has drawn the last; how many it took."""
    steps = 0
    while view.view["next"]:
        send(view, **view.view["next"])
        steps += 1
    return steps


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trace", "mapping", "walk_cache", "tlb"),
    [
        ("uniform", "pages", "last tables", "48 + 1024"),
        ("scattered", "blocks", "each level", "48"),
        ("processes", "contiguous", "shared", "10 + 512"),
        ("zipf", "pages", "no walk cache", "64 + 4096"),
    ],
)
def test_steps_count_the_same_as_walk_costs(trace, mapping, walk_cache, tlb):
    view = costs(trace, mapping=mapping, walk_cache=walk_cache, tlb=tlb, accesses=SHORT)
    assert finish(view) > 2
    compared = regimes("16k")[:2]
    hardware = {walk_cache: Hardware(*TLBS[tlb], HARDWARE[walk_cache].walk_caches)}
    made = workload(trace, compared[0].region, SHORT)
    assert view.rows == walk_costs(compared, [made], [mapping], hardware).rows


def test_cost_of_one_more_level():
    """On a walk cache for last tables, 48 bits read more than 47; with one for each level next to nothing."""
    view = costs("uniform", accesses=SHORT)
    one, other = (sum(row.cost.reads) for row in view.rows)
    assert other > 1.2 * one
    view.walk_cache = "each level"
    one, other = (sum(row.cost.reads) for row in view.rows)
    assert one < other < 1.001 * one


def test_progress_and_comparison():
    view = costs(accesses=300_000)
    assert view.view["status"] == "So far, 0 of 300,000 accesses"
    done = []
    while view.view["next"]:
        done.append(view.view["done"])
        send(view, **view.view["next"])
    assert done == sorted(done)
    assert len(set(done)) > 4
    assert view.view["status"].startswith("16K/48 reads ")
    assert view.view["done"] == view.view["accesses"]


def test_step_is_taken_once_for_two_pages():
    view = costs(accesses=SHORT)
    step = view.view["next"]
    send(view, **step)
    after = view.view
    send(view, **step)
    assert view.view == after


def test_other_choice_starts_at_zero():
    view = costs(accesses=1_000_000)
    while not view.view["done"]:
        send(view, **view.view["next"])
    send(view, choose={"mapping": "blocks"})
    assert (view.view["done"], view.view["status"]) == (0, "So far, 0 of 1,000,000 accesses")


def test_finished_runs_are_kept():
    view = costs(accesses=SHORT)
    finish(view)
    first = view.view
    send(view, choose={"mapping": "blocks"})
    send(view, **view.view["next"])  # and given up
    send(view, choose={"mapping": "pages"})
    assert view.view == {**first, "next": None}


def test_options_and_pairs_of_each_page_size():
    view = costs(accesses=SHORT)
    for part in ("entries", "costs"):
        send(view, part=part)
        for n in reversed(range(len(view.view["choices"]))):  # the page size after the bits, which depend on it
            for option in view.view["choices"][n]["options"]:
                send(view, **option["send"])
                now = [each["label"] for each in view.view["choices"][n]["options"] if each["selected"]]
                assert (now, "failed" in view.view) == ([option["label"]], False)
    view.page_size = "16k"
    view.compared = "47 and 52"
    view.page_size = "4k"
    assert view.compared == "48 and 52"
    view.choose(page_size="16k")
    assert view.compared == "48 and 52"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trace": "random"}, "unknown trace 'random'; choose from sequential, strided"),
        ({"page_size": "5k"}, "arm64 has 4k, 16k and 64k pages"),
        ({"compared": "39 and 48"}, "choose from 47 and 48, 47 and 52, 48 and 52"),
        ({"accesses": 7}, "choose from 100000, 300000"),
        ({"walk_cache": "none"}, "choose from no walk cache"),
        ({"tlb": "1"}, "choose from 48"),
        ({"mapping": "huge"}, "choose from pages, contiguous, blocks"),
        ({"short_trace": "uniform"}, "choose from sequential, loop, large loop"),
        ({"small_tlb": "16"}, "choose from 8, 4, 4 sets of 2"),
        ({"policy": "FIFO"}, "choose from LRU, tree-PLRU, random"),
    ],
)
def test_bad_option_raises_at_init_and_in_choose(wrong, message):
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        costs(**wrong)
    view = costs(accesses=SHORT)
    before = view.view
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        view.choose(**wrong)
    assert view.view == before


def test_failing_work_stops_and_is_shown(monkeypatch):
    view = costs(accesses=SHORT)
    monkeypatch.setattr("pgtlab_widgets.tlb_costs._trace", lambda *_: 1 / 0)
    send(view, **view.view["next"])
    assert view.view["failed"] == "ZeroDivisionError('division by zero')"
    assert view.view["next"] is None


def test_svg_and_text_of_the_whole_trace():
    view = costs(accesses=SHORT)
    assert "16K/48 reads" in view.picture().title
    assert "uniform, mapped by pages, 100,000 accesses" in view.picture().description
    assert view.view["next"] is None
    assert view.text().endswith(" more.")
    assert "<svg" in view.svg()


def test_view_is_small_plain_data():
    view = costs(accesses=SHORT)
    finish(view)
    assert json.loads(json.dumps(view.view)) == view.view
    assert len(json.dumps(view.view)) < 30_000


def test_choosing_counts_nothing_where_that_takes_long(monkeypatch):
    view, long = costs(accesses=SHORT), costs(accesses=10_000_000)
    for kept in tlb_costs._trace, tlb_costs._tables:  # by other tests
        kept.cache_clear()
    for name in ("workload", "mapped", "visited", "costs_so_far"):
        monkeypatch.setattr(tlb_costs, name, None)
    for trace in WORKLOADS:
        view.trace = trace
        send(long, choose={"trace": trace})
        assert (view.trace, "failed" in view.view) == (trace, False)
        assert (long.trace, "failed" in long.view) == (trace, False)
    send(view, **view.view["next"])
    assert "failed" in view.view, "a step does count"


def test_click_on_a_choice_brings_its_first_counts(monkeypatch):
    view = costs(accesses=SHORT)
    finish(view)
    monkeypatch.setattr(tlb_costs, "MOMENT", 60)
    other = costs(accesses=SHORT)
    send(other, choose={"walk_cache": "each level"})
    assert (other.view["done"], other.view["next"]) == (SHORT, None)


def test_foreseeing_a_choice_goes_on_with_no_other(monkeypatch):
    finish(costs(accesses=SHORT))  # which compiles the loop
    view = costs(accesses=300_000)
    while not view.view["done"]:
        send(view, **view.view["next"])
    before = view.view
    assert view.foresee({"choose": {"walk_cache": "each level"}})
    assert view.view == before
    finish(view)
    assert view.rows[0].cost.accesses == 300_000
    assert view.rows[0].hardware == "last tables"


def test_every_choice_has_a_picture():
    view = costs(accesses=SHORT)
    for mapping in MAPPINGS:
        view.mapping = mapping
        assert {row.cost.accesses for row in view.rows} == {SHORT}
        assert {row.cost.faults for row in view.rows} == {0}


# Before the loop is compiled, and without it.


@pytest.mark.long
def test_is_shown_before_anything_is_compiled(monkeypatch):
    compiled = Event()
    monkeypatch.setattr(walk_cost, "_runner", None)  # which compiles it
    monkeypatch.setattr(tlb_costs, "is_compiled", lambda: False)
    monkeypatch.setattr(tlb_costs, "_compile", lambda *_: compiled.wait())
    for view in (TLBView(accesses=SHORT), costs(accesses=SHORT)):
        data, _ = view._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in data
        view.close()
    assert "So far, 500 of 100,000: 16K/48 reads " in data["text/html"]
    while view.view["done"] < 10_000:
        send(view, **view.view["next"])
    send(view, **view.view["next"])
    assert "is compiled" in view.view["note"]
    assert view.view["done"] == 10_000, "it waits, and handles messages meanwhile"
    monkeypatch.undo()
    compiled.set()
    finish(view)
    assert view.view["done"] == SHORT, "and goes on with the compiled loop"


@pytest.mark.long
def test_all_of_it_without_numba(monkeypatch):
    monkeypatch.setattr(tlb_costs, "is_compiled", lambda: False)
    monkeypatch.setattr(tlb_costs, "find_spec", lambda name: None)
    monkeypatch.setattr(tlb_costs, "workload", lambda name, region, accesses: workload(name, region, 12_000))
    tlb_costs._trace.cache_clear()
    with monkeypatch.context() as without:
        without.setattr(walk_cost, "_runner", None)
        view = costs("zipf", accesses=SHORT)
        finish(view)
    tlb_costs._trace.cache_clear()
    made = workload("zipf", regimes("16k")[0].region, 12_000)
    hardware = {"last tables": HARDWARE["last tables"]}
    assert view.rows == walk_costs(regimes("16k")[:2], [made], hardware=hardware).rows


def test_the_small_tlb_counts_no_long_trace():
    view = TLBView(accesses=SHORT)
    assert "next" not in view.view
    assert view.picture().title.startswith("Access 33 of 48")
    assert view.text() == view.picture().description


# The small TLB.


def test_begins_where_something_is_evicted():
    assert TLBView().watched.kind == "evict"
    assert TLBView(short_trace="loop").access == 7, "nothing is: the first hit"


def test_steps_and_jumps():
    view = TLBView()
    send(view, access="1")
    assert (view.access, view.view["status"]) == (1, "Access 1 of 48: 0x20000000 misses, and fills entry 0")
    send(view, by=-1)
    assert view.access == 1
    for _ in range(2):
        send(view, by=1)
    assert view.access == 3
    send(view, access=48)
    send(view, by=1)
    assert view.access == 48
    with pytest.raises(ValueError, match="there is no access 49; choose from 1 to 48"):
        view.access = 49


def test_another_choice_keeps_the_access():
    view = TLBView()
    for trace in SHORT_TRACES:
        send(view, choose={"short_trace": trace})
        assert view.access == 33
        assert view.watched == watch(trace, regimes("16k")[0], "pages", small_tlb("8", "LRU"))[32]


def test_before_anything_ran_every_number_is_zero():
    for row in costs()._counts.rows:
        cost = row.cost
        assert (cost.accesses, cost.walks, cost.faults) == (0, 0, 0)
        assert not any((*cost.l1_hits, *cost.l2_hits, *cost.walk_cache_hits, *cost.reads))


def test_the_beginning_ends_with_a_step():
    """Else the page would show another number of accesses than the note about compiling promises."""
    assert tlb_costs.BEGINNING % tlb_costs.FIRST == 0
    assert 0 < tlb_costs.FIRST < tlb_costs.BEGINNING


def test_a_loop_that_another_thread_still_imports_is_not_compiled(monkeypatch):
    monkeypatch.setitem(sys.modules, "pgtlab.arch.cost.tlb_loop", ModuleType("tlb_loop"))
    assert not is_compiled()
