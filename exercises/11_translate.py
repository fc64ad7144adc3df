# %% tags=["about"]
kind = "build"
chapter = "04_the_walk"
difficulty = 3
minutes = 12
points = {"pages": 2, "faults": 1, "blocks": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 11: a walk for another machine
#
# In the chapter you wrote `translate()` for pages of 4 KiB and 39 bits. This machine has other pages, and so everything moves:
# the offset, the width of an index, the bits that are address.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("11_translate", SEED))

# %% [markdown]
# **Your task.** Write `translate(ram, table, va)` for this machine, for the lower half. `ram(pa)` returns the word at a physical
# address, and `table` is the physical address of the first table. Return the physical address, or `("fault", level)`. Only
# bits 1:0 of an entry decide how the walk goes on. Blocks are at level 2 only. Bits 47 and lower of an entry hold its
# address. The bits of `va` that are not in use are all 0.


# %% tags=["stub"]
def translate(ram, table, va):
    raise NotImplementedError


# %% Before you write [markdown] tags=["hint"]
# Fill in a row for each level, from 3 upwards: the lowest bit of its index, and how many bits the index has. The offset of a page
# comes first, and each index begins where the one below it ends. The walk starts where the bits in use are used up.

# %% One step [markdown] tags=["hint"]
# An index counts entries, and an entry has 8 bytes. What you read there is an entry: look at its bits 1:0 before you use its
# address.

# %% tags=["call"]
from pgtlab.lab import check

check("11_translate", translate, seed=SEED)

# %% [markdown] tags=["solution"]
# One loop over the levels. The offset of a leaf of level L has as many bits as lie below the index of L, so a block needs no
# case of its own.


# %% tags=["solution"]
def translate(ram, table, va):
    page = GIVEN["shift"]
    for level in (1, 2, 3):
        low = page + (3 - level) * (page - 3)
        entry = ram(table + 8 * (va >> low & (1 << page - 3) - 1))
        leaf = level == 3 if entry & 2 else level == 2
        if not entry & 1 or (not entry & 2 and not leaf):
            return "fault", level
        if leaf:
            return entry & (1 << 48) - (1 << low) | va & (1 << low) - 1
        table = entry & (1 << 48) - (1 << page)
    return None


# %% Walks as with pages of 4 KiB tags=["wrong"] mark=0 feedback="The first read is wrong"
def translate(ram, table, va):
    for low in (39, 30, 21, 12):
        entry = ram(table + 8 * (va >> low & 0x1FF))
        if not entry & 1:
            return "fault", 3
        table = entry & 0xFFFF_FFFF_F000
    return table | va & 0xFFF


# %% Forgets that an entry has 8 bytes tags=["wrong"] mark=0 feedback="An index counts entries"
def translate(ram, table, va):
    page = GIVEN["shift"]
    for level in (1, 2, 3):
        low = page + (3 - level) * (page - 3)
        entry = ram(table + (va >> low & (1 << page - 3) - 1))
        if not entry & 1:
            return "fault", level
        table = entry & (1 << 48) - (1 << page)
    return table | va & (1 << page) - 1


# %% Keeps the attributes of the last entry tags=["wrong"] mark=0 feedback="bits above 47"
def translate(ram, table, va):
    page = GIVEN["shift"]
    for level in (1, 2, 3):
        low = page + (3 - level) * (page - 3)
        entry = ram((table & (1 << 48) - (1 << page)) + 8 * (va >> low & (1 << page - 3) - 1))
        if not entry & 1:
            return "fault", level
        table = entry >> page << page
    return table | va & (1 << page) - 1


# %% Counts the levels of a fault from 0 tags=["wrong"] mark=2 feedback="has always the same number"
def translate(ram, table, va):
    page = GIVEN["shift"]
    for level in (1, 2, 3):
        low = page + (3 - level) * (page - 3)
        entry = ram(table + 8 * (va >> low & (1 << page - 3) - 1))
        leaf = level == 3 if entry & 2 else level == 2
        if not entry & 1 or (not entry & 2 and not leaf):
            return "fault", level - 1
        if leaf:
            return entry & (1 << 48) - (1 << low) | va & (1 << low) - 1
        table = entry & (1 << 48) - (1 << page)
    return None


# %% Goes on where a block ends the walk tags=["wrong"] mark=3 feedback="ends the walk"
def translate(ram, table, va):
    page = GIVEN["shift"]
    for level in (1, 2, 3):
        low = page + (3 - level) * (page - 3)
        entry = ram(table + 8 * (va >> low & (1 << page - 3) - 1))
        if not entry & 1 or (level == 3 and not entry & 2):
            return "fault", level
        table = entry & (1 << 48) - (1 << page)
    return table | va & (1 << page) - 1


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.arch.fault import Fault
from pgtlab.lab.expectations import WrongAnswer
from pgtlab.lab.machine import Machine


@dataclass(frozen=True)
class Pages:
    """A machine: page size, bits in use, and the number of bits in an offset."""

    kib: int
    bits: int
    shift: int

    def __str__(self):
        return f"pages of {self.kib} KiB, {self.bits} bits of address in use"


class Ram:
    """The words of a machine's RAM, and where they were read."""

    def __init__(self, machine):
        self.machine, self.reads = machine, []

    def __call__(self, pa):
        """The word at a physical address; the MMU refuses what is no RAM, and so does this."""
        assert isinstance(pa, int), f"You called `ram()` with `{pa!r:.40}`, which is not a number."
        self.reads.append(pa)
        try:
            return self.machine.ram(pa) if pa % 8 == 0 else 0
        except ValueError:
            raise ValueError(f"there is no RAM at {pa:#x}") from None


def given(seed):
    """A student's machine: both have three levels, the first of which is 1."""
    return Random(f"machine {seed}").choice((Pages(16, 47, 14), Pages(64, 48, 16)))


def process_of(pages):
    """A process in which nothing is mapped."""
    return Machine(f"{pages.kib}k", pages.bits).process("a")


def page(pages, draw):
    """A process with one page, with attributes in its entry, and an address in it."""
    process, va = process_of(pages), draw.randrange(1 << pages.bits - 1, 1 << pages.bits) & ~7
    va |= 1 << 3 * pages.shift - 6  # an odd index of level 1, for which no two wrong rules agree
    frame = draw.randrange(0x8000_0000 >> pages.shift, 0xF000_0000 >> pages.shift) << pages.shift
    process.map(va >> pages.shift << pages.shift, frame, UXN=1, PXN=1, software=draw.randrange(16))
    return process, va


def block(pages, draw):
    """A process with a block of level 2, and an address in it."""
    process, bits = process_of(pages), 2 * pages.shift - 3
    va = draw.randrange(1 << pages.bits - 1, 1 << pages.bits) & ~7
    frame = draw.randrange(0x4000_0000, 0xF000_0000) >> bits << bits
    process.map(va >> bits << bits, frame, 1 << pages.shift - 3, blocks=True, UXN=1)
    return process, va


def broken(pages, draw):
    """A process with a page, one of whose entries was made invalid."""
    process, va = page(pages, draw)
    step = draw.choice(process.walk(va).steps)
    word = process.machine.ram(step.address)
    process.mmu.memory.write64(step.address, draw.choice((0, word & ~1, *([word & ~2] if step.level == 3 else []))))
    return process, va


def compare(translate, case, pages, seed, many, ask):
    """Compare the answer with the model's walk."""
    for number in range(many):
        process, va = case(pages, Random(f"{seed} {case.__name__} {number}"))
        walk, ram = process.walk(va), Ram(process.machine)
        right = ("fault", walk.outcome.level) if isinstance(walk.outcome, Fault) else walk.outcome.pa
        got = translate(lambda pa, ram=ram: ram(pa), int(process.mmu.ttbr0), va)
        if (tuple(got) if isinstance(got, list) else got) != right:
            ask(va, got, right, walk, ram.reads)


def shown(answer):
    """An answer as a sentence has it."""
    return f"{answer:#x}" if isinstance(answer, int) else f"{answer!r:.60}"


def ask_page(va, got, right, walk, reads):
    """What to say of a wrong answer about a page."""
    where = f"{va:#x}: you returned {shown(got)}. "
    wanted = [step.address for step in walk.steps]
    if isinstance(got, int) and got & (1 << 48) - 1 == right:
        raise WrongAnswer(f"{where}Some bits above 47 are still there: are they address?", "high-attributes-stay")
    for number, (mine, theirs) in enumerate(zip(reads, wanted, strict=False)):
        first = walk.steps[number]
        if mine != theirs and number == 0 and mine == first.table + first.index:
            raise WrongAnswer(
                f"{where}An index counts entries. How many bytes does an entry have?", "an-index-is-an-offset"
            )
        if mine != theirs:
            which = ("first", "second", "third")[number]
            raise AssertionError(
                f"{where}The {which} read is wrong: you read at {mine:#x}, and the MMU at {theirs:#x}, in the table at "
                f"{first.table:#x}. Which bits of the address are its index?"
            )
    assert len(reads) == len(wanted), f"{where}You read {len(reads)} entries, and the MMU {len(wanted)}."
    raise AssertionError(f"{where}All reads are right. What is added to the address in the last entry?")


def ask_fault(va, got, right, walk, reads):
    """What to say of a wrong answer about a fault."""
    last = walk.steps[-1].descriptor.value
    where = f"{va:#x}: you returned {shown(got)}, and the entry that stops the walk is {last:#x}. "
    if isinstance(got, tuple) and len(got) == 2 and got[0] == "fault":
        raise WrongAnswer(f"{where}The last level has always the same number: which?", "fault-level-is-depth")
    raise AssertionError(f"{where}What do its bits 1:0 say, at level {walk.steps[-1].level}?")


def ask_block(va, got, right, walk, reads):
    """What to say of a wrong answer about a block."""
    where = f"{va:#x}: you returned {shown(got)}. "
    if len(reads) > 2:
        raise AssertionError(f"{where}You read {len(reads)} entries. The second is a block: that ends the walk.")
    raise WrongAnswer(
        f"{where}The leaf is a block of level 2: how many bits has the offset?", "a-block-has-the-offset-of-a-page"
    )


def check_pages(translate, seed):
    """Pages are found."""
    compare(translate, page, given(seed), seed, 12, ask_page)


def check_faults(translate, seed):
    """Faults have the right level."""
    compare(translate, broken, given(seed), seed, 12, ask_fault)


def check_blocks(translate, seed):
    """Blocks are found."""
    compare(translate, block, given(seed), seed, 8, ask_block)


# %% tags=["hidden"]
def check_others(translate, seed):
    """It is right for other tables, too."""
    for case, ask in ((page, ask_page), (broken, ask_fault), (block, ask_block)):
        compare(translate, case, given(seed), f"hidden {seed}", 20, ask)
