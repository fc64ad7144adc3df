"""The map of the course: its chapters with what they are about, and what the reader has done."""

from __future__ import annotations

from pgtlab.lab import chapters
from pgtlab.lab.chapter_pictures import chapter_picture
from pgtlab.lab.chapters import ChapterPlan
from pgtlab.lab.exercise import of_chapter
from pgtlab.lab.progress import Progress
from pgtlab_widgets.chapter_view import exercise_link, facts, link, passed
from pgtlab_widgets.course_view import CourseView
from pgtlab_widgets.elements import Element, drawing, element


class CourseMap(CourseView):
    """All chapters that are written, with the reader's progress.

    >>> "Walk it yourself" in CourseMap().text() or not chapters.plan("04_the_walk").written
    True
    """

    def __init__(self) -> None:
        self._progress = Progress.of()
        self._plans = [plan for plan in chapters.plans().values() if plan.written]
        self._of = {plan.stem: of_chapter(plan.stem) for plan in self._plans}
        super().__init__()
        self.draw()

    def elements(self) -> tuple[Element, ...]:
        """What is done, a card for each chapter, and the exercises."""
        chosen = self._next()
        cards = tuple(_card(plan, self._progress, plan is chosen) for plan in self._plans)
        parts = [element("p", self._done(), class_="facts")]
        if chosen:
            parts.append(element("p", (element("span", "Next: "), link(chosen))))
        if self._progress.note:
            parts.append(element("p", self._progress.note, class_="note", role="alert"))
        parts += [
            element("ul", cards, class_="course-map"),
            element("p", f"The exercises: {self._points()}"),
            self._exercises(),
        ]
        return tuple(parts)

    def _done(self) -> str:
        asked = [name for plan in self._plans for name in chapters.names(plan.stem)]
        right = sum(map(self._progress.was_right, asked))
        lit = sum(line.lit(self._progress) for line in chapters.log_lines().values())
        return f"{right} of {len(asked)} questions answered right · {lit} of the 59 lines of the log lit"

    def _next(self) -> ChapterPlan | None:
        course = [plan for plan in self._plans if plan.number]
        open_ = [plan for plan in course if not passed(plan, self._progress)]
        begun = [plan for plan in open_ if self._progress.answered(chapters.names(plan.stem))]
        return next(iter([*begun, *(plan for plan in open_ if plan.tier == "short"), *open_]), None)

    def _exercises(self) -> Element:
        """A row for each chapter that has exercises, with what each is and how much of it is done."""
        rows = []
        for plan in self._plans:
            links: list[Element] = []
            for exercise in self._of[plan.stem]:
                about = exercise.about
                facts = f" {about.kind}, {sum(about.points.values())} points{self._score(exercise.name)}"
                links.append(element("li", (exercise_link(exercise), element("span", facts, class_="facts"))))
            if links:
                number = f"Chapter {plan.number}" if plan.number else plan.title
                rows.append(element("li", (element("span", number), element("ul", tuple(links)))))
        return element("ul", tuple(rows), class_="exercises")

    def _score(self, name: str) -> str:
        score = self._progress.exercises.get(name)
        return "" if score is None else ", done" if score == 1 else f", {score:.0%} done"

    def _points(self) -> str:
        every = [exercise for exercises in self._of.values() for exercise in exercises]
        worth = {exercise.name: sum(exercise.about.points.values()) for exercise in every}
        got = sum(worth[name] * score for name, score in self._progress.exercises.items() if name in worth)
        done = sum(self._progress.exercises.get(name) == 1 for name in worth)
        return f"{done} of {len(worth)} exercises done, {got:.0f} of {sum(worth.values())} points"

    def text(self) -> str:
        """The map as text."""
        lines = [f"{plan.heading} ({plan.minutes} minutes)" for plan in self._plans]
        return "\n".join([self._done(), self._points(), *lines])


def _card(plan: ChapterPlan, progress: Progress, chosen: bool) -> Element:
    asked = chapters.names(plan.stem)
    right = sum(map(progress.was_right, asked))
    done = f"{right} of {len(asked)} questions" if asked else ""
    done += ", done" if passed(plan, progress) else ""
    goals = tuple(element("li", goal) for goal in plan.goals)
    parts = [
        drawing(chapter_picture(plan)),
        element("h4", (link(plan),)),
        element("p", facts(plan, short=True), class_="facts"),
    ]
    parts.append(element("ul", goals))
    if done:
        parts.append(element("p", done, class_="done"))
    return element("li", tuple(parts), class_="next" if chosen else "chapter")
