"""A guest's memory, as its own addresses have it."""

from __future__ import annotations

import numpy as np

from pgtlab.arch.descriptor import Stage2Leaf
from pgtlab.arch.memory import ZEROS, Memory
from pgtlab.arch.read_only_memory import Extent, ReadOnlyMemory
from pgtlab.arch.stage2 import Stage2
from pgtlab.arch.tables.mappings import mapped


def guest_memory(memory: Memory, stage2: Stage2) -> Memory:
    """What a guest can read of `memory`, by intermediate physical address, as it is at this moment.

    Time goes with the mappings of stage 2. A page that is not there yet, or that only hardware may use, is left out.
    """
    r = stage2.range
    if r.start_level is None or r.refusal(el=1) is not None:
        return ReadOnlyMemory(np.zeros(0, np.uint64), ())
    banks = memory.banks()
    extents = []
    for row in mapped(memory, r):
        word = int(row["descriptor"])
        readable = word >> Stage2Leaf.S2AP.lo & 1 and (r.ha or word & Stage2Leaf.AF.mask)
        ipa, pa, size = int(row["va"]), int(row["pa"]), int(row["size"])
        first = int(np.searchsorted(banks.end, np.uint64(pa), side="right"))
        for bank in range(first, len(banks.base) if readable else 0):
            low, high = max(pa, int(banks.base[bank])), min(pa + size, int(banks.end[bank]))
            if low >= high:
                break
            where = None
            if int(banks.first[bank]) != ZEROS:
                where = int(banks.first[bank]) + (low - int(banks.base[bank]) >> 3)
            extents.append(Extent(ipa + low - pa, where, high - low >> 3))
    return ReadOnlyMemory(banks.words, extents)
