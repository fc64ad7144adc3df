# %% tags=["about"]
kind = "build"
chapter = "06b_page_to_number"
difficulty = 2
minutes = 10
points = {"numbers": 2, "no_record": 2, "others": 1}
alone = True

# %% [markdown]
# # Exercise 18: `page_to_pfn()` that looks
#
# The `page_to_pfn()` of the story cannot fail: it makes a number of any pointer. Write one that can. And in other kernels a record
# has another size: with some options of debugging 80 bytes, and without some fields 56, which no shift divides by.
#
# **Your task.** Write `page_to_pfn(pointer, vmemmap, size, frames)`. `vmemmap` is where the record of frame 0 would be, `size` is
# the number of bytes in a record, and `frames` are the numbers of the first frame of RAM and of the one after the last, as a
# pair. Return the number of the frame, or `None` if no record of a frame of RAM *begins* at the pointer.


# %% tags=["stub"]
def page_to_pfn(pointer, vmemmap, size, frames):
    raise NotImplementedError


# %%
# A place to try it:
# page_to_pfn(0xffff_fe22_3a00_0000 + 5 * 56, 0xffff_fe22_3a00_0000, 56, (0, 100))  # 5

# %% How do I see that a record begins there? [markdown] tags=["hint"]
# Divide the distance: what is left over?

# %% And that it is a record of RAM? [markdown] tags=["hint"]
# The array is counted from frame 0, but RAM begins later and ends somewhere: `frames` says where. What number comes out for a
# pointer below vmemmap?

# %% tags=["seed"]
SEED = "practice"

# %% tags=["call"]
from pgtlab.lab import check

check("18_page_to_pfn", page_to_pfn, seed=SEED)

# %% [markdown] tags=["solution"]
# With this function in `__dump_page()` the kernel of the story would have gone on. Why does Linux not do it so? It is called
# many times a second, and a division costs more than a shift. The real one trusts its caller.


# %% tags=["solution"]
def page_to_pfn(pointer, vmemmap, size, frames):
    number, rest = divmod(pointer - vmemmap, size)
    return number if rest == 0 and frames[0] <= number < frames[1] else None


# %% Divides by 64, whatever the size tags=["wrong"] mark=0 feedback="has 64 bytes in the story"
def page_to_pfn(pointer, vmemmap, size, frames):
    return pointer - vmemmap >> 6


# %% Forgets to divide tags=["wrong"] mark=0 feedback="distance in bytes"
def page_to_pfn(pointer, vmemmap, size, frames):
    return pointer - vmemmap


# %% Rounds down inside a record tags=["wrong"] mark=2 feedback="in the middle of a record"
def page_to_pfn(pointer, vmemmap, size, frames):
    number = (pointer - vmemmap) // size
    return number if frames[0] <= number < frames[1] else None


# %% Does not ask whether there is such a frame tags=["wrong"] mark=2 feedback="RAM has no frame"
def page_to_pfn(pointer, vmemmap, size, frames):
    number, rest = divmod(pointer - vmemmap, size)
    return None if rest else number


# %% tags=["check"]
from random import Random

from pgtlab.lab.expectations import WrongAnswer, expect

SIZES = (80, 56, 96, 64)


def memmaps(seed):
    """Arrays of records: where they are counted from, the size of a record, and the frames that there are."""
    draw = Random(f"memmaps {seed}")
    for size in SIZES:
        first = draw.randrange(0x4_0000, 0x8_0000)
        yield 0xFFFF_FC00_0000_0000 + (draw.randrange(1 << 20) << 12), size, (first, first + 0x8000)


def check_numbers(page_to_pfn, seed):
    """A record's address gives its number, with records of any size."""
    draw = Random(f"records {seed}")
    for vmemmap, size, frames in memmaps(seed):
        records = range(vmemmap, vmemmap + frames[1] * size, size)
        for number in (frames[0], draw.randrange(*frames) | 1, frames[1] - 1):
            pointer = records[number]
            distance = pointer - vmemmap
            rules = [
                (
                    distance >> 6,
                    "struct-page-size-forgotten",
                    f"A record has 64 bytes in the story. Here it has {size}.",
                ),
                (distance, "a-page-has-one-byte", "That is the distance in bytes: how many records is it?"),
                (distance >> 12, "struct-page-is-a-page", "You divided by 4096. A record is not as large as a page."),
                (None, "", "There is a record, and RAM has that frame."),
            ]
            rules = [rule for rule in rules if rule[0] != number]
            where = f"{pointer:#x}, vmemmap {vmemmap:#x}, records of {size} bytes"
            expect(page_to_pfn(pointer, vmemmap, size, frames), number, rules, "How many records lie before it?", where)


def no_record(page_to_pfn, seed, pick):
    """Where there is no record the answer must be None."""
    draw = Random(f"none {seed}")
    for vmemmap, size, frames in memmaps(seed):
        middle = vmemmap + draw.randrange(*frames) * size + 8 * draw.randrange(1, size // 8)
        got = page_to_pfn(middle, vmemmap, size, frames)
        assert got is None, (
            f"{middle:#x} points {(middle - vmemmap) % size} bytes into a record of {size}, and you returned `{got!r:.40}`: "
            "is this a record? It is in the middle of a record."
        )
        outside = {
            "below": vmemmap + (frames[0] - 1) * size,
            "above": vmemmap + frames[1] * size,
            "stack": vmemmap - 0x7DA2 * size,
        }
        for pointer in (outside[name] for name in pick):
            got = page_to_pfn(pointer, vmemmap, size, frames)
            if got is not None:
                raise WrongAnswer(
                    f"{pointer:#x}: you returned `{got!r:.40}`, and RAM has no frame with such a number: it has those from "
                    f"{frames[0]:#x} to {frames[1] - 1:#x}.",
                    "any-pointer-is-a-page",
                )


def check_no_record(page_to_pfn, seed):
    """Where no record of a frame begins there is no number."""
    no_record(page_to_pfn, seed, ("above", "stack"))


# %% tags=["hidden"]
def check_others(page_to_pfn, seed):
    """It is right for other records, too."""
    check_numbers(page_to_pfn, f"hidden {seed}")
    no_record(page_to_pfn, f"hidden {seed}", ("below", "above", "stack"))
