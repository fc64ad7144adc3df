"""Chapters 9, 10a and 10b: what they say of the real log, checked against the log itself."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from pgtlab.lab import chapters
from pgtlab.lab.crash import BOOT, flags_after_cmp, story
from pgtlab.lab.question import Choice, draw
from pgtlab.lab.trees import Tree
from pgtlab.linux import oops

ROOT = Path(__file__).parents[2]
STEMS = ("09_who_owns_a_table", "10a_registers", "10b_the_log")
QUESTIONS = [name for stem in STEMS for name in chapters.names(stem)]
SEEDS = [str(seed) for seed in range(12)]
LOG = oops.read((ROOT / "tests/data/seed/next-20240229.log").read_text())
OOPS = LOG.reports[1]
X = OOPS.registers.values


RECALLED = [name for name in QUESTIONS if getattr(chapters.question(name, "")[1], "recall", False)]


def drawn(name, seed="0"):
    return draw(chapters.question(name, "")[1], seed)


@pytest.mark.parametrize("name", RECALLED)
def test_a_question_to_be_recalled_has_fresh_answers(name):
    assert len({(question.text, question.answer) for question in (drawn(name, seed) for seed in SEEDS)}) > 2


def test_each_number_of_the_registers_has_its_verdict():
    for line in chapters.log_lines().values():
        registers = re.findall(r"\bx\d+ ?: [0-9a-f]{16}", line.text)
        assert not registers or len(line.verdict) in (1, len(registers))


def test_a_link_of_the_chain_follows_from_each_line_of_evidence_and_from_no_other():
    lines = chapters.log_lines().values()
    assert [line.number for line in lines if bool(line.links) != ("evidence" in line.verdict)] == []
    events = draw(chapters.question("10b_the_log/chain_of_events", "")[1], "0").answer.right
    assert {link for line in lines for link in line.links} == {*range(1, len(events) + 1)}


@pytest.mark.parametrize(("before", "after"), [*pairwise(["vmemmap", "x1", "x4", "x5"])])
def test_a_step_does_not_print_the_answer_of_the_step_before(before, after):
    answer = drawn(f"10b_the_log/{before}_of_the_log").answer
    text = drawn(f"10b_the_log/{after}_of_the_log").text
    assert answer.show(answer.right) not in text
    assert "just computed" in text


# What the chapters say of the real log.


def test_the_copy_is_on_the_stack_above_twelve_saved_registers():
    assert X["x19"] == X["x20"] == X["x26"] == X["sp"] + 12 * 8
    assert X["x29"] == X["sp"]


def test_none_of_the_four_words_before_the_bracket_ran():
    assert [part.text for part in OOPS.code] == [
        "ubfiz x4, x4, #5, #7",
        "cmp x3, #0",
        "add x4, x3, x4",
        "csel x3, x4, x3, ne",
        "ldr x0, [x3, #8]",
    ]
    assert X["x4"] > 0x7F << 5, "ubfiz leaves no more than that, and add adds x3, which is 0"
    flags = OOPS.pstate_text[:4]
    assert flags == "nzCv" != flags_after_cmp(X["x3"], 0), "cmp would have set Z"
    assert "z" in flags, "not equal"
    assert X["x3"] != X["x4"], "csel would have copied x4"
    assert flags == flags_after_cmp(X["x4"], X["x0"])


def test_the_registers_that_the_model_does_not_know_hold_what_the_chapters_call_them():
    assert (X["x16"].to_bytes(8, "little"), X["x17"].to_bytes(8, "little")) == (b"0000000 ", b"index:0x")
    assert {X[f"x{n}"] for n in range(11, 16)} == {0x0720_0720_0720_0720}
    assert X["x0"] == story().kernel.NR_MEM_SECTIONS - 1


def test_what_each_fix_alone_leaves_of_the_log():
    only_first = Tree.named("next+fix-pud-free").start_kernel(BOOT).run()
    only_second = Tree.named("next+fix-dump-page").start_kernel(BOOT).run()
    assert len(only_first.dmesg) == 1
    assert [report.kind for report in only_second.reports] == ["Bad page state"]
    assert any("page does not match folio" in line for line in only_second.dmesg)


def test_no_chapter_prints_the_solution_of_exercise_3():
    for stem in STEMS:
        text = (ROOT / "notebooks" / f"{stem}.py").read_text()
        assert "__pud_free" not in text
        assert not re.search(r"pagetable_pud_dtor\(.*\n.*pagetable_free", text)


def test_the_right_choice_is_rarely_the_longest():
    answers = [drawn(name).answer for name in QUESTIONS]
    longest = [len(answer.right) > max(map(len, answer.others)) for answer in answers if isinstance(answer, Choice)]
    assert sum(longest) <= len(longest) / 3


def test_x1_looks_like_a_struct_page_and_is_none():
    memmap = range(story().kernel.VMEMMAP_START, story().kernel.VMEMMAP_END)
    assert [name for name, value in X.items() if value in memmap] == ["x1"]
    assert X["x1"] % 2 == 1


def test_the_last_line_of_the_log_comes_15_milliseconds_after_the_first():
    first, *_, last = (float(line[1:].partition("]")[0]) for line in LOG.text.splitlines())
    assert round((last - first) * 1000) == 15
