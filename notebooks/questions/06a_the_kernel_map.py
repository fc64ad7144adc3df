"""Questions of chapter 6a: the kernel's map of memory, the linear map, PHYS_OFFSET, KASLR and the stack."""

from functools import cache
from random import Random

from pgtlab.arch.word import MASK64
from pgtlab.lab.course_data import LOG, origin
from pgtlab.lab.question import Choice, Intermediate, Number, Question, Wrong, recall
from pgtlab.linux import oops
from pgtlab.linux.boot import Boot, running
from pgtlab.linux.kconfig import Config
from pgtlab.linux.memory_map import GUARD, LINEAR, VMALLOC, VMEMMAP, memory_map
from pgtlab.linux.placement import RAM_BASE, Placement

GIB = 1 << 30


@cache
def log() -> oops.OopsLog:
    """The real log, as the log reader reads it."""
    return oops.read(origin(LOG).read_text(encoding="utf-8"))


def register(name: str) -> int:
    """The value of a register in the real log's Oops."""
    return next(report for report in log().reports if report.kind == "oops").registers[name]


def printed_phys_offset() -> int:
    value = log().facts.phys_offset
    assert value is not None
    return value


def kernel_4k() -> Boot:
    return running(Config("4k", 48))


@recall
def region_of(draw: Random) -> Question:
    regions = {region.name: region for region in memory_map(kernel_4k()) if region.name in (LINEAR, VMALLOC, VMEMMAP)}
    name = draw.choice(sorted(regions))
    region = regions[name]
    address = region.start + draw.randrange(region.end - region.start) & ~0xF
    others = tuple(sorted(set(regions) - {name}))
    starts = ", ".join(f"{each.name} from `{each.start:#x}`" for each in regions.values())
    return Question(
        text=f"4K pages, 48 bits: {starts}. In which of them is `{address:#x}`?",
        answer=Choice(name, others),
        wrong=tuple(
            Wrong(
                other,
                "every-kernel-address-is-alike",
                f"The {other}{' area' if other == VMALLOC else ''} begins at `{regions[other].start:#x}` and ends before `{regions[other].end:#x}`. Compare digit by digit.",
            )
            for other in others
        ),
        truth=f"`{region.start:#x}` <= `{address:#x}` < `{region.end:#x}`: the **{name}**.",
    )


@recall
def linear_to_physical(draw: Random) -> Question:
    k = kernel_4k().config.constants
    phys_offset = draw.choice((0x4000_0000, 0x8000_0000, 0x80_0000_0000))
    pa = phys_offset + (draw.randrange(1 << 8, 1 << 20) << 12) + draw.randrange(0, 1 << 12, 8)
    va = pa - phys_offset + k.PAGE_OFFSET
    return Question(
        text=f"PAGE_OFFSET is `{k.PAGE_OFFSET:#x}`, PHYS_OFFSET is `{phys_offset:#x}`. The kernel uses the address `{va:#x}` of its "
        "linear map. Which physical address is that?",
        answer=Number(pa, base=16),
        wrong=(
            Wrong(
                va - k.PAGE_OFFSET,
                "the-linear-map-starts-at-0",
                "That is how far into the linear map it is. The linear map begins with physical address PHYS_OFFSET, not with 0.",
            ),
            Wrong(va, "va-is-pa", "That is the virtual address. Subtract where the linear map begins."),
            *(
                Wrong(
                    value,
                    "phys-offset-is-subtracted",
                    "You subtracted PHYS_OFFSET. It is the physical address of the beginning, so it is added.",
                )
                for value in {va - k.PAGE_OFFSET - phys_offset, va - k.PAGE_OFFSET - phys_offset & MASK64}
            ),
            Wrong(
                va + phys_offset,
                "the-linear-map-starts-at-0",
                "You added PHYS_OFFSET to the virtual address. First see how far into the linear map that is: subtract PAGE_OFFSET.",
            ),
        ),
        truth=f"`{va:#x}` - PAGE_OFFSET = `{va - k.PAGE_OFFSET:#x}`, plus PHYS_OFFSET: **`{pa:#x}`**.",
        steps=(
            Intermediate("How far into the linear map is the address?", Number(va - k.PAGE_OFFSET, base=16)),
            Intermediate("Which physical address is at the beginning of the linear map?", Number(phys_offset, base=16)),
        ),
    )


def printed_kaslr() -> tuple[int, int]:
    """By how much the image was moved, and where it was linked."""
    offset, linked = log().facts.kaslr_offset, log().facts.kernel_base
    assert offset is not None
    assert linked is not None
    return offset, linked


