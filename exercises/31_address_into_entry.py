# %% tags=["about"]
kind = "fix"
chapter = "08_folded_at_boot"
difficulty = 3
minutes = 12
points = {"lpa2": 2, "large_pages": 1, "plain": 1, "works": 1, "others": 1}

# %% [markdown]
# # Exercise 31: a device that is somewhere else
#
# A kernel maps a device that lies high up in physical memory, and what it finds there is not the device. With devices and RAM below
# 2^48 everything is fine. The function that puts a physical address into an entry is this one:
#
# ```python
# def phys_to_entry(k, phys):
#     if k.PA_BITS == 52:
#         return phys & 0x0000_ffff_ffff_ffff | phys >> 48 << 12
#     return phys
# ```
#
# It was written for pages of 64 KiB, where bits 15:12 of an entry are free and hold bits 51:48 of the address. Then LPA2 brought 52 bits to
# the smaller pages: there bits 49:48 stay in place, and bits 51:50 go to bits 9:8.
#
# **Your task.** Write `phys_to_entry(k, phys)` for all pages. `k.PAGE_SHIFT` is 12, 14 or 16, and `k.PA_BITS` is 48 or 52. `phys` is the
# address of a page. Return what the entry holds of it, and nothing else.


# %% tags=["stub"]
def phys_to_entry(k, phys):
    raise NotImplementedError


# %% What would be wrong with a 4K page? [markdown] tags=["hint"]
# Take an address with bit 12 set, and one with bit 48 set. Where does each of them go?

# %% Which cases are there? [markdown] tags=["hint"]
# Three: 48 bits, whatever the pages; 52 bits with pages of 64 KiB; 52 bits with the smaller pages. In each of the last two some bits
# of the address have to move, and must not stay where they were.

# %% tags=["seed"]
SEED = "practice"

# %% tags=["call"]
from pgtlab.lab import check

check("31_address_into_entry", phys_to_entry, seed=SEED)

# %% [markdown] tags=["solution"]
# The catalogue has the kernel with this mistake: `pgtlab bugs shift-of-64k`. Nothing in its own test finds it, because its machine has no
# memory so high.


# %% tags=["solution"]
def phys_to_entry(k, phys):
    if k.PA_BITS == 48:
        return phys
    in_place, place = (48, 12) if k.PAGE_SHIFT == 16 else (50, 8)
    return phys % (1 << in_place) | phys >> in_place << place


# %% Moves bits 51:50 and leaves them, too tags=["wrong"] mark=0 feedback="more than one place"
def phys_to_entry(k, phys):
    if k.PA_BITS == 48:
        return phys
    return phys | phys >> (48 if k.PAGE_SHIFT == 16 else 50) << (12 if k.PAGE_SHIFT == 16 else 8)


# %% Leaves every bit in place tags=["wrong"] mark=0 feedback="Bits 51:50 of an entry are"
def phys_to_entry(k, phys):
    return phys


# %% Forgets the large pages tags=["wrong"] mark=2 feedback="With pages of 64 KiB"
def phys_to_entry(k, phys):
    if k.PA_BITS == 48:
        return phys
    return phys % (1 << 50) | phys >> 50 << 8


# %% Moves four bits with every page tags=["wrong"] mark=0 feedback="bits 15:12 are free only"
def phys_to_entry(k, phys):
    if k.PA_BITS == 48:
        return phys
    return phys % (1 << 48) | phys >> 48 << 12


# %% tags=["check"]
from functools import cache
from random import Random

from pgtlab import CPU, Config, boot
from pgtlab.arch.output_address import OutputAddress
from pgtlab.lab.bugs.address_space import both_views
from pgtlab.lab.expectations import drawn, expect
from pgtlab.lab.given_kernel import GivenKernel
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe

SMALL, LARGE = (("4k", 52), ("16k", 52)), (("64k", 52),)


@cache
def kernel(config, cpu="max"):
    """A kernel of the model, to compare with."""
    return Tree.named("fixed").start_kernel(boot(Config(*config), CPU.named(cpu)))


def view(k):
    """What the answer sees of a kernel."""
    return GivenKernel(k, "PAGE_SHIFT", PA_BITS="CONFIG_ARM64_PA_BITS")


def packed(k, phys):
    """What an entry for the MMU of the model holds of the address."""
    granule = k.boot.config.granule
    return OutputAddress.of(granule, ds=granule.shift < 16, pa_bits=52).pack(phys)


def rules(k, phys):
    """What wrong rules compute."""
    small = k.PAGE_SHIFT < 16
    yield (
        phys,
        "lpa2-bits-are-forgotten",
        "Bits 51:50 of an entry are not its address, they are attributes: where do these bits of the address go?"
        if small
        else "With pages of 64 KiB bits 51:48 of the address go to bits 15:12.",
    )
    yield phys | phys >> 50 << 8, "", "Some bits of the address stand in more than one place now."
    yield phys | phys >> 48 << 12, "", "Some bits of the address stand in more than one place now."
    if small:
        text = "That is right for pages of 64 KiB: bits 15:12 are free only there. What is in them here?"
        yield phys & (1 << 48) - 1 | phys >> 48 << 12, "lpa2-bits-go-to-48", text
    else:
        yield (
            phys & (1 << 50) - 1 | phys >> 50 << 8,
            "",
            "With pages of 64 KiB it is bits 51:48, and they go to bits 15:12.",
        )


def compare(phys_to_entry, configs, seed, many):
    """Compare the answer with what the MMU of the model takes for the address."""
    for config in configs:
        k = kernel(config)
        for number in range(many):
            phys = drawn(
                f"phys {seed} {config} {number}",
                lambda draw, k=k: (draw.getrandbits(52) | 3 << 50 | 1 << 48) >> k.PAGE_SHIFT << k.PAGE_SHIFT,
                lambda phys, k=k: [packed(k, phys), *(value for value, _, _ in rules(k, phys))],
            )
            where = f"{describe(k.boot)}, {phys:#x}"
            got = phys_to_entry(view(k), phys)
            expect(got, packed(k, phys), rules(k, phys), "Where does each bit of the address go?", where)


def check_lpa2(phys_to_entry, seed):
    """With LPA2 every bit of the address is in its place."""
    compare(phys_to_entry, SMALL, seed, 4)


def check_large_pages(phys_to_entry, seed):
    """With pages of 64 KiB every bit of the address is in its place."""
    compare(phys_to_entry, LARGE, seed, 4)


def check_plain(phys_to_entry, seed):
    """With 48 bits everything stays in place."""
    draw = Random(f"plain {seed}")
    for config in (("4k", 48), ("16k", 47), ("64k", 48, 48)):
        k = kernel(config)
        phys = draw.getrandbits(48) >> k.PAGE_SHIFT << k.PAGE_SHIFT
        got = phys_to_entry(view(k), phys)
        assert got == phys, f"{describe(k.boot)}, {phys:#x}: you returned `{got!r:.40}`, and nothing has to move here."


def check_works(phys_to_entry, seed):
    """With your function in place a kernel finds the device, and so does the MMU."""
    for config in SMALL:
        k = Tree.named("fixed").start_kernel(boot(Config(*config), CPU.named("max")), seed)
        k.livepatch(phys_to_entry=lambda k, phys: phys_to_entry(view(k), phys))
        seen = both_views(k, (1 << 51 - k.PAGE_SHIFT) + 5)
        assert seen is None, f"{describe(k.boot)}: {seen}"


# %% tags=["hidden"]
def check_others(phys_to_entry, seed):
    """It is right for other addresses, too."""
    compare(phys_to_entry, SMALL + LARGE, f"hidden {seed}", 20)
