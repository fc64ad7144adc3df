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
# # 4. Walk it yourself
#
# The MMU does nothing that you cannot do with a pencil: cut an address, read a word, clear some bits, and again. In this
# chapter you do it by hand, then you write it in ten lines of Python, and your lines have to agree with the model for
# every address that it is asked about.
#
# Two questions first. Who tells the MMU where the first table is? And why are there two first tables at once?

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("04_the_walk")
chapter

# %% [markdown]
# ## 4.1 Two trees, and bit 55
#
# **TTBR0_EL1** is the register that holds the physical address of
# the first table for the lower addresses, which begin with zeros: the programs' half. **TTBR1_EL1** holds that for the
# upper addresses, which begin with ones: the kernel's half. The kernel writes another
# table's address into TTBR0_EL1 each time another process runs, and lets TTBR1_EL1 lead to the same tables of its own. (With a defence
# called KPTI it is not quite so; it plays no part here.) That is why the kernel is at the same addresses whichever
# process is running.
#
# Bit 55 of the address chooses between the two. Why 55, and not 63? Because the top byte can be set aside for
# other uses. (Linux does so for programs. Our small machine does not.)

# %%
from pgtlab.lab.machine import Halves, Machine

Halves(48)

# %%
chapter.ask("which_register")

# %% [markdown]
# ## 4.2 How much of it is in use
#
# **T0SZ** and **T1SZ** are two fields of another register, **TCR_EL1**. Each says for its half how many bits of an address are
# *not* in use: 64 minus the number of bits in use. From T0SZ and the granule the MMU knows at which level to start, as you do.

# %%
chapter.ask("size_field")

# %%
from pgtlab.arch.address_cut import cut

for bits in (39, 48):
    print(f"4K pages, T0SZ = {64 - bits}: the walk starts at level {cut(0, '4k', bits).start_level}")

# %% [markdown]
# The bits that are not in use must still have a value. An address is **canonical** if its bits above those in use are all
# equal to bit 55: all 0 in the lower half, all 1 in the upper. Any other address is in neither half, and the MMU refuses
# it without reading a word.

# %%
chapter.ask("upper_bit_in_use")

# %%
chapter.ask("canonical")

# %% [markdown]
# ## 4.3 A walk, worked
#
# A **walk** is what the MMU does to translate an address: it reads an entry at each level, down to the leaf. (It remembers recent
# results, and walks only where it has none; chapter 12.) Here is a walk with three levels, because three show everything.

# %%
machine = Machine("4k", va_bits=39)
process = machine.process("a")
process.map(0x12_3456_7000, 0x8A65_D000, UXN=1, PXN=1)
cut(0x12_3456_7890, "4k", bits=39)

# %%
va, table = 0x12_3456_7890, int(process.mmu.ttbr0)
for shift in (30, 21, 12):
    index = va >> shift & 0x1FF
    entry = machine.ram(table + 8 * index)
    print(f"read {table:#x} + 8 x {index:#x} = {table + 8 * index:#x}: {entry:#018x}")
    table = entry & 0x0000_FFFF_FFFF_F000
print(f"and the offset: {table:#x} + {va & 0xFFF:#x} = {table + (va & 0xFFF):#x}")

# %% [markdown]
# Each line is: table + 8 x index, because an entry has 8 bytes; read; clear everything but the address. The model agrees, step by step:

# %%
print(process.walk(va))

# %% [markdown]
# Now you lead. Click *Step*, then use the arrow keys. Say before each step where the next read will go. (What
# comes later is grey. The names of functions in small print, and most of the words below the picture, are for later
# chapters.)

# %%
from pgtlab_widgets import WalkStepper

WalkStepper(process.mmu, va)

# %%
chapter.ask("order_of_a_walk")

# %% [markdown]
# ## 4.4 And now you, in three portions
#
# The last step; then the first step; then all of it. Use a pencil, or an empty cell as a calculator.

# %%
chapter.ask("last_read")

# %%
chapter.ask("first_read")

# %%
chapter.ask("walk_alone")

# %% [markdown]
# ## 4.5 What kind of address is in a table?

# %%
chapter.ask("what_a_table_pointer_is")

# %% [markdown]
# ## 4.6 When an entry is missing
#
# A walk that meets an invalid entry ends there, and the access is refused: a **fault**. It is reported with a level, and
# that number is easily misread.

# %%
chapter.ask("level_of_the_fault")

# %%
for page in (0x12_3456_8000, 0x12_3466_7000, 0x12_7456_7000, 0x7F_0000_0000):
    print(f"{page:#x}: {process.read(page)}")

# %% [markdown]
# The level is that of the *entry* that stopped the walk. In each case the table of that level was there and was read. (One case is
# different: an address that is not canonical is reported at level 0 without any read.)

# %% [markdown]
# ## 4.7 In ten lines of Python
#
# Write `translate(ram, ttbr, va)` for 4K pages and 39 bits, for the lower half. `ram(pa)` returns the word at a physical
# address. Return the physical address, or `("fault", level)`. Only bits 1:0 decide whether the walk goes on, ends at a
# block or a page, or is a fault; AF and AP play no part here. Begin with pages, and add the rest when the cell below asks
# for it.


# %%
def translate(ram, ttbr, va): ...


# %% [markdown]
# This cell asks the model and your function the same thousand questions, some with entries that were made wrong on
# purpose:

# %%
from pgtlab.lab.walk_contest import contest

contest(translate)

# %% [markdown]
# ## 4.8 A real kernel's tables
#
# So far all tables were the model's. These are not: a real Linux 6.12 was started, with 4K pages and 48 bits, and the frames
# that hold its page tables were saved, with the registers. The MMU of the model reads them as the real one did.

# %%
from pgtlab.lab.course_data import data
from pgtlab.linux.image import Image

real = Image.open(data("kernel-4k-va48.npz"))
print(real.mmu.translate(0xFFFF_0000_0012_3456))

# %% [markdown]
# The upper half, so TTBR1_EL1; four levels, so it starts at level 0; and it stops at level 2, because the
# last two bits of that word are 01: a block. Do one yourself,
# with that kernel's words.

# %%
chapter.ask("walk_of_a_real_kernel")

# %% [markdown]
# ## 4.9 In three lines
#
# - Bit 55 chooses TTBR0_EL1 or TTBR1_EL1; T0SZ and T1SZ say how many bits are cut off; all addresses in tables are
#   physical.
# - A walk: table + 8 x index, read, clear the attributes, and again; at the leaf, add the offset.
# - A fault has the level of the entry that stopped the walk, counted so that the last level is 3.

# %%
chapter.summary()

# %% [markdown]
# [What does the processor do when the walk ends in a fault](05_a_fault.ipynb), and what is left for us to read?