def where_the_image_is(draw: Random) -> Question:
    offset, linked = printed_kaslr()
    return Question(
        text=f"Line 55: `Kernel Offset: {offset:#x} from {linked:#x}`. Where did the kernel's image begin in that boot?",
        answer=Number(offset + linked & MASK64, base=16),
        wrong=(
            Wrong(linked, "kaslr-is-ignored", "That is where it was *linked* to be, before it was moved."),
            Wrong(offset, "the-offset-is-the-address", "That is how far it was moved."),
            Wrong(
                offset | linked,
                "adding-is-joining",
                "You joined the two, bit by bit. They have bits in common, so they have to be *added*, with the carries.",
            ),
            Wrong(
                linked - offset,
                "the-offset-is-subtracted",
                "It was moved up. The offset is counted from the address after *from*.",
            ),
        ),
        truth=f"`{linked:#x} + {offset:#x}` = **`{offset + linked & MASK64:#x}`**. Another boot, another number.",
        lines=(55,),
    )


def pointers_into_the_image(draw: Random) -> Question:
    offset, linked = printed_kaslr()
    start = linked + offset
    inside = [name for name in ("x21", "x23", "x9", "x10") if 0 <= register(name) - start < 1 << 26]
    assert len(inside) == 4
    name = draw.choice(("x21", "x23"))
    return Question(
        text=f"Line 27 has {name} = `{register(name):#x}`. How far into the kernel's image does it point? (Where the image begins, you have "
        "just computed from line 55.)",
        answer=Number(register(name) - start, base=16),
        wrong=(
            Wrong(
                register(name) - linked,
                "kaslr-is-ignored",
                "You subtracted the address that the kernel was linked for. In this boot it began elsewhere.",
            ),
            Wrong(
                register(name) - kernel_4k().config.constants.PAGE_OFFSET,
                "the-image-is-in-the-linear-map",
                "You subtracted PAGE_OFFSET, where the linear map begins. The image has an address of its own, in the vmalloc area.",
            ),
        ),
        truth=f"**`{register(name) - start:#x}`**, some {register(name) - start >> 20} MiB: it is a pointer to something in the kernel's own image. "
        "Without the image of that kernel we cannot say to what, and the log does not say.",
        lines=(27,),
    )


def phys_offset_signed(draw: Random) -> Question:
    value = printed_phys_offset()
    signed = Placement(phys_offset=value).memstart_addr
    return Question(
        text=f"Line 56: `PHYS_OFFSET: {value:#x}`. Which negative number is that, as a signed number of 64 bits? (In hexadecimal, with a minus.)",
        answer=Number(signed, base=16),
        reasons=Choice(
            "the linear map begins there, below all RAM",
            ("it is where RAM begins on that machine", "the log is damaged here"),
        ),
        wrong=(
            Wrong(
                value,
                "number-knows-its-sign",
                "That is the number without a sign. Bit 63 is 1: as a signed number it is negative.",
            ),
            Wrong(
                -signed,
                "sign-lost",
                "The size is right. Which sign has the number, if bit 63 is 1?",
            ),
            Wrong(
                -(value ^ MASK64),
                "flip-without-one",
                "You flipped all bits, and did not add 1.",
            ),
            Wrong(
                signed - 1,
                "flip-without-one",
                "One too far below zero. Flip all bits and add 1, or subtract the word from `2**64`: not both.",
            ),
            Wrong(
                -value,
                "ones-are-a-minus",
                "You wrote a minus in front of all 64 bits. The minus is in them already: the size is how far the word is below `2**64`.",
            ),
            Wrong(
                "it is where RAM begins on that machine",
                "phys-offset-is-ram-start",
                "RAM cannot begin at a negative address. PHYS_OFFSET is the physical address at which the *linear map* begins. "
                "KASLR moves it down by a random amount, so that RAM is found somewhere in the middle of the map.",
            ),
            Wrong(
                "the log is damaged here",
                "number-knows-its-sign",
                "Nothing is damaged. The log prints 64 bits without a sign, and PHYS_OFFSET is a signed number: it may be below zero.",
            ),
        ),
        truth=f"**`{signed:#x}`**: {-signed >> 30} GiB below address 0.",
        lines=(56,),
    )


