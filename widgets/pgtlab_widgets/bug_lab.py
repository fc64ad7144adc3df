"""The bug lab: boot a tree, read its log, patch it, and see where that holds."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any, Final

import traitlets

from pgtlab.lab.bugs import BUGS
from pgtlab.lab.kernel_checks import judging
from pgtlab.lab.matrix import boots
from pgtlab.lab.matrix_picture import matrix_picture
from pgtlab.lab.patch_source import read_patch
from pgtlab.lab.result import Result
from pgtlab.lab.trees import TREES
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.fold_picture import cell_key
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.oops.annotate import AnnotatedLog
from pgtlab.linux.oops.numbers import Explanation, Number
from pgtlab.linux.oops.word_pictures import word_pictures
from pgtlab.linux.report import Run
from pgtlab.linux.symbols import Symbol, source_of
from pgtlab.picture import Picture
from pgtlab_widgets import tried
from pgtlab_widgets.annotated import because, check_chosen, lit
from pgtlab_widgets.changes import Kernel as Booted
from pgtlab_widgets.choices import traits
from pgtlab_widgets.kernel_view import KernelView
from pgtlab_widgets.tried import FIXES, Patch, Tried
from pgtlab_widgets.view import module, packed

STEP: Final = 0.05  # seconds of long work between two looks at what else there is to do


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

    #: The log, what follows from it, and the functions: what stays when something in it is chosen.
    seldom = traitlets.Dict().tag(sync=True, to_json=packed)

    def __init__(
        self,
        tree: str = "next-20240229",
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
    ) -> None:
        self._patch = Patch()
        self._tried: Tried = tried.NOTHING
        self._boots = {cell_key(booted): booted for booted in boots()}
        self._draft, self._offered, self._wrong = "", "", ""
        self._steps = 0
        self._matrix_of: tuple[str, dict[str, str]] | None = None
        self._forget()
        super().__init__(page_size, va_bits, cpu, pa_bits, tree=tree)

    # The kernel.

    @property
    def run(self) -> Run:
        """How booting it here went."""
        return self._tried.run

    @property
    def seen(self) -> str:
        """What was seen of a bug that the kernel did not see."""
        return self._tried.seen

    @property
    def annotated(self) -> AnnotatedLog | None:
        """Its log, read; None where nothing is reported in it."""
        return tried.read_log(self.run.dmesg).annotated

    @property
    def numbers(self) -> dict[str, tuple[Number, Explanation]]:
        """The numbers in the log that are explained."""
        return tried.read_log(self.run.dmesg).numbers or {}

    def start_kernel(self, patched: bool = True) -> Kernel:
        """A kernel of the tree, freshly booted, with the patches in."""
        if not isinstance(self.boot, Boot):
            raise ValueError(self.stuck)
        return tried.start_kernel(self.tree, self._patch if patched else Patch(), self.boot)

    def livepatch(self, **functions: Symbol) -> None:
        """Replace kernel functions by your own, each taking the kernel first.

        Raises
        ------
        LivepatchError
            Where the kernel has no such function, or yours cannot be called like it; then nothing changes.
        """
        self._any_kernel(Patch()).livepatch(**functions)
        self._repatch(self._patch.with_functions(functions))

    def apply(self, source: str) -> None:
        r"""The same with functions as they are typed: `apply("def pud_free(k, mm, pud):\n    ...")`.

        Raises
        ------
        PatchError, LivepatchError
            Where they are no Python, or not to be put into this kernel; then nothing changes.
        """
        self._draft = source
        self.livepatch(**read_patch(source, self._any_kernel(Patch())))

    def unpatch(self, name: str) -> None:
        """Put the tree's own function back."""
        self._repatch(self._patch.without(name))

    def _any_kernel(self, patch: Patch) -> Kernel:
        """A kernel of the tree, also where this one does not boot."""
        return tried.start_kernel(self.tree, patch, self.boot if isinstance(self.boot, Boot) else distinct_boots()[0])

    def _repatch(self, patch: Patch) -> None:
        self._patch = patch
        self._forget()
        self._boot_again()

    def booted(self, before: Booted) -> None:
        """Another configuration or CPU."""
        self._boot_again()

    @traitlets.observe("tree")
    def _another_tree(self, change: object) -> None:
        self._forget()
        if self.tree in BUGS:  # which is about something else
            self._patch = self._patch.without_fixes()
        commits = tried.tree_of(self.tree).commits
        name = next(iter(commits[-1 if self.tree in BUGS else 0].functions))
        offered = source_of(next(it.functions[name] for it in reversed(commits) if name in it.functions))
        if self._draft in ("", self._offered):  # else it is the learner's
            self._draft = offered
        self._offered = offered
        self._boot_again()

    def _forget(self) -> None:
        """What was found out is about another kernel."""
        self._work: Iterator[object] | None = None
        self._doing, self._wrong = "", ""
        self.outcomes: dict[str, str] = {}
        self.result: Result | None = None
        self._judged = 0

    def _boot_again(self) -> None:
        """Boot, run the test, and read the log, where that is not known yet."""
        at = self.boot if isinstance(self.boot, Boot) else None
        self._tried = tried.tried(self.tree, self._patch, at) if at else tried.NOTHING
        with self.hold_sync():
            self.seldom = tried.shown(self.tree, self._patch, at)
            self._draw_matrix()
            first = "claim 0" if self.annotated and self.annotated.diagnoses[0].lines else ""
            if self.chosen != first:
                self.chosen = first  # which draws
            else:
                self.draw()

    # What takes long, step by step, so that the page stays alive.

    def fill(self) -> Iterator[str]:
        """Run the tree with the patches where it has not run yet, one cell after another."""
        for key, booted in self._boots.items():
            if key in self.outcomes:
                continue
            if isinstance(booted, NoBoot):
                self.outcomes[key] = "no boot"
            else:
                self.outcomes[key] = tried.tried(self.tree, self._patch, booted).run.outcome
                yield key

    def judge(self) -> Iterator[int]:
        """Judge the kernel, in one configuration after another."""
        self.result = yield from judging(self._any_kernel(self._patch))

    def _start(self, what: str) -> None:
        self._doing = what
        if what == "judge":
            self.result, self._judged = None, 0
        self._work = self.fill() if what == "fill" else self.judge()

    def _go_on(self) -> None:
        """Take a step."""
        work, self._work = self._work, None  # what fails does not go on
        until = monotonic() + STEP
        for _ in work or ():
            self._judged += self._doing == "judge"
            if monotonic() > until:
                self._work = work
                break
        self._draw_matrix()

    def stop(self) -> None:
        """Stop judging, or filling the matrix; what is filled stays."""
        self._work = None

    def _draw_matrix(self) -> None:
        """What changes with no toggle, nor with what is chosen."""
        title, boots = f"{self.tree}, everywhere", list(self._boots.values())
        now = (title, dict(self.outcomes))
        if now != self._matrix_of:
            self._matrix_of = now
            self.still = {
                "trees": [{"label": name, "send": {"tree": name}} for name in TREES],
                "bugs": [{"label": name, "send": {"tree": name}, "note": bug.symptom} for name, bug in BUGS.items()],
                "fixes": [{"name": name, "does": fix.does} for name, fix in FIXES.items()],
                "matrix": matrix_picture(boots, self.outcomes, title).spec(),
                "cells": len(boots),
                "kernels": len(distinct_boots()),
            }

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
        """What the browser needs besides `still` and `seldom`."""
        it, (number, known) = self.annotated, self.numbers.get(self.chosen, (None, None))
        inputs = known.inputs if known else ()
        marked = (number.line,) if number else lit(it, self.chosen)
        of_words = {*marked, *(one.line for one in inputs)}
        patched = dict(self._patch.functions)
        working = self._work is not None
        return {
            "choices": self.toggles(),
            "stuck": self.stuck,
            "tree": self.tree,
            "outcome": f"{self.tree} on {self.cpu}: {self.run.outcome}" + (f": {self.seen}" if self.seen else ""),
            "about": self._about(),
            "on": [name for name, fix in FIXES.items() if fix.functions.items() <= patched.items()],
            "patched": [{"name": name, "as": tried.title(name, mine)} for name, mine in sorted(patched.items())],
            "own": {"text": self._draft, "error": self._wrong or self._tried.stopped},
            "chosen": self.chosen,
            "lit": marked,
            "inputs": [f"number {one.line} {one.start}" for one in inputs],
            "resting": [f"claim {it.claims.index(claim)}" for claim in known.claims] if it and known else [],
            "because": _known(number, known) if number and known else because(it, self.chosen),
            "pictures": [picture.spec() for picture in word_pictures(it.log, of_words)] if it else [],
            "selected": cell_key(self.boot),
            "filled": len(self.outcomes),
            "judged": self._judged,
            "findings": self._findings(),
            "doing": self._doing if working else "",
            "next": {"step": self._steps} if working else None,
        }

    def _about(self) -> str:
        """What is wrong in the tree, or what is in it."""
        bug = BUGS.get(self.tree)
        if bug:
            return f"{bug.symptom} {bug.cause} Where: {bug.where}."
        return " ".join(f"{commit.name}: {commit.does}." for commit in tried.tree_of(self.tree).commits)

    def _findings(self) -> list[str]:
        """What was judged, or in a sentence why nothing was."""
        if self.result is None:
            return []
        return [self.result.headline] if self.result.reason else [str(finding) for finding in self.result.findings]

    def receive(self, message: dict[str, Any]) -> None:
        """A tree, a kernel, a patch, a line or a claim, a cell; or something to start, to go on with or to stop."""
        match message:
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"tree": tree}:
                self.tree = tree
            case {"fix": name}:
                self.livepatch(**FIXES[name].functions)
            case {"unpatch": name}:
                self.unpatch(name)
            case {"own": text}:
                self._draft = text
                self.draw()
            case {"edit": name}:
                functions = {it.name: it.now for it in self._tried.involved}
                self._draft, self._wrong = source_of(functions[name]), ""
                self.draw()
            case {"apply": True}:
                self._apply()
            case {"chosen": chosen}:
                self.chosen = "" if chosen == self.chosen else chosen
            case {"cell": key}:
                booted = self._boots[key]
                self.choose(**traits(booted.config), cpu=booted.cpu.name)
            case {"judge": True}:
                self._start("judge")
                self.draw()
            case {"fill": True}:
                self._start("fill")
                self.draw()
            case {"step": step} if step == self._steps:  # of two pages that show this, one makes it go
                self._steps += 1
                self._go_on()
                self.draw()
            case {"stop": True}:
                self.stop()
                self.draw()

    def _apply(self) -> None:
        """Apply what is typed; what is wrong with it is told below it."""
        try:
            self.apply(self._draft)
        except ValueError as error:
            self._wrong = str(error)
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
