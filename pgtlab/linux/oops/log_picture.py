"""The picture of an annotated log: the diagnosis above, the lines that matter, and below each what was made of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from textwrap import wrap

from pgtlab.linux.oops.annotate import AnnotatedLog
from pgtlab.picture import Picture, Shape, rect, text

WIDTH, LINE, SMALL, NUMBER = 980, 18, 15, 44
COLUMNS = 120  # characters of a line of the log; the rest is cut off
PROSE = 120  # characters of a line of the diagnosis


def log_picture(annotated: AnnotatedLog, lit: Collection[int] | None = None) -> Picture:
    """Draw a log. The lines `lit` are marked; unless given, those that the diagnosis rests on.

    >>> from pgtlab.linux.oops.annotate import annotate
    >>> from pgtlab.linux.oops.read import read
    >>> picture = log_picture(annotate(read("Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")))
    >>> [shape.text for shape in picture.shapes][1:3]
    ['1', 'Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP']
    """
    title = "; ".join(claim.text for claim in annotated.diagnoses)
    marked = {line for claim in annotated.diagnoses for line in claim.lines} if lit is None else lit
    y, shapes = 18, list[Shape]()
    for claim in annotated.diagnoses:
        confidence = f" ({claim.confidence})" if claim.confidence else ""
        for part in wrap(claim.text + confidence, PROSE):
            shapes.append(text(f"diagnosis {len(shapes)}", 4, y, part, "start strong"))
            y += LINE
    before = 0
    for number in annotated.shown:
        if number > before + 1:
            shapes.append(text(f"gap {number}", NUMBER, y, f"… {number - before - 1} lines", "start small faint"))
            y += LINE
        before = number
        shapes += _line(annotated, number, y, number in marked)
        y += LINE
        for n, remark in enumerate(annotated.remarks.get(number, ())):
            shapes.append(text(f"remark {number} {n}", NUMBER + 24, y - 3, remark, "start small faint"))
            y += SMALL
    return Picture(WIDTH, y, title, _described(annotated), tuple(shapes))


def _line(annotated: AnnotatedLog, number: int, y: float, marked: bool) -> Iterator[Shape]:
    if marked:
        yield rect(f"lit {number}", 0, y - 13, WIDTH, LINE, "lit")
        yield text(f"mark {number}", 2, y, "▸", "start on-fill", quiet=True)
    ink = " on-fill" if marked else ""
    yield text(f"number {number}", NUMBER - 8, y, str(number), f"end mono small{ink}", quiet=True)
    yield text(f"line {number}", NUMBER, y, annotated.lines[number - 1][:COLUMNS], f"start mono{ink}")


def _described(annotated: AnnotatedLog) -> str:
    claims = (f"{claim.text} ({claim.confidence or 'nothing is concluded'})" for claim in annotated.claims)
    return "\n".join(claims)
