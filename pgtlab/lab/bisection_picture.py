"""The picture of a bisection: the history with its branches, oldest at the bottom, and what each test said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pgtlab.lab.bisection import Bisection
from pgtlab.lab.history import MM, TRUNK, Revision
from pgtlab.picture import Picture, Shape, rect, text

ROW, BOX, LANE, LEFT, HEAD = 26, 18, 30, 12, 30
WIDTH: Final = 760
#: What is known of a commit: the letter in its box, its class, and in words.
STATES: Final = {
    "bad": ("B", "bad", "tested: bad"),
    "good": ("G", "good", "tested: good"),
    "next": ("?", "left next", "left, and what git would test next"),
    "left": ("?", "left", "left: it may be the first bad commit"),
    "out": ("–", "out", "ruled out by a test of another"),
}


def bisection_picture(b: Bisection) -> Picture:
    """Draw a bisection so far.

    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.lab.bisection import Bad
    >>> start = Bisection.start(boot(Config("4k", 48), CPU.named("max")), Bad.PANICS)
    >>> bisection_picture(start).title
    'Bad is: it panics. 24 commits are left.'
    """
    title = f"Bad is: {b.bad.value}. {b.verdict}"
    shapes: list[Shape] = [text("title", 4, 16, title, "start strong")]
    rows = {revision.number: row for row, revision in enumerate(reversed(b.revisions))}
    places = {r.number: (LEFT + _lane(r) * LANE, HEAD + rows[r.number] * ROW) for r in b.revisions}
    for revision in b.revisions:
        for parent in revision.parents:
            (x, y), (px, py) = places[revision.number], places[parent]
            half = BOX / 2
            ends = {"x1": x + half, "y1": y + half, "x2": px + half, "y2": py + half}
            shapes.append(Shape(f"edge {revision.number} {parent}", "line", {**ends, "class": "edge"}))
    lines = []
    for revision in reversed(b.revisions):
        state = state_of(b, revision)
        shapes += _commit(revision, state, *places[revision.number])
        lines.append(f"{STATES[state][0]} {revision.subject} ({revision.branch}): {STATES[state][2]}")
    height = HEAD + len(b.revisions) * ROW + 4
    return Picture(WIDTH, height, title, "\n".join(lines), tuple(shapes))


def state_of(b: Bisection, revision: Revision) -> str:
    """What is known of a commit, as a key of `STATES`."""
    if revision.number in b.tested:
        return "bad" if b.tested[revision.number] else "good"
    if revision not in b.left:
        return "out"
    return "next" if revision == b.next else "left"


def _commit(revision: Revision, state: str, x: float, y: float) -> Iterator[Shape]:
    letter, classes, words = STATES[state]
    hint = f"{revision.subject}, {words}"
    yield rect(f"commit {revision.number}", x, y, BOX, BOX, f"commit {classes}", hint, commit=str(revision.number))
    ink = " on-fill" if state in ("bad", "good") else ""
    yield text(f"letter {revision.number}", x + BOX / 2, y + 13, letter, f"middle small strong{ink}", quiet=True)
    shown = "start" if state != "out" else "start faint"
    yield text(f"subject {revision.number}", LEFT + 3 * LANE + 8, y + 13, revision.subject, shown, quiet=True)


def _lane(revision: Revision) -> int:
    return {TRUNK: 0, MM: 2}.get(revision.branch, 1)
