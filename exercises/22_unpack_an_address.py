# %% tags=["about"]
kind = "build"
chapter = "08_folded_at_boot"
difficulty = 3
minutes = 12
points = {"made_up": 2, "lpa2": 1, "in_place": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 22: collect the bits of an address
#
# With 48 bits an output address stands in its entry as it is. The bits that were added later had to go where there was room:
# LPA2 puts bits 51:50 of the address into bits 9:8 of the entry, and leaves bits 49:48 in place. With pages of 64 KiB it is
# otherwise, and the next feature will have ideas of its own. So the function that you write gets a list of what was moved.
#
# **Your task.** Write `output_address(entry, low, moved)`. `low` is the lowest bit of the address that is in place, and bits
# 49:`low` of the entry are in place unless the list has them. `moved` says for some bits of the address in which bit of the entry
# each is: for LPA2 it is `{50: 8, 51: 9}`. A bit of the entry that holds a moved bit belongs only to that one. If an address bit
# is in the list, whatever else is at its old place is not address.


# %% tags=["stub"]
def output_address(entry, low, moved):
    raise NotImplementedError


# %%
# A place to try it:
# hex(output_address(0x0003_0000_4000_0703, 12, {50: 8, 51: 9}))  # bits 9:8 are 11: 0xf000040000000

# %% Two parts [markdown] tags=["hint"]
# First what is in place: a mask with ones from `low` to 49, without the places of bits that were moved away. Then each moved
# bit: take it out of the entry, and put it where it belongs in the address.

# %% One bit at a time [markdown] tags=["hint"]
# `entry >> place & 1` is bit `place` of the entry, as 0 or 1. Shifted up by n it is bit n of the address. `|` puts the parts
# together. And a mask without bit n is the mask `& ~(1 << n)`.

# %% tags=["seed"]
SEED = "practice"

# %% tags=["call"]
from pgtlab.lab import check

check("22_unpack_an_address", output_address, seed=SEED)

# %% [markdown] tags=["solution"]
# In the kernel the two packings are written out, with a shift by 36 for pages of 64 KiB and by 42 for the others. One of the bugs
# of the catalogue takes one for the other.


# %% tags=["solution"]
def output_address(entry, low, moved):
    taken = sum(1 << bit for bit in {*moved, *moved.values()})
    address = entry & (1 << 50) - (1 << low) & ~taken
    for bit, place in moved.items():
        address |= (entry >> place & 1) << bit
    return address


# %% Takes what is in place tags=["wrong"] mark=0 feedback="bits that were moved"
def output_address(entry, low, moved):
    return entry & (1 << 50) - (1 << low)


# %% Leaves something at the old place tags=["wrong"] mark=0 feedback="at its old place"
def output_address(entry, low, moved):
    address = entry & (1 << 50) - (1 << low)
    for bit, place in moved.items():
        address |= (entry >> place & 1) << bit
    return address


# %% Knows LPA2 only tags=["wrong"] mark=0 feedback="The list says"
def output_address(entry, low, moved):
    return entry & (1 << 50) - (1 << low) | (entry >> 8 & 3) << 50


# %% Swaps what the list says tags=["wrong"] mark=0 feedback="the other way round"
def output_address(entry, low, moved):
    taken = sum(1 << bit for bit in {*moved, *moved.values()})
    address = entry & (1 << 50) - (1 << low) & ~taken
    for bit, place in moved.items():
        address |= (entry >> bit & 1) << place
    return address


# %% tags=["check"]
from random import Random

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.granule import G4K, G16K, G64K
from pgtlab.arch.output_address import OutputAddress
from pgtlab.lab.expectations import drawn, expect

LPA2 = {50: 8, 51: 9}


def packed(address, low, moved, noise):
    """An entry that holds an address packed like this; everything that is not address is taken from `noise`."""
    holds = {bit: moved.get(bit, bit) for bit in (*range(low, 50), *moved)}
    entry = noise
    for bit, place in holds.items():
        entry = entry & ~(1 << place) | (address >> bit & 1) << place
    return entry


def made_up(seed):
    """A made-up packing with an entry and its address, for which no two rules agree."""

    def make(draw):
        low = draw.choice((12, 14, 16))
        bits = (48, 49, 50, 51) if draw.randrange(2) else (49, 50, 51)
        places = draw.sample(range(2, low), len(bits))
        address = draw.getrandbits(52) >> low << low
        return low, dict(zip(bits, places, strict=True)), address, draw.getrandbits(59)

    def values(case):
        low, moved, address, noise = case
        return [address, *(value for value, _, _ in rules(packed(address, low, moved, noise), low, moved))]

    return drawn(f"packing {seed}", make, values)


def rules(entry, low, moved):
    """What wrong rules compute."""
    here = entry & (1 << 50) - (1 << low)
    add = sum((entry >> place & 1) << bit for bit, place in moved.items())
    clean = here & ~sum(1 << bit for bit in {*moved, *moved.values()})
    yield here, "lpa2-bits-are-forgotten", "The bits that were moved are missing, or something else is in their place."
    yield (
        here | add,
        "",
        "Something that is not address stands at its old place, where the bit was before it was moved.",
    )
    yield (
        here | (entry >> 8 & 3) << 50,
        "lpa2-bits-go-to-48",
        "That is right for LPA2. The list says which bits are where here.",
    )
    yield (
        clean | sum((entry >> bit & 1) << place for bit, place in moved.items()),
        "",
        "`moved` is read the other way round: {bit of the address: bit of the entry}.",
    )


def compare(output_address, entry, low, moved, right):
    """Compare the answer with an address."""
    known = [rule for rule in rules(entry, low, moved) if rule[0] != right]
    where = f"{entry:#018x}, low {low}, moved {moved}"
    expect(
        output_address(entry, low, dict(moved)),
        right,
        known,
        "Which bits are in place, and which are elsewhere?",
        where,
    )


def check_made_up(output_address, seed):
    """With a list of any kind the address is right."""
    for number in range(8):
        low, moved, address, noise = made_up(f"{seed} {number}")
        compare(output_address, packed(address, low, moved, noise), low, moved, address)


def check_lpa2(output_address, seed):
    """With LPA2, and with 64K pages, it is the address that the model's MMU takes."""
    draw = Random(f"lpa2 {seed}")
    for granule, packing, moved in (
        (G4K, OutputAddress.LPA2, LPA2),
        (G16K, OutputAddress.LPA2, LPA2),
        (G64K, OutputAddress.LPA, {48: 12, 49: 13, 50: 14, 51: 15}),
    ):
        for _ in range(4):
            oa = draw.getrandbits(52) >> granule.shift << granule.shift
            entry = DescriptorFormat(granule, packing).leaf(oa, level=3, AF=1, AP=1, UXN=1)
            compare(output_address, entry.value, granule.shift, moved, entry.oa)


def check_in_place(output_address, seed):
    """With an empty list everything is in place."""
    draw = Random(f"plain {seed}")
    for low in (12, 14, 16, 21, 25):
        oa = draw.getrandbits(48) >> low << low
        entry = oa | 1 << 54 | 0x403
        got = output_address(entry, low, {})
        assert got == oa, (
            f"{entry:#018x}, low {low}, nothing moved: you returned `{got!r:.40}`: which bits are address?"
        )


# %% tags=["hidden"]
def check_others(output_address, seed):
    """It is right for other packings, too."""
    for number in range(40):
        low, moved, address, noise = made_up(f"hidden {seed} {number}")
        compare(output_address, packed(address, low, moved, noise), low, moved, address)
