"""What `/sys/kernel/debug/kernel_page_tables` prints: `arch/arm64/mm/ptdump.c`, v6.12, and other versions by a table.

A line is a region, all of whose entries Linux finds at one level and with the same attributes, or a marker, where a
part of the kernel's map of memory begins or ends. The attributes are those of leaves alone, whatever the tables above
them restrict; the level of a hole is that at which the walk ended.

v6.9 prints the same of the kernel; what others print is in `versions`. KASAN's shadow is left out, which no
`Config` has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pgtlab.arch.word import MASK64
from pgtlab.linux.kconfig import Config
from pgtlab.linux.ptdump import versions
from pgtlab.linux.ptdump.versions import Form, ProtBits, form_of, markers_of, version_in
from pgtlab.linux.registers import MAIR_EL1_SET

if TYPE_CHECKING:
    from pgtlab.arch.mmu import MMU
    from pgtlab.arch.tables.mappings import Mappings
    from pgtlab.linux.boot import Boot
    from pgtlab.linux.ptdump.walk import Noted


class PtdumpError(ValueError):
    """Tables that cannot be dumped: they are not those of the kernel, or they lead back to themselves."""


#: What v6.12 prints: the columns, in their order, and the bits that they look at.
OF_THE_MODEL: Final = form_of(versions.OF_THE_MODEL, Config(), MAIR_EL1_SET)
PTE_BITS: Final = OF_THE_MODEL.bits
PTE_MASK: Final = OF_THE_MODEL.mask


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
    pa : int or None
        The physical address of the first byte, if it was asked for: the others follow it.
    form : Form
        The columns of the kernel's version.

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
    pa: int | None = None
    form: Form = OF_THE_MODEL

    @property
    def size(self) -> int:
        """In bytes."""
        return self.end - self.start

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns that say something."""
        return tuple(text.strip() for text in _dump_prot(self.prot or 0, self.form.bits) if text.strip())

    def __str__(self) -> str:
        """The line that the kernel prints."""
        start, end, level, prot, pa, form = self
        size, unit = end - start >> 10, 0
        while size & 1023 == 0 and unit < 5:
            size, unit = size >> 10, unit + 1
        where = "" if pa is None else f" PA 0x{pa:012x}"
        named = f" {level}" if form.named else ""
        return (
            f"0x{start:016x}-0x{end & MASK64:016x}{where}   {size:9}{'KMGTPE'[unit]}{named}{_columns(prot, form.bits)}"
        )

    def as_dict(self) -> dict[str, object]:
        """The region as plain data; where the address space ends, `end` is 0 as in the line."""
        return {
            "start": f"{self.start:#018x}",
            "end": f"{self.end & MASK64:#018x}",
            "size": self.size,
            "level": self.level,
            "prot": None if self.prot is None else f"{self.prot:#018x}",
            "attributes": list(self.attributes),
            **({} if self.pa is None else {"pa": f"{self.pa:#014x}"}),
        }


Line: TypeAlias = Region | Marker


def _dump_prot(prot: int, columns: tuple[ProtBits, ...]) -> tuple[str, ...]:
    """The texts of an entry's columns, none for a hole's."""
    if not prot:
        return ()
    texts = (bits.set if prot & bits.mask == bits.val else bits.clear for bits in columns)
    return tuple(text for text in texts if text is not None)


@lru_cache(maxsize=1024)
def _columns(prot: int | None, columns: tuple[ProtBits, ...]) -> str:
    """What follows the level in a line."""
    return " (table not in memory)" if prot is None else "".join(f" {text}" for text in _dump_prot(prot, columns))


def markers(
    boot: Boot, *, user: bool = False, release: str | None = None, numbers: Mapping[str, int] | None = None
) -> tuple[Marker, ...]:
    """`ptdump_init()`: the markers of a kernel, or with `user` those that a process would have.

    >>> from pgtlab import CPU, Config, boot
    >>> [marker.name for marker in markers(boot(Config("4k", 48), CPU.named("max")))][:4]
    ['Linear Mapping start', 'Linear Mapping end', 'Modules start', 'Modules end']
    """
    if user:
        return Marker(0, "User space start"), Marker(boot.constants.TASK_SIZE_64, "User space end")
    version = version_in(release or boot.config.linux) or versions.OF_THE_MODEL
    return tuple(Marker(*marker) for marker in markers_of(version, boot, numbers or {}))


