"""The functions of every twin, and the constants of every configuration, as attributes of a `Kernel`.

Written by docs/write_kernel_functions.py from the twins: `make stubs` writes it again.
"""

from pgtlab.arch.fault import Fault
from pgtlab.arch.registers import ESR_EL1, TCR_EL1
from pgtlab.arch.walk import Walk
from pgtlab.linux.kernel.debug_vm_pgtable import PgtableDebugArgs
from pgtlab.linux.kernel.mm import MmStruct, VmAreaStruct
from pgtlab.linux.kernel.mmzone import MigrateType, Zone
from pgtlab.linux.kernel.page import Page
from pgtlab.linux.kernel.slab import KmemCache
from pgtlab.linux.kernel.spinlock import Lock
from typing import NoReturn

class KernelFunctions:
    CONFIG_ARCH_ENABLE_THP_MIGRATION: int
    CONFIG_ARCH_HAS_PTE_DEVMAP: int
    CONFIG_ARCH_HAS_PTE_SPECIAL: int
    CONFIG_ARCH_WANT_GENERAL_HUGETLB: int
    CONFIG_ARM64_CONTPTE: int
    CONFIG_ARM64_CONT_PMD_SHIFT: int
    CONFIG_ARM64_CONT_PTE_SHIFT: int
    CONFIG_ARM64_LPA2: int
    CONFIG_ARM64_PA_BITS: int
    CONFIG_DEBUG_VM: int
    CONFIG_DYNAMIC_DEBUG: int
    CONFIG_HAVE_ARCH_HUGE_VMAP: int
    CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD: int
    CONFIG_HUGETLBFS: int
    CONFIG_HUGETLB_PAGE: int
    CONFIG_MEMORY_FAILURE: int
    CONFIG_MEM_SOFT_DIRTY: int
    CONFIG_MIGRATION: int
    CONFIG_NUMA_BALANCING: int
    CONFIG_PAGE_EXTENSION: int
    CONFIG_PAGE_POISONING: int
    CONFIG_PGTABLE_LEVELS: int
    CONFIG_PTDUMP_DEBUGFS: int
    CONFIG_SPLIT_PMD_PTLOCKS: int
    CONFIG_SPLIT_PTE_PTLOCKS: int
    CONFIG_SWAP: int
    CONFIG_TRANSPARENT_HUGEPAGE: int
    CONFIG_ZONE_DMA: int
    CONFIG_ZONE_DMA32: int
    CONT_PMDS: int
    CONT_PMD_SHIFT: int
    CONT_PMD_SIZE: int
    CONT_PTES: int
    CONT_PTE_SHIFT: int
    CONT_PTE_SIZE: int
    DEFAULT_MAP_WINDOW_64: int
    FIXADDR_SIZE: int
    FIXADDR_START: int
    FIXADDR_TOP: int
    FIXADDR_TOT_SIZE: int
    FIXADDR_TOT_START: int
    FIX_BTMAP_BEGIN: int
    FIX_BTMAP_END: int
    FIX_EARLYCON_MEM_BASE: int
    FIX_ENTRY_TRAMP_TEXT1: int
    FIX_FDT: int
    FIX_FDT_END: int
    FIX_P4D: int
    FIX_PGD: int
    FIX_PMD: int
    FIX_PTE: int
    FIX_PUD: int
    FIX_TEXT_POKE0: int
    HPAGE_PMD_ORDER: int
    HPAGE_PMD_SIZE: int
    IDMAP_LEVELS: int
    IDMAP_ROOT_LEVEL: int
    IDMAP_VA_BITS: int
    IOREMAP_MAX_ORDER: int
    KIMAGE_VADDR: int
    MAX_FDT_SIZE: int
    MAX_PAGE_ORDER: int
    MAX_PHYSMEM_BITS: int
    MAX_POSSIBLE_PHYSMEM_BITS: int
    MAX_PTRS_PER_P4D: int
    MAX_SWAPFILES: int
    MAX_SWAPFILES_SHIFT: int
    MIN_FDT_ALIGN: int
    MODULES_END: int
    MODULES_VADDR: int
    MODULES_VSIZE: int
    MT_DEVICE_nGnRE: int
    MT_DEVICE_nGnRnE: int
    MT_NORMAL: int
    MT_NORMAL_NC: int
    MT_NORMAL_TAGGED: int
    NR_MEM_SECTIONS: int
    NR_SECTION_ROOTS: int
    P4D_SECT_RDONLY: int
    P4D_SHIFT: int
    P4D_SIZE: int
    P4D_TABLE_BIT: int
    P4D_TABLE_PXN: int
    P4D_TABLE_UXN: int
    P4D_TYPE_MASK: int
    P4D_TYPE_SECT: int
    P4D_TYPE_TABLE: int
    PAGES_PER_SECTION: int
    PAGE_END: int
    PAGE_OFFSET: int
    PAGE_SHIFT: int
    PAGE_SIZE: int
    PCI_IO_END: int
    PCI_IO_SIZE: int
    PCI_IO_START: int
    PGDIR_SHIFT: int
    PGDIR_SIZE: int
    PGD_TABLE_BIT: int
    PGD_TABLE_PXN: int
    PGD_TABLE_UXN: int
    PGD_TYPE_MASK: int
    PGD_TYPE_TABLE: int
    PGTY_buddy: int
    PGTY_slab: int
    PGTY_table: int
    PHYS_MASK: int
    PHYS_MASK_SHIFT: int
    PHYS_TO_PTE_ADDR_MASK: int
    PMD_ATTRINDX_MASK: int
    PMD_MAYBE_SHARED: int
    PMD_SECT_AF: int
    PMD_SECT_CONT: int
    PMD_SECT_NG: int
    PMD_SECT_PXN: int
    PMD_SECT_RDONLY: int
    PMD_SECT_S: int
    PMD_SECT_USER: int
    PMD_SECT_UXN: int
    PMD_SHIFT: int
    PMD_SIZE: int
    PMD_TABLE_BIT: int
    PMD_TABLE_PXN: int
    PMD_TABLE_UXN: int
    PMD_TYPE_MASK: int
    PMD_TYPE_SECT: int
    PMD_TYPE_TABLE: int
    PROT_DEFAULT: int
    PROT_DEVICE_nGnRE: int
    PROT_DEVICE_nGnRnE: int
    PROT_NORMAL: int
    PROT_NORMAL_NC: int
    PROT_NORMAL_TAGGED: int
    PROT_SECT_DEFAULT: int
    PROT_SECT_DEVICE_nGnRE: int
    PROT_SECT_NORMAL: int
    PROT_SECT_NORMAL_EXEC: int
    PTE_ADDR_HIGH: int
    PTE_ADDR_HIGH_SHIFT: int
    PTE_ADDR_LOW: int
    PTE_AF: int
    PTE_ATTRINDX_MASK: int
    PTE_CONT: int
    PTE_DBM: int
    PTE_DEVMAP: int
    PTE_DIRTY: int
    PTE_GP: int
    PTE_MAYBE_NG: int
    PTE_MAYBE_SHARED: int
    PTE_NG: int
    PTE_PI_IDX_0: int
    PTE_PI_IDX_1: int
    PTE_PI_IDX_2: int
    PTE_PI_IDX_3: int
    PTE_PO_IDX_0: int
    PTE_PO_IDX_1: int
    PTE_PO_IDX_2: int
    PTE_PO_IDX_MASK: int
    PTE_PRESENT_INVALID: int
    PTE_PXN: int
    PTE_RDONLY: int
    PTE_SHARED: int
    PTE_SPECIAL: int
    PTE_SWBITS_MASK: int
    PTE_SWP_EXCLUSIVE: int
    PTE_TABLE_BIT: int
    PTE_TYPE_MASK: int
    PTE_TYPE_PAGE: int
    PTE_UFFD_WP: int
    PTE_USER: int
    PTE_UXN: int
    PTE_VALID: int
    PTE_WRITE: int
    PTRS_PER_P4D: int
    PTRS_PER_PGD: int
    PTRS_PER_PMD: int
    PTRS_PER_PTE: int
    PTRS_PER_PUD: int
    PUD_SECT_RDONLY: int
    PUD_SHIFT: int
    PUD_SIZE: int
    PUD_TABLE_BIT: int
    PUD_TABLE_PXN: int
    PUD_TABLE_UXN: int
    PUD_TYPE_MASK: int
    PUD_TYPE_SECT: int
    PUD_TYPE_TABLE: int
    S1_TABLE_AP: int
    SECTIONS_PER_ROOT: int
    SECTION_HAS_MEM_MAP: int
    SECTION_IS_EARLY: int
    SECTION_IS_ONLINE: int
    SECTION_MAP_MASK: int
    SECTION_MARKED_PRESENT: int
    SECTION_NID_SHIFT: int
    SECTION_SIZE_BITS: int
    SEGMENT_ALIGN: int
    STRUCT_PAGE_MAX_SHIFT: int
    SUBSECTIONS_PER_SECTION: int
    SUBSECTION_SHIFT: int
    SWAPPER_BLOCK_SHIFT: int
    SWAPPER_SKIP_LEVEL: int
    SWP_DEVICE_NUM: int
    SWP_HWPOISON: int
    SWP_HWPOISON_NUM: int
    SWP_MIGRATION_NUM: int
    SWP_MIGRATION_READ: int
    SWP_MIGRATION_READ_EXCLUSIVE: int
    SWP_MIGRATION_WRITE: int
    SWP_MIG_DIRTY: int
    SWP_MIG_TOTAL_BITS: int
    SWP_MIG_YOUNG: int
    SWP_OFFSET_MASK: int
    SWP_PFN_BITS: int
    SWP_PFN_MASK: int
    SWP_PTE_MARKER_NUM: int
    SWP_TYPE_SHIFT: int
    TASK_SIZE_64: int
    TCR_A1: int
    TCR_DS: int
    TCR_E0PD0: int
    TCR_E0PD1: int
    TCR_EPD0_MASK: int
    TCR_EPD1_MASK: int
    TCR_HA: int
    TCR_HD: int
    TCR_HPD0: int
    TCR_HPD1: int
    TCR_IPS_SHIFT: int
    TCR_T0SZ_OFFSET: int
    TCR_T1SZ_OFFSET: int
    TCR_TBI0: int
    TCR_TBI1: int
    TCR_TG0_16K: int
    TCR_TG0_4K: int
    TCR_TG0_64K: int
    TCR_TG0_MASK: int
    TCR_TG1_16K: int
    TCR_TG1_4K: int
    TCR_TG1_64K: int
    TCR_TG1_MASK: int
    TCR_TxSZ_WIDTH: int
    THREAD_ALIGN: int
    THREAD_SIZE: int
    TTBR1_BADDR_4852_OFFSET: int
    TTBR_BADDR_MASK_52: int
    TTBR_CNP_BIT: int
    VA_BITS: int
    VA_BITS_MIN: int
    VMALLOC_END: int
    VMALLOC_START: int
    VMEMMAP_END: int
    VMEMMAP_RANGE: int
    VMEMMAP_SIZE: int
    VMEMMAP_START: int
    VMEMMAP_UNUSED_NPAGES: int
    VM_ACCESS_FLAGS: int
    VM_EXEC: int
    VM_NONE: int
    VM_READ: int
    VM_SHARED: int
    VM_WRITE: int
    ZONES_SHIFT: int
    _PAGE_DEFAULT: int
    _PAGE_EXECONLY: int
    _PAGE_KERNEL: int
    _PAGE_KERNEL_EXEC: int
    _PAGE_KERNEL_EXEC_CONT: int
    _PAGE_KERNEL_RO: int
    _PAGE_KERNEL_ROX: int
    _PAGE_READONLY: int
    _PAGE_READONLY_EXEC: int
    _PAGE_SHARED: int
    _PAGE_SHARED_EXEC: int
    _PROT_DEFAULT: int
    _PROT_SECT_DEFAULT: int
    __SWP_OFFSET_BITS: int
    __SWP_OFFSET_MASK: int
    __SWP_OFFSET_SHIFT: int
    __SWP_TYPE_BITS: int
    __SWP_TYPE_MASK: int
    __SWP_TYPE_SHIFT: int
    __end_of_fixed_addresses: int
    __end_of_permanent_fixed_addresses: int
    lpa2_is_enabled: int
    vabits_actual: int

    def BUG_ON(self, condition: object, text: str) -> None:
        """Stop if `condition` holds."""
    def PageBuddy(self, page: Page) -> bool:
        """The page heads a free block of the buddy allocator."""
    def PageTable(self, page: Page) -> bool:
        """The page is a page table."""
    def SECTION_FLAGS(self) -> int:
        """The low bits of `section_mem_map`: RAM that was there at boot, with its memmap."""
    def VM_BUG_ON(self, condition: object, text: str) -> None:
        """With CONFIG_DEBUG_VM: stop if `condition` holds."""
    def VM_BUG_ON_PAGE(self, condition: object, page: Page, text: str) -> None:
        """With CONFIG_DEBUG_VM: dump `page` and stop if `condition` holds; `text` is its source (linux/mmdebug.h)."""
    def WARN(self, condition: object, message: str) -> bool:
        """The same with a message."""
    def WARN_ON(self, condition: object) -> bool:
        """Report, with the place and a call trace, if `condition` holds; go on in any case (include/asm-generic/bug.h)."""
    def __ClearPageBuddy(self, page: Page) -> None:
        """The block is free no longer, or part of a larger one."""
    def __ClearPageLocked(self, page: Page) -> None:
        """Unlock it."""
    def __ClearPageTable(self, page: Page) -> None:
        """Take the type away again; the page must have it."""
    def __SetPageBuddy(self, page: Page) -> None:
        """Mark the head of a free block."""
    def __SetPageLocked(self, page: Page) -> None:
        """Lock a page that nobody else can lock."""
    def __SetPageTable(self, page: Page) -> None:
        """Give the page its type; it must have none."""
    def __add_to_free_list(self, page: Page, zone: Zone, order: int, migratetype: int) -> None:
        """`page` heads a free block from here on."""
    def __cpu_setup(self) -> TCR_EL1:
        """TCR_EL1: sizes, granules and cacheability of both ranges, as the CPU and the configuration have them."""
    def __dump_folio(self, folio: Page, page: Page, pfn: int, idx: int) -> None:
        """Print a page of a folio; `pfn` is that of the page itself, of which `page` is a copy."""
    def __dump_page(self, page: Page) -> None:
        """Print a page as it is at this moment: a copy on the stack, and its folio's, that fit each other."""
    def __free_pages(self, page: Page, order: int) -> None:
        """Drop a reference, and free the block with the last one."""
    def __free_pages_ok(self, page: Page, order: int) -> None:
        """Free any other block."""
    def __kernel_unpoison_pages(self, page: Page, n: int) -> None:
        """Look whether the poison of `n` pages is untouched."""
    def __mmdrop(self, mm: MmStruct) -> None:
        """Free the pgd, and look at the books."""
    def __nr_to_section(self, nr: int) -> int:
        """The `struct mem_section` of a section; NULL where memory has no such section, or its root is absent."""
    def __p4d_alloc(self, mm: MmStruct, pgdp: int, addr: int) -> int:
        """Allocate a P4D table under `*pgdp`."""
    def __pa(self, va: int) -> int:
        """The physical address behind a linear-map address."""
    def __pagetable_ctor(self, ptdesc: Page) -> None:
        """What the constructors share: the type, and the count."""
    def __pagetable_dtor(self, ptdesc: Page) -> None:
        """What the destructors share."""
    def __pfn_to_section(self, pfn: int) -> int:
        """The `struct mem_section` of a frame, or NULL."""
    def __pgprot_modify(self, prot: int, mask: int, bits: int) -> int:
        """With the bits of `mask` replaced."""
    def __pmd_alloc(self, mm: MmStruct, pudp: int, addr: int) -> int:
        """Allocate a PMD table under `*pudp`."""
    def __pmd_to_swp_entry(self, pmd: int) -> int:
        """The word as it is."""
    def __pte_alloc(self, mm: MmStruct, pmdp: int) -> int:
        """Allocate a PTE table under `*pmdp`."""
    def __pte_to_swp_entry(self, pte: int) -> int:
        """The word as it is."""
    def __ptep_set_access_flags(self, vma: VmAreaStruct | None, addr: int, ptep: int, entry: int, dirty: int) -> bool:
        """PTE_RDONLY means less where it is set, so it is turned around before the two are joined, and back."""
    def __pud_alloc(self, mm: MmStruct, p4dp: int, addr: int) -> int:
        """Allocate a PUD table under `*p4dp`."""
    def __pud_free(self, mm: MmStruct, pud: int) -> None:
        """Free a PUD table, through its destructor."""
    def __rmqueue(self, zone: Zone, order: int, migratetype: MigrateType) -> Page | None:
        """A block from the lists of its kind, or else from those of another, which then change to this one."""
    def __rmqueue_fallback(self, zone: Zone, order: int, migratetype: MigrateType) -> bool:
        """Move a block of another kind to the lists of this one: the largest, so that it need not be done again soon."""
    def __rmqueue_smallest(self, zone: Zone, order: int, migratetype: MigrateType) -> Page | None:
        """The first block of the smallest order that will do, split as needed."""
    def __set_pte(self, ptep: int, pte: int) -> None:
        """Store an entry."""
    def __set_ptes(self, mm: MmStruct, addr: int, ptep: int, pte: int, nr: int) -> None:
        """Store `nr` entries, each for the frame after the last."""
    def __swp_entry(self, type: int, offset: int) -> int:
        """An entry in a page table's format; of a larger offset than it has room for, the upper bits are lost."""
    def __swp_entry_to_pmd(self, swp: int) -> int:
        """The word as it is."""
    def __swp_entry_to_pte(self, swp: int) -> int:
        """The word as it is."""
    def __swp_offset(self, x: int) -> int:
        """The offset, in a page table's format."""
    def __swp_type(self, x: int) -> int:
        """The type, in a page table's format."""
    def __sync_cache_and_tags(self, pte: int, nr_pages: int) -> None:
        """What user space will execute, the instruction cache must see."""
    def __sync_icache_dcache(self, pte: int) -> None:
        """Clean the page's data from the cache, and note that it is clean."""
    def __va(self, pa: int) -> int:
        """The linear-map address of physical address `pa`."""
    def add_taint(self, flag: int, *, lockdep_ok: bool = ...) -> None:
        """Note a reason; unless `lockdep_ok`, the locks that are held now mean nothing either."""
    def adjust_protection_map(self) -> int:
        """Make `protection_map` fit the CPU: an initcall."""
    def alloc_pages(self, order: int = ..., gfp: int = ...) -> Page | None:
        """`1 << order` contiguous frames, or None; the first one's `struct page` has `_refcount` 1."""
    def arch_hugetlb_valid_size(self, size: int) -> bool:
        """Huge pages of this size can be had."""
    def arch_make_huge_pte(self, entry: int, shift: int, flags: int) -> int:
        """The entry as one of a huge page of `1 << shift` bytes."""
    def arch_vmap_pmd_supported(self, prot: int) -> bool:
        """Blocks of PMD size may be mapped: not where somebody may be reading the tables, for a dump of them."""
    def arch_vmap_pud_supported(self, prot: int) -> bool:
        """Blocks of PUD size may be mapped."""
    def assert_spin_locked(self, lock: Lock) -> None:
        """The caller must hold it."""
    def bad_page(self, page: Page, reason: str) -> None:
        """Report a page in a state that it should not be in, and go on."""
    def bug(self, location: str, text: str, page: Page | None = ...) -> NoReturn:
        """`BUG()`: a BRK instruction, whose exception the kernel turns into an Oops."""
    def can_steal_fallback(self, order: int, start_type: MigrateType) -> bool:
        """Whether more than the one block may change: movable pages may lie anywhere, so that they take little."""
    def check_mm(self, mm: MmStruct) -> None:
        """An address space must end with all its page tables given back."""
    def check_new_page(self, page: Page) -> bool:
        """The check of a page that is about to be given out: at that time it has no flag at all."""
    def check_new_page_bad(self, page: Page) -> None:
        """Report it, but for memory that is known to be broken."""
    def check_new_pages(self, page: Page, order: int) -> bool:
        """Whether a block is not fit to be used: the first page of it that someone touched while it was free says so."""
    def check_poison_mem(self, page: Page, mem: bytes) -> None:
        """Report what is not poison, from the first such byte to the last."""
    def check_preempt_count(self, initcall: str, before: int) -> None:
        """An initcall must give back every lock: `do_one_initcall()` looks, and sets it right (`init/main.c`)."""
    def clear_pte_bit(self, pte: int, prot: int) -> int:
        """With these bits cleared."""
    def compound_order(self, page: Page) -> int:
        """The order of the compound page that `page` is the head of; 0 where it is none."""
    def data_abort_decode(self, esr: ESR_EL1) -> None:
        """Print what ESR_EL1 tells of a data abort. No stage 1 fault has a valid ISV."""
    def debug_vm_pgtable(self) -> int:
        """Validate the page-table helpers: a late initcall."""
    def debug_vm_pgtable_alloc_huge_page(self, args: PgtableDebugArgs, order: int) -> Page | None:
        """A huge page; None where there is none, or where the allocator has no blocks that large."""
    def del_page_from_free_list(self, page: Page, zone: Zone, order: int) -> None:
        """It does no longer: it is in use, or part of a larger one."""
    def destroy_args(self, args: PgtableDebugArgs) -> None:
        """Give everything back: the pages, then the tables from the leaves up, then the address space."""
    def die(self, message: str, esr: ESR_EL1 | None = ...) -> NoReturn:
        """An Oops (`arch/arm64/kernel/traps.c`). It kills the task, and init's death is the machine's."""
    def die_kernel_fault(self, message: str, addr: int, esr: ESR_EL1, fault: Fault) -> NoReturn:
        """The report of a fault, and the end of the task that met it."""
    def do_mem_abort(self, walk: Walk) -> None:
        """Nobody is prepared for a fault of the kernel's in this model: say what it was, and die."""
    def dump_page(self, page: Page, reason: str | None) -> None:
        """Print a page and why."""
    def dump_stack(self) -> None:
        """Where are we? (lib/dump_stack.c)"""
    def entries_of(self, mm: MmStruct, addr: int) -> list[tuple[str, int]]:
        """The entries for an address, from the pgd down to the first that leads no further."""
    def expand(self, zone: Zone, page: Page, low: int, high: int, migratetype: int) -> None:
        """Give back the upper half, then the upper half of what remains, until order `low` is left."""
    def find_buddy_page_pfn(self, buddy_pfn: int, order: int) -> Page | None:
        """The buddy of a block, if it is there and free as a whole."""
    def find_num_contig(self, mm: MmStruct, addr: int, ptep: int) -> tuple[int, int]:
        """How many entries make the run at `ptep`, and what each maps: blocks, if it is the PMD entry of `addr`."""
    def find_suitable_fallback(self, zone: Zone, order: int, migratetype: MigrateType) -> int | None:
        """The first block of an order that is on the lists of another kind."""
    def flush_dcache_page(self, page: Page) -> None:
        """The kernel wrote to the page: it is to be cleaned again before anyone executes it."""
    def folio_nr_pages(self, folio: Page) -> int:
        """How many pages a folio has."""
    def folio_page_idx(self, folio: Page, page: Page) -> int:
        """Which page of the folio this is, if the folio lies in the memmap: their distance, as an `unsigned long`."""
    def folio_test_large(self, folio: Page) -> bool:
        """The folio has more than one page."""
    def format_vm_flags(self, vm_flags: int) -> str:
        """`%pGv`: the names of the flags (`lib/vsprintf.c`)."""
    def free_one_page(self, zone: Zone, page: Page, order: int, migratetype: int) -> None:
        """Put a block back, merged with its buddies (`__free_one_page()`)."""
    def free_page(self, addr: int) -> None:
        """Free the page at a linear-map address."""
    def free_page_is_bad(self, page: Page) -> bool:
        """The check at free time: a page that anyone still uses in any way is bad."""
    def free_page_is_bad_report(self, page: Page) -> None:
        """Report a bad page at free time."""
    def free_pages(self, addr: int, order: int) -> None:
        """Free a block by its address."""
    def free_pages_prepare(self, page: Page, order: int) -> bool:
        """Check every page of the block, the tails first; with a bad one among them none is freed."""
    def free_tail_page_prepare(self, head: Page, page: Page) -> bool:
        """Make a tail a page by itself again; whether it was bad."""
    def free_tail_pages(self, page: Page, order: int, compound: bool) -> int:
        """Check the pages after the first, and take their flags; how many of them are bad."""
    def free_the_page(self, page: Page, order: int) -> None:
        """Free a block whose last reference is gone: of the orders that each CPU has lists for, or larger."""
    def free_unref_page(self, page: Page, order: int) -> None:
        """Free a block that is often wanted again. (The kernel keeps it on a list of this CPU's.)"""
    def free_unref_page_prepare(self, page: Page, order: int) -> bool:
        """Whether `page` may be freed; if so, it notes the kind of list that it belongs on."""
    def get_clear_contig(self, ptep: int, ncontig: int) -> int:
        """Make a run none, and say what its first entry was: young or dirty if any of the run was."""
    def get_pageblock_bitmap(self, page: Page, pfn: int) -> int:
        """The pageblock flags of the section that a frame is in."""
    def get_pageblock_migratetype(self, page: Page) -> int:
        """The same for a page: a macro, which takes `page_to_pfn()` of what it is given."""
    def get_pfnblock_flags_mask(self, page: Page, pfn: int, mask: int) -> int:
        """Flags of the pageblock that frame `pfn` is in; `page` has no part in it (`mm/page_alloc.c`)."""
    def get_pfnblock_migratetype(self, page: Page, pfn: int) -> int:
        """What may be in the pageblock of frame `pfn`."""
    def get_random_vaddr(self) -> int:
        """A random page of user address space."""
    def get_zeroed_page(self, gfp: int = ...) -> int:
        """A page of zeroes, as an address in the linear map; 0 where there is none."""
    def gfp_migratetype(self, gfp: int) -> MigrateType:
        """What kind of page it will be: one that can be moved, one that can be dropped, or neither."""
    def has_transparent_hugepage(self) -> bool:
        """There are transparent huge pages: arm64 needs nothing but the option."""
    def has_transparent_pud_hugepage(self) -> bool:
        """And of PUD size: not on arm64."""
    def huge_pte_clear(self, mm: MmStruct, addr: int, ptep: int, sz: int) -> None:
        """Make the entries of a huge page of `sz` bytes none."""
    def huge_pte_dirty(self, pte: int) -> bool:
        """Written."""
    def huge_pte_mkdirty(self, pte: int) -> int:
        """Dirty."""
    def huge_pte_mkwrite(self, pte: int) -> int:
        """Writable."""
    def huge_pte_modify(self, pte: int, newprot: int) -> int:
        """The same with another protection."""
    def huge_pte_none(self, pte: int) -> bool:
        """Empty."""
    def huge_pte_write(self, pte: int) -> bool:
        """May be written."""
    def huge_pte_wrprotect(self, pte: int) -> int:
        """Not writable."""
    def huge_ptep_get_and_clear(self, mm: MmStruct, addr: int, ptep: int) -> int:
        """Make a huge page's entries none, and say what they were."""
    def huge_ptep_set_access_flags(self, vma: VmAreaStruct, addr: int, ptep: int, pte: int, dirty: int) -> bool:
        """Allow more; what was young or dirty stays so."""
    def huge_ptep_set_wrprotect(self, mm: MmStruct, addr: int, ptep: int) -> None:
        """Take the right to write away, and keep dirty."""
    def hugetlb_basic_tests(self, args: PgtableDebugArgs) -> None:
        """Dirty and writable, made and unmade, of a huge page that was asked for."""
    def init_args(self, args: PgtableDebugArgs) -> int:
        """Build one path through the page table, and get pages for it to map."""
    def init_failed(self, args: PgtableDebugArgs, what: str) -> int:
        """The way out of `init_args()` without memory."""
    def init_fixed_pfns(self, args: PgtableDebugArgs) -> None:
        """Find frames aligned to a PUD, or else to a PMD, or else take the kernel's own."""
    def is_check_pages_enabled(self) -> bool:
        """CONFIG_DEBUG_VM checks pages; so does page poisoning, like any option that is there to find bugs."""
    def is_hwpoison_entry(self, entry: int) -> bool:
        """A page whose memory failed; with CONFIG_MEMORY_FAILURE."""
    def is_migrate_cma_folio(self, folio: Page, pfn: int) -> bool:
        """The same, where the pfn is known better than from the address of a copy."""
    def is_migrate_cma_page(self, page: Page) -> bool:
        """The pageblock of a page is kept for the contiguous memory allocator."""
    def is_migration_entry(self, entry: int) -> bool:
        """A page under migration."""
    def is_migration_entry_dirty(self, entry: int) -> bool:
        """Whether it was; without room for it, no."""
    def is_migration_entry_young(self, entry: int) -> bool:
        """Whether it was; without room for it, no."""
    def is_pfn_swap_entry(self, entry: int) -> bool:
        """The entry is about a frame: it is under migration, or poisoned."""
    def is_pmd_migration_entry(self, pmd: int) -> bool:
        """A huge page under migration."""
    def is_readable_exclusive_migration_entry(self, entry: int) -> bool:
        """Read-only, and this process's alone."""
    def is_readable_migration_entry(self, entry: int) -> bool:
        """Read-only, and it may be shared."""
    def is_swap_pmd(self, pmd: int) -> bool:
        """Neither none nor present (linux/huge_mm.h); no without transparent huge pages."""
    def is_swap_pte(self, pte: int) -> bool:
        """Neither none nor present."""
    def is_writable_migration_entry(self, entry: int) -> bool:
        """Writable."""
    def kernel_poison_pages(self, page: Page, n: int) -> None:
        """Fill `n` pages that have just been freed."""
    def kmem_cache_free(self, cache: KmemCache, obj: int) -> None:
        """Give an object back; a slab with no object in use goes back to the page allocator."""
    def kmem_cache_zalloc(self, cache: KmemCache) -> int:
        """An object of zeroes, as an address in the linear map; 0 where there is none."""
    def load(self, va: int, size: int) -> int:
        """Load up to eight bytes, little-endian, from any address."""
    def make_hwpoison_entry(self, pfn: int) -> int:
        """The page of that frame is lost."""
    def make_migration_entry_dirty(self, entry: int) -> int:
        """Dirty before it was moved."""
    def make_migration_entry_young(self, entry: int) -> int:
        """Accessed before it was moved."""
    def make_readable_exclusive_migration_entry(self, offset: int) -> int:
        """The page was read-only and this process's alone."""
    def make_readable_migration_entry(self, offset: int) -> int:
        """The page was read-only."""
    def make_writable_migration_entry(self, offset: int) -> int:
        """The page was writable."""
    def mem_abort_decode(self, esr: ESR_EL1, fault: Fault) -> None:
        """Print what ESR_EL1 tells, field by field."""
    def memblock_free_all(self) -> None:
        """Set up every `struct page`, and give all RAM that is not reserved to the buddy allocator."""
    def memcpy(self, to: int, start: int, size: int) -> None:
        """Copy words."""
    def migration_entry_supports_ad(self) -> bool:
        """The offset has room above the frame for accessed and dirty."""
    def mk_huge_pte(self, page: Page, prot: int) -> int:
        """An entry for a huge page, which `arch_make_huge_pte()` is still to make huge."""
    def mk_pmd(self, page: Page, prot: int) -> int:
        """An entry for `page` and those after it."""
    def mk_pmd_sect_prot(self, prot: int) -> int:
        """A page's protection as a block's."""
    def mk_pte(self, page: Page, prot: int) -> int:
        """An entry that maps `page`."""
    def mk_pud_sect_prot(self, prot: int) -> int:
        """A page's protection as a block's."""
    def mm_alloc(self) -> MmStruct | None:
        """A new, empty address space."""
    def mm_dec_nr_pmds(self, mm: MmStruct) -> None:
        """Take a PMD table off the account."""
    def mm_dec_nr_ptes(self, mm: MmStruct) -> None:
        """Take a PTE table off the account."""
    def mm_dec_nr_puds(self, mm: MmStruct) -> None:
        """Take a PUD table off the account."""
    def mm_inc_nr_pmds(self, mm: MmStruct) -> None:
        """Account a PMD table."""
    def mm_inc_nr_ptes(self, mm: MmStruct) -> None:
        """Account a PTE table."""
    def mm_inc_nr_puds(self, mm: MmStruct) -> None:
        """Account a PUD table, if there are such tables."""
    def mm_p4d_folded(self, mm: MmStruct) -> bool:
        """The P4D is folded, either way."""
    def mm_pgtables_bytes(self, mm: MmStruct) -> int:
        """How many bytes the page tables take, by the account; pgd and P4D tables are not in it."""
    def mm_pmd_folded(self, mm: MmStruct) -> bool:
        """The PMD is folded: only ever at compile time."""
    def mm_pud_folded(self, mm: MmStruct) -> bool:
        """The PUD is folded, either way."""
    def mmput(self, mm: MmStruct) -> None:
        """Drop a user; the last one takes the address space along."""
    def move_freepages_block(self, zone: Zone, page: Page, migratetype: MigrateType) -> int:
        """Move all free blocks of a pageblock to the lists of a kind; how many pages they are."""
    def node_zonelist(self, gfp: int) -> tuple[Zone, ...]:
        """The zones to look in: the highest that will do comes first, for the lower ones have other users."""
    def nr_free_pages(self) -> int:
        """How many pages are free, in all zones."""
    def num_contig_ptes(self, size: int) -> tuple[int, int]:
        """How many entries a huge page of `size` takes, and what each of them maps."""
    def p4d_alloc(self, mm: MmStruct, pgdp: int, addr: int) -> int:
        """The P4D entry for `addr`, with its table allocated if need be; 0 without memory."""
    def p4d_alloc_one(self, mm: MmStruct, addr: int) -> int:
        """A P4D table."""
    def p4d_bad(self, p4d: int) -> bool:
        """Not an entry that names a table."""
    def p4d_basic_tests(self, args: PgtableDebugArgs) -> None:
        """An entry is itself."""
    def p4d_clear(self, p4dp: int) -> None:
        """Make an entry none."""
    def p4d_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Whatever a P4D entry holds, cleared it is none."""
    def p4d_free(self, mm: MmStruct, p4dp: int) -> None:
        """Free a P4D table, if there are such tables."""
    def p4d_index(self, addr: int) -> int:
        """Index of `addr` in a P4D table."""
    def p4d_leaf(self, p4d: int) -> bool:
        """The entry maps a block: never at this level, though LPA2 has 512 GiB blocks."""
    def p4d_none(self, p4d: int) -> bool:
        """The PUD table is absent."""
    def p4d_offset(self, pgdp: int, addr: int) -> int:
        """The P4D entry for `addr`, in the table that `*pgdp` names, or in the pgd's own page where the P4D is folded."""
    def p4d_offset_lockless(self, pgdp: int, pgd: int, addr: int) -> int:
        """The P4D entry for `addr`, where `pgd` was read at `pgdp`."""
    def p4d_populate(self, mm: MmStruct, p4dp: int, pudp: int) -> None:
        """Point a P4D entry to a PUD table."""
    def p4d_populate_tests(self, args: PgtableDebugArgs) -> None:
        """A P4D entry that names a PUD table is not bad."""
    def p4d_present(self, p4d: int) -> bool:
        """The PUD table is there."""
    def p4d_same(self, a: int, b: int) -> bool:
        """Two entries are one."""
    def p4d_to_folded_pud(self, p4dp: int, addr: int) -> int:
        """With the PUD folded at run time the pgd page *is* the PUD table: back to its start, and index anew."""
    def p4dp_get(self, p4dp: int) -> int:
        """The entry."""
    def page_address(self, page: Page) -> int:
        """The linear-map address of a frame."""
    def page_and_folio_on_stack(self) -> tuple[Page, Page]:
        """The local variables `struct page precise` and `struct folio folio` of `__dump_page()`."""
    def page_at(self, address: int) -> Page:
        """`(struct page *)address`: any 64 bytes read as a `struct page`."""
    def page_bad_reason(self, page: Page, flags: int) -> str:
        """What is wrong with a page, in the kernel's words; of several faults the last one is named."""
    def page_expected_state(self, page: Page, check_flags: int) -> bool:
        """No mapping, no reference, no flag in the way; and `_mapcount` at -1, which a page type would disturb."""
    def page_folio(self, page: Page) -> Page:
        """The folio that a page belongs to: the page itself, or what `compound_head` names where bit 0 of it is set."""
    def page_mapcount(self, page: Page) -> int:
        """How often the page is mapped: `_mapcount` counts from -1."""
    def page_of(self, address: int) -> Page:
        """A `struct page *` followed."""
    def page_poisoning_enabled(self) -> bool:
        """Free pages are poisoned."""
    def page_to_pfn(self, page: Page) -> int:
        """The frame of a `struct page`: its distance from `vmemmap` in units of its size, whether it lies there or not."""
    def page_zone(self, page: Page) -> Zone:
        """The zone of a page, by the number in the upper bits of its flags."""
    def pageblock_order(self) -> int:
        """A huge page of the PMD's size, or the largest block of the allocator where that is smaller."""
    def pagetable_alloc(self, gfp: int) -> Page | None:
        """A page for a table."""
    def pagetable_free(self, ptdesc: Page) -> None:
        """Free a table's page. The destructor comes first."""
    def pagetable_pmd_ctor(self, ptdesc: Page) -> None:
        """Account a PMD table, and give it a lock."""
    def pagetable_pmd_dtor(self, ptdesc: Page) -> None:
        """Undo `pagetable_pmd_ctor()`."""
    def pagetable_pte_ctor(self, ptdesc: Page) -> None:
        """Account a PTE table, and give it a lock."""
    def pagetable_pte_dtor(self, ptdesc: Page) -> None:
        """Undo `pagetable_pte_ctor()`."""
    def pagetable_pud_ctor(self, ptdesc: Page) -> None:
        """Account a PUD table: new in v6.7 (55d2a0bd5ead), and what arm64's `pud_free()` was not told of."""
    def pagetable_pud_dtor(self, ptdesc: Page) -> None:
        """Undo `pagetable_pud_ctor()`."""
    def paging_init(self) -> None:
        """Make swapper_pg_dir and reserved_pg_dir, and map what the kernel's pointers lead to."""
    def panic(self, message: str) -> NoReturn:
        """Stop the machine (kernel/panic.c)."""
    def pfn_pmd(self, pfn: int, prot: int) -> int:
        """An entry for frame `pfn` and those after it; a block once it is `pmd_mkhuge()`."""
    def pfn_pte(self, pfn: int, prot: int) -> int:
        """An entry that maps frame `pfn` with protection `prot`."""
    def pfn_pud(self, pfn: int, prot: int) -> int:
        """An entry for frame `pfn` and those after it."""
    def pfn_to_bitidx(self, page: Page, pfn: int) -> int:
        """Where in that bitmap the flags of the frame's pageblock begin."""
    def pfn_to_page(self, pfn: int) -> Page:
        """The `struct page` of a frame: slot `pfn` of what begins at `vmemmap`; RAM has a memmap there."""
    def pfn_to_section_nr(self, pfn: int) -> int:
        """The section of a frame."""
    def pfn_valid(self, pfn: int) -> bool:
        """RAM has this frame."""
    def pgattr_change_is_safe(self, old: int, new: int) -> bool:
        """A live entry may get other permissions and software bits; for anything else it must be made invalid first."""
    def pgd_alloc(self, mm: MmStruct) -> int:
        """A pgd: a page, or a smaller object from its own cache."""
    def pgd_bad(self, pgd: int) -> bool:
        """Not an entry that names a table."""
    def pgd_basic_tests(self, args: PgtableDebugArgs) -> None:
        """An entry is itself."""
    def pgd_clear(self, pgdp: int) -> None:
        """Make an entry none."""
    def pgd_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Whatever a pgd entry holds, cleared it is none."""
    def pgd_devmap(self, pgd: int) -> bool:
        """Never."""
    def pgd_free(self, mm: MmStruct, pgdp: int) -> None:
        """Free a pgd."""
    def pgd_index(self, addr: int) -> int:
        """Index of `addr` in the pgd. On fewer bits than configured it still counts as if there were all."""
    def pgd_leaf(self, pgd: int) -> bool:
        """The entry maps a block: never at this level."""
    def pgd_none(self, pgd: int) -> bool:
        """The P4D table is absent."""
    def pgd_offset(self, mm: MmStruct, addr: int) -> int:
        """The pgd entry for `addr`."""
    def pgd_populate(self, mm: MmStruct, pgdp: int, p4dp: int) -> None:
        """Point a pgd entry to a P4D table."""
    def pgd_populate_tests(self, args: PgtableDebugArgs) -> None:
        """A pgd entry that names a P4D table is not bad."""
    def pgd_present(self, pgd: int) -> bool:
        """The P4D table is there."""
    def pgd_same(self, a: int, b: int) -> bool:
        """Two entries are one."""
    def pgd_to_folded_p4d(self, pgdp: int, addr: int) -> int:
        """With the P4D folded at run time the pgd page *is* the P4D table: back to its start, and index anew."""
    def pgdir_is_page_size(self) -> bool:
        """The pgd takes a page: because it has that many entries, or because a folded level below uses the whole page."""
    def pgdp_get(self, pgdp: int) -> int:
        """The entry."""
    def pgprot_device(self, prot: int) -> int:
        """Device-nGnRE."""
    def pgprot_noncached(self, prot: int) -> int:
        """Device-nGnRnE."""
    def pgprot_nx(self, prot: int) -> int:
        """Not to be executed by the kernel."""
    def pgprot_tagged(self, prot: int) -> int:
        """Normal Tagged."""
    def pgprot_writecombine(self, prot: int) -> int:
        """Normal Non-cacheable."""
    def pgtable_gfp(self, mm: MmStruct) -> int:
        """How to ask for a page of zeroes: tables of a process are charged to it."""
    def pgtable_l4_enabled(self) -> bool:
        """The PUD is a level of its own: with four levels and LPA2 configured, only if the CPU has 52-bit addresses."""
    def pgtable_l5_enabled(self) -> bool:
        """The P4D is a level of its own."""
    def pgtable_trans_huge_deposit(self, mm: MmStruct, pmdp: int, pgtable: Page) -> None:
        """Put a PTE table by for the huge page at `pmdp`."""
    def pgtable_trans_huge_withdraw(self, mm: MmStruct, pmdp: int) -> Page:
        """Take back the PTE table that was put by last; those before it follow, the oldest first."""
    def phys_to_entry(self, phys: int) -> int:
        """`__phys_to_pte_val()` and its kin: an address as a descriptor packs it."""
    def phys_to_page(self, pa: int) -> Page:
        """The `struct page` of the frame at `pa`."""
    def pmd_access_permitted(self, pmd: int, write: bool) -> bool:
        """User space may access it so."""
    def pmd_advanced_tests(self, args: PgtableDebugArgs) -> None:
        """A huge page in a table, as `pte_advanced_tests()`; the PTE table is put by meanwhile."""
    def pmd_alloc(self, mm: MmStruct, pudp: int, addr: int) -> int:
        """The PMD entry for `addr`, with its table allocated if need be; 0 without memory."""
    def pmd_alloc_one(self, mm: MmStruct, addr: int) -> int:
        """A PMD table, through its constructor."""
    def pmd_bad(self, pmd: int) -> bool:
        """Not an entry that names a table."""
    def pmd_basic_tests(self, args: PgtableDebugArgs, idx: int) -> None:
        """The same of a huge page; and it is no table."""
    def pmd_clear(self, pmdp: int) -> None:
        """Make an entry none."""
    def pmd_clear_bad(self, pmdp: int) -> None:
        """Say that an entry is neither a table nor anything else, and forget it."""
    def pmd_clear_huge(self, pmdp: int) -> bool:
        """Unmap a block; no if there is none."""
    def pmd_clear_soft_dirty(self, pmd: int) -> int:
        """As it is."""
    def pmd_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Whatever a PMD entry holds, cleared it is none."""
    def pmd_cont(self, pmd: int) -> bool:
        """One of a contiguous run of blocks."""
    def pmd_cont_addr_end(self, addr: int, end: int) -> int:
        """Where the contiguous run that holds `addr` ends, or `end` where that comes first."""
    def pmd_devmap(self, pmd: int) -> bool:
        """A device's memory."""
    def pmd_devmap_tests(self, args: PgtableDebugArgs) -> None:
        """So is a huge page of it."""
    def pmd_dirty(self, pmd: int) -> bool:
        """Written, by software's account or by hardware's."""
    def pmd_free(self, mm: MmStruct, pmdp: int) -> None:
        """Free a PMD table, through its destructor."""
    def pmd_huge_pte(self, mm: MmStruct, pmdp: int) -> int:
        """The `struct page *` of the table put by last, in the PMD table's own `struct page`; with two levels in the mm."""
    def pmd_huge_tests(self, args: PgtableDebugArgs) -> None:
        """A block of the kernel's own can be mapped and unmapped; not with CONFIG_PTDUMP_DEBUGFS, for fear of a reader."""
    def pmd_index(self, addr: int) -> int:
        """Index of `addr` in a PMD table."""
    def pmd_install(self, mm: MmStruct, pmdp: int, pte_page: Page) -> bool:
        """Put a PTE table in its place, unless another has been quicker; whether it is there."""
    def pmd_leaf(self, pmd: int) -> bool:
        """The entry maps a block, if only for software; in v6.9 still only what `pmd_sect()` says."""
    def pmd_leaf_size(self, pmd: int) -> int:
        """How much the TLB may hold in one entry."""
    def pmd_leaf_tests(self, args: PgtableDebugArgs) -> None:
        """A huge page is a leaf."""
    def pmd_lock(self, mm: MmStruct, pmdp: int) -> Lock:
        """Take it."""
    def pmd_lockptr(self, mm: MmStruct, pmdp: int) -> Lock:
        """The lock of the PMD table that an entry is in."""
    def pmd_mkclean(self, pmd: int) -> int:
        """Not dirty."""
    def pmd_mkcont(self, pmd: int) -> int:
        """One of a contiguous run of blocks."""
    def pmd_mkdevmap(self, pmd: int) -> int:
        """A device's memory; not marked special as a PTE is."""
    def pmd_mkdirty(self, pmd: int) -> int:
        """Dirty."""
    def pmd_mkhuge(self, pmd: int) -> int:
        """A block: bit 1 clear."""
    def pmd_mkinvalid(self, pmd: int) -> int:
        """Invalid to hardware, and still present: while a huge page is split."""
    def pmd_mkold(self, pmd: int) -> int:
        """Not accessed."""
    def pmd_mksoft_dirty(self, pmd: int) -> int:
        """As it is."""
    def pmd_mkwrite(self, pmd: int, vma: VmAreaStruct | None) -> int:
        """Writable; `vma` as for `pte_mkwrite()`."""
    def pmd_mkwrite_novma(self, pmd: int) -> int:
        """Writable."""
    def pmd_mkyoung(self, pmd: int) -> int:
        """Accessed."""
    def pmd_modify(self, pmd: int, newprot: int) -> int:
        """The same with another protection: accessed and dirty stay, and a block stays a block."""
    def pmd_none(self, pmd: int) -> bool:
        """The PTE table is absent."""
    def pmd_offset(self, pudp: int, addr: int) -> int:
        """The PMD entry for `addr`."""
    def pmd_offset_lockless(self, pudp: int, pud: int, addr: int) -> int:
        """The PMD entry for `addr`, where `pud` was read at `pudp`."""
    def pmd_page(self, pmd: int) -> Page:
        """The `struct page` that an entry leads to: of a block, or of a table."""
    def pmd_pfn(self, pmd: int) -> int:
        """The first frame of the block."""
    def pmd_pgprot(self, pmd: int) -> int:
        """All of an entry but the frame."""
    def pmd_pgtable(self, pmd: int) -> Page:
        """The PTE table that an entry names, as its page."""
    def pmd_populate(self, mm: MmStruct, pmdp: int, pte_page: Page) -> None:
        """Point a PMD entry to a PTE table."""
    def pmd_populate_tests(self, args: PgtableDebugArgs) -> None:
        """A PMD entry that names a PTE table is not bad."""
    def pmd_present(self, pmd: int) -> bool:
        """The entry maps or names something, for hardware or for software alone."""
    def pmd_protnone(self, pmd: int) -> bool:
        """PROT_NONE; always no without NUMA balancing."""
    def pmd_protnone_tests(self, args: PgtableDebugArgs) -> None:
        """So is a huge page's."""
    def pmd_pte(self, pmd: int) -> int:
        """A PMD entry read as a PTE."""
    def pmd_ptlock_free(self, ptdesc: Page) -> None:
        """Nor any more."""
    def pmd_ptlock_init(self, ptdesc: Page) -> None:
        """No PTE table is put by yet for a huge page."""
    def pmd_same(self, a: int, b: int) -> bool:
        """Two entries are one."""
    def pmd_sect(self, pmd: int) -> bool:
        """The entry maps a block, and hardware may use it."""
    def pmd_set_huge(self, pmdp: int, phys: int, prot: int) -> bool:
        """Map a block, unless what is mapped there cannot be changed into it in place."""
    def pmd_soft_dirty(self, pmd: int) -> bool:
        """Never: arm64 has no bit for it."""
    def pmd_soft_dirty_tests(self, args: PgtableDebugArgs) -> None:
        """The same of a huge page."""
    def pmd_swap_soft_dirty_tests(self, args: PgtableDebugArgs) -> None:
        """The same of a huge page's migration entry."""
    def pmd_swap_tests(self, args: PgtableDebugArgs) -> None:
        """So is a huge page's."""
    def pmd_swp_clear_soft_dirty(self, pmd: int) -> int:
        """As it is."""
    def pmd_swp_mksoft_dirty(self, pmd: int) -> int:
        """As it is."""
    def pmd_swp_soft_dirty(self, pmd: int) -> bool:
        """Never."""
    def pmd_table(self, pmd: int) -> bool:
        """The entry names a table."""
    def pmd_thp_tests(self, args: PgtableDebugArgs) -> None:
        """A huge page that was made invalid is huge, present and a leaf still: so it can be split without a gap."""
    def pmd_to_swp_entry(self, pmd: int) -> int:
        """And back."""
    def pmd_trans_huge(self, pmd: int) -> bool:
        """A transparent huge page: a block, valid or made invalid. Never without CONFIG_TRANSPARENT_HUGEPAGE."""
    def pmd_user(self, pmd: int) -> bool:
        """EL0 may read it."""
    def pmd_user_exec(self, pmd: int) -> bool:
        """EL0 may execute it."""
    def pmd_valid(self, pmd: int) -> bool:
        """Hardware may use the entry."""
    def pmd_write(self, pmd: int) -> bool:
        """May be written."""
    def pmd_wrprotect(self, pmd: int) -> int:
        """Not writable, and as dirty as before."""
    def pmd_young(self, pmd: int) -> bool:
        """Accessed."""
    def pmdp_establish(self, vma: VmAreaStruct | None, addr: int, pmdp: int, pmd: int) -> int:
        """Put another entry in the place of one, and say what that was."""
    def pmdp_get(self, pmdp: int) -> int:
        """The entry."""
    def pmdp_huge_get_and_clear(self, mm: MmStruct, addr: int, pmdp: int) -> int:
        """Make an entry none, and say what it was."""
    def pmdp_huge_get_and_clear_full(self, vma: VmAreaStruct, addr: int, pmdp: int, full: int) -> int:
        """The same; `full` says that the whole address space goes."""
    def pmdp_invalidate(self, vma: VmAreaStruct | None, addr: int, pmdp: int) -> int:
        """Make a huge page's entry invalid to hardware, and say what it was (`mm/pgtable-generic.c`)."""
    def pmdp_set_access_flags(self, vma: VmAreaStruct | None, addr: int, pmdp: int, entry: int, dirty: int) -> bool:
        """Allow more."""
    def pmdp_set_wrprotect(self, mm: MmStruct, addr: int, pmdp: int) -> None:
        """Take the right to write away."""
    def pmdp_test_and_clear_young(self, vma: VmAreaStruct | None, addr: int, pmdp: int) -> bool:
        """Make an entry old, and say whether it was young."""
    def prep_compound_page(self, page: Page, order: int) -> None:
        """Make a block of more than one page a compound page."""
    def prep_new_page(self, page: Page, order: int, gfp: int) -> None:
        """Make a block ready for its user."""
    def print_flags(self, folio: Page, cma: bool) -> None:
        """Print the flags of a folio and its type."""
    def print_header(self) -> None:
        """The lines that every report begins its trace with."""
    def print_raw(self, page: Page) -> None:
        """Print the words of a page."""
    def print_tainted(self) -> str:
        """A letter for each reason why this kernel's word counts for less, in a column of its own (kernel/panic.c)."""
    def printk(self, message: str) -> None:
        """Print a line to the log."""
    def pte_access_permitted(self, pte: int, write: bool) -> bool:
        """User space may access it so: a valid user entry, not an execute-only one, and writable if need be."""
    def pte_advance_pfn(self, pte: int, nr: int) -> int:
        """The same for the frame `nr` further on."""
    def pte_advanced_tests(self, args: PgtableDebugArgs) -> None:
        """An entry in a table: write taken away, write and dirty given, young taken away, and cleared each time."""
    def pte_alloc(self, mm: MmStruct, pmdp: int) -> int:
        """Allocate a PTE table under `*pmdp` if need be; nonzero without memory."""
    def pte_alloc_one(self, mm: MmStruct) -> Page | None:
        """A PTE table, through its constructor, as its page."""
    def pte_basic_tests(self, args: PgtableDebugArgs, idx: int) -> None:
        """Young, dirty and writable, made and unmade, whatever the protection was; taking away write keeps dirty."""
    def pte_clear(self, mm: MmStruct, addr: int, ptep: int) -> None:
        """Make an entry none."""
    def pte_clear_soft_dirty(self, pte: int) -> int:
        """As it is."""
    def pte_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Whatever an entry holds, cleared it is none."""
    def pte_cont(self, pte: int) -> bool:
        """One of a contiguous run that the TLB may hold as one."""
    def pte_cont_addr_end(self, addr: int, end: int) -> int:
        """Where the run that holds `addr` ends, or `end` where that comes first."""
    def pte_devmap(self, pte: int) -> bool:
        """The frame is a device's memory."""
    def pte_devmap_tests(self, args: PgtableDebugArgs) -> None:
        """A device's memory, once made so."""
    def pte_dirty(self, pte: int) -> bool:
        """The page was written, by either's account."""
    def pte_free(self, mm: MmStruct, pte_page: Page) -> None:
        """Free a PTE table, through its destructor."""
    def pte_hw_dirty(self, pte: int) -> bool:
        """Dirty by what hardware may have done: writable, and read-only no longer."""
    def pte_index(self, addr: int) -> int:
        """Index of `addr` in a PTE table."""
    def pte_leaf_size(self, pte: int) -> int:
        """How much the TLB may hold in one entry."""
    def pte_lockptr(self, mm: MmStruct, pmd: int) -> Lock:
        """The lock of the PTE table that a PMD entry names."""
    def pte_mkclean(self, pte: int) -> int:
        """Not dirty by either's account."""
    def pte_mkcont(self, pte: int) -> int:
        """One of a contiguous run of pages: a page even if it was a block."""
    def pte_mkdevmap(self, pte: int) -> int:
        """A device's memory, which is special too."""
    def pte_mkdirty(self, pte: int) -> int:
        """Dirty; by hardware's account too where it is writable."""
    def pte_mkhuge(self, pte: int) -> int:
        """A block: bit 1 clear."""
    def pte_mkinvalid(self, pte: int) -> int:
        """Invalid to hardware, and still present."""
    def pte_mknoncont(self, pte: int) -> int:
        """By itself."""
    def pte_mkold(self, pte: int) -> int:
        """Not accessed: the next access sets the flag, or faults where hardware does not."""
    def pte_mkpresent(self, pte: int) -> int:
        """Valid."""
    def pte_mksoft_dirty(self, pte: int) -> int:
        """As it is."""
    def pte_mkspecial(self, pte: int) -> int:
        """A frame without a `struct page` to count with."""
    def pte_mkwrite(self, pte: int, vma: VmAreaStruct | None) -> int:
        """Writable; `vma` is for architectures with shadow stacks, which may be written and are not."""
    def pte_mkwrite_novma(self, pte: int) -> int:
        """Writable; and at once if it is known to be dirty, so that no fault need say so."""
    def pte_mkyoung(self, pte: int) -> int:
        """Accessed."""
    def pte_modify(self, pte: int, newprot: int) -> int:
        """The same page with another protection: accessed and dirty stay, as do the frame and software's bits."""
    def pte_none(self, pte: int) -> bool:
        """The entry is empty."""
    def pte_offset_kernel(self, pmdp: int, addr: int) -> int:
        """The PTE for `addr`."""
    def pte_offset_map_lock(self, mm: MmStruct, pmdp: int, addr: int) -> tuple[int, Lock | None]:
        """The PTE for `addr` with its table locked, and the lock; 0 and None where no table is there (any more)."""
    def pte_page(self, pte: int) -> Page:
        """The `struct page` of that frame."""
    def pte_pfn(self, pte: int) -> int:
        """The frame that an entry maps."""
    def pte_pgprot(self, pte: int) -> int:
        """All of an entry but the frame."""
    def pte_pmd(self, pte: int) -> int:
        """And back."""
    def pte_present(self, pte: int) -> bool:
        """The entry maps a page, for hardware or for software alone."""
    def pte_present_invalid(self, pte: int) -> bool:
        """Software reads the entry as if it were valid; an access faults."""
    def pte_protnone(self, pte: int) -> bool:
        """PROT_NONE: present, invalid, and neither user's nor executable, which no huge page being split is."""
    def pte_protnone_tests(self, args: PgtableDebugArgs) -> None:
        """PROT_NONE is told from the rest, and present."""
    def pte_pud(self, pte: int) -> int:
        """And back."""
    def pte_rdonly(self, pte: int) -> bool:
        """A store faults now, unless hardware manages the dirty state."""
    def pte_same(self, a: int, b: int) -> bool:
        """Two entries are one."""
    def pte_soft_dirty(self, pte: int) -> bool:
        """Never: arm64 has no bit for it."""
    def pte_soft_dirty_tests(self, args: PgtableDebugArgs) -> None:
        """Soft-dirty, made and unmade: with CONFIG_MEM_SOFT_DIRTY, which arm64 has not."""
    def pte_special(self, pte: int) -> bool:
        """The frame has no `struct page` for mm to count references with."""
    def pte_special_tests(self, args: PgtableDebugArgs) -> None:
        """Special, once made so."""
    def pte_sw_dirty(self, pte: int) -> bool:
        """Dirty by software's own note."""
    def pte_swap_exclusive_tests(self, args: PgtableDebugArgs) -> None:
        """The exclusive mark comes and goes without touching the entry, even one that uses every bit it has."""
    def pte_swap_soft_dirty_tests(self, args: PgtableDebugArgs) -> None:
        """The same of a swap entry."""
    def pte_swap_tests(self, args: PgtableDebugArgs) -> None:
        """A word is the same word after a turn as a swap entry."""
    def pte_swp_clear_exclusive(self, pte: int) -> int:
        """It may be shared."""
    def pte_swp_clear_flags(self, pte: int) -> int:
        """The swap entry alone."""
    def pte_swp_clear_soft_dirty(self, pte: int) -> int:
        """As it is."""
    def pte_swp_exclusive(self, pte: int) -> bool:
        """Whether it is."""
    def pte_swp_mkexclusive(self, pte: int) -> int:
        """The anonymous page is this process's alone."""
    def pte_swp_mksoft_dirty(self, pte: int) -> int:
        """As it is."""
    def pte_swp_soft_dirty(self, pte: int) -> bool:
        """Never: arm64 has no bit for it."""
    def pte_tagged(self, pte: int) -> bool:
        """The memory type is Normal Tagged."""
    def pte_to_swp_entry(self, pte: int) -> int:
        """And back, without the flags."""
    def pte_unmap_unlock(self, ptep: int, lock: Lock) -> None:
        """Done with it."""
    def pte_user(self, pte: int) -> bool:
        """EL0 may read it; execute-only pages it may not."""
    def pte_user_exec(self, pte: int) -> bool:
        """EL0 may execute it."""
    def pte_valid(self, pte: int) -> bool:
        """Hardware may use the entry."""
    def pte_valid_cont(self, pte: int) -> bool:
        """Valid, and one of a contiguous run."""
    def pte_valid_not_user(self, pte: int) -> bool:
        """A valid entry of the kernel's: all of them have PTE_UXN."""
    def pte_write(self, pte: int) -> bool:
        """The page may be written, at once or after a fault that makes it dirty."""
    def pte_wrprotect(self, pte: int) -> int:
        """Not writable. What only hardware knew of its being dirty, software notes first."""
    def pte_young(self, pte: int) -> bool:
        """The page was accessed."""
    def ptep_clear(self, mm: MmStruct, addr: int, ptep: int) -> None:
        """Make an entry none, whatever it was."""
    def ptep_get(self, ptep: int) -> int:
        """The entry; of a contiguous run it is young or dirty if any of the run is, for hardware may mark any."""
    def ptep_get_and_clear(self, mm: MmStruct, addr: int, ptep: int) -> int:
        """Make an entry none, and say what it was."""
    def ptep_get_and_clear_full(self, mm: MmStruct, addr: int, ptep: int, full: int) -> int:
        """The same; `full` says that the whole address space goes."""
    def ptep_get_lockless(self, ptep: int) -> int:
        """The same without the lock: nobody interferes here."""
    def ptep_set_access_flags(self, vma: VmAreaStruct | None, addr: int, ptep: int, entry: int, dirty: int) -> bool:
        """Allow more: of `entry` only accessed, dirty and writable count, and none of them is taken away."""
    def ptep_set_wrprotect(self, mm: MmStruct, addr: int, ptep: int) -> None:
        """Take the right to write away, and keep what hardware knew of dirty."""
    def ptep_test_and_clear_young(self, vma: VmAreaStruct | None, addr: int, ptep: int) -> bool:
        """Make an entry old, and say whether it was young."""
    def ptlock_init(self, ptdesc: Page) -> None:
        """A new table's lock, which nobody holds."""
    def pud_access_permitted(self, pud: int, write: bool) -> bool:
        """User space may access it so."""
    def pud_advanced_tests(self, args: PgtableDebugArgs) -> None:
        """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""
    def pud_alloc(self, mm: MmStruct, p4dp: int, addr: int) -> int:
        """The PUD entry for `addr`, with its table allocated if need be; 0 without memory."""
    def pud_alloc_one(self, mm: MmStruct, addr: int) -> int:
        """A PUD table, through its constructor."""
    def pud_bad(self, pud: int) -> bool:
        """Not an entry that names a table."""
    def pud_basic_tests(self, args: PgtableDebugArgs, idx: int) -> None:
        """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""
    def pud_clear(self, pudp: int) -> None:
        """Make an entry none."""
    def pud_clear_huge(self, pudp: int) -> bool:
        """Unmap a block; no if there is none."""
    def pud_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Whatever a PUD entry holds, cleared it is none."""
    def pud_devmap(self, pud: int) -> bool:
        """Never."""
    def pud_devmap_tests(self, args: PgtableDebugArgs) -> None:
        """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""
    def pud_free(self, mm: MmStruct, pud: int) -> None:
        """Free a PUD table, as an architecture does that folds no PUD at run time."""
    def pud_huge_tests(self, args: PgtableDebugArgs) -> None:
        """A block of the kernel's own can be mapped and unmapped: with 4K pages, and RAM enough for an aligned one."""
    def pud_index(self, addr: int) -> int:
        """Index of `addr` in a PUD table."""
    def pud_leaf(self, pud: int) -> bool:
        """Never: a block here is the PMD's."""
    def pud_leaf_tests(self, args: PgtableDebugArgs) -> None:
        """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""
    def pud_lock(self, mm: MmStruct, pudp: int) -> Lock:
        """Take the lock for a PUD entry: PUD tables have none of their own."""
    def pud_mkhuge(self, pud: int) -> int:
        """A block: bit 1 clear."""
    def pud_mkyoung(self, pud: int) -> int:
        """Accessed."""
    def pud_none(self, pud: int) -> bool:
        """The PMD table is absent."""
    def pud_offset(self, p4dp: int, addr: int) -> int:
        """The PUD entry for `addr`, in the table that `*p4dp` names, or in the pgd's own page where the PUD is folded."""
    def pud_offset_lockless(self, p4dp: int, p4d: int, addr: int) -> int:
        """The PUD entry for `addr`, where `p4d` was read at `p4dp`."""
    def pud_pfn(self, pud: int) -> int:
        """The first frame of the block."""
    def pud_pgprot(self, pud: int) -> int:
        """All of an entry but the frame."""
    def pud_populate(self, mm: MmStruct, pudp: int, pmdp: int) -> None:
        """Point a PUD entry to a PMD table."""
    def pud_populate_tests(self, args: PgtableDebugArgs) -> None:
        """A PUD entry that names a PMD table is not bad."""
    def pud_present(self, pud: int) -> bool:
        """The entry is valid, or kept by software."""
    def pud_pte(self, pud: int) -> int:
        """A PUD entry read as a PTE."""
    def pud_same(self, a: int, b: int) -> bool:
        """Two entries are one."""
    def pud_sect(self, pud: int) -> bool:
        """The entry maps a block; never with 64K pages or two levels."""
    def pud_sect_supported(self) -> bool:
        """Blocks at level 1 that Linux uses: with 4K pages alone."""
    def pud_set_huge(self, pudp: int, phys: int, prot: int) -> bool:
        """Map a block, unless what is mapped there cannot be changed into it in place."""
    def pud_table(self, pud: int) -> bool:
        """The entry names a table; with 64K pages or two levels it can name nothing else."""
    def pud_thp_tests(self, args: PgtableDebugArgs) -> None:
        """Empty without CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD."""
    def pud_trans_huge(self, pud: int) -> bool:
        """Never: arm64 has no transparent huge pages of this size."""
    def pud_user(self, pud: int) -> bool:
        """Never."""
    def pud_user_exec(self, pud: int) -> bool:
        """Never."""
    def pud_valid(self, pud: int) -> bool:
        """Never: hardware's entry is the PMD's."""
    def pud_write(self, pud: int) -> bool:
        """May be written."""
    def pud_young(self, pud: int) -> bool:
        """Accessed."""
    def pudp_get(self, pudp: int) -> int:
        """The entry."""
    def put_page_testzero(self, page: Page) -> bool:
        """Drop a reference to `page`, and say whether it was the last."""
    def read64(self, va: int) -> int:
        """`READ_ONCE()` of a 64-bit word."""
    def rmqueue(self, zone: Zone, order: int, migratetype: MigrateType) -> Page | None:
        """A block of a zone; one that turns out to be bad is left where it is, off the lists, for another."""
    def section_to_usemap(self, ms: int) -> int:
        """The pageblock flags of a section: they follow its `struct mem_section_usage`."""
    def set_contig(self, mm: MmStruct, addr: int, ptep: int, pte: int, ncontig: int, pgsize: int) -> None:
        """The loop that several of these end with: a run of entries with one protection."""
    def set_huge_pte_at(self, mm: MmStruct, addr: int, ptep: int, pte: int, sz: int) -> None:
        """Map a huge page of `sz` bytes; an entry that is not present is written to each place of the run."""
    def set_pageblock_migratetype(self, page: Page, migratetype: int) -> None:
        """Say what may be in the pageblock of a page."""
    def set_pcppage_migratetype(self, page: Page, migratetype: int) -> None:
        """Keep the kind of list in `index`."""
    def set_pfnblock_flags_mask(self, page: Page, flags: int, pfn: int, mask: int) -> None:
        """Change those flags of a pageblock that are in `mask`."""
    def set_pmd(self, pmdp: int, pmd: int) -> None:
        """Store an entry."""
    def set_pmd_at(self, mm: MmStruct, addr: int, pmdp: int, pmd: int) -> None:
        """Map a huge page."""
    def set_pmd_huge_pte(self, mm: MmStruct, pmdp: int, page: int) -> None:
        """Note it there: `ptdesc->pmd_huge_pte` is where a page in a list has `lru.prev`."""
    def set_pte(self, ptep: int, pte: int) -> None:
        """Store an entry by itself."""
    def set_pte_at(self, mm: MmStruct, addr: int, ptep: int, pte: int) -> None:
        """Map one page."""
    def set_pte_bit(self, pte: int, prot: int) -> int:
        """With these bits set."""
    def set_ptes(self, mm: MmStruct, addr: int, ptep: int, pte: int, nr: int) -> None:
        """Map `nr` pages in a row; the caller's entry never has PTE_CONT, which is arm64's own affair."""
    def set_pud(self, pudp: int, pud: int) -> None:
        """Store an entry."""
    def show_mem(self) -> None:
        """How much memory there is, zone by zone, and in which blocks."""
    def show_pte(self, addr: int) -> None:
        """Print what Linux finds on its way through its page tables, down to where nothing is."""
    def show_regs(self) -> None:
        """The registers, as far as the model knows them (`arch/arm64/kernel/process.c`)."""
    def show_trace(self, *below: str) -> None:
        """Print the call trace: `below` are the frames of the machinery that prints it."""
    def sparse_init(self) -> None:
        """Make a `struct mem_section` for each section of RAM; every pageblock is movable as yet."""
    def spin_bug(self, what: str) -> None:
        """Report a lock that is misused."""
    def spin_lock(self, lock: Lock) -> None:
        """Take a lock, and do not be preempted from here on."""
    def spin_unlock(self, lock: Lock) -> None:
        """Give it back."""
    def steal_suitable_fallback(self, zone: Zone, page: Page, order: int, start_type: MigrateType) -> None:
        """Pageblocks that are free as a whole change hands; around a smaller block the pageblock does, if that is fair."""
    def store(self, va: int, value: int, size: int) -> None:
        """Store up to eight bytes, little-endian, to any address."""
    def swap_migration_tests(self, args: PgtableDebugArgs) -> None:
        """A migration entry is one, and says whether the page was writable. The page is locked meanwhile."""
    def swp_entry(self, type: int, offset: int) -> int:
        """The entry for `offset` in swap file `type`."""
    def swp_entry_to_pmd(self, entry: int) -> int:
        """A PMD entry that says where the huge page is; with CONFIG_ARCH_ENABLE_THP_MIGRATION."""
    def swp_entry_to_pte(self, entry: int) -> int:
        """A PTE that says where the page is."""
    def swp_offset(self, entry: int) -> int:
        """The place in the swap file, or the frame."""
    def swp_offset_pfn(self, entry: int) -> int:
        """The frame, of an entry that is about one; there may be flags above it."""
    def swp_type(self, entry: int) -> int:
        """The swap file, or what else it is."""
    def table_address(self, entry: int) -> int:
        """`pXd_page_paddr()`, which is `__pte_to_phys()`: the physical address of the table that an entry names."""
    def unpoison_page(self, page: Page) -> None:
        """Look at one."""
    def validating(self, function: str, what: str, vm_flags: int | None = ...) -> None:
        """`pr_debug()`: say which test runs, in a kernel booted with `dyndbg="module debug_vm_pgtable +p"`."""
    def virt_to_page(self, va: int) -> Page:
        """The `struct page` of an address in the linear map."""
    def vm_area_alloc(self, mm: MmStruct) -> VmAreaStruct | None:
        """A new mapping. (It comes from a cache that boot has filled, which the model leaves out.)"""
    def vm_area_free(self, vma: VmAreaStruct) -> None:
        """Give it back."""
    def vm_get_page_prot(self, vm_flags: int) -> int:
        """The protection of a page of a mapping with `vm_flags`."""
    def warn_alloc(self, gfp: int, what: str) -> None:
        """Say that an allocation failed, who asked for it, and what there was: once in ten seconds."""
    def write64(self, va: int, value: int) -> None:
        """`WRITE_ONCE()` of a 64-bit word."""
    def zone_sizes_init(self) -> None:
        """Cut RAM into zones: what 32 bits reach is ZONE_DMA, unless the firmware says that some device reaches less."""
