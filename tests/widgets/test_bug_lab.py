"""The bug lab's Python side."""

import json

import pytest
from pgtlab_widgets import BugLab, bug_lab, kernel_run
from pgtlab_widgets.choices import traits

from pgtlab.lab import check, kernel_checks
from pgtlab.lab.bugs import BUGS
from pgtlab.lab.matrix import matrix
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, Tree
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.fold_picture import cell_key
from pgtlab.linux.kernel import LivepatchError


@pytest.fixture
def few_kernels(monkeypatch):
    """Let a fix be judged on three kernels, not on all 17."""
    few = tuple(distinct_boots()[::7])
    monkeypatch.setattr(kernel_checks, "distinct_boots", lambda: few)


@pytest.mark.long
def test_log_of_the_tree_is_read():
    lab = BugLab()
    assert [row["text"] for row in lab.run_view["rows"]] == list(
        Tree.named("next-20240229").start_kernel(lab.boot).run().dmesg
    )
    diagnoses = [claim["text"] for claim in lab.run_view["claims"] if claim["diagnosis"]]
    assert "without its destructor" in diagnoses[0]
    assert "a struct page on the stack" in diagnoses[1]


def test_line_and_claim_explain_a_number():
    lab = BugLab()
    number = next(row["number"] for row in lab.run_view["rows"] if "x1 : " in row["text"])
    lab.receive({"chosen": f"line {number}"})
    assert any("page_to_pfn" in item for item in lab.view["because"]["items"])
    assert lab.chosen == f"line {number}"
    lab.receive({"chosen": "claim 1"})
    assert any("(x20 - vmemmap) >> 6" in item for item in lab.view["because"]["items"])
    assert number in lab.view["lit"]


def test_number_shows_its_inputs():
    lab = BugLab(page_size="16k", va_bits=52)  # not that of the posted log
    key = next(key for key, (number, _) in lab.numbers.items() if number.name == "x1")
    lab.receive({"chosen": key})
    assert lab.view["because"]["items"][0].startswith("x1 = (x20 - vmemmap) >> 6: (0x")
    assert [lab.numbers[key][0].name for key in lab.view["inputs"]] == ["x20"]
    assert "claim 1" in lab.view["resting"]  # the second diagnosis
    pieces = lab.run_view["rows"][lab.numbers[key][0].line - 1]["pieces"]
    assert "".join(piece["text"] for piece in pieces) == lab.run_view["rows"][lab.numbers[key][0].line - 1]["text"]
    lab.choose(va_bits=47, pa_bits=48)
    assert lab.chosen == ""  # there is no report in this log
    with pytest.raises(ValueError, match="is not in this log"):
        lab.chosen = "number 1 2"


def test_functions_of_commits_and_call_trace():
    titles = [source["title"] for source in BugLab().run_view["functions"]]
    assert titles[:4] == ["pud_free()", "__dump_page()", "__dump_folio()", "get_pfnblock_flags_mask()"]
    assert {"dump_page()", "destroy_args()"} <= set(titles)


@pytest.mark.parametrize("name", BUGS)
def test_catalogue_bug_shows(name):
    where = next(BUGS[name].boots())
    lab = BugLab(name, **traits(where.config), cpu=where.cpu.name)
    assert lab.run.outcome != "clean"
    assert lab.seen in lab.view["outcome"]
    assert BUGS[name].symptom in lab.view["about"]


def test_fixes_of_the_thread():
    lab = BugLab()
    lab.receive({"fix": "fix-dump-page"})
    assert lab.run.outcome == "report"
    lab.receive({"fix": "fix-pud-free"})
    assert lab.run.outcome == "clean"
    assert lab.view["on"] == ["fix-pud-free", "fix-dump-page"]
    assert lab.run_view["claims"] == []
    lab.receive({"unpatch": "pud_free"})
    assert lab.run.outcome == "report"


