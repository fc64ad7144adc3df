"""Questions of chapter 2: indices, what an entry stands for, and the start level."""

from random import Random

from pgtlab.arch.address_cut import cut, granule_of
from pgtlab.arch.granule import GRANULES, LAST_LEVEL
from pgtlab.arch.sizes import size_name
from pgtlab.lab.question import Intermediate, Number, Question, Wrong, recall


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
            *(
                (
                    Wrong(
                        made.indices[level - 1],
                        "levels-begin-at-1",
                        f"That is the index of level {level - 1}. Count from the right: level 3 lies next to the offset.",
                    ),
                )
                if level > made.start_level and reversed_level != level - 1
                else ()
            ),
            Wrong(
                made.indices[level] << granule.level_shift(level),
                "an-index-stays-in-place",
                "Those are the right bits, still in their place in the address. An index is a number of its own: shift it down, so "
                "that its lowest bit counts 1.",
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
            Intermediate(
                f"How many bits is the offset, with pages of {size_name(granule.size)}?", Number(granule.shift)
            ),
            Intermediate("How many bits is an index?", Number(width)),
            Intermediate(f"At which bit does the index of level {level} begin?", Number(granule.level_shift(level))),
        ),
    )


@recall
def one_entry_covers(draw: Random) -> Question:
    granule = draw.choice(GRANULES[1:])  # the cell above has printed those of 4 KiB
    level = draw.choice((1, 2))
    size = 1 << granule.level_shift(level)
    table = size << granule.bits_per_level
    return Question(
        text=f"Pages of {size_name(granule.size)}. For how much memory does *one entry* of a level {level} table stand?",
        answer=Number(size, unit="bytes"),
        wrong=(
            Wrong(table, "an-entry-is-a-table", "That is what the whole table stands for, with all of its entries."),
            Wrong(8, "an-entry-maps-itself-only", "That is how many bytes an entry takes. For how much does it stand?"),
            Wrong(
                size >> granule.bits_per_level,
                "one-level-too-low",
                f"That is what an entry of level {level + 1} stands for. Level 3 is the last one, and its entries lead to pages.",
            ),
            Wrong(
                granule.size << 9 * (LAST_LEVEL - level),
                "a-table-has-512-entries",
                f"A table of {size_name(granule.size)} has more than 512 entries: {size_name(granule.size)} / 8.",
            ),
            Wrong(
                1 << 12 + 9 * (LAST_LEVEL - level),
                "page-is-4k",
                "That is right for pages of 4 KiB. With these, both the page and the number of entries in a table are larger.",
            ),
        ),
        truth=f"Below it lie bits {granule.level_shift(level) - 1}:0 of the address: 2**{granule.level_shift(level)} bytes = **{size_name(size)}**.",
        steps=(
            Intermediate("For how much does an entry of level 3 stand?", Number(granule.size, unit="bytes")),
            Intermediate("How many entries has a table?", Number(1 << granule.bits_per_level)),
        ),
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
        steps=(
            Intermediate("How many bits are left without the offset?", Number(bits - granule.shift)),
            Intermediate("How many levels does it take to resolve them?", Number(levels)),
        ),
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
        steps=(
            Intermediate(f"At which bit does level {start} begin?", Number(granule.level_shift(start))),
            Intermediate("Which is the highest bit in use?", Number(bits - 1)),
        ),
    )
