# %% tags=["about"]
kind = "compute"
chapter = "03_an_entry"
difficulty = 2
minutes = 10
points = {"page": 1, "block": 2, "others": 1}
alone = True

# %% [markdown]
# # Exercise 10: the end of a walk
#
# A walk has come to a leaf. What is left is one addition: where the page or the block begins, and how far into it the
# address points. Both numbers have to be taken out of larger ones, and how much of them depends on the machine. This is
# yours:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("10_address_in_an_entry", SEED))

# %% [markdown]
# **Your task.** Write `physical(entry, level, va)` for this machine: the physical address of the byte at `va`, if the walk
# for it ends with this entry in a table of this level, 3 or 2. The entry is valid, and output addresses have bits 47 and
# lower.


# %% tags=["stub"]
def physical(entry, level, va):
    raise NotImplementedError


# %% Which bits of the address are the offset? [markdown] tags=["hint"]
# At level 3 those that say which byte of a page is meant. At level 2 there is no index of level 3 any more: its bits belong
# to the offset as well. How many bits has an index, if a table fills one page and an entry has 8 bytes?

# %% And which bits of the entry are the address? [markdown] tags=["hint"]
# Those from bit 47 down to where the offset begins. What is above and below are attributes. Write down the two masks in
# hexadecimal, for level 3 and for level 2, before you write code.

# %% tags=["call"]
from pgtlab.lab import check

check("10_address_in_an_entry", physical, seed=SEED)

# %% [markdown] tags=["solution"]
# The same number of bits is cleared in the entry and kept of the address. Above bit 47 there are attributes in the entry.


# %% tags=["solution"]
def physical(entry, level, va):
    shift = GIVEN["kib"].bit_length() + 9
    if level == 2:
        shift += shift - 3
    return entry & (1 << 48) - (1 << shift) | va & (1 << shift) - 1


# %% Leaves the attributes in the high bits tags=["wrong"] mark=0 feedback="attributes in the high bits"
def physical(entry, level, va):
    shift = GIVEN["kib"].bit_length() + 9
    if level == 2:
        shift += shift - 3
    return entry >> shift << shift | va & (1 << shift) - 1


# %% Adds the offset to the whole word tags=["wrong"] mark=0 feedback="attributes of the entry are still"
def physical(entry, level, va):
    shift = GIVEN["kib"].bit_length() + 9
    return entry + (va & (1 << shift) - 1)


# %% Takes the offset of a page at level 2 tags=["wrong"] mark=1 feedback="offset in a page, but the leaf is a block"
def physical(entry, level, va):
    shift = GIVEN["kib"].bit_length() + 9
    return entry & (1 << 48) - (1 << shift) | va & (1 << shift) - 1


# %% Returns where the page begins tags=["wrong"] mark=0 feedback="Which byte of it"
def physical(entry, level, va):
    shift = GIVEN["kib"].bit_length() + 9
    return entry & (1 << 48) - (1 << shift)


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.granule import G16K, G64K
from pgtlab.arch.output_address import OutputAddress
from pgtlab.lab.expectations import drawn, expect


@dataclass(frozen=True)
class Leaf:
    """A machine, by its page size in KiB, and a leaf of level 3 with an address."""

    kib: int
    entry: int
    va: int

    def __str__(self):
        return (
            f"pages of {self.kib} KiB\n\nFor example, an entry of level 3 and an address:\nentry {self.entry:#018x}\n"
            f"va    {self.va:#018x}"
        )


def granule(seed):
    """The granule of a student's machine."""
    return Random(f"granule {seed}").choice((G16K, G64K))


def leaf(seed, of, level):
    """An entry and an address for which no two rules agree."""
    form = DescriptorFormat(of, OutputAddress.PLAIN)

    def make(draw):
        shift = of.level_shift(level)
        oa = draw.randrange(1 << 47 - shift) << shift
        entry = int(form.leaf(oa, level=level, AF=1, AP=draw.randrange(4), UXN=1, PXN=1, SH=3))
        return entry, draw.randrange(1 << 40, 1 << 47)

    def values(case):
        entry, va = case
        return [right(form, entry, level, va), *(value for value, _, _ in rules(form, entry, level, va))]

    return (form, level, *drawn(f"leaf {seed} {level}", make, values))


def given(seed):
    """A student's machine."""
    of = granule(seed)
    _, _, entry, va = leaf(seed, of, 3)
    return Leaf(of.size >> 10, entry, va)


def right(form, entry, level, va):
    """The output address of the model's descriptor, and the offset."""
    return form.decode(entry, level).oa + va % (1 << form.granule.level_shift(level))


def rules(form, entry, level, va):
    """What wrong rules compute."""
    shift, page = form.granule.level_shift(level), form.granule.shift
    oa = form.decode(entry, level).oa
    yield (
        entry >> shift << shift | va % (1 << shift),
        "high-attributes-stay",
        "The attributes in the high bits are still there.",
    )
    whole = "The attributes of the entry are still in it."
    yield entry + va % (1 << page), "pointer-is-the-word", whole
    yield entry | va % (1 << shift), "pointer-is-the-word", whole
    yield oa, "offset-is-lost", "That is where the leaf begins. Which byte of it does the address choose?"
    if level == 2:
        yield (
            entry & (1 << 48) - (1 << page) | va % (1 << page),
            "a-block-has-the-offset-of-a-page",
            "You took the offset in a page, but the leaf is a block of level 2.",
        )
    else:
        yield oa | va % 4096, "page-is-4k", "You took the offset in a page of 4 KiB."


def compare(physical, seed, of, level, many):
    """Compare the answer with the model for leaves of a level."""
    for number in range(many):
        form, _, entry, va = leaf(f"{seed} {number}" if number else seed, of, level)
        expect(
            physical(entry, level, va),
            right(form, entry, level, va),
            rules(form, entry, level, va),
            "Which bits of the entry are its address, and which bits of va are the offset?",
            f"{entry:#x} at level {level}, for {va:#x}",
        )


def check_page(physical, seed):
    """The physical address in a page is right."""
    compare(physical, seed, granule(seed), 3, 5)


def check_block(physical, seed):
    """The physical address in a block is right."""
    compare(physical, seed, granule(seed), 2, 5)


# %% tags=["hidden"]
def check_others(physical, seed):
    """It is right for other entries, too."""
    for level in (2, 3):
        compare(physical, f"hidden {seed}", granule(seed), level, 20)
