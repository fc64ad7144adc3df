"""The picture of a cost: every bar is a count of the model."""

import pytest

from pgtlab.arch.cost.tlb import TLB, Hardware
from pgtlab.arch.cost.walk_cost import Cost
from pgtlab.lab.cost_comparison import HARDWARE, Row, regimes, walk_costs, workload
from pgtlab.lab.cost_comparison_picture import BAR, LABEL, WIDTH, compared, cost_comparison_picture


@pytest.fixture(scope="module")
def rows():
    one, other = regimes("16k")[:2]
    return walk_costs((one, other), [workload("zipf", one.region, 20_000)], hardware={"x": HARDWARE["each level"]}).rows


def shapes(picture):
    keys = [shape.key for shape in picture.shapes]
    assert len(set(keys)) == len(keys)
    return {shape.key: shape for shape in picture.shapes}


def test_levels_are_stacked_in_one_bar_on_one_axis(rows):
    drawn = shapes(cost_comparison_picture(rows, HARDWARE["each level"]))
    axis = [drawn[f"axis {number}"].attributes["x1"] for number in range(5)]  # 16K/48 has four levels
    assert (axis[0], axis[4]) == (LABEL, LABEL + BAR)
    for n, row in enumerate(rows):
        end = LABEL
        for level in range(row.regime.start_level, 4):
            bar = drawn[f"reads level {level} {n}"].attributes
            assert bar["x"] == pytest.approx(end, abs=0.3)
            assert bar["width"] == pytest.approx(BAR * row.cost.reads[level] / row.cost.accesses / 4, abs=0.1)
            assert bar["class"].split() == [f"level-{level}", "length"]
            end = bar["x"] + bar["width"]
        assert end == pytest.approx(LABEL + BAR * row.cost.reads_per_access / 4, abs=0.3)
        assert drawn[f"reads {n}"].text == f"{row.cost.reads_per_access:.2f}"
    assert drawn["reads level 3 0"].attributes["y"] < drawn["reads level 3 1"].attributes["y"], "below each other"


def test_hits_are_shares_of_the_lookups(rows):
    drawn = shapes(cost_comparison_picture(rows, HARDWARE["each level"]))
    for n, row in enumerate(rows):
        cost, l1 = row.cost, sum(row.cost.l1_hits)
        shares = {
            "L1 TLB, 48 entries": (l1, cost.accesses),
            "L2 TLB, 1024 entries": (sum(cost.l2_hits), cost.accesses - l1),
            "walk cache, level 2": (cost.walk_cache_hits[2], cost.walks),
            "walk cache, level 1": (cost.walk_cache_hits[1], cost.walks - cost.walk_cache_hits[2]),
        }
        for name, (hits, looked) in shares.items():
            bar = drawn[f"hits {name} {n} bar"]
            assert bar.attributes["width"] == round(BAR * hits / looked, 1)
            assert bar.hint == f"{row.regime.name}: {hits:,} of {looked:,}"


def test_what_there_is_not_takes_no_room(rows):
    picture = cost_comparison_picture(rows, Hardware((TLB(48),)))
    drawn = shapes(picture)
    assert not any("L2" in key or "walk cache" in key for key in drawn)
    assert "reads level 0 1" in drawn
    assert "reads level 0 0" not in drawn, "47 bits have no level 0"
    everything = cost_comparison_picture(rows, HARDWARE["each level"])
    assert "hits walk cache, level 0 1 bar" in shapes(everything)
    assert "hits walk cache, level 0 0 bar" not in shapes(everything)
    assert picture.height < everything.height
    assert "no such" not in picture.description + everything.description


def test_partial_result_looks_partial(rows):
    whole, part = (shapes(cost_comparison_picture(rows, HARDWARE["shared"], n)) for n in (20_000, 300_000))
    assert part["title"].text.startswith("So far, 20,000 of 300,000: 16K/48 reads ")
    assert len(part["title"].text) * 7 < WIDTH
    assert ("strong" in whole["title"].attributes["class"], "strong" in part["title"].attributes["class"]) == (
        True,
        False,
    )
    bars = [key for key in whole if whole[key].tag == "rect" and "length" in whole[key].attributes["class"]]
    assert len(bars) > 8
    for key in bars:
        assert part[key].attributes == whole[key].attributes | {"class": whole[key].attributes["class"] + " partial"}


def test_letters_stay_inside_the_picture(rows):
    for shape in shapes(cost_comparison_picture(rows, HARDWARE["each level"])).values():
        if shape.tag == "rect":
            assert shape.attributes["x"] + shape.attributes["width"] <= WIDTH


def test_empty_bars():
    nothing = Cost(0, (), (), (0,) * 5, (0,) * 5, 0, 0)
    rows = [Row("zipf", "pages", "x", regime, nothing) for regime in regimes("4k")]
    picture = cost_comparison_picture(rows, HARDWARE["shared"], 100_000)
    drawn = shapes(picture)
    bars = {s.attributes["width"] for s in drawn.values() if s.tag == "rect" and s.attributes["class"] != "frame"}
    assert (bars, picture.title) == ({0}, "So far, 0 of 100,000")
    assert compared(rows) == "4K/52 LPA2 reads as many descriptors as 4K/48: 0."
