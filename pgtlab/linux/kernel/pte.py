"""What an entry that maps a page says, and saying it otherwise (`arch/arm64/include/asm/pgtable.h`).

An entry is a word; each `pte_mk...` takes one and gives another. A page is dirty if software says so (PTE_DIRTY), or if
hardware does, by clearing PTE_RDONLY in an entry that may be written (PTE_WRITE, which is the DBM bit)::

    dirty  writable   PTE_RDONLY  PTE_WRITE  PTE_DIRTY
      0       0           1           0          0
      0       1           1           1          0
      1       0           1           0          1
      1       1           0           1          either

An entry with PTE_PRESENT_INVALID and not PTE_VALID is invalid to hardware and present to software: PROT_NONE, or a huge
page about to be split. That is v6.10's encoding and the recorded kernels'; in v6.9 these two had a bit of their own
each, PTE_PROT_NONE (58) and PMD_PRESENT_INVALID (59). Soft-dirty arm64 has not got: what it asks is the generic stub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.mm import VmAreaStruct
    from pgtlab.linux.kernel.page import Page


# Making one, and what it maps.


@static_inline
def pfn_pte(k: Kernel, pfn: int, prot: int) -> int:
    """An entry that maps frame `pfn` with protection `prot`."""
    return k.phys_to_entry(pfn << k.PAGE_SHIFT) | prot


@static_inline
def mk_pte(k: Kernel, page: Page, prot: int) -> int:
    """An entry that maps `page`."""
    return k.pfn_pte(k.page_to_pfn(page), prot)


@static_inline
def pte_pfn(k: Kernel, pte: int) -> int:
    """The frame that an entry maps."""
    return k.table_address(pte) >> k.PAGE_SHIFT


@static_inline
def pte_page(k: Kernel, pte: int) -> Page:
    """The `struct page` of that frame."""
    return k.pfn_to_page(k.pte_pfn(pte))


@static_inline
def pte_pgprot(k: Kernel, pte: int) -> int:
    """All of an entry but the frame."""
    return k.pfn_pte(k.pte_pfn(pte), 0) ^ pte


@static_inline
def pte_advance_pfn(k: Kernel, pte: int, nr: int) -> int:
    """The same for the frame `nr` further on."""
    return k.pfn_pte(k.pte_pfn(pte) + nr, k.pte_pgprot(pte))


# Questions. But for none and present they make sense of a present entry alone.


@static_inline
def pte_none(k: Kernel, pte: int) -> bool:
    """The entry is empty."""
    return pte == 0


@static_inline
def pte_valid(k: Kernel, pte: int) -> bool:
    """Hardware may use the entry."""
    return pte & k.PTE_VALID != 0


@static_inline
def pte_present_invalid(k: Kernel, pte: int) -> bool:
    """Software reads the entry as if it were valid; an access faults."""
    return pte & (k.PTE_VALID | k.PTE_PRESENT_INVALID) == k.PTE_PRESENT_INVALID


@static_inline
def pte_present(k: Kernel, pte: int) -> bool:
    """The entry maps a page, for hardware or for software alone."""
    return k.pte_valid(pte) or k.pte_present_invalid(pte)


@static_inline
def pte_same(k: Kernel, a: int, b: int) -> bool:
    """Two entries are one."""
    return a == b


@static_inline
def pte_young(k: Kernel, pte: int) -> bool:
    """The page was accessed."""
    return pte & k.PTE_AF != 0


@static_inline
def pte_special(k: Kernel, pte: int) -> bool:
    """The frame has no `struct page` for mm to count references with."""
    return pte & k.PTE_SPECIAL != 0


@static_inline
def pte_devmap(k: Kernel, pte: int) -> bool:
    """The frame is a device's memory."""
    return pte & k.PTE_DEVMAP != 0


@static_inline
def pte_write(k: Kernel, pte: int) -> bool:
    """The page may be written, at once or after a fault that makes it dirty."""
    return pte & k.PTE_WRITE != 0


@static_inline
def pte_rdonly(k: Kernel, pte: int) -> bool:
    """A store faults now, unless hardware manages the dirty state."""
    return pte & k.PTE_RDONLY != 0


