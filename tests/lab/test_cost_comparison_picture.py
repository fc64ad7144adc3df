"""The picture of a cost: every bar is a count of the model."""

import pytest

from pgtlab.arch.cost.tlb import TLB, Hardware
from pgtlab.arch.cost.walk_cost import Cost
from pgtlab.lab.cost_comparison import HARDWARE, Row, regimes, walk_costs, workload
from pgtlab.lab.cost_comparison_picture import BAR, compared, cost_comparison_picture


@pytest.fixture(scope="module")
def rows():
    one, other = regimes("16k")[:2]
    return walk_costs((one, other), [workload("zipf", one.region, 20_000)], hardware={"x": HARDWARE["each level"]}).rows


def shapes(picture):
    keys = [shape.key for shape in picture.shapes]
    assert len(set(keys)) == len(keys)
    return {shape.key: shape for shape in picture.shapes}


def test_bars_are_shares(rows):
    drawn = shapes(cost_comparison_picture(rows, HARDWARE["each level"]))
    for n, row in enumerate(rows):
        cost = row.cost
        assert drawn[f"hits L1 TLB {n} bar"].attributes["width"] == round(BAR * sum(cost.l1_hits) / cost.accesses, 1)
        share = sum(cost.l2_hits) / (cost.accesses - sum(cost.l1_hits))
        assert drawn[f"hits L2 TLB {n} bar"].attributes["width"] == round(BAR * share, 1)
        for level in range(row.regime.start_level, 4):
            bar = drawn[f"reads level {level} {n} bar"]
            assert bar.attributes["width"] == round(BAR * (cost.reads[level] / cost.accesses) / 4, 1)
            assert bar.attributes["class"] == f"level-{level}"
            assert drawn[f"reads level {level} {n} number"].text.endswith(f"({cost.reads[level]:,})")


def test_bars_of_descriptors_have_one_scale(rows):
    """The bar of all levels is as long as those of the levels together, in each column, on the axis below."""
    drawn = shapes(cost_comparison_picture(rows, HARDWARE["each level"]))
    for n, row in enumerate(rows):
        of_levels = sum(drawn[f"reads level {k} {n} bar"].attributes["width"] for k in range(row.regime.start_level, 4))
        together = drawn[f"reads all levels {n} bar"].attributes
        assert together["width"] == pytest.approx(of_levels, abs=0.3)
        assert together["width"] > 0
        axis = [drawn[f"axis {n} {number}"] for number in range(5)]  # 16K/48 has four levels
        assert [shape.text for shape in axis] == ["0", "1", "2", "3", "4"]
        assert axis[0].attributes["x"] == together["x"]
        assert axis[4].attributes["x"] == together["x"] + BAR


def test_walk_cache_lookups(rows):
    drawn = shapes(cost_comparison_picture(rows, HARDWARE["each level"]))
    cost = rows[0].cost
    assert drawn["hits walk cache, level 2 0 number"].text.endswith(f"of {cost.walks:,}")
    assert drawn["hits walk cache, level 1 0 number"].text.endswith(f"of {cost.walks - cost.walk_cache_hits[2]:,}")


def test_missing_levels_and_caches_are_labelled(rows):
    drawn = shapes(cost_comparison_picture(rows, Hardware((TLB(48),))))
    assert drawn["reads level 0 0 number"].text == "no such level"
    assert drawn["reads level 0 1 bar"]
    assert drawn["hits L2 TLB 0 number"].text == "no such TLB"
    assert drawn["hits walk cache, level 1 0 number"].text == "no such cache"
    everything = shapes(cost_comparison_picture(rows, HARDWARE["each level"]))
    assert drawn["label reads level 3"].attributes == everything["label reads level 3"].attributes


def test_empty_bars():
    nothing = Cost(0, (), (), (0,) * 5, (0,) * 5, 0, 0)
    rows = [Row("zipf", "pages", "x", regime, nothing) for regime in regimes("4k")]
    drawn = shapes(cost_comparison_picture(rows, HARDWARE["shared"]))
    assert {shape.attributes["width"] for key, shape in drawn.items() if key.endswith(" bar")} == {0}
    assert compared(rows) == "4K/52 LPA2 reads as many descriptors as 4K/48: 0."
