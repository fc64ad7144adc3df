"""The two ranges of virtual addresses, and what TCR_EL1 decides for each (Arm ARM D8.1.8, D8.2).

Bit 55 of an address chooses: the lower range is translated through TTBR0_EL1, the upper one through TTBR1_EL1. Granule,
size, tagging and the rest are chosen for each on its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgtlab.arch.descriptor import DescriptorFormat
from pgtlab.arch.fault import Cause, Fault, FaultKind
from pgtlab.arch.granule import G4K, GRANULES, LARGEST_INPUT, Granule
from pgtlab.arch.output_address import OutputAddress
from pgtlab.arch.registers import SCTLR_EL1, TCR_EL1, TTBR0_EL1, TTBR1_EL1, PARange, Shareability
from pgtlab.arch.word import is_upper


@dataclass(frozen=True)
class VARange:
    """One range as a walk needs it: everything that follows from the registers, and nothing else.

    `sh` is the shareability from TCR_EL1, used where descriptors have no room for their own. `start_level` is None
    where TCR_EL1.TxSZ is outside the legal values; every address is then out of range.
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

    @property
    def granule(self) -> Granule:
        """The translation granule."""
        return self.format.granule

    @property
    def ttbr(self) -> str:
        """Name of the register that holds the base of the first table."""
        return "TTBR1_EL1" if self.upper else "TTBR0_EL1"

    @classmethod
    def of(
        cls, tcr: TCR_EL1, sctlr: SCTLR_EL1, ttbr: TTBR0_EL1 | TTBR1_EL1, pa_range: PARange, *, upper: bool
    ) -> VARange:
        """The range that the registers describe, on a CPU with physical addresses of `pa_range`.

        Where the architecture leaves a choice to the CPU, the comments say which one is made here.

        >>> tcr = TCR_EL1(T0SZ=25, TG0=0, IPS=2)
        >>> lower = VARange.of(tcr, SCTLR_EL1(M=1), TTBR0_EL1(0x4000_0000), PARange.PA48, upper=False)
        >>> lower.input_bits, lower.start_level, lower.output_bits, hex(lower.base)
        (39, 1, 40, '0x40000000')
        """
        ds = bool(tcr.DS)
        encoding = tcr.TG1 if upper else tcr.TG0
        # TG0 and TG1 have one reserved value each. Which granule it gives is IMPLEMENTATION DEFINED: here 4K.
        granule = next((g for g in GRANULES if encoding == (g.tg1 if upper else g.tg0)), G4K)
        packing = OutputAddress.of(granule, ds=ds, pa_bits=pa_range.bits)
        input_bits = 64 - (tcr.T1SZ if upper else tcr.T0SZ)
        largest = LARGEST_INPUT if packing is OutputAddress.LPA2 or granule.shift == 16 else 48
        # With TxSZ outside the legal values, whether accesses fault or TxSZ counts as the nearest legal value is
        # CONSTRAINED UNPREDICTABLE: here all fault. (FEAT_TTST, for TxSZ above 39, is taken to be implemented.)
        legal = granule.smallest_input <= input_bits <= largest
        # A reserved IPS counts as 52 bits; and no value counts for more than the CPU has (Arm ARM D24.2).
        output_bits = min(PARange(min(tcr.IPS, PARange.PA52)).bits, pa_range.bits, packing.bits)
        start_level = granule.start_level(input_bits) if legal else None
        wide = packing is OutputAddress.LPA2 or (granule.shift == 16 and output_bits == 52)
        return cls(
            upper=upper,
            format=DescriptorFormat(granule, packing),
            input_bits=input_bits,
            start_level=start_level,
            output_bits=output_bits,
            base=0
            if start_level is None
            else _base(int(ttbr), input_bits - granule.level_shift(start_level) + 3, wide),
            tbi=bool(tcr.TBI1 if upper else tcr.TBI0),
            tbid=bool(tcr.TBID1 if upper else tcr.TBID0),
            epd=bool(tcr.EPD1 if upper else tcr.EPD0),
            e0pd=bool(tcr.E0PD1 if upper else tcr.E0PD0),
            hpd=bool(tcr.HPD1 if upper else tcr.HPD0),
            ha=bool(tcr.HA),
            hd=bool(tcr.HA and tcr.HD),
            wxn=bool(sctlr.WXN),
            sh=Shareability.NON_SHAREABLE if packing is not OutputAddress.LPA2 else (tcr.SH1 if upper else tcr.SH0),
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
        return -(1 << self.input_bits) & (1 << self.address_bits(fetch=fetch)) - 1

    def address_bits(self, *, fetch: bool) -> int:
        """The number of bits of a pointer that are address: 56 where TCR_EL1.TBI makes the top byte a tag, else 64."""
        return 56 if self.tbi and not (self.tbid and fetch) else 64

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


def _base(ttbr: int, table_bits: int, wide: bool) -> int:
    """Physical address of the first table, of `1 << table_bits` bytes, to which it is aligned (Arm ARM D8.2.3).

    A `wide` base has address bits 51:48 in TTBR bits 5:2, and is then aligned to 64 bytes at least. Bits below the
    alignment are RES0; what a CPU does with others there is CONSTRAINED UNPREDICTABLE, and here they are ignored.
    """
    table_bits = max(table_bits, 6) if wide else table_bits
    return (ttbr & (1 << 48) - (1 << table_bits)) | ((ttbr >> 2 & 0xF) << 48 if wide else 0)
