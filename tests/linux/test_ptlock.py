"""Locks of page tables: which table has which, and reports of one taken twice, kept, or not held."""

import pytest
from kernels import every_kind

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.printk import Panic

FOUR_LEVELS, TWO_LEVELS = boot(Config("4k", 48), CPU.named("max")), boot(Config("16k", 36), CPU.named("max"))


def started(booted: Boot = FOUR_LEVELS) -> Kernel:
    return Tree.named("fixed").start_kernel(booted)


def grown(k: Kernel):
    """An address space with the tables for address 0, and the addresses of its PUD and PMD entries."""
    mm = k.mm_alloc()
    pudp = k.pud_alloc(mm, k.p4d_alloc(mm, k.pgd_offset(mm, 0), 0), 0)
    pmdp = k.pmd_alloc(mm, pudp, 0)
    assert k.pte_alloc(mm, pmdp) == 0
    return mm, pudp, pmdp


@every_kind
def test_every_lock_is_released(booted):
    k = started(booted)
    assert k.run().outcome == "clean"
    assert k.preempt_count == 0


@every_kind
def test_each_group_of_tests_holds_the_lock_of_its_level(booted):
    """As in the kernel's file: `pte_offset_map_lock()`, `pmd_lock()`, `pud_lock()`, and the address space's own."""
    k = started(booted)
    held = {}

    def noting(name, run):
        def test(k, args):
            pte_table = k.pmd_pgtable(k.pmdp_get(args.pmdp)) if "pte" in name else None
            held[name] = (
                k.preempt_count,
                bool(pte_table is not None and pte_table.private),
                k.pmd_lockptr(args.mm, args.pmdp).locked,
                args.mm.page_table_lock.locked,
            )
            run(k, args)

        return test

    names = [name for name in k.symbols if name.endswith(("_clear_tests", "_populate_tests", "_advanced_tests"))]
    k.livepatch(**{name: noting(name, k.symbols[name]) for name in names})
    assert k.run().outcome == "clean"
    two_levels = booted.config.PGTABLE_LEVELS == 2
    assert held["pte_clear_tests"] == held["pte_advanced_tests"] == (1, True, False, False)
    assert held["pmd_clear_tests"] == held["pmd_populate_tests"] == (1, False, True, two_levels)
    assert held["pud_clear_tests"] == held["p4d_clear_tests"] == (1, False, two_levels, True)
    assert held["pgd_populate_tests"] == (1, False, two_levels, True)


def test_split_locks_and_the_shared_lock():
    k = started()
    mm, pudp, pmdp = grown(k)
    ptep, pte_ptl = k.pte_offset_map_lock(mm, pmdp, 0)
    assert ptep == k.pte_offset_kernel(pmdp, 0)
    pmd_ptl = k.pmd_lock(mm, pmdp)
    pud_ptl = k.pud_lock(mm, pudp)
    assert k.preempt_count == 3
    for lock in (pud_ptl, pmd_ptl, pte_ptl):
        k.spin_unlock(lock)
    assert (k.preempt_count, k.reports) == (0, [])

    k = started(TWO_LEVELS)
    mm, _, pmdp = grown(k)
    assert k.pmd_lock(mm, pmdp) is mm.page_table_lock


def test_lock_taken_twice_panics():
    k = started()
    mm, _, pmdp = grown(k)
    k.pte_offset_map_lock(mm, pmdp, 0)
    with pytest.raises(Panic):
        k.pte_offset_map_lock(mm, pmdp, 0)
    assert [r.text for r in k.reports] == ["BUG: spinlock recursion on CPU#0, swapper/0/1"]


def test_lock_released_twice_is_reported():
    k = started()
    mm, _, pmdp = grown(k)
    ptep, ptl = k.pte_offset_map_lock(mm, pmdp, 0)
    k.pte_unmap_unlock(ptep, ptl)
    assert k.reports == []
    k.pte_unmap_unlock(ptep, ptl)
    assert [r.text for r in k.reports] == ["BUG: spinlock already unlocked on CPU#0, swapper/0/1"]


def test_initcall_that_keeps_a_lock_is_reported():
    k = started()
    k.livepatch(pte_unmap_unlock=lambda k, ptep, lock: None)
    run = k.run()
    (report,) = run.reports
    assert (report.kind, report.text) == ("WARNING", "initcall debug_vm_pgtable returned with preemption imbalance ")
    assert report.trace[0] == "do_one_initcall"
    assert k.preempt_count == 0


def test_deposit_without_the_lock_panics():
    k = started()
    mm, _, pmdp = grown(k)
    with pytest.raises(Panic):
        k.pgtable_trans_huge_deposit(mm, pmdp, k.pte_alloc_one(mm))
    assert k.reports[-1].text == "BUG_ON(!spin_is_locked(lock))"


def test_pte_offset_map_lock_without_a_table():
    k = started()
    mm, _, pmdp = grown(k)
    table = k.pmdp_get(pmdp)
    huge = k.pmd_mkhuge(k.pfn_pmd(0, k.vm_get_page_prot(k.VM_READ)))
    for pmd in (0, huge, k.pmd_mkinvalid(huge)):
        k.write64(pmdp, pmd)
        assert k.pte_offset_map_lock(mm, pmdp, 0) == (0, None)
        assert k.pmdp_get(pmdp) == pmd
    k.write64(pmdp, table)
    k.livepatch(pmd_bad=lambda k, pmd: True)
    assert k.pte_offset_map_lock(mm, pmdp, 0) == (0, None)
    assert k.pmdp_get(pmdp) == 0
    assert f"bad pmd {table:016x}." in k.log.lines[-1]


def test_second_table_for_an_entry_is_freed():
    """Another thread sets the entry between the allocation and the lock: the new table is freed."""
    k = started()
    mm, pudp, pmdp = grown(k)
    before, table = k.vmstat["nr_page_table_pages"], k.pmdp_get(pmdp)
    assert k.__pte_alloc(mm, pmdp) == k.__pmd_alloc(mm, pudp, 0) == 0
    assert (k.vmstat["nr_page_table_pages"], k.pmdp_get(pmdp)) == (before, table)
    assert (k.preempt_count, k.reports) == (0, [])


def test_lock_of_a_table_is_in_its_struct_page():
    k = started()
    mm, _, pmdp = grown(k)
    page = k.pmd_pgtable(k.pmdp_get(pmdp))
    ptep, ptl = k.pte_offset_map_lock(mm, pmdp, 0)
    assert page.words()[5] == 1
    k.pte_unmap_unlock(ptep, ptl)
    assert page.words()[5] == 0
