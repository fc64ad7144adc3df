"""How other versions of Linux differ from v6.9 about page tables, as commits on top of the model, or below it.

A configuration with a version (`Config(linux="7.3")`, `--linux 7.3`) is booted with them; without one it is v6.9. Each
changes what a tree does or what its reports print. What only changed its name is in `IN_WORDS`.

>>> from pgtlab import Config, boot
>>> from pgtlab.lab.trees import Tree
>>> for linux in ("6.1", "6.12", "6.16", "6.17", "7.3"):
...     run = Tree.named("arm64-for-next").start_kernel(boot(Config("64k", 52, linux=linux))).run()
...     print(linux, [commit.name for commit in differences(linux)][-1], run.outcome)
6.1 pud-is-not-accounted clean
6.12 print-uid clean
6.16 p4d-is-accounted clean
6.17 snapshot-page clean
7.3 snapshot-page clean
"""

from __future__ import annotations

from typing import Final

from pgtlab.lab.linux_6_12 import UINT_MAX, V6_12
from pgtlab.lab.trees import Commit
from pgtlab.linux.boot import Boot
from pgtlab.linux.headers.mm_types import PAGE
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.debug import FOLIO_SIZE
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.kernel.page import Page
from pgtlab.linux.kernel.page_flags import (
    PAGE_FLAGS_CHECK_AT_PREP,
    PAGE_MAPPING_FLAGS,
    PG_head,
    PG_hwpoison,
    page_type_has_type,
)
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.kernel.symbols import static_inline
from pgtlab.linux.version import version_code


def _pud_is_not_accounted() -> Commit:
    @static_inline
    def pagetable_pud_ctor(k: Kernel, ptdesc: Page) -> None:
        """Do nothing: a PUD table has no constructor."""

    @static_inline
    def pagetable_pud_dtor(k: Kernel, ptdesc: Page) -> None:
        """Do nothing: a PUD table has no destructor."""

    return Commit(
        "before 55d2a0bd5ead (mm: add statistics for PUD level pagetable)",
        {"pagetable_pud_ctor": pagetable_pud_ctor, "pagetable_pud_dtor": pagetable_pud_dtor},
        name="pud-is-not-accounted",
        does="a PUD table has no page type and is not counted, so that freeing its page is all there is to do",
    )


def _table_af() -> Commit:
    @static_inline
    def pgd_populate(k: Kernel, mm: MmStruct, pgdp: int, p4dp: int) -> None:
        """Make the pgd entry at `pgdp` point to the P4D table at `p4dp`; do nothing with the P4D folded."""
        if k.pgtable_l5_enabled():
            k.write64(pgdp, k.phys_to_entry(k.__pa(p4dp)) | k.PGD_TYPE_TABLE | k.PGD_TABLE_AF | k.PGD_TABLE_PXN)

    @static_inline
    def p4d_populate(k: Kernel, mm: MmStruct, p4dp: int, pudp: int) -> None:
        """Make the P4D entry at `p4dp` point to the PUD table at `pudp`; do nothing with the PUD folded."""
        if k.pgtable_l4_enabled():
            k.write64(p4dp, k.phys_to_entry(k.__pa(pudp)) | k.P4D_TYPE_TABLE | k.P4D_TABLE_AF | k.P4D_TABLE_PXN)

    @static_inline
    def pud_populate(k: Kernel, mm: MmStruct, pudp: int, pmdp: int) -> None:
        """Make the PUD entry at `pudp` point to the PMD table at `pmdp`."""
        k.write64(pudp, k.phys_to_entry(k.__pa(pmdp)) | k.PUD_TYPE_TABLE | k.PUD_TABLE_AF | k.PUD_TABLE_PXN)

    @static_inline
    def pmd_populate(k: Kernel, mm: MmStruct, pmdp: int, pte_page: Page) -> None:
        """Make the PMD entry at `pmdp` point to the PTE table whose page is `pte_page`."""
        table = k.phys_to_entry(pte_page.pfn << k.PAGE_SHIFT)
        k.write64(pmdp, table | k.PMD_TYPE_TABLE | k.PMD_TABLE_AF | k.PMD_TABLE_PXN)

    functions = (pgd_populate, p4d_populate, pud_populate, pmd_populate)
    return Commit(
        "arm64: Add support for FEAT_HAFT",
        {function.__name__: function for function in functions},
        id="efe72541355d",
        name="table-af",
        does="a table entry has an access flag too, bit 10, set from the start; a CPU without FEAT_HAFT ignores it",
    )


