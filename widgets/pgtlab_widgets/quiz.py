"""Quiz mode of a view: values are hidden, and the reader fills them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets

from pgtlab.lab.answers import Choice
from pgtlab.lab.fill_in import Blank, Filled, FillIn
from pgtlab_widgets.turns import in_turn


class Quiz(traitlets.HasTraits):
    """The quiz of a view; a subclass says what is asked, in `blanks()`, and calls `ask()` when that changes.

    Attributes
    ----------
    quiz : bool
        Whether values are hidden.
    quiz_answers : dict of Filled
        What the reader said, by the key of each question; observe it to record the answers.
    """

    quiz = traitlets.Bool()
    quiz_answers: dict[str, Filled] = traitlets.Dict()  # type: ignore[assignment]

    _quiz: FillIn | None = None
    _round = 0  # how often it was asked from the beginning

    @traitlets.observe("quiz")
    def _switched(self, change: object) -> None:
        """Begin a quiz about what is shown, or show everything again."""
        if getattr(self, "view", None):  # otherwise there is nothing yet
            self.ask()
            self.answered()

    def blanks(self) -> Sequence[Blank]:
        """The values to fill in."""
        raise NotImplementedError

    def ask(self) -> None:
        """Ask about what the view shows now, from the beginning."""
        self._quiz = FillIn(self.blanks()) if self.quiz else None
        self._round += 1
        self.quiz_answers = {} if self._quiz is None else dict(self._quiz.answers)

    @property
    def hidden(self) -> set[str]:
        """The keys of the values that are hidden."""
        return set() if self._quiz is None else self._quiz.hidden

    def answered(self) -> None:
        """Show what follows from an answer."""
        raise NotImplementedError

    @in_turn
    def say(self, text: str) -> None:
        """Answer the current question."""
        if self._quiz is not None:
            self._quiz.say(text)
            self._record()

    @in_turn
    def unknown(self) -> None:
        """Be told the value that is asked for."""
        if self._quiz is not None:
            self._quiz.unknown()
            self._record()

    def _record(self) -> None:
        assert self._quiz is not None
        self.quiz_answers = dict(self._quiz.answers)
        self.answered()

    def hear(self, message: dict[str, Any]) -> None:
        """Handle an answer from the browser, unless it is to a question that is no longer asked."""
        if self._quiz is not None and self._quiz.current is not None and message["blank"] == self._quiz.current.key:
            self.say(message["say"]) if "say" in message else self.unknown()

    def quiz_drawn(self) -> dict[str, Any] | None:
        """The current question, for `quiz.js`; None where nothing is asked."""
        quiz = self._quiz
        if quiz is None or not quiz.blanks:
            return None
        blank = quiz.current
        choice = blank.answer if blank is not None and isinstance(blank.answer, Choice) else None
        return {
            "blank": blank.key if blank else "",
            "round": self._round,
            "ask": blank.ask if blank else "",
            "options": list(choice.shown(blank.key)) if choice and blank else [],
            "number": len(quiz.blanks) - len(quiz.hidden) + 1,
            "of": len(quiz.blanks),
            "feedback": quiz.feedback,
            "good": quiz.good,
            "error": quiz.error,
            "summary": "" if blank else quiz.summary(),
        }
