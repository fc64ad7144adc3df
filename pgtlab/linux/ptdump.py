"""What `/sys/kernel/debug/kernel_page_tables` prints: `arch/arm64/mm/ptdump.c`, v6.12.

A line is a region, all of whose entries Linux finds at one level and with the same attributes, or a marker, where a
part of the kernel's map of memory begins or ends. The attributes are those of leaves alone, whatever the tables above
them restrict; the level of a hole is that at which the walk ended.

v6.9 prints the same of the kernel. Before levels could be folded at run time, which v6.9 brought, a block of a kernel
with two levels was `PGD` and no `PMD`, and the fixmap's markers came before those of PCI I/O and of the memmap.
KASAN's shadow is left out, which no `Config` has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.word import MASK64
from pgtlab.linux.memory_map import VMEMMAP, memory_map

if TYPE_CHECKING:
    from pgtlab.arch.mmu import MMU
    from pgtlab.linux.boot import Boot
    from pgtlab.linux.ptdump_walk import Noted

LEVELS: Final = ("PGD", "P4D", "PUD", "PMD", "PTE")


class PtdumpError(ValueError):
    """Tables that cannot be dumped: they are not those of the kernel, or they lead back to themselves."""


class ProtBits(NamedTuple):
    """A column: what is printed where `entry & mask == val`, and where not; None prints no column."""

    mask: int
    val: int
    set: str
    clear: str | None


def _flag(mask: int, set: str, clear: str) -> ProtBits:
    return ProtBits(mask, mask, set, clear)


#: The columns, in the order in which they are printed. SHD is bits 9:8 whatever they hold: with TCR_EL1.DS set, those
#: are bits of the output address.
PTE_BITS: Final = (
    _flag(Leaf.VALID.mask, " ", "F"),
    _flag(1 << Leaf.AP.lo, "USR", "   "),
    _flag(1 << Leaf.AP.hi, "ro", "RW"),
    _flag(Leaf.PXN.mask, "NX", "x "),
    _flag(3 << 8, "SHD", "   "),
    _flag(Leaf.AF.mask, "AF", "  "),
    _flag(Leaf.nG.mask, "NG", "  "),
    _flag(Leaf.Contiguous.mask, "CON", "   "),
    _flag(Leaf.TYPE.mask, "   ", "BLK"),
    _flag(Leaf.UXN.mask, "UXN", "   "),
    _flag(Leaf.GP.mask, "GP", "  "),
    *(
        ProtBits(Leaf.AttrIndx.mask, index << Leaf.AttrIndx.lo, name, None)
        for index, name in (  # MT_NORMAL and its kin in asm/memory.h
            (3, "DEVICE/nGnRnE"),
            (4, "DEVICE/nGnRE"),
            (2, "MEM/NORMAL-NC"),
            (0, "MEM/NORMAL"),
            (1, "MEM/NORMAL-TAGGED"),
        )
    ),
)
PTE_MASK: Final = sum({bits.mask for bits in PTE_BITS})


class Marker(NamedTuple):
    """Where a part of the map of memory begins or ends.

    >>> print(Marker(0xffff_8000_8000_0000, "vmalloc() area"))
    ---[ vmalloc() area ]---
    """

    start: int
    name: str

    def __str__(self) -> str:
        return f"---[ {self.name} ]---"

    def as_dict(self) -> dict[str, object]:
        """The marker as plain data."""
        return {"marker": self.name, "start": f"{self.start:#018x}"}


class Region(NamedTuple):
    """Addresses from `start` up to, not including, `end`, which are mapped alike, or not at all.

    Attributes
    ----------
    start, end : int
        In bytes; `end` may be 2**64.
    level : str
        PGD, P4D, PUD, PMD or PTE: where the entries are.
    prot : int or None
        What all entries have in the bits that are looked at, 0 in a hole. None where the table is not in memory, which
        no kernel has to print: an image may.

    Examples
    --------
    >>> region = Region(0xffff_8000_8001_0000, 0xffff_8000_8027_0000, "PTE", 0x50_0000_0000_0783)
    >>> print(region)
    0xffff800080010000-0xffff800080270000        2432K PTE       ro x  SHD AF    CON     UXN    MEM/NORMAL
    >>> region.attributes
    ('ro', 'x', 'SHD', 'AF', 'CON', 'UXN', 'MEM/NORMAL')
    """

    start: int
    end: int
    level: str
    prot: int | None

    @property
    def size(self) -> int:
        """In bytes."""
        return self.end - self.start

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns that say something."""
        return tuple(text.strip() for text in _dump_prot(self.prot or 0) if text.strip())

    def __str__(self) -> str:
        """The line that the kernel prints."""
        start, end, level, prot = self
        size, unit = end - start >> 10, 0
        while size & 1023 == 0 and unit < 5:
            size, unit = size >> 10, unit + 1
        return f"0x{start:016x}-0x{end & MASK64:016x}   {size:9}{'KMGTPE'[unit]} {level}{_columns(prot)}"

    def as_dict(self) -> dict[str, object]:
        """The region as plain data; where the address space ends, `end` is 0 as in the line."""
        return {
            "start": f"{self.start:#018x}",
            "end": f"{self.end & MASK64:#018x}",
            "size": self.size,
            "level": self.level,
            "prot": None if self.prot is None else f"{self.prot:#018x}",
            "attributes": list(self.attributes),
        }


