"""The bug lab: boot a tree, read its log, patch it, and judge the patch everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import traitlets

from pgtlab.lab.bugs import BUGS
from pgtlab.lab.linux_versions import why_silent
from pgtlab.lab.run_picture import run_picture
from pgtlab.lab.trees import TREES
from pgtlab.lab.variants import distinct_boots
from pgtlab.lab.worker.contained import answers_of
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.fold_picture import cell_key
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.kernel.symbols import Symbol
from pgtlab.linux.oops.inferring.inference import CONFIDENCE
from pgtlab.linux.oops.showing.annotate import AnnotatedLog, NumberExplanation, PrintedNumber
from pgtlab.linux.oops.showing.pictures import word_pictures
from pgtlab.picture import Picture
from pgtlab_widgets.annotated import because, check_chosen, lit
from pgtlab_widgets.biting import first_that_bites, named, where_it_bites
from pgtlab_widgets.choices import traits
from pgtlab_widgets.differences import Difference
from pgtlab_widgets.kernel_judge import KernelJudge
from pgtlab_widgets.kernel_run import FIXES, RUNNING, KernelRun, PatchRuns, tree_of
from pgtlab_widgets.kernel_view import KernelView
from pgtlab_widgets.outcome_matrix import OutcomeMatrix
from pgtlab_widgets.patch_editor import PatchEditor
from pgtlab_widgets.run_view import read_log, run_view
from pgtlab_widgets.steps import Steps
from pgtlab_widgets.synced import ahead, packed
from pgtlab_widgets.turns import in_turn
from pgtlab_widgets.view import module

STEP: Final = 0.05  # seconds of work before other messages are handled
PATIENCE: Final = 0.5  # seconds that the page waits for the run of a patch before it shows that it goes on


class BugLab(KernelView):
    """A tree in a configuration on a CPU: its log, its sources, patches, and their effect everywhere.

    Parameters
    ----------
    tree : str
        A tree of `pgtlab trees`, or a bug of `pgtlab bugs`: the fixed tree with that bug, whose own exercise runs
        instead of debug_vm_pgtable.
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
    foresees = ahead("choose", "chosen")

    tree = traitlets.Enum([*TREES, *BUGS])
    chosen = traitlets.Unicode()  # a claim or a line of the log, as in `annotated`; or `number LINE COLUMN`

    #: The log, what follows from it, and the functions; the same while something in it is chosen.
    run_view = traitlets.Dict().tag(sync=True, to_json=packed)

    def __init__(
        self,
        tree: str = "next-20240229",
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
    ) -> None:
        self.steps = Steps(STEP)
        self._patience: float | None = None  # seconds to wait for a run; None for its end
        self._nowhere: object = None  # the runs that are known to be clean everywhere
        self.editor = PatchEditor(tree)
        self.judge = KernelJudge(self.steps)
        self.matrix = OutcomeMatrix(self.steps)
        super().__init__(page_size, va_bits, cpu, pa_bits, tree=tree)

    @property
    def kernel_run(self) -> KernelRun:
        """The run in this configuration, with the patch; while a learner's function runs, nothing is known of it."""
        patched = self.editor.patched
        return RUNNING if patched.is_running(self.boot) else patched.run(self.boot)

    @property
    def run(self) -> Run:
        """The log, the reports and the outcome of that run."""
        return self.kernel_run.run

    @property
    def seen(self) -> str:
        """The effect of a bug that the kernel did not notice; empty if there is none."""
        return self.kernel_run.seen

    @property
    def annotated(self) -> AnnotatedLog | None:
        """The log, read; None if there is no report in it."""
        return read_log(self.run.dmesg).annotated

    @property
    def numbers(self) -> dict[str, tuple[PrintedNumber, NumberExplanation]]:
        """The numbers in the log that are explained."""
        return read_log(self.run.dmesg).numbers

    @in_turn
    def start_kernel(self, patched: bool = True) -> Kernel:
        """Boot a kernel of the tree, with the patch unless `patched` is False."""
        if not isinstance(self.boot, Boot):
            raise ValueError(self.stuck)
        return self.editor.patched.start_kernel(self.boot, patched)

    @in_turn
    def livepatch(self, **functions: Symbol) -> None:
        """Replace kernel functions by your own, each taking the kernel first.

        Raises
        ------
        LivepatchError
            If the kernel has no such function, or yours cannot be called like it; then nothing changes.
        """
        self.editor.livepatch(functions, self.boot)
        self._restart()

    @in_turn
    def apply(self, source: str) -> None:
        r"""Replace kernel functions by source text: `apply("def pud_free(k, mm, pud):\n    ...")`.

        Raises
        ------
        PatchError, LivepatchError
            If the text is not Python, or does not fit into this kernel; then nothing changes.
        """
        self.editor.apply(source, self.boot)
        self._restart()

    @in_turn
    def unpatch(self, name: str) -> None:
        """Put the tree's own function back."""
        self.editor.unpatch(name)
        self._restart()

    # From what is chosen to what is shown.

    @traitlets.observe("tree")
    def _another_tree(self, change: object) -> None:
        self.editor.choose_tree(self.tree)
        self._restart()

    def _restart(self) -> None:
        """Boot another tree or patch, and drop the results of the previous one."""
        self.steps.stop()
        self.judge.reset()
        self.matrix.reset(self.tree)
        self._show_run()

    def booted(self, before: Boot | NoBoot) -> None:
        """Boot in another configuration or on another CPU."""
        self._show_run()

    def _show_run(self) -> None:
        """Show the log, with its first diagnosis chosen. A run that takes long goes on in steps."""
        if not self.editor.patched.run_within(self.boot, self._patience):
            self.steps.start("run", self._running(self.editor.patched, self.boot))
        with self.hold_sync():
            self.run_view = run_view(self.tree, self.kernel_run)
            self._show_matrix()
            first = "claim 0" if self.annotated and self.annotated.diagnoses[0].lines else ""
            if self.chosen != first:
                self.chosen = first  # which draws
            else:
                self.draw()

    def _running(self, patched: PatchRuns, booted: Boot | NoBoot) -> Iterator[None]:
        """Wait for a run, and show it; between the steps the page can stop it."""
        while not patched.run_within(booted, STEP):
            yield
        self._show_run()

    def _show_matrix(self) -> None:
        """Show the matrix, and what stays the same in every kernel."""
        matrix = self.matrix.spec()
        if self.base_view.get("matrix") is not matrix:
            self.base_view = {
                "trees": [{"label": name, "send": {"tree": name}} for name in TREES],
                "bugs": [{"label": name, "send": {"tree": name}, "note": bug.symptom} for name, bug in BUGS.items()],
                "fixes": [{"name": name, "does": fix.does} for name, fix in FIXES.items()],
                "legend": list(CONFIDENCE.items()),
                "matrix": matrix,
                "cells": len(self.matrix.boots),
                "kernels": len(distinct_boots()),
            }

    @traitlets.validate("chosen")
    def _there(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in self.numbers:
            check_chosen(self.annotated, str(proposal["value"]))
        return str(proposal["value"])

    @traitlets.observe("chosen")
    def _look(self, change: object) -> None:
        self.draw()

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws besides `base_view` and `run_view`."""
        log, (number, known) = self.annotated, self.numbers.get(self.chosen, (None, None))
        inputs = known.inputs if known else ()
        marked = (number.line,) if number else lit(log, self.chosen)
        lines = {*marked, *(each.line for each in inputs)}
        return {
            "choices": self.toggles(),
            "stuck": self.stuck,
            "tree": self.tree,
            "outcome": f"{self.tree} on {named(self.boot.cpu)}: {self.run.outcome}"
            + (f": {self.seen}" if self.seen else ""),
            "about": self._about(),
            "where": self._where(),
            "stages": self._stages(),
            "picture": self.picture().spec(),
            "chosen": self.chosen,
            "lit": marked,
            "inputs": [f"number {each.line} {each.start}" for each in inputs],
            "resting": [f"claim {log.claims.index(claim)}" for claim in known.claims] if log and known else [],
            "because": _known(number, known) if number and known else because(log, self.chosen),
            "pictures": [picture.spec() for picture in word_pictures(log.log, lines)] if log else [],
            "selected": cell_key(self.boot),
            **self.editor.drawn(self.boot),
            **self.judge.drawn(),
            **self.matrix.drawn(),
            **self.steps.drawn(),
        }

    @in_turn
    def foresee(self, message: dict[str, Any]) -> dict[str, Difference] | None:
        """What a message would change on the page; a learner's function runs only where the reader asks for it."""
        own = "choose" in message and answers_of(self.editor.patched.functions)
        return None if own else super().foresee(message)

    def _where(self) -> dict[str, Any]:
        """Where it shows itself, and the message that goes there, if it does not here."""
        where = where_it_bites(self.tree, self.boot)
        if self.tree not in BUGS and self.run.outcome == "clean":
            if self._nowhere is self.editor.patched:
                return {**where, "says": f"It is clean in all {len(distinct_boots())} kernels that differ."}
            return {**where, "label": "Look for a kernel in which it shows", "send": {"bite": True}}
        return where

    def _bite(self) -> None:
        """Go to a kernel in which the tree shows something, or say that there is none."""
        there = first_that_bites(self.editor.patched)
        if there is None:
            self._nowhere = self.editor.patched
            self.draw()
        else:
            self.choose(**traits(there.config), cpu=there.cpu.name)

    def _stages(self) -> dict[str, str]:
        """What each stage has to say while it is folded."""
        log, dmesg = self.annotated, self.run.dmesg
        reports = _some(len(log.log.reports) if log else len(self.run.reports), "report", "reports")
        diagnosed = _some(len(log.diagnoses) if log else 0, "diagnosis", "diagnoses")
        patched = sorted(self.editor.patched.functions)
        result, filled = self.judge.result, Counter(self.matrix.outcomes.values())
        held = sum(finding.state == "right" for finding in result.findings) if result else 0
        return {
            "read": f"{len(dmesg)} lines, {reports}, {diagnosed}" if dmesg else "nothing was logged",
            "change": f"patched: {', '.join(f'{name}()' for name in patched)}" if patched else "nothing is patched",
            "judge": f"{held} of {len(result.findings)} checks hold" if result else "not judged yet",
            "everywhere": ", ".join(f"{n} {outcome}" for outcome, n in filled.most_common()) or "not run yet",
        }

    def _about(self) -> str:
        """The bug in the tree, or its commits."""
        bug = BUGS.get(self.tree)
        if bug:
            return f"{bug.symptom} {bug.cause} Where: {bug.where}."
        commits = " ".join(f"{commit.name}: {commit.does}." for commit in tree_of(self.tree).commits)
        silent = why_silent(self.boot, self.run) if isinstance(self.boot, Boot) else ""
        return f"{commits} {silent}".strip()

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a choice of what to show, or a message to the editor, the judge, the matrix or the steps."""
        self._patience = PATIENCE
        try:
            self._receive(message)
        finally:
            self._patience = None

    def _receive(self, message: dict[str, Any]) -> None:
        match message:
            case {"stop": True} if self.editor.patched.is_running(self.boot):
                self.editor.patched.stop()
                self.steps.finish()
                self.draw()
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"tree": tree}:
                self.tree = tree
            case {"chosen": chosen}:
                self.chosen = "" if chosen == self.chosen else chosen
            case {"bite": True}:
                self._bite()
            case {"cell": key}:
                booted = self.matrix.boots[key]
                self.choose(**traits(booted.config), cpu=booted.cpu.name)
            case _:
                before = self.editor.patched
                self.editor.receive(message, self.boot)
                self.judge.receive(message, before, self.boot)
                self.matrix.receive(message, before)
                self.steps.receive(message)
                if self.editor.patched is not before:
                    self._restart()
                self._show_matrix()
                self.draw()

    def picture(self) -> Picture:
        """The run: the changes in the tree, the kernel, and the outcome. Of all kernels there is `matrix.picture()`."""
        run = self.kernel_run
        commits = tree_of(self.tree).commits
        changes = ["fixed", self.tree] if self.tree in BUGS else [commit.name for commit in commits]
        return run_picture(self.tree, changes, sorted(self.editor.patched.functions), self.boot, run.run, run.seen)

    def text(self) -> str:
        """The log, or why the kernel does not boot."""
        return self.stuck or "\n".join(self.run.dmesg)


def _some(count: int, one: str, several: str) -> str:
    return f"{count or 'no'} {one if count == 1 else several}"


def _known(number: PrintedNumber, known: NumberExplanation) -> dict[str, Any]:
    """How a number of the log is computed."""
    return {"title": f"{number} (line {number.line})", "items": list(known.steps)}
