"""The page-table helpers: the address in an entry; none, bad, present and clear where a level is folded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import every_kernel

from pgtlab.arch.output_address import OutputAddress
from pgtlab.linux.boot import Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel

TABLE_OF = {"pgd": "p4d", "p4d": "pud", "pud": "pmd"}  # whose entry points to whose table


@every_kernel
@settings(max_examples=25)
@given(data=st.data())
def test_linux_packs_addresses_as_the_mmu_unpacks_them(k, data):
    """`__phys_to_pte_val()` is decided by the compiler, the MMU's packing by TCR_EL1; they must agree."""
    pa = data.draw(st.integers(0, (1 << k.PHYS_MASK_SHIFT - k.PAGE_SHIFT) - 1)) << k.PAGE_SHIFT
    mmu = OutputAddress.of(k.boot.config.granule, ds=k.boot.lpa2_is_enabled, pa_bits=k.PHYS_MASK_SHIFT)
    # With 64K pages and 52 bits Linux also leaves bits 49:48 in place, where this format holds no address bits.
    bits_49_48 = pa & 0b11 << 48 if k.PAGE_SIZE == 65536 and k.PHYS_MASK_SHIFT == 52 else 0
    assert k.phys_to_entry(pa) == mmu.pack(pa) | bits_49_48
    for attributes in (k.PGD_TYPE_TABLE | k.PGD_TABLE_PXN, k._PAGE_KERNEL, k.PROT_NORMAL | k.PTE_DIRTY):
        entry = k.phys_to_entry(pa) | attributes
        assert k.table_address(entry) == pa == mmu.unpack(entry, k.PAGE_SHIFT)


@every_kernel
def test_which_levels_an_address_space_has(k):
    """`mm_pXd_folded()` says of each level whether a task has no tables of it."""
    for level in ("p4d", "pud", "pmd"):
        folded = k.boot.folded[level] is not Fold.REAL
        assert getattr(k, f"mm_{level}_folded")(k.init_mm) == folded, level


@every_kernel
def test_entry_above_a_folded_level_is_never_none(k):
    """A folded table cannot be absent; the entry one level down may be none."""
    for name, below in TABLE_OF.items():
        none, bad, present = (getattr(k, f"{name}_{what}") for what in ("none", "bad", "present"))
        if k.boot.folded[below] is Fold.REAL:
            assert none(0)
            assert bad(0)
            assert not present(0)
        else:
            assert not none(0)
            assert not bad(0)
            assert present(0)
        assert not none(k.PGD_TYPE_TABLE)
        assert not bad(k.PGD_TYPE_TABLE)
        assert present(k.PGD_TYPE_TABLE)


@every_kernel
def test_clear_above_a_folded_level_does_nothing(k):
    entryp = k.get_zeroed_page()
    for name, below in TABLE_OF.items():
        k.write64(entryp, 0x1234_5003)
        getattr(k, f"{name}_clear")(entryp)
        assert (k.read64(entryp) == 0) == (k.boot.folded[below] is Fold.REAL)
    k.pmd_clear(entryp)
    assert k.read64(entryp) == 0
    k.free_page(entryp)


@every_kernel
def test_populate_above_a_folded_level_does_nothing(k):
    entryp, table = k.get_zeroed_page(), k.get_zeroed_page()
    for name, below in TABLE_OF.items():
        k.write64(entryp, 0)
        getattr(k, f"{name}_populate")(None, entryp, table)
        expected = k.phys_to_entry(k.__pa(table)) | 0b11 | 1 << 59 if k.boot.folded[below] is Fold.REAL else 0
        assert k.read64(entryp) == expected
    k.free_page(entryp)
    k.free_page(table)


@pytest.mark.parametrize(("entry", "bad"), [(0b00, True), (0b01, True), (0b10, True), (0b11, False)])
def test_bad_means_not_a_table(entry, bad):
    k = Kernel(boot(Config("4k", 48), CPU.named("max")))
    assert k.pmd_bad(0x4000_0000 | entry) == k.pud_bad(0x4000_0000 | entry) == bad


def test_prot_none_is_present():
    """PROT_NONE is invalid to the MMU, present to software, and not none."""
    k = Kernel(boot(Config("4k", 48), CPU.named("max")))
    pte = k.pfn_pte(0x40000, k.constants["pgprot_val(PAGE_NONE)"])
    assert not pte & k.PTE_VALID
    assert k.pte_present(pte)
    assert not k.pte_present(0)
    assert k.pte_none(0)
    assert not k.pte_none(pte)


