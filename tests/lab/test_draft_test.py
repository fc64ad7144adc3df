"""The draft test: two forms of twelve questions about the same ideas, whose keys fit their papers."""

import re

import pytest

from pgtlab.lab.draft_test import FORMS, draft_test, key, paper


def test_the_forms_are_about_the_same_twelve_ideas_and_are_not_the_same():
    first, second = map(draft_test, FORMS)
    assert [item.idea for item in first] == [item.idea for item in second]
    assert len({item.idea for item in first}) == 12
    assert all(a.text != b.text for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_each_question_has_four_different_options(form):
    assert all(len(set(item.options)) == 4 for item in draft_test(form))


@pytest.mark.parametrize("form", FORMS)
def test_the_key_names_the_letter_of_the_right_option(form):
    asked = re.split(r"^\d+\. ", paper(form), flags=re.M)[1:]
    for question, line, item in zip(asked, key(form).splitlines()[2:], draft_test(form), strict=True):
        letter = re.match(r"\d+\. ([a-d])\)", line)[1]
        assert f"   {letter}) {item.options[0]}\n" in question
        assert item.why not in question


@pytest.mark.parametrize("form", FORMS)
def test_the_right_answer_is_not_always_the_same_letter(form):
    letters = {line.split()[1] for line in key(form).splitlines()[2:]}
    assert len(letters) >= 3
