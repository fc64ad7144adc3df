"""Diagnoses of faults from the address, the registers and the syndrome. The surer rules come first."""

from __future__ import annotations

import re

from pgtlab.arch.fault import FaultKind
from pgtlab.arch.word import is_upper
from pgtlab.linux.oops.diagnosis.pages import Inferred, Rule
from pgtlab.linux.oops.diagnosis.poison import error_pointer, poison_of, shadow_of
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, Diagnosis, Evidence
from pgtlab.linux.oops.inferring.pointers import IMAGE_SIZE
from pgtlab.linux.oops.reading.consistency import INSTRUCTION_ABORTS
from pgtlab.linux.oops.reading.read import PrintedLog
from pgtlab.linux.oops.reading.registers import AccessedAddress
from pgtlab.linux.oops.reading.report import PrintedReport
from pgtlab.linux.oops.reading.walk import BETWEEN

NULL_PAGE = 0x1000  # Linux calls it a NULL pointer below PAGE_SIZE, of which this is the smallest
GUARD = 1 << 16  # the unmapped page below a stack has at most 64 KiB
_STACK = re.compile(r"(\w+) stack: +\[0x([0-9a-f]{8,16})\.\.0x([0-9a-f]{8,16})\]")
_EXTERNAL, _ALIGNMENT = 0b010000, 0b100001
FROM_EL1 = (0x21, 0x25)  # exception classes of aborts that the kernel itself met


