"""The access that faulted: which address the instruction of the `Code:` line had, from the registers.

Only what the text of one instruction says: `ldr x0, [x3, #8]` reads at x3 + 8. When it faults no register has changed
yet, whatever it was to load or to write back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgtlab.linux.oops.layout import U64
from pgtlab.linux.oops.report import Instruction, Report

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

    >>> from pgtlab.linux.oops.report import Registers
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
