"""What `oops.read(text)` returns: a log whose reports have inferences and a diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pgtlab.arch import esr
from pgtlab.linux.oops.inferring.inference import MOST_REPORTS, Diagnosis, Inference
from pgtlab.linux.oops.reading import PrintedLog, read_log
from pgtlab.linux.oops.reading.lines import hex16
from pgtlab.linux.oops.reading.report import PrintedReport

if TYPE_CHECKING:
    from pgtlab.linux.oops.inferring.infer import LogClues

# What infers, diagnoses and shows is imported where it is first used: reading a log does not need it.


@dataclass(frozen=True, repr=False, kw_only=True)
class OopsReport(PrintedReport):
    """One report of a log as the kernel printed it, with what follows from it; `str` gives its part of `pgtlab oops`.

    Attributes
    ----------
    number : int
        Which report of the log it is, counted from 1.
    clues : LogClues
        The clues of all reports of its boot.
    place : int
        Which of these reports it is, counted from 0.
    """

    number: int
    clues: LogClues = field(compare=False)
    place: int = 0

    @cached_property
    def inferences(self) -> tuple[Inference, ...]:
        """What follows from the report and the log around it (`inferring.infer.infer`)."""
        return self.clues.infer(self.place)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What went wrong, or that the evidence is not enough."""
        from pgtlab.linux.oops.diagnosis import diagnose

        return diagnose(self, self.clues.log, self.inferences)

    def __str__(self) -> str:
        from pgtlab.linux.oops.showing.text import report_lines

        return "\n".join(report_lines(self, self.number))

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data.

        Addresses, words and registers are hexadecimal strings, as a log has them; counts, levels and line numbers are
        numbers. What the log does not have is `None`.

        >>> read("Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP").reports[0].as_dict()["esr"]
        '0x96000004'
        """
        registers = {name: f"{value:016x}" for name, value in self.registers.values.items()}
        for name, symbol in (("pc", self.registers.pc), ("lr", self.registers.lr)):
            if symbol is not None:
                registers[name] = str(symbol)
        if self.pstate is not None:
            registers["pstate"] = f"{self.pstate:08x}"
        header = self.header
        return {
            "kind": self.kind,
            "message": self.message,
            "details": list(self.details),
            "lines": [self.lines[0], self.lines[-1]] if self.lines else None,
            "address": hex16(self.address),
            "esr": None if self.esr is None else f"{self.esr:#x}",
            "syndrome": None if self.esr is None else esr.decode(self.esr).as_dict(),
            "registers": registers,
            "trace": [str(frame) for frame in self.trace],
            "code": [
                {
                    "word": f"{instruction.word:08x}",
                    "text": instruction.text,
                    "offset": instruction.offset,
                    "faulting": instruction.faulting,
                }
                for instruction in self.code
            ],
            "walk": None if self.walk is None else self.walk.as_dict(),
            "page": None if self.page is None else self.page.as_dict(),
            "tables": None if self.tables is None else self.tables.as_dict(self.release),
            "pfn": None if self.pfn is None else f"{self.pfn:#x}",
            "location": self.location or None,
            "task": {
                "cpu": header.cpu,
                "pid": header.pid,
                "comm": header.comm or self.process or None,
                "tainted": header.tainted if header.version else None,
                "version": header.version or None,
                "hardware": header.hardware or None,
            },
            "notes": list(self.notes),
            "inferences": [inference.as_dict() for inference in self.inferences],
            "diagnosis": self.diagnosis.as_dict(),
        }


@dataclass(frozen=True, repr=False)
class OopsLog(PrintedLog):
    """A log that was read, with what follows from its reports; `str` gives what `pgtlab oops` prints.

    What is inferred is computed when it is first asked for.

    Attributes
    ----------
    reports : tuple of OopsReport
        In the order in which they begin.
    facts, declined, text
        As in `PrintedLog`.
    """

    reports: tuple[OopsReport, ...]

    @cached_property
    def inferences(self) -> tuple[tuple[Inference, tuple[int, ...]], ...]:
        """What follows from the first `MOST_REPORTS` reports, each once, with the numbers of the reports."""
        from pgtlab.linux.oops.inferring.infer import merged

        return merged(report.inferences for report in self.reports[:MOST_REPORTS])

    @cached_property
    def diagnoses(self) -> Mapping[int, Diagnosis]:
        """The diagnoses with enough evidence, by the number of the report.

        Without any, that of the first report with the most values, such as an address.
        """
        first = self.reports[:MOST_REPORTS]
        diagnoses = {report.number: report.diagnosis for report in first}
        concluded = {number: diagnosis for number, diagnosis in diagnoses.items() if diagnosis.confidence}
        fullest = max(
            first, key=lambda report: bool(report.esr or report.page) + bool(report.registers or report.trace)
        )
        return concluded or {fullest.number: fullest.diagnosis}

    @property
    def diagnosis(self) -> Diagnosis:
        """The first of the `diagnoses`: later reports often are consequences.

        >>> log = read("Unable to handle kernel paging request at virtual address dead000000000108\\n"
        ...     "Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP")
        >>> log.diagnosis.name
        'poison'
        >>> log.diagnosis
        0xdead000000000108 is LIST_POISON1 + 0x8: a list entry was used after it was removed from its list (derived)
          the reported address is 0xdead000000000108 (line 1)
        """
        return next(iter(self.diagnoses.values()))

    def __str__(self) -> str:
        from pgtlab.linux.oops.showing.text import diagnosis_lines, facts_lines, inference_lines, report_lines

        parts = [report_lines(report, report.number) for report in self.reports]
        parts += [inference_lines(self.inferences, len(self.reports[:MOST_REPORTS])), diagnosis_lines(self.diagnoses)]
        parts += [facts_lines(part.facts, self.numbers_of(part)) for part in self.parts]
        parts += [[f"Left out: {sentence}." for sentence in self.declined]]
        return "\n\n".join("\n".join(part) for part in parts if part).rstrip()

    def as_dict(self) -> dict[str, Any]:
        """The log as plain data, which `pgtlab oops --json` prints."""
        log = {
            "reports": [report.as_dict() for report in self.reports],
            "facts": self.facts.as_dict(),
            "declined": list(self.declined),
        }
        if self.boots:
            log["boots"] = [{"reports": self.numbers_of(boot), **boot.facts.as_dict()} for boot in self.boots]
        return log

    def numbers_of(self, boot: PrintedLog) -> list[int]:
        """The numbers of the reports of a boot; none if the log is from one boot."""
        return self._numbers.get(id(boot), []) if self.boots else []

    @cached_property
    def _numbers(self) -> dict[int, list[int]]:
        numbers: dict[int, list[int]] = {}
        for report in self.reports:
            numbers.setdefault(id(report.clues.log), []).append(report.number)
        return numbers


def read(text: str) -> OopsLog:
    """The reports in a kernel's log, with what follows from them.

    Parameters
    ----------
    text : str
        The log, in any of the forms that `reading.read.read_log` reads.

    Raises
    ------
    OopsError
        If the text has no report in it, or only reports of other architectures.

    Examples
    --------
    >>> log = read("[    0.16] Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
    >>> log
    OopsLog(1 report: oops)
    >>> log.reports[0].diagnosis
    not enough evidence: nothing in the report shows where its values come from
    """
    from pgtlab.linux.oops.inferring.infer import LogClues

    printed = read_log(text)
    every = ((report, clues, n) for clues in map(LogClues, printed.parts) for n, report in enumerate(clues.log.reports))
    reports = (
        OopsReport(**vars(report), number=number, clues=clues, place=place)
        for number, (report, clues, place) in enumerate(every, 1)
    )
    return OopsLog(**{**vars(printed), "reports": tuple(reports)})
