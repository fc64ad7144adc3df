"""What a kernel of the bug lab does, and what its log gives away: worked out once for a tree, a patch and a boot."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from pgtlab.lab.attempt import AnswerError, attempt
from pgtlab.lab.bugs import BUGS
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN, Tree
from pgtlab.linux.boot import Boot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.oops import OopsError, read
from pgtlab.linux.oops.annotate import AnnotatedLog, annotate
from pgtlab.linux.oops.numbers import Explanation, Number, explanations
from pgtlab.linux.report import Run
from pgtlab.linux.symbols import Symbol, source_of
from pgtlab_widgets.annotated import claim_rows

#: The two fixes of the thread, as they can be put into a kernel that runs.
FIXES: Final = {commit.name: commit for commit in (CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN)}
SECONDS: Final = 2.0  # of computing for a run, which takes some 20 ms: a patch that takes as long does not end
_OF_FIXES: Final = {function: name for name, commit in FIXES.items() for function in commit.functions.values()}


@dataclass(frozen=True)
class Patch:
    """Functions in place of the tree's own, by their names.

    One's own function may do something else when it is applied again, as what it refers to may have changed: `applied`
    tells one time from another.
    """

    functions: tuple[tuple[str, Symbol], ...] = ()
    applied: object = None

    def with_functions(self, functions: dict[str, Symbol]) -> Patch:
        """The patch with more functions."""
        return self._of({**dict(self.functions), **functions})

    def without(self, name: str) -> Patch:
        """The patch without one of them."""
        return self._of({one: mine for one, mine in self.functions if one != name})

    def without_fixes(self) -> Patch:
        """The patch without the fixes of the thread."""
        return self._of({one: mine for one, mine in self.functions if mine not in _OF_FIXES})

    def _of(self, functions: dict[str, Symbol]) -> Patch:
        own = any(mine not in _OF_FIXES for mine in functions.values())
        return Patch(tuple(functions.items()), object() if own else None)


@dataclass(frozen=True)
class Involved:
    """A function that a commit changes, or that a call trace names: as the tree has it, and as it is now."""

    name: str
    before: Symbol
    now: Symbol


@dataclass(frozen=True)
class Tried:
    """How it went: the run, what was seen that the kernel did not see, and why the patch did not get to its end."""

    run: Run
    seen: str = ""
    stopped: str = ""
    involved: tuple[Involved, ...] = ()


NOTHING: Final = Tried(Run("no boot"))


def tree_of(name: str) -> Tree:
    """A tree, or that of a bug."""
    return BUGS[name].tree if name in BUGS else Tree.named(name)


def title(name: str, mine: Symbol) -> str:
    """What a function of a patch goes by: the fix that it is, or its name.

    >>> [title("pud_free", mine) for mine in (CALL_THE_DESTRUCTOR.functions["pud_free"], lambda k, mm, pud: None)]
    ['fix-pud-free', 'pud_free()']
    """
    return _OF_FIXES.get(mine, f"{name}()")


def start_kernel(name: str, patch: Patch, booted: Boot) -> Kernel:
    """A kernel of a tree, or of a bug, freshly booted, with the patch in."""
    at = BUGS[name].with_options(booted) if name in BUGS else booted
    kernel = tree_of(name).start_kernel(at)
    kernel.livepatch(**{of: mine for of, mine in patch.functions if of in kernel.symbols})
    return kernel


@lru_cache(maxsize=512)
def tried(name: str, patch: Patch, booted: Boot) -> Tried:
    """Boot, and run the test, or the exercise of the bug."""
    kernel = start_kernel(name, Patch(), booted)
    before, functions = dict(kernel.symbols), dict(patch.functions)
    kernel.livepatch(**{of: mine for of, mine in patch.functions if of in before})
    try:
        run, seen = attempt(lambda: BUGS[name].run(kernel) if name in BUGS else (kernel.run(), ""), functions, SECONDS)
        how = Tried(run, seen)
    except AnswerError as error:
        how = Tried(Run("stopped", tuple(kernel.reports), tuple(kernel.log.lines)), stopped=str(error))
    changed = [of for commit in tree_of(name).commits for of in commit.functions]
    traced = [of for report in reversed(how.run.reports) for of in report.trace]
    there = [of for of in dict.fromkeys((*functions, *changed, *traced)) if of in before]
    return replace(how, involved=tuple(Involved(of, before[of], kernel.symbols[of]) for of in there))


@dataclass(frozen=True)
class ReadLog:
    """A log: what it gives away, if there is a report in it, and the numbers that are explained."""

    annotated: AnnotatedLog | None = None
    numbers: dict[str, tuple[Number, Explanation]] | None = None


@lru_cache(maxsize=128)
def read_log(dmesg: tuple[str, ...]) -> ReadLog:
    """Read a log."""
    try:
        annotated = annotate(read("\n".join(dmesg)))
    except OopsError:  # nothing was reported
        return ReadLog(numbers={})
    known = explanations(annotated)
    return ReadLog(annotated, {f"number {n.line} {n.start}": (n, it) for n, it in known.items()})


@lru_cache(maxsize=128)
def shown(name: str, patch: Patch, booted: Boot | None) -> dict[str, Any]:
    """What the page has of it, whatever is chosen there: the log, the claims and the functions."""
    how = tried(name, patch, booted) if booted else NOTHING
    log = read_log(how.run.dmesg)
    return {
        "rows": list(_rows(how.run.dmesg, log)),
        "claims": claim_rows(log.annotated),
        "sources": _changes(name),
        "functions": [{"title": f"{it.name}()", "text": source_of(it.now), "edit": it.name} for it in how.involved],
        "mine": "\n".join(_diff(it, name) for it in how.involved if it.now is not it.before),
    }


def _rows(dmesg: tuple[str, ...], log: ReadLog) -> Iterator[dict[str, Any]]:
    """The lines, cut where a number is that is explained."""
    of_line: dict[int, list[tuple[str, Number]]] = {}
    for key, (number, _) in (log.numbers or {}).items():
        of_line.setdefault(number.line, []).append((key, number))
    remarks = log.annotated.remarks if log.annotated else {}
    for line, text in enumerate(dmesg, 1):
        pieces, at = [], 0
        for key, number in of_line.get(line, ()):
            pieces += [{"text": text[at : number.start]}, {"text": number.text, "key": key, "name": str(number)}]
            at = number.end
        pieces.append({"text": text[at:]})
        yield {"number": line, "text": text, "remarks": remarks.get(line, ()), "pieces": pieces}


@lru_cache(maxsize=64)
def _changes(name: str) -> list[dict[str, str]]:
    """What the tree's commits change, or the bug."""
    if name in BUGS:
        return [{"title": f"{name}: {BUGS[name].commit.subject}", "text": BUGS[name].diff()}]
    return [{"title": f"{it.id or it.name}: {it.subject}", "text": it.diff()} for it in Tree.named(name).commits]


def _diff(of: Involved, name: str) -> str:
    """What a patch changes, with the whole function around it."""
    fix = _OF_FIXES.get(of.now)
    names = f"{of.name}() of {name}", f"{of.name}() of {fix}" if fix else f"your {of.name}()"
    old, new = source_of(of.before).splitlines(), source_of(of.now).splitlines()
    return "\n".join(difflib.unified_diff(old, new, *names, n=99, lineterm=""))
