"""Questions of chapter 4: the walk by hand, and where it ends."""

from functools import cache
from random import Random

from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Fault
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.walk import Walk
from pgtlab.lab.course_data import data
from pgtlab.lab.machine import Machine, Process
from pgtlab.lab.question import Choice, Intermediate, Number, Order, Question, Wrong, recall
from pgtlab.linux.image import Image


def mapped(draw: Random) -> tuple[Process, int]:
    """A process and an address that is mapped in it, with 4K pages and 39 bits: three levels."""
    machine = Machine("4k", 39)
    for _ in range(draw.randrange(0, 4)):
        machine.process("another")
    process = machine.process("a")
    va = draw.randrange(1 << 33, 1 << 39) & ~7
    process.map(va & ~0xFFF, 0x8000_0000 + (draw.randrange(1 << 8, 1 << 16) << 12), UXN=1, PXN=1)
    return process, va


def words_of(*walks: Walk) -> str:
    """The words that walks read, each once, as a list in Markdown in the order of their addresses."""
    words = {step.address: step.descriptor.value for walk in walks for step in walk.steps if step.descriptor}
    return "\n".join(f"- at `{address:#x}`: `{word:#018x}`" for address, word in sorted(words.items()))


@cache
def real_kernel() -> Image:
    """The page tables of a real kernel with 4K pages and 48 bits."""
    return Image.open(data("kernel-4k-va48.npz"))


def order_of_a_walk(draw: Random) -> Question:
    return Question(
        text="Put what the MMU does into order, for an address of the lower half with 4K pages and 39 bits.",
        answer=Order(
            (
                "look at bit 55",
                "take the address of the first table from TTBR0_EL1",
                "read the entry at that address + 8 x the index of level 1",
                "take the address of the next table out of that entry",
                "read the entry at that address + 8 x the index of level 2",
                "take the next table out of that entry, and read the entry of level 3",
                "add the offset to the output address",
            )
        ),
        truth="A read for each level, and each read needs the answer of the one before. That is why a walk is slow, and why "
        "processors remember translations (chapter 12).",
    )


@recall
def first_read(draw: Random) -> Question:
    process, va = mapped(draw)
    walk = process.walk(va)
    step = walk.steps[0]
    return Question(
        text=f"4K pages, 39 bits; TTBR0_EL1 = `{step.table:#x}`. The MMU translates `{va:#x}`. At which physical address is the "
        "first word that it reads?",
        answer=Number(step.address, base=16),
        wrong=(
            Wrong(
                step.table + step.index,
                "an-index-is-an-offset",
                f"You added the index `{step.index:#x}` itself. Each entry has 8 bytes, so entry {step.index} is 8 x {step.index} "
                "bytes into the table.",
            ),
            Wrong(step.table, "the-walk-starts-at-entry-0", "That is entry 0 of the table. The address has an index."),
            Wrong(
                step.table + 8 * walk.steps[-1].index,
                "levels-from-leaf",
                "You took the index of level 3. The first table is that of level 1 here: three levels, and the last is 3.",
            ),
        ),
        truth=f"Index {step.index:#x}, bits 38:30: `{step.table:#x}` + 8 x `{step.index:#x}` = **`{step.address:#x}`**.",
        steps=(
            Intermediate("At which level does the walk start?", Number(step.level)),
            Intermediate("Which index has the address there?", Number(step.index, base=16)),
            Intermediate("How many bytes has an entry?", Number(8)),
        ),
    )


@recall
def last_read(draw: Random) -> Question:
    process, va = mapped(draw)
    walk = process.walk(va)
    last = walk.steps[-1]
    assert not isinstance(walk.outcome, Fault)
    word = last.descriptor.value if last.descriptor else 0
    return Question(
        text=f"The walk of `{va:#x}` has come to level 3 and read the word `{word:#018x}`. 4K pages. Which physical address comes "
        "out?",
        answer=Number(walk.outcome.pa, base=16),
        wrong=(
            Wrong(
                walk.outcome.pa & ~0xFFF,
                "offset-is-lost",
                "That is where the frame begins. The last step adds the offset.",
            ),
            Wrong(
                word + (va & 0xFFF),
                "pointer-is-the-word",
                "You added the offset to the whole word. Clear what is not address first.",
            ),
            Wrong(
                last.address,
                "the-entry-is-the-page",
                "That is where the entry was read from. The page is where the entry points.",
            ),
            Wrong(
                (word & ~0xFFF) + (va & 0xFFF),
                "high-attributes-stay",
                "The lowest twelve bits are right, but the highest ones of the word are attributes too.",
            ),
            Wrong(
                (word & 0xFFFF_FFFF_FFFF) + (va & 0xFFF),
                "low-attributes-stay",
                "The high bits are gone, but the lowest twelve of the word are attributes too. Clear them before you add the offset.",
            ),
            Wrong(
                (walk.outcome.pa & ~0xFFF) + va,
                "frame-is-added",
                "You added the whole address. Its upper bits have chosen the entries; only the offset is left.",
            ),
        ),
        truth=f"`{walk.outcome.pa & ~0xFFF:#x}` from the word, and offset `{va & 0xFFF:#x}`: **`{walk.outcome.pa:#x}`**.",
        steps=(
            Intermediate("What is the output address in the word?", Number(walk.outcome.pa & ~0xFFF, base=16)),
            Intermediate("What is the offset?", Number(va & 0xFFF, base=16)),
        ),
    )


