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
# # 10b. Read the log
#
# 29 February 2024. A machine prints 59 lines in 15 milliseconds and never says anything again. Nobody can ask it a
# question. No program had run on it yet. **Why did it stop?**
#
# Two people read such a log. One looks for the last message, types it into a search engine, and changes something. The
# other goes through it line by line, and asks of each: *what follows from this, and by which rule?* After that a few lines
# are left that prove something, and they prove it together.
#
# You have all the rules now. In this chapter you use them, on paper first. The model only confirms.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("10b_the_log")
chapter

# %% [markdown]
# ## 10b.1 Four verdicts
#
# This is the real log, without its times:

# %%
for number, line in chapter.log.items():
    print(f"{number:2}  {line}")

# %% [markdown]
# From the cause to the silence leads a chain of events; at the end of this chapter you put it together. Each number of the
# log gets one of four verdicts:
#
# - **evidence**: a link of that chain follows from it, by a rule that you can name;
# - **context**: it is clear what it says (where, when, on what machine), and no link rests on it;
# - **zero or empty**: it says that there is nothing;
# - **leftover**: the log does not say what it is. At most one can say that it points into the kernel's image.
#
# The last is a verdict like the others, and often the right one. Thirty registers were saved because saving all is simple,
# not because all matter.
#
# You have met the links of the chain in the chapters before. In no order: a read through NULL, the end of PID 1, a table that is
# freed without its destructor, a number that no frame has, a panic, a copy on the stack, a report of a bad page, and a section
# that does not exist. A line is evidence if one of *these* follows from it. (If a verdict surprises you, try again at the end.)

# %%
chapter.ask("verdict_of_a_line")

# %% [markdown]
# Look at some leftovers before you go on, so that they tempt you no longer. x11 to x17, lines 29 to 31, are conspicuous:
# one value five times, and two that look like text (chapter 0). The registers x6 to x10, lines 31 and 32, say even less: three
# of them point into the kernel's image (chapter 6a), and two are numbers of which no line says what they count.

# %%
chapter.ask("what_x17_tells")

# %% [markdown]
# *(full course)* Can you still read text in a register?

# %%
chapter.ask("text_in_a_register")

# %% [markdown]
# ## 10b.2 A report inside a report
#
# Line 2 begins a report of a *bad page*, line 5 an *Oops*. Nothing ends the first report: the second one happened inside
# it.
#
# Line 2 names the frame, which begins at `0x18a65d000` (chapter 6b). Line 4 you know from chapter 9: the page still says
# *table*. In between stands line 3. For that you need two words:
#
# - a **folio** is one page, or a block of pages that is managed as one. A page in such a block is a *tail*, and points to the
#   first page, the *head*;
# - a **snapshot** is a copy that is made so that what you look at cannot change meanwhile. `__dump_page` makes one: it copies
#   the `struct page` to its stack and prints the copy.
#
# It also checks that the two fit: it computes which page of its folio this page is. For an ordinary page, one that is not a
# tail, the code takes the record itself as the folio. It was handed the copy, so it takes the *copy* as the folio. Then it
# subtracts: address of the page - address of the copy.
#
#      the memmap                              the stack
#     ┌─────────────┐                         ┌──────────┐
#     │ struct page │ <─ (page - folio)/64 ── │ its copy │
#     └─────────────┘                         └──────────┘
#      page                                    folio
#
# The memmap is far above the stack, so the result is large. If it is larger than any folio, somebody may have changed the page meanwhile: the function copies it again. It tries
# six times, and then it prints line 3.

# %%
chapter.ask("what_line_3_blames")

# %% [markdown]
# A counterexample: a page with nothing wrong at all, dumped by that function. (In this kernel the dump does not crash,
# because one of its two mistakes is fixed. You will see which.)

# %%
from pgtlab.lab import Tree

k = Tree.named("next+fix-dump-page").start_kernel()
k.dump_page(k.alloc_pages(0), "I wanted to see it")
print(k.log)

# %% [markdown]
# What a log does *not* say can be evidence too. Here is the report of such a page from a kernel with the older
# `__dump_page`:

# %%
run = Tree.named("arm64-for-next").start_kernel().run()
print("\n".join([*run.dmesg[:12], "...", run.dmesg[-1]]))

