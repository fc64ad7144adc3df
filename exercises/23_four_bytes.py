# %% tags=["about"]
kind = "compute"
chapter = "09_who_owns_a_table"
difficulty = 2
minutes = 10
points = {"word": 2, "mapped": 1, "types": 2, "others": 1}
alone = True

# %% [markdown]
# # Exercise 23: what four bytes say
#
# A report prints `mapcount:` and a number. What is stored in the four bytes is one less, and whether they are a count or a page type
# is for you to tell. In this kernel the types are these bits, each of which is *cleared* in a page that has the type:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("23_four_bytes", SEED))

# %% [markdown]
# **Your task.** Write `means(printed)`, which takes the number after `mapcount:` and returns two values: the four bytes as a word
# of 32 bits without a sign, and what they say. That is `"never mapped"`, or the number of mappings, such as `3`, or the name of the
# type, such as `"table"`. What is stored below -128 is a type. No page in these reports has two types.


# %% tags=["stub"]
def means(printed):
    raise NotImplementedError


# %% From the printed number to the bits [markdown] tags=["hint"]
# Subtract one. A number below 0 is stored in 32 bits as 2^32 minus its size: `& 0xffff_ffff` does that in Python.

# %% And to the type? [markdown] tags=["hint"]
# In a page without a type all 32 bits are set. Which one is not?

# %% tags=["call"]
from pgtlab.lab import check

check("23_four_bytes", means, seed=SEED)

# %% [markdown] tags=["solution"]
# `~word & 0xffff_ffff` are the bits that are cleared. To discuss: how would a page look that is mapped -129 times?


# %% tags=["solution"]
def means(printed):
    stored = printed - 1
    word = stored & 0xFFFF_FFFF
    if stored < -128:
        return word, GIVEN["types"][word ^ 0xFFFF_FFFF]
    return word, stored + 1 or "never mapped"


# %% Takes what is printed for what is stored tags=["wrong"] mark=0 feedback="what is printed"
def means(printed):
    word = printed & 0xFFFF_FFFF
    return word, GIVEN["types"].get(word ^ 0xFFFF_FFFF, "never mapped")


# %% Adds one instead tags=["wrong"] mark=0 feedback="in the other direction"
def means(printed):
    word = printed + 1 & 0xFFFF_FFFF
    return word, "never mapped"


# %% Writes a number below 0 with its sign tags=["wrong"] mark=0 feedback="32 bits without a sign"
def means(printed):
    return printed - 1, "never mapped"


# %% Takes whatever is there for a count tags=["wrong"] mark=3 feedback="below -128 is not a count"
def means(printed):
    return printed - 1 & 0xFFFF_FFFF, printed or "never mapped"


# %% Looks for a bit that is set tags=["wrong"] mark=3 feedback="is *cleared*"
def means(printed):
    stored = printed - 1
    word = stored & 0xFFFF_FFFF
    if stored < -128:
        return word, next(name for bit, name in GIVEN["types"].items() if word & bit)
    return word, printed or "never mapped"


# %% tags=["check"]
from dataclasses import dataclass
from functools import cache
from random import Random

from pgtlab.lab.expectations import expect
from pgtlab.lab.trees import Tree

NAMES = ("table", "buddy", "guard", "offline")


@dataclass(frozen=True)
class Types:
    """The page types of a kernel: bits and names."""

    types: dict

    def __str__(self):
        return "\n".join(f"{bit:#07x}  {name}" for bit, name in self.types.items())


def given(seed):
    """The page types of a student's kernel."""
    draw = Random(f"types {seed}")
    bits = sorted(draw.sample(range(7, 16), 4))
    names = draw.sample(NAMES, 4)
    return Types({1 << bit: name for bit, name in zip(bits, names, strict=True)})


@cache
def page():
    """A page of the model's kernel, to store numbers in."""
    k = Tree.named("arm64-for-next").start_kernel()
    return k, k.alloc_pages(0)


def reports(seed):
    """What is printed for some pages, and what it means, as (printed, word, meaning)."""
    k, here = page()
    draw, types = Random(f"reports {seed}"), given(seed.split(" ", 1)[-1] if seed.startswith("hidden ") else seed).types
    counts = [-1, 0, *draw.sample(range(1, 60), 3)]
    stored = [(count, count + 1 or "never mapped") for count in counts]
    stored += [(~bit, name) for bit, name in types.items()]
    for number, meaning in stored:
        here._mapcount = number
        yield k.page_mapcount(here), here.page_type, meaning
    here._mapcount = -1


def returned(means, printed):
    """The answer's two values."""
    got = means(printed)
    shape = isinstance(got, list | tuple) and len(got) == 2
    assert shape, f'Return two values, such as `0xfffffdff, "table"`: `{got!r:.60}` is something else.'
    return got


def check_word(means, seed):
    """You know the four bytes."""
    for printed, word, _ in [*reports(f"{seed}")][::-1]:
        rules = [
            (printed & 0xFFFF_FFFF, "printed-is-stored", "That is what is printed. What is stored for it?"),
            (
                printed + 1 & 0xFFFF_FFFF,
                "added-instead",
                "You counted in the other direction: never mapped is stored as -1.",
            ),
            (printed - 1, "number-for-bits", "As a number that is right. Return the 32 bits without a sign."),
            (printed - 1 & (1 << 64) - 1, "wrong-width", "These are 64 bits. `_mapcount` has 32."),
        ]
        expect(
            returned(means, printed)[0], word, rules, "Subtract one: what is that in 32 bits?", f"mapcount:{printed}"
        )


def check_mapped(means, seed):
    """You know how often a page is mapped."""
    for printed, _, meaning in reports(f"{seed}"):
        if printed >= 0:
            rules = [(printed - 1, "printed-is-stored", "That is what is stored. How often is the page mapped?")]
            expect(returned(means, printed)[1], meaning, rules, "Is it mapped, and how often?", f"mapcount:{printed}")


def check_types(means, seed):
    """You know the type of a page that has one."""
    types = given(seed).types
    for printed, word, meaning in reports(f"{seed}"):
        if printed < 0:
            is_set = next((name for bit, name in types.items() if word & bit and name != meaning), "")
            rules = [
                (printed, "type-is-a-count", "What is stored below -128 is not a count."),
                (
                    is_set,
                    "type-bit-is-set",
                    "That bit is set in the word. The bit of a type is *cleared* in a page that has it.",
                ),
            ]
            expect(
                returned(means, printed)[1], meaning, rules, "Which bit of the word is cleared?", f"mapcount:{printed}"
            )


# %% tags=["hidden"]
def check_others(means, seed):
    """It is right for other pages, too."""
    for printed, word, meaning in reports(f"hidden {seed}"):
        assert tuple(returned(means, printed)) == (word, meaning), f"mapcount:{printed}."
