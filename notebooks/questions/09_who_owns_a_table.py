"""The questions of chapter 9: who owns a table?"""

from __future__ import annotations

from functools import cache
from random import Random

from pgtlab.lab.bugs.address_space import map_page, new_mm, new_page
from pgtlab.lab.question import Choice, Number, Order, Question, Wrong, multiple_choice, recall
from pgtlab.lab.trees import Tree
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.page_flags import PAGE_TYPES
from pgtlab.linux.kernel.printk import Panic

U32 = 0xFFFF_FFFF


def kernel() -> Kernel:
    """A healthy kernel that has just booted."""
    return Tree.named("fixed").start_kernel()


@recall
def references_and_mappings(draw: Random) -> Question:
    processes, others = draw.randrange(2, 9), draw.randrange(1, 4)
    k = kernel()
    page = k.alloc_pages(0)  # with the reference of the one who asked for it
    page._refcount += processes + others - 1
    page._mapcount += processes
    mapped, held = k.page_mapcount(page), page._refcount
    holders = "one part of the kernel" if others == 1 else f"{others} parts of the kernel"
    return Question(
        text=f"{holders.capitalize()} hold{'s' if others == 1 else ''} a page, and {processes} processes map it. A mapping "
        "is a user like any other: it takes a reference too. What does a dump of this page print after `refcount:`?",
        answer=Number(held),
        wrong=(
            Wrong(
                mapped,
                "refcount-is-mapcount",
                f"You said {mapped}, the number of mappings: that is what `mapcount:` prints. Imagine that all "
                f"{processes} processes exit. Would the page be free then, while {holders} still use{'s' if others == 1 else ''} it?",
            ),
            Wrong(
                others,
                "a-mapping-is-no-user",
                f"You counted the {'part' if others == 1 else 'parts'} of the kernel and not the processes. If mappings did not "
                "count, the kernel could give the page to somebody else while a program still reads it.",
            ),
        ),
        truth=f"**refcount:{held}**, {processes} mappings and {others} more; and **mapcount:{mapped}**. The first number says "
        "how many users there are, the second how many of them are entries of page tables.",
    )


def counts_of_a_new_page(draw: Random) -> Question:
    k = kernel()
    page = k.alloc_pages(0)
    held, mapped = page._refcount, k.page_mapcount(page)
    right = f"refcount {held}, mapcount {mapped}"
    return multiple_choice(
        text="The kernel allocates a page for its own use, and no page table maps it yet. What are its two counts?",
        right=right,
        wrong={
            "refcount 0, mapcount 0": "",
            "refcount 1, mapcount 1": "",
            "refcount 0, mapcount 1": "",
        },
        because="it has a holder, and no mapping",
        wrong_reasons={
            "nothing maps it, so nobody holds it": (
                "refcount-is-mapcount: Then the allocator could hand the page to the next who asks. Somebody asked "
                "for it and got it: that is a holder, with or without a mapping."
            ),
            "whatever is held is mapped as well": (
                "refcount-is-mapcount: The kernel reaches every page through the linear map, which is there from the "
                "start and is not counted. `mapcount` counts entries that were made for this page, in some process."
            ),
        },
        truth=f"**{right}**. The reference belongs to the code that allocated the page; it must drop it again.",
    )


@recall
def stored_for_printed(draw: Random) -> Question:
    types = [-bit for bit, name in PAGE_TYPES.items() if name != "table"]
    printed = draw.choice([draw.randrange(2, 200), draw.choice(types), draw.choice(types), -draw.randrange(2, 100)])
    k = kernel()
    page = k.alloc_pages(0)
    page._mapcount = printed - 1
    stored = page.page_type  # the same four bytes, without a sign
    assert k.page_mapcount(page) == printed
    return Question(
        text=f"A report prints `mapcount:{printed}`. Which 32 bits are stored in `_mapcount`? (As eight hexadecimal digits.)",
        answer=Number(stored, base=16),
        wrong=(
            Wrong(
                printed & U32,
                "printed-is-stored",
                f"{printed & U32:#x} is {printed}, the number that is printed. What is stored is one less, because -1 stands for "
                "*never*. Try it with a page that nothing maps: it prints 0. What is stored?",
            ),
            Wrong(
                (printed + 1) & U32,
                "added-instead",
                f"You went up: {(printed + 1) & U32:#x} is {printed + 1}. A page that nothing maps stores -1 and prints 0, so "
                "the printed number is the larger one.",
            ),
            Wrong(
                (printed - 1) % (1 << 64) if printed < 1 else -(printed - 1) & U32,
                "wrong-width",
                "`_mapcount` has four bytes: 32 bits, eight hexadecimal digits, negative numbers as in chapter 0.",
            ),
            *(
                (
                    Wrong(
                        printed - 1,
                        "number-for-bits",
                        "That is the number that is stored. In 32 bits it is written as 2^32 plus it.",
                    ),
                )
                if printed < 1
                else ()
            ),
        ),
        steps=(
            f"Which number is one less than {printed}?",
            "A negative number n is stored in 32 bits as 2^32 + n. What is that in hexadecimal?",
        ),
        truth=f"{printed} - 1 = {printed - 1}, which is **{stored:#010x}** in 32 bits.",
    )


