"""What follows from the reports of a log, each claim once, with the evidence that several rest on given once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from string import ascii_lowercase

from pgtlab.linux.oops.diagnosis import NOT_ENOUGH, diagnose
from pgtlab.linux.oops.infer import infer_all
from pgtlab.linux.oops.inference import Evidence, Inference
from pgtlab.linux.oops.report import Log

MOST_REPORTS = 16  # whose conclusions are looked at: later reports of a log repeat the first


def conclusions(log: Log) -> tuple[tuple[Inference, tuple[int, ...]], ...]:
    """The inferences of all reports, in their order, with the numbers (from 1) of the reports that they follow from."""
    return merged(islice(infer_all(log), MOST_REPORTS))


def merged(inferred: Iterable[tuple[Inference, ...]]) -> tuple[tuple[Inference, tuple[int, ...]], ...]:
    """The same, where the inferences of each report are at hand."""
    found: dict[Inference, list[int]] = {}
    for number, inferences in enumerate(inferred, 1):
        for inference in inferences:
            same = next((one for one in found if _same(one, inference)), None)
            if same is None:
                found[inference] = [number]
                continue
            numbers = found[same]
            if len(inference.evidence) > len(same.evidence):  # the same, better supported
                found = {inference if one is same else one: where for one, where in found.items()}
            numbers.append(number)
    return tuple((inference, tuple(numbers)) for inference, numbers in found.items())


def _same(one: Inference, other: Inference) -> bool:
    return (one.name, one.value, one.claim) == (other.name, other.value, other.claim)


def diagnosis_lines(log: Log) -> list[str]:
    """The diagnosis of each report that carries one, with its evidence; one line where none does."""
    looked_at = zip(log.reports[:MOST_REPORTS], infer_all(log), strict=False)
    found = [(n, diagnose(report, log, inferences)) for n, (report, inferences) in enumerate(looked_at, 1)]
    lines = ["Diagnosis", "---------"]
    for number, diagnosis in found:
        if diagnosis.name != NOT_ENOUGH:
            lines.append(f"  report {number}: {diagnosis.sentence} ({diagnosis.confidence})")
            lines += [f"    {piece}" for piece in diagnosis.evidence]
    if len(lines) == 2:
        number, diagnosis = found[0]
        lines.append(f"  not enough evidence: {diagnosis.sentence}")
        lines += [f"    {piece}" for piece in diagnosis.evidence]
    return lines


def conclusion_lines(log: Log) -> list[str]:
    """The claims, each with its confidence and the letters of its evidence; below them the evidence by letter."""
    found = conclusions(log)
    if not found:
        return []
    evidence = list(dict.fromkeys(piece for inference, _ in found for piece in inference.evidence))
    letters = {piece: letter(n) for n, piece in enumerate(evidence)}
    shown = min(len(log.reports), MOST_REPORTS)
    lines = ["What follows", "------------"]
    lines += [f"  {line}" for line in _claims(found, letters, shown)]
    lines += ["  because"]
    return lines + [f"    {letters[piece]}  {piece}" for piece in evidence]


def _claims(
    found: Sequence[tuple[Inference, tuple[int, ...]]], letters: dict[Evidence, str], reports: int
) -> Iterator[str]:
    for inference, numbers in found:
        about = f"report {numbers[0]}: " if len(numbers) == 1 and reports > 1 else ""
        why = ", ".join(letters[piece] for piece in inference.evidence)
        yield f"{about}{inference.claim} ({inference.confidence}{': ' + why if why else ''})"


def letter(n: int) -> str:
    """The n-th name of a piece of evidence.

    >>> letter(0), letter(25), letter(26)
    ('a', 'z', 'aa')
    """
    count = len(ascii_lowercase)
    return (letter(n // count - 1) if n >= count else "") + ascii_lowercase[n % count]
