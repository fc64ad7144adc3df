"""The questions of chapter 10a: what is in a register when it crashes?"""

from __future__ import annotations

from random import Random

from pgtlab.lab.calls import Calls
from pgtlab.lab.crash import crash, flags_after_cmp, story
from pgtlab.lab.question import Choice, Number, Question, Wrong, multiple_choice, recall

U64 = 1 << 64
#: Names of functions for made-up calls, from the outermost in.
NAMES = ("start", "serve", "accept", "parse", "lookup", "copy", "count")


def which_argument_is_left(draw: Random) -> Question:
    boot = story()
    return multiple_choice(
        text="`get_pfnblock_flags_mask(page, pfn, mask)` was called with `page` in x0, `pfn` in x1 and `mask` in x2. `page` is an "
        f"address of the kernel. At the crash x0 is `{boot['x0']:#x}`, x1 is `{boot['x1']:#x}` and x2 is `{boot['x2']:#x}`. Which "
        "of the three can *not* be the argument any more?",
        right="x0",
        wrong={
            "x1": "",
            "x2": "",
            "all three still are, that is the rule for x0 to x7": "",
        },
        because="an address of the kernel begins with a row of `f`",
        wrong_reasons={
            "the arguments stay in x0 to x7 while the function runs": (
                "registers-are-arguments: x0 to x7 hold the arguments when the *first* instruction runs. From then "
                f"on they are the function's own: it may use them for anything. {boot['x0']:#x} is not an address of "
                "the kernel."
            ),
            "x2 is far too small to be a mask": (
                "small-is-not-a-mask: A mask is as small as what it masks: 7 keeps three bits, and the type of a "
                "pageblock has three."
            ),
            "pfns are small, and x1 is huge": (
                "registers-hold-good-values: Real pfns are small. But what was passed is what was passed, also if it "
                "is nonsense: you will compute this very number in chapter 10b."
            ),
        },
        truth="**x0**: it was used again. x1 and x2 were not needed for anything else yet, so that they still hold `pfn` and `mask`. "
        "Nothing guarantees that; you check it by what the number can be.",
        lines=(34,),
    )


@recall
def what_survives_a_call(draw: Random) -> Question:
    kept = f"x{draw.randrange(19, 29)}"
    lost = tuple(f"x{number}" for number in draw.sample(range(1, 18), 3))
    return Question(
        text="A function keeps a value in a register and calls another function. Which of these registers is sure to hold the value "
        "when the call returns?",
        answer=Choice(kept, (*lost, "x30")),
        wrong=(
            *(
                Wrong(
                    name,
                    "any-register-survives",
                    f"{name} is among x0 to x18: the called function may use it without asking. If its caller still needs the "
                    "value, the caller has to save it.",
                )
                for name in lost
            ),
            Wrong(
                "x30",
                "any-register-survives",
                "x30 is `lr`. The call itself writes to it: the address to return to.",
            ),
        ),
        truth=f"**{kept}**: x19 to x28 are *callee-saved*. The called function may use them only if it puts the old values back.",
    )


def who_wrote_x22(draw: Random) -> Question:
    boot = story()
    return multiple_choice(
        text=f"`get_pfnblock_flags_mask` does not use x22. At the crash x22 is `{boot['x22']:016x}`. Whose value is it?",
        right="that of a caller",
        wrong={
            "an argument of `get_pfnblock_flags_mask`": (
                "registers-are-arguments: Arguments come in x0 to x7, and this function has three: x0, x1 and x2."
            ),
            "nobody's: an unused register has a random value": (
                "registers-are-random: Somebody put it there. Read it as a pfn, and compare it with line 2."
            ),
            "that of the kernel's exception handler, which ran last": (
                "handler-spoils-registers: The very first thing that an exception does in the kernel is to save all "
                "registers. What the report prints is that copy: the moment of the fault."
            ),
        },
        because="a function leaves x19 to x28 as it found them",
        wrong_reasons={
            "arguments are passed in registers": "registers-are-arguments: They are, in x0 to x7. This is x22.",
            "the fault handler had run before the report was printed": (
                "handler-spoils-registers: It had, but it saved all registers first. The report prints what was saved."
            ),
        },
        truth=f"x22 is callee-saved, so that it still holds a value of a caller: `__dump_page` keeps `pfn`, {boot['x22']:#x}, the true "
        "number of the page in line 2. So the true number *was known* to a function that was still running.",
        lines=(27,),
    )


def frame_of_a_leaf(draw: Random) -> Question:
    boot = story()
    return multiple_choice(
        text=f"Lines 24 and 25: sp and x29 are both `{boot['sp']:016x}`. x29 points to the innermost *frame*. `pc` is in "
        f"`{boot.calls.compiled[0]}`, a leaf. Whose frame is that?",
        right=f"`{boot.calls.lr}`'s",
        wrong={
            f"`{boot.calls.compiled[0]}`'s own": (
                "every-call-has-a-frame: A frame is for what must survive a call. A leaf calls nobody: it leaves sp "
                "and x29 as they were."
            ),
            f"`{boot.calls.compiled[2]}`'s": (
                "lr-is-in-the-trace: That is the next name in the trace. But `lr` says who called the leaf: "
                f"`{boot.calls.lr}`, which had called another function and so must have a frame."
            ),
            "nobody's: the stack is empty": "",
        },
        truth=f"It is the frame of **`{boot.calls.lr}`**. Its local variables lie just above: that is where line 26 and line 28 point.",
        lines=(24, 25),
    )


