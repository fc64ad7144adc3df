"""The two ranges of virtual addresses, and what TCR_EL1 decides for each (Arm ARM D8.1.8, D8.2).

TCR_EL2 decides the same for a host in EL2. `Stage2` has the one range of a guest's physical addresses.

Bit 55 of an address chooses: the lower range is translated through TTBR0_EL1, the upper one through TTBR1_EL1. Granule,
size, tagging and the rest are chosen for each on its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.fault import Cause, Fault, FaultKind
from pgtlab.arch.granule import G4K, GRANULES, LARGEST_INPUT, Granule
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import (
    SCTLR_EL1,
    TCR2_EL1,
    TCR_EL1,
    TCR_EL2,
    TTBR0_EL1,
    TTBR0_EL2,
    TTBR1_EL1,
    TTBR1_EL2,
    PARange,
    Shareability,
)
from pgtlab.arch.word import is_upper


@dataclass(frozen=True)
class VARange:
    """One range as a walk needs it: everything that follows from the registers, and nothing else.

    `sh` is the shareability from TCR_EL1, used where descriptors have no room for their own. `start_level` is None
    where TCR_EL1.TxSZ is outside the legal values; every address is then out of range. `hpd` is set with indirect
    permissions too, since tables then restrict nothing. `choices` says in sentences where registers have values with
    which CPUs may differ.
    """

    upper: bool
    format: DescriptorFormat
    input_bits: int
    start_level: int | None
    output_bits: int
    base: int
    tbi: bool
    tbid: bool
    epd: bool
    e0pd: bool
    hpd: bool
    ha: bool
    hd: bool
    wxn: bool
    sh: int
    mtx: bool = False
    haft: bool = False
    ttbr: str = "TTBR0_EL1"
    choices: tuple[str, ...] = ()

    @property
    def granule(self) -> Granule:
        """The translation granule."""
        return self.format.granule

    @classmethod
    def of(
        cls,
        tcr: TCR_EL1 | TCR_EL2,
        sctlr: SCTLR_EL1,
        ttbr: TTBR0_EL1 | TTBR1_EL1 | TTBR0_EL2 | TTBR1_EL2,
        pa_range: PARange,
        tcr2: TCR2_EL1 = TCR2_EL1(),
        *,
        upper: bool,
    ) -> VARange:
        """The range that the registers describe, on a CPU with physical addresses of `pa_range`.

        Where the architecture leaves a choice to the CPU, `choices` says which one is made here.

        >>> tcr = TCR_EL1(T0SZ=25, TG0=0, IPS=2)
        >>> lower = VARange.of(tcr, SCTLR_EL1(M=1), TTBR0_EL1(0x4000_0000), PARange.PA48, upper=False)
        >>> lower.input_bits, lower.start_level, lower.output_bits, hex(lower.base)
        (39, 1, 40, '0x40000000')
        """
        ds, number = bool(tcr.DS), int(upper)

        def field(name: str) -> int:
            return int(getattr(tcr, name.replace("x", f"{number}")))

        # TG0 and TG1 have one reserved value each. Which granule it gives is IMPLEMENTATION DEFINED: here 4K.
        encoding = field("TGx")
        granule = next((g for g in GRANULES if encoding == (g.tg1 if upper else g.tg0)), G4K)
        packing = OutputAddress.of(granule, ds=ds, pa_bits=pa_range.bits)
        input_bits = 64 - field("TxSZ")
        largest = LARGEST_INPUT if packing is OutputAddress.LPA2 or granule.shift == 16 else 48
        # With TxSZ outside the legal values, whether accesses fault or TxSZ counts as the nearest legal value is
        # CONSTRAINED UNPREDICTABLE: here all fault. (FEAT_TTST, for TxSZ above 39, is taken to be implemented.)
        legal = granule.smallest_input <= input_bits <= largest
        # A reserved IPS counts as 52 bits; and no value counts for more than the CPU has (Arm ARM D24.2).
        output_bits = min(PARange(min(tcr.IPS, PARange.PA52)).bits, pa_range.bits, packing.bits)
        start_level = granule.start_level(input_bits) if legal else None
        wide = packing is OutputAddress.LPA2 or (granule.shift == 16 and output_bits == 52)
        register = type(tcr).__name__
        choices = []
        least, most = 64 - largest, 64 - granule.smallest_input
        if encoding != (granule.tg1 if upper else granule.tg0):
            choices.append(
                f"{register}.TG{number}={encoding:#04b} is reserved, and a CPU may take it for any granule: here 4K"
            )
        if not legal:
            choices.append(
                f"{register}.T{number}SZ={64 - input_bits} is not between {least} and {most}: here every "
                "address faults, where a CPU may take the nearest legal size"
            )
        if tcr.IPS > PARange.PA52:
            choices.append(f"{register}.IPS={int(tcr.IPS):#05b} is reserved: here it counts as {output_bits} bits")
        return cls(
            upper=upper,
            format=DescriptorFormat(granule, packing),
            input_bits=input_bits,
            start_level=start_level,
            output_bits=output_bits,
            base=0
            if start_level is None
            else table_base(int(ttbr), input_bits - granule.level_shift(start_level) + 3, wide),
            tbi=bool(field("TBIx")),
            tbid=bool(field("TBIDx")),
            epd=bool(field("EPDx")),
            e0pd=bool(field("E0PDx")),
            hpd=bool(field("HPDx") or tcr2.PIE),
            ha=bool(tcr.HA),
            hd=bool(tcr.HA and tcr.HD),
            wxn=bool(sctlr.WXN),
            sh=Shareability.NON_SHAREABLE if packing is not OutputAddress.LPA2 else field("SHx"),
            mtx=bool(field("MTXx")),
            haft=bool(tcr.HA and tcr2.HAFT),
            ttbr=f"TTBR{number}_EL{2 if isinstance(tcr, TCR_EL2) else 1}",
            choices=tuple(choices),
        )

    @property
    def first(self) -> int:
        """The lowest address."""
        return (1 << 64) - (1 << self.input_bits) if self.upper else 0

    def entries(self, level: int) -> int:
        """The number of entries in a table of `level`; the first table may be smaller than a granule.

        >>> lower = VARange.of(TCR_EL1(T0SZ=25), SCTLR_EL1(M=1), TTBR0_EL1(0), PARange.PA48, upper=False)
        >>> lower.entries(1), lower.entries(3)
        (512, 512)
        """
        bits = (
            self.input_bits - self.granule.level_shift(level)
            if level == self.start_level
            else self.granule.bits_per_level
        )
        return 1 << bits

    def holds(self, va: int, *, fetch: bool = False) -> bool:
        """Whether `va`, perhaps with a tag in its top byte, is an address of the range.

        >>> lower = VARange.of(TCR_EL1(T0SZ=16), SCTLR_EL1(M=1), TTBR0_EL1(0), PARange.PA48, upper=False)
        >>> lower.holds(0x1000), lower.holds(1 << 48)
        (True, False)
        """
        beyond = self.top_bits(fetch=fetch)
        return is_upper(va) == self.upper and va & beyond == (beyond if self.upper else 0)

    def top_bits(self, *, fetch: bool) -> int:
        """The address bits above the range, which must all equal bit 55: up to bit 63, or bit 55 with tags ignored.

        >>> lower = VARange.of(TCR_EL1(T0SZ=16), SCTLR_EL1(M=1), TTBR0_EL1(0), PARange.PA48, upper=False)
        >>> hex(lower.top_bits(fetch=False))
        '0xffff000000000000'
        """
        return -(1 << self.input_bits) & self.checked_bits(fetch=fetch)

    def checked_bits(self, *, fetch: bool) -> int:
        """The bits of a pointer that must be right, as a mask.

        TCR_EL1.TBI makes the top byte a tag; with MTX bits 59:56 are one that was compared on the way.
        """
        address = (1 << (56 if self.tbi and not (self.tbid and fetch) else 64)) - 1
        return address & ~_MTX_TAG if self.mtx else address

    def refusal(self, *, el: int) -> Fault | None:
        """Why no address of the range is translated at `el`, whatever the tables hold; None where some can be."""
        if self.start_level is None:
            return Fault(FaultKind.TRANSLATION, 0, Cause.INPUT_ADDRESS)
        if self.epd:
            return Fault(FaultKind.TRANSLATION, 0, Cause.DISABLED)
        if self.e0pd and el == 0:
            return Fault(FaultKind.TRANSLATION, 0, Cause.E0PD)
        if self.base >> self.output_bits:
            return Fault(FaultKind.ADDRESS_SIZE, 0, Cause.BASE_ADDRESS)
        return None


_MTX_TAG = 0xF << 56


def table_base(ttbr: int, table_bits: int, wide: bool) -> int:
    """Physical address of the first table, of `1 << table_bits` bytes, to which it is aligned (Arm ARM D8.2.3).

    A `wide` base has address bits 51:48 in TTBR bits 5:2, and is then aligned to 64 bytes at least. Bits below the
    alignment are RES0; what a CPU does with others there is CONSTRAINED UNPREDICTABLE, and here they are ignored.
    """
    table_bits = max(table_bits, 6) if wide else table_bits
    return (ttbr & (1 << 48) - (1 << table_bits)) | ((ttbr >> 2 & 0xF) << 48 if wide else 0)
