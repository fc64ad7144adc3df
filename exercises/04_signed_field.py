# %% tags=["about"]
kind = "compute"
chapter = "00_hexadecimal"
difficulty = 1
minutes = 8
points = {"positive": 1, "negative": 2, "others": 1}
alone = True

# %% [markdown]
# # Exercise 4: a signed number inside a word
#
# A word of 64 bits often holds several numbers side by side, each in a field of its own. Some of these numbers can be
# negative: such a field is in two's complement, and its own highest bit says so, not bit 63 of the word.
#
# Here is your field, and two words that have it.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("04_signed_field", SEED))

# %% [markdown]
# **Your task.** Write `field(word)`. It returns the number that is in your field of `word`, with its sign. It has to work
# for every word, so work out what to do with pencil and paper first, with the two words above.


# %% tags=["stub"]
def field(word):
    raise NotImplementedError


# %% Which bits are it? [markdown] tags=["hint"]
# Bits 11:4 are eight bits: 11 - 4 + 1. Shift the lowest of them down to bit 0, then keep as many as there are.

# %% And if the highest of them is 1? [markdown] tags=["hint"]
# Eight bits count from -128 to 127, and all ones is -1. Read without a sign, all ones is 255. How much larger is that?

# %% tags=["call"]
from pgtlab.lab import check

check("04_signed_field", field, seed=SEED)

# %% [markdown] tags=["solution"]
# Shift, mask, and subtract 2^width if the highest bit of the field is set. `(value ^ top) - top` does the same without an
# `if`.


# %% tags=["solution"]
high, low = GIVEN["high"], GIVEN["low"]


def field(word):
    width = high - low + 1
    value = word >> low & (1 << width) - 1
    return value - (1 << width) if value >> width - 1 else value


# %% Reads it without a sign tags=["wrong"] mark=1 feedback="what does the highest bit of the field count"
high, low = GIVEN["high"], GIVEN["low"]


def field(word):
    return word >> low & (1 << high - low + 1) - 1


# %% Leaves the bits in their places tags=["wrong"] mark=0 feedback="still in their places"
high, low = GIVEN["high"], GIVEN["low"]


def field(word):
    return word & (1 << high + 1) - (1 << low)


# %% Shifts and does not mask tags=["wrong"] mark=0 feedback="everything above the field"
high, low = GIVEN["high"], GIVEN["low"]


def field(word):
    return word >> low


# %% Takes the highest bit for a minus sign tags=["wrong"] mark=1 feedback="not a minus sign"
high, low = GIVEN["high"], GIVEN["low"]


def field(word):
    width = high - low + 1
    value = word >> low & (1 << width) - 1
    top = 1 << width - 1
    return -(value - top) if value & top else value


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.lab.expectations import drawn, expect


@dataclass(frozen=True)
class Field:
    """The bits of a student's field, and two words with a positive and a negative number in it."""

    high: int
    low: int
    words: tuple

    def __str__(self):
        shown = "\n".join(f"{word:#018x}" for word in self.words)
        return f"bits {self.high}:{self.low}\n\n{shown}"

    def number(self, word):
        """What the field of a word holds, by the arithmetic of bytes: two's complement."""
        digits = f"{word:064b}"[63 - self.high : 64 - self.low]
        return int(digits[1:], 2) - int(digits[0] + "0" * (len(digits) - 1), 2)


def word_with(draw, high, low, negative):
    """A random word whose field is negative or not."""
    word = draw.getrandbits(64)
    return word & ~(1 << high) | negative << high


def given(seed):
    """A student's field."""
    draw = Random(f"field {seed}")
    low = draw.choice((6, 7, 9, 10, 11, 13))
    high = low + draw.choice((9, 10, 11, 13, 14))
    return Field(high, low, tuple(one_word(f"{seed} {negative}", high, low, negative) for negative in (0, 1)))


def one_word(seed, high, low, negative):
    """A word for which no two of the wrong rules agree."""
    field = Field(high, low, ())
    return drawn(
        f"word {seed}",
        lambda draw: word_with(draw, high, low, negative),
        lambda word: [field.number(word), *(value for value, _, _ in rules(field, word) if not negative or value)],
    )


def rules(field, word):
    """What wrong rules compute."""
    width, number = field.high - field.low + 1, field.number(word)
    bits = number % (1 << width)
    yield (
        bits << field.low,
        "mask-is-a-shift",
        "These bits are still in their places. Which shift brings them to bit 0?",
    )
    yield (
        word >> field.low,
        "",
        "You shifted, and everything above the field is still there. Which mask keeps its bits?",
    )
    yield bits & (1 << width - 2) - 1, "", "That is too few bits: how many are there from the lowest to the highest?"
    yield (
        word >> field.low & (1 << width + 1) - 1,
        "",
        "That is one bit too many: bits 3:0 are four bits, and 3 + 1 = 4.",
    )
    if number < 0:
        yield (
            bits,
            "number-knows-its-sign",
            "That is the field without its sign: what does the highest bit of the field count?",
        )
        low = bits & (1 << width - 1) - 1
        yield -low, "sign-lost", "The highest bit is not a minus sign before the others: it counts -2^(width - 1)."
        yield (
            ~bits & (1 << width) - 1,
            "flip-without-one",
            "You flipped the bits. That is the size of the number, less 1.",
        )


def compare(field, mine, seed, negative, many):
    """Compare the answer with the right numbers."""
    words = [
        mine.words[negative],
        *(one_word(f"{seed} {n} {negative}", mine.high, mine.low, negative) for n in range(many)),
    ]
    for word in words:
        expect(
            field(word),
            mine.number(word),
            rules(mine, word),
            "Write the word in binary, and mark the bits of your field: which number is that?",
            f"The field of {word:#018x}",
        )


def check_positive(field, seed):
    """Where the field's highest bit is 0, the number is right."""
    compare(field, given(seed), seed, 0, 4)


def check_negative(field, seed):
    """Where the field's highest bit is 1, the number is right."""
    compare(field, given(seed), seed, 1, 4)


# %% tags=["hidden"]
def check_others(field, seed):
    """It is right for other words, too."""
    for negative in (0, 1):
        compare(field, given(seed), f"hidden {seed}", negative, 20)
