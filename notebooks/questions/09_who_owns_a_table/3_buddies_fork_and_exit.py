"""Questions of chapter 9: buddies, fork and exit."""

from __future__ import annotations

from random import Random

from pgtlab.lab.bugs.address_space import map_page, new_mm, new_page
from pgtlab.lab.question import Intermediate, Number, Order, Question, Wrong, multiple_choice
from pgtlab.lab.trees import Tree
from pgtlab.linux.kernel import Kernel


def kernel() -> Kernel:
    """A healthy kernel that has just booted."""
    return Tree.named("fixed").start_kernel()


def buddy_of(draw: Random) -> Question:
    order = draw.randrange(0, 6)
    pfn = draw.randrange(1 << 12, 1 << 18) >> order << order
    buddy = pfn ^ (1 << order)
    return Question(
        text=f"A block of {1 << order} page{'s' if order else ''} (order {order}) begins at pfn `{pfn:#x}`. Its buddy differs from it "
        "in one bit of the pfn. At which pfn does the buddy begin?",
        answer=Number(buddy, base=16),
        wrong=(
            Wrong(
                pfn + (1 << order) if pfn >> order & 1 else pfn - (1 << order),
                "buddy-is-next",
                "That block is a neighbour too, but the two together would not begin at a multiple of their size: they are halves "
                "of two different blocks.",
            ),
            Wrong(pfn ^ order, "order-is-the-size", f"The order is the exponent: order {order} is {1 << order} pages."),
            Wrong(
                pfn ^ (2 << order),
                "one-bit-too-high",
                f"Bit {order} of the pfn tells the two halves of a block of {2 << order} apart.",
            ),
        ),
        steps=(
            Intermediate(f"Which bit of the pfn has the value {1 << order}?", Number(order)),
            "Turn that bit over: what is the pfn now?",
        ),
        truth=f"Turn bit {order} over: **{buddy:#x}**.",
    )


def tables_after_fork(draw: Random) -> Question:
    pages = draw.randrange(2, 9)
    k = kernel()
    parent = new_mm(k)
    frames = [new_page(k).pfn for _ in range(pages)]
    start = draw.randrange(1, 1 << 8) << 39
    for number, pfn in enumerate(frames):
        map_page(k, parent, start + (number << 12), pfn)
    before = k.vmstat["nr_page_table_pages"]
    child = new_mm(k)
    for number, pfn in enumerate(frames):
        map_page(k, child, start + (number << 12), pfn)
    made = k.vmstat["nr_page_table_pages"] - before
    return multiple_choice(
        text=f"A process has {pages} neighbouring pages of its own data mapped, through {before} tables below its pgd. It calls `fork()`. How many "
        "new tables does the child get below its own pgd, and how many new pages of data?",
        right=f"{made} tables, 0 pages",
        wrong={
            f"0 tables, {pages} pages": (
                "fork-shares-tables: The other way round: the tables are the child's own, so that they can differ; "
                "the data is shared as long as nobody writes."
            ),
            "0 tables, 0 pages": (
                "fork-shares-tables: If both used the same tables, a page that the child maps would appear in the "
                "parent as well."
            ),
            f"{made} tables, {pages} pages": (
                "fork-copies-pages: The first Unix systems did that. Today the pages are shared, write-protected, "
                "and copied one by one when somebody writes."
            ),
        },
        because="a table belongs to one address space",
        wrong_reasons={
            "everything is shared until somebody writes": (
                "fork-shares-tables: Data is. A table is written whenever an entry changes, and the child must not "
                "change its parent's entries."
            ),
            "a copy of a process has a copy of everything": (
                "fork-copies-pages: Copying all data takes long, and most of it is never written. The two share it "
                "until one of them writes."
            ),
        },
        truth=f"**{made} tables, 0 pages.** Each page now has one reference and one mapping more.",
    )


def order_of_an_exit(draw: Random) -> Question:
    right = (
        "unmap the pages",
        "free the pte tables",
        "free the pmd tables",
        "free the pud tables",
        "free the pgd",
        "check the counters of the address space, all of which is gone",
    )
    return Question(
        text="A process exits. In which order does the kernel take its address space down?",
        answer=Order(right),
        wrong=(
            Wrong(
                (
                    "unmap the pages",
                    "free the pud tables",
                    "free the pmd tables",
                    "free the pte tables",
                    "free the pgd",
                    right[5],
                ),
                "from-the-top",
                "Where is the address of a pte table kept? In an entry of a pmd table: free that first, and you have lost it.",
            ),
            Wrong(
                (right[4], *right[3:0:-1], right[0], right[5]),
                "from-the-top",
                "The pgd leads to all the others: without it the kernel finds neither a table nor a page of this process any more.",
            ),
            Wrong(
                (right[1], right[0], *right[2:]),
                "tables-before-pages",
                "Which pages are mapped, only the pte tables say. Free them first, and the kernel no longer knows which pages have a mapping less.",
            ),
        ),
        truth="From the bottom up: pages, pte, pmd, pud, pgd. Only the table above knows where a table is. The counters of "
        "tables come last, when the whole address space, the pgd included, is gone: then they must be 0.",
    )
