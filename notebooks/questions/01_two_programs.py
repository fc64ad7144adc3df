"""Questions of chapter 1: virtual and physical addresses, pages, frames and offsets."""

from random import Random

from pgtlab.arch.fault import Fault
from pgtlab.arch.sizes import size_name
from pgtlab.lab.machine import Machine
from pgtlab.lab.question import Choice, Intermediate, Number, Question, Wrong, recall

ADDRESS = 0x40_0010


def same_address(draw: Random) -> Question:
    first, second = draw.sample(range(10, 100), 2)
    machine = Machine()
    a, b = machine.process("a"), machine.process("b")
    for process in (a, b):
        process.map(0x40_0000, machine.frame())
    b.write(ADDRESS, first)
    a.write(ADDRESS, second)
    read = b.read(ADDRESS)
    assert isinstance(read, int)
    return Question(
        text=f"Program b writes {first} to address `{ADDRESS:#x}`. Then program a writes {second} to address "
        f"`{ADDRESS:#x}`. Then b reads it. What does b read?",
        answer=Number(read),
        reasons=Choice(
            "the address is only a name, and each program has its own list of what the names stand for",
            (
                "there is one memory, and the last write counts",
                "each program has its own piece of RAM, and addresses count from where it begins",
            ),
        ),
        wrong=(
            Wrong(
                second,
                "va-is-pa",
                f"You said {second}, as if `{ADDRESS:#x}` named one place in RAM. Then every program could overwrite "
                "every other one. The next cell makes the two programs and looks.",
            ),
            Wrong(
                "there is one memory, and the last write counts",
                "va-is-pa",
                f"With one memory for that address the last write would win, and b would read {second}.",
            ),
            Wrong(
                "each program has its own piece of RAM, and addresses count from where it begins",
                "one-piece-of-ram",
                "A good idea: some old machines did that. But it needs one piece that is large enough for all of a program, and "
                "two programs could not share a part of it. Section 1.2 shows what is used instead.",
            ),
        ),
        truth=f"The model's b reads **{read}**: only b wrote there.",
    )


@recall
def physical_address(draw: Random) -> Question:
    machine = Machine()
    process = machine.process("a")
    page = draw.randrange(0x200, 0x8_0000) << 12
    frame = 0x8000_0000 + (draw.randrange(0x10, 0x4000) << 12)
    offset = draw.randrange(0x10, 0xFF8) & ~7
    process.map(page, frame)
    walk = process.walk(page + offset)
    assert not isinstance(walk.outcome, Fault)
    return Question(
        text=f"Pages are 4 KiB. The page at `{page:#x}` is in the frame at `{frame:#x}`. The program reads address "
        f"`{page + offset:#x}`. Which physical address does that become?",
        answer=Number(walk.outcome.pa, base=16),
        wrong=(
            Wrong(
                page + offset,
                "va-is-pa",
                "That is the address that the program uses. RAM does not know it: the page may be in any frame.",
            ),
            Wrong(
                frame,
                "offset-is-lost",
                f"That is where the frame begins. The byte is `{offset:#x}` further on, as far as in the page.",
            ),
            Wrong(
                frame + page + offset,
                "frame-is-added",
                "You added the frame to the whole address. The frame *replaces* the page; only the offset is kept.",
            ),
            Wrong(
                offset,
                "frame-is-left-out",
                "That is how far into its page, and into its frame, the byte lies. Where does the frame begin?",
            ),
        ),
        truth=f"The offset in the page is `{offset:#x}`; the frame takes the page's place: **`{walk.outcome.pa:#x}`**.",
        steps=(
            Intermediate("What is the offset of the address in its page?", Number(offset, base=16)),
            Intermediate("Where does the frame begin?", Number(frame, base=16)),
        ),
    )


@recall
def offset_in_a_page(draw: Random) -> Question:
    name, shift = draw.choice((("16k", 14), ("64k", 16)))
    machine = Machine(name, va_bits=48)
    address = draw.randrange(1 << 30, 1 << 40) | 0x3000
    offset = address % machine.page_size
    return Question(
        text=f"This kernel uses pages of {size_name(machine.page_size)}. What is the offset of address `{address:#x}`?",
        answer=Number(offset, base=16),
        wrong=(
            Wrong(
                address & 0xFFF,
                "page-is-4k",
                f"You took the lowest 12 bits, which is the offset in a page of 4 KiB. A page of "
                f"{size_name(machine.page_size)} has {machine.page_size} bytes: its offset takes {shift} bits.",
            ),
            *(
                (
                    Wrong(
                        address & 0xFFFF,
                        "offset-is-whole-digits",
                        "You took four digits, which are 16 bits. 16 KiB have 2**14 bytes, so only two bits of the fourth digit belong "
                        "to the offset.",
                    ),
                )
                if shift == 14
                else ()
            ),
            Wrong(
                address >> shift,
                "offset-is-the-page-number",
                "That is the number of the page: the bits above the offset.",
            ),
            Wrong(
                address - offset,
                "offset-is-the-page-number",
                "That is where the page begins. How far from there is the address?",
            ),
        ),
        truth=f"{size_name(machine.page_size)} = 2**{shift}, so the lowest {shift} bits: **`{offset:#x}`**.",
        steps=(
            Intermediate(f"How many bytes are {size_name(machine.page_size)}?", Number(machine.page_size)),
            Intermediate("How many bits does it take to number them, from 0 on?", Number(shift)),
        ),
    )


