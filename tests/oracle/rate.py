"""How fast QEMU translates: AT instructions a second, for a benchmark to compare with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oracle.qemu import LOWEST_TABLE, Image, OracleError, Words, ask
from oracle.registers import SCTLR_C, SCTLR_I, SCTLR_M, SCTLR_RES1

PAGE, ENTRIES = 4096, 512
FIRST_PAGE = 1 << 36  # the physical address that virtual address 0 is mapped to
TCR = 16 | 16 << 16 | 2 << 30 | 5 << 32  # 48 bits, 4K pages, 48 bits of output


@dataclass(frozen=True)
class Rate:
    """`count` AT instructions over tables that map `pages` pages took `seconds`, reading of PAR_EL1 included."""

    pages: int
    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """AT instructions a second."""
        return self.count / self.seconds


def at_rate(pages: int = 1 << 18, *, addresses: int = 1 << 16, passes: int = 16) -> Rate:
    """Time `AT S1E1R` on random addresses in tables of four levels and 4K pages.

    The clock is the guest's counter, read before and after the loop: starting QEMU and filling the tables do not count.

    Raises
    ------
    OracleError
        Where a translation is not the one that the tables say.
    """
    base, words = page_tables(pages)
    va = np.random.default_rng(0).integers(0, pages * PAGE, addresses, np.uint64)
    image = Image(
        *(
            TCR,
            LOWEST_TABLE,
            LOWEST_TABLE,
            0xFF,
            SCTLR_RES1 | SCTLR_C | SCTLR_I | SCTLR_M,
            (PAGE, PAGE),
            base,
            words,
            va,
        ),
        op=np.zeros(addresses, np.uint8),
        note=np.zeros(addresses, np.uint32),
    )
    [answers] = ask([image], passes=passes)
    if (answers.par & 0xF_FFFF_FFFF_F001 != (va & ~np.uint64(PAGE - 1)) + np.uint64(FIRST_PAGE)).any():
        raise OracleError("QEMU found other addresses than were mapped")
    return Rate(pages, addresses * passes, answers.seconds)


def page_tables(pages: int) -> tuple[Words, Words]:
    """Tables for `pages` pages from virtual address 0 on, page after page, and the addresses that they lie at.

    The first table is at `LOWEST_TABLE`, and the tables of each level follow those of the level above.
    """
    entries = [-(-pages // ENTRIES**below) for below in (3, 2, 1, 0)]  # in the tables of levels 0 to 3
    tables = [-(-count // ENTRIES) for count in entries]
    words = np.zeros((sum(tables), ENTRIES), np.uint64)
    base = LOWEST_TABLE + PAGE * np.arange(len(words), dtype=np.uint64)
    row = 0
    for level in range(4):
        rows = words[row : row + tables[level]].reshape(-1)
        row += tables[level]
        target, attributes = (int(base[row]), 0b11) if level < 3 else (FIRST_PAGE, 0x703)
        rows[: entries[level]] = target + PAGE * np.arange(entries[level], dtype=np.uint64) | np.uint64(attributes)
    return base, words
