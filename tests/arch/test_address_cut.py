"""The cut of an address, held against the walk of the MMU and against the constants of recorded kernels."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.address_cut import cut
from pgtlab.arch.granule import GRANULES
from pgtlab.lab.machine import Machine


@given(st.sampled_from([("4k", 39), ("4k", 48), ("16k", 36), ("16k", 47), ("64k", 42)]), st.integers(0, (1 << 36) - 1))
def test_the_indices_are_those_that_a_walk_uses(kernel, va):
    process = Machine(*kernel).process("a")
    process.map(va & -process.machine.page_size, 0x8000_0000)
    made = cut(va, *kernel)
    walk = process.walk(va)
    assert made.indices == {step.level: step.index for step in walk.steps}
    assert walk.outcome.pa == 0x8000_0000 + made.offset


@given(st.sampled_from([granule.name for granule in GRANULES]), st.integers(17, 52), st.integers(0, (1 << 64) - 1))
def test_the_parts_have_every_bit_once(granule, bits, va):
    parts = cut(va, granule, bits).parts
    assert parts[0].hi == 63
    assert parts[-1].lo == 0
    assert all(above.lo == below.hi + 1 for above, below in itertools.pairwise(parts))
    assert sum(part.value << part.lo for part in parts) == va


def test_a_first_index_may_be_short():
    assert str(cut(0xFF00_1234_5678, "16k", 48).part(0)) == "bits 47:47  level 0  = 0x1 (1)"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((1 << 64,), "is not an address: an address has 64 bits"),
        ((-1,), "is not an address"),
        ((0, "8k"), "'8k' is not a page size of arm64: there are 4k, 16k and 64k"),
        ((0, "4k", 60), "60 bits of address"),
    ],
)
def test_what_cannot_be_cut_is_said(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        cut(*arguments)


def test_the_picture_labels_every_part():
    picture = cut(0x7F00_1234_5678).picture()
    words = " ".join(shape.text for shape in picture.shapes)
    for label in ("47:39", "level 0: 0xfe", "level 3: 0x145", "offset: 0x678"):
        assert label in words
