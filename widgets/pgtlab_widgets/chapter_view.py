"""A chapter in its notebook: the title line with the log strip, its questions, and the summary."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote

from pgtlab.lab import chapters
from pgtlab.lab.answers import Words
from pgtlab.lab.chapters import ChapterPlan, LogLine
from pgtlab.lab.exercise import Exercise, of_chapter
from pgtlab.lab.progress import Progress
from pgtlab.lab.question import draw
from pgtlab_widgets.course_view import CourseView
from pgtlab_widgets.elements import Element, element
from pgtlab_widgets.question_view import QuestionView
from pgtlab_widgets.view import module

LONGEST = 104  # letters of the log's longest line, which has a whole bar


class Chapter:
    """A chapter: show it to begin with, `ask()` its questions, and end with its `summary()`.

    Parameters
    ----------
    stem : str
        The name of the chapter's file, such as `02_a_tree`.

    Raises
    ------
    ValueError
        If the course has no such chapter.
    """

    def __init__(self, stem: str) -> None:
        self.plan = chapters.plan(stem)
        self.progress = Progress.of()
        self.head = ChapterHead(self)
        self.recalled = [self._recall(name) for name in chapters.from_memory(stem, self.progress)]

    @property
    def log(self) -> dict[int, str]:
        """The lines of the real log, from 1 to 59, without their times."""
        return {number: line.text for number, line in chapters.log_lines().items()}

    def ask(self, name: str) -> QuestionView:
        """Ask a question of this chapter; `stem/name` asks one of another chapter.

        Raises
        ------
        QuestionError
            If there is no such question.
        """
        full, make = chapters.question(name, self.plan.stem)
        return QuestionView(full, make, self.plan.stem, self.progress)

    def _recall(self, name: str) -> QuestionView:
        view = self.ask(name)
        view.title = f"From memory: chapter {chapters.plan(name.partition('/')[0]).number}"
        view.draw()
        return view

    def summary(self) -> ChapterSummary:
        """Return what was answered, which lines of the log are lit, the gate and the exercises."""
        return ChapterSummary(self)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.head, *self.recalled)  # type: ignore[no-untyped-call]


class ChapterHead(CourseView):
    """The title line and the log strip."""

    _esm = module("chapter_head")

    def __init__(self, chapter: Chapter) -> None:
        self._chapter = chapter
        super().__init__()
        self.draw()

    def elements(self) -> tuple[Element, ...]:
        """The time, the tier, what to read before, and the lines of the log."""
        plan, progress = self._chapter.plan, self._chapter.progress
        lines = chapters.log_lines()
        lit = sum(line.lit(progress) for line in lines.values())
        strip = element(
            "ol",
            tuple(element("li", (_bar(line, progress),)) for line in lines.values()),
            class_="log-strip",
            data_group="log",
            aria_label=f"The log of 29 February 2024: {lit} of its {len(lines)} lines are lit",
        )
        parts = [element("p", facts(plan), class_="facts"), strip]
        if progress.note:
            parts.append(element("p", progress.note, class_="note", role="alert"))
        return tuple(parts)

    def static(self) -> tuple[Element, ...]:
        """The same, with the caption below, where a live strip shows the line under the pointer."""
        return (*self.elements(), element("p", self._caption(), class_="shown"))

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        return {**super().drawn(), "caption": self._caption()}

    def _caption(self) -> str:
        lit = sum(line.lit(self._chapter.progress) for line in chapters.log_lines().values())
        return f"{lit} of the 59 lines of the log are lit. A line lights up when all its questions are answered right."

    def text(self) -> str:
        """The title line as text."""
        return "".join(each.content for each in facts(self._chapter.plan) if isinstance(each.content, str))


class ChapterSummary(CourseView):
    """What was answered in a chapter, its gate and its exercises; the chapter's own last words lead to the next one."""

    def __init__(self, chapter: Chapter) -> None:
        self._chapter = chapter
        super().__init__()
        self.draw()

    def elements(self) -> tuple[Element, ...]:
        """The questions, the lines, the gate and the exercises."""
        return tuple(element("p", content) for content in self._sentences())

    def _sentences(self) -> list[tuple[Element, ...]]:
        plan, progress = self._chapter.plan, self._chapter.progress
        asked = chapters.names(plan.stem)
        judged = [name for name in asked if name not in _in_own_words(plan.stem)]
        right = [name for name in judged if progress.was_right(name)]
        lines = [line for line in chapters.log_lines().values() if line.chapter == plan.stem]
        lit = [line for line in lines if line.lit(progress)]
        sentences: list[tuple[Element, ...]] = []
        if judged:
            sentences.append((element("span", f"You have answered {len(right)} of {len(judged)} questions right."),))
        if lines:
            of_this = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
            sentences.append((element("span", f"This chapter explains {of_this} of the log. Lit so far: {len(lit)}."),))
        if plan.gate:
            sentences.append(_gate(plan, progress))
        if exercises := of_chapter(plan.stem):
            sentences.append(_practice(exercises, progress))
        return sentences

    def text(self) -> str:
        """The summary as text."""
        return "\n".join("".join(str(each.content) for each in sentence) for sentence in self._sentences())


