"""What follows from a log: a claim, the lines and the arithmetic that lead to it, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_REPORTS = 16  # of one log: later reports repeat the first ones

STATED = "stated"
DERIVED = "derived"
LIKELY = "likely"
POSSIBLE = "possible"
#: How sure a claim is, surest first.
CONFIDENCE = {
    STATED: "the log states it",
    DERIVED: "it follows by arithmetic; the chance that the numbers agree by accident is below 2^-20",
    LIKELY: "it fits best, but rests on a usual setting, which is named, or other lines disagree",
    POSSIBLE: "one of several that fit, all of them listed",
}
_DECIMAL = (
    "page_size",
    "va_bits",
    "vabits_actual",
    "levels",
    "pa_bits",
    "mem_section_size",
    "section_size",
)


@dataclass(frozen=True)
class Evidence:
    """One step of a derivation, and the lines of the log that it uses."""

    text: str
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.text + (f" ({lines_in_words(self.lines)})" if self.lines else "")

    def as_dict(self) -> dict[str, object]:
        """The step as plain data."""
        return {"text": self.text, "lines": list(self.lines)}


@dataclass(frozen=True, repr=False)
class Inference:
    """A conclusion.

    >>> print(Inference("page_size", 4096, "pages have 4096 bytes", (Evidence("4k pages", (7,)),), STATED))
    page_size = 4096 (stated): pages have 4096 bytes
      4k pages (line 7)

    Attributes
    ----------
    name : str
        What it is about, for programs: `page_size`, `vmemmap`, `disagreement`.
    value : int or str
        The conclusion itself.
    claim : str
        The conclusion in words.
    evidence : tuple of Evidence
        The steps that lead to it, with the arithmetic.
    confidence : str
        A key of `CONFIDENCE`.
    """

    name: str
    value: int | str
    claim: str
    evidence: tuple[Evidence, ...]
    confidence: str

    @property
    def value_text(self) -> str:
        """The value as a kernel engineer writes it: sizes and counts in decimal, all else in hexadecimal."""
        if isinstance(self.value, str) or self.name in _DECIMAL:
            return str(self.value)
        return f"{self.value:#x}"

    def __str__(self) -> str:
        lines = [f"{self.name} = {self.value_text} ({self.confidence}): {self.claim}"]
        return "\n".join(lines + [f"  {evidence}" for evidence in self.evidence])

    def __repr__(self) -> str:
        return f"Inference({self.name} = {self.value_text}, {self.confidence})"

    def as_dict(self) -> dict[str, object]:
        """The inference as plain data; a number that is not a small decimal one is a hexadecimal string."""
        return {
            "name": self.name,
            "value": self.value if self.name in _DECIMAL else self.value_text,
            "claim": self.claim,
            "evidence": [evidence.as_dict() for evidence in self.evidence],
            "confidence": self.confidence,
        }


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What went wrong, or that the evidence is not enough.

    Attributes
    ----------
    name : str
        A key of `diagnosis.NAMES`.
    sentence : str
        What went wrong, without a full stop.
    evidence : tuple of Evidence
        What it rests on; for `not-enough-evidence`, what the log has.
    confidence : str
        A key of `CONFIDENCE`; empty if nothing is concluded.
    """

    name: str
    sentence: str
    evidence: tuple[Evidence, ...] = ()
    confidence: str = ""

    def __str__(self) -> str:
        headline = (
            f"{self.sentence} ({self.confidence})" if self.confidence else f"not enough evidence: {self.sentence}"
        )
        return "\n".join([headline, *(f"  {evidence}" for evidence in self.evidence)])

    __repr__ = __str__

    def as_dict(self) -> dict[str, object]:
        """The diagnosis as plain data."""
        return {
            "name": self.name,
            "sentence": self.sentence,
            "evidence": [evidence.as_dict() for evidence in self.evidence],
            "confidence": self.confidence or None,
        }


def lines_in_words(lines: Iterable[int]) -> str:
    """Line numbers in words.

    >>> lines_in_words([31]), lines_in_words([33, 31, 33])
    ('line 31', 'lines 31 and 33')
    """
    numbers = [str(number) for number in sorted(set(lines))]
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    return f"lines {', '.join(numbers[:-1])} and {numbers[-1]}"
