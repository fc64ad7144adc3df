"""An annotated log in a view, where a claim (`claim N`, from 0), a line (`line N`) or nothing is chosen."""

from __future__ import annotations

from typing import Any

from pgtlab.linux.oops.inferring.inference import CONFIDENCE
from pgtlab.linux.oops.showing.annotate import AnnotatedLog, Claim


def check_chosen(log: AnnotatedLog | None, chosen: str) -> None:
    """Raise a `ValueError` if there is no such claim or line."""
    kind, _, number = chosen.partition(" ")
    claims, lines = (len(log.claims), len(log.lines)) if log else (0, 0)
    numbers = {"claim": range(claims), "line": range(1, lines + 1)}.get(kind, range(0))
    if kind and not (number.isdecimal() and int(number) in numbers):
        raise ValueError(f"{chosen!r} is not in this log, which has {claims} claims, from 0, and {lines} lines")


def chosen_claim(log: AnnotatedLog | None, chosen: str) -> Claim | None:
    """The chosen claim, if there is one."""
    kind, _, number = chosen.partition(" ")
    return log.claims[int(number)] if log and kind == "claim" else None


def chosen_line(chosen: str) -> int:
    """The chosen line, or 0."""
    kind, _, number = chosen.partition(" ")
    return int(number) if kind == "line" else 0


def lit(log: AnnotatedLog | None, chosen: str) -> tuple[int, ...]:
    """The lines that the chosen claim rests on, or the chosen line."""
    claim, line = chosen_claim(log, chosen), chosen_line(chosen)
    return claim.lines if claim else (line,) if line else ()


def claim_rows(log: AnnotatedLog | None) -> list[dict[str, Any]]:
    """All claims, the diagnoses first."""
    return [] if log is None else [_row(number, claim, log) for number, claim in enumerate(log.claims)]


def _row(number: int, claim: Claim, log: AnnotatedLog) -> dict[str, Any]:
    about = f"report {claim.reports[0]}: " if len(claim.reports) == 1 and len(log.log.reports) > 1 else ""
    return {
        "key": f"claim {number}",
        "text": about + claim.text,
        "sure": claim.confidence,
        "lines": claim.lines,
        "diagnosis": number < len(log.diagnoses),
    }


def because(log: AnnotatedLog | None, chosen: str) -> dict[str, Any]:
    """Why: the evidence of the chosen claim, or what was read from the chosen line."""
    claim, line = chosen_claim(log, chosen), chosen_line(chosen)
    if log is None:
        return {"title": "", "items": []}
    if claim is not None:
        sure = f" ({claim.confidence}: {CONFIDENCE[claim.confidence]})" if claim.confidence else ""
        return {"title": f"{claim.text}{sure}", "items": [str(piece) for piece in claim.evidence]}
    if not line:
        invitation = "Choose a claim to see what it rests on, or a line to see what was read from it."
        return {"title": invitation, "items": []}
    items = [*log.remarks.get(line, ()), *(f"{claim.text} ({claim.confidence})" for claim in log.resting_on(line))]
    title = f"Read from line {line}:" if items else f"Nothing was read from line {line}."
    return {"title": title, "items": items}
