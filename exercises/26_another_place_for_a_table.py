# %% tags=["about"]
kind = "order"
chapter = "09_who_owns_a_table"
difficulty = 2
minutes = 10
points = {"reachable": 2, "clean": 2, "other_kernels": 1}

# %% [markdown]
# # Exercise 26: another place for a table
#
# A kernel wants the frame of a page table for itself, while a program is running. So the table has to go into another page, and at
# no moment may the MMU find anything else than it found before: it can walk between any two lines. These are the steps, and some
# which do not belong there:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("26_another_place_for_a_table", SEED))

# %% [markdown]
# `old` is the `struct page` of the table, and `entry` is the entry above, which leads to it. `k.link(entry, page)` lets the entry
# lead to the table in `page`.
#
# **Your task.** Give the numbers of the lines in an order that works, and leave out what does not belong there. In the end the old
# page has been given back, and nothing is reported.


# %% tags=["stub"]
answer = []


# %% When may the MMU see the new table? [markdown] tags=["hint"]
# When it has all the entries. And a page that the MMU takes for a table has to be one in the kernel's books.

# %% When may the old page go? [markdown] tags=["hint"]
# When the MMU cannot reach it any more. And in which state does the allocator want it?

# %% tags=["call"]
from pgtlab.lab import check

check("26_another_place_for_a_table", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# Constructor and copy can change places. A real kernel has one more step between linking and freeing: processors remember what they
# have read, and have to forget it first.


# %% tags=["solution"]
ORDER = (
    "new = k.alloc_page()",
    "k.constructor(new)",
    "k.copy(old, new)",
    "k.link(entry, new)",
    "k.destructor(old)",
    "k.free(old)",
)
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% Links before it copies tags=["wrong"] mark=0 feedback="translation fault"
ORDER = (
    "new = k.alloc_page()",
    "k.constructor(new)",
    "k.link(entry, new)",
    "k.copy(old, new)",
    "k.destructor(old)",
    "k.free(old)",
)
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% Gives the old page back too early tags=["wrong"] mark=0 feedback="which is free"
ORDER = (
    "new = k.alloc_page()",
    "k.constructor(new)",
    "k.copy(old, new)",
    "k.free(old)",
    "k.link(entry, new)",
    "k.destructor(old)",
)
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% Forgets the constructor tags=["wrong"] mark=0 feedback="is not a table in the kernel's books"
ORDER = ("new = k.alloc_page()", "k.copy(old, new)", "k.link(entry, new)", "k.destructor(old)", "k.free(old)")
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% Forgets the destructor tags=["wrong"] mark=2 feedback="Bad page state"
ORDER = ("new = k.alloc_page()", "k.constructor(new)", "k.copy(old, new)", "k.link(entry, new)", "k.free(old)")
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% Forgets to give the old page back tags=["wrong"] mark=2 feedback="has not been given back"
ORDER = ("new = k.alloc_page()", "k.constructor(new)", "k.copy(old, new)", "k.link(entry, new)", "k.destructor(old)")
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% tags=["check"]
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from types import SimpleNamespace

from pgtlab import Config
from pgtlab.arch.fault import Fault
from pgtlab.lab.bugs.address_space import grow, map_page, new_mm, new_page, switch_mm
from pgtlab.lab.expectations import WrongAnswer
from pgtlab.lab.trees import Tree
from pgtlab.linux.kernel.page_flags import PG_table
from pgtlab.linux.kernel.printk import Panic

LINES = sorted(
    (
        "k.constructor(new)",
        "k.copy(old, new)",
        "k.destructor(new)",
        "k.destructor(old)",
        "k.free(new)",
        "k.free(old)",
        "k.link(entry, new)",
        "k.link(entry, old)",
        "new = k.alloc_page()",
    )
)


@dataclass(frozen=True)
class Lines:
    """The lines in the order in which a student sees them."""

    lines: list

    def __str__(self):
        return "\n".join(f"{number}  {line}" for number, line in enumerate(self.lines, 1))


def given(seed):
    """A student's lines."""
    lines = list(LINES)
    Random(f"lines {seed}").shuffle(lines)
    return Lines(lines)


@lru_cache(maxsize=8)
def ran(answer, seed, config=("4k", 48)):
    """Run the lines in a kernel of the model, and walk after each: what went wrong first, and the kernel at the end."""
    lines = given(seed).lines
    k = Tree.named("fixed").start_kernel(Config(*config))
    mm, va, page = new_mm(k), 0x7F00_1234_5000, new_page(k)
    map_page(k, mm, va, page.pfn)
    pmdp, ptep = grow(k, mm, va)
    old, counter, mmu = k.virt_to_page(ptep & -k.PAGE_SIZE), k.vmstat["nr_page_table_pages"], switch_mm(k, mm)
    view = SimpleNamespace(
        alloc_page=lambda: k.virt_to_page(k.get_zeroed_page()),
        constructor=k.pagetable_pte_ctor,
        destructor=k.pagetable_pte_dtor,
        copy=lambda a, b: k.memcpy(k.page_address(b), k.page_address(a), k.PAGE_SIZE),
        link=lambda entry, to: k.pmd_populate(mm, entry, to) if k.pmd_clear(entry) is None else None,
        free=lambda gone: k.__free_pages(gone, 0),
    )
    names = {"k": view, "old": old, "entry": pmdp}
    for number in answer:
        line = lines[number - 1]
        try:
            exec(line, names)
        except NameError:
            return f"`{line}` uses `new` before there is one.", "", k, old, counter
        except Panic:
            return (
                "",
                f"After `{line}` the kernel stops at `{k.reports[-1].text}`: what is the state of the page?",
                k,
                old,
                counter,
            )
        walk = mmu.translate(va, el=0)
        if isinstance(walk.outcome, Fault):
            return f"After `{line}` the MMU reports a {walk.outcome.kind} fault.", "", k, old, counter
        table = k.phys_to_page(walk.steps[-1].table)
        if table._refcount == 0:
            return (
                f"After `{line}` the MMU reads entries in a page which is free: what reaches it?",
                "",
                k,
                old,
                counter,
            )
        if table.page_type & PG_table:
            return (
                f"After `{line}` the MMU reads entries in a page that is not a table in the kernel's books.",
                "",
                k,
                old,
                counter,
            )
    return "", "", k, old, counter


def numbers(answer, seed):
    """The answer, if it is a list of the numbers of lines."""
    assert isinstance(answer, list | tuple), "`answer` is a list of numbers, such as `[3, 1, 7]`."
    for number in answer:
        known = type(number) is int and 1 <= number <= len(LINES)
        assert known, f"`{number!r:.40}` is not the number of a line."
    assert len({*answer}) == len(answer), "Every line can be used once."
    return tuple(answer)


def check_reachable(answer, seed):
    """The table moves, and at every moment the MMU finds what it found before, in a table."""
    wrong, *_ = ran(numbers(answer, seed), seed)
    if wrong:
        raise WrongAnswer(wrong, "still-reachable" if "free" in wrong else "")
    done = [given(seed).lines[number - 1] for number in answer]
    assert "k.link(entry, new)" in done, "At the end the entry still leads to the old table."
    assert done.index("k.link(entry, new)") == max(i for i, line in enumerate(done) if "link" in line), (
        "At the end the entry leads to the old table again."
    )


def check_clean(answer, seed):
    """The old page has been given back, nothing is reported, and the counter is right."""
    _, stopped, k, old, counter = ran(numbers(answer, seed), seed)
    assert not stopped, stopped
    for report in k.reports:
        raise WrongAnswer(f"{report.kind}: {report.text}. In which state was the page given back?", "no-check-on-free")
    assert old._refcount == 0, "The old page has not been given back: somebody still has a reference."
    assert k.vmstat["nr_page_table_pages"] == counter, (
        f"NR_PAGETABLE was {counter}, and is {k.vmstat['nr_page_table_pages']}: is every table counted once?"
    )


# %% tags=["hidden"]
def check_other_kernels(answer, seed):
    """It works with other page sizes, too."""
    for config in (("16k", 47), ("16k", 52), ("64k", 48)):
        wrong, stopped, k, old, counter = ran(numbers(answer, seed), seed, config)
        assert not wrong, wrong
        assert not stopped, stopped
        clean = not k.reports and old._refcount == 0 and k.vmstat["nr_page_table_pages"] == counter
        assert clean, f"{config}: something is left over."