@recall
def names_in_a_trace(draw: Random) -> Question:
    count = draw.randrange(4, 6)
    names = tuple(sorted(draw.sample(NAMES, count), key=NAMES.index))
    inlined = draw.choice(names[1:-2])
    calls = Calls.of(names, (inlined,), leaf=True)
    without_leaf = Calls.of(names, (inlined,))
    uncut = Calls.of(names, leaf=True)
    chain = " → ".join(f"`{name}`" for name in names)

    def shown(trace: tuple[str, ...]) -> str:
        return ", ".join(trace)

    return multiple_choice(
        text=f"In the source: {chain}, each calls the next. The compiler inlined `{inlined}`. `{names[-1]}` is a leaf, and it faults. Which "
        "names does the call trace have, innermost first?",
        right=shown(calls.trace),
        wrong={
            shown(tuple(reversed(names))): (
                "trace-holds-all-calls: A trace is read from the stack, and holds only what is there. An inlined "
                "function was never called, and a leaf's caller is named by `lr` alone."
            ),
            shown(without_leaf.trace): (
                f"lr-is-in-the-trace: `{calls.lr}` called the leaf. The address in it is in `lr`; its frame holds the "
                f"address that `{calls.lr}` itself returns to, in the function above."
            ),
            shown(uncut.trace): (
                f"inlined-is-called: `{inlined}` has no code of its own to return to: its instructions stand in its "
                "caller."
            ),
            shown(calls.trace[1:]): (
                "pc-is-not-in-the-trace: The first name comes from `pc`, with or without a frame."
            ),
        },
        truth=f"**{shown(calls.trace)}**. Missing: `{inlined}`, because it is inlined, and `{calls.lr}`, whose only trace is `lr`.",
    )


def lr_and_the_trace(draw: Random) -> Question:
    calls = story().calls
    return multiple_choice(
        text=f"Line 23 says `lr : {calls.lr}+0x1a0/0x408`. Lines 36 and 37 of the trace name `{calls.trace[0]}` and then "
        f"`{calls.trace[1]}`. How did control get to the place where it faulted?",
        right=f"{calls.trace[1]} called {calls.lr}, which called {calls.trace[0]}",
        wrong={
            f"{calls.trace[1]} called {calls.trace[0]}, as the trace says": (
                f"trace-holds-all-calls: Then `lr` would point into `{calls.trace[1]}`: a call writes the address to "
                "return to into it."
            ),
            f"{calls.lr} ran before, and had returned": (
                f"lr-is-in-the-trace: The call of `{calls.trace[0]}` wrote `lr` again: it holds the place to return "
                f"to, which is in `{calls.lr}`."
            ),
            f"{calls.trace[0]} called {calls.lr}, and it returned": "",
        },
        truth=f"`{calls.trace[1]}` called **`{calls.lr}`**, which called `{calls.trace[0]}`. The log names all three, but in two places.",
        lines=(23, 35),
    )


def calls_without_a_name(draw: Random) -> Question:
    calls = story().calls
    outer = calls.functions.index("destroy_args")
    inside = calls.functions[outer:]
    named = [name for name in inside if name in calls.trace]
    chain = " → ".join(f"`{name}`" for name in inside)
    return Question(
        text=f"In the source, from `destroy_args` inwards, {len(inside)} functions and macros were at work: {chain}. How many of them does "
        "the trace of the log (lines 36 to 45) leave out? (The compiler cut `free_pages` in two, and the second part is called "
        "`free_pages.part.0`: count it once.)",
        answer=Number(len(inside) - len(named), unit="functions"),
        wrong=(
            Wrong(
                0,
                "trace-holds-all-calls",
                "Compare two neighbours: the source says `destroy_args` → `pud_free`. What does line 44 say?",
            ),
            Wrong(
                len(inside) - len(named) - 1,
                "lr-is-in-the-trace",
                "One short: did you count those that are inlined? There is one more, which has a frame and still has no name in the "
                "trace. Which function does `lr` point into?",
            ),
        ),
        lines=(36, 37, 38, 39, 40, 41, 42, 43, 44),
        truth=f"It names {len(named)} and leaves out **{len(inside) - len(named)}**: {', '.join(f'`{n}`' for n in calls.unnamed)}.",
    )


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
            Wrong(word >> 10 & 0xFFF0 | base, "wrong-field", "Shift down by 10 first, then keep twelve bits."),
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
        ),
        steps=("What are the lowest 7 bits of x4? (Two hexadecimal digits, the first below 8.)", "Times 32?"),
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
                "flags, add would have added 0 (see below), csel writes x3."
            ),
            "the word in brackets did not run": (
                "words-before-ran: Something read address 8, and `pc` points to the bracket: it is the one that did "
                "run, or tried to."
            ),
            "the report printed a wrong x4": "",
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
                )
                if each in others
            ),
        ),
        truth=f"**{flags}**: the first is {'equal' if left == right else 'larger' if left > right else 'smaller'}.",
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
