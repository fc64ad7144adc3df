"""Diagnoses of faults from the address, the registers and the syndrome. The surer rules come first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import FaultKind
from pgtlab.arch.word import MASK64, is_upper
from pgtlab.linux.oops.diagnosis.checks import Inferred, Rule, access_evidence, address_evidence, esr_evidence
from pgtlab.linux.oops.diagnosis.poison import error_pointer, poison_of, shadow_of, shadows_of
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, STATED, Diagnosis, Evidence
from pgtlab.linux.oops.inferring.layout import layouts
from pgtlab.linux.oops.inferring.pointers import IMAGE_SIZE
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.consistency import INSTRUCTION_ABORTS
from pgtlab.linux.oops.reading.registers import AccessedAddress, base_at
from pgtlab.linux.oops.reading.report import OUTSIDE_UACCESS, PrintedReport
from pgtlab.linux.oops.reading.walk import BETWEEN

WIDEST_VA = 52
NULL_PAGE = 0x1000  # Linux calls it a NULL pointer below PAGE_SIZE, of which this is the smallest
GUARD = 1 << 16  # the unmapped page below a stack has at most 64 KiB
_STACK = re.compile(r"(\w+) stack: +\[0x([0-9a-f]{8,16})\.\.0x([0-9a-f]{8,16})\]")
_EXTERNAL, _TAG_CHECK, _ALIGNMENT = 0b010000, 0b010001, 0b100001
_HEADLINE = "Unable to handle kernel "  # which the kernel prints for its own aborts alone
FROM_EL1 = (0x21, 0x25)  # exception classes of aborts that the kernel itself met


def stack_overflow(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """The kernel had no room on the stack for the exception, and the address is just below a stack."""
    texts = (report.message, *report.details)
    if report.address is None or not any("stack space" in text or "stack overflow" in text for text in texts):
        return None
    for text, number in report.stacks:
        stack = _STACK.match(text)
        if stack and 0 < int(stack[2], 16) - report.address <= GUARD:
            below = int(stack[2], 16) - report.address
            sentence = f"the {stack[1].lower()} stack overflowed: {report.address:#x} is {below:#x} bytes below it"
            evidence = (address_evidence(report), Evidence(text, (number,)))
            return Diagnosis("stack-overflow", sentence, evidence, DERIVED)
    return None


@dataclass(frozen=True)
class KernelFault:
    """An abort that the kernel itself took at an address, with what was inferred from the log."""

    report: PrintedReport
    address: int
    inferred: Inferred

    @property
    def access(self) -> AccessedAddress | None:
        """The access of the instruction, if it is to the address of the report."""
        return _verified(self.report)

    @property
    def contradicted(self) -> bool:
        """Whether the instruction accesses another address than that of the report."""
        return self.report.access is not None and self.access is None

    @property
    def kind(self) -> FaultKind | None:
        """What the walk met; `None` if the abort is not a fault of the walk."""
        return self.report.fault[0] if self.report.fault else None

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The address, and the access to it."""
        return address_evidence(self.report), *access_evidence(self.report, self.access)


def kasan_shadow(fault: KernelFault) -> Diagnosis | None:
    """A fault in the shadow of KASAN: a check faulted before the access that it was for."""
    shadowed = shadow_of(fault.address)
    if shadowed is None:
        return _kernel_shadow(fault)
    shadow, address = shadowed
    last = address + (1 << shadow.scale) - 1
    printed = next((text for text in fault.report.details if text.startswith("KASAN:")), "")
    if printed and f"{address:016x}" not in printed:
        return None
    sentence = (
        f"KASAN was checking an access between {address:#x} and {last:#x}, near NULL: {fault.address:#x} is the "
        "shadow of these bytes"
    )
    text = f"({fault.address:#x} - KASAN_SHADOW_OFFSET {shadow.offset:#x}) << {shadow.scale} = {address:#x}"
    evidence = (address_evidence(fault.report), Evidence(text), *((Evidence(printed),) if printed else ()))
    return Diagnosis("kasan-shadow", sentence, evidence, DERIVED if printed else LIKELY)


_CHECKS = re.compile(
    r"_*(?:kasan_check_(?:range|read|write)|check_memory_region|asan_(?:load|store)|hwasan_(?:load|store|check|tag)|"
    r"kasan_byte_accessible|memory_is_(?:poisoned|nonzero)|bytes_is_nonzero|kasan_(?:un)?poison)"
)


