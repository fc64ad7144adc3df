"""Answers are judged by what they do: written in another way it is right too, half right it is not."""

import subprocess
import sys
from collections import OrderedDict, defaultdict
from typing import NamedTuple

import pytest

from pgtlab.lab import check

pytestmark = pytest.mark.long  # it judges several answers to each exercise


def pud_free_with_one_way_out(k, mm, pud):
    if k.pgtable_l4_enabled():
        table = k.virt_to_page(pud)
        k.pagetable_dtor(table)
        k.free_page(pud)


def pud_offset_with_a_table_for_each_case(k, p4dp, addr):
    if k.pgtable_l4_enabled():
        first = k.__va(k.table_address(k.read64(p4dp)))
    elif k.CONFIG_PGTABLE_LEVELS < 4:
        return p4dp
    else:
        first = p4dp - p4dp % k.PAGE_SIZE
    return first + k.ENTRY_SIZE * k.pud_index(addr)


def indices_from_the_top(va, page_size, va_bits, vabits_actual):
    shift = {4096: 12, 16384: 14, 65536: 16}[page_size]
    va %= 1 << vabits_actual
    found, level = {}, 3
    for lo in range(shift, vabits_actual, shift - 3):
        found[level] = (va >> lo) % (page_size // 8)
        level -= 1
    return found, va % page_size


class Found(NamedTuple):
    by_level: dict
    offset: int


@pytest.mark.parametrize(
    "kind",
    [
        lambda found, offset: [found, offset],
        lambda found, offset: (OrderedDict(found), offset),
        lambda found, offset: Found(defaultdict(int, found), offset),
    ],
)
def test_what_holds_the_same_values_is_right(kind):
    judged = check("01_indices", lambda *numbers: kind(*indices_from_the_top(*numbers)))
    assert judged.passed, judged.feedback


def test_a_float_is_told_what_it_is():
    judged = check("17_linear_map", lambda va: 1.0)
    assert "1.0 is a float, and a whole number is wanted" in judged.feedback


def test_an_answer_written_in_another_way_is_right():
    assert check("03_pud_free", pud_free_with_one_way_out).passed
    assert check("02_pud_offset", pud_offset_with_a_table_for_each_case).passed
    assert check("01_indices", indices_from_the_top).passed


def test_a_test_for_folding_the_wrong_way_round_is_wrong_where_the_pud_is_real():
    def pud_free(k, mm, pud):
        if k.pgtable_l4_enabled():
            return
        pud_free_with_one_way_out(k, mm, pud)

    judged = check("03_pud_free", pud_free)
    assert judged.points == 0
    assert "your function left it alone" in judged.feedback


def test_what_was_worked_out_for_one_address_is_not_a_function():
    on_paper = {1: 0b0111001010, 2: 0b1010001111001, 3: 0b0010010010101}
    assert check("01_indices", lambda *numbers: (on_paper, 0b1100110010110101), seed=0).points == 0


@pytest.mark.parametrize("library", ["jupytext", "nbformat", "IPython"])
def test_checking_needs_no_jupyter(library):
    code = (
        f"import sys; from pgtlab.lab import check; check('03_pud_free', print); sys.exit({library!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
