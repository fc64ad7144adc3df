"""The bits of an entry by name: the hardware's names, and what Linux takes each for (`asm/pgtable-prot.h`, v6.12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from pgtlab.arch.attributes import memory_type
from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.arch.descriptor import Block, Leaf, Table
from pgtlab.arch.named_bits import Meaning, NamedBits, name_bits
from pgtlab.arch.permissions import PermissionRules
from pgtlab.arch.registers import MAIR_EL1, PIR_EL1, PIRE0_EL1, POR_EL0, TCR2_EL1
from pgtlab.linux.boot import Boot
from pgtlab.linux.swap_entry import SwapEntry, SwapEntryBeforeV610
from pgtlab.linux.version import since

IGNORED = "ignored"


class RegisterError(ValueError):
    """A register that the meaning of an entry does not depend on."""


@dataclass(frozen=True)
class EntryRegisters:
    """The registers that the meaning of an entry depends on; `por_el0` is None where it is not known."""

    tcr2: TCR2_EL1 = TCR2_EL1()
    pir: PIR_EL1 = PIR_EL1()
    pire0: PIRE0_EL1 = PIRE0_EL1()
    mair: MAIR_EL1 = MAIR_EL1()
    por_el0: POR_EL0 | None = None

    @classmethod
    def of(cls, boot: Boot, given: Mapping[str, int] = MappingProxyType({})) -> EntryRegisters:
        """The registers that a kernel sets, but for those that are given by their names.

        >>> from pgtlab import Config, boot
        >>> kernel = boot(Config.named("debian-6.12"), "max-11.1")
        >>> EntryRegisters.of(kernel).tcr2
        TCR2_EL1(0x2: PIE=0x1)
        >>> EntryRegisters.of(kernel, {"TCR2_EL1": 6}).overlays
        True

        Raises
        ------
        RegisterError
            Where the meaning of an entry does not depend on a register that is given.
        """
        level = "EL2" if boot.vhe else "EL1"
        kinds = {f"{name}_{level}": name for name in ("TCR2", "PIR", "PIRE0", "MAIR")} | {"POR_EL0": "POR_EL0"}
        for name in given:
            if name not in kinds:
                raise RegisterError(f"an entry does not depend on {name}: it does on {', '.join(kinds)}")
        own = {name: int(value) for name, value in boot.registers.items()} | dict(given)
        values = {kinds[name]: value for name, value in own.items() if name in kinds}
        por = values.get("POR_EL0")
        return cls(
            TCR2_EL1(values.get("TCR2", 0)),
            PIR_EL1(values.get("PIR", 0)),
            PIRE0_EL1(values.get("PIRE0", 0)),
            MAIR_EL1(values.get("MAIR", int(boot.mair))),
            None if por is None else POR_EL0(por),
        )

    @property
    def overlays(self) -> bool:
        """Whether leaves choose permission overlays of EL0, by bits 62:60 (FEAT_S1POE)."""
        return bool(self.tcr2.E0POE)

    def permission_rules(self, *, hd: bool) -> PermissionRules:
        """The rules by which leaves allow and forbid, without PSTATE.PAN, and without overlays that are not known."""
        return PermissionRules(
            hd=hd,
            pie=bool(self.tcr2.PIE),
            pir=int(self.pir),
            pire0=int(self.pire0),
            e0poe=self.overlays and self.por_el0 is not None,
            por_el0=int(self.por_el0 or 0),
        )


class SoftwareBits(BitFields):
    """The four software bits of a leaf, by Linux's names: bit 57 until v6.16; bit 58 is userfaultfd's since v6.10."""

    PTE_DIRTY = Field(55)
    PTE_SPECIAL = Field(56)
    PTE_DEVMAP = Field(57)
    PTE_UFFD_WP = Field(58)
    meanings: Mapping[str, Meaning] = {
        "PTE_DIRTY": ("not dirty by software's note", "dirty by software's note"),
        "PTE_SPECIAL": ("ordinary", "no struct page to count references with"),
        "PTE_DEVMAP": ("no device's memory", "a device's memory"),
    }


def memory_name(index: int, boot: Boot, mair: MAIR_EL1 | None = None) -> str:
    """Linux's name for the memory type of an AttrIndx, and its meaning by MAIR_EL1.

    >>> from pgtlab import CPU, Config, boot
    >>> memory_name(2, boot(Config("4k", 48), CPU.named("max")))
    'MT_NORMAL_NC: Normal Non-cacheable'
    """
    names = {value: name for name, value in boot.config.constants.items() if name.startswith("MT_")}
    if index not in names:
        return "no memory type: Linux leaves this byte of MAIR_EL1 zero"
    return f"{names[index]}: {memory_type(int(getattr(mair or boot.mair, f'Attr{index}')))}"


def name_entry(word: BitFields, boot: Boot, registers: EntryRegisters | None = None) -> tuple[NamedBits, ...]:
    """All bits of an entry, highest first.

    Parameters
    ----------
    word : BitFields
        A descriptor, a `SwapEntry`, or another word, whose bits have no meaning.
    boot : Boot
        The booted kernel.
    registers : EntryRegisters, optional
        Its registers, where they are not those that the kernel sets.
    """
    registers = EntryRegisters.of(boot) if registers is None else registers
    if isinstance(word, Table):
        fields = [field for field in word.fields if not registers.tcr2.PIE or field.name not in _INHERITED]
        return name_bits(word.value, [*fields, *_beside(word, fields)], _TABLE, 63)
    if isinstance(word, Leaf):
        fields = _leaf_fields(word, registers)
        named = name_bits(word.value, [*fields, *_beside(word, fields)], _leaf_meanings(word, boot, registers), 63)
        parts = {Leaf.software.name: _software_bits(word, boot)}
        return tuple(replace(bits, parts=parts.get(bits.name, bits.parts)) for bits in named)
    if isinstance(word, SwapEntry | SwapEntryBeforeV610):
        return name_bits(word.value, word.fields, {"VALID": ("invalid",)}, 63, gap=IGNORED)
    return name_bits(word.value, word.fields, {"VALID": ("invalid", "reserved, and read as invalid")}, 63, gap=IGNORED)


_TABLE: Mapping[str, Meaning] = {
    "VALID": ("invalid", "valid"),
    "TYPE": ("block", "table"),
    "AF": ("", "accessed, by FEAT_HAFT"),
    "PXNTable": ("", "nothing below is executable at EL1"),
    "UXNTable": ("", "nothing below is executable at EL0"),
    "APTable": (
        "",
        "EL0 has no access to anything below",
        "nothing below may be written",
        "nothing below may be written, and EL0 has no access",
    ),
}


_INHERITED = ("PXNTable", "UXNTable", "APTable")  # which indirect permissions do away with


def _leaf_fields(word: Leaf, registers: EntryRegisters) -> list[Field]:
    """The fields of a leaf: with indirect permissions four bits are PIIndex, with overlays three are POIndex."""
    fields = list(word.fields)
    if registers.tcr2.PIE:
        fields = [field for field in fields if field.name not in ("AP", "DBM", "PXN", "UXN")]
        places = {"PIIndex[0]": 6, "nDirty": 7, "PIIndex[1]": 51, "PIIndex[2]": 53, "PIIndex[3]": 54}
        fields += [_field(name, bit, bit) for name, bit in places.items()]
    if registers.overlays:
        fields = [field for field in fields if field.name != "PBHA"]
        fields += [_field("POIndex", 62, 60), _field("PBHA", 59, 59)]
    return fields


def _beside(word: Table | Leaf, fields: list[Field]) -> list[Field]:
    """The bits that hardware ignores rather than reserves (Arm ARM D8.3.1), and a table's AF where it is set.

    A table has an accessed flag with FEAT_HAFT, which Linux uses since v6.13.
    """
    later = [_field("AF", 10, 10)] if isinstance(word, Table) and word.value >> 10 & 1 else []
    ignored = {*range(51, 63), *range(2, 12)} if isinstance(word, Table) else {63}
    for field in (*fields, *later):
        ignored -= set(range(field.lo, field.hi + 1))
    lows = sorted(bit for bit in ignored if bit - 1 not in ignored)
    highs = sorted(bit for bit in ignored if bit + 1 not in ignored)
    return [*later, *(_field(IGNORED, hi, lo) for hi, lo in zip(highs, lows, strict=True))]


def _field(name: str, hi: int, lo: int) -> Field:
    field = Field(hi, lo)
    field.name = name
    return field


def _leaf_meanings(word: Leaf, boot: Boot, registers: EntryRegisters) -> Mapping[str, Meaning]:
    valid = bool(word.VALID)
    run = word.format.contiguous_entries(word.level)
    return {
        "VALID": ("invalid", "PTE_VALID"),
        "TYPE": ("block", "block" if isinstance(word, Block) else "page"),
        "AttrIndx": lambda index: memory_name(index, boot, registers.mair),
        "NS": ("", "ignored in Non-secure state"),
        "AP": (
            "EL1 read and write, EL0 nothing",
            "EL1 and EL0 read and write: PTE_USER",
            "EL1 read, EL0 nothing: PTE_RDONLY",
            "EL1 and EL0 read: PTE_USER, PTE_RDONLY",
        ),
        "SH": ("Non-shareable", "reserved", "Outer Shareable", "Inner Shareable: PTE_SHARED"),
        "AF": ("not accessed yet", "accessed: PTE_AF"),
        "nG": (
            ("global", "not global, of one ASID: PTE_NG")
            if valid or not since(boot.constants, "6.10")
            else ("", "PTE_PRESENT_INVALID")
        ),
        "nT": ("", "not to be cached in a TLB while its size changes"),
        "GP": ("", "guarded, for BTI: PTE_GP"),
        "DBM": ("", "a write is let in, and clears AP[2]: PTE_WRITE"),
        "Contiguous": ("", f"one of {run} that a TLB may hold as one: PTE_CONT" if run > 1 else "of no effect here"),
        "PIIndex[0]": ("", "PTE_USER"),
        "PIIndex[1]": ("", "PTE_WRITE"),
        "PIIndex[2]": ("", "PTE_PXN"),
        "PIIndex[3]": ("", "PTE_UXN"),
        "nDirty": ("dirty, as far as hardware knows", "clean: PTE_RDONLY"),
        "POIndex": lambda index: f"the protection key: entry {index} of POR_EL0 may take permissions of EL0 away",
        "PXN": ("executable at EL1", "not executable at EL1: PTE_PXN"),
        "UXN": ("executable at EL0", "not executable at EL0: PTE_UXN"),
    }


def _software_bits(word: Leaf, boot: Boot) -> tuple[NamedBits, ...]:
    whole, k = Leaf.software, boot.constants
    names = {bit.name: bit.name for bit in SoftwareBits.fields}
    if not since(k, "6.10"):
        names["PTE_UFFD_WP"] = "PTE_PROT_NONE"  # where the entry is not valid
    elif since(k, "7.3"):
        names["PTE_UFFD_WP"] = "PTE_UFFD"
    if since(k, "6.17"):
        del names["PTE_DEVMAP"]
    bits = [
        _field(names[bit.name], bit.hi - whole.lo, bit.lo - whole.lo)
        for bit in SoftwareBits.fields
        if bit.name in names
    ]
    return name_bits(word.software, bits, SoftwareBits.meanings, whole.width - 1, gap=IGNORED, at=whole.lo)
