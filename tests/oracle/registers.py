"""Random registers of the EL1&0 regime, in their legal ranges, and how each half's tables are then written.

Nothing here and in `random_images` comes from pgtlab: a rule that it has wrong must not be wrong here in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

PA_BITS = (32, 36, 40, 42, 44, 48, 52)  # by TCR_EL1.IPS
TG0, TG1 = {12: 0, 16: 1, 14: 2}, {14: 1, 12: 2, 16: 3}
SCTLR_RES1, SCTLR_M, SCTLR_C, SCTLR_I, SCTLR_WXN = 0x30D0_0800, 1 << 0, 1 << 2, 1 << 12, 1 << 19
SHAREABILITY = (0b00, 0b10, 0b11)
# MAIR_EL1 bytes that mean the same with every extension: Device, Non-cacheable, and Normal with neither half zero.
DEVICE, NON_CACHEABLE = (0x00, 0x04, 0x08, 0x0C), (0x44,)
NORMAL = tuple(outer << 4 | inner for outer in range(1, 16) for inner in range(1, 16))


@dataclass(frozen=True)
class Format:
    """How the tables of one half of the address space are written; `shift` is the granule's."""

    upper: bool
    shift: int
    ds: bool
    input_bits: int
    output_bits: int

    @property
    def lpa2(self) -> bool:
        """Whether bits 9:8 of a descriptor hold address bits 51:50 instead of SH."""
        return self.ds and self.shift != 16

    @property
    def start_level(self) -> int:
        """The highest level at which an input address has any bit left."""
        return next(level for level in range(-1, 4) if self.input_bits > self.entry_shift(level))

    def entry_shift(self, level: int) -> int:
        """An entry of `level` covers 1 << this many bytes."""
        return self.shift + (3 - level) * (self.shift - 3)

    def has_blocks(self, level: int) -> bool:
        """Whether 0b01 is a block: 4K 1G and 2M, 16K 32M, 64K 4T and 512M, and with DS also 512G and 64G."""
        blocks = {12: (0, 1, 2) if self.ds else (1, 2), 14: (1, 2) if self.ds else (2,), 16: (1, 2)}
        return level in blocks[self.shift]

    def run(self, level: int) -> int:
        """How many entries a contiguous run has; 1 where the bit is not used here."""
        runs = {(12, 1): 16, (12, 2): 16, (12, 3): 16, (14, 2): 32, (14, 3): 128, (16, 2): 32, (16, 3): 32}
        return runs.get((self.shift, level), 1)

    def place(self, address: int) -> int:
        """An address as a descriptor holds it."""
        if self.shift == 16:
            return address & (1 << 48) - 1 | (address >> 48) << 12
        if self.lpa2:
            return address & (1 << 50) - 1 | (address >> 50) << 8
        return address

    @property
    def address_bits_in_place(self) -> int:
        """How many address bits a descriptor has at their own position; any above the output size is a fault."""
        return 50 if self.lpa2 else 48

    @property
    def can_exceed(self) -> bool:
        """Whether a descriptor can hold an address that is out of range."""
        return self.output_bits < self.address_bits_in_place


@dataclass(frozen=True)
class Registers:
    """All but the table bases, with the format of the lower and of the upper half."""

    formats: tuple[Format, Format]
    pa_bits: int
    tcr: int
    mair: int
    sctlr: int

    @property
    def page_bytes(self) -> int:
        """The larger granule."""
        return 1 << max(fmt.shift for fmt in self.formats)

    @property
    def granules(self) -> tuple[int, int]:
        """Both in bytes."""
        lower, upper = self.formats
        return 1 << lower.shift, 1 << upper.shift


def random_registers(rng: Random) -> Registers:
    """Registers with which most addresses can still be translated."""
    ds, ips = rng.random() < 0.5, rng.choices(range(7), [1, 1, 1, 1, 1, 4, 4])[0]
    lower, upper = (_format(rng, ds, PA_BITS[ips], upper) for upper in (False, True))
    mair = sum(rng.choice(rng.choice([DEVICE, NON_CACHEABLE, NORMAL, NORMAL])) << 8 * i for i in range(8))
    sctlr = SCTLR_RES1 | SCTLR_C | SCTLR_I | (rng.random() < 0.5) * SCTLR_WXN | (rng.random() < 0.97) * SCTLR_M
    return Registers((lower, upper), PA_BITS[ips], _tcr(rng, (lower, upper), ds, ips), mair, sctlr)


def _format(rng: Random, ds: bool, pa_bits: int, upper: bool) -> Format:
    shift = rng.choice([12, 14, 16])
    lpa2 = ds and shift != 16
    output_bits = pa_bits if lpa2 or shift == 16 else min(pa_bits, 48)
    largest, smallest = 52 if lpa2 or shift == 16 else 48, 17 if shift == 16 else 16
    common = [bits for bits in (36, 39, 42, 47, 48, 52) if bits <= largest]
    while True:
        input_bits = rng.choice(common) if rng.random() < 0.6 else rng.randint(smallest, largest)
        fmt = Format(upper, shift, ds, input_bits, output_bits)
        first_table = 8 << input_bits - fmt.entry_shift(fmt.start_level)
        if first_table >= 64 or not (lpa2 or output_bits == 52):  # a 52-bit base wants a first table of 64 bytes
            return fmt


def _tcr(rng: Random, formats: tuple[Format, Format], ds: bool, ips: int) -> int:
    """TCR_EL1: what was decided, and the rest at random, such that most addresses still translate."""
    tcr = ips << 32 | ds << 59 | rng.getrandbits(1) << 22 | rng.getrandbits(1) << 36  # IPS, DS, A1, AS
    for fmt, size, granule, epd, tbi, hpd, e0pd in zip(
        formats, (0, 16), (14, 30), (7, 23), (37, 38), (41, 42), (55, 56), strict=True
    ):
        tcr |= 64 - fmt.input_bits << size | (TG1 if fmt.upper else TG0)[fmt.shift] << granule
        tcr |= rng.getrandbits(4) << size + 8 | rng.choice(SHAREABILITY) << size + 12  # IRGN, ORGN, SH
        tcr |= (rng.random() < 0.05) << epd | (rng.random() < 0.1) << e0pd
        tcr |= (rng.random() < 0.5) << tbi | (rng.random() < 0.3) << hpd
    return tcr | (rng.random() < 0.3) << 39 | (rng.random() < 0.5) << 40 | rng.getrandbits(2) << 51  # HA, HD, TBID
