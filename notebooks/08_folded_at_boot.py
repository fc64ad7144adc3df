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
# # 8. A level that is gone only at boot
#
# A company builds one kernel and sells it for two computers. In one of them the processor walks four levels of tables; in
# the other it cannot, and walks three. The kernel is the same, to the byte. So the compiler cannot have folded the level.
#
# Who does, then, and when? The patch that taught arm64 to do this is one of the two changes that together stopped our
# machine.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("08_folded_at_boot")
chapter

# %% [markdown]
# ## 8.1 One kernel, two processors
#
# **LPA2**, large physical address, is a feature that some arm64 processors have: 52 bits of address, virtual and physical, with pages of 4K or 16K.
# (With 64K pages two older features, LVA and LPA, give 52 bits.) A kernel can be built for 52 bits and still has to start on a
# processor without LPA2. It then falls back to fewer bits: 48 are the most that the processor can do, and Linux takes as many of
# them as fill whole levels of tables.

# %%
chapter.ask("bits_without_lpa2")

# %% [markdown]
# `max` is a made-up processor that has every feature, and `max,lpa2=off` is the same one without LPA2:

# %%
from pgtlab import CPU, Config, boot

config = Config("16k", va_bits=52)
with_lpa2, without = boot(config, CPU.named("max")), boot(config, CPU.named("max,lpa2=off"))
for kernel in (with_lpa2, without):
    print(f"{kernel.cpu.name:>12}: {kernel.vabits_actual} bits, the walk starts at level {kernel.start_level}")

# %% [markdown]
# **VA_BITS** is the number of bits that a kernel was built for, and **vabits_actual** the number that it runs with.
#
# Here it is 47, and not 48: with 16K pages, the 48th bit would cost a level of its own, with a table of two entries. You have
# seen it at the end of chapter 2. Linux does without.

# %% [markdown]
# ## 8.2 Who folds into whom
#
# A level that is there or not, depending on the processor, is **folded at run time** where it is not. Which one is it?

# %%
chapter.ask("which_level_folds")

# %%
for page_size in ("4k", "16k"):
    for cpu in ("max", "max,lpa2=off"):
        kernel = boot(Config(page_size, 52), CPU.named(cpu))
        print(f"{page_size:>3} {cpu:>12}:", {name: fold.value for name, fold in kernel.folded.items()})

# %% [markdown]
# TTBR1_EL1 points to the pgd, and that stays so. Without LPA2 the MMU starts at level 1 and not at level 0, *with the same page*.
# Look at the first table in these two pictures: same address, another level.

# %%
from pgtlab.lab.kernel_tables import KernelTables
from pgtlab.linux.kernel import Kernel

KernelTables(Kernel(with_lpa2))

# %%
KernelTables(Kernel(without))

# %% [markdown]
# With LPA2: the pgd, of whose 2048 entries only 32 can be used, and below it puds. Without: the same page is read as *the pud*, with 2048
# entries, and there is no other pud. So the pud has no page of its own; it has folded into the pgd's page.
#
# These are the kernel's own tables, each of which has a page to itself. A process's pgd may have less: with 32 entries it takes
# 256 bytes, and Linux lets such small ones share a page.

# %% [markdown]
# ## 8.3 The index does not fold
#
# At compile time a level folds with its index: the index is 0, and the pointer comes back as it went in. At run time only the table
# is gone. This is the point at which code goes wrong.
#
# The kernel was compiled for 52 bits, so it cuts an address as before: pgd 51:47, pud 46:36, pmd 35:25, pte 24:14. But it runs with
# 47 bits, and in an address of the upper half all bits above those are 1. So `pgd_index` is always 0x1f, and the pgd entry is
# 8 x 0x1f = 0xf8 bytes into the page.

# %%
chapter.ask("folded_index")

# %%
chapter.ask("what_pud_offset_returns")

# %% [markdown]
# See whether the model agrees. It walks to the struct page of the first frame of RAM, an address with a large pud index. As in
# chapter 7 the pointers are printed as physical addresses:

# %%
from pgtlab.linux.software_walk import software_walk

