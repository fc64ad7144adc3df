"""Code as the kernel prints it: names (`lib/vsprintf.c`, `%pS`), call traces, and the `Code:` line.

`Code:` has four instructions and the one at pc (`dump_kernel_instr()`, `arch/arm64/kernel/traps.c`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from pgtlab.linux.oops.reading.lines import Line


@dataclass(frozen=True)
class PrintedSymbol:
    """An address as the kernel prints it: `function+offset/size [module]`.

    >>> str(PrintedSymbol("dump_page", 0x2c, 0x70))
    'dump_page+0x2c/0x70'

    Attributes
    ----------
    function : str
        The name; empty if the kernel printed only an address.
    offset : int or None
        Bytes from the start of the function. `None` if the function was inlined.
    size : int or None
        Bytes in the function. `None` if the function was inlined.
    module : str
        The module that the function is in; empty for the kernel proper.
    address : int or None
        The address, if it was printed too (before v4.11).
    reliable : bool
        False if the kernel put `?` before the name: a word on the stack that may be an old return address.
    mark : str
        The letters in parentheses that newer kernels print, such as `P` for the program counter of an exception.
    source : str
        File and line, if a symbolizer added them.
    line : int
        The line of the log.
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
class Instruction:
    """One word of the `Code:` line. `offset` is from the start of the function; `None` if that is not known."""

    word: int
    text: str
    offset: int | None = None
    faulting: bool = False


LONGEST = 400  # characters: a Rust name fits
_SYMBOL = re.compile(
    r"(?:\[<(?:0x)?([0-9a-f]{8,16})>\] )?(\? )?([^\s+()\[\]<>]{1,250})\+0x([0-9a-f]{1,8})/0x([0-9a-f]{1,8})"
    r"(?: \[([^\]\s]{1,80})(?: [0-9a-f]{1,64})?\])?(?: \(([A-Z]{1,4})\))?(?: (\S{1,200}:\d{1,7}))?(?: \[inline\])?"
)
_INLINED = re.compile(r"([\w.$]{1,200}) (\S{1,200}:\d{1,7}) \[inline\]")
_LOCATED = re.compile(  # decode_stacktrace.sh writes the place over the offset
    r"(\? )?([\w.$]{1,200}) \(([^()\s]{1,200}:\d{1,7})[^()]{0,200}(?:\(discriminator \d{1,9}\))?[^()]{0,200}\)"
    r"(?: \[?([\w-]{1,80})\]?)?"
)
_BARE = re.compile(r"(?:\[<(?:0x)?([0-9a-f]{8,16})>\])?(?: ?\(?0x([0-9a-f]{8,16})\)?)?|([0-9a-f]{16})")
_NAME = re.compile(r"[A-Za-z_][\w.$]{0,199}")
CALL_TRACE = "Call trace:"
_AFTER_TRACE = re.compile(
    r"(?:Code: |---\[ |Modules linked in:|Kernel panic|Kernel Offset|SMP: stopping|page last |page_owner |"
    r"Allocated by|Freed by|Last potentially|The buggy address|CPU: \d|Call trace:|Mem abort info|Disabling lock|"
    r"Memory state around|={30})"
)
_LAST_REGISTERS = re.compile(r"x1 +: [0-9a-f]{16} +x0 +: [0-9a-f]{16}$")


def read_symbol(text: str, line: int = 0) -> PrintedSymbol | None:
    """A frame or a pointer to code, or `None`.

    >>> symbol = read_symbol("? ext4_iget+0x3c/0x68 [ext4]")
    >>> symbol.function, symbol.offset, symbol.size, symbol.module, symbol.reliable
    ('ext4_iget', 60, 104, 'ext4', False)
    """
    if len(text) > LONGEST or not text:
        return None
    if "+0x" in text and (match := _SYMBOL.fullmatch(text)):
        address, unsure, name, offset, size, module, mark, source = match.groups()
        if int(offset, 16) > int(size, 16):
            return None  # a number that is cut off
        return PrintedSymbol(
            name,
            int(offset, 16),
            int(size, 16),
            module or "",
            int(address, 16) if address else None,
            not unsure,
            mark or "",
            source or "",
            line,
        )
    if match := _INLINED.fullmatch(text):
        return PrintedSymbol(match[1], source=match[2], line=line)
    if match := _LOCATED.fullmatch(text):
        return PrintedSymbol(match[2], module=match[4] or "", reliable=not match[1], source=match[3], line=line)
    if match := _BARE.fullmatch(text):
        number = match[1] or match[2] or match[3]
        return PrintedSymbol("", address=int(number, 16), line=line) if number else None
    return None


def has_offset(text: str) -> bool:
    """Whether a name in a line has its offset: beside such names one without is cut off."""
    return "+0x" in text and "/0x" in text


def is_bare_name(text: str) -> bool:
    """Whether a line is only a name, as frames are in the logs of pgtlab's kernel.

    >>> is_bare_name("destroy_args"), is_bare_name("eth0: up")
    (True, False)
    """
    return _NAME.fullmatch(text) is not None