def ram_in_the_linear_map(draw: Random) -> Question:
    memstart = Placement(phys_offset=printed_phys_offset()).memstart_addr
    k = kernel_4k().config.constants
    va = RAM_BASE - memstart + k.PAGE_OFFSET
    return Question(
        text=f"On that machine RAM begins at physical address `{RAM_BASE:#x}` (it is QEMU's `virt` board). PAGE_OFFSET is "
        f"`{k.PAGE_OFFSET:#x}`, and PHYS_OFFSET is the negative number that you have just read in line 56. At which virtual address of the linear "
        "map is the first byte of RAM?",
        answer=Number(va, base=16),
        wrong=(
            Wrong(
                k.PAGE_OFFSET,
                "phys-offset-is-ram-start",
                "That is where the linear map begins. Physical address PHYS_OFFSET is there, far below RAM.",
            ),
            Wrong(
                k.PAGE_OFFSET + RAM_BASE,
                "the-linear-map-starts-at-0",
                "You took the linear map to begin with physical address 0. It begins with PHYS_OFFSET.",
            ),
            Wrong(
                k.PAGE_OFFSET + RAM_BASE + memstart & MASK64,
                "phys-offset-is-added",
                "You added PHYS_OFFSET, which is negative here. How far is it from PHYS_OFFSET up to RAM?",
            ),
            Wrong(
                k.PAGE_OFFSET - memstart,
                "ram-starts-at-0",
                f"Physical address 0 would be there. RAM begins `{RAM_BASE:#x}` above that.",
            ),
        ),
        truth=f"`{RAM_BASE:#x} + {-memstart:#x}` = `{RAM_BASE - memstart:#x}` into the map: **`{va:#x}`**.",
        steps=(
            Intermediate("How far is RAM above PHYS_OFFSET?", Number(RAM_BASE - memstart, base=16)),
            Intermediate("At which virtual address does the linear map begin?", Number(k.PAGE_OFFSET, base=16)),
        ),
    )


def on_the_stack(draw: Random) -> Question:
    sp, x20 = register("sp"), register("x20")
    k = kernel_4k().config.constants
    size = k.THREAD_ALIGN // 2  # with VMAP_STACK a stack is aligned to twice its size
    end = (sp & -k.THREAD_ALIGN) + size
    assert sp < x20 < end
    right = "a place on the stack"
    return Question(
        text=f"Line 24: `sp : {sp:016x}`. Line 28: `x20: {x20:016x}`. A stack takes {size >> 10} KiB, begins at a multiple of "
        f"{k.THREAD_ALIGN >> 10} KiB, and grows downwards. What does x20 point to?",
        answer=Choice(right, ("something in the linear map", "the kernel's image", "the stack of another task")),
        wrong=(
            Wrong(
                "something in the linear map",
                "every-kernel-address-is-alike",
                "The linear map ends where `ffff8000...` begins. Compare with the map of 6a.1.",
            ),
            Wrong(
                "the kernel's image",
                "every-kernel-address-is-alike",
                f"The image begins at `{sum(printed_kaslr()):#x}` in this boot.",
            ),
            Wrong(
                "the stack of another task",
                "stacks-are-everywhere",
                f"sp and x20 are `{x20 - sp:#x}` bytes apart, and this stack goes on up to `{end:#x}`.",
            ),
        ),
        truth=f"It is `{x20 - sp:#x}` bytes above sp, and below the end of the stack, `{end:#x}`: **{right}**. x19 and x26 hold the same "
        "address. Something on the stack matters here.",
        lines=(24, 28),
    )


def which_is_not_mapped(draw: Random) -> Question:
    k = kernel_4k().config.constants
    regions = {region.name: region for region in memory_map(kernel_4k())}
    assert GUARD in regions
    right = "0x8"
    linear = f"{RAM_BASE - Placement(phys_offset=printed_phys_offset()).memstart_addr + k.PAGE_OFFSET:#x}"
    return Question(
        text="Which of these is not in the kernel's half of the addresses?",
        answer=Choice(right, (f"{register('sp'):#x}", f"{register('x21'):#x}", linear)),
        reasons=Choice(
            "its bit 55 is 0",
            ("it is too small to be an address", "no RAM is at that physical address"),
        ),
        wrong=(
            Wrong(
                "it is too small to be an address",
                "small-numbers-are-no-addresses",
                "Every number of 64 bits can be used as an address. This one is in a half that the kernel keeps nothing in.",
            ),
            Wrong(
                "no RAM is at that physical address",
                "va-is-pa",
                "The kernel uses virtual addresses. To which frame one leads is known only after the walk.",
            ),
            Wrong(f"{register('sp'):#x}", "every-kernel-address-is-alike", "That is the stack, in the vmalloc area."),
            Wrong(
                f"{register('x21'):#x}",
                "every-kernel-address-is-alike",
                "That is in the kernel's image, which KASLR puts into the vmalloc area.",
            ),
            Wrong(
                linear,
                "every-kernel-address-is-alike",
                "That is in the linear map: RAM begins there in that boot, if it begins at 0x40000000.",
            ),
        ),
        truth="`0x8` is in the lower half, the programs'. **The kernel never puts anything of its own there.**",
    )
