"""What a careless fix harms, and a good kernel does right in every configuration."""

import pytest

from pgtlab import CPU, Config, boot
from pgtlab.lab.bugs.bug import FIXED
from pgtlab.lab.bugs.unharmed import unharmed
from pgtlab.lab.matrix import boots
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.boot import Boot


@pytest.mark.parametrize("booted", distinct_boots(), ids=str)
def test_good_kernels_are_unharmed(booted):
    assert unharmed(FIXED.start_kernel(booted)) is None


def nothing(k, ptdesc):
    pass


def unless_of_the_kernel(k, mm, pud):
    if k.pgtable_l4_enabled() and mm is not k.init_mm:
        k.__pud_free(mm, pud)


def if_valid(k, pudp):
    if k.pud_valid(k.read64(pudp)):
        k.write64(pudp, 0)


def with_its_neighbour(k, pudp):
    k.write64(pudp, 0)
    if (pudp + 8) % k.PAGE_SIZE:
        k.write64(pudp + 8, 0)


def without_the_start(k, p4dp, addr):
    return p4dp + 8 * k.pud_index(addr)


def if_a_table(k, ptdesc):
    if k.PageTable(ptdesc):
        k.__ClearPageTable(ptdesc)
        k.vmstat["nr_page_table_pages"] -= 1


def as_a_pud(k, mm, pmdp):
    k.pagetable_pud_dtor(k.virt_to_page(pmdp))
    k.free_page(pmdp)


def whatever_its_type(k, address):
    if k.PageTable(k.virt_to_page(address)):
        k.pagetable_pud_dtor(k.virt_to_page(address))
    k.free_pages(address, 0)


def overwritten(k, vma, addr, ptep, entry, dirty):
    changed = k.read64(ptep) != entry
    k.write64(ptep, entry & ~k.PTE_CONT)
    return changed


def without_break_before_make(k, pudp, phys, prot):
    k.set_pud(pudp, k.pfn_pud(phys >> k.PAGE_SHIFT, k.mk_pud_sect_prot(prot)))
    return True


def whatever_it_is(k, pudp):
    there = k.read64(pudp) != 0
    k.pud_clear(pudp)
    return there


@pytest.mark.parametrize(
    ("patch", "where", "seen"),
    [
        ({"pud_bad": lambda k, pud: False}, ("4k", 48), "Linux walks through an entry of level 1"),
        ({"mm_pud_folded": lambda k, mm: True}, ("4k", 48), "pgtables_bytes counts 4 page tables, and the MMU reads 6"),
        ({"mm_pud_folded": lambda k, mm: mm is k.init_mm}, ("4k", 48), "a pud table more makes 0 bytes"),
        ({"pagetable_pud_ctor": nothing, "pagetable_pud_dtor": nothing}, ("4k", 48), "NR_PAGETABLE counts 4 page tabl"),
        (
            {"pud_free": unless_of_the_kernel},
            ("4k", 48),
            "NR_PAGETABLE grows by 1 for a pud table, and by 1 when it is",
        ),
        ({"pgd_alloc": lambda k, mm: k.page_address(k.alloc_pages(0))}, ("4k", 48), "with a pgd that is not empty"),
        ({"p4d_none": lambda k, p4d: not p4d & 1}, ("4k", 48), ", is none"),
        ({"p4d_bad": lambda k, p4d: p4d & 3 == 1}, ("4k", 48), "Linux walks through an entry of level 0"),
        ({"pud_clear": if_valid}, ("4k", 48), "leaves 0400000000000000 in entry 170"),
        ({"pud_clear": with_its_neighbour}, ("4k", 48), "leaves 0000000000000000 in entry 171"),
        ({"p4d_to_folded_pud": without_the_start}, ("16k", 52), "Linux's walk ends with"),
        ({"__pagetable_dtor": if_a_table}, ("4k", 48), "gets a page that is not a table, and nothing is reported"),
        ({"pmd_free": as_a_pud}, ("4k", 48), "freed with a PTE table deposited, and nothing is reported"),
        ({"free_page": whatever_its_type}, ("4k", 48), "still a table by its type is freed, and nothing is reported"),
        (
            {"is_migrate_cma_folio": lambda k, folio, pfn: False},
            ("4k", 48),
            "the dump of a page in a block of the type CMA",
        ),
        ({"ptep_set_access_flags": overwritten}, ("4k", 48), "a page of a contiguous run is read"),
        ({"ptep_get": lambda k, ptep: k.read64(ptep)}, ("4k", 48), "the run does not count as dirty"),
        ({"pte_wrprotect": lambda k, pte: pte & ~k.PTE_WRITE | k.PTE_RDONLY}, ("4k", 48), "is 00"),
        ({"pud_set_huge": without_break_before_make}, ("4k", 39), "without break before make"),
        ({"pud_clear_huge": whatever_it_is}, ("4k", 39), "pud_clear_huge() takes a table for a block"),
        ({"arch_vmap_pud_supported": lambda k, prot: False}, ("4k", 39), "bytes are not supported"),
        ({"pgdir_is_page_size": lambda k: True}, ("16k", 52), "pgds of 256 bytes take a page of 16384 each"),
        ({"pmd_present": lambda k, pmd: pmd}, ("4k", 48), "a PMD entry, swapped out, is present"),
        ({"pud_set_huge": lambda k, pudp, phys, prot: True}, ("4k", 39), "pud_set_huge() says True, and the MMU has"),
        ({"pud_clear_huge": lambda k, pudp: True}, ("4k", 39), "pud_clear_huge() says True, then True"),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else "",
)
def test_what_is_harmed_is_told(patch, where, seen):
    cpu = "max,lpa2=off" if "p4d_to_folded_pud" in patch else "max"
    kernel = FIXED.start_kernel(boot(Config(*where), CPU.named(cpu)))
    kernel.livepatch(**patch)
    assert seen in unharmed(kernel)


@pytest.mark.long
@pytest.mark.parametrize("booted", [booted for booted in boots() if isinstance(booted, Boot)], ids=str)
def test_good_kernels_are_unharmed_on_every_cpu(booted):
    """`check()` chooses a CPU by the seed."""
    assert unharmed(FIXED.start_kernel(booted, "a student")) is None
