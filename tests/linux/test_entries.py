"""Entries that map a page: the helpers make those of real kernels, and obey laws in every kernel."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernels import KINDS, every_kernel, kernel

from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.registers import TTBR0_EL1
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import MmStruct, VmAreaStruct

DATA = Path(__file__).parents[1] / "data/kernel"
REAL = json.loads((DATA / "user-entries.json").read_text())
CONFIGS = [name for name in REAL if name != "source"]
CONSTANTS = json.loads((DATA / "constants.json").read_text())["everywhere"]

VMA = VmAreaStruct(MmStruct())
FLAGS = range(16)


def kernel_of(name: str) -> Kernel:
    page_size, va_bits = name.split("-va")
    return Kernel(boot(Config(page_size, int(va_bits)), CPU.named("max")))


def vm_flags(k: Kernel, maps: str) -> int:
    """The VM flags of a line of /proc/self/maps, such as `rw-p`."""
    letters = {"r": k.VM_READ, "w": k.VM_WRITE, "x": k.VM_EXEC, "s": k.VM_SHARED}
    return sum(flag for letter, flag in letters.items() if letter in maps)


# Entries of real kernels.


def written(k: Kernel, pfn: int, prot: int) -> int:
    """The entry that a write fault in a private mapping makes (mm/memory.c, do_anonymous_page())."""
    return k.pte_mkwrite(k.pte_mkdirty(k.pte_mkyoung(k.pfn_pte(pfn, prot))), VMA)


def expected(k: Kernel, row: dict, pfn: int) -> int:
    """The entry as the kernel makes it, from what the process did."""
    prot = k.vm_get_page_prot(vm_flags(k, row["vma"]))
    match row["region"], row["state"]:
        case _, "untouched":
            return 0
        case _, "zeropage-read":
            return k.pte_mkspecial(k.pfn_pte(pfn, prot))
        case "shared_rw", state:
            return written(k, pfn, prot) if state == "dirty" else k.pfn_pte(pfn, prot)
        case "thp_madvise", _ if row["level"] == 2:
            return k.pmd_mkwrite(k.pmd_mkdirty(k.pmd_mkhuge(k.pfn_pmd(pfn, prot))), VMA)
        case "main", _:
            return k.pfn_pte(pfn, prot)  # a file's text, read
        case region, _ if region.endswith("_after_write"):
            before = written(k, pfn, k.vm_get_page_prot(k.VM_READ | k.VM_WRITE))
            return k.pte_modify(before, prot)  # mprotect()
        case _:
            return written(k, pfn, prot)


@pytest.mark.parametrize("name", CONFIGS)
def test_helpers_make_the_entries_of_a_real_process(name):
    k = kernel_of(name)
    rows = REAL[name]
    assert len(rows) >= 20
    for row in rows:
        entry, pfn = int(row["entry"], 16), int(row["pfn"] or "0", 16)
        assert f"{expected(k, row, pfn):#x}" == row["entry"], row
        assert k.pte_none(entry) == (row["state"] == "untouched")
        if entry and row["level"] == 3:
            assert k.pte_pfn(entry) == pfn
        elif entry:
            assert (k.pmd_pfn(entry), k.pmd_leaf(entry), k.pmd_trans_huge(entry)) == (pfn, True, True)


@pytest.mark.parametrize("name", CONFIGS)
def test_pte_protnone_of_a_real_process(name):
    k = kernel_of(name)
    for row in REAL[name]:
        entry = int(row["entry"], 16)
        assert k.pte_protnone(entry) == (row["state"] == "protnone")
        assert k.pte_present(entry) == (row["state"] != "untouched")
        assert not k.is_swap_pte(entry)


# Protections.


PAGE_OF = {  # mmap(2): the flags of the sixteen kinds of mapping, and the protection that a page of each begins with
    "": "NONE",
    "s": "NONE",
    **dict.fromkeys(["r", "w", "rw", "rs"], "READONLY"),
    **dict.fromkeys(["ws", "rws"], "SHARED"),
    **dict.fromkeys(["x", "rx", "wx", "rwx", "xs", "rxs"], "READONLY_EXEC"),
    **dict.fromkeys(["wxs", "rwxs"], "SHARED_EXEC"),
}


@every_kernel
def test_protection_map_has_the_recorded_constants(k):
    """`protection_map` has the recorded constants; with LPA2 the bits of PTE_SHARED are address bits and are clear."""
    cleared = k.PTE_SHARED if k.lpa2_is_enabled else 0
    assert len(PAGE_OF) == 16
    for letters, name in PAGE_OF.items():
        assert k.vm_get_page_prot(vm_flags(k, letters)) == int(CONSTANTS[f"pgprot_val(PAGE_{name})"], 16) & ~cleared


def test_execute_only_needs_enhanced_pan():
    max_cpu = CPU.named("max")
    epan = CPU("max+epan", max_cpu.mmfr0, max_cpu.mmfr1.replace(PAN=3), max_cpu.mmfr2)
    for cpu, name in ((max_cpu, "READONLY_EXEC"), (epan, "EXECONLY")):
        k = Kernel(boot(Config("4k", 48), cpu))
        for flags in (k.VM_EXEC, k.VM_EXEC | k.VM_SHARED):
            assert k.vm_get_page_prot(flags) == int(CONSTANTS[f"pgprot_val(PAGE_{name})"], 16)
        assert k.vm_get_page_prot(k.VM_EXEC | k.VM_READ) == k._PAGE_READONLY_EXEC


@every_kernel
def test_mmu_allows_user_space_what_the_mapping_says(k):
    """The MMU translates a page of each kind of mapping: new, written, write-protected, invalid and old."""
    k = Kernel(k.boot)
    mm, addr = k.mm_alloc(), 0x1234_5678_9000 & (1 << k.vabits_actual - 1) - k.PAGE_SIZE
    pmdp = k.pmd_alloc(mm, k.pud_alloc(mm, k.p4d_alloc(mm, k.pgd_offset(mm, addr), addr), addr), addr)
    assert k.pte_alloc(mm, pmdp) == 0
    ptep = k.pte_offset_kernel(pmdp, addr)
    mmu = replace(k.mmu, ttbr0=TTBR0_EL1(k.__pa(mm.pgd)))
    page = k.alloc_pages(0)

    def allowed(pte: int) -> str:
        k.set_pte_at(mm, addr, ptep, pte)
        accesses = {"r": Access.READ, "w": Access.WRITE, "x": Access.FETCH}
        walks = {letter: mmu.translate(addr, access, el=0) for letter, access in accesses.items()}
        assert all(isinstance(w.outcome, Fault) or w.outcome.pa >> k.PAGE_SHIFT == page.pfn for w in walks.values())
        return "".join(letter for letter, walk in walks.items() if not isinstance(walk.outcome, Fault))

    assert allowed(0) == ""
    for flags in FLAGS:
        pte = k.mk_pte(page, k.vm_get_page_prot(flags))
        readable, executable = "r" if flags & k.VM_ACCESS_FLAGS else "", "x" if flags & k.VM_EXEC else ""
        by_hardware = "w" if k.mmu.tcr.HD and flags & k.VM_SHARED and flags & k.VM_WRITE else ""
        assert allowed(pte) == readable + by_hardware + executable
        assert allowed(k.pte_mkinvalid(pte)) == ""
        assert allowed(k.pte_mkspecial(k.pte_mkdevmap(pte))) == allowed(pte)
        if flags & k.VM_WRITE:
            written = k.pte_mkwrite(k.pte_mkdirty(pte), VMA)
            assert allowed(written) == "rw" + executable
            assert allowed(k.pte_wrprotect(written)) == "r" + executable
        if flags & k.VM_ACCESS_FLAGS:
            by_hardware = allowed(pte) if k.mmu.tcr.HA else ""
            assert allowed(k.pte_mkold(pte)) == by_hardware


# Laws.


CHANGES = {  # each change, and the flags that it sets or clears
    "mkyoung": {"young": True},
    "mkold": {"young": False},
    "mkdirty": {"dirty": True},
    "mkclean": {"dirty": False},
    "mkwrite_novma": {"write": True},
    "wrprotect": {"write": False},
    "mkspecial": {"special": True},
    "mkdevmap": {"devmap": True, "special": True},
    "mkcont": {"cont": True},
    "mknoncont": {"cont": False},
    "mkinvalid": {},
}


@st.composite
def entries(draw):
    """A kernel, and an entry of it with any protection and any of the changes that mm makes."""
    k = draw(st.sampled_from(KINDS).map(kernel))
    pfn = draw(st.integers(0, (1 << k.PHYS_MASK_SHIFT - k.PAGE_SHIFT) - 1))
    pte = k.pfn_pte(pfn, k.vm_get_page_prot(draw(st.sampled_from(FLAGS))))
    for change in draw(st.lists(st.sampled_from(list(CHANGES)), max_size=4)):
        pte = getattr(k, f"pte_{change}")(pte)
    return k, pfn, pte


@given(entries())
def test_each_change_changes_only_its_own_flags(case):
    k, pfn, pte = case
    flags = ["young", "dirty", "write", "special", "devmap", "cont"]
    before = {flag: getattr(k, f"pte_{flag}")(pte) for flag in flags}
    for change, expected_flags in CHANGES.items():
        after = getattr(k, f"pte_{change}")(pte)
        assert {flag: getattr(k, f"pte_{flag}")(after) for flag in flags} == {**before, **expected_flags}, change
        assert k.pte_pfn(after) == pfn
        assert getattr(k, f"pte_{change}")(after) == after, "idempotent"


@given(entries(), st.sampled_from(FLAGS))
def test_pte_modify_keeps_frame_accessed_and_dirty(case, flags):
    k, pfn, pte = case
    prot = k.vm_get_page_prot(flags)
    after = k.pte_modify(pte, prot)
    assert k.pte_pfn(after) == pfn
    assert (k.pte_young(after), k.pte_dirty(after)) == (k.pte_young(pte), k.pte_dirty(pte))
    assert (k.pte_special(after), k.pte_devmap(after)) == (k.pte_special(pte), k.pte_devmap(pte))
    assert k.pte_write(after) == bool(prot & k.PTE_WRITE)
    assert k.pte_valid(after) == bool(prot & k.PTE_VALID)
    assert k.pte_user_exec(after) == (not prot & k.PTE_UXN)
    assert k.pte_protnone(after) == (flags & 7 == 0)
    assert k.pte_modify(after, prot) == after
    assert k.pte_same(k.pte_modify(k.pte_modify(pte, k.vm_get_page_prot(0)), prot), after), "PROT_NONE in between"


@given(entries())
def test_frame_and_protection_make_up_an_entry(case):
    k, pfn, pte = case
    assert k.pfn_pte(k.pte_pfn(pte), k.pte_pgprot(pte)) == pte
    assert k.pte_advance_pfn(pte, 0) == pte
    if pfn + 3 < 1 << k.PHYS_MASK_SHIFT - k.PAGE_SHIFT:
        assert k.pte_pfn(k.pte_advance_pfn(pte, 3)) == pfn + 3
        assert k.pte_pgprot(k.pte_advance_pfn(pte, 3)) == k.pte_pgprot(pte)


@given(entries())
def test_dirty_is_kept_when_hardware_or_software_marked_it(case):
    k, _, pte = case
    assert k.pte_dirty(pte) == (k.pte_sw_dirty(pte) or k.pte_hw_dirty(pte))
    assert k.pte_dirty(k.pte_wrprotect(pte)) == k.pte_dirty(pte)
    protected = k.pte_wrprotect(pte)
    assert k.pte_sw_dirty(protected) == k.pte_dirty(pte)
    assert not k.pte_hw_dirty(protected)
    assert k.pte_hw_dirty(k.pte_mkdirty(k.pte_mkwrite(pte, VMA)))


@given(entries())
def test_pmd_queries_agree_with_pte_queries(case):
    k, _, pte = case
    pmd = k.pmd_mkhuge(k.pmd_modify(pte, k.vm_get_page_prot(k.VM_READ)))
    assert k.pmd_leaf(pmd)
    assert k.pmd_bad(pmd)
    assert k.pmd_trans_huge(pmd)
    assert not k.pmd_table(pmd)
    assert k.pmd_leaf(k.pmd_mkinvalid(pmd))
    assert k.pmd_trans_huge(k.pmd_mkinvalid(pmd))
    assert not k.pmd_sect(k.pmd_mkinvalid(pmd))
    for query in ("present", "young", "dirty", "write", "devmap", "user", "user_exec", "cont", "protnone"):
        assert getattr(k, f"pmd_{query}")(pmd) == getattr(k, f"pte_{query}")(pmd)
    assert k.pmd_pfn(k.pfn_pmd(k.pmd_pfn(pmd), 0)) == k.pmd_pfn(pmd)
    assert k.pmd_pfn(pmd) % (k.PMD_SIZE >> k.PAGE_SHIFT) == 0
    assert not k.pmd_leaf(k.PMD_TYPE_TABLE)
    assert not k.pmd_trans_huge(k.PMD_TYPE_TABLE)
    assert not k.pmd_trans_huge(0)


@every_kernel
def test_pud_leaf_where_linux_maps_pud_blocks(k):
    block = k.pud_mkhuge(k.pfn_pud(0, k.mk_pud_sect_prot(k._PAGE_KERNEL)))
    levels = k.CONFIG_PGTABLE_LEVELS
    assert k.pud_leaf(block) == k.pud_sect(block) == (levels > 2 and k.PAGE_SHIFT != 16)
    assert k.pud_sect_supported() == (k.PAGE_SHIFT == 12)
    assert not k.pud_leaf(k.PUD_TYPE_TABLE)
    if levels == 2:
        assert k.pud_present(0)
        assert not k.pud_none(0)
        assert not k.pud_leaf(block)
        assert not k.pud_set_huge(0, 0, 0)


@every_kernel
def test_pgd_and_p4d_never_map_a_block(k):
    for word in (0, k.PUD_TYPE_SECT, k.PMD_TYPE_TABLE, (1 << 64) - 1):
        assert not k.pgd_leaf(word)
        assert not k.p4d_leaf(word)
        assert not k.pgd_devmap(word)
