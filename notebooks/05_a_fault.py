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
# # 5. How does it fail?
#
# The machine of our story read from address 8, and nothing is mapped there. Thirteen lines of its log are about that
# one read. One of them says *level 0 translation fault*.
#
# Address 8 is in the very first page that there could be. So why level 0, and not level 3? Was the table of level 0
# missing? Most people who read such a line believe so. It is not what happened.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("05_a_fault")
chapter

# %%
for number in range(5, 18):
    print(f"{number:2} {chapter.log[number]}")

# %% [markdown]
# ## 5.1 Stop, and call the kernel
#
# An instruction that asks for memory which the MMU refuses cannot be finished. The processor stops it and takes an
# **exception**: it jumps to a place in the kernel, and leaves a note of what happened. An exception that comes from a
# memory access is an **abort**: a data abort for a load or a store, an instruction abort for a fetch.
#
# You know EL0 and EL1 from chapter 3. (EL2 and EL3, for virtual machines and for firmware, have no part in this story.) The kernel itself can take an exception, and then it has
# to deal with itself.
#
# The note consists of two registers. **FAR_EL1**, fault address register, has the address. **ESR_EL1**, exception
# syndrome register, says the rest. The register has 64 bits; what we need is in the lowest 32. (Line 13 calls bits above
# them ISS2; they are 0.) The model writes it as the processor does:

# %%
from pgtlab.arch.fault import Access
from pgtlab.lab.machine import Machine

process = Machine().process("a")
process.map(0x40_0000, 0x8000_0000, AP=3)
for va, access in ((0x40_0000, Access.WRITE), (0x80_0000, Access.READ), (0x80_0000, Access.FETCH)):
    walk = process.walk(va, access)
    print(f"FAR_EL1 = {va:#x}, ESR_EL1 = {int(walk.esr):#010x}: {access.name.lower()}, {walk.outcome}")

# %% [markdown]
# ## 5.2 The note, field by field
#
# Four fields are enough for everything in this course:
#
# - **EC**, the exception class, bits 31:26: `0x24` is a data abort from EL0, `0x25` a data abort from EL1 itself; `0x20`
#   and `0x21` are the same for instruction aborts.
# - **FnV**, FAR not valid, bit 10: if it is 1, FAR_EL1 does not have the address.
# - **WnR**, write not read, bit 6: 1 is a write.
# - **FSC**, the fault status code, bits 5:0: the kind of fault in bits 5:2 and the level in bits 1:0. (For the levels 0 to 3;
#   level -1 has codes of its own.) Kind 0b0001 is a
#   **translation fault**: an entry is invalid. 0b0010: its access flag is 0. 0b0011 is a **permission fault**: a valid
#   entry forbids the access.
#
# Between EC and the others is bit 25, IL. It is 1 in all numbers here: line 8 says what it means, an instruction of 32 bits,
# and this processor has no others. The lowest 25 bits together are called **ISS**; what they mean depends on EC. Worked, for the third line above:

# %%
esr = int(walk.esr)
print(
    f"EC = {esr >> 26:#x}, WnR = {esr >> 6 & 1}, FSC = 0b{esr & 0x3F:06b}: kind 0b{esr >> 2 & 0xF:04b}, level {esr & 3}"
)

# %%
chapter.ask("exception_class")

# %%
chapter.ask("status_code")

# %%
chapter.ask("write_or_read")

# %% [markdown]
# Now the real one. Line 7 has it, and line 11 says in words what FSC means: a translation fault at level 0. If you know the
# fields, you can write the number for another fault as well.

# %%
chapter.ask("the_story_syndrome")

# %% [markdown]
# In the log, EC is in line 8, FSC in line 11, and WnR in line 14. The log and the command print many more fields; they are 0
# here, or play no part, and you may pass over them. (DFSC is FSC of a data abort.)

# %%
from pgtlab import esr

esr(0x96000004)

# %% [markdown]
# ## 5.3 Not found, and not allowed
#
# Four kinds of fault come from a walk. You have met three: the **translation fault**, where an entry is invalid; the
# **access flag fault**, where AF is 0; and the **permission fault**, where a valid entry forbids the access. (The fourth,
# an address size fault, is about an address with too many bits.)
#
# An access can also fail *behind* the address: the walk succeeds, and then the memory itself reports an error. That is an
# external abort, FSC = 0b010000, and no fault of the walk.

# %%
chapter.ask("read_only_page")

