"""Diagnoses of faults: what the address, the registers and the syndrome say together. The surer rules come first."""

from __future__ import annotations

import re

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import FaultKind
from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.linux.oops.diagnosis.pages import Facts, Rule
from pgtlab.linux.oops.diagnosis.poison import error_pointer, poison_of, shadow_of
from pgtlab.linux.oops.inferring.fault import BETWEEN
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, Diagnosis, Evidence
from pgtlab.linux.oops.reading.code import Access, faulting_access
from pgtlab.linux.oops.reading.printed import Report
from pgtlab.linux.oops.reading.read import Log
from pgtlab.linux.oops.reading.walk import ABORTS, INSTRUCTION_ABORTS, fault_of

NULL_PAGE = 0x1000  # what Linux calls a NULL pointer dereference is below PAGE_SIZE; the smallest is safe
GUARD = 1 << 16  # what lies below a stack: an unmapped page, of which the largest has 64 KiB
_STACK = re.compile(r"(\w+) stack: +\[0x([0-9a-f]{8,16})\.\.0x([0-9a-f]{8,16})\]")
_EXTERNAL, _ALIGNMENT = 0b010000, 0b100001


def stack_overflow(report: Report, log: Log, facts: Facts) -> Diagnosis | None:
    """The kernel found no room on the stack for the exception, and the address is just below a stack."""
    said = [text for text in (report.message, *report.details) if "stack space" in text or "stack overflow" in text]
    if not said or report.address is None:
        return None
    first, last = min(report.lines, default=0), max(report.lines, default=0)
    for line in log.lines:
        found = _STACK.match(line.text) if first <= line.number <= last else None
        if found and 0 < int(found[2], 16) - report.address <= GUARD:
            low, what = int(found[2], 16), found[1].lower()
            sentence = f"the {what} stack overflowed: {report.address:#x} is {low - report.address:#x} bytes below it"
            evidence = (_address(report), Evidence(line.text, (line.number,)))
            return Diagnosis("stack-overflow", sentence, evidence, DERIVED)
    return None


def kasan_shadow(report: Report, log: Log, facts: Facts) -> Diagnosis | None:
    """A fault in KASAN's shadow is that of a check; the access would have been to what the shadow is for."""
    if not _from_kernel(report) or report.address is None:
        return None
    found = shadow_of(report.address)
    if found is None:
        return None
    shadow, address = found
    last = address + (1 << shadow.scale) - 1
    own = next((text for text in report.details if text.startswith("KASAN:")), "")
    if own and f"{address:016x}" not in own:
        return None
    sentence = (
        f"KASAN was checking an access to {address:#x} to {last:#x}, a pointer near NULL: {report.address:#x} is the "
        "shadow of that"
    )
    text = f"({report.address:#x} - KASAN_SHADOW_OFFSET {shadow.offset:#x}) << {shadow.scale} = {address:#x}"
    evidence = (_address(report), Evidence(text), *((Evidence(own),) if own else ()))
    return Diagnosis("kasan-shadow", sentence, evidence, DERIVED if own else LIKELY)


def poison(report: Report, log: Log, facts: Facts) -> Diagnosis | None:
    """The address, or the register that it was made from, is a value that the kernel writes to be found so."""
    if not _from_kernel(report) or report.address is None:
        return None
    access = _verified(report)
    values = [report.address] if access is None else [access.base_value, report.address]
    for value in values:
        found = poison_of(value)
        if found is None:
            continue
        known, offset = found
        sign = "-" if offset < 0 else "+"
        shown = f"{value:#x} is {known.name}" + (f" {sign} {abs(offset):#x}" if offset else "")
        evidence = (_address(report), *_access_evidence(report, access))
        return Diagnosis(
            "poison", f"{shown}: {known.meaning}", evidence, DERIVED if known.value >> 48 == 0xDEAD else LIKELY
        )
    return None


def error_as_pointer(report: Report, log: Log, facts: Facts) -> Diagnosis | None:
    """The base of the access is one of the last 4095 values, which `ERR_PTR()` makes of error numbers."""
    access = _verified(report)
    if not _from_kernel(report) or access is None:
        return None
    name = error_pointer(access.base_value)
    if name is None or access.base_value % 8 == 0:
        return None  # the distance of a field from the end of memory too: container_of() of NULL
    sentence = f"{access.base} is {access.base_value:#x}, the error {name} as a pointer, and was used without a check"
    return Diagnosis("error-pointer", sentence, (_address(report), *_access_evidence(report, access)), LIKELY)


