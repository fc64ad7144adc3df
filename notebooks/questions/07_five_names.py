"""Questions of chapter 7: Linux's five names, and folding at compile time."""

from collections.abc import Sequence
from functools import cache
from random import Random

from pgtlab.lab.question import Choice, Intermediate, Number, Order, Question, Wrong, recall
from pgtlab.linux.boot import LINUX_LEVELS, Fold, running
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.software_walk import software_walk

LONG = {
    "pgd": "page global directory",
    "p4d": "page fourth-level directory",
    "pud": "page upper directory",
    "pmd": "page middle directory",
    "pte": "page table entry",
}
KERNELS = (("4k", 39), ("4k", 48), ("16k", 36), ("16k", 47), ("64k", 42), ("64k", 52))


@cache
def kernel(page_size: str, va_bits: int) -> Kernel:
    return Kernel(running(Config(page_size, va_bits)))


def folded_names(page_size: str, va_bits: int) -> tuple[str, ...]:
    """The names that are folded at compile time."""
    folds = kernel(page_size, va_bits).boot.folded
    return tuple(name for name in LINUX_LEVELS if folds.get(name) is Fold.COMPILE_TIME)


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them.

    >>> listed(["p4d"]), listed(["p4d", "pud", "pmd"])
    ('p4d', 'p4d, pud and pmd')
    """
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def order_of_the_names(draw: Random) -> Question:
    def order(*names: str) -> tuple[str, ...]:
        return tuple(f"{name}, {LONG[name]}" for name in names)

    return Question(
        text="Put Linux's five names into the order in which a walk meets them.",
        answer=Order(order(*LINUX_LEVELS)),
        wrong=(
            Wrong(
                order(*reversed(LINUX_LEVELS)),
                "levels-from-leaf",
                "That is the way up. A walk begins at the first table, to which TTBR points, and ends at the entry of a page.",
            ),
            Wrong(
                order("pgd", "pud", "pmd", "p4d", "pte"),
                "fourth-is-the-fourth-from-the-top",
                "You counted *fourth-level* from the top. There was once no such level; when a fourth one above the pte was needed, it was "
                "put just under the pgd.",
            ),
            Wrong(
                order("pgd", "p4d", "pmd", "pud", "pte"),
                "middle-is-above-upper",
                "The upper directory is above the middle one: pud, then pmd.",
            ),
            Wrong(
                order("p4d", "pgd", "pud", "pmd", "pte"),
                "the-pgd-is-not-the-first",
                "*Global* is the table for all addresses: TTBR points to the pgd, whatever else there is.",
            ),
        ),
        truth="Global, fourth-level, upper, middle, and the entry of a page. The fourth-level directory is the youngest, which is why it has "
        "a number and not a word.",
    )


def words_read(draw: Random) -> Question:
    page_size, va_bits = draw.choice((("4k", 39), ("4k", 48), ("64k", 42)))
    k = kernel(page_size, va_bits)
    lookups = software_walk(k, k.init_mm, k.__va(k.memory.base))
    words = len({lookup.pa for lookup in lookups})
    names = ", ".join(f"`{lookup.level}_offset()`" for lookup in lookups)
    levels, again = k.boot.config.PGTABLE_LEVELS, [lookup.level for lookup in lookups if lookup.again]
    folded = listed(again)
    return Question(
        text=f"A kernel with {page_size.upper()} pages and {va_bits} bits, so {levels} levels of tables. Linux's code walks to an "
        f"address and calls, one after the other, {names}; the last of them finds a leaf. Each returns a pointer to an entry. To how many "
        "*different* entries do the pointers point?",
        answer=Number(words),
        wrong=(
            Wrong(
                len(lookups),
                "five-names-five-tables",
                f"You counted an entry for each call. But in this kernel {folded} fold{'s' if len(again) == 1 else ''}: "
                f"{'that call returns' if len(again) == 1 else 'those calls return'} the pointer that {'it was' if len(again) == 1 else 'they were'} given.",
            ),
            *(
                (Wrong(5, "five-names-five-tables", f"There are five names, but here only {len(lookups)} are called."),)
                if len(lookups) < 5
                else ()
            ),
            *(
                (
                    Wrong(
                        levels,
                        "a-walk-takes-all-levels",
                        f"There are {levels} levels of tables, but this walk ends before the last: which call found the leaf?",
                    ),
                )
                if levels not in (words, len(lookups))
                else ()
            ),
            *(
                (
                    Wrong(
                        len(again),
                        "the-same-is-counted",
                        "You counted the calls that return the *same* pointer. Which entries do the others point to?",
                    ),
                )
                if len(again) != words
                else ()
            ),
            *(
                (
                    Wrong(
                        words - 1,
                        "the-pgd-has-no-entry",
                        "One is missing: the leaf is an entry, and so is that of the pgd.",
                    ),
                )
                if words - 1 != len(again)
                else ()
            ),
        ),
        truth=f"**{words}**. "
        + "; ".join(f"{lookup.level}: `{lookup.pa:#x}`{' again' if lookup.again else ''}" for lookup in lookups)
        + ".",
        steps=(
            Intermediate("How many of the calls are there?", Number(len(lookups))),
            Intermediate("How many of them return the pointer that they were given?", Number(len(again))),
        ),
    )


def what_p4d_offset_returns(draw: Random) -> Question:
    k = kernel("4k", 48)
    va = 0xFFFF_0000_0000_0000 | draw.getrandbits(40)
    pgdp = k.pgd_offset(k.init_mm, va)
    assert k.p4d_offset(pgdp, va) == pgdp
    right = f"{pgdp:#x}, the pointer that it was given"
    return Question(
        text=f"4K pages, 48 bits: four levels, and the p4d is folded. `pgd_offset()` has returned `{pgdp:#x}`, a pointer to an entry. What does "
        "`p4d_offset()` return for it?",
        answer=Choice(
            right,
            (
                "the address of a p4d table, which it reads from the entry",
                "0, because there is no p4d",
                f"{pgdp + 8:#x}, the next entry",
            ),
        ),
        reasons=Choice(
            "the entry above it is its one entry too",
            ("the compiler leaves the call out, so nothing is returned", "a table with one entry is allocated for it"),
        ),
        wrong=(
            Wrong(
                "the compiler leaves the call out, so nothing is returned",
                "folded-is-null",
                "What the compiler leaves out is the work. The value is still there: it is the argument itself.",
            ),
            Wrong(
                "a table with one entry is allocated for it",
                "a-folded-level-is-allocated",
                "Nothing is allocated. The one entry is the entry above, under another name.",
            ),
            Wrong(
                "the address of a p4d table, which it reads from the entry",
                "five-names-five-tables",
                "Then the table that it finds would be the pud table, and the walk would be one level too deep from here on.",
            ),
            Wrong(
                "0, because there is no p4d",
                "folded-is-null",
                "Code that is written for five levels goes on with what it gets. It must get something that works.",
            ),
            Wrong(
                f"{pgdp + 8:#x}, the next entry",
                "the-next-entry-is-the-next-level",
                "The next entry of the same table is about the next part of the address space, not about the next level.",
            ),
        ),
        truth=f"The model returns **`{k.p4d_offset(pgdp, va):#x}`**: the same. The one entry of the folded level is the entry above it, under "
        "another name: no table is allocated for it, and the value is there even where the compiler leaves the call out.",
    )


def reads_of_a_folded_level(draw: Random) -> Question:
    page_size, va_bits = draw.choice(KERNELS)
    k = kernel(page_size, va_bits)
    levels, va = k.boot.config.PGTABLE_LEVELS, k.__va(k.memory.base)
    pgdp = k.pgd_offset(k.init_mm, va)
    p4dp = k.p4d_offset(pgdp, va)
    pudp = k.pud_offset(p4dp, va)
    folded = folded_names(page_size, va_bits)
    reads = (p4dp != pgdp) + (pudp != p4dp) + ("pmd" not in folded)
    return Question(
        text=f"{page_size.upper()} pages, {va_bits} bits: {listed(folded)} {'are' if len(folded) > 1 else 'is'} folded when the kernel is compiled. How many words "
        "of memory do `p4d_offset()`, `pud_offset()` and `pmd_offset()` read, together? (A step down reads the entry above.)",
        answer=Number(reads),
        wrong=(
            Wrong(
                3,
                "folded-level-costs-a-read",
                f"One for each call. But there is no table to step down to for {listed(folded)}: what would that call read?",
            ),
            *(
                (
                    Wrong(
                        levels,
                        "the-walk-is-the-call",
                        f"The kernel has {levels} levels of tables, and a whole walk reads a word of each. How many of them do these three calls read?",
                    ),
                )
                if levels != 3
                else ()
            ),
            *(
                (
                    Wrong(
                        len(folded),
                        "the-same-is-counted",
                        "So many of the three are folded. It is the others that read.",
                    ),
                )
                if len(folded) not in (3, levels, reads)
                else ()
            ),
        ),
        steps=("For which of the three levels is there a table, in this kernel?",),
        truth=f"**{reads}**. Names cost nothing: five of them are written, {levels} tables are read.",
    )


@recall
def which_names_fold(draw: Random) -> Question:
    page_size, va_bits = draw.choice(KERNELS)
    folded = folded_names(page_size, va_bits)
    levels = kernel(page_size, va_bits).boot.config.PGTABLE_LEVELS

    choices = {1: ("p4d",), 2: ("p4d", "pud"), 3: ("p4d", "pud", "pmd")}
    right = listed(folded)
    from_the_top = listed(LINUX_LEVELS[: len(folded)])
    from_the_leaf = listed(LINUX_LEVELS[5 - len(folded) :])
    others = [listed(names) for names in choices.values() if names != folded]
    return Question(
        text=f"{page_size.upper()} pages, {va_bits} bits: {levels} levels of tables. Which of the five names fold at compile time?",
        answer=Choice(right, (from_the_top, from_the_leaf, *others)),
        wrong=(
            Wrong(
                from_the_top,
                "the-pgd-folds",
                "The pgd never folds: it is what TTBR points to, whatever the number of levels. What folds lies *under* it.",
            ),
            Wrong(
                from_the_leaf,
                "levels-from-leaf",
                "The pte is always there: it maps the pages. Names fold from just under the pgd.",
            ),
            *(
                Wrong(
                    other,
                    "five-names-five-tables",
                    f"That would leave {5 - other.count(',') - 1 - ('and' in other)} tables. There are {levels}.",
                )
                for other in others
            ),
        ),
        truth=f"Five names, {levels} tables, so {len(folded)} fold, from just under the pgd: **{right}**.",
    )


def a_question_that_is_constant(draw: Random) -> Question:
    k = kernel("4k", 48)
    right = "no, always"
    assert not k.pgd_none(0)
    return Question(
        text="`pgd_none()` asks whether a pgd entry is empty. In this kernel the p4d is folded, and the entry that is asked about is 0. What does "
        "`pgd_none()` answer?",
        answer=Choice(right, ("yes, since it is 0", "it depends on the pud")),
        reasons=Choice(
            "p4d_none() is asked next, about the same word",
            ("0 is a valid entry, which leads to a table at address 0", "the pgd of a kernel never has an empty entry"),
        ),
        wrong=(
            Wrong(
                "yes, since it is 0",
                "absent-is-folded",
                "Absent and folded are two things. An *absent* table is one that could be there. A folded level has no table that could be missing, so "
                "the question is answered once, at the level that is really there.",
            ),
            Wrong("it depends on the pud", "absent-is-folded", "The function only sees the one entry."),
            Wrong(
                "0 is a valid entry, which leads to a table at address 0",
                "zero-is-an-address",
                "Bit 0 of it is 0: it is invalid, and leads nowhere (chapter 3). It is the *next* question that says so.",
            ),
            Wrong(
                "the pgd of a kernel never has an empty entry",
                "the-pgd-is-full",
                "Most of its entries are empty, and so is this one. Somebody has to find that out: who asks next?",
            ),
        ),
        truth=f"The model: `pgd_none(0)` is **{k.pgd_none(0)}**, and `p4d_none(0)` is {k.p4d_none(0)}. The one word is "
        "asked about once, under the name of the level that leads to a real table.",
    )
