"""One address translated, step by step (Arm ARM D8.2, and the pseudocode of J1.3 for the order of the checks)."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index as as_int
from typing import Any

from pgtlab.arch.attributes import NORMAL_NON_CACHEABLE, MemoryAttributes, effective_memory, inherit, permitted
from pgtlab.arch.descriptor import Descriptor, Invalid, Leaf, Table
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import PhysicalAddressError
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.registers import ESR_EL1, PAR_EL1, PAR_EL1_Fault, Shareability
from pgtlab.arch.va_range import VARange
from pgtlab.arch.word import MASK64

# Memory types without translation: of data, and of instructions with SCTLR_EL1.I set.
DEVICE_nGnRnE, NORMAL_WT = 0x00, 0xAA

SHAREABLE = ("Non-shareable", "reserved shareability", "Outer Shareable", "Inner Shareable")  # by SH


@dataclass(frozen=True)
class Step:
    """One table read: `descriptor` is None where no memory answered at `address`.

    `inherited` is bits 62:59 of the table descriptors so far, joined by OR: APTable, UXNTable and PXNTable.
    """

    level: int
    table: int
    index: int
    descriptor: Descriptor | None
    inherited: int

    @property
    def address(self) -> int:
        """Physical address of the descriptor."""
        return self.table + 8 * self.index

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
        }

    def __str__(self) -> str:
        where = f"level {self.level:<2} {self.table:#x}[{self.index:#05x}]"
        match self.descriptor:
            case None:
                return f"{where}: no memory at {self.address:#x}"
            case Table() | Leaf():
                kind = f"{type(self.descriptor).__name__} {self.descriptor.oa:#x}"
            case _:
                kind = type(self.descriptor).__name__
        return f"{where} = {self.descriptor.value:#018x}  {kind}"


@dataclass(frozen=True)
class Translation:
    """An output address and the attributes of its memory; `level` is None where translation was off."""

    pa: int
    level: int | None
    attributes: MemoryAttributes

    @property
    def par(self) -> PAR_EL1:
        """PAR_EL1 after an `AT` that gave this; the address in it ends at bit 12, and bit 11 reads as one."""
        return PAR_EL1(1 << 11, PA=self.pa >> 12, SH=self.attributes.SH, ATTR=self.attributes.ATTR)

    def __str__(self) -> str:
        return f"PA {self.pa:#x}, {self.attributes.memory_type}, {SHAREABLE[self.attributes.SH]}"


@dataclass(frozen=True)
class Update:
    """A descriptor that hardware writes back for the access: its access flag set, or its page marked dirty."""

    address: int
    before: int
    after: int


@dataclass(frozen=True)
class Walk:
    """A translation with all that was read on the way."""

    va: int
    access: Access
    el: int
    va_range: VARange
    steps: tuple[Step, ...]
    outcome: Translation | Fault
    update: Update | None = None

    @property
    def par(self) -> PAR_EL1 | PAR_EL1_Fault:
        """PAR_EL1 as `AT` leaves it."""
        return self.outcome.par

    @property
    def esr(self) -> ESR_EL1 | None:
        """ESR_EL1 of the abort that the access ends in; None where there is none."""
        return self.outcome.esr(self.access, self.el) if isinstance(self.outcome, Fault) else None

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
        return {
            "va": f"{self.va:#x}",
            "access": self.access.name.lower(),
            "el": self.el,
            "ttbr": self.va_range.ttbr,
            "steps": [step.as_dict() for step in self.steps],
        } | ends

    def __str__(self) -> str:
        r = self.va_range
        upper = "upper" if r.upper else "lower"
        return "\n".join(
            [
                f"{self.va:#x} {self.access.name.lower()} at EL{self.el}: {upper} range, {r.input_bits} bits, "
                f"{r.granule} granule, {r.ttbr}",
                *(f"  {step}" for step in self.steps),
                str(self.outcome),
            ]
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


class _Faulted(Exception):
    """Takes a fault out of the walk to where it becomes the outcome."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


def walk(regime: TranslationRegime, va: int, access: Access, el: int) -> Walk:
    """`MMU.translate`, which documents it."""
    check_arguments(el)
    va = as_int(va)  # numpy's integers overflow at 64 bits
    if not 0 <= va <= MASK64:
        raise ValueError(f"{va:#x} is not a 64-bit address; did you mean {min(max(va, 0), MASK64):#x}?")
    r = regime.va_range(va)
    steps: list[Step] = []
    try:
        if not regime.sctlr.M:
            return Walk(va, access, el, r, (), _flat(regime, r, va, access))
        leaf, inherited = _read_tables(regime, r, va, access, el, steps)
        outcome, after = _finish(regime, r, va, access, el, leaf, inherited)
    except _Faulted as stopped:
        return Walk(va, access, el, r, tuple(steps), stopped.fault)
    update = None if after == leaf.value else Update(steps[-1].address, leaf.value, after)
    return Walk(va, access, el, r, tuple(steps), outcome, update)


