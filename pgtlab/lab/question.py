"""Questions: what a reader answers, judged beside the truth that the model computes.

A question is an immutable value. It knows the right answer, and the wrong answers that a misconception leads to, each
with its own feedback. A misconception is named only if its rule, and no other, gives what the reader said: numbers for
which two rules agree are drawn again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeVar

Verdict = Literal["right", "reason", "wrong", "unknown", "kept"]
Said = str | Sequence[str]
MakeQuestion = Callable[[Random], "Question"]
Make = TypeVar("Make", bound=MakeQuestion)

_SUFFIXES = "KMGTPE"
_SIZE = re.compile(rf"(\d+)(?:([{_SUFFIXES.lower()}])i?b?|b|bytes?)")
_POWER = re.compile(r"(\d+)(?:\^|\*\*)(\d+)|(\d+)<<(\d+)")
_DRAWS = 64


class QuestionError(ValueError):
    """A question contradicts itself: two rules give the same answer, or a wrong answer cannot be given."""


class UnreadableAnswer(ValueError):
    """What the reader gave is not an answer to this question; the message is one sentence."""


@dataclass(frozen=True)
class Number:
    """A number, typed by the reader in any usual notation.

    Attributes
    ----------
    value : int
        The right number.
    base : int
        16 to show it in hexadecimal, else 10.
    unit : str
        What is counted, such as `levels`; `bytes` for a size, which may also be given as 4K or 4 KiB.

    Examples
    --------
    >>> Number(4096, unit="bytes").read("4 KiB"), Number(0, base=16).read("0xffff_fdff"), Number(0).read("2^9")
    (4096, 4294966783, 512)
    >>> Number(4096, unit="bytes").show(3 << 40), Number(0, base=16).show(255), Number(4, unit="levels").show(3)
    ('3 TiB', '0xff', '3 levels')
    """

    value: int
    base: int = 10
    unit: str = ""

    @property
    def right(self) -> int:
        """The right answer."""
        return self.value

    def read(self, said: Said) -> int:
        """Return the number that was typed.

        Raises
        ------
        UnreadableAnswer
            If it is not a number, or could be decimal or hexadecimal where hexadecimal is asked for.
        """
        typed = said.strip() if isinstance(said, str) else ""
        text = re.sub(r"[\s_`]|(?<=\d),(?=\d{3}(?!\d))", "", typed.lower().replace("\u2212", "-"))
        text = text.removesuffix(self.unit.lower()) if self.unit and self.unit != "bytes" else text
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
        value = self._magnitude(digits) if 0 < len(digits) <= 40 else None
        if value is None:
            examples = "4096, 0x1000 or 4 KiB" if self.unit == "bytes" else "42, 0x2a or 1_000"
            raise UnreadableAnswer(f"`{typed:.40}` is not a number: write one such as {examples}.")
        return sign * value

    def _magnitude(self, digits: str) -> int | None:
        if power := _POWER.fullmatch(digits):
            base, exponent, number, shift = (int(part or 0) for part in power.groups())
            if max(exponent, shift) > 128:
                return None
            return number << shift if power[3] else int(base**exponent)
        if re.fullmatch(r"0x[0-9a-f]+|0b[01]+", digits):
            return int(digits, 0)
        if self.unit == "bytes" and (size := _SIZE.fullmatch(digits)):
            return int(size[1]) << 10 * (_SUFFIXES.lower().index(size[2]) + 1 if size[2] else 0)
        if self.base == 16 and re.fullmatch(r"[0-9a-f]{2,}", digits):
            if digits.isdecimal():
                raise UnreadableAnswer(
                    f"`{digits}` could be hexadecimal or decimal: write 0x{digits}, or {int(digits):#x} if you meant "
                    "the decimal number."
                )
            return int(digits, 16)
        return int(digits) if digits.isascii() and digits.isdecimal() else None

    def show(self, value: int) -> str:
        """Return a number as the reader sees it."""
        if self.base == 16:
            return f"{value:#x}"
        if self.unit != "bytes":
            return f"{value:,} {self.unit}".rstrip()
        power = 0
        while value and value % 1024 == 0 and power < len(_SUFFIXES):
            value, power = value // 1024, power + 1
        return f"{value:,} {_SUFFIXES[power - 1]}iB" if power else f"{value:,} bytes"


@dataclass(frozen=True)
class Choice:
    """One of a few sentences, shown in a drawn order.

    >>> Choice("a table at each level", ("one table", "no table")).read("one table")
    'one table'
    """

    right: str
    others: tuple[str, ...]

    def shown(self, seed: str) -> tuple[str, ...]:
        """Return all options, in the order of a seed."""
        return _shuffled((self.right, *self.others), seed)

    def read(self, said: Said) -> str:
        """Return the chosen option.

        Raises
        ------
        UnreadableAnswer
            If none of the options was chosen.
        """
        if said not in (self.right, *self.others):
            raise UnreadableAnswer("Choose one of the answers.")
        return str(said)

    def show(self, value: str) -> str:
        """Return an option as the reader sees it."""
        return value


@dataclass(frozen=True)
class Order:
    """Lines to put in order; they are shown shuffled.

    >>> Order(("walk", "fault", "oops")).read(["oops", "fault", "walk"])
    ('oops', 'fault', 'walk')
    """

    right: tuple[str, ...]

    def __init__(self, lines: Sequence[str]) -> None:
        object.__setattr__(self, "right", tuple(lines))

    def shown(self, seed: str) -> tuple[str, ...]:
        """Return the lines in the order of a seed, which is not the right one."""
        drawn = (_shuffled(self.right, f"{seed} {number}") for number in range(_DRAWS))
        return next((lines for lines in drawn if lines != self.right), self.right)

    def read(self, said: Said) -> tuple[str, ...]:
        """Return the lines as the reader ordered them.

        Raises
        ------
        UnreadableAnswer
            If they are not these lines.
        """
        if isinstance(said, str) or Counter(said) != Counter(self.right):
            raise UnreadableAnswer("Put these lines in order, each of them once.")
        return tuple(said)

    def show(self, value: tuple[str, ...]) -> str:
        """Return the lines one below the other."""
        return "\n".join(value)


@dataclass(frozen=True)
class Words:
    """A prediction in the reader's own words: kept, shown beside the truth, and never judged.

    >>> Words().read("  The kernel panics. ")
    'The kernel panics.'
    """

    right: None = None

    def read(self, said: Said) -> str:
        """Return what was written.

        Raises
        ------
        UnreadableAnswer
            If nothing was written.
        """
        text = said.strip() if isinstance(said, str) else ""
        if not text:
            raise UnreadableAnswer("Write what you expect, in a few words.")
        return text

    def show(self, value: str) -> str:
        """Return what was written."""
        return value


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that a misconception leads to.

    Attributes
    ----------
    value : int, str or tuple of str
        The answer or the reason, computed by the wrong rule.
    key : str
        The misconception, a key of misconceptions.toml.
    feedback : str
        Markdown for the reader who gave this answer: what it takes for granted, and a counterexample.
    """

    value: int | str | tuple[str, ...]
    key: str
    feedback: str


