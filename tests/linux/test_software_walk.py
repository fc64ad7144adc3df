"""Linux's walk beside the MMU's, on the same words: what they share, and where Linux reads a word twice."""

import pytest
from kernels import KINDS

from pgtlab.arch.fault import Access
from pgtlab.lab.bugs.address_space import map_page, some_address, switch_mm
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Fold
from pgtlab.linux.software_walk import software_walk
from pgtlab.linux.walk_picture import walk_picture


def process(booted):
    k = Tree.named("fixed").start_kernel(booted)
    mm, va = k.mm_alloc(), some_address(k)
    map_page(k, mm, va, k.alloc_pages(0).pfn)
    return k, mm, va


@pytest.mark.parametrize("booted", KINDS, ids=repr)
def test_linux_reads_the_words_of_the_mmu(booted):
    k, mm, va = process(booted)
    walk = switch_mm(k, mm).translate(va, Access.READ, el=0)
    lookups = software_walk(k, mm, va)
    assert [lookup.level for lookup in lookups] == ["pgd", "p4d", "pud", "pmd", "pte"]
    by_pa = {lookup.pa: lookup.value for lookup in lookups}
    for step in walk.steps:
        assert by_pa[step.address] == step.descriptor.value
    for lookup in lookups[1:]:
        if lookup.fold is not Fold.REAL:
            assert lookup.again == (lookup.fold is Fold.COMPILE_TIME)
        assert str(lookup).endswith("(the same entry again)") == lookup.again
    at_run_time = Fold.RUN_TIME in booted.folded.values()
    assert len({lookup.pa for lookup in lookups}) == len(walk.steps) + at_run_time  # the pgd's own word is never used


def test_it_ends_where_nothing_is_mapped():
    k, mm, va = process(KINDS[0])
    assert [lookup.level for lookup in software_walk(k, mm, va ^ 1 << 38 - 1)][-1] != "pte"


@pytest.mark.parametrize("booted", KINDS, ids=repr)
@pytest.mark.parametrize("access", [Access.READ, Access.FETCH])
def test_the_picture_has_every_table_every_lookup_and_the_outcome(booted, access):
    k, mm, va = process(booted)
    mmu = switch_mm(k, mm)
    walk = mmu.translate(va, access, el=0)
    picture = walk_picture(walk, mmu.memory, software_walk(k, mm, va))
    shapes = {shape.key: shape for shape in picture.shapes}
    assert len(shapes) == len(picture.shapes)
    for step in walk.steps:
        key = f"word {step.level} 0 text"
        digits = {
            x: digit
            for shape in (shapes.get(key), shapes.get(f"{key} address"))
            if shape is not None
            for x, digit in zip(map(float, shape.attributes["x"].split()), shape.text, strict=True)
        }
        assert "".join(digits[x] for x in sorted(digits)) == f"{step.descriptor.value:016x}"
        assert f"level-{step.level}" in shapes[f"table {step.level}"].attributes["class"]
    for shape in picture.shapes:
        if shape.tag == "rect":
            a = shape.attributes
            assert 0 <= a["x"] <= a["x"] + a["width"] <= picture.width
            assert 0 <= a["y"] <= a["y"] + a["height"] <= picture.height
    message = " ".join(shape.text for shape in picture.shapes if shape.key.startswith("outcome "))
    assert (
        ("permission fault" in message and f"{int(walk.esr):#x}" in message)
        if walk.esr
        else f"{walk.outcome.pa:#x}" in message
    )
