"""The bug lab's Python side."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from pgtlab_widgets import BugLab
from pgtlab_widgets.choices import traits

from pgtlab.lab.bugs import BUGS
from pgtlab.lab.matrix import matrix
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, Tree
from pgtlab.linux.fold_picture import cell_key
from pgtlab.linux.kernel import LivepatchError


def test_it_boots_the_tree_and_its_log_is_read():
    lab = BugLab()
    assert [row["text"] for row in lab.still["rows"]] == list(
        Tree.named("next-20240229").start_kernel(lab.boot).run().dmesg
    )
    diagnoses = [claim["text"] for claim in lab.still["claims"] if claim["diagnosis"]]
    assert "without its destructor" in diagnoses[0]
    assert "a struct page on the stack" in diagnoses[1]


def test_a_number_is_explained_by_the_lines_that_it_follows_from():
    lab = BugLab()
    number = next(row["number"] for row in lab.still["rows"] if "x1 : " in row["text"])
    lab.receive({"chosen": f"line {number}"})
    assert any("page_to_pfn" in item for item in lab.view["because"]["items"])
    lab.receive({"chosen": "claim 1"})
    assert any("(x20 - vmemmap) >> 6" in item for item in lab.view["because"]["items"])
    assert number in lab.view["lit"]


def test_the_number_itself_is_explained_and_its_inputs_are_told():
    lab = BugLab(page_size="16k", va_bits=52)  # not that of the posted log
    key = next(key for key, (number, _) in lab.numbers.items() if number.name == "x1")
    lab.receive({"chosen": key})
    assert lab.view["because"]["items"][0].startswith("x1 = (x20 - vmemmap) >> 6: (0x")
    assert [lab.numbers[one][0].name for one in lab.view["inputs"]] == ["x20"]
    assert "claim 1" in lab.view["resting"]  # the second diagnosis
    pieces = lab.still["rows"][lab.numbers[key][0].line - 1]["pieces"]
    assert "".join(piece["text"] for piece in pieces) == lab.still["rows"][lab.numbers[key][0].line - 1]["text"]
    lab.choose(va_bits=47, pa_bits=48)
    assert lab.chosen == ""
    with pytest.raises(ValueError, match="is not in this log"):
        lab.chosen = "number 1 2"


def test_the_functions_of_the_call_trace_are_there_to_read():
    titles = [source["title"] for source in BugLab().still["called"]]
    assert titles[0] == "get_pfnblock_flags_mask()"
    assert {"dump_page()", "destroy_args()"} <= set(titles)


@pytest.mark.parametrize("name", BUGS)
def test_each_bug_of_the_catalogue_shows_where_it_should(name):
    where = next(BUGS[name].boots())
    lab = BugLab(name, **traits(where.config), cpu=where.cpu.name)
    assert lab.run.outcome != "clean"
    assert lab.seen in lab.view["outcome"]
    assert BUGS[name].symptom in lab.view["about"]


def test_each_fix_does_what_it_does_in_the_thread():
    lab = BugLab()
    lab.receive({"fix": "fix-dump-page"})
    assert lab.run.outcome == "report"
    lab.receive({"fix": "fix-pud-free"})
    assert lab.run.outcome == "clean"
    assert [fix["on"] for fix in lab.view["fixes"]] == [True, True]
    assert lab.still["claims"] == []
    lab.receive({"unpatch": "pud_free"})
    assert lab.run.outcome == "report"


def test_ones_own_function_is_in_with_its_source_and_is_judged():
    def pud_free(k, mm, pud):
        k.__pud_free(mm, pud)  # and who asks whether there is one?

    lab = BugLab("arm64-for-next")
    lab.livepatch(pud_free=pud_free)
    assert lab.run.outcome == "clean"  # here
    assert "who asks whether" in lab.still["sources"][-1]["text"]
    lab.receive({"judge": True})
    assert any("does your function ask whether the level exists?" in finding for finding in lab.view["judged"])
    lab.livepatch(**CALL_THE_DESTRUCTOR.functions)
    assert lab.view["judged"] == []  # that was another kernel
    lab.receive({"judge": True})
    assert all(finding.startswith("✓") for finding in lab.view["judged"])
    with pytest.raises(LivepatchError, match="no function pud_fre"):
        lab.livepatch(pud_fre=pud_free)


def test_the_matrix_is_that_of_the_tree_with_the_patch():
    lab = BugLab()
    list(lab.fill())
    assert lab.outcomes == {cell_key_of(key): run.outcome for key, run in matrix("next-20240229").items()}
    lab.receive({"fix": "fix-pud-free"})
    assert lab.outcomes == {}
    list(lab.fill())
    assert set(lab.outcomes.values()) == {"clean", "no boot"}


def cell_key_of(key):
    config, cpu = key
    return f"{config.page_size_name}/{config.va_bits}/{config.pa_bits}/{cpu.name}"


def test_it_fills_in_the_background_and_can_be_stopped_and_leaves_nothing_running():
    async def go():
        lab = BugLab()
        lab.receive({"fill": True})
        assert lab.view["filling"]
        for _ in range(10):
            await asyncio.sleep(0)
        lab.receive({"stop": True})
        filled = len(lab.outcomes)
        assert 0 < filled < len(lab._boots)
        await asyncio.sleep(0.05)
        assert len(lab.outcomes) == filled
        lab.receive({"fill": True})
        lab.tree = "fixed"  # another kernel: what was running is of no use
        assert not lab.view["filling"]
        lab.receive({"fill": True})
        lab.close()
        await asyncio.sleep(0)
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    with ThreadPoolExecutor() as elsewhere:  # a browser test before this one may have left its loop in this thread
        assert elsewhere.submit(asyncio.run, go()).result() == []


def test_a_cell_is_loaded_and_one_that_does_not_boot_says_why():
    lab = BugLab()
    lab.receive({"cell": "16k/52/52/max"})
    assert (lab.boot.vabits_actual, lab.run.outcome) == (52, "panic")
    lab.receive({"cell": cell_key(lab._boots["16k/48/48/cortex-a72"])})
    assert "no 16K granule" in lab.text()
    assert lab.still["rows"] == []
