# %% tags=["about"]
kind = "fix"
chapter = "09_who_owns_a_table"
difficulty = 2
minutes = 12
points = {"counter": 1, "real": 2, "folded": 2, "others": 1}

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
# | The kernel `k` has | |
# |---|---|
# | `k.pgtable_l4_enabled()` | whether the PUD is a level of its own; no if it is folded, either way |
# | `k.pgtable_l5_enabled()` | the same question about the P4D |
# | `k.virt_to_page(pud)` | the `struct page` of an address |
# | `k.pagetable_ctor(page)` | the constructor: `page` becomes a page table, and is counted as one |
# | `k.pagetable_dtor(page)` | the destructor |
# | `k.pagetable_free(page)` | give a page table's page back, by its `struct page` |
# | `k.free_page(pud)` | give a page back, by its address |
#
# That is all that it has: your function is judged in a kernel where one constructor and one destructor serve all levels, as
# newer ones have it, and where no other function frees PUD tables.


# %% tags=["stub"]
def pud_free(k, mm, pud):
    raise NotImplementedError


# %% What is wrong with the page? [markdown] tags=["hint"]
# An unused page has a `page_type` of `0xffffffff`. This one has `0xfffffdff`: the bit `PG_table` is cleared, which
# is how it says "I am a page table". Section 9.7 of the chapter shows `pud_alloc_one()`, where the table came from.

# %% In which order? [markdown] tags=["hint"]
# The allocator looks at the page at the moment that it gets it. After that the page is not yours to touch.

# %% What of a PUD that is folded? [markdown] tags=["hint"]
# There is no table to free. `pud` points into the pgd's page, and the pgd will be freed by `pgd_free()`.

# %% tags=["seed"]
SEED = "practice"

# %% tags=["call"]
from pgtlab.lab import check

check("03_pud_free", pud_free, seed=SEED)

# %% [markdown] tags=["solution"]
# Generic mm has the last three lines as `__pud_free()`, and the fix of the thread calls that: when the contract changes
# next time, it changes in one place. That is what went wrong here. The constructor and the destructor came with v6.7;
# arm64's copy of the function was written before, and freed the page as one did before.


# %% tags=["solution"]
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    page = k.virt_to_page(pud)
    k.pagetable_dtor(page)
    k.pagetable_free(page)


# %% Frees without the destructor tags=["wrong"] mark=0 feedback="who made it one, and who undoes that"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.pagetable_free(k.virt_to_page(pud))


# %% Calls the destructor and does not free tags=["wrong"] mark=1 feedback="which function frees it"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.pagetable_dtor(k.virt_to_page(pud))


# %% Frees although the PUD is folded tags=["wrong"] mark=3 feedback="whose page is it"
def pud_free(k, mm, pud):
    page = k.virt_to_page(pud)
    k.pagetable_dtor(page)
    k.pagetable_free(page)


# %% Frees twice tags=["wrong"] mark=0 feedback="what was done to it before"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    page = k.virt_to_page(pud)
    k.pagetable_dtor(page)
    k.pagetable_free(page)
    k.free_page(pud)


# %% Frees first tags=["wrong"] mark=0 feedback="in which order"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    page = k.virt_to_page(pud)
    k.pagetable_free(page)
    k.pagetable_dtor(page)


# %% Asks for the wrong level tags=["wrong"] mark=0 feedback="left it alone"
def pud_free(k, mm, pud):
    if not k.pgtable_l5_enabled():
        return
    page = k.virt_to_page(pud)
    k.pagetable_dtor(page)
    k.pagetable_free(page)


# %% Forgets to call `pgtable_l4_enabled` tags=["wrong"] mark=0 feedback="without the parentheses"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled:
        return
    page = k.virt_to_page(pud)
    k.pagetable_dtor(page)
    k.pagetable_free(page)


# %% Passes the address for the page tags=["wrong"] mark=0 feedback="where a `struct page` is wanted"
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.pagetable_dtor(pud)
    k.free_page(pud)


