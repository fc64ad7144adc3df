"""A case of the project: a kernel with one bug of the catalogue, chosen by a seed, to be found from its symptoms.

A case shows what a bug does, and where, and not which it is. The functions that it may be in are named as suspects;
their sources are there to be read. A fix is judged by what the kernel does, as `check()` judges any kernel.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from pgtlab.lab.bugs import BUGS, Bug
from pgtlab.lab.case_source import disguised, to_copy
from pgtlab.lab.judge import check
from pgtlab.lab.progress import record
from pgtlab.lab.result import Result
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import describe, distinct_boots
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.kernel.symbols import functions_of

#: The bugs that a case may be. Each is in one function that a livepatch can replace, and shows itself in some kernels
#: and not in others; the course explains none of them.
CASES: Final = (
    "folded-is-none",
    "folded-is-bad",
    "folded-is-accounted",
    "copied-guard",
    "freed-but-linked",
    "small-pgd",
)
SUSPECTS: Final = 12
GATE: Final = "your_own_case"  # of its chapter: what a fix that passes every check is recorded as


class CaseError(ValueError):
    """A kernel of the case that does not exist, or a function that is not a suspect."""


@dataclass(frozen=True)
class Observed:
    """What happened when the kernel of a case did what triggers its bug."""

    boot: Boot
    run: Run
    seen: str

    def __str__(self) -> str:
        lines = [f"{describe(self.boot)}: {self.run.outcome}"]
        if self.seen:
            lines.append(f"What was seen: {self.seen}")
        return "\n".join([*lines, *self.run.dmesg])

    __repr__ = __str__


@dataclass(frozen=True)
class Case:
    """One student's case; made by `case`.

    Attributes
    ----------
    seed : int or str
        What it was chosen by.
    symptom : str
        What users of this kernel complain of.
    """

    seed: int | str
    _bug: Bug = field(repr=False)

    @property
    def symptom(self) -> str:
        """What users of this kernel complain of, in a sentence."""
        return self._bug.symptom

    def kernel(self, page_size: str | None = None, va_bits: int = 48, cpu: str = "max") -> Kernel:
        """Start the kernel of the case; without arguments, on a machine of those that complained.

        Raises
        ------
        CaseError
            If that kernel does not start on that CPU.
        """
        if page_size is None:
            return self._tree.start_kernel(next(self._bug.boots()))
        booted = boot(Config(page_size, va_bits), CPU.named(cpu))
        if isinstance(booted, NoBoot):
            raise CaseError(f"{booted}")
        return self._tree.start_kernel(self._bug.with_options(booted))

    def observe(self, kernel: Kernel | None = None) -> Observed:
        """Make a kernel that was just started do what triggers the bug, and tell what was seen.

        Livepatches that were applied before count, so that a fix can be tried.
        """
        kernel = kernel or self.kernel()
        run, seen = self._bug.run(kernel)
        return Observed(kernel.boot, run, seen)

    def where(self) -> str:
        """What is seen in every kernel that differs from the others, a line each."""
        lines = []
        for booted in distinct_boots():
            observed = self.observe(self._tree.start_kernel(self._bug.with_options(booted)))
            lines.append(f"{describe(booted):62} {observed.run.outcome}")
        return "\n".join(lines)

    @property
    def suspects(self) -> tuple[str, ...]:
        """The names of functions, in alphabetical order, one of which has the bug."""
        kernel = self.kernel()
        guilty = tuple(self._bug.commit.functions)
        modules = sorted({kernel_file(kernel, name) for name in guilty} | {"pgtlab.linux.kernel.pgtable"})
        others = sorted(
            name
            for module in modules
            for name in functions_of(sys.modules[module])
            if name in kernel.symbols and name not in guilty and not name.startswith("_")
        )
        drawn = Random(f"suspects of {self.seed}").sample(others, SUSPECTS - len(guilty))
        return tuple(sorted([*guilty, *drawn]))

    def source(self, name: str) -> str:
        """The source of a function as this kernel has it, to be copied; no docstring says what the function should do.

        Raises
        ------
        CaseError
            If the kernel has no such function.
        """
        symbols = self.kernel().symbols
        if name not in symbols:
            raise CaseError(f"this kernel has no function {name!r:.60}: the suspects are {', '.join(self.suspects)}")
        return to_copy(symbols[name])

    def check(self, **patch: Callable[..., Any]) -> Result:
        """Judge a fix: the functions that replace those of the kernel, by name."""
        kernel = self.kernel()
        kernel.livepatch(**patch)
        result = check(kernel, seed=self.seed)
        record(GATE, result.score)
        return result

    @property
    def _tree(self) -> Tree:
        *good, bad = self._bug.tree.commits
        there = Kernel(next(self._bug.boots())).symbols
        functions = {name: disguised(function, there[name]) for name, function in bad.functions.items()}
        return Tree("the kernel of your case", (*good, replace(bad, functions=functions)))


def case(seed: int | str) -> Case:
    """The case of a seed, such as a student's name; the same seed gives the same case everywhere.

    Examples
    --------
    >>> case("a student").symptom == case("a student").symptom
    True
    >>> len(case(1).suspects)
    12
    """
    digest = hashlib.sha256(f"case {seed}".encode()).digest()
    return Case(seed, BUGS[CASES[digest[0] % len(CASES)]])


def kernel_file(kernel: Kernel, name: str) -> str:
    """The module of the twin of the kernel's file that defines a function before any commit replaced it."""
    clean = Kernel(kernel.boot)
    return str(getattr(clean.symbols[name], "__module__", ""))
