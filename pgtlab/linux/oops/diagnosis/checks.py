"""Diagnoses of what the kernel's own checks found: pages, page tables, KASAN, traps of the compiler and the CPU."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pgtlab.arch.registers import ESR_EL1
from pgtlab.linux.oops.diagnosis.poison import poison_of
from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, STATED, Diagnosis, Evidence, Inference
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.code import PrintedSymbol
from pgtlab.linux.oops.reading.consistency import FROM_EL0, INSTRUCTION_ABORTS
from pgtlab.linux.oops.reading.page_dump import PageDump
from pgtlab.linux.oops.reading.registers import KASAN_TAG_INVALID, AccessedAddress
from pgtlab.linux.oops.reading.report import PrintedReport

NOT_ENOUGH = "not-enough-evidence"

Inferred = Mapping[str, Inference]  # by name, without those that are only possible
Rule = Callable[[PrintedReport, PrintedLog, Inferred], Diagnosis | None]

# Functions that free only page tables: one of them in a trace shows that the page was a table.
_FREEING = """
    pgd_free p4d_free pud_free pmd_free pte_free __p4d_free __pud_free __pmd_free pte_free_kernel pmd_free_kernel
    ___p4d_free_tlb ___pud_free_tlb ___pmd_free_tlb ___pte_free_tlb pud_free_pmd_page pmd_free_pte_page free_pgd_range
    free_p4d_range free_pud_range free_pmd_range free_pte_range hugetlb_free_pgd_range free_pgtables free_empty_tables
    free_hotplug_pgtable_page __tlb_remove_table tlb_remove_table_rcu tlb_remove_table destroy_args
