"""Which kernels are left when every clue in a log has ruled some out, and what those have in common.

Every kernel that pgtlab knows is a candidate at first (`layout.layouts()`): configuration, CPU, versions, size of
`struct mem_section`. Where those that remain differ, each value is possible; where no clue matters, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, POSSIBLE, STATED, Clue, Inference
from pgtlab.linux.oops.inferring.layout import Layout, layouts

_WORDS: dict[str, Callable[[int], str]] = {
    "page_size": lambda n: f"pages have {n >> 10} KiB",
    "vabits_actual": lambda n: f"virtual addresses have {n} bits at run time",
    "va_bits": lambda n: f"the kernel was built with CONFIG_ARM64_VA_BITS={n}",
    "levels": lambda n: f"the MMU walks {n} levels of tables, from level {4 - n}",
    "pa_bits": lambda n: f"MAX_PHYSMEM_BITS is {n}",
    "mem_section_size": lambda n: (
        f"struct mem_section has {n} bytes"
        + (" (CONFIG_PAGE_EXTENSION is set)" if n == 32 else " (CONFIG_PAGE_EXTENSION is not set)")
    ),
}
_ATTRIBUTES: dict[str, Callable[[Layout], int]] = {
    "page_size": lambda layout: layout.page_size,
    "vabits_actual": lambda layout: layout.vabits_actual,
    "va_bits": lambda layout: layout.va_bits,
    "levels": lambda layout: layout.levels,
    "pa_bits": lambda layout: layout.pa_bits,
    "mem_section_size": lambda layout: layout.mem_section_size,
}
_LISTED = ("page_size", "va_bits", "vabits_actual")
_ORDER = (STATED, DERIVED, LIKELY)
_PRINTED = ("page_size", "vabits_actual")  # the others are never in a log in so many words


@dataclass(frozen=True)
class Narrowed:
    """The layouts that remain, the clues that were used, which layouts each of them fits, and what disagreed.

    Layouts are numbered as in `layouts()`.
    """

    remaining: frozenset[int]
    used: tuple[Clue, ...]
    fitting: tuple[frozenset[int], ...]
    conflicts: tuple[Inference, ...]

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Those that remain."""
        return tuple(layout for number, layout in enumerate(layouts()) if number in self.remaining)

    def values(self, name: str, clues: Iterable[int]) -> set[int]:
        """What an attribute may be by some of the clues."""
        left = _every().intersection(*(self.fitting[at] for at in clues))
        return {_column(name)[number] for number in left}

    def enough(self, name: str) -> list[int]:
        """The fewest clues that say as much of an attribute as all do, of those the surest."""
        final = self.values(name, range(len(self.used)))
        pool = range(len(self.used))
        for sure in (1, 2):  # the clues are in the order of their confidence
            surer = range(sum(clue.confidence in _ORDER[:sure] for clue in self.used))
            if self.values(name, surer) == final:
                pool = surer
                break
        for number in range(min(3, len(pool)) + 1):
            for some in combinations(pool, number):
                if self.values(name, some) == final:
                    return list(some)
        chosen = list(pool)
        for at in reversed(pool):
            if self.values(name, [one for one in chosen if one != at]) == final:
                chosen.remove(at)
        return chosen


def narrow(clues: Iterable[Clue]) -> Narrowed:
    """The layouts that fit all clues, the surer ones first; one that would leave nothing is left out.

    Where it was a sure one, that is a disagreement. What several reports say in the same words counts once.
    """
    remaining = _every()
    used: list[Clue] = []
    fitting: list[frozenset[int]] = []
    conflicts: list[Inference] = []
    different: dict[str, Clue] = {}
    for clue in clues:
        different.setdefault(clue.evidence.text, clue)
    for clue in sorted(different.values(), key=lambda clue: _ORDER.index(clue.confidence)):
        fits = clue.fitting
        if remaining & fits:
            remaining &= fits
            used.append(clue)
            fitting.append(fits)
        elif clue.confidence != LIKELY:
            against = [other.evidence for other, its in zip(used, fitting, strict=True) if not its & fits]
            evidence = (clue.evidence, *(against or [other.evidence for other in used]))
            claim = "pgtlab knows no kernel that writes " + ("all of this" if used else "this")
            conflicts.append(Inference("disagreement", "configuration", claim, evidence, DERIVED))
    return Narrowed(remaining, tuple(used), tuple(fitting), tuple(conflicts))


@cache
def _every() -> frozenset[int]:
    return frozenset(range(len(layouts())))


@cache
def _column(name: str) -> tuple[int, ...]:
    return tuple(map(_ATTRIBUTES[name], layouts()))


def common_values(narrowed: Narrowed) -> Iterator[Inference]:
    """What the layouts that remain have in common, one matter after the other."""
    for name in _ATTRIBUTES:
        values = sorted({_column(name)[number] for number in narrowed.remaining})
        enough = narrowed.enough(name)
        if not enough or len(values) > (2 if name in _LISTED else 1):
            continue
        clues = [narrowed.used[at] for at in enough]
        evidence = tuple(clue.evidence for clue in clues)
        sure = max((clue.confidence for clue in clues), key=_ORDER.index)
        if len(values) == 1:
            sure = DERIVED if sure == STATED and name not in _PRINTED else sure
            sure = LIKELY if sure == DERIVED and narrowed.conflicts else sure
            yield Inference(name, values[0], _WORDS[name](values[0]), evidence, sure)
            continue
        if sure == LIKELY:
            continue
        for value in values:
            other = next(one for one in values if one != value)
            claim = f"{_WORDS[name](value)}; {other} would fit as well"
            if name == "va_bits" and max(values) == 52:
                claim += ": a kernel for 52 bits on a CPU without them puts everything where one for fewer does"
            yield Inference(name, value, claim, evidence, POSSIBLE)
