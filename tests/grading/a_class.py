"""A small exercise, and notebooks with answers to it."""

import json
from pathlib import Path

EXERCISE = '''# %% tags=["about"]
kind = "fix"
chapter = "09_who_owns_a_table"
difficulty = 1
minutes = 5
points = {"real": 2, "folded": 2, "hidden": 1}

# %% [markdown]
# # Exercise 1: free a table

# %% tags=["seed"]
SEED = "practice"

# %% tags=["stub"]
def pud_free(k, mm, pud):
    raise NotImplementedError

# %% A hint [markdown] tags=["hint"]
# Who made it a table?

# %% tags=["call"]
from pgtlab.lab import check

check("01_free", pud_free, seed=SEED)

# %% tags=["solution"]
def pud_free(k, mm, pud):
    if k.pgtable_l4_enabled():
        page = k.virt_to_page(pud)
        k.pagetable_pud_dtor(page)
        k.pagetable_free(page)

# %% tags=["check"]
from pgtlab import CPU, Config, boot
from pgtlab.lab.expectations import WrongAnswer
from pgtlab.lab.given_kernel import GivenKernel
from pgtlab.lab.trees import Tree

NAMES = ("pgtable_l4_enabled", "virt_to_page", "pagetable_pud_dtor", "pagetable_free", "free_page")


def run(pud_free, page_size, va_bits):
    kernel = Tree.named("fixed").start_kernel(boot(Config(page_size, va_bits), CPU.named("max")))
    kernel.livepatch(pud_free=lambda k, mm, pud: pud_free(GivenKernel(k, *NAMES), mm, pud))
    return kernel.run()


def check_real(pud_free, seed):
    """PUD real: nothing is reported."""
    found = run(pud_free, "4k", 48)
    if found.outcome != "clean":
        raise WrongAnswer("The page is still a table: who undoes that?", "freed-as-a-plain-page")
    assert not found.lost, "A page is lost: your function left it alone."


def check_folded(pud_free, seed):
    """PUD folded: it is left alone."""
    assert run(pud_free, "4k", 39).outcome == "clean", "There is no PUD table here: whose page is it?"


# %% tags=["hidden"]
def check_hidden(pud_free, seed):
    """Also with pages of 16K."""
    assert run(pud_free, "16k", 48).outcome == "clean", "And with 16K?"
'''
RIGHT = EXERCISE.split('tags=["solution"]\n')[1].split("# %%")[0].strip()
STUB = "def pud_free(k, mm, pud):\n    raise NotImplementedError"
HALF = RIGHT.replace("if k.pgtable_l4_enabled():", "if True:")
WRONG = "def pud_free(k, mm, pud):\n    k.free_page(pud)"


def exercises(folder: Path, text: str = EXERCISE) -> Path:
    """The instructor's folder."""
    folder.mkdir(exist_ok=True)
    (folder / "01_free.py").write_text(text)
    return folder


def notebook(*answers: str, seed: str = "s", tag: str = "stub", version: str = "0.1.0") -> bytes:
    """A student's notebook, with the answer in one cell or several."""

    def cell(source: str, *tags: str) -> dict:
        return {
            "cell_type": "code",
            "source": source.splitlines(keepends=True),
            "metadata": {"tags": [*tags]},
            "outputs": [],
            "execution_count": None,
        }

    cells = [cell(f'SEED = "{seed}"', "seed"), *(cell(answer, tag) for answer in answers)]
    cells.append(cell('from pgtlab.lab import check\n\ncheck("01_free", pud_free, seed=SEED)', "call"))
    metadata = {"pgtlab": {"exercise": "01_free", "seed": seed, "version": version}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}).encode()


def submit(folder: Path, student: str, data: bytes, name: str = "01_free.ipynb") -> Path:
    """Put a file into a student's folder."""
    path = folder / student / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
