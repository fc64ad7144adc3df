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
# Four numbers from the log, each an address in the kernel:
#
#     sp : ffff80008007b8f0        x23: ffffba8a417ba000
#     x20: ffff80008007b950        PHYS_OFFSET: 0xfffff76180000000
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
# The kernel has the upper half to itself, 256 TiB of virtual addresses, and has divided it into areas that are fixed. This is the
# map of a kernel with 4K pages and 48 bits:

# %%
from pgtlab import Config, boot
from pgtlab.arch.sizes import size_name
from pgtlab.linux.memory_map import memory_map

kernel = boot(Config("4k", 48))
for region in memory_map(kernel):
    if region.name == "guard region":
        continue  # left empty on purpose
    print(f"{region.start:#018x} to {region.end - 1:#018x}  {size_name(region.end - region.start):>10}  {region.name}")

# %% [markdown]
# - The **linear map** has all of RAM, in order, so that the kernel can reach any byte of it.
# - **vmalloc** is for pages that have to be one behind the other for the kernel, though their frames are anywhere in RAM:
#   stacks, and the kernel's own code.
# - **vmemmap**, from **VMEMMAP_START** on, is for a list with an entry for each frame of RAM. It is what the next chapter is about.
# - **Modules** are parts of the kernel that are loaded later (here, or with KASLR near the image). Line 18 of the log, `Modules linked in:`, names none.
# - The **fixmap** is for a few pages whose addresses must be known when the kernel is compiled.

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
# of its own, where the processor's addresses leave room for it. After a crash the
# kernel says by how much, in line 55.

# %%
print(chapter.log[55])

# %%
chapter.ask("where_the_image_is")

# %%
chapter.ask("pointers_into_the_image")

# %% [markdown]
# To *what* does x23 point? That kernel's symbol table would say. We do not have it, and a reader of logs must be able to
# say: this number is a pointer into the image, and more the log does not say.

# %% [markdown]
# ## 6a.4 PHYS_OFFSET, which is not where RAM starts
#
# In a kernel that runs with the bits it was built for, the linear map begins at PAGE_OFFSET. What KASLR changes is the physical address that it begins *with*: if that is lower,
# RAM lies further up in the map. So look at line 56 with the eyes of chapter 0:

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
# register **sp**, stack pointer, says how far it has come. Each task has one in the kernel, of 16 KiB here, in the vmalloc
# area, at a multiple of 32 KiB, so that the kernel can see from one bit of sp that a stack has overflowed.

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
