"""Questions of chapter 9: constructor and destructor, the allocator, and counters."""

from __future__ import annotations

from functools import cache
from random import Random

from pgtlab.lab.bugs.address_space import map_page, new_mm, new_page
from pgtlab.lab.question import Intermediate, Number, Order, Question, Wrong, multiple_choice, recall
from pgtlab.lab.trees import Tree
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.printk import Panic


def kernel() -> Kernel:
    """A healthy kernel that has just booted."""
    return Tree.named("fixed").start_kernel()


def order_of_a_table_s_life(draw: Random) -> Question:
    return Question(
        text="Put the life of one PUD table in order.",
        answer=Order(
            (
                "the allocator hands out a free page",
                "the constructor gives the page the type table and counts it",
                "an entry of the level above is set: the MMU can reach the table",
                "the entry above is cleared: the MMU can no longer reach the table",
                "the destructor takes the type and the count back",
                "the page goes back to the allocator, which looks at it",
            )
        ),
        wrong=(
            Wrong(
                (
                    "the allocator hands out a free page",
                    "the constructor gives the page the type table and counts it",
                    "an entry of the level above is set: the MMU can reach the table",
                    "the entry above is cleared: the MMU can no longer reach the table",
                    "the page goes back to the allocator, which looks at it",
                    "the destructor takes the type and the count back",
                ),
                "free-then-destruct",
                "In your order the allocator gets a page that still says *table*, and the destructor then writes to a page that is "
                "no longer yours: perhaps somebody else's already.",
            ),
            Wrong(
                (
                    "the allocator hands out a free page",
                    "the constructor gives the page the type table and counts it",
                    "an entry of the level above is set: the MMU can reach the table",
                    "the destructor takes the type and the count back",
                    "the page goes back to the allocator, which looks at it",
                    "the entry above is cleared: the MMU can no longer reach the table",
                ),
                "still-reachable",
                "As long as the MMU can reach it, it must stay a table. In your order, for a moment the MMU could walk through a page that is free, and take "
                "its next owner's data for entries.",
            ),
            Wrong(
                (
                    "the allocator hands out a free page",
                    "the constructor gives the page the type table and counts it",
                    "an entry of the level above is set: the MMU can reach the table",
                    "the destructor takes the type and the count back",
                    "the entry above is cleared: the MMU can no longer reach the table",
                    "the page goes back to the allocator, which looks at it",
                ),
                "still-reachable",
                "As long as the MMU can reach it, it must stay a table. In your order the MMU still walks through a page that the "
                "kernel's books no longer call a table.",
            ),
            Wrong(
                (
                    "the allocator hands out a free page",
                    "an entry of the level above is set: the MMU can reach the table",
                    "the constructor gives the page the type table and counts it",
                    "the entry above is cleared: the MMU can no longer reach the table",
                    "the destructor takes the type and the count back",
                    "the page goes back to the allocator, which looks at it",
                ),
                "linked-before-it-is-a-table",
                "In your order the MMU can already walk through the page when the books do not call it a table yet. First it becomes one, "
                "then it is linked.",
            ),
        ),
        truth="What was done last is undone first, like brackets: allocate, construct, **link**, *unlink*, destruct, free.",
    )


@cache
def _free_a_table(destructor_after: bool) -> str:
    """What a kernel reports when a table's page is freed first, and destructed afterwards or never."""
    k = kernel()
    page = k.alloc_pages(0)
    k.pagetable_pud_ctor(page)
    try:
        k.__free_pages(page, 0)
        if destructor_after:
            k.pagetable_pud_dtor(page)
    except Panic:
        pass
    return "; then ".join(f"{report.kind}: {report.text}" for report in k.reports)


def free_without_the_destructor(draw: Random) -> Question:
    said = _free_a_table(destructor_after=False)
    return multiple_choice(
        text="A page has the type *table*. Somebody frees it with `__free_pages(page, 0)` and does not call the destructor. What "
        "does the kernel do?",
        right="it reports a bad page, sets it aside, and goes on",
        wrong={
            "it frees the page: the type is overwritten by the next owner": (
                "no-check-on-free: It could, and before such checks existed it did. A page that comes back in an "
                "impossible state shows that somebody is not finished with it: handing it out would spread the "
                "damage."
            ),
            "it panics at once": (
                "report-is-panic: A bad page alone does not stop a kernel: one page out of millions is set aside. "
                "That this log ends in a panic needs another reason: chapter 10b."
            ),
            "it calls the destructor itself": (
                "the-allocator-knows-tables: The allocator hands out pages and does not know what they are used for. Who made a page a table has "
                "to undo it."
            ),
        },
        because="a free page must have `_mapcount` -1",
        wrong_reasons={
            "the reference count is 0, and only that counts": (
                "refcount-is-mapcount: The last reference brings the page to the allocator. What the allocator then "
                "looks at is the other count."
            ),
            "such a page is still mapped 512 times": (
                "printed-is-stored: Nothing maps it, and never did: the four bytes hold a type, which is only "
                "*printed* as a count."
            ),
            "the table is still reachable, and NULL is read": (
                "report-is-panic: Nobody links this table, and nothing reads through it. The NULL of our log came later, while the report was "
                "printed: chapter 10b."
            ),
        },
        truth=f"The model says: **{said}**. The page is set aside and lost; the kernel runs on.",
        lines=(2,),
    )


