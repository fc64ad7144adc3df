# %% tags=["about"]
kind = "predict"
chapter = "09_who_owns_a_table"
difficulty = 2
minutes = 8
points = {"outcomes": 3, "printed": 1, "counter": 1}

# %% [markdown]
# # Exercise 24: five lives of a page
#
# Each line below is the life of one page, in a kernel of its own that checks what it gets. `alloc` takes a page from the
# allocator, `ctor` and `dtor` are the constructor and the destructor of a table, `map` maps the page into a program once more, and
# `unmap` undoes it. `free` drops the only reference.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("24_life_of_a_page", SEED))

# %% [markdown]
# **Your task.** Predict for each life what the kernel says: `"nothing"`, `"bad page"` if it reports one and goes on, or `"stops"`.
# Then: which number does the report of a bad page print after `mapcount:`, in the first life that ends so (from A on)? And what is
# NR_PAGETABLE at the end of that life?


# %% tags=["stub"]
answer = {
    "A": None,
    "B": None,
    "C": None,
    "D": None,
    "E": None,
    "mapcount": None,
    "NR_PAGETABLE": None,
}


# %% What does the allocator compare? [markdown] tags=["hint"]
# `_mapcount` must be -1 when a page comes back. Follow these four bytes through each life.

# %% What makes a kernel stop? [markdown] tags=["hint"]
# A page that is freed and has no reference any more; and a destructor that finds a page which is not a table.

# %% tags=["call"]
from pgtlab.lab import check

