"""Questions of chapter 2: flat tables, trees of tables, levels, indices and the start level."""

from random import Random

from pgtlab.arch.address_cut import cut, granule_of
from pgtlab.arch.granule import GRANULES, LAST_LEVEL
from pgtlab.arch.sizes import size_name
from pgtlab.lab.machine import Machine, Process
from pgtlab.lab.question import Choice, Number, Question, Wrong, recall


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
        ),
        truth=f"2**{bits} bytes are 2**{bits - granule.shift} pages; 8 bytes for each: **{size_name(size)}**, for each "
        "process, however little it uses.",
        steps=(f"How many bits of an address choose the page, if {granule.shift} are the offset?",),
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
        ),
        truth=f"{granule.size} / 8 = {granule.size // 8} entries = 2**{granule.bits_per_level}: "
        f"**{granule.bits_per_level} bits**.",
        steps=("How many bytes has an entry?", "How many entries fit into the page?"),
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
                "a-table-never-ends",
                "A level 3 table has 512 entries, numbered 0 to 511. Is there one left after the entry of the first page?",
            ),
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
    mib = draw.choice((4, 6, 8, 10, 16))
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
                4,
                "one-table-reaches-all",
                f"Four are enough for one page. One level 3 table maps 512 x 4 KiB = 2 MiB, and there are {mib} MiB.",
            ),
        ),
        truth=f"{mib // 2} at level 3 (2 MiB each), and one each at levels 2, 1 and 0: **{made}**.",
        steps=("How much does one level 3 table map?", "How many level 3 tables is that?"),
    )


@recall
def index_at_a_level(draw: Random) -> Question:
    granule = draw.choice(GRANULES)
    bits = {12: 48, 14: 47, 16: 42}[granule.shift]
    va = draw.randrange(1 << bits)
    made = cut(va, granule.name, bits)
    level = draw.choice(sorted(made.indices))
    width = granule.bits_per_level
    reversed_level = LAST_LEVEL - level + made.start_level
    return Question(
        text=f"`{va:#x}` with pages of {size_name(granule.size)} and {bits} bits in use. Which index does it have at level "
        f"{level}, in hexadecimal?",
        answer=Number(made.indices[level], base=16),
        wrong=(
            *(
                (
                    Wrong(
                        made.indices[reversed_level],
                        "levels-from-leaf",
                        f"That is the index of level {reversed_level}. Level 3 is the last one, next to the offset, and the levels "
                        "above it have lower numbers.",
                    ),
                )
                if reversed_level not in (level, level + 1)
                else ()
            ),
            *(
                (
                    Wrong(
                        made.indices[level + 1],
                        "one-level-too-low",
                        f"That is the index of level {level + 1}. Level {level} begins {width} bits higher.",
                    ),
                )
                if level < LAST_LEVEL
                else ()
            ),
            *(
                (
                    Wrong(
                        va >> 12 + 9 * (LAST_LEVEL - level) & 0x1FF,
                        "page-is-4k",
                        f"You cut as for pages of 4 KiB. Here the offset has {granule.shift} bits, and an index {width}.",
                    ),
                )
                if granule.shift > 12
                else ()
            ),
            *(
                (
                    Wrong(
                        va >> granule.level_shift(level),
                        "index-has-no-end",
                        f"You shifted, and did not cut: an index here has {width} bits, and those of the levels above are still "
                        "in it.",
                    ),
                )
                if level > made.start_level
                else ()
            ),
            Wrong(
                va >> granule.level_shift(level) - granule.shift & (1 << width) - 1,
                "the-offset-is-an-index",
                f"You began below bit {granule.level_shift(level)}. The lowest {granule.shift} bits are the offset in the page; "
                "level 3 begins above them.",
            ),
        ),
        truth=f"Level {level} has bits {made.part(level).hi}:{made.part(level).lo}: **`{made.indices[level]:#x}`**.",
        steps=(
            f"How many bits is the offset, with pages of {size_name(granule.size)}?",
            "How many bits is an index, and at which bit does level 3 begin?"
            + ("" if level == 3 else f" And level {level}?"),
        ),
    )


