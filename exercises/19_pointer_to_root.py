# %% tags=["about"]
kind = "compute"
chapter = "06b_page_to_number"
difficulty = 3
minutes = 12
points = {"above": 1, "below": 2, "section": 1, "root": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 19: from a pointer to a root
#
# The kernel of the story made three numbers of a wrong pointer, one from the other: a pfn, the number of a section, and the number
# of a root. Here is another boot of such a kernel, with two pointers: one to a record in the memmap, and one to a copy on a stack.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("19_pointer_to_root", SEED))

# %% [markdown]
# **Your task.** Write `numbers(pointer)` for this boot. It returns three numbers, as the kernel computes them in 64 bits: the pfn,
# its section, and the root of that section. A `struct page` has 64 bytes, a section 2^15 pages, a root 128 sections. Do it
# with pencil and paper for the pointer to the stack before you write.


# %% tags=["stub"]
def numbers(pointer):
    raise NotImplementedError


# %% A pointer below vmemmap [markdown] tags=["hint"]
# The difference is then below 0. The kernel shifts it as a number with a sign, and what it gets is kept as 64 bits without one:
# in Python `& (1 << 64) - 1`.

# %% And then? [markdown] tags=["hint"]
# A pfn has no sign. Shifting it to the right brings in zeros.

# %% tags=["call"]
from pgtlab.lab import check

check("19_pointer_to_root", numbers, seed=SEED)

# %% [markdown] tags=["solution"]
# In Python `>>` of a number below 0 is arithmetic, so the first shift is right by itself. The mask makes the number positive, and
# so the second shift is logical.


# %% tags=["solution"]
def numbers(pointer):
    pfn = pointer - GIVEN["vmemmap"] >> 6 & (1 << 64) - 1
    return pfn, pfn >> 15, pfn >> 22


# %% Lets zeros in from the left tags=["wrong"] mark=1 feedback="The difference has a sign"
def numbers(pointer):
    pfn = (pointer - GIVEN["vmemmap"] & (1 << 64) - 1) >> 6
    return pfn, pfn >> 15, pfn >> 22


# %% Loses the sign tags=["wrong"] mark=1 feedback="from the larger"
def numbers(pointer):
    pfn = abs(pointer - GIVEN["vmemmap"]) >> 6
    return pfn, pfn >> 15, pfn >> 22


# %% Repeats the sign in the second shift tags=["wrong"] mark=3 feedback="A pfn has no sign"
def numbers(pointer):
    pfn = pointer - GIVEN["vmemmap"] >> 6
    return pfn & (1 << 64) - 1, pfn >> 15 & (1 << 64) - 1, pfn >> 22 & (1 << 64) - 1


# %% Gives the number without the 64 bits tags=["wrong"] mark=1 feedback="As 64 bits it is"
def numbers(pointer):
    pfn = pointer - GIVEN["vmemmap"] >> 6
    return pfn, pfn >> 15, pfn >> 22


# %% Forgets that a struct page has 64 bytes tags=["wrong"] mark=0 feedback="distance in bytes"
def numbers(pointer):
    pfn = pointer - GIVEN["vmemmap"] & (1 << 64) - 1
    return pfn, pfn >> 15, pfn >> 22


# %% tags=["check"]
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from pgtlab import Config, boot
from pgtlab.arch.word import MASK64
from pgtlab.lab.expectations import expect
from pgtlab.lab.trees import Tree
from pgtlab.linux.placement import Placement


@dataclass(frozen=True)
class Facts:
    """What is known of a boot."""

    vmemmap: int
    record: int
    copy: int

    def __str__(self):
        return (
            f"vmemmap                {self.vmemmap:#018x}\na record in the memmap {self.record:#018x}\n"
            f"a copy on a stack      {self.copy:#018x}"
        )


@lru_cache(maxsize=4)
def kernel(seed):
    """A student's boot: 4K pages and 48 bits, with a linear map that begins below 0."""
    phys_offset = -Random(f"boot {seed}").randrange(0x100, 0x8000) << 30
    return Tree.named("fixed").start_kernel(boot(Config("4k", 48)), placement=Placement(phys_offset & MASK64))


def pointers(k, seed, below):
    """A pointer into the memmap, or one to a copy on a stack, which is below it."""
    draw = Random(f"pointer {seed} {below}")
    if below:
        return k.VMALLOC_START + draw.randrange(1 << 16) * 0x8000 + 0x3400 + 16 * draw.randrange(0x50)
    return k.vmemmap + 64 * draw.randrange(0x4_0000, 0x100_0000)


def given(seed):
    """What a student knows of the boot."""
    k = kernel(seed)
    return Facts(k.vmemmap, pointers(k, f"{seed} 0", False), pointers(k, f"{seed} 0", True))


def right(k, pointer):
    """What the kernel of the model computes."""
    pfn = k.page_to_pfn(k.page_at(pointer))
    section = k.pfn_to_section_nr(pfn)
    return pfn, section, section // k.SECTIONS_PER_ROOT


def compare(numbers, seed, below, place, rules, otherwise, many=5):
    """Compare one of the three numbers with the kernel's."""
    k = kernel(seed)
    for number in range(many):
        pointer = pointers(k, f"{seed} {number}", below)
        got, wanted = numbers(pointer), right(k, pointer)
        three = isinstance(got, list | tuple) and len(got) == 3
        assert three, f"Return three numbers: `{got!r:.60}` is something else."
        what = ("the pfn", "the section", "the root")[place]
        expect(got[place], wanted[place], rules(pointer - k.vmemmap, wanted), otherwise, f"{pointer:#x}, {what}")


def pfn_rules(distance, wanted):
    """What wrong rules make of a distance in bytes."""
    yield (
        distance & MASK64,
        "a-page-has-one-byte",
        "That is the distance in bytes. How many records of 64 bytes is that?",
    )
    yield (distance & MASK64) >> 12, "struct-page-is-a-page", "You divided by 4096. A record has 64 bytes."
    if distance < 0:
        yield (
            (distance & MASK64) >> 6,
            "one-right-shift",
            "You let zeros in from the left. The difference has a sign: what comes in?",
        )
        yield -distance >> 6, "the-sign-is-lost", "You subtracted the smaller from the larger: the result is below 0."
        yield distance >> 6, "number-for-bits", "As a number below 0 that is right. As 64 bits it is 2^64 more."


def section_rules(distance, wanted):
    """What wrong rules make of a pfn."""
    pfn = wanted[0]
    yield (distance >> 21) & MASK64, "shift-is-arithmetic", "You repeated the sign. A pfn has no sign: zeros come in."
    yield distance >> 21, "shift-is-arithmetic", "You repeated the sign. A pfn has no sign: zeros come in."
    yield pfn >> 27, "a-pfn-is-an-address", "128 MiB are 2^27 bytes. How many pages of 4 KiB is that?"
    yield pfn >> 12, "section-is-a-page", "You divided by 2^12. A section has 2^15 pages."


def root_rules(distance, wanted):
    """What wrong rules make of the number of a section."""
    section = wanted[1]
    yield section % 128, "rest-is-the-root", "That is the place of the section in its root. Which root is it?"
    yield section, "", "That is the section. How many of them has a root?"


def check_above(numbers, seed):
    """The pfn of a record is right."""
    compare(numbers, seed, False, 0, pfn_rules, "How many records lie between vmemmap and the pointer?")


def check_below(numbers, seed):
    """The pfn of a copy on the stack is what the kernel makes of it."""
    compare(
        numbers,
        seed,
        True,
        0,
        pfn_rules,
        "The pointer is below vmemmap: what is the difference, and how is it shifted?",
    )


def check_section(numbers, seed):
    """The section is right."""
    for below in (False, True):
        compare(numbers, seed, below, 1, section_rules, "By how many bits is a pfn shifted to give its section?")


def check_root(numbers, seed):
    """The root is right."""
    for below in (False, True):
        compare(numbers, seed, below, 2, root_rules, "128 sections are a root: by how many bits is that?")


# %% tags=["hidden"]
def check_others(numbers, seed):
    """It is right for other pointers, too."""
    k = kernel(seed)
    for number in range(40):
        pointer = pointers(k, f"hidden {seed} {number}", number % 2)
        assert tuple(numbers(pointer)) == right(k, pointer), f"{pointer:#x}."
