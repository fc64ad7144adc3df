"""The `Code:` line (`dump_kernel_instr()`, `arch/arm64/kernel/traps.c`): four instructions and the one at pc."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from pgtlab.linux.oops.lines import Line
from pgtlab.linux.oops.report import Instruction, Registers, Symbol

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
