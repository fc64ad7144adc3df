"""The functions of every twin, and the constants of every configuration, as attributes of a `Kernel`.

Written by docs/write_kernel_functions.py from the twins: `make stubs` writes it again.
"""

from pgtlab.arch.fault import Fault
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import ESR_EL1, TCR_EL1, TCR_EL2
from pgtlab.arch.walk import Walk
from pgtlab.linux.kernel.debug_vm_pgtable import PgtableDebugArgs
from pgtlab.linux.kernel.mm import MmStruct, VmAreaStruct
from pgtlab.linux.kernel.mmzone import MigrateType, Zone
from pgtlab.linux.kernel.page import Page
from pgtlab.linux.kernel.slab import KmemCache
from pgtlab.linux.kernel.spinlock import Lock
from typing import NoReturn

class KernelFunctions:
    CONFIG_ACPI_APEI_GHES: int
    CONFIG_ARCH_ENABLE_THP_MIGRATION: int
    CONFIG_ARCH_HAS_PTE_DEVMAP: int
    CONFIG_ARCH_HAS_PTE_SPECIAL: int
    CONFIG_ARCH_WANT_GENERAL_HUGETLB: int
    CONFIG_ARM64_CONTPTE: int
    CONFIG_ARM64_CONT_PMD_SHIFT: int
    CONFIG_ARM64_CONT_PTE_SHIFT: int
    CONFIG_ARM64_E0PD: int
    CONFIG_ARM64_EPAN: int
    CONFIG_ARM64_GCS: int
    CONFIG_ARM64_HAFT: int
    CONFIG_ARM64_HW_AFDBM: int
    CONFIG_ARM64_LPA2: int
    CONFIG_ARM64_MTE: int
    CONFIG_ARM64_PAN: int
    CONFIG_ARM64_PA_BITS: int
    CONFIG_ARM64_POE: int
    CONFIG_ARM64_PTR_AUTH: int
    CONFIG_ARM_SDE_INTERFACE: int
    CONFIG_DEBUG_VM: int
    CONFIG_DEVICE_PRIVATE: int
    CONFIG_DYNAMIC_DEBUG: int
    CONFIG_FUJITSU_ERRATUM_010001: int
    CONFIG_HAVE_ARCH_HUGE_VMAP: int
    CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD: int
    CONFIG_HAVE_ARCH_USERFAULTFD_WP: int
    CONFIG_HUGETLBFS: int
    CONFIG_HUGETLB_PAGE: int
    CONFIG_INIT_ON_ALLOC_DEFAULT_ON: int
    CONFIG_KASAN: int
    CONFIG_KASAN_HW_TAGS: int
    CONFIG_KASAN_SW_TAGS: int
    CONFIG_KVM: int
    CONFIG_MEMORY_FAILURE: int
    CONFIG_MEM_SOFT_DIRTY: int
    CONFIG_MIGRATION: int
    CONFIG_NR_CPUS: int
    CONFIG_NUMA_BALANCING: int
    CONFIG_PAGE_EXTENSION: int
    CONFIG_PAGE_POISONING: int
    CONFIG_PGTABLE_LEVELS: int
    CONFIG_PTDUMP_DEBUGFS: int
    CONFIG_RANDOMIZE_BASE: int
    CONFIG_RELOCATABLE: int
    CONFIG_SPLIT_PMD_PTLOCKS: int
    CONFIG_SPLIT_PTE_PTLOCKS: int
    CONFIG_SWAP: int
    CONFIG_TRANSPARENT_HUGEPAGE: int
    CONFIG_UNMAP_KERNEL_AT_EL0: int
    CONFIG_USERFAULTFD: int
    CONFIG_ZONE_DEVICE: int
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
    FIX_VNCR: int
    FIX_VNCR_END: int
    HPAGE_PMD_ORDER: int
    HPAGE_PMD_SIZE: int
    IDMAP_LEVELS: int
    IDMAP_ROOT_LEVEL: int
    IDMAP_VA_BITS: int
    IOREMAP_MAX_ORDER: int
    KERNELPACMASK: int
    KIMAGE_VADDR: int
    LINUX_VERSION_CODE: int
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
    P4D_TABLE_AF: int
    P4D_TABLE_BIT: int
    P4D_TABLE_PXN: int
    P4D_TABLE_UXN: int
    P4D_TYPE_MASK: int
    P4D_TYPE_SECT: int
    P4D_TYPE_TABLE: int
    PAGES_PER_SECTION: int
    PAGE_BUDDY_MAPCOUNT_VALUE: int
    PAGE_END: int
    PAGE_HUGETLB_MAPCOUNT_VALUE: int
    PAGE_OFFLINE_MAPCOUNT_VALUE: int
    PAGE_OFFSET: int
    PAGE_SHIFT: int
    PAGE_SIZE: int
    PAGE_SLAB_MAPCOUNT_VALUE: int
    PCI_IO_END: int
    PCI_IO_SIZE: int
    PCI_IO_START: int
    PGDIR_SHIFT: int
    PGDIR_SIZE: int
    PGD_TABLE_AF: int
    PGD_TABLE_BIT: int
    PGD_TABLE_PXN: int
    PGD_TABLE_UXN: int
    PGD_TYPE_MASK: int
    PGD_TYPE_TABLE: int
    PGTY_buddy: int
    PGTY_slab: int
    PGTY_table: int
    PG_head: int
    PG_head_mask: int
    PG_hwpoison: int
    PG_lru: int
    PG_private: int
    PG_swapbacked: int
    PG_swapcache: int
    PHYS_MASK: int
    PHYS_MASK_SHIFT: int
    PHYS_TO_PTE_ADDR_MASK: int
    PMD_ATTRINDX_MASK: int
    PMD_MAYBE_SHARED: int
    PMD_PRESENT_INVALID: int
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
    PMD_TABLE_AF: int
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
    PTE_PROT_NONE: int
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
    PUD_TABLE_AF: int
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
    TCR_EL1_T1SZ: int
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
        """Stop the kernel if `condition` holds, whose source is `text` (`asm-generic/bug.h`)."""
    def PageBuddy(self, page: Page) -> bool:
        """Whether the page is the first of a free block of the buddy allocator."""
    def PageTable(self, page: Page) -> bool:
        """Whether the page is a page table."""
    def SECTION_FLAGS(self) -> int:
        """The low bits of `section_mem_map` for RAM that was present at boot and has a memmap."""
    def VM_BUG_ON(self, condition: object, text: str) -> None:
        """With CONFIG_DEBUG_VM: stop the kernel if `condition` holds, whose source is `text` (`linux/mmdebug.h`)."""
    def VM_BUG_ON_PAGE(self, condition: object, page: Page, text: str) -> None:
        """With CONFIG_DEBUG_VM: dump `page` and stop if `condition` holds, whose source is `text` (`linux/mmdebug.h`)."""
    def WARN(self, condition: object, message: str) -> bool:
        """Report a warning with a message and a call trace if `condition` holds, and go on; return it as a bool."""
    def WARN_ON(self, condition: object) -> bool:
        """Report a warning with a call trace if `condition` holds, and go on; return it as a bool (`asm-generic/bug.h`)."""
    def __ClearPageBuddy(self, page: Page) -> None:
        """Clear the mark of a free block's first page, which is about to be allocated or merged."""
    def __ClearPageLocked(self, page: Page) -> None:
        """Unlock a page that `__SetPageLocked()` locked."""
    def __ClearPageTable(self, page: Page) -> None:
        """Clear the page-table type of a page, which must have it."""
    def __SetPageBuddy(self, page: Page) -> None:
        """Mark the page as the first of a free block; it must have no type yet."""
    def __SetPageLocked(self, page: Page) -> None:
        """Lock a page without atomic access, where no other user can see it yet."""
    def __SetPageTable(self, page: Page) -> None:
        """Make the page a page table by type; it must have no type yet."""
    def __add_to_free_list(self, page: Page, zone: Zone, order: int, migratetype: int) -> None:
        """Put a free block on its list, and mark its first page as PageBuddy with the order in `private`."""
    def __cpu_setup(self) -> TCR_EL1 | TCR_EL2:
        """Return TCR_EL1: sizes, granules and cacheability of both ranges, for this CPU and configuration."""
    def __dump_folio(self, folio: Page, page: Page, pfn: int, idx: int) -> None:
        """Print a page of a folio. `page` may be a copy of the page; `pfn` is the page frame number of the original."""
    def __dump_page(self, page: Page) -> None:
        """Print a snapshot of a page: copies of it and its folio, on the stack, that are consistent with each other."""
    def __free_pages(self, page: Page, order: int) -> None:
        """Drop a reference to a block, and free the block with its last reference."""
    def __free_pages_ok(self, page: Page, order: int) -> None:
        """Free a block that is too large for the per-CPU lists."""
    def __kernel_unpoison_pages(self, page: Page, n: int) -> None:
        """Check that `n` pages, which are about to be used, still hold their poison."""
    def __mmdrop(self, mm: MmStruct) -> None:
        """Free the pgd of an address space, then check its counters."""
    def __nr_to_section(self, nr: int) -> int:
        """The address of a section's `struct mem_section`, or NULL where its root is absent or the number is too large."""
    def __p4d_alloc(self, mm: MmStruct, pgdp: int, addr: int) -> int:
        """Allocate a P4D table and make `*pgdp` point to it, unless it is set; return 0, or -ENOMEM."""
    def __pa(self, va: int) -> int:
        """Return the physical address of linear-map address `va`."""
    def __pagetable_ctor(self, ptdesc: Page) -> None:
        """Give a page the type `table` and count it in NR_PAGETABLE: what all constructors of tables share."""
    def __pagetable_dtor(self, ptdesc: Page) -> None:
        """Take the type `table` from a page and the page from NR_PAGETABLE: what all destructors of tables share."""
    def __pfn_to_section(self, pfn: int) -> int:
        """The address of the `struct mem_section` of a frame, or NULL where its root is absent."""
    def __pgprot_modify(self, prot: int, mask: int, bits: int) -> int:
        """Return protection `prot` with the bits of `mask` replaced by `bits`."""
    def __pmd_alloc(self, mm: MmStruct, pudp: int, addr: int) -> int:
        """Allocate a PMD table and make `*pudp` point to it, unless it is set; return 0, or -ENOMEM."""
    def __pmd_to_swp_entry(self, pmd: int) -> int:
        """Return a PMD entry as a swap entry in arm64's format: the word is the same."""
    def __pte_alloc(self, mm: MmStruct, pmdp: int) -> int:
        """Allocate a PTE table and make `*pmdp` point to it, unless it is set; return 0, or -ENOMEM."""
    def __pte_to_swp_entry(self, pte: int) -> int:
        """Return a PTE as a swap entry in arm64's format: the word is the same."""
    def __ptep_set_access_flags(self, vma: VmAreaStruct | None, addr: int, ptep: int, entry: int, dirty: int) -> bool:
        """Merge accessed, dirty and writable of `entry` into the entry at `ptep`; return whether it changed (`mm/fault.c`)."""
    def __pud_alloc(self, mm: MmStruct, p4dp: int, addr: int) -> int:
        """Allocate a PUD table and make `*p4dp` point to it, unless it is set; return 0, or -ENOMEM."""
    def __pud_free(self, mm: MmStruct, pud: int) -> None:
        """Free a PUD table with its destructor."""
    def __rmqueue(self, zone: Zone, order: int, migratetype: MigrateType) -> Page | None:
        """Take a block of a migratetype; when its lists are empty, move a block of another type to them first."""
    def __rmqueue_fallback(self, zone: Zone, order: int, migratetype: MigrateType) -> bool:
        """Move a block of another migratetype to the lists of this one, and return whether there was a block to move."""
    def __rmqueue_smallest(self, zone: Zone, order: int, migratetype: MigrateType) -> Page | None:
        """Take the first block of the smallest order that fits, and split it to the order that is wanted."""
    def __set_pte(self, ptep: int, pte: int) -> None:
        """Store `pte` in the entry at `ptep`, as it is."""
    def __set_ptes(self, mm: MmStruct, addr: int, ptep: int, pte: int, nr: int) -> None:
        """Store `nr` entries from `ptep` on, each for the frame after that of the entry before it."""
    def __swp_entry(self, type: int, offset: int) -> int:
        """Return a swap entry in arm64's format; bits of the offset above its field are lost."""
    def __swp_entry_to_pmd(self, swp: int) -> int:
        """Return a swap entry in arm64's format as a PMD entry: the word is the same."""
    def __swp_entry_to_pte(self, swp: int) -> int:
        """Return a swap entry in arm64's format as a PTE: the word is the same."""
    def __swp_offset(self, x: int) -> int:
        """Return the offset of a swap entry in arm64's format."""
    def __swp_type(self, x: int) -> int:
        """Return the type of a swap entry in arm64's format."""
    def __sync_cache_and_tags(self, pte: int, nr_pages: int) -> None:
        """Make the instruction cache see the page that an entry maps, if user space may execute it."""
    def __sync_icache_dcache(self, pte: int) -> None:
        """Clean the page of an entry from the data cache, and mark it clean (PG_dcache_clean; `mm/flush.c`)."""
    def __va(self, pa: int) -> int:
        """Return the linear-map address of physical address `pa`."""
    def add_taint(self, flag: int, *, lockdep_ok: bool = ...) -> None:
        """Taint the kernel; unless `lockdep_ok`, lock debugging is switched off, because its state may be wrong now."""
    def adjust_protection_map(self) -> int:
        """Set up `protection_map` for this CPU; an initcall that returns 0."""
    def alloc_pages(self, order: int = ..., gfp: int = ...) -> Page | None:
        """Allocate `1 << order` contiguous frames; return the first page, with `_refcount` 1, or None without memory."""
    def arch_hugetlb_valid_size(self, size: int) -> bool:
        """Return whether there are huge pages of `size` bytes in this configuration."""
    def arch_make_huge_pte(self, entry: int, shift: int, flags: int) -> int:
        """Return `entry` with the type and PTE_CONT of a huge page of `1 << shift` bytes."""
    def arch_vmap_pmd_supported(self, prot: int) -> bool:
        """Return whether vmalloc() and ioremap() may map blocks of PMD size: not with CONFIG_PTDUMP_DEBUGFS."""
    def arch_vmap_pud_supported(self, prot: int) -> bool:
        """Return whether vmalloc() and ioremap() may map blocks of PUD size: with 4K pages, without CONFIG_PTDUMP_DEBUGFS."""
    def assert_spin_locked(self, lock: Lock) -> None:
        """Stop the kernel if the lock is not held."""
    def bad_page(self, page: Page, reason: str) -> None:
        """Report a page in a state that it must not be in, and go on."""
    def bug(self, location: str, text: str, page: Page | None = ...) -> NoReturn:
        """Stop the kernel at a bug, as `BUG()` does: a BRK instruction, whose exception is reported as an Oops."""
    def can_steal_fallback(self, order: int, start_type: MigrateType) -> bool:
        """Whether an allocation may take a whole pageblock of another migratetype instead of a single block."""
    def check_mm(self, mm: MmStruct) -> None:
        """Report an address space that still has page tables when it is freed."""
    def check_new_page(self, page: Page) -> bool:
        """Check a page that is about to be allocated, and report it if it is bad; at this time no flag may be set."""
    def check_new_page_bad(self, page: Page) -> None:
        """Report a page that failed the check at allocation; a page of broken memory (hwpoison) is skipped silently."""
    def check_new_pages(self, page: Page, order: int) -> bool:
        """Whether a block must not be allocated, because one of its pages was changed while it was free."""
    def check_poison_mem(self, page: Page, mem: bytes) -> None:
        """Report the bytes that are not poison, from the first one to the last."""
    def check_preempt_count(self, initcall: str, before: int) -> None:
        """Warn if an initcall left the preemption count changed, and restore it: `do_one_initcall()` (`init/main.c`)."""
    def clear_pte_bit(self, pte: int, prot: int) -> int:
        """Return the entry with the bits of `prot` cleared."""
    def compound_order(self, page: Page) -> int:
        """The order of the compound page that `page` is the head of; 0 for any other page."""
    def data_abort_decode(self, esr: ESR_EL1) -> None:
        """Print the fields of ESR_EL1 that a data abort has; ISV is 0 for every stage 1 fault."""
    def debug_vm_pgtable(self) -> int:
        """Run every test of the page-table helpers; a late initcall, which returns 0, or -ENOMEM without memory."""
    def debug_vm_pgtable_alloc_huge_page(self, args: PgtableDebugArgs, order: int) -> Page | None:
        """Allocate a block of `1 << order` pages, or return None where that exceeds the allocator's largest block."""
    def del_page_from_free_list(self, page: Page, zone: Zone, order: int) -> None:
        """Take a free block off its list, and clear PageBuddy and the order in its first page."""
    def destroy_args(self, args: PgtableDebugArgs) -> None:
        """Free everything that `init_args()` made: the pages, the tables from the PTE table up, the address space."""
    def die(self, message: str, esr: ESR_EL1 | None = ...) -> NoReturn:
        """Report an Oops and panic: it kills the current task, which is init here (`arch/arm64/kernel/traps.c`)."""
    def die_kernel_fault(self, message: str, addr: int, esr: ESR_EL1, fault: Fault) -> NoReturn:
        """Report the fault of a kernel access and end in an Oops."""
    def do_mem_abort(self, walk: Walk) -> None:
        """Name the fault of a kernel access and end in an Oops: nothing in the model expects a fault."""
    def dump_page(self, page: Page, reason: str | None) -> None:
        """Print a page, and why it is printed."""
    def dump_stack(self) -> None:
        """Print which task runs on which kernel, and its call trace (`lib/dump_stack.c`)."""
    def entries_of(self, mm: MmStruct, addr: int) -> list[tuple[str, int]]:
        """The entries for an address with the names of their levels, down to the first that does not name a table."""
    def expand(self, zone: Zone, page: Page, low: int, high: int, migratetype: int) -> None:
        """Split a block of order `high` down to order `low`, and return the upper half of each split to the free lists."""
    def find_buddy_page_pfn(self, buddy_pfn: int, order: int) -> Page | None:
        """The first page of a block's buddy if the buddy is in RAM and free as a whole, else None."""
    def find_num_contig(self, mm: MmStruct, addr: int, ptep: int) -> tuple[int, int]:
        """Return how many entries the contiguous run at `ptep` has, and how many bytes each of them maps."""
    def find_suitable_fallback(self, zone: Zone, order: int, migratetype: MigrateType) -> int | None:
        """The first frame of a block of this order on the lists of another migratetype; None without such a block."""
    def flush_dcache_page(self, page: Page) -> None:
        """Mark a page that the kernel wrote to, so that it is cleaned again before it is executed (`mm/flush.c`)."""
    def folio_nr_pages(self, folio: Page) -> int:
        """The number of pages in a folio."""
    def folio_page_idx(self, folio: Page, page: Page) -> int:
        """The index of a page in its folio, in pages: their distance in the memmap, as an `unsigned long`."""
    def folio_test_large(self, folio: Page) -> bool:
        """Whether the folio has more than one page."""
    def format_vm_flags(self, vm_flags: int) -> str:
        """Return the names of VM flags, joined by `|`, as `%pGv` prints them (`lib/vsprintf.c`)."""
    def free_one_page(self, zone: Zone, page: Page, order: int, migratetype: int) -> None:
        """Return a block to its free list, merged with its free buddies (`__free_one_page()`)."""
    def free_page(self, addr: int) -> None:
        """Free the page at an address in the linear map."""
    def free_page_is_bad(self, page: Page) -> bool:
        """Check a page that is being freed, and report it if it is still in use in any way."""
    def free_page_is_bad_report(self, page: Page) -> None:
        """Report a page that failed the check at free time, with the reason."""
    def free_pages(self, addr: int, order: int) -> None:
        """Free the block of `1 << order` pages at an address in the linear map; address 0 is ignored."""
    def free_pages_prepare(self, page: Page, order: int) -> bool:
        """Check every page of a block that is being freed, and clear its flags; return whether the block may be freed."""
    def free_tail_page_prepare(self, head: Page, page: Page) -> bool:
        """Detach a tail page from its compound page; report it if it is bad, and return whether it was."""
    def free_tail_pages(self, page: Page, order: int, compound: bool) -> int:
        """Check the pages of a block after the first, and clear their flags; return the number of bad pages."""
    def free_the_page(self, page: Page, order: int) -> None:
        """Free a block without references: through the per-CPU lists up to PAGE_ALLOC_COSTLY_ORDER, else directly."""
    def free_unref_page(self, page: Page, order: int) -> None:
        """Free a block of an order that is often wanted again. (The kernel keeps it on a per-CPU list.)"""
    def free_unref_page_prepare(self, page: Page, order: int) -> bool:
        """Check a block before it is freed, and note its migratetype; return whether it may be freed."""
    def get_clear_contig(self, ptep: int, ncontig: int) -> int:
        """Set the `ncontig` entries of a run to none and return what the first was."""
    def get_pageblock_bitmap(self, page: Page, pfn: int) -> int:
        """The address of the pageblock flags of the section that holds a frame; `page` is not used."""
    def get_pageblock_migratetype(self, page: Page) -> int:
        """The migratetype of a page's pageblock: a macro, which takes `page_to_pfn()` of its argument."""
    def get_pfnblock_flags_mask(self, page: Page, pfn: int, mask: int) -> int:
        """The flags in `mask` of the pageblock that holds frame `pfn`; `page` is not used (`mm/page_alloc.c`)."""
    def get_pfnblock_migratetype(self, page: Page, pfn: int) -> int:
        """The migratetype of the pageblock that holds frame `pfn`; `page` is not used."""
    def get_random_vaddr(self) -> int:
        """A random page-aligned address of user space."""
    def get_zeroed_page(self, gfp: int = ...) -> int:
        """Allocate a page of zeroes; return its address in the linear map, or 0 without memory."""
    def gfp_migratetype(self, gfp: int) -> MigrateType:
        """Return the migratetype that GFP flags ask for: movable, reclaimable, or unmovable."""
    def has_transparent_hugepage(self) -> bool:
        """Return whether there are transparent huge pages; arm64 needs only the option (`linux/pgtable.h`)."""
    def has_transparent_pud_hugepage(self) -> bool:
        """Return whether there are transparent huge pages of PUD size: on arm64 there are none."""
    def huge_pte_clear(self, mm: MmStruct, addr: int, ptep: int, sz: int) -> None:
        """Set all entries of a huge page of `sz` bytes to none."""
    def huge_pte_dirty(self, pte: int) -> bool:
        """Return whether a huge page was written, as marked by software or by hardware."""
    def huge_pte_mkdirty(self, pte: int) -> int:
        """Return the entry of a huge page made dirty."""
    def huge_pte_mkwrite(self, pte: int) -> int:
        """Return the entry of a huge page made writable."""
    def huge_pte_modify(self, pte: int, newprot: int) -> int:
        """Return the entry of a huge page with protection `newprot`; the frame, accessed and dirty stay."""
    def huge_pte_none(self, pte: int) -> bool:
        """Return whether the entry of a huge page is empty."""
    def huge_pte_write(self, pte: int) -> bool:
        """Return whether a huge page is writable."""
    def huge_pte_wrprotect(self, pte: int) -> int:
        """Return the entry of a huge page made read-only, and kept dirty if it was."""
    def huge_ptep_get_and_clear(self, mm: MmStruct, addr: int, ptep: int) -> int:
        """Set all entries of a huge page to none and return what the first was."""
    def huge_ptep_set_access_flags(self, vma: VmAreaStruct, addr: int, ptep: int, pte: int, dirty: int) -> bool:
        """Give a huge page the accessed, dirty and writable flags of `pte`; return whether anything changed."""
    def huge_ptep_set_wrprotect(self, mm: MmStruct, addr: int, ptep: int) -> None:
        """Make all entries of a huge page read-only, and keep the page dirty if it was."""
    def hugetlb_basic_tests(self, args: PgtableDebugArgs) -> None:
        """The PTE of a HugeTLB page can be made dirty, and writable or read-only."""
    def in_user_space(self, mmu: MMU) -> MMU:
        """The MMU while user space runs: with kernel page-table isolation, TTBR1 points to tramp_pg_dir."""
    def init_args(self, args: PgtableDebugArgs) -> int:
        """Build one path through a page table, and allocate pages for it to map; return 0, or -ENOMEM."""
    def init_failed(self, args: PgtableDebugArgs, what: str) -> int:
        """Report what could not be allocated, free what `init_args()` has allocated so far, and return -ENOMEM."""
    def init_fixed_pfns(self, args: PgtableDebugArgs) -> None:
        """Choose frames aligned to the size of a PUD, or else of a PMD, or else those of the kernel image."""
    def is_check_pages_enabled(self) -> bool:
        """Whether pages are checked: with CONFIG_DEBUG_VM, with page poisoning, or if pages are zeroed when allocated."""
    def is_hwpoison_entry(self, entry: int) -> bool:
        """Return whether a swap entry is for a page whose memory failed; False without CONFIG_MEMORY_FAILURE."""
    def is_migrate_cma_folio(self, folio: Page, pfn: int) -> bool:
        """Whether frame `pfn` is in a pageblock reserved for the contiguous memory allocator; `folio` may be a copy."""
    def is_migrate_cma_page(self, page: Page) -> bool:
        """Whether a page's pageblock is reserved for the contiguous memory allocator."""
    def is_migration_entry(self, entry: int) -> bool:
        """Return whether a swap entry is for a page under migration; always False without CONFIG_MIGRATION."""
    def is_migration_entry_dirty(self, entry: int) -> bool:
        """Return whether the page was dirty before migration; False without room for that flag."""
    def is_migration_entry_young(self, entry: int) -> bool:
        """Return whether the page was accessed before migration; False without room for that flag."""
    def is_pfn_swap_entry(self, entry: int) -> bool:
        """Return whether a swap entry stands for a frame: one under migration, or poisoned."""
    def is_pmd_migration_entry(self, pmd: int) -> bool:
        """Return whether the PMD entry is for a huge page under migration."""
    def is_readable_exclusive_migration_entry(self, entry: int) -> bool:
        """Return whether a swap entry is for a page under migration, read-only and of one process only."""
    def is_readable_migration_entry(self, entry: int) -> bool:
        """Return whether a swap entry is for a page under migration that was read-only and may be shared."""
    def is_swap_pmd(self, pmd: int) -> bool:
        """Return whether the PMD entry is a swap entry: neither none nor present (`linux/huge_mm.h`)."""
    def is_swap_pte(self, pte: int) -> bool:
        """Return whether the PTE is a swap entry: neither none nor present."""
    def is_writable_migration_entry(self, entry: int) -> bool:
        """Return whether a swap entry is for a page under migration that was writable."""
    def kernel_poison_pages(self, page: Page, n: int) -> None:
        """Fill `n` pages, which have just been freed, with poison."""
    def kmem_cache_free(self, cache: KmemCache, obj: int) -> None:
        """Return an object to its cache; a slab whose last object is freed goes back to the page allocator."""
    def kmem_cache_zalloc(self, cache: KmemCache) -> int:
        """Allocate an object of zeroes from a cache; return its address in the linear map, or 0 without memory."""
    def load(self, va: int, size: int) -> int:
        """Return `size` bytes, at most eight, loaded little-endian from any address."""
    def make_hwpoison_entry(self, pfn: int) -> int:
        """Return the swap entry for frame `pfn`, whose memory failed; entry 0 without CONFIG_MEMORY_FAILURE."""
    def make_migration_entry_dirty(self, entry: int) -> int:
        """Return the migration entry marked dirty, if it has room for that flag."""
    def make_migration_entry_young(self, entry: int) -> int:
        """Return the migration entry marked accessed, if it has room for that flag."""
    def make_readable_exclusive_migration_entry(self, offset: int) -> int:
        """Return a migration entry for frame `offset`, mapped read-only by one process only."""
    def make_readable_migration_entry(self, offset: int) -> int:
        """Return a migration entry for frame `offset`, which was mapped read-only."""
    def make_writable_migration_entry(self, offset: int) -> int:
        """Return a migration entry for frame `offset`, which was mapped writable."""
    def map_entry_trampoline(self) -> None:
        """Set up tramp_pg_dir, which TTBR1 points to while user space runs: it maps a page of code and nothing else."""
    def mem_abort_decode(self, esr: ESR_EL1, fault: Fault) -> None:
        """Print ESR_EL1 field by field."""
    def memblock_free_all(self) -> None:
        """Initialise every `struct page`, and give all RAM that is not reserved to the buddy allocator."""
    def memcpy(self, to: int, start: int, size: int) -> None:
        """Copy `size` bytes from address `start` to address `to`, in words of eight bytes."""
    def migration_entry_supports_ad(self) -> bool:
        """Return whether a migration entry has room above the frame for the accessed and dirty flags."""
    def mk_huge_pte(self, page: Page, prot: int) -> int:
        """Return an entry for a huge page; `arch_make_huge_pte()` then gives it the type for its size."""
    def mk_pmd(self, page: Page, prot: int) -> int:
        """Return a PMD entry for a block from `page` on; `pmd_mkhuge()` gives it the type of a block."""
    def mk_pmd_sect_prot(self, prot: int) -> int:
        """Return the protection of a page, `prot`, with the type of a block."""
    def mk_pte(self, page: Page, prot: int) -> int:
        """Return an entry that maps the frame of `page` with protection `prot`."""
    def mk_pud_sect_prot(self, prot: int) -> int:
        """Return the protection of a page, `prot`, with the type of a block."""
    def mm_alloc(self) -> MmStruct | None:
        """Return a new, empty address space with a pgd, or None without memory."""
    def mm_dec_nr_pmds(self, mm: MmStruct) -> None:
        """Subtract a PMD table from the count of `mm`, in bytes; do nothing with the PMD folded."""
    def mm_dec_nr_ptes(self, mm: MmStruct) -> None:
        """Subtract a PTE table from the count of `mm`, in bytes."""
    def mm_dec_nr_puds(self, mm: MmStruct) -> None:
        """Subtract a PUD table from the count of `mm`, in bytes; do nothing with the PUD folded."""
    def mm_inc_nr_pmds(self, mm: MmStruct) -> None:
        """Count a PMD table of `mm`, in bytes; do nothing with the PMD folded."""
    def mm_inc_nr_ptes(self, mm: MmStruct) -> None:
        """Count a PTE table of `mm`, in bytes."""
    def mm_inc_nr_puds(self, mm: MmStruct) -> None:
        """Count a PUD table of `mm`, in bytes; do nothing with the PUD folded."""
    def mm_p4d_folded(self, mm: MmStruct) -> bool:
        """Return whether the P4D is folded, at compile time or at run time."""
    def mm_pgtables_bytes(self, mm: MmStruct) -> int:
        """Return how many bytes of page tables `mm` has, without pgd and P4D tables, which are not counted."""
    def mm_pmd_folded(self, mm: MmStruct) -> bool:
        """Return whether the PMD is folded, which happens only at compile time, with two levels."""
    def mm_pud_folded(self, mm: MmStruct) -> bool:
        """Return whether the PUD is folded, at compile time or at run time."""
    def mmput(self, mm: MmStruct) -> None:
        """Drop a user of an address space, and free the address space with the last one."""
    def move_freepages_block(self, zone: Zone, page: Page, migratetype: MigrateType) -> int:
        """Move all free blocks of a pageblock to the lists of a migratetype; return the number of pages moved."""
    def node_zonelist(self, gfp: int) -> tuple[Zone, ...]:
        """Return the zones that GFP flags permit, highest first, to spare the lower ones for those who need them."""
    def nr_free_pages(self) -> int:
        """The number of free pages in all zones."""
    def num_contig_ptes(self, size: int) -> tuple[int, int]:
        """Return how many entries a huge page of `size` bytes has, and how many bytes each of them maps."""
    def p4d_alloc(self, mm: MmStruct, pgdp: int, addr: int) -> int:
        """Return the address of the P4D entry for `addr`, with its table allocated if need be; 0 without memory."""
    def p4d_alloc_one(self, mm: MmStruct, addr: int) -> int:
        """Allocate a zeroed P4D table and return its address, or 0 without memory."""
    def p4d_bad(self, p4d: int) -> bool:
        """Return whether the P4D entry does not point to a table; always False with the PUD folded."""
    def p4d_basic_tests(self, args: PgtableDebugArgs) -> None:
        """A P4D entry equals itself."""
    def p4d_clear(self, p4dp: int) -> None:
        """Set the P4D entry at `p4dp` to none; do nothing with the PUD folded."""
    def p4d_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Clearing a P4D entry leaves it empty (none), whatever bits it had."""
    def p4d_free(self, mm: MmStruct, p4dp: int) -> None:
        """Free a P4D table; do nothing with the P4D folded."""
    def p4d_index(self, addr: int) -> int:
        """Return the index of `addr` in a P4D table."""
    def p4d_leaf(self, p4d: int) -> bool:
        """Return False: Linux maps no blocks by P4D entries, though LPA2 has 512 GiB blocks (generic stub)."""
    def p4d_none(self, p4d: int) -> bool:
        """Return whether the P4D entry is empty, so that there is no PUD table; always False with the PUD folded."""
    def p4d_offset(self, pgdp: int, addr: int) -> int:
        """Return the address of the P4D entry for `addr`."""
    def p4d_offset_lockless(self, pgdp: int, pgd: int, addr: int) -> int:
        """Return the address of the P4D entry for `addr`, given the value `pgd` that was read at `pgdp`."""
    def p4d_populate(self, mm: MmStruct, p4dp: int, pudp: int) -> None:
        """Make the P4D entry at `p4dp` point to the PUD table at `pudp`; do nothing with the PUD folded."""
    def p4d_populate_tests(self, args: PgtableDebugArgs) -> None:
        """A P4D entry that names a PUD table is not bad."""
    def p4d_present(self, p4d: int) -> bool:
        """Return whether the P4D entry points to a PUD table; always True with the PUD folded."""
    def p4d_same(self, a: int, b: int) -> bool:
        """Return whether two P4D entries are equal."""
    def p4d_to_folded_pud(self, p4dp: int, addr: int) -> int:
        """Return the address of the PUD entry for `addr` in the page of the pgd, where the PUD is folded at run time."""
    def p4dp_get(self, p4dp: int) -> int:
        """Return the P4D entry at `p4dp`."""
    def page_address(self, page: Page) -> int:
        """Return the linear-map address of the frame of `page`."""
    def page_and_folio_on_stack(self) -> tuple[Page, Page]:
        """Make room on the stack for `__dump_page()`'s copies of a page and a folio; return pointers to both."""
    def page_at(self, address: int) -> Page:
        """Return the `struct page` at `address`, `(struct page *)address`: any 64 bytes read as one."""
    def page_bad_reason(self, page: Page, flags: int) -> str:
        """What is wrong with a page, in the kernel's words; of several things, the one that is checked last."""
    def page_expected_state(self, page: Page, check_flags: int) -> bool:
        """Whether a page is as a free page must be: `_mapcount` -1, no mapping, no reference, no flag in `check_flags`."""
    def page_folio(self, page: Page) -> Page:
        """The folio of a page: what `compound_head` points to if its bit 0 is set, otherwise the page itself."""
    def page_mapcount(self, page: Page) -> int:
        """How many page-table entries map the page: `_mapcount` plus one, or 0 for a page of a slab."""
    def page_of(self, address: int) -> Page:
        """Return the `struct page` at `address`, a pointer into the memmap."""
    def page_poisoning_enabled(self) -> bool:
        """Whether free pages are filled with poison."""
    def page_to_pfn(self, page: Page) -> int:
        """Return the frame number of a `struct page`: its distance from `vmemmap` in units of its size."""
    def page_zone(self, page: Page) -> Zone:
        """The zone of a page, by the zone number in the upper bits of its flags."""
    def pageblock_order(self) -> int:
        """The order of a pageblock: that of a huge page of PMD size, or the allocator's largest if that is smaller."""
    def pagetable_alloc(self, gfp: int) -> Page | None:
        """Allocate a page for a table and return it, or None without memory; the constructor is called next."""
    def pagetable_dtor(self, ptdesc: Page) -> None:
        """Undo any constructor of a table: clear the page type and take the table from NR_PAGETABLE."""
    def pagetable_free(self, ptdesc: Page) -> None:
        """Free the page of a table; its destructor must have been called."""
    def pagetable_pmd_ctor(self, ptdesc: Page) -> None:
        """Account a PMD table and initialise its lock."""
    def pagetable_pmd_dtor(self, ptdesc: Page) -> None:
        """Undo `pagetable_pmd_ctor()`: check that no PTE table is deposited, and take the PMD table from the account."""
    def pagetable_pte_ctor(self, ptdesc: Page) -> None:
        """Account a PTE table and initialise its lock."""
    def pagetable_pte_dtor(self, ptdesc: Page) -> None:
        """Undo `pagetable_pte_ctor()`: clear the page type of a PTE table and take it from NR_PAGETABLE."""
    def pagetable_pud_ctor(self, ptdesc: Page) -> None:
        """Account a PUD table: set its page type and count it in NR_PAGETABLE."""
    def pagetable_pud_dtor(self, ptdesc: Page) -> None:
        """Undo `pagetable_pud_ctor()`: clear the page type of a PUD table and take it from NR_PAGETABLE."""
    def paging_init(self) -> None:
        """Set up swapper_pg_dir and reserved_pg_dir, and map all memory that the kernel's pointers use."""
    def panic(self, message: str) -> NoReturn:
        """Print the panic message and stop the machine (`kernel/panic.c`)."""
    def pfn_pmd(self, pfn: int, prot: int) -> int:
        """Return a PMD entry for a block from frame `pfn` on; `pmd_mkhuge()` gives it the type of a block."""
    def pfn_pte(self, pfn: int, prot: int) -> int:
        """Return an entry that maps frame `pfn` with protection `prot`."""
    def pfn_pud(self, pfn: int, prot: int) -> int:
        """Return a PUD entry for a block from frame `pfn` on; `pud_mkhuge()` gives it the type of a block."""
    def pfn_to_bitidx(self, page: Page, pfn: int) -> int:
        """The index of the first bit of a frame's pageblock in the pageblock flags of its section."""
    def pfn_to_page(self, pfn: int) -> Page:
        """Return the `struct page` of frame `pfn`, the one with that index from `vmemmap` on; only RAM has one there."""
    def pfn_to_section_nr(self, pfn: int) -> int:
        """The number of the section that holds a frame."""
    def pfn_valid(self, pfn: int) -> bool:
        """Return whether frame `pfn` is in RAM."""
    def pgattr_change_is_safe(self, old: int, new: int) -> bool:
        """Return whether entry `old` may be replaced by `new` in place, without break-before-make."""
    def pgd_alloc(self, mm: MmStruct) -> int:
        """Allocate a pgd and return its address: a page, or an object of `pgd_cache` if it is smaller."""
    def pgd_bad(self, pgd: int) -> bool:
        """Return whether the pgd entry does not point to a table; always False with the P4D folded."""
    def pgd_basic_tests(self, args: PgtableDebugArgs) -> None:
        """A pgd entry equals itself."""
    def pgd_clear(self, pgdp: int) -> None:
        """Set the pgd entry at `pgdp` to none; do nothing with the P4D folded."""
    def pgd_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Clearing a pgd entry leaves it empty (none), whatever bits it had."""
    def pgd_devmap(self, pgd: int) -> bool:
        """Return False: a pgd entry maps no block, so it cannot map ZONE_DEVICE memory."""
    def pgd_free(self, mm: MmStruct, pgdp: int) -> None:
        """Free a pgd, as a page or to `pgd_cache`."""
    def pgd_index(self, addr: int) -> int:
        """Return the index of `addr` in the pgd, counted for VA_BITS even where `vabits_actual` is smaller."""
    def pgd_leaf(self, pgd: int) -> bool:
        """Return False: Linux on arm64 maps no blocks by pgd entries, so the generic stub is used."""
    def pgd_none(self, pgd: int) -> bool:
        """Return whether the pgd entry is empty, so that there is no P4D table; always False with the P4D folded."""
    def pgd_offset(self, mm: MmStruct, addr: int) -> int:
        """Return the address of the pgd entry for `addr` in the address space `mm`."""
    def pgd_populate(self, mm: MmStruct, pgdp: int, p4dp: int) -> None:
        """Make the pgd entry at `pgdp` point to the P4D table at `p4dp`; do nothing with the P4D folded."""
    def pgd_populate_tests(self, args: PgtableDebugArgs) -> None:
        """A pgd entry that names a P4D table is not bad."""
    def pgd_present(self, pgd: int) -> bool:
        """Return whether the pgd entry points to a P4D table; always True with the P4D folded."""
    def pgd_same(self, a: int, b: int) -> bool:
        """Return whether two pgd entries are equal."""
    def pgd_to_folded_p4d(self, pgdp: int, addr: int) -> int:
        """Return the address of the P4D entry for `addr` in the page of the pgd, where the P4D is folded at run time."""
    def pgdir_is_page_size(self) -> bool:
        """Return whether a pgd takes a whole page."""
    def pgdp_get(self, pgdp: int) -> int:
        """Return the pgd entry at `pgdp`."""
    def pgprot_device(self, prot: int) -> int:
        """Return protection `prot` with memory type Device-nGnRE, never executable."""
    def pgprot_noncached(self, prot: int) -> int:
        """Return protection `prot` with memory type Device-nGnRnE, never executable."""
    def pgprot_nx(self, prot: int) -> int:
        """Return protection `prot` with execution by the kernel forbidden (PTE_PXN)."""
    def pgprot_tagged(self, prot: int) -> int:
        """Return protection `prot` with memory type Normal Tagged (MTE)."""
    def pgprot_writecombine(self, prot: int) -> int:
        """Return protection `prot` with memory type Normal Non-cacheable, never executable."""
    def pgtable_gfp(self, mm: MmStruct) -> int:
        """Return the GFP flags for a zeroed table: charged to the process, unless `mm` is the kernel's own."""
    def pgtable_l4_enabled(self) -> bool:
        """Return whether the PUD is a level of the page table."""
    def pgtable_l5_enabled(self) -> bool:
        """Return whether the P4D is a level: with five levels configured, on a CPU with 52-bit addresses."""
    def pgtable_trans_huge_deposit(self, mm: MmStruct, pmdp: int, pgtable: Page) -> None:
        """Deposit the PTE table `pgtable` for the huge page at `pmdp`, under the lock of the PMD table."""
    def pgtable_trans_huge_withdraw(self, mm: MmStruct, pmdp: int) -> Page:
        """Withdraw a PTE table deposited for a huge page, under the lock of the PMD table, and return its page."""
    def phys_to_entry(self, phys: int) -> int:
        """Return physical address `phys` as an entry holds it (`__phys_to_pte_val()`, and the same for other levels)."""
    def phys_to_page(self, pa: int) -> Page:
        """Return the `struct page` of the frame at physical address `pa`."""
    def pmd_access_permitted(self, pmd: int, write: bool) -> bool:
        """Return whether EL0 may access the huge page through this entry: read it, and write it if `write`."""
    def pmd_advanced_tests(self, args: PgtableDebugArgs) -> None:
        """A huge page's PMD entry in a table can be changed in place."""
    def pmd_alloc(self, mm: MmStruct, pudp: int, addr: int) -> int:
        """Return the address of the PMD entry for `addr`, with its table allocated if need be; 0 without memory."""
    def pmd_alloc_one(self, mm: MmStruct, addr: int) -> int:
        """Allocate a PMD table with its constructor and return its address, or 0 without memory."""
    def pmd_bad(self, pmd: int) -> bool:
        """Return whether the PMD entry does not point to a table."""
    def pmd_basic_tests(self, args: PgtableDebugArgs, idx: int) -> None:
        """A huge page's PMD entry can be made young or old, dirty or clean, writable or read-only."""
    def pmd_clear(self, pmdp: int) -> None:
        """Set the PMD entry at `pmdp` to none."""
    def pmd_clear_bad(self, pmdp: int) -> None:
        """Log a PMD entry that neither points to a table nor maps a block, and set it to none."""
    def pmd_clear_huge(self, pmdp: int) -> bool:
        """Set a PMD entry that maps a block to none; return whether it mapped one."""
    def pmd_clear_soft_dirty(self, pmd: int) -> int:
        """Return the PMD entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    def pmd_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Clearing a PMD entry leaves it empty (none), whatever bits it had."""
    def pmd_cont(self, pmd: int) -> bool:
        """Return whether the PMD entry is one of a contiguous run of blocks."""
    def pmd_cont_addr_end(self, addr: int, end: int) -> int:
        """Return the end address of the contiguous run of blocks that holds `addr`, or `end` if that is lower."""
    def pmd_devmap(self, pmd: int) -> bool:
        """Return whether the PMD entry maps ZONE_DEVICE memory (PTE_DEVMAP)."""
    def pmd_devmap_tests(self, args: PgtableDebugArgs) -> None:
        """A PMD entry that was made to map a huge page of a device's memory is recognised as such."""
    def pmd_dirty(self, pmd: int) -> bool:
        """Return whether the huge page was written, as marked by software or by hardware."""
    def pmd_free(self, mm: MmStruct, pmdp: int) -> None:
        """Free a PMD table with its destructor."""
    def pmd_huge_pte(self, mm: MmStruct, pmdp: int) -> int:
        """Return the `struct page *` of the PTE table deposited last, or 0."""
    def pmd_huge_tests(self, args: PgtableDebugArgs) -> None:
        """`pmd_set_huge()` maps a block of PMD size for the kernel, and `pmd_clear_huge()` leaves the entry empty."""
    def pmd_index(self, addr: int) -> int:
        """Return the index of `addr` in a PMD table."""
    def pmd_install(self, mm: MmStruct, pmdp: int, pte_page: Page) -> bool:
        """Make `*pmdp` point to the PTE table `pte_page` if it is none, under the lock; return whether it was."""
    def pmd_leaf(self, pmd: int) -> bool:
        """Return whether the PMD entry maps a block, for hardware or for software only; v6.9 asks `pmd_sect()`."""
    def pmd_leaf_size(self, pmd: int) -> int:
        """Return how many bytes the TLB may hold in one entry: a block, or a contiguous run of blocks."""
    def pmd_leaf_tests(self, args: PgtableDebugArgs) -> None:
        """The PMD entry of a huge page is a leaf."""
    def pmd_lock(self, mm: MmStruct, pmdp: int) -> Lock:
        """Take the lock of the PMD table that the entry at `pmdp` is in, and return it."""
    def pmd_lockptr(self, mm: MmStruct, pmdp: int) -> Lock:
        """Return the lock of the PMD table that the entry at `pmdp` is in."""
    def pmd_mkclean(self, pmd: int) -> int:
        """Return the PMD entry made clean: PTE_DIRTY is cleared, and PTE_RDONLY set."""
    def pmd_mkcont(self, pmd: int) -> int:
        """Return the PMD entry as one of a contiguous run of blocks."""
    def pmd_mkdevmap(self, pmd: int) -> int:
        """Return the PMD entry marked as ZONE_DEVICE memory; unlike a PTE it is not marked special."""
    def pmd_mkdirty(self, pmd: int) -> int:
        """Return the PMD entry made dirty: PTE_DIRTY is set, and PTE_RDONLY cleared if it is writable."""
    def pmd_mkhuge(self, pmd: int) -> int:
        """Return the PMD entry with the type of a block (bit 1 clear)."""
    def pmd_mkinvalid(self, pmd: int) -> int:
        """Return the PMD entry made invalid to hardware and still present to software, as to split a huge page."""
    def pmd_mkold(self, pmd: int) -> int:
        """Return the PMD entry marked not accessed (PTE_AF clear)."""
    def pmd_mksoft_dirty(self, pmd: int) -> int:
        """Return the PMD entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    def pmd_mkwrite(self, pmd: int, vma: VmAreaStruct | None) -> int:
        """Return the PMD entry made writable; `vma` is for architectures with shadow stacks, and unused here."""
    def pmd_mkwrite_novma(self, pmd: int) -> int:
        """Return the PMD entry made writable: PTE_WRITE is set, and PTE_RDONLY cleared if it is dirty already."""
    def pmd_mkyoung(self, pmd: int) -> int:
        """Return the PMD entry marked accessed (PTE_AF)."""
    def pmd_modify(self, pmd: int, newprot: int) -> int:
        """Return the PMD entry with protection `newprot`; the frame, accessed, dirty and the type of a block stay."""
    def pmd_none(self, pmd: int) -> bool:
        """Return whether the PMD entry is empty: it maps no block, and there is no PTE table."""
    def pmd_offset(self, pudp: int, addr: int) -> int:
        """Return the address of the PMD entry for `addr`, in the table that `*pudp` points to."""
    def pmd_offset_lockless(self, pudp: int, pud: int, addr: int) -> int:
        """Return the address of the PMD entry for `addr`, given the value `pud` that was read at `pudp`."""
    def pmd_page(self, pmd: int) -> Page:
        """Return the `struct page` that a PMD entry leads to: of a PTE table, or the first of a block."""
    def pmd_pfn(self, pmd: int) -> int:
        """Return the number of the first frame of the block that a PMD entry maps."""
    def pmd_pgprot(self, pmd: int) -> int:
        """Return the protection of a PMD entry that maps a block: all its bits but the frame."""
    def pmd_pgtable(self, pmd: int) -> Page:
        """Return the page of the PTE table that the PMD entry `pmd` points to."""
    def pmd_populate(self, mm: MmStruct, pmdp: int, pte_page: Page) -> None:
        """Make the PMD entry at `pmdp` point to the PTE table whose page is `pte_page`."""
    def pmd_populate_tests(self, args: PgtableDebugArgs) -> None:
        """A PMD entry that names a PTE table is not bad."""
    def pmd_present(self, pmd: int) -> bool:
        """Return whether the PMD entry maps a block or points to a table, for hardware or for software only."""
    def pmd_protnone(self, pmd: int) -> bool:
        """Return whether the PMD entry is PROT_NONE; always False without CONFIG_NUMA_BALANCING."""
    def pmd_protnone_tests(self, args: PgtableDebugArgs) -> None:
        """A huge page's PMD entry with the protection PROT_NONE is recognised as such, and is present."""
    def pmd_pte(self, pmd: int) -> int:
        """Return a PMD entry as a PTE, to use the PTE functions on it: the word is the same."""
    def pmd_ptlock_free(self, ptdesc: Page) -> None:
        """Check that no PTE table is still deposited with a PMD table that is about to be freed."""
    def pmd_ptlock_init(self, ptdesc: Page) -> None:
        """Initialise the split lock of a PMD table, with no PTE table deposited for a huge page."""
    def pmd_same(self, a: int, b: int) -> bool:
        """Return whether two PMD entries are equal."""
    def pmd_sect(self, pmd: int) -> bool:
        """Return whether the PMD entry maps a block and is valid to hardware."""
    def pmd_set_huge(self, pmdp: int, phys: int, prot: int) -> bool:
        """Map a block by a PMD entry and return True; return False if the entry must not change in place."""
    def pmd_soft_dirty(self, pmd: int) -> bool:
        """Return False: arm64 does not support soft-dirty, so the generic stub is used."""
    def pmd_soft_dirty_tests(self, args: PgtableDebugArgs) -> None:
        """A huge page's PMD entry can be made soft-dirty and not: with CONFIG_MEM_SOFT_DIRTY, which arm64 does not have."""
    def pmd_swap_soft_dirty_tests(self, args: PgtableDebugArgs) -> None:
        """A huge page's migration entry can be made soft-dirty and not: with CONFIG_MEM_SOFT_DIRTY, not on arm64."""
    def pmd_swap_tests(self, args: PgtableDebugArgs) -> None:
        """The page frame number in a huge page's PMD entry survives the conversion to a swap entry and back."""
    def pmd_swp_clear_soft_dirty(self, pmd: int) -> int:
        """Return the PMD entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    def pmd_swp_mksoft_dirty(self, pmd: int) -> int:
        """Return the PMD entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    def pmd_swp_soft_dirty(self, pmd: int) -> bool:
        """Return False: arm64 does not support soft-dirty, so the generic stub is used."""
    def pmd_table(self, pmd: int) -> bool:
        """Return whether the PMD entry points to a PTE table."""
    def pmd_thp_tests(self, args: PgtableDebugArgs) -> None:
        """A transparent huge page stays huge, present and a leaf after `pmd_mkinvalid()`."""
    def pmd_to_swp_entry(self, pmd: int) -> int:
        """Return mm's swap entry in a PMD entry; entry 0 without CONFIG_ARCH_ENABLE_THP_MIGRATION."""
    def pmd_trans_huge(self, pmd: int) -> bool:
        """Return whether the PMD entry maps a transparent huge page: a block, valid or made invalid."""
    def pmd_user(self, pmd: int) -> bool:
        """Return whether EL0 may read the huge page (PTE_USER)."""
    def pmd_user_exec(self, pmd: int) -> bool:
        """Return whether EL0 may execute the huge page (PTE_UXN is clear)."""
    def pmd_valid(self, pmd: int) -> bool:
        """Return whether the PMD entry is valid to hardware (PTE_VALID)."""
    def pmd_write(self, pmd: int) -> bool:
        """Return whether the huge page is writable (PTE_WRITE), if only after a fault that marks it dirty."""
    def pmd_wrprotect(self, pmd: int) -> int:
        """Return the PMD entry made read-only; if hardware marked it dirty, PTE_DIRTY is set to keep that."""
    def pmd_young(self, pmd: int) -> bool:
        """Return whether the huge page was accessed (PTE_AF, the access flag)."""
    def pmdp_establish(self, vma: VmAreaStruct | None, addr: int, pmdp: int, pmd: int) -> int:
        """Store `pmd` in the PMD entry at `pmdp` and return what was there."""
    def pmdp_get(self, pmdp: int) -> int:
        """Return the PMD entry at `pmdp`."""
    def pmdp_huge_get_and_clear(self, mm: MmStruct, addr: int, pmdp: int) -> int:
        """Set the PMD entry of a huge page to none and return what it was."""
    def pmdp_huge_get_and_clear_full(self, vma: VmAreaStruct, addr: int, pmdp: int, full: int) -> int:
        """Set the PMD entry of a huge page to none and return what it was."""
    def pmdp_invalidate(self, vma: VmAreaStruct | None, addr: int, pmdp: int) -> int:
        """Make the PMD entry of a huge page invalid to hardware and return what it was (`mm/pgtable-generic.c`)."""
    def pmdp_set_access_flags(self, vma: VmAreaStruct | None, addr: int, pmdp: int, entry: int, dirty: int) -> bool:
        """Add to the PMD entry at `pmdp` what `entry` permits: accessed, dirty and writable."""
    def pmdp_set_wrprotect(self, mm: MmStruct, addr: int, pmdp: int) -> None:
        """Make the huge page of the PMD entry at `pmdp` read-only, and keep it dirty if hardware marked it so."""
    def pmdp_test_and_clear_young(self, vma: VmAreaStruct | None, addr: int, pmdp: int) -> bool:
        """Mark the huge page at `pmdp` not accessed and return whether it was accessed."""
    def prep_compound_page(self, page: Page, order: int) -> None:
        """Make a block of more than one page a compound page: mark the head, and point each tail to it."""
    def prep_new_page(self, page: Page, order: int, gfp: int) -> None:
        """Prepare a block for its user: reference count, poison check, zeroing, and the head of a compound page."""
    def print_flags(self, folio: Page, cma: bool) -> None:
        """Print the flags and the type of a folio, and whether its pageblock belongs to the contiguous memory allocator."""
    def print_header(self) -> None:
        """Print the lines before a report's call trace: CPU, task, taint, kernel release and machine."""
    def print_raw(self, page: Page) -> None:
        """Print the eight words of a `struct page`, four on a line."""
    def print_tainted(self) -> str:
        """The taints of the kernel as one letter each, every letter in its own column (`kernel/panic.c`)."""
    def printk(self, message: str) -> None:
        """Print a line to the kernel log, with the time since boot."""
    def pte_access_permitted(self, pte: int, write: bool) -> bool:
        """Return whether EL0 may access the page through this entry: read it, and write it if `write`."""
    def pte_advance_pfn(self, pte: int, nr: int) -> int:
        """Return an entry with the same protection for the frame `nr` frames further on."""
    def pte_advanced_tests(self, args: PgtableDebugArgs) -> None:
        """A PTE in a table can be changed in place."""
    def pte_alloc(self, mm: MmStruct, pmdp: int) -> int:
        """Allocate a PTE table under `*pmdp` if need be; return 0, or nonzero without memory."""
    def pte_alloc_one(self, mm: MmStruct) -> Page | None:
        """Allocate a PTE table with its constructor and return its page, or None without memory."""
    def pte_basic_tests(self, args: PgtableDebugArgs, idx: int) -> None:
        """A PTE can be made young or old, dirty or clean, writable or read-only, whatever its protection is."""
    def pte_clear(self, mm: MmStruct, addr: int, ptep: int) -> None:
        """Set the entry at `ptep` to none."""
    def pte_clear_soft_dirty(self, pte: int) -> int:
        """Return the entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    def pte_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Clearing a PTE leaves it empty (none), whatever bits it had."""
    def pte_cont(self, pte: int) -> bool:
        """Return whether the entry is one of a contiguous run, which the TLB may hold as one entry."""
    def pte_cont_addr_end(self, addr: int, end: int) -> int:
        """Return the end address of the contiguous run of pages that holds `addr`, or `end` if that is lower."""
    def pte_devmap(self, pte: int) -> bool:
        """Return whether the entry maps ZONE_DEVICE memory (PTE_DEVMAP)."""
    def pte_devmap_tests(self, args: PgtableDebugArgs) -> None:
        """A PTE that was made to map a device's memory is recognised as such."""
    def pte_dirty(self, pte: int) -> bool:
        """Return whether the page was written, as marked by software or by hardware."""
    def pte_free(self, mm: MmStruct, pte_page: Page) -> None:
        """Free a PTE table, given by its page, with its destructor."""
    def pte_hw_dirty(self, pte: int) -> bool:
        """Return whether hardware may have marked the page dirty: it is writable, and PTE_RDONLY is clear."""
    def pte_index(self, addr: int) -> int:
        """Return the index of `addr` in a PTE table."""
    def pte_leaf_size(self, pte: int) -> int:
        """Return how many bytes the TLB may hold in one entry: a page, or a contiguous run of pages."""
    def pte_lockptr(self, mm: MmStruct, pmd: int) -> Lock:
        """Return the lock of the PTE table that the PMD entry `pmd` points to."""
    def pte_mkclean(self, pte: int) -> int:
        """Return the entry made clean: PTE_DIRTY is cleared, and PTE_RDONLY set."""
    def pte_mkcont(self, pte: int) -> int:
        """Return the entry as one of a contiguous run of pages, with the type of a page (bit 1 set)."""
    def pte_mkdevmap(self, pte: int) -> int:
        """Return the entry marked as ZONE_DEVICE memory, which is special too."""
    def pte_mkdirty(self, pte: int) -> int:
        """Return the entry made dirty: PTE_DIRTY is set, and PTE_RDONLY cleared if it is writable."""
    def pte_mkhuge(self, pte: int) -> int:
        """Return the entry with the type of a block (bit 1 clear), as a huge page has."""
    def pte_mkinvalid(self, pte: int) -> int:
        """Return the entry made invalid to hardware and still present to software."""
    def pte_mknoncont(self, pte: int) -> int:
        """Return the entry with PTE_CONT cleared, so that it is not part of a contiguous run."""
    def pte_mkold(self, pte: int) -> int:
        """Return the entry marked not accessed: the next access sets PTE_AF, or faults where hardware does not."""
    def pte_mkpresent(self, pte: int) -> int:
        """Return the entry made valid (PTE_VALID)."""
    def pte_mksoft_dirty(self, pte: int) -> int:
        """Return the entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    def pte_mkspecial(self, pte: int) -> int:
        """Return the entry marked special: mm must not use a `struct page` for the frame."""
    def pte_mkwrite(self, pte: int, vma: VmAreaStruct | None) -> int:
        """Return the entry made writable; `vma` is for architectures with shadow stacks, and unused here."""
    def pte_mkwrite_novma(self, pte: int) -> int:
        """Return the entry made writable: PTE_WRITE is set, and PTE_RDONLY cleared if it is dirty already."""
    def pte_mkyoung(self, pte: int) -> int:
        """Return the entry marked accessed (PTE_AF)."""
    def pte_modify(self, pte: int, newprot: int) -> int:
        """Return the entry with protection `newprot`; the frame, accessed, dirty and software's bits stay."""
    def pte_none(self, pte: int) -> bool:
        """Return whether the entry is empty: all its bits are zero."""
    def pte_offset_kernel(self, pmdp: int, addr: int) -> int:
        """Return the address of the PTE for `addr`, in the table that `*pmdp` points to."""
    def pte_offset_map_lock(self, mm: MmStruct, pmdp: int, addr: int) -> tuple[int, Lock | None]:
        """Lock the PTE table of `addr`; return the address of its PTE and the lock, or 0 and None without a table."""
    def pte_page(self, pte: int) -> Page:
        """Return the `struct page` of the frame that an entry maps."""
    def pte_pfn(self, pte: int) -> int:
        """Return the number of the frame that an entry maps."""
    def pte_pgprot(self, pte: int) -> int:
        """Return the protection of an entry: all its bits but the frame."""
    def pte_pmd(self, pte: int) -> int:
        """Return a PTE as a PMD entry: the word is the same."""
    def pte_present(self, pte: int) -> bool:
        """Return whether the entry maps a page, for hardware or for software only."""
    def pte_present_invalid(self, pte: int) -> bool:
        """Return whether the entry is present to software only: an access through it faults."""
    def pte_protnone(self, pte: int) -> bool:
        """Return whether the entry is PROT_NONE: present to software only, and EL0 may neither read nor execute it."""
    def pte_protnone_tests(self, args: PgtableDebugArgs) -> None:
        """A PTE with the protection PROT_NONE is recognised as such, and is present."""
    def pte_pud(self, pte: int) -> int:
        """Return a PTE as a PUD entry: the word is the same."""
    def pte_rdonly(self, pte: int) -> bool:
        """Return whether PTE_RDONLY is set: a store faults, unless hardware manages the dirty state."""
    def pte_same(self, a: int, b: int) -> bool:
        """Return whether two entries are equal."""
    def pte_soft_dirty(self, pte: int) -> bool:
        """Return False: arm64 does not support soft-dirty, so the generic stub is used."""
    def pte_soft_dirty_tests(self, args: PgtableDebugArgs) -> None:
        """A PTE can be made soft-dirty and not soft-dirty: with CONFIG_MEM_SOFT_DIRTY, which arm64 does not have."""
    def pte_special(self, pte: int) -> bool:
        """Return whether mm must not use a `struct page` for the frame: it has none, or it is the zero page."""
    def pte_special_tests(self, args: PgtableDebugArgs) -> None:
        """A PTE that was made special is special."""
    def pte_sw_dirty(self, pte: int) -> bool:
        """Return whether software marked the page dirty (PTE_DIRTY)."""
    def pte_swap_exclusive_tests(self, args: PgtableDebugArgs) -> None:
        """The exclusive mark of a swap entry can be set and cleared without changing its type and offset."""
    def pte_swap_soft_dirty_tests(self, args: PgtableDebugArgs) -> None:
        """A swap entry can be made soft-dirty and not: with CONFIG_MEM_SOFT_DIRTY, which arm64 does not have."""
    def pte_swap_tests(self, args: PgtableDebugArgs) -> None:
        """The page frame number in a PTE survives the conversion to a swap entry and back."""
    def pte_swp_clear_exclusive(self, pte: int) -> int:
        """Return the swap entry not marked exclusive: the page may be shared."""
    def pte_swp_clear_flags(self, pte: int) -> int:
        """Return a PTE that is a swap entry with the exclusive and soft-dirty flags cleared."""
    def pte_swp_clear_soft_dirty(self, pte: int) -> int:
        """Return the PTE unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    def pte_swp_exclusive(self, pte: int) -> bool:
        """Return whether the swap entry is marked exclusive: the page belongs to one process only."""
    def pte_swp_mkexclusive(self, pte: int) -> int:
        """Return the swap entry marked exclusive: the anonymous page belongs to one process only."""
    def pte_swp_mksoft_dirty(self, pte: int) -> int:
        """Return the PTE unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    def pte_swp_soft_dirty(self, pte: int) -> bool:
        """Return False: arm64 does not support soft-dirty, so the generic stub is used."""
    def pte_tagged(self, pte: int) -> bool:
        """Return whether the memory type of the page is Normal Tagged (MTE)."""
    def pte_to_swp_entry(self, pte: int) -> int:
        """Return mm's swap entry in a PTE, without the flags that may be beside it."""
    def pte_unmap_unlock(self, ptep: int, lock: Lock) -> None:
        """Release the lock of a PTE table that `pte_offset_map_lock()` took."""
    def pte_user(self, pte: int) -> bool:
        """Return whether EL0 may read the page (PTE_USER); False for execute-only pages."""
    def pte_user_exec(self, pte: int) -> bool:
        """Return whether EL0 may execute the page (PTE_UXN is clear)."""
    def pte_valid(self, pte: int) -> bool:
        """Return whether the entry is valid to hardware (PTE_VALID)."""
    def pte_valid_cont(self, pte: int) -> bool:
        """Return whether the entry is valid and one of a contiguous run."""
    def pte_valid_not_user(self, pte: int) -> bool:
        """Return whether the entry is valid and the kernel's own: PTE_USER clear, PTE_UXN set."""
    def pte_write(self, pte: int) -> bool:
        """Return whether the page is writable (PTE_WRITE), if only after a fault that marks it dirty."""
    def pte_wrprotect(self, pte: int) -> int:
        """Return the entry made read-only; if hardware marked it dirty, PTE_DIRTY is set to keep that."""
    def pte_young(self, pte: int) -> bool:
        """Return whether the page was accessed (PTE_AF, the access flag)."""
    def ptep_clear(self, mm: MmStruct, addr: int, ptep: int) -> None:
        """Set the entry at `ptep` to none and discard what it was."""
    def ptep_get(self, ptep: int) -> int:
        """Return the entry at `ptep`; in a contiguous run it is young or dirty if any entry of the run is."""
    def ptep_get_and_clear(self, mm: MmStruct, addr: int, ptep: int) -> int:
        """Set the entry at `ptep` to none and return what it was."""
    def ptep_get_and_clear_full(self, mm: MmStruct, addr: int, ptep: int, full: int) -> int:
        """Set the entry at `ptep` to none and return what it was."""
    def ptep_get_lockless(self, ptep: int) -> int:
        """Return the entry at `ptep` without the lock: the model runs one CPU, so `ptep_get()` does."""
    def ptep_set_access_flags(self, vma: VmAreaStruct | None, addr: int, ptep: int, entry: int, dirty: int) -> bool:
        """Add to the entry at `ptep` what `entry` permits: accessed, dirty and writable; return whether anything changed."""
    def ptep_set_wrprotect(self, mm: MmStruct, addr: int, ptep: int) -> None:
        """Make the entry at `ptep` read-only, and keep it dirty if hardware marked it so."""
    def ptep_test_and_clear_young(self, vma: VmAreaStruct | None, addr: int, ptep: int) -> bool:
        """Mark the entry at `ptep` not accessed and return whether it was accessed."""
    def ptlock_init(self, ptdesc: Page) -> None:
        """Initialise the lock of a new table, not held."""
    def pud_access_permitted(self, pud: int, write: bool) -> bool:
        """Return whether EL0 may access the huge page through this entry: read it, and write it if `write`."""
    def pud_advanced_tests(self, args: PgtableDebugArgs) -> None:
        """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""
    def pud_alloc(self, mm: MmStruct, p4dp: int, addr: int) -> int:
        """Return the address of the PUD entry for `addr`, with its table allocated if need be; 0 without memory."""
    def pud_alloc_one(self, mm: MmStruct, addr: int) -> int:
        """Allocate a PUD table with its constructor and return its address, or 0 without memory."""
    def pud_bad(self, pud: int) -> bool:
        """Return whether the PUD entry does not point to a table."""
    def pud_basic_tests(self, args: PgtableDebugArgs, idx: int) -> None:
        """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""
    def pud_clear(self, pudp: int) -> None:
        """Set the PUD entry at `pudp` to none."""
    def pud_clear_huge(self, pudp: int) -> bool:
        """Set a PUD entry that maps a block to none; return whether it mapped one."""
    def pud_clear_tests(self, args: PgtableDebugArgs) -> None:
        """Clearing a PUD entry leaves it empty (none), whatever bits it had."""
    def pud_devmap(self, pud: int) -> bool:
        """Return False: arm64 has no transparent huge pages of PUD size, so none maps ZONE_DEVICE memory."""
    def pud_devmap_tests(self, args: PgtableDebugArgs) -> None:
        """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""
    def pud_free(self, mm: MmStruct, pud: int) -> None:
        """Free a PUD table with its destructor; do nothing with the PUD folded."""
    def pud_huge_tests(self, args: PgtableDebugArgs) -> None:
        """`pud_set_huge()` maps a block of PUD size for the kernel, and `pud_clear_huge()` leaves the entry empty."""
    def pud_index(self, addr: int) -> int:
        """Return the index of `addr` in a PUD table."""
    def pud_leaf(self, pud: int) -> bool:
        """Return False: with the PMD folded at compile time, `pmd_leaf()` says whether the entry maps a block."""
    def pud_leaf_tests(self, args: PgtableDebugArgs) -> None:
        """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""
    def pud_lock(self, mm: MmStruct, pudp: int) -> Lock:
        """Take the lock for a PUD entry and return it: the address space's, because PUD tables have none."""
    def pud_mkhuge(self, pud: int) -> int:
        """Return the PUD entry with the type of a block (bit 1 clear)."""
    def pud_mkyoung(self, pud: int) -> int:
        """Return the PUD entry marked accessed (PTE_AF)."""
    def pud_none(self, pud: int) -> bool:
        """Return whether the PUD entry is empty: it maps no block, and there is no PMD table."""
    def pud_offset(self, p4dp: int, addr: int) -> int:
        """Return the address of the PUD entry for `addr`."""
    def pud_offset_lockless(self, p4dp: int, p4d: int, addr: int) -> int:
        """Return the address of the PUD entry for `addr`, given the value `p4d` that was read at `p4dp`."""
    def pud_pfn(self, pud: int) -> int:
        """Return the number of the first frame of the block that a PUD entry maps."""
    def pud_pgprot(self, pud: int) -> int:
        """Return the protection of a PUD entry that maps a block: all its bits but the frame."""
    def pud_populate(self, mm: MmStruct, pudp: int, pmdp: int) -> None:
        """Make the PUD entry at `pudp` point to the PMD table at `pmdp`."""
    def pud_populate_tests(self, args: PgtableDebugArgs) -> None:
        """A PUD entry that names a PMD table is not bad."""
    def pud_present(self, pud: int) -> bool:
        """Return whether the PUD entry is valid, or invalid to hardware and present to software."""
    def pud_pte(self, pud: int) -> int:
        """Return a PUD entry as a PTE, to use the PTE functions on it: the word is the same."""
    def pud_same(self, a: int, b: int) -> bool:
        """Return whether two PUD entries are equal."""
    def pud_sect(self, pud: int) -> bool:
        """Return whether the PUD entry maps a block and is valid to hardware; never with 64K pages or two levels."""
    def pud_sect_supported(self) -> bool:
        """Return whether Linux maps blocks of PUD size: with 4K pages only."""
    def pud_set_huge(self, pudp: int, phys: int, prot: int) -> bool:
        """Map a block by a PUD entry and return True; return False if the entry must not change in place."""
    def pud_table(self, pud: int) -> bool:
        """Return whether the PUD entry points to a table; always True with 64K pages or two levels."""
    def pud_thp_tests(self, args: PgtableDebugArgs) -> None:
        """Empty function: it needs CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD, which arm64 does not have in v6.9."""
    def pud_trans_huge(self, pud: int) -> bool:
        """Return False: arm64 has no transparent huge pages of PUD size, so the generic stub is used."""
    def pud_user(self, pud: int) -> bool:
        """Return False: with the PMD folded at compile time, a PUD entry maps no block."""
    def pud_user_exec(self, pud: int) -> bool:
        """Return False: with the PMD folded at compile time, a PUD entry maps no block."""
    def pud_valid(self, pud: int) -> bool:
        """Return False: with the PMD folded at compile time, hardware has no PUD entries."""
    def pud_write(self, pud: int) -> bool:
        """Return whether the huge page is writable (PTE_WRITE), if only after a fault that marks it dirty."""
    def pud_young(self, pud: int) -> bool:
        """Return whether the huge page was accessed (PTE_AF, the access flag)."""
    def pudp_get(self, pudp: int) -> int:
        """Return the PUD entry at `pudp`."""
    def put_page_testzero(self, page: Page) -> bool:
        """Drop a reference to `page`, and return whether it was the last one."""
    def read64(self, va: int) -> int:
        """Return the 64-bit word at `va`, as `READ_ONCE()` does."""
    def rmqueue(self, zone: Zone, order: int, migratetype: MigrateType) -> Page | None:
        """Take a block off the free lists of a zone; a block with a bad page stays off the lists, and the next is tried."""
    def section_to_usemap(self, ms: int) -> int:
        """The address of a section's pageblock flags, which follow its `struct mem_section_usage`."""
    def set_contig(self, mm: MmStruct, addr: int, ptep: int, pte: int, ncontig: int, pgsize: int) -> None:
        """Store the `ncontig` entries of a run, each mapping `pgsize` bytes, with the protection of `pte`."""
    def set_huge_pte_at(self, mm: MmStruct, addr: int, ptep: int, pte: int, sz: int) -> None:
        """Map a huge page of `sz` bytes at `addr`: store all its entries."""
    def set_pageblock_migratetype(self, page: Page, migratetype: int) -> None:
        """Set the migratetype of the pageblock that holds a page."""
    def set_pcppage_migratetype(self, page: Page, migratetype: int) -> None:
        """Note in `index` the migratetype of the free list that a page comes from or goes to."""
    def set_pfnblock_flags_mask(self, page: Page, flags: int, pfn: int, mask: int) -> None:
        """Set the flags in `mask` of the pageblock that holds frame `pfn` to `flags`; `page` is not used."""
    def set_pmd(self, pmdp: int, pmd: int) -> None:
        """Store `pmd` in the PMD entry at `pmdp`."""
    def set_pmd_at(self, mm: MmStruct, addr: int, pmdp: int, pmd: int) -> None:
        """Map a huge page at `addr`: store `pmd` in the PMD entry at `pmdp`."""
    def set_pmd_huge_pte(self, mm: MmStruct, pmdp: int, page: int) -> None:
        """Store the `struct page *` of the PTE table deposited last, or 0."""
    def set_pte(self, ptep: int, pte: int) -> None:
        """Store `pte` in the entry at `ptep` with PTE_CONT cleared."""
    def set_pte_at(self, mm: MmStruct, addr: int, ptep: int, pte: int) -> None:
        """Map one page at `addr`: store `pte` in the entry at `ptep`."""
    def set_pte_bit(self, pte: int, prot: int) -> int:
        """Return the entry with the bits of `prot` set."""
    def set_ptes(self, mm: MmStruct, addr: int, ptep: int, pte: int, nr: int) -> None:
        """Map `nr` consecutive pages from `addr` on: store `nr` entries from `ptep` on, the first of them `pte`."""
    def set_pud(self, pudp: int, pud: int) -> None:
        """Store `pud` in the PUD entry at `pudp`."""
    def show_mem(self) -> None:
        """Print how much memory is free, and for each zone the number of free blocks of each order."""
    def show_pte(self, addr: int) -> None:
        """Print the page-table entries for an address, from the pgd down to the first that does not name a table."""
    def show_regs(self) -> None:
        """Print pc, lr, sp and those registers whose values the model knows (`arch/arm64/kernel/process.c`)."""
    def show_trace(self, *below: str) -> None:
        """Print the call trace; `below` are the innermost frames, those of the functions that print it."""
    def snapshot_page(self, page: Page) -> tuple[Page, Page, int, int]:
        """Copy a page and its folio to the stack; return both copies, the number of the frame, and the page's index."""
    def sparse_init(self) -> None:
        """Make a `struct mem_section` for each section of RAM, with all of its pageblocks movable."""
    def spin_bug(self, what: str) -> None:
        """Report the wrong use of a lock."""
    def spin_lock(self, lock: Lock) -> None:
        """Take a lock and disable preemption; a lock that is already held is a recursion, which hangs the CPU."""
    def spin_unlock(self, lock: Lock) -> None:
        """Release a lock and enable preemption; releasing a lock that is not held is reported."""
    def steal_suitable_fallback(self, zone: Zone, page: Page, order: int, start_type: MigrateType) -> None:
        """Give a block to another migratetype, with as much of the pageblock around it as `can_steal_fallback()` allows."""
    def store(self, va: int, value: int, size: int) -> None:
        """Store the low `size` bytes of `value`, at most eight, little-endian at any address."""
    def swap_migration_tests(self, args: PgtableDebugArgs) -> None:
        """A migration entry is recognised as such, and keeps whether the page was writable."""
    def swp_entry(self, type: int, offset: int) -> int:
        """Return mm's swap entry for `offset` in swap file `type`."""
    def swp_entry_to_pmd(self, entry: int) -> int:
        """Return the PMD entry for mm's swap entry `entry`; 0 without CONFIG_ARCH_ENABLE_THP_MIGRATION."""
    def swp_entry_to_pte(self, entry: int) -> int:
        """Return the PTE for mm's swap entry `entry`."""
    def swp_offset(self, entry: int) -> int:
        """Return the offset of a swap entry: the page's place in the swap file, or a frame number."""
    def swp_offset_pfn(self, entry: int) -> int:
        """Return the frame number in a swap entry for a frame, without the flags above it."""
    def swp_type(self, entry: int) -> int:
        """Return the type of a swap entry: the number of the swap file, or what else the entry stands for."""
    def table_address(self, entry: int) -> int:
        """Return the physical address that `entry` holds (`__pte_to_phys()`; of a table, `pXd_page_paddr()`)."""
    def unpoison_page(self, page: Page) -> None:
        """Check that a page still holds its poison."""
    def validating(self, function: str, what: str, vm_flags: int | None = ...) -> None:
        """Print which test runs, as `pr_debug()` does in a kernel booted with `dyndbg="module debug_vm_pgtable +p"`."""
    def virt_to_page(self, va: int) -> Page:
        """Return the `struct page` of the frame at linear-map address `va`."""
    def vm_area_alloc(self, mm: MmStruct) -> VmAreaStruct | None:
        """Return a new mapping of `mm`; the kernel takes it from a cache, which the model leaves out."""
    def vm_area_free(self, vma: VmAreaStruct) -> None:
        """Free a mapping: nothing to do here, as the model does not allocate mappings from kernel memory."""
    def vm_get_page_prot(self, vm_flags: int) -> int:
        """Return the protection of a page in a mapping with flags `vm_flags`."""
    def warn_alloc(self, gfp: int, what: str) -> None:
        """Report an allocation that failed, its call trace and the state of memory: at most once in ten seconds."""
    def write64(self, va: int, value: int) -> None:
        """Store a 64-bit word at `va`, as `WRITE_ONCE()` does."""
    def zone_sizes_init(self) -> None:
        """Divide RAM into zones: ZONE_DMA is what 32 bits reach, unless the firmware names a device that reaches less."""
