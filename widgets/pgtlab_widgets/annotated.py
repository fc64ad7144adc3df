"""An annotated log as a view shows it: `claim N`, counted from 0, or `line N` of it is chosen, or nothing."""

from __future__ import annotations

from typing import Any

from pgtlab.linux.oops.inferring.inference import CONFIDENCE
from pgtlab.linux.oops.showing.annotate import AnnotatedLog, Claim


def check_chosen(it: AnnotatedLog | None, chosen: str) -> None:
    """`ValueError` where there is no such claim or line."""
    kind, _, number = chosen.partition(" ")
    claims, lines = (len(it.claims), len(it.lines)) if it else (0, 0)
    there = {"claim": range(claims), "line": range(1, lines + 1)}.get(kind, range(0))
    if kind and not (number.isdecimal() and int(number) in there):
        raise ValueError(f"{chosen!r} is not in this log: it has {claims} claims, from 0, and {lines} lines")


def chosen_claim(it: AnnotatedLog | None, chosen: str) -> Claim | None:
    """The claim that is chosen, if one is."""
    kind, _, number = chosen.partition(" ")
    return it.claims[int(number)] if it and kind == "claim" else None


def chosen_line(chosen: str) -> int:
    """The line that is chosen, or 0."""
    kind, _, number = chosen.partition(" ")
    return int(number) if kind == "line" else 0


def lit(it: AnnotatedLog | None, chosen: str) -> tuple[int, ...]:
    """The lines that what is chosen rests on, or is."""
    claim, line = chosen_claim(it, chosen), chosen_line(chosen)
    return claim.lines if claim else (line,) if line else ()


def claim_rows(it: AnnotatedLog | None) -> list[dict[str, Any]]:
    """All claims, the diagnoses first."""
    return [] if it is None else [_row(number, claim, it) for number, claim in enumerate(it.claims)]


def _row(number: int, claim: Claim, it: AnnotatedLog) -> dict[str, Any]:
    about = f"report {claim.reports[0]}: " if len(claim.reports) == 1 and len(it.log.reports) > 1 else ""
    return {
        "key": f"claim {number}",
        "text": about + claim.text,
        "sure": claim.confidence,
        "lines": claim.lines,
        "diagnosis": number < len(it.diagnoses),
    }


def because(it: AnnotatedLog | None, chosen: str) -> dict[str, Any]:
    """What there is to say of what is chosen: of a claim its evidence, of a line what was made of it."""
    claim, line = chosen_claim(it, chosen), chosen_line(chosen)
    if it is None:
        return {"title": "", "items": []}
    if claim is not None:
        sure = f" ({claim.confidence}: {CONFIDENCE[claim.confidence]})" if claim.confidence else ""
        return {"title": f"{claim.text}{sure}", "items": [str(piece) for piece in claim.evidence]}
    if not line:
        told = "Choose a claim to see what it rests on, or a line to see what was made of it."
        return {"title": told, "items": []}
    made = [*it.remarks.get(line, ()), *(f"{claim.text} ({claim.confidence})" for claim in it.resting_on(line))]
    return {"title": f"What was made of line {line}:" if made else f"Nothing was made of line {line}.", "items": made}
