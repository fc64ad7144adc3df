"""What translation costs: a trace run through TLBs, walk caches and the real tables, and counted.

Each access goes this way, and no other order is modelled (nor time, nor walks that overlap):

1. The L1 TLBs are looked up. A hit ends it.
2. The L2 TLBs are looked up. A hit there is also filled into L1, and ends it.
3. The walk caches are looked up, those of the deepest level first, until one hits. A hit on a descriptor of level n
   lets the walk begin at level n + 1; without a hit it begins at the start level.
4. The walk reads one descriptor a level. Each table descriptor that it reads is filled into the walk cache for its
   level, also where the walk ends in a fault. A leaf is filled into L1 and L2.

No cache includes another: what is evicted from L2 stays in L1. The tables decide how much an entry covers (the leaf's
level, and a contiguous run where the hardware coalesces them) and whom it belongs to: with nG = 1 to one ASID, else to
all. A table descriptor has no nG bit, and a walk cache keeps it for the ASID that walked. An access that faults is
counted, and no TLB keeps its leaf; hardware may keep one that only lacks a permission.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgtlab.arch.cost.counts import FAULTS, HITS, READS, WALK_CACHE_HITS, WALKS
from pgtlab.arch.cost.tlb import PLAIN, Hardware
from pgtlab.arch.cost.tlb_entries import PIECE_SHIFT, Caches, check_on
from pgtlab.arch.cost.trace import TraceError
from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.mmu import MMU

if TYPE_CHECKING:
    from pgtlab.arch.memory import U64

    Run = Callable[[U64, NDArray[np.uint16], NDArray[np.int64]], None]


CHUNK: Final = 1 << 18  # accesses between two updates of the progress bar
LARGEST_ASID: Final = 0xFFFF


@dataclass(frozen=True)
class Cost:
    """The cost of a trace.

    `l1_hits` and `l2_hits` have one number for each TLB, in the order of the hardware. `reads`, of descriptors, and
    `walk_cache_hits` have one for each level: `reads[level]`, where level -1 is the last element, as Python counts.
    `walks` are accesses that read the tables; `faults` are those that end in a fault, with or without a walk.

    >>> a = Cost(10, (6,), (2,), (0, 0, 0, 0, 0), (2, 2, 2, 2, 0), 2, 0)
    >>> a.misses, a.reads_per_access
    (2, 0.8)
    """

    accesses: int
    l1_hits: tuple[int, ...]
    l2_hits: tuple[int, ...]
    walk_cache_hits: tuple[int, ...]
    reads: tuple[int, ...]
    walks: int
    faults: int
    windows: tuple[Cost, ...] = ()

    @property
    def misses(self) -> int:
        """Accesses that no TLB had an entry for."""
        return self.accesses - sum(self.l1_hits) - sum(self.l2_hits)

    @property
    def reads_per_access(self) -> float:
        """Descriptors read for each access, on average."""
        return sum(self.reads) / max(1, self.accesses)

    @property
    def reads_per_walk(self) -> float:
        """Descriptors read for each walk, on average."""
        return sum(self.reads) / max(1, self.walks)

    def over_time(self, name: str) -> NDArray[np.float64]:
        """A number of each window: a field or property by its name, those with several elements summed.

        >>> Cost(2, (), (), (), (3, 0), 2, 0, (Cost(1, (), (), (), (1, 0), 1, 0), Cost(1, (), (), (), (2, 0), 1, 0))
        ...     ).over_time("reads")
        array([1., 2.])
        """
        return np.array([np.sum(getattr(window, name)) for window in self.windows], np.float64)


def simulate(
    mmu: MMU,
    trace: ArrayLike,
    hardware: Hardware = PLAIN,
    *,
    asids: ArrayLike | None = None,
    access: Access = Access.READ,
    el: int | None = None,
    seed: int = 0,
    windows: int = 0,
    progress: bool = False,
    chunk: int = CHUNK,
) -> Cost:
    """Count what `hardware` does to translate a trace, from empty caches on.

    Parameters
    ----------
    mmu : MMU
        Its tables are walked, and are not changed. All ASIDs share them.
    trace : array of uint64
        Virtual addresses.
    hardware : Hardware
        TLBs and walk caches.
    asids : array of uint16, optional
        The ASID of each access; one for all unless given.
    access, el
        What is done with each address, and at which exception level.
    seed : int
        For random replacement: the same seed, the same counts.
    windows : int
        Cut the trace into so many parts, all but the last of one length, and count each as well.
    progress : bool
        Show a progress bar in a terminal, once it takes longer than a second.
    chunk : int
        How many accesses run between two updates of that bar; changes nothing else.

    Returns
    -------
    Cost

    Raises
    ------
    TraceError
        Where the trace is not one-dimensional, the ASIDs are not of its length or have more than 16 bits, the MMU is
        off, or `windows` or `chunk` is out of range.
    ValueError
        Where an address has more than 64 bits, or `el` is neither 0 nor 1.

    Examples
    --------
    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
    >>> mapper.map_range(0, 0, 1 << 20, contiguous=False)
    >>> cost = simulate(mapper.mmu, np.arange(0, 1 << 20, 64), Hardware())
    >>> cost.walks, cost.reads
    (16384, (16384, 16384, 16384, 16384, 0))
    >>> simulate(mapper.mmu, np.arange(0, 1 << 20, 64)).walks
    256
    """
    from pgtlab.progress_bar import tqdm

    el = mmu.level(el)
    vas, owners = _checked(mmu, trace, asids, el, windows, chunk)
    run = _runner(mmu, hardware, access, el, seed)
    counted = np.zeros((max(windows, 1), HITS + len(list(hardware))), np.int64)
    length = -(-len(vas) // len(counted))
    with tqdm(total=len(vas), unit=" accesses", unit_scale=True, delay=1, disable=None if progress else True) as bar:
        for counts, start, stop in _pieces(counted, length, chunk, len(vas)):
            run(vas[start:stop], owners[start:stop], counts)
            bar.update(stop - start)
    sizes = np.clip(len(vas) - length * np.arange(len(counted)), 0, length)
    parts = tuple(_cost(hardware, int(n), counts) for n, counts in zip(sizes, counted, strict=True)) if windows else ()
    return _cost(hardware, len(vas), counted.sum(axis=0), parts)


def costs_so_far(
    mmu: MMU,
    trace: ArrayLike,
    hardware: Hardware = PLAIN,
    *,
    asids: ArrayLike | None = None,
    access: Access = Access.READ,
    el: int | None = None,
    seed: int = 0,
    chunk: int = CHUNK,
    compiled: bool = True,
) -> Iterator[Cost]:
    """The counts of `simulate` as they grow: after each `chunk` accesses the cost of all so far.

    Parameters and errors are those of `simulate`; the last cost is what it gives. Without `compiled`, Python alone
    counts, some 10,000 accesses a second: for the beginning of a trace where numba is missing, or would first compile
    for seconds.

    >>> from pgtlab.arch.mapper import Mapper
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
    >>> mapper.map_range(0, 0, 1 << 20, contiguous=False)
    >>> [cost.walks for cost in costs_so_far(mapper.mmu, np.arange(0, 1 << 20, 64), chunk=1 << 13)]
    [128, 256]
    >>> [cost.walks for cost in costs_so_far(mapper.mmu, np.arange(0, 1 << 14, 64), chunk=1 << 7, compiled=False)]
    [2, 4]
    """
    el = mmu.level(el)
    vas, owners = _checked(mmu, trace, asids, el, 0, chunk)
    run = (_runner if compiled else _plain_runner)(mmu, hardware, access, el, seed)
    counts = np.zeros(HITS + len(list(hardware)), np.int64)
    for _, start, stop in _pieces(counts[np.newaxis], len(vas), chunk, len(vas)):
        run(vas[start:stop], owners[start:stop], counts)
        yield _cost(hardware, stop, counts)


def is_compiled() -> bool:
    """Whether the loop of `simulate` was compiled, or loaded, in this process: the first time takes seconds."""
    loop = sys.modules.get("pgtlab.arch.cost.tlb_loop")
    run_trace = getattr(loop, "run_trace", None)  # which is missing while another thread imports the module
    return run_trace is not None and bool(run_trace.signatures)


def _checked(
    mmu: MMU, trace: ArrayLike, asids: ArrayLike | None, el: int, windows: int, chunk: int
) -> tuple[U64, NDArray[np.uint16]]:
    """The addresses and the ASIDs of a trace that can be run."""
    from pgtlab.arch.translations import as_addresses

    mmu.level(el)
    vas = as_addresses(trace)
    owners = _asids(asids, len(vas) if vas.ndim == 1 else 0)
    _check(mmu, vas, windows, chunk)
    return vas, owners


def _runner(mmu: MMU, hardware: Hardware, access: Access, el: int, seed: int) -> Run:
    """`hardware` with nothing in it, as a function that runs a part of a trace with its ASIDs and adds to counts."""
    try:
        from pgtlab.arch.cost import tlb_loop
    except ModuleNotFoundError as error:
        if error.name != "numba":
            raise
        return _plain_runner(mmu, hardware, access, el, seed)
    run_trace: Any = tlb_loop.run_trace
    m, layout = tlb_loop.empty_caches(mmu, hardware, seed)
    halves = [tlb_loop.Half.of(r, access, el) for r in (mmu.lower, mmu.upper)]

    def run(vas: U64, asids: NDArray[np.uint16], counts: NDArray[np.int64]) -> None:
        pieces = vas >> np.uint64(PIECE_SHIFT)
        first = np.append(True, pieces[1:] != pieces[:-1])
        walks = tlb_loop.Walks.of(mmu.translate_many(vas[first], access, el), coalesces=hardware.coalesces)
        run_trace(m, layout, *halves, np.ascontiguousarray(vas), np.ascontiguousarray(asids), walks, counts)

    return run


def _plain_runner(mmu: MMU, hardware: Hardware, access: Access, el: int, seed: int) -> Run:
    """The same in Python alone."""
    caches = Caches(mmu, hardware, access=access, el=el, seed=seed)

    def run(vas: U64, asids: NDArray[np.uint16], counts: NDArray[np.int64]) -> None:
        for va, asid in zip(vas.tolist(), asids.tolist() or repeat(0)):  # noqa: B905 (repeat() has no end)
            done = caches.access(va, asid)
            if done.hit:
                counts[HITS + done.hit.cache] += 1
                continue
            counts[WALKS] += bool(done.read)
            counts[FAULTS] += isinstance(done.outcome, Fault)
            for step in done.read:
                counts[READS + 1 + step.level] += 1
            if done.resumed:
                counts[WALK_CACHE_HITS + done.read[0].level] += 1  # of the level above

    return run


def _pieces(
    counted: NDArray[np.int64], length: int, chunk: int, total: int
) -> Iterator[tuple[NDArray[np.int64], int, int]]:
    """The counts of each window with the parts of the trace that belong to it, each at most `chunk` long."""
    for window, counts in enumerate(counted):
        end = min((window + 1) * length, total)
        for start in range(window * length, end, chunk):
            yield counts, start, min(start + chunk, end)


def _cost(hardware: Hardware, accesses: int, counts: NDArray[np.int64], windows: tuple[Cost, ...] = ()) -> Cost:
    numbers = counts.tolist()
    hits = numbers[HITS:]
    l1, tlbs = len(hardware.l1), len(hardware.l1) + len(hardware.l2)

    def by_level(first: int) -> tuple[int, ...]:
        return (*numbers[first + 1 : first + 5], numbers[first])

    return Cost(
        accesses,
        tuple(hits[:l1]),
        tuple(hits[l1:tlbs]),
        by_level(WALK_CACHE_HITS),
        by_level(READS),
        numbers[WALKS],
        numbers[FAULTS],
        windows,
    )


def _asids(asids: ArrayLike | None, wanted: int) -> NDArray[np.uint16]:
    if asids is None:
        return np.empty(0, np.uint16)
    given = np.asarray(asids)
    if given.shape != (wanted,) or given.dtype.kind not in "iu":
        raise TraceError(
            f"asids has {given.dtype} of shape {given.shape}: one whole number for each access; the nearest shape is "
            f"({wanted},)"
        )
    if given.size and (given.min() < 0 or given.max() > LARGEST_ASID):
        worst = int(given.min() if given.min() < 0 else given.max())
        raise TraceError(f"ASID {worst}: an ASID has 16 bits; did you mean {0 if worst < 0 else LARGEST_ASID}?")
    return given.astype(np.uint16, copy=False)


def _check(mmu: MMU, vas: U64, windows: int, chunk: int) -> None:
    if vas.ndim != 1:
        raise TraceError(f"a trace of {vas.ndim} dimensions: it has one; did you mean .ravel()?")
    check_on(mmu)
    if windows < 0:
        raise TraceError(f"windows={windows}: it must be at least 0, for none")
    if chunk < 1:
        raise TraceError(f"chunk={chunk}: it must be at least 1")
