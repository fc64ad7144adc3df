# %% tags=["about"]
kind = "fix"
chapter = "11_who_did_it"
difficulty = 1
minutes = 8
points = {"survives": 3, "right_page": 2, "others": 1}

# %% [markdown]
# # Exercise 29: the second mistake
#
# The kernel of that day, with the first mistake fixed, still stops when somebody else frees a bad page. `__dump_folio()` is the place.
# In short, and with names that say what they do, it is this:
#
# ```python
# def dump_folio(k, folio, page, pfn, idx):
#     k.print_counts(folio, page, pfn, idx)
#     k.print_flags(folio, k.is_cma_page(page))
#     k.print_raw(page)
# ```
#
# It gets `pfn`, the number of the bad page's frame. `page` and `folio` may be copies on the stack. The second line prints whether the
# pageblock of the page is set aside for large requests (*CMA*): it looks that up.
#
# **Your task.** Write it so that it works. The whole report has to be printed, with the right word about the pageblock.
#
# | `k` has | |
# |---|---|
# | `k.print_counts(folio, page, pfn, idx)` | prints the line with refcount and mapcount |
# | `k.print_flags(folio, cma)` | prints the line with the flags, and `CMA` if `cma` is true |
# | `k.print_raw(page)` | prints the words of a `struct page` |
# | `k.is_cma_page(page)` | computes the frame's number from the address of a `struct page`, and looks in its pageblock |
# | `k.is_cma_frame(pfn)` | looks in the pageblock of the frame with this number |
# | `k.page_to_pfn(page)` | the number that follows from the address of a `struct page` |


# %% tags=["stub"]
def dump_folio(k, folio, page, pfn, idx):
    raise NotImplementedError


# %% Which line stops the kernel? [markdown] tags=["hint"]
# What does it compute from the address of a copy? Section 6b.4 is about it. And what does the function know besides?

# %% What may I ask about? [markdown] tags=["hint"]
# A pageblock belongs to a frame, not to the place where somebody keeps a copy. Look at the table of what `k` has: one of its
# functions wants no address at all.

# %% tags=["seed"]
SEED = "practice"

# %% tags=["call"]
from pgtlab.lab import check

check("29_dump_folio", dump_folio, seed=SEED)

# %% [markdown] tags=["solution"]
# The real fix passes the pfn down in the same way. The function had it all the time.


# %% tags=["solution"]
def dump_folio(k, folio, page, pfn, idx):
    k.print_counts(folio, page, pfn, idx)
    cma = k.is_cma_frame(pfn)
    k.print_flags(folio, cma)
    k.print_raw(page)


# %% Leaves the line out tags=["wrong"] mark=0 feedback="has no line with the flags"
def dump_folio(k, folio, page, pfn, idx):
    k.print_counts(folio, page, pfn, idx)
    k.print_raw(page)


# %% Asks about the folio tags=["wrong"] mark=0 feedback="was asked about the page that it got"
def dump_folio(k, folio, page, pfn, idx):
    k.print_counts(folio, page, pfn, idx)
    k.print_flags(folio, k.is_cma_page(folio))
    k.print_raw(page)


# %% Computes the number from the copy tags=["wrong"] mark=0 feedback="was asked about a number that no RAM has"
def dump_folio(k, folio, page, pfn, idx):
    k.print_counts(folio, page, pfn, idx)
    k.print_flags(folio, k.is_cma_frame(k.page_to_pfn(page)))
    k.print_raw(page)


# %% Says no, whatever the pageblock tags=["wrong"] mark=3 feedback="is set aside"
def dump_folio(k, folio, page, pfn, idx):
    k.print_counts(folio, page, pfn, idx)
    k.print_flags(folio, False)
    k.print_raw(page)


# %% tags=["check"]
from functools import lru_cache
from random import Random

from pgtlab import CPU, Config, boot
from pgtlab.lab.expectations import WrongAnswer
from pgtlab.lab.given_kernel import GivenKernel
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe
from pgtlab.linux.kernel.mmzone import MigrateType
from pgtlab.linux.kernel.printk import Panic

KERNELS = (("4k", 48, "max"), ("16k", 47, "max"), ("64k", 52, "max"), ("16k", 52, "max,lpa2=off"))


