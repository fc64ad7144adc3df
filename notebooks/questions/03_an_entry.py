"""Questions of chapter 3: what an entry says."""

from random import Random

from pgtlab.arch.descriptor import Block, Descriptor, Invalid, Leaf, PageDescriptor, Table
from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.sizes import size_name
from pgtlab.lab.machine import Machine
from pgtlab.lab.question import Choice, Intermediate, Number, Question, Wrong, recall

NAMES = {Invalid: "invalid", Table: "a table", Block: "a block", PageDescriptor: "a page"}


def kind_of(descriptor: Descriptor) -> str:
    """The kind of an entry, as the choices of the questions name it."""
    return next(name for kind, name in NAMES.items() if isinstance(descriptor, kind))


def leaf_word(draw: Random, level: int, **fields: int) -> int:
    """An entry of a process that maps a page, or a block, at a level."""
    process = Machine().process("a")
    size = 1 << 12 + 9 * (3 - level)
    va, pa = size * draw.randrange(1, 1 << 9), 0x8000_0000 + size * draw.randrange(1, 1 << 7)
    if level == 1:
        pa = 0x8000_0000 + size
    process.map(va, pa, size >> 12, blocks=True, **fields)
    descriptor = process.walk(va).steps[-1].descriptor
    assert isinstance(descriptor, Leaf)
    return int(descriptor)


@recall
def kind_of_entry(draw: Random) -> Question:
    level = draw.choice((1, 2, 3, 2))
    word = leaf_word(draw, level)
    if level < 3 and draw.random() < 0.6:
        process = Machine().process("a")
        process.map(draw.randrange(1 << 30, 1 << 40) & ~0xFFF, 0x8000_0000)
        word = int(process.walk(next(iter(process.pages))).steps[level].descriptor or 0)
    elif level == 3 and draw.random() < 0.4:
        word &= ~0b10
    if draw.random() < 0.2:
        word &= ~1  # as an operating system leaves it that keeps a note in an entry which is not valid
    right, low = kind_of(Machine().entry(word, level)), word & 0b11
    why = {
        "a page": (
            "bit-1-is-page",
            f"0b11 means a page at level 3 and a table above it; this is level {level}"
            + ("." if low == 0b11 else f", and bits 1:0 are 0b{low:02b}."),
        ),
        "a table": (
            "bit-1-means-table",
            f"0b11 means a table above level 3 and a page at level 3; this is level {level}"
            + ("." if low == 0b11 else f", and bits 1:0 are 0b{low:02b}."),
        ),
        "a block": (
            "a-leaf-is-a-block",
            "A block is an entry above level 3 with 0b01 in bits 1:0. Which of the two is not so here?",
        ),
        "invalid": ("valid-is-bit-1", "Bit 0 alone says whether an entry is valid, and here it is 1."),
    }
    others = [name for name in NAMES.values() if name != right]
    return Question(
        text=f"The word `{word:#018x}` is in a table of **level {level}**, with pages of 4 KiB. What is it?",
        answer=Choice(right, tuple(others)),
        wrong=tuple(
            Wrong(
                name,
                *(
                    why[name]
                    if low & 1
                    else (
                        "valid-is-bit-1",
                        "Bit 0 is 0, so the entry is invalid, whatever the other "
                        "bits hold: the MMU does not look at them.",
                    )
                ),
            )
            for name in others
        ),
        truth=f"Bits 1:0 are 0b{low:02b}, at level {level}: **{right}**.",
    )


@recall
def output_address(draw: Random) -> Question:
    word = leaf_word(draw, 3)
    word |= draw.choice((1 << 54, 1 << 53, 3 << 53))
    leaf = Machine().entry(word, 3)
    assert isinstance(leaf, Leaf)
    return Question(
        text=f"`{word:#018x}` is a page at level 3, with pages of 4 KiB. At which physical address does its frame begin?",
        answer=Number(leaf.oa, base=16),
        wrong=(
            Wrong(
                word,
                "pointer-is-the-word",
                "That is the whole word. An entry is not a pointer: bits 11:0 and the bits from 48 up are no part of the address "
                "but say what the frame may be used for.",
            ),
            Wrong(
                leaf.oa << 12,
                "address-shifted-twice",
                "You shifted it to the left by 12. The address bits are in the places that they have in the address: bit 12 "
                "of the word is bit 12 of the address.",
            ),
            Wrong(
                leaf.oa >> 12,
                "the-frame-number-is-the-address",
                "That is the number of the frame. Its address has twelve more bits, all zero.",
            ),
            Wrong(
                word & 0xFFFF_FFFF_FFFF,
                "low-attributes-stay",
                "The high bits are gone, but the lowest twelve are still attributes. A frame begins at a multiple of its size.",
            ),
            Wrong(
                word & ~0xFFF,
                "high-attributes-stay",
                "The lowest twelve bits are gone, but the highest ones are attributes too.",
            ),
        ),
        truth=f"Bits 47:12, in place: **`{leaf.oa:#x}`**.",
        steps=(
            "Which bits of the word are the address?",
            Intermediate("Which mask keeps exactly those?", Number(0xFFFF_FFFF_F000, base=16)),
        ),
    )


