"""A value at a prompt is short, and tells nothing that a reader should find out, nor where it is in Python's memory."""

import pytest
from kernels import KINDS

from pgtlab.lab.bisection import Bad, Bisection
from pgtlab.lab.bugs import BUGS
from pgtlab.lab.case import case
from pgtlab.lab.exercise import paths, read
from pgtlab.lab.machine import Machine
from pgtlab.lab.trees import COMMITS, TREES, Tree
from pgtlab.linux.kernel.mmzone import Zone


def kernel():
    return Tree.named("next-20240229").start_kernel(KINDS[0])


VALUES = {
    "bug": lambda: next(iter(BUGS.values())),
    "commit": lambda: COMMITS[0],
    "tree": lambda: TREES["next-20240229"],
    "case": lambda: case(7),
    "exercise": lambda: read(paths()["01_indices"]),
    "bisection": lambda: Bisection.start(KINDS[0], Bad.REPORTS),
    "process": lambda: Machine().process("a"),
    "address space": lambda: kernel().mm_alloc(),
    "zone": lambda: Zone("Normal", 0, start_pfn=0, end_pfn=0x800, max_order=10),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_at_a_prompt(name):
    text = repr(VALUES[name]())
    assert " at 0x" not in text, "the address of a Python object"
    assert "<function" not in text
    assert len(text) < 1500
    assert text == repr(VALUES[name]()), "the same value"


def test_a_case_does_not_tell_what_is_wrong():
    """The student finds that out."""
    assert repr(case("a word")) == "Case(seed='a word')"
    for seed in range(20):
        assert not any(bug.name in repr(case(seed)) or bug.cause in repr(case(seed)) for bug in BUGS.values())


def test_an_exercise_does_not_print_its_checks():
    assert repr(read(paths()["01_indices"])) == "Exercise(name='01_indices')"


def test_what_is_left_out():
    assert repr(Machine().process("a")) == "Process(name='a')"
    assert repr(VALUES["zone"]()) == "Zone(name='Normal', index=0, start_pfn=0, end_pfn=2048, max_order=10)"
    assert "page_table_lock" not in repr(kernel().mm_alloc())
    assert "Revision" not in repr(VALUES["bisection"]())
