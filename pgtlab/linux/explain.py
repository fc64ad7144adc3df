"""Why each field of an address is where it is, in a sentence, and the register bits that decide it."""

from __future__ import annotations

from dataclasses import dataclass

from pgtlab.arch.bitfield import BitFields
from pgtlab.arch.registers import TCR_EL1, TCR_EL2
from pgtlab.arch.word import is_upper
from pgtlab.linux.decompose import Decomposition


@dataclass(frozen=True)
class Deciding:
    """Register bits that decide a field: `TCR_EL1.T1SZ`, bits 21 to 16, and their value."""

    register: BitFields
    field: str

    @property
    def bits(self) -> tuple[int, int]:
        """The highest and the lowest bit."""
        field = next(field for field in self.register.fields if field.name == self.field)
        return field.hi, field.lo

    @property
    def name(self) -> str:
        """The register and the field, as `TCR_EL1.T1SZ`."""
        return f"{type(self.register).__name__}.{self.field}"

    def __str__(self) -> str:
        hi, lo = self.bits
        where = f"{hi}:{lo}" if hi > lo else f"{hi}"
        return f"{self.name}[{where}] = {int(getattr(self.register, self.field)):#x}"


@dataclass(frozen=True)
class Explanation:
    """A field of an address: its name as in `Decomposition.fields`, its bits, the reason, and what decides it."""

    field: str
    hi: int
    lo: int
    why: str
    decided_by: tuple[Deciding, ...]

    def __str__(self) -> str:
        return f"{self.field}, bits {self.hi}:{self.lo}: {self.why} ({', '.join(map(str, self.decided_by))})"


def explain(d: Decomposition) -> tuple[Explanation, ...]:
    """Explain every field, from bit 63 down.

    >>> from pgtlab import CPU, Config, boot
    >>> from pgtlab.linux.decompose import decompose
    >>> for line in explain(decompose(0, boot(Config("16k", 52), CPU.named("max,lpa2=off"))))[1:4]:
    ...     print(line)
    zeros, bits 55:47: copies of bit 55, which is 0 and chooses TTBR0_EL1: of 64 bits, T0SZ leaves 47 to translate
    (TCR_EL1.T0SZ[5:0] = 0x11)
    level 1, bits 46:36: the walk starts here: 11 bits are left above level 2 (TCR_EL1.T0SZ[5:0] = 0x11,
    TCR_EL1.TG0[15:14] = 0x2)
    level 2, bits 35:25: a table of 16K holds 2^11 descriptors of 8 bytes (TCR_EL1.TG0[15:14] = 0x2)
    """
    tcr = d.boot.tcr
    return tuple(Explanation(field, hi, lo, *_because(d, tcr, field, hi, lo)) for field, hi, lo, _ in d.fields)


def _because(
    d: Decomposition, tcr: TCR_EL1 | TCR_EL2, field: str, hi: int, lo: int
) -> tuple[str, tuple[Deciding, ...]]:
    granule, used = d.boot.config.granule, d.boot.vabits_actual
    upper = int(is_upper(d.va))
    size, page, tag, ds = (Deciding(tcr, name) for name in (f"T{upper}SZ", f"TG{upper}", f"TBI{upper}", "DS"))
    # Without LPA2, 4K and 16K granules have at most 48 bits, and the 64K granule has 52 without DS.
    wide = (ds,) if used > 48 and granule.shift < 16 else ()
    if field == "tag":
        return "the MMU ignores the top byte, which software may use", (tag,)
    if field == "offset":
        return f"the byte in a page of {granule}", (page,)
    if field in ("zeros", "ones"):
        chosen = f"copies of bit 55, which is {upper} and chooses TTBR{upper}_EL{2 if d.boot.vhe else 1}"
        return f"{chosen}: of 64 bits, {size.field} leaves {used} to translate", (size, *wide)
    level = int(field.removeprefix("level "))
    if level == d.boot.start_level:
        above = f"{hi - lo + 1} bits are left above level {level + 1}"
        return f"the walk starts here: {above}", (size, page, *wide)
    return f"a table of {granule} holds 2^{granule.bits_per_level} descriptors of 8 bytes", (page,)
