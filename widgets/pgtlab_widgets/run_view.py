"""The part of a kernel's run that stays the same on the page: its log, the claims and the functions."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pgtlab.lab.bugs import BUGS
from pgtlab.lab.trees import Tree
from pgtlab.linux.kernel.symbols import source_of
from pgtlab.linux.oops import OopsError, read
from pgtlab.linux.oops.showing.annotate import AnnotatedLog, NumberExplanation, PrintedNumber, annotate, explanations
from pgtlab_widgets.annotated import claim_rows
from pgtlab_widgets.kernel_run import Involved, KernelRun, fix_of


@dataclass(frozen=True)
class ReadLog:
    """A log with what follows from it, if there is a report in it, and the numbers that are explained."""

    annotated: AnnotatedLog | None = None
    numbers: dict[str, tuple[PrintedNumber, NumberExplanation]] = field(default_factory=dict)


@lru_cache(maxsize=128)
def read_log(dmesg: tuple[str, ...]) -> ReadLog:
    """Read a log."""
    try:
        annotated = annotate(read("\n".join(dmesg)))
    except OopsError:  # the log has no report
        return ReadLog()
    numbers = {f"number {n.line} {n.start}": (n, known) for n, known in explanations(annotated).items()}
    return ReadLog(annotated, numbers)


@lru_cache(maxsize=128)
def run_view(name: str, of: KernelRun) -> dict[str, Any]:
    """The log, the claims, what the tree's commits change, the functions, and what the patch changes."""
    log = read_log(of.run.dmesg)
    return {
        "rows": list(_rows(of.run.dmesg, log)),
        "claims": claim_rows(log.annotated),
        "sources": _changes(name),
        "functions": [
            {"title": f"{function.name}()", "text": source_of(function.now), "edit": function.name}
            for function in of.involved
        ],
        "diff": "\n".join(_diff(function, name) for function in of.involved if function.now is not function.before),
    }


def _rows(dmesg: tuple[str, ...], log: ReadLog) -> Iterator[dict[str, Any]]:
    """The lines, each cut into text and explained numbers."""
    of_line: dict[int, list[tuple[str, PrintedNumber]]] = {}
    for key, (number, _) in log.numbers.items():
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
    """The changes of the tree's commits, or of the bug, as diffs."""
    if name in BUGS:
        return [{"title": f"{name}: {BUGS[name].commit.subject}", "text": BUGS[name].diff()}]
    commits = Tree.named(name).commits
    return [{"title": f"{commit.id or commit.name}: {commit.subject}", "text": commit.diff()} for commit in commits]


def _diff(function: Involved, name: str) -> str:
    """What a patch changes in a function, as a diff with the whole function."""
    fix = fix_of(function.now)
    names = f"{function.name}() of {name}", f"{function.name}() of {fix}" if fix else f"your {function.name}()"
    old, new = source_of(function.before).splitlines(), source_of(function.now).splitlines()
    return "\n".join(difflib.unified_diff(old, new, *names, n=99, lineterm=""))
