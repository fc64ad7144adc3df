"""What a kernel of the bug lab does: a tree, or a bug of the catalogue, with the functions of a patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from pgtlab.lab.attempt import AnswerError, attempt
from pgtlab.lab.bugs import BUGS
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN, Tree
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.kernel.symbols import Symbol

#: The two fixes of the thread, as they can be put into a kernel that runs.
FIXES: Final = {commit.name: commit for commit in (CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN)}
SECONDS: Final = 2.0  # of computing for a run, which takes some 20 ms: a patch that takes as long does not end
_FIX_OF: Final = {function: name for name, commit in FIXES.items() for function in commit.functions.values()}


@dataclass(frozen=True)
class Involved:
    """A function that a commit changes, or that a call trace names: as the tree has it, and as it is now."""

    name: str
    before: Symbol
    now: Symbol


@dataclass(frozen=True, eq=False)  # there is one of each, and comparing whole logs takes long
class KernelRun:
    """How it went: the run, what was seen that the kernel did not see, and why the patch did not get to its end."""

    run: Run
    seen: str = ""
    stopped: str = ""
    involved: tuple[Involved, ...] = ()


NO_BOOT: Final = KernelRun(Run("no boot"))


def tree_of(name: str) -> Tree:
    """A tree, or that of a bug."""
    return BUGS[name].tree if name in BUGS else Tree.named(name)


def fix_of(function: Symbol) -> str | None:
    """The fix of the thread that a function is from."""
    return _FIX_OF.get(function)


class PatchRuns:
    """A tree, or a bug of the catalogue, and the functions of a patch by their names. Each kernel of it runs once.

    `patch_runs()` makes it.
    """

    def __init__(self, name: str, functions: Mapping[str, Symbol]) -> None:
        self.name = name
        self.functions = dict(functions)
        self._runs: dict[Boot, KernelRun] = {}

    def with_functions(self, functions: Mapping[str, Symbol]) -> PatchRuns:
        """The same tree with more functions in the patch."""
        return patch_runs(self.name, {**self.functions, **functions})

    def without(self, name: str) -> PatchRuns:
        """The same tree without one of the functions in the patch."""
        return patch_runs(self.name, {other: symbol for other, symbol in self.functions.items() if other != name})

    def start_kernel(self, booted: Boot | NoBoot, patched: bool = True) -> Kernel:
        """A kernel, freshly booted, with the patch in; where `booted` does not boot, in a configuration that does."""
        at = booted if isinstance(booted, Boot) else distinct_boots()[0]
        kernel = tree_of(self.name).start_kernel(BUGS[self.name].with_options(at) if self.name in BUGS else at)
        if patched:
            kernel.livepatch(**{name: symbol for name, symbol in self.functions.items() if name in kernel.symbols})
        return kernel

    def run(self, booted: Boot | NoBoot) -> KernelRun:
        """Boot, and run the test, or the exercise of the bug."""
        if isinstance(booted, NoBoot):
            return NO_BOOT
        if booted not in self._runs:
            self._runs[booted] = self._run(booted)
        return self._runs[booted]

    def _run(self, booted: Boot) -> KernelRun:
        name, kernel = self.name, self.start_kernel(booted, patched=False)
        before = dict(kernel.symbols)
        kernel.livepatch(**{name: symbol for name, symbol in self.functions.items() if name in before})
        try:
            run, seen = attempt(
                lambda: BUGS[name].run(kernel) if name in BUGS else (kernel.run(), ""), self.functions, SECONDS
            )
            result = KernelRun(run, seen)
        except AnswerError as error:
            result = KernelRun(Run("stopped", tuple(kernel.reports), tuple(kernel.log.lines)), stopped=str(error))
        changed = [function for commit in tree_of(name).commits for function in commit.functions]
        traced = [function for report in reversed(result.run.reports) for function in report.trace]
        names = [each for each in dict.fromkeys((*self.functions, *changed, *traced)) if each in before]
        return replace(result, involved=tuple(Involved(each, before[each], kernel.symbols[each]) for each in names))


def patch_runs(name: str, functions: Mapping[str, Symbol]) -> PatchRuns:
    """A tree with a patch. One with only fixes of the thread is shared; a learner's own function is another each time
    that it is applied, because what it refers to may have changed.

    >>> fix = FIXES["fix-pud-free"].functions
    >>> patch_runs("next-20240229", fix) is patch_runs("next-20240229", fix)
    True
    >>> own = {"pud_free": lambda k, mm, pud: None}
    >>> patch_runs("next-20240229", own) is patch_runs("next-20240229", own)
    False
    """
    if all(map(fix_of, functions.values())):
        return _shared(name, tuple(functions.items()))
    return PatchRuns(name, functions)


@lru_cache(maxsize=16)
def _shared(name: str, functions: tuple[tuple[str, Symbol], ...]) -> PatchRuns:
    return PatchRuns(name, dict(functions))
