# %% tags=["about"]
kind = "fix"
chapter = "08_folded_at_boot"
difficulty = 3
minutes = 12
points = {"run_time": 2, "real": 2, "compile_time": 1, "others": 1}

# %% [markdown]
# # Exercise 30: a walk from a copy
#
# Another CPU can change the tables while a kernel walks them. So there is a second way to walk, without a lock: it reads each entry
# *once*, into a variable, and goes on with what it has read. For that it needs functions that take the value of an entry, and
# somebody wrote this one. `k.on_the_stack(value)` puts a value on the stack and returns its address.
#
# ```python
# def pud_offset_of_copy(k, p4dp, p4d, addr):
#     return k.pud_offset(k.on_the_stack(p4d), addr)
# ```
#
# In most kernels it works. In some the walk reads from the stack, and takes whatever lies there for entries.
#
# **Your task.** Write `pud_offset_of_copy(k, p4dp, p4d, addr)` so that it works in all of them. It gets `p4dp`, the address of the p4d
# entry, and `p4d`, the value that was read there. It returns the address of the pud entry. It cannot read memory: what it read now might
# be something else.
#
# | `k` has | |
# |---|---|
# | `k.CONFIG_PGTABLE_LEVELS`, `k.pgtable_l4_enabled()` | how many levels were built, and whether the PUD is real |
# | `k.table_address(entry)` | the physical address of the table that an entry leads to |
# | `k.__va(pa)` | where the kernel sees a physical address |
# | `k.pud_index(addr)` | the index of `addr` in a PUD table |
# | `k.PAGE_SIZE` | bytes in a page |


# %% tags=["stub"]
def pud_offset_of_copy(k, p4dp, p4d, addr):
    raise NotImplementedError


# %% In which kernels does it go wrong? [markdown] tags=["hint"]
# Where the PUD is folded at run time: what does `pud_offset` do with the pointer that it gets?

# %% When is the value needed, and when the address? [markdown] tags=["hint"]
# The value leads to a table below, if there is one. If there is none, the address says in which page the walk is.

# %% tags=["seed"]
SEED = "practice"

# %% tags=["call"]
from pgtlab.lab import check

check("30_walk_from_a_copy", pud_offset_of_copy, seed=SEED)

# %% [markdown] tags=["solution"]
# In Linux these functions are called `..._lockless`. The generic version made the copy, and arm64 got versions of its own when
# this was seen, after Linux 6.10.


