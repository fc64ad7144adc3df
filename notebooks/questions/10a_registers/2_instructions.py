"""Questions of chapter 10a: five instructions, and whether they ran."""

from __future__ import annotations

from random import Random

from pgtlab.lab.crash import crash, flags_after_cmp, story
from pgtlab.lab.question import Choice, Intermediate, Number, Question, Wrong, multiple_choice, recall

U64 = 1 << 64


@recall
def where_an_instruction_is(draw: Random) -> Question:
    size = 4 * draw.randrange(20, 200)
    offset = 4 * draw.randrange(4, size // 4)
    return Question(
        text=f"`pc : lookup+{offset:#x}/{size:#x}`. Every instruction of arm64 has four bytes. How many instructions of `lookup` stand "
        "before the one at pc?",
        answer=Number(offset // 4, unit="instructions"),
        wrong=(
            Wrong(offset, "offset-counts-instructions", "The offset counts bytes."),
            Wrong(size // 4, "slash-is-the-place", "After the slash stands the size of the whole function."),
            Wrong(offset // 8, "instruction-has-8-bytes", "Registers have eight bytes, instructions have four."),
            Wrong(offset // 4 + 1, "pc-counts-itself", "You counted the one at pc, too. Which stand *before* it?"),
            Wrong(
                (size - offset) // 4,
                "offset-is-from-the-end",
                "So many stand from pc to the end of the function. The offset counts from its beginning.",
            ),
        ),
        truth=f"{offset:#x} / 4 = **{offset // 4}**; the function has {size // 4}.",
    )


def where_line_22_is(draw: Random) -> Question:
    offset, size = 0x3C, 0x68
    return Question(
        text=f"Line 22: `pc : get_pfnblock_flags_mask+{offset:#x}/{size:#x}`. Line 51 prints five instructions, the last of them in "
        "brackets: that one is at pc. At which offset in the function is the *first* of the five?",
        answer=Number(offset - 4 * 4, base=16),
        wrong=(
            Wrong(offset - 4, "offset-counts-instructions", "Four instructions back, and each has four bytes."),
            Wrong(offset - 8 * 4, "instruction-has-8-bytes", "Registers have eight bytes, instructions have four."),
            Wrong(offset - 5 * 4, "five-words-five-steps", "Five words have four steps between them."),
            Wrong(size - 4 * 4, "slash-is-the-place", "After the slash stands the size of the whole function."),
            Wrong(offset, "bracket-is-first", "That is the one in brackets, and it is the last of the five."),
            Wrong(offset + 4 * 4, "bracket-is-first", "The one in brackets is the last: the others stand before pc."),
        ),
        truth=f"{offset:#x} - 4 · 4 = **{offset - 16:#x}**.",
        lines=(22,),
    )


@recall
def what_an_ldr_reads(draw: Random) -> Question:
    into, base = draw.sample(range(10), 2)
    offset = 8 * draw.randrange(1, 12)
    value = 0xFFFF_8000_8000_0000 + draw.randrange(1 << 24) * 8
    return Question(
        text=f"`ldr x{into}, [x{base}, #{offset}]` runs, with x{into} = `{value + 0x1000:#x}` and x{base} = `{value:#x}`. From which address does "
        "it read?",
        answer=Number(value + offset, base=16),
        wrong=(
            Wrong(value, "offset-ignored", f"You left out #{offset}: it is added to the register in the brackets."),
            Wrong(value + 8 * offset, "offset-counts-words", "The number in the brackets counts bytes."),
            Wrong(
                value + int(f"{offset}", 16),
                "decimal-is-hex",
                f"#{offset} is decimal: without 0x it is {offset}, which is {offset:#x}.",
            ),
            Wrong(
                value + 0x1000 + offset,
                "read-from-the-target",
                f"x{into} is where the value goes. The address is in the brackets.",
            ),
            Wrong(
                value + 0x1000,
                "load-reads-a-register",
                f"That is what x{into} held before. A load reads *memory*, at the address in the brackets, and then replaces it.",
            ),
            Wrong(value - offset, "offset-subtracted", f"#{offset} is added: the field lies above the beginning."),
        ),
        truth=f"x{base} + {offset} = **{value + offset:#x}**.",
    )


def the_register_that_was_null(draw: Random) -> Question:
    offset = 8 * draw.randrange(1, 12)
    base, into = draw.sample(range(10), 2)
    return Question(
        text=f"A kernel faults on `ldr x{into}, [x{base}, #{offset:#x}]`, and FAR is `{offset:#x}`. What was in x{base}?",
        answer=Number(0),
        wrong=(
            Wrong(
                offset,
                "null-plus-8-was-stored",
                f"{offset:#x} is the *sum*: the instruction adds {offset:#x} to the register. Nobody ever stored {offset:#x}.",
            ),
            Wrong(-offset % U64, "subtracted-twice", f"Then the sum would be 0. FAR says {offset:#x}."),
            Wrong(
                2 * offset,
                "far-is-the-register",
                f"You added {offset:#x} to FAR. The instruction has already added it: FAR is the sum.",
            ),
        ),
        truth=f"FAR - {offset:#x} = **0**: x{base} was NULL, a pointer to a structure that does not exist, and {offset:#x} is where a "
        "member of the structure would be.",
    )


def offset_in_the_word(draw: Random) -> Question:
    offset, base, into = 8 * draw.randrange(1, 64), draw.randrange(30), draw.randrange(30)
    word = 0xF940_0000 | offset // 8 << 10 | base << 5 | into
    return Question(
        text=f"`{word:08x}` is a load, `ldr xT, [xN, #offset]`: bits 21:10 hold the offset in units of eight bytes, bits 9:5 hold N and bits "
        "4:0 hold T. What is the offset, in bytes?",
        answer=Number(offset, base=10, unit="bytes"),
        wrong=(
            Wrong(offset // 8, "unit-forgotten", "That is what the field holds. It counts units of eight bytes."),
            Wrong(
                (word >> 10) * 8,
                "mask-forgotten",
                "Bits 31:22 say which instruction it is. Keep only the twelve bits of the field.",
            ),
            Wrong(
                word & 0xFFF, "wrong-field", "Those are bits 11:0. The field begins at bit 10: shift down by 10 first."
            ),
            Wrong(
                word & 0xFFF << 10,
                "shift-forgotten",
                "Those are the right bits in the wrong place: shift them down by 10.",
            ),
            Wrong(base, "wrong-field", "That is the number of the base register, bits 9:5."),
        ),
        truth=f"({word:#x} >> 10 & 0xfff) · 8 = **{offset}**; the instruction is `ldr x{into}, [x{base}, #{offset}]`.",
    )


@recall
def what_ubfiz_would_leave(draw: Random) -> Question:
    boot = crash(draw)
    k, number = boot.kernel, boot["x4"]
    size = k["sizeof(struct mem_section)"]
    right = number % k.SECTIONS_PER_ROOT * size
    return Question(
        text=f"x4 is `{number:#x}`. `ubfiz x4, x4, #5, #7` keeps the lowest 7 bits of x4 and shifts them up by 5. What would x4 be after it?",
        answer=Number(right, base=16),
        wrong=(
            Wrong(number, "words-before-ran", "That is x4 before. The instruction changes it."),
            Wrong(number % k.SECTIONS_PER_ROOT, "shift-forgotten", "Those are the 7 bits. Now shift them up by 5."),
            Wrong(number << 5 & U64 - 1, "mask-forgotten", "That is all of x4, shifted. Only 7 bits of it are kept."),
            Wrong(
                number % 32 << 7,
                "numbers-swapped",
                "You kept 5 bits and shifted by 7. The shift comes first in the text: #5, and then #7 bits.",
            ),
            Wrong(
                number >> 5 & 0x7F,
                "ubfiz-takes-out",
                "You took seven bits out, from bit 5 on. This one goes the other way: it puts the *lowest* seven bits there.",
            ),
            Wrong(
                number & 0x7F << 5,
                "ubfiz-takes-out",
                "You left bits 11:5 where they are. The *lowest* seven bits are moved there.",
            ),
            Wrong(number % 128 * 5, "shift-multiplies", "A shift by 5 bits is five times times two: times 32."),
        ),
        steps=(
            Intermediate(
                "What are the lowest 7 bits of x4? (Two hexadecimal digits, the first below 8.)",
                Number(number % 128, base=16),
            ),
            "Times 32?",
        ),
        truth=f"({number:#x} & 0x7f) << 5 = **{right:#x}**, never more than 0xfe0.",
    )


def did_the_four_run(draw: Random) -> Question:
    boot = story()
    return multiple_choice(
        text="Line 51, in words: `ubfiz x4, x4, #5, #7`, `cmp x3, #0`, `add x4, x3, x4`, `csel x3, x4, x3, ne`, and in brackets "
        f"`ldr x0, [x3, #8]`. At the crash x3 is `{boot['x3']:016x}` and x4 is `{boot['x4']:016x}`. What follows?",
        right="the ubfiz did not run",
        wrong={
            "it ran, and x4 was overwritten later": (
                "words-before-ran: By which instruction? Between it and the bracket stand three: cmp writes only "
                "flags, csel writes x3, and add would have added 0 to x4: the answer says why."
            ),
            "the word in brackets did not run": (
                "words-before-ran: Something read address 8, and `pc` points to the bracket: it is the one that did "
                "run, or tried to."
            ),
            "the report printed a wrong x4": (
                "handler-spoils-registers: The registers were saved when the fault was taken, before anything was "
                "printed. Is there a way to the bracket that does not lead through the ubfiz?"
            ),
        },
        because="seven bits that are shifted up by 5 are at most 0xfe0",
        wrong_reasons={
            "what stands before pc has run before pc": (
                "words-before-ran: Only if nothing jumped. A branch can come to pc from anywhere."
            ),
            "a fault undoes the instructions that ran before it": (
                "fault-undoes-all: It undoes nothing but the instruction that faults: what ran before has left its "
                "results in the registers."
            ),
        },
        truth=f"Seven bits shifted up by 5 are at most {0x7F << 5:#x}, and x4 is larger. The next three cannot have made it so: csel "
        "leaves 0 in x3 only if x3 was 0 before (or if x4 is 0, and it is not), so that add adds 0. `Code:` prints what *stands* before pc, not what ran before it: the processor came to the bracket from elsewhere.",
        lines=(51,),
    )


@recall
def flags_of_a_comparison(draw: Random) -> Question:
    low = draw.randrange(1, 1 << 40)
    left, right = draw.choice(
        [(low, low), (low + draw.randrange(1, 1 << 30), low), (low, low + draw.randrange(1, 1 << 30))]
    )
    flags = flags_after_cmp(left, right)
    every = [flags_after_cmp(*pair) for pair in ((1, 1), (2, 1), (1, 2))]
    others = (*(each for each in every if each != flags), "nzcV")
    return Question(
        text=f"`cmp x4, x0` with x4 = `{left:#x}` and x0 = `{right:#x}`. `cmp` subtracts and keeps only the flags: N if the result is negative, "
        "Z if it is 0, C if nothing had to be borrowed. (V, a signed result that does not fit, is clear here.) Capital letters are set. "
        "What would pstate print?",
        answer=Choice(flags, others),
        wrong=(
            *(
                Wrong(each, key, feedback)
                for each, key, feedback in (
                    ("nZCv", "z-means-different", "Z is set when the two are *equal*: the difference is 0."),
                    (
                        "Nzcv",
                        "c-is-a-borrow",
                        "The result is negative when the first is smaller. Then a bit is borrowed, and C is clear.",
                    ),
                    (
                        "nzCv",
                        "c-is-a-borrow",
                        "That is what a larger first operand leaves: not 0, and nothing borrowed.",
                    ),
                    (
                        "nzcV",
                        "v-means-large",
                        "V is about *signed* results that do not fit into 64 bits: these are far too small for that.",
                    ),
                )
                if each in others
            ),
        ),
        truth=f"**{flags}**: {'the two are equal' if left == right else 'the first is larger' if left > right else 'the first is smaller'}.",
    )


def flags_of_line_21(draw: Random) -> Question:
    boot = story()
    assert flags_after_cmp(boot["x4"], boot["x0"]) == "nzCv"
    return multiple_choice(
        text="Line 21 prints the flags `nzCv`. The second of the five words is `cmp x3, #0`, and x3 is 0. Which comparison left these flags?",
        right="another one, such as x4 with x0",
        wrong={
            "`cmp x3, #0`": (
                f"words-before-ran: 0 compared with 0 leaves {flags_after_cmp(0, 0)}: Z is set. Line 21 has a small z."
            ),
            "the fault itself sets the flags": (
                "handler-spoils-registers: pstate is saved when the exception is taken, as it was."
            ),
            "another one, such as x0 with x4": (
                f"c-is-a-borrow: x0 is the smaller one: that leaves {flags_after_cmp(boot['x0'], boot['x4'])}."
            ),
        },
        truth=f"Not the cmp in line 51: that leaves {flags_after_cmp(0, 0)}. x4 = {boot['x4']:#x} is larger than x0 = {boot['x0']:#x}, the highest "
        "number that a section can have (section 10a.5): *that* comparison leaves nzCv. The log does not show it, but it fits the source: too "
        "large, so the answer is NULL.",
        lines=(21,),
    )
