"""Entries that map a page: what they say, and how they are changed (`arch/arm64/include/asm/pgtable.h`).

An entry is a 64-bit word; each `pte_mk...()` takes one and returns another. A page is dirty if software says so
(PTE_DIRTY), or if hardware does, by clearing PTE_RDONLY in a writable entry (PTE_WRITE, which is the DBM bit)::

    dirty  writable   PTE_RDONLY  PTE_WRITE  PTE_DIRTY
      0       0           1           0          0
      0       1           1           1          0
      1       0           1           0          1
      1       1           0           1          either

An entry with PTE_PRESENT_INVALID set and PTE_VALID clear is invalid to hardware and present to software: PROT_NONE, or
a huge page about to be split. This is v6.10's encoding, which the recorded kernels use; v6.9 has a bit for each of the
two, PTE_PROT_NONE (58) and PMD_PRESENT_INVALID (59). arm64 does not support soft-dirty, so those functions are the
generic stubs of `linux/pgtable.h`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import VmAreaStruct
    from pgtlab.linux.kernel.page import Page


# An entry that maps a page, with 4K pages and 48-bit addresses. Software owns bits 57:55, and hardware ignores them.
#
#     57      56       55     54   53   52    51     50  47:12  11  10  9:8     7       6     4:2       1          0
#     DEVMAP  SPECIAL  DIRTY  UXN  PXN  CONT  WRITE  GP  frame  NG  AF  SHARED  RDONLY  USER  ATTRINDX  TABLE_BIT  VALID


# Making an entry, and what it maps.


@static_inline
def pfn_pte(k: Kernel, pfn: int, prot: int) -> int:
    """Return an entry that maps frame `pfn` with protection `prot`."""
    return k.phys_to_entry(pfn << k.PAGE_SHIFT) | prot


@static_inline
def mk_pte(k: Kernel, page: Page, prot: int) -> int:
    """Return an entry that maps the frame of `page` with protection `prot`."""
    return k.pfn_pte(k.page_to_pfn(page), prot)


@static_inline
def pte_pfn(k: Kernel, pte: int) -> int:
    """Return the number of the frame that an entry maps."""
    return k.table_address(pte) >> k.PAGE_SHIFT


@static_inline
def pte_page(k: Kernel, pte: int) -> Page:
    """Return the `struct page` of the frame that an entry maps."""
    return k.pfn_to_page(k.pte_pfn(pte))


@static_inline
def pte_pgprot(k: Kernel, pte: int) -> int:
    """Return the protection of an entry: all its bits but the frame."""
    return k.pfn_pte(k.pte_pfn(pte), 0) ^ pte


@static_inline
def pte_advance_pfn(k: Kernel, pte: int, nr: int) -> int:
    """Return an entry with the same protection for the frame `nr` frames further on."""
    return k.pfn_pte(k.pte_pfn(pte) + nr, k.pte_pgprot(pte))


# Queries. All but none and present are meaningful for a present entry only.


@static_inline
def pte_none(k: Kernel, pte: int) -> bool:
    """Return whether the entry is empty: all its bits are zero."""
    return pte == 0


@static_inline
def pte_valid(k: Kernel, pte: int) -> bool:
    """Return whether the entry is valid to hardware (PTE_VALID)."""
    return pte & k.PTE_VALID != 0


@static_inline
def pte_present_invalid(k: Kernel, pte: int) -> bool:
    """Return whether the entry is present to software only: an access through it faults."""
    return pte & (k.PTE_VALID | k.PTE_PRESENT_INVALID) == k.PTE_PRESENT_INVALID


@static_inline
def pte_present(k: Kernel, pte: int) -> bool:
    """Return whether the entry maps a page, for hardware or for software only."""
    return k.pte_valid(pte) or k.pte_present_invalid(pte)


@static_inline
def pte_same(k: Kernel, a: int, b: int) -> bool:
    """Return whether two entries are equal."""
    return a == b


@static_inline
def pte_young(k: Kernel, pte: int) -> bool:
    """Return whether the page was accessed (PTE_AF, the access flag)."""
    return pte & k.PTE_AF != 0


@static_inline
def pte_special(k: Kernel, pte: int) -> bool:
    """Return whether mm must not use a `struct page` for the frame: it has none, or it is the zero page."""
    return pte & k.PTE_SPECIAL != 0


@static_inline
def pte_devmap(k: Kernel, pte: int) -> bool:
    """Return whether the entry maps ZONE_DEVICE memory (PTE_DEVMAP)."""
    return pte & k.PTE_DEVMAP != 0


@static_inline
def pte_write(k: Kernel, pte: int) -> bool:
    """Return whether the page is writable (PTE_WRITE), if only after a fault that marks it dirty."""
    return pte & k.PTE_WRITE != 0


@static_inline
def pte_rdonly(k: Kernel, pte: int) -> bool:
    """Return whether PTE_RDONLY is set: a store faults, unless hardware manages the dirty state."""
    return pte & k.PTE_RDONLY != 0


@static_inline
def pte_user(k: Kernel, pte: int) -> bool:
    """Return whether EL0 may read the page (PTE_USER); False for execute-only pages."""
    return pte & k.PTE_USER != 0


@static_inline
def pte_user_exec(k: Kernel, pte: int) -> bool:
    """Return whether EL0 may execute the page (PTE_UXN is clear)."""
    return not pte & k.PTE_UXN


@static_inline
def pte_cont(k: Kernel, pte: int) -> bool:
    """Return whether the entry is one of a contiguous run, which the TLB may hold as one entry."""
    return pte & k.PTE_CONT != 0


@static_inline
def pte_valid_cont(k: Kernel, pte: int) -> bool:
    """Return whether the entry is valid and one of a contiguous run."""
    return k.pte_valid(pte) and k.pte_cont(pte)


@static_inline
def pte_valid_not_user(k: Kernel, pte: int) -> bool:
    """Return whether the entry is valid and the kernel's own: PTE_USER clear, PTE_UXN set."""
    return pte & (k.PTE_VALID | k.PTE_USER | k.PTE_UXN) == k.PTE_VALID | k.PTE_UXN