@dataclass(frozen=True)
class Feedback:
    """What a reader said, and what there is to say about it.

    Attributes
    ----------
    verdict : str
        `right`; `reason` for a right answer with a wrong reason; `wrong`; `unknown` for "I don't know"; `kept` for a
        prediction in words.
    said : str
        The answer as it is shown, empty for "I don't know".
    reason : str
        The reason that was chosen, if the question asks for one.
    text : str
        Markdown about this answer.
    truth : str
        Markdown: the right answer, computed. Empty while the reader should try the steps first.
    key : str
        The misconception, if one explains the answer.
    steps : tuple of str
        Questions that lead to the right answer, for a wrong number that no single rule explains.
    """

    verdict: Verdict
    said: str = ""
    reason: str = ""
    text: str = ""
    truth: str = ""
    key: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """A question with its answer, and the wrong answers that are foreseen.

    Attributes
    ----------
    text : str
        The question, in Markdown.
    answer : Number, Choice, Order or Words
        The right answer and how the reader gives it.
    truth : str
        Markdown that is shown after the answer, beside what the reader said.
    wrong : tuple of Wrong
        The foreseen wrong answers, and wrong reasons.
    reasons : Choice or None
        The reason, if it is asked for too.
    lines : tuple of int
        Lines of the real log that a right answer helps to light.
    steps : tuple of str
        Questions about intermediate steps, in Markdown.

    Raises
    ------
    QuestionError
        If a wrong answer could never be given.

    Examples
    --------
    >>> question = Question("How many levels?", Number(4), "It is **4**.", (Wrong(3, "from-leaf", "You began at 1."),))
    >>> question.judge("4").verdict, question.judge("3").key, question.judge("7").text
    ('right', 'from-leaf', 'That is not right.')
    """

    text: str
    answer: Number | Choice | Order | Words
    truth: str
    wrong: tuple[Wrong, ...] = ()
    reasons: Choice | None = None
    lines: tuple[int, ...] = ()
    steps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for wrong in self.wrong:
            try:
                if not self._about_reason(wrong):
                    self.answer.read(f"{wrong.value:#x}" if isinstance(wrong.value, int) else wrong.value)
            except UnreadableAnswer:
                raise QuestionError(f"{self.text:.60}: {wrong.value!r} is not an answer to it.") from None

    def clash(self) -> str:
        """Return why an answer would not say which rule gave it, or nothing."""
        options = [choice for choice in (self.answer, self.reasons) if isinstance(choice, Choice)]
        for choice in options:
            if len({choice.right, *choice.others}) <= len(choice.others):
                return f"two of its options are the same: {(choice.right, *choice.others)}"
        given = Counter([self.answer.right, *(wrong.value for wrong in self.wrong)])
        if self.reasons:
            given[self.reasons.right] += 1
        twice = [value for value, times in given.items() if times > 1]
        return f"two rules give {twice[0]!r}" if twice else ""

    def judge(self, said: Said, reason: str = "") -> Feedback:
        """Judge an answer, and the reason if the question asks for one.

        Raises
        ------
        UnreadableAnswer
            If it is not an answer; the message says in one sentence what would be.
        """
        value = self.answer.read(said)
        if self.reasons and reason not in (self.reasons.right, *self.reasons.others):
            raise UnreadableAnswer("Choose a reason as well.")
        shown = self.answer.show(value)  # type: ignore[arg-type]  # each kind shows what it reads
        if isinstance(self.answer, Words):
            return Feedback("kept", shown, truth=self.truth)
        because = next((wrong for wrong in self.wrong if wrong.value == reason and self._about_reason(wrong)), None)
        if value == self.answer.right:
            if self.reasons is None or reason == self.reasons.right:
                return Feedback("right", shown, reason, "Right.", self.truth)
            text = because.feedback if because else f"The answer is right, the reason is not: {self.reasons.right}."
            return Feedback("reason", shown, reason, text, self.truth, because.key if because else "")
        why = next((wrong for wrong in self.wrong if wrong.value == value and not self._about_reason(wrong)), because)
        if why:
            return Feedback("wrong", shown, reason, why.feedback, self.truth, why.key)
        if self.steps:
            return Feedback("wrong", shown, reason, "That is not right. Take it in steps:", steps=self.steps)
        return Feedback("wrong", shown, reason, "That is not right.", self.truth)

    def unknown(self) -> Feedback:
        """Return the feedback to "I don't know", which costs nothing."""
        return Feedback("unknown", truth=self.truth)

    def _about_reason(self, wrong: Wrong) -> bool:
        return self.reasons is not None and wrong.value in self.reasons.others


def recall(make: Make) -> Make:
    """Mark a question that may come back in later chapters, with fresh numbers."""
    make.recall = True  # type: ignore[attr-defined]
    return make


def draw(make: MakeQuestion, seed: str) -> Question:
    """Return the question with the numbers of a seed; numbers for which two rules agree are drawn again.

    Raises
    ------
    QuestionError
        If that never ends: two rules always give the same answer.

    Examples
    --------
    >>> def bits(draw: Random) -> Question:
    ...     n = draw.randrange(1, 9)
    ...     return Question(f"How many values have {n} bits?", Number(1 << n), "", (Wrong(2 * n, "doubles", ""),))
    >>> {draw(bits, f"{seed}").text[-7:] for seed in range(99)} & {"1 bits?", "2 bits?"}
    set()
    """
    clash = ""
    for number in range(_DRAWS):
        question = make(Random(f"{seed} {number}"))
        clash = question.clash()
        if not clash:
            return question
    raise QuestionError(f"{make.__name__}: {clash}, whatever is drawn")


def _shuffled(items: tuple[str, ...], seed: str) -> tuple[str, ...]:
    shuffled = list(items)
    Random(seed).shuffle(shuffled)
    return tuple(shuffled)