@static_inline
def pte_user(k: Kernel, pte: int) -> bool:
    """EL0 may read it; execute-only pages it may not."""
    return pte & k.PTE_USER != 0


@static_inline
def pte_user_exec(k: Kernel, pte: int) -> bool:
    """EL0 may execute it."""
    return not pte & k.PTE_UXN


@static_inline
def pte_cont(k: Kernel, pte: int) -> bool:
    """One of a contiguous run that the TLB may hold as one."""
    return pte & k.PTE_CONT != 0


@static_inline
def pte_valid_cont(k: Kernel, pte: int) -> bool:
    """Valid, and one of a contiguous run."""
    return k.pte_valid(pte) and k.pte_cont(pte)


@static_inline
def pte_valid_not_user(k: Kernel, pte: int) -> bool:
    """A valid entry of the kernel's: all of them have PTE_UXN."""
    return pte & (k.PTE_VALID | k.PTE_USER | k.PTE_UXN) == k.PTE_VALID | k.PTE_UXN


@static_inline
def pte_tagged(k: Kernel, pte: int) -> bool:
    """The memory type is Normal Tagged."""
    return pte & k.PTE_ATTRINDX_MASK == k.MT_NORMAL_TAGGED << 2


@static_inline
def pte_hw_dirty(k: Kernel, pte: int) -> bool:
    """Dirty by what hardware may have done: writable, and read-only no longer."""
    return k.pte_write(pte) and not k.pte_rdonly(pte)


@static_inline
def pte_sw_dirty(k: Kernel, pte: int) -> bool:
    """Dirty by software's own note."""
    return pte & k.PTE_DIRTY != 0


@static_inline
def pte_dirty(k: Kernel, pte: int) -> bool:
    """The page was written, by either's account."""
    return k.pte_sw_dirty(pte) or k.pte_hw_dirty(pte)


@static_inline
def pte_protnone(k: Kernel, pte: int) -> bool:
    """PROT_NONE: present, invalid, and neither user's nor executable, which no huge page being split is.

    Always no without NUMA balancing, which has nobody to ask.
    """
    if not k.CONFIG_NUMA_BALANCING:
        return False
    return k.pte_present_invalid(pte) and not k.pte_user(pte) and not k.pte_user_exec(pte)


@static_inline
def pte_access_permitted(k: Kernel, pte: int, write: bool) -> bool:
    """User space may access it so: a valid user entry, not an execute-only one, and writable if need be."""
    valid_user = k.PTE_VALID | k.PTE_USER
    return pte & valid_user == valid_user and (not write or k.pte_write(pte))


@static_inline
def pte_soft_dirty(k: Kernel, pte: int) -> bool:
    """Never: arm64 has no bit for it."""
    return False


@static_inline
def pte_mksoft_dirty(k: Kernel, pte: int) -> int:
    """As it is."""
    return pte


@static_inline
def pte_clear_soft_dirty(k: Kernel, pte: int) -> int:
    """As it is."""
    return pte


# Changes.


@static_inline
def set_pte_bit(k: Kernel, pte: int, prot: int) -> int:
    """With these bits set."""
    return pte | prot


@static_inline
def clear_pte_bit(k: Kernel, pte: int, prot: int) -> int:
    """With these bits cleared."""
    return pte & ~prot


@static_inline
def pte_mkwrite(k: Kernel, pte: int, vma: VmAreaStruct | None) -> int:
    """Writable; `vma` is for architectures with shadow stacks, which may be written and are not."""
    return k.pte_mkwrite_novma(pte)


@static_inline
def pte_mkwrite_novma(k: Kernel, pte: int) -> int:
    """Writable; and at once if it is known to be dirty, so that no fault need say so."""
    pte = k.set_pte_bit(pte, k.PTE_WRITE)
    return k.clear_pte_bit(pte, k.PTE_RDONLY) if k.pte_sw_dirty(pte) else pte