def null_pointer(report: Report, log: Log, facts: Facts) -> Diagnosis | None:
    """NULL and the offset of a field; or a jump to NULL."""
    address = report.address
    fault = fault_of(report.esr) if report.esr is not None else None
    if not _from_kernel(report) or address is None or address >= NULL_PAGE or fault is None:
        return None
    if report.esr is not None and ESR_EL1(report.esr).EC in INSTRUCTION_ABORTS:
        caller = f"; it would have returned to {report.registers.lr}" if report.registers.lr else ""
        name = "null-function-pointer"
        return Diagnosis(name, f"the kernel jumped to {address:#x}{caller}", (_address(report), _esr(report)), DERIVED)
    access = _verified(report)
    where = f" in {report.registers.pc.function}()" if report.registers.pc and report.registers.pc.function else ""
    evidence = (_address(report), *_access_evidence(report, access))
    if access is None:
        if _contradicted(report):
            return None
        sentence = f"a NULL pointer plus {address:#x} was used{where}; the log does not show which register was NULL"
        return Diagnosis("null-plus-offset", sentence, evidence, LIKELY)
    if access.base_value == 0:
        field = facts.get("field")
        what = f"{access.base} is NULL, and {address:#x} bytes into what it should point to"
        what += f", {field.value}, was used{where}" if field else f" was used{where}"
        return Diagnosis("null-plus-offset", what, (*evidence, *(field.evidence[1:] if field else ())), DERIVED)
    if access.base_value < NULL_PAGE:
        sentence = f"{access.base} is {access.base_value:#x}, a field of something at NULL, and was used{where}"
        return Diagnosis("null-plus-offset", sentence, evidence, LIKELY)
    return None


def permission(report: Report, log: Log, facts: Facts) -> Diagnosis | None:
    """The tables had the address, and do not allow the access."""
    fault = fault_of(report.esr) if report.esr is not None else None
    if not _from_kernel(report) or report.address is None or report.esr is None or fault is None:
        return None
    if fault[0] is not FaultKind.PERMISSION:
        return None
    register, user = ESR_EL1(report.esr), not report.address >> 55 & 1
    evidence = [_address(report), _esr(report)]
    walk = report.walk
    leaf = walk.entries[-1] if walk and walk.entries and isinstance(walk.entries[-1].descriptor, Leaf) else None
    if walk is not None and leaf is not None:
        evidence.append(Evidence(f"{leaf.name}={leaf.value:016x}: {leaf.descriptor!r}", walk.lines[-1:]))
    at = f"{report.address:#x}" + (f", mapped by a {leaf.name} at level {leaf.level}" if leaf else "")
    if register.EC in INSTRUCTION_ABORTS:
        whose = "user memory" if user else "memory that may not be executed"
        return Diagnosis(
            "execute-non-executable-memory", f"the kernel jumped to {whose}: {at}", tuple(evidence), DERIVED
        )
    if user:
        sentence = f"the kernel used user memory without opening the access to it (PAN): {at}"
        return Diagnosis("user-memory-outside-uaccess", sentence, tuple(evidence), LIKELY)
    if ISSDataAbort(register.ISS).WnR:
        start = facts.get("kernel_start")
        inside = start is not None and isinstance(start.value, int) and 0 <= report.address - start.value < 1 << 27
        whose = "the kernel's own image" if inside else "memory"
        sentence = f"the kernel wrote to {whose} that is mapped read-only: {at}"
        return Diagnosis("write-to-read-only-memory", sentence, tuple(evidence), DERIVED)
    return None


