# %% tags=["about"]
kind = "predict"
chapter = "12_the_cost_of_a_walk"
difficulty = 2
minutes = 10
points = {"fits": 2, "too_many": 1, "block": 1}

# %% [markdown]
# # Exercise 34: walks and reads
#
# A processor has a small TLB, which keeps the translations that were used last, and no walk cache. A program goes round and round: in
# each round it reads one word from each of its pages, always in the same order. At the beginning the TLB is empty.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("34_walks_and_reads", SEED))

# %% [markdown]
# **Your task.** Predict for program A how many walks it takes in all its rounds, and how many entries of tables are read for them. Then:
# how many walks does program B take? And program C, which is B with all its memory mapped by blocks of level 2, so that its pages are all in
# one block?


# %% tags=["stub"]
answer = {
    "A walks": None,
    "A reads": None,
    "B walks": None,
    "C walks": None,
}


# %% When is a walk needed? [markdown] tags=["hint"]
# When the translation is not in the TLB. Write down what the TLB holds after each access of the first two rounds.

# %% What does the TLB throw out? [markdown] tags=["hint"]
# The translation that was not used for the longest time. If there is one page more than it can keep, which one is that, and when is
# it needed again?

# %% tags=["call"]
from pgtlab.lab import check

check("34_walks_and_reads", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# One page more than fits, and nothing is ever found: the TLB throws out just what comes next. That is the worst case of *least recently
# used*. To discuss: how would a TLB do here that throws one out by chance?


# %% tags=["solution"]
entries, levels = GIVEN["entries"], GIVEN["levels"]
(a, rounds), (b, more) = GIVEN["a"], GIVEN["b"]
answer = {"A walks": a, "A reads": a * levels, "B walks": b * more, "C walks": 1}


# %% Walks at every access tags=["wrong"] mark=0 feedback="in the first round"
(a, rounds), (b, more) = GIVEN["a"], GIVEN["b"]
answer = {"A walks": a * rounds, "A reads": a * rounds * GIVEN["levels"], "B walks": b * more, "C walks": b * more}


# %% Counts a read for each walk tags=["wrong"] mark=0 feedback="an entry at each level"
(a, rounds), (b, more) = GIVEN["a"], GIVEN["b"]
answer = {"A walks": a, "A reads": a, "B walks": b, "C walks": 1}


# %% Lets the TLB keep what fits tags=["wrong"] mark=2 feedback="just before it is needed"
entries, levels = GIVEN["entries"], GIVEN["levels"]
(a, rounds), (b, more) = GIVEN["a"], GIVEN["b"]
answer = {"A walks": a, "A reads": a * levels, "B walks": b + (b - entries) * (more - 1), "C walks": 1}


# %% Takes a block for its pages tags=["wrong"] mark=3 feedback="one translation"
entries, levels = GIVEN["entries"], GIVEN["levels"]
(a, rounds), (b, more) = GIVEN["a"], GIVEN["b"]
answer = {"A walks": a, "A reads": a * levels, "B walks": b * more, "C walks": b}


# %% tags=["check"]
from dataclasses import dataclass

from pgtlab.arch.cost.tlb import TLB, Hardware, Replacement
from pgtlab.arch.cost.tlb_entries import Caches
from pgtlab.lab.expectations import drawn, expect_entries
from pgtlab.lab.machine import Machine

AT = 0x4000_0000


@dataclass(frozen=True)
class Programs:
    """A machine with a TLB, and two programs: their pages and their rounds."""

    granule: str
    bits: int
    entries: int
    levels: int
    a: tuple
    b: tuple

    def __str__(self):
        return "\n".join(
            [
                f"pages of {self.granule[:-1]} KiB, {self.bits} bits; the TLB keeps {self.entries} translations",
                f"program A: {self.a[0]} pages, {self.a[1]} rounds",
                f"program B: {self.b[0]} pages, {self.b[1]} rounds",
            ]
        )


def walked(setting, pages, rounds, blocks):
    """How many walks, and how many reads, the model's TLB takes for a program."""
    process = Machine(setting.granule, setting.bits).process("a")
    size = process.machine.page_size
    process.map(AT, 0x8000_0000, count=size // 8, blocks=blocks)
    caches = Caches(process.mmu, Hardware(l1=(TLB(setting.entries, setting.entries, Replacement.LRU),)))
    places = [AT + page * size for page in range(pages)] * rounds
    missed = [va for va in places if not caches.access(va, 1).hit]
    return len(missed), sum(len(process.mmu.translate(va).steps) for va in missed)


def make(draw):
    """A machine with two programs: A's pages fit into the TLB, B's do not."""
    granule, bits, levels = draw.choice((("4k", 48, 4), ("4k", 39, 3), ("16k", 47, 3), ("64k", 48, 3)))
    entries = draw.choice((4, 6, 8))
    a, b = (
        (draw.randrange(3, entries + 1), draw.randrange(3, 9)),
        (entries + draw.randrange(1, 3), draw.randrange(4, 9)),
    )
    return Programs(granule, bits, entries, levels, a, b)


def entries(setting):
    """Everything that is asked for, with what wrong rules give."""
    (a, rounds), (b, more) = setting.a, setting.b
    a_walks, a_reads = walked(setting, a, rounds, blocks=False)
    b_walks, _ = walked(setting, b, more, blocks=False)
    c_walks, _ = walked(setting, b, more, blocks=True)
    fitting = b + (b - setting.entries) * (more - 1)
    return {
        "A walks": (
            a_walks,
            [
                (
                    a * rounds,
                    "",
                    "That is a walk for each access. What does the TLB know after the pages in the first round?",
                ),
                (1, "", "Each page has a translation of its own."),
                (0, "a-walk-is-free", "At the beginning the TLB is empty."),
            ],
            "When is a translation not in the TLB?",
        ),
        "A reads": (
            a_reads,
            [
                (a_walks, "", "That is one read for each walk. A walk reads an entry at each level."),
                (a_walks * (setting.levels + 1), "", "The words of the program are not asked for here."),
                (a * rounds * setting.levels, "", "How many of the accesses walk?"),
            ],
            "How many levels has a walk here?",
        ),
        "B walks": (
            b_walks,
            [
                (b, "", "Does everything fit into the TLB?"),
                (
                    fitting,
                    "",
                    "The TLB throws out the one that was not used for longest: that is each page just before it is needed.",
                ),
                (more, "", "How many pages has it?"),
            ],
            "Follow the first two rounds: what is in the TLB when the first page is needed again?",
        ),
        "C walks": (
            c_walks,
            [
                (b, "an-entry-maps-itself", "A block is one translation, for all pages in it."),
                (b_walks, "an-entry-maps-itself", "A block is one translation, for all pages in it."),
                (0, "a-walk-is-free", "At the beginning the TLB is empty."),
            ],
            "How many translations does the program need?",
        ),
    }


def given(seed):
    """A student's programs, for which no two rules agree."""

    def values(setting):
        asked = entries(setting)["B walks"]
        return [asked[0], *(value for value, *_ in asked[1])]

    return drawn(f"programs {seed}", make, values)


def pick(answer, seed, *names):
    """Compare these entries of the answer with what is right."""
    expect_entries(answer, {name: entry for name, entry in entries(given(seed)).items() if name in names})


def check_fits(answer, seed):
    """You know the walks and reads of a program whose pages fit into the TLB."""
    pick(answer, seed, "A walks", "A reads")


def check_too_many(answer, seed):
    """You know the walks of one whose pages do not fit."""
    pick(answer, seed, "B walks")


# %% tags=["hidden"]
def check_block(answer, seed):
    """You know what a block changes."""
    pick(answer, seed, "C walks")