def _kernel_shadow(fault: KernelFault) -> Diagnosis | None:
    """A check by KASAN of an address of the kernel whose shadow is not mapped."""
    report, pc = fault.report, fault.report.registers.pc
    bits = report.walk.va_bits if report.walk is not None else None
    check = _CHECKS.match(pc.function) if pc else None
    if pc is None or check is None or bits is None or fault.kind is not FaultKind.TRANSLATION:
        return None
    scale = 4 if "hwasan" in pc.function else 3
    bottom = -(1 << bits) & MASK64
    fitting = [
        (shadow, shadow.address_of(fault.address))
        for shadow in shadows_of(report.release, bits, scale)
        if shadow.address_of(fault.address) >= bottom
    ]
    if len(fitting) != 1:
        return None
    ((shadow, address),) = fitting
    area = _area(report, bits, address)
    sentence = (
        f"KASAN was checking an access to {address:#x}{f', in {area},' if area else ','} "
        f"which has no shadow: {fault.address:#x} is where it would be"
    )
    text = f"({fault.address:#x} - KASAN_SHADOW_OFFSET {shadow.offset:#x}) << {scale} = {address:#x}"
    evidence = (address_evidence(report), Evidence(f"{pc.function}() at pc is a check", report.lines_of("pc")))
    sure = DERIVED if report.release else LIKELY
    return Diagnosis("kasan-shadow", sentence, (*evidence, Evidence(text)), sure)


def _area(report: PrintedReport, bits: int, address: int) -> str:
    """The area of the memory map that an address is in, if every kernel of this release has it there; else empty."""
    walk, release, areas = report.walk, report.release, set()
    for layout in layouts():
        same = walk is not None and layout.page_size == walk.page_size and layout.vabits_actual == bits
        if same and release is not None and layout.era.since <= release < layout.era.until:
            if layout.linear_start <= address < layout.PAGE_END:
                areas.add("the linear map")
            elif max(layout.kernel_bases) <= address < layout.VMEMMAP_START:
                areas.add("the vmalloc area")
            else:
                areas.add("")
    return areas.pop() if len(areas) == 1 else ""


def poison(fault: KernelFault) -> Diagnosis | None:
    """The address, or the register that it was computed from, is a poison value."""
    for value in (fault.access.base_value, fault.address) if fault.access else (fault.address,):
        if near := poison_of(value):
            known, offset = near
            distance = f" {'-' if offset < 0 else '+'} {abs(offset):#x}" if offset else ""
            sentence = f"{value:#x} is {known.name}{distance}: {known.meaning}"
            return Diagnosis("poison", sentence, fault.evidence, DERIVED if known.value >> 48 == 0xDEAD else LIKELY)
    return None


def error_as_pointer(fault: KernelFault) -> Diagnosis | None:
    """The base of the access is an error number as `ERR_PTR()` returns it: one of the last 4095 values."""
    base = fault.access.base_value if fault.access else 0
    name = error_pointer(base)
    if fault.access is None or name is None or base % 8 == 0:
        return None  # a multiple of 8 may also be container_of() of NULL
    sentence = f"{fault.access.base} is {base:#x}, the error {name} as a pointer, and was used without a check"
    return Diagnosis("error-pointer", sentence, fault.evidence, LIKELY)


def null_pointer(fault: KernelFault) -> Diagnosis | None:
    """An access to a field of a structure at NULL, or a jump to NULL."""
    report, address, access = fault.report, fault.address, fault.access
    named = "NULL pointer dereference" in report.message
    if address >= NULL_PAGE or (fault.kind is None and not (named and report.ec is None)):
        return None
    if report.ec in INSTRUCTION_ABORTS:
        caller = f"; it would have returned to {report.registers.lr}" if report.registers.lr else ""
        evidence = (address_evidence(report), esr_evidence(report))
        return Diagnosis("null-function-pointer", f"the kernel jumped to {address:#x}{caller}", evidence, DERIVED)
    pc = report.registers.pc
    where = f" in {pc.function}()" if pc and pc.function else ""
    if access is None:
        if fault.contradicted:
            return None
        if base := base_at(report.code, address):
            register, instruction = base
            evidence = (address_evidence(report), Evidence(f"`{instruction}` at pc", report.lines_of("code")))
            sentence = f"{register} was NULL, and the field at offset {address:#x} was used{where}"
            return Diagnosis("null-plus-offset", sentence, evidence, LIKELY)
        sentence = f"a NULL pointer plus {address:#x} was used{where}; the log does not show which register was NULL"
        return Diagnosis("null-plus-offset", sentence, fault.evidence, LIKELY)
    if access.base_value == 0:
        field = fault.inferred.get("field")
        name = f" ({field.value})" if field else ""
        sentence = f"{access.base} is NULL, and the field at offset {address:#x}{name} was used{where}"
        lookup = field.evidence[1:] if field else ()
        return Diagnosis("null-plus-offset", sentence, (*fault.evidence, *lookup), DERIVED)
    if access.base_value < NULL_PAGE:
        pointer = f"{access.base} is {access.base_value:#x}, the address of a field of a structure at NULL"
        return Diagnosis("null-plus-offset", f"{pointer}, and was used{where}", fault.evidence, LIKELY)
    return None