@static_inline
def pte_tagged(k: Kernel, pte: int) -> bool:
    """Return whether the memory type of the page is Normal Tagged (MTE)."""
    return pte & k.PTE_ATTRINDX_MASK == k.MT_NORMAL_TAGGED << 2


@static_inline
def pte_hw_dirty(k: Kernel, pte: int) -> bool:
    """Return whether hardware may have marked the page dirty: it is writable, and PTE_RDONLY is clear."""
    return k.pte_write(pte) and not k.pte_rdonly(pte)


@static_inline
def pte_sw_dirty(k: Kernel, pte: int) -> bool:
    """Return whether software marked the page dirty (PTE_DIRTY)."""
    return pte & k.PTE_DIRTY != 0


@static_inline
def pte_dirty(k: Kernel, pte: int) -> bool:
    """Return whether the page was written, as marked by software or by hardware."""
    return k.pte_sw_dirty(pte) or k.pte_hw_dirty(pte)


@static_inline
def pte_protnone(k: Kernel, pte: int) -> bool:
    """Return whether the entry is PROT_NONE: present to software only, and EL0 may neither read nor execute it.

    A huge page that is being split is present to software only as well, and keeps the access of EL0. Without
    CONFIG_NUMA_BALANCING the generic stub returns False (`linux/pgtable.h`).
    """
    if not k.CONFIG_NUMA_BALANCING:
        return False
    return k.pte_present_invalid(pte) and not k.pte_user(pte) and not k.pte_user_exec(pte)


@static_inline
def pte_access_permitted(k: Kernel, pte: int, write: bool) -> bool:
    """Return whether EL0 may access the page through this entry: read it, and write it if `write`."""
    valid_user = k.PTE_VALID | k.PTE_USER
    return pte & valid_user == valid_user and (not write or k.pte_write(pte))


@static_inline
def pte_soft_dirty(k: Kernel, pte: int) -> bool:
    """Return False: arm64 does not support soft-dirty, so the generic stub is used."""
    return False