@every_kernel
def test_pgdir_is_page_size(k):
    entries = k.PTRS_PER_PGD
    at_run_time = Fold.RUN_TIME in k.boot.folded.values()
    assert k.pgdir_is_page_size() == (entries * 8 == k.PAGE_SIZE or at_run_time)

    pgds = [k.mm_alloc().pgd for _ in range(3)]
    size = k.PAGE_SIZE if k.pgdir_is_page_size() else entries * 8
    assert all(pgd % size == 0 for pgd in pgds)
    assert len({pgd // size for pgd in pgds}) == 3
    assert len({pgd // k.PAGE_SIZE for pgd in pgds}) == (3 if size == k.PAGE_SIZE else 1)
    for pgd in pgds:
        k.pgd_free(None, pgd)
    assert k.page_owner.owners() == ()


@every_kernel
def test_table_is_freed_if_another_thread_was_faster(k):
    """Two threads may fault at once: `__pXd_alloc()` checks again, under the lock, that the entry is still none."""
    k = Kernel(k.boot)
    mm = k.mm_alloc()
    for name, above in (("p4d", "pgd"), ("pud", "p4d"), ("pmd", "pud")):
        if k.boot.folded[name] is Fold.REAL:
            entryp = k.get_zeroed_page()
            populate = getattr(k, f"__{name}_alloc")
            assert populate(mm, entryp, 0) == 0
            entry, owned, tables = k.read64(entryp), len(k.page_owner.owners()), k.vmstat["nr_page_table_pages"]
            assert not getattr(k, f"{above}_none")(entry)
            assert populate(mm, entryp, 0) == 0
            assert k.read64(entryp) == entry
            assert (len(k.page_owner.owners()), k.vmstat["nr_page_table_pages"]) == (owned, tables)
    assert k.reports == []


def test_small_pgds_come_from_a_cache_zeroed():
    """16K pages and 48 bits: a pgd of two entries."""
    k = Kernel(boot(Config("16k", 48), CPU.named("max")))
    pgds = [k.pgd_alloc(None) for _ in range(1025)]
    assert len({pgd & -k.PAGE_SIZE for pgd in pgds}) == 2  # 1024 to a page
    k.write64(pgds[0], 1)
    k.pgd_free(None, pgds[0])
    assert k.read64(k.pgd_alloc(None)) == 0
    for pgd in pgds:
        k.pgd_free(None, pgd)
    assert k.page_owner.owners() == ()
    assert k.nr_free_pages() == Kernel(k.boot).nr_free_pages()


@every_kernel
def test_linear_map_and_memmap_addresses(k):
    ram = k.memory.base
    assert k.__va(ram) % (1 << 64) >= k.PAGE_OFFSET
    # With fewer bits than configured RAM lies at the lowest address that the hardware can translate.
    assert k.__va(ram) == (1 << 64) - (1 << k.boot.vabits_actual)
    for pa in (ram, ram + 0x1238, ram + k.memory.size - 8):
        assert k.__pa(k.__va(pa)) == pa
        assert k.virt_to_page(k.__va(pa)) == k.phys_to_page(pa)
    first = k.pfn_to_page(ram >> k.PAGE_SHIFT).address
    assert k.VMEMMAP_START <= first < k.VMEMMAP_START + k.VMEMMAP_SIZE
    # In 6.12 vmalloc ends 8 MiB below the memmap.
    assert first == k.VMALLOC_END + (8 << 20)


# The helpers that mm expects of an architecture.

# The names in Documentation/mm/arch_pgtable_helpers.rst, or those in the code where the two differ.
HELPERS = """
pte_same pte_present pte_young pte_dirty pte_write pte_special pte_protnone pte_devmap pte_soft_dirty pte_swp_soft_dirty
pte_mkyoung pte_mkold pte_mkdirty pte_mkclean pte_mkwrite pte_mkwrite_novma pte_wrprotect pte_mkspecial pte_mkdevmap
pte_mksoft_dirty pte_clear_soft_dirty pte_swp_mksoft_dirty pte_swp_clear_soft_dirty ptep_clear ptep_get_and_clear
ptep_get_and_clear_full ptep_test_and_clear_young ptep_set_wrprotect ptep_set_access_flags
pmd_same pmd_bad pmd_leaf pmd_trans_huge pmd_present pmd_young pmd_dirty pmd_write pmd_protnone pmd_devmap
pmd_soft_dirty pmd_swp_soft_dirty pmd_mkyoung pmd_mkold pmd_mkdirty pmd_mkclean pmd_mkwrite pmd_mkwrite_novma
pmd_wrprotect pmd_mkdevmap pmd_mksoft_dirty pmd_clear_soft_dirty pmd_swp_mksoft_dirty pmd_swp_clear_soft_dirty
pmd_mkinvalid pmd_set_huge pmd_clear_huge pmdp_huge_get_and_clear pmdp_huge_get_and_clear_full
pmdp_test_and_clear_young pmdp_set_wrprotect pmdp_set_access_flags
pud_same pud_bad pud_leaf pud_trans_huge pud_present pud_young pud_write pud_devmap pud_mkyoung pud_set_huge
pud_clear_huge
arch_make_huge_pte huge_pte_dirty huge_pte_write huge_pte_mkdirty huge_pte_mkwrite huge_pte_wrprotect
huge_ptep_get_and_clear huge_ptep_set_wrprotect huge_ptep_set_access_flags
__pte_to_swp_entry __swp_entry_to_pte __pmd_to_swp_entry __swp_entry_to_pmd is_migration_entry
is_writable_migration_entry make_readable_migration_entry make_writable_migration_entry
"""
# Names in that document that arm64 does not have in v6.9: they are for transparent huge PUDs, or came later.
NOT_ON_ARM64 = """
pte_mknotpresent pte_huge pmd_special pmd_mkspecial pud_dirty pud_mkold pud_mkdirty pud_mkclean pud_mkwrite
pud_wrprotect pud_mkdevmap pud_mkinvalid pudp_huge_get_and_clear pudp_huge_get_and_clear_full
pudp_test_and_clear_young pudp_set_wrprotect pudp_set_access_flags
"""


@every_kernel
def test_every_helper_that_mm_expects_exists(k):
    assert [name for name in HELPERS.split() if name not in k.symbols] == []
    assert [name for name in NOT_ON_ARM64.split() if name in k.symbols] == []


@every_kernel
def test_pgtables_bytes_counts_the_tables_that_exist(k):
    """Each PUD, PMD and PTE table adds its bytes; pgd and P4D tables are not counted, and folded ones do not exist."""
    k = Kernel(k.boot)
    mm, addr = k.mm_alloc(), 0
    p4dp = k.p4d_alloc(mm, k.pgd_offset(mm, addr), addr)
    steps = [k.mm_pgtables_bytes(mm)]
    pudp = k.pud_alloc(mm, p4dp, addr)
    steps.append(k.mm_pgtables_bytes(mm))
    pmdp = k.pmd_alloc(mm, pudp, addr)
    steps.append(k.mm_pgtables_bytes(mm))
    assert k.pte_alloc(mm, pmdp) == 0
    steps.append(k.mm_pgtables_bytes(mm))
    real = [0, k.boot.folded["pud"] is Fold.REAL, k.boot.folded["pmd"] is Fold.REAL, True]
    assert steps == [k.PAGE_SIZE * sum(real[: n + 1]) for n in range(4)]
    assert k.vmstat["nr_page_table_pages"] == sum(real)
    k.mmput(mm)
    (report,) = k.reports
    assert report.text == f"BUG: non-zero pgtables_bytes on freeing mm: {steps[-1]}"


# Walks without locks.


@every_kernel
@settings(max_examples=20)
@given(data=st.data())
def test_lockless_walk_ends_where_the_locked_walk_does(k, data):
    k = Kernel(k.boot)
    addr = data.draw(st.integers(0, (1 << k.vabits_actual) - 1))
    mm = k.mm_alloc()
    pgdp = k.pgd_offset(mm, addr)
    p4dp = k.p4d_alloc(mm, pgdp, addr)
    pudp = k.pud_alloc(mm, p4dp, addr)
    pmdp = k.pmd_alloc(mm, pudp, addr)
    assert k.p4d_offset_lockless(pgdp, k.read64(pgdp), addr) == p4dp == k.p4d_offset(pgdp, addr)
    assert k.pud_offset_lockless(p4dp, k.read64(p4dp), addr) == pudp == k.pud_offset(p4dp, addr)
    assert k.pmd_offset_lockless(pudp, k.read64(pudp), addr) == pmdp == k.pmd_offset(pudp, addr)


@every_kernel
def test_generic_p4d_offset_lockless_is_wrong_with_the_pud_folded_at_run_time(k):
    """Up to v6.10 the generic `p4d_offset_lockless()` continued from the copy on the walker's stack."""
    k = Kernel(k.boot)
    if k.CONFIG_PGTABLE_LEVELS <= 4:
        on_the_stack = k.get_zeroed_page() + 0x10
        k.livepatch(p4d_offset_lockless=lambda k, pgdp, pgd, addr: k.p4d_offset(on_the_stack, addr))
    mm, addr = k.mm_alloc(), (1 << k.vabits_actual - 1) | 0x1234_5000
    pgdp = k.pgd_offset(mm, addr)
    p4dp = k.p4d_alloc(mm, pgdp, addr)
    pudp = k.pud_alloc(mm, p4dp, addr)
    lockless_pudp = k.pud_offset_lockless(k.p4d_offset_lockless(pgdp, k.read64(pgdp), addr), k.read64(p4dp), addr)
    wrong = k.CONFIG_PGTABLE_LEVELS == 4 and k.boot.folded["pud"] is Fold.RUN_TIME
    by_value = k.CONFIG_PGTABLE_LEVELS <= 3  # then the next level needs only the value, not its address
    assert (lockless_pudp == pudp) == (not wrong and not by_value)
    if wrong:
        assert lockless_pudp & -k.PAGE_SIZE != mm.pgd
