"""The registers of a report (`__show_regs()`, `arch/arm64/kernel/process.c`), pstate, and the address that faulted.

Of the faulting access only what the text of its instruction says: `ldr x0, [x3, #8]` reads at x3 + 8. When it faults no
register has changed yet, whatever it was to load or to write back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.arch.word import MASK64, is_upper
from pgtlab.linux.oops.reading.code import Instruction, PrintedSymbol, has_offset, is_bare_name, read_symbol
from pgtlab.linux.oops.reading.lines import Line

_NUMBERED = re.compile(r"\b(x[12]?\d|x30|sp|pc|lr) {0,2}: ?([0-9a-f]{16})(?![0-9a-zA-Z])")
_SYMBOLIC = re.compile(r"(?:(pc|lr) : |(PC|LR) is at )(.*)$")
_OLD = re.compile(  # before v4.14: the addresses in one line, the names in lines before it
    r"pc : \[<(?:0x)?([0-9a-f]{8,16})>\] +lr : \[<(?:0x)?([0-9a-f]{8,16})>\]"
)
_PSTATE = re.compile(r"\bpstate ?: ?([0-9a-f]{8,16})(?![0-9a-zA-Z])(?: \(([^()]{1,100})\))?")


@dataclass(frozen=True)
class Registers:
    """The registers that a report prints; any of them may be missing.

    >>> Registers({"x0": 8, "sp": 0xffff80008007b8f0})["x0"]
    8

    Attributes
    ----------
    values : mapping of str to int
        `x0` to `x30`, `sp`, `pstate`, and `pc` and `lr` where the kernel printed them as numbers.
    pc, lr : PrintedSymbol or None
        Where the kernel was, and where it would have returned to.
    lines : mapping of str to int
        The line of each, `pc`, `lr` and `pstate` too.
    """

    values: Mapping[str, int] = field(default_factory=dict)
    pc: PrintedSymbol | None = None
    lr: PrintedSymbol | None = None
    lines: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.values[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def get(self, name: str, default: int | None = None) -> int | None:
        """The value of a register, or `default` if the log does not have it."""
        return self.values.get(name, default)

    def __bool__(self) -> bool:
        return bool(self.values or self.pc or self.lr)

    @cached_property
    def numbered(self) -> Mapping[str, int]:
        """Those of `x0` to `x30` that the report has, in the order of their numbers."""
        names = sorted((name for name in self.values if name[1:].isdecimal()), key=lambda name: int(name[1:]))
        return {name: self.values[name] for name in names}

    def holding(self, value: int) -> tuple[str, ...]:
        """The numbered registers that hold a value, x0 first."""
        return tuple(name for name, held in self.numbered.items() if held == value)

    def name_of(self, value: int) -> str:
        """The names of the registers that hold a value; the value itself if there are none.

        >>> registers = Registers({"x20": 8, "x19": 8, "x1": 2}, lines={"x1": 3})
        >>> registers.name_of(8), registers.name_of(5), registers.lines_holding(2, 8)
        ('x19 = x20', '0x5', (3,))
        """
        return " = ".join(self.holding(value)) or f"{value:#x}"

    def lines_holding(self, *values: int | None) -> tuple[int, ...]:
        """The lines of the numbered registers that hold the values."""
        return self.lines_of(name for value in values if value is not None for name in self.holding(value))

    def lines_of(self, names: Iterable[str]) -> tuple[int, ...]:
        """The lines of registers, in order."""
        return tuple(sorted({self.lines[name] for name in names if name in self.lines}))


@dataclass(frozen=True)
class MemoryTags:
    """The tags that KASAN compared (`print_tags()`, `mm/kasan/report_hw_tags.c`): in the pointer, and of the memory."""

    pointer: int
    memory: tuple[int, ...]
    line: int = 0


KASAN_TAG_INVALID = 0xFE  # mm/kasan/kasan.h: memory that is free, or a redzone
_TAGS = re.compile(r"Pointer tag: \[([0-9a-f]{2})\], memory tag: \[((?:[0-9a-f]{2}[ ,]*)+)\]")


def read_tags(lines: Sequence[Line]) -> MemoryTags | None:
    """The tags that the lines print, or `None`.

    >>> read_tags([Line(3, "Pointer tag: [fd], memory tag: [fe]")])
    MemoryTags(pointer=253, memory=(254,), line=3)
    """
    for line in lines:
        if match := _TAGS.match(line.text):
            memory = tuple(int(tag, 16) for tag in re.findall(r"[0-9a-f]{2}", match[2]))
            return MemoryTags(int(match[1], 16), memory, line.number)
    return None


class PSTATE(BitFields):
    """Process state as SPSR_EL1 saved it from AArch64 (Arm ARM C5.2.19), with the names that the kernel prints.

    >>> PSTATE(0x21400005)
    PSTATE(0x21400005: C=0x1 DIT=0x1 PAN=0x1 M=0x5)
    """

    M = Field(3, 0)
    nRW = Field(4)
    F = Field(6)
    I = Field(7)  # noqa: E741 - the architecture's name
    A = Field(8)
    D = Field(9)
    BTYPE = Field(11, 10)
    SSBS = Field(12)
    ALLINT = Field(13)
    IL = Field(20)
    SS = Field(21)
    PAN = Field(22)
    UAO = Field(23)
    DIT = Field(24)
    TCO = Field(25)
    V = Field(28)
    C = Field(29)
    Z = Field(30)
    N = Field(31)


MODES = {0b0000: "EL0t", 0b0100: "EL1t", 0b0101: "EL1h", 0b1000: "EL2t", 0b1001: "EL2h"}
BTYPES = ("--", "jc", "-c", "j-")


def pstate_flags(value: int) -> str:
    """The flags in the kernel's form: a capital or a plus sign is a bit that is set.

    >>> pstate_flags(0x21400005)
    'nzCv daif +PAN -UAO -TCO +DIT -SSBS BTYPE=--'
    """
    word = PSTATE(value)
    bits = dict(word.items())
    letters = "".join(name if bits[name] else name.lower() for name in "NZCVDAIF")
    signed = " ".join(f"{'+' if bits[name] else '-'}{name}" for name in ("PAN", "UAO", "TCO", "DIT", "SSBS"))
    return f"{letters[:4]} {letters[4:]} {signed} BTYPE={BTYPES[word.BTYPE]}"


def pstate_words(value: int) -> str:
    """What the flags mean: the Exception level, whether interrupts are masked, and PAN.

    >>> pstate_words(0x604000c5)
    'EL1h, interrupts masked, user memory not accessible (PAN)'
    """
    word = PSTATE(value)
    if word.nRW:
        return "AArch32"
    parts = [MODES.get(word.M, f"mode {word.M:#x}"), f"interrupts {'masked' if word.I else 'enabled'}"]
    return ", ".join(parts + ["user memory not accessible (PAN)"] * word.PAN)


def read_pstate(lines: Sequence[Line]) -> tuple[int, str, int] | None:
    """The first value of pstate in the lines, the flags as printed, and the line."""
    for line in lines:
        if "pstate" in line.text and (match := _PSTATE.search(line.text)):
            return int(match[1], 16), match[2] or "", line.number
    return None


def pstate_note(value: int, printed: str) -> str:
    """One sentence if the printed flags contradict the value; else empty.

    Flags that an older kernel did not print are not a contradiction.

    >>> pstate_note(0x21400005, "nzCv daif +PAN -UAO")
    ''
    """
    if not printed or PSTATE(value).nRW:
        return ""
    flags = pstate_flags(value)
    ours, letters = set(flags.split()[2:]), " ".join(flags.split()[:2])
    theirs = printed.split()
    wrong = [flag for flag in theirs[2:] if flag[0] in "+-" and flag not in ours]
    if wrong or " ".join(theirs[:2]) != letters:
        return f"pstate {value:08x} means ({flags}), but the log prints ({printed})"
    return ""


_ADDRESS_ONLY = re.compile(r"0x[0-9a-f]{1,16}$")  # `%pS` where no symbol is at the address


def read_registers(lines: Sequence[Line]) -> tuple[Registers, str]:
    """The registers that the lines print, and a sentence if they are of several reports.

    The first value of each counts: later ones belong to another stack. If a second set begins within the first, they
    were printed at the same time, and nothing shows which value belongs to which: then there are none.

    >>> read_registers([Line(1, "pc : f+0x3c/0x68"), Line(2, "x2 : 0000000000000007 x1 : fffffe07")])[0].values
    {'x2': 7}
    """
    values: dict[str, int] = {}
    where: dict[str, int] = {}
    symbols: dict[str, PrintedSymbol] = {}
    pointers = sum(_SYMBOLIC.match(line.text) is not None for line in lines)
    whole = pointers < 2 or any(has_offset(line.text) for line in lines)  # one name alone may be cut off
    for line in lines:
        text = line.text
        if ":" not in text and " is at " not in text:
            continue
        if match := _OLD.search(text):
            for name, number in zip(("pc", "lr"), match.groups(), strict=True):
                values.setdefault(name, int(number, 16))
                where.setdefault(name, line.number)
        elif match := _SYMBOLIC.match(text):
            name = (match[1] or match[2]).lower()
            symbol = _code_pointer(match[3].strip(), line.number, whole)
            old = symbols.get(name)
            both = symbol is not None and old is not None and None not in (old.offset, symbol.offset)
            if both and str(old) != str(symbol) and "x0" not in values:
                return Registers(), MIXED
            # A symbolizer prints the inlined functions first, each in a line, and the real one last.
            if symbol is not None and (old is None or (old.offset is None and old.address is None)):
                symbols[name] = symbol
                where.setdefault(name, line.number)
        for name, number in _NUMBERED.findall(text):
            value = int(number, 16)
            if values.setdefault(name, value) != value and name[1:].isdecimal() and "x0" not in values:
                return Registers(), MIXED
            where.setdefault(name, line.number)
    return Registers(values, symbols.get("pc"), symbols.get("lr"), where), ""


MIXED = "two sets of registers were printed at the same time: which value belongs to which is not known"


def _code_pointer(text: str, line: int, whole: bool) -> PrintedSymbol | None:
    """What stands after `pc : `: a symbol, an address that no symbol is at, or a bare name if none has an offset."""
    if _ADDRESS_ONLY.match(text):
        return PrintedSymbol("", address=int(text, 16), line=line)
    symbol = read_symbol(text, line)
    if symbol is not None:
        return symbol if symbol.function else None
    return PrintedSymbol(text, line=line) if is_bare_name(text) and not whole else None


WIDEST = 64  # bytes that one instruction may access, from its address on
UNTAGGED = (1 << 56) - 1  # an address without the byte that may be a tag

_OPERAND = re.compile(
    r"\[(?P<base>x[12]?\d|x30|sp)"
    r"(?:, (?:#(?P<imm>-?(?:0x)?[0-9a-f]{1,6})|(?P<index>[xw](?:[12]?\d|30|zr))"
    r"(?:, (?P<extend>lsl|sxtx|uxtw|sxtw)(?: #(?P<shift>\d))?)?))?\]"
)
_LOADS = re.compile(r"ld(?:r|ur|p|np|tr|ar|apr|apur|xr|axr|xp|axp)(?:s?[bhw])? ")
_STORES = re.compile(r"st(?:r|ur|p|np|tr|lr|lur)(?:[bh])? ")
_COPIES_AND_SETS = (
    "cpy",
    "set",
)  # FEAT_MOPS: the source or the target may have faulted, at any distance from the register


@dataclass(frozen=True)
class AccessedAddress:
    """The address that an instruction computed for its access.

    Attributes
    ----------
    instruction : Instruction
        The one that faulted.
    base : str
        The register in brackets.
    base_value : int
        What it held.
    offset : int
        What was added: an immediate, or an index as it was extended and shifted.
    index : str
        The index as it was added, such as `x4 * 8` or `sxtw(w4)`; empty for an immediate.
    write : bool or None
        Whether it stores; `None` if it is neither a plain load nor a plain store.
    """

    instruction: Instruction
    base: str
    base_value: int
    offset: int
    index: str = ""
    write: bool | None = None

    @property
    def address(self) -> int:
        """The first byte of the access."""
        return self.base_value + self.offset & MASK64

    def reaches(self, address: int) -> bool:
        """Whether FAR_EL1 can be this address: that of the first byte that faulted, with its tag or without.

        >>> AccessedAddress(Instruction(0, ""), "x3", 0, 8).reaches(8)
        True
        """
        return any((seen - self.address & MASK64) < WIDEST for seen in (address, address & UNTAGGED)) or (
            (address - self.address & UNTAGGED) < WIDEST and is_upper(address) == is_upper(self.address)
        )

    @property
    def expression(self) -> str:
        """The sum by names: `x3 + 0x8`, `x3 + x4 * 8`."""
        if self.index:
            return f"{self.base} + {self.index}"
        return self.base + (f" {'-' if self.offset < 0 else '+'} {abs(self.offset):#x}" if self.offset else "")

    @property
    def arithmetic(self) -> str:
        """The sum with its numbers."""
        sign = "-" if self.offset < 0 else "+"
        summand = f"+ {self.index}" if self.index else f"{sign} the offset"
        return f"{self.base} {summand}: {self.base_value:#x} {sign} {abs(self.offset):#x} = {self.address:#x}"


def accessed_address(code: Sequence[Instruction], registers: Registers) -> AccessedAddress | None:
    """The access of the marked instruction; `None` if the log does not show it, or not its registers.

    `None` as well for the memory copies and sets of FEAT_MOPS: their text does not show which address faulted.

    >>> load = Instruction(0xf9400460, "ldr x0, [x3, #8]", faulting=True)
    >>> access = accessed_address([load], Registers({"x3": 0}))
    >>> access.expression, access.arithmetic
    ('x3 + 0x8', 'x3 + the offset: 0x0 + 0x8 = 0x8')
    """
    instruction = next((instruction for instruction in code if instruction.faulting), None)
    if instruction is None or instruction.text.startswith(_COPIES_AND_SETS):
        return None
    operand = _OPERAND.search(instruction.text)
    base = registers.get(operand["base"]) if operand else None
    if operand is None or base is None:
        return None
    post_indexed = instruction.text[operand.end() :].startswith(",")  # the offset is added afterwards
    offset: int | None = int(operand["imm"], 0) if operand["imm"] and not post_indexed else 0
    index = ""
    if name := operand["index"]:
        extend, shift = operand["extend"] or "lsl", int(operand["shift"] or 0)
        offset = _index(registers.get(f"x{name[1:]}"), name, extend, shift)
        index = (f"{extend}({name})" if name[0] == "w" else name) + (f" * {1 << shift}" if shift else "")
    if offset is None:
        return None
    write = True if _STORES.match(instruction.text) else False if _LOADS.match(instruction.text) else None
    return AccessedAddress(instruction, operand["base"], base, offset, index, write)


def base_at(code: Sequence[Instruction], address: int) -> tuple[str, str] | None:
    """The register of the marked instruction if it must have been 0 for this address, and the instruction.

    >>> base_at([Instruction(0xb9400a80, "ldr w0, [x20, #8]", faulting=True)], 8)
    ('x20', 'ldr w0, [x20, #8]')
    """
    instruction = next((instruction for instruction in code if instruction.faulting), None)
    operand = _OPERAND.search(instruction.text) if instruction else None
    if instruction is None or operand is None or operand["index"] or instruction.text.startswith(_COPIES_AND_SETS):
        return None
    offset = int(operand["imm"] or "0", 0) if not instruction.text[operand.end() :].startswith(",") else 0
    return (operand["base"], instruction.text) if offset == address else None


def _index(value: int | None, name: str, extend: str, shift: int) -> int | None:
    """What an index register adds, as a signed number; `None` where the log does not have it."""
    if name[1:] == "zr":
        return 0
    if value is None:
        return None
    bits = 32 if name[0] == "w" else 64
    value &= (1 << bits) - 1
    if extend != "uxtw" and value >> bits - 1:
        value -= 1 << bits
    return value << shift