Line: TypeAlias = Region | Marker


def _dump_prot(prot: int) -> tuple[str, ...]:
    """The texts of an entry's columns, none for a hole's."""
    if not prot:
        return ()
    texts = (bits.set if prot & bits.mask == bits.val else bits.clear for bits in PTE_BITS)
    return tuple(text for text in texts if text is not None)


@lru_cache(maxsize=1024)
def _columns(prot: int | None) -> str:
    """What follows the level in a line."""
    return " (table not in memory)" if prot is None else "".join(f" {text}" for text in _dump_prot(prot))


def markers(boot: Boot, *, user: bool = False) -> tuple[Marker, ...]:
    """`ptdump_init()`: the markers of a kernel, or with `user` those that a process would have.

    >>> from pgtlab import CPU, Config, boot
    >>> [marker.name for marker in markers(boot(Config("4k", 48), CPU.named("max")))][:4]
    ['Linear Mapping start', 'Linear Mapping end', 'Modules start', 'Modules end']
    """
    k, r = boot.config.constants, boot.constants
    if user:
        return Marker(0, "User space start"), Marker(r.TASK_SIZE_64, "User space end")
    memmap = next(region.start for region in memory_map(boot) if region.name == VMEMMAP)
    return (
        Marker(k.PAGE_OFFSET, "Linear Mapping start"),  # the configured one, even where the CPU has fewer bits
        Marker(k.PAGE_END, "Linear Mapping end"),
        Marker(k.MODULES_VADDR, "Modules start"),
        Marker(k.MODULES_END, "Modules end"),
        Marker(k.VMALLOC_START, "vmalloc() area"),
        Marker(r.VMALLOC_END, "vmalloc() end"),
        Marker(memmap, "vmemmap start"),
        Marker(k.VMEMMAP_END, "vmemmap end"),
        Marker(k.PCI_IO_START, "PCI I/O start"),
        Marker(k.PCI_IO_END, "PCI I/O end"),
        Marker(k.FIXADDR_TOT_START, "Fixmap start"),
        Marker(k.FIXADDR_TOP, "Fixmap end"),
    )


