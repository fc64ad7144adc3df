"""Bugs about levels that do not exist: folded at compile time or at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pgtlab.lab.bugs.address_space import (
    both_views,
    free_pgtables,
    gup_fast,
    life,
    map_page,
    new_mm,
    new_page,
    some_address,
    switch_mm,
)
from pgtlab.lab.bugs.bug import Bug, last_report
from pgtlab.lab.trees import FOLD_PUDS_AT_RUNTIME, commit
from pgtlab.linux.boot import Boot, Fold
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.kernel.pgtable import ENTRY_SIZE, TABLE_BIT
from pgtlab.linux.kernel.printk import Panic
from pgtlab.linux.kernel.symbols import of_folded_level

if TYPE_CHECKING:
    from pgtlab.arch.walk import Walk


def _folds_at_run_time(boot: Boot) -> bool:
    return Fold.RUN_TIME in boot.folded.values()


def _pud_folds_at_run_time(boot: Boot) -> bool:
    return boot.folded["pud"] is Fold.RUN_TIME


def _pud_is_folded_and_pmd_is_not(boot: Boot) -> bool:
    return boot.folded["pud"] is not Fold.REAL and boot.folded["pmd"] is Fold.REAL


_RUN_TIME = "where a level folds at run time: 52-bit kernels with 4K or 16K pages on a CPU without LPA2"
_PUD_RUN_TIME = "where the PUD folds at run time: a 52-bit kernel with 16K pages on a CPU without LPA2"
_PUD_FOLDED = "where the PUD is folded, at compile time or at run time, and the PMD is not"


# A lockless walk.


@commit(
    "arm64: mm: Use the generic p4d_offset_lockless()",
    name="pgd-on-the-stack",
    does="without a P4D, a lockless walk continues from the address of its copy of the pgd entry",
)
@of_folded_level
def p4d_offset_lockless(k: Kernel, pgdp: int, pgd: int, addr: int) -> int:
    """Return `p4d_offset(&(pgd), address)`: the address of the P4D entry, from a copy of the pgd entry."""
    copy = k.stack.alloca(ENTRY_SIZE)
    k.write64(copy, pgd)
    return k.p4d_offset(copy, addr)


def _walk_without_locks(k: Kernel) -> str | None:
    mm, va, pfn = new_mm(k), some_address(k), new_page(k).pfn
    pte = k.read64(map_page(k, mm, va, pfn))
    walked = gup_fast(k, mm, va)
    return None if walked == pte else f"{va:#x} is mapped by {pte:016x}, and the lockless walk reads {walked:016x}"


PGD_ON_THE_STACK: Final = Bug(
    p4d_offset_lockless,
    symptom="A lockless walk does not find a page that is mapped.",
    cause="A lockless walk reads each entry once, into a local variable, and continues from the value. For a level "
    "that is folded at run time the value does not help: its entry is found by going back to the start of the "
    "page that holds the entry above, and indexing again. With the address of the variable that page is the "
    "stack, and the walk reads whatever is there as page table entries.",
    where=_PUD_RUN_TIME,
    shows=_pud_folds_at_run_time,
    exercise=_walk_without_locks,
    upstream=f"{FOLD_PUDS_AT_RUNTIME.id} {FOLD_PUDS_AT_RUNTIME.subject}",
)


# The page that is the table.


def pgd_to_folded_p4d(k: Kernel, pgdp: int, addr: int) -> int:
    """Return `pgdp`: with the P4D folded, the pgd entry is the P4D entry."""
    return pgdp


@commit(
    "arm64: mm: Fold at run time as at compile time",
    name="fold-without-index",
    does="a level folded at run time is the entry above it, as in the pgtable-nop*d.h headers",
    also=[pgd_to_folded_p4d],
)
def p4d_to_folded_pud(k: Kernel, p4dp: int, addr: int) -> int:
    """Return `p4dp`: with the PUD folded, the P4D entry is the PUD entry."""
    return p4dp


FOLD_WITHOUT_INDEX: Final = Bug(
    p4d_to_folded_pud,
    symptom="What Linux maps, the MMU does not find.",
    cause="A level that the compiler folds has one entry, so the entry above can stand for it. At run time the "
    "constants stay: the index of the pgd comes from bits that addresses no longer use, and is 0 for every user "
    "address. The MMU indexes its first table with the bits of the level below. Without indexing again, Linux "
    "puts everything at entry 0, and the MMU, which looks further on in the same page, finds an invalid "
    "descriptor.",
    where=_RUN_TIME,
    shows=_folds_at_run_time,
    exercise=both_views,
)


@commit(
    "arm64: mm: Simplify pgdir_is_page_size()",
    name="small-pgd",
    does="a pgd with few entries comes from a cache of small objects, folded or not",
)
def pgdir_is_page_size(k: Kernel) -> bool:
    """Return whether a pgd takes a whole page: it does if it has that many entries."""
    return k.PTRS_PER_PGD * ENTRY_SIZE == k.PAGE_SIZE


def _two_processes(k: Kernel) -> str | None:
    va = some_address(k)
    first, second = new_mm(k), new_mm(k)
    map_page(k, first, va, new_page(k).pfn)
    *_, (level, entry) = k.entries_of(second, va)
    return f"a process that mapped nothing has {level}={entry:016x} for {va:#x}" if level == "pte" and entry else None


SMALL_PGD: Final = Bug(
    pgdir_is_page_size,
    symptom="A process sees the memory of another.",
    cause="PTRS_PER_PGD is a compile-time constant for 52 bits: 16 or 32 entries, a small object. Once "
    "the level below is folded, its table is the page that holds the pgd, all of it. With pgds of several "
    "processes cut from one page, each process goes back to the start of that page, and they all use the same "
    "table.",
    where=_RUN_TIME,
    shows=_folds_at_run_time,
    exercise=_two_processes,
)


# Predicates that must know about folding.


@commit(
    "arm64: mm: Simplify p4d_none()",
    name="folded-is-none",
    does="a P4D entry of zero is none, whether or not there is such a level",
)
def p4d_none(k: Kernel, p4d: int) -> bool:
    """Return whether the P4D entry is empty, so that there is no PUD table."""
    return p4d == 0


FOLDED_IS_NONE: Final = Bug(
    p4d_none,
    symptom="Each address space loses a page, allocated as a PUD table.",
    cause="A folded table is never absent: it is the page above. With a folded P4D, the entry is really one of the "
    "PUD, and zero only says that nothing is mapped there yet. So __pud_alloc() allocates a table; "
    "p4d_populate(), which knows about folding, does not link it; and nothing can ever find it to free it.",
    where=_PUD_RUN_TIME,
    shows=_pud_folds_at_run_time,
    exercise=life,
)


@commit(
    "arm64: mm: Simplify p4d_bad()",
    name="folded-is-bad",
    does="a P4D entry that does not point to a table is bad, whether or not there is such a level",
)
def p4d_bad(k: Kernel, p4d: int) -> bool:
    """Return whether the P4D entry does not point to a table."""
    return not p4d & TABLE_BIT


FOLDED_IS_BAD: Final = Bug(
    p4d_bad,
    symptom="Linux's walk stops at the top, while the MMU's reaches the page.",
    cause="With the PUD folded at run time the pgd's page is the PUD table, and the word that is read as the P4D entry "
    "is its first entry, for the lowest addresses. If nothing is mapped there it is zero. Taken for a P4D "
    "entry it does not point to a table, so every walk to a higher address stops at once.",
    where=_PUD_RUN_TIME,
    shows=_pud_folds_at_run_time,
    exercise=both_views,
)


@commit(
    "arm64: mm: Use the generic mm_pud_folded()",
    name="folded-is-accounted",
    does="mm counts PUD tables unless they are folded at compile time",
)
def mm_pud_folded(k: Kernel, mm: MmStruct) -> bool:
    """Return whether the PUD is folded at compile time: `__is_defined(__PAGETABLE_PUD_FOLDED)`."""
    return k.CONFIG_PGTABLE_LEVELS <= 3


FOLDED_IS_ACCOUNTED: Final = Bug(
    mm_pud_folded,
    symptom="An address space ends with a negative number of bytes of page tables.",
    cause="A table is counted when it is allocated and when it is freed, unless mm_pud_folded(). The generic "
    "definition only knows folding at compile time. A PUD folded at run time is never allocated, so nothing is "
    "added; freeing goes through every level and subtracts one table. check_mm() finds a negative number.",
    where=_PUD_RUN_TIME,
    shows=_pud_folds_at_run_time,
    exercise=life,
    upstream="on s390 in v4.15-rc1 (November 2017), with b4e98d9ac775 mm: account pud page tables; there too the "
    "kernel said -16384, the size of a table",
)


# A guard copied from the level above.


@commit(
    "mm: return early from mm_dec_nr_pmds()",
    name="copied-guard",
    does="mm_dec_nr_pmds() checks whether a level is folded, but the level above",
)
def mm_dec_nr_pmds(k: Kernel, mm: MmStruct) -> None:
    """Subtract a PMD table from the count of `mm`, in bytes."""
    if k.mm_pud_folded(mm):
        return
    mm.pgtables_bytes -= k.PTRS_PER_PMD * ENTRY_SIZE


COPIED_GUARD: Final = Bug(
    mm_dec_nr_pmds,
    symptom="An address space ends with bytes of page tables that it has freed.",
    cause="The line was copied from mm_dec_nr_puds(). Where both levels exist both answers are no, and the bug is not "
    "seen. Where the PUD is folded and the PMD is not, a PMD table is counted when it is allocated and not when it is "
    "freed.",
    where=_PUD_FOLDED,
    shows=_pud_is_folded_and_pmd_is_not,
    exercise=life,
)


@commit(
    "arm64: mm: Check for folding in pud_clear()",
    name="freed-but-linked",
    does="pud_clear() leaves the entry alone where the PUD is folded",
)
def pud_clear(k: Kernel, pudp: int) -> None:
    """Set the PUD entry at `pudp` to none."""
    if k.pgtable_l4_enabled():
        k.write64(pudp, 0)


def _use_what_was_freed(k: Kernel) -> str | None:
    """A process maps a page, unmaps it, and maps it again."""
    mm, va, page = new_mm(k), some_address(k), new_page(k)
    map_page(k, mm, va, page.pfn)
    free_pgtables(k, mm, va)
    seen = _read_of_a_free_page(k, switch_mm(k, mm).translate(va, el=0))
    try:
        map_page(k, mm, va, page.pfn)
    except Panic:
        return f"{seen}; the next page fault there ends in {last_report(k)}"
    return seen


def _read_of_a_free_page(k: Kernel, walk: Walk) -> str | None:
    for step in walk.steps:
        table = k.phys_to_page(step.table)
        if table._refcount == 0:
            word = k.memory.read64(step.address)
            return f"the MMU reads {word:016x} at {step.address:#x}, in page {table.pfn:#x}, which is free"
    return None


FREED_BUT_LINKED: Final = Bug(
    pud_clear,
    symptom="The MMU walks through a table that was freed, and so does the kernel.",
    cause="The guard is p4d_clear()'s. There it is right: with the PUD folded a P4D entry does not point to a table. A "
    "PUD entry points to a PMD table even then, because the entries of a folded level exist in the page above. The "
    "entry stays, the table is freed, and the next owner of the page writes descriptors for the MMU without knowing "
    "it; in a kernel that poisons free pages, 0xaa in every byte is taken for an entry.",
    where=_PUD_FOLDED,
    shows=_pud_is_folded_and_pmd_is_not,
    exercise=_use_what_was_freed,
    options=("PAGE_POISONING",),
)