def walk_alone(draw: Random) -> Question:
    process, va = mapped(draw)
    other = va ^ draw.randrange(1, 8) << draw.choice((21, 30)) ^ draw.randrange(1, 0x1FF) << 12
    process.map(other & ~0xFFF, 0x8000_0000)
    walk = process.walk(va)
    word = int(walk.steps[-1].descriptor or 0)
    assert not isinstance(walk.outcome, Fault)
    return Question(
        text=f"Now all of it. 4K pages, 39 bits; TTBR0_EL1 = `{walk.steps[0].table:#x}`; memory holds\n\n{words_of(walk, process.walk(other))}\n\nand "
        f"zeros everywhere else. Which physical address does `{va:#x}` become?",
        answer=Number(walk.outcome.pa, base=16),
        wrong=(
            Wrong(
                walk.outcome.pa & ~0xFFF,
                "offset-is-lost",
                "The walk is right; the offset is missing at the end.",
            ),
            Wrong(
                walk.steps[-1].address,
                "the-entry-is-the-page",
                "That is where the last entry was read from. What does it say?",
            ),
            Wrong(va, "va-is-pa", "That is the virtual address."),
            Wrong(
                0x8000_0000 + (va & 0xFFF),
                "any-leaf-will-do",
                "You ended at a word that another address leads to. Compute each index, and take the word at that address only.",
            ),
            Wrong(
                word + (va & 0xFFF),
                "pointer-is-the-word",
                "The walk is right. But you added the offset to the whole word: clear what is not address first.",
            ),
            Wrong(
                (word & ~0xFFF) + (va & 0xFFF),
                "high-attributes-stay",
                "The walk is right. But the highest bits of the last word are attributes, not address.",
            ),
        ),
        truth="The reads: "
        + ", ".join(f"`{step.address:#x}`" for step in walk.steps)
        + f". The frame is `{walk.outcome.pa & ~0xFFF:#x}`, with the offset **`{walk.outcome.pa:#x}`**.",
        steps=tuple(
            step
            for at in walk.steps
            for step in (
                Intermediate(f"What is the index of level {at.level}?", Number(at.index, base=16)),
                Intermediate(f"At which address is the entry of level {at.level}?", Number(at.address, base=16)),
            )
        ),
    )


def what_a_table_pointer_is(draw: Random) -> Question:
    process, va = mapped(draw)
    table = process.walk(va).steps[1].table
    right = f"reads RAM at physical address {table:#x}"
    return Question(
        text=f"The entry of level 1 says that the next table is at `{table:#x}`. What does the MMU do with that number?",
        answer=Choice(
            right, (f"translates the virtual address {table:#x}, to find the table", "asks the kernel where it is")
        ),
        reasons=Choice(
            "if it had to be translated, that would need a walk, which would need another, without end",
            ("the kernel sees to it that both are the same", "tables are in the lower half"),
        ),
        wrong=(
            Wrong(
                f"translates the virtual address {table:#x}, to find the table",
                "table-pointers-virtual",
                "To translate that address the MMU would have to walk, and on that walk it would meet another address to "
                "translate. All addresses in tables, and in TTBR0_EL1, are physical.",
            ),
            Wrong(
                "asks the kernel where it is",
                "the-kernel-walks",
                "The MMU walks by itself, without an instruction of the kernel. The kernel has only prepared the tables.",
            ),
            Wrong(
                "the kernel sees to it that both are the same",
                "both-addresses-are-the-same",
                "It does not, and it need not: nobody uses this number as a virtual address. In the process of 4.3 nothing is mapped "
                "there.",
            ),
            Wrong(
                "tables are in the lower half",
                "tables-are-in-a-half",
                "The halves divide *virtual* addresses. A table is a frame of RAM.",
            ),
        ),
        truth="All addresses in tables are **physical**. The kernel, which uses virtual addresses like everybody else, has to "
        "convert one before it can look into a table itself: remember that for chapter 6.",
    )


