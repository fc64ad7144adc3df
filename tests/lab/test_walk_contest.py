"""The contest between a learner's walk and the model's: what is right wins, and what is wrong first is said."""

import pytest

from pgtlab.lab.walk_contest import ADDRESSES, contest

pytestmark = pytest.mark.long  # it walks whole address spaces in a process of its own


def translate(ram, ttbr, va, *, blocks=True, valid=True, pages=True, mask=0x0000_FFFF_FFFF_F000):
    """A walk with 4K pages and 39 bits, which can leave out each of its rules."""
    table = ttbr
    for level, shift in ((1, 30), (2, 21), (3, 12)):
        entry = ram(table + 8 * (va >> shift & 0x1FF))
        if not (entry & 1 if valid else entry) or (level == 3 and pages and not entry & 2):
            return ("fault", level)
        table = entry & mask
        if level == 3 or (blocks and not entry & 2):
            return table + (va & (1 << shift) - 1)
    raise AssertionError


def test_a_right_walk_agrees_about_every_address():
    result = contest(translate)
    assert result.won
    assert str(result).endswith(f"All {ADDRESSES} addresses: your function and the model's MMU agree.")
    assert result.right == ADDRESSES


@pytest.mark.long
@pytest.mark.parametrize(
    ("left_out", "kind"),
    [
        ({"mask": ~0xFFF}, "A page with attributes in its highest bits"),
        ({"blocks": False}, "A block of level 2"),
        ({"valid": False}, "An entry with bit 0 clear and other bits set"),
        ({"pages": False}, "An entry that ends in 01 at level 3"),
    ],
)
def test_what_is_wrong_first_is_said(left_out, kind):
    result = contest(lambda ram, ttbr, va: translate(ram, ttbr, va, **left_out))
    assert not result.won
    assert result.hint.startswith(kind)
    *before, (right, asked) = result.scores.values()
    assert list(result.scores)[-1] == kind
    assert right < asked
    assert all(right == asked for right, asked in before)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda ram, ttbr, va: None, "you returned nothing"),
        (lambda ram, ttbr, va: hex(va), "which is a str"),
        (lambda ram, ttbr, va: [va], "which is a list"),
        (lambda ram, ttbr, va: va, "and the model 0x"),
        (lambda ram, ttbr, va: ram(va + 1), "translate()"),
        (lambda ram, ttbr, va: ram(ttbr + 1), "An entry has 8 bytes"),
        (lambda ram, ttbr: 0, "translate()"),
    ],
)
def test_a_wrong_type_or_an_exception_is_one_sentence(answer, sentence):
    result = contest(answer)
    assert result.right == 0
    assert sentence in result.hint
    assert "Traceback" not in result.hint
