"""A small TLB to watch: short traces, and what each access does to the entries.

The TLB has so few entries that all can be seen, and a trace so few accesses that each can be followed. Everything else
is as in the long traces of `cost_comparison`: real tables are walked, and the TLB decides by itself what to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pgtlab.arch.cost.tlb import TLB, Hardware, Replacement
from pgtlab.arch.cost.tlb_entries import Accessed, Caches, TLBEntry
from pgtlab.arch.cost.trace import TraceError, zipf
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.mmu import MMU
from pgtlab.lab.cost_comparison import MAPPINGS, Regime

ACCESSES: Final = 48
AREA: Final = 0x2000_0000  # where the pages are: at the start of a block of every granule
TURN: Final = 8  # accesses that a process makes before the other one runs
_MEMORY, _KERNEL_MEMORY = 1 << 32, 1 << 33
_TABLES_AT, _TABLES_SIZE = 0x4000_0000, 1 << 30

Trace = list[tuple[int, int]]  # addresses, each with its ASID


def _one_process(pages: Callable[[int], list[int]]) -> Callable[[int, int], Trace]:
    return lambda page, kernel: [(AREA + at, 1) for at in pages(page)]


def _two_processes(page: int, kernel: int) -> Trace:
    """Both use the same three addresses, for memory of their own, and one of the kernel's, which they share."""
    places = [AREA, AREA + page, AREA + 2 * page, kernel]
    return [(places[i % 4] + 8 * (i // 4), 1 + i // TURN % 2) for i in range(ACCESSES)]


_TRACES: Final[Mapping[str, Callable[[int, int], Trace]]] = {
    "sequential": _one_process(lambda page: [i * page // 4 for i in range(ACCESSES)]),
    "loop": _one_process(lambda page: [i % 6 * page + 8 * (i // 6) for i in range(ACCESSES)]),
    "large loop": _one_process(lambda page: [i % 12 * page + 8 * (i // 12) for i in range(ACCESSES)]),
    "zipf": _one_process(lambda page: zipf(0, 24 * page, ACCESSES, step=page, exponent=1.2).tolist()),
    "two processes": _two_processes,
}
SHORT_TRACES: Final = {
    "sequential": "four words of a page, then the next page: one miss for each page",
    "loop": "six pages in turn: after one round all of them are in the TLB, if it has six entries",
    "large loop": "twelve pages in turn: LRU evicts each page just before it is used again",
    "zipf": "some of 24 pages far more often than others: the popular ones stay",
    "two processes": f"ASIDs 1 and 2 take turns of {TURN} accesses at the same addresses; the kernel's page is for all",
}
"""What each short trace visits."""

SMALL_TLBS: Final[Mapping[str, tuple[int, int]]] = {
    "8": (8, 8),
    "4": (4, 4),
    "4 sets of 2": (8, 2),
    "8 sets of 1": (8, 1),
}
"""The TLBs to choose from: entries, and ways of a set."""

POLICIES: Final = {"LRU": Replacement.LRU, "tree-PLRU": Replacement.TREE_PLRU, "random": Replacement.RANDOM}


@dataclass(frozen=True)
class WatchedAccess:
    """An access, and the TLB after it.

    Attributes
    ----------
    accessed : Accessed
        The access, and what it did.
    entries : tuple
        What each entry holds, set after set; None for an empty one.
    victims : tuple
        The entry of each set that is filled next; None where chance decides.
    """

    accessed: Accessed
    entries: tuple[TLBEntry | None, ...]
    victims: tuple[int | None, ...]

    @property
    def evicted(self) -> TLBEntry | None:
        """The translation that this access evicted."""
        return self.accessed.filled[0].evicted if self.accessed.filled else None

    @property
    def kind(self) -> str:
        """`hit`, or `fill` for a miss that fills an empty entry, or `evict` for one that evicts a translation."""
        return "hit" if self.accessed.hit else "fill" if self.evicted is None else "evict"


def small_tlb(name: str, policy: str) -> TLB:
    """The TLB of `SMALL_TLBS` with this name.

    >>> small_tlb("4 sets of 2", "LRU").sets
    4
    """
    return TLB(*SMALL_TLBS[name], POLICIES[policy])


@lru_cache(maxsize=64)
def watch(trace: str, regime: Regime, mapping: str, tlb: TLB) -> tuple[WatchedAccess, ...]:
    """Run a short trace through an empty TLB, one access after the other.

    Parameters
    ----------
    trace : str
        A name of `SHORT_TRACES`.
    regime : Regime
        Decides the size of a page, and the levels of a walk.
    mapping : str
        A name of `MAPPINGS`.
    tlb : TLB
        The TLB. There is no other, and no walk cache.

    Raises
    ------
    TraceError
        If there is no such trace or mapping.

    Examples
    --------
    >>> from pgtlab.lab.cost_comparison import regimes
    >>> eight = small_tlb("8", "LRU")
    >>> "".join(each.kind[0] for each in watch("loop", regimes("16k")[0], "pages", eight))
    'ffffffhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh'
    >>> "".join(each.kind[0] for each in watch("large loop", regimes("16k")[0], "pages", eight))
    'ffffffffeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee'
    """
    for kind, value, known in ("trace", trace, _TRACES), ("mapping", mapping, MAPPINGS):
        if value not in known:
            raise TraceError(f"unknown {kind} {value!r}: choose from {', '.join(known)}")
    mmu, kernel = _mapped(regime, mapping)
    caches, watched = Caches(mmu, Hardware(l1=(tlb,))), []
    for va, asid in _TRACES[trace](regime.range.granule.size, kernel):
        accessed = caches.access(va, asid)
        watched.append(WatchedAccess(accessed, caches.entries(0), caches.replaced_next(0)))
    return tuple(watched)


@lru_cache(maxsize=8)
def _mapped(regime: Regime, mapping: str) -> tuple[MMU, int]:
    """Tables with two blocks' worth of a process's memory, and a page of the kernel's: with its address."""
    mapper = Mapper.in_ram(regime.tcr, base=_TABLES_AT, size=_TABLES_SIZE)
    mapper.map_range(AREA, _MEMORY, 2 * regime.region, nG=1, **MAPPINGS[mapping])
    kernel = -(1 << regime.range.input_bits) & (1 << 64) - 1 | regime.range.granule.size
    mapper.map_range(kernel, _KERNEL_MEMORY, regime.range.granule.size, blocks=False, contiguous=False)
    return mapper.mmu, kernel
