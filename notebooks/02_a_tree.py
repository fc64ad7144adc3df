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
# # 2. Why a tree, and how deep?
#
# The list that says which frame a page is in has to be somewhere, and the MMU has to find the right line of it at every
# access. The obvious list is an array: line number = page number. How large would it be?
#
# If you can answer that, you know why it is not built so. The shape that is used instead is a tree, and it has
# one property that matters in chapter 8: a level of it can be left out.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("02_a_tree")
chapter

# %% [markdown]
# ## 2.1 The array that does not fit
#
# A pointer has 64 bits, but usually only the lowest 48 of them choose a byte: 48 bits are *in use*. (The others must be all 0 or
# all 1; chapter 4.) A program's list needs 8 bytes for each page: the frame, and a few bits that say what is allowed.
# (KiB, MiB, GiB and TiB are `2**10`, `2**20`, `2**30` and `2**40` bytes.)

# %%
chapter.ask("flat_table")

# %%
from pgtlab.arch.sizes import size_name

for bits, page in ((39, 1 << 12), (48, 1 << 12), (48, 1 << 16), (52, 1 << 12)):
    print(f"{bits} bits, pages of {size_name(page):>6}: an array of {size_name(8 * 2**bits // page)}")

# %% [markdown]
# And that for every process, though a process typically uses some thousand pages of the billions that it could. Such a
# list is called **sparse**: almost all of its lines are empty. The cure is old: do not store what is empty.

# %% [markdown]
# ## 2.2 A table of tables
#
# Cut the array into pieces of one page each. Most pieces are then wholly empty, and need not exist. A second array, with one
# line for each piece, says where it is, or that there is none.
#
# The second array is shorter, but may still be large and almost empty. Then it is cut in the same way, and a third array says
# where *its* pieces are; and so on, until an array fits into one page.
#
# A **page table** is such a piece: an array of 64-bit words that fills one page. A word in it is an **entry**. An entry
# says where to go next: in the last tables to a frame, in all others to the next table. The number of an entry in its
# table is its **index**.

# %%
chapter.ask("entries_in_a_table")

# %% [markdown]
# So the tables form a tree: one table on top, which leads to some others, and these to others again. Its steps are called **levels**, and Arm numbers them so
# that *the last one, which leads to frames, is always level 3*. The level above it is 2, then 1, then 0: *above* means nearer to
# the first table, and a smaller number.

# %% [markdown]
# ## 2.3 An address is a way down the tree
#
# So an address is cut into one index for each level, and the offset. This is the whole trick, and the picture that you
# should be able to draw from memory:

# %%
from pgtlab.arch.address_cut import cut

cut(0x7F00_1234_5678, "4k", bits=48)

# %% [markdown]
# From the right: the offset takes 12 bits, since a page has 4096 bytes. Then come 9 bits for each level, since a table
# has 512 entries. Level 3 is next to the offset. Above bit 47, nothing is an index; those bits come in chapter 4.
#
# Write it out once by hand. These are the steps, worked for level 2: it begins above the offset and above level 3, at bit
# 12 + 9 = 21; it has 9 bits; so it is `va >> 21 & 0x1ff`.

# %%
va = 0x7F00_1234_5678
print(hex(va >> 21 & 0x1FF), "at level 2, and at level 3:", hex(va >> 12 & 0x1FF))

# %% [markdown]
# (`va` is short for virtual address.) A **granule** is Arm's word for the page size that the tables are made for: 4K, 16K or 64K. With another granule
# everything moves, since both the page and the table have another size.

# %%
cut(0x7F00_1234_5678, "16k", bits=47)  # 47 and not 48: see 2.5

# %%
chapter.ask("index_at_a_level")

# %% [markdown]
# An entry of level 3 stands for one page. A level 3 table has 512 of them, so an entry of level 2, which leads to such a table,
# stands for 512 x 4 KiB = 2 MiB. And so on upwards, with the bits that lie below the index:

# %%
from pgtlab.arch.sizes import size_name

for level, lowest_bit in ((3, 12), (2, 21), (1, 30), (0, 39)):
    print(f"one entry of level {level}: 2**{lowest_bit} bytes = {size_name(1 << lowest_bit)}")

# %%
chapter.ask("one_entry_covers")

# %% [markdown]
# ## 2.4 How many tables does one byte need?

# %%
chapter.ask("tables_for_one_byte")

# %%
from pgtlab.lab.machine import Machine

process = Machine("4k", va_bits=48).process("a")
process.map(0x7F00_1234_5000, 0x8000_0000)
process

# %% [markdown]
# Four boxes in a row, one entry used in each. Four pages of tables for one page of data: that is the worst case. Watch
# what the next page costs, and the next thousand.

# %%
chapter.ask("and_the_next_page")

# %%
process.map(0x7F00_1234_6000, 0x8000_1000)
process.map(0x7F00_1240_0000, 0x8010_0000, count=1024)
process

# %% [markdown]
# In the box of level 2, the yellow line is three entries side by side, 0x91 to 0x93; each leads to one table of level 3.
#
# In text, each line is an entry, or a run of entries that continue each other: *[index] first address, kind, where it leads*. (RAM begins at `0x40000000` here, where the tables
# are put, and the frames of processes begin at `0x80000000`. The last words of a line are for chapter 3.)

# %%
print(process)

# %%
chapter.ask("tables_for_a_range")

# %% [markdown]
# ## 2.5 Where does it start?
#
# How many levels are needed depends on two numbers, the granule and the bits in use. With 48 bits and 4K pages: 48 - 12 =
# 36 bits of index, 9 a level, makes four levels. The last one is 3, so the first one is 0. The **start level** is the
# level of the first table, and the processor takes as few levels as can resolve all the bits. Its way from there down to
# the page is a **walk**.

# %%
chapter.ask("start_level")

# %%
from pgtlab.arch.granule import GRANULES

for granule in GRANULES:
    starts = {bits: granule.start_level(bits) for bits in (39, 47, 48, 52)}
    print(f"{granule.name:>3}: bits of address to start level: {starts}")

# %% [markdown]
# There is a level -1. Arm had numbered four levels 0 to 3 before a fifth was needed, for 52 bits with 4K pages; and since
# the last one has to stay 3, the new first one had to be -1.
#
# Look along the row of 16K: 47 bits start at level 1, and 48 bits at level 0. One bit more, and a whole level more. What
# does that level hold?

# %%
chapter.ask("first_index")

# %%
cut(0xFF00_1234_5678, "16k", bits=48)

# %% [markdown]
# A level with a single bit: a page of 16 KiB for a table with two entries. Every walk makes a step for it. A
# kernel that is built for 48 bits and 16K pages has it. One that is built for 52 bits and finds that the processor cannot do
# them takes 47, and leaves the level out. Remember this picture; it comes back.

# %% [markdown]
# ## 2.6 In three lines
#
# - An array of all pages would be larger than memory; a tree of tables stores only the parts that are used.
# - An entry has 8 bytes, a table fills one page; so an index has 9, 11 or 13 bits, and level 3 lies above the offset.
# - The walk starts at the level that resolves the highest bit in use; the first index may be short.

# %%
chapter.summary()

# %% [markdown]
# So far an entry "says where to go". [It says more than that](03_an_entry.ipynb).
