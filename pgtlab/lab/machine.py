"""A small machine for the first chapters of the course: RAM, an MMU, and processes with page tables of their own.

Nothing of Linux is in it. A process maps pages to frames, and what it reads and writes goes through the MMU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from pgtlab.arch.address_cut import granule_of
from pgtlab.arch.descriptor import Descriptor, Leaf
from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TCR_EL1, TTBR0_EL1, PARange
from pgtlab.arch.tables.tree import TableNode, table_tree
from pgtlab.arch.walk import Walk
from pgtlab.lab.machine_picture import halves_picture, spaces_picture, tables_picture

RAM: Final = 0x4000_0000  # where RAM begins on QEMU's `virt` board
FRAMES: Final = 0x8000_0000  # tables are put below, the data of processes from here on
RAM_SIZE: Final = 1 << 32


@dataclass(frozen=True)
class Process:
    """An address space: the first table of a process, and all that is mapped in it.

    >>> process = Machine().process("a")
    >>> process.map(0x40_0000, 0x8000_0000)
    >>> process.write(0x40_0010, 42)
    >>> process.read(0x40_0010), process.machine.ram(0x8000_0010)
    (42, 42)
    >>> print(process.read(0x4000_0000))
    level 1 translation fault: the descriptor is invalid
    """

    name: str
    machine: Machine = field(repr=False)
    mapper: Mapper = field(repr=False)

    @property
    def mmu(self) -> MMU:
        """The MMU as it is while this process runs: TTBR0_EL1 points at its first table."""
        return self.mapper.mmu

    def map(self, page: int, frame: int, count: int = 1, *, blocks: bool = False, **fields: int) -> None:
        """Map `count` pages from address `page` on to the frames from physical address `frame` on.

        With `blocks`, entries above level 3 map as much at once as they can. `fields` are fields of the entries, as in
        `Mapper.map_range`; without AP, the process may read and write.
        """
        size = count * self.machine.page_size
        self.mapper.map_range(page, frame, size, blocks=blocks, contiguous=False, **{"AP": 1, "nG": 1} | fields)

    def unmap(self, page: int, count: int = 1) -> None:
        """Unmap `count` pages from address `page` on."""
        self.mapper.unmap_range(page, count * self.machine.page_size)

    def walk(self, va: int, access: Access = Access.READ) -> Walk:
        """Translate an address as the MMU does for this process, which runs at EL0."""
        return self.mmu.translate(va, access, el=0)

    def read(self, va: int) -> int | Fault:
        """Read the 64-bit word at `va`; where the MMU refuses, return the fault."""
        outcome = self.walk(va).outcome
        return outcome if isinstance(outcome, Fault) else self.mmu.memory.read64(outcome.pa)

    def write(self, va: int, value: int) -> Fault | None:
        """Write the 64-bit word at `va`; where the MMU refuses, nothing is written and the fault is returned."""
        outcome = self.walk(va, Access.WRITE).outcome
        if isinstance(outcome, Fault):
            return outcome
        self.mmu.memory.write64(outcome.pa, value)
        return None

    @property
    def tree(self) -> TableNode:
        """The tables of the process, from the first one down."""
        tree = table_tree(self.mmu)
        assert tree is not None
        return tree

    @property
    def tables(self) -> list[TableNode]:
        """The tables of the process, in the order of what they map.

        >>> process = Machine().process("a")
        >>> process.map(0x40_0000, 0x8000_0000)
        >>> [table.level for table in process.tables]
        [0, 1, 2, 3]
        """
        return list(self.tree.tables())

    @property
    def pages(self) -> dict[int, int]:
        """The frame of each page that is mapped, both by address."""
        size = self.machine.page_size
        return {
            run.va + i * size: leaf.oa + i * size
            for run in self.tree.leaves()
            if isinstance(leaf := run.descriptor, Leaf)
            for i in range(run.count)
        }

    def __str__(self) -> str:
        return f"the tables of process {self.name}\n{self.tree}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return tables_picture(self.tree, f"The tables of process {self.name}", self.mmu.va_range(0)).mimebundle(
            str(self)
        )


class Machine:
    """RAM and an MMU: 4 GiB from 0x40000000 on, of which the course's processes use the frames from 0x80000000 on.

    >>> machine = Machine("16k", va_bits=47)
    >>> a, b = machine.process("a"), machine.process("b")
    >>> a.map(0x40_0000, machine.frame())
    >>> b.map(0x40_0000, machine.frame())
    >>> print(machine)
    a: page 0x400000 -> frame 0x80000000
    b: page 0x400000 -> frame 0x80004000
    """

    def __init__(self, granule: str = "4k", va_bits: int = 48) -> None:
        self.granule = granule_of(granule)
        self.granule.start_level(va_bits)  # raises where no walk resolves them
        large = va_bits > 48 and self.granule.shift < 16
        tcr = TCR_EL1(T0SZ=64 - va_bits, TG0=self.granule.tg0, EPD1=1, IPS=PARange.PA48, DS=large)
        self._first = Mapper.in_ram(tcr, base=RAM, size=RAM_SIZE)
        self._frames: Iterator[int] = iter(range(FRAMES, RAM + RAM_SIZE, self.granule.size))
        self.processes: list[Process] = []

    @property
    def page_size(self) -> int:
        """Bytes in a page and in a frame."""
        return self.granule.size

    def frame(self) -> int:
        """The physical address of a frame that was not given out before."""
        return next(self._frames)

    def process(self, name: str) -> Process:
        """A new process: an address space in which nothing is mapped."""
        mmu = replace(self._first.mmu, ttbr0=TTBR0_EL1(next(self._first.frames)))
        process = Process(name, self, replace(self._first, mmu=mmu))
        self.processes.append(process)
        return process

    def entry(self, word: int, level: int) -> Descriptor:
        """What a word says in a table of a level.

        >>> Machine().entry(0x8000_0743, 3).oa == 0x8000_0000
        True
        """
        return self._first.mmu.va_range(0).format.decode(word, level)

    def ram(self, pa: int) -> int:
        """The 64-bit word at a physical address."""
        return self._first.mmu.memory.read64(pa)

    def __str__(self) -> str:
        return "\n".join(
            f"{process.name}: page {page:#x} -> frame {frame:#x}"
            for process in self.processes
            for page, frame in process.pages.items()
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        spaces = {process.name: process.pages for process in self.processes}
        return spaces_picture(spaces, self.page_size).mimebundle(str(self))


@dataclass(frozen=True)
class Halves:
    """The two halves of the addresses with `bits` bits in use, and the gap between them.

    >>> print(Halves(48))
    0x0000000000000000 to 0x0000ffffffffffff: lower half: TTBR0_EL1, programs
    0x0001000000000000 to 0xfffeffffffffffff: in neither half, refused
    0xffff000000000000 to 0xffffffffffffffff: upper half: TTBR1_EL1, the kernel
    """

    bits: int

    def __str__(self) -> str:
        return halves_picture(self.bits).description

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return halves_picture(self.bits).mimebundle(str(self))