# %% tags=["check"]
from functools import lru_cache

from pgtlab import Fold
from pgtlab.lab.expectations import WrongAnswer
from pgtlab.lab.given_kernel import GivenKernel
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe, distinct_boots

NAMES = ("pgtable_l4_enabled", "pgtable_l5_enabled", "virt_to_page", "pagetable_free", "free_page")


@lru_cache(maxsize=32)
def run(pud_free, booted, seed):
    """A kernel with the answer in place, until it stops or has tested its page tables."""
    kernel = Tree.named("arm64-for-next").start_kernel(booted, seed)

    def replaced(k, mm, pud):
        view = GivenKernel(k, *NAMES, pagetable_ctor="pagetable_pud_ctor", pagetable_dtor="pagetable_pud_dtor")
        return pud_free(view, mm, pud)

    kernel.livepatch(pud_free=replaced)
    return kernel.run()


def real(pud_free, seed):
    """The runs where the PUD is real."""
    for booted in distinct_boots():
        if booted.folded["pud"] is Fold.REAL:
            yield describe(booted), run(pud_free, booted, seed)


def check_counter(pud_free, seed):
    """PUD real: the kernel does not stop, and its counter of page tables is back at 0."""
    for where, ran in real(pud_free, seed):
        if ran.outcome == "panic":
            *before, last = ran.reports
            if before:
                raise WrongAnswer(
                    f"{where}: first the kernel reports a {before[0].kind}, `{before[0].text}`, then it stops at "
                    f"`{last.text}`. The page was a page table when it should be none, and none when it should be one: "
                    "in which order do you do things?",
                    "free-then-destruct",
                )
            raise AssertionError(
                f"{where}: the kernel stops at `{last.text}`. Follow the page through your function: what was done to "
                "it before?"
            )
        if ran.nr_page_table_pages == 0:
            continue
        if ran.reports:
            report = ran.reports[0]
            raise AssertionError(
                f"{where}: {report.kind}, `{report.text}`. Its page_type is {report.page_type or 0:#x}: the page was "
                "still a page table when it was freed: who made it one, and who undoes that?"
            )
        raise AssertionError(
            f"{where}: the counter of page tables is at {ran.nr_page_table_pages}, and a page is lost, {ran.lost[0]}. "
            "It still is a page table: your function left it alone. Is the PUD folded here?"
        )


def check_real(pud_free, seed):
    """PUD real: no kernel reports anything, and every page comes back."""
    for where, ran in real(pud_free, seed):
        for report in ran.reports:
            raise AssertionError(f"{where}: {report.kind}, `{report.text}`: in which state did the page come back?")
        assert not ran.lost, (
            f"{where}: a page is lost, {ran.lost[0]}. It is no longer a page table: which function frees it?"
        )


def check_folded(pud_free, seed):
    """PUD folded: everything stays as it is."""
    for booted in distinct_boots():
        fold = booted.folded["pud"]
        if fold is not Fold.REAL:
            ran = run(pud_free, booted, seed)
            if ran.outcome != "clean":
                raise WrongAnswer(
                    f"{describe(booted)}, PUD {fold.value}: the kernel says `{ran.reports[0].text}`. `pud` is not the "
                    "address of a PUD table here: whose page is it?",
                    "folded-is-freed",
                )
            assert not ran.lost, f"{describe(booted)}, PUD {fold.value}: a page is lost, {ran.lost[0]}."


# %% tags=["hidden"]
def check_others(pud_free, seed):
    """With other addresses it is the same."""
    for booted in distinct_boots():
        ran = run(pud_free, booted, f"hidden {seed}")
        assert ran.outcome == "clean", f"{describe(booted)}: {ran.reports[0].kind}, `{ran.reports[0].text}`."
        assert not ran.lost, f"{describe(booted)}: a page is lost, {ran.lost[0]}."
