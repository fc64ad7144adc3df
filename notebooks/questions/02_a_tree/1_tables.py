"""Questions of chapter 2: flat tables, and how many tables a tree has."""

from random import Random

from pgtlab.arch.granule import GRANULES
from pgtlab.arch.sizes import size_name
from pgtlab.lab.machine import Machine, Process
from pgtlab.lab.question import Choice, Intermediate, Number, Question, Wrong, recall


def one_process(granule: str = "4k", bits: int = 48) -> Process:
    return Machine(granule, bits).process("a")


@recall
def flat_table(draw: Random) -> Question:
    bits, granule = draw.choice((36, 39, 42, 47, 48)), draw.choice(GRANULES)
    size = 8 << bits - granule.shift
    return Question(
        text=f"Addresses have {bits} bits in use and pages have {size_name(granule.size)}. Suppose that the list were one "
        "array with 8 bytes for each page. How large would it be? (You may answer `12 GiB`, or `2**33`.)",
        answer=Number(size, unit="bytes"),
        wrong=(
            Wrong(
                size >> 3,
                "an-entry-is-a-byte",
                "That is the number of pages. Each needs 8 bytes in the array.",
            ),
            Wrong(
                8 << bits,
                "one-entry-a-byte",
                "You counted 8 bytes for each *byte* of address space. Only pages are listed: the offset needs no place in it.",
            ),
            Wrong(
                1 << bits,
                "table-maps-itself",
                "That is how much can be addressed, not how large the array is.",
            ),
            *(
                (
                    Wrong(
                        8 << bits - 12,
                        "page-is-4k",
                        f"You counted pages of 4 KiB. Pages of {size_name(granule.size)} are fewer.",
                    ),
                )
                if granule.shift > 12
                else ()
            ),
            *(
                (
                    Wrong(
                        8 << 48 - granule.shift,
                        "always-48-bits",
                        f"You took 48 bits, which are usual. Here {bits} are in use.",
                    ),
                )
                if bits != 48
                else ()
            ),
        ),
        truth=f"2**{bits} bytes are 2**{bits - granule.shift} pages; 8 bytes for each: **{size_name(size)}**, for each "
        "process, however little it uses.",
        steps=(
            Intermediate(
                f"How many bits of an address choose the page, if {granule.shift} are the offset?",
                Number(bits - granule.shift),
            ),
            Intermediate("How many pages is that?", Number(1 << bits - granule.shift)),
        ),
    )


