"""Quiz mode of the views: what is hidden, what is shown after an answer, and what a course can record."""

import json

import pytest
from pgtlab_widgets import Explorer, FoldLab, PageInspector, WalkStepper

from pgtlab.arch.fault import Fault
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab.lab.fill_in import Filled

LIFE = ("alloc_pages(0)", "pagetable_pud_ctor(page)", "__free_pages(page, 0)")


def send(view, **message):
    view._on_message(view, message, [])
    assert "failed" not in view.view, view.view["failed"]


def solve(view):
    """Answer everything right; give the keys in the order in which they were asked."""
    asked = []
    while (blank := view._quiz.current) is not None:
        asked.append(blank.key)
        view.say(blank.right.split(" (")[0])
    return asked


def everything(view):
    """All that the browser gets, as text."""
    return json.dumps([view.view, view.base_view]) + view.text() + str(view._repr_mimebundle_()[0])


def test_explorer_hides_what_it_asks():
    explorer = Explorer("4k", 48, quiz=True)
    assert (explorer.view["why"], explorer.view["changes"]["groups"], explorer.view["pinned"]) == ([], [], None)
    assert "vabits" not in everything(explorer)
    assert explorer.view["quiz"]["ask"] == "Which register has the first table?"
    asked = solve(explorer)
    assert asked == ["ttbr", "start", "level 0", "level 1", "level 2", "level 3", "offset"]
    assert explorer.view["quiz"]["summary"] == "All 7 values are there: 7 right at once."
    assert explorer.view["why"] != []
    assert explorer.svg() == Explorer("4k", 48, address=explorer.address).svg()


def test_answers_can_be_observed():
    explorer, recorded = Explorer("4k", 48, address=0xFFFF_F6C9_A513_3456, quiz=True), []
    explorer.observe(lambda change: recorded.append(change["new"]), "quiz_answers")
    send(explorer, say="TTBR1_EL1", blank="ttbr")
    send(explorer, say="0", blank="start")
    send(explorer, say="0xed", blank="level 0")
    assert "one bit fewer" in explorer.view["quiz"]["feedback"]
    send(explorer, unknown=True, blank="level 0")
    assert len(recorded) == 4
    assert recorded[-1]["level 0"] == Filled(
        "level 0", "Which entry does the address choose at level 0?", "0x1ed (493)", ("0xed (237)",), "unknown"
    )


def test_answer_to_an_older_question_is_dropped():
    explorer = Explorer("4k", 48, quiz=True)
    send(explorer, say="TTBR0_EL1", blank="ttbr")
    send(explorer, say="TTBR0_EL1", blank="ttbr")
    assert explorer.quiz_answers["start"].said == ()


def test_another_address_and_another_kernel_ask_again():
    explorer = Explorer("4k", 48, quiz=True)
    before = explorer.address
    solve(explorer)
    send(explorer, another=True)
    assert explorer.address != before
    assert explorer.hidden
    explorer.choose(page_size="16k", va_bits=52, cpu="max,lpa2=off")
    assert "pud" in explorer.quiz_answers
    explorer.cpu = "cortex-a72"  # which has no 16K granule
    assert explorer.view["quiz"] is None


@pytest.mark.parametrize(
    ("make", "secret"),
    [
        (lambda: Explorer("16k", 52, "max,lpa2=off"), "47 bits in use"),
        (WalkStepper, "Normal WB RWA"),
        (FoldLab, "52 bits in use"),
    ],
)
def test_quiz_is_switched_on_and_off(make, secret):
    view = make()
    assert secret in everything(view)
    before = view.view["picture"] if "picture" in view.view else view.base_view["picture"]
    view.quiz = True
    assert secret not in json.dumps([view.view, view.base_view])
    view.quiz = False
    assert view.quiz_answers == {}
    assert secret in everything(view)
    assert (view.view["picture"] if "picture" in view.view else view.base_view["picture"])["title"] == before["title"]


