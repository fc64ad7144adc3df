"""What a cell and a page do to views at the same time: one after the other, and the page has what the view has."""

from __future__ import annotations

import json
from threading import Event, Thread

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
from pgtlab_widgets.question_view import QuestionView

from pgtlab.lab import progress
from pgtlab.lab.answers import Number
from pgtlab.lab.progress import FILE, Answered, Progress
from pgtlab.lab.question import Question

A_MOMENT = 0.05  # seconds: the other thread would be done by then
OFF = {"choose": {"cpu": "max,lpa2=off"}}


def question():
    return QuestionView("a/levels", lambda draw: Question("How many levels?", Number(4), "It is **4**."))


#: A view, what a cell does to it, and what the page sends meanwhile.
AT_ONCE = {
    "explorer, a trait": (lambda: Explorer("16k", 52), lambda view: setattr(view, "address", "0x1000"), OFF),
    "explorer, traits": (lambda: Explorer("16k", 52), lambda view: view.choose(page_size="4k"), {"flip": "20"}),
    "explorer, pinned": (lambda: Explorer("16k", 52), lambda view: view.pin(), OFF),
    "explorer, share": (Explorer, lambda view: view.load("pgtlab://16k/52/lpa2/VMEMMAP_START"), {"flip": "20"}),
    "stepper": (WalkStepper, lambda view: view.edit(view.edits[0]), {"step": 2}),
    "map": (TableMap, lambda view: view.go("0x1000"), OFF),
    "fold lab": (FoldLab, lambda view: view.choose(page_size="64k"), {"cell": "16k/52/52/max,lpa2=off"}),
    "inspector": (PageInspector, lambda view: view.do("alloc_pages(0)"), OFF),
    "bug lab": (BugLab, lambda view: setattr(view, "tree", "small-pgd"), OFF),
    "oops reader": (OopsReader, lambda view: view.read("no report"), {"sample": "A bad page, and no panic"}),
    "bisection": (BisectionView, lambda view: setattr(view, "bad", "REPORTS"), {"next": True}),
    "TLB": (TLBView, lambda view: setattr(view, "access", 34), {"by": 1}),
    "question": (question, lambda view: view.answer("3"), {"again": True}),
}


@pytest.mark.parametrize(("make", "cell", "message"), AT_ONCE.values(), ids=AT_ONCE.keys())
def test_click_waits_until_a_cell_is_done_with_the_view(make, cell, message, monkeypatch):
    view, handled, waited = make(), Event(), []
    states, before = [], view.number
    monkeypatch.setattr(view, "send", states.append)

    def click():
        data = {"method": "custom", "content": {**message, "sent": ["page", 1]}}
        view._handle_msg({"content": {"data": data}, "buffers": []})
        handled.set()

    page, drawn = Thread(target=click), type(view).drawn

    def drawn_meanwhile(self):
        if not waited:
            waited.append(True)
            page.start()
            waited.append(not handled.wait(A_MOMENT))
        return drawn(self)

    monkeypatch.setattr(type(view), "drawn", drawn_meanwhile)
    cell(view)
    page.join()
    assert waited == [True, True], "the cell draws, and the click waits"
    numbers = [state["number"] for state in states]
    assert numbers == [*range(before + 1, view.number + 1)], "each state once, in order"
    assert states[-1]["answers"] == ["page", 1]
    assert view._sent == view.parts
    monkeypatch.undo()
    shown = json.dumps(view.view)
    view.draw()
    assert json.dumps(view.view) == shown, "what is shown is what was chosen last"


def test_views_that_draw_each_other_do_not_wait_for_each_other():
    """Two threads, each of which holds one of two views and draws the other."""
    first, second, begun = Explorer(), Explorer(), Event()
    followers = FoldLab(first, second), FoldLab(second, first)
    booted = first.booted

    def booted_meanwhile(before):
        if not begun.is_set():
            begun.set()
            other.start()
            other.join(A_MOMENT)
        booted(before)

    first.booted = booted_meanwhile
    other = Thread(target=followers[1].receive, args=({"cell": "64k/52/52/max"},), daemon=True)
    followers[0].receive({"cell": "16k/52/52/max"})
    other.join(10)
    assert not other.is_alive()
    assert first.config == second.config


def test_answer_and_score_at_once_are_both_written(tmp_path, monkeypatch):
    kept, begun = Progress(tmp_path / FILE), Event()
    cell = Thread(target=Progress(tmp_path / FILE).add_exercise, args=("walk", 1.0))
    write_file = progress.write_file

    def write_meanwhile(*args, **named):
        if not begun.is_set():
            begun.set()
            cell.start()
            cell.join(A_MOMENT)
        write_file(*args, **named)

    monkeypatch.setattr(progress, "write_file", write_meanwhile)
    kept.add(Answered("a/one", "a", "seed", "right", "4"))
    cell.join()
    kept.read()
    assert (len(kept.answers), kept.exercises) == (1, {"walk": 1.0})
