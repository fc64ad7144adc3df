"""Questions: what a reader answers, judged beside the truth that the model computes.

A question is an immutable value. It knows the right answer, and the wrong answers that a misconception leads to, each
with its own feedback. A misconception is named only if its rule, and no other, gives what the reader said: numbers for
which two rules agree are drawn again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeVar

# What a file of questions needs is imported from here.
from pgtlab.lab.answers import Choice as Choice
from pgtlab.lab.answers import Number as Number
from pgtlab.lab.answers import Order as Order
from pgtlab.lab.answers import Said, UnreadableAnswer
from pgtlab.lab.answers import Words as Words

Verdict = Literal["right", "reason", "wrong", "unknown", "kept"]
MakeQuestion = Callable[[Random], "Question"]
M = TypeVar("M", bound=MakeQuestion)

_DRAWS = 64
_HEADLINES: dict[Verdict, str] = {
    "right": "Right.",
    "reason": "The answer is right, and the reason is not.",
    "wrong": "Not right.",
    "unknown": "You did not know. That costs nothing.",
    "kept": "Written down; nobody judges it but you.",
}


class QuestionError(ValueError):
    """A question contradicts itself: two rules give the same answer, or a wrong answer cannot be given."""


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
class Intermediate:
    """A step on the way to an answer, with a number of its own; a step of words only is a `str`.

    Attributes
    ----------
    text : str
        What to compute, in Markdown.
    answer : Number
        The number that comes out.

    Examples
    --------
    >>> step = Intermediate("How many bytes has an entry?", Number(8))
    >>> step.judge("8").verdict, step.judge("9").verdict, step.judge("").verdict
    ('right', 'wrong', 'open')
    """

    text: str
    answer: Number

    def __str__(self) -> str:
        return self.text

    def judge(self, typed: str) -> Stepped:
        """Judge what was typed for this step."""
        if not typed.strip():
            return Stepped("open")
        try:
            value = self.answer.read(typed)
        except UnreadableAnswer as error:
            return Stepped("unreadable", str(error))
        return Stepped("right") if value == self.answer.value else Stepped("wrong")


@dataclass(frozen=True)
class Stepped:
    """What came of one step; `said` is one sentence, if what was typed is not a number."""

    verdict: Literal["open", "right", "wrong", "unreadable"]
    said: str = ""


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
    steps : tuple of Intermediate or str
        Steps that lead to the right answer, for a wrong number that no single rule explains.
    """

    verdict: Verdict
    said: str = ""
    reason: str = ""
    text: str = ""
    truth: str = ""
    key: str = ""
    steps: tuple[Intermediate | str, ...] = ()

    @property
    def headline(self) -> str:
        """The verdict in a few words.

        >>> Feedback("wrong", "7", steps=("How many levels?",)).headline
        'Not right yet. Take it in steps, then answer the question again:'
        """
        if self.steps:
            return "Not right yet. Take it in steps, then answer the question again:"
        return _HEADLINES[self.verdict]


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
    steps : tuple of Intermediate or str
        Intermediate steps, each with its number; a step without a number is Markdown.

    Raises
    ------
    QuestionError
        If a wrong answer could never be given.

    Examples
    --------
    >>> question = Question("How many levels?", Number(4), "It is **4**.", (Wrong(3, "from-leaf", "You began at 1."),))
    >>> question.judge("4").verdict, question.judge("3").key, question.judge("7").headline
    ('right', 'from-leaf', 'Not right.')
    """

    text: str
    answer: Number | Choice | Order | Words
    truth: str
    wrong: tuple[Wrong, ...] = ()
    reasons: Choice | None = None
    lines: tuple[int, ...] = ()
    steps: tuple[Intermediate | str, ...] = ()

    def __post_init__(self) -> None:
        for wrong in self.wrong:
            try:
                if not self._about_reason(wrong):
                    self.answer.read(self._typed(wrong.value))
            except UnreadableAnswer:
                raise QuestionError(f"{self.text:.60}: {wrong.value!r} is not an answer to it.") from None

    def _typed(self, value: int | str | tuple[str, ...]) -> Said:
        """A value as a reader would give it."""
        if isinstance(value, int):
            return self.answer.show(value) if isinstance(self.answer, Number) else f"{value}"
        return value

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
        typed = said.strip() if isinstance(self.answer, Number) and isinstance(said, str) else ""
        shown = self.answer.show(value) if not typed or typed.isdecimal() else typed  # type: ignore[arg-type]  # each kind shows what it reads
        if isinstance(self.answer, Words):
            return Feedback("kept", shown, truth=self.truth)
        because = next((wrong for wrong in self.wrong if wrong.value == reason and self._about_reason(wrong)), None)
        if value == self.answer.right:
            if self.reasons is None or reason == self.reasons.right:
                return Feedback("right", shown, reason, truth=self.truth)
            text = (
                because.feedback if because else f"The answer is right, but not for that reason: {self.reasons.right}."
            )
            return Feedback("reason", shown, reason, text, self.truth, because.key if because else "")
        why = next((wrong for wrong in self.wrong if wrong.value == value and not self._about_reason(wrong)), because)
        if why:
            return Feedback("wrong", shown, reason, why.feedback, self.truth, why.key)
        if self.steps:
            return Feedback("wrong", shown, reason, steps=self.steps)
        text = _in_place(value, self.answer.right) if isinstance(self.answer, Order) else ""  # type: ignore[arg-type]
        return Feedback("wrong", shown, reason, text, self.truth)

    def unknown(self) -> Feedback:
        """Return the feedback to "I don't know", which costs nothing."""
        text = f"The order is\n\n{_listed(self.answer.right)}" if isinstance(self.answer, Order) else ""
        return Feedback("unknown", text=text, truth=self.truth)

    def _about_reason(self, wrong: Wrong) -> bool:
        return self.reasons is not None and wrong.value in self.reasons.others


def multiple_choice(
    *,
    text: str,
    right: str,
    wrong: Mapping[str, str],
    truth: str,
    because: str = "",
    wrong_reasons: Mapping[str, str] | None = None,
    lines: tuple[int, ...] = (),
) -> Question:
    """Return a question with options to choose from, each wrong one beside what is said to those who choose it.

    Parameters
    ----------
    text, truth, lines
        As in `Question`.
    right : str
        The right option.
    wrong : mapping of str to str
        Each wrong option, and its ``"misconception: feedback"``; empty for one that gets no feedback of its own.
    because : str
        The right reason, if the question asks for a reason too.
    wrong_reasons : mapping of str to str
        As `wrong`, for the reasons.

    Examples
    --------
    >>> question = multiple_choice(
    ...     text="Where does a walk begin?",
    ...     right="at the TTBR",
    ...     wrong={"at level 3": "from-leaf: That is where it ends."},
    ...     truth="At **the TTBR**.",
    ... )
    >>> question.wrong
    (Wrong(value='at level 3', key='from-leaf', feedback='That is where it ends.'),)
    """
    reasons = wrong_reasons or {}
    return Question(
        text=text,
        answer=Choice(right, tuple(wrong)),
        truth=truth,
        wrong=(*_foreseen(wrong), *_foreseen(reasons)),
        reasons=Choice(because, tuple(reasons)) if because else None,
        lines=lines,
    )


def _foreseen(options: Mapping[str, str]) -> Iterator[Wrong]:
    for option, said in options.items():
        if said:
            key, feedback = said.split(": ", 1)
            yield Wrong(option, key, feedback)


def _in_place(said: Sequence[str], right: Sequence[str]) -> str:
    """Where an order is wrong first, and the right one."""
    first = next(place for place, (mine, theirs) in enumerate(zip(said, right, strict=True)) if mine != theirs)
    return f"The first line out of place is number {first + 1}: “{said[first]}”. The order is\n\n{_listed(right)}"


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def recall(make: M) -> M:
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
