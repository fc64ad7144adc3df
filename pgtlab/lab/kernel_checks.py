"""Checks of a patched kernel: what it does in every configuration, whatever the text of the patch."""

from __future__ import annotations

import inspect
import itertools
import linecache
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from pgtlab.lab.attempt import AnswerError, attempt, findings_of
from pgtlab.lab.bugs import BUGS, Bug
from pgtlab.lab.bugs.bug import FIXED
from pgtlab.lab.bugs.unharmed import unharmed
from pgtlab.lab.result import Finding, Result
from pgtlab.lab.trees import FOLD_PUDS_AT_RUNTIME, Commit, Tree
from pgtlab.lab.variants import alike, describe, distinct_boots
from pgtlab.lab.worker.contained import answers_of, contained, is_of_a_learner
from pgtlab.lab.worker.exposed import touched
from pgtlab.limits import shortened
from pgtlab.linux.boot import Boot, Fold
from pgtlab.linux.kernel import Kernel, debug, debug_vm_pgtable, fault, page_alloc, pgtable_nopmd, printk
from pgtlab.linux.kernel.page_flags import PG_table
from pgtlab.linux.kernel.report import Report, Run
from pgtlab.linux.kernel.stack import Frame
from pgtlab.linux.kernel.symbols import Symbol, functions_of

_TESTS: Final = frozenset(name for module in (debug_vm_pgtable, fault, printk) for name in functions_of(module)) | {
    "check_mm",
    "mm_pgtables_bytes",
}
_ALLOCATOR: Final = functions_of(page_alloc).keys() | functions_of(debug).keys()
_FREED_TWICE: Final = "page_ref_count(page) == 0"  # put_page_testzero() got a page with no references
#: The exercises that show the bugs of the catalogue: paths of mm that `debug_vm_pgtable` does not take.
_EXERCISES: Final = tuple(bug.observe for bug in {bug.exercise: bug for bug in BUGS.values()}.values())


@dataclass(frozen=True)
class KernelTrial:
    """The patched kernel in one configuration: the run of `debug_vm_pgtable`, and what an exercise found after it."""

    boot: Boot
    run: Run
    beyond: str | None

    def __str__(self) -> str:
        parts = [describe(self.boot)]
        for fold in (Fold.COMPILE_TIME, Fold.RUN_TIME):
            if levels := [level for level, how in self.boot.folded.items() if how is fold]:
                parts.append(f"{' and '.join(levels)} {fold.value}")
        return ", ".join(parts)

    @property
    def badness(self) -> int:
        """0 if nothing is wrong, 1 if something is reported or lost, 2 if the kernel panics."""
        return 2 if self.run.outcome == "panic" else int(bool(self.run.reports or self.run.lost))


Exercise = Callable[[Kernel], str | None]


def _within_the_test(kernel: Kernel) -> str | None:
    """What is harmed where the call trace looks like that of debug_vm_pgtable."""
    kernel.stack.frames.append(Frame("debug_vm_pgtable"))
    return unharmed(kernel)