@static_inline
def pte_mksoft_dirty(k: Kernel, pte: int) -> int:
    """Return the entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    return pte


@static_inline
def pte_clear_soft_dirty(k: Kernel, pte: int) -> int:
    """Return the entry unchanged: arm64 does not support soft-dirty, so the generic stub is used."""
    return pte


# Changes.


@static_inline
def set_pte_bit(k: Kernel, pte: int, prot: int) -> int:
    """Return the entry with the bits of `prot` set."""
    return pte | prot


@static_inline
def clear_pte_bit(k: Kernel, pte: int, prot: int) -> int:
    """Return the entry with the bits of `prot` cleared."""
    return pte & ~prot


@static_inline
def pte_mkwrite(k: Kernel, pte: int, vma: VmAreaStruct | None) -> int:
    """Return the entry made writable; `vma` is for architectures with shadow stacks, and unused here."""
    return k.pte_mkwrite_novma(pte)


@static_inline
def pte_mkwrite_novma(k: Kernel, pte: int) -> int:
    """Return the entry made writable: PTE_WRITE is set, and PTE_RDONLY cleared if it is dirty already.

    A page that software knows to be dirty needs no fault to mark it so.
    """
    pte = k.set_pte_bit(pte, k.PTE_WRITE)
    return k.clear_pte_bit(pte, k.PTE_RDONLY) if k.pte_sw_dirty(pte) else pte


@static_inline
def pte_mkclean(k: Kernel, pte: int) -> int:
    """Return the entry made clean: PTE_DIRTY is cleared, and PTE_RDONLY set."""
    return k.set_pte_bit(k.clear_pte_bit(pte, k.PTE_DIRTY), k.PTE_RDONLY)


@static_inline
def pte_mkdirty(k: Kernel, pte: int) -> int:
    """Return the entry made dirty: PTE_DIRTY is set, and PTE_RDONLY cleared if it is writable."""
    pte = k.set_pte_bit(pte, k.PTE_DIRTY)
    return k.clear_pte_bit(pte, k.PTE_RDONLY) if k.pte_write(pte) else pte


@static_inline
def pte_wrprotect(k: Kernel, pte: int) -> int:
    """Return the entry made read-only; if hardware marked it dirty, PTE_DIRTY is set to keep that."""
    if k.pte_hw_dirty(pte):
        pte = k.set_pte_bit(pte, k.PTE_DIRTY)
    return k.set_pte_bit(k.clear_pte_bit(pte, k.PTE_WRITE), k.PTE_RDONLY)


@static_inline
def pte_mkold(k: Kernel, pte: int) -> int:
    """Return the entry marked not accessed: the next access sets PTE_AF, or faults where hardware does not."""
    return k.clear_pte_bit(pte, k.PTE_AF)


@static_inline
def pte_mkyoung(k: Kernel, pte: int) -> int:
    """Return the entry marked accessed (PTE_AF)."""
    return k.set_pte_bit(pte, k.PTE_AF)


@static_inline
def pte_mkspecial(k: Kernel, pte: int) -> int:
    """Return the entry marked special: mm must not use a `struct page` for the frame."""
    return k.set_pte_bit(pte, k.PTE_SPECIAL)


@static_inline
def pte_mkdevmap(k: Kernel, pte: int) -> int:
    """Return the entry marked as ZONE_DEVICE memory, which is special too."""
    return k.set_pte_bit(pte, k.PTE_DEVMAP | k.PTE_SPECIAL)


@static_inline
def pte_mkcont(k: Kernel, pte: int) -> int:
    """Return the entry as one of a contiguous run of pages, with the type of a page (bit 1 set)."""
    return k.set_pte_bit(k.set_pte_bit(pte, k.PTE_CONT), k.PTE_TYPE_PAGE)


@static_inline
def pte_mknoncont(k: Kernel, pte: int) -> int:
    """Return the entry with PTE_CONT cleared, so that it is not part of a contiguous run."""
    return k.clear_pte_bit(pte, k.PTE_CONT)


@static_inline
def pte_mkpresent(k: Kernel, pte: int) -> int:
    """Return the entry made valid (PTE_VALID)."""
    return k.set_pte_bit(pte, k.PTE_VALID)


@static_inline
def pte_mkinvalid(k: Kernel, pte: int) -> int:
    """Return the entry made invalid to hardware and still present to software."""
    return k.clear_pte_bit(k.set_pte_bit(pte, k.PTE_PRESENT_INVALID), k.PTE_VALID)


@static_inline
def pte_mkhuge(k: Kernel, pte: int) -> int:
    """Return the entry with the type of a block (bit 1 clear), as a huge page has."""
    return pte & ~k.PTE_TABLE_BIT


@static_inline
def pte_modify(k: Kernel, pte: int, newprot: int) -> int:
    """Return the entry with protection `newprot`; the frame, accessed, dirty and software's bits stay."""
    mask = k.PTE_USER | k.PTE_PXN | k.PTE_UXN | k.PTE_RDONLY | k.PTE_PRESENT_INVALID | k.PTE_VALID | k.PTE_WRITE
    mask |= k.PTE_GP | k.PTE_ATTRINDX_MASK
    if k.pte_hw_dirty(pte):
        pte = k.set_pte_bit(pte, k.PTE_DIRTY)
    pte = (pte & ~mask) | (newprot & mask)
    return k.pte_mkdirty(pte) if k.pte_sw_dirty(pte) else pte


# Contiguous runs.


@static_inline
def pte_leaf_size(k: Kernel, pte: int) -> int:
    """Return how many bytes the TLB may hold in one entry: a page, or a contiguous run of pages."""
    return k.CONT_PTE_SIZE if k.pte_cont(pte) else k.PAGE_SIZE


@static_inline
def pte_cont_addr_end(k: Kernel, addr: int, end: int) -> int:
    """Return the end address of the contiguous run of pages that holds `addr`, or `end` if that is lower."""
    boundary = addr + k.CONT_PTE_SIZE & -k.CONT_PTE_SIZE
    return boundary if boundary - 1 < end - 1 else end
