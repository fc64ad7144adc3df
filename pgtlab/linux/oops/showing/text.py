"""The parts of a log as text: each value with the line that it is from, and what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_lowercase
from typing import NamedTuple

from pgtlab.arch import esr
from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.linux.oops.inferring.inference import Diagnosis, Inference
from pgtlab.linux.oops.reading.code import NOT_DISASSEMBLED, PrintedSymbol
from pgtlab.linux.oops.reading.consistency import ABORTS
from pgtlab.linux.oops.reading.header import LogFacts
from pgtlab.linux.oops.reading.page_dump import OLD_FIELDS, PageType
from pgtlab.linux.oops.reading.registers import BTYPES, UNTAGGED, pstate_flags, pstate_words
from pgtlab.linux.oops.reading.report import PrintedReport
from pgtlab.linux.oops.reading.walk import PrintedEntry, PrintedWalk

FRAMES = 24  # of a call trace: the innermost show what happened
GUTTER = 7
_SPACES = re.compile(r" {2,}")  # between columns


class Remark(NamedTuple):
    """A line of the answer; `line` is the line of the log that it is about, or `None` if it continues the one before.

    >>> str(Remark(7, "ESR_EL1   0x96000004"))
    '    7  ESR_EL1   0x96000004'
    """

    line: int | None
    text: str

    def __str__(self) -> str:
        return f"{self.line or '':>{GUTTER - 2}}  {self.text}"


def report_lines(report: PrintedReport, number: int) -> list[str]:
    """One report: a heading, and below it what it shows, in the order in which a reader asks for it."""
    heading = f"{number}. {report.kind.capitalize()}: {report.message}"
    lines = [heading, "-" * min(len(heading), 100)]
    parts = (_details, _header, _tables, _page, _esr, _address, _walk, _registers, _pstate, _code, _trace, _notes)
    for part in parts:
        lines += map(str, part(report))
    return lines


def remarks(report: PrintedReport) -> dict[int, tuple[str, ...]]:
    """What was decoded from single lines of a report, by their numbers; not what the lines say themselves.

    >>> from pgtlab.linux.oops.reading import read_log
    >>> log = read_log("Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
    >>> remarks(log.reports[0])[1][0]
    'ESR_EL1 0x96000004: Data Abort taken without a change in Exception level: Translation fault, level 0, reading'
    """
    by_line: dict[int, list[str]] = {}
    for part in (_tables, _page, _esr, _address, _walk, _pstate, _code, _notes):
        line = report.where["message"]
        for remark in part(report):
            line = remark.line or line
            by_line.setdefault(line, []).append(_SPACES.sub(" ", remark.text.strip()))
    return {line: tuple(texts) for line, texts in by_line.items()}


def _more(text: str) -> Remark:
    return Remark(None, " " * 10 + text)


def _details(report: PrintedReport) -> Iterator[Remark]:
    for text in report.details:
        yield Remark(None, f"details   {text}")


def _header(report: PrintedReport) -> Iterator[Remark]:
    header = report.header
    if header.cpu is not None:
        taint = f"tainted {header.tainted}" if header.tainted else "not tainted"
        kernel = f", Linux {header.version} {header.build}".rstrip() + f", {taint}" if header.version else ""
        yield Remark(
            report.where.get("header"), f"task      {header.comm}, PID {header.pid}, on CPU {header.cpu}{kernel}"
        )
    if header.hardware:
        yield _more(header.hardware)


def _esr(report: PrintedReport) -> Iterator[Remark]:
    if report.esr is None:
        return
    syndrome = esr.decode(report.esr)
    summary = syndrome.summary
    if name := report.brk_name:
        summary += f", {name}"
    yield Remark(report.where.get("esr"), f"ESR_EL1   {report.esr:#x}: {summary}")
    for field in (field for part in syndrome.fields for field in part.flat()):
        shown = field.value or field.name in ("DFSC", "IFSC", "WnR", "BTYPE", "DataKey", "BKey")
        meaning = _field_meaning(field.name, field.value, report.maintains_cache) or field.meaning
        if shown and meaning and field.name not in ("EC", "RES0"):
            yield _more(f"{field.name} = {field.value:#x}: {meaning}")


def _field_meaning(name: str, value: int, maintains_cache: bool) -> str:
    """What a field of the syndrome means for Linux, where that is more than its own meaning."""
    if name == "WnR" and maintains_cache:
        return "always 1 where CM is set: it does not mean a write"
    if name == "BTYPE":
        return f"BTYPE={BTYPES[value & 3]}: {_BRANCHES[value & 3]}, to an instruction that does not accept it"
    return ""


_BRANCHES = (  # how PSTATE.BTYPE comes about (Arm ARM D8.4.5, v8.5 BTI)
    "no branch that is checked",
    "BR by x16 or x17",
    "BLR, an indirect call",
    "BR by another register",
)


def _address(report: PrintedReport) -> Iterator[Remark]:
    if report.address is not None:
        fault = report.ec in ABORTS or (report.ec is None and report.kind in ("oops", "user fault"))
        name = "FAR_EL1" if fault else "address"
        yield Remark(report.where.get("address"), f"{name}   {report.address:016x}")


def _walk(report: PrintedReport) -> Iterator[Remark]:
    walk = report.walk
    if walk is None:
        return
    first = walk.lines[0] if walk.lines else None
    if walk.note:
        yield Remark(first, f"walk      none: {walk.note}")
        return
    yield Remark(first, f"walk      {_geometry(walk)}")
    for entry in walk.entries:
        yield _more(_entry(entry, walk))
    if walk.consistent:
        yield _more("ESR_EL1 and this walk agree.")
    elif walk.consistent is False:
        yield _more(f"They disagree: {walk.inconsistency}.")


def _geometry(walk: PrintedWalk) -> str:
    text = {"swapper": "the kernel's tables", "user": "the task's tables"}.get(walk.table, "tables")
    if walk.page_size is None or walk.va_bits is None:
        return f"{text}; page size and levels were not printed"
    text += f": {walk.page_size >> 10}K pages, {walk.va_bits}-bit addresses"
    if walk.start_level is not None:
        text += f", levels {walk.start_level} to {LAST_LEVEL}"
    return text + (f", pgd at {walk.pgdp:#x}" if walk.pgdp is not None else "")


def _entry(entry: PrintedEntry, walk: PrintedWalk) -> str:
    text = f"{entry.name} {entry.value:016x}  "
    if entry.level is None:
        return text + ("valid" if entry.valid else "invalid")
    if entry.folded:
        repeated = any(other.value == entry.value for other in walk.walked if other.level == entry.level)
        return f"{text}folded: {'repeats the entry above' if repeated else 'the level does not exist at run time'}"
    text += f"level {entry.level}: "
    descriptor = entry.descriptor
    if isinstance(descriptor, Table):
        return f"{text}table at {descriptor.oa:#x}"
    if isinstance(descriptor, Leaf):
        rights = f"EL1 {'reads' if descriptor.AP >> 1 else 'writes'}"
        rights += f", EL0 {'reads' if descriptor.AP >> 1 else 'writes'}" if descriptor.AP & 1 else ", not EL0"
        execute = [f"EL{el} executes" for el, never in ((1, descriptor.PXN), (0, descriptor.UXN)) if not never]
        flag = "" if descriptor.AF else ", access flag clear"
        kind = type(descriptor).__name__.lower()
        return f"{text}{kind} at {descriptor.oa:#x}; {rights}, {' and '.join(execute) or 'not executable'}{flag}"
    if walk.table == "swapper" and (whole := entry.whole) is not None:
        return f"{text}invalid, but whole: {type(whole).__name__.lower()} at {whole.oa:#x} but for its valid bit"
    why = "" if entry.value else " (none)"
    return f"{text}invalid{why}: the walk ends here" if entry.level == walk.first_invalid_level else f"{text}invalid"


def _tables(report: PrintedReport) -> Iterator[Remark]:
    tables = report.tables
    if tables is None:
        return
    for entry in tables.entries:
        yield Remark(entry.line, f"{entry.name:<9} {entry.value:016x}  {entry.describe(report.release)}")
    if tables.address is not None:
        flags = f", vm_flags {tables.vm_flags:#x}: {', '.join(tables.vm_flag_names)}" if tables.vm_flags else ""
        yield Remark(tables.lines[-1], f"address   {tables.address:#x}{flags}")
    if tables.count is not None:
        unit = "bytes of page tables" if tables.about == "pgtables_bytes" else f"pages of {tables.counter}"
        yield Remark(tables.lines[0], f"count     {tables.count} {unit} left when the address space was freed")


def _page(report: PrintedReport) -> Iterator[Remark]:
    page = report.page
    if page is None:
        if report.pfn is not None:
            yield Remark(report.where["message"], f"page      pfn {report.pfn:#x}")
        return
    if not page.matches_folio:
        text = "does not contain the page: the page changed while it was copied, or the copy was taken for the page"
        yield Remark(page.folio_line, f"folio     {text}")
    pfn = page.pfn if page.pfn is not None else report.pfn
    counts = [f"pfn {pfn:#x}" if pfn is not None else "pfn not printed"]
    counts += [f"{name} {value}" for name, value in (("refcount", page.refcount), ("mapcount", page.mapcount))]
    yield Remark(page.lines[0], f"page      {', '.join(text for text in counts if not text.endswith('None'))}")
    if page.page_type is not None:
        yield _more(f"type: {page_type_text(page.page_type, page.mapcount)}")
    if page.flags is not None:
        names = ", ".join(page.flag_names) or "none set"
        fields = "".join(f", {name} {value:#x}" for name, value in page.flag_fields.items())
        yield _more(f"flags {page.flags:#x}: {names}{fields}")
    if page.raw_at != 0:
        which = "it is unknown which" if page.raw_at is None else "the first"
        yield _more(f"one of the two `raw:` lines is missing: {which}")
    if page.fields:
        yield _more("struct page: " + ", ".join(f"{name} {value:#x}" for name, value in page.fields.items()))
        if list(page.fields) == list(OLD_FIELDS):
            yield _more("(the order of fields is that before v4.18)")
    for text in (page.kind and f"{page.kind} page", page.head, page.aops, page.owner):
        if text:
            yield _more(text)
    if page.reason:
        yield _more(f"dumped because: {page.reason}")
    yield from _short_trace("allocated by", page.allocated)
    yield from _short_trace("freed by", page.freed)


def _short_trace(what: str, frames: tuple[PrintedSymbol, ...]) -> Iterator[Remark]:
    if frames:
        yield _more(f"{what} {' < '.join(frame.function for frame in frames[:5])}{' ...' if len(frames) > 5 else ''}")


def page_type_text(kind: PageType, mapcount: int | None = None) -> str:
    """A page type in words.

    >>> page_type_text(PageType(0xfffffdff, "bits", ("table",)), -512)
    'table: 0xfffffdff has its bit cleared (before v6.12); as a map count it is -513, printed plus one: -512'
    """
    names = " or ".join(kind.names) or "unknown"
    match kind.encoding:
        case "none":
            return "none: 0xffffffff is a page without a type that is mapped nowhere"
        case "count":
            return f"none: {kind.value or 0:#x} is a map count, one less than the number of mappings"
        case "byte":
            return f"{names}: the top byte{f' of {kind.value:#x}' if kind.value is not None else ''} (since v6.12)"
    text = f"{names}: {kind.value or 0:#x} has its bit cleared (before v6.12)"
    if mapcount is not None and kind.value is not None and (mapcount - 1) & 0xFFFFFFFF == kind.value:
        text += f"; as a map count it is {mapcount - 1}, printed plus one: {mapcount}"
    return text


def _registers(report: PrintedReport) -> Iterator[Remark]:
    registers = report.registers
    for name, symbol in (("pc", registers.pc), ("lr", registers.lr)):
        if symbol is not None:
            yield Remark(registers.lines.get(name), f"{name}        {symbol}")
        elif name in registers:
            yield Remark(registers.lines.get(name), f"{name}        {registers[name]:016x}")
    if "sp" in registers:
        yield Remark(registers.lines.get("sp"), f"sp        {registers['sp']:016x}")
    if numbered := list(registers.numbered):
        missing = f", {31 - len(numbered) - ('x30' not in registers)} missing" if len(numbered) < 30 else ""
        yield Remark(registers.lines.get(numbered[-1]), f"x0 to x29 {len(numbered)} printed{missing}")


def _pstate(report: PrintedReport) -> Iterator[Remark]:
    if report.pstate is not None:
        flags = report.pstate_text or pstate_flags(report.pstate)
        yield Remark(
            report.where.get("pstate"), f"pstate    {report.pstate:08x} ({flags}): {pstate_words(report.pstate)}"
        )


def _code(report: PrintedReport) -> Iterator[Remark]:
    if report.code and report.code[0].text == NOT_DISASSEMBLED:
        yield Remark(report.where.get("code"), f"code      {NOT_DISASSEMBLED}")
        return
    for n, instruction in enumerate(report.code):
        place = f"{instruction.offset:+#x}" if instruction.offset is not None else ""
        text = f"{place:>8} {instruction.word:08x}  {instruction.text}"
        if instruction.faulting:
            text += f"   <- here{_access(report)}"
        yield Remark(report.where.get("code"), f"code  {text}") if not n else Remark(None, f"      {text}")


def _access(report: PrintedReport) -> str:
    access, address = report.access, report.address
    if access is None:
        return ""
    faulting = address is not None and access.address & UNTAGGED == address & UNTAGGED
    return f": {access.expression} = {access.address:#x}{', the faulting address' if faulting else ''}"


def _trace(report: PrintedReport) -> Iterator[Remark]:
    for n, frame in enumerate(report.trace[:FRAMES]):
        source = f"  {frame.source}" if frame.source else ""
        yield Remark(frame.line, f"{'trace' if not n else '':<9} {frame}{source}")
    if len(report.trace) > FRAMES:
        yield _more(f"and {len(report.trace) - FRAMES} more")


def _notes(report: PrintedReport) -> Iterator[Remark]:
    for note in report.notes:
        yield Remark(None, f"note      {note}")


def facts_lines(facts: LogFacts, reports: Sequence[int] = ()) -> list[str]:
    """The facts about the whole log, or about the boot that some of its reports are from."""
    lines = [str(remark) for remark in _facts(facts)]
    heading = (
        f"The boot of report{'s' * (len(reports) > 1)} {', '.join(map(str, reports))}" if reports else "The whole log"
    )
    return [heading, "-" * len(heading), *lines] if lines else []


def facts_remarks(facts: LogFacts) -> dict[int, tuple[str, ...]]:
    """The facts about the whole log, by the lines that state them."""
    return {remark.line: (_SPACES.sub(" ", remark.text),) for remark in _facts(facts) if remark.line}


def _facts(facts: LogFacts) -> Iterator[Remark]:
    if facts.version:
        yield Remark(facts.where.get("version"), f"kernel    {facts.version}")
    if facts.kaslr_offset is not None:
        where = f" from {facts.kernel_base:#x}" if facts.kernel_base is not None else ""
        text = f"{facts.kaslr_offset:#x}{where}" if facts.kaslr_offset else "0: KASLR did not move it"
        yield Remark(facts.where.get("kaslr_offset"), f"image     moved by {text}")
    if facts.phys_offset is not None:
        text = f"{facts.phys_offset:#x}"
        if facts.phys_offset >> 63:
            text += " (below zero: KASLR moved the linear map too)"
        yield Remark(facts.where.get("phys_offset"), f"memory    PHYS_OFFSET {text}")
    if facts.memory_limit:
        yield Remark(facts.where.get("memory_limit"), f"memory    limit: {facts.memory_limit}")
    if facts.cpu_features:
        yield Remark(facts.where.get("cpu_features"), f"features  {facts.cpu_features} (a bit for each capability)")


def diagnosis_lines(diagnoses: Mapping[int, Diagnosis]) -> list[str]:
    """The diagnoses with their evidence, each with the number of its report unless nothing is concluded."""
    lines = ["Diagnosis", "---------"]
    for number, diagnosis in diagnoses.items():
        about = f"report {number}: " if diagnosis.confidence or number > 1 else ""
        lines += [f"  {line}" for line in f"{about}{diagnosis}".split("\n")]
    return lines


def inference_lines(inferences: Sequence[tuple[Inference, tuple[int, ...]]], reports: int) -> list[str]:
    """The claims, each with its confidence and the letters of its evidence; below them the evidence by letter.

    Each inference comes with the numbers of its reports, out of as many as `reports`.
    """
    if not inferences:
        return []
    evidence = dict.fromkeys(piece for inference, _ in inferences for piece in inference.evidence)
    letters = {piece: letter(n) for n, piece in enumerate(evidence)}
    lines = ["What follows", "------------"]
    for inference, numbers in inferences:
        about = f"report {numbers[0]}: " if len(numbers) == 1 and reports > 1 else ""
        why = ", ".join(letters[piece] for piece in inference.evidence)
        lines.append(f"  {about}{inference.claim} ({inference.confidence}{why and f': {why}'})")
    return [*lines, "  because", *(f"    {letters[piece]}  {piece}" for piece in evidence)]


def letter(n: int) -> str:
    """The n-th letter of a piece of evidence.

    >>> letter(0), letter(25), letter(26)
    ('a', 'z', 'aa')
    """
    count = len(ascii_lowercase)
    return (letter(n // count - 1) if n >= count else "") + ascii_lowercase[n % count]