def non_canonical(report: Report, log: Log, facts: Facts) -> Diagnosis | None:
    """The address has bits above the range that are neither all 0 nor all 1."""
    walk, address = report.walk, report.address
    if not _from_kernel(report) or address is None or fault_of(report.esr or 0) is None:
        return None
    bits = facts["vabits_actual"].value if "vabits_actual" in facts else None
    beyond = False
    if isinstance(bits, int):
        above = address >> bits & (1 << 56 - bits) - 1  # a tag may be in the top byte
        beyond = above not in (0, (1 << 56 - bits) - 1)
    said = walk is not None and walk.note == BETWEEN
    if not beyond and not said:
        return None
    evidence = [_address(report)]
    if said and walk is not None:
        evidence.append(Evidence(f"the kernel says: {walk.note}", walk.lines[-1:]))
    if beyond:
        evidence.append(Evidence(f"bits 55:{bits} of {address:#x} are neither all 0 nor all 1"))
    evidence += _access_evidence(report, _verified(report))
    sentence = f"{address:#x} is an address of neither range: a pointer was overwritten, or is no pointer"
    return Diagnosis("non-canonical-address", sentence, tuple(evidence), DERIVED)


def user_address(report: Report, log: Log, facts: Facts) -> Diagnosis | None:
    """The kernel walked the tables of user space for an address that it had as a pointer of its own."""
    address = report.address
    fault = fault_of(report.esr) if report.esr is not None else None
    if not _from_kernel(report) or address is None or fault is None or fault[0] is not FaultKind.TRANSLATION:
        return None
    if address >> 55 & 1 or address < 1 << 16 or _contradicted(report):
        return None
    evidence = [_address(report), _esr(report), *_access_evidence(report, _verified(report))]
    walk = report.walk
    if walk is not None and walk.note:
        evidence.append(Evidence(f"the kernel says: {walk.note}", walk.lines[-1:]))
    elif walk is not None and walk.table == "user" and walk.first_invalid_level is not None:
        evidence.append(Evidence("it was looked up in the tables of the task", walk.lines[:1]))
    else:
        return None
    sentence = f"the kernel used {address:#x} as a pointer, an address of user space that nothing is mapped at"
    return Diagnosis("user-address-in-kernel", sentence, tuple(evidence), LIKELY)


def not_the_tables(report: Report, log: Log, facts: Facts) -> Diagnosis | None:
    """Aborts that the tables have no part in."""
    if report.esr is None or ESR_EL1(report.esr).EC not in ABORTS:
        return None
    code = ISSDataAbort(ESR_EL1(report.esr).ISS).DFSC
    if code == _EXTERNAL:
        sentence = "a device or memory answered an access with an error; the walk before it had gone well"
        return Diagnosis(
            "external-abort", sentence, (_esr(report), *_access_evidence(report, _verified(report))), DERIVED
        )
    if code == _ALIGNMENT:
        sentence = "an access was not aligned as its instruction or the type of the memory asks for"
        if report.walk is not None and report.walk.entries and report.walk.entries[-1].leaf:
            sentence += "; the tables map the address"
        evidence = (_esr(report), *_access_evidence(report, _verified(report)))
        return Diagnosis("alignment-fault", sentence, evidence, DERIVED)
    return None


def _from_kernel(report: Report) -> bool:
    """Whether the kernel itself met an abort."""
    return (
        report.kind in ("oops", "warning", "bug", "panic")
        and report.esr is not None
        and ESR_EL1(report.esr).EC in (0x21, 0x25)
    )


def _verified(report: Report) -> Access | None:
    """The access of the instruction, where it is to the address of the report."""
    access = faulting_access(report)
    return access if access is not None and report.address is not None and access.reaches(report.address) else None


def _contradicted(report: Report) -> bool:
    """Whether the instruction accesses something else than the address of the report."""
    return faulting_access(report) is not None and _verified(report) is None


def _address(report: Report) -> Evidence:
    line = (report.where["address"],) if "address" in report.where else ()
    return Evidence(f"the report is of {report.address:#x}", line)


def _esr(report: Report) -> Evidence:
    fault = fault_of(report.esr) if report.esr is not None else None
    what = f": {fault[0]} fault at level {fault[1]}" if fault else ""
    return Evidence(f"ESR_EL1 = {report.esr:#x}{what}", (report.where["esr"],) if "esr" in report.where else ())


def _access_evidence(report: Report, access: Access | None) -> tuple[Evidence, ...]:
    if access is None:
        return ()
    lines = {report.where.get("code", 0), report.registers.lines.get(access.base, 0)} - {0}
    return (Evidence(f"`{access.instruction.text}` at pc; {access.arithmetic}", tuple(sorted(lines))),)


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