k = Kernel(without)
address = k.pfn_to_page(k.memory.base >> k.PAGE_SHIFT).address
print(f"{address:#x}: pgd index {k.pgd_index(address):#x}, pud index {k.pud_index(address):#x}")
for lookup in software_walk(k, k.init_mm, address):
    print(lookup)

# %% [markdown]
# And what does the MMU read?

# %%
print(k.mmu.translate(address))

# %% [markdown]
# Linux computes a pgd entry that the MMU does not read for this address. The word there is 0, and yet the walk goes on: above a
# level that is folded, "is there anything?" is answered *yes* without a look. Then, at the pud, Linux goes back to the start of the
# page and applies the pud's index, and from there on both read the same words.

# %%
from pgtlab_widgets import FoldLab

FoldLab()

# %% [markdown]
# Each row is a kernel that can be built, each column a processor. In the two rows with bold names a level folds on some processors
# and not on others: choose a field on either side of the line in such a row, and compare what stands below the table. There, code
# has to ask at run time.
#
# The kernel of our story, 4K pages and 48 bits, is not in those rows: its pud is real on every processor. But it runs the same
# functions, which ask, and it takes the branch for a pud that is real. The mistake is in that branch.

# %% [markdown]
# *(full course)* And as a quiz: say for each name whether it is real, folded at compile time, folded at run time, or computed and not
# read, as the pgd was in the walk above.

# %%
FoldLab(quiz=True)

# %% [markdown]
# ## 8.4 Where the extra address bits go (full course)
#
# An entry for 52-bit addresses has to hold two more bits of address, and its word is full. LPA2 takes the two bits of SH,
# shareability, which are then set for all entries alike in a register.

# %%
chapter.ask("moved_address_bits")

# %% [markdown]
# This is from a real kernel again, Linux 6.12 with 16K pages and 52 bits: the entry of a page, with bits 51:50 of its address,
# which are 0 on that machine, where SH would be.

# %%
from pgtlab.lab.course_data import data
from pgtlab.linux.image import Image

real = Image.open(data("kernel-16k-va52.npz"))
walk = real.mmu.translate(real.boot.config.constants.PAGE_OFFSET)
print(walk)
walk.steps[-1].descriptor

# %% [markdown]
# And one with an address so high that all 52 bits are needed:

# %%
from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.granule import G16K
from pgtlab.arch.output_address import OutputAddress

DescriptorFormat(G16K, OutputAddress.LPA2).leaf(0xC_0001_2345_4000, level=3, AF=1)

# %% [markdown]
# ## 8.5 Two meanings of free
#
# Tables are allocated, and later freed, and generic code does both by name, for all five levels. A process that ends frees its
# tables by `pud_free_tlb()` and its like. `pud_free()` is for a table that nothing uses: one that two CPUs allocated at the same
# time, so that one of the two is not needed, or one of a test that the kernel runs on itself while it starts.

# %%
chapter.ask("free_a_folded_level")

# %% [markdown]
# This is the patch that taught arm64 to fold the pud at run time: its title, and the function of it that is in our story.

# %%
from pgtlab.lab.trees import FOLD_PUDS_AT_RUNTIME

print(FOLD_PUDS_AT_RUNTIME.subject)
print(", ".join(FOLD_PUDS_AT_RUNTIME.functions))

# %% [markdown]
# In February 2024 arm64 needed a `pud_free` of its own, which asks. Its question was right. But where the pud is real it freed
# the page in a way that had been replaced everywhere else some months before.

# %% [markdown]
# ## 8.6 In three lines
#
# - A kernel for 52 bits on a processor without LPA2 falls back: to 48 bits with 4K pages, to 47 with 16K.
# - The level under the pgd then folds at run time: no table of its own, but its index stays, and is applied to the pgd's
#   page.
# - "Free the pud table" has two meanings, and only at run time is it known which: free a page, or do nothing.

# %%
chapter.summary()

# %% [markdown]
# [What had changed about freeing a page table](09_who_owns_a_table.ipynb), a few months earlier?
