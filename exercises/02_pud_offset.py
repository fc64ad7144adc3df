# %% tags=["about"]
kind = "build"
chapter = "08_folded_at_boot"
difficulty = 3
minutes = 12
points = {"wide": 1, "real": 1, "compile_time": 1, "run_time": 2, "boots": 1, "others": 1}

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
# | `k.ENTRY_SIZE` | bytes in an entry |
# | `k.CONFIG_PGTABLE_LEVELS`, `k.pgtable_l4_enabled()` | how many levels were built, and whether the PUD is real |
#
# An entry has 8 bytes. In processors to come it can have 16, and `k.ENTRY_SIZE` says which: your function has to work there
# too, and the check begins with such a kernel.


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

# %% tags=["seed"]
SEED = "practice"

# %% tags=["call"]
from pgtlab.lab import check

check("02_pud_offset", pud_offset, seed=SEED)

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
    return table + k.pud_index(addr) * k.ENTRY_SIZE


# %% Reads the p4d entry as a table where there is none tags=["wrong"] mark=3 feedback="what did you read at `p4dp`"
def pud_offset(k, p4dp, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    return k.__va(k.table_address(k.read64(p4dp))) + k.pud_index(addr) * k.ENTRY_SIZE


# %% Folds at run time as at compile time tags=["wrong"] mark=3 feedback="that is the answer for a PUD with one entry"
def pud_offset(k, p4dp, addr):
    if not k.pgtable_l4_enabled():
        return p4dp
    return k.__va(k.table_address(k.read64(p4dp))) + k.pud_index(addr) * k.ENTRY_SIZE


# %% Folds at compile time as at run time tags=["wrong"] mark=2 feedback="how many entries has a PUD table here"
def pud_offset(k, p4dp, addr):
    table = p4dp & ~(k.PAGE_SIZE - 1)
    if k.pgtable_l4_enabled():
        table = k.__va(k.table_address(k.read64(p4dp)))
    return table + k.pud_index(addr) * k.ENTRY_SIZE


# %% Counts from the entry, not from the start of the table tags=["wrong"] mark=3 feedback="counted from the start of the page"
def pud_offset(k, p4dp, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    table = p4dp
    if k.pgtable_l4_enabled():
        table = k.__va(k.table_address(k.read64(p4dp)))
    return table + k.pud_index(addr) * k.ENTRY_SIZE


# %% Takes it for granted that an entry has 8 bytes tags=["wrong"] mark=0 feedback="how many bytes has an entry"
def pud_offset(k, p4dp, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    table = p4dp & ~(k.PAGE_SIZE - 1)
    if k.pgtable_l4_enabled():
        table = k.__va(k.table_address(k.read64(p4dp)))
    return table + k.pud_index(addr) * 8


# %% Returns a physical address tags=["wrong"] mark=0 feedback="can the kernel read there"
def pud_offset(k, p4dp, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    table = p4dp & ~(k.PAGE_SIZE - 1)
    if k.pgtable_l4_enabled():
        table = k.table_address(k.read64(p4dp))
    return table + k.pud_index(addr) * k.ENTRY_SIZE


# %% tags=["check"]
from functools import lru_cache
from random import Random
from types import SimpleNamespace
from typing import NamedTuple

from pgtlab import Fold
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TTBR0_EL1, TTBR1_EL1
from pgtlab.lab.expectations import WrongAnswer
from pgtlab.lab.given_kernel import GivenKernel
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import addresses, describe, distinct_boots

NAMES = (
    "read64",
    "table_address",
    "__va",
    "pud_index",
    "PAGE_SIZE",
    "ENTRY_SIZE",
    "CONFIG_PGTABLE_LEVELS",
    "pgtable_l4_enabled",
)


def view(k):
    """What the answer sees of a kernel of the model, in which an entry has 8 bytes."""
    return GivenKernel(k, *NAMES[:5], *NAMES[6:], ENTRY_SIZE=8)


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


def wide_kernel(seed, real=True):
    """A made-up kernel with 4K pages and entries of 16 bytes, as (view, p4dp, address, the 256 entries of its PUD table)."""
    draw = Random(f"wide {seed} {real}")
    linear, pgd, pud = 0xFFFF_0000_0000_0000, 0x4123_4000, draw.randrange(0x4_2000, 0x4_3000) << 12
    index, p4d_index = draw.randrange(3, 256), draw.randrange(3, 256)
    slots = [range(linear + table, linear + table + 4096, 16) for table in (pgd, pud)]
    p4dp = slots[0][p4d_index]
    words = {p4dp: pud | 0b11}
    machine = SimpleNamespace(
        read64=lambda p: words.get(p, 0),
        table_address=lambda entry: entry & 0xFFFF_FFFF_F000,
        __va=lambda pa: linear + pa,
        pud_index=lambda addr: addr >> 28 & 0xFF,
        PAGE_SIZE=4096,
        ENTRY_SIZE=16,
        CONFIG_PGTABLE_LEVELS=4,
        pgtable_l4_enabled=lambda: real,
    )
    return GivenKernel(machine, *NAMES), p4dp, index << 28 | 0x123_4567, slots[real]


def mmu_reads(k, mm, va):
    """Where the MMU reads the entry that the PUD's is, on the tables of `mm`, as an address in the kernel."""
    pgd = ttbr1 = k.__pa(mm.pgd)
    if k.boot.vabits_actual < k.VA_BITS and not k.CONFIG_ARM64_LPA2:
        ttbr1 += k.TTBR1_BADDR_4852_OFFSET  # a 52-bit pgd on 48 bits: TTBR1_EL1 has the address of its last entries
    mmu = MMU(k.memory, k.boot.tcr_el1, TTBR0_EL1(pgd), TTBR1_EL1(ttbr1))
    read = {k.boot.config.granule.level_shift(step.level): step.address for step in mmu.translate(va).steps}
    return k.__va(read[k.PUD_SHIFT])


@lru_cache(maxsize=2)
def tables(seed):
    """Every kernel with page tables that its own functions built, as (kernel, address, p4dp, where the MMU reads)."""
    made = []
    for booted in distinct_boots():
        k = Tree.named("fixed").start_kernel(booted, seed)
        mm = k.mm_alloc()
        for va in (*addresses(booted, f"{seed}.1"), *addresses(booted, f"{seed}.2")):
            p4dp = k.p4d_alloc(mm, k.pgd_offset(mm, va), va)
            k.pmd_alloc(mm, k.pud_alloc(mm, p4dp, va), va)
            made.append((k, va, p4dp, mmu_reads(k, mm, va)))
    return made


def where(fold, pud_offset, seed):
    """The answer's steps where the PUD is folded like that."""
    for k, va, p4dp, mmu in tables(seed):
        if k.boot.folded["pud"] is fold:
            step = Step(k, va, p4dp, k.read64(p4dp), pud_offset(view(k), p4dp, va), mmu)
            assert isinstance(step.returned, int), (
                f"{step}: you returned `{step.returned!r:.40}`, which is not an address."
            )
            yield step


def check_wide(pud_offset, seed):
    """PUD real, entries of 16 bytes: you point at the right entry."""
    k, p4dp, addr, entries = wide_kernel(seed)
    got, index = pud_offset(k, p4dp, addr), k.pud_index(addr)
    assert isinstance(got, int), f"You returned `{got!r:.40}`, which is not an address."
    if k.__va(got) == entries[index]:
        raise WrongAnswer(
            f"You point at {got:#x}. There is the right entry, in physical memory: can the kernel read there?",
            "table-pointers-virtual",
        )
    assert got in range(entries[0], entries[-1] + 16), (
        f"Entries of 16 bytes, PUD real: you point at {got:#x}, and the PUD table begins at {entries[0]:#x}: which table "
        "does the p4d entry name?"
    )
    assert got == entries[index], (
        f"Entries of 16 bytes, PUD real: you point at byte {got - entries[0]:#x} of the right table. Which entry should "
        f"that be, and how many bytes has an entry here? Entry {index} is wanted."
    )


def check_real(pud_offset, seed):
    """PUD real: you point at the entry that the MMU reads."""
    for step in where(Fold.REAL, pud_offset, seed):
        k, got = step.k, step.returned
        page = ~(k.PAGE_SIZE - 1)
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
        if step.returned != step.mmu:
            raise WrongAnswer(
                f"{step}: you point at {step.returned:#x}, and the MMU reads at {step.mmu:#x}: how many entries has a "
                "PUD table here, and which one is it?",
                "folded-level-costs-a-read",
            )


def check_run_time(pud_offset, seed):
    """PUD folded at run time: you point at the entry that the MMU reads."""
    for step in where(Fold.RUN_TIME, pud_offset, seed):
        k, got = step.k, step.returned
        page = ~(k.PAGE_SIZE - 1)
        if got & page == k.__va(k.table_address(step.p4d)) & page:
            raise WrongAnswer(
                f"{step}: you point at {got:#x}, and the MMU reads at {step.mmu:#x}. There is no table below the p4d "
                "entry: what did you read at `p4dp`, if it was not the address of one?",
                "folded-level-costs-a-read",
            )
        if got == step.p4dp != step.mmu:
            raise WrongAnswer(
                f"{step}: you return `p4dp`, and that is the answer for a PUD with one entry. This one has "
                f"{k.PTRS_PER_PUD}: which of them does the MMU read?",
                "folded-index-is-0",
            )
        assert got == step.mmu, (
            f"{step}: you point {got - step.p4dp:#x} bytes after `p4dp`, which lies {step.p4dp & ~page:#x} bytes into "
            "its page. Where do you point, counted from the start of the page, and where does the MMU read?"
        )


def check_boots(pud_offset, seed):
    """With your function in place every kernel boots, reports nothing and loses no page."""
    for booted in distinct_boots():
        k = Tree.named("fixed").start_kernel(booted, seed)
        k.livepatch(pud_offset=lambda k, p4dp, addr: pud_offset(view(k), p4dp, addr))
        run = k.run()
        report = f": {run.reports[0].text}" if run.reports else ""
        assert run.outcome == "clean", f"{describe(booted)}: the kernel ends with a {run.outcome}{report}"
        assert not run.lost, f"{describe(booted)}: the kernel boots, but it does not find again what it allocated."


# %% tags=["hidden"]
def check_others(pud_offset, seed):
    """With entries of 16 bytes it is right where the PUD is folded at run time, too, and at other addresses."""
    for number in range(4):
        for real in (True, False):
            k, p4dp, addr, entries = wide_kernel(f"hidden {seed} {number}", real)
            assert pud_offset(k, p4dp, addr) == entries[k.pud_index(addr)], (
                f"Entries of 16 bytes, PUD {'real' if real else 'folded at run time'}: which entry is that?"
            )
    for fold in Fold:
        for step in where(fold, pud_offset, f"hidden {seed}"):
            assert step.returned == step.mmu, f"{step}: the MMU reads at {step.mmu:#x}."