@dataclass(frozen=True)
class PatchedTree:
    """A tree with a patch, which can be booted in any configuration."""

    tree: Tree
    patch: Mapping[str, Symbol]

    @classmethod
    def of(cls, kernel: Kernel) -> PatchedTree:
        """The tree that a kernel was started from, and its livepatches.

        >>> from pgtlab import CPU, Config, boot
        >>> kernel = BUGS["small-pgd"].tree.start_kernel(boot(Config("4k", 39), CPU.named("max")))
        >>> PatchedTree.of(kernel).bug.name
        'small-pgd'
        """
        if isinstance(kernel.tree, Tree):
            return cls(kernel.tree, kernel.patched)
        return cls(Tree("", (Commit("", kernel.replaced),)), kernel.patched)

    @cached_property
    def bug(self) -> Bug | None:
        """The bug of the catalogue that the tree shows; None for a tree of the story or of a learner."""
        names = [commit.name for commit in self.tree.commits]
        return next((bug for bug in BUGS.values() if [commit.name for commit in bug.tree.commits] == names), None)

    @property
    def before(self) -> Tree:
        """The tree to compare with, without the bug to be fixed: the catalogue's, or the one that the story tells of.

        Another bug may stay: `debug_vm_pgtable` does not find that of dump_page().
        """
        others = tuple(commit for commit in self.tree.commits if commit is not FOLD_PUDS_AT_RUNTIME)
        return FIXED if self.bug else Tree(self.tree.name, others)

    def start_kernel(self, boot: Boot, seed: int | str) -> Kernel:
        """Boot the tree, and replace those functions of the patch that exist in this configuration.

        Where the PMD is folded, a PMD function with a bug does not: the one of that name is in another header.
        """
        kernel = self.tree.start_kernel(boot, seed)
        folded = set() if boot.folded["pmd"] is Fold.REAL else functions_of(pgtable_nopmd).keys()
        elsewhere = folded & self.bug.commit.functions.keys() if self.bug else set()
        there = kernel.symbols.keys() - elsewhere
        kernel.livepatch(**{name: function for name, function in self.patch.items() if name in there})
        return kernel

    def too_late(self) -> str:
        """Why no livepatch can fix this tree, in a sentence; empty if one can."""
        if self.bug is None:
            return ""
        boot = next(self.bug.boots())
        good, repaired = FIXED.start_kernel(boot).symbols, self.tree.start_kernel(boot)
        repaired.livepatch(**{name: good[name] for name in self.bug.commit.functions})
        if self.bug.observe(repaired) is None:
            return ""
        functions = " and ".join(f"`{name}()`" for name in self.bug.commit.functions)
        return f"{functions} runs at boot, before any livepatch: only another tree can fix {self.bug.name}."

    def run(self, boot: Boot, seed: int | str = 0) -> KernelTrial:
        """Boot, run debug_vm_pgtable, and if that is clean, run the exercises of the catalogue.

        For the tree of a bug, the bug's own exercise comes first, with its options, where the bug shows.
        """
        run = self.start_kernel(boot, seed).run()
        beyond = self._beyond(boot, seed) if run.outcome == "clean" else ()
        return KernelTrial(boot, run, next(filter(None, beyond), None))

    def _beyond(self, boot: Boot, seed: int | str) -> Iterator[str | None]:
        """What each exercise finds, or None; the exercise of the bug first."""
        if self.bug and self.bug.shows(boot):
            yield self._of_bug(self.bug, self.bug.with_options(boot), seed)
        for exercise in _EXERCISES:
            yield self._new(exercise, boot, seed)
        yield self._new(_within_the_test, alike(boot, seed), seed)

    def _of_bug(self, bug: Bug, boot: Boot, seed: int | str) -> str | None:
        """What the bug does; or a line about a page that the good tree logs and this one does not.

        Removing the report is not a fix.
        """
        good, patched = self.before.start_kernel(boot, seed), self.start_kernel(boot, seed)
        bug.observe(good)
        if seen := bug.observe(patched):
            return seen
        lines = _page_lines(patched)
        return next((f"the log no longer has `{line}`" for line in _page_lines(good) if line not in lines), None)

    def _new(self, exercise: Exercise, boot: Boot, seed: int | str) -> str | None:
        """What an exercise finds with the patch, unless it is so without: a fix need not repair anything else."""
        seen = exercise(self.start_kernel(boot, seed))
        return seen if seen and seen != exercise(self.before.start_kernel(boot, seed)) else None


Trials = tuple[KernelTrial, ...]


