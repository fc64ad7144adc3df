"""A log's reports as plain data: what `pgtlab oops --json` prints.

Addresses, words and registers are hexadecimal strings, as a log has them; counts, levels and line numbers are numbers.
What the log does not have is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgtlab.arch import esr
from pgtlab.linux.oops.diagnosis.diagnose import diagnose
from pgtlab.linux.oops.inferring.infer import infer, infer_all
from pgtlab.linux.oops.inferring.inference import Inference
from pgtlab.linux.oops.reading.header import Facts
from pgtlab.linux.oops.reading.printed import PageDump, PrintedWalk, Report
from pgtlab.linux.oops.reading.read import Log


def log_as_dict(log: Log) -> dict[str, Any]:
    """`reports`, `facts` and `declined`."""
    return {
        "reports": [
            report_as_dict(report, log, inferences)
            for report, inferences in zip(log.reports, infer_all(log), strict=True)
        ],
        "facts": facts_as_dict(log.facts),
        "declined": list(log.declined),
    }


def report_as_dict(report: Report, log: Log, inferences: Sequence[Inference] | None = None) -> dict[str, Any]:
    """One report of a log, with what follows from it; `inferences` are of `infer`, where they are at hand.

    >>> report = Report("oops", esr=0x96000004)
    >>> report_as_dict(report, Log((report,)))["esr"]
    '0x96000004'
    """
    registers = {name: f"{value:016x}" for name, value in report.registers.values.items()}
    for name, symbol in (("pc", report.registers.pc), ("lr", report.registers.lr)):
        if symbol is not None:
            registers[name] = str(symbol)
    if report.pstate is not None:
        registers["pstate"] = f"{report.pstate:08x}"
    header = report.header
    if inferences is None:
        inferences = infer(report, log)
    return {
        "kind": report.kind,
        "message": report.message,
        "details": list(report.details),
        "lines": [report.lines[0], report.lines[-1]] if report.lines else None,
        "address": _hex16(report.address),
        "esr": None if report.esr is None else f"{report.esr:#x}",
        "syndrome": None if report.esr is None else esr.decode(report.esr).as_dict(),
        "registers": registers,
        "trace": [str(frame) for frame in report.trace],
        "code": [
            {
                "word": f"{one.word:08x}",
                "text": one.text,
                "offset": one.offset,
                "faulting": one.faulting,
            }
            for one in report.code
        ],
        "walk": None if report.walk is None else walk_as_dict(report.walk),
        "page": None if report.page is None else page_as_dict(report.page),
        "pfn": None if report.pfn is None else f"{report.pfn:#x}",
        "location": report.location or None,
        "task": {
            "cpu": header.cpu,
            "pid": header.pid,
            "comm": header.comm or report.process or None,
            "tainted": header.tainted if header.version else None,
            "version": header.version or None,
            "hardware": header.hardware or None,
        },
        "notes": list(report.notes),
        "inferences": [inference.as_dict() for inference in inferences],
        "diagnosis": diagnose(report, log, inferences).as_dict(),
    }


def walk_as_dict(walk: PrintedWalk) -> dict[str, Any]:
    """The printed walk."""
    return {
        "address": _hex16(walk.address),
        "table": walk.table or None,
        "page_size": walk.page_size,
        "va_bits": walk.va_bits,
        "pgdp": _hex16(walk.pgdp),
        "entries": {entry.name: f"{entry.value:016x}" for entry in walk.entries},
        "levels": {entry.name: entry.level for entry in walk.entries},
        "folded": [entry.name for entry in walk.entries if entry.folded],
        "note": walk.note or None,
        "first_invalid_level": walk.first_invalid_level,
        "consistent": walk.consistent,
        "inconsistency": walk.inconsistency or None,
    }


def page_as_dict(page: PageDump) -> dict[str, Any]:
    """The dumped page."""
    kind = page.page_type
    return {
        "pfn": None if page.pfn is None else f"{page.pfn:#x}",
        "refcount": page.refcount,
        "mapcount": page.mapcount,
        "mapping": _hex16(page.mapping),
        "index": None if page.index is None else f"{page.index:#x}",
        "flags": None if page.flags is None else f"{page.flags:#x}",
        "flag_names": list(page.flag_names),
        "flag_fields": dict(page.flag_fields),
        "page_type": None
        if kind is None
        else {
            "value": None if kind.value is None else f"{kind.value:#x}",
            "encoding": kind.encoding,
            "names": list(kind.names),
        },
        "raw": [f"{word:016x}" for word in page.raw],
        "fields": {name: f"{value:#x}" for name, value in page.fields.items()},
        "head": page.head or None,
        "matches_folio": page.matches_folio,
        "reason": page.reason or None,
        "allocated": [str(frame) for frame in page.allocated],
        "freed": [str(frame) for frame in page.freed],
    }


def facts_as_dict(facts: Facts) -> dict[str, Any]:
    """The facts of the whole log."""
    return {
        "version": facts.version or None,
        "kaslr_offset": None if facts.kaslr_offset is None else f"{facts.kaslr_offset:#x}",
        "kernel_base": _hex16(facts.kernel_base),
        "phys_offset": None if facts.phys_offset is None else f"{facts.phys_offset:#x}",
        "cpu_features": facts.cpu_features or None,
        "memory_limit": facts.memory_limit or None,
        "command_line": facts.command_line or None,
    }


def _hex16(value: int | None) -> str | None:
    return None if value is None else f"{value:016x}"
