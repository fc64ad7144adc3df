"""The picture of a walk: what is pale, what is hidden, and the lines."""

import re
from itertools import combinations

import pytest

from pgtlab.lab.tables_to_walk import small_process
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.walk_picture import walk_picture


def process(booted=None):
    space = small_process(booted or boot(Config("4k", 48), CPU.named("max")))
    return space, space.translate(space.trials[0].va | 0x123, el=0)


def drawn(space, walk, **steps):
    picture = walk_picture(walk, space.mmu.memory, space.lookups(walk), **steps)
    return {shape.key: shape for shape in picture.shapes}, picture


def classes(shapes, key):
    return shapes[key].attributes["class"].split()


def test_later_steps_are_pale():
    space, walk = process()
    shapes, _ = drawn(space, walk, at=2)
    assert "ghost" not in classes(shapes, "table 1")
    assert "now" in classes(shapes, "word 1 0")
    assert "ghost" in classes(shapes, "table 2")
    assert "ghost" in classes(shapes, "elbow level 2")
    assert "ghost" in classes(shapes, "outcome")
    assert not any("ghost" in shape.attributes["class"] for shape in drawn(space, walk)[1].shapes)


def test_what_the_reader_does_not_know_is_not_shown():
    """After the entry of level 1 is read and before its address is known: nothing follows from it yet."""
    space, walk = process()
    shapes, picture = drawn(space, walk, at=2, known=1)
    shown = "\n".join([picture.description, *(f"{shape.text} {shape.hint}" for shape in picture.shapes)])
    table, page = walk.steps[1].descriptor.oa, walk.steps[-1].descriptor.oa
    for secret in (f"{table:#x}", f"{page:#x}", f"{walk.outcome.pa:#x}"):
        assert secret not in shown
    assert "word 1 0 text address" not in shapes  # which would say where the address is in the word
    assert shapes["level 2 at"].text == "?"
    assert "va level 2" not in shapes  # nor is it shown which bits it has
    assert shapes["va rest"].attributes["x"] > shapes["va level 1"].attributes["x"]
    assert f"{walk.steps[0].descriptor.oa:#x}" in shown
    told, _ = drawn(space, walk, at=2, known=2)
    assert told["level 2 at"].text == f"{table:#x}"
    assert "word 2 0 text" not in told


@pytest.mark.parametrize("booted", distinct_boots(), ids=repr)
def test_no_two_lines_of_the_address_cross(booted):
    space, walk = process(booted)
    shapes, _ = drawn(space, walk)
    lines = [segments(shape.attributes["d"]) for key, shape in shapes.items() if key.startswith("elbow")]
    assert len(lines) == len(walk.steps) + 1
    for one, other in combinations(lines, 2):
        assert not any(cross(a, b) for a in one for b in other)


def segments(d):
    """The straight parts of a path of M, H and V."""
    parts, x, y = [], 0.0, 0.0
    for command, numbers in re.findall(r"([MHV])([\d. ]+)", d):
        before = x, y
        x, y = {
            "M": lambda a, b: (a, b),
            "H": lambda a, y=y: (a, y),
            "V": lambda a, x=x: (x, a),
        }[command](*map(float, numbers.split()))
        if command != "M":
            parts.append((min(before, (x, y)), max(before, (x, y))))
    return parts


def cross(one, other):
    (ax, ay), (bx, by) = one
    (cx, cy), (dx, dy) = other
    return max(ax, cx) <= min(bx, dx) and max(ay, cy) <= min(by, dy)


def test_address_digits_of_an_lpa2_entry():
    """Bits 51:50 of the address are in bits 9:8 of the word, whose digit is marked too."""
    space, walk = process(boot(Config("16k", 52), CPU.named("max")))
    shapes, _ = drawn(space, walk)
    marked = {int(key.split()[-1]) for key in shapes if key.startswith("word 3 0 digit")}
    assert marked == {*range(3, 13), 13}


def test_lines_lead_only_to_entries_that_are_read():
    """The field of a level below the fault chooses nothing."""
    space = small_process(boot(Config("4k", 48), CPU.named("max")))
    hole = next(trial for trial in space.trials if trial.name == "nothing at level 2")
    shapes, _ = drawn(space, space.translate(hole.va, el=0))
    assert [key for key in shapes if key.startswith("elbow")] == ["elbow level 0", "elbow level 1", "elbow level 2"]
