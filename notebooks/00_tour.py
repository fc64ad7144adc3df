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
# # The tour: a level that is there, and a level that is not
#
# On 29 February 2024 linux-next stopped booting on arm64. A test of the page-table code, `debug_vm_pgtable`, freed a
# page, and the kernel found that page in a state that no free page may be in.
#
# In ten minutes you will see why. You take an address apart, switch a CPU feature off and watch a level of the page
# table disappear, make the same bad page, read it byte by byte, and fix the function that made it.
#
# Run each cell with **Shift-Enter**. Everything you see is computed from a model of the MMU and of Linux's memory
# management: change any number and it answers again.

# %%
from pgtlab import CPU, Config, boot, decompose
from pgtlab.lab import Tree, matrix

# %% [markdown]
# ## 1. An address comes apart
#
# A virtual address is 64 bits. The MMU cuts them into one index per level, and an offset into the page. Where it cuts
# depends on the page size and on how many bits are in use.

# %%
kernel_4k = boot(Config("4k", va_bits=48), CPU.named("cortex-a57"))
decompose(0xFFFF_8000_8000_1234, kernel_4k)

# %% [markdown]
# Two lanes, the same bits:
#
# - **MMU**: the levels that the hardware walks. With 4K pages and 48 bits it starts at level 0.
# - **Linux**: the five levels that Linux's code always names: pgd, p4d, pud, pmd, pte. Here only four are needed, so the
#   p4d is *folded*. It has one entry and takes no bits, and `p4d_offset()` returns the pointer that it was given.
#
# That kind of folding is decided when the kernel is compiled.

# %% [markdown]
# ## 2. Toggle it
#
# This is the explorer. 16K pages and 52 bits of address need a CPU feature called **LPA2**.
#
# 1. Look at the levels: the MMU starts at level 0, and pud is a level of its own.
# 2. Switch **LPA2** off. Which level disappears?
# 3. Click a bit, or move to it with the arrow keys and press Space.

# %%
from pgtlab_widgets import Explorer

explorer = Explorer(page_size="16k", va_bits=52, cpu="max", address="VMEMMAP_START")
explorer

# %% [markdown]
# ## 3. A level folds while the kernel boots
#
# One kernel, two CPUs. It was compiled for 52 bits and four levels; whether it gets them is known only at boot.

# %%
config = Config("16k", va_bits=52)
with_lpa2 = boot(config, CPU.named("max"))
without_lpa2 = boot(config, CPU.named("max,lpa2=off"))
with_lpa2, without_lpa2

# %% [markdown]
# Without LPA2 the kernel falls back. 16K pages could do 48 bits, but that takes a level 0 whose table has two entries.
# At 47 bits the walk starts at level 1 and is a step shorter. So the kernel takes 47 and folds the pud **at run time**.

# %%
decompose(0xFFFF_C000_8000_1234, without_lpa2)

# %% [markdown]
# The dashed block is the pud: it still has its bits, but no table of its own. `pud_offset()` must not follow an entry
# down. It goes back to the start of the pgd's page and indexes that page again:

# %%
import inspect

from pgtlab.linux.kernel import pgtable

print(inspect.getsource(pgtable.pud_offset))
print(inspect.getsource(pgtable.p4d_to_folded_pud))

# %% [markdown]
# So "free the pud table" has two meanings. Where the pud is real, free a page. Where it is folded, do nothing at all.
# Keep that in mind.

# %% [markdown]
# ## 4. Boot it, and run the kernel's own test
#
# `arm64-for-next` is the tree with the patch *arm64: mm: Add support for folding PUDs at runtime* in it. On a CPU
# without LPA2, where the pud is folded, all is well:

# %%
tree = Tree.named("arm64-for-next")
print(tree.start_kernel(without_lpa2).run())

# %% [markdown]
# The same kernel on a CPU with LPA2:

# %%
kernel = tree.start_kernel(with_lpa2)
run = kernel.run()
print(run)

# %% [markdown]
# A **bad page**. Nothing printed this because we told it to: the allocator looked at the page that it was given and did
# not like what it saw. The call trace shows who gave it the page; read it from the bottom up.
#
# Where else does it happen? Every legal configuration, on every CPU of the model:

# %%
before = matrix("arm64-for-next")
before

# %% [markdown]
# One report wherever the pud is a real level when the kernel runs, and none anywhere else. In the row *16K VA 52* the
# same kernel image is in both camps.

# %% [markdown]
# ## 5. Read the page
#
# The kernel keeps 64 bytes for each page of memory, its `struct page`. Here are those of the bad page, as eight words,
# just as the log shows them after `raw:`.

# %%
bad = run.reports[0]
[f"{word:016x}" for word in bad.raw]

# %% [markdown]
# The lower half of the seventh word is four bytes with two names. If the page is mapped by programs, they are
# `_mapcount`: how often, counted from -1. If it is used for something special, they are `page_type`, and each type is a
# bit that is **cleared**.

# %%
page_type = int(bad.raw[6] & 0xFFFF_FFFF)
cleared = ~page_type & 0xFFFF_FFFF
_mapcount = page_type - (1 << 32)
print(f"page_type   {page_type:#x}")
print(f"cleared     {cleared:#x}   (PG_table is 0x200)")
print(f"_mapcount   {_mapcount}, which the log prints as {_mapcount + 1}")

# %% [markdown]
# So the page still says "I am a page table" at the moment it is freed. The log of 29 February 2024 says the same:
#
#     page: refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x18a65d
#
# A function set that type and none cleared it. Which function sets it?

# %%
from pgtlab.linux.kernel import pgalloc

print(inspect.getsource(pgalloc.pud_alloc_one))
print(tree.commits[-1].source("pud_free"))

# %% [markdown]
# `pud_alloc_one()` runs a **constructor**, which marks and counts the page. arm64's new `pud_free()` gives the page
# back with `free_page()` and never runs the **destructor**. Generic mm has accounted pud tables only since v6.7; before
# that there was nothing to undo, and `free_page()` would have been right.
#
# Generic mm has a function that does both steps, destructor and free:

# %%
print(inspect.getsource(pgalloc.__pud_free))

# %% [markdown]
# ## 6. Fix it
#
# A livepatch replaces a function of the kernel by yours. Keep the test for folding, and let `__pud_free()` do the rest.


# %%
def pud_free(k, mm, pud):
    if not k.pgtable_l4_enabled():
        return
    k.__pud_free(mm, pud)


kernel = tree.start_kernel(with_lpa2)
kernel.livepatch(pud_free=pud_free)
fixed = kernel.run()
print(fixed)
fixed

# %% [markdown]
# Clean: no report, and no page lost. Everywhere?

# %%
after = matrix("arm64-for-next", pud_free=pud_free)
after

# %% [markdown]
# A clean run is one test. `check()` puts your patch into every configuration and looks further: at the frames and the
# counters, at levels that are folded, and at what processes do that this test never tries.

# %%
from pgtlab.lab import check

check(kernel)

# %% [markdown]
# Before you go on, spoil it on purpose. Take the test for folding away and run the cells again: what does the kernel
# say now, and on which CPUs? Then call only the destructor, `k.pagetable_pud_dtor(k.virt_to_page(pud))`, and look at
# the pages lost.
#
# ## Where to go from here
#
# The exercises are in the folder `exercises`, next to `notebooks`:
#
# 1. `01_indices`: compute the indices of an address yourself.
# 2. `02_pud_offset`: write `pud_offset()` for both kinds of folding.
# 3. `03_pud_free`: fix `pud_free()` without looking here.
