"""A virtual address as the MMU reads it, one index per hardware level, and as Linux does, one per generic level.

Linux always computes five indices. Where a level is folded, two of them select the same 64-bit word. A level folded at
compile time has one entry and uses no bits; one folded at run time keeps its bits and indexes the table above again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pgtlab.linux.address import as_address
from pgtlab.linux.boot import LINUX_LEVELS, Boot, Fold, NoBoot, running
from pgtlab.linux.kconfig import Config

SIGN_BIT = 55  # chooses between TTBR0_EL1 and TTBR1_EL1 when the top byte is ignored (Arm ARM D8.2.4)


@dataclass(frozen=True)
class HardwareLevel:
    """The index that the MMU takes from an address at one level, from bits `hi` to `lo`."""

    level: int
    hi: int
    lo: int
    index: int


@dataclass(frozen=True)
class LinuxLevel:
    """What one of Linux's five levels does with an address.

    Attributes
    ----------
    name : str
        `pgd`, `p4d`, `pud`, `pmd` or `pte`.
    fold : Fold
        Whether the level is real.
    hi, lo : int or None
        The bits of its index; None if it uses none.
    index : int
        `pgd_index(va)` or the same function of the level.
    level : int or None
        The hardware level that reads this entry; None if the MMU does not read it.
    note : str
        What folding does here, in a sentence; empty for a real level.
    """

    name: str
    fold: Fold
    hi: int | None
    lo: int | None
    index: int
    level: int | None
    note: str = ""


@dataclass(frozen=True)
class Decomposition:
    """An address taken apart for one booted kernel.

    >>> from pgtlab import CPU, Config, boot
    >>> d = decompose(0xffff_8000_8000_1234, boot(Config("4k", 48), CPU.named("cortex-a57")))
    >>> d.ttbr, [h.index for h in d.hardware], hex(d.offset)
    ('TTBR1_EL1', [256, 2, 0, 1], '0x234')
    """

    va: int
    boot: Boot

    @property
    def ttbr(self) -> str | None:
        """`TTBR0_EL1`, `TTBR1_EL1`, or None for an address outside both ranges: its walk faults at once."""
        if self.va >> SIGN_BIT & 1:
            return "TTBR1_EL1" if _ones(self.va, 63, self.boot.vabits_actual) else None
        return "TTBR0_EL1" if _zeros(self.va, SIGN_BIT, self.boot.vabits_actual) else None

    @property
    def tag(self) -> int:
        """The top byte, which the MMU ignores in the TTBR0 half (Linux sets TCR_EL1.TBI0 and not TBI1)."""
        return self.va >> 56

    @property
    def top_byte_ignored(self) -> bool:
        """Whether the top byte is a tag and not part of the address."""
        return not self.va >> SIGN_BIT & 1

    @property
    def offset(self) -> int:
        """The offset in the page, in bytes."""
        return self.va & (self.boot.config.page_size - 1)

    @cached_property
    def hardware(self) -> tuple[HardwareLevel, ...]:
        """The MMU's indices, start level first."""
        granule = self.boot.config.granule
        levels = []
        hi = self.boot.vabits_actual - 1
        for level in range(self.boot.start_level, 4):
            lo = granule.level_shift(level)
            levels.append(HardwareLevel(level, hi, lo, _bits(self.va, hi, lo)))
            hi = lo - 1
        return tuple(levels)

    @cached_property
    def linux(self) -> tuple[LinuxLevel, ...]:
        """Linux's five levels, pgd first."""
        return tuple(self._linux_level(name) for name in LINUX_LEVELS)

    def _linux_level(self, name: str) -> LinuxLevel:
        boot, k = self.boot, self.boot.config.constants
        fold = boot.folded.get(name, Fold.REAL)
        if fold is Fold.COMPILE_TIME:
            above = LINUX_LEVELS[LINUX_LEVELS.index(name) - 1]
            note = f"one entry, no bits: {name}_offset() returns its {above} pointer"
            return LinuxLevel(name, fold, None, None, 0, None, note)
        lo = {
            "pgd": k.PGDIR_SHIFT,
            "p4d": k.P4D_SHIFT,
            "pud": k.PUD_SHIFT,
            "pmd": k.PMD_SHIFT,
            "pte": k.PAGE_SHIFT,
        }[name]
        entries = k[f"PTRS_PER_{name.upper()}"]
        hi = lo + entries.bit_length() - 2
        level = next((h.level for h in self.hardware if h.lo == lo), None)
        note = ""
        if fold is Fold.RUN_TIME:
            note = (
                f"no table of its own: {name}_offset() goes back to the start of the pgd's page and indexes it with "
                "these bits"
            )
        elif level is None:
            note = "computed but not read: the level below indexes this page again"
        elif hi >= boot.vabits_actual and not self.top_byte_ignored:
            note = f"TTBR1_EL1 points {k.TTBR1_BADDR_4852_OFFSET} bytes into the pgd: the MMU counts from there"
        return LinuxLevel(name, fold, hi, lo, _bits(self.va, hi, lo), level, note)

    @property
    def fields(self) -> tuple[tuple[str, int, int, int], ...]:
        """The fields that the MMU reads, from bit 63 down, as (what, hi, lo, value)."""
        top = self.boot.vabits_actual
        above = [("tag", 63, 56), ("zeros", 55, top)] if self.top_byte_ignored else [("ones", 63, top)]
        fields = [(what, hi, lo, _bits(self.va, hi, lo)) for what, hi, lo in above]
        fields += [(f"level {h.level}", h.hi, h.lo, h.index) for h in self.hardware]
        page_shift = self.boot.config.granule.shift
        return (*fields, ("offset", page_shift - 1, 0, self.offset))

    def as_dict(self) -> dict[str, object]:
        """The decomposition as plain data, as `pgtlab va --json` prints it."""
        return {
            "va": f"{self.va:#018x}",
            "ttbr": self.ttbr,
            "tag": self.tag if self.top_byte_ignored else None,
            "vabits_actual": self.boot.vabits_actual,
            "start_level": self.boot.start_level,
            "hardware": [{"level": h.level, "bits": [h.hi, h.lo], "index": h.index} for h in self.hardware],
            "linux": [
                {
                    "name": level.name,
                    "fold": level.fold.value,
                    "bits": None if level.hi is None else [level.hi, level.lo],
                    "index": level.index,
                    "level": level.level,
                    "note": level.note,
                }
                for level in self.linux
            ],
            "offset": self.offset,
        }

    def __repr__(self) -> str:
        return f"Decomposition({self.va:#018x} in {self.boot!r})"

    def __str__(self) -> str:
        """The address as a table, Linux's levels beside the MMU's."""
        where = self.ttbr or f"neither TTBR: bits above {self.boot.vabits_actual - 1} are not all equal"
        rows = [f"{self.va:#018x}  {where}"]
        if self.top_byte_ignored:
            rows.append(f"  bits 63:56  tag {self.tag:#04x}, ignored")
        for level in self.linux:
            bits = "       " if level.hi is None else f"{level.hi:>2}:{level.lo:<2}  "
            mmu = "  " if level.level is None else f"{level.level:>2}"
            says = level.fold.value if level.fold is not Fold.REAL else level.note
            index = f"{level.index:#x} ({level.index})"
            rows.append(f"  bits {bits}{level.name} index {index:<12}  level {mmu}  {says}".rstrip())
        page_shift = self.boot.config.granule.shift
        return "\n".join([*rows, f"  bits {page_shift - 1:>2}:0   offset {self.offset:#x}"])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from pgtlab.linux.address_picture import address_picture  # views load only where something is shown

        return address_picture(self).mimebundle(str(self))


def decompose(va: int | str, kernel: Boot | NoBoot | Config | None = None) -> Decomposition:
    """Take a virtual address apart.

    Parameters
    ----------
    va : int or str
        Any 64-bit value, or an address as `parse_address` reads it, such as `VMEMMAP_START`.
    kernel : Boot or Config
        The kernel of the address. A configuration is booted on the CPU `max`; the default is `Config()`.

    Raises
    ------
    AddressError
        If `va` does not fit in 64 bits, or is not the name of an address.
    BootError
        If the kernel does not boot.

    Examples
    --------
    >>> [level.index for level in decompose("VMEMMAP_START").hardware]
    [507, 511, 0, 0]

    Notes
    -----
    Sources: Arm ARM D8.2 for the ranges and the levels; Linux `arch/arm64/include/asm/pgtable.h` for folding.
    """
    boot = running(kernel)
    return Decomposition(as_address(va, boot), boot)


def _bits(value: int, hi: int, lo: int) -> int:
    return value >> lo & ((1 << (hi - lo + 1)) - 1)


def _ones(value: int, hi: int, lo: int) -> bool:
    return _bits(~value, hi, lo) == 0


def _zeros(value: int, hi: int, lo: int) -> bool:
    return _bits(value, hi, lo) == 0
