# %% [markdown]
# # Exercise 3: fix `pud_free()`
#
# When arm64 learned to fold PUDs at run time, it got a `pud_free()` of its own:

# %%
from pgtlab import CPU, Config, boot
from pgtlab.lab.trees import FOLD_PUDS_AT_RUNTIME, Tree
from pgtlab.lab.variants import describe, distinct_boots

print(FOLD_PUDS_AT_RUNTIME.source("pud_free"))

# %% [markdown]
# Booted with it, many a kernel reports a bad page. Which ones?

# %%
tree = Tree.named("arm64-for-next")
for booted in distinct_boots():
    print(f"{describe(booted):60} PUD {booted.folded['pud'].value:23} {tree.start_kernel(booted).run().outcome}")

# %% [markdown]
# This is what one of them says. The page that is being freed was a PUD table; look at its `page_type`.

# %%
print(tree.start_kernel(boot(Config("16k", 52), CPU.named("max"))).run())

# %% [markdown]
# **Your task.** Write the `pud_free(k, mm, pud)` that arm64 should have. It gets `pud`, the address of a PUD table, and
# gives the table back, if it is one.
#
# | The kernel has | |
# |---|---|
# | `k.pgtable_l4_enabled()` | whether the PUD is a level of its own; no if it is folded, either way |
# | `k.virt_to_page(pud)` | the `struct page` of an address |
# | `k.pagetable_pud_ctor(page)` | the constructor: `page` becomes a page table, and is counted as one |
# | `k.pagetable_pud_dtor(page)` | the destructor |
# | `k.free_page(pud)` | give a page back, by its address |
# | `k.pagetable_free(page)` | give a page table's page back, by its `struct page` |
#
# To see what one kernel says of your function:
#
# ```python
# kernel = tree.start_kernel(boot(Config("16k", 52), CPU.named("max")))
# kernel.livepatch(pud_free=pud_free)
# print(kernel.run())
# ```


# %% tags=["stub"]
def pud_free(k, mm, pud):
    raise NotImplementedError


# %% What is wrong with the page? [markdown] tags=["hint"]
# An unused page has a `page_type` of `0xffffffff`. This one has `0xfffffdff`: the bit `PG_table` is cleared, which
# is how it says "I am a page table". Read `k.symbols["pud_alloc_one"]` with `inspect.getsource()`: it is where the table
# came from.

# %% In which order? [markdown] tags=["hint"]
# The allocator looks at the page at the moment that it gets it. After that the page is not yours to touch.

# %% What of a PUD that is folded? [markdown] tags=["hint"]
# There is no table to free. `pud` points into the pgd's page, and the pgd will be freed by `pgd_free()`.

# %% tags=["call"]
from pgtlab.lab import check

check("03_pud_free", pud_free)

# %% [markdown] tags=["solution"]
# Generic mm has the last three lines as `__pud_free()`, and the fix of the thread calls that: when the contract changes
# next time, it changes in one place. That is what went wrong here. The constructor and the destructor came with v6.7;
# arm64's copy of the function was written before, and freed the page as one did before.


# %% tags=["solution"]
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    page = k.virt_to_page(pud)
    k.pagetable_pud_dtor(page)
    k.pagetable_free(page)


# %% Frees without the destructor tags=["wrong"] feedback="who made it one, and who undoes that"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.pagetable_free(k.virt_to_page(pud))


# %% Calls the destructor and does not free tags=["wrong"] feedback="which function frees it"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.pagetable_pud_dtor(k.virt_to_page(pud))


# %% Frees although the PUD is folded tags=["wrong"] feedback="whose page is it"
def pud_free(k, mm, pud):
    page = k.virt_to_page(pud)
    k.pagetable_pud_dtor(page)
    k.pagetable_free(page)


# %% Frees twice tags=["wrong"] feedback="what was done to it before"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    page = k.virt_to_page(pud)
    k.pagetable_pud_dtor(page)
    k.pagetable_free(page)
    k.free_page(pud)


