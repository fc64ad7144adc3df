"""What stands before the kernel's words in every line of a log, learned from some of its lines."""

import pytest

from pgtlab.linux.oops.reading.prefixes import form_of


@pytest.mark.parametrize(
    ("learned", "same", "other"),
    [
        # Numbers vary, also in length, and are padded with blanks.
        (["[ 1.25]", "[ 2.50]"], ["[ 7.1]", "[1234.56789]", "[   0.000001]"], ["[a.25]", "[1,25]", "1.25]"]),
        (["cpu0:", "cpu12:"], ["cpu7:", "cpu123:"], ["cpu:", "gpu7:"]),
        # A word that differs may be any word; one that is always the same is a part of the form.
        (["web kernel:", "db kernel:"], ["mail kernel:", "x9 kernel:"], ["web user:", "web kernel"]),
        (["[worker]", "[init]"], ["[sh]", "[kworker]"], ["[]", "(sh)"]),
        # Between two words are blanks, however many; beside a mark there may be none.
        (["web kernel:", "db kernel:"], ["web   kernel:", "web\tkernel:"], ["webkernel:"]),
        (["a: [1]", "b: [2]"], ["c:[3]", "c:   [3]"], ["c [3]", "c: 3]"]),
        (["web [1]", "db [2]"], ["mail[3]", "mail  [3]"], ["mail 3]"]),
        (["[1] web", "[2] db"], ["[3]mail"], ["3] mail"]),
        # Before a number behind a mark there may be blanks that pad it, and nowhere else.
        (["[1.25]", "[2.50]"], ["[   7.1]", "[7.1]"], [" [7.1]"]),
        (["a [1]", "b [2]"], ["c [   3]"], ["c  3]"]),
        (["a=b;", "c=b;"], ["d=b;"], ["d= b;"]),
        (["12:a;", "13:a;"], ["14:a;"], [" 14:a;"]),
        # One line is enough.
        (["<6> web:"], ["<4> web:", "<4>web:"], ["<6> db:"]),
        # Marks are as they are.
        (["<6>[1]", "<4>[2]"], ["<0>[3]"], ["<6>(1)", "[6][1]"]),
        (["12|web|", "13|db|"], ["99|x|"], ["99|x", "99 x "]),
        (["a.b+c*", "d.b+c*"], ["z.b+c*"], ["zxb+c*", "z.bbc*"]),
    ],
)
def test_the_form_of_prefixes(learned, same, other):
    form = form_of(learned)
    for prefix in (*learned, *same):
        found = form.match(f"{prefix} Call trace:")
        assert found is not None, prefix
        assert found.end() == len(prefix), prefix
    for prefix in other:
        found = form.match(f"{prefix} Call trace:")
        assert found is None or found.end() < len(prefix), prefix


def test_two_words_at_the_end_are_apart():
    form = form_of(["web kernel", "db kernel"])
    assert form.match("mail kernel Call trace:").end() == 11
    assert form.match("mailkernel Call trace:") is None


def test_the_words_may_follow_a_mark_at_once():
    assert form_of(["[1]", "[2]"]).match("[3]Call trace:").end() == 3


def test_blanks_at_the_end_may_be_fewer():
    assert form_of(["web ", "db "]).match("mail").end() == 4


@pytest.mark.parametrize("learned", [["web", "db"], ["12", "345"]])
def test_a_form_that_ends_with_a_word_ends_where_the_word_does(learned):
    """Not in the middle of the kernel's own first word."""
    form = form_of(learned)
    assert form.match("1 Call trace:").end() == 1
    assert form.match("1") is not None
    assert form.match("1:") is None