@static_inline
def pte_mkclean(k: Kernel, pte: int) -> int:
    """Not dirty by either's account."""
    return k.set_pte_bit(k.clear_pte_bit(pte, k.PTE_DIRTY), k.PTE_RDONLY)


@static_inline
def pte_mkdirty(k: Kernel, pte: int) -> int:
    """Dirty; by hardware's account too where it is writable."""
    pte = k.set_pte_bit(pte, k.PTE_DIRTY)
    return k.clear_pte_bit(pte, k.PTE_RDONLY) if k.pte_write(pte) else pte


@static_inline
def pte_wrprotect(k: Kernel, pte: int) -> int:
    """Not writable. What only hardware knew of its being dirty, software notes first."""
    if k.pte_hw_dirty(pte):
        pte = k.set_pte_bit(pte, k.PTE_DIRTY)
    return k.set_pte_bit(k.clear_pte_bit(pte, k.PTE_WRITE), k.PTE_RDONLY)


@static_inline
def pte_mkold(k: Kernel, pte: int) -> int:
    """Not accessed: the next access sets the flag, or faults where hardware does not."""
    return k.clear_pte_bit(pte, k.PTE_AF)


@static_inline
def pte_mkyoung(k: Kernel, pte: int) -> int:
    """Accessed."""
    return k.set_pte_bit(pte, k.PTE_AF)


@static_inline
def pte_mkspecial(k: Kernel, pte: int) -> int:
    """A frame without a `struct page` to count with."""
    return k.set_pte_bit(pte, k.PTE_SPECIAL)


@static_inline
def pte_mkdevmap(k: Kernel, pte: int) -> int:
    """A device's memory, which is special too."""
    return k.set_pte_bit(pte, k.PTE_DEVMAP | k.PTE_SPECIAL)


@static_inline
def pte_mkcont(k: Kernel, pte: int) -> int:
    """One of a contiguous run of pages: a page even if it was a block."""
    return k.set_pte_bit(k.set_pte_bit(pte, k.PTE_CONT), k.PTE_TYPE_PAGE)


@static_inline
def pte_mknoncont(k: Kernel, pte: int) -> int:
    """By itself."""
    return k.clear_pte_bit(pte, k.PTE_CONT)


@static_inline
def pte_mkpresent(k: Kernel, pte: int) -> int:
    """Valid."""
    return k.set_pte_bit(pte, k.PTE_VALID)


@static_inline
def pte_mkinvalid(k: Kernel, pte: int) -> int:
    """Invalid to hardware, and still present."""
    return k.clear_pte_bit(k.set_pte_bit(pte, k.PTE_PRESENT_INVALID), k.PTE_VALID)


@static_inline
def pte_mkhuge(k: Kernel, pte: int) -> int:
    """A block: bit 1 clear."""
    return pte & ~k.PTE_TABLE_BIT


@static_inline
def pte_modify(k: Kernel, pte: int, newprot: int) -> int:
    """The same page with another protection: accessed and dirty stay, as do the frame and software's bits."""
    mask = k.PTE_USER | k.PTE_PXN | k.PTE_UXN | k.PTE_RDONLY | k.PTE_PRESENT_INVALID | k.PTE_VALID | k.PTE_WRITE
    mask |= k.PTE_GP | k.PTE_ATTRINDX_MASK
    if k.pte_hw_dirty(pte):
        pte = k.set_pte_bit(pte, k.PTE_DIRTY)
    pte = (pte & ~mask) | (newprot & mask)
    return k.pte_mkdirty(pte) if k.pte_sw_dirty(pte) else pte


# Contiguous runs.


@static_inline
def pte_leaf_size(k: Kernel, pte: int) -> int:
    """How much the TLB may hold in one entry."""
    return k.CONT_PTE_SIZE if k.pte_cont(pte) else k.PAGE_SIZE


@static_inline
def pte_cont_addr_end(k: Kernel, addr: int, end: int) -> int:
    """Where the run that holds `addr` ends, or `end` where that comes first."""
    boundary = addr + k.CONT_PTE_SIZE & -k.CONT_PTE_SIZE
    return boundary if boundary - 1 < end - 1 else end
