"""Boots that panic, each elsewhere in memory."""

from random import Random

import pytest

from pgtlab.lab.crash import crash
from pgtlab.linux.oops import read

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reader_of_logs_finds_where_everything_was(seed):
    boot = crash(Random(seed))
    values = {inference.name: inference.value for inference in read("\n".join(boot.run.dmesg)).reports[1].inferences}
    assert values["vmemmap"] == boot.kernel.vmemmap
    assert values["memstart_addr"] == boot.phys_offset
    assert values["page_on_stack"] == boot["x20"]
    assert values["bogus_pfn"] == boot["x1"]


def test_every_draw_is_another_boot():
    assert len({crash(Random(seed)).placement for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_steps_by_hand_end_at_the_registers(seed):
    boot = crash(Random(seed))
    values = {line.split(": ")[-1].split()[0]: int(line.split()[-1], 16) for line in boot.by_hand().splitlines()}
    assert values["vmemmap"] == boot.kernel.vmemmap
    assert {name: values[name] for name in ("x1", "x4", "x5")} == {name: boot[name] for name in ("x1", "x4", "x5")}
