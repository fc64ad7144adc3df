"""Code as the kernel prints it: names (`lib/vsprintf.c`, `%pS`), call traces, the `Code:` line, the faulting access.

`Code:` has four instructions and the one at pc (`dump_kernel_instr()`, `arch/arm64/kernel/traps.c`). Of the faulting
access only what the text of that instruction says: `ldr x0, [x3, #8]` reads at x3 + 8. When it faults no register has
changed yet, whatever it was to load or to write back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pgtlab.linux.oops.inferring.layout import U64
from pgtlab.linux.oops.reading.lines import Line
from pgtlab.linux.oops.reading.printed import Instruction, Registers, Report, Symbol

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


def read_symbol(text: str, line: int = 0) -> Symbol | None:
    """A frame or a pointer to code; `None` where the text is none.

    >>> read_symbol("? ext4_iget+0x3c/0x68 [ext4]")
    Symbol(function='ext4_iget', offset=60, size=104, module='ext4', address=None, reliable=False, mark='', source='',
    line=0)
    """
    if len(text) > LONGEST or not text:
        return None
    if "+0x" in text and (found := _SYMBOL.fullmatch(text)):
        address, unsure, name, offset, size, module, mark, source = found.groups()
        return Symbol(
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
    if found := _INLINED.fullmatch(text):
        return Symbol(found[1], source=found[2], line=line)
    if found := _LOCATED.fullmatch(text):
        return Symbol(found[2], module=found[4] or "", reliable=not found[1], source=found[3], line=line)
    if found := _BARE.fullmatch(text):
        number = found[1] or found[2] or found[3]
        return Symbol("", address=int(number, 16), line=line) if number else None
    return None


def is_bare_name(text: str) -> bool:
    """Whether a line is a name and nothing else, as frames are in the logs of pgtlab's own kernel.

    >>> is_bare_name("destroy_args"), is_bare_name("eth0: up")
    (True, False)
    """
    return _NAME.fullmatch(text) is not None


def read_trace(lines: Sequence[Line]) -> tuple[Symbol, ...]:
    """The frames after `Call trace:`, innermost first.

    Lines of others in between are passed over. Where the heading is lost, what follows the registers is the trace.

    >>> [str(frame) for frame in read_trace([Line(1, "Call trace:"), Line(2, "f+0x8/0x10"), Line(3, "eth0: up")])]
    ['f+0x8/0x10']
    """
    start = next((at for at, line in enumerate(lines) if line.text == CALL_TRACE), None)
    if start is None:
        start = next((at for at, line in enumerate(lines) if _LAST_REGISTERS.search(line.text)), None)
    return read_frames(lines[start + 1 :]) if start is not None else ()


def read_frames(lines: Sequence[Line]) -> tuple[Symbol, ...]:
    """The frames up to the line with which something else begins."""
    frames: list[Symbol] = []
    bare = True  # as long as every line is a name and nothing else
    for line in lines:
        if _AFTER_TRACE.match(line.text):
            break
        symbol = read_symbol(line.text, line.number)
        bare = bare and is_bare_name(line.text)
        if symbol is not None:
            frames.append(symbol)
        elif bare:
            frames.append(Symbol(line.text, line=line.number))
    return tuple(frames)


_CODE = re.compile(r"Code: ((?:(?:[0-9a-f]{8}|\?{8}|\([0-9a-f]{8}\)|\(\?{8}\)) ?){1,64})")
_WORD = re.compile(r"\(?([0-9a-f]{8}|\?{8})\)?")


def read_code(lines: Sequence[Line], pc: Symbol | None = None) -> tuple[tuple[Instruction, ...], int | None]:
    """The instructions, and their line. The words are values, not bytes: the same on a big-endian kernel.

    With `pc` each has its offset in the function, and branches name their targets as such offsets.

    >>> instructions, _ = read_code([Line(1, "Code: d37b1884 f100007f 8b040064 9a831083 (f9400460)")])
    >>> [instruction.text for instruction in instructions if instruction.faulting]
    ['ldr x0, [x3, #8]']
    """
    for line in lines:
        if line.text.startswith("Code: ") and (found := _CODE.match(line.text)):
            words = found[1].split()
            at = next((n for n, word in enumerate(words) if word.startswith("(")), None)
            start = pc.offset - 4 * at if pc is not None and pc.offset is not None and at is not None else None
            return _instructions(words, at, start), line.number
    return (), None


def _instructions(words: Sequence[str], at: int | None, start: int | None) -> tuple[Instruction, ...]:
    instructions = []
    for n, printed in enumerate(words):
        found = _WORD.match(printed)
        if found is None or found[1][0] == "?":
            continue  # the kernel could not read it
        word = int(found[1], 16)
        offset = None if start is None else start + 4 * n
        instructions.append(Instruction(word, disassemble(word, offset), offset, n == at))
    return tuple(instructions)


def disassemble(word: int, offset: int | None = None) -> str:
    """One instruction of AArch64 in assembly language; `.inst` where the word is none.

    `offset` is where it stands: targets of branches are counted from there. Without it they are relative, `. + 8`.

    >>> disassemble(0x14000002), disassemble(0x14000002, 0x10), disassemble(0)
    ('b . + 0x8', 'b +0x18', 'udf #0')
    """
    base = 1 << 32  # high enough for branches backwards
    instruction = next(_disassembler().disasm(word.to_bytes(4, "little"), base), None)
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
    """Whether the last operand is an address that capstone computed from its own."""
    mnemonic = str(instruction.mnemonic)
    operands = str(instruction.op_str)
    branch = mnemonic in ("b", "bl", "cbz", "cbnz", "tbz", "tbnz", "adr", "adrp") or mnemonic.startswith("b.")
    literal = mnemonic in ("ldr", "ldrsw", "prfm") and "[" not in operands
    return (branch or literal) and "#" in operands


@cache
def _disassembler() -> Any:
    import capstone  # which other commands need not wait for

    engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)
    engine.detail = True
    return engine


def accessed(instruction: Instruction, registers: Registers) -> tuple[str, int] | None:
    """The address that an instruction uses, as a sum of the registers that were printed, and its value.

    `None` where it uses no memory, or a register that is missing; addresses with a narrow index are left out too.

    >>> accessed(Instruction(0xF9400460, "ldr x0, [x3, #8]"), Registers({"x3": 0}))
    ('x3 + 0x8', 8)
    """
    import capstone

    decoded = next(_disassembler().disasm(instruction.word.to_bytes(4, "little"), 0), None)
    if decoded is None:
        return None
    operand = next((one for one in decoded.operands if one.type == capstone.arm64.ARM64_OP_MEM), None)
    if operand is None or operand.ext:
        return None
    base, index = (str(decoded.reg_name(number) or "") for number in (operand.mem.base, operand.mem.index))
    if base not in registers or (index and index not in registers):
        return None
    address, text = registers[base], base
    if index:
        address += registers[index] << operand.shift.value
        text += f" + {index}" + (f" * {1 << operand.shift.value}" if operand.shift.value else "")
    if operand.mem.disp:
        address += operand.mem.disp
        text += f" {'-' if operand.mem.disp < 0 else '+'} {abs(operand.mem.disp):#x}"
    return text, address & (1 << 64) - 1


WIDEST = 64  # bytes that one instruction may access, from its address on

_OPERAND = re.compile(
    r"\[(?P<base>x[12]?\d|x30|sp)"
    r"(?:, (?:#(?P<imm>-?(?:0x)?[0-9a-f]{1,6})|(?P<index>[xw](?:[12]?\d|30|zr))"
    r"(?:, (?P<extend>lsl|sxtx|uxtw|sxtw)(?: #(?P<shift>\d))?)?))?\]"
)
_LOADS = re.compile(r"ld(?:r|ur|p|np|tr|ar|apr|apur|xr|axr|xp|axp)(?:s?[bhw])? ")
_STORES = re.compile(r"st(?:r|ur|p|np|tr|lr|lur)(?:[bh])? ")


@dataclass(frozen=True)
class Access:
    """An address as an instruction computed it.

    Attributes
    ----------
    instruction : Instruction
        The one that faulted.
    base : str
        The register in brackets.
    base_value : int
        What it held.
    offset : int
        What was added: an immediate, or an index.
    index : str
        The register of the index; empty for an immediate.
    write : bool or None
        Whether it stores; `None` where it is neither a plain load nor a plain store.
    """

    instruction: Instruction
    base: str
    base_value: int
    offset: int
    index: str = ""
    write: bool | None = None

    @property
    def address(self) -> int:
        """Where the access began."""
        return self.base_value + self.offset & U64

    def reaches(self, address: int) -> bool:
        """Whether FAR_EL1 can be `address`: the first byte that could not be had, with the tag or without it.

        >>> Access(Instruction(0, ""), "x3", 0, 8).reaches(8)
        True
        """
        return any((seen - self.address & U64) < WIDEST for seen in (address, address & ~(0xFF << 56))) or (
            (address - self.address & (1 << 56) - 1) < WIDEST and (address ^ self.address) >> 55 & 1 == 0
        )

    @property
    def arithmetic(self) -> str:
        """The sum with its numbers."""
        sign = "-" if self.offset < 0 else "+"
        what = f"{self.index} (as it is used)" if self.index else "the offset"
        return f"{self.base} {sign} {what}: {self.base_value:#x} {sign} {abs(self.offset):#x} = {self.address:#x}"


def faulting_access(report: Report) -> Access | None:
    """The access of the marked instruction; `None` where the log does not have it, or its registers.

    >>> from pgtlab.linux.oops.reading.printed import Registers
    >>> report = Report("oops", registers=Registers({"x3": 0}),
    ...     code=(Instruction(0xf9400460, "ldr x0, [x3, #8]", faulting=True),))
    >>> faulting_access(report).arithmetic
    'x3 + the offset: 0x0 + 0x8 = 0x8'
    """
    instruction = next((one for one in report.code if one.faulting), None)
    if instruction is None:
        return None
    found = _OPERAND.search(instruction.text)
    if found is None:
        return None
    registers = report.registers
    base = registers.get(found["base"])
    if base is None:
        return None
    after = instruction.text[found.end() :].startswith(",")  # post-indexed: the offset is added afterwards
    offset = int(found["imm"], 0) if found["imm"] and not after else 0
    index = found["index"] or ""
    if index:
        value = _index(registers.get(f"x{index[1:]}"), index, found["extend"], int(found["shift"] or 0))
        if value is None:
            return None
        offset = value
    write = True if _STORES.match(instruction.text) else False if _LOADS.match(instruction.text) else None
    return Access(instruction, found["base"], base, offset, index, write)


def _index(value: int | None, name: str, extend: str | None, shift: int) -> int | None:
    if name[1:] == "zr":
        return 0
    if value is None:
        return None
    if name[0] == "w":
        value &= 0xFFFFFFFF
        if extend == "sxtw" and value >> 31:
            value -= 1 << 32
    elif value >> 63:
        value -= 1 << 64
    return value << shift
