"""The course's text for the tests: chapters, sections, and what a learner reads in them, in order."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pgtlab.lab import chapters
from pgtlab.lab.course_text import notebook, sources
from pgtlab.lab.question import Choice, Order, Question, draw

FOLDER = sources() / "notebooks"
PAGES = [plan for plan in chapters.plans().values() if plan.written]
#: The chapters, in order, as far as they are written for the course. The tests grow with them.
CHAPTERS = [plan for plan in PAGES if "Chapter(" in (FOLDER / f"{plan.stem}.py").read_text(encoding="utf-8")]


@dataclass(frozen=True)
class Cell:
    """A cell, and the heading of the section that it is in."""

    stem: str
    section: str
    kind: str
    source: str

    @property
    def asks(self) -> list[str]:
        """The questions that a code cell asks."""
        return re.findall(r'\.ask\(\s*"([^"]+)"', self.source) if self.kind == "code" else []


@cache
def cells(stem: str) -> tuple[Cell, ...]:
    """The cells of a notebook; one with prose is cut where a section begins."""
    found, section = [], ""
    for cell in notebook(FOLDER / f"{stem}.py").cells:
        for part in re.split(r"^(?=## )", cell.source, flags=re.M) if cell.cell_type == "markdown" else [cell.source]:
            if cell.cell_type == "markdown" and (heading := re.match(r"## (.+)", part)):
                section = heading[1].strip()
            if part.strip():
                found.append(Cell(stem, section, cell.cell_type, part))
    return tuple(found)


def headings(stem: str) -> list[str]:
    """The headings of a notebook's sections, of all depths."""
    prose = "\n".join(cell.source for cell in cells(stem) if cell.kind == "markdown")
    return [heading.strip() for heading in re.findall(r"^#+ (.+)$", prose, re.M)]


@cache
def question(name: str, seed: int = 0) -> Question:
    """A question, by its full name, with the numbers of a seed."""
    stem = name.partition("/")[0]
    return draw(chapters.question(name, stem)[1], f"{seed}")


def words_of(asked: Question) -> Iterator[str]:
    """Every text of a question that a learner may read, in the order of reading."""
    yield asked.text
    for choice in (asked.answer, asked.reasons):
        if isinstance(choice, Choice):
            yield from (choice.right, *choice.others)
    if isinstance(asked.answer, Order):
        yield from asked.answer.right
    yield from (wrong.feedback for wrong in asked.wrong)
    yield from map(str, asked.steps)
    yield asked.truth


@cache
def prose(stem: str) -> tuple[tuple[str, str, str], ...]:
    """What a learner reads in a chapter, in order: the section, where in it, and the text without code."""
    texts = []
    for cell in cells(stem):
        if cell.kind == "markdown":
            texts.append((cell.section, "", cell.source))
        for name in cell.asks:
            full = name if "/" in name else f"{stem}/{name}"
            texts += [(cell.section, f"question {name}", text) for text in words_of(question(full))]
    return tuple((section, where, without_code(text)) for section, where, text in texts)


def without_code(text: str) -> str:
    """Markdown without code: spans, indented and fenced lines."""
    text = re.sub(r"^```.*?^```$|^ {4,}.*$", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`]*`", "", text)


def lines_outside_functions(source: str) -> int:
    """The lines of a cell that do something, outside the functions and classes that it defines."""
    source = re.sub(r"^\s*[%!].*$", "", source, flags=re.M)
    body = ast.parse(source).body
    return sum(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for node in body
        if not isinstance(node, ast.FunctionDef | ast.ClassDef)
    )
