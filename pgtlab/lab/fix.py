"""Judging a kernel that someone has patched: by what it does in every configuration, whatever the patch says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pgtlab.lab.bugs import BUGS, Bug
from pgtlab.lab.bugs.bug import FIXED
from pgtlab.lab.trees import TREES
from pgtlab.lab.variants import describe, distinct_boots
from pgtlab.linux import (
    debug,
    debug_vm_pgtable,
    debug_vm_pgtable_args,
    debug_vm_pgtable_values,
    fault,
    page_alloc,
    printk,
)
from pgtlab.linux.boot import Boot, Fold
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.page_flags import PG_table
from pgtlab.linux.report import Report, Run
from pgtlab.linux.symbols import Symbol, functions_of

_TESTS: Final = frozenset(
    name
    for module in (debug_vm_pgtable, debug_vm_pgtable_args, debug_vm_pgtable_values, fault, printk)
    for name in functions_of(module)
) | {"check_mm", "mm_pgtables_bytes"}
_ALLOCATOR: Final = functions_of(page_alloc).keys() | functions_of(debug).keys()
_FREED_TWICE: Final = "page_ref_count(page) == 0"  # put_page_testzero() got a page that nobody holds
#: What brings out the bugs of the catalogue: paths of mm that `debug_vm_pgtable` does not take.
_EXERCISES: Final = tuple(dict.fromkeys(bug.observe for bug in {bug.exercise: bug for bug in BUGS.values()}.values()))


@dataclass(frozen=True)
class Trial:
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


Trials = Callable[[], tuple[Trial, ...]]
Exercise = Callable[[Kernel], str | None]


def trials(kernel: Kernel, seed: int | str) -> Iterator[Trial]:
    """The same tree with the same patch in every configuration, on a CPU with all its bits and on one with fewer.

    Of a tree of the catalogue what the bug does counts, and it is exercised with its options where it shows.
    """
    bug = bug_of(kernel)
    before = FIXED.functions if bug else kernel.replaced
    for booted in distinct_boots():
        run = _start(kernel, booted, seed).run()
        beyond = _beyond(kernel, bug, before, booted, seed) if run.outcome == "clean" else ()
        yield Trial(booted, run, next(filter(None, beyond), None))


def bug_of(kernel: Kernel) -> Bug | None:
    """The bug of the catalogue whose tree the kernel was booted from; none where that is one of the story's.

    Two of them have the same functions as a tree of the story, which asks for less: those go by the tree's name.

    >>> from pgtlab import CPU, Config, boot
    >>> bug_of(BUGS["small-pgd"].tree.start_kernel(boot(Config("4k", 39), CPU.named("max")))).name
    'small-pgd'
    """
    of_the_story = any(kernel.replaced == tree.functions for tree in TREES.values())
    alike = (bug for bug in BUGS.values() if kernel.replaced == bug.tree.functions)
    return next((bug for bug in alike if bug.tree.name == kernel.tree or not of_the_story), None)


def too_late(kernel: Kernel) -> str:
    """Why no livepatch mends this tree, in a sentence; empty where one may."""
    bug = bug_of(kernel)
    if bug is None:
        return ""
    booted = next(bug.boots())
    good = FIXED.start_kernel(booted).symbols
    mended = bug.tree.start_kernel(booted)
    mended.livepatch(**{name: good[name] for name in bug.commit.functions})
    if bug.observe(mended) is None:
        return ""
    functions = " and ".join(f"`{name}()`" for name in bug.commit.functions)
    return f"{functions} had run at boot, before any livepatch: only a boot of another tree mends {bug.name}."


def _start(kernel: Kernel, booted: Boot, seed: int | str) -> Kernel:
    started = Kernel(booted, kernel.replaced, seed)
    started.livepatch(**{name: mine for name, mine in kernel.patched.items() if name in started.symbols})
    return started


def _beyond(
    kernel: Kernel, bug: Bug | None, before: Mapping[str, Symbol], booted: Boot, seed: int | str
) -> Iterator[str | None]:
    """What each exercise shows; that of the bug itself first."""
    if bug and bug.shows(booted):
        yield _of_bug(kernel, bug, before, bug.with_options(booted), seed)
    for exercise in _EXERCISES:
        yield _new(kernel, before, booted, exercise, seed)


def _of_bug(kernel: Kernel, bug: Bug, before: Mapping[str, Symbol], booted: Boot, seed: int | str) -> str | None:
    """What the bug shows; or what the tree before says of a page, if this one does not: silence is no repair."""
    good, mine = Kernel(booted, before, seed), _start(kernel, booted, seed)
    bug.observe(good)
    if seen := bug.observe(mine):
        return seen
    said = _of_pages(mine)
    return next((f"`{line}` is not said any more" for line in _of_pages(good) if line not in said), None)


def _of_pages(kernel: Kernel) -> list[str]:
    """What the log has about pages, without the times."""
    return [text for _, _, text in (line.partition("] ") for line in kernel.log.lines) if "pfn:" in text]


def _new(kernel: Kernel, before: Mapping[str, Symbol], booted: Boot, exercise: Exercise, seed: int | str) -> str | None:
    """What an exercise shows with the patch, if it shows nothing of the tree before, which a fix need not mend."""
    seen = exercise(_start(kernel, booted, seed))
    return seen if seen and not exercise(Kernel(booted, before, seed)) else None


# The checks: each docstring is what is so of a good kernel, each message what was observed, and one hint.


def check_tests(kernel: Kernel, trials: Trials) -> None:
    """The tests and what they report with are the kernel's own."""
    mine = sorted(_TESTS & kernel.patched.keys())
    assert not mine, (
        f"`{mine[0]}()` is replaced, and it is what finds the bug, not what makes it. Which function does the call "
        "trace name below it?"
    )