def facts(plan: ChapterPlan, *, short: bool = False) -> tuple[Element, ...]:
    """The time, the tier and what to read before, in one line; a short one has the numbers of the chapters only."""
    minutes = f"{plan.minutes} minutes"
    if plan.full_minutes:
        minutes += f" ({plan.full_minutes} with all that is optional)"
    parts = [element("span", f"{minutes} · {_TIERS[plan.tier]}")]
    for place, stem in enumerate(plan.needs):
        before = chapters.plan(stem)
        parts += [element("span", " · after " if place == 0 else ", "), link(before, before.number if short else "")]
    return tuple(parts)


_TIERS = {
    "short": "part of the short course",
    "full": "full course",
    "teaser": "before the course",
    "reference": "to look things up",
}


def link(plan: ChapterPlan, label: str = "") -> Element:
    """A link to a chapter, or its title where it is not written yet."""
    label = label or plan.heading
    return element("a", label, href=f"{plan.stem}.ipynb") if plan.written else element("span", label)


def _gate(plan: ChapterPlan, progress: Progress) -> tuple[Element, ...]:
    done = passed(plan, progress)
    if f"{plan.stem}/{plan.gate}" in chapters.names(plan.stem):
        gate: tuple[Element, ...] = (element("span", "the question "), element("code", f'chapter.ask("{plan.gate}")'))
    elif exercise := next((each for each in of_chapter(plan.stem) if each.name == plan.gate), None):
        gate = (element("span", "the exercise "), exercise_link(exercise))
    else:
        gate = (element("span", f"{plan.gate.replace('_', ' ')}, fixed so that every check passes"),)
    before = (
        "You have passed the gate of this chapter: "
        if done
        else "The gate of this chapter, to pass before you go on, is "
    )
    return (element("span", before), *gate, element("span", "."))


def _practice(exercises: list[Exercise], progress: Progress) -> tuple[Element, ...]:
    """Links to the exercises of a chapter, the easier ones first."""
    parts = [element("span", "Practice: ")]
    for place, exercise in enumerate(exercises):
        done = " (done)" if progress.exercises.get(exercise.name) == 1 else ""
        end = f"{done}." if place == len(exercises) - 1 else f"{done}, "
        parts += [exercise_link(exercise), element("span", end)]
    return tuple(parts)


def exercise_link(exercise: Exercise) -> Element:
    """A link to an exercise from a chapter."""
    return element("a", exercise.title.replace("`", ""), href=f"../exercises/{exercise.name}.ipynb")


@cache
def _in_own_words(stem: str) -> frozenset[str]:
    """The questions of a chapter whose answers are kept and not judged."""
    makers = {name: chapters.question(name, stem)[1] for name in chapters.names(stem)}
    return frozenset(name for name, make in makers.items() if isinstance(draw(make, "").answer, Words))


def passed(plan: ChapterPlan, progress: Progress) -> bool:
    """Whether the reader has passed the chapter's gate; without a gate, answered all its questions right."""
    if not plan.gate:
        asked = chapters.names(plan.stem)
        return bool(asked) and all(map(progress.was_right, asked))
    return progress.was_right(f"{plan.stem}/{plan.gate}") or progress.exercises.get(plan.gate) == 1.0


def _bar(line: LogLine, progress: Progress) -> Element:
    lit = line.lit(progress)
    classes = " ".join(filter(None, ["bar", "evidence" if "evidence" in line.verdict else "", "lit" if lit else ""]))
    words = f"{line.number}: {line.text.strip()}"
    about = {
        "class_": classes,
        "style": f"width: {max(4, 100 * len(line.text) // LONGEST)}%",
        "title": words,
        "aria_label": f"Line {words} ({'lit' if lit else 'not lit yet'})",
        "data_item": f"{line.number}",
        "tabindex": 0 if line.number == 1 else -1,
        "data_line": words,
    }
    if line.section and chapters.plan(line.chapter).written:
        return element("a", "", href=f"{line.chapter}.ipynb#{quote(line.section.replace(' ', '-'))}", **about)
    return element("a", "", role="link", aria_disabled="true", **about)
