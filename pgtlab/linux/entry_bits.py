"""The bits of an entry by name: the hardware's names, and what Linux takes each for (`asm/pgtable-prot.h`, v6.12)."""

from __future__ import annotations

from collections.abc import Mapping

from pgtlab.arch.attributes import memory_type
from pgtlab.arch.bitfield import BitFields, Field
from pgtlab.arch.descriptor import Block, Leaf, Table
from pgtlab.arch.named_bits import Meaning, NamedBits, name_bits
from pgtlab.linux.boot import Boot
from pgtlab.linux.proc import MAIR_EL1_SET

IGNORED = "ignored"


class SwapEntry(BitFields):
    """An entry that is neither valid nor present: where the page is instead (`swapops.py` says how to read it)."""

    VALID = Field(0)
    exclusive = Field(2)
    type = Field(10, 6)
    PRESENT_INVALID = Field(11)
    offset = Field(61, 12)


class SoftwareBits(BitFields):
    """The four bits of a leaf that are software's, by Linux's names; bit 58 is userfaultfd's since v6.10, if any's."""

    PTE_DIRTY = Field(55)
    PTE_SPECIAL = Field(56)
    PTE_DEVMAP = Field(57)
    PTE_UFFD_WP = Field(58)
    meanings: Mapping[str, Meaning] = {
        "PTE_DIRTY": ("not dirty by software's note", "dirty by software's note"),
        "PTE_SPECIAL": ("ordinary", "no struct page to count references with"),
        "PTE_DEVMAP": ("no device's memory", "a device's memory"),
    }


def memory_name(index: int, boot: Boot) -> str:
    """What Linux calls the memory of an AttrIndx, and what MAIR_EL1 says it is.

    >>> from pgtlab import CPU, Config, boot
    >>> memory_name(2, boot(Config("4k", 48), CPU.named("max")))
    'MT_NORMAL_NC: Normal Non-cacheable'
    """
    names = {value: name for name, value in boot.config.constants.items() if name.startswith("MT_")}
    if index not in names:
        return "no memory type: Linux leaves this byte of MAIR_EL1 zero"
    return f"{names[index]}: {memory_type(int(getattr(MAIR_EL1_SET, f'Attr{index}')))}"


def name_entry(word: BitFields, boot: Boot) -> tuple[NamedBits, ...]:
    """All bits of an entry, highest first.

    Parameters
    ----------
    word : BitFields
        A descriptor, a `SwapEntry`, or neither of them for a word that says nothing.
    boot : Boot
        The booted kernel.
    """
    if isinstance(word, Table):
        return name_bits(word.value, [*word.fields, *_beside(word)], _TABLE, 63)
    if isinstance(word, Leaf):
        software = Leaf.software
        named = name_bits(word.value, [*word.fields, *_beside(word)], _leaf_meanings(word, boot), 63)
        return tuple(
            NamedBits(it.name, it.hi, it.lo, it.value, it.meaning, _software_bits(word))
            if it.name == software.name
            else it
            for it in named
        )
    if isinstance(word, SwapEntry):
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


class AccessedTable(BitFields):
    """What FEAT_HAFT, which Linux uses since v6.13, added to a table descriptor."""

    AF = Field(10)


def _beside(word: Table | Leaf) -> list[Field]:
    """The bits that hardware ignores, which are not those that it reserves (Arm ARM D8.3.1), and a later field."""
    later = [field for field in AccessedTable.fields if isinstance(word, Table) and field.extract(word.value)]
    ignored = {*range(51, 59), *range(2, 12)} if isinstance(word, Table) else {63}
    for field in (*word.fields, *later):
        ignored -= set(range(field.lo, field.hi + 1))
    lows = sorted(bit for bit in ignored if bit - 1 not in ignored)
    highs = sorted(bit for bit in ignored if bit + 1 not in ignored)
    return [*later, *(_field(IGNORED, hi, lo) for hi, lo in zip(highs, lows, strict=True))]


def _field(name: str, hi: int, lo: int) -> Field:
    field = Field(hi, lo)
    field.name = name
    return field


def _leaf_meanings(word: Leaf, boot: Boot) -> Mapping[str, Meaning]:
    valid = bool(word.VALID)
    run = word.format.contiguous_entries(word.level)
    return {
        "VALID": ("invalid", "PTE_VALID"),
        "TYPE": ("block", "block" if isinstance(word, Block) else "page"),
        "AttrIndx": lambda index: memory_name(index, boot),
        "NS": ("", "ignored in Non-secure state"),
        "AP": (
            "EL1 read and write, EL0 nothing",
            "EL1 and EL0 read and write: PTE_USER",
            "EL1 read, EL0 nothing: PTE_RDONLY",
            "EL1 and EL0 read: PTE_USER, PTE_RDONLY",
        ),
        "SH": ("Non-shareable", "reserved", "Outer Shareable", "Inner Shareable: PTE_SHARED"),
        "AF": ("not accessed yet", "accessed: PTE_AF"),
        "nG": ("global", "not global, of one ASID: PTE_NG") if valid else ("", "PTE_PRESENT_INVALID"),
        "nT": ("", "not to be cached in a TLB while its size changes"),
        "GP": ("", "guarded, for BTI: PTE_GP"),
        "DBM": ("", "a write is let in, and clears AP[2]: PTE_WRITE"),
        "Contiguous": ("", f"one of {run} that a TLB may hold as one: PTE_CONT" if run > 1 else "of no effect here"),
        "PXN": ("executable at EL1", "not executable at EL1: PTE_PXN"),
        "UXN": ("executable at EL0", "not executable at EL0: PTE_UXN"),
    }


def _software_bits(word: Leaf) -> tuple[NamedBits, ...]:
    whole = Leaf.software
    bits = [_field(bit.name, bit.hi - whole.lo, bit.lo - whole.lo) for bit in SoftwareBits.fields]
    return name_bits(word.software, bits, SoftwareBits.meanings, whole.width - 1, at=whole.lo)