@recall
def one_entry_covers(draw: Random) -> Question:
    granule = draw.choice(GRANULES)
    level = draw.choice(
        {12: (1, 3), 14: (1, 2, 3), 16: (2, 3)}[granule.shift]
    )  # 4 KiB at level 2 is worked in the text
    size = 1 << granule.level_shift(level)
    table = size << granule.bits_per_level
    return Question(
        text=f"Pages of {size_name(granule.size)}. For how much memory does *one entry* of a level {level} table stand?",
        answer=Number(size, unit="bytes"),
        wrong=(
            Wrong(table, "an-entry-is-a-table", "That is what the whole table stands for, with all of its entries."),
            Wrong(8, "an-entry-maps-itself-only", "That is how many bytes an entry takes. For how much does it stand?"),
            Wrong(
                1 << 12 + 9 * (LAST_LEVEL - level),
                "page-is-4k",
                "That is right for pages of 4 KiB. With these, both the page and the number of entries in a table are larger.",
            )
            if granule.shift > 12
            else Wrong(
                1 << 12 * (4 - level) - 1,
                "an-entry-is-a-byte",
                "A table of 4 KiB has 512 entries of 8 bytes, not 4096.",
            ),
        ),
        truth=f"Below it lie bits {granule.level_shift(level) - 1}:0 of the address: 2**{granule.level_shift(level)} bytes = **{size_name(size)}**.",
        steps=("For how much does an entry of level 3 stand?", "How many entries has a table?"),
    )


@recall
def start_level(draw: Random) -> Question:
    name, bits = draw.choice(  # not 4 KiB with 48 bits: the text works that one
        (("4k", 39), ("4k", 52), ("16k", 36), ("16k", 47), ("16k", 48), ("64k", 42), ("64k", 48))
    )
    granule = granule_of(name)
    start = granule.start_level(bits)
    levels = LAST_LEVEL + 1 - start
    return Question(
        text=f"Pages of {size_name(granule.size)}, {bits} bits in use. At which level does the walk start?",
        answer=Number(start),
        wrong=(
            Wrong(
                levels,
                "start-is-the-number-of-levels",
                f"{levels} is how many levels there are. The last one is always level 3: which number has the first?",
            ),
            Wrong(
                levels - 1,
                "levels-from-leaf",
                "You counted from the last level up. Arm counts down to 3, wherever the walk starts.",
            ),
            Wrong(
                start - 1,
                "a-level-too-many",
                "One level fewer resolves all the bits already: the first level may have fewer bits than the others.",
            ),
        ),
        truth=f"{bits} - {granule.shift} = {bits - granule.shift} bits of index, {granule.bits_per_level} a level: {levels} "
        f"level{'s' if levels > 1 else ''}, the last of which is 3. So it starts at **{start}**.",
        steps=("How many bits are left without the offset?", "How many levels does it take to resolve them?"),
    )


@recall
def first_index(draw: Random) -> Question:
    name, bits = draw.choice((("16k", 48), ("16k", 40), ("64k", 48), ("4k", 52), ("4k", 42)))
    granule = granule_of(name)
    start = granule.start_level(bits)
    entries = 1 << bits - granule.level_shift(start)
    return Question(
        text=f"Pages of {size_name(granule.size)}, {bits} bits in use: the walk starts at level {start}. How many entries of the "
        "first table can be used?",
        answer=Number(entries),
        wrong=(
            Wrong(
                1 << granule.bits_per_level,
                "full-index-at-start",
                f"That is a full table. But of the {bits} bits only {bits - granule.level_shift(start)} are left for the first "
                f"level, which begins at bit {granule.level_shift(start)}.",
            ),
            Wrong(
                bits - granule.level_shift(start),
                "entries-are-bits",
                "That is how many bits choose the entry. How many entries do they choose from?",
            ),
        ),
        truth=f"Level {start} begins at bit {granule.level_shift(start)}, and bit {bits - 1} is the last in use: "
        f"{bits - granule.level_shift(start)} bit{'s' if entries > 2 else ''}, **{entries} entries**.",
        steps=(f"At which bit does level {start} begin?", "Which is the highest bit in use?"),
    )
