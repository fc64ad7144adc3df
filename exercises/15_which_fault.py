# %% tags=["about"]
kind = "predict"
chapter = "05_a_fault"
difficulty = 2
minutes = 10
points = {"three": 2, "fourth": 1, "fifth": 1}

# %% [markdown]
# # Exercise 15: which fault, at which level?
#
# A program has the tables below. It makes five accesses, all from EL0.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("15_which_fault", SEED))

# %% [markdown]
# **Your task.** Predict for each access what the MMU says: `"ok"`, or the kind of fault and the level of the entry, such as
# `"translation 2"`, `"permission 3"` or `"access flag 3"`. Of what stands behind a page, `nG` and `SH` play no part.


# %% tags=["stub"]
answer = {
    "access 1": None,
    "access 2": None,
    "access 3": None,
    "access 4": None,
    "access 5": None,
}


# %% Where does the walk end? [markdown] tags=["hint"]
# Follow the indices: the first number in brackets is the index of an entry, and what is not listed is 0. The walk ends at the
# leaf, or at the first entry that is not valid: that entry's level is the level of the fault.

# %% And at the leaf? [markdown] tags=["hint"]
# Look at what it says: AF, AP (bit 0 of AP lets programs in, bit 1 forbids writing), UXN. What is not printed is 0.

# %% tags=["call"]
from pgtlab.lab import check

