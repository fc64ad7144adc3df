# %% tags=["about"]
kind = "diagnose"
chapter = "05_a_fault"
difficulty = 2
minutes = 12
points = {"entry": 2, "what": 1, "repaired": 2}

# %% [markdown]
# # Exercise 16: one entry is broken
#
# A memory chip turned over a bit in one entry of a program's tables. Somebody copied all entries that are not 0 before the
# machine was switched off, and wrote down what the program complained of, and what the kernel had meant to map: every page may
# be read and written by the program, and executed by nobody.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("16_a_broken_entry", SEED))

# %% [markdown]
# **Your task.** Find the entry. Give its physical address, what is wrong with it, and the word that should be there. What is wrong
# is one of these:
#
# - `"valid"`: bit 0 is 0, and should be 1
# - `"kind"`: bit 1 is 0, and should be 1
# - `"AF"`: the access flag is 0, and should be 1
# - `"AP"`: the program is kept out, or may not write
# - `"address"`: it leads somewhere else


# %% tags=["stub"]
answer = {
    "entry": None,
    "what": None,
    "right word": None,
}


# %% Where do I begin? [markdown] tags=["hint"]
# With the address of the complaint: cut it into indices, and follow the entries from the first table. With 4K pages and 39 bits
# the lowest bits of the three indices are 30, 21 and 12.

# %% What would a good entry look like? [markdown] tags=["hint"]
# Like its neighbours. Compare it with entries of the same level, bit by bit: only the address may differ.

# %% tags=["call"]
from pgtlab.lab import check