@recall
def entries_in_a_table(draw: Random) -> Question:
    granule = draw.choice(GRANULES)
    return Question(
        text=f"A table fills one page of {size_name(granule.size)}, and an entry has 64 bits. How many bits of an address does "
        "it take to choose one of its entries?",
        answer=Number(granule.bits_per_level),
        wrong=(
            Wrong(
                granule.shift,
                "an-entry-is-a-byte",
                f"{granule.shift} bits choose one of {granule.size} *bytes*. An entry takes 8 of them, so there are fewer.",
            ),
            Wrong(
                1 << granule.bits_per_level,
                "entries-are-bits",
                f"That is the number of entries. How many bits do you need to count to {1 << granule.bits_per_level}?",
            ),
            Wrong(
                granule.shift - 6,
                "an-entry-has-64-bytes",
                "You divided by 64. An entry has 64 bits, which are 8 bytes.",
            ),
            *(
                (
                    Wrong(
                        9,
                        "a-table-has-512-entries",
                        f"9 bits choose one of 512 entries: that is a table of 4 KiB. This one has {size_name(granule.size)}.",
                    ),
                )
                if granule.shift > 12
                else ()
            ),
        ),
        truth=f"{granule.size} / 8 = {granule.size // 8} entries = 2**{granule.bits_per_level}: "
        f"**{granule.bits_per_level} bits**.",
        steps=(
            Intermediate("How many bytes has an entry?", Number(8)),
            Intermediate("How many entries fit into the page?", Number(granule.size // 8)),
        ),
    )


def tables_for_one_byte(draw: Random) -> Question:
    process = one_process()
    page = draw.randrange(1 << 20, 1 << 35) << 12
    process.map(page, process.machine.frame())
    made = len(process.tables)
    return Question(
        text=f"A process maps a single byte at `{page:#x}`: 4K pages, 48 bits. You know what one entry stands for at each level. "
        "Before you run the cell: how many tables must exist for it?",
        answer=Number(made),
        reasons=Choice(
            "at every level there must be a table on the way to the page",
            (
                "one table can lead to every page",
                "a table is needed for each page, and there is one page",
                "all tables of a level exist, or none does",
            ),
        ),
        wrong=(
            Wrong(
                1,
                "one-table-reaches-all",
                "You said 1, as if one table could reach every page. Each entry of the first table stands for "
                f"{size_name(1 << 39)}; to get from there down to one page takes a table at every level.",
            ),
            Wrong(
                made - 1,
                "the-first-table-is-free",
                "You left one out. The first table is a table, too.",
            ),
            Wrong(
                made + 1,
                "the-page-is-a-table",
                "You counted the page itself. It is what the tables lead to; it is not one of them.",
            ),
            Wrong(
                512,
                "one-table-a-page",
                "512 is the number of entries in a table. Only one of them is used in each table here.",
            ),
            Wrong(
                "one table can lead to every page",
                "one-table-reaches-all",
                f"Each entry of the first table stands for {size_name(1 << 39)}, and there are 512 of them: that reaches every page, but "
                "only through a table at each further level.",
            ),
            Wrong(
                "a table is needed for each page, and there is one page",
                "one-table-a-page",
                "A table of the last level has room for 512 pages, so tables are not counted by pages. And the MMU does not begin at "
                "the last level.",
            ),
            Wrong(
                "all tables of a level exist, or none does",
                "a-level-is-all-or-nothing",
                "Then level 3 alone would take 2**27 tables. A table exists only where an entry above leads to it: that is what the "
                "tree saves.",
            ),
        ),
        truth=f"The model made **{made}**: one at each level from 0 to 3, with one entry used in each.",
    )


def and_the_next_page(draw: Random) -> Question:
    process = one_process()
    last = draw.random() < 0.5
    page = (draw.randrange(1 << 12, 1 << 26) << 9 | (511 if last else draw.randrange(0, 500))) << 12
    process.map(page, process.machine.frame())
    before = len(process.tables)
    process.map(page + 0x1000, process.machine.frame())
    more = len(process.tables) - before
    return Question(
        text=f"The page at `{page:#x}` is mapped, and nothing else. Now the page after it is mapped as well. How many "
        "*more* tables does that take?",
        answer=Number(more),
        wrong=(
            Wrong(
                4,
                "one-table-a-page",
                "You counted the tables again. The two pages have most of their way in common: which of the four indices "
                "differ?",
            ),
            Wrong(
                1 - more,
                "a-table-never-ends" if more else "one-table-a-page",
                "A level 3 table has 512 entries, numbered 0 to 511. Is there one left after the entry of the first page?",
            ),
        ),
        steps=(
            Intermediate("Which index of level 3 has the first page?", Number(page >> 12 & 0x1FF, base=16)),
            "Is there an entry after it in the same table?",
        ),
        truth=f"**{more}**. "
        + (
            "The first page has the last entry of its level 3 table, so the next one needs a table of its own."
            if more
            else "The next page takes the next entry of the same level 3 table."
        ),
    )


@recall
def tables_for_a_range(draw: Random) -> Question:
    process = one_process()
    mib = draw.choice((6, 10, 12, 14, 18, 20))
    start = draw.randrange(1, 1 << 12) << 30
    process.map(start, 0x8000_0000, mib << 8)
    made = len(process.tables)
    return Question(
        text=f"A process maps {mib} MiB of pages of 4 KiB from `{start:#x}` on (a multiple of 1 GiB), with 48 bits. How many "
        "tables exist?",
        answer=Number(made),
        wrong=(
            Wrong(
                mib << 8,
                "one-table-a-page",
                f"{mib << 8} is the number of pages. A level 3 table has room for 512 of them.",
            ),
            Wrong(
                mib // 2,
                "the-first-table-is-free",
                "Those are the tables of level 3. Which tables lead to them?",
            ),
            Wrong(
                mib // 2 + 2,
                "the-first-table-is-free",
                "One is missing. Three levels are above level 3, each with a table on the way.",
            ),
            Wrong(
                4 * (mib // 2),
                "no-table-is-shared",
                "You took four tables for each 2 MiB. Their ways differ only in the index of level 2: which of the four tables do they "
                "have in common?",
            ),
            Wrong(
                4,
                "one-table-reaches-all",
                f"Four are enough for one page. One level 3 table maps 512 x 4 KiB = 2 MiB, and there are {mib} MiB.",
            ),
        ),
        truth=f"{mib // 2} at level 3 (2 MiB each), and one each at levels 2, 1 and 0: **{made}**.",
        steps=(
            Intermediate("How much does one level 3 table map?", Number(2 << 20, unit="bytes")),
            Intermediate("How many level 3 tables is that?", Number(mib // 2)),
            "Which tables lead to them?",
        ),
    )