def freed(kernel, seed, cma, patch=None):
    """A kernel in which a page was freed that something still maps, with the functions of `patch` in it."""
    *config, cpu = kernel
    booted = boot(Config(*config), CPU.named(cpu))
    k = Tree.named("next+fix-pud-free").start_kernel(booted, seed)
    draw = Random(f"freed {seed} {kernel}")
    for _ in range(draw.randrange(1, 8)):
        page = k.virt_to_page(k.get_zeroed_page())
    page._mapcount = draw.randrange(4)
    if cma:
        k.set_pageblock_migratetype(page, MigrateType.CMA)
    k.livepatch(**patch or {})
    try:
        k.free_page(k.page_address(page))
    except Panic:
        return k, "stopped"
    return k, "reported"


def patched(dump_folio):
    """The answer as a function of the kernel."""

    def replaced(k, folio, page, pfn, idx):
        def print_counts(folio, page, pfn, idx):
            k.printk(
                f"page: refcount:{folio._refcount} mapcount:{k.page_mapcount(page)} mapping:{folio.mapping:016x} "
                f"index:{folio.index + idx:#x} pfn:{pfn:#x}"
            )

        def is_cma_frame(number):
            k.asked = "frame"
            return k.is_migrate_cma_folio(folio, number)

        k.asked = "page"
        k.hold(x20=page.address, x22=pfn, x24=page.page_type)
        view = GivenKernel(
            k,
            "print_flags",
            "print_raw",
            "page_to_pfn",
            is_cma_page="is_migrate_cma_page",
            print_counts=print_counts,
            is_cma_frame=is_cma_frame,
        )
        dump_folio(view, folio, page, pfn, idx)

    return {"__dump_folio": replaced}


@lru_cache(maxsize=32)
def wanted(kernel, seed, cma):
    """The lines about the page that a kernel without the mistake prints."""
    fixed = Tree.named("fixed").functions["__dump_folio"]
    return about(freed(kernel, seed, cma, {"__dump_folio": fixed})[0])


def about(k):
    """What a kernel printed about the page itself."""
    lines = [line.partition("] ")[2] for line in k.log.lines]
    return [line for line in lines if line.startswith(("page:", "flags:", "raw:"))]


def check_survives(dump_folio, seed):
    """The whole report is printed, and the kernel goes on."""
    for kernel in KERNELS:
        k, outcome = freed(kernel, seed, False, patched(dump_folio))
        where = describe(k.boot)
        if outcome == "stopped":
            last, what = k.reports[-1], "a number that no RAM has" if k.asked == "frame" else "the page that it got"
            raise WrongAnswer(
                f"{where}: the report ends in `{last.text}`, in {last.trace[0]}(): it was asked about {what}. `page` is a "
                "copy on the stack, and `folio` may be one: what does the function know besides?",
                "any-pointer-is-a-page",
            )
        lines, right = about(k), wanted(kernel, seed, False)
        for start, name in (("page:", "the counts"), ("flags:", "the flags"), ("raw:", "the raw words")):
            assert any(line.startswith(start) for line in lines), f"{where}: the report has no line with {name}."
        assert lines[0] == right[0], (
            f"{where}: you print `{lines[0]}`. Which number has the frame of the page? {right[0]}"
        )
        assert lines[-2:] == right[-2:], f"{where}: the raw words are not those of the page."


def check_right_page(dump_folio, seed):
    """The word about the pageblock is that of the page."""
    for kernel in KERNELS:
        for cma in (True, False):
            k, _ = freed(kernel, seed, cma, patched(dump_folio))
            got, right = about(k), wanted(kernel, seed, cma)
            is_set = "is set aside" if cma else "is not set aside"
            assert got == right, f"{describe(k.boot)}: the pageblock {is_set}, and you print `{got[1]}`."


# %% tags=["hidden"]
def check_others(dump_folio, seed):
    """It is right for other pages, too."""
    for kernel in KERNELS:
        for cma in (True, False):
            k, outcome = freed(kernel, f"hidden {seed}", cma, patched(dump_folio))
            assert outcome == "reported", f"{describe(k.boot)}: the kernel stops."
            assert about(k) == wanted(kernel, f"hidden {seed}", cma), f"{describe(k.boot)}: {about(k)}"
