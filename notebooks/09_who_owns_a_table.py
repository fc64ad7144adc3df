# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 9. Who owns a table?
#
# Line 4 of the log:
#
#     page: refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x18a65d
#
# `mapcount` says how often a page is mapped. Once, twice, never: but *minus 512 times*? Nobody can do that. The kernel
# printed it all the same, about a page that had been in perfect order a moment before.
#
# A page table is a page like any other. It comes from the same store of free pages as the memory of your programs, and
# goes back there. If it goes back too early, somebody else writes data into it, and the MMU takes these data for entries:
# a program could then read any memory of the machine. So the kernel keeps books about every page: who uses it, and what
# for. This chapter is about those books, and about one line in them that a function forgot to cross out.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("09_who_owns_a_table")
chapter

# %% [markdown]
# ## 9.1 Two counts
#
# For every frame of RAM the kernel keeps 64 bytes, its `struct page` (chapter 6b). Two numbers in it are about owners:
#
# - the **reference count**, `_refcount`, is the number of users of the page. A user takes a reference, and
#   drops it when done. Dropping the *last* one brings the page back to the store;
# - the **map count**, `_mapcount`, is the number of entries in page tables that map the page for a program.
#
# Part of the kernel may use a page that no program maps. Decide before you run the cell:

# %%
chapter.ask("counts_of_a_new_page")

# %%
from pgtlab.lab import Tree

k = Tree.named("arm64-for-next").start_kernel()  # a kernel of February 2024
page = k.alloc_pages(0)
print(f"refcount:{page._refcount} mapcount:{k.page_mapcount(page)}")

# %% [markdown]
# This is how a table begins its life too: one user, the address space that it belongs to, and no mapping. (The entry
# above a table *leads to* the table. It does not map it: no program can read the table through that entry.)

# %%
chapter.ask("references_and_mappings")

# %% [markdown]
# ## 9.2 What is stored, and what is printed
#
# `_mapcount` does not begin at 0. By convention it begins at **-1**, and each mapping adds one. (Then one test
# for a negative number shows *not mapped*.) A report prints a number for people, so it adds one again:
#
# | the page is mapped | stored in `_mapcount` | as 32 bits | printed |
# |---|---|---|---|
# | never | -1 | `0xffffffff` | `mapcount:0` |
# | once | 0 | `0x00000000` | `mapcount:1` |
# | three times | 2 | `0x00000002` | `mapcount:3` |
#
# **From the printed number back to the bits**, worked: `mapcount:-3`. One less is -4. A number below zero is stored in 32
# bits as 2^32 minus its size (chapter 0): 2^32 - 4 = `0xfffffffc`.
#
# **The last step is yours**: `mapcount:-16`. One less is -17. As 32 bits that is `0xffffff__`. Fill it in on paper; then
# let the model store that number, and print it as a report does:

# %%
page._mapcount = -17
print(
    f"stored {page._mapcount}, as 32 bits {page._mapcount & 0xFFFFFFFF:#010x}; printed mapcount:{k.page_mapcount(page)}"
)
page._mapcount = -1

# %% [markdown]
# And now alone:

# %%
chapter.ask("stored_for_printed")

# %% [markdown]
# Back to line 4. Compute its 32 bits on paper, then find them elsewhere in the log:

# %%
for number in range(25, 35):
    print(number, chapter.log[number])

# %%
chapter.ask("the_word_of_line_4")

# %% [markdown]
# You have met that word before: it is in the title of chapter 0. Now you know how it came into the log. But who stored it?
#
# ## 9.3 Four bytes with two names
#
# A page table is never mapped for a program, so for a table the map count is four wasted bytes. There is a `struct page`
# for every frame of RAM, and four bytes each add up. So the kernel uses them twice. In C this is a **union**: two names
# for the same bytes.
#
# - If programs map the page, the bytes are `_mapcount`.
# - If none does, they may be `page_type`, the **page type**: what the page is used for.
#
# Each type is one bit, and a page has the type if its bit is **cleared**. That sounds the wrong way round, until you
# look at a page that is nothing special: it must have `_mapcount` -1, which is `0xffffffff`, all bits set. Read as a
# type, that is *no type at all*. Both names agree about it.
#
# How does anybody tell a type from a count? By the value, as a signed number: whatever is below -128 is a type. No count
# gets there.

