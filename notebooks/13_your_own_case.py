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
# # 13. Your own case
#
# A kernel that nobody has explained to you does something wrong. Its users know only what they see. You have a machine of
# theirs, its source, and what you have learned. Find the function, fix it, and write down why you are sure.
#
# There is no new idea in this chapter. It takes an afternoon or two, and it is what the others were for.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("13_your_own_case")
chapter

# %% [markdown]
# ## 13.1 The complaint
#
# Put your name, or what your instructor gave you, in the place of the seed. It chooses the case; the same seed always gives
# the same one.

# %%
from pgtlab.lab.case import case

mine = case("your name")
print(mine.symptom)

# %% [markdown]
# This is what happens on a machine of those that complained. The word after the colon is one of four. *clean*: nothing is
# wrong. *report*: the kernel notices something and reports it; the log says how it goes on. *panic*: it stops at once. *unnoticed*:
# something is wrong and the kernel itself does not notice. (Where you see `aaaa`: a kernel for debugging can fill each page that
# is freed with bytes of 0xaa, so that whatever is still read from it is conspicuous.)

# %%
print(mine.observe())

# %% [markdown]
# Before you go on, write down what you believe, in one sentence, and what would make you give it up.

# %%
chapter.ask("first_belief")

# %% [markdown]
# ## 13.2 Where it happens, and where not
#
# Where a fault does *not* happen is evidence too. Here is every kernel that differs from the others. What do those that
# show it have in common? Number of levels, page size, a level that folds, and how?

# %%
print(mine.where())

# %% [markdown]
# A kernel of your choice: `mine.kernel("16k", 52, "max,lpa2=off")`. It is a kernel like those of the chapters before: `k.boot`
# says which levels fold (the registers at its end play no part), `k.mmu.translate(va)` walks as the MMU does, and
# `software_walk(k, mm, va)` as Linux does. `new_mm` and `map_page` of chapter 9 make a process and map a page in it, and
# `mine.observe(k)` makes a kernel that was just started do what users complained of.

# %%
from pgtlab.linux.software_walk import software_walk

k = mine.kernel()
print(k.boot)
for lookup in software_walk(k, k.init_mm, "PAGE_OFFSET"):
    print(lookup)

# %% [markdown]
# ## 13.3 Twelve suspects
#
# The bug is in one of these functions. Most of them you can rule out without reading them: by what they are for, and by
# where the bug shows itself. Say for each *why* you rule it out. (You could compare their sources with those of a good tree. Then
# you would have a patch, and nothing to write in the report.)

# %%
for name in mine.suspects:
    print(name)

# %%
print(mine.source(mine.suspects[0]))

# %% [markdown]
# Some names in the sources are new. A name that ends in `_bad` asks whether an entry does not lead to a table.
# `pgtable_l4_enabled()` and `pgtable_l5_enabled()` ask, while the kernel runs, whether the pud and the p4d are levels of their own.
#
# When two or three are left, ask what each of them would do if it were the one: which symptom, in which kernels? That is a
# prediction. Test it.

# %% [markdown]
# ## 13.4 The fix
#
# Write the function as it should be, with `k` as its first argument and the others as in its source, which you can copy: where
# it names a constant, the value stands above it. Try it on one kernel first:
#
# ```python
# def the_function(k, ...):
#     ...
#
# k = mine.kernel()
# k.livepatch(the_function=the_function)
# print(mine.observe(k))
# ```
#
# and then let it be judged in every kernel, which takes a few seconds: a fix that works where the bug was, and breaks
# something where it was not, is not a fix. If you can repair it in another function, say in the report why that is the right
# place.

# %%
# mine.check(the_function=the_function)

# %% [markdown]
# ## 13.5 The report
#
# One page. Somebody who has read chapter 10b has to be able to follow it, and to check each step.
#
# 1. **Symptom.** What was seen, in which kernels, and in which not.
# 2. **Evidence.** Three pieces. For each: what it is, where you found it, and what follows from it. A number is derived, not
#    quoted.
# 3. **A rival.** Another explanation that you took seriously, and the observation that rules it out.
# 4. **A prediction.** What had to be so if you were right, that you had not yet looked at; how you tested it; what came out.
# 5. **The fix.** The function, before and after, why it is right in the kernels that never showed the bug, and what it costs
#    there: memory, or time.
# 6. **What remains unknown.** At least one thing. "The log does not say" is an answer.
#
# For example, a piece of evidence from chapter 10b: *x1 in line 34 is `fffffe0779181ee5`. With PHYS_OFFSET from line 56,
# `vmemmap` is `fffffe223a000000`, and (x20 - vmemmap) >> 6, with x20 from line 28, is x1 to the last digit. So the number that was
# looked up was made of an address on the stack.*

# %% [markdown]
# This is what you believed at first:

# %%
chapter.ask("first_belief")

# %%
chapter.ask("report")

# %% [markdown]
# ## 13.6 In three lines
#
# - A symptom, where it is and where it is not: most suspects are ruled out before you read a line of them.
# - A prediction that could have failed is worth more than three that could not.
# - The fix is judged everywhere, and the report says what you do not know.

# %%
chapter.summary()

# %% [markdown]
# You have taken apart a log that stopped a kernel, and found a bug that nobody had shown you. The
# [gallery](gallery.ipynb) has all the views for whatever you look at next.
