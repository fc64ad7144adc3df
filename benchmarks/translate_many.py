"""Addresses translated per second: `translate_many`, C loops over the same memory, QEMU's `AT`, and `translate`.

    .venv/bin/python benchmarks/translate_many.py

4K granule, 48 bits, four levels, random addresses over tables of 64 KiB, 8 MiB and 64 MiB, one core. Each figure is the
best of several rounds, in which the contestants take turns; all of them make new arrays for their results. The plain C
loop finds addresses alone; the full one also finds the status codes, levels and attributes that `translate_many` does,
and the benchmark checks that they are equal.
"""

import sys
import time
from collections.abc import Callable
from ctypes import c_size_t, c_uint64
from pathlib import Path

import numpy as np
from c_peer import compiled, pointer

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import MAIR_EL1, TCR_EL1
from pgtlab.arch.translations import Translations

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from oracle.qemu import missing_tools
from oracle.rate import at_rate

ROUNDS = 7
RAM = 0x4000_0000


def regime(table_bytes: int, rng: np.random.Generator) -> tuple[MMU, int]:
    """Tables of about that many bytes, full of pages at random physical addresses; and how much they map."""
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16, IPS=5), base=RAM, mair=MAIR_EL1(Attr0=0xFF))
    upper = 4 + table_bytes // 4096 // 512  # the tables above level 3, and the empty one of the other range
    span = (table_bytes // 4096 - upper) << 21
    memory = mapper.mmu.memory
    memory.write(RAM, np.zeros(1024, np.uint64))  # both first tables, so that memory begins here and has no gap
    mapper.map_range(0, 0, span, blocks=False, contiguous=False)
    for table in memory.pages:
        words = memory.read(table, 512)
        pages = words & 0xFFF == 0x703  # leaves, with AF and SH; tables have neither
        addresses = rng.integers(0, 1 << 36, 512, dtype=np.uint64) << 12
        memory.write(table, np.where(pages, addresses | 0x703, words))
    return mapper.mmu, span


def best(contestants: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds that each contestant takes at best, taking turns."""
    seconds = dict.fromkeys(contestants, float("inf"))
    for _ in range(ROUNDS):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def contestants(mmu: MMU, vas: np.ndarray, walk) -> dict[str, Callable[[], object]]:
    """Each as a function without arguments."""
    banks = mmu.memory.banks()
    assert banks.base.tolist() == [RAM], "the C loops index memory from one base"
    tables = pointer(banks.words), c_uint64(RAM), c_uint64(int(mmu.ttbr0))
    addresses = pointer(vas), c_size_t(len(vas))

    def plain() -> np.ndarray:
        pa = np.empty(len(vas), np.uint64)
        walk.walk_plain(*tables, *addresses, pointer(pa))
        return pa

    def full() -> Translations:
        found = Translations.empty(len(vas))
        walk.walk_full(*tables, c_uint64(int(mmu.mair)), *addresses, *map(pointer, found.arrays[:4]))
        return found

    return {"translate_many": lambda: mmu.translate_many(vas), "C, plain": plain, "C, full": full}


def main() -> None:
    """Run and print."""
    rng = np.random.default_rng(20240229)
    walk = compiled("walk")
    slowest = float("inf")
    print(f"{'tables':>8} {'addresses':>10} {'translate_many':>15} {'C, plain':>9} {'C, full':>9}   to plain  to full")
    for size, name in (64 << 10, "64 KiB"), (8 << 20, "8 MiB"), (64 << 20, "64 MiB"):
        mmu, span = regime(size, rng)
        for count in 10**6, 10**7:
            vas = rng.integers(0, span, count, dtype=np.uint64)
            players = contestants(mmu, vas, walk)
            many, plain, full = (run() for run in players.values())
            assert (many.pa == plain).all()
            assert not many.differs(full).any()
            rate = {player: count / seconds / 1e6 for player, seconds in best(players).items()}
            ours = rate["translate_many"]
            slowest = min(slowest, ours)
            print(
                f"{name:>8} {count:10,} {ours:11.0f} M/s {rate['C, plain']:5.0f} M/s {rate['C, full']:5.0f} M/s"
                f" {ours / rate['C, plain']:9.2f}x {ours / rate['C, full']:7.2f}x"
            )
    single = vas[:1000].tolist()
    [seconds] = best({"translate": lambda: [mmu.translate(va) for va in single]}).values()
    print(f"translate, with every step: {seconds / len(single) * 1e6:.0f} us (limit 100 us)")
    if missing := missing_tools():
        print(f"QEMU's AT: no figure. {missing}")
        return
    for pages in 1 << 12, 1 << 20, 1 << 23:
        at = at_rate(pages).per_second / 1e6
        print(f"QEMU's AT, {pages:>9,} pages: {at:.1f} M/s; translate_many at its slowest is {slowest / at:.1f}x that")


if __name__ == "__main__":
    main()
