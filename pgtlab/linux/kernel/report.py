"""What the kernel found wrong, and the result of a run: values that outlive the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgtlab.linux.kernel.page_owner import Owner


@dataclass(frozen=True)
class Report:
    """Something that the kernel found wrong, with the state at that moment.

    `kind` is `Bad page state`, `Page poison`, `WARNING`, `BUG`, `Oops` or `Bad mm`; `text` is the reason, in the words
    of the kernel, and `trace` the call trace, innermost function first. For a bad page, `raw` holds the eight words of
    its `struct page`, and `pfn`, `mapcount` and `page_type` describe it. For an access that faulted, `address` and
    `esr` are FAR_EL1 and ESR_EL1. `registers` are those whose values the model knows.
    """

    kind: str
    text: str
    trace: tuple[str, ...]
    pfn: int | None = None
    mapcount: int | None = None
    page_type: int | None = None
    raw: tuple[int, ...] = ()
    location: str = ""
    address: int | None = None
    esr: int | None = None
    registers: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        numbers = {"pfn": self.pfn, "page_type": self.page_type, "address": self.address, "esr": self.esr}
        parts = [f"{self.kind}: {self.text}", *(f"{name}={n:#x}" for name, n in numbers.items() if n is not None)]
        return f"Report({', '.join(parts)}, in {' <- '.join(self.trace[:2])})"

    def as_dict(self) -> dict[str, object]:
        """The report as plain data, with numbers in hexadecimal as the log prints them."""
        report: dict[str, object] = {"kind": self.kind, "text": self.text, "trace": list(self.trace)}
        if self.page_type is not None:
            report |= {
                "pfn": self.pfn,
                "mapcount": self.mapcount,
                "page_type": f"{self.page_type:#x}",
                "raw": [f"{word:016x}" for word in self.raw],
            }
        if self.address is not None and self.esr is not None:
            report |= {"address": f"{self.address:016x}", "esr": f"{self.esr:016x}"}
        if self.registers:
            report["registers"] = {name: f"{value:016x}" for name, value in self.registers.items()}
        return report


@dataclass(frozen=True)
class Run:
    """The result of running the initcalls.

    Attributes
    ----------
    outcome : str
        `clean`, `report` or `panic`; `no boot` if the kernel did not boot.
    reports : tuple of Report
        What the kernel found wrong, in order.
    dmesg : tuple of str
        The lines of the kernel log.
    lost : tuple of Owner
        Blocks allocated during the run and never freed, by page_owner.
    nr_page_table_pages : int
        The counter of page-table pages after the run, in pages: 0 if each constructor was paired with a destructor.
    tests, skipped : tuple of str
        The tests of debug_vm_pgtable that ran, in order; and those with nothing to test, because an option is off or a
        level is folded.
    """

    outcome: str
    reports: tuple[Report, ...] = ()
    dmesg: tuple[str, ...] = ()
    lost: tuple[Owner, ...] = ()
    nr_page_table_pages: int = 0
    tests: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self.dmesg)

    def as_dict(self) -> dict[str, object]:
        """The run as plain data, as `pgtlab debug-vm-pgtable --json` prints it."""
        return {
            "outcome": self.outcome,
            "reports": [report.as_dict() for report in self.reports],
            "lost": [{"pfn": o.pfn, "order": o.order, "trace": list(o.trace)} for o in self.lost],
            "nr_page_table_pages": self.nr_page_table_pages,
            "tests": list(self.tests),
            "skipped": list(self.skipped),
            "dmesg": list(self.dmesg),
        }

    def __repr__(self) -> str:
        return f"Run({self.outcome}: {len(self.reports)} reports, {len(self.lost)} pages lost)"