@pytest.mark.long
def test_livepatch_is_shown_and_judged():
    def pud_free(k, mm, pud):
        k.__pud_free(mm, pud)  # and who asks whether there is one?

    lab = BugLab("arm64-for-next")
    lab.livepatch(pud_free=pud_free)
    assert lab.run.outcome == "clean"  # here
    assert "+    k.__pud_free(mm, pud)  # and who asks whether" in lab.run_view["diff"]
    run(lab, {"judge": True})
    assert any("does your function check that the level exists?" in finding for finding in lab.view["findings"])
    lab.livepatch(**CALL_THE_DESTRUCTOR.functions)
    assert lab.view["findings"] == []  # that was another kernel
    run(lab, {"judge": True})
    assert [finding[0] for finding in lab.view["findings"]] == 8 * ["✓"]
    assert lab.view["findings"] == list(map(str, check(lab.start_kernel()).findings))
    with pytest.raises(LivepatchError, match="no function pud_fre"):
        lab.livepatch(pud_fre=pud_free)


def test_fix_has_its_name_and_is_dropped_for_a_catalogue_bug(few_kernels):
    lab = BugLab()
    for name in ("fix-pud-free", "fix-dump-page"):
        lab.receive({"fix": name})
    assert [patch["as"] for patch in lab.view["patched"]] == ["fix-dump-page", "fix-pud-free"]
    assert "+++ pud_free() of fix-pud-free" in lab.run_view["diff"]
    assert "your" not in lab.run_view["diff"]
    lab.tree = "arm64-for-next"  # a tree of the story: they are about it
    assert lab.view["on"] == ["fix-pud-free", "fix-dump-page"]
    lab.livepatch(p4d_clear=lambda k, p4dp: None)
    lab.tree = "dump-folio"
    assert (lab.view["on"], [patch["as"] for patch in lab.view["patched"]]) == ([], ["p4d_clear()"])
    assert lab.run.outcome == "panic"
    lab.receive({"fix": "fix-dump-page"})  # which fixes this bug
    lab.unpatch("p4d_clear")
    run(lab, {"judge": True})
    assert lab.judge.result.passed


def test_reason_for_not_judging():
    lab = BugLab("tg0-from-tg1")
    run(lab, {"judge": True})
    assert lab.view["findings"] == [lab.judge.result.headline]
    assert "not judged: `__cpu_setup()` runs at boot" in lab.view["findings"][0]


@pytest.mark.long
def test_matrix_of_patched_tree():
    lab = BugLab()
    list(lab.matrix.fill(lab.editor.patched))
    assert lab.matrix.outcomes == {cell_key_of(key): run.outcome for key, run in matrix("next-20240229").items()}
    lab.receive({"fix": "fix-pud-free"})
    assert lab.matrix.outcomes == {}
    list(lab.matrix.fill(lab.editor.patched))
    assert set(lab.matrix.outcomes.values()) == {"clean", "no boot"}


def cell_key_of(key):
    config, cpu = key
    return f"{config.page_size_name}/{config.va_bits}/{config.pa_bits}/{cpu.name}"


def run(lab, message):
    """Start something that takes long, and be the page that asks for each step; give how many there were."""
    lab.receive(message)
    steps = 0
    while lab.view["next"]:
        lab.receive(lab.view["next"])
        steps += 1
    return steps


def test_long_work_goes_in_steps_and_stops(monkeypatch):
    monkeypatch.setattr(bug_lab, "STEP", 0)  # one kernel at a time
    lab = BugLab()
    lab.receive({"fill": True})
    assert (lab.view["doing"], lab.view["filled"]) == ("fill", 0)
    first = lab.view["next"]
    lab.receive(first)
    filled = lab.view["filled"]
    assert 0 < filled < lab.base_view["cells"]
    lab.receive(first)  # of another page that shows this: it has been done
    assert lab.view["filled"] == filled
    lab.receive({"stop": True})
    assert (lab.view["doing"], lab.view["next"], lab.view["filled"]) == ("", None, filled)
    assert (
        run(lab, {"fill": True}) == 88
    )  # goes on where it was: of 104 so many boot, of which one had, and then the end
    assert lab.view["filled"] == lab.base_view["cells"] == 104
    lab.tree = "fixed"
    assert lab.view["filled"] == 0  # that was another kernel
    lab.receive({"judge": True})
    lab.receive(lab.view["next"])
    assert (lab.view["doing"], lab.view["judged"], lab.view["findings"]) == ("judge", 1, [])
    lab.cpu = "cortex-a53"  # the same tree: it goes on
    lab.tree = "mm-unstable"
    assert (lab.view["next"], lab.view["judged"]) == (None, 0)


