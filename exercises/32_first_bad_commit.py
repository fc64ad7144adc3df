# %% tags=["about"]
kind = "diagnose"
chapter = "11_who_did_it"
difficulty = 2
minutes = 10
points = {"suspects": 2, "next": 1, "tests": 1, "meaning": 1}

# %% [markdown]
# # Exercise 32: in the middle of a bisection
#
# Somebody looked for the commit that made a kernel panic, and was called away. The history is a single row of commits, numbered from the
# oldest on: each has the one before it as its parent. These are the notes:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("32_first_bad_commit", SEED))

# %% [markdown]
# `good` is a kernel that did not panic, `bad` is one that did. Once the mistake is in, it stays in.
#
# **Your task.** Fill in:
#
# - `"first suspect"` and `"last suspect"`: the numbers of the oldest and of the newest commit that can still be the first bad one
# - `"next test"`: the number of the commit to test now, which halves what is left as well as can be (of two, the older)
# - `"tests left"`: how many more tests it takes at most, with the one that you name
# - `"means"`: what is known of the first bad commit when it is found: `"cause"` if it must have the mistake, `"change"` if the answer to
#   the question changes there


# %% tags=["stub"]
answer = {
    "first suspect": None,
    "last suspect": None,
    "next test": None,
    "tests left": None,
    "means": None,
}


# %% Which commits can it still be? [markdown] tags=["hint"]
# A good kernel has all commits up to its own number, and none of them is the first bad one. A bad kernel has the first bad commit in it.

# %% What does one test tell? [markdown] tags=["hint"]
# If there are n suspects, and you test the k-th of them: bad leaves the first k, good leaves the others.

# %% tags=["call"]
from pgtlab.lab import check

