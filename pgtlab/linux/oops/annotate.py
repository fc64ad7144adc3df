"""A log line by line, with what was made of each: what is decoded from it, and which claims rest on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from pgtlab.linux.oops.conclusions import MOST_REPORTS, merged
from pgtlab.linux.oops.diagnosis import NOT_ENOUGH, diagnose
from pgtlab.linux.oops.infer import infer_all
from pgtlab.linux.oops.inference import Evidence, Inference
from pgtlab.linux.oops.report import Log
from pgtlab.linux.oops.text import facts_remarks, remarks

CONTEXT = 2  # lines around what matters
MOST_LINES = 300  # that are shown at first


@dataclass(frozen=True)
class Claim:
    """Something that is said of a log: a diagnosis, or an inference.

    Attributes
    ----------
    text : str
        The claim in words.
    confidence : str
        A key of `inference.CONFIDENCE`; empty where nothing is concluded.
    evidence : tuple of Evidence
        From what it follows.
    reports : tuple of int
        The reports that it is of, counted from 1.
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
    """A log, and what was made of it.

    Attributes
    ----------
    log : Log
        As it was read.
    diagnoses : tuple of Claim
        What went wrong; where no report carries that, one that says so.
    inferences : tuple of Claim
        What else follows.
    remarks : mapping of int to tuple of str
        What was decoded from a line, by its number.
    """

    log: Log
    diagnoses: tuple[Claim, ...]
    inferences: tuple[Claim, ...]
    remarks: Mapping[int, tuple[str, ...]]

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """All, the diagnoses first."""
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
        """The numbers of the lines that matter, at most `MOST_LINES`: the rest may be folded away.

        What claims rest on comes before what only was decoded, and that before the rest of the reports.
        """
        last = len(self.lines) - (not self.lines[-1])
        cited = {line for claim in self.claims for line in claim.lines}
        found: dict[int, None] = {}
        for numbers in (sorted(cited), sorted(self.remarks), *(report.lines for report in self.log.reports)):
            for number in numbers:
                for near in range(max(1, number - CONTEXT), min(last, number + CONTEXT) + 1):
                    if len(found) < MOST_LINES or near in cited:
                        found[near] = None
        return tuple(sorted(found))


def annotate(log: Log) -> AnnotatedLog:
    """What was made of a log, for each line and for all.

    >>> from pgtlab.linux.oops.read import read
    >>> it = annotate(read("Unable to handle kernel paging request at virtual address dead000000000108\\n"
    ...     "Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP"))
    >>> [(claim.confidence, claim.lines) for claim in it.diagnoses], it.remarks[1]
    ([('derived', (1,))], ('FAR_EL1 dead000000000108',))
    """
    inferred = tuple(islice(infer_all(log), MOST_REPORTS))
    said: dict[int, tuple[str, ...]] = {}
    for one in (*map(remarks, log.reports), facts_remarks(log.facts)):
        for line, texts in one.items():
            said[line] = (*said.get(line, ()), *texts)
    inferences = tuple(Claim(it.claim, it.confidence, it.evidence, reports) for it, reports in merged(inferred))
    return AnnotatedLog(log, tuple(_diagnoses(log, inferred)), inferences, said)


def _diagnoses(log: Log, inferred: Sequence[tuple[Inference, ...]]) -> Iterator[Claim]:
    looked_at = zip(log.reports, inferred, strict=False)
    found = [(diagnose(report, log, its), number) for number, (report, its) in enumerate(looked_at, 1)]
    told = [(it, number) for it, number in found if it.name != NOT_ENOUGH]
    for it, number in told or found[:1]:
        sentence = it.sentence if told else f"not enough evidence: {it.sentence}"
        yield Claim(sentence, it.confidence, it.evidence, (number,))
