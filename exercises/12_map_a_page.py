# %% tags=["about"]
kind = "build"
chapter = "04_the_walk"
difficulty = 3
minutes = 12
points = {"first_page": 2, "other_pages": 2, "no_more_tables": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 12: write the tables
#
# So far somebody else has made the tables, and you have read them. Now you are the kernel: a process asks for a page, and you
# write the entries that lead there. What you wrote is then given to the MMU. This is the machine:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("12_map_a_page", SEED))

# %% [markdown]
# **Your task.** Write `map_page(ram, table, va, frame)`. `table` is the physical address of the first table, `va` the address of
# a page, `frame` the physical address of a frame. Afterwards the MMU must find the frame for that page, and still find every
# page that was mapped before. What you can do with `ram`:
#
# | | |
# |---|---|
# | `ram.read(pa)` | the word at a physical address |
# | `ram.write(pa, word)` | write it |
# | `ram.new_table()` | the physical address of an empty table, in which all entries are 0 |
#
# An entry that leads to a table is the table's address with bits 1:0 = `11`. The entry of a page is the frame's address with bits
# 1:0 = `11`, with AF, bit 10, and with bit 6, which lets programs in. All other attributes stay 0. Your function returns nothing.


# %% tags=["stub"]
def map_page(ram, table, va, frame):
    raise NotImplementedError


# %% The walk with one more question [markdown] tags=["hint"]
# Go down as a walk does, through levels 1 and 2. At each: where is the entry? If it is valid, it leads to the next table. If it is
# not, what has to be there before you can go on?

# %% How do I see what I wrote? [markdown] tags=["hint"]
# Write the two or three words on paper, with their addresses, for one page. Then walk them with your pencil, as in section 4.3.

# %% tags=["call"]
from pgtlab.lab import check

check("12_map_a_page", map_page, seed=SEED)

# %% [markdown] tags=["solution"]
# The kernel has the same loop, written out once for each level: `pud_alloc()`, `pmd_alloc()`, `pte_alloc()`. Each allocates only
# if the entry is none, and puts the new table into it.


# %% tags=["solution"]
def map_page(ram, table, va, frame):
    page = GIVEN["shift"]
    width = page - 3
    for level in (1, 2):
        place = table + 8 * (va >> page + (3 - level) * width & (1 << width) - 1)
        entry = ram.read(place)
        if not entry & 1:
            entry = ram.new_table() | 3
            ram.write(place, entry)
        table = entry & (1 << 48) - (1 << page)
    ram.write(table + 8 * (va >> page & (1 << width) - 1), frame | 1 << 10 | 1 << 6 | 3)


# %% Makes new tables every time tags=["wrong"] mark=2 feedback="was mapped before"
def map_page(ram, table, va, frame):
    page = GIVEN["shift"]
    width = page - 3
    for level in (1, 2):
        new = ram.new_table()
        ram.write(table + 8 * (va >> page + (3 - level) * width & (1 << width) - 1), new | 3)
        table = new
    ram.write(table + 8 * (va >> page & (1 << width) - 1), frame | 1 << 10 | 1 << 6 | 3)


# %% Forgets to make the entries valid tags=["wrong"] mark=0 feedback="a level 1 translation fault"
def map_page(ram, table, va, frame):
    page = GIVEN["shift"]
    width = page - 3
    for level in (1, 2):
        place = table + 8 * (va >> page + (3 - level) * width & (1 << width) - 1)
        entry = ram.read(place)
        if not entry & 1:
            entry = ram.new_table()
            ram.write(place, entry)
        table = entry & (1 << 48) - (1 << page)
    ram.write(table + 8 * (va >> page & (1 << width) - 1), frame | 1 << 10 | 1 << 6 | 3)


# %% Forgets AF tags=["wrong"] mark=0 feedback="a level 3 access flag fault"
def map_page(ram, table, va, frame):
    page = GIVEN["shift"]
    width = page - 3
    for level in (1, 2):
        place = table + 8 * (va >> page + (3 - level) * width & (1 << width) - 1)
        entry = ram.read(place)
        if not entry & 1:
            entry = ram.new_table() | 3
            ram.write(place, entry)
        table = entry & (1 << 48) - (1 << page)
    ram.write(table + 8 * (va >> page & (1 << width) - 1), frame | 1 << 6 | 3)


# %% Asks for a table before it looks tags=["wrong"] mark=4 feedback="How many were missing"
def map_page(ram, table, va, frame):
    page = GIVEN["shift"]
    width = page - 3
    for level in (1, 2):
        place, new = table + 8 * (va >> page + (3 - level) * width & (1 << width) - 1), ram.new_table()
        entry = ram.read(place)
        if not entry & 1:
            entry = new | 3
            ram.write(place, entry)
        table = entry & (1 << 48) - (1 << page)
    ram.write(table + 8 * (va >> page & (1 << width) - 1), frame | 1 << 10 | 1 << 6 | 3)


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.arch.fault import Fault
from pgtlab.lab.machine import Machine


@dataclass(frozen=True)
class Pages:
    """A machine: page size, bits in use, and the number of bits in an offset."""

    kib: int
    bits: int
    shift: int

    def __str__(self):
        return f"pages of {self.kib} KiB, {self.bits} bits of address in use: the walk has levels 1, 2 and 3"


class Ram:
    """What a learner's function may do with a machine's RAM."""

    def __init__(self, process):
        self._process, self._tables = process, 0

    def read(self, pa):
        """The word at a physical address."""
        return self._at(pa, self._process.mmu.memory.read64)

    def write(self, pa, word):
        """Write a word."""
        if not isinstance(word, int) or not 0 <= word < 1 << 64:
            raise ValueError(f"{word!r:.40} is not a word of 64 bits")
        self._at(pa, lambda here: self._process.mmu.memory.write64(here, word))

    def new_table(self):
        """The address of an empty table."""
        self._tables += 1
        return next(self._process.mapper.frames)

    def _at(self, pa, work):
        try:
            return work(pa)
        except (ValueError, TypeError):
            shown = f"{pa:#x}" if isinstance(pa, int) else f"{pa!r:.40}"
            where = ", which begins at a multiple of 8" if isinstance(pa, int) and pa & 7 else ""
            raise ValueError(f"{shown} is not the address of a word in RAM{where}") from None


class Handle:
    """The three functions of `Ram`, and nothing else."""

    def __init__(self, ram):
        self.read = lambda pa: ram.read(pa)
        self.write = lambda pa, word: ram.write(pa, word)
        self.new_table = lambda: ram.new_table()


def given(seed):
    """A student's machine: both have three levels, the first of which is 1."""
    return Random(f"machine {seed}").choice((Pages(16, 47, 14), Pages(64, 48, 16)))


def addresses(pages, seed):
    """Pages: a first one, its neighbour, one in another table of level 3, one in another of level 2."""
    draw = Random(f"pages {seed}")
    first = draw.randrange(1 << pages.bits - pages.shift - 1) << pages.shift + 1
    width = pages.shift - 3
    near = [first, first | 1 << pages.shift, first ^ 1 << pages.shift + width, first ^ 1 << pages.shift + 2 * width]
    frames = [draw.randrange(0x8000_0000 >> pages.shift, 0xF000_0000 >> pages.shift) << pages.shift for _ in near]
    return list(zip(near, frames, strict=True))


def mapped(map_page, pages, wanted):
    """A process after the answer has mapped these pages, each in turn; how many tables the answer asked for."""
    process = Machine(f"{pages.kib}k", pages.bits).process("a")
    ram, done = Ram(process), []
    for va, frame in wanted:
        map_page(Handle(ram), int(process.mmu.ttbr0), va, frame)
        done.append((va, frame))
        for page, right in done:
            outcome = process.walk(page + 8).outcome
            before = f"After {va:#x} was mapped to {frame:#x}: "
            if page != va:
                before += f"{page:#x}, which was mapped before, was lost: "
            if isinstance(outcome, Fault):
                last = process.walk(page).steps[-1]
                word = last.descriptor.value
                bits = (
                    f"bits 1:0 are {word & 3:02b}"
                    if word & 3 != 3
                    else f"bits 10 and 6 are {word >> 10 & 1} and {word >> 6 & 1}"
                )
                raise AssertionError(
                    f"{before}the MMU reports a {str(outcome).partition(':')[0]}. The entry that it reads at {last.address:#x} is "
                    f"{word:#x}: its {bits}. What should they be?"
                )
            assert outcome.pa == right + 8, f"{before}the MMU finds {outcome.pa - 8:#x}. What is in the last entry?"
    return process, ram


def check_first_page(map_page, seed):
    """The MMU finds a page in an empty address space."""
    pages = given(seed)
    for number in range(3):
        mapped(map_page, pages, addresses(pages, f"{seed} {number}")[:1])


def check_other_pages(map_page, seed):
    """The MMU finds every page, and those of before."""
    pages = given(seed)
    mapped(map_page, pages, addresses(pages, seed))


def check_no_more_tables(map_page, seed):
    """There are no more tables than are needed."""
    pages = given(seed)
    process, ram = mapped(map_page, pages, addresses(pages, seed))
    needed = len(process.tables) - 1
    assert ram._tables == needed, (
        f"You asked for {ram._tables} new tables, and {needed} are in use. How many were missing each time?"
    )


# %% tags=["hidden"]
def check_others(map_page, seed):
    """It is right for other pages, too, and writes no other attributes."""
    pages = given(seed)
    for number in range(5):
        process, ram = mapped(map_page, pages, addresses(pages, f"hidden {seed} {number}")[::-1])
        assert ram._tables == len(process.tables) - 1
        for va, frame in addresses(pages, f"hidden {seed} {number}"):
            word = process.walk(va).steps[-1].descriptor.value
            assert word == frame | 0x443, f"The entry of {va:#x} is {word:#x}: which bits should it have?"
