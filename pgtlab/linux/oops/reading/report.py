"""What one report prints, as values: every number has its place, and every place knows its line.

A log is cut, quoted and interleaved, so nearly every field may be missing: `None`, or empty, says that the log does not
show it. Line numbers count from 1 and are those of the text as it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgtlab.arch.fault import FaultKind
from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.linux.oops.reading.code import Instruction, PrintedSymbol
from pgtlab.linux.oops.reading.consistency import ABORTS, fault_of
from pgtlab.linux.oops.reading.header import ReportHeader
from pgtlab.linux.oops.reading.page_dump import PageDump
from pgtlab.linux.oops.reading.registers import AccessedAddress, Registers, accessed_address
from pgtlab.linux.oops.reading.walk import PrintedWalk

KINDS = ("bad page", "oops", "warning", "bug", "panic", "user fault")


@dataclass(frozen=True)
class PrintedReport:
    """One report of a kernel.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    message : str
        Its first line, without prefixes.
    details : tuple of str
        Other lines of text: that of a WARN, `Internal error: ...`, KASAN's range.
    address : int or None
        The faulting address: FAR_EL1, as printed (untagged since v5.8).
    esr : int or None
        ESR_EL1.
    registers, trace, walk, page, pstate, code, header
        As printed.
    pfn, process : int or None, str
        Of `BUG: Bad page state in process ... pfn:...`.
    location : str
        File and line of a WARN or a BUG.
    notes : tuple of str
        Where the report contradicts itself, in words.
    where : mapping of str to int
        The line of each single value: `message`, `esr`, `address`, `internal error`, `trace`, `code`, `header`,
        `location`, `pstate`, `end`. The walk, the page, registers and frames know their own lines.
    lines : tuple of int
        Every line that was read into the report.
    """

    kind: str
    message: str = ""
    details: tuple[str, ...] = ()
    address: int | None = None
    esr: int | None = None
    registers: Registers = field(default_factory=Registers)
    trace: tuple[PrintedSymbol, ...] = ()
    walk: PrintedWalk | None = None
    page: PageDump | None = None
    pstate: int | None = None
    pstate_text: str = ""
    code: tuple[Instruction, ...] = ()
    header: ReportHeader = field(default_factory=ReportHeader)
    pfn: int | None = None
    process: str = ""
    location: str = ""
    notes: tuple[str, ...] = ()
    where: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[int, ...] = ()

    @property
    def functions(self) -> tuple[str, ...]:
        """The names in the call trace, innermost first, without the unreliable ones.

        >>> frames = PrintedSymbol("f", 4, 8), PrintedSymbol("old", 4, 8, reliable=False)
        >>> PrintedReport("oops", trace=frames).functions
        ('f',)
        """
        return tuple(symbol.function for symbol in self.trace if symbol.reliable and symbol.function)

    @property
    def ec(self) -> int | None:
        """The exception class in ESR_EL1; `None` where the log does not have the register."""
        return None if self.esr is None else int(ESR_EL1(self.esr).EC)

    @property
    def syndrome(self) -> ISSDataAbort | None:
        """The syndrome of an abort (an Instruction Abort has fewer fields, in the same bits); else `None`.

        >>> PrintedReport("oops", esr=0x96000044).syndrome.WnR, PrintedReport("bug", esr=0xf2000800).syndrome
        (1, None)
        """
        return ISSDataAbort(ESR_EL1(self.esr or 0).ISS) if self.ec in ABORTS else None

    @property
    def fault(self) -> tuple[FaultKind, int] | None:
        """The kind and the level of the fault of the walk that ESR_EL1 reports; `None` for every other exception."""
        return None if self.esr is None else fault_of(self.esr)

    @property
    def access(self) -> AccessedAddress | None:
        """The access of the marked instruction; `None` where the log does not have it, or its registers."""
        return accessed_address(self.code, self.registers)

    def lines_of(self, *names: str) -> tuple[int, ...]:
        """The lines of single values (keys of `where`) and of registers, as far as the log has them, in order.

        >>> PrintedReport("oops", registers=Registers(lines={"x3": 7}), where={"esr": 2}).lines_of("x3", "esr", "code")
        (2, 7)
        """
        lines = {self.where.get(name) or self.registers.lines.get(name) for name in names}
        return tuple(sorted(line for line in lines if line))

    def __repr__(self) -> str:
        where = f", lines {self.lines[0]} to {self.lines[-1]}" if self.lines else ""
        return f"{type(self).__name__}({self.kind}{where}: {self.message})"
