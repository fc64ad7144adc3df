"""Questions: how answers are read, judged and drawn."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.lab.question import (
    Choice,
    Number,
    Order,
    Question,
    QuestionError,
    UnreadableAnswer,
    Words,
    Wrong,
    draw,
    recall,
)

DECIMAL, HEX, SIZE, LEVELS = Number(0), Number(0, base=16), Number(0, unit="bytes"), Number(0, unit="levels")


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (DECIMAL, "512", 512),
        (DECIMAL, " 0x200 ", 512),
        (DECIMAL, "0b10_0000", 32),
        (DECIMAL, "1,048,576", 1 << 20),
        (DECIMAL, "1 000 000", 1_000_000),
        (DECIMAL, "-513", -513),
        (DECIMAL, "\u2212513", -513),
        (DECIMAL, "2^39", 1 << 39),
        (DECIMAL, "2**39", 1 << 39),
        (DECIMAL, "1 << 12", 4096),
        (DECIMAL, "8 * 2**33", 1 << 36),
        (HEX, "0x200*8*2^9", 1 << 21),
        (SIZE, "512 * 4 KiB", 2 << 20),
        (LEVELS, "4 levels", 4),
        (LEVELS, "1 level", 1),
        (HEX, "0xFFFF_FDFF", 0xFFFF_FDFF),
        (HEX, "fffffdff", 0xFFFF_FDFF),
        (HEX, "ffff fdff", 0xFFFF_FDFF),
        (HEX, "7", 7),
        (SIZE, "4096", 4096),
        (SIZE, "4K", 4096),
        (SIZE, "4 KiB", 4096),
        (SIZE, "4kb", 4096),
        (SIZE, "512 GiB", 512 << 30),
        (SIZE, "64 bytes", 64),
        (SIZE, "0x1000", 4096),
    ],
)
def test_number_is_read(kind, typed, value):
    assert kind.read(typed) == value


@pytest.mark.parametrize("kind", [DECIMAL, HEX, SIZE, LEVELS])
@pytest.mark.parametrize(
    "typed", ["four", "2*", "*2", "2**", "0x", "0xg", "4.5", "1/2", "--1", "2^999999999", "9" * 99, "١٢"]
)
def test_nonsense_is_refused_in_one_sentence(kind, typed):
    with pytest.raises(UnreadableAnswer) as refused:
        kind.read(typed)
    assert "is not a number: write one such as" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", [DECIMAL, HEX, SIZE, LEVELS])
def test_an_empty_field_is_told(kind):
    for typed in "", " ":
        with pytest.raises(UnreadableAnswer, match="Type a number first"):
            kind.read(typed)


def test_one_is_singular():
    assert [LEVELS.show(value) for value in (0, 1, 2)] == ["0 levels", "1 level", "2 levels"]


def test_digits_that_may_be_hexadecimal_are_asked_for_again():
    with pytest.raises(UnreadableAnswer, match="write 0x1000, or 0x3e8 if you meant the decimal number"):
        HEX.read("1000")


def test_a_unit_is_a_size_only_where_a_size_is_asked():
    with pytest.raises(UnreadableAnswer):
        DECIMAL.read("4K")


@given(value=st.integers(-(1 << 64), 1 << 64), kind=st.sampled_from([DECIMAL, HEX, LEVELS]))
def test_a_number_that_is_shown_is_read_back(value, kind):
    shown = kind.show(value)
    assert kind.read(f"0x{0:x}" if value == 0 and kind is HEX else shown) == value


@given(value=st.integers(0, 1 << 64))
def test_a_size_that_is_shown_is_read_back(value):
    assert SIZE.read(SIZE.show(value)) == value


QUESTION = Question(
    "How many?",
    Number(4),
    "It is 4.",
    (Wrong(3, "from-leaf", "Counted from 1."), Wrong("because", "guess", "A guess is no reason.")),
    Choice("each level", ("because", "who knows")),
    steps=("How many bits?",),
)


@pytest.mark.parametrize(
    ("said", "reason", "verdict", "key", "steps"),
    [
        ("4", "each level", "right", "", ()),
        ("4", "because", "reason", "guess", ()),
        ("4", "who knows", "reason", "", ()),
        ("3", "each level", "wrong", "from-leaf", ()),
        ("3", "because", "wrong", "from-leaf", ()),
        ("9", "because", "wrong", "guess", ()),
        ("9", "each level", "wrong", "", ("How many bits?",)),
    ],
)
def test_the_first_thing_that_is_wrong_is_said(said, reason, verdict, key, steps):
    feedback = QUESTION.judge(said, reason)
    assert (feedback.verdict, feedback.key, feedback.steps) == (verdict, key, steps)


def test_the_truth_waits_for_the_steps():
    assert QUESTION.judge("9", "each level").truth == ""
    assert QUESTION.judge("3", "each level").truth == "It is 4."
    assert QUESTION.unknown().truth == "It is 4."


def test_a_reason_is_needed():
    with pytest.raises(UnreadableAnswer, match="Choose a reason as well"):
        QUESTION.judge("4")


def test_words_are_kept_and_not_judged():
    feedback = Question("What next?", Words(), "It panics.").judge("no idea")
    assert (feedback.verdict, feedback.said, feedback.truth) == ("kept", "no idea", "It panics.")


def test_order_is_judged_as_a_whole():
    question = Question("Order!", Order(("a", "b", "b")), "", (Wrong(("b", "a", "b"), "late", "Too late."),))
    assert question.judge(["a", "b", "b"]).verdict == "right"
    assert question.judge(["b", "a", "b"]).key == "late"
    with pytest.raises(UnreadableAnswer):
        question.judge(["a", "b"])


@pytest.mark.parametrize("seed", range(20))
def test_an_order_is_never_shown_as_the_answer(seed):
    assert Order(("a", "b")).shown(f"{seed}") == ("b", "a")


def test_a_wrong_answer_that_nobody_can_give_is_refused():
    with pytest.raises(QuestionError, match="'no such option' is not an answer to it"):
        Question("Which?", Choice("a", ("b",)), "", (Wrong("no such option", "key", ""),))


def bits(draw: Random) -> Question:
    """For 1 bit two rules agree with one another; for 2 bits the wrong rule is right."""
    n = draw.randrange(1, 5)
    return Question(f"{n}", Number(1 << n), "", (Wrong(2 * n, "doubles", ""), Wrong(n * n, "squares", "")))


def test_numbers_for_which_two_rules_agree_are_drawn_again():
    assert {draw(bits, f"{seed}").text for seed in range(60)} == {"3"}


def test_a_question_whose_rules_always_agree_is_refused():
    with pytest.raises(QuestionError, match="always: two rules give 4, whatever is drawn"):
        draw(always, "seed")


def always(draw: Random) -> Question:
    return Question("", Number(4), "", (Wrong(4, "the truth", ""),))


def test_options_that_are_the_same_are_drawn_again():
    def letters(draw: Random) -> Question:
        return Question("", Choice("a", (draw.choice("ab"), "c")), "")

    assert {draw(letters, f"{seed}").answer.others for seed in range(20)} == {("b", "c")}


def test_a_seed_gives_the_same_numbers_on_every_machine():
    def number(draw: Random) -> Question:
        return Question(f"{draw.getrandbits(32):#x}", Words(), "")

    assert draw(number, "reader 02_a_tree/number 0").text == "0xfdaad905"


def test_recall_marks_a_question():
    assert recall(bits) is bits
    assert bits.recall


def test_who_does_not_know_an_order_is_shown_it():
    shown = Question("Put it in order.", Order(("walk", "fault", "oops")), "").unknown().text
    assert shown.index("- walk") < shown.index("- fault") < shown.index("- oops")
