"""TLBs and walk caches, one access at a time, with what each entry holds.

`walk_cost` says in which order an access goes through them, and counts long traces. Here each step can be looked at:
which entry hits, which descriptors are read, which entry is filled, and what it held before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from pgtlab.arch.cost.tlb import TLB, Hardware, Replacement, WalkCache
from pgtlab.arch.cost.trace import TraceError
from pgtlab.arch.descriptor import Leaf, Table
from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.mmu import MMU
from pgtlab.arch.walk import Step, Translation, Walk
from pgtlab.arch.word import MASK64

PIECE_SHIFT = 12  # addresses that differ in lower bits only are translated alike, whatever the granule


class TLBEntry(NamedTuple):
    """What an entry holds: a leaf in a TLB, a table descriptor in a walk cache.

    Attributes
    ----------
    va, size : int
        The first address that it translates, and how many bytes it covers.
    level : int
        The level at which the descriptor was read.
    oa : int
        Where it leads: the address of the memory at `va`, or of the next table.
    asid : int or None
        The only ASID that may use it; None for all, where the descriptor has nG = 0.
    """

    va: int
    size: int
    level: int
    oa: int
    asid: int | None

    def __str__(self) -> str:
        owner = "all ASIDs" if self.asid is None else f"ASID {self.asid}"
        return f"{self.va:#x} + {self.size >> 10} KiB, level {self.level} -> {self.oa:#x}, {owner}"


class Slot(NamedTuple):
    """An entry of one of the caches of `Hardware`: L1 TLBs first, then L2, then walk caches."""

    cache: int
    slot: int


@dataclass(frozen=True)
class Fill:
    """An entry that was written, and what was evicted for it; None if it was empty."""

    at: Slot
    entry: TLBEntry
    evicted: TLBEntry | None


@dataclass(frozen=True)
class Accessed:
    """One access, and what it did.

    Attributes
    ----------
    va, asid : int
        The address, and whose it is.
    hit : Slot or None
        The entry of a TLB that had the translation.
    resumed : Slot or None
        The entry of a walk cache that let the walk begin further down.
    read : tuple of Step
        The descriptors that were read.
    filled : tuple of Fill
        The entries that were written, in order.
    outcome : Translation or Fault
        What the access got.
    """

    va: int
    asid: int
    hit: Slot | None
    resumed: Slot | None
    read: tuple[Step, ...]
    filled: tuple[Fill, ...]
    outcome: Translation | Fault


class Caches:
    """The TLBs and walk caches of `hardware`, empty at first, in front of the tables of `mmu`.

    Parameters are those of `walk_cost.simulate`, which counts the same.

    Raises
    ------
    TraceError
        If the MMU is off.

    Examples
    --------
    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
    >>> mapper.map_range(0, 0x8000_0000, 1 << 16, contiguous=False)
    >>> caches = Caches(mapper.mmu, Hardware(l1=(TLB(2),)))
    >>> for va in 0x1000, 0x1008, 0x2000, 0x3000:
    ...     access = caches.access(va)
    ...     print(hex(va), access.hit, [str(fill.evicted) for fill in access.filled])
    0x1000 None ['None']
    0x1008 Slot(cache=0, slot=0) []
    0x2000 None ['None']
    0x3000 None ['0x1000 + 4 KiB, level 3 -> 0x80001000, all ASIDs']
    >>> for entry in caches.entries(0):
    ...     print(entry)
    0x3000 + 4 KiB, level 3 -> 0x80003000, all ASIDs
    0x2000 + 4 KiB, level 3 -> 0x80002000, all ASIDs
    """

    def __init__(
        self, mmu: MMU, hardware: Hardware, *, access: Access = Access.READ, el: int | None = None, seed: int = 0
    ) -> None:
        check_on(mmu)
        self._mmu, self._hardware, self._access, self._el = mmu, hardware, access, el
        every = tuple(hardware)
        self._caches = tuple(_Cache(*each) for each in zip(every, _random_states(every, seed), strict=True))
        self._l1, l2 = range(len(hardware.l1)), len(hardware.l1) + len(hardware.l2)
        self._l2, self._walk_caches = range(len(hardware.l1), l2), range(l2, len(every))
        self._walks: dict[int, Walk] = {}  # the tables do not change

    def entries(self, cache: int) -> tuple[TLBEntry | None, ...]:
        """What the entries of a cache hold, set after set; None for an empty one."""
        return tuple(self._caches[cache].entries)

    def replaced_next(self, cache: int) -> tuple[int | None, ...]:
        """The slot of each set that is filled next: an empty one, or the victim; None where chance decides."""
        held = self._caches[cache]
        return tuple(map(held.next, range(held.geometry.sets)))

    def access(self, va: int, asid: int = 0) -> Accessed:
        """Translate one address.

        Raises
        ------
        ValueError
            If `va` has more than 64 bits.
        """
        walk = self._walks.get(va >> PIECE_SHIFT)
        if walk is None:
            walk = self._walks[va >> PIECE_SHIFT] = self._mmu.translate(va, self._access, self._el)
        outcome = walk.outcome
        leaf = None if isinstance(outcome, Fault) else self._leaf(walk, asid)
        filled: list[Fill] = []
        if leaf is not None:
            assert isinstance(outcome, Translation)
            outcome = replace(outcome, pa=leaf.oa + va % leaf.size)
            for stage in self._l1, self._l2:
                if hit := self._find(stage, leaf):
                    if stage is self._l2:
                        self._fill(self._l1, leaf, filled)
                    return Accessed(va, asid, hit, None, (), tuple(filled), outcome)
        tables = [self._table(step, walk, asid) for step in walk.steps[:-1]]
        resumed, begin = None, 0
        for n, table in reversed([*enumerate(tables, 1)]):
            if resumed := self._find(self._walk_caches, table):
                begin = n
                break
        for table in tables[begin:]:
            self._fill(self._walk_caches, table, filled)
        if leaf is not None:
            self._fill(self._l1, leaf, filled)
            self._fill(self._l2, leaf, filled)
        return Accessed(va, asid, None, resumed, walk.steps[begin:], tuple(filled), outcome)

    def _leaf(self, walk: Walk, asid: int) -> TLBEntry:
        """What a TLB keeps of a walk: a run with the Contiguous bit is one entry, where the hardware joins it."""
        step, format = walk.steps[-1], walk.va_range.format
        assert isinstance(step.descriptor, Leaf)
        joined = step.descriptor.Contiguous and self._hardware.coalesces
        size = (1 << format.granule.level_shift(step.level)) * (format.contiguous_entries(step.level) if joined else 1)
        oa = step.descriptor.oa & -size if joined else step.descriptor.oa
        return TLBEntry(_first(walk, size), size, step.level, oa, asid if step.descriptor.nG else None)

    def _table(self, step: Step, walk: Walk, asid: int) -> TLBEntry:
        """What a walk cache keeps of a table descriptor: it has no nG bit, so it belongs to the ASID that walked."""
        assert isinstance(step.descriptor, Table)
        size = 1 << walk.va_range.granule.level_shift(step.level)
        return TLBEntry(_first(walk, size), size, step.level, step.descriptor.oa, asid)

    def _holder(self, stage: range, level: int) -> int | None:
        return next((n for n in stage if level in self._caches[n].geometry.levels), None)

    def _find(self, stage: range, entry: TLBEntry) -> Slot | None:
        n = self._holder(stage, entry.level)
        slot = None if n is None else self._caches[n].find(entry)
        return None if n is None or slot is None else Slot(n, slot)

    def _fill(self, stage: range, entry: TLBEntry, filled: list[Fill]) -> None:
        n = self._holder(stage, entry.level)
        if n is not None:
            r = self._mmu.va_range(entry.va)
            number = (entry.va & (1 << r.input_bits) - 1) // entry.size
            slot, evicted = self._caches[n].fill(entry, number)
            filled.append(Fill(Slot(n, slot), entry, evicted))


class _Cache:
    """The entries of one cache, set after set, and what its replacement policy remembers."""

    def __init__(self, geometry: TLB | WalkCache, random: int) -> None:
        self.geometry = geometry
        self.entries: list[TLBEntry | None] = [None] * geometry.entries
        self._slots: dict[TLBEntry, int] = {}
        self._clock = 0
        self._used = [0] * geometry.entries  # when each was used last
        self._trees = [0] * geometry.sets  # for tree-PLRU: node n is bit n and has the children 2n and 2n + 1
        self._random = random

    def find(self, entry: TLBEntry) -> int | None:
        """The slot that holds `entry`, which is used with this; None if there is none."""
        slot = self._slots.get(entry)
        if slot is not None:
            self._use(slot)
        return slot

    def fill(self, entry: TLBEntry, number: int) -> tuple[int, TLBEntry | None]:
        """Put an entry for the piece `number` of the range in: its slot, and what it held before."""
        set = number % self.geometry.sets
        slot = self.next(set)
        if slot is None:
            slot = set * self.geometry.ways + self._draw()
        if (evicted := self.entries[slot]) is not None:
            del self._slots[evicted]
        self.entries[slot], self._slots[entry] = entry, slot
        self._use(slot)
        return slot, evicted

    def next(self, set: int) -> int | None:
        """The slot that is filled next: the first empty one, else the victim; None where chance decides."""
        ways = self.geometry.ways
        slots = range(set * ways, (set + 1) * ways)
        oldest = min(slots, key=self._used.__getitem__)
        if self.entries[oldest] is None or self.geometry.replacement is Replacement.LRU:
            return oldest
        if self.geometry.replacement is Replacement.RANDOM:
            return None
        node = 1
        while node < ways:
            node = 2 * node + (self._trees[set] >> node & 1)
        return slots[node - ways]

    def _use(self, slot: int) -> None:
        self._clock += 1
        self._used[slot] = self._clock
        if self.geometry.replacement is Replacement.TREE_PLRU:  # each node points to the half that was not used last
            set, way = divmod(slot, self.geometry.ways)
            node = self.geometry.ways + way
            while node > 1:
                bit = 1 << (node >> 1)
                self._trees[set] = self._trees[set] & ~bit if node & 1 else self._trees[set] | bit
                node >>= 1

    def _draw(self) -> int:
        # xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2016).
        x = self._random
        x ^= x >> 12
        x ^= x << 25 & MASK64
        x ^= x >> 27
        self._random = x
        return ((x * 0x2545_F491_4F6C_DD1D & MASK64) >> 32) * self.geometry.ways >> 32


def _first(walk: Walk, size: int) -> int:
    """The first address of the piece of `size` bytes that a walk is in, without a tag."""
    r = walk.va_range
    inside = walk.va & (1 << r.input_bits) - 1 & -size
    return inside | (-(1 << r.input_bits) & MASK64 if r.upper else 0)


def check_on(mmu: MMU) -> None:
    """Raise a `TraceError` if the MMU is off, or has a stage 2."""
    if mmu.stage2 is not None:
        raise TraceError("HCR_EL2.VM=1: the TLBs of the model hold translations of one stage only")
    if not mmu.sctlr.M:
        raise TraceError("SCTLR_EL1.M=0: with the MMU off nothing is translated; did you mean M=1?")


def _random_states(caches: tuple[TLB | WalkCache, ...], seed: int) -> Iterator[int]:
    """Where the random numbers of each cache begin, as in the compiled loop."""
    if all(cache.replacement is not Replacement.RANDOM for cache in caches):
        return iter([0] * len(caches))
    import numpy as np

    return iter(np.random.default_rng(seed).integers(1, 1 << 63, len(caches), np.uint64).tolist())
