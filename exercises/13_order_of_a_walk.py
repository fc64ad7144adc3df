# %% tags=["about"]
kind = "order"
chapter = "04_the_walk"
difficulty = 2
minutes = 8
points = {"runs": 1, "pages": 2, "faults": 1, "others": 1}

# %% [markdown]
# # Exercise 13: put a walk in order
#
# Somebody wrote a walk for a machine with pages of 16 KiB and 47 bits, and dropped it. These are the lines of
# `translate(ram, table, va)`, and some others which do not belong there. `low(level)` is the lowest bit of the index of a level.
# There are no blocks.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("13_order_of_a_walk", SEED))

# %% [markdown]
# **Your task.** Give the numbers of the lines in the right order, and leave out what does not belong there. How far a line is
# indented stays as it is. The check puts them together and lets them walk.


# %% tags=["stub"]
answer = []


# %% Which lines must stand inside the loop? [markdown] tags=["hint"]
# Those that are indented. A line that uses a name has to come after the line that gives it a value.

# %% Which of two lines that look alike? [markdown] tags=["hint"]
# An entry has 8 bytes, so entry 5 is 40 bytes into the table. And a word that was read has more in it than an address.

# %% tags=["call"]
from pgtlab.lab import check

check("13_order_of_a_walk", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# To discuss: which two lines could change places, and nothing would be seen in most walks? (Taking the
# address before testing bit 0: it only shows when the level of the fault is asked for.)


# %% tags=["solution"]
ORDER = (
    "for level in (1, 2, 3):",
    "    index = va >> low(level) & 0x7ff",
    "    entry = ram(table + 8 * index)",
    "    if not entry & 1:",
    '        return ("fault", level)',
    "    table = entry & 0x0000_ffff_ffff_c000",
    "return table + (va & 0x3fff)",
)
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% Adds the index itself tags=["wrong"] mark=1 feedback="entry number"
ORDER = (
    "for level in (1, 2, 3):",
    "    index = va >> low(level) & 0x7ff",
    "    entry = ram(table + index)",
    "    if not entry & 1:",
    '        return ("fault", level)',
    "    table = entry & 0x0000_ffff_ffff_c000",
    "return table + (va & 0x3fff)",
)
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% Takes the whole word for the address tags=["wrong"] mark=1 feedback="has more in it than an address"
ORDER = (
    "for level in (1, 2, 3):",
    "    index = va >> low(level) & 0x7ff",
    "    entry = ram(table + 8 * index)",
    "    if not entry & 1:",
    '        return ("fault", level)',
    "    table = entry",
    "return table + (va & 0x3fff)",
)
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% Uses the index before it is computed tags=["wrong"] mark=0 feedback="before the line that gives it a value"
ORDER = (
    "for level in (1, 2, 3):",
    "    entry = ram(table + 8 * index)",
    "    index = va >> low(level) & 0x7ff",
    "    if not entry & 1:",
    '        return ("fault", level)',
    "    table = entry & 0x0000_ffff_ffff_c000",
    "return table + (va & 0x3fff)",
)
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% Does not ask whether an entry is valid tags=["wrong"] mark=3 feedback="an entry that is not valid"
ORDER = (
    "for level in (1, 2, 3):",
    "    index = va >> low(level) & 0x7ff",
    "    entry = ram(table + 8 * index)",
    "    table = entry & 0x0000_ffff_ffff_c000",
    "return table + (va & 0x3fff)",
)
answer = [GIVEN["lines"].index(line) + 1 for line in ORDER]


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.arch.fault import Fault
from pgtlab.lab.expectations import WrongAnswer
from pgtlab.lab.machine import Machine

LINES = sorted(
    (
        '        return ("fault", level)',
        "    entry = ram(table + 8 * index)",
        "    entry = ram(table + index)",
        "    if not entry & 1:",
        "    index = va >> low(level) & 0x7ff",
        "    table = entry",
        "    table = entry & 0x0000_ffff_ffff_c000",
        "for level in (1, 2, 3):",
        "return table",
        "return table + (va & 0x3fff)",
    )
)


@dataclass(frozen=True)
class Lines:
    """The lines in the order in which a student sees them."""

    lines: list

    def __str__(self):
        return "\n".join(f"{number:2}  {line}" for number, line in enumerate(self.lines, 1))


def given(seed):
    """A student's lines."""
    lines = list(LINES)
    Random(f"lines {seed}").shuffle(lines)
    return Lines(lines)


def assembled(answer, seed):
    """The function that the lines make."""
    lines = given(seed).lines
    assert isinstance(answer, list | tuple), "`answer` is a list of numbers, such as `[3, 1, 7]`."
    for number in answer:
        known = type(number) is int and 1 <= number <= len(lines)
        assert known, f"`{number!r:.40}` is not the number of a line."
    assert len({*answer}) == len(answer), "A line can be used once."
    body = "\n".join(f"    {lines[number - 1]}" for number in answer)
    try:
        code = compile(f"def translate(ram, table, va):\n{body}\n", "<your lines>", "exec")
    except SyntaxError as error:
        raise WrongAnswer(
            f"Line {error.lineno - 1 if error.lineno else 1} of your order cannot stand there: look at how far it is "
            "indented. What is inside the loop, and what is inside the `if`?"
        ) from None
    names = {"low": lambda level: 14 + 11 * (3 - level)}
    exec(code, names)
    return names["translate"]


def walked(answer, process, va):
    """What the lines make of an address, and where they read."""
    reads = []

    def ram(pa):
        reads.append(pa)
        try:
            return process.machine.ram(pa)
        except ValueError:
            return 0

    try:
        return assembled(answer[0], answer[1])(ram, int(process.mmu.ttbr0), va), reads
    except NameError as error:
        name = str(error).split("'")[1]
        raise WrongAnswer(f"`{name}` is used before the line that gives it a value.") from None


def case(seed, break_it=False):
    """A process with a page, an address in it, and what the MMU says; one of its entries may be broken."""
    draw = Random(f"walk {seed}")
    process, va = Machine("16k", 47).process("a"), draw.randrange(1 << 46, 1 << 47) & ~7
    process.map(va >> 14 << 14, draw.randrange(0x8000_0000 >> 14, 0xF000_0000 >> 14) << 14, UXN=1)
    if break_it:
        step = draw.choice(process.walk(va).steps)
        process.mmu.memory.write64(step.address, 0)
    return process, va, process.walk(va)


def shown(got):
    """What the function returned; a number as an address."""
    return f"`{got:#x}`" if type(got) is int else f"`{got!r:.40}`"


def check_runs(answer, seed):
    """The lines make a function that reads entries."""
    process, va, _ = case(f"{seed} 0")
    _, reads = walked((answer, seed), process, va)
    assert reads, "Your function reads nothing: which line reads an entry?"


def check_pages(answer, seed):
    """Pages are found."""
    for number in range(6):
        process, va, walk = case(f"{seed} {number}")
        got, reads = walked((answer, seed), process, va)
        for step, pa in zip(walk.steps, reads, strict=False):
            if pa == step.address:
                continue
            if pa == step.table + step.index:
                raise WrongAnswer(
                    f"For {va:#x} your function reads at {pa:#x}. How many bytes from {step.table:#x} is entry number "
                    f"{step.index}?",
                    "an-index-is-an-offset",
                )
            raise WrongAnswer(
                f"For {va:#x} your function reads at {pa:#x}, and the MMU at {step.address:#x}. A word that was read has "
                "more in it than an address.",
                "pointer-is-the-word",
            )
        assert got == walk.outcome.pa, (
            f"For {va:#x} your function returns {shown(got)}, and the MMU finds {walk.outcome.pa:#x}: which byte of the page?"
        )


def check_faults(answer, seed):
    """Faults have the right level."""
    for number in range(6):
        process, va, walk = case(f"{seed} {number}", break_it=True)
        assert isinstance(walk.outcome, Fault)
        got, _ = walked((answer, seed), process, va)
        assert got == ("fault", walk.outcome.level), (
            f"For {va:#x} there is an entry that is not valid, at level {walk.outcome.level}, and your function returns "
            f"{shown(got)}."
        )


# %% tags=["hidden"]
def check_others(answer, seed):
    """It is right for other addresses, too."""
    for number in range(20):
        process, va, walk = case(f"hidden {seed} {number}", break_it=bool(number % 2))
        fault = isinstance(walk.outcome, Fault)
        right = ("fault", walk.outcome.level) if fault else walk.outcome.pa
        assert walked((answer, seed), process, va)[0] == right, f"For {va:#x} the MMU says {right}."
