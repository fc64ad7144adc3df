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
# # 10a. What is in a register when it crashes?
#
#     pc : get_pfnblock_flags_mask+0x3c/0x68
#     lr : __dump_page+0x1a0/0x408
#     ...
#     Call trace:
#      get_pfnblock_flags_mask+0x3c/0x68
#      dump_page+0x2c/0x70
#      bad_page+0x84/0x130
#
# Lines 22, 23 and 35 to 38 of the log. `lr` names a function, `__dump_page`, and the trace jumps right over it. And
# `pud_free`, which you repaired in chapter 9, is not in the trace at all. Does the kernel lie about who called whom?
#
# When a machine stops, thirty numbers and fifteen names are all that is left of it. Some of them are proof, some are
# rubbish from long ago, and nothing marks which is which. At the end of this chapter you can tell them apart, and
# read the five machine instructions in line 51. One of them is the one that failed.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("10a_registers")
chapter

# %% [markdown]
# ## 10a.1 Thirty-one registers and a promise
#
# A program for arm64 computes in registers of 64 bits, x0 to x30. There are two more with names: **pc** holds the address
# of the instruction that runs, **sp** the end of the stack (chapter 6a).
#
# The hardware does not care who uses which. The compilers have agreed on this, for every function of the kernel:
#
# | register | when a function begins | what a call does to it |
# |---|---|---|
# | x0 to x7 | the arguments, in order | may be lost; the result comes back in x0 |
# | x8 to x18 | anything | may be lost |
# | x19 to x28 | the caller's values | kept: they are **callee-saved**. A function that uses one puts the old value back |
# | x29 | the caller's frame (section 10a.2) | kept |
# | x30, called **lr** | the address to return to | overwritten: a call writes the address after itself there |
#
# (x18 can be set aside for a stack of its own; in the log it holds 6, which cannot be one.) *Callee-saved* is a promise: a function that uses x19 to x28 leaves them as they were.

# %%
chapter.ask("what_survives_a_call")

# %% [markdown]
# Note *when a function begins* in the table's head. Line 34 is from the middle of a function:

# %%
chapter.ask("which_argument_is_left")

# %% [markdown]
# And the registers that the function does not use at all? Look at line 27, and at line 2:

# %%
chapter.ask("who_wrote_x22")

# %% [markdown]
# So the registers of a report belong to *different* functions. x0 to x18 hold what the function that crashed put there, or
# what an earlier one left if it did not use them; x19 to x28 often hold values of its callers. The report prints them as they
# were when the fault was taken: to save them all is the first thing that the kernel does then.

# %% [markdown]
# ## 10a.2 A frame for each call
#
# Where does a function put the old values that it must give back? On the stack. Each call has a **stack frame**: a piece
# of the stack, taken when the function begins and dropped when it returns. (It has nothing to do with the frames of
# physical memory.) Here is one, made up: `parse` was called by `serve`, uses x19 and x20, and is about to call `copy`.
#
#     ffff800080001f40   local variables of parse
#     ffff800080001f38   x20, as serve had it
#     ffff800080001f30   x19, as serve had it
#     ffff800080001f28   lr: back into serve
#     ffff800080001f20   x29: the frame of serve  <- x29, sp
#
# The two lowest words have the same meaning in every frame here: the address of the frame of the caller, and the address to
# return to. x29 points to the innermost frame, and from there a chain leads outwards, frame by frame.
#
# A **leaf function** calls no other function. It has nothing to save: its arguments stay in registers, and the address to
# return to stays in lr. So it usually takes no frame.

# %%
chapter.ask("frame_of_a_leaf")

# %% [markdown]
# Here it is, in the log's own addresses. You will need the line at the top in chapter 10b:
#
#     ffff80008007b950   a struct page's copy   <- x19, x20, x26
#                        ten callee-saved registers
#     ffff80008007b8f8   lr: back into dump_page
#     ffff80008007b8f0   x29: dump_page's frame   <- x29, sp

