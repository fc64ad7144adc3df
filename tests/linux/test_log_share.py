"""What share strings can say of a log: kernels that can have printed it, and addresses in it."""

import json
from pathlib import Path

import pytest

from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.boot import Boot
from pgtlab.linux.log_share import MOST_KERNELS, addresses, kernels
from pgtlab.linux.oops import read

DATA = Path(__file__).parents[1] / "data"
SEED = (DATA / "seed/next-20240229.log").read_text()
WALKS = [json.loads(line) for line in (DATA / "oops/walks.jsonl").read_text().splitlines()]
OOPS = "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP"


def shares(text: str) -> list[str]:
    return [str(kernel) for kernel in kernels(read(text).reports[0])]


@pytest.mark.parametrize(
    ("log", "kernel"),
    [
        (SEED, "pgtlab://4k/48/lpa2"),
        ((DATA / "kernel/panic-4k-va48.log").read_text(), "pgtlab://4k/48/lpa2"),
        ((DATA / "kernel/panic-16k-va52.log").read_text(), "pgtlab://16k/52/lpa2"),
    ],
    ids=["story", "4k/48", "16k/52"],
)
def test_kernel_of_a_recorded_panic(log, kernel):
    every = read(log)
    of_the_oops = next(report for report in every.reports if report.kind == "oops")
    assert [str(each) for each in kernels(of_the_oops)] == [kernel]


def test_kernel_of_a_simulated_panic_is_among_those_that_fit():
    panics = 0
    for booted in distinct_boots():
        run = Tree.named("next-20240229").start_kernel(booted).run()
        if run.outcome != "panic":  # a kernel with three levels has no pud to free
            continue
        panics += 1
        report = next(report for report in read("\n".join(run.dmesg)).reports if report.kind == "oops")
        fitting = [each.boot for each in kernels(report)]
        assert (booted.config.page_size, booted.config.va_bits, booted.vabits_actual) in [
            (each.config.page_size, each.config.va_bits, each.vabits_actual) for each in fitting
        ]
    assert panics > 3


def test_every_walk_of_a_real_kernel_has_its_kernel_among_those_that_fit():
    """The kernel prints its page size and the bits in use; VA_BITS may be larger than these."""
    for walk in WALKS[:: max(1, len(WALKS) // 40)]:
        log = read(
            f"{walk['table']} pgtable: {walk['page_kb']}k pages, {walk['va_bits']}-bit VAs, pgdp={walk['pgdp']}\n{OOPS}"
        )
        fitting = kernels(log.reports[0])
        assert 1 <= len(fitting) <= MOST_KERNELS
        for kernel in fitting:
            booted = kernel.boot
            assert isinstance(booted, Boot)
            assert (booted.config.page_size >> 10, booted.vabits_actual) == (walk["page_kb"], walk["va_bits"])


def test_log_that_hardly_says_which_kernel():
    assert shares(OOPS) == []


def test_release_decides_where_the_bits_do_not():
    """52 bits came to 4K pages in v6.9."""
    walk = "user pgtable: 4k pages, 48-bit VAs, pgdp=0000000041ef8000"
    header = "CPU: 0 PID: 1 Comm: init Not tainted {} #1"
    assert shares(f"{walk}\n{OOPS}") == ["pgtlab://4k/48/lpa2", "pgtlab://4k/52/no-lpa2"]
    assert shares(f"{walk}\n{OOPS}\n{header.format('5.15.0')}") == ["pgtlab://4k/48/lpa2"]


def test_addresses_of_the_story():
    log = read(SEED)
    first, *others = addresses(log)
    assert (first.name, first.va, log.reports[first.report - 1].kind) == ("the faulting address", 0x8, "oops")
    named = {address.name: address.va for address in others}
    assert named["a struct page on the stack"] == 0xFFFF80008007B950
    assert named["vmemmap"] == 0xFFFFFE223A000000
    assert all(address.va >> 52 == 0xFFF for address in others if address.is_register)
    assert len({address.va for address in (first, *others)}) == len(others) + 1
    assert "x1" not in named, "which holds the number of a frame"


def test_error_codes_and_small_numbers_in_registers_are_not_addresses():
    registers = "x3 : 0000000000000040 x2 : fffffffffffffff4 x1 : ffff00000a0b1000 x0 : 00000000ffffffff"
    assert [address.name for address in addresses(read(f"{OOPS}\n{registers}"))] == ["x1"]