@recall
def pages_for_bytes(draw: Random) -> Question:
    shift = draw.choice((14, 16))
    pages = draw.randrange(5, 30)
    size = (pages - 1 << shift) + draw.randrange(1, 1 << shift)
    return Question(
        text=f"An array of {size} bytes begins at the start of a page. How many pages of {size_name(1 << shift)} does it "
        "need?",
        answer=Number(pages),
        wrong=(
            Wrong(-(-size // 4096), "page-is-4k", "You counted pages of 4 KiB. These are larger."),
            Wrong(
                size // 4096,
                "page-is-4k",
                "You counted whole pages of 4 KiB. These are larger, and the rest counts, too.",
            ),
            Wrong(
                size >> shift,
                "a-part-takes-no-page",
                "You rounded down. The last part of the array is smaller than a page, and needs a page all the same: "
                "memory is mapped in whole pages.",
            ),
        ),
        truth=f"{size} = {pages - 1} · {1 << shift} + {size % (1 << shift)}: {pages - 1} full pages, and one for the rest: **{pages}**.",
        steps=(
            Intermediate(f"How many bytes has a page of {size_name(1 << shift)}?", Number(1 << shift)),
            Intermediate("How many full pages is that?", Number(pages - 1)),
            "Is anything left?",
        ),
    )


def after_the_move(draw: Random) -> Question:
    return Question(
        text="The kernel needs the frame that a program's page is in. It copies the bytes to another frame and changes "
        "its list: the page is in the new frame now. The program has a pointer into the page. What must the program do?",
        answer=Choice(
            "nothing: its pointer still works",
            ("use the new address of the page", "stop, because its pointer is wrong now"),
        ),
        reasons=Choice(
            "the page kept its virtual address, and only the frame behind it changed",
            (
                "the kernel searches the program's memory for pointers and corrects them",
                "a page is the same as a frame",
            ),
        ),
        wrong=(
            Wrong(
                "use the new address of the page",
                "page-moves",
                "You said that the page has a new address. The *bytes* went to another frame; the page is where it was, "
                "because a page is a range of virtual addresses. The next cell does it: look at what the program reads.",
            ),
            Wrong(
                "stop, because its pointer is wrong now",
                "page-moves",
                "The pointer holds a virtual address, and that has not changed. The next cell does it: look at what the "
                "program reads before and after.",
            ),
            Wrong(
                "the kernel searches the program's memory for pointers and corrects them",
                "pointers-are-corrected",
                "The kernel cannot tell which numbers in a program's memory are pointers. There is nothing to correct: the pointer "
                "holds a virtual address, and that is the same as before.",
            ),
            Wrong(
                "a page is the same as a frame",
                "a-page-is-a-frame",
                "If page and frame were the same, the page would have gone with its frame, and the pointer would be wrong. The page "
                "is a range of virtual addresses; the frame behind it was exchanged.",
            ),
        ),
        truth="**Nothing.** That is half of what virtual addresses are for: what is behind them can change at any time.",
    )


def physical_as_pointer(draw: Random) -> Question:
    machine = Machine()
    a, b = machine.process("a"), machine.process("b")
    secret, own = draw.sample(range(10, 100), 2)
    there, page_of_b = machine.frame(), draw.choice((0x50_0000, None))
    page_of_b = there if page_of_b is None else page_of_b  # a virtual address may be any number, also that of a frame
    a.map(0x40_0000, there)
    a.write(ADDRESS, secret)
    b.map(page_of_b, machine.frame())
    b.write(page_of_b + 0x10, own)
    read = b.read(there + 0x10)
    refusal = "the MMU refuses: nothing is mapped there in b"
    right = refusal if isinstance(read, Fault) else f"b reads {read}"
    looked_up = f"Whatever b uses as an address is looked up in b's own list. Is `{there:#x}` in it?"
    about = {
        f"b reads {secret}": (
            "va-is-pa",
            f"`{there + 0x10:#x}` is where the {secret} is in RAM. But whatever b uses as an address is looked up in b's own "
            "list first, and that list does not lead to a's frame. b cannot even name it.",
        ),
        f"b reads {own}": ("one-list-for-every-address", looked_up),
        "b reads 0": (
            "unmapped-reads-zero",
            "Memory that nothing is mapped to does not read as 0. There is no memory to read: the MMU stops the program "
            "and calls the kernel."
            if right == refusal
            else looked_up,
        ),
        refusal: (
            "a-physical-address-is-no-pointer",
            f"The MMU does not know that `{there:#x}` is also the address of a frame. {looked_up}",
        ),
    }
    return Question(
        text=f"a's page at `0x400000` is in the frame at `{there:#x}`, and a has written {secret} at `{ADDRESS:#x}`. b has one page: "
        f"at `{page_of_b:#x}`, in the frame at `{b.pages[page_of_b]:#x}`; it has written {own} at `{page_of_b + 0x10:#x}`. Now b reads "
        f"address `{there + 0x10:#x}`. What happens?",
        answer=Choice(right, tuple(option for option in about if option != right)),
        wrong=tuple(Wrong(option, *why) for option, why in about.items() if option != right),
        truth="**The MMU refuses.** Chapter 5 is about such refusals."
        if right == refusal
        else f"b reads **{read}**: in b, the page `{there:#x}` is in the frame at `{b.pages[page_of_b]:#x}`.",
    )
