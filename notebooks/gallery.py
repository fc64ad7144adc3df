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
# # The gallery
#
# Every view of the workbench, each with one paragraph and one cell. Run them all, then play: nothing here can break. Each
# view has keyboard operation (Tab to a group, arrow keys within it), a static picture (`view.svg()`) and text
# (`view.text()`).

# %% [markdown]
# ## The explorer
#
# One address, taken apart twice: by the MMU, level by level from the top, and by Linux, which has five names for levels
# that may not exist. Toggle the kernel and the CPU and read below the picture what that changed; click a bit to
# flip it.

# %%
from pgtlab_widgets import Explorer

explorer = Explorer(page_size="16k", va_bits=52, address="VMEMMAP_START")
explorer

# %% [markdown]
# ## The fold lab
#
# Every kernel that Kconfig allows, on every CPU that we have, and what becomes of Linux's levels there. Colours are the
# MMU's levels; look along a row for the places where the same kernel folds a level while it boots. Click a cell:
# every view of this notebook shows that kernel.

# %%
from pgtlab_widgets import FoldLab

FoldLab()

# %% [markdown]
# ## The page inspector
#
# The kernel keeps 64 bytes for each page of memory. Four of them have two names: `_mapcount` counts how often the page is
# mapped, and `page_type` says what an unmapped page is used for. Make the page a page table, free it without the
# destructor, and read what the kernel makes of that: a map count of -512.

# %%
from pgtlab_widgets import PageInspector

PageInspector()

# %% [markdown]
# ## The bisection
#
# linux-next up to 29 February 2024, in miniature. Choose what "bad" means and let git choose what to test, or test what you
# like by a click. Three questions, three culprits, and none is wrong: the panic needs both branches, the report needs one of them, and
# with that one merged at every step the other has to answer.

# %%
from pgtlab_widgets import BisectionView

BisectionView()

# %% [markdown]
# ## The oops reader
#
# What `pgtlab oops` prints, to click through: paste a log, or take one that the model writes. Choose a claim, and the lines
# that it rests on light up, with the arithmetic below; choose a line, and read what was made of it. The story's log is the
# place to see how a register, a page that is on the stack and `PHYS_OFFSET` together determine the whole memory map.

# %%
from pgtlab_widgets import OopsReader

OopsReader()

# %% [markdown]
# ## The walk stepper
#
# One translation, table by table. Above are the words that the MMU reads, below them Linux's own walk, `pgd_offset()` to
# `pte_offset_kernel()`, each pointer under the word that it points to. Step with the arrow keys, or click a table. A level
# that the compiler folded reads the same word twice; one that folds at run time (switch LPA2 off) goes back into the pgd's
# page. *Try* has what faults, at each level and for each reason: see how far the walk gets, and what ESR_EL1 says of it.
# `WalkStepper(Image.open(path), va)` steps through the tables of a real kernel.

# %%
from pgtlab_widgets import WalkStepper

WalkStepper(page_size="16k", va_bits=52)

# %% [markdown]
# ## The TLB
#
# A small TLB to watch: step through the accesses, and see an entry filled, hit and evicted. *What a level costs* counts long
# traces while you look on: they run through TLBs, walk caches and real tables, with two sizes of address. With a walk cache
# for last tables only, 48 bits read some 30% more than 47; with one for each level the difference is gone. Then map the
# same memory by blocks, and see what helps more than any level.

# %%
from pgtlab_widgets import TLBView

TLBView("uniform", walk_cache="last tables")

# %% [markdown]
# ## The bug lab
#
# In five stages. *Boot* the kernel of the story, or one with a bug of the catalogue, which offers to show itself where it bites.
# *Read* its log: click a number, such as x1, to see how it was computed and from which others; or a claim, to see which lines
# it rests on. *Change* a function: apply one of the thread's fixes, or edit one of the commits or of the call trace. *Judge*
# the kernel, and run it *everywhere*.

# %%
from pgtlab_widgets import BugLab

lab = BugLab()
lab

# %% [markdown]
# ## The table map
#
# An address space at all scales. The bar on top has both ranges; each bar below is a part of the one above, seen through a
# lens, down to one page. Click any part, or press `+` and `-` and the arrow keys: from 4 PiB to 4 KiB in a few steps. What
# leads to other tables stands low in its bar, what is mapped stands high. Below are the tables on the way, each among those
# beside it, which are filled as far as their entries are used. `TableMap(mmu)` and `TableMap(Image.open(...))` show any
# tables, a real kernel's too.

# %%
from pgtlab_widgets import TableMap

TableMap(page_size="4k", va_bits=52)
