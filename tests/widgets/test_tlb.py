"""The TLB view's Python side: its figures are those of `walk_costs`, however they came about."""

import json

import pytest
from pgtlab_widgets import TLBView, tlb

from pgtlab.arch.cost.tlb import Hardware
from pgtlab.lab.cost_comparison import HARDWARE, MAPPINGS, TLBS, WORKLOADS, regimes, walk_costs, workload

SHORT = 100_000


def send(view, **content):
    view._on_message(view, content, [])


def finish(view):
    """What a page does: ask for the next step once it has drawn the last; how many it took."""
    steps = 0
    while view.view["next"]:
        send(view, **view.view["next"])
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
def test_steps_count_the_same_as_walk_costs(trace, mapping, walk_cache, tlb):
    view = TLBView(trace, mapping=mapping, walk_cache=walk_cache, tlb=tlb, accesses=SHORT)
    assert finish(view) > 2
    compared = regimes("16k")[:2]
    hardware = {walk_cache: Hardware(*TLBS[tlb], HARDWARE[walk_cache].walk_caches)}
    made = workload(trace, compared[0].region, SHORT)
    assert view.rows == walk_costs(compared, [made], [mapping], hardware).rows


def test_cost_of_one_more_level():
    """On a walk cache for last tables, 48 bits read more than 47; with one for each level next to nothing."""
    view = TLBView("uniform", accesses=SHORT)
    one, other = (sum(row.cost.reads) for row in view.rows)
    assert other > 1.2 * one
    view.walk_cache = "each level"
    one, other = (sum(row.cost.reads) for row in view.rows)
    assert one < other < 1.001 * one


def test_progress_and_comparison():
    view = TLBView(accesses=300_000)
    assert view.view["status"] == "0 of 300,000 accesses"
    done = []
    while view.view["next"]:
        done.append(view.view["done"])
        send(view, **view.view["next"])
    assert done == sorted(done)
    assert len(set(done)) > 4
    assert view.view["status"].startswith("16K/48 reads ")
    assert view.view["done"] == view.view["accesses"]


def test_step_is_taken_once_for_two_pages():
    view = TLBView(accesses=SHORT)
    step = view.view["next"]
    send(view, **step)
    after = view.view
    send(view, **step)
    assert view.view == after


def test_other_choice_starts_at_zero():
    view = TLBView(accesses=1_000_000)
    while not view.view["done"]:
        send(view, **view.view["next"])
    send(view, choose={"mapping": "blocks"})
    assert (view.view["done"], view.view["status"]) == (0, "0 of 1,000,000 accesses")


def test_finished_runs_are_kept():
    view = TLBView(accesses=SHORT)
    finish(view)
    first = view.view
    send(view, choose={"mapping": "blocks"})
    send(view, **view.view["next"])  # and given up
    send(view, choose={"mapping": "pages"})
    assert view.view == {**first, "next": None}


def test_options_and_pairs_of_each_page_size():
    view = TLBView(accesses=SHORT)
    for n in reversed(range(len(view.view["choices"]))):  # the page size after the bits, which depend on it
        for option in view.view["choices"][n]["options"]:
            send(view, **option["send"])
            assert [it["label"] for it in view.view["choices"][n]["options"] if it["selected"]] == [option["label"]]
            assert "failed" not in view.view
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
    ],
)
def test_bad_option_raises_at_init_and_in_choose(wrong, message):
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        TLBView(**wrong)
    view = TLBView(accesses=SHORT)
    before = view.view
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        view.choose(**wrong)
    assert view.view == before


def test_failing_work_stops_and_is_shown(monkeypatch):
    view = TLBView(accesses=SHORT)
    monkeypatch.setattr("pgtlab_widgets.tlb._trace", lambda *_: 1 / 0)
    send(view, **view.view["next"])
    assert view.view["failed"] == "ZeroDivisionError('division by zero')"
    assert view.view["next"] is None


def test_svg_and_text_of_the_whole_trace():
    view = TLBView(accesses=SHORT)
    assert "100,000 accesses" in view.picture().title
    assert view.view["next"] is None
    assert view.text().endswith(" more.")
    assert "<svg" in view.svg()


def test_view_is_small_plain_data():
    view = TLBView(accesses=SHORT)
    finish(view)
    assert json.loads(json.dumps(view.view)) == view.view
    assert len(json.dumps(view.view)) < 30_000


def test_choosing_counts_nothing(monkeypatch):
    view = TLBView(accesses=SHORT)
    for name in ("workload", "mapped", "visited", "costs_so_far"):
        monkeypatch.setattr(tlb, name, None)
    for trace in WORKLOADS:
        send(view, choose={"trace": trace})
        assert (view.trace, "failed" in view.view) == (trace, False)
    send(view, **view.view["next"])
    assert "failed" in view.view, "a step does count"


def test_every_choice_has_a_picture():
    view = TLBView(accesses=SHORT)
    for mapping in MAPPINGS:
        view.mapping = mapping
        assert {row.cost.accesses for row in view.rows} == {SHORT}
        assert {row.cost.faults for row in view.rows} == {0}
