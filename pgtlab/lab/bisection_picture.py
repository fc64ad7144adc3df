"""The picture of a bisection: the history with its branches, oldest at the bottom, and the result of each test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pgtlab.lab.bisection import Bad, Bisection
from pgtlab.lab.history import MM, TRUNK, Revision
from pgtlab.picture import Picture, Shape, rect, text

ROW, BOX, LANE, HEAD = 24, 18, 22, 64
MARK: Final = 18  # width of the column of a meaning of "bad"
LEFT: Final = 4 + len(Bad) * MARK + 12  # where the commits begin
SUBJECT: Final = LEFT + 2 * LANE + BOX + 8
WIDTH: Final = 612
#: The states of a commit: the letter in its box, its class, the state in words, and in short for the legend.
STATES: Final = {
    "bad": ("B", "bad", "tested: bad", "tested: bad"),
    "good": ("G", "good", "tested: good", "good"),
    "next": ("?", "left next", "left, and the one that git would test next", "git tests it next"),
    "left": ("?", "left", "left: it may be the first bad commit", "may be the first bad"),
    "out": ("–", "out", "ruled out by another test", "ruled out"),
}


def bisection_picture(b: Bisection, found: Mapping[Bad, Revision] | None = None) -> Picture:
    """Draw a bisection so far.

    Parameters
    ----------
    b : Bisection
        What to draw.
    found : mapping of Bad to Revision, optional
        First bad commits, by what "bad" means: each is marked in the margin with the number of its meaning.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> start = Bisection.start(boot(Config("4k", 48), CPU.named("max")), Bad.PANICS)
    >>> bisection_picture(start).title
    'Bad is: it panics. 24 commits are left.'
    """
    title = f"Bad is: {b.bad.value}. {b.verdict}"
    verdict, _, _ = b.verdict.partition(" (")  # the remark on an end that was not tested is too long for the picture
    head = f"{verdict} Tests so far: {len(b.tested) - 2}"
    shapes: list[Shape] = [text("title", 4, 16, head, "start strong"), *_legend()]
    rows = {revision.number: row for row, revision in enumerate(reversed(b.revisions))}
    at = {r.number: (_lane(r), rows[r.number]) for r in b.revisions}
    states = {revision.number: state_of(b, revision) for revision in b.revisions}
    for revision in b.revisions:
        shapes.append(_row(revision, states[revision.number], rows[revision.number]))
    for revision in b.revisions:
        for parent in revision.parents:
            shapes += _edge(f"edge {revision.number} {parent}", at[revision.number], at[parent], set(at.values()))
    lines = [title]
    marks = {bad: (number, (found or {}).get(bad)) for number, bad in enumerate(Bad, 1)}
    for revision in reversed(b.revisions):
        state = states[revision.number]
        shapes += _commit(revision, state, *at[revision.number])
        first = [(number, bad) for bad, (number, culprit) in marks.items() if culprit == revision]
        shapes += _marks(revision, rows[revision.number], first)
        words = "".join(f"; the first bad commit if bad is: {bad.value}" for _, bad in first)
        lines.append(f"{STATES[state][0]} {revision.subject} ({revision.branch}): {STATES[state][2]}{words}")
    return Picture(WIDTH, HEAD + len(b.revisions) * ROW + 4, title, "\n".join(lines), tuple(shapes))


def state_of(b: Bisection, revision: Revision) -> str:
    """The state of a commit, as a key of `STATES`."""
    if revision.number in b.tested:
        return "bad" if b.tested[revision.number] else "good"
    if revision not in b.left:
        return "out"
    return "next" if revision == b.next else "left"


def _legend() -> Iterator[Shape]:
    x = 4.0
    for state, (letter, classes, _, words) in STATES.items():
        yield rect(f"legend {state}", x, 25, BOX, BOX - 2, f"commit {classes}")
        ink = " on-fill" if state in ("bad", "good") else ""
        yield text(f"legend letter {state}", x + BOX / 2, 37, letter, f"middle small{ink}", quiet=True)
        yield text(f"legend name {state}", x + BOX + 5, 37, words, "start small")
        x += BOX + 18 + 6 * len(words)
    for number in range(1, len(Bad) + 1):
        yield text(
            f"margin {number}", 4 + (number - 1) * MARK + (MARK - 3) / 2, HEAD - 6, str(number), "middle small faint"
        )
    yield text(
        "margin", LEFT, HEAD - 6, "for each meaning of bad: its first bad commit, once found", "start small faint"
    )


def _y(row: int) -> float:
    return HEAD + row * ROW


def _row(revision: Revision, state: str, row: int) -> Shape:
    """The whole row of a commit, which can be pressed."""
    classes, hint = "row odd" if row % 2 else "row", f"{revision.subject}, {STATES[state][2]}"
    return rect(f"row {revision.number}", 0, _y(row), WIDTH, ROW, classes, hint, commit=str(revision.number))


def _edge(key: str, child: tuple[int, int], parent: tuple[int, int], taken: set[tuple[int, int]]) -> Iterator[Shape]:
    """An edge down the outer of the two lanes, or the inner one if commits are in the way; it crosses in one row."""
    (lane, row), (parent_lane, parent_row) = child, parent
    outer = max(lane, parent_lane)
    free = not any((outer, between) in taken for between in range(row + 1, parent_row))
    bend = (lane, parent_row - 1) if (lane == outer) == free else (parent_lane, row + 1)
    for part, ((a, b), (c, d)) in enumerate(((child, bend), (bend, parent))):
        if (a, b) != (c, d):
            x1, x2 = (LEFT + lane * LANE + BOX / 2 for lane in (a, c))
            y1, y2 = (_y(row) + ROW / 2 for row in (b, d))
            yield Shape(f"{key} {part}", "line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": "edge"})


def _commit(revision: Revision, state: str, lane: int, row: int) -> Iterator[Shape]:
    letter, classes, *_ = STATES[state]
    x, y = LEFT + lane * LANE, _y(row)
    yield rect(f"commit {revision.number}", x, y + 3, BOX, BOX, f"commit {classes}")
    ink = " on-fill" if state in ("bad", "good") else ""
    yield text(f"letter {revision.number}", x + BOX / 2, y + 16, letter, f"middle small strong{ink}", quiet=True)
    shown = "start small" if state != "out" else "start small faint"
    yield text(f"subject {revision.number}", SUBJECT, y + 16, revision.subject, shown, quiet=True)


def _marks(revision: Revision, row: int, first: Sequence[tuple[int, Bad]]) -> Iterator[Shape]:
    """In the margin: for which meanings of "bad" this is the first bad commit."""
    for number, _ in first:
        x, y = 4 + (number - 1) * MARK, _y(row)
        yield rect(f"first bad {number}", x, y + 3, MARK - 3, BOX, "commit bad")
        yield text(f"first bad number {number}", x + (MARK - 3) / 2, y + 16, str(number), "middle small strong on-fill")


def _lane(revision: Revision) -> int:
    return {TRUNK: 0, MM: 2}.get(revision.branch, 1)
