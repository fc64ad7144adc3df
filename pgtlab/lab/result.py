"""The result of checking an answer: a line for each check, for the learner to read and for a grader to count."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

State = Literal["right", "wrong", "not judged"]

NOT_WRITTEN = "is not written yet."
_EMPTY = re.compile(rf"`\w+(\(\))?` {re.escape(NOT_WRITTEN)}")
_MARKS: dict[State, str] = {"right": "✓", "wrong": "✗", "not judged": "–"}


@dataclass(frozen=True)
class Finding:
    """What one check found: the sentence for a right answer, and the hint for a wrong one.

    Attributes
    ----------
    check : str
        The check's name.
    says : str
        The sentence that is true of a right answer.
    state : str
        `right`, `wrong`, or `not judged` after an answer that raised an exception.
    hint : str
        Where to look next; empty unless the state is `wrong`.
    points : int
        What it counts.
    misconception : str
        The wrong idea that explains the answer, a key of misconceptions.toml; empty if none does.
    stopped : bool
        Whether the answer raised an exception, did not end, or could not be used.
    """

    check: str
    says: str
    state: State
    hint: str = ""
    points: int = 1
    misconception: str = ""
    stopped: bool = False

    def __str__(self) -> str:
        line = f"{_MARKS[self.state]} {self.says}"
        return f"{line}\n  {self.hint}" if self.hint else line


@dataclass(frozen=True)
class Result:
    """What all checks of an answer or a kernel found. It shows itself in a notebook.

    Attributes
    ----------
    exercise : str
        The exercise, or the functions that a kernel was patched with.
    seed : int or str
        What it was tried on.
    findings : tuple of Finding
        What each check found, in order.
    reason : str
        Why a kernel was not judged, in a sentence; empty if it was.
    unit : str
        What is counted: the checks of a kernel, or the points of an exercise.
    later : int
        The points of checks that only the grader has.

    Examples
    --------
    >>> right = Finding("offset", "The offset is right.", "right", points=2)
    >>> wrong = Finding("levels", "The levels are right.", "wrong", "Where does the walk start?", points=3)
    >>> result = Result("01_indices", "1f9a33c0", (right, wrong), unit="points")
    >>> print(result)
    01_indices: 2 of 5 points
    ✓ The offset is right.
    ✗ The levels are right.
      Where does the walk start?
    >>> result.points, result.of, result.state, result.feedback
    (2, 5, 'partly', 'Where does the walk start?')
    >>> Result("pud_free()", 0, (Finding("survives", "No kernel panics.", "not judged"),), "it stopped").headline
    'pud_free(): not judged: it stopped'
    """

    exercise: str
    seed: int | str
    findings: tuple[Finding, ...]
    reason: str = ""
    unit: Literal["checks", "points"] = "checks"
    later: int = 0

    @property
    def passed(self) -> bool:
        """Whether every check found the answer right."""
        return all(finding.state == "right" for finding in self.findings)

    @property
    def points(self) -> int:
        """The points of the checks that found it right."""
        return sum(finding.points for finding in self.findings if finding.state == "right")

    @property
    def of(self) -> int:
        """The points of all checks that were tried."""
        return sum(finding.points for finding in self.findings)

    @property
    def score(self) -> float:
        """The share of the points, from 0.0 to 1.0."""
        return self.points / self.of

    @property
    def state(self) -> Literal["solved", "partly", "wrong", "not written", "stopped"]:
        """What became of the answer, in a word or two."""
        if self.passed:
            return "solved"
        if any(finding.stopped for finding in self.findings):
            empty = not self.points and _EMPTY.fullmatch(self.feedback)  # whose exception said so has written something
            return "not written" if empty else "stopped"
        return "partly" if self.points else "wrong"

    @property
    def feedback(self) -> str:
        """What to say about the first thing that is wrong, or why nothing was judged; empty if nothing is wrong."""
        return next((finding.hint for finding in self.findings if finding.hint), self.reason)

    @property
    def misconception(self) -> str:
        """The wrong idea that explains the first thing that is wrong; empty if none is known."""
        return next((finding.misconception for finding in self.findings if finding.hint), "")

    @property
    def headline(self) -> str:
        """The outcome in a few words, or why the answer was not judged."""
        if self.reason:
            return f"{self.exercise}: not judged: {self.reason}"
        count = f"{self.points} of {self.of} {self.unit}"
        later = f", and {self.later} more when it is graded" if self.later and self.passed else ""
        return f"{self.exercise}: {'solved, ' if self.passed else ''}{count}{later}"

    def as_dict(self) -> dict[str, object]:
        """The result as plain data, for a grader."""
        return {
            "exercise": self.exercise,
            "seed": self.seed,
            "passed": self.passed,
            "score": self.score,
            "points": self.points,
            "of": self.of,
            "state": self.state,
            "feedback": self.feedback,
            "misconception": self.misconception,
            "reason": self.reason,
            "checks": [
                {"check": finding.check, "says": finding.says, "state": finding.state, "hint": finding.hint}
                for finding in self.findings
            ],
        }

    def __str__(self) -> str:
        return "\n".join([self.headline, *map(str, self.findings)])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": _html(self)}


def _html(result: Result) -> str:
    box = ElementTree.Element("div", {"class": "pgtlab-check"})
    _write(ElementTree.SubElement(box, "strong"), result.headline)
    lines = ElementTree.SubElement(box, "ul", {"style": "list-style: none; padding-left: 0.5em"})
    for finding in result.findings:
        line = ElementTree.SubElement(lines, "li", {"class": finding.state.replace(" ", "-")})
        mark = ElementTree.SubElement(line, "span", {"role": "img", "aria-label": finding.state})
        mark.text, mark.tail = _MARKS[finding.state], " "
        _write(ElementTree.SubElement(line, "span"), finding.says)
        if finding.hint:
            _write(ElementTree.SubElement(line, "div", {"style": "margin: 0 0 0.5em 1.5em"}), finding.hint)
    return ElementTree.tostring(box, encoding="unicode")


def _write(element: ElementTree.Element, text: str) -> None:
    """Put `text` into an element, with what is between backticks as code."""
    element.text, *spans = text.split("`")
    for number, span in enumerate(spans):
        if number % 2 == 0:
            ElementTree.SubElement(element, "code").text = span
        else:
            element[-1].tail = span
