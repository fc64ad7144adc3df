# %% tags=["about"]
kind = "build"
chapter = "07_five_names"
difficulty = 2
minutes = 10
points = {"wide": 2, "eight": 1, "mmu": 1, "others": 1}

# %% [markdown]
# # Exercise 20: `pmd_offset()` for entries of any size
#
# An entry has 8 bytes, and in all code of this course the 8 is written down. In processors to come an entry can have 16 bytes, so
# that there is room for more attributes. Then a table that fills a page has half as many entries, and an index one bit less.
#
# **Your task.** Write `pmd_offset(k, pudp, addr)`. It gets `pudp`, the address of the pud entry for `addr`, and returns the
# address of the pmd entry. The PMD is real in all these kernels. What `k` has:
#
# | | |
# |---|---|
# | `k.read(p)` | the entry at address `p`, whatever its size |
# | `k.table_address(entry)` | the physical address of the table that an entry leads to |
# | `k.__va(pa)` | where the kernel sees a physical address |
# | `k.PMD_SHIFT` | the lowest bit of the index in a PMD table |
# | `k.ENTRY_SIZE`, `k.PAGE_SIZE` | bytes in an entry, and in a table |


# %% tags=["stub"]
def pmd_offset(k, pudp, addr):
    raise NotImplementedError


# %% Three steps [markdown] tags=["hint"]
# Read the entry above; find its table, as the kernel sees it; go to the right entry in it. Section 7.2 has these steps in C and in
# Python.

# %% How many bits has the index? [markdown] tags=["hint"]
# How many entries has a table? With 4096 / 16 = 256 entries the index has 8 bits, and the mask is 255.

# %% tags=["seed"]
SEED = "practice"

# %% tags=["call"]
from pgtlab.lab import check

check("20_pmd_offset", pmd_offset, seed=SEED)

# %% [markdown] tags=["solution"]
# Nothing in it is a number: everything that depends on the machine has a name. That is how one code serves them all.


# %% tags=["solution"]
def pmd_offset(k, pudp, addr):
    entries = k.PAGE_SIZE // k.ENTRY_SIZE
    first = k.__va(k.table_address(k.read(pudp)))
    return first + (addr >> k.PMD_SHIFT) % entries * k.ENTRY_SIZE