def judge_kernel(kernel: Kernel, seed: int | str = 0) -> Result:
    """Judge a kernel by what its tree and its livepatches do in every configuration.

    A patch that raises an exception or does not end is not judged, nor is a tree that no livepatch can fix;
    `Result.reason` says why.
    """
    steps = judging(kernel, seed)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def judging(kernel: Kernel, seed: int | str = 0) -> Generator[int, None, Result]:
    """Judge a kernel as `judge_kernel` does, one configuration of `distinct_boots()` at a time.

    It yields how many have been tried, and returns the result.
    """
    patched = PatchedTree.of(kernel)
    name = ", ".join(f"{name}()" for name in patched.patch) or "the kernel"
    reason = patched.too_late()
    trials: list[KernelTrial] = []
    learners = {name: symbol for name, symbol in patched.patch.items() if is_of_a_learner(symbol)}
    used = touched(patched.tree.start_kernel(kernel.boot), {*learners}) if learners else frozenset()
    with contained(learners, used=used) as outside:
        patched = replace(patched, patch={**patched.patch, **outside})
        for boot in () if reason else distinct_boots():
            for answers in answers_of(patched.patch):
                answers.count_from_here()
            try:
                trials.append(attempt(partial(patched.run, boot, seed), patched.patch))
            except AnswerError as error:
                reason = str(error)
                break
            yield len(trials)
    if reason:
        unjudged = (Finding(check, inspect.getdoc(of) or check, "not judged") for check, of in CHECKS.items())
        return Result(name, seed, tuple(unjudged), reason)
    return Result(name, seed, findings_of(CHECKS, patched.patch, (patched, tuple(trials))))


def _page_lines(kernel: Kernel) -> list[str]:
    """The lines of the log about pages, without the times."""
    return [text for _, _, text in (line.partition("] ") for line in kernel.log.lines) if "pfn:" in text]


# The checks: each docstring says what is true of a good kernel, each message what was observed, with one hint.


def check_tests(patched: PatchedTree, trials: Trials) -> None:
    """The tests and the functions that report are not replaced."""
    replaced = sorted(_TESTS & patched.patch.keys())
    assert not replaced, (
        f"`{replaced[0]}()` is replaced, but it is the function that finds the bug, not the one that causes it. Which "
        "function does the call trace name below it?"
    )


def check_freed_once(patched: PatchedTree, trials: Trials) -> None:
    """No page is freed twice."""
    for trial in trials:
        for report in trial.run.reports:
            assert _FREED_TWICE not in report.text, (
                f"{trial}: `__free_pages()` gets pfn {report.pfn:#x}, which has no references left, from "
                f"{_callers(report)}. What freed it before?"
            )


def check_survives(patched: PatchedTree, trials: Trials) -> None:
    """No kernel panics."""
    for trial in trials:
        assert trial.run.outcome != "panic", f"{trial}: the kernel panics. {_last_words(trial.run)}"


def check_no_report(patched: PatchedTree, trials: Trials) -> None:
    """No kernel reports anything."""
    for trial in trials:
        for report in trial.run.reports:
            raise AssertionError(f"{trial}: {_described(report)}")


def check_nothing_lost(patched: PatchedTree, trials: Trials) -> None:
    """Every frame that was allocated is freed."""
    for trial in _finished(trials):
        for owner in trial.run.lost:
            bad = any(report.pfn == owner.pfn for report in trial.run.reports)
            hint = "a bad page is never used again" if bad else "which function should free it, and does it run?"
            raise AssertionError(f"{trial}: a frame is lost, {owner}: {hint}")


def check_counters(patched: PatchedTree, trials: Trials) -> None:
    """The counters end at zero: NR_PAGETABLE, and pgtables_bytes of each address space."""
    for trial in _finished(trials):
        left = trial.run.nr_page_table_pages
        ran, missing = ("constructor", "destructor") if left > 0 else ("destructor", "constructor")
        assert left == 0, f"{trial}: NR_PAGETABLE ends at {left}. A {ran} ran for a table without its {missing}: which?"
        for report in trial.run.reports:
            assert report.kind != "Bad mm", f"{trial}: {_described(report)}"


