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
# # 6b. How does a page become a number?
#
# The log has the number of a frame, `pfn:18a65d` in line 2, and in x20, line 28, a pointer to what the kernel took for its record
# of that frame. Going from such a pointer to the number takes one subtraction and one shift. It cannot fail, and that is the
# trouble: from a wrong pointer a number comes out as well.
#
# The kernel of our story computed such a number, and followed it. This chapter is the last piece that you need for line 5.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("06b_page_to_number")
chapter

# %% [markdown]
# ## 6b.1 Frames are numbered
#
# **pfn**, page frame number, is the number of a frame: its physical address divided by the size of a page.

# %%
chapter.ask("frame_number")

# %%
chapter.ask("frame_of_the_log")

# %% [markdown]
# ## 6b.2 A record for every frame
#
# What is in a frame, who uses it, how many pages map it: for each frame of RAM the kernel keeps a record of 64 bytes, the
# **struct page**. All of them together are one large array, the **memmap**, and it lies in the area vmemmap. So the record
# of frame n is at
#
#     vmemmap + n x 64
#
# and Linux's `page_to_pfn()` is that formula the other way round: subtract vmemmap, divide by 64. Neither looks at memory.
#
# The cell starts the kernel of the model in which both bugs of the story are fixed:

# %%
from pgtlab import Config, boot
from pgtlab.lab import Tree

k = Tree.named("fixed").start_kernel(boot(Config("4k", 48)))
page = k.pfn_to_page(0x4_1234)
print(f"vmemmap = {k.vmemmap:#x}, the struct page of pfn 0x41234 is at {page.address:#x}")
print(hex((page.address - k.vmemmap) >> 6), hex(k.page_to_pfn(page)))

# %%
chapter.ask("page_to_pfn")

# %% [markdown]
# ## 6b.3 Where vmemmap is
#
# The area vmemmap begins at VMEMMAP_START, a constant that follows from the page size and the number of bits that
# the kernel was built for. The first record in it is
# that of the frame with which the linear map begins, at PHYS_OFFSET. The array is counted from pfn 0, and the record of pfn 0 would
# be at
#
#     vmemmap = VMEMMAP_START - (PHYS_OFFSET >> 12) x 64
#
# (12 bits count the bytes of a 4K page; with 16K pages they are 14, with 64K pages 16. PHYS_OFFSET is a signed number, so if it
# is negative, the shift brings in ones.)
#
# If PHYS_OFFSET is positive, that is below VMEMMAP_START, where no record is; if PHYS_OFFSET is negative, it is above. Only the
# distance counts. PHYS_OFFSET is in the log. VMEMMAP_START is not, but a kernel of this configuration says it:

# %%
print(f"VMEMMAP_START = {k.VMEMMAP_START:#x}")

# %%
chapter.ask("vmemmap_of_the_log")

# %%
phys_offset = 0xFFFF_F761_8000_0000 - (1 << 64)
print(hex(k.VMEMMAP_START - (phys_offset >> 12) * 64))

# %% [markdown]
# ## 6b.4 Any pointer will do
#
# Now the mistake. A record changes while one reads it: other CPUs are at work. So a function that prints a record can first
# copy it, and print the copy. `__dump_page`, which line 23 names, does so; the copy is on its stack.

# %%
chapter.ask("any_pointer")

# %% [markdown]
# Here the model boots with a linear map that begins elsewhere, at an invented PHYS_OFFSET, and does what that function did. With
# the numbers of the log you do it in chapter 10b, and you will recognise what comes out.

# %%
from pgtlab.linux.placement import Placement

k = Tree.named("fixed").start_kernel(boot(Config("4k", 48)), placement=Placement(phys_offset=0xFFFF_FE00_0000_0000))
copy = 0xFFFF_8000_8007_F5A0
print(f"{copy:#x} - {k.vmemmap:#x}, >> 6: {k.page_to_pfn(k.page_at(copy)):#x}")

# %%
chapter.ask("pfn_of_a_copy")

# %% [markdown]
# A number of 64 bits, beginning with `ffff`, for a frame: no processor has so many physical addresses. But a number is a
# number.

# %% [markdown]
# ## 6b.5 Sections and roots
#
# RAM has holes, and can be plugged in later. So the kernel also keeps a coarser list: a **section** is 128 MiB of physical
# addresses here, and its record, of 32 bytes, is a `struct` **mem_section**. One page full of these records is a **root**: 128 of
# them. An array has a pointer to each root; where there is no RAM, the pointer is NULL. (In the kernel the array has the name of
# the structure, `mem_section`. In C that is allowed.)
#
# You know this shape. It is a table of tables, two levels deep. A pfn is an unsigned number, so the shift that gives the number of
# its section brings in zeros. With 48 bits of physical address there are `2**48 / 2**27` sections, and so `2**14` roots at most.

# %%
print(f"sections of 2**{k.SECTION_SIZE_BITS} bytes")
print(k.SECTIONS_PER_ROOT, "in a root,", k.NR_SECTION_ROOTS, "roots at most")

# %%
chapter.ask("section_number")

# %%
chapter.ask("root_number")

# %% [markdown]
# With pages of another size the numbers change. A section still has 128 MiB if pages have 16K (with 64K pages it has 512 MiB): how
# many frames is that? A root still is a page full of records of 32 bytes. The number of bits of a physical
# address is another choice: it does not follow from the page size.

# %% [markdown]
# A **pageblock** is a group of pages that the kernel tries to keep to one kind of use. Which kind is noted in memory that the
# field `usage` of the mem_section points to, and the function that looks it up is called `get_pfnblock_flags_mask`. In line
# 22 of the log, **pc**, the program counter, says which instruction was running: 0x3c bytes into that function, which has 0x68.

# %%
print(chapter.log[22])

# %%
chapter.ask("null_plus_8")

# %% [markdown]
# Here is the whole way, in the model. A number of a root that is not below the number of roots cannot be in the array: the kernel
# sees that, and takes NULL for the mem_section without looking. The function that gets it does not test for NULL:
# it reads 8 bytes further on, and the kernel prints line 5.

# %%
pfn = k.page_to_pfn(k.page_at(copy))
section = k.pfn_to_section_nr(pfn)
print(f"pfn {pfn:#x}, section {section:#x}")
print(f"root {section // k.SECTIONS_PER_ROOT:#x}; there are {k.NR_SECTION_ROOTS:#x} at most")
print(f"so its mem_section is at {k.__pfn_to_section(pfn):#x}")
print("the field usage is", k["offsetof(struct mem_section,usage)"], "bytes on")

# %% [markdown]
# ## 6b.6 In three lines
#
# - pfn = physical address / page size; a struct page of 64 bytes for each; `page_to_pfn()` = (pointer - vmemmap) / 64.
# - It works on any pointer. A copy of a struct page on the stack gives a pfn that no RAM has.
# - For such a pfn there is no mem_section; the kernel gets NULL, and reading the field at offset 8 faults at 8.

# %%
chapter.summary()

# %% [markdown]
# You now know *how* the kernel came to read address 8: it was printing the record of a page, from a copy. Why did it print that
# record at all? That begins with [the names of tables](07_five_names.ipynb).
