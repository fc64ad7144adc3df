"""Contiguous runs and huge pages of each size: several entries for one page."""

import pytest
from kernels import every_kernel

from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import VmAreaStruct


@every_kernel
def test_ptep_get_collects_young_and_dirty_of_a_contiguous_run(k):
    k = Kernel(k.boot)
    ptep, prot = k.get_zeroed_page(), k.vm_get_page_prot(k.VM_READ | k.VM_WRITE | k.VM_SHARED)
    pte = k.pte_mkold(k.pte_mkcont(k.pfn_pte(k.memory.base >> k.PAGE_SHIFT, prot)))
    k.__set_ptes(None, 0, ptep, pte, k.CONT_PTES)
    assert [k.pte_pfn(k.read64(ptep + 8 * i)) for i in (0, k.CONT_PTES - 1)] == [
        k.pte_pfn(pte),
        k.pte_pfn(pte) + k.CONT_PTES - 1,
    ]
    assert k.ptep_get(ptep) == pte
    last = ptep + 8 * (k.CONT_PTES - 1)
    k.write64(last, k.read64(last) & ~k.PTE_RDONLY | k.PTE_AF)  # as hardware does on a write
    assert k.pte_young(k.ptep_get(ptep))
    assert k.pte_dirty(k.ptep_get(ptep))
    assert k.pte_leaf_size(pte) == k.CONT_PTE_SIZE
    assert k.pte_leaf_size(k.pte_mknoncont(pte)) == k.PAGE_SIZE
    k.free_page(ptep)


@pytest.mark.parametrize(
    ("page_size", "sizes"),  # Documentation/arch/arm64/hugetlbpage.rst: a table of the sizes by page size
    [("4k", ["64K", "2M", "32M", "1G"]), ("16k", ["2M", "32M", "1G"]), ("64k", ["2M", "512M", "16G"])],
)
def test_sizes_of_huge_pages(page_size, sizes):
    k = Kernel(boot(Config(page_size, 48), CPU.named("max")))
    shift = {"K": 10, "M": 20, "G": 30}
    expected = [int(size[:-1]) << shift[size[-1]] for size in sizes]
    assert [1 << n for n in range(12, 40) if k.arch_hugetlb_valid_size(1 << n)] == expected
    for size in expected:
        pte = k.arch_make_huge_pte(k.pfn_pte(0, k._PAGE_READONLY), size.bit_length() - 1, 0)
        nr, entry_size = k.num_contig_ptes(size)
        assert nr * entry_size == size
        assert k.pte_cont(pte) == (nr > 1)
        assert bool(pte & k.PTE_TABLE_BIT) == (entry_size == k.PAGE_SIZE)


@pytest.mark.parametrize("page_size", ["4k", "16k", "64k"])
@pytest.mark.parametrize("size_name", ["CONT_PTE", "PMD", "CONT_PMD"])
def test_all_entries_of_a_huge_page_change_together(page_size, size_name):
    """Hardware marks one entry of a run; the functions of hugetlb then change all its entries."""
    k = Kernel(boot(Config(page_size, 48), CPU.named("max")))
    mm, size = k.mm_alloc(), getattr(k, f"{size_name}_SIZE")
    vma, addr = VmAreaStruct(mm), 3 * k.CONT_PMD_SIZE
    ptep = k.pmd_alloc(mm, k.pud_alloc(mm, k.p4d_alloc(mm, k.pgd_offset(mm, addr), addr), addr), addr)
    if size_name == "CONT_PTE":
        assert k.pte_alloc(mm, ptep) == 0
        ptep = k.pte_offset_kernel(ptep, addr)
    nr, entry_size = k.num_contig_ptes(size)
    run = [ptep + 8 * i for i in range(nr)]
    prot = k.vm_get_page_prot(k.VM_READ | k.VM_WRITE | k.VM_SHARED)
    huge = k.arch_make_huge_pte(k.pte_mkold(k.pfn_pte(0x4000_0000 >> k.PAGE_SHIFT, prot)), size.bit_length() - 1, 0)

    k.set_huge_pte_at(mm, addr, ptep, huge, size)
    assert [k.pte_pfn(k.read64(p)) << k.PAGE_SHIFT for p in run] == [0x4000_0000 + i * entry_size for i in range(nr)]
    assert {k.pte_pgprot(k.read64(p)) for p in run} == {k.pte_pgprot(huge)}
    assert k.read64(run[-1] + 8) == 0

    k.write64(run[-1], k.read64(run[-1]) & ~k.PTE_RDONLY | k.PTE_AF)  # as hardware does on a write
    k.huge_ptep_set_wrprotect(mm, addr, ptep)
    assert not any(k.pte_write(k.read64(p)) for p in run)
    assert all(k.pte_dirty(k.read64(p)) for p in run)
    assert all(k.pte_young(k.read64(p)) for p in run) or size_name == "PMD"

    wanted = k.huge_pte_mkdirty(k.huge_pte_mkwrite(k.read64(ptep)))
    assert k.huge_ptep_set_access_flags(vma, addr, ptep, wanted, 1)
    assert not k.huge_ptep_set_access_flags(vma, addr, ptep, k.read64(ptep), 1)
    assert all(k.pte_write(k.read64(p)) and k.pte_hw_dirty(k.read64(p)) for p in run)
    assert k.pte_pfn(k.read64(run[-1])) << k.PAGE_SHIFT == 0x4000_0000 + (nr - 1) * entry_size

    before = k.huge_ptep_get_and_clear(mm, addr, ptep)
    assert (k.pte_pfn(before) << k.PAGE_SHIFT, k.huge_pte_dirty(before)) == (0x4000_0000, True)
    assert all(k.huge_pte_none(k.read64(p)) for p in run)

    migrating = k.swp_entry_to_pte(k.make_writable_migration_entry(0x40000))
    k.set_huge_pte_at(mm, addr, ptep, migrating, size)
    assert {k.read64(p) for p in run} == {migrating}
    assert k.read64(run[-1] + 8) == 0
    k.huge_pte_clear(mm, addr, ptep, size)
    assert {k.read64(p) for p in run} == {0}
