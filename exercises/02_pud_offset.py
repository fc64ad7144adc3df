# %% [markdown]
# # Exercise 2: one `pud_offset()` for every kernel
#
# Linux always walks five levels: pgd, p4d, pud, pmd, pte. The MMU walks as many as there are. Where the two disagree, a
# level is *folded*: Linux still calls its functions, and they must lead to the entry that the MMU reads.
#
# Here is one address in one kernel, on a CPU with 52-bit addresses and on one without. Look at the pud.

# %%
from pgtlab import CPU, Config, boot, decompose

kernel = Config("16k", 52)
decompose(0x0000_4A5B_6C7D_8E9F, boot(kernel, CPU.named("max")))

# %%
decompose(0x0000_4A5B_6C7D_8E9F, boot(kernel, CPU.named("max,lpa2=off")))

# %% [markdown]
# **Your task.** Write `pud_offset(k, p4dp, addr)`. It gets `p4dp`, the address of the p4d entry for `addr`, and returns
# the address of the pud entry. The PUD may be
#
# | the PUD is | there is | so its entry is |
# |---|---|---|
# | real | a table for it, which the p4d entry names | in that table |
# | folded at compile time (`k.CONFIG_PGTABLE_LEVELS` is 3 or less) | no table; it has one entry | the p4d entry itself |
# | folded at run time (4 levels were built, `k.pgtable_l4_enabled()` is false) | no table; it has all its entries | in the page of the pgd |
#
# The kernel `k` has what you need:
#
# | | |
# |---|---|
# | `k.read64(p)` | the entry at address `p` |
# | `k.table_address(entry)` | the physical address of the table that an entry names |
# | `k.__va(pa)` | where the kernel sees a physical address: the only addresses that it can read |
# | `k.pud_index(addr)` | the index of `addr` in a PUD table |
# | `k.PAGE_SIZE` | bytes in a page |


# %% tags=["stub"]
def pud_offset(k, p4dp, addr):
    raise NotImplementedError


# %% The PUD is real [markdown] tags=["hint"]
# Three steps: read the p4d entry, find its table, and in the table the entry with the index of `addr`. A table is an array
# of 8-byte entries.

# %% Folded at run time: where does the table begin? [markdown] tags=["hint"]
# `p4dp` points somewhere into the page of the pgd, to the entry that Linux found with the index of a level that is not
# there. The MMU never saw that index. Which bits of `p4dp` does it come from, and what are they at the start of a page?

# %% It works for the kernel, and the check says no [markdown] tags=["hint"]
# A kernel that always makes the same mistake finds again what it wrote. The MMU does not make that mistake. The pictures
# show the bits that it takes: work out by hand where it reads.

# %% tags=["call"]
from pgtlab.lab import check

check("02_pud_offset", pud_offset)

# %% [markdown] tags=["solution"]
# The kernel has the three cases in three places: the first in `pgtable-nopud.h`, the others in arm64's `pud_offset()` and
# `p4d_to_folded_pud()`.
#
# To discuss: with `p4dp` returned where the PUD is folded at run time, `debug_vm_pgtable` finds nothing wrong. It asks the
# kernel's functions whether they agree with each other, and they do. Only the MMU disagrees.