@recall
def address_in_a_block(draw: Random) -> Question:
    process = Machine().process("a")
    va, pa = draw.randrange(1, 1 << 9) << 21, 0x8000_0000 + (draw.randrange(1, 1 << 8) << 21)
    process.map(va, pa, 512, blocks=True)
    inside = draw.randrange(1 << 20, 1 << 21) & ~7
    outcome = process.walk(va + inside).outcome
    assert not isinstance(outcome, Fault)
    return Question(
        text=f"The walk of `{va + inside:#x}` ends at **level 2**, at a block whose output address is `{pa:#x}`. Pages are "
        "4 KiB. Which physical address comes out?",
        answer=Number(outcome.pa, base=16),
        wrong=(
            Wrong(
                pa + (va + inside & 0xFFF),
                "a-block-has-the-offset-of-a-page",
                "You added the lowest 12 bits. A block of level 2 is as large as all pages that a level 3 table would map: "
                "the bits of level 3 are part of the offset here.",
            ),
            Wrong(pa, "offset-is-lost", "That is where the block begins. Which byte of it is meant?"),
            Wrong(
                pa + (inside & 0xF_FFFF),
                "offset-is-whole-digits",
                "You took five digits, which are 20 bits. 2 MiB have 2**21 bytes: one bit of the sixth digit belongs to the offset.",
            ),
            Wrong(
                pa + va + inside,
                "frame-is-added",
                "You added the whole address. The block *replaces* the upper bits; only the offset in it is kept.",
            ),
            Wrong(
                va + inside,
                "va-is-pa",
                "That is the virtual address. The block begins at another physical one.",
            ),
        ),
        truth=f"Bits 20:0 of the address are the offset in {size_name(1 << 21)}: `{inside:#x}`. Together **`{outcome.pa:#x}`**.",
        steps=(
            Intermediate("How much does an entry of level 2 map?", Number(2 << 20, unit="bytes")),
            Intermediate("How many bits is the offset in that much memory?", Number(21)),
        ),
    )


@recall
def who_may(draw: Random) -> Question:
    ap = draw.randrange(4)
    word = leaf_word(draw, 3, AP=ap, UXN=1, PXN=1)
    right = what_ap_lets(ap)
    bit_6 = f"Bits 7:6 are {ap:02b}. Bit 6 is about programs: 1 lets them in. The kernel may always read."
    bit_7 = f"Bits 7:6 are {ap:02b}. Bit 7 *forbids* writing, to everyone: 1 takes it away."
    return Question(
        text=f"`{word:#018x}` is a page at level 3. Bits 7:6 are AP. Who may read it, and who may write it?",
        answer=Choice(right, tuple(what_ap_lets(other) for other in range(4) if other != ap)),
        wrong=(
            Wrong(what_ap_lets(ap ^ 0b10), "ap-bits-permit", bit_7),
            Wrong(what_ap_lets(ap ^ 0b01), "ap-bit-6-keeps-out", bit_6),
            Wrong(
                what_ap_lets(ap ^ 0b11),
                "ap-bits-are-swapped",
                f"Bits 7:6 are {ap:02b}, and bit 6 is the lower of the two. Bit 6 lets programs in; bit 7 forbids writing.",
            ),
        ),
        truth=f"AP = 0b{ap:02b}: bit 6 is {ap & 1}, so programs are {'let in' if ap & 1 else 'kept out'}; bit 7 is {ap >> 1}, "
        f"so writing is {'forbidden' if ap >> 1 else 'allowed'}: **{right}**.",
    )


def what_ap_lets(ap: int) -> str:
    """Who may read and write a page with this AP, as the model's MMU decides."""
    process = Machine().process("a")
    process.map(0x40_0000, 0x8000_0000, AP=ap)

    def allowed(access: Access, el: int) -> bool:
        return not isinstance(process.mmu.translate(0x40_0000, access, el=el).outcome, Fault)

    may = [
        " and ".join(access.name.lower() for access in (Access.READ, Access.WRITE) if allowed(access, el))
        or "do neither"
        for el in (0, 1)
    ]
    return f"programs may {may[0]}, the kernel may {may[1]}"


RUNS = {
    (True, True): "programs and the kernel",
    (True, False): "only programs",
    (False, True): "only the kernel",
    (False, False): "nobody",
}


