"""The picture of a bisection: the history with its branches, oldest at the bottom, and the result of each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pgtlab.lab.bisection import Bisection
from pgtlab.lab.history import MM, TRUNK, Revision
from pgtlab.picture import Picture, Shape, rect, text

ROW, BOX, LANE, LEFT, HEAD = 26, 18, 30, 12, 30
WIDTH: Final = 760
#: The states of a commit: the letter in its box, its class, and the state in words.
STATES: Final = {
    "bad": ("B", "bad", "tested: bad"),
    "good": ("G", "good", "tested: good"),
    "next": ("?", "left next", "left, and the one that git would test next"),
    "left": ("?", "left", "left: it may be the first bad commit"),
    "out": ("–", "out", "ruled out by another test"),
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
    at = {r.number: (_lane(r), rows[r.number]) for r in b.revisions}
    places = {number: (LEFT + lane * LANE, HEAD + row * ROW) for number, (lane, row) in at.items()}
    for revision in b.revisions:
        for parent in revision.parents:
            shapes += _edge(f"edge {revision.number} {parent}", at[revision.number], at[parent], set(at.values()))
    lines = []
    for revision in reversed(b.revisions):
        state = state_of(b, revision)
        shapes += _commit(revision, state, *places[revision.number])
        lines.append(f"{STATES[state][0]} {revision.subject} ({revision.branch}): {STATES[state][2]}")
    height = HEAD + len(b.revisions) * ROW + 4
    return Picture(WIDTH, height, title, "\n".join(lines), tuple(shapes))


def state_of(b: Bisection, revision: Revision) -> str:
    """The state of a commit, as a key of `STATES`."""
    if revision.number in b.tested:
        return "bad" if b.tested[revision.number] else "good"
    if revision not in b.left:
        return "out"
    return "next" if revision == b.next else "left"


def _edge(key: str, child: tuple[int, int], parent: tuple[int, int], taken: set[tuple[int, int]]) -> Iterator[Shape]:
    """An edge down the outer of the two lanes, or the inner one if commits are in the way; it crosses in one row."""
    (lane, row), (parent_lane, parent_row) = child, parent
    outer = max(lane, parent_lane)
    free = not any((outer, between) in taken for between in range(row + 1, parent_row))
    bend = (lane, parent_row - 1) if (lane == outer) == free else (parent_lane, row + 1)
    for part, ((a, b), (c, d)) in enumerate(((child, bend), (bend, parent))):
        if (a, b) != (c, d):
            x1, x2 = (LEFT + lane * LANE + BOX / 2 for lane in (a, c))
            y1, y2 = (HEAD + row * ROW + BOX / 2 for row in (b, d))
            yield Shape(f"{key} {part}", "line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": "edge"})


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
