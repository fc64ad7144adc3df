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
# # 3. What does an entry say?
#
# Somewhere in the tree of chapter 2 there is a 64-bit word that decides whether a program may read its own variable. One
# wrong bit in it and the program is stopped; another wrong bit, and every program can overwrite the kernel.
#
# Such a word contains an address. Which part of it?

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("03_an_entry")
chapter

# %% [markdown]
# Here is such a word, from a running process: the last one that the MMU reads for the address `0x400010`. (What `UXN` and `PXN`
# are, you see in 3.4.)

# %%
from pgtlab.lab.machine import Machine

machine = Machine()
process = machine.process("a")
process.map(0x40_0000, 0x8A65_D000, UXN=1, PXN=1)
entry = process.walk(0x40_0010).steps[-1].descriptor
print(f"{entry.value:#018x}")

# %% [markdown]
# ## 3.1 Two bits that say what it is
#
# Arm's word for an entry is **descriptor**; the two words mean the same. Its two lowest bits say what kind it is, and you
# need to know the level to understand them:
#
# With 4K pages, and addresses of up to 48 bits:
#
# | bits 1:0 | levels 0, 1 and 2 | level 3 |
# |---|---|---|
# | `00`, `10` | invalid | invalid |
# | `01` | a block at levels 1 and 2, invalid at level 0 | invalid |
# | `11` | a table | a page |
#
# Bit 0 is the **valid** bit: if it is 0, the MMU looks at nothing else and refuses the access: a **fault**. A **table
# descriptor** leads to the next table. A block and a page end the walk and map memory: each is a **leaf**. A **page descriptor**
# maps a page; it exists at level 3 only. A **block descriptor** is a leaf higher up: it maps in one piece all that a table below it would map, with 4K pages 2 MiB at level 2 and 1 GiB at
# level 1.
#
# The same two bits, `11`, mean *go on* above level 3 and *stop here* at level 3. That is a common source of mistakes, in
# programs and in exams.

# %%
for step in process.walk(0x40_0010).steps:
    print(f"level {step.level}: bits 1:0 = {step.descriptor.value & 0b11:02b}, {type(step.descriptor).__name__}")

# %%
chapter.ask("kind_of_entry")

# %% [markdown]
# ## 3.2 The address in it
#
# A table begins where a frame begins, and so does a page: at a multiple of 4096. The lowest 12 bits of such an address
# are always zero, so nobody needs to store them, and the entry uses their places for other things. The **output
# address** of an entry, where the next table, the page or the block begins, is what is left when all else is cleared:
# with 4K pages bits 47:12, each in its own place. The other bits are its **attributes**.
#
# Ignore all but OA now; OA is the output address.

# %%
entry

# %%
print(hex(entry.value & 0x0000_FFFF_FFFF_F000))

# %% [markdown]
# One expression, `word & 0x0000_ffff_ffff_f000`. Nothing is shifted. (The picture shows OA as a field of its own, as
# 0x8a65d: the twelve zeros on its right are left out.)

# %%
chapter.ask("output_address")

# %% [markdown]
# ## 3.3 A leaf higher up
#
# A block at level 2 stands for 512 pages, and the walk ends one level early. What happens to the nine bits of the address
# that would have been the index of level 3?

# %%
chapter.ask("address_in_a_block")

# %%
process.map(0x8000_0000, 0x9000_0000, count=512, blocks=True)
print(process.walk(0x8012_3450))

# %% [markdown]
# From the second line on, each line is: the level, table [index] = word, and what that word is. (The first line is explained in
# chapter 4, the last one in 3.5.) There is no read at level 3.
#
# So the nine bits belong to the offset: 12 + 9 = 21 bits. One read fewer, and one table fewer: blocks are how the kernel can map all
# of RAM with a handful of tables. (Many kernels use pages for RAM all the same, so that single pages can be write-protected.)

# %% [markdown]
# ## 3.4 Who may do what
#
# arm64 calls its levels of privilege **exception levels**: programs run at EL0, the kernel at EL1. Five bits say who may do
# what:
#
# - **AP**, access permissions, bits 7:6, is about reading and writing. Bit 6 lets EL0 do that; as far as AP goes, the kernel may
#   always read. Bit 7 *forbids writing*, to EL0 and EL1 alike.
# - **UXN** and **PXN**, bits 54 and 53: unprivileged and privileged execute never. They *forbid* to run instructions from
#   there, at EL0 and at EL1. Bit 6 has no part in that: a program may run a page that it may not read, if UXN is 0.
#   (Only this: what programs may write, the kernel never runs, whatever PXN is.)
# - **AF**, access flag, bit 10: whether the page was used since the kernel last cleared the flag. The kernel wants to notice
#   the first use: if AF is 0, the MMU refuses the access and calls the kernel, which sets AF. (Newer processors can set it
#   themselves, if the kernel asks for that.)
#
# Note the direction: except for bit 6 and AF, a 1 takes something away.

# %%
chapter.ask("who_may")

# %%
chapter.ask("who_may_run")

# %%
chapter.ask("read_only")

# %% [markdown]
# Do it in the model. `AP=3` sets both bits.

# %%
process.map(0x50_0000, machine.frame(), AP=3)
print(process.read(0x50_0000), "|", process.write(0x50_0000, 1))

# %%
chapter.ask("first_access")

# %% [markdown]
# ## 3.5 What kind of memory (full course)
#
# RAM may be kept in a cache, read ahead, and written later. A device must not be treated so: reading twice from a
# network card is not the same as reading once. An entry says which kind is meant by a number of three bits,
# AttrIndx, bits 4:2: a row in a list of eight kinds that the kernel gives to the MMU. These are an entry's memory
# attributes, together with SH, bits 9:8, which say who else must see a write at once.

# %%
print(process.walk(0x40_0010).outcome)

# %% [markdown]
# Normal is the kind for RAM; WB, write-back, means that a write may stay in the cache for a time; RWA, that a read and a
# write both bring the data into the cache; Inner Shareable, that all CPUs which run this kernel see the write.

# %% [markdown]
# ## 3.6 A word of your own
#
# The word from the beginning was a page at level 3. Say first what becomes of it if you clear bit 0; and what it is in a table of
# level 2.

# %%
machine.entry(entry.value & ~1, level=3)

# %%
machine.entry(entry.value, level=2)

# %% [markdown]
# The last one is the most instructive: the same word, one level up, is a table, and the MMU would read 512 more entries
# from what is really somebody's data.
#
# Now make a word of your own: change a bit or the level, and run the cell again. Can you make a block of it, which programs may
# only read?

# %%
machine.entry(entry.value ^ 0b10, level=3)

# %% [markdown]
# ## 3.7 In three lines
#
# - Bit 0 says valid; bits 1:0 and the level together say table, block or page.
# - The output address is the middle of the word, in place: bits 47:12 with 4K pages. It is not the whole word.
# - AP, UXN, PXN and AF say who may do what; most of them forbid when they are 1.

# %%
chapter.summary()

# %% [markdown]
# You can cut an address and read an entry. [That is all the MMU can do, too](04_the_walk.ipynb).