check("15_which_fault", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# To discuss: which of these faults can the kernel repair so that the program does not notice, and which ones end it?


# %% tags=["solution"]
answer = {}
for number, (what, va) in enumerate(GIVEN["accesses"], 1):
    table, said = GIVEN["first"], ""
    for level in range(4):
        entry = GIVEN["words"].get(table + 8 * (va >> 39 - 9 * level & 0x1FF), 0)
        if not entry & 1:
            said = f"translation {level}"
            break
        table = entry & 0xFFFF_FFFF_F000
    if not said:
        forbidden = (
            (what == "writes" and entry >> 7 & 1) or (what == "executes" and entry >> 54 & 1) or not entry >> 6 & 1
        )
        said = "access flag 3" if not entry >> 10 & 1 else "permission 3" if forbidden else "ok"
    answer[f"access {number}"] = said


# %% Takes every refusal to be a missing entry tags=["wrong"] mark=0 feedback="there is a valid entry"
answer = {}
for number, (what, va) in enumerate(GIVEN["accesses"], 1):
    table, said = GIVEN["first"], ""
    for level in range(4):
        entry = GIVEN["words"].get(table + 8 * (va >> 39 - 9 * level & 0x1FF), 0)
        if not entry & 1:
            said = f"translation {level}"
            break
        table = entry & 0xFFFF_FFFF_F000
    if not said:
        bad = (what == "writes" and entry >> 7 & 1) or (what == "executes" and entry >> 54 & 1) or not entry >> 10 & 1
        said = "translation 3" if bad else "ok"
    answer[f"access {number}"] = said


# %% Counts the entries that were read tags=["wrong"] mark=0 feedback="how many entries were read"
answer = {}
for number, (what, va) in enumerate(GIVEN["accesses"], 1):
    table, said = GIVEN["first"], ""
    for level in range(4):
        entry = GIVEN["words"].get(table + 8 * (va >> 39 - 9 * level & 0x1FF), 0)
        if not entry & 1:
            said = f"translation {level + 1}"
            break
        table = entry & 0xFFFF_FFFF_F000
    if not said:
        forbidden = (what == "writes" and entry >> 7 & 1) or (what == "executes" and entry >> 54 & 1)
        said = "access flag 4" if not entry >> 10 & 1 else "permission 4" if forbidden else "ok"
    answer[f"access {number}"] = said


# %% Takes an access flag for a permission tags=["wrong"] mark=2 feedback="Which other bit stops"
answer = {}
for number, (what, va) in enumerate(GIVEN["accesses"], 1):
    table, said = GIVEN["first"], ""
    for level in range(4):
        entry = GIVEN["words"].get(table + 8 * (va >> 39 - 9 * level & 0x1FF), 0)
        if not entry & 1:
            said = f"translation {level}"
            break
        table = entry & 0xFFFF_FFFF_F000
    if not said:
        bad = (what == "writes" and entry >> 7 & 1) or (what == "executes" and entry >> 54 & 1) or not entry >> 10 & 1
        said = "permission 3" if bad else "ok"
    answer[f"access {number}"] = said

# %% Takes AF for a note tags=["wrong"] mark=2 feedback="the MMU acts on it"
answer = {}
for number, (what, va) in enumerate(GIVEN["accesses"], 1):
    table, said = GIVEN["first"], ""
    for level in range(4):
        entry = GIVEN["words"].get(table + 8 * (va >> 39 - 9 * level & 0x1FF), 0)
        if not entry & 1:
            said = f"translation {level}"
            break
        table = entry & 0xFFFF_FFFF_F000
    if not said:
        forbidden = (what == "writes" and entry >> 7 & 1) or (what == "executes" and entry >> 54 & 1)
        said = "permission 3" if forbidden else "ok"
    answer[f"access {number}"] = said


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.arch.fault import Access, Fault
from pgtlab.lab.expectations import expect_entries
from pgtlab.lab.machine import Machine

ACCESS = {"reads": Access.READ, "writes": Access.WRITE, "executes": Access.FETCH}


@dataclass(frozen=True)
class Program:
    """The tables of a program, as text and as words, and its accesses."""

    tables: str
    accesses: list
    first: int
    words: dict

    def __str__(self):
        lines = [f"access {n}: it {what} at {va:#x}" for n, (what, va) in enumerate(self.accesses, 1)]
        return "\n".join([self.tables, "", *lines])


def made(seed):
    """A program's process, and its accesses."""
    draw = Random(f"faults {seed}")
    process = Machine("4k", 48).process("a")
    base = draw.randrange(1 << 34) << 12 & ~(7 << 12) & ~(1 << 38 | 1 << 30 | 1 << 21)
    kinds = [{"UXN": 1}, {"AP": 3, "UXN": 1}, {"AF": 0, "UXN": 1}]
    draw.shuffle(kinds)
    for number, fields in enumerate(kinds):
        process.map(base + (number << 12), 0x8000_0000 + (draw.randrange(1 << 18) << 12), PXN=1, **fields)
    place = {
        fields.get("AP", 1) - 1 + 4 * (fields.get("AF", 1) == 0): base + (n << 12) for n, fields in enumerate(kinds)
    }
    at = 8 * draw.randrange(1, 512)
    above = draw.choice((21, 30, 39))
    first = [("writes", place[2] + at), ("reads", base + (5 << 12) + at), ("reads", (base ^ 1 << above) + at)]
    others = [("reads", place[4] + at), draw.choice((("executes", place[0] + at), ("reads", place[2] + at)))]
    draw.shuffle(first)
    return process, first + others


def given(seed):
    """A student's program."""
    process, accesses = made(seed)
    words = {step.address: step.descriptor.value for page in process.pages for step in process.walk(page).steps}
    return Program(f"{process}", accesses, int(process.mmu.ttbr0), words)


def entries(seed):
    """Each access with what is right, what wrong rules give, and what to say otherwise."""
    process, accesses = made(seed)
    found = {}
    for number, (what, va) in enumerate(accesses, 1):
        walk = process.walk(va, ACCESS[what])
        rules = []
        if isinstance(walk.outcome, Fault):
            right, level = f"{walk.outcome.kind} {walk.outcome.level}", walk.outcome.level
            kind = str(walk.outcome.kind)
            reads = (
                "That is how many entries were read. The level is that of the entry that stopped the walk, from 0 here."
            )
            rules.append((f"{kind} {level + 1}", "the-fault-level-counts-reads", reads))
            if kind != "translation":
                rules.append(
                    (
                        "translation 3",
                        "permission-is-missing-entry",
                        "A translation fault means that an entry is not valid. Here there is a valid entry: what does it say?",
                    )
                )
                note = "Look at what the leaf says about AP and AF, and what is not printed."
                if what == "executes":
                    note = "The program fetches an instruction here. What does the leaf say about that?"
                if kind == "access flag":
                    note = "AF is 0 in this leaf, and the MMU acts on it: which kind of fault is that?"
                    rules.append(("permission 3", "", "AP lets a program read here. Which other bit stops the access?"))
                else:
                    rules.append(
                        ("access flag 3", "", "AF is printed for this leaf, so it is 1. What else does the leaf say?")
                    )
                rules.append(("ok", "af-is-only-a-note" if kind == "access flag" else "", note))
            else:
                rules.append(("ok", "", "Which entry is not valid on the way there?"))
                if level == 3:
                    rules.append(("permission 3", "", "Is there an entry for this page at all?"))
        else:
            right = "ok"
            rules.append(("permission 3", "ap-bits-permit", "What does this leaf forbid? Compare with the access."))
        found[f"access {number}"] = (
            right,
            rules,
            "Follow the indices: which entry ends the walk, and what does it say?",
        )
    return found


def check_three(answer, seed):
    """The first three are right."""
    expect_entries(answer, dict([*entries(seed).items()][:3]))


def check_fourth(answer, seed):
    """The fourth is right."""
    expect_entries(answer, dict([*entries(seed).items()][3:4]))


# %% tags=["hidden"]
def check_fifth(answer, seed):
    """The fifth is right."""
    expect_entries(answer, dict([*entries(seed).items()][4:]))
