"""The MMU's indices on page tables of real kernels: they lead to the page that a real MMU found."""

import json
from pathlib import Path

import numpy as np
import pytest

from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import TCR_EL1, TTBR0_EL1, TTBR1_EL1, ISSDataAbort
from pgtlab.linux.boot import LINUX_LEVELS, Boot, Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config

DATA = Path(__file__).parents[1] / "data"
MACHINES = {m["config"]: m for m in json.loads((DATA / "kernel/translations.json").read_text())}
OOPSES = [json.loads(line) for line in (DATA / "oops/walks.jsonl").read_text().splitlines()]

AP_EL0 = 1 << 6  # AP[1]: user space may read


class Machine:
    """A recorded machine: its registers and the pages of its tables."""

    def __init__(self, name: str) -> None:
        page_size, va_bits = name.split("-va")
        registers = {name: int(value, 16) for name, value in MACHINES[name]["registers"].items()}
        self.boot = boot(Config(page_size, int(va_bits)), CPU.named(MACHINES[name]["cpu"]))
        self.tcr = TCR_EL1(registers["TCR_EL1"])
        self.roots = {
            "TTBR0_EL1": TTBR0_EL1(registers["TTBR0_EL1"]).BADDR << 1,
            "TTBR1_EL1": TTBR1_EL1(registers["TTBR1_EL1"]).BADDR << 1,
        }
        with np.load(DATA / f"kernel/tables-{name}.npz") as tables:
            self.pages = dict(zip(map(int, tables["phys"]), tables["data"], strict=True))

    def read64(self, pa: int) -> int:
        page = pa & -self.boot.config.page_size
        return int(self.pages[page][(pa - page) // 8])

    def walk(self, va: int) -> tuple[list[int], int | None]:
        """The descriptors from the root down, and the physical address; None where the last one is invalid."""
        d = decompose(va, self.boot)
        packing = OutputAddress.of(self.boot.config.granule, ds=bool(self.tcr.DS), pa_bits=self.tcr.IPS.bits)
        table, read = self.roots[d.ttbr], []
        for level in d.hardware:
            read.append(self.read64(table + 8 * level.index))
            if not read[-1] & 1:
                return read, None
            if level.level == 3 or not read[-1] & 2:
                return read, packing.unpack(read[-1], level.lo) + va % (1 << level.lo)
            table = packing.unpack(read[-1], self.boot.config.granule.shift)
        raise AssertionError("a walk ends at level 3")


@pytest.mark.parametrize("name", MACHINES)
def test_the_boot_is_that_of_the_machine(name):
    machine = Machine(name)
    assert machine.boot.tcr_el1 == machine.tcr


@pytest.mark.parametrize("name", MACHINES)
def test_kernel_addresses_lead_where_qemu_says(name):
    machine = Machine(name)
    answers = MACHINES[name]["kernel"]
    assert sum(pa != "Unmapped" for _, pa in answers) >= 40
    for va, pa in answers:
        _, found = machine.walk(int(va, 16))
        assert found == (None if pa == "Unmapped" else int(pa, 16)), va


@pytest.mark.parametrize("name", MACHINES)
def test_user_addresses_lead_where_qemu_says(name):
    """Recorded at EL0: an address that only the kernel may read is as good as unmapped."""
    machine = Machine(name)
    answers = MACHINES[name]["user"]
    assert sum(pa != "Unmapped" for _, pa in answers) >= 40
    for va, pa in answers:
        descriptors, found = machine.walk(int(va, 16))
        readable = found is not None and descriptors[-1] & AP_EL0
        assert (found if readable else None) == (None if pa == "Unmapped" else int(pa, 16)), va


# Oopses that people posted: the entries that the kernel printed, and the level of the fault that the MMU reported.


def booted(oops: dict) -> Boot:
    return boot(Config(f"{oops['page_kb']}k", oops["va_bits"]), CPU.named("max"))


def number_of(oops: dict) -> str:
    return f"{oops['page_kb']}k-va{oops['va_bits']}-{oops['addr']}"


def status(oops: dict) -> int:
    return ISSDataAbort(int(oops["esr"], 16) & ISSDataAbort.DFSC.mask).DFSC


TRANSLATION, PERMISSION = 0b0001, 0b0011  # DFSC without the level


@pytest.mark.parametrize("oops", [o for o in OOPSES if status(o) >> 2 in (TRANSLATION, PERMISSION)], ids=number_of)
def test_a_fault_is_at_the_hardware_level_of_the_last_entry_printed(oops):
    """Linux prints pgd, p4d, ... down to the entry that ends the walk; ESR_EL1 has the level in Arm's count."""
    levels = {level.name: level for level in decompose(int(oops["addr"], 16), booted(oops)).linux}
    printed = [name for name in LINUX_LEVELS if name in oops["entries"]]
    real = [name for name in printed if levels[name].fold is Fold.REAL]
    assert levels[real[-1]].level == status(oops) & 3


@pytest.mark.parametrize("oops", OOPSES, ids=number_of)
def test_a_level_folded_by_the_compiler_prints_the_entry_above(oops):
    entries = {"p4d": oops["entries"]["pgd"], **oops["entries"]}  # old kernels had no p4d to print
    for name, above in zip(LINUX_LEVELS[1:], LINUX_LEVELS, strict=False):
        if name in entries and booted(oops).folded.get(name) is Fold.COMPILE_TIME:
            assert entries[name] == entries[above]


@pytest.mark.parametrize("oops", [o for o in OOPSES if o["pgdp"]], ids=number_of)
def test_a_pgd_is_aligned_to_its_size(oops):
    """A pgd of a user process comes from a cache of its own where it is smaller than a page."""
    k = booted(oops).config.constants
    assert int(oops["pgdp"], 16) % (k.PTRS_PER_PGD * 8) == 0


@pytest.mark.parametrize("oops", OOPSES, ids=number_of)
def test_the_table_is_that_of_the_address(oops):
    va = int(oops["addr"], 16)
    if va >> 56 in (0x00, 0xFF):  # else a tag of KASAN's, which sets TBI1
        assert decompose(va, booted(oops)).ttbr == {"user": "TTBR0_EL1", "swapper": "TTBR1_EL1"}[oops["table"]]
