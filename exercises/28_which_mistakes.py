# %% tags=["about"]
kind = "diagnose"
chapter = "11_who_did_it"
difficulty = 3
minutes = 12
points = {"certain": 2, "undecided": 2}

# %% [markdown]
# # Exercise 28: which mistakes has this kernel?
#
# Four kernels tested their page tables at boot. Each has the first mistake of the story (`pud_free()` frees without the
# destructor), the second (`__dump_folio()` takes the address of a copy), both, or none of them. For each you know what it was built
# for, what became of the PUD, and what it printed.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("28_which_mistakes", SEED))

# %% [markdown]
# **Your task.** Say for each kernel and each mistake what follows *from this run*: `"yes"`, `"no"`, or `"cannot tell"` if the run would
# have been the same with and without it.


# %% tags=["stub"]
answer = {
    "A first": None,
    "A second": None,
    "B first": None,
    "B second": None,
    "C first": None,
    "C second": None,
    "D first": None,
    "D second": None,
}


# %% When does the first mistake do anything? [markdown] tags=["hint"]
# When a PUD table is freed. Where the PUD is folded there is none.

# %% And the second? [markdown] tags=["hint"]
# When a report about a page is printed. Who prints one, if nothing is wrong with a page?

# %% tags=["call"]
from pgtlab.lab import check

check("28_which_mistakes", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# A clean run says nothing about code that did not run. That is why *no report* is not *no bug*, and why the second mistake could
# sleep until somebody freed a bad page.


# %% tags=["solution"]
answer = {}
for letter, pud, outcome in GIVEN["runs"]:
    first = "cannot tell" if pud != "real" else "no" if outcome == "clean" else "yes"
    second = {"panic": "yes", "report": "no", "clean": "cannot tell"}[outcome]
    answer |= {f"{letter} first": first, f"{letter} second": second}


# %% Takes a clean run for a clean kernel tags=["wrong"] mark=0 feedback="did that code run"
answer = {}
for letter, pud, outcome in GIVEN["runs"]:
    first = "no" if outcome == "clean" else "yes"
    second = {"panic": "yes", "report": "no", "clean": "no"}[outcome]
    answer |= {f"{letter} first": first, f"{letter} second": second}


# %% Takes a report for one mistake of two tags=["wrong"] mark=0 feedback="The report was printed to its end"
answer = {}
for letter, pud, outcome in GIVEN["runs"]:
    first = "cannot tell" if pud != "real" else "no" if outcome == "clean" else "yes"
    second = {"panic": "yes", "report": "cannot tell", "clean": "cannot tell"}[outcome]
    answer |= {f"{letter} first": first, f"{letter} second": second}


# %% Does not look whether there is a PUD table tags=["wrong"] mark=2 feedback="PUD is folded here"
answer = {}
for letter, pud, outcome in GIVEN["runs"]:
    first = "no" if outcome == "clean" else "yes"
    second = {"panic": "yes", "report": "no", "clean": "cannot tell"}[outcome]
    answer |= {f"{letter} first": first, f"{letter} second": second}


# %% tags=["check"]
from dataclasses import dataclass
from functools import cache
from random import Random

from pgtlab import CPU, Config, Fold, boot
from pgtlab.lab.expectations import expect_entries
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe

REAL = (("4k", 48), ("16k", 48), ("16k", 52))
FOLDED = (("4k", 39), ("16k", 47), ("64k", 48), ("64k", 52))


@dataclass(frozen=True)
class Runs:
    """Four runs: a letter, what became of the PUD, and the outcome; and the words for each."""

    runs: list
    words: list

    def __str__(self):
        return "\n\n".join(self.words)


@cache
def ran(tree, config):
    """What a tree does in a configuration, and what it prints about pages."""
    booted = boot(Config(*config), CPU.named("max"))
    run = Tree.named(tree).start_kernel(booted).run()
    lines = [line.partition("] ")[2] for line in run.dmesg]
    shown = [
        line for line in lines if line.startswith(("BUG:", "page:", "Unable", "Kernel panic", "flags:", "page dumped"))
    ]
    return booted, run.outcome, shown


def made(seed):
    """A student's kernels: a tree and a configuration for each letter."""
    draw = Random(f"runs {seed}")
    clean = draw.choice(("next+fix-pud-free", "fixed"))
    kernels = [
        ("next-20240229", draw.choice(REAL)),
        (draw.choice(("arm64-for-next", "next+fix-dump-page")), draw.choice(REAL)),
        (clean, draw.choice(REAL)),
        (draw.choice(("next-20240229", "arm64-for-next", "mm-unstable", "fixed")), draw.choice(FOLDED)),
    ]
    draw.shuffle(kernels)
    return dict(zip("ABCD", kernels, strict=True))


def given(seed):
    """What a student knows of the kernels."""
    runs, words = [], []
    for letter, kernel in made(seed).items():
        booted, outcome, lines = ran(*kernel)
        pud = booted.folded["pud"].value
        runs.append((letter, pud, outcome))
        words.append(
            "\n".join([f"{letter}: {describe(booted)}, PUD {pud}: {outcome}", *(f"  {line}" for line in lines)])
        )
    return Runs(runs, words)


def entries(seed, undecided):
    """What follows for each kernel and mistake: those that can be told, or those that cannot."""
    found = {}
    for letter, (_, config) in made(seed).items():
        booted = boot(Config(*config), CPU.named("max"))
        outcome = ran(made(seed)[letter][0], config)[1]
        for mistake in ("first", "second"):
            # What the run would be with and without it: compare trees that differ in one commit only.
            said = {
                tree: ran(tree, config)[1]
                for tree in ("next-20240229", "next+fix-pud-free", "next+fix-dump-page", "fixed")
            }
            has = {"first": ("next-20240229", "next+fix-dump-page"), "second": ("next-20240229", "next+fix-pud-free")}[
                mistake
            ]
            possible = {"yes" if tree in has else "no" for tree, got in said.items() if got == outcome}
            right = possible.pop() if len(possible) == 1 else "cannot tell"
            if (right == "cannot tell") is undecided:
                found[f"{letter} {mistake}"] = (
                    right,
                    rules(right, mistake, booted, outcome),
                    'Say "yes", "no" or "cannot tell".',
                )
    return found


def rules(right, mistake, booted, outcome):
    """What wrong ideas say."""
    folded = booted.folded["pud"] is not Fold.REAL
    if right == "cannot tell":
        if mistake == "first" and folded:
            text = "The PUD is folded here: is there a PUD table to free?"
            return [("no", "clean-branch-is-innocent", text), ("yes", "", text)]
        text = "Nothing was printed about a page. So did that code run at all?"
        return [("no", "no-report-is-fixed", text), ("yes", "", text)]
    if outcome == "report":
        text = "The report was printed to its end: can it have the second mistake? And what is reported?"
    elif outcome == "panic":
        text = "It panicked while it printed a report: what was reported, and what must be wrong with the printing?"
    else:
        text = "PUD tables were freed in this run, and nothing was reported. Would the mistake have been seen?"
    return [(other, "", text) for other in ("yes", "no", "cannot tell") if other != right]


def check_certain(answer, seed):
    """You know what follows from these runs."""
    expect_entries(answer, {**entries(seed, undecided=False), **second_of_clean(seed)})


def second_of_clean(seed):
    """What a clean run says of the second mistake: nothing."""
    return {name: entry for name, entry in entries(seed, undecided=True).items() if name.endswith("second")}


# %% tags=["hidden"]
def check_undecided(answer, seed):
    """You know what does not follow."""
    expect_entries(answer, entries(seed, undecided=True))
