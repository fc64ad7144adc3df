"""The values that a quiz hides: right by the model, and asked step by step."""

import pytest

from pgtlab.lab.answers import Choice
from pgtlab.lab.blanks import (
    address_blanks,
    entries_known,
    fold_blanks,
    page_blanks,
    step_reached,
    walk_blanks,
)
from pgtlab.lab.fill_in import Blank, FillIn, Index
from pgtlab.lab.hidden_address import hidden_address
from pgtlab.lab.matrix import boots
from pgtlab.lab.tables_to_walk import drawn_process
from pgtlab.lab.variants import addresses, distinct_boots
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config

FALLBACK = boot(Config("16k", 52), CPU.named("max,lpa2=off"))


def consistent(blank):
    """A right answer is right, and no remark is about it; a choice has a remark only for what can be chosen."""
    assert blank.answer.read(blank.right.split(" (")[0] if isinstance(blank.answer, Index) else blank.right) == (
        blank.answer.right
    )
    assert blank.answer.right not in blank.wrong
    if isinstance(blank.answer, Choice):
        assert set(blank.wrong) <= set(blank.answer.others)
    for step in blank.steps:
        consistent(step)


@pytest.mark.parametrize("booted", distinct_boots(), ids=repr)
def test_blanks_of_an_address(booted):
    for va in addresses(booted, "quiz"):
        blanks = {blank.key: blank for blank in address_blanks(va, booted)}
        for blank in blanks.values():
            consistent(blank)
        d = decompose(va, booted)
        assert [blanks[f"level {level.level}"].answer.value for level in d.hardware] == [h.index for h in d.hardware]
        assert blanks["offset"].answer.value == d.offset
        assert blanks["ttbr"].answer.right == d.ttbr


def test_linux_is_asked_where_it_differs():
    keys = [blank.key for blank in address_blanks(0, FALLBACK)]
    assert keys == ["ttbr", "start", "level 1", "level 2", "level 3", "offset", "pgd", "pud"]
    assert "pgd" not in [blank.key for blank in address_blanks(0, boot(Config("4k", 48), CPU.named("max")))]


@pytest.mark.parametrize("booted", distinct_boots(), ids=repr)
def test_blanks_of_a_walk(booted):
    for number in range(1, 9):
        space, trial = drawn_process(booted, number)
        walk = space.translate(trial.va, trial.access, trial.el)
        blanks = walk_blanks(walk, booted)
        for blank in blanks:
            consistent(blank)
        hidden = {blank.key for blank in blanks}
        assert (step_reached(walk, hidden), entries_known(walk, hidden)) == (0, -1)
        order = []
        for blank in blanks:
            hidden -= {blank.key}
            order.append((step_reached(walk, hidden), entries_known(walk, hidden)))
        assert order == sorted(order)  # nothing known is hidden again
        assert all(known <= step for step, known in order)  # no entry is understood before it is read
        assert order[-1] == (len(walk.steps), len(walk.steps))


def test_every_kind_of_walk_is_drawn():
    booted = boot(Config("4k", 48), CPU.named("max"))
    ends = set()
    for number in range(1, 9):
        space, trial = drawn_process(booted, number)
        ends.add(str(space.translate(trial.va, trial.access, trial.el).outcome).partition(" ")[0:1][0])
    assert ends == {"PA", "level"}


def test_blanks_of_every_cell():
    for booted in boots():
        for blank in fold_blanks(booted):
            consistent(blank)
    assert [blank.key for blank in fold_blanks(boot(Config("16k"), CPU.named("cortex-a72")))] == ["boots"]


def test_blanks_of_a_page():
    free, table = (
        {"page_type": word, "_mapcount": word - (1 << 32), "_refcount": 1} for word in (0xFFFFFFFF, 0xFFFFFDFF)
    )
    blanks = page_blanks(free, table, None, "pagetable_pud_ctor(page)")
    assert [(blank.key, blank.answer.value) for blank in blanks] == [("page_type", 0xFFFFFDFF), ("_mapcount", -513)]
    (printed,) = page_blanks(table, table, -512, "dump_page(page, NULL)")
    assert printed.answer.value == -512
    assert "what is stored" in printed.wrong[-513]
    for blank in (*blanks, printed, *page_blanks(table, free, None, "pagetable_pud_dtor(page)")):
        consistent(blank)


def test_unexplained_answer_leads_to_a_step_once():
    step = Blank("bits", "How many bits?", Index(9), {12: "An entry has 8 bytes."})
    quiz = FillIn([Blank("index", "Which entry?", Index(42), {7: "That is another level."}, (step,))])
    quiz.say("7")
    assert (quiz.feedback, quiz.current.key) == ("That is another level.", "index")
    quiz.say("8")
    assert (quiz.feedback, quiz.current.key) == ("8 is not right. One step before it:", "bits")
    quiz.say("12")
    assert quiz.feedback == "An entry has 8 bytes."
    quiz.say("0x9")
    assert (quiz.feedback, quiz.good, quiz.current.key) == ("Right: 9.", True, "index")
    quiz.say("8")
    assert "Try again" in quiz.feedback
    quiz.say("forty")
    assert "not a number" in quiz.error
    assert quiz.answers["index"].said == ("7", "8", "8")
    quiz.say("0x2a")
    assert quiz.current is None
    assert quiz.answers["index"].verdict == quiz.answers["bits"].verdict == "right"
    assert quiz.summary() == "All 1 values are there: 0 right at once, 1 later."


def test_not_knowing_tells():
    quiz = FillIn([Blank("a", "?", Index(42)), Blank("b", "?", Index(1))])
    quiz.unknown()
    assert quiz.feedback == "It is 0x2a (42)."
    assert quiz.hidden == {"b"}
    assert quiz.answers["a"].verdict == "unknown"
    quiz.say("1")
    assert quiz.summary() == "All 2 values are there: 1 right at once, 1 told."


@pytest.mark.parametrize("booted", distinct_boots(), ids=repr)
def test_hidden_picture_says_nothing_of_hidden_fields(booted):
    d = decompose(addresses(booted, "hidden")[1], booted)
    keys = [blank.key for blank in address_blanks(d.va, booted)]
    nothing = hidden_address(d, keys)
    assert not any(shape.key.startswith(("mmu-", "linux-", "note-", "frame-", "range-")) for shape in nothing.shapes)
    assert not any("level" in shape.attributes["class"] for shape in nothing.shapes)
    assert "level" not in nothing.title + nothing.description + "".join(shape.hint for shape in nothing.shapes)
    last = keys.index(f"level {booted.start_level}") + 1
    first = {shape.key for shape in hidden_address(d, keys[last:]).shapes}
    assert f"mmu-level {booted.start_level}" in first
    assert f"mmu-level {booted.start_level + 1}" not in first
