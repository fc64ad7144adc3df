# %% tags=["about"]
kind = "diagnose"
chapter = "10b_the_log"
difficulty = 3
minutes = 12
points = {"page": 1, "fault": 1, "vmemmap": 2, "section": 1, "type": 1}

# %% [markdown]
# # Exercise 27: the same crash, elsewhere
#
# The kernel of the story was booted again, and KASLR put things in other places. Some registers were lost on the way. Derive them,
# and what else is asked for, from what is left.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("27_another_crash", SEED))

# %% [markdown]
# **Your task.** Fill in, as numbers:
#
# - `"bad page"`: the physical address at which the frame of the bad page begins
# - `"level"`: the level of the fault
# - `"vmemmap"`: where the `struct page` of pfn 0 would be
# - `"x1"`: the pfn that the kernel made of the copy whose address is in x20
# - `"x4"`: the section of that pfn
# - `"x24"`: what `__dump_folio` held of the page, its page type

# %% tags=["stub"]
answer = {
    "bad page": None,
    "level": None,
    "vmemmap": None,
    "x1": None,
    "x4": None,
    "x24": None,
}


# %% vmemmap [markdown] tags=["hint"]
# VMEMMAP_START - (PHYS_OFFSET >> 12) x 64, and PHYS_OFFSET is a number with a sign.

# %% x1 and x4 [markdown] tags=["hint"]
# x1 is the distance of x20 from vmemmap, shifted by 6 with its sign. x4 is x1, shifted by 15 with zeros.

# %% x24 [markdown] tags=["hint"]
# The report prints one more than what is stored in these four bytes.

# %% tags=["call"]
from pgtlab.lab import check

