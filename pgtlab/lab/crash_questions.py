"""Questions about the numbers of a crash: each step from PHYS_OFFSET to a section, and back, in any boot.

The right numbers are the kernel's own; each wrong number comes from one wrong rule.
"""

from __future__ import annotations

from pgtlab.lab.crash import Crash
from pgtlab.lab.question import Intermediate, Number, Question, Wrong
from pgtlab.linux.oops.inferring.memmap import signed

U64 = 1 << 64
LINKED_AT = 0xFFFF_8000_8000_0000  # KIMAGE_VADDR of 4K pages and 48 bits


def vmemmap_question(boot: Crash, lines: tuple[int, ...] = ()) -> Question:
    """Where is `vmemmap`, by PHYS_OFFSET?

    >>> from pgtlab.lab.crash import story
    >>> vmemmap_question(story()).judge("0xfffffe223a000000").verdict
    'right'
    """
    start, phys, right = boot.kernel.VMEMMAP_START, boot.phys_offset, boot.kernel.vmemmap
    low = U64 - phys
    return Question(
        text=f"`PHYS_OFFSET: {phys:#x}`, and {_facts(boot)}. `vmemmap` is VMEMMAP_START - (PHYS_OFFSET >> 12) x 64, "
        "and PHYS_OFFSET is signed. Compute "
        "`vmemmap`.",
        answer=Number(right, base=16),
        wrong=(
            Wrong(
                (start - (phys >> 12) * 64) % U64,
                "phys-offset-without-sign",
                f"You shifted PHYS_OFFSET as a number without a sign. It is below zero: -{low:#x}.",
            ),
            Wrong(
                start,
                "vmemmap-is-vmemmap-start",
                "That is where the area begins. The struct page of pfn 0 would be somewhere else, unless PHYS_OFFSET "
                "is 0.",
            ),
            Wrong(
                (start + (signed(phys) >> 12) * 64) % U64,
                "sign-forgotten",
                "You subtracted the magnitude. Subtracting a number below zero adds its magnitude: `vmemmap` is "
                "*above* VMEMMAP_START.",
            ),
            Wrong(
                (start - (signed(phys) >> 12)) % U64,
                "pages-are-bytes",
                "A `struct page` has 64 bytes: multiply the number of pages by 64.",
            ),
            Wrong(
                (start - signed(phys) * 64) % U64,
                "bytes-are-pages",
                "PHYS_OFFSET counts bytes. Shift right by 12 first: one `struct page` for each page.",
            ),
        ),
        steps=(
            Intermediate("PHYS_OFFSET as a number below zero: what is 2^64 minus it?", Number(low, base=16)),
            Intermediate("Shift that right by 12: drop three hexadecimal digits.", Number(low >> 12, base=16)),
            Intermediate("Times 64: shift up by 6 bits.", Number((low >> 12) * 64, base=16)),
            "Add that to VMEMMAP_START.",
        ),
        truth=f"PHYS_OFFSET = -{low:#x}; >> 12 = -{low >> 12:#x}; x 64 = -{(low >> 12) * 64:#x}; {start:#x} + "
        f"{(low >> 12) * 64:#x} = **{right:#x}**.",
        lines=lines,
    )


def frame_question(boot: Crash, lines: tuple[int, ...] = (), computed: bool = False) -> Question:
    """Which frame does `page_to_pfn()` make of the copy's address? With `computed` the text does not print `vmemmap`.

    >>> from pgtlab.lab.crash import story
    >>> frame_question(story()).judge("0xfffffe0779181ee5").verdict
    'right'
    """
    copy, vmemmap, right = boot["x20"], boot.kernel.vmemmap, boot["x1"]
    distance = copy - vmemmap
    return Question(
        text=f"x20 is `{copy:#x}`, the address of the copy, and `vmemmap` is "
        f"{'what you have just computed' if computed else f'`{vmemmap:#x}`'}. `page_to_pfn` "
        "subtracts, and shifts the *signed* difference "
        "right by 6 bits. Which number does it make of the copy?",
        answer=Number(right, base=16),
        wrong=(
            Wrong(signed(right), "number-for-bits", "As a signed number that is right. As 64 bits it is 2^64 plus it."),
            Wrong(
                distance % U64 >> 6,
                "one-right-shift",
                "You let zeros in from the left. A difference of pointers is signed, and the shift repeats the "
                "sign: ones come in.",
            ),
            Wrong(
                distance % U64,
                "a-page-has-one-byte",
                "That is the distance in bytes. How many `struct page`s of 64 bytes is that?",
            ),
            Wrong(
                distance >> 12 & U64 - 1, "struct-page-is-a-page", "You divided by 4096. A `struct page` has 64 bytes."
            ),
            Wrong(
                -distance >> 6,
                "the-sign-is-lost",
                "You subtracted the smaller from the larger. The copy lies *below* `vmemmap`: the result is below "
                "zero.",
            ),
            Wrong(
                boot["x22"],
                "copy-is-the-page",
                "That is the number of the page itself. Which one comes out for the address of the *copy*?",
            ),
        ),
        steps=(
            Intermediate("x20 - vmemmap, in 64 bits?", Number(distance % U64, base=16)),
            "Shift right by 6 bits, and let ones in from the left.",
        ),
        truth=f"{copy:#x} - {vmemmap:#x} = {distance % U64:#x}, and shifted by 6 with its sign **{right:#x}**: no "
        "RAM has a frame with such a number.",
        lines=lines,
    )


