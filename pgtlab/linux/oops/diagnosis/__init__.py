"""What went wrong, if the evidence is enough: `diagnose(report, log, inferences)`.

A diagnosis has a name for programs, one sentence, and the evidence. If the log only looks like a known bug, the answer
is `not-enough-evidence`, with what the log has and what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable

from pgtlab.linux.oops.diagnosis.checks import CHECKS, NOT_ENOUGH, TRAPS, address_evidence
from pgtlab.linux.oops.diagnosis.faults import FAULT_RULES
from pgtlab.linux.oops.inferring.inference import POSSIBLE, Diagnosis, Evidence, Inference
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.report import PrintedReport

#: Every name, and what it means.
NAMES = {
    "page-table-freed-without-destructor": "a page-table page was freed while its type was still that of a table",
    "not-a-table": "an entry that should lead to a table is something else",
    "page-table-overwritten": "an entry of a page table was overwritten",
    "wrong-rss-counter": "the pages of an address space were not counted right",
    "wrong-count-of-page-tables": "the page tables of an address space were not counted or not freed right",
    "kasan-report": "KASAN found an access to memory that is not the accessor's",
    "kfence-report": "KFENCE found an access to memory that is not the accessor's",
    "ubsan-trap": "a check that the compiler built in for UBSAN failed",
    "cfi-failure": "an indirect call went to a function of another type",
    "branch-target": "an indirect branch went to an instruction that does not accept it",
    "pointer-authentication": "a pointer had another signature than the one that was expected",
    "user-space-fault": "a process faulted in user space; the kernel only reported it",
    "stack-address-as-struct-page": "an address on the stack was used as that of a struct page in the memmap",
    "stack-overflow": "the kernel ran over the end of a stack",
    "kasan-shadow": "KASAN's check of a pointer near NULL faulted, before the access itself",
    "poison": "a poison value was used as an address",
    "error-pointer": "an error number was used as a pointer",
    "null-plus-offset": "a field of a structure at NULL was used",
    "null-function-pointer": "the kernel jumped to NULL",
    "write-to-read-only-memory": "the kernel wrote to memory that its tables protect",
    "cache-maintenance-of-read-only-memory": "cache maintenance needs the permission to write, which the tables lack",
    "execute-non-executable-memory": "the kernel jumped to memory that its tables do not let it execute",
    "user-memory-outside-uaccess": "the kernel accessed user memory without enabling the access to it",
    "page-taken-out-of-map": "the kernel accessed a page that it had taken out of its own map",
    "non-canonical-address": "an address was used that is in neither range",
    "user-address-in-kernel": "the kernel used an address of the range of user space",
    "external-abort": "the memory system refused an access that the tables allowed",
    "alignment-fault": "an access was not aligned as its memory type requires",
    NOT_ENOUGH: "the evidence is not enough for a diagnosis",
}


def diagnose(report: PrintedReport, log: PrintedLog, inferences: Iterable[Inference]) -> Diagnosis:
    """The diagnosis of one report.

    Parameters
    ----------
    report : PrintedReport
        One of `log.reports`.
    log : PrintedLog
        The whole log.
    inferences : iterable of Inference
        What `inferring.infer.infer(report, log)` gives.

    Returns
    -------
    Diagnosis
        Its name is a key of `NAMES`.

    Examples
    --------
    >>> from pgtlab.linux.oops.reading import read_log
    >>> log = read_log("Unable to handle kernel paging request at virtual address dead000000000108\\n"
    ...     "Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP")
    >>> diagnosis = diagnose(log.reports[0], log, ())
    >>> diagnosis.name, diagnosis.sentence.partition(":")[0], [str(evidence) for evidence in diagnosis.evidence]
    ('poison', '0xdead000000000108 is LIST_POISON1 + 0x8', ['the reported address is 0xdead000000000108 (line 1)'])
    """
    inferred = {inference.name: inference for inference in inferences}
    inferred = {name: inference for name, inference in inferred.items() if inference.confidence != POSSIBLE}
    diagnoses = (rule(report, log, inferred) for rule in (*CHECKS, *FAULT_RULES, *TRAPS))
    return next(filter(None, diagnoses), None) or _nothing(report, log)


def _nothing(report: PrintedReport, log: PrintedLog) -> Diagnosis:
    """The answer if no rule applies: what the report has, to go on with."""
    evidence = []
    if report.address is not None:
        evidence.append(address_evidence(report))
    if report.access is not None:
        evidence.append(Evidence(f"`{report.access.instruction.text}` at pc; {report.access.arithmetic}"))
    pc = report.registers.pc
    if pc is not None:
        evidence.append(Evidence(f"the kernel was in {pc}", report.lines_of("pc")))
    if "HYP panic" in report.message:
        sentence = (
            "KVM's code at EL2 panicked: its PC, ESR_EL2 and FAR_EL2 are in the lines that begin with PS and FAR, "
            "which are not read; `pgtlab esr` takes the value behind ESR apart"
        )
    elif report.kind == "panic":
        first = min(report.lines, default=0)
        before = any(min(other.lines, default=first) < first for other in log.reports)
        sentence = (
            "the panic is a consequence: see the reports before it" if before else "the panic is all that is here"
        )
    elif report.location:
        sentence = f"a check in the kernel failed at {report.location}: the source shows its condition"
    elif report.mixed:
        sentence = "several reports were printed at the same time, and nothing shows which lines belong together"
    elif report.kind == "unknown":
        sentence = "the beginning of the report is missing, with the fault and its address"
    elif report.esr is None and report.address is None and not report.page and report.walk is None:
        sentence = "the report shows where it was printed, and no fault or page"
    else:
        sentence = "nothing in the report shows where its values come from"
    return Diagnosis(NOT_ENOUGH, sentence, tuple(evidence))
