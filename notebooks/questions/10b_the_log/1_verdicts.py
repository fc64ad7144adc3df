"""Questions of chapter 10b: what a number of the log is worth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from pgtlab.lab.chain import EVENTS
from pgtlab.lab.chapters import LogLine, log_lines
from pgtlab.lab.question import Choice, Question, Wrong, multiple_choice, recall

VERDICTS = {
    "evidence": "evidence: a link of the chain rests on it",
    "context": "context: clear, but no link rests on it",
    "empty": "zero or empty",
    "leftover": "leftover: the log does not say what it is",
}


def _numbers() -> Iterator[tuple[LogLine, str, str]]:
    """What has a verdict of its own: its line, how a question names it, and the verdict."""
    for line in log_lines().values():
        if line.number == 52:  # sixteen zeros that are context: both verdicts would do
            continue
        registers = re.findall(r"(x\d+) ?: ([0-9a-f]{16})", line.text)
        names = [f"Line {line.number}, {name}: `{value}`." for name, value in registers]
        names = names or [f"Line {line.number}: `{line.text.strip()[:100]}`."]
        verdicts = line.verdict * len(names) if len(line.verdict) == 1 else line.verdict
        if len(names) == len(verdicts):  # a line with several other numbers is left out
            yield from ((line, name, verdict) for name, verdict in zip(names, verdicts, strict=True))


@recall
def verdict_of_a_line(draw: Random) -> Question:
    verdict = draw.choice(sorted(VERDICTS))
    line, name, _ = draw.choice([each for each in _numbers() if each[2] == verdict])
    zero = re.search(r"`0+`", name)
    said = {
        ("leftover", "evidence"): "What follows from it? If you cannot say which link rests on it, none does.",
        ("leftover", "context"): "Context tells you where, when or on what machine. Does this?",
        ("leftover", "empty"): "Somebody left a number there: do you know who?",
        ("evidence", "leftover"): "The course has derived something from this line. Look it up, and say what.",
        ("evidence", "context"): "It tells more than where and when: a link of the chain rests on it.",
        ("evidence", "empty"): f"{'A zero is a value too' if zero else 'It is neither'}. What follows from it?",
        ("context", "evidence"): "For which link? The same line would stand in the log of quite another crash.",
        ("context", "leftover"): "It is clear what it says. That it does not help to find the cause is another matter.",
        ("context", "empty"): "It does say something: where, when, on what machine or how, or what comes next.",
        ("empty", "evidence"): "It says that there is nothing. For which link is that evidence?",
        ("empty", "leftover"): "It is clear what it says: nothing is set here.",
        ("empty", "context"): "What does it tell you, other than that there is nothing?",
    }
    why = {
        "evidence": f"From line {line.number} follows:\n\n" + "\n".join(f"- {EVENTS[n - 1]}" for n in line.links),
        "context": "It says where, when, on what machine or how, or what comes next. Nothing in the chain depends on it.",
        "empty": "It says that there is nothing.",
        "leftover": "At most it points into the kernel's image. Who left it there, and what for, no line says.",
    }
    keys = {"evidence": "everything-is-evidence", "empty": "zero-is-nothing"}
    return Question(
        text=f"{name} What is your verdict?",
        answer=Choice(VERDICTS[verdict], tuple(text for name, text in VERDICTS.items() if name != verdict)),
        wrong=tuple(
            Wrong(VERDICTS[wrong], keys.get(wrong, "wrong-verdict"), feedback)
            for (right, wrong), feedback in said.items()
            if right == verdict
        ),
        truth=f"**{VERDICTS[verdict].capitalize()}.** {why[verdict]}",
    )


def what_x17_tells(draw: Random) -> Question:
    return multiple_choice(
        text="x17 is `78303a7865646e69` and x16 is `2030303030303030`. As text: `index:0x` and `0000000 `. What do they tell you about the crash?",
        right="nothing: they are left over from line 4",
        wrong={
            "the index of the page was 0x78303a78": (
                "everything-is-evidence: Read it as text: it is the *words* `index:0x` of line 4, and not the value."
            ),
            "the fault was in the code that prints text": (
                "everything-is-evidence: `pc` says where the fault was. x16 and x17 may be used by any function: "
                "they hold what the last one left."
            ),
            "the stack was overwritten with text": (
                "everything-is-evidence: These are registers. Text is what printing leaves in them."
            ),
        },
        truth="**Nothing.** They fit line 4, and that is all. The rows of `0720` in x11 to x15 are blanks of a text console, x6 to x10, x18 and x28 we cannot name. "
        "To say *the log does not say* is a result.",
        lines=(25, 29, 30, 31, 32),
    )


def text_in_a_register(draw: Random) -> Question:
    word = draw.choice(["refcount", "mapcount", "mapping:", "index:0x", "kthreadd", "pagetype", "dev/null", "/init: x"])
    value = int.from_bytes(word.encode(), "little")
    return multiple_choice(
        text=f"A register holds `{value:016x}`. Eight bytes between 0x20 and 0x7e: that smells of text. Which?",
        right=f"`{word}`",
        wrong={
            f"`{word[::-1]}`": (
                "big-endian-text: The lowest byte of the register is the *first* in memory. Read the pairs of digits "
                "from the right."
            ),
            f"`{word[4:] + word[:4]}`": (
                "big-endian-text: Little-endian turns the order of all eight bytes, not that of the halves."
            ),
            "no text: it is an address": (
                "register-is-a-pointer: An address of the kernel begins with a row of `f`, one of a program with zeros."
            ),
        },
        truth=f"**`{word}`**, lowest byte first. It was left by code that copied text. That is a verdict too: *leftover*.",
    )
