"""Translation lookaside buffers and walk caches, as immutable descriptions.

A TLB holds leaves, so that a hit needs no walk. A walk cache holds table descriptors: a hit on one that was read at
level n lets the walk begin at level n + 1. `pgtlab.arch.cost.walk_cost` runs a trace through them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pgtlab.arch.granule import LAST_LEVEL

LEAF_LEVELS: Final = tuple(range(LAST_LEVEL + 1))
TABLE_LEVELS: Final = tuple(range(-1, LAST_LEVEL))
MOST_PLRU_WAYS: Final = 64


class TLBGeometryError(ValueError):
    """A TLB or walk cache that cannot be built."""


class Replacement(Enum):
    """Which entry of a full set is replaced. As long as a way is empty, the first empty one is filled."""

    LRU = "least recently used"
    TREE_PLRU = "tree pseudo-LRU"
    RANDOM = "random"


@dataclass(frozen=True)
class _Cache:
    entries: int
    ways: int
    replacement: Replacement
    levels: tuple[int, ...]

    def _check(self, possible: tuple[int, ...]) -> None:
        for name, value in ("entries", self.entries), ("ways", self.ways):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise TLBGeometryError(f"{name}={value!r}: a whole number from 1 on; did you mean 1?")
        if not self.levels or not {*self.levels} <= {*possible} or len({*self.levels}) < len(self.levels):
            raise TLBGeometryError(
                f"levels={self.levels}: a {type(self).__name__} has each level once and at least one; the choice is "
                f"{possible}"
            )
        if broken := _broken_rule(self.entries, self.ways, self.replacement):
            raise TLBGeometryError(f"{self._named()}: {broken}; did you mean {self._nearest()}?")

    def _named(self) -> str:
        plru = " with tree-PLRU" if self.replacement is Replacement.TREE_PLRU else ""
        return f"entries={self.entries}, ways={self.ways}{plru}"

    def _nearest(self) -> str:
        legal = [w for w in range(1, self.entries + 1) if not _broken_rule(self.entries, w, self.replacement)]
        if legal:
            return f"ways={min(legal, key=lambda ways: abs(ways - self.ways))}"
        # Without a legal number of ways it is tree-PLRU, where entries and ways are both powers of two.
        entries = _nearest_power_of_two(self.entries)
        return f"entries={entries}, ways={min(_nearest_power_of_two(self.ways), entries, MOST_PLRU_WAYS)}"

    @property
    def sets(self) -> int:
        """The number of sets; the low bits of an entry's page number choose one."""
        return self.entries // self.ways


@dataclass(frozen=True)
class TLB(_Cache):
    """A TLB: `entries` leaves in sets of `ways`, of those leaf levels that it is built for.

    Parameters
    ----------
    entries : int
        How many leaves it holds.
    ways : int, optional
        Entries in a set; fully associative unless given. The number of sets is a power of two.
    replacement : Replacement
        Which entry of a full set is replaced.
    levels : tuple of int
        The levels whose leaves it holds: 3 is pages, 0 to 2 are blocks.

    Raises
    ------
    TLBGeometryError
        Where it cannot be built.

    Examples
    --------
    >>> TLB(1280, ways=5).sets
    256
    >>> TLB(48, ways=5)
    Traceback (most recent call last):
    pgtlab.arch.cost.tlb.TLBGeometryError: entries=48, ways=5: 5 ways do not divide 48 entries; did you mean ways=6?
    """

    def __init__(
        self,
        entries: int,
        ways: int | None = None,
        replacement: Replacement = Replacement.LRU,
        levels: Iterable[int] = LEAF_LEVELS,
    ) -> None:
        super().__init__(entries, entries if ways is None else ways, replacement, tuple(levels))
        self._check(LEAF_LEVELS)


@dataclass(frozen=True)
class WalkCache(_Cache):
    """A walk cache: `entries` table descriptors in sets of `ways`, of those levels that it is built for.

    Parameters
    ----------
    entries : int
        How many table descriptors it holds.
    ways : int, optional
        Entries in a set; fully associative unless given. The number of sets is a power of two.
    replacement : Replacement
        Which entry of a full set is replaced.
    levels : tuple of int
        The levels at which the descriptors were read, -1 to 2. With more than one, they share the entries.

    Raises
    ------
    TLBGeometryError
        Where it cannot be built.
    """

    def __init__(
        self,
        entries: int,
        ways: int | None = None,
        replacement: Replacement = Replacement.LRU,
        levels: Iterable[int] = TABLE_LEVELS,
    ) -> None:
        super().__init__(entries, entries if ways is None else ways, replacement, tuple(levels))
        self._check(TABLE_LEVELS)


@dataclass(frozen=True)
class Hardware:
    """The TLBs and walk caches of a processing element.

    `l1` are looked up together, then `l2`, then the walk caches. Each may be empty. Where `coalesces`, a run of leaves
    with the Contiguous bit takes one entry; else each leaf of it takes one of its own, and the bit changes nothing.

    >>> Hardware(l1=(TLB(32, levels=(3,)), TLB(8)))
    Traceback (most recent call last):
    pgtlab.arch.cost.tlb.TLBGeometryError: two of l1 hold level 3: a level has one place in each; give it to one of them
    """

    l1: tuple[TLB, ...] = ()
    l2: tuple[TLB, ...] = ()
    walk_caches: tuple[WalkCache, ...] = ()
    coalesces: bool = True

    def __post_init__(self) -> None:
        for name, caches in ("l1", self.l1), ("l2", self.l2), ("walk_caches", self.walk_caches):
            levels = [level for cache in caches for level in cache.levels]
            if twice := [level for level in levels if levels.count(level) > 1]:
                raise TLBGeometryError(
                    f"two of {name} hold level {twice[0]}: a level has one place in each; give it to one of them"
                )

    def __iter__(self) -> Iterator[TLB | WalkCache]:
        yield from self.l1
        yield from self.l2
        yield from self.walk_caches


def _broken_rule(entries: int, ways: int, replacement: Replacement) -> str | None:
    if entries % ways:
        return f"{ways} ways do not divide {entries} entries"
    if (sets := entries // ways) & sets - 1:
        return f"{sets} sets are not a power of two"
    if replacement is Replacement.TREE_PLRU and (ways & ways - 1 or ways > MOST_PLRU_WAYS):
        return f"{ways} ways make no tree, which has a power of two of them, at most {MOST_PLRU_WAYS}"
    return None


def _nearest_power_of_two(value: int) -> int:
    below = 1 << value.bit_length() - 1
    return below if value - below <= 2 * below - value else 2 * below


#: Not a real core: round figures of the size that cores have, with a walk cache for the tables of each level.
PLAIN: Final = Hardware(
    l1=(TLB(48),),
    l2=(TLB(1024, ways=4),),
    walk_caches=tuple(WalkCache(16, ways=4, levels=(level,)) for level in TABLE_LEVELS),
)

#: Data side of Arm's Cortex-A53, which walks 4K and 64K tables: micro TLB, main TLB, and a walk cache that holds what
#: leads to last-level tables. Source: its Technical Reference Manual (DDI 0500), 5.1 and 5.2. The manuals do not say
#: how entries are replaced or whether contiguous runs are joined: LRU and "not joined" are guesses.
CORTEX_A53: Final = Hardware(
    l1=(TLB(10),), l2=(TLB(512, ways=4),), walk_caches=(WalkCache(64, ways=4, levels=(2,)),), coalesces=False
)
