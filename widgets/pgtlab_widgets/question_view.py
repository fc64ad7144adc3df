"""A question as a widget: it keeps what the reader says, and shows it beside what the model computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pgtlab.lab.answers import Choice, Number, Order, Said, UnreadableAnswer, Words
from pgtlab.lab.chapters import log_lines, plans
from pgtlab.lab.progress import Answered, Progress
from pgtlab.lab.question import Feedback, Intermediate, MakeQuestion, Question, draw
from pgtlab_widgets.course_view import CourseView
from pgtlab_widgets.elements import Element, element, inline, markdown, wanted
from pgtlab_widgets.turns import in_turn
from pgtlab_widgets.view import module, opened

FRESH = 20  # draws, at most, for numbers that were not seen just before


class QuestionView(CourseView):
    """A question, and its answer.

    Parameters
    ----------
    name : str
        The question's full name, `stem/name`.
    make : callable
        Makes the question from random numbers.
    asked_in : str
        The stem of the chapter that asks it.
    progress : Progress
        Where the answers are kept; without it, in memory only.

    Examples
    --------
    >>> from pgtlab.lab.question import Wrong
    >>> view = QuestionView("a/levels", lambda draw: Question(
    ...     "How many levels?", Number(4), "It is **4**.", (Wrong(3, "no-level-0", "Levels are counted from 0."),)))
    >>> view.answer("3")
    >>> view.feedback.text
    'Levels are counted from 0.'
    >>> print(view.text())
    How many levels?
    You said: 3
    Not right. Levels are counted from 0.
    It is **4**.
    """

    _esm = module("question_view")

    def __init__(
        self,
        name: str,
        make: MakeQuestion,
        asked_in: str = "",
        progress: Progress | None = None,
    ) -> None:
        self.name, self._make, self._asked_in = name, make, asked_in or name.partition("/")[0]
        self._progress = progress or Progress()
        self.title = ""
        last = self._progress.last(name, self._asked_in)
        self._ask(last.seed if last else self._progress.seed(name, self._asked_in))
        if last:
            self._restore(last)
        super().__init__()
        self.draw()

    def _ask(self, seed: str) -> None:
        self._seed = seed
        self.question: Question = draw(self._make, seed)
        self.feedback: Feedback | None = None
        self._typed, self._chosen, self._reason, self._error = "", "", "", ""
        self._steps = ("",) * len(self.question.steps)
        self._order = self.question.answer.shown(seed) if isinstance(self.question.answer, Order) else ()

    def _restore(self, last: Answered) -> None:
        try:
            if last.verdict == "unknown":
                self.feedback = self.question.unknown()
            else:
                self.feedback = self.question.judge(last.said, last.reason)
            if len(last.steps) == len(self._steps):
                self._steps = last.steps
        except UnreadableAnswer:  # the question has changed since
            self.feedback = None

    @in_turn
    def answer(self, said: Said, reason: str = "") -> None:
        """Answer the question.

        Raises
        ------
        UnreadableAnswer
            If it is not an answer to this question.
        """
        self.feedback = self.question.judge(said, reason)
        self._keep(said, reason)

    @in_turn
    def take_step(self, place: int, typed: str) -> None:
        """Type a number for one of the steps."""
        steps = list(self._steps)
        steps[place] = typed
        self._steps = tuple(steps)
        if last := self._progress.last(self.name, self._asked_in):
            self._progress.amend(replace(last, steps=self._steps))
        self.draw()

    @in_turn
    def give_up(self) -> None:
        """Say "I don't know"."""
        self.feedback = self.question.unknown()
        self._keep("", "")

    @in_turn
    def again(self) -> None:
        """Ask for another answer: with other numbers, if the question has any."""
        before, seed = self.question, self._progress.seed(self.name, self._asked_in)
        self._ask(seed)
        for number in range(2, FRESH):  # few numbers to draw from may give the same ones
            if self.question != before:
                break
            self._ask(f"{seed} {number}")
        self.draw()

    @property
    def waits(self) -> bool:
        """Whether an answer is expected."""
        return self.feedback is None or bool(self.feedback.steps)

    def _keep(self, said: Said, reason: str) -> None:
        assert self.feedback
        self._error = self._typed = ""
        said = said if isinstance(said, str) else list(said)
        steps = self._steps if self.feedback.steps else ()
        self._progress.add(Answered(self.name, self._asked_in, self._seed, self.feedback.verdict, said, reason, steps))
        self.draw()
        for view in opened():
            if isinstance(view, CourseView) and view.displayed and view is not self:
                view.draw()

    def receive(self, message: dict[str, Any]) -> None:
        """Handle what the reader typed, chose, moved or sent."""
        if "again" in message and not self.waits:
            self.again()
            return
        if not self.waits:
            return
        match message:
            case {"unknown": True}:
                self.give_up()
                return
            case {"move": [int(place), int(by)]} if {place, place + by} <= {*range(len(self._order))}:
                lines = list(self._order)
                lines[place], lines[place + by] = lines[place + by], lines[place]
                self._order = tuple(lines)
            case {"step": [int(place), str(typed)]} if place in range(len(self._steps)):
                self.take_step(place, typed)
                return
        self._typed = message.get("typed", self._typed)
        self._chosen = message.get("chosen", self._chosen)
        self._reason = message.get("reason", self._reason)
        if "answer" in message:
            try:
                self.answer(self._said(), self._reason)
                return
            except UnreadableAnswer as error:
                self._error = str(error)
        self.draw()

    def _said(self) -> Said:
        if isinstance(self.question.answer, Choice):
            return self._chosen
        return self._order if isinstance(self.question.answer, Order) else self._typed

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        answer = self.question.answer
        return {
            "name": self.name.rpartition("/")[2].replace("_", " "),
            "title": self.title,
            "seed": self._seed,
            "text": wanted(markdown(self.question.text)),
            "kind": type(answer).__name__.lower(),
            "open": self.waits,
            "typed": self._typed,
            "unit": answer.unit if isinstance(answer, Number) else "",
            "rows": answer.rows if isinstance(answer, Words) else 1,
            "options": self._options(answer, self._chosen) if isinstance(answer, Choice) else [],
            "reasons": self._options(self.question.reasons, self._reason) if self.question.reasons else [],
            "lines": list(self._order),
            "error": wanted(inline(self._error)) if self._error else [],
            "feedback": wanted(self._comparison()),
            "steps": self._stepped() if self.feedback and self.feedback.steps else [],
            "note": self._progress.note,
            "again": "Try with other numbers" if self._varies() else "Answer again",
        }

    def _options(self, choice: Choice, chosen: str) -> list[dict[str, Any]]:
        return [
            {"value": option, "label": wanted(inline(option)), "chosen": option == chosen}
            for option in choice.shown(self._seed)
        ]

    def _stepped(self) -> list[dict[str, Any]]:
        """The steps, what was typed for each, and what came of it; the first wrong one is where it goes wrong."""
        said = {"open": "", "right": "right", "wrong": "not right: it goes wrong here"}
        drawn = []
        for step, typed in zip(self.question.steps, self._steps, strict=True):
            came = step.judge(typed) if isinstance(step, Intermediate) else None
            drawn.append(
                {
                    "text": wanted(inline(str(step))),
                    "field": came is not None,
                    "typed": typed,
                    "verdict": came.verdict if came else "",
                    "said": wanted(inline(came.said or said[came.verdict])) if came else [],
                }
            )
            if came and came.verdict == "wrong":
                said["wrong"] = "not right"
        return drawn

    def _varies(self) -> bool:
        return not self.waits and any(
            draw(self._make, f"{self._seed} {number}") != self.question for number in range(2, 6)
        )

    def _comparison(self) -> tuple[Element, ...]:
        """What the reader said, what there is to say about it, and the truth."""
        feedback = self.feedback
        if feedback is None:
            return ()
        parts = [element("p", feedback.headline, class_=f"headline {feedback.verdict}")]
        if feedback.said:
            said: tuple[Element, ...] = (element("pre", feedback.said),)
            if isinstance(self.question.answer, Choice):
                said = (element("p", inline(feedback.said)),)
            because = (
                (element("p", (element("span", "because "), *inline(feedback.reason))),) if feedback.reason else ()
            )
            parts.append(element("div", (element("p", "You said", class_="label"), *said, *because), class_="said"))
        if feedback.truth:
            truth = (element("p", "The answer", class_="label"), *markdown(feedback.truth))
            parts.append(element("div", truth, class_="truth"))
        if feedback.text:
            parts.append(element("div", markdown(feedback.text), class_="about"))
        if self.question.lines and feedback.verdict in ("right", "kept"):
            parts.append(element("p", _lights(self.question.lines, self._progress), class_="lights"))
        return tuple(parts)

    def static(self) -> tuple[Element, ...]:
        """The question, and its answer folded."""
        question = self.question
        title = (element("p", self.title, class_="label"),) if self.title else ()
        parts = [*title, *markdown(question.text)]
        if isinstance(question.answer, Choice | Order):
            options = question.answer.shown(self._seed)
            parts.append(element("ul", tuple(element("li", inline(option)) for option in options)))
        if question.reasons:
            reasons = tuple(element("li", inline(option)) for option in question.reasons.shown(self._seed))
            parts += [element("p", "Because:"), element("ul", reasons)]
        if self.feedback and self.feedback.steps:
            parts += self._comparison()
            parts.append(
                element("ol", tuple(self._static_step(*each) for each in zip(question.steps, self._steps, strict=True)))
            )
        answer = self._comparison() if self.feedback and not self.feedback.steps else markdown(_solution(question))
        parts.append(element("details", (element("summary", "Answer"), *answer)))
        return (element("div", tuple(parts), class_="question"),)

    def _static_step(self, step: Intermediate | str, typed: str) -> Element:
        verdict = step.judge(typed).verdict if isinstance(step, Intermediate) else "open"
        mark = {"right": " ✓", "wrong": " ✗"}.get(verdict, "")
        said = (element("span", " "), element("code", typed), element("span", mark)) if typed else ()
        return element("li", (*inline(str(step)), *said))

    def text(self) -> str:
        """The question as text, and what was said about the answer."""
        feedback, lines = self.feedback, [self.question.text]
        if feedback is None:
            return "\n".join([*lines, "Answer it in a notebook that runs."])
        if feedback.said:
            lines.append(f"You said: {feedback.said}" + (f", because {feedback.reason}" if feedback.reason else ""))
        lines.append(f"{feedback.headline} {feedback.text}".rstrip())
        return "\n".join([*lines, *map(str, feedback.steps), feedback.truth]).rstrip()


def _lights(numbers: Sequence[int], progress: Progress) -> str:
    """Which lines of the log are lit now, and in which chapters are the questions that the others wait for."""
    lines = log_lines()
    lit = [number for number in numbers if lines[number].lit(progress)]
    dark = [number for number in numbers if number not in lit]
    is_lit = f"{_lines(lit)} {'are' if len(lit) > 1 else 'is'} lit" if lit else ""
    open_in = dict.fromkeys(plans()[name.split("/")[0]].number for n in dark for name in lines[n].missing(progress))
    waits = (
        f"{_lines(dark)} {'need' if len(dark) > 1 else 'needs'} the answer to another question too, in chapter"
        f"{'s' * (len(open_in) > 1)} {', '.join(open_in)}"
        if dark
        else ""
    )
    return f"In the log: {'; '.join(filter(None, (is_lit, waits)))}."


def _lines(numbers: Sequence[int]) -> str:
    first, *rest = sorted(numbers)
    return f"line{'s' * bool(rest)} {', '.join(map(str, [first, *rest]))}"


def _solution(question: Question) -> str:
    """The right answer in Markdown, for a page on which nobody can answer."""
    answer = question.answer
    if isinstance(answer, Order):
        lines = "\n".join(f"    {line}" for line in answer.right)
        return f"{lines}\n\n{question.truth}"
    right = f"**{answer.show(answer.right)}**" if isinstance(answer, Number) else (answer.right or "")
    because = f", because {question.reasons.right}" if question.reasons else ""
    return f"{right}{because}\n\n{question.truth}"