OWN = """\
def pud_free(k, mm, pud):
    if k.pgtable_l4_enabled():
        k.__pud_free(mm, pud)
"""


@pytest.mark.long
def test_patch_text_apply_judge_unpatch(few_kernels):
    lab = BugLab("arm64-for-next")
    assert lab.view["own"]["text"].startswith("def pud_free(k: Kernel, mm: MmStruct, pud: int)")  # the function to fix
    lab.receive({"own": OWN})
    assert lab.run.outcome == "report"  # not before it is applied
    lab.receive({"apply": True})
    assert (lab.run.outcome, lab.view["own"], lab.view["patched"]) == (
        "clean",
        {"text": OWN, "error": ""},
        [{"name": "pud_free", "as": "pud_free()"}],
    )
    assert "-    k.free_page(pud)" in lab.run_view["diff"].splitlines()
    assert "+        k.__pud_free(mm, pud)" in lab.run_view["diff"].splitlines()
    assert lab.view["on"] == []
    run(lab, {"judge": True})
    assert [finding[0] for finding in lab.view["findings"]] == 8 * ["✓"]
    run(lab, {"fill": True})
    assert set(lab.matrix.outcomes.values()) == {"clean", "no boot"}
    lab.receive({"unpatch": "pud_free"})
    assert (lab.run.outcome, lab.run_view["diff"], lab.matrix.outcomes) == ("report", "", {})
    assert lab.view["own"]["text"] == OWN  # to go on with


@pytest.mark.parametrize("name", BUGS)
def test_bug_bites_where_its_button_leads(name):
    lab = BugLab(name, "64k", 42, "a64fx")
    there = lab.view["where"]
    assert (there["send"] is None) == BUGS[name].shows(lab.boot) == (lab.run.outcome != "clean")
    if there["send"]:
        lab.receive(there["send"])
    assert lab.run.outcome != "clean"
    assert lab.view["where"]["send"] is None


def test_tree_is_looked_for_in_the_kernels_that_differ():
    lab = BugLab("arm64-for-next", "16k", 47)
    assert (lab.run.outcome, lab.view["where"]["send"]) == ("clean", {"bite": True})
    lab.receive({"bite": True})
    assert lab.run.outcome == "report"
    lab.tree = "fixed"
    lab.receive({"bite": True})
    assert lab.view["where"]["says"] == "It is clean in all 17 kernels that differ."
    assert lab.view["where"]["send"] is None
    lab.livepatch(p4d_clear=lambda k, p4dp: None)  # another kernel
    assert lab.view["where"]["send"] == {"bite": True} or lab.run.outcome != "clean"


def test_text_of_each_tree_is_kept():
    lab = BugLab()
    first = lab.view["own"]["text"]
    lab.receive({"own": OWN})
    lab.receive({"tree": "small-pgd"})
    assert lab.view["own"]["text"].startswith("def pgdir_is_page_size(")
    lab.receive({"own": ""})  # also that nothing is there
    lab.receive({"tree": "next-20240229"})
    assert lab.view["own"]["text"] == OWN != first
    lab.receive({"tree": "small-pgd"})
    assert lab.view["own"]["text"] == ""


@pytest.mark.long
def test_stages_say_how_they_stand():
    lab = BugLab("arm64-for-next")
    assert lab.view["stages"] == {
        "read": f"{len(lab.run.dmesg)} lines, 1 report, 1 diagnosis",
        "change": "nothing is patched",
        "judge": "not judged yet",
        "everywhere": "not run yet",
    }
    lab.apply(OWN)
    run(lab, {"judge": True})
    run(lab, {"fill": True})
    assert lab.view["stages"] == {
        "read": f"{len(lab.run.dmesg)} lines, no reports, no diagnoses",
        "change": "patched: pud_free()",
        "judge": "8 of 8 checks hold",
        "everywhere": "88 clean, 16 no boot",
    }


