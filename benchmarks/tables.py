"""How long it takes to read translation tables as a whole: as a tree, as mappings, on the way to an address, as a dump.

    .venv/bin/python benchmarks/tables.py

Sparse tables have one page each, at every third entry of level 2; full ones have 512 pages at random addresses, none of
which continues the one before. CPU time, the best of several.
"""

import time
from collections.abc import Callable
from itertools import islice

import numpy as np

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.mmu import MMU
from pgtlab.arch.registers import TCR_EL1, TTBR1_EL1
from pgtlab.arch.tables.columns import table_columns
from pgtlab.arch.tables.mappings import mapping_table
from pgtlab.arch.tables.tree import table_tree
from pgtlab.linux.image import Image
from pgtlab.linux.ptdump import ptdump

ROUNDS = 7
RECORDED = "tests/data/kernel/ptdump/4k-va48-max"
TCR = TCR_EL1(T0SZ=16, T1SZ=16, TG1=2, IPS=5)


def sparse(tables: int) -> MMU:
    """Tables with one page each."""
    mapper = Mapper.in_ram(TCR)
    for n in range(tables):
        mapper.map_range(3 * n << 21, 0x4000_0000 + (n << 12), 1 << 12)
    return mapper.mmu


def full(tables: int) -> MMU:
    """Tables full of pages at random physical addresses."""
    mapper = Mapper.in_ram(TCR)
    mapper.map_range(0, 0, tables << 21, blocks=False, contiguous=False)
    memory, rng = mapper.mmu.memory, np.random.default_rng(1)
    for table in list(memory.pages):
        words = memory.read(table, 512)
        pages = words & 0xFFF == 0x703
        memory.write(table, np.where(pages, rng.integers(0, 1 << 30, 512, dtype=np.uint64) << 12 | 0x703, words))
    return mapper.mmu


def measure(name: str, function: Callable[[], object]) -> None:
    """Print the best time."""
    function()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    print(f"{name:32}{min(times) * 1e3:9.2f} ms")


def as_upper(mmu: MMU) -> MMU:
    """The lower range's tables in the upper range, which a dump is of."""
    return MMU(mmu.memory, mmu.tcr, mmu.ttbr0, TTBR1_EL1(int(mmu.ttbr0)), mmu.mair, mmu.sctlr, mmu.pa_range)


def main() -> None:
    """Run and print."""
    image = Image.open(RECORDED)
    for what, mmu in ("10,000 sparse tables", as_upper(sparse(10_000))), ("500 full tables", as_upper(full(500))):
        print(what)
        vas = [3 * n << 21 for n in islice(range(0, 10_000, 200), 50)]
        measure("  table_tree", lambda mmu=mmu: table_tree(mmu))
        measure("  mapping_table", lambda mmu=mmu: mapping_table(mmu))
        measure("  table_columns, 50 addresses", lambda mmu=mmu, vas=vas: [table_columns(mmu, va) for va in vas])
        measure("  ptdump", lambda mmu=mmu: list(ptdump(mmu, image.boot)))
    print("a recorded kernel")
    measure("  table_tree", lambda: table_tree(image.mmu, upper=True))
    measure("  mapping_table", lambda: image.mappings())
    measure("  ptdump", lambda: list(image.ptdump()))


if __name__ == "__main__":
    main()
