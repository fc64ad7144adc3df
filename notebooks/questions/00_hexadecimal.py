"""Questions of chapter 0: hexadecimal, masks, shifts, bytes and signs."""

from random import Random

from pgtlab.lab.question import Choice, Intermediate, Number, Question, Words, Wrong, recall

WORDS = ("page", "node", "root", "leaf", "byte", "free", "init", "tree")
MASK64 = (1 << 64) - 1


@recall
def two_digits(draw: Random) -> Question:
    high, low = draw.randrange(2, 15), draw.randrange(10, 16)
    value = 16 * high + low
    return Question(
        text=f"What is `{value:#x}` in decimal?",
        answer=Number(value, strict=True),
        wrong=(
            Wrong(
                10 * high + low,
                "hex-counts-in-tens",
                f"You took {high} tens and {low}. In hexadecimal the second digit from the right counts sixteens: "
                f"the digit `{high:x}` there stands for {high} x 16 = {16 * high}.",
            ),
        ),
        truth=f"`{value:#x}` is {high} x 16 + {low} = **{value}**.",
        steps=(
            Intermediate(f"Which number is the digit `{low:x}`?", Number(low, strict=True)),
            Intermediate(
                f"How much is the digit `{high:x}` worth in the place of the sixteens?", Number(16 * high, strict=True)
            ),
            "Add the two.",
        ),
    )


@recall
def low_bits(draw: Random) -> Question:
    digits = draw.choice((2, 3, 4))
    x, mask = draw.getrandbits(32) | 0x1000_0000, (1 << 4 * digits) - 1
    return Question(
        text=f"What is `{x:#010x} & {mask:#x}`?",
        answer=Number(x & mask, base=16),
        wrong=(
            Wrong(
                x & ~mask & 0xFFFF_FFFF,
                "mask-drops-its-ones",
                f"You kept the bits where the mask has 0. `&` keeps a bit where the mask has 1, and `{mask:#x}` has its "
                f"ones in the lowest {4 * digits} bits.",
            ),
            Wrong(
                x >> 4 * digits,
                "mask-is-a-shift",
                "You moved the bits to the right. A mask moves nothing: it clears the bits where it has 0.",
            ),
        ),
        truth=f"`{mask:#x}` is {4 * digits} ones, so the lowest {digits} digits stay: **`{x & mask:#0{digits + 2}x}`**.",
        steps=(
            Intermediate(f"How many bits of `{mask:#x}` are 1?", Number(4 * digits)),
            Intermediate("How many digits of the number do those bits belong to?", Number(digits)),
        ),
    )


