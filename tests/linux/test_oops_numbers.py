"""The numbers of a log: on the story's log as it was posted, and on logs that testers posted."""

import re
from pathlib import Path

import pytest

from pgtlab.linux.oops import OopsError, read
from pgtlab.linux.oops.showing.annotate import annotate, explanations, numbers_in

DATA = Path(__file__).parents[1] / "data"
STORY = (DATA / "seed" / "next-20240229.log").read_text()
POSTED = sorted((DATA / "oops" / "syzkaller").glob("*.log"))


@pytest.fixture(scope="module")
def story():
    return {str(number): (number, known) for number, known in explanations(annotate(read(STORY))).items()}


def name_of(story, register):
    return next(name for name in story if name.startswith(f"{register} "))


def test_x1_is_page_to_pfn_of_a_page_on_the_stack(story):
    number, known = story[name_of(story, "x1")]
    assert known.steps[0].startswith("x1 = (x19 = x20 = x26 - vmemmap) >> 6: (0x")
    assert {one.name for one in known.inputs} == {"x19", "x20", "x26"}
    page, vmemmap, pfn = (int(word, 16) for word in re.findall("0x[0-9a-f]+", known.steps[0]))
    assert page == story[name_of(story, "x20")][0].value
    assert pfn == number.value == ((page - vmemmap) >> 6) % (1 << 64)  # signed in C
    assert any("no RAM has" in claim.text for claim in known.claims)


def test_the_section_follows_from_the_frame(story):
    assert re.match(r"x\d+ = x1 >> \d+: ", story[name_of(story, "x4")][1].steps[0])
    assert story[name_of(story, "x4")][1].inputs == (story[name_of(story, "x1")][0],)


def test_a_map_count_is_the_page_type_plus_one(story):
    assert any("_mapcount = -513 = 0xfffffdff" in step for step in story["mapcount -512"][1].steps)


def test_a_field_of_the_syndrome_has_its_bits_and_comes_from_the_esr(story):
    known = story["EC 0x25"][1]
    assert known.steps == ("EC = ESR_EL1[31:26] = 0x25: Data Abort taken without a change in Exception level",)
    assert {one.value for one in known.inputs} == {0x96000004}
    assert story["FSC 0x04"][1].steps == ("DFSC = ESR_EL1[5:0] = 0x4: Translation fault, level 0",)
    assert story["WnR 0"][1].steps == ("WnR = ESR_EL1[6] = 0x0: Abort caused by reading from memory",)


@pytest.mark.parametrize("path", POSTED, ids=lambda path: path.stem)
def test_explanations_contain_their_number(path):
    try:
        annotated = annotate(read(path.read_text()))
    except OopsError:
        return
    for number, known in explanations(annotated).items():
        assert annotated.lines[number.line - 1][number.start : number.end] == number.text
        first = {one.value for one in numbers_in(0, known.steps[0])}
        assert number.value in first or f"= {number.value:#x}" in known.steps[0]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("x2 : 0000000000000007 x1 : fffffe0803041ee4", ["x2 0000000000000007", "x1 fffffe0803041ee4"]),
        ("[    0.015104] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.9.0-pgtlab #1", ["CPU 0", "PID 1"]),
        ("pc : get_pfnblock_flags_mask+0x3c/0x68", []),
        ("CPU features: detected: 52-bit Virtual Addressing (LPA2)", []),
        ("BUG: Bad page state in process swapper/0  pfn:40a01", ["pfn 40a01"]),
    ],
)
def test_numbers_are_found_as_the_kernel_writes_them(text, numbers):
    assert [str(number) for number in numbers_in(1, text)] == numbers
