"""What one more level costs: the same trace over the same mappings with several sizes of address.

A kernel built for 16K pages and 52 bits falls back to 47 bits where the CPU does not have LPA2, although the CPU could
use 48. `walk_costs` counts what that saves, and what 52 bits cost where there is LPA2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.cost.tlb import TABLE_LEVELS, TLB, Hardware, WalkCache
from pgtlab.arch.cost.trace import U64, TraceError, chase, sequential, strided, uniform, zipf
from pgtlab.arch.cost.walk_cost import Cost, simulate
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TCR_EL1
from pgtlab.arch.va_range import VARange
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config

ACCESSES: Final = 300_000 if find_spec("numba") else 1_000  # Python alone takes some 150 times as long
AREA_AT, AREA = 1 << 45, 1 << 33  # visited by the traces of one area
SCATTERED_BITS, SCATTERED = 47, 512  # regions that a trace all over the address space visits
PROCESSES, SLICE = 32, 2000  # how many take turns, and the accesses of one turn
MOST_REGIONS: Final = 4096  # in one trace: their tables take up to 512 MiB
_MEMORY_AT, _TABLES_AT, _TABLES_SIZE = 1 << 40, 0x4000_0000, 1 << 30

MAPPINGS: Final[Mapping[str, Mapping[str, bool]]] = {
    "pages": {"blocks": False, "contiguous": False},
    "contiguous": {"blocks": False, "contiguous": True},
    "blocks": {"blocks": True, "contiguous": False},
}
"""How memory is mapped: by pages, by runs of pages with the Contiguous bit, by blocks of level 2."""

TLBS: Final[Mapping[str, tuple[tuple[TLB, ...], tuple[TLB, ...]]]] = {
    "48 + 1024": ((TLB(48),), (TLB(1024, ways=4),)),
    "48": ((TLB(48),), ()),
    "10 + 512": ((TLB(10),), (TLB(512, ways=4),)),
    "64 + 4096": ((TLB(64),), (TLB(4096, ways=4),)),
}
"""TLBs of four sizes: L1 and L2. The third is that of a Cortex-A53; the others are round figures."""

_L1, _L2 = TLBS["48 + 1024"]
HARDWARE: Final[Mapping[str, Hardware]] = {
    "no walk cache": Hardware(_L1, _L2),
    "last tables": Hardware(_L1, _L2, (WalkCache(64, ways=4, levels=(2,)),)),
    "shared": Hardware(_L1, _L2, (WalkCache(64, ways=4),)),
    "each level": Hardware(_L1, _L2, tuple(WalkCache(16, ways=4, levels=(level,)) for level in TABLE_LEVELS)),
}
"""The same TLBs with four kinds of walk cache: none; 64 entries for the tables of level 3 only, as a Cortex-A53 has; 64
that all levels share; 16 for each level."""


@dataclass(frozen=True)
class Regime:
    """A granule and a size of address, as the TCR_EL1 that a kernel sets."""

    name: str
    tcr: TCR_EL1

    @classmethod
    def of(cls, running: Boot, va_bits: int | None = None) -> Regime:
        """The regime of a running kernel, or the same with another size of address.

        >>> regime = Regime.of(boot(Config("16k", 52), CPU.named("max,lpa2=off")))
        >>> regime, regime.levels, regime.first_table
        (Regime(16K/47), 3, 2048)
        """
        bits = running.vabits_actual if va_bits is None else va_bits
        lpa2 = " LPA2" if running.lpa2_is_enabled else ""
        tcr = TCR_EL1(running.tcr.value).replace(T0SZ=64 - bits, T1SZ=64 - bits)
        return cls(f"{running.config.granule}/{bits}{lpa2}", tcr)

    @cached_property
    def range(self) -> VARange:
        """The lower range; the upper one is the same."""
        return Mapper.in_ram(self.tcr).mmu.lower

    @property
    def region(self) -> int:
        """Bytes that a block of level 2 maps; the memory of traces is mapped in units of it."""
        return 1 << self.range.granule.level_shift(LAST_LEVEL - 1)

    @property
    def start_level(self) -> int:
        """The level at which a walk starts."""
        assert self.range.start_level is not None
        return self.range.start_level

    @property
    def levels(self) -> int:
        """How many levels a whole walk reads."""
        return LAST_LEVEL + 1 - self.start_level

    @property
    def first_table(self) -> int:
        """Entries of the first table."""
        return 1 << self.range.input_bits - self.range.granule.level_shift(self.start_level)

    def __repr__(self) -> str:
        return f"Regime({self.name})"


def regimes(page_size: int | str = "16k") -> tuple[Regime, ...]:
    """The regimes of a 52-bit kernel: on a CPU without 52-bit addresses, what it could use there, and with them.

    >>> regimes("16k"), regimes("4k")
    ((Regime(16K/47), Regime(16K/48), Regime(16K/52 LPA2)), (Regime(4K/48), Regime(4K/52 LPA2)))
    """
    config = Config(page_size, 52)
    without, full = (boot(config, CPU.named(n)) for n in ("max,lpa2=off" if config.ARM64_LPA2 else "cortex-a57", "max"))
    assert isinstance(without, Boot)
    assert isinstance(full, Boot)
    sizes = dict.fromkeys((without.vabits_actual, 48))
    return (*(Regime.of(without, bits) for bits in sizes), Regime.of(full))


@dataclass(frozen=True, eq=False)
class Workload:
    """A trace with a name; `asids` if several processes take turns."""

    name: str
    vas: U64
    asids: NDArray[np.uint16] | None = None


def _scattered(region: int, accesses: int, seed: int) -> U64:
    draw = np.random.default_rng(seed)
    places = draw.choice((1 << SCATTERED_BITS) // region, SCATTERED, replace=False).astype(np.uint64)
    inside = draw.integers(0, region // 8, accesses, np.uint64) * np.uint64(8)
    return draw.choice(places, accesses) * np.uint64(region) + inside


_KINDS: Final[dict[str, Callable[[int, int, int], U64]]] = {
    "sequential": lambda region, accesses, seed: sequential(AREA_AT, AREA, accesses),
    "strided": lambda region, accesses, seed: strided(AREA_AT, AREA, accesses, stride=1 << 16),
    "uniform": lambda region, accesses, seed: uniform(AREA_AT, AREA, accesses, seed=seed),
    "chase": lambda region, accesses, seed: chase(AREA_AT, AREA, accesses, step=4096, seed=seed),
    "zipf": lambda region, accesses, seed: zipf(AREA_AT, AREA, accesses, seed=seed),
    "scattered": _scattered,
    "processes": lambda region, accesses, seed: zipf(AREA_AT, AREA >> 5, accesses, seed=seed),
}
WORKLOADS: Final = {
    "sequential": "word after word of 8 GiB",
    "strided": "every 64 KiB of 8 GiB",
    "uniform": "any word of 8 GiB, as in a large hash table",
    "chase": "a random chain of pointers through the pages of 8 GiB",
    "zipf": "some pages of 8 GiB far more often than others",
    "scattered": "512 mappings anywhere in the address space",
    "processes": "32 processes take turns, each in its own 256 MiB",
}
"""The kinds of trace, and what they visit."""


def workload(name: str, region: int, accesses: int = ACCESSES, seed: int = 0) -> Workload:
    """The trace of `workloads()` with this name; `TraceError` if there is none.

    >>> workload("uniform", 1 << 25, 3).vas.shape
    (3,)
    """
    if name not in _KINDS:
        raise TraceError(f"unknown kind of trace {name!r}: choose from {', '.join(_KINDS)}")
    if accesses < 0:
        raise TraceError(f"accesses={accesses}: a trace has 0 or more")
    turns = (np.arange(accesses) // SLICE % PROCESSES).astype(np.uint16) if name == "processes" else None
    return Workload(name, _KINDS[name](region, accesses, seed), turns)


def workloads(region: int, accesses: int = ACCESSES, seed: int = 0) -> dict[str, Workload]:
    """A trace of each kind: over 8 GiB, all over the address space, and of processes that take turns.

    `region` is the size in bytes of a block of level 2, the unit in which memory is mapped.
    """
    return {name: workload(name, region, accesses, seed) for name in _KINDS}


@dataclass(frozen=True)
class Row:
    """The cost of one trace, one way of mapping and one kind of walk cache, in one regime."""

    trace: str
    mapping: str
    hardware: str
    regime: Regime
    cost: Cost

    def as_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        cost, levels = self.cost, (*range(self.regime.start_level, LAST_LEVEL + 1),)
        return {
            **{name: getattr(self, name) for name in ("trace", "mapping", "hardware")},
            "regime": self.regime.name,
            **{name: getattr(cost, name) for name in ("accesses", "misses", "walks", "faults")},
            "l1_hits": sum(cost.l1_hits),
            "l2_hits": sum(cost.l2_hits),
            "walk_cache_hits": {str(level): cost.walk_cache_hits[level] for level in levels[:-1]},
            "reads": {str(level): cost.reads[level] for level in levels},
            "reads_per_access": cost.reads_per_access,
            "reads_per_walk": cost.reads_per_walk,
        }


@dataclass(frozen=True)
class WalkCosts:
    """The same traces and mappings in several regimes.

    >>> costs = walk_costs(regimes("16k")[:2], traces=[workloads(1 << 25, 1000)["uniform"]])
    >>> [row.cost.reads_per_walk for row in costs.where(hardware="no walk cache")]
    [3.0, 4.0]
    """

    regimes: tuple[Regime, ...]
    rows: tuple[Row, ...]

    def where(self, **wanted: str | Regime) -> tuple[Row, ...]:
        """The rows whose fields have the given values."""
        return tuple(row for row in self.rows if all(getattr(row, name) == value for name, value in wanted.items()))

    def names(self, field: str) -> tuple[str, ...]:
        """The values of a field, in their order."""
        return tuple(dict.fromkeys(getattr(row, field) for row in self.rows))

    def as_dict(self) -> dict[str, Any]:
        """The comparison as plain data."""
        return {
            "regimes": [{"name": r.name, "levels": r.levels, "first_table": r.first_table} for r in self.regimes],
            "rows": [row.as_dict() for row in self.rows],
        }


def walk_costs(
    compared: Iterable[Regime],
    traces: Iterable[Workload] | None = None,
    mappings: Iterable[str] = ("pages",),
    hardware: Mapping[str, Hardware] = HARDWARE,
    *,
    accesses: int = ACCESSES,
    windows: int = 0,
    progress: bool = False,
) -> WalkCosts:
    """Run traces over the same mappings in each regime.

    Parameters
    ----------
    compared : sequence of Regime
        All of one granule.
    traces : sequence of Workload, optional
        `workloads()` by default. The regions that a trace visits, each as large as a block, are mapped.
    mappings : sequence of str
        Names from `MAPPINGS`.
    hardware : mapping of str to Hardware
        TLBs and walk caches, by name.
    accesses : int
        Length of the traces that are made here: by default 300,000, or 1,000 where numba is not installed.
    windows : int
        Number of parts in which each run is also counted.
    progress : bool
        Show a progress bar once it takes longer than a moment.

    Returns
    -------
    WalkCosts

    Raises
    ------
    TraceError
        If the granules differ, a mapping is unknown, or a trace visits too much to map.
    """
    from pgtlab.progress_bar import counted

    regimes = tuple(compared)
    granules = {regime.range.granule for regime in regimes}
    if len(granules) != 1:
        raise TraceError(f"{len(granules)} granules in one comparison: the same mappings need regimes of one granule")
    names = tuple(mappings)
    if unknown := [name for name in names if name not in MAPPINGS]:
        raise TraceError(f"unknown mapping {unknown[0]!r}: choose from {', '.join(MAPPINGS)}")
    region = regimes[0].region
    given = tuple(workloads(region, accesses).values() if traces is None else traces)
    regions = np.unique(np.concatenate([visited(workload, region) for workload in given]))
    rows = []
    total = len(names) * len(regimes) * len(given) * len(hardware)
    with counted(total, " runs", shown=progress) as done:
        for mapping in names:
            for regime in regimes:
                mmu = mapped(regime, regions, region, mapping)
                for workload in given:
                    for name, what in hardware.items():
                        cost = simulate(mmu, workload.vas, what, asids=workload.asids, windows=windows)
                        rows.append(Row(workload.name, mapping, name, regime, cost))
                        done()
    return WalkCosts(regimes, tuple(rows))


def visited(workload: Workload, region: int) -> U64:
    """The regions that the addresses of a trace lie in; `TraceError` if there are too many to map."""
    step = 1 << 20
    parts = [np.unique(workload.vas[i : i + step] // np.uint64(region)) for i in range(0, len(workload.vas), step)]
    regions = np.unique(np.concatenate([np.empty(0, np.uint64), *parts])) * np.uint64(region)
    if len(regions) > MOST_REGIONS:
        raise TraceError(
            f"{workload.name} visits {len(regions)} regions of {region >> 20} MiB: tables are made for up to "
            f"{MOST_REGIONS}; use a part of the trace that visits fewer"
        )
    return regions


def mapped(regime: Regime, regions: U64, region: int, mapping: str) -> MMU:
    """Tables that map `regions`, as far as the regime has addresses for them, to one stretch of memory."""
    mapper = Mapper.in_ram(regime.tcr, base=_TABLES_AT, size=_TABLES_SIZE)
    for first, count, before in _runs(regions, region):
        r = mapper.mmu.va_range(first)
        beyond = r.top_bits(fetch=True)
        if first & beyond == (beyond if r.upper else 0):
            mapper.map_range(first, _MEMORY_AT + before * region, count * region, nG=1, **MAPPINGS[mapping])
    return mapper.mmu


def _runs(regions: U64, region: int) -> list[tuple[int, int, int]]:
    """Runs of neighbouring regions: first address, number of regions, and number of regions before it."""
    starts = np.flatnonzero(np.diff(regions, prepend=regions[:1] - np.uint64(1)) != region)
    counts = np.diff(starts, append=len(regions))
    return list(zip(regions[starts].tolist(), counts.tolist(), starts.tolist(), strict=True))
