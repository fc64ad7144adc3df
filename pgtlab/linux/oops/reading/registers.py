"""The registers of a report (`__show_regs()`, `arch/arm64/kernel/process.c`), and what pstate says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.linux.oops.reading.code import is_bare_name, read_symbol
from pgtlab.linux.oops.reading.lines import Line
from pgtlab.linux.oops.reading.printed import Registers, Symbol

_NUMBERED = re.compile(r"\b(x[12]?\d|x30|sp|pc|lr) {0,2}: ?([0-9a-f]{16})(?![0-9a-zA-Z])")
_SYMBOLIC = re.compile(r"(?:(pc|lr) : |(PC|LR) is at )(.*)$")
_OLD = re.compile(  # before v4.14: the addresses in one line, the names in lines before it
    r"pc : \[<(?:0x)?([0-9a-f]{8,16})>\] +lr : \[<(?:0x)?([0-9a-f]{8,16})>\]"
)
_PSTATE = re.compile(r"\bpstate: ?([0-9a-f]{8,16})(?![0-9a-zA-Z])(?: \(([^()]{1,100})\))?")


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
    """What the flags mean for a reader: where the CPU ran, and what it would not take.

    >>> pstate_words(0x604000c5)
    'EL1h, interrupts masked, user memory out of reach (PAN)'
    """
    word = PSTATE(value)
    if word.nRW:
        return "AArch32"
    says = [MODES.get(word.M, f"mode {word.M:#x}")]
    says.append("interrupts masked" if word.I else "interrupts enabled")
    if word.PAN:
        says.append("user memory out of reach (PAN)")
    return ", ".join(says)


def read_pstate(lines: Sequence[Line]) -> tuple[int, str, int] | None:
    """The value of pstate, the flags as printed, and the line; the first of each that the lines have."""
    for line in lines:
        if "pstate" in line.text and (found := _PSTATE.search(line.text)):
            return int(found[1], 16), found[2] or "", line.number
    return None


def pstate_note(value: int, printed: str) -> str:
    """Where the printed flags are not those of the value: one sentence. Flags that an older kernel did not print
    are no disagreement.

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
        return f"pstate {value:08x} is ({flags}), and the log prints ({printed})"
    return ""


def read_registers(lines: Sequence[Line]) -> Registers:
    """The registers that the lines print. The first value of each counts: what comes later is another stack's.

    >>> read_registers([Line(1, "pc : f+0x3c/0x68"), Line(2, "x2 : 0000000000000007 x1 : fffffe07")]).values
    {'x2': 7}
    """
    values: dict[str, int] = {}
    where: dict[str, int] = {}
    symbols: dict[str, Symbol] = {}
    for line in lines:
        text = line.text
        if ":" not in text and " is at " not in text:
            continue
        if found := _OLD.search(text):
            for name, number in zip(("pc", "lr"), found.groups(), strict=True):
                values.setdefault(name, int(number, 16))
                where.setdefault(name, line.number)
        elif found := _SYMBOLIC.match(text):
            name = (found[1] or found[2]).lower()
            text = found[3].strip()
            symbol = read_symbol(text, line.number) or (Symbol(text, line=line.number) if is_bare_name(text) else None)
            # A symbolizer prints the inlined functions first, each in a line, and the real one last.
            if symbol is not None and symbol.function and (name not in symbols or symbols[name].offset is None):
                symbols[name] = symbol
                where.setdefault(name, line.number)
        for name, number in _NUMBERED.findall(line.text):
            values.setdefault(name, int(number, 16))
            where.setdefault(name, line.number)
    return Registers(values, symbols.get("pc"), symbols.get("lr"), where)
