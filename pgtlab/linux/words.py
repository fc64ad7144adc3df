"""The commands `esr`, `pte` and `va` as Python functions.

What they return prints itself as the command does, and shows a picture in a notebook.
"""

from __future__ import annotations

import re
from operator import index

from pgtlab.arch import esr as syndromes
from pgtlab.arch.esr import Syndrome
from pgtlab.arch.registers import ESR_EL1
from pgtlab.limits import quoted
from pgtlab.linux.boot import Boot, NoBoot, running
from pgtlab.linux.entry import Entry, decode_entry
from pgtlab.linux.headers.brk_imm import brk_name
from pgtlab.linux.kconfig import Config
from pgtlab.linux.memory_map import Place, locate

_HEX = re.compile(r"(0[xX])?[0-9a-fA-F]+(_[0-9a-fA-F]+)*")


class WordError(ValueError):
    """The text is not a 64-bit value in hexadecimal."""


class KernelSyndrome(Syndrome):
    """A value of ESR_EL1, and for a BRK instruction which of Linux's it is."""

    @property
    def linux(self) -> str | None:
        """The kernel's name for the immediate of a BRK; None for any other exception."""
        if self.ec != syndromes.BRK64:
            return None
        return brk_name(self["Comment"].value) or "not a kernel BRK immediate"

    def as_dict(self) -> dict[str, object]:
        """The syndrome as plain data, as `pgtlab esr --json` prints it."""
        return super().as_dict() | {"linux": self.linux}

    def __repr__(self) -> str:
        return f"KernelSyndrome({self.value:#x}: {self.summary})"

    def __str__(self) -> str:
        return super().__str__() + (f"\nlinux: {self.linux}" if self.linux else "")


def esr(value: int | str) -> KernelSyndrome:
    """Take a value of ESR_EL1 apart.

    Parameters
    ----------
    value : int or str
        A number, or hexadecimal digits as in the kernel's log.

    Examples
    --------
    >>> esr(0x96000004)["DFSC"].meaning
    'Translation fault, level 0.'
    >>> esr("f2000800").linux
    'BUG_BRK_IMM: BUG() or WARN()'
    """
    return KernelSyndrome(int(ESR_EL1(_word(value))))


def pte(
    value: int | str, level: int | str = "pte", kernel: Boot | NoBoot | Config | None = None, **registers: int
) -> Entry:
    """Take an entry of a page table apart.

    Parameters
    ----------
    value : int or str
        A number, or hexadecimal digits as in the kernel's log.
    level : int or str
        `pgd`, `p4d`, `pud`, `pmd` or `pte`, or -1 to 3.
    kernel : Boot or Config
        The kernel of the entry. A configuration is booted on the CPU `max`; the default is `Config()`.
    **registers : int
        `TCR2_EL1`, `PIR_EL1`, `PIRE0_EL1`, `MAIR_EL1`, `POR_EL0`, as far as they are not those that the kernel sets.

    Raises
    ------
    LevelError
        If the kernel does not have that level.
    RegisterError
        If the meaning of an entry does not depend on one of the registers.

    Examples
    --------
    >>> entry = pte(0x68000040000f07)
    >>> entry.kind, entry.permissions[1]
    ('page', 'rw-')
    """
    return decode_entry(_word(value), level, running(kernel), registers)


def va(address: int | str, kernel: Boot | NoBoot | Config | None = None) -> Place:
    """Take a virtual address apart, with its place in the kernel's map of memory.

    Parameters
    ----------
    address : int or str
        A number, or an address as `parse_address` reads it, such as `VMEMMAP_START`.
    kernel : Boot or Config
        The kernel of the address. A configuration is booted on the CPU `max`; the default is `Config()`.

    Examples
    --------
    >>> va("VMEMMAP_START + 0x40").region.name
    'vmemmap'
    """
    return locate(address, running(kernel))


def parse_word(text: str) -> int:
    """Read a register or an entry as in the kernel's log: hexadecimal, with `0x` or without.

    >>> parse_word("0000000096000004") == parse_word("0x9600_0004")
    True
    """
    if not _HEX.fullmatch(text):
        raise WordError(f"{quoted(text)} is not a hexadecimal number, such as 0x96000004 or 96000004")
    value = int(text, 16)
    if value >> 64:
        raise WordError(f"{quoted(text)} has more than 64 bits")
    return value


def _word(value: int | str) -> int:
    return parse_word(value) if isinstance(value, str) else index(value)