def stack_overflow(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """The kernel had no room on the stack for the exception, and the address is just below a stack."""
    texts = (report.message, *report.details)
    if report.address is None or not any("stack space" in text or "stack overflow" in text for text in texts):
        return None
    first, last = min(report.lines, default=0), max(report.lines, default=0)
    for line in log.lines:
        stack = _STACK.match(line.text) if first <= line.number <= last else None
        if stack and 0 < int(stack[2], 16) - report.address <= GUARD:
            below = int(stack[2], 16) - report.address
            sentence = f"the {stack[1].lower()} stack overflowed: {report.address:#x} is {below:#x} bytes below it"
            evidence = (address_evidence(report), Evidence(line.text, (line.number,)))
            return Diagnosis("stack-overflow", sentence, evidence, DERIVED)
    return None


def kasan_shadow(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """A fault in the shadow of KASAN: a check faulted before the access that it was for."""
    if not _from_kernel(report) or report.address is None:
        return None
    shadowed = shadow_of(report.address)
    if shadowed is None:
        return None
    shadow, address = shadowed
    last = address + (1 << shadow.scale) - 1
    printed = next((text for text in report.details if text.startswith("KASAN:")), "")
    if printed and f"{address:016x}" not in printed:
        return None
    sentence = (
        f"KASAN was checking an access between {address:#x} and {last:#x}, near NULL: {report.address:#x} is the "
        "shadow of these bytes"
    )
    text = f"({report.address:#x} - KASAN_SHADOW_OFFSET {shadow.offset:#x}) << {shadow.scale} = {address:#x}"
    evidence = (address_evidence(report), Evidence(text), *((Evidence(printed),) if printed else ()))
    return Diagnosis("kasan-shadow", sentence, evidence, DERIVED if printed else LIKELY)


def poison(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """The address, or the register that it was computed from, is a poison value."""
    if not _from_kernel(report) or report.address is None:
        return None
    access = _verified(report)
    for value in (report.address,) if access is None else (access.base_value, report.address):
        if (near := poison_of(value)) is None:
            continue
        known, offset = near
        shown = f"{value:#x} is {known.name}" + (f" {'-' if offset < 0 else '+'} {abs(offset):#x}" if offset else "")
        evidence = (address_evidence(report), *access_evidence(report, access))
        confidence = DERIVED if known.value >> 48 == 0xDEAD else LIKELY
        return Diagnosis("poison", f"{shown}: {known.meaning}", evidence, confidence)
    return None


def error_as_pointer(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """The base of the access is an error number as `ERR_PTR()` returns it: one of the last 4095 values."""
    access = _verified(report)
    if not _from_kernel(report) or access is None:
        return None
    name = error_pointer(access.base_value)
    if name is None or access.base_value % 8 == 0:
        return None  # may also be container_of() of NULL
    sentence = f"{access.base} is {access.base_value:#x}, the error {name} as a pointer, and was used without a check"
    return Diagnosis("error-pointer", sentence, (address_evidence(report), *access_evidence(report, access)), LIKELY)


def null_pointer(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """An access to a field of a structure at NULL, or a jump to NULL."""
    address = report.address
    if not _from_kernel(report) or address is None or address >= NULL_PAGE or report.fault is None:
        return None
    if report.ec in INSTRUCTION_ABORTS:
        caller = f"; it would have returned to {report.registers.lr}" if report.registers.lr else ""
        sentence = f"the kernel jumped to {address:#x}{caller}"
        evidence: tuple[Evidence, ...] = (address_evidence(report), _esr_evidence(report))
        return Diagnosis("null-function-pointer", sentence, evidence, DERIVED)
    access = _verified(report)
    pc = report.registers.pc
    where = f" in {pc.function}()" if pc and pc.function else ""
    evidence = (address_evidence(report), *access_evidence(report, access))
    if access is None:
        if _contradicted(report):
            return None
        sentence = f"a NULL pointer plus {address:#x} was used{where}; the log does not show which register was NULL"
        return Diagnosis("null-plus-offset", sentence, evidence, LIKELY)
    if access.base_value == 0:
        field = inferred.get("field")
        name = f" ({field.value})" if field else ""
        sentence = f"{access.base} is NULL, and the field at offset {address:#x}{name} was used{where}"
        return Diagnosis("null-plus-offset", sentence, (*evidence, *(field.evidence[1:] if field else ())), DERIVED)
    if access.base_value < NULL_PAGE:
        pointer = f"{access.base} is {access.base_value:#x}, the address of a field of a structure at NULL"
        sentence = f"{pointer}, and was used{where}"
        return Diagnosis("null-plus-offset", sentence, evidence, LIKELY)
    return None


def permission(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """The tables map the address and do not permit the access."""
    address, fault, syndrome = report.address, report.fault, report.syndrome
    if not _from_kernel(report) or address is None or syndrome is None or fault is None:
        return None
    if fault[0] is not FaultKind.PERMISSION:
        return None
    evidence = [address_evidence(report), _esr_evidence(report)]
    walk = report.walk
    leaf = walk.entries[-1] if walk and walk.entries and walk.entries[-1].leaf else None
    if walk is not None and leaf is not None:
        evidence.append(Evidence(f"{leaf.name}={leaf.value:016x}: {leaf.descriptor!r}", walk.lines[-1:]))
    at = f"{address:#x}" + (f", mapped by a {leaf.name} at level {leaf.level}" if leaf else "")
    confidence = DERIVED
    if report.ec in INSTRUCTION_ABORTS:
        name = "execute-non-executable-memory"
        memory = "memory that may not be executed" if is_upper(address) else "user memory"
        sentence = f"the kernel jumped to {memory}: {at}"
    elif not is_upper(address):
        name, confidence = "user-memory-outside-uaccess", LIKELY
        sentence = f"the kernel accessed user memory without enabling the access to it (PAN): {at}"
    elif syndrome.WnR:
        name = "write-to-read-only-memory"
        start = inferred.get("kernel_start")
        inside = start is not None and isinstance(start.value, int) and 0 <= address - start.value < IMAGE_SIZE
        memory = "the kernel's own image" if inside else "memory"
        sentence = f"the kernel wrote to {memory} that is mapped read-only: {at}"
    else:
        return None
    return Diagnosis(name, sentence, tuple(evidence), confidence)


def non_canonical(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """The bits of the address above the range are neither all 0 nor all 1."""
    walk, address = report.walk, report.address
    if not _from_kernel(report) or address is None or report.fault is None:
        return None
    bits = inferred["vabits_actual"].value if "vabits_actual" in inferred else None
    beyond = False
    if isinstance(bits, int):
        above = address >> bits & (1 << 56 - bits) - 1  # a tag may be in the top byte
        beyond = above not in (0, (1 << 56 - bits) - 1)
    noted = walk is not None and walk.note == BETWEEN
    if not beyond and not noted:
        return None
    evidence = [address_evidence(report)]
    if noted and walk is not None:
        evidence.append(Evidence(f"the kernel says: {walk.note}", walk.lines[-1:]))
    if beyond:
        evidence.append(Evidence(f"bits 55:{bits} of {address:#x} are neither all 0 nor all 1"))
    evidence += access_evidence(report, _verified(report))
    sentence = f"{address:#x} is in neither address range: a pointer was overwritten, or the value is not a pointer"
    return Diagnosis("non-canonical-address", sentence, tuple(evidence), DERIVED)


def user_address(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """The kernel used an address of user space as a pointer, and the tables of the task do not map it."""
    address = report.address
    if not _from_kernel(report) or address is None:
        return None
    if report.fault is None or report.fault[0] is not FaultKind.TRANSLATION:
        return None
    if is_upper(address) or address < 1 << 16 or _contradicted(report):
        return None
    evidence = [address_evidence(report), _esr_evidence(report), *access_evidence(report, _verified(report))]
    walk = report.walk
    if walk is not None and walk.note:
        evidence.append(Evidence(f"the kernel says: {walk.note}", walk.lines[-1:]))
    elif walk is not None and walk.table == "user" and walk.first_invalid_level is not None:
        evidence.append(Evidence("it was looked up in the tables of the task", walk.lines[:1]))
    else:
        return None
    sentence = f"the kernel used {address:#x} as a pointer, an address of user space where nothing is mapped"
    return Diagnosis("user-address-in-kernel", sentence, tuple(evidence), LIKELY)


def not_the_tables(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """Aborts that the tables do not cause."""
    if report.syndrome is None:
        return None
    evidence = (_esr_evidence(report), *access_evidence(report, _verified(report)))
    code = report.syndrome.DFSC
    if code == _EXTERNAL:
        sentence = "a device or memory answered an access with an error; the walk before it succeeded"
        return Diagnosis("external-abort", sentence, evidence, DERIVED)
    if code == _ALIGNMENT:
        sentence = "an access was not aligned as its instruction or the memory type requires"
        if report.walk is not None and report.walk.entries and report.walk.entries[-1].leaf:
            sentence += "; the tables map the address"
        return Diagnosis("alignment-fault", sentence, evidence, DERIVED)
    return None


def _from_kernel(report: PrintedReport) -> bool:
    """Whether the report is about an abort that the kernel itself took."""
    return report.kind in ("oops", "warning", "bug", "panic") and report.ec in FROM_EL1


def _verified(report: PrintedReport) -> AccessedAddress | None:
    """The access of the instruction, if it is to the address of the report."""
    access = report.access
    return access if access is not None and report.address is not None and access.reaches(report.address) else None


def _contradicted(report: PrintedReport) -> bool:
    """Whether the instruction accesses another address than that of the report."""
    return report.access is not None and _verified(report) is None


def address_evidence(report: PrintedReport) -> Evidence:
    """The address of the report, as evidence."""
    return Evidence(f"the reported address is {report.address:#x}", report.lines_of("address"))


def access_evidence(report: PrintedReport, access: AccessedAddress | None) -> tuple[Evidence, ...]:
    """The instruction and its arithmetic, as evidence; empty without an access."""
    if access is None:
        return ()
    return (Evidence(f"`{access.instruction.text}` at pc; {access.arithmetic}", report.lines_of("code", access.base)),)


def _esr_evidence(report: PrintedReport) -> Evidence:
    fault = f": {report.fault[0]} fault at level {report.fault[1]}" if report.fault else ""
    return Evidence(f"ESR_EL1 = {report.esr:#x}{fault}", report.lines_of("esr"))


FAULT_RULES: tuple[Rule, ...] = (
    stack_overflow,
    kasan_shadow,
    poison,
    error_as_pointer,
    null_pointer,
    permission,
    non_canonical,
    user_address,
    not_the_tables,
)