def ptdump(mmu: MMU, boot: Boot, *, user: bool = False, progress: bool = False) -> Iterator[Line]:
    """The lines of the kernel's own dump of its tables, or with `user` of a process's.

    A process's are walked as the kernel walks those of UEFI's services, from 0 to the end of user space. Tables are
    read while lines are taken: time goes with the tables and with the lines, not with the addresses.

    Parameters
    ----------
    mmu : MMU
        The memory that has the tables, and TTBR1_EL1 or TTBR0_EL1, which say where they begin.
    boot : Boot
        The kernel: which levels it folds, and its map of memory.
    user : bool
        The tables of TTBR0_EL1, else those of TTBR1_EL1.
    progress : bool
        Show how many tables were read, on a terminal and after a second.

    Returns
    -------
    iterator of Region and Marker
        The `str` of each is a line.

    Raises
    ------
    PtdumpError
        Where TCR_EL1 is not that of the kernel; while lines are taken, where there are more than tables can have that
        do not lead back to themselves.

    Examples
    --------
    >>> from pgtlab.linux.image import Image
    >>> image = Image.open("tests/data/kernel/ptdump/64k-va52-max")
    >>> for line in list(ptdump(image.mmu, image.boot))[:3]:
    ...     print(line)
    ---[ Linear Mapping start ]---
    0xfff0000000000000-0xfff0000000200000           2M PTE       RW NX SHD AF            UXN    MEM/NORMAL-TAGGED
    0xfff0000000200000-0xfff0000000600000           4M PTE       ro NX SHD AF            UXN    MEM/NORMAL

    Source: `ptdump_walk()` in `arch/arm64/mm/ptdump.c`, v6.12.
    """
    r = mmu.lower if user else mmu.upper
    if (r.granule, r.input_bits) != (boot.config.granule, boot.vabits_actual):
        field = "T0SZ" if user else "T1SZ"
        raise PtdumpError(
            f"TCR_EL1.{field} says {r.input_bits} bits with the {r.granule} granule, where {boot.config!r} on "
            f"{boot.cpu.name} has {boot.vabits_actual} with {boot.config.granule}: "
            "a dump needs the registers of its kernel"
        )
    return _dump(mmu, boot, user=user, progress=progress)


def _dump(mmu: MMU, boot: Boot, *, user: bool, progress: bool) -> Iterator[Line]:
    from pgtlab.linux.ptdump_walk import PageWalk
    from pgtlab.progress_bar import tqdm

    with tqdm(unit=" tables", delay=1, leave=False, disable=None if progress else True) as bar:
        walk = PageWalk(mmu.table_memory, mmu.lower if user else mmu.upper, boot, PTE_MASK, bar)
        end = boot.constants.TASK_SIZE_64 if user else 1 << 64
        yield from note_page(walk.notes(), markers(boot, user=user), end)


def note_page(notes: Iterable[Noted], markers: tuple[Marker, ...], end: int) -> Iterator[Line]:
    """The lines that what is noted of the entries makes, up to `end`.

    Linux looks at every entry and prints a line where one differs from those before, or is the first beyond a marker.
    In a run of like entries that can only be the first one, or one just beyond a marker: the others are skipped.
    """
    at, borders = 0, (*(marker.start for marker in markers[1:]), MASK64, MASK64)
    start, noted = 0, None
    for first, past, step, depth, prot in notes:
        addr = first
        while addr < past:
            if noted is None:
                start, noted = addr, (depth, prot)
                yield markers[0]
            elif noted != (depth, prot) or addr >= borders[at]:
                yield Region(start, addr, LEVELS[noted[0]], noted[1])
                start, noted = addr, (depth, prot)
                if addr >= borders[at]:
                    at += 1
                    yield markers[at]
            if addr >= borders[at]:  # one entry can pass two markers, and leave a third to the next
                at += 1
                yield markers[at]
            beyond = first + -(-(borders[at] - first) // step) * step
            addr = max(addr + step, beyond)
    yield markers[0] if noted is None else Region(start, end, LEVELS[noted[0]], noted[1])
    for _ in range(1 if noted is None else 2):
        if end & MASK64 >= borders[at]:
            at += 1
            yield markers[at]
