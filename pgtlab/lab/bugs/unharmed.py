"""What no bug of the catalogue harms, and a careless fix does, such as a predicate that always says yes."""

from __future__ import annotations

from collections.abc import Iterator

from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.walk import Translation
from pgtlab.lab.bugs.address_space import free_pgtables, grow, map_page, new_mm, new_page, some_address, switch_mm
from pgtlab.lab.bugs.bug import last_report
from pgtlab.linux.boot import Fold
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.page_flags import PG_slab
from pgtlab.linux.kernel.pgtable import ENTRY_SIZE, TABLE_BIT
from pgtlab.linux.kernel.printk import Panic
from pgtlab.linux.placement import RAM_BASE


def unharmed(k: Kernel) -> str | None:
    """Do what a good kernel does right: what was wrong first, or None.

    Examples
    --------
    >>> from pgtlab import CPU, Config, boot
    >>> k = Kernel(boot(Config("4k", 48), CPU.named("max")))
    >>> unharmed(k)
    >>> k = Kernel(boot(Config("4k", 48), CPU.named("max")))
    >>> k.livepatch(pmd_bad=lambda k, pmd: False)
    >>> unharmed(k)
    'Linux walks through an entry of level 2 that does not point to a table, ...'
    """
    try:
        return next((seen for exercise in _EXERCISES for seen in (*exercise(k), last_report(k)) if seen), None)
    except Panic:
        return last_report(k)


def _small_pgds(k: Kernel) -> Iterator[str]:
    """Two processes start: pgds smaller than a page share one, unless a level folds into the rest of it at run time."""
    size = k.PTRS_PER_PGD * ENTRY_SIZE
    folds_at_run_time = Fold.RUN_TIME in k.boot.folded.values()
    first, second = new_mm(k), new_mm(k)
    in_cache = bool(k.virt_to_page(second.pgd).flags & PG_slab)
    if size < k.PAGE_SIZE and not folds_at_run_time and not in_cache:
        yield f"pgds of {size} bytes take a page of {k.PAGE_SIZE} each: {first.pgd:#x} and {second.pgd:#x}"


def _bytes_of_tables(k: Kernel) -> Iterator[str]:
    """A process maps two pages, and unmaps one: the tables that the MMU reads are those that Linux counts."""
    mm, first = new_mm(k), some_address(k)
    second = 2 * first & -k.PAGE_SIZE  # has another index in every table
    for va in first, second:
        map_page(k, mm, va, new_page(k).pfn)
    for mapped in (first, second), (first,), ():
        steps = [step for va in mapped for step in switch_mm(k, mm).translate(va).steps[1:]]
        tables = {step.address & -k.PAGE_SIZE for step in steps if step.level > 0}  # Linux counts no P4D tables
        if mm.pgtables_bytes != len(tables) * k.PAGE_SIZE:
            yield (
                f"{mm.pgtables_bytes} bytes of page tables are counted, and the MMU reads {len(tables)} tables of "
                f"{k.PAGE_SIZE} bytes below the pgd"
            )
        if mapped:
            free_pgtables(k, mm, mapped[-1])


def _counts_by_level(k: Kernel) -> Iterator[str]:
    """A table more and a table less, of any level: the count is what it was."""
    mm = new_mm(k)
    for level in "pud", "pmd", "pte":
        vars(k)[f"mm_inc_nr_{level}s"](mm)
        more = mm.pgtables_bytes
        vars(k)[f"mm_dec_nr_{level}s"](mm)
        if mm.pgtables_bytes or more not in (0, k.PAGE_SIZE):
            yield f"a {level} table more makes {more} bytes of tables, and one less {mm.pgtables_bytes}"


def _wrong_count_is_noticed(k: Kernel) -> Iterator[str]:
    """A process exits with a table counted that it does not have: the kernel reports it."""
    mm, before = new_mm(k), len(k.reports)
    mm.pgtables_bytes += k.PAGE_SIZE
    k.mmput(mm)
    if not k.reports[before:]:
        yield f"a process exits with {k.PAGE_SIZE} bytes of page tables too many, and nothing is reported"
    del k.reports[before:]


def _entries_without_a_table(k: Kernel) -> Iterator[str]:
    """Each entry on the way to a page loses the bit that makes it a table's: Linux's walk must end there."""
    mm, va = new_mm(k), some_address(k)
    map_page(k, mm, va, new_page(k).pfn)
    for step in switch_mm(k, mm).translate(va).steps:
        entry = k.__va(step.address)
        word = k.read64(entry)
        k.write64(entry, word & ~TABLE_BIT)
        if step.level < LAST_LEVEL and k.entries_of(mm, va)[-1][0] == "pte":
            yield (
                f"Linux walks through an entry of level {step.level} that does not point to a table, "
                f"{word & ~TABLE_BIT:016x}"
            )
        k.write64(entry, word)


def _entries_that_are_present(k: Kernel) -> Iterator[str]:
    """A PMD entry with a table is present; one that is empty is not, nor is one of a page that is on its way."""
    mm, va = new_mm(k), some_address(k)
    pmdp, _ = grow(k, mm, va)
    moving = k.__swp_entry_to_pmd(k.__swp_entry(1, new_page(k).pfn))
    for what, word, present in (
        ("with a table", k.pmdp_get(pmdp), True),
        ("empty", 0, False),
        ("moving", moving, False),
    ):
        if bool(k.pmd_present(word)) is not present:
            yield f"a PMD entry, {what}, is {'present' if not present else 'not present'}: {word:016x}"


def _huge_blocks(k: Kernel) -> Iterator[str]:
    """The first gigabyte of RAM is mapped by one entry, as the MMU sees it, and unmapped once."""
    if not k.arch_vmap_pud_supported(0):
        return
    mm, va = new_mm(k), some_address(k) & -k.PUD_SIZE
    pudp = k.pud_alloc(mm, k.p4d_alloc(mm, k.pgd_offset(mm, va), va), va)
    done = k.pud_set_huge(pudp, RAM_BASE, k.PROT_NORMAL)
    outcome = switch_mm(k, mm).translate(va).outcome
    if done != (isinstance(outcome, Translation) and outcome.pa == RAM_BASE):
        yield f"pud_set_huge() says {done}, and the MMU has {outcome}"
    cleared = [bool(k.pud_clear_huge(pudp)) for _ in range(2)]
    if cleared != [True, False] or k.read64(pudp):
        yield f"pud_clear_huge() says {cleared[0]}, then {cleared[1]}, and leaves {k.read64(pudp):016x}"


_EXERCISES = (
    _small_pgds,
    _bytes_of_tables,
    _counts_by_level,
    _entries_without_a_table,
    _entries_that_are_present,
    _huge_blocks,
    _wrong_count_is_noticed,
)
