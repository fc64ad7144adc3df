"""Questions of chapter 9: two counts, and four bytes with two names."""

from __future__ import annotations

from functools import cache
from random import Random

from pgtlab.lab.course_data import LOG, origin
from pgtlab.lab.question import Choice, Intermediate, Number, Question, Wrong, multiple_choice, recall
from pgtlab.lab.trees import Tree
from pgtlab.linux import oops
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.page_flags import PAGE_TYPES
from pgtlab.linux.oops.reading.registers import Registers

U32 = 0xFFFF_FFFF


def kernel() -> Kernel:
    """A healthy kernel that has just booted."""
    return Tree.named("fixed").start_kernel()


@cache
def registers() -> Registers:
    """What the real log's Oops prints of the registers."""
    reports = oops.read(origin(LOG).read_text(encoding="utf-8")).reports
    return next(report for report in reports if report.kind == "oops").registers


def counts_of_a_new_page(draw: Random) -> Question:
    k = kernel()
    page = k.alloc_pages(0)
    held, mapped = page._refcount, k.page_mapcount(page)
    right = f"refcount {held}, mapcount {mapped}"
    return multiple_choice(
        text="The kernel allocates a page for its own use, and no page table maps it yet. What are its two counts?",
        right=right,
        wrong={
            "refcount 0, mapcount 0": (
                "refcount-is-mapcount: A page with refcount 0 is free: the allocator may hand it to somebody else at once. "
                "This one was asked for, and is in use."
            ),
            "refcount 1, mapcount 1": (
                "held-is-mapped: `mapcount` counts entries that map the page for a program. Which program has one?"
            ),
            "refcount 0, mapcount 1": (
                "counts-are-swapped: The other way round: `refcount` counts users, and there is one; `mapcount` counts entries that map "
                "the page, and there is none."
            ),
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
            Wrong(
                held + 1,
                "the-allocator-is-a-user",
                "One too many. The allocator keeps no reference of its own: the first one belongs to the part of the kernel that asked for the page.",
            ),
            *(
                (
                    Wrong(
                        held - 1,
                        "refcount-begins-at-minus-one",
                        "You took one off, as for `_mapcount`. Only that one is stored with one less; the reference count is what it says.",
                    ),
                )
                if others > 1
                else ()
            ),
        ),
        steps=(
            Intermediate("How many references do the mappings take?", Number(processes)),
            Intermediate("How many other users are there?", Number(others)),
        ),
        truth=f"**refcount:{held}**, {processes} mappings and {others} more; and **mapcount:{mapped}**. The first number says "
        "how many users there are, the second how many of them are entries of page tables.",
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
                    Wrong(
                        1 - printed,
                        "sign-lost",
                        f"{1 - printed:#x} is {1 - printed}, without the minus. What is stored is {printed - 1}: the bits of a negative number "
                        "begin with a row of `f`.",
                    ),
                    Wrong(
                        1 << 31 | 1 - printed,
                        "the-top-bit-is-a-minus",
                        "You set the highest bit for the minus and left the rest as it is. A negative number is stored as 2^32 minus its size (chapter 0).",
                    ),
                )
                if printed < 1
                else ()
            ),
        ),
        steps=(
            Intermediate(f"Which number is one less than {printed}?", Number(printed - 1)),
            "A negative number n is stored in 32 bits as 2^32 + n. What is that in hexadecimal?",
        ),
        truth=f"{printed} - 1 = {printed - 1}, which is **{stored:#010x}** in 32 bits.",
    )


def the_word_of_line_4(draw: Random) -> Question:
    k = kernel()
    page = k.alloc_pages(0)
    page._mapcount = -512 - 1
    held = registers()
    (right,) = held.holding(page.page_type)
    return multiple_choice(
        text="Line 4 of the log prints `mapcount:-512`. The function that printed it had read the four bytes into a register, "
        "and lines 25 to 34 print the registers. Which one holds them? Compute the word before you look.",
        right=f"`{right}`",
        wrong={
            "`x8`": (
                f"alike-is-the-same: {held['x8']:016x} is nearly alike, and that is not the same. -512 - 1 = -513, and 2^32 - 513 has its one 0 at "
                "bit 9: which digit is that?"
            ),
            "`x0`": (
                f"alike-is-the-same: Its 32 bits are {held['x0']:#010x}: as a signed number that is far above 0. The word of a number below 0 "
                "begins with `f`."
            ),
            "`x28`": (
                f"added-instead: It holds {held['x28']:016x}. A small negative number in 32 bits begins with a row of `f` in the *low* eight digits."
            ),
            "`x5`": (
                f"wrong-width: {held['x5']:016x} has more than 32 bits. `_mapcount` has four bytes, and what was read fills the rest with zeros."
            ),
            "none of them": "alike-is-the-same: -513 as 32 bits begins with `fffff`. There are not many such words: look at each.",
        },
        truth=f"-513 is {page.page_type:#x}: **{right}**, which holds {held[right]:016x}. So line 26 confirms line 4, from another place.",
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
            *(
                Wrong(
                    other,
                    "a-type-is-a-type",
                    f"A page of the type {other} has 0xffffffff - {other_bit:#x} = `{U32 - other_bit:#x}` there. Compare it with `{value:#x}`, digit by digit.",
                )
                for other_bit, other in PAGE_TYPES.items()
                if other != name
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
                page.page_type,
                "number-without-sign",
                "That is the word, read without a sign. `_mapcount` is signed: its highest bit is set, so the number is below 0. And the report adds one.",
            ),
            Wrong(
                0,
                "a-type-is-not-mapped",
                "No program maps it, that is true, and newer kernels print 0 here. This one does not ask: it takes the four bytes as a number, and adds one.",
            ),
            Wrong(
                bit,
                "type-bit-is-set",
                "That is the bit of the type. What is the whole word, as a signed number, plus 1?",
            ),
        ),
        steps=(Intermediate("Which negative number is the word, in 32 bits?", Number(page._mapcount)), "And plus one?"),
        truth=f"{page.page_type:#x} is {page._mapcount} with a sign, and one more is **{printed}**: always minus the bit of the "
        f"type, {bit:#x}.",
    )