# %%
chapter.ask("type_of_a_page")

# %% [markdown]
# Now watch a page get the type *table*. Look for the byte that changes, and read the four by both names. (The view proposes what to
# call next; leave that for 9.5, where you first say what will happen.)

# %%
from pgtlab_widgets import PageInspector

inspector = PageInspector(tree="arm64-for-next")
inspector.do("alloc_pages(0)")
inspector.do("pagetable_pud_ctor(page)")
inspector

# %% [markdown]
# The report on a page prints those bytes as a map count, whatever they are. You know that number for a table, from line 4.
# What would it be for another type?

# %%
chapter.ask("what_a_type_prints")

# %% [markdown]
# Now line 4: -512 is -0x200, and 0x200 is the bit of *table*. The line does not say that somebody mapped the page minus 512
# times. It says: **I am a page table.**
#
# *Which kernel is this?* The log's calls itself 6.8.0-rc6: it is linux-next of that day, and what was in it became 6.9.
#
# *A newer kernel:* in 6.12 a type is a number in the top byte, `0xf2` for a table. A report prints `mapcount:0` for such a
# page: only its line `page_type: f2(table)` still names the type. Since 6.17 there is no such report: freeing a page clears its
# type before it is checked (`pgtlab trees --linux 6.17`).

# %% [markdown]
# ## 9.4 Constructor and destructor
#
# Who writes the type? When the kernel makes a table of a page, it calls a **constructor**: a function that sets the type
# and adds one to a counter, **NR_PAGETABLE**, of pages that are tables. (In this kernel the pte, pmd and pud tables of
# processes have one; the pgd and the p4d do not.) When the table is no longer needed, a
# **destructor** undoes both. You called the constructor above: `pagetable_pud_ctor(page)`.
#
# The page must also be linked into the tree, and unlinked. As long as the MMU can reach it, it must stay a table. Six
# things, then. In which order?

# %%
chapter.ask("order_of_a_table_s_life")

# %% [markdown]
# The whole life of a page, with the calls in the right order. (The MMU is left out: nobody links this table.) The row
# of calls above the picture leads back to the state after each; other orders come in 9.5.

# %%
life = PageInspector(tree="arm64-for-next")
life.do("alloc_pages(0)")
life.do("pagetable_pud_ctor(page)")
life.do("pagetable_pud_dtor(page)")
life.do("__free_pages(page, 0)")
life

# %% [markdown]
# The type is gone before the page goes. What you see in the four bytes *now* is the type of the page's new owner: the
# **buddy allocator**, the part of the kernel that keeps the free pages. It marks the first page of each free block with
# a type of its own, *buddy*, 0x80. (Our page is the first of a large block, because its neighbours were free as well:
# `private` = 9 says that the block has 2^9 pages.)
#
# Two more rows: `lru` links the page into lists, and `dead000000000122` is what Linux writes there when it takes a page off
# a list. `compound_head` has the first eight bytes of `lru` under another name; 0 says that the page is not a later page of
# a larger one.

# %% [markdown]
# ## 9.5 The allocator looks at what it gets
#
# A page that comes back should be nobody's any more. The allocator can check that, with one comparison for each count:
# `_refcount` must be 0, and `_mapcount` must be -1. A kernel that is built for debugging, as that of the log was, checks it; many
# others do not, to save time. What if somebody forgets the destructor?

# %%
chapter.ask("free_without_the_destructor")

# %%
page = k.alloc_pages(0)
k.pagetable_pud_ctor(page)
k.__free_pages(page, 0)
print(k.log)