def permission(fault: KernelFault) -> Diagnosis | None:
    """The tables map the address and do not permit the access."""
    report, address, walk = fault.report, fault.address, fault.report.walk
    if report.message.startswith(OUTSIDE_UACCESS) and not is_upper(address) and address >= NULL_PAGE:
        evidence = [Evidence("the kernel says so", report.lines_of("message")), address_evidence(report)]
        sentence = f"the kernel accessed user memory without enabling the access to it: {address:#x}"
        return Diagnosis("user-memory-outside-uaccess", sentence, tuple(evidence), STATED)
    if fault.kind is not FaultKind.PERMISSION:
        return None
    evidence = [address_evidence(report), esr_evidence(report)]
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
    elif report.maintains_cache:
        name = "cache-maintenance-of-read-only-memory"
        sentence = f"the kernel did cache maintenance on {address:#x}, which is mapped read-only"
        if leaf is not None and isinstance(leaf.descriptor, Leaf) and leaf.descriptor.AP >> 1 == 0:
            return None
    elif report.writes:
        name = "write-to-read-only-memory"
        start = fault.inferred.get("kernel_start")
        inside = start is not None and isinstance(start.value, int) and 0 <= address - start.value < IMAGE_SIZE
        memory = "the kernel's own image" if inside else "memory"
        sentence = f"the kernel wrote to {memory} that is mapped read-only: {at}"
        if leaf is not None and isinstance(leaf.descriptor, Leaf) and leaf.descriptor.AP >> 1 == 0:
            sentence = (
                f"the kernel wrote to {memory} that was mapped read-only: {address:#x}; the {leaf.name} printed "
                "later permits the write: it changed in between, or a TLB held an older one"
            )
            confidence = LIKELY
    else:
        return None
    return Diagnosis(name, sentence, tuple(evidence), confidence)


def non_canonical(fault: KernelFault) -> Diagnosis | None:
    """The bits of the address above the range are neither all 0 nor all 1."""
    address, walk, vabits = fault.address, fault.report.walk, fault.inferred.get("vabits_actual")
    if fault.kind is None:
        return None
    signs: list[Evidence] = []
    sure = DERIVED
    if walk is not None and walk.note == BETWEEN:
        signs.append(Evidence(f"the kernel says: {walk.note}", walk.lines[-1:]))
    if vabits is not None and isinstance(bits := vabits.value, int):
        ones = (1 << 56 - bits) - 1  # a tag may be in the top byte
        if address >> bits & ones not in (0, ones):
            sure = vabits.confidence if not signs and vabits.confidence == LIKELY else DERIVED
            signs.append(Evidence(f"bits 55:{bits} of {address:#x} are neither all 0 nor all 1"))
    if address >> WIDEST_VA & 0xF not in (0, 0xF):
        signs = [
            Evidence(
                f"bits 55:52 of {address:#x} are {address >> WIDEST_VA & 0xF:#x}: in no range, even with addresses of "
                "52 bits; the bits above may be a tag"
            )
        ]
        sure = DERIVED
    if not signs:
        return None
    at, *access = fault.evidence
    sentence = f"{address:#x} is in neither address range: a pointer was overwritten, or the value is not a pointer"
    return Diagnosis("non-canonical-address", sentence, (at, *signs, *access), sure)


