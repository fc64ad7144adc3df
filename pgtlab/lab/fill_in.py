"""A quiz on what a view shows: its values are hidden, and the reader fills them in, one after the other.

A wrong number gets the feedback of the one wrong rule that computes it. Where no rule does, or several do, an
intermediate step is asked for first. "I don't know" tells the value and costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pgtlab.lab.answers import Choice, Number, UnreadableAnswer

Verdict = Literal["open", "right", "unknown"]


@dataclass(frozen=True)
class Index(Number):
    """The number of an entry, which is typed in decimal or with 0x, and shown as both.

    >>> Index(0).read("0x2a"), Index(0).read("42"), Index(0).show(42), Index(0).show(7)
    (42, 42, '0x2a (42)', '7')
    """

    def show(self, value: int) -> str:
        """Return an index as the reader sees it."""
        return f"{value:#x} ({value})" if value > 9 else f"{value}"


@dataclass(frozen=True)
class Blank:
    """A value to fill in.

    Attributes
    ----------
    key : str
        Its name, such as `level 1`.
    ask : str
        The question.
    answer : Number or Choice
        The right value, and how it is given.
    wrong : mapping
        What to say to wrong values that a known wrong rule computes.
    steps : tuple of Blank
        What is asked first after a wrong value that no single rule explains.
    """

    key: str
    ask: str
    answer: Number | Choice
    wrong: Mapping[Any, str] = field(default_factory=dict)  # by int or str, as the answer is
    steps: tuple[Blank, ...] = ()

    @property
    def right(self) -> str:
        """The right value as text."""
        answer = self.answer
        return answer.show(answer.value) if isinstance(answer, Number) else answer.right

    def remark(self, value: int | str) -> str:
        """What to say to a wrong value; empty if no single rule explains it."""
        return self.wrong.get(value, "")


@dataclass(frozen=True)
class Filled:
    """What a reader said to a blank: every readable answer, and how it ended."""

    key: str
    ask: str
    right: str
    said: tuple[str, ...] = ()
    verdict: Verdict = "open"


class FillIn:
    """The state of a quiz.

    Parameters
    ----------
    blanks : sequence of Blank
        The values to fill in, in order. Their keys differ.

    Examples
    --------
    >>> bits = Blank("bits", "How many bits does an index have?", Number(9), {12: "An entry has 8 bytes."})
    >>> quiz = FillIn([Blank("level", "Where does the walk start?", Number(0), {4: "Levels begin at 0."}, (bits,))])
    >>> quiz.say("4")
    >>> quiz.feedback
    'Levels begin at 0.'
    >>> quiz.say("2")
    >>> quiz.current.key
    'bits'
    >>> quiz.unknown()
    >>> quiz.say("0")
    >>> quiz.hidden, quiz.answers["level"].said, quiz.answers["level"].verdict
    (set(), ('4', '2', '0'), 'right')
    """

    def __init__(self, blanks: Sequence[Blank]) -> None:
        self.blanks = tuple(blanks)
        self.feedback, self.good, self.error = "", False, ""
        self._detour: list[Blank] = []
        self._stepped: set[str] = set()  # whose steps were asked
        self.answers = {blank.key: Filled(blank.key, blank.ask, blank.right) for blank in self.blanks}

    @property
    def hidden(self) -> set[str]:
        """The keys of the values that the reader does not know yet."""
        return {blank.key for blank in self.blanks if self.answers[blank.key].verdict == "open"}

    @property
    def current(self) -> Blank | None:
        """The value that is asked for; None when all are there."""
        if self._detour:
            return self._detour[0]
        return next((blank for blank in self.blanks if blank.key in self.hidden), None)

    def say(self, text: str) -> None:
        """Judge an answer to the current question."""
        blank = self.current
        if blank is None:
            return
        try:
            value = blank.answer.read(text)
        except UnreadableAnswer as error:
            self.error = str(error).replace("`", "")
            return
        before = self.answers.get(blank.key) or Filled(blank.key, blank.ask, blank.right)
        shown = blank.answer.show(value)  # type: ignore[arg-type]
        right = value == blank.answer.right
        said = (*before.said, shown)
        self.answers[blank.key] = Filled(blank.key, blank.ask, blank.right, said, "right" if right else "open")
        self.error, self.good = "", right
        if right:
            self.feedback = f"Right: {blank.right}."
            self._leave(blank)
        else:
            self.feedback = blank.remark(value) or self._ask_first(blank, shown)

    def unknown(self) -> None:
        """Tell the value."""
        blank = self.current
        if blank is None:
            return
        before = self.answers.get(blank.key) or Filled(blank.key, blank.ask, blank.right)
        self.answers[blank.key] = Filled(blank.key, blank.ask, blank.right, before.said, "unknown")
        self.error, self.good, self.feedback = "", True, f"It is {blank.right}."
        self._leave(blank)

    def _leave(self, blank: Blank) -> None:
        if self._detour and self._detour[0] is blank:
            self._detour.pop(0)

    def _ask_first(self, blank: Blank, shown: str) -> str:
        """A wrong value that no single rule explains: ask for the steps, once."""
        if not blank.steps or blank.key in self._stepped:
            return f"{shown} is not right. Try again; or say that you do not know, which costs nothing."
        self._stepped.add(blank.key)
        self._detour = [*blank.steps, *self._detour]
        return f"{shown} is not right. One step before it:"

    def summary(self) -> str:
        """How it went, when all values are there."""
        verdicts = [(self.answers[blank.key].verdict, len(self.answers[blank.key].said)) for blank in self.blanks]
        at_once = verdicts.count(("right", 1))
        told = sum(verdict == "unknown" for verdict, _ in verdicts)
        later = len(verdicts) - at_once - told
        parts = [
            f"{at_once} right at once",
            *([f"{later} later"] if later else []),
            *([f"{told} told"] if told else []),
        ]
        return f"All {len(verdicts)} values are there: {', '.join(parts)}."
