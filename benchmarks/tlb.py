"""How fast a trace is run through TLBs, walk caches and tables, beside the same model in C.

    .venv/bin/python benchmarks/tlb.py [accesses]

Both walk the same tables in the same memory, with the same trace and geometry, in this process; their counts must be
equal. `tlb_peer.c` is compiled with the system's `cc -O2`. Each rate is the best of three, after one run to compile and
warm up.
"""

import ctypes
import resource
import sys
import time
import tracemalloc

import numpy as np
from c_peer import compiled, pointer

from pgtlab.arch.cost.tlb import TLB, Hardware, WalkCache
from pgtlab.arch.cost.trace import KINDS, trace
from pgtlab.arch.cost.walk_cost import Cost, simulate
from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1

HARDWARE = Hardware(
    l1=(TLB(48),),
    l2=(TLB(1024, ways=4),),
    walk_caches=tuple(WalkCache(16, ways=4, levels=(level,)) for level in (0, 1, 2)),
)
FOOTPRINT = 1 << 32
AREAS = {"1 GiB": 1 << 30, "4 MiB": 1 << 22}  # more than the L2 TLB reaches, and as much as it reaches


class Tables(ctypes.Structure):
    _fields_ = (
        ("words", ctypes.c_void_p),
        ("base", ctypes.c_uint64),
        ("root", ctypes.c_uint64),
        ("start_level", ctypes.c_int64),
        ("shift", ctypes.c_uint64),
        ("bits_per_level", ctypes.c_uint64),
        ("input_bits", ctypes.c_uint64),
    )


class Counts(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("l1_hits", "l2_hits", "walks", "faults")),
        ("reads", ctypes.c_uint64 * 4),
        ("walk_cache_hits", ctypes.c_uint64 * 4),
    )


class Peer:
    """The C program over the memory of `mmu`."""

    def __init__(self, mmu):
        self.simulate = compiled("tlb_peer").simulate
        r, banks = mmu.lower, mmu.memory.banks()
        assert len(banks.base) == 1, "the C program indexes memory from one base"
        self.tables = Tables(
            pointer(banks.words),
            int(banks.base[0]),
            *(r.base, r.start_level, r.granule.shift, r.granule.bits_per_level, r.input_bits),
        )
        self.geometry = np.array([(cache.entries, cache.ways) for cache in HARDWARE], np.uint64)

    def __call__(self, vas):
        counts = Counts()
        arrays = pointer(self.geometry), pointer(vas), ctypes.c_uint64(len(vas))
        assert self.simulate(ctypes.byref(self.tables), *arrays, ctypes.byref(counts)) == 0
        return Cost(
            len(vas),
            (counts.l1_hits,),
            (counts.l2_hits,),
            (*counts.walk_cache_hits, 0),
            (*counts.reads, 0),
            counts.walks,
            counts.faults,
        )


def best_of_three(function, vas):
    """The rate in millions of accesses a second, and the result."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        cost = function(vas)
        times.append(time.perf_counter() - start)
    return len(vas) / min(times) / 1e6, cost


def main(accesses):
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16))
    first, unused = int(mapper.mmu.ttbr0), int(mapper.mmu.ttbr1)
    mapper.mmu.memory.write(first, np.zeros((unused - first) // 8 + 512, np.uint64))  # memory without a gap
    mapper.map_range(0, 0, FOOTPRINT, blocks=False, contiguous=False)
    mmu = mapper.mmu

    def ours(vas):
        return simulate(mmu, vas, HARDWARE)

    peer = Peer(mmu)
    ours(trace("uniform", 0, 1 << 30, 1000))
    memory(ours, trace("uniform", 0, 1 << 30, 10**7))  # first, since the resident set is known by its largest size only
    print(f"{accesses:,} accesses, {HARDWARE.l1[0].entries} + {HARDWARE.l2[0].entries} entries, LRU")
    print(f"{'trace':24}{'pgtlab M/s':>12}{'cc -O2 M/s':>12}{'ratio':>8}")
    worst = np.inf
    for area, size in AREAS.items():
        for kind in KINDS:
            vas = trace(kind, 0, size, accesses)
            (fast, cost), (peer_fast, peer_cost) = best_of_three(ours, vas), best_of_three(peer, vas)
            assert cost == peer_cost, f"{cost} is not {peer_cost}"
            worst = min(worst, fast / peer_fast)
            print(f"{kind + ' over ' + area:24}{fast:12.1f}{peer_fast:12.1f}{fast / peer_fast:8.2f}")
    print(f"all counts are equal; worst ratio {worst:.2f}, limit 0.50")
    print("\nlinearity, uniform over 1 GiB:")
    for n in (10**5, 10**6, 10**7):
        rate, _ = best_of_three(ours, trace("uniform", 0, 1 << 30, n))
        print(f"{n:12,} accesses {n / rate / 1e3:10.1f} ms {rate:8.1f} M/s")


def memory(function, vas):
    """How much more than the trace a run needs: allocations that Python sees, and growth of the whole process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    function(vas)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{len(vas):,} accesses need {peak / 1e6:.1f} MB beside the trace; the resident set grew by", end=" ")
    print(f"{(after - before) / 1e3:.1f} MB\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10**7)
