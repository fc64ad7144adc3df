"""Diagnoses of pages: page tables in `Bad page state`, and a `struct page` that is not in the memmap."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, Diagnosis, Evidence, Inference
from pgtlab.linux.oops.reading import PrintedLog
from pgtlab.linux.oops.reading.code import PrintedSymbol
from pgtlab.linux.oops.reading.page_dump import PageDump
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
    if page is None or page.page_type is None:
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


PAGE_RULES: tuple[Rule, ...] = (table_freed, stack_page)
