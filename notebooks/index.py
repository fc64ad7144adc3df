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
# # pgtlab: why a computer stopped
#
# On 29 February 2024 a computer that had worked the day before stopped while it was starting. It left a log of 59
# lines. This course is about that log: at its end you take it apart line by line, say which lines are evidence for
# what, find the two changes that did it, and fix both. Then you do the same for a log that nobody has explained.
#
# You need to know what a pointer is, and to read simple Python and C. Nothing else: not this processor, not this
# kernel.
#
# - **The short course**, about 7 hours: the chapters marked so, in order. It ends with the evidence in the log explained
#   and the first bug fixed.
# - **The full course**, about 18 hours: all of it, with every exercise and a case of your own.
# - **Ten minutes**: the tour, which shows the bug happen and explains little.
#
# {chapters}
#
# Each word of the field has its sentence in the [glossary](glossary.ipynb).
#
# The kernel of the course is the one of that log: Linux shortly before version 6.9, with the same debugging options. The model of it
# was also compared with recordings of real kernels of version 6.12; where a newer kernel does otherwise, the chapter says so.
#
# Each chapter begins with the log in miniature, a bar for each of its 59 lines. A bar **lights up** when you have answered all
# questions about its line right.
#
# Run the cell below with **Shift-Enter**. It draws the map of the course, with what you have done so far and what is
# next; run it again when you come back.

# %%
from pgtlab_widgets import CourseMap

CourseMap()
