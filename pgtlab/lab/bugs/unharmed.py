"""What no bug of the catalogue harms, and a careless fix does, such as a predicate that always says yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

from pgtlab.arch.walk import Translation
from pgtlab.lab.bugs.address_space import free_pgtables, gup_fast, map_page, new_mm, new_page, some_address, switch_mm
from pgtlab.lab.bugs.bug import last_report
from pgtlab.lab.bugs.unharmed_entries import EXERCISES as OF_ENTRIES
from pgtlab.linux.boot import Fold
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mmzone import MigrateType
from pgtlab.linux.kernel.page_flags import PG_slab
from pgtlab.linux.kernel.pgtable import ENTRY_SIZE
from pgtlab.linux.kernel.printk import Panic


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


def _tables_are_counted(k: Kernel) -> Iterator[str]:
    """A process maps two pages, unmaps them and exits: the tables that the MMU reads are those that Linux counts."""
    owned, counted = k.page_owner.owners(), k.vmstat["nr_page_table_pages"]
    mm, first, pages = new_mm(k), some_address(k), (new_page(k), new_page(k))
    second = 2 * first & -k.PAGE_SIZE  # has another index in every table
    for va, page in zip((first, second), pages, strict=True):
        map_page(k, mm, va, page.pfn)
    for mapped in (first, second), (first,), ():
        steps = [step for va in mapped for step in switch_mm(k, mm).translate(va).steps[1:]]
        tables = {step.address & -k.PAGE_SIZE for step in steps if step.level > 0}  # Linux counts no P4D tables
        for what, number in (
            ("pgtables_bytes", mm.pgtables_bytes / k.PAGE_SIZE),
            ("NR_PAGETABLE", k.vmstat["nr_page_table_pages"] - counted),
        ):
            if number != len(tables):
                yield f"{what} counts {number:g} page tables, and the MMU reads {len(tables)} below the pgd"
        if mapped:
            free_pgtables(k, mm, mapped[-1])
    k.mmput(mm)
    for page in pages:
        k.__free_pages(page, 0)
    if lost := set(k.page_owner.owners()) - {*owned}:
        yield f"two pages are mapped and unmapped, and a frame is lost, {lost.pop()}"


def _tables_of_every_owner(k: Kernel) -> Iterator[str]:
    """Pages that hold data are freed: the tables made of them are empty, counted, and can be given back unused."""
    used = [new_page(k) for _ in range(8)]
    for page in used:
        k.memory.write(page.pfn << k.PAGE_SHIFT, np.full(k.PAGE_SIZE // ENTRY_SIZE, 1 << 60, np.uint64))
        k.__free_pages(page, 0)
    mm = new_mm(k)
    folds_at_run_time = Fold.RUN_TIME in k.boot.folded.values()
    entries = k.PAGE_SIZE // ENTRY_SIZE if folds_at_run_time else k.PTRS_PER_PGD
    if k.memory.read(k.__pa(mm.pgd), entries).any():
        yield f"a new process begins with a pgd that is not empty, {mm.pgd:#x}"
    for owner, whose in (mm, "a process"), (k.init_mm, "the kernel itself"):
        for level in (*(level for level, fold in k.boot.folded.items() if fold is Fold.REAL), "pte"):
            before, counted = set(k.page_owner.owners()), k.vmstat["nr_page_table_pages"]
            if level == "pte":
                token = k.pte_alloc_one(owner)
                pa = token.pfn << k.PAGE_SHIFT if token else 0
            else:
                token = vars(k)[f"{level}_alloc_one"](owner, 0)
                pa = k.__pa(token)
            more = k.vmstat["nr_page_table_pages"] - counted
            if k.memory.read(pa, k.PAGE_SIZE // ENTRY_SIZE).any():
                yield f"{whose} gets a {level} table that is not empty, at {pa:#x}"
            vars(k)[f"{level}_free"](owner, token)
            left = set(k.page_owner.owners()) - before
            counts = more, k.vmstat["nr_page_table_pages"] - counted
            if counts != (int(level != "p4d"), 0):  # P4D tables are not counted
                yield f"NR_PAGETABLE grows by {counts[0]} for a {level} table, and by {counts[1]} when it is freed"
            if left:
                yield f"a {level} table of {whose} is freed before it is used, and a frame is lost, {left.pop()}"


def _counts_by_level(k: Kernel) -> Iterator[str]:
    """A table more and a table less, of any level, of a process or of the kernel itself: the count is what it was."""
    for mm in new_mm(k), k.init_mm:
        for level, fold in (*k.boot.folded.items(), ("pte", Fold.REAL)):
            if level == "p4d":  # not counted
                continue
            bytes_before = mm.pgtables_bytes
            vars(k)[f"mm_inc_nr_{level}s"](mm)
            more = mm.pgtables_bytes - bytes_before
            vars(k)[f"mm_dec_nr_{level}s"](mm)
            left = mm.pgtables_bytes - bytes_before
            if left or more != (k.PAGE_SIZE if fold is Fold.REAL else 0):
                yield f"a {level} table more makes {more} bytes of tables, and one less {left}"


def _kernel_addresses(k: Kernel) -> Iterator[str]:
    """The first and the last page of RAM in the linear map: Linux's walk ends at the entry that the MMU reads last."""
    for pa in k.memory.base, k.memory.base + k.memory.size - k.PAGE_SIZE:
        va = k.__va(pa)
        entry = k.entries_of(k.init_mm, va)[-1][1]
        last = k.memory.read64(k.mmu.translate(va).steps[-1].address)
        if entry != last:
            yield f"for the kernel address {va:#x} Linux's walk ends with {entry:016x}, and the MMU's with {last:016x}"


