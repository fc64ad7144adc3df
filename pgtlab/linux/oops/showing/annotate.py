"""A log line by line: what is decoded from a line, which claims rest on it, and what its numbers mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pgtlab.arch import esr
from pgtlab.linux.oops.inferring.inference import Evidence
from pgtlab.linux.oops.reading.report import PrintedReport
from pgtlab.linux.oops.showing import OopsLog
from pgtlab.linux.oops.showing.text import facts_remarks, remarks

CONTEXT = 2  # lines around what matters
MOST_LINES = 300  # that are shown at first


@dataclass(frozen=True)
class Claim:
    """A claim about a log: a diagnosis or an inference.

    Attributes
    ----------
    text : str
        The claim in words.
    confidence : str
        A key of `inference.CONFIDENCE`; empty if nothing is concluded.
    evidence : tuple of Evidence
        What it rests on.
    reports : tuple of int
        The reports that it is about, counted from 1.
    """

    text: str
    confidence: str
    evidence: tuple[Evidence, ...]
    reports: tuple[int, ...]

    @cached_property
    def lines(self) -> tuple[int, ...]:
        """The lines that it rests on."""
        return tuple(sorted({line for piece in self.evidence for line in piece.lines}))


@dataclass(frozen=True)
class AnnotatedLog:
    """A log with everything that was decoded and concluded from it.

    Attributes
    ----------
    log : OopsLog
        The log that was read.
    diagnoses : tuple of Claim
        What went wrong; one claim that says so, if the evidence is not enough for any.
    inferences : tuple of Claim
        What else follows.
    remarks : mapping of int to tuple of str
        What was decoded from a line, by its number.
    """

    log: OopsLog
    diagnoses: tuple[Claim, ...]
    inferences: tuple[Claim, ...]
    remarks: Mapping[int, tuple[str, ...]]

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """All claims, the diagnoses first."""
        return self.diagnoses + self.inferences

    def resting_on(self, line: int) -> tuple[Claim, ...]:
        """The claims whose evidence is in a line."""
        return tuple(claim for claim in self.claims if line in claim.lines)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines of the log as they were given."""
        return tuple(line.rstrip("\r") for line in self.log.text.split("\n"))

    @cached_property
    def shown(self) -> tuple[int, ...]:
        """The numbers of the lines that matter, at most `MOST_LINES`; a view may fold away all others.

        Lines that claims rest on come first, then lines that were decoded, then the other lines of the reports.
        """
        last = len(self.lines) - (not self.lines[-1])
        cited = {line for claim in self.claims for line in claim.lines}
        kept: set[int] = set()
        for numbers in (sorted(cited), sorted(self.remarks), *(report.lines for report in self.log.reports)):
            for number in numbers:
                for near in range(max(1, number - CONTEXT), min(last, number + CONTEXT) + 1):
                    if len(kept) < MOST_LINES or near in cited:
                        kept.add(near)
        return tuple(sorted(kept))


def annotate(log: OopsLog) -> AnnotatedLog:
    """Annotate a log: the claims, and what was decoded from each line.

    >>> from pgtlab.linux import oops
    >>> annotated = annotate(oops.read("Unable to handle kernel paging request at virtual address dead000000000108\\n"
    ...     "Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP"))
    >>> [(claim.confidence, claim.lines) for claim in annotated.diagnoses], annotated.remarks[1]
    ([('derived', (1,))], ('FAR_EL1 dead000000000108',))
    """
    diagnoses = (
        Claim(
            diagnosis.sentence if diagnosis.confidence else f"not enough evidence: {diagnosis.sentence}",
            diagnosis.confidence,
            diagnosis.evidence,
            (number,),
        )
        for number, diagnosis in log.diagnoses.items()
    )
    inferences = (
        Claim(inference.claim, inference.confidence, inference.evidence, numbers)
        for inference, numbers in log.inferences
    )
    by_line: dict[int, tuple[str, ...]] = {}
    for part in (*map(remarks, log.reports), *(facts_remarks(part.facts) for part in log.parts)):
        for line, texts in part.items():
            by_line[line] = (*by_line.get(line, ()), *texts)
    return AnnotatedLog(log, tuple(diagnoses), tuple(inferences), by_line)


