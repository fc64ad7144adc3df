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
# # 0. Can you read 0xfffffdff?
#
# On 29 February 2024 a computer stopped while it was starting. The last thing it wrote was 59 lines, and one of them contains
# this:
#
#     x24: 00000000fffffdff
#
# `x24` is one of the processor's **registers**, small memories of 64 bits each, and the digits are what was in it. That is
# not noise. Part of the kernel had stored a small negative number, for a good reason, and the number was still there when it
# should have been gone. At the end of this course you will know which part, and why the machine stopped. First you have to
# be able to read the number.
#
# The small bars under the next cell are the 59 lines. A line lights up when you have answered all questions about it, in
# whatever chapter they are.

# %%
from pgtlab_widgets import Chapter

chapter = Chapter("00_hexadecimal")
chapter

# %% [markdown]
# ## 0.1 A test that lets you skip this chapter
#
# Five questions. If you get all five right at the first try, go on to [chapter 1](01_two_programs.ipynb). Otherwise
# read on: sections 0.2 to 0.6 explain one question each, in the same order. *Try with other numbers* gives you as many
# more as you want, before and after. "I don't know" costs nothing, here and everywhere.

# %%
chapter.ask("two_digits")

# %%
chapter.ask("low_bits")

# %%
chapter.ask("as_signed")

# %%
chapter.ask("arithmetic_shift")

# %%
chapter.ask("letters_in_a_word")

# %% [markdown]
# ## 0.2 Sixteen digits
#
# **Hexadecimal** is a way to write numbers with sixteen digits, 0 to 9 and a to f, where each place counts sixteen times
# the place on its right. `0x` in front says that a number is written so. An underscore may separate groups of digits, as a comma
# does in 1,000: `0xffff_fdff`.
#
# Why sixteen? A digit is exactly four bits: 16 = 2 to the power of 4. So you can read the bits of a long word digit by
# digit, without arithmetic. Bits are numbered from the right, from 0: bits 11:0 are the lowest twelve, and bit 31 is the
# highest of 32.

# %%
print("digit  value  bits")
for digit in "0123456789abcdef":
    print(f"{digit:>5}  {int(digit, 16):5}  {int(digit, 16):04b}")

# %% [markdown]
# ## 0.3 A mask keeps some bits
#
# A **mask** is a number whose ones say which bits of another number to keep: `x & mask` keeps those and clears the rest.
# Three digits f are twelve ones, so `& 0xfff` keeps the lowest twelve bits.

# %%
x = 0x1234_5678
print(hex(x & 0xFFF), hex(x & 0xFFFF_F000), hex(x >> 12))

# %% [markdown]
# The third one is a **shift**: `x >> 12` moves all bits twelve places to the right, and twelve bits drop out. Mask and
# shift together take any field out of a word: `(x >> low) & ((1 << width) - 1)`, where `low` is the number of the field's
# lowest bit and `width` the number of its bits. This course uses that expression more than any other. Here are bits 19:12,
# eight of them:

# %%
low, width = 12, 8
print(hex((x >> low) & ((1 << width) - 1)))

# %% [markdown]
# ## 0.4 A sign is not in the bits
#
# In C a number has a width, and a type that says whether it is signed. **Two's complement** is how a signed one is
# stored: the top bit counts as negative. In 32 bits, all ones is -1, and to get minus x you flip all bits of x and add 1.
#
# In 32 bits, then, `0xffffff9c` is negative, because bit 31 is 1. It is as far below 2 to the power of 32 as the number is
# below 0:

# %%
print(0xFFFF_FF9C - 2**32)

# %% [markdown]
# In Python a number has no width. So what happens here?

# %%
chapter.ask("equal_in_python")

# %%
print(0xFFFF_FDFF == -513, 0xFFFF_FDFF == (-513 & 0xFFFF_FFFF))


# %%
def as_int32(word):
    """The 32 bits as C's int."""
    return word - 2**32 if (word >> 31) & 1 else word


print(as_int32(0xFFFF_FDFF), as_int32(0x0000_0201))

# %% [markdown]
# There it is: **-513**. The bits are the same as those of 4,294,966,783. Which of the two is meant, the bits do not say.

# %% [markdown]
# ## 0.5 Two ways to shift right
#
# If bits drop out on the right, something must come in on the left. A **logical shift** brings in zeros. An
# **arithmetic shift** brings in copies of the top bit, so that a negative number stays negative. A processor has both.
# C takes the first for unsigned numbers and the second for signed ones. Both are written `>>`.

# %%
word = 0xFFFF_FFFF_FFFF_E680
logical = word >> 6
arithmetic = ((word - (1 << 64)) >> 6) & ((1 << 64) - 1)  # as a signed number, shifted, and back to 64 bits
print(f"logical    {logical:#018x}\narithmetic {arithmetic:#018x}")

# %% [markdown]
# Two answers from the same bits. In chapter 10b you compute a value of the 59 lines with one of these shifts, and from it a
# second value with the other. Take the wrong one and nothing fits.

# %% [markdown]
# ## 0.6 The smallest byte first
#
# A byte is two hexadecimal digits. **ASCII** gives each letter a byte: `p` is `0x70`, `a` is `0x61`. And **arm64**,
# Linux's name for Arm's 64-bit processors, is **little-endian** like most machines: of a word that takes several bytes of
# memory, the last two digits, the lowest byte, have the lowest address. So a text that was read as a number stands backwards in it.

# %%
number = int.from_bytes(b"walk", "little")
print(hex(number), number.to_bytes(4, "little"))

# %% [markdown]
# One of the 59 lines has `x17: 78303a7865646e69`. Somebody left a text there. Begin at the right and find the first three letters
# (`69` is i, `6e` is n, `64` is d) before you run the cell. What is the whole text?

# %%
print(0x7830_3A78_6564_6E69.to_bytes(8, "little"))

# %%
chapter.ask("what_is_it")

# %% [markdown]
# ## 0.7 In three lines
#
# - A hexadecimal digit is four bits; `(x >> low) & ((1 << width) - 1)` takes a field out of a word.
# - There are two shifts right, and they differ where the top bit is 1. Bytes lie in memory with the lowest first.
# - Bits have no sign: `0xfffffdff` is -513 as a signed 32-bit number, and 4,294,966,783 as an unsigned one.

# %%
chapter.summary()

# %% [markdown]
# You can read an address as a number. [What does it lead to?](01_two_programs.ipynb)
