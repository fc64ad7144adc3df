"""Bugs in what an entry says, and in the register that says how entries are read."""

from __future__ import annotations

from typing import Final

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.registers import TCR_EL1, TCR_EL2, PARange
from pgtlab.lab.bugs.address_space import both_views, grow, map_page, new_mm, new_page, some_address, switch_mm
from pgtlab.lab.bugs.bug import Bug
from pgtlab.lab.trees import commit
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mmap import PAN_EPAN, PRIVATE, SHARED

# Dirty.


@commit(
    "arm64: pgtable: Simplify pte_wrprotect()",
    name="wrprotect-cleans",
    does="pte_wrprotect() only removes write permission",
)
def pte_wrprotect(k: Kernel, pte: int) -> int:
    """Return the entry made read-only."""
    return k.set_pte_bit(k.clear_pte_bit(pte, k.PTE_WRITE), k.PTE_RDONLY)


def _write_then_fork(k: Kernel) -> str | None:
    """User space writes to a page; then fork() removes write permission, so that the next write copies."""
    mm, va, pfn = new_mm(k), some_address(k), new_page(k).pfn
    ptep = map_page(k, mm, va, pfn)
    walk = switch_mm(k, mm).translate(va, Access.WRITE, el=0)
    if isinstance(walk.outcome, Fault):  # the kernel marks it dirty where hardware does not
        dirty = k.pte_mkdirty(k.pte_mkwrite(k.ptep_get(ptep), None))
        k.ptep_set_access_flags(None, va, ptep, dirty, 1)
    elif walk.update is not None:
        k.memory.write64(walk.update.address, walk.update.after)
    written = k.ptep_get(ptep)
    k.ptep_set_wrprotect(mm, va, ptep)
    now = k.ptep_get(ptep)
    return None if k.pte_dirty(now) else f"{written:016x}, a page that was written, is {now:016x} after fork(): clean"


WRPROTECT_CLEANS: Final = Bug(
    pte_wrprotect,
    symptom="A page that was written counts as clean after fork(), and what was written may be dropped.",
    cause="Hardware that manages the dirty state marks a page written by clearing PTE_RDONLY, in an entry with "
    "PTE_WRITE. The software bit, PTE_DIRTY, is not set then. Removing write permission sets PTE_RDONLY and clears "
    "PTE_WRITE, so that the dirty state is lost unless PTE_DIRTY is set first. debug_vm_pgtable does not "
    "find this, because pte_mkdirty(), which it calls, sets both.",
    where="on CPUs with hardware management of the dirty state (FEAT_HAFDBS: TCR_EL1.HD)",
    shows=lambda boot: boot.tcr.HD == 1,
    exercise=_write_then_fork,
)


# Present.


@commit(
    "arm64: mm: Present is what hardware may use",
    name="present-is-valid",
    does="pmd_present() tests the valid bit and nothing else",
)
def pmd_present(k: Kernel, pmd: int) -> bool:
    """Return whether the PMD entry maps a block or points to a table."""
    return k.pmd_valid(pmd)


def _begin_to_split(k: Kernel) -> str | None:
    """A huge page is made invalid, as the first step of its split; mm looks at it before the second."""
    if not k.has_transparent_hugepage():
        return None
    mm, va = new_mm(k), some_address(k) & -k.PMD_SIZE
    pmdp, _ = grow(k, mm, va)
    pfn = (k.memory.base & -k.PMD_SIZE) >> k.PAGE_SHIFT
    prot = k.vm_get_page_prot(k.VM_READ | k.VM_WRITE | k.VM_SHARED)
    k.set_pmd_at(mm, va, pmdp, k.pmd_mkhuge(k.pfn_pmd(pfn, prot)))
    k.pmdp_invalidate(None, va, pmdp)
    pmd = k.pmdp_get(pmdp)
    return None if k.pmd_present(pmd) else f"a huge page that is being split, {pmd:016x}, is not present"


PRESENT_IS_VALID: Final = Bug(
    pmd_present,
    symptom="A huge page that is being split seems to be gone.",
    cause="To split a huge page the kernel first makes its entry invalid, so that no CPU uses it meanwhile. The page "
    "is still there: mm calls pmd_present(), and takes an entry that is neither none nor present for a swap "
    "entry. Hardware and software mean different things by one word: an entry may be present for only one of "
    "them, which is what PTE_PRESENT_INVALID says.",
    where="everywhere, with transparent huge pages",
    shows=lambda boot: bool(boot.config.constants.CONFIG_TRANSPARENT_HUGEPAGE),
    exercise=_begin_to_split,
)