# %%
for va, access in ((0x40_0000, Access.WRITE), (0x40_1000, Access.WRITE)):
    print(process.walk(va, access), end="\n\n")

# %% [markdown]
# Both are refused at level 3. In the first walk the entry is there.

# %% [markdown]
# ## 5.4 Can you trust the address?

# %%
chapter.ask("is_far_valid")

# %% [markdown]
# For the faults of a walk, those of 5.3, the address is always valid: the MMU has just translated it, or tried to. In our log
# line 9 says so, `FnV = 0`.

# %% [markdown]
# ## 5.5 Why level 0
#
# A null pointer is 0. A field of a structure lies some bytes behind its beginning, so reading a field through a null pointer
# reads a small address, such as 8. What level does that fail at?

# %%
chapter.ask("level_for_null")

# %% [markdown]
# So it depends on what else is mapped. Now: what is mapped for our kernel?
#
# What a kernel runs is divided into **tasks**: a program, or a piece of the kernel's own work. Each has a number, its **PID**. A
# task that runs a program has an address space of its own, which Linux calls its **mm**. A task that runs only kernel code needs
# none: the kernel is in the upper half, which is the same for all.
#
# **active_mm** is the address space in use. A task with an mm uses its own. A task without one keeps using the last one. Before
# the first process there is only the kernel's own, called *swapper*. (The first task of CPU 0 is called *swapper/0*, too; PID 1
# was started by it and still has its name.)
#
# There are two first tables. TTBR1_EL1 leads to the kernel's own tables, TTBR0_EL1 to those of the process that runs. And before
# the first process runs? Read the walk: is there a table?

# %%
idle = Machine().process("a task of the kernel, without an mm")
print(idle.mmu.translate(0x8, el=1))

# %%
chapter.ask("why_level_0")

# %% [markdown]
# Linux lets TTBR0_EL1 lead to such a table on purpose, until the first process runs: a wrong pointer into the lower half is then
# always caught. (Later a kernel task can keep the tables of the process before it.)
#
# That is why line 11 says *level 0*. And it is line 16, *user address but active_mm is swapper*: an address of the lower half, in a
# task that has no memory there.
# Another line has that word, too:

# %%
for number in (16, 19):
    print(number, chapter.log[number])

# %%
chapter.ask("which_swapper")

# %% [markdown]
# ## 5.6 From a fault to the end
#
# If the kernel can do nothing about a program's fault, it ends the program with a signal, **SIGSEGV**. If the kernel itself
# faults, it prints a report, an **oops**, and, unless it is set up to stop at once, ends the task that it was working for in the same way. The first task has PID 1;
# when the kernel is ready it turns into **init**, the program that starts all others. A **panic** is the decision to stop
# altogether. The end of our log:

# %%
for number in (53, 54):
    print(number, chapter.log[number])

# %%
chapter.ask("exit_code")

# %%
chapter.ask("why_it_stopped")

# %% [markdown]
# In line 17 the kernel also says how it was built: **PREEMPT**, the kernel may interrupt its own work for something more urgent, and
# **SMP**, it can use several CPUs. That is why line 54 has others to stop.

# %% [markdown]
# ## 5.7 The state of the processor
#
# **pstate** is the processor's own state when it stopped: which exception level, what the last comparison gave, which
# interrupts may come. Linux prints the number and then its flags as letters: a capital letter, or a `+`, is a 1.

# %%
print(chapter.log[21])

# %%
chapter.ask("exception_level")

# %% [markdown]
# *nzCv* are the four results of the last comparison, of which only C was 1. *daif* are four ways to interrupt the
# processor; a capital letter would be one that was switched off for the time being. *+PAN*, privileged access never: the kernel may not touch programs'
# memory by accident. The other letters are features that play no part here.

# %%
chapter.ask("in_your_words")

# %% [markdown]
# ## 5.8 In three lines
#
# - A refused access is an abort. ESR_EL1 says which (EC), whether it wrote (WnR), and the kind and level of the fault
#   (FSC); FAR_EL1 has the address.
# - The level is that of the entry that stopped the walk. Level 0 at address 8 means here: an
#   empty table, because no process has run yet.
# - An oops ends a task; if that task is PID 1, the kernel panics.

# %%
chapter.summary()

# %% [markdown]
# The kernel read address 8. It meant to read something else. To see what, [you need its map](06a_the_kernel_map.ipynb).