def section_question(boot: Crash, lines: tuple[int, ...] = (), computed: bool = False) -> Question:
    """Which section would that frame be in? With `computed` the text does not print the frame's number.

    >>> from pgtlab.lab.crash import story
    >>> section_question(story()).judge("0x1fffffc0ef230").verdict
    'right'
    """
    pfn, right = boot["x1"], boot["x4"]
    return Question(
        text=f"{'Take the x1 that you have just computed' if computed else f'x1 is `{pfn:#x}`'}. A section has 128 "
        "MiB, which is 2^15 pages. A pfn has no sign: the number of its section is the pfn, shifted right by 15 with "
        "zeros. Compute it.",
        answer=Number(right, base=16),
        wrong=(
            Wrong(
                signed(pfn) >> 15 & U64 - 1,
                "shift-is-arithmetic",
                "You repeated the sign. `page_to_pfn` subtracts pointers, which is signed; a pfn is an `unsigned "
                "long`, and zeros come in.",
            ),
            Wrong(pfn >> 27, "a-pfn-is-an-address", "128 MiB is 2^27 *bytes*. x1 counts pages of 2^12 bytes."),
            Wrong(pfn >> 12, "section-is-a-page", "You divided by the size of a page. A section has 2^15 pages."),
        ),
        steps=(
            Intermediate("Shift right by 12: drop three hexadecimal digits.", Number(pfn >> 12, base=16)),
            "Shift by 3 more: divide by 8.",
        ),
        truth=f"{pfn:#x} >> 15 = **{right:#x}**. A machine with 48 bits of physical address has at most "
        f"{boot.kernel.NR_MEM_SECTIONS:#x} sections.",
        lines=lines,
    )


def section_elsewhere(boot: Crash) -> Question:
    """Which section would the frame be in, in a kernel with pages of another size?

    >>> from random import Random
    >>> from pgtlab import Config
    >>> from pgtlab.lab.crash import crash
    >>> boot = crash(Random(1), Config("16k", 48))
    >>> section_elsewhere(boot).judge(f"{boot['x4']:#x}").verdict
    'right'
    """
    k, pfn, right = boot.kernel, boot["x1"], boot["x4"]
    size, shift = boot.config.granule, k.SECTION_SIZE_BITS - k.PAGE_SHIFT
    return Question(
        text=f"The same crash in a kernel with pages of {size}, where a section has 2^{k.SECTION_SIZE_BITS} bytes "
        "too: x1 is "
        f"`{pfn:#x}`. Which section is that?",
        answer=Number(right, base=16),
        wrong=(
            Wrong(pfn >> 15, "page-is-4k", f"15 is right for pages of 4 KiB. How many pages of {size} has a section?"),
            Wrong(
                signed(pfn) >> shift & U64 - 1,
                "shift-is-arithmetic",
                "You repeated the sign. A pfn is an `unsigned long`, and zeros come in.",
            ),
            Wrong(pfn >> k.SECTION_SIZE_BITS, "a-pfn-is-an-address", "A section has so many *bytes*. x1 counts pages."),
        ),
        steps=(
            Intermediate(f"A page of {size} has 2 to which power of bytes?", Number(k.PAGE_SHIFT)),
            Intermediate("A section is 2 to which power of pages?", Number(shift)),
            "Shift by that.",
        ),
        truth=f"{k.SECTION_SIZE_BITS} - {k.PAGE_SHIFT} = {shift}: {pfn:#x} >> {shift} = **{right:#x}**.",
    )


