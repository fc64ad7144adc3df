"""Both walkers on page tables of real kernels: they lead to the page that a real MMU found."""

import json
from pathlib import Path

import numpy as np
import pytest

from pgtlab.arch.memory import Memory
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TCR_EL1, TTBR0_EL1, TTBR1_EL1, ISSDataAbort
from pgtlab.arch.translations import Translations
from pgtlab.linux.boot import LINUX_LEVELS, Boot, Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config

DATA = Path(__file__).parents[1] / "data"
MACHINES = {m["config"]: m for m in json.loads((DATA / "kernel/translations.json").read_text())}
OOPSES = [json.loads(line) for line in (DATA / "oops/walks.jsonl").read_text().splitlines()]


def machine(name: str) -> MMU:
    """A recorded machine: its registers, and the pages of its tables."""
    registers = {register: int(value, 16) for register, value in MACHINES[name]["registers"].items()}
    with np.load(DATA / f"kernel/tables-{name}.npz") as tables:
        pages = dict(zip(tables["phys"].tolist(), tables["data"], strict=True))
    page_shift = (8 * next(iter(pages.values())).size).bit_length() - 1
    return MMU(
        Memory.of_pages(pages, page_shift),
        TCR_EL1(registers["TCR_EL1"]),
        TTBR0_EL1(registers["TTBR0_EL1"]),
        TTBR1_EL1(registers["TTBR1_EL1"]),
    )


def check(name: str, answers: list, el: int) -> None:
    """Both walkers find what was recorded."""
    mmu = machine(name)
    vas = [int(va, 16) for va, _ in answers]
    expected = [None if pa == "Unmapped" else int(pa, 16) for _, pa in answers]
    assert sum(pa is not None for pa in expected) >= 40
    walks = [mmu.translate(va, el=el) for va in vas]
    assert [getattr(walk.outcome, "pa", None) for walk in walks] == expected
    assert not Translations.of(walks).differs(mmu.translate_many(vas, el=el)).any()


@pytest.mark.parametrize("name", MACHINES)
def test_the_boot_is_that_of_the_machine(name):
    page_size, va_bits = name.split("-va")
    booted = boot(Config(page_size, int(va_bits)), CPU.named(MACHINES[name]["cpu"]))
    assert booted.tcr_el1 == machine(name).tcr


@pytest.mark.parametrize("name", MACHINES)
def test_the_mmu_reads_where_the_address_comes_apart(name):
    """The indices of `decompose` are those of the walk."""
    page_size, va_bits = name.split("-va")
    booted = boot(Config(page_size, int(va_bits)), CPU.named(MACHINES[name]["cpu"]))
    mmu = machine(name)
    for va, _ in MACHINES[name]["kernel"]:
        levels = [(level.level, level.index) for level in decompose(int(va, 16), booted).hardware]
        steps = [(step.level, step.index) for step in mmu.translate(int(va, 16)).steps]
        assert steps == levels[: len(steps)]


@pytest.mark.parametrize("name", MACHINES)
def test_kernel_addresses_lead_where_qemu_says(name):
    check(name, MACHINES[name]["kernel"], el=1)


@pytest.mark.parametrize("name", MACHINES)
def test_user_addresses_lead_where_qemu_says(name):
    """Recorded at EL0: an address that only the kernel may read is as good as unmapped."""
    check(name, MACHINES[name]["user"], el=0)


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