@recall
def level_of_the_fault(draw: Random) -> Question:
    machine = Machine("4k", draw.choice((48, 52)))
    process = machine.process("a")
    va = draw.randrange(1 << 33, 1 << 38) & ~0xFFF
    process.map(va, 0x8000_0000)
    level = draw.choice([step.level for step in process.walk(va).steps])
    step = next(step for step in process.walk(va).steps if step.level == level)
    process.mmu.memory.write64(step.address, 0)
    walk = process.walk(va)
    assert isinstance(walk.outcome, Fault)
    reads, levels = len(walk.steps), 4 - (walk.va_range.start_level or 0)
    return Question(
        text=f"{levels} levels, from {walk.va_range.start_level} to 3. The walk of `{va:#x}` reads {reads} "
        f"entr{'y' if reads == 1 else 'ies'}; the last of them is invalid. At which level does the MMU report a fault?",
        answer=Number(walk.outcome.level),
        wrong=(
            *(
                (
                    Wrong(
                        levels,
                        "fault-level-is-depth",
                        f"{levels} is how many levels there are. The fault is reported at the level of the entry that stopped the walk.",
                    ),
                )
                if levels != reads
                else ()
            ),
            Wrong(
                reads,
                "the-fault-level-counts-reads",
                f"You counted reads. The first read is that of level {walk.va_range.start_level}.",
            ),
            Wrong(
                3 - walk.outcome.level,
                "levels-from-leaf",
                "You counted from the page upwards. Level 3 is the last one.",
            ),
        ),
        truth=f"**{walk.outcome.level}**. The table of that level exists; its entry is what is invalid.",
        steps=(
            Intermediate("Of which level is the first entry that is read?", Number(walk.steps[0].level)),
            Intermediate("How many levels further down is the last one?", Number(reads - 1)),
        ),
    )


def walk_of_a_real_kernel(draw: Random) -> Question:
    image = real_kernel()
    va = 0xFFFF_0000_0000_0000 + (draw.randrange(0, 0x20) << 21) + draw.randrange(1 << 13, 1 << 21, 8)
    walk = image.mmu.translate(va)
    assert not isinstance(walk.outcome, Fault)
    last = walk.steps[-1]
    assert isinstance(last.descriptor, Leaf)
    in_a_page = last.descriptor.oa + (va & 0xFFF)
    lowest = max(walk.steps, key=lambda step: step.address)  # the last line of the list
    assert lowest.descriptor is not None
    count = {3: "three", 4: "four"}[len(walk.steps)]
    return Question(
        text=f"The real kernel, 4K pages, 48 bits. Its walk of `{va:#x}` stops at level {last.level}. These are the "
        f"{count} words that it reads, sorted by address and not in the order of the walk:\n\n{words_of(walk)}\n\nWhich physical address comes out?",
        answer=Number(walk.outcome.pa, base=16),
        wrong=(
            Wrong(
                in_a_page,
                "a-block-has-the-offset-of-a-page",
                f"You added the lowest 12 bits. The walk stopped at level {last.level}, at a block: the bits of the levels below belong to the offset.",
            )
            if last.level < 3
            else Wrong(va, "va-is-pa", "That is the virtual address."),
            *(
                (
                    Wrong(
                        (int(lowest.descriptor) & 0xFFFF_FFFF_F000) + walk.outcome.pa - last.descriptor.oa,
                        "the-last-line-is-the-last-read",
                        f"You took the last line of the list for the last read. That word is the entry of level {lowest.level}: "
                        f"a table. The walk stops at level {last.level}, and which word it reads there the entry of level "
                        f"{last.level - 1} says.",
                    ),
                )
                if lowest is not last
                else ()
            ),
            Wrong(last.descriptor.oa, "offset-is-lost", "That is where the block or page begins."),
            Wrong(
                int(last.descriptor) & ~0xFFF,
                "high-attributes-stay",
                "The highest bits of the entry are attributes, not address.",
            ),
        ),
        truth=f"The entry of level {last.level} has the output address `{last.descriptor.oa:#x}`; with the offset **`{walk.outcome.pa:#x}`**.",
        steps=(
            Intermediate(
                f"How much does an entry of level {last.level} map?",
                Number(1 << 12 + 9 * (LAST_LEVEL - last.level), unit="bytes"),
            ),
            Intermediate(
                "What is the offset in that much memory?", Number(walk.outcome.pa - last.descriptor.oa, base=16)
            ),
        ),
    )
