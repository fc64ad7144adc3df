"""The cases of the project: alike, hidden, found from their symptoms, and judged by what the kernel does."""

import inspect
import pydoc

import pytest

from pgtlab.lab.bugs import BUGS
from pgtlab.lab.case import CASES, SUSPECTS, Case, CaseError, case
from pgtlab.lab.kernel_checks import PatchedTree
from pgtlab.linux.kernel import Kernel

EVERY = [Case("a seed", BUGS[name]) for name in CASES]
NAMES = [each._bug.name for each in EVERY]


def test_the_seeds_reach_every_case():
    assert {case(seed)._bug.name for seed in range(100)} == set(CASES)


@pytest.mark.parametrize("each", EVERY, ids=NAMES)
def test_a_case_shows_itself_somewhere_and_not_everywhere_silently(each):
    observed = each.observe()
    assert observed.seen or observed.run.reports
    assert observed.run.outcome in str(observed)
    assert {line.split()[-1] for line in each.where().splitlines()} > {"clean"}


@pytest.mark.parametrize("each", EVERY, ids=NAMES)
def test_a_case_does_not_name_its_bug(each):
    name = each._bug.name
    assert name not in repr(each)
    assert name not in str(each.observe())
    assert name not in repr(each.kernel())


@pytest.mark.parametrize("each", EVERY, ids=NAMES)
def test_the_bug_is_in_one_of_the_suspects(each):
    assert len(each.suspects) == SUSPECTS
    assert set(each._bug.commit.functions) <= set(each.suspects)
    assert all("def " in each.source(name) for name in each.suspects)


@pytest.mark.parametrize("each", EVERY, ids=NAMES)
def test_help_and_inspect_do_not_tell_which_it_is(each):
    """The course teaches both: the function with the bug has the module, the file and the decorators of a good one."""
    kernel, good = each.kernel(), Kernel(each.kernel().boot).symbols
    for name in each._bug.commit.functions:
        bad, text = kernel.symbols[name], inspect.getsource(kernel.symbols[name])
        assert bad.__module__ == good[name].__module__
        assert text.partition("def ")[0] == inspect.getsource(good[name]).partition("def ")[0]
        assert inspect.getsourcefile(bad) is None or "bugs" not in inspect.getsourcefile(bad)
        assert each._bug.name not in text + pydoc.render_doc(bad)


def test_two_cases_keep_their_sources():
    """Both functions are of one file of the kernel."""
    none, bad = (Case("a seed", BUGS[name]).kernel().symbols for name in ("folded-is-none", "folded-is-bad"))
    assert "def p4d_none(" in inspect.getsource(none["p4d_none"])
    assert "def p4d_bad(" in inspect.getsource(bad["p4d_bad"])


@pytest.mark.parametrize("each", EVERY, ids=NAMES)
def test_a_source_can_be_copied(each):
    """It runs where nothing is imported, and is the function of that kernel."""
    for name in each.suspects:
        exec(each.source(name), copied := {})
        kernel = each.kernel()
        kernel.livepatch(**{name: copied[name]})
        assert each.observe(kernel).seen == each.observe().seen


@pytest.mark.parametrize("each", EVERY, ids=NAMES)
def test_a_livepatch_can_fix_it(each):
    assert PatchedTree(each._bug.tree, {}).too_late() == ""
    fixed = Kernel(each.kernel().boot).symbols
    kernel = each.kernel()
    kernel.livepatch(**{name: fixed[name] for name in each._bug.commit.functions})
    assert each.observe(kernel).seen == ""


@pytest.mark.long
def test_a_fix_passes_and_no_fix_does_not():
    each = Case("a seed", BUGS["folded-is-none"])

    def p4d_none(k, p4d):
        return k.pgtable_l4_enabled() and p4d == 0

    assert each.check(p4d_none=p4d_none).passed
    assert not each.check(p4d_none=lambda k, p4d: p4d == 0).passed


def test_what_does_not_exist_is_said():
    with pytest.raises(CaseError, match=r"has no function 'nonsense': the suspects are"):
        case(1).source("nonsense")
    with pytest.raises(CaseError, match="16K granule"):
        case(1).kernel("16k", 47, "cortex-a53")


def zeroed(k, mm):
    mm.pgtables_bytes = 0


def put_and_forgotten(k, mm):
    mm.pgtables_bytes = 0
    mm.mm_users -= 1
    if mm.mm_users == 0:
        k.__mmdrop(mm)


def dropped_without_a_look(k, mm):
    k.pgd_free(mm, mm.pgd)


def made_up_for_elsewhere(k, mm):
    mm.pgtables_bytes -= k.PAGE_SIZE * (2 if k.mm_pud_folded(mm) and not k.mm_pmd_folded(mm) else 1)


def none_if_not_valid(k, p4d):
    return k.pgtable_l4_enabled() and not p4d & 1


def bad_if_not_empty(k, p4d):
    return p4d != 0 and not p4d & 2


def folded_for_the_kernel(k, mm):
    return mm is k.init_mm or not k.pgtable_l4_enabled()


def cleared_with_the_next(k, pudp):
    k.write64(pudp, 0)
    if (pudp + 8) % k.PAGE_SIZE:
        k.write64(pudp + 8, 0)


def not_zeroed(k, mm):
    folds = k.CONFIG_PGTABLE_LEVELS > 3 and k.PTRS_PER_PGD < 64 and not k.boot.has_va52
    page = k.PTRS_PER_PGD * 8 == k.PAGE_SIZE or folds
    return k.page_address(k.alloc_pages(0)) if page else k.kmem_cache_zalloc(k.pgd_cache)


@pytest.mark.long
@pytest.mark.parametrize(
    ("bug", "name", "fix"),
    [
        ("folded-is-none", "p4d_none", none_if_not_valid),
        ("folded-is-bad", "p4d_bad", bad_if_not_empty),
        ("folded-is-accounted", "mm_pud_folded", folded_for_the_kernel),
        ("freed-but-linked", "pud_clear", cleared_with_the_next),
        ("small-pgd", "pgd_alloc", not_zeroed),
    ],
)
def test_what_is_right_for_one_process_only_is_not_a_fix(bug, name, fix):
    """It helps those who complained, and harms a table that holds something else, or is made of a used page."""
    assert not Case("a seed", BUGS[bug]).check(**{name: fix}).passed


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("mm_dec_nr_pmds", zeroed),
        ("mmput", put_and_forgotten),
        ("__mmdrop", dropped_without_a_look),
        ("mm_dec_nr_ptes", made_up_for_elsewhere),
    ],
)
def test_what_hides_a_wrong_count_is_not_a_fix(name, fix):
    """The count is right in the end, or nobody looks at it, and the function is as wrong as before."""
    assert not Case("a seed", BUGS["copied-guard"]).check(**{name: fix}).passed