# %% Takes it for granted that an entry has 8 bytes tags=["wrong"] mark=0 feedback="how many bytes has an entry"
def pmd_offset(k, pudp, addr):
    first = k.__va(k.table_address(k.read(pudp)))
    return first + (addr >> k.PMD_SHIFT) % (k.PAGE_SIZE // k.ENTRY_SIZE) * 8


# %% Counts the entries as if they had 8 bytes tags=["wrong"] mark=0 feedback="is not in that table"
def pmd_offset(k, pudp, addr):
    first = k.__va(k.table_address(k.read(pudp)))
    return first + (addr >> k.PMD_SHIFT) % (k.PAGE_SIZE // 8) * k.ENTRY_SIZE


# %% Returns a physical address tags=["wrong"] mark=0 feedback="can the kernel read there"
def pmd_offset(k, pudp, addr):
    entries = k.PAGE_SIZE // k.ENTRY_SIZE
    return k.table_address(k.read(pudp)) + (addr >> k.PMD_SHIFT) % entries * k.ENTRY_SIZE


# %% Takes the whole entry for the table's address tags=["wrong"] mark=0 feedback="bits of the pud entry"
def pmd_offset(k, pudp, addr):
    entries = k.PAGE_SIZE // k.ENTRY_SIZE
    return k.__va(k.read(pudp)) + (addr >> k.PMD_SHIFT) % entries * k.ENTRY_SIZE


# %% Goes to the next entry of the same table tags=["wrong"] mark=0 feedback="which table does the pud entry lead to"
def pmd_offset(k, pudp, addr):
    entries = k.PAGE_SIZE // k.ENTRY_SIZE
    return pudp + (addr >> k.PMD_SHIFT) % entries * k.ENTRY_SIZE


# %% tags=["check"]
from functools import lru_cache
from random import Random
from types import SimpleNamespace

from pgtlab import Config, boot
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TTBR0_EL1
from pgtlab.lab.expectations import WrongAnswer
from pgtlab.lab.given_kernel import GivenKernel
from pgtlab.lab.trees import Tree

NAMES = ("read", "table_address", "__va", "PMD_SHIFT", "ENTRY_SIZE", "PAGE_SIZE")


def made_up(seed, entry_size, page_shift):
    """A made-up kernel: what the answer sees, pudp, an address, and the places of the entries of its PMD table."""
    draw = Random(f"made up {seed} {entry_size} {page_shift}")
    size, linear = 1 << page_shift, 0xFFFF_0000_0000_0000
    tables = draw.sample(range(0x4000, 0x8000), 2)
    places = [range(linear + n * size, linear + (n + 1) * size, entry_size) for n in tables]
    pudp, shift = draw.choice(places[0]), page_shift + len(places[1]).bit_length() - 1
    words = {pudp: tables[1] * size | 3}
    machine = SimpleNamespace(
        read=lambda p: words.get(p, 0),
        table_address=lambda entry: entry & 0xFFFF_FFFF_FFFF & -size,
        __va=lambda pa: linear + pa,
        PMD_SHIFT=shift,
        ENTRY_SIZE=entry_size,
        PAGE_SIZE=size,
    )
    number = draw.randrange(len(places[1]) // 2 + 1, len(places[1]))
    addr = (draw.randrange(1, 64, 2) * len(places[1]) + number << shift) + draw.randrange(1 << shift)
    return GivenKernel(machine, *NAMES), pudp, addr, places[1], number


def compare(pmd_offset, seed, entry_size, page_shift):
    """Compare the answer with the place where the entry was put."""
    k, pudp, addr, places, number = made_up(seed, entry_size, page_shift)
    got, where = pmd_offset(k, pudp, addr), f"{1 << page_shift - 10}K pages, entries of {entry_size} bytes"
    assert isinstance(got, int), f"{where}: you returned `{got!r:.40}`, which is not an address."
    if k.__va(got) == places[number]:
        raise WrongAnswer(
            f"{where}: you point at {got:#x}. There is the right entry, in physical memory: can the kernel read there?",
            "table-pointers-virtual",
        )
    here = got - places[0]
    if got == places[number] + (k.read(pudp) & entry_size - 1):
        raise WrongAnswer(
            f"{where}: you point {here % entry_size} bytes behind the start of an entry. Which bits of the pud entry are not part of an address?",
            "pointer-is-the-word",
        )
    if pudp <= got < pudp + k.PAGE_SIZE:
        raise WrongAnswer(
            f"{where}: you point into the table of the pud entry itself: which table does the pud entry lead to?",
            "the-next-entry-is-the-next-level",
        )
    assert 0 <= here < 2 * k.PAGE_SIZE, f"{where}: you point at {got:#x}, and the PMD table is at {places[0]:#x}."
    assert here < k.PAGE_SIZE, (
        f"{where}: you point {here:#x} bytes after the start of the table, which is not in that table any more: how many "
        "entries has a table here?"
    )
    assert got == places[number], (
        f"{where}: you point {here:#x} bytes into the right table. Which entry does the address choose, and how many bytes has "
        f"an entry? It is entry {number}."
    )


def check_wide(pmd_offset, seed):
    """With entries of 16 bytes you point at the right one."""
    for page_shift in (12, 14, 16):
        compare(pmd_offset, seed, 16, page_shift)


def check_eight(pmd_offset, seed):
    """With entries of 8 bytes you point at the right one."""
    for page_shift in (12, 14, 16):
        compare(pmd_offset, seed, 8, page_shift)


@lru_cache(maxsize=4)
def real(seed):
    """Kernels of the model with tables: (kernel, pudp, address, where the MMU reads)."""
    made = []
    for config in (Config("4k", 48), Config("16k", 47), Config("64k", 48)):
        k = Tree.named("fixed").start_kernel(boot(config), seed)
        mm, va = k.mm_alloc(), Random(f"real {seed} {config}").randrange(1 << 46) & -k.PAGE_SIZE
        pudp = k.pud_alloc(mm, k.p4d_alloc(mm, k.pgd_offset(mm, va), va), va)
        k.pmd_alloc(mm, pudp, va)
        steps = MMU(k.memory, k.boot.tcr_el1, TTBR0_EL1(k.__pa(mm.pgd))).translate(va).steps
        read = next(step.address for step in steps if step.level == 2)
        made.append((k, pudp, va, k.__va(read)))
    return made


def check_mmu(pmd_offset, seed):
    """In the kernels of the model you point at the entry that the MMU reads."""
    for k, pudp, va, mmu in real(seed):
        view = GivenKernel(k, "table_address", "__va", "PMD_SHIFT", "PAGE_SIZE", read="read64", ENTRY_SIZE=8)
        got = pmd_offset(view, pudp, va)
        assert got == mmu, f"{k.boot.config}, {va:#x}: you point at {got!r:.40}, and the MMU reads at {mmu:#x}."


# %% tags=["hidden"]
def check_others(pmd_offset, seed):
    """It is right for other addresses and other sizes, too."""
    for number in range(6):
        for entry_size in (8, 16, 32):
            compare(pmd_offset, f"hidden {seed} {number}", entry_size, 12 + 2 * (number % 3))
