"""The picture of one boot: the changes in the tree, the kernel's levels, and how the run ended."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from pgtlab.linux.boot import Boot, Fold, NoBoot
from pgtlab.linux.decompose import decompose
from pgtlab.linux.fold_picture import fold_line
from pgtlab.linux.kernel.report import Run
from pgtlab.picture import Picture, Shape, rect, text

WIDTH: Final = 608
LABEL, ROW, BOX, LEVEL = 78, 42, 26, 62
LETTER: Final = 7.0  # width of a letter, for boxes around names
MOST_LETTERS: Final = 84  # in a line of the outcome
#: The class of each outcome, and what it says.
OUTCOMES: Final = {
    "clean": ("clean", "clean: the run ends, and the kernel has nothing to report"),
    "report": ("report", "report: the kernel found something wrong, and went on"),
    "panic": ("panic", "panic: the kernel stopped"),
    "unnoticed": ("bad", "unnoticed: something is wrong, and the kernel did not see it"),
    "stopped": ("bad", "stopped: the patch failed, or did not end"),
    "running": ("none", "running: the patch has not returned yet"),
    "no boot": ("none", "no boot: the kernel does not start on this CPU"),
}


def run_picture(
    name: str, changes: Sequence[str], patched: Sequence[str], boot: Boot | NoBoot, run: Run, seen: str = ""
) -> Picture:
    """Draw how a tree ran in one configuration on one CPU.

    Parameters
    ----------
    name : str
        The tree, or the bug in it.
    changes, patched : sequence of str
        The changes in the tree, and the functions that are patched.
    boot : Boot or NoBoot
        The kernel on its CPU.
    run : Run
        The outcome and the reports.
    seen : str
        The effect of a bug that the kernel did not notice.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.lab.trees import Tree
    >>> kernel, tree = boot(Config("4k", 48), CPU.named("max")), Tree.named("next-20240229")
    >>> run_picture(tree.name, ["fold-puds"], [], kernel, tree.start_kernel(kernel).run()).title
    'next-20240229 in this kernel: panic: the kernel stopped'
    """
    classes, words = OUTCOMES[run.outcome]
    title = f"{name} in this kernel: {words}"
    reports = [f"{report.kind}: {report.text}" for report in run.reports]
    if isinstance(boot, NoBoot):
        reports = [boot.reason]
    elif run.outcome == "unnoticed" and seen:
        reports.append(seen)
    lines = [line for report in reports for line in _wrapped(report)]
    shapes = [*_tree(changes, patched), *_kernel(boot), *_outcome(run.outcome, classes, words, lines)]
    described = [title, f"changes: {', '.join(changes) or 'none'}", f"patched: {', '.join(patched) or 'nothing'}"]
    return Picture(
        WIDTH, 3 * ROW + 16 * len(lines), title, "\n".join([*described, fold_line(boot), *reports]), tuple(shapes)
    )


def _tree(changes: Sequence[str], patched: Sequence[str]) -> Iterator[Shape]:
    yield text("head tree", 4, 22, "Tree", "start strong")
    names = [(change, "field") for change in changes]
    if patched:
        names.append((f"{patched[0]}() patched" if len(patched) == 1 else f"{len(patched)} functions patched", "lit"))
    x = float(LABEL)
    for n, (name, classes) in enumerate(names):
        width = 16 + LETTER * len(name)
        yield rect(f"change {n}", x, 4, width, BOX, classes)
        yield text(f"change name {n}", x + width / 2, 21, name, f"middle small{' on-fill' if classes == 'lit' else ''}")
        x += width + 8


def _kernel(boot: Boot | NoBoot) -> Iterator[Shape]:
    """The levels of the kernel: those that do not exist have a dashed frame."""
    y = ROW
    yield text("head kernel", 4, y + 22, "Kernel", "start strong")
    said = [
        f"{boot.config.granule} pages, VA_BITS={boot.config.va_bits}",
        f"on {boot.cpu.name.replace(',lpa2=off', ' without LPA2')}",
    ]
    x = float(LABEL)
    if isinstance(boot, Boot):
        said[1] += f": {boot.vabits_actual} bits in use"
        for level in decompose(0, boot).linux:
            folded = level.fold is not Fold.REAL
            classes = "folded" if folded or level.level is None else f"level-{level.level}"
            is_read = (
                f"{level.name} is level {level.level}"
                if level.level is not None
                else f"{level.name} is computed and not read"
            )
            hint = f"{level.name} is {level.fold.value}" if folded else is_read
            yield rect(f"level {level.name}", x, y + 4, LEVEL - 4, BOX, classes, hint)
            ink = "" if classes == "folded" else " on-fill"
            name = level.name if not folded else f"({level.name})"
            yield text(f"level name {level.name}", x + LEVEL / 2 - 2, y + 21, name, f"middle small{ink}")
            x += LEVEL
    for n, part in enumerate(said):
        yield text(f"kernel {n}", x + 6, y + 14 + 15 * n, part, "start small")


def _outcome(outcome: str, classes: str, words: str, lines: Sequence[str]) -> Iterator[Shape]:
    y = 2 * ROW
    yield text("head outcome", 4, y + 22, "Outcome", "start strong")
    width = 20 + LETTER * len(outcome)
    ink = " on-fill" if classes in ("clean", "report", "panic") else ""
    yield rect("outcome", LABEL, y + 4, width, BOX, f"cell {classes} now")
    yield text("outcome name", LABEL + width / 2, y + 21, outcome, f"middle strong small{ink}")
    yield text("outcome says", LABEL + width + 8, y + 21, words.partition(": ")[2], "start small")
    for n, line in enumerate(lines):
        yield text(f"report {n}", LABEL, y + 48 + 16 * n, line, "start small")


def _wrapped(line: str) -> list[str]:
    """A report in lines that fit."""
    return textwrap.wrap(line, MOST_LETTERS)
