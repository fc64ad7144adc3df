"""The misconceptions that the course was designed to catch: each is a wrong answer that gets its own feedback."""

import pytest

from pgtlab.lab import chapters
from pgtlab.lab.answers import Choice
from pgtlab.lab.question import Question, Wrong
from tests.notebooks.course import cells, question

#: By chapter, each with its key: what a reader must be able to get wrong there. A chapter may catch others, too.
DESIGN = {
    "00_hexadecimal": ["one-right-shift", "number-knows-its-sign"],
    "01_two_programs": ["va-is-pa", "page-moves", "page-is-4k"],
    "02_a_tree": ["one-table-a-page", "full-index-at-start", "levels-from-leaf"],
    "03_an_entry": ["bit-1-is-page", "pointer-is-the-word", "address-shifted-twice"],
    "04_the_walk": ["bit-63-chooses", "sign-extension", "table-pointers-virtual", "fault-level-is-depth"],
    "05_a_fault": ["level-0-table-missing", "permission-is-missing-entry", "far-is-always-right", "two-swappers"],
    "06a_the_kernel_map": ["phys-offset-is-ram-start"],
    "06b_page_to_number": ["any-pointer-is-a-page", "null-plus-8-was-stored"],
    "07_five_names": ["five-names-five-tables", "folded-level-costs-a-read"],
    "08_folded_at_boot": ["the-pgd-folds", "folded-is-skipped", "folded-index-is-0", "folded-is-freed"],
    "09_who_owns_a_table": ["refcount-is-mapcount", "printed-is-stored", "free-then-destruct"],
    "10a_registers": [
        "trace-holds-all-calls",
        "lr-is-in-the-trace",
        "words-before-ran",
        "registers-are-arguments",
    ],
    "10b_the_log": ["last-message-is-cause", "free-page-was-null", "line-3-blames-the-page"],
    "11_who_did_it": ["first-bad-is-cause", "clean-branch-is-innocent", "no-report-is-fixed"],
    "12_the_cost_of_a_walk": ["level-costs-a-third", "huge-is-better"],
}
EACH = [pytest.param(stem, key, id=f"{stem}-{key}") for stem, keys in DESIGN.items() for key in keys]
SEEDS = range(2)


def asked_in(stem: str) -> list[str]:
    """The questions that a chapter asks in its own text, by their full names."""
    names = [name for cell in cells(stem) for name in cell.asks]
    return [name if "/" in name else f"{stem}/{name}" for name in names]


def caught(stem: str, key: str) -> list[tuple[Question, Wrong]]:
    """The wrong answers of a chapter that a misconception leads to."""
    drawn = [question(name, seed) for name in asked_in(stem) for seed in SEEDS]
    return [(asked, wrong) for asked in drawn for wrong in asked.wrong if wrong.key == key]


@pytest.mark.parametrize(("stem", "key"), EACH)
def test_it_is_a_wrong_answer_that_somebody_can_give(stem, key):
    assert key in chapters.misconceptions()
    assert caught(stem, key), f"{stem} has no question that it leads astray in"
    for asked, wrong in caught(stem, key):
        options = [choice for choice in (asked.answer, asked.reasons) if isinstance(choice, Choice)]
        typed = not isinstance(asked.answer, Choice) and not isinstance(wrong.value, str)
        assert typed or any(wrong.value in choice.others for choice in options), (asked.text, wrong.value)


@pytest.mark.parametrize(("stem", "key"), EACH)
def test_its_feedback_is_its_own(stem, key):
    """Nobody with another idea is told the same, and it is more than the right answer."""
    for asked, wrong in caught(stem, key):
        others = {other.feedback for other in asked.wrong if other.key != key}
        assert len(wrong.feedback.split()) > 4, asked.text
        assert wrong.feedback not in others | {asked.truth}, asked.text
