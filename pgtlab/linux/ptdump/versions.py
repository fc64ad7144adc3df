"""What `kernel_page_tables` looks like in each version of Linux, v4.4 to v7.3: columns, levels, markers and addresses.

One table, `FORMS`, and one function for each map of memory before v6.1; from there on `Config(linux=...)` knows it.

Source: `arch/arm64/mm/dump.c` (from v5.6 on `ptdump.c`) and `arch/arm64/include/asm/memory.h` of v4.4, v4.14, v4.19,
v5.4, v5.10, v6.12 and linux-next of 2026; in between, the subjects of the commits. Fixed parts of the fixmap depend on
options that no dump states, so "Fixmap start" may be some pages off before v6.1. v5.7 to about v5.18 print a line from
address 0 in place of the first marker, which is left out here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.registers import MAIR_EL1
from pgtlab.arch.word import MASK64
from pgtlab.linux.boot import Boot
from pgtlab.linux.kconfig import Config, ConfigError
from pgtlab.linux.memory_map import VMEMMAP, memory_map
from pgtlab.linux.version import VERSIONS

Version = tuple[int, int]

OF_THE_MODEL: Final[Version] = (6, 12)
_STRUCT_PAGE_MAX_SHIFT: Final = 6
_SZ_64K, _SZ_2M, _SZ_16M, _SZ_64M, _SZ_128M = 1 << 16, 1 << 21, 1 << 24, 1 << 26, 1 << 27
#: The numbers of VMCOREINFO that say where a part of the map is; they count before all tables.
RANGES: Final = ("MODULES_VADDR", "MODULES_END", "VMALLOC_START", "VMALLOC_END", "VMEMMAP_START", "VMEMMAP_END")


class ProtBits(NamedTuple):
    """A column: what is printed where `entry & mask == val`, and where not; None prints no column."""

    mask: int
    val: int
    set: str
    clear: str | None


class Form(NamedTuple):
    """What a kernel prints of its tables: columns, names of levels, whether holes and levels are printed at all."""

    bits: tuple[ProtBits, ...]
    levels: tuple[str, ...]
    holes: bool
    named: bool

    @property
    def mask(self) -> int:
        """The bits of an entry that are looked at."""
        return reduce(or_, (bits.mask for bits in self.bits))


class _Since(NamedTuple):
    """What changed in a version: names of places, in the order of their markers, and what is printed."""

    version: Version
    places: str
    holes: bool
    named: bool
    fault: bool  # the column F
    guarded: bool  # the column GP, and room where UXN is not set
    gre: bool
    tagged: bool


_KERNEL_LAST: Final = "MODULES VMALLOC FIXADDR PCI_IO VMEMMAP PAGE_OFFSET"
_LINEAR_FIRST: Final = "LINEAR MODULES VMALLOC FIXADDR PCI_IO VMEMMAP"
_FORMS: Final = (
    _Since((6, 9), "LINEAR MODULES VMALLOC VMEMMAP PCI_IO FIXADDR", True, True, True, True, False, True),
    _Since((5, 16), _LINEAR_FIRST, True, True, True, True, False, True),
    _Since((5, 14), "LINEAR BPF MODULES VMALLOC FIXADDR PCI_IO VMEMMAP", True, True, True, True, False, True),
    _Since((5, 10), "LINEAR BPF MODULES VMALLOC FIXADDR PCI_IO VMEMMAP", True, True, True, True, True, True),
    _Since((5, 8), "LINEAR BPF MODULES VMALLOC FIXADDR PCI_IO VMEMMAP", True, True, True, True, True, False),
    _Since((5, 6), _LINEAR_FIRST, True, True, True, False, True, False),
    _Since((5, 4), _LINEAR_FIRST, False, True, True, False, True, False),
    _Since((4, 7), _KERNEL_LAST, False, True, True, False, True, False),
    _Since((4, 6), "MODULES VMALLOC VMEMMAP FIXADDR PCI_IO PAGE_OFFSET", False, True, True, False, True, False),
    _Since((4, 4), "VMALLOC VMEMMAP FIXADDR PCI_IO MODULES KERNEL", False, False, False, False, True, False),
)

#: Names of the two markers of a place; from v5.4 on vmalloc()'s are written otherwise.
_NAMES: Final = {
    "LINEAR": ("Linear Mapping start", "Linear Mapping end"),
    "BPF": ("BPF start", "BPF end"),
    "MODULES": ("Modules start", "Modules end"),
    "VMALLOC": ("vmalloc() area", "vmalloc() end"),
    "FIXADDR": ("Fixmap start", "Fixmap end"),
    "PCI_IO": ("PCI I/O start", "PCI I/O end"),
    "VMEMMAP": ("vmemmap start", "vmemmap end"),
    "PAGE_OFFSET": ("Linear Mapping",),
    "KERNEL": ("Kernel Mapping",),
}
_OLD_VMALLOC: Final = ("vmalloc() Area", "vmalloc() End")

#: What a byte of MAIR_EL1 is called, in the order of the columns.
_TYPES: Final = ((0x00, "DEVICE/nGnRnE"), (0x04, "DEVICE/nGnRE"), (0x0C, "DEVICE/GRE"), (0x44, "MEM/NORMAL-NC"))


def version_in(release: str | None) -> Version | None:
    """The version in what `uname -r` prints.

    >>> version_in("4.14.0-115.el7a.0.1.aarch64"), version_in("next")
    ((4, 14), None)
    """
    found = re.match(r"v?([0-9]{1,4})\.([0-9]{1,4})(?![0-9])", release or "")
    return (int(found[1]), int(found[2])) if found else None


def modelled(version: Version | None) -> str | None:
    """The version as `Config` names it, None if it has no map of memory of its own there.

    >>> modelled((6, 1)), modelled((5, 10))
    ('6.1', None)
    """
    name = "" if version is None else f"{version[0]}.{version[1]}"
    return name if name in VERSIONS else None


def _row(version: Version) -> _Since:
    return next((row for row in _FORMS if row.version <= version), _FORMS[-1])


def form_of(version: Version, config: Config, mair: MAIR_EL1) -> Form:
    """What a kernel of that version and configuration prints, with the memory types of its MAIR_EL1.

    >>> form_of((4, 14), Config("64k", 48), MAIR_EL1(0xBB_FF44_0C04_00)).levels
    ('PGD', 'P4D', 'PGD', 'PMD', 'PTE')
    """
    row = _row(version)
    room = "   " if row.guarded else None

    def flag(mask: int, set: str, clear: str | None) -> ProtBits:
        return ProtBits(mask, mask, set, clear)

    blocks = (
        ProtBits(3, 1, "BLK", "   ") if version >= (6, 15) else ProtBits(Leaf.TYPE.mask, Leaf.TYPE.mask, "   ", "BLK")
    )
    bits = [
        *([flag(Leaf.VALID.mask, " ", "F")] if row.fault else []),
        flag(1 << Leaf.AP.lo, "USR", "   "),
        flag(1 << Leaf.AP.hi, "ro", "RW"),
        flag(Leaf.PXN.mask, "NX", "x "),
        flag(3 << 8, "SHD", "   "),  # also where TCR_EL1.DS makes them bits of the output address
        flag(Leaf.AF.mask, "AF", "  "),
        flag(Leaf.nG.mask, "NG", "  "),
        flag(Leaf.Contiguous.mask, "CON", "   "),
        blocks,
        flag(Leaf.UXN.mask, "UXN", room),
        *([flag(Leaf.GP.mask, "GP", "  ")] if row.guarded else []),
    ]
    for index, name in _memory_types(row, mair):
        bits.append(ProtBits(Leaf.AttrIndx.mask, index << Leaf.AttrIndx.lo, name, None))
    levels = ("PGD", "P4D", "PUD", "PMD", "PTE")
    if version < (6, 9):  # a level that is folded has the name of the one above
        names = config.PGTABLE_LEVELS
        levels = ("PGD", "P4D", "PUD" if names > 3 else "PGD", "PMD" if names > 2 else "PGD", "PTE")
    return Form(tuple(bits), levels, row.holes, row.named)


def _memory_types(row: _Since, mair: MAIR_EL1) -> list[tuple[int, str]]:
    """The index of each memory type that has a name, by what MAIR_EL1 makes of it."""
    content = mair.value.to_bytes(8, "little")
    types = [(content.find(byte), name) for byte, name in _TYPES if row.gre or byte != 0x0C]
    normal = content.find(0xFF)
    types.append((normal, "MEM/NORMAL"))
    if row.tagged:
        tagged = content.find(0xF0)
        types.append((tagged if tagged >= 0 else content.find(0xFF, normal + 1), "MEM/NORMAL-TAGGED"))
    return [(index, name) for index, name in types if index >= 0]


def places(version: Version, boot: Boot, numbers: Mapping[str, int]) -> dict[str, int]:
    """Where the parts of the map of memory are, by the kernel's names: by VMCOREINFO's numbers, or by the version.

    `numbers` may have the address of `swapper_pg_dir` too, which shows where a vendor took the map of another version.

    >>> from pgtlab import CPU, boot
    >>> hex(places((4, 14), boot(Config("4k", 39), CPU.named("max")), {})["PAGE_OFFSET"])
    '0xffffffc000000000'
    """
    version = _of_the_layout(version, boot, numbers.get("swapper_pg_dir"))
    where = _later(version, boot) if version >= (5, 11) else _earlier(version, boot)
    where = {name: address & MASK64 for name, address in where.items()}
    return where | {name: numbers[name] for name in RANGES if name in numbers}


def _of_the_layout(version: Version, boot: Boot, kernel: int | None) -> Version:
    """The version whose map of memory has the kernel's image at `kernel`: some vendors took one from a later version.

    In v4.6 the image moved to the lower half of the kernel's addresses, in v5.4 to the upper one.
    """
    if kernel is None or version < (4, 4):
        return version
    if not kernel >> boot.config.va_bits - 1 & 1:
        return min(max(version, (4, 6)), (5, 3))
    return (5, 4) if (4, 6) <= version < (5, 4) else version


def markers_of(version: Version, boot: Boot, numbers: Mapping[str, int]) -> tuple[tuple[int, str], ...]:
    """Address and name of each marker, in the order in which the kernel has them."""
    version = _of_the_layout(version, boot, numbers.get("swapper_pg_dir"))
    where, row = places(version, boot, numbers), _row(version)
    ends = {
        "LINEAR": ("PAGE_OFFSET", "PAGE_END"),
        "BPF": ("BPF_JIT_REGION_START", "BPF_JIT_REGION_END"),
        "MODULES": ("MODULES_VADDR", "MODULES_END"),
        "VMALLOC": ("VMALLOC_START", "VMALLOC_END"),
        "FIXADDR": ("FIXADDR_START", "FIXADDR_TOP"),
        "PCI_IO": ("PCI_IO_START", "PCI_IO_END"),
        "VMEMMAP": ("VMEMMAP_START", "VMEMMAP_END"),
        "PAGE_OFFSET": ("PAGE_OFFSET",),
        "KERNEL": ("PAGE_OFFSET",),
    }
    old = {"VMALLOC": _OLD_VMALLOC} if version < (5, 4) else {}
    return tuple(
        (where[place], name)
        for part in row.places.split()
        for place, name in zip(ends[part], (_NAMES | old)[part], strict=True)
    )


def _later(version: Version, boot: Boot) -> dict[str, int]:
    """From v5.11 on, as `memory.h` of v6.1 and later has it."""
    name = modelled(version) or ("6.1" if version < (6, 1) else "")
    config = boot.config
    try:
        k = config.replace(linux=name).constants
    except ConfigError:  # 52 bits of a vendor's that v6.1 did not have
        k = config.constants
    r = boot.constants
    where = {name: k[name] for name in ("PAGE_OFFSET", "PAGE_END", *RANGES[:3], "VMEMMAP_START", "VMEMMAP_END")}
    where |= {name: k[name] for name in ("PCI_IO_START", "PCI_IO_END", "FIXADDR_TOP")}
    where["VMALLOC_END"] = r.VMALLOC_END if version >= (6, 9) else k.VMEMMAP_START - (1 << 28)
    where["FIXADDR_START"] = k.FIXADDR_TOT_START if version >= (6, 4) else k.FIXADDR_START
    if version >= (6, 9):  # virt_to_page() of where the linear map begins on this CPU
        where["VMEMMAP_START"] = next(region.start for region in memory_map(boot) if region.name == VMEMMAP)
    if version < (5, 16):
        where |= _with_bpf(-(1 << min(config.va_bits, 48) - 1))
    return where


def _with_bpf(start: int) -> dict[str, int]:
    """128 MiB for programs of BPF, then as much for modules, and then what vmalloc() maps."""
    middle, end = start + _SZ_128M, start + 2 * _SZ_128M
    where = {"BPF_JIT_REGION_START": start, "BPF_JIT_REGION_END": middle}
    return where | {"MODULES_VADDR": middle, "MODULES_END": end, "VMALLOC_START": end}


def _earlier(version: Version, boot: Boot) -> dict[str, int]:
    """Before v5.11."""
    config = boot.config
    k, va_bits, page_shift = config.constants, config.va_bits, config.page_size.bit_length() - 1
    half, whole = -(1 << va_bits - 1), -(1 << va_bits)
    if version >= (5, 4):
        page_end = -(1 << min(va_bits, 48) - 1)  # of 48 bits, where modules begin
        size = page_end - whole >> page_shift - _STRUCT_PAGE_MAX_SHIFT
        where = {"PAGE_OFFSET": whole, "PAGE_END": -(1 << boot.vabits_actual - 1), **_with_bpf(page_end)}
        where |= {"VMALLOC_END": -k.PUD_SIZE - size - _SZ_64K}
        where |= {"VMEMMAP_START": -size - _SZ_2M, "VMEMMAP_END": -_SZ_2M}
        pci_end = where["VMEMMAP_START"] - _SZ_2M
    else:
        where = {"PAGE_OFFSET": half, "VA_START": whole}
        if version >= (4, 7):
            size = 1 << va_bits - page_shift - 1 + _STRUCT_PAGE_MAX_SHIFT
        else:
            size = -(-(1 << va_bits - page_shift + _STRUCT_PAGE_MAX_SHIFT) // k.PUD_SIZE) * k.PUD_SIZE
        where["VMALLOC_END"] = half - k.PUD_SIZE - size - _SZ_64K
        if version >= (5, 0):
            where |= _with_bpf(whole)
        elif version >= (4, 6):
            where |= {"MODULES_VADDR": whole, "MODULES_END": whole + _SZ_128M, "VMALLOC_START": whole + _SZ_128M}
        else:
            where |= {"MODULES_VADDR": half - _SZ_64M, "MODULES_END": half, "VMALLOC_START": whole}
        memmap = half - size if version >= (4, 7) else where["VMALLOC_END"] + _SZ_64K
        where |= {"VMEMMAP_START": memmap, "VMEMMAP_END": memmap + size}
        pci_end = (memmap if version >= (4, 7) else half if version >= (4, 6) else half - _SZ_64M) - _SZ_2M
    where |= {"PCI_IO_START": pci_end - _SZ_16M, "PCI_IO_END": pci_end}
    where["FIXADDR_TOP"] = where["PCI_IO_START"] - _SZ_2M
    # A hole, 4 MiB for the device tree, the early console, a page to patch; from v4.16 on ACPI's and the trampoline's.
    pages = 3 + (4 << 20 >> page_shift) + (4 if version >= (4, 16) else 0)
    where["FIXADDR_START"] = where["FIXADDR_TOP"] - (pages << page_shift)
    return where