def check_arguments(el: int) -> None:
    """`ValueError` where `el` is not an exception level of the EL1&0 regime."""
    if el not in (0, 1):
        raise ValueError(f"EL{el} is not translated by the EL1&0 regime; did you mean EL{min(max(el, 0), 1)}?")


def _read_tables(
    regime: TranslationRegime, r: VARange, va: int, access: Access, el: int, steps: list[Step]
) -> tuple[Leaf, int]:
    """The leaf that the tables lead to, and what its tables make it inherit."""
    if not r.holds(va, fetch=access is Access.FETCH):
        raise _Faulted(Fault(FaultKind.TRANSLATION, 0, Cause.INPUT_ADDRESS))
    if refusal := r.refusal(el=el):
        raise _Faulted(refusal)
    assert r.start_level is not None
    ia = va & (1 << r.input_bits) - 1
    table, inherited = r.base, 0
    for level in range(r.start_level, LAST_LEVEL + 1):
        # The first table may be smaller than a granule: the remaining bits of ia are its index.
        index = ia >> r.granule.level_shift(level)
        ia &= (1 << r.granule.level_shift(level)) - 1
        try:
            word = regime.memory.read64(table + 8 * index)
        except PhysicalAddressError:
            steps.append(Step(level, table, index, None, inherited))
            raise _Faulted(Fault(FaultKind.EXTERNAL_ABORT, level, Cause.READ)) from None
        descriptor = r.format.decode(word, level)
        if isinstance(descriptor, Table) and not r.hpd:
            inherited |= word >> 59 & 0xF
        steps.append(Step(level, table, index, descriptor, inherited))
        if isinstance(descriptor, Invalid):
            raise _Faulted(Fault(FaultKind.TRANSLATION, level, Cause.DESCRIPTOR))
        assert isinstance(descriptor, Table | Leaf)
        # A block may be larger than the output size: then the address reached counts, and not the block's first.
        if (descriptor.oa | ia if isinstance(descriptor, Leaf) else descriptor.oa) >> r.output_bits:
            raise _Faulted(Fault(FaultKind.ADDRESS_SIZE, level, Cause.OUTPUT_ADDRESS))
        if isinstance(descriptor, Leaf):
            return descriptor, inherited
        table = descriptor.oa
    raise AssertionError("a valid descriptor of level 3 is a page")


def _finish(
    regime: TranslationRegime, r: VARange, va: int, access: Access, el: int, leaf: Leaf, inherited: int
) -> tuple[Translation, int]:
    """The translation through `leaf`, and the word that hardware leaves in the leaf's place."""
    if not leaf.AF and not r.ha:
        raise _Faulted(Fault(FaultKind.ACCESS_FLAG, leaf.level, Cause.ACCESS_FLAG))
    # With hardware management of dirty state a page with DBM is writable, and AP[2] says that it is still clean.
    dirty_by_hardware = r.hd and leaf.DBM
    ap, uxn, pxn = inherit(leaf.AP & 0b01 if dirty_by_hardware else leaf.AP, leaf.UXN, leaf.PXN, inherited)
    if not permitted(access, el, ap, uxn, pxn, int(r.wxn)):
        raise _Faulted(Fault(FaultKind.PERMISSION, leaf.level, Cause.PERMISSIONS))
    after = leaf.replace(AF=1)
    if dirty_by_hardware and access is Access.WRITE:
        after = after.replace(AP=leaf.AP & 0b01)
    # What a reserved byte of MAIR_EL1 means is UNPREDICTABLE: here it stays as it is, and is shown as reserved.
    attr = int(regime.mair) >> 8 * leaf.AttrIndx & 0xFF
    fetch = access is Access.FETCH
    attr, sh = effective_memory(attr, getattr(leaf, "SH", r.sh), fetch=fetch, cached=regime.cached(access))
    attributes = MemoryAttributes(ATTR=attr, SH=sh, AP=ap, UXN=uxn, PXN=pxn, nG=leaf.nG, Contiguous=leaf.Contiguous)
    offset = va & (1 << r.granule.level_shift(leaf.level)) - 1
    return Translation(leaf.oa | offset, leaf.level, attributes), after.value


def _flat(regime: TranslationRegime, r: VARange, va: int, access: Access) -> Translation | Fault:
    """The outcome with SCTLR_EL1.M = 0: the address itself, as far as physical addresses go."""
    fetch = access is Access.FETCH
    pa = va & (1 << r.address_bits(fetch=fetch)) - 1
    if pa >> regime.pa_range.bits:
        return Fault(FaultKind.ADDRESS_SIZE, 0, Cause.MMU_OFF)
    return Translation(pa, None, flat_attributes(regime, access))


def flat_attributes(regime: TranslationRegime, access: Access) -> MemoryAttributes:
    """The attributes of all memory with SCTLR_EL1.M = 0."""
    attr = (NORMAL_WT if regime.sctlr.I else NORMAL_NON_CACHEABLE) if access is Access.FETCH else DEVICE_nGnRnE
    return MemoryAttributes(ATTR=attr, SH=Shareability.OUTER, AP=0b01)
