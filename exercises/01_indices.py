# %% tags=["about"]
kind = "compute"
chapter = "02_a_tree"
difficulty = 2
minutes = 12
points = {"offset": 1, "level_3": 1, "levels": 1, "levels_between": 1, "start_level": 1, "lesser_cpu": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 1: the indices of an address
#
# A page table is a tree, and a virtual address is the way down: a few bits for the index at each level, and the rest for
# the byte in the page. Which bits they are follows from this:
#
# - The MMU translates the low `vabits_actual` bits. All the bits above are copies of one bit: all 0, or all 1.
# - A table fills one page. An entry takes 8 bytes.
# - Level 3 is the last one, just above the offset. The levels before it are as few as can hold all the bits.
#
# Here is an address taken apart. Count the bits of each level: which level is unlike the others, and why?

# %%
from pgtlab.arch.address_cut import cut

cut(0x8000_1234_5678, "16k", bits=48)

# %% [markdown]
# This address is yours. `va_bits` is what the kernel was built for, `vabits_actual` what it runs with on this CPU.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("01_indices", SEED))

# %% [markdown]
# **Your task.** Write `indices()`. It returns two values: a dictionary with the index at each level that the MMU reads,
# and the offset. For the address in the picture that is `{0: 1, 1: 0, 2: 9, 3: 209}, 0x1678`.
#
# Start on paper, with your own address. Then write the function so that it is right for every address of every kernel: the
# check begins with yours. (What drew the picture does not work inside your function.)


# %% tags=["stub"]
def indices(va, page_size, va_bits, vabits_actual):
    raise NotImplementedError  # return {level: index, ...}, offset


# %%
# A place to try it, before you check it:
# indices(va=0x1234_5678, page_size=4096, va_bits=48, vabits_actual=48)

# %% How many bits does a level take? [markdown] tags=["hint"]
# One page holds one table. With 16K pages that is 16384 / 8 = 2048 entries, and 11 bits have 2048 values. How many entries
# has a table with 4K pages, and with 64K pages?

# %% Where does the walk start? [markdown] tags=["hint"]
# Go up from level 3, not down. With 4K pages the offset takes bits 11 to 0 and level 3 the 9 bits above, 20 to 12. Level 2
# starts at bit 21, and so on: stop when there are no bits left. The last level that you reach is where the walk starts.

# %% How do I take some bits out of a number? [markdown] tags=["hint"]
# `va >> lo & (1 << width) - 1` are `width` bits of `va`, from bit `lo` up. `page_size.bit_length() - 1` is the number of
# bits in the offset.

# %% tags=["call"]
from pgtlab.lab import check

check("01_indices", indices, seed=SEED)

# %% [markdown] tags=["solution"]
# One loop from level 3 up. The `min()` is the whole difficulty: at the start level only the bits below `vabits_actual`
# are left, and the bits above them are not part of the index. `va_bits` is not used at all: nothing tells the MMU what
# the kernel was built for.


# %% tags=["solution"]
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    found = {}
    level, lo = 3, page_shift
    while lo < vabits_actual:
        hi = min(lo + page_shift - 3, vabits_actual)
        found[level] = va >> lo & (1 << hi - lo) - 1
        level, lo = level - 1, hi
    return found, va & page_size - 1


# %% Takes a full index at the start level tags=["wrong"] mark=4 feedback="which bits of this one stand above"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    width = page_shift - 3
    found = {}
    level, lo = 3, page_shift
    while lo < vabits_actual:
        found[level] = va >> lo & (1 << width) - 1
        level, lo = level - 1, lo + width
    return found, va & page_size - 1


# %% Forgets that an entry takes 8 bytes tags=["wrong"] mark=1 feedback="how many entries of 8 bytes"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    found = {}
    level, lo = 3, page_shift
    while lo < vabits_actual:
        hi = min(lo + page_shift, vabits_actual)
        found[level] = va >> lo & (1 << hi - lo) - 1
        level, lo = level - 1, hi
    return found, va & page_size - 1


# %% Takes VA_BITS for vabits_actual tags=["wrong"] mark=5 feedback="which of the two numbers does the MMU know"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    found = {}
    level, lo = 3, page_shift
    while lo < va_bits:
        hi = min(lo + page_shift - 3, va_bits)
        found[level] = va >> lo & (1 << hi - lo) - 1
        level, lo = level - 1, hi
    return found, va & page_size - 1


# %% Numbers the levels from the top tags=["wrong"] mark=1 feedback="which number has the last level"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    found = []
    lo = page_shift
    while lo < vabits_actual:
        hi = min(lo + page_shift - 3, vabits_actual)
        found.insert(0, va >> lo & (1 << hi - lo) - 1)
        lo = hi
    return dict(enumerate(found)), va & page_size - 1


# %% Forgets the parentheses of the mask tags=["wrong"] mark=1 feedback="Python subtracts first"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    found = {}
    level, lo = 3, page_shift
    while lo < vabits_actual:
        hi = min(lo + page_shift - 3, vabits_actual)
        found[level] = va >> lo & 1 << hi - lo - 1
        level, lo = level - 1, hi
    return found, va & page_size - 1


# %% Returns texts tags=["wrong"] mark=0 feedback="where a number is wanted"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    found = {}
    level, lo = 3, page_shift
    while lo < vabits_actual:
        hi = min(lo + page_shift - 3, vabits_actual)
        found[level] = hex(va >> lo & (1 << hi - lo) - 1)
        level, lo = level - 1, hi
    return found, hex(va & page_size - 1)


# %% tags=["check"]
from pgtlab import decompose
from pgtlab.lab import misconceptions
from pgtlab.lab.expectations import WrongAnswer, expect
from pgtlab.lab.variants import addresses, describe, distinct_boots, variant


def given(seed):
    """A student's own address."""
    return variant(seed)


def cases(seed):
    """The student's own address, then every kernel with two addresses of each half, as (kernel, address)."""
    mine = variant(seed)
    others = [(booted, va) for booted in distinct_boots() for n in (1, 2) for va in addresses(booted, f"{seed}.{n}")]
    return [(mine.boot, mine.va), *others]


def right(booted, va):
    """What the MMU makes of an address."""
    parts = decompose(va, booted)
    return {level.level: level.index for level in parts.hardware}, parts.offset


def returned(indices, booted, va):
    """What the answer makes of it."""
    found = indices(va, booted.config.page_size, booted.config.va_bits, booted.vabits_actual)
    shape = isinstance(found, list | tuple) and len(found) == 2 and isinstance(found[0], dict)
    assert shape, f"Return two values, a dictionary and the offset: `{found!r:.60}` is something else."
    return tuple(found)


def fell_back(booted):
    """The CPU has fewer bits than the kernel was built for."""
    return booted.vabits_actual < booted.config.va_bits


def rules(wrong):
    """Wrong numbers with their sentences, as `expect` wants them."""
    return [(value, "", sentence) for value, sentence in wrong.items()]


def check_offset(indices, seed):
    """The offset is right, with pages of every size."""
    for booted, va in cases(seed):
        _, offset = returned(indices, booted, va)
        expect(
            offset,
            right(booted, va)[1],
            rules(misconceptions.offset(va, booted)),
            "Which bits count the bytes of one page?",
            f"{describe(booted)}, the offset of {va:#x}",
        )


def check_level_3(indices, seed):
    """At level 3, every index is right."""
    for booted, va in cases(seed):
        found, _ = returned(indices, booted, va)
        named = ", ".join(map(str, found))
        assert set(map(type, found)) == {int}, f"The keys of the dictionary are numbers of levels: {named}?"
        assert max(found) == 3, f"{describe(booted)}: you have levels {named}: which number has the last level, always?"
        width, lo = booted.config.granule.bits_per_level, booted.config.granule.shift
        where = f"{describe(booted)}, the index of {va:#x} at level 3"
        if va >> lo & 1 << width - 1 == found[3] != right(booted, va)[0][3]:
            raise WrongAnswer(
                f"{where}: `{found[3]:#x}`. In `1 << w - 1` Python subtracts first: a mask of w ones is `(1 << w) - 1`."
            )
        expect(
            found[3],
            right(booted, va)[0][3],
            [],
            "A table fills one page: how many entries of 8 bytes fit into it, and how many bits count to that?",
            where,
        )


def check_levels(indices, seed):
    """The walk has as many levels as it needs, under their own numbers."""
    for booted, va in cases(seed):
        if fell_back(booted):
            continue
        found, _ = returned(indices, booted, va)
        expected, _ = right(booted, va)
        named = ", ".join(map(str, sorted(found)))
        assert set(found) == set(expected), (
            f"{describe(booted)}: you have levels {named}: how many bits do these take, and how many are there to take?"
        )


def indices_to_compare(indices, seed):
    """What the answer finds and what is right, for the kernels that run with all the bits they were built for."""
    for booted, va in cases(seed):
        if not fell_back(booted):
            yield booted, va, returned(indices, booted, va)[0], right(booted, va)[0]


def check_levels_between(indices, seed):
    """Between the start level and level 3, every index is right."""
    for booted, va, found, expected in indices_to_compare(indices, seed):
        for level in range(min(expected) + 1, 3):
            expect(
                found[level],
                expected[level],
                rules(misconceptions.index(va, level, booted)),
                "Which is the lowest bit of this level, and how many bits does each level below it take?",
                f"{describe(booted)}, the index of {va:#x} at level {level}",
            )


def check_start_level(indices, seed):
    """At the start level, every index is right."""
    for booted, va, found, expected in indices_to_compare(indices, seed):
        start, top = min(expected), booted.vabits_actual - 1
        lo = booted.config.granule.level_shift(start)
        where = f"{describe(booted)}, the index of {va:#x} at level {start}"
        wide = isinstance(found[start], int) and found[start] != expected[start]
        if wide and found[start] & (1 << top + 1 - lo) - 1 == expected[start]:
            raise WrongAnswer(
                f"{where}: `{found[start]:#x}`: which bits of this one stand above bit {top}, the last that is "
                "translated?",
                "full-index-at-start",
            )
        expect(found[start], expected[start], [], "Which bits are left, when the levels below have theirs?", where)


def check_lesser_cpu(indices, seed):
    """On a CPU without 52-bit addresses, a kernel built for them is right."""
    for booted, va in cases(seed):
        if fell_back(booted) and (found := returned(indices, booted, va)) != right(booted, va):
            actual = booted.vabits_actual
            assert found == indices(va, booted.config.page_size, actual, actual), (
                f"{describe(booted)}: the kernel was built for {booted.config.va_bits} bits and runs with {actual}: "
                "which of the two numbers does the MMU know?"
            )
            raise AssertionError(f"{describe(booted)}: {va:#x} is not right here, whatever the kernel was built for.")


# %% tags=["hidden"]
def check_others(indices, seed):
    """Other addresses are right, too."""
    for booted, va in cases(f"hidden {seed}"):
        assert returned(indices, booted, va) == right(booted, va), f"{describe(booted)}: {va:#x} is not right."
