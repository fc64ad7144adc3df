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
# # 12. What does it cost?
#
# In chapter 8 a kernel with 16K pages fell back to **47** bits, and folded a level for it. The processor can do 48. Why give
# up a bit? The commit says that a first level with only two entries makes poor use of what the processor remembers.
#
# One level more: four reads instead of three. So programs would be a third slower? Count, before you believe it.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("12_the_cost_of_a_walk")
chapter

# %% [markdown]
# ## 12.1 What a walk costs

# %%
chapter.ask("reads_without_a_tlb")

# %% [markdown]
# No processor could live with that. A **TLB**, translation lookaside buffer, is a small memory inside it that keeps finished
# translations: page and frame. If the page is in it, the access is a *hit*, and there is no walk; if not, it is a *miss*, and the
# walk's result is kept.

# %%
chapter.ask("tlb_reach")

# %% [markdown]
# If the TLB is full, an entry has to go: here it is the one whose last use is longest ago, the *least recently used*, LRU. This is a
# small TLB at work, access by access. Step, and say before each step: hit or miss? And which entry will go?

# %%
from pgtlab_widgets import TLBView

TLBView()

# %% [markdown]
# ## 12.2 Whose translation is it?

# %%
chapter.ask("the_same_address_twice")

# %% [markdown]
# That number is the **ASID**, the address space identifier. The kernel gives one to each process. On arm64 Linux writes it into
# some of the upper bits of TTBR1_EL1, and a bit of TCR_EL1, A1, says that it is taken from there.
#
# ## 12.3 A level with two entries
#
# Three ways to use 16K pages: with 47 bits, which that kernel falls back to; with 48, which it might have used instead; and with
# 52, which it uses on a processor with LPA2:

# %%
from pgtlab.lab.cost_comparison import HARDWARE, MAPPINGS, regimes, walk_costs
from pgtlab.plot.walk_cost import plot_walk_costs

compared = regimes("16k")
for regime in compared:
    print(
        f"{regime.name:12} {regime.levels} levels, from level {regime.start_level}, first table: {regime.first_table} entries"
    )

# %% [markdown]
# If a walk is needed, it need not start at the top. A **walk cache** remembers tables: if it knows where the level 3 table is,
# a walk reads one entry and is done. Processors differ: some have none, some remember last tables only, some have one for all
# levels or one for each.
#
# Now seven kinds of program: *sequential*, word after word; *strided*, every 64 KiB; *uniform*, any word of 8 GiB; *chase*, a
# random chain of pointers; *zipf*, some pages far more often than others; *scattered*, 512 small mappings anywhere; and
# *processes*, 32 of them in turn. (The next two cells count, and can take some seconds the first time.)

# %%
chapter.ask("one_more_level")

# %% [markdown]
# Each program makes 40,000 accesses. Each dot is counted while these addresses run through a TLB and real tables.

# %%
costs = walk_costs(compared, accesses=40_000, progress=True)
plot_walk_costs(costs)

# %% [markdown]
# Panel by panel: without a walk cache every walk with 48 bits reads four entries instead of three. With one for last
# tables only, it depends on whether the program stays near. With one for all levels, *shared*, or one for each level the dots lie on one another.

# %%
for hardware in costs.names("hardware"):
    bits_47, bits_48 = (
        sum(sum(row.cost.reads) for row in costs.where(hardware=hardware, regime=r)) for r in compared[:2]
    )
    print(f"{hardware:14} 48 bits read {bits_48 / bits_47 - 1:6.2%} more entries than 47, over all seven programs")

# %% [markdown]
# ## 12.4 So, why 47?
#
# The figures alone do not force it. For 48: twice the addresses. For 47: no walk is longer, whatever the hardware; each
# process has one table less; and Linux's own walks have one level less, too. The kernel took the side on which nothing gets
# longer, and had to learn to fold a level at boot for it. You know what came of that.
#
# What the model leaves out is time: a read that hits in the data cache is cheap. It counts reads and does not weigh them.

# %% [markdown]
# ## 12.5 What helps more than a level
#
# Map the same memory in larger pieces. **Contiguous** is a bit in an entry which says that a run of neighbours, 128 pages of 16 KiB
# or 16 of 4 KiB, belongs together, so that a TLB may keep them as one; and a block is one entry for a whole table's worth. Now the dots are reads for
# each *access*:

# %%
by_mapping = walk_costs(
    compared[:2], mappings=MAPPINGS, hardware={"each level": HARDWARE["each level"]}, accesses=30_000, progress=True
)
plot_walk_costs(by_mapping, panels="mapping", number="reads_per_access")

# %% [markdown]
# No choice of levels comes near that. So why not map everything by blocks?

# %%
chapter.ask("one_page_in_each_block")

# %% [markdown]
# ## 12.6 In three lines
#
# - A walk reads an entry at each level; a TLB saves the walk, a walk cache its upper part, and an ASID keeps them apart.
# - One level more costs a third only where every walk starts at the top. With a walk cache for all levels, or for each, the model
#   counts a fraction of a percent.
# - Larger mappings save more than levels do, and cost RAM where the memory is not used.

# %%
chapter.summary()

# %% [markdown]
# Try another processor: in the cell of 12.5, give `walk_costs` the hardware `{"mine": Hardware(l1=(TLB(64),), l2=(TLB(2048, ways=8),))}`,
# after `from pgtlab.arch.cost.tlb import TLB, Hardware`.
#
# You have all the tools. [Use them on a kernel that nobody has explained to you](13_your_own_case.ipynb).
