"""Which kernels are left when every clue in a log has ruled some out, and what those have in common.

Every kernel that pgtlab knows is a candidate at first (`layout.layouts()`): configuration, CPU, versions, size of
`struct mem_section`. Where those that remain differ, each value is possible; where no clue matters, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from pgtlab.linux.oops.inference import CONFIDENCE, DERIVED, LIKELY, POSSIBLE, STATED, Clue, Inference
from pgtlab.linux.oops.layout import Layout, layouts

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
_PRINTED = ("page_size", "vabits_actual")  # the others are never in a log in so many words


@dataclass(frozen=True)
class Narrowed:
    """The layouts that remain, the clues that were used, which layouts each of them fits, and what disagreed."""

    layouts: tuple[Layout, ...]
    used: tuple[Clue, ...]
    fitting: tuple[frozenset[Layout], ...]
    conflicts: tuple[Inference, ...]

    def values(self, attribute: Callable[[Layout], int], clues: Iterable[int]) -> frozenset[int]:
        """What an attribute may be by some of the clues."""
        left = frozenset(layouts()).intersection(*(self.fitting[at] for at in clues))
        return frozenset(map(attribute, left))

    def enough(self, attribute: Callable[[Layout], int]) -> list[int]:
        """The fewest clues that say as much of an attribute as all do, of those the surest."""
        final = self.values(attribute, range(len(self.used)))
        every = range(0)
        for confidence in (STATED, DERIVED, LIKELY):  # they are in this order
            every = range(
                sum(
                    tuple(CONFIDENCE).index(clue.confidence) <= tuple(CONFIDENCE).index(confidence)
                    for clue in self.used
                )
            )
            if self.values(attribute, every) == final:
                break
        for number in range(min(3, len(every)) + 1):
            for some in combinations(every, number):
                if self.values(attribute, some) == final:
                    return list(some)
        chosen = list(every)
        for at in reversed(every):
            if self.values(attribute, [one for one in chosen if one != at]) == final:
                chosen.remove(at)
        return chosen


def narrow(clues: Sequence[Clue]) -> Narrowed:
    """The layouts that fit all clues, the surer ones first; one that would leave nothing is left out.

    Where it was a sure one, that is a disagreement.
    """
    remaining = frozenset(layouts())
    used: list[Clue] = []
    fitting: list[frozenset[Layout]] = []
    conflicts: list[Inference] = []
    for clue in sorted(clues, key=lambda clue: (STATED, DERIVED, LIKELY).index(clue.confidence)):
        fits = frozenset(layout for layout in layouts() if clue.fits(layout))
        if remaining & fits:
            remaining &= fits
            used.append(clue)
            fitting.append(fits)
        elif clue.confidence != LIKELY:
            against = [other.evidence for other, its in zip(used, fitting, strict=True) if not its & fits]
            evidence = (clue.evidence, *(against or [other.evidence for other in used]))
            claim = "pgtlab knows no kernel that writes " + ("all of this" if used else "this")
            conflicts.append(Inference("disagreement", "configuration", claim, evidence, DERIVED))
    ordered = tuple(layout for layout in layouts() if layout in remaining)
    return Narrowed(ordered, tuple(used), tuple(fitting), tuple(conflicts))


def conclusions(narrowed: Narrowed) -> Iterator[Inference]:
    """What the layouts that remain have in common, one matter after the other."""
    for name, attribute in _ATTRIBUTES.items():
        values = sorted({attribute(layout) for layout in narrowed.layouts})
        enough = narrowed.enough(attribute)
        if not enough or len(values) > (2 if name in _LISTED else 1):
            continue
        clues = [narrowed.used[at] for at in enough]
        evidence = tuple(clue.evidence for clue in clues)
        sure = max((clue.confidence for clue in clues), key=tuple(CONFIDENCE).index)
        if len(values) == 1:
            sure = DERIVED if sure == STATED and name not in _PRINTED else sure
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