# %% [markdown]
# ## 10a.3 How a call trace is made
#
# Nobody writes down who calls whom. When the kernel prints a **call trace** (line 35 begins it), it reads it from the stack: the
# first name from pc, and each further name from the address to return to in one frame after the other.
#
# Four functions, and all of them have a frame. Read the last column from the top:

# %%
from pgtlab.lab.calls import Calls

Calls.of(("start", "serve", "parse", "copy"))

# %% [markdown]
# The frame of `copy` does not name `copy`. It names the function that `copy` returns to. Now say what becomes of the
# last column if `copy` is a leaf and has no frame, before you run this:

# %%
Calls.of(("start", "serve", "parse", "copy"), leaf=True)

# %% [markdown]
# The first frame is now that of `parse`, and it names `serve`. No frame says that `copy` returns to `parse`: only lr does.
# With that, the beginning of the log:

# %%
chapter.ask("lr_and_the_trace")

# %% [markdown]
# ## 10a.4 Calls that were never made
#
# A compiler may put the instructions of a small function where it is called: **inlining**. It saves the call and the
# return. In machine code nothing is left of the function: no call, no frame, no name. Its caller has become longer. (The
# same is true of a macro.)
#
# In C such a function still looks like a call. So there are two reasons why a function that was at work is not in the
# trace. Use both:

# %%
chapter.ask("names_in_a_trace")

# %% [markdown]
# Try combinations of your own: change the names, the ones that are inlined, the leaf.

# %%
Calls.of(("boot", "load", "check", "sum"), inlined=("check",), leaf=True)

# %% [markdown]
# And the crash of 29 February 2024. The model knows both sides, what the source calls and what the stack shows:

# %%
chapter.ask("calls_without_a_name")

# %%
from pgtlab.lab.crash import story

story().calls

# %% [markdown]
# Read it from the bottom: the test (`debug_vm_pgtable`) takes down what it had made (`destroy_args`) and frees a page;
# `free_pages` down to `free_unref_page_prepare` are the steps of the allocator, which sees that the page is bad;
# `free_page_is_bad_report` and `bad_page` report it (line 2), and `dump_page` prints the page (lines 3 and 4).
#
# Find `pud_free`. Its caller, `destroy_args`, *is* in the trace: that is how you get from a trace to a function that it
# does not name. You take the source of the named function just below the gap, here `destroy_args`, and ask which of the
# functions that it calls could have made the next call. Chapter 10b does it.

# %% [markdown]
# ## 10a.5 Five instructions
#
# A place in the kernel's code is printed as `function+offset/size`, both in bytes: `0x3c` bytes from the beginning of a
# function that has `0x68`.

# %%
chapter.ask("where_an_instruction_is")

# %% [markdown]
# Line 51 is the **`Code:`** line: five instructions as hexadecimal words, the one at pc in brackets. Where are they?

# %%
chapter.ask("where_line_22_is")

# %%
from pgtlab.lab.course_data import data
from pgtlab.linux import oops

log = oops.read(data("next-20240229.log").read_text())
for instruction in log.reports[1].code:
    print(f"+{instruction.offset:#x}  {instruction.word:08x}  {instruction.text}")

# %% [markdown]
# You need not know arm64 to read them. Where there is a result, the first register gets it:
#
# | instruction | what it does |
# |---|---|
# | `ubfiz x4, x4, #5, #7` | take the lowest 7 bits of x4, shift them up by 5, put them in x4 |
# | `cmp x3, #0` | compare x3 with 0, and remember the result in flags |
# | `add x4, x3, x4` | x4 = x3 + x4 |
# | `csel x3, x4, x3, ne` | x3 = x4 if the two were *not equal*, else x3 |
# | `ldr x0, [x3, #8]` | load: read eight bytes at the address x3 + 8, put them in x0 |
#
# In C that is one line of a lookup (chapter 6b), `&mem_section[root][number % 128]`, and then `->usage`: 7 bits count to 128,
# a shift by 5 is a factor of 32, the size of a `struct mem_section`, and `usage` is 8 bytes into it.
#
# The load never put anything into x0, so line 34 shows what was there before: `1fffff`. That is the highest number that a
# section can have: 48 bits of physical address are 2^(48 - 27) = 2^21 sections, counted from 0.

