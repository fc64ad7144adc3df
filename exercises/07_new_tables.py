# %% tags=["about"]
kind = "predict"
chapter = "02_a_tree"
difficulty = 2
minutes = 10
points = {"three": 2, "four": 1, "range": 2}

# %% [markdown]
# # Exercise 7: how many new tables?
#
# A process in which nothing is mapped has one table, the first one, and it is empty. Whenever a page is mapped, the tables
# that are missing on the way to it are made.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("07_new_tables", SEED))

# %% [markdown]
# **Your task.** For each mapping, in this order, predict how many *new* tables it takes. The last one maps many pages, one
# behind the other.


# %% tags=["stub"]
answer = {
    "mapping 1": None,
    "mapping 2": None,
    "mapping 3": None,
    "mapping 4": None,
    "mapping 5": None,
}


# %% What decides it? [markdown] tags=["hint"]
# Write the indices of each address in a row, level by level. Compare with the rows above: as long as the indices from the
# left are those of an earlier row, the tables are there already.

# %% And for many pages? [markdown] tags=["hint"]
# Count the tables of the last level first. How much does one of them cover, and how many such pieces does the range touch?
# A range may begin in the middle of a piece. Then the level above, in the same way.

# %% tags=["call"]
from pgtlab.lab import check

check("07_new_tables", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# A table of level L is named by all bits of the address above those of level L. So collect these names in a set, and count
# how many are new. (The name of the first table is empty.)


# %% tags=["solution"]
shift, start = GIVEN["shift"], GIVEN["start"]
made = {(start, 0)}
answer = {}
for number, (first, count) in enumerate(GIVEN["mappings"], 1):
    needed = set()
    for va in range(first, first + (count << shift), 1 << shift):
        for level in range(start, 4):
            above = shift + (shift - 3) * (4 - level)
            needed.add((level, va >> above if level > start else 0))
    answer[f"mapping {number}"] = len(needed - made)
    made |= needed


# %% Gives every page a path of its own tags=["wrong"] mark=0 feedback="are some of the tables there already"
answer = {f"mapping {n}": 3 - GIVEN["start"] for n in range(1, 6)}


# %% Makes a table for each page tags=["wrong"] mark=0 feedback="a table at every level below the first"
answer = {f"mapping {n}": count for n, (_, count) in enumerate(GIVEN["mappings"], 1)}


# %% Counts the first table, too tags=["wrong"] mark=0 feedback="The first table was there"
shift, start = GIVEN["shift"], GIVEN["start"]
made, answer = set(), {}
for number, (first, count) in enumerate(GIVEN["mappings"], 1):
    needed = {
        (level, va >> shift + (shift - 3) * (4 - level) if level > start else 0)
        for va in range(first, first + (count << shift), 1 << shift)
        for level in range(start, 4)
    }
    answer[f"mapping {number}"] = len(needed - made)
    made |= needed


# %% Divides the range and forgets where it begins tags=["wrong"] mark=3 feedback="in the middle of what a table covers"
shift, start = GIVEN["shift"], GIVEN["start"]
made, answer = {(start, 0)}, {}
for number, (first, count) in enumerate(GIVEN["mappings"], 1):
    first = first if count == 1 else first >> 2 * shift - 3 << 2 * shift - 3
    needed = {
        (level, va >> shift + (shift - 3) * (4 - level) if level > start else 0)
        for va in range(first, first + (count << shift), 1 << shift)
        for level in range(start, 4)
    }
    answer[f"mapping {number}"] = len(needed - made)
    made |= needed


# %% tags=["check"]
from dataclasses import dataclass

from pgtlab.lab.expectations import drawn, expect_entries
from pgtlab.lab.machine import Machine


@dataclass(frozen=True)
class Mappings:
    """A machine, and what is mapped in it: the first address and the number of pages."""

    granule: str
    bits: int
    mappings: list
    shift: int
    start: int

    def __str__(self):
        lines = [f"Pages of {self.granule[:-1]} KiB, {self.bits} bits of address in use.", ""]
        for number, (va, count) in enumerate(self.mappings, 1):
            what = "one page" if count == 1 else f"{count} pages"
            lines.append(f"mapping {number}: {what} from {va:#x} on")
        return "\n".join(lines)


def counts(setting):
    """How many new tables each mapping takes in the model."""
    process = Machine(setting.granule, setting.bits).process("a")
    frames, before, new = 0x8000_0000, 1, []
    for va, count in setting.mappings:
        process.map(va, frames, count=count)
        frames += count << setting.shift
        new.append(len(process.tables) - before)
        before += new[-1]
    return new


def make(draw):
    """Mappings that differ from earlier ones first at a drawn level."""
    granule, bits, shift, start = draw.choice((("4k", 48, 12, 0), ("64k", 48, 16, 1), ("16k", 47, 14, 1)))
    per_level = shift - 3
    va = draw.randrange(1 << bits - 2) >> shift << shift
    mappings = [(va, 1)]
    levels = [3, 2, 2 if start else 1]
    draw.shuffle(levels)
    for level in levels:
        while any(va == before for before, _ in mappings):
            bit = shift + per_level * (3 - level) + draw.randrange(per_level - 2)
            va = draw.choice(mappings)[0] ^ 1 << bit
        mappings.append((va, 1))
    covered = shift + per_level
    tables = draw.randrange(2, 4)
    begin = (
        (1 << bits - 1)
        + (draw.randrange(1 << bits - covered - 2) << covered)
        + (1 << covered)
        - (draw.randrange(2, 6) << shift)
    )
    mappings.append((begin, (tables - 1 << per_level) + draw.randrange(8, 20)))
    return Mappings(granule, bits, mappings, shift, start)


def given(seed):
    """A student's mappings; the last begins in the middle of what a table covers, so that it touches one more."""

    def values(setting):
        whole = (setting.mappings[4][1] - 1 >> setting.shift - 3) + 1
        return [counts(setting)[4], whole + 3 - setting.start - 1]

    return drawn(f"tables {seed}", make, values)


def entries(seed):
    """Each mapping with what is right, what wrong rules give, and what to say otherwise."""
    setting = given(seed)
    deep = 3 - setting.start
    found = {}
    for number, right in enumerate(counts(setting)):
        _, count = setting.mappings[number]
        rules = (
            [
                (right + 1, "the-first-table-is-free", "The first table was there before: it is not new."),
            ]
            if number == 0
            else []
        )
        if count == 1 and number:
            rules.append(
                (deep, "one-table-a-page", "Compare with the addresses before: are some of the tables there already?")
            )
            if right + 1 != deep:
                rules.append(
                    (
                        right + 1,
                        "one-table-a-page",
                        "Compare with the most similar address before. At which level do the indices differ first? Both entries are "
                        "in the same table there, and only what is below is new.",
                    )
                )
        if count == 1 and not number:
            rules.append(
                (1, "the-first-table-is-free", "From nothing it takes a table at every level below the first.")
            )
        if count > 1:
            rules.append((count, "one-table-a-page", "That is a table for each page: how many entries has a table?"))
            rules.append(
                (
                    right - 1,
                    "",
                    "The range begins in the middle of what a table covers: how many of them does it touch?",
                )
            )
        found[f"mapping {number + 1}"] = (right, rules, "Which of the tables on the way to it are there already?")
    return found


def check_three(answer, seed):
    """The first three are right."""
    expect_entries(answer, dict([*entries(seed).items()][:3]))


def check_four(answer, seed):
    """The fourth is right."""
    expect_entries(answer, dict([*entries(seed).items()][3:4]))


# %% tags=["hidden"]
def check_range(answer, seed):
    """The range is right."""
    expect_entries(answer, dict([*entries(seed).items()][4:]))
