"""What one report prints, as values: every number has its place, and every place knows its line.

A log is cut, quoted and interleaved, so nearly every field may be missing: `None`, or empty, says that the log does not
show it. Line numbers count from 1 and are those of the text as it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgtlab.arch.esr import BRK64
from pgtlab.arch.fault import FaultKind
from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.linux.headers.brk_imm import brk_name
from pgtlab.linux.oops.reading.code import Instruction, PrintedSymbol
from pgtlab.linux.oops.reading.consistency import ABORTS, DATA_ABORTS, fault_of, is_write
from pgtlab.linux.oops.reading.header import ReportHeader, Version
from pgtlab.linux.oops.reading.page_dump import PageDump
from pgtlab.linux.oops.reading.registers import AccessedAddress, MemoryTags, Registers, accessed_address
from pgtlab.linux.oops.reading.table_entries import TablesReport
from pgtlab.linux.oops.reading.walk import PrintedWalk

KINDS = ("bad page", "oops", "warning", "bug", "panic", "user fault", "unknown")


OUTSIDE_UACCESS = "Unable to handle kernel access to user memory outside uaccess routines"


def is_empty(message: str, esr: int | None) -> bool:
    """Whether a headline and ESR_EL1 show that TTBR0_EL1 held empty tables."""
    fault = fault_of(esr) if esr is not None else None
    return message.startswith(OUTSIDE_UACCESS) and fault is not None and fault[0] is FaultKind.TRANSLATION


@dataclass(frozen=True)
class PrintedReport:
    """One report of a kernel.

    Attributes
    ----------
    kind : str
        One of `KINDS`; `unknown` if the headline is missing.
    message : str
        Its first line, without prefixes.
    details : tuple of str
        Other lines of text: that of a WARN, `Internal error: ...`, KASAN's range.
    address : int or None
        The faulting address: FAR_EL1, as printed (untagged since v5.8).
    esr : int or None
        ESR_EL1.
    registers : Registers
        As printed; so are the next.
    trace : tuple of PrintedSymbol
        The call trace, the innermost function first.
    walk : PrintedWalk or None
        The walk of the tables.
    page : PageDump or None
        The page that was dumped.
    pstate : int or None
        The state of the processor.
    code : tuple of Instruction
        The words around the program counter.
    header : ReportHeader
        The lines with CPU, PID and release.
    pfn, process : int or None, str
        Of `BUG: Bad page state in process ... pfn:...`.
    location : str
        File and line of a WARN or a BUG.
    notes : tuple of str
        Where the report contradicts itself, in words.
    where : mapping of str to int
        The line of each single value: `message`, `esr`, ``address``, `internal error`, `trace`, `code`, `header`,
        `location`, `pstate`, `end`. The walk, the page, registers and frames know their own lines.
    lines : tuple of int
        Every line that was read into the report, in ascending order.
    mixed : tuple of int
        Lines of this report or of another that was printed at the same time: whose they are is not known.
    stacks : tuple of (str, int)
        The lines with the bounds of a stack that overflowed, and their numbers.
    linear : tuple of (int, int)
        Pointers into the linear map that kernels before v4.15 print, and their lines.
    tables : TablesReport or None
        Entries of page tables that the kernel found wrong.
    tags : MemoryTags or None
        The tags that KASAN compared.
    release : tuple of int or None
        The version of the kernel: that of the header, or of the boot.
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
    mixed: tuple[int, ...] = ()
    stacks: tuple[tuple[str, int], ...] = ()
    linear: tuple[tuple[int, int], ...] = ()
    tables: TablesReport | None = None
    tags: MemoryTags | None = None
    release: Version | None = None

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
    def brk_name(self) -> str:
        """What the kernel or the compiler uses the BRK instruction for that ESR_EL1 reports; else empty.

        >>> PrintedReport("oops", esr=0xf2000800).brk_name
        'BUG_BRK_IMM: BUG() or WARN()'
        """
        return brk_name(ESR_EL1(self.esr or 0).ISS & 0xFFFF) or "" if self.ec == BRK64 else ""

    @property
    def writes(self) -> bool:
        """Whether ESR_EL1 reports a store, and not cache maintenance, for which WnR is set too."""
        return self.ec in DATA_ABORTS and is_write(ESR_EL1(self.esr or 0))

    @property
    def maintains_cache(self) -> bool:
        """Whether an instruction for cache maintenance or address translation raised the abort."""
        return self.ec in DATA_ABORTS and bool(ISSDataAbort(ESR_EL1(self.esr or 0).ISS).CM)

    @property
    def empty_user_tables(self) -> bool:
        """Whether TTBR0_EL1 held empty tables instead of the task's (CONFIG_ARM64_SW_TTBR0_PAN).

        A translation fault gets this headline only there (`is_el1_permission_fault()`, arch/arm64/mm/fault.c).
        """
        return is_empty(self.message, self.esr)

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
