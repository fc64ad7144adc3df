"""The memory map of every arm64 configuration, through the versions.

A `Layout` describes one kernel that a log may be from. `pgtlab.linux.headers` has the map of v6.9 and newer; an `Era`
says what was different before (`arch/arm64/include/asm/memory.h`, `pgtable.h`, `sparsemem.h` and `boot.h` of its
versions).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from pgtlab.arch.granule import Granule
from pgtlab.arch.word import MASK64
from pgtlab.linux.boot import NoBoot, boot
from pgtlab.linux.constants import Constants
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config, configurations

PAGE_BITS = 6  # struct page has 64 bytes: SPARSEMEM_VMEMMAP, and no debugging field that would make it larger
MIB, GIB = 1 << 20, 1 << 30
BPF_JIT = 128 * MIB
# A CPU with every feature that v6.12 looks for, one without LPA2, and one without any 52-bit addresses.
CPUS = ("max", "max,lpa2=off", "cortex-a72")


@dataclass(frozen=True)
class Era:
    """A span of versions with one memory map.

    Attributes
    ----------
    since, until : tuple of int
        The first version of the span, and the first one after it.
    name : str
        The span in words.
    modules : int
        MODULES_VSIZE; the kernel is linked at the end of the modules area.
    bpf : tuple of int
        Sizes that an area for BPF programs below the modules may have.
    section_bits : int
        SECTION_SIZE_BITS of 4K and 16K pages, `section_bits_64k` of 64K.
    """

    since: tuple[int, int]
    until: tuple[int, int]
    name: str
    modules: int
    bpf: tuple[int, ...]
    section_bits: int
    section_bits_64k: int


ERAS = (
    Era((6, 9), (99, 0), "v6.9 and newer", 2 * GIB, (0,), 27, 29),
    Era((6, 5), (6, 9), "v6.5 to v6.8", 2 * GIB, (0,), 27, 29),
    Era((5, 17), (6, 5), "v5.17 to v6.4", 128 * MIB, (0,), 27, 29),
    Era((5, 12), (5, 17), "v5.12 to v5.16", 128 * MIB, (BPF_JIT,), 27, 29),
    Era((5, 11), (5, 12), "v5.11", 128 * MIB, (BPF_JIT,), 30, 30),
    Era((5, 4), (5, 11), "v5.4 to v5.10", 128 * MIB, (BPF_JIT,), 30, 30),
    Era((4, 6), (5, 4), "v4.6 to v5.3", 128 * MIB, (0, BPF_JIT), 30, 30),
)
FLIPPED, TIDIED, FOLDING = ERAS[5], ERAS[4], ERAS[0]
OLDEST = ERAS[-1].since


@dataclass(frozen=True)
class Layout:
    """One kernel on one kind of CPU.

    >>> seed = Layout(4096, 48, 48, 48, ERAS[0], 32)
    >>> seed.levels, hex(seed.VMEMMAP_START), hex(seed.memstart_align)
    (4, '0xfffffdffc0000000', '0x40000000')

    Attributes
    ----------
    page_size : int
        Bytes.
    va_bits, vabits_actual : int
        CONFIG_ARM64_VA_BITS, and how many of these bits this CPU uses.
    pa_bits : int
        MAX_PHYSMEM_BITS at run time.
    era : Era
        The versions that it belongs to.
    mem_section_size : int
        `sizeof(struct mem_section)`: 32 bytes with CONFIG_PAGE_EXTENSION (for page_owner and others), else 16.
    """

    page_size: int
    va_bits: int
    vabits_actual: int
    pa_bits: int
    era: Era
    mem_section_size: int

    @cached_property
    def page_shift(self) -> int:
        """PAGE_SHIFT."""
        return self.page_size.bit_length() - 1

    @cached_property
    def start_level(self) -> int:
        """The level at which the MMU starts."""
        return Granule(self.page_shift).start_level(self.vabits_actual)

    @cached_property
    def levels(self) -> int:
        """Levels of tables that the MMU walks."""
        return 4 - self.start_level

    @cached_property
    def pgd_size(self) -> int:
        """Bytes of the top table of a process, and its alignment (`arch/arm64/mm/pgd.c`).

        It is a page if it fills one, or if its level is folded at run time.
        """
        size = int(self._constants.PTRS_PER_PGD) * 8
        return self.page_size if self.start_level > 4 - Config(self.page_size, self.va_bits).PGTABLE_LEVELS else size

    @cached_property
    def _constants(self) -> Constants:
        return _constants(self.page_size, self.va_bits)

    @cached_property
    def PAGE_OFFSET(self) -> int:
        """The first address of the linear map; before v5.4 that was the upper half of the range."""
        bits = self.va_bits if self.era.since >= FLIPPED.since else self.va_bits - 1
        return -(1 << bits) & MASK64

    @cached_property
    def PAGE_END(self) -> int:
        """The end of the linear map: 2**64 before v5.4."""
        return self._constants.PAGE_END if self.era.since >= FLIPPED.since else 1 << 64

    @cached_property
    def linear_start(self) -> int:
        """The first address of the linear map that this CPU can use."""
        return max(self.PAGE_OFFSET, -(1 << self.vabits_actual) & MASK64)

    @cached_property
    def VMEMMAP_SIZE(self) -> int:
        """Bytes of `struct page` for all of the linear map."""
        return self.PAGE_END - self.PAGE_OFFSET >> self.page_shift - PAGE_BITS

    @cached_property
    def VMEMMAP_START(self) -> int:
        """The first address of the memmap."""
        if self.era is FOLDING:
            return int(self._constants.VMEMMAP_START)
        if self.era.since >= TIDIED.since:
            return -(1 << self.va_bits - self.page_shift + PAGE_BITS) & MASK64
        if self.era is FLIPPED:
            return -self.VMEMMAP_SIZE - 2 * MIB & MASK64
        return self.PAGE_OFFSET - self.VMEMMAP_SIZE

    @cached_property
    def kernel_bases(self) -> tuple[int, ...]:
        """KIMAGE_VADDR, which is VMALLOC_START too; before v5.11 also the values with a KASAN shadow below it."""
        if self.era.since >= TIDIED.since:
            starts = [int(self._constants.PAGE_END)]
        else:
            bits = min(self.va_bits, 48)
            bottom = self.PAGE_END if self.era is FLIPPED else -(1 << bits) & MASK64
            starts = [bottom, bottom + (1 << bits - 3), bottom + (1 << bits - 4)]
        return tuple(start + bpf + self.era.modules for start in starts for bpf in self.era.bpf)

    @cached_property
    def section_bits(self) -> int:
        """SECTION_SIZE_BITS."""
        return self.era.section_bits_64k if self.page_shift == 16 else self.era.section_bits

    @cached_property
    def section_shift(self) -> int:
        """PFN_SECTION_SHIFT: from a pfn to the number of its section."""
        return self.section_bits - self.page_shift

    @cached_property
    def root_shift(self) -> int:
        """From the number of a section to that of its root: a root is a page of `struct mem_section`."""
        return (self.page_size // self.mem_section_size).bit_length() - 1

    @cached_property
    def NR_MEM_SECTIONS(self) -> int:
        """The number of sections that physical memory can have."""
        return 1 << self.pa_bits - self.section_bits

    @cached_property
    def memstart_align(self) -> int:
        """ARM64_MEMSTART_ALIGN: `memstart_addr` is a multiple of it."""
        k = self._constants
        shift = {12: k.PUD_SHIFT, 14: k.CONT_PMD_SHIFT, 16: k.PMD_SHIFT}[self.page_shift]
        return 1 << max(shift, self.section_bits)

    @cached_property
    def vmemmap_align(self) -> int:
        """The alignment of the distance from `vmemmap` to VMEMMAP_START."""
        return self.memstart_align >> self.page_shift - PAGE_BITS

    def memstart_is_possible(self, memstart: int, pa: int | None = None) -> bool:
        """Whether the linear map can begin with physical address `memstart`, a signed number.

        RAM must lie in the linear map, and in `pa_bits`; `pa` is an address of RAM, if one is known.
        """
        if memstart % self.memstart_align:
            return False
        low, high = (0, 1 << self.pa_bits) if pa is None else (pa, pa)
        # PAGE_OFFSET + ram - memstart is in the linear map.
        return low - (self.PAGE_END - self.PAGE_OFFSET) < memstart <= high - (self.linear_start - self.PAGE_OFFSET)


@cache
def _constants(page_size: int, va_bits: int) -> Constants:
    return Config(page_size, va_bits).constants


@cache
def layouts() -> tuple[Layout, ...]:
    """Every kernel that pgtlab can distinguish by the numbers in a log.

    >>> len({(layout.page_size, layout.va_bits) for layout in layouts()})
    10
    """
    return tuple(dict.fromkeys(_layouts()))


def _layouts() -> Iterator[Layout]:
    for config in configurations():
        for cpu in CPUS:
            booted = boot(config, CPU.named(cpu))
            if isinstance(booted, NoBoot):
                continue
            for era in ERAS:
                if config.va_bits == 52 and not (era is FOLDING or (config.page_size == 65536 and era is not ERAS[-1])):
                    continue  # 52 bits came in v5.4 for 64K pages, and for 4K and 16K pages with folding at run time
                pa_bits = booted.constants.PHYS_MASK_SHIFT if era is FOLDING else config.pa_bits
                for mem_section_size in (16, 32):
                    yield Layout(config.page_size, config.va_bits, booted.vabits_actual, pa_bits, era, mem_section_size)
