"""What a good kernel does right with the entries of its tables, whatever bug of the catalogue it may have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.registers import PARange
from pgtlab.arch.walk import Translation
from pgtlab.lab.bugs.address_space import both_views, grow, map_page, new_mm, new_page, some_address, switch_mm
from pgtlab.linux.boot import Fold
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.pgtable import ENTRY_SIZE, TABLE_BIT
from pgtlab.linux.placement import RAM_BASE

_BELOW = {"pgd": "p4d", "p4d": "pud", "pud": "pmd", "pmd": "pte"}


def _points_to_a_table(k: Kernel, level: str) -> bool:
    """Whether entries of a level can point to a table: the level below is not folded."""
    return k.boot.folded.get(_BELOW[level], Fold.REAL) is Fold.REAL


def _words_of_entries(k: Kernel) -> Iterator[str]:
    """An entry is none if it is zero, and bad if it points to no table; above a folded level it is neither."""
    table = TABLE_BIT | k.PTE_VALID | k.phys_to_entry(new_page(k).pfn << k.PAGE_SHIFT)
    for level in _BELOW:
        real = _points_to_a_table(k, level)
        for word in 0, table, table & ~TABLE_BIT, table & ~(TABLE_BIT | k.PTE_VALID), k.PTE_VALID, 1 << 58:
            right = {"none": real and word == 0, "bad": real and word != table}
            for what, is_so in right.items():
                if bool(vars(k)[f"{level}_{what}"](word)) is not is_so:
                    yield f"a {level} entry, {word:016x}, is {'not ' if is_so else ''}{what}"


def _one_entry_is_cleared(k: Kernel) -> Iterator[str]:
    """An entry is cleared whatever it holds, and no other; above a folded level there is none to clear."""
    page = new_page(k)
    pa, count = page.pfn << k.PAGE_SHIFT, k.PAGE_SIZE // ENTRY_SIZE
    number = count // 3
    for level in _BELOW:
        words = np.full(count, 1 << 58, np.uint64)  # not valid, and not none
        k.memory.write(pa, words)
        vars(k)[f"{level}_clear"](k.__va(pa) + number * ENTRY_SIZE)
        words[number] = 0 if _points_to_a_table(k, level) else words[number]
        wrong = np.flatnonzero(k.memory.read(pa, count) != words)
        if wrong.size:
            left = k.memory.read64(pa + ENTRY_SIZE * int(wrong[0]))
            yield f"{level}_clear() for entry {number} of a table leaves {left:016x} in entry {wrong[0]}"


def _entries_without_a_table(k: Kernel) -> Iterator[str]:
    """Each entry on the way to a page loses the bit that makes it a table's: Linux's walk must end there."""
    mm, va = new_mm(k), some_address(k)
    map_page(k, mm, va, new_page(k).pfn)
    for step in switch_mm(k, mm).translate(va).steps:
        entry = k.__va(step.address)
        word = k.read64(entry)
        for changed in word & ~TABLE_BIT, word & ~(TABLE_BIT | k.PTE_VALID):
            k.write64(entry, changed)
            if step.level < LAST_LEVEL and k.entries_of(mm, va)[-1][0] == "pte":
                yield (
                    f"Linux walks through an entry of level {step.level} that does not point to a table, {changed:016x}"
                )
        k.write64(entry, word)


def _entries_that_are_present(k: Kernel) -> Iterator[str]:
    """A PMD entry with a table, or of a huge page being split, is present; an empty one and a swap entry are not.

    A swap entry holds its type and offset in place of a descriptor.
    """
    mm, va, pfn = new_mm(k), some_address(k), new_page(k).pfn
    pmdp, _ = grow(k, mm, va)
    words = [("with a table", k.pmdp_get(pmdp), True), ("empty", 0, False)]
    words += [
        ("swapped out", k.__swp_entry_to_pmd(k.__swp_entry(kind, at)), False)
        for kind in (1, 30)
        for at in (pfn, (1 << 40) - 1)
    ]
    huge = k.pmd_mkhuge(k.pfn_pmd(pfn, k.vm_get_page_prot(k.VM_READ)))
    if k.CONFIG_TRANSPARENT_HUGEPAGE:
        words += [("being split", k.pmd_mkinvalid(each), True) for each in (k.pmd_mkyoung(huge), k.pmd_mkold(huge))]
    if bool(k.has_transparent_hugepage()) is not bool(k.CONFIG_TRANSPARENT_HUGEPAGE):
        yield "has_transparent_hugepage() does not say what this kernel was built with"
    for what, word, present in words:
        if bool(k.pmd_present(word)) is not present:
            yield f"a PMD entry, {what}, is {'present' if not present else 'not present'}: {word:016x}"


def _accessed_for_the_first_time(k: Kernel) -> Iterator[str]:
    """A page is read for the first time: its entry is young then, and nothing else in the table has changed."""
    mm, va = new_mm(k), some_address(k)
    ptep = map_page(k, mm, va, new_page(k).pfn)
    old = k.pte_mkold(k.read64(ptep))
    k.write64(ptep, old)
    said = [bool(k.ptep_set_access_flags(None, va, ptep, k.pte_mkyoung(old), 0)) for _ in range(2)]
    if said != [True, False] or k.read64(ptep) != k.pte_mkyoung(old):
        yield f"ptep_set_access_flags() says {said[0]}, then {said[1]}, and makes {k.read64(ptep):016x} of {old:016x}"


def _runs_of_contiguous_entries(k: Kernel) -> Iterator[str]:
    """In a run whose first page was read, the second is read: what they map is the same as before.

    The kernel may mark the others of the run accessed too, as the MMU may use any entry for all.
    """
    if not k.CONFIG_ARM64_CONTPTE:
        return
    mm, va = new_mm(k), some_address(k) & -k.CONT_PTE_SIZE
    _, ptep = grow(k, mm, va)
    block = k.alloc_pages(k.CONT_PTE_SHIFT - k.PAGE_SHIFT)
    assert block is not None
    prot = k.vm_get_page_prot(k.VM_READ | k.VM_WRITE | k.VM_SHARED) | k.PTE_CONT
    old = [k.pte_mkold(k.pfn_pte(block.pfn + number, prot)) for number in range(k.CONT_PTES)]
    pa = k.__pa(ptep)
    k.memory.write(pa, np.array([k.pte_mkyoung(old[0]), *old[1:]], np.uint64))
    second = ptep + ENTRY_SIZE
    k.ptep_set_access_flags(None, va + k.PAGE_SIZE, second, k.pte_mkyoung(k.ptep_get(second)), 0)
    now = [int(word) for word in k.memory.read(pa, k.CONT_PTES)]
    if not k.pte_young(now[1]) or [k.pte_mkold(word) for word in now] != old:
        number = next((number for number, word in enumerate(now) if k.pte_mkold(word) != old[number]), 1)
        yield f"a page of a contiguous run is read, and entry {number} is {now[number]:016x}: it was {old[number]:016x}"
    k.write64(ptep, k.pte_mkdirty(now[0]))
    if not k.pte_dirty(k.ptep_get(second)):
        yield "a page of a contiguous run was written, and the run does not count as dirty"


def _write_protected(k: Kernel) -> Iterator[str]:
    """Pages that were written, as hardware or as software says so, and one that was not, lose write permission."""
    clean = k.pfn_pte(new_page(k).pfn, k.vm_get_page_prot(k.VM_READ | k.VM_WRITE | k.VM_SHARED))
    for protect in k.pte_wrprotect, k.pmd_wrprotect:
        for word, dirty in (clean, False), (clean & ~k.PTE_RDONLY, True), (k.pte_mkdirty(clean), True):
            now = protect(word)
            if (bool(now & k.PTE_WRITE), bool(k.pte_dirty(now))) != (False, dirty) or not now & k.PTE_RDONLY:
                yield f"{word:016x}, {'dirty' if dirty else 'clean'}, is {now:016x} without write permission"


def _high_addresses(k: Kernel) -> Iterator[str]:
    """Devices above 48 bits, each at another power of two: the MMU goes where Linux mapped them."""
    for bit in range(48, PARange(k.mmu.tcr.IPS).bits):
        if seen := both_views(k, 1 << bit - k.PAGE_SHIFT):
            yield seen


def _huge_blocks(k: Kernel) -> Iterator[str]:
    """The first gigabyte of RAM is mapped by one entry, which may become read-only in place, and is unmapped once."""
    supported = k.PAGE_SHIFT == 12 and not k.CONFIG_PTDUMP_DEBUGFS
    if bool(k.arch_vmap_pud_supported(0)) is not supported:
        yield f"blocks of {k.PUD_SIZE:#x} bytes are {'not ' if supported else ''}supported"
    if not supported:
        return
    mm, va = new_mm(k), some_address(k) & -k.PUD_SIZE
    pudp = k.pud_alloc(mm, k.p4d_alloc(mm, k.pgd_offset(mm, va), va), va)
    done = k.pud_set_huge(pudp, RAM_BASE, k.PROT_NORMAL)
    outcome = switch_mm(k, mm).translate(va).outcome
    if done != (isinstance(outcome, Translation) and outcome.pa == RAM_BASE):
        yield f"pud_set_huge() says {done}, and the MMU has {outcome}"
    block = k.read64(pudp)
    if k.pud_set_huge(pudp, RAM_BASE + k.PUD_SIZE, k.PROT_NORMAL) or k.read64(pudp) != block:
        yield f"the block {block:016x}, in use, becomes {k.read64(pudp):016x}, another frame, without break before make"
    done = k.pud_set_huge(pudp, RAM_BASE, k.PROT_NORMAL & ~k.PTE_WRITE | k.PTE_RDONLY)
    if not done or not isinstance(switch_mm(k, mm).translate(va, Access.WRITE).outcome, Fault):
        yield f"a block of {k.PUD_SIZE:#x} bytes is made read-only, and the MMU still writes to it"
    cleared = [bool(k.pud_clear_huge(pudp)) for _ in range(2)]
    if cleared != [True, False] or k.read64(pudp):
        yield f"pud_clear_huge() says {cleared[0]}, then {cleared[1]}, and leaves {k.read64(pudp):016x}"
    k.pmd_alloc(mm, pudp, va)
    if k.pud_clear_huge(pudp) or not k.read64(pudp):
        yield "pud_clear_huge() takes a table for a block"


EXERCISES = (
    _entries_without_a_table,
    _words_of_entries,
    _one_entry_is_cleared,
    _entries_that_are_present,
    _accessed_for_the_first_time,
    _runs_of_contiguous_entries,
    _write_protected,
    _high_addresses,
    _huge_blocks,
)