@recall
def arithmetic_shift(draw: Random) -> Question:
    x = MASK64 ^ draw.getrandbits(24) << 8 | 0x80
    n = draw.choice((4, 8, 12))
    signed, logical = (x - (1 << 64) >> n) & MASK64, x >> n
    return Question(
        text=f"A 64-bit word holds `{x:#018x}`. What does an **arithmetic** shift right by {n} make of it, in hexadecimal?",
        answer=Number(signed, base=16),
        wrong=(
            Wrong(
                logical,
                "one-right-shift",
                "That is the *logical* shift, which fills with zeros. An arithmetic shift fills with copies of bit 63, "
                "which is 1 here. The two differ wherever bit 63 is 1.",
            ),
            Wrong(
                x << n & MASK64,
                "shift-right-is-left",
                f"You moved the digits to the left. A shift right by {n} drops the last {f'{n // 4} digits' if n > 4 else 'digit'}.",
            ),
            Wrong(
                x - (1 << 64) >> 4 * n & MASK64,
                "shift-counts-digits",
                f"You dropped {n} digits. A shift counts bits, and a digit is four of them: {n} bits are {f'{n // 4} digits' if n > 4 else 'one digit'}.",
            ),
        ),
        truth=f"Bit 63 is 1, so {n} ones come in from the left: **`{signed:#018x}`**. (A logical shift gives "
        f"`{logical:#018x}`.)",
        steps=(
            Intermediate("What is bit 63 of the word?", Number(x >> 63)),
            Intermediate(f"How many digits drop out on the right if you shift by {n}?", Number(n // 4)),
            "So many digits come in from the left: which?",
        ),
    )


@recall
def letters_in_a_word(draw: Random) -> Question:
    word = draw.choice(WORDS)
    value = int.from_bytes(word.encode(), "little")
    swapped = word[2:] + word[:2]
    return Question(
        text=f"A 32-bit word in memory holds `{value:#010x}`, on a little-endian machine. Its bytes are ASCII. Which "
        "letters lie there, from the lowest address up? "
        + ", ".join(f"`{byte:02x}` is {chr(byte)}" for byte in sorted(set(word.encode())))
        + ".",
        answer=Choice(word, (word[::-1], swapped)),
        wrong=(
            Wrong(
                word[::-1],
                "big-end-first",
                f"You read the number from the left. Little-endian means that the *lowest* byte, `{value & 0xFF:02x}`, "
                "has the lowest address.",
            ),
            Wrong(
                swapped,
                "halves-swap",
                "The order is byte by byte, not in halves: the lowest byte has the lowest address, then the next.",
            ),
        ),
        truth=f"From the right: {', '.join(f'`{byte:02x}`' for byte in word.encode())}. That is **{word}**.",
    )


@recall
def as_signed(draw: Random) -> Question:
    value = -draw.randrange(3, 2000)
    word = value & 0xFFFF_FFFF
    return Question(
        text=f"In C, an `int` of 32 bits holds the bits `{word:#010x}`. Which number does `printf` show for `%d`?",
        answer=Number(value),
        wrong=(
            Wrong(
                word,
                "number-knows-its-sign",
                f"{word:,} is what the same bits are as an *unsigned* number. The bits do not say which is meant: the "
                "type does. `int` is signed, and bit 31 counts as minus 2 to the power of 31.",
            ),
            Wrong(
                value + 1,
                "flip-without-one",
                "You flipped all bits, and did not add 1. In two's complement you get minus x from x in two steps: flip all "
                "bits, then add 1. So all ones is -1, not -0.",
            ),
            Wrong(
                -value,
                "sign-lost",
                "The size is right, the sign is not: bit 31 is 1, so the number is negative.",
            ),
            Wrong(
                -int(f"{word:x}".lstrip("f"), 16),
                "ones-are-a-minus",
                "You took the digits f for a minus, and the rest for the size. The ones count too: the size is how far the "
                "word is below `0x100000000`.",
            ),
        ),
        truth=f"`{word:#010x}` is {word:,} - `2**32` = **{value}**.",
        steps=(
            Intermediate("What is bit 31?", Number(word >> 31)),
            Intermediate(f"How far is `{word:#010x}` below `0x100000000`? (In decimal.)", Number((1 << 32) - word)),
        ),
    )


def equal_in_python(draw: Random) -> Question:
    equal = 0xFFFF_FDFF == -513
    return Question(
        text="You type `0xfffffdff == -513` into Python. What is the answer?",
        answer=Choice(str(equal), (str(not equal),)),
        reasons=Choice(
            "a Python number has no width",
            ("the two have the same bits, and bits decide", "Python sees that bit 31 is set"),
        ),
        wrong=(
            Wrong(
                str(not equal),
                "number-knows-its-sign",
                "The two have the same lowest 32 bits. But Python is not asked about 32 bits: its numbers go on to the "
                "left without end, with zeros for one of these and with ones for the other. Now ask it about 32 bits: "
                "`0xfffffdff == (-513 & 0xffffffff)`.",
            ),
            Wrong(
                "the two have the same bits, and bits decide",
                "number-knows-its-sign",
                "Of 32 bits they have the same. Python's numbers have no last bit on the left: -513 goes on with ones there.",
            ),
            Wrong(
                "Python sees that bit 31 is set",
                "number-knows-its-sign",
                "Bit 31 is the top bit of a number of 32 bits. To Python it is a bit like any other: the number goes on.",
            ),
        ),
        truth=f"Python says **{equal}**. A sign is not in the bits; it is in how many of them you look at, and as what.",
    )


def what_is_it(draw: Random) -> Question:
    return Question(
        text="Here is the line again: `x24: 00000000fffffdff`. Say in a sentence what you can tell about this word now, "
        "and what you cannot.",
        answer=Words(),
        truth="You can tell its 64 bits; that the upper half is zero; that its lower half, *if* it is a signed 32-bit "
        f"number, is {0xFFFF_FDFF - (1 << 32)}. You cannot tell whether it is one. Chapter 9 shows what was stored "
        "there, and by whom.",
    )
