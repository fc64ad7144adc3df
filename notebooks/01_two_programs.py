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
# # 1. Two programs use the same address and read different values: how?
#
# Start the same program twice. Both copies keep a variable at the same address, `0x400010`. One writes 42 there, the
# other 7. Then each reads its variable, and neither finds anything strange.
#
# One address, one computer, two values. If you understand how, you understand why a program cannot crash its
# neighbour, how one RAM serves a hundred programs, and what was being tested when the machine of our story stopped.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("01_two_programs")
chapter

# %% [markdown]
# ## 1.1 One address, two values
#
# A **process** is a running program together with the memory that it can use. Say what you expect before you look.

# %%
chapter.ask("same_address")

# %% [markdown]
# Here is a small computer, and two processes on it. `map` gives a process some memory; what it does exactly comes next.

# %%
from pgtlab.lab.machine import Machine

machine = Machine()
a, b = machine.process("a"), machine.process("b")
a.map(0x40_0000, machine.frame())
b.map(0x40_0000, machine.frame())

a.write(0x40_0010, 42)
b.write(0x40_0010, 7)
print(a.read(0x40_0010), b.read(0x40_0010))

# %% [markdown]
# These numbers were really stored, in the model's RAM, at two places.

# %% [markdown]
# ## 1.2 Pages and frames
#
# The address that a program uses is a **virtual address**. The one that RAM understands is a **physical address**.
# Between the two sits the **MMU**, the memory management unit: the part of the processor that turns each virtual address
# into a physical one, at every single access.
#
# It cannot have a rule for each byte; that would take more memory than there is. So memory is cut into pieces of equal
# size. A **page** is a piece of virtual addresses, and a **frame** is a piece of RAM of the same size, which can hold one
# page. For each process there is a list that says which page is in which frame, and the MMU looks it up. A page is
# **mapped** if it is in the list. The list is written by the **kernel**, the part of Linux that manages the machine for all
# programs; `a.map(...)` stands for what it does. This is what we have:

# %%
machine

# %% [markdown]
# Two pages with the same address, in two frames. That is the whole answer to the chapter's question. The rest is detail,
# and the detail is what breaks.

# %% [markdown]
# Two processes can also share a frame, under any two addresses. A third process gets the frame that a has:

# %%
c = machine.process("c")
c.map(0x7F_0000_0000, 0x8000_0000)
machine

# %% [markdown]
# Let c write a number. At which address does a see it?

# %%
c.write(0x7F_0000_0010, 1234)
print(f"a reads {a.read(0x40_0010)} at 0x400010; RAM holds {machine.ram(0x8000_0010)} at 0x80000010")

# %% [markdown]
# ## 1.3 What the MMU leaves alone
#
# A page and its frame have the same size, so a byte has the same place in both. That place is the **offset**: the low
# bits of an address, which say how far into its page it lies. The MMU replaces the page by its frame and leaves the
# offset as it is.

# %%
address = 0x40_0010
page, offset = address & ~0xFFF, address & 0xFFF
print(f"page {page:#x}, offset {offset:#x}, frame {a.pages[page]:#x}, physical address {a.pages[page] + offset:#x}")

# %% [markdown]
# With pages of 4 KiB = 4096 bytes the offset takes 12 bits, because 12 bits have 4096 values, 0 to 0xfff: three hexadecimal
# digits.

# %%
chapter.ask("physical_address")

# %% [markdown]
# ## 1.4 A page is not always 4 KiB
#
# **arm64** is the 64-bit processor architecture of Arm, which this course is about; it is in phones, in laptops and in
# servers. On arm64 a page has 4, 16 or 64 KiB. The kernel is built for one of the three. The machine of our story
# had pages of 4 KiB; another one may have 64.

# %%
chapter.ask("offset_in_a_page")

# %%
for name in ("4k", "16k", "64k"):
    size = Machine(name).page_size
    print(f"{name:>3}: {size} bytes, offset of {size.bit_length() - 1} bits, for example {0x1234_5678 % size:#x}")

# %%
chapter.ask("pages_for_bytes")

# %% [markdown]
# ## 1.5 What changes when memory is moved?
#
# The kernel can need a frame for something else, or want to put things closer together. Then it copies the bytes into another
# frame and changes the list.

# %%
chapter.ask("after_the_move")

# %%
old, new = b.pages[0x40_0000], machine.frame()
before = b.read(0x40_0010)
b.unmap(0x40_0000)
b.map(0x40_0000, new)
b.write(0x40_0010, before)  # the kernel would copy the whole frame
print(f"frame {old:#x}, then {new:#x}; b reads {before}, then {b.read(0x40_0010)}")

# %% [markdown]
# The program saw nothing. (If two processes share a frame, the kernel has to change the lists of both. If it forgot one, that
# process would go on using the old frame, which may soon belong to somebody else.)

# %% [markdown]
# ## 1.6 Can a process reach another's memory?
#
# You know where in RAM the number is that a has written. Could b read it there? Try it, on a fresh machine.

# %%
chapter.ask("physical_as_pointer")

# %%
fresh = Machine()
a, b = fresh.process("a"), fresh.process("b")
a.map(0x40_0000, fresh.frame())
a.write(0x40_0010, 42)
print(hex(a.pages[0x40_0000]), "|", b.read(a.pages[0x40_0000] + 0x10))

# %% [markdown]
# This b has no page at that address, and the MMU refused. Chapters 2 to 4 explain the words in which it does.
#
# A process can use only addresses that are mapped for it, and an address means what its own list says. So it cannot reach the
# frame of another, unless the kernel has mapped that frame for both. This is **isolation**: what one program does wrong stays
# inside it.
#
# Who writes the lists, then? Not the programs. A processor distinguishes degrees of **privilege**: the kernel runs with enough of it
# to change the lists, and programs do not.
#
# So the kernel is the one program that isolation does not protect us from. If *it* handles a list wrongly, nothing stands above
# it to stop it. It can only notice, say so, and stop.

# %% [markdown]
# ## 1.7 The machine that stopped
#
# **linux-next** is the Linux kernel of tomorrow: every day the work of hundreds of developers is put together in it for
# the first time, and tried. What a kernel has to say while it runs is its **log**, a line each, and each line starts
# with a **timestamp**, the seconds since the kernel started. The 59 lines of our story are the end of such a log. Four of them,
# with their numbers:

# %%
from pgtlab.lab.course_data import data

log = data("next-20240229.log").read_text().splitlines()
for number in (1, 2, 5, 53):
    print(f"{number:2} {log[number - 1]}")

# %% [markdown]
# A sixth of a second after it had started, that kernel tested the code that writes its lists, found a page in a state in which
# no page may be, and stopped. You can read some words of it now: *page*, and in line 5 *virtual address*. The kernel itself used
# that address, `0x8`: a kernel uses virtual addresses, too, and the MMU refused this one.

# %% [markdown]
# ## 1.8 In three lines
#
# - A program uses virtual addresses; the MMU turns each into a physical one, page by page; the offset stays.
# - A page may be in any frame, in none, or share one; on arm64 it has 4, 16 or 64 KiB.
# - The kernel writes the list, and only the kernel may: that is what isolates programs from each other.

# %%
chapter.summary()

# %% [markdown]
# The list of pages of one process could need more memory than the machine has. [How can a table be smaller than
# that?](02_a_tree.ipynb)
