"""What a kernel log reports, as values: every number has its place, and every place knows its line.

A log is cut, quoted and interleaved, so nearly every field may be missing: `None`, or empty, says that the log does not
show it. Line numbers count from 1 and are those of the text as it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgtlab.arch.descriptor import Descriptor

KINDS = ("bad page", "oops", "warning", "bug", "panic", "user fault")


@dataclass(frozen=True)
class Symbol:
    """An address as the kernel prints it: `function+offset/size [module]`.

    >>> str(Symbol("dump_page", 0x2c, 0x70))
    'dump_page+0x2c/0x70'

    Attributes
    ----------
    function : str
        The name; empty where the kernel printed a bare address.
    offset, size : int or None
        Bytes from the start of the function, and in it. `None` where the function was inlined.
    module : str
        The module that the function is in; empty for the kernel proper.
    address : int or None
        The address, where it was printed too (before v4.11).
    reliable : bool
        False where the kernel put `?` before the name: something on the stack that may be an old return address.
    mark : str
        What newer kernels say of the frame in parentheses, such as `P` for the program counter of an exception.
    source : str
        File and line, where a symbolizer added them.
    line : int
        Where in the log.
    """

    function: str
    offset: int | None = None
    size: int | None = None
    module: str = ""
    address: int | None = None
    reliable: bool = True
    mark: str = ""
    source: str = ""
    line: int = 0

    def __str__(self) -> str:
        text = "" if self.reliable else "? "
        text += self.function or f"0x{self.address or 0:x}"
        if self.offset is not None:
            text += f"+{self.offset:#x}/{self.size or 0:#x}"
        return text + (f" [{self.module}]" if self.module else "")


@dataclass(frozen=True)
class Registers:
    """The registers that a report prints, as far as they are there.

    >>> Registers({"x0": 8, "sp": 0xffff80008007b8f0})["x0"]
    8

    Attributes
    ----------
    values : mapping of str to int
        `x0` to `x30`, `sp`, `pstate`, and `pc` and `lr` where the kernel printed them as numbers.
    pc, lr : Symbol or None
        Where the kernel was, and where it would have returned to.
    lines : mapping of str to int
        The line of each, `pc`, `lr` and `pstate` too.
    """

    values: Mapping[str, int] = field(default_factory=dict)
    pc: Symbol | None = None
    lr: Symbol | None = None
    lines: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.values[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def get(self, name: str, default: int | None = None) -> int | None:
        """The value of a register, or `default` where the log does not have it."""
        return self.values.get(name, default)

    def __bool__(self) -> bool:
        return bool(self.values or self.pc or self.lr)


@dataclass(frozen=True)
class Entry:
    """One entry of the printed walk.

    Attributes
    ----------
    name : str
        `pgd`, `p4d`, `pud`, `pmd` or `pte`: the level by Linux's name.
    value : int
        The word.
    level : int or None
        The Arm level that the word belongs to, -1 to 3; `None` where the page size was not printed.
    folded : bool
        The level does not exist, so that hardware does not read this word. Where it was folded at compile time it is
        that of the level above once more; where at run time, Linux printed what lies at an index of its own (a kernel
        for 52 bits that runs with fewer: `p4d_to_folded_pud()`), and the entry that hardware reads comes after it.
    descriptor : Descriptor or None
        The word decoded; `None` where the page size was not printed.
    """

    name: str
    value: int
    level: int | None = None
    folded: bool = False
    descriptor: Descriptor | None = None

    @property
    def valid(self) -> bool:
        """Whether hardware would follow the entry or use its address."""
        if self.descriptor is None:
            return bool(self.value & 1)
        return type(self.descriptor).__name__ != "Invalid"

    @property
    def leaf(self) -> bool:
        """Whether the entry is a page or a block."""
        return type(self.descriptor).__name__ in ("Page", "Block")


@dataclass(frozen=True)
class PrintedWalk:
    """The lines of `show_pte()`: what Linux found on its way through its tables after the fault.

    Attributes
    ----------
    address : int or None
        The address in brackets.
    table : str
        `swapper` for the kernel's tables, `user` for the task's; empty where the line is missing.
    page_size : int or None
        Bytes.
    va_bits : int or None
        Bits of virtual address in use at run time.
    pgdp : int or None
        Physical address of the top table; `None` where it was not printed, or as a pointer (before v5.0).
    entries : tuple of Entry
        Top first.
    note : str
        Why there is no walk, in the kernel's words: `user address but active_mm is swapper`, or `address between user
        and kernel address ranges`.
    first_invalid_level : int or None
        The Arm level of the first entry that hardware stops at; `None` where there is none, or it cannot be known.
    consistent : bool or None
        Whether the walk and ESR_EL1 agree; `None` where one of them is missing, or they have nothing to do with each
        other.
    inconsistency : str
        Where they do not agree: what each says, and what that may mean.
    lines : tuple of int
        Line numbers.
    """

    address: int | None = None
    table: str = ""
    page_size: int | None = None
    va_bits: int | None = None
    pgdp: int | None = None
    entries: tuple[Entry, ...] = ()
    note: str = ""
    first_invalid_level: int | None = None
    consistent: bool | None = None
    inconsistency: str = ""
    lines: tuple[int, ...] = ()

    @property
    def start_level(self) -> int | None:
        """The first level that hardware walks for `va_bits`: -1 to 2."""
        return self.entries[0].level if self.entries else None

    @property
    def walked(self) -> tuple[Entry, ...]:
        """The entries that hardware reads: one for each level."""
        return tuple(entry for entry in self.entries if not entry.folded)


@dataclass(frozen=True)
class PageType:
    """The four bytes that `_mapcount` and `page_type` share.

    Attributes
    ----------
    value : int or None
        All four bytes; `None` where the log shows only the top one (since v6.12) and no `raw:` words.
    encoding : str
        `bits` (v4.18 to v6.11: a type is a cleared bit), `byte` (since v6.12: the top byte), `count` where it is a map
        count, `none` for a page without type that is mapped nowhere.
    names : tuple of str
        The types, such as `table`. Where versions differ on a bit and the log names no version, all that it may be.
    """

    value: int | None
    encoding: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageDump:
    """What `dump_page()` printed, and what `BUG: Bad page state` said of the page.

    `mapcount` is as printed: before v6.12 a page type showed there as a large negative number. `index`, `mapping` and
    `memcg` are what was printed, which for pointers may be a hash. `raw` are the words of `struct page` from
    word `raw_at` on, which is 0, or `None` where a line is missing and nothing tells which; `fields` are the same, by
    name (64-byte `struct page`; `include/linux/mm_types.h`). `flag_names` and `flag_fields` are from
    `flags: 0x...(names|node=0)`.
    """

    pfn: int | None = None
    refcount: int | None = None
    mapcount: int | None = None
    mapping: int | None = None
    index: int | None = None
    flags: int | None = None
    flag_names: tuple[str, ...] = ()
    flag_fields: Mapping[str, int] = field(default_factory=dict)
    kind: str = ""  # `anon`, `ksm` or empty: the word before `flags:`
    page_type: PageType | None = None
    raw: tuple[int, ...] = ()
    raw_at: int | None = 0
    head_raw: tuple[int, ...] = ()
    fields: Mapping[str, int] = field(default_factory=dict)
    head: str = ""
    memcg: int | None = None
    aops: str = ""
    reason: str = ""
    matches_folio: bool = True
    owner: str = ""
    allocated: tuple[Symbol, ...] = ()
    freed: tuple[Symbol, ...] = ()
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Instruction:
    """One word of the `Code:` line. `offset` is from the start of the function, `None` where that is not known."""

    word: int
    text: str
    offset: int | None = None
    faulting: bool = False


@dataclass(frozen=True)
class Header:
    """Who was running what: the lines `CPU: ... PID: ... Comm: ...` and `Hardware name: ...`.

    `tainted` are the letters, empty for `Not tainted`; `version` is the kernel's release, `build` what follows it.
    """

    cpu: int | None = None
    uid: int | None = None
    pid: int | None = None
    comm: str = ""
    tainted: str = ""
    version: str = ""
    build: str = ""
    hardware: str = ""


@dataclass(frozen=True)
class Report:
    """One report of a kernel.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    message : str
        The line that it began with, without its prefixes.
    details : tuple of str
        Other lines in plain words: the text of a WARN, `Internal error: ...`, KASAN's range.
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
        What in the report disagrees with itself, in words.
    where : mapping of str to int
        The line of each single value: `message`, `esr`, `address`, `internal error`, `trace`, `code`, `header`,
        `location`, `pstate`, `end`. The walk, the page, registers and frames have lines of their own.
    lines : tuple of int
        Every line that was read into the report.
    """

    kind: str
    message: str = ""
    details: tuple[str, ...] = ()
    address: int | None = None
    esr: int | None = None
    registers: Registers = Registers()
    trace: tuple[Symbol, ...] = ()
    walk: PrintedWalk | None = None
    page: PageDump | None = None
    pstate: int | None = None
    pstate_text: str = ""
    code: tuple[Instruction, ...] = ()
    header: Header = Header()
    pfn: int | None = None
    process: str = ""
    location: str = ""
    notes: tuple[str, ...] = ()
    where: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[int, ...] = ()

    @property
    def functions(self) -> tuple[str, ...]:
        """The names in the call trace, innermost first, without the unreliable ones.

        >>> Report("oops", trace=(Symbol("f", 4, 8), Symbol("old", 4, 8, reliable=False))).functions
        ('f',)
        """
        return tuple(symbol.function for symbol in self.trace if symbol.reliable and symbol.function)

    def __repr__(self) -> str:
        where = f", lines {self.lines[0]} to {self.lines[-1]}" if self.lines else ""
        return f"Report({self.kind}{where}: {self.message})"

    def __str__(self) -> str:
        from pgtlab.linux.oops.showing.text import report_lines

        return "\n".join(report_lines(self, 1))
