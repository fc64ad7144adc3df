"""The bug lab: boot a tree, read its log, patch it, and see where that holds."""

from __future__ import annotations

import asyncio
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import traitlets

from pgtlab.lab import check
from pgtlab.lab.matrix import boots
from pgtlab.lab.matrix_picture import matrix_picture
from pgtlab.lab.result import Result
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, TREES, USE_THE_REAL_PFN, Tree
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.fold_picture import cell_key
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.oops import OopsError, read
from pgtlab.linux.oops.annotate import AnnotatedLog, annotate
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
        One of those that `pgtlab trees` lists.
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

    tree = traitlets.Enum(list(TREES))
    chosen = traitlets.Unicode()  # a claim or a line of the log, as in `annotated`

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
        self.run: Run = Run("no boot")
        self.annotated: AnnotatedLog | None = None
        self._forget()
        super().__init__(page_size, va_bits, cpu, pa_bits, tree=tree)

    # The kernel.

    def start_kernel(self) -> Kernel:
        """A kernel of the tree, freshly booted, with the patches in."""
        kernel = Tree.named(self.tree).start_kernel(self.boot)
        kernel.livepatch(**{name: mine for name, mine in self._patch.items() if name in kernel.symbols})
        return kernel

    def livepatch(self, **functions: Symbol) -> None:
        """Replace kernel functions by your own, each taking the kernel first.

        Raises
        ------
        LivepatchError
            Where the kernel has no such function, or yours cannot be called like it; then nothing changes.
        """
        if isinstance(self.boot, Boot):
            Tree.named(self.tree).start_kernel(self.boot).livepatch(**functions)
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
        self.result: Result | None = None

    def _boot_again(self) -> None:
        """Boot, run the test, and read the log."""
        self.run = self.start_kernel().run() if isinstance(self.boot, Boot) else Run("no boot")
        try:
            self.annotated = annotate(read("\n".join(self.run.dmesg)))
        except OopsError:  # nothing was reported
            self.annotated = None
        self.set_trait("chosen", "")
        self.draw()

    # The matrix, a few cells at a time so that the page stays alive.

    def fill(self) -> Iterator[None]:
        """Run the tree with the patches everywhere, one cell after another."""
        tree, patch, outcomes = Tree.named(self.tree), dict(self._patch), self.outcomes
        for key, booted in self._boots.items():
            if isinstance(booted, NoBoot):
                outcomes[key] = "no boot"
                continue
            kernel = tree.start_kernel(booted)
            kernel.livepatch(**{name: mine for name, mine in patch.items() if name in kernel.symbols})
            outcomes[key] = kernel.run().outcome
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
        check_chosen(self.annotated, str(proposal["value"]))
        return str(proposal["value"])

    @traitlets.observe("chosen")
    def _look(self, change: object) -> None:
        self.draw()

    def drawn(self) -> dict[str, Any]:
        """All that the browser needs."""
        it = self.annotated
        return {
            "choices": self.toggles(),
            "stuck": self.stuck,
            "trees": [{"label": name, "selected": name == self.tree, "send": {"tree": name}} for name in TREES],
            "outcome": f"{self.tree} on {self.cpu}: {self.run.outcome}",
            "fixes": [
                {
                    "name": name,
                    "does": fix.does,
                    "on": all(self._patch.get(f) is fix.functions[f] for f in fix.functions),
                }
                for name, fix in FIXES.items()
            ],
            "patched": sorted(self._patch),
            "rows": [
                {"number": number, "text": line, "remarks": it.remarks.get(number, ()) if it else ()}
                for number, line in enumerate(self.run.dmesg, 1)
            ],
            "claims": claim_rows(it),
            "chosen": self.chosen,
            "lit": lit(it, self.chosen),
            "because": because(it, self.chosen),
            "sources": self._sources(),
            "judged": [] if self.result is None else [str(finding) for finding in self.result.findings],
            "matrix": self.picture().spec(),
            "filling": self._filling is not None,
            "filled": len(self.outcomes),
            "cells": len(self._boots),
        }

    def _sources(self) -> list[dict[str, str]]:
        """What the tree's commits change, as diffs; and the patches."""
        commits = [
            {"title": f"{commit.id or commit.name}: {commit.subject}", "text": commit.diff()}
            for commit in Tree.named(self.tree).commits
        ]
        return commits + [{"title": f"your {name}()", "text": _source(mine)} for name, mine in self._patch.items()]

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


def _source(function: Symbol) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return repr(function)
