"""How fast a trace is run through TLBs, walk caches and tables, beside the same model in C.

    .venv/bin/python benchmarks/tlb.py [accesses]

Both walk the same tables in the same memory, with the same trace and geometry, in this process; their counts must be
equal. `tlb_peer.c` is compiled with the system's `cc -O2`. Each rate is the best of three, after one run to compile and
warm up.
"""

import ctypes
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab.arch.tlb import TLB, Hardware, WalkCache
from pgtlab.arch.trace import KINDS, trace
from pgtlab.arch.walk_cost import Cost, simulate

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

    def __init__(self, mmu, folder):
        library = Path(folder) / "tlb_peer.so"
        source = Path(__file__).with_name("tlb_peer.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
        self.library = ctypes.CDLL(str(library))
        r, pages = mmu.lower, list(mmu.memory.pages)
        per_page = r.granule.size // 8
        self.words = np.zeros((pages[-1] - pages[0]) // 8 + per_page, np.uint64)
        for page in pages:
            first = (page - pages[0]) // 8
            self.words[first : first + per_page] = mmu.memory.read(page, per_page)
        self.tables = Tables(
            self.words.ctypes.data,
            pages[0],
            *(r.base, r.start_level, r.granule.shift, r.granule.bits_per_level, r.input_bits),
        )
        geometry = [(cache.entries, cache.ways) for cache in HARDWARE]
        self.geometry = np.array(geometry, np.uint64)

    def __call__(self, vas):
        counts = Counts()
        pointers = (ctypes.c_void_p(array.ctypes.data) for array in (self.geometry, vas))
        geometry, trace_at = pointers
        n = ctypes.c_uint64(len(vas))
        assert self.library.simulate(ctypes.byref(self.tables), geometry, trace_at, n, ctypes.byref(counts)) == 0
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
    mapper.map_range(0, 0, FOOTPRINT, blocks=False, contiguous=False)
    mmu = mapper.mmu

    def ours(vas):
        return simulate(mmu, vas, HARDWARE)

    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(mmu, folder)
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