def check_freed_once(kernel: Kernel, trials: Trials) -> None:
    """Nothing is freed twice."""
    for trial in trials():
        for report in trial.run.reports:
            assert _FREED_TWICE not in report.text, (
                f"{trial}: `__free_pages()` gets pfn {report.pfn:#x}, which nobody holds any more, from "
                f"{_callers(report)}. Who had freed it before?"
            )


def check_survives(kernel: Kernel, trials: Trials) -> None:
    """No kernel panics."""
    for trial in trials():
        assert trial.run.outcome != "panic", f"{trial}: the kernel panics. {_told(trial.run.reports[-1])}"


def check_no_report(kernel: Kernel, trials: Trials) -> None:
    """No kernel reports anything."""
    for trial in trials():
        for report in trial.run.reports:
            raise AssertionError(f"{trial}: {_told(report)}")


def check_nothing_lost(kernel: Kernel, trials: Trials) -> None:
    """Every frame that was allocated comes back."""
    for trial in _finished(trials()):
        for owner in trial.run.lost:
            bad = any(report.pfn == owner.pfn for report in trial.run.reports)
            hint = "a bad page is never used again" if bad else "which function should give it back, and does it run?"
            raise AssertionError(f"{trial}: a frame is lost, {owner}: {hint}")


def check_counters(kernel: Kernel, trials: Trials) -> None:
    """The counters are back at zero: NR_PAGETABLE, and each address space's own."""
    for trial in _finished(trials()):
        left = trial.run.nr_page_table_pages
        ran, missing = ("constructor", "destructor") if left > 0 else ("destructor", "constructor")
        assert left == 0, (
            f"{trial}: NR_PAGETABLE is left at {left}. A {ran} ran for a table that no {missing} saw: which?"
        )
        for report in trial.run.reports:
            assert report.kind != "Bad mm", f"{trial}: {_told(report)}"


def check_folded(kernel: Kernel, trials: Trials) -> None:
    """Where the PUD is folded, by the compiler or at run time, all is as well as where it is real."""
    real = max(trial.badness for trial in trials() if trial.boot.folded["pud"] is Fold.REAL)
    for trial in trials():
        if trial.boot.folded["pud"] is not Fold.REAL and trial.badness > real:
            said = f"the kernel says `{trial.run.reports[-1].text}`" if trial.run.reports else "a frame is lost"
            raise AssertionError(
                f"{trial}: {said}, and where PUDs are real all is better. There is no such table here, and what looks "
                "like its entry is one of the level above: does your function ask whether the level exists?"
            )


def check_beyond(kernel: Kernel, trials: Trials) -> None:
    """Processes live, share, fork and end as before, and Linux and the MMU see the same."""
    hint = "It was not so before the patch: what else relies on the function that you replaced?"
    if bug := bug_of(kernel):
        hint = f"Is what the bad commit, {bug.name}, changed as it was?"
    for trial in trials():
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


def _finished(trials: tuple[Trial, ...]) -> Iterator[Trial]:
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
