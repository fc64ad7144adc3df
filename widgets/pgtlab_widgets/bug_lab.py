"""The bug lab: boot a tree, read its log, patch it, and see where that holds."""

from __future__ import annotations

import asyncio
import difflib
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import traitlets

from pgtlab.lab import check
from pgtlab.lab.bugs import BUGS
from pgtlab.lab.matrix import boots
from pgtlab.lab.matrix_picture import matrix_picture
from pgtlab.lab.result import Result
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, TREES, USE_THE_REAL_PFN, Tree
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.fold_picture import cell_key
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.oops import OopsError, read
from pgtlab.linux.oops.annotate import AnnotatedLog, annotate
from pgtlab.linux.oops.numbers import Explanation, Number, explanations
from pgtlab.linux.oops.word_pictures import word_pictures
from pgtlab.linux.report import Run
from pgtlab.linux.symbols import Symbol
from pgtlab.picture import Picture
from pgtlab_widgets.annotated import because, check_chosen, claim_rows, lit
from pgtlab_widgets.changes import Kernel as Booted
from pgtlab_widgets.choices import traits
from pgtlab_widgets.kernel_view import KernelView
from pgtlab_widgets.view import module

#: The two fixes of the thread, as they can be put into a kernel that runs.
FIXES: Final = {commit.name: commit for commit in (CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN)}
AT_A_TIME: Final = 4  # cells of the matrix, between two looks at what else there is to do


