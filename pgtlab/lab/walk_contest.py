"""A learner's `translate(ram, ttbr, va)` against the model's MMU, about addresses of every kind that a walk can meet.

Pages are 4K and 39 bits are in use, so a walk has the levels 1 to 3. What the function should return is the physical
address, or `("fault", level)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from pgtlab.arch.fault import Fault
from pgtlab.arch.walk import Walk
from pgtlab.lab.attempt import AnswerError, attempt
from pgtlab.lab.machine import Machine, Process
from pgtlab.lab.worker.contained import contained

Answer = int | tuple[str, int]
Translate = Callable[[Callable[[int], int], int, int], object]

ADDRESSES: Final = 1000
GIB, MIB2, PAGE = 1 << 30, 1 << 21, 1 << 12
ALIGNED: Final = "An entry has 8 bytes: how far into its table is entry number 2?"


@dataclass(frozen=True)
class Contest:
    """How far a function agrees with the model: `scores` has the right and all addresses of each kind."""

    scores: Mapping[str, tuple[int, int]]
    hint: str = ""

    @property
    def right(self) -> int:
        """The number of addresses about which the two agree."""
        return sum(right for right, _ in self.scores.values())

    @property
    def won(self) -> bool:
        """Whether they agree about every address."""
        return not self.hint

    def __str__(self) -> str:
        lines = [f"{right:4} of {asked}  {kind}" for kind, (right, asked) in self.scores.items()]
        if self.won:
            return "\n".join([*lines, f"All {ADDRESSES} addresses: your function and the model's MMU agree."])
        return "\n".join([*lines, self.hint])

    __repr__ = __str__


def contest(translate: Translate, seed: int = 0) -> Contest:
    """Ask a function and the model about the same addresses, and say what is wrong first.

    Examples
    --------
    >>> contest(lambda ram, ttbr, va: va).hint.partition(".")[0]
    'A page, at 0x62d82c07c8: you returned 0x62d82c07c8, and the model 0xdf55287c8'
    """
    with contained({"translate": translate}) as functions:
        return _contest(functions["translate"], seed)


def _contest(translate: Translate, seed: int) -> Contest:
    scores: dict[str, tuple[int, int]] = {}
    wrong = ""
    for kind, process, va, lead in _cases(Random(seed)):
        if wrong and kind not in scores:
            break  # one thing at a time: the kinds after the first that is wrong are not asked
        expected = _answer(process.walk(va))
        right, asked = scores.get(kind, (0, 0))
        try:
            ask = partial(translate, process.machine.ram, int(process.mmu.ttbr0), va)
            said = attempt(ask, {"translate": translate})
        except AnswerError as error:
            where = f" {lead}" if "RAM" in str(error) else f" {ALIGNED}" if "aligned" in str(error) else ""
            return Contest({**scores, kind: (right, asked + 1)}, f"{kind}, at {va:#x}: {_ended(str(error))}{where}")
        agree = said == expected and type(said) is type(expected)
        scores[kind] = right + agree, asked + 1
        if not agree and not wrong:
            wrong = f"{kind}, at {va:#x}: {_compared(said, expected, lead)}"
    return Contest(scores, wrong)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?")) else f"{sentence}."


def _answer(walk: Walk) -> Answer:
    return ("fault", walk.outcome.level) if isinstance(walk.outcome, Fault) else walk.outcome.pa


def _compared(said: object, expected: Answer, lead: str) -> str:
    if said is None:
        return "you returned nothing. A function without `return` returns None."
    if isinstance(said, bool) or not isinstance(said, int | tuple):
        return (
            f"you returned {said!r}, which is a {type(said).__name__}. The answer is a number, or the pair "
            '("fault", level).'
        )
    return f"you returned {_shown(said)}, and the model {_shown(expected)}. {lead}"


def _shown(answer: object) -> str:
    return f"{answer:#x}" if isinstance(answer, int) else repr(answer)


def _cases(draw: Random) -> Iterator[tuple[str, Process, int, str]]:
    """Addresses of each kind: what is mapped there, the process, the address, and what to ask if it is wrong."""
    kinds = (
        ("A page", "What are the three indices, and the three addresses that are read?", _page),
        ("A page with attributes in its highest bits", "Which bits of the word are address?", _page_with_attributes),
        ("A block of level 2", "What do bits 1:0 say above level 3, and how many bits is the offset then?", _block_2),
        ("A block of level 1", "How much does an entry of level 1 map?", _block_1),
        (
            "An entry that is 0",
            "Which level had the entry that stopped the walk? The first table here is of level 1.",
            _empty,
        ),
        ("An entry with bit 0 clear and other bits set", "Which bit alone says that an entry is valid?", _invalid),
        ("An entry that ends in 01 at level 3", "Is there a block at level 3?", _block_at_level_3),
    )
    for i in range(ADDRESSES):
        # One kind after the other, so that what is wrong first is the simplest.
        kind, lead, make = kinds[i * len(kinds) // ADDRESSES]
        process = Machine("4k", 39).process("a")
        yield kind, process, make(process, draw), lead


def _page(process: Process, draw: Random, **fields: int) -> int:
    va = draw.randrange(1 << 39) & ~7
    process.map(va & -PAGE, 0x8000_0000 + draw.randrange(1 << 24) * PAGE, blocks=False, **fields)
    return va


def _page_with_attributes(process: Process, draw: Random) -> int:
    return _page(process, draw, UXN=1, PXN=1, software=draw.randrange(16))


def _block_2(process: Process, draw: Random) -> int:
    va = draw.randrange(1 << 39) & ~7
    process.map(va & -MIB2, 0x8000_0000 + draw.randrange(1 << 12) * MIB2, MIB2 // PAGE, blocks=True)
    return va


def _block_1(process: Process, draw: Random) -> int:
    va = draw.randrange(1 << 39) & ~7
    process.map(va & -GIB, draw.randrange(2, 1 << 8) * GIB, GIB // PAGE, blocks=True, UXN=1)
    return va


def _empty(process: Process, draw: Random) -> int:
    return _changed(process, draw, lambda word: 0)


def _invalid(process: Process, draw: Random) -> int:
    return _changed(process, draw, lambda word: word & ~1)


def _block_at_level_3(process: Process, draw: Random) -> int:
    va = _page(process, draw)
    step = process.walk(va).steps[-1]
    process.mmu.memory.write64(step.address, process.machine.ram(step.address) & ~2)
    return va


def _changed(process: Process, draw: Random, change: Callable[[int], int]) -> int:
    """A page that was mapped, with one of the entries on the way to it changed."""
    va = _page(process, draw)
    step = draw.choice(process.walk(va).steps)
    process.mmu.memory.write64(step.address, change(process.machine.ram(step.address)))
    return va
