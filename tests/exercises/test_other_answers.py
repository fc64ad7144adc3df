"""Answers are judged by what they do: written in another way it is right too, half right it is not."""

import subprocess
import sys

import pytest

from pgtlab.lab import check


def pud_free_by_the_kernels_own(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.__pud_free(mm, pud)


def pud_offset_by_the_kernels_own(k, p4dp, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    if not k.pgtable_l4_enabled():
        return k.p4d_to_folded_pud(p4dp, addr)
    return k.__va(k.table_address(k.read64(p4dp))) + (k.pud_index(addr) << 3)


def indices_from_the_top(va, page_size, va_bits, vabits_actual):
    shift = {4096: 12, 16384: 14, 65536: 16}[page_size]
    va %= 1 << vabits_actual
    found, level = {}, 3
    for lo in range(shift, vabits_actual, shift - 3):
        found[level] = (va >> lo) % (page_size // 8)
        level -= 1
    return found, va % page_size


def test_an_answer_written_in_another_way_is_right():
    assert check("03_pud_free", pud_free_by_the_kernels_own).passed
    assert check("02_pud_offset", pud_offset_by_the_kernels_own).passed
    assert check("01_indices", indices_from_the_top).passed


def test_a_test_for_folding_the_wrong_way_round_fails_both_ways():
    def pud_free(k, mm, pud):
        if k.pgtable_l4_enabled():
            return
        k.__pud_free(mm, pud)

    failed = {finding.check for finding in check("03_pud_free", pud_free).findings if finding.hint}
    assert failed == {"folded", "nothing_lost", "counter"}


def test_pud_free_does_not_change_the_counters():
    def pud_free(k, mm, pud):
        if k.pgtable_l4_enabled():
            k.__pud_free(mm, pud)
            k.mm_dec_nr_puds(mm)

    [hint] = [finding.hint for finding in check("03_pud_free", pud_free).findings if finding.hint]
    assert "Bad mm, `BUG: non-zero pgtables_bytes on freeing mm: -" in hint


def test_hard_coded_answer_gets_credit():
    # Seed 0 has 64K pages and 52 bits: 16 for the offset, 13 for each index, 10 for the last. Its address, cut there:
    on_paper = {1: 0b0111001010, 2: 0b1010001111001, 3: 0b0010010010101}
    findings = check("01_indices", lambda *numbers: (on_paper, 0b1100110010110101), seed=0).findings
    assert findings[0].state == "right"
    assert {finding.state for finding in findings[1:]} == {"wrong"}


@pytest.mark.parametrize("library", ["jupytext", "nbformat", "IPython"])
def test_checking_needs_no_jupyter(library):
    code = (
        f"import sys; from pgtlab.lab import check; check('03_pud_free', print); sys.exit({library!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
