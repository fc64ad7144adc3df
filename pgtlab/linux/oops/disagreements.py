"""Statements in a report that cannot all be true of one fault: where they differ, something happened in between."""

from __future__ import annotations

from collections.abc import Iterator

from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.linux.oops.access import faulting_access
from pgtlab.linux.oops.consistency import ABORTS
from pgtlab.linux.oops.inference import DERIVED, Evidence, Inference
from pgtlab.linux.oops.report import Report


def disagreements(report: Report) -> Iterator[Inference]:
    """What disagrees, each with both sides."""
    walk = report.walk
    if walk is not None and walk.inconsistency:
        lines = (*(report.where[name] for name in ("esr",) if name in report.where), *walk.lines)
        yield _disagreement("walk", walk.inconsistency, lines)
    for note in report.notes:
        yield _disagreement("report", note, ())
    yield from _access(report)


def _access(report: Report) -> Iterator[Inference]:
    """The instruction against FAR_EL1 and ESR_EL1.WnR: they are of one moment, and nothing but a mixed log differs."""
    access = faulting_access(report)
    esr = report.esr
    if access is None or esr is None or ESR_EL1(esr).EC not in ABORTS[2:]:
        return
    syndrome = ISSDataAbort(ESR_EL1(esr).ISS)
    code, address = _lines(report, "code", access.base), report.address
    if address is not None and not syndrome.FnV and not access.reaches(address):
        text = (
            f"`{access.instruction.text}` at pc has the address {access.address:#x} ({access.arithmetic}), but the "
            f"report is of {address:#x}"
        )
        yield _disagreement("address", text, (*code, *_lines(report, "address")))
    if access.write is not None and syndrome.WnR != access.write:
        text = (
            f"ESR_EL1 reports a {'write' if syndrome.WnR else 'read'} (WnR = {syndrome.WnR}), but "
            f"`{access.instruction.text}` at pc {'writes' if access.write else 'reads'}"
        )
        yield _disagreement("WnR", text, (*code, *_lines(report, "esr")))


def _lines(report: Report, *names: str) -> tuple[int, ...]:
    where = {**report.registers.lines, **report.where}
    return tuple(where[name] for name in names if name in where)


def _disagreement(about: str, text: str, lines: tuple[int, ...]) -> Inference:
    return Inference("disagreement", about, text, (Evidence(text, tuple(sorted(set(lines)))),), DERIVED)
