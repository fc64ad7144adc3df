"""PUD entries that map a block: huge pages of 1 GiB (`arch/arm64/include/asm/pgtable.h`).

Linux uses these blocks with 4K pages only, in the kernel's own mappings and for hugetlb. arm64 has no transparent huge
pages of PUD size (v6.9), so there are fewer functions than for PMD entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


# Conversion between levels.


@static_inline
def pud_pte(k: Kernel, pud: int) -> int:
    """Return a PUD entry as a PTE, to use the PTE functions on it: the word is the same."""
    return pud


@static_inline
def pte_pud(k: Kernel, pte: int) -> int:
    """Return a PTE as a PUD entry: the word is the same."""
    return pte


# Making an entry, and what it maps.


@static_inline
def pfn_pud(k: Kernel, pfn: int, prot: int) -> int:
    """Return a PUD entry for a block from frame `pfn` on; `pud_mkhuge()` gives it the type of a block."""
    return k.phys_to_entry(pfn << k.PAGE_SHIFT) | prot


@static_inline
def pud_pfn(k: Kernel, pud: int) -> int:
    """Return the number of the first frame of the block that a PUD entry maps."""
    return (k.table_address(pud) & -k.PUD_SIZE) >> k.PAGE_SHIFT


@static_inline
def pud_pgprot(k: Kernel, pud: int) -> int:
    """Return the protection of a PUD entry that maps a block: all its bits but the frame."""
    return k.pfn_pud(k.pud_pfn(pud), 0) ^ pud


@static_inline
def mk_pud_sect_prot(k: Kernel, prot: int) -> int:
    """Return the protection of a page, `prot`, with the type of a block."""
    return (prot & ~k.PUD_TABLE_BIT) | k.PUD_TYPE_SECT


# Table or block?


@static_inline
def pud_sect_supported(k: Kernel) -> bool:
    """Return whether Linux maps blocks of PUD size: with 4K pages only."""
    return k.PAGE_SHIFT == 12


@static_inline
def pud_table(k: Kernel, pud: int) -> bool:
    """Return whether the PUD entry points to a table; always True with 64K pages or two levels."""
    return k.PAGE_SHIFT == 16 or k.CONFIG_PGTABLE_LEVELS < 3 or pud & k.PUD_TYPE_MASK == k.PUD_TYPE_TABLE


@static_inline
def pud_sect(k: Kernel, pud: int) -> bool:
    """Return whether the PUD entry maps a block and is valid to hardware; never with 64K pages or two levels."""
    return k.PAGE_SHIFT != 16 and k.CONFIG_PGTABLE_LEVELS >= 3 and pud & k.PUD_TYPE_MASK == k.PUD_TYPE_SECT


@static_inline
def pud_leaf(k: Kernel, pud: int) -> bool:
    """Return whether the PUD entry maps a block, for hardware or for software only."""
    return k.pud_present(pud) and not k.pud_table(pud)


@static_inline
def pud_trans_huge(k: Kernel, pud: int) -> bool:
    """Return False: arm64 has no transparent huge pages of PUD size, so the generic stub is used."""
    return False


# Queries and changes, by the PTE functions.


@static_inline
def pud_valid(k: Kernel, pud: int) -> bool:
    """Return whether the PUD entry is valid to hardware (PTE_VALID)."""
    return k.pte_valid(k.pud_pte(pud))


@static_inline
def pud_same(k: Kernel, a: int, b: int) -> bool:
    """Return whether two PUD entries are equal."""
    return a == b


@static_inline
def pud_young(k: Kernel, pud: int) -> bool:
    """Return whether the huge page was accessed (PTE_AF, the access flag)."""
    return k.pte_young(k.pud_pte(pud))


@static_inline
def pud_write(k: Kernel, pud: int) -> bool:
    """Return whether the huge page is writable (PTE_WRITE), if only after a fault that marks it dirty."""
    return k.pte_write(k.pud_pte(pud))


@static_inline
def pud_user(k: Kernel, pud: int) -> bool:
    """Return whether EL0 may read the huge page (PTE_USER)."""
    return k.pte_user(k.pud_pte(pud))


@static_inline
def pud_user_exec(k: Kernel, pud: int) -> bool:
    """Return whether EL0 may execute the huge page (PTE_UXN is clear)."""
    return k.pte_user_exec(k.pud_pte(pud))


@static_inline
def pud_devmap(k: Kernel, pud: int) -> bool:
    """Return False: arm64 has no transparent huge pages of PUD size, so none maps ZONE_DEVICE memory."""
    return False


@static_inline
def pud_access_permitted(k: Kernel, pud: int, write: bool) -> bool:
    """Return whether EL0 may access the huge page through this entry: read it, and write it if `write`."""
    return k.pte_access_permitted(k.pud_pte(pud), write)


@static_inline
def pud_mkhuge(k: Kernel, pud: int) -> int:
    """Return the PUD entry with the type of a block (bit 1 clear)."""
    return pud & ~k.PUD_TABLE_BIT


@static_inline
def pud_mkyoung(k: Kernel, pud: int) -> int:
    """Return the PUD entry marked accessed (PTE_AF)."""
    return k.pte_pud(k.pte_mkyoung(k.pud_pte(pud)))