class BugLab(KernelView):
    """A tree on a CPU: its log, its sources, patches, and their effect everywhere.

    Parameters
    ----------
    tree : str
        One of those that `pgtlab trees` lists, or one of the bugs of `pgtlab bugs`: then that alone is in, and its own
        exercise runs instead of debug_vm_pgtable.
    page_size, va_bits, cpu, pa_bits
        The kernel and the CPU.

    Examples
    --------
    >>> lab = BugLab()
    >>> lab.run.outcome, lab.run.reports[-1].address
    ('panic', 8)
    >>> lab.livepatch(pud_free=lambda k, mm, pud: k.__pud_free(mm, pud) if k.pgtable_l4_enabled() else None)
    >>> lab.run.outcome
    'clean'
    """

    _esm = module("bug_lab")

    tree = traitlets.Enum([*TREES, *BUGS])
    chosen = traitlets.Unicode()  # a claim or a line of the log, as in `annotated`; or `number LINE COLUMN`

    def __init__(
        self,
        tree: str = "next-20240229",
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
    ) -> None:
        self._patch: dict[str, Symbol] = {}
        self._boots = {cell_key(booted): booted for booted in boots()}
        self._filling: asyncio.Task[None] | None = None
        self._matrix_of: tuple[str, Booted, int] | None = None
        self._matrix_spec: dict[str, Any] = {}
        self.run: Run = Run("no boot")
        self.seen = ""
        self.annotated: AnnotatedLog | None = None
        self.numbers: dict[str, tuple[Number, Explanation]] = {}
        self._forget()
        super().__init__(page_size, va_bits, cpu, pa_bits, tree=tree)

    # The kernel.

    def start_kernel(self, booted: Boot | None = None, patched: bool = True) -> Kernel:
        """A kernel of the tree, freshly booted, with the patches in; on `booted`, or where this is."""
        at = self.boot if booted is None else booted
        if self.tree in BUGS and isinstance(at, Boot):
            kernel = BUGS[self.tree].tree.start_kernel(BUGS[self.tree].with_options(at))
        else:
            kernel = self._tree.start_kernel(at)
        if patched:
            kernel.livepatch(**{name: mine for name, mine in self._patch.items() if name in kernel.symbols})
        return kernel

    @property
    def _tree(self) -> Tree:
        return BUGS[self.tree].tree if self.tree in BUGS else Tree.named(self.tree)

    def _try(self, kernel: Kernel) -> tuple[Run, str]:
        """How it goes, and what was seen that the kernel did not see."""
        return BUGS[self.tree].run(kernel) if self.tree in BUGS else (kernel.run(), "")

    def livepatch(self, **functions: Symbol) -> None:
        """Replace kernel functions by your own, each taking the kernel first.

        Raises
        ------
        LivepatchError
            Where the kernel has no such function, or yours cannot be called like it; then nothing changes.
        """
        if isinstance(self.boot, Boot):
            self.start_kernel(patched=False).livepatch(**functions)
        self._patch |= functions
        self._forget()
        self._boot_again()

    def unpatch(self, name: str) -> None:
        """Put the tree's own function back."""
        self._patch.pop(name, None)
        self._forget()
        self._boot_again()

    def booted(self, before: Booted) -> None:
        """Another configuration or CPU."""
        self._boot_again()

    @traitlets.observe("tree")
    def _another_tree(self, change: object) -> None:
        self._forget()
        self._boot_again()

    def _forget(self) -> None:
        """What was found out is about another kernel."""
        self.stop()
        self.outcomes: dict[str, str] = {}
        self._matrix_of = None
        self.result: Result | None = None

    def _boot_again(self) -> None:
        """Boot, run the test, and read the log."""
        kernel = self.start_kernel() if isinstance(self.boot, Boot) else None
        self.run, self.seen = self._try(kernel) if kernel else (Run("no boot"), "")
        try:
            self.annotated = annotate(read("\n".join(self.run.dmesg)))
        except OopsError:  # nothing was reported
            self.annotated = None
        known = explanations(self.annotated) if self.annotated else {}
        self.numbers = {f"number {n.line} {n.start}": (n, explanation) for n, explanation in known.items()}
        with self.hold_sync():
            self.still = {
                "rows": self._rows(),
                "claims": claim_rows(self.annotated),
                "sources": list(self._changes()),
                "called": list(self._called(kernel)),
            }
            self.set_trait("chosen", "")
            self.draw()

    # The matrix, a few cells at a time so that the page stays alive.

    def fill(self) -> Iterator[None]:
        """Run the tree with the patches everywhere, one cell after another."""
        outcomes = self.outcomes
        for key, booted in self._boots.items():
            if isinstance(booted, NoBoot):
                outcomes[key] = "no boot"
                continue
            outcomes[key] = self._try(self.start_kernel(booted))[0].outcome
            yield

    async def _fill(self) -> None:
        for number, _ in enumerate(self.fill()):
            if number % AT_A_TIME == 0:
                self.draw()
            await asyncio.sleep(0)
        self._filling = None
        self.draw()

    def stop(self) -> None:
        """Stop filling the matrix; what is filled stays."""
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None

    def close(self) -> None:
        """Leave the page, and nothing running."""
        self.stop()
        super().close()

    # What is shown.

    @traitlets.validate("chosen")
    def _there(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in self.numbers:
            check_chosen(self.annotated, str(proposal["value"]))
        return str(proposal["value"])

    @traitlets.observe("chosen")
    def _look(self, change: object) -> None:
        self.draw()

    def drawn(self) -> dict[str, Any]:
        """All that the browser needs."""
        it, (number, known) = self.annotated, self.numbers.get(self.chosen, (None, None))
        inputs = known.inputs if known else ()
        marked = (number.line,) if number else lit(it, self.chosen)
        of_words = {*marked, *(one.line for one in inputs)}
        bug = BUGS.get(self.tree)
        return {
            "choices": self.toggles(),
            "stuck": self.stuck,
            "trees": [{"label": name, "selected": name == self.tree, "send": {"tree": name}} for name in TREES],
            "bugs": [
                {"label": name, "selected": name == self.tree, "send": {"tree": name}, "note": BUGS[name].symptom}
                for name in BUGS
            ],
            "outcome": f"{self.tree} on {self.cpu}: {self.run.outcome}" + (f": {self.seen}" if self.seen else ""),
            "about": f"{bug.symptom} {bug.cause} Where: {bug.where}" if bug else "",
            "fixes": [
                {
                    "name": name,
                    "does": fix.does,
                    "on": all(self._patch.get(f) is fix.functions[f] for f in fix.functions),
                }
                for name, fix in FIXES.items()
            ],
            "patched": sorted(self._patch),
            "chosen": self.chosen,
            "lit": marked,
            "inputs": [f"number {one.line} {one.start}" for one in inputs],
            "resting": [f"claim {it.claims.index(claim)}" for claim in known.claims] if it and known else [],
            "because": _known(number, known) if number and known else because(it, self.chosen),
            "pictures": [picture.spec() for picture in word_pictures(it.log, of_words)] if it else [],
            "judged": [] if self.result is None else [str(finding) for finding in self.result.findings],
            "matrix": self._matrix(),
            "filling": self._filling is not None,
            "filled": len(self.outcomes),
            "cells": len(self._boots),
        }

    def _matrix(self) -> dict[str, Any]:
        """The picture, drawn anew only where it differs: a click on the log changes nothing in it."""
        of = (self.tree, self.boot, len(self.outcomes))
        if of != self._matrix_of:
            self._matrix_of, self._matrix_spec = of, self.picture().spec()
        return self._matrix_spec

    def _rows(self) -> list[dict[str, Any]]:
        """The log, its lines cut where a number is that is explained."""
        remarks = self.annotated.remarks if self.annotated else {}
        return [
            {"number": line, "text": text, "remarks": remarks.get(line, ()), "pieces": list(self._pieces(line, text))}
            for line, text in enumerate(self.run.dmesg, 1)
        ]

    def _pieces(self, line: int, text: str) -> Iterator[dict[str, str]]:
        at = 0
        for key, (number, _) in self.numbers.items():
            if number.line == line:
                yield {"text": text[at : number.start]}
                yield {"text": number.text, "key": key, "name": str(number)}
                at = number.end
        yield {"text": text[at:]}

    def _changes(self) -> Iterator[dict[str, str]]:
        """What the tree's commits change, or the bug; and the patches."""
        if self.tree in BUGS:
            yield {"title": f"{self.tree}: {BUGS[self.tree].commit.subject}", "text": BUGS[self.tree].diff()}
        else:
            for commit in self._tree.commits:
                yield {"title": f"{commit.id or commit.name}: {commit.subject}", "text": commit.diff()}
        if self._patch and isinstance(self.boot, Boot):
            before = self.start_kernel(patched=False).symbols
            for name, mine in self._patch.items():
                old = _source(before[name]) if name in before else ""
                names = f"{name}() of {self.tree}", f"your {name}()"
                lines = difflib.unified_diff(old.splitlines(), _source(mine).splitlines(), *names, n=99, lineterm="")
                yield {"title": f"your {name}()", "text": "\n".join(lines)}

    def _called(self, kernel: Kernel | None) -> Iterator[dict[str, str]]:
        """The functions in the call traces, innermost first."""
        names = dict.fromkeys(name for report in reversed(self.run.reports) for name in report.trace)
        for name in names:
            if kernel is not None and name in kernel.symbols:
                yield {"title": f"{name}()", "text": _source(kernel.symbols[name])}

    def receive(self, message: dict[str, Any]) -> None:
        """A tree, a kernel, a fix, a line or a claim, a cell; or something to start or to stop."""
        match message:
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"tree": tree}:
                self.tree = tree
            case {"fix": name}:
                self.livepatch(**FIXES[name].functions)
            case {"unpatch": name}:
                self.unpatch(name)
            case {"chosen": chosen}:
                self.chosen = "" if chosen == self.chosen else chosen
            case {"cell": key}:
                booted = self._boots[key]
                self.choose(**traits(booted.config), cpu=booted.cpu.name)
            case {"judge": True} if isinstance(self.boot, Boot):
                self.result = check(self.start_kernel())
                self.draw()
            case {"fill": True} if self._filling is None:
                self._filling = asyncio.get_running_loop().create_task(self._fill())
                self.draw()
            case {"stop": True}:
                self.stop()
                self.draw()

    def picture(self) -> Picture:
        """The matrix, as far as it is filled."""
        return matrix_picture(list(self._boots.values()), self.outcomes, f"{self.tree}, everywhere", self.boot)

    def text(self) -> str:
        """The log."""
        return self.stuck or "\n".join(self.run.dmesg)


def _known(number: Number, known: Explanation) -> dict[str, Any]:
    """What there is to say of a number."""
    return {"title": f"{number} (line {number.line})", "items": list(known.steps)}


def _source(function: Symbol) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return repr(function)
