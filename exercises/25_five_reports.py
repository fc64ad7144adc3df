# %% tags=["about"]
kind = "diagnose"
chapter = "09_who_owns_a_table"
difficulty = 2
minutes = 10
points = {"causes": 3, "numbers": 2}

# %% [markdown]
# # Exercise 25: five reports, five mistakes
#
# Five kernels reported a page. In each somebody made one of these mistakes when giving the page back:
#
# - `"no destructor"`: a table was freed as it was
# - `"still mapped"`: some entries of programs still mapped it
# - `"another type"`: it had a page type, but not that of a table
# - `"freed twice"`: it had been freed before
# - `"destructor too late"`: a table was freed, and its destructor called after that
#
# This is what they printed about the page itself:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("25_five_reports", SEED))

# %% [markdown]
# **Your task.** Name the mistake behind each report. For the one that was still mapped, say how many entries mapped it; and for the
# one with another type, give the bit of that type.


# %% tags=["stub"]
answer = {
    "report 1": None,
    "report 2": None,
    "report 3": None,
    "report 4": None,
    "report 5": None,
    "mapped by": None,
    "bit of the type": None,
}


# %% Which line says it? [markdown] tags=["hint"]
# The number after `mapcount:` first. Below -128 it is a type: which bit is cleared? Then the last line: what was the kernel
# about to do when it looked at the page?

# %% Two reports about one page [markdown] tags=["hint"]
# After the first report the allocator resets the four bytes. Who minds?

# %% tags=["call"]
from pgtlab.lab import check