def _addresses_of_the_seed(k: Kernel) -> Iterator[str]:
    """A process maps pages at random addresses: the MMU, Linux's walk, and its walk without locks find them."""
    mm = new_mm(k)
    for _ in range(3):
        va, pfn = k.random.randrange(k.TASK_SIZE_64) & -k.PAGE_SIZE, new_page(k).pfn
        pte = k.read64(map_page(k, mm, va, pfn))
        outcome = switch_mm(k, mm).translate(va).outcome
        if not isinstance(outcome, Translation) or outcome.pa != pfn << k.PAGE_SHIFT:
            yield f"Linux mapped {va:#x} to {pfn << k.PAGE_SHIFT:#x}; the MMU has {outcome}"
        walks = {"Linux's walk": k.entries_of(mm, va)[-1][1], "the lockless walk": gup_fast(k, mm, va)}
        for walk, entry in walks.items():
            if entry != pte:
                yield f"{va:#x} is mapped by {pte:016x}, and {walk} ends with {entry:016x}"


def _mistakes_are_noticed(k: Kernel) -> Iterator[str]:
    """What must never happen, happens: the kernel reports it."""
    for mistake in _MISTAKES:
        before = len(k.reports)
        with suppress(Panic):
            mistake(k)
        if not k.reports[before:]:
            yield f"{mistake.__doc__} and nothing is reported"
        del k.reports[before:]


def _exit_with_a_table(k: Kernel) -> None:
    """a process exits with one page table counted too many,"""
    mm = new_mm(k)
    mm.pgtables_bytes += k.PAGE_SIZE
    k.mmput(mm)


def _free_a_table_as_a_page(k: Kernel) -> None:
    """a page that is still a table by its type is freed,"""
    page = new_page(k)
    k.__SetPageTable(page)
    k.free_page(k.page_address(page))


def _destroy_what_is_not_a_table(k: Kernel) -> None:
    """the destructor of a table gets a page that is not a table,"""
    if k.CONFIG_DEBUG_VM:
        k.pagetable_pte_dtor(new_page(k))
    else:
        k.report("nothing to notice without CONFIG_DEBUG_VM")


def _free_a_pmd_table_with_a_deposit(k: Kernel) -> None:
    """a PMD table is freed with a PTE table deposited,"""
    if k.CONFIG_DEBUG_VM and k.CONFIG_SPLIT_PMD_PTLOCKS and k.CONFIG_TRANSPARENT_HUGEPAGE:
        mm = new_mm(k)
        table = k.pmd_alloc_one(mm, 0)
        k.virt_to_page(table).lru = (0, new_page(k).address)
        k.pmd_free(mm, table)
    else:
        k.report("nothing to notice without a lock in each PMD table")


_MISTAKES: tuple[Callable[[Kernel], None], ...] = (
    _exit_with_a_table,
    _free_a_table_as_a_page,
    _destroy_what_is_not_a_table,
    _free_a_pmd_table_with_a_deposit,
)


def _pages_of_the_contiguous_allocator(k: Kernel) -> Iterator[str]:
    """A page is dumped whose block belongs to the contiguous memory allocator, and then does not: the dump says so."""
    page = new_page(k)
    for kind in MigrateType.CMA, MigrateType.MOVABLE:
        k.set_pageblock_migratetype(page, kind)
        lines = len(k.log.lines)
        try:
            k.dump_page(page, None)
        except Panic:  # which is a bug of its own
            k.reports.clear()
            return
        flags = [line for line in list(k.log.lines)[lines:] if "flags: " in line]
        if not flags or flags[0].endswith(" CMA") is not (kind is MigrateType.CMA):
            yield f"the dump of a page in a block of the type {kind.name} says `{''.join(flags)}`"


_EXERCISES = (
    _small_pgds,
    _tables_are_counted,
    _tables_of_every_owner,
    _counts_by_level,
    *OF_ENTRIES,
    _kernel_addresses,
    _addresses_of_the_seed,
    _pages_of_the_contiguous_allocator,
    _mistakes_are_noticed,
)
