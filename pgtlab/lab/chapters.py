"""The course's chapters: their plan, their questions, the misconceptions they catch, and the lines of the real log.

All of it is data beside the notebooks' text: `chapters.toml`, `misconceptions.toml`, `log_lines.toml`, and for each
chapter a file of questions, `questions/<stem>.py`, or several in a folder, `questions/<stem>/`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, Literal

from pgtlab.extras import needed_by
from pgtlab.lab.course_data import LOG, origin
from pgtlab.lab.course_text import sources
from pgtlab.lab.progress import Progress
from pgtlab.lab.question import MakeQuestion, Question, QuestionError

Tier = Literal["teaser", "short", "full", "reference"]


@dataclass(frozen=True)
class ChapterPlan:
    """What is known of a chapter before it is opened.

    Attributes
    ----------
    stem : str
        The name of its file.
    title : str
        Its question.
    minutes : int
        The time it takes, in the short course if it is a part of it.
    tier : str
        `short` for the short course; `full` for what only the full course has; `teaser` and `reference` are outside.
    full_minutes : int
        The time with all that is optional; 0 if nothing is.
    needs : tuple of str
        The stems of the chapters to read before.
    goals : tuple of str
        What the reader will be able to do.
    gate : str
        The question or exercise that shows it; empty if there is none.
    next : str
        The stem of the chapter to read next.
    """

    stem: str
    title: str
    minutes: int
    tier: Tier
    full_minutes: int = 0
    needs: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    gate: str = ""
    next: str = ""

    @property
    def number(self) -> str:
        """Its number, such as `6a`; empty for what is not a chapter.

        >>> ChapterPlan("06a_the_kernel_map", "Where is everything?", 25, "short").number
        '6a'
        """
        number = re.match(r"0?(\d+[a-z]?)_", self.stem)
        return number[1] if number and self.tier in ("short", "full") else ""

    @property
    def heading(self) -> str:
        """Its number and title."""
        return f"{self.number}. {self.title}" if self.number else self.title

    @property
    def written(self) -> bool:
        """Whether its notebook exists."""
        return (_folder() / f"{self.stem}.py").exists()


@dataclass(frozen=True)
class LogLine:
    """A line of the real log, and where the course explains it.

    Attributes
    ----------
    number : int
        Counted from 1.
    text : str
        The line, without its time.
    verdict : tuple of str
        `evidence`, `context`, `empty` (zero or empty) or `leftover` (the log does not say): one for the line, or one
        for each of its numbers.
    chapter, section : str
        The stem of the chapter that explains it, and the heading of the section; no section until it is written.
    questions : tuple of str
        The questions that light the line when all are answered right, each as `stem/name`.
    links : tuple of int
        The links of the chain from the cause to the silence that follow from it, counted from 1; empty if it is not
        evidence.
    """

    number: int
    text: str
    verdict: tuple[str, ...]
    chapter: str
    section: str = ""
    questions: tuple[str, ...] = ()
    links: tuple[int, ...] = ()

    def lit(self, progress: Progress) -> bool:
        """Whether the reader has answered for it."""
        return bool(self.questions) and not self.missing(progress)

    def missing(self, progress: Progress) -> list[str]:
        """The questions that are still to be answered right, in the order of the course."""
        return sorted(name for name in self.questions if not progress.was_right(name))


def plans() -> dict[str, ChapterPlan]:
    """Return all chapters by stem, in order, with those that are not written yet.

    >>> plans()["03_an_entry"].heading
    '3. What does an entry say?'
    """
    return {stem: ChapterPlan(stem, **_tuples(values)) for stem, values in _toml("chapters").items()}


def plan(stem: str) -> ChapterPlan:
    """Return one chapter.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    every = plans()
    if stem not in every:
        raise ValueError(f"chapter {stem!r} does not exist: choose from {', '.join(every)}")
    return every[stem]


