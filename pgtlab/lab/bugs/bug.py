"""A bug: a tree with one bad commit on top, what it does, and where it shows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from pgtlab.lab.matrix import boots
from pgtlab.lab.trees import TREES, Commit, Tree
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.printk import Panic
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.kernel.symbols import source_of

FIXED: Final = TREES["fixed"]
CONSTRUCTED: Final = "constructed"


class BugError(ValueError):
    """There is no bug of that name."""


@dataclass(frozen=True)
class Bug:
    """One bad commit on top of the fixed tree.

    Attributes
    ----------
    commit : Commit
        The bad commit; the bug has its name.
    symptom : str
        What goes wrong, in a sentence.
    cause : str
        Why, in a few sentences.
    where : str
        Which kernels on which CPUs show it, in words.
    shows : callable
        A predicate over `Boot`: whether the bug shows there.
    exercise : callable
        Makes a kernel do what triggers the bug, and returns what was seen, or None. A panic counts as seen.
    upstream : str
        The commit that brought the bug into Linux, or `constructed`.
    options : tuple of str
        Kernel options that make more of it visible.
    """

    commit: Commit
    symptom: str
    cause: str
    where: str
    shows: Callable[[Boot], bool] = field(repr=False)
    exercise: Callable[[Kernel], str | None] = field(repr=False)
    upstream: str = CONSTRUCTED
    options: tuple[str, ...] = ()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the bugs in the catalogue."""
        from pgtlab.lab.bugs import BUGS  # the catalogue is made of the modules that import this one

        return tuple(BUGS)

    @classmethod
    def named(cls, name: str) -> Bug:
        """The bug called `name`.

        Raises
        ------
        BugError
            If there is none.
        """
        from pgtlab.lab.bugs import BUGS

        if name not in BUGS:
            *others, last = BUGS
            raise BugError(f"unknown bug {name!r}: choose from {', '.join(others)} and {last}")
        return BUGS[name]

    @property
    def name(self) -> str:
        """Its name, which is that of its commit."""
        return self.commit.name

    @property
    def tree(self) -> Tree:
        """The fixed tree with the bad commit."""
        return Tree(f"fixed+{self.name}", (*FIXED.commits, self.commit))

    def observe(self, kernel: Kernel) -> str | None:
        """Run the exercise on a kernel that was just started: what was seen, or None if nothing is wrong."""
        return self.run(kernel)[1] or None

    def run(self, kernel: Kernel) -> tuple[Run, str]:
        """Run the exercise on a kernel that was just started: the run, and what was seen.

        One outcome is not among those of `Kernel.run()`: `unnoticed`, if something is wrong that the kernel does not
        report.
        """
        outcome, seen = "clean", None
        try:
            seen = self.exercise(kernel)
            outcome = "report" if kernel.reports else "unnoticed" if seen is not None else "clean"
        except Panic:
            outcome, seen = "panic", last_report(kernel)
        return Run(outcome, tuple(kernel.reports), tuple(kernel.log.lines)), seen or ""

    def with_options(self, boot: Boot) -> Boot:
        """The same kernel with the bug's options on."""
        return replace(boot, config=boot.config.replace(**dict.fromkeys(self.options, True)))

    def boots(self) -> Iterator[Boot]:
        """Every legal configuration and preset CPU that shows the bug."""
        return (self.with_options(b) for b in boots() if isinstance(b, Boot) and self.shows(b))

    def nearest(self, boot: Boot | NoBoot) -> Boot:
        """Of the kernels and CPUs that show the bug, the one most like `boot`.

        >>> from pgtlab import CPU, Config, boot
        >>> from pgtlab.lab.bugs import BUGS
        >>> BUGS["small-pgd"].nearest(boot(Config("16k", 48), CPU.named("max")))
        Boot(Config('16k', va_bits=52, pa_bits=52) on max,lpa2=off: 47 bits, the walk starts at level 1, \
        p4d folded at compile time, pud folded at run time)
        """

        def unlike(other: Boot) -> tuple[bool, bool, int, int]:
            one, two = other.config, boot.config
            # The same CPU without LPA2 is more like it than another CPU.
            cpu, without = boot.cpu.name.partition(",")[0], other.cpu.name.partition(",")[0]
            return (
                one.page_size != two.page_size,
                cpu != without,
                abs(one.va_bits - two.va_bits) + abs(one.pa_bits - two.pa_bits),
                int(other.cpu != boot.cpu),
            )

        return min(self.boots(), key=unlike)

    def as_dict(self) -> dict[str, object]:
        """The bug as plain data, as `pgtlab bugs --json` prints it."""
        return {
            "bug": self.name,
            "symptom": self.symptom,
            "cause": self.cause,
            "where": self.where,
            "upstream": self.upstream,
            "subject": self.commit.subject,
            "functions": [*self.commit.functions],
        }

    def diff(self) -> str:
        """What the commit changes, in the first configuration that shows the bug."""
        before = FIXED.start_kernel(next(self.boots())).symbols
        return "\n".join(
            line
            for name, function in self.commit.functions.items()
            for line in difflib.unified_diff(
                source_of(before[name]).splitlines(),
                source_of(function).splitlines(),
                f"{name}() of fixed",
                f"{name}() of {self.name}",
                lineterm="",
            )
        )


def last_report(kernel: Kernel) -> str | None:
    """The last thing that the kernel found wrong, in its words."""
    if not kernel.reports:
        return None
    report = kernel.reports[-1]
    return f"{report.kind}: {report.text}"
