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
# You have read what happened. Now find the change that did it, among hundreds. There is a method, bisection, that always
# finds a commit, in a handful of tests. Three bisections of this panic, each without a mistake, found three different commits.
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
# linux-next is made every day by merging some hundreds of branches. Here is the part of it that matters, in miniature; the
# subjects and their order are the real ones. The branch `mm/mm-unstable` is the work on memory management, those that begin with
# `arm64` are the work on this processor, and `master` is where all of them are merged.

# %%
from pgtlab.lab.history import revisions

for revision in revisions():
    parents = " and ".join(map(str, revision.parents)) or "none"
    print(f"{revision.number:2}  parent {parents:10} {revision.branch:26} {revision.subject}")

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
# With branches, "the middle" is the commit that leaves the fewest in the worse case. git computes it; so does the view in the
# next section.

# %% [markdown]
# ## 11.3 What is bad?
#
# A bisection needs a question whose answers are good and bad. You choose the question. Here are three: *does it panic*;
# *does it report anything wrong*; and a developer of the mm branch asked: *with arm64's branch already merged into every commit,
# which commit of ours makes it panic*?

# %%
chapter.ask("what_bad_finds")

# %%
chapter.ask("what_reports_finds")

# %% [markdown]
# Now bisect. Choose what *bad* is, then choose a commit and test it, or take git's choice; each test boots that kernel in the
# model. Do it with all three.

# %%
from pgtlab_widgets import BisectionView

BisectionView(page_size="4k", va_bits=48)

# %% [markdown]
# The same without the view:

# %%
from pgtlab import Config, boot
from pgtlab.lab.bisection import Bad, Bisection

kernel = boot(Config("4k", 48))
for bad in Bad:
    bisection = Bisection.start(kernel, bad)
    while bisection.next:
        bisection = bisection.test(bisection.next)
    print(f"{bad.value:42} {len(bisection.tested) - 2} tests: {bisection.first_bad.subject}")

# %% [markdown]
# Three questions, three first bad commits, and no contradiction. *The first bad commit* is where the answer to your question
# changes. What the cause is, you have to say yourself.

# %%
chapter.ask("is_mm_innocent")

# %% [markdown]
# So which of the three would you have to undo? To end the panic, any of them. Without arm64's commit no page is bad; without mm's
# commit the bad page is reported and the kernel goes on; without the merge the two do not meet. But to undo is not to fix: a
# mistake would still be there, or a new feature would be gone.
#
# ## 11.4 With git itself
#
# `pgtlab bisect-repo` writes this history as a real git repository. Each commit in it has one file, `tree.txt`, which says what
# that kernel has, and `pgtlab debug-vm-pgtable` boots it in the model. Its exit status is 0 if the kernel is good, and 1 if it is
# bad; from that `git bisect run` knows where to go on. In a terminal (*File*, *New*, *Terminal*):
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
# This kernel has the first fix only. Free a page that something still maps, which is another way for a page to be bad:

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
# Now write the fixes yourself. The first is [exercise 3](../exercises/03_pud_free.ipynb). The second mistake is in this function;
# which of its calls takes the address of a copy for that of the page, and what does the function know besides? (`k.hold` only
# says what is in which register, for the log.)

# %%
from pgtlab.linux.kernel.symbols import source_of

print(source_of(k.symbols["__dump_folio"]))

# %% [markdown]
# Write your function in this cell, `my_dump_folio`, with the same parameters, and take the `#` away. With the second mistake fixed, the kernel of that day reports the bad page and goes
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
# Chapter [12](12_the_cost_of_a_walk.ipynb) is optional: you can go straight to
# [a case of your own](13_your_own_case.ipynb).
