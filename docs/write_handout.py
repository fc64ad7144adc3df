"""Write the course's handout and its answer sheet as PDF into build/handout; `make handout SEED=n` draws other numbers.

    .venv/bin/python docs/write_handout.py [SEED]

The handout has the log, the terms and the questions of each chapter, with room to answer. Both sheets have the same
questions as the notebooks, so that the numbers and the answers fit each other.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import matplotlib
from fpdf import FPDF
from fpdf.fonts import FontFace, TextStyle
from markdown_it import MarkdownIt

from pgtlab.lab import chapters
from pgtlab.lab.chapters import ChapterPlan
from pgtlab.lab.question import Choice, Number, Order, Question, Words, draw
from pgtlab.terms import Term, terms

ROOT = Path(__file__).resolve().parents[1]
FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
MARKDOWN = MarkdownIt()
STYLES = {
    "code": FontFace(family="mono", size_pt=8),
    "pre": FontFace(family="mono", size_pt=7),
    "h1": TextStyle(font_size_pt=16, t_margin=4, b_margin=2),
    "h2": TextStyle(font_size_pt=12, t_margin=6, b_margin=2),
}


class Sheet(FPDF):
    """A document of A4 pages, with page numbers, that is filled with Markdown."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4")
        self.set_title(title)
        self.set_creation_date(datetime(2024, 2, 29, tzinfo=UTC))  # the same questions give the same file
        for family, style, file in (
            ("sans", "", "DejaVuSans"),
            ("sans", "B", "DejaVuSans-Bold"),
            ("sans", "I", "DejaVuSans-Oblique"),
            ("sans", "BI", "DejaVuSans-BoldOblique"),
            ("mono", "", "DejaVuSansMono"),
            ("mono", "B", "DejaVuSansMono-Bold"),
            ("mono", "I", "DejaVuSansMono-Oblique"),
        ):
            self.add_font(family, style, str(FONTS / f"{file}.ttf"))
        self.set_margin(18)
        self.set_font("sans", size=9)
        self.add_page()
        self.put(f"# {title}")

    def footer(self) -> None:
        """The number of the page."""
        self.set_y(-12)
        self.set_font("sans", size=7)
        self.cell(0, text=f"{self.title}, page {self.page_no()}", align="C")

    def put(self, text: str) -> None:
        """Add Markdown."""
        self.set_font("sans", size=9)
        self.write_html(MARKDOWN.render(text), font_family="sans", tag_styles=STYLES)

    def room(self, lines: int) -> None:
        """Leave room for an answer: ruled lines."""
        for _ in range(lines):
            if self.will_page_break(8):
                self.add_page()
            self.ln(8)
            self.line(self.l_margin + 6, self.get_y(), self.w - self.r_margin, self.get_y())
        self.ln(4)


def questions(plan: ChapterPlan, seed: str) -> Iterator[Question]:
    """The questions of a chapter with the numbers of a seed."""
    for full in chapters.names(plan.stem):
        _, make = chapters.question(full, plan.stem)
        yield draw(make, f"handout {seed} {full}")


def options(question: Question, seed: str) -> str:
    """The choices of a question, each with a box to tick, or the lines to put into order."""
    lists = []
    for choice in (question.answer, question.reasons):
        if isinstance(choice, Choice | Order):
            lead = "\n\nbecause\n\n" if choice is question.reasons else "\n\n"
            mark = "\\_\\_" if isinstance(choice, Order) else "\u2610"
            lists.append(lead + "\n\n".join(f"{mark} {option}" for option in choice.shown(f"handout {seed}")))
    return "".join(lists)


def answered(question: Question) -> str:
    """The right answer, with its reason and what the course says about it."""
    match question.answer:
        case Words():
            right = ""
        case Order(right=lines):
            right = "; ".join(lines)
        case Number() as number:
            right = f"`{number.show(number.right)}`"
        case Choice(right=option):
            right = option
    because = f" Because {question.reasons.right}." if question.reasons else ""
    return " ".join(part for part in (right and f"**{right}**.{because}", question.truth) if part)


def written(plans: list[ChapterPlan], seed: str) -> tuple[Sheet, Sheet]:
    """The handout, and the answer sheet."""
    handout, answers = Sheet("pgtlab: handout"), Sheet(f"pgtlab: answers, seed {seed}")
    handout.put("The log of linux-next, 29 February 2024, without its times:")
    log = "\n".join(f"{number:2} {line.text}" for number, line in chapters.log_lines().items())
    handout.put(f"```\n{log}\n```")
    for plan in plans:
        handout.put(f"## {plan.heading}\n\n" + "\n".join(f"- {goal}" for goal in plan.goals))
        handout.put("\n".join(f"- **{term.name}**: {term.sentence}" for term in of_chapter(plan)))
        answers.put(f"## {plan.heading}")
        for number, question in enumerate(questions(plan, seed), 1):
            handout.put(f"**{plan.number}.{number}** {question.text}{options(question, seed)}")
            handout.room({Number: 2, Words: 5}.get(type(question.answer), 0))
            answers.put(f"**{plan.number}.{number}** {answered(question)}")
    return handout, answers


def of_chapter(plan: ChapterPlan) -> list[Term]:
    """The terms that a chapter introduces."""
    return [term for term in terms() if term.chapter == plan.stem]


if __name__ == "__main__":
    seed = sys.argv[1] if len(sys.argv) > 1 else "1"
    folder = ROOT / "build" / "handout"
    folder.mkdir(parents=True, exist_ok=True)
    numbered = [plan for plan in chapters.plans().values() if plan.number and plan.written]
    for name, sheet in zip(("handout", "answers"), written(numbered, seed), strict=True):
        sheet.output(str(folder / f"{name}.pdf"))
        print(folder / f"{name}.pdf")
