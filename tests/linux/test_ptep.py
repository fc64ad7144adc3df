"""Entries changed in a table, which changes are safe in place, and what debug_vm_pgtable does not check."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import every_kernel

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import MmStruct, VmAreaStruct
from pgtlab.linux.kernel.ptep import PG_dcache_clean

MM = MmStruct()
VMA = VmAreaStruct(MM)
FLAGS = range(16)


@pytest.mark.slow
@every_kernel
@settings(max_examples=20)
@given(st.sampled_from(FLAGS), st.booleans(), st.booleans(), st.booleans())
def test_ptep_set_access_flags_only_adds(k, flags, young, dirty, writable):
    """`ptep_set_access_flags()` permits what either entry permits and keeps the frame of the entry in the table."""
    k = Kernel(k.boot)
    ptep, pfn = k.get_zeroed_page(), k.memory.base >> k.PAGE_SHIFT
    entry = k.pfn_pte(pfn, k.vm_get_page_prot(flags))
    wanted = k.pte_mkyoung(entry) if young else k.pte_mkold(entry)
    wanted = k.pte_mkdirty(wanted) if dirty else wanted
    wanted = k.pte_mkwrite(wanted, VMA) if writable else k.pte_wrprotect(wanted)
    for before in (entry, k.pte_mkold(entry), k.pte_mkwrite(k.pte_mkdirty(entry), VMA)):
        k.write64(ptep, before)
        assert k.ptep_set_access_flags(VMA, 0, ptep, wanted, 1) == (before != wanted)
        after = k.ptep_get(ptep)
        for query in (k.pte_young, k.pte_write, k.pte_dirty):
            assert query(after) == (query(before) or query(wanted))
        assert k.pte_rdonly(after) == (k.pte_rdonly(before) and k.pte_rdonly(wanted))
        assert k.pte_pfn(after) == pfn
        assert k.pte_user_exec(after) == k.pte_user_exec(before)


@every_kernel
def test_set_wrprotect_keeps_dirty(k):
    k = Kernel(k.boot)
    entryp = k.get_zeroed_page()
    shared = k.pfn_pte(k.memory.base >> k.PAGE_SHIFT, k.vm_get_page_prot(k.VM_SHARED | k.VM_WRITE))
    for dirty in (shared & ~k.PTE_RDONLY, k.pte_mkdirty(shared)):
        for store, protect in (
            (k.set_pte_at, k.ptep_set_wrprotect),
            (lambda mm, addr, p, pte: k.set_pmd_at(mm, addr, p, k.pmd_mkhuge(pte)), k.pmdp_set_wrprotect),
        ):
            store(MM, 0, entryp, dirty)
            assert k.pte_write(k.read64(entryp))
            protect(MM, 0, entryp)
            assert not k.pte_write(k.read64(entryp))
            assert k.pte_dirty(k.read64(entryp))


@every_kernel
def test_pmdp_invalidate_leaves_the_page_present_to_software(k):
    k = Kernel(k.boot)
    pmdp, page = k.get_zeroed_page(), k.pfn_to_page(k.memory.base >> k.PAGE_SHIFT)
    pmd = k.pmd_mkhuge(k.mk_pmd(page, k.vm_get_page_prot(k.VM_READ)))
    k.set_pmd(pmdp, pmd)
    assert k.pmdp_invalidate(VMA, 0, pmdp) == pmd
    invalid = k.pmdp_get(pmdp)
    assert not k.pmd_valid(invalid)
    assert k.pmd_present(invalid)
    assert (k.pmd_page(invalid), k.pmd_pgprot(invalid) & ~k.PTE_PRESENT_INVALID) == (
        page,
        k.pmd_pgprot(pmd) & ~(k.PTE_VALID | k.PTE_PRESENT_INVALID),
    )
    assert not k.is_swap_pmd(invalid)


@every_kernel
def test_executable_page_is_cleaned_from_the_data_cache_once(k):
    k = Kernel(k.boot)
    ptep, page = k.get_zeroed_page(), k.alloc_pages(0)
    for flags in FLAGS:
        pte = k.mk_pte(page, k.vm_get_page_prot(flags))
        for entry, cleaned in ((pte, bool(flags & k.VM_EXEC)), (k.pte_mkspecial(pte), False)):
            k.set_pte_at(MM, 0, ptep, entry)
            assert bool(page.flags & PG_dcache_clean) == cleaned
            k.flush_dcache_page(page)
            assert page.flags == 0


@every_kernel
def test_pte_cont_of_the_caller_is_cleared(k):
    k = Kernel(k.boot)
    ptep = k.get_zeroed_page()
    pte = k.pte_mkcont(k.pfn_pte(k.memory.base >> k.PAGE_SHIFT, k._PAGE_READONLY & ~k.PTE_SHARED))
    for store in (k.set_pte, lambda ptep, pte: k.set_pte_at(MM, 0, ptep, pte)):
        store(ptep, pte)
        assert k.read64(ptep) == k.pte_mknoncont(pte)


@every_kernel
@settings(max_examples=30)
@given(st.integers(0, 1 << 47), st.integers(1, 1 << 30))
def test_cont_addr_end(k, addr, length):
    """`pXX_cont_addr_end()`: the next multiple of the run's size, or the end."""
    for size, cut in ((k.CONT_PTE_SIZE, k.pte_cont_addr_end), (k.CONT_PMD_SIZE, k.pmd_cont_addr_end)):
        end = cut(addr, addr + length)
        assert addr < end <= addr + length
        assert end == addr + length or end % size == 0
        assert addr // size == (end - 1) // size


