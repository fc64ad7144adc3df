"""System registers and system instructions by their encoding (Arm ARM C5.1); the names are in `sysregs.txt`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

SYSTEM_INSTRUCTION = 1  # op0 of SYS and SYSL, and of their aliases AT, DC, IC, TLBI


class Encoding(NamedTuple):
    """The five numbers that an MRS, MSR or SYS instruction carries."""

    op0: int
    op1: int
    CRn: int
    CRm: int
    op2: int

    @property
    def name(self) -> str:
        """The register's name or the instruction's, or the generic form where the encoding has none.

        >>> Encoding(3, 0, 2, 0, 0).name, Encoding(3, 3, 15, 2, 1).name, Encoding(1, 3, 7, 14, 1).name
        ('TTBR0_EL1', 'S3_3_C15_C2_1', 'DC CIVAC')
        """
        op0, op1, n, m, op2 = self
        generic = f"SYS #{op1}, C{n}, C{m}, #{op2}" if op0 == SYSTEM_INSTRUCTION else f"S{op0}_{op1}_C{n}_C{m}_{op2}"
        return _names().get(self, generic)

    def instruction(self, rt: int, read: bool) -> str:
        """The instruction that has this encoding, with general-purpose register `rt`.

        >>> Encoding(3, 0, 0, 4, 0).instruction(3, read=True), Encoding(1, 3, 7, 14, 1).instruction(0, read=False)
        ('MRS X3, ID_AA64PFR0_EL1', 'DC CIVAC, X0')
        """
        register = "XZR" if rt == 31 else f"X{rt}"
        if self.op0 != SYSTEM_INSTRUCTION:
            return f"MRS {register}, {self.name}" if read else f"MSR {self.name}, {register}"
        _, op1, n, m, op2 = self
        return f"SYSL {register}, #{op1}, C{n}, C{m}, #{op2}" if read else f"{self.name}, {register}"


@cache
def _names() -> Mapping[tuple[int, ...], str]:
    text = files("pgtlab.arch").joinpath("sysregs.txt").read_text(encoding="utf-8")
    rows = (line.split(maxsplit=5) for line in text.splitlines() if not line.startswith("#"))
    return {tuple(map(int, numbers)): name for *numbers, name in rows}
