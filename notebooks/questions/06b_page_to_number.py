"""Questions of chapter 6b: pfn, struct page, the memmap, sections and their roots."""

from random import Random

from pgtlab.arch.word import MASK64
from pgtlab.lab.course_data import LOG, origin
from pgtlab.lab.crash import story
from pgtlab.lab.crash_questions import vmemmap_question
from pgtlab.lab.question import Choice, Intermediate, Number, Question, Wrong, recall
from pgtlab.lab.trees import Tree
from pgtlab.linux import oops
from pgtlab.linux.boot import running
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.placement import Placement

GIB = 1 << 30


def printed_pfn() -> int:
    """The number of the page in the real log."""
    bad = next(
        report for report in oops.read(origin(LOG).read_text(encoding="utf-8")).reports if report.pfn is not None
    )
    assert bad.pfn is not None
    return bad.pfn


def elsewhere(draw: Random) -> Kernel:
    """Such a kernel in another boot: KASLR has put its linear map elsewhere."""
    placement = Placement(phys_offset=-draw.randrange(0x100, 0x1_0000) * GIB & MASK64)
    return Tree.named("fixed").start_kernel(running(Config("4k", 48)), placement=placement)


def _other_size(shift: int, other: int) -> str:
    said = "You divided by 4 KiB. These pages are larger." if other == 12 else f"You divided by {1 << other - 10} KiB."
    return f"{said} {1 << shift - 10} KiB are 2 to the power of {shift}: {shift} bits drop out" + (
        ", which is not a whole number of digits." if shift % 4 else f", or {shift // 4} digits."
    )


@recall
def frame_number(draw: Random) -> Question:
    shift = draw.choice((12, 14, 16))
    pa = draw.randrange(1 << 33, 1 << 37) & ~7
    return Question(
        text=f"Pages have {1 << shift - 10} KiB. What is the pfn of the frame that contains physical address `{pa:#x}`, in hexadecimal?",
        answer=Number(pa >> shift, base=16),
        wrong=(
            Wrong(
                pa & ~((1 << shift) - 1),
                "the-frame-number-is-the-address",
                "That is where the frame begins. Its number is that, divided by the size of a page.",
            ),
            *(
                Wrong(pa >> other, "page-is-4k" if other == 12 else "offset-is-whole-digits", _other_size(shift, other))
                for other in (12, 14, 16)
                if other != shift
            ),
            Wrong(pa & (1 << shift) - 1, "offset-is-the-page-number", "That is the offset in the frame."),
        ),
        truth=f"`{pa:#x} >> {shift}` = **`{pa >> shift:#x}`**.",
    )


def frame_of_the_log(draw: Random) -> Question:
    pfn = printed_pfn()
    return Question(
        text=f"Line 2: `pfn:{pfn:x}`, with 4K pages. At which physical address does that frame begin?",
        answer=Number(pfn << 12, base=16),
        wrong=(
            Wrong(
                pfn,
                "the-frame-number-is-the-address",
                "That is the number. A frame begins at its number times the size of a page.",
            ),
            Wrong(pfn << 6, "pfn-counts-pages-of-64", "You multiplied by 64. A frame has 4096 bytes."),
        ),
        truth=f"`{pfn:#x} << 12` = **`{pfn << 12:#x}`**, in RAM.",
        lines=(2,),
    )


@recall
def page_to_pfn(draw: Random) -> Question:
    k = elsewhere(draw)
    pfn = draw.randrange(0x4_0000, 0x4_8000)
    page = k.pfn_to_page(pfn)
    assert k.page_to_pfn(page) == pfn
    return Question(
        text=f"`vmemmap` is `{k.vmemmap:#x}`, and a struct page has 64 bytes. What is the pfn of the frame whose struct page is at `{page.address:#x}`, in hexadecimal?",
        answer=Number(pfn, base=16),
        wrong=(
            Wrong(
                page.address - k.vmemmap & MASK64,
                "a-page-has-one-byte",
                "That is the distance in bytes. Each struct page takes 64 of them.",
            ),
            Wrong(
                (page.address - k.vmemmap & MASK64) >> 12,
                "pfn-counts-bytes-of-memmap",
                "You divided by 4096, the size of a page. What lies in the array are *struct pages*, of 64 bytes.",
            ),
            Wrong(
                page.address >> 6,
                "vmemmap-is-forgotten",
                "You divided the address itself. What counts is how far it is from vmemmap.",
            ),
            Wrong(
                (page.address - k.VMEMMAP_START & MASK64) >> 6,
                "vmemmap-is-vmemmap-start",
                "You subtracted VMEMMAP_START. The array is counted from `vmemmap`, where the struct page of pfn 0 would be.",
            ),
        ),
        truth=f"(`{page.address:#x}` - `{k.vmemmap:#x}`) >> 6 = **`{pfn:#x}`**.",
        steps=(
            Intermediate(
                "How many bytes is it from vmemmap to the struct page?",
                Number(page.address - k.vmemmap & MASK64, base=16),
            ),
            "How many struct pages is that?",
        ),
    )


