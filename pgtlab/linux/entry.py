"""An entry of a page table as the MMU and Linux read it: what it maps, for whom, or where the page is instead.

The functions that read an entry are the kernel's (`pte.py`, `swapops.py`); this module calls them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pgtlab.arch.bitfield import BitFields
from pgtlab.arch.descriptor import Block, DescriptorFormat, Leaf, PageDescriptor, Table
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.named_bits import NamedBits
from pgtlab.arch.permissions import PermissionRules, pi_index
from pgtlab.arch.registers import SCTLR_EL1, TTBR1_EL1, PARange
from pgtlab.arch.sizes import short_size
from pgtlab.arch.steps import leaf_bits
from pgtlab.arch.va_range import VARange
from pgtlab.arch.word import MASK64
from pgtlab.linux.boot import Boot
from pgtlab.linux.entry_bits import EntryRegisters, memory_name, name_entry
from pgtlab.linux.level import parse_level
from pgtlab.linux.swap_entry import EntryHelpers, Swap, SwapEntry, SwapEntryBeforeV610, decode_swap
from pgtlab.linux.version import since

if TYPE_CHECKING:
    from pgtlab.picture import Picture

# Low bits, beside bit 0: the type begins at bit 6, and at bit 3 before v6.10; bit 2 is the exclusive flag.
_NEVER_IN_SWAP_ENTRY, _NEVER_BEFORE_V6_10, _UFFD_WP = 0b111010, 0b10, 0b1000
_BEFORE_V6_10 = ((58, "PTE_PROT_NONE"), (59, "PMD_PRESENT_INVALID"))


class EntryError(ValueError):
    """The entry does not fit in 64 bits."""


@dataclass(frozen=True)
class Entry:
    """An entry at one level of a booted kernel.

    >>> from pgtlab import CPU, Config, boot
    >>> entry = decode_entry(0x0068_0000_4000_0f07, "pte", boot(Config("4k", 48), CPU.named("max")))
    >>> entry.kind, hex(entry.oa), entry.memory, entry.permissions[1]
    ('page', '0x40000000', 'MT_NORMAL_TAGGED: Normal WB RWA', 'rw-')
    """

    word: int
    name: str
    level: int
    boot: Boot
    registers: EntryRegisters

    @cached_property
    def format(self) -> DescriptorFormat:
        """The format of this kernel's descriptors."""
        return self._range.format

    @cached_property
    def descriptor(self) -> BitFields:
        """The entry by its fields: a descriptor, also if Linux made it invalid but kept it, or a `SwapEntry`."""
        valid = self.format.decode(self.word, self.level)
        if valid.VALID or not self.word:
            return valid
        if self._is_present_invalid:
            leaf = self.word | 0b11 if self.level == LAST_LEVEL else self.word & ~0b11 | 0b01  # what it was, or will be
            return type(self.format.decode(leaf, self.level))(self.word)
        recent = since(self.boot.constants, "6.10")
        never = _NEVER_IN_SWAP_ENTRY if recent else _NEVER_BEFORE_V6_10
        if self._k.PTE_UFFD_WP:
            never &= ~_UFFD_WP
        if self.word & never:
            return type(self.format.decode(self.word | 1, self.level))(self.word)
        return SwapEntry(self.word) if recent else SwapEntryBeforeV610(self.word)

    @property
    def _is_present_invalid(self) -> bool:
        """Whether Linux took VALID away and calls the entry present; before v6.10 a block has a bit of its own."""
        k = self._k
        blocks = 0 if self.level == LAST_LEVEL or since(self.boot.constants, "6.10") else k.PMD_PRESENT_INVALID
        return bool(not self.word & k.PTE_VALID and self.word & (k.PTE_PRESENT_INVALID | blocks))

    @property
    def kind(self) -> str:
        """The kind of entry.

        `none`, `table`, `block`, `page`; `reserved`, an encoding that the level lacks; `present but invalid`, as
        Linux keeps PROT_NONE; `not present`, a swap entry; `valid bit clear`, any other invalid entry.
        """
        if self._k.pte_none(self.word):
            return "none"
        if self._is_present_invalid:
            return "present but invalid"
        if isinstance(self.descriptor, SwapEntry | SwapEntryBeforeV610):
            return "not present"
        if not self.word & 1:
            return "valid bit clear"
        kinds = {Table: "table", Block: "block", PageDescriptor: "page"}
        return next((name for kind, name in kinds.items() if isinstance(self.descriptor, kind)), "reserved")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that a valid entry of this level can have."""
        if self.level == LAST_LEVEL:
            return ("page",)
        return ("table", "block") if self.level >= self.format.first_block_level else ("table",)

    @property
    def size(self) -> int:
        """The size in bytes that an entry of this level covers."""
        return 1 << self.boot.config.granule.level_shift(self.level)

    @property
    def oa(self) -> int | None:
        """Physical address of the next table, the block or the page; None if the entry does not have one."""
        word = self.descriptor
        return word.oa if isinstance(word, Table | Leaf) else None

    @property
    def pfn(self) -> int | None:
        """The page frame number, as `pte_pfn()` returns it."""
        return None if self.oa is None else self.oa >> self.boot.config.granule.shift

    @property
    def memory(self) -> str | None:
        """The memory type of a leaf, by Linux's name and by what MAIR_EL1 says."""
        word = self.descriptor
        return memory_name(word.AttrIndx, self.boot, self.registers.mair) if isinstance(word, Leaf) else None

    @property
    def permissions(self) -> tuple[str, str] | None:
        """What EL0 and EL1 may do with a leaf, as `rwx`, by this entry alone; None for any other entry."""
        word = self.descriptor
        if not isinstance(word, Leaf) or not word.VALID:
            return None
        bits = leaf_bits(word)
        return self._rules.letters(0, bits), self._rules.letters(1, bits)

    @property
    def swap(self) -> Swap | None:
        """Where the page is, for an entry that is neither none nor present; else None."""
        return decode_swap(self.word, self._k) if self.kind == "not present" else None

    @property
    def linux(self) -> tuple[str, ...]:
        """The predicates of Linux that are true of a leaf: `pte_young()`, `pte_dirty()` and so on, without `pte_`."""
        if not isinstance(self.descriptor, Leaf):
            return ()
        asked = ("present", "young", "dirty", "write", "user", "user_exec", "special", "devmap", "cont", "protnone")
        true = {name for name in asked if getattr(self._k, f"pte_{name}")(self.word)}
        if self._is_present_invalid:  # of a block before v6.10, which `pmd_present()` knows
            true.add("present")
        return tuple(name for name in asked if name in true)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual about the entry, in sentences."""
        notes = []
        if self.kind == "reserved":
            legal = " or ".join(self.kinds)
            notes.append(f"bits 1:0 are {self.word & 3:02b}, but a valid entry of level {self.level} is a {legal}")
        if self.swap and self.name not in ("pte", "pmd"):
            notes.append(f"Linux keeps no such entry in a {self.name}: {self.name}_bad()")
        output_bits = self._range.output_bits
        if self.oa is not None and self.oa >> output_bits:
            notes.append(f"the address has more than the {output_bits} bits of TCR_EL1.IPS")
        elif isinstance(self.descriptor, Leaf) and self.size >> output_bits > 1:
            inside = short_size(1 << output_bits)
            notes.append(f"only the first {inside} are within the {output_bits} bits of TCR_EL1.IPS")
        if self.kind == "valid bit clear":
            notes.append(
                "no swap entry has these low bits: debug_pagealloc and KFENCE clear VALID in the entry of a free "
                "kernel page, and keep the other bits"
            )
        if isinstance(self.descriptor, Leaf) and self.descriptor.VALID:
            notes += self._indirect(self.descriptor)
        if self.kind == "present but invalid":
            before = "" if not since(self.boot.constants, "6.10") else "before v6.10, "
            notes += [f"{before}bit {bit} says so: {name}" for bit, name in _BEFORE_V6_10 if self.word >> bit & 1]
        reserved = [leaf.bits for part in self.fields for leaf in part.leaves() if leaf.name == "RES0" and leaf.value]
        if reserved:
            notes.append(f"reserved bits are set: {', '.join(reserved)}")
        if isinstance(self.descriptor, Leaf) and (frame := self._k.pte_pfn(self.word)) != self.pfn:
            notes.append(f"Linux, which packs addresses as it was compiled to, reads frame {frame:#x}")
        return tuple(notes)

    def _indirect(self, leaf: Leaf) -> Iterator[str]:
        """What indirect permissions and overlays mean for a leaf, in sentences."""
        bits, rules = leaf_bits(leaf), self._rules
        level = 2 if self.boot.vhe else 1
        if rules.pie:
            p, u = (register >> 4 * pi_index(bits) & 0xF for register in (rules.pir, rules.pire0))
            yield (
                f"permissions are indirect: PIIndex is {pi_index(bits)}, which chooses {p:#06b} in PIR_EL{level} and "
                f"{u:#06b} in PIRE0_EL{level}"
            )
            if rules.is_stack(0, bits):
                yield "a guarded control stack of EL0 (FEAT_GCS): only its own instructions write it"
        if self.registers.overlays:
            por, entry = self.registers.por_el0, bits.po_index
            what = "is not known, and may take permissions of EL0 away"
            if por is not None:
                what = f"has {int(por) >> 4 * entry & 0xF:#06b} there"
            yield f"POIndex is {entry}: POR_EL0 {what}"

    @cached_property
    def fields(self) -> tuple[NamedBits, ...]:
        """All 64 bits by name, highest first."""
        return name_entry(self.descriptor, self.boot, self.registers)

    @property
    def summary(self) -> str:
        """The entry in one line."""
        what = self.kind
        if self.swap is not None:
            what = f"{what}: {self.swap}"
        if self.oa is not None:
            size = "" if self.kind == "table" else f", {short_size(self.size)}"
            what = f"{what}{size} at {self.oa:#x}, pfn {self.pfn:#x}"
        return f"{self.name} {self.word:#018x}: {what}"

    @property
    def picture(self) -> Picture:
        """The entry, bit by bit."""
        from pgtlab.arch.named_picture import named_picture  # views load only where something is shown

        return named_picture(self.summary, self.word, self.fields, str(self))

    def as_dict(self) -> dict[str, object]:
        """The entry as plain data, as `pgtlab pte --json` prints it."""
        permissions, swap = self.permissions, self.swap
        return {
            "pte": f"{self.word:#018x}",
            "name": self.name,
            "level": self.level,
            "kinds": list(self.kinds),
            "kind": self.kind,
            "size": self.size,
            "oa": None if self.oa is None else f"{self.oa:#x}",
            "pfn": self.pfn,
            "memory": self.memory,
            "permissions": None if permissions is None else {"el0": permissions[0], "el1": permissions[1]},
            "linux": list(self.linux),
            "swap": None if swap is None else swap.as_dict(),
            "notes": list(self.notes),
            "fields": [bits.as_dict() for part in self.fields for bits in part.flat()],
        }

    def __repr__(self) -> str:
        return f"Entry({self.summary})"

    def __str__(self) -> str:
        """The summary, what follows from it, and a line for each field."""
        config = self.boot.config
        lines = [
            self.summary,
            f"{config.granule} pages, VA_BITS={config.va_bits} on {self.boot.cpu.name}: the {self.name} is level "
            f"{self.level}, where an entry covers {short_size(self.size)} and is a {' or a '.join(self.kinds)}",
        ]
        lines += [f"note: {note}" for note in self.notes]
        if self.memory is not None:
            lines.append(f"memory  {self.memory}")
        if self.permissions is not None:
            lines.append(f"EL1 {self.permissions[1]}, EL0 {self.permissions[0]}")
        if self.linux:
            lines.append(f"Linux   {', '.join(self.linux)}")
        lines += [line for part in self.fields for line in part.lines(1)]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.picture.mimebundle(str(self))

    @cached_property
    def _range(self) -> VARange:
        pa_range = PARange(self.boot.cpu.mmfr0.PARANGE)
        return VARange.of(self.boot.tcr, SCTLR_EL1(M=1), TTBR1_EL1(0), pa_range, upper=True)

    @cached_property
    def _rules(self) -> PermissionRules:
        return self.registers.permission_rules(hd=self._range.hd)

    @cached_property
    def _k(self) -> EntryHelpers:
        return EntryHelpers(self.boot)


def decode_entry(word: int, level: str | int, boot: Boot, registers: Mapping[str, int] | None = None) -> Entry:
    """Read one entry of a page table.

    Parameters
    ----------
    word : int
        Any 64-bit value.
    level : str or int
        The level of its table: `pgd` to `pte`, or -1 to 3.
    boot : Boot
        The booted kernel.
    registers : mapping of str to int, optional
        TCR2_EL1, PIR_EL1, PIRE0_EL1, MAIR_EL1 and POR_EL0, as far as they are not those that the kernel sets.

    Raises
    ------
    RegisterError
        If the meaning of an entry does not depend on one of the registers.
    EntryError
        If `word` does not fit in 64 bits.
    LevelError
        If the kernel does not have that level.

    Notes
    -----
    Sources: Arm ARM D8.3 for descriptors; Linux v6.12 `arch/arm64/include/asm/pgtable.h` for the rest.
    """
    if not 0 <= word < 1 << 64:
        raise EntryError(f"{word:#x} is not a 64-bit entry: the largest is {MASK64:#x}")
    return Entry(word, *parse_level(level, boot), boot, EntryRegisters.of(boot, registers or {}))
