# %% tags=["about"]
kind = "predict"
chapter = "08_folded_at_boot"
difficulty = 2
minutes = 10
points = {"fates": 2, "index": 1, "place": 2}

# %% [markdown]
# # Exercise 21: which level folds, and where is its entry?
#
# Three kernels on three processors. For each, all that you need is here: the page size, the number of bits that the kernel was
# built for, and the number that it runs with.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("21_which_levels_fold", SEED))

# %% [markdown]
# **Your task.** Predict what becomes of the levels that are asked for: `"real"`, `"folded at compile time"` or
# `"folded at run time"`. Then, for the address in kernel C: what is its `pud_index`, and how many bytes into the page of the pgd
# is the pud entry that both Linux and the MMU use?


# %% tags=["stub"]
answer = {
    "A pud": None,
    "A pmd": None,
    "B p4d": None,
    "B pud": None,
    "C p4d": None,
    "C pud": None,
    "C pud_index": None,
    "C bytes": None,
}


# %% How many levels were built? [markdown] tags=["hint"]
# The bits that the kernel was built for, without the offset, divided by the bits of an index, rounded up. The names are handed out
# from the pte upwards, and the first table is always called pgd: with three levels there are pgd, pmd, pte.

# %% And how many are there? [markdown] tags=["hint"]
# The same with the bits that it runs with. If that is one level less than was built, the level just under the pgd folds at run
# time.

# %% Bytes into the page [markdown] tags=["hint"]
# The pud's index counts from the start of the page that the pgd is in. An entry has 8 bytes.

# %% tags=["call"]
from pgtlab.lab import check