# %% [markdown]
# A **bad page**: the allocator got a page in a state that no free page may be in. Find three things in this output: the
# `mapcount`; the four bytes, in the seventh word after `raw:`; and the reason, *nonzero mapcount*. (`refcount:0` is in
# order: the last reference was dropped, which is why the page came here. `mapping` and `index` say that it held no file.)
#
# The names under `Call trace:` say which function was called by which, and chapter 10a reads them. The first four do the
# printing. The last four start a kernel's tests: the model runs what you call as if it were such a test.
#
# After the report the allocator sets the four bytes to `0xffffffff`: that is what the view of 9.4 shows if you free a table so
# with its buttons. The allocator does *not* put the page on a list of free pages. One page of millions is lost, and the
# machine runs.
#
# A first idea to repair such code is to add the destructor at the end. But a destructor looks too: in a kernel for debugging
# it checks that the page that it gets is a table.

# %%
chapter.ask("free_first")

# %% [markdown]
# Try it. The model stops at the second call, as a real kernel of that time does that is built for debugging:

# %%
from pgtlab.linux.kernel.printk import Panic

page = k.alloc_pages(0)
k.pagetable_pud_ctor(page)
try:
    k.__free_pages(page, 0)
    k.pagetable_pud_dtor(page)
except Panic as stopped:
    print("the kernel stopped:", stopped)
for report in k.reports[1:]:
    print(f"{report.kind}: {report.text}, page_type {report.page_type:#x}")

# %% [markdown]
# A bad page alone does not stop a kernel, and this did: the destructor found `0xffffffff`, a page that is not a table, and its
# check stopped the kernel. (In 6.12 the report leaves the word as it is, and the late destructor goes unnoticed.)
#
# Dropping a reference has such a check too: a page that is freed when its reference count is 0 already stops a kernel for debugging.

# %% [markdown]
# ## 9.6 Counters are witnesses
#
# Not every kernel checks each page, and a table that is never freed at all is never checked. So the kernel also adds up:
# NR_PAGETABLE for the whole machine (where the kernel prints this counter, it is called `nr_page_table_pages`), and, in bytes,
# `pgtables_bytes` for each process. When all is undone, both must be back where they began.

# %%
chapter.ask("counter_after_mistakes")

# %% [markdown]
# How many tables *should* a process have? You can predict that, as in chapter 2:

# %%
chapter.ask("tables_of_a_process")

# %% [markdown]
# `new_mm` makes the address space of a new process, and `map_page` maps a frame in it, with all tables that it takes:

# %%
from pgtlab.lab.bugs.address_space import map_page, new_mm, new_page

k = Tree.named("fixed").start_kernel()
mm = new_mm(k)
for va in (0x0000_1000, 0x0000_2000, 0x0020_0000, 0x4000_0000, 0x80_0000_0000):
    map_page(k, mm, va, new_page(k).pfn)
    print(f"after {va:#14x}: NR_PAGETABLE {k.vmstat['nr_page_table_pages']}, pgtables_bytes {mm.pgtables_bytes}")

# %% [markdown]
# Say for each line of the output which tables are new, and why the second line has none. Then compare:
#
# <details><summary>The new tables</summary>
#
# - `0x1000`: three, one each of pud, pmd and pte.
# - `0x2000`: none. It is in the same 2 MiB, so the pte table is there already.
# - `0x200000`: the next 2 MiB, a pte table.
# - `0x40000000`: the next GiB, a pmd and a pte table.
# - `0x8000000000`: the next 512 GiB, again one each of pud, pmd and pte.
#
# </details>

# %% [markdown]
# ## 9.7 The function that forgot
#
# The function that makes a PUD table, and the one by which arm64 freed it in February 2024, in the model's Python. A
# `ptdesc` is the `struct page` of a table, `gfp` says what kind of memory is wanted, and `BUG_ON` stops the kernel if the
# address is not the beginning of a page:

# %%
from pgtlab.lab.trees import FOLD_PUDS_AT_RUNTIME
from pgtlab.linux.kernel.symbols import source_of

