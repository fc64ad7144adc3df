"""What the model prints about a fault reads back to the values that the model had, in every configuration."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe, distinct_boots
from pgtlab.linux import oops
from pgtlab.linux.boot import Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.placement import Placement

BOOTS = {describe(booted): booted for booted in distinct_boots()}
every_boot = pytest.mark.parametrize("booted", BOOTS.values(), ids=BOOTS)


def crash(booted, call) -> Kernel:
    """A kernel in which debug_vm_pgtable calls `call(k)`."""
    k = Kernel(booted)
    k.livepatch(destroy_args=lambda k, args: call(k))
    assert k.run().outcome == "panic"
    return k


def read_back(dmesg, reports) -> None:
    """Every report of the model that a reader looks for is read, with its values."""
    kinds = {"Bad page state": "bad page", "Oops": "oops", "WARNING": "warning", "BUG": "bug"}
    found = [report for report in oops.read("\n".join(dmesg)).reports if report.kind != "panic"]
    expected = [report for report in reports if report.kind in kinds]
    assert [report.kind for report in found] == [kinds[report.kind] for report in expected]
    for report, model in zip(found, expected, strict=True):
        if model.kind == "Oops":
            assert (report.address, report.esr) == (model.address, model.esr)
            assert {name: value for name, value in report.registers.values.items() if name != "sp"} == model.registers
        if model.page_type is not None and report.page.page_type is not None:
            assert report.page.page_type.value == model.page_type
            assert report.page.page_type.names == ("table",)
            assert (report.page.pfn, report.page.mapcount) == (model.pfn, model.mapcount)
            assert report.page.raw in ((), tuple(model.raw))
        if model.kind in ("Oops", "WARNING"):
            assert report.functions == tuple(model.trace)


@every_boot
def test_the_run_of_the_story_in_every_configuration(booted):
    run = Tree.named("next-20240229").start_kernel(booted).run()
    if run.reports:
        read_back(run.dmesg, run.reports)
    else:
        with pytest.raises(oops.OopsError):
            oops.read("\n".join(run.dmesg))


@every_boot
def test_the_run_that_reports_and_survives(booted):
    run = Tree.named("arm64-for-next").start_kernel(booted).run()
    assert bool(run.reports) == (booted.folded["pud"] is Fold.REAL)  # otherwise there is no table to free
    if run.reports:
        read_back(run.dmesg, run.reports)


def test_the_story_with_the_places_of_its_boot():
    booted = boot(Config("4k", 48), CPU.named("max"))
    placement = Placement(0xFFFF_F761_8000_0000, 0xFFFF_8000_8007_B950, 0x18A65D)
    run = Tree.named("next-20240229").start_kernel(booted, placement=placement).run()
    read_back(run.dmesg, run.reports)
    assert oops.read(str(run)).facts.phys_offset == 0xFFFF_F761_8000_0000


@pytest.mark.slow
@every_boot
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_simulated_oops_reads_back(booted, data):
    """Beyond RAM in the linear map: where the tables end is what the walk, ESR_EL1 and this reader agree on."""
    offset = data.draw(st.integers(0, booted.vabits_actual - 2).map(lambda bit: 1 << bit))
    write = data.draw(st.booleans())
    addresses = []

    def stray(k):
        addresses.append(k.__va(k.memory.base + k.memory.size) + offset & -8)
        if write:
            k.write64(addresses[0], 1)
        else:
            k.read64(addresses[0])

    k = crash(booted, stray)
    report = next(one for one in oops.read(str(k.log)).reports if one.kind == "oops")
    (model,) = k.reports
    assert (report.address, report.esr) == (addresses[0], model.esr) == (model.address, model.esr)
    if report.walk.note:
        return
    walk = report.walk
    assert (walk.page_size, walk.va_bits, walk.start_level) == (k.PAGE_SIZE, k.vabits_actual, k.boot.start_level)
    assert [(entry.name, entry.value) for entry in walk.entries] == k.entries_of(k.init_mm, addresses[0])
    assert walk.pgdp == k.__pa(k.init_mm.pgd)
    assert walk.consistent, walk.inconsistency
    assert walk.first_invalid_level == k.mmu.translate(addresses[0]).outcome.level


def test_a_forbidden_store_agrees_with_the_entry_that_forbids_it():
    def write_protected(k):
        (_, pte), ptep = k.entries_of(k.init_mm, k.task_stack)[-1], k.mmu.translate(k.task_stack).steps[-1].address
        k.memory.write64(ptep, pte & ~k.PTE_DBM | k.PTE_RDONLY)
        k.write64(k.task_stack, 1)

    k = crash(boot(Config("4k", 48), CPU.named("max")), write_protected)
    walk = oops.read(str(k.log)).reports[0].walk
    assert (walk.consistent, walk.first_invalid_level) == (True, None)
    assert walk.entries[-1].descriptor.AP == 0b10
