"""What a walk leaves behind: the descriptors that it read, what hardware wrote back, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pgtlab.arch import pseudocode
from pgtlab.arch.attributes import MemoryAttributes
from pgtlab.arch.descriptor import Descriptor, Leaf, Stage2Leaf, Stage2Table, Table
from pgtlab.arch.fault import Access, Fault
from pgtlab.arch.permissions import DIRECT, LeafBits, PermissionRules
from pgtlab.arch.registers import ESR_EL1, MAIR_EL1, PAR_EL1, PAR_EL1_Fault
from pgtlab.arch.va_range import VARange

SHAREABLE = ("Non-shareable", "reserved shareability", "Outer Shareable", "Inner Shareable")  # by SH


@dataclass(frozen=True)
class Step:
    """One table read: `descriptor` is None where no memory answered at `address`, or stage 2 gave it none.

    `inherited` is bits 62:59 of the table descriptors so far, joined by OR: APTable, UXNTable and PXNTable. `stage_2`
    are the steps by which stage 2 found the table of a guest; `physical` is where the descriptor is then.
    """

    level: int
    table: int
    index: int
    descriptor: Descriptor | None
    inherited: int
    stage: int = 1
    first: bool = False
    stage_2: tuple[Step, ...] = ()
    found_at: int | None = None

    @property
    def address(self) -> int:
        """Physical address of the descriptor; an intermediate one in a guest."""
        return self.table + 8 * self.index

    @property
    def physical(self) -> int | None:
        """Physical address of the descriptor; None where stage 2 has none for it."""
        return self.found_at if self.stage_2 else self.address

    @property
    def pseudocode(self) -> tuple[str, ...]:
        """The functions of Arm's pseudocode that decide this step, in their order (Arm ARM J1.3).

        >>> from pgtlab.arch.mapper import Mapper
        >>> from pgtlab.arch.registers import TCR_EL1
        >>> Mapper.in_ram(TCR_EL1(T0SZ=25)).mmu.translate(0).steps[0].pseudocode
        ('AArch64.S1SLTTEntryAddress', 'FetchDescriptor', 'AArch64.DecodeDescriptorType')
        """
        return pseudocode.of_read(self.descriptor, stage=self.stage, first=self.first)

    def as_dict(self) -> dict[str, object]:
        """The step as plain data."""
        oa = getattr(self.descriptor, "oa", None)
        return {
            "level": self.level,
            "table": f"{self.table:#x}",
            "index": self.index,
            "descriptor": None if self.descriptor is None else f"{self.descriptor.value:#018x}",
            "kind": None if self.descriptor is None else type(self.descriptor).__name__,
            "oa": None if oa is None else f"{oa:#x}",
            "pseudocode": list(self.pseudocode),
        } | ({"stage_2": [step.as_dict() for step in self.stage_2]} if self.stage_2 else {})

    def __str__(self) -> str:
        where = f"level {self.level:<2} {self.table:#x}[{self.index:#05x}]"
        match self.descriptor:
            case None if self.physical is None:
                return f"{where}: stage 2 does not lead there"
            case None:
                return f"{where}: no memory at {self.physical:#x}"
            case Table() | Leaf() | Stage2Table() | Stage2Leaf():
                kind = f"{type(self.descriptor).__name__} {self.descriptor.oa:#x}"
            case _:
                kind = type(self.descriptor).__name__
        return f"{where} = {self.descriptor.value:#018x}  {kind}"

    def lines(self) -> list[str]:
        """The step as lines of text, after those of stage 2 that lead to it."""
        return [*(f"  stage 2 {step}" for step in self.stage_2), str(self)]


@dataclass(frozen=True)
class Translation:
    """An output address and the attributes of its memory; `level` is None where translation was off.

    `ipa` is the address that stage 1 led to, where stage 2 translated it further.
    """

    pa: int
    level: int | None
    attributes: MemoryAttributes
    ipa: int | None = None

    @property
    def par(self) -> PAR_EL1:
        """PAR_EL1 after an `AT` that gave this; the address in it ends at bit 12, and bit 11 reads as one."""
        return PAR_EL1(1 << 11, PA=self.pa >> 12, SH=self.attributes.SH, ATTR=self.attributes.ATTR)

    def __str__(self) -> str:
        ipa = "" if self.ipa is None else f"IPA {self.ipa:#x}, "
        return f"{ipa}PA {self.pa:#x}, {self.attributes.memory_type}, {SHAREABLE[self.attributes.SH]}"


@dataclass(frozen=True)
class Update:
    """A descriptor that hardware writes back for the access: its access flag set, or its page marked dirty."""

    address: int
    before: int
    after: int
    stage: int = 1


@dataclass(frozen=True)
class Walk:
    """A translation with all that was read on the way.

    `updates` are the descriptors that hardware writes back, in their order; `rules` those that decide about
    permissions; `mair` the register with the memory types; `stage_2` the steps by which stage 2 translated the address
    that stage 1 led to.
    """

    va: int
    access: Access
    el: int
    va_range: VARange
    steps: tuple[Step, ...]
    outcome: Translation | Fault
    updates: tuple[Update, ...] = ()
    rules: PermissionRules = DIRECT
    mair: MAIR_EL1 = MAIR_EL1()
    stage_2: tuple[Step, ...] = ()

    @property
    def programmed_type(self) -> int | None:
        """The byte of MAIR that the leaf of stage 1 chooses; None without a leaf."""
        leaf = self.steps[-1].descriptor if self.steps else None
        return int(self.mair) >> 8 * leaf.AttrIndx & 0xFF if isinstance(leaf, Leaf) else None

    @property
    def update(self) -> Update | None:
        """What hardware writes back into the leaf of stage 1; None where it leaves it as it is."""
        if not self.steps or not isinstance(self.steps[-1].descriptor, Leaf):
            return None
        leaf = self.steps[-1].physical
        return next((update for update in self.updates if update.stage == 1 and update.address == leaf), None)

    @property
    def par(self) -> PAR_EL1 | PAR_EL1_Fault:
        """PAR_EL1 as `AT` leaves it."""
        return self.outcome.par

    @property
    def esr(self) -> ESR_EL1 | None:
        """ESR_EL1, or ESR_EL2, of the abort that the access ends in; None where there is none."""
        return self.outcome.esr(self.access, self.el) if isinstance(self.outcome, Fault) else None

    @property
    def permissions(self) -> tuple[str, str] | None:
        """What EL0 and the privileged level may do with the memory by stage 1, as `rwx`; None without a leaf.

        PSTATE.PAN is left out.
        """
        leaf = self.steps[-1].descriptor if self.steps else None
        if not isinstance(leaf, Leaf):
            return None
        bits = leaf_bits(leaf, self.steps[-1].inherited)
        return self.rules.letters(0, bits), self.rules.letters(1, bits)

    @property
    def pseudocode(self) -> tuple[str, ...]:
        """The functions of Arm's pseudocode that decide how the walk ends (Arm ARM J1.3)."""
        return pseudocode.of_outcome(self.outcome)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What is left to the CPU in this walk, and what the model does, in sentences."""
        from pgtlab.arch.choices import choices  # only those who ask need them

        return choices(self)

    def as_dict(self) -> dict[str, object]:
        """The walk as plain data, as `pgtlab translate --json` prints it."""
        outcome = self.outcome
        if isinstance(outcome, Fault):
            esr = None if self.esr is None else f"{self.esr.value:#x}"
            ends: dict[str, object] = {"pa": None, "fault": outcome.as_dict() | {"esr": esr}}
        else:
            ends = {
                "pa": f"{outcome.pa:#x}",
                "level": outcome.level,
                "memory_type": outcome.attributes.memory_type,
                "attributes": {name.lower(): int(value) for name, value in outcome.attributes.items()},
                "fault": None,
            }
            if outcome.ipa is not None:
                ends["ipa"] = f"{outcome.ipa:#x}"
            if self.permissions is not None:
                ends["permissions"] = dict(zip(("el0", "privileged"), self.permissions, strict=True))
        return (
            {
                "va": f"{self.va:#x}",
                "access": self.access.name.lower(),
                "el": self.el,
                "ttbr": self.va_range.ttbr,
                "steps": [step.as_dict() for step in self.steps],
                "pseudocode": list(self.pseudocode),
                "notes": list(self.notes),
            }
            | ({"stage_2": [step.as_dict() for step in self.stage_2]} if self.stage_2 else {})
            | ends
        )

    def __str__(self) -> str:
        r = self.va_range
        upper = "upper" if r.upper else "lower"
        return "\n".join(
            [
                f"{self.va:#x} {self.access.name.lower()} at EL{self.el}: {upper} range, {r.input_bits} bits, "
                f"{r.granule} granule, {r.ttbr}",
                *(f"  {line}" for step in self.steps for line in step.lines()),
                *(f"    stage 2 {step}" for step in self.stage_2),
                str(self.outcome),
                *(f"note: {note}" for note in self.notes),
            ]
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def leaf_bits(leaf: Leaf, inherited: int = 0) -> LeafBits:
    """The bits of a leaf of stage 1 that its permissions depend on.

    >>> from pgtlab.arch.granule import G4K
    >>> from pgtlab.arch.descriptor import DescriptorFormat
    >>> from pgtlab.arch.output_address import OutputAddress
    >>> leaf_bits(DescriptorFormat(G4K, OutputAddress.PLAIN).decode(0x4800_0000_000F_43, 3))
    LeafBits(ap=1, uxn=1, pxn=0, dbm=1, table=0, po_index=0)
    """
    return LeafBits(leaf.AP, leaf.UXN, leaf.PXN, leaf.DBM, inherited, leaf.value >> 60 & 7)