def ptdump(
    mmu: MMU,
    boot: Boot,
    *,
    user: bool = False,
    progress: bool = False,
    pa: bool = False,
    release: str | None = None,
    numbers: Mapping[str, int] | None = None,
) -> Iterator[Line]:
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
    pa : bool
        Say the physical address of each region, which then ends where physical addresses do not go on.
    release : str, optional
        The kernel's version, or what `uname -r` prints, v4.4 to today; by default that of `boot`, or else v6.12.
    numbers : mapping of str to int, optional
        The NUMBERs of VMCOREINFO, which say where parts of the map of memory are.

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
    version = version_in(release or boot.config.linux) or versions.OF_THE_MODEL
    known = {0xFF, 0x44, 0x04} <= set(mmu.mair.value.to_bytes(8, "little"))  # else another program wrote it
    form = form_of(version, boot.config, mmu.mair if known else MAIR_EL1_SET)
    lines = _dump(mmu, boot, form, markers(boot, user=user, release=release, numbers=numbers), user, progress)
    if not pa:
        return lines
    from pgtlab.arch.tables.mappings import mapping_table

    return with_pa(lines, mapping_table(mmu, upper=not user))


def _dump(mmu: MMU, boot: Boot, form: Form, markers: tuple[Marker, ...], user: bool, progress: bool) -> Iterator[Line]:
    from pgtlab.linux.ptdump.walk import PageWalk
    from pgtlab.progress_bar import tqdm

    with tqdm(unit=" tables", delay=1, leave=False, disable=None if progress else True) as bar:
        walk = PageWalk(mmu.table_memory, mmu.lower if user else mmu.upper, boot, form.mask, bar)
        end = boot.constants.TASK_SIZE_64 if user else 1 << 64
        yield from note_page(walk.notes(), markers, end, form)


def with_pa(lines: Iterable[Line], mapped: Mappings) -> Iterator[Line]:
    """The lines with the regions in pieces of continuous physical memory, and the address of each."""
    vas, sizes, pas = (mapped[name].tolist() for name in ("va", "size", "pa"))
    for line in lines:
        if isinstance(line, Marker) or not line.prot:
            yield line
            continue
        at = line.start
        while at < line.end:
            number = bisect_right(vas, at) - 1
            inside = number >= 0 and at < vas[number] + sizes[number]
            following = vas[number + 1] if number + 1 < len(vas) else line.end
            end = min(line.end, vas[number] + sizes[number] if inside else following)
            yield line._replace(start=at, end=end, pa=pas[number] + at - vas[number] if inside else None)
            at = end


def note_page(
    notes: Iterable[Noted], markers: tuple[Marker, ...], end: int, form: Form = OF_THE_MODEL
) -> Iterator[Line]:
    """The lines that what is noted of the entries makes, up to `end`.

    Linux looks at every entry and prints a line where one differs from those before, or is the first beyond a marker.
    In a run of like entries that can only be the first one, or one just beyond a marker: the others are skipped.
    """
    at, borders = 0, (*(marker.start for marker in markers[1:]), MASK64, MASK64)
    start = 0
    noted: tuple[int, int | None] | None = None

    def region(end: int, depth: int, prot: int | None) -> Iterator[Line]:
        if form.holes or prot != 0:
            yield Region(start, end, form.levels[depth], prot, None, form)

    for first, past, step, depth, prot in notes:
        addr = first
        while addr < past:
            if noted is None:
                start, noted = addr, (depth, prot)
                yield markers[0]
            elif noted != (depth, prot) or addr >= borders[at]:
                yield from region(addr, *noted)
                start, noted = addr, (depth, prot)
                if addr >= borders[at]:
                    at += 1
                    yield markers[at]
            if addr >= borders[at]:  # one entry can pass two markers, and leave a third to the next
                at += 1
                yield markers[at]
            beyond = first + -(-(borders[at] - first) // step) * step
            addr = max(addr + step, beyond)
    if noted is None:
        yield markers[0]
    else:
        yield from region(end, *noted)
    for _ in range(1 if noted is None else 2):
        if end & MASK64 >= borders[at]:
            at += 1
            yield markers[at]