def _one_destructor() -> Commit:
    @static_inline
    def pagetable_dtor(k: Kernel, ptdesc: Page) -> None:
        """Undo any constructor of a table: clear the page type and take the table from NR_PAGETABLE."""
        k.__pagetable_dtor(ptdesc)

    @static_inline
    def pagetable_pud_dtor(k: Kernel, ptdesc: Page) -> None:
        """Call the destructor that all levels share."""
        k.pagetable_dtor(ptdesc)

    @static_inline
    def pagetable_pte_dtor(k: Kernel, ptdesc: Page) -> None:
        """Call the destructor that all levels share."""
        k.pagetable_dtor(ptdesc)

    functions = (pagetable_dtor, pagetable_pud_dtor, pagetable_pte_dtor)
    return Commit(
        "mm: pgtable: introduce pagetable_dtor()",
        {function.__name__: function for function in functions},
        name="one-destructor",
        does="one destructor serves every level, where each had its own (until 6.16 callers moved to it as well)",
    )


def _p4d_is_accounted() -> Commit:
    @static_inline
    def p4d_alloc_one(k: Kernel, mm: MmStruct, addr: int) -> int:
        """Allocate a P4D table with a constructor and return its address, or 0 without memory."""
        ptdesc = k.pagetable_alloc(k.pgtable_gfp(mm))
        if ptdesc is None:
            return 0
        k.__pagetable_ctor(ptdesc)
        return k.page_address(ptdesc)

    @static_inline
    def p4d_free(k: Kernel, mm: MmStruct, p4dp: int) -> None:
        """Free a P4D table with its destructor; do nothing with the P4D folded."""
        if not k.pgtable_l5_enabled():
            return
        k.BUG_ON(p4dp & k.PAGE_SIZE - 1, "(unsigned long)p4d & (PAGE_SIZE-1)")
        ptdesc = k.virt_to_page(p4dp)
        k.pagetable_dtor(ptdesc)
        k.pagetable_free(ptdesc)

    return Commit(
        "mm: pgtable: add statistics for P4D level page table",
        {"p4d_alloc_one": p4d_alloc_one, "p4d_free": p4d_free},
        id="db6b435d731a",
        name="p4d-is-accounted",
        does="a P4D table has a constructor and a destructor, as the levels below it",
    )


def _free_clears_type() -> Commit:
    def free_pages_prepare(k: Kernel, page: Page, order: int) -> bool:
        """Check every page of a block that is being freed, and clear its flags; return whether the block may be freed.

        The tail pages come first. One bad page keeps the whole block out of the free lists.
        """
        k.VM_BUG_ON_PAGE(page.compound_head & 1, page, "PageTail(page)")
        if page.flags & PG_hwpoison and order == 0:
            k.page_owner.reset(page.pfn)
            return False  # broken memory is never allocated again
        compound = bool(page.flags & PG_head)
        k.VM_BUG_ON_PAGE(
            compound and k.compound_order(page) != order, page, "compound && compound_order(page) != order"
        )
        bad = k.free_tail_pages(page, order, compound) if order else 0
        if page.mapping & PAGE_MAPPING_FLAGS:
            page.mapping = 0
        if page_type_has_type(page.page_type):
            page.page_type = UINT_MAX
        if k.is_check_pages_enabled():
            bad += k.free_page_is_bad(page)
            if bad:
                return False
        page.flags &= ~PAGE_FLAGS_CHECK_AT_PREP
        k.page_owner.reset(page.pfn)
        if k.page_poisoning_enabled():
            k.kernel_poison_pages(page, 1 << order)
        return True

    return Commit(
        "mm/page_alloc: let page freeing clear any set page type",
        {"free_pages_prepare": free_pages_prepare},
        name="free-clears-type",
        does="freeing a page clears its type before the page is checked: a table that is freed without its destructor "
        "is not reported any more, and only NR_PAGETABLE, which stays too high, tells",
    )