@recall
def who_may_run(draw: Random) -> Question:
    ap, uxn, pxn = draw.choice(((0b00, 0, 1), (0b10, 0, 1), (0b00, 0, 0), (0b10, 0, 0), (0b10, 1, 0), (0b11, 1, 0)))
    word = leaf_word(draw, 3, AP=ap, UXN=uxn, PXN=pxn)
    process = Machine().process("a")
    process.map(0x40_0000, 0x8000_0000, AP=ap, UXN=uxn, PXN=pxn)
    outcomes = [process.mmu.translate(0x40_0000, Access.FETCH, el=el).outcome for el in (0, 1)]
    right = RUNS[not isinstance(outcomes[0], Fault), not isinstance(outcomes[1], Fault)]
    wrong = {
        RUNS[uxn == 1, pxn == 1]: (
            "xn-bits-permit",
            f"UXN is {uxn} and PXN is {pxn}. They *forbid* when they are 1; U is for programs, P for the kernel.",
        )
    }
    if not uxn:
        wrong[RUNS[False, not pxn]] = (
            "reading-is-running",
            "You kept programs out because of bit 6. AP is about reading and writing; whether a program may run the page, UXN "
            f"alone says, and it is {uxn}.",
        )
    for option in {RUNS[not uxn, not uxn], RUNS[not pxn, not pxn]} - {right, *wrong}:
        wrong[option] = (
            "one-bit-forbids-both",
            f"UXN is {uxn} and PXN is {pxn}: programs and the kernel have a bit each.",
        )
    for option in {*RUNS.values()} - {right, *wrong}:
        wrong[option] = (
            "the-kernel-runs-only-its-own",
            "PXN is 0, so nothing in the entry keeps the kernel from running it. (Linux sets PXN for every page of a program, so "
            "that the kernel never does.)",
        )
    return Question(
        text=f"`{word:#018x}` is a page at level 3. Who may run instructions from it?",
        answer=Choice(right, tuple(wrong)),
        wrong=tuple(Wrong(option, *why) for option, why in sorted(wrong.items())),
        truth=f"Bit 54, UXN, is {uxn}, and bit 53, PXN, is {pxn}: **{right}**. AP is 0b{ap:02b} and has no part in it.",
    )


def read_only(draw: Random) -> Question:
    word = leaf_word(draw, 3, AP=1, UXN=1, PXN=1)
    right = word | 1 << 7
    return Question(
        text=f"`{word:#018x}` maps a page that programs may read and write. What must the word be so that they may still read, "
        "but nobody may write?",
        answer=Number(right, base=16),
        wrong=(
            Wrong(
                word & ~(1 << 6),
                "ap-bits-permit",
                "You cleared bit 6. That bit lets programs in; now they may not even read.",
            ),
            Wrong(
                word & ~1,
                "read-only-is-invalid",
                "You cleared bit 0. Now the page is not mapped at all.",
            ),
            Wrong(
                (word | 1 << 7) & ~(1 << 6),
                "read-only-for-the-kernel-only",
                "Writing is forbidden, but you also cleared bit 6, so programs may not read any more.",
            ),
        ),
        truth=f"Bit 7 forbids writing: **`{right:#018x}`**. It is set to *forbid*, which is easy to get the wrong way round.",
        steps=(
            Intermediate("What are bits 7:6 now, as a number from 0 to 3?", Number(word >> 6 & 3)),
            Intermediate("Which of the two forbids writing?", Number(7)),
        ),
    )


def first_access(draw: Random) -> Question:
    pages, reads = draw.randrange(2, 6), draw.randrange(3, 8)
    process = Machine().process("a")
    process.map(0x40_0000, 0x8000_0000, pages, AF=0)
    calls = 0
    for page in range(0x40_0000, 0x40_0000 + (pages << 12), 0x1000):
        for variable in range(page, page + 8 * reads, 8):
            if isinstance(process.walk(variable).outcome, Fault):
                calls += 1
                frame = process.pages[page]
                process.unmap(page)
                process.map(page, frame, AF=1)  # what the kernel does
    return Question(
        text=f"A program has {pages} pages that it may read, and all of their entries have AF = 0. The processor does not set AF by "
        f"itself. The program reads {reads} variables in each page, {pages * reads} in all. How often does the MMU refuse an access "
        "and call the kernel?",
        answer=Number(calls),
        wrong=(
            Wrong(
                0,
                "af-is-only-a-note",
                "AF is not a note that nobody looks at: with AF = 0 the MMU refuses, so that the kernel learns of the first use.",
            ),
            Wrong(
                pages * reads,
                "af-stays-0",
                "You counted every read. At the first one the kernel sets AF, and the next read of that page finds it set.",
            ),
            Wrong(
                1,
                "af-is-for-the-program",
                "You counted one for the whole program. AF is a bit of an entry, so each page has its own. (And the refusal does not "
                "end the program: the kernel sets AF, and the read is tried again.)",
            ),
        ),
        truth=f"The model: **{calls}**, one for each page. Each time the kernel sets AF in the entry, and the program goes on.",
        steps=("What does the kernel do when it is called for AF?", "How many entries have an AF that is 0?"),
    )
