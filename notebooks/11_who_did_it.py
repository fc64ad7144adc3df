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
# # 11. Who did it?
#
# You have read what happened. Now find the change that did it, among hundreds. There is a method that always finds one, in
# a handful of tests. Three bisections of this panic, each without a mistake, found three different commits.
#
# How can that be? And which of the three would you have to undo?

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("11_who_did_it")
chapter

# %% [markdown]
# ## 11.1 git on one page
#
# The kernel's source is kept in **git**. A **commit** is a state of all files, with a note that says what was changed since
# the commit before, its *parent*, and why; the first line of the note is its *subject*. A **branch** is a row of commits
# that somebody works on apart from others. A **merge** is a commit with two parents: it joins two branches. It has the
# changes of both, and usually none of its own.
#
# linux-next is made every day by merging some hundreds of branches. This is a part of it, in miniature; the subjects and their
# order are the real ones.

# %%
from pgtlab.lab.history import revisions

for revision in revisions():
    print(f"{revision.number:3} parents {revision.parents!s:10} {revision.branch:28} {revision.subject}")

# %% [markdown]
# ## 11.2 Halve what is left
#
# **Bisection**: if the newest kernel is bad and the oldest is good, test one in the middle. If it is bad, the first bad
# commit is at or before it; if it is good, after it. Halve again.

# %%
chapter.ask("by_hand")

# %%
chapter.ask("tests_needed")

# %% [markdown]
# With branches, "the middle" is the commit that leaves the fewest in the worse case. git computes it; so does this view.
# Choose a commit and test it: each test boots that kernel in the model.

# %%
from pgtlab_widgets import BisectionView

BisectionView(page_size="4k", va_bits=48)

# %% [markdown]
# ## 11.3 What is bad?
#
# A bisection needs a question whose answers are good and bad. You choose the question. Here are three: *does it panic*;
# *does it report anything wrong*; and a developer of the mm branch asked: *with arm64's branch already merged into every commit,
# which commit of ours makes it panic*?

# %%
chapter.ask("what_bad_finds")

# %%
from pgtlab import Config, boot
from pgtlab.lab.bisection import Bad, Bisection

kernel = boot(Config("4k", 48))
for bad in Bad:
    bisection = Bisection.start(kernel, bad)
    while bisection.next:
        bisection = bisection.test(bisection.next)
    print(f"{bad.value:40} {len(bisection.tested) - 2} tests: {bisection.first_bad.subject}")

# %%
chapter.ask("what_reports_finds")

# %% [markdown]
# Three questions, three first bad commits, and no contradiction. *The first bad commit* is where the answer to your question
# changes. What the cause is, you have to say yourself.

# %%
chapter.ask("is_mm_innocent")

# %% [markdown]
# ## 11.4 With git itself (full course)
#
# `pgtlab bisect-repo` writes this history as a real git repository, in which every commit is a kernel that boots in the
# model, and `git bisect run` does the rest. In a terminal:
#
# ```sh
# pgtlab bisect-repo linux-next
# cd linux-next
# git bisect start next-20240229 base
# git bisect run pgtlab debug-vm-pgtable --tree-file tree.txt --bad panic
# ```
#
# Do it with `--bad report` as well.

# %% [markdown]
# ## 11.5 Two fixes
#
# Two mistakes were made, by different people, in different months. Both were fixed. You have seen in chapter 10b what each fix
# does alone. From memory, and with the reason:

# %%
chapter.ask("first_fix_only")

# %%
chapter.ask("second_fix_only")

# %%
from pgtlab.lab import Tree

for tree in Tree.names():
    print(f"{tree:20} {Tree.named(tree).start_kernel(kernel).run().outcome}")

# %%
chapter.ask("lines_that_go")

# %%
print(Tree.named("next+fix-dump-page").start_kernel(kernel).run())

# %% [markdown]
# ## 11.6 Is it fixed?

# %%
chapter.ask("is_it_fixed")

# %% [markdown]
# A kernel with the first fix only. Free a page that something still maps, which is another way for a page to be bad:

# %%
from pgtlab.linux.kernel.printk import Panic

k = Tree.named("next+fix-pud-free").start_kernel(kernel)
page = k.virt_to_page(k.get_zeroed_page())
page._mapcount = 0
try:
    k.free_page(k.page_address(page))
except Panic as panic:
    print(panic)

# %% [markdown]
# The same panic, from a page that has nothing to do with page tables. So long as nobody frees a bad page, the second mistake
# sleeps.
#
# Now write the fixes yourself. The first is exercise 3. The second mistake is in this function; which of its calls takes the
# address of a copy for that of the page, and what does the function know besides?

# %%
from pgtlab.linux.kernel.symbols import source_of

print(source_of(k.symbols["__dump_folio"]))

# %% [markdown]
# Put your function in the place of this comment. With the second mistake fixed, the kernel of that day reports the bad page and goes
# on; with both fixed, it is clean.

# %%
k = Tree.named("next-20240229").start_kernel(kernel)
# k.livepatch(__dump_folio=my_dump_folio)
print(k.run().outcome)

# %% [markdown]
# ## 11.7 In three lines
#
# - Bisection finds where the answer to a question changes, in about log2(n) tests; with merges too.
# - The first bad commit is not the cause. Here it is the merge, the commit of arm64, or the commit of mm, depending on what bad
#   means.
# - A branch that runs clean may hold half of a bug, and a kernel that reports nothing may still hold the other half.

# %%
chapter.summary()

# %% [markdown]
# Practice: [exercise 3, fix pud_free()](../exercises/03_pud_free.ipynb).
#
# Chapter [12](12_the_cost_of_a_walk.ipynb) is optional: you can go straight to
# [a case of your own](13_your_own_case.ipynb).
