# %% tags=["about"]
kind = "compute"
chapter = "10a_registers"
difficulty = 2
minutes = 10
points = {"plain": 2, "wraps": 1, "others": 1}
alone = True

# %% [markdown]
# # Exercise 33: what a load reads
#
# The instruction at pc in the story was a load, `ldr x0, [x3, #8]`, and the word in brackets in the `Code:` line was all that the
# processor had of it. In such a word bits 9:5 are the number of the register in the brackets, bits 4:0 that of the register which
# gets the value, and bits 21:10 the offset, in units of eight bytes. Here are a few, with what some registers held:

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("33_what_a_load_reads", SEED))

# %% [markdown]
# **Your task.** Write `address(word, registers)`, which returns the address that such a load reads from. `registers` is a list:
# `registers[3]` is what x3 holds. An address has 64 bits.


# %% tags=["stub"]
def address(word, registers):
    raise NotImplementedError


# %% Three fields [markdown] tags=["hint"]
# A field is taken out of a word with a shift and a mask, as in chapter 0. How many bits has each?

# %% When the sum is too large [markdown] tags=["hint"]
# A register that holds a small number below 0 is close to 2^64. What are the lowest 64 bits of the sum?

# %% tags=["call"]
from pgtlab.lab import check

check("33_what_a_load_reads", address, seed=SEED)

# %% [markdown] tags=["solution"]
# A pointer of -4096 is an error number in Linux, and a field of the structure that it is taken for lies just below 2^64 or, after
# wrapping around, near 0. Such addresses in a log say: somebody did not look at a return value.


# %% tags=["solution"]
def address(word, registers):
    base, units = word >> 5 & 0x1F, word >> 10 & 0xFFF
    return registers[base] + 8 * units & (1 << 64) - 1


# %% Takes the register that gets the value tags=["wrong"] mark=0 feedback="where the value goes"
def address(word, registers):
    return registers[word & 0x1F] + 8 * (word >> 10 & 0xFFF) & (1 << 64) - 1


# %% Leaves the offset out tags=["wrong"] mark=0 feedback="You left the offset out"
def address(word, registers):
    return registers[word >> 5 & 0x1F]


# %% Counts the offset in bytes tags=["wrong"] mark=0 feedback="in units of eight bytes"
def address(word, registers):
    return registers[word >> 5 & 0x1F] + (word >> 10 & 0xFFF) & (1 << 64) - 1


# %% Does not mask the offset tags=["wrong"] mark=0 feedback="bits above the field"
def address(word, registers):
    return registers[word >> 5 & 0x1F] + 8 * (word >> 10) & (1 << 64) - 1


# %% Lets the sum have more than 64 bits tags=["wrong"] mark=2 feedback="more than 64 bits"
def address(word, registers):
    return registers[word >> 5 & 0x1F] + 8 * (word >> 10 & 0xFFF)


# %% tags=["check"]
from dataclasses import dataclass

from pgtlab.arch.word import MASK64
from pgtlab.lab.expectations import drawn, expect

LDR = 0xF940_0000  # the upper ten bits of a load of eight bytes with an offset


@dataclass(frozen=True)
class Load:
    """A load, by its parts, and what the registers hold."""

    base: int
    target: int
    offset: int
    registers: tuple

    @property
    def word(self):
        """The load as the processor has it."""
        return LDR | self.offset // 8 << 10 | self.base << 5 | self.target

    @property
    def reads(self):
        """The address that it reads from."""
        place = range(self.registers[self.base], self.registers[self.base] + self.offset + 8, 8)[self.offset // 8]
        return place & MASK64

    def rules(self):
        """What wrong rules compute."""
        base, units = self.registers[self.base], self.offset // 8
        held = self.registers[self.target] + self.offset & MASK64
        yield (
            held,
            "read-from-the-target",
            f"x{self.target} is where the value goes. Which register is in the brackets?",
        )
        yield base, "offset-ignored", "You left the offset out: it is added to the register in the brackets."
        yield (
            base + units & MASK64,
            "unit-forgotten",
            "That is what the field holds. It counts in units of eight bytes.",
        )
        all_above = base + 8 * (self.word >> 10)
        yield all_above & MASK64, "mask-forgotten", "You took the bits above the field as well: it has twelve bits."
        if base + self.offset > MASK64:
            yield (
                base + self.offset,
                "wrong-width",
                "That number has more than 64 bits. What does the processor keep of it?",
            )


@dataclass(frozen=True)
class Loads:
    """A student's loads."""

    loads: list

    def __str__(self):
        lines = []
        for load in self.loads:
            held = ", ".join(f"x{n} = {load.registers[n]:#018x}" for n in sorted({load.base, load.target}))
            lines.append(f"{load.word:08x}   {held}")
        return "\n".join(lines)


def loads(seed, many, wraps=False):
    """Loads for which no two rules agree; the sum of some is 2^64 or more."""
    for number in range(many):

        def make(draw):
            base, target = draw.sample(range(29), 2)
            registers = [0xFFFF_0000_0000_0000 + 8 * draw.getrandbits(40) for _ in range(31)]
            offset = 8 * draw.randrange(2, 600)
            if wraps:
                registers[base] = (1 << 64) - 8 * draw.randrange(1, offset // 8)
            return Load(base, target, offset, tuple(registers))

        yield drawn(f"load {seed} {number} {wraps}", make, lambda load: [load.reads, *(v for v, _, _ in load.rules())])


def given(seed):
    """A student's loads: three plain ones, and one that wraps around."""
    return Loads([*loads(f"{seed}", 3), *loads(f"{seed}", 1, wraps=True)])


def compare(address, seed, many, wraps):
    """Compare the answer with the address that was put into the word."""
    for load in loads(seed, many, wraps):
        got = address(load.word, list(load.registers))
        expect(got, load.reads, load.rules(), "Take the three fields out of the word, one by one.", f"{load.word:08x}")


def check_plain(address, seed):
    """The address is right."""
    compare(address, f"{seed}", 6, wraps=False)


def check_wraps(address, seed):
    """The address has 64 bits, also where the sum has more."""
    compare(address, f"{seed}", 4, wraps=True)


# %% tags=["hidden"]
def check_others(address, seed):
    """It is right for other loads, too."""
    compare(address, f"hidden {seed}", 20, wraps=False)
    compare(address, f"hidden {seed}", 10, wraps=True)