# Address bits.


@commit(
    "arm64: mm: Leave shareability to the constants of protection_map",
    name="shared-is-address",
    does="user pages are Inner Shareable by their entries, on any CPU",
)
def adjust_protection_map(k: Kernel) -> int:
    """Set up `protection_map` for this CPU; an initcall that returns 0.

    Execute-only mappings need Enhanced PAN, which keeps the kernel from reading them by accident; other CPUs make them
    readable too.
    """
    k.protection_map = [k.constants[f"pgprot_val(PAGE_{name})"] for name in PRIVATE + SHARED]
    if k.boot.cpu.mmfr1.PAN >= PAN_EPAN:
        k.protection_map[k.VM_EXEC] = k.protection_map[k.VM_EXEC | k.VM_SHARED] = k._PAGE_EXECONLY
    return 0


SHARED_IS_ADDRESS: Final = Bug(
    adjust_protection_map,
    symptom="The MMU looks for a user page at a physical address above 3 PiB.",
    cause="With TCR_EL1.DS = 1 descriptors hold 52-bit addresses, and bits 9:8, which said Inner Shareable, become "
    "bits 51:50 of the address; shareability comes from TCR_EL1.SH0 for all pages. PTE_SHARED is both bits. Left in "
    "the protection, it adds 3 << 50 to every address. On a CPU without LPA2 the same kernel needs those bits "
    "as they were.",
    where="where LPA2 is enabled: 52-bit kernels with 4K or 16K pages on a CPU that has it",
    shows=lambda boot: boot.lpa2_is_enabled,
    exercise=both_views,
)


@commit(
    "arm64: mm: Pack the upper address bits by a constant shift",
    name="shift-of-64k",
    does="bits 51:48 of an address go to bits 15:12 of the entry, with any page size",
)
def phys_to_entry(k: Kernel, phys: int) -> int:
    """Return physical address `phys` as an entry holds it."""
    if k.CONFIG_ARM64_PA_BITS == 52:
        return (phys | phys >> 36) & k.PHYS_TO_PTE_ADDR_MASK
    return phys


def _map_a_device(k: Kernel) -> str | None:
    """Map the window of a device that lies in the middle of what the MMU can address: above all RAM."""
    return both_views(k, 1 << PARange(k.mmu.tcr.IPS).bits - 1 - k.PAGE_SHIFT)


SHIFT_OF_64K: Final = Bug(
    phys_to_entry,
    symptom="A device high up in physical memory is mapped somewhere else.",
    cause="A 64K-aligned address leaves bits 15:12 of a descriptor free, and there the 64K granule puts bits 51:48: a "
    "shift by 36. LPA2 keeps bits 49:48 in place and puts 51:50 in bits 9:8: a shift by 42. With the wrong "
    "shift the upper bits land among those of the page number, and other bits where 51:50 belong. As long as "
    "all memory lies below, both give the same.",
    where="with 4K or 16K pages, where physical addresses have 52 bits, for memory or devices above 48 bits",
    shows=lambda boot: boot.config.ARM64_LPA2 and boot.tcr.IPS is PARange.PA52,
    exercise=_map_a_device,
)


# Granules.


@commit(
    "arm64: proc: Use one constant for both granules",
    name="tg0-from-tg1",
    does="TCR_EL1.TG0 gets the number that TCR_EL1.TG1 has",
)
def __cpu_setup(k: Kernel) -> TCR_EL1 | TCR_EL2:
    """TCR_EL1, with one granule for both ranges."""
    tcr = k.boot.tcr
    return tcr.replace(TG0=int(tcr.TG1))


TG0_FROM_TG1: Final = Bug(
    __cpu_setup,
    symptom="The kernel runs, and the first access of user space faults.",
    cause="TG0 and TG1 name the granules of the two ranges, in two encodings: 4K, 64K and 16K are 0, 1 and 2 in TG0, "
    "and 16K, 4K and 64K are 1, 2 and 3 in TG1. The kernel's own range is right, so it boots. The MMU then splits "
    "user addresses at other bits than Linux does, and reads tables of another size.",
    where="everywhere",
    shows=lambda boot: True,
    exercise=both_views,
)
