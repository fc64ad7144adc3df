"""Where the architecture leaves a walk's answer to the CPU, and which answer the model gives, in sentences."""

from __future__ import annotations

from pgtlab.arch.attributes import memory_type
from pgtlab.arch.descriptor import Leaf
from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.steps import Walk


def choices(walk: Walk) -> tuple[str, ...]:
    """The choices that a walk met, in the order in which it met them.

    >>> from pgtlab.arch.memory import Memory
    >>> from pgtlab.arch.mmu import MMU
    >>> from pgtlab.arch.registers import TCR_EL1
    >>> [choice] = choices(MMU(Memory(0, 0, 12), TCR_EL1(T0SZ=10)).translate(0))
    >>> choice[:46]
    'TCR_EL1.T0SZ=10 is not between 16 and 48: here'
    """
    met = list(walk.va_range.choices)
    leaf = walk.steps[-1].descriptor if walk.steps else None
    if not isinstance(leaf, Leaf):
        return tuple(met)
    r = walk.va_range
    if getattr(leaf, "nT", 0):
        met.append("nT=1: a CPU with FEAT_BBM may fault at this block; here it translates")
    entries, shift = r.format.contiguous_entries(leaf.level), r.granule.level_shift(leaf.level)
    if leaf.Contiguous and (leaf.oa >> shift) % entries != walk.steps[-1].index % entries:
        met.append(
            "Contiguous=1, but the address is not the one that the place in the run asks for: a CPU may use the run's, "
            "and here the entry's own counts"
        )
    if leaf.Contiguous and entries << shift > 1 << r.input_bits:
        met.append(
            "the contiguous run is larger than the range of addresses: a CPU may fault here, and this one does not"
        )
    if isinstance(walk.outcome, Fault):
        return tuple(met)
    if getattr(leaf, "SH", 0) == 0b01:
        met.append("SH=0b01 is reserved, and its meaning is left to the CPU")
    programmed = walk.programmed_type
    if programmed is not None and memory_type(programmed).startswith("reserved"):
        met.append(f"the byte {programmed:#04x} of MAIR_{r.ttbr[-3:]} is reserved")
    if walk.access is Access.FETCH and programmed is not None and programmed >> 4 == 0:
        met.append(
            "an instruction in Device memory: a CPU may fault; here it is fetched as from Normal Non-cacheable memory"
        )
    return tuple(met)
