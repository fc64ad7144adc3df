"""What went wrong, where the log carries that conclusion: `diagnose(report, log)`.

A name that a program can ask for, one sentence, and the evidence. Where a signature alone would have to do, the answer
is `not-enough-evidence`, with what is there and what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

from pgtlab.linux.oops.diagnosis.faults import FAULT_RULES
from pgtlab.linux.oops.diagnosis.pages import PAGE_RULES
from pgtlab.linux.oops.inferring.infer import infer
from pgtlab.linux.oops.inferring.inference import POSSIBLE, Diagnosis, Evidence, Inference
from pgtlab.linux.oops.reading.code import faulting_access
from pgtlab.linux.oops.reading.printed import Report
from pgtlab.linux.oops.reading.read import Log

NOT_ENOUGH = "not-enough-evidence"
#: Every name, and what it says.
NAMES = {
    "page-table-freed-without-destructor": "a page-table page came back to the allocator still typed as one",
    "stack-address-as-struct-page": "something on the stack was taken for a struct page of the memmap",
    "stack-overflow": "the kernel ran over the end of a stack",
    "kasan-shadow": "KASAN's check of a pointer near NULL faulted, before the access itself",
    "poison": "a value was used that the kernel writes where nothing should be read",
    "error-pointer": "an error number was used as a pointer",
    "null-plus-offset": "a field of a structure at NULL was used",
    "null-function-pointer": "the kernel jumped to NULL",
    "write-to-read-only-memory": "the kernel wrote to memory that its tables protect",
    "execute-non-executable-memory": "the kernel jumped to memory that its tables do not let it execute",
    "user-memory-outside-uaccess": "the kernel used user memory without opening the access to it",
    "non-canonical-address": "an address was used that is in neither range",
    "user-address-in-kernel": "the kernel used an address of the range of user space",
    "external-abort": "the memory system refused an access that the tables allowed",
    "alignment-fault": "an access was not aligned as its memory type asks for",
    NOT_ENOUGH: "the log does not carry a conclusion",
}


def diagnose(report: Report, log: Log, inferences: Sequence[Inference] | None = None) -> Diagnosis:
    """The diagnosis of one report.

    Parameters
    ----------
    report : Report
        One of `log.reports`.
    log : Log
        The whole log.
    inferences : sequence of Inference, optional
        What `infer(report, log)` gave, where it is at hand.

    Returns
    -------
    Diagnosis
        Its name is a key of `NAMES`.

    Examples
    --------
    >>> from pgtlab.linux.oops.reading.read import read
    >>> log = read("Unable to handle kernel paging request at virtual address dead000000000108\\n"
    ...     "Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP")
    >>> print(diagnose(log.reports[0], log))
    poison: 0xdead000000000108 is LIST_POISON1 + 0x8: an entry that was taken off its list was used as if it were on it
      the report is of 0xdead000000000108 (line 1)
    """
    found = {one.name: one for one in (infer(report, log) if inferences is None else inferences)}
    facts = {name: one for name, one in found.items() if one.confidence != POSSIBLE}
    for rule in (*PAGE_RULES, *FAULT_RULES):
        diagnosis = rule(report, log, facts)
        if diagnosis is not None:
            return diagnosis
    return _nothing(report)


def _nothing(report: Report) -> Diagnosis:
    """What is there, for the reader to go on with."""
    evidence = []
    if report.address is not None:
        line = (report.where["address"],) if "address" in report.where else ()
        evidence.append(Evidence(f"the report is of {report.address:#x}", line))
    access = faulting_access(report)
    if access is not None:
        evidence.append(Evidence(f"`{access.instruction.text}` at pc; {access.arithmetic}"))
    pc = report.registers.pc
    if pc is not None:
        line = (report.registers.lines["pc"],) if "pc" in report.registers.lines else ()
        evidence.append(Evidence(f"the kernel was in {pc}", line))
    if report.kind == "panic":
        sentence = "a panic names the last straw: the reports before it tell more"
    elif report.location:
        sentence = f"a check of the kernel's own failed at {report.location}: what it asks for is in the source"
    elif report.esr is None and not report.page:
        sentence = "the report has neither a fault nor a page in it"
    else:
        sentence = "nothing in the report says where its values come from"
    return Diagnosis(NOT_ENOUGH, sentence, tuple(evidence))
