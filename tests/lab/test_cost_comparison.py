"""What a level costs: the figures follow from the geometry, and the table, the JSON and the charts show them."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from pgtlab import CPU, Config, boot
from pgtlab.arch.cost.trace import TraceError
from pgtlab.arch.granule import G16K
from pgtlab.cli import main
from pgtlab.lab.cost_comparison import (
    HARDWARE,
    MAPPINGS,
    MOST_REGIONS,
    WORKLOADS,
    Regime,
    Workload,
    mapped,
    regimes,
    visited,
    walk_costs,
    workload,
    workloads,
)
from pgtlab.plot.chart import INK
from pgtlab.plot.walk_cost import plot_over_time, plot_walk_costs

ACCESSES = 4000


@pytest.fixture(scope="module")
def costs():
    return walk_costs(regimes("16k"), mappings=MAPPINGS, accesses=ACCESSES)


def test_regimes_match_booted_kernels():
    fallback, other, full = regimes("16k")
    kernels = [boot(Config("16k", 52), CPU.named(name)) for name in ("max,lpa2=off", "max")]
    assert [fallback.tcr, full.tcr] == [kernel.tcr_el1 for kernel in kernels]
    assert other.tcr == fallback.tcr.replace(T0SZ=16, T1SZ=16)
    assert [(r.levels, r.start_level, r.first_table) for r in regimes("16k")] == [(3, 1, 2048), (4, 0, 2), (4, 0, 32)]
    assert [(r.levels, r.start_level, r.first_table) for r in regimes("4k")] == [(4, 0, 512), (5, -1, 16)]
    assert [(r.levels, r.start_level, r.first_table) for r in regimes("64k")] == [(3, 1, 64), (3, 1, 1024)]


@pytest.mark.slow
def test_reads_without_walk_cache(costs):
    for row in costs.where(hardware="no walk cache"):
        levels = row.regime.levels - (row.mapping == "blocks")
        assert row.cost.reads_per_walk == levels
        assert sum(row.cost.walk_cache_hits) == 0


def test_misses_are_equal_in_all_regimes(costs):
    for mapping in MAPPINGS:
        for hardware in HARDWARE:
            for trace in costs.names("trace"):
                rows = costs.where(mapping=mapping, hardware=hardware, trace=trace)
                assert len({row.cost.misses for row in rows}) == 1
                assert {row.cost.faults for row in rows} == {0}


def test_walk_cache_for_each_level(costs):
    for mapping in MAPPINGS:
        for trace in costs.names("trace"):
            short, long = (
                costs.where(mapping=mapping, hardware="each level", trace=trace, regime=regime)[0].cost
                for regime in costs.regimes[:2]
            )
            # Only walks that find nothing read the additional level: the first one of each address space.
            owners = ACCESSES // 2000 if trace == "processes" else 1
            assert 0 <= sum(long.reads) - sum(short.reads) <= owners
            assert sum(long.reads) - sum(short.reads) == long.reads[0]


def test_walk_cache_of_last_tables(costs):
    for trace in costs.names("trace"):
        short, long = (
            costs.where(mapping="pages", hardware="last tables", trace=trace, regime=regime)[0].cost
            for regime in costs.regimes[:2]
        )
        assert short.walk_cache_hits == long.walk_cache_hits
        assert sum(long.reads) - sum(short.reads) == long.walks - sum(long.walk_cache_hits)


def test_larger_mappings_never_miss_more(costs):
    for trace in costs.names("trace"):
        rows = costs.where(trace=trace, hardware="each level", regime=costs.regimes[0])
        pages, contiguous, blocks = (row.cost.misses for row in rows)
        assert blocks <= contiguous <= pages


@pytest.mark.slow
def test_every_trace_is_mapped_and_repeatable():
    one, two = (workloads(1 << 25, 500, seed=3) for _ in range(2))
    assert all(np.array_equal(one[name].vas, two[name].vas) for name in one)
    vas = np.concatenate([workload.vas for workload in one.values()])
    regions = visited(Workload("all", vas), 1 << 25)
    for regime in regimes("16k"):
        for mapping in MAPPINGS:
            found = mapped(regime, regions, regime.region, mapping).translate_many(vas)
            assert found.ok.all()
            assert len(np.unique(found.pa >> 14)) == len(np.unique(vas >> 14))


def test_addresses_outside_a_regime_fault():
    workload = Workload("both", np.array([0x1000, 0xFFFF_FFFF_8000_0000, 0xFFFF_0000_0000_0000], np.uint64))
    short, long = regimes("16k")[:2]
    costs = walk_costs([short, long], [workload], hardware={"none": HARDWARE["no walk cache"]})
    assert [row.cost.faults for row in costs.rows] == [1, 0]
    assert [row.cost.walks for row in costs.rows] == [2, 3]


def test_invalid_comparisons():
    with pytest.raises(TraceError, match="2 granules in one comparison"):
        walk_costs([*regimes("16k"), *regimes("4k")])
    with pytest.raises(TraceError, match="unknown mapping 'page': choose from pages, contiguous, blocks"):
        walk_costs(regimes("16k"), mappings=["page"])
    wide = Workload("wide", np.arange(MOST_REGIONS + 1, dtype=np.uint64) * np.uint64(1 << 25))
    with pytest.raises(TraceError, match="wide visits 4097 regions of 32 MiB"):
        walk_costs(regimes("16k"), [wide])


def test_regime_with_another_size():
    kernel = boot(Config("16k", 47), CPU.named("max"))
    assert Regime.of(kernel, 36).range.input_bits == 36
    assert Regime.of(kernel, 36).range.granule == G16K


@pytest.mark.long
@pytest.mark.parametrize("panels", ["hardware", "mapping"])
def test_the_chart_has_every_dot(costs, panels):
    where = {"mapping": "pages"} if panels == "hardware" else {"hardware": "shared"}
    figure = plot_walk_costs(costs, panels=panels, **where)
    assert [axes.get_title() for axes in figure.axes] == list(costs.names(panels))
    for axes in figure.axes:
        assert [len(dots.get_offsets()) for dots in axes.collections] == [7, 7, 7]
    first = figure.axes[0].collections[1].get_offsets()[:, 0]
    rows = costs.where(regime=costs.regimes[1], **{panels: costs.names(panels)[0]}, **where)
    assert first.tolist() == [row.cost.reads_per_walk for row in rows]


def test_the_chart_over_time_shows_each_window():
    costs = walk_costs(regimes("16k")[:2], [workloads(1 << 25, 60)["uniform"]], windows=20)
    figure = plot_over_time(costs.where(hardware="each level"), "title")
    for row, steps in zip(costs.where(hardware="each level"), figure.axes[0].patches, strict=True):
        assert steps.get_data().values.tolist() == [w.reads_per_walk for w in row.cost.windows]
        assert steps.get_data().edges.tolist() == list(range(0, 61, 3))


def test_chart_has_the_colour_of_the_page_its_numbers_as_text_and_letters_of_12_pixels(costs):
    chart = plot_walk_costs(costs, hardware="shared", panels="mapping")
    svg = chart.svg()
    root = ElementTree.fromstring(svg)
    assert (root.get("role"), "currentColor" in svg, "#000000" in svg, INK in svg) == ("img", True, False, False)
    title, numbers = (root.findtext(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
    assert title == "Descriptors read for each walk, by mapping"
    assert len(numbers.splitlines()) == len(costs.regimes) * len(costs.names("mapping"))
    points = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
    pixels = [size * 96 / 72 for size in points]  # the picture's unit is a point
    assert len(pixels) > 10
    assert min(pixels) >= 12
    assert chart._repr_mimebundle_()["text/plain"] == chart.alt


@pytest.fixture
def run(capsys):
    """Run the command in this process: status, standard output, standard error."""

    def run(*args):
        status = main(["walk-cost", "--accesses", "500", *args])
        return status, *capsys.readouterr()

    return run


def test_the_table_has_a_line_for_each_walk_cache_and_trace(run):
    status, out, err = run("--trace", "uniform", "--trace", "processes")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == [
        "16K/47: 3 levels from level 1 on, 2048 entries of 8 bytes in the first table",
        "16K/48: 4 levels from level 0 on, 2 entries of 8 bytes in the first table",
    ]
    assert len(lines) == 6 + 4 * 2
    assert all(len(line) <= 120 for line in lines)


def test_json_has_the_counts_of_every_level(run):
    status, out, _ = run("--trace", "uniform", "--page-size", "4k", "--mapping", "blocks", "--json")
    answer = json.loads(out)
    assert status == 0
    assert answer["regimes"][1] == {"name": "4K/52 LPA2", "levels": 5, "first_table": 16}
    row = answer["rows"][0]
    assert (row["trace"], row["mapping"], row["hardware"]) == ("uniform", "blocks", "no walk cache")
    assert row["reads"] == {"0": row["walks"], "1": row["walks"], "2": row["walks"], "3": 0}


def test_a_trace_may_come_from_a_file(run, tmp_path):
    path = tmp_path / "my.trace"
    path.write_text("0x1000\n0x1008\n0xffff000000000000 # none of 47 bits\n")
    status, out, _ = run("--trace", str(path))
    assert status == 0
    assert "no walk cache  my.trace" in out
    assert out.splitlines()[-1] == "16K/47: 1 of 3 accesses of my.trace fault"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (
            ["--trace", "random"],
            "--trace random: neither a file nor a kind of trace (sequential, strided",
        ),
        (["--mapping", "page"], "unknown mapping 'page': choose from pages, contiguous, blocks"),
        (["--page-size", "8k"], "page size 8k: arm64 has 4k, 16k and 64k pages"),
        (["--accesses", "-1"], "--accesses -1: a trace has 1 or more"),
    ],
)
def test_misuse_is_one_sentence_and_status_2(run, args, says):
    status, out, err = run(*args)
    assert (status, out) == (2, "")
    assert err.startswith(f"pgtlab: {says}")
    assert err.count("\n") == 1


def test_a_row_as_plain_data_has_every_level():
    """Every walk reads a descriptor of the last level, which no walk cache keeps."""
    (row,) = walk_costs(
        [regimes("4k")[0]],
        [workload("uniform", regimes("4k")[0].region, 2000)],
        hardware={"each level": HARDWARE["each level"]},
    ).rows
    plain = row.as_dict()
    levels = [str(level) for level in range(row.regime.start_level, 4)]
    assert list(plain["reads"]) == levels
    assert list(plain["walk_cache_hits"]) == levels[:-1]
    assert plain["reads"]["3"] == plain["walks"] > 0
    assert plain["l1_hits"] + plain["l2_hits"] + plain["walks"] == plain["accesses"] == 2000


def test_the_strided_trace_is_what_its_description_says():
    assert WORKLOADS["strided"] == "every 64 KiB of 8 GiB"
    vas = workload("strided", regimes("4k")[0].region, 200_000).vas
    steps, counts = np.unique(np.diff(vas.astype(np.int64)), return_counts=True)
    assert steps.tolist() == [65536 - (8 << 30), 65536], "and from the end to the beginning again"
    assert counts[0] == 1