def not_valid(fault: KernelFault) -> Diagnosis | None:
    """The entry is whole but for its valid bit: the kernel took the page out of its map."""
    walk = fault.report.walk
    last = walk.walked[-1] if walk is not None and walk.entries else None
    if walk is None or last is None or walk.table != "swapper" or fault.kind is not FaultKind.TRANSLATION:
        return None
    leaf = last.whole
    if leaf is None or last.level != fault.report.fault[1]:  # type: ignore[index]
        return None
    sentence = (
        f"the kernel took the page at {leaf.oa:#x} out of its map, and then accessed it: the {last.name} of "
        f"{fault.address:#x} is whole but for its valid bit (set_memory_valid(): debug_pagealloc, memory of a crash "
        "kernel, memfd_secret and others)"
    )
    evidence = (*fault.evidence, Evidence(f"{last.name}={last.value:016x}: {leaf!r} if it were valid", walk.lines[-1:]))
    return Diagnosis("page-taken-out-of-map", sentence, evidence, DERIVED)


def user_address(fault: KernelFault) -> Diagnosis | None:
    """The kernel used an address of user space as a pointer, and the tables of the task do not map it."""
    address, walk = fault.address, fault.report.walk
    if fault.kind is not FaultKind.TRANSLATION or is_upper(address) or address < 1 << 16 or fault.contradicted:
        return None
    if walk is not None and walk.note:
        lookup = Evidence(f"the kernel says: {walk.note}", walk.lines[-1:])
    elif walk is not None and walk.table == "user" and walk.first_invalid_level is not None:
        lookup = Evidence("it was looked up in the tables of the task", walk.lines[:1])
    else:
        return None
    at, *access = fault.evidence
    sentence = f"the kernel used {address:#x} as a pointer, an address of user space where nothing is mapped"
    evidence = (at, esr_evidence(fault.report), *access, lookup)
    return Diagnosis("user-address-in-kernel", sentence, evidence, LIKELY)


KERNEL_FAULT_RULES = (
    kasan_shadow,
    poison,
    error_as_pointer,
    null_pointer,
    permission,
    not_valid,
    non_canonical,
    user_address,
)


def kernel_fault(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """The first diagnosis that fits an abort that the kernel itself took."""
    known = report.ec in FROM_EL1 or (report.esr is None and report.message.startswith(_HEADLINE))
    if report.address is None or not known or report.kind in ("bad page", "user fault"):
        return None
    fault = KernelFault(report, report.address, inferred)
    return next(filter(None, (rule(fault) for rule in KERNEL_FAULT_RULES)), None)


_SERROR = 0x2F  # EC
# Status codes of external aborts, and of parity errors, when a table is read, with the level (Arm ARM D24.2.40).
_OF_A_WALK = {0x14 + level: level for level in range(-1, 4)} | {0x1C + level: level for level in range(-1, 4)}


def not_the_tables(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """Aborts that the tables do not cause."""
    if report.ec == _SERROR:
        sentence = (
            "a device or memory answered an access with an error, which arrived later, as an interrupt (SError): the "
            "access was before pc, or that of another CPU or device"
        )
        return Diagnosis("external-abort", sentence, (esr_evidence(report),), DERIVED)
    if report.syndrome is None:
        return None
    evidence = (esr_evidence(report), *access_evidence(report, _verified(report)))
    code = report.syndrome.DFSC
    if code in _OF_A_WALK:
        sentence = (
            f"memory answered the MMU with an error when it read the entry of level {_OF_A_WALK[code]} in its walk: "
            "the address of the table is not memory, or the memory is damaged"
        )
        return Diagnosis("external-abort", sentence, evidence, DERIVED)
    if code == _EXTERNAL:
        sentence = "a device or memory answered an access with an error; the walk before it succeeded"
        return Diagnosis("external-abort", sentence, evidence, DERIVED)
    if code == _TAG_CHECK:
        sentence = "a pointer had another tag than the memory: freed memory, or another object's"
        return Diagnosis("kasan-report", sentence, evidence, DERIVED)
    if code == _ALIGNMENT:
        sentence = "an access was not aligned as its instruction or the memory type requires"
        if report.walk is not None and report.walk.entries and report.walk.entries[-1].leaf:
            sentence += "; the tables map the address"
        return Diagnosis("alignment-fault", sentence, evidence, DERIVED)
    return None


def _verified(report: PrintedReport) -> AccessedAddress | None:
    """The access of the instruction, if it is to the address of the report."""
    access = report.access
    return access if access is not None and report.address is not None and access.reaches(report.address) else None


FAULT_RULES: tuple[Rule, ...] = (stack_overflow, kernel_fault, not_the_tables)