def table() -> list[str]:
    """Return the chapters that are written as the rows of a table in Markdown, with links.

    >>> table()[3]
    '| 0 | [Can you read 0xfffffdff?](00_hexadecimal.ipynb) | 10 | short course |'
    """
    tiers = {"short": "short course", "full": "full course", "teaser": "a teaser", "reference": "to look things up"}
    rows = [
        f"| {plan.number} | [{plan.title}]({plan.stem}.ipynb) | {plan.minutes} | {tiers[plan.tier]} |".replace(
            "|  |", "| |"
        )
        for plan in plans().values()
        if plan.written
    ]
    return ["| | chapter | minutes | part of |", "|---|---|---|---|", *rows]


def misconceptions(stem: str = "") -> dict[str, str]:
    """Return the wrong ideas by key, each in one sentence: those of one chapter, or all."""
    chapters = _toml("misconceptions")
    return {key: text for name in chapters for key, text in chapters[name].items() if stem in ("", name)}


def log_lines() -> dict[int, LogLine]:
    """Return the lines of the real log by number.

    >>> log_lines()[11].text, log_lines()[11].verdict
    ('  FSC = 0x04: level 0 translation fault', ('evidence',))
    """
    texts = [line.partition("] ")[2] for line in origin(LOG).read_text(encoding="utf-8").splitlines()]
    return {
        int(number): LogLine(int(number), texts[int(number) - 1], **_tuples(values))
        for number, values in _toml("log_lines").items()
    }


def questions(stem: str) -> dict[str, MakeQuestion]:
    """Return the functions that make a chapter's questions, by name: those of its files that return a `Question`.

    Raises
    ------
    QuestionError
        If the chapter has no file of questions.
    """
    folder = _folder() / "questions"
    paths = sorted([*folder.glob(f"{stem}.py"), *folder.glob(f"{stem}/*.py")])
    if not paths:
        raise QuestionError(f"chapter {stem!r} has no questions.")
    return {name: make for path in paths for name, make in _questions(path, path.stat().st_mtime_ns).items()}


def question(name: str, stem: str) -> tuple[str, MakeQuestion]:
    """Return a question's full name, `stem/name`, and the function that makes it; the name may have the stem in it.

    Raises
    ------
    QuestionError
        If the chapter has no question of that name.
    """
    chapter, _, short = name.rpartition("/")
    chapter = chapter or stem
    made = questions(chapter)
    if short not in made:
        raise QuestionError(f"chapter {chapter!r} has no question {short!r}: choose from {', '.join(made)}")
    return f"{chapter}/{short}", made[short]


def names(stem: str) -> list[str]:
    """Return the full names of a chapter's questions, in the order of its files; empty if it has none."""
    try:
        return [f"{stem}/{name}" for name in questions(stem)]
    except QuestionError:
        return []


def from_memory(stem: str, progress: Progress) -> list[str]:
    """Return the two questions from earlier chapters that a chapter begins with, by full name.

    One that was missed comes first, and one is at least two chapters old. What this chapter asked does not count, so
    that the questions are the same when its cell runs again.
    """
    order = [name for name, plan in plans().items() if plan.number and plan.written]
    earlier = order[: order.index(stem)] if stem in order else []
    age = {name: len(earlier) - place for place, chapter in enumerate(earlier) for name in _recalled(chapter)}
    before = Progress(progress.path, answers=[answer for answer in progress.answers if answer.asked_in != stem])
    drawn = sorted(age)
    Random(f"{progress.reader} {stem}").shuffle(drawn)
    candidates = list(dict.fromkeys([name for name in before.missed() if name in age] + drawn))
    first, rest = candidates[:1], candidates[1:]
    if first and age[first[0]] < 2:
        rest.sort(key=lambda name: age[name] < 2)
    return first + rest[:1]


def _recalled(stem: str) -> list[str]:
    """The questions of a chapter that are marked with `@recall`."""
    return [name for name in names(stem) if getattr(question(name, stem)[1], "recall", False)]


def _folder() -> Path:
    return sources() / "notebooks"


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8"))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


@cache
def _questions(path: Path, changed: int) -> dict[str, MakeQuestion]:
    name = f"questions of {path.stem}"
    module = ModuleType(name)
    with needed_by(f"chapter {path.stem}"):
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
    return {
        key: value
        for key, value in vars(module).items()
        if getattr(value, "__module__", "") == name
        and not key.startswith("_")
        and getattr(value, "__annotations__", {}).get("return") in (Question, "Question")
    }
