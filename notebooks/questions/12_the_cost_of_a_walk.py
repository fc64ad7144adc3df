"""Questions of chapter 12: TLBs, ASIDs, walk caches and large mappings."""

from functools import cache
from random import Random

from pgtlab.arch.granule import GRANULES
from pgtlab.arch.sizes import size_name
from pgtlab.lab.cost_comparison import HARDWARE, regimes, walk_costs
from pgtlab.lab.question import Choice, Number, Question, Wrong, recall

ACCESSES = 20_000


@cache
def extra_reads(hardware: str) -> float:
    """How many more descriptors 48 bits read than 47, of all that are read, over all traces."""
    fallback, other = (
        sum(
            sum(row.cost.reads)
            for row in walk_costs(
                [regime], hardware={hardware: HARDWARE[hardware]}, accesses=ACCESSES, progress=True
            ).rows
        )
        for regime in regimes("16k")[:2]
    )
    return other / fallback - 1


@recall
def reads_without_a_tlb(draw: Random) -> Question:
    granule, bits = draw.choice(((GRANULES[0], 39), (GRANULES[0], 48), (GRANULES[1], 47), (GRANULES[2], 42)))
    levels = 4 - granule.start_level(bits)
    return Question(
        text=f"{granule.name} pages, {bits} bits in use, and a processor that remembers nothing. A program reads one word of its memory. How many "
        "words does the machine read from RAM for it, with the word itself?",
        answer=Number(levels + 1),
        wrong=(
            Wrong(
                levels,
                "the-word-is-free",
                "Those are the reads of the walk. The word that the program wants comes on top.",
            ),
            Wrong(1, "a-walk-is-free", "That would be without translation. Each level of the walk is a read, too."),
        ),
        truth=f"{levels} levels, an entry each, and the word: **{levels + 1}**.",
    )


@recall
def tlb_reach(draw: Random) -> Question:
    granule, entries = draw.choice(GRANULES[1:]), draw.choice((48, 512, 1024))
    reach = entries * granule.size
    return Question(
        text=f"A TLB has {entries} entries, each for one page of {size_name(granule.size)}. How much memory can a program use without a walk?",
        answer=Number(reach, unit="bytes"),
        wrong=(
            Wrong(entries * 4096, "page-is-4k", "You took pages of 4 KiB."),
            Wrong(
                entries * 8,
                "an-entry-maps-itself",
                "That is how large so many entries of a page table are. Each stands for a whole page.",
            ),
        ),
        truth=f"{entries} x {size_name(granule.size)} = **{size_name(reach)}**.",
    )


def one_more_level(draw: Random) -> Question:
    extra = extra_reads("each level")
    assert extra < 0.01
    right = "less than 1 % more reads"
    return Question(
        text="16K pages: with 47 bits a walk has three levels, with 48 bits four. On a processor with a TLB, and a walk cache for each level, "
        "running seven kinds of program: what does the fourth level cost?",
        answer=Choice(right, ("a third more reads, and programs a third slower", "nothing at all, ever")),
        reasons=Choice(
            "few accesses walk, and few walks begin at the top",
            ("four reads are a third more than three", "the first level has only two entries, so it is not read"),
        ),
        wrong=(
            Wrong(
                "a third more reads, and programs a third slower",
                "level-costs-a-third",
                "That would be so if every access were a walk from the top. Count how many accesses walk at all, and from where.",
            ),
            Wrong(
                "nothing at all, ever",
                "a-walk-is-free",
                "Each address space has a first table of its own, and a walk has to read it before it can be remembered. One of the seven is 32 processes in turn.",
            ),
            Wrong(
                "four reads are a third more than three",
                "level-costs-a-third",
                "That counts the reads of a walk from the top. How many of the accesses make one?",
            ),
            Wrong(
                "the first level has only two entries, so it is not read",
                "a-walk-is-free",
                "A table with two entries is read like any other, as long as no cache has what it says.",
            ),
        ),
        truth=f"The model counts **{extra:.2%}** more. Without any walk cache it counts {extra_reads('no walk cache'):.0%}.",
    )


def the_same_address_twice(draw: Random) -> Question:
    right = "each entry has the number of its address space"
    return Question(
        text="Processes a and b both use address 0x400000, for different frames. The kernel switches from a to b, and the TLB still has a's translation. "
        "What keeps b from using it?",
        answer=Choice(
            right, ("b walks in any case, and the newest of the entries counts", "the addresses differ in bit 55")
        ),
        wrong=(
            Wrong(
                "b walks in any case, and the newest of the entries counts",
                "va-is-pa",
                "A TLB hit is there to save the walk. If the entry fits, it is used: something in it has to say that it does not fit.",
            ),
            Wrong(
                "the addresses differ in bit 55",
                "bit-63-chooses",
                "Both are addresses of the lower half, and the same number.",
            ),
        ),
        truth="**The ASID**, a number of the address space. Without it the kernel would have to empty the TLB at every switch.",
    )


def one_page_in_each_block(draw: Random) -> Question:
    regions = draw.randrange(300, 2000)
    pages, blocks = regions * 4096, regions * (2 << 20)
    return Question(
        text=f"A program uses one page of 4 KiB in each of {regions} regions of 2 MiB. The kernel maps each region by a block of 2 MiB, for fewer TLB misses. "
        "How much RAM does that take, for the program's data?",
        answer=Number(blocks, unit="bytes"),
        wrong=(
            Wrong(
                pages,
                "huge-is-better",
                "That is what it takes with pages. A block maps 2 MiB of RAM, whether they are used or not.",
            ),
        ),
        truth=f"{regions} x 2 MiB = **{size_name(blocks)}**, {blocks // pages} times as much as with pages. A block is better where the memory is used.",
    )
