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
# # The tour: watch a kernel stop
#
# On 29 February 2024 linux-next, the Linux kernel of tomorrow, stopped on arm64 before it had started a single program.
# Ten minutes from now you will have made it stop, seen that it took two mistakes, each harmless by itself, and watched both
# being repaired. You will not have understood all of it. That is what the [course](index.ipynb) is for.
#
# Run each cell with **Shift-Enter**. Three lines are copied from the real log. Everything else is computed by a model of the
# processor's memory management and of the kernel's, so change any number and it answers again.

# %% [markdown]
# ## 1. Boot it
#
# This is the kernel of that day, on a processor that it stops on.

# %%
from pgtlab import Config, boot
from pgtlab.lab import Tree

machine = boot(Config("4k", va_bits=48))
print(Tree.named("next-20240229").start_kernel(machine).run())

# %% [markdown]
# You read it from the top: the kernel tested its own page tables (the tables by which the processor finds the memory behind
# an address), found a page in a bad state, began to report it, and while it was printing the report it read from address 8,
# where nothing is. Then it gave up.
#
# No line of this text is stored to be printed. The kernel looked at 64 bytes of simulated memory and did not like what it
# saw; the last read failed in a simulated page table. The log of the real machine says the same, with the addresses of its
# own boot, and with more registers. Here are three of its lines:

# %%
from pgtlab.lab.course_data import data

log = data("next-20240229.log").read_text().splitlines()
print(log[1], log[3], log[4], sep="\n")

# %% [markdown]
# ## 2. It took two
#
# linux-next is the work of hundreds of people, put together every day. Two of the changes of that day are to blame. One came
# from the branch of those who work on arm64, `arm64-for-next`, the other from the branch of those who work on memory
# management, `mm-unstable`. Each of them alone, and then both, in linux-next:

# %%
for tree in ("arm64-for-next", "mm-unstable", "next-20240229"):
    print(f"{tree:15} {Tree.named(tree).start_kernel(machine).run().outcome}")

# %% [markdown]
# The first one alone makes the kernel *report* a bad page and go on. The second one alone does nothing at all. Together they
# stop the machine. So the question "which of them is it?" has no good answer, and three searches through the day's changes,
# each without a mistake, found three different ones.

# %% [markdown]
# ## 3. A level that is there, and a level that is not
#
# The first change was about this. A page table is a tree, and an address is the way down: some bits choose a branch at each
# level. How many levels there are depends on the processor, and a kernel may learn only when it starts that one of its
# levels does not exist.
#
# Switch **LPA2** off below, a feature of the processor. In the row *MMU*, level 0 vanishes. In the row *Linux*, the box *pud*
# gets a dashed frame: it keeps its name but no longer has a table. It is this level, the pud, that the first change was about.
# Then click a bit.

# %%
from pgtlab_widgets import Explorer

explorer = Explorer(page_size="16k", va_bits=52, cpu="max", address="VMEMMAP_START")
explorer

# %% [markdown]
# A level that is not there has no tables, so there is nothing to free. A level that *is* there has tables, and they must be
# freed with some care. The first change had to tell the two apart, did so rightly, and was careless in the second case.

# %% [markdown]
# ## 4. Where does it happen?
#
# Every kernel that can be built, a row each, by the size of a page (4K, 16K, 64K) and the bits of a virtual address (VA) and of
# a physical one (PA); and every processor of the model, a column each. *no boot*: that processor cannot use pages of that size,
# so that such a kernel does not start on it. The cell starts them all, which takes a few seconds.

# %%
from pgtlab.lab import matrix

matrix("next-20240229")

# %% [markdown]
# It stops wherever that level is real while the kernel runs, and nowhere else. In the row *16K VA 52* the same kernel, to
# the byte, stops on some processors and not on others.

# %% [markdown]
# ## 5. Two repairs
#
# There were two mistakes, so there are two repairs. Each alone, and both:

# %%
for tree in ("next+fix-pud-free", "next+fix-dump-page", "fixed"):
    print(f"{tree:20} {Tree.named(tree).start_kernel(machine).run().outcome}")

# %% [markdown]
# With the first one, no page is bad any more. With the second one, the bad page is reported to the end, and the machine goes
# on. Is the first one alone enough, then? It looks so. In chapter 11 you will see why it is not.
#
# ## 6. What comes next
#
# In the [course](index.ipynb) you take the real log apart, all 59 lines. You compute its numbers yourself, before the model
# shows you, and write both repairs. At the end you get a kernel that nobody has explained to you.
#
# - [The map of the course](index.ipynb): the short course, or all of it.
# - [0. Can you read 0xfffffdff?](00_hexadecimal.ipynb) Start here if you have never seen arm64.
# - [The gallery](gallery.ipynb): every view of the workbench, for those who look for a tool and not for a course.
