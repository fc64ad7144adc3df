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
# # The cost of a walk: why 47 bits, and not 48?
#
# In the tour, a kernel built for 16K pages and 52 bits ran on a CPU without LPA2. It fell back to **47** bits and folded
# the pud. But that CPU can do 48. Why give a bit away?
#
# The bit costs a level. Here you count what a level costs: how often the MMU reads a table, with different programs and
# different hardware. Nothing below is looked up; every number is counted while a trace of addresses runs through a TLB
# and the tables.

# %%
from pgtlab.lab.cost_comparison import HARDWARE, MAPPINGS, Workload, mapped, regimes, visited, walk_costs, workloads
from pgtlab.plot.walk_cost import plot_over_time, plot_walk_costs

# %% [markdown]
# ## 1. A level with two entries
#
# What the kernel falls back to, what it might have used instead, and what it uses with LPA2:

# %%
compared = regimes("16k")
for regime in compared:
    print(f"{regime.name:12} {regime.levels} levels, from level {regime.start_level} on; ", end="")
    print(f"the first table has {regime.first_table} entries")

# %% [markdown]
# 16K pages resolve 11 bits a level. 47 = 14 + 3 × 11 needs three levels, all of them full. The 48th bit needs a fourth
# level, whose table has just **two** entries. Here is the same address in the same mapping, walked both ways:

# %%
kinds = workloads(compared[0].region)
trace = kinds["uniform"].vas
regions = visited(kinds["uniform"], compared[0].region)
for regime in compared[:2]:
    print(mapped(regime, regions, regime.region, "pages").translate(int(trace[0])))
    print()

# %% [markdown]
# One more line, one more read of memory. If every access walked, each would pay that price. But a TLB remembers pages, and
# a **walk cache** remembers tables: if it knows where the level 3 table is, a walk reads one descriptor and is done.
#
# ## 2. Programs and hardware
#
# Seven traces, 300,000 accesses each:
#
# | trace | what it does |
# |---|---|
# | sequential | word after word |
# | strided | every 64 KiB of 8 GiB |
# | uniform | any word of 8 GiB, as in a large hash table |
# | chase | follows a random chain of pointers through 8 GiB |
# | zipf | some pages of 8 GiB far more often than others |
# | scattered | 512 mappings anywhere in the address space |
# | processes | 32 processes take turns, each in its own 256 MiB |
#
# And four kinds of hardware. All have a TLB of 48 entries and behind it one of 1024. They differ in the walk cache: none;
# one for last-level tables only, as a Cortex-A53 has; one that all levels share; one for each level.

# %%
costs = walk_costs(compared)
plot_walk_costs(costs)

# %% [markdown]
# Read it from left to right.
#
# - **No walk cache**: every walk of 48 bits reads four descriptors instead of three.
# - **Last tables only**: where the program stays near (sequential, strided), the cache nearly always hits, and the
#   levels above do not matter. Where it jumps about, most walks start at the top, and the difference is large.
# - **Shared**, and **each level**: the dots lie on one another. The difference is all but gone.
#
# How much is left of it? The reads of a walk with 48 bits, less those with 47:

# %%
print(f"{'':14}" + "".join(f"{trace:>12}" for trace in costs.names("trace")))
for hardware in costs.names("hardware"):
    print(f"{hardware:14}", end="")
    for trace in costs.names("trace"):
        fallback, other = (costs.where(hardware=hardware, trace=trace, regime=r)[0].cost for r in compared[:2])
        print(f"{other.reads_per_walk - fallback.reads_per_walk:12.4f}", end="")
    print()

# %% [markdown]
# ## 3. Where the rest comes from
#
# A walk reads level 0 only while no walk cache has its entry. That is once for each address space: the entry of one
# process is of no use to another. (The 0.0068 of *sequential* is one read too; that trace walks only 147 times.) Watch
# three processes, twenty accesses each:

# %%
import numpy as np

switch = Workload("switch", kinds["processes"].vas[:60], np.repeat([1, 2, 3], 20).astype(np.uint16))
first_walks = walk_costs(reversed(compared[:2]), [switch], windows=60)
plot_over_time(first_walks.where(hardware="each level"), "Three processes: each begins with a whole walk")

# %% [markdown]
# Four reads against three, at the first access of each process, and never again until its entries are gone.
#
# And what does the entry displace? Where all levels share one walk cache, it takes the place of another table. In the
# table above that is the line *shared*, column *scattered*: it can be measured, and it is next to nothing.

# %% [markdown]
# ## 4. So, why 47?

# %%
for hardware in costs.names("hardware"):
    fallback, other = (
        sum(sum(row.cost.reads) for row in costs.where(hardware=hardware, regime=regime)) for regime in compared[:2]
    )
    print(f"{hardware:14} 48 bits read {other / fallback - 1:6.2%} more descriptors than 47, over all seven traces")

# %% [markdown]
# The commit that brought the fallback says that a level 0 with only two entries makes poor use of the TLB. The figures
# say when that is so: on hardware without walk caches, or with one for last-level tables only, and for programs that
# jump about. On hardware that caches the tables of every level it costs one read when an address space is new: one or
# two in ten thousand, here.
#
# So the figures alone do not force the choice. What stands on the two sides?
#
# - For 48: twice the addresses, 256 TiB instead of 128 TiB.
# - For 47: no walk is longer, whatever the walk cache. Each process has one table less. And Linux's own walks, at every
#   page fault, have one level less too.
#
# The kernel chose the side on which no walk gets longer. But it had to learn to fold a pud at run time for it; and in
# the tour you saw what came of that.
#
# What this model leaves out: time. A read that hits in the data cache is cheap, and the two entries of level 0 are
# likely to be there. It counts reads and does not weigh them.

# %% [markdown]
# ## 5. What LPA2 costs
#
# With 4K pages, LPA2 adds a level above: five instead of four.

# %%
plot_walk_costs(walk_costs(regimes("4k")))

# %% [markdown]
# The same picture. Anyone who can do with 48 bits loses little by having 52, if the hardware caches tables well.
#
# ## 6. What helps more than a level
#
# Map the same memory in larger pieces: pages in runs with the Contiguous bit, or blocks of 32 MiB. Now the dots are reads
# for each *access*:

# %%
by_mapping = walk_costs(compared, mappings=MAPPINGS, hardware={"each level": HARDWARE["each level"]})
plot_walk_costs(by_mapping, panels="mapping", number="reads_per_access")

# %% [markdown]
# No choice of levels comes near that. With blocks a TLB of 1024 entries reaches 32 GiB; with pages, 16 MiB.
#
# ## Try it
#
# - Give the hardware another TLB: `Hardware(l1=(TLB(64),), l2=(TLB(2048, ways=8),))` from `pgtlab.arch.cost.tlb`.
# - Run a trace of your own program: `read_trace("file")` from `pgtlab.arch.cost.trace_file` reads one address a line.
# - In a shell: `pgtlab walk-cost --page-size 4k --trace uniform`.
