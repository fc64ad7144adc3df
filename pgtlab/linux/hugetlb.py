"""Huge pages that are asked for (`asm-generic/hugetlb.h`, `arch/arm64/mm/hugetlbpage.c`).

Their entries are passed about as PTEs, whichever level they are of. Beside the sizes of a block arm64 has those of a
contiguous run of pages or of blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.page import Page


@static_inline
def mk_huge_pte(k: Kernel, page: Page, prot: int) -> int:
    """An entry for a huge page, which `arch_make_huge_pte()` is still to make huge."""
    return int(k.mk_pte(page, prot))


@static_inline
def huge_pte_write(k: Kernel, pte: int) -> bool:
    """May be written."""
    return bool(k.pte_write(pte))


@static_inline
def huge_pte_dirty(k: Kernel, pte: int) -> bool:
    """Written."""
    return bool(k.pte_dirty(pte))


@static_inline
def huge_pte_mkwrite(k: Kernel, pte: int) -> int:
    """Writable."""
    return int(k.pte_mkwrite_novma(pte))


@static_inline
def huge_pte_wrprotect(k: Kernel, pte: int) -> int:
    """Not writable."""
    return int(k.pte_wrprotect(pte))


@static_inline
def huge_pte_mkdirty(k: Kernel, pte: int) -> int:
    """Dirty."""
    return int(k.pte_mkdirty(pte))


@static_inline
def huge_pte_modify(k: Kernel, pte: int, newprot: int) -> int:
    """The same with another protection."""
    return int(k.pte_modify(pte, newprot))


@static_inline
def huge_pte_none(k: Kernel, pte: int) -> bool:
    """Empty."""
    return bool(k.pte_none(pte))


def arch_make_huge_pte(k: Kernel, entry: int, shift: int, flags: int) -> int:
    """The entry as one of a huge page of `1 << shift` bytes."""
    size = 1 << shift
    entry = k.pte_mkhuge(entry)
    if size == k.CONT_PTE_SIZE:
        return int(k.pte_mkcont(entry))
    if size == k.CONT_PMD_SIZE:
        return int(k.pmd_pte(k.pmd_mkcont(k.pte_pmd(entry))))
    if size not in (k.PUD_SIZE, k.PMD_SIZE):
        k.printk(f"arch_make_huge_pte: unrecognized huge page size {size:#x}")
    return entry


def arch_hugetlb_valid_size(k: Kernel, size: int) -> bool:
    """Huge pages of this size can be had."""
    if size == k.PUD_SIZE and k.CONFIG_PGTABLE_LEVELS > 2:
        return bool(k.pud_sect_supported())
    return size in (k.CONT_PMD_SIZE, k.PMD_SIZE, k.CONT_PTE_SIZE)


@static_inline
def num_contig_ptes(k: Kernel, size: int) -> tuple[int, int]:
    """How many entries a huge page of `size` takes, and what each of them maps."""
    if size == k.CONT_PMD_SIZE:
        return k.CONT_PMDS, k.PMD_SIZE
    if size == k.CONT_PTE_SIZE:
        return k.CONT_PTES, k.PAGE_SIZE
    k.WARN_ON(not k.arch_hugetlb_valid_size(size))
    return 1, size