check("32_first_bad_commit", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# The newest commit that was tested good is not a suspect, the oldest that was tested bad is. In the story the first bad commit for
# *panic* was the one that merely woke the mistake of another.


# %% tags=["solution"]
good = max(number for number, result in GIVEN["notes"] if result == "good")
bad = min(number for number, result in GIVEN["notes"] if result == "bad")
suspects = bad - good
answer = {
    "first suspect": good + 1,
    "last suspect": bad,
    "next test": good + suspects // 2,
    "tests left": (suspects - 1).bit_length(),
    "means": "change",
}


# %% Takes the last good commit for a suspect tags=["wrong"] mark=0 feedback="was tested good"
good = max(number for number, result in GIVEN["notes"] if result == "good")
bad = min(number for number, result in GIVEN["notes"] if result == "bad")
answer = {
    "first suspect": good,
    "last suspect": bad,
    "next test": (good + bad) // 2,
    "tests left": 1,
    "means": "change",
}


# %% Suspects the commit before the bad one tags=["wrong"] mark=0 feedback="has the first bad commit in it"
good = max(number for number, result in GIVEN["notes"] if result == "good")
bad = min(number for number, result in GIVEN["notes"] if result == "bad")
answer = {"first suspect": good + 1, "last suspect": bad - 1, "next test": 1, "tests left": 1, "means": "change"}


# %% Tests all that are left tags=["wrong"] mark=3 feedback="halves what is left"
good = max(number for number, result in GIVEN["notes"] if result == "good")
bad = min(number for number, result in GIVEN["notes"] if result == "bad")
answer = {
    "first suspect": good + 1,
    "last suspect": bad,
    "next test": good + (bad - good) // 2,
    "tests left": bad - good - 1,
    "means": "change",
}


# %% Takes the first bad commit for the cause tags=["wrong"] mark=4 feedback="had slept"
good = max(number for number, result in GIVEN["notes"] if result == "good")
bad = min(number for number, result in GIVEN["notes"] if result == "bad")
answer = {
    "first suspect": good + 1,
    "last suspect": bad,
    "next test": good + (bad - good) // 2,
    "tests left": (bad - good - 1).bit_length(),
    "means": "cause",
}


# %% tags=["check"]
from dataclasses import dataclass

from pgtlab.lab.expectations import drawn, expect_entries


@dataclass(frozen=True)
class Notes:
    """What was tested, and with which result."""

    commits: int
    notes: list

    def __str__(self):
        lines = [f"commit {number:4}: {result}" for number, result in self.notes]
        return "\n".join([f"{self.commits} commits", *lines])


def make(draw):
    """A bisection that was left after some tests, its notes in no order."""
    commits = draw.randrange(300, 900)
    first_bad = draw.randrange(2, commits)
    good, bad, notes = 1, commits, [(1, "good"), (commits, "bad")]
    while bad - good > 60 or len(notes) < 5:
        number = draw.randrange(good + 1, bad)
        notes.append((number, "bad" if number >= first_bad else "good"))
        good, bad = (good, number) if number >= first_bad else (number, bad)
        if bad - good < 12:
            return make(draw)
    if good == 1 or bad == commits:
        return make(draw)
    draw.shuffle(notes)
    return Notes(commits, notes)


def halving(suspects):
    """How many tests it takes at most, by trying: each leaves the larger half."""
    tests = 0
    while suspects > 1:
        suspects -= suspects // 2
        tests += 1
    return tests


def found(case):
    """Everything that is asked for, with what wrong ideas give."""
    # What the notes allow: every commit that could be the first bad one, if they are all true.
    suspects = [
        first
        for first in range(1, case.commits + 1)
        if all((number >= first) == (result == "bad") for number, result in case.notes)
    ]
    first, bad, count = suspects[0], suspects[-1], len(suspects)
    good = first - 1

    def left(test):
        """How many are left after a test, in the worse case."""
        older = sum(suspect <= test for suspect in suspects)
        return max(older, count - older)

    middle = min(suspects[:-1], key=lambda test: (left(test), test))
    tests = halving(count)
    newest_bad = max(number for number, result in case.notes if result == "bad")
    return {
        "first suspect": (
            first,
            [
                (good, "the-last-good-is-bad", "That one was tested good: can it be bad?"),
                (1, "", "What does a good test rule out?"),
            ],
            "The newest good commit rules out itself and all that are older. Which is the next?",
        ),
        "last suspect": (
            bad,
            [
                (bad - 1, "", "A kernel that is bad has the first bad commit in it: which commits has it?"),
                (newest_bad, "the-newest-is-bad", "There is an older commit that is bad already."),
            ],
            "The oldest bad commit: can it be the first?",
        ),
        "next test": (
            middle,
            [
                (
                    middle + 1,
                    "",
                    "Of two that halve it equally well, name the older. How many suspects are left if it is bad?",
                ),
                (middle - 1, "", "How many suspects are left if it is bad, and how many if it is good?"),
                (count // 2, "", "That is how many suspects lie below. Which number has the commit?"),
            ],
            "How many suspects are left if it is bad, and how many if it is good?",
        ),
        "tests left": (
            tests,
            [
                (count - 1, "bisection-tries-all", "That is a test for each suspect. Each test halves what is left."),
                (count, "bisection-tries-all", "That is a test for each suspect. Each test halves what is left."),
                (1, "bisection-halves-once", "After this test about half of them are left. And then?"),
                (tests + 1, "", "One suspect that is left needs no test."),
                (tests - 1, "", "Count what is left after each test, in the worse case."),
            ],
            "Halve the number of suspects until one is left.",
        ),
        "means": (
            "change",
            [("cause", "first-bad-is-cause", "It may have woken a mistake that had slept in an older commit.")],
            'It is one of "cause" and "change".',
        ),
    }


def given(seed):
    """A student's notes, in which no two rules agree."""

    def values(case):
        entries = found(case)
        return [entries["tests left"][0], *(value for value, *_ in entries["tests left"][1])]

    return drawn(f"notes {seed}", make, values)


def pick(answer, seed, *names):
    """Compare these entries of the answer with what is right."""
    expect_entries(answer, {name: entry for name, entry in found(given(seed)).items() if name in names})


def check_suspects(answer, seed):
    """You know which commits it can still be."""
    pick(answer, seed, "first suspect", "last suspect")


def check_next(answer, seed):
    """You know which commit to test."""
    pick(answer, seed, "next test")


def check_tests(answer, seed):
    """You know how many tests are left."""
    pick(answer, seed, "tests left")


# %% tags=["hidden"]
def check_meaning(answer, seed):
    """You know what will be known then."""
    pick(answer, seed, "means")
