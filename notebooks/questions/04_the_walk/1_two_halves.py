"""Questions of chapter 4: the two halves, and the registers that say where a walk starts."""

from random import Random

from pgtlab.arch.address_cut import cut
from pgtlab.arch.fault import Fault
from pgtlab.lab.machine import Machine
from pgtlab.lab.question import Choice, Number, Question, Wrong, recall

UPPER, LOWER = "TTBR1_EL1", "TTBR0_EL1"


@recall
def which_register(draw: Random) -> Question:
    top, middle = draw.choice(((0x00, 0xFF), (0xFF, 0x00)))
    va = top << 56 | middle << 48 | draw.getrandbits(40)
    upper = va >> 55 & 1
    right = UPPER if upper else LOWER
    wrong = LOWER if upper else UPPER
    return Question(
        text=f"`{va:#018x}`: which register does the MMU take to find the first table? (Whether the walk then succeeds is "
        "another question.)",
        answer=Choice(right, (wrong, "both, one after the other")),
        wrong=(
            Wrong(
                wrong,
                "bit-63-chooses",
                f"You looked at bit 63, or at the first digit. The MMU looks at bit **55**, the highest bit of the third digit, "
                f"which is {upper} here: the top byte may be used for something else.",
            ),
            Wrong(
                "both, one after the other",
                "two-tables-are-tried",
                "The MMU tries one only. If the address is not in it, the access is refused.",
            ),
        ),
        truth=f"Bit 55 is {upper}: **{right}**.",
        steps=("Which hexadecimal digit contains bit 55?",),
    )


@recall
def size_field(draw: Random) -> Question:
    bits = draw.choice((36, 39, 42, 47, 52))
    return Question(
        text=f"The lower half of the addresses is to have {bits} bits in use. What has the kernel to write into T0SZ?",
        answer=Number(64 - bits),
        wrong=(
            Wrong(
                bits,
                "t0sz-is-the-size",
                "T0SZ is not the size but what is cut off: 64 minus the bits in use. A larger T0SZ means a smaller half.",
            ),
            Wrong(63 - bits, "t0sz-counts-bit-55", "You subtracted one too many: T0SZ is 64 minus the bits in use."),
            Wrong(16, "always-48-bits", f"16 leaves 48 bits in use, which is usual. Here {bits} are asked for."),
        ),
        truth=f"64 - {bits} = **{64 - bits}**.",
    )


def upper_bit_in_use(draw: Random) -> Question:
    process = Machine("4k", 48).process("a")
    va = draw.randrange(0xC00, 0xFFF) << 36 | draw.getrandbits(36) & ~0xFFF
    process.map(va, 0x8000_0000)
    assert not isinstance(process.walk(va).outcome, Fault)
    return Question(
        text=f"T0SZ = 16, so 48 bits are in use in the lower half. Is `{va:#018x}` a legal address there? Note its bit 47, which "
        "is 1.",
        answer=Choice("yes", ("no",)),
        reasons=Choice(
            "the bits above bit 47 are all 0, which is what the lower half asks for",
            ("bit 47 is copied into the bits above, and they are not 1", "bit 47 is not used"),
        ),
        wrong=(
            Wrong(
                "no",
                "sign-extension",
                "48 bits in use are bits 47 to 0, so bit 47 is part of an index, like the others. Bits 63 to 48 must all equal bit "
                "55, which is 0 here. (On some other processors, such as x86-64, the highest bit in use is copied upwards. arm64 has "
                "no such rule.)",
            ),
            Wrong(
                "bit 47 is copied into the bits above, and they are not 1",
                "sign-extension",
                "With such a rule the address would not be legal. arm64 copies no bit: bits 63 to 48 must equal bit 55, and bit 47 is "
                "free.",
            ),
            Wrong(
                "bit 47 is not used",
                "the-highest-bit-does-not-count",
                "48 bits in use are bits 47 to 0: bit 47 is the highest of them, and half of the index of level 0 depends on it.",
            ),
        ),
        truth=f"**Yes**: the model maps it. Its index at level 0 is {cut(va).indices[0]}, of 0 to 511.",
    )


@recall
def canonical(draw: Random) -> Question:
    bits = draw.choice((39, 48))
    inside = draw.randrange(1 << 33, 1 << 38)
    hole = 1 << draw.randrange(bits, 55) | inside
    ones = (1 << 64) - (1 << bits)
    right, lower, upper = f"{hole:#018x}", f"{inside:#018x}", f"{ones | inside:#018x}"
    last = f"{(1 << 64) - 0x1000:#018x}"
    return Question(
        text=f"Both halves have {bits} bits in use. Which of these is *not* canonical?",
        answer=Choice(right, (lower, upper, last)),
        wrong=(
            Wrong(
                lower,
                "a-user-address-is-not-canonical",
                f"Bits 63 to {bits} are all 0: that is an address of the lower half.",
            ),
            Wrong(
                upper,
                "high-addresses-are-not-canonical",
                f"Bits 63 to {bits} are all 1: that is an address of the upper half.",
            ),
            Wrong(
                last, "high-addresses-are-not-canonical", "All ones at the top: that is the very end of the upper half."
            ),
        ),
        truth=f"`{right}`: above bit {bits - 1} its bits are neither all 0 nor all 1. **It is in neither half.**",
    )
