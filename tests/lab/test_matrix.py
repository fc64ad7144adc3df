"""The whole matrix: every tree, on every configuration and CPU, with every protection that debug_vm_pgtable tries."""

from collections import defaultdict

import pytest

from pgtlab.lab.linux_6_12 import TREES_6_12
from pgtlab.lab.matrix import boots, matrix
from pgtlab.lab.trees import TREES, Tree
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.boot import Fold, NoBoot
from pgtlab.linux.kernel import debug_vm_pgtable
from pgtlab.linux.kernel.symbols import functions_of

OUTCOMES = {  # with a real PUD, and without one
    "next-20240229": ("panic", "clean"),
    "arm64-for-next": ("report", "clean"),
    "mm-unstable": ("clean", "clean"),
    "next+fix-pud-free": ("clean", "clean"),
    "next+fix-dump-page": ("report", "clean"),
    "fixed": ("clean", "clean"),
}
IN_SHORT = ("next-20240229", "next+fix-dump-page")  # every outcome is among theirs; `make sweep` asks the others
PROTECTIONS = set(range(16))  # VM_NONE to VM_SHARED | VM_ACCESS_FLAGS, as in the kernel's loop
BASIC_TESTS = ("pte_basic_tests", "pmd_basic_tests", "pud_basic_tests")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name in IN_SHORT else pytest.param(name, marks=pytest.mark.sweep) for name in TREES]
)
def test_each_tree_in_every_configuration_with_every_protection(name):
    """The panic is exactly where the report is: where PUD tables are freed."""
    tried = defaultdict(set)

    def noting(test, original):
        def basic_tests(k, args, idx):
            tried[test, k.boot.config, k.boot.cpu].add(idx)
            original(k, args, idx)

        return basic_tests

    originals = functions_of(debug_vm_pgtable)
    runs = matrix(name, **{test: noting(test, originals[test]) for test in BASIC_TESTS})
    assert len(runs) == 13 * 8
    for booted in boots():
        where = (booted.config, booted.cpu)
        if isinstance(booted, NoBoot):
            assert runs[where].outcome == "no boot"
        else:
            assert runs[where].outcome == OUTCOMES[name][booted.folded["pud"] is not Fold.REAL]
            assert all(tried[test, *where] == PROTECTIONS for test in BASIC_TESTS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "same"),
    [("v6.12", "fixed"), ("v6.12+fold-puds", "arm64-for-next"), ("v6.12+both", "next-20240229")],
)
def test_v6_12_has_the_outcomes_of_v6_9(name, same):
    """What v6.12 does otherwise changes what is printed, and nothing about who frees what."""
    for booted in distinct_boots():
        theirs, ours = TREES_6_12[name].start_kernel(booted).run(), Tree.named(same).start_kernel(booted).run()
        assert theirs.outcome == ours.outcome
        assert [(r.kind, r.pfn, r.text) for r in theirs.reports] == [(r.kind, r.pfn, r.text) for r in ours.reports]
        assert (theirs.lost, theirs.nr_page_table_pages) == (ours.lost, ours.nr_page_table_pages)