def root_question(boot: Crash, lines: tuple[int, ...] = (), computed: bool = False) -> Question:
    """Which root would hold that section? With `computed` the text does not print the section.

    >>> from pgtlab.lab.crash import story
    >>> root_question(story()).judge("0x3fffff81de4").verdict
    'right'
    """
    number, right, k = boot["x4"], boot["x5"], boot.kernel
    return Question(
        text=f"{'Take the section that you have just computed' if computed else f'Section `{number:#x}`'}. A `struct "
        "mem_section` has 32 bytes, and a root is one page full of them. Which root holds this section?",
        answer=Number(right, base=16),
        wrong=(
            Wrong(
                number % k.SECTIONS_PER_ROOT, "rest-is-the-root", "That is its place *in* the root. Which root is it?"
            ),
            Wrong(
                number // k.PAGE_SIZE,
                "a-section-has-one-byte",
                "A page has 4096 bytes. How many structures of 32 bytes fit?",
            ),
            Wrong(
                number // (k.PAGE_SIZE // 16),
                "section-has-16-bytes",
                "You shifted by 8, as if a root had 256 of them: that is right for 16 bytes each. Here it is 32.",
            ),
        ),
        steps=(
            Intermediate("How many structures of 32 bytes fit into 4096 bytes?", Number(k.SECTIONS_PER_ROOT)),
            Intermediate(
                "To divide the section by that is a shift by how many bits?",
                Number(k.SECTIONS_PER_ROOT.bit_length() - 1),
            ),
        ),
        truth=f"4096 / 32 = {k.SECTIONS_PER_ROOT}, so a shift by 7: {number:#x} >> 7 = **{right:#x}**. There are only "
        f"{k.NR_SECTION_ROOTS:#x} roots.",
        lines=lines,
    )


def phys_offset_question(boot: Crash) -> Question:
    """What is PHYS_OFFSET, by the copy's address and its frame?

    >>> from pgtlab.lab.crash import story
    >>> phys_offset_question(story()).judge("0xfffff76180000000").verdict
    'right'
    """
    start, vmemmap, right = boot.kernel.VMEMMAP_START, (boot["x20"] - (boot["x1"] << 6)) & U64 - 64, boot.phys_offset
    above = vmemmap - start
    return Question(
        text=f"The end of the log is lost. You have x20 = `{boot['x20']:#x}`, x1 = `{boot['x1']:#x}`, and "
        f"{_facts(boot)}. Go backwards: `vmemmap` is (x20 - (x1 << 6)) "
        "mod 2^64, with its lowest six bits cleared; and PHYS_OFFSET is -(vmemmap - VMEMMAP_START) / 64 · 4096. "
        "Compute PHYS_OFFSET, as 64 bits.",
        answer=Number(right, base=16),
        wrong=(
            Wrong(signed(right), "number-for-bits", "As a signed number that is right. As 64 bits it is 2^64 plus it."),
            Wrong(
                above // 64 << 12, "sign-forgotten", "`vmemmap` is *above* VMEMMAP_START, so PHYS_OFFSET is below zero."
            ),
            Wrong(-above // 64 % U64, "pages-are-bytes", "That is how many pages it is. A page has 4096 bytes."),
            Wrong(
                vmemmap, "stopped-at-vmemmap", "That is `vmemmap`. How far is it from VMEMMAP_START, in `struct page`s?"
            ),
            Wrong(
                (-above << 12) % U64, "struct-page-size-forgotten", "Divide by the 64 bytes of a `struct page` first."
            ),
        ),
        steps=(
            Intermediate("x1 << 6, in 64 bits?", Number((boot["x1"] << 6) % U64, base=16)),
            Intermediate("x20 minus that, with the lowest six bits cleared: `vmemmap`?", Number(vmemmap, base=16)),
            Intermediate("How many `struct page`s is it above VMEMMAP_START?", Number(above // 64, base=16)),
            "Times 4096, and below zero: 2^64 minus it?",
        ),
        truth=f"vmemmap = {vmemmap:#x}, {above:#x} above VMEMMAP_START; / 64 · 4096 = {above // 64 << 12:#x}; "
        f"**PHYS_OFFSET = {right:#x}**.",
    )


def link_address_question(pointer: int, offset: int, text: str) -> Question:
    """Where was what a register points to, before KASLR moved it?

    >>> link_address_question(0xffffba8a417ba000, 0x3a89bf800000, "Where?").judge("0xffff800081fba000").verdict
    'right'
    """
    return Question(
        text=text,
        answer=Number(pointer - offset, base=16),
        wrong=(
            Wrong(
                (pointer + offset) % U64, "offset-added", "KASLR *added* the offset at boot. To undo that, subtract."
            ),
            Wrong(
                pointer - LINKED_AT,
                "offset-is-not-base",
                "That is how far it is from where the image begins without KASLR. By how much was it moved?",
            ),
            Wrong(
                pointer - LINKED_AT - offset,
                "offset-in-the-image",
                "That is how far it is from the beginning of the image. At which address is that, without KASLR?",
            ),
        ),
        truth=f"{pointer:#x} - {offset:#x} = **{pointer - offset:#x}**. With the symbol table of *this* build one "
        "could say what lies there. "
        "The log does not.",
    )


def _facts(boot: Crash) -> str:
    return f"VMEMMAP_START = `{boot.kernel.VMEMMAP_START:#x}` (4K pages, 48 bits)"
