"""Linux's own walk of an address space, by the helpers that all of mm uses, with every pointer kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgtlab.linux.boot import Fold

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.mm import MmStruct


@dataclass(frozen=True)
class Lookup:
    """One of Linux's levels: the entry's physical address and value, by which call it was found, and how it folds.

    `again` is whether the entry above is the very same word: it is read twice.
    """

    level: str
    call: str
    pa: int
    value: int
    fold: Fold
    again: bool

    def __str__(self) -> str:
        how = " (the same entry again)" if self.again else ""
        return f"{self.call} -> {self.pa:#x}, {self.level} = {self.value:#018x}{how}"


def software_walk(k: Kernel, mm: MmStruct, addr: int) -> tuple[Lookup, ...]:
    """The entries for an address from the pgd down to the first that leads to no table.

    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.linux.kernel import Kernel
    >>> k = Kernel(boot(Config("4k", 39), CPU.named("max")))
    >>> for lookup in software_walk(k, k.init_mm, k.PAGE_OFFSET)[:2]:
    ...     print(lookup)
    pgd_offset(mm, addr) -> 0x40000000, pgd = 0x0000000040200003
    p4d_offset(pgdp, addr) -> 0x40000000, p4d = 0x0000000040200003 (the same entry again)
    """
    found: list[Lookup] = []
    pointer = k.pgd_offset(mm, addr)
    above = ""
    for level in ("pgd", "p4d", "pud", "pmd", "pte"):
        if level != "pgd":
            pointer = vars(k)["pte_offset_kernel" if level == "pte" else f"{level}_offset"](pointer, addr)
        name = f"{'pte_offset_kernel' if level == 'pte' else f'{level}_offset'}({f'{above}p' if above else 'mm'}, addr)"
        value, pa = k.read64(pointer), k.__pa(pointer)
        again = bool(found) and found[-1].pa == pa
        found.append(Lookup(level, name, pa, value, k.boot.folded.get(level, Fold.REAL), again))
        if level == "pte" or vars(k)[f"{level}_none"](value) or vars(k)[f"{level}_bad"](value):
            break
        above = level
    return tuple(found)
