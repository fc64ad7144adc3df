"""Exams: the key follows from the paper by arithmetic that is written here once more, and a paper hides its answers."""

import re

import pytest

from pgtlab.lab.exam import exam
from pgtlab.lab.exam_log import BLANK, HIDDEN

SEEDS = range(5)
MASK64 = (1 << 64) - 1


def number(text, pattern):
    return int(re.search(pattern, text)[1], 16)


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def test_an_exam_that_was_printed_keeps_its_key():
    """The answers of seed 7 as they were in November 2026: an instructor has the paper, and asks for the key later."""
    assert [item.answer for item in exam(7).derive] == [
        "0x25", "0", "-0x62f000000000", "0xffffffe2b0000000", "0x15030c000", "0xffffffe2b15030c0", "0xfffffe00778890d6",
        "0x7fffff003bc44", "0x3fffff801de", "0xfffffdff",
    ]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_ten_values_follow_from_the_paper(seed):
    made = exam(seed)
    paper = made.paper()
    shift = int(re.search(r"pages of (\d+) KiB", paper)[1]).bit_length() + 9
    esr = number(paper, r"ESR = 0x([0-9a-f]+)")
    phys_offset = signed(number(paper, r"PHYS_OFFSET: 0x([0-9a-f]+)"))
    vmemmap = number(paper, r"VMEMMAP_START = `0x([0-9a-f]+)") - (phys_offset >> shift) * 64
    pfn = number(paper, r"pfn:0x([0-9a-f]+)")
    x20 = number(paper, r"sp : ([0-9a-f]+)") + number(paper, r"x20, which is sp \+ 0x([0-9a-f]+)")
    section_bits = int(re.search(r"a section has (\d+) MiB", paper)[1]).bit_length() - 1 + 20
    record = int(re.search(r"a struct mem_section (\d+)", paper)[1])
    x1 = (x20 - vmemmap >> 6) & MASK64
    x4 = x1 >> section_bits - shift
    mapcount = int(re.search(r"mapcount:(-\d+)", paper)[1])
    assert [item.answer for item in made.derive] == [
        f"{esr >> 26:#x}",
        f"{esr & 3}",
        f"-{-phys_offset:#x}",
        f"{vmemmap:#x}",
        f"{pfn << shift:#x}",
        f"{vmemmap + 64 * pfn:#x}",
        f"{x1:#x}",
        f"{x4:#x}",
        f"{x4 // ((1 << shift) // record):#x}",
        f"{mapcount - 1 & 0xFFFF_FFFF:#010x}",
    ]


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_the_paper_does_not_show_what_is_asked_for(seed):
    made = exam(seed)
    paper = made.paper()
    for name in HIDDEN:
        assert not re.search(rf"\b(0x0*)?{made.crash[name]:x}\b", paper), name
    assert paper.count(BLANK) == len(HIDDEN)
    assert all(item.answer not in paper for item in made.derive if len(item.answer) > 12)


def test_what_if_is_answered_by_running():
    answers = [item.answer for item in exam(7).counterfactual]
    assert answers[:3] == ["clean", "report", "0"]
    assert answers[4] == "0x8"


@pytest.mark.long
def test_seeds_give_other_exams_and_the_same_seed_the_same():
    assert len({exam(seed).paper() for seed in SEEDS}) == len(SEEDS)
    assert exam("a class").key() == exam("a class").key()
    assert {exam(seed).boot.config.granule.name for seed in SEEDS} == {"4K", "16K"}


def test_the_key_names_the_function_of_the_case_and_the_paper_does_not():
    made = exam(3)
    functions = made.transfer._bug.commit.functions
    assert all(f"`{name}()`" in made.key() for name in functions)
    assert not any(f"{name}()" in made.paper() for name in functions)