WIDE, NAMED = 1 << 16, 1 << 8  # values that are rare enough alone, or with their name
_NUMBER = re.compile(
    r"(?:\b([A-Za-z_]\w*) {0,2}[:=] ?)?"
    r"(?<![\w.+/#])(0x[0-9a-f]+|[0-9a-f]{8,16}|(?<=pfn:)[0-9a-f]+|-?\d+)(?![\w.-])"
)
_ESR_NAMES = {"FSC": ("DFSC", "IFSC")}  # the kernel's name, and those of the Arm ARM


@dataclass(frozen=True)
class PrintedNumber:
    """A number in a line of a log, from its column `start`, counted from 0; `name` is what stands before it.

    >>> print(*numbers_in(4, "page: refcount:0 mapcount:-512 mapping:0000000000000000 index:0x0 pfn:0x40a01"), sep=", ")
    refcount 0, mapcount -512, mapping 0000000000000000, index 0x0, pfn 0x40a01
    """

    line: int
    start: int
    text: str
    value: int
    name: str = ""

    @property
    def end(self) -> int:
        """The column after it."""
        return self.start + len(self.text)

    def __str__(self) -> str:
        return f"{self.name} {self.text}".strip()


@dataclass(frozen=True)
class NumberExplanation:
    """What is known about a number: the steps that contain it, the claims that rest on them, their other numbers."""

    steps: tuple[str, ...]
    claims: tuple[Claim, ...] = ()
    inputs: tuple[PrintedNumber, ...] = ()


def numbers_in(line: int, text: str) -> Iterator[PrintedNumber]:
    """The numbers in a line of a log, as the kernel prints them: long ones and frame numbers are hexadecimal."""
    for match in _NUMBER.finditer(text):
        name, digits = match[1] or "", match[2]
        hexadecimal = digits.startswith("0x") or name == "pfn" or len(digits.lstrip("-")) >= 8
        if hexadecimal or digits.lstrip("-").isdecimal():
            yield PrintedNumber(line, match.start(2), digits, int(digits, 16 if hexadecimal else 10), name)


@dataclass(frozen=True)
class _Statement:
    """A statement about a log, with the lines that it rests on."""

    text: str
    lines: frozenset[int]
    claims: tuple[Claim, ...] = ()

    @cached_property
    def values(self) -> frozenset[int]:
        return frozenset(number.value for number in numbers_in(0, self.text))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", self.text))

    def is_about(self, number: PrintedNumber) -> bool:
        if number.value not in self.values:
            return False
        if number.value >= WIDE:
            return True
        named = number.name in self.words
        return (named and abs(number.value) >= NAMED) or (number.line in self.lines and (named or not number.name))

    def tells(self, number: PrintedNumber) -> bool:
        """Whether the statement is about the number, and says more than the number itself."""
        return self.is_about(number) and self.text != f"{number.name} = {number.text}"


