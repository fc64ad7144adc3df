"""The questions about the real crash: what is right, and what each wrong rule gives, worked out by hand from the log.

The log has x20 = ffff80008007b950, x1 = fffffe0779181ee5 and PHYS_OFFSET: 0xfffff76180000000. With 4K pages and 48 bits
VMEMMAP_START is 0xfffffdffc0000000, and a `struct page` has 64 bytes.
"""

from random import Random

import pytest

from pgtlab import Config
from pgtlab.lab import crash_questions as questions
from pgtlab.lab.crash import crash, story

WORKED_OUT = {
    # PHYS_OFFSET is -0x89e80000000: 0x89e80000 pages, whose struct pages take 0x227a000000 bytes.
    "vmemmap_question": (
        0xFFFFFE223A000000,
        {
            "phys-offset-without-sign": 0xFBFFFE223A000000,  # 0xfffff76180000 << 6 = 0x3ffffdd86000000 is subtracted
            "vmemmap-is-vmemmap-start": 0xFFFFFDFFC0000000,
            "sign-forgotten": 0xFFFFFDDD46000000,
            "pages-are-bytes": 0xFFFFFE0049E80000,
            "bytes-are-pages": 0x2259FC0000000,  # + (0x89e80000000 << 6), beyond 64 bits
        },
    ),
    # x20 - vmemmap = 0xffff81de4607b950, which is -0x7e21b9f846b0.
    "frame_question": (
        0xFFFFFE0779181EE5,
        {
            "number-for-bits": -0x1F886E7E11B,
            "one-right-shift": 0x03FFFE0779181EE5,
            "a-page-has-one-byte": 0xFFFF81DE4607B950,
            "struct-page-is-a-page": 0xFFFFFFF81DE4607B,
            "the-sign-is-lost": 0x1F886E7E11A,
            "copy-is-the-page": 0x18A65D,
        },
    ),
    # 128 MiB of 4K pages are 2**15 frames.
    "section_question": (
        0x1FFFFFC0EF230,
        {
            "shift-is-arithmetic": 0xFFFFFFFFFC0EF230,
            "a-pfn-is-an-address": 0x1FFFFFC0EF,  # >> 27
            "section-is-a-page": 0xFFFFFE0779181,  # >> 12
        },
    ),
    # A page has 4096 / 32 = 128 structures.
    "root_question": (
        0x3FFFFF81DE4,
        {
            "rest-is-the-root": 0x30,
            "a-section-has-one-byte": 0x1FFFFFC0EF,  # >> 12
            "section-has-16-bytes": 0x1FFFFFC0EF2,  # >> 8
        },
    ),
    "phys_offset_question": (
        0xFFFFF76180000000,
        {
            "number-for-bits": -0x89E80000000,
            "sign-forgotten": 0x89E80000000,
            "pages-are-bytes": 0xFFFFFFFF76180000,  # -0x89e80000
            "stopped-at-vmemmap": 0xFFFFFE223A000000,
            "struct-page-size-forgotten": 0xFFFDD86000000000,  # -0x227a000000 << 12
        },
    ),
}


@pytest.mark.parametrize("name", WORKED_OUT)
def test_every_rule_gives_what_it_gives_by_hand(name):
    question = getattr(questions, name)(story())
    right, wrong = WORKED_OUT[name]
    assert question.answer.value == right
    assert {rule.key: rule.value for rule in question.wrong} == wrong
    for answer in (f"{right:#x}", f"{right:x}", f"{right:X}"):  # as in the log, without 0x, too
        assert question.judge(answer).verdict == "right"
    for key, value in wrong.items():
        assert question.judge(f"{value:#x}").key == key


def test_phys_offset_is_told_as_the_number_below_zero_that_it_is():
    question = questions.vmemmap_question(story())
    assert "It is below zero: -0x89e80000000." in question.judge("0xfbfffe223a000000").text
    assert "PHYS_OFFSET = -0x89e80000000; >> 12 = -0x89e80000; x 64 = -0x227a000000;" in question.truth


@pytest.mark.parametrize("seed", range(4))
def test_a_section_with_the_sign_repeated(seed):
    boot = crash(Random(seed))
    below_zero = boot["x1"] - (1 << 64)
    (value,) = (r.value for r in questions.section_question(boot).wrong if r.key == "shift-is-arithmetic")
    assert value - (1 << 64) == below_zero // 32768


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("frame_question", "fffffe223a000000"),
        ("section_question", "fffffe0779181ee5"),
        ("root_question", "1fffffc0ef230"),
    ],
)
def test_what_was_computed_before_is_printed_only_where_it_was_not(name, printed):
    """Else the question gives the answer of the one before it."""
    ask = getattr(questions, name)
    assert printed in ask(story()).text
    assert printed not in ask(story(), computed=True).text


def test_a_section_of_pages_of_16k():
    """Its size is 2**27 bytes too (SECTION_SIZE_BITS of asm/sparsemem.h), so that it has 2**13 pages."""
    boot = crash(Random(1), Config("16k", 48))
    x1 = boot["x1"]
    assert x1 >> 63, "a frame below zero, as a number without a sign"
    question = questions.section_elsewhere(boot)
    assert question.judge(f"{x1 // 8192:x}").verdict == "right"
    assert question.answer.value == x1 // 8192
    assert {rule.key: rule.value for rule in question.wrong} == {
        "page-is-4k": x1 // 32768,
        "shift-is-arithmetic": (1 << 64) - -(-((1 << 64) - x1) // 8192),
        "a-pfn-is-an-address": x1 // (1 << 27),
    }


def test_where_a_pointer_into_the_image_was_linked():
    """The log has `Kernel Offset: 0x3a89bf800000 from 0xffff800080000000`, and ffffba8a417ba000 in a register."""
    question = questions.link_address_question(0xFFFFBA8A417BA000, 0x3A89BF800000, "Where?")
    assert question.answer.value == 0xFFFF800081FBA000
    assert question.judge("ffff800081fba000").verdict == "right"
    assert {rule.key: rule.value for rule in question.wrong} == {
        "offset-added": 0xFFFFF51400FBA000,
        "offset-is-not-base": 0x3A89C17BA000,
        "offset-in-the-image": 0x1FBA000,
    }