def test_picture_of_the_run():
    lab = BugLab()
    shapes = {shape["key"]: shape for shape in lab.view["picture"]["shapes"]}
    assert [shapes[f"change name {n}"]["text"] for n in (0, 1)] == ["fold-puds", "dump-folio"]
    assert shapes["outcome name"]["text"] == "panic"
    assert shapes["report 1"]["text"].startswith("Oops: Unable to handle kernel NULL pointer dereference")
    assert [shapes[f"level {name}"]["attributes"]["class"] for name in ("pgd", "p4d", "pud")] == [
        "level-0",
        "folded",
        "level-1",
    ]
    lab.receive({"fix": "fix-pud-free"})
    shapes = {shape["key"]: shape for shape in lab.view["picture"]["shapes"]}
    assert (shapes["change name 2"]["text"], shapes["outcome name"]["text"]) == ("pud_free() patched", "clean")
    assert "report 0" not in shapes


def test_edit_function_of_the_call_trace():
    lab = BugLab()
    lab.receive({"edit": "get_pfnblock_flags_mask"})
    source = lab.view["own"]["text"]
    assert source.startswith("def get_pfnblock_flags_mask(k: Kernel")
    lab.receive({"own": source.replace("return ", "return 0 and ", 1)})
    lab.receive({"apply": True})
    assert "0 and" in lab.run_view["diff"]
    assert lab.view["own"]["error"] == ""


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("def pud_free(k, mm, pud)", "line 1, `def pud_free(k, mm, pud)`: expected ':'"),
        ("def pud_fre(k, mm, pud): pass", "livepatch: this kernel has no function pud_fre; did you mean pud_free?"),
        ("def pud_free(mm, pud): pass", "the kernel calls pud_free(k, mm, pud), and the function in its place takes"),
        ("pud = 1", "line 1, `pud = 1`: neither a function nor an import; a patch is a kernel function"),
        ("", "the patch has no function; a patch is a kernel function, such as `def pud_free(k, mm, pud):`"),
    ],
)
def test_bad_patch_text_shows_error(typed, message):
    lab = BugLab("arm64-for-next")
    lab.receive({"own": typed})
    lab.receive({"apply": True})
    assert message in lab.view["own"]["error"]
    assert "failed" not in lab.view
    assert (lab.run.outcome, lab.view["patched"], lab.view["own"]["text"]) == ("report", [], typed)
    lab.receive({"own": OWN})
    lab.receive({"apply": True})
    assert lab.view["own"]["error"] == ""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "k.__pud_fre(mm, pud)",
            "line 2, `k.__pud_fre(mm, pud)`: AttributeError: this kernel has no symbol or constant",
        ),
        ("pass\n    while True: pass", "`pud_free()` was still busy in line 3, `while True: pass` after 0.2 seconds"),
    ],
)
# The alarm may ring within a callback of the garbage collector, as hypothesis has one, and be lost; it rings again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_stopped_patch_shows_error(body, message, monkeypatch):
    monkeypatch.setattr(kernel_run, "SECONDS", 0.2)
    lab = BugLab("arm64-for-next")
    lab.apply(f"def pud_free(k, mm, pud):\n    {body}")
    assert lab.run.outcome == "stopped"
    assert message in lab.view["own"]["error"]
    assert lab.run_view["rows"][0]["text"]  # the log as far as it went
    lab.unpatch("pud_free")
    assert (lab.run.outcome, lab.view["own"]["error"]) == ("report", "")


def test_previous_run_is_reused(monkeypatch):
    lab = BugLab(page_size="16k", va_bits=52)
    before = lab.run_view
    lab.cpu = "max,lpa2=off"
    monkeypatch.setattr(kernel_run.PatchRuns, "start_kernel", None)
    lab.cpu = "max"
    assert lab.run_view is before