def read_trace(lines: Sequence[Line]) -> tuple[PrintedSymbol, ...]:
    """The frames after `Call trace:`, innermost first.

    Foreign lines in between are skipped. If the heading is lost, the trace is what follows the registers.

    >>> [str(frame) for frame in read_trace([Line(1, "Call trace:"), Line(2, "f+0x8/0x10"), Line(3, "eth0: up")])]
    ['f+0x8/0x10']
    """
    start = next((at for at, line in enumerate(lines) if line.text == CALL_TRACE), None)
    if start is None:
        start = next((at for at, line in enumerate(lines) if _LAST_REGISTERS.search(line.text)), None)
    return read_frames(lines[start + 1 :]) if start is not None else ()


def read_frames(lines: Sequence[Line]) -> tuple[PrintedSymbol, ...]:
    """The frames up to the line that begins something else."""
    frames: list[PrintedSymbol] = []
    bare = not any(has_offset(line.text) for line in lines)  # and as long as every line is only a name
    for line in lines:
        if _AFTER_TRACE.match(line.text):
            break
        symbol = read_symbol(line.text, line.number)
        bare = bare and is_bare_name(line.text)
        if symbol is not None:
            frames.append(symbol)
        elif bare:
            frames.append(PrintedSymbol(line.text, line=line.number))
    return tuple(frames)


_CODE = re.compile(r"Code: ((?:(?:[0-9a-f]{8}|\?{8}|\([0-9a-f]{8}\)|\(\?{8}\)) ?){1,64})")
_WORD = re.compile(r"\(?([0-9a-f]{8}|\?{8})\)?")


def read_code(lines: Sequence[Line], pc: PrintedSymbol | None = None) -> tuple[tuple[Instruction, ...], int | None]:
    """The instructions, and their line. The words are values, not bytes, on a big-endian kernel too.

    With `pc` each has its offset in the function, and the targets of branches are such offsets.

    >>> instructions, _ = read_code([Line(1, "Code: d37b1884 f100007f 8b040064 9a831083 (f9400460)")])
    >>> [instruction.text for instruction in instructions if instruction.faulting]
    ['ldr x0, [x3, #8]']
    """
    for line in lines:
        if line.text.startswith("Code: ") and (match := _CODE.match(line.text)):
            words = match[1].split()
            at = next((n for n, word in enumerate(words) if word.startswith("(")), None)
            start = pc.offset - 4 * at if pc is not None and pc.offset is not None and at is not None else None
            return _instructions(words, at, start), line.number
    return (), None


def _instructions(words: Sequence[str], at: int | None, start: int | None) -> tuple[Instruction, ...]:
    instructions = []
    for n, printed in enumerate(words):
        match = _WORD.match(printed)
        if match is None or match[1][0] == "?":
            continue  # the kernel could not read it
        word = int(match[1], 16)
        offset = None if start is None else start + 4 * n
        instructions.append(Instruction(word, disassemble(word, offset), offset, n == at))
    return tuple(instructions)


NOT_DISASSEMBLED: Final = "not disassembled: needs capstone"


@lru_cache(maxsize=1 << 14)
def disassemble(word: int, offset: int | None = None) -> str:
    """One instruction of AArch64 in assembly language; `.inst` if the word is not an instruction.

    `offset` is its place in the function, from which targets of branches are counted. Without it they are relative,
    `. + 8`. Where capstone is not installed the answer is `NOT_DISASSEMBLED`.

    >>> disassemble(0x14000002), disassemble(0x14000002, 0x10), disassemble(0)
    ('b . + 0x8', 'b +0x18', 'udf #0')
    """
    disassembler = _disassembler()
    if disassembler is None:
        return NOT_DISASSEMBLED
    base = 1 << 32  # high enough for branches backwards
    instruction = next(disassembler.disasm(word.to_bytes(4, "little"), base), None)
    if instruction is None:
        return f".inst {word:#010x}"
    operands = str(instruction.op_str)
    if _is_relative(instruction):
        head, _, target = operands.rpartition("#")
        distance = int(target, 0) - base
        if instruction.mnemonic == "adrp":
            operands = f"{head}page{distance:+#x}"  # relative to the page of pc, whose address is not known
        elif offset is None:
            operands = f"{head}. {'-' if distance < 0 else '+'} {abs(distance):#x}"
        else:
            operands = f"{head}{offset + distance:+#x}"
    return f"{instruction.mnemonic} {operands}".strip()


def _is_relative(instruction: Any) -> bool:
    """Whether the last operand is an address that capstone computed from that of the instruction."""
    mnemonic = str(instruction.mnemonic)
    operands = str(instruction.op_str)
    branch = mnemonic in ("b", "bl", "cbz", "cbnz", "tbz", "tbnz", "adr", "adrp") or mnemonic.startswith("b.")
    literal = mnemonic in ("ldr", "ldrsw", "prfm") and "[" not in operands
    return (branch or literal) and "#" in operands


@cache
def _disassembler() -> Any:
    try:
        import capstone  # which other commands need not wait for
    except ModuleNotFoundError:
        return None
    return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)
