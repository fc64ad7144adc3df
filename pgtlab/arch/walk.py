"""One address translated, step by step (Arm ARM D8.2, and the pseudocode of J1.3 for the order of the checks)."""

from __future__ import annotations

from dataclasses import replace
from operator import index as as_int
from typing import NoReturn

from pgtlab.arch.attributes import MemoryAttributes, effective_memory
from pgtlab.arch.descriptor import Invalid, Leaf, Stage2Leaf, Stage2Table, Table
from pgtlab.arch.fault import Access, AccessDescriptor, Cause, Fault, FaultKind
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.memory import PhysicalAddressError
from pgtlab.arch.memory_type import NORMAL_NON_CACHEABLE, MemoryType, accessed_type, combined_shareability
from pgtlab.arch.permissions import (
    ALLOWED,
    FORBIDDEN_BY_DIRTY_STATE,
    FORBIDDEN_BY_OVERLAY,
    PermissionRules,
    inherit,
)
from pgtlab.arch.regime import TranslationRegime
from pgtlab.arch.registers import Shareability
from pgtlab.arch.stage2 import Stage2, stage_2_permitted
from pgtlab.arch.steps import SHAREABLE, Step, Translation, Update, Walk, leaf_bits
from pgtlab.arch.va_range import VARange
from pgtlab.arch.word import MASK64

__all__ = ["SHAREABLE", "Step", "Translation", "Update", "Walk", "flat_attributes", "walk"]

# Memory types without translation: of data, and of instructions with SCTLR_EL1.I set.
DEVICE_nGnRnE, NORMAL_WT = 0x00, 0xAA