# %%
chapter.ask("what_an_ldr_reads")

# %% [markdown]
# Now backwards, from the address that faulted to the register:

# %%
chapter.ask("the_register_that_was_null")

# %% [markdown]
# Line 33 says that x3 is 0, line 5 says 8, and line 51 connects them: 0 + 8. Three lines from three places, and they agree.
#
# *(full course)* You can even read the offset from the word itself:

# %%
chapter.ask("offset_in_the_word")

# %% [markdown]
# ## 10a.6 Did they run?
#
# It is tempting to read `Code:` as a story: first this, then that, then the crash. But it is a piece of memory. The four
# words *stand* before the one at pc. Whether they *ran* before it is another question, for the processor may have jumped
# to pc from elsewhere.
#
# The registers can answer it. **Worked:** what would the first instruction leave in x4, if x4 was 0x2a5?
#
# 1. The lowest 7 bits: 0x2a5 is …10 1010 0101, of which 7 bits are 010 0101, which is 0x25.
# 2. Shifted up by 5: 0x25 · 32 = 0x4a0.
#
# **The last step is yours**, for x4 = 0x1c3: the lowest 7 bits are 0x43. Shifted up by 5? Then look:

# %%
print(hex((0x1C3 & 0x7F) << 5))

# %% [markdown]
# And alone:

# %%
chapter.ask("what_ubfiz_would_leave")

# %% [markdown]
# Now the log's own x4, in line 33:

# %%
chapter.ask("did_the_four_run")

# %% [markdown]
# There is a second witness. `cmp` leaves flags, and line 21 prints them as they were, `nzCv`, in the register *pstate*
# (chapter 5). Capital letters are set:

# %%
chapter.ask("flags_of_a_comparison")

# %%
chapter.ask("flags_of_line_21")

# %%
from pgtlab.lab.crash import flags_after_cmp

crash = story()
print(f"ubfiz x4, x4, #5, #7  would leave x4 = {(crash['x4'] & 0x7F) << 5:#x}; the log has {crash['x4']:#x}")
print(f"cmp x3, #0            would leave {flags_after_cmp(crash['x3'], 0)}; the log has nzCv")
print(f"cmp x4, x0            would leave {flags_after_cmp(crash['x4'], crash['x0'])}")

# %% [markdown]
# And a third: with the flags of line 21, *not equal*, the `csel` would have copied x4 into x3, and x3 is 0. So none of the
# four ran on the way to the crash.
#
# What did happen fits the source: the lookup returns NULL if the root is not below the number of roots (chapter 6b). That is
# the same as a section above 0x1fffff, the number in x0. The section that was asked for is in x4 (you compute it in chapter
# 10b), and is much larger; x3 became 0, *there is no such section*, and the
# processor came to the bracket from elsewhere. The function that gets NULL does not test for it. (The comparison itself is
# not in the log. That it was this one fits the flags; it is not proved.)

# %% [markdown]
# ## 10a.7 In three lines
#
# - x0 to x18 hold what the function that crashed, or an earlier one, left there; x19 to x28 often still hold values of its
#   callers.
# - A call trace is read from frames: inlined functions are not in it, nor is the caller of a leaf, which only lr names.
# - `Code:` shows what stands before pc. Whether it ran, the registers and the flags must tell.

# %%
chapter.summary()

# %% [markdown]
# You know which lines to trust. [Now read all 59](10b_the_log.ipynb).
