"""The runs of the bug lab: kernels of a tree, or of a bug of the catalogue, with a patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock, Thread
from typing import Final

from pgtlab.lab.attempt import AnswerError, attempt
from pgtlab.lab.bugs import BUGS
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN, Tree
from pgtlab.lab.variants import distinct_boots
from pgtlab.lab.worker.contained import answers_of
from pgtlab.lab.worker.process import Limits
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.kernel.symbols import Symbol

#: The two fixes of the thread, which can be applied to a running kernel.
FIXES: Final = {commit.name: commit for commit in (CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN)}
SECONDS: Final = 2.0  # of CPU time for a run, which takes some 20 ms: a patch that takes longer is taken to be endless
WAITING: Final = 8.0  # seconds more, for a patch that sleeps, or a machine that is busy
_FIX_OF: Final = {function: name for name, commit in FIXES.items() for function in commit.functions.values()}


@dataclass(frozen=True)
class Involved:
    """A function that a commit changes, or that is in a call trace: in the tree, and with the patch."""

    name: str
    before: Symbol
    now: Symbol


@dataclass(frozen=True, eq=False)  # comparing whole logs would take long
class KernelRun:
    """The run, the effect of a bug that the kernel did not notice, why a patch stopped, and the functions involved."""

    run: Run
    seen: str = ""
    stopped: str = ""
    involved: tuple[Involved, ...] = ()


NO_BOOT: Final = KernelRun(Run("no boot"))
RUNNING: Final = KernelRun(Run("running"))


def tree_of(name: str) -> Tree:
    """The tree of that name, or of the bug of that name."""
    return BUGS[name].tree if name in BUGS else Tree.named(name)


def fix_of(function: Symbol) -> str | None:
    """The name of the fix that a function is from; None if it is not from one."""
    return _FIX_OF.get(function)


def limits() -> Limits:
    """What a patch may use for one run."""
    return Limits(SECONDS, SECONDS + WAITING, memory=1 << 30)


class PatchRuns:
    """The runs of a tree, or of a bug of the catalogue, with a patch: each kernel runs once. Made by `patch_runs()`.

    Attributes
    ----------
    name : str
        The tree or the bug.
    functions : dict
        The functions of the patch, by their names.
    """

    def __init__(self, name: str, functions: Mapping[str, Symbol]) -> None:
        self.name = name
        self.functions = dict(functions)
        self._runs: dict[Boot, KernelRun] = {}
        self._threads: dict[Boot, Thread] = {}
        self._one_at_a_time = Lock()  # a learner's functions have one process

    def with_functions(self, functions: Mapping[str, Symbol]) -> PatchRuns:
        """The same tree with more functions in the patch."""
        return patch_runs(self.name, {**self.functions, **functions})

    def without(self, name: str) -> PatchRuns:
        """The same tree without one of the functions in the patch."""
        return patch_runs(self.name, {other: symbol for other, symbol in self.functions.items() if other != name})

    def start_kernel(self, booted: Boot | NoBoot, patched: bool = True) -> Kernel:
        """Boot a kernel and apply the patch; instead of a `NoBoot`, in a configuration that boots."""
        at = booted if isinstance(booted, Boot) else distinct_boots()[0]
        kernel = tree_of(self.name).start_kernel(BUGS[self.name].with_options(at) if self.name in BUGS else at)
        if patched:
            kernel.livepatch(**{name: symbol for name, symbol in self.functions.items() if name in kernel.symbols})
        return kernel

    def run(self, booted: Boot | NoBoot) -> KernelRun:
        """Boot, and run debug_vm_pgtable, or the exercise of the bug."""
        if isinstance(booted, NoBoot):
            return NO_BOOT
        with self._one_at_a_time:
            if booted not in self._runs:
                self._runs[booted] = self._run(booted)
        return self._runs[booted]

    def run_within(self, booted: Boot | NoBoot, seconds: float | None) -> bool:
        """Run as `run` does, but wait for it no longer than some seconds; return whether it is done.

        It goes on in a thread, and `stop` ends it.
        """
        answers = answers_of(self.functions)
        if seconds is None or not answers or isinstance(booted, NoBoot) or booted in self._runs:
            self.run(booted)
            return True
        if booted not in self._threads:
            self._threads[booted] = Thread(target=self.run, args=(booted,), daemon=True)
            self._threads[booted].start()
        self._threads[booted].join(seconds)
        return not self._threads[booted].is_alive()

    def is_running(self, booted: Boot | NoBoot) -> bool:
        """Whether a run goes on in a thread."""
        return isinstance(booted, Boot) and booted in self._threads and self._threads[booted].is_alive()

    def stop(self) -> None:
        """End the runs that go on, and the process of the learner's functions; it starts again when it is needed."""
        for answers in answers_of(self.functions):
            answers.stop()

    def _run(self, booted: Boot) -> KernelRun:
        name, kernel = self.name, self.start_kernel(booted, patched=False)
        before = dict(kernel.symbols)
        kernel.livepatch(**{name: symbol for name, symbol in self.functions.items() if name in before})
        for answers in answers_of(self.functions):
            answers.count_from_here()
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
    """The runs of a tree with a patch, which are kept where it has only fixes of the thread.

    A learner's function runs again each time that it is applied, because what it refers to may have changed.

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