check("24_life_of_a_page", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# A table that is freed as it is goes to the list of the lost, and is counted for ever; a page that is freed twice is the worst of
# them, because by then it may belong to somebody else.


# %% tags=["solution"]
answer, first = {}, True
for letter, calls in GIVEN["lives"]:
    stored, references, counter, said = -1, 1, 0, "nothing"
    for call in calls[1:]:
        if call == "ctor":
            stored, counter = stored - 0x200, counter + 1
        elif call == "dtor":
            if stored != -513:
                said = "stops"
                break
            stored, counter = -1, counter - 1
        elif call == "map":
            stored += 1
        elif call == "unmap":
            stored -= 1
        elif references == 0:
            said = "stops"
            break
        else:
            references = 0
            if stored != -1:
                said, reported, stored = "bad page", stored + 1, -1
    answer[letter] = said
    if said == "bad page" and first:
        first = False
        answer |= {"mapcount": reported, "NR_PAGETABLE": counter}


# %% Lets the allocator take back whatever it gets tags=["wrong"] mark=0 feedback="compares the count"
answer = dict.fromkeys("ABCDE", "nothing") | {"mapcount": 0, "NR_PAGETABLE": 0}


# %% Lets every report stop the kernel tags=["wrong"] mark=0 feedback="goes on"
answer, first = {"mapcount": 0, "NR_PAGETABLE": 0}, True
for letter, calls in GIVEN["lives"]:
    good = "free" not in calls[:-1] and (
        calls.count("ctor") == calls.count("dtor") and calls.count("map") == calls.count("unmap")
    )
    answer[letter] = "nothing" if good else "stops"


# %% Gives what is stored tags=["wrong"] mark=3 feedback="That is what is stored"
answer, first = {}, True
for letter, calls in GIVEN["lives"]:
    stored, counter, freed, said = -1, 0, False, "nothing"
    for call in calls[1:]:
        if (call == "dtor" and stored != -513) or (call == "free" and freed):
            said = "stops"
            break
        stored += {"ctor": -512, "dtor": 512, "map": 1, "unmap": -1}.get(call, 0)
        counter += {"ctor": 1, "dtor": -1}.get(call, 0)
        if call == "free":
            freed = True
            if stored != -1:
                said, reported, stored = "bad page", stored, -1
    answer[letter] = said
    if said == "bad page" and first:
        first = False
        answer |= {"mapcount": reported, "NR_PAGETABLE": counter}


# %% Takes freeing to change every counter tags=["wrong"] mark=4 feedback="Who adds to NR_PAGETABLE"
answer, first = {}, True
for letter, calls in GIVEN["lives"]:
    stored, counter, freed, said = -1, 0, False, "nothing"
    for call in calls[1:]:
        if (call == "dtor" and stored != -513) or (call == "free" and freed):
            said = "stops"
            break
        stored += {"ctor": -512, "dtor": 512, "map": 1, "unmap": -1}.get(call, 0)
        counter += {"ctor": 1, "dtor": -1}.get(call, 0)
        if call == "free":
            freed = True
            if stored != -1:
                said, reported, stored = "bad page", stored + 1, -1
    answer[letter] = said
    if said == "bad page" and first:
        first = False
        answer |= {"mapcount": reported, "NR_PAGETABLE": counter - 1}


# %% tags=["check"]
from dataclasses import dataclass
from functools import cache
from random import Random

from pgtlab.lab.expectations import expect_entries
from pgtlab.lab.trees import Tree
from pgtlab.linux.kernel.printk import Panic

GOOD = ("alloc ctor dtor free", "alloc map unmap free", "alloc ctor dtor map unmap free", "alloc free")
STOPPED = ("alloc dtor free", "alloc free free", "alloc map unmap free free")
TWICE = "alloc ctor free dtor"


@dataclass(frozen=True)
class Lives:
    """Five lives of a page: a letter, and the calls."""

    lives: list

    def __str__(self):
        return "\n".join(f"{letter}: {', '.join(calls)}" for letter, calls in self.lives)


def given(seed):
    """A student's lives: one good one, two bad pages, and two that end a kernel."""
    draw = Random(f"lives {seed}")
    mapped = ["alloc", *["map"] * draw.randrange(2, 5), "unmap", "free"]
    lives = [draw.choice(GOOD).split(), ["alloc", "ctor", "free"], mapped, draw.choice(STOPPED).split(), TWICE.split()]
    draw.shuffle(lives)
    return Lives(list(zip("ABCDE", lives, strict=True)))


@cache
def lived(calls):
    """What the model's kernel says of a life: the outcome, the printed map count, and NR_PAGETABLE."""
    k = Tree.named("arm64-for-next").start_kernel()
    page = k.alloc_pages(0)
    do = {
        "ctor": lambda: k.pagetable_pud_ctor(page),
        "dtor": lambda: k.pagetable_pud_dtor(page),
        "map": lambda: setattr(page, "_mapcount", page._mapcount + 1),
        "unmap": lambda: setattr(page, "_mapcount", page._mapcount - 1),
        "free": lambda: k.__free_pages(page, 0),
    }
    outcome = "nothing"
    try:
        for call in calls.split()[1:]:
            do[call]()
        if k.reports:
            outcome = "bad page"
    except Panic:
        outcome = "stops"
    lines = [line for line in k.log.lines if "mapcount:" in line]
    printed = int(lines[0].split("mapcount:")[1].split()[0]) if lines else None
    return outcome, printed, k.vmstat["nr_page_table_pages"]


def entries(seed):
    """Each life with what is right, and what wrong ideas say; then the two numbers."""
    found, reported = {}, None
    for letter, calls in given(seed).lives:
        outcome, printed, counter = lived(" ".join(calls))
        free = "The allocator compares the counts of what it gets: what is in the four bytes of _mapcount then?"
        last = {
            "alloc dtor free": "The destructor looks at the page before anything else does: is it a table?",
            TWICE: "A bad page alone would be reported. What does the call after that find?",
        }.get(" ".join(calls), "The first `free` has dropped the last reference. What is left for the second to drop?")
        rules = {
            "nothing": [
                ("bad page", "", "Is anything left in those four bytes when the page comes back?"),
                ("stops", "", "Every call here undoes another one: what should stop the kernel?"),
            ],
            "bad page": [
                ("nothing", "no-check-on-free", free),
                ("stops", "report-is-panic", "After the report of a bad page a kernel goes on. One page is lost."),
            ],
            "stops": [
                (
                    "nothing",
                    "no-check-on-free",
                    "The kernel compares the counts and the type at each call: what are they at the last?",
                ),
                ("bad page", "", last),
            ],
        }[outcome]
        found[letter] = (outcome, rules, 'It is one of "nothing", "bad page" and "stops".')
        if outcome == "bad page" and reported is None:
            reported = printed, counter
    printed, counter = reported
    found["mapcount"] = (
        printed,
        [
            (printed - 1, "printed-is-stored", "That is what is stored. Which number is printed for it?"),
            (printed - 2, "added-instead", "The printed number is one more than what is stored, not one less."),
            (-printed, "sign-lost", "Mind the sign."),
        ],
        "What is in the four bytes, and what is printed for it?",
    )
    found["NR_PAGETABLE"] = (
        counter,
        [
            (
                counter - 1,
                "freed-is-uncounted",
                "Who adds to NR_PAGETABLE, and who subtracts? Freeing is not among them.",
            ),
            (counter + 1, "", "Who adds to NR_PAGETABLE, and who subtracts?"),
        ],
        "A constructor adds one, a destructor subtracts one. Which of them ran?",
    )
    return found


def pick(seed, names):
    """Some of the entries."""
    return {name: entry for name, entry in entries(seed).items() if name in names}


def check_outcomes(answer, seed):
    """You know what the kernel says of each life."""
    expect_entries(answer, pick(seed, "ABCDE"))


def check_printed(answer, seed):
    """You know the number that is printed."""
    expect_entries(answer, pick(seed, ("mapcount",)))


# %% tags=["hidden"]
def check_counter(answer, seed):
    """You know the counter."""
    expect_entries(answer, pick(seed, ("NR_PAGETABLE",)))
