# %% tags=["about"]
kind = "compute"
chapter = "05_a_fault"
difficulty = 2
minutes = 10
points = {"who": 1, "what": 1, "kind": 1, "level": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 14: a syndrome in words
#
# A kernel that was called because of an abort looks at ESR_EL1 first. What it needs to know are four things: who did it, what it
# tried, what stood in the way, and at which level. These are the syndromes of five aborts:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("14_syndrome", SEED))

# %% [markdown]
# **Your task.** Write `says(esr)`, which returns four values:
#
# 1. the exception level that the access came from, 0 or 1,
# 2. `"read"`, `"write"` or `"fetch"` (an instruction abort is a fetch),
# 3. `"translation"`, `"access flag"` or `"permission"`,
# 4. the level of the entry, 0 to 3.
#
# For the syndrome of the story that is `1, "read", "translation", 0`. Take the five above apart with pencil and paper first; the
# fields are in section 5.2 of the chapter.


# %% tags=["stub"]
def says(esr):
    raise NotImplementedError


# %% Which field is where? [markdown] tags=["hint"]
# EC is bits 31:26, WnR is bit 6, FSC is bits 5:0: the kind in bits 5:2 and the level in bits 1:0. Write 0x96000004 in binary to
# see them.

# %% Four classes [markdown] tags=["hint"]
# 0x20, 0x21, 0x24 and 0x25: instruction aborts and data aborts, each from below and from EL1 itself. WnR says something only
# for a data abort.

# %% tags=["call"]
from pgtlab.lab import check

check("14_syndrome", says, seed=SEED)

# %% [markdown] tags=["solution"]
# Bit 26, the lowest of EC, is the exception level in these four classes, and bit 28 tells data from instructions.


# %% tags=["solution"]
def says(esr):
    ec, kind = esr >> 26, esr >> 2 & 0xF
    what = ("write" if esr >> 6 & 1 else "read") if ec >= 0x24 else "fetch"
    return ec & 1, what, {1: "translation", 2: "access flag", 3: "permission"}[kind], esr & 3


# %% Takes EC to be the top byte tags=["wrong"] mark=0 feedback="begins at bit 26"
def says(esr):
    ec, kind = esr >> 24, esr >> 2 & 0xF
    what = ("write" if esr >> 6 & 1 else "read") if ec >= 0x90 else "fetch"
    return int(ec == 0x96), what, {1: "translation", 2: "access flag", 3: "permission"}[kind], esr & 3


# %% Takes WnR = 1 for a read tags=["wrong"] mark=1 feedback="write not read"
def says(esr):
    ec, kind = esr >> 26, esr >> 2 & 0xF
    what = ("read" if esr >> 6 & 1 else "write") if ec >= 0x24 else "fetch"
    return ec & 1, what, {1: "translation", 2: "access flag", 3: "permission"}[kind], esr & 3


# %% Does not tell instruction aborts from data aborts tags=["wrong"] mark=1 feedback="Which class is that"
def says(esr):
    ec, kind = esr >> 26, esr >> 2 & 0xF
    what = "write" if esr >> 6 & 1 else "read"
    return ec & 1, what, {1: "translation", 2: "access flag", 3: "permission"}[kind], esr & 3


# %% Takes the kind from the low bits tags=["wrong"] mark=2 feedback="the kind is in bits 5:2"
def says(esr):
    ec, kind = esr >> 26, esr & 3
    what = ("write" if esr >> 6 & 1 else "read") if ec >= 0x24 else "fetch"
    return ec & 1, what, {1: "translation", 2: "access flag", 3: "permission"}.get(kind, "translation"), esr >> 2 & 3


# %% Takes the whole status code for the level tags=["wrong"] mark=3 feedback="the two lowest bits"
def says(esr):
    ec, kind = esr >> 26, esr >> 2 & 0xF
    what = ("write" if esr >> 6 & 1 else "read") if ec >= 0x24 else "fetch"
    return ec & 1, what, {1: "translation", 2: "access flag", 3: "permission"}[kind], esr & 0x3F


# %% tags=["check"]
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from pgtlab.arch.fault import Access, Fault
from pgtlab.lab.expectations import WrongAnswer, expect
from pgtlab.lab.machine import Machine


@dataclass(frozen=True)
class Syndromes:
    """The syndromes of one student."""

    words: list

    def __str__(self):
        return "\n".join(f"ESR_EL1 = {word:#010x}" for word in self.words)


@lru_cache(maxsize=32)
def aborts(seed, many):
    """Aborts that the model's MMU raised: the syndrome, and who did what, what stood in the way, and at which level."""
    draw, found = Random(f"aborts {seed}"), {}
    while len(found) < many:
        process = Machine().process("a")
        va = draw.randrange(1 << 47) >> 12 << 12
        el, access = draw.choice((0, 1)), draw.choice([*Access])
        fields = draw.choice(({}, {"AF": 0}, {"AP": 2, "UXN": 1, "PXN": 1}))
        process.map(va, 0x8000_0000, **fields)
        if not fields:
            step = draw.choice(process.walk(va).steps)
            process.mmu.memory.write64(step.address, 0)
        walk = process.mmu.translate(va, access, el=el)
        if isinstance(walk.outcome, Fault):
            what = ("read", "write", "fetch")[access]
            found[int(walk.esr)] = (el, what, str(walk.outcome.kind), walk.outcome.level)
    return found


def given(seed):
    """A student's syndromes."""
    return Syndromes([*aborts(f"{seed}", 5)])


def compare(says, seed, many, place, rules, otherwise):
    """Compare one of the four values with what happened."""
    cases = dict([*aborts(f"{seed}", 5).items(), *aborts(f"{seed} more", many).items()])
    for esr, right in cases.items():
        got = says(esr)
        shape = isinstance(got, list | tuple) and len(got) == 4
        assert shape, f'Return four values, such as `1, "read", "translation", 0`: `{got!r:.60}` is something else.'
        what = ("the exception level", "what was tried", "what stood in the way", "the level")[place]
        expect(got[place], right[place], rules(esr, right), otherwise, f"{esr:#010x}, {what}")


def check_who(says, seed):
    """You know which exception level the access came from."""

    def rules(esr, right):
        yield (
            1 - right[0],
            "ec-is-the-top-byte",
            "EC begins at bit 26: shift by 26, and compare with 0x20, 0x21, 0x24, 0x25.",
        )

    compare(says, seed, 16, 0, rules, "Which class is that, and from which exception level does it come?")


def check_what(says, seed):
    """You know what was tried."""

    def rules(esr, right):
        if right[1] == "fetch":
            yield "read", "", "Which class is that: a data abort, or an instruction abort?"
        else:
            other = {"read": "write", "write": "read"}[right[1]]
            yield other, "wnr-is-read", "WnR means *write not read*: what is a 1?"
            yield "fetch", "", "Which class is that: a data abort, or an instruction abort?"

    compare(says, seed, 16, 1, rules, 'Return "read", "write" or "fetch".')


def check_kind(says, seed):
    """You know what stood in the way."""
    kinds = {1: "translation", 2: "access flag", 3: "permission"}

    def rules(esr, right):
        low = kinds.get(esr & 3, "translation")
        yield low, "level-and-kind-are-swapped", "The lowest bits are the level: the kind is in bits 5:2."

    compare(says, seed, 16, 2, rules, "The kind is four bits of FSC: which, and what are they here?")


def check_level(says, seed):
    """You know the level."""

    def rules(esr, right):
        yield (
            esr & 0x3F,
            "the-code-is-the-level",
            "That is the whole status code. The level is the two lowest bits of it.",
        )
        yield esr >> 2 & 0xF, "level-and-kind-are-swapped", "That is the kind. The level is below it."

    compare(says, seed, 16, 3, rules, "Which bits of FSC are the level?")


# %% tags=["hidden"]
def check_others(says, seed):
    """It is right for other aborts, too."""
    for esr, right in aborts(f"hidden {seed}", 20).items():
        got = says(esr)
        if tuple(got) != right:
            raise WrongAnswer(f"{esr:#010x}: `{got!r:.60}`.")