# %%
chapter.ask("what_is_missing")

# %% [markdown]
# That line also says whether the page is in memory that is kept for devices. This is noted for each pageblock (chapter 6b),
# so `__dump_folio`, a part of `__dump_page` that is inlined into it, looks the page's pageblock up. The lookup wants a page: `__dump_folio` passes the one that it is printing,
# which is the copy. And from its address the lookup makes a pfn. What comes of that is section 10b.5.

# %% [markdown]
# *(full course)* A second silence is in line 19. A **taint** is a mark that a kernel carries from then on when something
# bad has happened to it, so that later reports can be read with care. A bad page is such an event: the last line of the
# report above says so. Where does that line stand?

# %%
chapter.ask("why_not_tainted")

# %% [markdown]
# ## 10b.3 The fault
#
# Lines 5 to 16 are chapter 5: an address that faulted, and ESR, which says how. Once more from memory, by hand:

# %%
chapter.ask("level_of_line_7")

# %%
chapter.ask("what_line_16_says")

# %% [markdown]
# So: a *read* of address 8, from the kernel, stopped at the first entry of an empty table. And chapter 10a has found the
# instruction. The most important question of this chapter:

# %%
chapter.ask("what_was_null")

# %% [markdown]
# *(full course)* With other numbers, if the level was wrong:

# %%
chapter.ask("level_of_an_esr")

# %% [markdown]
# *(full course)* Lines 8 to 10 and 13 to 15 are the same ESR again, field by field. Line 8: EC 0x25 is a data abort (*DABT*) in
# the kernel itself, IL says that the instruction has 32 bits. Lines 9 and 10: SET, EA and S1PTW are about memory that does not
# answer and about virtual machines. Line 13: ISS is the lowest 25 bits; ISV and ISS2 would say that there is more to read. Lines
# 14 and 15: WnR is from chapter 5; each other field is 1 for a special kind of access or check, such as cleaning a cache (CM),
# tags of memory (TnD, TagAccess) or a guarded stack (GCS). Lines 6 and 12 are headings. Which of the many zeros do you use?

# %%
chapter.ask("the_zero_that_counts")

# %% [markdown]
# ## 10b.4 Who, where and when (full course)
#
# Context does not prove the cause, but it keeps you from looking in the wrong place. Line 18 lists the modules that were loaded:
# none. Line 19 has the CPU, the task's PID and name (*Comm*), the taint, and the kernel's version: `6.8.0-rc6-00966-gde701dc1f7f8`
# is 966 commits after the sixth candidate for 6.8, and the last one begins with `de701dc1f7f8` (chapter 11). Line 20 names the
# machine: a virtual one, which a *device tree*, DT, describes to the kernel. And one thing to know: Linux numbers its Oopses from 1,
# and it also counts how often it was built. Both numbers have a `#`.

# %%
chapter.ask("the_first_oops")

# %%
chapter.ask("who_runs_the_test")

# %% [markdown]
# Every new task of the kernel begins in `ret_from_fork` (line 50). That of PID 1 then runs `kernel_init` (line 49), which is the
# rest of the kernel's start; `kernel_init_freeable` (line 48) is the part of it whose memory is given up afterwards. An
# **initcall** is a function that is registered to run once in this time, and `do_one_initcall` (line 47) runs one.
# `debug_vm_pgtable` (line 46) is one, and all that it does is test the functions of page tables, as line 1 says. The crash was found by a test: that is luck, and good work.

# %% [markdown]
# ## 10b.5 From the copy to a number
#
# Why is there no section? Now comes the arithmetic. Begin with where the numbers live:

# %%
chapter.ask("what_x20_points_to")

# %% [markdown]
# In the function that crashed, x1 holds a pfn (chapter 10a), and no register holds the address of a `struct page` in the
# memmap. (x1 looks like one. But it is odd, and such an address is a multiple of 64.) So x1 may have been made from x20. Test
# it: does `page_to_pfn(x20)` give x1? `page_to_pfn(page)` is `page - vmemmap`, in units of 64 bytes (chapter 6b), and
# `vmemmap` depends on PHYS_OFFSET.
#
# **Worked**, with another boot of the same kernel, where KASLR has drawn other places. Check each line on paper. Where
# a line shifts right, ask what comes in from the left: ones if the number is signed and below zero, as PHYS_OFFSET and the
# difference of two pointers are here, and zeros for a pfn, which is not signed.

