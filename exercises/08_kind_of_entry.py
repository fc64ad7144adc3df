# %% tags=["about"]
kind = "build"
chapter = "03_an_entry"
difficulty = 2
minutes = 8
points = {"tables_and_pages": 1, "invalid": 1, "blocks": 2, "others": 1}
alone = True

# %% [markdown]
# # Exercise 8: what kind of entry is it?
#
# Before an MMU can do anything with an entry it has to know what it has read: nothing, the way to the next table, or the end
# of the walk. Two bits of the word and the level decide it. A kernel has the same question wherever it looks at a table:
# is it a block? Is it a table?
#
# **Your task.** Write `kind(entry, level, block_levels)`. It returns `"invalid"`, `"table"`, `"block"` or `"page"`.
# `block_levels` has the numbers of the levels at which this machine knows blocks: `(1, 2)` with 4K pages and 48 bits, `(2,)`
# with the larger pages. Levels go from 0 to 3. An entry that has bits 1:0 = `01` where there are no blocks is invalid.


# %% tags=["stub"]
def kind(entry, level, block_levels):
    raise NotImplementedError


# %%
# A place to try it:
# kind(0x4000_0403, 3, (2,))

# %% In which order do I ask? [markdown] tags=["hint"]
# Bit 0 first: if it is 0, nothing else counts. Then bit 1, which means something else at level 3 than above.

# %% What about 01? [markdown] tags=["hint"]
# It is a leaf above level 3, but only where the machine has blocks. Write a small table on paper: a row for each of the four
# values of bits 1:0, a column for each level.

# %% tags=["seed"]
SEED = "practice"

# %% tags=["call"]
from pgtlab.lab import check

check("08_kind_of_entry", kind, seed=SEED)

# %% [markdown] tags=["solution"]
# Three questions, in this order: valid? bit 1? level 3? To discuss: `01` at level 3 looks valid, and is nothing. Who would write
# such an entry, and what would the MMU do?


# %% tags=["solution"]
def kind(entry, level, block_levels):
    if not entry & 1:
        return "invalid"
    if entry & 2:
        return "page" if level == 3 else "table"
    return "block" if level in block_levels else "invalid"


# %% Takes bit 1 to mean a page at every level tags=["wrong"] mark=0 feedback="Above level 3 bits 1:0"
def kind(entry, level, block_levels):
    if not entry & 1:
        return "invalid"
    return "page" if entry & 2 else "block"


# %% Looks at bit 1 for valid tags=["wrong"] mark=1 feedback="Which of the two bits says that"
def kind(entry, level, block_levels):
    if entry & 2:
        return "page" if level == 3 else "table"
    return "block" if entry & 1 and level in block_levels else "invalid"


# %% Knows blocks at every level tags=["wrong"] mark=2 feedback="no blocks at level"
def kind(entry, level, block_levels):
    if not entry & 1:
        return "invalid"
    if level == 3:
        return "page" if entry & 2 else "invalid"
    return "table" if entry & 2 else "block"


# %% Compares the whole word tags=["wrong"] mark=0 feedback="other bits of the word"
def kind(entry, level, block_levels):
    if entry == 3:
        return "page" if level == 3 else "table"
    return "block" if entry == 1 and level in block_levels else "invalid"


# %% tags=["check"]
from random import Random

from pgtlab.arch.descriptor import Block, DescriptorFormat, PageDescriptor, Table
from pgtlab.arch.granule import GRANULES
from pgtlab.arch.output_address import OutputAddress
from pgtlab.lab.expectations import WrongAnswer, expect

NAMES = {Table: "table", Block: "block", PageDescriptor: "page"}


def right(form, word, level):
    """What the model's MMU takes a word for."""
    return next((name for kind, name in NAMES.items() if isinstance(form.decode(word, level), kind)), "invalid")


def words(seed, bits, levels=range(4)):
    """Words that end in these two bits, for tables of each granule, as (format, levels with blocks, level, word)."""
    draw = Random(f"words {seed} {bits}")
    for granule in GRANULES:
        form = DescriptorFormat(granule, OutputAddress.PLAIN)
        blocks = tuple(range(form.first_block_level, 3))
        for level in levels:
            for _ in range(3):
                yield form, blocks, level, draw.getrandbits(48) >> 21 << 21 | draw.choice((0x400, 0x700, 0x744)) | bits


def compare(kind, seed, bits, rules, otherwise):
    """Compare the answer with the model for words that end in these bits."""
    for form, blocks, level, word in words(seed, bits):
        where = f"{word:#x} at level {level}, blocks at levels {', '.join(map(str, blocks))}"
        expect(kind(word, level, blocks), right(form, word, level), rules(level, blocks), otherwise, where)


def check_tables_and_pages(kind, seed):
    """Where bits 1:0 are 11, you tell tables from pages."""

    def rules(level, blocks):
        if level < 3:
            yield (
                "page",
                "bit-1-is-page",
                "Above level 3 bits 1:0 = 11 are something else: which way does the walk go on?",
            )
            yield (
                "block",
                "bit-1-is-page",
                "Above level 3 bits 1:0 = 11 are something else: which way does the walk go on?",
            )
        else:
            yield "table", "bit-1-means-table", "What could a table of the last level lead to?"
            yield "block", "a-leaf-is-a-block", "At level 3 the leaf has another name."
        yield "invalid", "", "Two bits decide it. The other bits of the word do not count here."

    compare(kind, seed, 0b11, rules, 'Return one of "invalid", "table", "block" and "page".')


def check_invalid(kind, seed):
    """Where bit 0 is 0, the entry is invalid, whatever else it has."""
    for bits in (0b00, 0b10):
        for form, blocks, level, word in words(seed, bits):
            got = kind(word, level, blocks)
            if got != right(form, word, level):
                raise WrongAnswer(
                    f"{word:#x} at level {level}, bits 1:0 = {bits:02b}: `{got!r:.40}`. Is it valid? Which of the two bits "
                    "says that?",
                    "valid-is-bit-1" if bits else "",
                )


def check_blocks(kind, seed):
    """Where bits 1:0 are 01, you know the blocks, and the levels that have none."""

    def rules(level, blocks):
        if level == 3:
            yield "block", "a-leaf-is-a-block", "There are no blocks at level 3, which has pages. So what is 01 there?"
            yield "page", "", "At level 3 a page has bits 1:0 = 11. So what is 01 there?"
        elif level not in blocks:
            yield "block", "", f"This machine has no blocks at level {level}: what is such an entry then?"
        else:
            yield "table", "", "A table has bits 1:0 = 11."
            yield "invalid", "", "Bit 0 says that it is valid, and this level has blocks."
            yield "page", "a-leaf-is-a-block", "Pages are at level 3 only. What is a leaf of a higher level?"

    compare(kind, seed, 0b01, rules, 'Return one of "invalid", "table", "block" and "page".')


# %% tags=["hidden"]
def check_others(kind, seed):
    """It is right for other words, too, and where blocks are at level 0."""
    for bits in range(4):
        for form, blocks, level, word in words(f"hidden {seed}", bits):
            assert kind(word, level, blocks) == right(form, word, level), f"{word:#x} at level {level}."
    assert kind(0x701, 0, (0, 1, 2)) == "block", "Blocks may be at level 0, too: `block_levels` says so."