def check_folded(patched: PatchedTree, trials: Trials) -> None:
    """Where the PUD is folded, at compile time or at run time, nothing is worse than where it is real."""
    real = max(trial.badness for trial in trials if trial.boot.folded["pud"] is Fold.REAL)
    for trial in trials:
        if trial.boot.folded["pud"] is not Fold.REAL and trial.badness > real:
            wrong = f"the kernel reports `{trial.run.reports[-1].text}`" if trial.run.reports else "a frame is lost"
            hint = "" if patched.bug else ": does your function check that the level exists?"
            raise AssertionError(
                f"{trial}: {wrong}, which does not happen where PUDs are real. There is no PUD table here, and what "
                f"looks like its entry belongs to the level above{hint or '.'}"
            )


def check_beyond(patched: PatchedTree, trials: Trials) -> None:
    """Processes start, share memory, fork and exit as before, and Linux and the MMU find the same pages."""
    hint = "This did not happen before the patch: what else relies on the function that you replaced?"
    if patched.bug:
        named = f", {patched.bug.name}," if patched.tree == patched.bug.tree else ""  # a case does not name its bug
        hint = f"Is everything that the bad commit{named} changed back as it was?"
    for trial in trials:
        if patched.bug and patched.bug.shows(trial.boot):
            assert trial.run.outcome == "clean", f"{trial}: this can be checked once debug_vm_pgtable finds nothing."
        assert trial.beyond is None, f"{trial}: debug_vm_pgtable finds nothing, but: {trial.beyond}. {hint}"


CHECKS: Final = {
    function.__name__.removeprefix("check_"): function
    for function in (
        check_tests,
        check_freed_once,
        check_survives,
        check_no_report,
        check_nothing_lost,
        check_counters,
        check_folded,
        check_beyond,
    )
}


def _finished(trials: Trials) -> Iterator[KernelTrial]:
    """The trials, if no kernel panics: counters mean something only at the end of a run."""
    for trial in trials:
        assert trial.run.outcome != "panic", f"{trial}: this can be checked once the kernel does not panic."
        yield trial


def _last_words(run: Run) -> str:
    """What a kernel that panicked reported last; of one that reported nothing, what panic() was called with."""
    if run.reports:
        return _described(run.reports[-1])
    said = next((line for line in run.dmesg if "Kernel panic" in line), "Kernel panic")
    return f"`{shortened(said)}`: which function calls panic(), and why?"


def _described(report: Report) -> str:
    """A report in words, with one hint that fits its kind."""
    if report.kind == "Bad page state":
        words = f"Bad page state at pfn {report.pfn:#x}, {report.text}, when it was freed by {_callers(report)}."
        if report.page_type is not None and not report.page_type & PG_table:
            return (
                f"{words} Its page_type, {report.page_type:#x}, still says page table: which function should undo that?"
            )
        return f"{words} In which state did that function pass it on?"
    if report.kind == "WARNING":
        where = f"{report.text}(), {report.location}{_line_of(report.location)}"
        return f"a test fails in {where}. Which helper does that line call, and what should it return?"
    if report.kind == "Oops":
        words = f"{report.text}, in {report.trace[0]}(), called by {report.trace[1]}()."
        return f"{words} Where does the pointer that it followed come from: is it the address of the object itself?"
    if report.kind == "Bad mm":
        return f"{report.text}. Which table was added to the counter and not subtracted, or the other way round?"
    return f"{report.text}, in {_callers(report)}. What was done to its argument before?"


def _line_of(location: str) -> str:
    """The text of a line of the model's source, given as `file:number`; empty if there is none."""
    file, _, number = location.rpartition(":")
    line = linecache.getline(str(Path(__file__).parents[2] / file), int(number)).strip() if number.isdecimal() else ""
    return f", `{line}`" if line else ""


def _callers(report: Report) -> str:
    """The two innermost functions of the call trace outside the page allocator."""
    outside = itertools.dropwhile(_ALLOCATOR.__contains__, report.trace)
    return " <- ".join(f"{name}()" for name in itertools.islice(outside, 2))