check("16_a_broken_entry", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# The complaint has the address, and a fault has the level; together they name the entry. Where the program read something else
# there is no fault: then the list of what should be mapped says which word is wrong.


# %% tags=["solution"]
words, pages, va = GIVEN["words"], GIVEN["pages"], GIVEN["va"]
table, found = GIVEN["first"], None
for level, low in ((1, 30), (2, 21), (3, 12)):
    place = table + 8 * (va >> low & 0x1FF)
    entry = words.get(place, 0)
    wanted = (entry & 0xFFFF_FFFF_F000) | 3 if level < 3 else pages[va & ~0xFFF] | GIVEN["attributes"]
    if entry != wanted:
        changed = entry ^ wanted
        what = {1: "valid", 2: "kind", 1 << 10: "AF", 1 << 6: "AP", 1 << 7: "AP"}.get(changed, "address")
        answer = {"entry": place, "what": what, "right word": wanted}
    table = entry & 0xFFFF_FFFF_F000


# %% Looks at another page tags=["wrong"] mark=0 feedback="is not on the way"
words, pages, va = GIVEN["words"], GIVEN["pages"], GIVEN["va"]
other = next(page for page in pages if page != va & ~0xFFF)
table = GIVEN["first"]
for low in (30, 21, 12):
    place = table + 8 * (other >> low & 0x1FF)
    table = words.get(place, 0) & 0xFFFF_FFFF_F000
answer = {"entry": place, "what": "AF", "right word": words.get(place, 0)}


# %% Gives the index for the address tags=["wrong"] mark=0 feedback="That is an index"
answer = {"entry": GIVEN["va"] >> 12 & 0x1FF, "what": "valid", "right word": 0}


# %% Finds the entry, and takes the wrong bit tags=["wrong"] mark=2 feedback="Compare it with its neighbours"
words, pages, va = GIVEN["words"], GIVEN["pages"], GIVEN["va"]
table = GIVEN["first"]
for level, low in ((1, 30), (2, 21), (3, 12)):
    place = table + 8 * (va >> low & 0x1FF)
    entry = words.get(place, 0)
    wanted = (entry & 0xFFFF_FFFF_F000) | 3 if level < 3 else pages[va & ~0xFFF] | GIVEN["attributes"]
    if entry != wanted:
        changed = entry ^ wanted
        what = {1: "kind", 2: "AF", 1 << 10: "AP", 1 << 6: "address", 1 << 7: "address"}.get(changed, "kind")
        answer = {"entry": place, "what": what, "right word": wanted}
    table = entry & 0xFFFF_FFFF_F000


# %% Leaves the word as it is tags=["wrong"] mark=3 feedback="That is the word that is there"
words, pages, va = GIVEN["words"], GIVEN["pages"], GIVEN["va"]
table = GIVEN["first"]
for level, low in ((1, 30), (2, 21), (3, 12)):
    place = table + 8 * (va >> low & 0x1FF)
    entry = words.get(place, 0)
    wanted = (entry & 0xFFFF_FFFF_F000) | 3 if level < 3 else pages[va & ~0xFFF] | GIVEN["attributes"]
    if entry != wanted:
        what = {1: "valid", 2: "kind", 1 << 10: "AF", 1 << 6: "AP", 1 << 7: "AP"}.get(entry ^ wanted, "address")
        answer = {"entry": place, "what": what, "right word": entry}
    table = entry & 0xFFFF_FFFF_F000


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.arch.fault import Access, Fault
from pgtlab.lab.expectations import expect_entries
from pgtlab.lab.machine import Machine

DAMAGE = {"valid": 1, "kind": 2, "AF": 1 << 10, "AP": 1 << 7, "address": 1 << 15}


@dataclass(frozen=True)
class Case:
    """What is known of the broken tables."""

    complaint: str
    va: int
    first: int
    pages: dict
    words: dict
    attributes: int

    def __str__(self):
        meant = [f"  page {page:#x} to frame {frame:#x}" for page, frame in self.pages.items()]
        tables = [f"  {place:#x}: {word:#018x}" for place, word in self.words.items()]
        return "\n".join(
            [
                f"Pages of 4 KiB, 39 bits. {self.complaint}",
                f"The first table is at {self.first:#x}.",
                "What was meant:",
                *meant,
                "The entries, by physical address:",
                *tables,
            ]
        )


def made(seed):
    """The process, what is broken, where, and the word that was there."""
    draw = Random(f"broken {seed}")
    process = Machine("4k", 39).process("a")
    base = draw.randrange(1 << 24) << 15
    pages = [base, base + 0x1000, base ^ 1 << 21 + draw.randrange(5), base ^ 1 << 30 + draw.randrange(5)]
    frames = [(0x8_0000 + n) << 12 for n in draw.sample(range(0, 0x4_0000, 16), 4)]
    meant = dict(sorted(zip(pages, frames, strict=True)))
    for page, frame in meant.items():
        process.map(page, frame, UXN=1, PXN=1)
    what = draw.choice([*DAMAGE])
    page = draw.choice(pages)
    steps = process.walk(page).steps
    step = steps[-1] if what in ("AF", "AP", "address") else draw.choice(steps[1:]) if what == "valid" else steps[-1]
    right = process.machine.ram(step.address)
    process.mmu.memory.write64(step.address, right ^ DAMAGE[what])
    return process, meant, what, page + 8 * draw.randrange(1, 512), step.address, right


def given(seed):
    """A student's case."""
    process, meant, what, va, *_ = made(seed)
    access = Access.WRITE if what == "AP" else Access.READ
    walk = process.walk(va, access)
    if isinstance(walk.outcome, Fault):
        verb = {Access.READ: "reads", Access.WRITE: "writes"}[access]
        complaint = f"The program {verb} at {va:#x} and gets a {walk.outcome.kind} fault of level {walk.outcome.level}."
    else:
        complaint = f"The program reads at {va:#x}, and finds what it has never written there."
    words = tables(meant)
    places = {at: process.machine.ram(at) for at in words}
    attributes = next(word for word in words.values() if word >> 54 & 1) & ~0xFFFF_FFFF_F000
    return Case(complaint, va, int(process.mmu.ttbr0), meant, dict(sorted(places.items())), attributes)


def tables(meant):
    """The good entries of such a process, by physical address."""
    process = Machine("4k", 39).process("a")
    for page, frame in meant.items():
        process.map(page, frame, UXN=1, PXN=1)
    return {step.address: step.descriptor.value for page in meant for step in process.walk(page).steps}


def all_of(answer, seed, names):
    """Compare these entries of the answer with what is right."""
    process, meant, what, va, place, right = made(seed)
    index = [va >> low & 0x1FF for low in (30, 21, 12)]
    broken = process.machine.ram(place)
    on_the_way = [step.address for step in process.walk(va).steps]
    others = {step.address for page in meant for step in process.walk(page).steps} - {place, *on_the_way}
    entry = [(number, "an-index-is-an-offset", "That is an index. Where is that entry, in bytes?") for number in index]
    entry += [(other, "", f"That entry is not on the way to {va:#x}. Which are?") for other in others]
    entry += [
        (other, "", "That entry is on the way, and as it should be. Which one is not?")
        for other in {*on_the_way} - {place}
    ]
    word = [
        (broken, "", "That is the word that is there. Which bit was turned over?"),
        (right & 0xFFFF_FFFF_F000, "", "That is the address in it. Which attributes have its neighbours?"),
    ]
    wrong = [
        (kind, "", "Compare it with its neighbours, bit by bit: which one differs, and what does it say?")
        for kind in DAMAGE
        if kind != what
    ]
    entries = {
        "entry": (
            place,
            entry,
            f"Follow the entries for {va:#x}, from the first table on: which one is not as it should be?",
        ),
        "what": (what, wrong, 'It is one of "valid", "kind", "AF", "AP" and "address".'),
        "right word": (right, word, "Only one bit differs from the word that is there: which?"),
    }
    expect_entries(answer, {name: entries[name] for name in names})


def check_entry(answer, seed):
    """You found the entry."""
    all_of(answer, seed, ["entry"])


def check_what(answer, seed):
    """You know what is wrong with it."""
    all_of(answer, seed, ["what"])


# %% tags=["hidden"]
def check_repaired(answer, seed):
    """You know the word that should be there."""
    all_of(answer, seed, ["right word"])