@every_kernel
def test_pgattr_change_is_safe(k):
    """Another frame, type or size of a live entry needs break-before-make; other permissions do not."""
    pte = k.pfn_pte(0x40000, k._PAGE_KERNEL)
    safe = k.pgattr_change_is_safe
    for permissions in (k.PTE_RDONLY, k.PTE_WRITE, k.PTE_PXN, k.PTE_DIRTY, k.PTE_SPECIAL):
        assert safe(pte, pte ^ permissions)
    assert safe(pte, k.pgprot_tagged(pte))
    assert safe(k.pgprot_tagged(pte), pte)
    assert not safe(pte, k.pgprot_noncached(pte))
    assert not safe(pte, k.pgprot_writecombine(pte))
    assert not safe(k.pgprot_device(pte), pte)
    assert not safe(pte, k.pte_advance_pfn(pte, 1))
    assert not safe(pte, k.pte_mkhuge(pte))
    assert not safe(k.pte_mkcont(pte), k.pte_mkcont(pte))
    assert safe(pte & ~k.PTE_NG, pte | k.PTE_NG)
    assert not safe(pte | k.PTE_NG, pte & ~k.PTE_NG)
    for other in (0, k.pte_mkhuge(pte), k.pte_advance_pfn(pte, 1)):
        assert safe(k.pte_mkinvalid(pte), other), "an invalid entry may change to any other"
        assert safe(other, 0)


@every_kernel
def test_kernel_and_user_entries_differ(k):
    pfn = k.memory.base >> k.PAGE_SHIFT
    for prot in (k._PAGE_KERNEL, k._PAGE_KERNEL_RO, k._PAGE_KERNEL_ROX, k._PAGE_KERNEL_EXEC):
        pte = k.pfn_pte(pfn, prot)
        assert k.pte_valid_not_user(pte)
        assert not k.pte_access_permitted(pte, False)
    for flags in FLAGS:
        pte = k.pfn_pte(pfn, k.vm_get_page_prot(flags))
        assert not k.pte_valid_not_user(pte)
        assert k.pte_access_permitted(pte, False) == bool(flags & k.VM_ACCESS_FLAGS)
        assert k.pte_access_permitted(pte, True) == bool(flags & k.VM_WRITE and flags & k.VM_SHARED)
    execute_only = k.pfn_pte(pfn, k._PAGE_EXECONLY)
    assert not k.pte_valid_not_user(execute_only)
    assert not k.pte_access_permitted(execute_only, False)
    assert k.pte_tagged(k.pgprot_tagged(pte))
    assert not k.pte_tagged(pte)


# Bugs that debug_vm_pgtable misses: its protection is never writable, and it does not read back what it stored.
MISSED = {
    "pte_modify": lambda k, pte, newprot: pte,
    "pmd_modify": lambda k, pmd, newprot: pmd,
    "set_pte_at": lambda k, mm, addr, ptep, pte: None,
    "set_pmd_at": lambda k, mm, addr, pmdp, pmd: None,
    "ptep_set_wrprotect": lambda k, mm, addr, ptep: None,
    "pmdp_set_wrprotect": lambda k, mm, addr, pmdp: None,
    "is_hwpoison_entry": lambda k, entry: True,
    "pte_mkcont": lambda k, pte: pte,
}


@pytest.mark.parametrize("name", MISSED)
def test_debug_vm_pgtable_does_not_notice(name):
    kernel = Tree.named("fixed").start_kernel(boot(Config("4k", 48), CPU.named("max")))
    kernel.livepatch(**{name: MISSED[name]})
    assert kernel.run().outcome == "clean"
