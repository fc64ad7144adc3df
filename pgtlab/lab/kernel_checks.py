"""Judging a kernel that someone has patched: by what it does in every configuration, whatever the patch says."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

from pgtlab.lab.attempt import AnswerError, attempt, findings_of
from pgtlab.lab.bugs import BUGS, Bug
from pgtlab.lab.bugs.bug import FIXED
from pgtlab.lab.result import Finding, Result
from pgtlab.lab.trees import Commit, Tree
from pgtlab.lab.variants import describe, distinct_boots
from pgtlab.linux.boot import Boot, Fold
from pgtlab.linux.kernel import Kernel, debug, debug_vm_pgtable, fault, page_alloc, printk
from pgtlab.linux.kernel.page_flags import PG_table
from pgtlab.linux.kernel.report import Report, Run
from pgtlab.linux.kernel.symbols import Symbol, functions_of

_TESTS: Final = frozenset(name for module in (debug_vm_pgtable, fault, printk) for name in functions_of(module)) | {
    "check_mm",
    "mm_pgtables_bytes",
}
_ALLOCATOR: Final = functions_of(page_alloc).keys() | functions_of(debug).keys()
_FREED_TWICE: Final = "page_ref_count(page) == 0"  # put_page_testzero() got a page that nobody holds
#: What brings out the bugs of the catalogue: paths of mm that `debug_vm_pgtable` does not take.
_EXERCISES: Final = tuple(dict.fromkeys(bug.observe for bug in {bug.exercise: bug for bug in BUGS.values()}.values()))


@dataclass(frozen=True)
class KernelTrial:
    """The patched kernel in one configuration: how `debug_vm_pgtable` went, and what was wrong beyond it."""

    boot: Boot
    run: Run
    beyond: str | None

    def __str__(self) -> str:
        told = [describe(self.boot)]
        for fold in (Fold.COMPILE_TIME, Fold.RUN_TIME):
            if levels := [level for level, how in self.boot.folded.items() if how is fold]:
                told.append(f"{' and '.join(levels)} {fold.value}")
        return ", ".join(told)

    @property
    def badness(self) -> int:
        """0 where nothing is wrong, 1 where something is, 2 where it is the end."""
        return 2 if self.run.outcome == "panic" else int(bool(self.run.reports or self.run.lost))


Exercise = Callable[[Kernel], str | None]


@dataclass(frozen=True)
class PatchedTree:
    """A tree with a patch, to be tried in any configuration."""

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
        """The bug of the catalogue that the tree is there for; None where it is one of the story's, or a learner's."""
        return next((bug for bug in BUGS.values() if bug.tree.commits == self.tree.commits), None)

    @property
    def before(self) -> Tree:
        """The tree that the patch is held against: of a bug's tree the one without the bad commit."""
        return FIXED if self.bug else self.tree

    def start_kernel(self, boot: Boot, seed: int | str) -> Kernel:
        """Boot the tree, and apply as much of the patch as there is in this configuration."""
        kernel = self.tree.start_kernel(boot, seed)
        kernel.livepatch(**{name: mine for name, mine in self.patch.items() if name in kernel.symbols})
        return kernel

    def too_late(self) -> str:
        """Why no livepatch mends this tree, in a sentence; empty where one may."""
        if self.bug is None:
            return ""
        boot = next(self.bug.boots())
        good, mended = FIXED.start_kernel(boot).symbols, self.tree.start_kernel(boot)
        mended.livepatch(**{name: good[name] for name in self.bug.commit.functions})
        if self.bug.observe(mended) is None:
            return ""
        functions = " and ".join(f"`{name}()`" for name in self.bug.commit.functions)
        return f"{functions} had run at boot, before any livepatch: only a boot of another tree mends {self.bug.name}."

    def run(self, boot: Boot, seed: int | str = 0) -> KernelTrial:
        """Boot it, run debug_vm_pgtable, and if that is clean what exercises the bugs of the catalogue.

        Of a tree of the catalogue what the bug does counts, and it is exercised with its options where it shows.
        """
        run = self.start_kernel(boot, seed).run()
        beyond = self._beyond(boot, seed) if run.outcome == "clean" else ()
        return KernelTrial(boot, run, next(filter(None, beyond), None))

    def _beyond(self, boot: Boot, seed: int | str) -> Iterator[str | None]:
        """What each exercise shows; that of the bug itself first."""
        if self.bug and self.bug.shows(boot):
            yield self._of_bug(self.bug, self.bug.with_options(boot), seed)
        for exercise in _EXERCISES:
            yield self._new(exercise, boot, seed)

    def _of_bug(self, bug: Bug, boot: Boot, seed: int | str) -> str | None:
        """What the bug shows; or what the tree before says of a page, if this one does not: silence is no repair."""
        good, mine = self.before.start_kernel(boot, seed), self.start_kernel(boot, seed)
        bug.observe(good)
        if seen := bug.observe(mine):
            return seen
        said = _of_pages(mine)
        return next((f"`{line}` is not said any more" for line in _of_pages(good) if line not in said), None)

    def _new(self, exercise: Exercise, boot: Boot, seed: int | str) -> str | None:
        """What an exercise shows with the patch, if it shows nothing before, which a fix need not mend."""
        seen = exercise(self.start_kernel(boot, seed))
        return seen if seen and not exercise(self.before.start_kernel(boot, seed)) else None


Trials = tuple[KernelTrial, ...]


