"""The result of checking an answer: a line for each check, for the learner to read and for a grader to count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

State = Literal["right", "wrong", "not judged"]

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
    """

    check: str
    says: str
    state: State
    hint: str = ""

    def __str__(self) -> str:
        line = f"{_MARKS[self.state]} {self.says}"
        return f"{line}\n  {self.hint}" if self.hint else line


@dataclass(frozen=True)
class Result:
    """What all checks of an answer or a kernel found. It shows itself in a notebook.

    `reason` says in a sentence why a kernel was not judged; it is empty if it was.

    >>> right = Finding("offset", "The offset is right.", "right")
    >>> wrong = Finding("levels", "The levels are right.", "wrong", "Where does the walk start?")
    >>> result = Result("01_indices", 0, (right, wrong))
    >>> print(result)
    01_indices: 1 of 2 checks
    ✓ The offset is right.
    ✗ The levels are right.
      Where does the walk start?
    >>> result.passed, result.score
    (False, 0.5)
    >>> Result("pud_free()", 0, (Finding("survives", "No kernel panics.", "not judged"),), "it stopped").headline
    'pud_free(): not judged: it stopped'
    """

    exercise: str
    seed: int | str
    findings: tuple[Finding, ...]
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check found the answer right."""
        return all(finding.state == "right" for finding in self.findings)

    @property
    def score(self) -> float:
        """The share of the checks that found it right, from 0.0 to 1.0."""
        return sum(finding.state == "right" for finding in self.findings) / len(self.findings)

    @property
    def headline(self) -> str:
        """The outcome in a few words, or why the answer was not judged."""
        if self.reason:
            return f"{self.exercise}: not judged: {self.reason}"
        right = sum(finding.state == "right" for finding in self.findings)
        return f"{self.exercise}: {'solved, ' if self.passed else ''}{right} of {len(self.findings)} checks"

    def as_dict(self) -> dict[str, object]:
        """The result as plain data, for a grader."""
        return {
            "exercise": self.exercise,
            "seed": self.seed,
            "passed": self.passed,
            "score": self.score,
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
