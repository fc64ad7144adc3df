"""Stage 2 of the EL1&0 regime: a guest's physical addresses, which are intermediate (IPA), made real (Arm ARM D8.2.2).

VTCR_EL2 and VTTBR_EL2 say how its tables are read, HCR_EL2 what it does to stage 1. Its one range is a `VARange` too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.fault import Access, AccessDescriptor, Cause, Fault, FaultKind
from pgtlab.arch.granule import G4K, GRANULES, LARGEST_INPUT, LAST_LEVEL, Granule
from pgtlab.arch.memory_type import MemoryType, combined, forced, stage_2_type
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import HCR_EL2, VTCR_EL2, VTTBR_EL2, PARange
from pgtlab.arch.va_range import VARange, table_base

MOST_CONCATENATED = 4  # bits: up to 16 first tables lie side by side


@dataclass(frozen=True)
class Stage2:
    """Stage 2 as a walk needs it.

    `ptw` forbids tables of stage 1 in Device memory; `fwb` lets descriptors overrule stage 1's memory type; `cd` and
    `id` turn caches off for data and for instructions.
    """

    range: VARange
    ptw: bool
    fwb: bool
    cd: bool
    id: bool

    @classmethod
    def of(cls, vtcr: VTCR_EL2, vttbr: VTTBR_EL2, hcr: HCR_EL2, pa_range: PARange) -> Stage2:
        """Stage 2 as the registers have it.

        >>> stage2 = Stage2.of(VTCR_EL2(T0SZ=24, SL0=1, PS=2), VTTBR_EL2(0x4000_0000), HCR_EL2(VM=1), PARange.PA48)
        >>> stage2.range.input_bits, stage2.range.start_level, stage2.range.entries(1)
        (40, 1, 1024)
        """
        granule = next((g for g in GRANULES if g.tg0 == vtcr.TG0), G4K)  # a reserved value counts as 4K, as in stage 1
        packing = OutputAddress.of(granule, ds=bool(vtcr.DS), pa_bits=pa_range.bits)
        input_bits = 64 - vtcr.T0SZ
        largest = min(LARGEST_INPUT if packing is OutputAddress.LPA2 or granule.shift == 16 else 48, pa_range.bits)
        output_bits = min(PARange(min(vtcr.PS, PARange.PA52)).bits, pa_range.bits, packing.bits)
        start = _start_level(granule, vtcr, pa_range) if granule.smallest_input <= input_bits <= largest else None
        if start is not None:
            own_bits = input_bits - granule.level_shift(start)  # that the first tables resolve
            if not 1 <= own_bits <= granule.bits_per_level + MOST_CONCATENATED:
                start = None
        choices = []
        if granule.tg0 != vtcr.TG0:
            choices.append("VTCR_EL2.TG0=0b11 is reserved, and a CPU may take it for any granule: here 4K")
        if vtcr.PS > PARange.PA52:
            choices.append(f"VTCR_EL2.PS=0b111 is reserved: here it counts as {output_bits} bits")
        wide = packing is OutputAddress.LPA2 or (granule.shift == 16 and output_bits == 52)
        return cls(
            VARange(
                upper=False,
                format=DescriptorFormat(granule, packing, stage=2),
                input_bits=input_bits,
                start_level=start,
                output_bits=output_bits,
                base=0 if start is None else table_base(int(vttbr), own_bits + 3, wide),
                tbi=False,
                tbid=False,
                epd=False,
                e0pd=False,
                hpd=True,
                ha=bool(vtcr.HA),
                hd=bool(vtcr.HA and vtcr.HD),
                wxn=False,
                sh=vtcr.SH0,
                ttbr="VTTBR_EL2",
                choices=tuple(choices),
            ),
            ptw=bool(hcr.PTW),
            fwb=bool(hcr.FWB),
            cd=bool(hcr.CD),
            id=bool(hcr.ID),
        )

    def refusal(self, ipa: int) -> Fault | None:
        """Why an IPA is not looked up in tables; None where it is."""
        r = self.range
        if r.start_level is None:
            return Fault(FaultKind.TRANSLATION, 0, Cause.START_LEVEL)
        if ipa >> r.input_bits:
            return Fault(FaultKind.TRANSLATION, 0, Cause.INPUT_ADDRESS)
        return r.refusal(el=1)

    def is_device(self, mem_attr: int) -> bool:
        """Whether a leaf with this MemAttr makes a table of stage 1, which is Normal memory there, Device memory."""
        return not mem_attr & 0b100 if self.fwb else mem_attr >> 2 == 0

    def memory_type(
        self, one: MemoryType, mem_attr: int, fnxs: bool, d: AccessDescriptor, *, on_walk: bool = False
    ) -> MemoryType:
        """The type of memory that is of type `one` by stage 1, through a leaf with this MemAttr and FnXS."""
        two = forced(one, mem_attr, fnxs) if self.fwb else stage_2_type(mem_attr, fnxs)
        fetch = d.fetch and not on_walk
        device_as_normal = fetch or (on_walk and not self.ptw)
        off = self.id if fetch else self.cd and two.device is None
        if off or (two.device is not None and device_as_normal):
            two = two.without_caches()
        return two if self.fwb else combined(one, two)


def stage_2_permitted(access: Access, el: int, s2ap: Any, xn: Any, xnx: Any) -> Any:
    """1 where stage 2 allows an access, else 0; XN and XNX together name who may execute (FEAT_XNX).

    >>> [stage_2_permitted(Access.FETCH, el, s2ap=1, xn=0, xnx=1) for el in (0, 1)]
    [1, 0]
    """
    if access is Access.READ:
        return s2ap & 1
    if access is Access.WRITE:
        return s2ap >> 1 & 1
    return 1 ^ (xn ^ xnx if el else xn)


def _start_level(granule: Granule, vtcr: VTCR_EL2, pa_range: PARange) -> int | None:
    """The level that VTCR_EL2.SL0 and SL2 name; None where the value is reserved, or the CPU's addresses too small."""
    least_bits = {0: 44, 1: 42 if granule.shift == 14 else 44}  # to begin at level 0, or at level 1 with large granules
    if granule.shift == 12:
        above = vtcr.SL2 & vtcr.DS
        level = {0: 2, 1: 1, 2: 0, 3: LAST_LEVEL, 4: -1}.get(above << 2 | vtcr.SL0)
        return None if level == 0 and pa_range.bits < least_bits[0] else level
    level = LAST_LEVEL - vtcr.SL0
    if level == 0 and (granule.shift == 16 or not vtcr.DS):
        return None
    return None if level == 1 and pa_range.bits < least_bits[1] else level