check("27_another_crash", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# As section 10b does it for the real log. Everything comes from three lines: the page's, PHYS_OFFSET's, and the one with x20.


# %% tags=["solution"]
import re

text = "\n".join(GIVEN["lines"])
word = (1 << 64) - 1


def number(pattern, base=16):
    return int(re.search(pattern, text)[1], base)


phys_offset = number(r"PHYS_OFFSET: 0x(\w+)") - (1 << 64)
vmemmap = GIVEN["vmemmap_start"] - (phys_offset >> 12) * 64
x1 = (number(r"x20: (\w+)") - vmemmap >> 6) & word
answer = {
    "bad page": number(r"pfn:0x(\w+)") << 12,
    "level": number(r"ESR = 0x(\w+)") & 3,
    "vmemmap": vmemmap,
    "x1": x1,
    "x4": x1 >> 15,
    "x24": number(r"mapcount:(-\d+)", 10) - 1 & 0xFFFF_FFFF,
}


# %% Takes PHYS_OFFSET without its sign tags=["wrong"] mark=2 feedback="below zero"
import re

text = "\n".join(GIVEN["lines"])
word = (1 << 64) - 1


def number(pattern, base=16):
    return int(re.search(pattern, text)[1], base)


vmemmap = GIVEN["vmemmap_start"] - (number(r"PHYS_OFFSET: 0x(\w+)") >> 12) * 64 & word
x1 = number(r"x20: (\w+)") - vmemmap >> 6 & word
answer = {"bad page": number(r"pfn:0x(\w+)") << 12, "level": 0, "vmemmap": vmemmap, "x1": x1, "x4": x1 >> 15, "x24": 0}


# %% Gives the pfn for the address tags=["wrong"] mark=0 feedback="the number of the frame"
import re

pfn = int(re.search(r"pfn:0x(\w+)", "\n".join(GIVEN["lines"]))[1], 16)
answer = {"bad page": pfn, "level": 0, "vmemmap": 0, "x1": 0, "x4": 0, "x24": 0}


# %% Takes the kind of the fault for its level tags=["wrong"] mark=1 feedback="the two lowest bits"
import re

pfn = int(re.search(r"pfn:0x(\w+)", "\n".join(GIVEN["lines"]))[1], 16)
answer = {"bad page": pfn << 12, "level": 4, "vmemmap": 0, "x1": 0, "x4": 0, "x24": 0}


# %% Gives what is printed for what is stored tags=["wrong"] mark=5 feedback="That is what is printed"
import re

text = "\n".join(GIVEN["lines"])
word = (1 << 64) - 1


def number(pattern, base=16):
    return int(re.search(pattern, text)[1], base)


phys_offset = number(r"PHYS_OFFSET: 0x(\w+)") - (1 << 64)
vmemmap = GIVEN["vmemmap_start"] - (phys_offset >> 12) * 64
x1 = (number(r"x20: (\w+)") - vmemmap >> 6) & word
answer = {
    "bad page": number(r"pfn:0x(\w+)") << 12,
    "level": 0,
    "vmemmap": vmemmap,
    "x1": x1,
    "x4": x1 >> 15,
    "x24": number(r"mapcount:(-\d+)", 10) & 0xFFFF_FFFF,
}


# %% tags=["check"]
import re
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from pgtlab.arch.word import MASK64
from pgtlab.lab.crash import crash
from pgtlab.lab.crash_questions import frame_question, section_question, vmemmap_question
from pgtlab.lab.expectations import expect_entries

LOST = re.compile(r"\b(x1|x4|x5|x22|x24)( ?): [0-9a-f]{16}")


@dataclass(frozen=True)
class Log:
    """What is left of a log."""

    lines: list
    vmemmap_start: int

    def __str__(self):
        facts = f"pages of 4 KiB, 48 bits, VMEMMAP_START = {self.vmemmap_start:#x}"
        return "\n".join([*self.lines, "", facts])


@lru_cache(maxsize=4)
def boot(seed):
    """A student's boot: one in which no two rules give the same number."""
    for number in range(20):
        made = crash(Random(f"crash {seed} {number}"))
        asked = vmemmap_question(made), frame_question(made), section_question(made)
        if not any(question.clash() for question in asked):
            return made, asked
    raise ValueError("two rules agree in whatever is drawn")


def given(seed):
    """What is left of a student's log."""
    made, _ = boot(seed)
    lines = [LOST.sub(rf"\1\2: {'?' * 16}", line.partition("] ")[2]) for line in made.run.dmesg]
    lines = [line for line in lines if not line.startswith(("  EC =", "  FSC ="))]
    start = next(number for number, line in enumerate(lines) if line.startswith("BUG:"))
    return Log(lines[start:], made.kernel.VMEMMAP_START)


def entries(seed):
    """Everything that is asked for, with what is right and what wrong rules give."""
    made, asked = boot(seed)
    pfn = made["x22"]
    stored = made["x24"]

    def of(question):
        return [(wrong.value, wrong.key, wrong.feedback) for wrong in question.wrong]

    vmemmap, frame, section = asked
    return {
        "bad page": (
            pfn << 12,
            [
                (pfn, "", "That is the number of the frame. At which physical address does it begin?"),
                (pfn * 64 + made.kernel.vmemmap & MASK64, "", "There is its struct page. Where is the frame itself?"),
            ],
            "Which line names the frame, and how large is a frame?",
        ),
        "level": (
            0,
            [(4, "status-is-level", "That is the status code. The level is in the two lowest bits of it.")],
            "Which bits of ESR are the level?",
        ),
        "vmemmap": (
            vmemmap.answer.right,
            of(vmemmap),
            "Compute it in steps: PHYS_OFFSET with its sign, in pages, times 64.",
        ),
        "x1": (frame.answer.right, of(frame), "x20 - vmemmap, shifted by 6 with its sign: as 64 bits?"),
        "x4": (section.answer.right, of(section), "x1 shifted by 15, with zeros from the left?"),
        "x24": (
            stored,
            [
                (stored + 1, "printed-is-stored", "That is what is printed. What is stored for it?"),
                (stored - (1 << 32), "number-for-bits", "As a number that is right. In the register are its 32 bits."),
                (stored | MASK64 ^ 0xFFFF_FFFF, "wrong-width", "The page type has 32 bits."),
            ],
            "What does the report print after mapcount, and what is stored for it in 32 bits?",
        ),
    }


def pick(answer, seed, *names):
    """Compare these entries of the answer with what is right."""
    expect_entries(answer, {name: entry for name, entry in entries(seed).items() if name in names})


def check_page(answer, seed):
    """You know which frame is the bad page's."""
    pick(answer, seed, "bad page")


def check_fault(answer, seed):
    """You know the level of the fault."""
    pick(answer, seed, "level")


def check_vmemmap(answer, seed):
    """You know where vmemmap is, and what was made of the copy's address."""
    pick(answer, seed, "vmemmap", "x1")


def check_section(answer, seed):
    """You know the section."""
    pick(answer, seed, "x4")


# %% tags=["hidden"]
def check_type(answer, seed):
    """You know the page type."""
    pick(answer, seed, "x24")