# %% tags=["solution"]
def pud_offset(k, p4dp, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    table = p4dp & ~(k.PAGE_SIZE - 1)  # folded at run time: the page that the entry above is in
    if k.pgtable_l4_enabled():
        table = k.__va(k.table_address(k.read64(p4dp)))
    return table + k.pud_index(addr) * 8


# %% Reads the p4d entry as a table where there is none tags=["wrong"] feedback="what did you read at `p4dp`"
def pud_offset(k, p4dp, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    return k.__va(k.table_address(k.read64(p4dp))) + k.pud_index(addr) * 8


# %% Folds at run time as at compile time tags=["wrong"] feedback="that is the answer for a PUD with one entry"
def pud_offset(k, p4dp, addr):
    if not k.pgtable_l4_enabled():
        return p4dp
    return k.__va(k.table_address(k.read64(p4dp))) + k.pud_index(addr) * 8


# %% Folds at compile time as at run time tags=["wrong"] feedback="how many entries has a PUD table here"
def pud_offset(k, p4dp, addr):
    table = p4dp & ~(k.PAGE_SIZE - 1)
    if k.pgtable_l4_enabled():
        table = k.__va(k.table_address(k.read64(p4dp)))
    return table + k.pud_index(addr) * 8


# %% Counts from the entry, not from the start of the table tags=["wrong"] feedback="counted from the start of the page"
def pud_offset(k, p4dp, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    table = p4dp
    if k.pgtable_l4_enabled():
        table = k.__va(k.table_address(k.read64(p4dp)))
    return table + k.pud_index(addr) * 8


# %% Returns a physical address tags=["wrong"] feedback="can the kernel read there"
def pud_offset(k, p4dp, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    table = p4dp & ~(k.PAGE_SIZE - 1)
    if k.pgtable_l4_enabled():
        table = k.table_address(k.read64(p4dp))
    return table + k.pud_index(addr) * 8


# %% tags=["check"]
from functools import cache
from typing import NamedTuple

from pgtlab import Fold
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TTBR0_EL1, TTBR1_EL1
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import addresses, describe, distinct_boots
from pgtlab.linux.kernel.printk import Panic


class Step(NamedTuple):
    """One call of the answer: with what, what it returned, and where the MMU reads."""

    k: object
    va: int
    p4dp: int
    p4d: int
    returned: object
    mmu: int

    def __str__(self):
        return f"{describe(self.k.boot)}, {self.va:#x}"


def mmu_reads(k, mm, va):
    """Where the MMU reads the entry that the PUD's is, on the tables of `mm`, as an address in the kernel."""
    pgd = ttbr1 = k.__pa(mm.pgd)
    if k.boot.vabits_actual < k.VA_BITS and not k.CONFIG_ARM64_LPA2:
        ttbr1 += k.TTBR1_BADDR_4852_OFFSET  # a 52-bit pgd on 48 bits: TTBR1_EL1 has the address of its last entries
    mmu = MMU(k.memory, k.boot.tcr_el1, TTBR0_EL1(pgd), TTBR1_EL1(ttbr1))
    read = {k.boot.config.granule.level_shift(step.level): step.address for step in mmu.translate(va).steps}
    return k.__va(read[k.PUD_SHIFT])


@cache
def steps(pud_offset, seed):
    """The answer in every kernel, on addresses of both halves, in page tables that the kernel's own functions built."""
    taken = []
    for booted in distinct_boots():
        k = Tree.named("fixed").start_kernel(booted, seed)
        mm = k.mm_alloc()
        paths = []
        for va in (*addresses(booted, f"{seed}.1"), *addresses(booted, f"{seed}.2")):
            p4dp = k.p4d_alloc(mm, k.pgd_offset(mm, va), va)
            k.pmd_alloc(mm, k.pud_alloc(mm, p4dp, va), va)
            paths.append((va, p4dp))
        k.livepatch(pud_offset=pud_offset)
        for va, p4dp in paths:
            try:
                returned = k.pud_offset(p4dp, va)
            except Panic:
                returned = None
            taken.append(Step(k, va, p4dp, k.read64(p4dp), returned, mmu_reads(k, mm, va)))
    return taken


def where(fold, pud_offset, seed):
    """The steps where the PUD is folded like that, each with a usable address returned."""
    for step in steps(pud_offset, seed):
        if step.k.boot.folded["pud"] is fold:
            assert not step.k.reports, f"{step}: the kernel panics in your function: {step.k.reports[0].text}"
            assert isinstance(step.returned, int), (
                f"{step}: you returned `{step.returned!r:.40}`, which is not an address."
            )
            yield step


def check_real(pud_offset, seed):
    """PUD real: you point at the entry that the MMU reads."""
    for step in where(Fold.REAL, pud_offset, seed):
        k, got = step.k, step.returned
        page = ~(k.PAGE_SIZE - 1)
        assert got != k.__pa(step.mmu), (
            f"{step}: you point at {got:#x}. There is the right entry, in physical memory: can the kernel read there?"
        )
        assert got & page != step.mmu & page or got == step.mmu, (
            f"{step}: you point at byte {got & ~page:#x} of the right table: where is entry {k.pud_index(step.va)}, if "
            "each takes 8 bytes?"
        )
        assert got == step.mmu, (
            f"{step}: you point at {got:#x}, and the MMU reads at {step.mmu:#x}: which table does the p4d entry name?"
        )


def check_compile_time(pud_offset, seed):
    """PUD folded at compile time: you point at the entry that the MMU reads."""
    for step in where(Fold.COMPILE_TIME, pud_offset, seed):
        assert step.returned == step.mmu, (
            f"{step}: you point at {step.returned:#x}, and the MMU reads at {step.mmu:#x}: how many entries has a PUD "
            "table here, and which one is it?"
        )


def check_run_time(pud_offset, seed):
    """PUD folded at run time: you point at the entry that the MMU reads."""
    for step in where(Fold.RUN_TIME, pud_offset, seed):
        k, got = step.k, step.returned
        page = ~(k.PAGE_SIZE - 1)
        assert got & page != k.__va(k.table_address(step.p4d)) & page, (
            f"{step}: you point at {got:#x}, and the MMU reads at {step.mmu:#x}. There is no table below the p4d entry: "
            "what did you read at `p4dp`, if it was not the address of one?"
        )
        assert got != step.p4dp or got == step.mmu, (
            f"{step}: you return `p4dp`, and that is the answer for a PUD with one entry. This one has "
            f"{k.PTRS_PER_PUD}: which of them does the MMU read?"
        )
        assert got == step.mmu, (
            f"{step}: you point {got - step.p4dp:#x} bytes after `p4dp`, which lies {step.p4dp & ~page:#x} bytes into "
            "its page. Where do you point, counted from the start of the page, and where does the MMU read?"
        )


def check_boots(pud_offset, seed):
    """With your function in place every kernel boots, reports nothing and loses no page."""
    for booted in distinct_boots():
        k = Tree.named("fixed").start_kernel(booted, seed)
        k.livepatch(pud_offset=pud_offset)
        run = k.run()
        report = f": {run.reports[0].text}" if run.reports else ""
        assert run.outcome == "clean", f"{describe(booted)}: the kernel ends with a {run.outcome}{report}"
        assert not run.lost, f"{describe(booted)}: the kernel boots, but it does not find again what it allocated."
