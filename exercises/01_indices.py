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
from pgtlab import CPU, Config, boot, decompose

decompose(0xFFFF_8000_1234_5678, boot(Config("16k", 48), CPU.named("max")))

# %% [markdown]
# This address is yours. `va_bits` is what the kernel was built for, `vabits_actual` what it runs with on this CPU.

# %%
from pgtlab.lab import variant

SEED = 0  # or the one that your instructor gave you
print(variant(SEED))

# %% [markdown]
# **Your task.** Write `indices()`. It returns two values: a dictionary with the index at each level that the MMU reads,
# and the offset. For the address in the picture that is `{0: 1, 1: 0, 2: 9, 3: 209}, 0x1678`.
#
# Start on paper, with your own address, and let `indices()` return what you found: the first check is about that alone.
# Then make it right for every address of every kernel.


# %% tags=["stub"]
def indices(va, page_size, va_bits, vabits_actual):
    raise NotImplementedError  # return {level: index, ...}, offset


# %%
# A place to try it, before you check it:
# indices(*variant(SEED).given)

# %% How many bits does a level take? [markdown] tags=["hint"]
# One page holds one table. With 16K pages that is 16384 / 8 = 2048 entries, and 11 bits count to 2048. How many entries
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


# %% Takes a full index at the start level tags=["wrong"] feedback="which bits of this one stand above"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    width = page_shift - 3
    found = {}
    level, lo = 3, page_shift
    while lo < vabits_actual:
        found[level] = va >> lo & (1 << width) - 1
        level, lo = level - 1, lo + width
    return found, va & page_size - 1


# %% Forgets that an entry takes 8 bytes tags=["wrong"] feedback="how many entries fit into one page"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    found = {}
    level, lo = 3, page_shift
    while lo < vabits_actual:
        hi = min(lo + page_shift, vabits_actual)
        found[level] = va >> lo & (1 << hi - lo) - 1
        level, lo = level - 1, hi
    return found, va & page_size - 1


# %% Takes VA_BITS for vabits_actual tags=["wrong"] feedback="which of the two numbers does the MMU know"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    found = {}
    level, lo = 3, page_shift
    while lo < va_bits:
        hi = min(lo + page_shift - 3, va_bits)
        found[level] = va >> lo & (1 << hi - lo) - 1
        level, lo = level - 1, hi
    return found, va & page_size - 1


# %% Numbers the levels from the top tags=["wrong"] feedback="which number has the last level"
def indices(va, page_size, va_bits, vabits_actual):
    page_shift = page_size.bit_length() - 1
    found = []
    lo = page_shift
    while lo < vabits_actual:
        hi = min(lo + page_shift - 3, vabits_actual)
        found.insert(0, va >> lo & (1 << hi - lo) - 1)
        lo = hi
    return dict(enumerate(found)), va & page_size - 1


# %% tags=["check"]
from pgtlab import decompose
from pgtlab.lab.variants import addresses, describe, distinct_boots, variant


def cases(seed):
    """Every kernel with two addresses of each half, as (kernel, address)."""
    return [(booted, va) for booted in distinct_boots() for n in (1, 2) for va in addresses(booted, f"{seed}.{n}")]


def right(booted, va):
    """What the MMU makes of an address."""
    parts = decompose(va, booted)
    return {level.level: level.index for level in parts.hardware}, parts.offset


def returned(indices, booted, va):
    """What the answer makes of it."""
    found = indices(va, booted.config.page_size, booted.config.va_bits, booted.vabits_actual)
    shape = isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], dict)
    assert shape, f"Return two values, a dictionary and the offset: `{found!r:.60}` is something else."
    return found


def fell_back(booted):
    """The CPU has fewer bits than the kernel was built for."""
    return booted.vabits_actual < booted.config.va_bits


def check_own_address(indices, seed):
    """Your own address comes apart as it should."""
    mine = variant(seed)
    found, offset = returned(indices, mine.boot, mine.va)
    expected, expected_offset = right(mine.boot, mine.va)
    assert offset == expected_offset, "Look at the offset of your own address once more."
    assert len(found) == len(expected), f"In your own address you found {len(found)} levels: count the bits they take."
    wrong = [f"level {level}" for level in expected if found.get(level) != expected[level]]
    assert not wrong, f"In your own address, look at {' and '.join(wrong)} once more."


def check_offset(indices, seed):
    """The offset is right, with pages of every size."""
    for booted, va in cases(seed):
        _, offset = returned(indices, booted, va)
        assert offset == right(booted, va)[1], (
            f"{describe(booted)}: your offset of {va:#x} is {offset!r}: which bits count the bytes of one page?"
        )


def check_levels(indices, seed):
    """The walk has as many levels as it needs, under their own numbers."""
    for booted, va in cases(seed):
        if fell_back(booted):
            continue
        found, _ = returned(indices, booted, va)
        expected, _ = right(booted, va)
        named = ", ".join(map(str, sorted(found)))
        assert len(found) != len(expected) or max(found) == 3, (
            f"{describe(booted)}: you have levels {named}: which number has the last level, whatever the kernel?"
        )
        assert set(found) == set(expected), (
            f"{describe(booted)}: you have levels {named}: how many bits do these take, and how many are there to take?"
        )


def check_level_3(indices, seed):
    """At level 3, every index is right."""
    for booted, va in cases(seed):
        found, _ = returned(indices, booted, va)
        assert max(found, default=None) == 3, f"{describe(booted)}: yours does not end with level 3."
        assert found[3] == right(booted, va)[0][3], (
            f"{describe(booted)}: your index of {va:#x} at level 3 is {found[3]!r}. A table fills one page, and an "
            "entry takes 8 bytes: how many entries fit into one page?"
        )


def indices_to_compare(indices, seed):
    """What the answer finds and what is right, for the kernels that run with all the bits they were built for."""
    for booted, va in cases(seed):
        if not fell_back(booted):
            found, expected = returned(indices, booted, va)[0], right(booted, va)[0]
            assert set(found) == set(expected), f"{describe(booted)}: the levels come first."
            yield booted, va, found, expected


def check_levels_between(indices, seed):
    """Between the start level and level 3, every index is right."""
    for booted, va, found, expected in indices_to_compare(indices, seed):
        for level in range(min(expected) + 1, 3):
            assert found[level] == expected[level], (
                f"{describe(booted)}: your index of {va:#x} at level {level} is {found[level]!r}: which is the lowest "
                "bit of this level, and how many bits does each level below it take?"
            )


def check_start_level(indices, seed):
    """At the start level, every index is right."""
    for booted, va, found, expected in indices_to_compare(indices, seed):
        start, top = min(expected), booted.vabits_actual - 1
        lo = booted.config.granule.level_shift(start)
        too_wide = found[start] != expected[start] and found[start] & (1 << top + 1 - lo) - 1 == expected[start]
        assert not too_wide, (
            f"{describe(booted)}: your index of {va:#x} at level {start} is {found[start]}: which bits of this one stand "
            f"above bit {top}, the last that is translated?"
        )
        assert found[start] == expected[start], (
            f"{describe(booted)}: your index of {va:#x} at level {start} is {found[start]!r}: which bits are left for "
            "this level, when those below have theirs?"
        )


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
