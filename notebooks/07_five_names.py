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
# # 7. Why does Linux always say five names?
#
# The MMU of our story walked four tables. The kernel's code for walking them calls five functions. With 64K pages there
# are two or three tables, and the code still calls five functions, the same ones. It is not wasteful, and it is not wrong.
#
# These five names are also the reason why a table was freed in the wrong way. To see that, you have to
# read some kernel code: one function here.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("07_five_names")
chapter

# %% [markdown]
# ## 7.1 One code for all machines
#
# Linux runs on some twenty architectures, with two to five levels of tables. The code that manages memory is written once,
# for five, and each level has a name:
#
# - **pgd**, page global directory: the first table, to which TTBR points
# - **p4d**, page fourth-level directory
# - **pud**, page upper directory
# - **pmd**, page middle directory
# - **pte**, page table entry: the last table, level 3
#
# A name stands for the level, for a table of it, and for an entry in it; you tell by the sentence. A `p` at the end means
# *pointer to*: `pte` is an entry's value, and `ptep` the address of an entry.

# %% [markdown]
# ## 7.2 The same step, in C and in Python
#
# For each level there is a function that goes one step down: given a pointer to an entry and an address, return a pointer
# to the entry of the next level. Here is the last one, from the pmd to the pte, with 4K pages. In C it might be written so
# (our words, not the kernel's):
#
# ```c
# uint64_t *pte_entry(uint64_t *pmdp, uint64_t address)
# {
#         uint64_t table = *pmdp & 0x0000fffffffff000;    /* physical */
#         uint64_t *first = linear_map(table);            /* virtual */
#
#         return first + (address >> 12 & 511);           /* counts in entries of 8 bytes */
# }
# ```
#
# `*pmdp` reads the word that the pointer points to. `linear_map()` stands for the sum of chapter 6a: virtual = physical + a
# constant. And in C, adding n to a pointer moves it by n *entries*, so the factor 8 is not written. Now the model's twin of
# the kernel's function:

# %%
import inspect

from pgtlab.linux.kernel import pgtable

print(inspect.getsource(pgtable.pte_offset_kernel))

# %% [markdown]
# Line by line: `@static_inline` says that the compiler makes no call of it (chapter 10a); `k` is the kernel (the model can
# have several); `pmdp` is the pointer to the entry above; `read64` reads it; `table_address` clears what is not address;
# `__va` goes from physical to virtual; `pte_index` is shift and mask; and in Python the factor 8 has to be written. That is
# all the kernel code that you need in order to read the rest.
#
# Its name has *pte* in it, and what it reads is a pmd. To read such code, you need the order of the five in your head. From memory:

# %%
chapter.ask("order_of_the_names")

# %% [markdown]
# ## 7.3 Five calls
#
# So a walk by software is five calls: `pgd_offset`, `p4d_offset`, `pud_offset`, `pmd_offset`, `pte_offset_kernel`. But the
# tables are fewer. Here is a walk of a kernel with four levels, to an address that a block maps, so that the fifth call is not
# needed. The functions return virtual pointers; here they are printed as physical addresses, to compare them with what the
# MMU reads. `mm` is the address space whose tables are walked; `init_mm` is the kernel's own:

# %%
from pgtlab import Config, boot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.software_walk import software_walk

k = Kernel(boot(Config("4k", 48)))
for lookup in software_walk(k, k.init_mm, "PAGE_OFFSET"):
    print(lookup)

# %% [markdown]
# The second line says *the same entry again*. This kernel has no p4d: the level is **folded**, it does not exist, and its
# function returns something that lets the code above and below go on as if it did. (With fewer levels more names fold: those
# that lie just under the pgd.)

# %%
chapter.ask("words_read")

# %%
chapter.ask("what_p4d_offset_returns")

# %% [markdown]
# ## 7.4 Folded at compile time
#
# With 4K pages and 48 bits a kernel has four levels, and that is known when it is compiled. So is this kind of folding: it
# is **folded at compile time**. The level has no bits of the address: it is a table of one entry, with the index 0. Its functions
# become trivial, and the compiler leaves them out.

# %%
chapter.ask("reads_of_a_folded_level")

# %%
print(inspect.getsource(k.symbols["p4d_offset"]))

# %%
chapter.ask("which_names_fold")

# %%
from pgtlab.linux.boot import LINUX_LEVELS, Fold

for page_size, bits in (("4k", 48), ("4k", 39), ("16k", 47), ("64k", 52), ("64k", 42)):
    folds = boot(Config(page_size, bits)).folded
    names = ("-  " if folds.get(name) is Fold.COMPILE_TIME else name for name in LINUX_LEVELS)
    print(f"{page_size:>3} {bits}:", "  ".join(names))

# %% [markdown]
# Read down the columns. The pgd and the pte are always there; what folds lies between them, from the pgd down.

# %% [markdown]
# ## 7.5 Folded is not absent (full course)
#
# Before it goes down, the code asks at each level whether there is anything: `pgd_none`, `p4d_none` and so on. A table that
# could be there and is not is **absent**, and its entry above, which is 0, is called **none**. Where a table is absent, code that maps something allocates one
# and puts its address into that entry.
#
# Now the p4d is folded. The pgd entry and the p4d entry are one word, and both `pgd_none` and `p4d_none` ask about it. Say that the
# word is 0. May both say yes? What would the code do if the first one did?

# %%
chapter.ask("a_question_that_is_constant")

# %% [markdown]
# So only `p4d_none` says yes: `pgd_none` says no without a look. Otherwise code that found a pgd entry empty would allocate a p4d
# table and put its address there, where that of a pud table belongs.

# %% [markdown]
# ## 7.6 Practice without end (full course)
#
# The explorer takes an address apart by the MMU's levels and by Linux's names. As a quiz it hides the parts, and you fill them in. The
# walk stepper does the same with a walk: say what is read, then step. Another kernel brings other numbers.

# %%
from pgtlab_widgets import Explorer, WalkStepper

Explorer("4k", 48, quiz=True)

# %%
WalkStepper(quiz=True)

# %% [markdown]
# ## 7.7 In three lines
#
# - Linux's code walks five levels by name, pgd to pte; the MMU walks as many as there are.
# - A level that the compiler folds has no table: its `*_offset` returns the pointer that it was given, and reads nothing.
# - The pgd and the pte never fold. Folded is not absent.

# %%
chapter.summary()

# %% [markdown]
# The compiler can leave out what it knows is not there. [What if that is known only when the kernel
# starts?](08_folded_at_boot.ipynb)
