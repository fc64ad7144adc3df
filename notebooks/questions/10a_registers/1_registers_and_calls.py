"""Questions of chapter 10a: registers, frames and call traces."""

from __future__ import annotations

from random import Random

from pgtlab.lab.calls import Calls
from pgtlab.lab.crash import story
from pgtlab.lab.question import Choice, Number, Question, Wrong, multiple_choice, recall

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
            "x1": (
                "register-is-a-pointer: It begins with a row of `f`, and no frame has such a number. But x1 had to be a "
                "*number*, and any number may have been passed as one: you will compute this one in chapter 10b. Which "
                "of the three had to be an address?"
            ),
            "x2": (
                "small-is-not-a-mask: A mask is as small as what it masks: 7 keeps three bits, and the type of a "
                "pageblock has three."
            ),
            "all three still are, that is the rule for x0 to x7": (
                "registers-are-arguments: It is the rule for the *first* instruction. From then on the function may use "
                f"them for anything. `page` had to be an address of the kernel: is {boot['x0']:#x} one?"
            ),
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
            "nobody's: the stack is empty": (
                "leaf-empties-the-stack: A leaf puts nothing on the stack, and takes nothing off it. The frames of "
                "all its callers are still there: the trace was read from them."
            ),
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
            f"{calls.trace[0]} called {calls.lr}, and it returned": (
                f"lr-is-the-callee: A leaf calls nobody. And `lr` says where `{calls.trace[0]}` will return *to*, not what "
                "it called."
            ),
        },
        truth=f"`{calls.trace[1]}` called **`{calls.lr}`**, which called `{calls.trace[0]}`. The log names all three, but in two places.",
        lines=(23, 35),
    )


def calls_without_a_name(draw: Random) -> Question:
    calls = story().calls
    outer = calls.functions.index("debug_vm_pgtable")  # with this one more are named than are left out
    inside = calls.functions[outer:]
    named = [name for name in inside if name in calls.trace]
    chain = " → ".join(f"`{name}`" for name in inside)
    return Question(
        text=f"In the source, from `debug_vm_pgtable` inwards, {len(inside)} functions and macros were at work: {chain}. How many of them "
        "does the trace of the log (lines 36 to 46) leave out? (The compiler cut `free_pages` in two, and the second part is called "
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
                "One short. If you counted those that are inlined: one more has a frame and still no name in the trace. Which function "
                "does `lr` point into? (If you counted lines: `free_pages` has two.)",
            ),
            Wrong(
                1,
                "inlined-is-called",
                "That one is the function that `lr` points into. The inlined ones have no name in the trace either.",
            ),
            Wrong(len(named), "named-is-left-out", "So many are named. How many are not?"),
        ),
        lines=(36, 37, 38, 39, 40, 41, 42, 43, 44),
        truth=f"It names {len(named)} and leaves out **{len(inside) - len(named)}**: {', '.join(f'`{n}`' for n in calls.unnamed)}.",
    )
