"""The constants of compile time, header by header (`arch/arm64/include/asm/`, 6.1 to 7.3; checked: `version.py`)."""

from __future__ import annotations

from typing import Final

from pgtlab.arch.granule import GRANULES
from pgtlab.arch.registers import TCR_EL1
from pgtlab.arch.word import MASK64
from pgtlab.linux.constants import Header
from pgtlab.linux.headers.mm_types import structs
from pgtlab.linux.version import since, version_code

SZ_64K = 1 << 16
SZ_256K = 1 << 18
SZ_2M = 1 << 21
SZ_4M = 1 << 22
SZ_8M = 1 << 23
SZ_16M = 1 << 24
SZ_32M = 1 << 25
SZ_128M = 1 << 27
SZ_256M = 1 << 28
SZ_1G = 1 << 30
SZ_2G = 1 << 31


def ul(value: int) -> int:
    """`value` as the kernel's `unsigned long`: negative numbers wrap."""
    return value & MASK64


def bit(n: int) -> int:
    """BIT(n)."""
    return 1 << n


def genmask(hi: int, lo: int) -> int:
    """GENMASK(hi, lo)."""
    return (1 << (hi + 1)) - (1 << lo)


def div_round_up(n: int, d: int) -> int:
    """DIV_ROUND_UP(n, d)."""
    return -(-n // d)


# Names that a version does not define: until which one, or from which one on. Those that functions of the model use are
# in every version.
_BEFORE: Final = {
    "6.5": ("PTE_PI_IDX_0", "PTE_PI_IDX_1", "PTE_PI_IDX_2", "PTE_PI_IDX_3"),
    "6.9": ("PGD_TYPE_MASK", "PGD_TABLE_BIT", "VMEMMAP_RANGE", "SWAPPER_SKIP_LEVEL", "TCR_DS"),
    "6.12": (
        "PTE_PO_IDX_0",
        "PTE_PO_IDX_1",
        "PTE_PO_IDX_2",
        "PTE_PO_IDX_MASK",
        "PGTY_buddy",
        "PGTY_table",
        "PGTY_slab",
    ),
}
_FROM: Final = {
    "7.3": (  # or from one of 6.13 to 7.2
        *("PGD_TABLE_BIT", "P4D_TABLE_BIT", "TTBR_CNP_BIT", "_PROT_SECT_DEFAULT"),
        *("TCR_T0SZ_OFFSET", "TCR_T1SZ_OFFSET", "TCR_TxSZ_WIDTH"),
    ),
}


def not_defined(k: Header) -> None:
    """Leave out the names that this version does not define."""
    gone = [name for version, names in _BEFORE.items() if not since(k, version) for name in names]
    gone += [name for version, names in _FROM.items() if since(k, version) for name in names]
    for name in gone:
        vars(k).pop(name, None)


def page_def_h(k: Header) -> None:
    """asm/page-def.h."""
    k.PAGE_SIZE = bit(k.PAGE_SHIFT)


def pgtable_hwdef_h(k: Header) -> None:
    """asm/pgtable-hwdef.h: the geometry of the levels, and the bits of a descriptor.

    With fewer levels than five the missing ones are folded at compile time: they take the level above's shift and
    hold one entry (`asm-generic/pgtable-nop4d.h`, `nopud.h` and `nopmd.h`). The top level takes the bits that remain.
    """
    levels = k.CONFIG_PGTABLE_LEVELS

    def level_shift(n: int) -> int:
        return (k.PAGE_SHIFT - 3) * (4 - n) + 3

    k.PTRS_PER_PTE = bit(k.PAGE_SHIFT - 3)
    k.PGDIR_SHIFT = level_shift(4 - levels)
    k.P4D_SHIFT = level_shift(0) if levels > 4 else k.PGDIR_SHIFT
    k.PUD_SHIFT = level_shift(1) if levels > 3 else k.P4D_SHIFT
    k.PMD_SHIFT = level_shift(2) if levels > 2 else k.PUD_SHIFT
    k.PTRS_PER_PGD = bit(k.VA_BITS - k.PGDIR_SHIFT)
    k.PTRS_PER_P4D = k.PTRS_PER_PTE if levels > 4 else 1
    k.PTRS_PER_PUD = k.PTRS_PER_PTE if levels > 3 else 1
    k.PTRS_PER_PMD = k.PTRS_PER_PTE if levels > 2 else 1
    k.MAX_PTRS_PER_P4D = k.PTRS_PER_P4D
    for level in ("PGDIR", "P4D", "PUD", "PMD"):
        k[f"{level}_SIZE"] = bit(getattr(k, f"{level}_SHIFT"))

    k.CONT_PTE_SHIFT = k.CONFIG_ARM64_CONT_PTE_SHIFT + k.PAGE_SHIFT
    k.CONT_PTES = bit(k.CONFIG_ARM64_CONT_PTE_SHIFT)
    k.CONT_PTE_SIZE = bit(k.CONT_PTE_SHIFT)
    k.CONT_PMD_SHIFT = k.CONFIG_ARM64_CONT_PMD_SHIFT + k.PMD_SHIFT
    k.CONT_PMDS = bit(k.CONFIG_ARM64_CONT_PMD_SHIFT)
    k.CONT_PMD_SIZE = bit(k.CONT_PMD_SHIFT)

    for level in ("PGD", "P4D", "PUD", "PMD"):
        k[f"{level}_TYPE_TABLE"] = 3
        k[f"{level}_TYPE_MASK"] = 3
        k[f"{level}_TABLE_BIT"] = bit(1)
        k[f"{level}_TABLE_PXN"] = bit(59)
        k[f"{level}_TABLE_UXN"] = bit(60)
        if level != "PGD":
            k[f"{level}_TYPE_SECT"] = 1
    for level in ("P4D", "PUD", "PMD"):
        k[f"{level}_SECT_RDONLY"] = bit(7)

    for prefix, shared in (("PMD_SECT_", "S"), ("PTE_", "SHARED")):
        k[prefix + "USER"] = bit(6)
        k[prefix + "RDONLY"] = bit(7)
        k[prefix + shared] = 3 << 8
        k[prefix + "AF"] = bit(10)
        k[prefix + "NG"] = bit(11)
        k[prefix + "CONT"] = bit(52)
        k[prefix + "PXN"] = bit(53)
        k[prefix + "UXN"] = bit(54)
    k.PMD_ATTRINDX_MASK = k.PTE_ATTRINDX_MASK = 7 << 2

    k.PTE_VALID = bit(0)
    k.PTE_TYPE_MASK = k.PTE_TYPE_PAGE = 3
    k.PTE_TABLE_BIT = bit(1)
    k.PTE_GP = bit(50)
    k.PTE_DBM = bit(51)
    k.PTE_SWBITS_MASK = bit(63) | genmask(58, 55)
    k.PTE_ADDR_LOW = genmask(49 if since(k, "6.9") else 47, k.PAGE_SHIFT)
    if k.CONFIG_ARM64_PA_BITS == 52:
        if k.PAGE_SIZE == SZ_64K:
            k.PTE_ADDR_HIGH = 0xF << 12
            k.PTE_ADDR_HIGH_SHIFT = 36
            k.PHYS_TO_PTE_ADDR_MASK = k.PTE_ADDR_LOW | k.PTE_ADDR_HIGH
        else:
            k.PTE_ADDR_HIGH = 0x3 << 8
            k.PTE_ADDR_HIGH_SHIFT = 42
            k.PHYS_TO_PTE_ADDR_MASK = genmask(49, 8)

    if since(k, "6.13"):
        for level in ("PGD", "P4D", "PUD", "PMD"):
            k[f"{level}_TABLE_AF"] = bit(10)
    k.PTE_PI_IDX_0, k.PTE_PI_IDX_1, k.PTE_PI_IDX_2, k.PTE_PI_IDX_3 = 6, 51, 53, 54
    k.PTE_PO_IDX_0, k.PTE_PO_IDX_1, k.PTE_PO_IDX_2 = bit(60), bit(61), bit(62)
    k.PTE_PO_IDX_MASK = genmask(62, 60)
    k.S1_TABLE_AP = 3 << 61
    k.TTBR_CNP_BIT = bit(0)
    if k.CONFIG_ARM64_PA_BITS == 52:
        k.TTBR_BADDR_MASK_52 = genmask(47, 2)
    if k.VA_BITS == 52:
        # swapper_pg_dir is laid out for 52 bits; a 48-bit walk starts at its last entries.
        k.TTBR1_BADDR_4852_OFFSET = (bit(52 - k.PGDIR_SHIFT) - bit(48 - k.PGDIR_SHIFT)) * 8


def mm_types_h(k: Header) -> None:
    """linux/mm_types.h and linux/page-flags.h: sizes and offsets of the structures that the model has."""
    for struct in structs(bool(k.CONFIG_PAGE_EXTENSION)):
        k[f"sizeof(struct {struct.name})"] = struct.size
        for member in struct.members:
            k[f"offsetof(struct {struct.name},{member.name})"] = member.offset
    k.STRUCT_PAGE_MAX_SHIFT = (k["sizeof(struct page)"] - 1).bit_length()
    k.PGTY_buddy, k.PGTY_table, k.PGTY_slab = 0xF0, 0xF2, 0xF5


def memory_h(k: Header) -> None:
    """asm/memory.h: the kernel's map of the upper half, and the memory types."""

    def page_offset(va: int) -> int:
        return ul(-bit(va))

    def page_end(va: int) -> int:
        return ul(-bit(va - 1))

    fallback = 47 if k.PAGE_SHIFT == 14 and since(k, "6.9") else 48
    k.VA_BITS_MIN = k.VA_BITS if k.VA_BITS <= 48 else fallback
    k.PAGE_OFFSET = page_offset(k.VA_BITS)
    k.PAGE_END = page_end(k.VA_BITS_MIN)
    k["_PAGE_OFFSET(VA_BITS_MIN)"] = page_offset(k.VA_BITS_MIN)
    k["_PAGE_END(VA_BITS_MIN)"] = page_end(k.VA_BITS_MIN)
    k.MODULES_VSIZE = SZ_2G if since(k, "6.5") else SZ_128M
    k.MODULES_VADDR = k.PAGE_END
    k.MODULES_END = k.MODULES_VADDR + k.MODULES_VSIZE
    k.KIMAGE_VADDR = k.MODULES_END
    k.VMEMMAP_RANGE = k.PAGE_END - k.PAGE_OFFSET
    k.VMEMMAP_SIZE = (k.VMEMMAP_RANGE >> k.PAGE_SHIFT) * k["sizeof(struct page)"]
    k.PCI_IO_SIZE = SZ_16M
    if since(k, "6.9"):
        k.VMEMMAP_END = ul(-SZ_1G)
        k.VMEMMAP_START = k.VMEMMAP_END - k.VMEMMAP_SIZE
        k.PCI_IO_START = k.VMEMMAP_END + SZ_8M
        k.PCI_IO_END = k.PCI_IO_START + k.PCI_IO_SIZE
        k.FIXADDR_TOP = ul(-SZ_8M)
    else:  # PCI I/O and the fixmap were below the memmap
        k.VMEMMAP_START = ul(-bit(k.VA_BITS - k.PAGE_SHIFT + k.STRUCT_PAGE_MAX_SHIFT))
        k.VMEMMAP_END = k.VMEMMAP_START + k.VMEMMAP_SIZE
        k.PCI_IO_END = k.VMEMMAP_START - SZ_8M
        k.PCI_IO_START = k.PCI_IO_END - k.PCI_IO_SIZE
        k.FIXADDR_TOP = k.VMEMMAP_START - SZ_32M
    shadow = k.CONFIG_KASAN and not k.CONFIG_KASAN_HW_TAGS
    if shadow:  # below the modules; where it begins, and the linear map ends, depends on the bits in use
        k.KASAN_SHADOW_SCALE_SHIFT = 4 if k.CONFIG_KASAN_SW_TAGS else 3
        k.KASAN_SHADOW_END = k.PAGE_END
        k.KASAN_SHADOW_OFFSET = ul(k.KASAN_SHADOW_END - bit(64 - k.KASAN_SHADOW_SCALE_SHIFT))
    k.THREAD_SIZE = bit(max(15 if shadow else 14, k.PAGE_SHIFT))
    k.THREAD_ALIGN = 2 * k.THREAD_SIZE
    k.SEGMENT_ALIGN = SZ_64K
    k.MT_NORMAL, k.MT_NORMAL_TAGGED, k.MT_NORMAL_NC, k.MT_DEVICE_nGnRnE, k.MT_DEVICE_nGnRE = range(5)


def mmzone_h(k: Header) -> None:
    """linux/mmzone.h and asm/sparsemem.h: sections of physical memory, and the orders of the buddy allocator."""
    k.MAX_PAGE_ORDER = {12: 10, 14: 11, 16: 13}[k.PAGE_SHIFT]
    # Zones: Normal, Movable and those that are configured. Their number is kept in the flags of each page.
    k.ZONES_SHIFT = (1 + k.CONFIG_ZONE_DMA + k.CONFIG_ZONE_DMA32 + k.CONFIG_ZONE_DEVICE).bit_length()
    k.HPAGE_PMD_ORDER = k.PMD_SHIFT - k.PAGE_SHIFT
    k.HPAGE_PMD_SIZE = k.PMD_SIZE
    k.SECTION_SIZE_BITS = 29 if k.PAGE_SIZE == SZ_64K else 27
    k.SECTIONS_PER_ROOT = k.PAGE_SIZE // k["sizeof(struct mem_section)"]
    k.PAGES_PER_SECTION = bit(k.SECTION_SIZE_BITS - k.PAGE_SHIFT)
    k.SUBSECTION_SHIFT = 21
    k.SUBSECTIONS_PER_SECTION = bit(k.SECTION_SIZE_BITS - k.SUBSECTION_SHIFT)
    k.MAX_POSSIBLE_PHYSMEM_BITS = 52
    k.SECTION_MARKED_PRESENT, k.SECTION_HAS_MEM_MAP, k.SECTION_IS_ONLINE, k.SECTION_IS_EARLY = 1, 2, 4, 8
    k.SECTION_NID_SHIFT = 4 + k.CONFIG_ZONE_DEVICE  # a flag more: a section of several zones
    k.SECTION_MAP_MASK = ul(-bit(k.SECTION_NID_SHIFT))
    # An rcu_head and the subsection bitmap; the pageblock flags that follow are a flexible array.
    k["sizeof(struct mem_section_usage)"] = 16 + 8 * div_round_up(k.SUBSECTIONS_PER_SECTION, 64)


def pgtable_prot_h(k: Header) -> None:
    """asm/pgtable-prot.h: software bits, and the protections of user mappings."""
    k.PTE_WRITE = k.PTE_DBM
    k.PTE_SWP_EXCLUSIVE = bit(2)
    k.PTE_DIRTY, k.PTE_SPECIAL = bit(55), bit(56)
    k.PTE_DEVMAP = bit(57) if k.CONFIG_ARCH_HAS_PTE_DEVMAP else 0
    if since(k, "6.10"):
        k.PTE_PRESENT_INVALID = k.PTE_NG
    else:
        k.PTE_PROT_NONE, k.PMD_PRESENT_INVALID = bit(58), bit(59)
        k.PTE_PRESENT_INVALID = k.PTE_PROT_NONE
    k.PTE_UFFD_WP = bit(58) if k.CONFIG_HAVE_ARCH_USERFAULTFD_WP else 0

    k._PROT_DEFAULT = k.PTE_TYPE_PAGE | k.PTE_AF | k.PTE_SHARED
    k._PROT_SECT_DEFAULT = k.PMD_TYPE_SECT | k.PMD_SECT_AF | k.PMD_SECT_S
    k._PAGE_DEFAULT = k._PROT_DEFAULT | k.MT_NORMAL << 2
    user = k._PAGE_DEFAULT | k.PTE_RDONLY | k.PTE_NG | k.PTE_PXN
    k._PAGE_SHARED = user | k.PTE_USER | k.PTE_UXN | k.PTE_WRITE
    k._PAGE_SHARED_EXEC = user | k.PTE_USER | k.PTE_WRITE
    k._PAGE_READONLY = user | k.PTE_USER | k.PTE_UXN
    k._PAGE_READONLY_EXEC = user | k.PTE_USER
    k._PAGE_EXECONLY = user
    k["pgprot_val(PAGE_NONE)"] = (user & ~k.PTE_VALID) | k.PTE_PRESENT_INVALID | k.PTE_UXN
    for name in ("SHARED", "SHARED_EXEC", "READONLY", "READONLY_EXEC", "EXECONLY"):
        k[f"pgprot_val(PAGE_{name})"] = getattr(k, f"_PAGE_{name}")


def pgtable_h(k: Header) -> None:
    """asm/pgtable.h: where vmalloc begins, and the format of a swap entry."""
    k.VMALLOC_START = k.MODULES_END
    type_shift, offset_shift = (6, 12) if since(k, "6.10") else (3, 8)
    k.__SWP_TYPE_SHIFT, k.__SWP_TYPE_BITS, k.__SWP_TYPE_MASK = type_shift, 5, bit(5) - 1
    k.__SWP_OFFSET_SHIFT, k.__SWP_OFFSET_BITS, k.__SWP_OFFSET_MASK = offset_shift, 50, bit(50) - 1


def tcr_h(k: Header) -> None:
    """asm/pgtable-hwdef.h, second half: the fields of TCR_EL1, from the register's own declaration."""
    k.TCR_T0SZ_OFFSET, k.TCR_T1SZ_OFFSET, k.TCR_TxSZ_WIDTH = TCR_EL1.T0SZ.lo, TCR_EL1.T1SZ.lo, TCR_EL1.T0SZ.width
    k.TCR_TG0_MASK, k.TCR_TG1_MASK = TCR_EL1.TG0.mask, TCR_EL1.TG1.mask
    for granule in GRANULES:
        k[f"TCR_TG0_{granule}"] = int(TCR_EL1(TG0=granule.tg0))
        k[f"TCR_TG1_{granule}"] = int(TCR_EL1(TG1=granule.tg1))
    k.TCR_IPS_SHIFT = TCR_EL1.IPS.lo
    for name in ("A1", "TBI0", "TBI1", "HA", "HD", "HPD0", "HPD1", "E0PD0", "E0PD1", "DS"):
        k[f"TCR_{name}"] = getattr(TCR_EL1, name).mask
    k.TCR_EPD0_MASK, k.TCR_EPD1_MASK = TCR_EL1.EPD0.mask, TCR_EL1.EPD1.mask


def processor_h(k: Header) -> None:
    """asm/processor.h: the limit of mmap() unless a higher address is requested."""
    k.DEFAULT_MAP_WINDOW_64 = bit(k.VA_BITS_MIN)


def kernel_pgtable_h(k: Header) -> None:
    """asm/kernel-pgtable.h and asm/boot.h: the early tables. Blocks map the image only if a block is 2 MiB."""
    k.MAX_FDT_SIZE, k.MIN_FDT_ALIGN = SZ_2M, 8
    k.SWAPPER_SKIP_LEVEL = int(k.PMD_SIZE <= SZ_2M)
    k.SWAPPER_BLOCK_SHIFT = k.PMD_SHIFT if k.SWAPPER_SKIP_LEVEL else k.PAGE_SHIFT
    k.IDMAP_VA_BITS = 48 if since(k, "6.9") else k.VA_BITS_MIN
    k.IDMAP_LEVELS = (k.IDMAP_VA_BITS - 4) // (k.PAGE_SHIFT - 3)
    k.IDMAP_ROOT_LEVEL = 4 - k.IDMAP_LEVELS
    k.IOREMAP_MAX_ORDER = k.PUD_SHIFT if k.PAGE_SHIFT == 12 else k.PMD_SHIFT


def fixmap_h(k: Header) -> None:
    """asm/fixmap.h: slots counted down from FIXADDR_TOP, in the order of `enum fixed_addresses`."""
    k.FIX_FDT_END = 1
    if since(k, "6.4"):
        k.FIX_FDT = k.FIX_FDT_END + div_round_up(k.MAX_FDT_SIZE, k.PAGE_SIZE) + 1
    else:
        k.FIX_FDT = k.FIX_FDT_END + SZ_4M // k.PAGE_SIZE - 1
    k.FIX_EARLYCON_MEM_BASE = k.FIX_FDT + 1
    k.FIX_TEXT_POKE0 = last = k.FIX_EARLYCON_MEM_BASE + 1
    if k.CONFIG_KVM and since(k, "6.16"):  # or 6.13 to 6.15: a slot for each CPU, for KVM in a guest
        k.FIX_VNCR_END = last + 1
        k.FIX_VNCR = last = k.FIX_VNCR_END + k.CONFIG_NR_CPUS
    if k.CONFIG_ACPI_APEI_GHES:
        last += 4 if k.CONFIG_ARM_SDE_INTERFACE else 2
    if k.CONFIG_UNMAP_KERNEL_AT_EL0:  # KPTI's trampoline, and its data if that moves with the kernel
        k.FIX_ENTRY_TRAMP_TEXT1 = last = last + (4 if k.CONFIG_RELOCATABLE else 3)
    k.__end_of_permanent_fixed_addresses = last + 1
    k.FIX_BTMAP_END = k.__end_of_permanent_fixed_addresses
    # A page more, for a mapping that begins inside one, came in 7.2, and in 6.1 and 6.12 with their stable releases.
    one_more = since(k, "7.2") or k.LINUX_VERSION_CODE in (version_code("6.1"), version_code("6.12"))
    nr_fix_btmaps = SZ_256K // k.PAGE_SIZE + int(one_more)
    k.FIX_BTMAP_BEGIN = k.FIX_BTMAP_END + 7 * nr_fix_btmaps - 1
    levels = ("PTE", "PMD", "PUD", "P4D", "PGD") if since(k, "6.9") else ("PTE", "PMD", "PUD", "PGD")
    for step, level in enumerate(levels, start=1):
        k[f"FIX_{level}"] = k.FIX_BTMAP_BEGIN + step
    k.__end_of_fixed_addresses = k.FIX_PGD + 1
    k.FIXADDR_SIZE = k.__end_of_permanent_fixed_addresses << k.PAGE_SHIFT
    k.FIXADDR_START = k.FIXADDR_TOP - k.FIXADDR_SIZE
    k.FIXADDR_TOT_SIZE = k.__end_of_fixed_addresses << k.PAGE_SHIFT
    k.FIXADDR_TOT_START = k.FIXADDR_TOP - k.FIXADDR_TOT_SIZE
