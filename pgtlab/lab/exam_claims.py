"""Claims about a log of the panic: true, false, or not to be decided from it, with the lines that decide.

Each family of claims is about one idea of the course and draws sentences that look alike, some true, some not. What a
sentence is about is read from the machine that printed the log, and from another that prints the same log and differs
in what the log does not show (`exam_worlds`): where only one of them is as the sentence says, the log does not decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol

from pgtlab.lab.crash import Crash
from pgtlab.lab.exam_log import ExamLog

Verdict = Literal["true", "false", "not decidable"]
HOW_MANY: dict[Verdict, int] = {"true": 7, "false": 7, "not decidable": 6}


@dataclass(frozen=True)
class ExamClaim:
    """A sentence about a log, whether it is true, why, and the lines that decide it.

    `misconception` is the idea that leads to another verdict, a key of `misconceptions.toml`.
    """

    text: str
    verdict: Verdict
    why: str
    lines: tuple[int, ...] = ()
    misconception: str = ""


@dataclass(frozen=True)
class Draft:
    """A sentence before it is judged.

    Attributes
    ----------
    text : str
        The sentence.
    reads : callable
        What it is about, read from a machine; None where nothing that is printed tells.
    says : object
        What that is, according to the sentence.
    why : str
        What decides, or why nothing does.
    lines : tuple of str
        The lines that decide, each by a text in it.
    misconception : str
        The idea that leads to another verdict.
    """

    text: str
    reads: Callable[[Crash], object]
    says: object
    why: str
    lines: tuple[str, ...]
    misconception: str


class Family(Protocol):
    """Sentences about one idea, true and false ones, for a log."""

    def __call__(self, log: ExamLog, draw: Random, /) -> Iterator[Draft]: ...


def verdict(draft: Draft, worlds: Sequence[Crash]) -> Verdict:
    """What the log says about a sentence: whatever all machines that print it have in common."""
    read = [draft.reads(world) for world in worlds]
    as_said = {value == draft.says for value in read}
    if len(as_said) > 1 or None in read:
        return "not decidable"
    return "true" if as_said == {True} else "false"


def claims(log: ExamLog, families: Sequence[Family], worlds: Sequence[Crash]) -> Iterator[ExamClaim]:
    """Twenty claims about a log, at most one of a family: seven true, seven false, six that the log does not decide.

    Raises
    ------
    ValueError
        If the families do not have enough of a kind.
    """
    draw = Random(f"claims {log.seed}")
    wanted, chosen = Counter(HOW_MANY), []
    for family in draw.sample(families, len(families)):
        drafts = list(family(log, draw))
        for draft in draw.sample(drafts, len(drafts)):
            said = verdict(draft, worlds)
            if wanted[said]:
                wanted[said] -= 1
                lines = () if said == "not decidable" else tuple(dict.fromkeys(map(log.line, draft.lines)))
                chosen.append(ExamClaim(draft.text, said, draft.why, lines, draft.misconception))
                break
    if wanted.total():
        raise ValueError(f"exam {log.seed}: claims are missing: {+wanted}")
    draw.shuffle(chosen)
    yield from chosen