check("21_which_levels_fold", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# C is the kernel of section 8.2. `pgd_index` of the same address leads to an entry that the MMU does not read.


# %% tags=["solution"]
NAMES = ("pgd", "p4d", "pud", "pmd", "pte")
answer = {}
for letter, shift, built, actual in GIVEN["kernels"]:
    levels, used = (-(-(bits - shift) // (shift - 3)) for bits in (built, actual))
    there = ["pgd", *NAMES[6 - levels :]]
    for name in NAMES[1:4]:
        fate = "real" if name in there else "folded at compile time"
        if used < levels and name == there[1]:
            fate = "folded at run time"
        if f"{letter} {name}" in ("A pud", "A pmd", "B p4d", "B pud", "C p4d", "C pud"):
            answer[f"{letter} {name}"] = fate
index = GIVEN["va"] >> 36 & 0x7FF
answer |= {"C pud_index": index, "C bytes": 8 * index}


# %% Lets every missing level fold at compile time tags=["wrong"] mark=0 feedback="The kernel was built with"
answer = {
    "A pud": "folded at compile time",
    "A pmd": "folded at compile time",
    "B p4d": "folded at compile time",
    "B pud": "folded at compile time",
    "C p4d": "folded at compile time",
    "C pud": "folded at compile time",
    "C pud_index": 0,
    "C bytes": 0,
}


# %% Takes the index of a folded level to be 0 tags=["wrong"] mark=2 feedback="its bits of the address stay"
NAMES = ("pgd", "p4d", "pud", "pmd", "pte")
answer = {"C pud_index": 0, "C bytes": 0}
for letter, shift, built, actual in GIVEN["kernels"]:
    levels, used = (-(-(bits - shift) // (shift - 3)) for bits in (built, actual))
    there = ["pgd", *NAMES[6 - levels :]]
    for name in NAMES[1:4]:
        fate = "real" if name in there else "folded at compile time"
        answer[f"{letter} {name}"] = "folded at run time" if used < levels and name == there[1] else fate


# %% Counts from the pgd's entry tags=["wrong"] mark=3 feedback="from the start of the page"
NAMES = ("pgd", "p4d", "pud", "pmd", "pte")
index = GIVEN["va"] >> 36 & 0x7FF
answer = {"C pud_index": index, "C bytes": 8 * (GIVEN["va"] >> 47 & 0x1F) + 8 * index}
for letter, shift, built, actual in GIVEN["kernels"]:
    levels, used = (-(-(bits - shift) // (shift - 3)) for bits in (built, actual))
    there = ["pgd", *NAMES[6 - levels :]]
    for name in NAMES[1:4]:
        fate = "real" if name in there else "folded at compile time"
        answer[f"{letter} {name}"] = "folded at run time" if used < levels and name == there[1] else fate


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab import CPU, Config, boot, decompose
from pgtlab.lab import misconceptions
from pgtlab.lab.expectations import expect_entries
from pgtlab.lab.misconceptions import fate
from pgtlab.lab.variants import addresses

# A has three levels or fewer, B four or five, and C folds at run time.
FIRST = (("16k", 47), ("64k", 48), ("4k", 39))
SECOND = (("4k", 48, "max"), ("4k", 52, "max"), ("4k", 52, "max,lpa2=off"))


@dataclass(frozen=True)
class Kernels:
    """Three kernels: a letter, the bits of an offset, the bits built for and in use; and an address for the third."""

    kernels: list
    va: int

    def __str__(self):
        lines = [
            f"{letter}: pages of {1 << shift - 10} KiB, built for {built} bits, runs with {actual}"
            for letter, shift, built, actual in self.kernels
        ]
        return "\n".join([*lines, "", f"the address in C: {self.va:#018x}"])


def boots(seed):
    """The three kernels."""
    draw = Random(f"folds {seed}")
    page, bits = draw.choice(FIRST)
    other, built, cpu = draw.choice(SECOND)
    return {
        "A": boot(Config(page, bits), CPU.named("max")),
        "B": boot(Config(other, built), CPU.named(cpu)),
        "C": boot(Config("16k", 52), CPU.named("max,lpa2=off")),
    }


def given(seed):
    """A student's kernels."""
    made = boots(seed)
    rows = [(name, b.config.granule.shift, b.config.va_bits, b.vabits_actual) for name, b in made.items()]
    return Kernels(rows, addresses(made["C"], f"folds {seed}")[1])


def fates(seed):
    """What becomes of each level that is asked for, with what wrong answers get."""
    entries = {}
    for asked in ("A pud", "A pmd", "B p4d", "B pud", "C p4d", "C pud"):
        letter, name = asked.split()
        booted = boots(seed)[letter]
        level = next(level for level in decompose(0, booted).linux if level.name == name)
        sentences = misconceptions.fates(name, booted)
        if "folded at compile time" in sentences:
            sentences["folded at compile time"] = (
                f"The kernel was built with {booted.config.PGTABLE_LEVELS} levels: is the {name} among their names?"
            )
        rules = [(wrong, "the-nearest-level-folds" if letter == "C" else "", text) for wrong, text in sentences.items()]
        says = 'It is one of "real", "folded at compile time" and "folded at run time".'
        entries[asked] = (fate(level), rules, says)
    return entries


def numbers(seed):
    """The index of the folded level, and where its entry is, with what wrong answers get."""
    booted, va = boots(seed)["C"], given(seed).va
    parts = decompose(va, booted)
    linux = {level.name: level.index for level in parts.linux}
    first = parts.hardware[0].index
    index = [
        (0, "folded-index-is-0", "Only the table is gone: its bits of the address stay."),
        (linux["pgd"], "pgd-index-is-the-first-index", "That is pgd_index."),
        (linux["pmd"], "", "That is pmd_index."),
    ]
    place = [
        (0, "folded-index-is-0", "Only the table is gone: the entry is where the index says."),
        (8 * linux["pgd"], "pgd-index-is-the-first-index", "There is the pgd entry, which the MMU does not read."),
        (first, "an-index-is-an-offset", "That is the index. How many bytes is that?"),
        (8 * (linux["pgd"] + first), "", "The index counts from the start of the page, not from the pgd's entry."),
    ]
    return {
        "C pud_index": (
            linux["pud"],
            index,
            "Which bits of the address are the pud's index, in a kernel built for 52 bits?",
        ),
        "C bytes": (
            8 * first,
            place,
            "From where does the index of the folded level count, and how large is an entry?",
        ),
    }


def check_fates(answer, seed):
    """You know which levels fold, and when."""
    expect_entries(answer, fates(seed))


def check_index(answer, seed):
    """You know the index of the folded level."""
    expect_entries(answer, {"C pud_index": numbers(seed)["C pud_index"]})


# %% tags=["hidden"]
def check_place(answer, seed):
    """You know where its entry is."""
    expect_entries(answer, {"C bytes": numbers(seed)["C bytes"]})
