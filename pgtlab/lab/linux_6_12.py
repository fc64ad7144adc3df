"""How v6.12 differs from v6.9 about a bad page, as commits on top of the model.

The recorded kernels (`docs/versions.md`) are v6.12. With these commits the pages of a tree hold the same words as
theirs, and its reports read the same: `page_type: f2(table)`, because the type is the top byte of `page_type`.

>>> from pgtlab import CPU, Config, boot
>>> run = TREES_6_12["v6.12+fold-puds"].start_kernel(boot(Config("4k", 48), CPU.named("max"))).run()
>>> run.reports[0].mapcount, hex(run.reports[0].page_type)
(0, '0xf2000000')
"""

from __future__ import annotations

from typing import Final

from pgtlab.lab.trees import ADD_DUMP_FOLIO, FOLD_PUDS_AT_RUNTIME, Commit, Tree
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mmzone import page_zonenum
from pgtlab.linux.kernel.page import Page
from pgtlab.linux.kernel.page_flags import PAGEFLAGS, PGTY_NAMES, page_type_has_type
from pgtlab.linux.kernel.printk import TAINT_BAD_PAGE, TAINT_DIE, TAINT_LETTERS, TAINT_WARN, VERSION, print_tainted
from pgtlab.linux.kernel.symbols import Symbol, static_inline

UINT_MAX = 0xFFFF_FFFF
PGTY: Final = {name: value for value, name in PGTY_NAMES.items()}
TAINT_NAMES: Final = {TAINT_BAD_PAGE: "BAD_PAGE", TAINT_DIE: "DIE", TAINT_WARN: "WARN"}


def _page_type_ops(uname: str) -> dict[str, Symbol]:
    """PAGE_TYPE_OPS(): the functions that test, set and clear one page type; a page has at most one type."""
    value = PGTY[uname.lower()]

    @static_inline
    def test(k: Kernel, page: Page) -> bool:
        """Whether the page has this function's type."""
        return bool(page.page_type >> 24 == value)

    @static_inline
    def set_(k: Kernel, page: Page) -> None:
        """Give the page this function's type; it must have no type yet."""
        if not test(k, page):
            k.VM_BUG_ON_PAGE(page.page_type != UINT_MAX, page, "page->page_type != UINT_MAX")
            page.page_type = value << 24

    @static_inline
    def clear(k: Kernel, page: Page) -> None:
        """Clear the type of a page, which must be this function's type; a page without a type is left as it is."""
        if page.page_type != UINT_MAX:
            k.VM_BUG_ON_PAGE(not test(k, page), page, f"!Page{uname}(page)")
            page.page_type = UINT_MAX

    return {f"Page{uname}": test, f"__SetPage{uname}": set_, f"__ClearPage{uname}": clear}


@static_inline
def print_flags(k: Kernel, folio: Page, cma: bool) -> None:
    """Print the flags of a folio, whether its pageblock is the contiguous memory allocator's, and its type, if any."""
    names = "|".join(name for name, flag in PAGEFLAGS.items() if folio.flags & flag)
    zone = page_zonenum(folio.flags, k.ZONES_SHIFT)
    k.printk(f"flags: {folio.flags:#x}({names + '|' if names else ''}zone={zone}){' CMA' if cma else ''}")
    if page_type_has_type(folio.page_type):
        byte = int(folio.page_type >> 24)
        k.printk(f"page_type: {byte:x}({PGTY_NAMES.get(byte, 'unknown')})")


@static_inline
def page_mapcount(k: Kernel, page: Page) -> int:
    """How many page-table entries map the page: `_mapcount` plus one, or 0 for a page that has a type."""
    return 0 if page_type_has_type(page.page_type) else int(page._mapcount) + 1


def bad_page(k: Kernel, page: Page, reason: str) -> None:
    """Report a page in a state that it must not be in, leave it in that state, and go on."""
    k.report("Bad page state", page=page, text=reason)
    k.printk(f"BUG: Bad page state in process {k.current.comm}  pfn:{page.pfn:05x}")
    k.dump_page(page, reason)
    k.printk("Modules linked in:")
    k.dump_stack()
    if k.PageBuddy(page):
        k.__ClearPageBuddy(page)
    k.add_taint(TAINT_BAD_PAGE)


def free_unref_page(k: Kernel, page: Page, order: int) -> None:
    """Free a block of an order that is often wanted again. (The kernel keeps it on a per-CPU list.)"""
    if k.free_pages_prepare(page, order):
        k.free_one_page(k.page_zone(page), page, order, k.get_pfnblock_migratetype(page, k.page_to_pfn(page)))


def print_header(k: Kernel) -> None:
    """Print the lines before a report's call trace: CPU, user, task, release, taints by letter and name, machine."""
    task = k.current
    tainted = print_tainted(k)
    k.printk(f"CPU: 0 UID: 0 PID: {task.pid} Comm: {task.comm} {tainted} {k.release} {VERSION}")
    if k.tainted:
        k.printk("Tainted: " + ", ".join(f"[{TAINT_LETTERS[flag]}]={TAINT_NAMES[flag]}" for flag in sorted(k.tainted)))
    k.printk("Hardware name: linux,dummy-virt (DT)")


ONE_PAGE_TYPE: Final = Commit(
    "mm: support only one page_type per page",
    {**_page_type_ops("Table"), **_page_type_ops("Buddy"), "print_flags": print_flags},
    id="4ffca5a96678",
    name="one-page-type",
    does="the type of a page is the top byte of page_type, no longer a cleared bit",
)
# The ids of these are not known here; each is what v6.12 has in the file that is named.
NO_MAPCOUNT_OF_TYPED_PAGES: Final = Commit(
    "mm/debug.c, __dump_folio(): a page that has a type has no map count",
    {"page_mapcount": page_mapcount},
    name="no-mapcount-of-typed-pages",
)
LEAVE_BAD_FIELDS: Final = Commit(
    "mm/page_alloc.c, bad_page(): leave bad fields as they are, but for PageBuddy",
    {"bad_page": bad_page},
    name="leave-bad-fields",
)
NO_FREE_UNREF_PAGE_PREPARE: Final = Commit(
    "mm/page_alloc.c, free_unref_page(): call free_pages_prepare() itself",
    {"free_unref_page": free_unref_page},
    name="no-free-unref-page-prepare",
)
PRINT_UID: Final = Commit(
    "lib/dump_stack.c, dump_stack_print_info(): print the UID too",
    {"print_header": print_header},
    name="print-uid",
)
V6_12: Final = (
    NO_MAPCOUNT_OF_TYPED_PAGES,
    ONE_PAGE_TYPE,
    LEAVE_BAD_FIELDS,
    NO_FREE_UNREF_PAGE_PREPARE,
    PRINT_UID,
)

# v6.12 has both fixes of the thread; in the recorded kernels one of the bugs, or both, is reintroduced. Of the second,
# only the macro: v6.12's __dump_page() uses `compound_head`, as the model's does.
PFN_OF_THE_COPY: Final = Commit(
    "mm/debug.c, __dump_folio(): is_migrate_cma_page() of the copy",
    {"__dump_folio": ADD_DUMP_FOLIO.functions["__dump_folio"]},
    name="pfn-of-the-copy",
)
TREES_6_12: Final = {
    tree.name: tree
    for tree in (
        Tree("v6.12", V6_12),
        Tree("v6.12+fold-puds", (*V6_12, FOLD_PUDS_AT_RUNTIME)),
        Tree("v6.12+both", (*V6_12, FOLD_PUDS_AT_RUNTIME, PFN_OF_THE_COPY)),
    )
}
