# %% tags=["about"]
kind = "compute"
chapter = "01_two_programs"
difficulty = 1
minutes = 8
points = {"mapped": 2, "not_mapped": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 5: from a virtual to a physical address
#
# A process, and the list that says in which frame each of its pages is. This is the machine that you get:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("05_physical_address", SEED))

# %% [markdown]
# **Your task.** Write `physical(va, frames)` for this machine. `frames` is such a list, as a dictionary: the address of each
# page that is mapped, and the address of its frame. Return the physical address of the byte at the virtual address `va`,
# and `None` if its page is not mapped.


# %% tags=["stub"]
def physical(va, frames):
    raise NotImplementedError


# %% Which page is it in? [markdown] tags=["hint"]
# A page begins at a multiple of its size. Clear the low bits of the address, those that say which byte of the page is
# meant: how many are they here?

# %% What stays, and what is replaced? [markdown] tags=["hint"]
# The low bits that you cleared are the offset: it goes to the physical address as it is. The rest is looked up. Try it with the
# first page of the list, and the byte 0x1234 of it.

# %% tags=["call"]
from pgtlab.lab import check

check("05_physical_address", physical, seed=SEED)

# %% [markdown] tags=["solution"]
# The page size is the one thing to find out; the rest is a look-up and an addition. `frames.get()` gives `None` for what is
# not there, but `None` cannot be added to.


# %% tags=["solution"]
size = GIVEN["kib"] << 10


def physical(va, frames):
    offset = va % size
    frame = frames.get(va - offset)
    return None if frame is None else frame + offset


# %% Takes every page to be 4 KiB tags=["wrong"] mark=0 feedback="an address in a page of 4 KiB"
def physical(va, frames):
    page = va & ~0xFFF
    nearest = max((start for start in frames if start <= page), default=None)
    return None if nearest is None else frames[nearest] + (va & 0xFFF)


# %% Forgets the offset tags=["wrong"] mark=0 feedback="where the frame begins"
def physical(va, frames):
    nearest = max((start for start in frames if start <= va), default=None)
    return None if nearest is None else frames[nearest]


# %% Returns the virtual address tags=["wrong"] mark=0 feedback="the virtual address itself"
def physical(va, frames):
    return va


# %% Takes the nearest page below for the page tags=["wrong"] mark=2 feedback="is not in the list"
def physical(va, frames):
    nearest = max((start for start in frames if start <= va), default=None)
    return None if nearest is None else frames[nearest] + va - nearest


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.arch.fault import Fault
from pgtlab.lab.expectations import drawn, expect
from pgtlab.lab.machine import Machine


@dataclass(frozen=True)
class Pages:
    """A machine with one process: the page size in KiB, and its pages with their frames."""

    kib: int
    frames: dict

    def __str__(self):
        lines = "\n".join(f"{page:#14x}   {frame:#x}" for page, frame in self.frames.items())
        return f"A machine with pages of {self.kib} KiB.\n\n{'page':>14}   frame\n{lines}"

    @property
    def size(self):
        """Bytes in a page."""
        return self.kib << 10

    def translate(self, va):
        """What the MMU of the model makes of an address; None for a fault."""
        process = Machine(f"{self.kib}k", va_bits={16: 47, 64: 48}[self.kib]).process("a")
        for page, frame in self.frames.items():
            process.map(page, frame)
        outcome = process.walk(va).outcome
        return None if isinstance(outcome, Fault) else outcome.pa


def pages(seed):
    """A machine; its pages lie apart, and their frames are in another order."""
    kib = Random(f"size {seed.split()[-1]}").choice((16, 64))
    draw = Random(f"pages {seed}")
    size = kib << 10
    numbers = draw.sample(range(0x10, 0x4000, 3), 5)
    frames = draw.sample(range((0x8000_0000 // size), (0xC000_0000 // size)), 5)
    return Pages(kib, dict(sorted(zip([n * size for n in numbers], [n * size for n in frames], strict=True))))


def given(seed):
    """A student's machine."""
    return pages(f"{seed}")


def address(machine, seed):
    """An address in a page of the machine for which no two of the rules agree."""
    return drawn(
        f"va {seed}",
        lambda draw: draw.choice(sorted(machine.frames)) + draw.randrange(0x1000, machine.size, 8),
        lambda va: [machine.translate(va), *(value for value, _, _ in rules(machine, va))],
    )


def rules(machine, va):
    """What wrong rules compute for an address that is mapped."""
    page = va - va % machine.size
    frame = machine.frames[page]
    yield va, "va-is-pa", "That is the virtual address itself. Which frame is its page in?"
    yield frame, "offset-is-lost", "That is where the frame begins. Which byte of it is meant?"
    yield frame + va, "frame-is-added", "You added the whole address to the frame: which part of it stays as it is?"
    yield (
        frame + (va & 0xFFF),
        "page-is-4k",
        f"You took the offset of an address in a page of 4 KiB. Here a page has {machine.kib}.",
    )
    yield (
        frame | va >> machine.size.bit_length() - 1,
        "",
        "You added the number of the page to the frame, not the offset.",
    )


def compare_mapped(physical, machine, seed, many):
    """The answer for addresses in pages of the list."""
    for number in range(many):
        va = address(machine, f"{seed} {number}")
        got = physical(va, dict(machine.frames))
        where = f"The address {va:#x}"
        assert got is not None, (
            f"{where}: you say that it is not mapped. Which address has its page, if a page has {machine.kib} KiB?"
        )
        expect(
            got, machine.translate(va), rules(machine, va), "Which page is it in, and how far into that page?", where
        )


def compare_not_mapped(physical, machine, seed, many):
    """The answer for addresses in no page of the list."""
    for number in range(many):
        page = Random(f"none {seed} {number}").choice(sorted(machine.frames))
        va = page + machine.size + 8 * number
        got = physical(va, dict(machine.frames))
        assert got is None, (
            f"The address {va:#x}: you say `{got!r:.40}`, but its page, {va - va % machine.size:#x}, is not in the list."
        )


def check_mapped(physical, seed):
    """An address in a page of the list leads into its frame."""
    compare_mapped(physical, given(seed), f"{seed}", 6)


def check_not_mapped(physical, seed):
    """Another address is not mapped."""
    compare_not_mapped(physical, given(seed), f"{seed}", 4)


# %% tags=["hidden"]
def check_others(physical, seed):
    """With another list it is right, too."""
    machine = pages(f"hidden {seed}")
    compare_mapped(physical, machine, f"hidden {seed}", 10)
    compare_not_mapped(physical, machine, f"hidden {seed}", 5)