# %%
from random import Random

from pgtlab.lab.crash import crash

print(crash(Random(2024)).by_hand())

# %% [markdown]
# **The last steps are yours**, in a third boot: `vmemmap` is given.

# %%
chapter.ask("x1_of_a_boot")

# %% [markdown]
# *(full course)* **The first steps are yours**, in a boot where only PHYS_OFFSET is given:

# %%
chapter.ask("vmemmap_of_a_boot")

# %% [markdown]
# **And alone.** You computed this `vmemmap` in chapter 6b: now without looking. Line 56 has PHYS_OFFSET; VMEMMAP_START is not
# in the log, it is a constant of this configuration (chapter 6b). First `vmemmap`, then x1. Compare your x1 with line 34
# when you are done.

# %%
chapter.ask("vmemmap_of_the_log")

# %%
chapter.ask("x1_of_the_log")

# %% [markdown]
# That is proof. A number of 64 bits came out of three others, from lines 28 and 56 and a constant, and it stands in line 34
# to the last digit. x1 *is* `page_to_pfn` of an address on the stack. And line 27 has `18a65d` in x22: the true number was there,
# in `__dump_page`, which was still running.

# %% [markdown]
# ## 10b.6 From the number to NULL
#
# A table of all sections says where the memory of a pfn is described: `mem_section`, an array of *roots*, each a page full of
# `struct mem_section` (chapter 6b). Which section would frame x1 be in, and which root? Line 33 has both. Compute first.

# %%
chapter.ask("x4_of_the_log")

# %%
chapter.ask("x5_of_the_log")

# %% [markdown]
# *(full course)* Once more with fresh numbers, if one of the two was wrong:

# %%
chapter.ask("x4_of_a_boot")

# %%
chapter.ask("x5_of_a_boot")

# %% [markdown]
# *(full course)* And with pages of another size, where no shift is what it was:

# %%
chapter.ask("section_in_another_kernel")

# %% [markdown]
# x0, `1fffff` in line 34, is the largest number that a section can have, 2^(48 - 27) - 1: it fits the comparison that chapter
# 10a inferred from the flags. x4 is larger by far, the answer is NULL, and NULL + 8 is line 5. The chain is closed. Now let
# the model do all of it, from nothing but three places, and look for its numbers in the log:

# %%
from pgtlab.lab.crash import story

print(story().by_hand())
print(f"{'the largest section: x0':36}{story().kernel.NR_MEM_SECTIONS - 1:#20x}")

# %% [markdown]
# **A good place to stop for today.** You have gone from a stack address to the NULL that stopped the machine. What remains is
# who freed the page, why the Oops was the end, and the two bugs together.

# %% [markdown]
# ## 10b.7 Backwards (full course)
#
# Logs are often cut off. Suppose that lines 55 and 56 were lost. The registers still know where the linear map was: go the
# other way. First in another boot, with all steps if you need them, then in the log.

# %%
chapter.ask("phys_offset_of_a_boot")

# %%
chapter.ask("phys_offset_of_the_log")

# %% [markdown]
# Line 56 says the same. One equation, that of section 10b.5, ties lines 28, 34 and 56 together: any two give the third (of x20 all
# but its lowest six bits, which the shift drops), so they cannot all be wrong by accident. And VA_BITS is 48, for with another VMEMMAP_START they would not fit.

# %% [markdown]
# ## 10b.8 The function that is not in the trace
#
# Lines 36 to 45 lead from the crash to `destroy_args`. It frees what the test has made, and it calls no function named
# `free_pages`. Which of the functions that it does call was inlined there? Two facts decide: the function that
# line 44 names, and the type that line 4 shows.

# %%
chapter.ask("who_freed_the_page")

# %% [markdown]
# *(full course)* Some registers point into the kernel's image, and line 55 says how far KASLR had moved it:

# %%
chapter.ask("link_address_of_x23")

# %%
chapter.ask("link_address_in_a_boot")

# %% [markdown]
# ## 10b.9 The last lines
#
# One Oops need not stop a machine: the kernel ends the task in whose name it happened, and goes on. Here it could not.

