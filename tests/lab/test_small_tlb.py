"""A small TLB to watch: the traces, and the picture of each access."""

import pytest

from pgtlab.arch.cost.trace import TraceError
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.lab.cost_comparison import MAPPINGS, regimes
from pgtlab.lab.small_tlb import POLICIES, SHORT_TRACES, SMALL_TLBS, small_tlb, watch
from pgtlab.lab.small_tlb_picture import WIDTH, small_tlb_picture

REGIME = regimes("16k")[0]


def kinds(trace, mapping="pages", tlb="8", policy="LRU", regime=REGIME):
    return "".join(each.kind[0] for each in watch(trace, regime, mapping, small_tlb(tlb, policy)))


@pytest.mark.parametrize("page_size", ["4k", "16k", "64k"])
def test_what_the_traces_show(page_size):
    regime = regimes(page_size)[0]
    assert kinds("sequential", regime=regime) == 8 * "fhhh" + 4 * "ehhh"
    assert kinds("loop", regime=regime) == 6 * "f" + 42 * "h"
    assert kinds("loop", tlb="4", regime=regime) == 4 * "f" + 44 * "e", "LRU lets go of what comes next"
    assert kinds("large loop", regime=regime) == 8 * "f" + 40 * "e"
    assert kinds("large loop", "blocks", regime=regime) == "f" + 47 * "h", "one block has all pages"
    assert "h" in kinds("large loop", policy="random", regime=regime), "chance sometimes keeps a page"
    assert 0 < kinds("zipf", regime=regime).count("e") < kinds("zipf", tlb="4", regime=regime).count("e")


def test_processes_share_only_the_entry_of_the_kernel():
    watched = watch("two processes", REGIME, "pages", small_tlb("8", "LRU"))
    entries = [entry for entry in watched[-1].entries if entry]
    assert sorted((entry.asid is None, entry.asid or 0) for entry in entries) == 3 * [(False, 1)] + 3 * [(False, 2)] + [
        (True, 0)
    ]
    assert kinds("two processes") == "ffffhhhhfffhhhhh" + 32 * "h", "with ASIDs nothing has to be filled again"
    assert kinds("two processes", tlb="4").count("e") > 0


def test_the_entries_are_those_of_the_access_before_and_what_it_filled():
    for policy in POLICIES:
        watched = watch("zipf", REGIME, "pages", small_tlb("4 sets of 2", policy))
        before = (None,) * 8
        for each in watched:
            after = list(before)
            for fill in each.accessed.filled:
                assert after[fill.at.slot] == fill.evicted
                after[fill.at.slot] = fill.entry
            assert each.entries == tuple(after)
            before = each.entries
        assert {each.kind for each in watched} == {"hit", "fill", "evict"}


def drawn(picture):
    keys = [shape.key for shape in picture.shapes]
    assert len(set(keys)) == len(keys)
    return {shape.key: shape for shape in picture.shapes}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL_TLBS)
@pytest.mark.parametrize("trace", SHORT_TRACES)
def test_picture_of_each_access(trace, name):
    tlb = small_tlb(name, "LRU")
    for mapping in MAPPINGS:
        watched = watch(trace, REGIME, mapping, tlb)
        for number, now in enumerate(watched, 1):
            shapes = drawn(small_tlb_picture(watched, number, tlb, REGIME))
            assert shapes[f"access {number}"].attributes["class"].endswith(" now")
            assert sum(key.startswith("access letter") for key in shapes) == number  # those to come are not told
            read = {step.level for step in now.accessed.read}
            for level in range(REGIME.start_level, LAST_LEVEL + 1):
                assert (shapes[f"walk {level}"].attributes["class"] == f"level-{level}") == (level in read)
            for slot, entry in enumerate(now.entries):
                assert (f"entry empty {slot}" in shapes) == (entry is None)
                if entry:
                    assert shapes[f"entry va {slot}"].text == f"{entry.va:#x}"
                    assert shapes[f"entry level {slot}"].attributes["class"] == f"level-{entry.level}"
            marked = [slot for slot in range(tlb.entries) if shapes[f"entry {slot}"].attributes["class"] != "byte"]
            assert marked == [(now.accessed.hit or now.accessed.filled[0].at).slot]


def test_title_and_counts():
    tlb = small_tlb("4 sets of 2", "LRU")
    watched = watch("two processes", REGIME, "pages", tlb)
    titles = [small_tlb_picture(watched, n, tlb, REGIME).title for n in (1, 5, 10)]
    assert titles[0] == "Access 1 of 48: 0x20000000 of ASID 1 misses, and fills entry set 0, 0"
    assert titles[1] == "Access 5 of 48: 0x20000008 of ASID 1 hits entry set 0, 0"
    assert max(map(len, titles)) * 7.6 < WIDTH
    picture = small_tlb_picture(watched, 5, tlb, REGIME)
    assert picture.description.endswith("so far 1 hit, 4 misses, 12 reads")


def test_unknown_names_are_refused():
    with pytest.raises(TraceError, match="unknown trace 'random': choose from sequential, loop"):
        watch("random", REGIME, "pages", small_tlb("8", "LRU"))
    with pytest.raises(TraceError, match="unknown mapping 'huge': choose from pages"):
        watch("loop", REGIME, "huge", small_tlb("8", "LRU"))