def the_word_of_line_4(draw: Random) -> Question:
    k = kernel()
    page = k.alloc_pages(0)
    page._mapcount = -512 - 1
    right = f"`x24`, which holds {page.page_type:016x}"
    return multiple_choice(
        text="Line 4 of the log prints `mapcount:-512`. The function that printed it had read the four bytes into a register, "
        "and lines 25 to 34 print the registers. Which one holds them? Compute the word before you look.",
        right=right,
        wrong={
            "`x8`, which holds 00000000ffffefff": (
                "alike-is-the-same: Nearly alike is not the same. -512 - 1 = -513, and 2^32 - 513 has its one 0 at "
                "bit 9: which digit is that?"
            ),
            "`x0`, which holds 00000000001fffff": "",
            "`x28`, which holds 0000000000ffffc0": (
                "added-instead: A small negative number in 32 bits begins with a row of `f` in the *low* eight digits."
            ),
        },
        truth=f"-513 is {page.page_type:#x}: {right}. So line 26 confirms line 4, from another place.",
        lines=(4, 26),
    )


@recall
def type_of_a_page(draw: Random) -> Question:
    bit = draw.choice([*PAGE_TYPES])
    value = U32 & ~bit
    name = PAGE_TYPES[bit]
    others = tuple(other for other in PAGE_TYPES.values() if other != name)
    table = ", ".join(f"{name} 0x{bit:x}" for bit, name in PAGE_TYPES.items())
    return Question(
        text=f"The types and their bits: {table}. `page_type` is `{value:#x}`. Which type is it?",
        answer=Choice(name, (*others, "all of the others, whose bits are set", "none: it is a map count")),
        wrong=(
            Wrong(
                "all of the others, whose bits are set",
                "type-bit-is-set",
                "Here a type *clears* its bit. A page without any type has all bits set, 0xffffffff: by your rule it would be of "
                "every type at once.",
            ),
            Wrong(
                "none: it is a map count",
                "type-is-a-count",
                f"As a count it would be {value - (1 << 32)}: no page is mapped that often below zero. The kernel takes anything "
                "below -128 for a type.",
            ),
        ),
        steps=("Subtract the value from 0xffffffff: which bit is missing?", "Which type has that bit?"),
        truth=f"0xffffffff - {value:#x} = {U32 - value:#x}: bit {bit:#x} is cleared, the type **{name}**.",
    )


@recall
def what_a_type_prints(draw: Random) -> Question:
    bit = draw.choice([bit for bit, name in PAGE_TYPES.items() if name != "table"])  # of a table the text tells it
    k = kernel()
    page = k.alloc_pages(0)
    page.page_type &= ~bit
    printed = k.page_mapcount(page)
    return Question(
        text=f"A kernel of 6.9 dumps a page whose `page_type` is `{page.page_type:#x}`. Its report does not ask whether this is a type, and "
        "prints the four bytes as a map count. Which number stands after `mapcount:`?",
        answer=Number(printed),
        wrong=(
            Wrong(
                page._mapcount,
                "printed-is-stored",
                f"{page._mapcount} is what is stored. The report prints how often the page is mapped, and it takes a stored -1 for "
                "zero times: what does it print for yours?",
            ),
            Wrong(
                page.page_type + 1,
                "number-without-sign",
                "`_mapcount` is signed: its highest bit is set, so that the number is below 0.",
            ),
            Wrong(
                bit,
                "type-bit-is-set",
                "That is the bit of the type. What is the whole word, as a signed number, plus 1?",
            ),
        ),
        steps=("Which negative number is the word, in 32 bits?", "And plus one?"),
        truth=f"{page.page_type:#x} is {page._mapcount} with a sign, and one more is **{printed}**: always minus the bit of the "
        f"type, {bit:#x}.",
    )


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
            "it calls the destructor itself": "",
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
            "NULL is dereferenced": "",
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
        because="the allocator looks at the page when it gets it",
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
            Wrong(
                pages,
                "one-table-a-page",
                "A page of 4 KiB holds 512 entries: one pte table reaches 2 MiB of neighbours.",
            ),
            Wrong(
                3 * pages,
                "a-path-of-its-own",
                "Each page needs a path of three tables, but paths share what they have in common. Which tables do two of these "
                "pages share?",
            ),
        ),
        truth=f"**{tables} tables**, {right} bytes: the kernel adds that up in `mm->pgtables_bytes`, and when the process has "
        "gone the sum must be 0 again.",
    )


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
        steps=(f"Which bit of the pfn has the value {1 << order}?", "Turn that bit over: what is the pfn now?"),
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
        because="tables belong to one address space, and data can be shared",
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
        ),
        truth="From the bottom up: pages, pte, pmd, pud, pgd. Only the table above knows where a table is. The counters of "
        "tables come last, when the whole address space, the pgd included, is gone: then they must be 0.",
    )
