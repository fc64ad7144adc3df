"""Which kernels remain after every clue in a log has ruled some out, and what they have in common.

At first every kernel that pgtlab knows is a candidate (`layout.layouts()`): configuration, CPU, versions, size of
`struct mem_section`. If those that remain differ in an attribute, each value is possible; if no clue is about it,
nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from operator import attrgetter

from pgtlab.linux.oops.inferring.inference import DERIVED, LIKELY, POSSIBLE, STATED, Evidence, Inference
from pgtlab.linux.oops.inferring.layout import Layout, layouts

#: What is claimed of an attribute of the layouts that remain, by its value.
_CLAIMS: dict[str, Callable[[int], str]] = {
    "page_size": lambda n: f"pages have {_shown('page_size', n)}",
    "vabits_actual": lambda n: f"virtual addresses have {n} bits at run time",
    "va_bits": lambda n: f"the kernel was built with CONFIG_ARM64_VA_BITS={n}",
    "levels": lambda n: f"the MMU walks {n} levels of tables, from level {4 - n}",
    "pa_bits": lambda n: f"MAX_PHYSMEM_BITS is {n}",
    "mem_section_size": lambda n: (
        f"struct mem_section has {n} bytes (CONFIG_PAGE_EXTENSION is {'set' if n == 32 else 'not set'})"
    ),
}
_LISTED = ("page_size", "va_bits", "vabits_actual")  # two possible values are worth listing
_PRINTED = ("page_size", "vabits_actual")  # a log never prints the other attributes
_CONFIDENCES = (STATED, DERIVED, LIKELY)


@dataclass(frozen=True)
class Clue:
    """Something in a log that only some kernels can print: evidence, and which kernels it fits."""

    evidence: Evidence
    fits: Callable[[Layout], bool]
    confidence: str

    @cached_property
    def fitting(self) -> frozenset[int]:
        """The numbers, in `layouts()`, of the kernels that it fits."""
        return frozenset(number for number, layout in enumerate(layouts()) if self.fits(layout))


@dataclass(frozen=True)
class Narrowed:
    """The layouts that remain (their numbers in `layouts()`), the clues that were used, and what disagreed."""

    remaining: frozenset[int]
    used: tuple[Clue, ...]
    conflicts: tuple[Inference, ...]

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The layouts that remain."""
        return tuple(layout for number, layout in enumerate(layouts()) if number in self.remaining)

    def enough(self, name: str) -> tuple[Clue, ...]:
        """The fewest clues that say as much about an attribute as all clues, the surest if there is a choice."""
        final = _values(name, self.used)
        pool = self.used
        for confidences in (_CONFIDENCES[:1], _CONFIDENCES[:2]):
            surer = tuple(clue for clue in self.used if clue.confidence in confidences)
            if _values(name, surer) == final:
                pool = surer
                break
        for number in range(min(3, len(pool)) + 1):
            for few in combinations(pool, number):
                if _values(name, few) == final:
                    return few
        chosen = list(pool)
        for clue in reversed(pool):
            if _values(name, [other for other in chosen if other is not clue]) == final:
                chosen.remove(clue)
        return tuple(chosen)


def narrow(clues: Iterable[Clue]) -> Narrowed:
    """The layouts that fit all clues, taken in the order of their confidence.

    A clue that would leave no layout is not used; unless it is only likely, that is a disagreement. What several
    reports say in the same words counts once.
    """
    remaining = _all_numbers()
    used: list[Clue] = []
    conflicts: list[Inference] = []
    different: dict[str, Clue] = {}
    for clue in clues:
        different.setdefault(clue.evidence.text, clue)
    for clue in sorted(different.values(), key=lambda clue: _CONFIDENCES.index(clue.confidence)):
        if remaining & clue.fitting:
            remaining &= clue.fitting
            used.append(clue)
        elif clue.confidence != LIKELY:
            against = [other for other in used if not other.fitting & clue.fitting] or used
            evidence = tuple(other.evidence for other in (clue, *against))
            claim = "pgtlab does not know a kernel that prints " + ("all of this" if used else "this")
            conflicts.append(Inference("disagreement", "configuration", claim, evidence, DERIVED))
    return Narrowed(remaining, tuple(used), tuple(conflicts))


def common_values(narrowed: Narrowed) -> Iterator[Inference]:
    """What the layouts that remain have in common, one attribute after the other."""
    for name, claim_of in _CLAIMS.items():
        values = sorted({_column(name)[number] for number in narrowed.remaining})
        enough = narrowed.enough(name)
        if not enough or len(values) > (2 if name in _LISTED else 1):
            continue
        evidence = tuple(clue.evidence for clue in enough)
        confidence = max((clue.confidence for clue in enough), key=_CONFIDENCES.index)
        if len(values) == 1:
            if confidence == STATED and name not in _PRINTED:
                confidence = DERIVED
            if confidence == DERIVED and narrowed.conflicts:
                confidence = LIKELY
            yield Inference(name, values[0], claim_of(values[0]), evidence, confidence)
        elif confidence != LIKELY:
            for value, other in (values, reversed(values)):
                claim = f"{claim_of(value)}; {_shown(name, other)} would fit as well"
                if name == "va_bits" and max(values) == 52:
                    claim += ": on a CPU without 52-bit addresses a kernel for 52 bits has the same memory map"
                yield Inference(name, value, claim, evidence, POSSIBLE)


def _shown(name: str, value: int) -> str:
    """A value of an attribute, with its unit where it has one."""
    return f"{value >> 10} KiB" if name == "page_size" else str(value)


def _values(name: str, clues: Collection[Clue]) -> set[int]:
    """What an attribute may be by some of the clues."""
    left = _all_numbers().intersection(*(clue.fitting for clue in clues))
    return {_column(name)[number] for number in left}


@cache
def _all_numbers() -> frozenset[int]:
    return frozenset(range(len(layouts())))


@cache
def _column(name: str) -> tuple[int, ...]:
    return tuple(map(attrgetter(name), layouts()))