def test_own_function_is_not_run_to_foresee_a_choice():
    lab, off = BugLab("arm64-for-next"), {"choose": {"cpu": "max,lpa2=off"}}
    assert lab.foresee(off)
    lab.receive({"own": OWN})
    lab.receive({"apply": True})
    assert lab.foresee(off) is None


def test_own_function_applied_again_runs_again():
    """What it refers to may have changed."""
    free = []

    def pud_free(k, mm, pud):
        if free:
            k.__pud_free(mm, pud)

    lab = BugLab("arm64-for-next")
    lab.livepatch(pud_free=pud_free)
    assert lab.run.lost
    free.append(True)
    lab.livepatch(pud_free=pud_free)
    assert not lab.run.lost


ENDLESS = "@(lambda f: [0 for _ in iter(int, 1) if 0])\ndef pud_free(k, mm, pud): pass"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (ENDLESS, "`pud_free()` was still busy"),
        ("def pud_free(k, mm, pud=exit(3)): pass", "`pud_free()` stopped"),
        ("import os\ndef pud_free(k, mm, pud=os._exit(3)): pass", "with exit status 3"),
    ],
)
def test_top_level_of_a_patch_is_limited_too(typed, message, monkeypatch):
    monkeypatch.setattr(kernel_run, "SECONDS", 0.3)
    lab = BugLab("arm64-for-next")
    lab.receive({"own": typed})
    lab.receive({"apply": True})
    assert message in lab.view["own"]["error"]
    assert (lab.run.outcome, lab.view["patched"]) == ("report", [])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import os; os._exit(3)", "`pud_free()` ended the process that it ran in, with exit status 3."),
        ("raise GeneratorExit", "`pud_free()` stopped in line 2, `raise GeneratorExit`: GeneratorExit"),
        ("bytearray(10**12)", "it ran out of memory"),
        ("k.run = None", "AttributeError: run of Kernel cannot be set from here"),
    ],
)
def test_patch_that_ends_its_process_is_told(body, message):
    lab = BugLab("arm64-for-next")
    lab.receive({"own": f"def pud_free(k, mm, pud):\n    {body}"})
    lab.receive({"apply": True})
    assert lab.run.outcome == "stopped"
    assert message in lab.view["own"]["error"]


def test_patch_that_sleeps_shows_that_it_runs_and_is_stopped_from_the_page(monkeypatch):
    monkeypatch.setattr(bug_lab, "PATIENCE", 0.05)
    lab = BugLab("arm64-for-next")
    lab.receive({"own": "def pud_free(k, mm, pud):\n    import time; time.sleep(1000)"})
    lab.receive({"apply": True})
    for _ in range(3):
        assert (lab.view["doing"], lab.view["outcome"]) == ("run", "arm64-for-next on max: running")
        lab.receive(lab.view["next"])
    lab.receive({"stop": True})
    assert (lab.view["doing"], lab.run.outcome) == ("", "stopped")
    assert "`pud_free()` was stopped" in lab.view["own"]["error"]
    lab.receive({"own": OWN})
    lab.receive({"apply": True})
    run(lab, lab.view["next"] or {"step": 0})
    assert lab.run.outcome == "clean"


def test_toggle_sends_little():
    lab = BugLab(page_size="16k", va_bits=52)
    before = lab.base_view
    lab.cpu = "max,lpa2=off"
    assert lab.base_view is before
    assert len(json.dumps(lab.view)) + len(json.dumps(lab.run_view)) < 40_000


@pytest.mark.long
def test_cell_is_loaded_or_says_why_it_does_not_boot():
    lab = BugLab()
    lab.receive({"cell": "16k/52/52/max"})
    assert (lab.boot.vabits_actual, lab.run.outcome) == (52, "panic")
    lab.receive({"cell": cell_key(lab.matrix.boots["16k/48/48/cortex-a72"])})
    assert "no 16K granule" in lab.text()
    assert lab.run_view["rows"] == []
    with pytest.raises(ValueError, match="no 16K granule"):
        lab.start_kernel()
    lab.apply(OWN)  # which is judged everywhere, whatever is chosen here
    run(lab, {"judge": True})
    assert lab.judge.result.passed
    assert lab.text() == lab.stuck