def free_first(draw: Random) -> Question:
    said = _free_a_table(destructor_after=True)
    return multiple_choice(
        text="Somebody sees that report and adds the destructor, but in the line *after* `__free_pages(page, 0)`. What now?",
        right="the same report, and a worse one after it",
        wrong={
            "no report: both functions have run": (
                "free-then-destruct: The allocator looks at the page in the moment that it gets it. What is done to "
                "the page afterwards comes too late."
            ),
            "the same report, and nothing else happens": (
                "free-then-destruct: The destructor looks too: what does it find in the four bytes, after the "
                "allocator has set them?"
            ),
            "the type is cleared twice, which is harmless": (
                "free-then-destruct: After the free the page is not yours. On another CPU it may be anything by now: "
                "a buffer, another table."
            ),
        },
        because="the allocator looks when it gets the page",
        wrong_reasons={
            "what counts is that both functions have run": (
                "free-then-destruct: Order counts: between the two calls the page belongs to nobody, and says "
                "*table* to everybody who looks."
            ),
            "the page is yours until your function returns": (
                "free-then-destruct: It is yours until you give it back, which `__free_pages` does. On another CPU "
                "somebody may have it before your next line runs."
            ),
        },
        truth=f"The model says: **{said}**. After its report the allocator resets the word; the destructor finds no table, and its "
        "check stops the kernel. After a free, a page may not be touched.",
    )


@recall
def counter_after_mistakes(draw: Random) -> Question:
    made = draw.randrange(6, 12)
    well, badly = draw.randrange(1, made // 2), draw.randrange(1, made // 2)
    k = kernel()
    pages = [k.alloc_pages(0) for _ in range(made)]
    for page in pages:
        k.pagetable_pud_ctor(page)
    for page in pages[:well]:
        k.pagetable_pud_dtor(page)
        k.__free_pages(page, 0)
    for page in pages[well : well + badly]:
        k.__free_pages(page, 0)
    left = k.vmstat["nr_page_table_pages"]
    return Question(
        text=f"{made} tables are made with their constructor. {well} {'is' if well == 1 else 'are'} destructed and freed, {badly} "
        f"{'is' if badly == 1 else 'are'} freed without {'its' if badly == 1 else 'their'} destructor, the others stay in use. What does the counter of page tables, NR_PAGETABLE, say?",
        answer=Number(left),
        wrong=(
            Wrong(
                made - well - badly,
                "freed-is-uncounted",
                f"That is how many tables exist. But who would have subtracted the {badly}? The allocator does not know what a page "
                "was used for; only the destructor counts down.",
            ),
            Wrong(made, "destructor-does-not-count", f"The {well} that went the right way were subtracted."),
            Wrong(
                well + badly,
                "counted-the-freed",
                "That is how many were freed. The counter holds what was added and not subtracted.",
            ),
        ),
        steps=(
            Intermediate("How many times was one added to the counter?", Number(made)),
            Intermediate("How many times was one subtracted?", Number(well)),
        ),
        truth=f"{made} added, {well} subtracted: **{left}**, though only {made - well - badly} tables exist. The difference, "
        f"{badly}, stays for ever: a counter that does not return to its start is evidence of a missing destructor.",
    )


@recall
def tables_of_a_process(draw: Random) -> Question:
    k = kernel()
    mm = new_mm(k)
    pages, apart = draw.randrange(2, 7), draw.choice(((12, "next to each other"), (30, "1 GiB apart")))
    start = draw.randrange(1, 1 << 8) << 39
    for number in range(pages):
        map_page(k, mm, start + (number << apart[0]), new_page(k).pfn)
    right = mm.pgtables_bytes
    tables = right // k.PAGE_SIZE
    ptes, pmds = (len({start + (number << apart[0]) >> bits for number in range(pages)}) for bits in (21, 30))
    return Question(
        text=f"4K pages, 48 bits. A new process maps {pages} pages, {apart[1]}, beginning at `{start:#x}`. How many tables of the "
        "levels pud, pmd and pte does it have now? (The pgd was there before and is not counted.)",
        answer=Number(tables, unit="tables"),
        wrong=(
            Wrong(
                tables + 1,
                "pgd-is-counted",
                "You counted the pgd too. It comes with the process, and has no constructor in 6.9.",
            ),
            *(
                (
                    Wrong(
                        pages,
                        "one-table-a-page",
                        "A page of 4 KiB holds 512 entries: one pte table reaches 2 MiB of neighbours.",
                    ),
                    Wrong(1, "only-the-pte-tables", "That is the pte table. What leads to it, and what leads to that?"),
                )
                if apart[0] == 12
                else (
                    Wrong(
                        pages,
                        "only-the-pte-tables",
                        f"Those are the pte tables, {pages} of them: pages that are 1 GiB apart share none. What leads to each of them?",
                    ),
                    Wrong(
                        pages + 2,
                        "a-pmd-table-reaches-all",
                        "You let all pte tables hang from one pmd table. A pmd table has 512 entries of 2 MiB each: it reaches 1 GiB.",
                    ),
                    Wrong(
                        3,
                        "a-pmd-table-reaches-all",
                        "Three would be enough for neighbours in the same 2 MiB. How far does one pte table reach, and how far one pmd table?",
                    ),
                )
            ),
            Wrong(
                3 * pages,
                "a-path-of-its-own",
                "Each page needs a path of three tables, but paths share what they have in common. Which tables do two of these "
                "pages share?",
            ),
        ),
        steps=(
            Intermediate("How many pte tables? One reaches 2 MiB.", Number(ptes)),
            Intermediate("How many pmd tables? One reaches 1 GiB.", Number(pmds)),
            Intermediate("How many pud tables? One reaches 512 GiB.", Number(tables - ptes - pmds)),
        ),
        truth=f"**{tables} tables**, {right} bytes: the kernel adds that up in `mm->pgtables_bytes`, and when the process has "
        "gone the sum must be 0 again.",
    )