# %%
chapter.ask("signal_of_line_53")

# %% [markdown]
# *(full course)* Line 52 closes the Oops, and line 59 the panic. Between them the kernel stops the other CPUs and prints what may
# help somebody else: where it was (lines 55 and 56); in line 57 a **capability bitmap**, one bit for each capability of the CPUs,
# by a list in the kernel's source; and in line 58 whether somebody had told it to use less RAM than there is.

# %%
chapter.ask("after_the_panic")

# %% [markdown]
# ## 10b.10 Why it stopped
#
# Put everything together.

# %%
chapter.ask("chain_of_events")

# %%
chapter.ask("cause_of_the_stop")

# %% [markdown]
# There are two bugs, by two people, in two branches that met in linux-next:
#
# | | the first | the second |
# |---|---|---|
# | where | `pud_free` of arm64 | `__dump_page` and `__dump_folio` of mm |
# | what | frees a table without its destructor | takes the address of a copy for that of the page |
# | alone | a report of a bad page, and the machine boots | nothing, until a page is bad |
#
# The first bug is links 1 and 2 of the chain, the second is links 3 to 6. The last two are why an Oops in *this* task is the
# end. These lines show them:

# %%
from pgtlab.lab.chapters import log_lines

for name, links in {"the first bug": {1, 2}, "the second bug": {3, 4, 5, 6}, "the end": {7, 8}}.items():
    print(f"{name:16}", *(line.number for line in log_lines().values() if links & {*line.links}))

# %% [markdown]
# Do you believe that? Then predict what a repair changes, before you run it:

# %%
chapter.ask("only_the_first_fix")

# %%
chapter.ask("only_the_second_fix")

# %%
for name in ("next-20240229", "next+fix-pud-free", "next+fix-dump-page", "fixed"):
    run = Tree.named(name).start_kernel().run()
    kinds = ", ".join(report.kind for report in run.reports) or "nothing"
    line_3 = any("does not match folio" in line for line in run.dmesg)
    print(f"{name:20} {run.outcome:8} reports: {kinds}{'; line 3 is there' if line_3 else ''}")

# %% [markdown]
# The second repair gives `__dump_folio` the pfn that was known all the time. It takes out the crash, and leaves line 3, which
# comes from another use of the copy's address. *A newer kernel:* in 6.12 `__dump_page` no longer subtracts where the folio is
# its own copy, and line 3 is gone as well.

# %% [markdown]
# ## 10b.11 True, false, or not decidable
#
# One claim about the log; *Try with other numbers* draws another of twenty. A good reader of logs says the third thing at the
# right moment, and no more often. What counts is this log, with the rules that you know: a number that you computed from its
# lines decides as well as one that is printed, and so does a line that is missing where this kernel would have printed it.

# %%
chapter.ask("claim_about_the_log")

# %% [markdown]
# ## 10b.12 What a program makes of it
#
# `pgtlab oops` reads logs by the same rules. First what it says went wrong:

# %%
from pgtlab.lab.course_data import data
from pgtlab.linux import oops

text = data("next-20240229.log").read_text()
for report in oops.read(text).reports:
    print(f"{report.kind}: {report.diagnosis.sentence}")

# %% [markdown]
# And now the reader. Choose one of its claims, above the log or beside it, and look which lines it rests on. Find one that you
# had derived, and one that you had not.

# %%
from pgtlab_widgets import OopsReader

OopsReader(text)

# %% [markdown]
# And all the verdicts, to compare with yours. A line with several registers has one for each:

# %%
for line in log_lines().values():
    print(f"{line.number:2}  {', '.join(line.verdict):46} {line.text[:80]}")

# %% [markdown]
# ## 10b.13 In three lines
#
# - A line is evidence if you can name what follows from it, and by which rule; *the log does not say* is a verdict too.
# - x1, x4, x5, PHYS_OFFSET and the address of the copy determine each other: a number for a page was made of a stack address,
#   and no section has it.
# - Linux-next stopped because one bug made a bad page and another crashed while reporting it, in the one task that must not
#   die.

# %%
chapter.summary()

# %% [markdown]
# You know what stopped the machine. [Which commits brought it there?](11_who_did_it.ipynb)