def test_stepper_takes_a_step_for_each_index():
    stepper = WalkStepper(quiz=True)
    assert stepper.step == 0
    outcome = f"{stepper.walk.outcome.pa:#x}"
    page = f"{stepper.walk.steps[-1].descriptor.oa:#x}"
    send(stepper, step=5)
    assert stepper.step == 0  # nothing can be seen before it is known
    steps = []
    while (blank := stepper._quiz.current) is not None:
        if blank.key != "outcome":
            assert outcome not in everything(stepper)
        if blank.key.startswith("level"):
            assert page not in everything(stepper)
        steps.append((blank.key, stepper.step))
        stepper.say(blank.right.split(" (")[0])
    assert steps == [
        *(("ttbr", 0), ("level 0", 0), ("entry 1", 1), ("level 1", 1), ("entry 2", 2), ("level 2", 2), ("entry 3", 3)),
        *(("level 3", 3), ("kind", 4), ("entry 4", 4), ("outcome", 4)),
    ]
    assert outcome in stepper.text()
    assert stepper.view["word"] is not None


def test_stepper_asks_about_faults_too():
    stepper = WalkStepper(quiz=True)
    send(stepper, another=True)
    assert isinstance(stepper.walk.outcome, Fault)
    assert "level 0" not in stepper.view["status"]
    assert solve(stepper)[-2:] == ["kind", "outcome"]
    assert stepper.quiz_answers["kind"].right == "invalid"


def test_stepper_needs_to_know_the_kernel():
    with pytest.raises(ValueError, match="a quiz needs tables of a known kernel"):
        WalkStepper(Mapper.in_ram(TCR_EL1(T0SZ=25)).mmu, quiz=True)


def test_fold_lab_shows_a_cell_when_it_is_filled_in():
    lab = FoldLab(page_size="16k", cpu="max,lpa2=off", quiz=True)
    assert "folded at run time" not in lab.text()
    assert "47 bits in use" not in everything(lab)
    assert solve(lab) == ["boots", "bits", "pgd", "p4d", "pud", "pmd"]
    assert "47 bits in use" in lab.text()
    shown = [shape["hint"] for shape in lab.base_view["picture"]["shapes"] if "in use" in shape.get("hint", "")]
    assert len(shown) == 1
    send(lab, cell="16k/48/48/cortex-a72")
    assert solve(lab) == ["boots"]
    assert "does not boot" in json.dumps(lab.base_view)
    send(lab, cell="16k/52/52/max,lpa2=off")
    assert lab.view["quiz"] is None  # it was filled in


def test_fold_lab_names_the_misconception():
    lab = FoldLab(page_size="16k", cpu="max,lpa2=off", quiz=True)
    for text in ("yes", "52", "47", "folded at run time"):
        lab.say(text)
    assert "the pgd itself never folds" in lab.view["quiz"]["feedback"]
    assert lab.quiz_answers["bits"].said == ("52", "47")


def test_inspector_asks_what_a_call_changed():
    inspector = PageInspector(quiz=True)
    assert inspector.view["quiz"] is None
    inspector.do(LIFE[0])
    assert solve(inspector) == ["page_type", "_mapcount", "_refcount"]
    inspector.do(LIFE[1])
    assert "fffffdff" not in everything(inspector)
    with pytest.raises(ValueError, match="first fill in what the last call changed"):
        inspector.do(LIFE[2])
    inspector.say("0x200")
    assert "a type clears its own" in inspector.view["quiz"]["feedback"]
    inspector.say("0xfffffdff")
    assert "-513" not in everything(inspector)  # the bytes are shown, and ask to be read
    inspector.say("-513")
    inspector.do(LIFE[2])
    assert "mapcount:" not in everything(inspector)
    assert solve(inspector)[-1] == "printed"
    assert "mapcount:-512" in inspector.text()


def test_history_of_the_inspector_asks_nothing():
    inspector = PageInspector(quiz=True)
    inspector.do(LIFE[0])
    inspector.go(0)
    assert inspector.view["quiz"] is None
    assert inspector.hidden == set()
