"""What a page gets of a view: differences, the whole if it missed one, and answers before they are asked for."""

import json

import pytest
from pgtlab_widgets import (
    BisectionView,
    BugLab,
    Explorer,
    FoldLab,
    OopsReader,
    PageInspector,
    TableMap,
    TLBView,
    WalkStepper,
)
from pgtlab_widgets.view import module

from tests.widgets.test_module import imported, run

OFF = {"choose": {"cpu": "max,lpa2=off"}}
MESSAGES = [
    (lambda: Explorer("16k", 52), [OFF, {"flip": "20"}, {"explain": "offset"}, {"address": "no"}, {"pin": True}]),
    (lambda: WalkStepper(page_size="16k", va_bits=52), [{"step": 2}, OFF, {"step": 1}, {"access": "WRITE"}]),
    (lambda: TableMap(page_size="4k", va_bits=52), [OFF, {"region": "linear map"}]),
    (
        PageInspector,
        [{"do": "alloc_pages(0)"}, {"do": "dump_page(page, NULL)"}, {"go": 1}, OFF, {"no such": "message"}],
    ),
    (lambda: PageInspector(quiz=True), [{"do": "alloc_pages(0)"}, {"do": "dump_page(page, NULL)"}, {"go": 0}]),
    (BugLab, [{"chosen": "claim 1"}, OFF, {"fix": "fix-pud-free"}]),
    (OopsReader, [{"chosen": "line 7"}, {"sample": "A bad page, and no panic"}, {"log": "no report"}]),
    (BisectionView, [{"next": True}, {"bad": "REPORTS"}, OFF]),
    (FoldLab, [{"cell": "16k/52/52/max,lpa2=off"}]),
    (TLBView, [{"access": 34}, {"access": "5"}, {"choose": {"policy": "random"}}, {"part": "costs"}]),
]
IDS = [getattr(make, "__name__", f"{n}") for n, (make, _) in enumerate(MESSAGES)]


@pytest.fixture
def sent():
    """Everything that a view sends from now on, as JSON."""

    def sent(view):
        messages = []
        view.comm.publish_msg = lambda kind, data=None, **others: messages.append(json.loads(json.dumps(data)))
        return messages

    return sent


@pytest.mark.parametrize(("make", "messages"), MESSAGES, ids=IDS)
def test_page_that_follows_has_the_whole(make, messages, sent):
    view = make()
    begin = view.get_state(["number", *view.parts])
    outbox = sent(view)
    for n, message in enumerate(messages):
        view._handle_custom_msg({**message, "sent": ["page", n]}, [])
    assert [message["content"]["answers"][1] for message in outbox] == [*range(len(messages))], "one answer to each"
    state = run(
        f"const {{ default: {{ initialize }} }} = {imported(module('fold_lab'))};"
        f"const state = {json.dumps(begin)};"
        "let listen;"
        "initialize({ model: { get: (name) => state[name], set: (name, value) => (state[name] = value),"
        " on: (_, listener) => (listen = listener), send: (message) => { throw message; } } });"
        f"for (const {{ content }} of {json.dumps(outbox)}) listen(content);"
        "console.log(JSON.stringify(state))"
    )
    followed = json.loads(state)
    assert followed.pop("number") == view.number
    now = view.get_state(list(view.parts))
    assert {name: json.loads(text) for name, text in followed.items()} == {
        name: json.loads(text) for name, text in now.items()
    }


@pytest.mark.parametrize(("make", "messages"), MESSAGES, ids=IDS)
def test_what_is_foreseen_happens(make, messages, sent):
    view = make()
    outbox = sent(view)
    for message in messages:
        before = view.get_state()
        foreseen = view.foresee(message)
        assert view.get_state() == before
        assert not outbox, "what is foreseen is not sent by itself"
        view._handle_custom_msg({**message, "sent": ["page", 1]}, [])
        answer = outbox.pop()["content"]
        assert foreseen is None or json.loads(json.dumps(foreseen)) == answer["changes"]
        assert (foreseen is not None) <= (next(iter(message)) in view.foresees)


def test_every_view_with_toggles_foresees_them():
    for view in (Explorer(), WalkStepper(), TableMap(), PageInspector(), BugLab(), BisectionView()):
        assert view.foresee(OFF)


def test_foreseen_choice_of_the_fold_lab_stays_in_it():
    explorer = Explorer()
    lab = FoldLab(explorer)
    assert lab.foresee({"cell": "16k/52/52/max"})
    assert explorer.page_size == "4k"


def test_toggle_sends_a_part_of_the_state(sent):
    view = Explorer("16k", 52)
    outbox = sent(view)
    view.receive(OFF)
    assert len(json.dumps(outbox)) < len(view.get_state("view")["view"]) / 2


def test_page_asks_ahead_and_for_the_whole(sent):
    view = Explorer("16k", 52)
    outbox = sent(view)
    texts = [json.dumps(OFF), json.dumps({"choose": {"page_size": "2k"}}), json.dumps({"pin": True})]
    view._handle_custom_msg({"foresee": texts}, [])
    answer = outbox.pop()["content"]
    assert [bool(answer["foreseen"][text]) for text in texts] == [True, False, False]
    assert view.boot.vabits_actual == 52
    view._handle_custom_msg({"whole": True}, [])
    assert json.loads(outbox.pop()["state"]["view"]) == json.loads(json.dumps(view.view))