# %% Frees first tags=["wrong"] feedback="in which order"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    page = k.virt_to_page(pud)
    k.pagetable_free(page)
    k.pagetable_pud_dtor(page)


# %% Asks for the wrong level tags=["wrong"] feedback="left it alone"
def pud_free(k, mm, pud):
    if not k.pgtable_l5_enabled():
        return
    page = k.virt_to_page(pud)
    k.pagetable_pud_dtor(page)
    k.pagetable_free(page)


# %% tags=["check"]
from functools import cache

from pgtlab import Fold
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe, distinct_boots


@cache
def runs(pud_free, seed):
    """Every kernel with the answer in place: (boot, run)."""
    found = []
    for booted in distinct_boots():
        kernel = Tree.named("arm64-for-next").start_kernel(booted, seed)
        kernel.livepatch(pud_free=pud_free)
        found.append((booted, kernel.run()))
    return found


def real(pud_free, seed):
    """The runs where the PUD is real, each to its end."""
    for booted, run in runs(pud_free, seed):
        if booted.folded["pud"] is Fold.REAL:
            assert run.outcome != "panic", f"{describe(booted)}: to be seen once the kernel gets that far."
            yield booted, run


def check_folded(pud_free, seed):
    """PUD folded: everything stays as it is."""
    for booted, run in runs(pud_free, seed):
        fold = booted.folded["pud"]
        if fold is not Fold.REAL:
            assert run.outcome == "clean", (
                f"{describe(booted)}, PUD {fold.value}: the kernel says `{run.reports[0].text}`. `pud` is no PUD table "
                "here: whose page is it?"
            )
            assert not run.lost, f"{describe(booted)}, PUD {fold.value}: a page is lost, {run.lost[0]}."


def check_survives(pud_free, seed):
    """PUD real: no kernel panics."""
    for booted, run in runs(pud_free, seed):
        if booted.folded["pud"] is Fold.REAL and run.outcome == "panic":
            *before, last = run.reports
            assert not before, (
                f"{describe(booted)}: first the kernel reports a {before[0].kind}, `{before[0].text}`, then it stops at "
                f"`{last.text}`. The page was a page table when it should be none, and none when it should be one: in "
                "which order do you do things?"
            )
            raise AssertionError(
                f"{describe(booted)}: the kernel stops at `{last.text}`. Follow the page through your function: what "
                "was done to it before?"
            )


def check_no_report(pud_free, seed):
    """PUD real: no kernel reports anything."""
    for booted, run in real(pud_free, seed):
        for report in run.reports:
            seen = f"{describe(booted)}: {report.kind}, `{report.text}`."
            assert report.kind == "Bad page state", seen
            table = f"page_type is {report.page_type:#x}: the page was still a page table when it was freed"
            assert run.nr_page_table_pages, f"{seen} Its {table}. The destructor ran too: in which order?"
            raise AssertionError(f"{seen} Its {table}: who made it one, and who undoes that?")


def check_nothing_lost(pud_free, seed):
    """PUD real: every page that was allocated comes back."""
    for booted, run in real(pud_free, seed):
        if run.lost:
            assert not run.reports, (
                f"{describe(booted)}: pfn {run.lost[0].pfn:#x} is not used again. That is what becomes of a bad page."
            )
            assert run.nr_page_table_pages == 0, (
                f"{describe(booted)}: a page is lost, {run.lost[0]}. It still is a page table: your function left it "
                "alone. Is the PUD folded here?"
            )
            raise AssertionError(
                f"{describe(booted)}: a page is lost, {run.lost[0]}. It is no longer a page table: which function frees it?"
            )


def check_counter(pud_free, seed):
    """PUD real: the counter of page tables, `nr_page_table_pages`, is back at 0."""
    for booted, run in real(pud_free, seed):
        assert run.nr_page_table_pages == 0, (
            f"{describe(booted)}: the counter is at {run.nr_page_table_pages}. The constructor added 1: was the "
            "destructor called?"
        )