def vmemmap_of_the_log(draw: Random) -> Question:
    return vmemmap_question(story(), (56,))


def any_pointer(draw: Random) -> Question:
    k = elsewhere(draw)
    stack = 0xFFFF_8000_8000_0000 + draw.randrange(1 << 12) * 0x4000 + draw.randrange(0x3400, 0x3900, 16)
    pfn = k.page_to_pfn(k.page_at(stack))
    right = "a number that no frame has"
    return Question(
        text=f"A function has copied a struct page to its stack, at `{stack:#x}`, and calls `page_to_pfn()` with the address of the *copy*. "
        f"`vmemmap` is `{k.vmemmap:#x}`. What does it get?",
        answer=Choice(right, ("the pfn of the page that was copied", "an error")),
        reasons=Choice(
            "page_to_pfn() only subtracts and shifts",
            ("the number is stored in every struct page", "the kernel checks that the pointer is in vmemmap"),
        ),
        wrong=(
            Wrong(
                "the number is stored in every struct page",
                "the-pfn-is-stored",
                "No field of a struct page holds its number. It follows from where the structure is.",
            ),
            Wrong(
                "the kernel checks that the pointer is in vmemmap",
                "page-to-pfn-checks",
                "It could check, and does not: the function is called all the time, and has to be fast.",
            ),
            Wrong(
                "the pfn of the page that was copied",
                "any-pointer-is-a-page",
                "You said that the copy knows which frame it is about. Nothing in a struct page says that: *where it is* says it. A copy is "
                "somewhere else, so it is about another frame, or none. Compute it.",
            ),
            Wrong(
                "an error",
                "page-to-pfn-checks",
                "A subtraction and a shift cannot fail. The number that comes out is as good as any other, until somebody uses it.",
            ),
        ),
        truth=f"(`{stack:#x}` - `{k.vmemmap:#x}`) >> 6 = `{pfn:#x}`. **No RAM has such a frame**, and nothing has noticed yet.",
    )


@recall
def pfn_of_a_copy(draw: Random) -> Question:
    k = elsewhere(draw)
    stack = 0xFFFF_8000_8000_0000 + draw.randrange(1 << 12) * 0x4000 + draw.randrange(0x3400, 0x3900, 16)
    distance = stack - k.vmemmap
    pfn = k.page_to_pfn(k.page_at(stack))
    return Question(
        text=f"Compute it: `vmemmap` = `{k.vmemmap:#x}`, the copy is at `{stack:#x}`. The difference of two pointers is signed, so the shift by 6 is "
        "arithmetic. Which 64 bits come out?",
        answer=Number(pfn, base=16),
        wrong=(
            Wrong(
                (distance & MASK64) >> 6,
                "one-right-shift",
                "You shifted in zeros. A difference of pointers is signed, and this one is negative: the copy is below vmemmap.",
            ),
            Wrong(
                k.vmemmap - stack >> 6,
                "the-sign-is-lost",
                "You subtracted the other way round. It is the struct page's address minus vmemmap.",
            ),
            Wrong(
                stack >> 6,
                "vmemmap-is-forgotten",
                "You divided the address itself. What counts is how far it is from vmemmap.",
            ),
            Wrong(distance & MASK64, "a-page-has-one-byte", "That is the distance in bytes. Divide it by 64."),
        ),
        truth=f"`{stack:#x}` - `{k.vmemmap:#x}` = `{distance & MASK64:#x}`, arithmetically >> 6: **`{pfn:#x}`**.",
        steps=(
            Intermediate("What is the difference, as 64 bits?", Number(distance & MASK64, base=16)),
            "Shift it by 6. What comes in on the left?",
        ),
    )