def judge_kernel(kernel: Kernel, seed: int | str = 0) -> Result:
    """Judge a kernel by what its tree and its livepatches do in every configuration.

    Nothing is judged of a patch that stops or does not end, nor of a tree that no livepatch mends: `Result.reason`.
    """
    steps = judging(kernel, seed)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def judging(kernel: Kernel, seed: int | str = 0) -> Generator[int, None, Result]:
    """The same with a pause after each of `distinct_boots()`: how many have been tried, and at the end the result."""
    patched = PatchedTree.of(kernel)
    name = ", ".join(f"{name}()" for name in patched.patch) or "the kernel"
    reason = patched.too_late()
    trials: list[KernelTrial] = []
    for boot in () if reason else distinct_boots():
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


def _of_pages(kernel: Kernel) -> list[str]:
    """What the log has about pages, without the times."""
    return [text for _, _, text in (line.partition("] ") for line in kernel.log.lines) if "pfn:" in text]


# The checks: each docstring is what is so of a good kernel, each message what was observed, and one hint.


def check_tests(patched: PatchedTree, trials: Trials) -> None:
    """The tests and what they report with are the kernel's own."""
    mine = sorted(_TESTS & patched.patch.keys())
    assert not mine, (
        f"`{mine[0]}()` is replaced, and it is what finds the bug, not what makes it. Which function does the call "
        "trace name below it?"
    )


def check_freed_once(patched: PatchedTree, trials: Trials) -> None:
    """Nothing is freed twice."""
    for trial in trials:
        for report in trial.run.reports:
            assert _FREED_TWICE not in report.text, (
                f"{trial}: `__free_pages()` gets pfn {report.pfn:#x}, which nobody holds any more, from "
                f"{_callers(report)}. Who had freed it before?"
            )


def check_survives(patched: PatchedTree, trials: Trials) -> None:
    """No kernel panics."""
    for trial in trials:
        assert trial.run.outcome != "panic", f"{trial}: the kernel panics. {_told(trial.run.reports[-1])}"


def check_no_report(patched: PatchedTree, trials: Trials) -> None:
    """No kernel reports anything."""
    for trial in trials:
        for report in trial.run.reports:
            raise AssertionError(f"{trial}: {_told(report)}")


def check_nothing_lost(patched: PatchedTree, trials: Trials) -> None:
    """Every frame that was allocated comes back."""
    for trial in _finished(trials):
        for owner in trial.run.lost:
            bad = any(report.pfn == owner.pfn for report in trial.run.reports)
            hint = "a bad page is never used again" if bad else "which function should give it back, and does it run?"
            raise AssertionError(f"{trial}: a frame is lost, {owner}: {hint}")


def check_counters(patched: PatchedTree, trials: Trials) -> None:
    """The counters are back at zero: NR_PAGETABLE, and each address space's own."""
    for trial in _finished(trials):
        left = trial.run.nr_page_table_pages
        ran, missing = ("constructor", "destructor") if left > 0 else ("destructor", "constructor")
        assert left == 0, (
            f"{trial}: NR_PAGETABLE is left at {left}. A {ran} ran for a table that no {missing} saw: which?"
        )
        for report in trial.run.reports:
            assert report.kind != "Bad mm", f"{trial}: {_told(report)}"


def check_folded(patched: PatchedTree, trials: Trials) -> None:
    """Where the PUD is folded, by the compiler or at run time, all is as well as where it is real."""
    real = max(trial.badness for trial in trials if trial.boot.folded["pud"] is Fold.REAL)
    for trial in trials:
        if trial.boot.folded["pud"] is not Fold.REAL and trial.badness > real:
            said = f"the kernel says `{trial.run.reports[-1].text}`" if trial.run.reports else "a frame is lost"
            raise AssertionError(
                f"{trial}: {said}, and where PUDs are real all is better. There is no such table here, and what looks "
                "like its entry is one of the level above: does your function ask whether the level exists?"
            )


def check_beyond(patched: PatchedTree, trials: Trials) -> None:
    """Processes live, share, fork and end as before, and Linux and the MMU see the same."""
    hint = "It was not so before the patch: what else relies on the function that you replaced?"
    if patched.bug:
        hint = f"Is what the bad commit, {patched.bug.name}, changed as it was?"
    for trial in trials:
        assert trial.beyond is None, f"{trial}: debug_vm_pgtable is content, and yet: {trial.beyond}. {hint}"


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
    """The trials, of kernels that all get to the end: before that there is nothing to count."""
    for trial in trials:
        assert trial.run.outcome != "panic", f"{trial}: to be seen once the kernel gets that far."
        yield trial


def _told(report: Report) -> str:
    """What a report says, and one hint that fits its kind."""
    if report.kind == "Bad page state":
        said = f"Bad page state at pfn {report.pfn:#x}, {report.text}, as it was freed by {_callers(report)}."
        if report.page_type is not None and not report.page_type & PG_table:
            return f"{said} Its page_type, {report.page_type:#x}, still says page table: whose task is it to undo that?"
        return f"{said} In which state did that function hand it over?"
    if report.kind == "WARNING":
        where = f"{report.text}(), {report.location}"
        return f"a law does not hold, in {where}. Which helper does that line call, and what should it give?"
    if report.kind == "Oops":
        said = f"{report.text}, in {report.trace[0]}(), called by {report.trace[1]}()."
        return f"{said} Where does the pointer that it followed come from: is it the address of the thing itself?"
    if report.kind == "Bad mm":
        return f"{report.text}. Which table was put on the account and not taken off, or the other way round?"
    return f"{report.text}, in {_callers(report)}. What had been done to its argument before?"


def _callers(report: Report) -> str:
    """The inner end of the call trace, from where the page allocator was called."""
    told = itertools.dropwhile(_ALLOCATOR.__contains__, report.trace)
    return " <- ".join(f"{name}()" for name in itertools.islice(told, 2))
