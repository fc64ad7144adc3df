"""Linux's own walk of an address space, with the helpers of mm, and every pointer on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgtlab.linux.address import as_address
from pgtlab.linux.boot import LINUX_LEVELS, Boot, Fold
from pgtlab.linux.kernel.mm import MmStruct

if TYPE_CHECKING:
    from pgtlab.arch.mmu import MMU
    from pgtlab.linux.kernel import Kernel


@dataclass(frozen=True)
class Lookup:
    """One level of the walk: the call that found the entry, its physical address and value, and how the level folds.

    `again`: the entry is the same word as that of the level above. `value` is None if there is no memory.
    """

    level: str
    call: str
    pa: int
    value: int | None
    fold: Fold
    again: bool

    def __str__(self) -> str:
        entry = "no memory there" if self.value is None else f"{self.level} = {self.value:#018x}"
        how = " (the same entry again)" if self.again else ""
        return f"{self.call} -> {self.pa:#x}, {entry}{how}"


def software_walk(k: Kernel, mm: MmStruct, addr: int | str) -> tuple[Lookup, ...]:
    """The entries for an address, from the pgd down to the first that does not point to a table.

    Parameters
    ----------
    k : Kernel
        The kernel whose `pgd_offset()` to `pte_offset_kernel()` are called.
    mm : MmStruct
        The address space.
    addr : int or str
        A virtual address of `mm`, or a name such as `PAGE_OFFSET`.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.linux.kernel import Kernel
    >>> k = Kernel(boot(Config("4k", 39), CPU.named("max")))
    >>> for lookup in software_walk(k, k.init_mm, "PAGE_OFFSET")[:2]:
    ...     print(lookup)
    pgd_offset(mm, addr) -> 0x40000000, pgd = 0x0000000040200003
    p4d_offset(pgdp, addr) -> 0x40000000, p4d = 0x0000000040200003 (the same entry again)

    Source: `follow_pte()` and similar functions in `mm/memory.c`, and `show_pte()` in `arch/arm64/mm/fault.c`, v6.12.
    """
    lookups: list[Lookup] = []
    addr, pointer, above = as_address(addr, k.boot), mm, "mm"
    for level in LINUX_LEVELS:
        helper = "pte_offset_kernel" if level == "pte" else f"{level}_offset"
        pointer = getattr(k, helper)(pointer, addr)
        pa = k.__pa(pointer)
        value = k.read64(pointer) if pa in k.memory else None
        again = bool(lookups) and lookups[-1].pa == pa
        fold = k.boot.folded.get(level, Fold.REAL)
        lookups.append(Lookup(level, f"{helper}({above}, addr)", pa, value, fold, again))
        if level == "pte" or value is None or getattr(k, f"{level}_none")(value) or getattr(k, f"{level}_bad")(value):
            break
        above = f"{level}p"
    return tuple(lookups)


def kernel_over(booted: Boot, mmu: MMU) -> Kernel:
    """A kernel over the memory of `mmu`, to walk tables that another kernel made.

    `init_mm` has the tables of TTBR1_EL1. It is for reading only: its page allocator does not know that memory.
    """
    from pgtlab.linux.kernel import Kernel

    k = Kernel(booted)
    k.memory, k.mmu = mmu.memory, mmu
    short = k.vabits_actual < k.VA_BITS and not k.CONFIG_ARM64_LPA2
    # 48 bits use the last entries of a 52-bit pgd, and TTBR1_EL1 points to them (`paging_init()`).
    pgd = mmu.upper.base - (k.TTBR1_BADDR_4852_OFFSET if short else 0)
    k.init_mm = MmStruct(pgd=k.__va(pgd))
    return k


def user_mm(k: Kernel) -> MmStruct:
    """The address space at TTBR0_EL1."""
    return MmStruct(pgd=k.__va(k.mmu.lower.base))