@recall
def section_number(draw: Random) -> Question:
    k = story().kernel
    shift = k.SECTION_SIZE_BITS - k.PAGE_SHIFT
    pfn = draw.randrange(0x8_0000, 0x80_0000)
    return Question(
        text=f"A section has {1 << k.SECTION_SIZE_BITS - 20} MiB: `2**{shift}` pages of 4 KiB. In which section is pfn `{pfn:#x}`, in hexadecimal?",
        answer=Number(k.pfn_to_section_nr(pfn), base=16),
        wrong=(
            Wrong(
                pfn >> k.SECTION_SIZE_BITS,
                "a-pfn-is-an-address",
                f"You shifted by {k.SECTION_SIZE_BITS}, which is right for an address. A pfn counts pages already.",
            ),
            Wrong(pfn & (1 << shift) - 1, "offset-is-the-page-number", "That is which page *in* its section it is."),
            Wrong(
                pfn >> 12,
                "a-pfn-is-an-address",
                f"You dropped 12 bits, as if the pfn still had an offset. Drop the bits that say which page of its section it is: {shift}.",
            ),
        ),
        truth=f"`{pfn:#x} >> {shift}` = **`{k.pfn_to_section_nr(pfn):#x}`**.",
    )


def root_number(draw: Random) -> Question:
    k = story().kernel
    section = draw.randrange(0x400, 0x1F_FFFF)
    size = k["sizeof(struct mem_section)"]
    return Question(
        text=f"A `struct mem_section` has {size} bytes here, and a root is one page of them. In which root is section `{section:#x}`, in hexadecimal?",
        answer=Number(section // k.SECTIONS_PER_ROOT, base=16),
        wrong=(
            Wrong(
                section >> 12,
                "a-section-has-one-byte",
                f"You divided by 4096. A page holds 4096 / {size} = {k.SECTIONS_PER_ROOT} of them.",
            ),
            Wrong(
                section // size,
                "a-root-has-32",
                f"You divided by {size}, which is how many bytes one takes. How many of them are in a page?",
            ),
            Wrong(section % k.SECTIONS_PER_ROOT, "offset-is-the-page-number", "That is its place in the root."),
        ),
        truth=f"4096 / {size} = {k.SECTIONS_PER_ROOT} sections a root, so `{section:#x} >> {k.SECTIONS_PER_ROOT.bit_length() - 1}` = "
        f"**`{section // k.SECTIONS_PER_ROOT:#x}`**.",
        steps=(
            Intermediate(f"How many structures of {size} bytes fit into a page?", Number(k.SECTIONS_PER_ROOT)),
            "How many times does that go into the number of the section?",
        ),
    )


def null_plus_8(draw: Random) -> Question:
    k = story().kernel
    offset = k["offsetof(struct mem_section,usage)"]
    right = "0: a NULL pointer"
    return Question(
        text="The kernel looked for the `mem_section` of such a frame, and then read its field `usage`. The read failed at address "
        f"`{offset:#x}`. What was in the pointer to the mem_section?",
        answer=Choice(right, (f"{offset}", "an address near the end of memory")),
        reasons=Choice(
            f"the field lies {offset} bytes into the structure",
            (f"{offset} was stored where the pointer should be", "the MMU reports the next multiple of 8"),
        ),
        wrong=(
            Wrong(
                f"{offset}",
                "null-plus-8-was-stored",
                f"Then the read would have failed at {2 * offset:#x}. A field's address is the pointer *plus the place of the field*, and `usage` "
                f"is {offset} bytes into a mem_section.",
            ),
            Wrong(
                "an address near the end of memory",
                "far-is-always-right",
                "The address was valid (FnV = 0), and it was 8.",
            ),
            Wrong(
                f"{offset} was stored where the pointer should be",
                "null-plus-8-was-stored",
                f"A field's address is the pointer plus the place of the field. If {offset} had been stored, the address would be {2 * offset:#x}.",
            ),
            Wrong(
                "the MMU reports the next multiple of 8",
                "far-is-always-right",
                "FAR has the address of the access itself, whatever it is a multiple of.",
            ),
        ),
        truth=f"**{right}.** There is no mem_section for a section that no RAM is in; the kernel takes NULL for it. "
        "NULL + 8 is line 5.",
        lines=(5, 33),
    )
