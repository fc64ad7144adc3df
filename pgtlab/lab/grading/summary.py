"""A page about a class: how each exercise went, frequent wrong ideas, what to discuss, and what to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import mean, median
from typing import Final
from xml.etree import ElementTree

from pgtlab.lab.grading.marks import MarkRow

SHARED: Final = 0.15  # of those who answered: a wrong idea of so many is worth a discussion
_STYLE: Final = """
:root { color-scheme: light dark; --bar: #4477aa; --line: #8886 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 } caption { text-align: left; font-weight: bold }
th, td { border-bottom: 1px solid var(--line); padding: 0.25rem 0.5rem; text-align: left; vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
.bars { display: flex; align-items: flex-end; gap: 2px; height: 3rem; min-width: 9rem }
.bars span { flex: 1; background: var(--bar); min-height: 1px } code { font-size: 0.95em }
@media (prefers-color-scheme: dark) { :root { --bar: #88bbee } }
"""


def summary(rows: Sequence[MarkRow], sentences: dict[str, str], facts: Iterable[str]) -> str:
    """The page as HTML; the same marks give the same page.

    Parameters
    ----------
    rows : sequence of MarkRow
        The marks.
    sentences : dict
        The sentence of each misconception.
    facts : iterable of str
        How it was graded, in sentences.
    """
    page = ElementTree.Element("html", lang="en")
    head = ElementTree.SubElement(page, "head")
    ElementTree.SubElement(head, "meta", charset="utf-8")
    ElementTree.SubElement(head, "meta", name="viewport", content="width=device-width")
    ElementTree.SubElement(head, "title").text = "Marks"
    ElementTree.SubElement(head, "style").text = _STYLE
    body = ElementTree.SubElement(page, "body")
    students = {row.student for row in rows}
    ElementTree.SubElement(body, "h1").text = f"Marks of {len(students)} students"
    for fact in facts:
        ElementTree.SubElement(body, "p").text = fact
    exercises = list(dict.fromkeys(row.exercise for row in rows))
    _exercises(body, rows, exercises)
    _misconceptions(body, rows, sentences)
    _discussion(body, rows, exercises, sentences)
    _to_look_at(body, rows)
    return "<!DOCTYPE html>\n" + ElementTree.tostring(page, encoding="unicode", method="html") + "\n"


def _exercises(body: ElementTree.Element, rows: Sequence[MarkRow], exercises: Sequence[str]) -> None:
    header = ("exercise", "handed in", "solved", "mean", "median", "of", "points, from none to all")
    table = _table(body, "Exercises", header, {1, 2, 3, 4, 5})
    for name in exercises:
        own = [row for row in rows if row.exercise == name]
        given = [row for row in own if row.mark.state != "missing"]
        of = max((row.mark.of for row in own), default=0)
        points = [row.points for row in given]
        solved = sum(row.mark.state == "solved" for row in given)
        numbers = (f"{mean(points):.1f}", f"{median(points):g}") if points else ("", "")
        line = _line(table, (name, f"{len(given)} of {len(own)}", str(solved), *numbers, str(of)), {1, 2, 3, 4, 5})
        counts = Counter(min(of, int(each)) for each in points)
        most = max(counts.values(), default=1)
        said = ", ".join(f"{counts[n]} with {n}" for n in range(of + 1) if counts[n])
        bars = ElementTree.SubElement(ElementTree.SubElement(line, "td"), "div", {"class": "bars", "role": "img"})
        bars.set("aria-label", f"{name}: {said or 'nobody'}")
        for n in range(of + 1):
            style = f"height: {100 * counts[n] // most}%"
            ElementTree.SubElement(bars, "span", style=style, title=f"{counts[n]} with {n} of {of}")


def _misconceptions(body: ElementTree.Element, rows: Sequence[MarkRow], sentences: dict[str, str]) -> None:
    found = Counter(row.mark.misconception for row in rows if row.mark.misconception)
    table = _table(body, "Misconceptions, the most frequent first", ("the wrong idea", "students", "in"), {1})
    for key, _ in sorted(found.items(), key=lambda each: (-each[1], each[0])):
        who = [row for row in rows if row.mark.misconception == key]
        where = ", ".join(sorted({row.exercise for row in who}))
        _line(table, (sentences.get(key, key), str(len({row.student for row in who})), where), {1})
    if not found:
        _line(table, ("None was recognized.", "", ""), {1})


def _discussion(
    body: ElementTree.Element, rows: Sequence[MarkRow], exercises: Sequence[str], sentences: dict[str, str]
) -> None:
    """What many got wrong in the same way, with the feedback that one of them got."""
    ElementTree.SubElement(body, "h2").text = "For discussion"
    items = ElementTree.SubElement(body, "ol")
    shared = []
    for name in exercises:
        given = [row for row in rows if row.exercise == name and row.mark.state not in ("missing", "not written")]
        reasons = Counter((row.mark.check, row.mark.misconception) for row in given if row.mark.check)
        for (check, key), count in reasons.items():
            if count >= max(2, SHARED * len(given)):
                example = min(
                    row.mark.feedback for row in given if (row.mark.check, row.mark.misconception) == (check, key)
                )
                shared.append((-count, name, check, key, len(given), example))
    for count, name, check, key, of, example in sorted(shared):
        idea = f" {sentences.get(key, key)}" if key else ""
        item = ElementTree.SubElement(items, "li")
        item.text = f"{name}, {check}: {-count} of {of}.{idea} "
        _write(ElementTree.SubElement(item, "em"), example)
    if not shared:
        ElementTree.SubElement(items, "li").text = "No mistake is shared by many."


def _to_look_at(body: ElementTree.Element, rows: Sequence[MarkRow]) -> None:
    odd = [row for row in rows if row.note or row.mark.state in ("unreadable", "no answer", "not graded") or row.late]
    table = _table(body, "To look at", ("student", "exercise", "state", "why"), set())
    for row in odd:
        why = " ".join(filter(None, [row.note, "Late." if row.late else "", row.mark.feedback if not row.note else ""]))
        _line(table, (row.student.name, row.exercise, row.mark.state, why), set())
    if not odd:
        _line(table, ("Nothing.", "", "", ""), set())


def _table(body: ElementTree.Element, caption: str, header: Sequence[str], numbers: set[int]) -> ElementTree.Element:
    table = ElementTree.SubElement(body, "table")
    ElementTree.SubElement(table, "caption").text = caption
    line = ElementTree.SubElement(ElementTree.SubElement(table, "thead"), "tr")
    for number, text in enumerate(header):
        ElementTree.SubElement(line, "th", {"class": "number"} if number in numbers else {}, scope="col").text = text
    return ElementTree.SubElement(table, "tbody")


def _line(table: ElementTree.Element, cells: Sequence[str], numbers: set[int]) -> ElementTree.Element:
    line = ElementTree.SubElement(table, "tr")
    for number, text in enumerate(cells):
        _write(ElementTree.SubElement(line, "td", {"class": "number"} if number in numbers else {}), text)
    return line


def _write(element: ElementTree.Element, text: str) -> None:
    """Put text into an element, with what is between backticks as code."""
    element.text, *spans = _printable(text).split("`")
    for number, span in enumerate(spans):
        if number % 2 == 0:
            ElementTree.SubElement(element, "code").text = span
        else:
            element[-1].tail = span


def _printable(text: str) -> str:
    """Text without what HTML cannot have in it."""
    return "".join(char if char.isprintable() or char == " " else "�" for char in text)