print(source_of(k.symbols["pud_alloc_one"]), "\n")
print(FOLD_PUDS_AT_RUNTIME.source("pud_free"))

# %% [markdown]
# Compare it with your order of a table's life: which of the six things is missing? Until 6.7 a PUD table had no
# constructor, and such a function was right. The constructor came some months before this function was merged, in another
# file, by other people, and nothing told the author that the rules had changed. Nor did anybody's machine: a process that
# ends frees its tables by another function, which does call the destructor (chapter 8). The kernel's test calls this one.
#
# **Repair it**: [exercise 3](../exercises/03_pud_free.ipynb) is the gate of this chapter. It is judged on every kernel
# of the model, also on those where the PUD is folded (chapter 8), and there is nothing to free.

# %% [markdown]
# ## 9.8 Buddies (full course)
#
# The allocator keeps free memory in blocks of 1, 2, 4, 8 … pages: the exponent is the block's *order*. A block begins at a
# multiple of its size. Two blocks of one order that make up a block of the next order are **buddies**: their pfns differ
# in one bit, that of the order. When a block is freed and its buddy is free as well, they merge, and the larger block
# looks for its own buddy.
#
# Worked: order 2, pfn `0x1234`. Bit 2 has the value 4. `0x1234` is …0011 0100: bit 2 is set. Turned over: `0x1230`.

# %%
chapter.ask("buddy_of")

# %%
k = Tree.named("fixed").start_kernel()
pages = [k.alloc_pages(0) for _ in range(4)]
for page in pages:
    k.__free_pages(page, 0)
    free = [
        f"{pfn:#x} of order {order}"
        for pfn, order, _ in k.page_zone(page).free_blocks()
        if pages[0].pfn <= pfn <= page.pfn
    ]
    print(f"freed {page.pfn:#x}; free blocks here: {', '.join(free)}")

# %% [markdown]
# The last line jumps from order 1 to order 9, which is 2 MiB: all the other pages there were free already, so the block
# found a free buddy at each order on the way.

# %% [markdown]
# ## 9.9 fork and exit (full course)
#
# **fork()** makes a process into two. The child must see the same memory as the parent, and after that each may change its
# own. A page of data is not copied until one of the two first writes to it. Tables are books about one address space, and
# data pages are what the books are about. Which of them must be new at once?

# %%
chapter.ask("tables_after_fork")

# %% [markdown]
# Parent and child map the same frame, through tables of their own:

# %%
from pgtlab.lab.bugs.address_space import free_pgtables, switch_mm

k = Tree.named("fixed").start_kernel()
parent, child, va, pfn = new_mm(k), new_mm(k), 0x7F00_1234_5000, new_page(k).pfn
for mm in (parent, child):
    map_page(k, mm, va, pfn)
    print(
        f"pgd at {mm.pgd:#x} leads to {switch_mm(k, mm).translate(va).outcome.pa:#x}; NR_PAGETABLE {k.vmstat['nr_page_table_pages']}"
    )

# %%
chapter.ask("order_of_an_exit")

# %%
for mm in (child, parent):
    free_pgtables(k, mm, va)
    k.mmput(mm)
    print(f"pgtables_bytes {mm.pgtables_bytes}, NR_PAGETABLE {k.vmstat['nr_page_table_pages']}")

# %% [markdown]
# ## 9.10 In three lines
#
# - `refcount` counts users, `mapcount` counts entries that map the page; what is stored in `_mapcount` is one less than
#   what is printed, and -1 means *never*.
# - The same four bytes are `page_type`: -512 is the type *table*, a cleared bit 0x200, printed as if it were a count.
# - Allocate, construct, link, unlink, destruct, free: to free a table without its destructor is to hand the allocator a
#   page that still says *I am a page table*. `pud_free` did.

# %%
chapter.summary()

# %% [markdown]
# You can read what the log says about the page. [What do its thirty registers say?](10a_registers.ipynb)
