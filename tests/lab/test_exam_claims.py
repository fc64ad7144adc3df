"""The third part of an exam: claims that are true, false, or not decidable, each about one idea of the course."""

import re
from collections import Counter, defaultdict
from random import Random

import pytest

from pgtlab.lab.chapters import misconceptions
from pgtlab.lab.course_data import data
from pgtlab.lab.crash import story
from pgtlab.lab.crash_code import code_line, instructions
from pgtlab.lab.exam import exam
from pgtlab.lab.exam_claims import verdict
from pgtlab.lab.exam_families import FAMILIES
from pgtlab.lab.exam_worlds import same_log
from pgtlab.linux.oops import read

SEEDS = (1, 4, 5)  # each kernel of the exams once
GIB = 1 << 30


@pytest.fixture(scope="module", params=SEEDS)
def made(request):
    return exam(request.param)


@pytest.fixture(scope="module")
def drafts(made):
    """Every sentence of every family, with its verdict."""
    worlds = made.crash, same_log(made.crash)
    return [
        (family.__name__, draft, verdict(draft, worlds)) for family in FAMILIES for draft in family(made.log, Random(0))
    ]


def test_the_seeds_have_the_three_kernels():
    kernels = {(made.boot.config.page_size_name, made.boot.vabits_actual) for made in map(exam, SEEDS)}
    assert kernels == {("4k", 48), ("16k", 48), ("16k", 52)}


def test_two_machines_print_the_same_log_and_differ_in_what_it_does_not_show(made):
    other = same_log(made.crash)
    assert other.run.dmesg == made.crash.run.dmesg
    assert other.placement.ram_size(other.boot) > made.crash.placement.ram_size(made.boot)
    assert other.boot.cpu != made.boot.cpu
    assert other.tree.functions["pud_free"] is not made.crash.tree.functions["pud_free"]


def test_twenty_claims_a_third_of_each_kind_with_lines_that_exist(made):
    assert Counter(claim.verdict for claim in made.decide) == {"true": 7, "false": 7, "not decidable": 6}
    assert len({claim.text for claim in made.decide}) == 20
    for claim in made.decide:
        assert bool(claim.lines) == (claim.verdict != "not decidable"), claim.text
        assert all(1 <= line <= len(made.lines) for line in claim.lines)


def test_each_claim_has_an_idea_that_leads_astray(drafts):
    assert {draft.misconception for _, draft, _ in drafts} <= {*misconceptions()}


def test_a_sentence_does_not_show_its_verdict(drafts):
    """A family that the log decides has a true sentence and a false one, so that knowing the topic does not help."""
    said = defaultdict(set)
    for family, _, decided in drafts:
        said[family].add(decided)
    for family, verdicts in said.items():
        assert verdicts == {"true", "false"} or len(verdicts) == 1, family
    alone = {family: verdicts for family, verdicts in said.items() if verdicts != {"true", "false"}}
    assert {family for family, verdicts in alone.items() if verdicts != {"not decidable"}} == {"ram_above"}


def test_what_is_not_decidable_is_decided_by_the_machine_and_not_by_its_log(made, drafts):
    """Asked of one machine alone, every sentence but one is true or false."""
    open_ones = {family: draft for family, draft, decided in drafts if decided == "not decidable"}
    assert len(open_ones) >= 6
    alone = {family: verdict(draft, [made.crash]) for family, draft in open_ones.items()}
    assert {family for family, decided in alone.items() if decided == "not decidable"} == {"which_comparison"}


def test_verdicts_follow_from_the_paper_by_arithmetic(made, drafts):
    """Numbers in sentences, judged by what the paper prints, with the rules of the course written here once more."""
    paper = made.paper()

    def number(pattern, base=16):
        return int(re.search(pattern, paper)[1], base)

    shift = number(r"pages of (\d+) KiB", 10).bit_length() + 9
    frame = number(r"pfn:0x([0-9a-f]+)") << shift
    phys_offset = number(r"PHYS_OFFSET: 0x([0-9a-f]+)") - (1 << 64)
    linear = number(r"PAGE_OFFSET = `0x([0-9a-f]+)") + frame - phys_offset & (1 << 64) - 1
    esr = number(r"ESR = 0x([0-9a-f]+)")
    largest = number(r"x0 : ([0-9a-f]+)")
    x17 = number(r"x17: ([0-9a-f]+)").to_bytes(8, "little").decode()
    rules = {
        "stored_word": lambda text: "one is 0" in text,  # 0xfffffdff
        "another_type": lambda text: (
            int(re.search(r"mapcount:(-\d+)", text)[1]) == -int(re.search(r"bit is (0x\w+)", text)[1], 16)
        ),
        "in_the_linear_map": lambda text: int(re.search(r"`(0x\w+)`", text)[1], 16) == linear,
        "ram_above": lambda text: frame >= int(re.search(r"(\d+) GiB", text)[1]) * GIB,
        "other_access": lambda text: (
            int(re.search(r"ESR = (0x\w+)", text)[1], 16) == (esr | 1 << 6 if "a write" in text else esr & ~(1 << 26))
        ),
        "meaning_of_x0": lambda text: (
            "largest number that a section" in text and largest + 1 == 1 << largest.bit_length()
        ),
        "left_over": lambda text: f"`{x17}`" in text,
        "return_address": lambda text: "`dump_page`" in text,
        "whose_frame": lambda text: f"`{re.search('lr : (.*)', paper)[1]}`" in text,
        "result_of_comparison": lambda text: "(nzCv" in paper and "larger" in text,
    }
    judged = 0
    for family, draft, decided in drafts:
        if rule := rules.get(family):
            assert decided == ("true" if rule(draft.text) else "false"), draft.text
            judged += 1
    assert judged >= 20


def test_the_instructions_are_those_of_the_real_log():
    """The words by the kernel's sizes, and what they say by the reader of logs."""
    real = data("next-20240229.log").read_text()
    assert code_line(story().kernel) in real
    for mine, read_word in zip(instructions(story().kernel), read(real).reports[1].code, strict=True):
        assert (mine.word, mine.text) == (read_word.word, read_word.text)