def _snapshot_page() -> Commit:
    def snapshot_page(k: Kernel, page: Page) -> tuple[Page, Page, int, int]:
        """Copy a page and its folio to the stack; return both copies, the number of the frame, and the page's index."""
        copy, folio = k.page_and_folio_on_stack()
        k.memcpy(copy.address, page.address, PAGE.size)
        head = k.page_folio(copy)
        idx = 0 if head == copy else k.folio_page_idx(head, page)
        k.memcpy(folio.address, (page if head == copy else head).address, FOLIO_SIZE)
        return folio, copy, k.page_to_pfn(page), idx

    def __dump_page(k: Kernel, page: Page) -> None:
        """Print a snapshot of a page, with the number of the frame of the original."""
        folio, copy, pfn, idx = k.snapshot_page(page)
        k.__dump_folio(folio, copy, pfn, idx)

    return Commit(
        "mm/util: introduce snapshot_page()",
        {"snapshot_page": snapshot_page, "__dump_page": __dump_page},
        name="snapshot-page",
        does="dump_page() takes its copy of a page from snapshot_page(), which keeps the frame number beside the copy",
    )


#: Until which version, and what was otherwise before.
BEFORE: Final = (("6.7", _pud_is_not_accounted()),)
#: Since which version. Those of 6.12 came in one of 6.10 to 6.12; one-destructor and p4d-is-accounted in 6.14.
SINCE: Final = (
    *(("6.12", commit) for commit in V6_12),
    ("6.13", _table_af()),
    ("6.14", _one_destructor()),
    ("6.14", _p4d_is_accounted()),
    ("6.17", _free_clears_type()),
    ("6.17", _snapshot_page()),
)
VERSION_COMMITS: Final = (*(commit for _, commit in BEFORE), *(commit for _, commit in SINCE))

#: What only has another name or place, and what is left out of the model.
IN_WORDS: Final = {
    "6.9": "p4d and pud may fold at run time: before, no kernel does, and 52 bits need 64K pages",
    "6.14": "page tables are freed, with their destructor, when the TLB is flushed (tlb_remove_table()); the model "
    "frees at once. A pgd that is a page has a constructor too, which the model leaves out",
    "6.16": "the kernel's own tables have constructors and destructors, which know init_mm",
    "6.17": "PTE_DEVMAP and pXd_devmap() are removed",
    "6.19": "an entry that is not present is a softleaf_t: softleaf_from_pte() for pte_to_swp_entry(); the bits are "
    "the same",
}


def differences(linux: str) -> tuple[Commit, ...]:
    """What a version does otherwise than v6.9, oldest first; nothing for the model itself.

    >>> [commit.name for commit in differences("6.13")][-2:], differences("")
    (['print-uid', 'table-af'], ())
    """
    if not linux:
        return ()
    code = version_code(linux)
    before = [commit for version, commit in BEFORE if code < version_code(version)]
    return (*before, *(commit for version, commit in SINCE if code >= version_code(version)))


def why_silent(boot: Boot, run: Run) -> str:
    """Why a run that left a page table counted has no report, in a sentence; otherwise empty."""
    if run.reports or not run.nr_page_table_pages:
        return ""
    tells = f"nothing is reported, and only NR_PAGETABLE, which is {run.nr_page_table_pages} too high, tells"
    linux = boot.config.linux
    if any(commit.name == "free-clears-type" for commit in differences(linux)):
        return f"In Linux {linux} freeing a page clears its type before it is checked (since 6.17): {tells}."
    return f"This kernel does not check pages that are freed (DEBUG_VM and INIT_ON_ALLOC_DEFAULT_ON are off): {tells}."