def explanations(annotated: AnnotatedLog) -> dict[PrintedNumber, NumberExplanation]:
    """What is known about the numbers of a log.

    >>> from pgtlab.linux import oops
    >>> log = oops.read("Mem abort info:\\n  ESR = 0x0000000096000004\\n  EC = 0x25: DABT (current EL), IL = 32 bits\\n"
    ...     "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
    >>> for number, known in explanations(annotate(log)).items():
    ...     print(f"{number}: {known.steps[0]}")
    ESR 0x0000000096000004: ESR_EL1 0x96000004: Data Abort taken without a change in Exception level: Translation fault, level 0, reading
    EC 0x25: EC = ESR_EL1[31:26] = 0x25: Data Abort taken without a change in Exception level
    Oops 0000000096000004: ESR_EL1 0x96000004: Data Abort taken without a change in Exception level: Translation fault, level 0, reading
    """  # noqa: E501 - as it is printed
    every = [number for line, text in enumerate(annotated.lines, 1) for number in numbers_in(line, text)]
    pieces = list(_pieces(annotated))
    explained: dict[PrintedNumber, NumberExplanation] = {}
    for number in every:
        # The step that gives a number comes before those that go on from it.
        about = sorted((piece for piece in pieces if piece.tells(number)), key=lambda piece: _given(piece, number))
        if about:
            explained[number] = _explanation(annotated, number, about, every)
    for report in annotated.log.reports:
        for number, field in _syndrome(report, every):
            syndromes = tuple(other for other in every if other.value == report.esr)
            explained[number] = NumberExplanation((field,), inputs=syndromes)
    return dict(sorted(explained.items(), key=lambda item: (item[0].line, item[0].start)))


def _pieces(annotated: AnnotatedLog) -> Iterator[_Statement]:
    """Every step of the evidence once, with the claims that rest on it; and what was decoded."""
    resting: dict[Evidence, list[Claim]] = {}
    for claim in annotated.claims:
        for evidence in claim.evidence:
            resting.setdefault(evidence, []).append(claim)
    steps: dict[str, _Statement] = {}
    for evidence, claims in resting.items():
        for step in _steps(evidence.text):
            old = steps.get(step, _Statement(step, frozenset()))
            both = tuple(dict.fromkeys((*old.claims, *claims)))
            steps[step] = _Statement(step, old.lines | frozenset(evidence.lines), both)
    yield from steps.values()
    for line, texts in annotated.remarks.items():
        for text in texts:
            yield _Statement(text, frozenset((line,)))


def _steps(text: str) -> list[str]:
    """The steps of a derivation such as `x1 = x0 >> 6: 0x40 >> 6 = 0x1; x2 = ...`; any other text is one step."""
    parts = text.split("; ")
    return parts if all(re.match(r"\w+( = \w+)* = .*: .* = ", part) for part in parts) else [text]


def _given(piece: _Statement, number: PrintedNumber) -> tuple[bool, bool]:
    return not piece.text.startswith(f"{number.name} = "), not piece.claims


def _explanation(
    annotated: AnnotatedLog, number: PrintedNumber, about: list[_Statement], every: list[PrintedNumber]
) -> NumberExplanation:
    more = annotated.remarks.get(number.line, ()) if any(number.line in piece.lines for piece in about) else ()
    steps = (*(piece.text for piece in about), *more)
    # The inputs are those of the first step: the one that gives the number, or says what it is.
    inputs = tuple(other for other in every if other != number and about[0].is_about(other))
    claims = tuple(dict.fromkeys(claim for piece in about for claim in piece.claims))
    return NumberExplanation(tuple(dict.fromkeys(steps)), claims, inputs)


def _syndrome(report: PrintedReport, every: list[PrintedNumber]) -> Iterator[tuple[PrintedNumber, str]]:
    """The numbers that the kernel printed for fields of ESR_EL1, each with the bits of its field."""
    if report.esr is None:
        return
    first, last = report.lines[0], report.lines[-1]
    whole = esr.decode(report.esr).fields
    fields = {part.name: part for field in whole for part in (field, *field.parts) if part.name != "RES0"}
    for number in every:
        names = _ESR_NAMES.get(number.name, (number.name,))
        field = next((fields[name] for name in names if name in fields), None)
        if field is not None and first <= number.line <= last and field.value == number.value:
            bits = f"{field.hi}:{field.lo}" if field.hi != field.lo else f"{field.hi}"
            meaning = f": {field.meaning.rstrip('.')}" if field.meaning else ""
            yield number, f"{field.name} = ESR_EL1[{bits}] = {field.value:#x}{meaning}"
