# %% tags=["about"]
kind = "compute"
chapter = "06a_the_kernel_map"
difficulty = 2
minutes = 8
points = {"inside": 2, "outside": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 17: out of the linear map
#
# A log names addresses of the linear map, and you want to know which bytes of RAM they are. This is what you know of that
# kernel; PHYS_OFFSET is from its log, so it is printed as 64 bits without a sign.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("17_linear_map", SEED))

# %% [markdown]
# **Your task.** Write `physical(va)` for this kernel: the physical address of an address in its linear map, and `None` for an
# address that is not in it.


# %% tags=["stub"]
def physical(va):
    raise NotImplementedError


# %% Why is my number so large? [markdown] tags=["hint"]
# PHYS_OFFSET can be below 0. Printed without a sign, a number below 0 is 2^64 too large.

# %% And an address outside? [markdown] tags=["hint"]
# The task prints the first and the last address of the linear map. Compare with both before you compute: the formula gives a
# number for any address.

# %% tags=["call"]
from pgtlab.lab import check

check("17_linear_map", physical, seed=SEED)

# %% [markdown] tags=["solution"]
# With `& (1 << 64) - 1` at the end the sign would not matter, as it does not in C, where the sum wraps around.


# %% tags=["solution"]
def physical(va):
    first, last = GIVEN["page_offset"], GIVEN["end"]
    offset = GIVEN["phys_offset"]
    offset -= (offset >> 63) << 64
    return va - first + offset if first <= va < last else None


# %% Reads PHYS_OFFSET without its sign tags=["wrong"] mark=0 feedback="without a sign"
def physical(va):
    return va - GIVEN["page_offset"] + GIVEN["phys_offset"]


# %% Leaves PHYS_OFFSET out tags=["wrong"] mark=0 feedback="The linear map does not begin with physical address 0"
def physical(va):
    return va - GIVEN["page_offset"]


# %% Subtracts PHYS_OFFSET tags=["wrong"] mark=0 feedback="in which direction"
def physical(va):
    offset = GIVEN["phys_offset"]
    offset -= (offset >> 63) << 64
    return va - GIVEN["page_offset"] - offset


# %% Takes every address to be in the linear map tags=["wrong"] mark=2 feedback="In which area is it"
def physical(va):
    offset = GIVEN["phys_offset"]
    offset -= (offset >> 63) << 64
    return va - GIVEN["page_offset"] + offset


# %% tags=["check"]
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from pgtlab import Config, boot
from pgtlab.arch.word import MASK64
from pgtlab.lab.expectations import WrongAnswer, expect
from pgtlab.lab.trees import Tree
from pgtlab.linux.placement import Placement

GIB = 1 << 30


@dataclass(frozen=True)
class Facts:
    """What is known of a kernel."""

    kib: int
    page_offset: int
    end: int
    phys_offset: int

    def __str__(self):
        return (
            f"pages of {self.kib} KiB, 48 bits\nlinear map   {self.page_offset:#018x} to {self.end - 1:#018x}\n"
            f"PHYS_OFFSET  {self.phys_offset:#018x}"
        )


@lru_cache(maxsize=4)
def kernel(seed):
    """A student's kernel, with a linear map that begins with a physical address below 0."""
    draw = Random(f"linear {seed}")
    config = Config(draw.choice(("4k", "64k")), 48)
    phys_offset = -draw.randrange(0x40, 0x4000) * GIB
    return Tree.named("fixed").start_kernel(boot(config), placement=Placement(phys_offset & MASK64))


def given(seed):
    """What a student knows of the kernel."""
    k = kernel(seed)
    return Facts(k.PAGE_SIZE >> 10, k.PAGE_OFFSET, k.PAGE_OFFSET + (1 << 47), k.memstart_addr & MASK64)


def rules(k, va):
    """What wrong rules compute."""
    distance, offset = va - k.PAGE_OFFSET, k.memstart_addr
    yield (
        distance + (offset & MASK64),
        "phys-offset-without-sign",
        "You took PHYS_OFFSET as a number without a sign. Its highest bit is 1: which number is it?",
    )
    yield (
        distance,
        "the-linear-map-starts-at-0",
        "The linear map does not begin with physical address 0: with which one?",
    )
    yield (
        distance - offset,
        "phys-offset-is-subtracted",
        "PHYS_OFFSET is the physical address at PAGE_OFFSET: in which direction does it count?",
    )
    yield va + offset, "", "That is too large: where does the linear map begin?"


def check_inside(physical, seed):
    """Addresses in the linear map lead into RAM."""
    k, draw = kernel(seed), Random(f"inside {seed}")
    for _ in range(6):
        pa = k.memory.base + draw.randrange(k.memory.size)
        va = k.__va(pa)
        got = physical(va)
        expect(got, k.__pa(va), rules(k, va), "va - PAGE_OFFSET + PHYS_OFFSET: which of the three is off?", f"{va:#x}")


def check_outside(physical, seed):
    """Other addresses are not in it."""
    k = kernel(seed)
    for va, where in (
        (k.VMALLOC_START + 0x7B8F0, "vmalloc"),
        (k.VMEMMAP_START + 0x40, "vmemmap"),
        (0x8, "the lower half"),
        (k.PAGE_OFFSET + (1 << 47), "the area after the linear map"),
    ):
        got = physical(va)
        if got is not None:
            raise WrongAnswer(
                f"{va:#x}: you returned `{got:#x}`, as if it were in the linear map. In which area is it?"
                if isinstance(got, int)
                else f"{va:#x} is in {where}: return None.",
                "every-kernel-address-is-alike",
            )


# %% tags=["hidden"]
def check_others(physical, seed):
    """It is right for other addresses, too, from the first to the last."""
    k = kernel(seed)
    for va in (k.PAGE_OFFSET, k.PAGE_OFFSET + (1 << 47) - 8, *(k.__va(k.memory.base + 0x1238 * n) for n in range(50))):
        want = va - k.PAGE_OFFSET + k.memstart_addr
        assert physical(va) == want, f"{va:#x}: {want:#x}."
    assert physical(k.PAGE_OFFSET - 8) is None, "The last word before the linear map is not in it."