# %% tags=["solution"]
def pud_offset_of_copy(k, p4dp, p4d, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    first = k.__va(k.table_address(p4d)) if k.pgtable_l4_enabled() else p4dp & -k.PAGE_SIZE
    return first + 8 * k.pud_index(addr)


# %% Goes on from the value where there is no table tags=["wrong"] mark=0 feedback="There is no table below"
def pud_offset_of_copy(k, p4dp, p4d, addr):
    return k.__va(k.table_address(p4d)) + 8 * k.pud_index(addr)


# %% Folds at run time as at compile time tags=["wrong"] mark=0 feedback="the answer for a PUD with one entry"
def pud_offset_of_copy(k, p4dp, p4d, addr):
    if not k.pgtable_l4_enabled():
        return p4dp
    return k.__va(k.table_address(p4d)) + 8 * k.pud_index(addr)


# %% Goes on from the address where there is a table tags=["wrong"] mark=2 feedback="leads to another table"
def pud_offset_of_copy(k, p4dp, p4d, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    return (p4dp & -k.PAGE_SIZE) + 8 * k.pud_index(addr)


# %% Counts from the entry tags=["wrong"] mark=0 feedback="counted from the start of the page"
def pud_offset_of_copy(k, p4dp, p4d, addr):
    if k.CONFIG_PGTABLE_LEVELS <= 3:
        return p4dp
    first = k.__va(k.table_address(p4d)) if k.pgtable_l4_enabled() else p4dp
    return first + 8 * k.pud_index(addr)


# %% tags=["check"]
from functools import lru_cache

from pgtlab import Fold
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TTBR0_EL1, TTBR1_EL1
from pgtlab.lab.expectations import WrongAnswer
from pgtlab.lab.given_kernel import GivenKernel
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import addresses, describe, distinct_boots

NAMES = ("CONFIG_PGTABLE_LEVELS", "pgtable_l4_enabled", "table_address", "__va", "pud_index", "PAGE_SIZE")


@lru_cache(maxsize=2)
def walks(seed):
    """Kernels with tables: (kernel, p4dp, what was read there, address, where the MMU reads the pud entry)."""
    made = []
    for booted in distinct_boots():
        k = Tree.named("fixed").start_kernel(booted, seed)
        mm = k.mm_alloc()
        pgd = ttbr1 = k.__pa(mm.pgd)
        if booted.vabits_actual < k.VA_BITS and not k.CONFIG_ARM64_LPA2:
            ttbr1 += k.TTBR1_BADDR_4852_OFFSET  # a 52-bit pgd on 48 bits: TTBR1_EL1 has the address of its last entries
        mmu = MMU(k.memory, booted.tcr_el1, TTBR0_EL1(pgd), TTBR1_EL1(ttbr1))
        for va in addresses(booted, f"{seed}"):
            p4dp = k.p4d_alloc(mm, k.pgd_offset(mm, va), va)
            k.pmd_alloc(mm, k.pud_alloc(mm, p4dp, va), va)
            steps = mmu.translate(va).steps
            read = {booted.config.granule.level_shift(step.level): step.address for step in steps}
            p4d = k.read64(p4dp)
            made.append((k, p4dp, p4d, va, k.__va(read[k.PUD_SHIFT])))
            if booted.folded["pud"] is Fold.REAL:
                k.write64(p4dp, 0)  # another CPU was faster
    return made


def compare(answer, fold, seed):
    """Compare the answer with where the MMU reads, in kernels whose PUD is folded like that."""
    for k, p4dp, p4d, va, mmu in walks(seed):
        if k.boot.folded["pud"] is not fold:
            continue
        got, where = answer(GivenKernel(k, *NAMES), p4dp, p4d, va), f"{describe(k.boot)}, {va:#x}"
        page = -k.PAGE_SIZE
        assert isinstance(got, int), f"{where}: you returned `{got!r:.40}`, which is not an address."
        if got == mmu:
            continue
        where = f"{where}: you point at {got:#x}, and the MMU reads at {mmu:#x}. "
        if fold is Fold.REAL:
            assert got & page != p4dp & page, (
                f"{where}There is a PUD table, and p4d leads to another table than that: which?"
            )
            raise AssertionError(f"{where}Where does p4d lead, as the kernel sees it, and which entry is it there?")
        if got & page == k.__va(k.table_address(p4d)) & page:
            raise WrongAnswer(
                f"{where}There is no table below: what does the value say then?", "folded-level-costs-a-read"
            )
        if fold is Fold.RUN_TIME and got == p4dp:
            raise WrongAnswer(
                f"{where}That is the answer for a PUD with one entry. How many has it?", "folded-index-is-0"
            )
        raise AssertionError(
            f"{where}p4dp lies {p4dp % k.PAGE_SIZE:#x} bytes into its page. Where do you point, counted from the start of the page?"
        )


def check_run_time(pud_offset_of_copy, seed):
    """PUD folded at run time: you point at the entry that the MMU reads."""
    compare(pud_offset_of_copy, Fold.RUN_TIME, seed)


def check_real(pud_offset_of_copy, seed):
    """PUD real: you point at the entry that the MMU reads, whatever is in memory now."""
    compare(pud_offset_of_copy, Fold.REAL, seed)


def check_compile_time(pud_offset_of_copy, seed):
    """PUD folded at compile time: you point at the entry that the MMU reads."""
    compare(pud_offset_of_copy, Fold.COMPILE_TIME, seed)


# %% tags=["hidden"]
def check_others(pud_offset_of_copy, seed):
    """It is right for other addresses, too."""
    for fold in Fold:
        compare(pud_offset_of_copy, fold, f"hidden {seed}")
