"""PUD entries that map a block: huge pages of a gigabyte (`arch/arm64/include/asm/pgtable.h`).

Linux has such blocks with 4K pages alone, in the kernel's own mappings and for hugetlb. There are no transparent huge
pages of that size on arm64 (v6.9), so less is asked of a PUD entry than of a PMD entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


# The words of two levels are the same words.


@static_inline
def pud_pte(k: Kernel, pud: int) -> int:
    """A PUD entry read as a PTE."""
    return pud


@static_inline
def pte_pud(k: Kernel, pte: int) -> int:
    """And back."""
    return pte


# Making one, and what it maps.


@static_inline
def pfn_pud(k: Kernel, pfn: int, prot: int) -> int:
    """An entry for frame `pfn` and those after it."""
    return k.phys_to_entry(pfn << k.PAGE_SHIFT) | prot


@static_inline
def pud_pfn(k: Kernel, pud: int) -> int:
    """The first frame of the block."""
    return (k.table_address(pud) & -k.PUD_SIZE) >> k.PAGE_SHIFT


@static_inline
def pud_pgprot(k: Kernel, pud: int) -> int:
    """All of an entry but the frame."""
    return k.pfn_pud(k.pud_pfn(pud), 0) ^ pud


@static_inline
def mk_pud_sect_prot(k: Kernel, prot: int) -> int:
    """A page's protection as a block's."""
    return (prot & ~k.PUD_TABLE_BIT) | k.PUD_TYPE_SECT


# Table or block?


@static_inline
def pud_sect_supported(k: Kernel) -> bool:
    """Blocks at level 1 that Linux uses: with 4K pages alone."""
    return k.PAGE_SHIFT == 12


@static_inline
def pud_table(k: Kernel, pud: int) -> bool:
    """The entry names a table; with 64K pages or two levels it can name nothing else."""
    return k.PAGE_SHIFT == 16 or k.CONFIG_PGTABLE_LEVELS < 3 or pud & k.PUD_TYPE_MASK == k.PUD_TYPE_TABLE


@static_inline
def pud_sect(k: Kernel, pud: int) -> bool:
    """The entry maps a block; never with 64K pages or two levels."""
    return k.PAGE_SHIFT != 16 and k.CONFIG_PGTABLE_LEVELS >= 3 and pud & k.PUD_TYPE_MASK == k.PUD_TYPE_SECT


@static_inline
def pud_leaf(k: Kernel, pud: int) -> bool:
    """The entry maps a block."""
    return k.pud_present(pud) and not k.pud_table(pud)


@static_inline
def pud_trans_huge(k: Kernel, pud: int) -> bool:
    """Never: arm64 has no transparent huge pages of this size."""
    return False


# Asked and answered as of a PTE.


@static_inline
def pud_valid(k: Kernel, pud: int) -> bool:
    """Hardware may use the entry."""
    return k.pte_valid(k.pud_pte(pud))


@static_inline
def pud_same(k: Kernel, a: int, b: int) -> bool:
    """Two entries are one."""
    return a == b


@static_inline
def pud_young(k: Kernel, pud: int) -> bool:
    """Accessed."""
    return k.pte_young(k.pud_pte(pud))


@static_inline
def pud_write(k: Kernel, pud: int) -> bool:
    """May be written."""
    return k.pte_write(k.pud_pte(pud))


@static_inline
def pud_user(k: Kernel, pud: int) -> bool:
    """EL0 may read it."""
    return k.pte_user(k.pud_pte(pud))


@static_inline
def pud_user_exec(k: Kernel, pud: int) -> bool:
    """EL0 may execute it."""
    return k.pte_user_exec(k.pud_pte(pud))


@static_inline
def pud_devmap(k: Kernel, pud: int) -> bool:
    """Never."""
    return False


@static_inline
def pud_access_permitted(k: Kernel, pud: int, write: bool) -> bool:
    """User space may access it so."""
    return k.pte_access_permitted(k.pud_pte(pud), write)


@static_inline
def pud_mkhuge(k: Kernel, pud: int) -> int:
    """A block: bit 1 clear."""
    return pud & ~k.PUD_TABLE_BIT


@static_inline
def pud_mkyoung(k: Kernel, pud: int) -> int:
    """Accessed."""
    return k.pte_pud(k.pte_mkyoung(k.pud_pte(pud)))
