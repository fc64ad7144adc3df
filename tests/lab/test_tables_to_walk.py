"""Translations to try: each ends as its name says, on every kernel that differs, and Linux reads the same words."""

from pathlib import Path

import pytest

from pgtlab.arch.fault import Fault
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab.lab.matrix import boots
from pgtlab.lab.tables_to_walk import AddressSpace
from pgtlab.linux.boot import Boot
from pgtlab.linux.image import Image
from pgtlab.linux.kernel import Kernel

KINDS = list({(b.config, b.vabits_actual, b.tcr_el1): b for b in boots() if isinstance(b, Boot)}.values())
IMAGES = sorted(path.parent for path in Path("tests/data/kernel/ptdump").glob("*/regs.json"))


@pytest.fixture(scope="module", params=KINDS, ids=repr)
def space(request):
    return AddressSpace.process(Kernel(request.param))


def walked(space):
    return {trial.name: space.translate(trial.va, trial.access, trial.el) for trial in space.trials if not trial.rule}


def test_trials_end_as_named(space):
    ends = {name: str(walk.outcome) for name, walk in walked(space).items()}
    assert ends.pop("mapped").startswith("PA 0x")
    assert ends.pop("linear map") == "PA 0x40000000, Normal WB RWA, Inner Shareable"
    for level in range(space.boot.start_level, 4):
        assert ends.pop(f"nothing at level {level}").startswith(f"level {level} translation fault")
    assert ends.pop("write to a read-only page").startswith("level 3 permission fault")
    assert "translation fault" in ends.pop("NULL")
    assert "the address is outside the range" in ends.pop("LIST_POISON1, not canonical")
    assert " fault: " in ends.pop("linear map, from EL0")
    old = ends.pop("access flag clear")
    assert old.startswith("PA 0x" if space.boot.tcr_el1.HA else "level 3 access flag fault")
    assert ends.pop("address too large", "level 3 address size fault").startswith("level 3 address size fault")
    assert not ends


def test_address_too_large(space):
    [rule] = [trial.rule for trial in space.trials if trial.name == "address too large"]
    r = space.mmu.lower
    assert (rule == "") == (min(r.format.packing.bits, space.boot.config.pa_bits) > r.output_bits)


def test_linux_reads_the_words_that_the_mmu_reads(space):
    for walk in walked(space).values():
        found = {lookup.pa: lookup.value for lookup in space.lookups(walk)}
        if "outside the range" in str(walk.outcome):
            assert not found
        for step in walk.steps:
            assert found[step.address] == step.descriptor.value


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_linux_reads_the_words_of_a_real_kernel(path):
    space = AddressSpace.of_image(Image.open(path))
    assert not isinstance(walked(space)["kernel image"].outcome, Fault)
    for walk in walked(space).values():
        found = {lookup.pa: lookup.value for lookup in space.lookups(walk)}
        for step in walk.steps if walk.va_range.upper else ():
            assert found[step.address] == step.descriptor.value


def test_own_tables_have_no_kernel():
    space = AddressSpace.of_mmu(Mapper.in_ram(TCR_EL1(T0SZ=16)).mmu)
    walk = space.translate(0x1000)
    assert (space.boot, space.lookups(walk)) == (None, ())