"""  # destroy_args is that of debug_vm_pgtable
FREES_TABLES = _FREEING.split()
_DUMPS = ("dump_page", "bad_page", "free_page_is_bad", "free_page_is_bad_report", "check_free_page_bad")


def table_freed(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """A page-table page that was freed without its destructor, which removes the type.

    The type must be that of a table, the allocator must have complained about it, and the page must come from code that
    frees tables: each of these alone fits other bugs too. A page that a driver freed may have been overwritten.
    """
    if report.kind != "bad page" and not (report.page and report.page.reason):
        return None
    page = report.page
    kind = page.page_type if page else None
    if page is None or kind is None or "table" not in kind.names:
        return _other_page(report, page)
    complaint = _complaint(page)
    trace, source = _freeing_trace(report, log)
    freeing = next((frame for frame in trace if _name(frame) in FREES_TABLES), None)
    evidence = [Evidence(f"the page is of type {' or '.join(kind.names)}{_typed_by(page)}", page.lines[:3])]
    if complaint:
        evidence.append(Evidence(complaint, page.lines[-1:]))
    if complaint and freeing is not None:
        evidence.append(Evidence(f"the page came from {_name(freeing)}()" + _not_own(report, source), (freeing.line,)))
        sentence = (
            f"a page-table page{_frame(report)} was freed in {_name(freeing)}() without its destructor: "
            "it reached the allocator while its type was still that of a table"
        )
        sure = DERIVED if len(kind.names) == 1 else LIKELY
        return Diagnosis("page-table-freed-without-destructor", sentence, tuple(evidence), sure)
    missing = "the trace does not lead through code that frees page tables" if trace else "no trace shows who freed it"
    if not complaint:
        missing = "the log ends before the reason"
    sentence = f"the page{_frame(report)} is typed as a page table, but {missing}: the cause is unknown"
    return Diagnosis(NOT_ENOUGH, sentence, tuple(evidence))


def _other_page(report: PrintedReport, page: PageDump | None) -> Diagnosis:
    evidence = []
    if page is not None and page.reason:
        evidence.append(Evidence(f"page dumped because: {page.reason}", page.lines[-1:]))
    sentence = "the report shows where the bad page was found, not what made it bad"
    if page is None or (page.page_type is None and not page.is_slab):
        sentence += "; the log does not show its type"
    return Diagnosis(NOT_ENOUGH, sentence, tuple(evidence))


def _complaint(page: PageDump) -> str:
    if page.mapcount is not None and page.mapcount < 0:
        return f"mapcount:{page.mapcount} is not the map count of an unmapped page"
    if "mapcount" in page.reason or "page_type" in page.reason or "page type" in page.reason:
        return f"page dumped because: {page.reason}"
    return ""


def _freeing_trace(report: PrintedReport, log: PrintedLog) -> tuple[tuple[PrintedSymbol, ...], PrintedReport]:
    """The trace of the report; if an Oops in dump_page() cut it short, the frames behind bad_page() in that trace."""
    if report.trace:
        return report.trace, report
    for other in log.reports:
        if other.lines and report.lines and other.lines[0] >= report.lines[0]:
            dumps = [at for at, frame in enumerate(other.trace) if _name(frame) in _DUMPS]
            if dumps:
                return other.trace[dumps[-1] + 1 :], other
    return (), report


def _name(frame: PrintedSymbol) -> str:
    """The function, without the suffix that the compiler gave to a part or a clone."""
    return frame.function.split(".")[0] if frame.reliable else ""


def _not_own(report: PrintedReport, source: PrintedReport) -> str:
    return "" if source is report else ", in the trace of the Oops that cut the report short"


def _frame(report: PrintedReport) -> str:
    return f", frame {report.pfn:#x}," if report.pfn is not None else ""


def _typed_by(page: PageDump) -> str:
    value = page.page_type.value if page.page_type else None
    return f": page_type {value:#010x}" if value is not None else ""


def stack_page(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """A pointer into the stack that was used as a pointer to a `struct page`: no RAM has its pfn."""
    if report.kind not in ("oops", "bug", "warning") or "page_on_stack" not in inferred:
        return None
    on_stack = inferred["page_on_stack"]
    stray = inferred.get("bogus_pfn") or inferred.get("section_nr")
    if stray is None or on_stack.confidence != DERIVED:
        return None
    evidence = [*on_stack.evidence[:1], *stray.evidence]
    result = f"page_to_pfn() of {on_stack.value_text} is a frame that no RAM has"
    if pfn := inferred.get("bogus_pfn"):
        result = f"page_to_pfn() of {on_stack.value_text} gave frame {pfn.value_text}, which no RAM has"
    if field := inferred.get("field"):
        evidence += field.evidence
        result += f"; its section does not exist, and reading {field.value} faulted at {report.address:#x}"
    return Diagnosis(
        "stack-address-as-struct-page",
        f"a struct page on the stack was used as if it were in the memmap: {result}",
        tuple(evidence),
        DERIVED,
    )


def wrong_entry(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """An entry of a page table that the kernel found wrong: what it is instead."""
    tables = report.tables
    if tables is None or not tables.entries:
        return None
    entry = tables.entries[0]
    what = f"the {entry.name} {entry.value:016x}"
    evidence = [
        Evidence(f"{other.name} {other.value:016x}: {other.describe(report.release)}", (other.line,))
        for other in tables.entries
    ]
    if tables.about.startswith("bad p"):
        if entry.kind == "block":
            sentence = f"{what} is a {entry.describe(report.release).partition(';')[0]}, where a table was expected"
            return Diagnosis("not-a-table", sentence, tuple(evidence), DERIVED)
        sentence = f"{what} is not a table, where one was expected{_looks(entry.value)}"
        if entry.kind == "table":
            sentence = f"{what} has the bits of a table{_looks(entry.value)}, and the kernel reports it as bad"
            return Diagnosis(NOT_ENOUGH, sentence, tuple(evidence))
        return Diagnosis("not-a-table", sentence, tuple(evidence), DERIVED)
    swap = entry.swap(report.release)
    garbage = _looks(entry.value)
    if entry.kind == "invalid" and (garbage or (swap is not None and not swap.possible)):
        why = (
            garbage or f": as a swap entry it has offset {swap.offset:#x}, which no swap file has" if swap else garbage
        )
        sentence = f"{what} was overwritten: it is neither valid, nor PROT_NONE, nor a swap entry that can be{why}"
        return Diagnosis("page-table-overwritten", sentence, tuple(evidence), LIKELY)
    sentence = f"{what} does not fit its page or its mapping, and nothing shows who wrote it"
    return Diagnosis(NOT_ENOUGH, sentence, tuple(evidence))


def _looks(value: int) -> str:
    """What a word looks like that should be an entry, with a colon before it; empty if like nothing else."""
    if near := poison_of(value):
        return f": it is {near[0].name}{f' + {near[1]:#x}' if near[1] else ''}"
    if value >> 48 == 0xFFFF and not value & 0b11:
        return ": it looks like an address of the kernel"
    text = value.to_bytes(8, "little").rstrip(b"\0")
    if len(text) >= 6 and all(0x20 <= byte < 0x7F for byte in text):
        return f": it looks like the text {text.decode()!r}"
    return ""


def wrong_count(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """A count of pages, or of bytes of page tables, that was left when an address space was freed."""
    tables = report.tables
    if tables is None or tables.count is None:
        return None
    count, evidence = abs(tables.count), (Evidence(report.message, tables.lines),)
    if tables.about == "pgtables_bytes":
        what = "were not freed, or not counted" if tables.count > 0 else "were freed more than once, or not counted"
        sentence = f"{count} bytes of page tables {what} when an address space was freed"
        return Diagnosis("wrong-count-of-page-tables", sentence, evidence, STATED)
    what = "more were counted in than out" if tables.count > 0 else "fewer were counted in than out"
    sentence = f"{tables.counter} was {tables.count} when an address space was freed, and not 0: {count} pages {what}"
    return Diagnosis("wrong-rss-counter", sentence, evidence, STATED)


_SANITIZER = re.compile(r"BUG: (KASAN|KFENCE): ([\w -]{3,60}?)(?: in (\S{1,200}?)(?:\+0x\S+)?(?: .*)?| on .*)?$")


def sanitizer(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """What KASAN or KFENCE found, in their words; with memory tags, what these show."""
    match = _SANITIZER.match(report.message)
    if match is None:
        return None
    tool, what, function = match[1], match[2], match[3]
    where = f" in {function}()" if function and not function.startswith("0x") else ""
    evidence = [Evidence(report.message, report.lines_of("message"))]
    if report.address is not None:
        evidence.append(address_evidence(report))
    tags = report.tags
    if tags is not None:
        memory = ", ".join(f"{tag:#x}" for tag in tags.memory)
        evidence.append(Evidence(f"pointer tag {tags.pointer:#x}, memory tag {memory}", (tags.line,)))
        if tags.pointer not in tags.memory and len(tags.memory) == 1:
            freed = tags.memory[0] == KASAN_TAG_INVALID
            meaning = (
                f"{KASAN_TAG_INVALID:#x} is KASAN_TAG_INVALID: freed memory, or beyond an object"
                if freed
                else "the memory belongs to another object: out of bounds, or used after it was freed"
            )
            sentence = (
                f"a tag check fault{where}: the pointer has tag {tags.pointer:#x}, and the memory {memory}; {meaning}"
            )
            return Diagnosis("kasan-report", sentence, tuple(evidence), DERIVED)
    sentence = f"{tool} reports {what}{where}"
    return Diagnosis(f"{tool.lower()}-report", sentence, tuple(evidence), STATED)


def trap(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """Exceptions that a check of the compiler or the CPU raised, by the exception class and its syndrome."""
    if report.esr is None:
        return None
    pc = report.registers.pc
    where = f" in {pc.function}()" if pc and pc.function else ""
    evidence, register = (esr_evidence(report),), ESR_EL1(report.esr)
    brk, btype = report.brk_name, register.ISS & 0b11
    if brk.startswith("UBSAN") or brk.startswith("CFI") or brk.startswith("KASAN"):
        name = {"U": "ubsan-trap", "C": "cfi-failure", "K": "kasan-report"}[brk[0]]
        sentence = f"a check that the compiler built in failed{where}: {brk.partition(': ')[2]}"
        return Diagnosis(name, sentence, evidence, DERIVED)
    if register.EC == BTI:
        how = {1: "BR by x16 or x17", 2: "BLR", 3: "BR"}.get(btype, "a branch")
        sentence = f"{how} went to an instruction{where} that does not accept it (PSTATE.BTYPE = {btype:02b})"
        return Diagnosis("branch-target", sentence, evidence, DERIVED)
    if register.EC == FPAC:
        key = f"{'data' if btype & 2 else 'instruction'} key {'B' if btype & 1 else 'A'}"
        sentence = f"a pointer failed its authentication with {key}{where}: its signature is not the one of its value"
        return Diagnosis("pointer-authentication", sentence, evidence, DERIVED)
    return None


def user_space(report: PrintedReport, log: PrintedLog, inferred: Inferred) -> Diagnosis | None:
    """A fault of a process, about which the kernel only prints a line (CONFIG_DEBUG_USER, show_unhandled_signals)."""
    if report.kind != "user fault":
        return None
    task = f"{report.header.comm}[{report.header.pid}]"
    who = task if report.message.startswith("potentially") else report.message.partition(": ")[0]
    evidence = [Evidence(report.message, report.lines_of("message"))]
    if report.syndrome is None or report.ec not in FROM_EL0:
        sentence = f"the process {who} faulted in user space; the kernel only reports it"
        return Diagnosis("user-space-fault", sentence, tuple(evidence), STATED)
    did = "executed" if report.ec in INSTRUCTION_ABORTS else "wrote to" if report.writes else "read"
    at = f"{report.address:#x}" if report.address is not None else "an address that is not printed"
    why = f": {report.fault[0]} fault at level {report.fault[1]}" if report.fault else ""
    evidence.append(esr_evidence(report))
    sentence = f"the process {who} {did} {at}{why}; the kernel only reports it"
    return Diagnosis("user-space-fault", sentence, tuple(evidence), DERIVED)


BTI, FPAC = 0x0D, 0x1C  # exception classes


def address_evidence(report: PrintedReport) -> Evidence:
    """The address of the report, as evidence."""
    return Evidence(f"the reported address is {report.address:#x}", report.lines_of("address"))


def access_evidence(report: PrintedReport, access: AccessedAddress | None) -> tuple[Evidence, ...]:
    """The instruction and its arithmetic, as evidence; empty without an access."""
    if access is None:
        return ()
    return (Evidence(f"`{access.instruction.text}` at pc; {access.arithmetic}", report.lines_of("code", access.base)),)


def esr_evidence(report: PrintedReport) -> Evidence:
    if report.esr is None:
        return Evidence("the kernel's own words", report.lines_of("message"))
    fault = f": {report.fault[0]} fault at level {report.fault[1]}" if report.fault else ""
    return Evidence(f"ESR_EL1 = {report.esr:#x}{fault}", report.lines_of("esr"))


CHECKS: tuple[Rule, ...] = (wrong_entry, wrong_count, sanitizer, table_freed, stack_page)
TRAPS: tuple[Rule, ...] = (trap, user_space)