class _Faulted(Exception):
    """Takes a fault out of the walk to where it becomes the outcome."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


def walk(regime: TranslationRegime, va: int, d: AccessDescriptor) -> Walk:
    """`MMU.translate`, which documents it."""
    va = as_int(va)  # numpy's integers overflow at 64 bits
    if not 0 <= va <= MASK64:
        raise ValueError(f"{va:#x} is not a 64-bit address; did you mean {min(max(va, 0), MASK64):#x}?")
    r = regime.va_range(va)
    walker = _Walker(regime, d)
    rules = regime.permission_rules(r, d)
    outcome: Translation | Fault
    try:
        outcome = walker.translate(r, rules, va)
    except _Faulted as stopped:
        outcome = stopped.fault
    if isinstance(outcome, Fault) and regime.host:
        outcome = replace(outcome, taken_to=2)
    return Walk(
        va,
        d.access,
        d.el,
        r,
        tuple(walker.steps),
        outcome,
        tuple(walker.updates),
        rules,
        regime.mair,
        tuple(walker.stage_2_steps),
    )


class _Walker:
    """One walk while it goes on: what was read so far, and what hardware wrote back."""

    def __init__(self, regime: TranslationRegime, d: AccessDescriptor) -> None:
        self.regime, self.d = regime, d
        self.steps: list[Step] = []
        self.stage_2_steps: list[Step] = []
        self.updates: list[Update] = []

    def translate(self, r: VARange, rules: PermissionRules, va: int) -> Translation:
        """The translation through both stages, or as many as there are."""
        regime, d = self.regime, self.d
        if not regime.sctlr.M:
            translation, memory, sh = _flat(regime, r, va, d.access)
        else:
            leaf, inherited = self.read_tables(r, va)
            translation, memory, sh = self.finish(r, rules, va, leaf, inherited)
        stage2 = regime.stage2
        if stage2 is None or d.stage_1_only:
            return translation
        pa, memory, sh = self.through_stage_2(
            stage2, translation.pa, self.stage_2_steps, d.access, memory, sh, on_walk=False
        )
        attributes = translation.attributes.replace(ATTR=memory.byte, SH=memory.shareability(sh))
        return Translation(pa, translation.level, attributes, translation.pa)

    def read_tables(self, r: VARange, va: int) -> tuple[Leaf, int]:
        """The leaf that the tables of stage 1 lead to, and what its tables make it inherit."""
        if not r.holds(va, fetch=self.d.fetch):
            raise _Faulted(Fault(FaultKind.TRANSLATION, 0, Cause.INPUT_ADDRESS))
        if refusal := r.refusal(el=self.d.el):
            raise _Faulted(refusal)
        leaf, inherited = self.descend(r, va, self.steps)
        assert isinstance(leaf, Leaf)
        return leaf, inherited

    def descend(self, r: VARange, ia: int, steps: list[Step]) -> tuple[Leaf | Stage2Leaf, int]:
        """The leaf that tables of either stage lead to, and bits 62:59 of the tables above it, joined by OR."""
        assert r.start_level is not None
        stage = r.format.stage
        nested = self.regime.stage2 if stage == 1 else None
        ia &= (1 << r.input_bits) - 1
        table, inherited, first = r.base, 0, True
        for level in range(r.start_level, LAST_LEVEL + 1):
            # The first table may be smaller than a granule, or larger: the remaining bits of ia are its index.
            shift = r.granule.level_shift(level)
            index = ia >> shift
            ia &= (1 << shift) - 1
            address = physical = table + 8 * index
            below: tuple[Step, ...] = ()
            if nested is not None:
                steps_of_stage_2: list[Step] = []
                try:
                    physical = self.physical(nested, address, steps_of_stage_2)
                except _Faulted:
                    steps.append(Step(level, table, index, None, inherited, stage, first, tuple(steps_of_stage_2)))
                    raise
                below = tuple(steps_of_stage_2)
            try:
                word = self.read(physical)
            except PhysicalAddressError:
                steps.append(Step(level, table, index, None, inherited, stage, first, below, physical))
                raise _Faulted(Fault(FaultKind.EXTERNAL_ABORT, level, Cause.READ)) from None
            descriptor = r.format.decode(word, level)
            if isinstance(descriptor, Table) and not r.hpd:
                inherited |= word >> 59 & 0xF
            steps.append(Step(level, table, index, descriptor, inherited, stage, first, below, physical))
            if isinstance(descriptor, Invalid):
                raise _Faulted(Fault(FaultKind.TRANSLATION, level, Cause.DESCRIPTOR))
            if isinstance(descriptor, _LEAVES):
                # A block may be larger than the output size: the address reached counts, and not the block's first.
                if (descriptor.oa | ia) >> r.output_bits:
                    raise _Faulted(Fault(FaultKind.ADDRESS_SIZE, level, Cause.OUTPUT_ADDRESS))
                return descriptor, inherited
            assert isinstance(descriptor, _TABLES)
            table, first = descriptor.oa, False
            if table >> r.output_bits:
                raise _Faulted(Fault(FaultKind.ADDRESS_SIZE, level, Cause.OUTPUT_ADDRESS))
            if r.haft:
                self.write_back(address, word, word | Leaf.AF.mask)
        raise AssertionError("a valid descriptor of level 3 is a page")

    def finish(
        self, r: VARange, rules: PermissionRules, va: int, leaf: Leaf, inherited: int
    ) -> tuple[Translation, MemoryType, int]:
        """The translation of stage 1 through `leaf`, with the memory type and shareability that stage 2 is given."""
        regime, d = self.regime, self.d
        if not leaf.AF and not r.ha:
            raise _Faulted(Fault(FaultKind.ACCESS_FLAG, leaf.level, Cause.ACCESS_FLAG))
        bits = leaf_bits(leaf, inherited)
        if verdict := rules.verdict(d.access, d.el, bits):
            raise _Faulted(Fault(FaultKind.PERMISSION, leaf.level, _cause(rules, verdict, d, bits)))
        # With hardware management of dirty state a page with DBM is writable, and AP[2] says that it is still clean.
        dirty_by_hardware = r.hd and (rules.pie or leaf.DBM)
        after = leaf.value | Leaf.AF.mask
        if dirty_by_hardware and d.access is Access.WRITE and not d.at:
            after &= ~_AP_2
        self.write_back(self.steps[-1].address, leaf.value, after)
        # What a reserved byte of MAIR_EL1 means is UNPREDICTABLE: here it stays as it is, and is shown as reserved.
        attr, sh = int(regime.mair) >> 8 * leaf.AttrIndx & 0xFF, int(getattr(leaf, "SH", r.sh))
        cached = regime.cached(d.access)
        memory = _AS_TABLES
        if regime.stage2 is None:
            shown = effective_memory(attr, sh, fetch=d.fetch, cached=cached)
        else:  # a CPU with two stages is taken to have FEAT_XS
            memory = accessed_type(attr, fetch=d.fetch, cached=cached)
            shown = memory.byte, memory.shareability(sh)
        ap, uxn, pxn = 0, 0, 0
        if not rules.pie:
            ap, uxn, pxn = inherit(leaf.AP & 0b01 if dirty_by_hardware else leaf.AP, leaf.UXN, leaf.PXN, inherited)
        attributes = MemoryAttributes(
            ATTR=shown[0], SH=shown[1], AP=ap, UXN=uxn, PXN=pxn, nG=leaf.nG, Contiguous=leaf.Contiguous
        )
        offset = va & (1 << r.granule.level_shift(leaf.level)) - 1
        return Translation(leaf.oa | offset, leaf.level, attributes), memory, sh

    def physical(self, stage2: Stage2, ipa: int, steps: list[Step], access: Access = Access.READ) -> int:
        """The physical address of a descriptor of stage 1, which hardware reads, or writes back."""
        pa, _, _ = self.through_stage_2(stage2, ipa, steps, access, _AS_TABLES, 0, on_walk=True)
        return pa

    def through_stage_2(
        self, stage2: Stage2, ipa: int, steps: list[Step], access: Access, memory: MemoryType, sh: int, *, on_walk: bool
    ) -> tuple[int, MemoryType, int]:
        """The physical address for an intermediate one, and the memory type and shareability by both stages."""

        def fault(kind: FaultKind, level: int, cause: Cause) -> NoReturn:
            raise _Faulted(Fault(kind, level, cause, 2, on_walk, ipa, taken_to=2))

        r, d = stage2.range, self.d
        if refusal := stage2.refusal(ipa):
            fault(refusal.kind, refusal.level, refusal.cause)
        try:
            leaf, _ = self.descend(r, ipa, steps)
        except _Faulted as stopped:
            fault(stopped.fault.kind, stopped.fault.level, stopped.fault.cause)
        assert isinstance(leaf, Stage2Leaf)
        if not leaf.AF and not r.ha:
            fault(FaultKind.ACCESS_FLAG, leaf.level, Cause.ACCESS_FLAG)
        dirty_by_hardware = r.hd and leaf.DBM
        s2ap = leaf.S2AP | dirty_by_hardware << 1
        if on_walk:
            if stage2.ptw and stage2.is_device(leaf.MemAttr):
                fault(FaultKind.PERMISSION, leaf.level, Cause.DEVICE_TABLE)
            allowed = s2ap & 1 and (access is Access.READ or s2ap >> 1)
        else:
            allowed = stage_2_permitted(access, d.el, s2ap, leaf.XN, leaf.XNX)
        if not allowed:
            fault(FaultKind.PERMISSION, leaf.level, Cause.PERMISSIONS)
        after = leaf.value | Stage2Leaf.AF.mask
        if dirty_by_hardware and access is Access.WRITE and (on_walk or not d.at):
            after |= _S2AP_1
        self.swap(steps[-1].address, leaf.value, after, stage=2)
        two = int(r.sh if "SH" not in type(leaf).__dict__ else leaf.SH)  # type: ignore[attr-defined]
        return (
            leaf.oa | ipa & (1 << r.granule.level_shift(leaf.level)) - 1,
            stage2.memory_type(memory, leaf.MemAttr, bool(leaf.FnXS), d, on_walk=on_walk),
            combined_shareability(sh, two),
        )

    def read(self, pa: int) -> int:
        """The word at `pa`, as hardware may have changed it in this walk."""
        if not self.updates:
            return self.regime.memory.read64(pa)
        for update in reversed(self.updates):
            if update.address == pa:
                return update.after
        return self.regime.memory.read64(pa)

    def write_back(self, address: int, before: int, after: int) -> None:
        """Change a descriptor of stage 1, which stage 2 may forbid."""
        if after != before:
            stage2 = self.regime.stage2
            pa = address if stage2 is None else self.physical(stage2, address, [], Access.WRITE)
            self.swap(pa, before, after, stage=1)

    def swap(self, pa: int, before: int, after: int, *, stage: int) -> None:
        """Note a change of a descriptor."""
        if after != before:
            self.updates.append(Update(pa, before, after, stage))


_AP_2, _S2AP_1 = 1 << 7, 1 << 7
_LEAVES, _TABLES = (Leaf, Stage2Leaf), (Table, Stage2Table)
_AS_TABLES = MemoryType.of(0xFF)  # what the tables of a guest are read as makes no difference here


def _cause(rules: PermissionRules, verdict: int, d: AccessDescriptor, bits: object) -> Cause:
    """What forbids an access."""
    if verdict == FORBIDDEN_BY_OVERLAY:
        return Cause.OVERLAY
    if verdict == FORBIDDEN_BY_DIRTY_STATE:
        return Cause.DIRTY_STATE
    if rules.pan and replace(rules, pan=False).verdict(d.access, d.el, bits) == ALLOWED:  # type: ignore[arg-type]
        return Cause.PAN
    return Cause.PERMISSIONS


def _flat(regime: TranslationRegime, r: VARange, va: int, access: Access) -> tuple[Translation, MemoryType, int]:
    """The outcome with SCTLR_EL1.M = 0: the address itself, as far as physical addresses go."""
    pa = va & flat_address_bits(r, access)
    if pa >> regime.pa_range.bits:
        raise _Faulted(Fault(FaultKind.ADDRESS_SIZE, 0, Cause.MMU_OFF))
    attributes = flat_attributes(regime, access)
    return Translation(pa, None, attributes), MemoryType.of(attributes.ATTR), int(attributes.SH)


def flat_address_bits(r: VARange, access: Access) -> int:
    """The bits of an address that count with SCTLR_EL1.M = 0, as a mask; of a fetch, MTX takes no tag away."""
    fetch = access is Access.FETCH
    return (replace(r, mtx=False) if fetch else r).checked_bits(fetch=fetch)


def flat_attributes(regime: TranslationRegime, access: Access) -> MemoryAttributes:
    """The attributes of all memory with SCTLR_EL1.M = 0."""
    attr = (NORMAL_WT if regime.sctlr.I else NORMAL_NON_CACHEABLE) if access is Access.FETCH else DEVICE_nGnRnE
    return MemoryAttributes(ATTR=attr, SH=Shareability.OUTER, AP=0b01)
