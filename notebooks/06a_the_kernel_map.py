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
# # 6a. Where is everything in the kernel?
#
# Four numbers from the log that look like addresses in the kernel:
#
#     sp : ffff80008007b8f0
#     x20: ffff80008007b950
#     x23: ffffba8a417ba000
#     PHYS_OFFSET: 0xfffff76180000000
#
# Two of them are less than 100 bytes apart. One is in the kernel's **image**: its code and its global data, some tens of MiB in
# one piece. And one is not the address of anything. Which is which? With a map, and two lines of the log, you can tell.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("06a_the_kernel_map")
chapter

# %% [markdown]
# ## 6a.1 The map
#
# The kernel has the upper half to itself, 256 TiB of virtual addresses with 48 bits, and divides it into areas. Where they
# begin is fixed when the kernel is compiled. This is the map of a kernel with 4K pages and 48 bits:

# %%
from pgtlab import Config, boot
from pgtlab.arch.sizes import size_name
from pgtlab.linux.memory_map import memory_map

kernel = boot(Config("4k", 48))
for region in memory_map(kernel):
    if region.start < 1 << 63 or region.name == "guard region":
        continue  # the programs' half, and gaps that are left empty on purpose
    print(f"{region.start:#018x} to {region.end - 1:#018x}  {size_name(region.end - region.start):>10}  {region.name}")

# %% [markdown]
# - The **linear map** has all of RAM, in order, so that the kernel can reach any byte of it.
# - **vmalloc** is for pages that need consecutive addresses though their frames are anywhere in RAM, such as those of stacks. The
#   kernel's own code is here, too.
# - **vmemmap**, from **VMEMMAP_START** on, is for a list with an entry for each frame of RAM. It is what the next chapter is about.
# - **Modules** are parts of the kernel that are loaded later (here, or with KASLR near the image). Line 18 of the log, `Modules linked in:`, names none.
# - PCI I/O is for the registers of some devices, and the **fixmap** for a few pages whose addresses must be known when the kernel
#   is compiled.

# %%
chapter.ask("region_of")

# %% [markdown]
# ## 6a.2 The linear map
#
# In the linear map an address is a physical address plus a constant. The constant is made of two: **PAGE_OFFSET**, the
# virtual address at which the linear map begins, and **PHYS_OFFSET**, the physical address that it begins with. So no
# table has to be looked at:
#
#     pa = va - PAGE_OFFSET + PHYS_OFFSET
#     va = pa - PHYS_OFFSET + PAGE_OFFSET
#
# Say that the linear map begins with the physical address `0x4000_0000`, because RAM does:

# %%
page_offset, phys_offset = kernel.config.constants.PAGE_OFFSET, 0x4000_0000
va = 0xFFFF_0000_0123_4567
pa = va - page_offset + phys_offset
print(hex(pa), "and back:", hex(pa - phys_offset + page_offset))

# %%
chapter.ask("linear_to_physical")

# %% [markdown]
# You know from chapter 4 that the addresses in page tables are physical, and that the kernel, like every program, uses virtual
# ones. When it wants to follow an entry itself, this sum is how it gets there.

# %% [markdown]
# ## 6a.3 At every boot somewhere else
#
# An attacker who knows where things are in the kernel has half won. **KASLR**, kernel address space layout randomization,
# is the answer: at each boot the kernel's image is moved by a random amount, and so is the linear map, by an amount
# of its own, where the processor's addresses leave room for it. After a crash the kernel says where both were: line 55 is about
# the image, line 56 about the linear map.

# %%
print(chapter.log[55])

# %%
chapter.ask("where_the_image_is")

# %%
chapter.ask("pointers_into_the_image")

# %% [markdown]
# Line 27 has two such pointers, x21 and x23. To *what* do they point? That kernel's symbol table would say, and we do not have
# it. A reader of logs must be able to say: this number is a pointer into the image, and the log does not say more.

# %% [markdown]
# ## 6a.4 PHYS_OFFSET, which is not where RAM starts
#
# The linear map of this kernel begins at PAGE_OFFSET in every boot. What KASLR changes is the physical address that it begins
# *with*: if that is lower, RAM lies further up in the map. So look at line 56 with the eyes of chapter 0:

# %%
print(chapter.log[56])

# %%
chapter.ask("phys_offset_signed")

# %%
chapter.ask("ram_in_the_linear_map")

# %%
memstart = 0xFFFF_F761_8000_0000 - (1 << 64)
print(f"PHYS_OFFSET = -{-memstart:#x}: {-memstart >> 30} GiB below 0")
print(f"RAM at {0x4000_0000:#x} is at {0x4000_0000 - memstart + page_offset:#x}")

# %% [markdown]
# So that is the number that is not the address of anything. Without KASLR, PHYS_OFFSET is a round
# number near the start of RAM, which is why so many people think that it *is* the start of RAM.

# %% [markdown]
# ## 6a.5 The stack
#
# A **stack** is the memory in which a task keeps what its functions need until they return: it grows downwards, and the
# register **sp**, stack pointer, says how far it has come. Each task has one in the kernel, of 16 KiB with pages of 4K or 16K, in the
# vmalloc area. It begins at a multiple of 32 KiB. So bit 14 of sp is 0 anywhere in the stack, and 1 as soon as sp has gone below its
# beginning: the kernel sees from one bit that a stack has overflowed.

# %%
chapter.ask("on_the_stack")

# %%
sp, x20 = 0xFFFF_8000_8007_B8F0, 0xFFFF_8000_8007_B950
begins = sp & ~0x7FFF  # the multiple of 32 KiB below
print(hex(x20 - sp), "bytes above sp; the stack ends at", hex(begins + 0x4000))

# %%
chapter.ask("which_is_not_mapped")

# %% [markdown]
# ## 6a.6 In three lines
#
# - The upper half is divided into a linear map of all RAM, an area for pages that are put together (vmalloc), an array with
#   an entry for each frame (vmemmap), and a few smaller ones.
# - In the linear map, pa = va - PAGE_OFFSET + PHYS_OFFSET. PHYS_OFFSET is where the *map* begins, and KASLR makes it
#   negative at times.
# - sp and x20 of the log are on one stack; x23 is in the image; 8 is in no part of the kernel.

# %%
chapter.summary()

# %% [markdown]
# x20 points to the stack. [The kernel took it for something in vmemmap](06b_page_to_number.ipynb).
