"""The TLB view's Python side: its figures are those of `walk_costs`, however they came about."""

import json
import time

import pytest
from pgtlab_widgets import TLBView

from pgtlab.arch.cost.tlb import Hardware
from pgtlab.lab.cost_comparison import HARDWARE, MAPPINGS, TLBS, WORKLOADS, regimes, walk_costs, workload

SHORT = 100_000


def said(view, **content):
    view._on_message(view, content, [])


def finish(view):
    """What a page does: ask for the next step once it has drawn the last; how many it took."""
    steps = 0
    while view.view["next"]:
        said(view, **view.view["next"])
        steps += 1
    return steps


@pytest.mark.parametrize(
    ("trace", "mapping", "walk_cache", "tlb"),
    [
        ("uniform", "pages", "last tables", "48 + 1024"),
        ("scattered", "blocks", "each level", "48"),
        ("processes", "contiguous", "shared", "10 + 512"),
        ("zipf", "pages", "no walk cache", "64 + 4096"),
    ],
)
def test_step_by_step_it_counts_what_walk_costs_counts(trace, mapping, walk_cache, tlb):
    view = TLBView(trace, mapping=mapping, walk_cache=walk_cache, tlb=tlb, accesses=SHORT)
    assert finish(view) > 2
    compared = regimes("16k")[:2]
    hardware = {walk_cache: Hardware(*TLBS[tlb], HARDWARE[walk_cache].walk_caches)}
    made = workload(trace, compared[0].region, SHORT)
    assert view.rows == walk_costs(compared, [made], [mapping], hardware).rows


def test_a_level_more_costs_what_the_story_says():
    """On a walk cache for last tables, 48 bits read more than 47; with one for each level next to nothing."""
    view = TLBView("uniform", accesses=SHORT)
    one, other = (sum(row.cost.reads) for row in view.rows)
    assert other > 1.2 * one
    view.walk_cache = "each level"
    one, other = (sum(row.cost.reads) for row in view.rows)
    assert one < other < 1.001 * one


def test_it_says_how_far_it_is_and_then_what_it_comes_to():
    view = TLBView(accesses=300_000)
    assert view.view["told"] == "0 of 300,000 accesses"
    done = []
    while view.view["next"]:
        done.append(view.view["done"])
        said(view, **view.view["next"])
    assert done == sorted(done)
    assert len(set(done)) > 4
    assert view.view["told"].startswith("16K/48 reads ")
    assert view.view["done"] == view.view["accesses"]


def test_two_pages_that_show_it_take_a_step_once():
    view = TLBView(accesses=SHORT)
    step = view.view["next"]
    said(view, **step)
    after = view.view
    said(view, **step)
    assert view.view == after


def test_another_choice_begins_with_nothing():
    view = TLBView(accesses=1_000_000)
    while not view.view["done"]:
        said(view, **view.view["next"])
    said(view, choose={"mapping": "blocks"})
    assert (view.view["done"], view.view["told"]) == (0, "0 of 1,000,000 accesses")


def test_what_was_counted_is_kept():
    view = TLBView(accesses=SHORT)
    finish(view)
    first = view.view
    said(view, choose={"mapping": "blocks"})
    said(view, **view.view["next"])  # and given up
    said(view, choose={"mapping": "pages"})
    assert view.view == {**first, "next": None}


def test_every_option_does_what_it_says_and_another_page_size_compares_what_it_has():
    view = TLBView(accesses=SHORT)
    for n in reversed(range(len(view.view["choices"]))):  # the page size after the bits, which depend on it
        for option in view.view["choices"][n]["options"]:
            said(view, **option["send"])
            assert [it["label"] for it in view.view["choices"][n]["options"] if it["selected"]] == [option["label"]]
            assert "failed" not in view.view
    view.page_size = "16k"
    view.compared = "47 and 52"
    view.page_size = "4k"
    assert view.compared == "48 and 52"
    view.choose(page_size="16k")
    assert view.compared == "48 and 52"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"trace": "random"}, "trace 'random' is not to be had: there are sequential, strided"),
        ({"page_size": "5k"}, "arm64 has 4k, 16k and 64k pages"),
        ({"compared": "39 and 48"}, "there are 47 and 48, 47 and 52, 48 and 52"),
        ({"accesses": 7}, "there are 100000, 300000"),
        ({"walk_cache": "none"}, "there are no walk cache"),
        ({"tlb": "1"}, "there are 48"),
        ({"mapping": "huge"}, "there are pages, contiguous, blocks"),
    ],
)
def test_what_is_not_to_be_had_is_refused_from_the_start_and_later(wrong, told):
    with pytest.raises(ValueError, match=told.replace("+", r"\+")):
        TLBView(**wrong)
    view = TLBView(accesses=SHORT)
    before = view.view
    with pytest.raises(ValueError, match=told.replace("+", r"\+")):
        view.choose(**wrong)
    assert view.view == before


def test_what_fails_is_said_and_does_not_go_on(monkeypatch):
    view = TLBView(accesses=SHORT)
    monkeypatch.setattr("pgtlab_widgets.tlb._trace", lambda *_: 1 / 0)
    said(view, **view.view["next"])
    assert view.view["failed"] == "ZeroDivisionError('division by zero')"
    assert view.view["next"] is None


def test_the_static_picture_and_the_text_are_of_the_whole_trace():
    view = TLBView(accesses=SHORT)
    assert "100,000 accesses" in view.picture().title
    assert view.view["next"] is None
    assert view.text().endswith(" more.")
    assert "<svg" in view.svg()


def test_the_view_is_plain_data_and_small_and_a_choice_takes_less_than_5_ms():
    view = TLBView(accesses=SHORT)
    finish(view)
    assert json.loads(json.dumps(view.view)) == view.view
    assert len(json.dumps(view.view)) < 30_000
    times = []
    for trace in list(WORKLOADS) * 3:
        start = time.perf_counter()
        said(view, choose={"trace": trace})
        times.append(time.perf_counter() - start)
    assert sorted(times)[len(times) // 2] < 0.005


def test_every_choice_has_a_figure():
    view = TLBView(accesses=SHORT)
    for mapping in MAPPINGS:
        view.mapping = mapping
        assert {row.cost.accesses for row in view.rows} == {SHORT}
        assert {row.cost.faults for row in view.rows} == {0}