check("25_five_reports", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# A page that was freed twice has the type *buddy* by then: it belongs to the allocator. That is why `mapcount:-128` in such a line
# is not the cause but the new owner.


# %% tags=["solution"]
answer = {}
for number, lines in enumerate(GIVEN["reports"], 1):
    text = "\n".join(lines)
    printed = int(text.split("mapcount:")[1].split()[0])
    if "page_ref_count(page) == 0" in text:
        cause = "freed twice"
    elif "!PageTable(page)" in text:
        cause = "destructor too late"
    elif printed > 0:
        cause = "still mapped"
        answer["mapped by"] = printed
    elif printed == -512:
        cause = "no destructor"
    else:
        cause = "another type"
        answer["bit of the type"] = ~(printed - 1)
    answer[f"report {number}"] = cause


# %% Takes every number below 0 for a table tags=["wrong"] mark=0 feedback="Which bit is cleared"
answer = {"mapped by": 1, "bit of the type": 0x200}
for number, lines in enumerate(GIVEN["reports"], 1):
    text = "\n".join(lines)
    printed = int(text.split("mapcount:")[1].split()[0])
    answer[f"report {number}"] = "still mapped" if printed > 0 else "no destructor"
    if "!PageTable(page)" in text:
        answer[f"report {number}"] = "destructor too late"
    elif "page_ref_count" in text:
        answer[f"report {number}"] = "freed twice"


# %% Does not see that it stopped for another reason tags=["wrong"] mark=0 feedback="what was the kernel about to do"
answer = {"mapped by": 1, "bit of the type": 0x200}
for number, lines in enumerate(GIVEN["reports"], 1):
    text = "\n".join(lines)
    printed = int(text.split("mapcount:")[1].split()[0])
    cause = "still mapped" if printed > 0 else "no destructor" if printed == -512 else "another type"
    answer[f"report {number}"] = "destructor too late" if "!PageTable(page)" in text else cause


# %% Takes the stored number for the printed one tags=["wrong"] mark=3 feedback="That is what is stored"
answer = {}
for number, lines in enumerate(GIVEN["reports"], 1):
    text = "\n".join(lines)
    printed = int(text.split("mapcount:")[1].split()[0])
    if "page_ref_count(page) == 0" in text:
        cause = "freed twice"
    elif "!PageTable(page)" in text:
        cause = "destructor too late"
    elif printed > 0:
        cause, answer["mapped by"] = "still mapped", printed - 1
    elif printed == -512:
        cause = "no destructor"
    else:
        cause, answer["bit of the type"] = "another type", -printed
    answer[f"report {number}"] = cause


# %% tags=["check"]
import re
from dataclasses import dataclass
from functools import cache
from random import Random

from pgtlab.lab.expectations import expect_entries
from pgtlab.lab.trees import Tree
from pgtlab.linux.kernel.printk import Panic

SHOWN = re.compile(r"(BUG: Bad page state|page: |page dumped because)")
OTHER_TYPES = {0x100: "offline", 0x400: "guard"}


@dataclass(frozen=True)
class Reports:
    """The lines of five reports."""

    reports: list

    def __str__(self):
        return "\n\n".join(
            "\n".join([f"report {number}", *(f"  {line}" for line in lines)])
            for number, lines in enumerate(self.reports, 1)
        )


@cache
def reported(cause, number):
    """What the kernel of the model prints about a page after a mistake."""
    k = Tree.named("arm64-for-next").start_kernel()
    for _ in range(number % 7):
        k.alloc_pages(0)
    page = k.alloc_pages(0)
    try:
        if cause in ("no destructor", "destructor too late"):
            k.pagetable_pud_ctor(page)
        elif cause == "still mapped":
            page._mapcount = number - 1
        elif cause == "another type":
            page.page_type &= ~number
        k.__free_pages(page, 0)
        if cause == "freed twice":
            k.__free_pages(page, 0)
        elif cause == "destructor too late":
            k.pagetable_pud_dtor(page)
    except Panic:
        pass
    lines = [line.partition("] ")[2] for line in k.log.lines]
    return [line for line in lines if SHOWN.match(line)]


def made(seed):
    """The causes in the order of a student's reports, how many map the page, and the bit of the other type."""
    draw = Random(f"reports {seed}")
    mapped, bit = draw.randrange(2, 9), draw.choice([*OTHER_TYPES])
    numbers = {
        "no destructor": draw.randrange(7),
        "still mapped": mapped,
        "another type": bit,
        "freed twice": draw.randrange(7),
        "destructor too late": draw.randrange(7),
    }
    causes = list(numbers)
    draw.shuffle(causes)
    return causes, numbers


def given(seed):
    """A student's reports."""
    causes, numbers = made(seed)
    return Reports([reported(cause, numbers[cause]) for cause in causes])


def entries(seed):
    """Each report with its cause and what wrong ideas say; then the two numbers."""
    causes, numbers = made(seed)
    says = "It is one of the five mistakes of the list."
    about = {
        "no destructor": "Its type is that of a table: who should have cleared it, and did anybody, later?",
        "still mapped": "The number after mapcount is above 0.",
        "another type": "It has a type. Which bit is cleared, and is that the bit of a table?",
        "freed twice": "Look at the last line: what was the kernel about to do, and how many references had the page?",
        "destructor too late": "There are two reports: what was the kernel about to do at the second?",
    }
    keys = {"another type": "ones-are-alike"}
    found = {}
    for number, cause in enumerate(causes, 1):
        rules = [(other, keys.get(cause, ""), about[cause]) for other in causes if other != cause]
        found[f"report {number}"] = (cause, rules, says)
    mapped, bit = numbers["still mapped"], numbers["another type"]
    found["mapped by"] = (
        mapped,
        [(mapped - 1, "printed-is-stored", "That is what is stored. How many entries is that?")],
        "How many entries map a page is what is printed.",
    )
    found["bit of the type"] = (
        bit,
        [
            (bit - 1, "", "What is stored is one less than what is printed: which bit of it is cleared?"),
            (
                -bit + 1 & 0xFFFF_FFFF,
                "",
                "That is what is printed, as 32 bits. What is stored, and which bit of it is cleared?",
            ),
            (~bit & 0xFFFF_FFFF, "type-bit-is-set", "That is the whole word. Which bit of it is cleared?"),
        ],
        "What is stored is one less than what is printed. In 32 bits: which bit is cleared?",
    )
    return found


def pick(seed, *names):
    """Some of the entries."""
    return {name: entry for name, entry in entries(seed).items() if name.startswith(names)}


def check_causes(answer, seed):
    """You know the mistakes."""
    expect_entries(answer, pick(seed, "report"))


# %% tags=["hidden"]
def check_numbers(answer, seed):
    """You know the numbers."""
    expect_entries(answer, pick(seed, "mapped", "bit"))
