"""Swap and migration entries are read from a page table as they were written, in every kernel."""

from hypothesis import given
from hypothesis import strategies as st
from kernels import KINDS, every_kernel, kernel


@given(st.data())
def test_swap_entry_round_trip(data):
    k = data.draw(st.sampled_from(KINDS).map(kernel))
    type = data.draw(st.integers(0, 31))
    offset = data.draw(st.integers(0, k.__SWP_OFFSET_MASK))
    entry = k.swp_entry(type, offset)
    assert (k.swp_type(entry), k.swp_offset(entry)) == (type, offset)
    pte = k.swp_entry_to_pte(entry)
    assert k.pte_to_swp_entry(pte) == entry == k.pte_to_swp_entry(k.pte_swp_mkexclusive(pte))
    assert k.pmd_to_swp_entry(k.swp_entry_to_pmd(entry)) == entry
    for word in (pte, k.pte_swp_mkexclusive(pte)):
        assert not k.pte_present(word)
        assert k.is_swap_pte(word) == (word != 0)
    assert k.pte_swp_exclusive(k.pte_swp_mkexclusive(pte))
    assert k.pte_swp_clear_exclusive(k.pte_swp_mkexclusive(pte)) == pte


@every_kernel
def test_each_type_of_swap_entry_is_recognised(k):
    pfn = (1 << k.SWP_PFN_BITS) - 1
    entries = {
        "writable": k.make_writable_migration_entry(pfn),
        "readable": k.make_readable_migration_entry(pfn),
        "readable_exclusive": k.make_readable_exclusive_migration_entry(pfn),
    }
    for kind, entry in entries.items():
        assert k.is_migration_entry(entry)
        assert [other for other in entries if getattr(k, f"is_{other}_migration_entry")(entry)] == [kind]
        assert k.swp_offset_pfn(entry) == pfn
        assert k.is_pmd_migration_entry(k.swp_entry_to_pmd(entry))
        young = k.make_migration_entry_young(entry)
        assert k.migration_entry_supports_ad()
        assert k.is_migration_entry_young(young)
        assert not k.is_migration_entry_young(entry)
        assert k.is_migration_entry_dirty(k.make_migration_entry_dirty(entry))
        assert not k.is_migration_entry_dirty(young)
        assert k.swp_offset_pfn(k.make_migration_entry_dirty(young)) == pfn
        assert k.pte_to_swp_entry(k.swp_entry_to_pte(young)) == young
    poisoned = k.make_hwpoison_entry(pfn)
    assert k.is_hwpoison_entry(poisoned)
    assert not k.is_migration_entry(poisoned)
    assert k.MAX_SWAPFILES == 32 - 3 - 1 - 1


@every_kernel
def test_soft_dirty_does_nothing(k):
    """arm64 has no bit for it: the generic stubs are used, also by swp_entry_to_pte() and its opposite."""
    pte = k.swp_entry_to_pte(k.swp_entry(3, 0x1234))
    assert k.pte_swp_clear_soft_dirty(pte) == pte
    assert not k.pte_swp_soft_dirty(pte)
